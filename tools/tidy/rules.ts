/** The house rules as data. */

/**
 * Rooms of server/src from the ground up. A file imports its own room or rooms that stand before it; what it needs
 * from above arrives through an interface handed over in `main/`.
 */
export const layers: readonly string[] = [
  'base',
  'env',
  'types',
  'native',
  'storage',
  'txn',
  'index',
  'table',
  'catalog',
  'sql',
  'planner',
  'executor',
  'plpgsql',
  'session',
  'protocol',
  'auth',
  'monitor',
  'admin',
  'main',
];

/** Node modules without time, chance or side effects: allowed in every room but base. */
export const pureModules: ReadonlySet<string> = new Set([
  'node:buffer',
  'node:path',
  'node:string_decoder',
  'node:url',
  'node:util',
  'node:zlib',
]);

/** Functions of node:crypto that are a function of their arguments. */
export const pureCryptography: ReadonlySet<string> = new Set([
  'createCipheriv',
  'createDecipheriv',
  'createHash',
  'createHmac',
  'createPrivateKey',
  'createPublicKey',
  'hash',
  'hkdfSync',
  'KeyObject',
  'pbkdf2Sync',
  'scryptSync',
  'sign',
  'timingSafeEqual',
  'verify',
  'X509Certificate',
]);

/** Other Node modules a room may import, beyond the pure ones. */
export const roomModules: Readonly<Record<string, ReadonlySet<string>>> = {
  // Loading the addon needs require(): a .node file has no import.
  native: new Set(['node:module']),
};

/** npm packages and who may import them (path prefixes below the root). Tests may import any installed package. */
export const packageUsers: Readonly<Record<string, readonly string[]>> = {
  'libpg-query': ['server/src/sql/'],
  '@pgsql/types': ['server/src/sql/'],
  'pg-protocol': ['server/src/protocol/', 'server/src/admin/'],
  'lz4-napi': ['server/src/storage/', 'server/src/native/'],
  fastify: ['server/src/admin/'],
  '@fastify/': ['server/src/admin/'],
  typebox: ['server/src/admin/'],
  '@sinclair/typebox': ['server/src/admin/'],
  pino: ['server/src/admin/', 'server/src/monitor/', 'server/src/main/'],
  'hyparquet-writer': ['server/src/admin/'],
  'prom-client': ['server/src/monitor/', 'server/src/admin/'],
};

/** A pattern over source with comments and strings masked. */
export interface BannedPattern {
  readonly pattern: RegExp;
  readonly what: string;
  readonly instead: string;
  /** Rooms of server/src in which it is allowed. */
  readonly allowedRooms: readonly string[];
}

/** Calls that only env/ may make, and forms nobody may write. Applies to server/src without tests. */
export const bannedPatterns: readonly BannedPattern[] = [
  { pattern: /\bDate\.now\b/, what: 'Date.now', instead: 'clock.wallMicros()', allowedRooms: ['env'] },
  {
    pattern: /\bnew Date\(\s*\)|(?<!new )(?<![\w$.])Date\(\s*\)/,
    what: 'the current date',
    instead: 'clock.wallMicros()',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])performance\s*\.|\bprocess\.hrtime\b/,
    what: 'performance',
    instead: 'clock.monotonicMicros()',
    allowedRooms: ['env'],
  },
  {
    pattern: /\bMath\.random\b/,
    what: 'Math.random',
    instead: 'random of the environment',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])(?:globalThis\.)?crypto\s*\./,
    what: 'the global crypto object',
    instead: 'random or cryptography of the environment',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])(?:setTimeout|setInterval)\s*\(/,
    what: 'a timer',
    instead: 'clock.setTimer()',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])setImmediate\b|\bprocess\.nextTick\b/,
    what: 'setImmediate or nextTick',
    instead: 'clock.nextTurn() or clock.yieldToLoop()',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])process\s*\.(?!hrtime|nextTick)/,
    what: 'the process object',
    instead: 'host of the environment',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?<![\w$.])console\s*\./,
    what: 'console',
    instead: 'the log handed in, or host',
    allowedRooms: ['env'],
  },
  {
    pattern: /(?:\bawait|\breturn|[=(,])\s*fetch\s*\(|\bnew\s+WebSocket\b/,
    what: 'a network call',
    instead: 'network of the environment',
    allowedRooms: ['env'],
  },
  {
    pattern: /\bnew\s+Worker\s*\(/,
    what: 'a worker thread',
    instead: 'workers of the environment',
    allowedRooms: ['env'],
  },
  {
    pattern: /\bnew\s+(?:Type|Range|Syntax|Reference|Aggregate)?Error\s*\(/,
    what: 'a bare Error',
    instead: 'DbError, notSupported, internalError or assert of base/error.ts',
    allowedRooms: [],
  },
  {
    pattern: /(?:\bas\s+|<\s*|[\w)\]?]\s*:\s*)any\b(?!\s*[:(.=]|\w)/,
    what: 'the type any',
    instead: 'the real type, or unknown and a check',
    allowedRooms: [],
  },
];

/** Words that may not stay in a file, comments and strings included. */
export const bannedTexts: readonly {
  readonly pattern: RegExp;
  readonly what: string;
  readonly instead: string;
}[] = [
  { pattern: /\b(?:FIXME|TODO)\b/, what: 'a note to self', instead: 'do it, or open an issue' },
  {
    pattern: /(?<![\w.~])\/work\/(?!\*)/,
    what: 'a path of one machine',
    instead: 'a path relative to the repository',
  },
];

/** Longest file without an entry in `longFiles`. */
export const fileLinesMax = 800;
