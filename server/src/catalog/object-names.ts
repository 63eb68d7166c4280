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
import type { ObjectAddress } from './mutations.ts';
import { CatalogNames } from './names.ts';
import type { CatalogReaderImplementation } from './reader.ts';

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
      const word = kind === 'a' ? 'aggregate' : kind === 'p' ? 'procedure' : 'function';
      return `${word} ${names.print('procedure', object.objectId)}`;
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
    default:
      return null;
  }
}
