/**
 * One session: statements in order, portals, transaction block, cancellation.
 *
 * Life of a statement: compile (or take from a cache) → open a transaction if none is → start the execution → step it, in
 * slices while it is long → command tag → commit if the transaction was implicit. A statement that finishes in its first slice and
 * writes nothing runs through without a promise.
 */
import type { Oid } from '../base/brands.ts';
import { DbError, type Notice } from '../base/error.ts';
import { SQLSTATE } from '../base/sqlstate.ts';
import type { CatalogReader, RoleDescriptor, SearchPath } from '../catalog/contract.ts';
import type { Timer } from '../env/contract.ts';
import type { Execution, ExecutorServices, RowSink, StepResult } from '../executor/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Transaction } from '../txn/contract.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { BackendFunctions } from './backend-functions.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { Pending, ResultColumn, ResultSink, Session, SessionOptions } from './contract.ts';
import { CopyInStream } from './copy-stream.ts';
import type {
  CompileEnvironment,
  Engine,
  ParsedStatement,
  UtilityContext,
  UtilitySession,
} from './engine.ts';
import { POSTGRES_EPOCH_UNIX_MICROS, SessionFunctionContext } from './function-context.ts';
import { type Portal, type PreparedStatement, RowBuffer } from './portal.ts';
import type { SessionEntry } from './registry.ts';
import { formatContextOf, parseIdentifierList, SessionSettings } from './settings/session-settings.ts';
import { abortedBlock, TransactionBlock } from './transaction-block.ts';
import type { SqlCursor } from './utility/cursor.ts';
import { describeSessionCommand, isSessionCommand, runSessionCommand } from './utility/index.ts';

/** Slice of the event loop one statement may take (architecture: at most 5 ms). */
const SLICE_MICROS = 4000;
/** Operator trees kept per session; a prepared statement in use keeps its own. */
const IDLE_EXECUTIONS_MAX = 256;
/** Plans dearer than this are planned anew for their parameter values (plan_cache_mode auto). */
const CUSTOM_PLAN_COST_MIN = 5000;
/** Parsed and named statements a session may hold. */
const PREPARED_STATEMENTS_MAX = 10_000;

const NO_COLUMNS: readonly ResultColumn[] = [];
const NO_FORMATS: readonly number[] = [];
const NO_PARAMETERS: readonly Datum[] = [];

export class BackendSession implements Session, UtilitySession {
  readonly processId: number;
  readonly secretKey: number;
  readonly settings: SessionSettings;
  readonly block: TransactionBlock;
  readonly services: ExecutorServices;
  readonly functionContext: SessionFunctionContext;
  readonly engine: Engine;
  readonly sink: ResultSink;
  readonly entry: SessionEntry;
  readonly prepared = new Map<string, PreparedStatement>();
  readonly portals = new Map<string, Portal>();
  readonly cursors = new Map<string, SqlCursor>();
  readonly databaseName: string;
  sessionUserOid: Oid;
  /** SET ROLE; 0 = none. */
  private currentRoleOid: Oid = 0;
  private readonly idleExecutions = new Map<PhysicalPlan, Execution>();
  private readonly rowSink: CountingRowSink;
  private interruptError: DbError | null = null;
  private statementTimer: Timer | undefined;
  private idleTimer: Timer | undefined;
  private isRunning = false;
  private isClosed = false;
  private environmentKeyVersion = 0;
  private environmentKeyCatalog = -1;
  private cachedEnvironmentKey = '';
  private cachedPath: SearchPath | null = null;
  private cachedFormatVersion = 0;
  private copyIn: CopyInStream | null = null;
  private temporaryNamespaceOid: Oid = 0;
  private deferredChecks: (() => void)[] = [];
  private pendingNotifications: { channel: string; payload: string }[] = [];
  private incomingNotifications: { processId: number; channel: string; payload: string }[] = [];
  private listenActions: (() => void)[] = [];
  /** Constraints set by SET CONSTRAINTS in this transaction: oid → deferred; 0 = ALL. */
  private constraintModes = new Map<Oid, boolean>();

  constructor(engine: Engine, options: SessionOptions, role: RoleDescriptor) {
    this.engine = engine;
    this.sink = options.sink;
    this.databaseName = options.database;
    this.sessionUserOid = role.oid;
    const { processId, secretKey } = engine.sessions.allocate();
    this.processId = processId;
    this.secretKey = secretKey;
    this.rowSink = new CountingRowSink(options.sink);
    this.settings = new SessionSettings(engine.serverSettings, {
      report: (name, value) => this.sink.parameterStatus(name, value),
      isSuperuser: () => this.catalog().role(this.roleOid())?.superuser === true,
    });
    this.block = new TransactionBlock({
      manager: engine.transactions,
      settings: this.settings,
      sessionId: processId,
      wallTimestamp: () => this.wallTimestamp(),
      ended: (committed) => this.transactionEnded(committed),
    });
    const now = this.wallTimestamp();
    this.functionContext = new SessionFunctionContext({
      engine,
      format: formatContextOf(this.settings, now),
      session: this.createSessionInfo(role, options),
      backend: new BackendFunctions(this),
      checkInterrupt: () => this.checkInterrupt(),
      resolveType: (oid) => this.typeSupport(oid),
    });
    this.services = this.createServices();
    this.entry = {
      processId,
      secretKey,
      userOid: role.oid,
      userName: role.name,
      databaseName: options.database,
      clientAddress: options.clientAddress,
      clientPort: options.clientPort,
      backendType: options.backendType,
      backendStart: now,
      applicationName: '',
      state: 'idle',
      stateChange: now,
      query: '',
      queryStart: null,
      transactionStart: null,
      waitEventType: 'Client',
      waitEvent: 'ClientRead',
      xid: 0,
      cancel: () => this.cancel(),
      terminate: (error) => void this.close(error ?? terminatedByAdministrator()),
      deliver: (sender, channel, payload) => this.deliver(sender, channel, payload),
    };
    this.applyStartParameters(options.parameters);
    engine.sessions.add(this.entry);
    this.scheduleIdleTimeout();
  }

  // ---------------------------------------------------------------------------------------------- Session: state

  get transactionStatus(): 'I' | 'T' | 'E' {
    return this.block.status;
  }

  get copyInActive(): boolean {
    return this.copyIn !== null;
  }

  *initialParameters(): Iterable<readonly [string, string]> {
    yield* this.settings.reported();
    const role = this.catalog().role(this.sessionUserOid);
    yield ['is_superuser', role?.superuser === true ? 'on' : 'off'];
    yield ['session_authorization', role?.name ?? ''];
  }

  // ---------------------------------------------------------------------------------------- Session: simple query

  simpleQuery(text: string): Pending {
    this.enterStatement(text);
    try {
      const fast = this.trySimpleFast(text);
      if (fast === null) {
        this.leaveStatement();
        return null;
      }
      return this.guard(fast ?? this.simpleQueryGeneral(text));
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** A single cached statement: undefined = not this way; null = done; promise = going on. */
  private trySimpleFast(text: string): Pending | undefined {
    if (this.block.state === 'failed') return undefined;
    const lifted = this.engine.compiler.liftLiterals(text);
    const key = lifted === null ? `s\0${text}` : `l\0${lifted.key}`;
    const catalog = this.catalog();
    let compiled = this.engine.plans.get(key, catalog.version, this.environmentKey(catalog));
    if (compiled === null) {
      if (lifted === null) return undefined;
      const parsed = this.engine.compiler.parse(lifted.text);
      if (parsed.length !== 1 || !isPlannableNode(parsed[0].node)) return undefined;
      try {
        compiled = this.compile(parsed[0], lifted.text, lifted.parameterTypes);
      } catch (error) {
        // The lifted form is ours: let the text as written speak for itself, with its own positions.
        if (error instanceof DbError) return undefined;
        throw error;
      }
      if (compiled.plan === null || !sameTypes(compiled.parameterTypes, lifted.parameterTypes))
        return undefined;
      this.cache(key, compiled);
    }
    const plan = compiled.plan;
    if (plan === null) return undefined;
    const parameters = lifted === null ? NO_PARAMETERS : lifted.values;
    const chosen = this.choosePlan(compiled, plan, parameters);
    return this.runSimplePlan(chosen, parameters, true);
  }

  private async simpleQueryGeneral(text: string): Promise<void> {
    const statements = this.engine.compiler.parse(text);
    if (statements.length === 0) {
      this.sink.emptyQueryResponse();
      return;
    }
    for (let index = 0; index < statements.length; index++) {
      const isLast = index === statements.length - 1;
      await this.runSimpleStatement(statements[index], text, isLast, statements.length > 1);
    }
  }

  private async runSimpleStatement(
    statement: ParsedStatement,
    text: string,
    isLast: boolean,
    isMulti: boolean,
  ): Promise<void> {
    if (this.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
    if (isPlannableNode(statement.node)) {
      const key = `s\0${text}`;
      const catalog = this.catalog();
      let compiled = isMulti
        ? null
        : this.engine.plans.get(key, catalog.version, this.environmentKey(catalog));
      if (compiled === null) {
        this.block.forStatement();
        compiled = this.compile(statement, text, []);
        if (!isMulti) this.cache(key, compiled);
      }
      if (compiled.plan !== null) {
        const pending = this.runSimplePlan(compiled.plan, NO_PARAMETERS, isLast);
        if (pending !== null) await pending;
        return;
      }
    }
    const tag = await this.runUtility(statement, text, NO_PARAMETERS, NO_FORMATS, isMulti, true);
    if (isLast) await this.endImplicit();
    this.sink.commandComplete(tag);
  }

  private runSimplePlan(plan: PhysicalPlan, parameters: readonly Datum[], endsTransaction: boolean): Pending {
    const transaction = this.block.forStatement();
    this.refreshStatementContext();
    const execution = this.acquireExecution(plan);
    if (plan.columns.length > 0 || plan.command === 'select') {
      this.sink.rowDescription(plan.columns, NO_FORMATS);
      this.sink.beginRows(plan.columns, NO_FORMATS, this.functionContext.format);
    }
    const outcome = this.runToEnd(execution, transaction, parameters);
    if (outcome !== null)
      return outcome.then(
        () => this.completeSimple(plan, execution, transaction, endsTransaction) ?? undefined,
      );
    return this.completeSimple(plan, execution, transaction, endsTransaction);
  }

  private completeSimple(
    plan: PhysicalPlan,
    execution: Execution,
    transaction: Transaction,
    endsTransaction: boolean,
  ): Pending {
    const tag = commandTag(plan, execution.rowCount);
    this.releaseExecution(plan, execution);
    if (!plan.readOnly) transaction.advanceCommand();
    const pending = endsTransaction ? this.endImplicit() : null;
    if (pending === null) {
      this.sink.commandComplete(tag);
      return null;
    }
    return pending.then(() => this.sink.commandComplete(tag));
  }

  // -------------------------------------------------------------------------------------- Session: extended query

  parse(name: string, text: string, parameterTypes: readonly Oid[]): Pending {
    this.enterStatement(text);
    try {
      if (name !== '' && this.prepared.has(name)) {
        throw new DbError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
      }
      const compiled = this.compileText(text, parameterTypes);
      this.storePrepared({
        name,
        compiled,
        declaredTypes: parameterTypes,
        fromSql: false,
        preparedAt: this.functionContext.statementTimestamp,
        customPlanCount: 0,
      });
      this.sink.parseComplete();
      return null;
    } catch (error) {
      throw this.failed(error);
    }
  }

  storePrepared(statement: PreparedStatement): void {
    if (this.prepared.size >= PREPARED_STATEMENTS_MAX && !this.prepared.has(statement.name)) {
      throw new DbError(
        'program_limit_exceeded',
        `too many prepared statements in one session (limit ${PREPARED_STATEMENTS_MAX})`,
        {
          hint: 'Close prepared statements that are no longer needed.',
        },
      );
    }
    this.prepared.set(statement.name, statement);
  }

  bind(
    portalName: string,
    statementName: string,
    parameterFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormats: readonly number[],
  ): Pending {
    try {
      const statement = this.requirePrepared(statementName);
      const compiled = this.revalidate(statement);
      if (portalName !== '' && this.portals.has(portalName)) {
        throw new DbError('duplicate_cursor', `cursor "${portalName}" already exists`);
      }
      if (
        compiled.statement !== null &&
        this.block.state === 'failed' &&
        !isAllowedInFailedBlock(compiled.statement)
      )
        throw abortedBlock();
      const parameters = this.decodeParameters(statement, compiled, parameterFormats, values);
      const columnCount = compiled.plan === null ? -1 : compiled.plan.columns.length;
      if (resultFormats.length > 1 && columnCount >= 0 && resultFormats.length !== columnCount) {
        throw new DbError(
          'protocol_violation',
          `bind message has ${resultFormats.length} result formats but query has ${columnCount} columns`,
        );
      }
      for (const format of resultFormats) {
        if (format !== 0 && format !== 1)
          throw new DbError('invalid_parameter_value', `unsupported format code: ${format}`);
      }
      if (portalName === '') this.dropPortal('');
      const plan = compiled.plan === null ? null : this.choosePlan(compiled, compiled.plan, parameters);
      this.portals.set(portalName, {
        name: portalName,
        compiled,
        plan,
        parameters,
        resultFormats,
        state: 'ready',
        execution: null,
        buffer: null,
      });
      this.sink.bindComplete();
      return null;
    } catch (error) {
      throw this.failed(error);
    }
  }

  describeStatement(name: string): Pending {
    try {
      const statement = this.requirePrepared(name);
      const compiled = this.revalidate(statement);
      this.sink.parameterDescription(compiled.parameterTypes);
      const columns = this.columnsOf(compiled);
      if (columns === null) this.sink.noData();
      else this.sink.rowDescription(columns, NO_FORMATS);
      return null;
    } catch (error) {
      throw this.failed(error);
    }
  }

  describePortal(name: string): Pending {
    try {
      const portal = this.requirePortal(name);
      const columns = portal.plan === null ? this.columnsOf(portal.compiled) : columnsOfPlan(portal.plan);
      if (columns === null) this.sink.noData();
      else this.sink.rowDescription(columns, portal.resultFormats);
      return null;
    } catch (error) {
      throw this.failed(error);
    }
  }

  execute(portalName: string, maxRows: number): Pending {
    try {
      const portal = this.requirePortal(portalName);
      this.enterStatement(portal.compiled.text);
      const statement = portal.compiled.statement;
      if (statement === null) {
        this.sink.emptyQueryResponse();
        this.leaveStatement();
        return null;
      }
      if (this.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
      const pending =
        portal.plan === null
          ? this.executeUtilityPortal(portal, statement, maxRows)
          : this.executePlanPortal(portal, portal.plan, maxRows);
      if (pending === null) {
        this.leaveStatement();
        return null;
      }
      return this.guard(pending);
    } catch (error) {
      throw this.failed(error);
    }
  }

  private executePlanPortal(portal: Portal, plan: PhysicalPlan, maxRows: number): Pending {
    if (portal.buffer !== null) return this.drainBuffer(portal, portal.buffer, maxRows);
    if (portal.state === 'done') {
      this.sink.commandComplete(commandTag(plan, 0));
      return null;
    }
    const transaction = this.block.forStatement();
    this.refreshStatementContext();
    if (plan.columns.length > 0)
      this.sink.beginRows(plan.columns, portal.resultFormats, this.functionContext.format);
    if (maxRows > 0 && !plan.readOnly && plan.columns.length > 0) {
      const buffer = new RowBuffer(plan.columns);
      portal.buffer = buffer;
      const execution = this.acquireExecution(plan);
      portal.execution = execution;
      const outcome = this.runToEnd(execution, transaction, portal.parameters, {
        row: (frame) => buffer.add(frame),
        isCongested: () => false,
      });
      const finish = (): Pending => {
        buffer.tag = commandTag(plan, execution.rowCount);
        this.finishPortalExecution(portal, plan, execution);
        transaction.advanceCommand();
        return this.drainBuffer(portal, buffer, maxRows);
      };
      return outcome === null ? finish() : outcome.then(() => void finish());
    }
    let execution = portal.execution;
    if (execution === null) {
      execution = this.acquireExecution(plan);
      portal.execution = execution;
      execution.start({
        transaction,
        snapshot: transaction.statementSnapshot(),
        parameters: portal.parameters,
        instrumentation: null,
      });
      portal.state = 'open';
    }
    const sink = this.rowSink;
    sink.delivered = 0;
    const result = execution.step(maxRows, sink);
    if (result === 'done' || result === 'limit')
      return this.endExecute(portal, plan, execution, transaction, result);
    const running = execution;
    return this.stepOn(running, maxRows, sink, result).then((final) => {
      this.endExecute(portal, plan, running, transaction, final);
    });
  }

  private endExecute(
    portal: Portal,
    plan: PhysicalPlan,
    execution: Execution,
    transaction: Transaction,
    result: 'done' | 'limit',
  ): Pending {
    if (result === 'limit') {
      this.sink.portalSuspended();
      return null;
    }
    // A SELECT read in parts answers with the rows of this Execute, as PostgreSQL does.
    const tag = commandTag(plan, plan.command === 'select' ? this.rowSink.delivered : execution.rowCount);
    this.finishPortalExecution(portal, plan, execution);
    if (!plan.readOnly) transaction.advanceCommand();
    this.sink.commandComplete(tag);
    return null;
  }

  private finishPortalExecution(portal: Portal, plan: PhysicalPlan, execution: Execution): void {
    portal.state = 'done';
    portal.execution = null;
    this.releaseExecution(plan, execution);
  }

  private executeUtilityPortal(portal: Portal, statement: ParsedStatement, maxRows: number): Pending {
    if (portal.buffer !== null) return this.drainBuffer(portal, portal.buffer, maxRows);
    if (portal.state === 'done') {
      throw new DbError('object_not_in_prerequisite_state', `portal "${portal.name}" cannot be run`);
    }
    portal.state = 'done';
    return this.runUtility(
      statement,
      portal.compiled.text,
      portal.parameters,
      portal.resultFormats,
      false,
      false,
    ).then((tag) => {
      this.sink.commandComplete(tag);
    });
  }

  private drainBuffer(portal: Portal, buffer: RowBuffer, maxRows: number): Pending {
    this.sink.beginRows(buffer.columns, portal.resultFormats, this.functionContext.format);
    for (let count = 0; maxRows === 0 || count < maxRows; count++) {
      const row = buffer.next();
      if (row === null) {
        this.sink.commandComplete(buffer.tag);
        return null;
      }
      this.sink.row(row);
    }
    this.sink.portalSuspended();
    return null;
  }

  closeStatement(name: string): Pending {
    this.prepared.delete(name);
    this.sink.closeComplete();
    return null;
  }

  closePortal(name: string): Pending {
    this.dropPortal(name);
    this.sink.closeComplete();
    return null;
  }

  sync(): Pending {
    if (this.block.state !== 'implicit') {
      this.afterSync();
      return null;
    }
    try {
      const pending = this.endImplicit();
      if (pending === null) {
        this.afterSync();
        return null;
      }
      return pending.then(
        () => this.afterSync(),
        (error: unknown) => {
          throw this.failed(error);
        },
      );
    } catch (error) {
      throw this.failed(error);
    }
  }

  // ------------------------------------------------------------------------------------------------ Session: COPY

  copyData(bytes: Uint8Array): Pending {
    if (this.copyIn === null) return null;
    return this.copyIn.push(bytes);
  }

  copyDone(): Pending {
    this.copyIn?.end();
    return null;
  }

  copyFail(message: string): Pending {
    this.copyIn?.fail(new DbError('query_canceled', `COPY from stdin failed: ${message}`));
    return null;
  }

  /** For COPY … FROM STDIN: answers CopyInResponse and gives the stream of what the client sends. */
  beginCopyIn(format: number, columnFormats: readonly number[]): CopyInStream {
    const stream = new CopyInStream(() => {
      this.copyIn = null;
    });
    this.copyIn = stream;
    this.sink.copyInResponse(format, columnFormats);
    return stream;
  }

  functionCall(): Promise<Uint8Array | null> {
    return Promise.reject(
      this.failed(
        new DbError('feature_not_supported', 'the function call protocol message is not supported'),
      ),
    );
  }

  // ------------------------------------------------------------------------------------- cancellation, end of life

  cancel(): void {
    if (this.isRunning)
      this.interrupt(new DbError('query_canceled', 'canceling statement due to user request'));
  }

  /** Makes the running statement end with `error` at its next check, and wakes it if it waits. */
  interrupt(error: DbError): void {
    if (this.interruptError !== null && this.interruptError.severity === 'FATAL') return;
    this.interruptError = error;
    const transaction = this.block.transaction;
    if (transaction !== null) this.engine.transactions.locks.cancelWaits(transaction, error);
    this.copyIn?.fail(error);
    this.wakeSleeper?.();
  }

  /** pg_sleep and friends register how to be woken by an interrupt. */
  wakeSleeper: (() => void) | null = null;

  checkInterrupt(): void {
    if (this.interruptError !== null) throw this.interruptError;
  }

  async close(error?: DbError): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.engine.clock.clearTimer(this.statementTimer);
    this.engine.clock.clearTimer(this.idleTimer);
    this.interrupt(error ?? terminatedByAdministrator());
    // A running statement notices the interrupt at its next check; its own error path rolls back.
    while (this.isRunning) await this.engine.clock.sleep(1);
    this.closeAllPortals();
    this.block.rollback();
    for (const execution of this.idleExecutions.values()) execution.close();
    this.idleExecutions.clear();
    this.prepared.clear();
    this.engine.transactions.locks.unlockAllAdvisory(this);
    await this.dropTemporaryObjects();
    this.engine.sessions.remove(this.entry);
  }

  /** Set by the host: told when the server ends this session (timeouts, pg_terminate_backend). */
  onTerminate: ((error: DbError) => void) | null = null;

  // --------------------------------------------------------------------------------------- UtilitySession, services

  roleOid(): Oid {
    return this.currentRoleOid === 0 ? this.sessionUserOid : this.currentRoleOid;
  }

  setRole(oid: Oid): void {
    this.currentRoleOid = oid;
    this.settings.version++;
  }

  catalog(): CatalogReader {
    return this.engine.catalogFor(this.block.transaction);
  }

  searchPath(): SearchPath {
    this.environmentKey(this.catalog());
    return this.cachedPath as SearchPath;
  }

  get isInTransactionBlock(): boolean {
    return this.block.isInBlock || this.isMultiStatement;
  }
  private isMultiStatement = false;

  notice(notice: Notice): void {
    if (isNoticeShown(notice.severity, this.settings.get('client_min_messages'))) this.sink.notice(notice);
  }

  temporaryNamespace(create: boolean): Oid {
    if (this.temporaryNamespaceOid === 0 && create) {
      throw new DbError('feature_not_supported', 'temporary objects are not supported in this session');
    }
    return this.temporaryNamespaceOid;
  }

  setTemporaryNamespace(oid: Oid): void {
    this.temporaryNamespaceOid = oid;
    this.settings.version++;
  }

  compileEnvironment(): CompileEnvironment {
    const catalog = this.catalog();
    this.environmentKey(catalog);
    return {
      catalog,
      path: this.cachedPath as SearchPath,
      roleOid: this.roleOid(),
      format: this.functionContext.format,
      setting: (name) => this.settings.get(name),
      functionContext: this.functionContext,
    };
  }

  async runPlan(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    row: ((frame: readonly Datum[]) => void) | null,
  ): Promise<number> {
    const transaction = this.block.forStatement();
    const execution = this.engine.compiler.instantiate(plan, this.services);
    const sink: RowSink = { row: row ?? (() => {}), isCongested: () => false };
    try {
      const outcome = this.runToEnd(execution, transaction, parameters, sink);
      if (outcome !== null) await outcome;
      if (!plan.readOnly) transaction.advanceCommand();
      return execution.rowCount;
    } finally {
      execution.close();
    }
  }

  deferNotification(channel: string, payload: string): void {
    if (!this.pendingNotifications.some((other) => other.channel === channel && other.payload === payload)) {
      this.pendingNotifications.push({ channel, payload });
    }
  }

  /** LISTEN and UNLISTEN take effect at commit. */
  deferListen(action: () => void): void {
    this.listenActions.push(action);
  }

  setConstraints(oids: readonly Oid[], deferred: boolean): void {
    if (oids.length === 0) {
      this.constraintModes.clear();
      this.constraintModes.set(0, deferred);
    } else for (const oid of oids) this.constraintModes.set(oid, deferred);
    if (!deferred) this.runDeferredChecks();
  }

  private runDeferredChecks(): void {
    const checks = this.deferredChecks;
    this.deferredChecks = [];
    for (const check of checks) check();
  }

  // ------------------------------------------------------------------------------------------------------- internals

  typeSupport(oid: Oid): TypeSupport {
    const descriptor = this.catalog().type(oid);
    return descriptor === null ? this.engine.typeSupport(oid) : descriptor.support;
  }

  wallTimestamp(): bigint {
    return this.engine.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS;
  }

  /** Runs a session or utility command; returns its tag. */
  private async runUtility(
    statement: ParsedStatement,
    text: string,
    parameters: readonly Datum[],
    resultFormats: readonly number[],
    isMulti: boolean,
    isSimple: boolean,
  ): Promise<string> {
    this.isMultiStatement = isMulti;
    try {
      if (isSessionCommand(statement.node)) {
        return await runSessionCommand(this, statement, text, parameters, resultFormats, isSimple);
      }
      const transaction = this.block.forStatement();
      this.refreshStatementContext();
      const context: UtilityContext = {
        statement,
        text,
        parameters,
        transaction,
        catalog: () => this.catalog(),
        session: this,
        sink: this.sink,
        resultFormats,
      };
      const tag = await this.engine.utility.execute(context);
      transaction.advanceCommand();
      return tag;
    } finally {
      this.isMultiStatement = false;
    }
  }

  /** Compiles one statement of the text, through the shared cache where it is the whole text. */
  compileText(text: string, parameterTypes: readonly Oid[]): CompiledStatement {
    const catalog = this.catalog();
    const key = `p\0${parameterTypes.join(',')}\0${text}`;
    const cached = this.engine.plans.get(key, catalog.version, this.environmentKey(catalog));
    if (cached !== null) return cached;
    const statements = this.engine.compiler.parse(text);
    if (statements.length > 1) {
      throw new DbError('syntax_error', 'cannot insert multiple commands into a prepared statement');
    }
    if (statements.length === 0) {
      return {
        text,
        statement: null,
        analysed: null,
        plan: null,
        parameterTypes,
        catalogVersion: catalog.version,
        environmentKey: this.environmentKey(catalog),
      };
    }
    const statement = statements[0];
    if (this.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
    const compiled = this.compile(statement, text, parameterTypes);
    this.cache(key, compiled);
    return compiled;
  }

  compile(statement: ParsedStatement, text: string, parameterTypes: readonly Oid[]): CompiledStatement {
    const catalog = this.catalog();
    const environmentKey = this.environmentKey(catalog);
    const base = { text, statement, catalogVersion: catalog.version, environmentKey };
    if (!isPlannableNode(statement.node)) return { ...base, analysed: null, plan: null, parameterTypes };
    this.refreshStatementContext();
    const environment = this.compileEnvironment();
    const analysed = this.engine.compiler.analyse(statement, text, parameterTypes, environment);
    if (analysed.kind === 'utility')
      return { ...base, analysed, plan: null, parameterTypes: analysed.parameterTypes };
    const plan = this.engine.compiler.plan(analysed.query, analysed.parameterTypes, null, environment);
    return { ...base, analysed, plan, parameterTypes: analysed.parameterTypes };
  }

  private cache(key: string, compiled: CompiledStatement): void {
    const transaction = this.block.transaction;
    if (transaction !== null && this.engine.catalogFor(null).version !== compiled.catalogVersion) return;
    this.engine.plans.set(key, compiled);
  }

  /** The plan for these values: generic, or planned anew where that may pay. */
  private choosePlan(
    compiled: CompiledStatement,
    generic: PhysicalPlan,
    parameters: readonly Datum[],
  ): PhysicalPlan {
    if (parameters.length === 0 || compiled.analysed?.kind !== 'query') return generic;
    const mode = this.settings.get('plan_cache_mode');
    if (mode === 'force_generic_plan') return generic;
    if (mode === 'auto' && generic.root.totalCost < CUSTOM_PLAN_COST_MIN) return generic;
    this.refreshStatementContext();
    return this.engine.compiler.plan(
      compiled.analysed.query,
      compiled.parameterTypes,
      parameters,
      this.compileEnvironment(),
    );
  }

  /** The compiled form that is valid now: analysed again after DDL or a change of search_path. */
  revalidate(statement: PreparedStatement): CompiledStatement {
    const { compiled } = statement;
    const catalog = this.catalog();
    if (
      compiled.catalogVersion === catalog.version &&
      compiled.environmentKey === this.environmentKey(catalog)
    )
      return compiled;
    if (compiled.statement === null || compiled.plan === null) return compiled;
    if (this.block.state === 'failed') return compiled;
    const again = this.compile(compiled.statement, compiled.text, statement.declaredTypes);
    if (again.plan !== null && !sameColumns(compiled.plan.columns, again.plan.columns)) {
      throw new DbError('feature_not_supported', 'cached plan must not change result type');
    }
    statement.compiled = again;
    return again;
  }

  requirePrepared(name: string): PreparedStatement {
    const statement = this.prepared.get(name);
    if (statement === undefined) {
      throw new DbError(
        'invalid_sql_statement_name',
        name === ''
          ? 'unnamed prepared statement does not exist'
          : `prepared statement "${name}" does not exist`,
      );
    }
    return statement;
  }

  private requirePortal(name: string): Portal {
    const portal = this.portals.get(name);
    if (portal === undefined) throw new DbError('invalid_cursor_name', `portal "${name}" does not exist`);
    return portal;
  }

  dropPortal(name: string): boolean {
    const portal = this.portals.get(name);
    if (portal === undefined) return false;
    this.portals.delete(name);
    if (portal.execution !== null && portal.plan !== null)
      this.releaseExecution(portal.plan, portal.execution);
    portal.execution = null;
    return true;
  }

  private closeAllPortals(): void {
    for (const name of [...this.portals.keys()]) this.dropPortal(name);
  }

  /** Cursors end with their transaction; holdable ones that were made to last stay. */
  private closeCursors(committed: boolean): void {
    for (const [name, cursor] of this.cursors) {
      if (committed && cursor.isHoldable) continue;
      if (cursor.isHoldable && cursor.isPersisted) continue;
      cursor.close();
      this.cursors.delete(name);
    }
  }

  private columnsOf(compiled: CompiledStatement): readonly ResultColumn[] | null {
    if (compiled.plan !== null) return columnsOfPlan(compiled.plan);
    const { statement } = compiled;
    if (statement === null) return null;
    if (isSessionCommand(statement.node)) return describeSessionCommand(this, statement);
    this.refreshStatementContext();
    return this.engine.utility.describe(
      statement,
      compiled.text,
      compiled.parameterTypes,
      this.compileEnvironment(),
    );
  }

  private decodeParameters(
    statement: PreparedStatement,
    compiled: CompiledStatement,
    formats: readonly number[],
    values: readonly (Uint8Array | null)[],
  ): readonly Datum[] {
    const types = compiled.parameterTypes;
    if (values.length !== types.length) {
      throw new DbError(
        'protocol_violation',
        `bind message supplies ${values.length} parameters, but prepared statement "${statement.name}" requires ${types.length}`,
      );
    }
    if (formats.length > 1 && formats.length !== values.length) {
      throw new DbError(
        'protocol_violation',
        `bind message has ${formats.length} parameter formats but ${values.length} parameters`,
      );
    }
    if (values.length === 0) return NO_PARAMETERS;
    const context = this.currentFormat();
    const result: Datum[] = new Array(values.length);
    for (let index = 0; index < values.length; index++) {
      const bytes = values[index];
      if (bytes === null) {
        result[index] = null;
        continue;
      }
      const format = formats.length === 0 ? 0 : formats.length === 1 ? formats[0] : formats[index];
      const support = this.typeSupport(types[index]);
      if (format === 0) result[index] = support.input(decodeUtf8(bytes), -1, context);
      else if (format === 1) result[index] = support.receive(bytes, -1, context);
      else throw new DbError('invalid_parameter_value', `unsupported format code: ${format}`);
    }
    return result;
  }

  /** Starts and runs an execution to its end. Null = finished in the first slice. */
  private runToEnd(
    execution: Execution,
    transaction: Transaction,
    parameters: readonly Datum[],
    sink: RowSink = this.rowSink,
  ): Promise<void> | null {
    this.rowSink.delivered = 0;
    execution.start({
      transaction,
      snapshot: transaction.statementSnapshot(),
      parameters,
      instrumentation: null,
    });
    const result = execution.step(0, sink);
    if (result === 'done' || result === 'limit') return null;
    return this.stepOn(execution, 0, sink, result).then(() => undefined);
  }

  /** Goes on after a suspension until the rows asked for are delivered. */
  async stepOn(
    execution: Execution,
    maxRows: number,
    sink: RowSink,
    first: StepResult,
  ): Promise<'done' | 'limit'> {
    let result = first;
    while (result !== 'done' && result !== 'limit') {
      result = await this.awaitStep(execution, sink, result, () =>
        maxRows === 0 ? 0 : maxRows - this.rowSink.delivered,
      );
    }
    return result;
  }

  /** Waits for what the last step asked for, then steps again. */
  async awaitStep(
    execution: Execution,
    sink: RowSink,
    result: StepResult,
    remainingRows: () => number,
  ): Promise<StepResult> {
    if (result === 'suspended') await this.engine.clock.yieldToLoop();
    else if (result === 'congested') await this.sink.drained();
    else if (typeof result === 'object') {
      this.entry.waitEventType = 'Lock';
      this.entry.waitEvent = 'transactionid';
      try {
        await result.promise;
      } finally {
        this.entry.waitEventType = null;
        this.entry.waitEvent = null;
      }
    }
    this.checkInterrupt();
    return execution.step(remainingRows(), sink);
  }

  acquireExecution(plan: PhysicalPlan): Execution {
    const idle = this.idleExecutions.get(plan);
    if (idle !== undefined) {
      this.idleExecutions.delete(plan);
      return idle;
    }
    return this.engine.compiler.instantiate(plan, this.services);
  }

  releaseExecution(plan: PhysicalPlan, execution: Execution): void {
    execution.close();
    if (this.idleExecutions.size >= IDLE_EXECUTIONS_MAX) {
      const oldest = this.idleExecutions.keys().next();
      if (!oldest.done) this.idleExecutions.delete(oldest.value);
    }
    this.idleExecutions.set(plan, execution);
  }

  /** Ends an implicit transaction; in a block or without one nothing happens. */
  endImplicit(): Pending {
    if (this.block.state !== 'implicit') return null;
    return this.commit();
  }

  commit(): Promise<void> | null {
    if (this.cursors.size > 0 && this.block.state !== 'failed') {
      const holdable = [...this.cursors.values()].filter(
        (cursor) => cursor.isHoldable && !cursor.isPersisted,
      );
      if (holdable.length > 0) return this.persistCursors(holdable).then(() => this.commit() ?? undefined);
    }
    this.closeAllPortals();
    if (this.block.state !== 'failed' && this.deferredChecks.length > 0) {
      const transaction = this.block.transaction;
      if (transaction !== null) this.runDeferredChecks();
    }
    return this.block.commit();
  }

  private async persistCursors(cursors: readonly SqlCursor[]): Promise<void> {
    for (const cursor of cursors) await cursor.persist();
  }

  rollback(): void {
    this.closeAllPortals();
    this.block.rollback();
  }

  private transactionEnded(committed: boolean): void {
    this.deferredChecks = [];
    this.constraintModes.clear();
    if (this.cursors.size > 0) this.closeCursors(committed);
    const listenActions = this.listenActions;
    const notifications = this.pendingNotifications;
    this.listenActions = [];
    this.pendingNotifications = [];
    if (committed) {
      for (const action of listenActions) action();
      for (const { channel, payload } of notifications)
        this.engine.sessions.notify(this.processId, channel, payload);
    }
    this.entry.transactionStart = null;
  }

  private deliver(processId: number, channel: string, payload: string): void {
    if (this.isRunning || this.block.isInBlock)
      this.incomingNotifications.push({ processId, channel, payload });
    else this.sink.notification(processId, channel, payload);
  }

  private afterSync(): void {
    this.flushNotifications();
  }

  private flushNotifications(): void {
    if (this.incomingNotifications.length === 0 || this.block.isInBlock) return;
    const waiting = this.incomingNotifications;
    this.incomingNotifications = [];
    for (const { processId, channel, payload } of waiting)
      this.sink.notification(processId, channel, payload);
  }

  private guard(pending: Promise<void>): Promise<void> {
    return pending.then(
      () => this.leaveStatement(),
      (error: unknown) => {
        throw this.failed(error);
      },
    );
  }

  private enterStatement(text: string): void {
    if (this.isClosed) throw terminatedByAdministrator();
    this.isRunning = true;
    if (this.interruptError !== null && this.interruptError.severity !== 'FATAL') this.interruptError = null;
    this.engine.clock.clearTimer(this.idleTimer);
    this.idleTimer = undefined;
    const { entry } = this;
    entry.query = text;
    entry.state = 'active';
    entry.waitEventType = null;
    entry.waitEvent = null;
    const now = this.wallTimestamp();
    this.functionContext.statementTimestamp = now;
    entry.queryStart = now;
    entry.stateChange = now;
    const timeoutMillis = this.settings.number('statement_timeout');
    if (timeoutMillis > 0) {
      this.engine.clock.clearTimer(this.statementTimer);
      this.statementTimer = this.engine.clock.setTimer(
        () => this.interrupt(new DbError('query_canceled', 'canceling statement due to statement timeout')),
        timeoutMillis,
        { background: true },
      );
    }
  }

  private leaveStatement(): void {
    this.isRunning = false;
    if (this.statementTimer !== undefined) {
      this.engine.clock.clearTimer(this.statementTimer);
      this.statementTimer = undefined;
    }
    const { entry, block } = this;
    entry.state =
      block.state === 'failed'
        ? 'idle in transaction (aborted)'
        : block.state === 'block'
          ? 'idle in transaction'
          : 'idle';
    entry.waitEventType = 'Client';
    entry.waitEvent = 'ClientRead';
    this.flushNotifications();
    this.scheduleIdleTimeout();
  }

  private scheduleIdleTimeout(): void {
    const isInBlock = this.block.isInBlock;
    const timeoutMillis = this.settings.number(
      isInBlock ? 'idle_in_transaction_session_timeout' : 'idle_session_timeout',
    );
    if (timeoutMillis === 0 || this.isClosed) return;
    this.engine.clock.clearTimer(this.idleTimer);
    this.idleTimer = this.engine.clock.setTimer(
      () => {
        const error = isInBlock
          ? new DbError(
              'idle_in_transaction_session_timeout',
              'terminating connection due to idle-in-transaction timeout',
            )
          : new DbError('idle_session_timeout', 'terminating connection due to idle-session timeout');
        this.onTerminate?.(error.fatal());
        void this.close(error);
      },
      timeoutMillis,
      { background: true },
    );
  }

  /** Brings the session into the state after an error and returns the error to show. */
  private failed(thrown: unknown): DbError {
    const error = this.asDbError(thrown);
    for (const portal of this.portals.values()) {
      if (portal.execution !== null) {
        portal.execution.close();
        portal.execution = null;
        portal.state = 'done';
      }
    }
    this.copyIn?.abandon();
    if (this.block.state === 'block') for (const cursor of this.cursors.values()) cursor.close();
    try {
      if (this.block.state === 'implicit') this.closeAllPortals();
      this.block.fail();
    } catch (second) {
      this.engine.reportInternalError(second);
    }
    this.leaveStatement();
    return error;
  }

  private asDbError(thrown: unknown): DbError {
    if (thrown instanceof DbError) return thrown;
    if (thrown instanceof RangeError && thrown.message.includes('call stack')) {
      return new DbError('statement_too_complex', 'stack depth limit exceeded', {
        hint: 'Simplify the statement: its expressions or subqueries are nested too deeply.',
      });
    }
    return this.engine.reportInternalError(thrown);
  }

  /** Text formats and timestamps of the statement about to run. */
  private refreshStatementContext(): void {
    this.functionContext.transactionTimestamp =
      this.block.state === 'none' ? this.functionContext.statementTimestamp : this.block.startTimestamp;
    this.currentFormat();
  }

  private currentFormat(): FormatContext {
    const context = this.functionContext;
    if (this.cachedFormatVersion !== this.settings.version) {
      this.cachedFormatVersion = this.settings.version;
      context.format = {
        ...formatContextOf(this.settings, context.transactionTimestamp),
        names: undefined,
      };
      this.formatCatalogVersion = -1;
    }
    const catalog = this.catalog();
    if (
      this.formatCatalogVersion !== catalog.version ||
      context.format.transactionTimestamp !== context.transactionTimestamp
    ) {
      this.formatCatalogVersion = catalog.version;
      this.environmentKey(catalog);
      context.format = {
        ...context.format,
        transactionTimestamp: context.transactionTimestamp,
        names: catalog.names(this.cachedPath as SearchPath),
      };
    }
    return context.format;
  }
  private formatCatalogVersion = -1;

  /** Everything beside text and catalog that a plan depends on, as one string. */
  environmentKey(catalog: CatalogReader): string {
    if (
      this.environmentKeyVersion !== this.settings.version ||
      this.environmentKeyCatalog !== catalog.version ||
      this.cachedPath === null
    ) {
      this.environmentKeyVersion = this.settings.version;
      this.environmentKeyCatalog = catalog.version;
      const names = parseIdentifierList('search_path', this.settings.get('search_path'));
      const roleName = catalog.role(this.roleOid())?.name ?? '';
      this.cachedPath = catalog.resolveSearchPath(names, roleName, this.temporaryNamespaceOid);
      const planner = PLANNER_SETTINGS.map((name) => this.settings.get(name)).join(',');
      this.cachedEnvironmentKey = `${this.roleOid()}|${this.cachedPath.namespaces.join(',')}|${planner}`;
    }
    return this.cachedEnvironmentKey;
  }

  private applyStartParameters(parameters: ReadonlyMap<string, string>): void {
    for (const [name, value] of parameters) {
      if (name === 'user' || name === 'database' || name === 'replication' || name.startsWith('_pq_.'))
        continue;
      if (name === 'options') {
        for (const [option, text] of parseCommandLineOptions(value)) this.settings.setAtStart(option, text);
      } else this.settings.setAtStart(name, name === 'client_encoding' ? value.replaceAll("'", '') : value);
    }
    this.entry.applicationName = this.settings.get('application_name');
  }

  private createServices(): ExecutorServices {
    const { engine } = this;
    return {
      tables: engine.tables,
      locks: engine.transactions.locks,
      functionContext: this.functionContext,
      monotonicMicros: () => engine.clock.monotonicMicros(),
      sliceMicros: SLICE_MICROS,
      workMemoryBytes: () => this.settings.number('work_mem') * 1024,
      lockTimeoutMicros: () => this.settings.number('lock_timeout') * 1000,
      currentRole: () => this.roleOid(),
      catalog: () => this.catalog(),
      searchPath: () => this.searchPath(),
      interrupt: () => this.interruptError,
      deferConstraint: (check) => {
        this.deferredChecks.push(check);
      },
      isConstraintDeferred: (oid, initiallyDeferred) =>
        this.constraintModes.get(oid) ?? this.constraintModes.get(0) ?? initiallyDeferred,
    };
  }

  private createSessionInfo(
    role: RoleDescriptor,
    options: SessionOptions,
  ): SessionFunctionContext['session'] {
    const session = this;
    return {
      get currentUser() {
        return session.catalog().role(session.roleOid())?.name ?? role.name;
      },
      get sessionUser() {
        return session.catalog().role(session.sessionUserOid)?.name ?? role.name;
      },
      database: options.database,
      searchPath: (implicit) => {
        const path = session.searchPath();
        const catalog = session.catalog();
        const names: string[] = [];
        const explicit = parseIdentifierList('search_path', session.settings.get('search_path'));
        for (const oid of path.namespaces) {
          const name = catalog.namespaceName(oid);
          if (name === null) continue;
          if (
            implicit ||
            oid === path.creationNamespace ||
            explicit.includes(name) ||
            (name === role.name && explicit.includes('$user'))
          )
            names.push(name);
        }
        return names;
      },
      backendPid: this.processId,
      version: this.engine.version,
      setting: (name) => session.settings.find(name) ?? undefined,
      setSetting: (name, value, isLocal) => {
        session.settings.set(name, value, isLocal ? 'local' : 'session');
        return session.settings.show(name);
      },
      notice: (severity, message) =>
        session.notice({
          severity,
          code: severity === 'WARNING' ? SQLSTATE.warning : SQLSTATE.successful_completion,
          message,
          fields: {},
        }),
    };
  }

  private async dropTemporaryObjects(): Promise<void> {
    if (this.temporaryNamespaceOid !== 0) await this.onDropTemporary?.(this);
  }
  /** Set by the room that creates temporary schemas. */
  onDropTemporary: ((session: BackendSession) => Promise<void>) | null = null;
}

/** Settings that change plans. */
const PLANNER_SETTINGS = [
  'enable_seqscan',
  'enable_indexscan',
  'enable_hashjoin',
  'enable_mergejoin',
  'enable_nestloop',
  'enable_hashagg',
  'enable_sort',
  'enable_material',
  'random_page_cost',
  'seq_page_cost',
  'cpu_tuple_cost',
  'cpu_index_tuple_cost',
  'cpu_operator_cost',
  'effective_cache_size',
  'work_mem',
  'from_collapse_limit',
  'join_collapse_limit',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'transform_null_equals',
  'fastpostgres.executor',
  'fastpostgres.native_kernels',
] as const;

class CountingRowSink implements RowSink {
  delivered = 0;
  private readonly sink: ResultSink;
  constructor(sink: ResultSink) {
    this.sink = sink;
  }
  row(frame: readonly Datum[]): void {
    this.delivered++;
    this.sink.row(frame);
  }
  isCongested(): boolean {
    return this.sink.isCongested();
  }
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a parameter; 22021 for bytes that are not UTF-8 or contain NUL. */
function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length < 64) {
    let isAscii = true;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte >= 0x80 || byte === 0) {
        isAscii = false;
        break;
      }
    }
    if (isAscii) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  }
  let text: string;
  try {
    text = utf8Decoder.decode(bytes);
  } catch {
    throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8"');
  }
  if (text.includes('\0'))
    throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  return text;
}

export function commandTag(plan: PhysicalPlan, rowCount: number): string {
  switch (plan.command) {
    case 'select':
      return `SELECT ${rowCount}`;
    case 'insert':
      return `INSERT 0 ${rowCount}`;
    case 'update':
      return `UPDATE ${rowCount}`;
    case 'delete':
      return `DELETE ${rowCount}`;
    case 'merge':
      return `MERGE ${rowCount}`;
  }
}

function columnsOfPlan(plan: PhysicalPlan): readonly ResultColumn[] | null {
  return plan.columns.length === 0 && plan.command !== 'select'
    ? null
    : plan.columns.length === 0
      ? NO_COLUMNS
      : plan.columns;
}

function sameColumns(left: readonly ResultColumn[], right: readonly ResultColumn[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      (column, index) => column.typeOid === right[index].typeOid && column.typmod === right[index].typmod,
    )
  );
}

function sameTypes(left: readonly Oid[], right: readonly Oid[]): boolean {
  return left.length === right.length && left.every((type, index) => type === right[index]);
}

/** Statements with a plan; all others are commands. */
export function isPlannableNode(node: string): boolean {
  return (
    node === 'SelectStmt' ||
    node === 'InsertStmt' ||
    node === 'UpdateStmt' ||
    node === 'DeleteStmt' ||
    node === 'MergeStmt'
  );
}

function isAllowedInFailedBlock(statement: ParsedStatement): boolean {
  if (statement.node !== 'TransactionStmt') return false;
  switch (statement.tree.kind) {
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
    case 'TRANS_STMT_ROLLBACK_TO':
    case 'TRANS_STMT_PREPARE':
      return true;
    default:
      return false;
  }
}

const SEVERITY_ORDER = [
  'debug5',
  'debug4',
  'debug3',
  'debug2',
  'debug1',
  'log',
  'notice',
  'warning',
  'error',
];

function isNoticeShown(severity: Notice['severity'], threshold: string): boolean {
  if (severity === 'INFO') return true;
  const level = severity === 'DEBUG' ? 'debug1' : severity.toLowerCase();
  return SEVERITY_ORDER.indexOf(level) >= SEVERITY_ORDER.indexOf(threshold);
}

export function terminatedByAdministrator(): DbError {
  return new DbError('admin_shutdown', 'terminating connection due to administrator command').fatal();
}

/** The `options` startup parameter: `-c name=value`, `--name=value`, backslash quotes blanks. */
export function parseCommandLineOptions(text: string): [string, string][] {
  const words: string[] = [];
  let word = '';
  let isOpen = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\\' && index + 1 < text.length) {
      word += text[++index];
      isOpen = true;
    } else if (character === ' ' || character === '\t' || character === '\n') {
      if (isOpen) words.push(word);
      word = '';
      isOpen = false;
    } else {
      word += character;
      isOpen = true;
    }
  }
  if (isOpen) words.push(word);
  const result: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    let assignment: string;
    if (words[index] === '-c') assignment = words[++index] ?? '';
    else if (words[index].startsWith('-c')) assignment = words[index].slice(2);
    else if (words[index].startsWith('--')) assignment = words[index].slice(2);
    else
      throw new DbError(
        'syntax_error',
        `invalid command-line argument for server process: ${words[index]}`,
      ).fatal();
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw new DbError('syntax_error', `-c ${assignment} requires a value`).fatal();
    result.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
  }
  return result;
}
