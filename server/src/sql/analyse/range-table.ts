/** Range table entries and the namespace items that show them. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { type Alias, positionOf, type RangeVar, stringsOf } from '../parse/ast.ts';
import { closestNames } from '../parse/spelling.ts';
import type {
  CteEntry,
  Expr,
  FunctionEntry,
  JoinEntry,
  JoinType,
  Query,
  RangeTableEntry,
  RelationEntry,
  SubqueryEntry,
  ValuesEntry,
} from '../tree.ts';
import type { CommonTableState, NamespaceItem, Scope } from './scope.ts';

export type ColumnType = { typeOid: Oid; typmod: number; collation: Oid };

export function columnTypeOf(expr: Expr): ColumnType {
  return { typeOid: expr.typeOid, typmod: expr.typmod, collation: expr.collation };
}

/** Item showing all columns of an entry. */
export function makeItem(
  entry: RangeTableEntry,
  index: number,
  name: string | null = entry.alias,
): NamespaceItem {
  const columns = [];
  for (let number = 0; number < entry.columnNames.length; number++) {
    // Dropped columns have no name and cannot be referred to.
    if (entry.columnNames[number] === '') continue;
    columns.push({
      name: entry.columnNames[number],
      relation: index,
      attribute: number + 1,
      displayRelation: index,
      displayAttribute: number + 1,
      ...entry.columnTypes[number],
    });
  }
  return {
    name,
    index,
    entry,
    columns,
    isRelationVisible: true,
    areColumnsVisible: true,
    isLateralOnly: false,
    isLateralOk: true,
  };
}

export function relationText(rangeVar: RangeVar): string {
  return rangeVar.schemaname ? `${rangeVar.schemaname}.${rangeVar.relname}` : (rangeVar.relname ?? '');
}

/** Finds the relation a statement names. 42P01 with a guess when there is none. */
export function openRelation(scope: Scope, rangeVar: RangeVar): RelationDescriptor {
  const { catalog, context } = scope;
  const position = positionOf(rangeVar.location);
  if (rangeVar.catalogname && rangeVar.catalogname !== catalog.databaseName)
    throw new DbError(
      'feature_not_supported',
      `cross-database references are not implemented: "${rangeVar.catalogname}.${relationText(rangeVar)}"`,
    ).at(position);
  const relation = catalog.relationByName(rangeVar.schemaname ?? null, rangeVar.relname ?? '', context.path);
  if (!relation) throw missingRelation(scope, rangeVar).at(position);
  if (relation.kind === 'i' || relation.kind === 'I' || relation.kind === 'c')
    throw new DbError('wrong_object_type', `cannot open relation "${relation.name}"`, {
      detail: `This operation is not supported for ${relation.kind === 'c' ? 'composite types' : 'indexes'}.`,
    }).at(position);
  return relation;
}

function missingRelation(scope: Scope, rangeVar: RangeVar): DbError {
  const name = rangeVar.relname ?? '';
  const message = `relation "${relationText(rangeVar)}" does not exist`;
  if (!rangeVar.schemaname) {
    for (let level: Scope | null = scope; level; level = level.parent)
      if (level.futureTables.includes(name))
        return new DbError('undefined_table', message, {
          detail: `There is a WITH item named "${name}", but it cannot be referenced from this part of the query.`,
          hint: 'Use WITH RECURSIVE, or re-order the WITH items to remove forward references.',
        });
  }
  const { catalog, context } = scope;
  const close = closestNames(name, catalog.relationNames(rangeVar.schemaname ?? null, context.path));
  return new DbError(
    'undefined_table',
    message,
    close.length > 0 ? { hint: `Did you mean "${close[0]}"?` } : {},
  );
}

function applyAlias(names: string[], alias: Alias | undefined, label: string, what: string): void {
  const given = stringsOf(alias?.colnames);
  if (given.length === 0) return;
  // Dropped columns keep their empty names; aliases go to the live ones in order.
  const live: number[] = [];
  names.forEach((name, index) => {
    if (name !== '') live.push(index);
  });
  if (given.length > live.length)
    throw new DbError(
      'invalid_column_reference',
      `${what} "${label}" has ${live.length} columns available but ${given.length} columns specified`,
    );
  given.forEach((name, index) => {
    names[live[index]] = name;
  });
}

export function relationEntry(
  scope: Scope,
  relation: RelationDescriptor,
  options: {
    alias?: Alias;
    only?: boolean;
    lockMode: RelationEntry['lockMode'];
    inFrom: boolean;
  },
): RelationEntry {
  const alias = options.alias?.aliasname ?? relation.name;
  const columnNames = relation.columns.map((column) => (column.dropped ? '' : column.name));
  applyAlias(columnNames, options.alias, alias, 'table');
  const entry: RelationEntry = {
    kind: 'relation',
    relationOid: relation.oid,
    only: options.only ?? false,
    lockMode: options.lockMode,
    privileges: [],
    asRole: 0,
    sample: null,
    alias,
    columnNames,
    columnTypes: relation.columns.map((column) => ({
      typeOid: column.typeOid,
      typmod: column.typmod,
      collation: column.collation,
    })),
    lateral: false,
    inFrom: options.inFrom,
  };
  scope.addEntry(entry);
  return entry;
}

export function subqueryEntry(
  scope: Scope,
  query: Query,
  alias: Alias | undefined,
  lateral: boolean,
  inFrom: boolean,
): SubqueryEntry {
  const outputs = outputColumns(query);
  const columnNames = outputs.map((column) => column.name);
  const name = alias?.aliasname ?? 'unnamed_subquery';
  applyAlias(columnNames, alias, name, 'table');
  const entry: SubqueryEntry = {
    kind: 'subquery',
    query,
    viewOid: 0,
    securityBarrier: false,
    alias: alias ? name : '',
    columnNames,
    columnTypes: outputs.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
    lateral,
    inFrom,
  };
  scope.addEntry(entry);
  return entry;
}

export function valuesEntry(
  scope: Scope,
  rows: Expr[][],
  columnTypes: ColumnType[],
  inFrom: boolean,
): ValuesEntry {
  const entry: ValuesEntry = {
    kind: 'values',
    rows,
    alias: '*VALUES*',
    columnNames: columnTypes.map((_, index) => `column${index + 1}`),
    columnTypes,
    lateral: false,
    inFrom,
  };
  scope.addEntry(entry);
  return entry;
}

export function functionEntry(
  scope: Scope,
  functions: FunctionEntry['functions'],
  columns: { name: string; type: ColumnType }[],
  alias: Alias | undefined,
  label: string,
  ordinality: boolean,
  lateral: boolean,
): FunctionEntry {
  const columnNames = columns.map((column) => column.name);
  const columnTypes = columns.map((column) => column.type);
  if (ordinality) {
    columnNames.push('ordinality');
    columnTypes.push({ typeOid: 20, typmod: -1, collation: 0 });
  }
  applyAlias(columnNames, alias, label, 'table');
  const entry: FunctionEntry = {
    kind: 'function',
    functions,
    ordinality,
    alias: label,
    columnNames,
    columnTypes,
    lateral,
    inFrom: true,
  };
  scope.addEntry(entry);
  return entry;
}

export function cteEntry(
  scope: Scope,
  state: CommonTableState,
  levelsUp: number,
  rangeVar: RangeVar,
  inFrom: boolean,
): CteEntry {
  const { table } = state;
  if (state.isModifying && !state.hasReturning)
    throw new DbError(
      'feature_not_supported',
      `WITH query "${table.name}" does not have a RETURNING clause`,
    ).at(positionOf(rangeVar.location));
  table.references++;
  const alias = rangeVar.alias?.aliasname ?? table.name;
  const columnNames = [...table.columnNames];
  applyAlias(columnNames, rangeVar.alias, alias, 'table');
  const entry: CteEntry = {
    kind: 'cte',
    cteName: table.name,
    levelsUp,
    selfReference: !state.isAnalysed,
    alias,
    columnNames,
    columnTypes: table.columnTypes,
    lateral: false,
    inFrom,
  };
  scope.addEntry(entry);
  return entry;
}

export function joinEntry(
  scope: Scope,
  joinType: JoinType,
  columns: Expr[],
  columnNames: string[],
  alias: Alias | undefined,
  using: string[] | null,
): JoinEntry {
  const name = alias?.aliasname ?? '';
  applyAlias(columnNames, alias, name, 'join expression');
  const entry: JoinEntry = {
    kind: 'join',
    joinType,
    columns,
    ...(using === null ? {} : { using }),
    alias: name,
    columnNames,
    columnTypes: columns.map(columnTypeOf),
    lateral: false,
    inFrom: true,
  };
  scope.addEntry(entry);
  return entry;
}

/** Visible result columns of a query: SELECT list or RETURNING. */
export function outputColumns(
  query: Query,
): { name: string; typeOid: Oid; typmod: number; collation: Oid }[] {
  const targets = query.command === 'select' ? query.targets : query.returning;
  return targets
    .filter((target) => !target.junk)
    .map((target) => ({ name: target.name, ...columnTypeOf(target.expr) }));
}
