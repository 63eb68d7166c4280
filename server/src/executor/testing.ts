/** Small stand-ins for the rooms around the executor, and a builder of plans, for unit tests. */
import type { CommitSequence, RowId, Xid } from '../base/brands.ts';
import { internalError } from '../base/error.ts';
import type { CatalogReader, RelationDescriptor } from '../catalog/contract.ts';
import type { PhysicalPlan, PlanExpr, PlanNode, ScanColumn, SlotExpr } from '../planner/physical.ts';
import type { BoundAggregate, DatumFunction, FunctionContext } from '../sql/functions/contract.ts';
import type { Expr, OperatorExpr } from '../sql/tree.ts';
import type {
  GroupStatistics,
  IndexSchema,
  RowCursor,
  ScanPredicate,
  Table,
  TableSchema,
  TableStore,
  UniqueConflict,
} from '../table/contract.ts';
import type { LockManager, Snapshot, Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { DEFAULT_FORMAT, typeSupport } from '../types/index.ts';
import type { ExecutionContext, ExecutorServices } from './contract.ts';
import { RowExecutor } from './driver.ts';
import type { FunctionLibrary } from './functions.ts';
import { MemorySpillStore } from './spill/stores.ts';

const SCALARS: Record<string, DatumFunction> = {
  int4eq: (a, b) => a === b,
  int4lt: (a, b) => (a as number) < (b as number),
  int4gt: (a, b) => (a as number) > (b as number),
  int4pl: (a, b) => (a as number) + (b as number),
  int4div: (a, b) => Math.trunc((a as number) / (b as number)),
  texteq: (a, b) => a === b,
  textlike: () => null,
};
/** prosrc by function OID; operators have the OID of their function + 1000. */
const NAMES: [number, string][] = [
  [65, 'int4eq'],
  [66, 'int4lt'],
  [147, 'int4gt'],
  [177, 'int4pl'],
  [154, 'int4div'],
  [67, 'texteq'],
  [850, 'textlike'],
  [1574, 'nextval'],
  [1067, 'generate_series_int4'],
  [3100, 'window_row_number'],
  [3101, 'window_rank'],
];
const OPERATOR_NAMES: Record<string, string> = { int4eq: '=', texteq: '=', int4lt: '<', int4gt: '>' };

const AGGREGATES: Record<number, BoundAggregate> = {
  2108: {
    strict: true,
    createState: () => ({ sum: null as number | null }),
    step: (state, value) => {
      const sum = state as { sum: number | null };
      sum.sum = (sum.sum ?? 0) + (value as number);
    },
    final: (state) => (state as { sum: number | null }).sum,
    inverse: (state, value) => {
      (state as { sum: number }).sum -= value as number;
      return true;
    },
  },
  2803: {
    strict: false,
    createState: () => ({ count: 0 }),
    step: (state) => {
      (state as { count: number }).count++;
    },
    final: (state) => (state as { count: number }).count,
  },
  2335: {
    strict: false,
    createState: () => ({ values: [] as Datum[] }),
    step: (state, value) => {
      (state as { values: Datum[] }).values.push(value ?? null);
    },
    final: (state) => (state as { values: Datum[] }).values.join(','),
  },
};

/** Calls of nextval so far, to see effects that happened twice. */
export const sequence = { value: 0 };

const library: FunctionLibrary = {
  scalarFunction: (source) =>
    source === 'nextval' ? { pure: () => ++sequence.value } : { pure: SCALARS[source] ?? (() => null) },
  setFunction: () => ({
    columns: false,
    make: () =>
      function* (from: Datum, to: Datum) {
        for (let value = from as number; value <= (to as number); value++) yield value;
      },
  }),
  aggregateFunction: (oid) => ({ kind: 'n', make: () => AGGREGATES[oid]! }),
  windowFunction: (source) => ({
    usesFrame: false,
    make: () => {
      let rank = 0;
      return {
        start: () => {
          rank = 0;
        },
        value: (partition, row) => {
          if (source === 'window_row_number') return row + 1;
          if (row === 0 || !partition.arePeers(row - 1, row)) rank = row + 1;
          return rank;
        },
      };
    },
  }),
};

function fakeCatalog(relations: ReadonlyMap<number, RelationDescriptor>): CatalogReader {
  const fake = {
    version: 1,
    relation: (oid: number) => relations.get(oid) ?? null,
    function: (oid: number) => {
      const source = NAMES.find(([known]) => known === oid)?.[1];
      if (source === undefined) return null;
      return {
        oid,
        name: source,
        strict: true,
        volatility: source === 'nextval' ? 'v' : 'i',
        language: 'internal',
        source,
      };
    },
    operator: (oid: number) => {
      const source = NAMES.find(([known]) => known === oid - 1000)?.[1] ?? '';
      return { oid, name: OPERATOR_NAMES[source] ?? '', functionOid: oid - 1000 };
    },
    hasRelationPrivilege: () => true,
  };
  return fake as unknown as CatalogReader;
}

/** A table in an array; versions are not kept, waits are scripted by `undecided`. */
export class FakeTable implements Table {
  readonly schema: TableSchema;
  readonly indexes: IndexSchema[] = [];
  readonly rows: (Datum[] | null)[] = [];
  /** Row numbers whose lock is held by another transaction until the promise settles. */
  readonly undecided = new Map<number, Promise<void>>();

  constructor(schema: TableSchema) {
    this.schema = schema;
  }

  private cursor(
    matches: (row: Datum[]) => boolean,
    columns: readonly number[],
    slots: readonly number[],
  ): RowCursor {
    const { rows } = this;
    const count = rows.length;
    const snapshotRows = rows.slice();
    let position = -1;
    return {
      next: (frame) => {
        while (++position < count) {
          const row = snapshotRows[position]!;
          if (row === null || !matches(row)) continue;
          for (let index = 0; index < columns.length; index++) frame[slots[index]!] = row[columns[index]!]!;
          return true;
        }
        return false;
      },
      get rowId() {
        return position as RowId;
      },
      close: () => {},
    };
  }

  scan(options: Parameters<Table['scan']>[0]): RowCursor {
    return this.cursor(
      (row) => options.predicates.every((item) => accepts(item, row)),
      options.columns,
      options.slots,
    );
  }

  indexScan(options: Parameters<Table['indexScan']>[0]): RowCursor {
    const index = this.indexes.find((item) => item.indexOid === options.indexOid)!;
    return this.cursor(
      (row) => options.equal.every((value, position) => row[index.keys[position]!.column] === value),
      options.columns,
      options.slots,
    );
  }

  fetch(
    rowId: RowId,
    _s: Snapshot,
    columns: readonly number[],
    slots: readonly number[],
    frame: Datum[],
  ): boolean {
    const row = this.rows[rowId];
    if (row === null || row === undefined) return false;
    columns.forEach((column, index) => {
      frame[slots[index]!] = row[column]!;
    });
    return true;
  }

  keyHolders(): { live: number; xid: Xid } {
    return { live: 0, xid: 0 as Xid };
  }

  findConflict(_t: Transaction, row: readonly Datum[], indexOid: number | null): UniqueConflict | null {
    for (const index of this.indexes) {
      if (!index.unique || (indexOid !== null && index.indexOid !== indexOid)) continue;
      const found = this.rows.findIndex(
        (other) =>
          other !== null &&
          index.keys.every((key) => row[key.column] !== null && other[key.column] === row[key.column]),
      );
      if (found >= 0) return { indexOid: index.indexOid, rowId: found as RowId, xid: 0 as Xid };
    }
    return null;
  }

  insert(transaction: Transaction, row: readonly Datum[]) {
    const conflict = this.findConflict(transaction, row, null);
    if (conflict !== null) return { conflict };
    this.rows.push([...row]);
    return { rowId: (this.rows.length - 1) as RowId };
  }

  update(_t: Transaction, _s: Snapshot, rowId: RowId, row: readonly Datum[]) {
    if (this.undecided.has(rowId)) return { kind: 'wait' as const, xid: 99 as Xid };
    if (this.rows[rowId] === null) return { kind: 'deleted' as const };
    this.rows[rowId] = [...row];
    return { kind: 'ok' as const, rowId };
  }

  delete(_t: Transaction, _s: Snapshot, rowId: RowId) {
    if (this.rows[rowId] === null) return { kind: 'deleted' as const };
    this.rows[rowId] = null;
    return { kind: 'ok' as const, rowId };
  }

  lock(_t: Transaction, _s: Snapshot, rowId: RowId) {
    return { kind: 'ok' as const, rowId };
  }

  scanBatches(): never {
    throw internalError('not in the fake');
  }
  insertBatch(): Promise<void> {
    throw internalError('not in the fake');
  }
  indexBytes(): number {
    return 0;
  }

  estimate() {
    return { rows: this.rows.length, bytes: 0, deltaRows: 0 };
  }
  groupStatistics(): readonly GroupStatistics[] {
    return [];
  }

  statistics(): never {
    throw internalError('not in the fake');
  }
}

function accepts(item: ScanPredicate, row: readonly Datum[]): boolean {
  const value = row[item.column]!;
  if (item.operator === 'is null') return value === null;
  if (item.operator === 'is not null') return value !== null;
  if (value === null) return false;
  if ('values' in item) return item.values.includes(value);
  if (!('value' in item)) return false;
  const other = item.value as number;
  switch (item.operator) {
    case '=':
      return value === other;
    case '<>':
      return value !== other;
    case '<':
      return (value as number) < other;
    case '<=':
      return (value as number) <= other;
    case '>':
      return (value as number) > other;
    case '>=':
      return (value as number) >= other;
  }
}

/** A small database for one test. */
export class TestBed {
  readonly tables = new Map<number, FakeTable>();
  readonly relations = new Map<number, RelationDescriptor>();
  sliceMicros = 1_000_000;
  now = 0;
  /** Set to make operators write to temporary files over so many bytes. */
  spillLimitBytes = 0;
  readonly spill = new MemorySpillStore();
  readonly deferred: (() => void)[] = [];
  readonly transaction: Transaction;

  constructor() {
    const snapshot = (): Snapshot => ({
      sequence: 1 as CommitSequence,
      transaction: this.transaction,
      commandId: 0,
    });
    this.transaction = {
      xid: 5,
      isolation: 'read committed',
      statementSnapshot: snapshot,
      latestSnapshot: snapshot,
      advanceCommand: () => {},
      onRollback: () => {},
    } as unknown as Transaction;
  }

  table(
    oid: number,
    name: string,
    columns: readonly [string, number][],
    rows: readonly Datum[][],
  ): FakeTable {
    const schema: TableSchema = {
      tableOid: oid,
      name,
      persistence: 'permanent',
      columns: columns.map(([column, typeOid]) => ({
        name: column,
        typeOid,
        typmod: -1,
        support: typeSupport(typeOid),
        notNull: false,
        dropped: false,
        missingValue: null,
      })),
    };
    const table = new FakeTable(schema);
    table.rows.push(...rows.map((row) => [...row]));
    this.tables.set(oid, table);
    this.relations.set(oid, {
      oid,
      name,
      namespaceName: 'public',
      kind: 'r',
      rowTypeOid: 0,
      columns: columns.map(([column, typeOid], index) => ({
        number: index + 1,
        name: column,
        typeOid,
        typmod: -1,
        collation: 0,
        notNull: false,
        dropped: false,
        defaultExpression: null,
        identity: '',
        generated: '',
        sequenceOid: 0,
      })),
      constraints: [],
      referencedBy: [],
      indexes: [],
    } as unknown as RelationDescriptor);
    return table;
  }

  services(): ExecutorServices {
    const functionContext = {
      format: DEFAULT_FORMAT,
      typeSupport,
      session: { backendPid: 1 },
    } as unknown as FunctionContext;
    const catalog = fakeCatalog(this.relations);
    const table = (oid: number): FakeTable => this.tables.get(oid)!;
    return {
      tables: { table } as unknown as TableStore,
      locks: {
        lockTable: () => null,
        waitForTransaction: () =>
          [...this.tables.values()].flatMap((item) => [...item.undecided.values()])[0] ?? null,
      } as unknown as LockManager,
      functionContext,
      monotonicMicros: () => this.now++,
      sliceMicros: this.sliceMicros,
      workMemoryBytes: () => (this.spillLimitBytes > 0 ? 0 : 2 ** 28),
      lockTimeoutMicros: () => 0,
      currentRole: () => 10,
      catalog: () => catalog,
      searchPath: () => ({ namespaces: [], creationNamespace: 0 }),
      interrupt: () => null,
      deferConstraint: (check) => {
        this.deferred.push(check);
      },
      isConstraintDeferred: (_oid, initially) => initially,
    };
  }

  /** Runs a plan to its end; waits are awaited. */
  async run(
    root: PlanNode,
    columns: readonly number[],
    more: Partial<PhysicalPlan> = {},
  ): Promise<Datum[][]> {
    const plan = makePlan(root, columns, more);
    const executor = new RowExecutor({
      library,
      parseExpression: (text) => JSON.parse(text) as Expr,
      ...(this.spillLimitBytes > 0 ? { spill: this.spill, spillLimitBytesMin: this.spillLimitBytes } : {}),
    });
    const execution = executor.instantiate(plan, this.services());
    const context: ExecutionContext = {
      transaction: this.transaction,
      snapshot: this.transaction.statementSnapshot(),
      parameters: [],
      instrumentation: null,
    };
    let rows: Datum[][] = [];
    // Twice where nothing is written: an opened-again tree must answer the same.
    const repeats = more.readOnly === false ? 1 : 2;
    for (let repeat = 0; repeat < repeats; repeat++) {
      rows = [];
      execution.start(context);
      for (let steps = 0; ; steps++) {
        if (steps > 1_000_000) throw internalError('the execution makes no progress');
        const result = execution.step(0, {
          row: (frame) => {
            rows.push(columns.map((slot) => frame[slot]!));
          },
          isCongested: () => false,
        });
        if (result === 'done') break;
        if (typeof result === 'object') await result.promise;
      }
      this.rowCount = execution.rowCount;
      execution.close();
    }
    return rows;
  }
  rowCount = 0;
}

export function makePlan(
  root: PlanNode,
  columns: readonly number[],
  more: Partial<PhysicalPlan> = {},
): PhysicalPlan {
  return {
    command: 'select',
    root,
    slotCount: 64,
    columns: columns.map((slot) => ({
      name: `c${slot}`,
      typeOid: 23,
      typmod: -1,
      slot,
      originTable: 0,
      originColumn: 0,
    })),
    subplans: [],
    ctes: [],
    workTableCount: 1,
    parameterTypes: [],
    relations: [],
    parallelSafe: true,
    readOnly: true,
    catalogVersion: 1,
    targets: [],
    ...more,
  };
}

const base = { typmod: -1, collation: 0 };
export const slot = (number: number, typeOid = 23): SlotExpr => ({
  kind: 'slot',
  slot: number,
  typeOid,
  ...base,
});
export const int = (value: number | null): PlanExpr => ({ kind: 'const', value, typeOid: 23, ...base });
export const text = (value: string | null): PlanExpr => ({ kind: 'const', value, typeOid: 25, ...base });
/** Binary operator by function OID. */
export const op = (functionOid: number, left: PlanExpr, right: PlanExpr, typeOid = 16): OperatorExpr => ({
  kind: 'operator',
  operatorOid: functionOid + 1000,
  functionOid,
  args: [left as Expr, right as Expr],
  returnsSet: false,
  typeOid,
  ...base,
});
export const call = (functionOid: number, args: readonly PlanExpr[], returnsSet = false): PlanExpr => ({
  kind: 'function',
  functionOid,
  args: args as Expr[],
  returnsSet,
  form: 'call',
  variadic: false,
  typeOid: 23,
  ...base,
});

let nextId = 1;
/** Fields every node has. */
export const common = (outputs: number[]) => ({
  id: nextId++,
  outputs,
  startupCost: 0,
  totalCost: 0,
  estimatedRows: 10,
  width: 8,
});

export const scanColumn = (column: number, slotNumber: number, typeOid = 23): ScanColumn => ({
  column,
  slot: slotNumber,
  typeOid,
  typmod: -1,
});

export function scan(
  relationOid: number,
  slots: readonly number[],
  filter: PlanExpr | null = null,
  rowIdSlot = -1,
): PlanNode {
  return {
    kind: 'seqScan',
    ...common(rowIdSlot < 0 ? [...slots] : [...slots, rowIdSlot]),
    relationOid,
    alias: 't',
    columns: slots.map((number, column) => scanColumn(column, number)),
    pushed: [],
    filter,
    rowIdSlot,
  };
}
