/**
 * Parser of jsonpath: PostgreSQL's grammar by recursive descent.
 *
 * Predicates and values are two sorts of expression that share parentheses; each result says which sort it is, and a wrong sort is a
 * syntax error at the token that follows.
 */
import { DbError } from '../../base/error.ts';
import { numericNegate } from '../numeric-core.ts';
import { parseNumeric } from '../numeric-text.ts';
import { invalidSyntax, parseInt4 } from '../scalars.ts';
import { JsonPathLexer, jsonPathError, type Token } from './lexer.ts';
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  JsonPath,
  LAST_LEVEL,
  type MethodName,
  type PathItem,
  type PathStep,
  type RegexOptions,
} from './tree.ts';

const MAX_DEPTH = 1000;
const COMPARISONS = new Set(['==', '!=', '<', '>', '<=', '>=']);
const METHODS = new Set(['abs', 'size', 'type', 'floor', 'double', 'ceiling', 'keyvalue']);

/** Compiles a pattern to see that it is one; handed in by the room that has the regular expressions. */
let checkRegex: (pattern: string, options: RegexOptions) => void = () => {};
export function setJsonPathRegexCheck(check: typeof checkRegex): void {
  checkRegex = check;
}

interface Parsed {
  step: PathStep;
  isPredicate: boolean;
}

const step = (item: PathItem): PathStep => ({ item, next: null });
const value = (item: PathItem): Parsed => ({ step: step(item), isPredicate: false });
const predicate = (item: PathItem): Parsed => ({ step: step(item), isPredicate: true });

class Parser {
  private readonly lexer: JsonPathLexer;
  private token: Token;
  private ahead: Token | null = null;
  private depth = 0;
  /** How many filters and subscripts surround the current place. */
  private filters = 0;
  private subscripts = 0;

  constructor(text: string) {
    this.lexer = new JsonPathLexer(text);
    this.token = this.lexer.next();
  }

  private advance(): Token {
    const token = this.token;
    this.token = this.ahead ?? this.lexer.next();
    this.ahead = null;
    return token;
  }
  private is(text: string): boolean {
    return (this.token.kind === 'symbol' || this.token.kind === 'keyword') && this.token.text === text;
  }
  private take(text: string): boolean {
    if (!this.is(text)) return false;
    this.advance();
    return true;
  }
  private expect(text: string): void {
    if (!this.take(text)) throw this.syntax();
  }
  private syntax(): DbError {
    return jsonPathError('syntax error', this.token.blamed ?? this.token.shown);
  }
  private wantValue(parsed: Parsed): PathStep {
    if (parsed.isPredicate) throw this.syntax();
    return parsed.step;
  }
  private wantPredicate(parsed: Parsed): PathStep {
    if (!parsed.isPredicate) throw this.syntax();
    return parsed.step;
  }
  private nested<Result>(run: () => Result): Result {
    if (++this.depth > MAX_DEPTH) {
      throw new DbError('statement_too_complex', 'stack depth limit exceeded', {
        hint: 'Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform\'s stack depth limit is adequate.',
      });
    }
    const result = run();
    this.depth--;
    return result;
  }

  whole(): JsonPath {
    let isLax = true;
    if (this.take('strict')) isLax = false;
    else this.take('lax');
    const { step: root } = this.or();
    if (this.token.kind !== 'end') throw this.syntax();
    return new JsonPath(isLax, root);
  }

  private or(): Parsed {
    return this.nested(() => {
      let left = this.and();
      while (this.is('||')) {
        const first = this.wantPredicate(left);
        this.advance();
        left = predicate({
          kind: 'logic',
          operator: '||',
          left: first,
          right: this.wantPredicate(this.and()),
        });
      }
      return left;
    });
  }

  private and(): Parsed {
    let left = this.comparison();
    while (this.is('&&')) {
      const first = this.wantPredicate(left);
      this.advance();
      left = predicate({
        kind: 'logic',
        operator: '&&',
        left: first,
        right: this.wantPredicate(this.comparison()),
      });
    }
    return left;
  }

  private comparison(): Parsed {
    if (this.take('!')) {
      if (this.is('exists')) return predicate({ kind: 'not', operand: this.exists() });
      this.expect('(');
      const operand = this.wantPredicate(this.or());
      this.expect(')');
      return predicate({ kind: 'not', operand });
    }
    const left = this.sum();
    if (left.isPredicate) return left;
    if (this.token.kind === 'symbol' && COMPARISONS.has(this.token.text)) {
      const operator = this.advance().text as ComparisonOperator;
      return predicate({ kind: 'compare', operator, left: left.step, right: this.wantValue(this.sum()) });
    }
    if (this.take('starts')) {
      this.expect('with');
      const { kind, text } = this.token;
      if (kind !== 'string' && kind !== 'variable') throw this.syntax();
      this.advance();
      const right = step(kind === 'string' ? { kind, value: text } : { kind, name: text });
      return predicate({ kind: 'startsWith', left: left.step, right });
    }
    if (this.take('like_regex')) return this.likeRegex(left.step);
    return left;
  }

  private likeRegex(operand: PathStep): Parsed {
    if (this.token.kind !== 'string') throw this.syntax();
    const pattern = this.advance().text;
    let letters = '';
    if (this.take('flag')) {
      if ((this.token.kind as Token['kind']) !== 'string') throw this.syntax();
      letters = this.advance().text;
    }
    const options = regexOptions(letters);
    checkRegex(pattern, options);
    return predicate({ kind: 'likeRegex', operand, pattern, options });
  }

  private sum(): Parsed {
    let left = this.product();
    while (this.is('+') || this.is('-')) {
      const first = this.wantValue(left);
      const operator = this.advance().text as ArithmeticOperator;
      left = value({ kind: 'arithmetic', operator, left: first, right: this.wantValue(this.product()) });
    }
    return left;
  }

  private product(): Parsed {
    let left = this.signed();
    while (this.is('*') || this.is('/') || this.is('%')) {
      const first = this.wantValue(left);
      const operator = this.advance().text as ArithmeticOperator;
      left = value({ kind: 'arithmetic', operator, left: first, right: this.wantValue(this.signed()) });
    }
    return left;
  }

  private signed(): Parsed {
    if (this.is('+') || this.is('-')) {
      return this.nested(() => {
        const operator = this.advance().text as '+' | '-';
        const operand = this.wantValue(this.signed());
        // The sign of a number literal is part of the number.
        if (operand.item.kind === 'numeric' && operand.next === null) {
          const number = operand.item.value;
          return value({ kind: 'numeric', value: operator === '-' ? numericNegate(number) : number });
        }
        return value({ kind: 'sign', operator, operand });
      });
    }
    return this.accessed();
  }

  private exists(): PathStep {
    this.expect('exists');
    this.expect('(');
    const operand = this.wantValue(this.or());
    this.expect(')');
    return step({ kind: 'exists', operand });
  }

  /** A primary with its accessors. */
  private accessed(): Parsed {
    if (this.is('exists')) return { step: this.exists(), isPredicate: true };
    if (this.take('(')) {
      const inner = this.or();
      this.expect(')');
      if (inner.isPredicate && this.is('is')) {
        this.advance();
        this.expect('unknown');
        return predicate({ kind: 'isUnknown', operand: inner.step });
      }
      if (!this.startsAccessor()) return inner;
      return { step: this.accessors(inner.step), isPredicate: false };
    }
    return { step: this.accessors(step(this.primary())), isPredicate: false };
  }

  private startsAccessor(): boolean {
    return this.is('.') || this.is('[') || this.is('?');
  }

  private primary(): PathItem {
    const { kind, text } = this.token;
    switch (kind) {
      case 'string':
        this.advance();
        return { kind: 'string', value: text };
      case 'variable':
        this.advance();
        return { kind: 'variable', name: text };
      case 'integer':
      case 'number':
        this.advance();
        return { kind: 'numeric', value: parseNumeric(text) };
      default:
    }
    if (this.take('null')) return { kind: 'null' };
    if (this.take('true')) return { kind: 'bool', value: true };
    if (this.take('false')) return { kind: 'bool', value: false };
    if (this.take('$')) return { kind: 'root' };
    if (this.take('@')) {
      if (this.filters === 0) throw new DbError('syntax_error', '@ is not allowed in root expressions');
      return { kind: 'current' };
    }
    if (this.take('last')) {
      if (this.subscripts === 0) {
        throw new DbError('syntax_error', 'LAST is allowed only in array subscripts');
      }
      return { kind: 'last' };
    }
    throw this.syntax();
  }

  private accessors(head: PathStep): PathStep {
    // A parenthesised expression may already carry accessors of its own.
    let tail = head;
    while (tail.next !== null) tail = tail.next;
    while (this.startsAccessor()) {
      tail.next = step(this.accessor());
      tail = tail.next;
    }
    return head;
  }

  private accessor(): PathItem {
    if (this.take('?')) {
      this.expect('(');
      this.filters++;
      const condition = this.wantPredicate(this.or());
      this.filters--;
      this.expect(')');
      return { kind: 'filter', predicate: condition };
    }
    if (this.take('[')) return this.subscript();
    this.expect('.');
    if (this.take('*')) return { kind: 'anyKey' };
    if (this.take('**')) return this.anyLevels();
    const { kind, text, shown } = this.token;
    if (kind === 'string' || kind === 'name') {
      this.advance();
      return { kind: 'key', name: text };
    }
    if (kind !== 'keyword') throw this.syntax();
    this.advance();
    if (this.is('(')) {
      if (METHODS.has(text)) {
        this.advance();
        this.expect(')');
        return { kind: 'method', name: text as MethodName };
      }
      if (text === 'datetime') {
        this.advance();
        const template = (this.token.kind as Token['kind']) === 'string' ? this.advance().text : null;
        this.expect(')');
        return { kind: 'datetime', template };
      }
    }
    return { kind: 'key', name: shown };
  }

  private subscript(): PathItem {
    if (this.take('*')) {
      this.expect(']');
      return { kind: 'anyArray' };
    }
    const subscripts: { from: PathStep; to: PathStep | null }[] = [];
    this.subscripts++;
    do {
      const from = this.wantValue(this.sum());
      subscripts.push({ from, to: this.take('to') ? this.wantValue(this.sum()) : null });
    } while (this.take(','));
    this.subscripts--;
    this.expect(']');
    return { kind: 'index', subscripts };
  }

  private anyLevels(): PathItem {
    if (!this.take('{')) return { kind: 'any', first: 0, last: LAST_LEVEL };
    const level = (): number => {
      if (this.take('last')) return LAST_LEVEL;
      if (this.token.kind !== 'integer') throw this.syntax();
      return parseInt4(this.advance().text);
    };
    const first = level();
    const last = this.take('to') ? level() : first;
    this.expect('}');
    return { kind: 'any', first, last };
  }
}

function regexOptions(letters: string): RegexOptions {
  let ignoreCase = false;
  let dotMatchesNewline = false;
  let multiLine = false;
  let isLiteral = false;
  let isExpanded = false;
  for (const letter of letters) {
    if (letter === 'i') ignoreCase = true;
    else if (letter === 's') dotMatchesNewline = true;
    else if (letter === 'm') multiLine = true;
    else if (letter === 'x') isExpanded = true;
    else if (letter === 'q') isLiteral = true;
    else {
      throw new DbError('syntax_error', 'invalid input syntax for type jsonpath', {
        detail: `Unrecognized flag character "${letter}" in LIKE_REGEX predicate.`,
      });
    }
  }
  if (isExpanded && !isLiteral) {
    throw new DbError(
      'feature_not_supported',
      'XQuery "x" flag (expanded regular expressions) is not implemented',
    );
  }
  return { ignoreCase, dotMatchesNewline, multiLine, isExpanded, isLiteral };
}

/** Reads a jsonpath; 22P02 when there is none, 42601 for wrong syntax. */
export function parseJsonPath(text: string): JsonPath {
  if (text.trim() === '') throw invalidSyntax('jsonpath', text);
  return new Parser(text).whole();
}
