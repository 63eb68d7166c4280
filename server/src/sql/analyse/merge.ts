/** MERGE. */
import { DbError, notSupported } from '../../base/error.ts';
import {
  as,
  type MergeStmt,
  type MergeWhenClause,
  type Node,
  positionOf,
  type ResTarget,
} from '../parse/ast.ts';
import type { MergeAction, Query } from '../tree.ts';
import { assignToColumn, defaultMarker, targetColumn } from './assignment.ts';
import { coerceToBoolean } from './coerce.ts';
import { transformWith } from './cte.ts';
import { transformExpr } from './expressions.ts';
import { transformFrom } from './from.ts';
import { makeConst, makeTarget } from './make.ts';
import { openTarget } from './modify.ts';
import { emptyQuery, type Scope } from './scope.ts';
import { finish } from './select.ts';
import { transformAssignments } from './update.ts';

export function analyseMerge(scope: Scope, statement: MergeStmt): Query {
  const query = emptyQuery('merge');
  if (statement.withClause) transformWith(scope, query, statement.withClause);
  const clauses = (statement.mergeWhenClauses ?? []).map(
    (node) => as(node, 'MergeWhenClause') as MergeWhenClause,
  );
  if (statement.returningClause) throw notSupported('MERGE … RETURNING');
  const target = openTarget(scope, statement.relation!, 'SELECT', false);
  if (target.relation.kind !== 'r' && target.relation.kind !== 'p')
    throw new DbError('feature_not_supported', `cannot execute MERGE on relation "${target.relation.name}"`);
  query.resultRelation = target.item.index;
  scope.namespace = [];
  const [source] = transformFrom(scope, [statement.sourceRelation!]);
  const sourceItems = scope.namespace;
  if (sourceItems.some((item) => item.isRelationVisible && item.name === target.item.name))
    throw new DbError('duplicate_alias', `name "${target.item.name}" specified more than once`, {
      detail: 'The name is used both as MERGE target table and data source.',
    });
  scope.namespace = [target.item, ...sourceItems];
  const condition = coerceToBoolean(
    scope,
    transformExpr(scope, statement.joinCondition!, 'joinOn'),
    'JOIN/ON',
  );
  const hasInsert = clauses.some((clause) => clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_TARGET');
  query.from = [
    {
      kind: 'join',
      type: hasInsert ? 'left' : 'inner',
      left: source,
      right: { kind: 'relationRef', relation: target.item.index },
      condition,
      relation: 0,
    },
  ];
  for (const clause of clauses) query.mergeActions.push(action(clause));
  finish(scope, query);
  return query;

  function action(clause: MergeWhenClause): MergeAction {
    if (clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE')
      throw notSupported('WHEN NOT MATCHED BY SOURCE');
    const matched = clause.matchKind === 'MERGE_WHEN_MATCHED';
    scope.namespace = matched ? [target.item, ...sourceItems] : sourceItems;
    const result: MergeAction = { matched, command: 'nothing', condition: null, targets: [] };
    if (clause.condition)
      result.condition = coerceToBoolean(scope, transformExpr(scope, clause.condition, 'mergeWhen'), 'WHEN');
    switch (clause.commandType) {
      case 'CMD_UPDATE':
        result.command = 'update';
        result.targets = transformAssignments(
          scope,
          target.relation,
          target.item.index,
          clause.targetList ?? [],
        );
        target.entry.privileges.push({
          privilege: 'UPDATE',
          columns: result.targets.map((item) => item.targetColumn),
        });
        break;
      case 'CMD_DELETE':
        result.command = 'delete';
        target.entry.privileges.push({ privilege: 'DELETE', columns: [] });
        break;
      case 'CMD_INSERT': {
        result.command = 'insert';
        const columns = clause.targetList?.length
          ? clause.targetList.map((node) => targetColumn(target.relation, as(node, 'ResTarget') as ResTarget))
          : target.relation.columns.filter((column) => !column.dropped);
        const values = clause.values ?? [];
        if (values.length > columns.length)
          throw new DbError('syntax_error', 'INSERT has more expressions than target columns');
        if (values.length < columns.length && clause.targetList?.length)
          throw new DbError('syntax_error', 'INSERT has more target columns than expressions');
        values.forEach((node: Node, index: number) => {
          const column = columns[index];
          const marker = as(node, 'SetToDefault') as { location?: number } | undefined;
          const value = marker
            ? defaultMarker(column, positionOf(marker.location))
            : transformExpr(scope, node, 'valuesSingle');
          const item = makeTarget(
            assignToColumn(
              scope,
              value,
              column,
              undefined,
              makeConst(scope.catalog, column.typeOid, null),
              undefined,
            ),
            column.name,
          );
          item.targetColumn = column.number;
          result.targets.push(item);
        });
        target.entry.privileges.push({
          privilege: 'INSERT',
          columns: result.targets.map((item) => item.targetColumn),
        });
        break;
      }
      default:
        break;
    }
    return result;
  }
}
