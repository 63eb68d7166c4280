/** WITH: common table expressions, plain, recursive and data-modifying. */
import { DbError, notSupported } from '../../base/error.ts';
import {
  as,
  type CommonTableExpr,
  type Node,
  positionOf,
  type SelectStmt,
  stringsOf,
  tagOf,
  type WithClause,
} from '../parse/ast.ts';
import type { CommonTable, Query, SetOperationNode } from '../tree.ts';
import { walkQuery } from '../walk.ts';
import { rawPosition } from './location.ts';
import { type ColumnType, outputColumns } from './range-table.ts';
import { type CommonTableState, emptyQuery, type Scope } from './scope.ts';
import { checkSearchable, transformSearchAndCycle } from './search-cycle.ts';
import { analyseSelect } from './select.ts';
import { analyseSetOperation } from './set-operations.ts';
import { analyseModification } from './statement-kinds.ts';
import { formatTypeWithTypmod } from './type-name.ts';

const MODIFYING = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

export function transformWith(scope: Scope, query: Query, clause: WithClause): void {
  const raws = (clause.ctes ?? []).map((node) => as(node, 'CommonTableExpr') as CommonTableExpr);
  const seen = new Set<string>();
  for (const raw of raws) {
    const name = raw.ctename ?? '';
    if (seen.has(name))
      throw new DbError('duplicate_alias', `WITH query name "${name}" specified more than once`).at(
        positionOf(raw.location),
      );
    seen.add(name);
    const tag = tagOf(raw.ctequery!);
    if (MODIFYING.has(tag)) {
      if (scope.parent !== null)
        throw new DbError(
          'feature_not_supported',
          'WITH clause containing a data-modifying statement must be at the top level',
        ).at(positionOf(raw.location));
      scope.hasModifyingCte = true;
    }
  }
  query.recursive = clause.recursive === true;
  const order = clause.recursive ? dependencyOrder(raws) : raws;
  scope.futureTables = clause.recursive ? [] : raws.map((raw) => raw.ctename ?? '');
  for (const raw of order) {
    scope.futureTables = scope.futureTables.filter((name) => name !== raw.ctename);
    const state = analyseCommonTable(scope, raw, clause.recursive === true);
    query.commonTables.push(state.table);
  }
}

/** With RECURSIVE, items may refer to later ones: dependencies first. Mutual recursion is refused. */
function dependencyOrder(raws: readonly CommonTableExpr[]): CommonTableExpr[] {
  const byName = new Map(raws.map((raw) => [raw.ctename ?? '', raw]));
  const done = new Set<CommonTableExpr>();
  const open = new Set<CommonTableExpr>();
  const result: CommonTableExpr[] = [];
  const visit = (raw: CommonTableExpr): void => {
    if (done.has(raw)) return;
    if (open.has(raw))
      throw new DbError('feature_not_supported', 'mutual recursion between WITH items is not implemented').at(
        positionOf(raw.location),
      );
    open.add(raw);
    for (const name of namesUsed(raw.ctequery)) {
      const other = byName.get(name);
      if (other && other !== raw) visit(other);
    }
    open.delete(raw);
    done.add(raw);
    result.push(raw);
  };
  for (const raw of raws) visit(raw);
  return result;
}

/** Unqualified table names anywhere in a raw tree. */
function namesUsed(node: unknown): Set<string> {
  const names = new Set<string>();
  const walk = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return;
    if (Array.isArray(item)) {
      for (const child of item) walk(child);
      return;
    }
    const record = item as Record<string, unknown>;
    const rangeVar = record.RangeVar as { relname?: string; schemaname?: string } | undefined;
    if (rangeVar && !rangeVar.schemaname && rangeVar.relname) names.add(rangeVar.relname);
    for (const key in record) walk(record[key]);
  };
  walk(node);
  return names;
}

function analyseCommonTable(scope: Scope, raw: CommonTableExpr, canRecurse: boolean): CommonTableState {
  const name = raw.ctename ?? '';
  const position = positionOf(raw.location);
  const table: CommonTable = {
    name,
    query: emptyQuery('select'),
    recursive: false,
    materialized:
      raw.ctematerialized === 'CTEMaterializeAlways'
        ? 'always'
        : raw.ctematerialized === 'CTEMaterializeNever'
          ? 'never'
          : 'default',
    columnNames: [],
    columnTypes: [],
    references: 0,
  };
  const tag = tagOf(raw.ctequery!);
  const isRecursive = canRecurse && namesUsed(raw.ctequery).has(name);
  const state: CommonTableState = {
    table,
    isAnalysed: false,
    isRecursive,
    isModifying: MODIFYING.has(tag),
    hasReturning: false,
  };
  const child = scope.child();
  child.parentTable = state;
  if (state.isModifying) {
    if (isRecursive)
      throw new DbError(
        'invalid_recursion',
        `recursive query "${name}" must not contain data-modifying statements`,
      ).at(position);
    table.query = analyseModification(child, raw.ctequery!);
    state.hasReturning = table.query.returning.length > 0;
  } else if (isRecursive) {
    const select = as(raw.ctequery, 'SelectStmt') as SelectStmt;
    checkRecursion(select, name, position);
    table.recursive = true;
    let leftPositions: (number | undefined)[] = [];
    scope.commonTables.push(state);
    table.query = analyseSetOperation(child, select, (names, types, positions) => {
      leftPositions = positions;
      setColumns(table, raw, names, types);
      transformSearchAndCycle(scope, table, raw);
    });
    checkSearchable(table);
    scope.commonTables.pop();
    checkNoAggregates(table.query, position);
    const outputs = outputColumns(table.query);
    outputs.forEach((output, index) => {
      const declared = table.columnTypes[index];
      if (declared.typeOid !== output.typeOid || declared.typmod !== output.typmod) {
        throw new DbError(
          'datatype_mismatch',
          `recursive query "${name}" column ${index + 1} has type ${typeText(scope, declared)} in non-recursive term but type ${typeText(scope, output)} overall`,
          { hint: 'Cast the output of the non-recursive term to the correct type.' },
        ).at(leftPositions[index] ?? position);
      }
    });
    state.isAnalysed = true;
    scope.commonTables.push(state);
    return state;
  } else {
    const select = as(raw.ctequery, 'SelectStmt') as SelectStmt | undefined;
    if (!select) throw notSupported(`${tag} in WITH`);
    table.query = analyseSelect(child, select);
  }
  const outputs = outputColumns(table.query);
  setColumns(
    table,
    raw,
    outputs.map((output) => output.name),
    outputs.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
  );
  transformSearchAndCycle(scope, table, raw);
  state.isAnalysed = true;
  scope.commonTables.push(state);
  return state;
}

function setColumns(table: CommonTable, raw: CommonTableExpr, names: string[], types: ColumnType[]): void {
  const given = stringsOf(raw.aliascolnames);
  if (given.length > names.length)
    throw new DbError(
      'invalid_column_reference',
      `WITH query "${table.name}" has ${names.length} columns available but ${given.length} columns specified`,
    ).at(positionOf(raw.location));
  table.columnNames = names.map((name, index) => given[index] ?? name);
  if (given.length > 0) table.aliasCount = given.length;
  table.columnTypes = types.map((type) => ({ ...type }));
}

/** A recursive query must be `non-recursive UNION [ALL] recursive`, with one reference in a place that can see it. */
function checkRecursion(select: SelectStmt | undefined, name: string, position: number | undefined): void {
  const fail = (message: string): DbError => new DbError('invalid_recursion', message).at(position);
  if (select?.op !== 'SETOP_UNION')
    throw fail(
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
    );
  const unsupported = (what: string, nodes: readonly (Node | undefined)[]): DbError =>
    new DbError('feature_not_supported', `${what} in a recursive query is not implemented`).at(
      rawPosition(nodes[0]),
    );
  if (select.sortClause) throw unsupported('ORDER BY', select.sortClause);
  if (select.limitOffset) throw unsupported('OFFSET', [select.limitOffset]);
  if (select.limitCount) throw unsupported('LIMIT', [select.limitCount]);
  if (select.lockingClause) throw unsupported('FOR UPDATE/SHARE', select.lockingClause);
  if (references(select.larg, name, []).length > 0)
    throw referenceError(
      `recursive reference to query "${name}" must not appear within its non-recursive term`,
      references(select.larg, name, [])[0].position,
    );
  const found = references(select.rarg, name, []);
  for (const [index, item] of found.entries()) {
    if (item.places.includes('SubLink'))
      throw referenceError(
        `recursive reference to query "${name}" must not appear within a subquery`,
        item.position,
      );
    if (item.places.includes('outer'))
      throw referenceError(
        `recursive reference to query "${name}" must not appear within an outer join`,
        item.position,
      );
    if (item.places.includes('intersect'))
      throw referenceError(
        `recursive reference to query "${name}" must not appear within INTERSECT`,
        item.position,
      );
    if (item.places.includes('except'))
      throw referenceError(
        `recursive reference to query "${name}" must not appear within EXCEPT`,
        item.position,
      );
    if (index > 0)
      throw referenceError(
        `recursive reference to query "${name}" must not appear more than once`,
        item.position,
      );
  }
}

function referenceError(message: string, position: number | undefined): DbError {
  return new DbError('invalid_recursion', message).at(position);
}

function references(
  node: unknown,
  name: string,
  places: string[],
): { position: number | undefined; places: string[] }[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((item) => references(item, name, places));
  const record = node as Record<string, unknown>;
  const result: { position: number | undefined; places: string[] }[] = [];
  for (const key in record) {
    const value = record[key];
    if (key === 'RangeVar') {
      const rangeVar = value as { relname?: string; schemaname?: string; location?: number };
      if (rangeVar.relname === name && !rangeVar.schemaname)
        result.push({ position: positionOf(rangeVar.location), places });
      continue;
    }
    if (key === 'SubLink') {
      result.push(...references(value, name, [...places, 'SubLink']));
      continue;
    }
    if (key === 'JoinExpr') {
      const join = value as { jointype?: string; larg?: Node; rarg?: Node; quals?: Node };
      const outer = [...places, 'outer'];
      result.push(
        ...references(
          join.larg,
          name,
          join.jointype === 'JOIN_RIGHT' || join.jointype === 'JOIN_FULL' ? outer : places,
        ),
        ...references(
          join.rarg,
          name,
          join.jointype === 'JOIN_LEFT' || join.jointype === 'JOIN_FULL' ? outer : places,
        ),
        ...references(join.quals, name, places),
      );
      continue;
    }
    const select = value as SelectStmt | undefined;
    if (key === 'SelectStmt' && select?.op === 'SETOP_EXCEPT') {
      result.push(
        ...references({ larg: select.larg }, name, places),
        ...references({ rarg: select.rarg }, name, [...places, 'except']),
      );
      continue;
    }
    if (key === 'SelectStmt' && select?.op === 'SETOP_INTERSECT' && select.all) {
      result.push(...references({ larg: select.larg, rarg: select.rarg }, name, [...places, 'intersect']));
      continue;
    }
    result.push(...references(value, name, places));
  }
  return result;
}

/** The recursive term runs once a round: an aggregate over one round's rows would mean nothing. */
function checkNoAggregates(query: Query, position: number | undefined): void {
  const { setOperation } = query;
  if (setOperation?.kind !== 'setOperation') return;
  const visit = (node: SetOperationNode): void => {
    if (node.kind === 'setOperation') {
      visit(node.left);
      visit(node.right);
      return;
    }
    const entry = query.rangeTable[node.relation - 1];
    if (entry.kind !== 'subquery' || !entry.query.hasAggregates) return;
    if (!entry.query.rangeTable.some((item) => item.kind === 'cte' && item.selfReference)) return;
    let at = position;
    walkQuery(entry.query, (expr, depth) => {
      if (expr.kind === 'aggregate' && depth === 0) at = expr.position ?? at;
    });
    throw referenceError("aggregate functions are not allowed in a recursive query's recursive term", at);
  };
  visit(setOperation.right);
}

function typeText(scope: Scope, type: { typeOid: number; typmod: number }): string {
  return formatTypeWithTypmod(scope.catalog, scope.context.path, type.typeOid, type.typmod);
}
