/**
 * Functions and views of our own in pg_catalog, beside PostgreSQL's: statement statistics, metrics, advice, what the console keeps.
 *
 * Facts only; `monitor/` answers them. Their oids lie between 9000 and 9999, which PostgreSQL leaves to development.
 */
import type { CatalogName } from './data/index.ts';

const TYPES = {
  bool: 16,
  name: 19,
  int8: 20,
  int4: 23,
  text: 25,
  oid: 26,
  float8: 701,
  'text[]': 1009,
  'float8[]': 1022,
  timestamptz: 1184,
  numeric: 1700,
  record: 2249,
  void: 2278,
} as const;
type TypeName = keyof typeof TYPES;
type Columns = readonly (readonly [name: string, type: TypeName])[];

interface OwnFunction {
  readonly oid: number;
  readonly name: string;
  readonly arguments: Columns;
  /** A type, or the columns of the rows it returns. */
  readonly result: TypeName | Columns;
  readonly isStrict?: boolean;
  /** Only superusers and whom they grant it. */
  readonly isRestricted?: boolean;
}

function columns(text: string): Columns {
  return text.split(' ').map((item) => item.split(':') as [string, TypeName]);
}

/** pg_stat_statements as its version 1.10 has it, then our own. */
const STATEMENT_COLUMNS = columns(
  'userid:oid dbid:oid toplevel:bool queryid:int8 query:text plans:int8 total_plan_time:float8 min_plan_time:float8 ' +
    'max_plan_time:float8 mean_plan_time:float8 stddev_plan_time:float8 calls:int8 total_exec_time:float8 min_exec_time:float8 ' +
    'max_exec_time:float8 mean_exec_time:float8 stddev_exec_time:float8 rows:int8 shared_blks_hit:int8 shared_blks_read:int8 ' +
    'shared_blks_dirtied:int8 shared_blks_written:int8 local_blks_hit:int8 local_blks_read:int8 local_blks_dirtied:int8 ' +
    'local_blks_written:int8 temp_blks_read:int8 temp_blks_written:int8 blk_read_time:float8 blk_write_time:float8 ' +
    'temp_blk_read_time:float8 temp_blk_write_time:float8 wal_records:int8 wal_fpi:int8 wal_bytes:numeric jit_functions:int8 ' +
    'jit_generation_time:float8 jit_inlining_count:int8 jit_inlining_time:float8 jit_optimization_count:int8 ' +
    'jit_optimization_time:float8 jit_emission_count:int8 jit_emission_time:float8 ' +
    'p50_exec_time:float8 p95_exec_time:float8 p99_exec_time:float8 planid:int8',
);
const STATEMENT_INFO_COLUMNS = columns('dealloc:int8 stats_reset:timestamptz');

export const OWN_FUNCTIONS: readonly OwnFunction[] = [
  {
    oid: 9101,
    name: 'pg_stat_statements',
    arguments: columns('showtext:bool'),
    result: STATEMENT_COLUMNS,
  },
  { oid: 9102, name: 'pg_stat_statements_info', arguments: [], result: STATEMENT_INFO_COLUMNS },
  {
    oid: 9103,
    name: 'pg_stat_statements_reset',
    arguments: [],
    result: 'void',
    isRestricted: true,
  },
  {
    oid: 9104,
    name: 'fastpostgres_statement_histogram',
    arguments: columns('queryid:int8'),
    result: columns('up_to_ms:float8 calls:int8'),
  },
  {
    oid: 9105,
    name: 'fastpostgres_statement_plans',
    arguments: columns('queryid:int8'),
    result: columns(
      'planid:int8 first_seen:timestamptz last_seen:timestamptz calls:int8 mean_exec_time:float8 plan:text',
    ),
  },
  {
    oid: 9106,
    name: 'fastpostgres_slow_statements',
    arguments: [],
    result: columns(
      'at:timestamptz pid:int4 username:text duration_ms:float8 query:text queryid:int8 rows:int8 plan:text',
    ),
  },
  {
    oid: 9110,
    name: 'fastpostgres_metrics_now',
    arguments: [],
    result: columns('name:text value:float8'),
  },
  {
    oid: 9111,
    name: 'fastpostgres_metric_catalog',
    arguments: [],
    result: columns('name:text help:text unit:text kind:text category:text'),
  },
  {
    oid: 9112,
    name: 'fastpostgres_metric_history',
    arguments: columns('names:text from_time:timestamptz to_time:timestamptz points:int4'),
    result: columns('step_ms:int8 at:timestamptz values:float8[] names:text[]'),
  },
  {
    oid: 9113,
    name: 'fastpostgres_wait_samples',
    arguments: columns('minutes:int4'),
    result: columns('wait_event_type:text wait_event:text samples:int8 total:int8'),
  },
  {
    oid: 9114,
    name: 'fastpostgres_progress',
    arguments: [],
    result: columns(
      'pid:int4 command:text phase:text relid:oid done:float8 total:float8 started:timestamptz',
    ),
  },
  {
    oid: 9115,
    name: 'fastpostgres_storage',
    arguments: [],
    result: columns(
      'wal_bytes:float8 disk_total:float8 disk_free:float8 growth_per_day:float8 full_at:timestamptz',
    ),
  },
  {
    oid: 9116,
    name: 'fastpostgres_table_storage',
    arguments: columns('relation:oid'),
    result: columns(
      'column_name:text segments:int8 rows:int8 sealed_rows:int8 delta_rows:int8 compressed_bytes:int8 plain_bytes:int8 encodings:text zone_map_quality:float8',
    ),
  },
  { oid: 9117, name: 'fastpostgres_catalog_version', arguments: [], result: 'int8' },
  {
    oid: 9120,
    name: 'fastpostgres_library_list',
    arguments: columns('kind:text search:text before:int8 maximum:int4'),
    result: columns('id:int8 at:timestamptz owner:text value:text'),
    isStrict: false,
  },
  {
    oid: 9121,
    name: 'fastpostgres_library_put',
    arguments: columns('kind:text id:int8 value:text'),
    result: 'int8',
    isStrict: false,
  },
  {
    oid: 9122,
    name: 'fastpostgres_library_delete',
    arguments: columns('kind:text id:int8'),
    result: 'int8',
    isStrict: false,
  },
  {
    oid: 9123,
    name: 'fastpostgres_alert_states',
    arguments: [],
    result: columns('id:int8 state:text since:timestamptz value:float8'),
  },
  { oid: 9130, name: 'fastpostgres_advise', arguments: columns('request:text'), result: 'text' },
  { oid: 9131, name: 'fastpostgres_what_if', arguments: columns('request:text'), result: 'text' },
  { oid: 9132, name: 'fastpostgres_advice_verify', arguments: columns('request:text'), result: 'text' },
  {
    oid: 9133,
    name: 'hypopg_create_index',
    arguments: columns('sql_order:text'),
    result: columns('indexrelid:oid indexname:text'),
  },
  { oid: 9134, name: 'hypopg_drop_index', arguments: columns('indexid:oid'), result: 'bool' },
  { oid: 9135, name: 'hypopg_reset', arguments: [], result: 'void' },
  {
    oid: 9136,
    name: 'hypopg_list_indexes',
    arguments: [],
    result: columns(
      'indexrelid:oid index_name:text schema_name:text table_name:text definition:text size:int8',
    ),
  },
];

interface OwnView {
  readonly oid: number;
  readonly name: string;
  readonly columns: Columns;
}

/** Each selects everything of the function of its name. */
export const OWN_VIEWS: readonly OwnView[] = [
  { oid: 9501, name: 'pg_stat_statements', columns: STATEMENT_COLUMNS },
  { oid: 9504, name: 'pg_stat_statements_info', columns: STATEMENT_INFO_COLUMNS },
];

const PG_CATALOG = 11;
const INTERNAL_LANGUAGE = 12;
const OWNER = 10;

function functionRow(own: OwnFunction): string {
  const isSet = typeof own.result !== 'string';
  const results = typeof own.result === 'string' ? [] : own.result;
  const inputs = own.arguments.map(([, type]) => TYPES[type]);
  const all = [...own.arguments, ...results];
  const array = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;
  const names = all.length === 0 ? '\\N' : array(all.map(([name]) => name));
  return [
    own.oid,
    own.name,
    PG_CATALOG,
    INTERNAL_LANGUAGE,
    1,
    isSet ? 100 : 0,
    0,
    0,
    'f',
    'f',
    own.isStrict === false ? 'f' : 't',
    isSet ? 't' : 'f',
    'v',
    'r',
    inputs.length,
    0,
    typeof own.result === 'string' ? TYPES[own.result] : TYPES.record,
    inputs.join(' '),
    isSet ? array(all.map(([, type]) => TYPES[type])) : '\\N',
    isSet ? array([...own.arguments.map(() => 'i'), ...results.map(() => 'o')]) : '\\N',
    names,
    '\\N',
    own.name,
    own.isRestricted === true ? `{${OWNER}=X/${OWNER}}` : '\\N',
  ].join('\t');
}

/** length, by value, alignment, storage, collation of a column of the type. */
const LAYOUT: Readonly<Record<TypeName, string>> = {
  bool: '1\tt\tc\tp\t0',
  name: '64\tf\tc\tp\t950',
  int8: '8\tt\td\tp\t0',
  int4: '4\tt\ti\tp\t0',
  text: '-1\tf\ti\tx\t100',
  oid: '4\tt\ti\tp\t0',
  float8: '8\tt\td\tp\t0',
  'text[]': '-1\tf\ti\tx\t100',
  'float8[]': '-1\tf\td\tx\t0',
  timestamptz: '8\tt\td\tp\t0',
  numeric: '-1\tf\ti\tm\t0',
  record: '-1\tf\td\tx\t0',
  void: '4\tt\ti\tp\t0',
};

function attributeRows(view: OwnView): string[] {
  return view.columns.map(([name, type], index) => {
    const [length, byValue, alignment, storage, collation] = LAYOUT[type].split('\t');
    const dimensions = type.endsWith('[]') ? 1 : 0;
    return [
      view.oid,
      name,
      TYPES[type],
      length,
      index + 1,
      dimensions,
      byValue,
      alignment,
      storage,
      'f',
      collation,
      '\\N',
    ].join('\t');
  });
}

/** Row type and array type of a view stand behind it in the numbering. */
function typeRows(view: OwnView): string[] {
  return [
    `${view.oid + 1}\t_${view.name}\t11\t-1\tf\tb\tA\tf\t,\t0\t6179\t${view.oid + 2}\t0\t750\t751\t2400\t2401\t0\t0\t3816\td\tx\t0\t-1\t0\t\\N`,
    `${view.oid + 2}\t${view.name}\t11\t-1\tf\tc\tC\tf\t,\t${view.oid}\t0\t0\t${view.oid + 1}\t2290\t2291\t2402\t2403\t0\t0\t0\td\tx\t0\t-1\t0\t\\N`,
  ];
}

/** Everybody may read our views. */
const VIEW_RIGHTS = '{10=arwdDxt/10,=r/10}';

function classRow(view: OwnView): string {
  return `${view.oid}\t${view.name}\t11\t${view.oid + 2}\t0\t0\t0\t0\tf\tf\tv\t${view.columns.length}\tt\tn\t${VIEW_RIGHTS}\t\\N`;
}

/** Rows beside PostgreSQL's own, in the form of the data files. */
export function ownRows(catalog: CatalogName): readonly string[] {
  switch (catalog) {
    case 'pg_proc':
      return OWN_FUNCTIONS.map(functionRow);
    case 'pg_init_privs':
      // What was granted or restricted from the start is not a change that dumps carry.
      return [
        ...OWN_FUNCTIONS.filter(({ isRestricted }) => isRestricted === true).map(
          ({ oid }) => `${oid}\t1255\t0\t{${OWNER}=X/${OWNER}}`,
        ),
        ...OWN_VIEWS.map(({ oid }) => `${oid}\t1259\t0\t${VIEW_RIGHTS}`),
      ];
    case 'pg_class':
      return OWN_VIEWS.map(classRow);
    case 'pg_attribute':
      return OWN_VIEWS.flatMap(attributeRows);
    case 'pg_type':
      return OWN_VIEWS.flatMap(typeRows);
    default:
      return [];
  }
}
