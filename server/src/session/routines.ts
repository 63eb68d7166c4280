/** User functions in a session: what the interpreters of `plpgsql/` ask of it, and how CALL and DO are driven. */
import type { Oid } from '../base/brands.ts';
import { DbError, type Notice } from '../base/error.ts';
import { SuspendSignal, WaitSignal } from '../base/suspend.ts';
import type { CatalogReader, FunctionDescriptor, RelationDescriptor } from '../catalog/contract.ts';
import type { Execution, ExecutorServices } from '../executor/contract.ts';
import type { FunctionResolver } from '../executor/functions.ts';
import { type Activity, type Invocation, newActivity } from '../executor/routines.ts';
import { StatementTriggerRun, TableTriggers, TRIGGER_BEFORE } from '../executor/triggers/table-triggers.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { CommandTree, CursorAccess, CursorDirection, RoutineSession } from '../plpgsql/contract.ts';
import { RoutineManager } from '../plpgsql/manager.ts';
import { ArgumentTypes } from '../plpgsql/sql-function.ts';
import { type AnalyseOptions, analyseQuery } from '../sql/analyse/index.ts';
import type { Node } from '../sql/parse/ast.ts';
import { argumentHook } from '../sql/rewrite/function-names.ts';
import type { Query } from '../sql/tree.ts';
import { serialiseQuery } from '../sql/tree-json.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { CollectingSink } from './embedded.ts';
import type { BackendSession } from './session.ts';
import type { TransactionModes } from './transaction-block.ts';
import { openCursor, type SqlCursor } from './utility/cursor.ts';

export class SessionRoutines implements RoutineSession {
  readonly activity: Activity = newActivity();
  readonly manager: RoutineManager;
  readonly cursors: CursorAccess;
  triggerDepth = 0;
  private readonly session: BackendSession;
  private effectiveRole: Oid | null = null;
  private cursorNumber = 0;

  constructor(session: BackendSession) {
    this.session = session;
    this.manager = new RoutineManager(this);
    this.cursors = new SessionCursors(session, () => `<unnamed portal ${++this.cursorNumber}>`);
  }

  // ----------------------------------------------------------------------------------------------- RoutineSession

  get services(): ExecutorServices {
    return this.session.services;
  }

  get resolver(): FunctionResolver {
    return this.session.engine.executor.resolver(this.session.services);
  }

  catalog(): CatalogReader {
    return this.session.catalog();
  }

  analysis(): AnalyseOptions {
    const { catalog, path, format } = this.session.compileEnvironment();
    return { catalog, path, format };
  }

  private epoch = 1;
  private epochCatalog = -1;
  private epochSettings = -1;
  private epochKey = '';

  planKey(): number {
    const { session } = this;
    const { version } = session.catalog();
    if (version === this.epochCatalog && session.settings.version === this.epochSettings) return this.epoch;
    this.epochCatalog = version;
    this.epochSettings = session.settings.version;
    const key = `${version}|${session.compilation.environmentKey(session.catalog())}`;
    if (key !== this.epochKey) {
      this.epochKey = key;
      this.epoch++;
    }
    return this.epoch;
  }

  transaction(): Transaction {
    return this.session.block.forStatement();
  }

  rewrite(query: Query): Query {
    return this.session.engine.compiler.rewrite(query, this.session.compileEnvironment());
  }

  plan(query: Query, parameterTypes: readonly Oid[]): PhysicalPlan {
    return this.session.engine.compiler.plan(query, parameterTypes, null, this.session.compileEnvironment());
  }

  acquire(plan: PhysicalPlan): Execution {
    return this.session.executions.acquireExecution(plan);
  }

  release(plan: PhysicalPlan, execution: Execution): void {
    this.session.executions.releaseExecution(plan, execution);
  }

  notice(notice: Notice): void {
    this.session.notice(notice);
  }

  setting(name: string): string {
    return this.session.settings.get(name);
  }

  async runCommand(command: CommandTree): Promise<string> {
    const { session } = this;
    const { node, tree, text } = command;
    // Rows of a command (EXPLAIN, SHOW) go nowhere here.
    const sink = new CollectingSink();
    return session.withSink(sink, () =>
      session.runUtility({ node, tree, text, start: 0 }, text, [], [], [], true, true),
    );
  }

  async explainRows(command: CommandTree): Promise<{ typeOid: Oid; lines: readonly Datum[] }> {
    const { session } = this;
    const { node, tree, text } = command;
    const sink = new CollectingSink();
    await session.withSink(sink, () =>
      session.runUtility({ node, tree, text, start: 0 }, text, [], [], [], true, true),
    );
    const [result] = sink.results;
    return {
      typeOid: result?.columns[0]?.typeOid ?? 25,
      lines: (result?.rows ?? []).map(([line]) => line ?? null),
    };
  }

  beginSubtransaction(): void {
    this.session.block.beginInternal();
  }

  releaseSubtransaction(): void {
    this.session.releaseInternal();
  }

  rollbackSubtransaction(): void {
    this.session.rollbackInternal();
  }

  commit(chain: boolean): Promise<void> | null {
    const { session } = this;
    const modes = this.modes(chain);
    const pending = session.commit();
    if (pending === null) {
      this.reopen(modes);
      return null;
    }
    return pending.then(() => this.reopen(modes));
  }

  rollback(chain: boolean): Promise<void> | null {
    const modes = this.modes(chain);
    this.session.rollback();
    this.reopen(modes);
    return null;
  }

  private modes(chain: boolean): TransactionModes | null {
    return chain ? this.session.block.modes : null;
  }

  private reopen(modes: ReturnType<SessionRoutines['modes']>): void {
    this.session.block.openImplicit(modes ?? {});
    this.session.compilation.refreshStatementContext();
  }

  currentRole(): Oid {
    return this.session.roleOid();
  }

  setEffectiveRole(role: Oid | null): Oid | null {
    const previous = this.effectiveRole;
    this.effectiveRole = role;
    this.session.setEffectiveRole(role);
    return previous;
  }

  applySettings(settings: readonly string[]): () => void {
    return this.session.settings.pushLocal(
      settings.map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)] as const),
    );
  }

  internalError(thrown: unknown): DbError {
    return this.session.engine.reportInternalError(thrown);
  }

  // -------------------------------------------------------------------------------------------------- for the session

  /** Runs a call to its end, in slices. */
  async drive(invocation: Invocation): Promise<Datum> {
    const { session, activity } = this;
    for (;;) {
      let wait: Promise<void>;
      activity.depth++;
      activity.deadline = session.services.monotonicMicros() + session.services.sliceMicros;
      try {
        return invocation.run();
      } catch (thrown) {
        if (thrown instanceof SuspendSignal) wait = session.engine.clock.yieldToLoop();
        else if (thrown instanceof WaitSignal) wait = thrown.promise;
        else throw thrown;
      } finally {
        activity.depth--;
        activity.deadline = Number.POSITIVE_INFINITY;
      }
      await wait;
      session.checkInterrupt();
    }
  }

  async fireTruncate(relation: RelationDescriptor, when: 'BEFORE' | 'AFTER'): Promise<void> {
    if ((relation.triggers ?? []).length === 0) return;
    const { session } = this;
    const transaction = session.block.forStatement();
    const environment = session.engine.executor.environment(session.services, {
      transaction,
      snapshot: transaction.latestSnapshot(),
      parameters: [],
      instrumentation: null,
    });
    const triggers = TableTriggers.of(environment, relation);
    if (triggers === null) return;
    const run = new StatementTriggerRun(triggers, when === 'BEFORE' ? TRIGGER_BEFORE : 0, ['TRUNCATE'], null);
    await this.drive({
      run: () => {
        run.run();
        return null;
      },
    });
  }

  /** After an error of the statement: nothing is under way. */
  reset(): void {
    this.manager.reset();
    this.triggerDepth = 0;
    this.activity.depth = 0;
    this.activity.snapshot = null;
    this.activity.deadline = Number.POSITIVE_INFINITY;
    if (this.effectiveRole !== null) this.setEffectiveRole(null);
  }

  /** Asks the language of a new function whether its body is right; errors point into the statement's text. */
  validate(oid: Oid, text: string): void {
    if (this.session.settings.get('check_function_bodies') === 'off') return;
    const descriptor = this.session.catalog().function(oid);
    if (descriptor === null) return;
    try {
      this.manager.validate(descriptor);
    } catch (error) {
      if (error instanceof DbError) transpose(error, descriptor, text);
      throw error;
    }
  }

  /** The stored form of a body in standard SQL. */
  sqlBody(oid: Oid, body: Node): { serialised: string; queries: readonly Query[] } {
    const descriptor = this.session.catalog().function(oid);
    if (descriptor === null) throw new DbError('undefined_function', `function ${oid} does not exist`);
    const types = descriptor.argumentTypes;
    const queries = bodyStatements(body).map((node) =>
      analyseQuery(node, {
        ...this.analysis(),
        parameters: new ArgumentTypes(types),
        names: argumentHook(descriptor, types),
      }),
    );
    return { serialised: `[${queries.map((query) => serialiseQuery(query)).join(',')}]`, queries };
  }
}

/** Statements of `BEGIN ATOMIC … END` or of `RETURN expression`. */
function bodyStatements(body: Node): Node[] {
  const content = body as unknown as {
    ReturnStmt?: { returnval?: Node };
    List?: { items?: Node[] };
  };
  if (content.ReturnStmt !== undefined)
    return [
      {
        SelectStmt: { targetList: [{ ResTarget: { val: content.ReturnStmt.returnval } }] },
      } as unknown as Node,
    ];
  return (content.List?.items ?? []).flatMap((item) => {
    const inner = item as unknown as { List?: { items?: Node[] } };
    return inner.List !== undefined || 'ReturnStmt' in item
      ? bodyStatements(item)
      : Object.keys(item).length === 0
        ? []
        : [item];
  });
}

/** A position in the body becomes one in the statement, where the body stands in it literally. */
function transpose(error: DbError, descriptor: FunctionDescriptor, text: string): void {
  const { fields } = error;
  if (fields.position === undefined) {
    if (descriptor.language === 'sql') fields.where = `SQL function "${descriptor.name}"`;
    return;
  }
  const { source } = descriptor;
  const at = text.indexOf(source);
  const isQuoted = at > 0 && (text[at - 1] === '$' || text[at - 1] === "'");
  if (at < 0 || !isQuoted || text.indexOf(source, at + 1) >= 0) {
    const doubled = source.replaceAll("'", "''");
    const quoted = text.indexOf(`'${doubled}'`);
    if (quoted >= 0) {
      const before = [...source].slice(0, fields.position - 1).join('');
      fields.position = [...text.slice(0, quoted + 1)].length + [...before.replaceAll("'", "''")].length + 1;
      return;
    }
    fields.internalPosition = fields.position;
    fields.internalQuery = source;
    delete fields.position;
    return;
  }
  fields.position += [...text.slice(0, at)].length;
}

/** The session's cursors, read step by step. */
class SessionCursors implements CursorAccess {
  private readonly session: BackendSession;
  private readonly newName: () => string;

  constructor(session: BackendSession, newName: () => string) {
    this.session = session;
    this.newName = newName;
  }

  exists(name: string): boolean {
    return this.session.cursors.has(name);
  }

  open(
    name: string | null,
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    options: { scroll: boolean | null; text: string },
  ): string {
    const { session } = this;
    let chosen = name;
    if (chosen === null)
      do chosen = this.newName();
      while (session.cursors.has(chosen));
    const flags = options.scroll === null ? 0 : options.scroll ? 2 : 4;
    openCursor(session, { name: chosen, plan, parameters, flags, text: options.text });
    return chosen;
  }

  private cursor(name: string): SqlCursor {
    const cursor = this.session.cursors.get(name);
    if (cursor === undefined) throw new DbError('invalid_cursor_name', `cursor "${name}" does not exist`);
    return cursor;
  }

  plan(name: string): PhysicalPlan {
    return this.cursor(name).plan;
  }

  fetch(name: string, direction: CursorDirection, count: number): readonly Datum[] | null {
    let row: readonly Datum[] | null = null;
    this.travel(name, direction, count, (found) => {
      row = found;
    });
    return row;
  }

  move(name: string, direction: CursorDirection, count: number): number {
    return this.travel(name, direction, count, () => {});
  }

  private travel(
    name: string,
    direction: CursorDirection,
    count: number,
    deliver: (row: readonly Datum[]) => void,
  ): number {
    return this.cursor(name).travel(direction, count, deliver);
  }

  close(name: string): void {
    this.cursor(name).close();
    this.session.cursors.delete(name);
  }
}
