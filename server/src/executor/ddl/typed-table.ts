/** CREATE TABLE … OF type: tables whose columns are those of a composite type and follow it. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_CLASS } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { positionOf } from '../../sql/parse/ast.ts';
import type { ColumnDef, Node, TypeName } from '../../sql/parse/nodes.ts';
import type { Ddl } from './common.ts';
import type { ColumnDefinition } from './create-table.ts';

/**
 * Columns of a typed table: the type's attributes, each with what `name WITH OPTIONS …` adds.
 * `define` reads a column definition. Errors 42809 for a type that is not a composite type of its own.
 */
export function typedColumns(
  ddl: Ddl,
  typeName: TypeName,
  elements: readonly Node[],
  define: (definition: ColumnDef) => ColumnDefinition,
): { typeOid: Oid; definitions: ColumnDefinition[] } {
  const { typeOid } = ddl.context.sql.resolveTypeName(typeName);
  ddl.requireTypeUsage(typeOid);
  const relation = ddl.reader.relation(ddl.reader.type(typeOid)?.relationOid ?? 0);
  if (relation === null || relation.kind !== 'c')
    throw new DbError(
      'wrong_object_type',
      `type ${formatType(ddl.reader, typeOid, { path: ddl.path })} is not a composite type`,
    );
  const options = new Map<string, ColumnDef>();
  for (const node of elements) {
    if (!('ColumnDef' in node)) continue;
    const name = node.ColumnDef.colname!;
    const position = positionOf(node.ColumnDef.location);
    if (!relation.columns.some((column) => column.name === name && !column.dropped))
      throw new DbError('undefined_column', `column "${name}" does not exist`);
    if (options.has(name))
      throw new DbError('duplicate_column', `column "${name}" specified more than once`).at(position);
    options.set(name, node.ColumnDef);
  }
  const definitions = relation.columns
    .filter(({ dropped }) => !dropped)
    .map((column) => {
      const text = formatType(ddl.reader, column.typeOid, { path: ddl.path, typmod: column.typmod });
      const cast = ddl.context.sql.parseExpression(`NULL::${text}`) as { TypeCast?: { typeName?: TypeName } };
      const definition = define({
        ...options.get(column.name),
        colname: column.name,
        typeName: cast.TypeCast!.typeName!,
      });
      return { ...definition, spec: { ...definition.spec, collation: column.collation } };
    });
  return { typeOid, definitions };
}

/** Ties a new table to its type. */
export function recordTypedTable(ddl: Ddl, oid: Oid, typeOid: Oid): void {
  ddl.writer.update('pg_class', oid, { [PG_CLASS.reloftype]: typeOid });
  ddl.writer.dependOn(address(CLASS_OID.relation, oid), address(CLASS_OID.type, typeOid), 'n');
}

const REFUSED: Readonly<Record<string, string>> = {
  AT_AddColumn: 'cannot add column to typed table',
  AT_DropColumn: 'cannot drop column from typed table',
  AT_AlterColumnType: 'cannot alter column type of typed table',
  AT_AddInherit: 'cannot change inheritance of typed table',
  AT_DropInherit: 'cannot change inheritance of typed table',
  rename: 'cannot rename column of typed table',
};

function typeOf(ddl: Ddl, relationOid: Oid): Oid {
  return (ddl.reader.view.get('pg_class', relationOid)?.values[PG_CLASS.reloftype] as Oid | undefined) ?? 0;
}

/** 42809 for a change of columns that a typed table may not make by itself. */
export function refuseTypedTable(ddl: Ddl, relationOid: Oid, action: string): void {
  const message = REFUSED[action];
  if (message !== undefined && typeOf(ddl, relationOid) !== 0)
    throw new DbError('wrong_object_type', message);
}

const TYPE_CHANGES: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_AlterColumnType',
  'rename',
]);

/** A composite type with typed tables keeps its attributes: they would have to change with it. */
export function refuseTypeInUse(ddl: Ddl, relationOid: Oid, action: string, cascade: boolean): void {
  const relation = ddl.reader.relation(relationOid);
  if (relation === null || relation.kind !== 'c' || !TYPE_CHANGES.has(action)) return;
  for (const { values } of ddl.reader.view.all('pg_class'))
    if (values[PG_CLASS.reloftype] === relation.rowTypeOid) {
      if (cascade)
        throw new DbError('feature_not_supported', 'ALTER TYPE … CASCADE to typed tables is not supported');
      throw new DbError(
        'dependent_objects_still_exist',
        `cannot alter type "${relation.name}" because it is the type of a typed table`,
        { hint: 'Use ALTER ... CASCADE to alter the typed tables too.' },
      );
    }
}
