/** Reader of the words of tsvector and tsquery texts: quotes, backslashes, positions. */
import { DbError } from '../../base/error.ts';
import { POSITION_MAX, packPosition } from './vector.ts';

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || (character !== undefined && character >= '\t' && character <= '\r');

export class LexemeReader {
  readonly text: string;
  private readonly type: 'tsvector' | 'tsquery';
  at = 0;

  constructor(text: string, type: 'tsvector' | 'tsquery') {
    this.text = text;
    this.type = type;
  }

  syntax(): DbError {
    return new DbError('syntax_error', `syntax error in ${this.type}: "${this.text}"`);
  }
  skipSpace(): void {
    while (isSpace(this.text[this.at])) this.at++;
  }

  /** Ends a bare word: tsquery's operators do, and in both types a colon that starts positions. */
  private endsWord(character: string): boolean {
    if (isSpace(character)) return true;
    return this.type === 'tsquery' && '!&|()<'.includes(character);
  }

  /** The next word, null at the end. A colon in front of a word is a syntax error. */
  word(): string | null {
    this.skipSpace();
    const first = this.text[this.at];
    if (first === undefined) return null;
    if (first === "'") return this.quoted();
    if (first === ':' || this.endsWord(first)) throw this.syntax();
    let result = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined || character === ':' || this.endsWord(character)) return result;
      if (character === '\\') {
        const next = this.text[this.at + 1];
        if (next === undefined) {
          throw new DbError('syntax_error', `there is no escaped character: "${this.text}"`);
        }
        const whole = String.fromCodePoint(this.text.codePointAt(this.at + 1)!);
        result += whole;
        this.at += 1 + whole.length;
      } else {
        result += character;
        this.at++;
      }
    }
  }

  private quoted(): string {
    this.at++;
    let result = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) throw this.syntax();
      if (character === "'") {
        if (this.text[this.at + 1] !== "'") break;
        result += "'";
        this.at += 2;
      } else if (character === '\\') {
        const next = this.text[this.at + 1];
        if (next === undefined) {
          throw new DbError('syntax_error', `there is no escaped character: "${this.text}"`);
        }
        result += next;
        this.at += 2;
      } else {
        result += character;
        this.at++;
      }
    }
    if (result === '') throw this.syntax();
    this.at++;
    return result;
  }

  /** `:1A,2,…` behind a tsvector word. */
  positions(): number[] {
    const result: number[] = [];
    if (this.text[this.at] !== ':') {
      if (this.at < this.text.length && !isSpace(this.text[this.at])) {
        // A quoted word may be followed directly by the next one.
        return result;
      }
      return result;
    }
    this.at++;
    for (;;) {
      const start = this.at;
      while (/[0-9]/.test(this.text[this.at] ?? '')) this.at++;
      if (this.at === start) throw this.syntax();
      const position = Number(this.text.slice(start, this.at));
      if (position === 0) {
        throw new DbError('syntax_error', `wrong position info in tsvector: "${this.text}"`);
      }
      let weight = 0;
      for (;;) {
        const letter = this.text[this.at]?.toUpperCase() ?? '';
        const found = letter === '*' ? 3 : letter.length === 1 ? 'DCBA'.indexOf(letter) : -1;
        if (letter === '' || found < 0) break;
        if (weight !== 0) throw this.syntax();
        weight = found;
        this.at++;
      }
      result.push(packPosition(Math.min(position, POSITION_MAX), weight));
      const next = this.text[this.at];
      if (next === ',') this.at++;
      else if (next === undefined || isSpace(next)) return result;
      else throw this.syntax();
    }
  }
}
