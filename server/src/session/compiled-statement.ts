/**
 * Statements after parsing, analysis and planning, and the cache in which sessions share them.
 *
 * A compiled statement is valid for one catalog version and one environment (role, search path, planner settings). The cache
 * is bounded by entries; a transaction that changed catalogs itself neither reads nor fills it.
 */
import type { Oid } from '../base/brands.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { AnalysedStatement } from '../sql/tree.ts';
import type { ParsedStatement } from './engine.ts';
import type { StatementRecord } from './monitor-port.ts';

export interface CompiledStatement {
  readonly text: string;
  /** Null for an empty text. */
  readonly statement: ParsedStatement | null;
  readonly analysed: AnalysedStatement | null;
  /** Plan for any parameter values; null for utility commands. */
  plan: PhysicalPlan | null;
  readonly parameterTypes: readonly Oid[];
  readonly catalogVersion: number;
  readonly environmentKey: string;
  /** Its account in the statement statistics, once it ran. */
  record?: StatementRecord;
}

/** Longer texts are compiled each time: looking them up costs too, and few are sent twice. */
export const CACHED_TEXT_MAX = 65_536;

/** Least-recently-used map on top of Map's insertion order. */
export class PlanCache {
  private readonly entries = new Map<string, CompiledStatement>();
  private readonly capacity: number;
  hits = 0;
  misses = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** The entry if it is still valid; a stale one is dropped. */
  get(key: string, catalogVersion: number, environmentKey: string): CompiledStatement | null {
    const entry = this.entries.get(key);
    if (entry === undefined) {
      this.misses++;
      return null;
    }
    if (entry.catalogVersion !== catalogVersion || entry.environmentKey !== environmentKey) {
      this.entries.delete(key);
      this.misses++;
      return null;
    }
    this.hits++;
    return entry;
  }

  set(key: string, statement: CompiledStatement): void {
    this.entries.delete(key);
    this.entries.set(key, statement);
    if (this.entries.size > this.capacity) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
  }

  clear(): void {
    this.entries.clear();
  }

  get size(): number {
    return this.entries.size;
  }
}
