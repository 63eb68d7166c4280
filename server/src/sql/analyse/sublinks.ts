/** Subqueries in expressions: EXISTS, IN, ANY, ALL, scalar and array subqueries. */
import { DbError } from '../../base/error.ts';
import { positionOf, type SubLink, stringOf, stringsOf } from '../parse/ast.ts';
import type { Expr, SubLinkExpr } from '../tree.ts';
import { op, rowComparison } from './comparisons.ts';
import { transformExpr } from './expressions.ts';
import * as T from './oids.ts';
import { makeOperator } from './operators.ts';
import type { ExpressionKind, Scope } from './scope.ts';
import { analyseSubquery } from './select.ts';
import { typeLabel } from './type-name.ts';

export function transformSubLink(scope: Scope, link: SubLink): Expr {
  const position = positionOf(link.location);
  checkSubqueryPlace(scope, position);
  scope.hasSubLinks = true;
  const subquery = analyseSubquery(scope, link.subselect!, { isLocked: false, resolveUnknowns: true });
  const columns = subquery.targets.filter((target) => !target.junk);
  const base = {
    kind: 'subLink' as const,
    left: [] as Expr[],
    operatorOids: [] as number[],
    operatorName: null as string | null,
    rightCasts: [] as (Expr | null)[],
    subquery,
    typeOid: T.BOOL,
    typmod: -1,
    collation: 0,
    position,
  };
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return { ...base, type: 'exists' };
    case 'EXPR_SUBLINK':
    case 'ARRAY_SUBLINK': {
      if (columns.length !== 1)
        throw new DbError('syntax_error', 'subquery must return only one column').at(position);
      const column = columns[0].expr;
      if (link.subLinkType === 'EXPR_SUBLINK')
        return {
          ...base,
          type: 'scalar',
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
        };
      const type = scope.catalog.type(column.typeOid);
      const arrayType = type?.isTrueArray ? type.oid : (type?.arrayOid ?? 0);
      if (!arrayType)
        throw new DbError(
          'undefined_object',
          `could not find array type for data type ${typeLabel(scope.context, column.typeOid)}`,
        ).at(position);
      return {
        ...base,
        type: 'array',
        typeOid: arrayType,
        typmod: column.typmod,
        collation: column.collation,
      };
    }
    default: {
      const name = link.operName?.length ? link.operName : op('=');
      const leftExpr = transformExpr(scope, link.testexpr!);
      const left = leftExpr.kind === 'row' ? leftExpr.args : [leftExpr];
      if (left.length < columns.length)
        throw new DbError('syntax_error', 'subquery has too many columns').at(position);
      if (left.length > columns.length)
        throw new DbError('syntax_error', 'subquery has too few columns').at(position);
      const type: SubLinkExpr['type'] =
        link.subLinkType === 'ALL_SUBLINK'
          ? 'all'
          : link.subLinkType === 'ROWCOMPARE_SUBLINK'
            ? 'rowCompare'
            : 'any';
      const node: SubLinkExpr = {
        ...base,
        type,
        operatorName: stringOf(name[name.length - 1]),
      };
      left.forEach((expr, index) => {
        const column = columns[index].expr;
        const placeholder: Expr = {
          kind: 'caseTest',
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
        };
        const operator = makeOperator(scope, name, expr, placeholder, position);
        if (operator.typeOid !== T.BOOL)
          throw new DbError(
            'datatype_mismatch',
            `row comparison operator must yield type boolean, not type ${typeLabel(scope.context, operator.typeOid)}`,
          ).at(position);
        node.left.push(operator.args[0]);
        node.operatorOids.push(operator.operatorOid);
        node.rightCasts.push(operator.args[1] === placeholder ? null : operator.args[1]);
      });
      if (node.left.length > 1 && rowComparison(scope, node.operatorOids) === null)
        throw new DbError(
          'feature_not_supported',
          `could not determine interpretation of row comparison operator ${stringsOf(name).join('.')}`,
          { hint: 'Row comparison operators must be associated with btree operator families.' },
        ).at(position);
      return node;
    }
  }
}

function checkSubqueryPlace(scope: Scope, position: number | undefined): void {
  const places: Partial<Record<ExpressionKind, string>> = {
    check: 'cannot use subquery in check constraint',
    columnDefault: 'cannot use subquery in DEFAULT expression',
    functionDefault: 'cannot use subquery in DEFAULT expression',
    indexExpression: 'cannot use subquery in index expression',
    indexPredicate: 'cannot use subquery in index predicate',
    alterTransform: 'cannot use subquery in transform expression',
    executeParameter: 'cannot use subquery in EXECUTE parameter',
    generated: 'cannot use subquery in column generation expression',
    call: 'cannot use subquery in CALL argument',
    copyWhere: 'cannot use subquery in COPY FROM WHERE condition',
    triggerWhen: 'cannot use subquery in trigger WHEN condition',
  };
  const message = places[scope.kind];
  if (message !== undefined) throw new DbError('feature_not_supported', message).at(position);
}
