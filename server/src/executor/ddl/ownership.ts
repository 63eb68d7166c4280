/** RENAME, OWNER TO and SET SCHEMA for every kind of object. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { aclDatum, aclItems } from '../../catalog/acl.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import {
  PG_ATTRIBUTE,
  PG_AUTHID,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_DATABASE,
  PG_DEPEND,
  PG_LARGEOBJECT_METADATA,
  PG_NAMESPACE,
  PG_POLICY,
  PG_PROC,
  PG_REWRITE,
  PG_TYPE,
} from '../../catalog/data/columns.ts';
import type { CatalogName } from '../../catalog/data/index.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { RELATION_KIND_NAMES } from '../../catalog/object-names.ts';
import { stringOf } from '../../sql/parse/ast.ts';
import type {
  AlterObjectSchemaStmt,
  AlterOwnerStmt,
  Node,
  ObjectType,
  RenameStmt,
} from '../../sql/parse/nodes.ts';
import { serialiseQuery } from '../../sql/tree-json.ts';
import type { Datum } from '../../types/datum.ts';
import { largeObjectOid } from './comment.ts';
import { type Ddl, namesOf, rangeVarName } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { renameTrigger } from './create-trigger.ts';
import { findFunction } from './drop.ts';
import { setExtensionSchema } from './extension.ts';
import { lockedChildren } from './inheritance.ts';
import { findNamed, NAMED_KINDS, requireNamedOwner, requireNameIsFree } from './named-objects.ts';
import { arrayTypeName, assertTypeNameIsFree, duplicateRelation } from './relation.ts';
import { requireRoutineNameIsFree, requireRoutineOwner, routineWord } from './routine-names.ts';
import { storedActions, storedQueries } from './rules.ts';
import { sequenceOwner } from './sequence.ts';
import { refuseTypedTable, refuseTypeInUse } from './typed-table.ts';

const TAG_WORDS: Partial<Record<ObjectType, string>> = {
  OBJECT_TABLE: 'TABLE',
  OBJECT_INDEX: 'INDEX',
  OBJECT_VIEW: 'VIEW',
  OBJECT_SEQUENCE: 'SEQUENCE',
  OBJECT_MATVIEW: 'MATERIALIZED VIEW',
  OBJECT_SCHEMA: 'SCHEMA',
  OBJECT_DATABASE: 'DATABASE',
  OBJECT_ROLE: 'ROLE',
  OBJECT_TYPE: 'TYPE',
  OBJECT_DOMAIN: 'DOMAIN',
  OBJECT_FUNCTION: 'FUNCTION',
  OBJECT_PROCEDURE: 'PROCEDURE',
  OBJECT_ROUTINE: 'ROUTINE',
  OBJECT_AGGREGATE: 'AGGREGATE',
  OBJECT_FOREIGN_TABLE: 'FOREIGN TABLE',
};

function tagFor(type: ObjectType | undefined): string {
  return `ALTER ${TAG_WORDS[type ?? 'OBJECT_TABLE'] ?? 'TABLE'}`;
}

// ------------------------------------------------------------------------------------------------------------ RENAME

export async function rename(ddl: Ddl, statement: RenameStmt): Promise<UtilityResult> {
  const newName = statement.newname!;
  switch (statement.renameType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_INDEX':
    case 'OBJECT_VIEW':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_MATVIEW': {
      const relation = await ddl.relationIfExists(statement.relation!, 'AccessExclusive');
      if (relation === null) {
        if (statement.missing_ok !== true) throw ddl.undefinedRelation(statement.relation!);
        ddl.notice(`relation "${rangeVarName(statement.relation!)}" does not exist, skipping`);
      } else {
        requireKind(relation, statement.renameType);
        await renameRelation(ddl, relation, newName);
      }
      return { tag: tagFor(statement.renameType) };
    }
    case 'OBJECT_COLUMN':
    case 'OBJECT_ATTRIBUTE': {
      const relation = await ddl.relationIfExists(statement.relation!, 'AccessExclusive');
      if (relation === null) {
        if (statement.missing_ok !== true) throw ddl.undefinedRelation(statement.relation!);
        ddl.notice(`relation "${rangeVarName(statement.relation!)}" does not exist, skipping`);
      } else await renameColumnInTree(ddl, relation, statement, newName);
      return {
        tag: tagFor(statement.renameType === 'OBJECT_ATTRIBUTE' ? 'OBJECT_TYPE' : statement.relationType),
      };
    }
    case 'OBJECT_TRIGGER': {
      const relation = await ddl.relation(statement.relation!, 'AccessExclusive');
      await renameTrigger(ddl, relation, statement.subname!, newName);
      return { tag: 'ALTER TRIGGER' };
    }
    case 'OBJECT_TABCONSTRAINT': {
      const relation = await ddl.relation(statement.relation!, 'AccessExclusive');
      await renameConstraint(ddl, relation, statement.subname!, newName);
      return { tag: 'ALTER TABLE' };
    }
    case 'OBJECT_SCHEMA': {
      const name = statement.subname!;
      const namespace = ddl.reader.namespaceByName(name);
      if (namespace === null) throw new DbError('invalid_schema_name', `schema "${name}" does not exist`);
      if (!ddl.isOwner(namespace.ownerOid))
        throw new DbError('insufficient_privilege', `must be owner of schema ${name}`);
      ddl.requireDatabasePrivilege('CREATE');
      if (newName.startsWith('pg_'))
        throw new DbError('reserved_name', `unacceptable schema name "${newName}"`, {
          detail: 'The prefix "pg_" is reserved for system schemas.',
        });
      await ddl.reserve(0, newName);
      if (ddl.reader.namespaceByName(newName) !== null)
        throw new DbError('duplicate_schema', `schema "${newName}" already exists`);
      ddl.writer.update('pg_namespace', namespace.oid, { [PG_NAMESPACE.nspname]: newName });
      return { tag: 'ALTER SCHEMA' };
    }
    case 'OBJECT_ROLE': {
      const role = ddl.roleByName(statement.subname!);
      const me = ddl.reader.role(ddl.role)!;
      if (role.oid === ddl.context.sessionRole())
        throw new DbError('feature_not_supported', 'session user cannot be renamed');
      if (role.superuser && !me.superuser)
        throw new DbError('insufficient_privilege', 'must be superuser to rename superusers');
      if (!me.superuser && !me.createRole)
        throw new DbError('insufficient_privilege', 'permission denied to rename role');
      if (newName.startsWith('pg_'))
        throw new DbError('reserved_name', `role name "${newName}" is reserved`, {
          detail: 'Role names starting with "pg_" are reserved.',
        });
      await ddl.reserve(CLASS_OID.role, newName);
      if (ddl.reader.roleByName(newName) !== null)
        throw new DbError('duplicate_object', `role "${newName}" already exists`);
      ddl.writer.update('pg_authid', role.oid, { [PG_AUTHID.rolname]: newName });
      return { tag: 'ALTER ROLE' };
    }
    case 'OBJECT_DATABASE': {
      const row = ddl.reader.view.findOne('pg_database', 'name', statement.subname!);
      if (row === null)
        throw new DbError('undefined_database', `database "${statement.subname}" does not exist`);
      if (row.key === ddl.reader.databaseOid)
        throw new DbError('feature_not_supported', 'current database cannot be renamed');
      if (!ddl.isOwner(row.values[PG_DATABASE.datdba] as number))
        throw new DbError('insufficient_privilege', `must be owner of database ${statement.subname}`);
      if (ddl.reader.view.findOne('pg_database', 'name', newName) !== null)
        throw new DbError('duplicate_database', `database "${newName}" already exists`);
      ddl.writer.update('pg_database', row.key, { [PG_DATABASE.datname]: newName });
      return { tag: 'ALTER DATABASE' };
    }
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const names = namesOf(statement.object);
      const type = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path);
      if (type === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
      if (!ddl.isOwner(ddl.objectOwner('type', type.oid)))
        throw new DbError('insufficient_privilege', `must be owner of type ${type.name}`);
      if (type.relationOid !== 0) {
        const relation = ddl.current(type.relationOid);
        if (relation.kind !== 'c')
          throw new DbError('wrong_object_type', `${names.join('.')} is a table's row type`, {
            hint: 'Use ALTER TABLE instead.',
          });
        await renameRelation(ddl, relation, newName);
      } else renameType(ddl, type.oid, newName);
      return { tag: tagFor(statement.renameType) };
    }
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_AGGREGATE':
    case 'OBJECT_ROUTINE': {
      const oid = findFunction(ddl, statement.object!, statement.renameType, false)!;
      requireRoutineNameIsFree(ddl, oid, newName, ddl.reader.function(oid)!.namespaceOid);
      requireRoutineOwner(ddl, oid);
      ddl.requireSchemaCreate(ddl.reader.function(oid)!.namespaceOid);
      ddl.writer.update('pg_proc', oid, { [PG_PROC.proname]: newName });
      return { tag: tagFor(statement.renameType) };
    }
    case 'OBJECT_DOMCONSTRAINT': {
      const names = namesOf(statement.object);
      const type = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path);
      const row =
        type === null
          ? undefined
          : ddl.reader.view
              .find('pg_constraint', 'type', type.oid)
              .find(({ values }) => values[PG_CONSTRAINT.conname] === statement.subname);
      if (row === undefined)
        throw new DbError(
          'undefined_object',
          `constraint "${statement.subname}" for domain ${names.join('.')} does not exist`,
        );
      ddl.writer.update('pg_constraint', row.key, { [PG_CONSTRAINT.conname]: newName });
      return { tag: 'ALTER DOMAIN' };
    }
    case 'OBJECT_RULE':
    case 'OBJECT_POLICY':
      return renameOnTable(ddl, statement, statement.renameType);
    default: {
      const type = statement.renameType!;
      const kind = NAMED_KINDS[type];
      if (kind === undefined) throw notSupported(`ALTER ${type.replace('OBJECT_', '')} RENAME`);
      const object = findNamed(ddl, type, statement.object!)!;
      requireNamedOwner(ddl, object);
      const namespace = kind.namespace === null ? null : (object.row[kind.namespace] as Oid);
      if (namespace !== null) ddl.requireSchemaCreate(namespace);
      requireNameIsFree(
        ddl,
        type,
        newName,
        namespace,
        kind.scope === undefined ? null : (object.row[kind.scope] as Oid),
      );
      ddl.writer.update(kind.catalog, object.oid, { [kind.name]: newName });
      return { tag: `ALTER ${kind.tag}` };
    }
  }
}

/** Rules and policies are named within their table. */
async function renameOnTable(
  ddl: Ddl,
  statement: RenameStmt,
  type: 'OBJECT_RULE' | 'OBJECT_POLICY',
): Promise<UtilityResult> {
  const isRule = type === 'OBJECT_RULE';
  const tag = { tag: isRule ? 'ALTER RULE' : 'ALTER POLICY' };
  const relation = await ddl.relationIfExists(statement.relation!, 'AccessExclusive');
  if (relation === null) {
    if (statement.missing_ok !== true) throw ddl.undefinedRelation(statement.relation!);
    ddl.notice(`relation "${rangeVarName(statement.relation!)}" does not exist, skipping`);
    return tag;
  }
  ddl.requireRelationOwner(relation);
  const catalog = isRule ? 'pg_rewrite' : 'pg_policy';
  const column = isRule ? PG_REWRITE.rulename : PG_POLICY.polname;
  const rows = ddl.reader.view.find(catalog, 'relation', relation.oid);
  const row = rows.find(({ values }) => values[column] === statement.subname);
  if (row === undefined)
    throw new DbError(
      'undefined_object',
      isRule
        ? `rule "${statement.subname}" for relation "${relation.name}" does not exist`
        : `policy "${statement.subname}" for table "${relation.name}" does not exist`,
    );
  if (rows.some(({ values }) => values[column] === statement.newname))
    throw new DbError(
      'duplicate_object',
      isRule
        ? `rule "${statement.newname}" for relation "${relation.name}" already exists`
        : `policy "${statement.newname}" for table "${relation.name}" already exists`,
    );
  if (isRule && statement.subname === '_RETURN')
    throw new DbError('invalid_object_definition', 'renaming an ON SELECT rule is not allowed');
  ddl.writer.update(catalog, row.key, { [column]: statement.newname! });
  return tag;
}

function requireKind(relation: RelationDescriptor, type: ObjectType): void {
  // ALTER TABLE may name anything.
  const wanted = { OBJECT_INDEX: 'i', OBJECT_VIEW: 'v', OBJECT_SEQUENCE: 'S', OBJECT_MATVIEW: 'm' }[
    type as string
  ];
  if (wanted === undefined || relation.kind === wanted) return;
  const word = RELATION_KIND_NAMES[wanted]!;
  throw new DbError(
    'wrong_object_type',
    `"${relation.name}" is not ${word === 'index' ? 'an' : 'a'} ${word}`,
  );
}

async function renameRelation(ddl: Ddl, relation: RelationDescriptor, newName: string): Promise<void> {
  ddl.requireRelationOwner(relation);
  ddl.requireSchemaCreate(relation.namespaceOid);
  await ddl.reserve(relation.namespaceOid, newName);
  if (ddl.reader.relationOid(relation.namespaceOid, newName) !== null) throw duplicateRelation(newName);
  ddl.writer.update('pg_class', relation.oid, { [PG_CLASS.relname]: newName });
  if (relation.rowTypeOid !== 0) renameType(ddl, relation.rowTypeOid, newName);
  if (relation.kind === 'i') {
    const constraint = ddl.reader.view
      .find('pg_constraint', 'index', relation.oid)
      .find(({ values }) => values[PG_CONSTRAINT.contype] !== 'f');
    if (constraint !== undefined)
      ddl.writer.update('pg_constraint', constraint.key, { [PG_CONSTRAINT.conname]: newName });
  }
  const changed = ddl.current(relation.oid);
  if (changed.table !== null) ddl.context.tables.alterTable(ddl.context.transaction, changed.table);
}

function renameType(ddl: Ddl, oid: Oid, newName: string): void {
  const row = ddl.writer.row('pg_type', oid);
  const namespace = row[PG_TYPE.typnamespace] as number;
  assertTypeNameIsFree(ddl, namespace, newName);
  ddl.writer.update('pg_type', oid, { [PG_TYPE.typname]: newName });
  const arrayOid = row[PG_TYPE.typarray] as number;
  if (arrayOid !== 0)
    ddl.writer.update('pg_type', arrayOid, { [PG_TYPE.typname]: arrayTypeName(ddl, namespace, newName) });
}

/** A column's name is the same in all tables below. Each is renamed once, however many ways lead to it. */
async function renameColumnInTree(
  ddl: Ddl,
  relation: RelationDescriptor,
  statement: RenameStmt,
  newName: string,
): Promise<void> {
  const oldName = statement.subname!;
  refuseTypedTable(ddl, relation.oid, 'rename');
  refuseTypeInUse(ddl, relation.oid, 'rename', statement.behavior === 'DROP_CASCADE');
  const column = relation.columns.find(({ name, dropped }) => name === oldName && !dropped);
  if (column !== undefined && relation.children.length > 0 && statement.relation?.inh !== true)
    throw new DbError(
      'invalid_table_definition',
      `inherited column "${oldName}" must be renamed in child tables too`,
    );
  // Parents of each table that are in the tree as well: what it inherits from others must keep its name.
  const parentCounts = new Map<Oid, number>([[relation.oid, 0]]);
  const tree = [relation];
  if (column !== undefined)
    for (const member of tree)
      for (const child of await lockedChildren(ddl, member.oid)) {
        const count = parentCounts.get(child.oid);
        parentCounts.set(child.oid, (count ?? 0) + 1);
        if (count === undefined) tree.push(child);
      }
  for (const member of tree) {
    const attribute = member.columns.find(({ name, dropped }) => name === oldName && !dropped);
    if (attribute !== undefined) {
      const row = ddl.writer.row('pg_attribute', member.oid * 4096 + attribute.number);
      if ((row[PG_ATTRIBUTE.attinhcount] as number) > parentCounts.get(member.oid)!)
        throw new DbError('invalid_table_definition', `cannot rename inherited column "${oldName}"`);
    }
    renameColumn(ddl, member, oldName, newName);
  }
}

function renameColumn(ddl: Ddl, relation: RelationDescriptor, oldName: string, newName: string): void {
  ddl.requireRelationOwner(relation);
  const column = relation.columns.find(({ name, dropped }) => name === oldName && !dropped);
  if (column === undefined) {
    if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(oldName))
      throw new DbError('feature_not_supported', `cannot rename system column "${oldName}"`);
    throw new DbError('undefined_column', `column "${oldName}" does not exist`);
  }
  if (relation.columns.some(({ name, dropped }) => name === newName && !dropped))
    throw new DbError(
      'duplicate_column',
      `column "${newName}" of relation "${relation.name}" already exists`,
    );
  if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(newName))
    throw new DbError('duplicate_column', `column name "${newName}" conflicts with a system column name`);
  ddl.writer.update('pg_attribute', relation.oid * 4096 + column.number, { [PG_ATTRIBUTE.attname]: newName });
  // Columns of indexes carry the name too.
  for (const index of relation.indexes)
    [...index.keyColumns, ...index.includedColumns].forEach((attnum, position) => {
      if (attnum === column.number)
        ddl.writer.update('pg_attribute', index.oid * 4096 + position + 1, {
          [PG_ATTRIBUTE.attname]: newName,
        });
    });
  renameInViews(ddl, relation.oid, column.number, oldName, newName);
  const changed = ddl.current(relation.oid);
  if (changed.table !== null) ddl.context.tables.alterTable(ddl.context.transaction, changed.table);
}

/** Stored views name the columns of their relations; columns they see under an alias keep that. */
function renameInViews(ddl: Ddl, relationOid: Oid, attnum: number, oldName: string, newName: string): void {
  const visit = (value: unknown): boolean => {
    if (value === null || typeof value !== 'object') return false;
    let isChanged = false;
    const entry = value as { kind?: string; relationOid?: number; columnNames?: string[] };
    if (
      entry.kind === 'relation' &&
      entry.relationOid === relationOid &&
      entry.columnNames?.[attnum - 1] === oldName
    ) {
      entry.columnNames[attnum - 1] = newName;
      isChanged = true;
    }
    for (const item of Object.values(value)) if (visit(item)) isChanged = true;
    return isChanged;
  };
  const rules = new Set<Oid>();
  for (const { values } of ddl.reader.view.find(
    'pg_depend',
    'referenced',
    pairKey(CLASS_OID.relation, relationOid),
  ))
    if (values[PG_DEPEND.classid] === CLASS_OID.rewrite) rules.add(values[PG_DEPEND.objid] as number);
  for (const rule of rules) {
    const action = ddl.writer.row('pg_rewrite', rule)[PG_REWRITE.ev_action] as string;
    const queries = storedQueries(action);
    if (queries.map(visit).includes(true))
      ddl.writer.update('pg_rewrite', rule, {
        [PG_REWRITE.ev_action]: action.startsWith('[') ? storedActions(queries) : serialiseQuery(queries[0]!),
      });
  }
}

async function renameConstraint(
  ddl: Ddl,
  relation: RelationDescriptor,
  oldName: string,
  newName: string,
): Promise<void> {
  ddl.requireRelationOwner(relation);
  const constraint = relation.constraints.find(({ name }) => name === oldName);
  if (constraint === undefined)
    throw new DbError(
      'undefined_object',
      `constraint "${oldName}" for table "${relation.name}" does not exist`,
    );
  if (constraint.kind !== 'f' && constraint.kind !== 'c' && constraint.indexOid !== 0) {
    await renameRelation(ddl, ddl.current(constraint.indexOid), newName);
    return;
  }
  if (relation.constraints.some(({ name }) => name === newName))
    throw new DbError(
      'duplicate_object',
      `constraint "${newName}" for relation "${relation.name}" already exists`,
    );
  ddl.writer.update('pg_constraint', constraint.oid, { [PG_CONSTRAINT.conname]: newName });
}

// ------------------------------------------------------------------------------------------------------------- OWNER

/** ACL items granted by or to the old owner become the new owner's. */
function reassignedAcl(acl: Datum, oldOwner: Oid, newOwner: Oid): Datum {
  const items = aclItems(acl);
  if (items === null) return null;
  const swap = (role: Oid): Oid => (role === oldOwner ? newOwner : role);
  const merged = new Map<string, ReturnType<typeof swapItem>>();
  const swapItem = (item: NonNullable<typeof items>[number]) => ({
    ...item,
    grantee: item.grantee === 0 ? 0 : swap(item.grantee),
    grantor: swap(item.grantor),
  });
  for (const item of items.map(swapItem)) {
    const key = `${item.grantee}/${item.grantor}`;
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined
        ? item
        : {
            ...known,
            privileges: known.privileges | item.privileges,
            grantOptions: known.grantOptions | item.grantOptions,
          },
    );
  }
  return aclDatum([...merged.values()]);
}

/** All indexes of a table, those without entries included. */
function indexOids(ddl: Ddl, relation: Oid): Oid[] {
  return ddl.reader.view.find('pg_index', 'table', relation).map(({ key }) => key as Oid);
}

/** Gives a relation, with its indexes, row type and owned sequences, to another role. */
export async function changeOwner(ddl: Ddl, oid: Oid, newOwner: Oid, isRecursive = false): Promise<void> {
  const { writer } = ddl;
  const relation = ddl.current(oid);
  if (!isRecursive) {
    if (relation.kind === 'i') {
      if (relation.ownerOid !== newOwner) {
        ddl.message('WARNING', 'wrong_object_type', `cannot change owner of index "${relation.name}"`, {
          hint: "Change the ownership of the index's table instead.",
        });
      }
      return;
    }
    if (relation.kind === 'S') {
      const owner = sequenceOwner(ddl, oid);
      if (owner !== null && relation.ownerOid !== newOwner)
        throw new DbError(
          'feature_not_supported',
          'cannot change owner of sequence "' + relation.name + '"',
          {
            detail: `Sequence "${relation.name}" is linked to table "${ddl.current(owner.relationOid).name}".`,
          },
        );
    }
  }
  if (relation.ownerOid === newOwner) return;
  if (!isRecursive && !ddl.isSuperuser) {
    ddl.requireRelationOwner(relation);
    ddl.requireMember(newOwner);
    if (!ddl.reader.hasObjectPrivilege(newOwner, 'schema', relation.namespaceOid, 'CREATE'))
      throw new DbError('insufficient_privilege', `permission denied for schema ${relation.namespaceName}`);
  }
  const row = writer.row('pg_class', oid);
  writer.update('pg_class', oid, {
    [PG_CLASS.relowner]: newOwner,
    [PG_CLASS.relacl]: reassignedAcl(row[PG_CLASS.relacl]!, relation.ownerOid, newOwner),
  });
  for (const column of relation.columns) {
    const key = oid * 4096 + column.number;
    const acl = writer.row('pg_attribute', key)[PG_ATTRIBUTE.attacl]!;
    if (acl !== null)
      writer.update('pg_attribute', key, {
        [PG_ATTRIBUTE.attacl]: reassignedAcl(acl, relation.ownerOid, newOwner),
      });
  }
  if (relation.kind !== 'i') writer.recordOwner(address(CLASS_OID.relation, oid), newOwner);
  if (relation.rowTypeOid !== 0) setTypeOwner(ddl, relation.rowTypeOid, newOwner);
  for (const index of indexOids(ddl, oid)) await changeOwner(ddl, index, newOwner, true);
  for (const { sequenceOid } of relation.columns)
    if (sequenceOid !== 0) await changeOwner(ddl, sequenceOid, newOwner, true);
}

function setTypeOwner(ddl: Ddl, oid: Oid, owner: Oid): void {
  const row = ddl.writer.row('pg_type', oid);
  ddl.writer.update('pg_type', oid, { [PG_TYPE.typowner]: owner });
  const arrayOid = row[PG_TYPE.typarray] as number;
  if (arrayOid !== 0) ddl.writer.update('pg_type', arrayOid, { [PG_TYPE.typowner]: owner });
}

const OWNED: Partial<
  Record<ObjectType, { catalog: CatalogName; classId: Oid; owner: number; acl: number; word: string }>
> = {
  OBJECT_SCHEMA: { catalog: 'pg_namespace', classId: CLASS_OID.namespace, owner: 2, acl: 3, word: 'schema' },
  OBJECT_DATABASE: {
    catalog: 'pg_database',
    classId: CLASS_OID.database,
    owner: 2,
    acl: 15,
    word: 'database',
  },
  OBJECT_TYPE: { catalog: 'pg_type', classId: CLASS_OID.type, owner: 3, acl: 31, word: 'type' },
  OBJECT_DOMAIN: { catalog: 'pg_type', classId: CLASS_OID.type, owner: 3, acl: 31, word: 'type' },
  OBJECT_FUNCTION: { catalog: 'pg_proc', classId: CLASS_OID.procedure, owner: 3, acl: 29, word: 'function' },
  OBJECT_PROCEDURE: {
    catalog: 'pg_proc',
    classId: CLASS_OID.procedure,
    owner: 3,
    acl: 29,
    word: 'procedure',
  },
  OBJECT_AGGREGATE: {
    catalog: 'pg_proc',
    classId: CLASS_OID.procedure,
    owner: 3,
    acl: 29,
    word: 'aggregate',
  },
  OBJECT_ROUTINE: { catalog: 'pg_proc', classId: CLASS_OID.procedure, owner: 3, acl: 29, word: 'routine' },
};

function findOwned(ddl: Ddl, type: ObjectType, object: Node | undefined): Oid {
  const names = namesOf(object);
  const name = names.at(-1) ?? stringOf(object);
  switch (type) {
    case 'OBJECT_SCHEMA':
      return ddl.namespace(name);
    case 'OBJECT_DATABASE': {
      const row = ddl.reader.view.findOne('pg_database', 'name', name);
      if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
      return row.key as number;
    }
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const found = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, name, ddl.path);
      if (found === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
      return found.oid;
    }
    default:
      return findFunction(ddl, object!, type, false)!;
  }
}

/** A new owner must be able to make such objects where the object is, unless a superuser gives it. */
function requireOwnersSchema(ddl: Ddl, newOwner: Oid, namespace: Oid): void {
  if (ddl.isSuperuser || ddl.reader.hasObjectPrivilege(newOwner, 'schema', namespace, 'CREATE')) return;
  throw new DbError(
    'insufficient_privilege',
    `permission denied for schema ${ddl.reader.namespaceName(namespace)}`,
  );
}

/** OWNER TO for the kinds of named-objects.ts and for large objects. */
function alterNamedOwner(ddl: Ddl, type: ObjectType, node: Node, newOwner: Oid): UtilityResult {
  if (type === 'OBJECT_LARGEOBJECT') {
    const oid = largeObjectOid(node);
    const row = ddl.reader.view.get('pg_largeobject_metadata', oid)?.values;
    if (row === undefined) throw new DbError('undefined_object', `large object ${oid} does not exist`);
    if (!ddl.isOwner(row[PG_LARGEOBJECT_METADATA.lomowner] as Oid))
      throw new DbError('insufficient_privilege', `must be owner of large object ${oid}`);
    ddl.requireMember(newOwner);
    ddl.writer.update('pg_largeobject_metadata', oid, {
      [PG_LARGEOBJECT_METADATA.lomowner]: newOwner,
      [PG_LARGEOBJECT_METADATA.lomacl]: reassignedAcl(
        row[PG_LARGEOBJECT_METADATA.lomacl]!,
        row[PG_LARGEOBJECT_METADATA.lomowner] as Oid,
        newOwner,
      ),
    });
    ddl.writer.recordOwner(address(CLASS_OID.largeObject, oid), newOwner);
    return { tag: 'ALTER LARGE OBJECT' };
  }
  const kind = NAMED_KINDS[type];
  if (kind === undefined || kind.owner === null)
    throw notSupported(`ALTER ${type.replace('OBJECT_', '')} OWNER TO`);
  const object = findNamed(ddl, type, node)!;
  const oldOwner = object.row[kind.owner] as Oid;
  if (oldOwner !== newOwner) {
    requireNamedOwner(ddl, object);
    ddl.requireMember(newOwner);
    if (kind.namespace !== null) requireOwnersSchema(ddl, newOwner, object.row[kind.namespace] as Oid);
    const changes: Record<number, Datum> = { [kind.owner]: newOwner };
    if (kind.acl !== null) changes[kind.acl] = reassignedAcl(object.row[kind.acl]!, oldOwner, newOwner);
    ddl.writer.update(kind.catalog, object.oid, changes);
    ddl.writer.recordOwner(address(kind.classId, object.oid), newOwner);
  }
  return { tag: `ALTER ${kind.tag}` };
}

/** SET SCHEMA for the kinds of named-objects.ts. */
function alterNamedSchema(ddl: Ddl, type: ObjectType, node: Node, namespace: Oid): UtilityResult {
  const kind = NAMED_KINDS[type];
  if (kind === undefined || kind.namespace === null)
    throw notSupported(`ALTER ${type.replace('OBJECT_', '')} SET SCHEMA`);
  const object = findNamed(ddl, type, node)!;
  requireNamedOwner(ddl, object);
  const old = object.row[kind.namespace] as Oid;
  if (old !== namespace) {
    requireNameIsFree(
      ddl,
      type,
      object.row[kind.name] as string,
      namespace,
      kind.scope === undefined ? null : (object.row[kind.scope] as Oid),
    );
    ddl.writer.update(kind.catalog, object.oid, { [kind.namespace]: namespace });
    ddl.writer.replaceDependency(
      address(kind.classId, object.oid),
      address(CLASS_OID.namespace, old),
      address(CLASS_OID.namespace, namespace),
    );
  }
  return { tag: `ALTER ${kind.tag}` };
}

export async function alterOwner(ddl: Ddl, statement: AlterOwnerStmt): Promise<UtilityResult> {
  const type = statement.objectType!;
  const newOwner = ddl.roleOid(statement.newowner);
  const kind = OWNED[type];
  if (kind === undefined) return alterNamedOwner(ddl, type, statement.object!, newOwner);
  const oid = findOwned(ddl, type, statement.object);
  const row = ddl.writer.row(kind.catalog, oid);
  const oldOwner = row[kind.owner] as number;
  if (oldOwner !== newOwner) {
    if (!ddl.isOwner(oldOwner))
      throw new DbError(
        'insufficient_privilege',
        `must be owner of ${kind.catalog === 'pg_proc' ? routineWord(ddl.reader.function(oid)?.kind) : kind.word} ${row[1] as string}`,
      );
    ddl.requireMember(newOwner);
    if (kind.catalog === 'pg_proc' || kind.catalog === 'pg_type')
      requireOwnersSchema(ddl, newOwner, row[2] as Oid);
    ddl.writer.update(kind.catalog, oid, {
      [kind.owner]: newOwner,
      [kind.acl]: reassignedAcl(row[kind.acl]!, oldOwner, newOwner),
    });
    if (kind.catalog === 'pg_type') {
      setTypeOwner(ddl, oid, newOwner);
      const relation = row[PG_TYPE.typrelid] as number;
      if (relation !== 0) ddl.writer.update('pg_class', relation, { [PG_CLASS.relowner]: newOwner });
    }
    ddl.writer.recordOwner(address(kind.classId, oid), newOwner);
  }
  return { tag: tagFor(type) };
}

// ------------------------------------------------------------------------------------------------------------ SCHEMA

/** Moves a relation with its row type, indexes, constraints and owned sequences. */
export async function setSchema(ddl: Ddl, relation: RelationDescriptor, namespace: Oid): Promise<void> {
  const { writer } = ddl;
  const self = address(CLASS_OID.relation, relation.oid);
  await ddl.reserve(namespace, relation.name);
  if (ddl.reader.relationOid(namespace, relation.name) !== null)
    throw new DbError(
      'duplicate_table',
      `relation "${relation.name}" already exists in schema "${ddl.reader.namespaceName(namespace)}"`,
    );
  writer.update('pg_class', relation.oid, { [PG_CLASS.relnamespace]: namespace });
  writer.replaceDependency(
    self,
    address(CLASS_OID.namespace, relation.namespaceOid),
    address(CLASS_OID.namespace, namespace),
  );
  if (relation.rowTypeOid !== 0) moveType(ddl, relation.rowTypeOid, namespace);
  for (const index of indexOids(ddl, relation.oid))
    writer.update('pg_class', index, { [PG_CLASS.relnamespace]: namespace });
  for (const constraint of relation.constraints)
    writer.update('pg_constraint', constraint.oid, { [PG_CONSTRAINT.connamespace]: namespace });
  for (const { sequenceOid } of relation.columns)
    if (sequenceOid !== 0) await setSchema(ddl, ddl.current(sequenceOid), namespace);
}

function moveType(ddl: Ddl, oid: Oid, namespace: Oid): void {
  const row = ddl.writer.row('pg_type', oid);
  assertTypeNameIsFree(ddl, namespace, row[PG_TYPE.typname] as string);
  ddl.writer.update('pg_type', oid, { [PG_TYPE.typnamespace]: namespace });
  const arrayOid = row[PG_TYPE.typarray] as number;
  if (arrayOid !== 0) ddl.writer.update('pg_type', arrayOid, { [PG_TYPE.typnamespace]: namespace });
}

export async function alterSchema(ddl: Ddl, statement: AlterObjectSchemaStmt): Promise<UtilityResult> {
  const type = statement.objectType!;
  const result = { tag: tagFor(type) };
  if (statement.relation !== undefined) {
    const relation = await ddl.relationIfExists(statement.relation, 'AccessExclusive');
    if (relation === null) {
      if (statement.missing_ok !== true) throw ddl.undefinedRelation(statement.relation);
      ddl.notice(`relation "${rangeVarName(statement.relation)}" does not exist, skipping`);
      return result;
    }
    requireKind(relation, type);
    ddl.requireRelationOwner(relation);
    const namespace = ddl.namespace(statement.newschema!);
    if (relation.kind === 'S') {
      const owner = sequenceOwner(ddl, relation.oid);
      if (owner !== null)
        throw new DbError('feature_not_supported', 'cannot move an owned sequence into another schema', {
          detail: `Sequence "${relation.name}" is linked to table "${ddl.current(owner.relationOid).name}".`,
        });
    }
    if (relation.kind === 'i')
      throw new DbError('wrong_object_type', `cannot change schema of index "${relation.name}"`, {
        hint: 'Change the schema of the table instead.',
      });
    ddl.requireSchemaCreate(namespace);
    if (ddl.reader.namespaceName(namespace)?.startsWith('pg_temp_') === true || relation.persistence === 't')
      throw new DbError('feature_not_supported', 'cannot move objects into or out of temporary schemas');
    if (relation.namespaceOid !== namespace) await setSchema(ddl, relation, namespace);
    return result;
  }
  if (type === 'OBJECT_EXTENSION') return setExtensionSchema(ddl, statement);
  const namespace = ddl.namespace(statement.newschema!);
  ddl.requireSchemaCreate(namespace);
  if (type === 'OBJECT_TYPE' || type === 'OBJECT_DOMAIN') {
    const oid = findOwned(ddl, type, statement.object);
    if (!ddl.isOwner(ddl.objectOwner('type', oid)))
      throw new DbError('insufficient_privilege', `must be owner of type ${ddl.reader.type(oid)?.name}`);
    const descriptor = ddl.reader.type(oid)!;
    if (descriptor.relationOid !== 0) await setSchema(ddl, ddl.current(descriptor.relationOid), namespace);
    else {
      moveType(ddl, oid, namespace);
      ddl.writer.replaceDependency(
        address(CLASS_OID.type, oid),
        address(CLASS_OID.namespace, descriptor.namespaceOid),
        address(CLASS_OID.namespace, namespace),
      );
    }
    return result;
  }
  if (
    type === 'OBJECT_FUNCTION' ||
    type === 'OBJECT_PROCEDURE' ||
    type === 'OBJECT_AGGREGATE' ||
    type === 'OBJECT_ROUTINE'
  ) {
    const oid = findOwned(ddl, type, statement.object);
    const { namespaceOid: old, name } = ddl.reader.function(oid)!;
    requireRoutineOwner(ddl, oid);
    ddl.requireSchemaCreate(namespace);
    requireRoutineNameIsFree(ddl, oid, name, namespace);
    ddl.writer.update('pg_proc', oid, { [PG_PROC.pronamespace]: namespace });
    ddl.writer.replaceDependency(
      address(CLASS_OID.procedure, oid),
      address(CLASS_OID.namespace, old),
      address(CLASS_OID.namespace, namespace),
    );
    return result;
  }
  return alterNamedSchema(ddl, type, statement.object!, namespace);
}
