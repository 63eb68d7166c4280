/** postgres.js. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { connection, failsWith, finish, step, tls } from './steps.ts';

const { user, ...rest } = connection;
const sql = postgres({ ...rest, username: user, ssl: tls, max: 4, onnotice: () => {} });

await step('connect over TLS with SCRAM', async () => {
  const [{ ssl }] = await sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  assert.equal(ssl, true);
});

await step('types round trip', async () => {
  const text = 'Zoë 漢字 🙂 \\ \' "';
  const moment = new Date('2024-02-29T12:34:56.789Z');
  const [row] =
    await sql`select ${'-9223372036854775808'}::int8 as low, ${'12345678901234567890.123456789'}::numeric as number,
    ${text}::text as text, ${Buffer.from([0, 255])}::bytea as bytes, ${moment}::timestamptz as moment,
    ${sql.json({ a: [1, null] })}::jsonb as document, ${sql.array([1, 2])}::int[] as numbers,
    ${sql.array(['a,b', '"q"'])}::text[] as texts, ${null}::text as nothing, ${true}::bool as flag, ${0.1}::float8 as float`;
  assert.deepEqual(
    [row.low, row.number, row.text],
    ['-9223372036854775808', '12345678901234567890.123456789', text],
  );
  assert.deepEqual([...row.bytes], [0, 255]);
  assert.equal(row.moment.toISOString(), moment.toISOString());
  assert.deepEqual(row.document, { a: [1, null] });
  assert.deepEqual(
    [row.numbers, row.texts, row.nothing, row.flag, row.float],
    [[1, 2], ['a,b', '"q"'], null, true, 0.1],
  );
});

await step('definitions, several rows at once', async () => {
  await sql.unsafe(
    'create table customer (id serial primary key, email text not null unique, credit int default 0); create table note (n int)',
  );
  const rows = [{ email: 'a@x' }, { email: 'b@x' }];
  const added = await sql`insert into customer ${sql(rows)} returning id`;
  assert.deepEqual(
    added.map(({ id }) => id),
    [1, 2],
  );
});

await step('transactions with savepoints', async () => {
  await sql.begin('isolation level serializable', async (transaction) => {
    await transaction`insert into customer (email) values ('c@x')`;
    await failsWith('23505', () =>
      transaction.savepoint((inner) => inner`insert into customer (email) values ('a@x')`),
    );
  });
  await assert.rejects(
    sql.begin(async (transaction) => {
      await transaction`delete from customer`;
      throw new TypeError('stop');
    }),
    TypeError,
  );
  assert.equal((await sql`select * from customer`).count, 3);
});

await step('errors by SQLSTATE', async () => {
  await failsWith('42P01', () => sql`select * from nowhere`);
  await failsWith('42703', () => sql`select nothing from customer`);
  await failsWith('22012', () => sql`select 1 / ${0}::int`);
  await failsWith('23502', () => sql`insert into customer (email) values (${null})`);
});

await step('pipeline', async () => {
  const found = await Promise.all(
    Array.from({ length: 200 }, (_, index) => sql`select ${index}::int as value`),
  );
  assert.equal(
    found.reduce((sum, [{ value }]) => sum + value, 0),
    19_900,
  );
});

await step('COPY in and out', async () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `${index}\n`);
  await pipeline(Readable.from(lines), await sql`copy note from stdin`.writable());
  let bytes = '';
  for await (const chunk of await sql`copy note to stdout`.readable()) bytes += chunk;
  assert.equal(bytes, lines.join(''));
});

await step('cursor', async () => {
  let count = 0;
  await sql`select n from generate_series(1, ${1000}::int) n`.cursor(100, async (rows) => {
    count += rows.length;
  });
  assert.equal(count, 1000);
  for await (const rows of sql`select n from generate_series(1, 1000) n`.cursor(10)) {
    count += rows.length;
    if (rows[0].n > 50) break;
  }
  assert.equal(count, 1060);
});

await step('cancel', async () => {
  const query = sql`select pg_sleep(20)`;
  const ended = failsWith('57014', () => query);
  await wait(200);
  query.cancel();
  await ended;
});

await step('LISTEN and NOTIFY', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await sql.listen('news', resolve);
  await sql.notify('news', 'grüße');
  assert.equal(await promise, 'grüße');
});

await step('end', () => sql.end({ timeout: 2 }));
finish();
