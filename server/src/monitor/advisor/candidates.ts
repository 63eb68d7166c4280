/**
 * Index candidates of one statement, from its plan: for each table it reads, the columns it compares, joins and sorts by.
 *
 * Order of columns: equality, then one range, or the sort order. Equalities come most selective first, because shorter prefixes serve more
 * statements. Partial candidates come from equalities with constants that few rows have. Compared immutable expressions over columns of one
 * table are keys as columns are.
 */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader, RelationDescriptor } from '../../catalog/contract.ts';
import { isImmutable } from '../../planner/expression/properties.ts';
import { type LExpr, someExpr } from '../../planner/expression/walk.ts';
import type { PhysicalPlan, PlanExpr, PlanNode } from '../../planner/physical.ts';
import { planChildren } from '../../planner/plan-walk.ts';
import type { TableStore } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';

const KEYS_MAX = 4;
const CANDIDATES_PER_TABLE_MAX = 24;
/** A partial index is worth a thought below this share of the rows. */
const PARTIAL_SHARE_MAX = 0.2;

export interface Candidate {
  readonly relation: RelationDescriptor;
  /** Names of the key columns, with DESC where it matters. */
  readonly keys: readonly string[];
  readonly predicate: string | null;
  readonly sql: string;
}

interface Use {
  readonly relation: RelationDescriptor;
  readonly equal: Map<number, Datum | undefined>;
  readonly ranges: Set<number>;
  readonly joins: Set<number>;
  order: { column: number; descending: boolean }[];
  /** Columns it groups by. */
  readonly groups: number[];
  /** Compared expressions over its columns as SQL in parentheses; true = by equality, false = by a range. */
  readonly expressions: Map<string, boolean>;
}

/** Names that need no quotes stay plain. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Prints an expression of a plan as SQL; `slotName` names the columns behind slots. */
export type PrintExpression = (expr: LExpr, slotName: (slot: number) => string | undefined) => string;

/** Finds candidates in a plan; `deparse` prints a constant as SQL, `print` an expression. */
export function candidatesOf(
  plan: PhysicalPlan,
  catalog: CatalogReader,
  tables: TableStore,
  deparse: (value: Datum, typeOid: Oid) => string | null,
  print: PrintExpression,
): Candidate[] {
  const uses = collectUses(plan, catalog, print);
  const candidates = new Map<string, Candidate>();
  for (const use of uses) {
    const { relation } = use;
    if (relation.table === null || relation.oid < 16384) continue;
    const table = tables.table(relation.oid);
    const distinct = (column: number): number => table.statistics(column).distinctCount;
    const name = (column: number): string => sqlName(relation.columns[column].name);
    const full = `${sqlName(relation.namespaceName)}.${sqlName(relation.name)}`;
    const add = (keys: readonly string[], predicate: string | null = null): void => {
      const unique = [...new Map(keys.map((key) => [key.replace(/ DESC$/, ''), key])).values()].slice(
        0,
        KEYS_MAX,
      );
      if (unique.length === 0 || candidates.size >= CANDIDATES_PER_TABLE_MAX * uses.length) return;
      const where = predicate === null ? '' : ` WHERE ${predicate}`;
      const sql = `CREATE INDEX ON ${full} (${unique.join(', ')})${where}`;
      if (!candidates.has(sql)) candidates.set(sql, { relation, keys: unique, predicate, sql });
    };
    const equals = [...use.equal.keys()].sort((left, right) => distinct(right) - distinct(left)).map(name);
    const ranges = [...use.ranges].map(name);
    const joins = [...use.joins].map(name);
    // All one way is served by either direction of an ascending index.
    const isUniform = use.order.every(({ descending }) => descending === use.order[0].descending);
    const order = use.order.map(({ column, descending }) =>
      isUniform || !descending ? name(column) : `${name(column)} DESC`,
    );
    for (const column of [...equals, ...joins, ...ranges]) add([column]);
    for (const [expression, isEquality] of use.expressions) {
      add([expression]);
      if (equals.length > 0) add([...equals, expression]);
      if (!isEquality) continue;
      if (order.length > 0) add([expression, ...order]);
      for (const range of ranges) add([expression, range]);
    }
    if (equals.length > 1) {
      add(equals);
      for (let at = 2; at < Math.min(KEYS_MAX, equals.length); at++) add(equals.slice(0, at));
    }
    for (const range of ranges) add([...equals, range]);
    if (order.length > 0) {
      add([...equals, ...order]);
      add(order);
    }
    for (const join of joins) {
      add([join, ...equals]);
      add([...equals, join]);
      for (const range of ranges) add([join, ...equals, range]);
      if (order.length > 0) add([join, ...order]);
    }
    if (joins.length > 1) add(joins);
    if (use.groups.length > 0) add([...equals, ...use.groups.map(name)]);
    for (const [column, value] of use.equal) {
      if (value === undefined || value === null) continue;
      const share = shareOf(table.statistics(column), value, relation.columns[column].typeOid, catalog);
      if (share === null || share > PARTIAL_SHARE_MAX) continue;
      const text = deparse(value, relation.columns[column].typeOid);
      if (text === null) continue;
      const condition = `${name(column)} = ${text}`;
      const others = equals.filter((other) => other !== name(column));
      for (const keys of [
        [...others, ...order],
        [...others, ...ranges.slice(0, 1)],
        [...joins.slice(0, 1), ...others],
        others,
      ])
        if (keys.length > 0) add(keys, condition);
    }
  }
  return [...candidates.values()];
}

/** Share of rows that have a value, when it is one of few distinct ones. */
function shareOf(
  statistics: { distinctCount: number; mostCommon: readonly { value: Datum; fraction: number }[] },
  value: Datum,
  typeOid: Oid,
  catalog: CatalogReader,
): number | null {
  if (statistics.distinctCount > 50 || statistics.distinctCount < 2) return null;
  const support = catalog.type(typeOid)?.support;
  if (support === undefined) return null;
  const key = support.hashKey(value);
  return statistics.mostCommon.find((common) => support.hashKey(common.value) === key)?.fraction ?? null;
}

function collectUses(plan: PhysicalPlan, catalog: CatalogReader, print: PrintExpression): Use[] {
  const uses: Use[] = [];
  /** Slot → use and column. */
  const slots = new Map<number, { use: Use; column: number }>();
  const visit = (node: PlanNode, look: (node: PlanNode) => void): void => {
    look(node);
    for (const child of planChildren(node)) visit(child, look);
  };
  const everywhere = (look: (node: PlanNode) => void): void => {
    visit(plan.root, look);
    for (const cte of plan.ctes) visit(cte.root, look);
    for (const subplan of plan.subplans) visit(subplan.root, look);
  };
  everywhere((node) => {
    if (node.kind !== 'seqScan' && node.kind !== 'indexScan') return;
    const relation = catalog.relation(node.relationOid);
    if (relation === null) return;
    const use: Use = {
      relation,
      equal: new Map(),
      ranges: new Set(),
      joins: new Set(),
      order: [],
      groups: [],
      expressions: new Map(),
    };
    uses.push(use);
    for (const { column, slot } of [...node.columns, ...(node.pruned ?? [])])
      if (column >= 0) slots.set(slot, { use, column });
  });
  const place = (expr: PlanExpr | LExpr | null | undefined): { use: Use; column: number } | null => {
    let at = expr as LExpr | null | undefined;
    while (at != null && at.kind === 'relabel') at = at.arg as LExpr;
    return at != null && at.kind === 'slot' ? (slots.get(at.slot) ?? null) : null;
  };
  /** The one use whose columns an indexable expression is over; null for all others. */
  const useOf = (expr: LExpr): Use | null => {
    if ((expr.kind !== 'function' && expr.kind !== 'operator') || expr.returnsSet) return null;
    const uses = new Set<Use | null>();
    someExpr(expr, (at) => {
      if (at.kind === 'slot') uses.add(slots.get(at.slot)?.use ?? null);
      return false;
    });
    const [use] = uses;
    return uses.size === 1 && use != null && isImmutable(catalog, expr) ? use : null;
  };
  const expression = (side: LExpr, other: LExpr, isEquality: boolean): void => {
    const use = useOf(side);
    if (use === null || someExpr(other, (at) => at.kind === 'slot' && slots.get(at.slot)?.use === use))
      return;
    const text = print(side, (slot) => {
      const found = slots.get(slot);
      return found === undefined ? undefined : sqlName(found.use.relation.columns[found.column].name);
    });
    const key = `(${text})`;
    use.expressions.set(key, isEquality || use.expressions.get(key) === true);
  };
  const predicate = (expr: PlanExpr | LExpr | null | undefined): void => {
    if (expr == null) return;
    const at = expr as LExpr;
    if (at.kind === 'bool' && at.op === 'and') {
      for (const part of at.args) predicate(part as LExpr);
      return;
    }
    if (at.kind === 'arrayOperator' && at.any) {
      const found = place(at.args[0] as LExpr);
      if (catalog.operator(at.operatorOid)?.btreeStrategy !== 3) return;
      if (found !== null) found.use.equal.set(found.column, undefined);
      else expression(at.args[0] as LExpr, at.args[1] as LExpr, true);
      return;
    }
    if (at.kind !== 'operator' || at.args.length !== 2) return;
    const strategy = catalog.operator(at.operatorOid)?.btreeStrategy ?? 0;
    if (strategy === 0) return;
    const [left, right] = at.args as [LExpr, LExpr];
    const leftPlace = place(left);
    const rightPlace = place(right);
    if (leftPlace !== null && rightPlace !== null) {
      if (strategy === 3 && leftPlace.use !== rightPlace.use) {
        leftPlace.use.joins.add(leftPlace.column);
        rightPlace.use.joins.add(rightPlace.column);
      }
      return;
    }
    if (leftPlace === null) expression(left, right, strategy === 3);
    if (rightPlace === null) expression(right, left, strategy === 3);
    const found = leftPlace ?? rightPlace;
    if (found === null) return;
    const other = leftPlace === null ? left : right;
    if (strategy === 3) found.use.equal.set(found.column, other.kind === 'const' ? other.value : undefined);
    else found.use.ranges.add(found.column);
  };
  everywhere((node) => {
    switch (node.kind) {
      case 'seqScan':
        for (const { source } of node.pushed) predicate(source);
        predicate(node.filter);
        return;
      case 'indexScan':
        for (const condition of node.conditions) predicate(condition);
        predicate(node.filter);
        return;
      case 'filter':
      case 'nestedLoop':
        predicate(node.condition);
        return;
      case 'hashJoin':
      case 'mergeJoin':
        for (const { outer, inner } of node.keys) {
          const left = place(outer);
          const right = place(inner);
          left?.use.joins.add(left.column);
          right?.use.joins.add(right.column);
        }
        predicate(node.condition);
        return;
      case 'sort': {
        const places = node.keys.map((key) => ({ found: place(key.expr), descending: key.descending }));
        const use = places[0]?.found?.use;
        if (use === undefined || use.order.length > 0) return;
        for (const { found, descending } of places) {
          if (found?.use !== use) break;
          use.order.push({ column: found.column, descending });
        }
        return;
      }
      case 'aggregate':
        for (const group of node.groups) {
          const found = place(group.expr);
          if (found !== null && !found.use.groups.includes(found.column)) found.use.groups.push(found.column);
        }
    }
  });
  return uses;
}
