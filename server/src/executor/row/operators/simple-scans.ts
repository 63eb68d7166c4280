/** Leaves without a stored table: computed relations, VALUES, one-row results. */

import { internalError } from '../../../base/error.ts';
import type { ResultNode, ValuesScanNode, VirtualScanNode } from '../../../planner/physical.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

/** Rows of a relation computed at scan time (pg_locks, pg_settings …). */
export class VirtualScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: VirtualScanNode;
  private readonly filter: Test | null;
  private readonly key: Evaluate | null;
  private rows: Iterator<readonly Datum[]> | null = null;
  private pending = false;
  private isDone = false;

  constructor(state: ExecutionState, node: VirtualScanNode) {
    this.state = state;
    this.node = node;
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.filter = compiler.testOrNull(node.filter);
    this.key = node.key === undefined ? null : compiler.compile(node.key.value);
  }

  open(): void {
    this.rescan();
  }

  rescan(): void {
    this.rows = null;
    this.pending = false;
    this.isDone = false;
  }

  close(): void {
    this.rescan();
    this.isDone = true;
  }

  next(): boolean {
    const { state, node, filter } = this;
    const { frame } = state;
    if (this.isDone) return false;
    if (this.rows === null) this.rows = this.start();
    for (;;) {
      if (!this.pending) {
        state.tick();
        const item = this.rows.next();
        if (item.done === true) {
          this.isDone = true;
          return false;
        }
        const row = item.value;
        for (const column of node.columns) {
          frame[column.slot] = column.column >= 0 ? (row[column.column] ?? null) : node.relationOid;
        }
        this.pending = true;
      }
      const passes = filter === null || filter(frame);
      this.pending = false;
      if (passes) return true;
    }
  }

  private wantedKey(): { column: number; values: readonly Datum[] } | null {
    const { key } = this.node;
    if (key === undefined || this.key === null) return null;
    const value = this.key(this.state.frame);
    if (!key.isList) return { column: key.column, values: [value] };
    return { column: key.column, values: value instanceof SqlArray ? value.elements : [] };
  }

  private start(): Iterator<readonly Datum[]> {
    const { catalog, sessionId } = this.state.environment;
    const relation = catalog.relation(this.node.relationOid);
    if (relation === null || relation.virtualRows === null) {
      throw internalError(`relation ${this.node.relationOid} computes no rows`);
    }
    return relation.virtualRows({ catalog, sessionId, key: this.wantedKey() })[Symbol.iterator]();
  }
}

/** One row, unless its condition is false. */
export class Result implements Operator {
  private readonly state: ExecutionState;
  private readonly condition: Test | null;
  private isDone = false;

  constructor(state: ExecutionState, node: ResultNode) {
    this.state = state;
    this.condition = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.condition);
  }

  open(): void {
    this.isDone = false;
  }

  rescan(): void {
    this.isDone = false;
  }

  close(): void {
    this.isDone = true;
  }

  next(): boolean {
    if (this.isDone) return false;
    const passes = this.condition === null || this.condition(this.state.frame);
    this.isDone = true;
    return passes;
  }
}

export class ValuesScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: ValuesScanNode;
  private readonly compiler: ExpressionCompiler;
  /** Compiled when first reached: a long list is seldom read twice. */
  private readonly rows: (Evaluate[] | null)[];
  private readonly filter: Test | null;
  private row = 0;
  /** Columns of the current row already evaluated. */
  private column = 0;
  private pending = false;

  constructor(state: ExecutionState, node: ValuesScanNode) {
    this.state = state;
    this.node = node;
    this.compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.rows = node.rows.map(() => null);
    this.filter = this.compiler.testOrNull(node.filter);
  }

  open(): void {
    this.rescan();
  }

  rescan(): void {
    this.row = 0;
    this.column = 0;
    this.pending = false;
  }

  close(): void {
    this.row = this.rows.length;
  }

  next(): boolean {
    const { state, node, filter } = this;
    const { frame } = state;
    for (;;) {
      if (!this.pending) {
        if (this.row >= this.rows.length) return false;
        state.tick();
        let exprs = this.rows[this.row]!;
        if (exprs === null) {
          exprs = this.compiler.compileAll(node.rows[this.row]!);
          this.rows[this.row] = exprs;
        }
        for (; this.column < exprs.length; this.column++) {
          frame[node.slots[this.column]!] = exprs[this.column]!(frame);
        }
        this.column = 0;
        this.row++;
        if (filter === null) return true;
        this.pending = true;
      }
      const passes = filter!(frame);
      this.pending = false;
      if (passes) return true;
    }
  }
}
