import type { Numeric } from './numeric.ts';

/** A parsed JSON value: objects are entries sorted as jsonb sorts keys (length, then bytes), duplicates removed. */
export type JsonValue =
  | null
  | boolean
  | string
  | Numeric
  | readonly JsonValue[]
  | { readonly entries: readonly (readonly [string, JsonValue])[] };

/** Weighing stops here: heavier values are all heavy. */
const WEIGHT_MAX = 1_000_000;

/** A jsonb value. Great ones that come from storage or another thread stay bytes until something looks inside. */
export class Jsonb {
  private tree: JsonValue | undefined;
  /** Storage bytes, where they are known. */
  readonly bytes: Uint8Array | null;
  private readonly decode: ((bytes: Uint8Array) => JsonValue) | null;
  private known = -1;
  /** The text form, where another thread has made it. */
  text: string | null = null;

  constructor(
    value: JsonValue | undefined,
    bytes: Uint8Array | null = null,
    decode: ((bytes: Uint8Array) => JsonValue) | null = null,
  ) {
    this.tree = value;
    this.bytes = bytes;
    this.decode = decode;
  }

  get value(): JsonValue {
    this.tree ??= this.bytes === null ? null : this.decode!(this.bytes);
    return this.tree;
  }

  /** What going through the whole value costs, in about bytes; exact up to a million. */
  get weight(): number {
    if (this.known < 0) this.known = this.bytes === null ? weigh(this.value, 0) : this.bytes.length;
    return this.known;
  }
}

function weigh(value: JsonValue, before: number): number {
  let sum = before + 8;
  if (typeof value === 'string') return sum + value.length;
  if (typeof value !== 'object' || value === null) return sum;
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) {
      sum = weigh(item, sum);
      if (sum > WEIGHT_MAX) break;
    }
    return sum;
  }
  const { entries } = value as { entries?: readonly (readonly [string, JsonValue])[] };
  if (entries === undefined) return sum;
  for (const [key, item] of entries) {
    sum = weigh(item, sum + key.length);
    if (sum > WEIGHT_MAX) break;
  }
  return sum;
}
