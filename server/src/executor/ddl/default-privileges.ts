/** ALTER DEFAULT PRIVILEGES, and the access list a new object gets from it. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import {
  type AclItem,
  type AclObjectKind,
  ALL_PRIVILEGES,
  aclDatum,
  aclItems,
  defaultAcl,
  grantTo,
  privilegeBit,
  revokeFrom,
} from '../../catalog/acl.ts';
import { PG_DEFAULT_ACL } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import { stringOf } from '../../sql/parse/ast.ts';
import type {
  AccessPriv,
  AlterDefaultPrivilegesStmt,
  Node,
  ObjectType,
  RoleSpec,
} from '../../sql/parse/nodes.ts';
import type { Datum } from '../../types/datum.ts';
import { type Ddl, defElems } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { PRIVILEGES } from './grant.ts';
import { makeRow } from './relation.ts';

/** Letter of pg_default_acl.defaclobjtype and kind of list, by the kind of object a statement names. */
const KINDS: Partial<Record<ObjectType, { letter: string; kind: AclObjectKind }>> = {
  OBJECT_TABLE: { letter: 'r', kind: 'relation' },
  OBJECT_SEQUENCE: { letter: 'S', kind: 'sequence' },
  OBJECT_FUNCTION: { letter: 'f', kind: 'function' },
  OBJECT_PROCEDURE: { letter: 'f', kind: 'function' },
  OBJECT_ROUTINE: { letter: 'f', kind: 'function' },
  OBJECT_TYPE: { letter: 'T', kind: 'type' },
  OBJECT_SCHEMA: { letter: 'n', kind: 'schema' },
};

const LETTER_OF: Partial<Record<AclObjectKind, string>> = {
  relation: 'r',
  sequence: 'S',
  function: 'f',
  type: 'T',
  schema: 'n',
};

function findRow(ddl: Ddl, role: Oid, namespace: Oid, letter: string): { oid: Oid; acl: AclItem[] } | null {
  for (const { key, values } of ddl.reader.view.all('pg_default_acl'))
    if (
      values[PG_DEFAULT_ACL.defaclrole] === role &&
      values[PG_DEFAULT_ACL.defaclnamespace] === namespace &&
      values[PG_DEFAULT_ACL.defaclobjtype] === letter
    )
      return { oid: key as number, acl: [...(aclItems(values[PG_DEFAULT_ACL.defaclacl]!) ?? [])] };
  return null;
}

function isSameList(left: readonly AclItem[], right: readonly AclItem[]): boolean {
  const texts = (items: readonly AclItem[]): string =>
    items
      .filter((item) => item.privileges !== 0)
      .map((item) => `${item.grantee}/${item.grantor}/${item.privileges}/${item.grantOptions}`)
      .sort()
      .join();
  return texts(left) === texts(right);
}

/**
 * Access list of a new object: null (the built-in default) unless ALTER DEFAULT PRIVILEGES of its owner says otherwise. The list
 * of the whole database replaces the built-in one, that of the schema is added.
 */
export function newObjectAcl(ddl: Ddl, kind: AclObjectKind, owner: Oid, namespace: Oid): Datum {
  const letter = LETTER_OF[kind];
  if (letter === undefined) return null;
  const everywhere = findRow(ddl, owner, 0, letter);
  const inSchema = namespace === 0 ? null : findRow(ddl, owner, namespace, letter);
  if (everywhere === null && inSchema === null) return null;
  const builtin = defaultAcl(kind, owner);
  let items = everywhere?.acl ?? builtin;
  for (const item of inSchema?.acl ?? []) items = grantTo(items, item);
  return isSameList(items, builtin) ? null : aclDatum(items);
}

/** Records the roles a new object's list names. */
export function recordNewAcl(ddl: Ddl, object: ObjectAddress, owner: Oid, acl: Datum): void {
  const items = aclItems(acl);
  if (items !== null)
    ddl.writer.recordAclRoles(
      object,
      owner,
      items.flatMap((item) => [item.grantee, item.grantor]),
    );
}

function roleList(ddl: Ddl, nodes: readonly Node[], allowPublic: boolean): Oid[] {
  return nodes.map((node) => ddl.roleOid((node as { RoleSpec: RoleSpec }).RoleSpec, allowPublic));
}

export async function alterDefaultPrivileges(
  ddl: Ddl,
  statement: AlterDefaultPrivilegesStmt,
): Promise<UtilityResult> {
  const action = statement.action!;
  const isGrant = action.is_grant === true;
  let schemas: Node[] = [];
  let roles: Node[] = [];
  for (const element of defElems(statement.options)) {
    const items = element.arg !== undefined && 'List' in element.arg ? (element.arg.List.items ?? []) : [];
    if (element.defname === 'schemas') schemas = items;
    if (element.defname === 'roles') roles = items;
  }
  const kind = KINDS[action.objtype!]!;
  let privileges = 0;
  if (action.privileges === undefined) privileges = ALL_PRIVILEGES[kind.kind];
  for (const node of action.privileges ?? []) {
    const access = (node as { AccessPriv: AccessPriv }).AccessPriv;
    if (access.cols !== undefined)
      throw new DbError('invalid_grant_operation', 'default privileges cannot be set for columns');
    const name = PRIVILEGES.get(access.priv_name ?? '');
    if (name === undefined)
      throw new DbError('syntax_error', `unrecognized privilege type "${access.priv_name}"`);
    const bit = privilegeBit(name);
    if ((ALL_PRIVILEGES[kind.kind] & bit) === 0)
      throw new DbError('invalid_grant_operation', `invalid privilege type ${name} for ${kind.kind}`);
    privileges |= bit;
  }
  const grantees = roleList(ddl, action.grantees ?? [], true);
  if (kind.letter === 'n' && schemas.length > 0)
    throw new DbError(
      'invalid_grant_operation',
      'cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS',
    );
  const owners = roles.length === 0 ? [ddl.role] : roleList(ddl, roles, false);
  for (const owner of owners) {
    if (!ddl.reader.roles.hasPrivilegesOf(ddl.role, owner)) ddl.requireMember(owner);
    const namespaces = schemas.length === 0 ? [0] : schemas.map((node) => ddl.namespace(stringOf(node)));
    for (const namespace of namespaces)
      change(ddl, {
        owner,
        namespace,
        kind,
        privileges,
        grantees,
        isGrant,
        withOption: action.grant_option === true,
      });
  }
  return { tag: 'ALTER DEFAULT PRIVILEGES' };
}

/** DROP OWNED: a role's entries go from a default list. */
export function dropDefaultAclEntries(ddl: Ddl, oid: Oid, role: Oid): void {
  const row = ddl.reader.view.get('pg_default_acl', oid)?.values;
  if (row === undefined) return;
  const owner = row[PG_DEFAULT_ACL.defaclrole] as Oid;
  const namespace = row[PG_DEFAULT_ACL.defaclnamespace] as Oid;
  const letter = row[PG_DEFAULT_ACL.defaclobjtype] as string;
  const kind = Object.values(KINDS).find((candidate) => candidate.letter === letter)!;
  change(ddl, {
    owner,
    namespace,
    kind,
    privileges: ALL_PRIVILEGES[kind.kind],
    grantees: [role],
    isGrant: false,
    withOption: false,
  });
}

interface Change {
  owner: Oid;
  namespace: Oid;
  kind: { letter: string; kind: AclObjectKind };
  privileges: number;
  grantees: readonly Oid[];
  isGrant: boolean;
  withOption: boolean;
}

function change(ddl: Ddl, request: Change): void {
  const { owner, namespace, kind, privileges, grantees, isGrant, withOption } = request;
  const known = findRow(ddl, owner, namespace, kind.letter);
  const builtin = namespace === 0 ? defaultAcl(kind.kind, owner) : [];
  let items: AclItem[] = known?.acl ?? builtin;
  for (const grantee of grantees) {
    if (isGrant && withOption && grantee === 0)
      throw new DbError('invalid_grant_operation', 'grant options can only be granted to roles');
    items = isGrant
      ? grantTo(items, { grantee, grantor: owner, privileges, grantOptions: withOption ? privileges : 0 })
      : revokeFrom(items, { grantee, grantor: owner, privileges, onlyGrantOption: withOption });
  }
  if (isSameList(items, builtin)) {
    if (known !== null) {
      ddl.writer.remove('pg_default_acl', known.oid);
      ddl.writer.removeSharedDependencies(address(CLASS_OID.defaultAcl, known.oid));
      ddl.writer.removeDependenciesOf(address(CLASS_OID.defaultAcl, known.oid));
    }
    return;
  }
  const oid = known?.oid ?? ddl.writer.allocateOid();
  if (known === null)
    ddl.writer.insert(
      'pg_default_acl',
      makeRow(PG_DEFAULT_ACL, {
        oid,
        defaclrole: owner,
        defaclnamespace: namespace,
        defaclobjtype: kind.letter,
        defaclacl: aclDatum(items),
      }),
    );
  else ddl.writer.update('pg_default_acl', oid, { [PG_DEFAULT_ACL.defaclacl]: aclDatum(items) });
  const self = address(CLASS_OID.defaultAcl, oid);
  if (known === null) {
    ddl.writer.recordOwner(self, owner);
    if (namespace !== 0) ddl.writer.dependOn(self, address(CLASS_OID.namespace, namespace), 'a');
  }
  recordNewAcl(ddl, self, owner, aclDatum(items));
}
