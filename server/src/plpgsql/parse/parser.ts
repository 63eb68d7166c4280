/**
 * Parser of PL/pgSQL bodies (manual, chapter 43).
 *
 * SQL inside is cut out by looking for the word that ends it at parenthesis depth 0, and is checked by SQL's own parser. Names are
 * kept as a linked list while parsing, as every piece of SQL remembers what it can see. Errors have PostgreSQL's texts and a
 * position in the body.
 */
import type { DbError } from '../../base/error.ts';
import type { Block, Body, Expression, Handler, Name, Statement, Target } from './ast.ts';
import { MessageParser } from './messages.ts';
import { conditionCodes, declare, isCursorVariable, labelOf, nameOf } from './names.ts';
import type { Token } from './scanner.ts';

export function parseBody(body: string, outer: Name | null): Body {
  return new Parser(body, outer).parse();
}

class Parser extends MessageParser {
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
