/**
 * Table, index and sequence definitions as JSON text, for log records and the manifest: what a start needs before there
 * is a catalog. Functions (index expressions, predicates) cannot be stored; `attachIndex` brings them back.
 */
import { DbError } from '../base/error.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { decodeValue, encodeValue } from '../types/value-bytes.ts';
import type { IndexSchema, SequenceState, TableSchema } from './contract.ts';

export type TypeResolver = (oid: number) => TypeSupport;

/** Type of dropped columns after a start: nobody reads their values. */
const PLACEHOLDER_TYPE = 25;

interface StoredColumn {
  name: string;
  type: number;
  typmod: number;
  notNull: boolean;
  dropped: boolean;
  /** Hex of the value's bytes, null for NULL. */
  missing: string | null;
}

interface StoredTable {
  oid: number;
  name: string;
  persistence: TableSchema['persistence'];
  columns: StoredColumn[];
}

interface StoredIndex {
  oid: number;
  name: string;
  unique: boolean;
  primary: boolean;
  nullsNotDistinct: boolean;
  keys: { column: number; type: number; descending: boolean; nullsFirst: boolean }[];
  included: number[];
  hasPredicate: boolean;
}

function valueText(support: TypeSupport, value: Datum): string | null {
  return value === null ? null : Buffer.from(encodeValue(support, value)).toString('hex');
}

export function tableToText(schema: TableSchema): string {
  const stored: StoredTable = {
    oid: schema.tableOid,
    name: schema.name,
    persistence: schema.persistence,
    columns: schema.columns.map((column) => ({
      name: column.name,
      type: column.dropped ? PLACEHOLDER_TYPE : column.support.oid,
      typmod: column.typmod,
      notNull: column.notNull,
      dropped: column.dropped,
      missing: column.dropped ? null : valueText(column.support, column.missingValue),
    })),
  };
  return JSON.stringify(stored);
}

export function tableFromText(text: string, resolve: TypeResolver): TableSchema {
  const stored = parse<StoredTable>(text);
  return {
    tableOid: stored.oid,
    name: stored.name,
    persistence: stored.persistence,
    columns: stored.columns.map((column) => {
      const support = resolve(column.type);
      return {
        name: column.name,
        typeOid: column.type,
        typmod: column.typmod,
        support,
        notNull: column.notNull,
        dropped: column.dropped,
        missingValue:
          column.missing === null ? null : decodeValue(support, Buffer.from(column.missing, 'hex')),
      };
    }),
  };
}

export function indexToText(schema: IndexSchema): string {
  const stored: StoredIndex = {
    oid: schema.indexOid,
    name: schema.name,
    unique: schema.unique,
    primary: schema.primary,
    nullsNotDistinct: schema.nullsNotDistinct,
    keys: schema.keys.map((key) => ({
      column: key.column,
      type: key.support.oid,
      descending: key.descending,
      nullsFirst: key.nullsFirst,
    })),
    included: [...schema.included],
    hasPredicate: schema.predicate !== null,
  };
  return JSON.stringify(stored);
}

/** `needsFunctions`: expressions or a predicate are missing until `attachIndex`. */
export function indexFromText(
  text: string,
  resolve: TypeResolver,
): { schema: IndexSchema; needsFunctions: boolean } {
  const stored = parse<StoredIndex>(text);
  const schema: IndexSchema = {
    indexOid: stored.oid,
    name: stored.name,
    unique: stored.unique,
    primary: stored.primary,
    nullsNotDistinct: stored.nullsNotDistinct,
    keys: stored.keys.map((key) => ({
      column: key.column,
      expression: null,
      support: resolve(key.type),
      descending: key.descending,
      nullsFirst: key.nullsFirst,
    })),
    included: stored.included,
    predicate: null,
  };
  return { schema, needsFunctions: stored.hasPredicate || stored.keys.some((key) => key.column < 0) };
}

const SEQUENCE_FIELDS = ['start', 'increment', 'minimum', 'maximum', 'cache', 'lastValue'] as const;

export function sequenceToText(state: SequenceState): string {
  const stored: Record<string, string | boolean> = { cycle: state.cycle, isCalled: state.isCalled };
  for (const field of SEQUENCE_FIELDS) stored[field] = state[field].toString();
  return JSON.stringify(stored);
}

export function sequenceFromText(text: string): SequenceState {
  const stored = parse<Record<string, string | boolean>>(text);
  const number = (field: (typeof SEQUENCE_FIELDS)[number]): bigint => BigInt(stored[field] as string);
  return {
    start: number('start'),
    increment: number('increment'),
    minimum: number('minimum'),
    maximum: number('maximum'),
    cache: number('cache'),
    lastValue: number('lastValue'),
    cycle: stored.cycle === true,
    isCalled: stored.isCalled === true,
  };
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new DbError('data_corrupted', 'stored definition is no valid JSON', { detail: text.slice(0, 200) });
  }
}
