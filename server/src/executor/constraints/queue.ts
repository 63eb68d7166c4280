/**
 * Foreign keys, checked at the end of the statement that changed the rows (or at commit where deferred).
 *
 * Modifications report rows; `run` works the reports off and may be left by a suspension at any point:
 * every item is removed only when it is finished, and doing an unfinished one again changes nothing twice.
 *
 * Referencing side   each distinct new key is looked up in the referenced table's unique index as of now, and the found row is locked
 *                    FOR KEY SHARE, so that it cannot go before this transaction ends.
 * Referenced side    rows that point at an old key are found through an index on the referencing columns, or for all old keys
 *                    together in one scan. NO ACTION and RESTRICT refuse; the other actions change those rows, which reports
 *                    further items.
 */
import type { Oid, RowId } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import { WaitSignal } from '../../base/suspend.ts';
import type { ConstraintDescriptor, ForeignKeyAction, TriggerDescriptor } from '../../catalog/contract.ts';
import type { IndexSchema, RowCursor, Table } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { Invocation, TriggerOperation } from '../routines.ts';
import { isInt32Key, KeyTable, keyOf } from '../row/keys.ts';
import { fitInteger } from '../row/operators/seq-scan.ts';
import type { ExecutionEnvironment, ExecutionState } from '../state.ts';
import {
  RowTriggerRun,
  StatementTriggerRun,
  TableTriggers,
  TRIGGER_BEFORE,
} from '../triggers/table-triggers.ts';
import { LateKey } from './late-keys.ts';
import { TargetTable } from './target.ts';

/** New keys of one constraint that must exist in the referenced table. */
interface ReferencingWork {
  readonly constraint: ConstraintDescriptor;
  readonly seen: KeyTable;
  readonly keys: Datum[][];
  position: number;
}

/** Old keys of one constraint that nothing may point at any more, or whose referrers change. */
interface ReferencedWork {
  readonly constraint: ConstraintDescriptor;
  readonly isUpdate: boolean;
  readonly oldKeys: Datum[][];
  readonly newKeys: (Datum[] | null)[];
  position: number;
  /** Progress of the current search. */
  search: Search | null;
}

interface Search {
  cursor: RowCursor;
  row: Datum[];
  /** Number of the key the found row points at, by row of the scan. */
  keyOfRow: (row: readonly Datum[]) => number;
  /** Rows to change, collected before the first is changed: a cursor must not see its own changes. */
  found: { rowId: RowId; key: number }[];
  complete: boolean;
  position: number;
}

interface TriggerEvent {
  readonly triggers: TableTriggers;
  readonly trigger: TriggerDescriptor;
  readonly operation: TriggerOperation;
  readonly oldRow: readonly Datum[] | null;
  readonly newRow: readonly Datum[] | null;
}

export class AfterQueue {
  private readonly environment: ExecutionEnvironment;
  private readonly tick: () => void;
  private readonly targets = new Map<Oid, TargetTable>();
  private referencing = new Map<Oid, ReferencingWork>();
  private referenced: ReferencedWork[] = [];

  constructor(environment: ExecutionEnvironment, tick: () => void) {
    this.environment = environment;
    this.tick = tick;
  }

  /** The queue of the statement, made when the first row reports. */
  static of(state: ExecutionState): AfterQueue {
    state.after ??= new AfterQueue(state.environment, () => state.tick());
    return state.after;
  }

  // -------------------------------------------------------------------------------------------------------- triggers

  /** Row triggers that fire after the statement, and statement triggers behind them. */
  private events: TriggerEvent[] = [];
  private statementEvents: TriggerEvent[] = [];
  private eventPosition = 0;
  private eventCall: Invocation | null = null;

  /** AFTER row triggers of one changed row; conditions are tested now. */
  rowTriggers(
    triggers: TableTriggers,
    operation: TriggerOperation,
    rows: { oldRow: readonly Datum[] | null; newRow: readonly Datum[] | null },
    updated: ReadonlySet<number> | null,
  ): void {
    for (const trigger of triggers.select(0, true, operation)) {
      if (!triggers.fires(trigger, operation, updated, rows.oldRow, rows.newRow)) continue;
      this.events.push({ triggers, trigger, operation, ...rows });
    }
  }

  statementTriggers(
    triggers: TableTriggers,
    operation: TriggerOperation,
    updated: ReadonlySet<number> | null,
  ): void {
    for (const trigger of triggers.select(0, false, operation)) {
      if (!triggers.fires(trigger, operation, updated, null, null)) continue;
      this.statementEvents.push({ triggers, trigger, operation, oldRow: null, newRow: null });
    }
  }

  /** Fires what waits; deferred constraint triggers go to the end of the transaction. */
  private fireEvents(): void {
    const { services, transaction } = this.environment;
    for (const event of this.statementEvents.splice(0)) this.events.push(event);
    for (; this.eventPosition < this.events.length; this.eventPosition++) {
      const { triggers, trigger, operation, oldRow, newRow } = this.events[this.eventPosition]!;
      if (
        this.eventCall === null &&
        !this.isFinal &&
        trigger.deferrable &&
        services.isConstraintDeferred(trigger.constraintOid, trigger.initiallyDeferred)
      ) {
        this.deferEvent(this.events[this.eventPosition]!);
        continue;
      }
      this.deferring = null;
      if (this.eventCall === null) {
        transaction.advanceCommand();
        this.eventCall = triggers.start(trigger, triggers.call(trigger, operation, oldRow, newRow));
      }
      this.eventCall.run();
      this.eventCall = null;
    }
    this.events = [];
    this.eventPosition = 0;
    this.deferring = null;
  }

  /** Takes the deferred events that follow each other: they fire together, and one rollback undoes them all. */
  private deferring: AfterQueue | null = null;

  private deferEvent(event: TriggerEvent): void {
    if (this.deferring !== null) {
      this.deferring.events.push(event);
      return;
    }
    const { services, transaction } = this.environment;
    const later = new AfterQueue(this.environment, () => this.environment.services.interrupt());
    later.isFinal = true;
    later.events.push(event);
    this.deferring = later;
    let isUndone = false;
    transaction.onRollback(() => {
      isUndone = true;
    });
    services.deferConstraint(() => {
      if (!isUndone) later.run();
    });
  }

  private target(oid: Oid): TargetTable {
    let target = this.targets.get(oid);
    if (target === undefined) {
      target = new TargetTable(this.environment, oid, null);
      this.targets.set(oid, target);
    }
    return target;
  }

  inserted(target: TargetTable, row: readonly Datum[]): void {
    for (const constraint of target.foreignKeys) this.addKey(target, constraint, row);
    for (const constraint of target.lateConstraints) this.addLateKey(target, constraint, null, row);
  }

  private readonly lateKeys = new Map<Oid, LateKey>();
  private late: { key: LateKey; row: readonly Datum[] }[] = [];

  private addLateKey(
    target: TargetTable,
    constraint: ConstraintDescriptor,
    oldRow: readonly Datum[] | null,
    row: readonly Datum[],
  ): void {
    let key = this.lateKeys.get(constraint.oid);
    if (key === undefined) {
      key = new LateKey(this.environment, target, constraint);
      this.lateKeys.set(constraint.oid, key);
    }
    if (oldRow !== null && key.isSame(oldRow, row)) return;
    if (key.mayConflict(row)) this.late.push({ key, row: [...row] });
  }

  /** Keys to be checked now; those of deferred constraints go to the end of the transaction. */
  private checkLateKeys(): void {
    const { services, transaction } = this.environment;
    if (!this.isFinal) {
      const isDeferred = ({ constraint }: LateKey): boolean =>
        constraint.deferrable && services.isConstraintDeferred(constraint.oid, constraint.deferred);
      const deferred = this.late.filter(({ key }) => isDeferred(key));
      if (deferred.length > 0) {
        this.late = this.late.filter(({ key }) => !isDeferred(key));
        const later = new AfterQueue(this.environment, () => this.environment.services.interrupt());
        later.isFinal = true;
        later.late = deferred;
        let isUndone = false;
        transaction.onRollback(() => {
          isUndone = true;
        });
        services.deferConstraint(() => {
          if (!isUndone) later.run();
        });
      }
    }
    while (this.late.length > 0) {
      this.tick();
      const { key, row } = this.late[0]!;
      key.check(row);
      this.late.shift();
    }
  }

  updated(target: TargetTable, oldRow: readonly Datum[], row: readonly Datum[]): void {
    for (const constraint of target.foreignKeys) {
      const columns = constraint.columns.map((number) => number - 1);
      if (!this.sameKey(target, columns, oldRow, row)) this.addKey(target, constraint, row);
    }
    for (const constraint of target.lateConstraints) this.addLateKey(target, constraint, oldRow, row);
    for (const constraint of target.referencedBy) {
      const columns = constraint.foreign!.referencedColumns.map((number) => number - 1);
      if (this.sameKey(target, columns, oldRow, row)) continue;
      this.addOldKey(constraint, columns, oldRow, row);
    }
  }

  deleted(target: TargetTable, oldRow: readonly Datum[]): void {
    for (const constraint of target.referencedBy) {
      const columns = constraint.foreign!.referencedColumns.map((number) => number - 1);
      this.addOldKey(constraint, columns, oldRow, null);
    }
  }

  private sameKey(
    target: TargetTable,
    columns: readonly number[],
    left: readonly Datum[],
    right: readonly Datum[],
  ): boolean {
    return columns.every((column) => {
      const a = left[column]!;
      const b = right[column]!;
      if (a === null || b === null) return a === b;
      return a === b || target.supports[column]!.hashKey(a) === target.supports[column]!.hashKey(b);
    });
  }

  private addKey(target: TargetTable, constraint: ConstraintDescriptor, row: readonly Datum[]): void {
    const values = constraint.columns.map((number) => row[number - 1]!);
    const nulls = values.filter((value) => value === null).length;
    if (nulls > 0) {
      if (constraint.foreign!.match === 'f' && nulls < values.length) {
        throw new DbError(
          'foreign_key_violation',
          `insert or update on table "${target.relation.name}" violates foreign key constraint "${constraint.name}"`,
          {
            ...target.names,
            constraint: constraint.name,
            detail: 'MATCH FULL does not allow mixing of null and nonnull key values.',
          },
        );
      }
      return;
    }
    let work = this.referencing.get(constraint.oid);
    if (work === undefined) {
      const seen = new KeyTable(
        constraint.columns.map((number) => {
          const { typeOid } = target.relation.columns[number - 1]!;
          return {
            int32: isInt32Key(typeOid),
            keyOf: keyOf(typeOid, () => this.environment.resolver.typeSupport(typeOid)),
          };
        }),
      );
      work = { constraint, seen, keys: [], position: 0 };
      this.referencing.set(constraint.oid, work);
    }
    work.seen.begin();
    for (let index = 0; index < values.length; index++) work.seen.put(index, values[index]!);
    if (work.seen.insert() === work.keys.length) work.keys.push(values);
  }

  private addOldKey(
    constraint: ConstraintDescriptor,
    columns: readonly number[],
    oldRow: readonly Datum[],
    newRow: readonly Datum[] | null,
  ): void {
    const oldKey = columns.map((column) => oldRow[column]!);
    if (oldKey.some((value) => value === null)) return;
    const isUpdate = newRow !== null;
    let work = this.referenced.find(
      (item) => item.constraint.oid === constraint.oid && item.isUpdate === isUpdate && item.search === null,
    );
    if (work === undefined) {
      work = { constraint, isUpdate, oldKeys: [], newKeys: [], position: 0, search: null };
      this.referenced.push(work);
    }
    work.oldKeys.push(oldKey);
    work.newKeys.push(newRow === null ? null : columns.map((column) => newRow[column]!));
  }

  /** Works everything off. Errors 23503. */
  run(_state?: ExecutionState): void {
    const { transaction } = this.environment;
    if (!this.isRunning) {
      // What the statement wrote must be visible to its checks.
      transaction.advanceCommand();
      this.isRunning = true;
    }
    this.checkLateKeys();
    this.postpone();
    while (this.referenced.length > 0 || this.referencing.size > 0) {
      const work = this.referenced[0];
      if (work !== undefined) {
        this.runReferenced(work);
        this.referenced.splice(this.referenced.indexOf(work), 1);
        transaction.advanceCommand();
        this.postpone();
        continue;
      }
      const [oid, first] = this.referencing.entries().next().value!;
      this.runReferencing(first);
      this.referencing.delete(oid);
    }
    for (const queue of this.lateStatements.splice(0)) queue();
    this.fireEvents();
    // What triggers' own statements queue is theirs; rows changed by cascades may have reported more.
    if (
      this.referenced.length > 0 ||
      this.referencing.size > 0 ||
      this.events.length > 0 ||
      this.late.length > 0
    )
      this.run(_state);
  }

  /** Hands checks of deferred constraints over to the session, which runs them at commit. */
  private postpone(): void {
    if (this.isFinal || (this.referencing.size === 0 && this.referenced.length === 0)) return;
    const { services } = this.environment;
    const isDeferred = (constraint: ConstraintDescriptor): boolean =>
      constraint.deferrable && services.isConstraintDeferred(constraint.oid, constraint.deferred);
    const later = new AfterQueue(this.environment, () => this.environment.services.interrupt());
    for (const [oid, work] of this.referencing) {
      if (!isDeferred(work.constraint)) continue;
      this.referencing.delete(oid);
      later.referencing.set(oid, work);
    }
    this.referenced = this.referenced.filter((work) => {
      if (!isDeferred(work.constraint) || this.action(work) !== 'a') return true;
      later.referenced.push(work);
      return false;
    });
    if (later.referencing.size === 0 && later.referenced.length === 0) return;
    later.isFinal = true;
    let isUndone = false;
    this.environment.transaction.onRollback(() => {
      isUndone = true;
    });
    services.deferConstraint(() => {
      // The savepoint the rows were written under was rolled back.
      if (isUndone) return;
      later.run();
    });
  }
  private isRunning = false;
  /** Runs at commit: nothing is postponed again. */
  private isFinal = false;

  private action(work: ReferencedWork): ForeignKeyAction {
    const { foreign } = work.constraint;
    return work.isUpdate ? foreign!.onUpdate : foreign!.onDelete;
  }

  private runReferencing(work: ReferencingWork): void {
    const { constraint } = work;
    const { foreign } = constraint;
    const target = this.target(foreign!.referencedOid);
    const columns = foreign!.referencedColumns.map((number) => number - 1);
    for (; work.position < work.keys.length; work.position++) {
      this.tick();
      const key = work.keys[work.position]!;
      if (!this.lockReferenced(target, columns, key)) {
        const child = this.target(constraint.relationOid);
        const childColumns = constraint.columns.map((number) => number - 1);
        // A deferred check of a row that was changed or deleted since has nothing to refuse.
        if (this.isFinal && !this.exists(child, childColumns, key)) continue;
        throw new DbError(
          'foreign_key_violation',
          `insert or update on table "${child.relation.name}" violates foreign key constraint "${constraint.name}"`,
          {
            ...child.names,
            constraint: constraint.name,
            detail: `Key ${child.keyText(childColumns, key)} is not present in table "${target.relation.name}".`,
          },
        );
      }
    }
  }

  /** Finds the row with this key and locks it; false when there is none. */
  private lockReferenced(target: TargetTable, columns: readonly number[], key: readonly Datum[]): boolean {
    const { transaction, services } = this.environment;
    const { table } = target;
    for (;;) {
      const snapshot = transaction.latestSnapshot();
      const cursor = equalCursor(table, columns, key, snapshot);
      const found = cursor.next([]);
      const { rowId } = cursor;
      cursor.close();
      if (!found) return false;
      const outcome = table.lock(transaction, snapshot, rowId, 'KeyShare');
      if (outcome.kind === 'ok' || outcome.kind === 'self') return true;
      if (outcome.kind === 'wait') {
        const pending = services.locks.waitForTransaction(transaction, outcome.xid, {
          policy: 'wait',
          timeoutMicros: services.lockTimeoutMicros(),
        });
        if (pending !== null) throw new WaitSignal(pending);
      }
      if (transaction.isolation !== 'read committed' && outcome.kind !== 'wait')
        throw concurrentUpdate(outcome.kind);
    }
  }

  private exists(target: TargetTable, columns: readonly number[], key: readonly Datum[]): boolean {
    const cursor = equalCursor(target.table, columns, key, this.environment.transaction.latestSnapshot());
    const found = cursor.next([]);
    cursor.close();
    return found;
  }

  private runReferenced(work: ReferencedWork): void {
    const action = this.action(work);
    const { constraint } = work;
    const child = this.target(constraint.relationOid);
    const parent = this.target(constraint.foreign!.referencedOid);
    const childColumns = constraint.columns.map((number) => number - 1);
    const parentColumns = constraint.foreign!.referencedColumns.map((number) => number - 1);
    const index = indexOver(child.table, childColumns);
    while (work.position < work.oldKeys.length) {
      this.tick();
      const key = work.oldKeys[work.position]!;
      if (work.search === null) {
        work.search =
          index === null
            ? this.scanForKeys(child, childColumns, work)
            : this.probeForKey(child, childColumns, key, work.position);
      }
      const { search } = work;
      while (!search.complete) {
        if (!search.cursor.next(search.row)) {
          search.cursor.close();
          search.complete = true;
          break;
        }
        const number = search.keyOfRow(search.row);
        if (number < 0) continue;
        const pointedAt = work.oldKeys[number]!;
        if (action === 'a' || action === 'r') {
          if (action === 'a' && this.exists(parent, parentColumns, pointedAt)) continue;
          search.cursor.close();
          throw new DbError(
            'foreign_key_violation',
            `update or delete on table "${parent.relation.name}" violates foreign key constraint "${constraint.name}" on table "${child.relation.name}"`,
            {
              ...child.names,
              constraint: constraint.name,
              detail: `Key ${parent.keyText(parentColumns, pointedAt)} is still referenced from table "${child.relation.name}".`,
            },
          );
        }
        search.found.push({ rowId: search.cursor.rowId, key: number });
      }
      for (; search.position < search.found.length; search.position++) {
        const { rowId, key: number } = search.found[search.position]!;
        this.changeReferrer(work, child, childColumns, rowId, number);
      }
      work.search = null;
      if (index === null) work.position = work.oldKeys.length;
      else work.position++;
    }
  }

  private probeForKey(
    child: TargetTable,
    columns: readonly number[],
    key: readonly Datum[],
    number: number,
  ): Search {
    const snapshot = this.environment.transaction.latestSnapshot();
    return {
      cursor: equalCursor(child.table, columns, key, snapshot),
      row: [],
      keyOfRow: () => number,
      found: [],
      complete: false,
      position: 0,
    };
  }

  /** No index: all old keys are looked for in one pass. */
  private scanForKeys(child: TargetTable, columns: readonly number[], work: ReferencedWork): Search {
    const { resolver, transaction } = this.environment;
    const parent = this.target(work.constraint.foreign!.referencedOid);
    const parentColumns = work.constraint.foreign!.referencedColumns.map((number) => number - 1);
    const parentTypes = parentColumns.map((column) => parent.relation.columns[column]!.typeOid);
    const childTypes = columns.map((column) => child.relation.columns[column]!.typeOid);
    const table = new KeyTable(
      parentTypes.map((typeOid, index) => ({
        int32: isInt32Key(typeOid) && isInt32Key(childTypes[index]!),
        keyOf: keyOf(typeOid, () => resolver.typeSupport(typeOid)),
      })),
    );
    const numbers: number[] = [];
    work.oldKeys.forEach((key, number) => {
      table.begin();
      for (let index = 0; index < key.length; index++) table.put(index, key[index]!);
      numbers[table.insert()] = number;
    });
    const childKeyOf = childTypes.map((typeOid) => keyOf(typeOid, () => resolver.typeSupport(typeOid)));
    const { tick } = this;
    return {
      cursor: child.table.scan({
        snapshot: transaction.latestSnapshot(),
        columns,
        slots: columns.map((_, index) => index),
        predicates: [],
        tick,
      }),
      row: columns.map(() => null),
      keyOfRow: (row) => {
        table.begin();
        for (let index = 0; index < columns.length; index++) {
          const value = row[index]!;
          if (value === null || !table.seekBy(index, value, childKeyOf[index]!)) return -1;
        }
        const found = table.find();
        return found < 0 ? -1 : numbers[found]!;
      },
      found: [],
      complete: false,
      position: 0,
    };
  }

  /** CASCADE, SET NULL, SET DEFAULT for one referencing row. */
  private changeReferrer(
    work: ReferencedWork,
    child: TargetTable,
    columns: readonly number[],
    rowId: RowId,
    number: number,
  ): void {
    const { transaction } = this.environment;
    const { table } = child;
    const action = this.action(work);
    const operation: TriggerOperation = action === 'c' && !work.isUpdate ? 'DELETE' : 'UPDATE';
    const triggers = this.triggersOf(child);
    const updated = new Set(columns.map((column) => column + 1));
    if (triggers !== null) this.cascadeStatement(triggers, operation, updated);
    for (;;) {
      const snapshot = transaction.latestSnapshot();
      const oldRow: Datum[] = child.columnNumbers.map(() => null);
      if (!table.fetch(rowId, snapshot, child.columnNumbers, child.columnNumbers, oldRow)) return;
      let outcome: ReturnType<Table['update']>;
      let newRow: Datum[] | null = null;
      if (operation === 'DELETE') {
        if (triggers !== null && this.beforeCascade(triggers, operation, oldRow, null, updated) === null)
          return;
        outcome = table.delete(transaction, transaction.latestSnapshot(), rowId);
      } else {
        newRow = [...oldRow];
        columns.forEach((column, index) => {
          if (action === 'c')
            newRow![column] = fitInteger(
              work.newKeys[number]![index]!,
              child.relation.columns[column]!.typeOid,
            );
          else newRow![column] = action === 'd' ? child.defaultValue(column) : null;
        });
        if (triggers !== null) {
          const before = this.beforeCascade(triggers, operation, oldRow, newRow, updated);
          if (before === null) return;
          newRow = [...before];
        }
        child.complete(newRow);
        const changed =
          triggers !== null
            ? [...child.columnNumbers]
            : [...columns, ...child.generatedColumns.map(({ column }) => column)];
        outcome = table.update(transaction, transaction.latestSnapshot(), rowId, newRow, changed);
      }
      switch (outcome.kind) {
        case 'ok':
          if (triggers !== null) this.afterCascade(triggers, operation, oldRow, newRow, updated);
          if (newRow === null) this.deleted(child, oldRow);
          else this.updated(child, oldRow, newRow);
          return;
        case 'wait':
          this.waitFor(outcome.xid);
          break;
        case 'updated':
          if (transaction.isolation !== 'read committed') throw concurrentUpdate('updated');
          rowId = outcome.rowId;
          break;
        case 'deleted':
        case 'self':
          return;
        case 'conflict':
          if (outcome.conflict.xid !== 0) this.waitFor(outcome.conflict.xid);
          else throw child.uniqueViolation(outcome.conflict, newRow!);
      }
    }
  }

  private readonly triggersByTarget = new Map<TargetTable, TableTriggers | null>();
  private readonly firedStatements = new Set<string>();
  private statementRun: StatementTriggerRun | null = null;
  private cascadeRun: RowTriggerRun | null = null;

  private triggersOf(target: TargetTable): TableTriggers | null {
    let triggers = this.triggersByTarget.get(target);
    if (triggers === undefined) {
      triggers = TableTriggers.of(this.environment, target.relation);
      this.triggersByTarget.set(target, triggers);
    }
    return triggers;
  }

  /** Statement triggers of a table that a foreign key's action changes: once for each kind of change. */
  private cascadeStatement(
    triggers: TableTriggers,
    operation: TriggerOperation,
    updated: ReadonlySet<number>,
  ): void {
    const key = `${triggers.relation.oid}.${operation}`;
    if (this.firedStatements.has(key)) return;
    this.statementRun ??= new StatementTriggerRun(triggers, TRIGGER_BEFORE, [operation], updated);
    this.statementRun.run();
    this.statementRun = null;
    this.firedStatements.add(key);
  }

  private beforeCascade(
    triggers: TableTriggers,
    operation: TriggerOperation,
    oldRow: readonly Datum[],
    newRow: readonly Datum[] | null,
    updated: ReadonlySet<number>,
  ): readonly Datum[] | null {
    this.cascadeRun ??= new RowTriggerRun(triggers, TRIGGER_BEFORE, operation, { oldRow, newRow }, updated);
    const row = this.cascadeRun.run();
    this.cascadeRun = null;
    return row;
  }

  private afterCascade(
    triggers: TableTriggers,
    operation: TriggerOperation,
    oldRow: readonly Datum[],
    newRow: readonly Datum[] | null,
    updated: ReadonlySet<number>,
  ): void {
    const transition = triggers.transition(operation);
    transition?.oldRows?.rows.push(oldRow);
    if (newRow !== null) transition?.newRows?.rows.push(newRow);
    this.rowTriggers(triggers, operation, { oldRow, newRow }, updated);
    const key = `${triggers.relation.oid}.${operation}.after`;
    if (this.firedStatements.has(key)) return;
    this.firedStatements.add(key);
    this.lateStatements.push(() => this.statementTriggers(triggers, operation, updated));
  }

  /** Statement triggers after the cascades, queued when all rows are done. */
  private readonly lateStatements: (() => void)[] = [];

  private waitFor(xid: Parameters<ExecutionState['waitForTransaction']>[0]): void {
    const { services, transaction } = this.environment;
    const pending = services.locks.waitForTransaction(transaction, xid, {
      policy: 'wait',
      timeoutMicros: services.lockTimeoutMicros(),
    });
    if (pending !== null) throw new WaitSignal(pending);
  }
}

/** 40001 of REPEATABLE READ. */
export function concurrentUpdate(kind: string): DbError {
  const what = kind === 'deleted' ? 'delete' : 'update';
  return new DbError('serialization_failure', `could not serialize access due to concurrent ${what}`);
}

/** Index whose first keys are exactly these columns, in any order; unique ones first. */
function indexOver(table: Table, columns: readonly number[]): IndexSchema | null {
  let best: IndexSchema | null = null;
  for (const index of table.indexes) {
    if (index.predicate !== null || index.keys.length < columns.length) continue;
    const leading = index.keys.slice(0, columns.length);
    if (!leading.every((key) => columns.includes(key.column))) continue;
    if (best === null || (index.unique && !best.unique)) best = index;
  }
  return best;
}

/** Rows whose columns equal the key, through an index if there is one. */
export function equalCursor(
  table: Table,
  columns: readonly number[],
  key: readonly Datum[],
  snapshot: Parameters<Table['scan']>[0]['snapshot'],
): RowCursor {
  const typed = columns.map((column, index) => {
    const schema = table.schema.columns[column];
    if (schema === undefined)
      throw internalError(`column ${column} of table ${table.schema.name} does not exist`);
    return fitInteger(key[index]!, schema.typeOid);
  });
  const index = indexOver(table, columns);
  if (index === null) {
    return table.scan({
      snapshot,
      columns: [],
      slots: [],
      predicates: columns.map((column, position) => ({ column, operator: '=', value: typed[position]! })),
    });
  }
  const equal = index.keys
    .slice(0, columns.length)
    .map((indexKey) => typed[columns.indexOf(indexKey.column)]!);
  return table.indexScan({
    snapshot,
    columns: [],
    slots: [],
    indexOid: index.indexOid,
    equal,
    lower: null,
    upper: null,
    backward: false,
  });
}
