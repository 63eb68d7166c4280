/** Freezing lets the commit table forget xids without changing what anybody sees. */
import { expect, test } from 'vitest';
import { RealClock } from '../env/real/clock.ts';
import type { Datum } from '../types/datum.ts';
import { OID } from '../types/index.ts';
import { freezeTables } from './freeze.ts';
import { testIndex, testSchema, testStore } from './testing.ts';

test('the window shrinks to what is undecided or needed by a snapshot', async () => {
  const { store, transactions } = testStore(new RealClock());
  const begin = (): ReturnType<typeof transactions.begin> =>
    transactions.begin({ isolation: 'repeatable read', readOnly: false, sessionId: 1 });
  const setup = begin();
  const schema = testSchema(1, [['id', OID.INT4]]);
  const table = store.createTable(setup, schema);
  await store.createIndex(setup, 1, testIndex(2, schema, [0]));
  transactions.commit(setup, { synchronous: true });
  const visible = (reader: ReturnType<typeof begin>): number => {
    const cursor = table.scan({
      snapshot: reader.statementSnapshot(),
      columns: [0],
      slots: [0],
      predicates: [],
    });
    const frame: Datum[] = [];
    let rows = 0;
    while (cursor.next(frame)) rows++;
    return rows;
  };
  const write = (id: number): void => {
    const writer = begin();
    table.insert(writer, [id]);
    transactions.commit(writer, { synchronous: true });
  };
  for (let id = 0; id < 500; id++) write(id);
  const old = begin();
  expect(visible(old)).toBe(500);
  const undecided = begin();
  table.insert(undecided, [-1]);
  for (let id = 500; id < 900; id++) write(id);
  const aborted = begin();
  table.insert(aborted, [-2]);
  transactions.rollback(aborted);
  await freezeTables(store);
  // The old snapshot needs the 400 after it; the undecided one is older than those.
  expect(transactions.table.baseXid).toBe(undecided.xid);
  expect(visible(old)).toBe(500);
  transactions.rollback(old);
  const fresh = begin();
  expect(visible(fresh)).toBe(900);
  transactions.commit(undecided, { synchronous: true });
  await freezeTables(store);
  expect(visible(fresh)).toBe(900);
  transactions.rollback(fresh);
  await freezeTables(store);
  expect(transactions.table.windowUse).toBe(0);
  expect(visible(begin())).toBe(901);
});
