/**
 * Random values through both servers; see README.md.
 *
 *     node server/test/exactness/campaign.ts [values] [seed]
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Oracle, startOracle } from '../oracle.ts';
import { connect, startServerProcess } from '../process.ts';
import { KINDS, type Kind } from './kinds.ts';
import { Dice } from './values.ts';

const BATCH = 25_000;
const SHOWN_MAX = 12;

export interface ExactnessFigures {
  readonly values: number;
  readonly comparisons: number;
  readonly differences: number;
  /** Differences by type and path, with some of them written out. */
  readonly byPath: ReadonlyMap<string, { count: number; shown: string[] }>;
}

interface Side {
  readonly name: 'ours' | 'theirs';
  readonly client: pg.Client;
}

class Campaign {
  comparisons = 0;
  differences = 0;
  values = 0;
  readonly byPath = new Map<string, { count: number; shown: string[] }>();
  private readonly sides: readonly [Side, Side];
  private readonly directory: string;
  private readonly dice: Dice;

  constructor(sides: readonly [Side, Side], directory: string, dice: Dice) {
    this.sides = sides;
    this.directory = directory;
    this.dice = dice;
  }

  private path(name: string): string {
    return join(this.directory, name);
  }

  private note(path: string, text: string): void {
    this.differences++;
    const entry = this.byPath.get(path) ?? { count: 0, shown: [] };
    entry.count++;
    if (entry.shown.length < SHOWN_MAX) entry.shown.push(text);
    this.byPath.set(path, entry);
  }

  /** Runs on both; an error of only one is a difference. */
  private async both(path: string, sql: (side: Side) => string): Promise<boolean> {
    const outcomes: string[] = [];
    for (const side of this.sides) {
      try {
        await side.client.query(sql(side));
        outcomes.push('');
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        outcomes.push(`${code} ${message}`);
      }
    }
    const [ours, theirs] = outcomes as [string, string];
    if (ours === '' && theirs === '') return true;
    // The same error on both sides: the value spoils this expression for its batch, no more.
    if (ours === theirs) return false;
    this.note(
      path,
      `ours: ${ours || 'fine'}; theirs: ${theirs || 'fine'}: ${sql(this.sides[0]).slice(0, 200)}`,
    );
    return false;
  }

  /** Files of text format, line by line and field by field. */
  private compareText(path: string, columns: readonly string[], sources: readonly string[]): void {
    const [ours, theirs] = this.sides.map(({ name }) =>
      readFileSync(this.path(`${name}.out`), 'utf8').split('\n'),
    ) as [string[], string[]];
    if (ours.length !== theirs.length)
      this.note(path, `${ours.length - 1} rows, theirs ${theirs.length - 1}`);
    for (let row = 0; row < theirs.length - 1; row++) {
      this.comparisons += columns.length;
      if (ours[row] === theirs[row]) continue;
      const left = (ours[row] ?? '').split('\t');
      const right = theirs[row]!.split('\t');
      for (let column = 0; column < right.length; column++) {
        if (left[column] !== right[column])
          this.note(
            `${path} ${columns[column]}`,
            `${sources[row]?.slice(0, 200)}: ours ${left[column]?.slice(0, 150)}, theirs ${right[column]!.slice(0, 150)}`,
          );
      }
    }
  }

  async batch(kind: Kind, count: number): Promise<void> {
    const { dice } = this;
    const { type, expressions } = kind;
    const settings = kind.settings(dice);
    for (const { client } of this.sides) {
      await client.query('reset all');
      for (const [name, value] of Object.entries(settings))
        await client.query(`select set_config('${name}', '${value}', false)`);
      await client.query(`drop table if exists v, w, source`);
      await client.query(`create table source (n int, sa text, sb text)`);
      await client.query(`create table v (n int, a ${type}, b ${type})`);
      await client.query(`create table w (n int, a ${type}, b ${type})`);
    }
    const label = `${type} (${Object.values(settings).join('; ')})`;
    const pairs: [string, string][] = [];
    for (let row = 0; row < count / 2; row++) pairs.push([kind.text(dice), kind.text(dice)]);
    this.values += pairs.length * 2;
    const sources = pairs.map(([a, b]) => `${a} | ${b}`);
    const input = this.path('values.txt');
    writeFileSync(input, pairs.map(([a, b], row) => `${row}\t${a}\t${b}\n`).join(''), { mode: 0o644 });
    const copied = (what: string, side: Side, options = ''): string =>
      `copy ${what} to '${this.path(`${side.name}.out`)}'${options}`;
    // COPY: in as text, out as text.
    if (!(await this.both(`${type} copy in`, () => `copy v from '${input}'`)))
      return this.single(kind, pairs);
    if (await this.both(`${type} copy out`, (side) => copied('(select a, b from v order by n)', side)))
      this.compareText(`${label} copy`, ['a', 'b'], sources);
    // Text: the input function over the source.
    await this.both(`${type} source`, () => `copy source from '${input}'`);
    if (
      await this.both(`${type} text`, (side) =>
        copied(`(select sa::${type}::text, sb::${type} from source order by n)`, side),
      )
    )
      this.compareText(`${label} text`, ['a', 'b'], sources);
    // Binary: the same bytes out, and in again from what PostgreSQL wrote.
    if (
      await this.both(`${type} binary out`, (side) =>
        copied('(select n, a, b from v order by n)', side, ' (format binary)'),
      )
    ) {
      const [ours, theirs] = this.sides.map(({ name }) => readFileSync(this.path(`${name}.out`))) as [
        Buffer,
        Buffer,
      ];
      this.comparisons += pairs.length * 2;
      if (!ours.equals(theirs))
        this.note(`${type} binary`, `files of ${ours.length} and ${theirs.length} bytes differ`);
      const their = this.path('theirs.out');
      chmodSync(their, 0o644);
      const binary = this.path('binary.in');
      writeFileSync(binary, theirs, { mode: 0o644 });
      if (await this.both(`${type} binary in`, () => `copy w from '${binary}' (format binary)`))
        if (
          await this.both(`${type} binary again`, (side) => copied('(select a, b from w order by n)', side))
        )
          this.compareText(`${label} binary`, ['a', 'b'], sources);
    }
    // Arithmetic.
    const list = expressions.map((expression, at) => `${expression} as e${at}`).join(', ');
    if (await this.both(`${type} arithmetic`, (side) => copied(`(select ${list} from v order by n)`, side)))
      this.compareText(`${label} arithmetic`, expressions, sources);
    else
      for (const expression of expressions)
        if (
          await this.both(`${type} arithmetic ${expression}`, (side) =>
            copied(`(select ${expression} from v order by n)`, side),
          )
        )
          this.compareText(`${label} arithmetic`, [expression], sources);
  }

  /** A value that one of the servers refuses spoils the file: each is tried by itself. */
  private async single(kind: Kind, pairs: readonly [string, string][]): Promise<void> {
    const texts = pairs.flat();
    for (const text of texts.slice(0, 2000)) {
      const answers: string[] = [];
      for (const { client } of this.sides) {
        answers.push(
          await client.query(`select $1::${kind.type}::text as x`, [text]).then(
            ({ rows }) => rows[0].x as string,
            (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
          ),
        );
      }
      this.comparisons++;
      if (answers[0] !== answers[1])
        this.note(`${kind.type} single`, `${text}: ours ${answers[0]}, theirs ${answers[1]}`);
    }
  }
}

/** Null when there is no PostgreSQL to compare with. */
export async function exactnessCampaign(
  values: number,
  seed: number,
  progress: (text: string) => void = () => {},
): Promise<ExactnessFigures | null> {
  const oracle: Oracle | null = await startOracle();
  if (oracle === null) return null;
  const directory = mkdtempSync(join(tmpdir(), 'fastpostgres-exactness-'));
  chmodSync(directory, 0o777);
  const server = await startServerProcess();
  try {
    const theirs = new pg.Client({
      host: '127.0.0.1',
      port: oracle.port,
      user: 'postgres',
      database: 'postgres',
    });
    await theirs.connect();
    const ours = await connect(server.port);
    const campaign = new Campaign(
      [
        { name: 'ours', client: ours },
        { name: 'theirs', client: theirs },
      ],
      directory,
      new Dice(seed),
    );
    for (const kind of KINDS) {
      let left = Math.max(2, Math.round(values * kind.share));
      while (left > 0) {
        const count = Math.min(left, BATCH);
        await campaign.batch(kind, count);
        left -= count;
      }
      progress(
        `${kind.type}: ${campaign.values} values, ${campaign.comparisons} comparisons, ${campaign.differences} differences\n`,
      );
    }
    await ours.end();
    await theirs.end();
    return campaign;
  } finally {
    await server.stop();
    await oracle.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const values = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  process.stdout.write(`seed ${seed}\n`);
  const figures = await exactnessCampaign(values, seed, (text) => process.stdout.write(text));
  if (figures === null) process.stdout.write('no PostgreSQL 15 to compare with\n');
  for (const [path, { count, shown }] of figures?.byPath ?? [])
    process.stdout.write(`${path}: ${count}\n${shown.map((text) => `    ${text}\n`).join('')}`);
  process.exitCode = figures !== null && figures.differences > 0 ? 1 : 0;
}
