/**
 * Parsing on another thread: a text goes in, the trees come out as JSON, so any worker can carry them. The thread should be
 * started with a stack of 16 MB or more, which takes some 50,000 levels. Long lists of constants come packed (pack.ts).
 */
import { DbError } from '../../base/error.ts';
import { type PackedError, packError } from '../../base/error-transfer.ts';
import type { RawStatement } from './ast.ts';
import { packLists } from './pack.ts';
import { loadParser } from './parser.ts';

export type ParseReply = { ok: true; json: string } | { ok: false; error: PackedError };

/** Runs in the worker. Never throws for faults of the text. */
export async function parseInWorker(text: string): Promise<ParseReply> {
  const parser = await loadParser();
  try {
    const statements = parser.parse(text);
    for (const { tree } of statements) packLists(tree);
    return { ok: true, json: JSON.stringify(statements) };
  } catch (error) {
    if (error instanceof DbError) return { ok: false, error: packError(error) };
    throw error;
  } finally {
    await parser.settled();
  }
}

/** Runs where the reply arrives. */
export function unpackStatements(json: string): RawStatement[] {
  return JSON.parse(json) as RawStatement[];
}
