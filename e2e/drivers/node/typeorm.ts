/** TypeORM over node-postgres: synchronisation, entities, query runner. */
import assert from 'node:assert/strict';
import 'reflect-metadata';
import { DataSource, EntitySchema, Table, TableColumn } from 'typeorm';
import { connection, failsWith, finish, step, tls } from './steps.ts';

interface Customer {
  id: string;
  email: string;
  credit: string;
  document: unknown;
  tags: string[] | null;
  mood: string | null;
  key: string;
  at: Date;
  purchases: Purchase[];
}
interface Purchase {
  id: number;
  note: string;
  customer: Customer;
}

const customers = new EntitySchema<Customer>({
  name: 'customer',
  columns: {
    id: { type: 'bigint', primary: true, generated: 'increment' },
    email: { type: 'varchar', length: 100, unique: true },
    credit: { type: 'numeric', precision: 20, scale: 9, default: 0 },
    document: { type: 'jsonb', nullable: true },
    tags: { type: 'text', array: true, nullable: true },
    mood: { type: 'enum', enum: ['sad', 'ok'], nullable: true },
    key: { type: 'uuid', generated: 'uuid' },
    at: { type: 'timestamptz', createDate: true },
  },
  relations: { purchases: { type: 'one-to-many', target: 'purchase', inverseSide: 'customer' } },
  checks: [{ expression: 'credit >= 0' }],
});
const purchases = new EntitySchema<Purchase>({
  name: 'purchase',
  columns: {
    id: { type: 'int', primary: true, generated: 'increment' },
    note: { type: 'varchar', length: 20 },
  },
  relations: { customer: { type: 'many-to-one', target: 'customer', onDelete: 'CASCADE', nullable: false } },
  indices: [{ columns: ['note'] }],
});

const { user, ...rest } = connection;
const db = new DataSource({
  type: 'postgres',
  ...rest,
  username: user,
  ssl: tls,
  entities: [customers, purchases],
  synchronize: true,
  installExtensions: true,
});

await step('connect over TLS with SCRAM, synchronise', async () => {
  await db.initialize();
  const rows = await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
  assert.deepEqual(rows, [{ ssl: true }]);
});

await step('nothing to synchronise the second time', async () => {
  const { upQueries } = await db.driver.createSchemaBuilder().log();
  assert.deepEqual(
    upQueries.map(({ query }) => query),
    [],
  );
});

await step('types round trip', async () => {
  const values = {
    email: 'a@x',
    credit: '12345678901.123456789',
    document: { a: [1, 'Zoë 漢字 🙂', null] },
    tags: ['a,b', '"q"'],
    mood: 'ok',
    at: new Date('2024-02-29T12:34:56.789Z'),
  };
  await db.getRepository(customers).save(values);
  const found = await db.getRepository(customers).findOneByOrFail({ email: 'a@x' });
  for (const [name, value] of Object.entries(values)) assert.deepEqual(found[name as keyof Customer], value);
});

await step('queries', async () => {
  const customer = await db.getRepository(customers).findOneByOrFail({ id: '1' });
  await db.getRepository(purchases).save(
    Array.from({ length: 200 }, (_, index) => ({ note: `n${index % 4}`, customer })),
    { chunk: 50 },
  );
  const found = await db
    .getRepository(customers)
    .createQueryBuilder('c')
    .leftJoinAndSelect('c.purchases', 'p', 'p.note = :note', { note: 'n1' })
    .orderBy('p.id')
    .take(10)
    .getMany();
  assert.equal(found[0].purchases.length, 50);
  await db.getRepository(customers).upsert({ email: 'a@x', credit: '5' }, ['email']);
  let count = 0;
  for await (const _ of await db.getRepository(purchases).createQueryBuilder().stream()) count++;
  assert.equal(count, 200);
});

await step('transactions with savepoints, errors by SQLSTATE', async () => {
  await db.transaction('SERIALIZABLE', async (outer) => {
    await outer.getRepository(customers).insert({ email: 'b@x' });
    await failsWith('23505', () =>
      outer.transaction((inner) => inner.getRepository(customers).insert({ email: 'a@x' })),
    );
  });
  assert.equal(await db.getRepository(customers).count(), 2);
  await failsWith('42P01', () => db.query('select * from nowhere'));
  await failsWith('42703', () => db.query('select nothing from customer'));
  await failsWith('22012', () => db.query('select 1 / $1::int', [0]));
  await failsWith('23514', () => db.getRepository(customers).insert({ email: 'z', credit: '-1' }));
});

await step('introspection and migration', async () => {
  const runner = db.createQueryRunner();
  const table = (await runner.getTable('purchase')) as Table;
  assert.deepEqual(
    table.columns
      .map(({ name, type }) => [name, type])
      .toSorted(([left], [right]) => left.localeCompare(right)),
    [
      ['customerId', 'bigint'],
      ['id', 'integer'],
      ['note', 'character varying'],
    ],
  );
  assert.equal(table.foreignKeys[0].onDelete, 'CASCADE');
  assert.equal(table.indices.length, 1);
  await runner.addColumn(table, new TableColumn({ name: 'extra', type: 'text', isNullable: true }));
  await runner.renameColumn('purchase', 'extra', 'more');
  await runner.changeColumn('purchase', 'more', new TableColumn({ name: 'more', type: 'int', default: 1 }));
  await runner.dropColumn('purchase', 'more');
  await runner.createTable(
    new Table({ name: 'third', columns: [{ name: 'id', type: 'int', isPrimary: true }] }),
    true,
  );
  assert.equal(await runner.hasTable('third'), true);
  await runner.clearDatabase();
  assert.equal(await runner.hasTable('purchase'), false);
  await runner.release();
});

await db.destroy();
finish();
