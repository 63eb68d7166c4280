/**
 * All held results of the worker and the memory they may take: a bound per role and one for all.
 *
 * A new result pushes out the oldest of the same role. When that is not enough, it is truncated.
 */
import type { ResultColumn } from '../contract.ts';
import { HeldResult } from './held-result.ts';

export interface ResultLimits {
  readonly bytesPerUser: number;
  readonly bytesInAll: number;
  readonly resultsPerSession: number;
}

export const DEFAULT_LIMITS: ResultLimits = {
  bytesPerUser: 384 << 20,
  bytesInAll: 1024 << 20,
  resultsPerSession: 40,
};

interface Entry {
  readonly user: string;
  readonly session: object;
  readonly result: HeldResult;
  bytes: number;
}

/** Rows between two looks at the budget. */
const ROWS_PER_LOOK = 512;

export class ResultStore {
  private readonly entries = new Map<string, Entry>();
  private readonly limits: ResultLimits;
  private readonly newId: () => string;
  private bytesInAll = 0;

  constructor(newId: () => string, limits: ResultLimits = DEFAULT_LIMITS) {
    this.newId = newId;
    this.limits = limits;
  }

  open(session: object, user: string, columns: readonly ResultColumn[]): HeldResult {
    const own = [...this.entries.values()].filter((entry) => entry.session === session);
    for (const entry of own.slice(0, Math.max(0, own.length + 1 - this.limits.resultsPerSession)))
      this.drop(entry.result.id);
    const result = new HeldResult(this.newId(), columns);
    this.entries.set(result.id, { user, session, result, bytes: 0 });
    return result;
  }

  append(result: HeldResult, fields: readonly (string | null)[]): void {
    if (result.rowCount % ROWS_PER_LOOK === 0) this.settle(result);
    result.append(fields, !result.isTruncated);
  }

  /** Brings the account of a result up to date; makes room or truncates. */
  settle(result: HeldResult): void {
    const entry = this.entries.get(result.id);
    if (entry === undefined) {
      // Closed while it was filled: nobody can see it any more.
      result.isTruncated = true;
      return;
    }
    const bytes = result.byteLength;
    this.bytesInAll += bytes - entry.bytes;
    entry.bytes = bytes;
    while (this.isOver(entry.user)) {
      const victim = [...this.entries.values()].find((other) => other.user === entry.user && other !== entry);
      if (victim === undefined) {
        result.isTruncated = true;
        return;
      }
      this.drop(victim.result.id);
    }
  }

  private isOver(user: string): boolean {
    if (this.bytesInAll > this.limits.bytesInAll) return true;
    let own = 0;
    for (const entry of this.entries.values()) if (entry.user === user) own += entry.bytes;
    return own > this.limits.bytesPerUser;
  }

  /** A result of this session; undefined when it is gone. */
  find(session: object, id: string): HeldResult | undefined {
    const entry = this.entries.get(id);
    return entry?.session === session ? entry.result : undefined;
  }

  drop(id: string): void {
    const entry = this.entries.get(id);
    if (entry === undefined) return;
    this.bytesInAll -= entry.bytes;
    this.entries.delete(id);
  }

  dropSession(session: object): void {
    for (const [id, entry] of this.entries) if (entry.session === session) this.drop(id);
  }

  get heldBytes(): number {
    return this.bytesInAll;
  }
}
