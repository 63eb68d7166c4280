/** Rows of tables: paging with a filter builder, staged edits. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { FilterCondition, RowEdit } from '../contract.ts';
import { ApiFailure, apiError, notFound } from '../http/failure.ts';
import { quoteLiteral, quoteName, showName } from '../sql/quote.ts';
import { ServerError } from '../wire/wire-client.ts';
import { type AdminContext, ask, auditOf } from './context.ts';
import { namedColumns } from './type-names.ts';

interface Target {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  /** Name → type as SQL writes it. */
  readonly columns: ReadonlyMap<string, string>;
  readonly keyColumns: readonly string[];
}

const TARGET = `select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid`;
const TARGET_COLUMNS = `select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped order by attnum`;
/** The primary key, else the narrowest unique index over plain not-null columns. */
const KEY = `
select (select string_agg(a.attname, chr(1) order by u.pos) from unnest(i.indkey::int2[]) with ordinality u(num, pos)
   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.num where u.pos <= i.indnkeyatts)
from pg_index i
where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
  and (i.indisprimary or not exists (select 1 from unnest(i.indkey::int2[]) u(num) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.num where not a.attnotnull))
order by i.indisprimary desc, i.indnkeyatts limit 1`;

async function targetOf(session: ConsoleSession, oid: number): Promise<Target> {
  const parameters = [String(oid)];
  const [head] = await ask(session, TARGET, parameters);
  if (head === undefined) throw notFound('there is no such relation');
  const columns = await ask(session, TARGET_COLUMNS, parameters);
  const [key] = head[2] === 'r' || head[2] === 'p' ? await ask(session, KEY, parameters) : [];
  return {
    schema: head[0] ?? '',
    name: head[1] ?? '',
    kind: head[2] ?? '',
    columns: new Map(columns.map(([name, type]) => [name ?? '', type ?? 'text'])),
    keyColumns: key?.[0] == null ? [] : key[0].split('\u0001'),
  };
}

function requireColumn(target: Target, name: string): string {
  const type = target.columns.get(name);
  if (type === undefined)
    throw new ApiFailure(400, { code: '42703', message: `column "${name}" does not exist` });
  return type;
}

/** SQL of a filter condition; operands are typed literals, so that the column's own operators and indexes serve. */
export function conditionSql(condition: FilterCondition, type: string): string {
  const column = quoteName(condition.column);
  const value = condition.value ?? '';
  const literal = (text: string): string => `CAST(${quoteLiteral(text)} AS ${type})`;
  const pattern = (text: string): string => quoteLiteral(text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`));
  switch (condition.operator) {
    case 'is null':
      return `${column} IS NULL`;
    case 'is not null':
      return `${column} IS NOT NULL`;
    case 'contains':
      return `CAST(${column} AS text) ILIKE '%' || ${pattern(value)} || '%'`;
    case 'starts with':
      return `CAST(${column} AS text) ILIKE ${pattern(value)} || '%'`;
    case 'in':
      return `${column} IN (${value.split('\n').map(literal).join(', ')})`;
    default:
      return `${column} ${condition.operator} ${literal(value)}`;
  }
}

const valueSql = (value: string | null, type: string): string =>
  value === null ? 'NULL' : `CAST(${quoteLiteral(value)} AS ${type})`;

/**
 * Types whose = says what is looked for: the same value. Others have none (point, json), or one that means something else (box compares
 * areas, numeric takes 1.0 for 1.00): their texts are compared.
 */
const PLAIN_TYPES = /^(?:smallint|integer|bigint|boolean|text|character varying(?:\(\d+\))?|date|uuid)$/;

/** The statement of one staged edit. */
export function editSql(edit: RowEdit, target: Target): string {
  const table = `${showName(target.schema)}.${showName(target.name)}`;
  const equals = (values: Readonly<Record<string, string | null>>): string[] =>
    Object.entries(values).map(([name, value]) => {
      const type = requireColumn(target, name);
      return value === null ? `${showName(name)} IS NULL` : `${showName(name)} = ${valueSql(value, type)}`;
    });
  if (edit.kind === 'insert') {
    const names = Object.keys(edit.values);
    if (names.length === 0) return `INSERT INTO ${table} DEFAULT VALUES`;
    const values = names.map((name) => valueSql(edit.values[name], requireColumn(target, name)));
    return `INSERT INTO ${table} (${names.map(showName).join(', ')}) VALUES (${values.join(', ')})`;
  }
  const isWhole = target.keyColumns.length > 0 && target.keyColumns.every((name) => name in edit.key);
  if (!isWhole) {
    throw new ApiFailure(400, {
      code: 'no_key',
      message: `rows of ${table} can only be changed by their key (${target.keyColumns.join(', ') || 'the table has none'})`,
    });
  }
  const key = equals(Object.fromEntries(target.keyColumns.map((name) => [name, edit.key[name]])));
  if (edit.kind === 'delete') return `DELETE FROM ${table} WHERE ${key.join(' AND ')}`;
  const names = Object.keys(edit.values);
  if (names.length === 0) throw new ApiFailure(400, { code: 'no_change', message: 'an update needs values' });
  const changes = names.map(
    (name) => `${showName(name)} = ${valueSql(edit.values[name], requireColumn(target, name))}`,
  );
  // NULL-safe: what was read must still be there.
  const before = Object.entries(edit.before ?? {}).map(([name, value]) => {
    const type = requireColumn(target, name);
    if (value === null) return `${showName(name)} IS NULL`;
    if (PLAIN_TYPES.test(type)) return `${showName(name)} IS NOT DISTINCT FROM ${valueSql(value, type)}`;
    return `CAST(${showName(name)} AS text) IS NOT DISTINCT FROM CAST(${valueSql(value, type)} AS text)`;
  });
  return `UPDATE ${table} SET ${changes.join(', ')} WHERE ${[...key, ...before].join(' AND ')}`;
}

export function dataRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('POST /tables/:oid/rows', async ({ session, params, body }) => {
    const target = await targetOf(session, params.oid);
    const conditions = (body.filter ?? []).map((condition) =>
      conditionSql(condition, requireColumn(target, condition.column)),
    );
    const where = body.where?.trim() ?? '';
    // A line break ends a comment that the user's condition may end with.
    if (where !== '') conditions.push(`(${where}\n)`);
    const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const sort = (body.sort ?? []).map(({ column, descending }) => {
      requireColumn(target, column);
      return `${quoteName(column)}${descending ? ' DESC NULLS LAST' : ''}`;
    });
    // Pages need one order: the key decides where the user's order does not.
    if (sort.length > 0 || body.offset > 0)
      for (const column of target.keyColumns)
        if (!(body.sort ?? []).some((key) => key.column === column)) sort.push(quoteName(column));
    const order = sort.length === 0 ? '' : ` ORDER BY ${sort.join(', ')}`;
    const from = `FROM ${showName(target.schema)}.${showName(target.name)}${filter}`;
    const names = [...target.columns.keys()].map(showName).join(', ');
    const sql = `SELECT ${names} ${from}${order}`;
    const client = await session.panels();
    // One statement only: parameters would be no help against a condition of the user's own, the extended protocol is.
    const [result] = await client.query(`${sql} LIMIT $1::int8 OFFSET $2::int8`, [
      String(body.limit + 1),
      String(body.offset),
    ]);
    let count: string | null = null;
    if (body.isCounted === true) {
      const [counted] = await client.query(`SELECT count(*)::text, $1::text ${from}`, ['']);
      count = counted?.rows[0]?.[0] ?? null;
    }
    const rows = result?.rows ?? [];
    return {
      columns: await namedColumns(session, result?.columns ?? []),
      rows: rows.slice(0, body.limit),
      keyColumns: [...target.keyColumns],
      count,
      hasMore: rows.length > body.limit,
      sql,
    };
  });

  router.on('POST /tables/:oid/edits/preview', async ({ session, params, body }) => {
    const target = await targetOf(session, params.oid);
    return { statements: body.edits.map((edit) => editSql(edit, target)) };
  });

  router.on('POST /tables/:oid/edits/apply', async ({ session, params, body }) => {
    const target = await targetOf(session, params.oid);
    const statements = body.edits.map((edit) => editSql(edit, target));
    const client = await session.connect('FastPostgres console edits', { lock_timeout: '5000' });
    let failedEdit: number | null = null;
    try {
      await client.query('begin');
      for (const [index, statement] of statements.entries()) {
        failedEdit = index;
        const [result] = await client.query(statement);
        const changed = Number(/\d+$/.exec(result?.tag ?? '')?.[0] ?? 0);
        if (changed === 1) continue;
        await client.query('rollback');
        return {
          isApplied: false,
          failedEdit,
          error: {
            code: 'row_changed',
            message:
              changed === 0
                ? 'the row is not there any more, or another session changed it'
                : `the statement would change ${changed} rows`,
          },
        };
      }
      failedEdit = null;
      await client.query('commit');
      context.audit(
        auditOf(session, 'edit rows', `${target.schema}.${target.name}: ${statements.length} statements`),
      );
      return { isApplied: true, failedEdit: null, error: null };
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      return { isApplied: false, failedEdit, error: apiError(error.report) };
    } finally {
      client.close();
    }
  });
}
