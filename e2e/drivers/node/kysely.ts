/** Kysely over node-postgres. */
import assert from 'node:assert/strict';
import { type Generated, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { connection, failsWith, finish, step, tls } from './steps.ts';

interface Tables {
  customer: { id: Generated<number>; email: string; document: unknown };
  purchase: { id: Generated<number>; customer_id: number; note: string | null };
}

const db = new Kysely<Tables>({
  dialect: new PostgresDialect({ pool: new pg.Pool({ ...connection, ssl: tls }), cursor: Cursor as never }),
});

await step('connect over TLS with SCRAM', async () => {
  const { rows } = await sql<{
    ssl: boolean;
  }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(db);
  assert.equal(rows[0].ssl, true);
});

await step('schema', async () => {
  await db.schema
    .createTable('customer')
    .ifNotExists()
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('email', 'varchar(100)', (column) => column.notNull().unique())
    .addColumn('document', 'jsonb')
    .execute();
  await db.schema
    .createTable('purchase')
    .addColumn('id', 'integer', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('customer_id', 'integer', (column) => column.references('customer.id').onDelete('cascade'))
    .execute();
  await db.schema
    .alterTable('purchase')
    .addColumn('note', 'text', (column) => column.check(sql`length(note) < 10`))
    .execute();
  await db.schema
    .createIndex('purchase_note')
    .on('purchase')
    .columns(['note', 'customer_id desc'])
    .where('note', 'is not', null)
    .execute();
});

await step('queries', async () => {
  const document = { a: [1, 'Zoë 漢字 🙂', null] };
  const added = await db
    .insertInto('customer')
    .values([
      { email: 'a@x', document },
      { email: 'b@x', document: null },
    ])
    .returning(['id', 'document'])
    .execute();
  assert.deepEqual(added, [
    { id: 1, document },
    { id: 2, document: null },
  ]);
  await db
    .insertInto('purchase')
    .values(Array.from({ length: 300 }, (_, index) => ({ customer_id: 1, note: `n${index % 3}` })))
    .execute();
  const rows = await db
    .with('counted', (from) =>
      from
        .selectFrom('purchase')
        .select(['customer_id', ({ fn }) => fn.countAll<string>().as('n')])
        .groupBy('customer_id'),
    )
    .selectFrom('customer')
    .leftJoin('counted', 'counted.customer_id', 'customer.id')
    .select(['email', 'n'])
    .orderBy('email')
    .execute();
  assert.deepEqual(rows, [
    { email: 'a@x', n: '300' },
    { email: 'b@x', n: null },
  ]);
});

await step('transactions with savepoints', async () => {
  const transaction = await db.startTransaction().setIsolationLevel('serializable').execute();
  await transaction.insertInto('customer').values({ email: 'c@x', document: null }).execute();
  const inner = await transaction.savepoint('s').execute();
  await failsWith('23505', () =>
    inner.insertInto('customer').values({ email: 'a@x', document: null }).execute(),
  );
  await inner.rollbackToSavepoint('s').execute();
  await transaction.commit().execute();
  assert.equal((await db.selectFrom('customer').selectAll().execute()).length, 3);
});

await step('errors by SQLSTATE', async () => {
  await failsWith('42P01', () => sql`select * from nowhere`.execute(db));
  await failsWith('42703', () => sql`select nothing from customer`.execute(db));
  await failsWith('22012', () => sql`select 1 / ${0}::int`.execute(db));
});

await step('stream', async () => {
  let count = 0;
  for await (const _ of db.selectFrom('purchase').selectAll().stream(50)) count++;
  assert.equal(count, 300);
});

await step('introspection', async () => {
  const tables = await db.introspection.getTables();
  const purchase = tables.find(({ name }) => name === 'purchase');
  assert.deepEqual(
    purchase?.columns.map(({ name, dataType, isAutoIncrementing }) => [name, dataType, isAutoIncrementing]),
    [
      ['id', 'int4', true],
      ['customer_id', 'int4', false],
      ['note', 'text', false],
    ],
  );
});

await step('drop', async () => {
  await db.schema.dropTable('customer').cascade().execute();
  await failsWith('42P01', () => db.selectFrom('customer').selectAll().execute());
});

await db.destroy();
finish();
