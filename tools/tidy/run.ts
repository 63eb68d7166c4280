/**
 * Prints what breaks the house rules.
 *
 *     node tools/tidy/run.ts            errors fail; the rest is counted
 *     node tools/tidy/run.ts --strict   debts (long files, missing READMEs) fail too: what `npm test` demands
 *     node tools/tidy/run.ts --reports  prints everything
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { checkFiles } from './check.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Files git tracks or would track, without those that are deleted. */
export function collectFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of listFiles()) {
    if (!/\.(?:tsx?|mjs|js|md|c|cc|h|inl|yml|yaml|css|html)$|(?:^|\/)Dockerfile$/.test(file)) continue;
    try {
      files.set(file, readFileSync(path.join(root, file), 'utf8'));
    } catch {
      // Listed by git, deleted in the work tree.
    }
  }
  return files;
}

function listFiles(): string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return output.split('\0').filter((file) => file !== '');
}

if (process.argv[1] === import.meta.filename) {
  const files = collectFiles();
  const findings = checkFiles(files);
  const isStrict = process.argv.includes('--strict');
  const fails = (severity: string) => severity === 'error' || (isStrict && severity === 'debt');
  const showsAll = process.argv.includes('--reports');
  const count = (wanted: string) => findings.filter(({ severity }) => severity === wanted).length;
  for (const { file, line, severity, message } of findings) {
    if (showsAll || fails(severity)) process.stdout.write(`${file}:${line}: ${message}\n`);
  }
  const counts = `${count('error')} errors, ${count('debt')} debts, ${count('report')} reports`;
  process.stdout.write(`tidy: ${files.size} files, ${counts}\n`);
  process.exitCode = findings.some(({ severity }) => fails(severity)) ? 1 : 0;
}
