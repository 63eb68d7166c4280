/** ORDER BY, GROUP BY, DISTINCT, WINDOW, LIMIT and row locking. */
import { DbError } from '../../base/error.ts';
import { equalExpr } from '../equal.ts';
import {
  as,
  type ColumnRef,
  type LockingClause,
  type Node,
  positionOf,
  type RangeVar,
  type SortBy,
  stringOf,
  stringsOf,
  tagOf,
  type WindowDef,
} from '../parse/ast.ts';
import type {
  Expr,
  FrameBound,
  FromNode,
  GroupingSet,
  Query,
  RowMark,
  SortKey,
  TargetEntry,
  WindowClause,
} from '../tree.ts';
import { containsVarOfLevel, forEachChild as forEach } from '../walk.ts';
import { coerceToSpecific, coerceToTarget, coerceType } from './coerce.ts';
import { findColumn } from './columns.ts';
import { transformExpr } from './expressions.ts';
import { exprPosition, rawPosition } from './location.ts';
import { makeTarget } from './make.ts';
import * as T from './oids.ts';
import { findOperator, sortOperators } from './operators.ts';
import { type ExpressionKind, KIND_NAME, type Scope } from './scope.ts';
import { figureColumnName } from './targets.ts';
import { typeLabel } from './type-name.ts';

/** Sort key of an expression; `sortBy` null means ascending, NULLS LAST. */
export function makeSortKey(
  scope: Scope,
  expr: Expr,
  sortBy: SortBy | null,
  position = exprPosition(expr),
): SortKey {
  if (expr.typeOid === T.UNKNOWN)
    expr = coerceType(scope, expr, T.UNKNOWN, T.TEXT, -1, 'implicit', 'implicitCast', exprPosition(expr));
  const direction = sortBy?.sortby_dir ?? 'SORTBY_DEFAULT';
  let operatorOid: number;
  let equalityOid: number;
  let descending = false;
  if (direction === 'SORTBY_USING') {
    const operator = findOperator(
      scope,
      sortBy!.useOp!,
      expr.typeOid,
      expr.typeOid,
      positionOf(sortBy!.location),
    );
    if (operator.btreeStrategy !== 1 && operator.btreeStrategy !== 5)
      throw new DbError(
        'wrong_object_type',
        `operator ${stringsOf(sortBy!.useOp).join('.')} is not a valid ordering operator`,
        { hint: 'Ordering operators must be "<" or ">" members of btree operator families.' },
      ).at(positionOf(sortBy!.location));
    operatorOid = operator.oid;
    descending = operator.btreeStrategy === 5;
    equalityOid = sortOperators(scope, operator.leftType, 'order', exprPosition(expr)).equal;
  } else {
    const operators = sortOperators(scope, expr.typeOid, 'order', position);
    descending = direction === 'SORTBY_DESC';
    operatorOid = descending ? operators.greater : operators.less;
    equalityOid = operators.equal;
  }
  const nulls = sortBy?.sortby_nulls ?? 'SORTBY_NULLS_DEFAULT';
  return {
    expr,
    operatorOid,
    equalityOid,
    descending,
    nullsFirst: nulls === 'SORTBY_NULLS_DEFAULT' ? descending : nulls === 'SORTBY_NULLS_FIRST',
  };
}

/** Key for grouping and DISTINCT: sortable where the type allows, else by equality only. */
export function makeGroupKey(scope: Scope, expr: Expr, position = exprPosition(expr)): SortKey {
  if (expr.typeOid === T.UNKNOWN)
    expr = coerceType(scope, expr, T.UNKNOWN, T.TEXT, -1, 'implicit', 'implicitCast', exprPosition(expr));
  const operators = sortOperators(scope, expr.typeOid, 'equal', position);
  return {
    expr,
    operatorOid: operators.less,
    equalityOid: operators.equal,
    descending: false,
    nullsFirst: false,
  };
}

/** The target an ORDER BY / GROUP BY / DISTINCT ON item means: output name, ordinal, or an expression (added as junk). */
function findTarget(scope: Scope, node: Node, targets: TargetEntry[], kind: ExpressionKind): TargetEntry {
  const reference = as(node, 'ColumnRef') as ColumnRef | undefined;
  if (reference?.fields?.length === 1 && 'String' in reference.fields[0]) {
    const name = stringOf(reference.fields[0]);
    const position = positionOf(reference.location);
    // GROUP BY prefers an input column of that name.
    let useOutput = true;
    if (kind === 'groupBy' && findColumn(scope, name, position, true)) useOutput = false;
    if (useOutput) {
      let found: TargetEntry | null = null;
      for (const target of targets) {
        if (target.junk || target.name !== name) continue;
        if (found && !equalExpr(found.expr, target.expr))
          throw new DbError('ambiguous_column', `${KIND_NAME[kind]} "${name}" is ambiguous`).at(position);
        found ??= target;
      }
      if (found) {
        checkTargetPlace(found, kind);
        return found;
      }
    }
  }
  const constant = as(node, 'A_Const');
  if (constant) {
    const position = positionOf(constant.location);
    if (!constant.ival)
      throw new DbError('syntax_error', `non-integer constant in ${KIND_NAME[kind]}`).at(position);
    const ordinal = constant.ival.ival ?? 0;
    const found = targets.filter((target) => !target.junk)[ordinal - 1];
    if (!found || ordinal < 1)
      throw new DbError(
        'invalid_column_reference',
        `${KIND_NAME[kind]} position ${ordinal} is not in select list`,
      ).at(position);
    checkTargetPlace(found, kind);
    return found;
  }
  return findTargetByExpr(scope, node, targets, kind);
}

/** Window functions and (in GROUP BY) aggregates may not hide behind an output name. */
function checkTargetPlace(target: TargetEntry, kind: ExpressionKind): void {
  if (kind !== 'groupBy') return;
  const found = firstForbidden(target.expr);
  if (found?.kind === 'aggregate')
    throw new DbError('grouping_error', 'aggregate functions are not allowed in GROUP BY').at(
      exprPosition(found),
    );
  if (found)
    throw new DbError('windowing_error', 'window functions are not allowed in GROUP BY').at(
      exprPosition(found),
    );
}

function firstForbidden(expr: Expr): Expr | null {
  let found: Expr | null = null;
  const search = (node: Expr): void => {
    if (found) return;
    if ((node.kind === 'aggregate' && node.levelsUp === 0) || node.kind === 'window') {
      found = node;
      return;
    }
    forEach(node, search);
  };
  search(expr);
  return found;
}

function findTargetByExpr(
  scope: Scope,
  node: Node,
  targets: TargetEntry[],
  kind: ExpressionKind,
): TargetEntry {
  const expr = transformExpr(scope, node, kind);
  for (const target of targets) {
    // An untyped literal in the list has become text meanwhile.
    const known = target.expr;
    if (equalExpr(known, expr)) return target;
  }
  const target = makeTarget(expr, figureColumnName(node), true);
  targets.push(target);
  return target;
}

export function transformSortClause(
  scope: Scope,
  nodes: readonly Node[] | undefined,
  targets: TargetEntry[],
): SortKey[] {
  const keys: SortKey[] = [];
  for (const node of nodes ?? []) {
    const sortBy = as(node, 'SortBy') as SortBy;
    const target = findTarget(scope, sortBy.node!, targets, 'orderBy');
    addKey(keys, sortKeyOf(scope, target, sortBy));
  }
  return keys;
}

function sortKeyOf(scope: Scope, target: TargetEntry, sortBy: SortBy | null): SortKey {
  const key = makeSortKey(scope, target.expr, sortBy, rawPosition(sortBy?.node));
  target.expr = key.expr;
  return key;
}

function addKey(keys: SortKey[], key: SortKey): void {
  if (!keys.some((other) => other.expr === key.expr || equalExpr(other.expr, key.expr))) keys.push(key);
}

export interface GroupResult {
  keys: SortKey[];
  sets: GroupingSet[] | null;
}

export function transformGroupClause(
  scope: Scope,
  nodes: readonly Node[] | undefined,
  targets: TargetEntry[],
  orderBy: readonly SortKey[],
): GroupResult {
  const keys: SortKey[] = [];
  const grouped: TargetEntry[] = [];
  const sets: GroupingSet[] = [];
  let hasSets = false;
  const indexOf = (node: Node): number => {
    const target = findTarget(scope, node, targets, 'groupBy');
    // Two columns of the list are two keys, be they equal: a set may have one and not the other.
    const known = grouped.indexOf(target);
    if (known >= 0) return known;
    grouped.push(target);
    const sorted = orderBy.find((key) => equalExpr(key.expr, target.expr));
    const key = sorted ? { ...sorted } : makeGroupKey(scope, target.expr, rawPosition(node));
    target.expr = key.expr;
    keys.push(key);
    return keys.length - 1;
  };
  const list = (node: Node): number[] => {
    const row = as(node, 'RowExpr') as { args?: Node[]; row_format?: string } | undefined;
    if (row && row.row_format === 'COERCE_IMPLICIT_CAST') return (row.args ?? []).map(indexOf);
    return [indexOf(node)];
  };
  const oneSet = (node: Node): GroupingSet => {
    const set = as(node, 'GroupingSet') as { kind?: string; content?: Node[]; location?: number } | undefined;
    if (!set) return { kind: 'simple', exprs: list(node) };
    switch (set.kind) {
      case 'GROUPING_SET_EMPTY':
        return { kind: 'empty' };
      case 'GROUPING_SET_ROLLUP':
        return { kind: 'rollup', sets: (set.content ?? []).map(list) };
      case 'GROUPING_SET_CUBE':
        if ((set.content ?? []).length > 12)
          throw new DbError('too_many_columns', 'CUBE is limited to 12 elements').at(
            positionOf(set.location),
          );
        return { kind: 'cube', sets: (set.content ?? []).map(list) };
      default:
        return { kind: 'sets', content: (set.content ?? []).map(oneSet) };
    }
  };
  for (const node of nodes ?? []) {
    if (tagOf(node) === 'GroupingSet') {
      hasSets = true;
      sets.push(oneSet(node));
    } else {
      const row = as(node, 'RowExpr') as { args?: Node[]; row_format?: string } | undefined;
      if (row && row.row_format === 'COERCE_IMPLICIT_CAST')
        sets.push({ kind: 'simple', exprs: (row.args ?? []).map(indexOf) });
      else sets.push({ kind: 'simple', exprs: [indexOf(node)] });
    }
  }
  return { keys, sets: hasSets ? sets : null };
}

export function transformDistinct(
  scope: Scope,
  targets: TargetEntry[],
  orderBy: readonly SortKey[],
): SortKey[] {
  const keys: SortKey[] = [];
  for (const key of orderBy) {
    const target = targets.find((item) => item.expr === key.expr || equalExpr(item.expr, key.expr));
    if (!target || target.junk)
      throw new DbError(
        'invalid_column_reference',
        'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
      ).at(exprPosition(key.expr));
    addKey(keys, key);
  }
  for (const target of targets) {
    if (target.junk) continue;
    if (keys.some((key) => equalExpr(key.expr, target.expr))) continue;
    const key = makeGroupKey(scope, target.expr);
    target.expr = key.expr;
    keys.push(key);
  }
  if (keys.length === 0) throw new DbError('syntax_error', 'SELECT DISTINCT must have at least one column');
  return keys;
}

export function transformDistinctOn(
  scope: Scope,
  nodes: readonly Node[],
  targets: TargetEntry[],
  orderBy: readonly SortKey[],
): SortKey[] {
  const wanted = nodes.map((node) => findTarget(scope, node, targets, 'distinctOn'));
  const positionFor = (expr: Expr): number | undefined => {
    const index = wanted.findIndex((target) => equalExpr(target.expr, expr));
    return index < 0 ? exprPosition(expr) : rawPosition(nodes[index]);
  };
  const keys: SortKey[] = [];
  let sawOther = false;
  for (const key of orderBy) {
    if (wanted.some((target) => equalExpr(target.expr, key.expr))) {
      if (sawOther)
        throw new DbError(
          'invalid_column_reference',
          'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
        ).at(positionFor(key.expr));
      addKey(keys, key);
    } else sawOther = true;
  }
  for (const target of wanted) {
    if (keys.some((key) => equalExpr(key.expr, target.expr))) continue;
    if (sawOther)
      throw new DbError(
        'invalid_column_reference',
        'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
      ).at(positionFor(target.expr));
    const key = makeGroupKey(scope, target.expr);
    target.expr = key.expr;
    keys.push(key);
  }
  return keys;
}

export function transformLimit(
  scope: Scope,
  node: Node | undefined,
  kind: 'limit' | 'offset',
  withTies: boolean,
): Expr | null {
  if (!node) return null;
  const label = kind === 'limit' ? 'LIMIT' : 'OFFSET';
  const expr = coerceToSpecific(scope, transformExpr(scope, node, kind), T.INT8, label, 'assignment');
  if (containsVarOfLevel(expr, 0))
    throw new DbError('invalid_column_reference', `argument of ${label} must not contain variables`).at(
      firstVarPosition(expr),
    );
  if (withTies && kind === 'limit') {
    const constant = as(node, 'A_Const');
    if (constant?.isnull)
      throw new DbError(
        'invalid_row_count_in_limit_clause',
        'row count cannot be null in FETCH FIRST ... WITH TIES clause',
      );
  }
  return expr;
}

function firstVarPosition(expr: Expr): number | undefined {
  if (expr.kind === 'var') return expr.position;
  let position: number | undefined;
  forEach(expr, (child) => {
    position ??= firstVarPosition(child);
  });
  return position;
}

const FRAME = {
  nonDefault: 0x1,
  range: 0x2,
  rows: 0x4,
  groups: 0x8,
  between: 0x10,
  startUnboundedPreceding: 0x20,
  endUnboundedPreceding: 0x40,
  startUnboundedFollowing: 0x80,
  endUnboundedFollowing: 0x100,
  startCurrentRow: 0x200,
  endCurrentRow: 0x400,
  startOffsetPreceding: 0x800,
  endOffsetPreceding: 0x1000,
  startOffsetFollowing: 0x2000,
  endOffsetFollowing: 0x4000,
  excludeCurrentRow: 0x8000,
  excludeGroup: 0x10000,
  excludeTies: 0x20000,
} as const;

/** Window definitions in order: those of the WINDOW clause, then the inline ones. */
export function transformWindows(scope: Scope, targets: TargetEntry[]): WindowClause[] {
  const result: WindowClause[] = [];
  const raws = scope.windowDefs;
  for (let index = 0; index < raws.length; index++) {
    const raw: WindowDef = raws[index];
    const position = positionOf(raw.location);
    if (raw.name && result.some((item) => item.name === raw.name))
      throw new DbError('windowing_error', `window "${raw.name}" is already defined`).at(position);
    let base: WindowClause | null = null;
    if (raw.refname) {
      base = result.find((item) => item.name === raw.refname) ?? null;
      if (!base) throw new DbError('undefined_object', `window "${raw.refname}" does not exist`).at(position);
    }
    const savedKind = scope.kind;
    const orderBy: SortKey[] = [];
    for (const node of raw.orderClause ?? []) {
      const sortBy = as(node, 'SortBy') as SortBy;
      const target = findTargetByExpr(scope, sortBy.node!, targets, 'windowOrder');
      addKey(orderBy, sortKeyOf(scope, target, sortBy));
    }
    const partitionBy: SortKey[] = [];
    for (const node of raw.partitionClause ?? []) {
      const target = findTargetByExpr(scope, node, targets, 'windowPartition');
      const key = makeGroupKey(scope, target.expr);
      target.expr = key.expr;
      addKey(partitionBy, key);
    }
    scope.kind = savedKind;
    const options = raw.frameOptions ?? 0;
    let finalPartition = partitionBy;
    let finalOrder = orderBy;
    if (base) {
      if (partitionBy.length > 0)
        throw new DbError(
          'windowing_error',
          `cannot override PARTITION BY clause of window "${raw.refname}"`,
        ).at(position);
      finalPartition = base.partitionBy;
      if (orderBy.length > 0 && base.orderBy.length > 0)
        throw new DbError('windowing_error', `cannot override ORDER BY clause of window "${raw.refname}"`).at(
          position,
        );
      if (base.orderBy.length > 0) finalOrder = base.orderBy;
      const baseRaw = raws.find((item) => item.name === raw.refname);
      if (((baseRaw?.frameOptions ?? 0) & FRAME.nonDefault) !== 0) {
        if (orderBy.length > 0 || (options & FRAME.nonDefault) !== 0)
          throw new DbError(
            'windowing_error',
            `cannot copy window "${raw.refname}" because it has a frame clause`,
          ).at(position);
        throw new DbError(
          'windowing_error',
          `cannot copy window "${raw.refname}" because it has a frame clause`,
          {
            hint: 'Omit the parentheses in this OVER clause.',
          },
        ).at(position);
      }
    }
    const mode = (options & FRAME.rows) !== 0 ? 'rows' : (options & FRAME.groups) !== 0 ? 'groups' : 'range';
    if (mode === 'groups' && finalOrder.length === 0)
      throw new DbError('windowing_error', 'GROUPS mode requires an ORDER BY clause').at(position);
    const hasOffset =
      (options &
        (FRAME.startOffsetPreceding |
          FRAME.startOffsetFollowing |
          FRAME.endOffsetPreceding |
          FRAME.endOffsetFollowing)) !==
      0;
    if (mode === 'range' && hasOffset && finalOrder.length !== 1)
      throw new DbError(
        'windowing_error',
        'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column',
      ).at(position);
    const start = frameBound(scope, options, true, raw.startOffset, mode, finalOrder);
    const end = frameBound(scope, options, false, raw.endOffset, mode, finalOrder);
    result.push({
      name: raw.name ?? null,
      ...(raw.refname ? { reference: raw.refname } : {}),
      partitionBy: finalPartition,
      orderBy: finalOrder,
      frame: {
        mode,
        start: start.bound,
        end: end.bound,
        exclude:
          (options & FRAME.excludeCurrentRow) !== 0
            ? 'current row'
            : (options & FRAME.excludeGroup) !== 0
              ? 'group'
              : (options & FRAME.excludeTies) !== 0
                ? 'ties'
                : 'none',
        between: (options & FRAME.between) !== 0,
        startInRange: start.inRange,
        endInRange: end.inRange,
      },
    });
  }
  return result;
}

/** in_range support functions (pg_amproc, btree support 3): offset type and function by (column type, offset type). */
const IN_RANGE: ReadonlyMap<number, readonly [offsetType: number, functionOid: number][]> = new Map([
  [T.INT8, [[T.INT8, 4126]]],
  [
    T.INT4,
    [
      [T.INT8, 4127],
      [T.INT4, 4128],
      [T.INT2, 4129],
    ],
  ],
  [
    T.INT2,
    [
      [T.INT8, 4130],
      [T.INT4, 4131],
      [T.INT2, 4132],
    ],
  ],
  [T.DATE, [[T.INTERVAL, 4133]]],
  [T.TIMESTAMP, [[T.INTERVAL, 4134]]],
  [T.TIMESTAMPTZ, [[T.INTERVAL, 4135]]],
  [T.INTERVAL, [[T.INTERVAL, 4136]]],
  [T.TIME, [[T.INTERVAL, 4137]]],
  [T.TIMETZ, [[T.INTERVAL, 4138]]],
  [T.FLOAT8, [[T.FLOAT8, 4139]]],
  [T.FLOAT4, [[T.FLOAT8, 4140]]],
  [T.NUMERIC, [[T.NUMERIC, 4141]]],
]);

function frameBound(
  scope: Scope,
  options: number,
  isStart: boolean,
  offsetNode: Node | undefined,
  mode: 'range' | 'rows' | 'groups',
  orderBy: readonly SortKey[],
): { bound: FrameBound; inRange: number } {
  const has = (start: number, end: number): boolean => (options & (isStart ? start : end)) !== 0;
  if (
    has(FRAME.startOffsetPreceding, FRAME.endOffsetPreceding) ||
    has(FRAME.startOffsetFollowing, FRAME.endOffsetFollowing)
  ) {
    const kind = has(FRAME.startOffsetPreceding, FRAME.endOffsetPreceding) ? 'preceding' : 'following';
    const label = mode.toUpperCase();
    const exprKind = mode === 'rows' ? 'windowRows' : mode === 'groups' ? 'windowGroups' : 'windowRange';
    const node = transformExpr(scope, offsetNode!, exprKind);
    let offset: Expr;
    let inRange = 0;
    if (mode === 'range') {
      const key = orderBy[0].expr;
      const choices = IN_RANGE.get(key.typeOid);
      if (!choices)
        throw new DbError(
          'feature_not_supported',
          `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeLabel(scope.context, key.typeOid)}`,
        ).at(exprPosition(node));
      const exact = choices.find(([type]) => type === node.typeOid);
      const preferred = choices.find(([type]) => type === key.typeOid) ?? choices[0];
      const [target, functionOid] = exact ?? preferred;
      inRange = functionOid;
      const coerced = coerceToTarget(
        scope,
        node,
        node.typeOid,
        target,
        -1,
        'implicit',
        'implicitCast',
        exprPosition(node),
      );
      if (!coerced)
        throw new DbError(
          'feature_not_supported',
          `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeLabel(scope.context, key.typeOid)} and offset type ${typeLabel(scope.context, node.typeOid)}`,
          { hint: 'Cast the offset value to an appropriate type.' },
        ).at(exprPosition(node));
      offset = coerced;
    } else offset = coerceToSpecific(scope, node, T.INT8, label, 'assignment');
    if (containsVarOfLevel(offset, 0))
      throw new DbError('invalid_column_reference', `argument of ${label} must not contain variables`).at(
        firstVarPosition(offset),
      );
    return { bound: { kind, offset }, inRange };
  }
  if (has(FRAME.startUnboundedFollowing, FRAME.endUnboundedFollowing))
    return { bound: { kind: 'unboundedFollowing' }, inRange: 0 };
  if (has(FRAME.startUnboundedPreceding, FRAME.endUnboundedPreceding))
    return { bound: { kind: 'unboundedPreceding' }, inRange: 0 };
  if (has(FRAME.startCurrentRow, FRAME.endCurrentRow)) return { bound: { kind: 'currentRow' }, inRange: 0 };
  return { bound: isStart ? { kind: 'unboundedPreceding' } : { kind: 'currentRow' }, inRange: 0 };
}

const STRENGTH: Readonly<Record<string, RowMark['strength']>> = {
  LCS_FORKEYSHARE: 'KeyShare',
  LCS_FORSHARE: 'Share',
  LCS_FORNOKEYUPDATE: 'NoKeyUpdate',
  LCS_FORUPDATE: 'Update',
};
const STRENGTH_TEXT: Readonly<Record<RowMark['strength'], string>> = {
  KeyShare: 'FOR KEY SHARE',
  Share: 'FOR SHARE',
  NoKeyUpdate: 'FOR NO KEY UPDATE',
  Update: 'FOR UPDATE',
};
const STRENGTH_RANK: Readonly<Record<RowMark['strength'], number>> = {
  KeyShare: 1,
  Share: 2,
  NoKeyUpdate: 3,
  Update: 4,
};

/** FOR UPDATE and its kin: marks on the tables of this level, or of the one the clause names. */
export function transformLocking(query: Query, nodes: readonly Node[] | undefined): void {
  for (const node of nodes ?? []) {
    const clause = as(node, 'LockingClause') as LockingClause;
    const strength = STRENGTH[clause.strength ?? ''] ?? 'Update';
    const label = STRENGTH_TEXT[strength];
    const waitPolicy =
      clause.waitPolicy === 'LockWaitError'
        ? 'nowait'
        : clause.waitPolicy === 'LockWaitSkip'
          ? 'skip'
          : 'wait';
    checkLockable(query, label);
    const nullable = nullableRelations(query);
    const mark = (index: number): void => {
      const entry = query.rangeTable[index - 1];
      if (nullable.has(index))
        throw new DbError(
          'feature_not_supported',
          `${label} cannot be applied to the nullable side of an outer join`,
        );
      if (entry.kind === 'relation') {
        entry.lockMode = 'RowShare';
        entry.privileges.push({ privilege: 'UPDATE', columns: [] });
        const known = query.rowMarks.find((item) => item.relation === index);
        if (known) {
          if (STRENGTH_RANK[strength] > STRENGTH_RANK[known.strength]) known.strength = strength;
          if (waitPolicy === 'nowait' || known.waitPolicy === 'wait') known.waitPolicy = waitPolicy;
        } else query.rowMarks.push({ relation: index, strength, waitPolicy });
      } else if (entry.kind === 'subquery') {
        checkLockable(entry.query, label);
        transformLocking(entry.query, [{ LockingClause: { ...clause, lockedRels: undefined } } as Node]);
      }
    };
    if (!clause.lockedRels?.length) {
      query.rangeTable.forEach((entry, index) => {
        if (entry.inFrom && (entry.kind === 'relation' || entry.kind === 'subquery')) mark(index + 1);
      });
      continue;
    }
    for (const item of clause.lockedRels) {
      const rangeVar = as(item, 'RangeVar') as RangeVar;
      const position = positionOf(rangeVar.location);
      if (rangeVar.schemaname)
        throw new DbError('syntax_error', `${label} must specify unqualified relation names`).at(position);
      const index = query.rangeTable.findIndex((entry) => entry.inFrom && entry.alias === rangeVar.relname);
      if (index < 0)
        throw new DbError(
          'undefined_table',
          `relation "${rangeVar.relname}" in ${label} clause not found in FROM clause`,
        ).at(position);
      const { kind } = query.rangeTable[index];
      const cannot: Partial<Record<typeof kind, string>> = {
        join: 'a join',
        function: 'a function',
        values: 'VALUES',
        cte: 'a WITH query',
      };
      if (cannot[kind] !== undefined)
        throw new DbError('feature_not_supported', `${label} cannot be applied to ${cannot[kind]}`).at(
          position,
        );
      mark(index + 1);
    }
  }
}

function checkLockable(query: Query, label: string): void {
  const fail = (what: string): DbError =>
    new DbError('feature_not_supported', `${label} is not allowed with ${what}`);
  if (query.setOperation) throw fail('UNION/INTERSECT/EXCEPT');
  if (query.distinct !== 'none') throw fail('DISTINCT clause');
  if (query.groupBy.length > 0 || query.groupingSets) throw fail('GROUP BY clause');
  if (query.having) throw fail('HAVING clause');
  if (query.hasAggregates) throw fail('aggregate functions');
  if (query.hasWindowFunctions) throw fail('window functions');
  if (query.hasTargetSets) throw fail('set-returning functions in the target list');
}

/** Relations an outer join may fill with NULLs. */
function nullableRelations(query: Query): Set<number> {
  const found = new Set<number>();
  const visit = (node: FromNode, isNullable: boolean): void => {
    if (node.kind === 'relationRef') {
      if (isNullable) found.add(node.relation);
      return;
    }
    visit(node.left, isNullable || node.type === 'right' || node.type === 'full');
    visit(node.right, isNullable || node.type === 'left' || node.type === 'full');
  };
  for (const node of query.from) visit(node, false);
  return found;
}
