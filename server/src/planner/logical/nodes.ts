/** Generic helpers over logical nodes: children, expressions, provided and used slots, substitution. */
import { assertNever } from '../../base/error.ts';
import type { AggregateExpr, SortKey, WindowFunctionExpr } from '../../sql/tree.ts';
import { forEachChild, type LExpr, mapChildren, mapSortKeys } from '../expression/walk.ts';
import type { LogicalNode } from './algebra.ts';

export function childrenOf(node: LogicalNode): LogicalNode[] {
  switch (node.kind) {
    case 'scan':
    case 'result':
    case 'empty':
    case 'values':
    case 'functionScan':
    case 'cteScan':
    case 'workTableScan':
      return [];
    case 'join':
      return [node.left, node.right];
    case 'setOperation':
      return node.children;
    case 'recursiveUnion':
      return [node.base, node.recursive];
    default:
      return [node.child];
  }
}

/** Rebuilds the node with `f` applied to each child node; the same object when nothing changed. */
export function mapNodeChildren(node: LogicalNode, f: (child: LogicalNode) => LogicalNode): LogicalNode {
  switch (node.kind) {
    case 'scan':
    case 'result':
    case 'empty':
    case 'values':
    case 'functionScan':
    case 'cteScan':
    case 'workTableScan':
      return node;
    case 'join': {
      const left = f(node.left);
      const right = f(node.right);
      return left === node.left && right === node.right ? node : { ...node, left, right };
    }
    case 'setOperation': {
      const children = node.children.map(f);
      return children.every((child, i) => child === node.children[i]) ? node : { ...node, children };
    }
    case 'recursiveUnion': {
      const base = f(node.base);
      const recursive = f(node.recursive);
      return base === node.base && recursive === node.recursive ? node : { ...node, base, recursive };
    }
    default: {
      const child = f(node.child);
      return child === node.child ? node : ({ ...node, child } as LogicalNode);
    }
  }
}

/** Calls `visit` with every expression the node itself holds (not its children's). */
export function forEachExpression(node: LogicalNode, visit: (expr: LExpr) => void): void {
  mapNodeExpressions(node, (expr) => {
    visit(expr);
    return expr;
  });
}

function mapPairs<T extends { expr: LExpr }>(list: T[], f: (expr: LExpr) => LExpr): T[] {
  let changed = false;
  const result = list.map((item) => {
    const expr = f(item.expr);
    if (expr === item.expr) return item;
    changed = true;
    return { ...item, expr };
  });
  return changed ? result : list;
}

function mapExprs<T extends LExpr | null>(list: T[], f: (expr: LExpr) => LExpr): T[] {
  let changed = false;
  const result = list.map((expr) => {
    // Constants never change; long VALUES lists consist of them.
    if (expr === null || expr.kind === 'const') return expr;
    const mapped = f(expr) as T;
    changed ||= mapped !== expr;
    return mapped;
  });
  return changed ? result : list;
}

/** Rebuilds the node with `f` applied to each of its own expressions; the same object when nothing changed. */
export function mapNodeExpressions(node: LogicalNode, f: (expr: LExpr) => LExpr): LogicalNode {
  switch (node.kind) {
    case 'scan':
    case 'result':
    case 'empty':
    case 'cteScan':
    case 'workTableScan':
    case 'setOperation':
    case 'recursiveUnion':
    case 'lockRows':
      return node;
    case 'values': {
      let changed = false;
      const rows = node.rows.map((row) => {
        const mapped = mapExprs(row, f);
        changed ||= mapped !== row;
        return mapped;
      });
      return changed ? { ...node, rows } : node;
    }
    case 'functionScan': {
      const functions = mapPairs(node.functions, f);
      return functions === node.functions ? node : { ...node, functions };
    }
    case 'join':
    case 'filter': {
      const predicates = mapExprs(node.predicates, f);
      return predicates === node.predicates ? node : { ...node, predicates };
    }
    case 'project':
    case 'projectSet': {
      const exprs = mapPairs(node.exprs, f);
      return exprs === node.exprs ? node : { ...node, exprs };
    }
    case 'aggregate': {
      const groups = mapPairs(node.groups, f);
      let changed = groups !== node.groups;
      const aggregates = node.aggregates.map((aggregate) => {
        const call = mapChildren(aggregate.call, f) as AggregateExpr;
        if (call === aggregate.call) return aggregate;
        changed = true;
        return { ...aggregate, call };
      });
      return changed ? { ...node, groups, aggregates } : node;
    }
    case 'window': {
      const partitionBy = mapSortKeys(node.partitionBy, f);
      const orderBy = mapSortKeys(node.orderBy, f);
      let changed = partitionBy !== node.partitionBy || orderBy !== node.orderBy;
      const functions = node.functions.map((item) => {
        const call = mapChildren(item.call, f) as WindowFunctionExpr;
        if (call === item.call) return item;
        changed = true;
        return { ...item, call };
      });
      const bound = (b: { kind: string; offset: LExpr | null }) => {
        if (b.offset === null) return b;
        const offset = f(b.offset);
        if (offset === b.offset) return b;
        changed = true;
        return { ...b, offset };
      };
      const start = bound(node.frame.start);
      const end = bound(node.frame.end);
      return changed
        ? { ...node, partitionBy, orderBy, functions, frame: { ...node.frame, start, end } }
        : node;
    }
    case 'distinct': {
      const keys = mapSortKeys(node.keys, f);
      const order = mapSortKeys(node.order, f);
      return keys === node.keys && order === node.order ? node : { ...node, keys, order };
    }
    case 'sort': {
      const keys = mapSortKeys(node.keys, f);
      return keys === node.keys ? node : { ...node, keys };
    }
    case 'limit': {
      const limit = node.limit === null ? null : f(node.limit);
      const offset = node.offset === null ? null : f(node.offset);
      const tiesKeys: SortKey[] | null = node.tiesKeys === null ? null : mapSortKeys(node.tiesKeys, f);
      return limit === node.limit && offset === node.offset && tiesKeys === node.tiesKeys
        ? node
        : { ...node, limit, offset, tiesKeys };
    }
    case 'modify': {
      const row = mapExprs(node.row, f);
      const returning = mapPairs(node.returning, f);
      const onConflict =
        node.onConflict === null
          ? null
          : {
              ...node.onConflict,
              row: mapExprs(node.onConflict.row, f),
              where: node.onConflict.where === null ? null : f(node.onConflict.where),
            };
      const mergeActions = node.mergeActions.map((action) => ({
        ...action,
        condition: action.condition === null ? null : f(action.condition),
        row: mapExprs(action.row, f),
      }));
      const viewChecks = node.viewChecks.map((check) => ({ ...check, condition: f(check.condition) }));
      const oldRow = node.oldRow === undefined ? {} : { oldRow: node.oldRow.map(f) };
      return { ...node, ...oldRow, row, returning, onConflict, mergeActions, viewChecks };
    }
    default:
      return assertNever(node, 'mapNodeExpressions');
  }
}

/** Applies `f` top-down to every expression tree of the plan, plans of subqueries inside expressions included. */
export function mapAllExpressions(node: LogicalNode, f: (expr: LExpr) => LExpr): LogicalNode {
  const deep = (expr: LExpr): LExpr => {
    const mapped = f(expr);
    if (mapped !== expr) return mapped;
    const below = mapChildren(expr, deep);
    if (below.kind !== 'subquery') return below;
    const plan = mapAllExpressions(below.plan, f);
    let changed = plan !== below.plan;
    const right = below.right.map((item) => {
      const next = deep(item);
      changed ||= next !== item;
      return next;
    });
    return changed ? { ...below, plan, right } : below;
  };
  return mapNodeChildren(mapNodeExpressions(node, deep), (child) => mapAllExpressions(child, f));
}

/** Replaces slots by expressions everywhere in an expression, plans of subqueries included. */
export function substituteSlots(expr: LExpr, replacement: ReadonlyMap<number, LExpr>): LExpr {
  if (replacement.size === 0) return expr;
  const one = (e: LExpr): LExpr => (e.kind === 'slot' ? (replacement.get(e.slot) ?? e) : e);
  const deep = (e: LExpr): LExpr => {
    const mapped = one(e);
    if (mapped !== e) return mapped;
    const below = mapChildren(e, deep);
    if (below.kind !== 'subquery') return below;
    const plan = mapAllExpressions(below.plan, one);
    return plan === below.plan ? below : { ...below, plan };
  };
  return deep(expr);
}

/** Slots that the subtree produces and hands up. */
export function providedSlots(node: LogicalNode, into: Set<number> = new Set()): Set<number> {
  switch (node.kind) {
    case 'scan':
      for (const slot of node.columns.values()) into.add(slot);
      if (node.rowIdSlot >= 0) into.add(node.rowIdSlot);
      return into;
    case 'result':
      return into;
    case 'empty':
    case 'values':
    case 'cteScan':
    case 'workTableScan':
    case 'setOperation':
    case 'recursiveUnion':
      for (const slot of node.slots) into.add(slot);
      return into;
    case 'functionScan':
      for (const f of node.functions) for (const slot of f.slots) into.add(slot);
      if (node.ordinalitySlot >= 0) into.add(node.ordinalitySlot);
      return into;
    case 'join':
      providedSlots(node.left, into);
      if (node.type !== 'semi' && node.type !== 'anti') providedSlots(node.right, into);
      return into;
    case 'project':
    case 'projectSet':
      providedSlots(node.child, into);
      for (const item of node.exprs) into.add(item.slot);
      return into;
    case 'aggregate':
      for (const group of node.groups) into.add(group.slot);
      for (const item of node.grouping) into.add(item.slot);
      for (const item of node.aggregates) into.add(item.slot);
      return into;
    case 'window':
      providedSlots(node.child, into);
      for (const item of node.functions) into.add(item.slot);
      return into;
    case 'modify':
      for (const item of node.returning) into.add(item.slot);
      return into;
    case 'distinct':
      if (node.on) return providedSlots(node.child, into);
      for (const key of node.keys) usedSlots(key.expr, into);
      return into;
    case 'filter':
    case 'sort':
    case 'limit':
    case 'lockRows':
      return providedSlots(node.child, into);
    default:
      return assertNever(node, 'providedSlots');
  }
}

/** Every slot produced anywhere in the subtree, handed up or not. */
export function producedSlots(node: LogicalNode, into: Set<number> = new Set()): Set<number> {
  providedSlots(node, into);
  if (node.kind === 'modify') {
    providedSlots(node.target, into);
    if (node.onConflict !== null) providedSlots(node.onConflict.excluded, into);
  }
  for (const child of childrenOf(node)) producedSlots(child, into);
  return into;
}

/** Slots an expression reads; for subqueries their outer references. */
export function usedSlots(expr: LExpr, into: Set<number> = new Set()): Set<number> {
  if (expr.kind === 'slot') into.add(expr.slot);
  else if (expr.kind === 'subPlan') for (const slot of expr.parameters) into.add(slot);
  else if (expr.kind === 'subquery') {
    for (const slot of outerSlots(expr.plan)) into.add(slot);
    const produced = producedSlots(expr.plan);
    for (const item of expr.right)
      for (const slot of usedSlots(item)) if (!produced.has(slot)) into.add(slot);
  }
  forEachChild(expr, (child) => usedSlots(child, into));
  return into;
}

/** Slots the subtree reads but does not produce: its correlation. */
export function outerSlots(node: LogicalNode): Set<number> {
  const used = new Set<number>();
  const visit = (n: LogicalNode): void => {
    forEachExpression(n, (expr) => usedSlots(expr, used));
    for (const child of childrenOf(n)) visit(child);
  };
  visit(node);
  for (const slot of producedSlots(node)) used.delete(slot);
  return used;
}

export function isSubset(small: Iterable<number>, big: ReadonlySet<number>): boolean {
  for (const item of small) if (!big.has(item)) return false;
  return true;
}

export function intersects(left: Iterable<number>, right: ReadonlySet<number>): boolean {
  for (const item of left) if (right.has(item)) return true;
  return false;
}
