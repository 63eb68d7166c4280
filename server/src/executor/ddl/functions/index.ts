/** The catalog functions by their internal name, for FunctionContext.catalog. */

import type { Oid } from '../../../base/brands.ts';
import { DbError, notSupported } from '../../../base/error.ts';
import { formatAclItem, type PrivilegeName, printAclItem, privilegeBit } from '../../../catalog/acl.ts';
import {
  PG_CLASS,
  PG_COLLATION,
  PG_CONVERSION,
  PG_DATABASE,
  PG_INDEX,
  PG_OPCLASS,
  PG_OPFAMILY,
} from '../../../catalog/data/columns.ts';
import { CLASS_OID, hasStorage } from '../../../catalog/definitions.ts';
import { numbers } from '../../../catalog/describe.ts';
import { EXTENSIONS } from '../../../catalog/extension-data.ts';
import { formatType } from '../../../catalog/format-type.ts';
import { address } from '../../../catalog/mutations.ts';
import { describeObject } from '../../../catalog/object-names.ts';
import type { CatalogFunctionName, FunctionContext, HostFunctions } from '../../../sql/functions/contract.ts';
import { updatableEvents } from '../../../sql/rewrite/updatable-views.ts';
import type { Datum, SqlArray } from '../../../types/datum.ts';
import {
  constraintDefinition,
  expressionText,
  functionArgumentDefault,
  functionArguments,
  functionDefinition,
  functionResult,
  indexDefinition,
  serialSequence,
  statisticsDefinition,
  statisticsExpressions,
  triggerDefinition,
  viewDefinition,
} from './definitions.ts';
import { type CatalogFunctionHost, Surroundings } from './host.ts';
import { aclDefault, explodeAcl, hasRoleFunction, privilegeFunction, readAclItem } from './privileges.ts';
import { ruleDefinition } from './rule-definition.ts';
import { currentValue, lastValue, nextValue, sequenceLastValue, setValue } from './sequences.ts';
import { zoneAbbreviationRows, zoneNameRows } from './zones.ts';

export type { CatalogFunctionHost } from './host.ts';

type Implementation = (around: Surroundings, ...args: Datum[]) => Datum;

const number = (value: Datum | undefined): number => value as number;
const text = (value: Datum | undefined): string => value as string;

/** A to_reg… function: NULL instead of an error for a name that is not there. */
function lookup(kind: Parameters<Surroundings['names']['resolve']>[0]): Implementation {
  return (around, name) => {
    // Numbers are no names here.
    if (/^[0-9]+$/.test(text(name))) return null;
    try {
      return around.names.resolve(kind, text(name));
    } catch (error) {
      if (error instanceof DbError && error.code !== '42602' && error.code !== '42601') return null;
      throw error;
    }
  };
}

/** Visibility of an object with a name and schema, where only the first of that name in the path counts. */
function isFirstOfName(
  around: Surroundings,
  catalog:
    | 'pg_opclass'
    | 'pg_opfamily'
    | 'pg_collation'
    | 'pg_conversion'
    | 'pg_ts_config'
    | 'pg_ts_dict'
    | 'pg_ts_parser'
    | 'pg_ts_template'
    | 'pg_statistic_ext',
  oid: Oid,
  columns: { name: number; namespace: number; scope?: number },
): Datum {
  const row = around.reader.view.get(catalog, oid)?.values;
  if (row === undefined) return null;
  for (const namespace of around.path.namespaces) {
    for (const { key, values } of around.reader.view.all(catalog)) {
      if (values[columns.name] !== row[columns.name] || values[columns.namespace] !== namespace) continue;
      if (columns.scope !== undefined && values[columns.scope] !== row[columns.scope]) continue;
      return key === oid;
    }
  }
  return false;
}

/** Of a table without its indexes, or of one index. */
function relationSize(around: Surroundings, oid: Oid): bigint | null {
  const relation = around.reader.relation(oid);
  if (relation !== null && hasStorage(relation))
    return BigInt(Math.max(0, Math.round(around.host.tables().table(oid).estimate().bytes)));
  const index = around.reader.view.get('pg_index', oid)?.values;
  if (index === undefined) return relation === null ? null : 0n;
  const tableOid = index[PG_INDEX.indrelid] as Oid;
  // An index of a partitioned table, or of a catalog, holds nothing itself.
  if (around.reader.relation(tableOid)?.table == null) return 0n;
  return BigInt(Math.round(around.host.tables().table(tableOid).indexBytes(oid)));
}

function indexesSize(around: Surroundings, oid: Oid): bigint | null {
  const relation = around.reader.relation(oid);
  if (relation === null) return null;
  let total = 0n;
  for (const index of relation.indexes) total += relationSize(around, index.oid) ?? 0n;
  return total;
}

function totalSize(around: Surroundings, oid: Oid): bigint | null {
  const size = relationSize(around, oid);
  return size === null ? null : size + (indexesSize(around, oid) ?? 0n);
}

function databaseSize(around: Surroundings): bigint {
  let total = 0n;
  for (const { key, values } of around.reader.view.all('pg_class'))
    if ((key as number) >= 16384 && (values[PG_CLASS.relkind] === 'r' || values[PG_CLASS.relkind] === 'm'))
      total += totalSize(around, key as number) ?? 0n;
  return total;
}

function comment(around: Surroundings, classOid: Oid, oid: Oid, subId: number): Datum {
  return around.reader.view.get('pg_description', `${oid}.${classOid}.${subId}`)?.values[3] ?? null;
}

function catalogOidByName(around: Surroundings, name: string): Oid | null {
  return around.reader.relationOid(11, name);
}

const FUNCTIONS: Partial<Record<CatalogFunctionName, Implementation>> = {
  format_type: (around, oid, typmod) =>
    oid === null
      ? null
      : formatType(around.reader, number(oid), {
          path: around.path,
          typmod: typmod === null || typmod === undefined ? undefined : number(typmod),
        }),
  pg_get_expr: (around, tree, relation) => expressionText(around, text(tree), number(relation), false),
  pg_get_expr_ext: (around, tree, relation, pretty) =>
    expressionText(around, text(tree), number(relation), pretty === true),
  pg_get_constraintdef: (around, oid) => constraintDefinition(around, number(oid), false),
  pg_get_constraintdef_ext: (around, oid, pretty) =>
    constraintDefinition(around, number(oid), pretty === true),
  pg_get_triggerdef: (around, oid) => triggerDefinition(around, number(oid), false),
  pg_get_triggerdef_ext: (around, oid, pretty) => triggerDefinition(around, number(oid), pretty === true),
  pg_get_indexdef: (around, oid) => indexDefinition(around, number(oid), { column: 0, pretty: false }),
  pg_get_indexdef_ext: (around, oid, column, pretty) =>
    indexDefinition(around, number(oid), { column: number(column), pretty: pretty === true }),
  pg_get_viewdef: (around, oid) => viewDefinition(around, number(oid), false),
  pg_get_viewdef_ext: (around, oid, pretty) => viewDefinition(around, number(oid), pretty === true),
  pg_get_viewdef_wrap: (around, oid) => viewDefinition(around, number(oid), true),
  pg_get_viewdef_name: (around, name) =>
    viewDefinition(around, around.names.resolve('class', text(name)), false),
  pg_get_viewdef_name_ext: (around, name, pretty) =>
    viewDefinition(around, around.names.resolve('class', text(name)), pretty === true),
  pg_get_ruledef: (around, oid) => ruleDefinition(around, number(oid), false),
  pg_get_ruledef_ext: (around, oid, pretty) => ruleDefinition(around, number(oid), pretty === true),
  pg_get_functiondef: (around, oid) => functionDefinition(around, number(oid)),
  pg_get_function_arguments: (around, oid) => functionArguments(around, number(oid), { withDefaults: true }),
  pg_get_function_identity_arguments: (around, oid) =>
    functionArguments(around, number(oid), { withDefaults: false }),
  pg_get_function_result: (around, oid) => functionResult(around, number(oid)),
  pg_get_function_arg_default: (around, oid, position) =>
    functionArgumentDefault(around, number(oid), number(position)),
  pg_get_function_sqlbody: () => null,
  pg_get_partkeydef: () => null,
  pg_get_partition_constraintdef: () => null,
  pg_get_statisticsobjdef: (around, oid) => statisticsDefinition(around, number(oid), 'whole'),
  pg_get_statisticsobjdef_columns: (around, oid) => statisticsDefinition(around, number(oid), 'columns'),
  pg_get_statisticsobjdef_expressions: (around, oid) => statisticsExpressions(around, number(oid)),
  pg_get_userbyid: (around, oid) => around.reader.role(number(oid))?.name ?? `unknown (OID=${number(oid)})`,
  pg_get_serial_sequence: (around, table, column) => serialSequence(around, text(table), text(column)),
  pg_get_replica_identity_index: (around, oid) =>
    around.reader.relation(number(oid))?.indexes.find(({ primary }) => primary)?.oid ?? null,
  pg_relation_is_publishable: (around, oid) => {
    const relation = around.reader.relation(number(oid));
    return relation === null
      ? null
      : relation.oid >= 16384 && relation.kind === 'r' && relation.persistence === 'p';
  },
  // Bits: 8 INSERT, 4 UPDATE, 16 DELETE.
  pg_relation_is_updatable: (around, oid, withTriggers) =>
    updatableEvents(around.reader.relation(number(oid)), around.reader, withTriggers === true),
  pg_column_is_updatable: (around, oid, column, withTriggers) =>
    number(column) > 0 &&
    (updatableEvents(
      around.reader.relation(number(oid)),
      around.reader,
      withTriggers === true,
      number(column),
    ) &
      20) ===
      20,
  pg_relation_filenode: (around, oid) => {
    const relation = around.reader.view.get('pg_class', number(oid))?.values;
    return relation === undefined ? null : (relation[PG_CLASS.relfilenode] as number) || null;
  },
  pg_relation_filepath: (around, oid) => {
    const relation = around.reader.view.get('pg_class', number(oid))?.values;
    return relation === undefined || relation[PG_CLASS.relfilenode] === 0
      ? null
      : `base/${around.reader.databaseOid}/${relation[PG_CLASS.relfilenode] as number}`;
  },
  pg_filenode_relation: (around, _tablespace, node) =>
    around.reader.view.get('pg_class', number(node)) === null ? null : number(node),
  pg_table_is_visible: (around, oid) =>
    around.reader.view.get('pg_class', number(oid)) === null
      ? null
      : around.names.isRelationVisible(number(oid)),
  pg_type_is_visible: (around, oid) =>
    around.reader.view.get('pg_type', number(oid)) === null ? null : around.names.isTypeVisible(number(oid)),
  pg_function_is_visible: (around, oid) =>
    around.reader.view.get('pg_proc', number(oid)) === null
      ? null
      : around.names.isFunctionVisible(number(oid)),
  pg_operator_is_visible: (around, oid) =>
    around.reader.view.get('pg_operator', number(oid)) === null
      ? null
      : around.names.isOperatorVisible(number(oid)),
  pg_opclass_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_opclass', number(oid), {
      name: PG_OPCLASS.opcname,
      namespace: PG_OPCLASS.opcnamespace,
      scope: PG_OPCLASS.opcmethod,
    }),
  pg_opfamily_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_opfamily', number(oid), {
      name: PG_OPFAMILY.opfname,
      namespace: PG_OPFAMILY.opfnamespace,
      scope: PG_OPFAMILY.opfmethod,
    }),
  pg_collation_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_collation', number(oid), {
      name: PG_COLLATION.collname,
      namespace: PG_COLLATION.collnamespace,
    }),
  pg_conversion_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_conversion', number(oid), {
      name: PG_CONVERSION.conname,
      namespace: PG_CONVERSION.connamespace,
    }),
  pg_statistics_obj_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_statistic_ext', number(oid), { name: 2, namespace: 3 }),
  pg_ts_parser_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_ts_parser', number(oid), { name: 1, namespace: 2 }),
  pg_ts_dict_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_ts_dict', number(oid), { name: 1, namespace: 2 }),
  pg_ts_template_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_ts_template', number(oid), { name: 1, namespace: 2 }),
  pg_ts_config_is_visible: (around, oid) =>
    isFirstOfName(around, 'pg_ts_config', number(oid), { name: 1, namespace: 2 }),
  pg_my_temp_schema: (around) =>
    around.path.namespaces.find((oid) => around.reader.namespaceName(oid)?.startsWith('pg_temp_')) ?? 0,
  pg_is_other_temp_schema: (around, oid) =>
    around.reader.namespaceName(number(oid))?.startsWith('pg_temp_') === true &&
    !around.path.namespaces.includes(number(oid)),
  pg_describe_object: (around, classId, objectId, subId) =>
    number(classId) === 0 && number(objectId) === 0
      ? null
      : describeObject(around.reader, address(number(classId), number(objectId), number(subId)), around.path),
  pg_collation_actual_version: () => null,
  pg_database_collation_actual_version: () => null,
  pg_index_column_has_property: (around, oid, column, name) =>
    indexColumnProperty(around, number(oid), number(column), text(name)),
  pg_index_has_property: (around, oid, name) => indexProperty(around, number(oid), text(name)),
  pg_indexam_has_property: (_around, _oid, name) => accessMethodProperty(text(name)),
  pg_indexam_progress_phasename: () => null,
  pg_sequence_last_value: (around, oid) => sequenceLastValue(around, number(oid)),
  nextval_oid: (around, oid) => nextValue(around, number(oid)),
  currval_oid: (around, oid) => currentValue(around, number(oid)),
  setval_oid: (around, oid, value) => setValue(around, number(oid), value as bigint, true),
  setval3_oid: (around, oid, value, isCalled) =>
    setValue(around, number(oid), value as bigint, isCalled === true),
  lastval: (around) => lastValue(around),
  pg_relation_size: (around, oid, fork) =>
    fork === undefined || fork === 'main' ? relationSize(around, number(oid)) : 0n,
  pg_table_size: (around, oid) => relationSize(around, number(oid)),
  pg_indexes_size: (around, oid) => indexesSize(around, number(oid)),
  pg_total_relation_size: (around, oid) => totalSize(around, number(oid)),
  pg_database_size_oid: (around, oid) =>
    around.reader.view.get('pg_database', number(oid)) === null
      ? null
      : number(oid) === around.reader.databaseOid
        ? databaseSize(around)
        : 0n,
  pg_database_size_name: (around, name) => {
    const row = around.reader.view.findOne('pg_database', 'name', text(name));
    if (row === null) throw new DbError('undefined_database', `database "${text(name)}" does not exist`);
    return row.values[PG_DATABASE.oid] === around.reader.databaseOid ? databaseSize(around) : 0n;
  },
  pg_tablespace_size_oid: (around) => databaseSize(around),
  pg_tablespace_size_name: (around) => databaseSize(around),
  pg_tablespace_location: () => '',
  obj_description: (around, oid, className) => {
    if (className !== undefined) {
      const classOid = catalogOidByName(around, text(className));
      return classOid === null ? null : comment(around, classOid, number(oid), 0);
    }
    for (const { values } of around.reader.view.all('pg_description'))
      if (values[0] === oid && values[2] === 0) return values[3]!;
    return null;
  },
  shobj_description: (around, oid, className) => {
    const classOid = catalogOidByName(around, text(className));
    return around.reader.view.get('pg_shdescription', `${number(oid)}.${classOid}`)?.values[2] ?? null;
  },
  col_description: (around, oid, column) => comment(around, CLASS_OID.relation, number(oid), number(column)),
  to_regclass: lookup('class'),
  to_regtype: lookup('type'),
  to_regproc: lookup('proc'),
  to_regprocedure: lookup('procedure'),
  to_regoper: lookup('oper'),
  to_regoperator: lookup('operator'),
  to_regnamespace: lookup('namespace'),
  to_regrole: lookup('role'),
  to_regcollation: lookup('collation'),
  text_regclass: (around, name) => around.names.resolve('class', text(name)),
  acldefault_sql: (around, kind, owner) => aclDefault(around, text(kind), number(owner)),
  aclcontains: (around, acl, item) => {
    const wanted = readAclItem(around.reader, text(item));
    return (acl as SqlArray).elements.some((element) => {
      const held = readAclItem(around.reader, element as string);
      return (
        held.grantee === wanted.grantee &&
        held.grantor === wanted.grantor &&
        (held.privileges & wanted.privileges) === wanted.privileges
      );
    });
  },
  makeaclitem: (around, grantee, grantor, privileges, isGrantable) => {
    let bits = 0;
    for (const name of text(privileges).split(','))
      bits |= privilegeBit(name.trim().toUpperCase() as PrivilegeName);
    const item = {
      grantee: number(grantee),
      grantor: number(grantor),
      privileges: bits,
      grantOptions: isGrantable === true ? bits : 0,
    };
    return printAclItem(item, (oid) => around.reader.role(oid)?.name ?? null) || formatAclItem(item);
  },
  row_security_active: () => false,
  row_security_active_name: () => false,
};

/** Properties of keys, indexes and access methods that `pg_index_column_has_property` and its kin know. */
function indexColumnProperty(around: Surroundings, oid: Oid, column: number, name: string): Datum {
  const row = around.reader.view.get('pg_index', oid)?.values;
  if (row === undefined || column < 1 || column > (row[PG_INDEX.indnatts] as number)) return null;
  const isKey = column <= (row[PG_INDEX.indnkeyatts] as number);
  const flags = isKey ? numbers(row[PG_INDEX.indoption]!)[column - 1]! : 0;
  const isBtree = around.reader.view.get('pg_class', oid)?.values[PG_CLASS.relam] === 403;
  switch (name) {
    case 'asc':
      return isKey && isBtree ? (flags & 1) === 0 : false;
    case 'desc':
      return isKey && isBtree ? (flags & 1) !== 0 : false;
    case 'nulls_first':
      return isKey && isBtree ? (flags & 2) !== 0 : false;
    case 'nulls_last':
      return isKey && isBtree ? (flags & 2) === 0 : false;
    case 'orderable':
      return isKey && isBtree;
    case 'distance_orderable':
      return false;
    case 'returnable':
      return isBtree;
    case 'search_array':
    case 'search_nulls':
      return isKey && isBtree;
    default:
      return null;
  }
}

function indexProperty(around: Surroundings, oid: Oid, name: string): Datum {
  if (around.reader.view.get('pg_index', oid) === null) return null;
  const isBtree = around.reader.view.get('pg_class', oid)?.values[PG_CLASS.relam] === 403;
  switch (name) {
    case 'clusterable':
      return isBtree;
    case 'index_scan':
    case 'bitmap_scan':
      return true;
    case 'backward_scan':
      return true;
    default:
      return null;
  }
}

function accessMethodProperty(name: string): Datum {
  switch (name) {
    case 'can_order':
    case 'can_unique':
    case 'can_multi_col':
    case 'can_include':
      return true;
    case 'can_exclude':
      return false;
    default:
      return null;
  }
}

/** Functions of FunctionContext.catalog; `host` is asked at call time, so that it may be made later. */
export function createCatalogFunctions(host: () => CatalogFunctionHost): HostFunctions<CatalogFunctionName> {
  return {
    bind(name, context) {
      const around = new Surroundings(host(), context);
      const implementation = FUNCTIONS[name];
      if (implementation !== undefined) return (...args) => implementation(around, ...args);
      if (name.startsWith('pg_has_role_'))
        return hasRoleFunction(around, name.slice('pg_has_role_'.length).split('_').length + 1);
      const privilege = privilegeFunction(name, around);
      if (privilege !== null) return privilege;
      return () => {
        throw notSupported(`function ${name}`);
      };
    },
    bindSet(name: CatalogFunctionName, context: FunctionContext) {
      const around = new Surroundings(host(), context);
      switch (name) {
        case 'aclexplode':
          return (acl) => explodeAcl(around, acl!);
        case 'pg_partition_ancestors':
        case 'pg_partition_tree':
        case 'pg_get_publication_tables':
        case 'pg_get_catalog_foreign_keys':
          return () => [];
        case 'pg_timezone_names':
          return () => zoneNameRows(context.statementTimestamp);
        case 'pg_timezone_abbrevs':
          return zoneAbbreviationRows;
        case 'pg_available_extensions':
          return () => [...EXTENSIONS.values()].map((item) => [item.name, item.version, item.comment]);
        case 'pg_available_extension_versions':
          return () =>
            [...EXTENSIONS.values()].map((item) => [
              item.name,
              item.version,
              !item.trusted,
              item.trusted,
              item.relocatable,
              item.name === 'plpgsql' ? 'pg_catalog' : null,
              null,
              item.comment,
            ]);
        default:
          return () => {
            throw notSupported(`function ${name}`);
          };
      }
    },
  };
}
