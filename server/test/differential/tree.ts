/** Statements as trees: rendered to SQL, and reduced while a difference stays. */

/**
 * `expression` may be replaced by a null of its type or by a part of the same type, `clause` may be dropped, of a `list` items may
 * be dropped down to one, `fixed` stays.
 */
export interface Node {
  readonly kind: 'expression' | 'clause' | 'list' | 'fixed';
  /** An expression's type; of a query the types of its columns. */
  readonly type: string;
  readonly parts: readonly (string | Node)[];
  /** Between the items of a list. */
  readonly separator?: string;
}

export const expression = (type: string, parts: readonly (string | Node)[]): Node => ({
  kind: 'expression',
  type,
  parts,
});
export const clause = (...parts: (string | Node)[]): Node => ({ kind: 'clause', type: '', parts });
export const fixed = (...parts: (string | Node)[]): Node => ({ kind: 'fixed', type: '', parts });
export const list = (separator: string, items: readonly Node[]): Node => ({
  kind: 'list',
  type: '',
  parts: items,
  separator,
});

export function render(node: Node): string {
  return node.parts
    .map((part) => (typeof part === 'string' ? part : render(part)))
    .join(node.separator ?? '');
}

/**
 * The smallest tree found that still `differs`, by trying every single change of each node again and again.
 * @param triesMax how often `differs` may be asked
 */
export async function reduce(
  root: Node,
  differs: (candidate: Node) => Promise<boolean>,
  triesMax = 400,
): Promise<Node> {
  let best = root;
  let tries = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(best)) {
      if (tries++ >= triesMax) return best;
      if (!(await differs(candidate))) continue;
      best = candidate;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** All trees one change away, the greatest changes first. */
function* smaller(node: Node): Generator<Node> {
  if (node.kind === 'expression') {
    for (const inner of insideOf(node)) if (inner.type === node.type && inner.type !== '') yield inner;
    if (/^"?[a-z0-9]+"?(\[\])?$/.test(node.type) && render(node).length > 20)
      yield expression(node.type, [`null::${node.type}`]);
  }
  if (node.kind === 'clause' && node.parts.length > 0) yield { ...node, parts: [] };
  if (node.kind === 'list' && node.parts.length > 1)
    for (let at = 0; at < node.parts.length; at++)
      yield { ...node, parts: node.parts.filter((_, index) => index !== at) };
  for (let at = 0; at < node.parts.length; at++) {
    const part = node.parts[at]!;
    if (typeof part === 'string') continue;
    for (const change of smaller(part)) yield { ...node, parts: node.parts.with(at, change) };
  }
}

function* insideOf(node: Node): Generator<Node> {
  for (const part of node.parts) {
    if (typeof part === 'string') continue;
    if (part.kind === 'expression') yield part;
    yield* insideOf(part);
  }
}
