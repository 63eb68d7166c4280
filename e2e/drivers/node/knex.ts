/** Knex over node-postgres: schema builder, migrations, queries. */
import assert from 'node:assert/strict';
import knex from 'knex';
import { connection, failsWith, finish, step, tls } from './steps.ts';

const db = knex({ client: 'pg', connection: { ...connection, ssl: tls }, pool: { min: 0, max: 3 } });

const migrations = [
  {
    name: '1_tables',
    async up(to: knex.Knex) {
      await to.schema.createTable('customer', (table) => {
        table.bigIncrements();
        table.text('email').notNullable().unique();
        table.decimal('credit', 20, 9).defaultTo(0);
        table.jsonb('document');
        table.specificType('tags', 'text[]');
        table.enu('mood', ['sad', 'ok'], { useNative: true, enumName: 'mood' });
        table.uuid('key');
        table.binary('data');
        table.timestamps(true, true);
        table.comment('who buys');
      });
      await to.schema.createTable('purchase', (table) => {
        table.increments();
        table.bigInteger('customer_id').notNullable().references('customer.id').onDelete('CASCADE').index();
        table.string('note', 20).checkLength('<', 10);
      });
    },
    down: (to: knex.Knex) =>
      to.schema.dropTable('purchase').dropTable('customer').raw('drop type mood') as unknown as Promise<void>,
  },
  {
    name: '2_more',
    async up(to: knex.Knex) {
      await to.schema.alterTable('purchase', (table) => {
        table.integer('amount').notNullable().defaultTo(1);
        table.renameColumn('note', 'remark');
        table.index(['amount', 'remark'], 'purchase_both');
      });
      await to.schema.alterTable('purchase', (table) => {
        table.text('remark').notNullable().alter();
      });
    },
    down: (to: knex.Knex) =>
      to.schema.alterTable('purchase', (table) => {
        table.dropIndex([], 'purchase_both');
        table.dropColumn('amount');
        table.setNullable('remark');
        table.renameColumn('remark', 'note');
      }) as unknown as Promise<void>,
  },
];
const migrationSource = {
  getMigrations: async () => migrations,
  getMigrationName: ({ name }: { name: string }) => name,
  getMigration: async (migration: (typeof migrations)[number]) => migration,
};

await step('connect over TLS with SCRAM', async () => {
  const { rows } = await db.raw('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
  assert.equal(rows[0].ssl, true);
});

await step('migrate forwards', async () => {
  const [, done] = await db.migrate.latest({ migrationSource });
  assert.deepEqual(done, ['1_tables', '2_more']);
});

await step('types round trip', async () => {
  const values = {
    email: 'a@x',
    credit: '12345678901.123456789',
    tags: ['a,b', '"q"'],
    mood: 'ok',
    key: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  };
  const document = { a: [1, 'Zoë 漢字 🙂', null] };
  const [found] = await db('customer')
    .insert({ ...values, document, data: Buffer.from([0, 255]) })
    .returning('*');
  for (const [name, value] of Object.entries(values)) assert.deepEqual(found[name], value);
  assert.deepEqual(found.document, document);
  assert.deepEqual([...found.data], [0, 255]);
});

await step('queries, batch', async () => {
  const rows = Array.from({ length: 500 }, (_, index) => ({ customer_id: 1, remark: `n${index % 7}` }));
  await db.batchInsert('purchase', rows, 100);
  const groups = await db('purchase as p')
    .join('customer as c', 'c.id', 'p.customer_id')
    .select('p.remark')
    .count('* as n')
    .groupBy('p.remark')
    .having(db.raw('count(*) > ?', [71]))
    .orderBy('n', 'desc');
  assert.equal(groups.length, 3);
  await db('customer').insert({ email: 'a@x', credit: 5 }).onConflict('email').merge(['credit']);
  assert.equal((await db('customer').first('credit')).credit, '5.000000000');
  const found = await db('customer').whereRaw('document @> \'{"a": [1]}\'').forUpdate();
  assert.equal(found.length, 1);
});

await step('transactions with savepoints', async () => {
  await db.transaction(async (outer) => {
    await outer('customer').insert({ email: 'b@x' });
    await failsWith('23505', () => outer.transaction((inner) => inner('customer').insert({ email: 'a@x' })));
    await outer('customer').insert({ email: 'c@x' });
  });
  assert.equal((await db('customer').select()).length, 3);
});

await step('errors by SQLSTATE', async () => {
  await failsWith('42P01', () => db('nowhere').select());
  await failsWith('42703', () => db('customer').select('nothing'));
  await failsWith('22012', () => db.raw('select 1 / ?::int', [0]));
  await failsWith('23514', () => db('purchase').insert({ customer_id: 1, remark: 'much too long for it' }));
});

await step('stream, timeout', async () => {
  let count = 0;
  for await (const _ of db('purchase').select().stream({ batchSize: 50 })) count++;
  assert.equal(count, 500);
  await assert.rejects(
    db.raw('select pg_sleep(20)').timeout(100, { cancel: true }) as unknown as Promise<void>,
    /timeout/,
  );
});

await step('introspection', async () => {
  assert.equal(await db.schema.hasTable('customer'), true);
  assert.equal(await db.schema.hasColumn('purchase', 'remark'), true);
  const info = (await db('purchase').columnInfo()) as unknown as Record<
    string,
    { type: string; nullable: boolean }
  >;
  assert.deepEqual([info.remark.type, info.remark.nullable], ['text', false]);
});

await step('migrate back', async () => {
  await db.migrate.rollback({ migrationSource }, true);
  assert.equal(await db.schema.hasTable('customer'), false);
});

await db.destroy();
finish();
