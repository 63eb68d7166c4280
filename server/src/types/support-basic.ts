/** TypeSupport of bool, the integers, floats, numeric, texts, bytea, uuid, tid, pg_lsn, json and the pseudo types. */
import { DbError, notSupported } from '../base/error.ts';
import { float32Bytes, float64Bytes, int16Bytes, int32Bytes, int64Bytes, utf8Text, view } from './binary.ts';
import type { FormatContext, NameService, PhysicalType, TypeSupport } from './contract.ts';
import { type Datum, Tid } from './datum.ts';
import { decodeJson, encodeJson } from './json-codec.ts';
import { writeJsonKey } from './json-sort-key.ts';
import { compareJson, formatJson, jsonHashKey, parseJson, validateJson } from './json-text.ts';
import { Jsonb } from './jsonb.ts';
import type { Numeric } from './numeric.ts';
import { decodeNumeric, encodeNumeric, receiveNumeric, sendNumeric } from './numeric-codec.ts';
import { numericCompare, numericHashKey } from './numeric-core.ts';
import { applyNumericTypmod, formatNumeric, numericTypmod, parseNumeric } from './numeric-text.ts';
import { OID } from './oid.ts';
import {
  bytesToHex,
  byteToSingleChar,
  characterCount,
  coerceBpchar,
  coerceVarchar,
  compareBpchar,
  compareBytes,
  compareFloat,
  compareText,
  formatBytea,
  formatFloat4,
  formatFloat8,
  formatLsn,
  hexToUuid,
  lsnValue,
  parseBoolean,
  parseBytea,
  parseFloat4,
  parseFloat8,
  parseInt2,
  parseInt4,
  parseInt8,
  parseLsn,
  parseOid,
  parseSingleChar,
  parseTid,
  parseUnsignedLoose,
  parseUuid,
  singleCharToByte,
  trimTrailingSpaces,
  truncateName,
  uuidToBytes,
} from './scalars.ts';

const compareNumbers = (left: Datum, right: Datum): number => (left as number) - (right as number);
const compareBigints = (left: Datum, right: Datum): number =>
  (left as bigint) < (right as bigint) ? -1 : (left as bigint) > (right as bigint) ? 1 : 0;
const compareTexts = (left: Datum, right: Datum): number => compareText(left as string, right as string);
const identityKey = (value: Datum): string | number | bigint | boolean =>
  value as string | number | bigint | boolean;
/** int8 keys are numbers where safe: cheaper to hash than bigints. */
const bigintKey = (value: Datum): number | bigint => {
  const big = value as bigint;
  return big <= 9007199254740991n && big >= -9007199254740991n ? Number(big) : big;
};

export const encodeUtf8 = (value: Datum): Uint8Array => Buffer.from(value as string);
export const decodeUtf8 = (bytes: Uint8Array): Datum =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

const fixed = (physical: PhysicalType) => (): PhysicalType => physical;
const varlen = fixed('varlen');

const boolSupport: TypeSupport = {
  oid: OID.BOOL,
  name: 'bool',
  length: 1,
  input: parseBoolean,
  output: (value) => (value === true ? 't' : 'f'),
  receive: (bytes) => view(bytes, 1).getUint8(0) !== 0,
  send: (value) => Uint8Array.of(value === true ? 1 : 0),
  compare: (left, right) => Number(left) - Number(right),
  hashKey: identityKey,
  physical: fixed('bool'),
};

const int2Support: TypeSupport = {
  oid: OID.INT2,
  name: 'int2',
  length: 2,
  input: parseInt2,
  output: String,
  receive: (bytes) => view(bytes, 2).getInt16(0),
  send: (value) => int16Bytes(value as number),
  compare: compareNumbers,
  hashKey: identityKey,
  physical: fixed('int16'),
};

const int4Support: TypeSupport = {
  oid: OID.INT4,
  name: 'int4',
  length: 4,
  input: parseInt4,
  output: String,
  receive: (bytes) => view(bytes, 4).getInt32(0),
  send: (value) => int32Bytes(value as number),
  compare: compareNumbers,
  hashKey: identityKey,
  physical: fixed('int32'),
};

const int8Support: TypeSupport = {
  oid: OID.INT8,
  name: 'int8',
  length: 8,
  input: parseInt8,
  output: String,
  receive: (bytes) => view(bytes, 8).getBigInt64(0),
  send: (value) => int64Bytes(value as bigint),
  compare: compareBigints,
  hashKey: bigintKey,
  physical: fixed('int64'),
};

function unsigned32(
  oid: number,
  name: string,
  input: TypeSupport['input'],
  output?: TypeSupport['output'],
): TypeSupport {
  return {
    oid,
    name,
    length: 4,
    input,
    output: output ?? String,
    receive: (bytes) => view(bytes, 4).getUint32(0),
    send: (value) => int32Bytes(value as number),
    compare: compareNumbers,
    hashKey: identityKey,
    physical: fixed('int32'),
  };
}

const xid8Support: TypeSupport = {
  oid: OID.XID8,
  name: 'xid8',
  length: 8,
  input: (text) => parseUnsignedLoose(text, 64),
  output: String,
  receive: (bytes) => view(bytes, 8).getBigUint64(0),
  send: (value) => int64Bytes(value as bigint),
  compare: compareBigints,
  hashKey: bigintKey,
  physical: fixed('int64'),
};

const floatKey = (value: Datum): number | string => (Number.isNaN(value) ? 'NaN' : (value as number) + 0);

const float4Support: TypeSupport = {
  oid: OID.FLOAT4,
  name: 'float4',
  length: 4,
  input: parseFloat4,
  output: (value, context) => formatFloat4(value as number, context.extraFloatDigits),
  receive: (bytes) => view(bytes, 4).getFloat32(0),
  send: (value) => float32Bytes(value as number),
  compare: (left, right) => compareFloat(left as number, right as number),
  hashKey: floatKey,
  physical: fixed('float32'),
};

const float8Support: TypeSupport = {
  oid: OID.FLOAT8,
  name: 'float8',
  length: 8,
  input: parseFloat8,
  output: (value, context) => formatFloat8(value as number, context.extraFloatDigits),
  receive: (bytes) => view(bytes, 8).getFloat64(0),
  send: (value) => float64Bytes(value as number),
  compare: (left, right) => compareFloat(left as number, right as number),
  hashKey: floatKey,
  physical: fixed('float64'),
};

const numericSupport: TypeSupport = {
  oid: OID.NUMERIC,
  name: 'numeric',
  length: -1,
  input: (text, typmod) => applyNumericTypmod(parseNumeric(text), typmod),
  output: (value) => formatNumeric(value as Numeric),
  receive: (bytes, typmod) => applyNumericTypmod(receiveNumeric(bytes), typmod),
  send: (value) => sendNumeric(value as Numeric),
  compare: (left, right) => numericCompare(left as Numeric, right as Numeric),
  hashKey: (value) => numericHashKey(value as Numeric),
  physical: (typmod) => {
    const limits = numericTypmod(typmod);
    return limits !== null && limits.precision <= 18 && limits.scale >= 0 ? 'decimal64' : 'varlen';
  },
  encode: (value) => encodeNumeric(value as Numeric),
  decode: decodeNumeric,
};

/** Types held as strings with UTF-8 storage. */
export function textLike(oid: number, name: string, overrides: Partial<TypeSupport> = {}): TypeSupport {
  return {
    oid,
    name,
    length: -1,
    input: (text) => text,
    output: (value) => value as string,
    receive: (bytes) => utf8Text(bytes),
    send: (value) => Buffer.from(value as string),
    compare: compareTexts,
    hashKey: identityKey,
    physical: varlen,
    encode: encodeUtf8,
    decode: decodeUtf8,
    ...overrides,
  };
}

const varcharSupport = textLike(OID.VARCHAR, 'varchar', {
  input: (text, typmod) => coerceVarchar(text, typmod),
  receive: (bytes, typmod) => coerceVarchar(utf8Text(bytes), typmod),
});

const bpcharSupport = textLike(OID.BPCHAR, 'bpchar', {
  input: (text, typmod) => coerceBpchar(text, typmod),
  receive: (bytes, typmod) => coerceBpchar(utf8Text(bytes), typmod),
  compare: (left, right) => compareBpchar(left as string, right as string),
  hashKey: (value) => trimTrailingSpaces(value as string),
});

const nameSupport = textLike(OID.NAME, 'name', {
  length: 64,
  input: (text) => truncateName(text),
  receive: (bytes) => {
    if (bytes.length > 63) {
      throw new DbError('name_too_long', 'identifier too long', {
        detail: 'Identifier must be less than 64 characters.',
      });
    }
    return utf8Text(bytes);
  },
});

const charSupport = textLike(OID.QCHAR, 'char', {
  length: 1,
  input: (text) => parseSingleChar(text),
  receive: (bytes) => byteToSingleChar(view(bytes, 1).getUint8(0)),
  send: (value) => Uint8Array.of(singleCharToByte(value as string)),
  compare: (left, right) => singleCharToByte(left as string) - singleCharToByte(right as string),
});

const byteaSupport: TypeSupport = {
  oid: OID.BYTEA,
  name: 'bytea',
  length: -1,
  input: (text) => parseBytea(text),
  output: (value, context) => formatBytea(value as Uint8Array, context.byteaOutput),
  receive: (bytes) => bytes.slice(),
  send: (value) => value as Uint8Array,
  compare: (left, right) => compareBytes(left as Uint8Array, right as Uint8Array),
  hashKey: (value) => bytesToHex(value as Uint8Array),
  physical: varlen,
  encode: (value) => value as Uint8Array,
  decode: (bytes) => bytes.slice(),
};

const uuidSupport: TypeSupport = {
  oid: OID.UUID,
  name: 'uuid',
  length: 16,
  input: (text) => parseUuid(text),
  output: (value) => value as string,
  receive: (bytes) => hexToUuid(bytesToHex(bytes.subarray(0, view(bytes, 16).byteLength))),
  send: (value) => uuidToBytes(value as string),
  // Lower-case hexadecimal sorts as its bytes do.
  compare: (left, right) => ((left as string) < (right as string) ? -1 : left === right ? 0 : 1),
  hashKey: identityKey,
  physical: fixed('bytes16'),
};

const tidSupport: TypeSupport = {
  oid: OID.TID,
  name: 'tid',
  length: 6,
  input: (text) => parseTid(text),
  output: (value) => `(${(value as Tid).block},${(value as Tid).offset})`,
  receive: (bytes) => {
    const data = view(bytes, 6);
    return new Tid(data.getUint32(0), data.getUint16(4));
  },
  send: (value) => {
    const { block, offset } = value as Tid;
    return Uint8Array.of(...int32Bytes(block), ...int16Bytes(offset));
  },
  compare: (left, right) =>
    Math.sign((left as Tid).block - (right as Tid).block) ||
    Math.sign((left as Tid).offset - (right as Tid).offset),
  hashKey: (value) => `${(value as Tid).block},${(value as Tid).offset}`,
  sortKey: (value, writer) => {
    writer.raw(Uint8Array.of(...int32Bytes((value as Tid).block), ...int16Bytes((value as Tid).offset)));
  },
  physical: varlen,
  encode: (value) => Uint8Array.of(...int32Bytes((value as Tid).block), ...int16Bytes((value as Tid).offset)),
  decode: (bytes) => {
    const data = view(bytes, 6);
    return new Tid(data.getUint32(0), data.getUint16(4));
  },
};

const lsnSupport = textLike(OID.PG_LSN, 'pg_lsn', {
  length: 8,
  input: (text) => parseLsn(text),
  receive: (bytes) => formatLsn(view(bytes, 8).getBigUint64(0)),
  send: (value) => int64Bytes(lsnValue(value as string)),
  compare: (left, right) => compareBigints(lsnValue(left as string), lsnValue(right as string)),
});

const jsonSupport = textLike(OID.JSON, 'json', {
  input: (text) => {
    validateJson(text);
    return text;
  },
  receive: (bytes) => {
    const text = utf8Text(bytes);
    validateJson(text);
    return text;
  },
  compare: undefined,
});

/** Longer stored values are decoded when something looks inside. */
const LAZY_BYTES = 4096;

const jsonbSupport: TypeSupport = {
  oid: OID.JSONB,
  name: 'jsonb',
  length: -1,
  input: (text) => new Jsonb(parseJson(text)),
  output: (value) => (value as Jsonb).text ?? formatJson((value as Jsonb).value),
  receive: (bytes) => {
    if (bytes[0] !== 1)
      throw new DbError('internal_error', `unsupported jsonb version number ${bytes[0] ?? 0}`);
    return new Jsonb(parseJson(utf8Text(bytes.subarray(1))));
  },
  send: (value) =>
    Buffer.concat([
      Uint8Array.of(1),
      Buffer.from((value as Jsonb).text ?? formatJson((value as Jsonb).value)),
    ]),
  compare: (left, right) => compareJson((left as Jsonb).value, (right as Jsonb).value),
  hashKey: (value) => jsonHashKey((value as Jsonb).value),
  sortKey: (value, writer) => writeJsonKey((value as Jsonb).value, writer, numericSupport),
  physical: varlen,
  encode: (value) => (value as Jsonb).bytes ?? encodeJson((value as Jsonb).value),
  decode: (bytes) =>
    bytes.length > LAZY_BYTES
      ? new Jsonb(undefined, new Uint8Array(bytes), decodeJson)
      : new Jsonb(decodeJson(bytes)),
  decodeOwned: (bytes) => new Jsonb(undefined, bytes, decodeJson),
};

type RegKind = Parameters<NameService['resolve']>[0];

/** regclass, regtype …: numbers or names; printing and resolving names goes through the catalog. */
function regSupport(oid: number, name: string, kind: RegKind): TypeSupport {
  return unsigned32(
    oid,
    name,
    (text, _typmod, context) => {
      if (text === '-') return 0;
      if (/^\d+$/.test(text)) return parseOid(text);
      if (context.names === undefined)
        throw new DbError('undefined_object', `"${text}" cannot be looked up here`);
      return context.names.resolve(kind, text);
    },
    (value, context) => {
      if (value === 0) return '-';
      return context.names?.print(kind, value as number) ?? String(value);
    },
  );
}

export function pseudoType(oid: number, name: string, length: number): TypeSupport {
  const refuse = (verb: string): DbError =>
    new DbError('feature_not_supported', `cannot ${verb} a value of type ${name}`);
  return {
    oid,
    name,
    length,
    input: () => {
      throw refuse('accept');
    },
    output: () => {
      throw refuse('display');
    },
    receive: () => {
      throw refuse('accept');
    },
    send: () => {
      throw refuse('display');
    },
    hashKey: identityKey,
    physical: varlen,
  };
}

const voidSupport: TypeSupport = {
  ...pseudoType(OID.VOID, 'void', 4),
  input: () => '',
  output: () => '',
  receive: () => '',
  send: () => new Uint8Array(0),
  encode: () => new Uint8Array(0),
  decode: () => '',
};

/** aclitem: kept as its text, "grantee=privileges/grantor". */
const aclSupport = textLike(OID.ACLITEM, 'aclitem', { length: 12 });

/**
 * A builtin type without an implementation yet: values made by the server itself print, but none can be read, so nothing is ever
 * stored under wrong rules.
 */
export function unimplementedType(oid: number, name: string, length: number): TypeSupport {
  const refuse = (): never => {
    throw notSupported(`type ${name}`);
  };
  return textLike(oid, name, { length, input: refuse, receive: refuse, compare: undefined });
}

/** Length in characters of a value of a text type, for messages. */
export function textLength(value: Datum): number {
  return characterCount(value as string);
}

export function basicSupports(): TypeSupport[] {
  const pseudo: [number, string, number][] = [
    [OID.ANY, 'any', 4],
    [OID.TRIGGER, 'trigger', 4],
    [OID.EVENT_TRIGGER, 'event_trigger', 4],
    [OID.LANGUAGE_HANDLER, 'language_handler', 4],
    [OID.INTERNAL, 'internal', 8],
    [OID.ANYELEMENT, 'anyelement', 4],
    [OID.ANYNONARRAY, 'anynonarray', 4],
    [OID.FDW_HANDLER, 'fdw_handler', 4],
    [OID.INDEX_AM_HANDLER, 'index_am_handler', 4],
    [OID.TSM_HANDLER, 'tsm_handler', 4],
    [OID.TABLE_AM_HANDLER, 'table_am_handler', 4],
    [OID.ANYENUM, 'anyenum', 4],
    [OID.ANYRANGE, 'anyrange', -1],
    [OID.ANYMULTIRANGE, 'anymultirange', -1],
    [OID.ANYCOMPATIBLE, 'anycompatible', 4],
    [OID.ANYCOMPATIBLEARRAY, 'anycompatiblearray', -1],
    [OID.ANYCOMPATIBLENONARRAY, 'anycompatiblenonarray', 4],
    [OID.ANYCOMPATIBLERANGE, 'anycompatiblerange', -1],
    [OID.ANYCOMPATIBLEMULTIRANGE, 'anycompatiblemultirange', -1],
    [OID.PG_DDL_COMMAND, 'pg_ddl_command', 8],
  ];
  return [
    boolSupport,
    int2Support,
    int4Support,
    int8Support,
    unsigned32(OID.OID, 'oid', (text) => parseOid(text)),
    unsigned32(OID.XID, 'xid', (text) => Number(parseUnsignedLoose(text, 32))),
    unsigned32(OID.CID, 'cid', (text) => Number(parseUnsignedLoose(text, 32))),
    xid8Support,
    float4Support,
    float8Support,
    numericSupport,
    textLike(OID.TEXT, 'text'),
    varcharSupport,
    bpcharSupport,
    nameSupport,
    charSupport,
    textLike(OID.UNKNOWN, 'unknown', { length: -2 }),
    textLike(OID.CSTRING, 'cstring', { length: -2 }),
    textLike(OID.REFCURSOR, 'refcursor'),
    textLike(OID.PG_NODE_TREE, 'pg_node_tree'),
    textLike(OID.PG_NDISTINCT, 'pg_ndistinct'),
    textLike(OID.PG_DEPENDENCIES, 'pg_dependencies'),
    textLike(OID.PG_MCV_LIST, 'pg_mcv_list'),
    textLike(OID.XML, 'xml', { compare: undefined }),
    byteaSupport,
    uuidSupport,
    tidSupport,
    lsnSupport,
    jsonSupport,
    jsonbSupport,
    aclSupport,
    voidSupport,
    regSupport(OID.REGPROC, 'regproc', 'proc'),
    regSupport(OID.REGPROCEDURE, 'regprocedure', 'procedure'),
    regSupport(OID.REGOPER, 'regoper', 'oper'),
    regSupport(OID.REGOPERATOR, 'regoperator', 'operator'),
    regSupport(OID.REGCLASS, 'regclass', 'class'),
    regSupport(OID.REGTYPE, 'regtype', 'type'),
    regSupport(OID.REGCONFIG, 'regconfig', 'config'),
    regSupport(OID.REGDICTIONARY, 'regdictionary', 'dictionary'),
    regSupport(OID.REGNAMESPACE, 'regnamespace', 'namespace'),
    regSupport(OID.REGROLE, 'regrole', 'role'),
    regSupport(OID.REGCOLLATION, 'regcollation', 'collation'),
    ...pseudo.map(([oid, name, length]) => pseudoType(oid, name, length)),
  ];
}

export type { FormatContext };
