/** SEARCH and CYCLE of a recursive common table: checked and resolved here, expanded by `rewrite/search-cycle.ts`. */
import { DbError } from '../../base/error.ts';
import { as, type CommonTableExpr, type Node, positionOf, stringsOf } from '../parse/ast.ts';
import type { CommonTable } from '../tree.ts';
import { coerceToCommonType, selectCommonType, selectCommonTypmod } from './coerce.ts';
import { transformExpr } from './expressions.ts';
import * as T from './oids.ts';
import type { Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

interface RawSearch {
  search_col_list?: Node[];
  search_breadth_first?: boolean;
  search_seq_column?: string;
  location?: number;
}

interface RawCycle {
  cycle_col_list?: Node[];
  cycle_mark_column?: string;
  cycle_mark_value?: Node;
  cycle_mark_default?: Node;
  cycle_path_column?: string;
  location?: number;
}

/** What the expansion of the clauses asks of the finished query. */
export function checkSearchable(table: CommonTable): void {
  if (!table.search && !table.cycle) return;
  const operation = table.query.setOperation;
  if (operation?.kind === 'setOperation') {
    for (const side of ['left', 'right'] as const)
      if (operation[side].kind !== 'leaf')
        throw new DbError(
          'feature_not_supported',
          `with a SEARCH or CYCLE clause, the ${side} side of the UNION must be a SELECT`,
        );
  }
}

/** Adds the clauses, and the columns they make, to a common table whose columns are known. */
export function transformSearchAndCycle(scope: Scope, table: CommonTable, raw: CommonTableExpr): void {
  const rawSearch = unwrap<RawSearch>(raw.search_clause, 'CTESearchClause');
  const rawCycle = unwrap<RawCycle>(raw.cycle_clause, 'CTECycleClause');
  if (!rawSearch && !rawCycle) return;
  if (!table.recursive)
    throw new DbError('syntax_error', 'WITH query is not recursive').at(positionOf(raw.location));
  const names = [...table.columnNames];
  const added: { name: string; typeOid: number; typmod: number; collation: number }[] = [];
  const columnsOf = (list: readonly Node[] | undefined, what: string, location?: number): number[] => {
    const columns: number[] = [];
    for (const name of stringsOf(list)) {
      const index = names.indexOf(name);
      if (index < 0)
        throw new DbError('syntax_error', `${what} column "${name}" not in WITH query column list`).at(
          positionOf(location),
        );
      if (columns.includes(index))
        throw new DbError('duplicate_column', `${what} column "${name}" specified more than once`).at(
          positionOf(location),
        );
      columns.push(index);
    }
    return columns;
  };
  const checkFree = (name: string, what: string, location?: number): void => {
    if (names.includes(name))
      throw new DbError(
        'syntax_error',
        `${what} column name "${name}" already used in WITH query column list`,
      ).at(positionOf(location));
  };
  if (rawSearch) {
    const columns = columnsOf(rawSearch.search_col_list, 'search', rawSearch.location);
    const sequenceName = rawSearch.search_seq_column ?? '';
    checkFree(sequenceName, 'search sequence', rawSearch.location);
    const breadthFirst = rawSearch.search_breadth_first === true;
    table.search = { columns, breadthFirst, sequenceName };
    const typeOid = breadthFirst ? T.RECORD : T.RECORDARRAY;
    added.push({ name: sequenceName, typeOid, typmod: -1, collation: 0 });
  }
  if (rawCycle) {
    const columns = columnsOf(rawCycle.cycle_col_list, 'cycle', rawCycle.location);
    const markName = rawCycle.cycle_mark_column ?? '';
    const pathName = rawCycle.cycle_path_column ?? '';
    checkFree(markName, 'cycle mark', rawCycle.location);
    const given = [rawCycle.cycle_mark_value!, rawCycle.cycle_mark_default!].map((node) =>
      transformExpr(scope, node, 'cycleMark'),
    );
    const typeOid = selectCommonType(scope, given, 'CYCLE');
    const markValue = coerceToCommonType(scope, given[0], typeOid, 'CYCLE/SET/TO');
    const markDefault = coerceToCommonType(scope, given[1], typeOid, 'CYCLE/SET/DEFAULT');
    const { equal } = scope.catalog.orderingOperators(typeOid);
    if (!equal)
      throw new DbError(
        'undefined_function',
        `could not identify an equality operator for type ${typeLabel(scope.context, typeOid)}`,
      );
    const notEqual = scope.catalog.operator(scope.catalog.operator(equal)?.negator ?? 0);
    if (!notEqual)
      throw new DbError(
        'undefined_function',
        `could not identify an inequality operator for type ${typeLabel(scope.context, typeOid)}`,
      );
    checkFree(pathName, 'cycle path', rawCycle.location);
    if (markName === pathName)
      throw new DbError('syntax_error', 'cycle mark column name and cycle path column name are the same').at(
        positionOf(rawCycle.location),
      );
    table.cycle = {
      columns,
      markName,
      markValue,
      markDefault,
      notEqualOperator: notEqual.oid,
      notEqualFunction: notEqual.functionOid,
      pathName,
    };
    added.push(
      {
        name: markName,
        typeOid,
        typmod: selectCommonTypmod([markValue, markDefault], typeOid),
        collation: scope.catalog.type(typeOid)?.collation ?? 0,
      },
      { name: pathName, typeOid: T.RECORDARRAY, typmod: -1, collation: 0 },
    );
  }
  if (table.search && table.cycle) {
    const { sequenceName } = table.search;
    for (const [name, what] of [
      [table.cycle.markName, 'mark'],
      [table.cycle.pathName, 'path'],
    ])
      if (sequenceName === name)
        throw new DbError(
          'syntax_error',
          `search sequence column name and cycle ${what} column name are the same`,
        ).at(positionOf(rawSearch?.location));
  }
  table.columnNames = [...names, ...added.map((column) => column.name)];
  table.columnTypes = [
    ...table.columnTypes,
    ...added.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
  ];
}

/** The parser gives the clause with or without its tag. */
function unwrap<Raw>(node: unknown, tag: string): Raw | undefined {
  if (node === undefined || node === null) return undefined;
  return (as(node as Node, tag as 'String') ?? node) as Raw;
}
