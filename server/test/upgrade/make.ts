/**
 * Keeps a data directory of today's format: fills a new one with contents.sql, kills the server so that the log is needed, packs the
 * files and the answers of questions.sql. Run once per format version; kept files are never made again.
 *
 *   node server/test/upgrade/make.ts format-1
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answers, type KeptDirectory, pack, startOn } from './kept.ts';

const name = process.argv[2];
if (name === undefined) throw new Error('usage: make.ts NAME');
const here = fileURLToPath(new URL('.', import.meta.url));
const server = await startOn(null);
for (const statement of readFileSync(join(here, 'contents.sql'), 'utf8')
  .replace(/^--.*$/gm, '')
  .split(/;\n/)
  .filter((text) => text.trim() !== ''))
  await server.client.query(statement);
await server.kill();
const files = pack(server.directory);
server.remove();
// Questions are asked of a copy: the kept files are those of the killed server.
const opened = await startOn(files);
const kept: Omit<KeptDirectory, 'files'> = { answers: await answers(opened.client) };
await opened.kill();
opened.remove();
writeFileSync(join(here, `${name}.answers.json`), `${JSON.stringify(kept.answers, null, 1)}\n`);
writeFileSync(join(here, `${name}.files`), files);
console.log(`${name}: ${files.length} bytes, ${kept.answers.length} answers`);
