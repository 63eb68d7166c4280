/** RETURN, RETURN NEXT, RETURN QUERY. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { formatType } from '../sql/analyse/type-name.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { Activation, Running } from './activation.ts';
import { shareArray } from './array-element.ts';
import { checkRowShape, RECORD, rowFieldsOf } from './casts.ts';
import type { ResultShape } from './code.ts';
import type { FunctionCompiler } from './compile.ts';
import type { Statement } from './parse/ast.ts';
import { dynamicPlan } from './sql-statements.ts';
import { preparedPlan, type RowShape } from './sql-text.ts';
import { unwindTo } from './statements.ts';

const VOID = 2278;

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

export function compileReturn(compiler: FunctionCompiler, statement: Of<'return'>): void {
  const { result } = compiler;
  const { line } = statement;
  const text = line > 0 ? 'at RETURN' : '';
  const { value } = statement;
  if (value !== null) {
    if (result.returnsSet)
      throw new DbError('datatype_mismatch', 'RETURN cannot have a parameter in function returning set', {
        hint: 'Use RETURN NEXT or RETURN QUERY.',
        position: compiler.position(value),
      });
    if (result.kind === 'void' || result.kind === 'none') {
      const isProcedure = compiler.code.descriptor?.kind === 'p';
      throw new DbError(
        'datatype_mismatch',
        isProcedure
          ? 'RETURN cannot have a parameter in a procedure'
          : 'RETURN cannot have a parameter in function returning void',
        { position: compiler.position(value) },
      );
    }
    if (result.out.length > 0)
      throw new DbError(
        'datatype_mismatch',
        'RETURN cannot have a parameter in function with OUT parameters',
        {
          position: compiler.position(value),
        },
      );
    // A scalar is computed right as the result type where that is the type of the expression.
    const sql = compiler.sql(value);
    const next = compiler.here + 1;
    compiler.emit(
      (activation, frame) => {
        activation.returnValue = sql.value(activation, frame);
        activation.returnType = sql.typeOid;
        return next;
      },
      line,
      text,
    );
  } else {
    if (
      !result.returnsSet &&
      result.kind !== 'void' &&
      result.kind !== 'none' &&
      result.out.length === 0 &&
      compiler.code.descriptor?.kind !== 'p'
    )
      throw new DbError('syntax_error', 'missing expression at or near ";"', {
        position: compiler.positionOf(statement),
      });
    const next = compiler.here + 1;
    const { out } = result;
    const isSingle = out.length === 1 && result.kind !== 'row';
    compiler.emit(
      (activation, frame) => {
        if (isSingle) {
          activation.returnValue = frame[out[0].slot];
          activation.returnType = out[0].typeOid;
        } else if (out.length > 0 && !result.returnsSet) {
          activation.returnValue = outRecord(result, frame);
          activation.returnType = RECORD;
        } else activation.returnType = VOID;
        return next;
      },
      line,
      text,
    );
  }
  unwindTo(compiler, 0, 0, line);
  compiler.emit(() => -1, line, text);
}

function outRecord(result: ResultShape, frame: readonly Datum[]): SqlRecord {
  const { out, fields } = result;
  return new SqlRecord(
    RECORD,
    out.map(({ slot }) => shareArray(frame[slot])),
    fields?.types ?? out.map(({ typeOid }) => typeOid),
    fields?.names ?? out.map(({ name }) => name),
  );
}

/** The value a call gives, as its caller was promised. */
export function finishResult(activation: Activation): Datum {
  const { code, returnValue: value, returnType } = activation;
  const { result } = code;
  switch (result.kind) {
    case 'none':
      return null;
    case 'void':
      return '';
    case 'trigger':
      return value;
    case 'scalar':
      if (returnType === result.typeOid) return value;
      activation.place = { line: 0, text: "while casting return value to function's return type" };
      return activation.manager.casts.get(returnType, result.typeOid, -1)(value);
    default:
      return finishRow(activation, value, result);
  }
}

function finishRow(activation: Activation, value: Datum, result: ResultShape): Datum {
  if (value === null) return null;
  if (!(value instanceof SqlRecord)) {
    activation.place = { line: 0, text: 'during function exit' };
    throw new DbError(
      'datatype_mismatch',
      'cannot return non-composite value from function returning composite type',
    );
  }
  const { fields } = result;
  if (fields === null || result.out.length > 0) return value;
  if (value.typeOid === fields.typeOid && fields.typeOid !== RECORD) return value;
  const { manager } = activation;
  const catalog = manager.session.catalog();
  const source = rowFieldsOf(catalog, value.typeOid);
  const kept = value.fields.map((_, index) => source?.dropped[index] !== true);
  const types = value.fields.flatMap((_, index) =>
    kept[index] ? [source?.types[index] ?? value.fieldTypes[index]] : [],
  );
  const expected = fields.types.filter((_, index) => !fields.dropped[index]);
  activation.place = { line: 0, text: "while casting return value to function's return type" };
  checkRowShape(catalog, types, expected, 'returned record type does not match expected record type', (oid) =>
    typeName(activation, oid),
  );
  activation.place = null;
  return manager.casts.rowOf(
    value.fields.filter((_, index) => kept[index]),
    types,
    fields,
  );
}

function typeName(activation: Activation, oid: Oid): string {
  const { catalog, path } = activation.manager.session.analysis();
  return formatType(catalog, path, oid);
}

export function compileReturnNext(compiler: FunctionCompiler, statement: Of<'returnNext'>): void {
  const { result } = compiler;
  const { line, value } = statement;
  const text = 'at RETURN NEXT';
  if (!result.returnsSet)
    throw new DbError('datatype_mismatch', 'cannot use RETURN NEXT in a non-SETOF function', {
      position: compiler.positionOf(statement),
    });
  if (value === null) {
    if (result.out.length === 0)
      throw new DbError('syntax_error', 'missing expression at or near ";"', {
        position: compiler.positionOf(statement),
      });
    const next = compiler.here + 1;
    const { out } = result;
    compiler.emit(
      (activation, frame) => {
        activation.addResult(
          result.kind === 'row' ? outRecord(result, frame) : shareArray(frame[out[0].slot]),
        );
        return next;
      },
      line,
      text,
    );
    return;
  }
  if (result.out.length > 0)
    throw new DbError(
      'datatype_mismatch',
      'RETURN NEXT cannot have a parameter in function with OUT parameters',
      {
        position: compiler.position(value),
      },
    );
  const sql = compiler.sql(value);
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const item = sql.value(activation, frame);
      activation.addResult(resultItem(activation, result, item, sql.typeOid));
      return next;
    },
    line,
    text,
  );
}

function resultItem(activation: Activation, result: ResultShape, item: Datum, typeOid: Oid): Datum {
  const { casts, session } = activation.manager;
  if (result.kind !== 'row') return casts.get(typeOid, result.typeOid, -1)(item);
  if (item === null) return null;
  if (!(item instanceof SqlRecord))
    throw new DbError(
      'datatype_mismatch',
      'cannot return non-composite value from function returning composite type',
    );
  const { fields } = result;
  if (fields === null || (item.typeOid === fields.typeOid && fields.typeOid !== RECORD)) return item;
  const catalog = session.catalog();
  const source = rowFieldsOf(catalog, item.typeOid);
  const types = item.fields.map((_, index) => source?.types[index] ?? item.fieldTypes[index]);
  const isKept = (index: number): boolean => source?.dropped[index] !== true;
  checkRowShape(
    catalog,
    types.filter((_, index) => isKept(index)),
    fields.types.filter((_, index) => !fields.dropped[index]),
    'wrong record type supplied in RETURN NEXT',
    (oid) => typeName(activation, oid),
  );
  return casts.toRow(item, fields);
}

export function compileReturnQuery(compiler: FunctionCompiler, statement: Of<'returnQuery'>): void {
  const { result } = compiler;
  const { line } = statement;
  const text = 'at RETURN QUERY';
  if (!result.returnsSet)
    throw new DbError('datatype_mismatch', 'cannot use RETURN QUERY in a non-SETOF function', {
      position: compiler.positionOf(statement),
    });
  const { found } = compiler.code;
  const take = (activation: Activation, running: Running, shape: RowShape): void => {
    checkQuery(activation, result, shape);
    activation.step(running, 0);
    const { rows } = running;
    const { session } = activation.manager;
    for (const row of rows) activation.addResult(queryItem(activation, result, row, shape));
    activation.frame[found] = rows.length > 0;
    activation.rowCount = BigInt(rows.length);
    activation.running = null;
    session.release(running.plan, running.execution);
    activation.origin = null;
    if (!running.plan.readOnly) session.transaction().advanceCommand();
  };
  if (statement.query !== null) {
    const sql = compiler.sql(statement.query);
    const next = compiler.here + 1;
    compiler.emit(
      (activation, frame) => {
        if (activation.running === null) {
          activation.manager.refresh(compiler.code);
          if (!sql.isCurrent(frame)) sql.prepare(activation, frame);
          if (sql.prepared === null || sql.prepared.columns.length === 0)
            throw noResult(sql.command?.node ?? sql.prepared?.plan.command ?? '');
          activation.origin = sql;
          activation.running = activation.start(sql.prepared.plan, sql.parameters(frame), sql.prepared.slots);
        }
        take(activation, activation.running, sql.prepared!.shape);
        return next;
      },
      line,
      text,
    );
    return;
  }
  const query = compiler.evaluate(statement.dynamic!, null, line, text);
  const using = statement.using.map((item) => compiler.evaluate(item, null, line, text));
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      if (activation.running === null) {
        const dynamic = dynamicPlan(activation, query, using, frame);
        activation.origin = dynamic.origin;
        activation.running = activation.start(
          dynamic.prepared.plan,
          dynamic.parameters,
          dynamic.prepared.slots,
        );
      }
      take(activation, activation.running, preparedPlan(activation.running.plan).shape);
      return next;
    },
    line,
    text,
  );
}

function noResult(node: string): DbError {
  const name = node.replace(/Stmt$/, '').toUpperCase();
  return new DbError('invalid_cursor_definition', `cannot open ${name} query as cursor`);
}

function checkQuery(activation: Activation, result: ResultShape, shape: RowShape): void {
  const expected =
    result.kind === 'row'
      ? result.fields === null
        ? null
        : result.fields.types.filter((_, index) => !result.fields!.dropped[index])
      : [result.typeOid];
  if (expected === null) return;
  const { origin } = activation;
  activation.origin = null;
  checkRowShape(
    activation.manager.session.catalog(),
    shape.types,
    expected,
    'structure of query does not match function result type',
    (oid) => typeName(activation, oid),
  );
  activation.origin = origin;
}

function queryItem(
  activation: Activation,
  result: ResultShape,
  row: readonly Datum[],
  shape: RowShape,
): Datum {
  if (result.kind !== 'row') return row[0];
  const { fields } = result;
  if (fields === null) return new SqlRecord(RECORD, row, shape.types, shape.names);
  return activation.manager.casts.rowOf(row, shape.types, fields);
}
