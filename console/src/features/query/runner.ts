/** Runs statements of a tab, one after the other, each with a result of its own; the first that fails ends the run. */
import { useSyncExternalStore } from 'react';
import { type ApiError, RequestError, request, type StatementResult } from '../../api/client.ts';
import { fillParameters, type ParameterValue } from '../../lib/sql/parameters.ts';
import { errorOf } from '../../ui/states.tsx';

/** A statement as it stands in the editor. */
export interface RunStatement {
  readonly text: string;
  /** Where it begins in the editor's text. */
  readonly start: number;
}

export interface RunOutcome {
  readonly key: string;
  readonly statement: RunStatement;
  readonly result: StatementResult | null;
  readonly notices: readonly ApiError[];
  readonly error: ApiError | null;
  /** Offset in the editor's text where the error is. */
  readonly errorOffset: number | null;
  readonly durationMillis: number;
}

export interface RunState {
  readonly isRunning: boolean;
  readonly isCancelling: boolean;
  readonly startedAt: number;
  readonly done: number;
  readonly total: number;
  readonly outcomes: readonly RunOutcome[];
  readonly shown: string | null;
  /** I idle, T in a transaction, E in a failed one. */
  readonly transactionStatus: string;
  readonly transactionSince: number | null;
}

const IDLE: RunState = {
  isRunning: false,
  isCancelling: false,
  startedAt: 0,
  done: 0,
  total: 0,
  outcomes: [],
  shown: null,
  transactionStatus: 'I',
  transactionSince: null,
};
const PAGE_ROWS = 500;
const states = new Map<string, RunState>();
const listeners = new Set<() => void>();
let nextKey = 1;

function change(tab: string, part: Partial<RunState>): void {
  states.set(tab, { ...(states.get(tab) ?? IDLE), ...part });
  for (const listener of listeners) listener();
}

export function runStateOf(tab: string): RunState {
  return states.get(tab) ?? IDLE;
}

export function useRunState(tab: string): RunState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => runStateOf(tab),
  );
}

export function showOutcome(tab: string, key: string): void {
  change(tab, { shown: key });
}

/** Offset in UTF-16 units of a position in code points from 1. */
export function offsetOfPosition(text: string, position: number): number {
  let offset = 0;
  for (let count = 1; count < position && offset < text.length; count++) {
    offset += (text.codePointAt(offset) as number) > 0xffff ? 2 : 1;
  }
  return offset;
}

export interface RunOptions {
  readonly isManualCommit: boolean;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

export async function runStatements(
  tab: string,
  statements: readonly RunStatement[],
  options: RunOptions,
): Promise<void> {
  const before = runStateOf(tab);
  if (before.isRunning || statements.length === 0) return;
  let closes = before.outcomes.flatMap(({ result }) => (result === null ? [] : [result.id]));
  change(tab, {
    isRunning: true,
    isCancelling: false,
    startedAt: performance.now(),
    done: 0,
    total: statements.length,
  });
  const values = new Map(Object.entries(options.parameters));
  const outcomes: RunOutcome[] = [];
  for (const statement of statements) {
    const filled = fillParameters(statement.text, values);
    const key = `result-${nextKey++}`;
    try {
      const answer = await request('POST /query', {
        body: {
          sql: filled.text,
          connection: tab,
          pageSize: PAGE_ROWS,
          isManualCommit: options.isManualCommit,
          closes,
        },
      });
      closes = [];
      const { error } = answer;
      // A statement cut at semicolons gives one result; rules and procedures may give more.
      const list = answer.results.length === 0 ? [null] : answer.results;
      for (const [index, result] of list.entries()) {
        const isLast = index === list.length - 1;
        outcomes.push({
          key: index === 0 ? key : `${key}-${index}`,
          statement,
          result,
          notices: isLast ? answer.notices : [],
          error: isLast ? error : null,
          errorOffset:
            isLast && error?.position !== undefined
              ? statement.start + filled.sourceOffset(offsetOfPosition(filled.text, error.position))
              : null,
          durationMillis: answer.durationMillis,
        });
      }
      const since = runStateOf(tab).transactionSince;
      change(tab, {
        transactionStatus: answer.transactionStatus,
        transactionSince: answer.transactionStatus === 'I' ? null : (since ?? Date.now()),
      });
    } catch (failure) {
      outcomes.push({
        key,
        statement,
        result: null,
        notices: [],
        error: errorOf(failure),
        errorOffset: null,
        durationMillis: 0,
      });
      if (failure instanceof RequestError && failure.status === 0)
        change(tab, { transactionStatus: 'I', transactionSince: null });
    }
    const last = outcomes[outcomes.length - 1];
    change(tab, { outcomes: [...outcomes], shown: last.key, done: outcomes.length });
    if (last.error !== null || runStateOf(tab).isCancelling) break;
  }
  change(tab, { isRunning: false, isCancelling: false });
}

/** Stops the server's work; the run ends with the server's answer. */
export async function cancelRun(tab: string): Promise<void> {
  if (!runStateOf(tab).isRunning) return;
  change(tab, { isCancelling: true });
  await request('POST /cancel', { body: { connection: tab } }).catch(() =>
    change(tab, { isCancelling: false }),
  );
}

export async function endTransaction(tab: string, action: 'commit' | 'rollback'): Promise<void> {
  await runStatements(tab, [{ text: action, start: 0 }], { isManualCommit: false, parameters: {} });
}

export function forgetTab(tab: string): void {
  states.delete(tab);
  void request('POST /connections/close', { body: { connection: tab } }).catch(() => {});
}
