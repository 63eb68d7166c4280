/** TPC-H as a suite: tables after the specification, its 22 queries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmarkSuite, type SuiteOptions, statementsOf } from '../measure/suite.ts';
import { generateTable, TABLES, type TableName } from './generate.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const QUERIES = fileURLToPath(new URL('../../server/test/sql/tpch/', import.meta.url));

export interface TpchOptions extends SuiteOptions {
  readonly scale: number;
  /** Numbers 1 to 22. */
  readonly queries: readonly number[];
}

/** Runs it; true when every system answered every query alike. */
export function benchmarkTpch(options: TpchOptions): Promise<boolean> {
  const { scale, queries } = options;
  const text = (name: string): string[] => statementsOf(readFileSync(name, 'utf8'));
  return benchmarkSuite(
    {
      name: 'tpch',
      title: `TPC-H, scale ${scale}`,
      parameters: { scale },
      tables: TABLES,
      generate: (table) => generateTable(table as TableName, scale),
      schema: text(join(HERE, 'schema.sql')),
      keys: text(join(HERE, 'keys.sql')),
      queries: queries.map((number) => ({
        name: `Q${number}`,
        statements: text(join(QUERIES, `q${String(number).padStart(2, '0')}.sql`)),
      })),
      // Q15 makes a view.
      cleanUp: ['drop view if exists revenue0'],
    },
    options,
  );
}
