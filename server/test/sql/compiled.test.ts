/**
 * Random queries under the row executor and as compiled pipelines: the same rows, or the same error.
 *
 * Tables have NULLs, duplicates, skewed and empty keys, numbers near the ends of their types, and rows that are sealed, updated and deleted afterwards, or
 * still in the delta. Where neither raises an error the compiled form must have run for most queries, else the test proves nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';

const root = mkdtempSync(join(tmpdir(), 'fastpostgres-compiled-'));
let server: RunningServer;
let client: pg.Client;

beforeAll(async () => {
  const base = createRealEnvironment(root);
  const host = {
    ...base.host,
    onSignal: () => {},
    onFatal: () => {},
    writeOut: () => {},
    writeError: () => {},
    variable: (name: string) => (name === 'FASTPOSTGRES_PASSWORD' ? 'secret' : base.host.variable(name)),
  };
  const options = {
    dataDirectory: root,
    port: 0,
    httpPort: 0,
    host: '127.0.0.1',
    passwordFile: null,
    settings: [],
  };
  server = await startServer({ ...base, host }, options);
  client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: 'secret',
    database: 'postgres',
    types: { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig,
  });
  await client.connect();
  await makeTables();
}, 120_000);

afterAll(async () => {
  await client.end();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Deterministic numbers below a limit. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const WORDS = [
  '',
  'a',
  'AIR',
  'air',
  'green leaf',
  'x'.repeat(40),
  'special parcel requests',
  'ä über',
  'zz top',
];

async function makeTables(): Promise<void> {
  const next = generator(7);
  const maybe = (value: string, share = 8): string => (next(share) === 0 ? 'null' : value);
  const shape =
    'id int not null, k int, s smallint, b bigint, n numeric(12,2), m numeric(10,4), f float8, t text, c char(6), v varchar(30), d date, o boolean, w timestamp';
  for (const [name, rows, keys] of [
    ['big', 900, 300],
    ['mid', 250, 120],
    ['tiny', 12, 8],
    ['none', 0, 1],
  ] as const) {
    await client.query(`create table ${name} (${shape})`);
    const row = (id: number): string => {
      const skew = next(3) === 0 ? 1 : next(keys);
      const far = next(40) === 0 ? '9223372036854775807' : String(next(1_000_000) - 500_000);
      const word = WORDS[next(WORDS.length)]!;
      const text = next(2) === 0 ? word : `${word}#${next(rows + 1)}`;
      return `(${[
        id,
        maybe(String(skew)),
        maybe(String(next(20) - 10)),
        maybe(far),
        maybe(`${next(200_000) - 100_000}.${next(90) + 10}`),
        maybe(`${next(999)}.${1000 + next(8999)}`),
        maybe(`${(next(2000) - 1000) / 8}`),
        maybe(`'${text}'`),
        maybe(`'${WORDS[next(4)]}'`),
        maybe(`'${text.slice(0, 30)}'`),
        maybe(`date '1992-01-01' + ${next(2500)}`),
        maybe(next(2) === 0 ? 'true' : 'false'),
        maybe(`timestamp '1996-01-30 11:59:58.25' + interval '${next(20_000)} hours ${next(4000)} seconds'`),
      ].join(',')})`;
    };
    for (let from = 0; from < rows; from += 300) {
      const count = Math.min(300, rows - from);
      await client.query(
        `insert into ${name} values ${Array.from({ length: count }, (_, index) => row(from + index)).join(',')}`,
      );
      if (from === 0) {
        await client.query(`vacuum ${name}`);
        await client.query(`delete from ${name} where id % 17 = 3`);
        await client.query(`update ${name} set k = k + 1, t = 'new ' || t where id % 11 = 5`);
      }
    }
    await client.query(`analyze ${name}`);
  }
}

type Pick = (limit: number) => number;

function of<T>(pick: Pick, list: readonly T[]): T {
  return list[pick(list.length)]!;
}

const PARTS = ['year', 'month', 'day', 'doy', 'dow', 'isodow', 'quarter', 'hour', 'minute', 'second'];
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

function condition(pick: Pick, table: string): string {
  const text = of(pick, WORDS);
  return of(pick, [
    `${table}.k < ${pick(300)}`,
    `${table}.s between -3 and ${pick(10)}`,
    `${table}.n > ${pick(50_000)}.5`,
    `${table}.n > 12.34567890123456789012345`,
    `${table}.t = '${text}'`,
    `${table}.t <> '${text}'`,
    `${table}.c = '${of(pick, WORDS.slice(0, 4))}'`,
    `${table}.t like '%${of(pick, ['e', 'ee', 'special', 'x', 'über'])}%'`,
    `${table}.t not like '${of(pick, ['a', 'new', 'z'])}%'`,
    `${table}.v like '%${of(pick, ['1', 'requests', 'leaf'])}'`,
    `${table}.v like '%special%requests%'`,
    `${table}.t in ('a', 'AIR', '${text}')`,
    `${table}.k in (1, 5, ${pick(300)})`,
    `${table}.d >= date '1994-01-01' and ${table}.d < date '1995-06-01'`,
    `extract(year from ${table}.d) = ${1992 + pick(6)}`,
    `${table}.o`,
    `not ${table}.o`,
    `${table}.t is null`,
    `${table}.b is not null`,
    `(${table}.k = 1 or ${table}.c = 'AIR')`,
    `substring(${table}.v from 1 for 2) = 'a#'`,
    `${table}.t < '${text}'`,
    `${table}.v >= ${table}.t`,
    `${table}.c > '${of(pick, WORDS.slice(0, 4))}'`,
    `${table}.v like '_${of(pick, ['p', 'z', 'ü', '%e'])}%'`,
    `length(${table}.v) > ${pick(12)}`,
    `upper(${table}.v) = '${of(pick, ['A', 'AIR', 'ZZ TOP'])}'`,
    `extract(${of(pick, PARTS)} from ${table}.w) > ${pick(30)}`,
    `date_trunc('${of(pick, UNITS)}', ${table}.w) < timestamp '1997-03-05'`,
  ]);
}

const KEYS = [
  'k = # .k',
  's = # .s',
  't = # .t',
  'd = # .d',
  'n = # .n',
  'b = # .b',
  'k = # .k and @ .s = # .s',
  'c = # .c',
  'k = # .s',
];

function on(pick: Pick, left: string, right: string): string {
  const key = pick(3) > 0 ? KEYS[0]! : of(pick, KEYS);
  return `${left}.${key.replaceAll('# ', right).replaceAll('@ ', left)}`;
}

function groups(pick: Pick, table: string): string[] {
  return of(pick, [
    ['k'],
    ['s'],
    ['t'],
    ['c'],
    ['d'],
    ['k', 's'],
    ['t', 'o'],
    ['k', 't', 'd'],
    ['n'],
    ['b'],
    ['w'],
    ['v', 'k'],
  ]).map((column) => `${table}.${column}`);
}

function aggregates(pick: Pick, table: string): string {
  const list = [
    'count(*)',
    `count(${table}.t)`,
    `count(${table}.n)`,
    `sum(${table}.n)`,
    `sum(${table}.s)`,
    `sum(${table}.k)`,
    `min(${table}.n)`,
    `max(${table}.d)`,
    `avg(${table}.n)`,
    `avg(${table}.s)`,
    `min(${table}.b)`,
    `sum(${table}.b)`,
    `sum(${table}.n * (1 - ${table}.m))`,
    `sum(case when ${condition(pick, table)} then ${table}.n else 0 end)`,
    `sum(${table}.s) filter (where ${condition(pick, table)})`,
    `max(${table}.f)`,
    `min(${table}.t)`,
    `max(${table}.v)`,
    `avg(length(${table}.t))`,
    `min(${table}.t) filter (where ${condition(pick, table)})`,
  ];
  return Array.from({ length: 1 + pick(4) }, () => of(pick, list)).join(', ');
}

/** A query whose rows have no order of their own. */
function query(pick: Pick): string {
  const [first, second, third] = [
    of(pick, ['big', 'mid', 'big']),
    of(pick, ['mid', 'tiny', 'none', 'big']),
    of(pick, ['tiny', 'mid']),
  ];
  const join = of(pick, ['join', 'left join', 'right join', 'full join', 'join', 'join']);
  const from = `${first} a ${join} ${second} b on ${on(pick, 'a', 'b')}${
    pick(4) === 0 && join === 'left join' ? ` and ${condition(pick, 'b')}` : ''
  }`;
  const where = pick(2) === 0 ? ` where ${condition(pick, join === 'right join' ? 'b' : 'a')}` : '';
  const exists = `${of(pick, ['', 'not '])}exists (select 1 from ${third} e where ${on(pick, 'e', 'a')}${pick(2) === 0 ? ' and e.s <> a.s' : ''})`;
  const keys = groups(pick, 'a');
  switch (pick(17)) {
    case 0:
      return `select a.id, a.k, b.id, b.t, a.n, b.d from ${from}${where}`;
    case 1:
      return `select ${keys.join(', ')}, ${aggregates(pick, 'a')} from ${from}${where} group by ${keys.join(', ')}`;
    case 2:
      return `select ${aggregates(pick, 'b')} from ${from}${where}`;
    case 3:
      return `select a.id, a.t from ${first} a where ${exists} and ${condition(pick, 'a')}`;
    case 4:
      return `select count(*), sum(a.n) from ${first} a where ${exists}`;
    case 5:
      return `select ${keys.join(', ')}, count(distinct a.s) from ${from}${where} group by ${keys.join(', ')}`;
    case 6:
      return `select ${keys.join(', ')}, ${aggregates(pick, 'a')} from ${first} a join ${second} b on ${on(pick, 'a', 'b')} join ${third} e on ${on(pick, 'e', 'b')} group by ${keys.join(', ')} having count(*) > ${pick(3)}`;
    case 8:
    case 9: {
      // Every row has its place, so that the order itself is compared.
      const keys = Array.from(
        { length: 1 + pick(3) },
        () =>
          `${of(pick, ['a', 'b'])}.${of(pick, ['t', 'c', 'n', 'b', 'd', 'o', 'f', 's', 'v'])}${of(pick, ['', ' desc', ' nulls first', ' desc nulls last'])}`,
      );
      return `select a.id, b.id, a.t, b.n from ${from}${where} order by ${keys.join(', ')}, a.id, b.id${of(pick, ['', ' limit 7', ' limit 40 offset 3'])}`;
    }
    case 11:
      return `select ${keys.join(', ')}, count(distinct a.${of(pick, ['s', 't', 'n', 'k'])}), ${aggregates(pick, 'a')} from ${first} a${where} group by ${keys.join(', ')}`;
    case 12:
      return `select count(distinct a.${of(pick, ['t', 'v', 'k', 'd'])}), ${aggregates(pick, 'a')} from ${first} a where ${condition(pick, 'a')}`;
    case 13:
      return `select date_trunc('${of(pick, UNITS)}', a.w), extract(${of(pick, PARTS)} from a.w), regexp_replace(a.t, '^([a-z]*) ?(.*)$', '\\2-\\1'), ${aggregates(pick, 'a')} from ${first} a where ${condition(pick, 'a')} group by 1, 2, 3`;
    case 15:
      return `select a.s, a.t, a.o, grouping(a.s, a.t), ${aggregates(pick, 'a')} from ${first} a${where} group by ${of(pick, ['rollup (a.s, a.t, a.o)', 'cube (a.s, a.t), a.o', 'grouping sets ((a.s, a.o), (a.t, a.o), (a.s, a.t, a.o), (a.o))'])}`;
    case 16:
      return `select a.k, b.s, grouping(b.s), ${aggregates(pick, 'b')} from ${from}${where} group by ${of(pick, ['rollup (a.k, b.s)', 'grouping sets ((a.k), (b.s), ())'])} having count(*) > ${pick(3)}`;
    case 14:
      return `select a.id, a.t, a.w from ${first} a where ${condition(pick, 'a')} and ${condition(pick, 'a')}`;
    case 7:
      return `select a.id, a.n from ${first} a where a.n < (select ${of(pick, ['avg(e.n)', '0.5 * avg(e.n)', 'max(e.n)', '0.2 * sum(e.n)'])} from ${third} e where e.k = a.k)`;
    default:
      return `select x.k, count(*), sum(x.c) from (select a.k, count(b.id) as c from ${from}${where} group by a.k) x group by x.k`;
  }
}

async function run(text: string, executor: string): Promise<string[]> {
  await client.query(`set fastpostgres.executor = ${executor}`);
  try {
    const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array' });
    const lines = rows.map((row) => JSON.stringify(row));
    return text.includes(' order by ') ? lines : lines.sort();
  } catch (error) {
    return [`error ${(error as { code?: string }).code}`];
  }
}

describe.each([1, 2])('seed %i', (seed) => {
  it('row executor and pipelines agree', { timeout: 240_000 }, async () => {
    const pick = generator(seed * 1000);
    let compiled = 0;
    const refused = new Map<string, number>();
    const count = Number(process.env.FASTPOSTGRES_COMPILED_QUERIES ?? 15);
    for (let index = 0; index < count; index++) {
      const text = query(pick);
      const expected = await run(text, 'row');
      expect(await run(text, 'compiled'), text).toEqual(expected);
      await client.query('set fastpostgres.spill = force');
      expect(await run(text, 'compiled'), `spilling: ${text}`).toEqual(expected);
      await client.query('reset fastpostgres.spill');
      if (expected[0]?.startsWith('error')) continue;
      const { rows } = await client.query<[string]>({
        text: `explain (analyze, costs off) ${text}`,
        rowMode: 'array',
      });
      const plan = rows.map(([line]) => line).join('\n');
      if (plan.includes('Executor: compiled')) compiled++;
      for (const [, reason] of plan.matchAll(/Executor: row \((.*)\)/g))
        refused.set(reason!, (refused.get(reason!) ?? 0) + 1);
    }
    if (process.env.FASTPOSTGRES_COMPILED_SHOW !== undefined)
      process.stderr.write(`${compiled} of ${count} compiled; refused: ${JSON.stringify([...refused])}\n`);
    expect(compiled).toBeGreaterThan(count / 2);
  });
});
