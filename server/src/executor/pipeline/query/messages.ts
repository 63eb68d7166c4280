/** What the main thread and the workers say to each other about queries. All of it is structured-clonable. */
import type { ParamValue } from '../spec.ts';
import type { QueryVariant, StoreVariant } from './emit-keys.ts';
import type { Chunk, Directory, QueryPipeline, StoreSpec } from './ir.ts';
import type { SortKeySpec } from './sort.ts';

export interface QueryMorsel {
  /** Frames by column, for a scan. */
  readonly frames: readonly number[];
  readonly rowCount: number;
  readonly mask: Uint8Array | null;
  readonly tests: readonly Uint8Array[];
  /** A run of tuples, for a store. */
  readonly chunk: Chunk | null;
}

/** Everything of a task but its morsels. */
export interface QueryTask {
  readonly kind: 'query';
  readonly statement: number;
  readonly task: number;
  /** Int32: [0] not 0 = stop; [1] and [2] count the statement's blocks (`blocks.ts`). */
  readonly control: SharedArrayBuffer;
  /** Int32: next morsel to take. */
  readonly next: SharedArrayBuffer;
  readonly native: boolean;
  readonly work:
    | {
        readonly kind: 'run';
        readonly pipeline: QueryPipeline;
        /** Some expression calls a function of SQL. */
        readonly hasCalls: boolean;
        readonly stores: readonly StoreSpec[];
        readonly variant: Omit<QueryVariant, 'columns' | 'filters'>;
        readonly params: readonly ParamValue[];
        /** By store that is probed. */
        readonly directories: Readonly<Record<number, Directory>>;
        readonly morsels: readonly QueryMorsel[];
        /** Groups, direct: the cells and the lowest key. */
        readonly cells: number;
        readonly low: bigint;
      }
    | {
        readonly kind: 'link';
        readonly store: StoreSpec;
        readonly variant: StoreVariant;
        readonly directory: Directory;
        readonly chunks: readonly Chunk[];
      }
    | {
        readonly kind: 'clear';
        readonly ranges: readonly Chunk[];
      }
    /** The worker's own directory of a group store gets so many cells. */
    | { readonly kind: 'resize'; readonly store: number; readonly cells: number }
    | {
        readonly kind: 'sort';
        readonly store: StoreSpec;
        readonly keys: readonly SortKeySpec[];
        readonly chunks: readonly Chunk[];
        /** Rows wanted; infinite = all. */
        readonly bound: number;
      }
    | {
        readonly kind: 'merge';
        readonly store: number;
        /** The directory that remains, and the others. */
        readonly into: number;
        readonly others: readonly number[];
        /** Ranges of cells. */
        readonly parts: readonly (readonly [number, number])[];
      };
}

export type QueryRequest = QueryTask | { readonly kind: 'queryEnd'; readonly statement: number };

export interface QueryAnswer {
  readonly kind: 'queryDone';
  readonly statement: number;
  readonly task: number;
  readonly refusal: string | null;
  readonly failure: string | null;
  readonly chunks: readonly Chunk[];
  readonly rows: number;
  /** Groups: this worker's directory. */
  readonly directory: number;
  readonly cells: number;
  readonly duplicates: boolean;
  /** Addresses of tuples in order, 4 bytes each. */
  readonly sorted: Chunk | null;
  readonly statistics: {
    readonly busyMicros: number;
    readonly compileMicros: number;
    readonly modules: number;
    readonly morsels: number;
  };
}
