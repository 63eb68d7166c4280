/**
 * INSERT, UPDATE, DELETE and MERGE.
 *
 * New values are expressions of the modify node itself, not of a projection below it: after waiting for another
 * transaction the executor reads the newest version into the target's slots and evaluates condition and values again.
 */
import { assert, internalError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import type { TargetEntry } from '../../sql/tree.ts';
import { makeConst, splitConjuncts } from '../expression/make.ts';
import type { LExpr } from '../expression/walk.ts';
import { typeOf } from '../state.ts';
import type { LModify, LogicalNode, LScan } from './algebra.ts';
import { bindScan, buildFromList, newScan, rowIdSlot } from './from.ts';
import { type BuildContext, type BuiltQuery, convertExpression, type Scope } from './scope.ts';

export function buildModify(context: BuildContext, scope: Scope): BuiltQuery {
  const { state } = context;
  const { query } = scope;
  state.readOnly = false;
  const { command } = query;
  assert(command !== 'select', 'a SELECT modifies nothing');
  const entry = query.rangeTable[query.resultRelation - 1];
  if (entry.kind !== 'relation') throw internalError('the target of a modification must be a relation');

  let node: LogicalNode;
  let target: LScan;
  const described = state.catalog.relation(entry.relationOid);
  const isInstead = described?.kind === 'v' || described?.virtualRows != null;
  if (command === 'insert' || isInstead) {
    target = newScan(state, entry);
    scope.bindings[query.resultRelation] = bindScan(state, target);
    node = buildFromList(context, scope, query.from);
  } else {
    const mentioned = query.from.some((item) => mentions(item, query.resultRelation));
    const from = mentioned
      ? query.from
      : [{ kind: 'relationRef' as const, relation: query.resultRelation }, ...query.from];
    node = buildFromList(context, scope, from);
    const scan = scope.bindings[query.resultRelation]?.scan;
    if (!scan) throw internalError('the target of a modification has no scan');
    target = scan;
    rowIdSlot(state, target);
  }
  if (query.where !== null) {
    const predicates = splitConjuncts(convertExpression(context, scope, query.where));
    node = { kind: 'filter', child: node, predicates };
  }

  const { relation } = target;
  const row = newRow(context, scope, relation, query.targets, command === 'insert');
  let onConflict: LModify['onConflict'] = null;
  if (query.onConflict !== null) {
    const excluded: LScan = { kind: 'scan', relation, alias: 'excluded', columns: new Map(), rowIdSlot: -1 };
    if (query.onConflict.excludedRelation > 0)
      scope.bindings[query.onConflict.excludedRelation] = bindScan(state, excluded);
    onConflict = {
      action: query.onConflict.action,
      indexOids: query.onConflict.indexOids,
      row: newRow(context, scope, relation, query.onConflict.set, false),
      where:
        query.onConflict.where === null ? null : convertExpression(context, scope, query.onConflict.where),
      excluded,
    };
  }
  const mergeActions = query.mergeActions.map((action) => ({
    matched: action.matched,
    command: action.command,
    condition: action.condition === null ? null : convertExpression(context, scope, action.condition),
    row:
      action.command === 'insert' || action.command === 'update'
        ? newRow(context, scope, relation, action.targets, action.command === 'insert')
        : [],
  }));
  const oldRow = (query.insteadOldRow ?? []).map((expr) => convertExpression(context, scope, expr));
  const returning = query.returning
    .filter((item) => !item.junk)
    .map((item) => {
      const expr = convertExpression(context, scope, item.expr);
      return { expr, slot: state.newSlot(typeOf(expr)) };
    });
  const modify: LModify = {
    kind: 'modify',
    command,
    relation,
    alias: entry.alias,
    child: node,
    target,
    row: command === 'delete' || command === 'merge' ? [] : row,
    onConflict,
    ...(isInstead ? { oldRow } : {}),
    returning,
    viewChecks: (query.viewChecks ?? []).flatMap(({ viewName, condition }) =>
      condition === null ? [] : [{ viewName, condition: convertExpression(context, scope, condition) }],
    ),
    mergeActions,
  };
  return {
    node: modify,
    columns: returning.map((item): LExpr => state.slot(item.slot)),
    simple: false,
  };
}

function mentions(item: Scope['query']['from'][number], relation: number): boolean {
  if (item.kind === 'relationRef') return item.relation === relation;
  return mentions(item.left, relation) || mentions(item.right, relation);
}

/** One expression per column: NULL for columns an INSERT leaves out, null ("keep") for those an UPDATE does. */
export function newRow(
  context: BuildContext,
  scope: Scope,
  relation: RelationDescriptor,
  targets: readonly TargetEntry[],
  isInsert: boolean,
): (LExpr | null)[] {
  const row: (LExpr | null)[] = relation.columns.map((column) =>
    isInsert ? makeConst(column.typeOid, null, column.collation, column.typmod) : null,
  );
  for (const item of targets) {
    if (item.junk || item.targetColumn <= 0) continue;
    row[item.targetColumn - 1] = convertExpression(context, scope, item.expr);
  }
  return row;
}
