/** The extended query protocol: prepared statements and portals of one session. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { Execution } from '../executor/contract.ts';
import type { Shipment } from '../executor/offload/messages.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { OID } from '../types/index.ts';
import type { CompiledStatement } from './compiled-statement.ts';
import type { Pending, ResultColumn } from './contract.ts';
import type { ParsedStatement } from './engine.ts';
import { type Portal, type PreparedStatement, RowBuffer } from './portal.ts';
import type { BackendSession } from './session.ts';
import {
  cannotRun,
  columnsOfPlan,
  commandTag,
  decodeUtf8,
  isAllowedInFailedBlock,
  NO_FORMATS,
  sameColumns,
} from './statements.ts';
import { abortedBlock } from './transaction-block.ts';
import { executeCursor, type SqlCursor } from './utility/cursor.ts';
import { describeSessionCommand, isSessionCommand } from './utility/index.ts';

/** Parsed and named statements a session may hold. */
const PREPARED_STATEMENTS_MAX = 10_000;

/** Longer texts of these types are read on another thread. */
const GREAT_PARAMETER_BYTES = 65_536;
const READ_ELSEWHERE = new Set<Oid>([OID.JSON, OID.JSONB, OID.NUMERIC, OID.TSVECTOR, OID.TSQUERY]);
const CONVERT_FROM = 1714;

/** The input function of a type over bytes in UTF-8. */
function readText(typeOid: Oid): Shipment {
  const common = { typmod: -1, collation: 0 };
  const slot = (number: number, type: Oid) =>
    ({ kind: 'slot', slot: number, typeOid: type, ...common }) as never;
  return {
    expr: {
      kind: 'ioCast',
      form: 'explicitCast',
      typeOid,
      ...common,
      arg: {
        kind: 'function',
        functionOid: CONVERT_FROM,
        args: [slot(0, OID.BYTEA), slot(1, OID.NAME)],
        returnsSet: false,
        form: 'call',
        variadic: false,
        typeOid: OID.TEXT,
        ...common,
      },
    },
    functions: [{ oid: CONVERT_FROM, source: 'pg_convert_from', strict: true, volatility: 's' }],
    inputTypes: [OID.BYTEA, OID.NAME],
  };
}

const NO_PARAMETERS: readonly Datum[] = [];

export class ExtendedQuery {
  readonly prepared = new Map<string, PreparedStatement>();
  readonly portals = new Map<string, Portal>();
  /** The portal whose Execute runs. */
  running: Portal | null = null;
  private readonly session: BackendSession;

  constructor(session: BackendSession) {
    this.session = session;
  }

  parse(name: string, text: string, parameterTypes: readonly Oid[]): Pending {
    this.session.enterStatement(text);
    try {
      if (name !== '' && this.prepared.has(name)) {
        throw new DbError('duplicate_prepared_statement', `prepared statement "${name}" already exists`);
      }
      const compiled = this.session.compilation.compileText(text, parameterTypes);
      if (compiled instanceof Promise)
        return this.session.guard(compiled.then((late) => this.finishParse(name, late, parameterTypes)));
      this.finishParse(name, compiled, parameterTypes);
      // Between messages nothing runs: a client may go away before it sends the next one.
      this.session.leaveStatement();
      return null;
    } catch (error) {
      throw this.session.failed(error);
    }
  }

  private finishParse(name: string, compiled: CompiledStatement, parameterTypes: readonly Oid[]): void {
    this.storePrepared({
      name,
      compiled,
      declaredTypes: parameterTypes,
      fromSql: false,
      preparedAt: this.session.functionContext.statementTimestamp,
      customPlanCount: 0,
    });
    this.session.sink.parseComplete();
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
      const compiled = this.session.compilation.revalidate(statement);
      if (portalName !== '' && (this.portals.has(portalName) || this.session.cursors.has(portalName))) {
        throw new DbError('duplicate_cursor', `cursor "${portalName}" already exists`);
      }
      if (
        compiled.statement !== null &&
        this.session.block.state === 'failed' &&
        !isAllowedInFailedBlock(compiled.statement)
      )
        throw abortedBlock();
      const great = this.greatParameters(compiled, parameterFormats, values);
      if (great !== null) {
        this.session.enterStatement(compiled.text);
        return this.session.guard(
          great.then((read) =>
            this.finishBind(
              portalName,
              statement,
              compiled,
              parameterFormats,
              read.rest,
              resultFormats,
              read.values,
            ),
          ),
        );
      }
      this.finishBind(portalName, statement, compiled, parameterFormats, values, resultFormats, null);
      return null;
    } catch (error) {
      throw this.session.failed(error);
    }
  }

  /** Values whose reading would hold the loop are read on another thread; null = there are none. */
  private greatParameters(
    compiled: CompiledStatement,
    formats: readonly number[],
    values: readonly (Uint8Array | null)[],
  ): Promise<{ rest: readonly (Uint8Array | null)[]; values: Map<number, Datum> }> | null {
    let great: number[] | null = null;
    for (let index = 0; index < values.length; index++) {
      const bytes = values[index];
      const typeOid = compiled.parameterTypes[index];
      if (bytes === null || bytes.length <= GREAT_PARAMETER_BYTES || typeOid === undefined) continue;
      const format = formats.length === 0 ? 0 : formats.length === 1 ? formats[0] : formats[index];
      if (format !== 0 || !READ_ELSEWHERE.has(typeOid)) continue;
      great ??= [];
      great.push(index);
    }
    const host = this.session.engine.executor.resolver(this.session.services).offload;
    if (great === null || host === undefined) return null;
    this.session.compilation.currentFormat();
    const jobs = great.map((index) =>
      host.start(readText(compiled.parameterTypes[index]), [
        new Uint8Array(values[index] as Uint8Array),
        'UTF8',
      ]),
    );
    return Promise.all(jobs.map((job) => job.settled)).then(() => ({
      rest: values.map((bytes, index) => (great.includes(index) ? null : bytes)),
      values: new Map(great.map((index, at) => [index, jobs[at].take() ?? null])),
    }));
  }

  private finishBind(
    portalName: string,
    statement: PreparedStatement,
    compiled: CompiledStatement,
    parameterFormats: readonly number[],
    values: readonly (Uint8Array | null)[],
    resultFormats: readonly number[],
    read: ReadonlyMap<number, Datum> | null,
  ): void {
    const decoded = this.decodeParameters(statement, compiled, parameterFormats, values);
    const parameters = read === null ? decoded : decoded.map((value, index) => read.get(index) ?? value);
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
    const plan =
      compiled.plan === null
        ? null
        : this.session.compilation.choosePlan(compiled, compiled.plan, parameters);
    this.portals.set(portalName, {
      name: portalName,
      compiled,
      plan,
      parameters,
      resultFormats,
      state: 'ready',
      depth: this.session.block.depth,
      execution: null,
      buffer: null,
    });
    this.session.sink.bindComplete();
  }

  describeStatement(name: string): Pending {
    try {
      const statement = this.requirePrepared(name);
      const compiled = this.session.compilation.revalidate(statement);
      this.session.sink.parameterDescription(compiled.parameterTypes);
      const columns = this.columnsOf(compiled);
      if (columns === null) this.session.sink.noData();
      else this.session.sink.rowDescription(columns, NO_FORMATS);
      return null;
    } catch (error) {
      throw this.session.failed(error);
    }
  }

  describePortal(name: string): Pending {
    try {
      const cursor = this.cursorOf(name);
      if (cursor !== null) {
        this.session.sink.rowDescription(cursor.columns, cursor.formats);
        return null;
      }
      const portal = this.requirePortal(name);
      const columns = portal.plan === null ? this.columnsOf(portal.compiled) : columnsOfPlan(portal.plan);
      if (columns === null) this.session.sink.noData();
      else this.session.sink.rowDescription(columns, portal.resultFormats);
      return null;
    } catch (error) {
      throw this.session.failed(error);
    }
  }

  execute(portalName: string, maxRows: number): Pending {
    try {
      const cursor = this.cursorOf(portalName);
      if (cursor !== null) {
        if (this.session.block.state === 'failed') throw abortedBlock();
        this.session.enterStatement(cursor.text);
        return this.session.guard(executeCursor(this.session, cursor, maxRows));
      }
      const portal = this.requirePortal(portalName);
      this.session.enterStatement(portal.compiled.text);
      const statement = portal.compiled.statement;
      if (statement === null) {
        this.session.sink.emptyQueryResponse();
        this.session.leaveStatement();
        return null;
      }
      if (this.session.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
      this.running = portal;
      if (portal.plan !== null) this.session.measurement.measure(portal.compiled);
      const pending =
        portal.plan === null
          ? this.executeUtilityPortal(portal, statement, maxRows)
          : this.executePlanPortal(portal, portal.plan, maxRows);
      if (pending === null) {
        this.session.leaveStatement();
        return null;
      }
      return this.session.guard(pending);
    } catch (error) {
      throw this.session.failed(error);
    }
  }

  executePlanPortal(portal: Portal, plan: PhysicalPlan, maxRows: number): Pending {
    if (portal.state === 'failed') throw cannotRun(portal.name);
    if (portal.buffer !== null) return this.drainBuffer(portal, portal.buffer, maxRows);
    if (portal.state === 'done') {
      // What is no query runs once only.
      if (plan.columns.length === 0 && plan.command !== 'select') throw cannotRun(portal.name);
      this.session.sink.commandComplete(commandTag(plan, 0));
      return null;
    }
    const transaction = this.session.block.forStatement();
    if (portal.execution === null) {
      const waiting = this.session.executions.lockRelations(plan, transaction);
      if (waiting !== null)
        return waiting.then(
          () => this.executePlanPortal(portal, this.replan(portal, plan), maxRows) ?? undefined,
        );
    }
    this.session.compilation.refreshStatementContext();
    if (plan.columns.length > 0)
      this.session.sink.beginRows(plan.columns, portal.resultFormats, this.session.functionContext.format);
    if (maxRows > 0 && !plan.readOnly && plan.columns.length > 0) {
      const buffer = new RowBuffer(plan.columns);
      portal.buffer = buffer;
      const execution = this.session.executions.acquireExecution(plan);
      portal.execution = execution;
      const outcome = this.session.executions.runToEnd(execution, transaction, portal.parameters, {
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
      execution = this.session.executions.acquireExecution(plan);
      portal.execution = execution;
      execution.start({
        transaction,
        snapshot: transaction.statementSnapshot(),
        parameters: portal.parameters,
        instrumentation: null,
      });
      portal.state = 'open';
    }
    const sink = this.session.executions.rowSink;
    sink.delivered = 0;
    const result = execution.step(maxRows, sink);
    if (result === 'done' || result === 'limit')
      return this.endExecute(portal, plan, execution, transaction, result);
    const running = execution;
    return this.session.executions.stepOn(running, maxRows, sink, result).then((final) => {
      this.endExecute(portal, plan, running, transaction, final);
    });
  }

  /** The portal's plan after a wait for a lock, under which its tables may have changed. Error 0A000 when its columns did. */
  private replan(portal: Portal, plan: PhysicalPlan): PhysicalPlan {
    const { compiled } = portal;
    const { compilation } = this.session;
    const catalog = this.session.catalog();
    if (compiled.statement === null || compiled.catalogVersion === catalog.version) return plan;
    const again = compilation.compile(compiled.statement, compiled.text, compiled.parameterTypes);
    if (again.plan === null || !sameColumns(plan.columns, again.plan.columns))
      throw new DbError('feature_not_supported', 'cached plan must not change result type');
    const chosen = compilation.choosePlan(again, again.plan, portal.parameters);
    portal.compiled = again;
    portal.plan = chosen;
    return chosen;
  }

  endExecute(
    portal: Portal,
    plan: PhysicalPlan,
    execution: Execution,
    transaction: Transaction,
    result: 'done' | 'limit',
  ): Pending {
    if (result === 'limit') {
      this.session.sink.portalSuspended();
      return null;
    }
    // A SELECT read in parts answers with the rows of this Execute, as PostgreSQL does.
    const tag = commandTag(
      plan,
      plan.command === 'select' ? this.session.executions.rowSink.delivered : execution.rowCount,
    );
    this.session.measurement.rows = execution.rowCount;
    this.session.measurement.plan = plan;
    this.finishPortalExecution(portal, plan, execution);
    if (!plan.readOnly) transaction.advanceCommand();
    this.session.sink.commandComplete(tag);
    return null;
  }

  finishPortalExecution(portal: Portal, plan: PhysicalPlan, execution: Execution): void {
    portal.state = 'done';
    portal.execution = null;
    this.session.executions.releaseExecution(plan, execution);
  }

  executeUtilityPortal(portal: Portal, statement: ParsedStatement, maxRows: number): Pending {
    if (portal.buffer !== null) return this.drainBuffer(portal, portal.buffer, maxRows);
    if (portal.state === 'done') {
      throw cannotRun(portal.name);
    }
    portal.state = 'done';
    return this.session
      .runUtility(
        statement,
        portal.compiled.text,
        portal.parameters,
        portal.compiled.parameterTypes,
        portal.resultFormats,
        false,
        false,
      )
      .then((tag) => {
        this.session.sink.commandComplete(tag);
      });
  }

  drainBuffer(portal: Portal, buffer: RowBuffer, maxRows: number): Pending {
    this.session.sink.beginRows(buffer.columns, portal.resultFormats, this.session.functionContext.format);
    for (let count = 0; maxRows === 0 || count < maxRows; count++) {
      const row = buffer.next();
      if (row === null) {
        this.session.sink.commandComplete(buffer.tag);
        return null;
      }
      this.session.sink.row(row);
    }
    this.session.sink.portalSuspended();
    return null;
  }

  closeStatement(name: string): Pending {
    this.prepared.delete(name);
    this.session.sink.closeComplete();
    return null;
  }

  closePortal(name: string): Pending {
    const cursor = this.cursorOf(name);
    if (cursor === null) this.dropPortal(name);
    else {
      cursor.close();
      this.session.cursors.delete(name);
    }
    this.session.sink.closeComplete();
    return null;
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

  /** The cursor of DECLARE of that name: to the protocol it is a portal too. */
  private cursorOf(name: string): SqlCursor | null {
    if (name === '' || this.portals.has(name)) return null;
    return this.session.cursors.get(name) ?? null;
  }

  requirePortal(name: string): Portal {
    const portal = this.portals.get(name);
    if (portal === undefined) throw new DbError('invalid_cursor_name', `portal "${name}" does not exist`);
    return portal;
  }

  dropPortal(name: string): boolean {
    const portal = this.portals.get(name);
    if (portal === undefined) return false;
    this.portals.delete(name);
    if (portal.execution !== null && portal.plan !== null)
      this.session.executions.releaseExecution(portal.plan, portal.execution);
    portal.execution = null;
    return true;
  }

  /** An error ends the portal that ran into it and those opened since the savepoint that is now the last; others go on. */
  failPortals(depth: number): void {
    for (const portal of this.portals.values()) {
      if (portal !== this.running && portal.depth < depth) continue;
      if (portal.execution !== null) {
        portal.execution.close();
        portal.execution = null;
      }
      portal.state = 'failed';
    }
  }

  /** ROLLBACK TO: what was opened inside goes. */
  dropPortalsDeeperThan(depth: number): void {
    for (const portal of [...this.portals.values()]) if (portal.depth > depth) this.dropPortal(portal.name);
  }

  closeAllPortals(): void {
    for (const name of [...this.portals.keys()]) this.dropPortal(name);
  }

  decodeParameters(
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
    const context = this.session.compilation.currentFormat();
    const result: Datum[] = new Array(values.length);
    for (let index = 0; index < values.length; index++) {
      const bytes = values[index];
      if (bytes === null) {
        result[index] = null;
        continue;
      }
      const format = formats.length === 0 ? 0 : formats.length === 1 ? formats[0] : formats[index];
      const support = this.session.typeSupport(types[index]);
      if (format === 0) result[index] = support.input(decodeUtf8(bytes), -1, context);
      else if (format === 1) result[index] = support.receive(bytes, -1, context);
      else throw new DbError('invalid_parameter_value', `unsupported format code: ${format}`);
    }
    return result;
  }

  columnsOf(compiled: CompiledStatement): readonly ResultColumn[] | null {
    if (compiled.plan !== null) return columnsOfPlan(compiled.plan);
    const { statement } = compiled;
    if (statement === null) return null;
    if (isSessionCommand(statement.node)) return describeSessionCommand(this.session, statement);
    this.session.compilation.refreshStatementContext();
    return this.session.engine.utility.describe(
      statement,
      compiled.text,
      compiled.parameterTypes,
      this.session.compilation.compileEnvironment(),
    );
  }
}
