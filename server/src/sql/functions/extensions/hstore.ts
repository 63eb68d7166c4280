/** hstore: sets of keys and text values, held as their canonical text. */
import { DbError } from '../../../base/error.ts';
import { type Datum, SqlArray, SqlRecord } from '../../../types/datum.ts';
import { formatHstore, parseHstore } from '../../../types/hstore.ts';
import { makeJsonObject, quoteJson } from '../../../types/json-text.ts';
import { Jsonb, type JsonValue } from '../../../types/jsonb.ts';
import { parseNumeric } from '../../../types/numeric-text.ts';
import { OID } from '../../../types/oid.ts';
import type { SetFunction } from '../contract.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable, setFunction } from '../registry.ts';
import { textArray } from '../text.ts';

type Pairs = Map<string, string | null>;
const read = (text: string): Pairs => parseHstore(text);
const write = (pairs: Iterable<readonly [string, string | null]>): string => formatHstore(pairs);
const keysOf = (array: SqlArray): string[] => array.elements.filter((key) => key !== null) as string[];

function fromArrays(keys: SqlArray | null, values: SqlArray | null): string | null {
  if (keys === null) return null;
  if (keys.dimensions.length > 1 || (values !== null && values.dimensions.length > 1)) {
    throw new DbError('array_subscript_error', 'wrong number of array subscripts');
  }
  if (values !== null && values.elements.length !== keys.elements.length) {
    throw new DbError('array_subscript_error', 'arrays must have same bounds');
  }
  return write(pairsOf(keys.elements.map((key, index) => [key, values?.elements[index] ?? null] as const)));
}

/** The first of equal keys stays. */
function pairsOf(list: Iterable<readonly [Datum, Datum]>): Pairs {
  const pairs: Pairs = new Map();
  for (const [key, value] of list) {
    if (key === null) {
      throw new DbError('null_value_not_allowed', 'null value not allowed for hstore key');
    }
    if (!pairs.has(key as string)) pairs.set(key as string, value as string | null);
  }
  return pairs;
}

function fromArray(array: SqlArray): string {
  const { dimensions, elements } = array;
  if (dimensions.length === 1 && elements.length % 2 !== 0) {
    throw new DbError('array_subscript_error', 'array must have even number of elements');
  }
  if (dimensions.length === 2 && dimensions[1] !== 2) {
    throw new DbError('array_subscript_error', 'array must have two columns');
  }
  if (dimensions.length > 2) throw new DbError('array_subscript_error', 'wrong number of array subscripts');
  const list: [Datum, Datum][] = [];
  for (let at = 0; at < elements.length; at += 2) list.push([elements[at]!, elements[at + 1]!]);
  return write(pairsOf(list));
}

function without(text: string, test: (key: string, value: string | null) => boolean): string {
  return write([...read(text)].filter(([key, value]) => !test(key, value)));
}

function contains(outer: string, inner: string): boolean {
  const pairs = read(outer);
  for (const [key, value] of read(inner)) if (!pairs.has(key) || pairs.get(key) !== value) return false;
  return true;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function jsonText(text: string, isLoose: boolean): string {
  const parts = [...read(text)].map(([key, value]) => {
    let shown = value === null ? 'null' : quoteJson(value);
    if (isLoose && value !== null) {
      if (value === 't') shown = 'true';
      else if (value === 'f') shown = 'false';
      else if (NUMBER.test(value)) shown = value;
    }
    return `${quoteJson(key)}: ${shown}`;
  });
  return `{${parts.join(', ')}}`;
}

function jsonValue(text: string, isLoose: boolean): Jsonb {
  const convert = (value: string | null): JsonValue => {
    if (!isLoose || value === null) return value;
    if (value === 't' || value === 'f') return value === 't';
    return NUMBER.test(value) ? parseNumeric(value) : value;
  };
  return new Jsonb(makeJsonObject([...read(text)].map(([key, value]) => [key, convert(value)] as const)));
}

const order = (left: string, right: string): number =>
  left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));

const pure: Record<string, Implementation> = {
  hstore_version_diag: () => 2,
  hstore_fetchval: (text: string, key: string) => read(text).get(key) ?? null,
  hstore_slice_to_array: (text: string, keys: SqlArray) => {
    const pairs = read(text);
    return new SqlArray(
      OID.TEXT,
      keys.elements.map((key) => (key === null ? null : (pairs.get(key as string) ?? null))),
      keys.dimensions,
      keys.lowerBounds,
    );
  },
  hstore_slice_to_hstore: (text: string, keys: SqlArray) => {
    const wanted = new Set(keysOf(keys));
    return without(text, (key) => !wanted.has(key));
  },
  hstore_exists: (text: string, key: string) => read(text).has(key),
  hstore_exists_any: (text: string, keys: SqlArray) => {
    const pairs = read(text);
    return keysOf(keys).some((key) => pairs.has(key));
  },
  hstore_exists_all: (text: string, keys: SqlArray) => {
    const pairs = read(text);
    return keysOf(keys).every((key) => pairs.has(key));
  },
  hstore_defined: (text: string, key: string) => (read(text).get(key) ?? null) !== null,
  hstore_delete: (text: string, key: string) => without(text, (mine) => mine === key),
  hstore_delete_array: (text: string, keys: SqlArray) => {
    const gone = new Set(keysOf(keys));
    return without(text, (key) => gone.has(key));
  },
  hstore_delete_hstore: (text: string, other: string) => {
    const gone = read(other);
    return without(text, (key, value) => gone.has(key) && gone.get(key) === value);
  },
  hstore_concat: (left: string, right: string) => write(new Map([...read(left), ...read(right)])),
  hstore_contains: contains,
  hstore_contained: (inner: string, outer: string) => contains(outer, inner),
  hstore_from_text: (key: string | null, value: string | null) =>
    key === null ? null : write([[key, value]]),
  hstore_from_arrays: fromArrays,
  hstore_from_array: fromArray,
  hstore_to_json: (text: string) => jsonText(text, false),
  hstore_to_json_loose: (text: string) => jsonText(text, true),
  hstore_to_jsonb: (text: string) => jsonValue(text, false),
  hstore_to_jsonb_loose: (text: string) => jsonValue(text, true),
  hstore_to_array: (text: string) => textArray([...read(text)].flat()),
  hstore_to_matrix: (text: string) => {
    const pairs = [...read(text)];
    return pairs.length === 0
      ? textArray([])
      : new SqlArray(OID.TEXT, pairs.flat(), [pairs.length, 2], [1, 1]);
  },
  hstore_akeys: (text: string) => textArray([...read(text).keys()]),
  hstore_avals: (text: string) => textArray([...read(text).values()]),
  hstore_eq: (left: string, right: string) => left === right,
  hstore_ne: (left: string, right: string) => left !== right,
  hstore_lt: (left: string, right: string) => order(left, right) < 0,
  hstore_le: (left: string, right: string) => order(left, right) <= 0,
  hstore_gt: (left: string, right: string) => order(left, right) > 0,
  hstore_ge: (left: string, right: string) => order(left, right) >= 0,
  hstore_cmp: order,
};

export const hstoreFunctions: FunctionTable = {
  ...pureTable(pure),
  ...boundTable({
    hstore_from_record: (context) => (record: SqlRecord | null) =>
      record === null
        ? null
        : write(
            pairsOf(
              record.fieldNames.map(
                (name, index) =>
                  [
                    name,
                    record.fields[index] === null
                      ? null
                      : context
                          .typeSupport(record.fieldTypes[index]!)
                          .output(record.fields[index]!, context.format),
                  ] as const,
              ),
            ),
          ),
    hstore_populate_record: (context, site) => (base: SqlRecord | null, text: string | null) => {
      if (text === null) return base;
      const fields = context.typeSupport(site.resultType).compositeFields;
      if (fields === undefined) {
        throw new DbError('datatype_mismatch', 'first argument must be a rowtype');
      }
      const pairs = read(text);
      const values = fields.map((field, index) => {
        const given = pairs.get(field.name);
        if (given === undefined) return base?.fields[index] ?? null;
        return given === null
          ? null
          : context.typeSupport(field.type).input(given, field.typmod, context.format);
      });
      return new SqlRecord(
        site.resultType,
        values,
        fields.map((field) => field.type),
        fields.map((field) => field.name),
      );
    },
  }),
};

export const hstoreSetFunctions: Record<string, SetFunction> = {
  hstore_skeys: setFunction(false, () => (text: string) => [...read(text).keys()]),
  hstore_svals: setFunction(false, () => (text: string) => [...read(text).values()]),
  hstore_each: setFunction(true, () => (text: string) => [...read(text)]),
};
