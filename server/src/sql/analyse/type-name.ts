/** Type names: as written in a statement → (oid, typmod), and back to text as format_type prints them. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { CatalogReader, SearchPath, TypeDescriptor } from '../../catalog/contract.ts';
import { type Node, positionOf, stringsOf, type TypeName, tagOf } from '../parse/ast.ts';
import { quoteIdentifier, quoteQualified } from '../parse/keywords.ts';
import { closestNames } from '../parse/spelling.ts';
import * as T from './oids.ts';
import type { StatementContext } from './scope.ts';

export interface TypeReference {
  typeOid: Oid;
  typmod: number;
}

const SQL_NAMES: Readonly<Record<number, string>> = {
  [T.BOOL]: 'boolean',
  [T.INT2]: 'smallint',
  [T.INT4]: 'integer',
  [T.INT8]: 'bigint',
  [T.FLOAT4]: 'real',
  [T.FLOAT8]: 'double precision',
  [T.NUMERIC]: 'numeric',
  [T.BPCHAR]: 'character',
  [T.CHAR_TYPE]: '"char"',
  [T.VARCHAR]: 'character varying',
  [T.BIT]: 'bit',
  [T.VARBIT]: 'bit varying',
  [T.TIME]: 'time without time zone',
  [T.TIMETZ]: 'time with time zone',
  [T.TIMESTAMP]: 'timestamp without time zone',
  [T.TIMESTAMPTZ]: 'timestamp with time zone',
  [T.INTERVAL]: 'interval',
};

/** format_type: SQL names for the standard types, `[]` for arrays, the schema only where the path hides the type. */
export function formatType(catalog: CatalogReader, path: SearchPath, oid: Oid, typmod = -1): string {
  if (oid === 0) return '-';
  const type = catalog.type(oid);
  if (!type) return '???';
  // int2vector and oidvector are arrays with names of their own.
  if (
    type.isTrueArray &&
    type.elementOid !== 0 &&
    type.kind !== 'd' &&
    oid !== T.INT2VECTOR &&
    oid !== T.OIDVECTOR
  )
    return `${formatType(catalog, path, type.elementOid, typmod)}[]`;
  const standard = SQL_NAMES[oid];
  if (standard !== undefined) {
    // bpchar without a length is not character, which means character(1).
    if (oid === T.BPCHAR && typmod === -1) return 'character';
    if (oid === T.BIT && typmod === -1) return 'bit';
    return withTypmod(oid, standard, typmod);
  }
  const visible = catalog.typeByName(null, type.name, path);
  const name =
    visible?.oid === oid
      ? quoteIdentifier(type.name)
      : quoteQualified(catalog.namespaceName(type.namespaceOid), type.name);
  return name;
}

/** format_type_with_typemod: like {@link formatType}, but "no modifier" of char and bit is told from the default length 1. */
export function formatTypeWithTypmod(
  catalog: CatalogReader,
  path: SearchPath,
  oid: Oid,
  typmod: number,
): string {
  if (oid === T.BPCHAR && typmod < 0) return 'bpchar';
  if (oid === T.BIT && typmod < 0) return '"bit"';
  return formatType(catalog, path, oid, typmod);
}

/** Typmod printed into the name, as the types' typmodout functions do. */
function withTypmod(oid: Oid, name: string, typmod: number): string {
  if (typmod < 0) return name;
  switch (oid) {
    case T.NUMERIC: {
      const packed = typmod - 4;
      const precision = (packed >> 16) & 0xffff;
      const scale = ((packed & 0x7ff) ^ 1024) - 1024;
      return `numeric(${precision},${scale})`;
    }
    case T.BPCHAR:
    case T.VARCHAR:
      return `${name}(${typmod - 4})`;
    case T.BIT:
    case T.VARBIT:
      return `${name}(${typmod})`;
    case T.TIME:
    case T.TIMETZ:
    case T.TIMESTAMP:
    case T.TIMESTAMPTZ: {
      const space = name.indexOf(' ');
      return `${name.slice(0, space)}(${typmod})${name.slice(space)}`;
    }
    case T.INTERVAL: {
      const fields = INTERVAL_FIELDS.get((typmod >> 16) & 0x7fff);
      const precision = typmod & 0xffff;
      return `interval${fields ? ` ${fields}` : ''}${precision === 0xffff ? '' : `(${precision})`}`;
    }
    default:
      return name;
  }
}

const MONTH = 1 << 1;
const YEAR = 1 << 2;
const DAY = 1 << 3;
const HOUR = 1 << 10;
const MINUTE = 1 << 11;
const SECOND = 1 << 12;
const INTERVAL_FULL_RANGE = 0x7fff;
const INTERVAL_FULL_PRECISION = 0xffff;

const INTERVAL_FIELDS: ReadonlyMap<number, string> = new Map([
  [YEAR, 'year'],
  [MONTH, 'month'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [SECOND, 'second'],
  [YEAR | MONTH, 'year to month'],
  [DAY | HOUR, 'day to hour'],
  [DAY | HOUR | MINUTE, 'day to minute'],
  [DAY | HOUR | MINUTE | SECOND, 'day to second'],
  [HOUR | MINUTE, 'hour to minute'],
  [HOUR | MINUTE | SECOND, 'hour to second'],
  [MINUTE | SECOND, 'minute to second'],
]);

/** Name for messages of a statement. */
export function typeLabel(context: StatementContext, oid: Oid): string {
  return formatType(context.catalog, context.path, oid);
}

/** Text of a type name as written, for messages. */
export function typeNameText(typeName: TypeName): string {
  const names = stringsOf(typeName.names);
  return `${names.join('.')}${typeName.arrayBounds?.length ? '[]' : ''}`;
}

/** Looks a written type up; null when there is none. A column's type by %TYPE is resolved too. */
export function lookupType(context: StatementContext, typeName: TypeName): TypeDescriptor | null {
  const { catalog, path } = context;
  const names = stringsOf(typeName.names);
  if (typeName.pct_type) {
    const columnName = names[names.length - 1];
    const relation = catalog.relationByName(
      names.length > 2 ? names[names.length - 3] : null,
      names[names.length - 2] ?? '',
      path,
    );
    if (!relation)
      throw new DbError('undefined_table', `relation "${names.slice(0, -1).join('.')}" does not exist`).at(
        positionOf(typeName.location),
      );
    const column = relation.columns.find((item) => item.name === columnName && !item.dropped);
    if (!column)
      throw new DbError(
        'undefined_column',
        `column "${columnName}" of relation "${relation.name}" does not exist`,
      ).at(positionOf(typeName.location));
    return catalog.type(column.typeOid);
  }
  if (names.length === 0) return catalog.type(typeName.typeOid ?? 0);
  const schema = names.length > 1 ? names[names.length - 2] : null;
  if (schema !== null && !catalog.namespaceByName(schema))
    throw new DbError('undefined_schema', `schema "${schema}" does not exist`).at(
      positionOf(typeName.location),
    );
  const type = catalog.typeByName(schema, names[names.length - 1], path);
  if (!type || !typeName.arrayBounds?.length) return type;
  return type.arrayOid ? catalog.type(type.arrayOid) : type.isTrueArray ? type : null;
}

/** Resolves a written type. 42704 when it does not exist, 22023 and others for wrong modifiers. */
export function resolveTypeName(context: StatementContext, typeName: TypeName): TypeReference {
  const type = lookupType(context, typeName);
  const position = positionOf(typeName.location);
  if (!type) {
    const names = stringsOf(typeName.names);
    const close = closestNames(
      names[names.length - 1] ?? '',
      context.catalog.typeNames(names.length > 1 ? names[names.length - 2] : null, context.path),
    );
    throw new DbError('undefined_object', `type "${typeNameText(typeName)}" does not exist`, {
      ...(close.length > 0 ? { hint: `Did you mean "${close[0]}"?` } : {}),
    }).at(position);
  }
  if (type.kind === 'p' && type.oid === 0)
    throw new DbError('undefined_object', `type "${type.name}" is only a shell`).at(position);
  return { typeOid: type.oid, typmod: typmodOf(context, type, typeName) };
}

function typmodOf(context: StatementContext, type: TypeDescriptor, typeName: TypeName): number {
  const modifiers = typeName.typmods;
  if (!modifiers || modifiers.length === 0) return typeName.typemod ?? -1;
  const position = positionOf(typeName.location);
  const values = modifiers.map((node) => modifierValue(node, position));
  const base = type.isTrueArray && type.elementOid ? type.elementOid : type.oid;
  const typmod = typmodIn(base, values, position);
  if (typmod === null)
    throw new DbError(
      'syntax_error',
      `type modifier is not allowed for type "${context.catalog.type(base)?.name ?? type.name}"`,
    ).at(position);
  return typmod;
}

function modifierValue(node: Node, position: number | undefined): number {
  const constant = 'A_Const' in node ? node.A_Const : undefined;
  if (constant?.ival) return constant.ival.ival ?? 0;
  const text =
    constant?.fval?.fval ?? constant?.sval?.sval ?? (tagOf(node) === 'ColumnRef' ? 'name' : undefined);
  if (text === undefined || tagOf(node) === 'ColumnRef')
    throw new DbError('syntax_error', 'type modifiers must be simple constants or identifiers').at(position);
  if (!/^[+-]?\d+$/.test(text))
    throw new DbError('invalid_text_representation', `invalid input syntax for type integer: "${text}"`).at(
      position,
    );
  return Number(text);
}

/** Modifiers → typmod as the types' typmodin functions compute it; null = the type takes none. */
export function typmodIn(typeOid: Oid, values: readonly number[], position?: number): number | null {
  const fail = (message: string): DbError => new DbError('invalid_parameter_value', message).at(position);
  switch (typeOid) {
    case T.BPCHAR:
    case T.VARCHAR: {
      const name = typeOid === T.BPCHAR ? 'char' : 'varchar';
      if (values.length !== 1) throw fail('invalid type modifier');
      if (values[0] < 1) throw fail(`length for type ${name} must be at least 1`);
      if (values[0] > 10485760) throw fail(`length for type ${name} cannot exceed 10485760`);
      return values[0] + 4;
    }
    case T.BIT:
    case T.VARBIT: {
      const name = typeOid === T.BIT ? 'bit' : 'varbit';
      if (values.length !== 1) throw fail('invalid type modifier');
      if (values[0] < 1) throw fail(`length for type ${name} must be at least 1`);
      if (values[0] > 83886080) throw fail(`length for type ${name} cannot exceed 83886080`);
      return values[0];
    }
    case T.NUMERIC: {
      if (values.length < 1 || values.length > 2) throw fail('invalid NUMERIC type modifier');
      const [precision, scale = 0] = values;
      if (precision < 1 || precision > 1000)
        throw fail(`NUMERIC precision ${precision} must be between 1 and 1000`);
      if (scale < -1000 || scale > 1000) throw fail(`NUMERIC scale ${scale} must be between -1000 and 1000`);
      return ((precision << 16) | (scale & 0x7ff)) + 4;
    }
    case T.TIME:
    case T.TIMETZ:
    case T.TIMESTAMP:
    case T.TIMESTAMPTZ: {
      if (values.length !== 1) throw fail('invalid type modifier');
      const label = typeOid === T.TIME || typeOid === T.TIMETZ ? 'TIME' : 'TIMESTAMP';
      const zone = typeOid === T.TIMETZ || typeOid === T.TIMESTAMPTZ ? ' WITH TIME ZONE' : '';
      if (values[0] < 0) throw fail(`${label}(${values[0]})${zone} precision must not be negative`);
      return Math.min(values[0], 6);
    }
    case T.INTERVAL: {
      const [range, precision] = values;
      if (!INTERVAL_FIELDS.has(range) && range !== INTERVAL_FULL_RANGE)
        throw fail('invalid INTERVAL type modifier');
      if (values.length === 1)
        return range === INTERVAL_FULL_RANGE ? -1 : (INTERVAL_FULL_PRECISION | (range << 16)) >>> 0;
      if (values.length !== 2) throw fail('invalid INTERVAL type modifier');
      if (precision < 0) throw fail(`INTERVAL(${precision}) precision must not be negative`);
      return (Math.min(precision, 6) | (range << 16)) >>> 0;
    }
    default:
      return null;
  }
}
