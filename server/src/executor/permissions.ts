/** Privileges a plan needs, checked at the start of every execution unless nothing changed since the last. */
import type { Oid } from '../base/brands.ts';
import { DbError, notSupported } from '../base/error.ts';
import type { CatalogReader, Privilege, RelationDescriptor } from '../catalog/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';

const KIND_NAMES: Record<string, string> = {
  r: 'table',
  p: 'table',
  t: 'table',
  f: 'foreign table',
  v: 'view',
  m: 'materialized view',
  S: 'sequence',
  i: 'index',
  I: 'index',
  c: 'type',
};

/** 42501 as PostgreSQL words it. */
export function permissionDenied(relation: RelationDescriptor): DbError {
  return new DbError(
    'insufficient_privilege',
    `permission denied for ${KIND_NAMES[relation.kind] ?? 'table'} ${relation.name}`,
  );
}

/** Errors 42501 for the first relation whose privileges `roleOid` (or the view's owner) lacks. */
export function checkPermissions(plan: PhysicalPlan, catalog: CatalogReader, roleOid: Oid): void {
  // Who may not use a view learns nothing of what is behind it.
  const isView = ({ relationOid }: { relationOid: Oid }): boolean =>
    catalog.relation(relationOid)?.kind === 'v';
  const uses = plan.relations.some(isView)
    ? [...plan.relations.filter(isView), ...plan.relations.filter((use) => !isView(use))]
    : plan.relations;
  for (const use of uses) {
    const relation = catalog.relation(use.relationOid);
    if (relation === null) {
      throw new DbError('undefined_table', `relation with OID ${use.relationOid} does not exist`);
    }
    const role = use.asRole === 0 ? roleOid : use.asRole;
    for (const { privilege, columns } of use.privileges) {
      // Without a column named, a right on any column will do.
      if (!catalog.hasRelationPrivilege(role, relation, privilege as Privilege, columns)) {
        throw permissionDenied(relation);
      }
    }
    refuseRowSecurity(catalog, relation, role);
  }
}

/**
 * Policies are kept but not evaluated: whoever they would apply to is refused, so that nobody sees a row a policy hides. Superusers,
 * roles with BYPASSRLS, and owners (unless FORCE) are not subject to them.
 */
export function refuseRowSecurity(catalog: CatalogReader, relation: RelationDescriptor, roleOid: Oid): void {
  if (relation.rowSecurity === 'none') return;
  const role = catalog.role(roleOid);
  if (role === null || role.superuser || role.bypassRowSecurity) return;
  if (relation.rowSecurity === 'enabled' && catalog.hasPrivilegesOfRole(roleOid, relation.ownerOid)) return;
  throw notSupported(`row-level security (table "${relation.name}")`);
}

/** Errors 25006 for a statement that writes to anything but temporary tables, or locks rows. */
export function refuseWrites(plan: PhysicalPlan, catalog: CatalogReader): void {
  for (const { relationOid, lockMode } of plan.relations) {
    if (lockMode === 'AccessShare' || catalog.relation(relationOid)?.persistence === 't') continue;
    const command = lockMode === 'RowShare' ? 'SELECT FOR UPDATE' : plan.command.toUpperCase();
    throw new DbError('read_only_sql_transaction', `cannot execute ${command} in a read-only transaction`);
  }
}
