/**
 * Statements made to explode, each with another session's point queries meanwhile.
 *
 *     node server/test/differential/pathological.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, startServerProcess } from '../process.ts';

export interface PathologicalFigure {
  readonly name: string;
  /** `rows`, an SQLSTATE with its message, or `hang`. */
  readonly ended: string;
  readonly millis: number;
  /** Slowest point query of the other session meanwhile, in milliseconds. */
  readonly slowestMillis: number;
  /** 99th percentile of them. */
  readonly millis99: number;
  readonly residentBytes: number;
}

const ENDLESS_MILLIS = 60_000;

function nestedQueries(levels: number): string {
  let sql = 'select 1 as x';
  for (let level = 0; level < levels; level++) sql = `select x + 1 as x from (${sql}) as s${level}`;
  return sql;
}

/** Statements by name; made when asked for, since some are long. */
export const PATHOLOGICAL: Readonly<Record<string, () => string>> = {
  nothing: () => `select length(repeat('x', 100000000)), pg_sleep(1)`,
  'nested repetition': () => `select repeat('a', 100000) ~ '^(a+)+$'`,
  'nested repetition that fails': () => `select (repeat('a', 100000) || 'b') ~ '^((a+)+)+$'`,
  'many alternatives': () => `select repeat('ab', 50000) ~ '^(a|b|ab)*c$'`,
  'counted states': () => `select repeat('a', 20000) ~ '(a?){250}a{250}$'`,
  'exponential automaton': () => `select repeat('ab', 50000) ~ '(a|b)*a(a|b){200}c'`,
  'back-references': () => `select repeat('a', 5000) ~ '^(a*)(a*)(a*)(a*)\\1\\2\\3\\4b$'`,
  'expansion of counts': () => `select 'a' ~ '((a{1,100}){1,100}){1,100}'`,
  'replace everywhere': () => `select length(regexp_replace(repeat('ab', 200000), '(a+)+b', 'x', 'g'))`,
  'nested like': () => `select repeat('a', 100000) like '%a%a%a%a%a%a%a%a%b'`,
  'numeric of 1 MB': () => `select length((${'9'.repeat(1_000_000)}::numeric)::text)`,
  'numeric of 100,000 digits squared': () =>
    `select length((repeat('7', 100000)::numeric * repeat('3', 100000)::numeric)::text)`,
  'great factorial': () => 'select length(factorial(20000)::text)',
  'great power': () => `select length((9.9 ^ 30000.5::numeric)::text)`,
  '100 nested subqueries': () => nestedQueries(100),
  '100,000 nested parentheses': () => `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
  '100,000 operators': () => `select 1${' + 1'.repeat(100_000)}`,
  '100,000 conditions': () => `select count(*) from points where ${'id = 1 or '.repeat(100_000)}false`,
  'nested functions': () => `select ${'abs('.repeat(20_000)}1${')'.repeat(20_000)}`,
  '50,000 items': () =>
    `select count(*) from points where id in (${Array.from({ length: 50_000 }, (_, at) => at * 3).join(',')})`,
  '50,000 items not in': () =>
    `select count(*) from points where id + 1 not in (${Array.from({ length: 50_000 }, (_, at) => at * 3).join(',')})`,
  'jsonb of 200 MB': () => `select length(('"' || repeat('x', 200000000) || '"')::jsonb::text)`,
  'jsonb of 200 MB of items': () =>
    `select jsonb_array_length(('[1' || repeat(',1', 100000000) || ']')::jsonb)`,
  'deep jsonb': () => `select length((repeat('[', 1000000) || repeat(']', 1000000))::jsonb::text)`,
  'jsonb of 20 MB shown': () => `select ('[' || repeat('{"a": 1, "b": "text"},', 1000000) || '1]')::jsonb`,
  'jsonb of 20 MB kept': () =>
    `insert into documents select ('[' || repeat('{"a": 1, "b": "text"},', 1000000) || '1]')::jsonb returning pg_column_size(d)`,
  'jsonb of 20 MB as a literal': () =>
    `select jsonb_array_length('[${'{"a": 1},'.repeat(2_000_000)}1]'::jsonb)`,
  'jsonpath over 1,000,000 items': () =>
    `select jsonb_path_query_array(('[0' || repeat(',1', 1000000) || ']')::jsonb, '$[*] ? (@ > 5)')`,
  'text search of 10 MB': () =>
    `select length(to_tsvector('english', repeat('many words stand here ', 400000)))`,
  'great concatenation': () =>
    `select length(string_agg(repeat('x', 100000), ',')) from generate_series(1, 1000)`,
  'great split': () => `select array_length(string_to_array(repeat('a,', 5000000), ','), 1)`,
  'great replace': () => `select length(replace(repeat('ab', 20000000), 'a', 'xyz'))`,
  'great translation': () => `select length(translate(repeat('ab', 5000000), 'a', 'x'))`,
  'great reversal': () => `select length(reverse(repeat('abc', 10000000)))`,
  'great format': () => `select length(format('%s %L', repeat('x', 50000000), repeat('''', 20000000)))`,
  'great digest': () => `select md5(repeat('x', 200000000))`,
  'great upper case': () => `select length(upper(repeat('abc', 50000000)))`,
  'great hexadecimal': () => `select length(encode(convert_to(repeat('x', 50000000), 'UTF8'), 'hex'))`,
  'great sorted array': () => `select array_length(array(select unnest(array_fill(1, array[1000000]))), 1)`,
  'great repeat': () => `select length(repeat('x', 2000000000))`,
  'great padding': () => `select length(lpad('x', 1000000000, 'ab'))`,
  'great array': () => `select array_length(array_fill(1, array[100000000]), 1)`,
  'cross joins': () => 'select count(*) from points a, points b, points c where a.id + b.id = c.id - 1000000',
  'endless recursion': () =>
    'with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r where n < 0',
};

/** Runs those named, one after another in a session of their own; each is cancelled by its own timeout. */
export async function pathologicalCampaign(
  names: readonly string[] = Object.keys(PATHOLOGICAL).slice(1),
  timeout = '10s',
  progress: (figure: PathologicalFigure) => void = () => {},
): Promise<PathologicalFigure[]> {
  const server = await startServerProcess();
  const figures: PathologicalFigure[] = [];
  try {
    const other = await connect(server.port);
    await other.query('create table points (id int primary key, v int)');
    await other.query('create table documents (d jsonb)');
    await other.query('insert into points select n, n from generate_series(1, 10000) n');
    // The threads for heavy expressions start with the first of them, and the machine may be busy: this is what can be had.
    names = ['nothing', ...names];
    for (const name of names) {
      const client = await connect(server.port);
      await client.query(`set statement_timeout = '${timeout}'`);
      const begin = performance.now();
      let ended = '';
      const sql = PATHOLOGICAL[name]!();
      const running = client
        .query(sql)
        .then(() => 'rows')
        .catch((error: { code?: string; message: string }) => `${error.code ?? 'closed'} ${error.message}`)
        .then((text) => {
          ended = text;
        });
      const latencies: number[] = [];
      while (ended === '' && server.isAlive()) {
        const start = performance.now();
        const point = other.query('select v from points where id = 77');
        const isAnswered = await Promise.race([
          point.then(() => true),
          sleep(ENDLESS_MILLIS, false, { ref: false }),
        ]);
        latencies.push(performance.now() - start);
        if (!isAnswered || performance.now() - begin > ENDLESS_MILLIS) ended ||= 'hang';
        await sleep(1);
      }
      latencies.sort((left, right) => left - right);
      const figure = {
        name,
        ended: server.isAlive() ? ended : `crash ${server.output()}`,
        millis: Math.round(performance.now() - begin),
        slowestMillis: Math.round(latencies.at(-1) ?? 0),
        millis99: Math.round(latencies[Math.floor(latencies.length * 0.99)] ?? 0),
        residentBytes: server.residentBytes(),
      };
      figures.push(figure);
      progress(figure);
      if (!server.isAlive() || ended === 'hang') break;
      await running;
      await client.end();
    }
    if (server.isAlive()) await Promise.race([other.end(), sleep(1000)]);
  } finally {
    await server.stop();
  }
  return figures;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  await pathologicalCampaign(names.length > 0 ? names : undefined, undefined, (figure) => {
    const megabytes = Math.round(figure.residentBytes / 1e6);
    process.stdout.write(
      `${figure.name}: ${figure.ended.slice(0, 150)}; ${figure.millis} ms, point queries 99 % ${figure.millis99} ms, slowest ${figure.slowestMillis} ms, ${megabytes} MB\n`,
    );
  });
}
