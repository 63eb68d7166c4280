/** Which builtin functions (by pg_proc oid) pipelines compute themselves, and as what. */
import type { ArithmeticOperator, CompareOperator, IntegerBounds } from './spec.ts';

export type BuiltinKind =
  | { readonly kind: 'arithmetic'; readonly op: ArithmeticOperator; readonly bounds: IntegerBounds }
  | { readonly kind: 'decimal'; readonly op: 'add' | 'sub' | 'mul' }
  | { readonly kind: 'float'; readonly op: 'add' | 'sub' | 'mul' | 'div' }
  | { readonly kind: 'negate'; readonly bounds: IntegerBounds | null }
  /** `dates`: the side that is a date and is compared with a timestamp. */
  | { readonly kind: 'compare'; readonly operator: CompareOperator; readonly dates: 'left' | 'right' | null }
  /** Integer types among each other, widening: nothing happens to the value. */
  | { readonly kind: 'widen' }
  | { readonly kind: 'toDecimal' }
  | { readonly kind: 'toFloat' }
  | { readonly kind: 'dateToTimestamp' };

const table = new Map<number, BuiltinKind>();

function arithmetic(op: ArithmeticOperator, bounds: IntegerBounds, ...oids: number[]): void {
  for (const oid of oids) table.set(oid, { kind: 'arithmetic', op, bounds });
}

// int2pl … int84mul: the wider operand gives the bounds.
arithmetic('add', 'int2', 176);
arithmetic('add', 'int4', 177, 178, 179);
arithmetic('add', 'int8', 463, 837, 841, 1274, 1278);
arithmetic('sub', 'int2', 180);
arithmetic('sub', 'int4', 181, 182, 183);
arithmetic('sub', 'int8', 464, 838, 942, 1275, 1279);
arithmetic('mul', 'int2', 152);
arithmetic('mul', 'int4', 141, 170, 171);
arithmetic('mul', 'int8', 465, 839, 943, 1276, 1280);
arithmetic('div', 'int2', 153);
arithmetic('div', 'int4', 154, 172, 173);
arithmetic('div', 'int8', 466, 840, 948, 1277, 1281);
// int2mod and mod …
arithmetic('mod', 'int2', 155, 940);
arithmetic('mod', 'int4', 156, 941);
arithmetic('mod', 'int8', 945, 947);
// date_pli, date_mii; date_mi gives int4.
arithmetic('add', 'date', 1141);
arithmetic('sub', 'date', 1142);
arithmetic('sub', 'int4', 1140);

table.set(1724, { kind: 'decimal', op: 'add' });
table.set(1725, { kind: 'decimal', op: 'sub' });
table.set(1726, { kind: 'decimal', op: 'mul' });
table.set(218, { kind: 'float', op: 'add' });
table.set(219, { kind: 'float', op: 'sub' });
table.set(216, { kind: 'float', op: 'mul' });
table.set(217, { kind: 'float', op: 'div' });
table.set(213, { kind: 'negate', bounds: 'int2' });
table.set(212, { kind: 'negate', bounds: 'int4' });
table.set(462, { kind: 'negate', bounds: 'int8' });
table.set(1771, { kind: 'negate', bounds: null });
table.set(220, { kind: 'negate', bounds: null });
// int4(int2), int8(int4), int8(int2)
for (const oid of [313, 481, 754]) table.set(oid, { kind: 'widen' });
// numeric(int4), numeric(int8), numeric(int2)
for (const oid of [1740, 1781, 1782]) table.set(oid, { kind: 'toDecimal' });
// float8 of int2, int4, int8, float4, numeric
for (const oid of [235, 316, 482, 311, 1746]) table.set(oid, { kind: 'toFloat' });
// timestamp(date)
table.set(2024, { kind: 'dateToTimestamp' });

const comparisons: Readonly<Record<CompareOperator, readonly number[]>> = {
  // int2, int4, int24, int42, int8, int84, int48, int28, int82, numeric, float8, bool, date, timestamp, timestamptz
  '=': [63, 65, 158, 159, 467, 474, 852, 1850, 1856, 1718, 293, 60, 1086, 2052, 1152],
  '<>': [145, 144, 164, 165, 468, 475, 853, 1851, 1857, 1719, 294, 84, 1091, 2053, 1153],
  '<': [64, 66, 160, 161, 469, 476, 854, 1852, 1858, 1722, 295, 56, 1087, 2054, 1154],
  '<=': [148, 149, 166, 167, 471, 478, 856, 1854, 1860, 1723, 296, 1691, 1088, 2055, 1155],
  '>': [146, 147, 162, 163, 470, 477, 855, 1853, 1859, 1720, 297, 57, 1089, 2057, 1157],
  '>=': [151, 150, 168, 169, 472, 479, 857, 1855, 1861, 1721, 298, 1692, 1090, 2056, 1156],
};
for (const [operator, oids] of Object.entries(comparisons)) {
  for (const oid of oids)
    table.set(oid, { kind: 'compare', operator: operator as CompareOperator, dates: null });
}
// date_eq_timestamp …, timestamp_eq_date …
const dateComparisons: Readonly<Record<CompareOperator, readonly [number, number]>> = {
  '=': [2340, 2366],
  '<>': [2343, 2369],
  '<': [2338, 2364],
  '<=': [2339, 2365],
  '>': [2341, 2367],
  '>=': [2342, 2368],
};
for (const [operator, [left, right]] of Object.entries(dateComparisons)) {
  table.set(left, { kind: 'compare', operator: operator as CompareOperator, dates: 'left' });
  table.set(right, { kind: 'compare', operator: operator as CompareOperator, dates: 'right' });
}

/** Null = pipelines do not know it. */
export function builtin(oid: number): BuiltinKind | null {
  return table.get(oid) ?? null;
}

/** How an aggregate's result is made of accumulators. */
export type AggregateKind =
  | 'countRows'
  | 'count'
  | 'sumInt8'
  | 'sumNumeric'
  | 'sumFloat'
  | 'avgNumeric'
  | 'avgFloat'
  | 'min'
  | 'max';

const aggregates: Readonly<Record<number, AggregateKind>> = {
  2803: 'countRows',
  2147: 'count',
  // sum of int4 and int2 is int8; of int8 and numeric numeric.
  2108: 'sumInt8',
  2109: 'sumInt8',
  2107: 'sumNumeric',
  2114: 'sumNumeric',
  2111: 'sumFloat',
  2100: 'avgNumeric',
  2101: 'avgNumeric',
  2102: 'avgNumeric',
  2103: 'avgNumeric',
  2104: 'avgFloat',
  2105: 'avgFloat',
  // int8, int4, int2, float4, float8, date, timestamp, timestamptz, numeric
  2115: 'max',
  2116: 'max',
  2117: 'max',
  2119: 'max',
  2120: 'max',
  2122: 'max',
  2126: 'max',
  2127: 'max',
  2130: 'max',
  2131: 'min',
  2132: 'min',
  2133: 'min',
  2135: 'min',
  2136: 'min',
  2138: 'min',
  2142: 'min',
  2143: 'min',
  2146: 'min',
  // text
  2129: 'max',
  2145: 'min',
};

export function aggregateKind(oid: number): AggregateKind | null {
  return aggregates[oid] ?? null;
}
