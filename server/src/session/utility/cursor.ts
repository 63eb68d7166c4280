/**
 * SQL cursors: DECLARE, FETCH, MOVE, CLOSE.
 *
 * A SCROLL cursor keeps the rows it has read; a WITH HOLD cursor reads the rest at commit and lives on from what it kept. One
 * declared neither SCROLL nor NO SCROLL keeps nothing while it moves forwards; when it is first moved backwards, and its plan
 * is one PostgreSQL could run backwards, it reads its rows again under its old snapshot and keeps them from then on.
 */
import type { Oid, RowId } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { SuspendSignal } from '../../base/suspend.ts';
import type { Execution, RowSink } from '../../executor/contract.ts';
import type { PhysicalPlan, PlanNode } from '../../planner/physical.ts';
import { tidOfRow } from '../../table/index.ts';
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
const OPTION_NO_SCROLL = 4;
const OPTION_HOLD = 0x20;

/** FETCH ALL, as the parser writes it. */
const FETCH_ALL = Number.MAX_SAFE_INTEGER;

export class SqlCursor {
  readonly name: string;
  readonly plan: PhysicalPlan;
  readonly columns: readonly ResultColumn[];
  /** Backward moves are allowed. */
  readonly isScrollable: boolean;
  readonly isHoldable: boolean;
  readonly isBinary: boolean;
  readonly text: string;
  /** Rows read so far are kept. */
  private keepsRows: boolean;
  /** Rows read so far, in the order of `columns`, if they are kept. */
  private rows: (readonly Datum[])[] = [];
  /** Row ids of the tables it reads, beside each row: for WHERE CURRENT OF. */
  private readonly sources: readonly RowSource[];
  private rowIds: (readonly RowId[])[] = [];
  private readonly start: () => Execution | null;
  /** Result formats of the protocol's Bind, for rows its Execute asks for. */
  readonly formats: readonly number[];
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
  /** Microseconds since 2000-01-01 UTC. */
  readonly createdAt: bigint;
  private readonly session: BackendSession;

  constructor(
    session: BackendSession,
    options: {
      name: string;
      plan: PhysicalPlan;
      sources: readonly RowSource[];
      /** Starts reading from the first row, always under the same snapshot; null: there are no more rows. */
      start: () => Execution | null;
      formats?: readonly number[];
      flags: number;
      text: string;
    },
  ) {
    this.session = session;
    this.name = options.name;
    this.plan = options.plan;
    this.sources = options.sources;
    this.start = options.start;
    this.execution = options.start();
    this.formats = options.formats ?? ((options.flags & OPTION_BINARY) === 0 ? [] : [1]);
    this.text = options.text;
    this.depth = session.block.depth;
    this.createdAt = session.functionContext.statementTimestamp;
    this.isHoldable = (options.flags & OPTION_HOLD) !== 0;
    this.keepsRows = (options.flags & OPTION_SCROLL) !== 0 || this.isHoldable;
    this.isScrollable =
      (options.flags & OPTION_SCROLL) !== 0 ||
      ((options.flags & OPTION_NO_SCROLL) === 0 && canScanBackward(options.plan.root));
    this.isBinary = (options.flags & OPTION_BINARY) !== 0;
    this.columns = options.plan.columns.map((column, index) => ({ ...column, slot: index }));
  }

  /** Begins to keep rows: reading starts again. Returns how many must be read to stand where it stood. */
  private restart(): number {
    if (this.keepsRows) return 0;
    const { readCount, isExhausted } = this;
    this.close();
    this.execution = this.start();
    this.isExhausted = false;
    this.keepsRows = true;
    this.window.length = 0;
    this.rowIds = [];
    this.readCount = 0;
    return isExhausted ? FETCH_ALL : readCount;
  }

  /** Makes rows before the position there to be read; may leave by a suspension. */
  private lookBack(): void {
    this.requireScroll();
    this.restart();
    this.readAhead(this.position);
  }

  private async waitLookBack(): Promise<void> {
    this.requireScroll();
    const missing = this.restart();
    if (missing > 0) await this.read(missing, () => {});
  }

  private keep(frame: readonly Datum[]): readonly Datum[] {
    const { columns } = this.plan;
    const row: Datum[] = [];
    for (let index = 0; index < columns.length; index++) row.push(frame[columns[index].slot]);
    if (this.keepsRows) this.rows.push(row);
    this.readCount++;
    if (this.sources.length === 0) return row;
    const ids = this.sources.map((source) => frame[source.slot] as number as RowId);
    if (this.keepsRows) this.rowIds.push(ids);
    else this.rowIds[0] = ids;
    return row;
  }

  /** Row id of `relation` at the row it stands on; a text says why there is none. */
  rowIdOf(relation: Oid): RowId | 'not simple' | 'not on a row' | 'not locked' | 'locked twice' {
    const locked = this.sources.some((source) => source.locked);
    const indexes = this.sources.flatMap((source, index) => (source.relationOid === relation ? [index] : []));
    if (indexes.length === 0) return locked ? 'not locked' : 'not simple';
    if (indexes.length > 1) return 'locked twice';
    const isOnRow = this.position > 0 && this.position <= this.readCount;
    const ids = this.keepsRows ? this.rowIds[this.position - 1] : this.rowIds[0];
    return isOnRow && ids !== undefined ? ids[indexes[0]] : 'not on a row';
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
        if (count === 0) return this.currentNow(deliver);
        return this.travelTo(Math.max(0, this.position + count), deliver);
      default:
        break;
    }
    if (count === 0) return this.currentNow(deliver);
    if (count < 0) {
      this.lookBack();
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
    this.passWindow();
    return passed;
  }

  private travelTo(target: number, deliver: (row: readonly Datum[]) => void): number {
    let wanted = target;
    if (target < 0) {
      this.lookBack();
      this.readAhead(FETCH_ALL);
      wanted = this.rows.length + 1 + target;
    }
    if (wanted <= this.position && wanted !== this.position + 1) this.lookBack();
    if (wanted < 1) {
      this.position = 0;
      return 0;
    }
    this.readAhead(wanted);
    const row = this.rowAt(wanted);
    this.passWindow();
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

  /** Forgets what was passed. Setting a length is slow in V8; taking the only element is not. */
  private passWindow(): void {
    if (this.keepsRows) return;
    while (this.window.length > 0) this.window.pop();
  }

  /** Takes the rows that are read ahead. */
  private readonly reading: RowSink = {
    row: (frame) => {
      const row = this.keep(frame);
      if (!this.keepsRows) this.window.push(row);
    },
    isCongested: () => false,
  };

  private rowAt(number: number): readonly Datum[] | null {
    if (this.keepsRows) return this.rows[number - 1] ?? null;
    return this.window[this.window.length - 1 - (this.readCount - number)] ?? null;
  }

  /** Reads until row `goal` is there or there are no more. */
  private readAhead(goal: number): void {
    const { execution } = this;
    if (this.hasFailed) throw cannotRun(this.name);
    if (execution === null || this.isExhausted) return;
    while (this.readCount < goal) {
      const result = execution.step(goal >= FETCH_ALL ? 0 : goal - this.readCount, this.reading);
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
      await this.waitLookBack();
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
      await this.waitLookBack();
      await this.read(FETCH_ALL, () => {});
      wanted = this.rows.length + 1 + target;
      if (wanted < 1) {
        this.position = 0;
        return 0;
      }
    }
    if (wanted <= this.position && wanted !== 0) await this.waitLookBack();
    if (wanted === 0) {
      if (this.position > 0) await this.waitLookBack();
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
  async current(deliver: (row: readonly Datum[]) => void): Promise<number> {
    if (this.position === 0 || this.position > this.readCount) return 0;
    await this.waitLookBack();
    const row = this.rows[this.position - 1];
    if (row === undefined) return 0;
    deliver(row);
    return 1;
  }

  private currentNow(deliver: (row: readonly Datum[]) => void): number {
    if (this.position === 0 || this.position > this.readCount) return 0;
    this.lookBack();
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
    let delivered = 0;
    const sink: RowSink = {
      row: (frame) => {
        const row = this.keep(frame);
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

/** Where a row of the result comes from. */
interface RowSource {
  readonly relationOid: Oid;
  /** Slot of the frame with its row id. */
  readonly slot: number;
  /** By FOR UPDATE or FOR SHARE. */
  readonly locked: boolean;
}

/** As PostgreSQL's ExecSupportsBackwardScan: scans, and what passes their rows on one by one. */
function canScanBackward(node: PlanNode): boolean {
  switch (node.kind) {
    case 'seqScan':
    case 'indexScan':
    case 'virtualScan':
    case 'valuesScan':
    case 'functionScan':
    case 'cteScan':
    case 'result':
    case 'materialize':
    case 'sort':
      return true;
    case 'project':
    case 'filter':
    case 'limit':
      return canScanBackward(node.child);
    case 'append':
      return node.children.every(canScanBackward);
    default:
      return false;
  }
}

/**
 * The plan with row ids of the tables whose rows its own rows are: those a lock names, else the one table scanned below
 * nodes that pass rows on one by one. Nodes on the way are copied, since plans are shared.
 */
function withRowIds(plan: PhysicalPlan): { plan: PhysicalPlan; sources: readonly RowSource[] } {
  for (let node: PlanNode = plan.root; ; ) {
    if (node.kind === 'lockRows')
      return {
        plan,
        sources: node.marks.map((mark) => ({
          relationOid: mark.relationOid,
          slot: mark.rowIdSlot,
          locked: true,
        })),
      };
    if (node.kind !== 'project' && node.kind !== 'limit' && node.kind !== 'filter') break;
    node = node.child;
  }
  const sources: RowSource[] = [];
  const copy = (node: PlanNode): PlanNode => {
    if (node.kind === 'project' || node.kind === 'limit' || node.kind === 'filter')
      return { ...node, child: copy(node.child) };
    if (node.kind !== 'seqScan' && node.kind !== 'indexScan') return node;
    const slot = node.rowIdSlot >= 0 ? node.rowIdSlot : plan.slotCount;
    sources.push({ relationOid: node.relationOid, slot, locked: false });
    return { ...node, rowIdSlot: slot };
  };
  const root = copy(plan.root);
  if (sources.length === 0) return { plan, sources };
  return { plan: { ...plan, root, slotCount: plan.slotCount + 1 }, sources };
}

/** ctid of the row of `relation` that a cursor stands on, for WHERE CURRENT OF. Errors: 24000, 34000. */
export function currentRowOf(session: BackendSession, name: string, relation: Oid): Datum {
  const cursor = requireCursor(session, name);
  const table = session.catalog().relation(relation)?.name ?? '';
  const fail = (message: string): DbError => new DbError('invalid_cursor_state', message);
  if (cursor.isPersisted) throw fail(`cursor "${name}" is held from a previous transaction`);
  const found = cursor.rowIdOf(relation);
  switch (found) {
    case 'not simple':
      throw fail(`cursor "${name}" is not a simply updatable scan of table "${table}"`);
    case 'not locked':
      throw fail(`cursor "${name}" does not have a FOR UPDATE/SHARE reference to table "${table}"`);
    case 'locked twice':
      throw fail(`cursor "${name}" has multiple FOR UPDATE/SHARE references to table "${table}"`);
    case 'not on a row':
      throw fail(`cursor "${name}" is not positioned on a row`);
    default:
      return tidOfRow(found);
  }
}

/** Opens a cursor over a plan under the snapshot of now. */
export function openCursor(
  session: BackendSession,
  options: {
    name: string;
    plan: PhysicalPlan;
    parameters: readonly Datum[];
    /** Options of DECLARE as PostgreSQL's bits: 2 SCROLL, 4 NO SCROLL. */
    flags: number;
    text: string;
    formats?: readonly number[];
  },
): void {
  const { name, parameters, flags, text, formats } = options;
  const traced = withRowIds(options.plan);
  const transaction = session.block.forStatement();
  const snapshot = transaction.statementSnapshot();
  const start = (): Execution => {
    const execution = session.executions.acquireExecution(traced.plan);
    execution.start({ transaction, snapshot, parameters: [...parameters], instrumentation: null });
    return execution;
  };
  session.cursors.set(name, new SqlCursor(session, { name, ...traced, start, flags, text, formats }));
}

export async function declareCursor(command: SessionCommand): Promise<string> {
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
  const inner: ParsedStatement = { node, tree, text: statement.text, start: statement.start };
  const plan = await session.executions.lockedPlan(() => {
    const { plan: made } = session.compilation.compile(inner, command.text, []);
    if (made === null || made.command !== 'select')
      throw new DbError('invalid_cursor_definition', 'DECLARE CURSOR must specify a SELECT statement');
    return made;
  });
  openCursor(session, { name, plan, parameters: command.parameters, flags, text: command.text });
  return 'DECLARE CURSOR';
}

function requireCursor(session: BackendSession, name: string): SqlCursor {
  const cursor = session.cursors.get(name) ?? adoptPortal(session, name);
  if (cursor === undefined) throw new DbError('invalid_cursor_name', `cursor "${name}" does not exist`);
  return cursor;
}

/** A portal of the protocol is a cursor as well: named by FETCH, MOVE or CLOSE, it goes on as one, where it stood. */
function adoptPortal(session: BackendSession, name: string): SqlCursor | undefined {
  const portal = session.portals.get(name);
  if (name === '' || portal === undefined || portal.plan === null || portal.plan.command !== 'select')
    return undefined;
  if (!portal.plan.readOnly) return undefined;
  const { plan, parameters, resultFormats: formats, depth, execution } = portal;
  const { text } = portal.compiled;
  if (portal.state === 'failed') throw cannotRun(name);
  session.portals.delete(name);
  if (portal.state === 'ready') openCursor(session, { name, plan, parameters, flags: 0, text, formats });
  else {
    portal.execution = null;
    const start = (): Execution | null => execution;
    const flags = OPTION_NO_SCROLL;
    session.cursors.set(
      name,
      new SqlCursor(session, { name, plan, sources: [], start, flags, text, formats }),
    );
  }
  const cursor = session.cursors.get(name);
  if (cursor !== undefined) cursor.depth = depth;
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

/** The protocol's Execute of a cursor: rows from where it stands. */
export async function executeCursor(
  session: BackendSession,
  cursor: SqlCursor,
  maxRows: number,
): Promise<void> {
  session.sink.beginRows(cursor.columns, cursor.formats, session.functionContext.format);
  const delivered = await cursor.advance(maxRows === 0 ? FETCH_ALL : maxRows, (row) => session.sink.row(row));
  if (maxRows > 0 && delivered === maxRows) session.sink.portalSuspended();
  else session.sink.commandComplete(`SELECT ${delivered}`);
}
