import type { Declaration, Expression, Statement } from './ast.ts';
import { DeclarationParser } from './declarations.ts';
import { isCursorVariable, lookUp } from './names.ts';

export abstract class CursorParser extends DeclarationParser {
  /** Arguments of a bound cursor, put into the order of its declaration; `ends` end the whole. */
  protected cursorArguments(cursor: Declaration, ends: readonly string[]): Expression[] {
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

  protected cursorVariable(): Declaration {
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

  protected openStatement(): Statement {
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

  protected fetchStatement(isMove: boolean): Statement {
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

  protected fetchDirection(fetch: Extract<Statement, { kind: 'fetch' }>): void {
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

  protected closeStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const cursor = this.cursorVariable();
    this.expectSymbol(';');
    return { kind: 'close', line, cursor };
  }
}
