/**
 * SQL cursors: DECLARE, FETCH, MOVE, CLOSE.
 *
 * A cursor without SCROLL reads its plan forwards only and keeps nothing. A SCROLL cursor keeps the rows it has read; a WITH HOLD
 * cursor reads the rest at commit and lives on from what it kept.
 */
import { DbError } from '../../base/error.ts';
import { SuspendSignal } from '../../base/suspend.ts';
import type { Execution, RowSink } from '../../executor/contract.ts';
import type { PhysicalPlan } from '../../planner/physical.ts';
import type { Datum } from '../../types/datum.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import { cannotRun, isPlannableNode } from '../statements.ts';
import type { SessionCommand } from './index.ts';
import { child, flag, text, unwrap } from './tree.ts';

/** Bits of DeclareCursorStmt.options (PostgreSQL's parsenodes). */
const OPTION_BINARY = 1;
const OPTION_SCROLL = 2;
const OPTION_HOLD = 0x20;

/** FETCH ALL, as the parser writes it. */
const FETCH_ALL = Number.MAX_SAFE_INTEGER;

export class SqlCursor {
  readonly name: string;
  readonly plan: PhysicalPlan;
  readonly columns: readonly ResultColumn[];
  readonly isScrollable: boolean;
  readonly isHoldable: boolean;
  readonly isBinary: boolean;
  readonly text: string;
  /** Rows read so far (SCROLL, WITH HOLD); in the order of `columns`. */
  private readonly rows: (readonly Datum[])[] = [];
  /** Row the cursor stands on, from 1; 0 before the first. */
  private position = 0;
  /** Rows read from the plan. */
  private readCount = 0;
  private execution: Execution | null;
  private isExhausted = false;
  private hasFailed = false;
  /** Savepoints around it; rolling back to one of them ends it. */
  depth: number;
  isPersisted = false;
  private readonly session: BackendSession;

  constructor(
    session: BackendSession,
    options: { name: string; plan: PhysicalPlan; execution: Execution; flags: number; text: string },
  ) {
    this.session = session;
    this.name = options.name;
    this.plan = options.plan;
    this.execution = options.execution;
    this.text = options.text;
    this.depth = session.block.depth;
    this.isScrollable = (options.flags & OPTION_SCROLL) !== 0;
    this.isHoldable = (options.flags & OPTION_HOLD) !== 0;
    this.isBinary = (options.flags & OPTION_BINARY) !== 0;
    this.columns = options.plan.columns.map((column, index) => ({ ...column, slot: index }));
  }

  get keepsRows(): boolean {
    return this.isScrollable || this.isHoldable;
  }

  /**
   * One FETCH or MOVE of a function: like `advance` and `moveTo`, but it may leave by a suspension instead of waiting. Rows read by
   * then are kept, so that calling again goes on where it stopped.
   */
  travel(
    direction: 'forward' | 'backward' | 'absolute' | 'relative',
    count: number,
    deliver: (row: readonly Datum[]) => void,
  ): number {
    switch (direction) {
      case 'backward':
        return this.travel('forward', -count, deliver);
      case 'absolute':
        return this.travelTo(count, deliver);
      case 'relative':
        if (count === 0) return this.current(deliver);
        return this.travelTo(Math.max(0, this.position + count), deliver);
      default:
        break;
    }
    if (count === 0) return this.current(deliver);
    if (count < 0) {
      this.requireScroll();
      let passed = 0;
      while (passed < -count && this.position > 1) {
        this.position--;
        deliver(this.rows[this.position - 1]);
        passed++;
      }
      if (passed < -count) this.position = 0;
      return passed;
    }
    const goal = this.position + count;
    this.readAhead(goal);
    let passed = 0;
    while (passed < count) {
      const row = this.rowAt(this.position + 1);
      if (row === null) {
        this.position = this.readCount + 1;
        break;
      }
      this.position++;
      passed++;
      deliver(row);
    }
    if (!this.keepsRows) this.window.length = 0;
    return passed;
  }

  private travelTo(target: number, deliver: (row: readonly Datum[]) => void): number {
    let wanted = target;
    if (target < 0) {
      this.requireScroll();
      this.readAhead(FETCH_ALL);
      wanted = this.rows.length + 1 + target;
    }
    if (wanted <= this.position && wanted !== this.position + 1) this.requireScroll();
    if (wanted < 1) {
      this.position = 0;
      return 0;
    }
    this.readAhead(wanted);
    const row = this.rowAt(wanted);
    if (!this.keepsRows) this.window.length = 0;
    if (row === null) {
      this.position = this.readCount + 1;
      return 0;
    }
    this.position = wanted;
    deliver(row);
    return 1;
  }

  /** Rows read and not yet passed of a cursor that keeps none. */
  private readonly window: (readonly Datum[])[] = [];

  private rowAt(number: number): readonly Datum[] | null {
    if (this.keepsRows) return this.rows[number - 1] ?? null;
    return this.window[this.window.length - 1 - (this.readCount - number)] ?? null;
  }

  /** Reads until row `goal` is there or there are no more. */
  private readAhead(goal: number): void {
    const { execution } = this;
    if (this.hasFailed) throw cannotRun(this.name);
    if (execution === null || this.isExhausted) return;
    const slots = this.plan.columns.map((column) => column.slot);
    const sink: RowSink = {
      row: (frame) => {
        const row = slots.map((slot) => frame[slot]);
        if (this.keepsRows) this.rows.push(row);
        else this.window.push(row);
        this.readCount++;
      },
      isCongested: () => false,
    };
    while (this.readCount < goal) {
      const result = execution.step(goal >= FETCH_ALL ? 0 : goal - this.readCount, sink);
      if (result === 'done') {
        this.isExhausted = true;
        return;
      }
      if (result === 'suspended') throw SuspendSignal.instance;
      if (typeof result === 'object') throw result;
    }
  }

  /** Moves by `count` rows from here (negative = backwards) delivering each row passed; returns how many. */
  async advance(count: number, deliver: (row: readonly Datum[]) => void): Promise<number> {
    let delivered = 0;
    if (count < 0) {
      this.requireScroll();
      while (delivered < -count && this.position > 1) {
        this.position--;
        deliver(this.rows[this.position - 1]);
        delivered++;
      }
      if (delivered < -count) this.position = 0;
      return delivered;
    }
    while (delivered < count && this.keepsRows && this.position < this.rows.length) {
      deliver(this.rows[this.position++]);
      delivered++;
    }
    if (delivered < count) {
      delivered += await this.read(count - delivered, (row) => {
        this.position = this.readCount;
        deliver(row);
      });
      if (delivered < count) this.position = this.readCount + 1;
    }
    return delivered;
  }

  /** Stands on row `target` (from 1; negative counts from the end); delivers it if it exists. */
  async moveTo(target: number, deliver: (row: readonly Datum[]) => void): Promise<number> {
    let wanted = target;
    if (target < 0) {
      this.requireScroll();
      await this.read(FETCH_ALL, () => {});
      wanted = this.rows.length + 1 + target;
      if (wanted < 1) {
        this.position = 0;
        return 0;
      }
    }
    if (wanted <= this.position && wanted !== 0) this.requireScroll();
    if (wanted === 0) {
      if (this.position > 0) this.requireScroll();
      this.position = 0;
      return 0;
    }
    if (this.keepsRows) {
      if (wanted > this.rows.length) await this.read(wanted - this.rows.length, () => {});
      if (wanted > this.rows.length) {
        this.position = this.rows.length + 1;
        return 0;
      }
      this.position = wanted;
      deliver(this.rows[wanted - 1]);
      return 1;
    }
    let last: readonly Datum[] | null = null;
    const skipped = await this.advance(wanted - this.position, (row) => {
      last = row;
    });
    if (last === null || this.position !== wanted || skipped === 0) return 0;
    deliver(last);
    return 1;
  }

  /** The row it stands on again (FETCH RELATIVE 0). */
  current(deliver: (row: readonly Datum[]) => void): number {
    const row = this.rows[this.position - 1];
    if (row === undefined) return 0;
    deliver(row);
    return 1;
  }

  get standsOn(): number {
    return this.position;
  }

  /** At commit: reads what is left, so that the cursor survives its transaction. */
  async persist(): Promise<void> {
    await this.read(FETCH_ALL, () => {});
    this.close();
    this.isPersisted = true;
  }

  close(): void {
    const { execution } = this;
    this.execution = null;
    this.isExhausted = true;
    if (execution !== null) this.session.executions.releaseExecution(this.plan, execution);
  }

  private async read(count: number, deliver: (row: readonly Datum[]) => void): Promise<number> {
    const { execution } = this;
    if (this.hasFailed) throw cannotRun(this.name);
    if (execution === null || this.isExhausted) return 0;
    const slots = this.plan.columns.map((column) => column.slot);
    let delivered = 0;
    const sink: RowSink = {
      row: (frame) => {
        const row = slots.map((slot) => frame[slot]);
        if (this.keepsRows) this.rows.push(row);
        this.readCount++;
        delivered++;
        deliver(row);
      },
      isCongested: () => false,
    };
    const limit = count >= FETCH_ALL ? 0 : count;
    try {
      let result = execution.step(limit, sink);
      while (result !== 'done' && result !== 'limit') {
        result = await this.session.executions.awaitStep(execution, sink, result, () =>
          limit === 0 ? 0 : limit - delivered,
        );
      }
      if (result === 'done') this.isExhausted = true;
    } catch (error) {
      this.close();
      this.hasFailed = true;
      throw error;
    }
    return delivered;
  }

  private requireScroll(): void {
    if (!this.isScrollable) {
      throw new DbError('object_not_in_prerequisite_state', 'cursor can only scan forward', {
        hint: 'Declare it with SCROLL option to enable backward scan.',
      });
    }
  }
}

export function declareCursor(command: SessionCommand): string {
  const { session, statement } = command;
  const name = text(statement.tree, 'portalname');
  const flags = typeof statement.tree.options === 'number' ? statement.tree.options : 0;
  const isHoldable = (flags & OPTION_HOLD) !== 0;
  if (!isHoldable && !session.isInTransactionBlock) {
    throw new DbError('no_active_sql_transaction', 'DECLARE CURSOR can only be used in transaction blocks');
  }
  if (session.cursors.has(name)) throw new DbError('duplicate_cursor', `cursor "${name}" already exists`);
  const query = child(statement.tree, 'query');
  const { node, tree } = query === null ? { node: '', tree: {} } : unwrap(query);
  if (!isPlannableNode(node))
    throw new DbError('invalid_cursor_definition', 'DECLARE CURSOR must specify a SELECT statement');
  const transaction = session.block.forStatement();
  const inner: ParsedStatement = { node, tree, text: statement.text, start: statement.start };
  const { plan } = session.compilation.compile(inner, command.text, []);
  if (plan === null || plan.command !== 'select') {
    throw new DbError('invalid_cursor_definition', 'DECLARE CURSOR must specify a SELECT statement');
  }
  const execution = session.executions.acquireExecution(plan);
  execution.start({
    transaction,
    snapshot: transaction.statementSnapshot(),
    parameters: command.parameters,
    instrumentation: null,
  });
  session.cursors.set(name, new SqlCursor(session, { name, plan, execution, flags, text: statement.text }));
  return 'DECLARE CURSOR';
}

function requireCursor(session: BackendSession, name: string): SqlCursor {
  const cursor = session.cursors.get(name);
  if (cursor === undefined) throw new DbError('invalid_cursor_name', `cursor "${name}" does not exist`);
  return cursor;
}

export function describeFetch(
  session: BackendSession,
  statement: ParsedStatement,
): readonly ResultColumn[] | null {
  if (flag(statement.tree, 'ismove')) return null;
  return requireCursor(session, text(statement.tree, 'portalname')).columns;
}

export async function fetchCursor(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  const cursor = requireCursor(session, text(statement.tree, 'portalname'));
  const isMove = flag(statement.tree, 'ismove');
  const formats = cursor.isBinary ? [1] : command.resultFormats;
  if (!isMove) {
    if (command.isSimple) session.sink.rowDescription(cursor.columns, formats);
    session.sink.beginRows(cursor.columns, formats, session.functionContext.format);
  }
  const deliver = isMove ? () => {} : (row: readonly Datum[]) => session.sink.row(row);
  const count = fetchCount(statement.tree.howMany);
  const delivered = await fetchRows(
    cursor,
    String(statement.tree.direction ?? 'FETCH_FORWARD'),
    count,
    deliver,
  );
  return `${isMove ? 'MOVE' : 'FETCH'} ${delivered}`;
}

/** libpg_query writes int8 as a JSON number or string; FETCH ALL is its maximum. */
function fetchCount(value: unknown): number {
  if (value === undefined) return 0;
  const count = Number(value);
  return Math.max(-FETCH_ALL, Math.min(FETCH_ALL, count));
}

async function fetchRows(
  cursor: SqlCursor,
  direction: string,
  count: number,
  deliver: (row: readonly Datum[]) => void,
): Promise<number> {
  switch (direction) {
    case 'FETCH_BACKWARD':
      return count === 0 ? cursor.current(deliver) : cursor.advance(-count, deliver);
    case 'FETCH_ABSOLUTE':
      return cursor.moveTo(count, deliver);
    case 'FETCH_RELATIVE':
      if (count === 0) return cursor.current(deliver);
      return Math.max(0, cursor.standsOn + count) === 0
        ? cursor.moveTo(0, deliver)
        : cursor.moveTo(cursor.standsOn + count, deliver);
    default:
      return count === 0 ? cursor.current(deliver) : cursor.advance(count, deliver);
  }
}

export function closeCursor(command: SessionCommand): string {
  const { session, statement } = command;
  const name = text(statement.tree, 'portalname');
  if (name === '') {
    for (const cursor of session.cursors.values()) cursor.close();
    session.cursors.clear();
    return 'CLOSE CURSOR ALL';
  }
  requireCursor(session, name).close();
  session.cursors.delete(name);
  return 'CLOSE CURSOR';
}
