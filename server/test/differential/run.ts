/**
 * The same random statements to our server and to PostgreSQL 15; what differs is reduced and told.
 *
 *     node server/test/differential/run.ts [statements, default 10000] [seed, default 1] [reductions, default 20]
 *
 * Compared are rows (as a set, or in order when the statement orders them), column names and types, SQLSTATE and message.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startOracle } from '../oracle.ts';
import { connect, startServerProcess } from '../process.ts';
import { Generator, type Statement } from './generator.ts';
import { type Answer, compare } from './rules.ts';
import { type Node, reduce, render } from './tree.ts';

const SCHEMA = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');
const STATEMENT_TIMEOUT = '20s';
/** Both sides computed for so long that nothing can be said. */
const TIMEOUT_STATE = '57014';

export interface Difference {
  readonly cause: string;
  count: number;
  /** Reduced, of the first. */
  sql: string;
}

export interface DifferentialReport {
  /** Why nothing was compared; null when it was. */
  skipped: string | null;
  oracle: string;
  statements: number;
  /** Of these, how many ended in rows in PostgreSQL. */
  succeeded: number;
  /** Explained differences by rule. */
  explained: Record<string, number>;
  differences: Difference[];
  /** Statements that ended in XX000, or with the server. */
  internal: string[];
}

export async function differentialCampaign(
  statements: number,
  seed: number,
  reductionsMax: number,
  progress: (text: string) => void = () => {},
): Promise<DifferentialReport> {
  const report: DifferentialReport = {
    skipped: null,
    oracle: '',
    statements: 0,
    succeeded: 0,
    explained: {},
    differences: [],
    internal: [],
  };
  const oracle = await startOracle();
  if (oracle === null) {
    report.skipped = 'no PostgreSQL 15 on this machine';
    return report;
  }
  report.oracle = oracle.version;
  const server = await startServerProcess();
  try {
    const ours = await prepare(await connect(server.port));
    const theirs = await prepare(await connectOracle(oracle.port));
    const generator = new Generator(seed);
    const known = new Map<string, Difference>();
    const differs = async (statement: Statement, tree: Node): Promise<[string, boolean] | null> => {
      const sql = render(tree);
      const [mine, other] = await Promise.all([
        answer(ours, sql, statement.writes),
        answer(theirs, sql, statement.writes),
      ]);
      if (other.state === '00000' && tree === statement.tree) report.succeeded++;
      if (mine.state === 'XX000' || !server.isAlive()) report.internal.push(`${mine.message}: ${sql}`);
      if (mine.state === TIMEOUT_STATE && other.state === TIMEOUT_STATE) return null;
      const readsTables =
        /\b(from|where|group by|null|case|coalesce|and|or)\b/i.test(sql) || statement.writes;
      const difference = compare(mine, other, { isOrdered: statement.isOrdered, readsTables });
      return difference === null ? null : [difference.cause, difference.isExplained];
    };
    while (report.statements < statements && server.isAlive()) {
      const statement = generator.statement();
      report.statements++;
      const found = await differs(statement, statement.tree);
      if (report.statements % 5000 === 0)
        progress(`${report.statements} statements, ${known.size} kinds of differences\n`);
      if (found === null) continue;
      const [cause, isExplained] = found;
      if (isExplained) {
        report.explained[cause] = (report.explained[cause] ?? 0) + 1;
        continue;
      }
      const before = known.get(cause);
      if (before !== undefined && !cause.startsWith('value') && !cause.startsWith('row')) {
        before.count++;
        continue;
      }
      const tree =
        known.size >= reductionsMax
          ? statement.tree
          : await reduce(
              statement.tree,
              async (candidate) => (await differs(statement, candidate))?.[0] === cause,
            );
      const sql = render(tree);
      const key = before === undefined ? cause : `${cause}: ${sql}`;
      const difference: Difference = { cause, count: 1, sql };
      known.set(key, difference);
      progress(`-- ${cause}\n${sql};\n`);
    }
    report.differences = [...known.values()].sort((one, two) => two.count - one.count);
    await ours.end().catch(() => {});
    await theirs.end();
  } finally {
    await server.stop();
    await oracle.stop();
  }
  return report;
}

async function prepare(client: pg.Client): Promise<pg.Client> {
  await client.query(`set timezone = 'UTC'; set statement_timeout = '${STATEMENT_TIMEOUT}'`);
  await client.query(SCHEMA);
  await client.query('analyze');
  return client;
}

async function connectOracle(port: number): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Every value as the server's text. */
const asText = { getTypeParser: () => (value: unknown) => value };

async function answer(client: pg.Client, sql: string, writes: boolean): Promise<Answer> {
  try {
    if (writes) await client.query('begin');
    const result = await client.query({
      text: sql,
      rowMode: 'array',
      types: asText,
    } as unknown as pg.QueryArrayConfig);
    return {
      state: '00000',
      message: '',
      columns: result.fields.map((field) => ({ name: field.name, type: field.dataTypeID })),
      rows: result.rows as (string | null)[][],
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { state: code ?? 'closed', message, columns: [], rows: [] };
  } finally {
    if (writes) await client.query('rollback').catch(() => {});
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [statements, seed, reductions] = [2, 3, 4].map((at) => Number(process.argv[at] ?? Number.NaN));
  const report = await differentialCampaign(
    Number.isNaN(statements) ? 10_000 : statements!,
    Number.isNaN(seed) ? 1 : seed!,
    Number.isNaN(reductions) ? 20 : reductions!,
    (text) => process.stdout.write(text),
  );
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.differences.length + report.internal.length > 0 ? 1 : 0;
}
