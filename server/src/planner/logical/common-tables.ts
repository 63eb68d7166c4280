/**
 * WITH: a common table is merged into its single reference when that cannot be seen from outside, else it becomes a
 * materialised table of the plan. Recursive ones become a recursive union over a work table.
 */
import { assert, notSupported } from '../../base/error.ts';
import type { CommonTable, Query } from '../../sql/tree.ts';
import { isVolatilePlan } from '../expression/properties.ts';
import type { LExpr } from '../expression/walk.ts';
import type { LogicalNode } from './algebra.ts';
import { outerSlots } from './nodes.ts';
import { materialise } from './project.ts';
import { type BuildContext, type BuiltQuery, type CteBinding, newScope, type Scope } from './scope.ts';

export function bindCommonTables(context: BuildContext, scope: Scope): void {
  for (const table of scope.query.commonTables) {
    const binding = bindCommonTable(context, scope, table);
    scope.ctes.set(table.name, binding);
    // A data-modifying one runs even if nobody reads it.
    if (table.query.command !== 'select') binding.reference(table.name, table.columnNames);
  }
}

function bindCommonTable(context: BuildContext, scope: Scope, table: CommonTable): CteBinding {
  const { state } = context;
  if (table.query.command !== 'select')
    return materialisedBinding(context, table, () => context.buildQuery(table.query, scope), true);
  if (isSelfReferencing(table)) {
    let built: BuiltQuery | null = null;
    const recursive = (): BuiltQuery => (built ??= buildRecursive(context, scope, table));
    const shared = materialisedBinding(context, table, recursive, false);
    return {
      reference(alias, names) {
        // One that depends on an outer row is computed where it stands.
        if (dependsOnOuter(recursive())) {
          const own = recursive();
          built = null;
          return own;
        }
        return shared.reference(alias, names);
      },
    };
  }
  let first: BuiltQuery | null = null;
  const build = (): BuiltQuery => context.buildQuery(table.query, scope);
  const shared = materialisedBinding(context, table, () => first ?? build(), false);
  return {
    reference(alias, names) {
      if (table.materialized === 'never' || (table.materialized === 'default' && table.references <= 1)) {
        const built = build();
        if (!isVolatilePlan(state.catalog, built.node) && !columnsVolatile(context, built)) return built;
        first ??= built;
      } else first ??= build();
      // A common table that depends on an outer row cannot be shared between rows: compute it at each reference.
      if (dependsOnOuter(first)) {
        const built = first;
        first = null;
        return built;
      }
      return shared.reference(alias, names);
    },
  };
}

/** Reads slots of an enclosing query, in its plan or in its columns. */
function dependsOnOuter(built: BuiltQuery): boolean {
  return outerSlots({ kind: 'filter', child: built.node, predicates: built.columns }).size > 0;
}

function columnsVolatile(context: BuildContext, built: BuiltQuery): boolean {
  return isVolatilePlan(context.state.catalog, {
    kind: 'filter',
    child: { kind: 'result' },
    predicates: built.columns,
  });
}

function isSelfReferencing(table: CommonTable): boolean {
  return table.recursive && table.query.setOperation !== null;
}

/** A table of the plan, computed once; every reference is a scan with slots of its own. */
function materialisedBinding(
  context: BuildContext,
  table: CommonTable,
  build: () => BuiltQuery,
  modifies: boolean,
): CteBinding {
  const { state } = context;
  let index = -1;
  return {
    reference(alias, names) {
      if (index < 0) {
        const built = build();
        const { node, exprs } = materialise(state, built.node, built.columns);
        const outputs = exprs.map((expr) => (expr.kind === 'slot' ? expr.slot : -1));
        index = state.ctes.length;
        state.ctes.push({ name: table.name, node, outputs, modifies });
      }
      const { outputs } = state.ctes[index];
      const slots = outputs.map((output) => {
        const info = state.slots[output];
        return state.newSlot(info, { notNull: info.notNull, origin: info.origin, distinct: info.distinct });
      });
      return {
        node: { kind: 'cteScan', cte: index, name: table.name, alias, slots, names },
        columns: slots.map((slot): LExpr => state.slot(slot)),
        simple: true,
      };
    },
  };
}

function leafQuery(query: Query, relation: number): Query {
  const entry = query.rangeTable[relation - 1];
  assert(entry.kind === 'subquery', 'a set operation needs subqueries');
  return entry.query;
}

function buildRecursive(context: BuildContext, scope: Scope, table: CommonTable): BuiltQuery {
  const { state } = context;
  const { query } = table;
  const operation = query.setOperation;
  assert(operation !== null && operation.kind === 'setOperation', 'a recursive query is a UNION');
  if (operation.op !== 'union' || operation.left.kind !== 'leaf' || operation.right.kind !== 'leaf')
    throw notSupported('a recursive query of this form');
  const inner = newScope(query, scope);
  bindCommonTables(context, inner);
  const workTable = state.workTableCount++;
  const base = context.buildQuery(leafQuery(query, operation.left.relation), inner);
  const baseOut = materialise(state, base.node, base.columns, true);
  const types = operation.columnTypes;
  // While the recursive side is built, the table's own name means the rows of the last round.
  const outer = scope.ctes.get(table.name);
  scope.ctes.set(table.name, {
    reference(alias, names) {
      const slots = types.map((type) => state.newSlot(type));
      return {
        node: { kind: 'workTableScan', workTable, alias, slots, names },
        columns: slots.map((slot): LExpr => state.slot(slot)),
        simple: true,
      };
    },
  });
  const recursive = context.buildQuery(leafQuery(query, operation.right.relation), inner);
  if (outer === undefined) scope.ctes.delete(table.name);
  else scope.ctes.set(table.name, outer);
  const recursiveOut = materialise(state, recursive.node, recursive.columns, true);
  const slots = types.map((type) => state.newSlot(type));
  const slotOf = (expr: LExpr): number => (expr.kind === 'slot' ? expr.slot : -1);
  const node: LogicalNode = {
    kind: 'recursiveUnion',
    base: baseOut.node,
    recursive: recursiveOut.node,
    baseSlots: baseOut.exprs.map(slotOf),
    recursiveSlots: recursiveOut.exprs.map(slotOf),
    slots,
    distinct: !operation.all,
    workTable,
    keys: operation.all
      ? []
      : operation.keys.map((key, i) => ({ ...key, expr: { ...state.slot(slots[i]) } as never })),
  };
  return { node, columns: slots.map((slot): LExpr => state.slot(slot)), simple: false };
}
