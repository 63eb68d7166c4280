/** Datums as plain data, for messages between threads. */

import { internalError } from '../../base/error.ts';
import type { TypeSupport } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { DEFAULT_FORMAT, findTypeSupport } from '../../types/index.ts';
import { type Packed, TEXT_PART } from './messages.ts';

function supportOf(typeOid: number): TypeSupport {
  const support = findTypeSupport(typeOid);
  if (support === undefined) throw internalError(`a value of type ${typeOid} was to move to another thread`);
  return support;
}

/** A text longer than one part is announced only; the caller sends its parts. */
export function pack(value: Datum, typeOid: number): Packed {
  switch (typeof value) {
    case 'string':
      return value.length > TEXT_PART ? { kind: 'text', length: value.length } : value;
    case 'object': {
      if (value === null) return null;
      if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value };
      const support = supportOf(typeOid);
      return support.encode === undefined
        ? { kind: 'encoded', bytes: Buffer.from(support.output(value, DEFAULT_FORMAT)) }
        : { kind: 'encoded', bytes: support.encode(value) };
    }
    default:
      return value;
  }
}

/** `nextText` gives the texts that came in parts, in order. */
export function unpack(packed: Packed, typeOid: number, nextText: () => string): Datum {
  if (typeof packed !== 'object' || packed === null) return packed;
  switch (packed.kind) {
    case 'text':
      return nextText();
    case 'bytes':
      return packed.bytes;
    case 'encoded': {
      const support = supportOf(typeOid);
      if (support.decodeOwned !== undefined) return support.decodeOwned(packed.bytes);
      return support.decode === undefined
        ? support.input(Buffer.from(packed.bytes).toString(), -1, DEFAULT_FORMAT)
        : support.decode(packed.bytes);
    }
  }
}
