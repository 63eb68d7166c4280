/**
 * Dumps both ways: pg_dump and pg_dumpall 15 of FastPostgres restore into FastPostgres and into PostgreSQL 15, dumps of PostgreSQL (plain,
 * custom, directory) restore into FastPostgres, and a dump of what was restored is the same dump again.
 *
 *   node server/test/dump/run.ts [--bin DIR] [--source FILE.sql]
 *
 * Needs PostgreSQL 15's programs (initdb refuses to run as root: then its cluster runs as the user postgres). Starts both
 * servers itself, on free ports of the loopback, in temporary folders. Exit code 1 when a step fails; each difference is shown.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerUnderTest } from '../regress/server.ts';

const words = process.argv.slice(2);
const option = (name: string, otherwise: string): string => {
  const at = words.indexOf(name);
  return at >= 0 ? (words[at + 1] ?? otherwise) : otherwise;
};
const bin = option('--bin', '/usr/lib/postgresql/15/bin');
const source = option('--source', fileURLToPath(new URL('./schema.sql', import.meta.url)));

interface Target {
  readonly name: string;
  readonly port: number;
}

const failures: string[] = [];
const folder = mkdtempSync(join(tmpdir(), 'fastpostgres-dump-'));
chmodSync(folder, 0o777);

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PGPASSWORD: 'regression', PGHOST: '127.0.0.1', PGUSER: 'postgres' };
}

/** Runs a client program; its error output is a failure unless `tolerated`. */
function run(target: Target, program: string, args: readonly string[], tolerated = /^(?!)/): string {
  const result = spawnSync(join(bin, program), ['-p', String(target.port), ...args], {
    env: environment(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const complaints = result.stderr
    .split('\n')
    .filter((line) => /ERROR|FATAL|error:|warning: errors/.test(line) && !tolerated.test(line));
  if (complaints.length > 0 || result.status === null)
    failures.push(
      `${target.name}: ${program} ${args.join(' ')}\n    ${complaints.slice(0, 20).join('\n    ')}`,
    );
  return result.stdout;
}

/** A dump without what differs from run to run. */
function comparable(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\\(un)?restrict |^-- (Dumped|Started|Completed)|^-- PostgreSQL database/.test(line));
}

function compare(what: string, left: string, right: string): void {
  const [a, b] = [comparable(left), comparable(right)];
  if (a.join('\n') === b.join('\n')) {
    console.log(`same: ${what} (${a.length} lines)`);
    return;
  }
  writeFileSync(join(folder, 'left.sql'), a.join('\n'));
  writeFileSync(join(folder, 'right.sql'), b.join('\n'));
  const difference = spawnSync('diff', [join(folder, 'left.sql'), join(folder, 'right.sql')], {
    encoding: 'utf8',
  });
  failures.push(`different: ${what}\n${difference.stdout.split('\n').slice(0, 60).join('\n')}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Runs a program of the cluster as somebody who is not root. */
function asPostgres(command: string): void {
  if (userInfo().uid === 0) execFileSync('su', ['postgres', '-c', command], { stdio: 'pipe' });
  else execFileSync('sh', ['-c', command], { stdio: 'pipe' });
}

async function startPostgres(): Promise<{ target: Target; stop: () => void }> {
  const directory = join(folder, 'postgres');
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  const port = await freePort();
  asPostgres(
    `${bin}/initdb -D ${directory}/data -A trust -U postgres --locale=C.UTF-8 --encoding=UTF8 >/dev/null && ` +
      `${bin}/pg_ctl -D ${directory}/data -o '-p ${port} -k ${directory} -c listen_addresses=127.0.0.1 -c fsync=off' -l ${directory}/log -w start >/dev/null`,
  );
  return {
    target: { name: 'PostgreSQL', port },
    stop: () => asPostgres(`${bin}/pg_ctl -D ${directory}/data -m fast stop >/dev/null`),
  };
}

function dump(target: Target, database: string): string {
  return run(target, 'pg_dump', [database]);
}

function create(target: Target, database: string): void {
  run(target, 'psql', ['-Xqc', `create database ${database}`, 'postgres']);
}

function load(target: Target, database: string, file: string): void {
  run(target, 'psql', ['-Xqf', file, database]);
}

const server = new ServerUnderTest();
await server.start();
const postgres = await startPostgres();
try {
  const ours: Target = { name: 'FastPostgres', port: server.port };
  const theirs = postgres.target;
  for (const target of [ours, theirs]) {
    create(target, 'original');
    load(target, 'original', source);
  }
  const ourDump = dump(ours, 'original');
  const theirDump = dump(theirs, 'original');
  compare('dump of the same statements, PostgreSQL against FastPostgres', theirDump, ourDump);
  writeFileSync(join(folder, 'ours.sql'), ourDump);
  writeFileSync(join(folder, 'theirs.sql'), theirDump);
  for (const target of [ours, theirs]) {
    create(target, 'from_ours');
    load(target, 'from_ours', join(folder, 'ours.sql'));
    compare(`dump of a FastPostgres dump restored into ${target.name}`, ourDump, dump(target, 'from_ours'));
  }
  create(ours, 'from_plain');
  load(ours, 'from_plain', join(folder, 'theirs.sql'));
  compare('dump of a plain PostgreSQL dump restored into FastPostgres', theirDump, dump(ours, 'from_plain'));
  for (const format of ['custom', 'directory'] as const)
    for (const [from, to] of [
      [theirs, ours],
      [ours, theirs],
    ] as const) {
      const file = join(folder, `${format}-${from.port}`);
      run(from, 'pg_dump', ['-F', format, '-f', file, 'original']);
      create(to, `from_${format}`);
      run(to, 'pg_restore', ['-d', `from_${format}`, ...(format === 'directory' ? ['-j', '3'] : []), file]);
      compare(
        `dump of a ${format} dump of ${from.name} restored into ${to.name}`,
        from === theirs ? theirDump : ourDump,
        dump(to, `from_${format}`),
      );
    }
  // Roles, databases and their settings.
  const globals = run(ours, 'pg_dumpall', ['--globals-only', '--no-role-passwords']);
  compare(
    'pg_dumpall of roles and their settings',
    run(theirs, 'pg_dumpall', ['--globals-only', '--no-role-passwords']),
    globals,
  );
  run(ours, 'pg_dumpall', ['-f', join(folder, 'all.sql'), '--no-role-passwords']);
  if (readFileSync(join(folder, 'all.sql'), 'utf8').length < ourDump.length)
    failures.push('pg_dumpall wrote less than one database');
} finally {
  postgres.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`FAILED ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
