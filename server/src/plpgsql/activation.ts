/**
 * One call of a PL/pgSQL function under way: its frame, where it stands, and what it holds open.
 *
 * Steps are run one after the other until one answers -1. A step that must wait leaves by a signal and is run again from its
 * beginning, so whatever it has done by then it keeps here: the running statement, the pending promise, a counter of progress.
 *
 * Exceptions    a block with handlers opens a subtransaction. An error rolls it back, closes what was opened inside and goes
 *               on at the first handler that fits.
 */
import { DbError } from '../base/error.ts';
import { isSuspension, SuspendSignal, WaitSignal } from '../base/suspend.ts';
import type { RelationDescriptor } from '../catalog/contract.ts';
import type { Execution, RowSink } from '../executor/contract.ts';
import type { Invocation } from '../executor/routines.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Snapshot } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { Code, ExceptionBlock, Place } from './code.ts';
import type { RoutineManager } from './manager.ts';
import { type PreparedPlan, preparedPlan, type RowShape, type SqlText } from './sql-text.ts';
import { addContext, addOrigin, type CallLevel, originLine, type SqlOrigin } from './stack.ts';

/** A plan being run for a step. */
export interface Running {
  readonly plan: PhysicalPlan;
  readonly execution: Execution;
  readonly rows: (readonly Datum[])[];
  readonly sink: RowSink;
}

/** Rows of a FOR loop over a query, read ahead in small portions. */
export interface QueryLoop {
  readonly prepared: PreparedPlan;
  running: Running | null;
  rows: (readonly Datum[])[];
  next: number;
  isDone: boolean;
  hasRun: boolean;
}

interface OpenBlock {
  readonly block: ExceptionBlock;
  readonly loops: number;
  readonly error: DbError | null;
}

interface PendingWork {
  isDone: boolean;
  value: unknown;
  error: unknown;
  readonly promise: Promise<void>;
}

const NO_BLOCKS: OpenBlock[] = [];
const NO_LOOPS: QueryLoop[] = [];
const NO_ERRORS: (DbError | null)[] = [];
const NO_RESULTS: Datum[] = [];

const FIRST_PORTION = 10;
const NEXT_PORTION = 200;

/** Takes the rows of a plan as lists of its columns. */
class RowCollector implements RowSink {
  private readonly rows: (readonly Datum[])[];
  private readonly slots: readonly number[];

  constructor(rows: (readonly Datum[])[], slots: readonly number[]) {
    this.rows = rows;
    this.slots = slots;
  }

  row(frame: readonly Datum[]): void {
    const { slots } = this;
    const row: Datum[] = [];
    for (let index = 0; index < slots.length; index++) row.push(frame[slots[index]]);
    this.rows.push(row);
  }

  isCongested(): boolean {
    return false;
  }
}

export class Activation implements Invocation, CallLevel {
  readonly manager: RoutineManager;
  readonly code: Code;
  readonly frame: Datum[];
  readonly snapshot: Snapshot | null;
  /** Transaction control is not allowed: called from SQL, or from something that is. */
  readonly isAtomic: boolean;
  pc = 0;
  returnValue: Datum = null;
  returnType = 0;
  running: Running | null = null;
  /** SQL being analysed or run by the present step. */
  origin: SqlOrigin | null = null;
  private pending: PendingWork | null = null;
  /** How far a step with several parts has come. */
  progress = 0;
  /** Intermediate results of a step. */
  scratch: unknown = null;
  /** Lists that most calls leave empty are made when something is put in. */
  private blocks: OpenBlock[] = NO_BLOCKS;
  loops: QueryLoop[] = NO_LOOPS;
  /** The error being handled. */
  currentError: DbError | null = null;
  /** Errors of the handlers around the one that runs. */
  outerErrors: (DbError | null)[] = NO_ERRORS;
  rowCount = 0n;
  /** RETURN NEXT and RETURN QUERY. */
  results: readonly Datum[] = NO_RESULTS;
  /** Overrides the place of the step (entry, exit). */
  place: Place | null = null;
  private isEntered = false;
  /** Finishes the result: casts, checks. Set by the caller. */
  finish: ((activation: Activation) => Datum) | null = null;

  /** `args` in order of the call, or the whole frame it begins with. */
  constructor(
    manager: RoutineManager,
    code: Code,
    options:
      | { readonly args: readonly Datum[]; readonly isAtomic: boolean }
      | { readonly first: readonly Datum[]; readonly isAtomic: boolean },
  ) {
    this.manager = manager;
    this.code = code;
    this.isAtomic = options.isAtomic;
    this.snapshot = code.isReadOnly ? manager.session.activity.snapshot : null;
    if ('first' in options) {
      this.frame = options.first.slice();
      return;
    }
    const frame = new Array<Datum>(code.slotCount).fill(null);
    this.frame = frame;
    const { args } = options;
    const variables = code.arguments;
    for (let index = 0; index < variables.length; index++) frame[variables[index].slot] = args[index] ?? null;
    frame[code.found] = false;
  }

  /** Transition tables by name. */
  private transitions: Map<string, { slot: number; relation: RelationDescriptor }> | null = null;

  addTransition(name: string, relation: RelationDescriptor, rows: Datum): void {
    // The last slots of the frame, the same for every call of the trigger.
    const slot = this.code.transitionSlots[this.transitions?.size ?? 0];
    this.frame[slot] = rows;
    this.transitions ??= new Map();
    this.transitions.set(name, { slot, relation });
  }

  transition(name: string): { slot: number; relation: RelationDescriptor } | null {
    return this.transitions?.get(name) ?? null;
  }

  /** Runs on until the end or a suspension. */
  run(): Datum {
    const { manager } = this;
    const { stack } = manager;
    if (!this.isEntered) {
      manager.refresh(this.code);
      this.isEntered = true;
    }
    stack.push(this);
    const leave = manager.enter(this.code);
    try {
      for (;;) {
        try {
          return this.steps();
        } catch (thrown) {
          if (isSuspension(thrown)) throw thrown;
          this.handle(thrown);
        }
      }
    } finally {
      leave?.();
      stack.pop();
    }
  }

  private steps(): Datum {
    const { steps } = this.code;
    const { frame } = this;
    let { pc } = this;
    while (pc >= 0) {
      // Kept up to date: calls inside the step print it in their context, and a step that leaves is run again.
      this.pc = pc;
      pc = steps[pc](this, frame);
    }
    this.pc = pc;
    return this.finish === null ? this.returnValue : this.finish(this);
  }

  addResult(item: Datum): void {
    if (this.results === NO_RESULTS) this.results = [];
    (this.results as Datum[]).push(item);
  }

  /** The step has not begun to wait for a promise. */
  get isFresh(): boolean {
    return this.pending === null;
  }

  /** Looks at the clock and at cancellation now and then; called by every jump back. */
  tick(): void {
    if (--this.manager.ticks < 0) this.manager.look();
  }

  // --------------------------------------------------------------------------------------------------------- errors

  /** Ends the step that runs with an error: answers where the handler begins. JavaScript's own way there is the long one. */
  raise(error: DbError): number {
    if (this.blocks.length === 0) throw error;
    this.handle(error);
    return this.pc;
  }

  /** Goes on at a handler, or throws the error with its context. */
  private handle(thrown: unknown): void {
    const error = this.asError(thrown);
    this.drop();
    for (;;) {
      const open = this.blocks.pop();
      if (open === undefined) {
        this.closeLoops(0);
        throw error;
      }
      this.closeLoops(open.loops);
      this.manager.session.rollbackSubtransaction();
      this.manager.refresh(this.code);
      this.currentError = open.error;
      const handler =
        error.severity === 'ERROR'
          ? open.block.handlers.find(({ codes }) => matches(error, codes))
          : undefined;
      if (handler === undefined) continue;
      this.place = null;
      if (this.outerErrors === NO_ERRORS) this.outerErrors = [];
      this.outerErrors.push(open.error);
      this.frame[open.block.stateSlot] = error.code;
      this.frame[open.block.messageSlot] = error.message;
      this.currentError = error;
      this.pc = handler.pc;
      return;
    }
  }

  /** The error with the lines of this call in its context. */
  private asError(thrown: unknown): DbError {
    const error = this.manager.asError(thrown);
    if (this.manager.isContextComplete(error, this)) return error;
    if (this.origin !== null) addOrigin(error, this.origin);
    addContext(error, [this.ownLine()]);
    this.manager.noteContext(error, this);
    return error;
  }

  /** Forgets what the step had under way. */
  private drop(): void {
    const { running } = this;
    this.running = null;
    if (running !== null) this.manager.session.release(running.plan, running.execution);
    this.origin = null;
    this.pending = null;
    this.progress = 0;
    this.scratch = null;
  }

  contextLines(): string[] {
    return this.origin === null ? [this.ownLine()] : [originLine(this.origin), this.ownLine()];
  }

  private ownLine(): string {
    const { code } = this;
    const place = this.place ?? (this.pc >= 0 ? code.places[this.pc] : undefined);
    if (place === undefined || place.text === '') return `PL/pgSQL function ${code.signature}`;
    return place.line > 0
      ? `PL/pgSQL function ${code.signature} line ${place.line} ${place.text}`
      : `PL/pgSQL function ${code.signature} ${place.text}`;
  }

  // --------------------------------------------------------------------------------------------------------- blocks

  enterBlock(block: ExceptionBlock): void {
    this.manager.session.beginSubtransaction();
    if (this.blocks === NO_BLOCKS) this.blocks = [];
    this.blocks.push({ block, loops: this.loops.length, error: this.currentError });
  }

  leaveBlock(): void {
    const open = this.blocks.pop();
    if (open !== undefined) this.manager.session.releaseSubtransaction();
  }

  get hasOpenBlock(): boolean {
    return this.blocks.length > 0;
  }

  closeLoops(keep: number): void {
    while (this.loops.length > keep) this.closeLoop(this.loops.pop()!);
  }

  private closeLoop(loop: QueryLoop): void {
    const { running } = loop;
    loop.running = null;
    if (running !== null) this.manager.session.release(running.plan, running.execution);
  }

  // ------------------------------------------------------------------------------------------------------ statements

  /** Starts a plan; rows it delivers are collected. */
  start(plan: PhysicalPlan, parameters: readonly Datum[], slots: readonly number[]): Running {
    const { session } = this.manager;
    const transaction = session.transaction();
    if (this.snapshot !== null && !plan.readOnly) {
      throw new DbError(
        'feature_not_supported',
        `${plan.command.toUpperCase()} is not allowed in a non-volatile function`,
      );
    }
    const execution = session.acquire(plan);
    const rows: (readonly Datum[])[] = [];
    // What the caller's statement has done so far is visible to a volatile function.
    if (this.snapshot === null) transaction.advanceCommand();
    try {
      execution.start({
        transaction,
        snapshot: this.snapshot ?? transaction.statementSnapshot(),
        parameters,
        instrumentation: null,
      });
    } catch (error) {
      session.release(plan, execution);
      throw error;
    }
    return { plan, execution, rows, sink: new RowCollector(rows, slots) };
  }

  /** Steps a running plan until `max` rows more are there (0 = all) or it is done. May leave by a suspension. */
  step(running: Running, max: number): 'done' | 'limit' {
    const { rows } = running;
    for (;;) {
      const missing = max === 0 ? 0 : max - rows.length;
      if (max !== 0 && missing <= 0) return 'limit';
      const result = running.execution.step(missing, running.sink);
      if (result === 'done' || result === 'limit') return result;
      if (result === 'suspended') throw SuspendSignal.instance;
      if (result !== 'congested') throw result;
    }
  }

  /** Runs a prepared statement to its end or to `max` rows; closes it. */
  runStatement(sql: SqlText, max: number): { rows: (readonly Datum[])[]; rowCount: number } {
    let { running } = this;
    if (running === null) {
      const { plan, slots } = sql.prepared!;
      this.origin = sql;
      running = this.start(plan, sql.parameters(this.frame), slots);
      this.running = running;
    }
    return this.complete(running, max);
  }

  /** Runs a plan given by the step itself (dynamic SQL). */
  runPlan(
    origin: SqlOrigin,
    make: () => { prepared: PreparedPlan; parameters: readonly Datum[] },
    max: number,
  ): { rows: (readonly Datum[])[]; rowCount: number; shape: RowShape; plan: PhysicalPlan } {
    let { running } = this;
    if (running === null) {
      this.origin = origin;
      const { prepared, parameters } = make();
      running = this.start(prepared.plan, parameters, prepared.slots);
      this.running = running;
    }
    const { plan } = running;
    return { ...this.complete(running, max), shape: preparedPlan(plan).shape, plan };
  }

  private complete(running: Running, max: number): { rows: (readonly Datum[])[]; rowCount: number } {
    this.step(running, max);
    const { rows, plan, execution } = running;
    const rowCount = plan.command === 'select' ? rows.length : execution.rowCount;
    this.running = null;
    this.manager.session.release(plan, execution);
    this.origin = null;
    if (!plan.readOnly) this.manager.session.transaction().advanceCommand();
    return { rows, rowCount };
  }

  /** The value of an expression that is no simple one. */
  queryValue(sql: SqlText): Datum {
    if (sql.prepared === null) throw new DbError('syntax_error', `query "${sql.text}" did not return data`);
    const { rows } = this.runStatement(sql, 2);
    if (rows.length > 1) {
      throw addedContext(
        new DbError('cardinality_violation', 'query returned more than one row'),
        `query: ${sql.text}`,
      );
    }
    const value = rows.length === 0 ? null : rows[0][0];
    const { want } = sql;
    if (want === null || want.typeOid === 0) return value;
    return this.manager.casts.get(sql.typeOid, want.typeOid, want.typmod)(value);
  }

  /** Opens the loop's query; its parameters are those of now. */
  openLoop(prepared: PreparedPlan, parameters: readonly Datum[]): QueryLoop {
    const loop: QueryLoop = {
      prepared,
      running: this.start(prepared.plan, parameters, prepared.slots),
      rows: [],
      next: 0,
      isDone: false,
      hasRun: false,
    };
    if (this.loops === NO_LOOPS) this.loops = [];
    this.loops.push(loop);
    return loop;
  }

  /** The next row of a loop, null at the end. May leave by a suspension. */
  nextRow(loop: QueryLoop): readonly Datum[] | null {
    if (loop.next < loop.rows.length) return loop.rows[loop.next++];
    if (loop.isDone || loop.running === null) return null;
    const { running } = loop;
    const portion = loop.hasRun ? NEXT_PORTION : FIRST_PORTION;
    const result = this.step(running, portion);
    loop.rows = running.rows.splice(0);
    loop.next = 0;
    if (result === 'done') {
      loop.isDone = true;
      this.closeLoop(loop);
      if (!running.plan.readOnly) this.manager.session.transaction().advanceCommand();
    }
    if (loop.rows.length === 0) return null;
    loop.hasRun = true;
    return loop.rows[loop.next++];
  }

  /** Reads the rest of every open loop, so that the loops outlive their transaction. May leave by a suspension. */
  detachLoops(): void {
    for (const loop of this.loops) {
      const { running } = loop;
      if (running === null || loop.isDone) continue;
      if (!running.plan.readOnly)
        throw new DbError(
          'invalid_transaction_termination',
          'cannot perform transaction commands inside a cursor loop that is not read-only',
        );
      this.step(running, 0);
      loop.rows = [...loop.rows.slice(loop.next), ...running.rows.splice(0)];
      loop.next = 0;
      loop.isDone = true;
      this.closeLoop(loop);
    }
  }

  /** Runs `start` once and waits for its promise; answers its value when it is there. */
  wait<T>(start: () => Promise<T> | T): T {
    let { pending } = this;
    if (pending === null) {
      const started = start();
      if (!(started instanceof Promise)) return started;
      const work: PendingWork = {
        isDone: false,
        value: null,
        error: null,
        promise: started.then(
          (value) => {
            work.isDone = true;
            work.value = value;
          },
          (error: unknown) => {
            work.isDone = true;
            work.error = error ?? new DbError('internal_error', 'command failed');
          },
        ),
      };
      pending = work;
      this.pending = work;
    }
    if (!pending.isDone) throw new WaitSignal(pending.promise);
    this.pending = null;
    if (pending.error !== null) throw pending.error;
    return pending.value as T;
  }
}

function addedContext(error: DbError, line: string): DbError {
  addContext(error, [line]);
  return error;
}

/** True when a handler with these codes catches the error; OTHERS leaves cancellation and failed assertions alone. */
function matches(error: DbError, codes: readonly string[] | 'others'): boolean {
  if (codes === 'others') return error.code !== '57014' && error.code !== 'P0004';
  return codes.some(
    (code) => code === error.code || (code.endsWith('000') && error.code.startsWith(code.slice(0, 2))),
  );
}
