/** Type names as SQL writes them: what format_type() answers. */
import type { Oid } from '../base/brands.ts';
import type { SearchPath } from './contract.ts';
import { PG_TYPE } from './data/columns.ts';
import { qualifiedName, quoteIdentifier } from './identifiers.ts';
import type { CatalogReaderImplementation } from './reader.ts';

const PG_CATALOG = 11;

/** Fields of interval in its typmod's upper half. */
const INTERVAL_FIELDS: ReadonlyMap<number, string> = new Map([
  [1 << 2, ' year'],
  [1 << 1, ' month'],
  [1 << 3, ' day'],
  [1 << 10, ' hour'],
  [1 << 11, ' minute'],
  [1 << 12, ' second'],
  [(1 << 2) | (1 << 1), ' year to month'],
  [(1 << 3) | (1 << 10), ' day to hour'],
  [(1 << 3) | (1 << 10) | (1 << 11), ' day to minute'],
  [(1 << 3) | (1 << 10) | (1 << 11) | (1 << 12), ' day to second'],
  [(1 << 10) | (1 << 11), ' hour to minute'],
  [(1 << 10) | (1 << 11) | (1 << 12), ' hour to second'],
  [(1 << 11) | (1 << 12), ' minute to second'],
]);

function intervalModifier(typmod: number): string {
  const fields = (typmod >> 16) & 0x7fff;
  const precision = typmod & 0xffff;
  const text = INTERVAL_FIELDS.get(fields) ?? '';
  return precision === 0xffff ? text : `${text}(${precision})`;
}

/** Text of a type modifier, for types with one. */
function modifierText(typeOid: Oid, typmod: number): string {
  switch (typeOid) {
    case 1042:
    case 1043:
      return `(${typmod - 4})`;
    case 1560:
    case 1562:
      return `(${typmod})`;
    case 1700: {
      // The scale has 11 bits and a sign.
      const scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
      return `(${((typmod - 4) >> 16) & 0xffff},${scale})`;
    }
    case 1083:
    case 1114:
    case 1184:
    case 1266:
      return `(${typmod})`;
    case 1186:
      return intervalModifier(typmod);
    default:
      return typmod >= 0 ? `(${typmod})` : '';
  }
}

/** SQL spellings; the modifier goes where `%` stands. */
const SPELLINGS: ReadonlyMap<Oid, string> = new Map([
  [1560, 'bit%'],
  [16, 'boolean'],
  [1042, 'character%'],
  [700, 'real'],
  [701, 'double precision'],
  [23, 'integer'],
  [21, 'smallint'],
  [20, 'bigint'],
  [1700, 'numeric%'],
  [1186, 'interval%'],
  [1083, 'time% without time zone'],
  [1266, 'time% with time zone'],
  [1114, 'timestamp% without time zone'],
  [1184, 'timestamp% with time zone'],
  [1562, 'bit varying%'],
  [1043, 'character varying%'],
]);

export interface FormatTypeOptions {
  /** undefined = no modifier was given (a name only); -1 = known to have none. */
  typmod?: number;
  /** Schema-qualify unless visible by this path; undefined = never qualify pg_catalog, always others. */
  path?: SearchPath;
  forceQualify?: boolean;
}

/** As format_type_extended(). '???' for an unknown oid, '-' for 0. */
export function formatType(
  reader: CatalogReaderImplementation,
  oid: Oid,
  options: FormatTypeOptions = {},
): string {
  if (oid === 0) return '-';
  const row = reader.view.get('pg_type', oid)?.values;
  if (row === undefined) return '???';
  const type = reader.type(oid)!;
  if (type.isTrueArray && row[PG_TYPE.typstorage] !== 'p')
    return `${formatType(reader, type.elementOid, options)}[]`;
  const typmod = options.typmod ?? -1;
  // bpchar without length is the internal name: "character" would mean character(1); same for bit and "char".
  if (oid === 1042 && options.typmod !== undefined && typmod < 0) return 'bpchar';
  if (oid === 1560 && options.typmod !== undefined && typmod < 0) return '"bit"';
  if (oid === 18) return '"char"';
  const spelling = SPELLINGS.get(oid);
  if (spelling !== undefined) return spelling.replace('%', typmod >= 0 ? modifierText(oid, typmod) : '');
  const name =
    options.forceQualify === true || !isTypeVisible(reader, oid, options.path)
      ? qualifiedName(reader.namespaceName(type.namespaceOid) ?? '', type.name)
      : quoteIdentifier(type.name);
  return typmod >= 0 ? name + modifierText(oid, typmod) : name;
}

function isTypeVisible(reader: CatalogReaderImplementation, oid: Oid, path: SearchPath | undefined): boolean {
  const type = reader.type(oid)!;
  if (path === undefined) return type.namespaceOid === PG_CATALOG;
  return reader.typeByName(null, type.name, path)?.oid === oid;
}
