/**
 * Indexes that do not exist, for the planner: descriptors made from CREATE INDEX, and a catalog that shows them beside the real ones.
 * Nothing of it is ever executed.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { CatalogReader, IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import type { CompileEnvironment } from '../../session/engine.ts';
import { analyseExpression } from '../../sql/analyse/index.ts';
import type { Node } from '../../sql/parse/ast.ts';
import { parseStatements } from '../../sql/parse/parser.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import type { TableStore } from '../../table/contract.ts';

/** Above all real oids, as HypoPG's are out of the way. */
const FIRST_OID = 4_200_000_000;
const ENTRY_BYTES = 12;
const FILL = 0.9;
/** Share of the rows that a partial index is taken to hold, for want of its condition's share. */
export const PARTIAL_SHARE = 0.1;

export interface HypotheticalIndex {
  readonly oid: Oid;
  readonly name: string;
  readonly sql: string;
  readonly relation: RelationDescriptor;
  readonly descriptor: IndexDescriptor;
  readonly sizeBytes: number;
}

interface IndexElement {
  readonly name?: string;
  readonly expr?: Node;
  readonly ordering?: string;
  readonly nulls_ordering?: string;
}

let nextOid = FIRST_OID;

/** Reads CREATE INDEX; 42P01, 42703 and so on for what does not exist. */
export function hypotheticalIndex(
  sql: string,
  environment: CompileEnvironment,
  tables: TableStore,
): HypotheticalIndex {
  const { statements } = parseStatements(sql);
  const tree = statements[0]?.tree as { IndexStmt?: Readonly<Record<string, unknown>> } | undefined;
  if (statements.length !== 1 || tree?.IndexStmt === undefined)
    throw new DbError('syntax_error', 'expected one CREATE INDEX statement');
  const statement = tree.IndexStmt as {
    readonly relation: { readonly schemaname?: string; readonly relname: string };
    readonly accessMethod?: string;
    readonly indexParams: readonly { IndexElem: IndexElement }[];
    readonly indexIncludingParams?: readonly { IndexElem: IndexElement }[];
    readonly whereClause?: Node;
    readonly unique?: boolean;
  };
  const method = statement.accessMethod ?? 'btree';
  if (method !== 'btree') throw notSupported(`a hypothetical index of access method ${method}`);
  const { catalog, path } = environment;
  const { schemaname, relname } = statement.relation;
  const relation = catalog.relationByName(schemaname ?? null, relname, path);
  if (relation === null || (relation.kind !== 'r' && relation.kind !== 'm') || relation.table === null)
    throw new DbError('undefined_table', `relation "${relname}" does not exist`);
  const options = { catalog, path, format: environment.format, relation };
  const columnNumber = (name: string): number => {
    const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
    if (column === undefined) throw new DbError('undefined_column', `column "${name}" does not exist`);
    return column.number;
  };
  const keyColumns: number[] = [];
  const expressions: string[] = [];
  const descending: boolean[] = [];
  const nullsFirst: boolean[] = [];
  for (const { IndexElem: element } of statement.indexParams) {
    if (element.name !== undefined) keyColumns.push(columnNumber(element.name));
    else {
      const expr = analyseExpression(element.expr as Node, { ...options, kind: 'indexExpression' });
      if (expr.kind === 'var' && expr.attribute > 0) keyColumns.push(expr.attribute);
      else {
        keyColumns.push(0);
        expressions.push(serialiseExpr(expr));
      }
    }
    const isDescending = element.ordering === 'SORTBY_DESC';
    descending.push(isDescending);
    nullsFirst.push(
      element.nulls_ordering === 'SORTBY_NULLS_FIRST' ||
        (element.nulls_ordering !== 'SORTBY_NULLS_LAST' && isDescending),
    );
  }
  const predicate =
    statement.whereClause === undefined
      ? null
      : serialiseExpr(analyseExpression(statement.whereClause, { ...options, kind: 'indexPredicate' }));
  const includedColumns = (statement.indexIncludingParams ?? []).map(({ IndexElem }) =>
    columnNumber(IndexElem.name ?? ''),
  );
  const oid = nextOid++ as Oid;
  const columnNames = keyColumns.map((number) => (number === 0 ? 'expr' : relation.columns[number - 1].name));
  const name = `<${oid}>btree_${relation.name}_${columnNames.join('_')}`;
  const descriptor: IndexDescriptor = {
    oid,
    name,
    tableOid: relation.oid,
    accessMethod: 'btree',
    unique: false,
    primary: false,
    valid: true,
    keyColumns,
    includedColumns,
    expressions,
    predicate,
    descending,
    nullsFirst,
    operatorClasses: [],
    schema: {
      indexOid: oid,
      name,
      unique: false,
      primary: false,
      nullsNotDistinct: false,
      keys: [],
      included: [],
      predicate: null,
    },
  };
  return { oid, name, sql, relation, descriptor, sizeBytes: sizeOf(descriptor, relation, tables) };
}

/** Entries times width. */
function sizeOf(descriptor: IndexDescriptor, relation: RelationDescriptor, tables: TableStore): number {
  const table = tables.table(relation.oid);
  const { rows } = table.estimate();
  let width = ENTRY_BYTES;
  for (const number of [...descriptor.keyColumns, ...descriptor.includedColumns])
    width += number === 0 ? 16 : Math.max(1, table.statistics(number - 1).averageWidth);
  return Math.ceil((rows * width * (descriptor.predicate === null ? 1 : PARTIAL_SHARE)) / FILL);
}

/** The catalog with further indexes. */
export function catalogWith(catalog: CatalogReader, indexes: readonly HypotheticalIndex[]): CatalogReader {
  if (indexes.length === 0) return catalog;
  const byTable = new Map<Oid, IndexDescriptor[]>();
  for (const { relation, descriptor } of indexes) {
    const list = byTable.get(relation.oid);
    if (list === undefined) byTable.set(relation.oid, [descriptor]);
    else list.push(descriptor);
  }
  const shown = new Map<Oid, RelationDescriptor>();
  const extend = (relation: RelationDescriptor | null): RelationDescriptor | null => {
    if (relation === null) return null;
    const more = byTable.get(relation.oid);
    if (more === undefined) return relation;
    let extended = shown.get(relation.oid);
    if (extended === undefined) {
      extended = Object.create(relation, {
        indexes: { value: [...relation.indexes, ...more], enumerable: true },
      }) as RelationDescriptor;
      shown.set(relation.oid, extended);
    }
    return extended;
  };
  return Object.create(catalog, {
    relation: { value: (oid: Oid) => extend(catalog.relation(oid)) },
    relationByName: {
      value: (...args: Parameters<CatalogReader['relationByName']>) =>
        extend(catalog.relationByName(...args)),
    },
  }) as CatalogReader;
}
