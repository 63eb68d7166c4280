/**
 * Access control lists.
 *
 * An item is `grantee=privileges/grantor`; `*` after a letter is the grant option. Rows in memory and on disk hold role *oids*
 * (`16384=arw/10`, empty grantee = PUBLIC), so that renaming a role changes no list; scans of catalogs print names.
 */
import type { Oid } from '../base/brands.ts';
import { type Datum, SqlArray } from '../types/datum.ts';

export type PrivilegeName =
  | 'INSERT'
  | 'SELECT'
  | 'UPDATE'
  | 'DELETE'
  | 'TRUNCATE'
  | 'REFERENCES'
  | 'TRIGGER'
  | 'EXECUTE'
  | 'USAGE'
  | 'CREATE'
  | 'TEMPORARY'
  | 'CONNECT'
  | 'SET'
  | 'ALTER SYSTEM';

/** Letters in the order PostgreSQL prints them; the bit of a privilege is its place here. */
const LETTERS = 'arwdDxtXUCTcsA';
const NAMES: readonly PrivilegeName[] = [
  'INSERT',
  'SELECT',
  'UPDATE',
  'DELETE',
  'TRUNCATE',
  'REFERENCES',
  'TRIGGER',
  'EXECUTE',
  'USAGE',
  'CREATE',
  'TEMPORARY',
  'CONNECT',
  'SET',
  'ALTER SYSTEM',
];

export const PUBLIC: Oid = 0;

export interface AclItem {
  /** Role oid, 0 = PUBLIC. */
  readonly grantee: Oid;
  readonly grantor: Oid;
  /** Bits by {@link privilegeBit}. */
  readonly privileges: number;
  readonly grantOptions: number;
}

export function privilegeBit(name: PrivilegeName): number {
  return 1 << NAMES.indexOf(name);
}

export function privilegeNames(bits: number): PrivilegeName[] {
  return NAMES.filter((_, index) => (bits & (1 << index)) !== 0);
}

/** Kinds of objects that carry a list, as acldefault() names them. */
export type AclObjectKind =
  | 'column'
  | 'relation'
  | 'sequence'
  | 'database'
  | 'function'
  | 'language'
  | 'schema'
  | 'tablespace'
  | 'largeObject'
  | 'type';

function bits(letters: string): number {
  let result = 0;
  for (const letter of letters) result |= 1 << LETTERS.indexOf(letter);
  return result;
}

/** All privileges an object of the kind can have. */
export const ALL_PRIVILEGES: Readonly<Record<AclObjectKind, number>> = {
  column: bits('arwx'),
  relation: bits('arwdDxt'),
  sequence: bits('rwU'),
  database: bits('CTc'),
  function: bits('X'),
  language: bits('U'),
  schema: bits('UC'),
  tablespace: bits('C'),
  largeObject: bits('rw'),
  type: bits('U'),
};

const PUBLIC_DEFAULT: Readonly<Record<AclObjectKind, number>> = {
  column: 0,
  relation: 0,
  sequence: 0,
  database: bits('Tc'),
  function: bits('X'),
  language: bits('U'),
  schema: 0,
  tablespace: 0,
  largeObject: 0,
  type: bits('U'),
};

/** The list an object has when its acl column is NULL. */
export function defaultAcl(kind: AclObjectKind, owner: Oid): AclItem[] {
  const items: AclItem[] = [];
  if (PUBLIC_DEFAULT[kind] !== 0)
    items.push({ grantee: PUBLIC, grantor: owner, privileges: PUBLIC_DEFAULT[kind], grantOptions: 0 });
  if (kind !== 'column')
    items.push({ grantee: owner, grantor: owner, privileges: ALL_PRIVILEGES[kind], grantOptions: 0 });
  return items;
}

/** Parses one stored item (role oids). */
export function parseAclItem(text: string): AclItem {
  const equals = text.indexOf('=');
  const slash = text.indexOf('/', equals);
  let privileges = 0;
  let grantOptions = 0;
  let last = 0;
  for (const letter of text.slice(equals + 1, slash)) {
    if (letter === '*') grantOptions |= last;
    else {
      last = 1 << LETTERS.indexOf(letter);
      privileges |= last;
    }
  }
  return {
    grantee: equals === 0 ? PUBLIC : Number(text.slice(0, equals)),
    grantor: Number(text.slice(slash + 1)),
    privileges,
    grantOptions,
  };
}

function letters(item: AclItem): string {
  let text = '';
  for (let index = 0; index < LETTERS.length; index++) {
    if ((item.privileges & (1 << index)) === 0) continue;
    text += LETTERS[index];
    if ((item.grantOptions & (1 << index)) !== 0) text += '*';
  }
  return text;
}

/** The stored form of an item. */
export function formatAclItem(item: AclItem): string {
  return `${item.grantee === PUBLIC ? '' : item.grantee}=${letters(item)}/${item.grantor}`;
}

/** The form users see. `roleName` answers null for a role that is gone; its oid is then printed. */
export function printAclItem(item: AclItem, roleName: (oid: Oid) => string | null): string {
  const name = (oid: Oid): string => {
    const text = roleName(oid) ?? String(oid);
    return /^[A-Za-z0-9_]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
  };
  return `${item.grantee === PUBLIC ? '' : name(item.grantee)}=${letters(item)}/${name(item.grantor)}`;
}

/** Items of a stored acl column; null stays null. */
export function aclItems(value: Datum): AclItem[] | null {
  if (value === null) return null;
  return (value as SqlArray).elements.map((element) => parseAclItem(element as string));
}

export function aclDatum(items: readonly AclItem[] | null): Datum {
  return items === null ? null : new SqlArray(1033, items.map(formatAclItem));
}

/** A stored acl column as a scan shows it. */
export function printAclDatum(value: Datum, roleName: (oid: Oid) => string | null): Datum {
  if (value === null) return null;
  const array = value as SqlArray;
  return new SqlArray(
    1033,
    array.elements.map((element) => printAclItem(parseAclItem(element as string), roleName)),
    array.dimensions,
    array.lowerBounds,
  );
}

/** Union of the privileges that `isGrantee` holds by the list. */
export function privilegesOf(items: readonly AclItem[], isGrantee: (role: Oid) => boolean): number {
  let held = 0;
  for (const item of items) {
    if ((held & item.privileges) === item.privileges) continue;
    if (item.grantee === PUBLIC || isGrantee(item.grantee)) held |= item.privileges;
  }
  return held;
}

/** As {@link privilegesOf}, for grant options (PUBLIC never holds one). */
export function grantOptionsOf(items: readonly AclItem[], isGrantee: (role: Oid) => boolean): number {
  let held = 0;
  for (const item of items) if (item.grantee !== PUBLIC && isGrantee(item.grantee)) held |= item.grantOptions;
  return held;
}

/** Adds privileges for a grantee by a grantor; merges with an item of the same pair. */
export function grantTo(
  items: readonly AclItem[],
  grant: { grantee: Oid; grantor: Oid; privileges: number; grantOptions: number },
): AclItem[] {
  const result = [...items];
  const at = result.findIndex((item) => item.grantee === grant.grantee && item.grantor === grant.grantor);
  if (at < 0) result.push({ ...grant });
  else {
    const old = result[at]!;
    result[at] = {
      ...old,
      privileges: old.privileges | grant.privileges,
      grantOptions: old.grantOptions | grant.grantOptions,
    };
  }
  return result;
}

/** Takes privileges (or only their grant options) away; an item without any disappears. */
export function revokeFrom(
  items: readonly AclItem[],
  revoke: { grantee: Oid; grantor: Oid; privileges: number; onlyGrantOption: boolean },
): AclItem[] {
  return items.flatMap((item) => {
    if (item.grantee !== revoke.grantee || item.grantor !== revoke.grantor) return [item];
    const changed = {
      ...item,
      privileges: revoke.onlyGrantOption ? item.privileges : item.privileges & ~revoke.privileges,
      grantOptions: item.grantOptions & ~revoke.privileges,
    };
    return changed.privileges === 0 ? [] : [changed];
  });
}
