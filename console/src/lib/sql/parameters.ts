/**
 * Parameters `$1` and `:name` of a statement, filled in as constants of a declared type. Positions of the result can be
 * traced back, so that an error is marked where it was typed.
 */
import { tokenize } from './lexer.ts';
import { quoteValue } from './quote.ts';

export interface ParameterValue {
  /** null is SQL's NULL. */
  readonly value: string | null;
  /** Name of a type, or '' to let the server decide. */
  readonly type: string;
}

export interface FilledText {
  readonly text: string;
  /** Offset in the source for an offset in the filled text. */
  readonly sourceOffset: (offset: number) => number;
}

/** Names in order of first use: `$1` or `:name`, as written. */
export function parametersOf(text: string): string[] {
  const names: string[] = [];
  for (const token of tokenize(text)) {
    if (token.kind === 'parameter' && !names.includes(token.text)) names.push(token.text);
  }
  return names.sort((left, right) =>
    left.startsWith('$') && right.startsWith('$') ? Number(left.slice(1)) - Number(right.slice(1)) : 0,
  );
}

/** Types are written into the text: only what looks like the name of a type is let through. */
export function isTypeName(type: string): boolean {
  return /^[\p{L}_"][\p{L}\p{N}_ ."]*(?:\(\s*\d+\s*(?:,\s*-?\d+\s*)?\))?(?: [a-z ]+)?(?:\[\])*$/u.test(type);
}

export function fillParameters(text: string, values: ReadonlyMap<string, ParameterValue>): FilledText {
  const cuts: { at: number; source: number; length: number; sourceLength: number }[] = [];
  let filled = '';
  let done = 0;
  for (const token of tokenize(text)) {
    if (token.kind !== 'parameter') continue;
    const value = values.get(token.text);
    if (value === undefined) continue;
    const literal = quoteValue(value.value);
    const written = isTypeName(value.type) ? `(${literal}::${value.type})` : literal;
    filled += text.slice(done, token.start);
    cuts.push({
      at: filled.length,
      source: token.start,
      length: written.length,
      sourceLength: token.end - token.start,
    });
    filled += written;
    done = token.end;
  }
  filled += text.slice(done);
  const sourceOffset = (offset: number): number => {
    let shift = 0;
    for (const cut of cuts) {
      if (offset < cut.at) break;
      if (offset < cut.at + cut.length) return cut.source;
      shift += cut.sourceLength - cut.length;
    }
    return offset + shift;
  };
  return { text: filled, sourceOffset };
}
