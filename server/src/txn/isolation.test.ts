/**
 * The anomalies of the Hermitage collection, at READ COMMITTED and REPEATABLE READ, with the outcome PostgreSQL shows, and
 * row locks, lock queues and deadlocks.
 */
import { describe, expect, test } from 'vitest';
import type { RowId, Xid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { RealClock } from '../env/real/clock.ts';
import type { OpenedStore, Table } from '../table/index.ts';
import { testIndex, testSchema, testStore } from '../table/testing.ts';
import type { Datum } from '../types/datum.ts';
import { OID } from '../types/index.ts';
import type { IsolationLevel, RowLockMode, TableLockMode } from './contract.ts';
import type { TransactionImplementation } from './transaction.ts';

const WAIT = { policy: 'wait', timeoutMicros: 0 } as const;

/** A session in miniature: statements as an executor runs them, with waiting and re-check. */
class Client {
  readonly opened: OpenedStore;
  readonly table: Table;
  readonly number: number;
  transaction!: TransactionImplementation;

  constructor(opened: OpenedStore, table: Table, number: number) {
    this.opened = opened;
    this.table = table;
    this.number = number;
  }

  begin(isolation: IsolationLevel): this {
    this.transaction = this.opened.transactions.begin({ isolation, readOnly: false, sessionId: this.number });
    return this;
  }

  rows(where: (id: number, value: number) => boolean = () => true): [number, number][] {
    return this.found(where).map(([, id, value]) => [id, value]);
  }

  private found(where: (id: number, value: number) => boolean): [RowId, number, number][] {
    const snapshot = this.transaction.statementSnapshot();
    const cursor = this.table.scan({ snapshot, columns: [0, 1], slots: [0, 1], predicates: [] });
    const frame: Datum[] = [];
    const rows: [RowId, number, number][] = [];
    while (cursor.next(frame)) {
      if (where(frame[0] as number, frame[1] as number))
        rows.push([cursor.rowId, frame[0] as number, frame[1] as number]);
    }
    return rows.sort((left, right) => left[1] - right[1]);
  }

  insert(id: number, value: number): void {
    const outcome = this.table.insert(this.transaction, [id, value]);
    expect('rowId' in outcome).toBe(true);
    this.transaction.advanceCommand();
  }

  /** UPDATE … SET value = change(value) WHERE where; null deletes. Returns the count. */
  async update(
    where: (id: number, value: number) => boolean,
    change: (value: number) => number | null,
  ): Promise<number> {
    let count = 0;
    for (const [rowId, id, first] of this.found(where)) {
      let value = first;
      let snapshot = this.transaction.statementSnapshot();
      for (;;) {
        const next = change(value);
        const outcome =
          next === null
            ? this.table.delete(this.transaction, snapshot, rowId)
            : this.table.update(this.transaction, snapshot, rowId, [id, next], [1]);
        if (outcome.kind === 'ok') {
          count++;
          break;
        }
        if (outcome.kind === 'wait') {
          const wait = this.opened.transactions.locks.waitForTransaction(this.transaction, outcome.xid, WAIT);
          if (wait !== null) await wait;
          continue;
        }
        if (this.transaction.isolation !== 'read committed') {
          throw new DbError('serialization_failure', 'could not serialize access due to concurrent update');
        }
        if (outcome.kind === 'deleted') break;
        expect(outcome.kind).toBe('updated');
        // The newest version decides whether the row still qualifies.
        snapshot = this.transaction.latestSnapshot();
        const frame: Datum[] = [];
        if (!this.table.fetch(rowId, snapshot, [1], [0], frame)) break;
        value = frame[0] as number;
        if (!where(id, value)) break;
      }
    }
    this.transaction.advanceCommand();
    return count;
  }

  async commit(): Promise<void> {
    await this.opened.transactions.commit(this.transaction, { synchronous: true });
  }

  rollback(): void {
    this.opened.transactions.rollback(this.transaction);
  }

  lock(mode: TableLockMode, oid = 1): Promise<void> | null {
    return this.opened.transactions.locks.lockTable(this.transaction, oid, mode, WAIT);
  }
}

async function setup(count = 3): Promise<{ opened: OpenedStore; clients: Client[]; table: Table }> {
  const opened = testStore(new RealClock());
  const schema = testSchema(1, [
    ['id', OID.INT4],
    ['value', OID.INT4],
  ]);
  const transaction = opened.transactions.begin({
    isolation: 'read committed',
    readOnly: false,
    sessionId: 99,
  });
  const table = opened.store.createTable(transaction, schema);
  await opened.store.createIndex(transaction, 1, testIndex(2, schema, [0], { unique: true, primary: true }));
  table.insert(transaction, [1, 10]);
  table.insert(transaction, [2, 20]);
  opened.transactions.commit(transaction, { synchronous: true });
  const clients = Array.from({ length: count }, (_, at) => new Client(opened, table, at + 1));
  return { opened, clients, table };
}

const all = (): boolean => true;
const id = (wanted: number) => (found: number) => found === wanted;
const to = (value: number) => () => value;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    return error instanceof DbError ? error.code : String(error);
  }
}

const levels = ['read committed', 'repeatable read'] as const;

describe.each(levels)('anomalies at %s', (level) => {
  const isSnapshot = level === 'repeatable read';

  test('G0: no dirty writes', async () => {
    const { clients } = await setup();
    const [one, two, three] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(11));
    const blocked = codeOf(two.update(id(1), to(12)));
    await one.update(id(2), to(21));
    await one.commit();
    expect(await blocked).toBe(isSnapshot ? '40001' : 'ok');
    if (isSnapshot) two.rollback();
    else {
      await two.update(id(2), to(22));
      await two.commit();
    }
    three.rollback();
    three.begin(level);
    expect(three.rows()).toEqual(
      isSnapshot
        ? [
            [1, 11],
            [2, 21],
          ]
        : [
            [1, 12],
            [2, 22],
          ],
    );
  });

  test('G1a: aborted reads', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(101));
    expect(two.rows()).toEqual([
      [1, 10],
      [2, 20],
    ]);
    one.rollback();
    expect(two.rows()).toEqual([
      [1, 10],
      [2, 20],
    ]);
  });

  test('G1b: intermediate reads', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(101));
    expect(two.rows()).toEqual([
      [1, 10],
      [2, 20],
    ]);
    await one.update(id(1), to(11));
    await one.commit();
    expect(two.rows()).toEqual(
      isSnapshot
        ? [
            [1, 10],
            [2, 20],
          ]
        : [
            [1, 11],
            [2, 20],
          ],
    );
  });

  test('G1c: circular information flow', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(11));
    await two.update(id(2), to(22));
    expect(one.rows(id(2))).toEqual([[2, 20]]);
    expect(two.rows(id(1))).toEqual([[1, 10]]);
  });

  test('OTV: observed transaction vanishes', async () => {
    const { clients } = await setup();
    const [one, two, three] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(11));
    await one.update(id(2), to(19));
    const blocked = codeOf(two.update(id(1), to(12)));
    await one.commit();
    const first = three.rows();
    expect(first).toEqual([
      [1, 11],
      [2, 19],
    ]);
    if ((await blocked) === 'ok') {
      await two.update(id(2), to(18));
      expect(three.rows()).toEqual([
        [1, 11],
        [2, 19],
      ]);
      await two.commit();
      expect(three.rows()).toEqual([
        [1, 12],
        [2, 18],
      ]);
    } else expect(isSnapshot).toBe(true);
  });

  test('PMP: predicate-many-preceders', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    expect(one.rows((_, value) => value === 30)).toEqual([]);
    two.insert(3, 30);
    await two.commit();
    expect(one.rows((_, value) => value % 3 === 0)).toEqual(isSnapshot ? [] : [[3, 30]]);
  });

  test('PMP with a write predicate', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    if (isSnapshot) two.rows();
    await one.update(all, (value) => value + 10);
    const deleted = codeOf(
      two.update(
        (_, value) => value === 20,
        () => null,
      ),
    );
    await one.commit();
    expect(await deleted).toBe(isSnapshot ? '40001' : 'ok');
    // PostgreSQL at READ COMMITTED: the row that was 20 is now 30, the one that became 20 was not looked at.
    if (!isSnapshot)
      expect(two.rows()).toEqual([
        [1, 20],
        [2, 30],
      ]);
  });

  test('P4: lost update', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    expect(one.rows(id(1))).toEqual([[1, 10]]);
    expect(two.rows(id(1))).toEqual([[1, 10]]);
    await one.update(id(1), to(11));
    const blocked = codeOf(two.update(id(1), to(11)));
    await one.commit();
    expect(await blocked).toBe(isSnapshot ? '40001' : 'ok');
  });

  test('G-single: read skew', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    expect(one.rows(id(1))).toEqual([[1, 10]]);
    await two.update(id(1), to(12));
    await two.update(id(2), to(18));
    await two.commit();
    expect(one.rows(id(2))).toEqual([[2, isSnapshot ? 20 : 18]]);
  });

  test('G2-item: write skew is possible at both levels', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin(level));
    one.rows();
    two.rows();
    await one.update(id(1), to(11));
    await two.update(id(2), to(21));
    await one.commit();
    await two.commit();
    const three = clients[2].begin(level);
    expect(three.rows()).toEqual([
      [1, 11],
      [2, 21],
    ]);
  });

  test('own changes, savepoints and failed statements', async () => {
    const { clients } = await setup();
    const [one] = clients.map((client) => client.begin(level));
    await one.update(id(1), to(11));
    one.transaction.beginSubtransaction('a');
    await one.update(id(1), to(12));
    one.insert(3, 30);
    expect(one.rows()).toEqual([
      [1, 12],
      [2, 20],
      [3, 30],
    ]);
    const mark = one.transaction.beginStatement();
    await one.update(all, (value) => value + 100);
    one.transaction.rollbackStatement(mark);
    expect(one.rows()).toEqual([
      [1, 12],
      [2, 20],
      [3, 30],
    ]);
    one.transaction.rollbackToSubtransaction('a');
    expect(one.rows()).toEqual([
      [1, 11],
      [2, 20],
    ]);
    one.insert(3, 31);
    await one.commit();
    const two = clients[1];
    two.rollback();
    two.begin(level);
    expect(two.rows()).toEqual([
      [1, 11],
      [2, 20],
      [3, 31],
    ]);
  });
});

describe('unique keys', () => {
  test('an undecided insert is waited for, then decides', async () => {
    const { clients, table } = await setup();
    for (const ends of ['commit', 'rollback'] as const) {
      const key = ends === 'commit' ? 7 : 8;
      const [one, two] = clients.map((client) => client.begin('read committed'));
      one.insert(key, 1);
      const outcome = table.insert(two.transaction, [key, 2]);
      expect('conflict' in outcome && outcome.conflict.xid).toBe(one.transaction.xid);
      if (ends === 'commit') await one.commit();
      else one.rollback();
      const again = table.insert(two.transaction, [key, 2]);
      expect('conflict' in again).toBe(ends === 'commit');
      if ('conflict' in again) expect(again.conflict.xid).toBe(0);
      two.rollback();
    }
  });

  test('an undecided delete and a key change are waited for', async () => {
    const { clients, table } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    await one.update(id(1), () => null);
    const outcome = table.insert(two.transaction, [1, 2]);
    expect('conflict' in outcome && outcome.conflict.xid).toBe(one.transaction.xid);
    await one.commit();
    expect('rowId' in table.insert(two.transaction, [1, 2])).toBe(true);
    two.rollback();
  });
});

describe('row locks', () => {
  const modes: RowLockMode[] = ['KeyShare', 'Share', 'NoKeyUpdate', 'Update'];
  test.each(modes.flatMap((held) => modes.map((wanted) => [held, wanted] as const)))(
    '%s against %s',
    async (held, wanted) => {
      const { clients, table } = await setup();
      const [one, two] = clients.map((client) => client.begin('read committed'));
      const cursor = table.scan({
        snapshot: one.transaction.statementSnapshot(),
        columns: [],
        slots: [],
        predicates: [],
      });
      cursor.next([]);
      expect(table.lock(one.transaction, one.transaction.statementSnapshot(), cursor.rowId, held).kind).toBe(
        'ok',
      );
      const outcome = table.lock(two.transaction, two.transaction.statementSnapshot(), cursor.rowId, wanted);
      const conflicts = { KeyShare: [3], Share: [2, 3], NoKeyUpdate: [1, 2, 3], Update: [0, 1, 2, 3] }[held];
      expect(outcome.kind).toBe(conflicts.includes(modes.indexOf(wanted)) ? 'wait' : 'ok');
      await one.commit();
      expect(
        table.lock(two.transaction, two.transaction.statementSnapshot(), cursor.rowId, wanted).kind,
      ).toBe('ok');
    },
  );

  test('a KEY SHARE lock lets updates of other columns pass, and they it', async () => {
    const { clients, table } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    const cursor = table.scan({
      snapshot: one.transaction.statementSnapshot(),
      columns: [],
      slots: [],
      predicates: [],
    });
    cursor.next([]);
    const { rowId } = cursor;
    table.lock(one.transaction, one.transaction.statementSnapshot(), rowId, 'KeyShare');
    expect(table.update(two.transaction, two.transaction.statementSnapshot(), rowId, [1, 11], [1]).kind).toBe(
      'ok',
    );
    const third = clients[2].transaction;
    expect(table.lock(third, third.statementSnapshot(), rowId, 'KeyShare').kind).toBe('ok');
    expect(table.lock(third, third.statementSnapshot(), rowId, 'Share').kind).toBe('wait');
    two.rollback();
    const change = table.update(
      two.begin('read committed').transaction,
      two.transaction.statementSnapshot(),
      rowId,
      [5, 11],
      [0],
    );
    expect(change.kind).toBe('wait');
  });
});

describe('table locks', () => {
  test('queue in order; weaker requests do not overtake', async () => {
    const { clients } = await setup();
    const [one, two, three] = clients.map((client) => client.begin('read committed'));
    expect(one.lock('AccessShare', 50)).toBe(null);
    const order: number[] = [];
    const second = two.lock('AccessExclusive', 50)?.then(() => order.push(2));
    const third = three.lock('AccessShare', 50)?.then(() => order.push(3));
    expect(third).not.toBe(undefined);
    await one.commit();
    await second;
    expect(order).toEqual([2]);
    await two.commit();
    await third;
    expect(order).toEqual([2, 3]);
  });

  test('lock_timeout and NOWAIT raise 55P03, cancel 57014', async () => {
    const { clients, opened } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    one.lock('Exclusive', 50);
    const { locks } = opened.transactions;
    const timed = locks.lockTable(two.transaction, 50, 'Exclusive', { policy: 'wait', timeoutMicros: 5000 });
    expect(await codeOf(timed as Promise<void>)).toBe('55P03');
    expect(() =>
      locks.lockTable(two.transaction, 50, 'Exclusive', { policy: 'nowait', timeoutMicros: 0 }),
    ).toThrow(expect.objectContaining({ code: '55P03' }));
    const cancelled = locks.lockTable(two.transaction, 50, 'Exclusive', WAIT) as Promise<void>;
    locks.cancelWaits(
      two.transaction,
      new DbError('query_canceled', 'canceling statement due to user request'),
    );
    expect(await codeOf(cancelled)).toBe('57014');
    expect(locks.snapshotLocks().some((lock) => !lock.granted)).toBe(false);
  });

  test('locks taken after a savepoint fall with it', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    one.transaction.beginSubtransaction('s');
    one.lock('AccessExclusive', 50);
    const waiting = two.lock('AccessShare', 50);
    expect(waiting).not.toBe(null);
    one.transaction.rollbackToSubtransaction('s');
    await waiting;
  });
});

describe('deadlocks', () => {
  test('two rows, two sessions: the second to wait is refused, in PostgreSQL’s words', async () => {
    const { clients } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    await one.update(id(1), to(11));
    await two.update(id(2), to(22));
    const first = one.update(id(2), to(12));
    await new Promise((resolve) => setImmediate(resolve));
    const error = await two.update(id(1), to(21)).then(
      () => null,
      (caught: unknown) => caught as DbError,
    );
    expect(error?.code).toBe('40P01');
    expect(error?.message).toBe('deadlock detected');
    expect(error?.fields.detail).toBe(
      `Process 2 waits for ShareLock on transaction ${one.transaction.xid}; blocked by process 1.\n` +
        `Process 1 waits for ShareLock on transaction ${two.transaction.xid}; blocked by process 2.`,
    );
    two.rollback();
    expect(await first).toBe(1);
    await one.commit();
  });

  test('three sessions over tables, advisory locks and rows', async () => {
    const { clients, opened } = await setup();
    const [one, two, three] = clients.map((client) => client.begin('read committed'));
    const { locks } = opened.transactions;
    one.lock('Exclusive', 50);
    expect(locks.lockAdvisory(two.transaction, 7n, false, WAIT)).toBe(null);
    await three.update(id(1), to(13));
    const first = locks.lockAdvisory(one.transaction, 7n, false, WAIT) as Promise<void>;
    const second = two.update(id(1), to(12));
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => three.lock('Exclusive', 50)).toThrow(expect.objectContaining({ code: '40P01' }));
    three.rollback();
    expect(await second).toBe(1);
    await two.commit();
    await first;
    await one.commit();
  });

  test('waiting for a transaction that has ended needs no wait', async () => {
    const { clients, opened } = await setup();
    const [one, two] = clients.map((client) => client.begin('read committed'));
    one.insert(9, 9);
    const { xid } = one.transaction;
    await one.commit();
    expect(opened.transactions.locks.waitForTransaction(two.transaction, xid as Xid, WAIT)).toBe(null);
  });
});

test('a hot row keeps memory flat', async () => {
  const { clients, opened, table } = await setup(1);
  const [one] = clients;
  const implementation = opened.store.implementation(1);
  let after = 0;
  for (let round = 0; round < 20_000; round++) {
    one.begin('read committed');
    const snapshot = one.transaction.statementSnapshot();
    const outcome = table.update(one.transaction, snapshot, 0 as RowId, [1, round], [1]);
    if (outcome.kind !== 'ok') throw new Error(outcome.kind);
    opened.transactions.commit(one.transaction, { synchronous: true });
    if (round === 1000) after = opened.store.arena.usedBytes;
  }
  expect(opened.store.arena.usedBytes).toBe(after);
  expect(implementation.rows.deltaVersions).toBe(2);
});
