/** WHEN of a trigger: an expression over the rows OLD and NEW. */
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import type { Node } from '../parse/ast.ts';
import type { Expr } from '../tree.ts';
import { walkExpr } from '../walk.ts';
import { coerceToBoolean } from './coerce.ts';
import { assignCollations } from './collations.ts';
import { transformExpr } from './expressions.ts';
import { ParameterTypes } from './parameters.ts';
import { makeItem, relationEntry } from './range-table.ts';
import { Scope } from './scope.ts';
import type { AnalyseOptions } from './statement.ts';

/** Vars of relation 1 are OLD's columns, of relation 2 NEW's. Errors 42P17 for rows the trigger does not have. */
export function analyseTriggerCondition(
  node: Node,
  relation: RelationDescriptor,
  what: { isRow: boolean; hasInsert: boolean; hasDelete: boolean; isBefore: boolean },
  options: AnalyseOptions,
): Expr {
  const scope = new Scope(
    {
      catalog: options.catalog,
      path: options.path,
      format: options.format,
      parameters: new ParameterTypes([], false),
    },
    null,
  );
  for (const alias of ['old', 'new']) {
    const entry = relationEntry(scope, relation, {
      alias: { aliasname: alias },
      lockMode: 'AccessShare',
      inFrom: true,
    });
    const item = makeItem(entry, scope.rangeTable.length);
    item.areColumnsVisible = false;
    scope.namespace.push(item);
  }
  scope.kind = 'triggerWhen';
  const expr = coerceToBoolean(scope, transformExpr(scope, node), 'WHEN');
  assignCollations(scope, expr);
  walkExpr(expr, (item) => {
    if (item.kind !== 'var') return;
    const invalid = (message: string): DbError =>
      new DbError('invalid_object_definition', message).at(item.position);
    if (!what.isRow) throw invalid("statement trigger's WHEN condition cannot reference column values");
    if (item.relation === 1) {
      if (what.hasInsert) throw invalid("INSERT trigger's WHEN condition cannot reference OLD values");
      return;
    }
    if (what.hasDelete) throw invalid("DELETE trigger's WHEN condition cannot reference NEW values");
    if (item.attribute < 0 && what.isBefore)
      throw new DbError(
        'feature_not_supported',
        "BEFORE trigger's WHEN condition cannot reference NEW system columns",
      ).at(item.position);
    if (what.isBefore && item.attribute > 0 && relation.columns[item.attribute - 1].generated !== '')
      throw new DbError(
        'invalid_object_definition',
        "BEFORE trigger's WHEN condition cannot reference NEW generated columns",
        { detail: `Column "${relation.columns[item.attribute - 1].name}" is a generated column.` },
      ).at(item.position);
  });
  return expr;
}
