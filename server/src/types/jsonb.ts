import type { Numeric } from './numeric.ts';

/** A parsed JSON value: objects are entries sorted as jsonb sorts keys (length, then bytes), duplicates removed. */
export type JsonValue =
  | null
  | boolean
  | string
  | Numeric
  | readonly JsonValue[]
  | { readonly entries: readonly (readonly [string, JsonValue])[] };

/** A jsonb value. */
export class Jsonb {
  readonly value: JsonValue;
  constructor(value: JsonValue) {
    this.value = value;
  }
}
