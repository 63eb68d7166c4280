/** CHECK, PRIMARY KEY, UNIQUE and FOREIGN KEY: from their syntax to catalog rows, and the check of rows already there. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { ForeignKeyAction, IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import {
  PG_AMOP,
  PG_ATTRIBUTE,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_INDEX,
  PG_OPCLASS,
} from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { qualifiedName, quoteIdentifier } from '../../catalog/identifiers.ts';
import { address } from '../../catalog/mutations.ts';
import { refreshTriggerFlag } from '../../catalog/removal.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type { Constraint, Node } from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import { columnKey, makeIndex } from './create-index.ts';
import { checkDuplicates } from './exclusion.ts';
import { columnsOf, recordExpression } from './expression-dependencies.ts';
import { chooseConstraintName, chooseRelationName, joinColumnNames } from './object-names.ts';
import { duplicateRelation, makeRow } from './relation.ts';

const BTREE = 403;

function attnums(values: readonly number[]): Datum {
  return new SqlArray(21, values);
}

function oids(values: readonly Oid[]): Datum {
  return new SqlArray(26, values);
}

/** Deferrability from a constraint's flags. */
export interface Deferral {
  deferrable: boolean;
  deferred: boolean;
}

export function baseRow(
  relation: RelationDescriptor,
  name: string,
  kind: string,
): { [Name in keyof typeof PG_CONSTRAINT]?: Datum } {
  return {
    conname: name,
    connamespace: relation.namespaceOid,
    contype: kind,
    condeferrable: false,
    condeferred: false,
    convalidated: true,
    conrelid: relation.oid,
    contypid: 0,
    conindid: 0,
    conparentid: 0,
    confrelid: 0,
    confupdtype: ' ',
    confdeltype: ' ',
    confmatchtype: ' ',
    conislocal: true,
    coninhcount: 0,
    connoinherit: false,
  };
}

function assertConstraintNameIsFree(relation: RelationDescriptor, name: string): void {
  if (relation.constraints.some((constraint) => constraint.name === name))
    throw new DbError(
      'duplicate_object',
      `constraint "${name}" for relation "${relation.name}" already exists`,
    );
}

// ------------------------------------------------------------------------------------------------------------- CHECK

export interface CheckSpec {
  name: string | null;
  expr: Expr;
  raw: Node;
  /** NOT VALID: rows already there are not looked at. */
  skipValidation: boolean;
  noInherit: boolean;
}

/** Adds a check constraint; `validate` runs it over the rows there are. */
export async function addCheck(ddl: Ddl, relationOid: Oid, spec: CheckSpec, validate: boolean): Promise<Oid> {
  const { writer } = ddl;
  const relation = ddl.current(relationOid);
  const columns = columnsOf(spec.expr).filter((attnum) => attnum > 0);
  const name =
    spec.name ??
    chooseConstraintName(
      ddl.reader,
      relation.name,
      columns.length === 1 ? relation.columns[columns[0]! - 1]!.name : null,
      'check',
      { namespace: relation.namespaceOid },
    );
  assertConstraintNameIsFree(relation, name);
  if (validate && !spec.skipValidation) await validateCheck(ddl, relation, name, spec.raw);
  const oid = writer.allocateOid();
  writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      ...baseRow(relation, name, 'c'),
      oid,
      convalidated: !spec.skipValidation,
      connoinherit: spec.noInherit,
      conkey: attnums(columns),
      conbin: serialiseExpr(spec.expr),
    }),
  );
  writer.update('pg_class', relationOid, {
    [PG_CLASS.relchecks]: (writer.row('pg_class', relationOid)[PG_CLASS.relchecks] as number) + 1,
  });
  const self = address(CLASS_OID.constraint, oid);
  if (columns.length === 0) writer.dependOn(self, address(CLASS_OID.relation, relationOid), 'a');
  for (const attnum of columns) writer.dependOn(self, address(CLASS_OID.relation, relationOid, attnum), 'a');
  recordExpression(writer, self, [spec.expr], relationOid, 'a');
  return oid;
}

function rangeVar(relation: RelationDescriptor): Node {
  return {
    RangeVar: {
      schemaname: relation.namespaceName,
      relname: relation.name,
      // Children are checked on their own.
      inh: relation.kind === 'p',
      relpersistence: 'p',
      location: -1,
    },
  };
}

/** True when some row fails `condition` (NULL passes). */
export async function hasViolation(
  ddl: Ddl,
  relation: RelationDescriptor,
  condition: Node,
): Promise<boolean> {
  ddl.advance();
  const rows = await ddl.context.queries.queryTree({
    SelectStmt: {
      targetList: [{ ResTarget: { val: { A_Const: { ival: { ival: 1 }, location: -1 } }, location: -1 } }],
      fromClause: [rangeVar(relation)],
      whereClause: { BoolExpr: { boolop: 'NOT_EXPR', args: [condition], location: -1 } },
      limitCount: { A_Const: { ival: { ival: 1 }, location: -1 } },
      limitOption: 'LIMIT_OPTION_COUNT',
      op: 'SETOP_NONE',
    },
  } as Node);
  return rows.length > 0;
}

export async function validateCheck(
  ddl: Ddl,
  relation: RelationDescriptor,
  name: string,
  raw: Node,
): Promise<void> {
  if (await hasViolation(ddl, relation, raw))
    throw new DbError(
      'check_violation',
      `check constraint "${name}" of relation "${relation.name}" is violated by some row`,
      {
        schema: relation.namespaceName,
        table: relation.name,
        constraint: name,
      },
    );
}

/** 23502 when a column has NULLs. */
export async function validateNotNull(ddl: Ddl, relation: RelationDescriptor, attnum: number): Promise<void> {
  const column = relation.columns[attnum - 1]!;
  ddl.advance();
  const rows = await ddl.context.queries.query(
    `SELECT 1 FROM ${relation.kind === 'p' ? '' : 'ONLY '}${qualifiedName(relation.namespaceName, relation.name)} WHERE ${quoteIdentifier(column.name)} IS NULL LIMIT 1`,
  );
  if (rows.length > 0)
    throw new DbError(
      'not_null_violation',
      `column "${column.name}" of relation "${relation.name}" contains null values`,
      {
        schema: relation.namespaceName,
        table: relation.name,
        column: column.name,
      },
    );
}

// ------------------------------------------------------------------------------------------------ PRIMARY KEY, UNIQUE

export interface KeySpec extends Deferral {
  name: string | null;
  kind: 'p' | 'u';
  columns: readonly string[];
  included: readonly string[];
  nullsNotDistinct: boolean;
  /** ADD … USING INDEX. */
  indexName: string | null;
  position: number | undefined;
}

export function keySpec(constraint: Constraint, columnName: string | null, deferral: Deferral): KeySpec {
  return {
    name: constraint.conname ?? null,
    kind: constraint.contype === 'CONSTR_PRIMARY' ? 'p' : 'u',
    columns: columnName !== null ? [columnName] : stringsOf(constraint.keys),
    included: stringsOf(constraint.including),
    nullsNotDistinct: constraint.nulls_not_distinct === true,
    indexName: constraint.indexname ?? null,
    position: positionOf(constraint.location),
    ...deferral,
  };
}

/** Adds a primary key or unique constraint with its index. `isNewTable`: there are no rows yet. */
export async function addKey(ddl: Ddl, relationOid: Oid, spec: KeySpec, isNewTable: boolean): Promise<void> {
  const { writer } = ddl;
  let relation = ddl.current(relationOid);
  if (spec.kind === 'p' && relation.indexes.some(({ primary }) => primary))
    throw new DbError(
      'invalid_table_definition',
      `multiple primary keys for table "${relation.name}" are not allowed`,
    ).at(isNewTable ? spec.position : undefined);
  if (spec.indexName !== null) {
    await addKeyUsingIndex(ddl, relation, spec);
    return;
  }
  const find = (name: string): number => {
    const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined)
      throw new DbError('undefined_column', `column "${name}" named in key does not exist`).at(spec.position);
    return column.number;
  };
  const columns: number[] = [];
  for (const name of spec.columns) {
    const attnum = find(name);
    if (columns.includes(attnum))
      throw new DbError(
        'duplicate_column',
        `column "${name}" appears twice in ${spec.kind === 'p' ? 'primary key' : 'unique'} constraint`,
      ).at(spec.position);
    columns.push(attnum);
  }
  const included = spec.included.map(find);
  // Two equal UNIQUE constraints in one command make one index in PostgreSQL too, unless both are named.
  if (spec.kind === 'p')
    for (const attnum of columns) {
      if (relation.columns[attnum - 1]!.notNull) continue;
      if (!isNewTable) await validateNotNull(ddl, relation, attnum);
      writer.update('pg_attribute', relationOid * 4096 + attnum, { [PG_ATTRIBUTE.attnotnull]: true });
    }
  relation = ddl.current(relationOid);
  if (spec.kind === 'p' && relation.table !== null)
    ddl.context.tables.alterTable(ddl.context.transaction, relation.table);
  const columnNames = [...columns, ...included].map((attnum) => relation.columns[attnum - 1]!.name);
  const name =
    spec.name ??
    chooseRelationName(
      ddl.reader,
      relation.name,
      spec.kind === 'p' ? null : joinColumnNames(columnNames),
      spec.kind === 'p' ? 'pkey' : 'key',
      { namespace: relation.namespaceOid, isConstraint: true },
    );
  await ddl.reserve(relation.namespaceOid, name);
  if (ddl.reader.relationOid(relation.namespaceOid, name) !== null) throw duplicateRelation(name);
  assertConstraintNameIsFree(relation, name);
  const indexOid = await makeIndex(ddl, {
    name,
    table: relation,
    accessMethod: BTREE,
    keys: columns.map((attnum) => columnKey(ddl, relation, attnum)),
    included,
    predicate: null,
    unique: true,
    primary: spec.kind === 'p',
    nullsNotDistinct: spec.nullsNotDistinct,
    deferrable: spec.deferrable,
    isConstraint: true,
  });
  insertKeyConstraint(ddl, relation, { ...spec, name }, columns, indexOid);
  if (spec.deferrable && !isNewTable) await checkDuplicates(ddl, relationOid, name, columns);
}

function insertKeyConstraint(
  ddl: Ddl,
  relation: RelationDescriptor,
  spec: Deferral & { name: string; kind: 'p' | 'u' },
  columns: readonly number[],
  indexOid: Oid,
): void {
  const { writer } = ddl;
  const oid = writer.allocateOid();
  writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      ...baseRow(relation, spec.name, spec.kind),
      oid,
      condeferrable: spec.deferrable,
      condeferred: spec.deferred,
      conindid: indexOid,
      connoinherit: true,
      conkey: attnums(columns),
    }),
  );
  const self = address(CLASS_OID.constraint, oid);
  for (const attnum of columns) writer.dependOn(self, address(CLASS_OID.relation, relation.oid, attnum), 'a');
  writer.dependOn(address(CLASS_OID.relation, indexOid), self, 'i');
}

async function addKeyUsingIndex(ddl: Ddl, relation: RelationDescriptor, spec: KeySpec): Promise<void> {
  const { writer } = ddl;
  const indexOid = ddl.reader.relationOid(relation.namespaceOid, spec.indexName!);
  const index = relation.indexes.find(({ oid }) => oid === indexOid);
  if (indexOid === null)
    throw new DbError('undefined_object', `index "${spec.indexName}" does not exist`).at(spec.position);
  if (index === undefined)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `index "${spec.indexName}" does not belong to table "${relation.name}"`,
    ).at(spec.position);
  if (relation.constraints.some((constraint) => constraint.indexOid === indexOid && constraint.kind !== 'f'))
    throw new DbError(
      'object_not_in_prerequisite_state',
      `index "${spec.indexName}" is already associated with a constraint`,
    ).at(spec.position);
  const refuse = (what: string): DbError =>
    new DbError('wrong_object_type', what, {
      detail: 'Cannot create a primary key or unique constraint using such an index.',
    }).at(spec.position);
  if (!index.unique) throw refuse(`"${spec.indexName}" is not a unique index`);
  if (index.expressions.length > 0) throw refuse(`index "${spec.indexName}" contains expressions`);
  if (index.predicate !== null) throw refuse(`"${spec.indexName}" is a partial index`);
  const name = spec.name ?? index.name;
  if (name !== index.name) {
    ddl.notice(`ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "${index.name}" to "${name}"`);
    writer.update('pg_class', index.oid, { [PG_CLASS.relname]: name });
  }
  if (spec.kind === 'p') {
    for (const attnum of index.keyColumns) {
      if (relation.columns[attnum - 1]!.notNull) continue;
      await validateNotNull(ddl, relation, attnum);
      writer.update('pg_attribute', relation.oid * 4096 + attnum, { [PG_ATTRIBUTE.attnotnull]: true });
    }
    writer.update('pg_index', index.oid, { [PG_INDEX.indisprimary]: true });
    const changed = ddl.current(relation.oid);
    if (changed.table !== null) ddl.context.tables.alterTable(ddl.context.transaction, changed.table);
  }
  writer.removeDependenciesOf(address(CLASS_OID.relation, index.oid));
  insertKeyConstraint(ddl, relation, { ...spec, name }, index.keyColumns, index.oid);
}

// ------------------------------------------------------------------------------------------------------- FOREIGN KEY

export interface ForeignKeySpec extends Deferral {
  name: string | null;
  columns: readonly string[];
  constraint: Constraint;
  skipValidation: boolean;
}

/** Adds a foreign key. `validate` checks the rows there are by an anti-join. */
export async function addForeignKey(
  ddl: Ddl,
  relationOid: Oid,
  spec: ForeignKeySpec,
  validate: boolean,
): Promise<void> {
  const { writer } = ddl;
  const relation = ddl.current(relationOid);
  const { constraint } = spec;
  const referenced = await ddl.relation(constraint.pktable!, 'ShareRowExclusive');
  if (referenced.kind !== 'r')
    throw new DbError('wrong_object_type', `referenced relation "${referenced.name}" is not a table`);
  if (referenced.oid < 16384)
    throw new DbError(
      'insufficient_privilege',
      `permission denied: "${referenced.name}" is a system catalog`,
    );
  checkPersistence(relation, referenced);
  if (constraint.fk_matchtype === 'p') throw notSupported('MATCH PARTIAL');
  const columns = spec.columns.map((name) => {
    const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined)
      throw new DbError(
        'undefined_column',
        `column "${name}" referenced in foreign key constraint does not exist`,
      );
    return column.number;
  });
  const { attnums: referencedColumns, index } = referencedKey(
    referenced,
    stringsOf(constraint.pk_attrs),
    columns.length,
  );
  if (columns.length !== referencedColumns.length)
    throw new DbError(
      'invalid_foreign_key',
      'number of referencing and referenced columns for foreign key disagree',
    );
  ddl.requireRelationPrivilege(referenced, 'REFERENCES', referencedColumns);
  for (const attnum of columns)
    if (relation.columns[attnum - 1]!.generated === 's') {
      const upd = constraint.fk_upd_action;
      if (upd === 'n' || upd === 'd' || upd === 'c')
        throw new DbError(
          'syntax_error',
          `invalid ON UPDATE action for foreign key constraint containing generated column`,
        );
      if (constraint.fk_del_action === 'n' || constraint.fk_del_action === 'd')
        throw new DbError(
          'syntax_error',
          `invalid ON DELETE action for foreign key constraint containing generated column`,
        );
    }
  const name =
    spec.name ??
    chooseConstraintName(
      ddl.reader,
      relation.name,
      joinColumnNames(columns.map((attnum) => relation.columns[attnum - 1]!.name)),
      'fkey',
      { namespace: relation.namespaceOid },
    );
  assertConstraintNameIsFree(relation, name);
  const operators = columns.map((attnum, position) =>
    equalityOperators(ddl, relation, attnum, referenced, referencedColumns[position]!, index, name),
  );
  const setColumns = stringsOf(constraint.fk_del_set_cols).map((columnName) => {
    const column = relation.columns.find((candidate) => candidate.name === columnName && !candidate.dropped);
    if (column === undefined)
      throw new DbError(
        'undefined_column',
        `column "${columnName}" referenced in foreign key constraint does not exist`,
      );
    if (!columns.includes(column.number))
      throw new DbError(
        'invalid_column_reference',
        `column "${columnName}" referenced in ON DELETE SET action must be part of foreign key`,
      );
    return column.number;
  });
  const oid = writer.allocateOid();
  const foreign = {
    referenced,
    referencedColumns,
    columns,
    match: (constraint.fk_matchtype ?? 's') as 's' | 'f',
  };
  if (validate && !spec.skipValidation) await validateForeignKey(ddl, relation, name, foreign);
  writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      ...baseRow(relation, name, 'f'),
      oid,
      condeferrable: spec.deferrable,
      condeferred: spec.deferred,
      convalidated: !spec.skipValidation,
      conindid: index.oid,
      connoinherit: true,
      confrelid: referenced.oid,
      confupdtype: (constraint.fk_upd_action ?? 'a') as ForeignKeyAction,
      confdeltype: (constraint.fk_del_action ?? 'a') as ForeignKeyAction,
      confmatchtype: foreign.match,
      conkey: attnums(columns),
      confkey: attnums(referencedColumns),
      conpfeqop: oids(operators.map(({ foreign: operator }) => operator)),
      conppeqop: oids(operators.map(({ primary }) => primary)),
      conffeqop: oids(operators.map(({ own }) => own)),
      confdelsetcols: setColumns.length === 0 ? null : attnums(setColumns),
    }),
  );
  const self = address(CLASS_OID.constraint, oid);
  for (const attnum of columns) writer.dependOn(self, address(CLASS_OID.relation, relationOid, attnum), 'a');
  for (const attnum of referencedColumns)
    writer.dependOn(self, address(CLASS_OID.relation, referenced.oid, attnum), 'n');
  writer.dependOn(self, address(CLASS_OID.relation, index.oid), 'n');
  refreshTriggerFlag(writer, relationOid);
  refreshTriggerFlag(writer, referenced.oid);
}

function checkPersistence(relation: RelationDescriptor, referenced: RelationDescriptor): void {
  const wrong =
    relation.persistence === 'p' && referenced.persistence !== 'p'
      ? 'constraints on permanent tables may reference only permanent tables'
      : relation.persistence === 'u' && referenced.persistence === 't'
        ? 'constraints on unlogged tables may reference only permanent or unlogged tables'
        : relation.persistence === 't' && referenced.persistence !== 't'
          ? 'constraints on temporary tables may reference only temporary tables'
          : null;
  if (wrong !== null) throw new DbError('invalid_table_definition', wrong);
}

/** The referenced columns and the unique index over exactly them. */
function referencedKey(
  referenced: RelationDescriptor,
  names: readonly string[],
  wantedCount: number,
): { attnums: number[]; index: IndexDescriptor } {
  if (names.length === 0) {
    const primary = referenced.indexes.find((index) => index.primary);
    if (primary === undefined)
      throw new DbError(
        'undefined_object',
        `there is no primary key for referenced table "${referenced.name}"`,
      );
    return { attnums: [...primary.keyColumns], index: primary };
  }
  const found = names.map((name) => {
    const column = referenced.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined)
      throw new DbError(
        'undefined_column',
        `column "${name}" referenced in foreign key constraint does not exist`,
      );
    return column.number;
  });
  if (found.length !== wantedCount)
    throw new DbError(
      'invalid_foreign_key',
      'number of referencing and referenced columns for foreign key disagree',
    );
  found.forEach((attnum, position) => {
    if (found.indexOf(attnum) !== position)
      throw new DbError(
        'invalid_foreign_key',
        'foreign key referenced-columns list must not contain duplicates',
      );
  });
  let deferrable = false;
  for (const index of referenced.indexes) {
    if (!index.unique || !index.valid || index.predicate !== null || index.expressions.length > 0) continue;
    if (
      index.keyColumns.length !== found.length ||
      !found.every((attnum) => index.keyColumns.includes(attnum))
    )
      continue;
    const owner = referenced.constraints.find(
      (constraint) => constraint.indexOid === index.oid && constraint.kind !== 'f',
    );
    if (owner?.deferrable === true) {
      deferrable = true;
      continue;
    }
    return { attnums: found, index };
  }
  if (deferrable)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `cannot use a deferrable unique constraint for referenced table "${referenced.name}"`,
    );
  throw new DbError(
    'invalid_foreign_key',
    `there is no unique constraint matching given keys for referenced table "${referenced.name}"`,
  );
}

/** referenced = referencing, referenced = referenced, referencing = referencing. */
function equalityOperators(
  ddl: Ddl,
  relation: RelationDescriptor,
  attnum: number,
  referenced: RelationDescriptor,
  referencedAttnum: number,
  index: IndexDescriptor,
  constraintName: string,
): { foreign: Oid; primary: Oid; own: Oid } {
  const { reader } = ddl;
  const column = relation.columns[attnum - 1]!;
  const referencedColumn = referenced.columns[referencedAttnum - 1]!;
  const operatorClass = index.operatorClasses[index.keyColumns.indexOf(referencedAttnum)]!;
  const classRow = reader.view.get('pg_opclass', operatorClass)!.values;
  const family = classRow[PG_OPCLASS.opcfamily] as number;
  const classInput = classRow[PG_OPCLASS.opcintype] as number;
  const base = (type: Oid): Oid => {
    let descriptor = reader.type(type);
    for (let depth = 0; descriptor !== null && descriptor.kind === 'd' && depth < 100; depth++)
      descriptor = reader.type(descriptor.baseTypeOid);
    return descriptor?.oid ?? type;
  };
  const equality = (left: Oid, right: Oid): Oid => {
    for (const { values } of reader.view.find('pg_amop', 'family', family))
      if (
        values[PG_AMOP.amoplefttype] === left &&
        values[PG_AMOP.amoprighttype] === right &&
        values[PG_AMOP.amopstrategy] === 3 &&
        values[PG_AMOP.amoppurpose] === 's'
      )
        return values[PG_AMOP.amopopr] as number;
    return 0;
  };
  const primary = equality(classInput, classInput);
  const columnType = base(column.typeOid);
  let foreign = equality(classInput, columnType);
  let own = equality(columnType, columnType);
  if (foreign === 0 || own === 0) {
    // No operator over the two types as they are: the referencing side may be cast implicitly to the index's type.
    const referencedType = base(referencedColumn.typeOid);
    const cast = reader.cast(columnType, classInput);
    const isPolymorphic = [2277, 3500, 2249, 3831, 4537].includes(classInput);
    if (
      (isPolymorphic && columnType === referencedType) ||
      columnType === classInput ||
      (cast !== null && cast.context === 'i')
    ) {
      foreign = primary;
      own = primary;
    }
  }
  if (foreign === 0)
    throw new DbError(
      'datatype_mismatch',
      `foreign key constraint "${constraintName}" cannot be implemented`,
      {
        detail: `Key columns "${column.name}" and "${referencedColumn.name}" are of incompatible types: ${formatType(reader, column.typeOid, { path: ddl.path })} and ${formatType(reader, referencedColumn.typeOid, { path: ddl.path })}.`,
      },
    );
  return { foreign, primary, own };
}

/** One anti-join over the two tables; 23503 with the first key that is missing. */
export async function validateForeignKey(
  ddl: Ddl,
  relation: RelationDescriptor,
  name: string,
  foreign: {
    referenced: RelationDescriptor;
    referencedColumns: readonly number[];
    columns: readonly number[];
    match: 's' | 'f' | 'p';
  },
): Promise<void> {
  const { referenced } = foreign;
  const own = foreign.columns.map((attnum) => `fk.${quoteIdentifier(relation.columns[attnum - 1]!.name)}`);
  const other = foreign.referencedColumns.map(
    (attnum) => `pk.${quoteIdentifier(referenced.columns[attnum - 1]!.name)}`,
  );
  const pairs = own.map((column, position) => `${other[position]} = ${column}`).join(' AND ');
  const isComplete = own
    .map((column) => `${column} IS NOT NULL`)
    .join(foreign.match === 'f' ? ' OR ' : ' AND ');
  ddl.advance();
  const rows = await ddl.context.queries.query(
    `SELECT ${own.map((column) => `${column}::pg_catalog.text`).join(', ')}` +
      ` FROM ONLY ${qualifiedName(relation.namespaceName, relation.name)} fk` +
      ` LEFT JOIN ONLY ${qualifiedName(referenced.namespaceName, referenced.name)} pk ON ${pairs}` +
      ` WHERE ${other[0]} IS NULL AND (${isComplete}) LIMIT 1`,
  );
  const row = rows[0];
  if (row === undefined) return;
  const fields = { schema: relation.namespaceName, table: relation.name, constraint: name };
  const message = `insert or update on table "${relation.name}" violates foreign key constraint "${name}"`;
  if (foreign.match === 'f' && row.some((value) => value === null))
    throw new DbError('foreign_key_violation', message, {
      detail: 'MATCH FULL does not allow mixing of null and nonnull key values.',
      ...fields,
    });
  const columnNames = foreign.columns.map((attnum) => relation.columns[attnum - 1]!.name).join(', ');
  throw new DbError('foreign_key_violation', message, {
    detail: `Key (${columnNames})=(${row.map((value) => (value === null ? 'null' : (value as string))).join(', ')}) is not present in table "${referenced.name}".`,
    ...fields,
  });
}
