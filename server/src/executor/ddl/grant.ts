/** GRANT and REVOKE on objects. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import {
  type AclItem,
  type AclObjectKind,
  ALL_PRIVILEGES,
  aclDatum,
  aclItems,
  defaultAcl,
  grantOptionsOf,
  grantTo,
  type PrivilegeName,
  privilegeBit,
  revokeFrom,
} from '../../catalog/acl.ts';
import { PG_ATTRIBUTE, PG_CLASS, PG_LANGUAGE, PG_PROC, PG_TABLESPACE } from '../../catalog/data/columns.ts';
import type { CatalogName } from '../../catalog/data/index.ts';
import { type CatalogKey, CLASS_OID } from '../../catalog/definitions.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import { PREDEFINED_ROLE } from '../../catalog/roles.ts';
import { stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type { AccessPriv, GrantStmt, Node, ObjectType, RoleSpec } from '../../sql/parse/nodes.ts';
import type { Datum } from '../../types/datum.ts';
import { largeObjectOid } from './comment.ts';
import { type Ddl, namesOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { dropDefaultAclEntries } from './default-privileges.ts';
import { findFunction } from './drop.ts';
import { routineWord } from './routine-names.ts';

export const PRIVILEGES: ReadonlyMap<string, PrivilegeName> = new Map([
  ['select', 'SELECT'],
  ['insert', 'INSERT'],
  ['update', 'UPDATE'],
  ['delete', 'DELETE'],
  ['truncate', 'TRUNCATE'],
  ['references', 'REFERENCES'],
  ['trigger', 'TRIGGER'],
  ['execute', 'EXECUTE'],
  ['usage', 'USAGE'],
  ['create', 'CREATE'],
  ['temporary', 'TEMPORARY'],
  ['temp', 'TEMPORARY'],
  ['connect', 'CONNECT'],
  ['set', 'SET'],
  ['alter system', 'ALTER SYSTEM'],
]);

/** One access list: where it is kept and whose it is. */
interface AclTarget {
  kind: AclObjectKind;
  object: ObjectAddress;
  catalog: CatalogName;
  key: CatalogKey;
  aclColumn: number;
  owner: Oid;
  name: string;
  /** Word in messages. */
  word: string;
}

interface Request {
  isGrant: boolean;
  privileges: number;
  isAll: boolean;
  grantees: readonly Oid[];
  withGrantOption: boolean;
  grantor: Oid | null;
  cascade: boolean;
}

function acl(ddl: Ddl, target: AclTarget): Datum {
  return ddl.writer.row(target.catalog, target.key)[target.aclColumn]!;
}

function store(ddl: Ddl, target: AclTarget, items: readonly AclItem[]): void {
  // An empty column list means the table's list alone; keep it NULL as PostgreSQL does.
  const value = target.kind === 'column' && items.length === 0 ? null : aclDatum(items);
  ddl.writer.update(target.catalog, target.key, { [target.aclColumn]: value });
  ddl.writer.recordAclRoles(
    target.object,
    target.owner,
    items.flatMap((item) => [item.grantee, item.grantor]),
  );
}

/** Who is recorded as grantor, and which of the wanted privileges may be granted. */
function selectGrantor(
  ddl: Ddl,
  target: AclTarget,
  items: readonly AclItem[],
  wanted: number,
  tableItems: readonly AclItem[],
): { grantor: Oid; grantable: number } {
  const { roles } = ddl.reader;
  if (roles.hasPrivilegesOf(ddl.role, target.owner)) return { grantor: target.owner, grantable: wanted };
  let best: { grantor: Oid; grantable: number } = { grantor: ddl.role, grantable: 0 };
  let bestCount = 0;
  for (const { grantee } of [...items, ...tableItems]) {
    if (grantee === 0 || !roles.hasPrivilegesOf(ddl.role, grantee)) continue;
    let held = 0;
    for (const item of [...items, ...tableItems]) if (item.grantee === grantee) held |= item.grantOptions;
    held &= wanted;
    const count = held.toString(2).replaceAll('0', '').length;
    if (count > bestCount) {
      best = { grantor: grantee, grantable: held };
      bestCount = count;
    }
  }
  return best;
}

/** Rights that membership in pg_read_all_data and pg_write_all_data gives. */
function predefinedPrivileges(ddl: Ddl, kind: AclObjectKind): number {
  const { roles } = ddl.reader;
  const reads = roles.hasPrivilegesOf(ddl.role, PREDEFINED_ROLE.readAllData);
  const writes = roles.hasPrivilegesOf(ddl.role, PREDEFINED_ROLE.writeAllData);
  let held = 0;
  if (kind === 'schema') return reads || writes ? privilegeBit('USAGE') : 0;
  if (kind !== 'relation' && kind !== 'sequence') return 0;
  if (reads) held |= privilegeBit('SELECT');
  if (writes) held |= privilegeBit('INSERT') | privilegeBit('UPDATE') | privilegeBit('DELETE');
  return held;
}

/** A grant option may not go back to somebody the grantor has it from: 0LP01. */
function refuseCircle(
  ddl: Ddl,
  items: readonly AclItem[],
  owner: Oid,
  grant: { grantee: Oid; grantor: Oid; grantOptions: number },
): void {
  if (grant.grantOptions === 0 || grant.grantor === owner || grant.grantee === 0) return;
  let rest: AclItem[] = [...items];
  for (;;) {
    const item = rest.find(({ grantee, grantOptions }) => grantee === grant.grantee && grantOptions !== 0);
    if (item === undefined) break;
    rest = revokeFrom(rest, {
      grantee: item.grantee,
      grantor: item.grantor,
      privileges: item.privileges | item.grantOptions,
      onlyGrantOption: false,
    });
    rest = revokeDependent(rest, owner, item.grantee, item.grantOptions, true);
  }
  const { roles } = ddl.reader;
  const own = roles.hasPrivilegesOf(grant.grantor, owner)
    ? grant.grantOptions
    : grantOptionsOf(rest, (grantee) => roles.hasPrivilegesOf(grant.grantor, grantee));
  if ((grant.grantOptions & ~own) !== 0)
    throw new DbError('invalid_grant_operation', 'grant options cannot be granted back to your own grantor');
}

function apply(ddl: Ddl, target: AclTarget, request: Request, columnName: string | null = null): void {
  const old = aclItems(acl(ddl, target)) ?? defaultAcl(target.kind, target.owner);
  const tableItems =
    target.kind === 'column'
      ? (aclItems(ddl.writer.row('pg_class', target.object.objectId)[PG_CLASS.relacl]!) ?? [])
      : [];
  const all = ALL_PRIVILEGES[target.kind];
  const privileges = request.isAll ? all : request.privileges;
  const { grantor, grantable } = selectGrantor(ddl, target, old, privileges, tableItems);
  if (request.grantor !== null && request.grantor !== grantor && request.grantor !== ddl.role)
    throw new DbError('invalid_grantor', 'grantor must be current user');
  if (grantable === 0) {
    // Without any right on the object at all this is an error, else a warning.
    let held =
      ddl.reader.roles.privileges(ddl.role, target.kind, target.owner, acl(ddl, target)) |
      predefinedPrivileges(ddl, target.kind);
    if (target.kind === 'column') {
      // What is held on the whole table counts for its columns.
      const list = ddl.writer.row('pg_class', target.object.objectId)[PG_CLASS.relacl]!;
      held |=
        (ddl.reader.roles.privileges(ddl.role, 'relation', target.owner, list) |
          predefinedPrivileges(ddl, 'relation')) &
        ALL_PRIVILEGES.column;
    }
    if (held === 0)
      throw new DbError(
        'insufficient_privilege',
        columnName !== null
          ? `permission denied for column "${columnName}" of relation "${target.name}"`
          : `permission denied for ${target.word} ${target.name}`,
      );
  }
  if (grantable !== privileges && !(request.isAll && grantable !== 0)) {
    const what =
      columnName === null ? `"${target.name}"` : `column "${columnName}" of relation "${target.name}"`;
    if (request.isGrant)
      ddl.message(
        'WARNING',
        'privilege_not_granted',
        grantable === 0
          ? `no privileges were granted for ${what}`
          : `not all privileges were granted for ${what}`,
      );
    else
      ddl.message(
        'WARNING',
        'privilege_not_revoked',
        grantable === 0
          ? `no privileges could be revoked for ${what}`
          : `not all privileges could be revoked for ${what}`,
      );
  }
  let items: AclItem[] = [...old];
  for (const grantee of request.grantees) {
    if (request.isGrant) {
      if (request.withGrantOption && grantee === 0)
        throw new DbError('invalid_grant_operation', 'grant options can only be granted to roles');
      if (grantable === 0) continue;
      // The owner's own grant options are implicit.
      const grantOptions = request.withGrantOption ? grantable : 0;
      refuseCircle(ddl, items, target.owner, { grantee, grantor, grantOptions });
      items = grantTo(items, { grantee, grantor, privileges: grantable, grantOptions });
    } else {
      items = revokeFrom(items, {
        grantee,
        grantor,
        privileges: grantable,
        onlyGrantOption: request.withGrantOption,
      });
      items = revokeDependent(items, target.owner, grantee, grantable, request.cascade);
    }
  }
  store(ddl, target, items);
}

/** What a role granted on with an option it has lost goes too (CASCADE), or stands in the way. */
function revokeDependent(
  items: AclItem[],
  owner: Oid,
  grantee: Oid,
  lost: number,
  cascade: boolean,
): AclItem[] {
  if (grantee === owner || grantee === 0) return items;
  let stillHeld = 0;
  for (const item of items) if (item.grantee === grantee) stillHeld |= item.grantOptions;
  const gone = lost & ~stillHeld;
  let result = items;
  for (const item of items) {
    if (item.grantor !== grantee || (item.privileges & gone) === 0) continue;
    if (!cascade)
      throw new DbError('dependent_privilege_descriptors_still_exist', 'dependent privileges exist', {
        hint: 'Use CASCADE to revoke them too.',
      });
    result = revokeFrom(result, {
      grantee: item.grantee,
      grantor: grantee,
      privileges: gone,
      onlyGrantOption: false,
    });
    result = revokeDependent(result, owner, item.grantee, gone, cascade);
  }
  return result;
}

function relationTarget(ddl: Ddl, oid: Oid, asSequence: boolean): AclTarget {
  const relation = ddl.current(oid);
  return {
    kind: asSequence ? 'sequence' : 'relation',
    object: address(CLASS_OID.relation, oid),
    catalog: 'pg_class',
    key: oid,
    aclColumn: PG_CLASS.relacl,
    owner: relation.ownerOid,
    name: relation.name,
    word:
      relation.kind === 'S'
        ? 'sequence'
        : relation.kind === 'v'
          ? 'view'
          : relation.kind === 'm'
            ? 'materialized view'
            : 'table',
  };
}

function rowTarget(
  ddl: Ddl,
  kind: AclObjectKind,
  word: string,
  catalog: CatalogName,
  classId: Oid,
  oid: Oid,
  columns: { owner: number; acl: number },
): AclTarget {
  const row = ddl.writer.row(catalog, oid);
  return {
    kind,
    object: address(classId, oid),
    catalog,
    key: oid,
    aclColumn: columns.acl,
    owner: row[columns.owner] as number,
    name: row[1] as string,
    word,
  };
}

async function targetsOf(ddl: Ddl, statement: GrantStmt): Promise<AclTarget[]> {
  const type = statement.objtype!;
  if (statement.targtype === 'ACL_TARGET_ALL_IN_SCHEMA')
    return allInSchema(ddl, type, statement.objects ?? []);
  const targets: AclTarget[] = [];
  for (const node of statement.objects ?? []) {
    const name = namesOf(node).at(-1) ?? stringOf(node);
    switch (type) {
      case 'OBJECT_TABLE':
      case 'OBJECT_SEQUENCE': {
        if (!('RangeVar' in node)) break;
        const relation = ddl.findRelation(node.RangeVar);
        if (relation === null) throw ddl.undefinedRelation(node.RangeVar);
        if (relation.kind === 'i') throw new DbError('wrong_object_type', `"${relation.name}" is an index`);
        if (relation.kind === 'c')
          throw new DbError('wrong_object_type', `"${relation.name}" is a composite type`);
        if (type === 'OBJECT_SEQUENCE' && relation.kind !== 'S')
          throw new DbError('wrong_object_type', `"${relation.name}" is not a sequence`);
        targets.push(relationTarget(ddl, relation.oid, relation.kind === 'S'));
        break;
      }
      case 'OBJECT_SCHEMA':
        targets.push(
          rowTarget(ddl, 'schema', 'schema', 'pg_namespace', CLASS_OID.namespace, ddl.namespace(name), {
            owner: 2,
            acl: 3,
          }),
        );
        break;
      case 'OBJECT_DATABASE': {
        const row = ddl.reader.view.findOne('pg_database', 'name', name);
        if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
        targets.push(
          rowTarget(ddl, 'database', 'database', 'pg_database', CLASS_OID.database, row.key as number, {
            owner: 2,
            acl: 15,
          }),
        );
        break;
      }
      case 'OBJECT_FUNCTION':
      case 'OBJECT_PROCEDURE':
      case 'OBJECT_ROUTINE': {
        const oid = findFunction(ddl, node, type, false)!;
        targets.push(
          rowTarget(
            ddl,
            'function',
            routineWord(ddl.reader.function(oid)?.kind),
            'pg_proc',
            CLASS_OID.procedure,
            oid,
            { owner: 3, acl: 29 },
          ),
        );
        break;
      }
      case 'OBJECT_TYPE':
      case 'OBJECT_DOMAIN': {
        const names = namesOf(node);
        if (names.length > 1) ddl.requireSchemaUsage(names.at(-2));
        const found = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, name, ddl.path);
        if (found === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
        if (found.isTrueArray && found.elementOid !== 0)
          throw new DbError('invalid_grant_operation', 'cannot set privileges of array types', {
            hint: 'Set the privileges of the element type instead.',
          });
        if (type === 'OBJECT_DOMAIN' && found.kind !== 'd')
          throw new DbError('wrong_object_type', `"${names.join('.')}" is not a domain`);
        targets.push(
          rowTarget(ddl, 'type', 'type', 'pg_type', CLASS_OID.type, found.oid, { owner: 3, acl: 31 }),
        );
        break;
      }
      case 'OBJECT_LANGUAGE': {
        let oid: Oid | null = null;
        for (const { key, values } of ddl.reader.view.all('pg_language'))
          if (values[PG_LANGUAGE.lanname] === name) oid = key as number;
        if (oid === null) throw new DbError('undefined_object', `language "${name}" does not exist`);
        targets.push(
          rowTarget(ddl, 'language', 'language', 'pg_language', CLASS_OID.language, oid, {
            owner: 2,
            acl: 8,
          }),
        );
        break;
      }
      case 'OBJECT_TABLESPACE': {
        let oid: Oid | null = null;
        for (const { key, values } of ddl.reader.view.all('pg_tablespace'))
          if (values[PG_TABLESPACE.spcname] === name) oid = key as number;
        if (oid === null) throw new DbError('undefined_object', `tablespace "${name}" does not exist`);
        targets.push(
          rowTarget(ddl, 'tablespace', 'tablespace', 'pg_tablespace', CLASS_OID.tablespace, oid, {
            owner: 2,
            acl: 3,
          }),
        );
        break;
      }
      case 'OBJECT_LARGEOBJECT': {
        const oid = largeObjectOid(node);
        if (ddl.reader.view.get('pg_largeobject_metadata', oid) === null)
          throw new DbError('undefined_object', `large object ${oid} does not exist`);
        targets.push({
          ...rowTarget(
            ddl,
            'largeObject',
            'large object',
            'pg_largeobject_metadata',
            CLASS_OID.largeObject,
            oid,
            { owner: 1, acl: 2 },
          ),
          name: String(oid),
        });
        break;
      }
      default:
        throw notSupported(`GRANT ON ${type.replace('OBJECT_', '').replaceAll('_', ' ')}`);
    }
  }
  return targets;
}

function allInSchema(ddl: Ddl, type: ObjectType, schemas: readonly Node[]): AclTarget[] {
  const targets: AclTarget[] = [];
  for (const node of schemas) {
    const namespace = ddl.namespace(stringOf(node));
    if (type === 'OBJECT_TABLE' || type === 'OBJECT_SEQUENCE') {
      const kinds = type === 'OBJECT_SEQUENCE' ? ['S'] : ['r', 'v', 'm', 'f', 'p'];
      for (const { key, values } of ddl.reader.view.find('pg_class', 'namespace', namespace))
        if (kinds.includes(values[PG_CLASS.relkind] as string))
          targets.push(relationTarget(ddl, key as number, type === 'OBJECT_SEQUENCE'));
    } else
      for (const { key, values } of ddl.reader.view.find('pg_proc', 'namespace', namespace)) {
        const isProcedure = values[PG_PROC.prokind] === 'p';
        if (type === 'OBJECT_PROCEDURE' ? !isProcedure : type === 'OBJECT_FUNCTION' && isProcedure) continue;
        targets.push(
          rowTarget(ddl, 'function', 'function', 'pg_proc', CLASS_OID.procedure, key as number, {
            owner: 3,
            acl: 29,
          }),
        );
      }
  }
  return targets;
}

const KIND_WORDS: Readonly<Record<AclObjectKind, string>> = {
  column: 'column',
  relation: 'relation',
  sequence: 'sequence',
  database: 'database',
  function: 'function',
  language: 'language',
  schema: 'schema',
  tablespace: 'tablespace',
  largeObject: 'large object',
  type: 'type',
};

export async function grant(ddl: Ddl, statement: GrantStmt): Promise<UtilityResult> {
  const isGrant = statement.is_grant === true;
  const grantees = (statement.grantees ?? []).map((node) =>
    ddl.roleOid((node as { RoleSpec: RoleSpec }).RoleSpec, true),
  );
  const targets = await targetsOf(ddl, statement);
  const accesses = (statement.privileges ?? []).map(
    (node) => (node as { AccessPriv: AccessPriv }).AccessPriv,
  );
  const base: Omit<Request, 'privileges' | 'isAll'> = {
    isGrant,
    grantees,
    withGrantOption: statement.grant_option === true,
    grantor: statement.grantor === undefined ? null : ddl.roleOid(statement.grantor),
    cascade: statement.behavior === 'DROP_CASCADE',
  };
  for (const target of targets) {
    if (accesses.length === 0) {
      apply(ddl, target, { ...base, privileges: 0, isAll: true });
      if (!isGrant && target.kind === 'relation')
        revokeColumns(ddl, target, { ...base, privileges: ALL_PRIVILEGES.column, isAll: false });
      continue;
    }
    let privileges = 0;
    const byColumn = new Map<number, { privileges: number; isAll: boolean }>();
    for (const access of accesses) {
      const name = access.priv_name === undefined ? null : PRIVILEGES.get(access.priv_name);
      if (name === undefined)
        throw new DbError('syntax_error', `unrecognized privilege type "${access.priv_name}"`);
      const bit = name === null ? 0 : privilegeBit(name);
      if (access.cols !== undefined && access.cols.length > 0) {
        if (target.kind !== 'relation')
          throw new DbError('invalid_grant_operation', 'column privileges are only valid for relations');
        if (name !== null && (ALL_PRIVILEGES.column & bit) === 0)
          throw new DbError('invalid_grant_operation', `invalid privilege type ${name} for column`);
        for (const columnName of stringsOf(access.cols)) {
          const relation = ddl.current(target.object.objectId);
          const column = relation.columns.find(
            (candidate) => candidate.name === columnName && !candidate.dropped,
          );
          if (column === undefined)
            throw new DbError(
              'undefined_column',
              `column "${columnName}" of relation "${relation.name}" does not exist`,
            );
          const known = byColumn.get(column.number) ?? { privileges: 0, isAll: false };
          byColumn.set(column.number, {
            privileges: known.privileges | bit,
            isAll: known.isAll || name === null,
          });
        }
        continue;
      }
      if (name !== null && (ALL_PRIVILEGES[target.kind] & bit) === 0) {
        // Sequences were once granted like tables; only the letters they know count.
        throw new DbError(
          'invalid_grant_operation',
          `invalid privilege type ${name} for ${target.kind === 'function' && statement.objtype === 'OBJECT_PROCEDURE' ? 'procedure' : KIND_WORDS[target.kind]}`,
        );
      }
      privileges |= bit;
    }
    if (privileges !== 0) {
      apply(ddl, target, { ...base, privileges, isAll: false });
      // Taking a right from a table takes it from its columns too.
      if (!isGrant && target.kind === 'relation')
        revokeColumns(ddl, target, { ...base, privileges, isAll: false });
    }
    for (const [attnum, wanted] of byColumn)
      apply(
        ddl,
        columnTarget(ddl, target.object.objectId, attnum),
        { ...base, ...wanted },
        ddl.current(target.object.objectId).columns[attnum - 1]!.name,
      );
  }
  return { tag: isGrant ? 'GRANT' : 'REVOKE' };
}

function columnTarget(ddl: Ddl, relationOid: Oid, attnum: number): AclTarget {
  const relation = ddl.current(relationOid);
  return {
    kind: 'column',
    object: address(CLASS_OID.relation, relationOid, attnum),
    catalog: 'pg_attribute',
    key: relationOid * 4096 + attnum,
    aclColumn: PG_ATTRIBUTE.attacl,
    owner: relation.ownerOid,
    name: relation.name,
    word: 'column',
  };
}

function revokeColumns(ddl: Ddl, target: AclTarget, request: Request): void {
  for (const column of ddl.current(target.object.objectId).columns) {
    const columnAcl = columnTarget(ddl, target.object.objectId, column.number);
    if (acl(ddl, columnAcl) === null) continue;
    const privileges = request.privileges & ALL_PRIVILEGES.column;
    if (privileges !== 0) apply(ddl, columnAcl, { ...request, privileges }, column.name);
  }
}

const ACL_PLACES: ReadonlyMap<
  Oid,
  { kind: AclObjectKind; catalog: CatalogName; owner: number; acl: number }
> = new Map([
  [CLASS_OID.namespace, { kind: 'schema', catalog: 'pg_namespace', owner: 2, acl: 3 }],
  [CLASS_OID.database, { kind: 'database', catalog: 'pg_database', owner: 2, acl: 15 }],
  [CLASS_OID.procedure, { kind: 'function', catalog: 'pg_proc', owner: 3, acl: 29 }],
  [CLASS_OID.type, { kind: 'type', catalog: 'pg_type', owner: 3, acl: 31 }],
  [CLASS_OID.language, { kind: 'language', catalog: 'pg_language', owner: 2, acl: 8 }],
  [CLASS_OID.largeObject, { kind: 'largeObject', catalog: 'pg_largeobject_metadata', owner: 1, acl: 2 }],
  [CLASS_OID.tablespace, { kind: 'tablespace', catalog: 'pg_tablespace', owner: 2, acl: 3 }],
]);

/** DROP OWNED: takes every right of a role on an object away. */
export function dropAclEntries(ddl: Ddl, object: ObjectAddress, role: Oid): void {
  let target: AclTarget;
  if (object.classId === CLASS_OID.relation)
    target =
      object.subId === 0
        ? relationTarget(ddl, object.objectId, ddl.current(object.objectId).kind === 'S')
        : columnTarget(ddl, object.objectId, object.subId);
  else {
    if (object.classId === CLASS_OID.defaultAcl) {
      dropDefaultAclEntries(ddl, object.objectId, role);
      return;
    }
    const place = ACL_PLACES.get(object.classId);
    if (place === undefined) return;
    target = rowTarget(ddl, place.kind, place.kind, place.catalog, object.classId, object.objectId, place);
  }
  const items = aclItems(acl(ddl, target)) ?? [];
  store(
    ddl,
    target,
    items.filter((item) => item.grantee !== role && item.grantor !== role),
  );
}
