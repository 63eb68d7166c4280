/**
 * Reads the data files: PostgreSQL's own rows of the catalogs, as facts.
 *
 * Rows stay text until a catalog is first looked at; most sessions never touch the text search or conversion catalogs.
 */
import { internalError } from '../base/error.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import { CATALOG_DATA, type CatalogName } from './data/index.ts';
import { ownRows } from './own-functions.ts';

/** Shape of one data file; written by tools/catalog-data. */
export interface CatalogData {
  readonly oid: number;
  /** Column name and type name. */
  readonly columns: readonly (readonly [string, string])[];
  /** Columns with one value in all rows. */
  readonly constants: Readonly<Record<string, string>>;
  /** The other columns, tab-separated in COPY's text format. */
  readonly rows: readonly string[];
}

/** A row of a catalog: one Datum per column, in attnum order. */
export type CatalogRow = readonly Datum[];

const ELEMENT_TYPES: Readonly<Record<string, number>> = {
  _oid: 26,
  _char: 18,
  _text: 25,
  _aclitem: 1033,
  _int2: 21,
  _name: 19,
  _float4: 700,
};

function unescapeCopyText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/gs, (_, character: string) => {
    switch (character) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      default:
        return character;
    }
  });
}

/** Elements of a one-dimensional array literal; quotes and backslashes as array_out writes them. */
export function parseArrayText(text: string): (string | null)[] {
  const elements: (string | null)[] = [];
  let at = 1;
  while (at < text.length && text[at] !== '}') {
    let value = '';
    if (text[at] === '"') {
      at++;
      while (text[at] !== '"') {
        if (text[at] === '\\') at++;
        value += text[at++];
      }
      at++;
      elements.push(value);
    } else {
      const start = at;
      while (text[at] !== ',' && text[at] !== '}') at++;
      value = text.slice(start, at);
      elements.push(value === 'NULL' ? null : value);
    }
    if (text[at] === ',') at++;
  }
  return elements;
}

/** A value of the data files. */
export function parseValue(text: string, type: string): Datum {
  if (text === '\\N') return null;
  switch (type) {
    case 'bool':
      return text === 't';
    case 'oid':
    case 'int2':
    case 'int4':
    case 'float4':
    case 'float8':
    case 'xid':
    case 'regproc':
    case 'regtype':
      return Number(text);
    case 'int8':
      return BigInt(text);
    case 'oidvector':
    case 'int2vector': {
      const parts = text === '' ? [] : text.split(' ').map(Number);
      // The vector types count from 0.
      return new SqlArray(
        type === 'oidvector' ? 26 : 21,
        parts,
        parts.length === 0 ? [] : [parts.length],
        parts.length === 0 ? [] : [0],
      );
    }
    default: {
      const elementType = ELEMENT_TYPES[type];
      if (elementType === undefined) return unescapeCopyText(text);
      const elements = parseArrayText(unescapeCopyText(text));
      return new SqlArray(
        elementType,
        elementType === 26 || elementType === 21 || elementType === 700
          ? elements.map((element) => (element === null ? null : Number(element)))
          : elements,
      );
    }
  }
}

/** The catalog's rows in a fresh PostgreSQL 15, and our own beside them. */
export function staticRows(name: CatalogName): CatalogRow[] {
  const data = CATALOG_DATA[name];
  const parsers = data.columns.map(([column, type]) => ({
    type,
    constant: column in data.constants ? parseValue(data.constants[column]!, type) : undefined,
  }));
  const varying = parsers.filter((parser) => parser.constant === undefined).length;
  return [...data.rows, ...ownRows(name)].map((line) => {
    const fields = line.split('\t');
    if (fields.length !== varying) throw internalError(`catalog data ${name}: ${fields.length} fields`);
    let next = 0;
    return parsers.map((parser) =>
      parser.constant === undefined ? parseValue(fields[next++]!, parser.type) : parser.constant,
    );
  });
}
