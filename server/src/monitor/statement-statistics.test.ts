import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketEnd, bucketOf, StatementStatistics } from './statement-statistics.ts';

const finished = (micros: number) => ({
  micros,
  rows: 1,
  walBytes: 10,
  blocksHit: 2,
  blocksRead: 1,
  plan: null,
});

describe('latency buckets', () => {
  it('hold what lies below their end and not below the end before', () => {
    for (const micros of [1, 2, 3, 4, 5, 7, 8, 100, 1023, 1024, 99_999, 3_600_000_000 / 2]) {
      const bucket = bucketOf(micros);
      expect(bucket).toBeLessThan(BUCKETS);
      expect(Math.round(micros)).toBeLessThan(bucketEnd(bucket) + 1);
      if (bucket > 0) expect(Math.round(micros)).toBeGreaterThanOrEqual(Math.floor(bucketEnd(bucket - 1)));
    }
  });
});

describe('statement accounts', () => {
  it('share an account between texts that differ in constants', () => {
    const statistics = new StatementStatistics(100, 0n);
    const first = statistics.account(10, 5, 'select * from t where a = 1');
    expect(statistics.account(10, 5, 'select * from t where a = 22')).toBe(first);
    expect(statistics.account(11, 5, 'select * from t where a = 1')).not.toBe(first);
  });

  it('give mean, deviation and percentiles', () => {
    const statistics = new StatementStatistics(100, 0n);
    const account = statistics.account(10, 5, 'select 1');
    for (let at = 1; at <= 1000; at++) statistics.finished(account, finished(at * 1000));
    expect(account.calls).toBe(1000);
    expect(account.meanMicros).toBeCloseTo(500_500, 3);
    expect(account.deviationMicros).toBeCloseTo(288_675, -1);
    expect(account.percentileMillis(0.5)).toBeGreaterThanOrEqual(500);
    expect(account.percentileMillis(0.5)).toBeLessThan(600);
    expect(account.percentileMillis(0.99)).toBeLessThanOrEqual(1000);
    expect(account.walBytes).toBe(10_000);
  });

  it('forget the least used, which begin anew when they come back', () => {
    const statistics = new StatementStatistics(20, 0n);
    const rare = statistics.account(1, 1, 'select rare');
    statistics.finished(rare, finished(5));
    for (let at = 0; at < 25; at++) {
      const account = statistics.account(1, 1, `select c${at}`);
      statistics.finished(account, finished(5));
      statistics.finished(account, finished(5));
    }
    expect(statistics.deallocations).toBeGreaterThan(0);
    expect(rare.isForgotten).toBe(true);
    statistics.finished(rare, finished(7));
    expect(rare.calls).toBe(1);
    expect([...statistics.all()]).toContain(rare);
  });
});
