/** Tokens of a body, and the pieces of SQL between them. */
import { DbError } from '../../base/error.ts';
import type { ConditionName } from '../../base/sqlstate.ts';
import type { Expression, Name } from './ast.ts';
import { scan, type Token } from './scanner.ts';

export class TokenReader {
  protected readonly body: string;
  protected readonly tokens: Token[];
  protected at = 0;
  protected names: Name | null;

  constructor(body: string, outer: Name | null) {
    this.body = body;
    this.tokens = scan(body);
    this.names = outer;
  }

  protected get token(): Token {
    return this.tokens[this.at];
  }

  protected peek(distance = 1): Token {
    return this.tokens[Math.min(this.at + distance, this.tokens.length - 1)];
  }

  /** True when the token is this keyword or word, unquoted. */
  protected isWord(word: string, token = this.token): boolean {
    return (token.kind === 'word' || token.kind === 'keyword') && !token.quoted && token.text === word;
  }

  protected isString(): boolean {
    return this.token.kind === 'string';
  }

  protected isSymbol(symbol: string, token = this.token): boolean {
    return token.kind === 'symbol' && token.text === symbol;
  }

  protected take(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  protected takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  protected expect(word: string): void {
    if (!this.take(word)) throw this.syntaxError();
  }

  protected expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.syntaxError();
  }

  /** Position in the body, characters from 1. */
  position(offset: number): number {
    return [...this.body.slice(0, offset)].length + 1;
  }

  protected syntaxError(message = 'syntax error', token = this.token): DbError {
    const text =
      token.kind === 'end'
        ? `${message} at end of input`
        : `${message} at or near "${this.body.slice(token.start, token.end)}"`;
    return new DbError('syntax_error', text, { position: this.position(token.start) });
  }

  protected error(message: string, token: Token, condition: ConditionName = 'syntax_error'): DbError {
    return new DbError(condition, message, { position: this.position(token.start) });
  }

  /** `<<label>>` */
  protected blockLabel(): string | null {
    if (!this.takeSymbol('<<')) return null;
    const name = this.identifier();
    this.expectSymbol('>>');
    return name;
  }

  protected identifier(): string {
    const { token } = this;
    if (token.kind !== 'word') throw this.syntaxError();
    this.at++;
    return token.text;
  }

  protected anyIdentifier(): string {
    const { token } = this;
    if (token.kind !== 'word' && token.kind !== 'keyword') throw this.syntaxError();
    this.at++;
    return token.text;
  }

  /** `a.b.c` */
  protected dottedName(): string[] {
    const parts = [this.anyIdentifier()];
    while (this.isSymbol('.')) {
      this.at++;
      parts.push(this.anyIdentifier());
    }
    return parts;
  }

  /**
   * Text up to (not including) one of the words or symbols at depth 0. `label` is how messages call the end.
   */
  protected sqlUntil(
    ends: readonly string[],
    mode: Expression['mode'],
    label = ends[0] === ';' ? ';' : ends[0].toUpperCase(),
  ): Expression {
    const start = this.token;
    let depth = 0;
    let end = start.start;
    for (;;) {
      const { token } = this;
      if (token.kind === 'end' || (this.isSymbol(';') && !ends.includes(';'))) {
        if (depth > 0) throw this.syntaxError('mismatched parentheses');
        if (token === start && mode === 'expression')
          throw this.error(
            `missing expression at or near "${this.body.slice(token.start, token.end)}"`,
            token,
          );
        throw mode === 'statement'
          ? this.error(`missing "${label}" at end of SQL statement`, token)
          : this.error(`missing "${label}" at end of SQL expression`, token);
      }
      if (depth === 0 && this.isOneOf(ends)) break;
      if (this.isSymbol('(') || this.isSymbol('[')) depth++;
      else if (this.isSymbol(')') || this.isSymbol(']')) {
        depth--;
        if (depth < 0) throw this.syntaxError('mismatched parentheses');
      }
      if (depth > 0 && this.isSymbol(';')) throw this.syntaxError('mismatched parentheses');
      end = token.end;
      this.at++;
    }
    if (end === start.start) {
      if (mode === 'expression') throw this.syntaxError('missing expression');
      throw this.syntaxError('missing SQL statement');
    }
    return this.expression(start.start, end, mode);
  }

  protected isOneOf(ends: readonly string[]): boolean {
    const { token } = this;
    if (token.kind === 'symbol') return ends.includes(token.text);
    return (token.kind === 'keyword' || token.kind === 'word') && !token.quoted && ends.includes(token.text);
  }

  protected expression(start: number, end: number, mode: Expression['mode']): Expression {
    return { text: this.body.slice(start, end), start, mode, names: this.names, valueStart: start };
  }

  protected dottedText(): string {
    let text = this.body.slice(this.token.start, this.token.end);
    if (this.token.kind === 'word') text = this.token.text;
    let distance = 1;
    while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind === 'word') {
      text += `.${this.peek(distance + 1).text}`;
      distance += 2;
    }
    return text;
  }
}
