/**
 * Parser of PL/pgSQL bodies (manual, chapter 43).
 *
 * SQL inside is cut out by looking for the word that ends it at parenthesis depth 0, and is checked by SQL's own parser. Names are
 * kept as a linked list while parsing, as every piece of SQL remembers what it can see. Errors have PostgreSQL's texts and a
 * position in the body.
 */
import { DbError } from '../../base/error.ts';
import { type ConditionName, SQLSTATE } from '../../base/sqlstate.ts';
import type {
  Block,
  Body,
  Declaration,
  Expression,
  Handler,
  Name,
  RaiseLevel,
  Statement,
  Target,
  TypeText,
} from './ast.ts';
import { scan, type Token } from './scanner.ts';

/** A variable that exists before the body: argument, FOUND, NEW … */
export type Predeclared = Declaration;

export function declare(name: string, type: TypeText, options: Partial<Declaration> = {}): Declaration {
  return {
    name,
    line: 0,
    type,
    constant: false,
    notNull: false,
    collation: null,
    initial: null,
    cursor: null,
    position: 0,
    variable: null,
    ...options,
  };
}

export function nameOf(name: string, declaration: Declaration, previous: Name | null): Name {
  return { kind: 'variable', name, declaration, labelOf: 'other', target: null, previous };
}

export function labelOf(
  name: string,
  kind: Name['labelOf'],
  target: object | null,
  previous: Name | null,
): Name {
  return { kind: 'label', name, declaration: null, labelOf: kind, target, previous };
}

/**
 * What a dotted name means in `names`: the variable and how many of the parts it took. A variable of row or record type leaves
 * the next part to be its field.
 */
export function lookUp(
  names: Name | null,
  parts: readonly string[],
  localOnly = false,
): { declaration: Declaration; used: number } | null {
  let level = names;
  while (level !== null) {
    // One level: variables up to its label.
    let item: Name | null = level;
    for (; item !== null && item.kind === 'variable'; item = item.previous)
      if (item.name === parts[0]) return { declaration: item.declaration!, used: 1 };
    if (localOnly) return null;
    if (item === null) return null;
    if (parts.length > 1 && item.name === parts[0] && item.name !== '') {
      for (let inner: Name | null = level; inner !== null && inner !== item; inner = inner.previous)
        if (inner.name === parts[1]) return { declaration: inner.declaration!, used: 2 };
    }
    level = item.previous;
  }
  return null;
}

export function parseBody(body: string, outer: Name | null): Body {
  return new Parser(body, outer).parse();
}

const LEVELS: ReadonlySet<string> = new Set(['exception', 'warning', 'notice', 'info', 'log', 'debug']);

const DIAGNOSTICS = new Set([
  'row_count',
  'pg_context',
  'pg_exception_context',
  'pg_exception_detail',
  'pg_exception_hint',
  'returned_sqlstate',
  'column_name',
  'constraint_name',
  'pg_datatype_name',
  'message_text',
  'table_name',
  'schema_name',
]);
const CURRENT_ONLY = new Set(['row_count', 'pg_context']);

class Parser {
  private readonly body: string;
  private readonly tokens: Token[];
  private at = 0;
  private names: Name | null;

  constructor(body: string, outer: Name | null) {
    this.body = body;
    this.tokens = scan(body);
    this.names = outer;
  }

  // --------------------------------------------------------------------------------------------------------- tokens

  private get token(): Token {
    return this.tokens[this.at];
  }

  private peek(distance = 1): Token {
    return this.tokens[Math.min(this.at + distance, this.tokens.length - 1)];
  }

  /** True when the token is this keyword or word, unquoted. */
  private isWord(word: string, token = this.token): boolean {
    return (token.kind === 'word' || token.kind === 'keyword') && !token.quoted && token.text === word;
  }

  private isString(): boolean {
    return this.token.kind === 'string';
  }

  private isSymbol(symbol: string, token = this.token): boolean {
    return token.kind === 'symbol' && token.text === symbol;
  }

  private take(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  private takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  private expect(word: string): void {
    if (!this.take(word)) throw this.syntaxError();
  }

  private expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.syntaxError();
  }

  /** Position in the body, characters from 1. */
  position(offset: number): number {
    return [...this.body.slice(0, offset)].length + 1;
  }

  private syntaxError(message = 'syntax error', token = this.token): DbError {
    const text =
      token.kind === 'end'
        ? `${message} at end of input`
        : `${message} at or near "${this.body.slice(token.start, token.end)}"`;
    return new DbError('syntax_error', text, { position: this.position(token.start) });
  }

  private error(message: string, token: Token, condition: ConditionName = 'syntax_error'): DbError {
    return new DbError(condition, message, { position: this.position(token.start) });
  }

  // ----------------------------------------------------------------------------------------------------------- body

  parse(): Body {
    const result: Body = {
      block: null as unknown as Block,
      variableConflict: null,
      printStrictParams: null,
    };
    while (this.isSymbol('#')) {
      this.at++;
      const option = this.token.text;
      this.at++;
      const value = this.token.text;
      if (option === 'option') {
        if (value !== 'dump') throw this.syntaxError();
      } else if (option === 'print_strict_params') {
        if (value !== 'on' && value !== 'off')
          throw this.error(`unrecognized print_strict_params option ${value}`, this.token);
        result.printStrictParams = value === 'on';
      } else if (option === 'variable_conflict') {
        if (value !== 'error' && value !== 'use_variable' && value !== 'use_column') throw this.syntaxError();
        result.variableConflict = value;
      } else throw this.syntaxError('syntax error', this.tokens[this.at - 1]);
      this.at++;
    }
    const label = this.blockLabel();
    if (!this.isWord('declare') && !this.isWord('begin')) throw this.syntaxError();
    result.block = this.block(label);
    this.takeSymbol(';');
    if (this.token.kind !== 'end') throw this.syntaxError();
    return result;
  }

  /** `<<label>>` */
  private blockLabel(): string | null {
    if (!this.takeSymbol('<<')) return null;
    const name = this.identifier();
    this.expectSymbol('>>');
    return name;
  }

  private identifier(): string {
    const { token } = this;
    if (token.kind !== 'word') throw this.syntaxError();
    this.at++;
    return token.text;
  }

  private block(label: string | null): Block {
    const outer = this.names;
    const block: Block = {
      kind: 'block',
      line: 0,
      label,
      declarations: [],
      body: [],
      handlers: null,
      sqlState: null,
      sqlMessage: null,
    };
    this.names = labelOf(label ?? '', 'block', block, this.names);
    while (this.take('declare')) {
      while (!this.isWord('begin') && !this.isWord('declare')) {
        if (this.isSymbol('<<'))
          throw this.error('block label must be placed before DECLARE, not after', this.token);
        this.declaration(block);
      }
    }
    block.line = this.token.line;
    this.expect('begin');
    block.body = this.statements();
    if (this.isWord('exception')) {
      const line = this.token.line;
      this.at++;
      const beforeHandlers = this.names;
      block.sqlState = declare(
        'sqlstate',
        { kind: 'oid', typeOid: 25, typmod: -1, collation: 100 },
        { line, constant: true },
      );
      block.sqlMessage = declare(
        'sqlerrm',
        { kind: 'oid', typeOid: 25, typmod: -1, collation: 100 },
        { line, constant: true },
      );
      this.names = nameOf('sqlstate', block.sqlState, this.names);
      this.names = nameOf('sqlerrm', block.sqlMessage, this.names);
      block.handlers = [];
      while (this.isWord('when')) block.handlers.push(this.handler());
      if (block.handlers.length === 0) throw this.syntaxError();
      this.names = beforeHandlers;
    }
    this.expect('end');
    this.endLabel(label, 'block');
    this.names = outer;
    return block;
  }

  private endLabel(label: string | null, kind: 'block' | 'loop'): void {
    if (this.token.kind !== 'word') return;
    const { token } = this;
    this.at++;
    if (label === null) throw this.error(`end label "${token.text}" specified for unlabeled block`, token);
    if (label !== token.text)
      throw this.error(`end label "${token.text}" differs from block's label "${label}"`, token);
    void kind;
  }

  private handler(): Handler {
    const { line } = this.token;
    this.expect('when');
    const conditions: Handler['conditions'] = [];
    do {
      const { token } = this;
      const name = this.anyIdentifier();
      if (name === 'sqlstate' && !token.quoted) {
        if (!this.isString()) throw this.syntaxError();
        const code = this.token.text;
        if (!/^[0-9A-Z]{5}$/.test(code)) throw this.error('invalid SQLSTATE code', this.token);
        this.at++;
        conditions.push({ name: code, codes: [code] });
      } else if (name === 'others') conditions.push({ name, codes: 'others' });
      else {
        const codes = conditionCodes(name);
        if (codes === null)
          throw this.error(`unrecognized exception condition "${name}"`, token, 'undefined_object');
        conditions.push({ name, codes });
      }
    } while (this.take('or'));
    this.expect('then');
    return { line, conditions, body: this.statements() };
  }

  private anyIdentifier(): string {
    const { token } = this;
    if (token.kind !== 'word' && token.kind !== 'keyword') throw this.syntaxError();
    this.at++;
    return token.text;
  }

  // --------------------------------------------------------------------------------------------------- declarations

  private declaration(block: Block): void {
    const start = this.token;
    if (start.kind !== 'word') throw this.syntaxError();
    this.at++;
    const { text: name, line } = start;
    const add = (declaration: Declaration): void => {
      if (lookUp(this.names, [name], true) !== null) throw this.error('duplicate declaration', start);
      block.declarations.push(declaration);
      this.names = nameOf(name, declaration, this.names);
    };
    if (this.take('alias')) {
      this.expect('for');
      const { token } = this;
      const parts = token.kind === 'parameter' ? [`$${token.text}`] : null;
      if (parts !== null) this.at++;
      const found = parts !== null ? lookUp(this.names, parts) : lookUp(this.names, this.dottedName());
      if (found === null)
        throw this.error(
          `variable "${this.body.slice(token.start, token.end)}" does not exist`,
          token,
          'undefined_object',
        );
      this.expectSymbol(';');
      this.names = nameOf(name, found.declaration, this.names);
      return;
    }
    const declaration = declare(name, { kind: 'record' }, { line, position: start.start });
    let scroll: boolean | null = null;
    if (this.isWord('no') && this.isWord('scroll', this.peek())) {
      this.at += 2;
      scroll = false;
    } else if (this.isWord('scroll')) {
      this.at++;
      scroll = true;
    }
    if (this.take('cursor')) {
      const outer = this.names;
      this.names = labelOf('', 'other', null, this.names);
      const args: { name: string; declaration: Declaration }[] = [];
      if (this.takeSymbol('(')) {
        do {
          const argument = this.token;
          const argumentName = this.identifier();
          const argumentDeclaration = declare(argumentName, this.dataType(), {
            line: argument.line,
            position: argument.start,
          });
          args.push({ name: argumentName, declaration: argumentDeclaration });
          block.declarations.push(argumentDeclaration);
          this.names = nameOf(argumentName, argumentDeclaration, this.names);
        } while (this.takeSymbol(','));
        this.expectSymbol(')');
      }
      if (!this.take('is') && !this.take('for')) throw this.syntaxError('syntax error, expected "FOR"');
      const query = this.sqlUntil([';'], 'statement');
      this.expectSymbol(';');
      this.names = outer;
      declaration.type = { kind: 'cursor' };
      declaration.cursor = { query, args, scroll };
      add(declaration);
      return;
    }
    if (scroll !== null) throw this.syntaxError();
    if (this.take('constant')) declaration.constant = true;
    declaration.type = this.dataType();
    if (this.take('collate')) declaration.collation = this.dottedName();
    if (this.isWord('not')) {
      this.at++;
      this.expect('null');
      declaration.notNull = true;
    }
    if (this.isSymbol(':=') || this.isSymbol('=') || this.isWord('default')) {
      this.at++;
      declaration.initial = this.sqlUntil([';'], 'expression');
    } else if (declaration.notNull)
      throw this.error(
        `variable "${name}" must have a default value, since it's declared NOT NULL`,
        this.token,
        'null_value_not_allowed',
      );
    this.expectSymbol(';');
    add(declaration);
  }

  /** `a.b.c` */
  private dottedName(): string[] {
    const parts = [this.anyIdentifier()];
    while (this.isSymbol('.')) {
      this.at++;
      parts.push(this.anyIdentifier());
    }
    return parts;
  }

  private dataType(): TypeText {
    const first = this.token;
    if (first.kind === 'end') throw this.syntaxError('incomplete data type declaration');
    if (first.kind === 'word' && !first.quoted && first.text === 'record') {
      const next = this.peek();
      if (!this.isSymbol('.', next) && !this.isSymbol('%', next)) {
        this.at++;
        return { kind: 'record' };
      }
    }
    if (first.kind === 'word' || first.kind === 'keyword') {
      // name[.name[.name]]%TYPE or %ROWTYPE
      let distance = 1;
      const parts = [first.text];
      while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind !== 'end') {
        parts.push(this.peek(distance + 1).text);
        distance += 2;
      }
      const after = this.peek(distance + 1);
      if (
        this.isSymbol('%', this.peek(distance)) &&
        (this.isWord('type', after) || this.isWord('rowtype', after))
      ) {
        this.at += distance + 2;
        const row = after.text === 'rowtype';
        const found = row ? null : lookUp(this.names, parts);
        return {
          kind: 'like',
          names: parts,
          row,
          position: first.start,
          ofDeclaration: found !== null && found.used === parts.length ? found.declaration : null,
        };
      }
    }
    let depth = 0;
    const start = this.token.start;
    let end = start;
    for (;;) {
      const { token } = this;
      if (token.kind === 'end') {
        if (depth > 0) throw this.syntaxError('mismatched parentheses');
        throw this.syntaxError('incomplete data type declaration');
      }
      if (this.isSymbol(';')) break;
      if (depth === 0) {
        if (
          this.isWord('collate') ||
          this.isWord('not') ||
          this.isWord('default') ||
          this.isSymbol(':=') ||
          this.isSymbol('=') ||
          this.isSymbol(',') ||
          this.isSymbol(')')
        )
          break;
      }
      if (this.isSymbol('(')) depth++;
      else if (this.isSymbol(')')) depth--;
      end = token.end;
      this.at++;
    }
    if (end === start) throw this.error('missing data type declaration', this.token);
    if (depth !== 0) throw this.syntaxError('mismatched parentheses');
    return { kind: 'named', text: this.body.slice(start, end), position: start };
  }

  // ------------------------------------------------------------------------------------------------------------ SQL

  /**
   * Text up to (not including) one of the words or symbols at depth 0. `label` is how messages call the end.
   */
  private sqlUntil(
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

  private isOneOf(ends: readonly string[]): boolean {
    const { token } = this;
    if (token.kind === 'symbol') return ends.includes(token.text);
    return (token.kind === 'keyword' || token.kind === 'word') && !token.quoted && ends.includes(token.text);
  }

  private expression(start: number, end: number, mode: Expression['mode']): Expression {
    return { text: this.body.slice(start, end), start, mode, names: this.names, valueStart: start };
  }

  // ----------------------------------------------------------------------------------------------------- statements

  private statements(): Statement[] {
    const list: Statement[] = [];
    for (;;) {
      const { token } = this;
      if (token.kind === 'end') return list;
      if (
        token.kind === 'keyword' &&
        (token.text === 'end' || token.text === 'else' || token.text === 'when')
      )
        return list;
      if (this.isWord('elsif') || this.isWord('elseif')) return list;
      if (this.isWord('exception') && !this.startsAssignment()) return list;
      const statement = this.statement();
      if (statement !== null) list.push(statement);
    }
  }

  /** The statement begins with a variable that is assigned to. */
  private startsAssignment(): boolean {
    let distance = 1;
    if (this.token.kind !== 'word' && this.token.kind !== 'parameter') return false;
    while (this.isSymbol('.', this.peek(distance))) distance += 2;
    const next = this.peek(distance);
    return (
      next.kind === 'symbol' &&
      (next.text === ':=' || next.text === '=' || next.text === '[' || next.text === '=')
    );
  }

  private statement(): Statement | null {
    const { token } = this;
    const { line } = token;
    if (token.kind === 'symbol') {
      if (token.text === '<<') {
        const label = this.blockLabel();
        if (this.isWord('declare') || this.isWord('begin')) return this.nestedBlock(label);
        if (this.isWord('loop') || this.isWord('while') || this.isWord('for') || this.isWord('foreach'))
          return this.loopStatement(label);
        throw this.syntaxError();
      }
      if (token.text === '(') return this.sqlStatement();
      throw this.syntaxError();
    }
    if (token.kind === 'keyword') {
      switch (token.text) {
        case 'declare':
        case 'begin':
          return this.nestedBlock(null);
        case 'if':
          return this.ifStatement();
        case 'case':
          return this.caseStatement();
        case 'loop':
        case 'while':
        case 'for':
        case 'foreach':
          return this.loopStatement(null);
        case 'execute':
          return this.executeStatement();
        case 'null':
          this.at++;
          this.expectSymbol(';');
          return { kind: 'null', line };
        default:
          throw this.syntaxError();
      }
    }
    if (token.kind !== 'word' && token.kind !== 'parameter') throw this.syntaxError();
    if (this.startsAssignment()) return this.assignment();
    if (token.kind === 'parameter') throw this.syntaxError();
    if (!token.quoted)
      switch (token.text) {
        case 'exit':
        case 'continue':
          return this.exitStatement(token.text === 'exit');
        case 'return':
          return this.returnStatement();
        case 'raise':
          return this.raiseStatement();
        case 'assert':
          return this.assertStatement();
        case 'perform':
          return this.performStatement();
        case 'call':
        case 'do': {
          const query = this.sqlUntil([';'], 'statement');
          this.expectSymbol(';');
          return { kind: 'sql', line, query, into: null, strict: false, isCall: token.text === 'call' };
        }
        case 'get':
          if (
            this.isWord('diagnostics', this.peek()) ||
            this.isWord('stacked', this.peek()) ||
            this.isWord('current', this.peek())
          )
            return this.diagnosticsStatement();
          break;
        case 'open':
          return this.openStatement();
        case 'fetch':
        case 'move':
          return this.fetchStatement(token.text === 'move');
        case 'close':
          return this.closeStatement();
        case 'commit':
        case 'rollback':
          return this.transactionStatement(token.text === 'commit');
        default:
          break;
      }
    return this.sqlStatement();
  }

  private nestedBlock(label: string | null): Statement {
    const block = this.block(label);
    this.expectSymbol(';');
    return block;
  }

  /** The variable a name of the body means; null when it is none. */
  private variableHere(): { declaration: Declaration; field: string | null; count: number } | null {
    const { token } = this;
    if (token.kind === 'parameter') {
      const found = lookUp(this.names, [`$${token.text}`]);
      return found === null ? null : { declaration: found.declaration, field: null, count: 1 };
    }
    if (token.kind !== 'word') return null;
    const parts = [token.text];
    let distance = 1;
    while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind !== 'symbol') {
      parts.push(this.peek(distance + 1).text);
      distance += 2;
    }
    const found = lookUp(this.names, parts);
    if (found === null) return null;
    const rest = parts.slice(found.used);
    // Deeper paths are left to the expression parser.
    return {
      declaration: found.declaration,
      field: rest[0] ?? null,
      count: 1 + 2 * (Math.min(parts.length, found.used + 1) - 1),
    };
  }

  private requireVariable(): { declaration: Declaration; field: string | null } {
    const { token } = this;
    const found = this.variableHere();
    if (found === null) {
      if (token.kind === 'word' || token.kind === 'parameter') {
        const parts = this.dottedText();
        throw this.error(`"${parts}" is not a known variable`, token);
      }
      throw this.syntaxError();
    }
    this.at += found.count;
    return { declaration: found.declaration, field: found.field };
  }

  private dottedText(): string {
    let text = this.body.slice(this.token.start, this.token.end);
    if (this.token.kind === 'word') text = this.token.text;
    let distance = 1;
    while (this.isSymbol('.', this.peek(distance)) && this.peek(distance + 1).kind === 'word') {
      text += `.${this.peek(distance + 1).text}`;
      distance += 2;
    }
    return text;
  }

  private checkAssignable(declaration: Declaration, token: Token): void {
    if (declaration.constant)
      throw this.error(`variable "${declaration.name}" is declared CONSTANT`, token, 'error_in_assignment');
  }

  private assignment(): Statement {
    const start = this.token;
    const found = this.variableHere();
    if (found === null) throw this.error(`"${this.dottedText()}" is not a known variable`, start);
    this.checkAssignable(found.declaration, start);
    const after = this.tokens[this.at + found.count];
    const isPlain = this.isSymbol(':=', after) || this.isSymbol('=', after);
    // The whole text as an assignment: the value is found after the assignment sign at depth 0.
    let depth = 0;
    let sign: Token | null = null;
    const from = this.at;
    let end = start.end;
    while (this.token.kind !== 'end' && !(depth === 0 && this.isSymbol(';'))) {
      if (this.isSymbol('(') || this.isSymbol('[')) depth++;
      else if (this.isSymbol(')') || this.isSymbol(']')) depth--;
      else if (sign === null && depth === 0 && (this.isSymbol(':=') || this.isSymbol('='))) sign = this.token;
      if (depth < 0) throw this.syntaxError('mismatched parentheses');
      end = this.token.end;
      this.at++;
    }
    if (this.token.kind === 'end') {
      if (depth > 0) throw this.syntaxError('mismatched parentheses');
      throw this.error('missing ";" at end of SQL expression', this.token);
    }
    if (sign === null) {
      this.at = from;
      throw this.syntaxError();
    }
    const expression = this.expression(start.start, end, 'assignment');
    expression.valueStart = sign.end;
    if (this.body.slice(sign.end, end).trim() === '') throw this.syntaxError('missing expression');
    const valueStart = this.tokens.find((token) => token.start >= sign!.end)!.start;
    const value = this.expression(valueStart, end, 'expression');
    this.expectSymbol(';');
    return {
      kind: 'assign',
      line: start.line,
      expression,
      declaration: found.declaration,
      field: found.field,
      isPlain,
      value,
    };
  }

  private ifStatement(): Statement {
    const { line } = this.token;
    this.expect('if');
    const condition = this.sqlUntil(['then'], 'expression');
    this.expect('then');
    const body = this.statements();
    const elsifs: { line: number; condition: Expression; body: Statement[] }[] = [];
    let otherwise: Statement[] | null = null;
    for (;;) {
      const elsifLine = this.token.line;
      if (this.take('elsif') || this.take('elseif')) {
        const test = this.sqlUntil(['then'], 'expression');
        this.expect('then');
        elsifs.push({ line: elsifLine, condition: test, body: this.statements() });
        continue;
      }
      if (this.take('else')) otherwise = this.statements();
      break;
    }
    this.expect('end');
    this.expect('if');
    this.expectSymbol(';');
    return { kind: 'if', line, condition, body, elsifs, otherwise };
  }

  private caseStatement(): Statement {
    const { line } = this.token;
    this.expect('case');
    const argument = this.isWord('when') ? null : this.sqlUntil(['when'], 'expression');
    const test =
      argument === null
        ? null
        : declare('__Case__Variable__', { kind: 'oid', typeOid: 0, typmod: -1, collation: 0 }, { line });
    const whens: { line: number; expression: Expression; body: Statement[] }[] = [];
    while (this.isWord('when')) {
      const whenLine = this.token.line;
      this.at++;
      const expression = this.sqlUntil(['then'], 'expression');
      this.expect('then');
      whens.push({ line: whenLine, expression, body: this.statements() });
    }
    if (whens.length === 0) throw this.syntaxError();
    const otherwise = this.take('else') ? this.statements() : null;
    this.expect('end');
    this.expect('case');
    this.expectSymbol(';');
    return { kind: 'case', line, argument, test, whens, otherwise };
  }

  private loopBody(label: string | null): Statement[] {
    this.expect('loop');
    const body = this.statements();
    this.expect('end');
    this.expect('loop');
    this.endLabel(label, 'loop');
    this.expectSymbol(';');
    return body;
  }

  private loopStatement(label: string | null): Statement {
    const { line } = this.token;
    const id = {};
    const outer = this.names;
    this.names = labelOf(label ?? '', 'loop', id, this.names);
    try {
      if (this.isWord('loop')) return { kind: 'loop', line, label, body: this.loopBody(label), id };
      if (this.take('while')) {
        const condition = this.sqlUntil(['loop'], 'expression');
        return { kind: 'while', line, label, condition, body: this.loopBody(label), id };
      }
      if (this.take('foreach')) return this.foreachStatement(line, label, id);
      this.expect('for');
      return this.forStatement(line, label, id);
    } finally {
      this.names = outer;
    }
  }

  private foreachStatement(line: number, label: string | null, id: object): Statement {
    const target = this.target();
    let slice = 0;
    if (this.take('slice')) {
      if (this.token.kind !== 'number') throw this.syntaxError();
      slice = Number(this.token.text);
      this.at++;
    }
    this.expect('in');
    this.expect('array');
    const array = this.sqlUntil(['loop'], 'expression');
    return { kind: 'foreach', line, label, target, slice, array, body: this.loopBody(label), id };
  }

  private forStatement(line: number, label: string | null, id: object): Statement {
    const start = this.token;
    const names: { text: string; token: Token; found: ReturnType<Parser['variableHere']> }[] = [];
    do {
      const { token } = this;
      if (token.kind !== 'word' && token.kind !== 'parameter') throw this.syntaxError();
      const found = this.variableHere();
      const text = this.dottedText();
      names.push({ text, token, found });
      if (found !== null) this.at += found.count;
      else this.at++;
    } while (this.takeSymbol(','));
    this.expect('in');
    const target = (): Target => {
      const items = names.map(({ text, token, found }) => {
        if (found === null) throw this.notScalar(text, token);
        this.checkAssignable(found.declaration, token);
        return { declaration: found.declaration, field: found.field };
      });
      return items.length === 1 ? { kind: 'variable', ...items[0] } : { kind: 'list', items };
    };
    if (this.take('execute')) {
      const query = this.sqlUntil(['loop', 'using'], 'expression', 'LOOP');
      const using: Expression[] = [];
      if (this.take('using'))
        do using.push(this.sqlUntil([',', 'loop'], 'expression', ', or LOOP'));
        while (this.takeSymbol(','));
      const row = target();
      return { kind: 'forDynamic', line, label, target: row, query, using, body: this.loopBody(label), id };
    }
    // FOR x IN cursor_variable [(args)] LOOP
    const cursor = this.variableHere();
    if (cursor !== null && isCursorVariable(cursor.declaration) && cursor.field === null) {
      const next = this.peek(cursor.count);
      if (this.isSymbol('(', next) || this.isWord('loop', next)) {
        if (names.length !== 1) throw this.error('cursor FOR loop must have only one target variable', start);
        if (cursor.declaration.cursor === null)
          throw this.error(
            'cursor FOR loop must use a bound cursor variable',
            this.token,
            'datatype_mismatch',
          );
        this.at += cursor.count;
        const args = this.cursorArguments(cursor.declaration, ['loop']);
        const record = declare(names[0].text, { kind: 'record' }, { line });
        this.names = nameOf(names[0].text, record, this.names);
        return {
          kind: 'forCursor',
          line,
          label,
          record,
          cursor: cursor.declaration,
          args,
          body: this.loopBody(label),
          id,
        };
      }
    }
    const reverse = this.take('reverse');
    // An integer loop has `..` at depth 0 before LOOP.
    const queryStart = this.token;
    if (this.hasRange()) {
      const lower = this.sqlUntil(['..'], 'expression', '..');
      this.expectSymbol('..');
      const upper = this.sqlUntil(['loop', 'by'], 'expression', 'LOOP');
      const step = this.take('by') ? this.sqlUntil(['loop'], 'expression') : null;
      if (names.length !== 1) throw this.error('integer FOR loop must have only one target variable', start);
      const variable = declare(
        names[0].text,
        { kind: 'oid', typeOid: 23, typmod: -1, collation: 0 },
        { line },
      );
      this.names = nameOf(names[0].text, variable, this.names);
      return {
        kind: 'forInteger',
        line,
        label,
        variable,
        lower,
        upper,
        step,
        reverse,
        body: this.loopBody(label),
        id,
      };
    }
    if (reverse) throw this.error('cannot specify REVERSE in query FOR loop', queryStart);
    const query = this.sqlUntil(['loop'], 'statement');
    const row = target();
    return { kind: 'forQuery', line, label, target: row, query, body: this.loopBody(label), id };
  }

  private notScalar(text: string, token: Token): DbError {
    void text;
    return this.error(
      'loop variable of loop over rows must be a record variable or list of scalar variables',
      token,
    );
  }

  private hasRange(): boolean {
    let depth = 0;
    for (let distance = 0; ; distance++) {
      const token = this.peek(distance);
      if (token.kind === 'end' || this.isSymbol(';', token)) return false;
      if (depth === 0 && this.isWord('loop', token)) return false;
      if (depth === 0 && this.isSymbol('..', token)) return true;
      if (this.isSymbol('(', token) || this.isSymbol('[', token)) depth++;
      else if (this.isSymbol(')', token) || this.isSymbol(']', token)) depth--;
    }
  }

  /** One variable, or a comma-separated list of them. */
  private target(): Target {
    const items: { declaration: Declaration; field: string | null }[] = [];
    do {
      const { token } = this;
      const item = this.requireVariable();
      this.checkAssignable(item.declaration, token);
      items.push(item);
    } while (this.takeSymbol(','));
    return items.length === 1 ? { kind: 'variable', ...items[0] } : { kind: 'list', items };
  }

  /** Arguments of a bound cursor, put into the order of its declaration; `ends` end the whole. */
  private cursorArguments(cursor: Declaration, ends: readonly string[]): Expression[] {
    const declared = cursor.cursor!.args;
    if (!this.isSymbol('(')) {
      if (declared.length > 0) throw this.error(`cursor "${cursor.name}" has arguments`, this.token);
      return [];
    }
    if (declared.length === 0) throw this.error(`cursor "${cursor.name}" has no arguments`, this.token);
    this.at++;
    const values: (Expression | null)[] = declared.map(() => null);
    let sawNamed = false;
    for (let index = 0; index < declared.length; index++) {
      const { token } = this;
      let position = index;
      if (token.kind === 'word' && (this.isSymbol(':=', this.peek()) || this.isSymbol('=>', this.peek()))) {
        position = declared.findIndex(({ name }) => name === token.text);
        if (position < 0)
          throw this.error(`cursor "${cursor.name}" has no argument named "${token.text}"`, token);
        sawNamed = true;
        this.at += 2;
      } else if (sawNamed) throw this.error('mixing positional and named parameter is not allowed', token);
      if (values[position] !== null)
        throw this.error(
          `value for parameter "${declared[position].name}" of cursor "${cursor.name}" specified more than once`,
          token,
        );
      values[position] = this.sqlUntil([',', ')'], 'expression', ', or )');
      if (this.isSymbol(')') && values.some((value) => value === null))
        throw this.error(`not enough arguments for cursor "${cursor.name}"`, this.token);
      if (index < declared.length - 1 && !this.takeSymbol(',')) throw this.syntaxError();
      if (index === declared.length - 1 && this.isSymbol(','))
        throw this.error(`too many arguments for cursor "${cursor.name}"`, this.token);
    }
    this.expectSymbol(')');
    void ends;
    return values as Expression[];
  }

  private exitStatement(isExit: boolean): Statement {
    const start = this.token;
    this.at++;
    const label = this.token.kind === 'word' && !this.isWord('when') ? this.identifier() : null;
    const condition = this.take('when') ? this.sqlUntil([';'], 'expression') : null;
    this.expectSymbol(';');
    let target: object | null = null;
    let inLoop = false;
    for (let name = this.names; name !== null; name = name.previous) {
      if (name.kind !== 'label' || name.labelOf === 'other') continue;
      if (name.labelOf === 'loop') inLoop = true;
      if (label === null ? name.labelOf === 'loop' : name.name === label) {
        if (label !== null && !isExit && name.labelOf === 'block')
          throw this.error(`block label "${label}" cannot be used in CONTINUE`, start);
        target = name.target;
        break;
      }
    }
    if (target === null) {
      if (label !== null)
        throw this.error(
          `there is no label "${label}" attached to any block or loop enclosing this statement`,
          start,
        );
      throw this.error(
        isExit
          ? 'EXIT cannot be used outside a loop, unless it has a label'
          : 'CONTINUE cannot be used outside a loop',
        start,
      );
    }
    void inLoop;
    return { kind: 'exit', line: start.line, isExit, label, condition, target };
  }

  private returnStatement(): Statement {
    const { line } = this.token;
    this.at++;
    if (this.isWord('next')) {
      this.at++;
      const value = this.isSymbol(';') ? null : this.sqlUntil([';'], 'expression');
      this.expectSymbol(';');
      return { kind: 'returnNext', line, value };
    }
    if (this.isWord('query')) {
      this.at++;
      if (this.take('execute')) {
        const dynamic = this.sqlUntil([';', 'using'], 'expression', '; or USING');
        const using: Expression[] = [];
        if (this.take('using'))
          do using.push(this.sqlUntil([',', ';'], 'expression', ', or ;'));
          while (this.takeSymbol(','));
        this.expectSymbol(';');
        return { kind: 'returnQuery', line, query: null, dynamic, using };
      }
      const query = this.sqlUntil([';'], 'statement');
      this.expectSymbol(';');
      return { kind: 'returnQuery', line, query, dynamic: null, using: [] };
    }
    const value = this.isSymbol(';') ? null : this.sqlUntil([';'], 'expression');
    this.expectSymbol(';');
    return { kind: 'return', line, value };
  }

  private raiseStatement(): Statement {
    const start = this.token;
    this.at++;
    let level: RaiseLevel = 'exception';
    let condition: string | null = null;
    let message: string | null = null;
    const params: Expression[] = [];
    const options: { option: string; value: Expression }[] = [];
    const result = (): Statement => ({
      kind: 'raise',
      line: start.line,
      level,
      condition,
      message,
      params,
      options,
    });
    if (this.takeSymbol(';')) return result();
    if (this.token.kind === 'word' && LEVELS.has(this.token.text) && !this.token.quoted) {
      level = this.token.text as RaiseLevel;
      this.at++;
    }
    if (this.isString()) {
      message = this.token.text;
      this.at++;
      while (this.takeSymbol(','))
        params.push(this.sqlUntil([',', ';', 'using'], 'expression', ', or ; or USING'));
    } else if (!this.isWord('using')) {
      if (this.isWord('sqlstate')) {
        this.at++;
        if (!this.isString()) throw this.syntaxError();
        if (!/^[0-9A-Z]{5}$/.test(this.token.text)) throw this.error('invalid SQLSTATE code', this.token);
        condition = this.token.text;
        this.at++;
      } else if (this.token.kind === 'word') {
        const { token } = this;
        if (conditionCodes(token.text) === null)
          throw this.error(`unrecognized exception condition "${token.text}"`, token, 'undefined_object');
        condition = token.text;
        this.at++;
      } else throw this.syntaxError();
    }
    if (this.take('using')) {
      do {
        const name = this.token;
        const option = name.text;
        if (
          ![
            'errcode',
            'message',
            'detail',
            'hint',
            'column',
            'constraint',
            'datatype',
            'table',
            'schema',
          ].includes(option)
        )
          throw this.syntaxError('unrecognized RAISE statement option');
        this.at++;
        if (!this.takeSymbol(':=') && !this.takeSymbol('='))
          throw this.syntaxError('syntax error, expected "="');
        options.push({ option, value: this.sqlUntil([',', ';'], 'expression', ', or ;') });
      } while (this.takeSymbol(','));
    }
    if (!this.isSymbol(';')) throw this.syntaxError();
    this.at++;
    if (message !== null) {
      let placeholders = 0;
      for (let index = 0; index < message.length; index++) {
        if (message[index] !== '%') continue;
        if (message[index + 1] === '%') index++;
        else placeholders++;
      }
      if (placeholders < params.length) throw this.error('too many parameters specified for RAISE', start);
      if (placeholders > params.length) throw this.error('too few parameters specified for RAISE', start);
    }
    return result();
  }

  private assertStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const condition = this.sqlUntil([',', ';'], 'expression', ', or ;');
    const message = this.takeSymbol(',') ? this.sqlUntil([';'], 'expression') : null;
    this.expectSymbol(';');
    return { kind: 'assert', line, condition, message };
  }

  private performStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const query = this.sqlUntil([';'], 'expression');
    this.expectSymbol(';');
    return { kind: 'perform', line, query };
  }

  /** Any other SQL statement; INTO with its targets is cut out of its text. */
  private sqlStatement(): Statement {
    const start = this.token;
    const isInsertFirst = this.isWord('insert') || this.isWord('merge');
    let previous: Token | null = null;
    let target: Target | null = null;
    let strict = false;
    let cutFrom = -1;
    let cutTo = -1;
    let depth = 0;
    let end = start.end;
    if (this.isWord('import')) previous = null;
    for (;;) {
      const { token } = this;
      if (token.kind === 'end') throw this.syntaxError('unexpected end of function definition');
      if (this.isSymbol(';') && depth === 0) break;
      if (this.isSymbol('(')) depth++;
      else if (this.isSymbol(')')) depth--;
      if (this.isWord('into') && token !== start) {
        const isInsertTarget =
          previous !== null && (this.isWord('insert', previous) || this.isWord('merge', previous));
        if (!isInsertTarget && !(previous !== null && this.isWord('schema', start))) {
          if (target !== null) throw this.error('INTO specified more than once', token);
          cutFrom = token.start;
          this.at++;
          if (this.take('strict')) strict = true;
          target = this.target();
          cutTo = this.tokens[this.at - 1].end;
          previous = this.tokens[this.at - 1];
          end = previous.end;
          continue;
        }
      }
      previous = token;
      end = token.end;
      this.at++;
    }
    void isInsertFirst;
    const query = this.expression(start.start, end, 'statement');
    if (cutFrom >= 0) {
      const text = this.body.slice(start.start, end);
      query.text =
        text.slice(0, cutFrom - start.start) + ' '.repeat(cutTo - cutFrom) + text.slice(cutTo - start.start);
      query.text = query.text.trimEnd();
    }
    this.expectSymbol(';');
    return { kind: 'sql', line: start.line, query, into: target, strict, isCall: false };
  }

  private executeStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const query = this.sqlUntil(['into', 'using', ';'], 'expression', 'INTO or USING or ;');
    let into: Target | null = null;
    let strict = false;
    const using: Expression[] = [];
    for (;;) {
      if (this.isWord('into')) {
        if (into !== null) throw this.syntaxError();
        this.at++;
        strict = this.take('strict');
        into = this.target();
      } else if (this.isWord('using')) {
        if (using.length > 0) throw this.syntaxError();
        this.at++;
        do using.push(this.sqlUntil([',', ';', 'into'], 'expression', ', or ; or INTO'));
        while (this.takeSymbol(','));
      } else break;
    }
    this.expectSymbol(';');
    return { kind: 'execute', line, query, into, strict, using };
  }

  private diagnosticsStatement(): Statement {
    const { line } = this.token;
    this.at++;
    let stacked = false;
    if (this.take('stacked')) stacked = true;
    else this.take('current');
    this.expect('diagnostics');
    const items: { item: string; declaration: Declaration; field: string | null }[] = [];
    do {
      const { token } = this;
      const variable = this.requireVariable();
      this.checkAssignable(variable.declaration, token);
      if (!this.takeSymbol(':=') && !this.takeSymbol('=')) throw this.syntaxError();
      const item = this.token;
      if (item.kind !== 'word' || !DIAGNOSTICS.has(item.text))
        throw this.syntaxError('unrecognized GET DIAGNOSTICS item');
      if (stacked && CURRENT_ONLY.has(item.text))
        throw this.error(
          `diagnostics item ${item.text.toUpperCase()} is not allowed in GET STACKED DIAGNOSTICS`,
          token,
        );
      if (!stacked && !CURRENT_ONLY.has(item.text))
        throw this.error(
          `diagnostics item ${item.text.toUpperCase()} is not allowed in GET CURRENT DIAGNOSTICS`,
          token,
        );
      this.at++;
      items.push({ item: item.text, ...variable });
    } while (this.takeSymbol(','));
    this.expectSymbol(';');
    return { kind: 'diagnostics', line, stacked, items };
  }

  private cursorVariable(): Declaration {
    const { token } = this;
    const { declaration, field } = this.requireVariable();
    if (field !== null || !isCursorVariable(declaration))
      throw this.error(
        `variable "${declaration.name}" must be of type cursor or refcursor`,
        token,
        'datatype_mismatch',
      );
    return declaration;
  }

  private openStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const cursor = this.cursorVariable();
    const base = {
      kind: 'open' as const,
      line,
      cursor,
      query: null,
      dynamic: null,
      using: [],
      args: [],
      scroll: null,
    };
    if (cursor.cursor !== null) {
      const args = this.cursorArguments(cursor, [';']);
      this.expectSymbol(';');
      return { ...base, args, scroll: cursor.cursor.scroll };
    }
    let scroll: boolean | null = null;
    if (this.isWord('no')) {
      this.at++;
      this.expect('scroll');
      scroll = false;
    } else if (this.take('scroll')) scroll = true;
    if (!this.take('for')) throw this.syntaxError('syntax error, expected "FOR"');
    if (this.take('execute')) {
      const dynamic = this.sqlUntil(['using', ';'], 'expression', 'USING or ;');
      const using: Expression[] = [];
      if (this.take('using'))
        do using.push(this.sqlUntil([',', ';'], 'expression', ', or ;'));
        while (this.takeSymbol(','));
      this.expectSymbol(';');
      return { ...base, dynamic, using, scroll };
    }
    const query = this.sqlUntil([';'], 'statement');
    this.expectSymbol(';');
    return { ...base, query, scroll };
  }

  private fetchStatement(isMove: boolean): Statement {
    const start = this.token;
    this.at++;
    const fetch: Extract<Statement, { kind: 'fetch' }> = {
      kind: 'fetch',
      line: start.line,
      cursor: null as unknown as Declaration,
      isMove,
      into: null,
      direction: 'forward',
      count: 1,
      countExpression: null,
      returnsMultiple: false,
    };
    this.fetchDirection(fetch);
    fetch.cursor = this.cursorVariable();
    if (isMove) {
      this.expectSymbol(';');
      return fetch;
    }
    this.expect('into');
    fetch.into = this.target();
    if (!this.isSymbol(';')) throw this.syntaxError();
    this.at++;
    if (fetch.returnsMultiple)
      throw this.error('FETCH statement cannot return multiple rows', start, 'feature_not_supported');
    return fetch;
  }

  private fetchDirection(fetch: Extract<Statement, { kind: 'fetch' }>): void {
    const { token } = this;
    if (
      token.kind === 'word' &&
      lookUp(this.names, [token.text]) !== null &&
      !this.isSymbol('(', this.peek())
    ) {
      // A variable of that name: no direction was given, unless a FROM or IN follows.
      const next = this.peek();
      if (
        !this.isWord('from', next) &&
        !this.isWord('in', next) &&
        (this.isWord('into', next) || this.isSymbol(';', next))
      )
        return;
    }
    const takeFrom = (): void => {
      if (!this.take('from') && !this.take('in')) throw this.error('expected FROM or IN', this.token);
    };
    const optional = (): void => {
      if (!this.take('from')) this.take('in');
    };
    const countThenFrom = (): void => {
      fetch.countExpression = this.sqlUntil(['from', 'in'], 'expression', 'FROM or IN');
      takeFrom();
    };
    if (this.take('next')) optional();
    else if (this.take('prior')) {
      fetch.direction = 'backward';
      optional();
    } else if (this.take('first')) {
      fetch.direction = 'absolute';
      fetch.count = 1;
      optional();
    } else if (this.take('last')) {
      fetch.direction = 'absolute';
      fetch.count = -1;
      optional();
    } else if (this.take('absolute')) {
      fetch.direction = 'absolute';
      countThenFrom();
    } else if (this.take('relative')) {
      fetch.direction = 'relative';
      countThenFrom();
    } else if (this.take('all')) {
      fetch.count = Number.MAX_SAFE_INTEGER;
      fetch.returnsMultiple = true;
      optional();
    } else if (this.isWord('forward') || this.isWord('backward')) {
      if (this.take('backward')) fetch.direction = 'backward';
      else this.at++;
      if (this.take('from') || this.take('in')) return;
      if (this.take('all')) {
        fetch.count = Number.MAX_SAFE_INTEGER;
        fetch.returnsMultiple = true;
        takeFrom();
        return;
      }
      if (
        this.variableHere() !== null &&
        (this.isWord('into', this.peek()) || this.isSymbol(';', this.peek()))
      )
        return;
      countThenFrom();
      fetch.returnsMultiple = true;
    } else if (this.take('from') || this.take('in')) return;
    else if (
      token.kind === 'word' &&
      this.variableHere() !== null &&
      isCursorVariable(this.variableHere()!.declaration)
    )
      return;
    else {
      countThenFrom();
      fetch.returnsMultiple = true;
    }
  }

  private closeStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const cursor = this.cursorVariable();
    this.expectSymbol(';');
    return { kind: 'close', line, cursor };
  }

  private transactionStatement(isCommit: boolean): Statement {
    const { line } = this.token;
    this.at++;
    let chain = false;
    if (this.take('and')) {
      if (this.take('no')) chain = false;
      else chain = true;
      this.expect('chain');
    }
    this.expectSymbol(';');
    return { kind: 'commit', line, isCommit, chain };
  }
}

/** Declared as cursor, or of a type spelt refcursor. */
export function isCursorVariable(declaration: Declaration): boolean {
  const { type } = declaration;
  if (type.kind === 'cursor') return true;
  if (type.kind === 'oid') return type.typeOid === 1790;
  if (type.kind === 'like') return type.ofDeclaration !== null && isCursorVariable(type.ofDeclaration);
  return type.kind === 'named' && /^(pg_catalog\s*\.\s*)?refcursor$/i.test(type.text.trim());
}

/** SQLSTATE codes of a condition name of the manual's appendix A; null when there is none. */
export function conditionCodes(name: string): string[] | null {
  const code = (SQLSTATE as Readonly<Record<string, string>>)[name];
  if (code === undefined || code === '00000') return name === 'others' ? [] : null;
  return [code];
}
