/** ClickBench as a suite: one wide table of synthetic rows, its 43 queries. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchmarkSuite, type SuiteOptions, statementsOf } from '../measure/suite.ts';
import { generateHits } from './generate.ts';

const file = (name: string): string[] =>
  statementsOf(readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'));

export interface ClickbenchOptions extends SuiteOptions {
  readonly rows: number;
  readonly seed: number;
  /** Numbers 1 to 43. */
  readonly queries: readonly number[];
}

/** Runs it; true when every system answered every query alike. */
export function benchmarkClickbench(options: ClickbenchOptions): Promise<boolean> {
  const { rows, seed, queries } = options;
  return benchmarkSuite(
    {
      name: 'clickbench',
      title: `ClickBench, ${rows} synthetic rows, seed ${seed}`,
      parameters: { rows, seed },
      tables: ['hits'],
      generate: () => generateHits(rows, seed),
      schema: file('schema.sql'),
      keys: [],
      queries: file('queries.sql')
        .map((statement, index) => ({ name: `Q${index + 1}`, statements: [statement] }))
        .filter((_, index) => queries.includes(index + 1)),
      cleanUp: [],
    },
    options,
  );
}
