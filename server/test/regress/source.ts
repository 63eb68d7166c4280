/** PostgreSQL's regression sources: a folder given, or Debian's source package fetched into a cache folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder with `sql`, `expected`, `data` and `parallel_schedule`. */
export function regressionSource(given: string | null, cache: string): string {
  if (given !== null) {
    if (!existsSync(join(given, 'parallel_schedule'))) {
      throw new Error(`${given} does not hold PostgreSQL's regression files`);
    }
    return given;
  }
  return findUnpacked(cache) ?? fetchPackage(cache);
}

function findUnpacked(cache: string): string | null {
  if (!existsSync(cache)) return null;
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name, 'src/test/regress');
    if (/^postgresql-/.test(name) && existsSync(join(folder, 'parallel_schedule'))) return folder;
  }
  return null;
}

/** Where this machine gets Debian's binary packages from, it finds their sources too: one `deb-src` line each. */
function sourceLines(): string {
  const targets = execFileSync(
    'apt-get',
    [
      'indextargets',
      '--format',
      '$(REPO_URI) $(RELEASE) $(COMPONENT)',
      'Created-By: Packages',
      'Origin: Debian',
    ],
    { encoding: 'utf8' },
  );
  const lines = targets.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new Error('no Debian archive is known here: run apt-get update first');
  return lines
    .map((line) => `deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${line}\n`)
    .join('');
}

/** Through a private list of sources, so that the machine's own lists stay as they are. */
function fetchPackage(cache: string): string {
  const lists = join(cache, 'apt/lists/partial');
  mkdirSync(lists, { recursive: true });
  mkdirSync(join(cache, 'apt/cache/archives/partial'), { recursive: true });
  const list = join(cache, 'apt/sources.list');
  writeFileSync(list, sourceLines());
  const options = [
    `Dir::Etc::sourcelist=${list}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(cache, 'apt/lists')}`,
    `Dir::Cache=${join(cache, 'apt/cache')}`,
  ].flatMap((option) => ['-o', option]);
  const run = (command: string, words: readonly string[]): void => {
    execFileSync(command, words, { cwd: cache, stdio: ['ignore', 'inherit', 'inherit'] });
  };
  run('apt-get', [...options, 'update']);
  run('apt-get', [...options, 'source', 'postgresql-15']);
  const folder = findUnpacked(cache);
  if (folder === null) throw new Error('the source package holds no regression files');
  return folder;
}
