/** The error of every damaged byte: XX001 with file and offset, so that an operator knows what to restore. */
import { DbError } from '../base/error.ts';

/** Damage at a known place. `what` says what was found, lower case, no full stop. */
export function dataCorrupted(file: string, offset: number, what: string): DbError {
  return new DbError('data_corrupted', `invalid data in file "${file}" at offset ${offset}: ${what}`);
}

/** Damage found by code that sees only a payload; {@link locate} adds the place. */
export class PayloadDamage extends Error {
  override readonly name = 'PayloadDamage';
}

/** Throws unless a condition on stored bytes holds. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new PayloadDamage(what);
}

/** Turns a {@link PayloadDamage} into the XX001 of a file and offset; other errors pass unchanged. */
export function locate(error: unknown, file: string, offset: number): unknown {
  return error instanceof PayloadDamage ? dataCorrupted(file, offset, error.message) : error;
}
