/**
 * Functions in SQL: their statements run one after the other; the last one gives the result.
 *
 * Names of columns win over names of arguments. The plans are kept per session until the catalog or the settings change.
 */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { isSuspension, SuspendSignal, WaitSignal } from '../base/suspend.ts';
import type { FunctionDescriptor } from '../catalog/contract.ts';
import type { Invocation } from '../executor/routines.ts';
import { canCoerce } from '../sql/analyse/coerce.ts';
import { selectField } from '../sql/analyse/columns.ts';
import { analyseStatement } from '../sql/analyse/index.ts';
import { ParameterTypes } from '../sql/analyse/parameters.ts';
import { type NameHook, Scope } from '../sql/analyse/scope.ts';
import { formatType } from '../sql/analyse/type-name.ts';
import { tagOf } from '../sql/parse/ast.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { argumentHook } from '../sql/rewrite/function-names.ts';
import type { Query } from '../sql/tree.ts';
import { parseQuery } from '../sql/tree-json.ts';
import type { Snapshot } from '../txn/contract.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import type { Running } from './activation.ts';
import { type Cast, RECORD, type RowFields, rowFieldsOf } from './casts.ts';
import { resolvePolymorphic } from './compile.ts';
import type { CommandTree } from './contract.ts';
import type { RoutineManager } from './manager.ts';
import { type PreparedPlan, preparedPlan } from './sql-text.ts';
import { addContext, type CallLevel } from './stack.ts';

const VOID = 2278;

type BodyStatement = { plan: PreparedPlan; command: null } | { plan: null; command: CommandTree };

/** A function's body for one set of argument types. */
export class SqlBody {
  readonly descriptor: FunctionDescriptor;
  readonly statements: BodyStatement[] = [];
  planKey = 0;
  generation = 0;
  /** Row the result is; null for a single value. */
  fields: RowFields | null = null;
  casts: Cast[] = [];
  /** The last statement's only column is the row already. */
  isWholeRow = false;
  private preparedGeneration = -1;
  private readonly manager: RoutineManager;
  private readonly argumentTypes: readonly Oid[];
  private readonly resultType: Oid;
  private readonly columns:
    | readonly { readonly name: string; readonly type: number; readonly typmod: number }[]
    | null;

  constructor(
    manager: RoutineManager,
    descriptor: FunctionDescriptor,
    argumentTypes: readonly Oid[],
    resultType: Oid,
    columns: readonly { readonly name: string; readonly type: number; readonly typmod: number }[] | null,
  ) {
    this.manager = manager;
    this.descriptor = descriptor;
    this.argumentTypes = argumentTypes;
    this.resultType = resultType;
    this.columns = columns;
  }

  get isReadOnly(): boolean {
    return this.descriptor.volatility !== 'v';
  }

  checkSyntax(): void {
    parseStatements(this.descriptor.source);
  }

  /** Brings the plans up to date. */
  ensure(): void {
    this.manager.refresh(this);
    if (this.preparedGeneration === this.generation) return;
    this.prepare();
    this.preparedGeneration = this.generation;
  }

  /** Analyses and plans all statements. Later ones may need what earlier ones make, so commands stop the planning of the rest. */
  prepare(): void {
    const { session } = this.manager;
    this.statements.length = 0;
    const queries: Query[] = [];
    const { sqlBody, source } = this.descriptor;
    if (sqlBody !== null) {
      const stored = JSON.parse(sqlBody) as object[];
      for (const item of stored)
        queries.push(parseQuery(JSON.stringify(item), (oid) => session.catalog().type(oid)!.support));
      for (const query of queries) this.statements.push(this.planned(query));
    } else {
      for (const raw of parseStatements(source).statements) {
        const node = tagOf(raw.tree);
        if (node === 'TransactionStmt') {
          throw new DbError(
            'feature_not_supported',
            `${transactionWord(raw.tree)} is not allowed in an SQL function`,
          );
        }
        const options = {
          ...session.analysis(),
          parameters: new ArgumentTypes(this.argumentTypes),
          names: this.names(),
        };
        const analysed = analyseStatement(raw, options);
        if (analysed.kind === 'query') {
          queries.push(analysed.query);
          this.statements.push(this.planned(analysed.query));
        } else
          this.statements.push({
            plan: null,
            command: {
              node,
              tree: (raw.tree as unknown as Record<string, Readonly<Record<string, unknown>>>)[node],
              text: source.slice(raw.start, raw.start + raw.length),
            },
          });
      }
    }
    this.checkResult();
  }

  private planned(query: Query): BodyStatement {
    const { session } = this.manager;
    return { plan: preparedPlan(session.plan(session.rewrite(query), this.argumentTypes)), command: null };
  }

  private names(): NameHook {
    return argumentHook(this.descriptor, this.argumentTypes);
  }

  private typeName(oid: Oid): string {
    const { catalog, path } = this.manager.session.analysis();
    return formatType(catalog, path, oid);
  }

  /** What the last statement gives must be what the function promised. Errors 42P13. */
  private checkResult(): void {
    const { session } = this.manager;
    const { catalog } = session.analysis();
    const { resultType, descriptor } = this;
    this.fields = null;
    this.casts = [];
    this.isWholeRow = false;
    if (resultType === VOID) return;
    const last = this.statements.at(-1);
    const declared = this.typeName(resultType);
    const mismatch = (detail: string): DbError =>
      new DbError(
        'invalid_function_definition',
        `return type mismatch in function declared to return ${declared}`,
        {
          detail,
        },
      );
    const isProcedure = descriptor.kind === 'p';
    if (last === undefined || last.plan === null || last.plan.columns.length === 0) {
      if (isProcedure && resultType === VOID) return;
      throw mismatch("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.");
    }
    const { types, typmods } = last.plan.shape;
    const scope = new Scope({ ...session.analysis(), parameters: new ParameterTypes([], false) }, null);
    const fits = (from: Oid, to: Oid): boolean => from === to || canCoerce(scope, [from], [to], 'assignment');
    const out = this.outTypes();
    let fields: RowFields | null = rowFieldsOf(catalog, resultType);
    if (resultType === RECORD && out !== null)
      fields = {
        typeOid: RECORD,
        types: out.types,
        typmods: out.types.map(() => -1),
        names: out.names,
        dropped: out.types.map(() => false),
      };
    if (resultType === RECORD && fields === null && this.columns !== null)
      fields = {
        typeOid: RECORD,
        types: this.columns.map(({ type }) => type),
        typmods: this.columns.map(({ typmod }) => typmod),
        names: this.columns.map(({ name }) => name),
        dropped: this.columns.map(() => false),
      };
    if (fields === null && resultType === RECORD) {
      if (types.length === 1 && (types[0] === RECORD || rowFieldsOf(catalog, types[0]) !== null)) {
        this.isWholeRow = true;
        return;
      }
      this.fields = {
        typeOid: RECORD,
        types,
        typmods,
        names: last.plan.shape.names,
        dropped: types.map(() => false),
      };
      this.casts = types.map(() => (value) => value);
      return;
    }
    if (fields === null) {
      if (types.length !== 1) throw mismatch('Final statement must return exactly one column.');
      if (!fits(types[0], resultType)) throw mismatch(`Actual return type is ${this.typeName(types[0])}.`);
      this.casts = [this.manager.casts.get(types[0], resultType, -1)];
      return;
    }
    const wanted = fields.types.filter((_, index) => !fields.dropped[index]);
    if (types.length === 1 && (types[0] === resultType || (types[0] === RECORD && wanted.length !== 1))) {
      this.isWholeRow = true;
      this.casts = [this.manager.casts.get(types[0], resultType, -1)];
      return;
    }
    types.forEach((type, index) => {
      if (index >= wanted.length) throw mismatch('Final statement returns too many columns.');
      if (!fits(type, wanted[index]))
        throw mismatch(
          `Final statement returns ${this.typeName(type)} instead of ${this.typeName(wanted[index])} at column ${index + 1}.`,
        );
    });
    if (types.length < wanted.length) throw mismatch('Final statement returns too few columns.');
    this.fields = fields;
    const typmodsOf = fields.typmods.filter((_, index) => !fields.dropped[index]);
    this.casts = types.map((type, index) => this.manager.casts.get(type, wanted[index], typmodsOf[index]));
  }

  private outTypes(): { types: Oid[]; names: string[] } | null {
    const { descriptor } = this;
    const { argumentModes, allArgumentTypes, argumentNames } = descriptor;
    if (argumentModes === null || allArgumentTypes === null) return null;
    const types: Oid[] = [];
    const names: string[] = [];
    argumentModes.forEach((mode, index) => {
      if (mode !== 'o' && mode !== 'b' && mode !== 't') return;
      types.push(
        resolvePolymorphic(
          this.manager.session,
          allArgumentTypes[index],
          descriptor.argumentTypes,
          this.argumentTypes,
        ),
      );
      names.push(argumentNames?.[index] || `column${types.length}`);
    });
    return types.length === 0 ? null : { types, names };
  }

  /** A row of the last statement as the function's value. */
  value(row: readonly Datum[]): Datum {
    const { fields, casts } = this;
    if (this.isWholeRow) return casts.length === 0 ? row[0] : casts[0](row[0]);
    if (fields === null) return casts.length === 0 ? row[0] : casts[0](row[0]);
    let next = 0;
    const values = fields.types.map((_, index) => {
      if (fields.dropped[index]) return null;
      const at = next++;
      return casts[at](row[at]);
    });
    return new SqlRecord(fields.typeOid, values, fields.types, fields.names);
  }
}

function transactionWord(tree: object): string {
  const { kind } = (tree as { TransactionStmt: { kind?: string } }).TransactionStmt;
  return (kind ?? '').replace('TRANS_STMT_', '').replace('_', ' ');
}

/** $n are the arguments. */
export class ArgumentTypes extends ParameterTypes {
  constructor(types: readonly Oid[]) {
    super(types, false);
  }

  override finish(): Oid[] {
    return this.types;
  }
}

/** One call of a SQL function. */
export class SqlCall implements Invocation, CallLevel {
  private readonly manager: RoutineManager;
  private readonly body: SqlBody;
  private readonly args: readonly Datum[];
  private readonly snapshot: Snapshot | null;
  private position = 0;
  private running: Running | null = null;
  private command: { isDone: boolean; error: unknown; promise: Promise<void> } | null = null;
  private isPrepared = false;
  private statementNumber = 0;
  private phase: 'startup' | 'run' = 'startup';
  private isDone = false;

  constructor(manager: RoutineManager, body: SqlBody, args: readonly Datum[]) {
    this.manager = manager;
    this.body = body;
    this.args = args;
    this.snapshot = body.isReadOnly ? manager.session.activity.snapshot : null;
  }

  contextLines(): string[] {
    const { name } = this.body.descriptor;
    return [
      this.phase === 'startup'
        ? `SQL function "${name}" during startup`
        : `SQL function "${name}" statement ${this.statementNumber}`,
    ];
  }

  run(): Datum {
    return this.guarded(() => {
      const row = this.nextRow(1);
      this.close();
      if (row === null) return null;
      return this.body.value(row);
    });
  }

  /** Rows as they come: the last statement is read row by row. */
  iterator(): Iterator<Datum> {
    return {
      next: () => {
        if (this.isDone) return { done: true, value: undefined };
        const row = this.guarded(() => {
          const found = this.nextRow(0);
          return found === null ? null : { value: this.body.value(found) };
        });
        if (row === null) {
          this.isDone = true;
          this.close();
          return { done: true, value: undefined };
        }
        return { done: false, value: row.value };
      },
      return: () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  private guarded<T>(work: () => T): T {
    const { manager } = this;
    manager.stack.push(this);
    let leave: (() => void) | null = null;
    try {
      leave = manager.enter(this.body);
      if (!this.isPrepared) {
        this.body.ensure();
        this.isPrepared = true;
        this.phase = 'run';
      }
      return work();
    } catch (thrown) {
      if (isSuspension(thrown)) throw thrown;
      this.close();
      const error = manager.asError(thrown);
      if (!manager.isContextComplete(error, this)) {
        if (error.fields.position !== undefined && error.fields.internalQuery === undefined) {
          error.fields.internalPosition = error.fields.position;
          error.fields.internalQuery = this.body.descriptor.source;
          delete error.fields.position;
        }
        addContext(error, this.contextLines());
        manager.noteContext(error, this);
      }
      throw error;
    } finally {
      leave?.();
      manager.stack.pop();
    }
  }

  /** Runs statements up to the last; the next row of that one, or null. */
  private nextRow(limit: number): readonly Datum[] | null {
    const { statements } = this.body;
    for (;;) {
      if (this.position >= statements.length) return null;
      const statement = statements[this.position];
      const isLast = this.position === statements.length - 1;
      this.statementNumber = this.position + 1;
      if (statement.plan === null) {
        this.runCommand(statement.command);
        this.position++;
        continue;
      }
      const { plan, slots } = statement.plan;
      this.running ??= this.start(plan, slots);
      const { running } = this;
      const givesRows = isLast && this.body.descriptor.returnType !== VOID;
      if (givesRows && plan.command === 'select') {
        const row = running.rows.shift();
        if (row !== undefined) return row;
        const result = this.step(running, 1);
        const next = running.rows.shift() ?? null;
        if (next === null || (result === 'done' && limit === 1)) this.finishStatement(running);
        return next;
      }
      this.step(running, 0);
      if (givesRows) {
        const row = running.rows.shift();
        if (row !== undefined) return row;
      }
      this.finishStatement(running);
    }
  }

  private finishStatement(running: Running): void {
    const { session } = this.manager;
    this.running = null;
    session.release(running.plan, running.execution);
    if (!running.plan.readOnly) session.transaction().advanceCommand();
    this.position++;
  }

  private start(plan: Running['plan'], slots: readonly number[]): Running {
    const { session } = this.manager;
    if (this.snapshot !== null && !plan.readOnly)
      throw new DbError(
        'feature_not_supported',
        `${plan.command.toUpperCase()} is not allowed in a non-volatile function`,
      );
    const transaction = session.transaction();
    if (this.snapshot === null) transaction.advanceCommand();
    const execution = session.acquire(plan);
    const rows: (readonly Datum[])[] = [];
    try {
      execution.start({
        transaction,
        snapshot: this.snapshot ?? transaction.statementSnapshot(),
        parameters: this.args,
        instrumentation: null,
      });
    } catch (error) {
      session.release(plan, execution);
      throw error;
    }
    return {
      plan,
      execution,
      rows,
      sink: {
        row: (frame) => {
          rows.push(slots.map((slot) => frame[slot]));
        },
        isCongested: () => false,
      },
    };
  }

  private step(running: Running, max: number): 'done' | 'limit' {
    for (;;) {
      const result = running.execution.step(max, running.sink);
      if (result === 'done' || result === 'limit') return result;
      if (result === 'suspended') throw SuspendSignal.instance;
      if (result !== 'congested') throw result;
    }
  }

  private runCommand(command: CommandTree): void {
    if (this.snapshot !== null)
      throw new DbError(
        'feature_not_supported',
        `${command.node.replace(/Stmt$/, '').toUpperCase()} is not allowed in a non-volatile function`,
      );
    let work = this.command;
    if (work === null) {
      const started: { isDone: boolean; error: unknown; promise: Promise<void> } = {
        isDone: false,
        error: null,
        promise: Promise.resolve(),
      };
      started.promise = this.manager.session.runCommand(command, true).then(
        () => {
          started.isDone = true;
        },
        (error: unknown) => {
          started.isDone = true;
          started.error = error;
        },
      );
      work = started;
      this.command = work;
    }
    if (!work.isDone) throw new WaitSignal(work.promise);
    this.command = null;
    if (work.error !== null) throw work.error;
  }

  private close(): void {
    const { running } = this;
    this.running = null;
    if (running !== null) {
      this.manager.session.release(running.plan, running.execution);
      if (!running.plan.readOnly) this.manager.session.transaction().advanceCommand();
    }
  }
}

export { selectField };
