/**
 * INSERT, UPDATE, DELETE and MERGE: one row of the child after the other, with RETURNING.
 *
 * A row is worked off in steps kept in fields (values, then the write), so that waiting for another transaction repeats only the write attempt.
 * In READ COMMITTED a row changed meanwhile is looked at again in its newest version (`recheck`), and the new values are computed from it;
 * higher levels end with 40001. Foreign keys are reported to the statement's queue and checked at its end.
 */
import type { RowId } from '../../../base/brands.ts';
import { DbError, internalError } from '../../../base/error.ts';
import type { ModifyNode, PlanExpr, PlanNode } from '../../../planner/physical.ts';
import type { UniqueConflict } from '../../../table/contract.ts';
import { tidOfRow } from '../../../table/index.ts';
import type { Snapshot } from '../../../txn/contract.ts';
import type { Datum } from '../../../types/datum.ts';
import { LateKey } from '../../constraints/late-keys.ts';
import { AfterQueue, concurrentUpdate } from '../../constraints/queue.ts';
import { TargetTable } from '../../constraints/target.ts';
import type { TriggerOperation } from '../../routines.ts';
import type { ExecutionState } from '../../state.ts';
import {
  RowTriggerRun,
  StatementTriggerRun,
  TableTriggers,
  TRIGGER_BEFORE,
} from '../../triggers/table-triggers.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

type Command = 'insert' | 'update' | 'delete' | 'nothing';

/** One thing to do with a row: the statement's own command, a WHEN clause of MERGE, or ON CONFLICT DO UPDATE. */
interface Action {
  command: Command;
  matched: boolean;
  condition: Test | null;
  row: (Evaluate | null)[];
}

export class Modify implements Operator {
  private readonly state: ExecutionState;
  private readonly node: ModifyNode;
  private readonly child: Operator;
  private readonly actions: Action[];
  private readonly isMerge: boolean;
  private readonly onConflict: (Action & { indexOids: readonly number[] }) | null;
  private readonly recheck: Test | null;
  private readonly returning: { run: Evaluate; slot: number }[];
  private readonly viewChecks: { passes: Evaluate; viewName: string }[];
  /** The row written last, for the check's error. */
  private written: readonly Datum[] = [];
  private readonly counts: boolean;
  private target: TargetTable | null = null;
  /** The target was compared with the catalog in this execution. */
  private isTargetCurrent = false;
  private phase: 'fetch' | 'choose' | 'values' | 'write' | 'recheck' | 'conflict' | 'returning' = 'fetch';
  private action = 0;
  private rowId: RowId | null = null;
  /** Snapshot under which the row is seen: the statement's, or the newest state after a wait. */
  private view: Snapshot | null = null;
  private oldRow: Datum[] | null = null;
  private row: Datum[] = [];
  private progress = 0;
  private completed = false;
  private conflictRow: RowId | null = null;
  private conflictChosen = false;
  /** Conflicting row that could not be read at the last attempt. */
  private unseenConflict: RowId | null = null;
  private returningProgress = 0;
  /** Triggers of the target; null when none can fire. */
  private triggers: TableTriggers | null = null;
  private beforeStatement: StatementTriggerRun | null = null;
  private hasFiredBefore = false;
  private hasQueuedAfter = false;
  private rowRun: RowTriggerRun | null = null;
  /** The row was locked for its BEFORE triggers. */
  private isLocked = false;
  /** attnums that the statement (or its DO UPDATE) assigns. */
  private readonly assigned: ReadonlySet<number>;
  /** Exclusion constraints that ON CONFLICT DO NOTHING looks at; made when first needed. */
  private exclusions: readonly LateKey[] | null = null;
  private readonly assignedOnConflict: ReadonlySet<number>;
  /** Of a table and its children only the table named fires statement triggers. */
  private readonly firesStatements: boolean;

  constructor(state: ExecutionState, node: ModifyNode, child: Operator) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    const compileRow = (row: readonly (PlanExpr | null)[]): (Evaluate | null)[] =>
      row.map((expr) => (expr === null ? null : compiler.compile(expr)));
    this.state = state;
    this.node = node;
    this.child = child;
    this.isMerge = node.mergeActions.length > 0;
    this.actions = this.isMerge
      ? node.mergeActions.map((item) => ({
          command: item.command,
          matched: item.matched,
          condition: compiler.testOrNull(item.condition),
          row: compileRow(item.row),
        }))
      : [
          {
            command: node.command,
            matched: node.command !== 'insert',
            condition: null,
            row: compileRow(node.row),
          },
        ];
    this.onConflict =
      node.onConflict === null
        ? null
        : {
            command: node.onConflict.action === 'update' ? 'update' : 'nothing',
            matched: true,
            condition: compiler.testOrNull(node.onConflict.where),
            row: compileRow(node.onConflict.row),
            indexOids: node.onConflict.indexOids,
          };
    this.recheck = compiler.testOrNull(node.recheck);
    this.viewChecks = (node.viewChecks ?? []).map(({ viewName, condition }) => ({
      viewName,
      passes: compiler.compile(condition),
    }));
    this.returning = node.returning.map(({ expr, slot }) => ({ run: compiler.compile(expr), slot }));
    this.counts = isTopModify(state.plan.root, node);
    const assignedIn = (rows: readonly (readonly (PlanExpr | null)[])[]): Set<number> =>
      new Set(rows.flatMap((row) => row.flatMap((expr, column) => (expr === null ? [] : [column + 1]))));
    this.assigned = assignedIn(
      this.isMerge
        ? node.mergeActions.filter(({ command }) => command === 'update').map(({ row }) => row)
        : [node.row],
    );
    this.assignedOnConflict = assignedIn(node.onConflict === null ? [] : [node.onConflict.row]);
    this.firesStatements = [state.plan.root, ...state.plan.ctes.map(({ root }) => root)].some(
      (root) => firstModify(root) === node,
    );
  }

  /** What the statement may do, whether or not a row comes to it. */
  private operations(): TriggerOperation[] {
    const commands = new Set<string>(
      this.isMerge ? this.actions.map(({ command }) => command) : [this.node.command],
    );
    if (this.onConflict?.command === 'update') commands.add('update');
    const order: TriggerOperation[] = ['INSERT', 'UPDATE', 'DELETE'];
    return order.filter((operation) => commands.has(operation.toLowerCase()));
  }

  private get updatedColumns(): ReadonlySet<number> {
    return this.onConflict?.command === 'update' ? this.assignedOnConflict : this.assigned;
  }

  /** Statement triggers before the first row; may leave by a suspension. */
  private fireBefore(): void {
    const { triggers } = this;
    if (triggers !== null && this.firesStatements) {
      this.beforeStatement ??= new StatementTriggerRun(
        triggers,
        TRIGGER_BEFORE,
        this.operations(),
        this.updatedColumns,
      );
      this.beforeStatement.run();
    }
    this.hasFiredBefore = true;
  }

  /** Statement triggers after the last row wait behind those of the rows. */
  private queueAfter(): void {
    this.hasQueuedAfter = true;
    const { triggers } = this;
    if (triggers === null || !this.firesStatements) return;
    for (const operation of this.operations().reverse())
      if (triggers.has(0, false, operation))
        AfterQueue.of(this.state).statementTriggers(triggers, operation, this.updatedColumns);
  }

  /** Row triggers after a change, and transition tables: they keep the rows, which nobody changes any more. */
  private changed(
    operation: TriggerOperation,
    oldRow: readonly Datum[] | null,
    newRow: readonly Datum[] | null,
    updated: ReadonlySet<number> | null = null,
  ): void {
    const { triggers } = this;
    if (triggers === null) return;
    const transition = triggers.transition(operation);
    if (transition !== null) {
      if (oldRow !== null) transition.oldRows?.rows.push(oldRow);
      if (newRow !== null) transition.newRows?.rows.push(newRow);
    }
    if (triggers.has(0, true, operation))
      AfterQueue.of(this.state).rowTriggers(triggers, operation, { oldRow, newRow }, updated);
  }

  open(): void {
    this.beforeStatement = null;
    this.hasFiredBefore = false;
    this.hasQueuedAfter = false;
    this.rowRun = null;
    this.triggers = null;
    this.isTargetCurrent = false;
    this.phase = 'fetch';
    this.child.open();
  }

  rescan(): void {
    throw internalError('a modification cannot run twice');
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    if (!this.isTargetCurrent) this.renewTarget();
    if (!this.hasFiredBefore) this.fireBefore();
    for (;;) {
      if (this.phase === 'fetch') {
        if (!this.child.next()) {
          if (!this.hasQueuedAfter) this.queueAfter();
          return false;
        }
        this.beginRow();
      }
      if (this.phase !== 'returning') {
        if (!this.apply()) {
          this.phase = 'fetch';
          continue;
        }
        if (this.counts) this.state.processed++;
        this.phase = 'returning';
        this.returningProgress = 0;
      }
      const { frame } = this.state;
      const { viewChecks } = this;
      const checkCount = viewChecks.length;
      for (; this.returningProgress < checkCount; this.returningProgress++) {
        const { passes, viewName } = viewChecks[this.returningProgress]!;
        if (passes(frame) !== true) throw this.target!.viewCheckViolation(viewName, this.written);
      }
      for (; this.returningProgress < checkCount + this.returning.length; this.returningProgress++) {
        const { run, slot } = this.returning[this.returningProgress - checkCount]!;
        frame[slot] = run(frame);
      }
      this.phase = 'fetch';
      if (this.returning.length > 0) return true;
    }
  }

  /** Checks, defaults and supports are compiled once, as long as the relation stays what it is. */
  private renewTarget(): void {
    const { environment } = this.state;
    const { relationOid } = this.node;
    const { target } = this;
    if (
      target === null ||
      target.relation !== environment.catalog.relation(relationOid) ||
      target.table !== environment.services.tables.table(relationOid)
    ) {
      this.target = new TargetTable(environment, relationOid, this.state);
    }
    this.triggers = TableTriggers.of(environment, this.target!.relation);
    this.isTargetCurrent = true;
  }

  private beginRow(): void {
    const { node, state } = this;
    this.rowId = node.rowIdSlot < 0 ? null : (state.frame[node.rowIdSlot] as RowId | null);
    this.view = state.environment.snapshot;
    this.unseenConflict = null;
    this.action = 0;
    this.phase = 'choose';
  }

  /** Works the row off; false when nothing was changed. */
  private apply(): boolean {
    for (;;) {
      switch (this.phase) {
        case 'choose': {
          const chosen = this.choose();
          if (chosen === null || chosen.command === 'nothing') return false;
          this.beginValues();
          break;
        }
        case 'values': {
          const goesOn = this.computeValues(this.actions[this.action]!);
          if (goesOn === false) return false;
          if (goesOn === true) this.phase = 'write';
          break;
        }
        case 'write': {
          const done = this.write(this.actions[this.action]!.command);
          if (done !== null) return done;
          break;
        }
        case 'recheck': {
          const passes = this.recheck === null || this.recheck(this.state.frame);
          if (!passes && !this.isMerge) return false;
          this.action = 0;
          this.phase = 'choose';
          break;
        }
        case 'conflict': {
          const done = this.updateConflicting();
          if (done !== null) return done;
          break;
        }
        default:
          throw internalError(`unexpected phase ${this.phase}`);
      }
    }
  }

  /** The action for this row; progress is kept in `action`. */
  private choose(): Action | null {
    const { frame } = this.state;
    if (!this.isMerge) {
      const only = this.actions[0]!;
      return only.command !== 'insert' && this.rowId === null ? null : only;
    }
    const isMatched = this.rowId !== null;
    for (; this.action < this.actions.length; this.action++) {
      const candidate = this.actions[this.action]!;
      if (candidate.matched !== isMatched) continue;
      if (candidate.condition === null || candidate.condition(frame)) return candidate;
    }
    return null;
  }

  private beginValues(): void {
    this.phase = 'values';
    this.rowRun = null;
    this.isLocked = false;
    this.progress = 0;
    this.completed = false;
    this.oldRow = null;
    this.row = [];
  }

  private readOldRow(rowId: RowId, view: Snapshot): Datum[] | null {
    const target = this.target!;
    const row: Datum[] = target.columnNumbers.map(() => null);
    const found = target.table.fetch(rowId, view, target.columnNumbers, target.columnNumbers, row);
    return found ? row : null;
  }

  /** Makes the new row ready to be written; false = a trigger skips it, null = the row must be looked at again. */
  private computeValues(action: Action): boolean | null {
    const target = this.target!;
    const { frame } = this.state;
    const { triggers } = this;
    if (action.command === 'delete') {
      if (
        target.referencedBy.length > 0 ||
        this.returning.length > 0 ||
        triggers?.wantsOldRow('DELETE') === true
      )
        this.oldRow ??= this.readOldRow(this.rowId!, this.view!);
      return this.beforeRow('DELETE');
    }
    if (action.command === 'update') this.oldRow ??= this.readOldRow(this.rowId!, this.view!);
    const { columns } = target.relation;
    for (; this.progress < columns.length; this.progress++) {
      const column = this.progress;
      const run = action.row[column] ?? null;
      if (run !== null) this.row[column] = run(frame);
      else if (action.command === 'update') this.row[column] = this.oldRow?.[column] ?? null;
      else this.row[column] = columns[column]!.dropped ? null : target.defaultValue(column);
    }
    if (!this.completed) {
      const goesOn = this.beforeRow(action.command === 'insert' ? 'INSERT' : 'UPDATE');
      if (goesOn !== true) return goesOn;
      target.complete(this.row);
      this.completed = true;
    }
    return true;
  }

  /** BEFORE row triggers. The row they look at is locked first, so that it stays what they have seen. */
  private beforeRow(operation: TriggerOperation): boolean | null {
    const { triggers } = this;
    if (triggers === null || !triggers.has(TRIGGER_BEFORE, true, operation)) return true;
    const { state } = this;
    if (operation !== 'INSERT' && !this.isLocked) {
      const outcome = this.target!.table.lock(
        state.environment.transaction,
        this.view!,
        this.rowId!,
        operation === 'DELETE' ? 'Update' : 'NoKeyUpdate',
      );
      if (outcome.kind !== 'ok') {
        const result = this.changedMeanwhile(outcome);
        return result === null ? null : false;
      }
      this.isLocked = true;
    }
    this.rowRun ??= new RowTriggerRun(
      triggers,
      TRIGGER_BEFORE,
      operation,
      { oldRow: this.oldRow, newRow: operation === 'DELETE' ? null : [...this.row] },
      this.assigned,
    );
    const result = this.rowRun.run();
    this.rowRun = null;
    if (result === null) return false;
    if (operation !== 'DELETE') this.row = [...result];
    return true;
  }

  /** One attempt to write; null = go on in another phase. */
  private write(command: Command): boolean | null {
    switch (command) {
      case 'insert':
        return this.insert();
      case 'update':
        return this.update();
      default:
        return this.delete();
    }
  }

  private insert(): boolean | null {
    const { state, onConflict } = this;
    const target = this.target!;
    const { table } = target;
    const { transaction } = state.environment;
    if (onConflict !== null) {
      const conflict = this.findConflict(onConflict.indexOids);
      if (conflict !== null) {
        if (conflict.xid !== 0) {
          state.waitForTransaction(conflict.xid);
          return null;
        }
        return this.resolveConflict(conflict);
      }
      if (onConflict.command === 'nothing' && this.isExcluded(onConflict.indexOids)) return false;
    }
    const result = table.insert(transaction, this.row);
    if ('conflict' in result) {
      const { conflict } = result;
      if (conflict.xid !== 0) {
        state.waitForTransaction(conflict.xid);
        return null;
      }
      throw target.uniqueViolation(conflict, this.row);
    }
    if (target.hasAfterChecks) AfterQueue.of(state).inserted(target, this.row);
    this.changed('INSERT', null, this.row);
    this.show(this.row, result.rowId);
    return true;
  }

  /** DO NOTHING skips what an exclusion constraint refuses too, any of them or the one named. */
  private isExcluded(indexOids: readonly number[]): boolean {
    const target = this.target!;
    this.exclusions ??= target.lateConstraints
      .filter(
        ({ kind, deferrable, indexOid }) =>
          kind === 'x' && !deferrable && (indexOids.length === 0 || indexOids.includes(indexOid)),
      )
      .map((constraint) => new LateKey(this.state.environment, target, constraint));
    return this.exclusions.some((exclusion) => exclusion.excludesNew(this.row));
  }

  private findConflict(indexOids: readonly number[]): UniqueConflict | null {
    const { transaction } = this.state.environment;
    const { table } = this.target!;
    if (indexOids.length === 0) return table.findConflict(transaction, this.row, null);
    for (const oid of indexOids) {
      const conflict = table.findConflict(transaction, this.row, oid);
      if (conflict !== null) return conflict;
    }
    return null;
  }

  private resolveConflict(conflict: UniqueConflict): boolean | null {
    const { transaction, snapshot } = this.state.environment;
    // A row committed after our snapshot may be neither skipped nor updated. One that no snapshot shows is this command's own.
    if (
      transaction.isolation !== 'read committed' &&
      !this.target!.table.fetch(conflict.rowId, snapshot, [], [], []) &&
      this.readOldRow(conflict.rowId, transaction.latestSnapshot()) !== null
    ) {
      throw concurrentUpdate('updated');
    }
    if (this.onConflict!.command === 'nothing') return false;
    this.conflictRow = conflict.rowId;
    this.oldRow = null;
    this.conflictChosen = false;
    this.progress = 0;
    this.phase = 'conflict';
    return null;
  }

  /** DO UPDATE: the existing row is in the target's slots, the proposed one in EXCLUDED's. */
  private updateConflicting(): boolean | null {
    const { state, node } = this;
    const { frame } = state;
    const { transaction, snapshot } = state.environment;
    const target = this.target!;
    const action = this.onConflict!;
    const rowId = this.conflictRow!;
    // Later isolation levels update what their snapshot shows; a newer version of it is 40001.
    const view = transaction.isolation === 'read committed' ? transaction.latestSnapshot() : snapshot;
    if (this.oldRow === null) {
      const existing = this.readOldRow(rowId, view);
      if (existing === null) {
        // Gone meanwhile: the insertion is tried again. A row that is there and yet unseen is one of this very command.
        if (this.unseenConflict === rowId) throw secondTime();
        this.unseenConflict = rowId;
        this.phase = 'write';
        return null;
      }
      this.oldRow = existing;
    }
    const { oldRow } = this;
    this.show(oldRow, rowId);
    for (const { column, slot } of node.onConflict!.excludedColumns)
      if (column >= 0) frame[slot] = this.row[column]!;
    if (!this.conflictChosen) {
      const passes = action.condition === null || action.condition(frame);
      if (!passes) return this.lockConflicting(rowId, view);
      this.conflictChosen = true;
    }
    let newRow = target.relation.columns.map((_, column) => {
      const run = action.row[column] ?? null;
      return run === null ? oldRow[column]! : run(frame);
    });
    if (this.triggers?.has(TRIGGER_BEFORE, true, 'UPDATE') === true) {
      this.rowRun ??= new RowTriggerRun(
        this.triggers,
        TRIGGER_BEFORE,
        'UPDATE',
        { oldRow, newRow },
        this.assignedOnConflict,
      );
      const result = this.rowRun.run();
      this.rowRun = null;
      if (result === null) return false;
      newRow = [...result];
    }
    target.complete(newRow);
    const outcome = target.table.update(
      transaction,
      view,
      rowId,
      newRow,
      this.changedColumns(oldRow, newRow),
    );
    switch (outcome.kind) {
      case 'ok':
        this.reportUpdate(oldRow, newRow);
        this.changed('UPDATE', oldRow, newRow, this.assignedOnConflict);
        this.show(newRow, outcome.rowId, true);
        return true;
      case 'wait':
        state.waitForTransaction(outcome.xid);
        this.phase = 'write';
        return null;
      case 'conflict':
        if (outcome.conflict.xid === 0) throw target.uniqueViolation(outcome.conflict, newRow);
        state.waitForTransaction(outcome.conflict.xid);
        return null;
      case 'self':
        throw secondTime();
      default:
        if (transaction.isolation !== 'read committed') throw concurrentUpdate(outcome.kind);
        this.phase = 'write';
        return null;
    }
  }

  /** A row that DO UPDATE's WHERE refuses is still locked. */
  private lockConflicting(rowId: RowId, view: Snapshot): boolean | null {
    const { state } = this;
    const outcome = this.target!.table.lock(state.environment.transaction, view, rowId, 'Update');
    if (outcome.kind === 'wait') state.waitForTransaction(outcome.xid);
    if (outcome.kind === 'ok' || outcome.kind === 'self') return false;
    this.phase = 'write';
    return null;
  }

  private changedColumns(oldRow: readonly Datum[], row: readonly Datum[]): number[] {
    const changed: number[] = [];
    for (let column = 0; column < row.length; column++)
      if (row[column] !== oldRow[column]) changed.push(column);
    return changed;
  }

  private reportUpdate(oldRow: readonly Datum[], row: readonly Datum[]): void {
    const target = this.target!;
    if (target.hasAfterChecks || target.referencedBy.length > 0) {
      AfterQueue.of(this.state).updated(target, oldRow, row);
    }
  }

  private update(): boolean | null {
    const { state, oldRow, row } = this;
    const { transaction } = state.environment;
    const target = this.target!;
    const changed = oldRow === null ? [...target.columnNumbers] : this.changedColumns(oldRow, row);
    const outcome = target.table.update(transaction, this.view!, this.rowId!, row, changed);
    switch (outcome.kind) {
      case 'ok':
        if (oldRow !== null) {
          this.reportUpdate(oldRow, row);
          this.changed('UPDATE', oldRow, row, this.assigned);
        }
        this.show(row, outcome.rowId);
        return true;
      case 'conflict':
        if (outcome.conflict.xid === 0) throw target.uniqueViolation(outcome.conflict, row);
        state.waitForTransaction(outcome.conflict.xid);
        return null;
      default:
        return this.changedMeanwhile(outcome);
    }
  }

  private delete(): boolean | null {
    const { state } = this;
    const { transaction } = state.environment;
    const target = this.target!;
    const outcome = target.table.delete(transaction, this.view!, this.rowId!);
    if (outcome.kind !== 'ok') return this.changedMeanwhile(outcome);
    if (this.oldRow !== null) {
      if (target.referencedBy.length > 0) AfterQueue.of(state).deleted(target, this.oldRow);
      this.changed('DELETE', this.oldRow, null);
      this.show(this.oldRow, this.rowId!);
    }
    return true;
  }

  /** The row is not as the statement saw it. */
  private changedMeanwhile(
    outcome:
      | { kind: 'wait'; xid: number }
      | { kind: 'updated'; rowId: RowId }
      | { kind: 'deleted' }
      | { kind: 'self' },
  ): boolean | null {
    const { state } = this;
    const { transaction } = state.environment;
    switch (outcome.kind) {
      case 'wait':
        state.waitForTransaction(outcome.xid as Parameters<ExecutionState['waitForTransaction']>[0]);
        return null;
      case 'self':
        if (this.isLocked) {
          throw new DbError(
            'triggered_data_change_violation',
            this.actions[this.action]?.command === 'delete'
              ? 'tuple to be deleted was already modified by an operation triggered by the current command'
              : 'tuple to be updated was already modified by an operation triggered by the current command',
            {
              hint: 'Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows.',
            },
          );
        }
        if (this.isMerge) {
          throw new DbError('cardinality_violation', 'MERGE command cannot affect row a second time', {
            hint: 'Ensure that not more than one source row matches any one target row.',
          });
        }
        return false;
      case 'deleted':
        if (transaction.isolation !== 'read committed') throw concurrentUpdate('deleted');
        return false;
      case 'updated': {
        if (transaction.isolation !== 'read committed') throw concurrentUpdate('updated');
        this.rowId = outcome.rowId;
        this.view = transaction.latestSnapshot();
        const newest = this.readOldRow(outcome.rowId, this.view);
        if (newest === null) return false;
        this.show(newest, outcome.rowId);
        if (this.node.rowIdSlot >= 0) state.frame[this.node.rowIdSlot] = outcome.rowId;
        this.phase = 'recheck';
        return null;
      }
    }
  }

  /** Puts a version of the target's row where RETURNING and rechecks read it. */
  private show(row: readonly Datum[], rowId: RowId, isUpsert = false): void {
    const { frame } = this.state;
    this.written = row;
    for (const { column, slot } of this.node.targetColumns) {
      if (column >= 0) frame[slot] = row[column] ?? null;
      else if (column === -1) frame[slot] = tidOfRow(rowId);
      else if (column === -6) frame[slot] = this.node.relationOid;
      else if (column === -2) frame[slot] = this.state.environment.transaction.xid;
      else if (column === -4) frame[slot] = isUpsert ? this.state.environment.transaction.xid : 0;
      else frame[slot] = this.state.environment.snapshot.commandId;
    }
  }
}

function secondTime(): DbError {
  return new DbError(
    'cardinality_violation',
    'ON CONFLICT DO UPDATE command cannot affect row a second time',
    {
      hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
    },
  );
}

function firstModify(root: PlanNode): PlanNode | null {
  if (root.kind === 'modify') return root;
  if (root.kind === 'append') return root.children[0] === undefined ? null : firstModify(root.children[0]);
  return 'child' in root && root.child !== null ? firstModify(root.child as PlanNode) : null;
}

/** True for a modification whose rows the command tag counts: those at the top, not those in CTEs. */
function isTopModify(root: PlanNode, wanted: ModifyNode): boolean {
  if (root.kind === 'modify') return root === wanted;
  // Changes of a table with children stand side by side.
  if (root.kind === 'append') return root.children.some((child) => isTopModify(child, wanted));
  return 'child' in root && root.child !== null && isTopModify(root.child as PlanNode, wanted);
}
