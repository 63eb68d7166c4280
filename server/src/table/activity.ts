/** What happened to a table or index since the start, counted where it happens; plain fields, read by the statistics views. */
export class TableActivity {
  sequentialScans = 0;
  sequentialRows = 0;
  /** Rows fetched through any index. */
  indexRows = 0;
  inserted = 0;
  updated = 0;
  deleted = 0;
  vacuums = 0;
  analyses = 0;
  /** Wall clock in microseconds since 1970, 0 = never. */
  lastVacuum = 0n;
  lastAnalyze = 0n;

  reset(): void {
    this.sequentialScans = 0;
    this.sequentialRows = 0;
    this.indexRows = 0;
    this.inserted = 0;
    this.updated = 0;
    this.deleted = 0;
    this.vacuums = 0;
    this.analyses = 0;
  }
}

export class IndexActivity {
  scans = 0;
  rows = 0;
}
