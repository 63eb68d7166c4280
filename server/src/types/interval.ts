/** interval: months, days and microseconds are kept apart, as in PostgreSQL. */
export class Interval {
  readonly months: number;
  readonly days: number;
  readonly microseconds: bigint;
  constructor(months: number, days: number, microseconds: bigint) {
    this.months = months;
    this.days = days;
    this.microseconds = microseconds;
  }
}

/** time with time zone: microseconds since midnight and seconds west of UTC (PostgreSQL's sign). */
export class TimeTz {
  readonly microseconds: number;
  readonly zoneSeconds: number;
  constructor(microseconds: number, zoneSeconds: number) {
    this.microseconds = microseconds;
    this.zoneSeconds = zoneSeconds;
  }
}
