/**
 * Columns as small codes: what compiled pipelines and grouping want. A frame's code gives the value by one multiplication and addition, a
 * dictionary's (or constant's) by a table; both fit one, two or four bytes where the value would take eight or be a string.
 */
import type { CodeForm, PhysicalValue } from '../contract.ts';
import { check } from '../corruption.ts';
import { ConstantBytes, ConstantFloats, ConstantIntegers } from '../encoding/constant.ts';
import { DictionaryBytes, DictionaryFloats, DictionaryIntegers } from '../encoding/dictionary.ts';
import { FrameNode } from '../encoding/frame.ts';
import type { OpenColumn } from './column-decode.ts';

function bytesFor(largest: number): 1 | 2 | 4 {
  return largest < 256 ? 1 : largest < 65_536 ? 2 : 4;
}

/** Null when the encoding has no codes: then read values. */
export function codeFormOf(column: OpenColumn): CodeForm | null {
  const { node } = column.root;
  const hasNulls = column.validity !== null;
  if (node instanceof FrameNode) {
    if (node.width > 32) return null;
    const largest = 2 ** node.width - 1;
    const { base, factor } = node;
    return { codeBytes: bytesFor(largest), largest, base, factor, values: null, hasNulls };
  }
  const isLarge = column.physical === 'int64' || column.physical === 'decimal64';
  let values: PhysicalValue[];
  if (node instanceof ConstantIntegers) values = [isLarge ? node.bigintAt() : node.numberAt()];
  else if (node instanceof ConstantFloats) values = [node.at()];
  else if (node instanceof ConstantBytes) values = [node.at().slice()];
  else if (node instanceof DictionaryIntegers)
    values = Array.from({ length: node.values.count }, (_, code) =>
      isLarge ? node.values.bigintAt(code) : node.values.numberAt(code),
    );
  else if (node instanceof DictionaryFloats)
    values = Array.from({ length: node.values.count }, (_, code) => node.values.at(code));
  else if (node instanceof DictionaryBytes)
    values = Array.from({ length: node.values.count }, (_, code) => node.valueOfCode(code).slice());
  else return null;
  const largest = values.length - 1;
  return { codeBytes: bytesFor(largest), largest, base: 0n, factor: 1n, values, hasNulls };
}

/** Codes of rows [start, end) into target[0...]; the target's elements must hold `CodeForm.largest`. */
export function readCodes(
  column: OpenColumn,
  start: number,
  end: number,
  target: Uint8Array | Uint16Array | Uint32Array,
): void {
  const { node } = column.root;
  if (node instanceof FrameNode) node.decodeCodes(start, end, target, 0);
  else if (
    node instanceof DictionaryIntegers ||
    node instanceof DictionaryFloats ||
    node instanceof DictionaryBytes
  ) {
    node.codes.decode32(start, end, target, 0);
    const size = node.values.count;
    // Consumers index tables without a check of their own.
    let isInside = true;
    for (let index = 0; index < end - start; index++) if (target[index]! >= size) isInside = false;
    check(isInside, `dictionary code beyond ${size} values`);
  } else {
    check(
      node instanceof ConstantIntegers || node instanceof ConstantFloats || node instanceof ConstantBytes,
      'column without codes',
    );
    target.fill(0, 0, end - start);
  }
}

/** Codes of chosen rows into target[0...]. */
export function gatherCodes(
  column: OpenColumn,
  positions: Uint16Array,
  count: number,
  target: Uint8Array | Uint16Array | Uint32Array,
): void {
  if (count === 0) return;
  let first = positions[0]!;
  let last = first;
  for (let index = 1; index < count; index++) {
    const row = positions[index]!;
    if (row < first) first = row;
    if (row > last) last = row;
  }
  check(last < column.count, `row ${last} of ${column.count}`);
  if (last - first + 1 === count && positions[count - 1] === last && isAscending(positions, count)) {
    readCodes(column, first, last + 1, target);
    return;
  }
  if (count * 8 >= last - first + 1) {
    if (span.length < last - first + 1) span = new Uint32Array(last - first + 1);
    readCodes(column, first, last + 1, span);
    for (let index = 0; index < count; index++) target[index] = span[positions[index]! - first]!;
    return;
  }
  for (let index = 0; index < count; index++) {
    readCodes(column, positions[index]!, positions[index]! + 1, one);
    target[index] = one[0]!;
  }
}

let span = new Uint32Array(4096);
const one = new Uint32Array(1);

function isAscending(positions: Uint16Array, count: number): boolean {
  for (let index = 1; index < count; index++)
    if (positions[index]! !== positions[index - 1]! + 1) return false;
  return true;
}
