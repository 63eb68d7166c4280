/** information_schema, over the catalogs. */
import { type ViewSpecification, view } from './view.ts';

const DATABASE = 'current_database()';
const TABLE_PRIVILEGES = `'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'`;
const COLUMN_PRIVILEGES = `'SELECT, INSERT, UPDATE, REFERENCES'`;

/** The role may see the relation: it owns it, or holds something on it or on a column. */
function maySee(relation: string): string {
  return `(pg_has_role(${relation}.relowner, 'USAGE') OR has_table_privilege(${relation}.oid, ${TABLE_PRIVILEGES}) OR has_any_column_privilege(${relation}.oid, ${COLUMN_PRIVILEGES}))`;
}

function mayAlter(relation: string): string {
  return `(pg_has_role(${relation}.relowner, 'USAGE') OR has_table_privilege(${relation}.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege(${relation}.oid, 'INSERT, UPDATE, REFERENCES'))`;
}

const NOT_OTHER_TEMPORARY = 'NOT pg_is_other_temp_schema(n.oid)';

function yesNo(condition: string): string {
  return `CASE WHEN ${condition} THEN 'YES' ELSE 'NO' END`;
}

/** Facts about a type: `type` and `modifier` are expressions for the base type's oid and modifier. */
function typeFacts(type: string, modifier: string): Record<string, string> {
  return {
    character_maximum_length: `CASE WHEN ${modifier} = -1 THEN NULL WHEN ${type} IN (1042, 1043) THEN ${modifier} - 4 WHEN ${type} IN (1560, 1562) THEN ${modifier} END`,
    character_octet_length: `CASE WHEN ${type} IN (25, 1042, 1043) THEN CASE WHEN ${modifier} = -1 THEN 1073741824 ELSE (${modifier} - 4) * 4 END END`,
    numeric_precision: `CASE ${type} WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 1700 THEN CASE WHEN ${modifier} = -1 THEN NULL ELSE ((${modifier} - 4) >> 16) & 65535 END WHEN 700 THEN 24 WHEN 701 THEN 53 END`,
    numeric_precision_radix: `CASE WHEN ${type} IN (21, 23, 20, 700, 701) THEN 2 WHEN ${type} = 1700 THEN 10 END`,
    numeric_scale: `CASE WHEN ${type} IN (21, 23, 20) THEN 0 WHEN ${type} = 1700 THEN CASE WHEN ${modifier} = -1 THEN NULL ELSE (${modifier} - 4) & 65535 END END`,
    datetime_precision: `CASE WHEN ${type} = 1082 THEN 0 WHEN ${type} IN (1083, 1114, 1184, 1266) THEN CASE WHEN ${modifier} < 0 THEN 6 ELSE ${modifier} END WHEN ${type} = 1186 THEN CASE WHEN ${modifier} < 0 OR (${modifier} & 65535) = 65535 THEN 6 ELSE ${modifier} & 65535 END END`,
    interval_type: `CASE WHEN ${type} = 1186 AND ${modifier} >= 0 AND format_type(${type}, ${modifier}) ~ '[a-z] [a-z]' THEN upper(substring(format_type(${type}, ${modifier}) from 'interval ([a-z ]*)')) END`,
  };
}

/** data_type of the standard: ARRAY and USER-DEFINED instead of names. */
function dataType(type: string, namespace: string, oid: string): string {
  return `CASE WHEN ${type}.typelem <> 0 AND ${type}.typlen = -1 THEN 'ARRAY' WHEN ${namespace}.nspname = 'pg_catalog' THEN format_type(${oid}, NULL) ELSE 'USER-DEFINED' END`;
}

const TRUE_TYPE = `CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END`;
const TRUE_MODIFIER = `CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END`;

const COLLATION_JOIN = 'LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace)';
const COLLATION_COLUMNS: Record<string, string> = {
  collation_catalog: `CASE WHEN nco.nspname IS NOT NULL THEN ${DATABASE} END`,
  collation_schema: 'nco.nspname',
  collation_name: 'co.collname',
};
const COLLATION_CONDITION = `(nco.nspname <> 'pg_catalog' OR co.collname <> 'default')`;

const COLUMNS_FROM =
  `pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum ` +
  `JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
  `JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace ` +
  `LEFT JOIN pg_type bt ON t.typtype = 'd' AND bt.oid = t.typbasetype LEFT JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace ` +
  `${COLLATION_JOIN} ON co.oid = a.attcollation AND ${COLLATION_CONDITION} ` +
  `LEFT JOIN pg_depend dep ON dep.refclassid = 1259 AND dep.refobjid = a.attrelid AND dep.refobjsubid = a.attnum AND dep.classid = 1259 AND dep.deptype = 'i' ` +
  `LEFT JOIN pg_sequence seq ON seq.seqrelid = dep.objid`;

const COLUMNS = view(
  `${COLUMNS_FROM} WHERE ${NOT_OTHER_TEMPORARY} AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p') ` +
    `AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, ${COLUMN_PRIVILEGES}))`,
  {
    table_catalog: DATABASE,
    table_schema: 'n.nspname',
    table_name: 'c.relname',
    column_name: 'a.attname',
    ordinal_position: 'a.attnum',
    column_default: `CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END`,
    is_nullable: `CASE WHEN a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) THEN 'NO' ELSE 'YES' END`,
    data_type: `CASE WHEN t.typtype = 'd' THEN ${dataType('bt', 'nbt', 't.typbasetype')} ELSE ${dataType('t', 'nt', 'a.atttypid')} END`,
    ...typeFacts(`(${TRUE_TYPE})`, `(${TRUE_MODIFIER})`),
    ...COLLATION_COLUMNS,
    domain_catalog: `CASE WHEN t.typtype = 'd' THEN ${DATABASE} END`,
    domain_schema: `CASE WHEN t.typtype = 'd' THEN nt.nspname END`,
    domain_name: `CASE WHEN t.typtype = 'd' THEN t.typname END`,
    udt_catalog: DATABASE,
    udt_schema: 'coalesce(nbt.nspname, nt.nspname)',
    udt_name: 'coalesce(bt.typname, t.typname)',
    dtd_identifier: 'a.attnum',
    is_self_referencing: `'NO'`,
    is_identity: yesNo(`a.attidentity IN ('a', 'd')`),
    identity_generation: `CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END`,
    identity_start: 'seq.seqstart',
    identity_increment: 'seq.seqincrement',
    identity_maximum: 'seq.seqmax',
    identity_minimum: 'seq.seqmin',
    identity_cycle: yesNo('seq.seqcycle'),
    is_generated: `CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END`,
    generation_expression: `CASE WHEN a.attgenerated <> '' THEN pg_get_expr(ad.adbin, ad.adrelid) END`,
    is_updatable: yesNo(
      `c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_column_is_updatable(c.oid, a.attnum, false))`,
    ),
  },
);

const CONSTRAINT_TYPES = `CASE k.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END`;

/** Privileges granted on a relation, one row a grant; the owner's implicit ones where the list is NULL. */
const TABLE_GRANTS =
  `(SELECT r.oid, r.relname, r.relnamespace, r.relkind, r.relowner, (aclexplode(coalesce(r.relacl, acldefault('r', r.relowner)))).* FROM pg_class r) c ` +
  `JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_authid g ON g.oid = c.grantor ` +
  `JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') e ON e.oid = c.grantee ` +
  `WHERE c.relkind IN ('r', 'v', 'f', 'p') AND c.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')`;

const GRANT_COLUMNS: Record<string, string> = {
  grantor: 'g.rolname',
  grantee: 'e.rolname',
  privilege_type: 'c.privilege_type',
  is_grantable: yesNo(`pg_has_role(e.oid, c.relowner, 'USAGE') OR c.is_grantable`).replace(
    `pg_has_role(e.oid, c.relowner, 'USAGE')`,
    `(e.oid <> 0 AND pg_has_role(e.oid, c.relowner, 'USAGE'))`,
  ),
};

const TABLE_GRANT_COLUMNS: Record<string, string> = {
  ...GRANT_COLUMNS,
  table_catalog: DATABASE,
  table_schema: 'n.nspname',
  table_name: 'c.relname',
  with_hierarchy: yesNo(`c.privilege_type = 'SELECT'`),
};

const COLUMN_GRANTS =
  `(SELECT r.relname, r.relnamespace, r.relowner, a.attname, x.grantor, x.grantee, x.privilege_type, x.is_grantable ` +
  `FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid CROSS JOIN LATERAL aclexplode(coalesce(r.relacl, acldefault('r', r.relowner))) x ` +
  `WHERE r.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped ` +
  `UNION SELECT r.relname, r.relnamespace, r.relowner, a.attname, x.grantor, x.grantee, x.privilege_type, x.is_grantable ` +
  `FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid CROSS JOIN LATERAL aclexplode(a.attacl) x ` +
  `WHERE r.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL) c ` +
  `JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_authid g ON g.oid = c.grantor ` +
  `JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') e ON e.oid = c.grantee ` +
  `WHERE c.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')`;

const COLUMN_GRANT_COLUMNS: Record<string, string> = {
  ...GRANT_COLUMNS,
  table_catalog: DATABASE,
  table_schema: 'n.nspname',
  table_name: 'c.relname',
  column_name: 'c.attname',
};

const GRANT_SEEN = `(pg_has_role(g.oid, 'USAGE') OR (e.oid <> 0 AND pg_has_role(e.oid, 'USAGE')) OR e.rolname = 'PUBLIC')`;
const GRANT_OWN = `(pg_has_role(g.oid, 'USAGE') OR (e.oid <> 0 AND pg_has_role(e.oid, 'USAGE')))`;

const ROUTINES_FROM =
  `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang ` +
  `LEFT JOIN (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = p.prorettype AND p.prokind <> 'p'`;
const ROUTINE_SEEN = `(pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE'))`;
const ROUTINE_NAMES: Record<string, string> = {
  specific_catalog: DATABASE,
  specific_schema: 'n.nspname',
  specific_name: `p.proname || '_' || p.oid::text`,
  routine_catalog: DATABASE,
  routine_schema: 'n.nspname',
  routine_name: 'p.proname',
};

/** An INSTEAD OF trigger for the event of this bit of tgtype. */
function insteadTrigger(event: number): string {
  return `EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & ${64 + event} = ${64 + event})`;
}

/** Tables and columns that a view's rule mentions. */
const VIEW_USAGE =
  `pg_class v JOIN pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_rewrite r ON r.ev_class = v.oid ` +
  `JOIN pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjid <> v.oid ` +
  `JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace nt ON nt.oid = t.relnamespace`;

export const INFORMATION_SCHEMA: Readonly<Record<string, ViewSpecification>> = {
  information_schema_catalog_name: view('', { catalog_name: DATABASE }),
  schemata: view(
    `pg_namespace n JOIN pg_authid u ON u.oid = n.nspowner WHERE (pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE'))`,
    { catalog_name: DATABASE, schema_name: 'n.nspname', schema_owner: 'u.rolname' },
  ),
  tables: view(
    `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = c.reloftype ` +
      `WHERE c.relkind IN ('r', 'v', 'f', 'p') AND ${NOT_OTHER_TEMPORARY} AND ${maySee('c')}`,
    {
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      table_type: `CASE WHEN n.oid = pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE' WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN' END`,
      user_defined_type_catalog: `CASE WHEN t.typname IS NOT NULL THEN ${DATABASE} END`,
      user_defined_type_schema: 'nt.nspname',
      user_defined_type_name: 't.typname',
      is_insertable_into: yesNo(
        `c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND (pg_relation_is_updatable(c.oid, false) & 8) = 8)`,
      ),
      is_typed: yesNo('t.typname IS NOT NULL'),
    },
  ),
  columns: COLUMNS,
  views: view(
    `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND ${NOT_OTHER_TEMPORARY} AND ${maySee('c')}`,
    {
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      view_definition: `CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_get_viewdef(c.oid) END`,
      check_option: `CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END`,
      is_updatable: yesNo('(pg_relation_is_updatable(c.oid, false) & 20) = 20'),
      is_insertable_into: yesNo('(pg_relation_is_updatable(c.oid, false) & 8) = 8'),
      is_trigger_updatable: yesNo(insteadTrigger(16)),
      is_trigger_deletable: yesNo(insteadTrigger(8)),
      is_trigger_insertable_into: yesNo(insteadTrigger(4)),
    },
  ),
  sequences: view(
    `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid ` +
      `WHERE c.relkind = 'S' AND ${NOT_OTHER_TEMPORARY} ` +
      `AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i') ` +
      `AND (pg_has_role(c.relowner, 'USAGE') OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))`,
    {
      sequence_catalog: DATABASE,
      sequence_schema: 'n.nspname',
      sequence_name: 'c.relname',
      data_type: 'format_type(s.seqtypid, NULL)',
      numeric_precision: 'CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 ELSE 64 END',
      numeric_precision_radix: '2',
      numeric_scale: '0',
      start_value: 's.seqstart',
      minimum_value: 's.seqmin',
      maximum_value: 's.seqmax',
      increment: 's.seqincrement',
      cycle_option: yesNo('s.seqcycle'),
    },
  ),
  table_constraints: view(
    `(SELECT k.conname AS name, k.contype, k.condeferrable, k.condeferred, k.conrelid, k.connamespace, x.indnullsnotdistinct ` +
      `FROM pg_constraint k LEFT JOIN pg_index x ON x.indexrelid = k.conindid WHERE k.contype NOT IN ('t', 'x') ` +
      `UNION ALL SELECT (n2.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name, 'c', false, false, r.oid, r.relnamespace, NULL ` +
      `FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n2 ON n2.oid = r.relnamespace ` +
      `WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p')) k ` +
      `JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace nc ON nc.oid = k.connamespace ` +
      `WHERE c.relkind IN ('r', 'p') AND ${NOT_OTHER_TEMPORARY} AND ${mayAlter('c')}`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'nc.nspname',
      constraint_name: 'k.name',
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      constraint_type: CONSTRAINT_TYPES,
      is_deferrable: yesNo('k.condeferrable'),
      initially_deferred: yesNo('k.condeferred'),
      enforced: `'YES'`,
      nulls_distinct: `CASE WHEN k.contype = 'u' THEN CASE WHEN k.indnullsnotdistinct THEN 'NO' ELSE 'YES' END END`,
    },
  ),
  key_column_usage: view(
    `(SELECT k.*, generate_subscripts(k.conkey, 1) AS position FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'f')) k ` +
      `JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace nc ON nc.oid = k.connamespace ` +
      `JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[k.position] ` +
      `WHERE c.relkind IN ('r', 'p') AND ${NOT_OTHER_TEMPORARY} AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, ${COLUMN_PRIVILEGES}))`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'nc.nspname',
      constraint_name: 'k.conname',
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      column_name: 'a.attname',
      ordinal_position: 'k.position',
      position_in_unique_constraint: `CASE WHEN k.contype = 'f' THEN (SELECT s.place + 1 FROM (SELECT x.indkey, generate_subscripts(x.indkey, 1) AS place FROM pg_index x WHERE x.indexrelid = k.conindid) s WHERE s.indkey[s.place] = k.confkey[k.position] LIMIT 1) END`,
    },
  ),
  constraint_column_usage: view(
    `(SELECT r.oid, r.relname, r.relnamespace, r.relowner, a.attname, k.conname, k.connamespace ` +
      `FROM pg_constraint k JOIN pg_class r ON r.oid = CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END ` +
      `JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY (CASE k.contype WHEN 'f' THEN k.confkey ELSE k.conkey END) ` +
      `WHERE NOT a.attisdropped AND k.contype IN ('p', 'u', 'f', 'c') AND r.relkind IN ('r', 'p')) c ` +
      `JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace nc ON nc.oid = c.connamespace WHERE pg_has_role(c.relowner, 'USAGE')`,
    {
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      column_name: 'c.attname',
      constraint_catalog: DATABASE,
      constraint_schema: 'nc.nspname',
      constraint_name: 'c.conname',
    },
  ),
  constraint_table_usage: view(
    `pg_constraint k JOIN pg_class c ON c.oid = CASE k.contype WHEN 'f' THEN k.confrelid ELSE k.conrelid END ` +
      `JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace nc ON nc.oid = k.connamespace ` +
      `WHERE k.contype IN ('p', 'u', 'f') AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')`,
    {
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      constraint_catalog: DATABASE,
      constraint_schema: 'nc.nspname',
      constraint_name: 'k.conname',
    },
  ),
  referential_constraints: view(
    `pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace nk ON nk.oid = k.connamespace ` +
      `LEFT JOIN pg_constraint u ON u.conindid = k.conindid AND u.contype IN ('p', 'u') AND u.conrelid = k.confrelid LEFT JOIN pg_namespace nu ON nu.oid = u.connamespace ` +
      `WHERE k.contype = 'f' AND ${mayAlter('c')}`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'nk.nspname',
      constraint_name: 'k.conname',
      unique_constraint_catalog: `CASE WHEN nu.nspname IS NOT NULL THEN ${DATABASE} END`,
      unique_constraint_schema: 'nu.nspname',
      unique_constraint_name: 'u.conname',
      match_option: `CASE k.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END`,
      update_rule: `CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END`,
      delete_rule: `CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END`,
    },
  ),
  check_constraints: view(
    `(SELECT nk.nspname, k.conname AS name, substring(pg_get_constraintdef(k.oid) from 7) AS clause, coalesce(c.relowner, t.typowner) AS owner ` +
      `FROM pg_constraint k LEFT JOIN pg_namespace nk ON nk.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid WHERE k.contype = 'c' ` +
      `UNION ALL SELECT n2.nspname, (n2.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name, a.attname || ' IS NOT NULL', r.relowner ` +
      `FROM pg_namespace n2 JOIN pg_class r ON r.relnamespace = n2.oid JOIN pg_attribute a ON a.attrelid = r.oid ` +
      `WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND r.relkind IN ('r', 'p')) k WHERE pg_has_role(k.owner, 'USAGE')`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'k.nspname',
      constraint_name: 'k.name',
      check_clause: 'k.clause',
    },
  ),
  domains: view(
    `pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace JOIN pg_type bt ON bt.oid = t.typbasetype JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace ` +
      `${COLLATION_JOIN} ON co.oid = t.typcollation AND ${COLLATION_CONDITION} ` +
      `WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))`,
    {
      domain_catalog: DATABASE,
      domain_schema: 'nt.nspname',
      domain_name: 't.typname',
      data_type: dataType('bt', 'nbt', 't.typbasetype'),
      ...typeFacts('t.typbasetype', 't.typtypmod'),
      ...COLLATION_COLUMNS,
      domain_default: 't.typdefault',
      udt_catalog: DATABASE,
      udt_schema: 'nbt.nspname',
      udt_name: 'bt.typname',
      dtd_identifier: '1',
    },
  ),
  domain_constraints: view(
    `pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace JOIN pg_constraint k ON k.contypid = t.oid JOIN pg_namespace nk ON nk.oid = k.connamespace ` +
      `WHERE t.typtype = 'd' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'nk.nspname',
      constraint_name: 'k.conname',
      domain_catalog: DATABASE,
      domain_schema: 'nt.nspname',
      domain_name: 't.typname',
      is_deferrable: yesNo('k.condeferrable'),
      initially_deferred: yesNo('k.condeferred'),
    },
  ),
  domain_udt_usage: view(
    `pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace JOIN pg_type bt ON bt.oid = t.typbasetype JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace ` +
      `WHERE t.typtype = 'd' AND pg_has_role(bt.typowner, 'USAGE')`,
    {
      udt_catalog: DATABASE,
      udt_schema: 'nbt.nspname',
      udt_name: 'bt.typname',
      domain_catalog: DATABASE,
      domain_schema: 'nt.nspname',
      domain_name: 't.typname',
    },
  ),
  column_domain_usage: view(
    `pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace ` +
      `WHERE t.typtype = 'd' AND c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND pg_has_role(t.typowner, 'USAGE')`,
    {
      domain_catalog: DATABASE,
      domain_schema: 'nt.nspname',
      domain_name: 't.typname',
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      column_name: 'a.attname',
    },
  ),
  column_udt_usage: view(
    `pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace ` +
      `LEFT JOIN pg_type bt ON t.typtype = 'd' AND bt.oid = t.typbasetype LEFT JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace ` +
      `WHERE c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND pg_has_role(coalesce(bt.typowner, t.typowner), 'USAGE')`,
    {
      udt_catalog: DATABASE,
      udt_schema: 'coalesce(nbt.nspname, nt.nspname)',
      udt_name: 'coalesce(bt.typname, t.typname)',
      table_catalog: DATABASE,
      table_schema: 'n.nspname',
      table_name: 'c.relname',
      column_name: 'a.attname',
    },
  ),
  element_types: view(
    `(SELECT n.nspname, c.relname AS name, CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END AS kind, a.attnum::text AS id, a.atttypid, a.attcollation, c.relowner AS owner ` +
      `FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `WHERE c.relkind IN ('r', 'v', 'f', 'c', 'p') AND a.attnum > 0 AND NOT a.attisdropped ` +
      `UNION ALL SELECT n.nspname, t.typname, 'DOMAIN', '1', t.typbasetype, t.typcollation, t.typowner FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' ` +
      `UNION ALL SELECT n.nspname, (p.proname || '_' || p.oid::text)::name, 'ROUTINE', u.place::text, u.type, 0, p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace ` +
      `CROSS JOIN LATERAL unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY u(type, place) ` +
      `UNION ALL SELECT n.nspname, (p.proname || '_' || p.oid::text)::name, 'ROUTINE', '0', p.prorettype, 0, p.proowner FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace) x ` +
      `JOIN pg_type at ON at.oid = x.atttypid AND at.typelem <> 0 AND at.typlen = -1 JOIN pg_type bt ON bt.oid = at.typelem JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace ` +
      `${COLLATION_JOIN} ON co.oid = x.attcollation AND ${COLLATION_CONDITION}`,
    {
      object_catalog: DATABASE,
      object_schema: 'x.nspname',
      object_name: 'x.name',
      object_type: 'x.kind',
      collection_type_identifier: 'x.id',
      data_type: `CASE WHEN nbt.nspname = 'pg_catalog' THEN format_type(bt.oid, NULL) ELSE 'USER-DEFINED' END`,
      ...COLLATION_COLUMNS,
      udt_catalog: DATABASE,
      udt_schema: 'nbt.nspname',
      udt_name: 'bt.typname',
      dtd_identifier: `'a' || x.id`,
    },
  ),
  routines: view(`${ROUTINES_FROM} WHERE ${ROUTINE_SEEN}`, {
    ...ROUTINE_NAMES,
    routine_type: `CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END`,
    data_type: `CASE WHEN p.prokind = 'p' THEN NULL ELSE ${dataType('t', 'nt', 't.oid')} END`,
    type_udt_catalog: `CASE WHEN nt.nspname IS NOT NULL THEN ${DATABASE} END`,
    type_udt_schema: 'nt.nspname',
    type_udt_name: 't.typname',
    dtd_identifier: `CASE WHEN p.prokind <> 'p' THEN 0 END`,
    routine_body: `CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END`,
    routine_definition: `CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END`,
    external_name: `CASE WHEN l.lanname = 'c' THEN p.prosrc END`,
    external_language: 'upper(l.lanname::text)',
    parameter_style: `'GENERAL'`,
    is_deterministic: yesNo(`p.provolatile = 'i'`),
    sql_data_access: `'MODIFIES'`,
    is_null_call: `CASE WHEN p.prokind = 'p' THEN NULL WHEN p.proisstrict THEN 'YES' ELSE 'NO' END`,
    schema_level_routine: `'YES'`,
    max_dynamic_result_sets: '0',
    security_type: `CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END`,
    as_locator: `'NO'`,
    is_udt_dependent: `'NO'`,
  }),
  parameters: view(
    `(SELECT p.oid, p.proname, p.pronamespace, p.proowner, p.proargnames, p.proargmodes, p.prokind, ` +
      `coalesce(p.proallargtypes, p.proargtypes::oid[]) AS types, generate_subscripts(coalesce(p.proallargtypes, p.proargtypes::oid[]), 1) AS place, p.proallargtypes IS NULL AS plain FROM pg_proc p) p ` +
      `JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type t ON t.oid = p.types[p.place] JOIN pg_namespace nt ON nt.oid = t.typnamespace WHERE ${ROUTINE_SEEN}`,
    {
      specific_catalog: DATABASE,
      specific_schema: 'n.nspname',
      specific_name: `p.proname || '_' || p.oid::text`,
      ordinal_position: 'CASE WHEN p.plain THEN p.place + 1 ELSE p.place END',
      parameter_mode: `CASE WHEN p.proargmodes IS NULL THEN 'IN' WHEN p.proargmodes[p.place] = 'i' THEN 'IN' WHEN p.proargmodes[p.place] = 'o' THEN 'OUT' WHEN p.proargmodes[p.place] = 'b' THEN 'INOUT' WHEN p.proargmodes[p.place] = 'v' THEN 'IN' WHEN p.proargmodes[p.place] = 't' THEN 'OUT' END`,
      is_result: `'NO'`,
      as_locator: `'NO'`,
      parameter_name: `nullif(p.proargnames[CASE WHEN p.plain THEN p.place + 1 ELSE p.place END], '')`,
      data_type: dataType('t', 'nt', 't.oid'),
      udt_catalog: DATABASE,
      udt_schema: 'nt.nspname',
      udt_name: 't.typname',
      dtd_identifier: 'CASE WHEN p.plain THEN p.place + 1 ELSE p.place END',
      parameter_default: `CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN pg_get_function_arg_default(p.oid, CASE WHEN p.plain THEN p.place + 1 ELSE p.place END) END`,
    },
  ),
  attributes: view(
    `pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace ` +
      `${COLLATION_JOIN} ON co.oid = a.attcollation AND ${COLLATION_CONDITION} ` +
      `WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'c' AND (pg_has_role(c.relowner, 'USAGE') OR has_type_privilege(c.reltype, 'USAGE'))`,
    {
      udt_catalog: DATABASE,
      udt_schema: 'n.nspname',
      udt_name: 'c.relname',
      attribute_name: 'a.attname',
      ordinal_position: 'a.attnum',
      attribute_default: 'pg_get_expr(ad.adbin, ad.adrelid)',
      is_nullable: yesNo('NOT a.attnotnull'),
      data_type: dataType('t', 'nt', 'a.atttypid'),
      ...typeFacts(`(${TRUE_TYPE})`, `(${TRUE_MODIFIER})`),
      ...COLLATION_COLUMNS,
      attribute_udt_catalog: DATABASE,
      attribute_udt_schema: 'nt.nspname',
      attribute_udt_name: 't.typname',
      dtd_identifier: 'a.attnum',
      is_derived_reference_attribute: `'NO'`,
    },
  ),
  user_defined_types: view(
    `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = c.reltype WHERE c.relkind = 'c' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))`,
    {
      user_defined_type_catalog: DATABASE,
      user_defined_type_schema: 'n.nspname',
      user_defined_type_name: 'c.relname',
      user_defined_type_category: `'STRUCTURED'`,
      is_instantiable: `'YES'`,
    },
  ),
  enabled_roles: view(`pg_authid r WHERE pg_has_role(r.oid, 'USAGE')`, { role_name: 'r.rolname' }),
  applicable_roles: view(
    `(SELECT m.member, m.roleid, m.admin_option FROM pg_auth_members m UNION SELECT d.datdba, o.oid, false FROM pg_database d, pg_authid o WHERE d.datname = current_database() AND o.rolname = 'pg_database_owner') m ` +
      `JOIN pg_authid a ON a.oid = m.member JOIN pg_authid b ON b.oid = m.roleid WHERE pg_has_role(a.oid, 'USAGE')`,
    { grantee: 'a.rolname', role_name: 'b.rolname', is_grantable: yesNo('m.admin_option') },
  ),
  administrable_role_authorizations: view(
    `pg_auth_members m JOIN pg_authid a ON a.oid = m.member JOIN pg_authid b ON b.oid = m.roleid WHERE m.admin_option AND pg_has_role(a.oid, 'USAGE')`,
    { grantee: 'a.rolname', role_name: 'b.rolname', is_grantable: `'YES'` },
  ),
  table_privileges: view(`${TABLE_GRANTS} AND ${GRANT_SEEN}`, TABLE_GRANT_COLUMNS),
  role_table_grants: view(`${TABLE_GRANTS} AND ${GRANT_OWN}`, TABLE_GRANT_COLUMNS),
  column_privileges: view(`${COLUMN_GRANTS} AND ${GRANT_SEEN}`, COLUMN_GRANT_COLUMNS),
  role_column_grants: view(`${COLUMN_GRANTS} AND ${GRANT_OWN}`, COLUMN_GRANT_COLUMNS),
  routine_privileges: view(
    `(SELECT p.oid, p.proname, p.pronamespace, p.proowner AS relowner, x.grantor, x.grantee, x.privilege_type, x.is_grantable FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x) c ` +
      `JOIN pg_namespace n ON n.oid = c.pronamespace JOIN pg_authid g ON g.oid = c.grantor ` +
      `JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') e ON e.oid = c.grantee WHERE ${GRANT_SEEN}`,
    {
      ...GRANT_COLUMNS,
      specific_catalog: DATABASE,
      specific_schema: 'n.nspname',
      specific_name: `c.proname || '_' || c.oid::text`,
      routine_catalog: DATABASE,
      routine_schema: 'n.nspname',
      routine_name: 'c.proname',
    },
  ),
  role_routine_grants: view(
    `(SELECT p.oid, p.proname, p.pronamespace, p.proowner AS relowner, x.grantor, x.grantee, x.privilege_type, x.is_grantable FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x) c ` +
      `JOIN pg_namespace n ON n.oid = c.pronamespace JOIN pg_authid g ON g.oid = c.grantor JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') e ON e.oid = c.grantee WHERE ${GRANT_OWN}`,
    {
      ...GRANT_COLUMNS,
      specific_catalog: DATABASE,
      specific_schema: 'n.nspname',
      specific_name: `c.proname || '_' || c.oid::text`,
      routine_catalog: DATABASE,
      routine_schema: 'n.nspname',
      routine_name: 'c.proname',
    },
  ),
  character_sets: view(
    `pg_database d LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace) ON d.datcollate = co.collcollate AND d.datctype = co.collctype WHERE d.datname = current_database() LIMIT 1`,
    {
      character_set_name: `'UTF8'`,
      character_repertoire: `'UCS'`,
      form_of_use: `'UTF8'`,
      default_collate_catalog: DATABASE,
      default_collate_schema: 'nco.nspname',
      default_collate_name: 'co.collname',
    },
  ),
  collations: view(
    `pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace WHERE co.collencoding IN (-1, 6)`,
    {
      collation_catalog: DATABASE,
      collation_schema: 'nco.nspname',
      collation_name: 'co.collname',
      pad_attribute: `'NO PAD'`,
    },
  ),
  collation_character_set_applicability: view(
    `pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace WHERE co.collencoding IN (-1, 6)`,
    {
      collation_catalog: DATABASE,
      collation_schema: 'nco.nspname',
      collation_name: 'co.collname',
      character_set_name: `'UTF8'`,
    },
  ),
  view_table_usage: view(
    `${VIEW_USAGE} WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE') GROUP BY nv.nspname, v.relname, nt.nspname, t.relname`,
    {
      view_catalog: DATABASE,
      view_schema: 'nv.nspname',
      view_name: 'v.relname',
      table_catalog: DATABASE,
      table_schema: 'nt.nspname',
      table_name: 't.relname',
    },
  ),
  view_column_usage: view(
    `${VIEW_USAGE} JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND pg_has_role(t.relowner, 'USAGE') GROUP BY nv.nspname, v.relname, nt.nspname, t.relname, a.attname`,
    {
      view_catalog: DATABASE,
      view_schema: 'nv.nspname',
      view_name: 'v.relname',
      table_catalog: DATABASE,
      table_schema: 'nt.nspname',
      table_name: 't.relname',
      column_name: 'a.attname',
    },
  ),
};
