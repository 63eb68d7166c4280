/** Places of nodes in the tree view: children below their parent, subtrees as near to each other as their outlines allow. */
import type { Plan } from './model.ts';

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 62;
const GAP_X = 18;
const GAP_Y = 46;

export interface Layout {
  /** Left and top edge of each node. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Reingold and Tilford's idea with explicit outlines: each subtree is pushed right of its elder sibling until the outlines no
 * longer meet, the parent is centred. Nodes come in depth-first order, so children are placed from the end of the list.
 */
export function layoutPlan(plan: Plan): Layout {
  const count = plan.nodes.length;
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  /** Shift of a whole subtree relative to its parent's frame. */
  const shift = new Float64Array(count);
  const outlines = new Array<{ left: number[]; right: number[] } | undefined>(count);
  for (let id = count - 1; id >= 0; id--) {
    const node = plan.nodes[id];
    if (node.children.length === 0) {
      outlines[id] = { left: [0], right: [NODE_WIDTH] };
      continue;
    }
    let merged: { left: number[]; right: number[] } | null = null;
    for (const child of node.children) {
      const outline = outlines[child] ?? { left: [0], right: [NODE_WIDTH] };
      outlines[child] = undefined;
      if (merged === null) {
        merged = { left: [...outline.left], right: [...outline.right] };
        shift[child] = 0;
        continue;
      }
      let push = Number.NEGATIVE_INFINITY;
      const common = Math.min(merged.right.length, outline.left.length);
      for (let level = 0; level < common; level++)
        push = Math.max(push, merged.right[level] + GAP_X - outline.left[level]);
      shift[child] = push;
      for (let level = 0; level < outline.left.length; level++) {
        if (level >= merged.left.length) merged.left.push(outline.left[level] + push);
        if (level >= merged.right.length) merged.right.push(outline.right[level] + push);
        else merged.right[level] = outline.right[level] + push;
      }
    }
    const first = node.children[0];
    const last = node.children[node.children.length - 1];
    const centre = (x[first] + shift[first] + x[last] + shift[last]) / 2;
    x[id] = centre;
    const below = merged as { left: number[]; right: number[] };
    outlines[id] = { left: [centre, ...below.left], right: [centre + NODE_WIDTH, ...below.right] };
  }
  // Frames to places: from the root down.
  const offset = new Float64Array(count);
  let least = 0;
  let width = 0;
  let height = 0;
  for (const node of plan.nodes) {
    if (node.parent !== null) offset[node.id] = offset[node.parent] + shift[node.id];
    x[node.id] += offset[node.id];
    y[node.id] = node.depth * (NODE_HEIGHT + GAP_Y);
    least = Math.min(least, x[node.id]);
  }
  for (let id = 0; id < count; id++) {
    x[id] -= least;
    width = Math.max(width, x[id] + NODE_WIDTH);
    height = Math.max(height, y[id] + NODE_HEIGHT);
  }
  return { x, y, width, height };
}

/** Width of an edge for a number of rows: logarithmic, 1 to 24 pixels. */
export function edgeWidth(rows: number): number {
  return Math.min(24, Math.max(1, Math.log10(Math.max(1, rows)) * 3));
}
