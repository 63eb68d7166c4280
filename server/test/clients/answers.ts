/** One statement's answer, in a form in which two servers' answers are equal although their oids differ. */
import type pg from 'pg';

/** The first oid of objects that users make, in both servers. */
const FIRST_USER_OID = 16384;
const OID_TYPES = new Set([26, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191]);
const OID_LIST_TYPES = new Set([30, 1028, 1008, 2210, 2211, 4090]);
const RANDOM_UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** xid, cid, tid, pg_lsn, xid8 …: counters of the engine. */
const COUNTER_TYPES = new Set([27, 28, 29, 3220, 5069, 2970, 5038]);

const OWN_OBJECTS = /fastpostgres_|hypopg|pg_stat_statements|\| 9[1-6]\d\d \||^9[1-6]\d\d \|/;

/** Names of objects by oid and oids by name, of one database. */
export interface Identities {
  readonly nameOf: ReadonlyMap<number, string>;
  readonly oidOf: ReadonlyMap<string, number>;
}

const IDENTITY_SOURCES: readonly [kind: string, from: string, name: string][] = [
  ['schema', 'pg_namespace', 'nspname'],
  ['relation', 'pg_class', "relnamespace::regnamespace || '.' || relname"],
  ['type', 'pg_type', "typnamespace::regnamespace || '.' || typname"],
  [
    'function',
    'pg_proc',
    "pronamespace::regnamespace || '.' || proname || '(' || pg_get_function_identity_arguments(oid) || ')'",
  ],
  ['constraint', 'pg_constraint', "conrelid::regclass || '.' || contypid::regtype || '.' || conname"],
  ['trigger', 'pg_trigger', "tgrelid::regclass || '.' || tgname"],
  ['policy', 'pg_policy', "polrelid::regclass || '.' || polname"],
  [
    'operator',
    'pg_operator',
    "oprnamespace::regnamespace || '.' || oprname || oprleft::regtype || oprright::regtype",
  ],
  ['collation', 'pg_collation', "collnamespace::regnamespace || '.' || collname"],
  ['extension', 'pg_extension', 'extname'],
  ['statistics', 'pg_statistic_ext', 'stxname'],
  ['publication', 'pg_publication', 'pubname'],
  ['event trigger', 'pg_event_trigger', 'evtname'],
  ['role', 'pg_authid', 'rolname'],
  ['database', 'pg_database', 'datname'],
  ['default', 'pg_attrdef', "adrelid::regclass || '.' || adnum"],
];

export async function readIdentities(client: pg.Client): Promise<Identities> {
  const nameOf = new Map<number, string>();
  const oidOf = new Map<string, number>();
  for (const [kind, from, name] of IDENTITY_SOURCES) {
    const { rows } = await client.query<{ oid: string; name: string }>(
      `select oid::text, (${name})::text as name from ${from} where oid >= ${FIRST_USER_OID}`,
    );
    for (const row of rows) {
      nameOf.set(Number(row.oid), `${kind} ${row.name}`);
      oidOf.set(`${kind} ${row.name}`, Number(row.oid));
    }
  }
  return { nameOf, oidOf };
}

export interface Answer {
  /** One entry a statement of a multi-statement query. */
  readonly results: {
    readonly tag: string;
    readonly fields: readonly { readonly name: string; readonly type: number }[];
    readonly rows: readonly (readonly (string | null)[])[];
  }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The answer as lines: column names and types, then rows; oids by name, counters hidden. */
export function canonical(answer: Answer, { nameOf }: Identities, keepsOrder: boolean): string[] {
  const oid = (text: string): string =>
    Number(text) < FIRST_USER_OID ? text : `<${nameOf.get(Number(text)) ?? 'oid'}>`;
  const lines: string[] = [];
  const now = new RegExp(`${new Date().toISOString().slice(0, 10)} [0-9:.+-]+`, 'g');
  for (const { tag, fields, rows } of answer.results) {
    lines.push(`${tag} | ${fields.map(({ name, type }) => `${name} ${oid(String(type))}`).join(', ')}`);
    const body = rows.map((row) =>
      row
        .map((value, index) => {
          const type = fields[index]?.type ?? 0;
          if (value === null) return 'NULL';
          if (COUNTER_TYPES.has(type)) return '<counter>';
          if (OID_TYPES.has(type)) return /^\d+$/.test(value) ? oid(value) : value;
          if (OID_LIST_TYPES.has(type)) return value.replace(/\d+/g, oid);
          return value
            .replace(RANDOM_UUID, '<uuid>')
            .replace(now, '<now>')
            .replace(/(?<![.\d])(?:1[6-9]|[2-9]\d)\d{3}(?![.\d])/g, oid);
        })
        .join(' | '),
    );
    // What we have in pg_catalog beside PostgreSQL's objects is no difference.
    const kept = body.filter((line) => !OWN_OBJECTS.test(line));
    if (kept.length < body.length)
      lines[lines.length - 1] = lines.at(-1)!.replace(/^SELECT \d+/, `SELECT ${kept.length}`);
    lines.push(...(keepsOrder ? kept : kept.sort()));
  }
  if (answer.error !== null) lines.push(`ERROR ${answer.error.code}`);
  return lines;
}
