/** Window functions: one window node per window used, those with longer key lists lowest so that shorter ones reuse the sort. */
import type { FrameBound, SortKey, WindowFunctionExpr } from '../../sql/tree.ts';
import { asTree, type LExpr, mapChildren, mapSortKeys } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';
import type { LogicalNode, LWindow } from './algebra.ts';
import { materialise } from './project.ts';
import { type BuildContext, convertExpression, type Scope } from './scope.ts';
import { dedupe } from './sort-keys.ts';

export type ConvertedWindow = Omit<LWindow, 'kind' | 'child'>;

/** Converts the windows that calls of this level use. Must run before grouping: window keys may hold aggregates. */
export function convertWindows(context: BuildContext, scope: Scope): ConvertedWindow[] {
  const convertKeys = (keys: SortKey[]): SortKey[] =>
    mapSortKeys(keys, (expr) => convertExpression(context, scope, expr));
  const bound = (b: FrameBound): { kind: string; offset: LExpr | null } => ({
    kind: b.kind,
    offset:
      b.kind === 'preceding' || b.kind === 'following' ? convertExpression(context, scope, b.offset) : null,
  });
  const windows = [...scope.windowCalls].map(([index, functions]): ConvertedWindow => {
    const clause = scope.query.windows[index];
    return {
      functions,
      partitionBy: convertKeys(clause.partitionBy),
      orderBy: convertKeys(clause.orderBy),
      frame: {
        mode: clause.frame.mode,
        start: bound(clause.frame.start),
        end: bound(clause.frame.end),
        exclude: clause.frame.exclude,
        startInRange: clause.frame.startInRange,
        endInRange: clause.frame.endInRange,
      },
    };
  });
  return windows.sort(
    (a, b) => b.partitionBy.length + b.orderBy.length - (a.partitionBy.length + a.orderBy.length),
  );
}

/** Every expression the windows hold, for the grouping below them. */
export function windowExpressions(windows: readonly ConvertedWindow[]): LExpr[] {
  return windows.flatMap((window) => [
    ...window.partitionBy.map((key): LExpr => key.expr),
    ...window.orderBy.map((key): LExpr => key.expr),
    ...window.functions.flatMap((item): LExpr[] => [
      ...item.call.args,
      ...(item.call.filter === null ? [] : [item.call.filter]),
    ]),
  ]);
}

export function addWindows(
  state: PlannerState,
  input: LogicalNode,
  windows: readonly ConvertedWindow[],
  rewrite: (expr: LExpr) => LExpr,
): LogicalNode {
  let node = input;
  for (const window of windows) {
    const partitionBy = dedupe(mapSortKeys(window.partitionBy, rewrite));
    const keys = [...partitionBy, ...mapSortKeys(window.orderBy, rewrite)];
    const fixed = materialise(
      state,
      node,
      keys.map((key) => key.expr),
    );
    node = fixed.node;
    const slots = keys.map((key, i) => ({ ...key, expr: asTree(fixed.exprs[i]) }));
    node = {
      kind: 'window',
      child: node,
      partitionBy: slots.slice(0, partitionBy.length),
      orderBy: slots.slice(partitionBy.length),
      frame: window.frame,
      functions: window.functions.map((item) => ({
        ...item,
        call: mapChildren(item.call, rewrite) as WindowFunctionExpr,
      })),
    };
  }
  return node;
}
