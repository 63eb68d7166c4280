/** Frames of the columns that a query scans: from the cache, else decoded now, in slices of the main thread. */
import { WaitSignal } from '../../../base/suspend.ts';
import type { ParallelScan, RegionView, TableSchema } from '../../../table/contract.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ColumnVector } from '../../../types/vector.ts';
import type { Frame, FrameStore } from '../frame-store.ts';
import { NoRoom } from '../frame-store.ts';
import { NotCompilable } from '../interval.ts';
import { REST_ROWS, RestBatch, vectorOf } from '../rest-batch.ts';
import { type PipelineColumn, ROW_ID } from '../spec.ts';

/** Frames of one run of rows. */
export interface LoadedRun {
  readonly frames: readonly Frame[];
  readonly rowCount: number;
  readonly mask: Uint8Array | null;
}

export interface LoaderOptions {
  readonly frames: FrameStore;
  readonly schema: TableSchema;
  readonly source: ParallelScan;
  readonly columns: readonly PipelineColumn[];
  /** Columns of the table in the order in which the rest's rows deliver them. */
  readonly order: readonly number[];
  /** Gives the loop back when the slice is used up; throws the statement's error. */
  readonly breathe: () => Promise<void>;
}

/** What a load brought, for EXPLAIN. */
export interface LoadCounts {
  skipped: number;
  regions: number;
  filled: number;
  deltaRows: number;
}

/** All runs of the table that zone maps cannot exclude, pinned. Errors: NotCompilable when they do not fit. */
export async function loadRuns(options: LoaderOptions, counts: LoadCounts): Promise<LoadedRun[]> {
  const { frames, source, columns, schema, breathe } = options;
  const runs: LoadedRun[] = [];
  let open: Frame[] = [];
  try {
    for (const region of source.regions) {
      counts.regions++;
      if (region.canSkip()) {
        counts.skipped++;
        continue;
      }
      for (const column of columns) {
        const isString = column.type.kind === 'string';
        const cached = isString
          ? frames.findStrings(region.key, region.rowCount, column.column)
          : frames.find(region.key, region.rowCount, column.column);
        if (cached !== null) open.push(cached);
        else {
          open.push(await decode(options, region, column));
          counts.filled++;
          await breathe();
        }
      }
      runs.push({ frames: open, rowCount: region.rowCount, mask: region.mask });
      open = [];
    }
    const supports = columns.map(({ column }) => schema.columns[Math.max(0, column)]!.support);
    const places = columns.map(({ column }) => options.order.indexOf(column));
    const row: Datum[] = [];
    const wanted: Datum[] = [];
    let batch = new RestBatch(columns, supports);
    for (;;) {
      const found = await attempt(() => source.rest.next(row));
      if (found) {
        places.forEach((place, index) => {
          wanted[index] = place < 0 ? BigInt(source.rest.rowId) : row[place]!;
        });
        batch.add(wanted);
        if (batch.count % 256 === 0) await breathe();
      }
      if (batch.count === REST_ROWS || (!found && batch.count > 0)) {
        counts.deltaRows += batch.count;
        for (let index = 0; index < columns.length; index++)
          open.push(fill(frames, null, columns[index]!, batch.vector(index), null));
        runs.push({ frames: open, rowCount: batch.count, mask: null });
        open = [];
        batch = new RestBatch(columns, supports);
      }
      if (!found) return runs;
    }
  } catch (thrown) {
    for (const frame of open) frames.unpin(frame);
    for (const run of runs) for (const frame of run.frames) frames.unpin(frame);
    throw thrown instanceof NoRoom ? new NotCompilable('no room in the shared memory') : thrown;
  }
}

/** Repeats an action after its waits for blocks. */
async function attempt<T>(action: () => T): Promise<T> {
  for (;;) {
    try {
      return action();
    } catch (thrown) {
      if (!(thrown instanceof WaitSignal)) throw thrown;
      await thrown.promise;
    }
  }
}

async function decode(options: LoaderOptions, region: RegionView, column: PipelineColumn): Promise<Frame> {
  const { frames, schema } = options;
  if (column.column === ROW_ID) {
    const { firstRow } = region;
    if (firstRow === undefined) throw new NotCompilable('rows without ids');
    const ids = BigInt64Array.from({ length: region.rowCount }, (_, row) => BigInt(firstRow) + BigInt(row));
    const base = { count: region.rowCount, validity: null, offsets: null, bytes: null };
    return fill(frames, region.key, column, { ...base, physical: 'int64', values: ids }, null);
  }
  if (column.column >= region.columnCount) {
    const { missingValue, support } = schema.columns[column.column]!;
    const values = new Array<Datum>(region.rowCount).fill(missingValue);
    return fill(frames, region.key, column, vectorOf(values, column, support), null);
  }
  const vector: ColumnVector = {
    physical: 'bool',
    count: 0,
    values: null,
    offsets: null,
    bytes: null,
    validity: null,
  };
  const dictionary = await attempt(() => region.readDictionary?.(column.column) ?? null);
  if (dictionary !== null && column.type.kind === 'string') {
    const coded: ColumnVector = {
      ...vector,
      physical: 'varlen',
      count: region.rowCount,
      validity: dictionary.validity,
    };
    return fill(frames, region.key, column, coded, dictionary);
  }
  await attempt(() => region.readColumn(column.column, vector));
  return fill(frames, region.key, column, vector, null);
}

function fill(
  frames: FrameStore,
  region: object | null,
  column: PipelineColumn,
  vector: ColumnVector,
  dictionary: Parameters<FrameStore['fillStrings']>[3],
): Frame {
  return column.type.kind === 'string'
    ? frames.fillStrings(region, column, vector, dictionary)
    : frames.fill(region, column, vector);
}
