/**
 * Tree → SQL text, as pg_get_viewdef, pg_get_expr and EXPLAIN print it.
 *
 * `pretty` false is the default of the SQL functions without their second argument: every operation in parentheses.
 */
import type { CatalogReader, RelationDescriptor, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { systemColumnName } from '../analyse/columns.ts';
import { quoteIdentifier } from '../parse/keywords.ts';
import type { Expr, Query, VarExpr } from '../tree.ts';
import { type DeparseScope, writeConst, writeExpr, writeSortKeys } from './expression.ts';
import { writeQuery, writeRule } from './query.ts';
import { Writer } from './writer.ts';

export { quoteLiteral } from './expression.ts';

export interface DeparseOptions {
  catalog: CatalogReader;
  path: SearchPath;
  format: FormatContext;
  pretty?: boolean;
}

export interface DeparseExpressionOptions extends DeparseOptions {
  /** Table whose columns the expression is over: printed by name without a prefix. */
  relation?: RelationDescriptor | null;
  /** Prints Vars some other way (EXPLAIN: "alias.column" where the plan has several relations). */
  variable?: (variable: VarExpr, isTopLevel: boolean) => string;
  /** Prints nodes only plans have (slots, subplans). */
  planNode?: (expr: Expr) => string | undefined;
  /** False for EXPLAIN: all on one line. Default true, as pg_get_expr. */
  indent?: boolean;
  /** Print casts nobody wrote at the top too. */
  showImplicit?: boolean;
}

function scopeOf(options: DeparseExpressionOptions): DeparseScope {
  const scope: DeparseScope = {
    catalog: options.catalog,
    path: options.path,
    format: options.format,
    windows: [],
    variable:
      options.variable ??
      ((variable) => {
        if (variable.attribute < 0) return systemColumnName(variable.attribute);
        const column = options.relation?.columns[variable.attribute - 1];
        if (variable.attribute === 0) return `${quoteIdentifier(options.relation?.name ?? '')}.*`;
        return column ? quoteIdentifier(column.name) : `$${variable.attribute}`;
      }),
    subquery: (writer, query) => writeQuery(writer, scope, query, null, null),
    ...(options.planNode ? { planNode: options.planNode } : {}),
  };
  return scope;
}

/** pg_get_expr, or with `indent: false` a condition as EXPLAIN prints it. */
export function deparseExpr(expr: Expr, options: DeparseExpressionOptions): string {
  const writer = new Writer({
    prettyParens: options.pretty === true,
    prettyIndent: options.indent !== false,
  });
  const scope = scopeOf(options);
  writeExpr(writer, scope, expr, options.showImplicit === true);
  return writer.text;
}

/** pg_get_viewdef without its final semicolon; `columnNames` are the view's own column names. */
export function deparseQuery(
  query: Query,
  options: DeparseOptions & { columnNames?: readonly string[] },
): string {
  const writer = new Writer({ prettyParens: options.pretty === true, prettyIndent: true });
  writeQuery(writer, options, query, null, options.columnNames ?? null);
  return writer.text;
}

/** pg_get_viewdef. */
export function deparseView(
  query: Query,
  options: DeparseOptions & { columnNames?: readonly string[] },
): string {
  return `${deparseQuery(query, options)};`;
}

/** pg_get_ruledef. */
export function deparseRule(rule: Parameters<typeof writeRule>[2], options: DeparseOptions): string {
  const writer = new Writer({ prettyParens: options.pretty === true, prettyIndent: true });
  writeRule(writer, options, rule);
  return writer.text;
}

export { type DeparseScope, Writer, writeConst, writeExpr, writeSortKeys };
