/** Views of pg_catalog over catalogs, roles and settings. */
import { OWN_VIEWS } from '../own-functions.ts';
import { type ViewSpecification, view } from './view.ts';

const VISIBLE_ROLE_PASSWORD = `'********'`;

const SETTINGS_OF_ROLE = 'LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0';

function relationsOfKind(kinds: string): string {
  return `pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind IN (${kinds})`;
}

const STATISTICS_COLUMNS: Readonly<Record<string, string>> = {
  relid: 'c.oid',
  schemaname: 'n.nspname',
  relname: 'c.relname',
  seq_scan: 'pg_stat_get_numscans(c.oid)',
  seq_tup_read: 'pg_stat_get_tuples_returned(c.oid)',
  idx_scan:
    'CASE WHEN c.relhasindex THEN (SELECT sum(pg_stat_get_numscans(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid) END',
  idx_tup_fetch:
    'CASE WHEN c.relhasindex THEN (SELECT sum(pg_stat_get_tuples_fetched(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid) END',
  n_tup_ins: 'pg_stat_get_tuples_inserted(c.oid)',
  n_tup_upd: 'pg_stat_get_tuples_updated(c.oid)',
  n_tup_del: 'pg_stat_get_tuples_deleted(c.oid)',
  n_tup_hot_upd: 'pg_stat_get_tuples_hot_updated(c.oid)',
  n_live_tup: 'pg_stat_get_live_tuples(c.oid)',
  n_dead_tup: 'pg_stat_get_dead_tuples(c.oid)',
  n_mod_since_analyze: 'pg_stat_get_mod_since_analyze(c.oid)',
  n_ins_since_vacuum: '0',
  vacuum_count: 'pg_stat_get_vacuum_count(c.oid)',
  last_vacuum: 'pg_stat_get_last_vacuum_time(c.oid)',
  last_analyze: 'pg_stat_get_last_analyze_time(c.oid)',
  autovacuum_count: '0',
  analyze_count: 'pg_stat_get_analyze_count(c.oid)',
  autoanalyze_count: '0',
};

const IO_COLUMNS: Readonly<Record<string, string>> = {
  relid: 'c.oid',
  schemaname: 'n.nspname',
  relname: 'c.relname',
  heap_blks_read: 'pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid)',
  heap_blks_hit: 'pg_stat_get_blocks_hit(c.oid)',
};

const INDEX_COLUMNS: Readonly<Record<string, string>> = {
  relid: 'c.oid',
  indexrelid: 'i.oid',
  schemaname: 'n.nspname',
  relname: 'c.relname',
  indexrelname: 'i.relname',
  idx_scan: 'pg_stat_get_numscans(i.oid)',
  idx_tup_read: 'pg_stat_get_tuples_returned(i.oid)',
  idx_tup_fetch: 'pg_stat_get_tuples_fetched(i.oid)',
};

const INDEX_IO_COLUMNS: Readonly<Record<string, string>> = {
  relid: 'c.oid',
  indexrelid: 'i.oid',
  schemaname: 'n.nspname',
  relname: 'c.relname',
  indexrelname: 'i.relname',
  idx_blks_read: 'pg_stat_get_blocks_fetched(i.oid) - pg_stat_get_blocks_hit(i.oid)',
  idx_blks_hit: 'pg_stat_get_blocks_hit(i.oid)',
};

const SYSTEM_SCHEMA = `(n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname ~ '^pg_toast')`;
const SCOPES = { all: 'true', sys: SYSTEM_SCHEMA, user: `NOT ${SYSTEM_SCHEMA}` } as const;

/** What the slot of a kind holds, as pg_stats shows it. */
function statisticSlot(kind: number, column: 'stavalues' | 'stanumbers'): string {
  const cases = [1, 2, 3, 4, 5].map((slot) => `WHEN s.stakind${slot} = ${kind} THEN s.${column}${slot}`);
  return `CASE ${cases.join(' ')} END`;
}

function statisticsViews(): Record<string, ViewSpecification> {
  const views: Record<string, ViewSpecification> = {};
  const tables = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm', 'p')`;
  const indexes =
    `pg_class c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid ` +
    `JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm')`;
  for (const [scope, condition] of Object.entries(SCOPES)) {
    views[`pg_stat_${scope}_tables`] = view(`${tables} AND ${condition}`, STATISTICS_COLUMNS);
    views[`pg_statio_${scope}_tables`] = view(`${tables} AND ${condition}`, IO_COLUMNS);
    views[`pg_stat_${scope}_indexes`] = view(`${indexes} AND ${condition}`, INDEX_COLUMNS);
    views[`pg_statio_${scope}_indexes`] = view(`${indexes} AND ${condition}`, INDEX_IO_COLUMNS);
    views[`pg_statio_${scope}_sequences`] = view(
      `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND ${condition}`,
      {
        relid: 'c.oid',
        schemaname: 'n.nspname',
        relname: 'c.relname',
        blks_read: '0',
        blks_hit: '0',
      },
    );
    const { relid, schemaname, relname } = STATISTICS_COLUMNS as {
      relid: string;
      schemaname: string;
      relname: string;
    };
    const counters = ['seq_scan', 'seq_tup_read', 'n_tup_ins', 'n_tup_upd', 'n_tup_del', 'n_tup_hot_upd'];
    views[`pg_stat_xact_${scope}_tables`] = view(`${tables} AND ${condition}`, {
      relid,
      schemaname,
      relname,
      ...Object.fromEntries(counters.map((name) => [name, '0'])),
    });
  }
  return views;
}

/** A view over running commands of one kind. */
function progress(command: string, columns: Readonly<Record<string, string>>): ViewSpecification {
  return view(`pg_stat_get_progress_info('${command}') s LEFT JOIN pg_database d ON s.datid = d.oid`, {
    pid: 's.pid',
    datid: 's.datid',
    datname: 'd.datname',
    relid: 's.relid',
    ...columns,
  });
}

/** Columns that a set-returning function gives under their own names. */
function named(alias: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, `${alias}."${name}"`]));
}

export const CATALOG_VIEWS: Readonly<Record<string, ViewSpecification>> = {
  pg_roles: view(`pg_authid r ${SETTINGS_OF_ROLE}`, {
    rolname: 'r.rolname',
    rolsuper: 'r.rolsuper',
    rolinherit: 'r.rolinherit',
    rolcreaterole: 'r.rolcreaterole',
    rolcreatedb: 'r.rolcreatedb',
    rolcanlogin: 'r.rolcanlogin',
    rolreplication: 'r.rolreplication',
    rolconnlimit: 'r.rolconnlimit',
    rolpassword: VISIBLE_ROLE_PASSWORD,
    rolvaliduntil: 'r.rolvaliduntil',
    rolbypassrls: 'r.rolbypassrls',
    rolconfig: 's.setconfig',
    oid: 'r.oid',
  }),
  pg_shadow: view(`pg_authid r ${SETTINGS_OF_ROLE} WHERE r.rolcanlogin`, {
    usename: 'r.rolname',
    usesysid: 'r.oid',
    usecreatedb: 'r.rolcreatedb',
    usesuper: 'r.rolsuper',
    userepl: 'r.rolreplication',
    usebypassrls: 'r.rolbypassrls',
    passwd: 'r.rolpassword',
    valuntil: 'r.rolvaliduntil',
    useconfig: 's.setconfig',
  }),
  pg_user: view(`pg_authid r ${SETTINGS_OF_ROLE} WHERE r.rolcanlogin`, {
    usename: 'r.rolname',
    usesysid: 'r.oid',
    usecreatedb: 'r.rolcreatedb',
    usesuper: 'r.rolsuper',
    userepl: 'r.rolreplication',
    usebypassrls: 'r.rolbypassrls',
    passwd: VISIBLE_ROLE_PASSWORD,
    valuntil: 'r.rolvaliduntil',
    useconfig: 's.setconfig',
  }),
  pg_group: view('pg_authid r WHERE NOT r.rolcanlogin', {
    groname: 'r.rolname',
    grosysid: 'r.oid',
    grolist: 'ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = r.oid)',
  }),
  pg_tables: view(relationsOfKind(`'r', 'p'`), {
    schemaname: 'n.nspname',
    tablename: 'c.relname',
    tableowner: 'pg_get_userbyid(c.relowner)',
    tablespace: 't.spcname',
    hasindexes: 'c.relhasindex',
    hasrules: 'c.relhasrules',
    hastriggers: 'c.relhastriggers',
    rowsecurity: 'c.relrowsecurity',
  }),
  pg_rules: view(
    `pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class ` +
      `LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN'`,
    {
      schemaname: 'n.nspname',
      tablename: 'c.relname',
      rulename: 'r.rulename',
      definition: 'pg_get_ruledef(r.oid)',
    },
  ),
  pg_views: view(relationsOfKind(`'v'`), {
    schemaname: 'n.nspname',
    viewname: 'c.relname',
    viewowner: 'pg_get_userbyid(c.relowner)',
    definition: 'pg_get_viewdef(c.oid)',
  }),
  pg_matviews: view(relationsOfKind(`'m'`), {
    schemaname: 'n.nspname',
    matviewname: 'c.relname',
    matviewowner: 'pg_get_userbyid(c.relowner)',
    tablespace: 't.spcname',
    hasindexes: 'c.relhasindex',
    ispopulated: 'c.relispopulated',
    definition: 'pg_get_viewdef(c.oid)',
  }),
  pg_stats: view(
    'pg_statistic s JOIN pg_class c ON c.oid = s.starelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.staattnum ' +
      'LEFT JOIN pg_namespace n ON n.oid = c.relnamespace ' +
      `WHERE NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'select')`,
    {
      schemaname: 'n.nspname',
      tablename: 'c.relname',
      attname: 'a.attname',
      inherited: 's.stainherit',
      null_frac: 's.stanullfrac',
      avg_width: 's.stawidth',
      n_distinct: 's.stadistinct',
      most_common_vals: statisticSlot(1, 'stavalues'),
      most_common_freqs: statisticSlot(1, 'stanumbers'),
      histogram_bounds: statisticSlot(2, 'stavalues'),
      correlation: `(${statisticSlot(3, 'stanumbers')})[1]`,
      most_common_elems: statisticSlot(4, 'stavalues'),
      most_common_elem_freqs: statisticSlot(4, 'stanumbers'),
      elem_count_histogram: statisticSlot(5, 'stanumbers'),
    },
  ),
  pg_stats_ext: view(
    'pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_statistic_ext_data sd ON s.oid = sd.stxoid ' +
      'LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace ' +
      'LEFT JOIN LATERAL (SELECT array_agg(values) AS most_common_vals, array_agg(nulls) AS most_common_val_nulls, ' +
      'array_agg(frequency) AS most_common_freqs, array_agg(base_frequency) AS most_common_base_freqs ' +
      'FROM pg_mcv_list_items(sd.stxdmcv)) m ON sd.stxdmcv IS NOT NULL ' +
      'WHERE NOT EXISTS (SELECT 1 FROM unnest(s.stxkeys) k JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k ' +
      `WHERE NOT has_column_privilege(c.oid, a.attnum, 'select'))`,
    {
      schemaname: 'cn.nspname',
      tablename: 'c.relname',
      statistics_schemaname: 'sn.nspname',
      statistics_name: 's.stxname',
      statistics_owner: 'pg_get_userbyid(s.stxowner)',
      attnames:
        '(SELECT array_agg(a.attname ORDER BY a.attnum) FROM unnest(s.stxkeys) k JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k)',
      exprs: 'pg_get_statisticsobjdef_expressions(s.oid)',
      kinds: 's.stxkind',
      inherited: 'sd.stxdinherit',
      n_distinct: 'sd.stxdndistinct',
      dependencies: 'sd.stxddependencies',
      most_common_vals: 'm.most_common_vals',
      most_common_val_nulls: 'm.most_common_val_nulls',
      most_common_freqs: 'm.most_common_freqs',
      most_common_base_freqs: 'm.most_common_base_freqs',
    },
  ),
  pg_indexes: view(
    `pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid ` +
      `LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace ` +
      `WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')`,
    {
      schemaname: 'n.nspname',
      tablename: 'c.relname',
      indexname: 'i.relname',
      tablespace: 't.spcname',
      indexdef: 'pg_get_indexdef(i.oid)',
    },
  ),
  pg_sequences: view(
    `pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `WHERE NOT pg_is_other_temp_schema(n.oid)`,
    {
      schemaname: 'n.nspname',
      sequencename: 'c.relname',
      sequenceowner: 'pg_get_userbyid(c.relowner)',
      data_type: 's.seqtypid',
      start_value: 's.seqstart',
      min_value: 's.seqmin',
      max_value: 's.seqmax',
      increment_by: 's.seqincrement',
      cycle: 's.seqcycle',
      cache_size: 's.seqcache',
      last_value: `CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(c.oid) END`,
    },
  ),
  pg_file_settings: view(
    'pg_show_all_file_settings() a',
    named('a', 'sourcefile sourceline seqno name setting applied error'),
  ),
  pg_settings: view(
    'pg_show_all_settings() a',
    named(
      'a',
      'name setting unit category short_desc extra_desc context vartype source min_val max_val enumvals boot_val reset_val sourcefile sourceline pending_restart',
    ),
  ),
  pg_prepared_statements: view(
    'pg_prepared_statement() p',
    named('p', 'name statement prepare_time parameter_types from_sql generic_plans custom_plans'),
  ),
  pg_cursors: view(
    'pg_cursor() c',
    named('c', 'name statement is_holdable is_binary is_scrollable creation_time'),
  ),
  pg_locks: view(
    'pg_lock_status() l',
    named(
      'l',
      'locktype database relation page tuple virtualxid transactionid classid objid objsubid virtualtransaction pid mode granted fastpath waitstart',
    ),
  ),
  pg_stat_activity: view(
    'pg_stat_get_activity(NULL::integer) s LEFT JOIN pg_database d ON d.oid = s.datid LEFT JOIN pg_authid u ON u.oid = s.usesysid',
    {
      ...named(
        's',
        'datid pid leader_pid usesysid application_name client_addr client_hostname client_port backend_start xact_start query_start state_change wait_event_type wait_event state backend_xid backend_xmin query_id query backend_type',
      ),
      leader_pid: 's."leader_pid"',
      datname: 'd.datname',
      usename: 'u.rolname',
    },
  ),
  ...Object.fromEntries(
    OWN_VIEWS.map(({ name, columns }) => [
      name,
      view(
        `${name}(${name === 'pg_stat_statements' ? 'true' : ''}) s`,
        named('s', columns.map(([column]) => column).join(' ')),
      ),
    ]),
  ),
  pg_stat_ssl: view('pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL', {
    pid: 's.pid',
    ssl: 's.ssl',
    version: 's.sslversion',
    cipher: 's.sslcipher',
    bits: 's.sslbits',
    client_dn: 's.ssl_client_dn',
    client_serial: 's.ssl_client_serial',
    issuer_dn: 's.ssl_issuer_dn',
  }),
  pg_stat_gssapi: view('pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL', {
    pid: 's.pid',
    gss_authenticated: 's.gss_auth',
    principal: 's.gss_princ',
    encrypted: 's.gss_enc',
  }),
  pg_stat_database: view('pg_database d', {
    datid: 'd.oid',
    datname: 'd.datname',
    numbackends: '(SELECT count(*) FROM pg_stat_get_activity(NULL::integer) s WHERE s.datid = d.oid)',
    xact_commit: 'pg_stat_get_db_xact_commit(d.oid)',
    xact_rollback: 'pg_stat_get_db_xact_rollback(d.oid)',
    blks_read: 'pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid)',
    blks_hit: 'pg_stat_get_db_blocks_hit(d.oid)',
    tup_returned: 'pg_stat_get_db_tuples_returned(d.oid)',
    tup_fetched: 'pg_stat_get_db_tuples_fetched(d.oid)',
    tup_inserted: 'pg_stat_get_db_tuples_inserted(d.oid)',
    tup_updated: 'pg_stat_get_db_tuples_updated(d.oid)',
    tup_deleted: 'pg_stat_get_db_tuples_deleted(d.oid)',
    conflicts: '0',
    temp_files: '0',
    temp_bytes: '0',
    deadlocks: 'pg_stat_get_db_deadlocks(d.oid)',
    blk_read_time: '0',
    blk_write_time: '0',
    session_time: 'pg_stat_get_db_session_time(d.oid)',
    active_time: 'pg_stat_get_db_active_time(d.oid)',
    idle_in_transaction_time: '0',
    sessions: 'pg_stat_get_db_sessions(d.oid)',
    sessions_abandoned: '0',
    sessions_fatal: '0',
    sessions_killed: '0',
    stats_reset: 'pg_stat_get_db_stat_reset_time(d.oid)',
  }),
  pg_stat_wal: view(
    'pg_stat_get_wal() w',
    named(
      'w',
      'wal_records wal_fpi wal_bytes wal_buffers_full wal_write wal_sync wal_write_time wal_sync_time stats_reset',
    ),
  ),
  pg_stat_progress_copy: progress('COPY', {
    command: `CASE s.param5 WHEN 1 THEN 'COPY FROM' WHEN 2 THEN 'COPY TO' END`,
    type: `CASE s.param6 WHEN 1 THEN 'FILE' WHEN 2 THEN 'PROGRAM' WHEN 3 THEN 'PIPE' WHEN 4 THEN 'CALLBACK' END`,
    bytes_processed: 's.param1',
    bytes_total: 's.param2',
    tuples_processed: 's.param3',
    tuples_excluded: 's.param4',
  }),
  pg_stat_progress_create_index: progress('CREATE INDEX', {
    index_relid: 's.param7::oid',
    command: `'CREATE INDEX'`,
    phase: `CASE s.param10 WHEN 0 THEN 'initializing' ELSE 'building index' END`,
    tuples_total: 's.param12',
    tuples_done: 's.param13',
  }),
  pg_stat_progress_vacuum: progress('VACUUM', {
    phase: `'scanning heap'`,
    heap_blks_total: 's.param2',
    heap_blks_scanned: 's.param3',
  }),
  pg_stat_progress_analyze: progress('ANALYZE', { phase: `'acquiring sample rows'` }),
  pg_stat_bgwriter: view('', {
    checkpoints_timed: 'pg_stat_get_bgwriter_timed_checkpoints()',
    checkpoints_req: 'pg_stat_get_bgwriter_requested_checkpoints()',
    checkpoint_write_time: 'pg_stat_get_checkpoint_write_time()',
    checkpoint_sync_time: '0',
    buffers_checkpoint: 'pg_stat_get_bgwriter_buf_written_checkpoints()',
    buffers_clean: '0',
    maxwritten_clean: '0',
    buffers_backend: '0',
    buffers_backend_fsync: '0',
    buffers_alloc: '0',
    stats_reset: 'pg_stat_get_bgwriter_stat_reset_time()',
  }),
  ...statisticsViews(),
};
