/**
 * Statements that clients send, run on FastPostgres and on PostgreSQL 15, their answers compared: columns, types, rows (oids by the
 * object's name), tags and SQLSTATEs.
 *
 *   node server/test/clients/run.ts [--schema FILE] [--client WORD] [--all] FILE...
 *
 * Each client of a file has databases of its own with the schema loaded. `--all` shows whole answers where they differ.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startOracle } from '../oracle.ts';
import { ServerUnderTest } from '../regress/server.ts';
import { type Answer, canonical, type Identities, readIdentities } from './answers.ts';
import { type ClientSection, type ClientStatement, readStatements } from './statements.ts';

const words = process.argv.slice(2);
const options = new Map<string, string>();
const files: string[] = [];
let showsAll = false;
for (let at = 0; at < words.length; at++) {
  const word = words[at]!;
  if (word === '--all') showsAll = true;
  else if (word.startsWith('--')) options.set(word.slice(2), words[++at] ?? '');
  else files.push(word);
}
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const schema = readFileSync(options.get('schema') ?? here('schema.sql'), 'utf8');
const sections = (files.length > 0 ? files : [here('tools.sql')]).flatMap((file) =>
  readStatements(readFileSync(file, 'utf8')),
);
const STATEMENT_MILLIS_MAX = 20_000;
/** What depends on the engine, the machine or the moment: only columns and types are compared. */
const IS_VOLATILE =
  /\bversion\(\)|pg_stat_|pg_(?:total_relation|relation|table|indexes|database)_size|relpages|reltuples|pg_backend_pid|now\(\)|current_timestamp|pg_locks|pg_postmaster_start|txid_current|pg_settings|select \* from pg_catalog\.pg_class\b|EXPLAIN|pg_show_all_settings|pg_config\b|random\(\)|gen_random|clock_timestamp|inet_server|pg_hba_file|pg_current_wal|age\(|pg_shmem|pg_sequences|pg_stats|relfilenode|pg_control|pg_tablespace_size|select oid, ?typname from pg_type|^(?![\s\S]*order by)[\s\S]*limit \d+$/i;

interface Side {
  readonly port: number;
  readonly connection: pg.ClientConfig;
  client: pg.Client;
  identities: Identities;
}

pg.types.setTypeParser(16, (text: string) => text as unknown as boolean);
const rawTypes = { getTypeParser: () => (text: string | Buffer) => text.toString() };

async function connect(configuration: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...configuration, query_timeout: STATEMENT_MILLIS_MAX });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function ask(client: pg.Client, text: string, values?: readonly unknown[]): Promise<Answer> {
  try {
    const configuration = {
      text,
      rowMode: 'array',
      types: rawTypes,
      ...(values === undefined ? {} : { values }),
    };
    const answer = (await client.query(configuration as pg.QueryArrayConfig)) as unknown as
      | pg.QueryArrayResult<(string | null)[]>
      | pg.QueryArrayResult<(string | null)[]>[];
    const results = Array.isArray(answer) ? answer : [answer];
    return {
      results: results.map(({ command, rowCount, fields, rows }) => ({
        tag: `${command} ${rowCount ?? ''}`.trim(),
        fields: fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
        rows,
      })),
      error: null,
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { results: [], error: { code: code ?? 'lost', message } };
  }
}

/** A value for a parameter of this type that finds something in the schema. */
function sample(type: string, index: number, { oidOf }: Identities): unknown {
  const isList = type.endsWith('[]');
  const element = type.replace('[]', '');
  let value: string;
  if (element === 'oid' || element === 'regclass') value = String(oidOf.get('relation app.customer') ?? 0);
  else if (element === 'boolean') value = 'true';
  else if (/^(?:text|name|character varying|unknown|citext|"char"|character)$/.test(element))
    value = ['app', 'customer', 'public', 'users'][index % 4]!;
  else if (/^(?:integer|bigint|smallint|numeric|real|double precision)$/.test(element)) value = '1';
  else if (/^json/.test(element)) value = '{"a": 1}';
  else if (/^(?:date|time)/.test(element)) value = '2024-01-02 00:00:00';
  else if (element === 'uuid') value = '00000000-0000-0000-0000-000000000001';
  else if (element === 'bytea') value = '\\x01';
  else return null;
  return isList ? `{${value}}` : value;
}

async function parameterTypes(side: Side, text: string): Promise<string[]> {
  // In a subtransaction where one is open: what cannot be prepared must not end it.
  const isOpen = (await ask(side.client, 'savepoint parameters')).error === null;
  const prepared = await ask(side.client, `prepare parameters_of as ${text}`);
  if (prepared.error !== null) {
    if (isOpen) await ask(side.client, 'rollback to parameters');
    return [];
  }
  const answer = await ask(
    side.client,
    "select unnest(parameter_types)::text from pg_prepared_statements where name = 'parameters_of'",
  );
  await ask(side.client, 'deallocate parameters_of');
  return answer.results[0]?.rows.map(([type]) => type ?? '') ?? [];
}

const counts = { same: 0, failsAlike: 0, different: 0, refused: 0, extra: 0 };

async function compare(ours: Side, theirs: Side, statement: ClientStatement): Promise<void> {
  const { text, isExtended } = statement;
  // Oids in the text are those of PostgreSQL's database.
  const translated = text.replace(/\b(?:1[6-9]|[2-9]\d)\d{3}\b/g, (digits) => {
    const name = theirs.identities.nameOf.get(Number(digits));
    return name === undefined ? digits : String(ours.identities.oidOf.get(name) ?? digits);
  });
  const types = isExtended && text.includes('$1') ? await parameterTypes(theirs, text) : [];
  const values = (side: Side): unknown[] | undefined =>
    isExtended ? types.map((type, index) => sample(type, index, side.identities)) : undefined;
  const expected = await ask(theirs.client, text, values(theirs));
  const actual = await ask(ours.client, translated, values(ours));
  if (expected.error !== null || actual.error !== null)
    for (const side of [ours, theirs]) await ask(side.client, 'rollback');
  if (/\b(?:create|drop|alter|comment|begin|rollback|import)\b/i.test(text))
    for (const side of [ours, theirs]) {
      try {
        side.identities = await readIdentities(side.client);
      } catch {
        // A failed transaction or a lost connection: the old names will do.
      }
    }
  if (expected.error !== null && actual.error !== null) {
    if (expected.error.code === actual.error.code) counts.failsAlike++;
    else {
      counts.different++;
      show('SQLSTATE', text, [
        `- ${expected.error.code} ${expected.error.message}`,
        `+ ${actual.error.code} ${actual.error.message}`,
      ]);
    }
    return;
  }
  if (actual.error !== null) {
    counts.refused++;
    show('REFUSED', translated, [`+ ${actual.error.code} ${actual.error.message}`]);
    return;
  }
  if (expected.error !== null) {
    counts.extra++;
    show('ACCEPTED', text, [`- ${expected.error.code} ${expected.error.message}`]);
    return;
  }
  const isShapeOnly = IS_VOLATILE.test(text);
  const keepsOrder = /order by[^()]*$/i.test(text);
  const lines = (answer: Answer, side: Side): string[] =>
    canonical(
      isShapeOnly
        ? {
            ...answer,
            results: answer.results.map(({ tag, fields }) => ({ tag: tag.split(' ')[0]!, fields, rows: [] })),
          }
        : answer,
      side.identities,
      keepsOrder,
    );
  const [left, right] = [lines(expected, theirs), lines(actual, ours)];
  if (left.join('\n') === right.join('\n')) {
    counts.same++;
    return;
  }
  counts.different++;
  show('DIFFERENT', text, difference(left, right));
}

/** Lines of one side only. */
function difference(left: readonly string[], right: readonly string[]): string[] {
  const onlyIn = (some: readonly string[], others: readonly string[]): string[] => {
    const left = new Map<string, number>();
    for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
    return some.filter((line) => {
      const times = left.get(line) ?? 0;
      left.set(line, times - 1);
      return times <= 0;
    });
  };
  const missing = onlyIn(left, right).map((line) => `- ${line}`);
  const added = onlyIn(right, left).map((line) => `+ ${line}`);
  if (missing.length === 0 && added.length === 0) return ['(another order)'];
  return showsAll ? [...missing, ...added] : [...missing.slice(0, 8), ...added.slice(0, 8)];
}

function show(what: string, text: string, lines: readonly string[]): void {
  console.log(`${what}: ${showsAll ? text : text.slice(0, 700)}`);
  for (const line of lines) console.log(`    ${showsAll ? line : line.slice(0, 400)}`);
}

async function walk(section: ClientSection, index: number): Promise<void> {
  console.log(`== ${section.client}`);
  const database = `client_${index}`;
  for (const side of sides) {
    const root = await connect({ ...side.connection, database: 'postgres' });
    await root.query(`create database ${database} template client_base`);
    await root.end();
  }
  for (const { startup, statements } of section.sessions) {
    if (statements.length === 0) continue;
    for (const side of sides) {
      side.client = await connect({
        ...side.connection,
        database,
        ...(startup.options === undefined ? {} : { options: startup.options }),
        application_name: startup.application_name ?? 'client',
      });
      side.identities = await readIdentities(side.client);
    }
    for (const statement of statements) {
      await compare(sides[0]!, sides[1]!, statement);
      for (const side of sides) {
        // A statement that does not end takes its connection with it.
        const alive = await ask(side.client, 'select 1');
        if (alive.error === null || alive.error.code === '25P02') continue;
        await side.client.end().catch(() => {});
        side.client = await connect({ ...side.connection, database });
      }
    }
    for (const side of sides) await side.client.end().catch(() => {});
  }
}

const oracle = await startOracle();
if (oracle === null) throw new Error('no PostgreSQL 15 on this machine');
const server = new ServerUnderTest();
await server.start();
const base = { host: '127.0.0.1', user: 'postgres', password: 'regression' };
const nobody: Identities = { nameOf: new Map(), oidOf: new Map() };
const sides: Side[] = [];
try {
  for (const port of [server.port, oracle.port]) {
    const connection = { ...base, port };
    const root = await connect({ ...connection, database: 'postgres' });
    await root.query('create database client_base');
    await root.end();
    const client = await connect({ ...connection, database: 'client_base' });
    for (const statement of schema.split(/;\s*\n/).filter((text) => text.trim() !== '')) {
      const answer = await ask(client, statement);
      if (answer.error !== null)
        console.log(
          `schema (${port === server.port ? 'FastPostgres' : 'PostgreSQL'}): ${answer.error.message}: ${statement.slice(0, 200)}`,
        );
    }
    await client.end();
    sides.push({ port, connection, client, identities: nobody });
  }
  let index = 0;
  for (const section of sections) {
    if (options.has('client') && !section.client.includes(options.get('client')!)) continue;
    await walk(section, index++);
  }
} finally {
  await server.stop();
  await oracle.stop();
}
console.log(
  `${counts.same} same, ${counts.failsAlike} fail alike, ${counts.refused} refused, ${counts.different} different, ${counts.extra} accepted where PostgreSQL refuses`,
);
process.exitCode = counts.refused + counts.different > 0 ? 1 : 0;
