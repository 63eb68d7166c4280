/** CREATE TYPE … AS ENUM, composite types, domains; ALTER TYPE … ADD VALUE, ALTER DOMAIN. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { PG_CONSTRAINT, PG_ENUM, PG_TYPE } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { qualifiedName, quoteIdentifier } from '../../catalog/identifiers.ts';
import { address } from '../../catalog/mutations.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type {
  AlterDomainStmt,
  AlterEnumStmt,
  CompositeTypeStmt,
  Constraint,
  CreateDomainStmt,
  CreateEnumStmt,
  Node,
} from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { columnDefinition } from './create-table.ts';
import { recordExpression } from './expression-dependencies.ts';
import { chooseConstraintName } from './object-names.ts';
import {
  assertTypeNameIsFree,
  createRelation,
  createTypeWithArray,
  duplicateRelation,
  makeRow,
} from './relation.ts';

const ENUM_IO = { typinput: 3506, typoutput: 3507, typreceive: 3532, typsend: 3533 } as const;
const DOMAIN_IN = 2597;
const DOMAIN_RECV = 2598;

function nameParts(ddl: Ddl, names: readonly string[]): { namespace: Oid; name: string } {
  return {
    namespace: ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined),
    name: names.at(-1)!,
  };
}

function checkLabel(label: string): void {
  if (Buffer.byteLength(label) > 63)
    throw new DbError('invalid_name', `invalid enum label "${label}"`, {
      detail: 'Labels must be 63 bytes or less.',
    });
}

export async function createEnum(ddl: Ddl, statement: CreateEnumStmt): Promise<UtilityResult> {
  const { namespace, name } = nameParts(ddl, stringsOf(statement.typeName));
  await ddl.reserve(namespace, name);
  assertTypeNameIsFree(ddl, namespace, name);
  const oid = ddl.writer.allocateOid();
  createTypeWithArray(ddl, {
    oid,
    name,
    namespace,
    owner: ddl.role,
    values: {
      typlen: 4,
      typbyval: true,
      typtype: 'e',
      typcategory: 'E',
      typalign: 'i',
      typstorage: 'p',
      ...ENUM_IO,
    },
    dependsOn: null,
  });
  const labels = stringsOf(statement.vals);
  labels.forEach((label, index) => {
    checkLabel(label);
    if (labels.indexOf(label) !== index)
      throw new DbError(
        'unique_violation',
        'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
        {
          detail: `Key (enumtypid, enumlabel)=(${oid}, ${label}) already exists.`,
          schema: 'pg_catalog',
          table: 'pg_enum',
          constraint: 'pg_enum_typid_label_index',
        },
      );
    ddl.writer.insert(
      'pg_enum',
      makeRow(PG_ENUM, {
        oid: ddl.writer.allocateOid(),
        enumtypid: oid,
        enumsortorder: index + 1,
        enumlabel: label,
      }),
    );
  });
  return { tag: 'CREATE TYPE' };
}

export async function alterEnum(ddl: Ddl, statement: AlterEnumStmt): Promise<UtilityResult> {
  const result = { tag: 'ALTER TYPE' };
  const names = stringsOf(statement.typeName);
  const type = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path);
  if (type === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
  if (type.kind !== 'e')
    throw new DbError(
      'wrong_object_type',
      `${formatType(ddl.reader, type.oid, { path: ddl.path })} is not an enum`,
    );
  if (!ddl.isOwner(ddl.objectOwner('type', type.oid)))
    throw new DbError('insufficient_privilege', `must be owner of type ${type.name}`);
  const rows = ddl.reader.view
    .find('pg_enum', 'type', type.oid)
    .map(({ key, values }) => ({
      key,
      label: values[PG_ENUM.enumlabel] as string,
      order: values[PG_ENUM.enumsortorder] as number,
    }))
    .sort((a, b) => a.order - b.order);
  const newLabel = statement.newVal!;
  checkLabel(newLabel);
  if (statement.oldVal !== undefined) {
    const old = rows.find(({ label }) => label === statement.oldVal);
    if (old === undefined)
      throw new DbError('invalid_parameter_value', `"${statement.oldVal}" is not an existing enum label`);
    if (rows.some(({ label }) => label === newLabel))
      throw new DbError('duplicate_object', `enum label "${newLabel}" already exists`);
    // Stored values are labels: renaming would have to rewrite every table.
    if (isStored(ddl, type.oid))
      throw notSupported('ALTER TYPE ... RENAME VALUE of a type that tables have columns of');
    ddl.writer.update('pg_enum', old.key, { [PG_ENUM.enumlabel]: newLabel });
    return result;
  }
  if (rows.some(({ label }) => label === newLabel)) {
    if (statement.skipIfNewValExists === true) {
      ddl.message('NOTICE', 'duplicate_object', `enum label "${newLabel}" already exists, skipping`);
      return result;
    }
    throw new DbError('duplicate_object', `enum label "${newLabel}" already exists`);
  }
  let order: number;
  if (statement.newValNeighbor === undefined) order = (rows.at(-1)?.order ?? 0) + 1;
  else {
    const at = rows.findIndex(({ label }) => label === statement.newValNeighbor);
    if (at < 0)
      throw new DbError(
        'invalid_parameter_value',
        `"${statement.newValNeighbor}" is not an existing enum label`,
      );
    const isAfter = statement.newValIsAfter === true;
    const before = rows[isAfter ? at : at - 1]?.order;
    const after = rows[isAfter ? at + 1 : at]?.order;
    order =
      before === undefined
        ? after! - 1
        : after === undefined
          ? before + 1
          : Math.fround((before + after) / 2);
    if (order === before || order === after) order = renumber(ddl, type.oid, rows, isAfter ? at + 1 : at);
  }
  ddl.writer.insert(
    'pg_enum',
    makeRow(PG_ENUM, {
      oid: ddl.writer.allocateOid(),
      enumtypid: type.oid,
      enumsortorder: order,
      enumlabel: newLabel,
    }),
  );
  return result;
}

/** True when a table has a column of the type or of its array type. */
function isStored(ddl: Ddl, typeOid: Oid): boolean {
  const arrayOid = ddl.reader.type(typeOid)?.arrayOid ?? 0;
  return (
    columnsOfType(ddl, typeOid).length > 0 || (arrayOid !== 0 && columnsOfType(ddl, arrayOid).length > 0)
  );
}

/**
 * Room between two neighbours is used up: all labels get whole numbers, and the new one the number it must have. Index keys
 * hold the old numbers, so a type that tables use keeps them.
 */
function renumber(
  ddl: Ddl,
  typeOid: Oid,
  rows: readonly { key: number | string; label: string; order: number }[],
  at: number,
): number {
  if (isStored(ddl, typeOid)) throw notSupported('another label between these two');
  rows.forEach(({ key }, index) => {
    ddl.writer.update('pg_enum', key, { [PG_ENUM.enumsortorder]: index + 1 + (index >= at ? 1 : 0) });
  });
  return at + 1;
}

export async function createComposite(ddl: Ddl, statement: CompositeTypeStmt): Promise<UtilityResult> {
  const target = statement.typevar!;
  const namespace = ddl.creationNamespace(target.schemaname);
  const name = target.relname!;
  await ddl.reserve(namespace, name);
  if (ddl.reader.relationOid(namespace, name) !== null) throw duplicateRelation(name);
  assertTypeNameIsFree(ddl, namespace, name);
  const columns = (statement.coldeflist ?? []).flatMap((node) =>
    'ColumnDef' in node ? [columnDefinition(ddl, node.ColumnDef, name).spec] : [],
  );
  columns.forEach((column, index) => {
    if (columns.findIndex((other) => other.name === column.name) !== index)
      throw new DbError('duplicate_column', `column "${column.name}" specified more than once`);
  });
  createRelation(ddl, { name, namespace, kind: 'c', persistence: 'p', owner: ddl.role, columns });
  return { tag: 'CREATE TYPE' };
}

// ----------------------------------------------------------------------------------------------------------- domains

interface DomainParts {
  notNull: boolean;
  defaultExpr: Expr | null;
  checks: { name: string | null; expr: Expr }[];
}

export async function createDomain(ddl: Ddl, statement: CreateDomainStmt): Promise<UtilityResult> {
  const { namespace, name } = nameParts(ddl, stringsOf(statement.domainname));
  await ddl.reserve(namespace, name);
  assertTypeNameIsFree(ddl, namespace, name);
  const base = ddl.context.sql.resolveTypeName(statement.typeName!);
  ddl.requireTypeUsage(base.typeOid);
  const baseType = ddl.reader.type(base.typeOid)!;
  const baseRow = ddl.writer.row('pg_type', base.typeOid);
  if (!['b', 'c', 'd', 'e', 'r', 'm'].includes(baseType.kind))
    throw new DbError(
      'datatype_mismatch',
      `"${formatType(ddl.reader, base.typeOid, { path: ddl.path })}" is not a valid base type for a domain`,
    );
  let collation = baseType.collation;
  if (statement.collClause !== undefined) {
    const parts = stringsOf(statement.collClause.collname);
    const found = ddl.reader.collationByName(
      parts.length > 1 ? parts.at(-2)! : null,
      parts.at(-1)!,
      ddl.path,
    );
    if (found === null)
      throw new DbError(
        'undefined_object',
        `collation "${parts.join('.')}" for encoding "UTF8" does not exist`,
      );
    collation = found.oid;
  }
  const parts: DomainParts = { notNull: false, defaultExpr: null, checks: [] };
  for (const node of statement.constraints ?? []) {
    if (!('Constraint' in node)) continue;
    const constraint = node.Constraint;
    switch (constraint.contype) {
      case 'CONSTR_NOTNULL':
        parts.notNull = true;
        break;
      case 'CONSTR_NULL':
        break;
      case 'CONSTR_DEFAULT':
        parts.defaultExpr = ddl.context.sql.expression(constraint.raw_expr!, {
          kind: 'default',
          relation: null,
          target: { typeOid: base.typeOid, typmod: base.typmod, columnName: name },
        });
        break;
      case 'CONSTR_CHECK':
        parts.checks.push({
          name: constraint.conname ?? null,
          expr: domainCheck(ddl, constraint, { ...base, collation }),
        });
        break;
      default:
        throw new DbError('syntax_error', 'this constraint type is not possible for domains').at(
          positionOf(constraint.location),
        );
    }
  }
  const oid = ddl.writer.allocateOid();
  createTypeWithArray(ddl, {
    oid,
    name,
    namespace,
    owner: ddl.role,
    values: {
      typlen: baseRow[PG_TYPE.typlen],
      typbyval: baseRow[PG_TYPE.typbyval],
      typtype: 'd',
      typcategory: baseRow[PG_TYPE.typcategory],
      typdelim: baseRow[PG_TYPE.typdelim],
      typalign: baseRow[PG_TYPE.typalign],
      typstorage: baseRow[PG_TYPE.typstorage],
      typinput: DOMAIN_IN,
      typoutput: baseRow[PG_TYPE.typoutput],
      typreceive: DOMAIN_RECV,
      typsend: baseRow[PG_TYPE.typsend],
      typnotnull: parts.notNull,
      typbasetype: base.typeOid,
      typtypmod: base.typmod,
      typcollation: collation,
      typdefaultbin: parts.defaultExpr === null ? null : serialiseExpr(parts.defaultExpr),
      typdefault:
        parts.defaultExpr === null
          ? null
          : ddl.context.sql.deparseExpression(serialiseExpr(parts.defaultExpr), null, ddl.reader),
    },
    dependsOn: null,
  });
  ddl.writer.dependOn(address(CLASS_OID.type, oid), address(CLASS_OID.type, base.typeOid), 'n');
  for (const check of parts.checks) addDomainCheck(ddl, oid, check);
  return { tag: 'CREATE DOMAIN' };
}

function domainCheck(
  ddl: Ddl,
  constraint: Constraint,
  base: { typeOid: Oid; typmod: number; collation: Oid },
): Expr {
  return ddl.context.sql.expression(constraint.raw_expr!, {
    kind: 'domain check',
    relation: null,
    domainType: base,
  });
}

function addDomainCheck(
  ddl: Ddl,
  typeOid: Oid,
  check: { name: string | null; expr: Expr; skipValidation?: boolean },
): void {
  const row = ddl.writer.row('pg_type', typeOid);
  const namespace = row[PG_TYPE.typnamespace] as number;
  const typeName = row[PG_TYPE.typname] as string;
  const name = check.name ?? chooseConstraintName(ddl.reader, typeName, null, 'check', { namespace });
  if (
    ddl.reader.view
      .find('pg_constraint', 'type', typeOid)
      .some(({ values }) => values[PG_CONSTRAINT.conname] === name)
  )
    throw new DbError('duplicate_object', `constraint "${name}" for domain "${typeName}" already exists`);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      oid,
      conname: name,
      connamespace: namespace,
      contype: 'c',
      condeferrable: false,
      condeferred: false,
      convalidated: check.skipValidation !== true,
      conrelid: 0,
      contypid: typeOid,
      conindid: 0,
      conparentid: 0,
      confrelid: 0,
      confupdtype: ' ',
      confdeltype: ' ',
      confmatchtype: ' ',
      conislocal: true,
      coninhcount: 0,
      connoinherit: false,
      conbin: serialiseExpr(check.expr),
    }),
  );
  const self = address(CLASS_OID.constraint, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.type, typeOid), 'a');
  recordExpression(ddl.writer, self, [check.expr], 0, 'n');
}

/** Columns of stored tables that have the domain's type. */
function columnsOfType(ddl: Ddl, typeOid: Oid): { table: string; tableName: string; column: string }[] {
  const found: { table: string; tableName: string; column: string }[] = [];
  for (const { values } of ddl.reader.view.find(
    'pg_depend',
    'referenced',
    pairKey(CLASS_OID.type, typeOid),
  )) {
    if (values[0] !== CLASS_OID.relation || values[2] === 0) continue;
    const relation = ddl.reader.relation(values[1] as number);
    if (relation === null || relation.kind !== 'r') continue;
    found.push({
      table: qualifiedName(relation.namespaceName, relation.name),
      tableName: relation.name,
      column: relation.columns[(values[2] as number) - 1]!.name,
    });
  }
  return found;
}

export async function alterDomain(ddl: Ddl, statement: AlterDomainStmt): Promise<UtilityResult> {
  const result = { tag: 'ALTER DOMAIN' };
  const names = stringsOf(statement.typeName);
  const type = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path);
  if (type === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
  if (type.kind !== 'd') throw new DbError('wrong_object_type', `${names.join('.')} is not a domain`);
  if (!ddl.isOwner(ddl.objectOwner('type', type.oid)))
    throw new DbError('insufficient_privilege', `must be owner of type ${type.name}`);
  switch (statement.subtype) {
    case 'T': {
      if (statement.def === undefined) {
        ddl.writer.update('pg_type', type.oid, { [PG_TYPE.typdefaultbin]: null, [PG_TYPE.typdefault]: null });
        return result;
      }
      const expr = ddl.context.sql.expression(statement.def, {
        kind: 'default',
        relation: null,
        target: { typeOid: type.baseTypeOid, typmod: type.typmod, columnName: type.name },
      });
      const text = serialiseExpr(expr);
      ddl.writer.update('pg_type', type.oid, {
        [PG_TYPE.typdefaultbin]: text,
        [PG_TYPE.typdefault]: ddl.context.sql.deparseExpression(text, null, ddl.reader),
      });
      return result;
    }
    case 'N':
      ddl.writer.update('pg_type', type.oid, { [PG_TYPE.typnotnull]: false });
      return result;
    case 'O':
      ddl.advance();
      for (const { table, tableName, column } of columnsOfType(ddl, type.oid)) {
        const rows = await ddl.context.queries.query(
          `SELECT 1 FROM ${table} WHERE ${quoteIdentifier(column)} IS NULL LIMIT 1`,
        );
        if (rows.length > 0)
          throw new DbError(
            'not_null_violation',
            `column "${column}" of table "${tableName}" contains null values`,
          );
      }
      ddl.writer.update('pg_type', type.oid, { [PG_TYPE.typnotnull]: true });
      return result;
    case 'C': {
      const constraint = (statement.def as { Constraint: Constraint } & Node).Constraint;
      if (constraint.contype !== 'CONSTR_CHECK') throw notSupported('this domain constraint');
      const base = { typeOid: type.baseTypeOid, typmod: type.typmod, collation: type.collation };
      const expr = domainCheck(ddl, constraint, base);
      addDomainCheck(ddl, type.oid, {
        name: constraint.conname ?? null,
        expr,
        skipValidation: constraint.skip_validation === true,
      });
      if (constraint.skip_validation === true) return result;
      // Values there are pass through the domain once more.
      ddl.advance();
      const typeName = qualifiedName(ddl.reader.namespaceName(type.namespaceOid) ?? 'public', type.name);
      const baseName = formatType(ddl.reader, type.baseTypeOid, { typmod: type.typmod, forceQualify: true });
      for (const { table, tableName, column } of columnsOfType(ddl, type.oid))
        try {
          await ddl.context.queries.query(
            `SELECT count((${quoteIdentifier(column)}::${baseName})::${typeName}) FROM ${table}`,
          );
        } catch (error) {
          if (error instanceof DbError && error.code === '23514')
            throw new DbError(
              'check_violation',
              `column "${column}" of table "${tableName}" contains values that violate the new constraint`,
            );
          throw error;
        }
      return result;
    }
    case 'X': {
      const row = ddl.reader.view
        .find('pg_constraint', 'type', type.oid)
        .find(({ values }) => values[PG_CONSTRAINT.conname] === statement.name);
      if (row === undefined) {
        if (statement.missing_ok !== true)
          throw new DbError(
            'undefined_object',
            `constraint "${statement.name}" of domain "${type.name}" does not exist`,
          );
        ddl.notice(`constraint "${statement.name}" of domain "${type.name}" does not exist, skipping`);
        return result;
      }
      await ddl.drop(
        [address(CLASS_OID.constraint, row.key as number)],
        statement.behavior === 'DROP_CASCADE',
      );
      return result;
    }
    case 'V': {
      const row = ddl.reader.view
        .find('pg_constraint', 'type', type.oid)
        .find(({ values }) => values[PG_CONSTRAINT.conname] === statement.name);
      if (row === undefined)
        throw new DbError(
          'undefined_object',
          `constraint "${statement.name}" of domain "${type.name}" does not exist`,
        );
      ddl.writer.update('pg_constraint', row.key, { [PG_CONSTRAINT.convalidated]: true });
      return result;
    }
    default:
      throw notSupported('this form of ALTER DOMAIN');
  }
}
