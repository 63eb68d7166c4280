/** Evaluates a pushed predicate on an encoded column: on codes where the encoding allows, else on decoded chunks. */
import { startsWith } from '../byte-order.ts';
import type { ColumnPredicate, PhysicalValue } from '../contract.ts';
import { ConstantBytes, ConstantIntegers } from '../encoding/constant.ts';
import {
  DictionaryBytes,
  DictionaryFloats,
  DictionaryIntegers,
  prepareCodes,
} from '../encoding/dictionary.ts';
import { keepAll } from '../encoding/filter.ts';
import {
  type BytesNode,
  type Candidates,
  CHUNK,
  type FloatNode,
  giveFloats,
  type IntegerNode,
  type IntegerTest,
  type PreparedFilter,
  takeFloats,
} from '../encoding/node.ts';
import { StringsNode } from '../encoding/strings.ts';
import { isNullAt, type OpenColumn } from './column-decode.ts';
import { memberOf } from './membership.ts';
import { compareValues } from './zone-map.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A value predicate (not IS NULL). */
type ValuePredicate = Exclude<ColumnPredicate, { kind: 'isNull' | 'isNotNull' }>;

/** Does once per column what a predicate costs, so that windows of rows can be filtered with the result. */
export function prepareFilter(column: OpenColumn, predicate: ColumnPredicate): PreparedFilter {
  if (predicate.kind === 'isNull' || predicate.kind === 'isNotNull') {
    const wanted = predicate.kind === 'isNull';
    return (candidates, selection) => keepByNull(column, selection, keepAll(candidates, selection), wanted);
  }
  const { root } = column;
  const filter =
    root.family === 'integer'
      ? predicate.kind === 'test'
        ? prepareIntegers(root.node, column, predicate.test)
        : root.node.prepare(integerTest(predicate))
      : root.family === 'float'
        ? prepareFloats(root.node, predicate)
        : prepareBytes(root.node, predicate);
  if (column.validity === null) return filter;
  return (candidates, selection) => keepByNull(column, selection, filter(candidates, selection), false);
}

function keepByNull(column: OpenColumn, selection: Uint16Array, count: number, wanted: boolean): number {
  let found = 0;
  for (let index = 0; index < count; index++) {
    const row = selection[index]!;
    selection[found] = row;
    if (isNullAt(column, row) === wanted) found++;
  }
  return found;
}

function integerTest(predicate: ValuePredicate): IntegerTest {
  const range = (low: bigint, high: bigint, negate = false): IntegerTest => ({
    kind: 'range',
    low,
    high,
    negate,
  });
  switch (predicate.kind) {
    case 'compare': {
      const value = BigInt(predicate.value as bigint | number);
      switch (predicate.operator) {
        case '=':
          return range(value, value);
        case '<>':
          return range(value, value, true);
        case '<':
          return range(INT64_MIN, value - 1n);
        case '<=':
          return range(INT64_MIN, value);
        case '>':
          return range(value + 1n, INT64_MAX);
        case '>=':
          return range(value, INT64_MAX);
      }
      break;
    }
    case 'range':
      return range(
        BigInt(predicate.low as bigint | number) + (predicate.lowInclusive ? 0n : 1n),
        BigInt(predicate.high as bigint | number) - (predicate.highInclusive ? 0n : 1n),
      );
    case 'in':
      return { kind: 'set', values: predicate.values.map((value) => BigInt(value as bigint | number)) };
    case 'prefix':
    case 'test':
      return { kind: 'set', values: [] };
  }
}

/** The test of one value, in physical order. */
export function valueTest(predicate: ValuePredicate): (value: PhysicalValue) => boolean {
  switch (predicate.kind) {
    case 'compare': {
      const { value: bound } = predicate;
      switch (predicate.operator) {
        case '=':
          return (value) => compareValues(value, bound) === 0;
        case '<>':
          return (value) => compareValues(value, bound) !== 0;
        case '<':
          return (value) => compareValues(value, bound) < 0;
        case '<=':
          return (value) => compareValues(value, bound) <= 0;
        case '>':
          return (value) => compareValues(value, bound) > 0;
        case '>=':
          return (value) => compareValues(value, bound) >= 0;
      }
      break;
    }
    case 'range':
      return (value) => {
        const low = compareValues(value, predicate.low);
        const high = compareValues(value, predicate.high);
        return (
          (predicate.lowInclusive ? low >= 0 : low > 0) && (predicate.highInclusive ? high <= 0 : high < 0)
        );
      };
    case 'in':
      return memberOf(predicate.values);
    case 'test':
      return predicate.test;
    case 'prefix':
      return (value) => startsWith(value as Uint8Array, predicate.prefix);
  }
}

/** Any test of integers, by value: once per dictionary entry, else once per row. */
function prepareIntegers(
  node: IntegerNode,
  column: OpenColumn,
  test: (value: PhysicalValue) => boolean,
): PreparedFilter {
  const isLarge = column.physical === 'int64' || column.physical === 'decimal64';
  const at = (source: IntegerNode, index: number): PhysicalValue =>
    isLarge ? source.bigintAt(index) : source.numberAt(index);
  if (node instanceof ConstantIntegers) return test(at(node, 0)) ? keepAll : () => 0;
  if (node instanceof DictionaryIntegers) {
    const wanted = new Uint8Array(node.values.count);
    for (let code = 0; code < wanted.length; code++) wanted[code] = test(at(node.values, code)) ? 1 : 0;
    return prepareCodes(node.codes, wanted);
  }
  return (candidates, selection) => {
    const count = keepAll(candidates, selection);
    let found = 0;
    for (let index = 0; index < count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (test(at(node, row))) found++;
    }
    return found;
  };
}

function prepareFloats(node: FloatNode, predicate: ValuePredicate): PreparedFilter {
  const accepts = valueTest(predicate);
  if (node instanceof DictionaryFloats) {
    const wanted = new Uint8Array(node.values.count);
    for (let code = 0; code < wanted.length; code++) wanted[code] = accepts(node.values.at(code)) ? 1 : 0;
    return prepareCodes(node.codes, wanted);
  }
  return (candidates, selection) => filterFloats(node, accepts, candidates, selection);
}

function filterFloats(
  node: FloatNode,
  accepts: (value: PhysicalValue) => boolean,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (accepts(node.at(row))) found++;
    }
    return found;
  }
  const scratch = takeFloats();
  for (let from = candidates.start; from < candidates.end; from += CHUNK) {
    const to = Math.min(candidates.end, from + CHUNK);
    node.decode(from, to, scratch, 0);
    for (let index = 0; index < to - from; index++) {
      selection[found] = from + index;
      if (accepts(scratch[index]!)) found++;
    }
  }
  giveFloats(scratch);
  return found;
}

function prepareBytes(node: BytesNode, predicate: ValuePredicate): PreparedFilter {
  const accepts = valueTest(predicate);
  if (node instanceof ConstantBytes) return accepts(node.at()) ? keepAll : () => 0;
  if (node instanceof DictionaryBytes) {
    const wanted = new Uint8Array(node.values.count);
    for (let code = 0; code < wanted.length; code++) wanted[code] = accepts(node.valueOfCode(code)) ? 1 : 0;
    return prepareCodes(node.codes, wanted);
  }
  return (candidates, selection) => filterBytes(node, accepts, candidates, selection);
}

function filterBytes(
  node: BytesNode,
  accepts: (value: PhysicalValue) => boolean,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (accepts(node.at(row))) found++;
    }
    return found;
  }
  if (node instanceof StringsNode) {
    const offsets = new Uint32Array(CHUNK + 1);
    for (let from = candidates.start; from < candidates.end; from += CHUNK) {
      const to = Math.min(candidates.end, from + CHUNK);
      const range = node.range(from, to, offsets);
      for (let index = 0; index < to - from; index++) {
        selection[found] = from + index;
        const value = range.bytes.subarray(range.from + offsets[index]!, range.from + offsets[index + 1]!);
        if (accepts(value)) found++;
      }
    }
    return found;
  }
  for (let row = candidates.start; row < candidates.end; row++) {
    selection[found] = row;
    if (accepts(node.at(row))) found++;
  }
  return found;
}
