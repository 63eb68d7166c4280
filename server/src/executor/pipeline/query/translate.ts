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
  PlanExpr,
  PlanNode,
  PlanSortKey,
  SeqScanNode,
} from '../../../planner/physical.ts';
import { aggregateKind } from '../functions.ts';
import { NotCompilable } from '../interval.ts';
import { LIMITS } from '../layout.ts';
import { type AccumulatorSpec, BOOL, INT, type Node, type PipelineType, shownScale } from '../spec.ts';
import { addAccumulator, scanBelow } from '../translate.ts';
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
}

/** Estimated rows of a whole order up to which it is sorted here; more are left to the row executor, which can spill them. */
const SORTED_ROWS_MAX = 300_000;

/** Estimated groups up to which an aggregate over one scan is left to the plain pipelines. */
export const PLAIN_GROUPS_MAX = 2000;

interface OpenStore {
  spec: StoreSpec;
  readonly notNull: boolean[];
}

/** Whether a plan has the shape that queries take. Cheap: looks at kinds only. */
export function isQueryShape(node: PlanNode): boolean {
  let joins = 0;
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
        // Few groups of one table have pipelines of their own.
        if (node.kind !== 'sort' || scanBelow(inner) === null || inner.estimatedRows > PLAIN_GROUPS_MAX)
          joins++;
        return (
          inner.sets === null &&
          inner.grouping.length === 0 &&
          inner.strategy !== 'mixed' &&
          fits(inner.child)
        );
      default:
        return false;
    }
  };
  const isTop =
    node.kind === 'aggregate' ||
    node.kind === 'hashJoin' ||
    (node.kind === 'sort' && (node.bound !== null || node.estimatedRows <= SORTED_ROWS_MAX));
  return isTop && fits(node) && joins > 0;
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
    const { store, columns } = this.finish(branches, outputs, slotTypes(root, this.plan));
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
        return [this.aggregate(node, this.stream(node.child))];
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

  private aggregate(node: AggregateNode, branches: readonly Branch[]): Branch {
    if (node.sets !== null || node.grouping.length > 0) throw new NotCompilable('grouping sets');
    const hasDistinct = node.aggregates.some(({ distinct }) => distinct);
    const grouped = hasDistinct ? this.distinctFirst(node, branches) : branches;
    const keyed = grouped.map((branch) => ({
      branch,
      keys: node.groups.map(({ expr }) => {
        const key = branch.node(expr);
        if (key.type.kind === 'float') throw new NotCompilable('grouping by a double');
        if (expr.typeOid === 1042 && bpcharLength(expr) < 0)
          throw new NotCompilable('char of unknown length');
        return key;
      }),
    }));
    const first = keyed[0]!;
    if (keyed.length > 1) {
      // Accumulators are written over one branch; several must bring the same values: through tuples.
      return this.aggregateTuples(node, grouped);
    }
    const keyTypes = first.keys.map(({ type }) => type);
    const accumulators: AccumulatorSpec[] = [];
    const bindings = new Map<number, (store: number) => Binding>();
    const countsOf: number[] = [];
    const shownOf = new Map<number, number>();
    const keyCount = keyTypes.length;
    const fieldOf =
      (index: number, type: PipelineType) =>
      (store: number): Node => ({
        op: 'field',
        table: store,
        field: keyCount + index,
        type,
      });
    const counts = (index: number): number => {
      while (countsOf.length < accumulators.length) countsOf.push(-1);
      return index;
    };
    for (const aggregate of node.aggregates) {
      const kind = aggregateKind(aggregate.aggregateOid);
      if (kind === null || aggregate.orderBy.length > 0 || aggregate.directArgs.length > 0)
        throw new NotCompilable(`aggregate ${aggregate.aggregateOid}`);
      const { branch } = first;
      const filter = aggregate.filter === null ? null : branch.condition(aggregate.filter);
      const { slot } = aggregate;
      if (kind === 'countRows' || aggregate.star) {
        const rows = counts(addAccumulator(accumulators, { op: 'count', arg: null, filter }));
        bindings.set(slot, (store) => ({ kind: 'node', node: fieldOf(rows, INT)(store) }));
        continue;
      }
      const expr = aggregate.args[0];
      if (expr === undefined || aggregate.args.length > 1) throw new NotCompilable('aggregate arguments');
      let arg = branch.node(expr);
      const isNotNull = branch.isNotNull(arg);
      const countArg = isNotNull ? null : arg;
      if (kind === 'count') {
        const count = counts(addAccumulator(accumulators, { op: 'count', arg: countArg, filter }));
        bindings.set(slot, (store) => ({ kind: 'node', node: fieldOf(count, INT)(store) }));
        continue;
      }
      if (arg.type.kind === 'string' || arg.type.kind === 'bool')
        throw new NotCompilable(`aggregate over ${arg.type.kind}`);
      if (expr.typeOid === 700) throw new NotCompilable('aggregate over float4');
      if (kind === 'avgFloat' && arg.type.kind !== 'float')
        arg = { op: 'toFloat', arg, divisor: 1, type: { kind: 'float' } };
      const op = kind === 'min' || kind === 'max' ? kind : 'sum';
      const value = counts(addAccumulator(accumulators, { op, arg, filter }));
      const { type } = arg;
      const shown = this.shown(arg);
      if (typeof shown !== 'number') {
        if (op !== 'sum') throw new NotCompilable('decimals of changing scale');
        const digits: Node = {
          op: 'case',
          branches: [{ when: { op: 'isNull', arg, negate: true, type: BOOL }, result: shown }],
          otherwise: null,
          type: INT,
        };
        shownOf.set(value, counts(addAccumulator(accumulators, { op: 'max', arg: digits, filter })));
        counts(0);
      } else if (shown !== scaleOf(arg)) throw new NotCompilable('decimals of changing scale');
      const isAverage = kind === 'avgNumeric' || kind === 'avgFloat';
      if (isAverage || !isNotNull || filter !== null || keyCount === 0) {
        const count = counts(addAccumulator(accumulators, { op: 'count', arg: countArg, filter }));
        counts(count);
        countsOf[value] = count;
        if (isAverage) {
          const sum = fieldOf(value, type);
          const number = fieldOf(count, INT);
          const isFloat = kind === 'avgFloat';
          bindings.set(slot, (store) => ({
            kind: 'average',
            sum: sum(store),
            count: number(store),
            isFloat,
          }));
          continue;
        }
      }
      bindings.set(slot, (store) => ({ kind: 'node', node: fieldOf(value, type)(store) }));
    }
    counts(0);
    if (accumulators.length > LIMITS.accumulators || keyCount > NULLABLE_FIELDS_MAX)
      throw new NotCompilable('too many aggregates');
    const fields: FieldSpec[] = [
      ...keyTypes.map((type) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      ...accumulators.map(({ op, arg }, index): FieldSpec => {
        const counted = countsOf[index] ?? -1;
        return {
          type: op === 'count' ? INT : arg!.type,
          countedBy: counted < 0 ? -1 : keyCount + counted,
          accumulator: index,
          shownBy: shownOf.has(index) ? keyCount + shownOf.get(index)! : -1,
        };
      }),
    ];
    const store = this.addStore(fields, keyCount, 'groups', accumulators);
    this.stores[store]!.notNull.push(
      ...first.keys.map((key) => first.branch.isNotNull(key)),
      ...fields.slice(keyCount).map(({ countedBy }) => countedBy < 0),
    );
    this.close(first.branch, { kind: 'groups', store, keys: first.keys });
    const result = this.branch({ kind: 'store', store, marks: 'all' }, null);
    node.groups.forEach(({ slot }, field) => {
      result.bindings.set(slot, {
        kind: 'node',
        node: { op: 'field', table: store, field, type: keyTypes[field]! },
      });
    });
    for (const [slot, make] of bindings) result.bindings.set(slot, make(store));
    if (node.having !== null) result.filter(node.having);
    return result;
  }

  /** Several branches become one through a store of tuples. */
  private aggregateTuples(node: AggregateNode, branches: readonly Branch[]): Branch {
    const slots = new Set<number>();
    for (const { expr } of node.groups) for (const slot of branches[0]!.slotsOf(expr)) slots.add(slot);
    for (const aggregate of node.aggregates)
      for (const expr of [...aggregate.args, ...(aggregate.filter === null ? [] : [aggregate.filter])])
        for (const slot of branches[0]!.slotsOf(expr)) slots.add(slot);
    const one = this.joined(branches, [...slots]);
    return this.aggregate(node, [one]);
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

  /** DISTINCT in all aggregates over one argument: groups of the keys and the argument come first. */
  private distinctFirst(node: AggregateNode, branches: readonly Branch[]): Branch[] {
    const text = (expr: PlanExpr): string =>
      JSON.stringify(expr, (name, part: unknown) =>
        name === 'position' ? undefined : typeof part === 'bigint' ? `${part}n` : part,
      );
    const [sample] = node.aggregates;
    const isAlike = node.aggregates.every(
      ({ distinct, args, filter }) =>
        distinct && filter === null && args.length === 1 && text(args[0]!) === text(sample!.args[0]!),
    );
    if (!isAlike || branches.length !== 1) throw new NotCompilable('DISTINCT beside other aggregates');
    const [branch] = branches as [Branch];
    const exprs = [...node.groups.map(({ expr }) => expr), sample!.args[0]!];
    const keys = exprs.map((expr) => branch.node(expr));
    if (keys.some(({ type }) => type.kind === 'float')) throw new NotCompilable('DISTINCT doubles');
    const store = this.addStore(
      keys.map(({ type }) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      keys.length,
      'groups',
      [],
    );
    this.stores[store]!.notNull.push(...keys.map((key) => branch.isNotNull(key)));
    this.close(branch, { kind: 'groups', store, keys });
    const result = this.branch({ kind: 'store', store, marks: 'all' }, null);
    exprs.forEach((expr, field) => {
      if (expr.kind !== 'slot') throw new NotCompilable('DISTINCT of an expression');
      result.bindings.set(expr.slot, {
        kind: 'node',
        node: { op: 'field', table: store, field, type: keys[field]!.type },
      });
    });
    return [result];
  }

  // -------------------------------------------------------------------------------------------------- stores

  private addStore(
    fields: readonly FieldSpec[],
    keys: number,
    kind: StoreSpec['kind'],
    accumulators: readonly AccumulatorSpec[],
  ): number {
    if (kind === 'tuples' && fields.length > NULLABLE_FIELDS_MAX) throw new NotCompilable('wide tuples');
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

/** The average that a slot is, projections looked through. */
function averageOf(branch: Branch, slot: number): Extract<Binding, { kind: 'average' }> | null {
  let binding = branch.bindings.get(slot);
  while (binding?.kind === 'expr' && binding.expr.kind === 'slot')
    binding = branch.bindings.get(binding.expr.slot);
  return binding?.kind === 'average' ? binding : null;
}

function slotsIn(value: unknown, found = new Set<number>()): Set<number> {
  if (value === null || typeof value !== 'object') return found;
  if (Array.isArray(value)) {
    for (const item of value) slotsIn(item, found);
    return found;
  }
  const node = value as { kind?: string; slot?: number };
  if (node.kind === 'const') return found;
  if (node.kind === 'slot') found.add(node.slot!);
  else for (const part of Object.values(node)) slotsIn(part, found);
  return found;
}

/** Keys of the order in which the plan promises its rows; empty = any. */
function promisedOrder(node: PlanNode): readonly PlanSortKey[] {
  if (node.kind === 'sort') return node.keys;
  if (node.kind !== 'aggregate' || node.strategy !== 'sorted' || node.groups.length === 0) return [];
  let child: PlanNode = node.child;
  while (child.kind === 'filter' || child.kind === 'project' || child.kind === 'materialize')
    child = child.child!;
  if (child.kind !== 'sort') throw new NotCompilable('an order without a sort');
  return child.keys.map((key) => {
    const group = node.groups.find(({ expr }) => sameExpr(expr, key.expr));
    if (group === undefined) throw new NotCompilable('an order by something that is not grouped by');
    const { typeOid, typmod, collation } = key.expr;
    return { ...key, expr: { kind: 'slot', slot: group.slot, typeOid, typmod, collation } };
  });
}

function sameExpr(left: PlanExpr, right: PlanExpr): boolean {
  const text = (expr: PlanExpr): string =>
    JSON.stringify(expr, (name, part: unknown) =>
      name === 'position' ? undefined : typeof part === 'bigint' ? `${part}n` : part,
    );
  return text(left) === text(right);
}

/** SQL types of the slots that a plan writes. */
function slotTypes(root: PlanNode, plan: PhysicalPlan): Map<number, number> {
  const types = new Map<number, number>();
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const part = value as { kind?: string; slot?: number; typeOid?: number; expr?: { typeOid: number } };
    if (part.kind === 'const') return;
    if (typeof part.slot === 'number') {
      const type = part.typeOid ?? part.expr?.typeOid;
      if (type !== undefined) types.set(part.slot, type);
    }
    for (const inner of Object.values(part)) visit(inner);
  };
  visit(root);
  for (const column of plan.columns) types.set(column.slot, column.typeOid);
  if (root.kind === 'append') throw new NotCompilable('a union on top');
  return types;
}
