/** GROUP BY, grouping sets and aggregates: the aggregate node and the rewriting of everything above it. */
import { internalError } from '../../base/error.ts';
import type { GroupingSet, SortKey } from '../../sql/tree.ts';
import { expressionKey } from '../expression/key.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import { typeOf } from '../state.ts';
import type { LAggregate, LogicalNode } from './algebra.ts';
import type { GroupKey } from './group-keys.ts';
import { mapAllExpressions, providedSlots, usedSlots } from './nodes.ts';
import type { BuildContext, Scope } from './scope.ts';

/** More sets than this end the statement, as in PostgreSQL. */
const GROUPING_SETS_MAX = 4096;

export function addGrouping(
  context: BuildContext,
  scope: Scope,
  child: LogicalNode,
  keys: { convertKey: (expr: LExpr) => LExpr; fixed: readonly (GroupKey | null)[] },
  above: readonly LExpr[],
): { node: LogicalNode; rewrite: (expr: LExpr) => LExpr } {
  const { state } = context;
  const { query } = scope;
  const hasSets = query.groupingSets !== null;
  const groups: LAggregate['groups'] = [];
  const byKey = new Map<string, number>();
  /** Index in Query.groupBy → index in `groups`. */
  const indexOf: number[] = [];
  const provided = providedSlots(child);
  for (const [at, key] of query.groupBy.entries()) {
    const fixed = keys.fixed[at] ?? null;
    if (fixed !== null) {
      const { expr, slot } = fixed;
      let index = groups.findIndex((group) => group.slot === slot);
      if (index < 0) {
        index = groups.length;
        groups.push({ expr, slot, key: { ...key, expr: asTree(state.slot(slot)) } });
        const text = expressionKey(expr);
        if (!byKey.has(text)) byKey.set(text, index);
      }
      indexOf.push(index);
      continue;
    }
    const expr = keys.convertKey(key.expr);
    const text = expressionKey(expr);
    let index = byKey.get(text);
    if (index === undefined) {
      const info = expr.kind === 'slot' ? state.slots[expr.slot] : null;
      const slot =
        expr.kind === 'slot' && !hasSets && provided.has(expr.slot)
          ? expr.slot
          : state.newSlot(typeOf(expr), { notNull: false, origin: info?.origin ?? null });
      index = groups.length;
      groups.push({ expr, slot, key: { ...key, expr: asTree(state.slot(slot)) } });
      byKey.set(text, index);
    }
    indexOf.push(index);
  }

  const rewriteOne = (expr: LExpr): LExpr => {
    if (expr.kind === 'const' || expr.kind === 'param') return expr;
    const index = byKey.get(expressionKey(expr));
    return index === undefined ? expr : state.slot(groups[index].slot);
  };
  const rewrite = (expr: LExpr): LExpr => {
    if (groups.length === 0) return expr;
    const wrapper: LogicalNode = { kind: 'filter', child: { kind: 'result' }, predicates: [expr] };
    const mapped = mapAllExpressions(wrapper, rewriteOne);
    return mapped.kind === 'filter' ? mapped.predicates[0] : expr;
  };

  // Columns that depend on a grouped key: carried as further groups, in every set.
  const dependent: number[] = [];
  const kept = new Set(groups.map((group) => group.slot));
  for (const expr of above)
    for (const slot of usedSlots(rewrite(expr))) {
      if (!provided.has(slot) || kept.has(slot)) continue;
      kept.add(slot);
      const read = state.slot(slot);
      dependent.push(groups.length);
      groups.push({ expr: read, slot, key: defaultKey(context, read) });
    }

  const grouping = scope.groupingCalls.map(({ slot, call }) => ({
    slot,
    groups: call.args.map((arg) => {
      const index = byKey.get(expressionKey(arg));
      if (index === undefined) throw internalError('GROUPING of an expression that is not grouped');
      return index;
    }),
  }));
  const sets =
    query.groupingSets === null
      ? null
      : expandGroupingSets(query.groupingSets, query.groupDistinct).map((set) => [
          ...new Set(set.map((i) => indexOf[i])),
          ...dependent,
        ]);
  const node: LAggregate = {
    kind: 'aggregate',
    child,
    groups,
    sets,
    grouping,
    aggregates: scope.aggregates,
  };
  return { node, rewrite };
}

/** Ascending order by the type's default operators. */
export function defaultKey(context: { state: BuildContext['state'] }, expr: LExpr): SortKey {
  const operators = context.state.catalog.orderingOperators(expr.typeOid);
  return {
    expr: asTree(expr),
    operatorOid: operators.less,
    equalityOid: operators.equal,
    descending: false,
    nullsFirst: false,
  };
}

/** The list of sets as lists of indexes: the cross product of the items, as the standard says. */
export function expandGroupingSets(items: readonly GroupingSet[], distinct: boolean): number[][] {
  let result: number[][] = [[]];
  for (const item of items) {
    const own = expandOne(item);
    const next: number[][] = [];
    for (const left of result) for (const right of own) next.push([...left, ...right]);
    if (next.length > GROUPING_SETS_MAX) throw internalError('too many grouping sets present (maximum 4096)');
    result = next;
  }
  result = result.map((set) => [...new Set(set)]);
  if (distinct) {
    const seen = new Set<string>();
    result = result.filter((set) => {
      const key = [...set].sort((a, b) => a - b).join(',');
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }
  return result;
}

function expandOne(item: GroupingSet): number[][] {
  switch (item.kind) {
    case 'empty':
      return [[]];
    case 'simple':
      return [item.exprs];
    case 'rollup': {
      const sets: number[][] = [];
      for (let n = item.sets.length; n >= 0; n--) sets.push(item.sets.slice(0, n).flat());
      return sets;
    }
    case 'cube': {
      const sets: number[][] = [];
      for (let mask = (1 << item.sets.length) - 1; mask >= 0; mask--)
        sets.push(item.sets.filter((_, i) => (mask & (1 << (item.sets.length - 1 - i))) !== 0).flat());
      return sets;
    }
    case 'sets':
      return item.content.flatMap(expandOne);
  }
}
