/**
 * Offsets of containers inside PostgreSQL's stored form of a jsonb value. `.keyvalue()` shows them as ids, so they are computed as
 * that form would have them: a 4-byte header and one 4-byte entry per element (two per pair), keys before values, numbers and
 * containers aligned to 4 bytes.
 */
import { isJsonArray, isJsonObject } from '../../../types/json-text.ts';
import type { JsonValue } from '../../../types/jsonb.ts';
import { Numeric } from '../../../types/numeric.ts';
import { sendNumeric } from '../../../types/numeric-codec.ts';

type Container = object;
const layouts = new WeakMap<Container, Map<Container, number>>();

/** Bytes of a number as a varlena: length word, header word(s), two bytes per base-10000 digit. */
function numericSize(value: Numeric): number {
  const wire = sendNumeric(value);
  const data = new DataView(wire.buffer, wire.byteOffset, wire.byteLength);
  const digits = data.getInt16(0);
  const weight = data.getInt16(2);
  const scale = data.getInt16(6);
  const isShort = value.kind !== 'finite' || (scale <= 63 && weight <= 63 && weight >= -64);
  return 4 + (isShort ? 2 : 4) + 2 * digits;
}

const align = (offset: number): number => (offset + 3) & ~3;

function place(value: JsonValue, offset: number, offsets: Map<Container, number>): number {
  if (typeof value === 'string') return offset + Buffer.byteLength(value);
  if (value instanceof Numeric) return align(offset) + numericSize(value);
  if (value === null || typeof value === 'boolean') return offset;
  const start = align(offset);
  offsets.set(value as Container, start);
  if (isJsonArray(value)) {
    let at = start + 4 + 4 * value.length;
    for (const item of value) at = place(item, at, offsets);
    return at;
  }
  const { entries } = value;
  let at = start + 4 + 8 * entries.length;
  for (const [key] of entries) at += Buffer.byteLength(key);
  for (const [, item] of entries) at = place(item, at, offsets);
  return at;
}

/** Offset of `container` within `base`, both jsonb containers. */
export function containerOffset(base: JsonValue, container: JsonValue): number {
  if (!isJsonArray(base) && !isJsonObject(base)) return 0;
  let offsets = layouts.get(base as Container);
  if (offsets === undefined) {
    offsets = new Map();
    place(base, 0, offsets);
    layouts.set(base as Container, offsets);
  }
  return offsets.get(container as Container) ?? 0;
}
