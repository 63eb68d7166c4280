/** What passes between the main thread and a thread that evaluates expressions. A worker has one job at a time. */
import type { Oid } from '../../base/brands.ts';
import type { PackedError } from '../../base/error-transfer.ts';
import type { PlanExpr } from '../../planner/physical.ts';
import type { FormatContext } from '../../types/contract.ts';

/** What the worker must know of a function of the expression. */
export interface ShippedFunction {
  readonly oid: Oid;
  /** pg_proc.prosrc, or `#` and the OID for builtin functions in SQL. */
  readonly source: string;
  readonly strict: boolean;
  readonly volatility: 'i' | 's' | 'v';
}

/** An expression whose leaves are slots 0 … n - 1 of the inputs. Plain data. */
export interface Shipment {
  readonly expr: PlanExpr;
  readonly functions: readonly ShippedFunction[];
  readonly inputTypes: readonly Oid[];
}

/** A value on its way. Long texts follow in parts; bytes move without a copy. */
export type Packed =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly kind: 'text'; readonly length: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'encoded'; readonly bytes: Uint8Array };

/** Characters of a text that move in one message: half a millisecond of copying. */
export const TEXT_PART = 1 << 19;

export type PackedFormat = Omit<FormatContext, 'names'>;

export type ToWorker =
  | {
      readonly kind: 'run';
      readonly shipment: Shipment;
      readonly inputs: readonly Packed[];
      readonly format: PackedFormat;
      readonly settings: Readonly<Record<string, string>>;
      readonly timestamps: readonly [transaction: bigint, statement: bigint];
    }
  | { readonly kind: 'parse'; readonly text: Packed }
  /** A piece of the next unfinished long input, in order; `start` when all are there. */
  | { readonly kind: 'part'; readonly text: string }
  | { readonly kind: 'start' }
  /** Asks for the next piece of a long result. */
  | { readonly kind: 'next' };

export type FromWorker =
  | { readonly kind: 'value'; readonly value: Packed }
  | { readonly kind: 'part'; readonly text: string }
  | { readonly kind: 'error'; readonly error: PackedError }
  /** The expression needs what only the session has: evaluate it there. */
  | { readonly kind: 'refused' };
