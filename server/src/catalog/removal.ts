/** Removes single objects from catalogs and storage; what goes with them was planned by dependencies.ts. */
import { internalError, notSupported } from '../base/error.ts';
import type { Datum } from '../types/datum.ts';
import {
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_INDEX,
  PG_INHERITS,
  PG_TRIGGER,
} from './data/columns.ts';
import type { CatalogName } from './data/index.ts';
import { CLASS_OID } from './definitions.ts';
import { isStoredMethod } from './describe.ts';
import type { CatalogWriter, ObjectAddress } from './mutations.ts';

/** Catalogs whose objects are just one row keyed by oid. */
const SIMPLE: ReadonlyMap<number, CatalogName> = new Map([
  [CLASS_OID.namespace, 'pg_namespace'],
  [CLASS_OID.rewrite, 'pg_rewrite'],
  [CLASS_OID.collation, 'pg_collation'],
  [CLASS_OID.cast, 'pg_cast'],
  [CLASS_OID.operator, 'pg_operator'],
  [CLASS_OID.operatorClass, 'pg_opclass'],
  [CLASS_OID.operatorFamily, 'pg_opfamily'],
  [CLASS_OID.conversion, 'pg_conversion'],
  [CLASS_OID.extension, 'pg_extension'],
  [CLASS_OID.language, 'pg_language'],
  [CLASS_OID.accessMethod, 'pg_am'],
  [CLASS_OID.accessMethodOperator, 'pg_amop'],
  [CLASS_OID.accessMethodProcedure, 'pg_amproc'],
  [CLASS_OID.transform, 'pg_transform'],
  [CLASS_OID.statistics, 'pg_statistic_ext'],
  [CLASS_OID.policy, 'pg_policy'],
  [CLASS_OID.publication, 'pg_publication'],
  [CLASS_OID.publicationRelation, 'pg_publication_rel'],
  [CLASS_OID.publicationNamespace, 'pg_publication_namespace'],
  [CLASS_OID.subscription, 'pg_subscription'],
  [CLASS_OID.eventTrigger, 'pg_event_trigger'],
  [CLASS_OID.defaultAcl, 'pg_default_acl'],
  [CLASS_OID.foreignDataWrapper, 'pg_foreign_data_wrapper'],
  [CLASS_OID.foreignServer, 'pg_foreign_server'],
  [CLASS_OID.userMapping, 'pg_user_mapping'],
  [CLASS_OID.textSearchConfiguration, 'pg_ts_config'],
  [CLASS_OID.textSearchDictionary, 'pg_ts_dict'],
  [CLASS_OID.textSearchParser, 'pg_ts_parser'],
  [CLASS_OID.textSearchTemplate, 'pg_ts_template'],
  [CLASS_OID.tablespace, 'pg_tablespace'],
]);

/** Removes one object; its dependents are gone already. */
export function removeObject(writer: CatalogWriter, object: ObjectAddress): void {
  const simple = SIMPLE.get(object.classId);
  if (simple !== undefined) writer.remove(simple, object.objectId);
  else
    switch (object.classId) {
      case CLASS_OID.relation:
        if (object.subId === 0) removeRelation(writer, object.objectId);
        else removeColumn(writer, object.objectId, object.subId);
        break;
      case CLASS_OID.type:
        removeType(writer, object.objectId);
        break;
      case CLASS_OID.procedure:
        if (writer.reader.view.get('pg_aggregate', object.objectId) !== null)
          writer.remove('pg_aggregate', object.objectId);
        writer.remove('pg_proc', object.objectId);
        break;
      case CLASS_OID.trigger: {
        const relation = writer.row('pg_trigger', object.objectId)[PG_TRIGGER.tgrelid] as number;
        writer.remove('pg_trigger', object.objectId);
        refreshTriggerFlag(writer, relation);
        break;
      }
      case CLASS_OID.constraint:
        removeConstraint(writer, object.objectId);
        break;
      case CLASS_OID.attributeDefault:
        removeDefault(writer, object.objectId);
        break;
      default:
        throw notSupported(`DROP of an object of catalog ${object.classId}`);
    }
  writer.removeDependenciesOf(object);
  writer.removeSharedDependencies(object);
  writer.removeComments(object);
}

function removeRelation(writer: CatalogWriter, oid: number): void {
  const { view } = writer.reader;
  const row = writer.row('pg_class', oid);
  switch (row[PG_CLASS.relkind]) {
    case 'r':
    case 'm':
      writer.tables.dropTable(writer.transaction, oid);
      break;
    case 'i': {
      const index = writer.row('pg_index', oid);
      const tableOid = index[PG_INDEX.indrelid] as number;
      if (isStoredMethod(row[PG_CLASS.relam] as number)) writer.tables.dropIndex(writer.transaction, oid);
      writer.remove('pg_index', oid);
      if (view.find('pg_index', 'table', tableOid).length === 0 && view.get('pg_class', tableOid) !== null)
        writer.update('pg_class', tableOid, { [PG_CLASS.relhasindex]: false });
      break;
    }
    case 'S':
      writer.tables.dropSequence(writer.transaction, oid);
      writer.remove('pg_sequence', oid);
      break;
    default:
      break;
  }
  writer.removeAll('pg_attribute', view.find('pg_attribute', 'relation', oid));
  for (const row of [...view.find('pg_inherits', 'child', oid)]) {
    const parent = row.values[PG_INHERITS.inhparent] as number;
    writer.remove('pg_inherits', row.key);
    if (view.get('pg_class', parent) !== null && view.find('pg_inherits', 'parent', parent).length === 0)
      writer.update('pg_class', parent, { [PG_CLASS.relhassubclass]: false });
  }
  writer.remove('pg_class', oid);
}

/** Columns are never removed: rows already stored still have them. They turn into nameless holes. */
function removeColumn(writer: CatalogWriter, relationOid: number, attnum: number): void {
  const key = relationOid * 4096 + attnum;
  writer.update('pg_attribute', key, {
    [PG_ATTRIBUTE.attname]: `........pg.dropped.${attnum}........`,
    [PG_ATTRIBUTE.atttypid]: 0,
    [PG_ATTRIBUTE.attnotnull]: false,
    [PG_ATTRIBUTE.attstattarget]: 0,
    [PG_ATTRIBUTE.attgenerated]: '',
    [PG_ATTRIBUTE.attidentity]: '',
    [PG_ATTRIBUTE.atthasmissing]: false,
    [PG_ATTRIBUTE.attmissingval]: null,
    [PG_ATTRIBUTE.attacl]: null,
    [PG_ATTRIBUTE.attoptions]: null,
    [PG_ATTRIBUTE.attisdropped]: true,
  });
  const relation = writer.reader.relation(relationOid);
  if (relation === null) throw internalError(`relation ${relationOid} has gone`);
  if (relation.table !== null) writer.tables.alterTable(writer.transaction, relation.table);
}

function removeType(writer: CatalogWriter, oid: number): void {
  const { view } = writer.reader;
  writer.removeAll('pg_enum', view.find('pg_enum', 'type', oid));
  if (view.get('pg_range', oid) !== null) writer.remove('pg_range', oid);
  writer.remove('pg_type', oid);
}

function removeConstraint(writer: CatalogWriter, oid: number): void {
  const row = writer.row('pg_constraint', oid);
  const relationOid = row[PG_CONSTRAINT.conrelid] as number;
  writer.remove('pg_constraint', oid);
  const relation = writer.reader.view.get('pg_class', relationOid);
  if (row[PG_CONSTRAINT.contype] === 'c' && relation !== null) {
    const checks = relation.values[PG_CLASS.relchecks] as number;
    writer.update('pg_class', relationOid, { [PG_CLASS.relchecks]: Math.max(0, checks - 1) });
  }
  // The trigger flag stays, as in PostgreSQL, until VACUUM; a table without foreign keys would be slower for nothing here.
  for (const table of [relationOid, row[PG_CONSTRAINT.confrelid] as number])
    refreshTriggerFlag(writer, table);
}

/** pg_class.relhastriggers: foreign keys count as triggers, on both sides. */
export function refreshTriggerFlag(writer: CatalogWriter, relationOid: number): void {
  const { view } = writer.reader;
  const row = view.get('pg_class', relationOid);
  if (row === null) return;
  const isForeign = ({ values }: { values: readonly Datum[] }): boolean =>
    values[PG_CONSTRAINT.contype] === 'f';
  const has =
    view.find('pg_trigger', 'relation', relationOid).length > 0 ||
    view.find('pg_constraint', 'relation', relationOid).some(isForeign) ||
    view.find('pg_constraint', 'referenced', relationOid).some(isForeign);
  if (row.values[PG_CLASS.relhastriggers] !== has)
    writer.update('pg_class', relationOid, { [PG_CLASS.relhastriggers]: has });
}

function removeDefault(writer: CatalogWriter, oid: number): void {
  const row = writer.row('pg_attrdef', oid);
  const key = (row[PG_ATTRDEF.adrelid] as number) * 4096 + (row[PG_ATTRDEF.adnum] as number);
  writer.remove('pg_attrdef', oid);
  const column = writer.reader.view.get('pg_attribute', key);
  if (column !== null)
    writer.update('pg_attribute', key, { [PG_ATTRIBUTE.atthasdef]: false, [PG_ATTRIBUTE.attgenerated]: '' });
}
