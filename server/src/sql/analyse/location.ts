/** Where an expression begins in the text, as errors point at it: its own position or that of its leftmost part. */
import { as, type Node, positionOf } from '../parse/ast.ts';
import type { Expr } from '../tree.ts';

function leftmost(own: number | undefined, parts: readonly Expr[]): number | undefined {
  let result = own;
  for (const part of parts) {
    const position = exprPosition(part);
    if (position !== undefined && (result === undefined || position < result)) result = position;
  }
  return result;
}

/** Position of an analysed expression (PostgreSQL's exprLocation). */
export function exprPosition(expr: Expr): number | undefined {
  switch (expr.kind) {
    case 'operator':
    case 'function':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator':
    case 'bool':
      return leftmost(expr.position, expr.args);
    case 'nullTest':
    case 'booleanTest':
    case 'relabel':
    case 'ioCast':
    case 'domainCast':
    case 'arrayCast':
    case 'collate':
      return leftmost(expr.position, [expr.arg]);
    case 'fieldSelect':
      return exprPosition(expr.arg) ?? expr.position;
    case 'subscript':
      return exprPosition(expr.arg) ?? expr.position;
    case 'subLink':
      return leftmost(expr.position, expr.left);
    case 'rowCompare':
      return leftmost(expr.position, expr.left);
    default:
      return expr.position;
  }
}

/** The same for a raw node: the smallest location in it. */
export function rawPosition(node: Node | undefined): number | undefined {
  let smallest = Number.POSITIVE_INFINITY;
  const walk = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return;
    if (Array.isArray(item)) {
      for (const child of item) walk(child);
      return;
    }
    const record = item as Record<string, unknown>;
    if (typeof record.location === 'number' && record.location >= 0 && record.location < smallest)
      smallest = record.location;
    for (const key in record) walk(record[key]);
  };
  const row = as(node, 'RowExpr');
  if (row) return positionOf(row.location);
  walk(node);
  return smallest === Number.POSITIVE_INFINITY ? undefined : smallest + 1;
}
