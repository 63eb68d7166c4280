/**
 * Copies a message as a thread boundary would: plain data is copied, shared memory stays shared, transferred buffers
 * are detached, ports pass through. Functions and class instances are refused, as structured clone refuses them.
 */

import { EnvironmentError, type Transfer } from '../contract.ts';

/** `passThrough` tells which other objects go over as they are. */
export function copyMessage(
  message: unknown,
  transfer: Transfer | undefined,
  passThrough: (value: object) => boolean,
): unknown {
  const copies = new Map<object, unknown>();
  for (const item of transfer ?? []) {
    if (item instanceof ArrayBuffer) copies.set(item, structuredClone(item, { transfer: [item] }));
    else copies.set(item, item);
  }
  return copy(message);

  function copy(value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new EnvironmentError('EINVAL', 'message', `a ${typeof value} cannot be sent to a worker`);
    }
    if (typeof value !== 'object' || value === null) return value;
    const seen = copies.get(value);
    if (seen !== undefined) return seen;
    if (isShared(value) || passThrough(value)) return value;
    if (value instanceof Error || value instanceof Date || value instanceof RegExp)
      return structuredClone(value);
    if (value instanceof ArrayBuffer) return remember(value, value.slice(0));
    if (ArrayBuffer.isView(value)) {
      const buffer = copy(value.buffer) as ArrayBuffer;
      const kind = value.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => object;
      const length = value instanceof DataView ? value.byteLength : (value as Uint8Array).length;
      // A Buffer arrives as a plain Uint8Array, as it does from a real thread.
      const target = value instanceof Uint8Array ? Uint8Array : kind;
      return remember(value, new target(buffer, value.byteOffset, length));
    }
    if (Array.isArray(value)) {
      const result: unknown[] = [];
      copies.set(value, result);
      for (const item of value) result.push(copy(item));
      return result;
    }
    if (value instanceof Map) {
      const result = new Map<unknown, unknown>();
      copies.set(value, result);
      for (const [key, item] of value) result.set(copy(key), copy(item));
      return result;
    }
    if (value instanceof Set) {
      const result = new Set<unknown>();
      copies.set(value, result);
      for (const item of value) result.add(copy(item));
      return result;
    }
    // As structured clone: own enumerable properties, without the prototype.
    const result: Record<string, unknown> = {};
    copies.set(value, result);
    for (const [key, item] of Object.entries(value)) result[key] = copy(item);
    return result;
  }

  function remember(value: object, result: unknown): unknown {
    copies.set(value, result);
    return result;
  }
}

function isShared(value: object): boolean {
  if (value instanceof SharedArrayBuffer) return true;
  const tag = Object.prototype.toString.call(value);
  return tag === '[object WebAssembly.Memory]' || tag === '[object WebAssembly.Module]';
}
