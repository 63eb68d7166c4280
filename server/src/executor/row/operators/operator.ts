/**
 * The row executor's operators.
 *
 * Rows travel through the statement's frame: `next` returns true when the slots in the node's `outputs` hold the next row.
 * Every method may be left by a suspension (base/suspend.ts) and is then called again; operators keep what they fetched in fields
 * before they evaluate anything on it. Nothing is evaluated in `open` and `rescan`: outer slots may not be filled yet.
 */
export interface Operator {
  /** Begins an execution. All caches are dropped. */
  open(): void;
  next(): boolean;
  /** Starts again within the execution; outer slots may have changed. Results that depend on none of them may be kept. */
  rescan(): void;
  /** Gives up memory, cursors and files. Can be opened again. */
  close(): void;
}
