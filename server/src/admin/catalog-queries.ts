/** Queries the console asks for itself; they run as the logged-in role. */

/** Relations with their columns, one row a column. */
export const SCHEMA_SQL = `
select n.nspname, c.relname, c.relkind, c.reltuples::text, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'v', 'm', 'p', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg!_temp!_%' escape '!'
order by n.nspname, c.relname, a.attnum`;

export const ACTIVITY_SQL = `
select pid, usename, datname, state, application_name, client_addr, query
from pg_catalog.pg_stat_activity
where pid <> pg_catalog.pg_backend_pid()
order by pid`;
