/**
 * History of the metrics: every second for an hour in memory, every ten seconds for a day and every minute for thirty days in a table of
 * our own, written in batches.
 *
 * Crash story  the last batch (at most a minute) is lost; the second-by-second hour is memory only.
 */
import type { TableStore } from '../table/contract.ts';
import type { TransactionManager } from '../txn/contract.ts';
import { InternalTable } from './internal-table.ts';

const HISTORY_OID = 9002;
const COLUMNS = [
  ['at', 20],
  ['step', 23],
  ['names', 25],
  ['metrics', 17],
] as const;
const AT = 0;
const STEP = 1;
const NAMES = 2;
const METRICS = 3;

const SECONDS_KEPT = 3600;
/** step in seconds → rows kept. */
const LEVELS = [
  { step: 10, kept: 8640 },
  { step: 60, kept: 43_200 },
] as const;
const BATCH_ROWS = 6;
const TRIM_EVERY_BATCHES = 60;

export interface HistoryPoint {
  readonly atMillis: number;
  readonly values: Float64Array;
}

/** Averages of values that come second by second; NaN is left out. */
class Average {
  private readonly sums: Float64Array;
  private readonly counts: Uint32Array;

  constructor(size: number) {
    this.sums = new Float64Array(size);
    this.counts = new Uint32Array(size);
  }

  add(values: Float64Array): void {
    for (let index = 0; index < values.length; index++) {
      if (Number.isNaN(values[index])) continue;
      this.sums[index] += values[index];
      this.counts[index]++;
    }
  }

  take(): Float64Array {
    const values = this.sums.map((sum, index) =>
      this.counts[index] === 0 ? Number.NaN : sum / this.counts[index],
    );
    this.sums.fill(0);
    this.counts.fill(0);
    return values;
  }
}

export class MetricHistory {
  readonly names: readonly string[];
  private readonly table: InternalTable;
  private readonly seconds: HistoryPoint[] = [];
  private readonly levels: {
    readonly step: number;
    readonly kept: number;
    readonly average: Average;
    slot: number;
    points: HistoryPoint[];
  }[];
  private pending: { atMillis: number; step: number; values: Float64Array }[] = [];
  private batches = 0;
  private writing: Promise<void> = Promise.resolve();
  private readonly warn: (error: Error) => void;

  constructor(
    tables: TableStore,
    transactions: TransactionManager,
    names: readonly string[],
    warn: (error: Error) => void,
  ) {
    this.names = names;
    this.warn = warn;
    this.table = new InternalTable(tables, transactions, HISTORY_OID, 'fastpostgres_metrics', COLUMNS);
    this.levels = LEVELS.map(({ step, kept }) => ({
      step,
      kept,
      average: new Average(names.length),
      slot: -1,
      points: [],
    }));
  }

  /** Reads what earlier lives of the server wrote; metrics are matched by name. */
  async open(): Promise<void> {
    await this.table.prepare();
    for (const { values } of this.table.read([])) {
      const level = this.levels.find(({ step }) => step === values[STEP]);
      if (level === undefined) continue;
      const stored = (values[NAMES] as string).split(' ');
      const bytes = values[METRICS] as Uint8Array;
      const numbers = new Float64Array(bytes.slice().buffer);
      const places = new Map(stored.map((name, index) => [name, index]));
      const mapped = new Float64Array(this.names.length).fill(Number.NaN);
      for (const [index, name] of this.names.entries()) {
        const place = places.get(name);
        if (place !== undefined && place < numbers.length) mapped[index] = numbers[place];
      }
      level.points.push({ atMillis: Number((values[AT] as bigint) / 1000n), values: mapped });
    }
    for (const level of this.levels) {
      level.points.sort((left, right) => left.atMillis - right.atMillis);
      level.points = level.points.slice(-level.kept);
    }
  }

  /** One second's values. */
  add(atMillis: number, values: Float64Array): void {
    this.seconds.push({ atMillis, values });
    if (this.seconds.length > SECONDS_KEPT) this.seconds.shift();
    for (const level of this.levels) {
      const slot = Math.floor(atMillis / (level.step * 1000));
      if (level.slot >= 0 && slot !== level.slot) {
        const point = { atMillis: level.slot * level.step * 1000, values: level.average.take() };
        level.points.push(point);
        if (level.points.length > level.kept) level.points.shift();
        this.pending.push({ ...point, step: level.step });
      }
      level.slot = slot;
      level.average.add(values);
    }
    if (this.pending.length >= BATCH_ROWS) void this.flush();
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    const batch = this.pending;
    this.pending = [];
    if (batch.length === 0) return this.writing;
    this.writing = this.writing.then(async () => {
      try {
        const names = this.names.join(' ');
        await this.table.write((transaction) => {
          for (const { atMillis, step, values } of batch)
            this.table.insert(transaction, [
              BigInt(atMillis) * 1000n,
              step,
              names,
              new Uint8Array(values.buffer.slice(0)),
            ]);
        });
        if (++this.batches % TRIM_EVERY_BATCHES === 0) await this.trim();
      } catch (error) {
        if (error instanceof Error) this.warn(error);
      }
    });
    return this.writing;
  }

  /** Takes out rows older than their level keeps. */
  private async trim(): Promise<void> {
    for (const level of this.levels) {
      const oldest = level.points[0]?.atMillis;
      if (oldest === undefined) continue;
      const old = this.table.read([
        { column: STEP, operator: '=', value: level.step },
        { column: AT, operator: '<', value: BigInt(oldest) * 1000n },
      ]);
      if (old.length === 0) continue;
      await this.table.write((transaction) => {
        for (const { rowId } of old) this.table.delete(transaction, rowId);
      });
    }
  }

  get latest(): HistoryPoint | undefined {
    return this.seconds.at(-1);
  }

  /** Points of a stretch of time: the finest level that covers it with at most `most` points, thinned by averaging if need be. */
  range(fromMillis: number, toMillis: number, most: number): { stepMillis: number; points: HistoryPoint[] } {
    const span = Math.max(1, toMillis - fromMillis);
    const all = [
      { step: 1, points: this.seconds as readonly HistoryPoint[] },
      ...this.levels.map(({ step, points }) => ({ step, points: points as readonly HistoryPoint[] })),
    ];
    const covers = (points: readonly HistoryPoint[]): boolean =>
      points.length > 0 && points[0].atMillis <= fromMillis;
    const fine = all.find(({ step, points }) => span / (step * 1000) <= most * 1.5 && covers(points));
    // None reaches back far enough: the one that reaches furthest.
    const chosen =
      fine ??
      all
        .filter(({ points }) => points.length > 0)
        .sort(
          (left, right) => left.points[0].atMillis - right.points[0].atMillis || left.step - right.step,
        )[0] ??
      all[0];
    const points = chosen.points.filter(({ atMillis }) => atMillis >= fromMillis && atMillis <= toMillis);
    if (points.length <= most) return { stepMillis: chosen.step * 1000, points };
    const group = Math.ceil(points.length / most);
    const thinned: HistoryPoint[] = [];
    const average = new Average(this.names.length);
    for (let at = 0; at < points.length; at += group) {
      for (const { values } of points.slice(at, at + group)) average.add(values);
      thinned.push({ atMillis: points[at].atMillis, values: average.take() });
    }
    return { stepMillis: chosen.step * 1000 * group, points: thinned };
  }

  /** Growth per day of a metric by least squares over at most the last week; null with less than ten minutes. */
  growthPerDay(name: string): number | null {
    const index = this.names.indexOf(name);
    const minutes = this.levels[this.levels.length - 1].points.slice(-7 * 1440);
    const source = minutes.length >= 60 ? minutes : this.seconds;
    const points = source.filter(({ values }) => !Number.isNaN(values[index]));
    if (points.length < 2) return null;
    const first = points[0].atMillis;
    if (points[points.length - 1].atMillis - first < 600_000) return null;
    let sumX = 0;
    let sumY = 0;
    for (const { atMillis, values } of points) {
      sumX += (atMillis - first) / 86_400_000;
      sumY += values[index];
    }
    const meanX = sumX / points.length;
    const meanY = sumY / points.length;
    let product = 0;
    let square = 0;
    for (const { atMillis, values } of points) {
      const x = (atMillis - first) / 86_400_000 - meanX;
      product += x * (values[index] - meanY);
      square += x * x;
    }
    return square === 0 ? null : product / square;
  }
}
