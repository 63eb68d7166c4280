/** CREATE, ALTER and DROP ROLE; role membership; REASSIGN OWNED and DROP OWNED. */

import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RoleDescriptor } from '../../catalog/contract.ts';
import { PG_AUTH_MEMBERS, PG_AUTHID, PG_SHDEPEND } from '../../catalog/data/columns.ts';
import { CLASS_OID, isSharedClass, pairKey } from '../../catalog/definitions.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import { describeObject } from '../../catalog/object-names.ts';
import { PREDEFINED_ROLE } from '../../catalog/roles.ts';
import { positionOf, stringOf } from '../../sql/parse/ast.ts';
import type {
  AlterRoleStmt,
  CreateRoleStmt,
  DefElem,
  DropOwnedStmt,
  DropRoleStmt,
  GrantRoleStmt,
  Node,
  ReassignOwnedStmt,
  RoleSpec,
} from '../../sql/parse/nodes.ts';
import type { Datum } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import { booleanOption, type Ddl, defElems, integerOption } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { dropAclEntries } from './grant.ts';
import { changeOwner } from './ownership.ts';
import { makeRow } from './relation.ts';

const TIMESTAMPTZ = 1184;

interface RoleOptions {
  superuser?: boolean;
  inherit?: boolean;
  createRole?: boolean;
  createDatabase?: boolean;
  canLogin?: boolean;
  replication?: boolean;
  bypassRowSecurity?: boolean;
  connectionLimit?: number;
  /** null = PASSWORD NULL. */
  password?: string | null;
  validUntil?: bigint;
  addTo: RoleSpec[];
  members: RoleSpec[];
  admins: RoleSpec[];
}

function roleSpecs(node: Node | undefined): RoleSpec[] {
  return node !== undefined && 'List' in node
    ? (node.List.items ?? []).flatMap((item) => ('RoleSpec' in item ? [item.RoleSpec] : []))
    : [];
}

function readOptions(ddl: Ddl, elements: readonly DefElem[]): RoleOptions {
  const options: RoleOptions = { addTo: [], members: [], admins: [] };
  const seen = new Set<string>();
  for (const element of elements) {
    const name = element.defname ?? '';
    if (seen.has(name))
      throw new DbError('syntax_error', 'conflicting or redundant options').at(positionOf(element.location));
    seen.add(name);
    switch (name) {
      case 'superuser':
        options.superuser = booleanOption(element);
        break;
      case 'inherit':
        options.inherit = booleanOption(element);
        break;
      case 'createrole':
        options.createRole = booleanOption(element);
        break;
      case 'createdb':
        options.createDatabase = booleanOption(element);
        break;
      case 'canlogin':
        options.canLogin = booleanOption(element);
        break;
      case 'isreplication':
        options.replication = booleanOption(element);
        break;
      case 'bypassrls':
        options.bypassRowSecurity = booleanOption(element);
        break;
      case 'connectionlimit':
        options.connectionLimit = Number(integerOption(element));
        if (options.connectionLimit < -1)
          throw new DbError(
            'invalid_parameter_value',
            `invalid connection limit: ${options.connectionLimit}`,
          );
        break;
      case 'password':
        options.password = element.arg === undefined ? null : stringOf(element.arg);
        break;
      case 'validUntil':
        options.validUntil = typeSupport(TIMESTAMPTZ).input(
          stringOf(element.arg),
          -1,
          ddl.context.format,
        ) as bigint;
        break;
      case 'addroleto':
        options.addTo = roleSpecs(element.arg);
        break;
      case 'rolemembers':
        options.members = roleSpecs(element.arg);
        break;
      case 'adminmembers':
        options.admins = roleSpecs(element.arg);
        break;
      case 'sysid':
        ddl.notice('SYSID can no longer be specified');
        break;
      default:
        throw new DbError('syntax_error', `unrecognized role option "${name}"`);
    }
  }
  return options;
}

async function storedPassword(ddl: Ddl, name: string, password: string | null): Promise<string | null> {
  if (password === null) return null;
  if (password === '') {
    ddl.notice('empty string is not a valid password, clearing password');
    return null;
  }
  void name;
  return ddl.context.passwordVerifier(password);
}

function me(ddl: Ddl): RoleDescriptor {
  return ddl.reader.role(ddl.role)!;
}

export async function createRole(ddl: Ddl, statement: CreateRoleStmt): Promise<UtilityResult> {
  const result = { tag: 'CREATE ROLE' };
  const options = readOptions(ddl, defElems(statement.options));
  const name = statement.role!;
  const self = me(ddl);
  if (options.superuser === true && !self.superuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create superusers');
  if (options.replication === true && !self.superuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create replication users');
  if (options.bypassRowSecurity === true && !self.superuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create bypassrls users');
  if (!self.superuser && !self.createRole)
    throw new DbError('insufficient_privilege', 'permission denied to create role');
  if (name.startsWith('pg_'))
    throw new DbError('reserved_name', `role name "${name}" is reserved`, {
      detail: 'Role names starting with "pg_" are reserved.',
    });
  if (name === 'public' || name === 'none')
    throw new DbError('reserved_name', `role name "${name}" is reserved`);
  await ddl.reserve(CLASS_OID.role, name);
  if (ddl.reader.roleByName(name) !== null)
    throw new DbError('duplicate_object', `role "${name}" already exists`);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_authid',
    makeRow(PG_AUTHID, {
      oid,
      rolname: name,
      rolsuper: options.superuser ?? false,
      rolinherit: options.inherit ?? true,
      rolcreaterole: options.createRole ?? false,
      rolcreatedb: options.createDatabase ?? false,
      rolcanlogin: options.canLogin ?? statement.stmt_type === 'ROLESTMT_USER',
      rolreplication: options.replication ?? false,
      rolbypassrls: options.bypassRowSecurity ?? false,
      rolconnlimit: options.connectionLimit ?? -1,
      rolpassword: await storedPassword(ddl, name, options.password ?? null),
      rolvaliduntil: options.validUntil ?? null,
    }),
  );
  for (const spec of options.addTo) addMember(ddl, ddl.roleOid(spec), oid, false, ddl.role, true);
  for (const spec of options.admins) addMember(ddl, oid, ddl.roleOid(spec), true, ddl.role, true);
  for (const spec of options.members) addMember(ddl, oid, ddl.roleOid(spec), false, ddl.role, true);
  return result;
}

export async function alterRole(ddl: Ddl, statement: AlterRoleStmt): Promise<UtilityResult> {
  const options = readOptions(ddl, defElems(statement.options));
  const oid = ddl.roleOid(statement.role);
  const role = ddl.reader.role(oid)!;
  const self = me(ddl);
  if (role.name.startsWith('pg_'))
    throw new DbError('reserved_name', `role name "${role.name}" is reserved`, {
      detail: 'Cannot alter reserved roles.',
    });
  if (role.superuser || options.superuser !== undefined) {
    if (!self.superuser)
      throw new DbError(
        'insufficient_privilege',
        'must be superuser to alter superuser roles or change superuser attribute',
      );
  } else if (role.replication || options.replication !== undefined) {
    if (!self.superuser)
      throw new DbError(
        'insufficient_privilege',
        'must be superuser to alter replication roles or change replication attribute',
      );
  } else if (options.bypassRowSecurity !== undefined && !self.superuser)
    throw new DbError('insufficient_privilege', 'must be superuser to change bypassrls attribute');
  else if (!self.superuser && !self.createRole) {
    // Everyone may change their own password.
    const onlyPassword =
      oid === ddl.role && defElems(statement.options).every(({ defname }) => defname === 'password');
    if (!onlyPassword) throw new DbError('insufficient_privilege', 'permission denied');
  }
  if (options.superuser === false && oid === 10)
    throw new DbError('insufficient_privilege', 'permission denied to alter role', {
      detail: 'The bootstrap user must have the SUPERUSER attribute.',
    });
  const changes: Record<number, Datum> = {};
  const set = (column: number, value: Datum | undefined): void => {
    if (value !== undefined) changes[column] = value;
  };
  set(PG_AUTHID.rolsuper, options.superuser);
  set(PG_AUTHID.rolinherit, options.inherit);
  set(PG_AUTHID.rolcreaterole, options.createRole);
  set(PG_AUTHID.rolcreatedb, options.createDatabase);
  set(PG_AUTHID.rolcanlogin, options.canLogin);
  set(PG_AUTHID.rolreplication, options.replication);
  set(PG_AUTHID.rolbypassrls, options.bypassRowSecurity);
  set(PG_AUTHID.rolconnlimit, options.connectionLimit);
  set(PG_AUTHID.rolvaliduntil, options.validUntil);
  if (options.password !== undefined)
    changes[PG_AUTHID.rolpassword] = await storedPassword(ddl, role.name, options.password);
  ddl.writer.update('pg_authid', oid, changes);
  // ALTER GROUP … ADD | DROP USER
  for (const spec of options.members)
    if (statement.action === -1) removeMember(ddl, oid, ddl.roleOid(spec), false);
    else addMember(ddl, oid, ddl.roleOid(spec), false, ddl.role, false);
  return { tag: 'ALTER ROLE' };
}

/** Rows of pg_shdepend that name a role, of this database and of shared objects. */
function ownDependencies(ddl: Ddl, role: Oid) {
  return ddl.reader.view
    .find('pg_shdepend', 'referenced', pairKey(CLASS_OID.role, role))
    .filter(
      ({ values }) => values[PG_SHDEPEND.dbid] === 0 || values[PG_SHDEPEND.dbid] === ddl.reader.databaseOid,
    );
}

/** `3 objects in database x` for every other database. */
function foreignDependencies(ddl: Ddl, role: Oid): string[] {
  const counts = new Map<Oid, number>();
  for (const { values } of ddl.reader.view.find('pg_shdepend', 'referenced', pairKey(CLASS_OID.role, role))) {
    const database = values[PG_SHDEPEND.dbid] as number;
    if (database !== 0 && database !== ddl.reader.databaseOid)
      counts.set(database, (counts.get(database) ?? 0) + 1);
  }
  return [...counts].map(
    ([database, count]) =>
      `${count} object${count === 1 ? '' : 's'} in ${describeObject(ddl.reader, address(CLASS_OID.database, database), ddl.path) ?? `database ${database}`}`,
  );
}

/** What of a role is in the way of dropping it, one line each. */
function roleDependencies(ddl: Ddl, role: Oid): string[] {
  return [...localDependencies(ddl, role), ...foreignDependencies(ddl, role)];
}

function localDependencies(ddl: Ddl, role: Oid): string[] {
  return ownDependencies(ddl, role).map(({ values }) => {
    const object = address(
      values[PG_SHDEPEND.classid] as number,
      values[PG_SHDEPEND.objid] as number,
      values[PG_SHDEPEND.objsubid] as number,
    );
    const what = describeObject(ddl.reader, object, ddl.path) ?? 'an object';
    return values[PG_SHDEPEND.deptype] === 'o' ? `owner of ${what}` : `privileges for ${what}`;
  });
}

export async function dropRole(ddl: Ddl, statement: DropRoleStmt): Promise<UtilityResult> {
  const self = me(ddl);
  if (!self.superuser && !self.createRole)
    throw new DbError('insufficient_privilege', 'permission denied to drop role');
  for (const node of statement.roles ?? []) {
    const spec = (node as { RoleSpec: RoleSpec }).RoleSpec;
    if (spec.roletype !== 'ROLESPEC_CSTRING')
      throw new DbError('invalid_parameter_value', 'cannot use special role specifier in DROP ROLE');
    const name = spec.rolename!;
    const role = ddl.reader.roleByName(name);
    if (role === null) {
      if (statement.missing_ok !== true)
        throw new DbError('undefined_object', `role "${name}" does not exist`);
      ddl.notice(`role "${name}" does not exist, skipping`);
      continue;
    }
    if (role.oid === ddl.role) throw new DbError('object_in_use', 'current user cannot be dropped');
    if (role.oid === ddl.context.sessionRole())
      throw new DbError('object_in_use', 'session user cannot be dropped');
    if (role.superuser && !self.superuser)
      throw new DbError('insufficient_privilege', 'must be superuser to drop superusers');
    if (role.oid < 16384)
      throw new DbError(
        'dependent_objects_still_exist',
        `cannot drop role ${name} because it is required by the database system`,
      );
    const lines = roleDependencies(ddl, role.oid);
    if (lines.length > 0)
      throw new DbError(
        'dependent_objects_still_exist',
        `role "${name}" cannot be dropped because some objects depend on it`,
        { detail: lines.join('\n') },
      );
    const { view } = ddl.reader;
    ddl.writer.removeAll('pg_auth_members', view.find('pg_auth_members', 'member', role.oid));
    ddl.writer.removeAll('pg_auth_members', view.find('pg_auth_members', 'role', role.oid));
    for (const row of [...view.all('pg_db_role_setting')])
      if (row.values[1] === role.oid) ddl.writer.remove('pg_db_role_setting', row.key);
    ddl.writer.remove('pg_authid', role.oid);
    ddl.writer.removeComments(address(CLASS_OID.role, role.oid));
  }
  return { tag: 'DROP ROLE' };
}

// --------------------------------------------------------------------------------------------------------- membership

function addMember(ddl: Ddl, role: Oid, member: Oid, isAdmin: boolean, grantor: Oid, isQuiet: boolean): void {
  const { reader, writer } = ddl;
  const roleName = reader.role(role)?.name;
  const memberName = reader.role(member)?.name;
  if (role === PREDEFINED_ROLE.databaseOwner)
    throw new DbError('invalid_grant_operation', `role "${roleName}" cannot have explicit members`);
  if (member === PREDEFINED_ROLE.databaseOwner)
    throw new DbError('invalid_grant_operation', `role "${memberName}" cannot be a member of any role`);
  if (role === member || reader.roles.isMemberNoSuper(role, member))
    throw new DbError('invalid_grant_operation', `role "${roleName}" is a member of role "${memberName}"`);
  const key = `${role}.${member}`;
  const present = reader.view.get('pg_auth_members', key);
  if (present !== null) {
    if (!isAdmin || present.values[PG_AUTH_MEMBERS.admin_option] === true) {
      if (!isQuiet) ddl.notice(`role "${memberName}" is already a member of role "${roleName}"`);
      return;
    }
    writer.update('pg_auth_members', key, { [PG_AUTH_MEMBERS.admin_option]: true });
    return;
  }
  writer.insert(
    'pg_auth_members',
    makeRow(PG_AUTH_MEMBERS, { roleid: role, member, grantor, admin_option: isAdmin }),
  );
}

function removeMember(ddl: Ddl, role: Oid, member: Oid, onlyAdmin: boolean): void {
  const key = `${role}.${member}`;
  if (ddl.reader.view.get('pg_auth_members', key) === null) {
    ddl.message(
      'WARNING',
      'warning',
      `role "${ddl.reader.role(member)?.name}" is not a member of role "${ddl.reader.role(role)?.name}"`,
    );
    return;
  }
  if (onlyAdmin) ddl.writer.update('pg_auth_members', key, { [PG_AUTH_MEMBERS.admin_option]: false });
  else ddl.writer.remove('pg_auth_members', key);
}

export async function grantRole(ddl: Ddl, statement: GrantRoleStmt): Promise<UtilityResult> {
  const isGrant = statement.is_grant === true;
  const grantor = statement.grantor === undefined ? ddl.role : ddl.roleOid(statement.grantor);
  const admin = defElems(statement.opt).find(({ defname }) => defname === 'admin');
  const withAdmin = admin !== undefined && booleanOption(admin);
  for (const node of statement.granted_roles ?? []) {
    const name = (node as { AccessPriv: { priv_name?: string; cols?: Node[] } }).AccessPriv.priv_name;
    if (name === undefined)
      throw new DbError('invalid_grant_operation', 'column names cannot be included in GRANT/REVOKE ROLE');
    const role = ddl.roleByName(name);
    const self = me(ddl);
    if (role.superuser && !self.superuser)
      throw new DbError('insufficient_privilege', 'must be superuser to alter superusers');
    if (!self.superuser && !self.createRole && !ddl.reader.roles.isAdmin(ddl.role, role.oid))
      throw new DbError('insufficient_privilege', `must have admin option on role "${role.name}"`);
    for (const grantee of statement.grantee_roles ?? []) {
      const member = ddl.roleOid((grantee as { RoleSpec: RoleSpec }).RoleSpec);
      if (isGrant) addMember(ddl, role.oid, member, withAdmin, grantor, false);
      else removeMember(ddl, role.oid, member, admin !== undefined);
    }
  }
  return { tag: isGrant ? 'GRANT ROLE' : 'REVOKE ROLE' };
}

// ---------------------------------------------------------------------------------------------------- owned objects

function ownedObjects(ddl: Ddl, role: Oid): ObjectAddress[] {
  return ownDependencies(ddl, role)
    .filter(({ values }) => values[PG_SHDEPEND.deptype] === 'o')
    .map(({ values }) => address(values[PG_SHDEPEND.classid] as number, values[PG_SHDEPEND.objid] as number));
}

const OWNER_COLUMNS = {
  [CLASS_OID.namespace]: ['pg_namespace', 2],
  [CLASS_OID.database]: ['pg_database', 2],
  [CLASS_OID.type]: ['pg_type', 3],
  [CLASS_OID.procedure]: ['pg_proc', 3],
} as const;

export async function reassignOwned(ddl: Ddl, statement: ReassignOwnedStmt): Promise<UtilityResult> {
  const newOwner = ddl.roleOid(statement.newrole);
  for (const node of statement.roles ?? []) {
    const role = ddl.roleOid((node as { RoleSpec: RoleSpec }).RoleSpec);
    if (!ddl.reader.roles.hasPrivilegesOf(ddl.role, role))
      throw new DbError('insufficient_privilege', 'permission denied to reassign objects');
    for (const object of ownedObjects(ddl, role)) {
      if (object.classId === CLASS_OID.relation) {
        if (ddl.current(object.objectId).ownerOid !== newOwner)
          await changeOwner(ddl, object.objectId, newOwner, true);
        continue;
      }
      const place = OWNER_COLUMNS[object.classId as keyof typeof OWNER_COLUMNS];
      if (place === undefined) continue;
      ddl.writer.update(place[0], object.objectId, { [place[1]]: newOwner });
      ddl.writer.recordOwner(object, newOwner);
    }
  }
  return { tag: 'REASSIGN OWNED' };
}

export async function dropOwned(ddl: Ddl, statement: DropOwnedStmt): Promise<UtilityResult> {
  const objects: ObjectAddress[] = [];
  for (const node of statement.roles ?? []) {
    const role = ddl.roleOid((node as { RoleSpec: RoleSpec }).RoleSpec);
    if (!ddl.reader.roles.hasPrivilegesOf(ddl.role, role))
      throw new DbError('insufficient_privilege', 'permission denied to drop objects');
    for (const { values } of [...ownDependencies(ddl, role)]) {
      if (values[PG_SHDEPEND.deptype] !== 'a') continue;
      dropAclEntries(
        ddl,
        address(
          values[PG_SHDEPEND.classid] as number,
          values[PG_SHDEPEND.objid] as number,
          values[PG_SHDEPEND.objsubid] as number,
        ),
        role,
      );
    }
    objects.push(...ownedObjects(ddl, role).filter(({ classId }) => !isSharedClass(classId)));
  }
  await ddl.drop(objects, statement.behavior === 'DROP_CASCADE');
  return { tag: 'DROP OWNED' };
}
