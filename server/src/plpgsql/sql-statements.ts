/** SQL statements with and without INTO, PERFORM, EXECUTE, CALL, COMMIT and ROLLBACK. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { analyseStatement } from '../sql/analyse/index.ts';
import type { RawStatement } from '../sql/parse/ast.ts';
import { tagOf } from '../sql/parse/ast.ts';
import { LITERAL_TYPE_OID, liftLiterals } from '../sql/parse/literals.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { compileCall } from './call.ts';
import type { FunctionCompiler } from './compile.ts';
import type { Statement } from './parse/ast.ts';
import { type PreparedPlan, preparedPlan, type RowShape, type SqlText } from './sql-text.ts';
import type { SqlOrigin } from './stack.ts';

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

/** An evaluated expression: where its value is, and what knows its type. */
export interface Evaluated {
  slot: number;
  sql: SqlText;
}

function tooManyRows(detail: string | null): DbError {
  return new DbError('too_many_rows', 'query returned more than one row', {
    ...(detail === null ? {} : { detail }),
    hint: 'Make sure the query returns a single row, or use LIMIT 1.',
  });
}

function noDataFound(detail: string | null): DbError {
  return new DbError('no_data_found', 'query returned no rows', detail === null ? {} : { detail });
}

export function compileQuery(compiler: FunctionCompiler, statement: Of<'sql' | 'perform'>): void {
  if (statement.kind === 'sql' && statement.isCall) {
    compileCall(compiler, statement);
    return;
  }
  const { line } = statement;
  const isPerform = statement.kind === 'perform';
  const text = isPerform ? 'at PERFORM' : 'at SQL statement';
  const sql = isPerform
    ? compiler.sql(
        { ...statement.query, text: `SELECT ${statement.query.text}`, start: statement.query.start - 7 },
        null,
        'statement',
      )
    : compiler.sql(statement.query);
  const into = statement.kind === 'sql' ? statement.into : null;
  const strict = statement.kind === 'sql' && statement.strict;
  const assign = into === null ? null : compiler.assigner(into);
  const { code } = compiler;
  const { found } = code;
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      if (activation.running === null && activation.isFresh) {
        activation.manager.refresh(code);
        if (!sql.isCurrent(frame)) sql.prepare(activation, frame);
      }
      if (sql.command !== null) {
        runCommand(activation, sql, sql.command, into !== null);
        return next;
      }
      const prepared = sql.prepared!;
      const { command } = prepared.plan;
      const isModifying = command !== 'select';
      if (into === null && !isPerform && prepared.columns.length > 0)
        throw new DbError('syntax_error', 'query has no destination for result data', {
          ...(command === 'select'
            ? { hint: 'If you want to discard the results of a SELECT, use PERFORM instead.' }
            : {}),
        });
      if (into !== null && prepared.columns.length === 0 && isModifying)
        throw new DbError('syntax_error', 'INTO used with a command that cannot return data');
      const limit = into === null ? 0 : strict || isModifying ? 2 : 1;
      if (isPerform && command === 'select') {
        // Rows are counted and forgotten.
        const { rowCount } = activation.runStatement(sql, 0);
        frame[found] = rowCount > 0;
        activation.rowCount = BigInt(rowCount);
        return next;
      }
      const { rows, rowCount } = activation.runStatement(sql, isModifying ? 0 : limit);
      const count = isModifying ? rowCount : rows.length;
      frame[found] = count > 0;
      activation.rowCount = BigInt(count);
      if (assign !== null) {
        const details = (): string | null =>
          code.printStrictParams ? parametersText(activation, sql, frame) : null;
        if (rows.length === 0) {
          if (strict) throw noDataFound(details());
          assign(activation, null, prepared.shape);
        } else {
          if (rows.length > 1 && (strict || isModifying)) throw tooManyRows(details());
          assign(activation, rows[0], prepared.shape);
        }
      }
      return next;
    },
    line,
    text,
  );
}

function parametersText(activation: Activation, sql: SqlText, frame: Datum[]): string | null {
  const text = sql.parameterTexts(frame, (value, typeOid) => activation.manager.print(value, typeOid));
  return text === '' ? null : `parameters: ${text}`;
}

/** A command that is no plan, in the function's transaction. */
function runCommand(
  activation: Activation,
  origin: SqlOrigin,
  command: { node: string; tree: Readonly<Record<string, unknown>> },
  hasInto: boolean,
): void {
  const { manager } = activation;
  activation.origin = origin;
  if (command.node === 'TransactionStmt')
    throw new DbError('feature_not_supported', 'unsupported transaction command in PL/pgSQL');
  if (hasInto) throw new DbError('syntax_error', 'INTO used with a command that cannot return data');
  if (
    activation.snapshot !== null &&
    command.node !== 'VariableSetStmt' &&
    command.node !== 'VariableShowStmt'
  )
    throw new DbError(
      'feature_not_supported',
      `${commandTag(command.node)} is not allowed in a non-volatile function`,
    );
  activation.wait(() => manager.session.runCommand({ ...command, text: origin.text }, activation.isAtomic));
  activation.origin = null;
  activation.rowCount = 0n;
  manager.refresh(activation.code);
}

function commandTag(node: string): string {
  return node
    .replace(/Stmt$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

const EXPLAIN_CASTS: ReadonlyMap<Oid, string> = new Map([
  [114, '::json'],
  [142, '::xml'],
]);

/** EXPLAIN as a query: its lines, given out by a plan of their own. Leaves by a wait while it runs. */
export function explainedPlan(
  activation: Activation,
  command: { node: string; tree: Readonly<Record<string, unknown>>; text: string },
): Omit<Dynamic, 'origin'> {
  const { session } = activation.manager;
  if (activation.snapshot !== null)
    throw new DbError('feature_not_supported', 'EXPLAIN is not allowed in a non-volatile function');
  const { typeOid, lines } = activation.wait(() => session.explainRows(command));
  const text = `SELECT line${EXPLAIN_CASTS.get(typeOid) ?? ''} AS "QUERY PLAN" FROM pg_catalog.unnest($1::pg_catalog.text[]) AS line`;
  const [statement] = parseStatements(text).statements;
  const prepared = planDynamic(activation, text, statement, [1009], true)!;
  return { prepared, parameters: [new SqlArray(25, lines)] };
}

/** Dynamic SQL ready to be run. */
export interface Dynamic {
  origin: SqlOrigin;
  prepared: PreparedPlan;
  parameters: readonly Datum[];
}

const NULL_QUERY = (): DbError =>
  new DbError('null_value_not_allowed', 'query string argument of EXECUTE is null');

/** Parses, analyses and plans the text of an EXECUTE; for those that must give rows. */
export function dynamicPlan(
  activation: Activation,
  query: Evaluated,
  using: readonly Evaluated[],
  frame: readonly Datum[],
): Dynamic {
  const value = frame[query.slot];
  if (value === null) throw NULL_QUERY();
  const text = activation.manager.print(value, query.sql.typeOid);
  const origin: SqlOrigin = { text, kind: 'statement' };
  activation.origin = origin;
  const types = using.map(({ sql }) => sql.typeOid);
  const seen = seenDynamic(activation, text, types, using, frame);
  if (seen !== null && seen.prepared.columns.length > 0) {
    activation.origin = null;
    return { origin, ...seen };
  }
  const statements = parseStatements(text).statements;
  if (statements.length > 1)
    throw new DbError('invalid_cursor_definition', 'cannot open multi-query plan as cursor');
  if (statements.length === 0) throw new DbError('syntax_error', 'query is empty');
  if (tagOf(statements[0].tree) === 'ExplainStmt') {
    const explained = explainedPlan(activation, commandOf(statements[0], text));
    activation.origin = null;
    return { origin, ...explained };
  }
  const prepared = planDynamic(activation, text, statements[0], types, true);
  if (prepared === null || prepared.columns.length === 0)
    throw new DbError(
      'invalid_cursor_definition',
      `cannot open ${tagOf(statements[0].tree).replace(/Stmt$/, '').toUpperCase()} query as cursor`,
    );
  activation.origin = null;
  return { origin, prepared, parameters: using.map(({ slot }) => frame[slot]) };
}

function commandOf({ tree, start, length }: RawStatement, text: string) {
  const node = tagOf(tree);
  return {
    node,
    tree: (tree as unknown as Record<string, Readonly<Record<string, unknown>>>)[node],
    text: text.slice(start, start + length),
  };
}

/** Plans dearer than this are made for the values in the text, not shared with other values. */
const SHARED_PLAN_COST_MAX = 5000;

/** A single statement whose text was run before, be it with other literals; null when it is new or no plan. */
function seenDynamic(
  activation: Activation,
  text: string,
  types: readonly Oid[],
  using: readonly Evaluated[],
  frame: readonly Datum[],
): Omit<Dynamic, 'origin'> | null {
  const { manager } = activation;
  const known = manager.dynamicPlan(wholeKey(text, types));
  if (known !== null) return { prepared: known, parameters: using.map(({ slot }) => frame[slot]) };
  if (types.length > 0) return null;
  const lifted = liftLiterals(text);
  if (lifted === null) return null;
  const key = `l\0${lifted.key}`;
  const { session } = manager;
  try {
    let prepared = manager.dynamicPlan(key);
    if (prepared === null) {
      const { statements } = parseStatements(lifted.text);
      if (statements.length !== 1 || hasInto(statements[0])) return null;
      const parameterTypes = lifted.literals.map((literal) => LITERAL_TYPE_OID[literal.class]);
      prepared = analysedPlan(activation, statements[0], parameterTypes);
      if (prepared === null) return null;
      manager.keepDynamicPlan(key, prepared);
    }
    const { plan } = prepared;
    if (plan.root.totalCost > SHARED_PLAN_COST_MAX) return null;
    const { context } = session.resolver;
    const parameters = lifted.literals.map((literal, index) =>
      context.typeSupport(prepared.parameterTypes[index]).input(literal.text, -1, context.format),
    );
    return { prepared, parameters };
  } catch (error) {
    // The lifted form is ours: the text as written speaks for itself.
    if (error instanceof DbError) return null;
    throw error;
  }
}

function hasInto({ tree }: RawStatement): boolean {
  const node = tagOf(tree);
  return (
    node === 'SelectStmt' &&
    (tree as unknown as Record<string, { intoClause?: unknown }>)[node].intoClause !== undefined
  );
}

/** A plan, and the types of the parameters it takes. */
export interface DynamicPlan extends PreparedPlan {
  readonly parameterTypes: readonly Oid[];
}

function wholeKey(text: string, types: readonly Oid[]): string {
  return `w\0${types.join(',')}\0${text}`;
}

function analysedPlan(
  activation: Activation,
  statement: RawStatement,
  types: readonly Oid[],
): DynamicPlan | null {
  const { session } = activation.manager;
  const analysed = analyseStatement(statement, { ...session.analysis(), parameterTypes: types });
  if (analysed.kind !== 'query') return null;
  const { parameterTypes } = analysed;
  return { ...preparedPlan(session.plan(session.rewrite(analysed.query), parameterTypes)), parameterTypes };
}

/** Plan of one dynamic statement, from the session's memory where the text was seen before; null for commands. */
function planDynamic(
  activation: Activation,
  text: string,
  statement: RawStatement,
  types: readonly Oid[],
  isOnly: boolean,
): PreparedPlan | null {
  const { manager } = activation;
  const key = isOnly ? wholeKey(text, types) : `${types.join(',')}\0${statement.start}\0${text}`;
  const known = manager.dynamicPlan(key);
  if (known !== null) return known;
  const prepared = analysedPlan(activation, statement, types);
  if (prepared !== null) manager.keepDynamicPlan(key, prepared);
  return prepared;
}

export function compileDynamic(compiler: FunctionCompiler, statement: Of<'execute'>): void {
  const { line, into, strict } = statement;
  const text = 'at EXECUTE';
  const query = compiler.evaluate(statement.query, null, line, text);
  const using = statement.using.map((item) => compiler.evaluate(item, null, line, text));
  const assign = into === null ? null : compiler.assigner(into);
  const { code } = compiler;
  // Rows that are needed of a SELECT; 0 = all.
  const max = into === null ? 0 : strict ? 2 : 1;
  const next = compiler.here + 1;
  compiler.emit(
    (activation, frame) => {
      const value = frame[query.slot];
      if (value === null) throw NULL_QUERY();
      const source = activation.manager.print(value, query.sql.typeOid);
      const types = using.map(({ sql }) => sql.typeOid);
      // Statements of the text in order; progress says which one runs.
      let parsed = activation.scratch as RawStatement[] | Omit<Dynamic, 'origin'> | null;
      const origin: SqlOrigin = { text: source, kind: 'statement' };
      activation.origin = origin;
      if (parsed === null) {
        parsed = seenDynamic(activation, source, types, using, frame) ?? parseStatements(source).statements;
        activation.scratch = parsed;
        activation.progress = 0;
      }
      let last: { rows: (readonly Datum[])[]; rowCount: number; shape: RowShape } | null = null;
      let statements: readonly RawStatement[] = [];
      if ('prepared' in parsed) {
        const seen = parsed;
        const { command } = seen.prepared.plan;
        last = activation.runPlan(origin, () => seen, command === 'select' ? max : 0);
        if (command !== 'select') activation.manager.noteModification();
      } else statements = parsed;
      for (; activation.progress < statements.length; activation.progress++) {
        const one = statements[activation.progress];
        activation.origin = origin;
        last = runDynamic(
          activation,
          { text: source, origin },
          one,
          types,
          using,
          frame,
          max,
          statements.length === 1,
        );
      }
      activation.scratch = null;
      activation.progress = 0;
      activation.origin = null;
      activation.rowCount = BigInt(last?.rowCount ?? 0);
      if (assign !== null) {
        if (last === null)
          throw new DbError('syntax_error', 'INTO used with a command that cannot return data');
        const details = (): string | null =>
          code.printStrictParams && using.length > 0
            ? `parameters: ${using.map(({ slot, sql }, index) => `$${index + 1} = ${frame[slot] === null ? 'NULL' : `'${activation.manager.print(frame[slot], sql.typeOid)}'`}`).join(', ')}`
            : null;
        if (last.rows.length === 0) {
          if (strict) throw noDataFound(details());
          assign(activation, null, last.shape);
        } else {
          if (last.rows.length > 1 && strict) throw tooManyRows(details());
          assign(activation, last.rows[0], last.shape);
        }
      }
      return next;
    },
    line,
    text,
  );
}

function runDynamic(
  activation: Activation,
  source: { text: string; origin: SqlOrigin },
  statement: RawStatement,
  types: readonly Oid[],
  using: readonly Evaluated[],
  frame: readonly Datum[],
  max: number,
  isOnly: boolean,
): { rows: (readonly Datum[])[]; rowCount: number; shape: RowShape } | null {
  const { manager } = activation;
  const node = tagOf(statement.tree);
  const content = (statement.tree as unknown as Record<string, Readonly<Record<string, unknown>>>)[node];
  if (node === 'TransactionStmt')
    throw new DbError('feature_not_supported', 'EXECUTE of transaction commands is not implemented');
  if (node === 'SelectStmt' && content.intoClause !== undefined)
    throw new DbError('feature_not_supported', 'EXECUTE of SELECT ... INTO is not implemented', {
      hint: 'You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS instead.',
    });
  if (node === 'ExplainStmt') {
    const explained =
      activation.running === null ? explainedPlan(activation, commandOf(statement, source.text)) : null;
    return activation.runPlan(source.origin, () => explained!, max);
  }
  let prepared: PreparedPlan | null = null;
  if (activation.running === null && activation.isFresh)
    prepared = planDynamic(activation, source.text, statement, types, isOnly);
  if (activation.running === null && prepared === null) {
    runCommand(
      activation,
      { ...source.origin, text: source.text.slice(statement.start, statement.start + statement.length) },
      { node, tree: content },
      false,
    );
    return null;
  }
  const isSelect = (prepared?.plan ?? activation.running!.plan).command === 'select';
  const result = activation.runPlan(
    source.origin,
    () => ({ prepared: prepared!, parameters: using.map(({ slot }) => frame[slot]) }),
    isSelect ? max : 0,
  );
  if (!isSelect) manager.noteModification();
  return result;
}

export function compileTransaction(compiler: FunctionCompiler, statement: Of<'commit'>): void {
  const { line, isCommit, chain } = statement;
  const next = compiler.here + 1;
  compiler.emit(
    (activation) => {
      const { manager } = activation;
      if (activation.isAtomic)
        throw new DbError('invalid_transaction_termination', 'invalid transaction termination');
      if (activation.hasOpenBlock)
        throw new DbError(
          'invalid_transaction_termination',
          isCommit
            ? 'cannot commit while a subtransaction is active'
            : 'cannot roll back while a subtransaction is active',
        );
      if (activation.isFresh) manager.detachLoops();
      activation.wait(
        () => (isCommit ? manager.session.commit(chain) : manager.session.rollback(chain)) ?? undefined,
      );
      manager.refresh(activation.code);
      return next;
    },
    line,
    isCommit ? 'at COMMIT' : 'at ROLLBACK',
  );
}
