/**
 * pg_stat_statements: an account for each statement of each role, by its text without constants.
 *
 * Cost  a finished statement is a dozen additions on one object. Texts are normalised once; sessions keep the account with the compiled
 *       statement, other texts are found in a small map of raw texts.
 * Bound `maximum` accounts; when they are used up, the least used twentieth goes.
 */
import type { Oid } from '../base/brands.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { FinishedStatement, StatementRecord } from '../session/monitor-port.ts';
import { normaliseStatement, statementHash } from './normalise.ts';

/** Four buckets for each power of two of microseconds: 1 µs to over an hour, at most 19 % wide. */
export const BUCKETS = 132;
const RAW_TEXTS_MAX = 4000;
const TEXT_MAX = 20_000;
const PLANS_MAX = 8;

export function bucketOf(micros: number): number {
  const whole = Math.max(1, Math.min(0x7fffffff, Math.round(micros)));
  const power = 31 - Math.clz32(whole);
  const quarter = power >= 2 ? (whole >>> (power - 2)) & 3 : (whole << (2 - power)) & 3;
  return power * 4 + quarter;
}

/** Upper bound of a bucket in microseconds (exclusive). */
export function bucketEnd(bucket: number): number {
  const power = Math.floor(bucket / 4);
  return 2 ** power * (1 + ((bucket % 4) + 1) / 4);
}

/** How a statement was executed: one entry for each shape of plan. */
export interface PlanAccount {
  readonly planId: bigint;
  readonly firstSeenMicros: bigint;
  lastSeenMicros: bigint;
  calls: number;
  totalMicros: number;
  /** EXPLAIN (FORMAT JSON) of a slow execution; null when none was. */
  plan: string | null;
}

export class StatementAccount implements StatementRecord {
  readonly queryId: bigint;
  readonly userOid: Oid;
  readonly databaseOid: Oid;
  readonly text: string;
  /** One text as it was run, with its constants: for the advisor, never shown. */
  sample: string;
  isForgotten = false;
  calls = 0;
  totalMicros = 0;
  minimumMicros = Number.POSITIVE_INFINITY;
  maximumMicros = 0;
  /** Welford's running mean and sum of squared distances. */
  meanMicros = 0;
  squares = 0;
  rows = 0;
  walBytes = 0;
  blocksHit = 0;
  blocksRead = 0;
  readonly histogram = new Uint32Array(BUCKETS);
  readonly plans: PlanAccount[] = [];
  /** The plan of the last call and its account: usually the next call's too. */
  lastPlan: PhysicalPlan | null = null;
  lastPlanAccount: PlanAccount | null = null;

  constructor(userOid: Oid, databaseOid: Oid, text: string, sample: string) {
    this.userOid = userOid;
    this.databaseOid = databaseOid;
    this.text = text;
    this.sample = sample;
    this.queryId = statementHash(text);
  }

  add(finished: FinishedStatement): void {
    const { micros } = finished;
    this.calls++;
    this.totalMicros += micros;
    if (micros < this.minimumMicros) this.minimumMicros = micros;
    if (micros > this.maximumMicros) this.maximumMicros = micros;
    const distance = micros - this.meanMicros;
    this.meanMicros += distance / this.calls;
    this.squares += distance * (micros - this.meanMicros);
    this.rows += finished.rows;
    this.walBytes += finished.walBytes;
    this.blocksHit += finished.blocksHit;
    this.blocksRead += finished.blocksRead;
    this.histogram[bucketOf(micros)]++;
  }

  clear(): void {
    this.calls = 0;
    this.totalMicros = 0;
    this.minimumMicros = Number.POSITIVE_INFINITY;
    this.maximumMicros = 0;
    this.meanMicros = 0;
    this.squares = 0;
    this.rows = 0;
    this.walBytes = 0;
    this.blocksHit = 0;
    this.blocksRead = 0;
    this.histogram.fill(0);
    this.plans.length = 0;
    this.lastPlan = null;
    this.lastPlanAccount = null;
  }

  /** Milliseconds below which `share` of the calls lie; the bucket's upper end, but never over the longest call. */
  percentileMillis(share: number): number {
    return percentileMicros(this.histogram, this.calls, share, this.maximumMicros) / 1000;
  }

  get deviationMicros(): number {
    return this.calls < 2 ? 0 : Math.sqrt(this.squares / this.calls);
  }

  /** The account of a plan's shape; made when it is new. */
  planAccount(planId: bigint, nowMicros: bigint): PlanAccount {
    let plan = this.plans.find((known) => known.planId === planId);
    if (plan === undefined) {
      plan = {
        planId,
        firstSeenMicros: nowMicros,
        lastSeenMicros: nowMicros,
        calls: 0,
        totalMicros: 0,
        plan: null,
      };
      this.plans.push(plan);
      if (this.plans.length > PLANS_MAX) this.plans.shift();
    }
    return plan;
  }
}

export function percentileMicros(
  histogram: Uint32Array,
  calls: number,
  share: number,
  maximumMicros: number,
): number {
  if (calls === 0) return 0;
  const wanted = calls * share;
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += histogram[bucket];
    if (seen >= wanted) return Math.min(bucketEnd(bucket), maximumMicros);
  }
  return maximumMicros;
}

export class StatementStatistics {
  private readonly accounts = new Map<string, StatementAccount>();
  private readonly rawTexts = new Map<string, StatementAccount>();
  private readonly maximum: number;
  /** Accounts thrown away for want of room. */
  deallocations = 0;
  resetMicros: bigint;
  /** Calls, their time and their latencies over all statements, since the start. */
  calls = 0;
  totalMicros = 0;
  readonly histogram = new Uint32Array(BUCKETS);

  constructor(maximum: number, nowMicros: bigint) {
    this.maximum = maximum;
    this.resetMicros = nowMicros;
  }

  account(userOid: Oid, databaseOid: Oid, text: string): StatementAccount {
    const rawKey = `${userOid}/${databaseOid}/${text.length > TEXT_MAX ? statementHash(text) : text}`;
    const known = this.rawTexts.get(rawKey);
    if (known !== undefined) return known;
    const normal = normaliseStatement(text.length > TEXT_MAX ? text.slice(0, TEXT_MAX) : text);
    const key = `${userOid}/${databaseOid}/${normal}`;
    let account = this.accounts.get(key);
    if (account === undefined) {
      account = new StatementAccount(userOid, databaseOid, normal, text.slice(0, TEXT_MAX));
      this.keep(key, account);
    }
    this.rawTexts.set(rawKey, account);
    if (this.rawTexts.size > RAW_TEXTS_MAX) {
      const oldest = this.rawTexts.keys().next();
      if (!oldest.done) this.rawTexts.delete(oldest.value);
    }
    return account;
  }

  private keep(key: string, account: StatementAccount): void {
    if (this.accounts.size >= this.maximum) this.makeRoom();
    account.isForgotten = false;
    this.accounts.set(key, account);
  }

  private makeRoom(): void {
    const entries = [...this.accounts].sort((left, right) => left[1].calls - right[1].calls);
    for (const [key, account] of entries.slice(0, Math.max(1, Math.ceil(entries.length / 20)))) {
      account.isForgotten = true;
      this.accounts.delete(key);
      this.deallocations++;
    }
    this.rawTexts.clear();
  }

  finished(account: StatementAccount, finished: FinishedStatement): void {
    if (account.isForgotten) {
      // A compiled statement kept an account that was thrown away: it begins anew.
      account.clear();
      this.keep(`${account.userOid}/${account.databaseOid}/${account.text}`, account);
    }
    account.add(finished);
    this.calls++;
    this.totalMicros += finished.micros;
    this.histogram[bucketOf(finished.micros)]++;
  }

  all(): Iterable<StatementAccount> {
    return this.accounts.values();
  }

  byQueryId(queryId: bigint): StatementAccount[] {
    return [...this.accounts.values()].filter((account) => account.queryId === queryId);
  }

  reset(nowMicros: bigint): void {
    for (const account of this.accounts.values()) account.isForgotten = true;
    this.accounts.clear();
    this.rawTexts.clear();
    this.deallocations = 0;
    this.resetMicros = nowMicros;
  }
}
