/**
 * SEARCH and CYCLE become plain columns of the recursive common table.
 *
 * Both sides of the UNION are wrapped. With columns c and search/cycle columns s, k (x is the table itself):
 *
 *   left   SELECT c, ARRAY[ROW(s)] | ROW(0, s), default, ARRAY[ROW(k)]              FROM (left)
 *   right  SELECT c, seq || ROW(s) | ROW(seq.1 + 1, s),
 *                 CASE WHEN ROW(k) = ANY (path) THEN mark ELSE default END, path || ROW(k)
 *          FROM (right, with x's seq, mark and path added to its list) WHERE x.mark <> mark
 */
import { DbError, internalError } from '../../base/error.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { CommonTable, Expr, Query, SetOperationNode, SubqueryEntry, TargetEntry } from '../tree.ts';
import { shiftExprLevels, shiftQueryLevels } from '../walk.ts';

const BOOL = 16;
const INT8 = 20;
const RECORD = 2249;
const RECORD_ARRAY = 2287;
const ARRAY_CAT = 383;
const INT8_INCREMENT = 1219;
const RECORD_EQUAL_OPERATOR = 2988;
const RECORD_EQUAL_FUNCTION = 2981;

interface Column {
  typeOid: number;
  typmod: number;
  collation: number;
}

/** The table with its clauses expanded; the same object when it has none. */
export function expandSearchAndCycle(table: CommonTable, catalog: CatalogReader): CommonTable {
  if (!table.search && !table.cycle) return table;
  const { query } = table;
  const operation = query.setOperation;
  if (operation?.kind !== 'setOperation' || operation.left.kind !== 'leaf' || operation.right.kind !== 'leaf')
    throw internalError('SEARCH or CYCLE over something else than a UNION of two queries');
  const count = operation.columnTypes.length;
  const extra = table.columnTypes.slice(count);
  const names = table.columnNames;
  const rangeTable = [...query.rangeTable];
  const wrapSide = (relation: number, wrap: (inner: Query) => Query): void => {
    const entry = rangeTable[relation - 1];
    if (entry.kind !== 'subquery') throw internalError('a set operation needs subqueries');
    const columnTypes = [...operation.columnTypes, ...extra];
    rangeTable[relation - 1] = { ...entry, query: wrap(entry.query), columnNames: names, columnTypes };
  };
  wrapSide(operation.left.relation, (inner) => wrapLeft(table, inner, count));
  wrapSide(operation.right.relation, (inner) => wrapRight(table, inner, count, extra));
  const leftmost = operation.left.relation;
  const extraKeys = extra.map((column, index) => {
    const { less, equal } = catalog.orderingOperators(column.typeOid);
    return {
      expr: variable(leftmost, count + index + 1, column),
      operatorOid: less,
      equalityOid: equal,
      descending: false,
      nullsFirst: false,
    };
  });
  const setOperation: SetOperationNode = {
    ...operation,
    columnTypes: [...operation.columnTypes, ...extra],
    keys: operation.all ? operation.keys : [...operation.keys, ...extraKeys],
  };
  const targets = [
    ...query.targets,
    ...extra.map((column, index) =>
      target(variable(leftmost, count + index + 1, column), names[count + index]),
    ),
  ];
  return {
    ...table,
    search: undefined,
    cycle: undefined,
    query: { ...query, rangeTable, setOperation, targets },
  };
}

function wrapLeft(table: CommonTable, inner: Query, count: number): Query {
  const { search, cycle } = table;
  const { query, column } = wrapper(inner, table, count, []);
  if (search) {
    const fields = search.columns.map(column);
    if (search.breadthFirst) query.targets.push(target(row([int8(0n), ...fields]), search.sequenceName));
    else query.targets.push(target(rowArray(fields), search.sequenceName));
  }
  if (cycle) {
    query.targets.push(
      target(shiftExprLevels(cycle.markDefault, 2), cycle.markName),
      target(rowArray(cycle.columns.map(column)), cycle.pathName),
    );
  }
  return query;
}

function wrapRight(table: CommonTable, inner: Query, count: number, extra: readonly Column[]): Query {
  const { search, cycle } = table;
  // The columns of the round before come through the table's reference in the recursive side.
  const index = inner.rangeTable.findIndex(
    (entry) => entry.kind === 'cte' && entry.selfReference && entry.cteName === table.name,
  );
  const reference = inner.rangeTable[index];
  if (index < 0 || reference.kind !== 'cte')
    throw new DbError(
      'feature_not_supported',
      `with a SEARCH or CYCLE clause, the recursive reference to WITH query "${table.name}" must be at the top level of its right-hand SELECT`,
    );
  const rangeTable = [...inner.rangeTable];
  rangeTable[index] = {
    ...reference,
    columnNames: [...reference.columnNames.slice(0, count), ...table.columnNames.slice(count)],
    columnTypes: [...reference.columnTypes.slice(0, count), ...extra],
  };
  const extended: Query = {
    ...inner,
    rangeTable,
    targets: [
      ...inner.targets.filter((item) => !item.junk),
      ...extra.map((column, offset) =>
        target(variable(index + 1, count + offset + 1, column), table.columnNames[count + offset]),
      ),
      ...inner.targets.filter((item) => item.junk),
    ],
  };
  const { query, column } = wrapper(extended, table, count, extra);
  let next = count;
  if (search) {
    const fields = search.columns.map(column);
    const before = column(next++);
    if (search.breadthFirst) {
      const depth: Expr = {
        kind: 'fieldSelect',
        arg: before,
        field: 1,
        fieldName: 'f1',
        typeOid: INT8,
        typmod: -1,
        collation: 0,
      };
      query.targets.push(target(row([call(INT8_INCREMENT, [depth], INT8), ...fields]), search.sequenceName));
    } else {
      query.targets.push(
        target(call(ARRAY_CAT, [before, rowArray(fields)], RECORD_ARRAY), search.sequenceName),
      );
    }
  }
  if (cycle) {
    const mark = column(next++);
    const path = column(next++);
    const fields = cycle.columns.map(column);
    const markValue = shiftExprLevels(cycle.markValue, 2);
    query.targets.push(
      target(
        {
          kind: 'case',
          arg: null,
          whens: [
            {
              condition: {
                kind: 'arrayOperator',
                operatorOid: RECORD_EQUAL_OPERATOR,
                functionOid: RECORD_EQUAL_FUNCTION,
                any: true,
                args: [row(fields), path],
                typeOid: BOOL,
                typmod: -1,
                collation: 0,
              },
              result: markValue,
            },
          ],
          defaultResult: shiftExprLevels(cycle.markDefault, 2),
          typeOid: mark.typeOid,
          typmod: mark.typmod,
          collation: mark.collation,
        },
        cycle.markName,
      ),
      target(call(ARRAY_CAT, [path, rowArray(fields)], RECORD_ARRAY), cycle.pathName),
    );
    query.where = {
      kind: 'operator',
      operatorOid: cycle.notEqualOperator,
      functionOid: cycle.notEqualFunction,
      args: [mark, markValue],
      returnsSet: false,
      typeOid: BOOL,
      typmod: -1,
      collation: 0,
      inputCollation: mark.collation,
    };
  }
  return query;
}

/** `SELECT c FROM (inner)`, and the way to its columns (from 0). */
function wrapper(
  inner: Query,
  table: CommonTable,
  count: number,
  extra: readonly Column[],
): { query: Query; column: (index: number) => Expr } {
  const visible = inner.targets.filter((item) => !item.junk);
  const types: Column[] = [
    ...visible.slice(0, count).map(({ expr }) => ({
      typeOid: expr.typeOid,
      typmod: expr.typmod,
      collation: expr.collation,
    })),
    ...extra,
  ];
  const entry: SubqueryEntry = {
    kind: 'subquery',
    query: shiftQueryLevels(inner, 1),
    viewOid: 0,
    securityBarrier: false,
    alias: extra.length === 0 ? '*TLOCRN*' : '*TROCRN*',
    columnNames: types.map((_, index) => table.columnNames[index]),
    columnTypes: types,
    lateral: false,
    inFrom: true,
  };
  const column = (index: number): Expr => variable(1, index + 1, types[index]);
  const query: Query = {
    ...EMPTY,
    rangeTable: [entry],
    from: [{ kind: 'relationRef', relation: 1 }],
    targets: types.slice(0, count).map((_, index) => target(column(index), table.columnNames[index])),
  };
  return { query, column };
}

const EMPTY: Query = {
  command: 'select',
  commonTables: [],
  recursive: false,
  rangeTable: [],
  from: [],
  where: null,
  targets: [],
  groupBy: [],
  groupingSets: null,
  groupDistinct: false,
  having: null,
  distinct: 'none',
  distinctOn: [],
  windows: [],
  orderBy: [],
  limit: null,
  offset: null,
  withTies: false,
  setOperation: null,
  rowMarks: [],
  resultRelation: 0,
  returning: [],
  onConflict: null,
  overriding: 'none',
  mergeActions: [],
  hasAggregates: false,
  hasWindowFunctions: false,
  hasSubLinks: false,
  hasTargetSets: false,
  hasModifyingCte: false,
};

function target(expr: Expr, name: string): TargetEntry {
  return { expr, name, junk: false, targetColumn: 0, originTable: 0, originColumn: 0 };
}

function variable(relation: number, attribute: number, column: Column): Expr {
  return {
    kind: 'var',
    relation,
    attribute,
    levelsUp: 0,
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
  };
}

function int8(value: bigint): Expr {
  return { kind: 'const', value, typeOid: INT8, typmod: -1, collation: 0 };
}

function row(args: Expr[]): Expr {
  return {
    kind: 'row',
    args,
    fieldNames: args.map((_, index) => `f${index + 1}`),
    typeOid: RECORD,
    typmod: -1,
    collation: 0,
  };
}

function rowArray(fields: Expr[]): Expr {
  return {
    kind: 'array',
    elementType: RECORD,
    elements: [row(fields)],
    multidimensional: false,
    typeOid: RECORD_ARRAY,
    typmod: -1,
    collation: 0,
  };
}

function call(functionOid: number, args: Expr[], typeOid: number): Expr {
  return {
    kind: 'function',
    functionOid,
    args,
    returnsSet: false,
    form: 'call',
    variadic: false,
    typeOid,
    typmod: -1,
    collation: 0,
  };
}
