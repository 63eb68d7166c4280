/** Errors as plain data between threads. */
import { DbError, type ErrorFields } from './error.ts';
import { type ConditionName, SQLSTATE } from './sqlstate.ts';

export interface PackedError {
  readonly code: string;
  readonly message: string;
  readonly fields: ErrorFields;
}

export function packError({ code, message, fields }: DbError): PackedError {
  return { code, message, fields };
}

export function unpackError({ code, message, fields }: PackedError): DbError {
  const condition = (Object.keys(SQLSTATE) as ConditionName[]).find((name) => SQLSTATE[name] === code);
  return new DbError(condition ?? 'internal_error', message, fields);
}
