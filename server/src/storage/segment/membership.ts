/** Whether a value is one of a list: by comparison for short lists, by a set for long ones. */
import type { PhysicalValue } from '../contract.ts';
import { compareValues } from './zone-map.ts';

/** Lists of more values are looked up in a set. */
const COMPARED_MAX = 8;

type Member = (value: PhysicalValue) => boolean;

const known = new WeakMap<readonly PhysicalValue[], Member>();

/** The test of a list; made once a list, which must not change afterwards. NaN is one of a list that has it. */
export function memberOf(values: readonly PhysicalValue[]): Member {
  let member = known.get(values);
  if (member === undefined) {
    member = makeMember(values);
    known.set(values, member);
  }
  return member;
}

function makeMember(values: readonly PhysicalValue[]): Member {
  if (values.length <= COMPARED_MAX)
    return (value) => values.some((wanted) => compareValues(value, wanted) === 0);
  // Bytes by their text form in one-byte characters, numbers and bigints by themselves.
  const keys = new Set(values.map(keyOf));
  return (value) => keys.has(keyOf(value));
}

function keyOf(value: PhysicalValue): string | number | bigint {
  return typeof value === 'object'
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    : value;
}
