/** Loops that test integers and write the survivors' positions; shared by the integer encodings. */
import { unpack, unpackOne } from './bitpack.ts';
import {
  type Candidates,
  CHUNK,
  giveFloats,
  giveInts,
  type IntegerNode,
  type IntegerTest,
  type PreparedFilter,
  SAFE,
  takeFloats,
  takeInts,
} from './node.ts';

/** Every candidate survives. */
export function keepAll(candidates: Candidates, selection: Uint16Array): number {
  if (candidates.count >= 0) return candidates.count;
  let found = 0;
  for (let row = candidates.start; row < candidates.end; row++) selection[found++] = row;
  return found;
}

/** Codes of one plane (width 1 to 31) within [low, low + span], or outside of it. */
export function filterPlane(
  words: Uint32Array,
  width: number,
  low: number,
  span: number,
  negate: boolean,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  const wanted = negate ? 0 : 1;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      const inside = (unpackOne(words, width, row) - low) >>> 0 <= span ? 1 : 0;
      selection[found] = row;
      found += inside === wanted ? 1 : 0;
    }
    return found;
  }
  const scratch = takeInts();
  const flip = negate ? 0 : 1;
  for (let from = candidates.start; from < candidates.end; from += CHUNK) {
    const to = Math.min(candidates.end, from + CHUNK);
    unpack(words, width, from, to, scratch, 0, -low);
    // Without a branch: the sign of (code - low) or (high - code) tells, and codes below 2^31 keep both in 32 bits.
    for (let index = 0; index < to - from; index++) {
      const distance = scratch[index]!;
      selection[found] = from + index;
      found += ((distance | (span - distance)) >>> 31) ^ flip;
    }
  }
  giveInts(scratch);
  return found;
}

/** Codes of one plane (width 1 to 31) whose bit in `wanted` (indexed by code, 1 = keep) is set. Codes beyond it are not kept. */
export function filterMembers(
  words: Uint32Array,
  width: number,
  wanted: Uint8Array,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (wanted[unpackOne(words, width, row)] === 1) found++;
    }
    return found;
  }
  const scratch = takeInts();
  for (let from = candidates.start; from < candidates.end; from += CHUNK) {
    const to = Math.min(candidates.end, from + CHUNK);
    unpack(words, width, from, to, scratch, 0, 0);
    for (let index = 0; index < to - from; index++) {
      selection[found] = from + index;
      if (wanted[scratch[index]!] === 1) found++;
    }
  }
  giveInts(scratch);
  return found;
}

/** Any integer node, by decoding: exact for values and bounds of all 64 bits. */
export function prepareByValue(node: IntegerNode, test: IntegerTest): PreparedFilter {
  if (node.isSafe) {
    const accepts = numberTest(test);
    return (candidates, selection) => filterNumbers(node, accepts, candidates, selection);
  }
  const set = test.kind === 'set' ? new Set(test.values) : null;
  const accepts = (value: bigint): boolean =>
    test.kind === 'range' ? (value >= test.low && value <= test.high) !== test.negate : set!.has(value);
  return (candidates, selection) => filterBigints(node, accepts, candidates, selection);
}

function filterNumbers(
  node: IntegerNode,
  accepts: (value: number) => boolean,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (accepts(node.numberAt(row))) found++;
    }
    return found;
  }
  const scratch = takeFloats();
  for (let from = candidates.start; from < candidates.end; from += CHUNK) {
    const to = Math.min(candidates.end, from + CHUNK);
    node.decodeNumbers(from, to, scratch, 0);
    for (let index = 0; index < to - from; index++) {
      selection[found] = from + index;
      if (accepts(scratch[index]!)) found++;
    }
  }
  giveFloats(scratch);
  return found;
}

function filterBigints(
  node: IntegerNode,
  accepts: (value: bigint) => boolean,
  candidates: Candidates,
  selection: Uint16Array,
): number {
  let found = 0;
  if (candidates.count >= 0) {
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      if (accepts(node.bigintAt(row))) found++;
    }
    return found;
  }
  const scratch = new BigInt64Array(CHUNK);
  const words = new Int32Array(scratch.buffer);
  for (let from = candidates.start; from < candidates.end; from += CHUNK) {
    const to = Math.min(candidates.end, from + CHUNK);
    node.decode64(from, to, words, 0);
    for (let index = 0; index < to - from; index++) {
      selection[found] = from + index;
      if (accepts(scratch[index]!)) found++;
    }
  }
  return found;
}

/** A bound as a double: bounds beyond +-2^53 never cut a safe value. */
function bound(value: bigint): number {
  const limit = BigInt(SAFE);
  if (value > limit) return Number.POSITIVE_INFINITY;
  if (value < -limit) return Number.NEGATIVE_INFINITY;
  return Number(value);
}

function numberTest(test: IntegerTest): (value: number) => boolean {
  if (test.kind === 'set') {
    const wanted = new Set(test.values.map(bound));
    return (value) => wanted.has(value);
  }
  const low = bound(test.low);
  const high = bound(test.high);
  if (test.negate) return (value) => value < low || value > high;
  return (value) => value >= low && value <= high;
}
