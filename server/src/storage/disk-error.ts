/** Failures of the disk in SQL's terms. */
import { DbError } from '../base/error.ts';
import { EnvironmentError } from '../env/contract.ts';

/** ENOSPC becomes 53100, everything else of the environment 58030; other errors pass unchanged. */
export function translateDiskError(error: unknown): unknown {
  if (!(error instanceof EnvironmentError)) return error;
  if (error.code === 'ENOSPC')
    return new DbError('disk_full', `could not write file "${error.subject}": No space left on device`);
  return new DbError('io_error', error.message);
}
