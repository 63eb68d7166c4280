/** Functions and operators over money. */
import { DbError } from '../../base/error.ts';
import {
  checkMoney,
  MONEY_DIGITS,
  moneyDivisionByZero,
  moneyFromFloat,
  moneyWords,
} from '../../types/money.ts';
import type { Numeric } from '../../types/numeric.ts';
import { makeNumeric, numericMultiply } from '../../types/numeric-core.ts';
import { numericToInteger } from '../../types/numeric-text.ts';
import { comparisonSet } from './comparison-set.ts';
import { type FunctionTable, pureTable } from './registry.ts';

const order = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0);

function fromInteger(value: bigint): bigint {
  const cents = value * 100n;
  if (BigInt.asIntN(64, cents) !== cents)
    throw new DbError('numeric_value_out_of_range', 'bigint out of range');
  return cents;
}

function divideInteger(value: bigint, divisor: bigint): bigint {
  if (divisor === 0n) throw moneyDivisionByZero();
  return checkMoney(value / divisor);
}

function divideFloat(value: bigint, divisor: number): bigint {
  if (divisor === 0) throw moneyDivisionByZero();
  return moneyFromFloat(Number(value) / divisor);
}

export const moneyFunctions: FunctionTable = pureTable({
  ...comparisonSet<bigint>(['cash_eq', 'cash_ne', 'cash_lt', 'cash_le', 'cash_gt', 'cash_ge'], order),
  cash_cmp: order,
  cashlarger: (left: bigint, right: bigint) => (left > right ? left : right),
  cashsmaller: (left: bigint, right: bigint) => (left < right ? left : right),
  cash_pl: (left: bigint, right: bigint) => checkMoney(left + right),
  cash_mi: (left: bigint, right: bigint) => checkMoney(left - right),
  cash_mul_int8: (value: bigint, factor: bigint) => checkMoney(value * factor),
  cash_mul_int4: (value: bigint, factor: number) => checkMoney(value * BigInt(factor)),
  cash_mul_int2: (value: bigint, factor: number) => checkMoney(value * BigInt(factor)),
  int8_mul_cash: (factor: bigint, value: bigint) => checkMoney(value * factor),
  int4_mul_cash: (factor: number, value: bigint) => checkMoney(value * BigInt(factor)),
  int2_mul_cash: (factor: number, value: bigint) => checkMoney(value * BigInt(factor)),
  cash_div_int8: divideInteger,
  cash_div_int4: (value: bigint, divisor: number) => divideInteger(value, BigInt(divisor)),
  cash_div_int2: (value: bigint, divisor: number) => divideInteger(value, BigInt(divisor)),
  cash_mul_flt8: (value: bigint, factor: number) => moneyFromFloat(Number(value) * factor),
  cash_mul_flt4: (value: bigint, factor: number) => moneyFromFloat(Number(value) * factor),
  flt8_mul_cash: (factor: number, value: bigint) => moneyFromFloat(Number(value) * factor),
  flt4_mul_cash: (factor: number, value: bigint) => moneyFromFloat(Number(value) * factor),
  cash_div_flt8: divideFloat,
  cash_div_flt4: divideFloat,
  cash_div_cash: (left: bigint, right: bigint) => {
    if (right === 0n) throw moneyDivisionByZero();
    return Number(left) / Number(right);
  },
  cash_words: moneyWords,
  cash_numeric: (value: bigint) => makeNumeric(value, MONEY_DIGITS),
  numeric_cash: (value: Numeric) =>
    numericToInteger(numericMultiply(value, makeNumeric(100, 0)), 'bigint') as bigint,
  int4_cash: (value: number) => fromInteger(BigInt(value)),
  int8_cash: fromInteger,
});
