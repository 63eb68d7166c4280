/** OPEN, FETCH, MOVE, CLOSE and loops over bound cursors. */
import { DbError } from '../base/error.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import type { Variable } from './code.ts';
import type { FunctionCompiler } from './compile.ts';
import type { Declaration, Expression, Statement } from './parse/ast.ts';
import { dynamicPlan } from './sql-statements.ts';
import { preparedPlan, type SqlText } from './sql-text.ts';
import { openLoop, unwindTo } from './statements.ts';

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

export function compileCursorStatement(
  compiler: FunctionCompiler,
  statement: Of<'open' | 'fetch' | 'close'>,
): void {
  switch (statement.kind) {
    case 'open':
      compileOpen(compiler, statement);
      return;
    case 'fetch':
      compileFetch(compiler, statement);
      return;
    default:
      compileClose(compiler, statement);
  }
}

/** Steps that give a bound cursor's arguments their values, then open it. */
function emitOpen(
  compiler: FunctionCompiler,
  cursor: Declaration,
  args: readonly Expression[],
  line: number,
  text: string,
): SqlText {
  const declared = cursor.cursor!;
  declared.args.forEach(({ declaration }, index) => {
    compiler.assign(compiler.variable(declaration), null, args[index], line, text);
  });
  return compiler.sql(declared.query);
}

function openSql(
  activation: Activation,
  frame: Datum[],
  variable: Variable,
  sql: SqlText,
  scroll: boolean | null,
): void {
  const { session } = activation.manager;
  activation.manager.refresh(activation.code);
  const name = frame[variable.slot] as string | null;
  if (name !== null && session.cursors.exists(name))
    throw new DbError('duplicate_cursor', `cursor "${name}" already in use`);
  if (!sql.isCurrent(frame)) sql.prepare(activation, frame);
  if (sql.prepared === null || sql.prepared.columns.length === 0)
    throw new DbError(
      'invalid_cursor_definition',
      `cannot open ${(sql.command?.node ?? sql.prepared?.plan.command ?? '').replace(/Stmt$/, '').toUpperCase()} query as cursor`,
    );
  activation.origin = sql;
  frame[variable.slot] = session.cursors.open(name, sql.prepared.plan, sql.parameters(frame), {
    scroll,
    text: sql.text,
  });
  activation.origin = null;
}

function compileOpen(compiler: FunctionCompiler, statement: Of<'open'>): void {
  const { line, cursor, scroll } = statement;
  const text = 'at OPEN';
  const variable = compiler.variable(cursor);
  if (statement.dynamic !== null) {
    const query = compiler.evaluate(statement.dynamic, null, line, text);
    const using = statement.using.map((item) => compiler.evaluate(item, null, line, text));
    const next = compiler.here + 1;
    compiler.emit(
      (activation, frame) => {
        const { session } = activation.manager;
        const name = frame[variable.slot] as string | null;
        if (name !== null && session.cursors.exists(name))
          throw new DbError('duplicate_cursor', `cursor "${name}" already in use`);
        const dynamic = dynamicPlan(activation, query, using, frame);
        frame[variable.slot] = session.cursors.open(name, dynamic.prepared.plan, dynamic.parameters, {
          scroll,
          text: dynamic.origin.text,
        });
        return next;
      },
      line,
      text,
    );
    return;
  }
  const sql =
    statement.query !== null
      ? compiler.sql(statement.query)
      : emitOpen(compiler, cursor, statement.args, line, text);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      openSql(activation, frame, variable, sql, scroll);
      return next;
    },
    line,
    text,
  );
}

function nameOfCursor(activation: Activation, frame: readonly Datum[], variable: Variable): string {
  const name = frame[variable.slot] as string | null;
  if (name === null)
    throw new DbError('null_value_not_allowed', `cursor variable "${variable.name}" is null`);
  if (!activation.manager.session.cursors.exists(name))
    throw new DbError('invalid_cursor_name', `cursor "${name}" does not exist`);
  return name;
}

function compileFetch(compiler: FunctionCompiler, statement: Of<'fetch'>): void {
  const { line, isMove, direction } = statement;
  const text = isMove ? 'at MOVE' : 'at FETCH';
  const variable = compiler.variable(statement.cursor);
  const count =
    statement.countExpression === null
      ? -1
      : compiler.evaluate(statement.countExpression, { typeOid: 23, typmod: -1 }, line, text).slot;
  const assign = statement.into === null ? null : compiler.assigner(statement.into);
  const { found } = compiler.code;
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const { cursors } = activation.manager.session;
      const name = nameOfCursor(activation, frame, variable);
      let howMany = statement.count;
      if (count >= 0) {
        if (frame[count] === null)
          throw new DbError('null_value_not_allowed', 'relative or absolute cursor position is null');
        howMany = frame[count] as number;
      }
      if (isMove) {
        const moved = cursors.move(name, direction, howMany);
        activation.rowCount = BigInt(moved);
        frame[found] = moved > 0;
        return next;
      }
      const row = cursors.fetch(name, direction, howMany);
      const { shape } = preparedPlan(cursors.plan(name));
      assign!(activation, row, shape);
      activation.rowCount = row === null ? 0n : 1n;
      frame[found] = row !== null;
      return next;
    },
    line,
    text,
  );
}

function compileClose(compiler: FunctionCompiler, statement: Of<'close'>): void {
  const variable = compiler.variable(statement.cursor);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      activation.manager.session.cursors.close(nameOfCursor(activation, frame, variable));
      return next;
    },
    statement.line,
    'at CLOSE',
  );
}

/** FOR record IN cursor [(args)] LOOP: the cursor is open and can be named inside the loop. */
export function compileCursorLoop(compiler: FunctionCompiler, statement: Of<'forCursor'>): void {
  const { line } = statement;
  const text = 'at FOR over cursor';
  const variable = compiler.variable(statement.cursor);
  const assign = compiler.assigner({ kind: 'variable', declaration: statement.record, field: null });
  const { found } = compiler.code;
  const ran = compiler.newSlot();
  const wasNull = compiler.newSlot();
  const sql = emitOpen(compiler, statement.cursor, statement.args, line, text);
  const start = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      frame[wasNull] = frame[variable.slot] === null;
      openSql(activation, frame, variable, sql, statement.cursor.cursor!.scroll);
      frame[ran] = false;
      return start;
    },
    line,
    text,
  );
  const enclosing = openLoop(compiler, statement.id);
  const body = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      activation.tick();
      const { cursors } = activation.manager.session;
      const name = frame[variable.slot] as string;
      if (!cursors.exists(name)) throw new DbError('invalid_cursor_name', `cursor "${name}" does not exist`);
      const row = cursors.fetch(name, 'forward', 1);
      if (row === null && frame[ran] === true) return enclosing.exit.at;
      assign(activation, row, sql.prepared!.shape);
      if (row === null) return enclosing.exit.at;
      frame[ran] = true;
      return body;
    },
    line,
    text,
  );
  compiler.statements(statement.body);
  compiler.land(enclosing.next!);
  compiler.emit(() => start, line, '');
  compiler.land(enclosing.exit);
  const after = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const { cursors } = activation.manager.session;
      const name = frame[variable.slot] as string | null;
      if (name !== null && cursors.exists(name)) cursors.close(name);
      if (frame[wasNull] === true) frame[variable.slot] = null;
      frame[found] = frame[ran];
      return after;
    },
    line,
    text,
  );
  compiler.enclosing.pop();
  void unwindTo;
}
