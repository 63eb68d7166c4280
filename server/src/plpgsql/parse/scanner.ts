/** Tokens of a PL/pgSQL body: those of SQL, with lines, and the words that PL/pgSQL reserves. */
import { DbError } from '../../base/error.ts';
import {
  TOKEN_INTEGER,
  TOKEN_OPERATOR,
  TOKEN_OTHER_STRING,
  TOKEN_PARAMETER,
  TOKEN_QUOTED_NAME,
  TOKEN_SELF,
  TOKEN_STRING,
  TOKEN_TYPECAST,
  TOKEN_WORD,
  tokenise,
} from '../../sql/parse/lexer.ts';

export type TokenKind = 'word' | 'keyword' | 'string' | 'number' | 'parameter' | 'symbol' | 'end';

export interface Token {
  kind: TokenKind;
  /** Identifiers folded and unquoted, keywords in lower case, symbols as written, strings by their value. */
  text: string;
  /** Written with double quotes: never a keyword. */
  quoted: boolean;
  /** UTF-16 offsets in the body. */
  start: number;
  end: number;
  line: number;
}

const RESERVED = new Set(
  'all begin by case declare else end execute for foreach from if in into loop not null or strict then to using when while'.split(
    ' ',
  ),
);

/** Cuts a body into tokens; the last one is of kind 'end'. Errors 42601 for a quote or comment that never ends. */
export function scan(body: string): Token[] {
  const list = tokenise(body);
  if (!list.ok) throw unterminated(body, list.count === 0 ? 0 : list.ends[list.count - 1]);
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  const lineAt = (offset: number): number => {
    for (; at < offset; at++) if (body.charCodeAt(at) === 10) line++;
    return line;
  };
  const push = (kind: TokenKind, text: string, start: number, end: number, quoted = false): void => {
    tokens.push({ kind, text, quoted, start, end, line: lineAt(start) });
  };
  for (let index = 0; index < list.count; index++) {
    const start = list.starts[index];
    const end = list.ends[index];
    const raw = body.slice(start, end);
    switch (list.kinds[index]) {
      case TOKEN_WORD: {
        const text = raw.toLowerCase();
        push(RESERVED.has(text) ? 'keyword' : 'word', text, start, end);
        break;
      }
      case TOKEN_QUOTED_NAME:
        push('word', raw.slice(1, -1).replaceAll('""', '"'), start, end, true);
        break;
      case TOKEN_STRING:
        push('string', raw.slice(1, -1).replaceAll("''", "'"), start, end);
        break;
      case TOKEN_OTHER_STRING:
        push('string', otherString(raw), start, end);
        break;
      case TOKEN_INTEGER:
        push('number', raw, start, end);
        break;
      case TOKEN_PARAMETER:
        push('parameter', raw.slice(1), start, end);
        break;
      case TOKEN_TYPECAST:
        push('symbol', raw, start, end);
        break;
      case TOKEN_OPERATOR:
        operator(raw, start, push);
        break;
      case TOKEN_SELF:
        // `:=`, `..`, `=>` are tokens of their own here.
        if (raw === ':' && body[end] === '=') {
          push('symbol', ':=', start, end + 1);
          // The lexer gave the = (and what follows it) as an operator of its own.
          const rest = body.slice(list.starts[index + 1], list.ends[index + 1]);
          if (rest.length > 1) push('symbol', rest.slice(1), end + 1, end + rest.length);
          index++;
        } else if (raw === '.' && body[end] === '.') {
          push('symbol', '..', start, end + 1);
          index++;
        } else push('symbol', raw, start, end);
        break;
      default:
        push('number', raw, start, end);
    }
  }
  push('end', '', body.length, body.length);
  return tokens;
}

function operator(
  raw: string,
  start: number,
  push: (kind: TokenKind, text: string, start: number, end: number) => void,
): void {
  if (raw.startsWith('<<') && raw.length === 2) push('symbol', '<<', start, start + 2);
  else push('symbol', raw, start, start + raw.length);
}

function otherString(raw: string): string {
  if (raw.startsWith('$')) {
    const tag = raw.slice(0, raw.indexOf('$', 1) + 1);
    return raw.slice(tag.length, -tag.length);
  }
  const quote = raw.indexOf("'");
  const text = raw.slice(quote + 1, -1).replaceAll("''", "'");
  if (raw[0] !== 'e' && raw[0] !== 'E') return text;
  return text.replace(
    /\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{1,3}|[\s\S])/g,
    (_, sequence: string) => {
      switch (sequence[0]) {
        case 'n':
          return '\n';
        case 't':
          return '\t';
        case 'r':
          return '\r';
        case 'b':
          return '\b';
        case 'f':
          return '\f';
        case 'x':
          return sequence.length > 1 ? String.fromCharCode(Number.parseInt(sequence.slice(1), 16)) : 'x';
        case 'u':
        case 'U':
          return sequence.length > 1
            ? String.fromCodePoint(Number.parseInt(sequence.slice(1), 16))
            : sequence;
        default:
          return /^[0-7]+$/.test(sequence) ? String.fromCharCode(Number.parseInt(sequence, 8)) : sequence;
      }
    },
  );
}

function unterminated(body: string, offset: number): DbError {
  let at = offset;
  while (at < body.length && /\s/.test(body[at])) at++;
  const what = body.startsWith('/*', at)
    ? 'unterminated /* comment'
    : body[at] === '"'
      ? 'unterminated quoted identifier'
      : body[at] === '$'
        ? 'unterminated dollar-quoted string'
        : 'unterminated quoted string';
  return new DbError('syntax_error', `${what} at or near "${body.slice(at)}"`, { position: at + 1 });
}
