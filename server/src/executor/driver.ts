/**
 * Runs physical plans on the row executor: the {@link Execution} that sessions step through.
 *
 * 1. `start` checks privileges, takes table locks and opens the operators (first execution: after building them).
 * 2. `step` pulls rows until it is done, the sink is full, `maxRows` are out, or an operator leaves by a suspension.
 * 3. After the last row, data-modifying CTEs are run to their end, then foreign keys are checked.
 *
 * Between executions the operator tree stays, so a prepared statement compiles once per session.
 */

import { assert, DbError } from '../base/error.ts';
import { SuspendSignal, WaitSignal } from '../base/suspend.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import {
  aggregateFunction,
  scalarFunction,
  setReturningFunction,
  windowFunction,
} from '../sql/functions/index.ts';
import type { Expr } from '../sql/tree.ts';
import type { Datum } from '../types/datum.ts';
import { OID } from '../types/index.ts';
import { Jsonb } from '../types/jsonb.ts';
import type { Execution, ExecutionContext, ExecutorServices, RowSink, StepResult } from './contract.ts';
import {
  CatalogFunctionResolver,
  type FunctionLibrary,
  type FunctionResolver,
  type UserFunctionBinder,
} from './functions.ts';
import type { Instrumentation } from './instrument.ts';
import type { Shipment } from './offload/messages.ts';
import type { OffloadJob, OffloadService } from './offload/service.ts';
import { checkPermissions, refuseWrites } from './permissions.ts';
import type { PipelineService } from './pipeline/service.ts';
import type { OffloadHost } from './row/expression/offload.ts';
import { buildOperator } from './row/operators/build.ts';
import { cteStore } from './row/operators/cte-scan.ts';
import type { Operator } from './row/operators/operator.ts';
import { SequenceExecution } from './sequence.ts';
import { type ExecutionEnvironment, ExecutionState, type SpillStore } from './state.ts';

const builtinFunctions: FunctionLibrary = {
  scalarFunction,
  setFunction: setReturningFunction,
  aggregateFunction,
  windowFunction,
};

/** What the row executor needs of rooms that are handed in by the composition root. */
export interface RowExecutorOptions {
  /** Default: the builtin functions. */
  readonly library?: FunctionLibrary;
  readonly parseExpression: (text: string) => Expr;
  readonly spill?: SpillStore | null;
  readonly userFunction?: UserFunctionBinder | null;
  /** Runs aggregates over large tables on workers; absent = never. */
  readonly pipelines?: PipelineService | null;
  /** Evaluates heavy expressions on threads; absent = everything is evaluated here. */
  readonly offload?: OffloadService | null;
  /** Hard limit of a statement's memory where it cannot spill; work_mem may raise it. */
  readonly memoryLimitBytesMin?: number;
  /** work_mem counts at least as much before anything is written to temporary files. */
  readonly spillLimitBytesMin?: number;
}

/** Settings that functions read and that go with an expression to another thread. */
const OFFLOADED_SETTINGS = [
  'default_text_search_config',
  'client_encoding',
  'pg_trgm.similarity_threshold',
  'pg_trgm.word_similarity_threshold',
  'pg_trgm.strict_word_similarity_threshold',
];

const MEMORY_LIMIT_BYTES_MIN = 2 ** 30;
const SPILL_LIMIT_BYTES_MIN = 2 ** 28;
/** A chosen work_mem counts at least as much: smaller files cost more than they save. */
const SPILL_LIMIT_BYTES_LEAST = 2 ** 22;
/** With `fastpostgres.spill = force`: nearly everything is written out, and pipelines give up half-way. */
const FORCED_SPILL_BYTES = 16_384;
const FORCED_PIPELINE_BYTES = 2 ** 19;

/** See {@link RowExecutor.limits}. */
interface SessionLimits
  extends Pick<
    ExecutionEnvironment,
    'resolver' | 'sessionId' | 'memoryLimitBytes' | 'spillLimitBytes' | 'pipelineBytes'
  > {
  readonly version: number;
}

export class RowExecutor {
  private readonly known = new WeakMap<ExecutorServices, SessionLimits>();
  private readonly options: RowExecutorOptions;
  /** One resolver per session: its function context is the session's. */
  private readonly resolvers = new WeakMap<ExecutorServices, FunctionResolver>();

  constructor(options: RowExecutorOptions) {
    this.options = options;
  }

  resolver(services: ExecutorServices): FunctionResolver {
    let resolver = this.resolvers.get(services);
    if (resolver === undefined) {
      const { library, userFunction } = this.options;
      resolver = new CatalogFunctionResolver(
        () => services.catalog(),
        library ?? builtinFunctions,
        services.functionContext,
        userFunction ?? null,
        services.routines ?? null,
        () => services.currentRole(),
        this.offloadHost(services),
      );
      this.resolvers.set(services, resolver);
    }
    return resolver;
  }

  private offloadHost(services: ExecutorServices): OffloadHost | null {
    const offload = this.options.offload ?? null;
    if (offload === null) return null;
    const context = services.functionContext;
    return {
      start(shipment, inputs) {
        const { names: _, ...format } = context.format;
        const settings: Record<string, string> = {};
        for (const name of OFFLOADED_SETTINGS) {
          const value = context.session.setting(name);
          if (value !== undefined) settings[name] = value;
        }
        const timestamps = [context.transactionTimestamp, context.statementTimestamp] as const;
        return offload.start(shipment, inputs, { format, settings, timestamps }, () => services.interrupt());
      },
    };
  }

  instantiate(plan: PhysicalPlan, services: ExecutorServices): Execution {
    if (plan.sequence !== undefined)
      return new SequenceExecution(
        plan,
        plan.sequence.plans.map((item) => this.instantiate(item, services)),
        plan.sequence.main,
      );
    return new RowExecution(plan, (context) => this.environment(services, context));
  }

  /** What settings and the session say about an execution, asked again when a setting has changed. */
  private limits(services: ExecutorServices): SessionLimits {
    const version = services.settingsVersion?.() ?? -1;
    const known = this.known.get(services);
    if (known !== undefined && known.version === version && version >= 0) return known;
    const spilling = services.spilling?.() ?? 'auto';
    const isForced = spilling === 'force';
    const chosen = isForced
      ? FORCED_SPILL_BYTES
      : spilling === 'chosen'
        ? Math.max(services.workMemoryBytes(), SPILL_LIMIT_BYTES_LEAST)
        : null;
    const limits: SessionLimits = {
      version,
      resolver: this.resolver(services),
      sessionId: services.functionContext.session.backendPid,
      memoryLimitBytes: Math.max(
        services.workMemoryBytes(),
        this.options.memoryLimitBytesMin ?? MEMORY_LIMIT_BYTES_MIN,
      ),
      spillLimitBytes:
        chosen ??
        Math.max(services.workMemoryBytes(), this.options.spillLimitBytesMin ?? SPILL_LIMIT_BYTES_MIN),
      pipelineBytes: isForced ? FORCED_PIPELINE_BYTES : chosen,
    };
    this.known.set(services, limits);
    return limits;
  }

  /** Surroundings of one execution, also for work beside plans (COPY, constraint validation). */
  environment(services: ExecutorServices, context: ExecutionContext): ExecutionEnvironment {
    const limits = this.limits(services);
    return {
      services,
      catalog: services.catalog(),
      resolver: limits.resolver,
      transaction: context.transaction,
      snapshot: context.snapshot,
      parameters: context.parameters,
      sessionId: limits.sessionId,
      memoryLimitBytes: limits.memoryLimitBytes,
      spillLimitBytes: limits.spillLimitBytes,
      pipelineBytes: limits.pipelineBytes,
      spill: this.options.spill ?? null,
      pipelines: this.options.pipelines ?? null,
      parseExpression: this.options.parseExpression,
      instrumentation: context.instrumentation as Instrumentation | null,
    };
  }
}

/** Lighter documents are printed in about a millisecond. */
const DOCUMENT_WEIGHT_MAX = 65_536;
const BY_DEFAULT = { typmod: -1, collation: 0 };
const PRINT_DOCUMENT: Shipment = {
  expr: {
    kind: 'ioCast',
    form: 'explicitCast',
    typeOid: OID.TEXT,
    ...BY_DEFAULT,
    arg: { kind: 'slot', slot: 0, typeOid: OID.JSONB, ...BY_DEFAULT } as never,
  },
  functions: [],
  inputTypes: [OID.JSONB],
};

type Phase = 'closed' | 'lock' | 'rows' | 'ctes' | 'after' | 'done';

class RowExecution implements Execution {
  readonly plan: PhysicalPlan;
  rowCount = 0;
  private readonly makeEnvironment: (context: ExecutionContext) => ExecutionEnvironment;
  private state: ExecutionState | null = null;
  private root: Operator | null = null;
  private phase: Phase = 'closed';
  private lockIndex = 0;
  private hasWaitedForLock = false;
  /** Descriptors of the plan's relations before its locks were asked for. */
  private readonly definitions = new Map<number, unknown>();
  private cteIndex = 0;
  private checkedVersion = -1;
  private checkedRole = -1;
  private instrumented: object | null = null;
  /** Slots of the columns that may hold great documents, and the row that waits for one to be printed. */
  private readonly documents: readonly number[];
  private hasRow = false;
  private printing: OffloadJob | null = null;

  constructor(plan: PhysicalPlan, makeEnvironment: (context: ExecutionContext) => ExecutionEnvironment) {
    this.plan = plan;
    this.makeEnvironment = makeEnvironment;
    this.documents = plan.columns.filter(({ typeOid }) => typeOid === OID.JSONB).map(({ slot }) => slot);
  }

  start(context: ExecutionContext): void {
    this.close();
    const environment = this.makeEnvironment(context);
    const { catalog, services } = environment;
    const role = services.currentRole();
    if (this.checkedVersion !== catalog.version || this.checkedRole !== role) {
      checkPermissions(this.plan, catalog, role);
      this.checkedVersion = catalog.version;
      this.checkedRole = role;
    }
    if (context.transaction.readOnly && !this.plan.readOnly) refuseWrites(this.plan, catalog);
    if (this.state === null || this.instrumented !== context.instrumentation) {
      this.state = new ExecutionState(this.plan, environment);
      this.root = buildOperator(this.plan.root, this.state);
      this.instrumented = context.instrumentation;
    } else this.state.reset(environment);
    this.root!.open();
    this.rowCount = 0;
    this.lockIndex = 0;
    this.hasWaitedForLock = false;
    if (this.definitions.size > 0) this.definitions.clear();
    this.cteIndex = 0;
    this.phase = 'lock';
  }

  step(maxRows: number, sink: RowSink): StepResult {
    const { state, root } = this;
    assert(
      state !== null && root !== null && this.phase !== 'closed',
      'an execution must be started before it is stepped',
    );
    const { snapshot, services } = state.environment;
    const { activity } = services;
    const outerSnapshot = activity?.snapshot ?? null;
    if (activity !== undefined) {
      activity.depth++;
      activity.snapshot = snapshot;
    }
    try {
      state.beginSlice();
      if (this.phase === 'lock') {
        this.takeLocks();
        this.phase = 'rows';
      }
      if (this.phase === 'rows') {
        const { frame } = state;
        let delivered = 0;
        const hasColumns = this.plan.columns.length > 0 || this.plan.command === 'select';
        while (this.hasRow || root.next()) {
          if (!hasColumns) continue;
          if (this.documents.length > 0) {
            this.hasRow = true;
            this.printDocuments(state, frame);
            this.hasRow = false;
          }
          if (this.plan.command === 'select') this.rowCount++;
          sink.row(frame);
          if (++delivered === maxRows) return 'limit';
          if (sink.isCongested()) return 'congested';
        }
        this.phase = 'ctes';
      }
      if (this.phase === 'ctes') {
        const { ctes } = this.plan;
        for (; this.cteIndex < ctes.length; this.cteIndex++) {
          if (ctes[this.cteIndex]!.modifies) cteStore(state, this.cteIndex).drain();
        }
        this.phase = 'after';
      }
      if (this.phase === 'after') {
        state.after?.run(state);
        this.phase = 'done';
      }
      if (this.plan.command !== 'select') this.rowCount = state.processed;
      return 'done';
    } catch (thrown) {
      if (thrown instanceof SuspendSignal) return 'suspended';
      if (thrown instanceof WaitSignal) return thrown;
      throw thrown;
    } finally {
      if (activity !== undefined) {
        activity.snapshot = outerSnapshot;
        if (--activity.depth === 0) activity.deadline = Number.POSITIVE_INFINITY;
      }
    }
  }

  /** Great jsonb values of the row get their text on another thread, before the client's encoder asks for it. */
  private printDocuments(state: ExecutionState, frame: readonly Datum[]): void {
    const host = state.environment.resolver.offload;
    if (host === undefined) return;
    for (const slot of this.documents) {
      const value = frame[slot];
      if (!(value instanceof Jsonb) || value.text !== null || value.weight <= DOCUMENT_WEIGHT_MAX) continue;
      const job = this.printing ?? host.start(PRINT_DOCUMENT, [value]);
      this.printing = job;
      const text = job.take();
      this.printing = null;
      value.text = text === undefined ? null : (text as string);
    }
  }

  /** Table locks of the plan; they are held to the end of the transaction. */
  private takeLocks(): void {
    const state = this.state!;
    const { services, transaction } = state.environment;
    const { relations } = this.plan;
    while (this.lockIndex < relations.length) {
      const { relationOid, lockMode } = relations[this.lockIndex]!;
      const pending = services.locks.lockTable(transaction, relationOid, lockMode, {
        policy: 'wait',
        timeoutMicros: services.lockTimeoutMicros(),
      });
      // The promise resolves with the lock granted: it is not asked for again.
      this.lockIndex++;
      if (pending !== null) this.noteWait();
      state.waitFor(pending);
    }
    if (this.hasWaitedForLock) this.checkDefinitions();
  }

  private noteWait(): void {
    this.hasWaitedForLock = true;
    if (this.definitions.size > 0) return;
    const now = this.state!.environment.services.catalog();
    for (const { relationOid } of this.plan.relations)
      this.definitions.set(relationOid, now.relation(relationOid));
  }

  /** Whoever held a lock may have changed the table: a plan made for the old definition must not run. */
  private checkDefinitions(): void {
    const { services, catalog } = this.state!.environment;
    const now = services.catalog();
    if (now.version === this.plan.catalogVersion) return;
    for (const { relationOid } of this.plan.relations) {
      if (now.relation(relationOid) === this.definitions.get(relationOid)) continue;
      throw new DbError(
        'serialization_failure',
        `could not serialize access due to concurrent change of the definition of "${catalog.relation(relationOid)?.name ?? relationOid}"`,
        { hint: 'Run the statement again.' },
      );
    }
  }

  close(): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.root!.close();
    if (this.state!.subplans.size > 0) for (const runner of this.state!.subplans.values()) runner.reset();
    for (const cte of this.state!.ctes) cte?.reset();
    this.state!.after = null;
    this.hasRow = false;
    this.printing = null;
  }
}
