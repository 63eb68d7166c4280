/** A light tree over json text: each node knows its slice of the text, so that operators can return the original spelling. */
import { type JsonHandler, JsonScanner } from '../../types/json-text.ts';

export interface JsonNode {
  readonly kind: 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';
  readonly start: number;
  end: number;
  /** Value of a string, text of other scalars, '' for containers. */
  readonly text: string;
  /** Object keys in input order, duplicates included; parallel to `children`. */
  readonly keys: string[];
  readonly children: JsonNode[];
}

class NodeBuilder implements JsonHandler {
  root: JsonNode | null = null;
  private readonly stack: JsonNode[] = [];

  private add(node: JsonNode): void {
    const top = this.stack.at(-1);
    if (top === undefined) this.root ??= node;
    else top.children.push(node);
  }
  private open(kind: 'object' | 'array', start: number): void {
    const node: JsonNode = { kind, start, end: start, text: '', keys: [], children: [] };
    this.add(node);
    this.stack.push(node);
  }
  scalar(
    kind: 'string' | 'number' | 'true' | 'false' | 'null',
    start: number,
    end: number,
    text: string,
  ): void {
    this.add({ kind, start, end, text, keys: [], children: [] });
  }
  objectStart(start: number): void {
    this.open('object', start);
  }
  arrayStart(start: number): void {
    this.open('array', start);
  }
  key(name: string): void {
    this.stack.at(-1)!.keys.push(name);
  }
  objectEnd(_start: number, end: number): void {
    this.stack.pop()!.end = end;
  }
  arrayEnd(_start: number, end: number): void {
    this.stack.pop()!.end = end;
  }
}

export function jsonNodes(text: string): JsonNode {
  const builder = new NodeBuilder();
  new JsonScanner(text, builder).run();
  return builder.root!;
}

/** Child by key (the last of equal ones) or undefined. */
export function nodeField(node: JsonNode, key: string): JsonNode | undefined {
  if (node.kind !== 'object') return undefined;
  const index = node.keys.lastIndexOf(key);
  return index < 0 ? undefined : node.children[index];
}

/** Child by index; negative counts from the end. */
export function nodeElement(node: JsonNode, index: number): JsonNode | undefined {
  return node.kind === 'array' ? node.children[index < 0 ? node.children.length + index : index] : undefined;
}

export function nodeText(source: string, node: JsonNode): string {
  return source.slice(node.start, node.end);
}
