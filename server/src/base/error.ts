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
 * What errors of statements are made of: an Error to everyone who asks, made without V8's own constructor. That costs ten times as
 * much as all the rest of an error which a function's handler catches, even where it keeps no stack trace.
 */
class QuietError {
  message: string;

  constructor(message: string) {
    this.message = message;
  }

  /** Without a trace: where an error of a statement was thrown is nobody's question. Defects have one of their own. */
  get stack(): string {
    return `DbError: ${this.message}`;
  }
}
Object.setPrototypeOf(QuietError.prototype, Error.prototype);

/**
 * An error that ends a statement (or, with severity FATAL, the session).
 *
 * The message follows PostgreSQL's style guide: lower case, no full stop; detail and hint are full sentences.
 */
export class DbError extends (QuietError as unknown as new (message: string) => Error) {
  readonly code: string;
  severity: 'ERROR' | 'FATAL' | 'PANIC' = 'ERROR';
  readonly fields: ErrorFields;
  /** Function calls that have put their line into `fields.where`. */
  levels: object[] | null = null;

  constructor(condition: ConditionName, message: string, fields: ErrorFields = {}) {
    super(message);
    this.code = SQLSTATE[condition];
    this.fields = fields;
    if (condition === 'internal_error') Error.captureStackTrace(this, DbError);
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

Object.defineProperty(DbError.prototype, 'name', { value: 'DbError', writable: true, configurable: true });

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
