/**
 * Runs PostgreSQL 15's own regression files against a fresh server and scores them by statement block.
 *
 *   node server/test/regress/run.ts [--source DIR] [--files a,b] [--show-diff FILE] …    (--help tells all)
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { differencesDocument } from './document.ts';
import { REASONS, type Reason } from './rules.ts';
import { readSchedule, withPrerequisites } from './schedule.ts';
import { type BlockScore, causeOf, type FileScore, scoreFile } from './score.ts';
import { ServerUnderTest } from './server.ts';
import { regressionSource } from './source.ts';

const HELP = `Usage: node server/test/regress/run.ts [options]

  --source DIR      folder src/test/regress of PostgreSQL 15 (default: fetched from Debian's source package)
  --cache DIR       where the fetched package is kept (default ~/.cache/fastpostgres-regress)
  --files a,b,c     only these files and what they need (default: the whole schedule)
  --exclude a,b     not these
  --show-diff FILE  print every differing block of this file (may be given with --files; implies it)
  --no-indexes      do not run create_index before the files that come after it
  --out DIR         keep the outputs there (default: a temporary folder)
  --rescore         with --out: do not run anything, score the outputs that are there
  --oracle URL      run against this server instead (host=… port=… dbname=…), to test the runner
  --timeout SECONDS per file (default 120)
  --markdown        print the table of scores as Markdown
  --document FILE   write scores and causes as a Markdown document
  --causes N        how many causes to list (default 40)
  --psql PATH       psql of version 15 (default psql)
`;

const { values: options } = parseArgs({
  options: {
    source: { type: 'string' },
    cache: { type: 'string' },
    files: { type: 'string' },
    exclude: { type: 'string' },
    'show-diff': { type: 'string' },
    'no-indexes': { type: 'boolean' },
    out: { type: 'string' },
    rescore: { type: 'boolean' },
    oracle: { type: 'string' },
    timeout: { type: 'string' },
    markdown: { type: 'boolean' },
    document: { type: 'string' },
    causes: { type: 'string' },
    psql: { type: 'string' },
    help: { type: 'boolean' },
  },
});

if (options.help) {
  process.stdout.write(HELP);
} else {
  await main();
}

async function main(): Promise<void> {
  const cache = options.cache ?? join(process.env.HOME ?? tmpdir(), '.cache/fastpostgres-regress');
  const source = regressionSource(options.source === undefined ? null : resolve(options.source), cache);
  const schedule = readSchedule(readFileSync(join(source, 'parallel_schedule'), 'utf8'));
  const shown = options['show-diff']?.split(',') ?? [];
  const asked = [...(options.files?.split(',') ?? []), ...shown];
  const excluded = new Set(options.exclude?.split(',') ?? []);
  const files = (
    asked.length === 0 ? schedule : withPrerequisites(asked, schedule, options['no-indexes'] !== true)
  ).filter((name) => !excluded.has(name));
  const out = options.out === undefined ? mkdtempSync(join(tmpdir(), 'regress-out-')) : resolve(options.out);
  mkdirSync(join(out, 'results'), { recursive: true });
  if (options.rescore !== true) await runFiles(source, files, out);
  const scores: FileScore[] = [];
  for (const name of asked.length === 0 ? files : [...new Set(asked)]) {
    const path = join(out, 'results', `${name}.out`);
    if (!existsSync(path)) continue;
    const script = readFileSync(join(source, 'sql', `${name}.sql`), 'utf8');
    scores.push(scoreFile(name, script, expectedOutputs(source, name), readFileSync(path, 'utf8')));
  }
  for (const score of scores) if (shown.includes(score.name)) printDifferences(score);
  report(scores);
  if (options.document !== undefined) writeFileSync(options.document, differencesDocument(scores));
  if (options.out === undefined) rmSync(out, { recursive: true, force: true });
}

function expectedOutputs(source: string, name: string): string[] {
  const outputs: string[] = [];
  for (const variant of ['', ...Array.from({ length: 10 }, (_, index) => `_${index}`)]) {
    const path = join(source, 'expected', `${name}${variant}.out`);
    if (existsSync(path)) outputs.push(readFileSync(path, 'utf8'));
  }
  return outputs;
}

async function runFiles(source: string, files: readonly string[], out: string): Promise<void> {
  const server = options.oracle === undefined ? new ServerUnderTest() : null;
  try {
    await server?.start();
    let target =
      options.oracle ?? `host=${server!.directory} port=${server!.port} user=postgres dbname=postgres`;
    if (server !== null) target = makeDatabase(target);
    for (const name of files) {
      await server?.revive();
      const began = performance.now();
      const timedOut = await runFile(source, name, out, target);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const remark = `${timedOut ? ', ended for time' : ''}${server !== null && !server.isAlive() ? ', THE SERVER DIED' : ''}`;
      process.stderr.write(`${name} ${seconds} s${remark}\n`);
      if (server !== null && !server.isAlive()) writeFileSync(join(out, `${name}.death`), server.output);
    }
    if (server !== null && server.deaths > 0)
      process.stdout.write(`the server died ${server.deaths} times\n`);
  } finally {
    await server?.stop();
  }
}

/** The database regression with pg_regress's settings; the first database when it cannot be made. */
function makeDatabase(target: string): string {
  const psql = (database: string, command: string): boolean =>
    spawnSync(options.psql ?? 'psql', ['-X', '-q', '-d', database, '-c', command], { encoding: 'utf8' })
      .status === 0;
  const made = psql(target, 'CREATE DATABASE regression TEMPLATE template0');
  const database = made ? 'regression' : 'postgres';
  for (const setting of [
    "lc_messages TO 'C'",
    "lc_monetary TO 'C'",
    "lc_numeric TO 'C'",
    "lc_time TO 'C'",
    "bytea_output TO 'hex'",
    "timezone_abbreviations TO 'Default'",
  ]) {
    psql(target, `ALTER DATABASE ${database} SET ${setting}`);
  }
  return target.replace('dbname=postgres', `dbname=${database}`);
}

/** True when it was ended because it took too long. */
async function runFile(source: string, name: string, out: string, target: string): Promise<boolean> {
  const input = openSync(join(source, 'sql', `${name}.sql`), 'r');
  const output = openSync(join(out, 'results', `${name}.out`), 'w');
  const child = spawn(
    options.psql ?? 'psql',
    ['-X', '-a', '-q', '-d', target, '-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on'],
    {
      cwd: out,
      stdio: [input, output, output],
      env: {
        PATH: process.env.PATH,
        HOME: out,
        LANG: 'C',
        LC_MESSAGES: 'C',
        PGAPPNAME: `pg_regress/${name}`,
        PGTZ: 'America/Los_Angeles',
        PGDATESTYLE: 'Postgres, MDY',
        PGOPTIONS: '-c intervalstyle=postgres_verbose',
        PG_ABS_SRCDIR: source,
        PG_ABS_BUILDDIR: out,
        PG_LIBDIR: '/nonexistent',
        PG_DLSUFFIX: '.so',
      },
    },
  );
  let timedOut = false;
  const timer = setTimeout(
    () => {
      timedOut = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 3000).unref();
    },
    Number(options.timeout ?? 120) * 1000,
  );
  await new Promise((done) => child.once('exit', done));
  clearTimeout(timer);
  closeSync(input);
  closeSync(output);
  return timedOut;
}

function printDifferences(score: FileScore): void {
  for (const block of score.blocks) {
    if (block.same || block.leftOut !== null) continue;
    process.stdout.write(`\n=== ${score.name}.sql:${block.block.line}  (${causeOf(block)})\n`);
    process.stdout.write(
      `${block.block.echo.join('\n')}\n--- expected\n${block.expected.join('\n')}\n--- actual\n`,
    );
    process.stdout.write(`${block.actual?.join('\n') ?? '(nothing: the output ended)'}\n`);
  }
}

function report(scores: readonly FileScore[]): void {
  const share = (passed: number, eligible: number): string =>
    eligible === 0 ? '-' : `${((100 * passed) / eligible).toFixed(1)}`;
  const rows = scores.map((score) => [
    score.name,
    share(score.passed, score.eligible),
    String(score.passed),
    String(score.eligible),
    String(score.blocks.length - score.eligible),
    String(score.reordered),
  ]);
  const passed = scores.reduce((sum, score) => sum + score.passed, 0);
  const eligible = scores.reduce((sum, score) => sum + score.eligible, 0);
  const total = scores.reduce((sum, score) => sum + score.blocks.length, 0);
  const reordered = scores.reduce((sum, score) => sum + score.reordered, 0);
  rows.push([
    'all',
    share(passed, eligible),
    String(passed),
    String(eligible),
    String(total - eligible),
    String(reordered),
  ]);
  const heads = ['file', '%', 'same', 'eligible', 'left out', 'reordered'];
  if (options.markdown) {
    process.stdout.write(`| ${heads.join(' | ')} |\n|---|--:|--:|--:|--:|--:|\n`);
    for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
  } else {
    process.stdout.write(
      `\n${heads[0]!.padEnd(26)}${heads
        .slice(1)
        .map((head) => head.padStart(10))
        .join('')}\n`,
    );
    for (const row of rows) {
      process.stdout.write(
        `${row[0]!.padEnd(26)}${row
          .slice(1)
          .map((cell) => cell.padStart(10))
          .join('')}\n`,
      );
    }
  }
  reportLeftOut(scores);
  reportCauses(scores);
}

function reportLeftOut(scores: readonly FileScore[]): void {
  const counts = new Map<Reason, number>();
  for (const score of scores) {
    for (const { leftOut } of score.blocks) {
      if (leftOut !== null) counts.set(leftOut, (counts.get(leftOut) ?? 0) + 1);
    }
  }
  const texts = REASONS.filter((reason) => counts.has(reason)).map(
    (reason) => `${reason} ${counts.get(reason)}`,
  );
  process.stdout.write(`\nleft out: ${texts.join(', ') || 'nothing'}\n`);
}

function reportCauses(scores: readonly FileScore[]): void {
  const causes = new Map<string, { count: number; where: string[] }>();
  for (const score of scores) {
    for (const block of score.blocks) {
      if (block.same || block.leftOut !== null) continue;
      const cause = causeOf(block as BlockScore);
      const entry = causes.get(cause) ?? { count: 0, where: [] };
      entry.count++;
      if (entry.where.length < 4) entry.where.push(`${score.name}:${block.block.line}`);
      causes.set(cause, entry);
    }
  }
  const sorted = [...causes].sort(([, left], [, right]) => right.count - left.count);
  process.stdout.write('\ndifferences by cause\n');
  for (const [cause, { count, where }] of sorted.slice(0, Number(options.causes ?? 40))) {
    process.stdout.write(`${String(count).padStart(6)}  ${cause}  [${where.join(' ')}]\n`);
  }
}
