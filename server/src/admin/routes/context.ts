/** What route modules share. */
import type { Environment } from '../../env/contract.ts';
import type { ConsoleSession, ConsoleSessions } from '../console-sessions.ts';
import type { Done } from '../contract.ts';
import type { Router } from '../http/router.ts';
import type { ResultStore } from '../results/result-store.ts';

export const DONE: Done = { status: 'ok' };

/** An action in the console that the audit log keeps. */
export interface AuditRecord {
  readonly user: string;
  readonly address: string;
  readonly action: string;
  readonly detail: string;
  readonly isSuccess: boolean;
}

export interface AdminContext {
  readonly environment: Environment;
  readonly router: Router;
  readonly sessions: ConsoleSessions;
  readonly results: ResultStore;
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  audit(record: AuditRecord): void;
}

/** Rows of a question of our own, asked with the rights of the logged-in role. */
export async function ask(
  session: ConsoleSession,
  sql: string,
  parameters: readonly (string | null)[] = [],
): Promise<(string | null)[][]> {
  const client = await session.panels();
  const [result] = await client.query(sql, parameters);
  return result?.rows ?? [];
}

/** Milliseconds since 1970 from SQL's extract(epoch …) text. */
export function millis(text: string | null): number | null {
  return text === null ? null : Math.round(Number(text) * 1000);
}

export function auditOf(
  session: ConsoleSession,
  action: string,
  detail: string,
  isSuccess = true,
): AuditRecord {
  return { user: session.user, address: session.address, action, detail, isSuccess };
}
