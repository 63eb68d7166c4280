/**
 * From a plan to the pipelines of a query.
 *
 * The plan is walked from the top; each node turns the branches of its child into its own. A branch is a pipeline that is still open. What must be
 * complete before it can be read (the built side of a join, groups) closes its branches into a store; pipelines stand in the list in the
 * order in which they have to run. Right and full joins have two branches: rows that matched, and tuples that no row found.
 *
 * Done anew for every execution, when parameters and outer values are known.
 */
import type {
  AggregateNode,
  AppendNode,
  HashJoinNode,
  PhysicalPlan,
  PlanAggregate,
  PlanExpr,
  PlanNode,
  PlanSortKey,
  SeqScanNode,
} from '../../../planner/physical.ts';
import { aggregateKind } from '../functions.ts';
import { NotCompilable } from '../interval.ts';
import { LIMITS } from '../layout.ts';
import { type AccumulatorSpec, BOOL, INT, type Node, type PipelineType, shownScale } from '../spec.ts';
import { scanBelow } from '../translate.ts';
import { AccumulatorList, type Demand, demandOf, mergedDemand } from './aggregates.ts';
import {
  type Binding,
  Branch,
  bpcharLength,
  QueryParams,
  type QueryServices,
  type StringTest,
  sameType,
  scaleOf,
} from './branch.ts';
import type { FieldSpec, ProbeJoin, QueryPipeline, QuerySource, ResultColumn, StoreSpec } from './ir.ts';
import { NULLABLE_FIELDS_MAX, QUERY_LIMITS } from './layout.ts';
import { averageOf, promisedOrder, sameExpr, slotsIn, slotTypes } from './plan-facts.ts';

/** A scan of the query: its pipelines' columns refer to it. */
export interface QueryScan {
  readonly node: SeqScanNode;
}

export interface OrderKey {
  /** Index into the result's columns. */
  readonly column: number;
  readonly key: PlanSortKey;
}

/** A translated plan. */
export interface TranslatedQuery {
  readonly stores: readonly StoreSpec[];
  readonly pipelines: readonly QueryPipeline[];
  readonly scans: readonly QueryScan[];
  /** By pipeline: what its string tests ask. */
  readonly tests: readonly (readonly StringTest[])[];
  readonly params: QueryParams;
  readonly result: number;
  readonly columns: readonly ResultColumn[];
  /** The order that the plan promises, and how many rows of it are wanted. */
  readonly order: readonly OrderKey[];
  readonly bound: number | null;
  /** Columns that are fetched by row id when a row is out; null = none. */
  readonly late: LateColumns | null;
}

export interface LateColumns {
  readonly scan: number;
  /** Index of the row id into the result's columns. */
  readonly rowId: number;
  readonly columns: readonly number[];
  readonly slots: readonly number[];
}

/** Estimated rows of a whole order up to which it is sorted here; more are left to the row executor, which can spill them. */
const SORTED_ROWS_MAX = 300_000;

/** Rows of a result up to which most columns of a table are fetched row by row. */
const LATE_ROWS_MAX = 1000;
/** So many columns are worth it. */
const LATE_COLUMNS_MIN = 8;
/** No slot of a plan: the row id. */
const ROW_ID_SLOT = -1;

/** Estimated groups up to which an aggregate over one scan is left to the plain pipelines. */
export const PLAIN_GROUPS_MAX = 2000;

interface OpenStore {
  spec: StoreSpec;
  readonly notNull: boolean[];
}

/** Estimated rows of a filtered table up to which all of them are found before the first is sent. */
const SCANNED_ROWS_MAX = 100_000;

/**
 * Whether a plan has the shape that queries take. Cheap: looks at kinds only. Few groups of one table have pipelines of their own, unless those have
 * refused (`isRefused`).
 */
export function isQueryShape(node: PlanNode, isRefused = false): boolean {
  let joins = 0;
  let isPlain = false;
  const fits = (inner: PlanNode): boolean => {
    switch (inner.kind) {
      case 'seqScan':
        return inner.rowIdSlot < 0;
      case 'filter':
      case 'materialize':
        return fits(inner.child);
      case 'project':
        return fits(inner.child);
      case 'sort':
        return inner.presorted === 0 && fits(inner.child);
      case 'append':
        joins++;
        return inner.children.every(fits);
      case 'hashJoin':
        joins++;
        return !inner.nullAware && fits(inner.outer) && fits(inner.inner);
      case 'aggregate':
        if (node.kind !== 'sort' || scanBelow(inner) === null || inner.estimatedRows > PLAIN_GROUPS_MAX)
          joins++;
        else isPlain = true;
        if (inner.sets === null && (inner.grouping.length > 0 || inner.strategy === 'mixed')) return false;
        // An order within each set is nobody's promise here.
        return (inner.sets === null || inner.strategy !== 'sorted') && fits(inner.child);
      default:
        return false;
    }
  };
  const isTop =
    node.kind === 'aggregate' ||
    node.kind === 'hashJoin' ||
    (node.kind === 'sort' && (node.bound !== null || node.estimatedRows <= SORTED_ROWS_MAX)) ||
    (node.kind === 'seqScan' &&
      node.estimatedRows <= SCANNED_ROWS_MAX &&
      (node.filter !== null || node.pushed.length > 0));
  const needsJoins = !isRefused && node.kind !== 'seqScan' && (node.kind !== 'sort' || isPlain);
  return isTop && fits(node) && (joins > 0 || !needsJoins);
}

/** Slots of one scan's columns that nothing but the result reads. */
function lateSlots(branches: readonly Branch[], outputs: readonly number[], sorted: Set<number>): number[] {
  const [branch] = branches;
  if (branches.length !== 1 || branch!.source.kind !== 'scan') return [];
  if (branch!.steps.some(({ kind }) => kind !== 'filter')) return [];
  const late = outputs.filter((slot) => !sorted.has(slot) && branch!.columnOfSlot(slot) >= 0);
  return late.length >= LATE_COLUMNS_MIN ? late : [];
}

/** Errors: NotCompilable; DbError of evaluating constants. */
export function translateQuery(root: PlanNode, plan: PhysicalPlan, services: QueryServices): TranslatedQuery {
  return new QueryTranslator(plan, services).translate(root);
}

class QueryTranslator {
  private readonly services: QueryServices;
  private readonly plan: PhysicalPlan;
  private readonly params = new QueryParams();
  private readonly stores: OpenStore[] = [];
  private readonly pipelines: QueryPipeline[] = [];
  private readonly tests: (readonly StringTest[])[] = [];
  private readonly scans: QueryScan[] = [];

  constructor(plan: PhysicalPlan, services: QueryServices) {
    this.plan = plan;
    this.services = services;
  }

  translate(root: PlanNode): TranslatedQuery {
    let top = root;
    let bound: number | null = null;
    if (top.kind === 'sort' && top.bound !== null) {
      const value = this.services.evaluate(top.bound);
      bound = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : null;
    }
    const keys = promisedOrder(root);
    while (top.kind === 'sort') top = top.child;
    const branches = this.stream(top);
    const outputs = [...root.outputs];
    for (const key of keys) {
      if (key.expr.kind !== 'slot') throw new NotCompilable('an order by an expression');
      if (!outputs.includes(key.expr.slot)) outputs.push(key.expr.slot);
    }
    const rows = root.kind === 'sort' ? (bound ?? Number.POSITIVE_INFINITY) : root.estimatedRows;
    const sorted = new Set(keys.map(({ expr }) => (expr as { slot: number }).slot));
    const late = rows <= LATE_ROWS_MAX ? lateSlots(branches, outputs, sorted) : [];
    const types = slotTypes(root, this.plan);
    const taken = new Set(late);
    const wanted = outputs.filter((slot) => !taken.has(slot));
    const [branch] = branches;
    if (late.length > 0) {
      branch!.bindings.set(ROW_ID_SLOT, { kind: 'node', node: branch!.rowId() });
      types.set(ROW_ID_SLOT, 20);
      wanted.push(ROW_ID_SLOT);
    }
    const { store, columns } = this.finish(branches, wanted, types);
    const order = keys.map((key) => ({
      column: columns.findIndex(({ slot }) => slot === (key.expr as { slot: number }).slot),
      key,
    }));
    if (order.some(({ column }) => column < 0)) throw new NotCompilable('an order by something else');
    return {
      stores: this.stores.map(({ spec }) => spec),
      pipelines: this.pipelines,
      scans: this.scans,
      tests: this.tests,
      params: this.params,
      result: store,
      columns,
      order,
      bound,
      late:
        late.length === 0
          ? null
          : {
              scan: branch!.source.kind === 'scan' ? branch!.source.scan : -1,
              rowId: columns.findIndex(({ slot }) => slot === ROW_ID_SLOT),
              columns: late.map((slot) => branch!.columnOfSlot(slot)),
              slots: late,
            },
    };
  }

  // --------------------------------------------------------------------------------------------------- nodes

  private stream(node: PlanNode): Branch[] {
    switch (node.kind) {
      case 'seqScan':
        return [this.scan(node)];
      case 'filter': {
        const branches = this.stream(node.child);
        if (node.oneTime === true) {
          if (this.services.evaluate(node.condition) !== true)
            throw new NotCompilable('a condition that is false');
        } else for (const branch of branches) branch.filter(node.condition);
        return branches;
      }
      case 'project': {
        const branches = this.stream(node.child);
        for (const branch of branches)
          for (const { expr, slot } of node.exprs) branch.bindings.set(slot, { kind: 'expr', expr });
        return branches;
      }
      case 'materialize':
        return this.stream(node.child);
      case 'sort':
        if (node.bound !== null) throw new NotCompilable('a limit inside');
        return this.stream(node.child);
      case 'append':
        return this.append(node);
      case 'hashJoin':
        return this.join(node);
      case 'aggregate':
        return this.aggregate(node, this.stream(node.child));
      default:
        throw new NotCompilable(`a plan with ${node.kind}`);
    }
  }

  private branch(source: QuerySource, node: SeqScanNode | null): Branch {
    const schema = node === null ? null : this.services.schema(node.relationOid);
    return new Branch(
      source,
      schema,
      this.services,
      this.params,
      (store, field) => this.stores[store]!.notNull[field] === true,
    );
  }

  private scan(node: SeqScanNode): Branch {
    if (node.rowIdSlot >= 0) throw new NotCompilable('row ids');
    const scan = this.scans.push({ node }) - 1;
    const branch = this.branch({ kind: 'scan', scan, columns: [], filters: [] }, node);
    for (const { column, slot } of node.columns) branch.bindings.set(slot, { kind: 'column', column });
    for (const { column, operator, value: expr, derived } of node.pushed) {
      if (derived) continue;
      if (operator === 'is null' || operator === 'is not null') {
        const negate = operator === 'is not null';
        branch.addFilter({ op: 'isNull', arg: branch.column(column), negate, type: BOOL });
        continue;
      }
      const value = this.services.evaluate(expr as PlanExpr);
      if (branch.kindOf(column).kind === 'string')
        branch.addFilter(branch.stringPredicate(column, operator, value));
      else if (operator === 'in') branch.addFilter(branch.listOf(branch.column(column), value));
      else branch.addFilter(branch.compareConstant(operator, branch.column(column), value, expr!.typeOid));
    }
    if (node.filter !== null) branch.filter(node.filter);
    return branch;
  }

  private append(node: AppendNode): Branch[] {
    return node.children.flatMap((child, index) => {
      const branches = this.stream(child);
      for (const branch of branches) {
        node.slots.forEach((slot, position) => {
          const binding = branch.bindings.get(node.maps[index]![position]!);
          if (binding === undefined) throw new NotCompilable('a constant column of UNION');
          branch.bindings.set(slot, binding);
        });
      }
      return branches;
    });
  }

  // --------------------------------------------------------------------------------------------------- joins

  private join(node: HashJoinNode): Branch[] {
    if (node.nullAware || node.keys.length === 0) throw new NotCompilable('a join without keys');
    const { type } = node;
    const inner = this.stream(node.inner);
    const above = new Set([...node.outputs, ...slotsIn(node.condition)]);
    const isKept = type !== 'semi' && type !== 'anti';
    const payload = node.inner.outputs.filter(
      (slot) => (isKept && node.outputs.includes(slot)) || (node.condition !== null && above.has(slot)),
    );
    const { store, bindings, keyTypes } = this.build(node, inner, payload);
    const outer = this.stream(node.outer);
    const marks = type === 'right' || type === 'full' || type === 'rightSemi' || type === 'rightAnti';
    const join: ProbeJoin =
      type === 'left' || type === 'full'
        ? 'left'
        : type === 'semi'
          ? 'semi'
          : type === 'anti'
            ? 'anti'
            : 'inner';
    for (const branch of outer) {
      const keys = node.keys.map(({ outer: expr, inner: other }, index) => {
        const key = branch.node(expr);
        const wanted = keyTypes[index]!;
        if (key.type.kind === 'float') throw new NotCompilable('a join on doubles');
        if (expr.typeOid === 1042 && (bpcharLength(expr) < 0 || bpcharLength(expr) !== bpcharLength(other)))
          throw new NotCompilable('char of different lengths');
        if (sameType(key.type, wanted)) return key;
        if (wanted.kind === 'decimal' && (key.type.kind === 'int' || scaleOf(key) < wanted.scale))
          return branch.scaled(key, wanted.scale);
        throw new NotCompilable('join keys of different types');
      });
      const above = new Map(branch.bindings);
      for (const [slot, binding] of bindings) branch.bindings.set(slot, binding);
      const condition = node.condition === null ? null : branch.condition(node.condition);
      if (join !== 'inner' && join !== 'left') {
        branch.bindings.clear();
        for (const [slot, binding] of above) branch.bindings.set(slot, binding);
      }
      branch.steps.push({ kind: 'probe', store, join, keys, condition, marks });
      if (join === 'left') branch.optional.add(store);
    }
    if (!marks) return outer;
    if (type === 'rightSemi' || type === 'rightAnti') {
      for (const branch of outer) this.close(branch, { kind: 'none' });
      const marked = this.branch(
        { kind: 'store', store, marks: type === 'rightSemi' ? 'marked' : 'unmarked' },
        null,
      );
      for (const [slot, binding] of bindings) marked.bindings.set(slot, binding);
      return [marked];
    }
    const unmatched = this.branch({ kind: 'store', store, marks: 'unmarked' }, null);
    for (const [slot, binding] of bindings) unmatched.bindings.set(slot, binding);
    for (const slot of node.outer.outputs) {
      if (!node.outputs.includes(slot)) continue;
      const node_ = outer[0]!.slot(slot);
      unmatched.bindings.set(slot, { kind: 'node', node: unmatched.nullOf(node_.type) });
    }
    return [...outer, unmatched];
  }

  /** Closes the built side into a store with a directory. */
  private build(
    node: HashJoinNode,
    branches: readonly Branch[],
    payload: readonly number[],
  ): { store: number; bindings: Map<number, Binding>; keyTypes: PipelineType[] } {
    const rows = branches.map((branch) => {
      const keys = node.keys.map(({ inner }) => {
        const key = branch.node(inner);
        if (key.type.kind === 'float') throw new NotCompilable('a join on doubles');
        return key;
      });
      return { branch, keys };
    });
    const first = rows[0]!;
    const keySlots = node.keys.map(({ inner }) => (inner.kind === 'slot' ? inner.slot : -1));
    const plan = this.payloadPlan(first.branch, payload, keySlots, first.keys.length);
    const types = [...first.keys, ...plan.nodes.map(({ make }) => make(first.branch))].map(
      ({ type }) => type,
    );
    const store = this.addStore(
      types.map((type) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      first.keys.length,
      'tuples',
      [],
    );
    const notNull = types.map(() => true);
    for (const { branch, keys } of rows) {
      const values = [...keys, ...plan.nodes.map(({ make }) => make(branch))];
      values.forEach((value, index) => {
        if (!sameType(value.type, types[index]!)) throw new NotCompilable('branches of different types');
        if (!branch.isNotNull(value)) notNull[index] = false;
      });
      this.close(branch, { kind: 'tuples', store, values });
    }
    this.stores[store]!.notNull.push(...notNull);
    const bindings = new Map<number, Binding>();
    const fieldOf = (field: number): Node => ({ op: 'field', table: store, field, type: types[field]! });
    for (const [slot, part] of plan.bindings)
      bindings.set(
        slot,
        part.kind === 'field'
          ? { kind: 'node', node: fieldOf(part.field) }
          : { kind: 'average', sum: fieldOf(part.sum), count: fieldOf(part.count), isFloat: part.isFloat },
      );
    return { store, bindings, keyTypes: types.slice(0, first.keys.length) };
  }

  /** Which values have to be stored for slots, beside the keys that are there anyway. */
  private payloadPlan(
    branch: Branch,
    slots: readonly number[],
    keySlots: readonly number[],
    from: number,
  ): {
    nodes: { make(branch: Branch): Node }[];
    bindings: Map<
      number,
      { kind: 'field'; field: number } | { kind: 'average'; sum: number; count: number; isFloat: boolean }
    >;
  } {
    const nodes: { make(branch: Branch): Node }[] = [];
    const bindings: ReturnType<QueryTranslator['payloadPlan']>['bindings'] = new Map();
    for (const slot of slots) {
      const average = averageOf(branch, slot);
      if (average !== null) {
        const sum = from + nodes.push({ make: (one) => averageOf(one, slot)!.sum }) - 1;
        const count = from + nodes.push({ make: (one) => averageOf(one, slot)!.count }) - 1;
        bindings.set(slot, { kind: 'average', sum, count, isFloat: average.isFloat });
        continue;
      }
      const key = keySlots.indexOf(slot);
      bindings.set(
        slot,
        key >= 0
          ? { kind: 'field', field: key }
          : { kind: 'field', field: from + nodes.push({ make: (one) => one.slot(slot) }) - 1 },
      );
    }
    return { nodes, bindings };
  }

  // ---------------------------------------------------------------------------------------------- aggregates

  private aggregate(node: AggregateNode, branches: readonly Branch[]): Branch[] {
    const { sets } = node;
    if (sets === null && node.grouping.length > 0) throw new NotCompilable('GROUPING without sets');
    const one =
      branches.length > 1 ? this.joined(branches, this.inputSlots(node, branches[0]!)) : branches[0]!;
    const keys = node.groups.map(({ expr }) => {
      if (expr.typeOid === 1042 && bpcharLength(expr) < 0) throw new NotCompilable('char of unknown length');
      return one.node(expr);
    });
    // The least of distinct values is the least.
    const isDistinct = ({ distinct, aggregateOid }: PlanAggregate): boolean => {
      const kind = aggregateKind(aggregateOid);
      return distinct && kind !== 'min' && kind !== 'max';
    };
    const plain = node.aggregates.filter((aggregate) => !isDistinct(aggregate));
    const distinct = node.aggregates.filter(isDistinct);
    const [sample] = distinct;
    if (sets !== null) {
      if (sample !== undefined) throw new NotCompilable('DISTINCT in grouping sets');
      return this.groupingSets(node, sets, one, keys);
    }
    const result =
      sample === undefined
        ? this.groups(
            one,
            keys,
            plain.map((aggregate) => demandOf(aggregate, one)),
          )
        : this.distinctGroups(one, keys, plain, distinct, sample);
    node.groups.forEach(({ slot }, field) => {
      const { source } = result.branch;
      const table = source.kind === 'store' ? source.store : -1;
      result.branch.bindings.set(slot, {
        kind: 'node',
        node: { op: 'field', table, field, type: keys[field]!.type },
      });
    });
    for (const [slot, binding] of result.bindings) result.branch.bindings.set(slot, binding);
    if (node.having !== null) result.branch.filter(node.having);
    return [result.branch];
  }

  /** Groups of all keys come first; each set is made of them. */
  private groupingSets(
    node: AggregateNode,
    sets: readonly (readonly number[])[],
    one: Branch,
    keys: readonly Node[],
  ): Branch[] {
    const finest = this.groups(
      one,
      keys,
      node.aggregates.map((aggregate) => demandOf(aggregate, one)),
    );
    const table = finest.branch.source.kind === 'store' ? finest.branch.source.store : -1;
    return sets.map((set) => {
      const source = this.branch({ kind: 'store', store: table, marks: 'all' }, null);
      const fields = set.map((key): Node => ({ op: 'field', table, field: key, type: keys[key]!.type }));
      const merged = node.aggregates.map((aggregate) =>
        mergedDemand(aggregate, finest.bindings.get(aggregate.slot)!),
      );
      const { branch, bindings } = this.groups(source, fields, merged);
      const made = branch.source.kind === 'store' ? branch.source.store : -1;
      node.groups.forEach(({ slot }, key) => {
        const { type } = keys[key]!;
        const field = set.indexOf(key);
        const value: Node = field < 0 ? branch.nullOf(type) : { op: 'field', table: made, field, type };
        branch.bindings.set(slot, { kind: 'node', node: value });
      });
      for (const { slot, groups } of node.grouping) {
        const mask = groups.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0);
        branch.bindings.set(slot, { kind: 'node', node: { op: 'number', value: mask, type: INT } });
      }
      for (const [slot, binding] of bindings) branch.bindings.set(slot, binding);
      if (node.having !== null) branch.filter(node.having);
      return branch;
    });
  }

  private inputSlots(node: AggregateNode, branch: Branch): number[] {
    const slots = new Set<number>();
    for (const { expr } of node.groups) for (const slot of branch.slotsOf(expr)) slots.add(slot);
    for (const aggregate of node.aggregates)
      for (const expr of [...aggregate.args, ...(aggregate.filter === null ? [] : [aggregate.filter])])
        for (const slot of branch.slotsOf(expr)) slots.add(slot);
    return [...slots];
  }

  /** Closes a branch into groups; the branch that reads them, and what the aggregates are there. */
  private groups(
    branch: Branch,
    keys: readonly Node[],
    demands: readonly Demand[],
  ): { branch: Branch; bindings: Map<number, Binding> } {
    if (keys.some(({ type }) => type.kind === 'float')) throw new NotCompilable('grouping by a double');
    const list = new AccumulatorList(branch, keys.length, (node) => this.shown(node));
    for (const demand of demands) list.add(demand);
    const fields = list.fields(keys.map(({ type }) => type));
    const store = this.addStore(fields, keys.length, 'groups', list.accumulators);
    this.stores[store]!.notNull.push(
      ...keys.map((key) => branch.isNotNull(key)),
      ...fields.slice(keys.length).map(({ countedBy }) => countedBy < 0),
    );
    this.close(branch, { kind: 'groups', store, keys });
    return {
      branch: this.branch({ kind: 'store', store, marks: 'all' }, null),
      bindings: list.bindings(store),
    };
  }

  /** Groups of the keys and the distinct argument come first, and with them what the other aggregates have of each. */
  private distinctGroups(
    one: Branch,
    keys: readonly Node[],
    plain: readonly PlanAggregate[],
    distinct: readonly PlanAggregate[],
    sample: PlanAggregate,
  ): { branch: Branch; bindings: Map<number, Binding> } {
    const isAlike = distinct.every(
      ({ args, filter }) => filter === null && args.length === 1 && sameExpr(args[0]!, sample.args[0]!),
    );
    if (!isAlike) throw new NotCompilable('several arguments of DISTINCT');
    const argument = one.node(sample.args[0]!);
    const first = this.groups(
      one,
      [...keys, argument],
      plain.map((aggregate) => demandOf(aggregate, one)),
    );
    const { branch } = first;
    const table = branch.source.kind === 'store' ? branch.source.store : -1;
    const fieldOf = (field: number, type: PipelineType): Node => ({ op: 'field', table, field, type });
    const value = fieldOf(keys.length, argument.type);
    return this.groups(
      branch,
      keys.map(({ type }, field) => fieldOf(field, type)),
      [
        ...plain.map((aggregate) => mergedDemand(aggregate, first.bindings.get(aggregate.slot)!)),
        ...distinct.map((aggregate) => demandOf(aggregate, branch, value)),
      ],
    );
  }

  private joined(branches: readonly Branch[], slots: readonly number[]): Branch {
    const types = slots.map((slot) => branches[0]!.slot(slot).type);
    const store = this.addStore(
      types.map((type) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      0,
      'tuples',
      [],
    );
    const notNull = types.map(() => true);
    for (const branch of branches) {
      const values = slots.map((slot, index) => {
        const value = branch.slot(slot);
        if (!sameType(value.type, types[index]!)) throw new NotCompilable('branches of different types');
        if (!branch.isNotNull(value)) notNull[index] = false;
        return value;
      });
      this.close(branch, { kind: 'tuples', store, values });
    }
    this.stores[store]!.notNull.push(...notNull);
    const result = this.branch({ kind: 'store', store, marks: 'all' }, null);
    slots.forEach((slot, field) => {
      result.bindings.set(slot, {
        kind: 'node',
        node: { op: 'field', table: store, field, type: types[field]! },
      });
    });
    return result;
  }

  // -------------------------------------------------------------------------------------------------- stores

  private addStore(
    fields: readonly FieldSpec[],
    keys: number,
    kind: StoreSpec['kind'],
    accumulators: readonly AccumulatorSpec[],
  ): number {
    if (kind === 'tuples' && fields.length > NULLABLE_FIELDS_MAX) throw new NotCompilable('wide tuples');
    if (keys > NULLABLE_FIELDS_MAX || accumulators.length > LIMITS.accumulators)
      throw new NotCompilable('too many aggregates');
    if (this.stores.length >= QUERY_LIMITS.stores) throw new NotCompilable('too many joins');
    return this.stores.push({ spec: { fields, keys, kind, accumulators }, notNull: [] }) - 1;
  }

  /** Digits after the point that a value shows. */
  private shown(node: Node): number | Node {
    return shownScale(node, (table, field) => {
      const { shownBy } = this.stores[table]!.spec.fields[field]!;
      return shownBy < 0 ? null : { op: 'field', table, field: shownBy, type: INT };
    });
  }

  private close(branch: Branch, sink: QueryPipeline['sink']): void {
    const { source } = branch;
    const stored = sink.kind === 'tuples' ? sink.values : sink.kind === 'groups' ? sink.keys : [];
    if (stored.some((node) => node.type.kind === 'decimal' && this.shown(node) !== scaleOf(node)))
      throw new NotCompilable('decimals of changing scale');
    if (
      branch.columns.length > LIMITS.columns ||
      branch.tests.length > LIMITS.stringTests ||
      this.params.values.length > LIMITS.params
    )
      throw new NotCompilable('too many columns or constants');
    this.pipelines.push({
      source:
        source.kind === 'scan' ? { ...source, columns: branch.columns, filters: branch.filters } : source,
      steps: branch.steps,
      sink,
      stringTests: branch.tests.length,
    });
    this.tests.push(branch.tests);
  }

  /** Store and columns of the result. */
  private finish(
    branches: readonly Branch[],
    outputs: readonly number[],
    types: ReadonlyMap<number, number>,
  ): { store: number; columns: ResultColumn[] } {
    const typeOf = (slot: number): number => {
      const type = types.get(slot);
      if (type === undefined) throw new NotCompilable('a column of unknown type');
      return type;
    };
    const [only] = branches;
    if (
      branches.length === 1 &&
      only!.source.kind === 'store' &&
      only!.source.marks === 'all' &&
      only!.steps.length === 0
    ) {
      const direct = this.directColumns(only!, only!.source.store, outputs, typeOf);
      if (direct !== null) return { store: only!.source.store, columns: direct };
    }
    const plan = this.payloadPlan(only!, outputs, [], 0);
    const types_ = plan.nodes.map(({ make }) => make(only!).type);
    const store = this.addStore(
      types_.map((type) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      0,
      'tuples',
      [],
    );
    for (const branch of branches) {
      const values = plan.nodes.map(({ make }) => make(branch));
      if (values.some((value, index) => !sameType(value.type, types_[index]!)))
        throw new NotCompilable('branches of different types');
      this.close(branch, { kind: 'tuples', store, values });
    }
    const columns = outputs.map((slot): ResultColumn => {
      const part = plan.bindings.get(slot)!;
      const base = { slot, typeOid: typeOf(slot) };
      return part.kind === 'field' ? { ...base, ...part } : { ...base, ...part };
    });
    return { store, columns };
  }

  /** Columns that are fields of the store as they stand. */
  private directColumns(
    branch: Branch,
    store: number,
    outputs: readonly number[],
    typeOf: (slot: number) => number,
  ): ResultColumn[] | null {
    const columns: ResultColumn[] = [];
    for (const slot of outputs) {
      const base = { slot, typeOid: typeOf(slot) };
      const average = averageOf(branch, slot);
      if (average !== null) {
        const { sum, count, isFloat } = average;
        if (sum.op !== 'field' || count.op !== 'field' || sum.table !== store) return null;
        columns.push({ ...base, kind: 'average', sum: sum.field, count: count.field, isFloat });
        continue;
      }
      const node = branch.slot(slot);
      if (node.op !== 'field' || node.table !== store) return null;
      columns.push({ ...base, kind: 'field', field: node.field });
    }
    return columns;
  }
}
