import type { Declaration, Expression, RaiseLevel, Statement } from './ast.ts';
import { CursorParser } from './cursors.ts';
import { conditionCodes } from './names.ts';

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

export abstract class MessageParser extends CursorParser {
  protected raiseStatement(): Statement {
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

  protected assertStatement(): Statement {
    const { line } = this.token;
    this.at++;
    const condition = this.sqlUntil([',', ';'], 'expression', ', or ;');
    const message = this.takeSymbol(',') ? this.sqlUntil([';'], 'expression') : null;
    this.expectSymbol(';');
    return { kind: 'assert', line, condition, message };
  }

  protected diagnosticsStatement(): Statement {
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
}
