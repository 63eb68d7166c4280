/** Typed access to the few libpg_query nodes that session commands read. */
type Node = Readonly<Record<string, unknown>>;

export function text(tree: Node, field: string): string {
  const value = tree[field];
  return typeof value === 'string' ? value : '';
}

export function flag(tree: Node, field: string): boolean {
  return tree[field] === true;
}

export function list(tree: Node, field: string): readonly Node[] {
  const value = tree[field];
  return Array.isArray(value) ? (value as Node[]) : [];
}

export function child(tree: Node, field: string): Node | null {
  const value = tree[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : null;
}

/** `{ A_Const: … }` → its node name and content. */
export function unwrap(node: Node): { node: string; tree: Node } {
  for (const [name, content] of Object.entries(node)) return { node: name, tree: content as Node };
  return { node: '', tree: {} };
}

/** Text of a constant as SET takes it: strings, numbers, booleans, identifiers; with a type cast's argument. */
export function constantText(node: Node): string | null {
  const { node: name, tree } = unwrap(node);
  if (name === 'TypeCast') {
    const argument = child(tree, 'arg');
    return argument === null ? null : constantText(argument);
  }
  if (name === 'String') return text(tree, 'sval');
  if (name !== 'A_Const') return null;
  if (tree.isnull === true) return null;
  const string = child(tree, 'sval');
  if (string !== null) return text(string, 'sval');
  const integer = child(tree, 'ival');
  if (integer !== null) return String(typeof integer.ival === 'number' ? integer.ival : 0);
  const float = child(tree, 'fval');
  if (float !== null) return text(float, 'fval');
  const boolean = child(tree, 'boolval');
  if (boolean !== null) return boolean.boolval === true ? 'true' : 'false';
  return null;
}
