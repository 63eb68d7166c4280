/** Statements of PL/pgSQL → steps; cursors, messages and SQL are in files of their own. */
import { DbError } from '../base/error.ts';
import type { Datum } from '../types/datum.ts';
import { SqlArray } from '../types/datum.ts';
import type { Activation, QueryLoop } from './activation.ts';
import { arrayElementTarget, storeElement } from './array-element.ts';
import { storeValue } from './assignment.ts';
import type { Enclosing, FunctionCompiler } from './compile.ts';
import { compileCursorLoop, compileCursorStatement } from './cursor-statements.ts';
import { compileAssert, compileDiagnostics, compileRaise } from './messages.ts';
import type { Expression, Statement } from './parse/ast.ts';
import { compileReturn, compileReturnNext, compileReturnQuery } from './returns.ts';
import {
  compileDynamic,
  compileQuery,
  compileTransaction,
  dynamicPlan,
  explainedPlan,
} from './sql-statements.ts';
import type { RowShape } from './sql-text.ts';

const BOOL = 16;
const INT4 = 23;
const BOOLEAN = { typeOid: BOOL, typmod: -1 } as const;
const INTEGER = { typeOid: INT4, typmod: -1 } as const;

export function compileStatement(compiler: FunctionCompiler, statement: Statement): void {
  const { line } = statement;
  switch (statement.kind) {
    case 'block':
      compiler.block(statement);
      return;
    case 'assign': {
      const variable = compiler.variable(statement.declaration);
      if (statement.isPlain)
        compiler.assign(variable, statement.field, statement.value, line, 'at assignment');
      else compileElementAssignment(compiler, statement);
      return;
    }
    case 'if':
      compileIf(compiler, statement);
      return;
    case 'case':
      compileCase(compiler, statement);
      return;
    case 'loop':
      loop(compiler, statement, () => {
        compiler.statements(statement.body);
      });
      return;
    case 'while':
      loop(compiler, statement, (enclosing) => {
        condition(compiler, statement.condition, line, 'at WHILE', null, enclosing.exit);
        compiler.statements(statement.body);
      });
      return;
    case 'forInteger':
      compileIntegerLoop(compiler, statement);
      return;
    case 'forQuery':
    case 'forDynamic':
      compileQueryLoop(compiler, statement);
      return;
    case 'forCursor':
      compileCursorLoop(compiler, statement);
      return;
    case 'foreach':
      compileForeach(compiler, statement);
      return;
    case 'exit':
      compileExit(compiler, statement);
      return;
    case 'return':
      compileReturn(compiler, statement);
      return;
    case 'returnNext':
      compileReturnNext(compiler, statement);
      return;
    case 'returnQuery':
      compileReturnQuery(compiler, statement);
      return;
    case 'raise':
      compileRaise(compiler, statement);
      return;
    case 'assert':
      compileAssert(compiler, statement);
      return;
    case 'diagnostics':
      compileDiagnostics(compiler, statement);
      return;
    case 'perform':
    case 'sql':
      compileQuery(compiler, statement);
      return;
    case 'execute':
      compileDynamic(compiler, statement);
      return;
    case 'commit':
      compileTransaction(compiler, statement);
      return;
    case 'open':
    case 'fetch':
    case 'close':
      compileCursorStatement(compiler, statement);
      return;
    case 'null':
      return;
  }
}

/** Jumps to `otherwise` when the condition is not true. */
export function condition(
  compiler: FunctionCompiler,
  expression: Expression,
  line: number,
  text: string,
  whenTrue: { at: number } | null,
  otherwise: { at: number },
): void {
  const sql = compiler.sql(expression, BOOLEAN);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) =>
      sql.value(activation, frame) === true ? (whenTrue === null ? next : whenTrue.at) : otherwise.at,
    line,
    text,
  );
}

function compileIf(compiler: FunctionCompiler, statement: Extract<Statement, { kind: 'if' }>): void {
  const done = compiler.jump();
  const arms = [
    { line: statement.line, condition: statement.condition, body: statement.body },
    ...statement.elsifs,
  ];
  for (const arm of arms) {
    const next = compiler.jump();
    condition(compiler, arm.condition, statement.line, 'at IF', null, next);
    compiler.statements(arm.body);
    compiler.emitJump(done);
    compiler.land(next);
  }
  if (statement.otherwise !== null) compiler.statements(statement.otherwise);
  compiler.land(done);
}

function compileCase(compiler: FunctionCompiler, statement: Extract<Statement, { kind: 'case' }>): void {
  const { line } = statement;
  const done = compiler.jump();
  if (statement.argument !== null) {
    // The variable takes the argument's type when it is first seen: comparisons read it by that type.
    const { slot, sql } = compiler.evaluate(statement.argument, null, line, 'at CASE');
    for (const when of statement.whens) {
      const next = compiler.jump();
      const test = compiler.caseTest(when.expression, slot, sql);
      const then = compiler.here + 1;
      compiler.emit(
        (activation, frame) => (test.value(activation, frame) === true ? then : next.at),
        line,
        'at CASE',
      );
      compiler.statements(when.body);
      compiler.emitJump(done);
      compiler.land(next);
    }
  } else
    for (const when of statement.whens) {
      const next = compiler.jump();
      condition(compiler, when.expression, line, 'at CASE', null, next);
      compiler.statements(when.body);
      compiler.emitJump(done);
      compiler.land(next);
    }
  if (statement.otherwise !== null) compiler.statements(statement.otherwise);
  else
    compiler.emit(
      () => {
        throw new DbError('case_not_found', 'case not found', {
          hint: 'CASE statement is missing ELSE part.',
        });
      },
      line,
      'at CASE',
    );
  compiler.land(done);
}

/** `body` compiles one round; control comes back to its beginning. */
function loop(
  compiler: FunctionCompiler,
  statement: { id: object; line: number },
  body: (enclosing: Enclosing) => void,
): void {
  const enclosing = openLoop(compiler, statement.id);
  const start = compiler.here;
  body(enclosing);
  compiler.land(enclosing.next!);
  compiler.emit(
    (activation) => {
      activation.tick();
      return start;
    },
    statement.line,
    '',
  );
  compiler.land(enclosing.exit);
  compiler.enclosing.pop();
}

export function openLoop(compiler: FunctionCompiler, id: object): Enclosing {
  const enclosing: Enclosing = {
    id,
    kind: 'loop',
    exit: compiler.jump(),
    next: compiler.jump(),
    blockDepth: compiler.blockDepth,
    loopDepth: compiler.loopDepth,
  };
  compiler.enclosing.push(enclosing);
  return enclosing;
}

function compileIntegerLoop(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'forInteger' }>,
): void {
  const { line, reverse } = statement;
  const text = 'at FOR with integer loop variable';
  const lower = compiler.evaluate(statement.lower, INTEGER, line, text).slot;
  bound(compiler, lower, 'lower bound', line, text);
  const upper = compiler.evaluate(statement.upper, INTEGER, line, text).slot;
  bound(compiler, upper, 'upper bound', line, text);
  const step = statement.step === null ? -1 : compiler.evaluate(statement.step, INTEGER, line, text).slot;
  if (step >= 0) bound(compiler, step, 'BY value', line, text);
  const counter = compiler.newSlot();
  const ran = compiler.newSlot();
  const { slot } = compiler.variable(statement.variable);
  const { found } = compiler.code;
  const enclosing = openLoop(compiler, statement.id);
  const finish = compiler.jump();
  const body = compiler.here + 1;
  // Before the first round.
  compiler.emit(
    (_, frame) => {
      if (step >= 0 && (frame[step] as number) <= 0)
        throw new DbError('invalid_parameter_value', 'BY value of FOR loop must be greater than zero');
      const first = frame[lower] as number;
      frame[ran] = false;
      if (reverse ? first < (frame[upper] as number) : first > (frame[upper] as number)) return finish.at;
      frame[counter] = first;
      frame[slot] = first;
      frame[ran] = true;
      return body;
    },
    line,
    text,
  );
  compiler.statements(statement.body);
  compiler.land(enclosing.next!);
  const sign = reverse ? -1 : 1;
  compiler.emit(
    (activation, frame) => {
      activation.tick();
      const next = (frame[counter] as number) + sign * (step < 0 ? 1 : (frame[step] as number));
      const limit = frame[upper] as number;
      // Past the limit, or past the range of integer.
      if (reverse ? next < limit : next > limit) return finish.at;
      frame[counter] = next;
      frame[slot] = next;
      return body;
    },
    line,
    text,
  );
  compiler.land(enclosing.exit);
  compiler.land(finish);
  const after = compiler.here + 1;
  compiler.emit(
    (_, frame) => {
      frame[found] = frame[ran];
      return after;
    },
    line,
    text,
  );
  compiler.enclosing.pop();
}

function bound(compiler: FunctionCompiler, slot: number, what: string, line: number, text: string): void {
  const next = compiler.here + 1;
  compiler.emit(
    (_, frame) => {
      if (frame[slot] === null)
        throw new DbError('null_value_not_allowed', `${what} of FOR loop cannot be null`);
      return next;
    },
    line,
    text,
  );
}

/** FOR target IN query, or IN EXECUTE text USING … */
function compileQueryLoop(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'forQuery' | 'forDynamic' }>,
): void {
  const { line } = statement;
  const isDynamic = statement.kind === 'forDynamic';
  const text = isDynamic ? 'at FOR over EXECUTE statement' : 'at FOR over SELECT rows';
  const loopSlot = compiler.newSlot();
  const assign = compiler.assigner(statement.target);
  const first = { at: -1 };
  if (isDynamic) {
    const query = compiler.evaluate(statement.query, null, line, text);
    const using = statement.using.map((item) => compiler.evaluate(item, null, line, text));
    compiler.emit(
      (activation, frame) => {
        const dynamic = dynamicPlan(activation, query, using, frame);
        activation.origin = dynamic.origin;
        frame[loopSlot] = activation.openLoop(dynamic.prepared, dynamic.parameters) as unknown as Datum;
        activation.origin = null;
        return first.at;
      },
      line,
      text,
    );
  } else {
    const sql = compiler.sql(statement.query);
    compiler.emit(
      (activation, frame) => {
        activation.manager.refresh(compiler.code);
        if (!sql.isCurrent(frame)) sql.prepare(activation, frame);
        if (sql.command?.node === 'ExplainStmt') {
          const { prepared, parameters } = explainedPlan(activation, { ...sql.command, text: sql.text });
          frame[loopSlot] = activation.openLoop(prepared, parameters) as unknown as Datum;
          return first.at;
        }
        if (sql.prepared === null || sql.prepared.columns.length === 0)
          throw cannotOpen(sql.command?.node ?? sql.prepared?.plan.command ?? '');
        activation.origin = sql;
        frame[loopSlot] = activation.openLoop(sql.prepared, sql.parameters(frame)) as unknown as Datum;
        activation.origin = null;
        return first.at;
      },
      line,
      text,
    );
  }
  rowLoop(compiler, statement, { line, text, first, loopSlot, assign });
}

function cannotOpen(node: string): DbError {
  const name = node.replace(/Stmt$/, '').toUpperCase();
  return new DbError('invalid_cursor_definition', `cannot open ${name} query as cursor`);
}

/** The rounds of a loop over rows: fetch, assign, body, again. */
export function rowLoop(
  compiler: FunctionCompiler,
  statement: { id: object; body: Statement[] },
  parts: {
    line: number;
    text: string;
    first: { at: number };
    loopSlot: number;
    assign: (activation: Activation, row: readonly Datum[] | null, shape: RowShape) => void;
  },
): void {
  const { line, text, first, loopSlot, assign } = parts;
  const { found } = compiler.code;
  const ran = compiler.newSlot();
  const enclosing = openLoop(compiler, statement.id);
  compiler.rowLoops.add(statement.id);
  compiler.loopDepth++;
  const finish = compiler.jump();
  const start = compiler.here + 1;
  first.at = compiler.here;
  compiler.emit(
    (_, frame) => {
      frame[ran] = false;
      return start;
    },
    line,
    text,
  );
  const body = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      activation.tick();
      const query = frame[loopSlot] as unknown as QueryLoop;
      const row = activation.nextRow(query);
      const { shape } = query.prepared;
      if (row === null) {
        if (frame[ran] === false) assign(activation, null, shape);
        return finish.at;
      }
      assign(activation, row, shape);
      frame[ran] = true;
      return body;
    },
    line,
    text,
  );
  compiler.statements(statement.body);
  compiler.land(enclosing.next!);
  compiler.emit(() => start, line, '');
  compiler.loopDepth--;
  // EXIT has closed the loop already; the end of its rows has not.
  compiler.land(finish);
  const close = compiler.here + 1;
  const keep = compiler.loopDepth;
  compiler.emit(
    (activation) => {
      activation.closeLoops(keep);
      return close;
    },
    line,
    '',
  );
  compiler.land(enclosing.exit);
  const after = compiler.here + 1;
  compiler.emit(
    (_, frame) => {
      frame[found] = frame[ran];
      frame[loopSlot] = null;
      return after;
    },
    line,
    text,
  );
  compiler.enclosing.pop();
}

function compileForeach(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'foreach' }>,
): void {
  const { line, slice } = statement;
  const text = 'at FOREACH over array';
  const { slot: arraySlot, sql } = compiler.evaluate(statement.array, null, line, text);
  const position = compiler.newSlot();
  const ran = compiler.newSlot();
  const { found } = compiler.code;
  const { target } = statement;
  const items = target.kind === 'list' ? target.items : [target];
  const variable = compiler.variable(items[0].declaration);
  const { field } = items[0];
  const assign = compiler.assigner(target);
  const next = compiler.here + 1;
  compiler.emit(
    (_, frame) => {
      const array = frame[arraySlot];
      if (array === null) throw new DbError('null_value_not_allowed', 'FOREACH expression must not be null');
      if (!(array instanceof SqlArray))
        throw new DbError(
          'datatype_mismatch',
          `FOREACH expression must yield an array, not type ${compiler.typeName(sql.typeOid)}`,
        );
      if (slice < 0 || slice > array.dimensions.length)
        throw new DbError(
          'array_subscript_error',
          `slice dimension (${slice}) is out of the valid range 0..${array.dimensions.length}`,
        );
      const isArrayVariable = compiler.isArrayType(variable.typeOid);
      if (slice > 0 && !isArrayVariable)
        throw new DbError('datatype_mismatch', 'FOREACH ... SLICE loop variable must be of an array type');
      if (slice === 0 && isArrayVariable)
        throw new DbError('datatype_mismatch', 'FOREACH loop variable must not be of an array type');
      frame[position] = 0;
      frame[ran] = false;
      return next;
    },
    line,
    text,
  );
  const enclosing = openLoop(compiler, statement.id);
  const start = compiler.here;
  const body = start + 1;
  compiler.emit(
    (activation, frame) => {
      activation.tick();
      const array = frame[arraySlot] as SqlArray;
      const at = frame[position] as number;
      const kept = array.dimensions.slice(array.dimensions.length - slice);
      const size = slice === 0 ? 1 : kept.reduce((product, length) => product * length, 1);
      if (at >= array.elements.length) return enclosing.exit.at;
      frame[position] = at + size;
      frame[ran] = true;
      if (slice === 0) {
        const value = array.elements[at];
        const typeOid = compiler.elementType(sql.typeOid);
        if (variable.isRecord && items.length === 1 && field === null)
          storeValue(activation, variable, null, value, typeOid);
        else if (items.length === 1) storeValue(activation, variable, field, value, typeOid);
        else assign(activation, [value], { types: [typeOid], typmods: [-1], names: [''] });
      } else {
        const value = new SqlArray(
          array.elementType,
          array.elements.slice(at, at + size),
          kept,
          array.lowerBounds.slice(array.dimensions.length - slice),
        );
        storeValue(activation, variable, field, value, sql.typeOid);
      }
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
    (_, frame) => {
      frame[found] = frame[ran];
      return after;
    },
    line,
    text,
  );
  compiler.enclosing.pop();
}

/** Leaves exception blocks and query loops that lie between here and the target. */
export function unwindTo(
  compiler: FunctionCompiler,
  blockDepth: number,
  loopDepth: number,
  line: number,
): void {
  for (let depth = compiler.blockDepth; depth > blockDepth; depth--) {
    const next = compiler.here + 1;
    compiler.emit(
      (activation) => {
        activation.leaveBlock();
        return next;
      },
      line,
      '',
    );
  }
  if (compiler.loopDepth > loopDepth) {
    const next = compiler.here + 1;
    compiler.emit(
      (activation) => {
        activation.closeLoops(loopDepth);
        return next;
      },
      line,
      '',
    );
  }
}

function compileExit(compiler: FunctionCompiler, statement: Extract<Statement, { kind: 'exit' }>): void {
  const { line } = statement;
  const enclosing = compiler.enclosing.find(({ id }) => id === statement.target)!;
  const skip = compiler.jump();
  const text = statement.isExit ? 'at EXIT' : 'at CONTINUE';
  if (statement.condition !== null) condition(compiler, statement.condition, line, text, null, skip);
  // CONTINUE stays in the loop whose round it ends: the loop's own rows stay open.
  const isContinue = !statement.isExit;
  const keepOwn = isContinue && compiler.rowLoops.has(enclosing.id) ? 1 : 0;
  unwindTo(compiler, enclosing.blockDepth, enclosing.loopDepth + keepOwn, line);
  compiler.emitJump(isContinue ? enclosing.next! : enclosing.exit, line);
  compiler.land(skip);
}

/** `a[i] := v`, `r.f.g := v`: through SQL's own assignment to parts. */
function compileElementAssignment(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'assign' }>,
): void {
  const variable = compiler.variable(statement.declaration);
  const { line } = statement;
  if (compileArrayElement(compiler, statement, variable)) return;
  const value = compiler.evaluate(statement.value, null, line, 'at assignment');
  const part = compiler.partAssignment(statement, variable, value);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const whole = part.value(activation, frame);
      storeValue(activation, variable, part.field, whole, part.typeOid);
      return next;
    },
    line,
    'at assignment',
  );
}

/** `a[i] := v` on an array variable: stored in place while nobody else holds the array. False for other targets. */
function compileArrayElement(
  compiler: FunctionCompiler,
  statement: Extract<Statement, { kind: 'assign' }>,
  variable: ReturnType<FunctionCompiler['variable']>,
): boolean {
  const { line, expression } = statement;
  if (variable.isRecord || variable.isDomain || !compiler.isArrayType(variable.typeOid)) return false;
  const target = arrayElementTarget(expression);
  if (target === null) return false;
  const elementType = compiler.elementType(variable.typeOid);
  const subscript = compiler.evaluate(target, INTEGER, line, 'at assignment');
  const value = compiler.evaluate(
    statement.value,
    { typeOid: elementType, typmod: variable.typmod },
    line,
    'at assignment',
  );
  const part = compiler.partAssignment(statement, variable, value);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      if (!storeElement(frame, variable.slot, frame[subscript.slot], frame[value.slot])) {
        const whole = part.value(activation, frame);
        storeValue(activation, variable, null, whole, part.typeOid);
      }
      return next;
    },
    line,
    'at assignment',
  );
  return true;
}
