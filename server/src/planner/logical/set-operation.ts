/** UNION, INTERSECT, EXCEPT: nested unions of the same kind become one node with many inputs. */
import { internalError } from '../../base/error.ts';
import type { SetOperationNode as TreeNode } from '../../sql/tree.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import type { LogicalNode } from './algebra.ts';
import { defaultKey } from './grouping.ts';
import { materialise } from './project.ts';
import type { BuildContext, Scope } from './scope.ts';

interface Input {
  node: LogicalNode;
  slots: number[];
}

/** Builds the tree; afterwards every leaf's columns resolve to the columns of the whole operation. */
export function buildSetOperation(context: BuildContext, scope: Scope, tree: TreeNode): LogicalNode {
  const leaves: number[] = [];
  const built = build(context, scope, tree, leaves);
  for (const relation of leaves)
    scope.bindings[relation] = {
      node: null,
      scan: null,
      column: (attribute): LExpr => context.state.slot(built.slots[attribute - 1]),
    };
  return built.node;
}

function build(context: BuildContext, scope: Scope, tree: TreeNode, leaves: number[]): Input {
  const { state } = context;
  if (tree.kind === 'leaf') {
    const entry = scope.query.rangeTable[tree.relation - 1];
    if (entry.kind !== 'subquery') throw internalError('a set operation needs subqueries');
    leaves.push(tree.relation);
    const built = context.buildQuery(entry.query, scope);
    const fixed = materialise(state, built.node, built.columns, true);
    return { node: fixed.node, slots: fixed.exprs.map((expr) => (expr.kind === 'slot' ? expr.slot : -1)) };
  }
  const children =
    tree.op === 'union'
      ? flatten(tree, tree.all).map((item) => build(context, scope, item, leaves))
      : [build(context, scope, tree.left, leaves), build(context, scope, tree.right, leaves)];
  const slots = tree.columnTypes.map((type, i) =>
    state.newSlot(type, {
      notNull:
        tree.op === 'union'
          ? children.every((child) => state.slots[child.slots[i]].notNull)
          : state.slots[children[0].slots[i]].notNull,
    }),
  );
  // INTERSECT ALL and EXCEPT ALL compare rows as well.
  const keys =
    tree.keys.length > 0 || tree.op === 'union'
      ? tree.keys.map((key, i) => ({ ...key, expr: asTree(state.slot(slots[i])) }))
      : slots.map((slot) => defaultKey(context, state.slot(slot)));
  return {
    node: {
      kind: 'setOperation',
      op: tree.op,
      all: tree.all,
      children: children.map((child) => child.node),
      maps: children.map((child) => child.slots),
      slots,
      keys,
    },
    slots,
  };
}

/** Inputs of a chain of unions: below UNION any union may be merged, below UNION ALL only UNION ALL. */
function flatten(tree: TreeNode, all: boolean): TreeNode[] {
  const result: TreeNode[] = [];
  const stack: TreeNode[] = [tree];
  while (stack.length > 0) {
    const item = stack.pop() as TreeNode;
    if (item.kind === 'setOperation' && item.op === 'union' && (item.all || !all)) {
      if (sameTypes(item, tree)) {
        stack.push(item.right, item.left);
        continue;
      }
    }
    result.push(item);
  }
  return result;
}

function sameTypes(item: TreeNode, root: TreeNode): boolean {
  return (
    item.kind === 'setOperation' &&
    root.kind === 'setOperation' &&
    item.columnTypes.every((type, i) => type.typeOid === root.columnTypes[i].typeOid)
  );
}
