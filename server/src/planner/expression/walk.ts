/**
 * Generic traversal of expressions at every stage of planning.
 *
 * A {@link LExpr} is a tree expression whose Vars have become slots; subqueries are either logical ({@link SubqueryExpr})
 * or already planned (SubPlanExpr). Expressions are immutable and shared freely: mapping returns the same object when
 * nothing below changed.
 */
import { assertNever } from '../../base/error.ts';
import type { Expr, ExprBase, SortKey } from '../../sql/tree.ts';
import type { LogicalNode } from '../logical/algebra.ts';
import type { SlotExpr, SubPlanExpr } from '../physical.ts';

/** A subquery inside an expression before it is unnested or planned. Its outer references are slots its own plan does not produce. */
export interface SubqueryExpr extends ExprBase {
  kind: 'subquery';
  type: 'exists' | 'any' | 'all' | 'scalar' | 'array' | 'rowCompare';
  left: LExpr[];
  operatorOids: number[];
  operatorName: string | null;
  /** One expression per compared (or returned) column, over the slots of `plan`, already cast. */
  right: LExpr[];
  plan: LogicalNode;
}

export type LExpr = Expr | SlotExpr | SubPlanExpr | SubqueryExpr;

/** The tree's types know nothing of slots; this is the one place where a planner expression is put into a tree position. */
export function asTree(expr: LExpr): Expr {
  return expr as Expr;
}

function asTrees(exprs: LExpr[]): Expr[] {
  return exprs as Expr[];
}

/** Calls `visit` for every direct child expression. Logical plans inside subqueries are not entered. */
export function forEachChild(expr: LExpr, visit: (child: LExpr) => void): void {
  switch (expr.kind) {
    case 'const':
    case 'var':
    case 'param':
    case 'slot':
    case 'caseTest':
    case 'sqlValue':
    case 'currentOf':
    case 'default':
      return;
    case 'function':
    case 'operator':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'bool':
    case 'coalesce':
    case 'minmax':
    case 'row':
    case 'grouping':
      for (const arg of expr.args) visit(arg);
      return;
    case 'nullTest':
    case 'booleanTest':
    case 'relabel':
    case 'ioCast':
    case 'domainCast':
    case 'collate':
    case 'fieldSelect':
      visit(expr.arg);
      return;
    case 'arrayCast':
      visit(expr.arg);
      visit(expr.element);
      return;
    case 'case':
      if (expr.arg !== null) visit(expr.arg);
      for (const when of expr.whens) {
        visit(when.condition);
        visit(when.result);
      }
      if (expr.defaultResult !== null) visit(expr.defaultResult);
      return;
    case 'array':
      for (const element of expr.elements) visit(element);
      return;
    case 'rowCompare':
      for (const arg of expr.left) visit(arg);
      for (const arg of expr.right) visit(arg);
      return;
    case 'subscript':
      visit(expr.arg);
      for (const index of expr.upper) if (index !== null) visit(index);
      for (const index of expr.lower ?? []) if (index !== null) visit(index);
      if (expr.assignment !== null) visit(expr.assignment);
      return;
    case 'fieldStore':
      visit(expr.arg);
      for (const value of expr.values) visit(value);
      return;
    case 'aggregate':
      for (const arg of expr.directArgs) visit(arg);
      for (const arg of expr.args) visit(arg);
      for (const key of expr.orderBy) visit(key.expr);
      if (expr.filter !== null) visit(expr.filter);
      return;
    case 'window':
      for (const arg of expr.args) visit(arg);
      if (expr.filter !== null) visit(expr.filter);
      return;
    case 'subLink':
      for (const arg of expr.left) visit(arg);
      return;
    case 'subPlan':
      for (const arg of expr.left) visit(arg);
      return;
    case 'subquery':
      for (const arg of expr.left) visit(arg);
      return;
    default:
      assertNever(expr, 'forEachChild');
  }
}

function mapList(list: readonly LExpr[], f: (child: LExpr) => LExpr): LExpr[] | null {
  let result: LExpr[] | null = null;
  for (let i = 0; i < list.length; i++) {
    const before = list[i];
    const after = f(before);
    if (after !== before && result === null) result = list.slice(0, i);
    if (result !== null) result.push(after);
  }
  return result;
}

/** Rebuilds `expr` with `f` applied to each direct child; the same object when no child changed. */
export function mapChildren(expr: LExpr, f: (child: LExpr) => LExpr): LExpr {
  switch (expr.kind) {
    case 'const':
    case 'var':
    case 'param':
    case 'slot':
    case 'caseTest':
    case 'sqlValue':
    case 'currentOf':
    case 'default':
      return expr;
    case 'function':
    case 'operator':
    case 'bool':
    case 'coalesce':
    case 'minmax':
    case 'row':
    case 'grouping': {
      const args = mapList(expr.args, f);
      return args === null ? expr : ({ ...expr, args: asTrees(args) } as LExpr);
    }
    case 'distinct':
    case 'nullif':
    case 'arrayOperator': {
      const args = mapList(expr.args, f);
      return args === null ? expr : ({ ...expr, args: args as [Expr, Expr] } as LExpr);
    }
    case 'nullTest':
    case 'booleanTest':
    case 'relabel':
    case 'ioCast':
    case 'domainCast':
    case 'collate':
    case 'fieldSelect': {
      const arg = f(expr.arg);
      return arg === expr.arg ? expr : ({ ...expr, arg: asTree(arg) } as LExpr);
    }
    case 'arrayCast': {
      const arg = f(expr.arg);
      const element = f(expr.element);
      return arg === expr.arg && element === expr.element
        ? expr
        : { ...expr, arg: asTree(arg), element: asTree(element) };
    }
    case 'case': {
      let changed = false;
      const arg = expr.arg === null ? null : f(expr.arg);
      changed ||= arg !== expr.arg;
      const whens = expr.whens.map((when) => {
        const condition = f(when.condition);
        const result = f(when.result);
        if (condition === when.condition && result === when.result) return when;
        changed = true;
        return { condition: asTree(condition), result: asTree(result) };
      });
      const defaultResult = expr.defaultResult === null ? null : f(expr.defaultResult);
      changed ||= defaultResult !== expr.defaultResult;
      return changed
        ? { ...expr, arg: arg as Expr | null, whens, defaultResult: defaultResult as Expr | null }
        : expr;
    }
    case 'array': {
      const elements = mapList(expr.elements, f);
      return elements === null ? expr : { ...expr, elements: asTrees(elements) };
    }
    case 'rowCompare': {
      const left = mapList(expr.left, f);
      const right = mapList(expr.right, f);
      return left === null && right === null
        ? expr
        : {
            ...expr,
            left: left === null ? expr.left : asTrees(left),
            right: right === null ? expr.right : asTrees(right),
          };
    }
    case 'subscript': {
      let changed = false;
      const one = (index: Expr | null): Expr | null => {
        if (index === null) return null;
        const mapped = asTree(f(index));
        changed ||= mapped !== index;
        return mapped;
      };
      const arg = one(expr.arg) as Expr;
      const upper = expr.upper.map(one);
      const lower = expr.lower === null ? null : expr.lower.map(one);
      const assignment = one(expr.assignment);
      return changed ? { ...expr, arg, upper, lower, assignment } : expr;
    }
    case 'fieldStore': {
      const arg = f(expr.arg);
      const values = mapList(expr.values, f);
      return arg === expr.arg && values === null
        ? expr
        : { ...expr, arg: asTree(arg), values: values === null ? expr.values : asTrees(values) };
    }
    case 'aggregate': {
      const directArgs = mapList(expr.directArgs, f);
      const args = mapList(expr.args, f);
      const orderBy = mapSortKeys(expr.orderBy, f);
      const filter = expr.filter === null ? null : asTree(f(expr.filter));
      return directArgs === null && args === null && orderBy === expr.orderBy && filter === expr.filter
        ? expr
        : {
            ...expr,
            directArgs: directArgs === null ? expr.directArgs : asTrees(directArgs),
            args: args === null ? expr.args : asTrees(args),
            orderBy,
            filter,
          };
    }
    case 'window': {
      const args = mapList(expr.args, f);
      const filter = expr.filter === null ? null : asTree(f(expr.filter));
      return args === null && filter === expr.filter
        ? expr
        : { ...expr, args: args === null ? expr.args : asTrees(args), filter };
    }
    case 'subLink':
    case 'subPlan':
    case 'subquery': {
      const left = mapList(expr.left, f);
      return left === null ? expr : ({ ...expr, left } as LExpr);
    }
    default:
      return assertNever(expr, 'mapChildren');
  }
}

/** Sort keys with `f` applied to each expression; the same array when nothing changed. */
export function mapSortKeys(keys: SortKey[], f: (expr: LExpr) => LExpr): SortKey[] {
  let changed = false;
  const result = keys.map((key) => {
    const expr = f(key.expr);
    if (expr === key.expr) return key;
    changed = true;
    return { ...key, expr: asTree(expr) };
  });
  return changed ? result : keys;
}

/** True when `test` holds for the expression or anything below it (logical plans inside subqueries are not entered). */
export function someExpr(expr: LExpr, test: (expr: LExpr) => boolean): boolean {
  if (test(expr)) return true;
  let found = false;
  forEachChild(expr, (child) => {
    if (!found && someExpr(child, test)) found = true;
  });
  return found;
}
