/** TypeSupport of arrays, vectors, records and of user-defined enums, composites and domains. */
import { DbError, internalError } from '../base/error.ts';
import { concatBytes, int32Bytes, WireReader } from './binary.ts';
import {
  arrayFromParts,
  formatArrayText,
  formatRecordText,
  splitArrayText,
  splitRecordText,
} from './container-text.ts';
import type { FormatContext, SortKeyWriter, TypeSupport } from './contract.ts';
import { type Datum, SqlArray, SqlRecord } from './datum.ts';
import { OID } from './oid.ts';
import { invalidSyntax, parseInt2, parseOid } from './scalars.ts';
import { pseudoType } from './support-basic.ts';
import { decodeValue, encodeValue } from './value-bytes.ts';

/** Looks up a type's support by oid; throws when unknown. */
export type SupportResolver = (oid: number) => TypeSupport;

function compareElements(element: TypeSupport, left: Datum, right: Datum): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  if (element.compare === undefined) {
    throw new DbError(
      'undefined_function',
      `could not identify a comparison function for type ${element.name}`,
    );
  }
  return element.compare(left, right);
}

/** Order of arrays: elements, then count, then dimensions and bounds. */
export function compareArrays(element: TypeSupport, left: SqlArray, right: SqlArray): number {
  const count = Math.min(left.elements.length, right.elements.length);
  for (let index = 0; index < count; index++) {
    const order = compareElements(element, left.elements[index]!, right.elements[index]!);
    if (order !== 0) return order;
  }
  if (left.elements.length !== right.elements.length) return left.elements.length - right.elements.length;
  if (left.dimensions.length !== right.dimensions.length)
    return left.dimensions.length - right.dimensions.length;
  for (let index = 0; index < left.dimensions.length; index++) {
    if (left.dimensions[index] !== right.dimensions[index])
      return left.dimensions[index]! - right.dimensions[index]!;
  }
  for (let index = 0; index < left.lowerBounds.length; index++) {
    if (left.lowerBounds[index] !== right.lowerBounds[index])
      return left.lowerBounds[index]! - right.lowerBounds[index]!;
  }
  return 0;
}

function keyOf(support: TypeSupport, value: Datum): string {
  if (value === null) return 'N';
  const key = String(support.hashKey(value));
  return `${key.length}:${key}`;
}

/**
 * Storage: u8 dimensions, then (i32 length, i32 lower bound) each, u8 has-null flag; then the elements: u32 length + 1 (0 =
 * NULL) and bytes. Little-endian.
 */
function encodeArray(element: TypeSupport, value: SqlArray): Uint8Array {
  const { dimensions, lowerBounds, elements } = value;
  const encoded = elements.map((item) => (item === null ? null : encodeValue(element, item)));
  let size = 1 + dimensions.length * 8;
  for (const bytes of encoded) size += 4 + (bytes?.length ?? 0);
  const result = new Uint8Array(size);
  const data = new DataView(result.buffer);
  result[0] = dimensions.length;
  let at = 1;
  for (let index = 0; index < dimensions.length; index++) {
    data.setInt32(at, dimensions[index]!, true);
    data.setInt32(at + 4, lowerBounds[index]!, true);
    at += 8;
  }
  for (const bytes of encoded) {
    data.setUint32(at, bytes === null ? 0 : bytes.length + 1, true);
    at += 4;
    if (bytes !== null) {
      result.set(bytes, at);
      at += bytes.length;
    }
  }
  return result;
}

function decodeArray(element: TypeSupport, bytes: Uint8Array): SqlArray {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes[0]!;
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  let at = 1;
  let total = count === 0 ? 0 : 1;
  for (let index = 0; index < count; index++) {
    dimensions.push(data.getInt32(at, true));
    lowerBounds.push(data.getInt32(at + 4, true));
    total *= dimensions[index]!;
    at += 8;
  }
  const elements: Datum[] = [];
  for (let index = 0; index < total; index++) {
    const size = data.getUint32(at, true);
    at += 4;
    if (size === 0) elements.push(null);
    else {
      elements.push(decodeValue(element, bytes.subarray(at, at + size - 1)));
      at += size - 1;
    }
  }
  return new SqlArray(element.oid, elements, dimensions, lowerBounds);
}

function sendArray(element: TypeSupport, value: SqlArray, context: FormatContext): Uint8Array {
  const parts: Uint8Array[] = [
    int32Bytes(value.dimensions.length),
    int32Bytes(value.elements.includes(null) ? 1 : 0),
    int32Bytes(element.oid),
  ];
  value.dimensions.forEach((length, index) => {
    parts.push(int32Bytes(length), int32Bytes(value.lowerBounds[index]!));
  });
  for (const item of value.elements) {
    if (item === null) parts.push(int32Bytes(-1));
    else {
      const bytes = element.send(item, context);
      parts.push(int32Bytes(bytes.length), bytes);
    }
  }
  return concatBytes(parts);
}

function receiveArray(
  element: TypeSupport,
  bytes: Uint8Array,
  typmod: number,
  context: FormatContext,
): SqlArray {
  const reader = new WireReader(bytes);
  const count = reader.int32();
  if (count < 0) throw new DbError('invalid_binary_representation', `invalid number of dimensions: ${count}`);
  if (count > 6) {
    throw new DbError(
      'program_limit_exceeded',
      `number of array dimensions (${count}) exceeds the maximum allowed (6)`,
    );
  }
  const flags = reader.int32();
  if (flags !== 0 && flags !== 1) throw new DbError('invalid_binary_representation', 'invalid array flags');
  const elementType = reader.uint32();
  if (elementType !== element.oid) {
    throw new DbError(
      'datatype_mismatch',
      `binary data has array element type ${elementType} instead of expected ${element.oid}`,
    );
  }
  const dimensions: number[] = [];
  const lowerBounds: number[] = [];
  let total = count === 0 ? 0 : 1;
  for (let index = 0; index < count; index++) {
    dimensions.push(reader.int32());
    lowerBounds.push(reader.int32());
    total *= dimensions[index]!;
  }
  if (total > reader.left / 4 || total < 0)
    throw new DbError('protocol_violation', 'insufficient data left in message');
  if (total === 0) return new SqlArray(element.oid, []);
  const elements: Datum[] = [];
  for (let index = 0; index < total; index++) {
    const size = reader.int32();
    elements.push(size < 0 ? null : element.receive(reader.take(size), typmod, context));
  }
  return new SqlArray(element.oid, elements, dimensions, lowerBounds);
}

/** Support of the array type `oid` over `element`. */
export function arraySupport(oid: number, element: TypeSupport, delimiter = ','): TypeSupport {
  return {
    oid,
    name: `_${element.name}`,
    length: -1,
    elementType: element.oid,
    input: (text, typmod, context) => {
      const parts = splitArrayText(text, delimiter);
      return arrayFromParts(
        element.oid,
        parts,
        parts.elements.map((item) => (item === null ? null : element.input(item, typmod, context))),
      );
    },
    output: (value, context) =>
      formatArrayText(value as SqlArray, delimiter, (item) => element.output(item, context)),
    receive: (bytes, typmod, context) => receiveArray(element, bytes, typmod, context),
    send: (value, context) => sendArray(element, value as SqlArray, context),
    compare: (left, right) => compareArrays(element, left as SqlArray, right as SqlArray),
    hashKey: (value) => {
      const { elements, dimensions, lowerBounds } = value as SqlArray;
      const shape =
        dimensions.length === 1 && lowerBounds[0] === 1 ? '' : `${dimensions.join()};${lowerBounds.join()}`;
      return `${shape}|${elements.map((item) => keyOf(element, item)).join()}`;
    },
    physical: () => 'varlen',
    encode: (value) => encodeArray(element, value as SqlArray),
    decode: (bytes) => decodeArray(element, bytes),
  };
}

/** anyarray: nothing can be read as one, but an array knows what it holds (pg_statistic shows such). */
export function anyArraySupport(resolve: (oid: number) => TypeSupport): TypeSupport {
  const elementOf = (value: Datum): TypeSupport => resolve((value as SqlArray).elementType);
  return {
    ...pseudoType(OID.ANYARRAY, 'anyarray', -1),
    output: (value, context) =>
      formatArrayText(value as SqlArray, elementOf(value).oid === OID.BOX ? ';' : ',', (item) =>
        elementOf(value).output(item, context),
      ),
    send: (value, context) => sendArray(elementOf(value), value as SqlArray, context),
  };
}

/** int2vector and oidvector: zero-based, printed with spaces. */
function vectorSupport(
  oid: number,
  name: string,
  element: TypeSupport,
  parse: (text: string) => number,
): TypeSupport {
  const array = arraySupport(oid, element);
  const make = (values: number[]): SqlArray => new SqlArray(element.oid, values, [values.length], [0]);
  return {
    ...array,
    name,
    input: (text) => {
      const words = text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
      return make(
        words.map((word) => {
          if (!/^[+-]?\d+$/.test(word))
            throw invalidSyntax(element.name === 'oid' ? 'oid' : 'smallint', text);
          return parse(word);
        }),
      );
    },
    output: (value) => (value as SqlArray).elements.join(' '),
    receive: (bytes, typmod, context) => {
      const received = receiveArray(element, bytes, typmod, context);
      if (received.dimensions.length > 1)
        throw new DbError('invalid_binary_representation', `invalid ${name} data`);
      return new SqlArray(element.oid, received.elements, [received.elements.length], [0]);
    },
    hashKey: (value) => (value as SqlArray).elements.join(' '),
  };
}

export function vectorSupports(int2: TypeSupport, oidType: TypeSupport): TypeSupport[] {
  return [
    vectorSupport(OID.INT2VECTOR, 'int2vector', int2, parseInt2),
    vectorSupport(OID.OIDVECTOR, 'oidvector', oidType, (text) => parseOid(text)),
  ];
}

/** Order of rows: field by field; NULL is greater than any value. */
export function compareRecords(left: SqlRecord, right: SqlRecord, resolve: SupportResolver): number {
  const count = Math.min(left.fields.length, right.fields.length);
  for (let index = 0; index < count; index++) {
    if (left.fieldTypes[index] !== right.fieldTypes[index]) {
      throw new DbError(
        'datatype_mismatch',
        `cannot compare dissimilar column types ${resolve(left.fieldTypes[index]!).name} and ${resolve(right.fieldTypes[index]!).name} at record column ${index + 1}`,
      );
    }
    const order = compareElements(
      resolve(left.fieldTypes[index]!),
      left.fields[index]!,
      right.fields[index]!,
    );
    if (order !== 0) return order;
  }
  if (left.fields.length !== right.fields.length) {
    throw new DbError('datatype_mismatch', 'cannot compare record types with different numbers of columns');
  }
  return 0;
}

function sendRecord(value: SqlRecord, context: FormatContext, resolve: SupportResolver): Uint8Array {
  const parts: Uint8Array[] = [int32Bytes(value.fields.length)];
  value.fields.forEach((field, index) => {
    const type = value.fieldTypes[index]!;
    parts.push(int32Bytes(type));
    if (field === null) parts.push(int32Bytes(-1));
    else {
      const bytes = resolve(type).send(field, context);
      parts.push(int32Bytes(bytes.length), bytes);
    }
  });
  return concatBytes(parts);
}

/** Storage: u32 field count, then per field u32 type, u32 length + 1 (0 = NULL), bytes. Little-endian. */
function encodeRecord(value: SqlRecord, resolve: SupportResolver): Uint8Array {
  const encoded = value.fields.map((field, index) =>
    field === null ? null : encodeValue(resolve(value.fieldTypes[index]!), field),
  );
  let size = 4;
  for (const bytes of encoded) size += 8 + (bytes?.length ?? 0);
  const result = new Uint8Array(size);
  const data = new DataView(result.buffer);
  data.setUint32(0, encoded.length, true);
  let at = 4;
  encoded.forEach((bytes, index) => {
    data.setUint32(at, value.fieldTypes[index]!, true);
    data.setUint32(at + 4, bytes === null ? 0 : bytes.length + 1, true);
    at += 8;
    if (bytes !== null) {
      result.set(bytes, at);
      at += bytes.length;
    }
  });
  return result;
}

function decodeRecord(
  typeOid: number,
  names: readonly string[] | null,
  bytes: Uint8Array,
  resolve: SupportResolver,
): SqlRecord {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = data.getUint32(0, true);
  const fields: Datum[] = [];
  const types: number[] = [];
  let at = 4;
  for (let index = 0; index < count; index++) {
    const type = data.getUint32(at, true);
    const size = data.getUint32(at + 4, true);
    at += 8;
    types.push(type);
    fields.push(size === 0 ? null : decodeValue(resolve(type), bytes.subarray(at, at + size - 1)));
    at += Math.max(0, size - 1);
  }
  return new SqlRecord(typeOid, fields, types, names ?? fields.map((_, index) => `f${index + 1}`));
}

function recordBase(
  oid: number,
  name: string,
  resolve: SupportResolver,
): Omit<TypeSupport, 'input' | 'receive' | 'decode'> {
  return {
    oid,
    name,
    length: -1,
    output: (value, context) => {
      const record = value as SqlRecord;
      return formatRecordText(
        record.fields.map((field, index) =>
          field === null ? null : resolve(record.fieldTypes[index]!).output(field, context),
        ),
      );
    },
    send: (value, context) => sendRecord(value as SqlRecord, context, resolve),
    compare: (left, right) => compareRecords(left as SqlRecord, right as SqlRecord, resolve),
    hashKey: (value) => {
      const record = value as SqlRecord;
      return record.fields.map((field, index) => keyOf(resolve(record.fieldTypes[index]!), field)).join();
    },
    physical: () => 'varlen',
    encode: (value) => encodeRecord(value as SqlRecord, resolve),
    sortKey: (value, writer) => {
      const record = value as SqlRecord;
      record.fields.forEach((field, index) => {
        writer.byte(field === null ? 2 : 1);
        if (field !== null) writer.value(resolve(record.fieldTypes[index]!), field);
      });
    },
  };
}

/** The anonymous row type. */
export function recordSupport(resolve: SupportResolver): TypeSupport {
  return {
    ...recordBase(OID.RECORD, 'record', resolve),
    input: () => {
      throw new DbError('feature_not_supported', 'input of anonymous composite types is not implemented');
    },
    receive: () => {
      throw new DbError('feature_not_supported', 'input of anonymous composite types is not implemented');
    },
    decode: (bytes) => decodeRecord(OID.RECORD, null, bytes, resolve),
  };
}

export interface CompositeField {
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
}

/** Support of a composite type (or a table's row type). */
export function compositeSupport(
  oid: number,
  name: string,
  fields: readonly CompositeField[],
  resolve: SupportResolver,
): TypeSupport {
  const types = fields.map((field) => field.type);
  const names = fields.map((field) => field.name);
  return {
    ...recordBase(oid, name, resolve),
    compositeFields: fields,
    input: (text, _typmod, context) => {
      const parts = splitRecordText(text, fields.length);
      return new SqlRecord(
        oid,
        parts.map((part, index) =>
          part === null ? null : resolve(types[index]!).input(part, fields[index]!.typmod, context),
        ),
        types,
        names,
      );
    },
    receive: (bytes, _typmod, context) => {
      const reader = new WireReader(bytes);
      const count = reader.int32();
      if (count !== fields.length) {
        throw new DbError(
          'datatype_mismatch',
          `wrong number of columns: ${count}, expected ${fields.length}`,
        );
      }
      const values: Datum[] = [];
      for (let index = 0; index < count; index++) {
        const type = reader.uint32();
        if (type !== types[index]) {
          throw new DbError(
            'datatype_mismatch',
            `binary data has type ${type} instead of expected ${types[index]} in record column ${index + 1}`,
          );
        }
        const size = reader.int32();
        values.push(
          size < 0 ? null : resolve(type).receive(reader.take(size), fields[index]!.typmod, context),
        );
      }
      return new SqlRecord(oid, values, types, names);
    },
    decode: (bytes) => decodeRecord(oid, names, bytes, resolve),
  };
}

/**
 * Support of an enum: values are label strings, ordered by `labels`. `sortOrder` gives each label a number that later labels
 * do not change (pg_enum.enumsortorder); without it values cannot be index keys.
 */
export function enumSupport(
  oid: number,
  name: string,
  labels: () => readonly string[],
  sortOrder?: (label: string) => number,
): TypeSupport {
  let known: readonly string[] | null = null;
  let ranks = new Map<string, number>();
  const rank = (label: string): number => {
    const current = labels();
    if (current !== known) {
      known = current;
      ranks = new Map(current.map((text, index) => [text, index]));
    }
    const found = ranks.get(label);
    if (found === undefined) throw internalError(`"${label}" is not a label of enum ${name}`);
    return found;
  };
  const input = (text: string): string => {
    if (!labels().includes(text)) {
      throw new DbError('invalid_text_representation', `invalid input value for enum ${name}: "${text}"`);
    }
    return text;
  };
  return {
    oid,
    name,
    length: 4,
    input,
    output: (value) => value as string,
    receive: (bytes) => input(Buffer.from(bytes).toString()),
    send: (value) => Buffer.from(value as string),
    compare: (left, right) => rank(left as string) - rank(right as string),
    hashKey: (value) => value as string,
    enumLabels: labels,
    ...(sortOrder === undefined
      ? {}
      : { sortKey: (value: Datum, writer: SortKeyWriter) => writer.float64(sortOrder(value as string)) }),
    physical: () => 'varlen',
    encode: (value) => Buffer.from(value as string),
    decode: (bytes) => Buffer.from(bytes).toString(),
  };
}

/**
 * Support of a domain over `base`: same values, the base's typmod applied on input. Its constraints are checked by the
 * coercion node, `check` is called with every value read.
 */
export function domainSupport(
  oid: number,
  name: string,
  base: TypeSupport,
  baseTypmod: number,
  check: (value: Datum) => void = () => {},
): TypeSupport {
  return {
    ...base,
    oid,
    name,
    input: (text, _typmod, context) => {
      const value = base.input(text, baseTypmod, context);
      check(value);
      return value;
    },
    receive: (bytes, _typmod, context) => {
      const value = base.receive(bytes, baseTypmod, context);
      check(value);
      return value;
    },
    physical: () => base.physical(baseTypmod),
  };
}
