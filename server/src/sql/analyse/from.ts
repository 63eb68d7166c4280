/** The FROM clause: tables, subqueries, functions, joins, and what each makes visible. */
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import {
  type Alias,
  as,
  type ColumnDef,
  type FuncCall,
  type JoinExpr,
  type Node,
  positionOf,
  type RangeFunction,
  type RangeSubselect,
  type RangeTableSample,
  type RangeVar,
  stringOf,
  stringsOf,
  tagOf,
} from '../parse/ast.ts';
import type { Expr, FromNode, FunctionEntry, JoinType } from '../tree.ts';
import { walkExpr } from '../walk.ts';
import {
  coerceToBoolean,
  coerceToCommonType,
  coerceToSpecific,
  selectCommonType,
  selectCommonTypmod,
} from './coerce.ts';
import { assignCollations } from './collations.ts';
import { outFieldsOf, polymorphicOutTypes } from './columns.ts';
import { transformExpr } from './expressions.ts';
import { rawPosition } from './location.ts';
import { makeAnd, makeVar } from './make.ts';
import * as T from './oids.ts';
import { makeOperator } from './operators.ts';
import {
  type ColumnType,
  cteEntry,
  functionEntry,
  joinEntry,
  makeItem,
  openRelation,
  relationEntry,
  subqueryEntry,
} from './range-table.ts';
import type { CommonTableState, NamespaceColumn, NamespaceItem, Scope } from './scope.ts';
import { analyseSubquery } from './select.ts';
import { figureColumnName } from './targets.ts';
import { resolveTypeName, typeLabel } from './type-name.ts';

interface FromResult {
  node: FromNode;
  /** The item of the whole construct. */
  item: NamespaceItem;
  /** All items it makes visible, itself included where it is visible. */
  namespace: NamespaceItem[];
}

/** Analyses FROM items in order; each sees the ones before it when it is LATERAL. */
export function transformFrom(scope: Scope, items: readonly Node[] | undefined): FromNode[] {
  const result: FromNode[] = [];
  for (const item of items ?? []) {
    const part = transformFromItem(scope, item);
    checkConflicts(scope, scope.namespace, part.namespace);
    setLateral(part.namespace, true, true);
    scope.namespace = [...scope.namespace, ...part.namespace];
    result.push(part.node);
  }
  setLateral(scope.namespace, false, true);
  return result;
}

function setLateral(items: readonly NamespaceItem[], only: boolean, ok: boolean): void {
  for (const item of items) {
    item.isLateralOnly = only;
    item.isLateralOk = ok;
  }
}

function checkConflicts(scope: Scope, left: readonly NamespaceItem[], right: readonly NamespaceItem[]): void {
  for (const item of right) {
    if (!item.isRelationVisible || item.name === null) continue;
    for (const other of left) {
      if (!other.isRelationVisible || other.name !== item.name) continue;
      // Two tables of one name in different schemas may stand side by side unless aliased.
      if (
        item.entry.kind === 'relation' &&
        other.entry.kind === 'relation' &&
        item.entry.relationOid !== other.entry.relationOid &&
        scope.catalog.relation(item.entry.relationOid)?.name === item.name &&
        scope.catalog.relation(other.entry.relationOid)?.name === other.name
      )
        continue;
      throw new DbError('duplicate_alias', `table name "${item.name}" specified more than once`);
    }
  }
}

function transformFromItem(scope: Scope, node: Node): FromResult {
  switch (tagOf(node)) {
    case 'RangeVar':
      return simple(scope, transformRangeVar(scope, as(node, 'RangeVar') as RangeVar));
    case 'RangeSubselect':
      return simple(scope, transformRangeSubselect(scope, as(node, 'RangeSubselect') as RangeSubselect));
    case 'RangeFunction':
      return simple(scope, transformRangeFunction(scope, as(node, 'RangeFunction') as RangeFunction));
    case 'RangeTableSample':
      return simple(scope, transformTableSample(scope, as(node, 'RangeTableSample') as RangeTableSample));
    case 'JoinExpr':
      return transformJoin(scope, as(node, 'JoinExpr') as JoinExpr);
    case 'RangeTableFunc':
      throw notSupported('XMLTABLE');
    case 'JsonTable':
      throw notSupported('JSON_TABLE');
    default:
      throw notSupported(`${tagOf(node)} in FROM`);
  }
}

function simple(_scope: Scope, item: NamespaceItem): FromResult {
  return { node: { kind: 'relationRef', relation: item.index }, item, namespace: [item] };
}

/** The CTE of that name in sight. */
export function findCommonTable(
  scope: Scope,
  name: string,
): { state: CommonTableState; levelsUp: number } | null {
  let levelsUp = 0;
  for (let level: Scope | null = scope; level; level = level.parent, levelsUp++) {
    for (const state of level.commonTables) if (state.table.name === name) return { state, levelsUp };
  }
  return null;
}

export function transformRangeVar(scope: Scope, rangeVar: RangeVar): NamespaceItem {
  if (!rangeVar.schemaname) {
    const found = findCommonTable(scope, rangeVar.relname ?? '');
    if (found) {
      const entry = cteEntry(scope, found.state, found.levelsUp, rangeVar, true);
      return makeItem(entry, scope.rangeTable.length);
    }
    const transition = scope.context.names?.relation?.(rangeVar.relname ?? '') ?? null;
    if (transition !== null) return transitionItem(scope, rangeVar, transition);
  }
  const relation = openRelation(scope, rangeVar);
  const entry = relationEntry(scope, relation, {
    alias: rangeVar.alias,
    only: rangeVar.inh !== true,
    lockMode: 'AccessShare',
    inFrom: true,
  });
  entry.privileges.push({ privilege: 'SELECT', columns: [] });
  return makeItem(entry, scope.rangeTable.length);
}

/** A transition table reads like a function that gives rows of the table. */
function transitionItem(
  scope: Scope,
  rangeVar: RangeVar,
  transition: { value: Expr; relation: RelationDescriptor },
): NamespaceItem {
  const { value, relation } = transition;
  const alias = rangeVar.alias?.aliasname ?? rangeVar.relname ?? '';
  const columnNames = relation.columns.map((column) => (column.dropped ? '' : column.name));
  (rangeVar.alias?.colnames ?? []).forEach((node, index) => {
    columnNames[index] = stringOf(node);
  });
  scope.addEntry({
    kind: 'function',
    functions: [
      {
        expr: { ...value, typeOid: relation.rowTypeOid },
        columnCount: relation.columns.length,
      },
    ],
    ordinality: false,
    alias,
    columnNames,
    columnTypes: relation.columns.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
    lateral: false,
    inFrom: true,
  });
  return makeItem(scope.rangeTable[scope.rangeTable.length - 1], scope.rangeTable.length);
}

function transformRangeSubselect(scope: Scope, node: RangeSubselect): NamespaceItem {
  const savedKind = scope.kind;
  const savedLateral = scope.isLateralActive;
  scope.kind = 'fromSubselect';
  scope.isLateralActive = node.lateral === true;
  const query = analyseSubquery(scope, node.subquery!, {
    isLocked: scope.isLockedFromParent,
    resolveUnknowns: true,
  });
  scope.isLateralActive = savedLateral;
  scope.kind = savedKind;
  const entry = subqueryEntry(scope, query, node.alias, node.lateral === true, true);
  const item = makeItem(entry, scope.rangeTable.length);
  if (!node.alias) {
    item.name = null;
    item.isRelationVisible = false;
  }
  return item;
}

function columnDefs(scope: Scope, nodes: readonly Node[] | undefined): { name: string; type: ColumnType }[] {
  const seen = new Set<string>();
  return (nodes ?? []).map((node) => {
    const definition = as(node, 'ColumnDef') as ColumnDef;
    const type = resolveTypeName(scope.context, definition.typeName!);
    const name = definition.colname ?? '';
    if (seen.has(name))
      throw new DbError('duplicate_column', `column name "${name}" specified more than once`);
    seen.add(name);
    return {
      name,
      type: { ...type, collation: scope.typeOf(type.typeOid).collation },
    };
  });
}

function transformRangeFunction(scope: Scope, node: RangeFunction): NamespaceItem {
  const savedLateral = scope.isLateralActive;
  const savedKind = scope.kind;
  scope.isLateralActive = true;
  scope.kind = 'fromFunction';
  const functions: FunctionEntry['functions'] = [];
  const columns: { name: string; type: ColumnType }[] = [];
  const labels: string[] = [];
  const isSingle = (node.functions ?? []).length === 1;
  for (const pair of node.functions ?? []) {
    const [raw, definitions] = as(pair, 'List')?.items ?? [];
    const calls = expandUnnest(raw);
    for (const call of calls) {
      const before = scope.lastSetReturning;
      const expr = transformExpr(scope, call);
      if (scope.lastSetReturning !== before && scope.lastSetReturning !== expr)
        throw new DbError(
          'feature_not_supported',
          'set-returning functions must appear at top level of FROM',
        ).at(scope.lastSetReturning?.position);
      assignCollations(scope, expr);
      const label = figureColumnName(call);
      labels.push(label);
      const definitionList =
        as(definitions, 'List')?.items ?? (isSingle && calls.length === 1 ? node.coldeflist : undefined);
      addFunctionColumns(scope, {
        expr,
        call,
        label,
        definitions: definitionList,
        alias: node.alias,
        isSingle: isSingle && calls.length === 1,
        functions,
        columns,
      });
    }
  }
  if (node.coldeflist?.length && functions.length > 1)
    throw new DbError(
      'syntax_error',
      'ROWS FROM() with multiple functions cannot have a column definition list',
      {
        hint: 'Put a separate column definition list for each function inside ROWS FROM().',
      },
    );
  scope.isLateralActive = savedLateral;
  scope.kind = savedKind;
  let isLateral = node.lateral === true;
  for (const item of functions)
    walkExpr(item.expr, (expr, depth) => {
      if (expr.kind === 'var' && expr.levelsUp === depth) isLateral = true;
    });
  const entry = functionEntry(
    scope,
    functions,
    columns,
    node.alias,
    node.alias?.aliasname ?? labels[0],
    node.ordinality === true,
    isLateral,
  );
  return makeItem(entry, scope.rangeTable.length);
}

/** unnest(a, b, …) in FROM is ROWS FROM (unnest(a), unnest(b), …). */
function expandUnnest(node: Node): Node[] {
  const call = as(node, 'FuncCall') as FuncCall | undefined;
  if (!call || (call.args?.length ?? 0) < 2) return [node];
  const names = stringsOf(call.funcname);
  if (names[names.length - 1] !== 'unnest' || (names.length > 1 && names[0] !== 'pg_catalog')) return [node];
  if (
    call.agg_order ||
    call.agg_filter ||
    call.over ||
    call.agg_star ||
    call.agg_distinct ||
    call.func_variadic
  )
    return [node];
  return call.args!.map(
    (arg) =>
      ({
        FuncCall: {
          ...call,
          funcname: [{ String: { sval: 'pg_catalog' } }, { String: { sval: 'unnest' } }],
          args: [arg],
        },
      }) as Node,
  );
}

function addFunctionColumns(
  scope: Scope,
  part: {
    expr: Expr;
    call: Node;
    label: string;
    definitions: readonly Node[] | undefined;
    alias: Alias | undefined;
    isSingle: boolean;
    functions: FunctionEntry['functions'];
    columns: { name: string; type: ColumnType }[];
  },
): void {
  const { expr, definitions, functions, columns } = part;
  const { catalog, context } = scope;
  const type = catalog.type(expr.typeOid);
  const outFields = expr.kind === 'function' ? outFieldsOf(scope, expr.functionOid) : null;
  const position = expr.position;
  if (definitions?.length) {
    const at = rawPosition(definitions[0]);
    if (outFields && outFields.length > 1 && expr.typeOid === T.RECORD)
      throw new DbError(
        'syntax_error',
        'a column definition list is redundant for a function with OUT parameters',
      ).at(at);
    if (expr.typeOid !== T.RECORD)
      throw new DbError(
        'syntax_error',
        type?.kind === 'c'
          ? 'a column definition list is redundant for a function returning a named composite type'
          : 'a column definition list is only allowed for functions returning "record"',
      ).at(at);
    const list = columnDefs(scope, definitions);
    if (expr.kind === 'function')
      expr.columns = list.map(({ name, type: { typeOid, typmod } }) => ({ name, type: typeOid, typmod }));
    functions.push({
      expr,
      columnCount: list.length,
      columns: list.map((column) => ({
        name: column.name,
        typeOid: column.type.typeOid,
        typmod: column.type.typmod,
      })),
    });
    columns.push(...list);
    return;
  }
  if (type?.kind === 'c' || (type && type.relationOid !== 0)) {
    const relation = catalog.relation(type.relationOid);
    const list = (relation?.columns ?? []).map((column) => ({
      name: column.dropped ? '' : column.name,
      type: { typeOid: column.typeOid, typmod: column.typmod, collation: column.collation },
    }));
    functions.push({ expr, columnCount: list.length });
    columns.push(...list);
    return;
  }
  if (expr.typeOid === T.RECORD) {
    if (!outFields)
      throw new DbError(
        'syntax_error',
        'a column definition list is required for functions returning "record"',
      ).at(position);
    const actual = polymorphicOutTypes(
      scope,
      expr,
      outFields.map((field) => field.typeOid),
    );
    functions.push({ expr, columnCount: outFields.length });
    outFields.forEach((field, index) => {
      columns.push({
        name: field.name,
        type: {
          typeOid: actual[index],
          typmod: -1,
          collation: catalog.type(actual[index])?.collation ?? 0,
        },
      });
    });
    return;
  }
  if (type?.kind === 'p' && expr.typeOid !== T.VOID && expr.typeOid !== T.CSTRING)
    throw new DbError(
      'datatype_mismatch',
      `function "${part.label}" in FROM has unsupported return type ${typeLabel(context, expr.typeOid)}`,
    ).at(position);
  // A scalar: the alias names its only column unless an OUT argument does.
  const outName = outFields?.length === 1 ? outFields[0].name : null;
  functions.push({ expr, columnCount: 1 });
  columns.push({
    name: outName ?? (part.isSingle && part.alias?.aliasname ? part.alias.aliasname : part.label),
    type: {
      typeOid: expr.typeOid,
      typmod: expr.typmod,
      collation: expr.collation || (catalog.type(expr.typeOid)?.collation ?? 0),
    },
  });
}

function transformTableSample(scope: Scope, node: RangeTableSample): NamespaceItem {
  const rangeVar = as(node.relation, 'RangeVar') as RangeVar | undefined;
  const position = positionOf(node.location);
  if (!rangeVar) throw notSupported('TABLESAMPLE on this FROM item');
  const item = transformRangeVar(scope, rangeVar);
  if (item.entry.kind !== 'relation')
    throw new DbError(
      'feature_not_supported',
      'TABLESAMPLE clause can only be applied to tables and materialized views',
    ).at(positionOf(rangeVar.location));
  const kind = scope.catalog.relation(item.entry.relationOid)?.kind;
  if (kind !== 'r' && kind !== 'm' && kind !== 'p')
    throw new DbError(
      'feature_not_supported',
      'TABLESAMPLE clause can only be applied to tables and materialized views',
    ).at(positionOf(rangeVar.location));
  const method = stringsOf(node.method).pop() ?? '';
  if (method !== 'bernoulli' && method !== 'system')
    throw new DbError('undefined_object', `tablesample method ${method} does not exist`).at(position);
  const savedLateral = scope.isLateralActive;
  scope.isLateralActive = true;
  const args = (node.args ?? []).map((arg) =>
    coerceToSpecific(scope, transformExpr(scope, arg, 'fromFunction'), T.FLOAT4, 'TABLESAMPLE'),
  );
  if (args.length !== 1)
    throw new DbError(
      'invalid_tablesample_argument',
      `tablesample method ${method} requires 1 argument, not ${args.length}`,
    ).at(position);
  const repeatable = node.repeatable
    ? coerceToSpecific(scope, transformExpr(scope, node.repeatable, 'fromFunction'), T.FLOAT8, 'REPEATABLE')
    : null;
  scope.isLateralActive = savedLateral;
  for (const arg of args) assignCollations(scope, arg);
  if (repeatable) assignCollations(scope, repeatable);
  item.entry.sample = { method, args, repeatable };
  return item;
}

const JOIN_TYPES: Readonly<Record<string, JoinType>> = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
  JOIN_FULL: 'full',
};

function transformJoin(scope: Scope, join: JoinExpr): FromResult {
  const type = JOIN_TYPES[join.jointype ?? 'JOIN_INNER'] ?? 'inner';
  const left = transformFromItem(scope, join.larg!);
  // The right side sees the left one laterally, except where the join could have to make up left rows.
  const isLateralOk = type === 'inner' || type === 'left';
  setLateral(left.namespace, true, isLateralOk);
  const savedNamespace = scope.namespace;
  checkConflicts(scope, scope.namespace, left.namespace);
  scope.namespace = [...savedNamespace, ...left.namespace];
  const right = transformFromItem(scope, join.rarg!);
  scope.namespace = savedNamespace;
  checkConflicts(scope, left.namespace, right.namespace);
  const namespace = [...left.namespace, ...right.namespace];

  const leftColumns = left.item.columns;
  const rightColumns = right.item.columns;
  let using: string[] | null = null;
  if (join.isNatural) {
    using = [];
    for (const column of leftColumns)
      if (rightColumns.some((other) => other.name === column.name)) using.push(column.name);
  } else if (join.usingClause?.length) using = stringsOf(join.usingClause);

  let condition: Expr | null = null;
  const columns: Expr[] = [];
  const names: string[] = [];
  const shown: (NamespaceColumn | null)[] = [];
  const mergedLeft = new Set<NamespaceColumn>();
  const mergedRight = new Set<NamespaceColumn>();
  let mergedCount = 0;
  if (using) {
    const equalities: Expr[] = [];
    const seen = new Set<string>();
    for (const name of using) {
      if (seen.has(name))
        throw new DbError('duplicate_column', `column name "${name}" appears more than once in USING clause`);
      seen.add(name);
      const l = oneColumn(leftColumns, name, 'left');
      const r = oneColumn(rightColumns, name, 'right');
      mergedLeft.add(l);
      mergedRight.add(r);
      const leftVar = varOf(l);
      const rightVar = varOf(r);
      requireBoth(scope, leftVar, rightVar);
      const merged = mergeColumns(scope, type, leftVar, rightVar);
      const equal = makeOperator(scope, [{ String: { sval: '=' } } as Node], leftVar, rightVar);
      equalities.push(coerceToBoolean(scope, equal, 'JOIN/USING'));
      columns.push(merged);
      names.push(name);
      shown.push(merged === leftVar ? l : merged === rightVar ? r : null);
      mergedCount++;
    }
    condition = makeAnd(equalities);
  }
  for (const column of leftColumns) {
    if (mergedLeft.has(column)) continue;
    columns.push(varOf(column));
    names.push(column.name);
    shown.push(column);
  }
  for (const column of rightColumns) {
    if (mergedRight.has(column)) continue;
    columns.push(varOf(column));
    names.push(column.name);
    shown.push(column);
  }
  for (const column of columns) assignCollations(scope, column);
  if (condition) assignCollations(scope, condition);

  if (!using && join.quals) {
    // ON sees exactly the two sides.
    setLateral(namespace, false, true);
    scope.namespace = namespace;
    condition = coerceToBoolean(scope, transformExpr(scope, join.quals, 'joinOn'), 'JOIN/ON');
    assignCollations(scope, condition);
    scope.namespace = savedNamespace;
  }
  const joinType: JoinType = type === 'inner' && !using && !join.quals ? 'cross' : type;
  const entry = joinEntry(scope, joinType, columns, [...names], join.alias, using);
  const index = scope.rangeTable.length;
  const item: NamespaceItem = {
    name: join.alias?.aliasname ?? null,
    index,
    entry,
    columns: entry.columnNames.map((name, number) => {
      const column = shown[number];
      const type = entry.columnTypes[number];
      return column
        ? { ...column, name, displayRelation: index, displayAttribute: number + 1 }
        : {
            name,
            relation: index,
            attribute: number + 1,
            displayRelation: index,
            displayAttribute: number + 1,
            ...type,
          };
    }),
    isRelationVisible: join.alias !== undefined,
    areColumnsVisible: true,
    isLateralOnly: false,
    isLateralOk: true,
  };
  let visible: NamespaceItem[];
  if (join.alias) visible = [];
  else {
    for (const inner of namespace) inner.areColumnsVisible = false;
    visible = namespace;
    // Unaliased: printing goes through the tables themselves.
    for (const [number, column] of item.columns.entries()) {
      const source = shown[number];
      if (source) {
        column.displayRelation = source.displayRelation;
        column.displayAttribute = source.displayAttribute;
      }
    }
  }
  if (join.join_using_alias) {
    entry.usingAlias = join.join_using_alias.aliasname;
    const aliasItem: NamespaceItem = {
      ...item,
      name: join.join_using_alias.aliasname ?? '',
      columns: item.columns.slice(0, mergedCount),
      isRelationVisible: true,
      areColumnsVisible: false,
    };
    checkConflicts(scope, visible, [aliasItem]);
    visible = [...visible, aliasItem];
  }
  return {
    node: {
      kind: 'join',
      type: joinType,
      left: left.node,
      right: right.node,
      condition,
      relation: index,
    },
    item,
    namespace: [...visible, item],
  };
}

function varOf(column: NamespaceColumn): Expr {
  return makeVar(column.relation, column.attribute, column);
}

function requireBoth(scope: Scope, ...exprs: Expr[]): void {
  for (const expr of exprs) {
    if (expr.kind !== 'var') continue;
    const entry = scope.rangeTable[expr.relation - 1];
    if (entry.kind !== 'relation' || expr.attribute <= 0) continue;
    const select = entry.privileges.find((item) => item.privilege === 'SELECT');
    if (select && !select.columns.includes(expr.attribute)) select.columns.push(expr.attribute);
  }
}

function oneColumn(columns: readonly NamespaceColumn[], name: string, side: string): NamespaceColumn {
  const found = columns.filter((column) => column.name === name);
  if (found.length > 1)
    throw new DbError(
      'ambiguous_column',
      `common column name "${name}" appears more than once in ${side} table`,
    );
  if (found.length === 0)
    throw new DbError(
      'undefined_column',
      `column "${name}" specified in USING clause does not exist in ${side} table`,
    );
  return found[0];
}

/** The merged column of USING: the side that is never made up, or whichever is there. */
function mergeColumns(scope: Scope, type: JoinType, left: Expr, right: Expr): Expr {
  const common = selectCommonType(scope, [left, right], 'JOIN/USING');
  const typmod = selectCommonTypmod([left, right], common);
  const cast = (expr: Expr): Expr => {
    if (expr.typeOid !== common) return coerceToCommonType(scope, expr, common, 'JOIN/USING');
    if (expr.typmod !== typmod)
      return {
        kind: 'relabel',
        arg: expr,
        form: 'implicitCast',
        typeOid: common,
        typmod,
        collation: expr.collation,
      };
    return expr;
  };
  const leftCast = cast(left);
  const rightCast = cast(right);
  switch (type) {
    case 'right':
      return rightCast;
    case 'full':
      return {
        kind: 'coalesce',
        args: [leftCast, rightCast],
        typeOid: common,
        typmod,
        collation: 0,
      };
    case 'inner':
      // Prefer the side that needs no cast.
      return leftCast === left ? leftCast : rightCast === right ? rightCast : leftCast;
    default:
      return leftCast;
  }
}
