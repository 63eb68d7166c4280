/** Calls of trigger functions: NEW, OLD and the TG_ variables, and what may be returned. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { RelationDescriptor, TriggerDescriptor } from '../catalog/contract.ts';
import type { Invocation, TriggerCall } from '../executor/routines.ts';
import { type Datum, SqlArray, SqlRecord } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { checkRowShape, RECORD } from './casts.ts';
import type { Code } from './code.ts';
import type { RoutineManager } from './manager.ts';

const TEXT = 25;

interface RowType {
  readonly types: readonly Oid[];
  readonly names: readonly string[];
}

const rowTypes = new WeakMap<RelationDescriptor, RowType>();

function rowTypeOf(relation: RelationDescriptor): RowType {
  let row = rowTypes.get(relation);
  if (row === undefined) {
    row = {
      types: relation.columns.map((column) => column.typeOid),
      names: relation.columns.map((column) => column.name),
    };
    rowTypes.set(relation, row);
  }
  return row;
}

function recordOf(relation: RelationDescriptor, row: readonly Datum[] | null): SqlRecord | null {
  if (row === null) return null;
  const { types, names } = rowTypeOf(relation);
  return new SqlRecord(relation.rowTypeOid, row, types, names);
}

interface FirstFrame {
  readonly trigger: TriggerDescriptor;
  readonly relation: RelationDescriptor;
  readonly operation: TriggerCall['operation'];
  readonly frame: readonly Datum[];
}

/** What every call of a trigger for one operation begins with: the TG_ variables. One is kept for each function. */
const firstFrames = new WeakMap<Code, FirstFrame>();

function firstFrame(code: Code, call: TriggerCall): readonly Datum[] {
  const { trigger, relation, operation } = call;
  const known = firstFrames.get(code);
  if (
    known !== undefined &&
    known.trigger === trigger &&
    known.relation === relation &&
    known.operation === operation &&
    known.frame.length === code.slotCount
  )
    return known.frame;
  const { special } = code.trigger!;
  const frame = new Array<Datum>(code.slotCount).fill(null);
  frame[code.found] = false;
  frame[special.tg_name] = trigger.name;
  frame[special.tg_when] = call.when;
  frame[special.tg_level] = call.level;
  frame[special.tg_op] = operation;
  frame[special.tg_relid] = relation.oid;
  frame[special.tg_relname] = relation.name;
  frame[special.tg_table_name] = relation.name;
  frame[special.tg_table_schema] = relation.namespaceName;
  frame[special.tg_nargs] = trigger.args.length;
  if (trigger.args.length > 0)
    frame[special.tg_argv] = new SqlArray(TEXT, [...trigger.args], [trigger.args.length], [0]);
  firstFrames.set(code, { trigger, relation, operation, frame });
  return frame;
}

export class TriggerInvocation implements Invocation {
  private readonly manager: RoutineManager;
  private readonly activation: Activation;
  private readonly call: TriggerCall;

  constructor(manager: RoutineManager, code: Code, call: TriggerCall) {
    this.manager = manager;
    this.call = call;
    const activation = manager.triggerActivation(code, firstFrame(code, call));
    this.activation = activation;
    const { frame } = activation;
    const slots = code.trigger!;
    const { relation, trigger, newTable, oldTable } = call;
    frame[slots.newSlot] = recordOf(relation, call.newRow);
    frame[slots.oldSlot] = recordOf(relation, call.oldRow);
    if (newTable !== null && trigger.newTable !== null)
      activation.addTransition(trigger.newTable, relation, newTable);
    if (oldTable !== null && trigger.oldTable !== null)
      activation.addTransition(trigger.oldTable, relation, oldTable);
  }

  run(): Datum {
    const { manager, call } = this;
    manager.session.triggerDepth++;
    let result: Datum;
    try {
      result = this.activation.run();
    } finally {
      manager.session.triggerDepth--;
    }
    if (call.level === 'STATEMENT' || call.when === 'AFTER' || result === null) return null;
    if (!(result instanceof SqlRecord))
      throw new DbError(
        'datatype_mismatch',
        'cannot return non-composite value from function returning composite type',
      );
    const { relation } = call;
    if (result.typeOid === relation.rowTypeOid && result.fields.length === relation.columns.length)
      return result;
    return this.converted(result);
  }

  /** A row of another type: its columns must be those of the table. */
  private converted(result: SqlRecord): SqlRecord {
    const { relation } = this.call;
    const { casts, session } = this.manager;
    const fields = {
      typeOid: relation.rowTypeOid,
      ...rowTypeOf(relation),
      typmods: relation.columns.map(() => -1),
      dropped: relation.columns.map((column) => column.dropped),
    };
    checkRowShape(
      session.catalog(),
      result.fieldTypes,
      fields.types.filter((_, index) => !fields.dropped[index]),
      'returned row structure does not match the structure of the triggering table',
      (oid) => session.catalog().type(oid)?.name ?? String(oid),
    );
    return casts.rowOf(result.fields, result.fieldTypes, fields);
  }
}

export { RECORD };
