/** Runs every .slt file below this folder against a server in this process, under each executor. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealEnvironment } from '../../src/env/real/environment.ts';
import { type RunningServer, startServer } from '../../src/main/server.ts';
import { openSuite, outcome, parseSlt, printSlt } from './slt.ts';

const FOLDER = new URL('.', import.meta.url).pathname;
const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.slt'))
  .sort();
const record = process.env.FASTPOSTGRES_SLT_RECORD;

if (record !== undefined) {
  it.each(files)('records %s', async (file) => {
    const records = parseSlt(readFileSync(join(FOLDER, file), 'utf8'));
    const client = await openSuite(record, 'slt');
    for (const item of records) {
      const { kind, lines } = await outcome(client, item);
      item.kind = kind;
      item.expected = lines;
    }
    await client.end();
    writeFileSync(join(FOLDER, file), printSlt(records));
  });
} else {
  const root = mkdtempSync(join(tmpdir(), 'fastpostgres-slt-'));
  let server: RunningServer;
  let config: pg.ClientConfig;
  beforeAll(async () => {
    const base = createRealEnvironment(root);
    const environment = {
      ...base,
      host: {
        ...base.host,
        onSignal: () => {},
        onFatal: () => {},
        writeOut: () => {},
        writeError: () => {},
        variable: (name: string) =>
          name === 'FASTPOSTGRES_PASSWORD' ? 'correct horse' : base.host.variable(name),
      },
    };
    server = await startServer(environment, {
      dataDirectory: root,
      port: 0,
      httpPort: 0,
      host: '127.0.0.1',
      passwordFile: null,
      settings: [],
    });
    config = {
      host: '127.0.0.1',
      port: server.port,
      user: 'postgres',
      password: 'correct horse',
      database: 'postgres',
    };
  });
  afterAll(async () => {
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const configurations: [string, string[]][] = [
    ['row', ['fastpostgres.executor = row']],
    ['auto', ['fastpostgres.executor = auto']],
    ['compiled', ['fastpostgres.executor = compiled']],
    ['forced spill', ['fastpostgres.executor = compiled', 'fastpostgres.spill = force']],
  ];
  describe.each(configurations)('executor %s', (_, settings) => {
    it.each(files)('%s', { timeout: 240_000 }, async (file) => {
      const client = await openSuite(config, `slt_${basename(file, '.slt').replaceAll('-', '_')}`);
      for (const setting of settings) await client.query(`set ${setting}`);
      for (const item of parseSlt(readFileSync(join(FOLDER, file), 'utf8'))) {
        const { lines } = await outcome(client, item);
        if (item.kind === 'statement' && item.expected[0] === 'ok' && !lines[0]?.startsWith('error '))
          continue;
        expect(lines, `${file}:${item.line}: ${item.sql}`).toEqual(item.expected);
      }
      await client.end();
    });
  });
}
