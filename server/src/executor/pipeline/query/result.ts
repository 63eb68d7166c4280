/** Rows of a finished query, read out of shared memory: as SQL values, and in the order that the plan promises. */
import { readShortAscii, SHORT_READ_BYTES } from '../../../base/short-text.ts';
import type { Datum } from '../../../types/datum.ts';
import type { Numeric } from '../../../types/numeric.ts';
import { makeNumeric, numericDivide } from '../../../types/numeric-core.ts';
import { compareUnder, type KeyOrder } from '../../row/sorter.ts';
import { toDatum } from '../finalize.ts';
import { NotCompilable } from '../interval.ts';
import type { ResultColumn } from './ir.ts';
import type { QueryResult } from './job.ts';
import { DEAD, isWideField, TUPLE_NEXT, TUPLE_NULLS, tupleLayout } from './layout.ts';

const INT64_LOW = -(1n << 63n);
const INT64_HIGH = (1n << 63n) - 1n;
const LENGTH_MASK = 0x3fffffff;
/** Sorted at once: more would hold the loop. */
const SORTED_ROWS_MAX = 50_000;

export interface ResultOrder {
  readonly column: number;
  readonly key: KeyOrder;
}

/** Reads one field of the tuple at an address. */
type Reader = (tuple: number) => Datum;

/** See the module comment. */
export class ResultRows {
  private readonly result: QueryResult;
  private readonly columns: readonly ResultColumn[];
  private readonly readers: readonly Reader[];
  private readonly view: DataView;
  private readonly words: Uint32Array;
  private readonly bytes: Buffer;
  private readonly tupleBytes: number;
  private readonly offsets: readonly number[];
  private ordered: Uint32Array | number[] | null = null;
  /** Brings the columns that were left behind, by the row id in a column of the result. */
  fetch: { readonly column: number; row(rowId: number, frame: Datum[]): void } | null = null;
  private waiting = 0;
  private chunk = 0;
  private at = 0;

  constructor(result: QueryResult, columns: readonly ResultColumn[]) {
    this.result = result;
    this.columns = columns;
    const { memory, spec } = result;
    this.view = new DataView(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.bytes = Buffer.from(memory.buffer as unknown as ArrayBuffer);
    const layout = tupleLayout(spec);
    this.tupleBytes = layout.bytes;
    this.offsets = layout.offsets;
    this.readers = columns.map((column) => this.reader(column));
  }

  /** Slots of the columns, in the order in which `read` gives them. */
  get slots(): readonly number[] {
    return this.columns.map(({ slot }) => slot);
  }

  /** Doubles that the row executor has to decide: PostgreSQL raises errors for some. Errors: NotCompilable. */
  checkDoubles(): void {
    const { spec } = this.result;
    const sums = spec.fields.flatMap(({ accumulator, type }, index) =>
      accumulator >= 0 && type.kind === 'float' && spec.accumulators[accumulator]!.op === 'sum'
        ? [index]
        : [],
    );
    if (sums.length === 0) return;
    this.eachTuple((tuple) => {
      for (const index of sums)
        if (!Number.isFinite(this.view.getFloat64(tuple + this.offsets[index]!, true)))
          throw new NotCompilable('a floating-point result is out of range');
    });
  }

  /** Sorts; with a bound, only so many rows remain. Errors: NotCompilable when there are too many. */
  sort(order: readonly ResultOrder[], bound: number | null): void {
    if (order.length === 0) return;
    const compare = this.comparison(order);
    const { sorted } = this.result;
    if (sorted !== null) {
      const lists = sorted.map(({ address, bytes }) =>
        this.words.subarray(address >>> 2, (address + bytes) >>> 2),
      );
      // Workers' lists of the first rows are short.
      this.ordered = lists.length === 1 ? lists[0]! : lists.flatMap((list) => [...list]).sort(compare);
      if (bound !== null) this.ordered = this.ordered.slice(0, bound);
      return;
    }
    if (bound === null || bound > SORTED_ROWS_MAX) {
      const tuples: number[] = [];
      this.eachTuple((tuple) => {
        if (tuples.length >= SORTED_ROWS_MAX) throw new NotCompilable('many rows in a promised order');
        tuples.push(tuple);
      });
      this.ordered = tuples.sort(compare);
      return;
    }
    // The best rows so far as a heap, the worst of them on top.
    const heap: number[] = [];
    const sink = (from: number): void => {
      let at = from;
      for (;;) {
        let worst = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && compare(heap[child]!, heap[worst]!) > 0) worst = child;
        if (worst === at) return;
        [heap[at], heap[worst]] = [heap[worst]!, heap[at]!];
        at = worst;
      }
    };
    if (bound > 0)
      this.eachTuple((tuple) => {
        if (heap.length < bound) {
          heap.push(tuple);
          if (heap.length === bound) for (let at = (bound >>> 1) - 1; at >= 0; at--) sink(at);
        } else if (compare(tuple, heap[0]!) < 0) {
          heap[0] = tuple;
          sink(0);
        }
      });
    this.ordered = heap.sort(compare);
  }

  /** Writes the next row into the frame; false at the end. */
  next(frame: Datum[]): boolean {
    const tuple = this.waiting === 0 ? this.nextTuple() : this.waiting;
    if (tuple === 0) return false;
    const { fetch } = this;
    if (fetch !== null) {
      // It may wait for a block: the row is read again.
      this.waiting = tuple;
      fetch.row(Number(this.readers[fetch.column]!(tuple)), frame);
      this.waiting = 0;
    }
    for (let index = 0; index < this.readers.length; index++)
      if (index !== fetch?.column) frame[this.columns[index]!.slot] = this.readers[index]!(tuple);
    return true;
  }

  private nextTuple(): number {
    const { ordered } = this;
    if (ordered !== null) return this.at < ordered.length ? ordered[this.at++]! : 0;
    const { chunks } = this.result.state;
    const isGroups = this.result.spec.kind === 'groups';
    for (; this.chunk < chunks.length; this.chunk++, this.at = 0) {
      const { address, bytes } = chunks[this.chunk]!;
      while (this.at < bytes) {
        const tuple = address + this.at;
        this.at += this.tupleBytes;
        if (!isGroups || this.words[(tuple + TUPLE_NEXT) >>> 2] !== DEAD) return tuple;
      }
    }
    return 0;
  }

  private eachTuple(visit: (tuple: number) => void): void {
    for (;;) {
      const tuple = this.nextTuple();
      if (tuple === 0) break;
      visit(tuple);
    }
    this.chunk = 0;
    this.at = 0;
  }

  private comparison(order: readonly ResultOrder[]): (left: number, right: number) => number {
    const parts = order.map(
      ({ column, key }) => this.fastComparison(column, key) ?? this.slowComparison(column, key),
    );
    return (left, right) => {
      for (let index = 0; index < parts.length; index++) {
        const result = parts[index]!(left, right);
        if (result !== 0) return result;
      }
      return 0;
    };
  }

  private slowComparison(column: number, key: KeyOrder): (left: number, right: number) => number {
    const read = this.readers[column]!;
    return (left, right) => compareUnder(key, read(left), read(right));
  }

  /** Integers and decimals that are never NULL, by halves. */
  private fastComparison(column: number, key: KeyOrder): ((left: number, right: number) => number) | null {
    const place = this.columns[column]!;
    if (place.kind !== 'field') return null;
    const { type } = this.result.spec.fields[place.field]!;
    const facts = this.result.state.fields[place.field]!;
    const fits = facts.bounds !== null && facts.bounds.low >= INT64_LOW && facts.bounds.high <= INT64_HIGH;
    if ((type.kind !== 'int' && type.kind !== 'decimal') || facts.nullable || !fits) return null;
    const { view } = this;
    const offset = this.offsets[place.field]!;
    const sign = key.descending ? -1 : 1;
    return (left, right) => {
      const one = view.getInt32(left + offset + 4, true);
      const other = view.getInt32(right + offset + 4, true);
      if (one !== other) return one < other ? -sign : sign;
      const low = view.getUint32(left + offset, true);
      const otherLow = view.getUint32(right + offset, true);
      return low === otherLow ? 0 : low < otherLow ? -sign : sign;
    };
  }

  private reader(column: ResultColumn): Reader {
    if (column.kind === 'field') return this.fieldReader(column.field, column.typeOid);
    const { view, offsets } = this;
    const count = offsets[column.count]!;
    if (column.isFloat) {
      const sum = offsets[column.sum]!;
      return (tuple) => {
        const rows = Number(view.getBigInt64(tuple + count, true));
        return rows === 0 ? null : view.getFloat64(tuple + sum, true) / rows;
      };
    }
    const sum = this.integerReader(column.sum);
    const decimal = this.decimalReader(column.sum, sum);
    return (tuple) => {
      const rows = view.getBigInt64(tuple + count, true);
      return rows === 0n ? null : numericDivide(decimal(tuple), makeNumeric(rows, 0));
    };
  }

  /** A decimal with the digits that it shows. */
  private decimalReader(field: number, integer: (tuple: number) => bigint): (tuple: number) => Numeric {
    const { type, shownBy } = this.result.spec.fields[field]!;
    const scale = type.kind === 'decimal' ? type.scale : 0;
    if (shownBy < 0) return (tuple) => makeNumeric(integer(tuple), scale);
    const { view } = this;
    const offset = this.offsets[shownBy]!;
    return (tuple) => {
      const shown = view.getInt32(tuple + offset, true);
      return makeNumeric(integer(tuple) / 10n ** BigInt(scale - shown), shown);
    };
  }

  /** The field's integer, of 64 or 128 bits. */
  private integerReader(field: number): (tuple: number) => bigint {
    const { view } = this;
    const offset = this.offsets[field]!;
    const { spec, state } = this.result;
    const bounds = state.fields[field]!.bounds;
    const fits = bounds === null || (bounds.low >= INT64_LOW && bounds.high <= INT64_HIGH);
    if (fits || !isWideField(spec, spec.fields[field]!))
      return (tuple) => view.getBigInt64(tuple + offset, true);
    return (tuple) =>
      (view.getBigInt64(tuple + offset + 8, true) << 64n) + view.getBigUint64(tuple + offset, true);
  }

  private fieldReader(field: number, typeOid: number): Reader {
    const { view, words, bytes, result } = this;
    const offset = this.offsets[field]!;
    const { type, countedBy } = result.spec.fields[field]!;
    let isNull: ((tuple: number) => boolean) | null = null;
    if (countedBy >= 0) {
      const count = this.offsets[countedBy]!;
      isNull = (tuple) =>
        view.getUint32(tuple + count, true) === 0 && view.getUint32(tuple + count + 4, true) === 0;
    } else if (result.state.fields[field]!.nullable)
      isNull = (tuple) => ((words[(tuple + TUPLE_NULLS) >>> 2]! >>> field) & 1) !== 0;
    let read: Reader;
    switch (type.kind) {
      case 'string':
        read = (tuple) => {
          const at = view.getUint32(tuple + offset, true);
          const length = view.getUint32(tuple + offset + 4, true) & LENGTH_MASK;
          const short = length <= SHORT_READ_BYTES ? readShortAscii(bytes, at, length) : null;
          return short ?? bytes.toString('utf8', at, at + length);
        };
        break;
      case 'float':
        read = (tuple) => view.getFloat64(tuple + offset, true);
        break;
      case 'bool':
      case 'int':
      case 'decimal': {
        const integer = this.integerReader(field);
        const isInt8 = typeOid === 20;
        if (type.kind === 'decimal' || typeOid === 1700) {
          read = this.decimalReader(field, integer);
        } else
          read = (tuple) => {
            const value = integer(tuple);
            if (isInt8 && (value < INT64_LOW || value > INT64_HIGH))
              throw new NotCompilable('bigint out of range');
            return toDatum(value, type, typeOid);
          };
      }
    }
    if (isNull === null) return read;
    const check = isNull;
    return (tuple) => (check(tuple) ? null : read(tuple));
  }
}
