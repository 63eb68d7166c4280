/** Tokens of jsonpath. */
import { DbError } from '../../base/error.ts';

export interface Token {
  /** A keyword or operator stands for itself; names, literals and the end have kinds. */
  readonly kind: 'name' | 'string' | 'variable' | 'number' | 'integer' | 'end' | 'symbol' | 'keyword';
  readonly text: string;
  /** What an error at this token shows; empty = the end of the input. */
  readonly shown: string;
  /** The same for a name: only what ended it, when that is a blank. */
  readonly blamed?: string;
}

const KEYWORDS = new Set([
  'is',
  'to',
  'abs',
  'lax',
  'flag',
  'last',
  'null',
  'size',
  'true',
  'type',
  'with',
  'false',
  'floor',
  'double',
  'exists',
  'starts',
  'strict',
  'ceiling',
  'unknown',
  'datetime',
  'keyvalue',
  'like_regex',
]);
/** Literals are keywords in lower case only. */
const LOWER_CASE_ONLY = new Set(['null', 'true', 'false']);

const SPECIAL = '?%$.[]{}()|&!=<>@#,*:-+/';
const isBlank = (character: string): boolean => ' \t\n\r\f'.includes(character);
const isOther = (character: string | undefined): boolean =>
  character !== undefined &&
  character !== '\\' &&
  character !== '"' &&
  !SPECIAL.includes(character) &&
  !isBlank(character);
const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9';

export function jsonPathError(message: string, shown: string): DbError {
  return new DbError(
    'syntax_error',
    shown === ''
      ? `${message} at end of jsonpath input`
      : `${message} at or near "${shown}" of jsonpath input`,
  );
}

export class JsonPathLexer {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  next(): Token {
    this.skip();
    const { text } = this;
    const character = text[this.at];
    if (character === undefined) return { kind: 'end', text: '', shown: '' };
    const two = text.slice(this.at, this.at + 2);
    if (['&&', '||', '**', '<=', '>=', '==', '<>', '!='].includes(two)) {
      this.at += 2;
      return { kind: 'symbol', text: two === '<>' ? '!=' : two, shown: two };
    }
    if (isDigit(character) || (character === '.' && isDigit(text[this.at + 1]))) return this.number();
    if (character === '"') return { kind: 'string', text: this.quoted(), shown: '"' };
    if (character === '$') {
      const following = text[this.at + 1];
      if (following === '"') {
        this.at++;
        return { kind: 'variable', text: this.quoted(), shown: '"' };
      }
      if (isOther(following) || following === '\\') {
        this.at++;
        return { kind: 'variable', text: this.bare(), shown: '' };
      }
    } else if (!SPECIAL.includes(character)) {
      return this.word();
    }
    this.at++;
    return { kind: 'symbol', text: character, shown: character };
  }

  private word(): Token {
    const { text } = this;
    const name = this.bare();
    const lower = name.toLowerCase();
    const isKeyword = KEYWORDS.has(lower) && (!LOWER_CASE_ONLY.has(lower) || name === lower);
    // The scanner has pushed back what follows a name, so errors here show nothing of it.
    const following = text[this.at];
    const blamed = following !== undefined && isBlank(following) ? following : '';
    return isKeyword
      ? { kind: 'keyword', text: lower, shown: name, blamed }
      : { kind: 'name', text: name, shown: name, blamed };
  }

  private skip(): void {
    for (;;) {
      const character = this.text[this.at];
      if (character !== undefined && isBlank(character)) this.at++;
      else if (this.text.startsWith('/*', this.at)) {
        const end = this.text.indexOf('*/', this.at + 2);
        if (end < 0) throw jsonPathError('unexpected end of comment', '');
        this.at = end + 2;
      } else return;
    }
  }

  private number(): Token {
    const start = this.at;
    const { text } = this;
    let at = start;
    let isInteger = true;
    const digits = (): void => {
      while (isDigit(text[at])) at++;
    };
    if (text[at] === '0') at++;
    else digits();
    if (text[at] === '.') {
      isInteger = false;
      at++;
      digits();
    }
    if (text[at] === 'e' || text[at] === 'E') {
      let exponent = at + 1;
      const isSigned = text[exponent] === '+' || text[exponent] === '-';
      if (isSigned) exponent++;
      if (isDigit(text[exponent])) {
        isInteger = false;
        at = exponent;
        digits();
      } else if (isSigned) throw jsonPathError('invalid numeric literal', text.slice(start, exponent));
    }
    if (isOther(text[at])) {
      // A longer run of letters and digits is a name.
      let end = start;
      while (isOther(text[end])) end++;
      if (end > at + 1) return this.word();
      const junk = String.fromCodePoint(text.codePointAt(at)!);
      throw jsonPathError('trailing junk after numeric literal', text.slice(start, at) + junk);
    }
    this.at = at;
    const number = text.slice(start, at);
    return { kind: isInteger ? 'integer' : 'number', text: number, shown: number };
  }

  private quoted(): string {
    this.at++;
    let result = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) throw jsonPathError('unexpected end of quoted string', '');
      if (character === '"') {
        this.at++;
        return result;
      }
      if (character === '\\') result += this.escape();
      else {
        result += character;
        this.at++;
      }
    }
  }

  private bare(): string {
    let result = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === '\\') result += this.escape();
      else if (isOther(character)) {
        result += character;
        this.at++;
      } else return result;
    }
  }

  /** Reads one escape sequence (a pair of surrogates as one). */
  private escape(): string {
    const { text } = this;
    const letter = text[this.at + 1];
    if (letter === undefined) throw jsonPathError('unexpected end after backslash', '');
    const simple: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
    if (simple[letter] !== undefined) {
      this.at += 2;
      return simple[letter]!;
    }
    if (letter === 'x') {
      const digits = /^[0-9A-Fa-f]{2}/.exec(text.slice(this.at + 2, this.at + 4))?.[0];
      if (digits === undefined) throw this.badEscape('invalid hex character sequence', 2);
      this.at += 4;
      return this.codePoint(Number.parseInt(digits, 16));
    }
    if (letter !== 'u') {
      const whole = String.fromCodePoint(text.codePointAt(this.at + 1)!);
      this.at += 1 + whole.length;
      return whole;
    }
    const unit = this.unicode();
    if (unit >= 0xd800 && unit <= 0xdbff) {
      if (text.startsWith('\\u', this.at)) {
        const low = this.unicode();
        if (low >= 0xd800 && low <= 0xdbff) {
          throw surrogate('Unicode high surrogate must not follow a high surrogate.');
        }
        if (low >= 0xdc00 && low <= 0xdfff) {
          return String.fromCodePoint((unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000);
        }
      }
      throw surrogate('Unicode low surrogate must follow a high surrogate.');
    }
    if (unit >= 0xdc00 && unit <= 0xdfff) {
      throw surrogate('Unicode low surrogate must follow a high surrogate.');
    }
    return this.codePoint(unit);
  }

  private unicode(): number {
    const rest = this.text.slice(this.at, this.at + 12);
    const found = /^\\u(?:([0-9A-Fa-f]{4})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
    if (found === null) throw this.badEscape('invalid unicode sequence', 2);
    this.at += found[0].length;
    return Number.parseInt(found[1] ?? found[2]!, 16);
  }

  private badEscape(message: string, length: number): DbError {
    const { text } = this;
    let end = this.at + length;
    while (/[0-9A-Fa-f{]/.test(text[end] ?? '')) end++;
    return jsonPathError(message, text.slice(this.at, end));
  }

  private codePoint(code: number): string {
    if (code === 0) {
      throw new DbError('untranslatable_character', 'unsupported Unicode escape sequence', {
        detail: '\\u0000 cannot be converted to text.',
      });
    }
    if (code > 0x10ffff) {
      throw new DbError('untranslatable_character', 'could not convert Unicode to server encoding');
    }
    return String.fromCodePoint(code);
  }
}

function surrogate(detail: string): DbError {
  return new DbError('invalid_text_representation', 'invalid input syntax for type jsonpath', { detail });
}
