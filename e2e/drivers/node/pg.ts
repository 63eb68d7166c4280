/** node-postgres with pg-cursor and pg-query-stream. */
import assert from 'node:assert/strict';
import pg from 'pg';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import { connection, failsWith, finish, step, tls } from './steps.ts';

const options = { ...connection, ssl: tls, enableChannelBinding: true };
const client = new pg.Client(options);
const one = async (text: string, values: unknown[] = []): Promise<unknown> =>
  Object.values((await client.query(text, values)).rows[0])[0];

await step('connect over TLS with SCRAM', async () => {
  await client.connect();
  assert.equal(await one('select ssl from pg_stat_ssl where pid = pg_backend_pid()'), true);
  const wrong = new pg.Client({ ...options, password: 'wrong' });
  await failsWith('28P01', () => wrong.connect());
});

await step('types round trip', async () => {
  const { rows } = await client.query(
    `select $1::int8 as low, $2::int8 as high, $3::numeric as number, $4::text as text, $5::bytea as bytes,
      $6::date as day, $7::timestamptz as moment, $8::uuid as uuid, $9::jsonb as document, $10::int4[] as numbers,
      $11::text[] as texts, $12::text as nothing, $13::bool as flag, $14::float8 as float`,
    [
      '-9223372036854775808',
      '9223372036854775807',
      '12345678901234567890.123456789',
      'Zoë 漢字 🙂 \\ \' "',
      Buffer.from([0, 1, 255, 92, 39]),
      '2024-02-29',
      new Date('2024-02-29T12:34:56.789Z'),
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      { a: [1, 'x', null] },
      [1, 2, null],
      ['a,b', '"q"', '{x}', 'NULL', null],
      null,
      true,
      0.1,
    ],
  );
  const row = rows[0];
  assert.equal(row.low, '-9223372036854775808');
  assert.equal(row.high, '9223372036854775807');
  assert.equal(row.number, '12345678901234567890.123456789');
  assert.equal(row.text, 'Zoë 漢字 🙂 \\ \' "');
  assert.deepEqual([...row.bytes], [0, 1, 255, 92, 39]);
  assert.equal(row.day.getMonth(), 1);
  assert.equal(row.moment.toISOString(), '2024-02-29T12:34:56.789Z');
  assert.equal(row.uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
  assert.deepEqual(row.document, { a: [1, 'x', null] });
  assert.deepEqual(row.numbers, [1, 2, null]);
  assert.deepEqual(row.texts, ['a,b', '"q"', '{x}', 'NULL', null]);
  assert.deepEqual([row.nothing, row.flag, row.float], [null, true, 0.1]);
});

await step('prepared statements', async () => {
  for (let value = 0; value < 12; value++) {
    const { rows } = await client.query({
      name: 'double',
      text: 'select $1::int * 2 as double',
      values: [value],
    });
    assert.equal(rows[0].double, value * 2);
  }
  assert.equal(await one("select count(*)::int from pg_prepared_statements where name = 'double'"), 1);
});

await step('definitions', async () => {
  await client.query(`create table customer (id bigserial primary key, email text not null unique, credit numeric(10,2) default 0);
    create table purchase (id int generated always as identity primary key, customer_id bigint not null references customer on delete cascade, at timestamptz default now());
    create index purchase_at on purchase (at desc)`);
});

await step('transactions with savepoints', async () => {
  await client.query('begin isolation level repeatable read');
  await client.query("insert into customer (email) values ('a@x')");
  await client.query('savepoint s');
  await failsWith('23505', () => client.query("insert into customer (email) values ('a@x')"));
  await failsWith('25P02', () => client.query('select 1'));
  await client.query('rollback to s');
  await client.query("insert into customer (email) values ('b@x')");
  await client.query('commit');
  await client.query('begin');
  await client.query('delete from customer');
  await client.query('rollback');
  assert.equal(await one('select count(*)::int from customer'), 2);
});

await step('errors by SQLSTATE', async () => {
  await failsWith('42P01', () => client.query('select * from nowhere'));
  await failsWith('42703', () => client.query('select nothing from customer'));
  await failsWith('22012', () => client.query('select 1 / $1::int', [0]));
  await failsWith('42601', () => client.query('selekt 1'));
  await failsWith('23503', () => client.query('insert into purchase (customer_id) values (99)'));
  await failsWith('23502', () => client.query('insert into customer (email) values (null)'));
  await failsWith('22P02', () => client.query('select $1::int', ['x']));
  try {
    await client.query("insert into customer (email) values ('a@x')");
  } catch (error) {
    const { constraint, table, schema, detail } = error as pg.DatabaseError;
    assert.deepEqual([constraint, table, schema], ['customer_email_key', 'customer', 'public']);
    assert.equal(detail, 'Key (email)=(a@x) already exists.');
  }
});

await step('serialization failure', async () => {
  const other = new pg.Client(options);
  await other.connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select * from customer');
  await other.query("update customer set credit = 5 where email = 'a@x'");
  await failsWith('40001', () => client.query("update customer set credit = 6 where email = 'a@x'"));
  await client.query('rollback');
  await other.end();
});

await step('many queries in flight, several statements in one', async () => {
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => client.query('select $1::int as value', [index])),
  );
  assert.deepEqual(
    results.map(({ rows }) => rows[0].value),
    Array.from({ length: 50 }, (_, index) => index),
  );
  const several = (await client.query('select 1 as a; select 2 as b')) as unknown as pg.QueryResult[];
  assert.deepEqual(
    several.map(({ rows }) => rows[0]),
    [{ a: 1 }, { b: 2 }],
  );
});

await step('cursor', async () => {
  const cursor = client.query(new Cursor('select n from generate_series(1, $1::int) n', [1000]));
  let count = 0;
  for (let rows = await cursor.read(300); rows.length > 0; rows = await cursor.read(300)) {
    count += rows.length;
    if (count >= 600) break;
  }
  await cursor.close();
  assert.equal(count, 600);
  assert.equal(await one('select 1'), 1);
});

await step('stream', async () => {
  const stream = client.query(
    new QueryStream('select n, repeat($1, 100) as text from generate_series(1, 20000) n', ['é'], {
      batchSize: 500,
    }),
  );
  let sum = 0;
  for await (const row of stream) sum += row.n;
  assert.equal(sum, 200_010_000);
});

await step('cancel and timeout', async () => {
  const other = new pg.Client(options);
  await other.connect();
  const pid = await one('select pg_backend_pid()');
  const sleeping = failsWith('57014', () => client.query('select pg_sleep(20)'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await other.query('select pg_cancel_backend($1)', [pid]);
  await sleeping;
  await client.query("set statement_timeout = '50ms'");
  await failsWith('57014', () => client.query('select count(*) from generate_series(1, 1000000000)'));
  await client.query('reset statement_timeout');
  await other.end();
});

await step('LISTEN and NOTIFY', async () => {
  const other = new pg.Client(options);
  await other.connect();
  const heard = new Promise<pg.Notification>((resolve) => client.once('notification', resolve));
  await client.query('listen news');
  await other.query("select pg_notify('news', $1)", ['grüße']);
  const { channel, payload } = await heard;
  assert.deepEqual([channel, payload], ['news', 'grüße']);
  await other.end();
});

await step('notices', async () => {
  const heard = new Promise<string | undefined>((resolve) =>
    client.once('notice', ({ message }) => resolve(message)),
  );
  await client.query('drop table if exists nowhere');
  assert.equal(await heard, 'table "nowhere" does not exist, skipping');
});

await step('pool', async () => {
  const pool = new pg.Pool({ ...options, max: 4 });
  const rows = await Promise.all(
    Array.from({ length: 20 }, (_, index) => pool.query('select $1::int + 1 as next', [index])),
  );
  assert.equal(
    rows.reduce((sum, result) => sum + result.rows[0].next, 0),
    210,
  );
  await pool.end();
});

await step('end', () => client.end());
finish();
