/** The advisor on a small pgbench-like workload: against brute force, and candidates over expressions. The campaign does it at size. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type ServerProcess, startServerProcess } from '../process.ts';
import { advise, compareWithBruteForce, REGRET_MAX } from './campaign.ts';
import { bankWorkload, loadBank } from './workloads.ts';

let server: ServerProcess;
let client: pg.Client;

beforeAll(async () => {
  server = await startServerProcess();
  client = await connect(server.port);
  await loadBank(client, 5000);
}, 120_000);

afterAll(async () => {
  await client?.end();
  await server?.stop();
});

it('is as good as the best of all subsets', async () => {
  const figures = await compareWithBruteForce(client, 'pgbench-like', bankWorkload(), 8);
  expect(figures.chosen.length).toBeGreaterThan(1);
  expect(figures.costAdvised).toBeLessThan(figures.costBefore / 2);
  expect(figures.regret).toBeLessThanOrEqual(REGRET_MAX);
}, 120_000);

it('advises indexes on expressions, and no longer once they exist', async () => {
  const statements = [
    { sql: "select aid from bank_accounts where lower(email) = 'person4711@example.org'", calls: 100 },
    {
      sql: "select count(*) from bank_accounts where date_trunc('day', opened) = timestamp '2020-01-15'",
      calls: 50,
    },
    // Depends on the session's time zone: no index may be built on it.
    {
      sql: "select aid from bank_accounts where date_trunc('day', opened::timestamptz) = '2020-01-15'",
      calls: 50,
    },
  ];
  const created = (await advise(client, statements)).advice.filter(({ kind }) => kind === 'create');
  expect(created.map(({ sql }) => / ON (.*)$/.exec(sql)?.[1])).toEqual([
    'public.bank_accounts ((lower(email)))',
    "public.bank_accounts ((date_trunc('day'::text, opened)))",
  ]);
  for (const { sql } of created) await client.query(sql);
  const again = (await advise(client, statements)).advice.filter(({ kind }) => kind === 'create');
  expect(again).toEqual([]);
});
