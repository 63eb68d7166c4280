/**
 * Access paths of a stored table: sequential scan with pushed predicates, and index scans for equality, ranges, lists and
 * order. The same matching serves inner sides of nested loops, where the values come from slots of the outer side.
 */
import type { Oid } from '../base/brands.ts';
import type { IndexDescriptor } from '../catalog/contract.ts';
import type { SortKey } from '../sql/tree.ts';
import { type ComparisonOperator, SYSTEM_COLUMN } from '../table/contract.ts';
import { SqlArray } from '../types/datum.ts';
import { indexScanCost, pagesOf, scanCost } from './cost/model.ts';
import { expressionKey } from './expression/key.ts';
import { makeAnd, makeOperator } from './expression/make.ts';
import { isVolatile } from './expression/properties.ts';
import { asTree, type LExpr } from './expression/walk.ts';
import { widen } from './expression/widen.ts';
import { impliesIndexPredicate, indexKeyExpression, indexPredicates } from './index-expressions.ts';
import type { LScan } from './logical/algebra.ts';
import { usedSlots } from './logical/nodes.ts';
import type {
  IndexScanNode,
  PlanExpr,
  PushedPredicate,
  ScanColumn,
  SeqScanNode,
  VirtualScanNode,
} from './physical.ts';
import { type NodePlanner, nodeBase, type Path, satisfiesOrder, type Wanted } from './physical-path.ts';
import { prefixRange } from './rules/like-prefix.ts';
import type { PlannerState } from './state.ts';
import { slotStatistics, tableRows } from './statistics/column.ts';
import { conjunctionSelectivity, selectivity } from './statistics/selectivity.ts';
import { rowWidth } from './statistics/width.ts';

/** A predicate in the form "column operator value"; `value` reads nothing of the scan itself and has the column's type. */
export interface ColumnPredicate {
  column: number;
  operator: ComparisonOperator | '<>' | 'in' | 'is null' | 'is not null';
  value: PlanExpr | null;
  source: LExpr;
  /** Made by a rule beside the original (LIKE prefix): not shown, not needed for correctness. */
  derived: boolean;
}

const STRATEGY: Record<number, ComparisonOperator> = { 1: '<', 2: '<=', 3: '=', 4: '>=', 5: '>' };

function slotColumn(scan: LScan, slot: number): number {
  for (const [column, own] of scan.columns) if (own === slot) return column;
  return -1;
}

/** Operators from here on were made by users or extensions: stored columns know nothing of their order. */
const FIRST_USER_OID = 16384;

/** Reads a predicate as a condition on one stored column, or null. */
export function columnPredicate(
  state: PlannerState,
  scan: LScan,
  own: ReadonlySet<number>,
  predicate: LExpr,
): ColumnPredicate | null {
  const { catalog } = state;
  const isOuter = (expr: LExpr): boolean => {
    for (const slot of usedSlots(expr)) if (own.has(slot)) return false;
    return !isVolatile(catalog, expr);
  };
  if (predicate.kind === 'nullTest' && !predicate.argIsRow) {
    const column = columnOf(scan, predicate.arg as LExpr);
    if (column < 0) return null;
    return {
      column,
      operator: predicate.isNull ? 'is null' : 'is not null',
      value: null,
      source: predicate,
      derived: false,
    };
  }
  if (predicate.kind === 'operator' && predicate.args.length === 2) {
    const operator = catalog.operator(predicate.operatorOid);
    if (operator === null || operator.oid >= FIRST_USER_OID) return null;
    const [left, right] = predicate.args as [LExpr, LExpr];
    let strategy = operator.btreeStrategy;
    const isUnequal =
      operator.name === '<>' &&
      operator.negator !== 0 &&
      catalog.operator(operator.negator)?.btreeStrategy === 3;
    if (strategy === 0 && !isUnequal) return null;
    let column = columnOf(scan, left);
    let value = right;
    if (column < 0 || !isOuter(right)) {
      column = columnOf(scan, right);
      value = left;
      if (column < 0 || !isOuter(left)) return null;
      if (strategy !== 0) strategy = (6 - strategy) as typeof strategy;
    }
    const typed = widen(catalog, value, scan.relation.columns[column].typeOid);
    if (typed === null) return null;
    return {
      column,
      operator: isUnequal ? '<>' : STRATEGY[strategy],
      value: typed as PlanExpr,
      source: predicate,
      derived: false,
    };
  }
  if (predicate.kind === 'arrayOperator' && predicate.any) {
    const operator = catalog.operator(predicate.operatorOid);
    const [left, right] = predicate.args as [LExpr, LExpr];
    const column = columnOf(scan, left);
    if (operator?.btreeStrategy !== 3 || operator.oid >= FIRST_USER_OID) return null;
    if (column < 0 || !isOuter(right)) return null;
    const elementType = catalog.type(right.typeOid)?.elementOid ?? 0;
    if (!sameRepresentation(elementType, scan.relation.columns[column].typeOid)) return null;
    return { column, operator: 'in', value: right as PlanExpr, source: predicate, derived: false };
  }
  // A boolean column is its own condition.
  const negated = predicate.kind === 'bool' && predicate.op === 'not' ? (predicate.args[0] as LExpr) : null;
  const column = columnOf(scan, negated ?? predicate);
  if (column >= 0 && scan.relation.columns[column].typeOid === 16)
    return {
      column,
      operator: '=',
      value: { kind: 'const', value: negated === null, typeOid: 16, typmod: -1, collation: 0 },
      source: predicate,
      derived: false,
    };
  return null;
}

const TEXT_TYPES = new Set([25, 1043]);

/** Values of the two types are held and ordered alike. */
export function sameRepresentation(left: Oid, right: Oid): boolean {
  return left === right || (TEXT_TYPES.has(left) && TEXT_TYPES.has(right));
}

function columnOf(scan: LScan, expr: LExpr): number {
  let at = expr;
  // varchar is read as text through a relabelling; others change the order.
  if (at.kind === 'relabel' && sameRepresentation(at.typeOid, at.arg.typeOid)) at = at.arg as LExpr;
  if (at.kind !== 'slot') return -1;
  const column = slotColumn(scan, at.slot);
  return column >= 0 ? column : -1;
}

export interface ScanContext {
  planner: NodePlanner;
  scan: LScan;
  own: Set<number>;
  rows: number;
  /** Conditions on this scan alone (and constants, parameters, slots of enclosing queries). */
  predicates: LExpr[];
  columnPredicates: ColumnPredicate[];
  filteredRows: number;
  width: number;
  /** Slots equal to a constant: irrelevant for order. */
  fixed: Set<number>;
}

export function scanContext(planner: NodePlanner, scan: LScan, predicates: readonly LExpr[]): ScanContext {
  const { state } = planner;
  const own = new Set(scan.columns.values());
  if (scan.rowIdSlot >= 0) own.add(scan.rowIdSlot);
  const lowered = planner.cheapFirst(predicates.map((predicate) => planner.lower(predicate) as LExpr));
  const columnPredicates: ColumnPredicate[] = [];
  for (const predicate of lowered) {
    const simple = columnPredicate(state, scan, own, predicate);
    if (simple !== null) columnPredicates.push(simple);
    for (const bound of prefixRange(state, predicate)) {
      const derived = columnPredicate(state, scan, own, bound);
      if (derived !== null) columnPredicates.push({ ...derived, source: predicate, derived: true });
    }
  }
  const rows = tableRows(state, scan.relation.oid);
  const fixed = new Set<number>();
  for (const item of columnPredicates)
    if (item.operator === '=' && !item.derived) {
      const slot = scan.columns.get(item.column);
      if (slot !== undefined) fixed.add(slot);
    }
  return {
    planner,
    scan,
    own,
    rows,
    predicates: lowered,
    columnPredicates,
    filteredRows: Math.max(
      coversUnique(scan, columnPredicates) ? 1 : 0,
      rows * conjunctionSelectivity(state, lowered),
    ),
    width: rowWidth(state, own),
    fixed,
  };
}

/** True when equalities fix all columns of a unique index: at most one row. */
export function coversUnique(scan: LScan, predicates: readonly ColumnPredicate[]): boolean {
  const fixed = new Set(predicates.filter((p) => p.operator === '=').map((p) => p.column + 1));
  return scan.relation.indexes.some(
    (index) =>
      index.unique &&
      index.valid &&
      index.predicate === null &&
      index.keyColumns.every((c) => c > 0 && fixed.has(c)),
  );
}

function scanColumns(context: ScanContext): ScanColumn[] {
  const { scan, planner } = context;
  return [...scan.columns].map(([column, slot]) => {
    const info = planner.state.slots[slot];
    return { column, slot, typeOid: info.typeOid, typmod: info.typmod };
  });
}

/** All worthwhile paths: the cheapest, and the cheapest in the wanted order if that is another. */
export function scanPaths(context: ScanContext, wanted: Wanted): Path[] {
  const paths: Path[] = [seqScanPath(context)];
  if (context.scan.relation.virtualRows !== null) {
    const keyed = keyedPath(context, context.columnPredicates);
    if (keyed !== null) paths.push(keyed);
  }
  if (context.scan.relation.virtualRows === null)
    for (const index of context.scan.relation.indexes) {
      const match = matchIndex(context, index, context.columnPredicates);
      if (match === null && (wanted.order.length === 0 || !isUsable(context, index))) continue;
      const forward = indexOrder(context, index, false);
      let backward = false;
      if (wanted.order.length > 0 && !satisfiesOrder(forward, wanted.order, context.fixed)) {
        backward = satisfiesOrder(indexOrder(context, index, true), wanted.order, context.fixed);
        if (match === null && !backward) continue;
      }
      paths.push(indexPath(context, index, match ?? NO_MATCH, backward));
    }
  return paths;
}

const TID_EQUAL = 402;

/** The value of a condition `ctid = value` that reads nothing of the scan, or null. */
function tidCondition(context: ScanContext): LExpr | null {
  const slot = context.scan.columns.get(SYSTEM_COLUMN.ctid);
  if (slot === undefined) return null;
  for (const predicate of context.predicates) {
    if (predicate.kind !== 'operator' || predicate.operatorOid !== TID_EQUAL) continue;
    const [left, right] = predicate.args as [LExpr, LExpr];
    for (const [column, value] of [
      [left, right],
      [right, left],
    ]) {
      if (column.kind !== 'slot' || column.slot !== slot) continue;
      const reads = [...usedSlots(value)].some((used) => context.own.has(used));
      if (!reads && !isVolatile(context.planner.state.catalog, value)) return value;
    }
  }
  return null;
}

/** The single cheapest way to read the table, for the wanted order and number of rows. */
export function seqScanPath(context: ScanContext): Path {
  const { planner, scan } = context;
  const { state } = planner;
  const bytes = state.options.statistics.estimate(scan.relation.oid)?.bytes ?? context.rows * context.width;
  const tid = scan.relation.virtualRows === null ? tidCondition(context) : null;
  const cost = scanCost(
    state.settings,
    tid === null ? pagesOf(bytes) : 1,
    tid === null ? context.rows : 1,
    planner.operators(context.predicates),
  );
  const path: Path = {
    rows: tid === null ? context.filteredRows : 1,
    width: context.width,
    ...cost,
    order: [],
    make() {
      if (scan.relation.virtualRows !== null) {
        const node: VirtualScanNode = {
          ...nodeBase(path),
          kind: 'virtualScan',
          relationOid: scan.relation.oid,
          alias: scan.alias,
          columns: scanColumns(context),
          filter: makeAnd(context.predicates) as PlanExpr | null,
        };
        return node;
      }
      const pushed: PushedPredicate[] = context.columnPredicates.map((item) => ({
        column: item.column,
        operator: item.operator,
        value: item.value,
        source: item.source as PlanExpr,
        derived: item.derived,
      }));
      const covered = new Set(
        context.columnPredicates.filter((item) => !item.derived).map((item) => item.source),
      );
      const node: SeqScanNode = {
        ...nodeBase(path),
        kind: 'seqScan',
        relationOid: scan.relation.oid,
        alias: scan.alias,
        columns: scanColumns(context),
        pushed,
        filter: makeAnd(context.predicates.filter((p) => !covered.has(p))) as PlanExpr | null,
        rowIdSlot: scan.rowIdSlot,
        ...(tid === null ? {} : { tid: tid as PlanExpr }),
      };
      return node;
    },
  };
  return path;
}

export interface IndexMatch {
  equal: ColumnPredicate[];
  lower: ColumnPredicate | null;
  upper: ColumnPredicate | null;
  anyOf: ColumnPredicate | null;
}

const NO_MATCH: IndexMatch = { equal: [], lower: null, upper: null, anyOf: null };

/** Longest usable prefix of the index: equalities, then one list or range. Null when its first key is not bound. */
export function matchIndex(
  context: ScanContext,
  index: IndexDescriptor,
  predicates: readonly ColumnPredicate[],
  raw: readonly LExpr[] = context.predicates,
): IndexMatch | null {
  if (!isUsable(context, index)) return null;
  const match: IndexMatch = { equal: [], lower: null, upper: null, anyOf: null };
  for (let i = 0; i < index.keyColumns.length; i++) {
    const column = index.keyColumns[i] - 1;
    const here =
      column < 0
        ? expressionPredicates(context, index, i, raw)
        : predicates.filter((item) => item.column === column);
    const equal = here.find((item) => item.operator === '=');
    if (equal !== undefined) {
      match.equal.push(equal);
      continue;
    }
    const list = here.find((item) => item.operator === 'in');
    if (list !== undefined) match.anyOf = list;
    else {
      match.lower = here.find((item) => item.operator === '>' || item.operator === '>=') ?? null;
      match.upper = here.find((item) => item.operator === '<' || item.operator === '<=') ?? null;
    }
    break;
  }
  return match.equal.length > 0 || match.anyOf !== null || match.lower !== null || match.upper !== null
    ? match
    : null;
}

function isUsable(context: ScanContext, index: IndexDescriptor): boolean {
  return (
    index.valid &&
    index.accessMethod === 'btree' &&
    context.scan.relation.virtualRows === null &&
    (index.predicate === null ||
      impliesIndexPredicate(context.planner.state, context.scan, index, context.predicates))
  );
}

/** Conditions on the expression behind an index key, in the form of column conditions. */
function expressionPredicates(
  context: ScanContext,
  index: IndexDescriptor,
  key: number,
  predicates: readonly LExpr[],
): ColumnPredicate[] {
  const { planner, scan, own } = context;
  const { state } = planner;
  const expr = indexKeyExpression(state, scan, index, key);
  if (expr === null) return [];
  const wanted = expressionKey(expr);
  const result: ColumnPredicate[] = [];
  for (const predicate of predicates) {
    if (predicate.kind !== 'operator' || predicate.args.length !== 2) continue;
    const strategy = state.catalog.operator(predicate.operatorOid)?.btreeStrategy ?? 0;
    if (strategy === 0) continue;
    const sides = predicate.args as [LExpr, LExpr];
    const at = sides.findIndex((side) => expressionKey(stripRelabel(side)) === wanted);
    if (at < 0) continue;
    const value = sides[1 - at];
    let isOuter = !isVolatile(state.catalog, value);
    for (const slot of usedSlots(value)) isOuter &&= !own.has(slot);
    const typed = isOuter ? widen(state.catalog, value, expr.typeOid) : null;
    if (typed === null) continue;
    result.push({
      column: EXPRESSION_COLUMN,
      operator: STRATEGY[at === 0 ? strategy : 6 - strategy],
      value: typed as PlanExpr,
      source: predicate,
      derived: false,
    });
  }
  return result;
}

/** Stands for "no column" in conditions on index expressions. */
const EXPRESSION_COLUMN = -1000;

function stripRelabel(expr: LExpr): LExpr {
  return expr.kind === 'relabel' && sameRepresentation(expr.typeOid, expr.arg.typeOid)
    ? (expr.arg as LExpr)
    : expr;
}

function indexOrder(context: ScanContext, index: IndexDescriptor, backward: boolean): SortKey[] {
  const { scan, planner } = context;
  const keys: SortKey[] = [];
  for (let i = 0; i < index.keyColumns.length; i++) {
    const column = index.keyColumns[i] - 1;
    const slot = column < 0 ? undefined : scan.columns.get(column);
    if (slot === undefined) break;
    const descending = index.descending[i] !== backward;
    const operators = planner.state.catalog.orderingOperators(planner.state.slots[slot].typeOid);
    keys.push({
      expr: asTree(planner.state.slot(slot)),
      operatorOid: descending ? operators.greater : operators.less,
      equalityOid: operators.equal,
      descending,
      nullsFirst: index.nullsFirst[i] !== backward,
    });
  }
  return keys;
}

function usedOf(match: IndexMatch): ColumnPredicate[] {
  const used = [...match.equal];
  if (match.anyOf !== null) used.push(match.anyOf);
  if (match.lower !== null) used.push(match.lower);
  if (match.upper !== null) used.push(match.upper);
  return used;
}

/** Price and recipe of one scan of the index; `extra` predicates (join conditions) are among those it may use. */
export function indexPath(
  context: ScanContext,
  index: IndexDescriptor,
  match: IndexMatch,
  backward: boolean,
  extra: readonly LExpr[] = [],
): Path & { usedSources: Set<LExpr> } {
  const { planner, scan } = context;
  const { state } = planner;
  const used = usedOf(match);
  const usedSources = new Set(used.filter((item) => !item.derived).map((item) => item.source));
  const rest = context.predicates.filter((predicate) => !usedSources.has(predicate));
  const bound = match.equal.length === index.keyColumns.length && index.unique;
  const inIndex = index.predicate === null ? [] : (indexPredicates(state, scan, index) ?? []);
  const matched = bound ? 1 : context.rows * predicatesSelectivity(context, used, inIndex);
  const probes = match.anyOf === null ? 1 : listLength(match.anyOf.value);
  const correlation = leadingCorrelation(context, index);
  const cost = indexScanCost(
    state.settings,
    context.rows,
    probes,
    matched,
    planner.operators(rest),
    correlation,
  );
  const all = [...context.predicates, ...extra.filter((predicate) => usedSources.has(predicate))];
  const rows = bound
    ? Math.min(1, conjunctionSelectivity(state, rest))
    : Math.max(context.rows * conjunctionSelectivity(state, all), 0);
  const path: Path & { usedSources: Set<LExpr> } = {
    rows,
    width: context.width,
    ...cost,
    order: match.anyOf === null ? indexOrder(context, index, backward) : [],
    usedSources,
    make() {
      const conditions: LExpr[] = [];
      for (const item of used) {
        const shown = item.derived ? derivedCondition(state, scan, item) : item.source;
        if (!conditions.includes(shown)) conditions.push(shown);
      }
      const node: IndexScanNode = {
        ...nodeBase(path),
        kind: 'indexScan',
        relationOid: scan.relation.oid,
        alias: scan.alias,
        indexOid: index.oid,
        indexName: index.name,
        columns: scanColumns(context),
        equal: match.equal.map((item) => item.value as PlanExpr),
        lower: boundOf(match.lower),
        upper: boundOf(match.upper),
        anyOf: match.anyOf?.value ?? null,
        backward,
        conditions: conditions as PlanExpr[],
        filter: makeAnd(rest) as PlanExpr | null,
        rowIdSlot: scan.rowIdSlot,
      };
      // Bounds are in the order of values, also for a descending key: the index turns them round.
      return node;
    },
  };
  return path;
}

function boundOf(item: ColumnPredicate | null): { value: PlanExpr; inclusive: boolean } | null {
  if (item === null) return null;
  return { value: item.value as PlanExpr, inclusive: item.operator === '>=' || item.operator === '<=' };
}

function derivedCondition(state: PlannerState, scan: LScan, item: ColumnPredicate): LExpr {
  const slot = scan.columns.get(item.column) as number;
  const operators = state.catalog.orderingOperators(state.slots[slot].typeOid);
  const name = item.operator;
  const oid =
    name === '<'
      ? operators.less
      : name === '>='
        ? (state.catalog.operator(operators.less)?.negator ?? operators.greater)
        : operators.equal;
  return makeOperator(state.catalog, oid, state.slot(slot), item.value as LExpr);
}

function predicatesSelectivity(
  context: ScanContext,
  used: readonly ColumnPredicate[],
  inIndex: readonly LExpr[],
): number {
  const { state } = context.planner;
  const sources = new Set<LExpr>(inIndex);
  let derived = 1;
  for (const item of used) {
    if (item.derived) derived = Math.min(derived, selectivity(state, item.source));
    else sources.add(item.source);
  }
  return conjunctionSelectivity(state, [...sources]) * derived;
}

function listLength(value: PlanExpr | null): number {
  if (value === null) return 1;
  if (value.kind === 'const')
    return value.value instanceof SqlArray ? Math.max(1, value.value.elements.length) : 1;
  if (value.kind === 'array') return Math.max(1, value.elements.length);
  return 10;
}

function leadingCorrelation(context: ScanContext, index: IndexDescriptor): number {
  const slot = context.scan.columns.get(index.keyColumns[0] - 1);
  if (slot === undefined) return 0;
  return slotStatistics(context.planner.state, slot).column?.correlation ?? 0;
}

/** A computed relation asked for the rows of one key; the first condition with the fewest rows to expect. */
function keyedPath(
  context: ScanContext,
  predicates: readonly ColumnPredicate[],
  extra: readonly LExpr[] = [],
): (Path & { usedSources: Set<LExpr> }) | null {
  const { scan, planner } = context;
  const keys = scan.relation.virtualKeys ?? null;
  if (keys === null) return null;
  let best: ColumnPredicate | null = null;
  let rows = 0;
  for (const item of predicates) {
    if ((item.operator !== '=' && item.operator !== 'in') || item.value === null || item.derived) continue;
    const expected = keys.get(item.column);
    if (expected === undefined) continue;
    const found = expected * (item.operator === 'in' ? listLength(item.value) : 1);
    if (best !== null && found >= rows) continue;
    best = item;
    rows = found;
  }
  if (best === null) return null;
  const { column, operator, value, source } = best;
  const rest = context.predicates.filter((predicate) => predicate !== source);
  const cost = scanCost(planner.state.settings, 0, rows, planner.operators(rest));
  const path: Path & { usedSources: Set<LExpr> } = {
    rows: Math.max(rows * conjunctionSelectivity(planner.state, rest), 1e-3),
    width: context.width,
    ...cost,
    order: [],
    usedSources: new Set([source]),
    make() {
      const conditions = [...context.predicates];
      if (!conditions.includes(source)) conditions.unshift(source);
      const node: VirtualScanNode = {
        ...nodeBase(path),
        kind: 'virtualScan',
        relationOid: scan.relation.oid,
        alias: scan.alias,
        columns: scanColumns(context),
        key: { column, value: value as PlanExpr, isList: operator === 'in' },
        filter: makeAnd(conditions) as PlanExpr | null,
      };
      return node;
    },
  };
  return extra.length === 0 || extra.includes(source) ? path : null;
}

/** Best index probe for the inner side of a nested loop: `join` are conditions that read the outer side. */
export function probePath(
  context: ScanContext,
  join: readonly LExpr[],
): (Path & { usedSources: Set<LExpr> }) | null {
  const { scan, planner } = context;
  const isVirtual = scan.relation.virtualRows !== null;
  if (!isVirtual && scan.relation.indexes.length === 0) return null;
  const joinPredicates: ColumnPredicate[] = [];
  for (const predicate of join) {
    const simple = columnPredicate(planner.state, scan, context.own, predicate);
    if (simple !== null && simple.operator !== '<>') joinPredicates.push(simple);
  }
  if (isVirtual) return keyedPath(context, joinPredicates, join);
  const hasExpressions = scan.relation.indexes.some((index) => index.expressions.length > 0);
  if (joinPredicates.length === 0 && !hasExpressions) return null;
  const all = [...joinPredicates, ...context.columnPredicates];
  let best: (Path & { usedSources: Set<LExpr> }) | null = null;
  for (const index of scan.relation.indexes) {
    const match = matchIndex(context, index, all, [...join, ...context.predicates]);
    if (match === null) continue;
    const path = indexPath(context, index, match, false, join);
    if (![...path.usedSources].some((source) => join.includes(source))) continue;
    if (best === null || path.total < best.total) best = path;
  }
  return best;
}
