/** Views of information_schema about triggers, grants on types and what routines and views use. */
import { type ViewSpecification, view } from './view.ts';

const DATABASE = 'current_database()';
const NOT_OTHER_TEMPORARY = 'NOT pg_is_other_temp_schema(n.oid)';
const GRANTEES = `(SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC')`;
const SEEN = `(pg_has_role(g.oid, 'USAGE') OR (e.oid <> 0 AND pg_has_role(e.oid, 'USAGE')) OR e.rolname = 'PUBLIC')`;
const OWN = `(pg_has_role(g.oid, 'USAGE') OR (e.oid <> 0 AND pg_has_role(e.oid, 'USAGE')))`;

function mayChange(relation: string): string {
  return (
    `(pg_has_role(${relation}.relowner, 'USAGE') OR has_table_privilege(${relation}.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') ` +
    `OR has_any_column_privilege(${relation}.oid, 'INSERT, UPDATE, REFERENCES'))`
  );
}

const EVENTS = `(VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) v(bit, event)`;
const TRIGGERS =
  `pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
  `WHERE NOT t.tgisinternal AND ${NOT_OTHER_TEMPORARY} AND ${mayChange('c')}`;

/** Who may use which object: collations are everybody's, domains and sequences have lists. */
const USAGES =
  // Without a list a sequence shows nobody: PostgreSQL takes a table's default here.
  `(SELECT n.nspname, s.relname AS name, 'SEQUENCE' AS kind, s.relowner AS owner, x.grantor, x.grantee, x.is_grantable ` +
  `FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace CROSS JOIN LATERAL aclexplode(coalesce(s.relacl, acldefault('r', s.relowner))) x ` +
  `WHERE s.relkind = 'S' AND x.privilege_type = 'USAGE' AND ${NOT_OTHER_TEMPORARY} ` +
  `UNION ALL SELECT n.nspname, t.typname, 'DOMAIN', t.typowner, x.grantor, x.grantee, x.is_grantable ` +
  `FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x ` +
  `WHERE t.typtype = 'd' AND x.privilege_type = 'USAGE' ` +
  `UNION ALL SELECT n.nspname, k.collname, 'COLLATION', NULL::oid, k.collowner, 0::oid, false ` +
  `FROM pg_collation k JOIN pg_namespace n ON n.oid = k.collnamespace ` +
  `WHERE k.collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))) o ` +
  `JOIN pg_authid g ON g.oid = o.grantor JOIN ${GRANTEES} e ON e.oid = o.grantee`;
const USAGE_COLUMNS: Record<string, string> = {
  grantor: 'g.rolname',
  grantee: 'e.rolname',
  object_catalog: DATABASE,
  object_schema: 'o.nspname',
  object_name: 'o.name',
  object_type: 'o.kind',
  privilege_type: `'USAGE'`,
  is_grantable: `CASE WHEN (o.owner IS NOT NULL AND e.oid <> 0 AND pg_has_role(e.oid, o.owner, 'USAGE')) OR o.is_grantable THEN 'YES' ELSE 'NO' END`,
};

const TYPE_GRANTS =
  `pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x ` +
  `JOIN pg_authid g ON g.oid = x.grantor JOIN ${GRANTEES} e ON e.oid = x.grantee WHERE t.typtype = 'c' AND x.privilege_type = 'USAGE'`;
const TYPE_GRANT_COLUMNS: Record<string, string> = {
  grantor: 'g.rolname',
  grantee: 'e.rolname',
  udt_catalog: DATABASE,
  udt_schema: 'n.nspname',
  udt_name: 't.typname',
  privilege_type: `'TYPE USAGE'`,
  is_grantable: `CASE WHEN (e.oid <> 0 AND pg_has_role(e.oid, t.typowner, 'USAGE')) OR x.is_grantable THEN 'YES' ELSE 'NO' END`,
};

const SPECIFIC_COLUMNS: Record<string, string> = {
  specific_catalog: DATABASE,
  specific_schema: 'np.nspname',
  specific_name: `p.proname || '_' || p.oid::text`,
};
const ROUTINE_COLUMNS: Record<string, string> = {
  ...SPECIFIC_COLUMNS,
  routine_catalog: DATABASE,
  routine_schema: 'np.nspname',
  routine_name: 'p.proname',
};

/** What a routine with a body of parsed SQL depends on. */
function usedByRoutine(referenced: string, condition: string): string {
  return `pg_proc p JOIN pg_namespace np ON np.oid = p.pronamespace JOIN pg_depend d ON d.classid = 1255 AND d.objid = p.oid ${referenced} WHERE ${condition}`;
}
const RELATION_USED = `AND d.refclassid = 1259 JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace`;
const TABLE_COLUMNS: Record<string, string> = {
  table_catalog: DATABASE,
  table_schema: 'n.nspname',
  table_name: 'c.relname',
};

const DATA_TYPES =
  `(SELECT udt_schema AS schema, udt_name AS name, 'USER-DEFINED TYPE' AS kind, dtd_identifier FROM information_schema.attributes ` +
  `UNION ALL SELECT table_schema, table_name, 'TABLE', dtd_identifier FROM information_schema.columns ` +
  `UNION ALL SELECT domain_schema, domain_name, 'DOMAIN', dtd_identifier FROM information_schema.domains ` +
  `UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.parameters ` +
  `UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.routines) x`;

export const USAGE_VIEWS: Readonly<Record<string, ViewSpecification>> = {
  triggers: view(TRIGGERS.replace('WHERE', `JOIN ${EVENTS} ON t.tgtype & v.bit <> 0 WHERE`), {
    trigger_catalog: DATABASE,
    trigger_schema: 'n.nspname',
    trigger_name: 't.tgname',
    event_manipulation: 'v.event',
    event_object_catalog: DATABASE,
    event_object_schema: 'n.nspname',
    event_object_table: 'c.relname',
    action_order: 'rank() OVER (PARTITION BY c.oid, v.bit, t.tgtype & 1, t.tgtype & 66 ORDER BY t.tgname)',
    action_condition: `CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN substring(pg_get_triggerdef(t.oid) from ' WHEN [(](.+)[)] EXECUTE FUNCTION') END`,
    action_statement: `substring(pg_get_triggerdef(t.oid) from 'EXECUTE FUNCTION .*$')`,
    action_orientation: `CASE WHEN t.tgtype & 1 = 1 THEN 'ROW' ELSE 'STATEMENT' END`,
    action_timing: `CASE t.tgtype & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END`,
    action_reference_old_table: 't.tgoldtable',
    action_reference_new_table: 't.tgnewtable',
  }),
  triggered_update_columns: view(
    TRIGGERS.replace(
      'WHERE',
      `CROSS JOIN LATERAL unnest(t.tgattr) u(number) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number WHERE`,
    ),
    {
      trigger_catalog: DATABASE,
      trigger_schema: 'n.nspname',
      trigger_name: 't.tgname',
      event_object_catalog: DATABASE,
      event_object_schema: 'n.nspname',
      event_object_table: 'c.relname',
      event_object_column: 'a.attname',
    },
  ),
  usage_privileges: view(`${USAGES} WHERE ${SEEN}`, USAGE_COLUMNS),
  role_usage_grants: view(`${USAGES} WHERE ${OWN}`, USAGE_COLUMNS),
  udt_privileges: view(`${TYPE_GRANTS} AND ${SEEN}`, TYPE_GRANT_COLUMNS),
  role_udt_grants: view(`${TYPE_GRANTS} AND ${OWN}`, TYPE_GRANT_COLUMNS),
  data_type_privileges: view(DATA_TYPES, {
    object_catalog: DATABASE,
    object_schema: 'x.schema',
    object_name: 'x.name',
    object_type: 'x.kind',
    dtd_identifier: 'x.dtd_identifier',
  }),
  column_column_usage: view(
    `pg_attrdef f JOIN pg_class c ON c.oid = f.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `JOIN pg_attribute g ON g.attrelid = c.oid AND g.attnum = f.adnum AND g.attgenerated <> '' ` +
      `JOIN pg_depend d ON d.classid = 2604 AND d.objid = f.oid AND d.refclassid = 1259 AND d.refobjid = c.oid ` +
      `JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND a.attnum <> g.attnum ` +
      `WHERE pg_has_role(c.relowner, 'USAGE')`,
    { ...TABLE_COLUMNS, column_name: 'a.attname', dependent_column: 'g.attname' },
  ),
  check_constraint_routine_usage: view(
    `pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace JOIN pg_depend d ON d.classid = 2606 AND d.objid = k.oid AND d.refclassid = 1255 ` +
      `JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_namespace np ON np.oid = p.pronamespace WHERE k.contype = 'c' AND pg_has_role(p.proowner, 'USAGE')`,
    {
      constraint_catalog: DATABASE,
      constraint_schema: 'n.nspname',
      constraint_name: 'k.conname',
      ...SPECIFIC_COLUMNS,
    },
  ),
  view_routine_usage: view(
    `(SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1255) u ` +
      `JOIN pg_class c ON c.oid = u.ev_class AND c.relkind = 'v' JOIN pg_namespace n ON n.oid = c.relnamespace ` +
      `JOIN pg_proc p ON p.oid = u.refobjid JOIN pg_namespace np ON np.oid = p.pronamespace WHERE pg_has_role(p.proowner, 'USAGE')`,
    { ...TABLE_COLUMNS, ...SPECIFIC_COLUMNS },
  ),
  routine_table_usage: view(
    usedByRoutine(RELATION_USED, `c.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(c.relowner, 'USAGE')`),
    { ...ROUTINE_COLUMNS, ...TABLE_COLUMNS },
  ),
  routine_column_usage: view(
    usedByRoutine(
      `${RELATION_USED} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid`,
      `c.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(c.relowner, 'USAGE')`,
    ),
    { ...ROUTINE_COLUMNS, ...TABLE_COLUMNS, column_name: 'a.attname' },
  ),
  routine_sequence_usage: view(
    usedByRoutine(RELATION_USED, `c.relkind = 'S' AND pg_has_role(c.relowner, 'USAGE')`),
    {
      ...ROUTINE_COLUMNS,
      sequence_catalog: DATABASE,
      sequence_schema: 'n.nspname',
      sequence_name: 'c.relname',
    },
  ),
  routine_routine_usage: view(
    usedByRoutine(
      'AND d.refclassid = 1255 JOIN pg_proc q ON q.oid = d.refobjid JOIN pg_namespace nq ON nq.oid = q.pronamespace',
      `pg_has_role(q.proowner, 'USAGE')`,
    ),
    {
      ...SPECIFIC_COLUMNS,
      routine_catalog: DATABASE,
      routine_schema: 'nq.nspname',
      routine_name: `q.proname || '_' || q.oid::text`,
    },
  ),
};
