/** What the main thread and the pipeline workers say to each other. All of it is structured-clonable. */
import type { KernelChoice } from '../../native/index.ts';
import type { FrameInfo } from './layout.ts';
import type { QueryAnswer, QueryRequest } from './query/messages.ts';
import type { ParamValue, PipelineSpec } from './spec.ts';

/** Start data of a worker. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  /** Byte address of the worker's work area. */
  readonly area: number;
  readonly kernels: KernelChoice;
  /** Byte address and number of the blocks of working memory for queries. */
  readonly blocks: { readonly at: number; readonly count: number };
}

/** One run of rows: its frames by column of the pipeline. */
export interface Morsel {
  readonly frames: readonly number[];
  readonly rowCount: number;
  /** Rows to look at, one bit each; null = all. */
  readonly mask: Uint8Array | null;
  /** By string test: its table over the dictionary of the tested column. */
  readonly tests: readonly Uint8Array[];
}

export type ToWorker =
  | {
      readonly kind: 'start';
      readonly statement: number;
      readonly spec: PipelineSpec;
      readonly params: readonly ParamValue[];
      /** Int32: [0] not 0 = stop. */
      readonly control: SharedArrayBuffer;
      /** Upper bound of the rows of the whole scan. */
      readonly rowsMax: number;
      /** The statement wants the addon where there is one. */
      readonly native: boolean;
    }
  | { readonly kind: 'frames'; readonly add: readonly FrameInfo[]; readonly drop: readonly number[] }
  | {
      readonly kind: 'wave';
      readonly statement: number;
      readonly wave: number;
      readonly morsels: readonly Morsel[];
      /** Int32: next morsel to take; shared by the workers of the wave. */
      readonly next: SharedArrayBuffer;
    }
  /** Asks for the (next) groups; after the last the statement is forgotten. */
  | { readonly kind: 'finish'; readonly statement: number }
  | QueryRequest;

/** Groups in one message: so few that the main thread takes them within its slice. */
export const GROUPS_PER_MESSAGE = 1024;

/** A group as one worker saw it. Keys: integers and decimals as bigint, booleans as 0 and 1, strings as bytes. */
export interface PartialGroup {
  readonly keys: readonly (bigint | Uint8Array | null)[];
  /** By accumulator: counts, sums of integers, and bounds of integers as bigint, doubles as number. */
  readonly values: (bigint | number)[];
}

/** What a worker did, for EXPLAIN ANALYZE. */
export interface WorkerStatistics {
  morsels: number;
  skippedMorsels: number;
  rowsRead: number;
  rowsPassed: number;
  modulesCompiled: number;
  compileMicros: number;
  busyMicros: number;
}

export type FromWorker =
  | QueryAnswer
  | { readonly kind: 'waveDone'; readonly statement: number; readonly wave: number }
  | {
      readonly kind: 'result';
      readonly statement: number;
      readonly groups: readonly PartialGroup[];
      /** There are more: ask again. */
      readonly more: boolean;
      readonly statistics: WorkerStatistics;
    }
  /** The row executor has to run the statement. The wave it happened in counts as done. */
  | { readonly kind: 'refused'; readonly statement: number; readonly wave: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly statement: number; readonly wave: number; readonly message: string };

export function emptyStatistics(): WorkerStatistics {
  return {
    morsels: 0,
    skippedMorsels: 0,
    rowsRead: 0,
    rowsPassed: 0,
    modulesCompiled: 0,
    compileMicros: 0,
    busyMicros: 0,
  };
}
