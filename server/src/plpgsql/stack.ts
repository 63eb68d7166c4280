/** The calls under way in one session, innermost last, for CONTEXT lines of errors and notices. */
import { DbError } from '../base/error.ts';

/** One level of the call stack. */
export interface CallLevel {
  /** Its lines of context as PostgreSQL prints them, innermost first. */
  contextLines(): string[];
  /** Reads open loops over rows to their end. */
  detachLoops?(): void;
}

/** Calls nested deeper end with 54001 before JavaScript's own stack does. */
export class CallStack {
  private readonly levels: CallLevel[] = [];

  push(level: CallLevel): void {
    this.levels.push(level);
  }

  pop(): void {
    this.levels.pop();
  }

  get depth(): number {
    return this.levels.length;
  }

  clear(): void {
    this.levels.length = 0;
  }

  /** The PL/pgSQL calls among them, outermost first. */
  *activations(): Iterable<{ detachLoops(): void }> {
    for (const level of this.levels)
      if (level.detachLoops !== undefined) yield level as { detachLoops(): void };
  }

  /** Lines of all levels, those of `above` and what it called left out when given. */
  context(below?: CallLevel): string {
    const lines: string[] = [];
    let from = this.levels.length - 1;
    if (below !== undefined) while (from >= 0 && this.levels[from] !== below) from--;
    if (below !== undefined) from--;
    for (let index = from; index >= 0; index--) lines.push(...this.levels[index].contextLines());
    return lines.join('\n');
  }
}

/** 54001 for recursion that JavaScript's stack cannot hold. */
export function stackDepthExceeded(): DbError {
  return new DbError('statement_too_complex', 'stack depth limit exceeded', {
    hint: 'Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform\'s stack depth limit is adequate.',
  });
}

/** Appends context lines to an error. */
export function addContext(error: DbError, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const text = lines.join('\n');
  error.fields.where = error.fields.where === undefined ? text : `${error.fields.where}\n${text}`;
}

/** What SQL an error came from: positions in it become internal ones, otherwise it is named in the context. */
export interface SqlOrigin {
  readonly text: string;
  readonly kind: 'statement' | 'expression' | 'assignment';
}

export function originLine(origin: SqlOrigin): string {
  switch (origin.kind) {
    case 'expression':
      return `PL/pgSQL expression "${origin.text}"`;
    case 'assignment':
      return `PL/pgSQL assignment "${origin.text}"`;
    default:
      return `SQL statement "${origin.text}"`;
  }
}

/** Gives `error` the mark of the SQL it was raised in. */
export function addOrigin(error: DbError, origin: SqlOrigin): void {
  const { fields } = error;
  if (fields.position !== undefined && fields.internalQuery === undefined) {
    fields.internalPosition = fields.position;
    fields.internalQuery = origin.text;
    delete fields.position;
    return;
  }
  addContext(error, [originLine(origin)]);
}
