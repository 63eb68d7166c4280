/** CREATE TABLE. Also what ADD COLUMN shares with it: a column definition from syntax to specification. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { PG_ATTRIBUTE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { positionOf, stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type { ColumnDef, Constraint, CreateStmt, Node, TableLikeClause } from '../../sql/parse/nodes.ts';
import type { ConstExpr, Expr, FunctionExpr } from '../../sql/tree.ts';
import { parseExpr } from '../../sql/tree-json.ts';
import { SqlArray } from '../../types/datum.ts';
import { type Ddl, defElems } from './common.ts';
import { addCheck, addForeignKey, addKey, type Deferral, keySpec } from './constraints.ts';
import type { UtilityResult } from './contract.ts';
import { makeIndex, requireImmutable } from './create-index.ts';
import { addExclusion } from './exclusion.ts';
import {
  applyInheritedDefaults,
  inheritChecks,
  lockParents,
  mergeColumns,
  recordInheritance,
} from './inheritance.ts';
import { chooseRelationName, joinColumnNames } from './object-names.ts';
import { type ColumnSpec, createRelation, duplicateRelation, setColumnDefault } from './relation.ts';
import { makeSequence, sequenceSettings } from './sequence.ts';
import { recordTypedTable, typedColumns } from './typed-table.ts';

const REGCLASS = 2205;
const NEXTVAL = 1574;
const INT8 = 20;
const INT4 = 23;
const INT2 = 21;

/** serial and friends, by their unqualified name. */
const SERIAL_TYPES: ReadonlyMap<string, Oid> = new Map([
  ['serial', INT4],
  ['serial4', INT4],
  ['bigserial', INT8],
  ['serial8', INT8],
  ['smallserial', INT2],
  ['serial2', INT2],
]);

/** A column as its definition says, before the table exists. */
export interface ColumnDefinition {
  spec: ColumnSpec;
  position: number | undefined;
  /** DEFAULT's raw expression. */
  rawDefault: Node | null;
  rawGenerated: Node | null;
  /** Options of the sequence to make, null without one. */
  sequence: { kind: 'serial' | 'identity'; options: readonly Node[] } | null;
  /** Constraints other than NOT NULL, DEFAULT, identity and generation. */
  constraints: readonly { constraint: Constraint; deferral: Deferral }[];
  /** Default copied by LIKE. */
  copiedDefault: { text: string; isGenerated: boolean } | null;
  /** Default or generation expression that a parent gives, over the parent's columns. */
  inheritedDefault?: string;
}

/** Pairs constraints with the DEFERRABLE clauses that follow them in a column definition. */
function withDeferral(nodes: readonly Node[] | undefined): { constraint: Constraint; deferral: Deferral }[] {
  const result: { constraint: Constraint; deferral: Deferral }[] = [];
  for (const node of nodes ?? []) {
    if (!('Constraint' in node)) continue;
    const constraint = node.Constraint;
    const last = result.at(-1)?.deferral;
    switch (constraint.contype) {
      case 'CONSTR_ATTR_DEFERRABLE':
        if (last !== undefined) last.deferrable = true;
        break;
      case 'CONSTR_ATTR_NOT_DEFERRABLE':
        if (last !== undefined) last.deferrable = false;
        break;
      case 'CONSTR_ATTR_DEFERRED':
        if (last !== undefined) {
          last.deferrable = true;
          last.deferred = true;
        }
        break;
      case 'CONSTR_ATTR_IMMEDIATE':
        if (last !== undefined) last.deferred = false;
        break;
      default:
        result.push({ constraint, deferral: deferralOf(constraint) });
    }
  }
  return result;
}

export function deferralOf(constraint: Constraint): Deferral {
  return {
    deferrable: constraint.deferrable === true || constraint.initdeferred === true,
    deferred: constraint.initdeferred === true,
  };
}

/** Reads a column definition: type, collation, nullability, and what else it asks for. */
export function columnDefinition(ddl: Ddl, definition: ColumnDef, relationName: string): ColumnDefinition {
  const name = definition.colname!;
  const position = positionOf(definition.location);
  if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(name))
    throw new DbError('duplicate_column', `column name "${name}" conflicts with a system column name`);
  const typeName = definition.typeName!;
  const names = stringsOf(typeName.names);
  const serialType = names.length === 1 ? SERIAL_TYPES.get(names[0]!) : undefined;
  if (serialType !== undefined && (typeName.arrayBounds?.length ?? 0) > 0)
    throw new DbError('feature_not_supported', 'array of serial is not implemented').at(
      positionOf(typeName.location),
    );
  const { typeOid, typmod } =
    serialType !== undefined
      ? { typeOid: serialType, typmod: -1 }
      : ddl.context.sql.resolveTypeName(typeName);
  const type = ddl.reader.type(typeOid)!;
  if (serialType === undefined) ddl.requireTypeUsage(typeOid);
  if (type.kind === 'p')
    throw new DbError(
      'invalid_table_definition',
      `column "${name}" has pseudo-type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
    );
  let collation = type.collation;
  if (definition.collClause !== undefined) {
    const parts = stringsOf(definition.collClause.collname);
    const found = ddl.reader.collationByName(
      parts.length > 1 ? parts.at(-2)! : null,
      parts.at(-1)!,
      ddl.path,
    );
    const collationPosition = positionOf(definition.collClause.location);
    if (found === null)
      throw new DbError(
        'undefined_object',
        `collation "${parts.join('.')}" for encoding "UTF8" does not exist`,
      ).at(collationPosition);
    if (type.collation === 0)
      throw new DbError(
        'datatype_mismatch',
        `collations are not supported by type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
      ).at(collationPosition);
    collation = found.oid;
  }
  const result: ColumnDefinition = {
    spec: {
      name,
      typeOid,
      typmod,
      collation,
      notNull: definition.is_not_null === true || serialType !== undefined,
      dimensions: typeName.arrayBounds?.length ?? 0,
      identity: '',
      generated: '',
    },
    position,
    rawDefault: definition.raw_default ?? null,
    rawGenerated: null,
    sequence: serialType === undefined ? null : { kind: 'serial', options: [] },
    constraints: [],
    copiedDefault: null,
  };
  const constraints: { constraint: Constraint; deferral: Deferral }[] = [];
  let sawNullable = false;
  let sawNotNull = false;
  let sawDefault = serialType !== undefined;
  const at = (error: DbError, constraint: Constraint): DbError => error.at(positionOf(constraint.location));
  for (const item of withDeferral(definition.constraints)) {
    const { constraint } = item;
    switch (constraint.contype) {
      case 'CONSTR_NULL':
        if (sawNotNull)
          throw at(
            new DbError(
              'syntax_error',
              `conflicting NULL/NOT NULL declarations for column "${name}" of table "${relationName}"`,
            ),
            constraint,
          );
        sawNullable = true;
        break;
      case 'CONSTR_NOTNULL':
        if (sawNullable)
          throw at(
            new DbError(
              'syntax_error',
              `conflicting NULL/NOT NULL declarations for column "${name}" of table "${relationName}"`,
            ),
            constraint,
          );
        sawNotNull = true;
        result.spec.notNull = true;
        break;
      case 'CONSTR_DEFAULT':
        if (sawDefault)
          throw at(
            new DbError(
              'syntax_error',
              `multiple default values specified for column "${name}" of table "${relationName}"`,
            ),
            constraint,
          );
        sawDefault = true;
        result.rawDefault = constraint.raw_expr!;
        break;
      case 'CONSTR_IDENTITY':
        if (result.spec.identity !== '')
          throw at(
            new DbError(
              'syntax_error',
              `multiple identity specifications for column "${name}" of table "${relationName}"`,
            ),
            constraint,
          );
        if (![INT2, INT4, INT8].includes(typeOid))
          throw new DbError(
            'invalid_parameter_value',
            'identity column type must be smallint, integer, or bigint',
          );
        result.spec.identity = (constraint.generated_when ?? 'a') as 'a' | 'd';
        result.spec.notNull = true;
        result.sequence = { kind: 'identity', options: constraint.options ?? [] };
        break;
      case 'CONSTR_GENERATED':
        if (constraint.generated_kind === 'v') throw notSupported('a virtual generated column');
        result.rawGenerated = constraint.raw_expr!;
        result.spec.generated = 's';
        break;
      default:
        constraints.push(item);
    }
  }
  if (result.spec.identity !== '' && sawDefault)
    throw new DbError(
      'syntax_error',
      `both default and identity specified for column "${name}" of table "${relationName}"`,
    ).at(position);
  if (result.rawGenerated !== null && (sawDefault || result.spec.identity !== ''))
    throw new DbError(
      'syntax_error',
      `both ${sawDefault ? 'default' : 'identity'} and generation expression specified for column "${name}" of table "${relationName}"`,
    ).at(position);
  result.constraints = constraints;
  return result;
}

/** nextval('sequence'::regclass), cast to the column's type. */
export function nextvalExpr(ddl: Ddl, sequenceOid: Oid, typeOid: Oid): Expr {
  const argument: ConstExpr = {
    kind: 'const',
    typeOid: REGCLASS,
    typmod: -1,
    collation: 0,
    value: sequenceOid,
  };
  const call: FunctionExpr = {
    kind: 'function',
    typeOid: INT8,
    typmod: -1,
    collation: 0,
    functionOid: NEXTVAL,
    args: [argument],
    returnsSet: false,
    form: 'call',
    variadic: false,
  };
  return typeOid === INT8 ? call : (ddl.context.sql.coerce(call, typeOid, -1) ?? call);
}

/** Makes a column's sequence (serial or identity) and, for serial, its default. */
export async function makeColumnSequence(
  ddl: Ddl,
  relation: RelationDescriptor,
  attnum: number,
  sequence: { kind: 'serial' | 'identity'; options: readonly Node[] },
): Promise<Oid> {
  const column = relation.columns[attnum - 1]!;
  const options = defElems(sequence.options);
  const nameOption = options.find(({ defname }) => defname === 'sequence_name');
  const settings = await sequenceSettings(
    ddl,
    [
      ...options.filter(({ defname }) => defname !== 'sequence_name'),
      ...(options.some(({ defname }) => defname === 'as')
        ? []
        : [
            {
              defname: 'as',
              arg: { TypeName: { names: typeNames(column.typeOid), typemod: -1, location: -1 } },
            },
          ]),
    ],
    null,
    sequence.kind === 'identity',
  );
  let namespace = relation.namespaceOid;
  let name: string;
  if (nameOption?.arg !== undefined && 'List' in nameOption.arg) {
    const parts = stringsOf(nameOption.arg.List.items);
    name = parts.at(-1)!;
    if (parts.length > 1) namespace = ddl.namespace(parts.at(-2)!);
  } else
    name = chooseRelationName(ddl.reader, relation.name, column.name, 'seq', {
      namespace,
      isConstraint: false,
    });
  await ddl.reserve(namespace, name);
  if (ddl.reader.relationOid(namespace, name) !== null) throw duplicateRelation(name);
  const oid = makeSequence(ddl, {
    name,
    namespace,
    persistence: relation.persistence,
    owner: relation.ownerOid,
    settings,
  });
  ddl.writer.dependOn(
    address(CLASS_OID.relation, oid),
    address(CLASS_OID.relation, relation.oid, attnum),
    sequence.kind === 'serial' ? 'a' : 'i',
  );
  if (sequence.kind === 'serial')
    setColumnDefault(ddl, relation.oid, attnum, nextvalExpr(ddl, oid, column.typeOid));
  return oid;
}

function typeNames(typeOid: Oid): Node[] {
  const name = typeOid === INT2 ? 'int2' : typeOid === INT4 ? 'int4' : 'int8';
  return [{ String: { sval: 'pg_catalog' } }, { String: { sval: name } }];
}

/** Analyses and stores a column's default or generation expression. */
export function applyColumnExpression(
  ddl: Ddl,
  relationOid: Oid,
  attnum: number,
  definition: ColumnDefinition,
): Expr | null {
  const relation = ddl.current(relationOid);
  const column = relation.columns[attnum - 1]!;
  const target = { typeOid: column.typeOid, typmod: column.typmod, columnName: column.name };
  if (definition.rawDefault !== null) {
    const expr = ddl.context.sql.expression(definition.rawDefault, {
      kind: 'default',
      relation: null,
      target,
    });
    // DEFAULT NULL is no default; a domain's own default would otherwise show through.
    if (isNullConstant(expr) && ddl.reader.type(column.typeOid)?.kind !== 'd') return null;
    setColumnDefault(ddl, relationOid, attnum, expr);
    return expr;
  }
  if (definition.rawGenerated !== null) {
    const expr = ddl.context.sql.expression(definition.rawGenerated, { kind: 'generated', relation, target });
    requireImmutable(ddl, expr, 'generation expression');
    requirePlainColumns(relation, expr, column);
    setColumnDefault(ddl, relationOid, attnum, expr, { isGenerated: true });
    return expr;
  }
  if (definition.copiedDefault !== null) {
    const expr = parseExpr(definition.copiedDefault.text);
    setColumnDefault(ddl, relationOid, attnum, expr, { isGenerated: definition.copiedDefault.isGenerated });
    return expr;
  }
  return null;
}

export function isNullConstant(expr: Expr): boolean {
  if (expr.kind === 'const') return expr.value === null;
  if (expr.kind === 'relabel' || expr.kind === 'ioCast') return isNullConstant(expr.arg);
  if (expr.kind === 'function' && expr.form !== 'call')
    return expr.args.length > 0 && isNullConstant(expr.args[0]!);
  return false;
}

function requirePlainColumns(relation: RelationDescriptor, expr: Expr, self: ColumnDescriptor): void {
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    const record = value as { kind?: string; attribute?: number };
    if (record.kind === 'var' && record.attribute !== undefined && record.attribute > 0) {
      const column = relation.columns[record.attribute - 1]!;
      if (column.generated === 's' || column.number === self.number)
        throw new DbError(
          'invalid_object_definition',
          `cannot use generated column "${column.name}" in column generation expression`,
          {
            detail: 'A generated column cannot reference another generated column.',
          },
        );
    }
    for (const item of Object.values(value)) visit(item);
  };
  visit(expr);
}

/** Adds the constraints of a column definition (ADD COLUMN: `validate`, rows may be there). */
export async function applyColumnConstraints(
  ddl: Ddl,
  relationOid: Oid,
  columnName: string,
  constraints: ColumnDefinition['constraints'],
  options: { isNewTable: boolean; phase: 'checks' | 'keys' | 'foreign' },
): Promise<void> {
  for (const { constraint, deferral } of constraints)
    await applyConstraint(ddl, relationOid, constraint, deferral, { ...options, columnName });
}

/** Adds one constraint if it belongs to the phase: checks first, then keys, then foreign keys. */
export async function applyConstraint(
  ddl: Ddl,
  relationOid: Oid,
  constraint: Constraint,
  deferral: Deferral,
  options: { isNewTable: boolean; phase: 'checks' | 'keys' | 'foreign'; columnName: string | null },
): Promise<void> {
  const { phase, columnName, isNewTable } = options;
  switch (constraint.contype) {
    case 'CONSTR_CHECK': {
      if (phase !== 'checks') return;
      if (deferral.deferrable)
        throw new DbError('feature_not_supported', 'CHECK constraints cannot be marked DEFERRABLE').at(
          positionOf(constraint.location),
        );
      const relation = ddl.current(relationOid);
      const expr = ddl.context.sql.expression(constraint.raw_expr!, { kind: 'check', relation });
      await addCheck(
        ddl,
        relationOid,
        {
          name: constraint.conname ?? null,
          expr,
          raw: constraint.raw_expr!,
          // On a new table NOT VALID means nothing.
          skipValidation: constraint.skip_validation === true && !isNewTable,
          noInherit: constraint.is_no_inherit === true,
        },
        !isNewTable,
      );
      return;
    }
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE':
      if (phase === 'keys')
        await addKey(ddl, relationOid, keySpec(constraint, columnName, deferral), isNewTable);
      return;
    case 'CONSTR_FOREIGN':
      if (phase === 'foreign')
        await addForeignKey(
          ddl,
          relationOid,
          {
            name: constraint.conname ?? null,
            columns: columnName !== null ? [columnName] : stringsOf(constraint.fk_attrs),
            constraint,
            skipValidation: constraint.skip_validation === true && !isNewTable,
            ...deferral,
          },
          !isNewTable,
        );
      return;
    case 'CONSTR_EXCLUSION':
      if (phase === 'keys') await addExclusion(ddl, relationOid, constraint, deferral);
      return;
    case 'CONSTR_NOTNULL': {
      if (phase !== 'checks') return;
      for (const name of stringsOf(constraint.keys)) {
        const column = ddl
          .current(relationOid)
          .columns.find((candidate) => candidate.name === name && !candidate.dropped);
        if (column === undefined)
          throw new DbError(
            'undefined_column',
            `column "${name}" of relation "${ddl.current(relationOid).name}" does not exist`,
          );
        ddl.writer.update('pg_attribute', relationOid * 4096 + column.number, {
          [PG_ATTRIBUTE.attnotnull]: true,
        });
      }
      return;
    }
    default:
      throw notSupported(`constraint type ${constraint.contype}`);
  }
}

const LIKE_COMMENTS = 1;
const LIKE_CONSTRAINTS = 4;
const LIKE_DEFAULTS = 8;
const LIKE_GENERATED = 16;
const LIKE_IDENTITY = 32;
const LIKE_INDEXES = 64;

async function likeColumns(
  ddl: Ddl,
  clause: TableLikeClause,
): Promise<{ columns: ColumnDefinition[]; source: RelationDescriptor; options: number }> {
  const source = await ddl.relationIfExists(clause.relation!, 'AccessShare');
  if (source === null)
    throw ddl.undefinedRelation(clause.relation!).at(positionOf(clause.relation?.location));
  if (!['r', 'v', 'm', 'c', 'f', 'p'].includes(source.kind))
    throw new DbError('wrong_object_type', `relation "${source.name}" is invalid in LIKE clause`, {
      detail: `This operation is not supported for ${source.kind === 'S' ? 'sequences' : 'indexes'}.`,
    }).at(positionOf(clause.relation?.location));
  ddl.requireRelationPrivilege(source, 'SELECT', null);
  const options = clause.options ?? 0;
  const columns = source.columns
    .filter(({ dropped }) => !dropped)
    .map((column): ColumnDefinition => {
      const isIdentity = column.identity !== '' && (options & LIKE_IDENTITY) !== 0;
      const copies =
        column.defaultExpression !== null &&
        (column.generated === 's' ? (options & LIKE_GENERATED) !== 0 : (options & LIKE_DEFAULTS) !== 0);
      return {
        spec: {
          name: column.name,
          typeOid: column.typeOid,
          typmod: column.typmod,
          collation: column.collation,
          notNull: column.notNull,
          dimensions: 0,
          identity: isIdentity ? column.identity : '',
          generated: copies ? column.generated : '',
        },
        position: positionOf(clause.relation?.location),
        rawDefault: null,
        rawGenerated: null,
        sequence: isIdentity ? { kind: 'identity', options: [] } : null,
        constraints: [],
        copiedDefault: null,
      };
    });
  return { columns, source, options };
}

export async function createTable(ddl: Ddl, statement: CreateStmt): Promise<UtilityResult> {
  const tag = { tag: 'CREATE TABLE' };
  const target = statement.relation!;
  const position = positionOf(target.location);
  if (statement.partspec !== undefined || statement.partbound !== undefined)
    throw notSupported('partitioning');
  const isTemporary = target.relpersistence === 't' || target.schemaname === 'pg_temp';
  if (isTemporary) ddl.requireDatabasePrivilege('TEMPORARY');
  const namespace = ddl.creationNamespace(target.schemaname, { temporary: isTemporary, position });
  const name = target.relname!;
  if (
    statement.oncommit !== undefined &&
    statement.oncommit !== 'ONCOMMIT_NOOP' &&
    statement.oncommit !== 'ONCOMMIT_PRESERVE_ROWS' &&
    !isTemporary
  )
    throw new DbError('invalid_table_definition', 'ON COMMIT can only be used on temporary tables');
  await ddl.reserve(namespace, name);
  if (ddl.reader.relationOid(namespace, name) !== null) {
    if (statement.if_not_exists === true) {
      ddl.message('NOTICE', 'duplicate_table', `relation "${name}" already exists, skipping`);
      return tag;
    }
    throw duplicateRelation(name);
  }

  const persistence = isTemporary ? 't' : target.relpersistence === 'u' ? 'u' : 'p';
  const parents = await lockParents(ddl, statement.inhRelations ?? [], persistence, false);
  let definitions: ColumnDefinition[] = [];
  const tableConstraints: { constraint: Constraint; deferral: Deferral }[] = [];
  const likes: { source: RelationDescriptor; options: number }[] = [];
  const typed =
    statement.ofTypename === undefined
      ? null
      : typedColumns(ddl, statement.ofTypename, statement.tableElts ?? [], (column) =>
          columnDefinition(ddl, column, name),
        );
  if (typed !== null) definitions.push(...typed.definitions);
  for (const node of [...(statement.tableElts ?? []), ...(statement.constraints ?? [])]) {
    if ('ColumnDef' in node && typed !== null) continue;
    if ('ColumnDef' in node) definitions.push(columnDefinition(ddl, node.ColumnDef, name));
    else if ('Constraint' in node)
      tableConstraints.push({ constraint: node.Constraint, deferral: deferralOf(node.Constraint) });
    else if ('TableLikeClause' in node) {
      const like = await likeColumns(ddl, node.TableLikeClause);
      definitions.push(...like.columns);
      likes.push(like);
    }
  }
  const seen = new Set<string>();
  for (const { spec, position: columnPosition } of definitions) {
    if (seen.has(spec.name))
      throw new DbError('duplicate_column', `column "${spec.name}" specified more than once`).at(
        likes.length > 0 ? columnPosition : undefined,
      );
    seen.add(spec.name);
  }

  if (parents.length > 0) definitions = mergeColumns(ddl, parents, definitions, false);

  const storage = defElems(statement.options)
    .filter(({ defname }) => defname !== 'oids')
    .map(({ defname, arg }) => `${defname}=${optionText(arg)}`);
  const oid = createRelation(ddl, {
    name,
    namespace,
    kind: 'r',
    persistence,
    owner: ddl.role,
    columns: definitions.map(({ spec }) => ({ ...spec, generated: '' })),
    options: storage.length === 0 ? null : new SqlArray(25, storage),
  });
  if (typed !== null) recordTypedTable(ddl, oid, typed.typeOid);
  for (const [index, parent] of parents.entries()) recordInheritance(ddl, oid, parent.oid, index + 1, false);
  for (const [index, definition] of definitions.entries()) {
    if (definition.sequence !== null)
      await makeColumnSequence(ddl, ddl.current(oid), index + 1, definition.sequence);
  }
  // Generation expressions see all columns, so after them.
  for (const [index, definition] of definitions.entries())
    applyColumnExpression(ddl, oid, index + 1, definition);
  applyInheritedDefaults(ddl, oid, definitions, parents);
  for (const like of likes) copyLikeDefaults(ddl, oid, like);
  const apply = async (phase: 'checks' | 'keys' | 'foreign'): Promise<void> => {
    for (const definition of definitions)
      await applyColumnConstraints(ddl, oid, definition.spec.name, definition.constraints, {
        isNewTable: true,
        phase,
      });
    for (const { constraint, deferral } of tableConstraints)
      await applyConstraint(ddl, oid, constraint, deferral, { isNewTable: true, phase, columnName: null });
  };
  await apply('checks');
  await inheritChecks(ddl, oid, parents);
  for (const like of likes) await copyLikeChecks(ddl, oid, like);
  ddl.context.tables.createTable(ddl.context.transaction, ddl.current(oid).table!);
  await apply('keys');
  for (const like of likes) await copyLikeIndexes(ddl, oid, like);
  await apply('foreign');
  if (statement.oncommit === 'ONCOMMIT_DELETE_ROWS') ddl.context.onCommitTemporary(oid, 'delete');
  if (statement.oncommit === 'ONCOMMIT_DROP') ddl.dropAtCommit(oid);
  return tag;
}

export function optionText(argument: Node | undefined): string {
  if (argument === undefined) return 'true';
  if ('Integer' in argument) return String(argument.Integer.ival ?? 0);
  if ('Float' in argument) return argument.Float.fval ?? '';
  if ('Boolean' in argument) return String(argument.Boolean.boolval ?? false);
  return stringOf(argument);
}

/** Column numbers of the source in the new table, by name. */
export function columnMap(source: RelationDescriptor, target: RelationDescriptor): Map<number, number> {
  const map = new Map<number, number>();
  for (const column of source.columns) {
    const found = target.columns.find(({ name, dropped }) => name === column.name && !dropped);
    if (!column.dropped && found !== undefined) map.set(column.number, found.number);
  }
  return map;
}

/** Rewrites Vars of relation 1 by a map of column numbers. */
export function remap(text: string, map: ReadonlyMap<number, number>): Expr {
  const visit = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(visit);
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    const copy: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) copy[key] = visit(item);
    if (copy.kind === 'var') copy.attribute = map.get(copy.attribute as number) ?? copy.attribute;
    return copy;
  };
  return visit(parseExpr(text)) as Expr;
}

function copyLikeDefaults(ddl: Ddl, oid: Oid, like: { source: RelationDescriptor; options: number }): void {
  const map = columnMap(like.source, ddl.current(oid));
  for (const column of like.source.columns) {
    const attnum = map.get(column.number);
    if (attnum === undefined || column.dropped || column.defaultExpression === null) continue;
    // A default that is the domain's comes with the type.
    if (
      ddl.reader.view.get('pg_attribute', like.source.oid * 4096 + column.number)?.values[
        PG_ATTRIBUTE.atthasdef
      ] !== true
    )
      continue;
    const isGenerated = column.generated === 's';
    if ((like.options & (isGenerated ? LIKE_GENERATED : LIKE_DEFAULTS)) === 0) continue;
    setColumnDefault(ddl, oid, attnum, remap(column.defaultExpression, map), { isGenerated });
  }
  if ((like.options & LIKE_COMMENTS) !== 0)
    for (const column of like.source.columns) {
      const attnum = map.get(column.number);
      const comment = ddl.reader.view.get(
        'pg_description',
        `${like.source.oid}.${CLASS_OID.relation}.${column.number}`,
      );
      if (attnum !== undefined && comment !== null)
        ddl.writer.setComment(address(CLASS_OID.relation, oid, attnum), comment.values[3] as string);
    }
}

async function copyLikeChecks(
  ddl: Ddl,
  oid: Oid,
  like: { source: RelationDescriptor; options: number },
): Promise<void> {
  if ((like.options & LIKE_CONSTRAINTS) === 0) return;
  const map = columnMap(like.source, ddl.current(oid));
  for (const constraint of like.source.constraints) {
    if (constraint.kind !== 'c' || constraint.expression === null) continue;
    await addCheck(
      ddl,
      oid,
      {
        name: constraint.name,
        expr: remap(constraint.expression, map),
        raw: { A_Const: { boolval: { boolval: true } } } as Node,
        skipValidation: false,
        noInherit: false,
      },
      false,
    );
  }
}

async function copyLikeIndexes(
  ddl: Ddl,
  oid: Oid,
  like: { source: RelationDescriptor; options: number },
): Promise<void> {
  if ((like.options & LIKE_INDEXES) === 0) return;
  const map = columnMap(like.source, ddl.current(oid));
  for (const index of like.source.indexes) {
    const table = ddl.current(oid);
    const names = (attnums: readonly number[]): string[] =>
      attnums.flatMap((attnum) => (attnum > 0 ? [like.source.columns[attnum - 1]!.name] : []));
    const owner = like.source.constraints.find(
      (constraint) => constraint.indexOid === index.oid && constraint.kind !== 'f',
    );
    if (owner !== undefined && (owner.kind === 'p' || owner.kind === 'u')) {
      await addKey(
        ddl,
        oid,
        {
          name: null,
          kind: owner.kind,
          columns: names(index.keyColumns),
          included: names(index.includedColumns),
          nullsNotDistinct: index.schema.nullsNotDistinct,
          indexName: null,
          position: undefined,
          deferrable: owner.deferrable,
          deferred: owner.deferred,
        },
        true,
      );
      continue;
    }
    let nextExpression = 0;
    const rows = ddl.reader.view.find('pg_attribute', 'relation', index.oid);
    const keys = index.keyColumns.map((attnum, position) => {
      const row = rows.find(({ values }) => values[PG_ATTRIBUTE.attnum] === position + 1)!.values;
      return {
        attnum: attnum === 0 ? 0 : map.get(attnum)!,
        expression: attnum === 0 ? remap(index.expressions[nextExpression++]!, map) : null,
        name: row[PG_ATTRIBUTE.attname] as string,
        typeOid: row[PG_ATTRIBUTE.atttypid] as number,
        collation: row[PG_ATTRIBUTE.attcollation] as number,
        operatorClass: index.operatorClasses[position]!,
        descending: index.descending[position]!,
        nullsFirst: index.nullsFirst[position]!,
      };
    });
    const included = index.includedColumns.map((attnum) => map.get(attnum)!);
    await makeIndex(ddl, {
      name: chooseRelationName(
        ddl.reader,
        table.name,
        joinColumnNames([...keys.map((key) => key.name), ...names(index.includedColumns)]),
        'idx',
        { namespace: table.namespaceOid, isConstraint: false },
      ),
      table,
      accessMethod: index.accessMethod === 'hash' ? 405 : 403,
      keys,
      included,
      predicate: index.predicate === null ? null : remap(index.predicate, map),
      unique: index.unique,
      primary: false,
      nullsNotDistinct: index.schema.nullsNotDistinct,
      deferrable: false,
      isConstraint: false,
    });
  }
}
