/** How a table's columns lie on disk: encodings, sizes, how well zone maps separate their segments. */
import type { SegmentDescriptor } from '../storage/contract.ts';
import type { Table } from '../table/contract.ts';
import { TableImplementation } from '../table/table.ts';
import type { Datum } from '../types/datum.ts';

type Bound = SegmentDescriptor['columns'][number]['zone']['min'];

/** Pairs of segments are compared up to this number of segments, spread evenly. */
const COMPARED_MAX = 400;
const FIXED_BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  decimal64: 8,
  bytes16: 16,
};

/** Rows of fastpostgres_table_storage: one a column. */
export function tableStorageRows(table: Table): (readonly Datum[])[] {
  if (!(table instanceof TableImplementation)) return [];
  const segments: SegmentDescriptor[] = [];
  let sealedRows = 0;
  for (const region of table.rows.regions) {
    if (region === undefined || region.kind !== 'base') continue;
    sealedRows += region.rowCount;
    if (region.descriptor !== null) segments.push(region.descriptor);
  }
  const { rows, deltaRows } = table.estimate();
  return table.schema.columns.flatMap((column, number) => {
    if (column.dropped) return [];
    const encodings = new Map<string, { segments: number; rows: number }>();
    let compressed = 0;
    let plain = 0;
    for (const segment of segments) {
      const stored = segment.columns[number];
      if (stored === undefined) continue;
      compressed += stored.block?.length ?? 0;
      const width = FIXED_BYTES[String(stored.physical)];
      plain += width === undefined ? stored.zone.totalBytes + 4 * segment.rowCount : width * segment.rowCount;
      const known = encodings.get(stored.encoding) ?? { segments: 0, rows: 0 };
      known.segments++;
      known.rows += segment.rowCount;
      encodings.set(stored.encoding, known);
    }
    const list = [...encodings].map(([name, count]) => ({ name, ...count }));
    return [
      [
        column.name,
        BigInt(segments.length),
        BigInt(rows),
        BigInt(sealedRows),
        BigInt(deltaRows),
        BigInt(compressed),
        BigInt(plain),
        JSON.stringify(list),
        zoneMapQuality(segments, number),
      ],
    ];
  });
}

/** Share of the other segments that a value of one segment lets a scan skip, on average; null with fewer than two. */
function zoneMapQuality(segments: readonly SegmentDescriptor[], column: number): number | null {
  const all: { min: NonNullable<Bound>; max: NonNullable<Bound> }[] = [];
  for (const segment of segments) {
    const zone = segment.columns[column]?.zone;
    if (zone?.min != null && zone.max != null) all.push({ min: zone.min, max: zone.max });
  }
  const step = Math.max(1, Math.ceil(all.length / COMPARED_MAX));
  const zones = all.filter((_, index) => index % step === 0);
  if (zones.length < 2) return null;
  let overlaps = 0;
  let pairs = 0;
  for (let left = 0; left < zones.length; left++) {
    for (let right = left + 1; right < zones.length; right++) {
      pairs++;
      if (compare(zones[left].min, zones[right].max) <= 0 && compare(zones[right].min, zones[left].max) <= 0)
        overlaps++;
    }
  }
  return 1 - overlaps / pairs;
}

function compare(left: NonNullable<Bound>, right: NonNullable<Bound>): number {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}
