/** FROM: range table entries and joins become logical nodes, and their columns bindings. */
import { internalError } from '../../base/error.ts';
import type { FromNode, RelationEntry, SubqueryEntry } from '../../sql/tree.ts';
import { walkQuery } from '../../sql/walk.ts';
import { SYSTEM_COLUMN } from '../../table/contract.ts';
import { makeConst, splitConjuncts } from '../expression/make.ts';
import { containsSubquery, isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import { type PlannerState, typeOf } from '../state.ts';
import type { LogicalNode, LScan } from './algebra.ts';
import { providedSlots } from './nodes.ts';
import {
  type Binding,
  type BuildContext,
  type BuiltQuery,
  convertExpression,
  type Scope,
  scopeAt,
} from './scope.ts';

/** The FROM list as one node (cross joined), `result` when empty. */
export function buildFromList(context: BuildContext, scope: Scope, from: readonly FromNode[]): LogicalNode {
  let node: LogicalNode | null = null;
  for (const item of from) {
    const next = buildFrom(context, scope, item, false);
    node = node === null ? next : crossJoin(node, next);
  }
  return node ?? { kind: 'result' };
}

export function crossJoin(left: LogicalNode, right: LogicalNode): LogicalNode {
  if (left.kind === 'result') return right;
  if (right.kind === 'result') return left;
  return { kind: 'join', type: 'inner', left, right, predicates: [], nullAware: false };
}

/** `nullable`: an outer join above may null the item's columns, so computed columns must be fixed below it. */
function buildFrom(context: BuildContext, scope: Scope, item: FromNode, nullable: boolean): LogicalNode {
  if (item.kind === 'relationRef') {
    const built = buildEntry(context, scope, item.relation, nullable);
    const binding = nullable ? withPresence(context.state, scope, item.relation, built) : built;
    scope.bindings[item.relation] = binding;
    return binding.node as LogicalNode;
  }
  const { type } = item;
  const left = buildFrom(context, scope, item.left, nullable || type === 'right' || type === 'full');
  const right = buildFrom(context, scope, item.right, nullable || type === 'left' || type === 'full');
  const predicates =
    item.condition === null ? [] : splitConjuncts(convertExpression(context, scope, item.condition));
  switch (type) {
    case 'cross':
    case 'inner': {
      const join = crossJoin(left, right);
      if (join.kind === 'join' && join.predicates.length === 0 && join.left === left && join.right === right)
        return { ...join, predicates };
      return predicates.length === 0 ? join : { kind: 'filter', child: join, predicates };
    }
    case 'right':
      return { kind: 'join', type: 'left', left: right, right: left, predicates, nullAware: false };
    default:
      return { kind: 'join', type, left, right, predicates, nullAware: false };
  }
}

/** A whole row of the nullable side of an outer join is NULL when there is no row, not a row of NULLs. */
function withPresence(state: PlannerState, scope: Scope, relation: number, binding: Binding): Binding {
  let isAsked = false;
  walkQuery(scope.query, (expr, depth) => {
    if (expr.kind !== 'var' || expr.relation !== relation) return;
    if (expr.attribute === 0 && expr.levelsUp === depth) isAsked = true;
  });
  if (!isAsked) return binding;
  if (binding.scan !== null && binding.scan.relation.virtualRows === null)
    return { ...binding, present: state.slot(rowIdSlot(state, binding.scan)) };
  const type = { typeOid: 16, typmod: -1, collation: 0 };
  const slot = state.newSlot(type);
  const node: LogicalNode = {
    kind: 'project',
    child: binding.node as LogicalNode,
    exprs: [{ expr: makeConst(16, true, 0), slot }],
  };
  return { ...binding, node, scan: null, present: state.slot(slot) };
}

export function buildEntry(
  context: BuildContext,
  scope: Scope,
  relation: number,
  nullable: boolean,
): Binding {
  const entry = scope.query.rangeTable[relation - 1];
  const { state } = context;
  switch (entry.kind) {
    case 'relation': {
      const binding = bindScan(state, newScan(state, entry));
      return entry.sample === null ? binding : sampled(context, scope, entry.sample, binding);
    }
    case 'subquery':
      return bindBuilt(context, buildSubquery(context, scope, entry), nullable);
    case 'values': {
      const slots = entry.columnTypes.map((type) => state.newSlot(type));
      const rows = entry.rows.map((row) => row.map((expr) => convertExpression(context, scope, expr)));
      slots.forEach((slot, i) => {
        state.slots[slot].notNull = rows.every((row) => row[i].kind === 'const' && row[i].value !== null);
        state.slots[slot].distinct = rows.length;
      });
      return bindSlots(
        state,
        { kind: 'values', alias: entry.alias, rows, slots, names: entry.columnNames },
        slots,
      );
    }
    case 'function': {
      let next = 0;
      const slots: number[] = [];
      const functions = entry.functions.map((item) => {
        const own = entry.columnTypes.slice(next, next + item.columnCount).map((type) => state.newSlot(type));
        next += item.columnCount;
        slots.push(...own);
        const type = state.catalog.type(item.expr.typeOid);
        const spread = item.columnCount !== 1 || type?.kind === 'c' || item.expr.typeOid === 2249;
        return { expr: convertExpression(context, scope, item.expr), slots: own, spread };
      });
      let ordinalitySlot = -1;
      if (entry.ordinality) {
        ordinalitySlot = state.newSlot({ typeOid: 20, typmod: -1, collation: 0 }, { notNull: true });
        slots.push(ordinalitySlot);
      }
      return bindSlots(
        state,
        { kind: 'functionScan', alias: entry.alias, functions, ordinalitySlot, names: entry.columnNames },
        slots,
      );
    }
    case 'cte': {
      const at = scopeAt(scope, entry.levelsUp);
      const cte = at.ctes.get(entry.cteName);
      if (cte === undefined) throw internalError(`common table "${entry.cteName}" has not been built`);
      return bindBuilt(context, cte.reference(entry.alias, entry.columnNames), nullable);
    }
    case 'join':
      throw internalError('a join entry cannot be a FROM item');
  }
}

const SAMPLE_FUNCTIONS: Readonly<Record<string, number>> = { bernoulli: 3313, system: 3314 };

/**
 * TABLESAMPLE is a condition on the row id: the handler's function decides each row by a hash of the id (bernoulli) or of
 * its block (system) and the seed. Arguments travel in arrays, because a NULL among them is an error, not a NULL answer.
 */
function sampled(
  context: BuildContext,
  scope: Scope,
  sample: NonNullable<RelationEntry['sample']>,
  binding: Binding,
): Binding {
  const { state } = context;
  const scan = binding.scan as LScan;
  const list = (elements: LExpr[], elementType: number, typeOid: number): LExpr => ({
    kind: 'array',
    elementType,
    elements: elements.map(asTree),
    multidimensional: false,
    typeOid,
    typmod: -1,
    collation: 0,
  });
  const percent = sample.args.map((arg) => convertExpression(context, scope, arg));
  const seed = sample.repeatable === null ? [] : [convertExpression(context, scope, sample.repeatable)];
  const condition: LExpr = {
    kind: 'function',
    functionOid: SAMPLE_FUNCTIONS[sample.method],
    args: [state.slot(rowIdSlot(state, scan)), list(percent, 700, 1021), list(seed, 701, 1022)].map(asTree),
    returnsSet: false,
    form: 'call',
    variadic: false,
    typeOid: 16,
    typmod: -1,
    collation: 0,
  };
  return { ...binding, node: { kind: 'filter', child: scan, predicates: [condition] } };
}

/** A scan of the relation; columns get their slots when they are first referenced. */
export function newScan(state: PlannerState, entry: RelationEntry): LScan {
  const relation = state.catalog.relation(entry.relationOid);
  if (relation === null) throw internalError(`relation ${entry.relationOid} does not exist`);
  return { kind: 'scan', relation, alias: entry.alias, columns: new Map(), rowIdSlot: -1 };
}

const TID = { typeOid: 27, typmod: -1, collation: 0 };
const XID = { typeOid: 28, typmod: -1, collation: 0 };
const CID = { typeOid: 29, typmod: -1, collation: 0 };
const OID = { typeOid: 26, typmod: -1, collation: 0 };

/** Slot of a column (attnum from 1, or a negative system column), made on first use. */
export function scanSlot(state: PlannerState, scan: LScan, attribute: number): number {
  const column = attribute > 0 ? attribute - 1 : attribute;
  let slot = scan.columns.get(column);
  if (slot !== undefined) return slot;
  if (attribute > 0) {
    const descriptor = scan.relation.columns[column];
    if (descriptor === undefined)
      throw internalError(`column ${attribute} of relation ${scan.relation.name} does not exist`);
    slot = state.newSlot(descriptor, {
      notNull: descriptor.notNull,
      origin: { tableOid: scan.relation.oid, column },
    });
  } else {
    const type =
      attribute === SYSTEM_COLUMN.ctid
        ? TID
        : attribute === SYSTEM_COLUMN.tableoid
          ? OID
          : attribute === SYSTEM_COLUMN.cmin || attribute === SYSTEM_COLUMN.cmax
            ? CID
            : XID;
    slot = state.newSlot(type, { notNull: true });
  }
  scan.columns.set(column, slot);
  return slot;
}

/** Slot that receives the scan's row id. */
export function rowIdSlot(state: PlannerState, scan: LScan): number {
  if (scan.rowIdSlot < 0)
    scan.rowIdSlot = state.newSlot({ typeOid: 20, typmod: -1, collation: 0 }, { notNull: true });
  return scan.rowIdSlot;
}

export function bindScan(state: PlannerState, scan: LScan): Binding {
  return {
    node: scan,
    scan,
    column: (attribute) => state.slot(scanSlot(state, scan, attribute)),
  };
}

function bindSlots(state: PlannerState, node: LogicalNode, slots: readonly number[]): Binding {
  return { node, scan: null, column: (attribute) => state.slot(slots[attribute - 1]) };
}

function buildSubquery(context: BuildContext, scope: Scope, entry: SubqueryEntry): BuiltQuery {
  return context.buildQuery(entry.query, scope);
}

/** Columns of a subquery: merged into the query around it where that is safe, else fixed in slots of a projection. */
export function bindBuilt(context: BuildContext, built: BuiltQuery, nullable: boolean): Binding {
  const { state } = context;
  let provided: Set<number> | null = null;
  const computed: { expr: LExpr; slot: number }[] = [];
  const columns = built.columns.map((expr): LExpr => {
    if (expr.kind === 'slot') {
      if (!nullable) return expr;
      provided ??= providedSlots(built.node);
      if (provided.has(expr.slot)) return expr;
    } else if (
      !nullable &&
      (expr.kind === 'const' || (!containsSubquery(expr) && !isVolatile(state.catalog, expr)))
    )
      return expr;
    const slot = state.newSlot(typeOf(expr));
    computed.push({ expr, slot });
    return state.slot(slot);
  });
  const node: LogicalNode =
    computed.length === 0 ? built.node : { kind: 'project', child: built.node, exprs: computed };
  return { node, scan: null, column: (attribute) => columns[attribute - 1] };
}
