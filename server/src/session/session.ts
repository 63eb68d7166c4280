/**
 * One session: statements in order, transaction block, cancellation, what its statements may ask of it.
 *
 * Life of a statement: compile (or take from a cache) → open a transaction if none is → start the execution → step it, in
 * slices while it is long → command tag → commit if the transaction was implicit. A statement that finishes in its first
 * slice and writes nothing runs through without a promise.
 */
import type { Oid } from '../base/brands.ts';
import { DbError, type Notice } from '../base/error.ts';
import type { CatalogReader, RoleDescriptor, SearchPath } from '../catalog/contract.ts';
import type { CatalogReaderImplementation } from '../catalog/reader.ts';
import type { ExecutorServices } from '../executor/contract.ts';
import { textSearchCatalog } from '../executor/ddl/functions/text-search.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { BackendFunctions } from './backend-functions.ts';
import { Compilation } from './compilation.ts';
import type { Pending, ResultSink, Session, SessionOptions } from './contract.ts';
import { CopyInStream } from './copy-stream.ts';
import { DeferredConstraints } from './deferred-constraints.ts';
import type {
  CompileEnvironment,
  Engine,
  ParsedStatement,
  StatementCompiler,
  UtilityContext,
  UtilitySession,
} from './engine.ts';
import { Executions } from './executions.ts';
import { ExtendedQuery } from './extended-query.ts';
import { callFunction } from './function-call.ts';
import { POSTGRES_EPOCH_UNIX_MICROS, SessionFunctionContext } from './function-context.ts';
import { LargeObjects } from './large-objects.ts';
import { SessionNotifications } from './notifications.ts';
import type { Portal, PreparedStatement } from './portal.ts';
import type { SessionEntry } from './registry.ts';
import { SessionRoutines } from './routines.ts';
import { createSessionInfo } from './session-info.ts';
import { formatContextOf, SessionSettings } from './settings/session-settings.ts';
import { SimpleQuery } from './simple-query.ts';
import { parseCommandLineOptions } from './startup-options.ts';
import { StatementMeasurement } from './statement-measurement.ts';
import { isNoticeShown, terminatedByAdministrator } from './statements.ts';
import { TemporaryObjects } from './temporary-objects.ts';
import { SessionTimeouts } from './timeouts.ts';
import { TransactionBlock } from './transaction-block.ts';
import type { SqlCursor } from './utility/cursor.ts';
import { isSessionCommand, runSessionCommand } from './utility/index.ts';
import { withPreparedQuery } from './utility/prepare.ts';

/** Slice of the event loop one statement may take (architecture: at most 5 ms). */
const SLICE_MICROS = 4000;

export class BackendSession implements Session, UtilitySession {
  readonly processId: number;
  readonly secretKey: number;
  readonly settings: SessionSettings;
  readonly block: TransactionBlock;
  readonly services: ExecutorServices;
  readonly functionContext: SessionFunctionContext;
  readonly engine: Engine;
  sink: ResultSink;
  readonly entry: SessionEntry;
  readonly compilation: Compilation;
  readonly executions: Executions;
  readonly extended: ExtendedQuery;
  readonly routines: SessionRoutines;
  readonly largeObjects = new LargeObjects(this);
  private readonly simple: SimpleQuery;
  readonly cursors = new Map<string, SqlCursor>();
  readonly databaseName: string;
  /** Who was let in. */
  private readonly authenticatedOid: Oid;
  private identityVersion = -1;
  private cachedSessionUser: Oid = 0;
  private cachedRole: Oid = 0;
  interruptError: DbError | null = null;
  /** Hypothetical indexes: how EXPLAIN without ANALYZE sees the catalog; null = as it is. */
  plannedCatalog: ((catalog: CatalogReader) => CatalogReader) | null = null;
  readonly measurement: StatementMeasurement;
  readonly notifications: SessionNotifications;
  readonly deferredConstraints: DeferredConstraints;
  readonly temporary: TemporaryObjects;
  private readonly timeouts: SessionTimeouts;
  private isRunning = false;
  private isClosed = false;
  private copyIn: CopyInStream | null = null;

  /** As the lock manager knows it: locks of the session and of its transactions do not hinder each other. */
  get sessionId(): number {
    return this.processId;
  }

  constructor(engine: Engine, options: SessionOptions, role: RoleDescriptor) {
    this.engine = engine;
    this.sink = options.sink;
    this.databaseName = options.database;
    this.authenticatedOid = role.oid;
    const { processId, secretKey } = engine.sessions.allocate();
    this.processId = processId;
    this.secretKey = secretKey;
    this.compilation = new Compilation(this);
    this.executions = new Executions(this);
    this.extended = new ExtendedQuery(this);
    this.routines = new SessionRoutines(this);
    this.simple = new SimpleQuery(this);
    this.temporary = new TemporaryObjects(this);
    this.timeouts = new SessionTimeouts(this);
    this.measurement = new StatementMeasurement(this);
    this.notifications = new SessionNotifications(engine.sessions);
    this.deferredConstraints = new DeferredConstraints(async (check) => {
      await this.routines.drive({
        run: () => {
          check();
          return null;
        },
      });
    });
    this.settings = new SessionSettings(engine.serverSettings, {
      report: (name, value) => this.sink.parameterStatus(name, value),
      isSuperuser: () => this.catalog().role(this.roleOid())?.superuser === true,
    });
    this.block = new TransactionBlock({
      manager: engine.transactions,
      settings: this.settings,
      sessionId: processId,
      wallTimestamp: () => this.functionContext.statementTimestamp,
      ended: (committed) => this.transactionEnded(committed),
    });
    const now = this.wallTimestamp();
    this.functionContext = new SessionFunctionContext({
      engine,
      format: formatContextOf(this.settings, now),
      session: createSessionInfo(this, role, options),
      backend: new BackendFunctions(this),
      textSearch: textSearchCatalog(() => this.catalog() as CatalogReaderImplementation),
      checkInterrupt: () => this.checkInterrupt(),
      resolveType: (oid) => this.typeSupport(oid),
    });
    this.services = this.createServices();
    const session = this;
    this.entry = {
      processId,
      secretKey,
      userOid: role.oid,
      userName: role.name,
      databaseOid: engine.catalogFor(null).databaseOid,
      databaseName: options.database,
      clientAddress: options.clientAddress,
      clientPort: options.clientPort,
      tls: options.tls ?? null,
      backendType: options.backendType,
      backendStart: now,
      applicationName: '',
      state: 'idle',
      stateChange: now,
      query: '',
      queryStart: null,
      get transactionStart() {
        return session.block.state === 'none' ? null : session.block.startTimestamp;
      },
      waitEventType: 'Client',
      waitEvent: 'ClientRead',
      get xid() {
        return session.block.transaction?.xid ?? 0;
      },
      queryId: 0n,
      cancel: () => this.cancel(),
      reloaded: () => {
        this.settings.version++;
      },
      terminate: (error) => void this.close(error ?? terminatedByAdministrator()),
      deliver: (sender, channel, payload) => this.deliver(sender, channel, payload),
    };
    this.applyStartParameters(options.parameters);
    engine.sessions.add(this.entry);
    engine.monitor?.sessionOpened(this);
    this.timeouts.startIdle();
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
      const fast = this.simple.trySimpleFast(text);
      if (fast === null) {
        this.leaveStatement();
        return null;
      }
      return this.guard(fast ?? this.simple.simpleQueryGeneral(text));
    } catch (error) {
      throw this.failed(error);
    }
  }

  // -------------------------------------------------------------------------------------- Session: extended query

  parse(name: string, text: string, parameterTypes: readonly Oid[]): Pending {
    return this.extended.parse(name, text, parameterTypes);
  }

  bind(
    portal: string,
    statement: string,
    parameterFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormats: readonly number[],
  ): Pending {
    return this.extended.bind(portal, statement, parameterFormats, values, resultFormats);
  }

  describeStatement(name: string): Pending {
    return this.extended.describeStatement(name);
  }

  describePortal(name: string): Pending {
    return this.extended.describePortal(name);
  }

  execute(portal: string, maxRows: number): Pending {
    return this.extended.execute(portal, maxRows);
  }

  closeStatement(name: string): Pending {
    return this.extended.closeStatement(name);
  }

  closePortal(name: string): Pending {
    return this.extended.closePortal(name);
  }

  compileEnvironment(): CompileEnvironment {
    return this.compilation.compileEnvironment();
  }

  get prepared(): Map<string, PreparedStatement> {
    return this.extended.prepared;
  }

  get portals(): Map<string, Portal> {
    return this.extended.portals;
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

  functionCall(
    functionOid: Oid,
    argumentFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormat: number,
  ): Promise<Uint8Array | null> {
    return callFunction(this, functionOid, argumentFormats, values, resultFormat);
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
    this.timeouts.clear();
    this.interrupt(error ?? terminatedByAdministrator());
    // A running statement notices the interrupt at its next check; its own error path rolls back.
    while (this.isRunning) await this.engine.clock.sleep(1);
    this.extended.closeAllPortals();
    this.block.rollback();
    this.executions.closeAll();
    this.extended.prepared.clear();
    this.engine.transactions.locks.unlockAllAdvisory(this);
    await this.temporary.drop(null);
    this.engine.sessions.remove(this.entry);
    this.engine.monitor?.sessionClosed(this);
  }

  /** Set by the host: told when the server ends this session (timeouts, pg_terminate_backend). */
  onTerminate: ((error: DbError) => void) | null = null;

  // --------------------------------------------------------------------------------------- UtilitySession, services

  /** Role of a SECURITY DEFINER function that runs; null = none. */
  private effectiveRoleOid: Oid | null = null;

  get isInSecurityDefiner(): boolean {
    return this.effectiveRoleOid !== null;
  }

  setEffectiveRole(role: Oid | null): void {
    if (this.effectiveRoleOid === role) return;
    this.effectiveRoleOid = role;
    this.settings.version++;
  }

  /** Sends what `work` would show to the client elsewhere. */
  async withSink<T>(sink: ResultSink, work: () => Promise<T>): Promise<T> {
    const outer = this.sink;
    const notices = (notice: Notice): void => outer.notice(notice);
    sink.notice = notices;
    this.sink = sink;
    this.executions.rowSink.sink = sink;
    try {
      return await work();
    } finally {
      this.sink = outer;
      this.executions.rowSink.sink = outer;
    }
  }

  roleOid(): Oid {
    if (this.effectiveRoleOid !== null) return this.effectiveRoleOid;
    this.refreshIdentity();
    return this.cachedRole;
  }

  /** SET SESSION AUTHORIZATION, or who was let in. */
  get sessionUserOid(): Oid {
    this.refreshIdentity();
    return this.cachedSessionUser;
  }

  private refreshIdentity(): void {
    if (this.identityVersion === this.settings.version) return;
    this.identityVersion = this.settings.version;
    this.cachedSessionUser = this.settings.identity('session_authorization') ?? this.authenticatedOid;
    this.cachedRole = this.settings.identity('role') ?? this.cachedSessionUser;
  }

  catalog(): CatalogReader {
    return this.engine.catalogFor(this.block.transaction);
  }

  searchPath(): SearchPath {
    return this.compilation.searchPath();
  }

  get isInTransactionBlock(): boolean {
    return this.block.isInBlock || this.isMultiStatement;
  }
  private isMultiStatement = false;

  notice(notice: Notice): void {
    if (isNoticeShown(notice.severity, this.settings.get('client_min_messages'))) this.sink.notice(notice);
  }

  temporaryNamespace(): Oid {
    return this.temporary.namespaceOid;
  }

  get compiler(): StatementCompiler {
    return this.engine.compiler;
  }

  setTemporaryNamespace(oid: Oid): void {
    this.temporary.setNamespace(oid);
  }

  noteTemporaryChange(): void {
    this.temporary.noteChange();
  }

  onCommitTemporary(relationOid: Oid): void {
    this.temporary.emptyAtCommit(relationOid);
  }

  runPlan(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    row: ((frame: readonly Datum[]) => void) | null,
  ): Promise<number> {
    return this.executions.runPlan(plan, parameters, row);
  }

  /** End of a subtransaction of a function, by success. */
  releaseInternal(): void {
    this.block.releaseInternal();
    const { depth } = this.block;
    for (const portal of this.extended.portals.values()) portal.depth = Math.min(portal.depth, depth);
    for (const cursor of this.cursors.values()) cursor.depth = Math.min(cursor.depth, depth);
  }

  /** End of a subtransaction of a function, by an error: cursors opened inside it go. */
  rollbackInternal(): void {
    this.block.rollbackInternal();
    const { depth } = this.block;
    for (const [name, cursor] of this.cursors) {
      if (cursor.depth <= depth || cursor.isPersisted) continue;
      cursor.close();
      this.cursors.delete(name);
    }
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
  async runUtility(
    statement: ParsedStatement,
    text: string,
    parameters: readonly Datum[],
    parameterTypes: readonly Oid[],
    resultFormats: readonly number[],
    isMulti: boolean,
    isSimple: boolean,
  ): Promise<string> {
    this.isMultiStatement = isMulti;
    this.measurement.measureText(statement.text);
    const command = this.engine.monitor?.commandStarted(this, statement) ?? null;
    try {
      if (isSessionCommand(statement.node)) {
        return await runSessionCommand({
          session: this,
          statement,
          text,
          parameters,
          parameterTypes,
          resultFormats,
          isSimple,
        });
      }
      const transaction = this.block.forStatement();
      this.compilation.refreshStatementContext();
      const context: UtilityContext = {
        statement: withPreparedQuery(this, statement, text),
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
      command?.end();
      this.isMultiStatement = false;
    }
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

  /** ROLLBACK TO a savepoint: cursors and portals opened inside it go with it. */
  rollbackTo(savepoint: string): void {
    this.block.rollbackTo(savepoint);
    const depth = this.block.depth - 1;
    this.extended.dropPortalsDeeperThan(depth);
    for (const [name, cursor] of this.cursors) {
      if (cursor.depth <= depth || cursor.isPersisted) continue;
      cursor.close();
      this.cursors.delete(name);
    }
  }

  /** RELEASE: what was opened inside the savepoint now belongs to what encloses it. */
  release(savepoint: string): void {
    this.block.release(savepoint);
    const { depth } = this.block;
    for (const portal of this.extended.portals.values()) portal.depth = Math.min(portal.depth, depth);
    for (const cursor of this.cursors.values()) cursor.depth = Math.min(cursor.depth, depth);
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
    this.extended.closeAllPortals();
    if (
      this.block.state !== 'failed' &&
      !this.deferredConstraints.isEmpty &&
      this.block.transaction !== null
    ) {
      return this.deferredConstraints.run().then(
        () => this.commit() ?? undefined,
        (thrown: unknown) => {
          // A commit that fails leaves no transaction behind.
          this.rollback();
          throw thrown;
        },
      );
    }
    if (this.block.state !== 'failed') this.temporary.beforeCommit();
    const { monitor } = this.engine;
    if (monitor === null) return this.block.commit();
    // What a commit appends, it appends before it returns.
    const before = monitor.logPosition();
    const pending = this.block.commit();
    this.measurement.addWalBytes(monitor.logPosition() - before);
    if (pending !== null) {
      // leaveStatement takes it back.
      this.entry.waitEventType = 'IO';
      this.entry.waitEvent = 'WALSync';
    }
    return pending;
  }

  private async persistCursors(cursors: readonly SqlCursor[]): Promise<void> {
    for (const cursor of cursors) await cursor.persist();
  }

  rollback(): void {
    this.extended.closeAllPortals();
    this.block.rollback();
  }

  private transactionEnded(committed: boolean): void {
    this.deferredConstraints.transactionEnded();
    if (this.cursors.size > 0) this.closeCursors(committed);
    this.notifications.transactionEnded(committed, this.entry);
  }

  private deliver(processId: number, channel: string, payload: string): void {
    if (this.isRunning || this.block.isInBlock) this.notifications.hold(processId, channel, payload);
    else this.sink.notification(processId, channel, payload);
  }

  afterSync(): void {
    this.showNotifications();
  }

  private showNotifications(): void {
    if (this.block.isInBlock) return;
    this.notifications.flush((processId, channel, payload) =>
      this.sink.notification(processId, channel, payload),
    );
  }

  guard(pending: Promise<void>): Promise<void> {
    return pending.then(
      () => this.leaveStatement(),
      (error: unknown) => {
        throw this.failed(error);
      },
    );
  }

  enterStatement(text: string): void {
    if (this.isClosed) throw terminatedByAdministrator();
    this.isRunning = true;
    if (this.interruptError !== null && this.interruptError.severity !== 'FATAL') this.interruptError = null;
    const { entry } = this;
    entry.query = text;
    entry.state = 'active';
    entry.waitEventType = null;
    entry.waitEvent = null;
    const now = this.wallTimestamp();
    this.functionContext.statementTimestamp = now;
    entry.queryStart = now;
    entry.stateChange = now;
    this.measurement.enter();
    this.timeouts.enter();
  }

  /** Tells pg_stat_activity what an execution that left with a WaitSignal waits for. */
  noteWait(): void {
    const { entry } = this;
    const lock = this.engine.transactions.locks.waitKindOf(this.processId);
    if (lock !== null) {
      entry.waitEventType = 'Lock';
      entry.waitEvent = lock;
    } else if (this.wakeSleeper !== null) {
      entry.waitEventType = 'Timeout';
      entry.waitEvent = 'PgSleep';
    } else {
      entry.waitEventType = 'IO';
      entry.waitEvent = 'DataFileRead';
    }
  }

  leaveStatement(): void {
    this.measurement.finish();
    this.isRunning = false;
    this.extended.running = null;
    const { entry, block } = this;
    entry.state =
      block.state === 'failed'
        ? 'idle in transaction (aborted)'
        : block.state === 'block'
          ? 'idle in transaction'
          : 'idle';
    entry.waitEventType = 'Client';
    entry.waitEvent = 'ClientRead';
    if (block.state === 'block') this.releaseSnapshots();
    this.showNotifications();
    if (!this.isClosed) this.timeouts.leave();
    else this.timeouts.clear();
  }

  /** Between statements of a READ COMMITTED block nothing old is looked at, so vacuum need not wait for it. */
  private releaseSnapshots(): void {
    const transaction = this.block.transaction;
    if (transaction === null || transaction.isolation !== 'read committed' || this.cursors.size > 0) return;
    for (const portal of this.extended.portals.values()) if (portal.execution !== null) return;
    transaction.releaseSnapshots();
  }

  /** Brings the session into the state after an error and returns the error to show. */
  failed(thrown: unknown): DbError {
    const error = this.asDbError(thrown);
    this.routines.reset();
    this.measurement.abandon();
    this.engine.monitor?.failed(this, error.code);
    const { depth } = this.block;
    try {
      this.extended.failPortals(depth);
      this.copyIn?.abandon();
      if (this.block.state === 'block')
        for (const cursor of this.cursors.values()) if (cursor.depth >= depth) cursor.close();
      if (this.block.state === 'implicit') this.extended.closeAllPortals();
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

  private applyStartParameters(parameters: ReadonlyMap<string, string>): void {
    for (const { source, name, value } of this.catalog().storedSettings(this.sessionUserOid)) {
      try {
        this.settings.setAtStart(name, value, source);
      } catch (error) {
        // A stored value that is no longer valid must not lock anybody out.
        if (!(error instanceof DbError)) throw error;
        this.notice({ severity: 'WARNING', code: error.code, message: error.message, fields: error.fields });
      }
    }
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
      spilling: () => {
        if (this.settings.get('fastpostgres.spill') === 'force') return 'force';
        return this.settings.sourceOf('work_mem') === 'default' ? 'auto' : 'chosen';
      },
      settingsVersion: () => this.settings.wholeVersion,
      lockTimeoutMicros: () => this.settings.number('lock_timeout') * 1000,
      currentRole: () => this.roleOid(),
      catalog: () => this.catalog(),
      searchPath: () => this.searchPath(),
      interrupt: () => this.interruptError,
      deferConstraint: (check) => this.deferredConstraints.add(check),
      isConstraintDeferred: (oid, initiallyDeferred) =>
        this.deferredConstraints.isDeferred(oid, initiallyDeferred),
      changeCatalogRow: (relationOid, oldRow, newRow) =>
        engine.utility.changeCatalogRow?.(this.block.forStatement(), relationOid, oldRow, newRow),
      routines: this.routines.manager,
      activity: this.routines.activity,
    };
  }
}
