/**
 * Exact text form of typed trees, as the catalogs keep views, defaults, checks and index expressions.
 *
 * Format    JSON of the tree as it is. A constant's value is written by what it is, because JSON's numbers and strings
 *           cannot hold it exactly:
 *
 * | value                      | written as                                  |
 * | -------------------------- | ------------------------------------------- |
 * | null, boolean, string      | itself                                      |
 * | finite number but -0       | itself                                      |
 * | other number               | {"#":"f","v":"NaN" … "-0"}                  |
 * | int8 (bigint)              | {"#":"i","v":"123"}                         |
 * | numeric                    | {"#":"n","c":"digits","s":scale,"k":kind}   |
 * | interval                   | {"#":"iv","m":months,"d":days,"u":"µs"}     |
 * | timetz                     | {"#":"tz","u":µs,"z":seconds}               |
 * | bytea                      | {"#":"b","v":hex}                           |
 * | jsonb                      | {"#":"j","v":value} (numbers as numeric)    |
 * | array                      | {"#":"a","t":oid,"e":[…],"d":[…],"l":[…]}   |
 * | row                        | {"#":"r","t":oid,"e":[…],"ts":[…],"ns":[…]} |
 * | range                      | {"#":"rg","t":oid,"e":empty,"v":[lower,upper],"i":[inclusive,inclusive]} |
 * | multirange                 | {"#":"mr","t":oid,"v":[ranges]}             |
 * | ctid                       | {"#":"t","v":[block,offset]}                |
 * | other types                | {"#":"o","t":oid,"v":hex of encode()}       |
 *
 * Why       structure instead of the type's text: no session setting (DateStyle, time zone) can change what is read back.
 * Invariant parse(serialise(x)) equals x; positions are dropped (the text they point into is not kept).
 */
import type { Oid } from '../base/brands.ts';
import { DbError, notSupported } from '../base/error.ts';
import type { TypeSupport } from '../types/contract.ts';
import { type Datum, OpaqueDatum, SqlArray, SqlRecord, Tid } from '../types/datum.ts';
import { findTypeSupport } from '../types/index.ts';
import { Interval, TimeTz } from '../types/interval.ts';
import { Jsonb, type JsonValue } from '../types/jsonb.ts';
import { Numeric } from '../types/numeric.ts';
import { Multirange, Range } from '../types/range.ts';
import type { Expr, Query } from './tree.ts';

/** Finds the codec of a type that only its own room knows; needed for {@link OpaqueDatum} constants only. */
export type TypeLookup = (typeOid: Oid) => TypeSupport;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Writes one value as described above. */
export function datumToJson(value: Datum, lookup?: TypeLookup): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { '#': 'f', v: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value === 'bigint') return { '#': 'i', v: String(value) };
  if (value instanceof Numeric)
    return { '#': 'n', c: String(value.coefficient), s: value.scale, k: value.kind };
  if (value instanceof Interval)
    return { '#': 'iv', m: value.months, d: value.days, u: String(value.microseconds) };
  if (value instanceof TimeTz) return { '#': 'tz', u: value.microseconds, z: value.zoneSeconds };
  if (value instanceof Uint8Array) return { '#': 'b', v: toHex(value) };
  if (value instanceof Jsonb) return { '#': 'j', v: jsonValueToJson(value.value) };
  if (value instanceof SqlArray)
    return {
      '#': 'a',
      t: value.elementType,
      e: value.elements.map((element) => datumToJson(element, lookup)),
      d: [...value.dimensions],
      l: [...value.lowerBounds],
    };
  if (value instanceof SqlRecord)
    return {
      '#': 'r',
      t: value.typeOid,
      e: value.fields.map((field) => datumToJson(field, lookup)),
      ts: [...value.fieldTypes],
      ns: [...value.fieldNames],
    };
  if (value instanceof Tid) return { '#': 't', v: [value.block, value.offset] };
  // Ranges carry their parts: a user-defined range type needs no codec then.
  if (value instanceof Range)
    return {
      '#': 'rg',
      t: value.typeOid,
      e: value.isEmpty,
      v: [datumToJson(value.lower, lookup), datumToJson(value.upper, lookup)],
      i: [value.lowerInclusive, value.upperInclusive],
    };
  if (value instanceof Multirange)
    return { '#': 'mr', t: value.typeOid, v: value.ranges.map((range) => datumToJson(range, lookup)) };
  if (value instanceof OpaqueDatum) {
    const encode = (findTypeSupport(value.typeOid) ?? lookup?.(value.typeOid))?.encode;
    if (!encode) throw notSupported(`a stored constant of type ${value.typeOid}`);
    return { '#': 'o', t: value.typeOid, v: toHex(encode(value)) };
  }
  throw notSupported('a stored constant of this type');
}

function jsonValueToJson(value: JsonValue): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (value instanceof Numeric) return datumToJson(value);
  if ('entries' in value && !Array.isArray(value))
    return {
      o: (value as { entries: readonly (readonly [string, JsonValue])[] }).entries.map(([key, item]) => [
        key,
        jsonValueToJson(item),
      ]),
    };
  return (value as readonly JsonValue[]).map(jsonValueToJson);
}

function broken(what: string): DbError {
  return new DbError('data_corrupted', `invalid stored expression: ${what}`);
}

function coefficientOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function jsonValueFromJson(json: Json): JsonValue {
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return json;
  if (Array.isArray(json)) return json.map(jsonValueFromJson);
  if (typeof json === 'number') throw broken('bare number in jsonb');
  if (json['#'] === 'n') return datumFromJson(json) as Numeric;
  return {
    entries: (json.o as [string, Json][]).map(([key, item]) => [key, jsonValueFromJson(item)] as const),
  };
}

/** Reads what {@link datumToJson} wrote. XX001 on anything else. */
export function datumFromJson(json: Json, lookup?: TypeLookup): Datum {
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) throw broken('list as a constant');
  switch (json['#']) {
    case 'f':
      return Number(json.v);
    case 'i':
      return BigInt(json.v as string);
    case 'n':
      return new Numeric(coefficientOf(json.c as string), json.s as number, json.k as Numeric['kind']);
    case 'iv':
      return new Interval(json.m as number, json.d as number, BigInt(json.u as string));
    case 'tz':
      return new TimeTz(json.u as number, json.z as number);
    case 'b':
      return fromHex(json.v as string);
    case 'j':
      return new Jsonb(jsonValueFromJson(json.v));
    case 'a':
      return new SqlArray(
        json.t as number,
        (json.e as Json[]).map((element) => datumFromJson(element, lookup)),
        json.d as number[],
        json.l as number[],
      );
    case 'r':
      return new SqlRecord(
        json.t as number,
        (json.e as Json[]).map((field) => datumFromJson(field, lookup)),
        json.ts as number[],
        json.ns as string[],
      );
    case 't':
      return new Tid((json.v as number[])[0], (json.v as number[])[1]);
    case 'rg': {
      const [lower, upper] = (json.v as Json[]).map((bound) => datumFromJson(bound, lookup));
      const [lowerInclusive, upperInclusive] = json.i as boolean[];
      return new Range(
        json.t as number,
        json.e === true,
        lower ?? null,
        upper ?? null,
        lowerInclusive === true,
        upperInclusive === true,
      );
    }
    case 'mr':
      return new Multirange(
        json.t as number,
        (json.v as Json[]).map((range) => datumFromJson(range, lookup) as Range),
      );
    case 'o': {
      const typeOid = json.t as number;
      const decode = (findTypeSupport(typeOid) ?? lookup?.(typeOid))?.decode;
      if (!decode) throw broken(`no codec for type ${json.t}`);
      return decode(fromHex(json.v as string));
    }
    default:
      throw broken(`constant ${JSON.stringify(json).slice(0, 80)}`);
  }
}

function serialise(tree: unknown, lookup?: TypeLookup): string {
  // Constants are converted before JSON.stringify sees them: their classes have no toJSON, bigint would throw.
  return JSON.stringify(convert(tree, lookup));
}

function convert(node: unknown, lookup: TypeLookup | undefined): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => convert(item, lookup));
  const source = node as Record<string, unknown>;
  const target: Record<string, unknown> = {};
  const isConst = source.kind === 'const';
  for (const key of Object.keys(source)) {
    if (key === 'position') continue;
    target[key] =
      isConst && key === 'value' ? datumToJson(source.value as Datum, lookup) : convert(source[key], lookup);
  }
  return target;
}

function restore(node: unknown, lookup: TypeLookup | undefined): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) restore(item, lookup);
    return;
  }
  const record = node as Record<string, unknown>;
  if (record.kind === 'const') {
    record.value = datumFromJson(record.value as Json, lookup);
    return;
  }
  for (const key of Object.keys(record)) restore(record[key], lookup);
}

function parse(text: string, lookup?: TypeLookup): unknown {
  let tree: unknown;
  try {
    tree = JSON.parse(text);
  } catch {
    throw broken('not a tree');
  }
  restore(tree, lookup);
  return tree;
}

export function serialiseExpr(expr: Expr, lookup?: TypeLookup): string {
  return serialise(expr, lookup);
}

export function parseExpr(text: string, lookup?: TypeLookup): Expr {
  return parse(text, lookup) as Expr;
}

/** Several expressions as one text (function defaults, index expressions). */
export function serialiseExprs(exprs: readonly Expr[], lookup?: TypeLookup): string {
  return serialise(exprs, lookup);
}

export function parseExprs(text: string, lookup?: TypeLookup): Expr[] {
  return parse(text, lookup) as Expr[];
}

export function serialiseQuery(query: Query, lookup?: TypeLookup): string {
  return serialise(query, lookup);
}

export function parseQuery(text: string, lookup?: TypeLookup): Query {
  return parse(text, lookup) as Query;
}
