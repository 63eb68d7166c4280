/** Random interleavings of transactions against a model: what each snapshot sees, by scan and by every index. */
import { describe, expect, test } from 'vitest';
import type { RowId } from '../base/brands.ts';
import { RealClock } from '../env/real/clock.ts';
import type { Snapshot } from '../txn/contract.ts';
import type { TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import { OID } from '../types/index.ts';
import type { RowCursor, Table } from './contract.ts';
import { testIndex, testSchema, testStore } from './testing.ts';

/** Deterministic generator (mulberry32). */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

type Row = readonly [number, number, string];
type State = Map<number, Row>;

function drain(cursor: RowCursor): { id: RowId; row: Row }[] {
  const frame: Datum[] = [];
  const rows: { id: RowId; row: Row }[] = [];
  while (cursor.next(frame))
    rows.push({ id: cursor.rowId, row: [frame[0] as number, frame[1] as number, frame[2] as string] });
  return rows;
}

const columns = [0, 1, 2];

function byScan(table: Table, snapshot: Snapshot): { id: RowId; row: Row }[] {
  return drain(table.scan({ snapshot, columns, slots: columns, predicates: [] }));
}

function byIndex(
  table: Table,
  snapshot: Snapshot,
  indexOid: number,
  backward = false,
): { id: RowId; row: Row }[] {
  return drain(
    table.indexScan({
      snapshot,
      columns,
      slots: columns,
      indexOid,
      equal: [],
      lower: null,
      upper: null,
      backward,
    }),
  );
}

const sorted = (rows: readonly Row[]): string => JSON.stringify([...rows].sort((a, b) => a[0] - b[0]));

interface Open {
  transaction: TransactionImplementation;
  /** What it shall see: base state at its snapshot plus own changes. */
  view: State;
  writes: Map<number, Row | null>;
  savepoints: { view: State; writes: Map<number, Row | null> }[];
}

describe('MVCC against a model', () => {
  for (let seed = 1; seed <= 60; seed++) {
    test(`seed ${seed}`, () => {
      const random = generator(seed * 7919);
      const { store, transactions } = testStore(new RealClock());
      const setup = transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
      const schema = testSchema(100, [
        ['id', OID.INT4],
        ['value', OID.INT4],
        ['label', OID.TEXT],
      ]);
      const table = store.createTable(setup, schema);
      transactions.commit(setup, { synchronous: true });
      const ddl = transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
      for (const index of [
        testIndex(201, schema, [0], { unique: true, primary: true }),
        testIndex(202, schema, [1]),
        testIndex(203, schema, [2, 1]),
      ]) {
        void store.createIndex(ddl, 100, index);
      }
      return Promise.resolve().then(async () => {
        // Index builds over an empty table take a few turns.
        while (table.indexes.length < 3) await new Promise((resolve) => setImmediate(resolve));
        transactions.commit(ddl, { synchronous: true });
        const committed: State = new Map();
        const open: Open[] = [];
        let session = 2;
        for (let step = 0; step < 400; step++) {
          const choice = random(100);
          if (open.length === 0 || (choice < 12 && open.length < 5)) {
            const transaction = transactions.begin({
              isolation: 'repeatable read',
              readOnly: false,
              sessionId: session++,
            });
            transaction.statementSnapshot();
            open.push({ transaction, view: new Map(committed), writes: new Map(), savepoints: [] });
            continue;
          }
          const subject = open[random(open.length)];
          const { transaction } = subject;
          const snapshot = transaction.statementSnapshot();
          if (choice < 40) {
            const id = random(60);
            // Deleted by another since our snapshot: inserting it would show both, as in PostgreSQL. Not modelled.
            if (subject.view.has(id) && !subject.writes.has(id) && !committed.has(id)) continue;
            const row: Row = [id, random(10), 'x'.repeat(random(20)) + String(random(5))];
            const outcome = table.insert(transaction, row);
            const writers = open.filter((other) => other !== subject && other.writes.has(id));
            if ('conflict' in outcome) {
              const isOwn = subject.writes.get(id) !== undefined && subject.writes.get(id) !== null;
              if (outcome.conflict.xid !== 0) expect(writers.length).toBeGreaterThan(0);
              else expect(isOwn || committed.has(id)).toBe(true);
            } else {
              expect(subject.writes.get(id) ?? null).toBe(null);
              subject.view.set(id, row);
              subject.writes.set(id, row);
            }
          } else if (choice < 72) {
            const rows = byScan(table, snapshot);
            if (rows.length === 0) continue;
            const target = rows[random(rows.length)];
            const id = target.row[0];
            if (choice < 60) {
              const row: Row = [id, random(10), target.row[2]];
              const outcome = table.update(transaction, snapshot, target.id, row, [1]);
              if (outcome.kind === 'ok') {
                subject.view.set(id, row);
                subject.writes.set(id, row);
              } else if (outcome.kind === 'wait') {
                expect(open.some((other) => other !== subject && other.writes.has(id))).toBe(true);
              } else expect(['updated', 'deleted']).toContain(outcome.kind);
            } else {
              const outcome = table.delete(transaction, snapshot, target.id);
              if (outcome.kind === 'ok') {
                subject.view.delete(id);
                subject.writes.set(id, null);
              } else expect(['updated', 'deleted', 'wait']).toContain(outcome.kind);
            }
          } else if (choice < 78) {
            transaction.beginSubtransaction('s');
            subject.savepoints.push({ view: new Map(subject.view), writes: new Map(subject.writes) });
          } else if (choice < 83) {
            const saved = subject.savepoints.at(-1);
            if (saved !== undefined) {
              transaction.rollbackToSubtransaction('s');
              subject.view = new Map(saved.view);
              subject.writes = new Map(saved.writes);
            }
          } else if (choice < 90) {
            transactions.commit(transaction, { synchronous: true });
            for (const [id, row] of subject.writes) {
              if (row === null) committed.delete(id);
              else committed.set(id, row);
            }
            open.splice(open.indexOf(subject), 1);
            continue;
          } else if (choice < 94) {
            transactions.rollback(transaction);
            open.splice(open.indexOf(subject), 1);
            continue;
          }
          transaction.advanceCommand();
          // Everyone re-reads its own stable view.
          for (const other of open) {
            const view = other.transaction.statementSnapshot();
            const expected = sorted([...other.view.values()]);
            expect(sorted(byScan(table, view).map((entry) => entry.row))).toBe(expected);
            if (step % 5 === 0) {
              for (const indexOid of [201, 202, 203]) {
                const rows = byIndex(table, view, indexOid, step % 2 === 0).map((entry) => entry.row);
                expect(sorted(rows)).toBe(expected);
              }
            }
          }
        }
        for (const subject of open) transactions.rollback(subject.transaction);
        while (transactions.collect(1000)) await Promise.resolve();
        const reader = transactions.begin({ isolation: 'read committed', readOnly: true, sessionId: 9999 });
        const expected = sorted([...committed.values()]);
        const snapshot = reader.latestSnapshot();
        expect(sorted(byScan(table, snapshot).map((entry) => entry.row))).toBe(expected);
        expect(table.estimate().rows).toBe(committed.size);
        // Nothing is left behind: as many entries as rows, as many versions as rows.
        const implementation = store.implementation(100);
        for (const index of implementation.tableIndexes) expect(index.tree.size).toBe(committed.size);
        expect(implementation.rows.deltaVersions).toBe(committed.size);
      });
    });
  }
});
