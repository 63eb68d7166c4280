/**
 * Records PostgreSQL's answers: `node server/test/errors/record.ts postgresql://…` writes `testdata/answers.json`.
 * The server must be PostgreSQL 15 with an empty public schema; statements it accepts are left out.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask } from './answers.ts';
import { wrongStatements } from './statements.ts';

const target = process.argv[2];
if (target === undefined) throw new Error('usage: record.ts URL');
const statements = wrongStatements();
const answers = await ask({ connectionString: target }, statements);
const lines: string[] = [];
statements.forEach(({ kind, sql }, index) => {
  const answer = answers[index];
  if (!answer) return;
  const { code, message, position, detail, hint } = answer;
  lines.push(JSON.stringify([kind, sql, code, message, position, detail, hint]));
});
const file = fileURLToPath(new URL('./testdata/answers.json', import.meta.url));
writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`);
process.stdout.write(`${lines.length} wrong statements of ${statements.length}\n`);
