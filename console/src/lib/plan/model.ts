/** An executed or estimated plan, from whatever EXPLAIN printed it. Times in milliseconds, memory in kB, rows as counts. */
export type PropertyValue =
  | string
  | number
  | boolean
  | null
  | readonly PropertyValue[]
  | { readonly [key: string]: PropertyValue };

export interface PlanNode {
  /** Place in depth-first order from 0. */
  readonly id: number;
  readonly parent: number | null;
  readonly depth: number;
  readonly children: readonly number[];
  readonly type: string;
  /** Type with what makes it particular: `Hash Join (Left)`, `Index Scan using i on t`. */
  readonly title: string;
  readonly relation: string | null;
  readonly alias: string | null;
  readonly index: string | null;
  /** `Outer`, `Inner`, `InitPlan`, `SubPlan`, `Member` … */
  readonly relationship: string;
  readonly subplanName: string | null;
  /** The condition that matters most, for the second line of the node. */
  readonly condition: string | null;
  readonly startupCost: number;
  readonly totalCost: number;
  readonly planRows: number;
  readonly planWidth: number;
  /** Per loop; null without ANALYZE. */
  readonly actualStartup: number | null;
  readonly actualTotal: number | null;
  readonly actualRows: number | null;
  readonly loops: number;
  readonly isNeverExecuted: boolean;
  /** How many processes share the loops (below a Gather). */
  readonly parallelism: number;
  /** Everything printed for the node, by PostgreSQL's names. */
  readonly properties: Readonly<Record<string, PropertyValue>>;

  /** Over all loops and processes. */
  readonly inclusiveMillis: number | null;
  /** Without the children. */
  readonly exclusiveMillis: number | null;
  /** Share of the whole, 0–1: of time, or of cost without ANALYZE. */
  readonly share: number;
  readonly exclusiveCost: number;
  /** Rows over all loops; the estimate without ANALYZE. */
  readonly rows: number;
  readonly rowsRemoved: number;
  /** Actual by estimated rows: above 1 too few were expected; null when it cannot be said. */
  readonly estimateFactor: number | null;
  readonly buffers: Buffers | null;
  readonly memoryKilobytes: number | null;
  readonly diskKilobytes: number | null;
  readonly segments: Segments | null;
  /** Start and end on the plan's clock; derived when the plan does not print them. */
  readonly start: number;
  readonly end: number;
  readonly workers: readonly WorkerTime[];
}

export interface Buffers {
  readonly hit: number;
  readonly read: number;
  readonly dirtied: number;
  readonly written: number;
  readonly temporaryRead: number;
  readonly temporaryWritten: number;
}

/** Column segments of a scan: how many there were, and why the others were not read. */
export interface Segments {
  readonly total: number;
  readonly skippedByZoneMap: number;
  readonly skippedByBloom: number;
  readonly skippedByBounds: number;
  readonly read: number;
}

export interface WorkerTime {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly rows: number | null;
}

export interface Plan {
  readonly nodes: readonly PlanNode[];
  readonly isAnalyzed: boolean;
  readonly planningMillis: number | null;
  readonly executionMillis: number | null;
  /** What the shares are shares of. */
  readonly totalMillis: number | null;
  readonly totalCost: number;
  readonly triggers: readonly { readonly name: string; readonly millis: number; readonly calls: number }[];
  readonly jit: Readonly<Record<string, PropertyValue>> | null;
  readonly settings: Readonly<Record<string, PropertyValue>> | null;
  readonly queryText: string | null;
  /** False: start and end are worked out from durations. */
  readonly hasTrueTimes: boolean;
}

/** A node as read, before anything is worked out. */
export interface RawNode {
  readonly properties: Record<string, PropertyValue>;
  readonly children: RawNode[];
}

export interface RawPlan {
  readonly root: RawNode;
  readonly planningMillis: number | null;
  readonly executionMillis: number | null;
  readonly triggers: { name: string; millis: number; calls: number }[];
  readonly jit: Record<string, PropertyValue> | null;
  readonly settings: Record<string, PropertyValue> | null;
  readonly queryText: string | null;
}
