/** Statements that took at least log_min_duration_statement: kept for the console, written to the server's log. Constants are left out. */
import type { Oid } from '../base/brands.ts';

export interface SlowStatement {
  readonly atMicros: bigint;
  readonly processId: number;
  readonly userOid: Oid;
  readonly userName: string;
  readonly micros: number;
  readonly text: string;
  readonly queryId: bigint;
  readonly rows: number;
  /** EXPLAIN (FORMAT JSON) without constants; null for commands. */
  readonly plan: string | null;
}

const KEPT = 1000;

export class SlowLog {
  private readonly entries: SlowStatement[] = [];
  private readonly write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  add(entry: SlowStatement): void {
    this.entries.push(entry);
    if (this.entries.length > KEPT) this.entries.shift();
    const { processId, userName, micros, text } = entry;
    this.write(
      `[${processId}] ${userName}: duration: ${(micros / 1000).toFixed(3)} ms  statement: ${text.slice(0, 10_000)}`,
    );
  }

  all(): readonly SlowStatement[] {
    return this.entries;
  }
}
