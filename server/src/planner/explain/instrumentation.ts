/**
 * What a run measured, as EXPLAIN ANALYZE prints it. Executors fill it; several workers' records of one node are summed.
 */

/** What one plan node did. Times in microseconds, summed over all loops. */
export interface NodeInstrumentation {
  loops: number;
  /** Rows handed up, over all loops. */
  rows: number;
  /** Until the first row. */
  startupMicros: number;
  totalMicros: number;
  /** Rows a filter or join condition refused. */
  removed: number;
  /** Largest memory the node held. */
  memoryBytes?: number;
  /** Further facts in the order to print: "Sort Method" → "quicksort", "Segments Read" → 12, "Kernels" → "avx512" … */
  extra?: readonly (readonly [label: string, value: string | number])[];
}

export interface PlanInstrumentation {
  /** By PlanNode.id. */
  readonly nodes: ReadonlyMap<number, NodeInstrumentation>;
}

export interface PlanTimes {
  /** Milliseconds. */
  planning: number | null;
  execution: number | null;
}

/** Appended to the write-ahead log by a statement. */
export interface WalUse {
  readonly records: number;
  readonly bytes: number;
}

/** What is said about the statement as a whole; null = not asked for. */
export interface PlanFacts {
  readonly times: PlanTimes;
  readonly settings: readonly (readonly [name: string, value: string])[] | null;
  readonly wal: WalUse | null;
}
