/** The clients that have a journey, and how each is run. */
import { fileURLToPath } from 'node:url';
import type { Program } from './programs.ts';

export interface DriverClient {
  readonly name: string;
  /** Ends with 0 where the client is installed; left out: always there. */
  readonly needs?: Program;
  /** Belongs to the fast tests. */
  readonly quick?: boolean;
  /** `folder` is a temporary directory, for what is compiled. */
  commands(folder: string): readonly Program[];
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Debian's packages are for Debian's interpreter, whichever comes first in PATH. */
const PYTHON = '/usr/bin/python3';
const JDBC = '/usr/share/java/postgresql.jar';

function node(name: string, packages: readonly string[], quick = false): DriverClient {
  const imports = packages.map((specifier) => `import ${JSON.stringify(specifier)};`).join('');
  return {
    name,
    quick,
    needs: {
      file: process.execPath,
      arguments: ['--input-type=module', '-e', imports],
    },
    commands: () => [{ file: process.execPath, arguments: [file(`node/${name}.ts`)] }],
  };
}

function python(name: string, module: string): DriverClient {
  return {
    name,
    needs: { file: PYTHON, arguments: ['-c', `import ${module}`] },
    commands: () => [{ file: PYTHON, arguments: ['-B', file(`python/journey_${name}.py`)] }],
  };
}

export const CLIENTS: readonly DriverClient[] = [
  node('pg', ['pg', 'pg-cursor', 'pg-query-stream'], true),
  node('postgres', ['postgres']),
  node('knex', ['knex']),
  node('kysely', ['kysely']),
  node('drizzle', ['drizzle-orm/node-postgres']),
  node('sequelize', ['sequelize']),
  node('typeorm', ['typeorm']),
  python('psycopg2', 'psycopg2'),
  python('psycopg', 'psycopg'),
  python('asyncpg', 'asyncpg'),
  python('sqlalchemy', 'sqlalchemy, psycopg2'),
  python('django', 'django, psycopg2'),
  python('pyodbc', 'pyodbc'),
  {
    name: 'jdbc',
    needs: { file: 'sh', arguments: ['-c', `javac -version && test -f ${JDBC}`] },
    commands: (folder) => [
      { file: 'javac', arguments: ['-cp', JDBC, '-d', folder, file('other/Journey.java')] },
      { file: 'java', arguments: ['-cp', `${JDBC}:${folder}`, 'Journey'] },
    ],
  },
  {
    name: 'perl',
    needs: { file: 'perl', arguments: ['-MDBD::Pg', '-e', '1'] },
    commands: () => [{ file: 'perl', arguments: [file('other/journey.pl')] }],
  },
  {
    name: 'php',
    needs: { file: 'php', arguments: ['-r', 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);'] },
    commands: () => [{ file: 'php', arguments: [file('other/journey.php')] }],
  },
  {
    name: 'ruby',
    needs: { file: '/usr/bin/ruby', arguments: ['-rpg', '-e', '1'] },
    commands: () => [{ file: '/usr/bin/ruby', arguments: [file('other/journey.rb')] }],
  },
  {
    name: 'pgbouncer',
    needs: { file: 'sh', arguments: ['-c', 'test -x /usr/sbin/pgbouncer && command -v psql'] },
    commands: () => [{ file: 'sh', arguments: [file('other/pgbouncer.sh')] }],
  },
];
