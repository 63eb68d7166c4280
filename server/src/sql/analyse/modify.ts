/** What INSERT, UPDATE, DELETE and MERGE share: the target and RETURNING. */
import { DbError, notSupported } from '../../base/error.ts';
import type { Privilege, RelationDescriptor } from '../../catalog/contract.ts';
import type { Node, RangeVar } from '../parse/ast.ts';
import type { RelationEntry, TargetEntry } from '../tree.ts';
import { makeItem, openRelation, relationEntry } from './range-table.ts';
import type { NamespaceItem, Scope } from './scope.ts';
import { markOrigins, resolveUnknownTargets, transformTargetList } from './targets.ts';

/** pg_class: superusers plant estimates there (`reltuples`, `relpages`). */
const PG_CLASS_OID = 1259;

export interface Target {
  relation: RelationDescriptor;
  entry: RelationEntry;
  item: NamespaceItem;
}

/**
 * Opens the target of a data-modifying statement; `isVisible` puts it in sight of expressions. `populates` lets DDL fill a
 * materialized view, which nobody else may change.
 */
export function openTarget(
  scope: Scope,
  rangeVar: RangeVar,
  privilege: Privilege,
  isVisible: boolean,
  populates = false,
): Target {
  const relation = openRelation(scope, rangeVar);
  const entry = relationEntry(scope, relation, {
    alias: rangeVar.alias,
    only: rangeVar.inh !== true,
    lockMode: 'RowExclusive',
    inFrom: false,
  });
  entry.privileges.push({ privilege, columns: [] });
  const index = scope.rangeTable.length;
  const item = makeItem(entry, index);
  if (isVisible) {
    entry.inFrom = true;
    scope.namespace = [...scope.namespace, item];
  }
  if (!populates) checkWritable(relation, privilege);
  return { relation, entry, item };
}

function checkWritable(relation: RelationDescriptor, privilege: Privilege): void {
  const verb = privilege === 'INSERT' ? 'insert into' : privilege === 'UPDATE' ? 'update' : 'delete from';
  switch (relation.kind) {
    case 'S':
      throw new DbError('wrong_object_type', `cannot change sequence "${relation.name}"`);
    case 'm':
      throw new DbError('wrong_object_type', `cannot change materialized view "${relation.name}"`);
    case 't':
      throw new DbError('wrong_object_type', `cannot change TOAST relation "${relation.name}"`);
    case 'f':
      throw notSupported(`${verb} a foreign table`);
    default:
      // Catalog rows with columns that may be written are changed through the catalog itself.
      if (relation.virtualRows && !(privilege === 'UPDATE' && relation.oid === PG_CLASS_OID))
        throw new DbError('wrong_object_type', `cannot ${verb} view "${relation.name}"`);
  }
}

/** RETURNING: sees only the given items (the target, and the other FROM items of UPDATE and DELETE). */
export function transformReturning(
  scope: Scope,
  clause: { exprs?: Node[]; options?: Node[] } | undefined,
  visible: readonly NamespaceItem[],
): TargetEntry[] {
  if (!clause?.exprs?.length) return [];
  if (clause.options?.length) throw notSupported('RETURNING WITH (…)');
  const savedNamespace = scope.namespace;
  scope.namespace = [...visible];
  const targets = transformTargetList(scope, clause.exprs, 'returning');
  markOrigins(scope, targets);
  if (targets.length === 0) throw new DbError('syntax_error', 'RETURNING must have at least one column');
  resolveUnknownTargets(scope, targets);
  scope.namespace = savedNamespace;
  return targets;
}
