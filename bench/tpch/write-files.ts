/** `node bench/tpch/write-files.ts DIRECTORY [scale] [seed]`: the eight tables as files. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { generateTable, TABLES } from './generate.ts';

const [directory, scaleText = '1', seedText = '1'] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
for (const table of TABLES) {
  const file = openSync(join(directory, `${table}.tbl`), 'w');
  let bytes = 0;
  const start = performance.now();
  for (const chunk of generateTable(table, Number(scaleText), Number(seedText))) {
    writeSync(file, chunk);
    bytes += chunk.length;
  }
  closeSync(file);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${table}: ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(2)} s\n`);
}
