/**
 * Keys of GROUP BY as values of their own.
 *
 * Above a grouping a key is what the group has, not what its expression would give from a row: it may be NULL in a grouping set, and
 * once subqueries are merged and expressions simplified (`NOT x` of a computed x) it could no longer be recognised. So wherever
 * the query mentions a key, a slot takes its place before anything is converted.
 */
import { equalExpr } from '../../sql/equal.ts';
import type { Expr, Query, SortKey, TargetEntry } from '../../sql/tree.ts';
import { mapExpr } from '../../sql/walk.ts';
import { returnsSet } from '../expression/properties.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import { typeOf } from '../state.ts';
import { type BuildContext, convertExpression, type Scope } from './scope.ts';

/** Per item of Query.groupBy: the key over the rows below, and the slot that has it above. */
export interface GroupKey {
  readonly expr: LExpr;
  readonly slot: number;
}

interface Mention {
  readonly key: Expr;
  /** The target that is the key, where it is one: two equal targets may be grouped apart. */
  readonly target: TargetEntry | undefined;
  readonly slot: Expr;
}

/** The query with slots for its keys; null in `keys` for those that need none. Changes `scope.query` too. */
export function fixGroupKeys(
  context: BuildContext,
  scope: Scope,
): { query: Query; keys: readonly (GroupKey | null)[] } {
  const { state } = context;
  const { query } = scope;
  const hasSets = query.groupingSets !== null;
  const mentions: Mention[] = [];
  const made: { mention: Mention; key: GroupKey }[] = [];
  const keys = query.groupBy.map((item): GroupKey | null => {
    const target = query.targets.find((candidate) => candidate.expr === item.expr);
    const known = made.find(
      ({ mention }) =>
        equalExpr(mention.key, item.expr) &&
        (!hasSets || mention.target === undefined || target === undefined || mention.target === target),
    );
    if (known !== undefined) return known.key;
    const expr = convertExpression(context, scope, item.expr);
    // A bare column of the rows below stays what it is.
    if (!hasSets && (expr.kind === 'slot' || expr.kind === 'const')) return null;
    if (returnsSet(expr)) return null;
    const info = expr.kind === 'slot' ? state.slots[expr.slot] : null;
    const slot = state.newSlot(typeOf(expr), { notNull: false, origin: info?.origin ?? null });
    const mention: Mention = { key: item.expr, target, slot: asTree(state.slot(slot)) };
    mentions.push(mention);
    const key = { expr, slot };
    made.push({ mention, key });
    return key;
  });
  if (mentions.length === 0) return { query, keys };

  const replace = (expr: Expr): Expr =>
    mapExpr(expr, (node, depth) => {
      // What aggregates and GROUPING read are rows and keys below, but for direct arguments.
      if (node.kind === 'grouping' && node.levelsUp === depth) return node;
      if (node.kind === 'aggregate' && node.levelsUp === depth) {
        if (node.directArgs.length === 0) return node;
        return { ...node, directArgs: depth === 0 ? node.directArgs.map(replace) : node.directArgs };
      }
      if (node.kind === 'const' && depth > 0) return undefined;
      for (const { key, slot } of mentions) {
        if (depth === 0 ? equalExpr(key, node) : isSameColumn(key, node, depth)) return slot;
      }
      return undefined;
    });
  const replaceKeys = (items: SortKey[]): SortKey[] =>
    items.map((item) => ({ ...item, expr: replace(item.expr) }));
  const changed: Query = {
    ...query,
    targets: query.targets.map((target) => {
      const own = mentions.find((mention) => mention.target === target);
      return { ...target, expr: own === undefined ? replace(target.expr) : own.slot };
    }),
    having: query.having === null ? null : replace(query.having),
    orderBy: replaceOwn(query.orderBy),
    distinctOn: replaceOwn(query.distinctOn),
    windows: query.windows.map((window) => ({
      ...window,
      partitionBy: replaceKeys(window.partitionBy),
      orderBy: replaceKeys(window.orderBy),
    })),
  };
  scope.query = changed;
  return { query: changed, keys };

  function replaceOwn(items: SortKey[]): SortKey[] {
    return items.map((item) => {
      const own = mentions.find(({ target }) => target !== undefined && target.expr === item.expr);
      return { ...item, expr: own === undefined ? replace(item.expr) : own.slot };
    });
  }
}

/** A column of this level, read `depth` levels below it. */
function isSameColumn(key: Expr, node: Expr, depth: number): boolean {
  return (
    key.kind === 'var' &&
    node.kind === 'var' &&
    node.levelsUp === depth &&
    key.levelsUp === 0 &&
    key.relation === node.relation &&
    key.attribute === node.attribute
  );
}
