/** SQL values as JSON: text for json, trees for jsonb. */
import { DbError } from '../../base/error.ts';
import { formatDate, formatTimestampJson } from '../../types/datetime-format.ts';
import { type Datum, SqlArray, SqlRecord } from '../../types/datum.ts';
import { DEFAULT_FORMAT } from '../../types/index.ts';
import { makeJsonObject, parseJson, quoteJson } from '../../types/json-text.ts';
import type { Jsonb, JsonValue } from '../../types/jsonb.ts';
import type { Numeric } from '../../types/numeric.ts';
import { numericFromInteger, parseNumeric } from '../../types/numeric-text.ts';
import { OID } from '../../types/oid.ts';
import type { FunctionContext } from './contract.ts';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Dates and times in ISO 8601, whatever the session prints; null for other types. */
function isoText(value: Datum, type: number, context: FunctionContext): string | null {
  switch (type) {
    case OID.DATE:
      return formatDate(value as number, DEFAULT_FORMAT);
    case OID.TIMESTAMP:
      return formatTimestampJson(value as bigint, null);
    case OID.TIMESTAMPTZ:
      return formatTimestampJson(value as bigint, context.format.timeZone);
    default:
      return null;
  }
}

/** JSON text of a value (PostgreSQL's to_json). `pretty` breaks lines between the outermost elements. */
export function toJsonText(value: Datum, type: number, context: FunctionContext, pretty = false): string {
  if (value === null) return 'null';
  switch (type) {
    case OID.BOOL:
      return value === true ? 'true' : 'false';
    case OID.INT2:
    case OID.INT4:
    case OID.INT8:
    case OID.FLOAT4:
    case OID.FLOAT8:
    case OID.NUMERIC: {
      const text = context.typeSupport(type).output(value, context.format);
      return JSON_NUMBER.test(text) ? text : quoteJson(text);
    }
    case OID.JSON:
      return value as string;
    case OID.JSONB:
      return context.typeSupport(type).output(value, context.format);
    case OID.UNKNOWN:
    case OID.TEXT:
      return quoteJson(value as string);
  }
  if (value instanceof SqlArray) return arrayText(value, context, pretty);
  if (value instanceof SqlRecord) return recordText(value, context, pretty);
  return quoteJson(isoText(value, type, context) ?? context.typeSupport(type).output(value, context.format));
}

export function arrayText(array: SqlArray, context: FunctionContext, pretty = false): string {
  let next = 0;
  const list = (depth: number): string => {
    const parts: string[] = [];
    for (let index = 0; index < array.dimensions[depth]!; index++) {
      if (depth + 1 < array.dimensions.length) parts.push(list(depth + 1));
      else parts.push(toJsonText(array.elements[next++]!, array.elementType, context));
    }
    return `[${parts.join(pretty && depth === 0 ? ',\n ' : ',')}]`;
  };
  return array.elements.length === 0 ? '[]' : list(0);
}

export function recordText(record: SqlRecord, context: FunctionContext, pretty = false): string {
  const parts = record.fields.map(
    (field, index) =>
      `${quoteJson(record.fieldNames[index]!)}:${toJsonText(field, record.fieldTypes[index]!, context)}`,
  );
  return `{${parts.join(pretty ? ',\n ' : ',')}}`;
}

/** jsonb tree of a value (PostgreSQL's to_jsonb). */
export function toJsonValue(value: Datum, type: number, context: FunctionContext): JsonValue {
  if (value === null) return null;
  switch (type) {
    case OID.BOOL:
      return value as boolean;
    case OID.INT2:
    case OID.INT4:
      return numericFromInteger(value as number);
    case OID.INT8:
      return numericFromInteger(value as bigint);
    case OID.NUMERIC:
      return (value as Numeric).kind === 'finite' ? (value as Numeric) : (value as Numeric).kind;
    case OID.FLOAT4:
    case OID.FLOAT8: {
      const text = context.typeSupport(type).output(value, context.format);
      return JSON_NUMBER.test(text) ? parseNumeric(text) : text;
    }
    case OID.JSON:
      return parseJson(value as string);
    case OID.JSONB:
      return (value as Jsonb).value;
    case OID.UNKNOWN:
    case OID.TEXT:
      return value as string;
  }
  if (value instanceof SqlArray) return arrayValue(value, context);
  if (value instanceof SqlRecord) {
    return makeJsonObject(
      value.fields.map(
        (field, index) =>
          [value.fieldNames[index]!, toJsonValue(field, value.fieldTypes[index]!, context)] as const,
      ),
    );
  }
  return isoText(value, type, context) ?? context.typeSupport(type).output(value, context.format);
}

function arrayValue(array: SqlArray, context: FunctionContext): JsonValue {
  let next = 0;
  const list = (depth: number): JsonValue => {
    const parts: JsonValue[] = [];
    for (let index = 0; index < array.dimensions[depth]!; index++) {
      if (depth + 1 < array.dimensions.length) parts.push(list(depth + 1));
      else parts.push(toJsonValue(array.elements[next++]!, array.elementType, context));
    }
    return parts;
  };
  return array.elements.length === 0 ? [] : list(0);
}

/** A value as an object key; NULL and non-scalars are refused. */
export function jsonKey(
  value: Datum,
  type: number,
  position: number | null,
  context: FunctionContext,
): string {
  if (value === null) {
    throw new DbError(
      position === null ? 'null_value_not_allowed' : 'invalid_parameter_value',
      position === null ? 'field name must not be null' : `argument ${position} cannot be null`,
      position === null ? {} : { hint: 'Object keys should be text.' },
    );
  }
  if (value instanceof SqlArray || value instanceof SqlRecord || type === OID.JSON || type === OID.JSONB) {
    throw new DbError('invalid_parameter_value', 'key value must be scalar, not array, composite, or json');
  }
  if (type === OID.BOOL) return value === true ? 'true' : 'false';
  return isoText(value, type, context) ?? context.typeSupport(type).output(value, context.format);
}
