/**
 * Objects that are one row of one catalog with a name, perhaps a schema and an owner: collations, conversions, statistics,
 * operators, operator classes, publications … One table of facts serves DROP, COMMENT, RENAME, OWNER TO and SET SCHEMA.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_AM, PG_CAST, PG_OPCLASS, PG_POLICY, PG_REWRITE } from '../../catalog/data/columns.ts';
import type { CatalogName } from '../../catalog/data/index.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import type { CatalogRow } from '../../catalog/static-rows.ts';
import { stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type { Node, ObjectType, TypeName } from '../../sql/parse/nodes.ts';
import { type Ddl, namesOf, rangeVarName, rangeVarOf } from './common.ts';

/** Where objects of one kind are kept. Columns are positions in the catalog's rows; null = they have none. */
export interface NamedKind {
  readonly catalog: CatalogName;
  readonly classId: Oid;
  readonly name: number;
  readonly namespace: number | null;
  readonly owner: number | null;
  readonly acl: number | null;
  /** In `… "x" does not exist` and `must be owner of …`. */
  readonly word: string;
  readonly ownerWord?: string;
  /** Of the command tags: `DROP COLLATION`. */
  readonly tag: string;
  /** Column of the access method that scopes the name. */
  readonly scope?: number;
}

function kind(
  catalog: CatalogName,
  classId: Oid,
  columns: readonly [name: number, namespace: number | null, owner: number | null, acl?: number],
  word: string,
  more: { tag?: string; ownerWord?: string; scope?: number } = {},
): NamedKind {
  const [name, namespace, owner, acl] = columns;
  return {
    catalog,
    classId,
    name,
    namespace,
    owner,
    acl: acl ?? null,
    word,
    tag: more.tag ?? word.toUpperCase(),
    ownerWord: more.ownerWord,
    scope: more.scope,
  };
}

export const NAMED_KINDS: Partial<Record<ObjectType, NamedKind>> = {
  OBJECT_COLLATION: kind('pg_collation', CLASS_OID.collation, [1, 2, 3], 'collation'),
  OBJECT_CONVERSION: kind('pg_conversion', CLASS_OID.conversion, [1, 2, 3], 'conversion'),
  OBJECT_STATISTIC_EXT: kind('pg_statistic_ext', CLASS_OID.statistics, [2, 3, 4], 'statistics object', {
    tag: 'STATISTICS',
  }),
  OBJECT_TSPARSER: kind('pg_ts_parser', CLASS_OID.textSearchParser, [1, 2, null], 'text search parser'),
  OBJECT_TSDICTIONARY: kind(
    'pg_ts_dict',
    CLASS_OID.textSearchDictionary,
    [1, 2, 3],
    'text search dictionary',
  ),
  OBJECT_TSTEMPLATE: kind(
    'pg_ts_template',
    CLASS_OID.textSearchTemplate,
    [1, 2, null],
    'text search template',
  ),
  OBJECT_TSCONFIGURATION: kind(
    'pg_ts_config',
    CLASS_OID.textSearchConfiguration,
    [1, 2, 3],
    'text search configuration',
  ),
  OBJECT_OPCLASS: kind('pg_opclass', CLASS_OID.operatorClass, [2, 3, 4], 'operator class', {
    scope: PG_OPCLASS.opcmethod,
  }),
  OBJECT_OPFAMILY: kind('pg_opfamily', CLASS_OID.operatorFamily, [2, 3, 4], 'operator family', { scope: 1 }),
  OBJECT_OPERATOR: kind('pg_operator', CLASS_OID.operator, [1, 2, 3], 'operator'),
  OBJECT_LANGUAGE: kind('pg_language', CLASS_OID.language, [1, null, 2, 8], 'language'),
  OBJECT_EXTENSION: kind('pg_extension', CLASS_OID.extension, [1, null, 2], 'extension'),
  OBJECT_ACCESS_METHOD: kind('pg_am', CLASS_OID.accessMethod, [1, null, null], 'access method'),
  OBJECT_PUBLICATION: kind('pg_publication', CLASS_OID.publication, [1, null, 2], 'publication'),
  OBJECT_SUBSCRIPTION: kind('pg_subscription', CLASS_OID.subscription, [3, null, 4], 'subscription'),
  OBJECT_FDW: kind(
    'pg_foreign_data_wrapper',
    CLASS_OID.foreignDataWrapper,
    [1, null, 2, 5],
    'foreign-data wrapper',
    { tag: 'FOREIGN DATA WRAPPER' },
  ),
  OBJECT_FOREIGN_SERVER: kind('pg_foreign_server', CLASS_OID.foreignServer, [1, null, 2, 6], 'server', {
    ownerWord: 'foreign server',
  }),
  OBJECT_EVENT_TRIGGER: kind('pg_event_trigger', CLASS_OID.eventTrigger, [1, null, 3], 'event trigger'),
  OBJECT_TABLESPACE: kind('pg_tablespace', CLASS_OID.tablespace, [1, null, 2, 3], 'tablespace'),
};

export interface FoundObject {
  readonly kind: NamedKind;
  readonly oid: Oid;
  readonly row: CatalogRow;
  /** As the statement names it. */
  readonly shown: string;
}

function found(ddl: Ddl, kind: NamedKind, oid: Oid, shown: string): FoundObject {
  return { kind, oid, row: ddl.writer.row(kind.catalog, oid), shown };
}

/** Says that something is missing: a notice when allowed, else the error. */
function missing(
  ddl: Ddl,
  missingOk: boolean,
  message: string,
  code: 'undefined_object' | 'undefined_function' = 'undefined_object',
): null {
  if (!missingOk) throw new DbError(code, message);
  ddl.notice(`${message}, skipping`);
  return null;
}

/** False when a schema named explicitly is missing and that is allowed (a notice tells it). */
function schemaExists(ddl: Ddl, schema: string | null, missingOk: boolean): boolean {
  if (schema === null || schema === 'pg_temp' || ddl.reader.namespaceByName(schema) !== null) return true;
  if (!missingOk) throw new DbError('invalid_schema_name', `schema "${schema}" does not exist`);
  ddl.notice(`schema "${schema}" does not exist, skipping`);
  return false;
}

/** An object of a kind by the name a statement gives; null when it is missing and may be. */
export function findNamed(ddl: Ddl, type: ObjectType, node: Node, missingOk = false): FoundObject | null {
  const kind = NAMED_KINDS[type]!;
  if (type === 'OBJECT_OPERATOR') return findOperatorObject(ddl, kind, node, missingOk);
  let names = namesOf(node);
  if (names.length === 0) names = [stringOf(node)];
  let method: Oid | null = null;
  let methodName = '';
  if (kind.scope !== undefined) {
    methodName = names.shift() ?? '';
    method = accessMethodOid(ddl, methodName);
    if (method === null)
      throw new DbError('undefined_object', `access method "${methodName}" does not exist`);
  }
  const name = names.at(-1)!;
  const schema = names.length > 1 ? names.at(-2)! : null;
  if (kind.namespace !== null) {
    if (!schemaExists(ddl, schema, missingOk)) return null;
    if (!missingOk && schema !== null) ddl.requireSchemaUsage(schema);
    const rows = [...ddl.reader.view.all(kind.catalog)].filter(
      ({ values }) => values[kind.name] === name && (method === null || values[kind.scope!] === method),
    );
    for (const namespace of ddl.reader.namespacesFor(schema, ddl.path))
      for (const { key, values } of rows)
        if (values[kind.namespace] === namespace) return found(ddl, kind, key as number, name);
  } else
    for (const { key, values } of ddl.reader.view.all(kind.catalog))
      if (values[kind.name] === name) return found(ddl, kind, key as number, name);
  const shown = names.join('.');
  if (type === 'OBJECT_COLLATION')
    return missing(
      ddl,
      missingOk,
      missingOk
        ? `collation "${shown}" does not exist`
        : `collation "${shown}" for encoding "UTF8" does not exist`,
    );
  return missing(
    ddl,
    missingOk,
    `${kind.word} "${shown}" does not exist${method === null ? '' : ` for access method "${methodName}"`}`,
  );
}

function accessMethodName(ddl: Ddl, oid: Oid): string {
  return ddl.reader.view.get('pg_am', oid)?.values[PG_AM.amname] as string;
}

export function accessMethodOid(ddl: Ddl, name: string): Oid | null {
  for (const { key, values } of ddl.reader.view.all('pg_am'))
    if (values[PG_AM.amname] === name) return key as number;
  return null;
}

/** Operand types of an operator as DROP OPERATOR and friends write them; 0 = NONE. */
export function operatorOperands(ddl: Ddl, nodes: readonly Node[] | undefined): [left: Oid, right: Oid] {
  const [left, right] = (nodes ?? []).map((item) =>
    'TypeName' in item ? ddl.context.sql.resolveTypeName(item.TypeName).typeOid : 0,
  );
  return [left ?? 0, right ?? 0];
}

/** Oid of an operator by name and operand types, null when there is none. */
export function operatorByOperands(ddl: Ddl, names: readonly string[], left: Oid, right: Oid): Oid | null {
  const schema = names.length > 1 ? names.at(-2)! : null;
  const operator = ddl.reader
    .operatorsByName(schema, names.at(-1)!, ddl.path)
    .find((candidate) => candidate.leftType === left && candidate.rightType === right);
  return operator?.oid ?? null;
}

/** `operator does not exist: integer === integer`. */
export function operatorSignature(ddl: Ddl, names: readonly string[], left: Oid, right: Oid): string {
  const text = (type: Oid): string => formatType(ddl.reader, type, { path: ddl.path });
  return `${left === 0 ? '' : `${text(left)} `}${names.join('.')}${right === 0 ? '' : ` ${text(right)}`}`;
}

function findOperatorObject(ddl: Ddl, kind: NamedKind, node: Node, missingOk: boolean): FoundObject | null {
  if (!('ObjectWithArgs' in node))
    throw new DbError('syntax_error', 'operator argument types must be specified');
  const names = stringsOf(node.ObjectWithArgs.objname);
  if (!schemaExists(ddl, names.length > 1 ? names.at(-2)! : null, missingOk)) return null;
  const args = node.ObjectWithArgs.objargs;
  for (const item of args ?? [])
    if ('TypeName' in item && !typeExists(ddl, item.TypeName, missingOk)) return null;
  const [left, right] = operatorOperands(ddl, args);
  const oid = operatorByOperands(ddl, names, left, right);
  if (oid !== null) return found(ddl, kind, oid, names.join('.'));
  if (missingOk) return missing(ddl, true, `operator ${names.join('.')} does not exist`);
  throw new DbError(
    'undefined_function',
    `operator does not exist: ${operatorSignature(ddl, names, left, right)}`,
  );
}

/** True when a type name resolves; with `missingOk` a notice says that it does not. */
export function typeExists(ddl: Ddl, name: TypeName, missingOk: boolean): boolean {
  if (!missingOk) return true;
  const names = stringsOf(name.names);
  if (!schemaExists(ddl, names.length > 1 ? names.at(-2)! : null, true)) return false;
  try {
    ddl.context.sql.resolveTypeName(name);
    return true;
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    ddl.notice(`type "${names.join('.')}" does not exist, skipping`);
    return false;
  }
}

/** Rules and policies: named by their table and their own name. */
export async function findOnTable(
  ddl: Ddl,
  type: 'OBJECT_RULE' | 'OBJECT_POLICY',
  node: Node,
  missingOk: boolean,
): Promise<ObjectAddress | null> {
  const names = namesOf(node);
  const name = names.at(-1)!;
  const target = rangeVarOf(names.slice(0, -1));
  const word = type === 'OBJECT_RULE' ? 'rule' : 'policy';
  if (!schemaExists(ddl, target.schemaname ?? null, missingOk)) return null;
  const relation = await ddl.relationIfExists(target, 'AccessExclusive');
  if (relation === null) {
    if (!missingOk) throw ddl.undefinedRelation(target);
    ddl.notice(`relation "${rangeVarName(target)}" does not exist, skipping`);
    return null;
  }
  ddl.requireRelationOwner(relation);
  const [catalog, column, classId] =
    type === 'OBJECT_RULE'
      ? (['pg_rewrite', PG_REWRITE.rulename, CLASS_OID.rewrite] as const)
      : (['pg_policy', PG_POLICY.polname, CLASS_OID.policy] as const);
  const row = ddl.reader.view
    .find(catalog, 'relation', relation.oid)
    .find(({ values }) => values[column] === name);
  if (row !== undefined) return address(classId, row.key as number);
  const on = type === 'OBJECT_RULE' || missingOk ? 'relation' : 'table';
  return missing(ddl, missingOk, `${word} "${name}" for ${on} "${relation.name}" does not exist`);
}

/** DROP CAST and COMMENT ON CAST name it by its two types. */
export function findCast(ddl: Ddl, node: Node, missingOk: boolean): ObjectAddress | null {
  const types =
    'List' in node
      ? (node.List.items ?? []).flatMap((item) => ('TypeName' in item ? [item.TypeName] : []))
      : [];
  for (const name of types) if (!typeExists(ddl, name, missingOk)) return null;
  const [source, target] = types.map((name) => ddl.context.sql.resolveTypeName(name).typeOid) as [Oid, Oid];
  const row = ddl.reader.view.findOne('pg_cast', 'pair', pairKey(source, target));
  if (row !== null) {
    const mine = (type: Oid): boolean => ddl.isOwner(ddl.objectOwner('type', type));
    if (!mine(row.values[PG_CAST.castsource] as number) && !mine(row.values[PG_CAST.casttarget] as number))
      throw new DbError(
        'insufficient_privilege',
        `must be owner of type ${formatType(ddl.reader, source, { path: ddl.path })} or type ${formatType(ddl.reader, target, { path: ddl.path })}`,
      );
    return address(CLASS_OID.cast, row.key as number);
  }
  return missing(
    ddl,
    missingOk,
    `cast from type ${formatType(ddl.reader, source, { path: ddl.path })} to type ${formatType(ddl.reader, target, { path: ddl.path })} does not exist`,
  );
}

/** 42501 unless the current role owns the object. */
export function requireNamedOwner(ddl: Ddl, object: FoundObject): void {
  const { kind, row } = object;
  if (kind.owner === null ? !ddl.isSuperuser : !ddl.isOwner(row[kind.owner] as number))
    throw new DbError(
      'insufficient_privilege',
      kind.owner === null
        ? `must be superuser to change ${kind.word} "${row[kind.name] as string}"`
        : `must be owner of ${kind.ownerWord ?? kind.word} ${row[kind.name] as string}`,
    );
}

/** 42710 when another object of the kind has the name in that schema (and access method). */
export function requireNameIsFree(
  ddl: Ddl,
  type: ObjectType,
  name: string,
  namespace: Oid | null,
  scope: Oid | null = null,
): void {
  const kind = NAMED_KINDS[type]!;
  for (const { values } of ddl.reader.view.all(kind.catalog)) {
    if (values[kind.name] !== name) continue;
    if (kind.namespace !== null && values[kind.namespace] !== namespace) continue;
    if (scope !== null && kind.scope !== undefined && values[kind.scope] !== scope) continue;
    const schema = namespace === null ? null : ddl.reader.namespaceName(namespace);
    if (type === 'OBJECT_COLLATION')
      throw new DbError(
        'duplicate_object',
        `collation "${name}" for encoding "UTF8" already exists in schema "${schema}"`,
      );
    const method = scope === null || kind.scope === undefined ? null : accessMethodName(ddl, scope);
    throw new DbError(
      'duplicate_object',
      `${kind.word} "${name}"${method === null ? '' : ` for access method "${method}"`} already exists${schema === null ? '' : ` in schema "${schema}"`}`,
    );
  }
}
