/**
 * Settings of PostgreSQL 15 that sessions may set and that have nothing to steer here (parts of its planner, its vacuum, its
 * log): accepted, checked and shown, so that scripts written for PostgreSQL run. One line each:
 * name | type | context | boot value | unit | minimum | maximum | values | category.
 */
import type { SettingContext, SettingDefinition } from './setting-definition.ts';

const ROWS = `
allow_in_place_tablespaces|boolean|superuser|off|||||Developer Options
allow_system_table_mods|boolean|superuser|off|||||Developer Options
backend_flush_after|integer|user|0|8kB|0|256||Resource Usage / Asynchronous Behavior
backtrace_functions|string|superuser||||||Developer Options
client_connection_check_interval|integer|user|0|ms|0|2147483647||Connections and Authentication / Connection Settings
commit_delay|integer|superuser|0||0|100000||Write-Ahead Log / Settings
commit_siblings|integer|user|5||0|1000||Write-Ahead Log / Settings
compute_query_id|enum|superuser|auto||||auto,regress,on,off|Statistics / Monitoring
debug_discard_caches|integer|superuser|0||0|0||Developer Options
debug_pretty_print|boolean|user|on|||||Reporting and Logging / What to Log
debug_print_parse|boolean|user|off|||||Reporting and Logging / What to Log
debug_print_plan|boolean|user|off|||||Reporting and Logging / What to Log
debug_print_rewritten|boolean|user|off|||||Reporting and Logging / What to Log
dynamic_library_path|string|superuser|$libdir|||||Client Connection Defaults / Other Defaults
effective_io_concurrency|integer|user|1||0|1000||Resource Usage / Asynchronous Behavior
enable_async_append|boolean|user|on|||||Query Tuning / Planner Method Configuration
enable_gathermerge|boolean|user|on|||||Query Tuning / Planner Method Configuration
enable_parallel_append|boolean|user|on|||||Query Tuning / Planner Method Configuration
enable_parallel_hash|boolean|user|on|||||Query Tuning / Planner Method Configuration
enable_partition_pruning|boolean|user|on|||||Query Tuning / Planner Method Configuration
enable_partitionwise_aggregate|boolean|user|off|||||Query Tuning / Planner Method Configuration
enable_partitionwise_join|boolean|user|off|||||Query Tuning / Planner Method Configuration
exit_on_error|boolean|user|off|||||Error Handling
force_parallel_mode|enum|user|off||||off,on,regress|Developer Options
geqo_effort|integer|user|5||1|10||Query Tuning / Genetic Query Optimizer
geqo_generations|integer|user|0||0|2147483647||Query Tuning / Genetic Query Optimizer
geqo_pool_size|integer|user|0||0|2147483647||Query Tuning / Genetic Query Optimizer
geqo_seed|real|user|0||0|1||Query Tuning / Genetic Query Optimizer
geqo_selection_bias|real|user|2||1.5|2||Query Tuning / Genetic Query Optimizer
geqo_threshold|integer|user|12||2|2147483647||Query Tuning / Genetic Query Optimizer
gin_fuzzy_search_limit|integer|user|0||0|2147483647||Client Connection Defaults / Other Defaults
gin_pending_list_limit|integer|user|4096|kB|64|2147483647||Client Connection Defaults / Statement Behavior
ignore_checksum_failure|boolean|superuser|off|||||Developer Options
ignore_system_indexes|boolean|backend|off|||||Developer Options
jit_above_cost|real|user|100000||-1|1.79769e+308||Query Tuning / Planner Cost Constants
jit_debugging_support|boolean|superuser-backend|off|||||Developer Options
jit_dump_bitcode|boolean|superuser|off|||||Developer Options
jit_expressions|boolean|user|on|||||Developer Options
jit_inline_above_cost|real|user|500000||-1|1.79769e+308||Query Tuning / Planner Cost Constants
jit_optimize_above_cost|real|user|500000||-1|1.79769e+308||Query Tuning / Planner Cost Constants
jit_profiling_support|boolean|superuser-backend|off|||||Developer Options
jit_tuple_deforming|boolean|user|on|||||Developer Options
local_preload_libraries|string|user||||||Client Connection Defaults / Shared Library Preloading
log_connections|boolean|superuser-backend|off|||||Reporting and Logging / What to Log
log_disconnections|boolean|superuser-backend|off|||||Reporting and Logging / What to Log
log_duration|boolean|superuser|off|||||Reporting and Logging / What to Log
log_error_verbosity|enum|superuser|default||||terse,default,verbose|Reporting and Logging / What to Log
log_executor_stats|boolean|superuser|off|||||Statistics / Monitoring
log_min_duration_sample|integer|superuser|-1|ms|-1|2147483647||Reporting and Logging / When to Log
log_min_error_statement|enum|superuser|error||||debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|Reporting and Logging / When to Log
log_min_messages|enum|superuser|warning||||debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|Reporting and Logging / When to Log
log_parameter_max_length|integer|superuser|-1|B|-1|1073741823||Reporting and Logging / What to Log
log_parameter_max_length_on_error|integer|user|0|B|-1|1073741823||Reporting and Logging / What to Log
log_parser_stats|boolean|superuser|off|||||Statistics / Monitoring
log_planner_stats|boolean|superuser|off|||||Statistics / Monitoring
log_replication_commands|boolean|superuser|off|||||Reporting and Logging / What to Log
log_statement_sample_rate|real|superuser|1||0|1||Reporting and Logging / When to Log
log_statement_stats|boolean|superuser|off|||||Statistics / Monitoring
log_temp_files|integer|superuser|-1|kB|-1|2147483647||Reporting and Logging / What to Log
log_transaction_sample_rate|real|superuser|0||0|1||Reporting and Logging / When to Log
logical_decoding_work_mem|integer|user|65536|kB|64|2147483647||Resource Usage / Memory
maintenance_io_concurrency|integer|user|10||0|1000||Resource Usage / Asynchronous Behavior
max_parallel_maintenance_workers|integer|user|2||0|1024||Resource Usage / Asynchronous Behavior
min_parallel_index_scan_size|integer|user|64|8kB|0|715827882||Query Tuning / Planner Cost Constants
parallel_leader_participation|boolean|user|on|||||Resource Usage / Asynchronous Behavior
post_auth_delay|integer|backend|0|s|0|2147||Developer Options
session_preload_libraries|string|superuser||||||Client Connection Defaults / Shared Library Preloading
stats_fetch_consistency|enum|user|cache||||none,cache,snapshot|Statistics / Cumulative Query and Index Statistics
tcp_keepalives_count|integer|user|0||0|2147483647||Connections and Authentication / Connection Settings
tcp_keepalives_interval|integer|user|0|s|0|2147483647||Connections and Authentication / Connection Settings
tcp_user_timeout|integer|user|0|ms|0|2147483647||Connections and Authentication / Connection Settings
temp_file_limit|integer|superuser|-1|kB|-1|2147483647||Resource Usage / Disk
trace_notify|boolean|user|off|||||Developer Options
trace_sort|boolean|user|off|||||Developer Options
track_wal_io_timing|boolean|superuser|off|||||Statistics / Cumulative Query and Index Statistics
update_process_title|boolean|superuser|on|||||Reporting and Logging / Process Title
vacuum_cost_limit|integer|user|200||1|10000||Resource Usage / Cost-Based Vacuum Delay
vacuum_cost_page_dirty|integer|user|20||0|10000||Resource Usage / Cost-Based Vacuum Delay
vacuum_cost_page_hit|integer|user|1||0|10000||Resource Usage / Cost-Based Vacuum Delay
vacuum_cost_page_miss|integer|user|2||0|10000||Resource Usage / Cost-Based Vacuum Delay
vacuum_failsafe_age|integer|user|1600000000||0|2100000000||Client Connection Defaults / Statement Behavior
vacuum_freeze_min_age|integer|user|50000000||0|1000000000||Client Connection Defaults / Statement Behavior
vacuum_freeze_table_age|integer|user|150000000||0|2000000000||Client Connection Defaults / Statement Behavior
vacuum_multixact_failsafe_age|integer|user|1600000000||0|2100000000||Client Connection Defaults / Statement Behavior
vacuum_multixact_freeze_min_age|integer|user|5000000||0|1000000000||Client Connection Defaults / Statement Behavior
vacuum_multixact_freeze_table_age|integer|user|150000000||0|2000000000||Client Connection Defaults / Statement Behavior
wal_compression|enum|superuser|off||||pglz,lz4,zstd,on,off|Write-Ahead Log / Settings
wal_consistency_checking|string|superuser||||||Developer Options
wal_init_zero|boolean|superuser|on|||||Write-Ahead Log / Settings
wal_recycle|boolean|superuser|on|||||Write-Ahead Log / Settings
wal_sender_timeout|integer|user|60000|ms|0|2147483647||Replication / Sending Servers
wal_skip_threshold|integer|user|2048|kB|0|2147483647||Write-Ahead Log / Settings
zero_damaged_pages|boolean|superuser|off|||||Developer Options
`;

export const INERT_SETTINGS: readonly SettingDefinition[] = ROWS.trim()
  .split('\n')
  .map((row) => {
    const [name, type, context, bootValue, unit, minimum, maximum, values, category] = row.split('|');
    return {
      name,
      type: type as SettingDefinition['type'],
      context: context as SettingContext,
      bootValue,
      category,
      ...(unit === '' ? {} : { unit }),
      ...(minimum === '' ? {} : { minimum: Number(minimum), maximum: Number(maximum) }),
      ...(values === '' ? {} : { values: values.split(',') }),
    };
  });
