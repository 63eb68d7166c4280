/** Scan of a stored table; simple conditions are applied by the table itself. */

import type { RowId } from '../../../base/brands.ts';
import type { IndexScanNode, PushedPredicate, SeqScanNode } from '../../../planner/physical.ts';
import type { RowCursor, ScanOptions, ScanPredicate } from '../../../table/contract.ts';
import { rowOfTid } from '../../../table/index.ts';
import type { Datum, SqlArray, Tid } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

interface CompiledPredicate {
  column: number;
  operator: PushedPredicate['operator'];
  value: Evaluate | null;
}

export class SeqScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: SeqScanNode;
  private readonly predicates: CompiledPredicate[];
  private readonly filter: Test | null;
  private readonly columns: number[];
  private readonly slots: number[];
  private readonly rowIdSlot: number;
  private readonly tick: () => void;
  private readonly tid: Evaluate | null;
  private cursor: RowCursor | null = null;
  private isDone = false;
  /** A row is in the frame and its filter not yet decided. */
  private pending = false;
  /** Rows the filter refused, for EXPLAIN ANALYZE. */
  removed = 0;

  constructor(state: ExecutionState, node: SeqScanNode) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.state = state;
    this.node = node;
    this.predicates = node.pushed.map((predicate) => ({
      column: predicate.column,
      operator: predicate.operator,
      value: predicate.value === null ? null : compiler.compile(predicate.value),
    }));
    this.filter = compiler.testOrNull(node.filter);
    this.columns = node.columns.map((column) => column.column);
    this.slots = node.columns.map((column) => column.slot);
    this.rowIdSlot = node.rowIdSlot;
    this.tick = () => state.tick();
    this.tid = node.tid === undefined ? null : compiler.compile(node.tid);
  }

  open(): void {
    this.rescan();
    this.removed = 0;
  }

  rescan(): void {
    this.cursor?.close();
    this.cursor = null;
    this.isDone = false;
    this.pending = false;
  }

  close(): void {
    this.rescan();
    this.isDone = true;
  }

  next(): boolean {
    const { state, filter, rowIdSlot } = this;
    const { frame } = state;
    if (this.isDone) return false;
    const cursor = this.cursor ?? this.start();
    if (cursor === null) {
      this.isDone = true;
      return false;
    }
    for (;;) {
      if (!this.pending) {
        state.tick();
        if (!cursor.next(frame)) {
          cursor.close();
          this.cursor = null;
          this.isDone = true;
          return false;
        }
        if (rowIdSlot >= 0) frame[rowIdSlot] = cursor.rowId;
        if (filter === null) return true;
        this.pending = true;
      }
      const passes = filter!(frame);
      this.pending = false;
      if (passes) return true;
      this.removed++;
    }
  }

  /** Null when a predicate compares with NULL: no row can pass. */
  private start(): RowCursor | null {
    const { state } = this;
    const table = state.table(this.node.relationOid);
    if (this.tid !== null) {
      const tid = this.tid(state.frame) as Tid | null;
      if (tid === null) return null;
      this.cursor = new SingleRowCursor(rowOfTid(tid), (rowId, frame) =>
        table.fetch(rowId, state.environment.snapshot, this.columns, this.slots, frame),
      );
      return this.cursor;
    }
    const predicates: ScanPredicate[] = [];
    for (const predicate of this.predicates) {
      const { column, operator } = predicate;
      if (operator === 'is null' || operator === 'is not null') {
        predicates.push({ column, operator });
        continue;
      }
      const value = predicate.value!(state.frame);
      if (value === null) return null;
      const like = table.schema.columns[column]!.typeOid;
      if (operator === 'in') {
        const values = (value as SqlArray).elements
          .filter((element) => element !== null)
          .map((element) => fitInteger(element, like));
        if (values.length === 0) return null;
        predicates.push({ column, operator, values });
      } else predicates.push({ column, operator, value: fitInteger(value, like) });
    }
    const options: ScanOptions = {
      snapshot: state.environment.snapshot,
      columns: this.columns,
      slots: this.slots,
      predicates,
      tick: this.tick,
    };
    this.cursor = table.scan(options);
    return this.cursor;
  }
}

/** The one row of a row id, if it is visible. */
class SingleRowCursor implements RowCursor {
  readonly rowId: RowId;
  private readonly fetch: (rowId: RowId, frame: Datum[]) => boolean;
  private isDone = false;

  constructor(rowId: RowId, fetch: (rowId: RowId, frame: Datum[]) => boolean) {
    this.rowId = rowId;
    this.fetch = fetch;
  }

  next(frame: Datum[]): boolean {
    if (this.isDone) return false;
    this.isDone = true;
    return this.fetch(this.rowId, frame);
  }

  close(): void {
    this.isDone = true;
  }
}

/** Brings an integer to the JavaScript type in which a column of `typeOid` holds it. */
export function fitInteger(value: Datum, typeOid: number): Datum {
  if (typeof value === 'bigint') {
    if (typeOid === 23 || typeOid === 21 || typeOid === 26) return Number(value);
  } else if (typeof value === 'number' && (typeOid === 20 || typeOid === 1114 || typeOid === 1184)) {
    return BigInt(value);
  }
  return value;
}

export type ScanNode = SeqScanNode | IndexScanNode;
