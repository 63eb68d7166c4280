/** Translates Node's system errors into EnvironmentError. */

import { EnvironmentError, type EnvironmentErrorCode } from '../contract.ts';

const known = new Set<string>([
  'EACCES',
  'EADDRINUSE',
  'EBADF',
  'ECANCELED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EEXIST',
  'EINVAL',
  'EIO',
  'EISDIR',
  'EMFILE',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'ENOTEMPTY',
  'EPIPE',
  'EROFS',
  'ETIMEDOUT',
]);

const aliases: Readonly<Record<string, EnvironmentErrorCode>> = {
  EPERM: 'EACCES',
  ENFILE: 'EMFILE',
  EDQUOT: 'ENOSPC',
  EFBIG: 'ENOSPC',
};

/** `action` names what was tried, as in `could not open file`. */
export function translateError(error: unknown, action: string, subject: string): EnvironmentError {
  if (error instanceof EnvironmentError) return error;
  const code = codeOf(error);
  const mapped = aliases[code] ?? (known.has(code) ? (code as EnvironmentErrorCode) : 'EOTHER');
  const reason = reasons[mapped] ?? (error instanceof Error ? error.message : String(error));
  return new EnvironmentError(mapped, subject, `could not ${action} "${subject}": ${reason}`, error);
}

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return '';
}

/** The C library's texts, which PostgreSQL prints for %m. */
const reasons: Partial<Record<EnvironmentErrorCode, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EBADF: 'Bad file descriptor',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  EMFILE: 'Too many open files',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ETIMEDOUT: 'Connection timed out',
};
