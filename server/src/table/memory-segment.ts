/** A base reader over plain vectors: bulk rows before (or instead of) their way to disk. */
import { assert } from '../base/error.ts';
import { memberOf } from '../storage/segment/membership.ts';
import type { ColumnVector, FixedValues } from '../types/vector.ts';
import type { PhysicalValue } from './column-codec.ts';
import { type BasePredicate, type BaseReader, fixedArray, fixedWidth } from './region.ts';

/** Allocates a vector of `capacity` rows; varlen vectors get an empty byte store that grows. */
export function newVector(physical: ColumnVector['physical'], capacity: number): ColumnVector {
  if (physical === 'varlen') {
    return {
      physical,
      count: 0,
      values: null,
      offsets: new Uint32Array(capacity + 1),
      bytes: new Uint8Array(0),
      validity: null,
    };
  }
  return {
    physical,
    count: 0,
    values: fixedArray(physical, new ArrayBuffer(capacity * fixedWidth(physical)), 0, capacity),
    offsets: null,
    bytes: null,
    validity: null,
  };
}

export function isPresent(vector: ColumnVector, row: number): boolean {
  return vector.validity === null || ((vector.validity[row >> 3] >> (row & 7)) & 1) === 1;
}

/** Marks a row NULL; `capacity` sizes the bitmap on first use. */
export function setNull(vector: ColumnVector, row: number, capacity: number): void {
  let { validity } = vector;
  if (validity === null) {
    validity = new Uint8Array((capacity + 7) >> 3).fill(255);
    vector.validity = validity;
  }
  validity[row >> 3] &= ~(1 << (row & 7));
}

/** Room for `count` rows in an existing vector, whose buffers may come from another user. */
function prepare(target: ColumnVector, physical: ColumnVector['physical'], count: number): void {
  const width = physical === 'bytes16' ? 16 : 1;
  if (
    target.physical !== physical ||
    (physical === 'varlen'
      ? (target.offsets?.length ?? 0) <= count
      : (target.values?.length ?? 0) < count * width)
  ) {
    const fresh = newVector(physical, count);
    target.physical = physical;
    target.values = fresh.values;
    target.offsets = fresh.offsets;
    target.bytes = fresh.bytes;
  }
  target.count = count;
  target.validity = null;
}

/** See the module comment. Columns may be longer than `rowCount`; they are shared, not copied. */
export class MemorySegment implements BaseReader {
  readonly columns: readonly ColumnVector[];
  readonly rowCount: number;

  constructor(columns: readonly ColumnVector[], rowCount: number) {
    this.columns = columns;
    this.rowCount = rowCount;
  }

  readColumn(column: number, start: number, end: number, target: ColumnVector): void {
    const source = this.columns[column];
    const count = end - start;
    prepare(target, source.physical, count);
    if (source.physical === 'varlen') {
      const from = source.offsets as Uint32Array;
      const base = from[start];
      const offsets = target.offsets as Uint32Array;
      for (let row = 0; row <= count; row++) offsets[row] = from[start + row] - base;
      target.bytes = (source.bytes as Uint8Array).slice(base, from[end]);
    } else {
      const width = source.physical === 'bytes16' ? 16 : 1;
      (target.values as Uint8Array).set((source.values as Uint8Array).subarray(start * width, end * width));
    }
    if (source.validity !== null) {
      for (let row = 0; row < count; row++) if (!isPresent(source, start + row)) setNull(target, row, count);
    }
  }

  gather(column: number, positions: Uint16Array, count: number, target: ColumnVector): void {
    const source = this.columns[column];
    prepare(target, source.physical, count);
    if (source.physical === 'varlen') {
      const from = source.offsets as Uint32Array;
      const offsets = target.offsets as Uint32Array;
      let total = 0;
      for (let row = 0; row < count; row++) total += from[positions[row] + 1] - from[positions[row]];
      const bytes = new Uint8Array(total);
      let at = 0;
      for (let row = 0; row < count; row++) {
        const position = positions[row];
        offsets[row] = at;
        bytes.set((source.bytes as Uint8Array).subarray(from[position], from[position + 1]), at);
        at += from[position + 1] - from[position];
      }
      offsets[count] = at;
      target.bytes = bytes;
    } else if (source.physical === 'bytes16') {
      for (let row = 0; row < count; row++) {
        const at = positions[row] * 16;
        (target.values as Uint8Array).set((source.values as Uint8Array).subarray(at, at + 16), row * 16);
      }
    } else {
      const values = target.values as Float64Array;
      const from = source.values as Float64Array;
      for (let row = 0; row < count; row++) values[row] = from[positions[row]];
    }
    if (source.validity !== null) {
      for (let row = 0; row < count; row++)
        if (!isPresent(source, positions[row])) setNull(target, row, count);
    }
  }

  value(column: number, position: number): PhysicalValue | null {
    const source = this.columns[column];
    if (!isPresent(source, position)) return null;
    if (source.physical === 'varlen') {
      const offsets = source.offsets as Uint32Array;
      return (source.bytes as Uint8Array).slice(offsets[position], offsets[position + 1]);
    }
    if (source.physical === 'bytes16')
      return (source.values as Uint8Array).slice(position * 16, position * 16 + 16);
    return (source.values as FixedValues)[position];
  }

  canSkip(): boolean {
    return false;
  }

  scan(predicates: readonly BasePredicate[], start: number, end: number, selection: Uint16Array): number {
    let count = 0;
    for (let row = start; row < end; row++) selection[count++] = row;
    for (const predicate of predicates) {
      let kept = 0;
      for (let at = 0; at < count; at++) {
        const row = selection[at];
        if (this.matches(predicate, row)) selection[kept++] = row;
      }
      count = kept;
    }
    return count;
  }

  private matches(predicate: BasePredicate, row: number): boolean {
    const value = this.value(predicate.column, row);
    switch (predicate.kind) {
      case 'isNull':
        return value === null;
      case 'isNotNull':
        return value !== null;
      case 'in':
        return value !== null && memberOf(predicate.values)(value);
      case 'test':
        return value !== null && predicate.test(value);
      case 'compare':
        return value !== null && holds(comparePhysical(value, predicate.value), predicate.operator);
    }
  }
}

/** Order of physical values: numbers with NaN greatest, bytes by memcmp. */
export function comparePhysical(left: PhysicalValue, right: PhysicalValue): number {
  if (typeof left === 'object' || typeof right === 'object') {
    assert(typeof left === 'object' && typeof right === 'object', 'bytes are compared with bytes');
    const count = Math.min(left.length, right.length);
    for (let index = 0; index < count; index++)
      if (left[index] !== right[index]) return left[index] - right[index];
    return left.length - right.length;
  }
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  const leftNaN = Number.isNaN(left);
  const rightNaN = Number.isNaN(right);
  return leftNaN === rightNaN ? 0 : leftNaN ? 1 : -1;
}

export function holds(sign: number, operator: '=' | '<>' | '<' | '<=' | '>' | '>='): boolean {
  switch (operator) {
    case '=':
      return sign === 0;
    case '<>':
      return sign !== 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
  }
}
