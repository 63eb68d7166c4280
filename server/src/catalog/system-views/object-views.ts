/** Views of pg_catalog over objects that few statements touch: policies, rules, publications, extensions, time zones, what is archived. */
import { type ViewSpecification, view } from './view.ts';

const ATTRIBUTE_NAMES =
  `ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ` +
  `AND (r.prattrs IS NULL OR a.attnum = ANY (r.prattrs)) ORDER BY a.attnum)`;

/** A table is published by name, with its schema or with everything; system and temporary tables never are. */
const PUBLISHED =
  `pg_publication p CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace ` +
  `LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid ` +
  `WHERE c.relkind IN ('r', 'p') AND (r.oid IS NOT NULL OR (c.relpersistence = 'p' AND c.oid >= 16384 AND (p.puballtables ` +
  `OR EXISTS (SELECT FROM pg_publication_namespace s WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace))))`;

function zeros(names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, '0']));
}

function same(alias: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, `${alias}.${name}`]));
}

const SLRU_NAMES = 'CommitTs MultiXactMember MultiXactOffset Notify Serial Subtrans Xact other';

export const OBJECT_VIEWS: Readonly<Record<string, ViewSpecification>> = {
  pg_policies: view(
    'pg_policy p JOIN pg_class c ON c.oid = p.polrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace',
    {
      schemaname: 'n.nspname',
      tablename: 'c.relname',
      policyname: 'p.polname',
      permissive: `CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END`,
      roles: `CASE WHEN 0 = ANY (p.polroles) THEN ARRAY['public'] ELSE ARRAY(SELECT a.rolname FROM pg_authid a WHERE a.oid = ANY (p.polroles) ORDER BY 1) END`,
      cmd: `CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' WHEN '*' THEN 'ALL' END`,
      qual: 'pg_get_expr(p.polqual, p.polrelid)',
      with_check: 'pg_get_expr(p.polwithcheck, p.polrelid)',
    },
  ),
  pg_rules: view(
    `pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN'`,
    {
      schemaname: 'n.nspname',
      tablename: 'c.relname',
      rulename: 'r.rulename',
      definition: 'pg_get_ruledef(r.oid)',
    },
  ),
  pg_publication_tables: view(PUBLISHED, {
    pubname: 'p.pubname',
    schemaname: 'n.nspname',
    tablename: 'c.relname',
    attnames: ATTRIBUTE_NAMES,
    rowfilter: 'pg_get_expr(r.prqual, r.prrelid)',
  }),
  pg_available_extensions: view(
    'pg_available_extensions() e LEFT JOIN pg_extension x ON x.extname = e.name',
    {
      name: 'e.name',
      default_version: 'e.default_version',
      installed_version: 'x.extversion',
      comment: 'e.comment',
    },
  ),
  pg_available_extension_versions: view(
    'pg_available_extension_versions() e LEFT JOIN pg_extension x ON x.extname = e.name AND x.extversion = e.version',
    {
      ...same('e', 'name version superuser trusted relocatable schema requires comment'),
      installed: 'x.extname IS NOT NULL',
    },
  ),
  pg_hba_file_rules: view(
    'pg_hba_file_rules() r',
    same('r', 'line_number type database user_name address netmask auth_method options error'),
  ),
  pg_config: view('pg_config() c', same('c', 'name setting')),
  pg_timezone_abbrevs: view('pg_timezone_abbrevs() t', same('t', 'abbrev utc_offset is_dst')),
  pg_timezone_names: view('pg_timezone_names() t', same('t', 'name abbrev utc_offset is_dst')),
  // Nothing is archived and nothing replays: the counters of both stay zero.
  pg_stat_archiver: view('', zeros('archived_count failed_count')),
  pg_stat_database_conflicts: view('pg_database d', {
    datid: 'd.oid',
    datname: 'd.datname',
    ...zeros('confl_tablespace confl_lock confl_snapshot confl_bufferpin confl_deadlock'),
  }),
  // PostgreSQL's small caches; here their contents are in memory whole.
  pg_stat_slru: view(
    `(VALUES ${SLRU_NAMES.split(' ')
      .map((name) => `('${name}')`)
      .join(', ')}) s(name)`,
    {
      name: 's.name',
      ...zeros('blks_zeroed blks_hit blks_read blks_written blks_exists flushes truncates'),
    },
  ),
};
