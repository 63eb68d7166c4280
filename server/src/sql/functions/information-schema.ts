/** Helpers that PostgreSQL keeps in information_schema, and its list of keywords. Clients call both by name. */
import type { Datum, SqlArray, SqlRecord } from '../../types/datum.ts';
import { OID } from '../../types/oid.ts';
import { KEYWORDS, type KeywordClass } from '../parse/keywords.ts';
import type { SetFunction } from './contract.ts';
import { type FunctionTable, pureTable, setFunction } from './registry.ts';

function characterLength(type: number, typmod: number): number | null {
  if (typmod === -1) return null;
  if (type === OID.BPCHAR || type === OID.VARCHAR) return typmod - 4;
  return type === OID.BIT || type === OID.VARBIT ? typmod : null;
}

const BINARY_PRECISION: ReadonlyMap<number, number> = new Map<number, number>([
  [OID.INT2, 16],
  [OID.INT4, 32],
  [OID.INT8, 64],
  [OID.FLOAT4, 24],
  [OID.FLOAT8, 53],
]);

const byName = pureTable({
  _pg_char_max_length: characterLength,
  _pg_char_octet_length: (type: number, typmod: number) => {
    if (type !== OID.TEXT && type !== OID.BPCHAR && type !== OID.VARCHAR) return null;
    return typmod === -1 ? 2 ** 30 : (characterLength(type, typmod) ?? 0) * 4;
  },
  _pg_numeric_precision: (type: number, typmod: number) =>
    type === OID.NUMERIC
      ? typmod === -1
        ? null
        : ((typmod - 4) >> 16) & 0xffff
      : (BINARY_PRECISION.get(type) ?? null),
  _pg_numeric_precision_radix: (type: number) =>
    type === OID.NUMERIC ? 10 : BINARY_PRECISION.has(type) ? 2 : null,
  _pg_numeric_scale: (type: number, typmod: number) => {
    if (type === OID.INT2 || type === OID.INT4 || type === OID.INT8) return 0;
    return type === OID.NUMERIC && typmod !== -1 ? (typmod - 4) & 0x7ff : null;
  },
  _pg_datetime_precision: (type: number, typmod: number) => {
    switch (type) {
      case OID.DATE:
        return 0;
      case OID.TIME:
      case OID.TIMETZ:
      case OID.TIMESTAMP:
      case OID.TIMESTAMPTZ:
        return typmod < 0 ? 6 : typmod;
      case OID.INTERVAL:
        return typmod < 0 || (typmod & 0xffff) === 0xffff ? 6 : typmod & 0xffff;
      default:
        return null;
    }
  },
});

/** Fields of the rows of pg_attribute and pg_type that the standard's type of a column follows from. */
function field(record: SqlRecord, name: string): number {
  return record.fields[record.fieldNames.indexOf(name)] as number;
}

function isDomain(type: SqlRecord): boolean {
  return (type.fields[type.fieldNames.indexOf('typtype')] as string) === 'd';
}

const ofRows = pureTable({
  _pg_truetypid: (attribute: SqlRecord, type: SqlRecord) =>
    isDomain(type) ? field(type, 'typbasetype') : field(attribute, 'atttypid'),
  _pg_truetypmod: (attribute: SqlRecord, type: SqlRecord) =>
    isDomain(type) ? field(type, 'typtypmod') : field(attribute, 'atttypmod'),
});

/** The functions are written in SQL in PostgreSQL, so our catalog finds them by OID. */
export const informationSchemaFunctions: FunctionTable = {
  '#13210': ofRows['_pg_truetypid']!,
  '#13211': ofRows['_pg_truetypmod']!,
  '#13212': byName['_pg_char_max_length']!,
  '#13213': byName['_pg_char_octet_length']!,
  '#13215': byName['_pg_numeric_precision']!,
  '#13216': byName['_pg_numeric_precision_radix']!,
  '#13217': byName['_pg_numeric_scale']!,
  '#13218': byName['_pg_datetime_precision']!,
};

/** Keywords that need AS to be a column label. */
const REQUIRES_AS = new Set(
  (
    'array as char character create day except fetch filter for from grant group having hour intersect into isnull limit minute ' +
    'month notnull offset on order over overlaps precision returning second to union varying where window with within without year'
  ).split(' '),
);
const CLASSES: Readonly<Record<KeywordClass, readonly [string, string]>> = {
  unreserved: ['U', 'unreserved'],
  columnName: ['C', 'unreserved (cannot be function or type name)'],
  typeFunctionName: ['T', 'reserved (can be function or type name)'],
  reserved: ['R', 'reserved'],
};

function* keywords(): Generator<readonly Datum[]> {
  for (const word of [...KEYWORDS.keys()].sort()) {
    const isBare = !REQUIRES_AS.has(word);
    const [code, description] = CLASSES[KEYWORDS.get(word)!];
    yield [word, code, isBare, description, isBare ? 'can be bare label' : 'requires AS'];
  }
}

export const informationSchemaSetFunctions: Record<string, SetFunction> = {
  '#13208': setFunction(
    true,
    () =>
      function* (array: SqlArray): Generator<readonly Datum[]> {
        if (array.dimensions.length !== 1) return;
        for (let index = 0; index < array.elements.length; index++) yield [array.elements[index]!, index + 1];
      },
  ),
  pg_get_keywords: setFunction(true, () => keywords),
};
