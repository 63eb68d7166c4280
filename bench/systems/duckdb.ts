/** DuckDB in this process, its own file format, two threads. An optional package: machines without it go without. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  NO_ROWS,
  type QueryResult,
  removeDirectory,
  STATEMENT_TIMEOUT_MILLIS,
  type System,
  temporaryDirectory,
} from './system.ts';

const THREADS = '2';

/** Starts it; null when the package is not installed. */
export async function startDuckDb(): Promise<System | null> {
  let duckdb: typeof import('@duckdb/node-api');
  try {
    duckdb = await import('@duckdb/node-api');
  } catch {
    return null;
  }
  const directory = temporaryDirectory('duckdb');
  const file = join(directory, 'bench.duckdb');
  const instance = await duckdb.DuckDBInstance.create(file, { threads: THREADS });
  const connection = await instance.connect();

  const run = async (statements: readonly string[]): Promise<QueryResult> => {
    let last = NO_ROWS;
    for (const statement of statements) {
      const timer = setTimeout(() => connection.interrupt(), STATEMENT_TIMEOUT_MILLIS);
      try {
        const reader = await connection.runAndReadAll(statement);
        const types = reader.columnTypes();
        const rows = reader.getRows();
        if (!/^\s*(?:select|with)\b/i.test(statement)) continue;
        last = {
          columns: reader.columnNames(),
          isFloat: types.map(
            (type) => type.typeId === duckdb.DuckDBTypeId.DOUBLE || type.typeId === duckdb.DuckDBTypeId.FLOAT,
          ),
          rows: rows.map((row) => row.map((value) => (value === null ? null : String(value)))),
        };
      } finally {
        clearTimeout(timer);
      }
    }
    return last;
  };

  return {
    name: 'duckdb',
    description: `DuckDB ${duckdb.version()}; threads=${THREADS}; no keys (it cannot add foreign keys to a table)`,
    takesKeys: false,
    run,
    async load(table, source) {
      // It wants the columns' types beforehand: taken from the table, so nothing is guessed.
      const columns = await run([
        `select column_name, data_type from duckdb_columns() where table_name = '${table}' order by column_index`,
      ]);
      const types = columns.rows.map(([name, type]) => `'${name}': '${type}'`).join(', ');
      await run([
        `insert into ${table} select * from read_csv('${source}', delim = '|', header = false, quote = '', escape = '', nullstr = '\\N', columns = {${types}})`,
      ]);
    },
    async settle() {
      await run(['checkpoint']);
    },
    size: async () => statSync(file).size,
    async stop() {
      connection.closeSync();
      instance.closeSync();
      removeDirectory(directory);
    },
  };
}
