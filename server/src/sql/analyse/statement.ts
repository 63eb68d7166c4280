/**
 * Entry of analysis: raw statement → {@link AnalysedStatement}. Also single expressions of DDL (defaults, checks, index keys).
 *
 * Nothing here changes the catalog or evaluates rows; literals of known type are read by their type's input function, under the
 * session's formats, so a cached result is valid for the same DateStyle, IntervalStyle, TimeZone and search_path only.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { CatalogReader, RelationDescriptor, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { as, type Node, type RawStatement, tagOf } from '../parse/ast.ts';
import { stackDepthError } from '../parse/parser.ts';
import type { AnalysedStatement, Expr, Query } from '../tree.ts';
import { coerceToBoolean, coerceToTarget } from './coerce.ts';
import { assignCollations } from './collations.ts';
import { transformExpr } from './expressions.ts';
import { exprPosition } from './location.ts';
import { ParameterTypes } from './parameters.ts';
import { makeItem, relationEntry } from './range-table.ts';
import { type ExpressionKind, type NameHook, Scope, type StatementContext } from './scope.ts';
import { analyseQueryNode, isQueryTag } from './statement-kinds.ts';
import { formatType } from './type-name.ts';

export interface AnalyseOptions {
  catalog: CatalogReader;
  path: SearchPath;
  /** `names` should be `catalog.names(path)`, for reg* literals. */
  format: FormatContext;
  /** Declared types of $1 … (0 = to be found); absent = the statement may have no parameters. */
  parameterTypes?: readonly Oid[];
  /** Takes the place of `parameterTypes` where parameters are variables. */
  parameters?: ParameterTypes;
  names?: NameHook;
}

function contextOf(options: AnalyseOptions): StatementContext {
  return {
    catalog: options.catalog,
    path: options.path,
    format: options.format,
    parameters:
      options.parameters ??
      new ParameterTypes(options.parameterTypes ?? [], options.parameterTypes !== undefined),
    ...(options.names === undefined ? {} : { names: options.names }),
  };
}

/** Recursion in analysis is bounded by the stack like the parser's: 54001 instead of a crash. */
function guarded<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) throw stackDepthError();
    throw error;
  }
}

/** Analyses one statement. Utility statements come back as they are, with the query inside them analysed. */
export function analyseStatement(raw: RawStatement | Node, options: AnalyseOptions): AnalysedStatement {
  const tree = 'tree' in raw ? (raw as RawStatement).tree : (raw as Node);
  const context = contextOf(options);
  return guarded(() => {
    const statement = analyseNode(tree, context);
    statement.parameterTypes = context.parameters.finish();
    return statement;
  });
}

function analyseNode(tree: Node, context: StatementContext): AnalysedStatement {
  const tag = tagOf(tree);
  if (isQueryTag(tag)) {
    const into = as(tree, 'SelectStmt')?.intoClause ?? leftmostInto(tree);
    const query = analyseQueryNode(new Scope(context, null), tree);
    const statement: AnalysedStatement = { kind: 'query', query, parameterTypes: [] };
    // SELECT INTO is CREATE TABLE AS in other words.
    if (into)
      return {
        kind: 'utility',
        node: 'CreateTableAsStmt',
        tree: {
          CreateTableAsStmt: { query: tree, into, objtype: 'OBJECT_TABLE', is_select_into: true },
        },
        parameterTypes: [],
        inner: statement,
      };
    return statement;
  }
  const utility: AnalysedStatement = { kind: 'utility', node: tag, tree, parameterTypes: [] };
  const content = (tree as unknown as Record<string, { query?: Node; options?: unknown }>)[tag];
  switch (tag) {
    case 'ExplainStmt':
    case 'DeclareCursorStmt':
    case 'CreateTableAsStmt':
    case 'CopyStmt':
      if (content.query) utility.inner = analyseNode(content.query, context);
      break;
    default:
      break;
  }
  if (tag === 'CopyStmt' && utility.inner?.kind === 'query' && utility.inner.query.command !== 'select') {
    if (utility.inner.query.returning.length === 0)
      throw new DbError('feature_not_supported', 'COPY query must have a RETURNING clause');
  }
  return utility;
}

function leftmostInto(tree: Node): unknown {
  let select = as(tree, 'SelectStmt');
  while (select?.larg) select = select.larg;
  return select?.intoClause;
}

/** Analyses an optimisable statement and nothing else (bodies of SQL functions, CREATE VIEW). */
export function analyseQuery(tree: Node, options: AnalyseOptions): Query {
  const statement = analyseStatement(tree, options);
  if (statement.kind !== 'query') throw new DbError('syntax_error', `unexpected statement ${statement.node}`);
  return statement.query;
}

export interface ExpressionOptions extends AnalyseOptions {
  kind: ExpressionKind;
  /** Its columns are visible; Vars have relation 1. */
  relation?: RelationDescriptor;
  /** It is a condition: coerce the result to boolean; the text names the clause in the error. */
  condition?: string;
  /** Coerce the result by assignment; `label` names the target in the error. */
  target?: { typeOid: Oid; typmod: number; label: string; parameter?: number | undefined };
  /** VALUE in a domain's CHECK. */
  domainValue?: Expr;
}

/** Analyses a stand-alone expression: DEFAULT, CHECK, index key or predicate, generation expression, EXECUTE argument. */
export function analyseExpression(node: Node, options: ExpressionOptions): Expr {
  const context = contextOf(options);
  return guarded(() => {
    const scope = new Scope(context, null);
    scope.domainValue = options.domainValue ?? null;
    if (options.relation) {
      const entry = relationEntry(scope, options.relation, { lockMode: 'AccessShare', inFrom: true });
      scope.namespace = [makeItem(entry, 1)];
    }
    scope.kind = options.kind;
    let expr = transformExpr(scope, node);
    if (options.condition !== undefined) expr = coerceToBoolean(scope, expr, options.condition);
    if (options.target) {
      const { typeOid, typmod, label, parameter } = options.target;
      const coerced = coerceToTarget(
        scope,
        expr,
        expr.typeOid,
        typeOid,
        typmod,
        'assignment',
        'implicitCast',
        expr.position,
      );
      if (!coerced && parameter !== undefined)
        throw new DbError(
          'datatype_mismatch',
          `parameter $${parameter} of type ${formatType(options.catalog, options.path, expr.typeOid)} cannot be coerced to the expected type ${formatType(options.catalog, options.path, typeOid)}`,
          { hint: 'You will need to rewrite or cast the expression.' },
        ).at(exprPosition(expr));
      if (!coerced)
        throw new DbError(
          'datatype_mismatch',
          `${label} is of type ${formatType(options.catalog, options.path, typeOid)} but default expression is of type ${formatType(options.catalog, options.path, expr.typeOid)}`,
          { hint: 'You will need to rewrite or cast the expression.' },
        );
      expr = coerced;
    }
    assignCollations(scope, expr);
    context.parameters.finish();
    return expr;
  });
}
