/** Both servers side by side: the same batch to each, and the two answers to each statement. */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Oracle, startOracle } from '../oracle.ts';
import { type ServerProcess, startServerProcess } from '../process.ts';
import type { Statement } from './generator.ts';
import { areValueErrors, compare, mayBePlanning, PLANS, ROW_ORDERS, type Verdict } from './rules.ts';
import { render } from './tree.ts';
import { type Answer, CLOSED, rowsOf, WireClient } from './wire.ts';

const SCHEMA = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');
const STATEMENT_TIMEOUT = '20s';
/** Both sides computed for so long that nothing can be said. */
const TIMEOUT_STATE = '57014';

/** How our server is made to execute. */
export interface Configuration {
  /** Given to the server's start. */
  readonly settings: readonly string[];
  /** Sent first in each session. */
  readonly session: string;
}

export const CONFIGURATIONS: Readonly<Record<string, Configuration>> = {
  auto: { settings: [], session: '' },
  row: { settings: [], session: "set fastpostgres.executor = 'row'" },
  compiled: { settings: [], session: "set fastpostgres.executor = 'compiled'" },
  'native-off': {
    settings: ['fastpostgres.native_kernels=off'],
    session: "set fastpostgres.executor = 'compiled'; set fastpostgres.native_kernels = off",
  },
  'one-worker': { settings: ['fastpostgres.workers=1'], session: "set fastpostgres.executor = 'compiled'" },
};

/** One statement's two answers, those to the written table's rows behind them. */
interface Pair {
  readonly ours: readonly Answer[];
  readonly theirs: readonly Answer[];
}

export class Comparison {
  readonly server: ServerProcess;
  readonly oracle: Oracle;
  readonly configuration: Configuration;
  private ours!: WireClient;
  /** Ours with the row executor. */
  private rows!: WireClient;
  theirs!: WireClient;
  private typeNames: ReadonlyMap<number, number> = new Map();

  private constructor(server: ServerProcess, oracle: Oracle, configuration: Configuration) {
    this.server = server;
    this.oracle = oracle;
    this.configuration = configuration;
  }

  /** Null when there is no PostgreSQL on this machine. */
  static async start(configuration: Configuration): Promise<Comparison | null> {
    const oracle = await startOracle();
    if (oracle === null) return null;
    const server = await startServerProcess(configuration.settings);
    const comparison = new Comparison(server, oracle, configuration);
    comparison.theirs = await comparison.openTheirs();
    await comparison.openOurs();
    for (const client of [comparison.ours, comparison.theirs]) {
      const { state, message } = await client.one(SCHEMA);
      if (state !== '00000') throw new Error(`the schema is refused: ${message}`);
      await client.one('analyze');
    }
    comparison.typeNames = await comparison.readTypes();
    return comparison;
  }

  async stop(): Promise<void> {
    this.ours.end();
    this.rows.end();
    this.theirs.end();
    await this.server.stop();
    await this.oracle.stop();
  }

  private async openTheirs(): Promise<WireClient> {
    const client = await WireClient.open({ port: this.oracle.port, host: '127.0.0.1' });
    await client.ask(PREPARATION);
    return client;
  }

  private async openOurs(): Promise<void> {
    const path = this.server.socketPath;
    this.ours = await WireClient.open({ path });
    await this.ours.ask([...PREPARATION, ...this.configuration.session.split('; ').filter(Boolean)]);
    this.rows = await WireClient.open({ path });
    await this.rows.ask([...PREPARATION, "set fastpostgres.executor = 'row'"]);
  }

  /** OIDs of our own types, to those of the same name there. */
  private async readTypes(): Promise<Map<number, number>> {
    const query = "select typname, oid from pg_type where typname ~ '^_?(mood|positive|pair)$'";
    const [mine, other] = await Promise.all([this.ours.one(query), this.theirs.one(query)]);
    const byName = new Map(rowsOf(other).map(([name, oid]) => [name, Number(oid)]));
    return new Map(rowsOf(mine).map(([name, oid]) => [Number(oid), byName.get(name!)!]));
  }

  /** Answers to all the statements, in two round trips at once. */
  async ask(statements: readonly Statement[], sql: readonly string[]): Promise<Pair[]> {
    const messages: string[] = [];
    const ends: number[] = [];
    statements.forEach((statement, at) => {
      if (statement.writes) {
        const table = /\b(numbers|words|times|things)\b/.exec(sql[at]!)![1];
        messages.push('begin', sql[at]!, `select * from ${table} order by id`, 'rollback');
      } else messages.push(sql[at]!);
      ends.push(messages.length);
    });
    const [ours, theirs] = await Promise.all([this.ours.ask(messages), this.theirs.ask(messages)]);
    if (!statements.every((_, at) => ours[ends[at]! - 1]!.state !== CLOSED) && this.server.isAlive())
      await this.openOurs();
    const pick = (answers: readonly Answer[], at: number): Answer[] =>
      statements[at]!.writes ? answers.slice(ends[at]! - 3, ends[at]! - 1) : [answers[ends[at]! - 1]!];
    return statements.map((_, at) => ({ ours: pick(ours, at), theirs: pick(theirs, at) }));
  }

  async judge(statement: Statement, sql: string, pair: Pair): Promise<Verdict | null> {
    const [mine, other] = [pair.ours[0]!, pair.theirs[0]!];
    // A few of PostgreSQL's functions end so themselves.
    if (mine.state === CLOSED || (mine.state.startsWith('XX') && mine.state !== other.state))
      return { cause: `internal ${mine.message}`, isExplained: false };
    if (mine.state === TIMEOUT_STATE && other.state === TIMEOUT_STATE) return null;
    const found = this.compared(statement, sql, pair);
    if (found === null || found.isExplained) return found;
    if (/^(?:position|detail|hint|column|type modifier)/.test(found.cause)) return found;
    if (mayBePlanning(mine, other)) {
      const plan = await this.theirs.one(`explain ${sql}`);
      if (plan.state === other.state && plan.message === other.message)
        return { cause: 'planning', isExplained: true };
    }
    if (!statement.writes && (await this.hasPlan(statement, sql, mine)))
      return { cause: 'plan', isExplained: true };
    if (
      areValueErrors(mine, other) &&
      /\bfrom\b/i.test(sql) &&
      !/executor = 'row'/.test(this.configuration.session)
    ) {
      const again = await this.rows.ask(statement.writes ? ['begin', sql, 'rollback'] : [sql]);
      const row = again[statement.writes ? 1 : 0]!;
      if (compare(row, other, { isOrdered: false, sql }) === null)
        return { cause: 'column order', isExplained: true };
    }
    if (areValueErrors(mine, other) && /\bfrom\b/i.test(sql) && (await this.hasRowOrder(sql, mine)))
      return { cause: 'row order', isExplained: true };
    return found;
  }

  private compared(statement: Statement, sql: string, pair: Pair): Verdict | null {
    const options = { isOrdered: statement.isOrdered, sql, typeNames: this.typeNames };
    const first = compare(pair.ours[0]!, pair.theirs[0]!, options);
    if (first !== null || pair.ours.length === 1 || pair.theirs[0]!.state !== '00000') return first;
    const table = compare(pair.ours[1]!, pair.theirs[1]!, { ...options, isOrdered: true });
    return table === null ? null : { ...table, cause: `written ${table.cause}` };
  }

  /** Whether PostgreSQL gives our answer when it plans otherwise. */
  private async hasPlan(statement: Statement, sql: string, ours: Answer): Promise<boolean> {
    const answers = await this.theirs.ask(PLANS.flatMap((plan) => ['begin', `${plan}`, sql, 'rollback']));
    return PLANS.some((_, at) => {
      const verdict = compare(ours, answers[at * 4 + 2]!, {
        isOrdered: statement.isOrdered,
        sql,
        typeNames: this.typeNames,
      });
      return verdict === null || verdict.isExplained;
    });
  }

  /** Whether PostgreSQL gives our error when its tables' rows come otherwise. */
  private async hasRowOrder(sql: string, ours: Answer): Promise<boolean> {
    for (const order of ROW_ORDERS) {
      const answers = await this.theirs.ask(['begin', ...order, sql, 'rollback']);
      const { state, message } = answers[order.length + 1]!;
      if (state === ours.state && message === ours.message) return true;
    }
    return false;
  }

  /** A statement alone: what the reduction of a difference asks. */
  async verdict(statement: Statement): Promise<Verdict | null> {
    const sql = render(statement.tree);
    const [pair] = await this.ask([statement], [sql]);
    return this.judge(statement, sql, pair!);
  }

  get socketFolder(): string {
    return dirname(this.server.socketPath);
  }
}

const PREPARATION = [
  "set timezone = 'UTC'",
  `set statement_timeout = '${STATEMENT_TIMEOUT}'`,
  "set default_text_search_config = 'pg_catalog.english'",
  'set client_min_messages = error',
  // The oracle's own choice where it compiles expressions is none of ours.
  'set jit = off',
];
