/**
 * The triggers of one relation during one statement.
 *
 * Order of names decides among triggers of one event. A BEFORE trigger's row is the next one's input; NULL skips the row. All runs are
 * re-entrant: what has fired is not fired again after a suspension.
 */

import { DbError, internalError } from '../../base/error.ts';
import type { RelationDescriptor, TriggerDescriptor } from '../../catalog/contract.ts';
import { type Datum, SqlRecord } from '../../types/datum.ts';
import type { Invocation, RoutineHost, TriggerCall, TriggerOperation } from '../routines.ts';
import { ExpressionCompiler } from '../row/expression/compile.ts';
import type { ExecutionEnvironment } from '../state.ts';
import { RowSet } from './row-set.ts';

export const TRIGGER_ROW = 1;
export const TRIGGER_BEFORE = 2;
export const TRIGGER_INSERT = 4;
export const TRIGGER_DELETE = 8;
export const TRIGGER_UPDATE = 16;
export const TRIGGER_TRUNCATE = 32;
export const TRIGGER_INSTEAD = 64;

const EVENT_BITS: Readonly<Record<TriggerOperation, number>> = {
  INSERT: TRIGGER_INSERT,
  UPDATE: TRIGGER_UPDATE,
  DELETE: TRIGGER_DELETE,
  TRUNCATE: TRIGGER_TRUNCATE,
};

type When = (oldRow: readonly Datum[] | null, newRow: readonly Datum[] | null) => boolean;

/** Old and new rows of one kind of change, where a trigger asks for them. */
export interface Transition {
  readonly oldRows: RowSet | null;
  readonly newRows: RowSet | null;
}

export class TableTriggers {
  readonly relation: RelationDescriptor;
  private readonly triggers: readonly TriggerDescriptor[];
  private readonly host: RoutineHost;
  private readonly environment: ExecutionEnvironment;
  private readonly conditions = new Map<TriggerDescriptor, When | null>();
  /** Answers of `select`, which is asked for every row. */
  private readonly selections = new Map<number, readonly TriggerDescriptor[]>();
  private readonly transitions = new Map<TriggerOperation, Transition>();

  private constructor(
    environment: ExecutionEnvironment,
    relation: RelationDescriptor,
    triggers: readonly TriggerDescriptor[],
    host: RoutineHost,
  ) {
    this.environment = environment;
    this.relation = relation;
    this.triggers = triggers;
    this.host = host;
  }

  /** Null when none of the relation's triggers can fire. */
  static of(environment: ExecutionEnvironment, relation: RelationDescriptor): TableTriggers | null {
    const all = relation.triggers ?? [];
    if (all.length === 0) return null;
    const { services, resolver } = environment;
    const role = resolver.context.session.setting('session_replication_role') ?? 'origin';
    const active = all.filter(({ enabled }) =>
      enabled === 'D' ? false : enabled === 'A' || (enabled === 'R') === (role === 'replica'),
    );
    if (active.length === 0) return null;
    if (services.routines === undefined)
      throw internalError(`triggers of "${relation.name}" cannot fire here`);
    return new TableTriggers(environment, relation, active, services.routines);
  }

  /** Triggers of a time, level and event, in order of their names. */
  select(timing: number, isRow: boolean, operation: TriggerOperation): readonly TriggerDescriptor[] {
    const event = EVENT_BITS[operation];
    const key = event | timing | (isRow ? TRIGGER_ROW : 0);
    let selected = this.selections.get(key);
    if (selected === undefined) {
      selected = this.triggers.filter(
        ({ type }) =>
          (type & event) !== 0 &&
          (type & (TRIGGER_BEFORE | TRIGGER_INSTEAD)) === timing &&
          ((type & TRIGGER_ROW) !== 0) === isRow,
      );
      this.selections.set(key, selected);
    }
    return selected;
  }

  has(timing: number, isRow: boolean, operation: TriggerOperation): boolean {
    return this.select(timing, isRow, operation).length > 0;
  }

  /** True when old rows are needed beyond what the statement itself needs. */
  wantsOldRow(operation: TriggerOperation): boolean {
    return (
      this.has(TRIGGER_BEFORE, true, operation) ||
      this.has(0, true, operation) ||
      this.has(TRIGGER_INSTEAD, true, operation) ||
      this.transition(operation) !== null
    );
  }

  /** Rows collected for transition tables; null when no trigger of the operation has any. */
  transition(operation: TriggerOperation): Transition | null {
    const known = this.transitions.get(operation);
    if (known !== undefined) return known.oldRows === null && known.newRows === null ? null : known;
    const users = this.triggers.filter(({ type }) => (type & EVENT_BITS[operation]) !== 0);
    const made: Transition = {
      oldRows: users.some(({ oldTable }) => oldTable !== null) ? new RowSet() : null,
      newRows: users.some(({ newTable }) => newTable !== null) ? new RowSet() : null,
    };
    this.transitions.set(operation, made);
    return made.oldRows === null && made.newRows === null ? null : made;
  }

  /** False when the trigger names columns and none of them was assigned, or its WHEN is not true. */
  fires(
    trigger: TriggerDescriptor,
    operation: TriggerOperation,
    updated: ReadonlySet<number> | null,
    oldRow: readonly Datum[] | null,
    newRow: readonly Datum[] | null,
  ): boolean {
    if (operation === 'UPDATE' && trigger.columns.length > 0 && updated !== null) {
      if (!trigger.columns.some((column) => updated.has(column))) return false;
    }
    const when = this.condition(trigger);
    return when === null || when(oldRow, newRow);
  }

  private condition(trigger: TriggerDescriptor): When | null {
    const known = this.conditions.get(trigger);
    if (known !== undefined) return known;
    let when: When | null = null;
    if (trigger.condition !== null) {
      const { relation } = this;
      const names = relation.columns.map((column) => column.name);
      const types = relation.columns.map((column) => column.typeOid);
      const compiler = new ExpressionCompiler(null, this.environment.resolver, {
        variable: ({ relation: side, attribute }) => {
          if (attribute > 0)
            return (rows) => (rows[side - 1] as unknown as readonly Datum[] | null)?.[attribute - 1] ?? null;
          if (attribute === 0)
            return (rows) => {
              const row = rows[side - 1] as unknown as readonly Datum[] | null;
              return row === null ? null : new SqlRecord(relation.rowTypeOid, row, types, names);
            };
          return () => relation.oid;
        },
      });
      const test = compiler.test(this.environment.parseExpression(trigger.condition));
      when = (oldRow, newRow) => test([oldRow as unknown as Datum, newRow as unknown as Datum]);
    }
    this.conditions.set(trigger, when);
    return when;
  }

  start(trigger: TriggerDescriptor, call: TriggerCall): Invocation {
    return this.host.startTrigger(trigger.functionOid, call);
  }

  call(
    trigger: TriggerDescriptor,
    operation: TriggerOperation,
    oldRow: readonly Datum[] | null,
    newRow: readonly Datum[] | null,
  ): TriggerCall {
    const { type } = trigger;
    const transition = this.transition(operation);
    return {
      trigger,
      relation: this.relation,
      operation,
      when:
        (type & TRIGGER_BEFORE) !== 0 ? 'BEFORE' : (type & TRIGGER_INSTEAD) !== 0 ? 'INSTEAD OF' : 'AFTER',
      level: (type & TRIGGER_ROW) !== 0 ? 'ROW' : 'STATEMENT',
      oldRow,
      newRow,
      oldTable: trigger.oldTable === null ? null : (transition?.oldRows ?? null),
      newTable: trigger.newTable === null ? null : (transition?.newRows ?? null),
    };
  }
}

/** Runs BEFORE (or INSTEAD OF) row triggers for one row; `run` answers the row that is to be written, or null to skip it. */
export class RowTriggerRun {
  private readonly triggers: TableTriggers;
  private readonly list: ReturnType<TableTriggers['select']>;
  private readonly operation: TriggerOperation;
  private readonly updated: ReadonlySet<number> | null;
  private readonly oldRow: readonly Datum[] | null;
  private row: readonly Datum[] | null;
  private index = 0;
  private pending: Invocation | null = null;

  constructor(
    triggers: TableTriggers,
    timing: number,
    operation: TriggerOperation,
    rows: { oldRow: readonly Datum[] | null; newRow: readonly Datum[] | null },
    updated: ReadonlySet<number> | null,
  ) {
    this.triggers = triggers;
    this.operation = operation;
    this.list = triggers.select(timing, true, operation);
    this.oldRow = rows.oldRow;
    this.row = operation === 'DELETE' ? rows.oldRow : rows.newRow;
    this.updated = updated;
  }

  run(): readonly Datum[] | null {
    const { triggers, list, operation } = this;
    const isDelete = operation === 'DELETE';
    for (; this.index < list.length; this.index++) {
      const trigger = list[this.index]!;
      const newRow = isDelete ? null : this.row;
      if (this.pending === null) {
        if (!triggers.fires(trigger, operation, this.updated, this.oldRow, newRow)) continue;
        this.pending = triggers.start(trigger, triggers.call(trigger, operation, this.oldRow, newRow));
      }
      const result = this.pending.run();
      this.pending = null;
      if (result === null) return null;
      if (!isDelete) this.row = rowOf(result, this.row!.length);
    }
    return this.row;
  }
}

function rowOf(result: Datum, length: number): readonly Datum[] {
  if (!(result instanceof SqlRecord) || result.fields.length !== length)
    throw new DbError('datatype_mismatch', 'trigger function did not return a row of the table');
  return result.fields;
}

/** Runs statement triggers of one event, each once. */
export class StatementTriggerRun {
  private readonly triggers: TableTriggers;
  private readonly operations: readonly TriggerOperation[];
  private readonly updated: ReadonlySet<number> | null;
  private readonly timing: number;
  private operation = 0;
  private index = 0;
  private pending: Invocation | null = null;

  constructor(
    triggers: TableTriggers,
    timing: number,
    operations: readonly TriggerOperation[],
    updated: ReadonlySet<number> | null,
  ) {
    this.triggers = triggers;
    this.timing = timing;
    this.operations = operations;
    this.updated = updated;
  }

  run(): void {
    const { triggers, operations } = this;
    for (; this.operation < operations.length; this.operation++) {
      const operation = operations[this.operation]!;
      const list = triggers.select(this.timing, false, operation);
      for (; this.index < list.length; this.index++) {
        const trigger = list[this.index]!;
        if (this.pending === null) {
          if (!triggers.fires(trigger, operation, this.updated, null, null)) continue;
          this.pending = triggers.start(trigger, triggers.call(trigger, operation, null, null));
        }
        this.pending.run();
        this.pending = null;
      }
      this.index = 0;
    }
  }
}
