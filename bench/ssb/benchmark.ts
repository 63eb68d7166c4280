/** The Star Schema Benchmark as a suite: its tables and 13 queries. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchmarkSuite, type SuiteOptions, statementsOf } from '../measure/suite.ts';
import { generateTable, TABLES, type TableName } from './generate.ts';

const NAMES = ['1.1', '1.2', '1.3', '2.1', '2.2', '2.3', '3.1', '3.2', '3.3', '3.4', '4.1', '4.2', '4.3'];

const file = (name: string): string[] =>
  statementsOf(readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'));

export interface SsbOptions extends SuiteOptions {
  readonly scale: number;
  readonly seed: number;
  /** Numbers 1 to 13. */
  readonly queries: readonly number[];
}

/** Runs it; true when every system answered every query alike. */
export function benchmarkSsb(options: SsbOptions): Promise<boolean> {
  const { scale, seed, queries } = options;
  return benchmarkSuite(
    {
      name: 'ssb',
      title: `Star Schema Benchmark, scale ${scale}, seed ${seed}`,
      parameters: { scale, seed },
      tables: TABLES,
      generate: (table) => generateTable(table as TableName, scale, seed),
      schema: file('schema.sql'),
      keys: file('keys.sql'),
      queries: file('queries.sql')
        .map((statement, index) => ({ name: `Q${NAMES[index]}`, statements: [statement] }))
        .filter((_, index) => queries.includes(index + 1)),
      cleanUp: [],
    },
    options,
  );
}
