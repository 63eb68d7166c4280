/**
 * ALTER COLUMN … TYPE.
 *
 * 1. Refuses what PostgreSQL refuses: columns that views use, identity and inherited ones.
 * 2. Reads every row with the new values (the USING expressions), in one query over the old table.
 * 3. Changes the catalog rows, takes dependent indexes out of storage, empties and re-types the table.
 * 4. Writes the rows back and builds the indexes again; constraints over the columns are analysed anew.
 * A change that leaves the stored bytes alone (varchar made longer, text) skips 2 and 4.
 */

import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type {
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
} from '../../catalog/contract.ts';
import { PG_ATTRIBUTE, PG_CONSTRAINT, PG_DEPEND, PG_INDEX } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { describeObject } from '../../catalog/object-names.ts';
import { typeProperties } from '../../catalog/virtual.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type { AlterTableCmd, ColumnDef, Node } from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { parseExpr, serialiseExpr } from '../../sql/tree-json.ts';
import type { Datum } from '../../types/datum.ts';
import { removeDefault } from './alter-column.ts';
import { attributeDefault, requireColumn } from './alter-table.ts';
import type { Ddl } from './common.ts';
import { buildIndex, vector } from './create-index.ts';
import { columnsOf } from './expression-dependencies.ts';
import { recordColumnDependencies, setColumnDefault } from './relation.ts';

interface Change {
  column: ColumnDescriptor;
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  using: Node;
  position: number | undefined;
}

const TEXT = 25;
const VARCHAR = 1043;

/** True when the stored bytes of every value stay as they are. */
function keepsBytes(change: Change): boolean {
  const { column } = change;
  const isText = (oid: Oid): boolean => oid === TEXT || oid === VARCHAR;
  if (!isText(column.typeOid) || !isText(change.typeOid)) return false;
  return change.typmod < 0 || (column.typmod >= 0 && change.typmod >= column.typmod);
}

export async function alterColumnType(
  ddl: Ddl,
  relationOid: Oid,
  commands: readonly AlterTableCmd[],
): Promise<void> {
  const relation = ddl.current(relationOid);
  if (relation.kind !== 'r' && relation.kind !== 'c')
    throw new DbError(
      'wrong_object_type',
      `"${relation.name}" is not a table, composite type, or foreign table`,
    );
  const changes = commands.map((command) => readChange(ddl, relation, command));
  for (const change of changes) refuseDependents(ddl, relation, change);
  const canKeep =
    relation.kind === 'c' || changes.every((change) => keepsBytes(change) && isPlainUsing(change));
  const rows = canKeep ? null : await readRows(ddl, relation, changes);

  const changedNumbers = new Set(changes.map(({ column }) => column.number));
  // Expressions over the old columns, as text, to be analysed again.
  const checks = relation.constraints.filter(
    (constraint) =>
      constraint.kind === 'c' && constraint.columns.some((attnum) => changedNumbers.has(attnum)),
  );
  const checkTexts = checks.map((constraint) =>
    ddl.context.sql.deparseExpression(constraint.expression!, relation, ddl.reader),
  );
  const indexes = relation.indexes.filter((index) => touches(index, changedNumbers));
  const indexTexts = indexes.map((index) => ({
    expressions: index.expressions.map((text) =>
      ddl.context.sql.deparseExpression(text, relation, ddl.reader),
    ),
    predicate:
      index.predicate === null
        ? null
        : ddl.context.sql.deparseExpression(index.predicate, relation, ddl.reader),
  }));
  const defaults = changes.map((change) => convertedDefault(ddl, relation, change));

  if (rows !== null)
    for (const index of relation.indexes) ddl.context.tables.dropIndex(ddl.context.transaction, index.oid);
  for (const change of changes) applyChange(ddl, relation, change);
  changes.forEach((change, position) => {
    const expr = defaults[position];
    if (expr === undefined || expr === null) return;
    removeDefault(ddl, relation, change.column.number);
    setColumnDefault(ddl, relationOid, change.column.number, expr);
  });
  for (const [position, constraint] of checks.entries())
    reanalyseCheck(ddl, relationOid, constraint, checkTexts[position]!);
  for (const [position, index] of indexes.entries())
    reanalyseIndex(ddl, relationOid, index, indexTexts[position]!, changes);
  const changed = ddl.current(relationOid);
  if (changed.table === null) return;
  if (rows === null) {
    ddl.context.tables.alterTable(ddl.context.transaction, changed.table);
    return;
  }
  ddl.advance();
  ddl.context.tables.truncate(ddl.context.transaction, relationOid);
  ddl.context.tables.alterTable(ddl.context.transaction, changed.table);
  const table = ddl.context.tables.table(relationOid);
  const live = changed.columns.filter(({ dropped }) => !dropped);
  for (const values of rows) {
    const row: Datum[] = new Array<Datum>(changed.columns.length).fill(null);
    live.forEach((column, position) => {
      row[column.number - 1] = values[position]!;
    });
    for (const column of live)
      if (column.notNull && row[column.number - 1] === null)
        throw new DbError(
          'not_null_violation',
          `column "${column.name}" of relation "${changed.name}" contains null values`,
          {
            schema: changed.namespaceName,
            table: changed.name,
            column: column.name,
          },
        );
    table.insert(ddl.context.transaction, row);
  }
  ddl.advance();
  for (const index of changed.indexes) await buildIndex(ddl, relationOid, index.oid);
}

function touches(index: IndexDescriptor, changed: ReadonlySet<number>): boolean {
  if ([...index.keyColumns, ...index.includedColumns].some((attnum) => changed.has(attnum))) return true;
  const texts = index.predicate === null ? index.expressions : [...index.expressions, index.predicate];
  return texts.some((text) =>
    columnsOf(parseExpr(text)).some((attnum) => changed.has(attnum) || attnum === 0),
  );
}

function readChange(ddl: Ddl, relation: RelationDescriptor, command: AlterTableCmd): Change {
  const column = requireColumn(relation, command.name!);
  const definition = (command.def as { ColumnDef: ColumnDef }).ColumnDef;
  const { typeOid, typmod } = ddl.context.sql.resolveTypeName(definition.typeName!);
  ddl.requireTypeUsage(typeOid);
  const type = ddl.reader.type(typeOid)!;
  let collation = type.collation;
  if (definition.collClause !== undefined) {
    const parts = stringsOf(definition.collClause.collname);
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
  if (column.generated === 's' && definition.raw_default !== undefined)
    throw new DbError(
      'invalid_column_definition',
      'cannot specify USING when altering type of generated column',
      {
        detail: `Column "${column.name}" is a generated column.`,
      },
    );
  const using: Node = definition.raw_default ?? {
    ColumnRef: { fields: [{ String: { sval: column.name } }], location: -1 },
  };
  const change: Change = {
    column,
    typeOid,
    typmod,
    collation,
    using,
    position: positionOf(definition.location),
  };
  if (relation.kind === 'r') usingExpression(ddl, relation, change, definition.raw_default !== undefined);
  return change;
}

/** The analysed USING expression, coerced to the new type; 42804 with PostgreSQL's hint when there is no such cast. */
function usingExpression(ddl: Ddl, relation: RelationDescriptor, change: Change, isExplicit: boolean): Expr {
  const expr = ddl.context.sql.expression(change.using, { kind: 'using', relation });
  const coerced = ddl.context.sql.coerce(expr, change.typeOid, change.typmod);
  if (coerced !== null) return coerced;
  const typeName = formatType(ddl.reader, change.typeOid, { path: ddl.path });
  throw isExplicit
    ? new DbError(
        'datatype_mismatch',
        `result of USING clause for column "${change.column.name}" cannot be cast automatically to type ${typeName}`,
        { hint: 'You might need to add an explicit cast.' },
      )
    : new DbError(
        'datatype_mismatch',
        `column "${change.column.name}" cannot be cast automatically to type ${typeName}`,
        {
          hint: `You might need to specify "USING ${change.column.name}::${formatType(ddl.reader, change.typeOid, { path: ddl.path, typmod: change.typmod })}".`,
        },
      );
}

function isPlainUsing(change: Change): boolean {
  const { using } = change;
  if (!('ColumnRef' in using)) return false;
  return stringsOf(using.ColumnRef.fields).at(-1) === change.column.name;
}

function refuseDependents(ddl: Ddl, relation: RelationDescriptor, change: Change): void {
  for (const { values } of ddl.reader.view.find(
    'pg_depend',
    'referenced',
    pairKey(CLASS_OID.relation, relation.oid),
  )) {
    if (values[PG_DEPEND.refobjsubid] !== change.column.number) continue;
    const classId = values[PG_DEPEND.classid];
    if (classId === CLASS_OID.rewrite) {
      const what = describeObject(
        ddl.reader,
        address(CLASS_OID.rewrite, values[PG_DEPEND.objid] as number),
        ddl.path,
      );
      throw new DbError('feature_not_supported', 'cannot alter type of a column used by a view or rule', {
        detail: `${what} depends on column "${change.column.name}"`,
      });
    }
    if (classId === CLASS_OID.attributeDefault) {
      const row = ddl.writer.row('pg_attrdef', values[PG_DEPEND.objid] as number);
      if (row[2] !== change.column.number)
        throw new DbError(
          'feature_not_supported',
          'cannot alter type of a column used by a generated column',
          {
            detail: `Column "${change.column.name}" is used by generated column "${relation.columns[(row[2] as number) - 1]!.name}".`,
          },
        );
    }
  }
}

/** The rows of the table with the new values in place of the old ones. */
async function readRows(
  ddl: Ddl,
  relation: RelationDescriptor,
  changes: readonly Change[],
): Promise<readonly (readonly Datum[])[]> {
  const byNumber = new Map(changes.map((change) => [change.column.number, change]));
  const targetList = relation.columns
    .filter(({ dropped }) => !dropped)
    .map((column): Node => {
      const change = byNumber.get(column.number);
      const plain: Node = { ColumnRef: { fields: [{ String: { sval: column.name } }], location: -1 } };
      const value: Node =
        change === undefined
          ? plain
          : {
              TypeCast: {
                arg: change.using,
                typeName: typeNameNode(ddl, change),
                location: -1,
              },
            };
      return { ResTarget: { val: value, location: -1 } };
    });
  ddl.advance();
  return ddl.context.queries.queryTree({
    SelectStmt: {
      targetList,
      fromClause: [
        {
          RangeVar: {
            schemaname: relation.namespaceName,
            relname: relation.name,
            inh: false,
            relpersistence: 'p',
            location: -1,
          },
        },
      ],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
  } as Node);
}

function typeNameNode(ddl: Ddl, change: Change) {
  let type = ddl.reader.type(change.typeOid)!;
  const isArray = type.isTrueArray;
  if (isArray) type = ddl.reader.type(type.elementOid)!;
  return {
    names: [
      { String: { sval: ddl.reader.namespaceName(type.namespaceOid) ?? 'pg_catalog' } },
      { String: { sval: type.name } },
    ],
    typmods: typmodNodes(type.oid, change.typmod),
    typemod: -1,
    arrayBounds: isArray ? [{ Integer: { ival: -1 } }] : [],
    location: -1,
  };
}

/** A modifier as the numbers in parentheses. */
function typmodNodes(typeOid: Oid, typmod: number): Node[] {
  if (typmod < 0) return [];
  const constant = (value: number): Node => ({ A_Const: { ival: { ival: value }, location: -1 } }) as Node;
  switch (typeOid) {
    case 1042:
    case 1043:
      return [constant(typmod - 4)];
    case 1700:
      return [constant(((typmod - 4) >> 16) & 0xffff), constant((((typmod - 4) & 0x7ff) ^ 1024) - 1024)];
    case 1186:
      return [
        constant((typmod >> 16) & 0x7fff),
        ...((typmod & 0xffff) === 0xffff ? [] : [constant(typmod & 0xffff)]),
      ];
    default:
      return [constant(typmod)];
  }
}

/** The column's default as an expression of the new type; undefined when it has none. */
function convertedDefault(ddl: Ddl, relation: RelationDescriptor, change: Change): Expr | null | undefined {
  const { column } = change;
  if (column.defaultExpression === null || column.generated === 's') return undefined;
  // A domain's default stays with the domain.
  if (attributeDefault(ddl, relation, column.number) === null) return undefined;
  const expr = parseExpr(column.defaultExpression);
  const converted = ddl.context.sql.coerce(stripCoercions(expr), change.typeOid, change.typmod);
  if (converted === null)
    throw new DbError(
      'datatype_mismatch',
      `default for column "${column.name}" cannot be cast automatically to type ${formatType(ddl.reader, change.typeOid, { path: ddl.path })}`,
    );
  return converted;
}

/** Implicit casts at the top were made for the old type. */
function stripCoercions(expr: Expr): Expr {
  if (
    (expr.kind === 'relabel' || expr.kind === 'ioCast' || expr.kind === 'domainCast') &&
    expr.form === 'implicitCast'
  )
    return stripCoercions(expr.arg);
  if (expr.kind === 'function' && expr.form === 'implicitCast') return stripCoercions(expr.args[0]!);
  return expr;
}

function applyChange(ddl: Ddl, relation: RelationDescriptor, change: Change): void {
  const { writer } = ddl;
  const attnum = change.column.number;
  const properties = typeProperties(ddl.reader.view, change.typeOid);
  writer.update('pg_attribute', relation.oid * 4096 + attnum, {
    [PG_ATTRIBUTE.atttypid]: change.typeOid,
    [PG_ATTRIBUTE.atttypmod]: change.typmod,
    [PG_ATTRIBUTE.attcollation]: change.collation,
    [PG_ATTRIBUTE.attlen]: properties.length,
    [PG_ATTRIBUTE.attbyval]: properties.byValue,
    [PG_ATTRIBUTE.attalign]: properties.alignment,
    [PG_ATTRIBUTE.attstorage]: properties.storage,
    [PG_ATTRIBUTE.attndims]: ddl.reader.type(change.typeOid)?.isTrueArray === true ? 1 : 0,
    [PG_ATTRIBUTE.atthasmissing]: false,
    [PG_ATTRIBUTE.attmissingval]: null,
  });
  writer.removeDependenciesOf(
    address(CLASS_OID.relation, relation.oid, attnum),
    (row) =>
      row[PG_DEPEND.refclassid] === CLASS_OID.type || row[PG_DEPEND.refclassid] === CLASS_OID.collation,
  );
  recordColumnDependencies(ddl, relation.oid, attnum, change.typeOid, change.collation);
}

function reanalyseCheck(ddl: Ddl, relationOid: Oid, constraint: ConstraintDescriptor, text: string): void {
  const expr = ddl.context.sql.expression(ddl.context.sql.parseExpression(text), {
    kind: 'check',
    relation: ddl.current(relationOid),
  });
  ddl.writer.update('pg_constraint', constraint.oid, { [PG_CONSTRAINT.conbin]: serialiseExpr(expr) });
}

function reanalyseIndex(
  ddl: Ddl,
  relationOid: Oid,
  index: IndexDescriptor,
  texts: { expressions: readonly string[]; predicate: string | null },
  changes: readonly Change[],
): void {
  const relation = ddl.current(relationOid);
  const analyse = (text: string, kind: 'index' | 'index predicate'): Expr =>
    ddl.context.sql.expression(ddl.context.sql.parseExpression(text), { kind, relation });
  const expressions = texts.expressions.map((text) => analyse(text, 'index'));
  let nextExpression = 0;
  const classes = index.keyColumns.map((attnum, position) => {
    const expression = attnum === 0 ? expressions[nextExpression++]! : null;
    const change = changes.find(({ column }) => column.number === attnum);
    if (change === undefined && expression === null) return index.operatorClasses[position]!;
    const typeOid = expression?.typeOid ?? change!.typeOid;
    const found = ddl.reader.defaultOperatorClass(typeOid, index.accessMethod === 'hash' ? 405 : 403);
    if (found === 0)
      throw new DbError(
        'undefined_object',
        `data type ${formatType(ddl.reader, typeOid, { path: ddl.path })} has no default operator class for access method "${index.accessMethod}"`,
        {
          hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
        },
      );
    const key = index.oid * 4096 + position + 1;
    const properties = typeProperties(ddl.reader.view, typeOid);
    ddl.writer.update('pg_attribute', key, {
      [PG_ATTRIBUTE.atttypid]: typeOid,
      [PG_ATTRIBUTE.atttypmod]: change?.typmod ?? -1,
      [PG_ATTRIBUTE.attlen]: properties.length,
      [PG_ATTRIBUTE.attbyval]: properties.byValue,
      [PG_ATTRIBUTE.attalign]: properties.alignment,
      [PG_ATTRIBUTE.attstorage]: properties.storage,
      [PG_ATTRIBUTE.attcollation]: change?.collation ?? expression?.collation ?? 0,
    });
    return found;
  });
  ddl.writer.update('pg_index', index.oid, {
    [PG_INDEX.indclass]: vector(26, classes),
    [PG_INDEX.indexprs]:
      expressions.length === 0 ? null : JSON.stringify(expressions.map((expr) => serialiseExpr(expr))),
    [PG_INDEX.indpred]:
      texts.predicate === null ? null : serialiseExpr(analyse(texts.predicate, 'index predicate')),
  });
}
