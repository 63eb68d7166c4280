/**
 * Cuts SQL text into tokens, after PostgreSQL's lexical rules (nested comments, dollar quotes, E'' escapes). Never fails: an
 * unfinished quote reaches to the end. Offsets are UTF-16 units, ends are exclusive.
 */
export type TokenKind =
  | 'word'
  | 'name'
  | 'string'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'punctuation'
  | 'comment';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** `word`: folded to lower case; `name`: without its quotes; else as written. */
  readonly text: string;
}

const SPACE = /\s/;
const WORD_START = /[\p{L}_]/u;
const WORD_PART = /[\p{L}\p{N}_$]/u;
const OPERATOR = /[-+*/<>=~!@#%^&|`?]/;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: TokenKind, start: number, end: number, value = text.slice(start, end)): void => {
    tokens.push({ kind, start, end, text: value });
    at = end;
  };
  while (at < text.length) {
    const character = text[at];
    const next = text[at + 1];
    if (SPACE.test(character)) {
      at++;
    } else if (character === '-' && next === '-') {
      const end = text.indexOf('\n', at);
      push('comment', at, end < 0 ? text.length : end);
    } else if (character === '/' && next === '*') {
      push('comment', at, endOfComment(text, at));
    } else if (character === "'") {
      push('string', at, endOfQuoted(text, at + 1, "'", false));
    } else if (/[eE]/.test(character) && next === "'") {
      push('string', at, endOfQuoted(text, at + 2, "'", true));
    } else if (/[bBxXnN]/.test(character) && next === "'") {
      push('string', at, endOfQuoted(text, at + 2, "'", false));
    } else if (/[uU]/.test(character) && next === '&' && (text[at + 2] === "'" || text[at + 2] === '"')) {
      const quote = text[at + 2];
      const end = endOfQuoted(text, at + 3, quote, false);
      if (quote === "'") push('string', at, end);
      else push('name', at, end, text.slice(at + 3, end - 1).replaceAll('""', '"'));
    } else if (character === '"') {
      const end = endOfQuoted(text, at + 1, '"', false);
      const inner = text.slice(at + 1, end > at + 1 && text[end - 1] === '"' ? end - 1 : end);
      push('name', at, end, inner.replaceAll('""', '"'));
    } else if (character === '$') {
      const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(text.slice(at, at + 70));
      if (tag !== null) {
        const end = text.indexOf(tag[0], at + tag[0].length);
        push('string', at, end < 0 ? text.length : end + tag[0].length);
      } else if (/\d/.test(next ?? '')) {
        let end = at + 1;
        while (/\d/.test(text[end] ?? '')) end++;
        push('parameter', at, end);
      } else push('operator', at, at + 1);
    } else if (WORD_START.test(character)) {
      let end = at + 1;
      while (end < text.length && WORD_PART.test(text[end])) end++;
      push('word', at, end, text.slice(at, end).toLowerCase());
    } else if (/\d/.test(character) || (character === '.' && /\d/.test(next ?? ''))) {
      const match =
        /^(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?\.?\d*(?:[eE][+-]?\d+)?)/.exec(
          text.slice(at, at + 400),
        );
      push('number', at, at + Math.max(1, match?.[0].length ?? 1));
    } else if (character === ':') {
      const previous = text[at - 1] ?? ' ';
      if (next === ':' || next === '=') push('operator', at, at + 2);
      else if (WORD_START.test(next ?? '') && !/[\w\])"]/.test(previous)) {
        let end = at + 2;
        while (end < text.length && WORD_PART.test(text[end])) end++;
        push('parameter', at, end);
      } else push('punctuation', at, at + 1);
    } else if (OPERATOR.test(character)) {
      let end = at + 1;
      while (
        end < text.length &&
        OPERATOR.test(text[end]) &&
        !(text[end] === '-' && text[end + 1] === '-') &&
        !(text[end] === '/' && text[end + 1] === '*')
      )
        end++;
      push('operator', at, end);
    } else push('punctuation', at, at + 1);
  }
  return tokens;
}

function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth++;
      at++;
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function endOfQuoted(text: string, start: number, quote: string, hasEscapes: boolean): number {
  for (let at = start; at < text.length; at++) {
    if (hasEscapes && text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return text.length;
}

/** Tokens without comments. */
export function significant(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}
