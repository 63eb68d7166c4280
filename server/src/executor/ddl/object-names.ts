/** Names that commands choose themselves: `t_a_check`, `t_pkey`, `t_a_b_idx1`. */
import type { Oid } from '../../base/brands.ts';
import { pairKey } from '../../catalog/definitions.ts';
import { MAX_IDENTIFIER_BYTES } from '../../catalog/identifiers.ts';
import type { CatalogReaderImplementation } from '../../catalog/reader.ts';

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes;
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end--;
  return encoded.subarray(0, end).toString();
}

/** Joins with underscores; when too long the longer of the first two parts is cut first, the label never. */
export function makeObjectName(first: string, second: string | null, label: string | null): string {
  let overhead = 0;
  if (second !== null) overhead++;
  if (label !== null) overhead += byteLength(label) + 1;
  const available = MAX_IDENTIFIER_BYTES - overhead;
  let firstBytes = byteLength(first);
  let secondBytes = second === null ? 0 : byteLength(second);
  while (firstBytes + secondBytes > available) {
    if (firstBytes > secondBytes) firstBytes--;
    else secondBytes--;
  }
  let name = cut(first, firstBytes);
  if (second !== null) name += `_${cut(second, secondBytes)}`;
  if (label !== null) name += `_${label}`;
  return name;
}

/** Columns part of an index or constraint name: joined until it is long enough anyway. */
export function joinColumnNames(names: readonly string[]): string {
  let result = '';
  for (const name of names) {
    result += result === '' ? name : `_${name}`;
    if (byteLength(result) >= MAX_IDENTIFIER_BYTES + 1) break;
  }
  return result;
}

function isConstraintName(reader: CatalogReaderImplementation, namespace: Oid, name: string): boolean {
  return reader.view.findOne('pg_constraint', 'name', pairKey(namespace, name)) !== null;
}

/** A free relation name in the schema (and free constraint name, for indexes of constraints). */
export function chooseRelationName(
  reader: CatalogReaderImplementation,
  first: string,
  second: string | null,
  label: string,
  options: { namespace: Oid; isConstraint: boolean; taken?: ReadonlySet<string> },
): string {
  for (let pass = 0; ; pass++) {
    const name = makeObjectName(first, second, pass === 0 ? label : `${label}${pass}`);
    if (options.taken?.has(name) === true) continue;
    if (reader.relationOid(options.namespace, name) !== null) continue;
    if (options.isConstraint && isConstraintName(reader, options.namespace, name)) continue;
    return name;
  }
}

/** A free constraint name. */
export function chooseConstraintName(
  reader: CatalogReaderImplementation,
  first: string,
  second: string | null,
  label: string,
  options: { namespace: Oid; taken?: ReadonlySet<string> },
): string {
  for (let pass = 0; ; pass++) {
    const name = makeObjectName(first, second, pass === 0 ? label : `${label}${pass}`);
    if (options.taken?.has(name) === true) continue;
    if (isConstraintName(reader, options.namespace, name)) continue;
    return name;
  }
}
