/**
 * The value campaign: random values of every type, each shown in the grid, copied, edited and exported in every format, and compared
 * byte for byte with what the server says over the PostgreSQL protocol.
 *
 *     node e2e/fidelity.ts [COUNT [SEED]]
 */
import { type AsyncBuffer, type ParquetParsers, parquetReadObjects } from 'hyparquet';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { launchBrowser } from './utils/browser.ts';
import { login, open, runStatement } from './utils/console.ts';
import { readDelimited } from './utils/delimited.ts';
import { PASSWORD, startTestServer, type TestServer } from './utils/server.ts';
import { OWN_TYPES, randomOf, VALUE_TYPES, type ValueType } from './utils/values.ts';

type Value = string | null;
const JSON_TYPES = new Set(['json', 'jsonb']);
const CELL_CHARACTERS = 300;
const EDITS_AT_ONCE = 2000;
/** No browser's: every value stays the text that was sent. */
const RAW = { getTypeParser: () => (value: unknown) => value } as unknown as pg.CustomTypesConfig;

export interface FidelityReport {
  readonly values: number;
  readonly checks: number;
  readonly faults: readonly string[];
}

/** `page` is logged in. `edits`: how many values of a type are typed into the grid by hand. */
export async function fidelityCampaign(
  page: Page,
  server: TestServer,
  options: {
    count: number;
    seed: number;
    typed: number;
    /** Only these types; absent = all. */
    types?: readonly string[];
    log?: (line: string) => void;
  },
): Promise<FidelityReport> {
  const faults: string[] = [];
  let checks = 0;
  let values = 0;
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    password: PASSWORD,
    database: 'postgres',
    types: RAW,
  });
  await client.connect();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const api = await apiOf(server);
  await client.query(OWN_TYPES);
  const kinds = VALUE_TYPES.filter(({ type }) => options.types?.includes(type) ?? true);
  const each = Math.ceil(options.count / kinds.length);
  for (const [index, kind] of kinds.entries()) {
    const table = `fidelity_${index}`;
    const before = faults.length;
    const truth = await fill(client, table, kind, each, options.seed + index);
    values += truth.length;
    const fault = (how: string, row: number, got: unknown): void => {
      faults.push(
        `${kind.type} ${how} row ${row + 1}: ${JSON.stringify(truth[row]).slice(0, 200)} became ${JSON.stringify(got ?? null).slice(0, 200)}`,
      );
    };
    const compare = (how: string, got: readonly Value[], wanted: readonly Value[] = truth): void => {
      if (got.length !== wanted.length)
        faults.push(`${kind.type} ${how}: ${got.length} of ${wanted.length} rows`);
      for (let row = 0; row < wanted.length; row++) {
        checks++;
        if (got[row] !== wanted[row]) {
          fault(how, row, got[row]);
          return;
        }
      }
    };
    // Shown and copied.
    await open(page, '#/query');
    const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/query'));
    await runStatement(page, `select id, v from ${table} order by id`, 60_000);
    const answer = (await (await answered).json()) as { results: { id: string }[] };
    compare('shown', await shownCells(page, truth.length), truth.map(cut));
    await page.getByRole('grid').click({ position: { x: 90, y: 40 } });
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('ControlOrMeta+c');
    await page
      .getByText(`${(truth.length * 2).toLocaleString('en')} values copied.`)
      .first()
      .waitFor();
    const copied = readDelimited(await page.evaluate(() => navigator.clipboard.readText()), '\t');
    compare(
      'copied',
      copied.map((record) => record[1] ?? ''),
      truth.map((value) => value ?? ''),
    );
    // Exported.
    for (const format of ['csv', 'tsv', 'json', 'ndjson', 'sql', 'parquet'] as const) {
      const path = `/api/v1/results/${answer.results[0].id}/export?format=${format}`;
      const encoded = await page.evaluate(async (address) => {
        const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
        let made = '';
        for (let at = 0; at < bytes.length; at += 8192)
          made += String.fromCharCode(...bytes.subarray(at, at + 8192));
        return btoa(made);
      }, path);
      const bytes = Buffer.from(encoded, 'base64');
      if (format === 'csv' || format === 'tsv')
        compare(
          format,
          readDelimited(bytes.toString(), format === 'csv' ? ',' : '\t')
            .slice(1)
            .map((record) => record[1]),
        );
      else if (format === 'sql') compare(format, await afterInserts(client, table, bytes.toString()));
      else if (format === 'parquet') {
        const parquet = await parquetValues(bytes);
        const wanted = truth.map((value) => parquetText(value, kind.type));
        compare(format, parquet, wanted);
      } else {
        const rows = jsonRows(bytes.toString(), format === 'ndjson');
        const wanted = JSON_TYPES.has(kind.type)
          ? truth.map((value) => (value === null ? 'null' : JSON.stringify(parseExact(value))))
          : truth;
        compare(
          format,
          rows.map((row) => (JSON_TYPES.has(kind.type) ? JSON.stringify(row.v) : jsonText(row.v, kind.type))),
          wanted,
        );
      }
    }
    // Edited: each row takes the value of the next one, as the console sends it.
    const rotated = truth.map((_, row) => truth[(row + 1) % truth.length]);
    const oid = String((await client.query(`select '${table}'::regclass::oid as oid`)).rows[0].oid);
    for (let at = 0; at < truth.length; at += EDITS_AT_ONCE) {
      const edits = truth.slice(at, at + EDITS_AT_ONCE).map((value, offset) => ({
        kind: 'update',
        key: { id: String(at + offset + 1) },
        values: { v: rotated[at + offset] },
        before: { v: value },
      }));
      const outcome = await api(`/tables/${oid}/edits/apply`, { edits });
      if (outcome.isApplied !== true)
        faults.push(
          `${kind.type} edit ${at + Number(outcome.failedEdit)}: ${JSON.stringify(outcome).slice(0, 400)}`,
        );
    }
    compare('edited', await readBack(client, table), rotated);
    if (options.typed > 0) await typeValues(page, client, table, rotated, options.typed, fault);
    options.log?.(
      `${kind.type}: ${truth.length} values, ${faults.length - before} faults${faults
        .slice(before, before + 2)
        .map((one) => `\n     ${one}`)
        .join('')}`,
    );
    await client.query(`drop table ${table}`);
  }
  await client.query('drop type fidelity_mood, fidelity_pair; drop domain fidelity_short');
  await client.end();
  return { values, checks, faults };
}

const cut = (value: Value): string =>
  value === null ? 'NULL' : value.length > CELL_CHARACTERS ? `${value.slice(0, CELL_CHARACTERS)}…` : value;

async function readBack(client: pg.Client, table: string): Promise<Value[]> {
  return (await client.query<{ v: Value }>(`select v from ${table} order by id`)).rows.map((row) => row.v);
}

async function fill(
  client: pg.Client,
  table: string,
  { type, edges, make }: ValueType,
  count: number,
  seed: number,
): Promise<Value[]> {
  const random = randomOf(seed);
  const texts: Value[] = [null, ...edges];
  while (texts.length < count) texts.push(make(random));
  await client.query(`create table ${table} (id bigint primary key, v ${type})`);
  for (let at = 0; at < texts.length; at += 1000)
    await client.query(
      `insert into ${table} select ${at} + n, t::${type} from unnest($1::text[]) with ordinality u(t, n)`,
      [texts.slice(at, at + 1000)],
    );
  return readBack(client, table);
}

/** Texts of the second column, read from the screen while it is scrolled from the first row to the last. */
async function shownCells(page: Page, count: number): Promise<string[]> {
  return page.evaluate(async (rows) => {
    const grid = document.querySelector('[role=grid][aria-label=Result]');
    if (grid === null) return [];
    const found: string[] = [];
    let seen = 0;
    const until = performance.now() + 60_000;
    for (let top = 0; seen < rows && performance.now() < until; ) {
      grid.scrollTop = top;
      await new Promise(requestAnimationFrame);
      await new Promise((resolve) => setTimeout(resolve, 0));
      let isWaiting = false;
      let last = 0;
      for (const row of grid.querySelectorAll<HTMLElement>('.grid-row:not([hidden])')) {
        const index = Number(row.getAttribute('aria-rowindex')) - 2;
        const cell = row.querySelector('[aria-colindex="2"]')?.textContent ?? '';
        if (row.querySelector('[aria-colindex="1"]')?.textContent === '…') isWaiting = true;
        else if (found[index] === undefined) {
          found[index] = cell;
          seen++;
        }
        last = Math.max(last, index);
      }
      if (isWaiting) await new Promise((resolve) => setTimeout(resolve, 30));
      else top = Math.min(grid.scrollHeight, top + grid.clientHeight - 60);
    }
    return found;
  }, count);
}

async function afterInserts(client: pg.Client, table: string, statements: string): Promise<Value[]> {
  await client.query(`create temp table result (like ${table})`);
  try {
    await client.query(statements);
    return await readBack(client, 'result');
  } catch (error) {
    return [String(error)];
  } finally {
    await client.query('drop table result');
  }
}

async function parquetValues(bytes: Buffer): Promise<Value[]> {
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    slice: (from, to) => {
      const part = bytes.subarray(from, to);
      return part.buffer.slice(part.byteOffset, part.byteOffset + part.length) as ArrayBuffer;
    },
  };
  // Bytes, because a decoder would take a byte order mark at the start for its own.
  const rows = await parquetReadObjects({
    file,
    parsers: { stringFromBytes: (part: Uint8Array) => Buffer.from(part).toString() } as ParquetParsers,
  });
  return rows.map(({ v }) => (v === null || v === undefined ? null : Object.is(v, -0) ? '-0' : String(v)));
}

/** The form that a value has in Parquet, as text: floats are doubles there, booleans booleans. */
function parquetText(value: Value, type: string): Value {
  if (value === null) return null;
  if (type === 'boolean') return value === 't' ? 'true' : 'false';
  if (type === 'double precision') return Object.is(Number(value), -0) ? '-0' : String(Number(value));
  if (type === 'real') return Object.is(Number(value), -0) ? '-0' : String(Math.fround(Number(value)));
  return value;
}

/** Numbers as the text they are written with. */
function parseExact(text: string): unknown {
  const read = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => unknown;
  return read(text, (_key, value, context) => (typeof value === 'number' ? `#${context.source}` : value));
}

function jsonRows(text: string, isLines: boolean): { v: unknown }[] {
  if (!isLines) return parseExact(text) as { v: unknown }[];
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseExact(line) as { v: unknown });
}

function jsonText(value: unknown, type: string): Value {
  if (value === null) return null;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  const text = String(value);
  return text.startsWith('#') && !['text', 'character varying(40)'].includes(type) ? text.slice(1) : text;
}

async function apiOf(server: TestServer) {
  const base = `${server.consoleUrl.replace(/\/$/, '')}/api/v1`;
  const post = (path: string, body: unknown, headers: Record<string, string>) =>
    fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const entry = await post('/login', { user: 'postgres', password: PASSWORD, database: 'postgres' }, {});
  const cookie = entry.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { csrfToken } = (await entry.json()) as { csrfToken: string };
  return async (path: string, body: unknown): Promise<Record<string, unknown>> =>
    (await (await post(path, body, { cookie, 'x-csrf-token': csrfToken })).json()) as Record<string, unknown>;
}

/** Types values into cells of the table's page and commits them. */
async function typeValues(
  page: Page,
  client: pg.Client,
  table: string,
  current: readonly Value[],
  count: number,
  fault: (how: string, row: number, got: unknown) => void,
): Promise<void> {
  await open(page, `#/tables/public/${table}`);
  const grid = page.getByRole('grid');
  const wanted = [...current];
  let typed = 0;
  for (let row = 0; row < Math.min(current.length - 1, 12) && typed < count; row++) {
    const value = current[row + 1];
    // One line, as a field of one line takes it.
    if (value === null || /[\n\r]/.test(value) || value === current[row]) continue;
    await grid.locator(`[aria-rowindex="${row + 2}"] [aria-colindex="2"]`).dblclick();
    await page.getByRole('textbox', { name: 'Value of v' }).fill(value);
    await page.keyboard.press('Enter');
    wanted[row] = value;
    typed++;
  }
  if (typed === 0) return;
  await page.getByRole('button', { name: 'Preview SQL' }).click();
  const applied = page.waitForResponse((response) => response.url().endsWith('/edits/apply'));
  await page.getByRole('dialog').getByRole('button', { name: 'Commit' }).click();
  await (await applied).finished();
  const after = await readBack(client, table);
  for (let row = 0; row < wanted.length; row++)
    if (after[row] !== wanted[row]) {
      fault('typed', row, after[row]);
      return;
    }
}

if (import.meta.main) {
  const server = await startTestServer();
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(60_000);
    await page.goto(server.consoleUrl);
    await login(page, PASSWORD);
    await page.getByTestId('sql-editor').waitFor();
    const { values, checks, faults } = await fidelityCampaign(page, server, {
      count: Number(process.argv[2] ?? 100_000),
      seed: Number(process.argv[3] ?? 1),
      typed: 4,
      log: (line) => process.stdout.write(`${line}\n`),
    });
    process.stdout.write(`${values} values, ${checks} comparisons, ${faults.length} faults\n`);
    process.exitCode = faults.length > 0 ? 1 : 0;
  } finally {
    await browser.close();
    await server.stop();
  }
}
