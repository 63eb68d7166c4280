/** Options of `fastpostgres start`, as texts become values. */
import { DbError } from '../base/error.ts';

export interface StartOptions {
  /** Absolute or relative to the working directory. */
  readonly dataDirectory: string;
  readonly port: number;
  readonly httpPort: number;
  readonly host: string;
  readonly passwordFile: string | null;
  readonly settings: readonly (readonly [string, string])[];
}

export const START_HELP = `Usage: fastpostgres start [options]

Serves PostgreSQL clients and the admin console until SIGTERM or Ctrl-C.

  --data-dir DIR        where the data is (default ./data); made and filled on first use
  --port N              port for PostgreSQL clients (default 5432; 0 picks a free one)
  --http-port N         port for the console (default 8432; 0 picks a free one)
  --host ADDR           address to listen on (default 127.0.0.1; * for all)
  --password-file FILE  first line: password of the first superuser, "postgres" (first start only)
  --set NAME=VALUE      value of a setting; may be given several times
  --help                this text

On first start the password comes from --password-file, else from the variable FASTPOSTGRES_PASSWORD, else one is
generated and printed once.
`;

export const MAIN_HELP = `Usage: fastpostgres COMMAND [options]

  start     serve (fastpostgres start --help)
  version   print the version

`;

function usageError(message: string): DbError {
  return new DbError('syntax_error', message, { hint: 'See "fastpostgres start --help".' });
}

/** Reads `--name value` and `--name=value`; null when help was asked for. */
export function parseStartOptions(words: readonly string[]): StartOptions | null {
  let dataDirectory = 'data';
  let port = 5432;
  let httpPort = 8432;
  let host = '127.0.0.1';
  let passwordFile: string | null = null;
  const settings: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === '--help' || word === '-h') return null;
    if (word === '--') continue;
    if (!word.startsWith('--')) throw usageError(`unexpected argument "${word}"`);
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? words[++index] : word.slice(equals + 1);
    if (value === undefined) throw usageError(`option ${name} needs a value`);
    switch (name) {
      case '--data-dir':
        if (value === '') throw usageError('option --data-dir needs a value');
        dataDirectory = value;
        break;
      case '--port':
        port = parsePort(name, value);
        break;
      case '--http-port':
        httpPort = parsePort(name, value);
        break;
      case '--host':
        host = value === '*' ? '0.0.0.0' : value;
        break;
      case '--password-file':
        passwordFile = value;
        break;
      case '--set': {
        const separator = value.indexOf('=');
        if (separator <= 0) throw usageError('option --set needs NAME=VALUE');
        settings.push([value.slice(0, separator), value.slice(separator + 1)]);
        break;
      }
      default:
        throw usageError(`unknown option ${name}`);
    }
  }
  return { dataDirectory, port, httpPort, host, passwordFile, settings };
}

function parsePort(name: string, value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65535 || value.trim() === '') {
    throw usageError(`option ${name} needs a port number from 0 to 65535, not "${value}"`);
  }
  return port;
}
