/** Scan predicates in the two forms the table evaluates: pushed to base readers, and on single delta rows. */
import type { Datum } from '../types/datum.ts';
import { isPhysicalEquality, isPhysicalOrder, type PhysicalValue } from './column-codec.ts';
import type { ComparisonOperator, ScanPredicate } from './contract.ts';
import { holds } from './memory-segment.ts';
import type { BasePredicate } from './region.ts';
import type { RowStore } from './row-store.ts';

/** Lists of more values are looked up in a set. */
const COMPARED_MAX = 8;

/** A predicate over one value; the value may be NULL. */
export type ValueTest = (value: Datum) => boolean;

/** One scan predicate, compiled. */
export interface CompiledPredicate {
  readonly column: number;
  readonly test: ValueTest;
  /** For base readers; null when the physical form cannot decide it, then `test` runs on decoded values. */
  readonly pushed: BasePredicate | null;
}

export function compilePredicates(
  store: RowStore,
  predicates: readonly ScanPredicate[],
): CompiledPredicate[] {
  return predicates.map((predicate) => compile(store, predicate));
}

function compile(store: RowStore, predicate: ScanPredicate): CompiledPredicate {
  const { column } = predicate;
  if (column < 0) return { column, test: valueTest(store, predicate), pushed: null };
  const test = valueTest(store, predicate);
  return { column, test, pushed: push(store, predicate) ?? pushTest(store, column, test) };
}

/** What bytes cannot decide by comparison is decided on the decoded value, once per distinct value of a dictionary. */
function pushTest(store: RowStore, column: number, test: ValueTest): BasePredicate | null {
  const codec = store.codecs[column];
  if (codec === null) return null;
  return { column, kind: 'test', test: (value) => test(codec.fromPhysical(value)) };
}

function push(store: RowStore, predicate: ScanPredicate): BasePredicate | null {
  const { column } = predicate;
  const definition = store.schema.columns[column];
  const codec = store.codecs[column];
  if (codec === null) return null;
  if (predicate.operator === 'is null') return { column, kind: 'isNull' };
  if (predicate.operator === 'is not null') return { column, kind: 'isNotNull' };
  const { support } = definition;
  if (predicate.operator === 'in') {
    if (!isPhysicalEquality(support, codec.physical)) return null;
    const values: PhysicalValue[] = [];
    for (const value of predicate.values) {
      if (value === null) continue;
      const physical = codec.toPhysical(value);
      // A value the column cannot hold equals none of its values.
      if (physical !== null) values.push(physical);
    }
    return { column, kind: 'in', values };
  }
  const comparison = predicate as { operator: ComparisonOperator | '<>'; value: Datum };
  const isEquality = comparison.operator === '=' || comparison.operator === '<>';
  if (isEquality ? !isPhysicalEquality(support, codec.physical) : !isPhysicalOrder(support, codec.physical))
    return null;
  const value = codec.toPhysical(comparison.value);
  return value === null ? null : { column, kind: 'compare', operator: comparison.operator, value };
}

function valueTest(store: RowStore, predicate: ScanPredicate): ValueTest {
  const { operator } = predicate;
  if (operator === 'is null') return (value) => value === null;
  if (operator === 'is not null') return (value) => value !== null;
  const compare = orderOf(store, predicate.column);
  if (operator === 'in') {
    const values = predicate.values.filter((item) => item !== null);
    if (values.length > COMPARED_MAX && predicate.column >= 0) {
      const { support } = store.schema.columns[predicate.column];
      const keys = new Set(values.map((item) => support.hashKey(item)));
      return (value) => value !== null && keys.has(support.hashKey(value));
    }
    return (value) => value !== null && values.some((item) => compare(value, item) === 0);
  }
  const constant = (predicate as { value: Datum }).value;
  const primitive = primitiveTest(operator as ComparisonOperator | '<>', constant);
  if (primitive !== null) return primitive;
  return (value) => value !== null && holds(compare(value, constant), operator as ComparisonOperator | '<>');
}

/** Numbers (without NaN) and bigints compare natively. */
function primitiveTest(operator: ComparisonOperator | '<>', constant: Datum): ValueTest | null {
  if (typeof constant === 'bigint' || (typeof constant === 'number' && Number.isInteger(constant))) {
    const bound = constant as number;
    switch (operator) {
      case '=':
        return (value) => value === bound;
      case '<>':
        return (value) => value !== null && value !== bound;
      case '<':
        return (value) => value !== null && (value as number) < bound;
      case '<=':
        return (value) => value !== null && (value as number) <= bound;
      // NaN is greater than every number.
      case '>':
        return (value) => value !== null && ((value as number) > bound || Number.isNaN(value));
      case '>=':
        return (value) => value !== null && ((value as number) >= bound || Number.isNaN(value));
    }
  }
  return null;
}

function orderOf(store: RowStore, column: number): (left: Datum, right: Datum) => number {
  if (column < 0)
    return (left, right) => ((left as number) < (right as number) ? -1 : left === right ? 0 : 1);
  const { support } = store.schema.columns[column];
  return (left, right) => {
    if (support.compare !== undefined) return support.compare(left, right);
    const leftKey = support.hashKey(left);
    const rightKey = support.hashKey(right);
    return leftKey === rightKey ? 0 : leftKey < rightKey ? -1 : 1;
  };
}
