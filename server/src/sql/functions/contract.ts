/**
 * What the builtin functions give to the executor, and what they need from the rooms around them.
 *
 * Functions are registered under PostgreSQL's internal name (`pg_proc.prosrc`, e.g. `int4pl`); aggregates under the OID of
 * their `pg_proc` row. `index.ts` exports the tables: `scalarFunction(prosrc)`, `setFunction(prosrc)`, `aggregateFunction(oid)`,
 * `windowFunction(prosrc)`.
 *
 * NULL   for a strict function (`pg_proc.proisstrict`) the caller answers NULL without a call when any argument is NULL; other
 *        functions see `null`.
 * Calls  a bound function is called directly, `fn(a, b)`: no argument array.
 */
import type { FormatContext, TypeSupport } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { TextSearchCatalog } from './textsearch/configuration.ts';

export type DatumFunction = (...args: Datum[]) => Datum;

/** What the analyser knows about one call: polymorphic functions look here. */
export interface CallSite {
  /**
   * Actual argument types after coercion (arrays of a VARIADIC call included as given). Ordered-set and hypothetical-set
   * aggregates: direct arguments first, then the sorted columns.
   */
  readonly argumentTypes: readonly number[];
  readonly resultType: number;
  /** The call was written with VARIADIC, or the declared function is variadic and its last argument was collected into an array. */
  readonly variadic: boolean;
  /** Sort order of an ordered-set or hypothetical-set aggregate's WITHIN GROUP columns. */
  readonly sortKeys?: readonly { readonly descending: boolean; readonly nullsFirst: boolean }[];
  /** OID of the input collation, 0 when none. */
  readonly collation: number;
  /** Names and types of the columns of a call with a column definition list (`json_to_record(...) AS x(a int)`). */
  readonly columns?: readonly { readonly name: string; readonly type: number; readonly typmod: number }[];
}

/** A scalar function: `pure` needs nothing but its arguments; `make` binds it once per plan instantiation. */
export type ScalarFunction =
  | { readonly pure: DatumFunction; readonly make?: undefined }
  | { readonly pure?: undefined; readonly make: (context: FunctionContext, site: CallSite) => DatumFunction };

/**
 * A set-returning function. Each item is one value, or, when `columns` is set (functions with several OUT columns or of
 * composite type), one row.
 */
export interface SetFunction {
  readonly columns: boolean;
  make(context: FunctionContext, site: CallSite): (...args: Datum[]) => Iterable<Datum | readonly Datum[]>;
}

/** The state of one group; mutable, owned by the aggregate. */
export type AggregateState = object;

/**
 * One aggregate bound to a call. Rows reach `step` in input order (ordered-set aggregates: already sorted by the WITHIN
 * GROUP clause, the sorted columns as arguments).
 */
export interface BoundAggregate {
  /** Rows with a NULL in any argument are skipped by the caller. */
  readonly strict: boolean;
  createState(): AggregateState;
  step(state: AggregateState, ...args: Datum[]): void;
  /** Adds what `source` has seen (later rows) to `target`. */
  merge?(target: AggregateState, source: AggregateState): void;
  /** Does not change the state. `direct` are the direct arguments of an ordered-set aggregate. */
  final(state: AggregateState, ...direct: Datum[]): Datum;
  /** Takes the oldest row out again (moving frames); false = cannot, build the frame anew. */
  inverse?(state: AggregateState, ...args: Datum[]): boolean;
}

export interface AggregateFunction {
  /** 'n' plain, 'o' ordered-set, 'h' hypothetical-set, as pg_aggregate.aggkind. */
  readonly kind: 'n' | 'o' | 'h';
  make(context: FunctionContext, site: CallSite): BoundAggregate;
}

/** One partition, sorted, as a window function sees it. Rows count from 0. */
export interface WindowPartition {
  readonly rowCount: number;
  /** Value of argument `argument` evaluated at `row`. */
  argument(argument: number, row: number): Datum;
  /** Equal under the window's ORDER BY (without ORDER BY all rows are peers). */
  arePeers(leftRow: number, rightRow: number): boolean;
  /** Bounds of the current row's frame, [start, end); meaningful for frame functions only. */
  frameStart(row: number): number;
  frameEnd(row: number): number;
  /** True when the frame's EXCLUDE clause takes `candidate` out of the frame of `row`. */
  isExcluded(row: number, candidate: number): boolean;
}

/** Called for the rows of a partition in ascending order, once each; `start` begins a partition. */
export interface BoundWindowFunction {
  start(partition: WindowPartition): void;
  value(partition: WindowPartition, row: number): Datum;
}

export interface WindowFunction {
  /** Uses frameStart/frameEnd (first_value, last_value, nth_value). */
  readonly usesFrame: boolean;
  make(context: FunctionContext, site: CallSite): BoundWindowFunction;
}

/**
 * Everything a function may ask of the statement it runs in. Bound at plan instantiation; `format` and the timestamps are
 * frozen for the statement.
 */
export interface FunctionContext {
  readonly format: FormatContext;
  /** Support of builtin and user-defined types. */
  typeSupport(oid: number): TypeSupport;
  /** Microseconds since 2000-01-01 UTC. */
  readonly transactionTimestamp: bigint;
  readonly statementTimestamp: bigint;
  clockTimestamp(): bigint;
  /** Session-wide pseudo-random numbers in [0, 1); `setSeed` as SQL's setseed(). */
  random(): number;
  setSeed(seed: number): void;
  /** Cryptographically strong bytes (gen_random_uuid). */
  randomBytes(count: number): Uint8Array;
  /** MD5, SHA-2 digests (env owns the crypto library). */
  digest(algorithm: 'md5' | 'sha224' | 'sha256' | 'sha384' | 'sha512', bytes: Uint8Array): Uint8Array;
  readonly session: SessionInfo;
  /** Functions whose answer needs catalogs, privileges, sequences, storage sizes. */
  readonly catalog: HostFunctions<CatalogFunctionName>;
  /** Functions whose answer needs the session, its transaction, locks or other backends. */
  readonly backend: HostFunctions<BackendFunctionName>;
  /** Text search configurations and dictionaries that users made; the builtin ones are known without it. */
  readonly textSearch?: TextSearchCatalog;
  /** Throws when the statement is cancelled; long loops call it now and then. */
  checkInterrupt?(): void;
}

/** Facts about the session that plain functions print. */
export interface SessionInfo {
  readonly currentUser: string;
  readonly sessionUser: string;
  readonly database: string;
  /** Schemas in effect, in order; `implicit` adds pg_catalog and the temporary schema where they are searched implicitly. */
  searchPath(implicit: boolean): readonly string[];
  readonly backendPid: number;
  /** Answer of version(). */
  readonly version: string;
  /** Undefined = no such setting. */
  setting(name: string): string | undefined;
  setSetting(name: string, value: string, isLocal: boolean): string;
  notice(severity: 'NOTICE' | 'WARNING' | 'INFO', message: string): void;
}

/** Binds functions that live in another room, by prosrc. Set-returning ones come from `bindSet`. */
export interface HostFunctions<Name extends string> {
  bind(name: Name, context: FunctionContext, site: CallSite): DatumFunction;
  bindSet?(
    name: Name,
    context: FunctionContext,
    site: CallSite,
  ): (...args: Datum[]) => Iterable<Datum | readonly Datum[]>;
}

/** prosrc of scalar functions delegated to {@link FunctionContext.catalog}. */
export const CATALOG_FUNCTIONS = [
  'format_type',
  'pg_get_expr',
  'pg_get_expr_ext',
  'pg_get_constraintdef',
  'pg_get_constraintdef_ext',
  'pg_get_indexdef',
  'pg_get_indexdef_ext',
  'pg_get_viewdef',
  'pg_get_viewdef_ext',
  'pg_get_viewdef_wrap',
  'pg_get_viewdef_name',
  'pg_get_viewdef_name_ext',
  'pg_get_ruledef',
  'pg_get_ruledef_ext',
  'pg_get_triggerdef',
  'pg_get_triggerdef_ext',
  'pg_get_functiondef',
  'pg_get_function_arguments',
  'pg_get_function_identity_arguments',
  'pg_get_function_result',
  'pg_get_function_arg_default',
  'pg_get_function_sqlbody',
  'pg_get_partkeydef',
  'pg_get_partition_constraintdef',
  'pg_get_statisticsobjdef',
  'pg_get_statisticsobjdef_columns',
  'pg_get_statisticsobjdef_expressions',
  'pg_get_userbyid',
  'pg_get_serial_sequence',
  'pg_get_replica_identity_index',
  'pg_relation_is_publishable',
  'pg_relation_is_updatable',
  'pg_column_is_updatable',
  'pg_relation_filenode',
  'pg_relation_filepath',
  'pg_filenode_relation',
  'pg_table_is_visible',
  'pg_type_is_visible',
  'pg_function_is_visible',
  'pg_operator_is_visible',
  'pg_opclass_is_visible',
  'pg_opfamily_is_visible',
  'pg_collation_is_visible',
  'pg_conversion_is_visible',
  'pg_statistics_obj_is_visible',
  'pg_ts_parser_is_visible',
  'pg_ts_dict_is_visible',
  'pg_ts_template_is_visible',
  'pg_ts_config_is_visible',
  'pg_my_temp_schema',
  'pg_is_other_temp_schema',
  'pg_describe_object',
  'pg_identify_object',
  'pg_identify_object_as_address',
  'pg_get_object_address',
  'pg_collation_actual_version',
  'pg_database_collation_actual_version',
  'pg_index_column_has_property',
  'pg_index_has_property',
  'pg_indexam_has_property',
  'pg_indexam_progress_phasename',
  'pg_sequence_parameters',
  'pg_sequence_last_value',
  'nextval_oid',
  'currval_oid',
  'setval_oid',
  'setval3_oid',
  'lastval',
  'pg_relation_size',
  'pg_table_size',
  'pg_indexes_size',
  'pg_total_relation_size',
  'pg_database_size_oid',
  'pg_database_size_name',
  'pg_tablespace_size_oid',
  'pg_tablespace_size_name',
  'pg_tablespace_location',
  'obj_description',
  'shobj_description',
  'col_description',
  'to_regclass',
  'to_regtype',
  'to_regproc',
  'to_regprocedure',
  'to_regoper',
  'to_regoperator',
  'to_regnamespace',
  'to_regrole',
  'to_regcollation',
  'text_regclass',
  'aclinsert',
  'aclremove',
  'aclcontains',
  'acldefault_sql',
  'makeaclitem',
  'row_security_active',
  'row_security_active_name',
  'has_table_privilege_name_name',
  'has_table_privilege_name_id',
  'has_table_privilege_id_name',
  'has_table_privilege_id_id',
  'has_table_privilege_name',
  'has_table_privilege_id',
  'has_any_column_privilege_name_name',
  'has_any_column_privilege_name_id',
  'has_any_column_privilege_id_name',
  'has_any_column_privilege_id_id',
  'has_any_column_privilege_name',
  'has_any_column_privilege_id',
  'has_column_privilege_name_name_name',
  'has_column_privilege_name_name_attnum',
  'has_column_privilege_name_id_name',
  'has_column_privilege_name_id_attnum',
  'has_column_privilege_id_name_name',
  'has_column_privilege_id_name_attnum',
  'has_column_privilege_id_id_name',
  'has_column_privilege_id_id_attnum',
  'has_column_privilege_name_name',
  'has_column_privilege_name_attnum',
  'has_column_privilege_id_name',
  'has_column_privilege_id_attnum',
  'has_database_privilege_name_name',
  'has_database_privilege_name_id',
  'has_database_privilege_id_name',
  'has_database_privilege_id_id',
  'has_database_privilege_name',
  'has_database_privilege_id',
  'has_function_privilege_name_name',
  'has_function_privilege_name_id',
  'has_function_privilege_id_name',
  'has_function_privilege_id_id',
  'has_function_privilege_name',
  'has_function_privilege_id',
  'has_language_privilege_name_name',
  'has_language_privilege_name_id',
  'has_language_privilege_id_name',
  'has_language_privilege_id_id',
  'has_language_privilege_name',
  'has_language_privilege_id',
  'has_schema_privilege_name_name',
  'has_schema_privilege_name_id',
  'has_schema_privilege_id_name',
  'has_schema_privilege_id_id',
  'has_schema_privilege_name',
  'has_schema_privilege_id',
  'has_sequence_privilege_name_name',
  'has_sequence_privilege_name_id',
  'has_sequence_privilege_id_name',
  'has_sequence_privilege_id_id',
  'has_sequence_privilege_name',
  'has_sequence_privilege_id',
  'has_server_privilege_name_name',
  'has_server_privilege_name_id',
  'has_server_privilege_id_name',
  'has_server_privilege_id_id',
  'has_server_privilege_name',
  'has_server_privilege_id',
  'has_tablespace_privilege_name_name',
  'has_tablespace_privilege_name_id',
  'has_tablespace_privilege_id_name',
  'has_tablespace_privilege_id_id',
  'has_tablespace_privilege_name',
  'has_tablespace_privilege_id',
  'has_type_privilege_name_name',
  'has_type_privilege_name_id',
  'has_type_privilege_id_name',
  'has_type_privilege_id_id',
  'has_type_privilege_name',
  'has_type_privilege_id',
  'has_parameter_privilege_name_name',
  'has_parameter_privilege_id_name',
  'has_parameter_privilege_name',
  'pg_has_role_name_name',
  'pg_has_role_name_id',
  'pg_has_role_id_name',
  'pg_has_role_id_id',
  'pg_has_role_name',
  'pg_has_role_id',
] as const;
export type CatalogFunctionName = (typeof CATALOG_FUNCTIONS)[number] | (typeof CATALOG_SET_FUNCTIONS)[number];

/** prosrc of set-returning functions delegated to {@link FunctionContext.catalog}. */
export const CATALOG_SET_FUNCTIONS = [
  'pg_partition_ancestors',
  'pg_partition_tree',
  'pg_get_publication_tables',
  'aclexplode',
  'pg_timezone_names',
  'pg_timezone_abbrevs',
  'pg_available_extensions',
  'pg_available_extension_versions',
  'pg_get_catalog_foreign_keys',
] as const;

/** prosrc of scalar functions delegated to {@link FunctionContext.backend}. */
export const BACKEND_FUNCTIONS = [
  // Not in pg_proc: the ctid of a cursor's row, for WHERE CURRENT OF.
  'current_of',
  'pg_sleep',
  'be_lo_create',
  'be_lo_creat',
  'be_lo_open',
  'be_lo_close',
  'be_loread',
  'be_lowrite',
  'be_lo_lseek',
  'be_lo_lseek64',
  'be_lo_tell',
  'be_lo_tell64',
  'be_lo_truncate',
  'be_lo_truncate64',
  'be_lo_unlink',
  'be_lo_from_bytea',
  'be_lo_get',
  'be_lo_get_fragment',
  'be_lo_put',
  'be_lo_import',
  'be_lo_import_with_oid',
  'be_lo_export',
  'pg_cancel_backend',
  'pg_terminate_backend',
  'pg_reload_conf',
  'pg_is_in_recovery',
  'pg_postmaster_start_time',
  'pg_conf_load_time',
  'pg_current_xact_id',
  'pg_current_xact_id_if_assigned',
  'pg_current_snapshot',
  'pg_xact_status',
  'pg_current_wal_lsn',
  'pg_current_wal_insert_lsn',
  'pg_current_wal_flush_lsn',
  'pg_walfile_name',
  'pg_switch_wal',
  'pg_last_wal_receive_lsn',
  'pg_last_wal_replay_lsn',
  'pg_last_xact_replay_timestamp',
  'pg_is_wal_replay_paused',
  'pg_advisory_lock_int8',
  'pg_advisory_lock_int4',
  'pg_advisory_lock_shared_int8',
  'pg_advisory_lock_shared_int4',
  'pg_advisory_xact_lock_int8',
  'pg_advisory_xact_lock_int4',
  'pg_advisory_xact_lock_shared_int8',
  'pg_advisory_xact_lock_shared_int4',
  'pg_try_advisory_lock_int8',
  'pg_try_advisory_lock_int4',
  'pg_try_advisory_lock_shared_int8',
  'pg_try_advisory_lock_shared_int4',
  'pg_try_advisory_xact_lock_int8',
  'pg_try_advisory_xact_lock_int4',
  'pg_try_advisory_xact_lock_shared_int8',
  'pg_try_advisory_xact_lock_shared_int4',
  'pg_advisory_unlock_int8',
  'pg_advisory_unlock_int4',
  'pg_advisory_unlock_shared_int8',
  'pg_advisory_unlock_shared_int4',
  'pg_advisory_unlock_all',
  'pg_notify',
  'pg_blocking_pids',
  'pg_safe_snapshot_blocking_pids',
  'pg_export_snapshot',
  'inet_client_addr',
  'inet_client_port',
  'inet_server_addr',
  'inet_server_port',
  'pg_trigger_depth',
  'xid_age',
  'mxid_age',
  'pg_notification_queue_usage',
  'pg_stat_get_numscans',
  'pg_stat_get_tuples_returned',
  'pg_stat_get_tuples_fetched',
  'pg_stat_get_tuples_inserted',
  'pg_stat_get_tuples_updated',
  'pg_stat_get_tuples_deleted',
  'pg_stat_get_tuples_hot_updated',
  'pg_stat_get_live_tuples',
  'pg_stat_get_dead_tuples',
  'pg_stat_get_blocks_fetched',
  'pg_stat_get_blocks_hit',
  'pg_stat_get_vacuum_count',
  'pg_stat_get_analyze_count',
  'pg_stat_get_last_vacuum_time',
  'pg_stat_get_last_analyze_time',
  'pg_stat_get_last_autovacuum_time',
  'pg_stat_get_last_autoanalyze_time',
  'pg_stat_get_mod_since_analyze',
  'pg_stat_get_db_numbackends',
  'pg_stat_get_db_xact_commit',
  'pg_stat_get_db_xact_rollback',
  'pg_stat_get_db_blocks_fetched',
  'pg_stat_get_db_blocks_hit',
  'pg_stat_get_db_tuples_returned',
  'pg_stat_get_db_tuples_fetched',
  'pg_stat_get_db_tuples_inserted',
  'pg_stat_get_db_tuples_updated',
  'pg_stat_get_db_tuples_deleted',
  'pg_stat_get_db_deadlocks',
  'pg_stat_get_db_sessions',
  'pg_stat_get_db_session_time',
  'pg_stat_get_db_active_time',
  'pg_stat_get_db_stat_reset_time',
  'pg_stat_get_bgwriter_timed_checkpoints',
  'pg_stat_get_bgwriter_requested_checkpoints',
  'pg_stat_get_checkpoint_write_time',
  'pg_stat_get_bgwriter_buf_written_checkpoints',
  'pg_stat_get_bgwriter_stat_reset_time',
  'pg_stat_reset',
  'pg_stat_reset_shared',
  'pg_stat_reset_single_table_counters',
  'pg_stat_statements_reset',
  'fastpostgres_catalog_version',
  'fastpostgres_library_put',
  'fastpostgres_library_delete',
  'fastpostgres_advise',
  'fastpostgres_what_if',
  'fastpostgres_advice_verify',
  'hypopg_drop_index',
  'hypopg_reset',
  'pg_stat_clear_snapshot',
  'pg_stat_get_backend_pid',
  'pg_log_backend_memory_contexts',
  'pg_jit_available',
  'pg_stat_get_wal',
] as const;
export type BackendFunctionName = (typeof BACKEND_FUNCTIONS)[number] | (typeof BACKEND_SET_FUNCTIONS)[number];

/** prosrc of set-returning functions delegated to {@link FunctionContext.backend}. */
export const BACKEND_SET_FUNCTIONS = [
  'pg_listening_channels',
  'pg_stat_get_activity',
  'pg_lock_status',
  'pg_prepared_statement',
  'pg_cursor',
  'pg_prepared_xact',
  'show_all_settings',
  'show_all_file_settings',
  'pg_stat_get_wal_senders',
  'pg_stat_get_progress_info',
  'pg_get_replication_slots',
  'pg_hba_file_rules',
  'pg_config',
  'pg_stat_statements',
  'pg_stat_statements_info',
  'fastpostgres_statement_histogram',
  'fastpostgres_statement_plans',
  'fastpostgres_slow_statements',
  'fastpostgres_metrics_now',
  'fastpostgres_metric_catalog',
  'fastpostgres_metric_history',
  'fastpostgres_wait_samples',
  'fastpostgres_progress',
  'fastpostgres_storage',
  'fastpostgres_table_storage',
  'fastpostgres_library_list',
  'fastpostgres_alert_states',
  'hypopg_create_index',
  'hypopg_list_indexes',
] as const;
