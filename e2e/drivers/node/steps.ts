/** The steps of a journey: one line each, and what they compare with. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

let failed = 0;

/** A step that fails does not end the journey: the others are still to be known. */
export async function step(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    process.stdout.write(`ok   ${name}\n`);
  } catch (error) {
    failed++;
    const message = error instanceof Error ? error.message : String(error);
    process.stdout.write(`FAIL ${name}: ${message.replaceAll('\n', ' ').slice(0, 600)}\n`);
  }
}

/** What clients share that take the usual settings. */
export const connection = {
  host: process.env.PGHOST ?? '127.0.0.1',
  port: Number(process.env.PGPORT),
  user: process.env.PGUSER ?? 'postgres',
  password: process.env.PGPASSWORD ?? '',
  database: process.env.PGDATABASE ?? 'postgres',
};
export const certificate = readFileSync(process.env.JOURNEY_CERTIFICATE ?? '', 'utf8');
export const tls = { ca: certificate };

/** The work must fail with this SQLSTATE, wherever the library keeps it. */
export async function failsWith(code: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    const found = codeOf(error);
    assert.equal(found, code, `SQLSTATE ${found}: ${error instanceof Error ? error.message : error}`);
    return;
  }
  assert.fail(`no error, ${code} was expected`);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, original, driverError, cause } = error as Record<string, unknown>;
  if (typeof code === 'string') return code;
  return codeOf(original) ?? codeOf(driverError) ?? codeOf(cause);
}

/** Ends the process with the journey's result. */
export function finish(): never {
  process.exit(failed > 0 ? 1 : 0);
}
