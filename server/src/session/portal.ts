/** Prepared statements and portals: what Parse and Bind leave in a session. */
import type { Execution } from '../executor/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Datum } from '../types/datum.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { ResultColumn } from './contract.ts';

export interface PreparedStatement {
  readonly name: string;
  compiled: CompiledStatement;
  /** Declared by the client: what a re-analysis after DDL starts from. */
  readonly declaredTypes: readonly number[];
  readonly fromSql: boolean;
  readonly preparedAt: bigint;
  /** Executions with parameters seen, for the choice between custom and generic plans. */
  customPlanCount: number;
}

export interface Portal {
  readonly name: string;
  /** Made again when a table changed while the portal waited for its lock. */
  compiled: CompiledStatement;
  plan: PhysicalPlan | null;
  readonly parameters: readonly Datum[];
  readonly resultFormats: readonly number[];
  /** 'ready' nothing ran yet; 'open' rows may follow; 'done' at the end; 'failed' by an error of its own. */
  state: 'ready' | 'open' | 'done' | 'failed';
  /** Savepoints around it; rolling back to one of them ends it. */
  depth: number;
  execution: Execution | null;
  /** Rows produced ahead: DML with RETURNING and utility results read in parts. */
  buffer: RowBuffer | null;
}

/** Rows kept for a portal that is read in parts although its statement must run to its end at once. */
export class RowBuffer {
  readonly columns: readonly ResultColumn[];
  private readonly rows: (readonly Datum[])[] = [];
  private position = 0;
  tag = '';

  constructor(columns: readonly ResultColumn[]) {
    this.columns = columns.map((column, index) => ({ ...column, slot: index }));
    this.sources = columns.map((column) => column.slot);
  }

  private readonly sources: readonly number[];

  add(frame: readonly Datum[]): void {
    this.rows.push(this.sources.map((slot) => frame[slot]));
  }

  /** The next row, null at the end. */
  next(): readonly Datum[] | null {
    return this.position < this.rows.length ? this.rows[this.position++] : null;
  }

  get isAtEnd(): boolean {
    return this.position >= this.rows.length;
  }
}
