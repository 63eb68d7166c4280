/** TABLESAMPLE methods: whether a row belongs to the sample. */
import { DbError } from '../../base/error.ts';
import type { Datum, SqlArray } from '../../types/datum.ts';
import type { FunctionContext } from './contract.ts';
import { boundTable, type FunctionTable } from './registry.ts';

/** Row ids that count as one block for SYSTEM. */
const BLOCK_ROWS = 128;

function decide(context: FunctionContext, isBlockwise: boolean) {
  let randomSeed = 0;
  // A plan's functions are bound once: each statement draws its own sample.
  let drawnAt: bigint | null = null;
  return (rowId: Datum, percent: Datum, repeatable: Datum): Datum => {
    const [share] = (percent as SqlArray).elements;
    if (share === null || share === undefined)
      throw new DbError('invalid_tablesample_argument', 'TABLESAMPLE parameter cannot be null');
    const wanted = Number(share);
    if (!(wanted >= 0 && wanted <= 100))
      throw new DbError('invalid_tablesample_argument', 'sample percentage must be between 0 and 100');
    let seed: number;
    const { elements } = repeatable as SqlArray;
    if (elements.length > 0) {
      const [given] = elements;
      if (given === null || given === undefined)
        throw new DbError('invalid_tablesample_repeat', 'TABLESAMPLE REPEATABLE parameter cannot be null');
      seed = seedOf(Number(given));
    } else {
      if (drawnAt !== context.statementTimestamp) {
        drawnAt = context.statementTimestamp;
        randomSeed = Math.floor(context.random() * 2 ** 32);
      }
      seed = randomSeed;
    }
    if (wanted >= 100) return true;
    const id = isBlockwise ? Math.floor(Number(rowId) / BLOCK_ROWS) : Number(rowId);
    return mix(id, seed) < (wanted / 100) * 2 ** 32;
  };
}

const scratch = new DataView(new ArrayBuffer(8));

function seedOf(value: number): number {
  // Minus zero and zero are one seed, as they are equal.
  scratch.setFloat64(0, value === 0 ? 0 : value);
  return (scratch.getUint32(0) ^ scratch.getUint32(4)) >>> 0;
}

/** 32 well-mixed bits of the id and the seed. */
function mix(id: number, seed: number): number {
  let hash = seed ^ 0x9e3779b9;
  for (const word of [id % 2 ** 32, Math.floor(id / 2 ** 32)]) {
    hash ^= word;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

export const sampleFunctions: FunctionTable = boundTable({
  tsm_bernoulli_handler: (context) => decide(context, false),
  tsm_system_handler: (context) => decide(context, true),
});
