/** Names of types in results. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { ResultColumn } from '../contract.ts';
import type { WireColumn } from '../wire/wire-client.ts';
import { ask } from './context.ts';

const BUILTIN: readonly (readonly [number, string])[] = [
  [16, 'boolean'],
  [17, 'bytea'],
  [18, '"char"'],
  [19, 'name'],
  [20, 'bigint'],
  [21, 'smallint'],
  [23, 'integer'],
  [25, 'text'],
  [26, 'oid'],
  [114, 'json'],
  [700, 'real'],
  [701, 'double precision'],
  [705, 'unknown'],
  [1042, 'character'],
  [1043, 'character varying'],
  [1082, 'date'],
  [1083, 'time without time zone'],
  [1114, 'timestamp without time zone'],
  [1184, 'timestamp with time zone'],
  [1186, 'interval'],
  [1700, 'numeric'],
  [2950, 'uuid'],
  [3802, 'jsonb'],
];
const BUILTIN_NAMES = new Map(BUILTIN);

/** Columns with the names of their types; unknown ones are asked for on the panels' connection. */
export async function namedColumns(
  session: ConsoleSession,
  columns: readonly WireColumn[],
): Promise<ResultColumn[]> {
  const names = new Map(BUILTIN_NAMES);
  const wanted = [...new Set(columns.map(({ typeOid }) => typeOid))].filter((oid) => !names.has(oid));
  if (wanted.length > 0) {
    const list = wanted.map((oid) => `${oid}::oid`).join(',');
    const rows = await ask(
      session,
      `select t, pg_catalog.format_type(t, null) from unnest(array[${list}]) t`,
    ).catch(() => []);
    for (const [oid, name] of rows) if (name !== null) names.set(Number(oid), name);
  }
  return columns.map(({ name, typeOid }) => ({
    name,
    typeOid,
    typeName: names.get(typeOid) ?? String(typeOid),
  }));
}
