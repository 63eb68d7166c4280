/** CREATE INDEX, and the indexes behind PRIMARY KEY and UNIQUE. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { PG_AM, PG_CLASS, PG_INDEX, PG_OPCLASS } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { isStoredMethod } from '../../catalog/describe.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { isIndexable } from '../../index/key-codec.ts';
import { stringsOf } from '../../sql/parse/ast.ts';
import type { IndexElem, IndexStmt, Node } from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import type { TypeSupport } from '../../types/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { columnsOf, recordExpression } from './expression-dependencies.ts';
import { chooseRelationName, joinColumnNames } from './object-names.ts';
import { requireUsableClass } from './operator-classes.ts';
import { type ColumnSpec, duplicateRelation, insertColumn, makeRow } from './relation.ts';

const BTREE = 403;
const HASH = 405;
const GIST = 783;
const SPGIST = 4000;

export interface IndexKeySpec {
  /** attnum, 0 for an expression. */
  attnum: number;
  expression: Expr | null;
  /** Name of the index column. */
  name: string;
  typeOid: Oid;
  collation: Oid;
  operatorClass: Oid;
  descending: boolean;
  nullsFirst: boolean;
}

export interface IndexSpec {
  name: string;
  table: RelationDescriptor;
  accessMethod: Oid;
  keys: readonly IndexKeySpec[];
  included: readonly number[];
  predicate: Expr | null;
  unique: boolean;
  primary: boolean;
  nullsNotDistinct: boolean;
  deferrable: boolean;
  /** The index belongs to a constraint that is about to be made: dependencies come from that. */
  isConstraint: boolean;
}

/** int2vector and oidvector count from 0. */
export function vector(elementType: Oid, elements: readonly number[]): SqlArray {
  return new SqlArray(
    elementType,
    elements,
    elements.length === 0 ? [] : [elements.length],
    elements.length === 0 ? [] : [0],
  );
}

/** Key over a plain column with its type's default operator class. */
export function columnKey(
  ddl: Ddl,
  table: RelationDescriptor,
  attnum: number,
  accessMethod = BTREE,
): IndexKeySpec {
  const column = table.columns[attnum - 1]!;
  return {
    attnum,
    expression: null,
    name: column.name,
    typeOid: column.typeOid,
    collation: column.collation,
    operatorClass: requireOperatorClass(ddl, column.typeOid, accessMethod),
    descending: false,
    nullsFirst: false,
  };
}

function accessMethodName(ddl: Ddl, accessMethod: Oid): string {
  return ddl.reader.view.get('pg_am', accessMethod)?.values[PG_AM.amname] as string;
}

function requireOperatorClass(ddl: Ddl, typeOid: Oid, accessMethod: Oid): Oid {
  const found = ddl.reader.defaultOperatorClass(typeOid, accessMethod);
  if (found === 0)
    throw new DbError(
      'undefined_object',
      `data type ${formatType(ddl.reader, typeOid, { path: ddl.path })} has no default operator class for access method "${accessMethodName(ddl, accessMethod)}"`,
      {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      },
    );
  return found;
}

function namedOperatorClass(ddl: Ddl, names: readonly string[], typeOid: Oid, accessMethod: Oid): Oid {
  const name = names.at(-1)!;
  const schema = names.length > 1 ? names.at(-2)! : null;
  const namespaces = ddl.reader.namespacesFor(schema, ddl.path);
  for (const { key, values } of ddl.reader.view.find('pg_opclass', 'name', name)) {
    if (values[PG_OPCLASS.opcmethod] !== accessMethod) continue;
    if (!namespaces.includes(values[PG_OPCLASS.opcnamespace] as number)) continue;
    const input = values[PG_OPCLASS.opcintype] as number;
    if (input !== typeOid && !isBinaryCoercible(ddl, typeOid, input))
      throw new DbError(
        'datatype_mismatch',
        `operator class "${names.join('.')}" does not accept data type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
      );
    return key as number;
  }
  throw new DbError(
    'undefined_object',
    `operator class "${names.join('.')}" does not exist for access method "${accessMethodName(ddl, accessMethod)}"`,
  );
}

export function isBinaryCoercible(ddl: Ddl, source: Oid, target: Oid): boolean {
  if (source === target) return true;
  let type = ddl.reader.type(source);
  for (let depth = 0; type !== null && type.kind === 'd' && depth < 100; depth++)
    type = ddl.reader.type(type.baseTypeOid);
  if (type === null) return false;
  if (type.oid === target) return true;
  if (target === 2277) return type.isTrueArray;
  if (target === 3500) return type.kind === 'e';
  if (target === 2249) return type.kind === 'c';
  const cast = ddl.reader.cast(type.oid, target);
  return cast !== null && cast.method === 'b' && cast.context === 'i';
}

/** Default name of an expression's index column. */
function expressionName(node: Node | undefined): string {
  if (node !== undefined) {
    if ('FuncCall' in node) return stringsOf(node.FuncCall.funcname).at(-1) ?? 'expr';
    if ('CoalesceExpr' in node) return 'coalesce';
    if ('TypeCast' in node) {
      const inner = expressionName(node.TypeCast.arg);
      return inner === 'expr' ? (stringsOf(node.TypeCast.typeName?.names).at(-1) ?? 'expr') : inner;
    }
    if ('CaseExpr' in node) return 'case';
    if ('CollateClause' in node) return expressionName(node.CollateClause.arg);
    if ('ColumnRef' in node) return stringsOf(node.ColumnRef.fields).at(-1) ?? 'expr';
  }
  return 'expr';
}

export function analyseIndexKey(
  ddl: Ddl,
  table: RelationDescriptor,
  element: IndexElem,
  accessMethod: Oid,
  taken: Set<string>,
): IndexKeySpec {
  let attnum = 0;
  let expression: Expr | null = null;
  let typeOid: Oid;
  let collation: Oid;
  let name: string;
  if (element.name !== undefined) {
    const column = table.columns.find((candidate) => candidate.name === element.name && !candidate.dropped);
    if (column === undefined) {
      if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(element.name))
        throw new DbError('feature_not_supported', 'index creation on system columns is not supported');
      throw new DbError('undefined_column', `column "${element.name}" does not exist`);
    }
    attnum = column.number;
    ({ typeOid, collation, name } = column);
  } else {
    expression = ddl.context.sql.expression(element.expr!, { kind: 'index', relation: table });
    if (expression.kind === 'var' && expression.attribute > 0) {
      attnum = expression.attribute;
      expression = null;
    }
    const column = attnum > 0 ? table.columns[attnum - 1]! : null;
    typeOid = column?.typeOid ?? expression!.typeOid;
    collation = column?.collation ?? expression!.collation;
    name = column?.name ?? element.indexcolname ?? expressionName(element.expr);
    if (expression !== null) requireImmutable(ddl, expression, 'index expression');
  }
  if (element.collation !== undefined) {
    const parts = stringsOf(element.collation);
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
    if (ddl.reader.type(typeOid)?.collation === 0)
      throw new DbError(
        'datatype_mismatch',
        `collations are not supported by type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
      );
    collation = found.oid;
  }
  let unique = name;
  for (let counter = 1; taken.has(unique); counter++) unique = `${name}${counter}`;
  taken.add(unique);
  const descending = element.ordering === 'SORTBY_DESC';
  if (accessMethod !== BTREE) {
    const methodName = accessMethodName(ddl, accessMethod);
    if (element.ordering !== undefined && element.ordering !== 'SORTBY_DEFAULT')
      throw new DbError(
        'feature_not_supported',
        `access method "${methodName}" does not support ASC/DESC options`,
      );
    if (element.nulls_ordering !== undefined && element.nulls_ordering !== 'SORTBY_NULLS_DEFAULT')
      throw new DbError(
        'feature_not_supported',
        `access method "${methodName}" does not support NULLS FIRST/LAST options`,
      );
  }
  return {
    attnum,
    expression,
    name: unique,
    typeOid,
    collation,
    operatorClass:
      element.opclass !== undefined && element.opclass.length > 0
        ? namedOperatorClass(ddl, stringsOf(element.opclass), typeOid, accessMethod)
        : requireOperatorClass(ddl, typeOid, accessMethod),
    descending,
    nullsFirst:
      element.nulls_ordering === 'SORTBY_NULLS_FIRST' ||
      (element.nulls_ordering !== 'SORTBY_NULLS_LAST' && descending),
  };
}

/** Refuses functions whose answer may change: 42P17. */
export function requireImmutable(
  ddl: Ddl,
  expr: Expr,
  where: 'index expression' | 'index predicate' | 'generation expression',
): void {
  const visit = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
      return;
    }
    const record = value as Record<string, unknown>;
    const functionOid = record.functionOid;
    if (
      (typeof functionOid === 'number' &&
        functionOid !== 0 &&
        ddl.reader.function(functionOid)?.volatility !== 'i') ||
      record.kind === 'sqlValue'
    )
      throw new DbError(
        'invalid_object_definition',
        where === 'generation expression'
          ? 'generation expression is not immutable'
          : `functions in ${where} must be marked IMMUTABLE`,
      );
    for (const item of Object.values(record)) if (typeof item === 'object') visit(item);
  };
  visit(expr);
}

/** Inserts the rows of an index and builds it over the rows there are. Answers its oid. */
export async function makeIndex(ddl: Ddl, spec: IndexSpec): Promise<Oid> {
  const { writer } = ddl;
  const { table } = spec;
  const oid = writer.allocateOid();
  writer.insert(
    'pg_class',
    makeRow(PG_CLASS, {
      oid,
      relname: spec.name,
      relnamespace: table.namespaceOid,
      reltype: 0,
      reloftype: 0,
      relowner: table.ownerOid,
      relam: spec.accessMethod,
      relfilenode: oid,
      reltablespace: 0,
      relpages: 0,
      reltuples: 0,
      relallvisible: 0,
      reltoastrelid: 0,
      relhasindex: false,
      relisshared: false,
      relpersistence: table.persistence,
      relkind: 'i',
      relnatts: spec.keys.length + spec.included.length,
      relchecks: 0,
      relhasrules: false,
      relhastriggers: false,
      relhassubclass: false,
      relrowsecurity: false,
      relforcerowsecurity: false,
      relispopulated: true,
      relreplident: 'n',
      relispartition: false,
      relrewrite: 0,
      relfrozenxid: 0,
      relminmxid: 0,
    }),
  );
  const columns: ColumnSpec[] = [
    ...spec.keys.map((key) => ({
      name: key.name,
      typeOid: key.typeOid,
      typmod: key.attnum > 0 ? table.columns[key.attnum - 1]!.typmod : (key.expression?.typmod ?? -1),
      collation: key.collation,
    })),
    ...spec.included.map((attnum) => table.columns[attnum - 1]!),
  ].map(({ name, typeOid, typmod, collation }) => ({
    name,
    typeOid,
    typmod,
    collation,
    notNull: false,
    dimensions: 0,
    identity: '',
    generated: '',
  }));
  for (const [index, column] of columns.entries()) insertColumn(ddl, oid, index + 1, column);
  const expressions = spec.keys.flatMap((key) =>
    key.expression === null ? [] : [serialiseExpr(key.expression)],
  );
  writer.insert(
    'pg_index',
    makeRow(PG_INDEX, {
      indexrelid: oid,
      indrelid: table.oid,
      indnatts: columns.length,
      indnkeyatts: spec.keys.length,
      indisunique: spec.unique,
      indnullsnotdistinct: spec.nullsNotDistinct,
      indisprimary: spec.primary,
      indisexclusion: false,
      indimmediate: !spec.deferrable,
      indisclustered: false,
      indisvalid: true,
      indcheckxmin: false,
      indisready: true,
      indislive: true,
      indisreplident: false,
      indkey: vector(21, [...spec.keys.map(({ attnum }) => attnum), ...spec.included]),
      indcollation: vector(
        26,
        spec.keys.map(({ collation }) => collation),
      ),
      indclass: vector(
        26,
        spec.keys.map(({ operatorClass }) => operatorClass),
      ),
      indoption: vector(
        21,
        spec.keys.map(({ descending, nullsFirst }) => (descending ? 1 : 0) | (nullsFirst ? 2 : 0)),
      ),
      indexprs: expressions.length === 0 ? null : JSON.stringify(expressions),
      indpred: spec.predicate === null ? null : serialiseExpr(spec.predicate),
    }),
  );
  if (!spec.isConstraint) recordIndexDependencies(ddl, oid, spec);
  for (const key of spec.keys)
    writer.dependOn(
      address(CLASS_OID.relation, oid),
      address(CLASS_OID.operatorClass, key.operatorClass),
      'n',
    );
  for (const key of spec.keys) requireUsableClass(ddl, key.operatorClass, spec.accessMethod);
  if (isStoredMethod(spec.accessMethod)) await buildIndex(ddl, table.oid, oid);
  // Last of all: SHARE locks let indexes of one table be built side by side, and the flag is what they meet on.
  await writer.updateAfterRivals(
    'pg_class',
    table.oid,
    { [PG_CLASS.relhasindex]: true },
    ddl.context.locks,
    () => ddl.context.lockOptions(),
  );
  return oid;
}

function recordIndexDependencies(ddl: Ddl, oid: Oid, spec: IndexSpec): void {
  const self = address(CLASS_OID.relation, oid);
  const attnums = [...spec.keys.map(({ attnum }) => attnum), ...spec.included].filter((attnum) => attnum > 0);
  for (const attnum of attnums)
    ddl.writer.dependOn(self, address(CLASS_OID.relation, spec.table.oid, attnum), 'a');
  const exprs = spec.keys.flatMap((key) => (key.expression === null ? [] : [key.expression]));
  if (attnums.length === 0 && exprs.every((expr) => columnsOf(expr).length === 0))
    ddl.writer.dependOn(self, address(CLASS_OID.relation, spec.table.oid), 'a');
  if (spec.predicate !== null) exprs.push(spec.predicate);
  recordExpression(ddl.writer, self, exprs, spec.table.oid, 'a');
}

/** Builds the storage of an index from its descriptor; 23505 names the first duplicate. */
export async function buildIndex(ddl: Ddl, tableOid: Oid, indexOid: Oid): Promise<void> {
  const table = ddl.current(tableOid);
  const index = table.indexes.find((candidate) => candidate.oid === indexOid)!;
  ddl.advance();
  for (const { support } of index.schema.keys)
    if (!canBeKey(ddl, support)) throw notSupported(`an index on type ${support.name}`);
  const outcome = await ddl.context.tables.createIndex(ddl.context.transaction, tableOid, index.schema);
  if (outcome.conflict !== null) throw duplicateKeys(ddl, table, index, outcome.conflict);
}

/** Types whose values have an order-preserving key; arrays if their elements have. */
function canBeKey(ddl: Ddl, support: TypeSupport): boolean {
  return (
    isIndexable(support) &&
    (support.elementType === undefined || canBeKey(ddl, ddl.reader.typeSupport(support.elementType)))
  );
}

function duplicateKeys(
  ddl: Ddl,
  table: RelationDescriptor,
  index: IndexDescriptor,
  values: readonly Datum[],
): DbError {
  let nextExpression = 0;
  const names = index.keyColumns.map((attnum) =>
    attnum > 0
      ? table.columns[attnum - 1]!.name
      : ddl.context.sql.deparseExpression(index.expressions[nextExpression++]!, table, ddl.reader),
  );
  const texts = values.map((value, position) =>
    value === null ? 'null' : index.schema.keys[position]!.support.output(value, ddl.context.format),
  );
  return new DbError('unique_violation', `could not create unique index "${index.name}"`, {
    detail: `Key (${names.join(', ')})=(${texts.join(', ')}) is duplicated.`,
    schema: table.namespaceName,
    table: table.name,
    constraint: index.name,
  });
}

export async function createIndex(ddl: Ddl, statement: IndexStmt): Promise<UtilityResult> {
  const isConcurrent = statement.concurrent === true;
  if (isConcurrent && ddl.context.isInTransactionBlock)
    throw new DbError(
      'active_sql_transaction',
      'CREATE INDEX CONCURRENTLY cannot run inside a transaction block',
    );
  const table = await ddl.relation(statement.relation!, isConcurrent ? 'ShareUpdateExclusive' : 'Share');
  if (table.kind !== 'r' && table.kind !== 'm')
    throw new DbError('wrong_object_type', `cannot create index on relation "${table.name}"`, {
      detail: `This operation is not supported for ${kindPlural(table.kind)}.`,
    });
  ddl.requireRelationOwner(table);
  ddl.requireSchemaCreate(table.namespaceOid);
  const methodName = statement.accessMethod ?? 'btree';
  let accessMethod = 0;
  for (const { key, values } of ddl.reader.view.all('pg_am'))
    if (values[PG_AM.amname] === methodName && values[PG_AM.amtype] === 'i') accessMethod = key as number;
  if (accessMethod === 0)
    throw new DbError('undefined_object', `access method "${methodName}" does not exist`);
  if (statement.unique === true && accessMethod !== BTREE)
    throw new DbError(
      'feature_not_supported',
      `access method "${methodName}" does not support unique indexes`,
    );
  const elements = (statement.indexParams ?? []).flatMap((node) =>
    'IndexElem' in node ? [node.IndexElem] : [],
  );
  if ((accessMethod === HASH || accessMethod === SPGIST) && elements.length > 1)
    throw new DbError(
      'feature_not_supported',
      `access method "${methodName}" does not support multicolumn indexes`,
    );
  const taken = new Set<string>();
  const keys = elements.map((element) => analyseIndexKey(ddl, table, element, accessMethod, taken));
  if (
    accessMethod !== BTREE &&
    accessMethod !== GIST &&
    accessMethod !== SPGIST &&
    (statement.indexIncludingParams?.length ?? 0) > 0
  )
    throw new DbError(
      'feature_not_supported',
      `access method "${methodName}" does not support included columns`,
    );
  const included = (statement.indexIncludingParams ?? []).flatMap((node) => {
    if (!('IndexElem' in node)) return [];
    const name = node.IndexElem.name;
    if (name === undefined)
      throw new DbError('feature_not_supported', 'expressions are not supported in included columns');
    const column = table.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined) throw new DbError('undefined_column', `column "${name}" does not exist`);
    return [column.number];
  });
  let predicate: Expr | null = null;
  if (statement.whereClause !== undefined) {
    predicate = ddl.context.sql.expression(statement.whereClause, {
      kind: 'index predicate',
      relation: table,
    });
    requireImmutable(ddl, predicate, 'index predicate');
  }
  let name = statement.idxname;
  if (name === undefined) {
    await ddl.reserve(table.namespaceOid, `index of ${table.oid}`);
    const columnNames = [
      ...keys.map((key) => key.name),
      ...included.map((attnum) => table.columns[attnum - 1]!.name),
    ];
    name = chooseRelationName(ddl.reader, table.name, joinColumnNames(columnNames), 'idx', {
      namespace: table.namespaceOid,
      isConstraint: false,
    });
  }
  await ddl.reserve(table.namespaceOid, name);
  if (ddl.reader.relationOid(table.namespaceOid, name) !== null) {
    if (statement.if_not_exists === true) {
      ddl.message('NOTICE', 'duplicate_table', `relation "${name}" already exists, skipping`);
      return { tag: 'CREATE INDEX' };
    }
    throw duplicateRelation(name);
  }
  await makeIndex(ddl, {
    name,
    table,
    accessMethod,
    keys,
    included,
    predicate,
    unique: statement.unique === true,
    primary: false,
    nullsNotDistinct: statement.nulls_not_distinct === true,
    deferrable: false,
    isConstraint: false,
  });
  return { tag: 'CREATE INDEX' };
}

export function kindPlural(kind: string): string {
  switch (kind) {
    case 'v':
      return 'views';
    case 'm':
      return 'materialized views';
    case 'S':
      return 'sequences';
    case 'i':
      return 'indexes';
    case 'c':
      return 'composite types';
    case 'f':
      return 'foreign tables';
    default:
      return 'tables';
  }
}
