/**
 * Parsing on a worker: the job's input and output are plain data, so any worker pool can carry them. The worker should be
 * started with a stack of 16 MB or more, which takes some 50,000 levels.
 */
import { DbError } from '../../base/error.ts';
import { type PackedError, packError, unpackError } from '../../base/error-transfer.ts';
import type { RawStatement } from './ast.ts';
import { loadParser } from './parser.ts';

export type ParseReply =
  | { ok: true; statements: RawStatement[] }
  | { ok: false; error: PackedError };

/** Runs in the worker. Never throws for faults of the text. */
export async function parseInWorker(text: string): Promise<ParseReply> {
  const parser = await loadParser();
  try {
    return { ok: true, statements: parser.parse(text) };
  } catch (error) {
    if (error instanceof DbError)
      return { ok: false, error: packError(error) };
    throw error;
  } finally {
    await parser.settled();
  }
}

/** Runs where the reply arrives: gives the statements or throws the statement's error. */
export function unpackParseReply(reply: ParseReply): RawStatement[] {
  if (reply.ok) return reply.statements;
  throw unpackError(reply.error);
}
