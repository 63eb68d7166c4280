/** SqlServices over the sql room: what DDL commands analyse, coerce, evaluate and print. */
import { DbError } from '../../base/error.ts';
import type { CatalogReader, SearchPath } from '../../catalog/contract.ts';
import { coerceToTarget } from '../../sql/analyse/coerce.ts';
import {
  type AnalyseOptions,
  type ExpressionKind as AnalysisKind,
  analyseExpression,
  analyseQuery,
  formatType,
  resolveTypeName,
} from '../../sql/analyse/index.ts';
import { ParameterTypes } from '../../sql/analyse/parameters.ts';
import { analyseRule } from '../../sql/analyse/rule.ts';
import { Scope, type StatementContext } from '../../sql/analyse/scope.ts';
import { analyseTriggerCondition } from '../../sql/analyse/trigger-condition.ts';
import { STORED_DEPARSER } from '../../sql/deparse/stored.ts';
import type { Node } from '../../sql/parse/nodes.ts';
import { parseStatements } from '../../sql/parse/parser.ts';
import type { Expr, Query } from '../../sql/tree.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { ExpressionKind, SqlServices } from './contract.ts';

const BOOL = 16;

const KINDS: Readonly<Record<ExpressionKind, AnalysisKind>> = {
  default: 'columnDefault',
  'function default': 'functionDefault',
  check: 'check',
  index: 'indexExpression',
  'index predicate': 'indexPredicate',
  using: 'alterTransform',
  generated: 'generated',
  'domain check': 'check',
};

export interface SqlServiceOptions {
  /** The catalog as the transaction sees it now. */
  catalog(): CatalogReader;
  path(): SearchPath;
  format(): FormatContext;
  evaluate(expr: Expr): Datum;
}

/** Raw tree of one statement. */
export function parseStatement(text: string): Node {
  const { statements } = parseStatements(text);
  if (statements.length !== 1) throw new DbError('syntax_error', 'expected one statement');
  return statements[0]!.tree;
}

/** Raw tree of an expression. */
export function parseExpression(text: string): Node {
  const tree = parseStatement(`SELECT ${text}`) as {
    SelectStmt: { targetList?: { ResTarget: { val: Node } }[] };
  };
  return tree.SelectStmt.targetList![0]!.ResTarget.val;
}

export function createSqlServices(options: SqlServiceOptions): SqlServices {
  const analysis = (): AnalyseOptions => ({
    catalog: options.catalog(),
    path: options.path(),
    format: options.format(),
  });
  const context = (): StatementContext => ({ ...analysis(), parameters: new ParameterTypes([], false) });
  return {
    resolveTypeName: (name) => resolveTypeName(context(), name),
    expression(node, { kind, relation, target, domainType }) {
      const expr = analyseExpression(node, {
        ...analysis(),
        kind: KINDS[kind],
        relation: relation ?? undefined,
        target:
          target === undefined
            ? undefined
            : {
                typeOid: target.typeOid,
                typmod: target.typmod,
                label: kind === 'function default' ? `argument` : `column "${target.columnName}"`,
              },
        domainValue: domainType === undefined ? undefined : { kind: 'caseTest', ...domainType },
      });
      if (kind !== 'check' && kind !== 'index predicate' && kind !== 'domain check') return expr;
      if (expr.typeOid === BOOL) return expr;
      const condition = coerce(context(), expr, BOOL, -1);
      if (condition === null)
        throw new DbError(
          'datatype_mismatch',
          `argument of ${kind === 'index predicate' ? 'WHERE' : 'CHECK'} must be type boolean, not type ${formatType(options.catalog(), options.path(), expr.typeOid)}`,
        ).at(expr.position);
      return condition;
    },
    triggerCondition: (node, relation, what) => analyseTriggerCondition(node, relation, what, analysis()),
    rule: (rule, relation) => analyseRule(rule, relation, analysis()),
    coerce: (expr, typeOid, typmod) => coerce(context(), expr, typeOid, typmod),
    query: (node): Query => analyseQuery(node, analysis()),
    evaluate: (expr) => options.evaluate(expr),
    parseExpression,
    parseStatement,
    deparseExpression: (serialised, relation, reader) =>
      STORED_DEPARSER.expression(serialised, relation, { reader, path: options.path(), pretty: false }),
  };
}

function coerce(context: StatementContext, expr: Expr, typeOid: number, typmod: number): Expr | null {
  return coerceToTarget(
    new Scope(context, null),
    expr,
    expr.typeOid,
    typeOid,
    typmod,
    'assignment',
    'implicitCast',
    expr.position,
  );
}
