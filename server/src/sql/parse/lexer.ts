/**
 * A fast lexer of SQL: kinds and bounds of tokens in reused typed arrays, no strings made.
 *
 * It follows PostgreSQL's scanner as far as bounds go (quotes, doubled quotes, dollar quotes, nested comments, numbers,
 * operators) with standard_conforming_strings on. It does not judge: text it cannot follow gives `ok: false`, and the
 * caller must then treat the text as a whole.
 */

export const TOKEN_WORD = 1;
export const TOKEN_QUOTED_NAME = 2;
/** A plain '…' string. */
export const TOKEN_STRING = 3;
/** E'…', B'…', X'…', N'…', U&'…', $$…$$ */
export const TOKEN_OTHER_STRING = 4;
/** Digits only. */
export const TOKEN_INTEGER = 5;
/** With point or exponent. */
export const TOKEN_DECIMAL = 6;
export const TOKEN_PARAMETER = 7;
/** One of + - * / < > = ~ ! @ # % ^ & | ` ? and runs of them. */
export const TOKEN_OPERATOR = 8;
/** ( ) [ ] , ; . : and the like, one character each. */
export const TOKEN_SELF = 9;
/** :: */
export const TOKEN_TYPECAST = 10;

export interface TokenList {
  count: number;
  kinds: Uint8Array;
  starts: Int32Array;
  ends: Int32Array;
  /** False when the text could not be followed to its end. */
  ok: boolean;
  /** A comment was seen. */
  hasComment: boolean;
}

const OPERATOR = 1;
const LETTER = 2;
const DIGIT = 4;
const CLASS = new Uint8Array(128);
for (const symbol of '+-*/<>=~!@#%^&|`?') CLASS[symbol.charCodeAt(0)] |= OPERATOR;
for (let code = 97; code <= 122; code++) CLASS[code] |= LETTER;
for (let code = 65; code <= 90; code++) CLASS[code] |= LETTER;
CLASS[95] |= LETTER;
for (let code = 48; code <= 57; code++) CLASS[code] |= DIGIT;

function isNameStart(code: number): boolean {
  return code > 127 || (CLASS[code] & LETTER) !== 0;
}

function isNamePart(code: number): boolean {
  return code > 127 || (CLASS[code] & (LETTER | DIGIT)) !== 0 || code === 36;
}

const list: TokenList = {
  count: 0,
  kinds: new Uint8Array(1024),
  starts: new Int32Array(1024),
  ends: new Int32Array(1024),
  ok: true,
  hasComment: false,
};

function push(kind: number, start: number, end: number): void {
  if (list.count === list.kinds.length) {
    const size = list.count * 2;
    const kinds = new Uint8Array(size);
    kinds.set(list.kinds);
    const starts = new Int32Array(size);
    starts.set(list.starts);
    const ends = new Int32Array(size);
    ends.set(list.ends);
    list.kinds = kinds;
    list.starts = starts;
    list.ends = ends;
  }
  list.kinds[list.count] = kind;
  list.starts[list.count] = start;
  list.ends[list.count] = end;
  list.count++;
}

/** End of a quoted run that opens at `start` (its quote), after the closing quote; -1 when it never closes. */
function quotedEnd(text: string, start: number, quote: number, backslash: boolean): number {
  let index = start + 1;
  const length = text.length;
  while (index < length) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      if (text.charCodeAt(index + 1) !== quote) return index + 1;
      index += 2;
    } else if (backslash && code === 92) index += 2;
    else index++;
  }
  return -1;
}

/** The result is shared and valid until the next call. `limit` stops after so many tokens with `ok: false`. */
export function tokenise(text: string, limit = 1_000_000): TokenList {
  list.count = 0;
  list.ok = true;
  list.hasComment = false;
  const length = text.length;
  let index = 0;
  const fail = (): TokenList => {
    list.ok = false;
    return list;
  };
  while (index < length) {
    const code = text.charCodeAt(index);
    if (code === 32 || (code >= 9 && code <= 13)) {
      index++;
      continue;
    }
    if (list.count >= limit) return fail();
    const start = index;
    if (isNameStart(code)) {
      index++;
      while (index < length && isNamePart(text.charCodeAt(index))) index++;
      const next = text.charCodeAt(index);
      if (next === 39 && index - start === 1 && (code | 32) !== 0) {
        const letter = code | 32;
        if (letter === 101 || letter === 98 || letter === 120 || letter === 110) {
          index = quotedEnd(text, index, 39, letter === 101);
          if (index < 0) return fail();
          push(TOKEN_OTHER_STRING, start, index);
          continue;
        }
      }
      if (next === 38 && index - start === 1 && (code | 32) === 117) {
        const quote = text.charCodeAt(index + 1);
        if (quote === 39 || quote === 34) {
          index = quotedEnd(text, index + 1, quote, false);
          if (index < 0) return fail();
          push(quote === 39 ? TOKEN_OTHER_STRING : TOKEN_QUOTED_NAME, start, index);
          continue;
        }
      }
      push(TOKEN_WORD, start, index);
      continue;
    }
    if (code === 39) {
      index = quotedEnd(text, index, 39, false);
      if (index < 0) return fail();
      push(TOKEN_STRING, start, index);
      continue;
    }
    if (code === 34) {
      index = quotedEnd(text, index, 34, false);
      if (index < 0) return fail();
      push(TOKEN_QUOTED_NAME, start, index);
      continue;
    }
    if (code < 128 && (CLASS[code] & DIGIT) !== 0) {
      index = numberEnd(text, index);
      if (index < 0) return fail();
      push(lastNumberKind, start, index);
      continue;
    }
    if (code === 46) {
      const next = text.charCodeAt(index + 1);
      if (next >= 48 && next <= 57) {
        index = numberEnd(text, index);
        if (index < 0) return fail();
        push(lastNumberKind, start, index);
      } else {
        index++;
        push(TOKEN_SELF, start, index);
        // Two dots: the second does not begin a number (`1..3`).
        if (next === 46) push(TOKEN_SELF, index, ++index);
      }
      continue;
    }
    if (code === 36) {
      const next = text.charCodeAt(index + 1);
      if (next >= 48 && next <= 57) {
        index += 2;
        while (index < length && text.charCodeAt(index) >= 48 && text.charCodeAt(index) <= 57) index++;
        push(TOKEN_PARAMETER, start, index);
        continue;
      }
      let close = index + 1;
      while (close < length && isNamePart(text.charCodeAt(close)) && text.charCodeAt(close) !== 36) close++;
      if (text.charCodeAt(close) !== 36) return fail();
      const tag = text.slice(index, close + 1);
      const end = text.indexOf(tag, close + 1);
      if (end < 0) return fail();
      index = end + tag.length;
      push(TOKEN_OTHER_STRING, start, index);
      continue;
    }
    if (code === 45 && text.charCodeAt(index + 1) === 45) {
      list.hasComment = true;
      while (index < length && text.charCodeAt(index) !== 10 && text.charCodeAt(index) !== 13) index++;
      continue;
    }
    if (code === 47 && text.charCodeAt(index + 1) === 42) {
      list.hasComment = true;
      index = commentEnd(text, index);
      if (index < 0) return fail();
      continue;
    }
    if (code === 58) {
      if (text.charCodeAt(index + 1) === 58) {
        index += 2;
        push(TOKEN_TYPECAST, start, index);
      } else {
        index++;
        push(TOKEN_SELF, start, index);
      }
      continue;
    }
    if (code < 128 && (CLASS[code] & OPERATOR) !== 0) {
      index++;
      while (index < length) {
        const next = text.charCodeAt(index);
        if (next > 127 || (CLASS[next] & OPERATOR) === 0) break;
        const after = text.charCodeAt(index + 1);
        if ((next === 45 && after === 45) || (next === 47 && after === 42)) break;
        index++;
      }
      push(TOKEN_OPERATOR, start, index);
      continue;
    }
    index++;
    push(TOKEN_SELF, start, index);
  }
  return list;
}

let lastNumberKind = TOKEN_INTEGER;

function digitsEnd(text: string, index: number): number {
  while (index < text.length && text.charCodeAt(index) >= 48 && text.charCodeAt(index) <= 57) index++;
  return index;
}

/** End of a decimal number, -1 for what needs the real scanner (0x…, 1_000, trailing letters). */
function numberEnd(text: string, start: number): number {
  lastNumberKind = TOKEN_INTEGER;
  let index = digitsEnd(text, start);
  if (text.charCodeAt(index) === 46 && text.charCodeAt(index + 1) !== 46) {
    lastNumberKind = TOKEN_DECIMAL;
    index = digitsEnd(text, index + 1);
  }
  if ((text.charCodeAt(index) | 32) === 101) {
    let exponent = index + 1;
    const sign = text.charCodeAt(exponent);
    if (sign === 43 || sign === 45) exponent++;
    const end = digitsEnd(text, exponent);
    if (end === exponent) return -1;
    lastNumberKind = TOKEN_DECIMAL;
    index = end;
  }
  if (index < text.length && isNamePart(text.charCodeAt(index))) return -1;
  return index;
}

function commentEnd(text: string, start: number): number {
  let depth = 1;
  let index = start + 2;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    const next = text.charCodeAt(index + 1);
    if (code === 42 && next === 47) {
      depth--;
      index += 2;
      if (depth === 0) return index;
    } else if (code === 47 && next === 42) {
      depth++;
      index += 2;
    } else index++;
  }
  return -1;
}
