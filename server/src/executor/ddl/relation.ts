/** Makes the catalog rows of a relation: pg_class, pg_attribute, its row type, and what they depend on. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RelationKind } from '../../catalog/contract.ts';
import { PG_ATTRDEF, PG_ATTRIBUTE, PG_CLASS, PG_TYPE } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { truncateIdentifier } from '../../catalog/identifiers.ts';
import { address } from '../../catalog/mutations.ts';
import { attributeRow, typeProperties } from '../../catalog/virtual.ts';
import type { Expr } from '../../sql/tree.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import type { Datum } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import { newObjectAcl, recordNewAcl } from './default-privileges.ts';
import { recordExpression } from './expression-dependencies.ts';

/** A row with the named columns set, the others NULL. */
export function makeRow<Columns extends Readonly<Record<string, number>>>(
  columns: Columns,
  values: { readonly [Name in keyof Columns]?: Datum },
): Datum[] {
  const row: Datum[] = new Array<Datum>(Object.keys(columns).length).fill(null);
  for (const name of Object.keys(values) as (keyof Columns & string)[])
    row[columns[name]!] = values[name] ?? null;
  return row;
}

export interface ColumnSpec {
  name: string;
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  notNull: boolean;
  dimensions: number;
  identity: '' | 'a' | 'd';
  generated: '' | 's';
  /** How many parents give the column; 0 when absent. */
  inheritCount?: number;
  /** False for a column that only parents give. */
  isLocal?: boolean;
}

export interface RelationSpec {
  name: string;
  namespace: Oid;
  kind: RelationKind;
  persistence: 'p' | 'u' | 't';
  owner: Oid;
  columns: readonly ColumnSpec[];
  hasRules?: boolean;
  isPopulated?: boolean;
  options?: Datum;
}

const HEAP_ACCESS_METHOD = 2;

/** Function oids of the type input and output of rows and arrays. */
const RECORD_IO = { typinput: 2290, typoutput: 2291, typreceive: 2402, typsend: 2403 } as const;
export const ARRAY_IO = {
  typinput: 750,
  typoutput: 751,
  typreceive: 2400,
  typsend: 2401,
  typanalyze: 3816,
  typsubscript: 6179,
} as const;

const MAX_COLUMNS = 1600;

/** Creates the rows of a relation without storage; answers its oid. */
export function createRelation(ddl: Ddl, spec: RelationSpec): Oid {
  const { writer } = ddl;
  if (spec.columns.length > MAX_COLUMNS)
    throw new DbError('too_many_columns', `tables can have at most ${MAX_COLUMNS} columns`);
  const oid = writer.allocateOid();
  const hasRowType = spec.kind !== 'S' && spec.kind !== 'i';
  const rowType = hasRowType ? writer.allocateOid() : 0;
  const isStored = spec.kind === 'r' || spec.kind === 'm';
  const acl =
    spec.kind === 'c'
      ? null
      : newObjectAcl(ddl, spec.kind === 'S' ? 'sequence' : 'relation', spec.owner, spec.namespace);
  writer.insert(
    'pg_class',
    makeRow(PG_CLASS, {
      oid,
      relname: spec.name,
      relnamespace: spec.namespace,
      reltype: rowType,
      reloftype: 0,
      relowner: spec.owner,
      relam: isStored ? HEAP_ACCESS_METHOD : 0,
      relfilenode: isStored || spec.kind === 'S' ? oid : 0,
      reltablespace: 0,
      relpages: 0,
      reltuples: spec.kind === 'S' ? 1 : spec.kind === 'v' || spec.kind === 'c' ? 0 : -1,
      relallvisible: 0,
      reltoastrelid: 0,
      relhasindex: false,
      relisshared: false,
      relpersistence: spec.persistence,
      relkind: spec.kind,
      relnatts: spec.columns.length,
      relchecks: 0,
      relhasrules: spec.hasRules ?? false,
      relhastriggers: false,
      relhassubclass: false,
      relrowsecurity: false,
      relforcerowsecurity: false,
      relispopulated: spec.isPopulated ?? true,
      relreplident: isStored ? 'd' : 'n',
      relispartition: false,
      relrewrite: 0,
      relfrozenxid: isStored ? 3 : 0,
      relminmxid: isStored ? 1 : 0,
      relacl: acl,
      reloptions: spec.options ?? null,
    }),
  );
  const self = address(CLASS_OID.relation, oid);
  writer.dependOn(self, address(CLASS_OID.namespace, spec.namespace), 'n');
  writer.recordOwner(self, spec.owner);
  recordNewAcl(ddl, self, spec.owner, acl);
  for (const [index, column] of spec.columns.entries()) insertColumn(ddl, oid, index + 1, column);
  if (hasRowType) {
    createTypeWithArray(ddl, {
      oid: rowType,
      name: spec.name,
      namespace: spec.namespace,
      owner: spec.owner,
      values: {
        typlen: -1,
        typbyval: false,
        typtype: 'c',
        typcategory: 'C',
        typalign: 'd',
        typstorage: 'x',
        typrelid: oid,
        typsubscript: 0,
        typanalyze: 0,
        ...RECORD_IO,
      },
      dependsOn: spec.kind === 'c' ? null : self,
    });
    // A stand-alone composite type owns its relation, not the other way round.
    if (spec.kind === 'c') writer.dependOn(self, address(CLASS_OID.type, rowType), 'i');
  }
  return oid;
}

/** Inserts a column's pg_attribute row and its dependencies on type and collation. */
export function insertColumn(ddl: Ddl, relationOid: Oid, number: number, column: ColumnSpec): void {
  const properties = typeProperties(ddl.reader.view, column.typeOid);
  const row = attributeRow({
    relationOid,
    name: column.name,
    typeOid: column.typeOid,
    number,
    length: properties.length,
    byValue: properties.byValue,
    alignment: properties.alignment,
    storage: properties.storage,
    typmod: column.typmod,
    collation: column.collation,
    notNull: column.notNull,
    dimensions: column.dimensions,
  });
  row[PG_ATTRIBUTE.attidentity] = column.identity;
  row[PG_ATTRIBUTE.attgenerated] = column.generated;
  row[PG_ATTRIBUTE.attinhcount] = column.inheritCount ?? 0;
  row[PG_ATTRIBUTE.attislocal] = column.isLocal ?? true;
  ddl.writer.insert('pg_attribute', row);
  recordColumnDependencies(ddl, relationOid, number, column.typeOid, column.collation);
}

export function recordColumnDependencies(
  ddl: Ddl,
  relationOid: Oid,
  number: number,
  typeOid: Oid,
  collation: Oid,
): void {
  const self = address(CLASS_OID.relation, relationOid, number);
  ddl.writer.dependOn(self, address(CLASS_OID.type, typeOid), 'n');
  if (collation !== 0 && collation !== 100)
    ddl.writer.dependOn(self, address(CLASS_OID.collation, collation), 'n');
}

/** Sets (replaces) the default or generation expression of a column. */
export function setColumnDefault(
  ddl: Ddl,
  relationOid: Oid,
  number: number,
  expr: Expr,
  options: { isGenerated?: boolean } = {},
): Oid {
  const { writer } = ddl;
  const oid = writer.allocateOid();
  writer.insert(
    'pg_attrdef',
    makeRow(PG_ATTRDEF, { oid, adrelid: relationOid, adnum: number, adbin: serialiseExpr(expr) }),
  );
  const changes: Record<number, Datum> = { [PG_ATTRIBUTE.atthasdef]: true };
  if (options.isGenerated === true) changes[PG_ATTRIBUTE.attgenerated] = 's';
  writer.update('pg_attribute', relationOid * 4096 + number, changes);
  const self = address(CLASS_OID.attributeDefault, oid);
  // A generation expression is part of its column; a default goes when its column goes.
  const column = address(CLASS_OID.relation, relationOid, number);
  writer.dependOn(self, column, options.isGenerated === true ? 'i' : 'a');
  recordExpression(writer, self, [expr], relationOid, 'n');
  return oid;
}

export interface TypeSpec {
  oid: Oid;
  name: string;
  namespace: Oid;
  owner: Oid;
  values: { readonly [Name in keyof typeof PG_TYPE]?: Datum };
  /** The relation a row type belongs to; null for a type of its own. */
  dependsOn: ReturnType<typeof address> | null;
  /** False for arrays themselves. */
  withArray?: boolean;
}

export function assertTypeNameIsFree(ddl: Ddl, namespace: Oid, name: string): void {
  if (ddl.reader.view.findOne('pg_type', 'name', pairKey(namespace, name)) !== null)
    throw new DbError('duplicate_object', `type "${name}" already exists`);
}

/** Inserts a type and its array type; answers the array's oid. */
export function createTypeWithArray(ddl: Ddl, spec: TypeSpec): Oid {
  const { writer } = ddl;
  assertTypeNameIsFree(ddl, spec.namespace, spec.name);
  const arrayOid = spec.withArray === false ? 0 : writer.allocateOid();
  const acl = spec.dependsOn === null ? newObjectAcl(ddl, 'type', spec.owner, spec.namespace) : null;
  writer.insert(
    'pg_type',
    makeRow(PG_TYPE, {
      oid: spec.oid,
      typname: spec.name,
      typnamespace: spec.namespace,
      typowner: spec.owner,
      typispreferred: false,
      typisdefined: true,
      typdelim: ',',
      typrelid: 0,
      typelem: 0,
      typsubscript: 0,
      typmodin: 0,
      typmodout: 0,
      typanalyze: 0,
      typnotnull: false,
      typbasetype: 0,
      typtypmod: -1,
      typndims: 0,
      typcollation: 0,
      ...spec.values,
      typacl: acl,
      typarray: arrayOid,
    }),
  );
  const self = address(CLASS_OID.type, spec.oid);
  if (spec.dependsOn !== null) writer.dependOn(self, spec.dependsOn, 'i');
  else {
    writer.dependOn(self, address(CLASS_OID.namespace, spec.namespace), 'n');
    writer.recordOwner(self, spec.owner);
    recordNewAcl(ddl, self, spec.owner, acl);
  }
  if (arrayOid === 0) return 0;
  createTypeWithArray(ddl, {
    oid: arrayOid,
    name: arrayTypeName(ddl, spec.namespace, spec.name),
    namespace: spec.namespace,
    owner: spec.owner,
    values: {
      typlen: -1,
      typbyval: false,
      typtype: 'b',
      typcategory: 'A',
      typelem: spec.oid,
      typalign: spec.values.typalign === 'd' ? 'd' : 'i',
      typstorage: 'x',
      typcollation: spec.values.typcollation ?? 0,
      ...ARRAY_IO,
    },
    dependsOn: self,
    withArray: false,
  });
  return arrayOid;
}

/** `_name`, with more underscores while that is taken. */
export function arrayTypeName(ddl: Ddl, namespace: Oid, name: string): string {
  for (let candidate = `_${name}`; ; candidate = `_${candidate}`) {
    const cut = truncateIdentifier(candidate);
    if (ddl.reader.view.findOne('pg_type', 'name', pairKey(namespace, cut)) === null) return cut;
  }
}

/** 42P07 unless the name is free in the schema. */
export function duplicateRelation(name: string): DbError {
  return new DbError('duplicate_table', `relation "${name}" already exists`);
}
