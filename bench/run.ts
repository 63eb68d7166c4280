/** `npm run bench -- NAME [options]`. */
import { parseArgs } from 'node:util';
import { benchmarkChanges } from './changes/benchmark.ts';
import { benchmarkClickbench } from './clickbench/benchmark.ts';
import { benchmarkPgbench } from './pgbench/benchmark.ts';
import { benchmarkPlpgsql } from './plpgsql/benchmark.ts';
import { benchmarkSsb } from './ssb/benchmark.ts';
import { EXECUTORS } from './systems/fastpostgres.ts';
import { SYSTEM_NAMES } from './systems/system.ts';
import { benchmarkTpch } from './tpch/benchmark.ts';

const HELP = `Usage: npm run bench -- NAME [options]

  tpch      the 22 queries of TPC-H, loading, keys, size on disk
  clickbench  the 43 queries of ClickBench over synthetic rows
  ssb       the 13 queries of the Star Schema Benchmark
  pgbench   point selects and TPC-B-like transactions over TCP
  plpgsql   loops, recursion, SQL in functions, exceptions, triggers; cancelling a function
  changes   INSERT, UPDATE, DELETE and MERGE of many rows: indexes, foreign keys, checks

  --scale N           TPC-H, SSB: scale factor (default 1); pgbench: scale (default 10)
  --rows N            ClickBench: rows (default 1000000)
  --seed N            ClickBench, SSB: of the data (default 1)
  --systems A,B       of fastpostgres,duckdb,postgres (default all; the first is what ratios refer to)
  --rounds N          measurements of each, alternating (default 5)
  --executor NAME     auto, row or compiled (default auto), FastPostgres only
  --queries 1,6       TPC-H, ClickBench, SSB: these (default all)
  --clients 1,8       pgbench: connections (default 8)
  --threads 1         pgbench: its threads (default 1)
  --seconds N         pgbench: length of a measurement (default 5)
  --only TEXT         plpgsql, changes: the cases with this in their name
  --help              this text

The table is printed, everything is kept in bench/results/. Exit code 1: some answer was wrong.
`;

class UsageError extends Error {}

function numbers(name: string, text: string, low: number, high: number): number[] {
  return text.split(',').map((word) => {
    const value = Number(word);
    if (word.trim() === '' || !(value >= low && value <= high))
      throw new UsageError(`--${name}: "${word}" is not a number from ${low} to ${high}`);
    return value;
  });
}

function whole(name: string, text: string, low: number, high: number): number[] {
  const values = numbers(name, text, low, high);
  if (!values.every(Number.isInteger)) throw new UsageError(`--${name} takes whole numbers`);
  return values;
}

function choice<T extends string>(name: string, word: string, choices: readonly T[]): T {
  const found = choices.find((item) => item === word);
  if (found === undefined) throw new UsageError(`--${name}: "${word}" is none of ${choices.join(', ')}`);
  return found;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      scale: { type: 'string' },
      systems: { type: 'string', default: SYSTEM_NAMES.join(',') },
      rounds: { type: 'string', default: '5' },
      executor: { type: 'string', default: 'auto' },
      queries: { type: 'string' },
      rows: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: '8' },
      threads: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: '5' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || positionals.length !== 1) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const shared = {
    rounds: whole('rounds', values.rounds, 1, 1000)[0],
    systems: values.systems.split(',').map((word) => choice('systems', word, SYSTEM_NAMES)),
    executor: choice('executor', values.executor, EXECUTORS),
  };
  const chosen = (most: number): number[] =>
    values.queries === undefined
      ? Array.from({ length: most }, (_, index) => index + 1)
      : whole('queries', values.queries, 1, most);
  const seed = whole('seed', values.seed, 0, 2 ** 31)[0];
  const known = ['tpch', 'clickbench', 'ssb', 'pgbench', 'plpgsql', 'changes'] as const;
  switch (choice('NAME', positionals[0], known)) {
    case 'tpch': {
      const scale = numbers('scale', values.scale ?? '1', 0.001, 1000)[0];
      return (await benchmarkTpch({ ...shared, scale, queries: chosen(22) })) ? 0 : 1;
    }
    case 'clickbench': {
      const rows = whole('rows', values.rows, 1, 100_000_000)[0];
      return (await benchmarkClickbench({ ...shared, rows, seed, queries: chosen(43) })) ? 0 : 1;
    }
    case 'ssb': {
      const scale = numbers('scale', values.scale ?? '1', 0.001, 1000)[0];
      return (await benchmarkSsb({ ...shared, scale, seed, queries: chosen(13) })) ? 0 : 1;
    }
    case 'plpgsql':
      return (await benchmarkPlpgsql({ ...shared, only: values.only })) ? 0 : 1;
    case 'changes':
      return (await benchmarkChanges({ ...shared, only: values.only })) ? 0 : 1;
    case 'pgbench': {
      const scale = whole('scale', values.scale ?? '10', 1, 10_000)[0];
      const clients = whole('clients', values.clients, 1, 1000);
      const threads = whole('threads', values.threads, 1, 1000)[0];
      const seconds = whole('seconds', values.seconds, 1, 3600)[0];
      return (await benchmarkPgbench({ ...shared, scale, clients, threads, seconds })) ? 0 : 1;
    }
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(
    `${isUsage ? (error as Error).message : error instanceof Error ? error.stack : error}\n`,
  );
  process.exitCode = isUsage ? 2 : 1;
}
// An open handle of an addon would keep the process alive.
process.exit();
