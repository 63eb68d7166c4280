/** What a zone map alone decides about a predicate. Pure; no block is read. */
import { compareBytes, startsWith } from '../byte-order.ts';
import type { ColumnPredicate, PhysicalValue, ZoneMap } from '../contract.ts';

/** Physical order: integers by value, NaN greatest and -0 = 0, bytes by memcmp. Both values are of one physical type. */
export function compareValues(left: PhysicalValue, right: PhysicalValue): number {
  if (left instanceof Uint8Array) return compareBytes(left, right as Uint8Array);
  if (typeof left === 'number') {
    const other = right as number;
    if (left < other) return -1;
    if (left > other) return 1;
    if (left === other) return 0;
    return Number.isNaN(left) ? (Number.isNaN(other) ? 0 : 1) : -1;
  }
  return left < (right as bigint) ? -1 : left > (right as bigint) ? 1 : 0;
}

/** `none`: no row can satisfy it; `all`: every row does; `some`: the rows must be looked at. */
export type ZoneVerdict = 'none' | 'some' | 'all';

/** Judges one predicate by the zone map of its column in a segment of `rowCount` rows. */
export function judgeZone(zone: ZoneMap, rowCount: number, predicate: ColumnPredicate): ZoneVerdict {
  if (predicate.kind === 'isNull')
    return zone.nullCount === 0 ? 'none' : zone.nullCount === rowCount ? 'all' : 'some';
  if (predicate.kind === 'isNotNull')
    return zone.nullCount === rowCount ? 'none' : zone.nullCount === 0 ? 'all' : 'some';
  if (zone.min === null || zone.max === null) return 'none';
  const verdict = judgeBounds(zone, zone.min, zone.max, predicate);
  // A NULL satisfies nothing, so `all` needs a column without NULLs.
  return verdict === 'all' && zone.nullCount > 0 ? 'some' : verdict;
}

function judgeBounds(
  zone: ZoneMap,
  min: PhysicalValue,
  max: PhysicalValue,
  predicate: Exclude<ColumnPredicate, { kind: 'isNull' | 'isNotNull' }>,
): ZoneVerdict {
  switch (predicate.kind) {
    case 'test': {
      if (!zone.minExact || !zone.maxExact || compareValues(min, max) !== 0) return 'some';
      // Values equal in order may differ in their bytes only for floats (-0 and 0).
      if (typeof min === 'number' && min === 0) return 'some';
      return predicate.test(min) ? 'all' : 'none';
    }
    case 'compare': {
      const { value } = predicate;
      const low = compareValues(value, min);
      const high = compareValues(value, max);
      const isConstant = zone.minExact && zone.maxExact && compareValues(min, max) === 0;
      switch (predicate.operator) {
        case '=':
          return low < 0 || high > 0 ? 'none' : isConstant ? 'all' : 'some';
        case '<>':
          return low < 0 || high > 0 ? 'all' : isConstant ? 'none' : 'some';
        case '<':
          return low <= 0 ? 'none' : high > 0 ? 'all' : 'some';
        case '<=':
          return low < 0 ? 'none' : high >= 0 ? 'all' : 'some';
        case '>':
          return high >= 0 ? 'none' : low < 0 ? 'all' : 'some';
        case '>=':
          return high > 0 ? 'none' : low <= 0 ? 'all' : 'some';
      }
      break;
    }
    case 'range': {
      const lowMax = compareValues(predicate.low, max);
      const highMin = compareValues(predicate.high, min);
      if (lowMax > 0 || (lowMax === 0 && !predicate.lowInclusive)) return 'none';
      if (highMin < 0 || (highMin === 0 && !predicate.highInclusive)) return 'none';
      const lowMin = compareValues(predicate.low, min);
      const highMax = compareValues(predicate.high, max);
      const coversLow = lowMin < 0 || (lowMin === 0 && predicate.lowInclusive);
      const coversHigh = highMax > 0 || (highMax === 0 && predicate.highInclusive);
      return coversLow && coversHigh ? 'all' : 'some';
    }
    case 'in': {
      const possible = predicate.values.filter(
        (value) => compareValues(value, min) >= 0 && compareValues(value, max) <= 0,
      );
      if (possible.length === 0) return 'none';
      return zone.minExact && zone.maxExact && compareValues(min, max) === 0 ? 'all' : 'some';
    }
    case 'prefix': {
      const { prefix } = predicate;
      if (compareBytes(max as Uint8Array, prefix) < 0) return 'none';
      if (compareBytes(min as Uint8Array, prefix) > 0 && !startsWith(min as Uint8Array, prefix))
        return 'none';
      return startsWith(min as Uint8Array, prefix) && startsWith(max as Uint8Array, prefix) && zone.maxExact
        ? 'all'
        : 'some';
    }
  }
}

/** True when some predicate of the conjunction can hold for no row. `zones` by column position. */
export function canSkip(
  zoneOf: (column: number) => ZoneMap | null,
  rowCount: number,
  predicates: readonly ColumnPredicate[],
): boolean {
  for (const predicate of predicates) {
    const zone = zoneOf(predicate.column);
    if (zone !== null && judgeZone(zone, rowCount, predicate) === 'none') return true;
  }
  return false;
}
