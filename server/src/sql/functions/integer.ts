/** Arithmetic, bit operations and casts of int2, int4, int8 and the oid family. */
import { DbError } from '../../base/error.ts';
import { Numeric } from '../../types/numeric.ts';
import { makeNumeric } from '../../types/numeric-core.ts';
import { numericFactorial } from '../../types/numeric-functions.ts';
import { byteToSingleChar, parseSingleChar, singleCharToByte } from '../../types/scalars.ts';
import { type Implementation, pureTable } from './registry.ts';

export function rangeError(type: string): DbError {
  return new DbError('numeric_value_out_of_range', `${type} out of range`);
}
function zeroError(): DbError {
  return new DbError('division_by_zero', 'division by zero');
}

function int2(value: number): number {
  if (value > 32767 || value < -32768) throw rangeError('smallint');
  return value;
}
function int4(value: number): number {
  if (value > 2147483647 || value < -2147483648) throw rangeError('integer');
  return value;
}
function int8(value: bigint): bigint {
  // This form compiles to one comparison of machine words.
  if (BigInt.asIntN(64, value) !== value) throw rangeError('bigint');
  return value;
}

/** Product of two int4: exact as a double below 2^53, and anything larger is out of range anyway. */
function multiply4(left: number, right: number): number {
  return int4(left * right + 0);
}
function divide(left: number, right: number): number {
  if (right === 0) throw zeroError();
  return Math.trunc(left / right) + 0;
}
function divide8(left: bigint, right: bigint): bigint {
  if (right === 0n) throw zeroError();
  return int8(left / right);
}
function modulo(left: number, right: number): number {
  if (right === 0) throw zeroError();
  return (left % right) + 0;
}
function modulo8(left: bigint, right: bigint): bigint {
  if (right === 0n) throw zeroError();
  return left % right;
}

function gcd(left: number, right: number): number {
  let a = Math.abs(left);
  let b = Math.abs(right);
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
function gcd8(left: bigint, right: bigint): bigint {
  let a = left < 0n ? -left : left;
  let b = right < 0n ? -right : right;
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** The eight-byte family with one narrower side: converted, then computed. */
function wide(name: string, leftNarrow: boolean, rightNarrow: boolean): Record<string, Implementation> {
  const l = leftNarrow
    ? (value: number | bigint) => BigInt(value)
    : (value: number | bigint) => value as bigint;
  const r = rightNarrow
    ? (value: number | bigint) => BigInt(value)
    : (value: number | bigint) => value as bigint;
  type Side = number | bigint;
  return {
    [`${name}pl`]: (left: Side, right: Side) => int8(l(left) + r(right)),
    [`${name}mi`]: (left: Side, right: Side) => int8(l(left) - r(right)),
    [`${name}mul`]: (left: Side, right: Side) => int8(l(left) * r(right)),
    [`${name}div`]: (left: Side, right: Side) => divide8(l(left), r(right)),
  };
}

function narrow(name: string, check: (value: number) => number): Record<string, Implementation> {
  return {
    [`${name}pl`]: (left: number, right: number) => check(left + right),
    [`${name}mi`]: (left: number, right: number) => check(left - right),
    [`${name}mul`]: (left: number, right: number) => check(left * right + 0),
    [`${name}div`]: (left: number, right: number) => check(divide(left, right)),
  };
}

const shift16 = (value: number): number => (value << 16) >> 16;

export const integerFunctions = pureTable({
  ...narrow('int2', int2),
  ...narrow('int4', int4),
  ...narrow('int24', int4),
  ...narrow('int42', int4),
  int4mul: multiply4,
  ...wide('int28', true, false),
  ...wide('int82', false, true),
  ...wide('int48', true, false),
  ...wide('int84', false, true),
  int8pl: (left: bigint, right: bigint) => int8(left + right),
  int8mi: (left: bigint, right: bigint) => int8(left - right),
  int8mul: (left: bigint, right: bigint) => int8(left * right),
  int8div: divide8,
  int2mod: modulo,
  int4mod: modulo,
  int8mod: modulo8,
  int2um: (value: number) => int2(0 - value),
  int4um: (value: number) => int4(0 - value),
  int8um: (value: bigint) => int8(-value),
  int2up: (value: number) => value,
  int4up: (value: number) => value,
  int8up: (value: bigint) => value,
  int2abs: (value: number) => int2(Math.abs(value)),
  int4abs: (value: number) => int4(Math.abs(value)),
  int8abs: (value: bigint) => int8(value < 0n ? -value : value),
  int4inc: (value: number) => int4(value + 1),
  int8inc: (value: bigint) => int8(value + 1n),
  int8inc_any: (value: bigint) => int8(value + 1n),
  int8inc_float8_float8: (value: bigint) => int8(value + 1n),
  int8dec_any: (value: bigint) => int8(value - 1n),
  int8dec: (value: bigint) => int8(value - 1n),
  int2and: (left: number, right: number) => left & right,
  int2or: (left: number, right: number) => left | right,
  int2xor: (left: number, right: number) => left ^ right,
  int2not: (value: number) => ~value,
  int2shl: (value: number, count: number) => shift16(value << count),
  int2shr: (value: number, count: number) => shift16(value >> count),
  int4and: (left: number, right: number) => left & right,
  int4or: (left: number, right: number) => left | right,
  int4xor: (left: number, right: number) => left ^ right,
  int4not: (value: number) => ~value,
  int4shl: (value: number, count: number) => value << count,
  int4shr: (value: number, count: number) => value >> count,
  int8and: (left: bigint, right: bigint) => left & right,
  int8or: (left: bigint, right: bigint) => left | right,
  int8xor: (left: bigint, right: bigint) => left ^ right,
  int8not: (value: bigint) => ~value,
  int8shl: (value: bigint, count: number) => BigInt.asIntN(64, value << BigInt(count & 63)),
  int8shr: (value: bigint, count: number) => value >> BigInt(count & 63),
  int4gcd: (left: number, right: number) => int4(gcd(left, right)),
  int4lcm: (left: number, right: number) => {
    if (left === 0 || right === 0) return 0;
    return int4(Math.abs((left / gcd(left, right)) * right));
  },
  int8gcd: (left: bigint, right: bigint) => int8(gcd8(left, right)),
  int8lcm: (left: bigint, right: bigint) => {
    if (left === 0n || right === 0n) return 0n;
    const product = (left / gcd8(left, right)) * right;
    return int8(product < 0n ? -product : product);
  },
  numeric_fac: (value: bigint) => numericFactorial(value),
  // casts
  i2toi4: (value: number) => value,
  i4toi2: (value: number) => int2(value),
  int28: (value: number) => BigInt(value),
  int48: (value: number) => BigInt(value),
  int82: (value: bigint) => {
    if (value > 32767n || value < -32768n) throw rangeError('smallint');
    return Number(value);
  },
  int84: (value: bigint) => {
    if (value > 2147483647n || value < -2147483648n) throw rangeError('integer');
    return Number(value);
  },
  i8tooid: (value: bigint) => {
    if (value < 0n || value > 4294967295n)
      throw new DbError('numeric_value_out_of_range', 'OID out of range');
    return Number(value);
  },
  oidtoi8: (value: number) => BigInt(value),
  i2tod: (value: number) => value,
  i2tof: (value: number) => value,
  i4tod: (value: number) => value,
  i4tof: (value: number) => Math.fround(value),
  i8tod: (value: bigint) => Number(value),
  i8tof: (value: bigint) => Math.fround(Number(value)),
  int2_numeric: (value: number) => new Numeric(value, 0),
  int4_numeric: (value: number) => new Numeric(value, 0),
  int8_numeric: (value: bigint) => makeNumeric(value, 0),
  int4_bool: (value: number) => value !== 0,
  bool_int4: (value: boolean) => (value ? 1 : 0),
  chartoi4: (value: string) => (singleCharToByte(value) << 24) >> 24,
  i4tochar: (value: number) => {
    if (value < -128 || value > 127) throw new DbError('numeric_value_out_of_range', '"char" out of range');
    return byteToSingleChar(value & 255);
  },
  text_char: (text: string) => parseSingleChar(text),
  xid8toxid: (value: bigint) => Number(value & 0xffffffffn),
  to_hex32: (value: number) => (value >>> 0).toString(16),
  to_hex64: (value: bigint) => BigInt.asUintN(64, value).toString(16),
});
