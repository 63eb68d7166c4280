/** Long commands under way: what pg_stat_progress_… and the console show. Sessions report, the entry goes with the command. */

export interface ProgressEntry {
  readonly processId: number;
  readonly command: string;
  readonly relationOid: number;
  readonly startedMicros: bigint;
  phase: string;
  done: number;
  total: number | null;
}

export class ProgressBoard {
  private readonly running = new Map<number, ProgressEntry>();

  begin(entry: ProgressEntry): ProgressEntry {
    this.running.set(entry.processId, entry);
    return entry;
  }

  end(entry: ProgressEntry): void {
    if (this.running.get(entry.processId) === entry) this.running.delete(entry.processId);
  }

  all(): Iterable<ProgressEntry> {
    return this.running.values();
  }
}
