/** Storing values in variables: casts, NOT NULL, records and their fields. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { type Cast, RECORD, type RowFields, rowFieldsOf } from './casts.ts';
import type { Variable } from './code.ts';
import { notAssigned, type RowShape } from './sql-text.ts';

function nullAssigned(name: string): DbError {
  return new DbError(
    'null_value_not_allowed',
    `null value cannot be assigned to variable "${name}" declared NOT NULL`,
  );
}

/** A row of a query into a variable of row type; null = there was no row. */
export function storeRow(
  activation: Activation,
  variable: Variable,
  row: readonly Datum[] | null,
  shape: RowShape,
): void {
  const { frame } = activation;
  const values = row ?? shape.types.map(() => null);
  if (variable.typeOid === RECORD) {
    frame[variable.slot] = new SqlRecord(RECORD, values, shape.types, shape.names);
    return;
  }
  const { manager } = activation;
  const fields = rowFieldsOf(manager.session.catalog(), variable.typeOid)!;
  // A single column of the very type is the row itself.
  if (shape.types.length === 1 && row !== null && row[0] instanceof SqlRecord && fields.types.length !== 1) {
    storeValue(activation, variable, null, row[0], shape.types[0]);
    return;
  }
  if (row === null) {
    if (variable.notNull) throw nullAssigned(variable.name);
    frame[variable.slot] = variable.isDomain
      ? manager.casts.get(fields.typeOid, variable.typeOid, -1)(null)
      : null;
    return;
  }
  const record = manager.casts.rowOf(values, shape.types, fields);
  frame[variable.slot] = variable.isDomain
    ? manager.casts.get(fields.typeOid, variable.typeOid, -1)(record)
    : record;
}

/** One value of a known type into a variable or a field of it. */
export function storeValue(
  activation: Activation,
  variable: Variable,
  field: string | null,
  value: Datum,
  typeOid: Oid,
): void {
  const { frame, manager } = activation;
  const { slot } = variable;
  if (field !== null) {
    storeField(activation, variable, field, value, typeOid);
    return;
  }
  if (!variable.isRecord) {
    const stored =
      variable.typeOid === typeOid && variable.typmod < 0
        ? value
        : manager.casts.get(typeOid, variable.typeOid, variable.typmod)(value);
    if (stored === null && variable.notNull) throw nullAssigned(variable.name);
    frame[slot] = stored;
    return;
  }
  if (value === null) {
    if (variable.notNull) throw nullAssigned(variable.name);
    frame[slot] = variable.isDomain ? manager.casts.get(RECORD, variable.typeOid, -1)(null) : null;
    return;
  }
  if (!(value instanceof SqlRecord))
    throw new DbError('datatype_mismatch', 'cannot assign non-composite value to a record variable');
  if (variable.typeOid === RECORD) {
    if (value.fieldTypes.length === value.fields.length && value.fieldNames.length === value.fields.length)
      frame[slot] = value;
    else {
      const fields = rowFieldsOf(manager.session.catalog(), value.typeOid);
      frame[slot] =
        fields === null ? value : new SqlRecord(value.typeOid, value.fields, fields.types, fields.names);
    }
    return;
  }
  frame[slot] = manager.casts.get(value.typeOid === RECORD ? RECORD : typeOid, variable.typeOid, -1)(value);
}

function storeField(
  activation: Activation,
  variable: Variable,
  field: string,
  value: Datum,
  typeOid: Oid,
): void {
  new FieldStore(variable, field).store(activation, value, typeOid);
}

/** A row with another value in one field. */
function withField(record: SqlRecord, index: number, value: Datum): SqlRecord {
  const fields = record.fields.slice();
  fields[index] = value;
  return new SqlRecord(record.typeOid, fields, record.fieldTypes, record.fieldNames);
}

/** Assignment to one field of a variable: what it found out the last time holds while the shape of the row stays. */
export class FieldStore {
  private readonly variable: Variable;
  private readonly field: string;
  private generation = -1;
  /** Type of the value, and the names of the row's columns, that `index` and `cast` hold for. */
  private typeOid: Oid = 0;
  private names: readonly string[] | null = null;
  private index = 0;
  private cast: Cast = (value) => value;
  private declared: RowFields | null = null;

  constructor(variable: Variable, field: string) {
    this.variable = variable;
    this.field = field;
  }

  store(activation: Activation, value: Datum, typeOid: Oid): void {
    const { frame, code } = activation;
    const { variable } = this;
    const record = frame[variable.slot] as SqlRecord | null;
    if (
      this.generation !== code.generation ||
      this.typeOid !== typeOid ||
      (this.declared === null && record?.fieldNames !== this.names)
    )
      this.prepare(activation, record, typeOid);
    const { declared, index, cast } = this;
    const stored = cast(value);
    if (declared === null) {
      frame[variable.slot] = withField(record!, index, stored);
      return;
    }
    let fields: Datum[];
    if (record === null) fields = new Array<Datum>(declared.types.length).fill(null);
    else fields = record.fields.slice();
    fields[index] = stored;
    const changed = new SqlRecord(declared.typeOid, fields, declared.types, declared.names);
    frame[variable.slot] = variable.isDomain
      ? activation.manager.casts.get(declared.typeOid, variable.typeOid, -1)(changed)
      : changed;
  }

  private prepare(activation: Activation, record: SqlRecord | null, typeOid: Oid): void {
    const { variable, field } = this;
    const { manager, code } = activation;
    const missing = (): DbError =>
      new DbError('undefined_column', `record "${variable.name}" has no field "${field}"`);
    if (!variable.isRecord)
      throw new DbError('datatype_mismatch', `variable "${variable.name}" is not a record`);
    this.generation = -1;
    const catalog = manager.session.catalog();
    const declared = variable.typeOid === RECORD ? null : rowFieldsOf(catalog, variable.typeOid);
    if (declared === null) {
      if (record === null) throw notAssigned(variable.name);
      this.index = record.fieldNames.indexOf(field);
      if (this.index < 0) throw missing();
      const actual = rowFieldsOf(catalog, record.typeOid);
      this.cast = manager.casts.get(
        typeOid,
        record.fieldTypes[this.index],
        actual?.typmods[this.index] ?? -1,
      );
      // Rows of one statement share their lists of names and types.
      this.names = record.fieldNames;
    } else {
      this.index = declared.names.findIndex((name, at) => name === field && !declared.dropped[at]);
      if (this.index < 0) throw missing();
      this.cast = manager.casts.get(typeOid, declared.types[this.index], declared.typmods[this.index]);
    }
    this.declared = declared;
    this.typeOid = typeOid;
    this.generation = code.generation;
  }
}
