/** EXCLUDE constraints, and the check of rows that are there when a late-checked key is added. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_AMOP, PG_CONSTRAINT, PG_INDEX, PG_OPCLASS, PG_OPFAMILY } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { stringsOf } from '../../sql/parse/ast.ts';
import { quoteIdentifier, quoteQualified } from '../../sql/parse/keywords.ts';
import type { Constraint, IndexElem, Node } from '../../sql/parse/nodes.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import { baseRow, type Deferral } from './constraints.ts';
import {
  analyseIndexKey,
  type IndexKeySpec,
  isBinaryCoercible,
  makeIndex,
  requireImmutable,
} from './create-index.ts';
import { recordExpression } from './expression-dependencies.ts';
import { accessMethodOid } from './named-objects.ts';
import { chooseRelationName, joinColumnNames } from './object-names.ts';
import { duplicateRelation, makeRow } from './relation.ts';

const ANY_RANGE = 3831;
const ANY_MULTIRANGE = 4537;

/** Does an operator over `declared` take values of `type`? */
function accepts(ddl: Ddl, type: Oid, declared: Oid): boolean {
  if (isBinaryCoercible(ddl, type, declared)) return true;
  const kind = ddl.reader.type(type)?.kind;
  return (declared === ANY_RANGE && kind === 'r') || (declared === ANY_MULTIRANGE && kind === 'm');
}

/** The operator of one element: over its type on both sides, commutative, and of the operator class's family. */
function exclusionOperator(ddl: Ddl, key: IndexKeySpec, names: readonly string[]): Oid {
  const schema = names.length > 1 ? names.at(-2)! : null;
  const candidates = ddl.reader
    .operatorsByName(schema, names.at(-1)!, ddl.path)
    .filter(
      (operator) => operator.leftType === operator.rightType && accepts(ddl, key.typeOid, operator.leftType),
    );
  const operator = candidates.find(({ leftType }) => leftType === key.typeOid) ?? candidates[0];
  const text = names.join('.');
  if (operator === undefined) throw new DbError('undefined_function', `operator does not exist: ${text}`);
  const shown = `${operator.name}(${ddl.reader.type(operator.leftType)?.name ?? ''},${ddl.reader.type(operator.rightType)?.name ?? ''})`;
  if (operator.commutator !== operator.oid)
    throw new DbError('wrong_object_type', `operator ${shown} is not commutative`, {
      detail: 'Only commutative operators can be used in exclusion constraints.',
    });
  const family = ddl.writer.row('pg_opclass', key.operatorClass)[PG_OPCLASS.opcfamily] as Oid;
  const isMember = ddl.reader.view
    .find('pg_amop', 'operator', operator.oid)
    .some(({ values }) => values[PG_AMOP.amopfamily] === family);
  if (!isMember)
    throw new DbError(
      'wrong_object_type',
      `operator ${shown} is not a member of operator family "${ddl.writer.row('pg_opfamily', family)[PG_OPFAMILY.opfname] as string}"`,
      { detail: 'The exclusion operator must be related to the index operator class for the constraint.' },
    );
  return operator.oid;
}

export async function addExclusion(
  ddl: Ddl,
  relationOid: Oid,
  constraint: Constraint,
  deferral: Deferral,
): Promise<void> {
  const { writer } = ddl;
  const relation = ddl.current(relationOid);
  const methodName = constraint.access_method ?? 'btree';
  const accessMethod = accessMethodOid(ddl, methodName);
  if (accessMethod === null)
    throw new DbError('undefined_object', `access method "${methodName}" does not exist`);
  if (methodName === 'gin' || methodName === 'brin')
    throw new DbError(
      'feature_not_supported',
      `access method "${methodName}" does not support exclusion constraints`,
    );
  const taken = new Set<string>();
  const keys: IndexKeySpec[] = [];
  const operators: Oid[] = [];
  for (const node of constraint.exclusions ?? []) {
    const [element, operator] = (node as { List: { items: Node[] } }).List.items;
    const key = analyseIndexKey(
      ddl,
      relation,
      (element as { IndexElem: IndexElem }).IndexElem,
      accessMethod,
      taken,
    );
    keys.push(key);
    const parts = (operator as { List?: { items: Node[] } }).List?.items;
    operators.push(exclusionOperator(ddl, key, stringsOf(parts)));
  }
  const predicate =
    constraint.where_clause === undefined
      ? null
      : ddl.context.sql.expression(constraint.where_clause, { kind: 'index predicate', relation });
  if (predicate !== null) requireImmutable(ddl, predicate, 'index predicate');
  const included = stringsOf(constraint.including).map((name) => {
    const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined)
      throw new DbError('undefined_column', `column "${name}" named in key does not exist`);
    return column.number;
  });
  const name =
    constraint.conname ??
    chooseRelationName(ddl.reader, relation.name, joinColumnNames(keys.map((key) => key.name)), 'excl', {
      namespace: relation.namespaceOid,
      isConstraint: true,
    });
  await ddl.reserve(relation.namespaceOid, name);
  if (ddl.reader.relationOid(relation.namespaceOid, name) !== null) throw duplicateRelation(name);
  const indexOid = await makeIndex(ddl, {
    name,
    table: relation,
    accessMethod,
    keys,
    included,
    predicate,
    unique: false,
    primary: false,
    nullsNotDistinct: false,
    deferrable: deferral.deferrable,
    isConstraint: true,
  });
  writer.update('pg_index', indexOid, { [PG_INDEX.indisexclusion]: true });
  const oid = writer.allocateOid();
  const vector = (values: readonly Datum[], type: Oid): SqlArray => new SqlArray(type, values);
  writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      ...baseRow(relation, name, 'x'),
      oid,
      condeferrable: deferral.deferrable,
      condeferred: deferral.deferred,
      conindid: indexOid,
      connoinherit: true,
      conkey: vector(
        keys.map(({ attnum }) => attnum),
        21,
      ),
      conexclop: vector(operators, 26),
    }),
  );
  const self = address(CLASS_OID.constraint, oid);
  const exprs = keys.flatMap(({ expression }) => (expression === null ? [] : [expression]));
  for (const { attnum } of keys)
    if (attnum > 0) writer.dependOn(self, address(CLASS_OID.relation, relationOid, attnum), 'a');
  if (keys.every(({ attnum }) => attnum === 0))
    writer.dependOn(self, address(CLASS_OID.relation, relationOid), 'a');
  if (predicate !== null) exprs.push(predicate);
  recordExpression(writer, self, exprs, relationOid, 'n');
  writer.dependOn(address(CLASS_OID.relation, indexOid), self, 'i');
  await checkExclusion(
    ddl,
    relationOid,
    name,
    keys,
    operators,
    predicate === null ? null : serialiseExpr(predicate),
  );
}

function keyTexts(
  ddl: Ddl,
  relation: RelationDescriptor,
  keys: readonly IndexKeySpec[],
): { sql: string; shown: string }[] {
  return keys.map((key) => {
    if (key.attnum > 0) {
      const text = quoteIdentifier(relation.columns[key.attnum - 1]!.name);
      return { sql: text, shown: text };
    }
    const text = ddl.context.sql.deparseExpression(serialiseExpr(key.expression!), relation, ddl.reader);
    return { sql: `(${text})`, shown: key.expression!.kind === 'function' ? text : `(${text})` };
  });
}

/** 23P01 when two rows of the table exclude each other. */
async function checkExclusion(
  ddl: Ddl,
  relationOid: Oid,
  name: string,
  keys: readonly IndexKeySpec[],
  operators: readonly Oid[],
  predicate: string | null,
): Promise<void> {
  const relation = ddl.current(relationOid);
  if (relation.kind !== 'r') return;
  ddl.advance();
  const texts = keyTexts(ddl, relation, keys);
  const where =
    predicate === null ? '' : ` WHERE ${ddl.context.sql.deparseExpression(predicate, relation, ddl.reader)}`;
  const rows = `SELECT ${texts.map(({ sql }, index) => `${sql} AS k${index}`).join(', ')}, ctid AS c FROM ONLY ${quoteQualified(relation.namespaceName, relation.name)}${where}`;
  const conditions = operators.map((oid, index) => {
    const operator = ddl.reader.operator(oid)!;
    return `a.k${index} OPERATOR(${quoteIdentifier(ddl.reader.namespaceName(operator.namespaceOid)!)}.${operator.name}) b.k${index}`;
  });
  const shown = (side: string): string => texts.map((_, index) => `${side}.k${index}::text`).join(', ');
  const [conflict] = await ddl.context.queries.query(
    `SELECT ${shown('a')}, ${shown('b')} FROM (${rows}) a, (${rows}) b WHERE a.c > b.c AND ${conditions.join(' AND ')} ORDER BY a.c, b.c LIMIT 1`,
  );
  if (conflict === undefined) return;
  const label = texts.map((text) => text.shown).join(', ');
  const half = keys.length;
  throw new DbError('exclusion_violation', `could not create exclusion constraint "${name}"`, {
    detail: `Key (${label})=(${conflict.slice(0, half).join(', ')}) conflicts with key (${label})=(${conflict.slice(half).join(', ')}).`,
    schema: relation.namespaceName,
    table: relation.name,
    constraint: name,
  });
}

/** 23505 when rows of the table share a key that is only checked late: the build of its index did not look. */
export async function checkDuplicates(
  ddl: Ddl,
  relationOid: Oid,
  name: string,
  columns: readonly number[],
): Promise<void> {
  const relation = ddl.current(relationOid);
  if (relation.kind !== 'r') return;
  ddl.advance();
  const names = columns.map((attnum) => quoteIdentifier(relation.columns[attnum - 1]!.name));
  const [row] = await ddl.context.queries.query(
    `SELECT ${names.map((column) => `${column}::text`).join(', ')} FROM ONLY ${quoteQualified(relation.namespaceName, relation.name)} ` +
      `WHERE ${names.map((column) => `${column} IS NOT NULL`).join(' AND ')} GROUP BY ${names.join(', ')} HAVING count(*) > 1 LIMIT 1`,
  );
  if (row === undefined) return;
  throw new DbError('unique_violation', `could not create unique index "${name}"`, {
    detail: `Key (${names.join(', ')})=(${row.join(', ')}) is duplicated.`,
    schema: relation.namespaceName,
    table: relation.name,
    constraint: name,
  });
}
