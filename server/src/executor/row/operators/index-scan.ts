/** Scan through an index: equal keys, then a range, or one probe per element of a list. */
import type { IndexScanNode } from '../../../planner/physical.ts';
import type { IndexScanOptions, RowCursor, Table } from '../../../table/contract.ts';
import type { Datum, SqlArray } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';
import { fitInteger } from './seq-scan.ts';

export class IndexScan implements Operator {
  private readonly state: ExecutionState;
  private readonly node: IndexScanNode;
  private readonly equal: Evaluate[];
  private readonly lower: Evaluate | null;
  private readonly upper: Evaluate | null;
  private readonly anyOf: Evaluate | null;
  private readonly filter: Test | null;
  private readonly options: IndexScanOptions;
  private readonly equalValues: Datum[];
  private readonly keyTypes: number[] = [];
  private keyTypesOf: Table | null = null;
  private cursor: RowCursor | null = null;
  private started = false;
  private isDone = false;
  private pending = false;
  private elements: readonly Datum[] = [];
  private element = 0;
  removed = 0;

  constructor(state: ExecutionState, node: IndexScanNode) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.state = state;
    this.node = node;
    this.equal = compiler.compileAll(node.equal);
    this.lower = node.lower === null ? null : compiler.compile(node.lower.value);
    this.upper = node.upper === null ? null : compiler.compile(node.upper.value);
    this.anyOf = node.anyOf === null ? null : compiler.compile(node.anyOf);
    this.filter = compiler.testOrNull(node.filter);
    this.equalValues = new Array<Datum>(node.equal.length + (node.anyOf === null ? 0 : 1)).fill(null);
    this.options = {
      snapshot: state.environment.snapshot,
      columns: node.columns.map((column) => column.column),
      slots: node.columns.map((column) => column.slot),
      indexOid: node.indexOid,
      equal: this.equalValues,
      lower: null,
      upper: null,
      backward: node.backward,
      tick: () => state.tick(),
    };
  }

  open(): void {
    this.rescan();
    this.removed = 0;
  }

  rescan(): void {
    this.cursor?.close();
    this.cursor = null;
    this.started = false;
    this.isDone = false;
    this.pending = false;
  }

  close(): void {
    this.rescan();
    this.isDone = true;
  }

  next(): boolean {
    const { state, filter, node } = this;
    const { frame } = state;
    for (;;) {
      if (this.isDone) return false;
      if (!this.started && !this.start()) {
        this.isDone = true;
        return false;
      }
      if (this.cursor === null && !this.probe()) {
        this.isDone = true;
        return false;
      }
      const cursor = this.cursor!;
      for (;;) {
        if (!this.pending) {
          state.tick();
          if (!cursor.next(frame)) {
            cursor.close();
            this.cursor = null;
            break;
          }
          if (node.rowIdSlot >= 0) frame[node.rowIdSlot] = cursor.rowId;
          if (filter === null) return true;
          this.pending = true;
        }
        const passes = filter!(frame);
        this.pending = false;
        if (passes) return true;
        this.removed++;
      }
    }
  }

  /** Evaluates the keys; false when one is NULL, which matches nothing. */
  private start(): boolean {
    const { state, node, equalValues, options } = this;
    const { frame } = state;
    const table = state.table(node.relationOid);
    if (this.keyTypesOf !== table) this.learnKeyTypes(table);
    const { keyTypes } = this;
    for (let index = 0; index < this.equal.length; index++) {
      const value = this.equal[index]!(frame);
      if (value === null) return false;
      equalValues[index] = fitInteger(value, keyTypes[index]!);
    }
    const rangeType = keyTypes[this.equal.length] ?? 0;
    if (this.lower !== null) {
      const value = this.lower(frame);
      if (value === null) return false;
      options.lower = { value: fitInteger(value, rangeType), inclusive: node.lower!.inclusive };
    }
    if (this.upper !== null) {
      const value = this.upper(frame);
      if (value === null) return false;
      options.upper = { value: fitInteger(value, rangeType), inclusive: node.upper!.inclusive };
    }
    if (this.anyOf !== null) {
      const array = this.anyOf(frame) as SqlArray | null;
      if (array === null) return false;
      this.elements = this.distinctElements(array, rangeType);
      this.element = 0;
    } else {
      this.elements = [];
      this.element = -1;
    }
    options.snapshot = state.environment.snapshot;
    this.started = true;
    return true;
  }

  private learnKeyTypes(table: Table): void {
    const index = table.indexes.find((candidate) => candidate.indexOid === this.node.indexOid);
    this.keyTypes.length = 0;
    for (const key of index?.keys ?? []) this.keyTypes.push(key.support.oid);
    this.keyTypesOf = table;
  }

  /** Opens the next cursor; false at the end. Elements are probed in index order, so the output keeps it. */
  private probe(): boolean {
    const { options, node } = this;
    if (this.anyOf === null) {
      if (this.element === 0) return false;
      this.element = 0;
    } else {
      if (this.element >= this.elements.length) return false;
      this.equalValues[node.equal.length] = this.elements[this.element++]!;
    }
    this.cursor = this.state.table(node.relationOid).indexScan(options);
    return true;
  }

  private distinctElements(array: SqlArray, typeOid: number): Datum[] {
    const support = this.state.environment.resolver.typeSupport(typeOid);
    const index = this.state
      .table(this.node.relationOid)
      .indexes.find((candidate) => candidate.indexOid === this.node.indexOid);
    const key = index?.keys[this.node.equal.length];
    const sign = (key?.descending ?? false) !== this.node.backward ? -1 : 1;
    const values = array.elements
      .filter((value) => value !== null)
      .map((value) => fitInteger(value, typeOid))
      .sort((a, b) => sign * support.compare!(a, b));
    return values.filter(
      (value, position) => position === 0 || support.compare!(values[position - 1]!, value) !== 0,
    );
  }
}
