/**
 * CREATE, ALTER and DROP EXTENSION for the extensions whose functions are built into the server.
 *
 * An extension is rows of catalogs: each member gets an oid of its own in every database that has the extension; references
 * among members are translated. Functions find their implementation by prosrc, as builtin ones do.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { PG_EXTENSION, PG_PROC, PG_TYPE } from '../../catalog/data/columns.ts';
import type { CatalogName } from '../../catalog/data/index.ts';
import { CATALOGS, CLASS_OID } from '../../catalog/definitions.ts';
import { EXTENSIONS, extensionRows } from '../../catalog/extension-data.ts';
import { address, FIRST_USER_OID, type ObjectAddress } from '../../catalog/mutations.ts';
import type {
  AlterExtensionContentsStmt,
  AlterExtensionStmt,
  AlterObjectSchemaStmt,
  CreateExtensionStmt,
} from '../../sql/parse/nodes.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { type Ddl, defElems } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { optionName } from './define-objects.ts';
import { findNamed, requireNamedOwner } from './named-objects.ts';
import { makeRow } from './relation.ts';

const OWNER_COLUMNS: Partial<Record<CatalogName, number>> = {
  pg_type: 3,
  pg_proc: 3,
  pg_operator: 3,
  pg_opfamily: 4,
  pg_opclass: 4,
};

const CLASS_OF: Partial<Record<CatalogName, Oid>> = {
  pg_type: CLASS_OID.type,
  pg_proc: CLASS_OID.procedure,
  pg_operator: CLASS_OID.operator,
  pg_cast: CLASS_OID.cast,
  pg_opfamily: CLASS_OID.operatorFamily,
  pg_opclass: CLASS_OID.operatorClass,
};

/** Types of columns that hold references. */
const REFERENCE_TYPES = new Set(['oid', 'regproc', 'oidvector', '_oid']);

export async function createExtension(ddl: Ddl, statement: CreateExtensionStmt): Promise<UtilityResult> {
  const tag = { tag: 'CREATE EXTENSION' };
  const name = statement.extname!;
  for (const { values } of ddl.reader.view.all('pg_extension'))
    if (values[PG_EXTENSION.extname] === name) {
      if (statement.if_not_exists !== true)
        throw new DbError('duplicate_object', `extension "${name}" already exists`);
      ddl.message('NOTICE', 'duplicate_object', `extension "${name}" already exists, skipping`);
      return tag;
    }
  const facts = EXTENSIONS.get(name);
  if (facts === undefined)
    throw new DbError('feature_not_supported', `extension "${name}" is not available`, {
      detail: `Could not open extension control file "/usr/share/postgresql/15/extension/${name}.control": No such file or directory.`,
      hint: 'The extension must first be installed on the system where PostgreSQL is running.',
    });
  if (!ddl.isSuperuser) {
    const mayCreate =
      facts.trusted && ddl.reader.hasObjectPrivilege(ddl.role, 'database', ddl.reader.databaseOid, 'CREATE');
    if (!mayCreate)
      throw new DbError('insufficient_privilege', `permission denied to create extension "${name}"`, {
        hint: facts.trusted
          ? 'Must have CREATE privilege on current database to create this extension.'
          : 'Must be superuser to create this extension.',
      });
  }
  let namespace: Oid | null = null;
  let { version } = facts;
  for (const element of defElems(statement.options)) {
    if (element.defname === 'schema') namespace = ddl.namespace(optionName(element));
    else if (element.defname === 'new_version') version = optionName(element);
  }
  if (version !== facts.version)
    throw new DbError(
      'invalid_parameter_value',
      `extension "${name}" has no installation script nor update path for version "${version}"`,
    );
  if (namespace === null) {
    namespace = name === 'plpgsql' ? 11 : ddl.path.creationNamespace;
    if (namespace === 0) throw new DbError('undefined_schema', 'no schema has been selected to create in');
  }
  // Members of a trusted extension belong to the bootstrap superuser, as PostgreSQL makes them.
  const owner = ddl.isSuperuser ? ddl.role : 10;
  const { writer } = ddl;
  const oid = writer.allocateOid();
  writer.insert(
    'pg_extension',
    makeRow(PG_EXTENSION, {
      oid,
      extname: name,
      extowner: ddl.role,
      extnamespace: namespace,
      extrelocatable: facts.relocatable,
      extversion: facts.version,
    }),
  );
  const self = address(CLASS_OID.extension, oid);
  writer.dependOn(self, address(CLASS_OID.namespace, namespace), 'n');
  writer.recordOwner(self, ddl.role);
  writer.setComment(self, facts.comment);
  installMembers(ddl, name, self, namespace, owner);
  return tag;
}

function installMembers(ddl: Ddl, name: string, self: ObjectAddress, namespace: Oid, owner: Oid): void {
  const { writer } = ddl;
  const facts = EXTENSIONS.get(name)!;
  const known = new Map<Oid, Oid>();
  const rows = [...extensionRows(facts)];
  for (const [catalog, row] of rows)
    if (catalog !== 'pg_aggregate') known.set(row[0] as Oid, writer.allocateOid());
  const translate = (value: Datum, type: string): Datum => {
    if (!REFERENCE_TYPES.has(type) || value === null) return value;
    if (value instanceof SqlArray)
      return new SqlArray(
        value.elementType,
        value.elements.map((element) => known.get(element as number) ?? element),
        value.dimensions,
        value.lowerBounds,
      );
    return known.get(value as number) ?? value;
  };
  for (const [catalog, row] of rows) {
    const { columns } = CATALOGS.get(catalog)!;
    const values = row.map((value, index) => translate(value, columns[index]![1]));
    columns.forEach(([column], index) => {
      if (column.endsWith('namespace')) values[index] = namespace;
    });
    const ownerColumn = OWNER_COLUMNS[catalog];
    if (ownerColumn !== undefined) values[ownerColumn] = owner;
    if (catalog === 'pg_proc' && values[PG_PROC.proargdefaults] !== null) {
      const types = (values[PG_PROC.proargtypes] as SqlArray).elements as number[];
      const count = values[PG_PROC.pronargdefaults] as number;
      values[PG_PROC.proargdefaults] = ddl.reader.services.compileDefaults(
        (values[PG_PROC.proargdefaults] as string).split('\\x01').flatMap((part) => part.split('\x01')),
        types.slice(types.length - count),
        ddl.reader,
      );
    }
    writer.insert(catalog, values);
    const classId = CLASS_OF[catalog];
    if (classId === undefined) continue;
    // An array type goes with its element type.
    if (catalog === 'pg_type' && values[PG_TYPE.typcategory] === 'A')
      writer.dependOn(
        address(classId, values[0] as Oid),
        address(CLASS_OID.type, values[PG_TYPE.typelem] as Oid),
        'i',
      );
    else writer.dependOn(address(classId, values[0] as Oid), self, 'e');
  }
}

export async function alterExtension(ddl: Ddl, statement: AlterExtensionStmt): Promise<UtilityResult> {
  const object = findNamed(ddl, 'OBJECT_EXTENSION', { String: { sval: statement.extname! } })!;
  requireNamedOwner(ddl, object);
  const wanted = defElems(statement.options).find(({ defname }) => defname === 'new_version');
  const current = object.row[PG_EXTENSION.extversion] as string;
  const version = wanted === undefined ? current : optionName(wanted);
  if (version !== current)
    throw new DbError(
      'invalid_parameter_value',
      `extension "${statement.extname}" has no update path from version "${current}" to version "${version}"`,
    );
  ddl.notice(`version "${version}" of extension "${statement.extname}" is already installed`);
  return { tag: 'ALTER EXTENSION' };
}

/** ALTER EXTENSION … ADD | DROP: membership of objects made by hand is not kept. */
export async function alterExtensionContents(
  ddl: Ddl,
  statement: AlterExtensionContentsStmt,
): Promise<UtilityResult> {
  findNamed(ddl, 'OBJECT_EXTENSION', { String: { sval: statement.extname! } });
  throw notSupported('ALTER EXTENSION ... ADD or DROP');
}

/** ALTER EXTENSION … SET SCHEMA moves all its members. */
export function setExtensionSchema(ddl: Ddl, statement: AlterObjectSchemaStmt): UtilityResult {
  const object = findNamed(ddl, 'OBJECT_EXTENSION', statement.object!)!;
  requireNamedOwner(ddl, object);
  const name = object.row[PG_EXTENSION.extname] as string;
  if (object.row[PG_EXTENSION.extrelocatable] !== true)
    throw new DbError('feature_not_supported', `extension "${name}" does not support SET SCHEMA`);
  const namespace = ddl.namespace(statement.newschema!);
  ddl.requireSchemaCreate(namespace);
  const old = object.row[PG_EXTENSION.extnamespace] as Oid;
  const { writer } = ddl;
  const members = ddl.reader.view
    .find('pg_depend', 'referenced', `${CLASS_OID.extension}.${object.oid}`)
    .map(({ values }) => ({ classId: values[0] as Oid, oid: values[1] as Oid }));
  for (const { classId, oid } of members)
    for (const [catalog, catalogClass] of Object.entries(CLASS_OF) as [CatalogName, Oid][]) {
      if (catalogClass !== classId) continue;
      const column = CATALOGS.get(catalog)!.columns.findIndex(([item]) => item.endsWith('namespace'));
      if (column >= 0) writer.update(catalog, oid, { [column]: namespace });
      if (catalog === 'pg_type') {
        const array = writer.row('pg_type', oid)[PG_TYPE.typarray] as Oid;
        if (array >= FIRST_USER_OID) writer.update('pg_type', array, { [PG_TYPE.typnamespace]: namespace });
      }
    }
  writer.update('pg_extension', object.oid, { [PG_EXTENSION.extnamespace]: namespace });
  writer.replaceDependency(
    address(CLASS_OID.extension, object.oid),
    address(CLASS_OID.namespace, old),
    address(CLASS_OID.namespace, namespace),
  );
  return { tag: 'ALTER EXTENSION' };
}
