/** The command `fastpostgres`. */
import { isAbsolute, resolve } from 'node:path';
import { DbError } from '../base/error.ts';
import { createRealEnvironment } from '../env/real/environment.ts';
import { realHost } from '../env/real/host.ts';
import { spawnAdmin } from './admin.ts';
import { MAIN_HELP, parseStartOptions, START_HELP } from './command-line.ts';
import { PRODUCT_VERSION } from './version.ts';

async function main(words: readonly string[]): Promise<void> {
  const [command, ...rest] = words;
  switch (command) {
    case 'start':
      await start(rest);
      return;
    case 'version':
    case '--version':
      realHost.writeOut(`fastpostgres ${PRODUCT_VERSION}\n`);
      return;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      realHost.writeOut(MAIN_HELP);
      return;
    default:
      throw new DbError('syntax_error', `unknown command "${command}"`, {
        hint: 'See "fastpostgres --help".',
      });
  }
}

async function start(words: readonly string[]): Promise<void> {
  const options = parseStartOptions(words);
  if (options === null) {
    realHost.writeOut(START_HELP);
    return;
  }
  const directory = isAbsolute(options.dataDirectory)
    ? options.dataDirectory
    : resolve(options.dataDirectory);
  const environment = createRealEnvironment(directory);
  const adminWorker = spawnAdmin(environment);
  const { startServer } = await import('./server.ts');
  const server = await startServer(environment, options, adminWorker);
  environment.host.writeOut(`${server.readyLine}\n`);
}

function show(error: unknown): string {
  if (!(error instanceof DbError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { detail, hint } = error.fields;
  return [`${error.severity}: ${error.message}`, detail && `DETAIL: ${detail}`, hint && `HINT: ${hint}`]
    .filter((line) => line !== undefined && line !== '')
    .join('\n');
}

main(realHost.arguments).catch((error: unknown) => {
  realHost.writeError(`fastpostgres: ${show(error)}\n`);
  // 2: a usage or start error that a restart would only repeat.
  realHost.exit(2);
});
