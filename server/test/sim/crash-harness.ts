/**
 * Crash simulation of the table store: a seeded workload on a simulated disk, power cuts at random I/O operations, recovery,
 * and a comparison with what clients were told.
 *
 * Sessions work on rows and tables of their own, so each has at most one transaction in doubt when the power goes. A
 * session's possible states are a list: what its last synchronous commit made certain, and after it every state an
 * asynchronous or unanswered commit may have made. After recovery the store must show exactly one of them, the same by
 * scan and by every index, and a second recovery must show it again.
 */
import type { Oid } from '../../src/base/brands.ts';
import { DbError } from '../../src/base/error.ts';
import { SuspendSignal, WaitSignal } from '../../src/base/suspend.ts';
import { createSimulation, type SimulatedWorld } from '../../src/env/simulated/environment.ts';
import type { OpenedStore, RowCursor, Table } from '../../src/table/index.ts';
import { openTableStore } from '../../src/table/index.ts';
import { testIndex, testSchema } from '../../src/table/testing.ts';
import type { Transaction } from '../../src/txn/contract.ts';
import type { Datum } from '../../src/types/datum.ts';
import { OID, typeSupport } from '../../src/types/index.ts';
import type { ColumnVector } from '../../src/types/vector.ts';

const SESSIONS = 3;
const SHARED_TABLE = 20_000;
const SHARED_KEY = 20_001;
const SHARED_SECONDARY = 20_002;
const LOG_SEGMENT_BYTES = 64 * 1024;

export interface CrashOptions {
  readonly seed: number;
  /** Power cuts on this disk. */
  readonly crashes: number;
  /** Greatest number of counted disk operations before each cut. */
  readonly operations?: number;
}

export interface CrashReport {
  crashes: number;
  commits: number;
  checkpoints: number;
  recoveredCommits: number;
  /** Cuts that hit a recovery. */
  duringRecovery: number;
}

type Row = readonly [id: number, value: number, label: string | null];

/** One private table as its session knows it. */
interface PrivateTable {
  columns: number;
  indexOid: Oid;
  rows: Map<number, Row>;
}

/** All a session owns; treated as immutable once in a list of candidates. */
interface State {
  shared: Map<number, Row>;
  tables: Map<Oid, PrivateTable>;
}

interface Session {
  number: number;
  candidates: State[];
  nextOid: Oid;
  sequenceFloor: bigint;
  sequenceTaken: bigint;
}

function copyState(state: State): State {
  return {
    shared: new Map(state.shared),
    tables: new Map([...state.tables].map(([oid, table]) => [oid, { ...table, rows: new Map(table.rows) }])),
  };
}

function describe(state: State): string {
  const rows = (map: Map<number, Row>): Row[] => [...map.values()].sort((left, right) => left[0] - right[0]);
  return JSON.stringify([
    rows(state.shared),
    [...state.tables]
      .sort(([left], [right]) => left - right)
      .map(([oid, table]) => [oid, table.columns, rows(table.rows)]),
  ]);
}

/** What the store shows beyond (+) or short of (-) a candidate, the first few rows. */
function difference(expected: State, shown: State): string {
  const items = (state: State): Set<string> => {
    const set = new Set<string>();
    for (const row of state.shared.values()) set.add(`shared ${JSON.stringify(row)}`);
    for (const [oid, table] of state.tables) {
      set.add(`table ${oid} of ${table.columns} columns`);
      for (const row of table.rows.values()) set.add(`${oid} ${JSON.stringify(row)}`);
    }
    return set;
  };
  const left = items(expected);
  const right = items(shown);
  const more = [...right].filter((item) => !left.has(item)).map((item) => `+${item}`);
  const less = [...left].filter((item) => !right.has(item)).map((item) => `-${item}`);
  return `${more.length} more, ${less.length} less: ${[...more, ...less].slice(0, 8).join(' ')}`;
}

class Generator {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0;
  }
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

/** Raised when the store shows something it must not. */
export class Mismatch extends Error {}

/** One seed: several power cuts on one disk. Throws {@link Mismatch} with the seed in its message. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const world = createSimulation(options.seed, { disk: { hangAfterCrash: true, latencyMicros: [2, 40] } });
  const harness = new Harness(world, options);
  try {
    await world.simulation.run(() => harness.run());
  } catch (error) {
    if (process.env.CRASH_TRACE !== undefined)
      console.error(harness.trace.slice(-Number(process.env.CRASH_TRACE)).join('\n'));
    if (error instanceof Error)
      error.message = `seed ${options.seed}, cut ${harness.report.crashes}: ${error.message}`;
    throw error;
  }
  return harness.report;
}

class Harness {
  readonly report: CrashReport = {
    crashes: 0,
    commits: 0,
    checkpoints: 0,
    recoveredCommits: 0,
    duringRecovery: 0,
  };
  private readonly world: SimulatedWorld;
  private readonly options: CrashOptions;
  private readonly random: Generator;
  /** The last events, for the message of a mismatch. */
  readonly trace: string[] = [];
  private sessions: Session[] = [];
  private life = 0;
  private isBuilt = false;

  constructor(world: SimulatedWorld, options: CrashOptions) {
    this.world = world;
    this.options = options;
    this.random = new Generator(options.seed * 2654435761);
    for (let number = 0; number < SESSIONS; number++) {
      this.sessions.push({
        number,
        candidates: [{ shared: new Map(), tables: new Map() }],
        nextOid: 30_000 + number * 1000,
        sequenceFloor: 0n,
        sequenceTaken: 0n,
      });
    }
  }

  async run(): Promise<void> {
    const { disk } = this.world;
    while (this.report.crashes < this.options.crashes) {
      const life = ++this.life;
      // Short distances hit recovery and the first checkpoint, long ones the steady state.
      const limit = this.options.operations ?? 160;
      disk.crashAtOperation(1 + this.random.below(this.random.below(4) === 0 ? 12 : limit));
      const crashed = disk.whenCrashed();
      let hasOpened = false;
      const work = (async () => {
        const opened = await this.open();
        hasOpened = true;
        await this.verify(opened);
        await this.workload(opened, life);
      })();
      const failure = await Promise.race([
        crashed.then(() => null),
        work.then(
          () => null,
          (error: unknown) => error,
        ),
      ]);
      if (failure !== null && !disk.isCrashed) throw failure;
      this.life++;
      if (!disk.isCrashed) disk.crash();
      if (!hasOpened) this.report.duringRecovery++;
      this.report.crashes++;
      disk.restart();
    }
    // Twice without disturbance: the same state, and it survives an orderly end.
    this.life++;
    const first = await this.open();
    const states = await this.verify(first);
    disk.crash();
    disk.restart();
    const second = await this.open();
    const again = await this.verify(second);
    if (again.join() !== states.join()) throw new Mismatch('a second recovery shows something else');
    await second.shutdown();
    const third = await this.open();
    if ((await this.verify(third)).join() !== states.join())
      throw new Mismatch('an orderly restart shows something else');
    await third.shutdown();
  }

  private note(text: string): void {
    this.trace.push(`${this.life}: ${text}`);
  }

  private async open(): Promise<OpenedStore> {
    const { environment } = this.world;
    const opened = await openTableStore({
      environment,
      typeSupport,
      cacheBytes: 1 << 20,
      logSegmentBytes: LOG_SEGMENT_BYTES,
      settings: {
        checkpointLogBytes: this.random.below(2) === 0 ? 20_000 : 0,
        deltaBytes: 1 << 24,
        wasteBytes: this.random.below(2) === 0 ? 256 : 1 << 20,
      },
      onFatal: () => {},
      onWarning: (error) => {
        if (error instanceof DbError && error.code !== 'XX001') throw error;
      },
    });
    this.note(`opened, ${opened.recovery?.commits ?? 0} commits from the log`);
    this.report.recoveredCommits += opened.recovery?.commits ?? 0;
    if (!this.isBuilt) await this.build(opened);
    return opened;
  }

  /** The shared table; a cut in here is tried again in the next life. */
  private async build(opened: OpenedStore): Promise<void> {
    const { store, transactions } = opened;
    if (!store.tables.has(SHARED_TABLE)) {
      const transaction = transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 99 });
      const schema = sharedSchema(SHARED_TABLE, 3);
      store.createTable(transaction, schema);
      await store.createIndex(
        transaction,
        SHARED_TABLE,
        testIndex(SHARED_KEY, schema, [0], { unique: true, primary: true }),
      );
      await store.createIndex(transaction, SHARED_TABLE, testIndex(SHARED_SECONDARY, schema, [1, 2]));
      for (const session of this.sessions) {
        store.createSequence(transaction, 40_000 + session.number, {
          start: 1n,
          increment: 1n,
          minimum: 1n,
          maximum: 1n << 62n,
          cache: 1n,
          cycle: false,
          lastValue: 1n,
          isCalled: false,
        });
      }
      await transactions.commit(transaction, { synchronous: true });
    }
    this.isBuilt = true;
  }

  // ------------------------------------------------------------------------------------------------ verification

  /** Every session's state must be one of its candidates; afterwards it is the only one. */
  private async verify(opened: OpenedStore): Promise<string[]> {
    const result: string[] = [];
    const { store, transactions } = opened;
    const reader = transactions.begin({ isolation: 'repeatable read', readOnly: true, sessionId: 98 });
    const shared = await this.readTable(store.table(SHARED_TABLE), reader);
    for (const session of this.sessions) {
      const state: State = { shared: new Map(), tables: new Map() };
      for (const [id, row] of shared) if (Math.floor(id / 1000) === session.number) state.shared.set(id, row);
      for (const oid of [...store.tables.keys()].sort((left, right) => left - right)) {
        if (oid < 30_000 + session.number * 1000 || oid >= 31_000 + session.number * 1000) continue;
        const table = store.table(oid);
        state.tables.set(oid, {
          columns: table.schema.columns.length,
          indexOid: table.indexes[0]?.indexOid ?? 0,
          rows: await this.readTable(table, reader),
        });
        session.nextOid = Math.max(session.nextOid, oid + 10);
      }
      const text = describe(state);
      const known = session.candidates.map(describe);
      if (!known.includes(text)) {
        const differences = session.candidates.map((candidate) => difference(candidate, state));
        throw new Mismatch(`session ${session.number} (life ${this.life}): ${differences.join('\n or ')}`);
      }
      session.candidates = [state];
      result.push(text);
      session.sequenceTaken = session.sequenceFloor;
      const next = store.sequence(40_000 + session.number).state;
      const floor = next.isCalled ? next.lastValue : next.lastValue - 1n;
      if (floor < session.sequenceFloor)
        throw new Mismatch(`sequence ${session.number} fell back to ${floor}`);
    }
    transactions.rollback(reader);
    return result;
  }

  /** Rows by scan; every index must show the same, in order. */
  private async readTable(table: Table, reader: Transaction): Promise<Map<number, Row>> {
    const snapshot = reader.statementSnapshot();
    const columns = [0, 1, 2];
    const rows = await drain(table.scan({ snapshot, columns, slots: columns, predicates: [] }));
    const found = new Map<number, Row>();
    for (const row of rows) {
      if (found.has(row[0])) throw new Mismatch(`table ${table.schema.tableOid} shows row ${row[0]} twice`);
      found.set(row[0], row);
    }
    if (table.estimate().rows !== found.size) {
      throw new Mismatch(
        `table ${table.schema.tableOid} counts ${table.estimate().rows} rows and shows ${found.size}`,
      );
    }
    const plain = sortedText(rows);
    for (const index of table.indexes) {
      const byIndex = await drain(
        table.indexScan({
          snapshot,
          columns,
          slots: columns,
          indexOid: index.indexOid,
          equal: [],
          lower: null,
          upper: null,
          backward: false,
        }),
      );
      if (sortedText(byIndex) !== plain) {
        throw new Mismatch(
          `table ${table.schema.tableOid} and its index ${index.indexOid} disagree: ${difference(
            { shared: new Map(rows.map((row) => [row[0], row])), tables: new Map() },
            { shared: new Map(byIndex.map((row) => [row[0], row])), tables: new Map() },
          )} (${rows.length} and ${byIndex.length} rows)`,
        );
      }
    }
    return found;
  }

  // ------------------------------------------------------------------------------------------------ workload

  private async workload(opened: OpenedStore, life: number): Promise<void> {
    const care = (async () => {
      while (this.life === life) {
        await this.world.clock.sleep(this.random.below(4));
        if (this.life !== life) return;
        const choice = this.random.below(6);
        if (choice < 2) {
          this.note('checkpoint begins');
          await opened.store.checkpoint();
          this.note('checkpoint ended');
          this.report.checkpoints++;
        } else if (choice === 2) {
          const oids = [...opened.store.tables.keys()];
          const oid = oids[this.random.below(oids.length)];
          this.note(`seal ${oid} begins`);
          await opened.store.seal(oid);
          this.note(`seal ${oid} ended`);
        }
      }
    })();
    await Promise.all([care, ...this.sessions.map((session) => this.runSession(opened, session, life))]);
  }

  private async runSession(opened: OpenedStore, session: Session, life: number): Promise<void> {
    while (this.life === life && !this.world.disk.isCrashed) {
      const { transactions } = opened;
      const before = session.candidates[session.candidates.length - 1];
      const state = copyState(before);
      const transaction = transactions.begin({
        isolation: 'read committed',
        readOnly: false,
        sessionId: session.number + 1,
      });
      const steps = 1 + this.random.below(6);
      for (let step = 0; step < steps; step++) {
        await this.step(opened, session, transaction, state);
        transaction.advanceCommand();
        if (this.random.below(4) === 0) await this.world.clock.yieldToLoop();
      }
      if (this.life !== life || this.world.disk.isCrashed) return;
      const end = this.random.below(20);
      if (end < 3) {
        this.note(`${transaction.xid} rolled back`);
        transactions.rollback(transaction);
        continue;
      }
      const synchronous = end < 17;
      this.note(`${transaction.xid} commits ${synchronous ? 'and waits' : ''}`);
      // In doubt from here on.
      session.candidates = [...session.candidates, state];
      await transactions.commit(transaction, { synchronous });
      if (this.life !== life || this.world.disk.isCrashed) return;
      this.report.commits++;
      this.note(`${transaction.xid} committed`);
      // As in PostgreSQL, a commit without changes makes nothing durable, not even asynchronous commits before it.
      if (synchronous && transaction.xid !== 0) {
        session.candidates = [state];
        session.sequenceFloor = session.sequenceTaken;
      }
      if (this.random.below(3) === 0) await this.world.clock.sleep(this.random.below(3));
    }
  }

  private async step(
    opened: OpenedStore,
    session: Session,
    transaction: Transaction,
    state: State,
  ): Promise<void> {
    const { store } = opened;
    const choice = this.random.below(100);
    if (choice < 70) {
      await this.changeRow(store.table(SHARED_TABLE), transaction, state.shared, session.number * 1000);
    } else if (choice < 74) {
      transaction.beginSubtransaction('inner');
      await this.changeRow(
        store.table(SHARED_TABLE),
        transaction,
        new Map(state.shared),
        session.number * 1000,
      );
      transaction.rollbackToSubtransaction('inner');
      transaction.releaseSubtransaction('inner');
    } else if (choice < 78) {
      const value = store.sequence(40_000 + session.number).nextValue();
      // It counts as given out only with a durable commit behind it.
      session.sequenceTaken = value;
      await this.changeRow(store.table(SHARED_TABLE), transaction, state.shared, session.number * 1000);
    } else {
      await this.changeStructure(opened, session, transaction, state);
    }
  }

  private row(base: number): Row {
    const id = base + this.random.below(40);
    const label =
      this.random.below(5) === 0 ? null : 'label'.repeat(this.random.below(12)) + this.random.below(100);
    return [id, this.random.below(8), label];
  }

  private async changeRow(
    table: Table,
    transaction: Transaction,
    rows: Map<number, Row>,
    base: number,
  ): Promise<void> {
    const row = this.row(base);
    const existing = rows.get(row[0]);
    const full = (values: Row): Datum[] => [
      ...values,
      ...Array<Datum>(table.schema.columns.length - 3).fill(null),
    ];
    if (existing === undefined) {
      const outcome = await retried(() => table.insert(transaction, full(row)));
      if ('conflict' in outcome) throw new Mismatch(`insert of ${row[0]} met a conflict that nobody made`);
      rows.set(row[0], row);
      this.note(
        `${transaction.xid} inserts ${table.schema.tableOid} ${JSON.stringify(row)} at ${outcome.rowId}`,
      );
      return;
    }
    const snapshot = transaction.latestSnapshot();
    const columns = [0, 1, 2];
    const key = table.indexes[0];
    const cursor =
      key === undefined
        ? table.scan({
            snapshot,
            columns,
            slots: columns,
            predicates: [{ column: 0, operator: '=', value: row[0] }],
          })
        : table.indexScan({
            snapshot,
            columns,
            slots: columns,
            indexOid: key.indexOid,
            equal: [row[0]],
            lower: null,
            upper: null,
            backward: false,
          });
    const frame: Datum[] = [];
    if (!(await advanced(cursor, frame))) throw new Mismatch(`row ${row[0]} is not found`);
    const { rowId } = cursor;
    if (this.random.below(3) === 0) {
      const outcome = await retried(() => table.delete(transaction, snapshot, rowId));
      if (outcome.kind !== 'ok') throw new Mismatch(`delete of ${row[0]}: ${outcome.kind}`);
      rows.delete(row[0]);
      this.note(`${transaction.xid} deletes ${table.schema.tableOid} ${row[0]} at ${rowId}`);
    } else {
      const outcome = await retried(() => table.update(transaction, snapshot, rowId, full(row), [1, 2]));
      if (outcome.kind !== 'ok') throw new Mismatch(`update of ${row[0]}: ${outcome.kind}`);
      rows.set(row[0], row);
      this.note(`${transaction.xid} updates ${table.schema.tableOid} ${JSON.stringify(row)} at ${rowId}`);
    }
  }

  private async changeStructure(
    opened: OpenedStore,
    session: Session,
    transaction: Transaction,
    state: State,
  ): Promise<void> {
    const { store } = opened;
    const oids = [...state.tables.keys()];
    const oid = oids[this.random.below(Math.max(1, oids.length))];
    const table = oid === undefined ? undefined : state.tables.get(oid);
    const choice = this.random.below(10);
    if (table === undefined || (choice < 2 && oids.length < 3)) {
      const fresh = session.nextOid;
      session.nextOid += 10;
      store.createTable(transaction, sharedSchema(fresh, 3));
      state.tables.set(fresh, { columns: 3, indexOid: 0, rows: new Map() });
      return;
    }
    const live = store.table(oid);
    if (choice < 6) {
      await this.changeRow(live, transaction, table.rows, 0);
    } else if (choice === 6) {
      if (this.random.below(2) === 0) {
        this.note(`${transaction.xid} drops ${oid}`);
        store.dropTable(transaction, oid);
        state.tables.delete(oid);
      } else {
        this.note(`${transaction.xid} truncates ${oid}`);
        store.truncate(transaction, oid);
        table.rows.clear();
      }
    } else if (choice === 7) {
      if (live.indexes.length > 0) return;
      const indexOid = oid + 1;
      this.note(`${transaction.xid} creates index on ${oid}`);
      await store.createIndex(transaction, oid, testIndex(indexOid, live.schema, [0], { unique: true }));
    } else if (choice === 8 && table.columns < 5) {
      table.columns++;
      this.note(`${transaction.xid} adds column ${table.columns} to ${oid}`);
      store.alterTable(transaction, sharedSchema(oid, table.columns));
    } else {
      await this.bulkLoad(live, transaction, table);
    }
  }

  private async bulkLoad(live: Table, transaction: Transaction, table: PrivateTable): Promise<void> {
    const count = this.random.below(3) === 0 ? 1100 : 40;
    const first = 10_000 + this.random.below(20) * 2000;
    for (let id = first; id < first + count; id++) if (table.rows.has(id)) return;
    const ids = new Int32Array(count);
    const values = new Int32Array(count);
    const offsets = new Uint32Array(count + 1);
    const texts: string[] = [];
    for (let at = 0; at < count; at++) {
      ids[at] = first + at;
      values[at] = this.random.below(100);
      texts.push(`bulk${at % 7}`);
      offsets[at + 1] = offsets[at] + texts[at].length;
    }
    const vectors: ColumnVector[] = [
      { physical: 'int32', count, values: ids, offsets: null, bytes: null, validity: null },
      { physical: 'int32', count, values, offsets: null, bytes: null, validity: null },
      {
        physical: 'varlen',
        count,
        values: null,
        offsets,
        bytes: Buffer.from(texts.join('')),
        validity: null,
      },
    ];
    this.note(`${transaction.xid} loads ${count} rows into ${live.schema.tableOid} from ${first}`);
    await live.insertBatch(transaction, vectors, count);
    for (let at = 0; at < count; at++) table.rows.set(first + at, [first + at, values[at], texts[at]]);
  }
}

function sharedSchema(oid: Oid, columns: number): ReturnType<typeof testSchema> {
  const names: [string, number][] = [
    ['id', OID.INT4],
    ['value', OID.INT4],
    ['label', OID.TEXT],
    ['extra', OID.INT8],
    ['more', OID.NUMERIC],
  ];
  return testSchema(oid, names.slice(0, columns));
}

function sortedText(rows: readonly Row[]): string {
  return JSON.stringify([...rows].sort((left, right) => left[0] - right[0]));
}

async function drain(cursor: RowCursor): Promise<Row[]> {
  const rows: Row[] = [];
  const frame: Datum[] = [];
  while (await advanced(cursor, frame))
    rows.push([frame[0] as number, frame[1] as number, frame[2] as string | null]);
  return rows;
}

function advanced(cursor: RowCursor, frame: Datum[]): Promise<boolean> {
  return retried(() => cursor.next(frame));
}

/** Repeats a call until it neither waits nor suspends. */
async function retried<T>(call: () => T): Promise<T> {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (error instanceof WaitSignal) await error.promise;
      else if (error !== SuspendSignal.instance) throw error;
    }
  }
}
