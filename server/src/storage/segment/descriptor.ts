/** Bytes of a segment descriptor (docs/format/manifest.md): used by manifest nodes and by log records of bulk loads. */
import type { Xid } from '../../base/brands.ts';
import type { PhysicalType } from '../../types/contract.ts';
import { ByteReader, ByteWriter } from '../byte-io.ts';
import type { BlockRef, ColumnDescriptor, PhysicalValue, SegmentDescriptor, ZoneMap } from '../contract.ts';
import { SEGMENT_MAX_ROWS } from '../contract.ts';
import { check } from '../corruption.ts';
import { familyOf } from './column-decode.ts';
import { PHYSICAL_CODE } from './column-encode.ts';

const physicalByCode = new Map<number, PhysicalType>(
  (Object.entries(PHYSICAL_CODE) as [PhysicalType, number][]).map(([name, code]) => [code, name]),
);

/** Fewest bytes of a column descriptor: guards counts. */
const COLUMN_MINIMUM = 24;

export function writeRef(out: ByteWriter, ref: BlockRef): void {
  out.u32(ref.file).u53(ref.offset).u32(ref.length);
}

export function readRef(input: ByteReader): BlockRef {
  return { file: input.u32(), offset: input.u53(), length: input.u32() };
}

function writeValue(out: ByteWriter, physical: PhysicalType, value: PhysicalValue): void {
  if (value instanceof Uint8Array) out.sized(value);
  else if (familyOf(physical) === 'float') out.f64(value as number);
  else out.i64(BigInt(value));
}

function readValue(input: ByteReader, physical: PhysicalType): PhysicalValue {
  const family = familyOf(physical);
  if (family === 'bytes') return input.sized();
  if (family === 'float') return input.f64();
  const value = input.i64();
  return physical === 'int64' || physical === 'decimal64' ? value : Number(value);
}

const HAS_BLOCK = 1;
const HAS_BOUNDS = 2;
const MIN_EXACT = 4;
const MAX_EXACT = 8;

function writeColumn(out: ByteWriter, column: ColumnDescriptor): void {
  const { zone } = column;
  const hasBounds = zone.min !== null && zone.max !== null;
  out.u8(PHYSICAL_CODE[column.physical]);
  out.u8(
    (column.block === null ? 0 : HAS_BLOCK) |
      (hasBounds ? HAS_BOUNDS : 0) |
      (zone.minExact ? MIN_EXACT : 0) |
      (zone.maxExact ? MAX_EXACT : 0),
  );
  out.u32(zone.nullCount).u32(zone.distinct).u53(zone.totalBytes).text(column.encoding);
  if (column.block !== null) writeRef(out, column.block);
  if (hasBounds) {
    writeValue(out, column.physical, zone.min!);
    writeValue(out, column.physical, zone.max!);
  }
}

function readColumn(input: ByteReader): ColumnDescriptor {
  const physical = physicalByCode.get(input.u8());
  check(physical !== undefined, 'physical type code');
  const flags = input.u8();
  const nullCount = input.u32();
  const distinct = input.u32();
  const totalBytes = input.u53();
  const encoding = input.text();
  const block = (flags & HAS_BLOCK) !== 0 ? readRef(input) : null;
  const hasBounds = (flags & HAS_BOUNDS) !== 0;
  const zone: ZoneMap = {
    nullCount,
    distinct,
    min: hasBounds ? readValue(input, physical) : null,
    max: hasBounds ? readValue(input, physical) : null,
    minExact: (flags & MIN_EXACT) !== 0,
    maxExact: (flags & MAX_EXACT) !== 0,
    totalBytes,
  };
  return { physical, zone, block, encoding };
}

export function writeSegmentDescriptor(out: ByteWriter, segment: SegmentDescriptor): void {
  out.u32(segment.segment).u32(segment.rowCount).u53(segment.owner).u32(segment.columns.length);
  writeColumn(out, segment.sequence);
  for (const column of segment.columns) writeColumn(out, column);
}

export function readSegmentDescriptor(input: ByteReader): SegmentDescriptor {
  const segment = input.u32();
  const rowCount = input.u32();
  check(rowCount <= SEGMENT_MAX_ROWS, `segment of ${rowCount} rows`);
  const owner = input.u53() as Xid;
  const count = input.count(COLUMN_MINIMUM);
  const sequence = readColumn(input);
  const columns: ColumnDescriptor[] = [];
  for (let index = 0; index < count; index++) columns.push(readColumn(input));
  return { segment, rowCount, columns, sequence, owner };
}

export function encodeSegmentDescriptor(segment: SegmentDescriptor): Uint8Array {
  const out = new ByteWriter(1024);
  writeSegmentDescriptor(out, segment);
  return out.finish();
}

/** Throws PayloadDamage on impossible bytes. */
export function decodeSegmentDescriptor(bytes: Uint8Array): SegmentDescriptor {
  return readSegmentDescriptor(new ByteReader(bytes));
}

/** Every block of a segment, the sequence column's included. */
export function segmentBlocks(segment: SegmentDescriptor): BlockRef[] {
  const refs = segment.columns.flatMap((column) => (column.block === null ? [] : [column.block]));
  if (segment.sequence.block !== null) refs.push(segment.sequence.block);
  return refs;
}
