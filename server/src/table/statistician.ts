/**
 * Keeps column statistics: computed by ANALYZE (on request, or by maintenance when a tenth of a table has changed), guessed
 * from a few rows in memory until then.
 *
 * The sample is spread evenly over all regions. It is taken without a snapshot's cost: newest decided rows, which is what
 * estimates want.
 */
import type { RowId } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { WaitSignal } from '../base/suspend.ts';
import type { Snapshot } from '../txn/contract.ts';
import type { TransactionManagerImplementation } from '../txn/manager.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { AnalyzedTable, ColumnGroup, ColumnStatistics, GroupStatistics } from './contract.ts';
import { computeGroupStatistics } from './group-statistics.ts';
import { waiting } from './index-build.ts';
import { isPresent, newVector } from './memory-segment.ts';
import { type BaseRegion, REGION_ROWS } from './region.ts';
import { FOUND_NONE, type RowStore } from './row-store.ts';
import { computeStatistics, EMPTY_STATISTICS } from './statistics.ts';
import { readStatistics, type StatisticsImage, writeStatistics } from './statistics-image.ts';
import type { TableImplementation } from './table.ts';

/** Rows of an ANALYZE: enough for 100 histogram bounds, and computed within a slice or two per column. */
const SAMPLE_ROWS = 12_000;
const GUESS_ROWS = 500;

interface Known {
  readonly statistics: ColumnStatistics;
  /** Live rows when it was computed. */
  readonly rows: number;
  readonly isGuess: boolean;
}

/** See the module comment. */
export class Statistician {
  private readonly transactions: TransactionManagerImplementation;
  private readonly yieldToLoop: () => Promise<void>;
  private readonly known = new WeakMap<TableImplementation, Map<number, Known>>();
  /** Groups of columns to look at, and what the last look gave. */
  private readonly columnGroups = new WeakMap<TableImplementation, readonly ColumnGroup[]>();
  private readonly knownGroups = new WeakMap<TableImplementation, readonly GroupStatistics[]>();
  /** Modification count of each table at its last ANALYZE. */
  private readonly analyzedAt = new WeakMap<TableImplementation, number>();
  /** Modification count at the ANALYZE whose results are on disk. */
  private readonly storedAt = new WeakMap<TableImplementation, number>();

  constructor(transactions: TransactionManagerImplementation, yieldToLoop: () => Promise<void>) {
    this.transactions = transactions;
    this.yieldToLoop = yieldToLoop;
  }

  column(table: TableImplementation, column: number): ColumnStatistics {
    const definition = table.schema.columns[column];
    if (definition === undefined || definition.dropped) return EMPTY_STATISTICS;
    const rows = table.rows.liveRows;
    const known = this.known.get(table)?.get(column);
    if (
      known !== undefined &&
      (!known.isGuess || (rows <= known.rows * 2 + 20 && rows * 2 + 20 >= known.rows))
    ) {
      return known.statistics;
    }
    const { values, isExact } = this.guess(table, column);
    const statistics = computeStatistics(definition, values, isExact ? values.length : rows);
    // Nothing in memory to guess from: ask again next time.
    if (values.length > 0 || rows === 0) this.remember(table, column, { statistics, rows, isGuess: true });
    return statistics;
  }

  /** True when the table changed enough since its last ANALYZE (50 rows and a tenth, as autovacuum does). */
  isDue(table: TableImplementation): boolean {
    return this.changes(table) > 50 + table.rows.liveRows / 10;
  }

  /**
   * What a checkpoint should write: the results of an ANALYZE that are not on disk yet. `settled` is called when they are.
   */
  unstored(table: TableImplementation): { bytes: Uint8Array; settled: () => void } | null {
    const analyzedAt = this.analyzedAt.get(table);
    if (analyzedAt === undefined || this.storedAt.get(table) === analyzedAt) return null;
    const { rows, columns, groups } = this.analyzed(table);
    const changes = table.modifications - analyzedAt;
    return {
      bytes: writeStatistics(table.schema.columns, { rows, changes, columns, groups }),
      settled: () => this.storedAt.set(table, analyzedAt),
    };
  }

  /** Results of the last ANALYZE, by column; none before it. */
  analyzed(table: TableImplementation): Omit<AnalyzedTable, 'relationOid'> {
    const columns = new Map<number, ColumnStatistics>();
    let rows = 0;
    for (const [column, known] of this.known.get(table) ?? []) {
      if (known.isGuess || table.schema.columns[column]?.dropped !== false) continue;
      columns.set(column, known.statistics);
      rows = known.rows;
    }
    return { rows, columns, groups: this.groups(table) };
  }

  groups(table: TableImplementation): readonly GroupStatistics[] {
    return this.knownGroups.get(table) ?? [];
  }

  /** At start, after the table's rows are known: takes up what `unstored` wrote. */
  restore(table: TableImplementation, bytes: Uint8Array): void {
    const image = readableImage(table, bytes);
    if (image === null) return;
    for (const [column, statistics] of image.columns)
      this.remember(table, column, { statistics, rows: image.rows, isGuess: false });
    this.knownGroups.set(table, image.groups);
    this.columnGroups.set(table, image.groups.map(groupOf));
    const analyzedAt = table.modifications - image.changes;
    this.analyzedAt.set(table, analyzedAt);
    this.storedAt.set(table, analyzedAt);
  }

  /** Rows changed since the last ANALYZE. */
  changes(table: TableImplementation): number {
    return table.modifications - (this.analyzedAt.get(table) ?? 0);
  }

  private remember(table: TableImplementation, column: number, known: Known): void {
    let columns = this.known.get(table);
    if (columns === undefined) {
      columns = new Map();
      this.known.set(table, columns);
    }
    columns.set(column, known);
  }

  /** Values of some rows that are in memory now, never waiting. */
  private guess(table: TableImplementation, column: number): { values: Datum[]; isExact: boolean } {
    const { rows } = table;
    const pin = this.transactions.begin({ isolation: 'read committed', readOnly: true, sessionId: 0 });
    const values: Datum[] = [];
    const step = Math.max(1, Math.ceil(rows.liveRows / GUESS_ROWS));
    try {
      const sequenceLow = pin.latestSnapshot().sequence | 0;
      for (const region of rows.regions) {
        if (region === undefined) continue;
        const count = region.kind === 'base' ? region.rowCount : region.used;
        for (let offset = 0; offset < count && values.length < GUESS_ROWS * 2; offset += step) {
          const rowId = (region.segment * REGION_ROWS + offset) as RowId;
          if (rows.resolve(rowId, sequenceLow, pin, 0) !== FOUND_NONE) values.push(rows.load(column));
        }
      }
    } catch (error) {
      if (!(error instanceof WaitSignal)) throw error;
      error.promise.catch(() => {});
    } finally {
      this.transactions.rollback(pin);
    }
    return { values, isExact: step === 1 };
  }

  /**
   * `transaction`: whose own rows count too; null outside one. `groups`: the column groups to look at from now on; absent = as
   * the last time.
   */
  async analyze(
    table: TableImplementation,
    transaction: TransactionImplementation | null = null,
    groups?: readonly ColumnGroup[],
  ): Promise<void> {
    if (groups !== undefined) this.columnGroups.set(table, groups);
    const { rows } = table;
    const modifications = table.modifications;
    const columns = table.schema.columns.flatMap((column, at) => (column.dropped ? [] : [at]));
    const pin =
      transaction ?? this.transactions.begin({ isolation: 'repeatable read', readOnly: true, sessionId: 0 });
    rows.pin();
    try {
      const snapshot = pin.statementSnapshot();
      const { sequence } = snapshot;
      let total = 1;
      for (const region of rows.regions)
        if (region !== undefined) total += region.kind === 'base' ? region.rowCount : region.used;
      let visible = 0;
      const samples: Datum[][] = columns.map(() => []);
      for (let segment = 0; segment < rows.regions.length; segment++) {
        const region = rows.regions[segment];
        if (region === undefined) continue;
        const count = region.kind === 'base' ? region.rowCount : region.used;
        const wanted = Math.min(count, Math.max(1, Math.ceil((SAMPLE_ROWS * count) / total)));
        const step = Math.max(1, count / wanted);
        const positions: number[] = [];
        const sampled = samples[0]?.length ?? 0;
        for (let at = 0; at < count; at += step) positions.push(Math.floor(at));
        if (region.kind === 'base' && region.heads === null) {
          if (rows.isBaseVisible(region, sequence | 0, pin, snapshot.commandId)) {
            await this.sampleBase(rows, region, columns, positions, samples);
          }
        } else {
          await this.sampleRows(rows, segment, columns, positions, samples, pin, snapshot);
        }
        visible += (count * ((samples[0]?.length ?? 0) - sampled)) / Math.max(1, positions.length);
      }
      // There are rows, but nobody else can see them yet: what their transaction learned stays, and this is still due.
      if (samples[0]?.length === 0 && total > 1) return;
      // Rows of a running transaction are not in the count yet.
      const live = transaction === null ? rows.liveRows : Math.max(rows.liveRows, Math.round(visible));
      for (let at = 0; at < columns.length; at++) {
        const definition = table.schema.columns[columns[at]];
        if (definition === undefined) continue;
        const statistics = computeStatistics(definition, samples[at], Math.max(live, samples[at].length));
        this.remember(table, columns[at], { statistics, rows: live, isGuess: false });
        await this.yieldToLoop();
      }
      const known: GroupStatistics[] = [];
      for (const group of this.columnGroups.get(table) ?? []) {
        const places = group.columns.map((column) => columns.indexOf(column));
        if (places.includes(-1) || samples[places[0]].length === 0) continue;
        const values = places.map((place) => samples[place]);
        known.push(computeGroupStatistics(group, table.schema.columns, values, live));
        await this.yieldToLoop();
      }
      this.knownGroups.set(table, known);
      this.analyzedAt.set(table, modifications);
    } finally {
      rows.unpin();
      if (pin !== transaction) this.transactions.rollback(pin);
    }
  }

  private async sampleBase(
    rows: RowStore,
    region: BaseRegion,
    columns: readonly number[],
    positions: readonly number[],
    samples: Datum[][],
  ): Promise<void> {
    const wanted = Uint16Array.from(positions);
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at];
      const codec = rows.codecs[column];
      if (codec === null || codec === undefined) continue;
      if (column >= region.columnCount) {
        for (let row = 0; row < wanted.length; row++) samples[at].push(rows.missing[column]);
        continue;
      }
      const vector = newVector(codec.physical, wanted.length);
      await waiting(() => region.reader.gather(column, wanted, wanted.length, vector));
      for (let row = 0; row < wanted.length; row++) {
        samples[at].push(isPresent(vector, row) ? codec.fromVector(vector, row) : null);
      }
      await this.yieldToLoop();
    }
  }

  private async sampleRows(
    rows: RowStore,
    segment: number,
    columns: readonly number[],
    positions: readonly number[],
    samples: Datum[][],
    pin: TransactionImplementation,
    snapshot: Snapshot,
  ): Promise<void> {
    let seen = 0;
    for (const offset of positions) {
      const rowId = (segment * REGION_ROWS + offset) as RowId;
      const row = await waiting(() => {
        if (rows.resolve(rowId, snapshot.sequence | 0, pin, snapshot.commandId) === FOUND_NONE) return null;
        return columns.map((column) => rows.load(column));
      });
      if (row !== null) for (let at = 0; at < columns.length; at++) samples[at].push(row[at]);
      if (++seen % 256 === 0) await this.yieldToLoop();
    }
  }
}

/** Null for what cannot be read: estimates must not keep a start from its tables; the next ANALYZE writes them anew. */
function readableImage(table: TableImplementation, bytes: Uint8Array): StatisticsImage | null {
  try {
    return readStatistics(table.schema.columns, bytes);
  } catch (error) {
    if (error instanceof DbError) return null;
    throw error;
  }
}

function groupOf({ oid, columns, distinct, dependencies, mostCommon }: GroupStatistics): ColumnGroup {
  return {
    oid,
    columns,
    wantsDistinct: distinct.length > 0,
    wantsDependencies: dependencies.length > 0,
    wantsMostCommon: mostCommon.length > 0,
  };
}
