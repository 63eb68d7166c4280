/**
 * What the pipelines of a query compute: plain data, sent to workers.
 *
 * A query is a list of pipelines, run one after the other. Each reads one source (a table of the database, or tuples made before), sends every row
 * through steps (filters and probes of hash tables), and ends in a sink: tuples, groups, or marks on tuples that a probe found.
 *
 * Tuples of fixed size lie in chunks of shared memory; how, says `layout.ts`. What a join builds and what an aggregate groups is the same thing:
 * a store of tuples with a directory of chains over them.
 */
import type { Oid } from '../../../base/brands.ts';
import type { AccumulatorSpec, Node, PipelineColumn, PipelineType } from '../spec.ts';

/** A value of a tuple. */
export interface FieldSpec {
  readonly type: PipelineType;
  /** Accumulators only: the field that counts the values; the field is NULL while that is 0. -1 = it is NULL by its bit. */
  readonly countedBy: number;
  /** Index of the accumulator, or -1. */
  readonly accumulator: number;
  /** Sums of decimals: the field with the digits after the point that the sum shows; -1 = those of the type. */
  readonly shownBy: number;
}

/** A store of tuples. */
export interface StoreSpec {
  readonly fields: readonly FieldSpec[];
  /** Fields by which chains are made (the first ones); empty = no directory. */
  readonly keys: number;
  readonly kind: 'tuples' | 'groups';
  /** Groups: what is computed, field by field after the keys. */
  readonly accumulators: readonly AccumulatorSpec[];
}

export type QuerySource =
  | {
      readonly kind: 'scan';
      /** Index into the query's scans. */
      readonly scan: number;
      readonly columns: readonly PipelineColumn[];
      /** Decided by kernels where they can be. */
      readonly filters: readonly Node[];
    }
  | { readonly kind: 'store'; readonly store: number; readonly marks: 'all' | 'marked' | 'unmarked' };

export type ProbeJoin = 'inner' | 'left' | 'semi' | 'anti';

export type QueryStep =
  | { readonly kind: 'filter'; readonly condition: Node }
  | {
      readonly kind: 'probe';
      readonly store: number;
      readonly join: ProbeJoin;
      readonly keys: readonly Node[];
      /** Over the row and the tuple's fields. */
      readonly condition: Node | null;
      /** Tuples that were found are marked. */
      readonly marks: boolean;
    };

export type QuerySink =
  | { readonly kind: 'tuples'; readonly store: number; readonly values: readonly Node[] }
  | { readonly kind: 'groups'; readonly store: number; readonly keys: readonly Node[] }
  /** Nothing but the marks that the last step makes. */
  | { readonly kind: 'none' };

export interface QueryPipeline {
  readonly source: QuerySource;
  readonly steps: readonly QueryStep[];
  readonly sink: QuerySink;
  readonly stringTests: number;
}

/** How a result column is read from the last store. */
export type ResultColumn =
  | { readonly slot: number; readonly typeOid: Oid; readonly kind: 'field'; readonly field: number }
  | {
      readonly slot: number;
      readonly typeOid: Oid;
      readonly kind: 'average';
      readonly sum: number;
      readonly count: number;
      readonly isFloat: boolean;
    };

export interface QuerySpec {
  readonly stores: readonly StoreSpec[];
  readonly pipelines: readonly QueryPipeline[];
  /** Store of the result. */
  readonly result: number;
  readonly columns: readonly ResultColumn[];
}

/** Bounds of a field over all tuples; null: no integer, or no value. Terms: of what a sum added up. */
export interface FieldBounds {
  readonly low: bigint;
  readonly high: bigint;
}

export interface FieldFacts {
  readonly bounds: FieldBounds | null;
  readonly term: FieldBounds | null;
  readonly nullable: boolean;
  /** Strings: every byte a character. */
  readonly isAscii: boolean;
}

/** A run of tuples. */
export interface Chunk {
  readonly address: number;
  readonly bytes: number;
}

/** What is known of a store once it is full. */
export interface StoreState {
  readonly chunks: readonly Chunk[];
  readonly tuples: number;
  readonly fields: readonly FieldFacts[];
  readonly directory: Directory | null;
  /** No two tuples have the same key. */
  readonly isUnique: boolean;
}

/** Chains of tuples: `cells` 32-bit addresses. direct: the cell is key - low. hash: the hash's lowest bits. */
export interface Directory {
  readonly mode: 'direct' | 'hash';
  readonly address: number;
  readonly cells: number;
  readonly low: bigint;
  /** Bits of keys that exist, 32 a word; 0 = none. */
  readonly filter: number;
  readonly filterWords: number;
}
