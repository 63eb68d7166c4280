import { type ConditionName, SQLSTATE } from './sqlstate.ts';

/** The optional fields of an error or notice, as the wire protocol carries them (PostgreSQL manual 55.8). */
export interface ErrorFields {
  detail?: string;
  hint?: string;
  /** Character offset in the statement text, counted from 1. */
  position?: number;
  internalPosition?: number;
  internalQuery?: string;
  where?: string;
  schema?: string;
  table?: string;
  column?: string;
  dataType?: string;
  constraint?: string;
}

/**
 * An error that ends a statement (or, with severity FATAL, the session).
 *
 * The message follows PostgreSQL's style guide: lower case, no full stop; detail and hint are full sentences.
 */
export class DbError extends Error {
  readonly code: string;
  severity: 'ERROR' | 'FATAL' | 'PANIC' = 'ERROR';
  readonly fields: ErrorFields;
  /** Function calls that have put their line into `fields.where`. */
  levels: object[] | null = null;

  constructor(condition: ConditionName, message: string, fields: ErrorFields = {}) {
    // A stack trace costs more than everything else about an error that a function's handler catches; defects keep theirs.
    const traceLimit = Error.stackTraceLimit;
    if (condition !== 'internal_error') Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = traceLimit;
    this.name = 'DbError';
    this.code = SQLSTATE[condition];
    this.fields = fields;
  }

  /** Sets the position unless a deeper layer already knew it; returns this. */
  at(position: number | undefined): this {
    if (position !== undefined && this.fields.position === undefined) this.fields.position = position;
    return this;
  }

  fatal(): this {
    this.severity = 'FATAL';
    return this;
  }
}

/** 0A000 with the name of what is missing. */
export function notSupported(what: string, fields: ErrorFields = {}): DbError {
  return new DbError('feature_not_supported', `${what} is not supported`, fields);
}

/** A broken invariant of ours: ends the statement with XX000, never the server. */
export function internalError(message: string): DbError {
  return new DbError('internal_error', message);
}

/** Cheap, always on. `message` states the values; a broken one ends the statement with XX000. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw internalError(message);
}

/** Exhaustiveness guard of a switch over a discriminated union. */
export function assertNever(value: never, where: string): never {
  throw internalError(`unexpected variant in ${where}: ${JSON.stringify(value)}`);
}

/** A message of lower severity that does not end the statement. */
export interface Notice {
  severity: 'NOTICE' | 'WARNING' | 'INFO' | 'LOG' | 'DEBUG';
  code: string;
  message: string;
  fields: ErrorFields;
}
