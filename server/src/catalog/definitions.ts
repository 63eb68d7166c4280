/**
 * The catalogs as tables of rows: what identifies a row, which look-ups are kept, and where PostgreSQL's own rows live.
 *
 * - *static* catalogs keep PostgreSQL's rows outside the table, straight from the data files; a row in the table with the same
 *   key replaces the static one. They are the large ones that hardly ever change (3,200 functions).
 * - *seeded* catalogs get PostgreSQL's rows inserted when a directory is initialised, because users alter and drop them.
 */
import type { Oid } from '../base/brands.ts';
import type { Datum } from '../types/datum.ts';
import {
  PG_AMOP,
  PG_AMPROC,
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_AUTH_MEMBERS,
  PG_AUTHID,
  PG_CAST,
  PG_CLASS,
  PG_COLLATION,
  PG_CONSTRAINT,
  PG_DATABASE,
  PG_DEPEND,
  PG_DESCRIPTION,
  PG_ENUM,
  PG_INDEX,
  PG_INHERITS,
  PG_LARGEOBJECT,
  PG_NAMESPACE,
  PG_OPCLASS,
  PG_OPERATOR,
  PG_POLICY,
  PG_PROC,
  PG_PUBLICATION_NAMESPACE,
  PG_PUBLICATION_REL,
  PG_RANGE,
  PG_REWRITE,
  PG_SHDEPEND,
  PG_STATISTIC_EXT,
  PG_TRIGGER,
  PG_TYPE,
} from './data/columns.ts';

import { CATALOG_DATA, type CatalogName } from './data/index.ts';
import type { CatalogRow } from './static-rows.ts';

/** Key of a row or of an entry of a look-up. */
export type CatalogKey = number | string;

export interface CatalogDefinition {
  readonly name: CatalogName;
  readonly oid: Oid;
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly seeded: boolean;
  key(row: CatalogRow): CatalogKey;
  /** Secondary look-ups; null = the row is not in that look-up. */
  readonly lookups: Readonly<Record<string, (row: CatalogRow) => CatalogKey | null>>;
}

/** Key of a pair of oids, or of an oid and a small number, or of an oid and a name. */
export function pairKey(first: Datum, second: Datum): string {
  return `${first as number}.${second as number | string}`;
}

const SEEDED: ReadonlySet<CatalogName> = new Set([
  'pg_namespace',
  'pg_authid',
  'pg_auth_members',
  'pg_database',
  'pg_tablespace',
  'pg_extension',
  'pg_default_acl',
  'pg_db_role_setting',
]);

type Lookups = CatalogDefinition['lookups'];
const number = (row: CatalogRow, column: number): number => row[column] as number;

const LOOKUPS: Partial<Record<CatalogName, Lookups>> = {
  pg_namespace: { name: (row) => row[PG_NAMESPACE.nspname] as string },
  pg_authid: { name: (row) => row[PG_AUTHID.rolname] as string },
  pg_database: { name: (row) => row[PG_DATABASE.datname] as string },
  pg_auth_members: {
    member: (row) => number(row, PG_AUTH_MEMBERS.member),
    role: (row) => number(row, PG_AUTH_MEMBERS.roleid),
  },
  pg_class: {
    name: (row) => pairKey(row[PG_CLASS.relnamespace], row[PG_CLASS.relname]),
    namespace: (row) => number(row, PG_CLASS.relnamespace),
  },
  pg_attribute: { relation: (row) => number(row, PG_ATTRIBUTE.attrelid) },
  pg_attrdef: { relation: (row) => number(row, PG_ATTRDEF.adrelid) },
  pg_constraint: {
    relation: (row) => number(row, PG_CONSTRAINT.conrelid) || null,
    referenced: (row) => number(row, PG_CONSTRAINT.confrelid) || null,
    index: (row) => number(row, PG_CONSTRAINT.conindid) || null,
    type: (row) => number(row, PG_CONSTRAINT.contypid) || null,
    name: (row) => pairKey(row[PG_CONSTRAINT.connamespace], row[PG_CONSTRAINT.conname]),
  },
  pg_largeobject: { object: (row) => number(row, PG_LARGEOBJECT.loid) },
  pg_index: { table: (row) => number(row, PG_INDEX.indrelid) },
  pg_type: {
    name: (row) => pairKey(row[PG_TYPE.typnamespace], row[PG_TYPE.typname]),
    namespace: (row) => number(row, PG_TYPE.typnamespace),
  },
  pg_proc: {
    name: (row) => row[PG_PROC.proname] as string,
    namespace: (row) => number(row, PG_PROC.pronamespace),
  },
  pg_operator: { name: (row) => row[PG_OPERATOR.oprname] as string },
  pg_cast: {
    pair: (row) => pairKey(row[PG_CAST.castsource], row[PG_CAST.casttarget]),
    source: (row) => number(row, PG_CAST.castsource),
  },
  pg_collation: { name: (row) => row[PG_COLLATION.collname] as string },
  pg_amop: {
    operator: (row) => number(row, PG_AMOP.amopopr),
    family: (row) => number(row, PG_AMOP.amopfamily),
  },
  pg_amproc: { family: (row) => number(row, PG_AMPROC.amprocfamily) },
  pg_opclass: {
    input: (row) => number(row, PG_OPCLASS.opcintype),
    name: (row) => row[PG_OPCLASS.opcname] as string,
  },
  pg_enum: { type: (row) => number(row, PG_ENUM.enumtypid) },
  pg_range: { multirange: (row) => number(row, PG_RANGE.rngmultitypid) },
  pg_depend: {
    dependent: (row) => pairKey(row[PG_DEPEND.classid], row[PG_DEPEND.objid]),
    referenced: (row) => pairKey(row[PG_DEPEND.refclassid], row[PG_DEPEND.refobjid]),
  },
  pg_shdepend: {
    dependent: (row) => pairKey(row[PG_SHDEPEND.classid], row[PG_SHDEPEND.objid]),
    referenced: (row) => pairKey(row[PG_SHDEPEND.refclassid], row[PG_SHDEPEND.refobjid]),
  },
  pg_description: { object: (row) => pairKey(row[PG_DESCRIPTION.classoid], row[PG_DESCRIPTION.objoid]) },
  pg_rewrite: { relation: (row) => number(row, PG_REWRITE.ev_class) },
  pg_trigger: { relation: (row) => number(row, PG_TRIGGER.tgrelid) },
  pg_policy: { relation: (row) => number(row, PG_POLICY.polrelid) },
  pg_statistic_ext: { relation: (row) => number(row, PG_STATISTIC_EXT.stxrelid) },
  pg_publication_rel: {
    publication: (row) => number(row, PG_PUBLICATION_REL.prpubid),
    relation: (row) => number(row, PG_PUBLICATION_REL.prrelid),
  },
  pg_publication_namespace: { publication: (row) => number(row, PG_PUBLICATION_NAMESPACE.pnpubid) },
  pg_inherits: {
    child: (row) => number(row, PG_INHERITS.inhrelid),
    parent: (row) => number(row, PG_INHERITS.inhparent),
  },
};

/** Key columns of the catalogs whose rows have no oid; the others are keyed by it. */
const KEY_COLUMNS: Partial<Record<CatalogName, readonly string[]>> = {
  pg_aggregate: ['aggfnoid'],
  pg_auth_members: ['roleid', 'member'],
  pg_db_role_setting: ['setdatabase', 'setrole'],
  pg_description: ['objoid', 'classoid', 'objsubid'],
  pg_foreign_table: ['ftrelid'],
  pg_index: ['indexrelid'],
  pg_inherits: ['inhrelid', 'inhseqno'],
  pg_largeobject: ['loid', 'pageno'],
  pg_init_privs: ['objoid', 'classoid', 'objsubid'],
  pg_partitioned_table: ['partrelid'],
  pg_range: ['rngtypid'],
  pg_replication_origin: ['roident'],
  pg_sequence: ['seqrelid'],
  pg_shdescription: ['objoid', 'classoid'],
  pg_statistic: ['starelid', 'staattnum', 'stainherit'],
  pg_ts_config_map: ['mapcfg', 'maptokentype', 'mapseqno'],
};

function keyFunction(
  name: CatalogName,
  columns: readonly (readonly [string, string])[],
): CatalogDefinition['key'] {
  // attnum is at most 1600, so the pair fits one number below 2^53.
  if (name === 'pg_attribute')
    return (row) => (row[PG_ATTRIBUTE.attrelid] as number) * 4096 + (row[PG_ATTRIBUTE.attnum] as number);
  if (columns[0]![0] === 'oid') return (row) => row[0] as number;
  const names = KEY_COLUMNS[name];
  const positions = columns.flatMap(([column], index) => ((names?.includes(column) ?? true) ? [index] : []));
  if (positions.length === 1) {
    const position = positions[0]!;
    return (row) => row[position] as number;
  }
  return (row) => positions.map((position) => String(row[position])).join('.');
}

/** All catalogs by name. */
export const CATALOGS: ReadonlyMap<CatalogName, CatalogDefinition> = new Map(
  (Object.keys(CATALOG_DATA) as CatalogName[]).map((name) => [
    name,
    {
      name,
      oid: CATALOG_DATA[name].oid,
      columns: CATALOG_DATA[name].columns,
      seeded: SEEDED.has(name),
      key: keyFunction(name, CATALOG_DATA[name].columns),
      lookups: LOOKUPS[name] ?? {},
    },
  ]),
);

/** All catalogs by oid. */
export const CATALOGS_BY_OID: ReadonlyMap<Oid, CatalogDefinition> = new Map(
  [...CATALOGS.values()].map((definition) => [definition.oid, definition]),
);

/** Oid of a catalog table: what pg_depend calls classid. */
export const CLASS_OID = {
  relation: 1259,
  type: 1247,
  procedure: 1255,
  constraint: 2606,
  attributeDefault: 2604,
  rewrite: 2618,
  trigger: 2620,
  namespace: 2615,
  role: 1260,
  database: 1262,
  tablespace: 1213,
  operator: 2617,
  operatorClass: 2616,
  operatorFamily: 2753,
  collation: 3456,
  language: 2612,
  extension: 3079,
  cast: 2605,
  conversion: 2607,
  accessMethod: 2601,
  accessMethodOperator: 2602,
  accessMethodProcedure: 2603,
  transform: 3576,
  statistics: 3381,
  policy: 3256,
  publication: 6104,
  publicationRelation: 6106,
  publicationNamespace: 6237,
  subscription: 6100,
  eventTrigger: 3466,
  defaultAcl: 826,
  largeObject: 2613,
  parameterAcl: 6243,
  foreignDataWrapper: 2328,
  foreignServer: 1417,
  userMapping: 1418,
  textSearchConfiguration: 3602,
  textSearchDictionary: 3600,
  textSearchParser: 3601,
  textSearchTemplate: 3764,
} as const;

/** Objects of the whole server, not of one database. */
export function isSharedClass(classId: Oid): boolean {
  return classId === CLASS_OID.role || classId === CLASS_OID.database || classId === CLASS_OID.tablespace;
}

const FIRST_USER_OID = 16384;

/** Whether a relation described with columns of a table has one: the fact tables of information_schema (sql_features …) have none. */
export function hasStorage(relation: { readonly oid: Oid; readonly table: object | null }): boolean {
  return relation.table !== null && (relation.oid >= FIRST_USER_OID || CATALOGS_BY_OID.has(relation.oid));
}
