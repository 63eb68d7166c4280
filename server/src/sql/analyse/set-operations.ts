/**
 * UNION, INTERSECT, EXCEPT.
 *
 * Shape     every leaf is a subquery entry whose columns already have the types of the set operation above it: where a leaf's own
 *           type differs it is wrapped in a casting subquery, and an inner set operation whose types differ becomes such a leaf.
 *           The query's targets are Vars of the leftmost leaf with the operation's types; ORDER BY refers to them.
 */
import { DbError } from '../../base/error.ts';
import {
  as,
  type ColumnRef,
  type Node,
  positionOf,
  type SelectStmt,
  type SortBy,
  stringOf,
} from '../parse/ast.ts';
import type { Expr, Query, SetOperationNode, SortKey, TargetEntry } from '../tree.ts';
import { shiftQueryLevels } from '../walk.ts';
import { makeGroupKey, makeSortKey, transformLimit } from './clauses.ts';
import { coerceToCommonType, coerceType, selectCommonType, selectCommonTypmod } from './coerce.ts';
import { missingColumn } from './columns.ts';
import { transformWith } from './cte.ts';
import { transformExpr } from './expressions.ts';
import { exprPosition, rawPosition } from './location.ts';
import { makeTarget, makeVar } from './make.ts';
import * as T from './oids.ts';
import { type ColumnType, columnTypeOf } from './range-table.ts';
import { emptyQuery, type NamespaceItem, type Scope } from './scope.ts';
import { analyseSelect, finish } from './select.ts';

/** Called for each finished left side: a recursive CTE learns its columns from it. */
export type LeftSideHook = (names: string[], types: ColumnType[], positions: (number | undefined)[]) => void;

interface Branch {
  node: SetOperationNode;
  names: string[];
  /** Representative expressions of the columns, for type choice and error positions. */
  exprs: Expr[];
  /** The leaf's query while it is still a plain one. */
  leaf: Query | null;
}

export function analyseSetOperation(scope: Scope, select: SelectStmt, hook?: LeftSideHook): Query {
  const query = emptyQuery('select');
  // The clauses after a set operation belong to the whole of it.
  if (select.withClause) transformWith(scope, query, select.withClause);
  if (select.lockingClause)
    throw new DbError('feature_not_supported', 'FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT');
  const branch = build(scope, { ...select, withClause: undefined }, true, hook);
  query.setOperation = branch.node;
  let leftmost: SetOperationNode = branch.node;
  while (leftmost.kind === 'setOperation') leftmost = leftmost.left;
  const leftIndex = leftmost.relation;
  const types =
    branch.node.kind === 'setOperation' ? branch.node.columnTypes : branch.exprs.map(columnTypeOf);
  query.targets = branch.names.map((name, index) =>
    makeTarget(
      {
        ...makeVar(leftIndex, index + 1, types[index]),
        position: branch.exprs[index] && exprPosition(branch.exprs[index]),
      },
      name,
    ),
  );
  query.orderBy = sortOutput(scope, select.sortClause, query.targets);
  query.offset = transformLimit(scope, select.limitOffset, 'offset', false);
  const withTies = select.limitOption === 'LIMIT_OPTION_WITH_TIES';
  query.limit = transformLimit(scope, select.limitCount, 'limit', withTies);
  query.withTies = withTies;
  finish(scope, query);
  return query;
}

function isSetOperation(select: SelectStmt): boolean {
  return select.op !== undefined && select.op !== 'SETOP_NONE';
}

/** A branch with clauses of its own is a leaf even if it is a set operation. */
function isLeaf(select: SelectStmt): boolean {
  return (
    !isSetOperation(select) ||
    select.sortClause !== undefined ||
    select.limitOffset !== undefined ||
    select.limitCount !== undefined ||
    select.lockingClause !== undefined ||
    select.withClause !== undefined
  );
}

function build(scope: Scope, select: SelectStmt, isTop: boolean, hook?: LeftSideHook): Branch {
  if (!isTop && isLeaf(select)) {
    if (select.intoClause)
      throw new DbError('syntax_error', 'INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT');
    const child = scope.child();
    child.resolveUnknowns = false;
    const query = analyseSelect(child, select);
    const index = addLeaf(scope, query);
    const visible = query.targets.filter((target) => !target.junk);
    return {
      node: { kind: 'leaf', relation: index },
      names: visible.map((target) => target.name),
      exprs: visible.map((target) => target.expr),
      leaf: query,
    };
  }
  const word =
    select.op === 'SETOP_UNION' ? 'UNION' : select.op === 'SETOP_INTERSECT' ? 'INTERSECT' : 'EXCEPT';
  const isAll = select.all === true;
  const left = build(scope, select.larg!, false);
  if (isTop && hook)
    hook(
      left.names,
      left.exprs.map((expr) => {
        const typeOid = expr.typeOid === T.UNKNOWN ? T.TEXT : expr.typeOid;
        return {
          typeOid,
          typmod: expr.typmod,
          collation: expr.collation || (scope.catalog.type(typeOid)?.collation ?? 0),
        };
      }),
      left.exprs.map(exprPosition),
    );
  const right = build(scope, select.rarg!, false);
  if (left.exprs.length !== right.exprs.length)
    throw new DbError('syntax_error', `each ${word} query must have the same number of columns`).at(
      right.exprs[0] && exprPosition(right.exprs[0]),
    );
  const columnTypes: ColumnType[] = [];
  left.exprs.forEach((leftExpr, index) => {
    const rightExpr = right.exprs[index];
    const common = selectCommonType(scope, [leftExpr, rightExpr], word);
    const settled = [settle(scope, left, index, common, word), settle(scope, right, index, common, word)];
    columnTypes.push({
      typeOid: common,
      typmod: selectCommonTypmod(settled, common),
      collation: commonCollation(scope, settled, common),
    });
  });
  cast(scope, left, columnTypes);
  cast(scope, right, columnTypes);
  let leftmost = left.node;
  while (leftmost.kind === 'setOperation') leftmost = leftmost.left;
  const leftIndex = leftmost.relation;
  const exprs: Expr[] = columnTypes.map((type, index) => ({
    ...makeVar(leftIndex, index + 1, type),
    position: exprPosition(left.exprs[index]),
  }));
  const keys: SortKey[] = isAll && word === 'UNION' ? [] : exprs.map((expr) => makeGroupKey(scope, expr));
  return {
    node: {
      kind: 'setOperation',
      op: word.toLowerCase() as 'union' | 'intersect' | 'except',
      all: isAll,
      left: left.node,
      right: right.node,
      columnTypes,
      keys,
    },
    names: left.names,
    exprs,
    leaf: null,
  };
}

function commonCollation(scope: Scope, exprs: readonly Expr[], typeOid: number): number {
  const own = scope.catalog.type(typeOid)?.collation ?? 0;
  if (own === 0) return 0;
  const [left, right] = exprs.map((expr) => expr.collation || own);
  if (left === right) return left;
  if (left === T.DEFAULT_COLLATION) return right;
  if (right === T.DEFAULT_COLLATION) return left;
  return own;
}

function addLeaf(scope: Scope, query: Query): number {
  const visible = query.targets.filter((target) => !target.junk);
  return scope.addEntry({
    kind: 'subquery',
    query,
    viewOid: 0,
    securityBarrier: false,
    alias: `*SELECT* ${scope.rangeTable.length + 1}`,
    columnNames: visible.map((target) => target.name),
    columnTypes: visible.map((target) => columnTypeOf(target.expr)),
    lateral: false,
    inFrom: false,
  });
}

/** Untyped literals and parameters of a leaf take the common type in place. */
function settle(scope: Scope, branch: Branch, index: number, common: number, word: string): Expr {
  const expr = branch.exprs[index];
  if (expr.typeOid === T.UNKNOWN && branch.leaf) {
    const target = branch.leaf.targets.filter((item) => !item.junk)[index];
    const before = target.expr;
    const coerced =
      common === T.UNKNOWN
        ? coerceType(scope, before, T.UNKNOWN, T.TEXT, -1, 'implicit', 'implicitCast', exprPosition(before))
        : coerceToCommonType(scope, before, common, word);
    target.expr = coerced;
    // Keys of the leaf's own DISTINCT or ORDER BY share the expression.
    for (const key of [...branch.leaf.orderBy, ...branch.leaf.distinctOn, ...branch.leaf.groupBy])
      if (key.expr === before) key.expr = coerced;
    branch.exprs[index] = coerced;
    if (branch.node.kind === 'leaf') {
      const entry = scope.rangeTable[branch.node.relation - 1];
      entry.columnTypes[index] = columnTypeOf(coerced);
    }
    return coerced;
  }
  return coerceToCommonType(scope, expr, common, word);
}

/** Makes the branch's columns have exactly the given types, wrapping it where they do not. */
function cast(scope: Scope, branch: Branch, types: readonly ColumnType[]): void {
  const own = branch.node.kind === 'setOperation' ? branch.node.columnTypes : branch.exprs.map(columnTypeOf);
  if (types.every((type, index) => own[index].typeOid === type.typeOid)) return;
  let inner: Query;
  let index: number;
  if (branch.node.kind === 'leaf') {
    index = branch.node.relation;
    const entry = scope.rangeTable[index - 1];
    if (entry.kind !== 'subquery') return;
    inner = shiftQueryLevels(entry.query, 1);
    const wrapper = wrap(scope, inner, branch.names, own, types);
    entry.query = wrapper;
    entry.columnTypes = types.map((type) => ({ ...type }));
    branch.leaf = null;
    return;
  }
  // An inner set operation moves, leaves and all, into a query of its own.
  const query = emptyQuery('select');
  const moved = new Map<number, number>();
  const move = (node: SetOperationNode): SetOperationNode => {
    if (node.kind === 'leaf') {
      const entry = scope.rangeTable[node.relation - 1];
      if (entry.kind === 'subquery')
        query.rangeTable.push({ ...entry, query: shiftQueryLevels(entry.query, 2) });
      moved.set(node.relation, query.rangeTable.length);
      return { kind: 'leaf', relation: query.rangeTable.length };
    }
    const left = move(node.left);
    const right = move(node.right);
    return {
      ...node,
      left,
      right,
      keys: node.keys.map((key) => ({
        ...key,
        expr:
          key.expr.kind === 'var' ? { ...key.expr, relation: moved.get(key.expr.relation) ?? 1 } : key.expr,
      })),
    };
  };
  query.setOperation = move(branch.node);
  query.targets = branch.names.map((name, column) => makeTarget(makeVar(1, column + 1, own[column]), name));
  const wrapper = wrap(scope, query, branch.names, own, types);
  branch.node = { kind: 'leaf', relation: addLeaf(scope, wrapper) };
}

function wrap(
  scope: Scope,
  inner: Query,
  names: readonly string[],
  own: readonly ColumnType[],
  types: readonly ColumnType[],
): Query {
  const wrapper = emptyQuery('select');
  wrapper.rangeTable.push({
    kind: 'subquery',
    query: inner,
    viewOid: 0,
    securityBarrier: false,
    alias: '*SELECT*',
    columnNames: [...names],
    columnTypes: own.map((type) => ({ ...type })),
    lateral: false,
    inFrom: true,
  });
  wrapper.from = [{ kind: 'relationRef', relation: 1 }];
  wrapper.targets = types.map((type, index) => {
    const variable = makeVar(1, index + 1, own[index]);
    return makeTarget(
      own[index].typeOid === type.typeOid
        ? variable
        : coerceToCommonType(scope, variable, type.typeOid, 'UNION'),
      names[index],
    );
  });
  return wrapper;
}

/** ORDER BY of a set operation: output names and ordinals only. */
function sortOutput(scope: Scope, nodes: readonly Node[] | undefined, targets: TargetEntry[]): SortKey[] {
  return (nodes ?? []).map((node) => {
    const sortBy = as(node, 'SortBy') as SortBy;
    const reference = as(sortBy.node, 'ColumnRef') as ColumnRef | undefined;
    const constant = as(sortBy.node, 'A_Const');
    let target: TargetEntry | undefined;
    if (reference?.fields?.length === 1) {
      const name = stringOf(reference.fields[0]);
      target = targets.find((item) => item.name === name);
      if (!target) throw missingColumn(scope, null, name, positionOf(reference.location));
    } else if (constant && !constant.ival)
      throw new DbError('syntax_error', 'non-integer constant in ORDER BY').at(positionOf(constant.location));
    else if (constant?.ival) {
      target = targets[(constant.ival.ival ?? 0) - 1];
      if (!target)
        throw new DbError(
          'invalid_column_reference',
          `ORDER BY position ${constant.ival.ival ?? 0} is not in select list`,
        ).at(positionOf(constant.location));
    }
    if (!target) {
      // Faults of the expression itself come first; it sees the output columns only.
      const savedNamespace = scope.namespace;
      scope.namespace = [outputItem(scope, targets)];
      transformExpr(scope, sortBy.node!, 'orderBy');
      scope.namespace = savedNamespace;
      throw new DbError('feature_not_supported', 'invalid UNION/INTERSECT/EXCEPT ORDER BY clause', {
        detail: 'Only result column names can be used, not expressions or functions.',
        hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
      }).at(rawPosition(sortBy.node));
    }
    return makeSortKey(scope, target.expr, sortBy, rawPosition(sortBy.node));
  });
}

function outputItem(scope: Scope, targets: readonly TargetEntry[]): NamespaceItem {
  return {
    name: null,
    index: 1,
    entry: scope.rangeTable[0],
    columns: targets.flatMap((target) =>
      target.expr.kind === 'var'
        ? [
            {
              name: target.name,
              relation: target.expr.relation,
              attribute: target.expr.attribute,
              displayRelation: target.expr.relation,
              displayAttribute: target.expr.attribute,
              ...columnTypeOf(target.expr),
            },
          ]
        : [],
    ),
    isRelationVisible: false,
    areColumnsVisible: true,
    isLateralOnly: false,
    isLateralOk: true,
  };
}
