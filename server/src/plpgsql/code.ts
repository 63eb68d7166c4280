/** A function after compilation: steps over a frame of variables. */
import type { Oid } from '../base/brands.ts';
import type { CatalogReader, FunctionDescriptor } from '../catalog/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import type { RowFields } from './casts.ts';

/** One step: acts on the activation and answers the number of the step that comes next, -1 to return. */
export type Step = (activation: Activation, frame: Datum[]) => number;

/** Where in the source a step stands, for CONTEXT lines. */
export interface Place {
  readonly line: number;
  /** `at assignment`, `during statement block local variable initialization` … */
  readonly text: string;
}

/** A variable of the function. */
export interface Variable {
  readonly name: string;
  readonly slot: number;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly collation: Oid;
  /** Of a row type or of type record. */
  readonly isRecord: boolean;
  /** Constraints of a domain are checked with every value. */
  readonly isDomain: boolean;
  readonly notNull: boolean;
  /** NEW and OLD: without a value they are not NULL but absent. */
  readonly absentWithoutValue: boolean;
}

export interface ExceptionHandler {
  readonly codes: readonly string[] | 'others';
  readonly pc: number;
}

/** What an exception block needs at run time. */
export interface ExceptionBlock {
  readonly handlers: ExceptionHandler[];
  readonly stateSlot: number;
  readonly messageSlot: number;
}

/** What the function gives back. */
export interface ResultShape {
  readonly kind: 'void' | 'scalar' | 'row' | 'trigger' | 'none';
  readonly typeOid: Oid;
  /** Rows: columns that are promised; null = whatever comes (record without a definition). */
  readonly fields: RowFields | null;
  /** Variables of OUT arguments. */
  readonly out: readonly Variable[];
  readonly returnsSet: boolean;
}

export interface Code {
  /** As errors name it: `f(integer)`. */
  readonly signature: string;
  readonly descriptor: FunctionDescriptor | null;
  catalog(): CatalogReader;
  readonly steps: Step[];
  readonly places: Place[];
  /** Slots of arguments in order of the call. */
  readonly arguments: Variable[];
  readonly result: ResultShape;
  readonly found: number;
  /** Slots a new frame has; grows while expressions are prepared. */
  slotCount: number;
  /** Grows when catalog or settings have changed: what was prepared before is prepared again. */
  generation: number;
  planKey: number;
  /** Functions that are not volatile see the snapshot of their caller. */
  readonly isReadOnly: boolean;
  readonly variableConflict: 'error' | 'use_variable' | 'use_column';
  readonly printStrictParams: boolean;
  /** Where transition tables lie. */
  readonly transitionSlots: readonly number[];
  /** Slots of NEW and OLD of a trigger function, and of the TG_ variables. */
  readonly trigger: TriggerSlots | null;
}

export interface TriggerSlots {
  readonly newSlot: number;
  readonly oldSlot: number;
  readonly rowTypeOid: Oid;
  /** TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, TG_RELID, TG_RELNAME, TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_NARGS, TG_ARGV */
  readonly special: SpecialSlots;
}

export interface SpecialSlots {
  readonly tg_name: number;
  readonly tg_when: number;
  readonly tg_level: number;
  readonly tg_op: number;
  readonly tg_relid: number;
  readonly tg_relname: number;
  readonly tg_table_name: number;
  readonly tg_table_schema: number;
  readonly tg_nargs: number;
  readonly tg_argv: number;
}
