/** Arrays in expressions: constructors, ANY/ALL, casts by element, subscripts. */
import { DbError } from '../../../base/error.ts';
import type { ArrayCastExpr, ArrayExpr, ArrayOperatorExpr, SubscriptExpr } from '../../../sql/tree.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { FIXED_ARRAYS, shapeParts, withShapePart } from '../../../types/geometry/index.ts';
import type { Jsonb } from '../../../types/jsonb.ts';
import { keyOf, type MapKey } from '../keys.ts';
import { type Compiled, constant, dynamic, type Evaluate, type ExpressionCompiler } from './compile.ts';
import { assignElement, assignJson, assignSlice } from './subscript-assign.ts';

/** From this many elements on a constant `= ANY` list is probed through a set. */
const SET_ELEMENTS_MIN = 3;

export function compileArray(compiler: ExpressionCompiler, expr: ArrayExpr): Compiled {
  const compiled = expr.elements.map((element) => compiler.node(element));
  const elements = compiled.map((element) => element.run);
  const { elementType } = expr;
  const run: Evaluate = expr.multidimensional
    ? (frame) =>
        nested(
          elementType,
          elements.map((element) => element(frame)),
        )
    : (frame) =>
        new SqlArray(
          elementType,
          elements.map((element) => element(frame)),
        );
  return compiled.every((element) => element.constant) && !expr.multidimensional
    ? constant(run([]))
    : dynamic(run);
}

/** Joins arrays of equal shape into one with a dimension more. */
function nested(elementType: number, parts: readonly Datum[]): SqlArray {
  const arrays = parts.filter(
    (part): part is SqlArray => part !== null && (part as SqlArray).elements.length > 0,
  );
  if (arrays.length === 0) return new SqlArray(elementType, []);
  const first = arrays[0]!;
  for (const array of arrays) {
    const same =
      array.dimensions.length === first.dimensions.length &&
      array.dimensions.every((size, index) => size === first.dimensions[index]);
    if (!same || arrays.length !== parts.length) {
      throw new DbError(
        'array_subscript_error',
        'multidimensional arrays must have array expressions with matching dimensions',
      );
    }
  }
  const elements = arrays.flatMap((array) => [...array.elements]);
  return new SqlArray(elementType, elements, [arrays.length, ...first.dimensions]);
}

export function compileArrayOperator(compiler: ExpressionCompiler, expr: ArrayOperatorExpr): Compiled {
  const [leftExpr, rightExpr] = expr.args;
  const left = compiler.node(leftExpr).run;
  const right = compiler.node(rightExpr);
  const elementType = compiler.resolver.typeSupport(rightExpr.typeOid).elementType ?? leftExpr.typeOid;
  const resolved = compiler.resolver.scalar(expr.functionOid, {
    argumentTypes: [leftExpr.typeOid, elementType],
    resultType: 16,
    variadic: false,
    collation: 0,
  });
  const { any } = expr;
  if (right.constant && right.value === null) return constant(null);
  if (any && right.constant && compiler.resolver.operatorName(expr.operatorOid) === '=') {
    const array = right.value as SqlArray;
    if (array.elements.length >= SET_ELEMENTS_MIN && hashesEqual(resolved.source)) {
      return probe(compiler, left, leftExpr.typeOid, elementType, array, true);
    }
  }
  if (!any && right.constant && compiler.resolver.operatorName(expr.operatorOid) === '<>') {
    const array = right.value as SqlArray;
    if (array.elements.length >= SET_ELEMENTS_MIN && hashesEqual(resolved.source.replace(/ne$/, 'eq')))
      return probe(compiler, left, leftExpr.typeOid, elementType, array, false);
  }
  const call = resolved.call as (left: Datum, right: Datum) => Datum;
  const { strict } = resolved;
  const rightRun = right.run;
  return dynamic((frame) => {
    const value = left(frame);
    const array = rightRun(frame) as SqlArray | null;
    if (array === null) return null;
    let unknown = false;
    for (const element of array.elements) {
      if (strict && (value === null || element === null)) {
        unknown = true;
        continue;
      }
      const result = call(value, element);
      if (result === null) unknown = true;
      else if (result === any) return any;
    }
    return unknown ? null : !any;
  });
}

/** Equality functions whose equal values have equal hash keys. */
export function hashesEqual(source: string): boolean {
  return /^(int[248]+|oid|text|name|bpchar|date_|time_|timestamp_|numeric_|uuid_|bool|char)eq$/.test(source);
}

function probe(
  compiler: ExpressionCompiler,
  left: Evaluate,
  leftType: number,
  elementType: number,
  array: SqlArray,
  /** What a value of the list gives: true for `= ANY`, false for `<> ALL`. */
  found: boolean,
): Compiled {
  const leftKey = keyOf(leftType, () => compiler.resolver.typeSupport(leftType));
  const elementKey = keyOf(elementType, () => compiler.resolver.typeSupport(elementType));
  const keys = new Set<MapKey>();
  let hasNull = false;
  for (const element of array.elements) {
    if (element === null) hasNull = true;
    else keys.add(elementKey(element));
  }
  const missing = hasNull ? null : !found;
  return dynamic((frame) => {
    const value = left(frame);
    if (value === null) return null;
    return keys.has(leftKey(value)) ? found : missing;
  });
}

export function compileArrayCast(compiler: ExpressionCompiler, expr: ArrayCastExpr): Compiled {
  const arg = compiler.node(expr.arg).run;
  const cell: { value: Datum } = { value: null };
  compiler.caseCells.push(cell);
  const element = compiler.node(expr.element).run;
  compiler.caseCells.pop();
  const elementType = expr.element.typeOid;
  return dynamic((frame) => {
    const array = arg(frame) as SqlArray | null;
    if (array === null) return null;
    const elements = array.elements.map((value) => {
      cell.value = value;
      return element(frame);
    });
    return new SqlArray(elementType, elements, array.dimensions, array.lowerBounds);
  });
}

const JSONB = 3802;

/** `value['key'][0]`: one step per subscript; what is not there is NULL. */
function compileJsonSubscript(compiler: ExpressionCompiler, expr: SubscriptExpr): Compiled {
  if (expr.assignment !== null) {
    const container = compiler.node(expr.arg).run;
    const path = expr.upper.map((bound) => compiler.node(bound!).run);
    const part = compiler.node(expr.assignment).run;
    return dynamic((frame) =>
      assignJson(
        container(frame) as Jsonb | null,
        path.map((step) => step(frame)),
        part(frame) as Jsonb | null,
      ),
    );
  }
  let value = compiler.node(expr.arg).run;
  for (const bound of expr.upper) {
    if (bound === null || expr.lower !== null) {
      throw new DbError('datatype_mismatch', 'jsonb subscript does not support slices');
    }
    const source = bound.typeOid === 23 ? 'jsonb_array_element' : 'jsonb_object_field';
    const step = compiler.resolver.builtin(source, {
      argumentTypes: [JSONB, bound.typeOid],
      resultType: JSONB,
      variadic: false,
      collation: 0,
    });
    const container = value;
    const key = compiler.node(bound).run;
    value = (frame) => {
      const outer = container(frame);
      const subscript = key(frame);
      return outer === null || subscript === null ? null : step(outer, subscript);
    };
  }
  return dynamic(value);
}

/** `point[0]`, `box[1]` …: one-dimensional, counted from 0. */
function compileShapeSubscript(compiler: ExpressionCompiler, expr: SubscriptExpr): Compiled {
  if (expr.lower !== null)
    throw new DbError('feature_not_supported', 'slices of fixed-length arrays not implemented');
  const container = compiler.node(expr.arg).run;
  const bounds = expr.upper.map((bound) => compiler.node(bound!).run);
  const { assignment } = expr;
  const part = assignment === null ? null : compiler.node(assignment).run;
  return dynamic((frame) => {
    const value = container(frame);
    const indexes = bounds.map((bound) => bound(frame) as number | null);
    if (value === null) return null;
    const index = indexes[0] ?? null;
    if (part === null)
      return index === null || indexes.length !== 1 ? null : (shapeParts(value)[index] ?? null);
    if (index === null) {
      throw new DbError('null_value_not_allowed', 'array subscript in assignment must not be null');
    }
    if (indexes.length !== 1) throw new DbError('array_subscript_error', 'wrong number of array subscripts');
    return withShapePart(value, index, part(frame));
  });
}

export function compileSubscript(compiler: ExpressionCompiler, expr: SubscriptExpr): Compiled {
  if (expr.arg.typeOid === JSONB) return compileJsonSubscript(compiler, expr);
  if (FIXED_ARRAYS.has(expr.arg.typeOid)) return compileShapeSubscript(compiler, expr);
  const arg = compiler.node(expr.arg).run;
  const upper = expr.upper.map((bound) => (bound === null ? null : compiler.node(bound).run));
  const lower = expr.lower?.map((bound) => (bound === null ? null : compiler.node(bound).run)) ?? null;
  if (expr.assignment !== null) {
    const value = compiler.node(expr.assignment).run;
    const elementType =
      compiler.resolver.typeSupport(expr.arg.typeOid).elementType ?? expr.assignment.typeOid;
    const evaluated = (bounds: readonly (Evaluate | null)[], frame: Datum[]): (number | null)[] =>
      bounds.map((bound) => {
        if (bound === null) return null;
        const subscript = bound(frame) as number | null;
        if (subscript === null)
          throw new DbError('null_value_not_allowed', 'array subscript in assignment must not be null');
        return subscript;
      });
    return dynamic((frame) => {
      const array = (arg(frame) as SqlArray | null) ?? new SqlArray(elementType, []);
      const uppers = evaluated(upper, frame);
      if (lower === null) return assignElement(array, uppers, value(frame));
      const lowers = evaluated(lower, frame);
      return assignSlice(array, lowers, uppers, value(frame) as SqlArray | null);
    });
  }
  return dynamic((frame) => {
    const array = arg(frame) as SqlArray | string | null;
    if (array === null) return null;
    // A name is an array of single bytes counted from 0.
    if (typeof array === 'string')
      return lower === null ? (array[Number(upper[0]?.(frame) ?? -1)] ?? '') : null;
    const uppers: (number | null)[] = [];
    for (const bound of upper) {
      const value = bound === null ? null : (bound(frame) as number | null);
      if (value === null && bound !== null) return null;
      uppers.push(value);
    }
    if (lower === null) return element(array, uppers as number[]);
    const lowers: (number | null)[] = [];
    for (const bound of lower) {
      const value = bound === null ? null : (bound(frame) as number | null);
      if (value === null && bound !== null) return null;
      lowers.push(value);
    }
    return slice(array, lowers, uppers);
  });
}

function element(array: SqlArray, subscripts: readonly number[]): Datum {
  const { dimensions, lowerBounds } = array;
  if (subscripts.length !== dimensions.length) return null;
  let offset = 0;
  for (let index = 0; index < dimensions.length; index++) {
    const position = subscripts[index]! - lowerBounds[index]!;
    if (position < 0 || position >= dimensions[index]!) return null;
    offset = offset * dimensions[index]! + position;
  }
  return array.elements[offset] ?? null;
}

function slice(
  array: SqlArray,
  lowers: readonly (number | null)[],
  uppers: readonly (number | null)[],
): SqlArray {
  const { dimensions, lowerBounds, elementType } = array;
  if (dimensions.length === 0 || uppers.length > dimensions.length) return new SqlArray(elementType, []);
  const starts: number[] = [];
  const sizes: number[] = [];
  for (let index = 0; index < dimensions.length; index++) {
    const low = lowerBounds[index]!;
    const high = low + dimensions[index]! - 1;
    const from = Math.max(index < lowers.length ? (lowers[index] ?? low) : low, low);
    const to = Math.min(index < uppers.length ? (uppers[index] ?? high) : high, high);
    if (to < from) return new SqlArray(elementType, []);
    starts.push(from - low);
    sizes.push(to - from + 1);
  }
  const elements: Datum[] = [];
  const visit = (dimension: number, offset: number): void => {
    if (dimension === dimensions.length) {
      elements.push(array.elements[offset]!);
      return;
    }
    for (let position = 0; position < sizes[dimension]!; position++) {
      visit(dimension + 1, offset * dimensions[dimension]! + starts[dimension]! + position);
    }
  };
  visit(0, 0);
  return new SqlArray(elementType, elements, sizes);
}
