/**
 * Reading a segment. A reader keeps the columns it opened (leased blocks) so that repeated point reads cost no cache look-up; the block
 * source takes leases back when it needs the memory.
 */
import type { CommitSequence } from '../../base/brands.ts';
import { internalError } from '../../base/error.ts';
import type { ColumnVector } from '../../types/vector.ts';
import { blockFileName } from '../block/names.ts';
import type { PinnedBlock } from '../contract.ts';
import {
  type BlockRef,
  type BlockSource,
  type CodeForm,
  type ColumnDescriptor,
  type ColumnPredicate,
  type PhysicalValue,
  SEQUENCE_COLUMN,
  type SegmentDescriptor,
  type SegmentReaderContract,
} from '../contract.ts';
import { locate } from '../corruption.ts';
import { ConstantBytes, ConstantFloats, ConstantIntegers } from '../encoding/constant.ts';
import { keepAll } from '../encoding/filter.ts';
import type { PreparedFilter } from '../encoding/node.ts';
import { codeFormOf, gatherCodes, readCodes } from './codes.ts';
import {
  decodePositions,
  decodeRange,
  familyOf,
  type OpenColumn,
  openColumn,
  type RootNode,
  sliceValidity,
  valueAt,
} from './column-decode.ts';
import { prepareFilter } from './predicate.ts';
import { canSkip, judgeZone } from './zone-map.ts';

/** A column whose block is held, or that has none (`lease` null). */
interface HeldColumn {
  readonly column: OpenColumn;
  readonly lease: PinnedBlock | null;
  /** Filters prepared for predicates of the scans under way, by the predicate's identity. */
  readonly filters: Map<ColumnPredicate, PreparedFilter>;
}

/** Prepared filters a column keeps: scans under way at the same time. */
const FILTERS_MAX = 16;

export class SegmentReader implements SegmentReaderContract {
  readonly descriptor: SegmentDescriptor;
  private readonly source: BlockSource;
  /** By column position + 1; slot 0 is the sequence column. */
  private readonly held: (HeldColumn | null)[];

  private readonly forms: (CodeForm | null | undefined)[] = [];

  constructor(descriptor: SegmentDescriptor, source: BlockSource) {
    this.descriptor = descriptor;
    this.source = source;
    this.held = new Array(descriptor.columns.length + 1).fill(null);
  }

  private describe(column: number): ColumnDescriptor {
    if (column === SEQUENCE_COLUMN) return this.descriptor.sequence;
    const found = this.descriptor.columns[column];
    if (found === undefined)
      throw internalError(`column ${column} of a segment of ${this.descriptor.columns.length}`);
    return found;
  }

  private open(column: number): OpenColumn {
    return (this.held[column + 1] ?? this.openNew(column)).column;
  }

  private openNew(column: number): HeldColumn {
    const slot = column + 1;
    const descriptor = this.describe(column);
    const { block } = descriptor;
    let held: HeldColumn;
    if (block === null)
      held = {
        column: constantColumn(descriptor, this.descriptor.rowCount),
        lease: null,
        filters: new Map(),
      };
    else {
      const lease = this.source.lease(block, () => {
        this.held[slot] = null;
      });
      try {
        held = {
          column: openColumn(lease.bytes, descriptor.physical, this.descriptor.rowCount),
          lease,
          filters: new Map(),
        };
      } catch (error) {
        lease.release();
        throw locate(error, blockFileName(block.file), block.offset);
      }
    }
    this.held[slot] = held;
    return held;
  }

  /** Runs a read and names file and offset when the payload turns out damaged. */
  private reading<T>(column: number, action: (opened: OpenColumn) => T): T {
    const opened = this.open(column);
    try {
      return action(opened);
    } catch (error) {
      const { block } = this.describe(column);
      throw block === null ? error : locate(error, blockFileName(block.file), block.offset);
    }
  }

  /** The prepared filter of a predicate: scans come back window by window with the same predicate objects. */
  private filterFor(predicate: ColumnPredicate): PreparedFilter {
    const { column, filters } = this.held[predicate.column + 1] ?? this.openNew(predicate.column);
    let filter = filters.get(predicate);
    if (filter === undefined) {
      filter = prepareFilter(column, predicate);
      if (filters.size >= FILTERS_MAX) filters.clear();
      filters.set(predicate, filter);
    }
    return filter;
  }

  private checkRows(start: number, end: number): void {
    // The message is built only when it is needed: point reads come through here.
    if (!(start >= 0 && start <= end && end <= this.descriptor.rowCount))
      throw internalError(`rows ${start} to ${end} of a segment of ${this.descriptor.rowCount}`);
  }

  readColumn(column: number, start: number, end: number, target: ColumnVector): void {
    this.checkRows(start, end);
    this.reading(column, (opened) => decodeRange(opened, start, end, target));
  }

  gather(column: number, positions: Uint16Array, count: number, target: ColumnVector): void {
    this.reading(column, (opened) => decodePositions(opened, positions, count, target));
  }

  codeForm(column: number): CodeForm | null {
    let form = this.forms[column + 1];
    if (form === undefined) {
      form = this.reading(column, codeFormOf);
      this.forms[column + 1] = form;
    }
    return form;
  }

  readCodes(
    column: number,
    start: number,
    end: number,
    target: Uint8Array | Uint16Array | Uint32Array,
  ): void {
    this.checkRows(start, end);
    this.reading(column, (opened) => readCodes(opened, start, end, target));
  }

  gatherCodes(
    column: number,
    positions: Uint16Array,
    count: number,
    target: Uint8Array | Uint16Array | Uint32Array,
  ): void {
    this.reading(column, (opened) => gatherCodes(opened, positions, count, target));
  }

  readValidity(column: number, start: number, end: number, target: Uint8Array): boolean {
    this.checkRows(start, end);
    const { validity } = this.open(column);
    if (validity === null) return false;
    sliceValidity(validity, start, end, target);
    return true;
  }

  value(column: number, position: number): PhysicalValue | null {
    this.checkRows(position, position + 1);
    return this.reading(column, (opened) => valueAt(opened, position));
  }

  sequenceAt(position: number): CommitSequence {
    const { sequence } = this.descriptor;
    if (sequence.block === null) return Number(sequence.zone.min) as CommitSequence;
    return Number(this.value(SEQUENCE_COLUMN, position)) as CommitSequence;
  }

  scan(predicates: readonly ColumnPredicate[], start: number, end: number, selection: Uint16Array): number {
    this.checkRows(start, end);
    if (this.canSkip(predicates)) return 0;
    let count = -1;
    for (const predicate of predicates) {
      if (judgeZone(this.describe(predicate.column).zone, this.descriptor.rowCount, predicate) === 'all')
        continue;
      const candidates = { start, end, count };
      count = this.reading(predicate.column, () => this.filterFor(predicate)(candidates, selection));
      if (count === 0) return 0;
    }
    return count < 0 ? keepAll({ start, end, count }, selection) : count;
  }

  canSkip(predicates: readonly ColumnPredicate[]): boolean {
    return canSkip((column) => this.describe(column).zone, this.descriptor.rowCount, predicates);
  }

  blocks(columns: readonly number[]): BlockRef[] {
    return columns.flatMap((column) => {
      const { block } = this.describe(column);
      return block === null ? [] : [block];
    });
  }

  close(): void {
    for (let slot = 0; slot < this.held.length; slot++) {
      this.held[slot]?.lease?.release();
      this.held[slot] = null;
    }
  }
}

/** The column that a zone map describes wholly. */
function constantColumn(descriptor: ColumnDescriptor, count: number): OpenColumn {
  const { physical, zone } = descriptor;
  const family = familyOf(physical);
  const isNull = zone.min === null;
  const root = (
    family === 'integer'
      ? { family, node: new ConstantIntegers(count, BigInt((zone.min ?? 0) as bigint | number)) }
      : family === 'float'
        ? { family, node: new ConstantFloats(count, (zone.min ?? 0) as number) }
        : {
            family,
            node: new ConstantBytes(
              count,
              (zone.min ?? new Uint8Array(physical === 'bytes16' ? 16 : 0)) as Uint8Array,
            ),
          }
  ) as RootNode;
  const validity = isNull ? new Uint8Array((count + 7) >>> 3) : null;
  return { physical, count, nullCount: isNull ? count : 0, validity, root };
}
