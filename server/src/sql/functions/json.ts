/** Functions and operators of json and jsonb. */
import { DbError } from '../../base/error.ts';
import { type Datum, SqlArray, SqlRecord } from '../../types/datum.ts';
import { elementTypeOf } from '../../types/index.ts';
import {
  compareJson,
  formatJson,
  formatJsonPretty,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  jsonField,
  makeJsonObject,
  quoteJson,
} from '../../types/json-text.ts';
import { Jsonb, type JsonValue } from '../../types/jsonb.ts';
import { Numeric } from '../../types/numeric.ts';
import { formatNumeric, numericToFloat8, numericToInteger } from '../../types/numeric-text.ts';
import { OID } from '../../types/oid.ts';
import type { CallSite, FunctionContext, SetFunction } from './contract.ts';
import { type JsonNode, jsonNodes, nodeElement, nodeField, nodeText } from './json-nodes.ts';
import { arrayText, jsonKey, recordText, toJsonText, toJsonValue } from './json-values.ts';
import { boundTable, type FunctionTable, type Implementation, pureTable, setFunction } from './registry.ts';
import { spreadVariadic } from './text.ts';

/** Text of a value as ->> gives it: NULL for null, strings without quotes. */
function plainText(value: JsonValue): string | null {
  return value === null ? null : typeof value === 'string' ? value : formatJson(value);
}

function nodePlain(source: string, node: JsonNode | undefined): string | null {
  if (node === undefined || node.kind === 'null') return null;
  return node.kind === 'string' ? node.text : nodeText(source, node);
}

function elementAt(value: JsonValue, index: number, isTop = false): JsonValue | undefined {
  if (isJsonArray(value)) return value[index < 0 ? value.length + index : index];
  // A top-level scalar is stored as an array of one.
  return isTop && !isJsonObject(value) && (index === 0 || index === -1) ? value : undefined;
}
function fieldOf(value: JsonValue, key: string): JsonValue | undefined {
  return isJsonObject(value) ? jsonField(value, key) : undefined;
}
const wrap = (value: JsonValue | undefined): Jsonb | null => (value === undefined ? null : new Jsonb(value));

/** A path step as an array index, or null when it is not one. */
function indexOf(step: string): number | null {
  return /^\s*[+-]?\d{1,9}$/.test(step) ? Number(step) : null;
}

function pathSteps(path: SqlArray): string[] | null {
  return path.elements.includes(null) ? null : (path.elements as string[]);
}

function extract(value: JsonValue, path: SqlArray): JsonValue | undefined {
  const steps = pathSteps(path);
  if (steps === null) return undefined;
  let current: JsonValue | undefined = value;
  for (const step of steps) {
    if (current === undefined) return undefined;
    if (isJsonArray(current)) {
      const index = indexOf(step);
      current = index === null ? undefined : elementAt(current, index);
    } else current = fieldOf(current, step);
  }
  return current;
}

function extractNode(text: string, path: SqlArray): JsonNode | undefined {
  const steps = pathSteps(path);
  if (steps === null) return undefined;
  let current: JsonNode | undefined = jsonNodes(text);
  for (const step of steps) {
    if (current === undefined) return undefined;
    if (current.kind === 'array') {
      const index = indexOf(step);
      current = index === null ? undefined : nodeElement(current, index);
    } else current = nodeField(current, step);
  }
  return current;
}

/** jsonb containment: @>. A top-level array contains a scalar that is one of its elements. */
function contains(outer: JsonValue, inner: JsonValue, isTop: boolean): boolean {
  if (isJsonObject(outer) && isJsonObject(inner)) {
    return inner.entries.every(([key, value]) => {
      const mine = jsonField(outer, key);
      return mine !== undefined && contains(mine, value, false);
    });
  }
  if (isJsonArray(outer)) {
    if (isJsonArray(inner)) return inner.every((item) => outer.some((mine) => contains(mine, item, false)));
    return isTop && !isJsonObject(inner) && outer.some((mine) => compareJson(mine, inner) === 0);
  }
  if (isJsonArray(inner) || isJsonObject(outer) || isJsonObject(inner)) return false;
  return compareJson(outer, inner) === 0;
}

function exists(value: JsonValue, key: string): boolean {
  if (isJsonObject(value)) return jsonField(value, key) !== undefined;
  if (isJsonArray(value)) return value.includes(key);
  return value === key;
}

function concatenate(left: JsonValue, right: JsonValue): JsonValue {
  if (isJsonObject(left) && isJsonObject(right)) return makeJsonObject([...left.entries, ...right.entries]);
  const asArray = (value: JsonValue): readonly JsonValue[] => (isJsonArray(value) ? value : [value]);
  return [...asArray(left), ...asArray(right)];
}

function invalidParameter(message: string): DbError {
  return new DbError('invalid_parameter_value', message);
}

function deleteKeys(value: JsonValue, keys: readonly string[]): JsonValue {
  if (isJsonObject(value)) return { entries: value.entries.filter(([key]) => !keys.includes(key)) };
  if (isJsonArray(value)) return value.filter((item) => typeof item !== 'string' || !keys.includes(item));
  throw invalidParameter('cannot delete from scalar');
}

function deleteIndex(value: JsonValue, index: number): JsonValue {
  if (isJsonObject(value)) throw invalidParameter('cannot delete from object using integer index');
  if (!isJsonArray(value)) throw invalidParameter('cannot delete from scalar');
  const at = index < 0 ? value.length + index : index;
  return value.filter((_, position) => position !== at);
}

type PathOperation = 'set' | 'create' | 'insert-before' | 'insert-after' | 'delete';

/** Rebuilds the value along a path; other parts are shared. */
function changePath(
  value: JsonValue,
  steps: readonly (string | null)[],
  depth: number,
  replacement: JsonValue,
  operation: PathOperation,
): JsonValue {
  const step = steps[depth];
  if (step === null || step === undefined) {
    throw new DbError('null_value_not_allowed', `path element at position ${depth + 1} is null`);
  }
  const isLast = depth === steps.length - 1;
  if (isJsonObject(value)) {
    const existing = jsonField(value, step);
    if (existing === undefined) {
      if (!isLast || operation === 'set' || operation === 'delete') return value;
      return makeJsonObject([...value.entries, [step, replacement]]);
    }
    if (isLast) {
      if (operation === 'delete') return { entries: value.entries.filter(([key]) => key !== step) };
      if (operation.startsWith('insert')) {
        throw new DbError('invalid_parameter_value', 'cannot replace existing key', {
          hint: 'Try using the function jsonb_set to replace key value.',
        });
      }
    }
    const changed = isLast ? replacement : changePath(existing, steps, depth + 1, replacement, operation);
    return {
      entries: value.entries.map((entry) => (entry[0] === step ? ([step, changed] as const) : entry)),
    };
  }
  if (isJsonArray(value)) {
    const index = indexOf(step);
    if (index === null) {
      throw new DbError(
        'invalid_text_representation',
        `path element at position ${depth + 1} is not an integer: "${step}"`,
      );
    }
    let at = index < 0 ? value.length + index : index;
    const isInside = at >= 0 && at < value.length;
    if (!isLast) {
      if (!isInside) return value;
      return value.map((item, position) =>
        position === at ? changePath(item, steps, depth + 1, replacement, operation) : item,
      );
    }
    if (operation === 'delete') return isInside ? value.filter((_, position) => position !== at) : value;
    if (operation === 'insert-before' || operation === 'insert-after') {
      if (at < 0) at = 0;
      else if (at >= value.length) at = value.length;
      else if (operation === 'insert-after') at++;
      return [...value.slice(0, at), replacement, ...value.slice(at)];
    }
    if (isInside) return value.map((item, position) => (position === at ? replacement : item));
    if (operation === 'set') return value;
    return at < 0 ? [replacement, ...value] : [...value, replacement];
  }
  return value;
}

function checkPath(path: SqlArray): void {
  if (path.dimensions.length > 1)
    throw new DbError('array_subscript_error', 'wrong number of array subscripts');
}

function checkContainer(value: JsonValue, message: string): void {
  if (!isJsonArray(value) && !isJsonObject(value)) throw invalidParameter(message);
}

function isEmptyContainer(value: JsonValue): boolean {
  return isJsonArray(value) ? value.length === 0 : isJsonObject(value) && value.entries.length === 0;
}

function setPath(target: JsonValue, path: SqlArray, replacement: JsonValue, create: boolean): JsonValue {
  checkPath(path);
  checkContainer(target, 'cannot set path in scalar');
  if ((isEmptyContainer(target) && !create) || path.elements.length === 0) return target;
  return changePath(target, path.elements as (string | null)[], 0, replacement, create ? 'create' : 'set');
}

function stripNulls(value: JsonValue): JsonValue {
  if (isJsonArray(value)) return value.map(stripNulls);
  if (isJsonObject(value)) {
    return {
      entries: value.entries
        .filter(([, item]) => item !== null)
        .map(([key, item]) => [key, stripNulls(item)] as const),
    };
  }
  return value;
}

function stripNullsText(source: string, node: JsonNode): string {
  if (node.kind === 'array')
    return `[${node.children.map((child) => stripNullsText(source, child)).join(',')}]`;
  if (node.kind === 'object') {
    const parts: string[] = [];
    node.children.forEach((child, index) => {
      if (child.kind !== 'null')
        parts.push(`${quoteJson(node.keys[index]!)}:${stripNullsText(source, child)}`);
    });
    return `{${parts.join(',')}}`;
  }
  return node.kind === 'string' ? quoteJson(node.text) : nodeText(source, node);
}

function typeName(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (value instanceof Numeric) return 'number';
  return isJsonArray(value) ? 'array' : 'object';
}
const nodeType = (node: JsonNode): string =>
  node.kind === 'true' || node.kind === 'false' ? 'boolean' : node.kind;

function castError(value: JsonValue, type: string): DbError {
  const kind = isJsonArray(value)
    ? 'array'
    : isJsonObject(value)
      ? 'object'
      : value instanceof Numeric
        ? 'numeric'
        : typeName(value);
  return invalidParameter(`cannot cast jsonb ${kind} to type ${type}`);
}
function numberOf(value: Jsonb, type: string): Numeric | null {
  if (value.value instanceof Numeric) return value.value;
  throw castError(value.value, type);
}

function arrayLength(value: JsonValue): number {
  if (isJsonArray(value)) return value.length;
  throw invalidParameter(
    isJsonObject(value) ? 'cannot get array length of a non-array' : 'cannot get array length of a scalar',
  );
}

/** json_object(text[]) pairs: flat even list or an n-by-2 array. */
function objectPairs(array: SqlArray): [string | null, string | null][] {
  const { dimensions, elements } = array;
  if (dimensions.length === 0) return [];
  if (dimensions.length === 1 && dimensions[0]! % 2 !== 0) {
    throw new DbError('array_subscript_error', 'array must have even number of elements');
  }
  if (dimensions.length === 2 && dimensions[1] !== 2) {
    throw new DbError('array_subscript_error', 'array must have two columns');
  }
  if (dimensions.length > 2) throw new DbError('array_subscript_error', 'wrong number of array subscripts');
  const pairs: [string | null, string | null][] = [];
  for (let index = 0; index < elements.length; index += 2) {
    pairs.push([elements[index] as string | null, elements[index + 1] as string | null]);
  }
  return pairs;
}

function zipPairs(keys: SqlArray, values: SqlArray): [string | null, string | null][] {
  if (keys.dimensions.length > 1 || keys.dimensions.length !== values.dimensions.length) {
    throw new DbError('array_subscript_error', 'wrong number of array subscripts');
  }
  if (keys.elements.length !== values.elements.length)
    throw new DbError('array_subscript_error', 'mismatched array dimensions');
  return keys.elements.map((key, index) => [key as string | null, values.elements[index] as string | null]);
}

function pairText(pairs: readonly [string | null, string | null][]): string {
  const parts = pairs.map(([key, value]) => {
    if (key === null) throw new DbError('null_value_not_allowed', 'null value not allowed for object key');
    return `${quoteJson(key)} : ${value === null ? 'null' : quoteJson(value)}`;
  });
  return `{${parts.join(', ')}}`;
}

function pairObject(pairs: readonly [string | null, string | null][]): Jsonb {
  return new Jsonb(
    makeJsonObject(
      pairs.map(([key, value]) => {
        if (key === null)
          throw new DbError('null_value_not_allowed', 'null value not allowed for object key');
        return [key, value] as const;
      }),
    ),
  );
}

const pure: Record<string, Implementation> = {
  json_object_field: (text: string, key: string) => {
    const node = nodeField(jsonNodes(text), key);
    return node === undefined ? null : nodeText(text, node);
  },
  json_object_field_text: (text: string, key: string) => nodePlain(text, nodeField(jsonNodes(text), key)),
  json_array_element: (text: string, index: number) => {
    const node = nodeElement(jsonNodes(text), index);
    return node === undefined ? null : nodeText(text, node);
  },
  json_array_element_text: (text: string, index: number) =>
    nodePlain(text, nodeElement(jsonNodes(text), index)),
  json_extract_path: (text: string, path: SqlArray) => {
    const node = extractNode(text, path);
    return node === undefined ? null : nodeText(text, node);
  },
  json_extract_path_text: (text: string, path: SqlArray) => nodePlain(text, extractNode(text, path)),
  json_typeof: (text: string) => nodeType(jsonNodes(text)),
  json_array_length: (text: string) => {
    const node = jsonNodes(text);
    if (node.kind === 'array') return node.children.length;
    throw invalidParameter(
      node.kind === 'object'
        ? 'cannot get array length of a non-array'
        : 'cannot get array length of a scalar',
    );
  },
  json_strip_nulls: (text: string) => stripNullsText(text, jsonNodes(text)),
  json_object: (array: SqlArray) => pairText(objectPairs(array)),
  json_object_two_arg: (keys: SqlArray, values: SqlArray) => pairText(zipPairs(keys, values)),
  json_build_array_noargs: () => '[]',
  json_build_object_noargs: () => '{}',
  jsonb_object_field: (value: Jsonb, key: string) => wrap(fieldOf(value.value, key)),
  jsonb_object_field_text: (value: Jsonb, key: string) => plainText(fieldOf(value.value, key) ?? null),
  jsonb_array_element: (value: Jsonb, index: number) => wrap(elementAt(value.value, index, true)),
  jsonb_array_element_text: (value: Jsonb, index: number) =>
    plainText(elementAt(value.value, index, true) ?? null),
  jsonb_extract_path: (value: Jsonb, path: SqlArray) => wrap(extract(value.value, path)),
  jsonb_extract_path_text: (value: Jsonb, path: SqlArray) => plainText(extract(value.value, path) ?? null),
  jsonb_typeof: (value: Jsonb) => typeName(value.value),
  jsonb_array_length: (value: Jsonb) => arrayLength(value.value),
  jsonb_strip_nulls: (value: Jsonb) => new Jsonb(stripNulls(value.value)),
  jsonb_pretty: (value: Jsonb) => formatJsonPretty(value.value),
  jsonb_object: (array: SqlArray) => pairObject(objectPairs(array)),
  jsonb_object_two_arg: (keys: SqlArray, values: SqlArray) => pairObject(zipPairs(keys, values)),
  jsonb_build_array_noargs: () => new Jsonb([]),
  jsonb_build_object_noargs: () => new Jsonb({ entries: [] }),
  jsonb_contains: (outer: Jsonb, inner: Jsonb) => contains(outer.value, inner.value, true),
  jsonb_contained: (inner: Jsonb, outer: Jsonb) => contains(outer.value, inner.value, true),
  jsonb_exists: (value: Jsonb, key: string) => exists(value.value, key),
  jsonb_exists_any: (value: Jsonb, keys: SqlArray) =>
    keys.elements.some((key) => key !== null && exists(value.value, key as string)),
  jsonb_exists_all: (value: Jsonb, keys: SqlArray) =>
    keys.elements.every((key) => key === null || exists(value.value, key as string)),
  jsonb_concat: (left: Jsonb, right: Jsonb) => new Jsonb(concatenate(left.value, right.value)),
  jsonb_delete: (value: Jsonb, key: string) => new Jsonb(deleteKeys(value.value, [key])),
  jsonb_delete_array: (value: Jsonb, keys: SqlArray) => {
    checkPath(keys);
    return new Jsonb(deleteKeys(value.value, keys.elements.filter((key) => key !== null) as string[]));
  },
  jsonb_delete_idx: (value: Jsonb, index: number) => new Jsonb(deleteIndex(value.value, index)),
  jsonb_delete_path: (value: Jsonb, path: SqlArray) => {
    checkPath(path);
    checkContainer(value.value, 'cannot delete path in scalar');
    if (path.elements.length === 0 || isEmptyContainer(value.value)) return value;
    return new Jsonb(changePath(value.value, path.elements as (string | null)[], 0, null, 'delete'));
  },
  jsonb_set: (target: Jsonb, path: SqlArray, replacement: Jsonb, create: boolean) =>
    new Jsonb(setPath(target.value, path, replacement.value, create)),
  jsonb_set_lax: (
    target: Jsonb | null,
    path: SqlArray | null,
    replacement: Jsonb | null,
    create: boolean | null,
    treatment: string | null,
  ) => {
    if (target === null || path === null || create === null) return null;
    if (treatment === null) {
      throw invalidParameter(
        'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
      );
    }
    if (replacement !== null) return new Jsonb(setPath(target.value, path, replacement.value, create));
    switch (treatment) {
      case 'raise_exception':
        throw new DbError('null_value_not_allowed', 'JSON value must not be null', {
          detail: 'Exception was raised because null_value_treatment is "raise_exception".',
          hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
        });
      case 'use_json_null':
        return new Jsonb(setPath(target.value, path, null, create));
      case 'delete_key':
        return new Jsonb(changePath(target.value, path.elements as (string | null)[], 0, null, 'delete'));
      case 'return_target':
        return target;
      default:
        throw invalidParameter(
          'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
        );
    }
  },
  jsonb_insert: (target: Jsonb, path: SqlArray, value: Jsonb, isAfter: boolean) => {
    checkPath(path);
    checkContainer(target.value, 'cannot set path in scalar');
    if (path.elements.length === 0) return target;
    return new Jsonb(
      changePath(
        target.value,
        path.elements as (string | null)[],
        0,
        value.value,
        isAfter ? 'insert-after' : 'insert-before',
      ),
    );
  },
  jsonb_bool: (value: Jsonb) => {
    if (typeof value.value === 'boolean') return value.value;
    throw castError(value.value, 'boolean');
  },
  jsonb_numeric: (value: Jsonb) => numberOf(value, 'numeric'),
  jsonb_int2: (value: Jsonb) => numericToInteger(numberOf(value, 'smallint')!, 'smallint'),
  jsonb_int4: (value: Jsonb) => numericToInteger(numberOf(value, 'integer')!, 'integer'),
  jsonb_int8: (value: Jsonb) => numericToInteger(numberOf(value, 'bigint')!, 'bigint'),
  jsonb_float4: (value: Jsonb) => Math.fround(numericToFloat8(numberOf(value, 'real')!)),
  jsonb_float8: (value: Jsonb) => numericToFloat8(numberOf(value, 'double precision')!),
};

interface AnyArguments {
  values: Datum[];
  types: number[];
}

function anyArguments(site: CallSite, args: readonly Datum[]): AnyArguments | null {
  const { values, elementType, isNull } = spreadVariadic(args, 0, site.variadic);
  if (isNull) return null;
  return { values, types: elementType === null ? [...site.argumentTypes] : values.map(() => elementType) };
}

function checkPairs(count: number, name: string): void {
  if (count % 2 !== 0) {
    throw new DbError('invalid_parameter_value', 'argument list must have even number of elements', {
      hint: `The arguments of ${name}() must consist of alternating keys and values.`,
    });
  }
}

function buildKey(value: Datum, type: number, position: number, context: FunctionContext): string {
  return jsonKey(value, type, position, context);
}

/** Converts a JSON value to an SQL value of `type`, as json_populate_record and json_to_record do. `key`: where it was found. */
export function jsonToDatum(
  value: JsonValue,
  type: number,
  typmod: number,
  context: FunctionContext,
  key?: string,
): Datum {
  if (value === null) return null;
  if (type === OID.JSONB) return new Jsonb(value);
  if (type === OID.JSON) return formatJson(value);
  const support = context.typeSupport(type);
  const elementType = elementTypeOf(type) || (support.elementType ?? 0);
  if (elementType !== 0 && isJsonArray(value)) {
    const dimensions: number[] = [];
    const elements: Datum[] = [];
    // As deep as the first element that is no array; from there on all are elements, and all above must be arrays.
    let depthOfElements = 0;
    const walk = (items: readonly JsonValue[], depth: number, path: readonly number[]): void => {
      if (dimensions[depth] === undefined) dimensions[depth] = items.length;
      else if (dimensions[depth] !== items.length) {
        throw new DbError('invalid_text_representation', 'malformed JSON array', {
          detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
        });
      }
      items.forEach((item, index) => {
        const isNested = isJsonArray(item) && elementType !== OID.JSON && elementType !== OID.JSONB;
        if (depthOfElements === 0 && !isNested) depthOfElements = depth + 1;
        if (depth + 1 < depthOfElements && !isNested) throw expectedArray([...path, index], key);
        if (isNested && (depthOfElements === 0 || depth + 1 < depthOfElements))
          walk(item, depth + 1, [...path, index]);
        else elements.push(jsonToDatum(item, elementType, typmod, context));
      });
      if (depthOfElements === 0) depthOfElements = depth + 1;
    };
    walk(value, 0, []);
    return elements.length === 0
      ? new SqlArray(elementType, [])
      : new SqlArray(elementType, elements, dimensions);
  }
  if (elementType !== 0 && !isJsonArray(value) && typeof value !== 'string') {
    throw expectedArray([], key);
  }
  if (support.compositeFields !== undefined && isJsonObject(value)) {
    return objectToRecord(value, type, support.compositeFields, null, context);
  }
  return support.input(
    typeof value === 'string' ? value : value instanceof Numeric ? formatNumeric(value) : formatJson(value),
    typmod,
    context.format,
  );
}

function expectedArray(path: readonly number[], key: string | undefined): DbError {
  const place = path.map((index) => `[${index}]`).join('');
  const of = key === undefined ? '' : ` of key "${key}"`;
  const hint = place === '' ? `See the value${of}.` : `See the array element ${place}${of}.`;
  return new DbError(
    'invalid_text_representation',
    'expected JSON array',
    place === '' && key === undefined ? {} : { hint },
  );
}

type Column = { readonly name: string; readonly type: number; readonly typmod: number };

function objectToRecord(
  value: JsonObject,
  type: number,
  columns: readonly Column[],
  base: SqlRecord | null,
  context: FunctionContext,
): SqlRecord {
  const fields = columns.map((column, index) => {
    const given = jsonField(value, column.name);
    return given === undefined
      ? (base?.fields[index] ?? null)
      : jsonToDatum(given, column.type, column.typmod, context, column.name);
  });
  return new SqlRecord(
    type,
    fields,
    columns.map((column) => column.type),
    columns.map((column) => column.name),
  );
}

/** Columns of the row type a populate call returns. */
function targetColumns(context: FunctionContext, site: CallSite, base: SqlRecord | null): readonly Column[] {
  if (site.columns !== undefined) return site.columns;
  const fields = context.typeSupport(site.resultType).compositeFields;
  if (fields !== undefined) return fields;
  if (base !== null)
    return base.fieldNames.map((name, index) => ({ name, type: base.fieldTypes[index]!, typmod: -1 }));
  throw new DbError(
    'feature_not_supported',
    'could not determine row type for result of json_populate_record',
    {
      hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.',
    },
  );
}

const parseText = (context: FunctionContext, text: string): JsonValue =>
  (context.typeSupport(OID.JSONB).input(text, -1, context.format) as Jsonb).value;

function requireObject(value: JsonValue, name: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalidParameter(
    isJsonArray(value) ? `cannot call ${name} on an array` : `cannot call ${name} on a scalar`,
  );
}

/** Refuses a first argument that is no row; which type it has shows when the function is called. */
function requireRow(context: FunctionContext, site: CallSite, name: string): void {
  const type = site.argumentTypes[0]!;
  if (type === OID.RECORD || type === OID.UNKNOWN || context.typeSupport(type).compositeFields !== undefined)
    return;
  throw new DbError('datatype_mismatch', `first argument of ${name} must be a row type`);
}

function populate(isBinary: boolean, hasBase: boolean, name: string) {
  return (context: FunctionContext, site: CallSite): Implementation =>
    ((...args: Datum[]) => {
      if (hasBase) requireRow(context, site, name);
      const base = hasBase ? (args[0] as SqlRecord | null) : null;
      const source = args[hasBase ? 1 : 0];
      if (source === null || source === undefined) return base;
      const value = isBinary ? (source as Jsonb).value : parseText(context, source as string);
      if (value === null) return base;
      return objectToRecord(
        requireObject(value, name),
        site.resultType,
        targetColumns(context, site, base),
        base,
        context,
      );
    }) as unknown as Implementation;
}

const bound = boundTable({
  to_json: (context, site) => (value: Datum) => toJsonText(value, site.argumentTypes[0]!, context),
  to_jsonb: (context, site) => (value: Datum) =>
    new Jsonb(toJsonValue(value, site.argumentTypes[0]!, context)),
  array_to_json: (context) => (array: SqlArray) => arrayText(array, context),
  array_to_json_pretty: (context) => (array: SqlArray, isPretty: boolean) =>
    arrayText(array, context, isPretty),
  row_to_json: (context) => (record: SqlRecord) => recordText(record, context),
  row_to_json_pretty: (context) => (record: SqlRecord, isPretty: boolean) =>
    recordText(record, context, isPretty),
  json_build_array:
    (context, site) =>
    (...args: Datum[]) => {
      const given = anyArguments(site, args);
      return given === null
        ? null
        : `[${given.values.map((value, index) => toJsonText(value, given.types[index]!, context)).join(', ')}]`;
    },
  jsonb_build_array:
    (context, site) =>
    (...args: Datum[]) => {
      const given = anyArguments(site, args);
      return given === null
        ? null
        : new Jsonb(given.values.map((value, index) => toJsonValue(value, given.types[index]!, context)));
    },
  json_build_object:
    (context, site) =>
    (...args: Datum[]) => {
      const given = anyArguments(site, args);
      if (given === null) return null;
      checkPairs(given.values.length, 'json_build_object');
      const parts: string[] = [];
      for (let index = 0; index < given.values.length; index += 2) {
        const key = buildKey(given.values[index]!, given.types[index]!, index + 1, context);
        parts.push(
          `${quoteJson(key)} : ${toJsonText(given.values[index + 1]!, given.types[index + 1]!, context)}`,
        );
      }
      return `{${parts.join(', ')}}`;
    },
  jsonb_build_object:
    (context, site) =>
    (...args: Datum[]) => {
      const given = anyArguments(site, args);
      if (given === null) return null;
      checkPairs(given.values.length, 'jsonb_build_object');
      const pairs: [string, JsonValue][] = [];
      for (let index = 0; index < given.values.length; index += 2) {
        const key = buildKey(given.values[index]!, given.types[index]!, index + 1, context);
        pairs.push([key, toJsonValue(given.values[index + 1]!, given.types[index + 1]!, context)]);
      }
      return new Jsonb(makeJsonObject(pairs));
    },
  json_populate_record: populate(false, true, 'json_populate_record'),
  jsonb_populate_record: populate(true, true, 'jsonb_populate_record'),
  json_to_record: populate(false, false, 'json_to_record'),
  jsonb_to_record: populate(true, false, 'jsonb_to_record'),
});

export const jsonFunctions: FunctionTable = { ...pureTable(pure), ...bound };

function arrayNodes(text: string, name: string): readonly JsonNode[] {
  const node = jsonNodes(text);
  if (node.kind === 'array') return node.children;
  throw invalidParameter(
    node.kind === 'object' ? `cannot call ${name} on an object` : `cannot call ${name} on a scalar`,
  );
}
function objectNode(text: string, name: string): JsonNode {
  const node = jsonNodes(text);
  if (node.kind === 'object') return node;
  throw invalidParameter(
    node.kind === 'array' ? `cannot call ${name} on an array` : `cannot call ${name} on a scalar`,
  );
}
function deconstructed(text: string): JsonNode {
  const node = jsonNodes(text);
  if (node.kind === 'object') return node;
  throw invalidParameter(
    node.kind === 'array' ? 'cannot deconstruct an array as an object' : 'cannot deconstruct a scalar',
  );
}
function arrayItems(value: JsonValue): readonly JsonValue[] {
  if (isJsonArray(value)) return value;
  throw invalidParameter(
    isJsonObject(value) ? `cannot extract elements from an object` : `cannot extract elements from a scalar`,
  );
}
function objectEntries(value: JsonValue, name: string): JsonObject['entries'] {
  if (isJsonObject(value)) return value.entries;
  throw invalidParameter(`cannot call ${name} on a non-object`);
}

function recordset(isBinary: boolean, hasBase: boolean, name: string): SetFunction {
  return setFunction(
    true,
    (context, site) =>
      function* (...args: Datum[]): Generator<readonly Datum[]> {
        if (hasBase) requireRow(context, site, name);
        const base = hasBase ? (args[0] as SqlRecord | null) : null;
        const source = args[hasBase ? 1 : 0];
        if (source === null || source === undefined) return;
        const value = isBinary ? (source as Jsonb).value : parseText(context, source as string);
        if (!isJsonArray(value)) {
          throw invalidParameter(
            isJsonObject(value) ? `cannot call ${name} on an object` : `cannot call ${name} on a scalar`,
          );
        }
        const columns = targetColumns(context, site, base);
        for (const item of value) {
          if (!isJsonObject(item)) throw invalidParameter(`argument of ${name} must be an array of objects`);
          yield objectToRecord(item, site.resultType, columns, base, context).fields;
        }
      },
  );
}

export const jsonSetFunctions: Record<string, SetFunction> = {
  json_array_elements: setFunction(
    false,
    () => (text: string) => arrayNodes(text, 'json_array_elements').map((node) => nodeText(text, node)),
  ),
  json_array_elements_text: setFunction(
    false,
    () => (text: string) => arrayNodes(text, 'json_array_elements_text').map((node) => nodePlain(text, node)),
  ),
  jsonb_array_elements: setFunction(
    false,
    () => (value: Jsonb) => arrayItems(value.value).map((item) => new Jsonb(item)),
  ),
  jsonb_array_elements_text: setFunction(
    false,
    () => (value: Jsonb) => arrayItems(value.value).map(plainText),
  ),
  json_object_keys: setFunction(false, () => (text: string) => objectNode(text, 'json_object_keys').keys),
  jsonb_object_keys: setFunction(false, () => (value: Jsonb) => {
    if (isJsonArray(value.value)) throw invalidParameter('cannot call jsonb_object_keys on an array');
    if (!isJsonObject(value.value)) throw invalidParameter('cannot call jsonb_object_keys on a scalar');
    return value.value.entries.map(([key]) => key);
  }),
  json_each: setFunction(true, () => (text: string) => {
    const node = deconstructed(text);
    return node.keys.map((key, index) => [key, nodeText(text, node.children[index]!)]);
  }),
  json_each_text: setFunction(true, () => (text: string) => {
    const node = deconstructed(text);
    return node.keys.map((key, index) => [key, nodePlain(text, node.children[index])]);
  }),
  jsonb_each: setFunction(
    true,
    () => (value: Jsonb) =>
      objectEntries(value.value, 'jsonb_each').map(([key, item]) => [key, new Jsonb(item)]),
  ),
  jsonb_each_text: setFunction(
    true,
    () => (value: Jsonb) =>
      objectEntries(value.value, 'jsonb_each_text').map(([key, item]) => [key, plainText(item)]),
  ),
  json_populate_recordset: recordset(false, true, 'json_populate_recordset'),
  jsonb_populate_recordset: recordset(true, true, 'jsonb_populate_recordset'),
  json_to_recordset: recordset(false, false, 'json_to_recordset'),
  jsonb_to_recordset: recordset(true, false, 'jsonb_to_recordset'),
};
