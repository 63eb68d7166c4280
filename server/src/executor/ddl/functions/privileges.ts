/** has_*_privilege, pg_has_role and the functions over aclitem. */
import type { Oid } from '../../../base/brands.ts';
import { DbError } from '../../../base/error.ts';
import {
  type AclItem,
  type AclObjectKind,
  aclItems,
  defaultAcl,
  grantOptionsOf,
  type PrivilegeName,
  parseAclItem,
  printAclItem,
  privilegeBit,
  privilegeNames,
  privilegesOf,
} from '../../../catalog/acl.ts';
import { PG_ATTRIBUTE, PG_CLASS, PG_LANGUAGE, PG_TABLESPACE } from '../../../catalog/data/columns.ts';
import { type CatalogReaderImplementation, OBJECT_ACLS } from '../../../catalog/reader.ts';
import { PREDEFINED_ROLE } from '../../../catalog/roles.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import type { Surroundings } from './host.ts';

const WORDS: ReadonlyMap<string, PrivilegeName> = new Map([
  ['SELECT', 'SELECT'],
  ['INSERT', 'INSERT'],
  ['UPDATE', 'UPDATE'],
  ['DELETE', 'DELETE'],
  ['TRUNCATE', 'TRUNCATE'],
  ['REFERENCES', 'REFERENCES'],
  ['TRIGGER', 'TRIGGER'],
  ['USAGE', 'USAGE'],
  ['CREATE', 'CREATE'],
  ['CONNECT', 'CONNECT'],
  ['TEMPORARY', 'TEMPORARY'],
  ['TEMP', 'TEMPORARY'],
  ['EXECUTE', 'EXECUTE'],
  ['SET', 'SET'],
  ['ALTER SYSTEM', 'ALTER SYSTEM'],
]);

interface Wanted {
  bit: number;
  withGrant: boolean;
}

/** What each kind of object knows; the others are as good as unknown words. */
const KNOWN_PRIVILEGES: Readonly<Record<string, readonly PrivilegeName[]>> = {
  table: ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'],
  sequence: ['USAGE', 'SELECT', 'UPDATE'],
  column: ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'],
  any_column: ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'],
  database: ['CREATE', 'CONNECT', 'TEMPORARY'],
  function: ['EXECUTE'],
  schema: ['CREATE', 'USAGE'],
  type: ['USAGE'],
  language: ['USAGE'],
  tablespace: ['CREATE'],
  server: ['USAGE'],
  foreign_data_wrapper: ['USAGE'],
  parameter: ['SET', 'ALTER SYSTEM'],
};

/** `select, insert with grant option`: any of them will do. */
function parsePrivileges(text: string, kind: string): Wanted[] {
  return text.split(',').map((part) => {
    const words = part.trim().toUpperCase().replace(/\s+/g, ' ');
    const withGrant = words.endsWith(' WITH GRANT OPTION');
    const word = withGrant ? words.slice(0, -' WITH GRANT OPTION'.length) : words;
    // Rules once had a privilege; nobody holds it.
    if (kind === 'table' && word === 'RULE') return { bit: 0, withGrant };
    const name = WORDS.get(word);
    if (name === undefined || KNOWN_PRIVILEGES[kind]?.includes(name) === false)
      throw new DbError('invalid_parameter_value', `unrecognized privilege type: "${part.trim()}"`);
    return { bit: privilegeBit(name), withGrant };
  });
}

function check(
  reader: CatalogReaderImplementation,
  role: Oid,
  kind: AclObjectKind,
  owner: Oid,
  acl: Datum,
  wanted: readonly Wanted[],
): boolean {
  const { roles } = reader;
  if (role !== 0 && roles.isSuperuser(role)) return true;
  const items = aclItems(acl) ?? defaultAcl(kind, owner);
  const isGrantee = (grantee: Oid): boolean => (role === 0 ? false : roles.hasPrivilegesOf(role, grantee));
  return wanted.some(({ bit, withGrant }) =>
    withGrant
      ? (role !== 0 && roles.hasPrivilegesOf(role, owner)) || (grantOptionsOf(items, isGrantee) & bit) !== 0
      : (privilegesOf(items, isGrantee) & bit) !== 0,
  );
}

/** Role by name ("public" is 0) or oid. */
function roleOf(reader: CatalogReaderImplementation, value: Datum): Oid {
  if (typeof value === 'number') return value;
  if (value === 'public') return 0;
  const role = reader.roleByName(value as string);
  if (role === null) throw new DbError('undefined_object', `role "${value as string}" does not exist`);
  return role.oid;
}

function relationOid(around: Surroundings, value: Datum): Oid {
  return typeof value === 'number' ? value : around.names.resolve('class', value as string);
}

function tablePrivilege(around: Surroundings, role: Oid, object: Datum, wanted: readonly Wanted[]): Datum {
  const { reader } = around;
  const oid = relationOid(around, object);
  const relation = reader.relation(oid);
  if (relation === null) return null;
  const row = reader.view.get('pg_class', oid)!.values;
  if (
    check(
      reader,
      role,
      relation.kind === 'S' ? 'sequence' : 'relation',
      relation.ownerOid,
      row[PG_CLASS.relacl]!,
      wanted,
    )
  )
    return true;
  if (role === 0) return false;
  const names = wanted.filter(({ withGrant }) => !withGrant).flatMap(({ bit }) => privilegeNames(bit));
  return (
    (names.includes('SELECT') && reader.roles.hasPrivilegesOf(role, PREDEFINED_ROLE.readAllData)) ||
    (names.some((name) => name === 'INSERT' || name === 'UPDATE' || name === 'DELETE') &&
      reader.roles.hasPrivilegesOf(role, PREDEFINED_ROLE.writeAllData))
  );
}

function columnPrivilege(
  around: Surroundings,
  role: Oid,
  object: Datum,
  column: Datum,
  wanted: readonly Wanted[],
): Datum {
  const { reader } = around;
  const oid = relationOid(around, object);
  const relation = reader.relation(oid);
  if (relation === null) return null;
  const found =
    typeof column === 'number'
      ? relation.columns[column - 1]
      : relation.columns.find(({ name, dropped }) => name === column && !dropped);
  if (found === undefined || found.dropped) {
    if (typeof column === 'number') return null;
    throw new DbError(
      'undefined_column',
      `column "${column as string}" of relation "${relation.name}" does not exist`,
    );
  }
  if (tablePrivilege(around, role, oid, wanted) === true) return true;
  const acl = reader.view.get('pg_attribute', oid * 4096 + found.number)?.values[PG_ATTRIBUTE.attacl] ?? null;
  return acl === null ? false : check(reader, role, 'column', relation.ownerOid, acl, wanted);
}

function anyColumnPrivilege(
  around: Surroundings,
  role: Oid,
  object: Datum,
  wanted: readonly Wanted[],
): Datum {
  const whole = tablePrivilege(around, role, object, wanted);
  if (whole !== false) return whole;
  const oid = relationOid(around, object);
  return around.reader
    .relation(oid)!
    .columns.some(
      (column) => !column.dropped && columnPrivilege(around, role, oid, column.number, wanted) === true,
    );
}

function objectOid(around: Surroundings, kind: string, value: Datum): Oid {
  if (typeof value === 'number') return value;
  const { reader } = around;
  const name = value as string;
  switch (kind) {
    case 'schema': {
      const namespace = reader.namespaceByName(name);
      if (namespace === null) throw new DbError('invalid_schema_name', `schema "${name}" does not exist`);
      return namespace.oid;
    }
    case 'database': {
      const row = reader.view.findOne('pg_database', 'name', name);
      if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
      return row.key as number;
    }
    case 'function':
      return around.names.resolve('procedure', name);
    case 'type':
      return around.names.resolve('type', name);
    case 'language':
      for (const { key, values } of reader.view.all('pg_language'))
        if (values[PG_LANGUAGE.lanname] === name) return key as number;
      throw new DbError('undefined_object', `language "${name}" does not exist`);
    case 'tablespace':
      for (const { key, values } of reader.view.all('pg_tablespace'))
        if (values[PG_TABLESPACE.spcname] === name) return key as number;
      throw new DbError('undefined_object', `tablespace "${name}" does not exist`);
    default:
      throw new DbError('undefined_object', `server "${name}" does not exist`);
  }
}

/** The implementation of `has_<kind>_privilege_<argument kinds>`. */
export function privilegeFunction(name: string, around: Surroundings): ((...args: Datum[]) => Datum) | null {
  const match = /^has_(any_column|[a-z]+)_privilege_(.+)$/.exec(name);
  if (match === null) return null;
  const kind = match[1]!;
  const parameterCount = match[2]!.split('_').length;
  const hasUser = parameterCount === (kind === 'column' ? 3 : 2);
  return (...args) => {
    const values = [...args];
    const { reader } = around;
    const role = hasUser ? roleOf(reader, values.shift()!) : around.role;
    const wanted = parsePrivileges(values.at(-1) as string, kind);
    const [object, column] = values as [Datum, Datum];
    switch (kind) {
      case 'table':
        return tablePrivilege(around, role, object, wanted);
      case 'sequence': {
        const oid = relationOid(around, object);
        const relation = reader.relation(oid);
        if (relation === null) return null;
        if (relation.kind !== 'S')
          throw new DbError('wrong_object_type', `"${relation.name}" is not a sequence`);
        return tablePrivilege(around, role, oid, wanted);
      }
      case 'column':
        return columnPrivilege(around, role, object, column, wanted);
      case 'any_column':
        return anyColumnPrivilege(around, role, object, wanted);
      case 'parameter':
        return reader.roles.isSuperuser(role);
      case 'server':
        objectOid(around, kind, object);
        return null;
      default: {
        const oid = objectOid(around, kind, object);
        const place = OBJECT_ACLS[kind as keyof typeof OBJECT_ACLS];
        const row = reader.view.get(place[0], oid)?.values;
        if (row === undefined) return null;
        if (check(reader, role, kind as AclObjectKind, row[place[1]] as number, row[place[2]]!, wanted))
          return true;
        return (
          kind === 'schema' &&
          role !== 0 &&
          wanted.some(({ bit, withGrant }) => !withGrant && bit === privilegeBit('USAGE')) &&
          (reader.roles.hasPrivilegesOf(role, PREDEFINED_ROLE.readAllData) ||
            reader.roles.hasPrivilegesOf(role, PREDEFINED_ROLE.writeAllData))
        );
      }
    }
  };
}

/** pg_has_role([user,] role, privilege) */
export function hasRoleFunction(around: Surroundings, parameterCount: number): (...args: Datum[]) => Datum {
  return (...args) => {
    const { reader } = around;
    const values = [...args];
    const user = parameterCount === 3 ? roleOf(reader, values.shift()!) : around.role;
    const role = roleOf(reader, values[0]!);
    return (values[1] as string).split(',').some((part) => {
      const words = part.trim().toUpperCase().replace(/\s+/g, ' ');
      switch (words) {
        case 'USAGE':
          return reader.roles.hasPrivilegesOf(user, role);
        case 'MEMBER':
          return reader.roles.isMember(user, role);
        case 'USAGE WITH GRANT OPTION':
        case 'USAGE WITH ADMIN OPTION':
        case 'MEMBER WITH GRANT OPTION':
        case 'MEMBER WITH ADMIN OPTION':
          return reader.roles.isAdmin(user, role);
        default:
          throw new DbError('invalid_parameter_value', `unrecognized privilege type: "${part.trim()}"`);
      }
    });
  };
}

const DEFAULT_KINDS: Readonly<Record<string, AclObjectKind>> = {
  c: 'column',
  r: 'relation',
  s: 'sequence',
  d: 'database',
  f: 'function',
  l: 'language',
  n: 'schema',
  t: 'tablespace',
  L: 'largeObject',
  T: 'type',
};

export function aclDefault(around: Surroundings, kind: string, owner: Oid): Datum {
  const objectKind = DEFAULT_KINDS[kind];
  if (objectKind === undefined) {
    if (kind === 'F' || kind === 'S' || kind === 'L' || kind === 'p') return new SqlArray(1033, []);
    throw new DbError('invalid_parameter_value', `unrecognized object type abbreviation: ${kind}`);
  }
  return new SqlArray(
    1033,
    defaultAcl(objectKind, owner).map((item) =>
      printAclItem(item, (oid) => around.reader.role(oid)?.name ?? null),
    ),
  );
}

/** Items as users see them carry names; they may also be oids. */
export function readAclItem(reader: CatalogReaderImplementation, text: string): AclItem {
  const equals = text.lastIndexOf('=', text.lastIndexOf('/'));
  const slash = text.lastIndexOf('/');
  const oid = (name: string): Oid => {
    const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
    if (plain === '') return 0;
    return reader.roleByName(plain)?.oid ?? (Number(plain) || 0);
  };
  const letters = text.slice(equals + 1, slash);
  return parseAclItem(`${oid(text.slice(0, equals)) || ''}=${letters}/${oid(text.slice(slash + 1))}`);
}

/** aclexplode(acl): grantor, grantee, privilege, is_grantable */
export function* explodeAcl(around: Surroundings, acl: Datum): Generator<readonly Datum[]> {
  if (acl === null) return;
  for (const element of (acl as SqlArray).elements) {
    const item = readAclItem(around.reader, element as string);
    for (const name of privilegeNames(item.privileges))
      yield [item.grantor, item.grantee, name, (item.grantOptions & privilegeBit(name)) !== 0];
  }
}
