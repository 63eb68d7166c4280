/** Conversions of values at assignment, where the type of the value is known only when it is there. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { CatalogReader, RelationDescriptor } from '../catalog/contract.ts';
import { ExpressionCompiler } from '../executor/row/expression/compile.ts';
import { coerceToTarget } from '../sql/analyse/coerce.ts';
import { assignCollations } from '../sql/analyse/collations.ts';
import { ParameterTypes } from '../sql/analyse/parameters.ts';
import { Scope } from '../sql/analyse/scope.ts';
import type { Expr } from '../sql/tree.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { RoutineSession } from './contract.ts';

const UNKNOWN = 705;
const TEXT = 25;
export const RECORD = 2249;

export type Cast = (value: Datum) => Datum;

const identity: Cast = (value) => value;

/** Wraps `expr` so that it gives a value of the type, as PL/pgSQL assigns: by an assignment cast, else through text. */
export function coerceForAssignment(scope: Scope, expr: Expr, typeOid: Oid, typmod: number): Expr {
  if (expr.typeOid === typeOid && (typmod < 0 || typmod === expr.typmod)) return expr;
  const source: Expr = expr.typeOid === UNKNOWN ? { ...expr, typeOid: TEXT } : expr;
  const coerced = coerceToTarget(
    scope,
    source,
    source.typeOid,
    typeOid,
    typmod,
    'assignment',
    'implicitCast',
  );
  if (coerced !== null) return coerced;
  const io: Expr = { kind: 'ioCast', arg: source, form: 'explicitCast', typeOid, typmod, collation: 0 };
  const type = scope.catalog.type(typeOid);
  if (type?.kind !== 'd') return io;
  const base: Expr = { ...io, typeOid: type.baseTypeOid, typmod: type.typmod };
  return { kind: 'domainCast', arg: base, form: 'implicitCast', typeOid, typmod: -1, collation: 0 };
}

/** The fields of a composite type in the order of its columns, dropped ones included. */
export interface RowFields {
  readonly typeOid: Oid;
  readonly types: readonly Oid[];
  readonly typmods: readonly number[];
  readonly names: readonly string[];
  readonly dropped: readonly boolean[];
}

/** Columns of a composite type (domains over it too); null for other types. */
export function rowFieldsOf(catalog: CatalogReader, typeOid: Oid): RowFields | null {
  let type = catalog.type(typeOid);
  while (type !== null && type.kind === 'd') type = catalog.type(type.baseTypeOid);
  if (type === null || type.relationOid === 0 || type.kind !== 'c') return null;
  const relation = catalog.relation(type.relationOid);
  if (relation === null) return null;
  let fields = fieldsByRelation.get(relation);
  if (fields === undefined) {
    fields = fieldsOf(type.oid, relation);
    fieldsByRelation.set(relation, fields);
  }
  return fields;
}

/** Descriptors are immutable: a changed type has a new one. */
const fieldsByRelation = new WeakMap<RelationDescriptor, RowFields>();

function fieldsOf(typeOid: Oid, relation: RelationDescriptor): RowFields {
  return {
    typeOid,
    types: relation.columns.map((column) => column.typeOid),
    typmods: relation.columns.map((column) => column.typmod),
    names: relation.columns.map((column) => column.name),
    dropped: relation.columns.map((column) => column.dropped),
  };
}

/** Casts of one session, remembered by types while the catalog stays. */
export class CastLibrary {
  private readonly session: RoutineSession;
  private readonly casts = new Map<string, Cast>();
  private version = -1;

  constructor(session: RoutineSession) {
    this.session = session;
  }

  get(source: Oid, target: Oid, typmod: number): Cast {
    if (source === target && typmod < 0) return identity;
    const catalog = this.session.catalog();
    if (catalog.version !== this.version) {
      this.casts.clear();
      this.version = catalog.version;
    }
    const key = `${source},${target},${typmod}`;
    let cast = this.casts.get(key);
    if (cast === undefined) {
      cast = this.make(source, target, typmod);
      this.casts.set(key, cast);
    }
    return cast;
  }

  private make(source: Oid, target: Oid, typmod: number): Cast {
    const analysis = this.session.analysis();
    const scope = new Scope({ ...analysis, parameters: new ParameterTypes([], false) }, null);
    const { catalog } = analysis;
    const targetFields = rowFieldsOf(catalog, target);
    const isRow = source === RECORD || rowFieldsOf(catalog, source) !== null;
    if (targetFields !== null && isRow) {
      const toRow: Cast = (value) => (value === null ? null : this.toRow(value as SqlRecord, targetFields));
      if (catalog.type(target)?.kind !== 'd') return toRow;
      const check = this.compile(
        {
          kind: 'domainCast',
          arg: param(targetFields.typeOid),
          form: 'implicitCast',
          typeOid: target,
          typmod: -1,
          collation: 0,
        },
        scope,
      );
      return (value) => check(toRow(value));
    }
    return this.compile(coerceForAssignment(scope, param(source), target, typmod), scope);
  }

  private compile(expr: Expr, scope: Scope): Cast {
    assignCollations(scope, expr);
    const compiler = new ExpressionCompiler(null, this.session.resolver, {
      parameter: () => (frame) => frame[0],
      variable: () => () => null,
    });
    const run = compiler.compile(expr);
    return (value) => run([value]);
  }

  /** A row of other columns as a row of this type: by position, missing ones NULL, each cast. */
  toRow(value: SqlRecord, fields: RowFields): SqlRecord {
    if (value.typeOid === fields.typeOid && value.fields.length === fields.types.length) return value;
    const catalog = this.session.catalog();
    const source = rowFieldsOf(catalog, value.typeOid);
    const values: Datum[] = [];
    const types: Oid[] = [];
    value.fields.forEach((field, index) => {
      if (source?.dropped[index] === true) return;
      values.push(field);
      types.push(source?.types[index] ?? value.fieldTypes[index]);
    });
    return this.rowOf(values, types, fields);
  }

  /** Values by position as a row of this type. */
  rowOf(values: readonly Datum[], types: readonly Oid[], fields: RowFields): SqlRecord {
    let next = 0;
    const result = fields.types.map((typeOid, index) => {
      if (fields.dropped[index]) return null;
      const at = next++;
      if (at >= values.length) return null;
      return this.get(types[at], typeOid, fields.typmods[index])(values[at]);
    });
    return new SqlRecord(fields.typeOid, result, fields.types, fields.names);
  }
}

function param(typeOid: Oid): Expr {
  return { kind: 'param', number: 1, typeOid, typmod: -1, collation: 0 };
}

/** 42804 when a row does not have the columns a function promised. */
export function checkRowShape(
  catalog: CatalogReader,
  types: readonly Oid[],
  expected: readonly Oid[],
  message: string,
  nameOf: (oid: Oid) => string,
): void {
  if (types.length !== expected.length)
    throw new DbError('datatype_mismatch', message, {
      detail: `Number of returned columns (${types.length}) does not match expected column count (${expected.length}).`,
    });
  types.forEach((type, index) => {
    if (type === expected[index] || baseOf(catalog, type) === baseOf(catalog, expected[index])) return;
    throw new DbError('datatype_mismatch', message, {
      detail: `Returned type ${nameOf(type)} does not match expected type ${nameOf(expected[index])} in column ${index + 1}.`,
    });
  });
}

function baseOf(catalog: CatalogReader, oid: Oid): Oid {
  let type = catalog.type(oid);
  while (type !== null && type.kind === 'd') type = catalog.type(type.baseTypeOid);
  return type?.oid ?? oid;
}
