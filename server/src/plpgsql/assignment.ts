/** Storing values in variables: casts, NOT NULL, records and their fields. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { RECORD, rowFieldsOf } from './casts.ts';
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
  const { frame, manager } = activation;
  if (!variable.isRecord)
    throw new DbError('datatype_mismatch', `variable "${variable.name}" is not a record`);
  const catalog = manager.session.catalog();
  const record = frame[variable.slot] as SqlRecord | null;
  const declared = variable.typeOid === RECORD ? null : rowFieldsOf(catalog, variable.typeOid);
  if (declared === null) {
    if (record === null) throw notAssigned(variable.name);
    const index = record.fieldNames.indexOf(field);
    if (index < 0) throw new DbError('undefined_column', `record "${variable.name}" has no field "${field}"`);
    const actual = rowFieldsOf(catalog, record.typeOid);
    const stored = manager.casts.get(typeOid, record.fieldTypes[index], actual?.typmods[index] ?? -1)(value);
    const values = [...record.fields];
    values[index] = stored;
    frame[variable.slot] = new SqlRecord(record.typeOid, values, record.fieldTypes, record.fieldNames);
    return;
  }
  const index = declared.names.findIndex((name, at) => name === field && !declared.dropped[at]);
  if (index < 0) throw new DbError('undefined_column', `record "${variable.name}" has no field "${field}"`);
  const stored = manager.casts.get(typeOid, declared.types[index], declared.typmods[index])(value);
  const values = record === null ? declared.types.map(() => null as Datum) : [...record.fields];
  values[index] = stored;
  const changed = new SqlRecord(declared.typeOid, values, declared.types, declared.names);
  frame[variable.slot] = variable.isDomain
    ? manager.casts.get(declared.typeOid, variable.typeOid, -1)(changed)
    : changed;
}
