/** Objects in words, as PostgreSQL's messages and pg_describe_object name them. */
import type { Oid } from '../base/brands.ts';
import type { SearchPath } from './contract.ts';
import {
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_CAST,
  PG_CLASS,
  PG_COLLATION,
  PG_CONSTRAINT,
  PG_DATABASE,
  PG_EXTENSION,
  PG_LANGUAGE,
  PG_NAMESPACE,
  PG_REWRITE,
  PG_TABLESPACE,
  PG_TRIGGER,
} from './data/columns.ts';
import { CLASS_OID } from './definitions.ts';
import { formatType } from './format-type.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { ObjectAddress } from './mutations.ts';
import { CatalogNames } from './names.ts';
import type { CatalogReaderImplementation } from './reader.ts';
import type { CatalogRow } from './static-rows.ts';

/** Words for the kinds of pg_class. */
export const RELATION_KIND_NAMES: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  i: 'index',
  I: 'index',
  S: 'sequence',
  t: 'toast table',
  v: 'view',
  m: 'materialized view',
  c: 'composite type',
  f: 'foreign table',
};

/** Name of a relation, qualified unless visible. */
export function relationName(reader: CatalogReaderImplementation, oid: Oid, path: SearchPath): string {
  return new CatalogNames(reader, path).print('class', oid) ?? String(oid);
}

/** `table a`, `column x of table a`, `constraint c on table a` …; null when the object does not exist. */
export function describeObject(
  reader: CatalogReaderImplementation,
  object: ObjectAddress,
  path: SearchPath,
): string | null {
  const { view } = reader;
  const row = (catalog: Parameters<typeof view.get>[0]) => view.get(catalog, object.objectId)?.values;
  const relation = (oid: Oid): string => {
    const kind = (view.get('pg_class', oid)?.values[PG_CLASS.relkind] as string | undefined) ?? 'r';
    return `${RELATION_KIND_NAMES[kind] ?? 'relation'} ${relationName(reader, oid, path)}`;
  };
  const names = new CatalogNames(reader, path);
  /** An object by name, with its schema unless that is in the path. */
  const named = (
    word: string,
    values: CatalogRow | undefined,
    name: number,
    namespace: number | null,
  ): string | null => {
    if (values === undefined) return null;
    const text = quoteIdentifier(values[name] as string);
    const schema = namespace === null ? null : (values[namespace] as number);
    return schema === null || path.namespaces.includes(schema)
      ? `${word} ${text}`
      : `${word} ${quoteIdentifier(reader.namespaceName(schema) ?? '')}.${text}`;
  };
  switch (object.classId) {
    case CLASS_OID.relation: {
      if (row('pg_class') === undefined) return null;
      if (object.subId === 0) return relation(object.objectId);
      const attribute = view.get('pg_attribute', object.objectId * 4096 + object.subId)?.values;
      if (attribute === undefined) return null;
      return `column ${attribute[PG_ATTRIBUTE.attname] as string} of ${relation(object.objectId)}`;
    }
    case CLASS_OID.type:
      return row('pg_type') === undefined ? null : `type ${formatType(reader, object.objectId, { path })}`;
    case CLASS_OID.procedure: {
      const kind = reader.function(object.objectId)?.kind;
      if (kind === undefined) return null;
      return `function ${names.print('procedure', object.objectId)}`;
    }
    case CLASS_OID.constraint: {
      const constraint = row('pg_constraint');
      if (constraint === undefined) return null;
      const name = constraint[PG_CONSTRAINT.conname] as string;
      const table = constraint[PG_CONSTRAINT.conrelid] as number;
      return table === 0 ? `constraint ${name}` : `constraint ${name} on ${relation(table)}`;
    }
    case CLASS_OID.attributeDefault: {
      const value = row('pg_attrdef');
      if (value === undefined) return null;
      const table = value[PG_ATTRDEF.adrelid] as number;
      const column = value[PG_ATTRDEF.adnum] as number;
      const attribute = view.get('pg_attribute', table * 4096 + column)?.values;
      return `default value for column ${attribute?.[PG_ATTRIBUTE.attname] as string} of ${relation(table)}`;
    }
    case CLASS_OID.rewrite: {
      const rule = row('pg_rewrite');
      return rule === undefined
        ? null
        : `rule ${rule[PG_REWRITE.rulename] as string} on ${relation(rule[PG_REWRITE.ev_class] as number)}`;
    }
    case CLASS_OID.trigger: {
      const trigger = row('pg_trigger');
      return trigger === undefined
        ? null
        : `trigger ${trigger[PG_TRIGGER.tgname] as string} on ${relation(trigger[PG_TRIGGER.tgrelid] as number)}`;
    }
    case CLASS_OID.namespace: {
      const name = row('pg_namespace')?.[PG_NAMESPACE.nspname];
      return name === undefined ? null : `schema ${name as string}`;
    }
    case CLASS_OID.role: {
      const role = reader.role(object.objectId);
      return role === null ? null : `role ${role.name}`;
    }
    case CLASS_OID.database: {
      const name = row('pg_database')?.[PG_DATABASE.datname];
      return name === undefined ? null : `database ${name as string}`;
    }
    case CLASS_OID.tablespace: {
      const name = row('pg_tablespace')?.[PG_TABLESPACE.spcname];
      return name === undefined ? null : `tablespace ${name as string}`;
    }
    case CLASS_OID.language: {
      const name = row('pg_language')?.[PG_LANGUAGE.lanname];
      return name === undefined ? null : `language ${name as string}`;
    }
    case CLASS_OID.extension: {
      const name = row('pg_extension')?.[PG_EXTENSION.extname];
      return name === undefined ? null : `extension ${name as string}`;
    }
    case CLASS_OID.operator: {
      const name = names.print('operator', object.objectId);
      return name === null ? null : `operator ${name}`;
    }
    case CLASS_OID.collation: {
      const collation = row('pg_collation');
      return collation === undefined
        ? null
        : `collation ${names.print('collation', object.objectId) ?? (collation[PG_COLLATION.collname] as string)}`;
    }
    case CLASS_OID.cast: {
      const cast = row('pg_cast');
      return cast === undefined
        ? null
        : `cast from ${formatType(reader, cast[PG_CAST.castsource] as number, { path })} to ${formatType(reader, cast[PG_CAST.casttarget] as number, { path })}`;
    }
    case CLASS_OID.statistics:
      return named('statistics object', row('pg_statistic_ext'), 2, 3);
    case CLASS_OID.conversion:
      return named('conversion', row('pg_conversion'), 1, 2);
    case CLASS_OID.textSearchConfiguration:
      return named('text search configuration', row('pg_ts_config'), 1, 2);
    case CLASS_OID.textSearchDictionary:
      return named('text search dictionary', row('pg_ts_dict'), 1, 2);
    case CLASS_OID.textSearchParser:
      return named('text search parser', row('pg_ts_parser'), 1, 2);
    case CLASS_OID.textSearchTemplate:
      return named('text search template', row('pg_ts_template'), 1, 2);
    case CLASS_OID.operatorClass:
    case CLASS_OID.operatorFamily: {
      const isClass = object.classId === CLASS_OID.operatorClass;
      const found = row(isClass ? 'pg_opclass' : 'pg_opfamily');
      if (found === undefined) return null;
      const method = view.get('pg_am', found[1] as number)?.values[1] as string;
      return `${named(isClass ? 'operator class' : 'operator family', found, 2, 3)} for access method ${method}`;
    }
    case CLASS_OID.accessMethod:
      return named('access method', row('pg_am'), 1, null);
    case CLASS_OID.publication:
      return named('publication', row('pg_publication'), 1, null);
    case CLASS_OID.publicationRelation: {
      const member = row('pg_publication_rel');
      return member === undefined
        ? null
        : `publication of ${relation(member[2] as number)} in ${named('publication', view.get('pg_publication', member[1] as number)?.values, 1, null)}`;
    }
    case CLASS_OID.publicationNamespace: {
      const member = row('pg_publication_namespace');
      return member === undefined
        ? null
        : `publication of schema ${reader.namespaceName(member[2] as number)} in ${named('publication', view.get('pg_publication', member[1] as number)?.values, 1, null)}`;
    }
    case CLASS_OID.subscription:
      return named('subscription', row('pg_subscription'), 3, null);
    case CLASS_OID.foreignDataWrapper:
      return named('foreign-data wrapper', row('pg_foreign_data_wrapper'), 1, null);
    case CLASS_OID.foreignServer:
      return named('server', row('pg_foreign_server'), 1, null);
    case CLASS_OID.eventTrigger:
      return named('event trigger', row('pg_event_trigger'), 1, null);
    case CLASS_OID.policy: {
      const policy = row('pg_policy');
      return policy === undefined
        ? null
        : `policy ${quoteIdentifier(policy[1] as string)} on ${relation(policy[2] as number)}`;
    }
    case CLASS_OID.largeObject:
      return row('pg_largeobject_metadata') === undefined ? null : `large object ${object.objectId}`;
    case CLASS_OID.defaultAcl: {
      const entry = row('pg_default_acl');
      if (entry === undefined) return null;
      const what = { r: 'relations', S: 'sequences', f: 'functions', T: 'types', n: 'schemas' }[
        entry[3] as string
      ];
      const where = entry[2] === 0 ? '' : ` in schema ${reader.namespaceName(entry[2] as number)}`;
      return `default privileges on new ${what} belonging to role ${reader.role(entry[1] as number)?.name}${where}`;
    }
    default:
      return null;
  }
}
