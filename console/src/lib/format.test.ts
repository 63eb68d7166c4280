import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatMillis, formatPercent, formatShort, millisSince } from './format.ts';

describe('quantities', () => {
  it('writes bytes, durations and counts', () => {
    expect(formatBytes(0)).toBe('0 B');
    expect(formatBytes(1536)).toBe('1.5 KiB');
    expect(formatBytes(5 << 20)).toBe('5 MiB');
    expect(formatMillis(0.004)).toBe('<0.01 ms');
    expect(formatMillis(1.5)).toBe('1.5 ms');
    expect(formatMillis(65_000)).toBe('1 min 5 s');
    expect(formatMillis(90_000_000)).toBe('25 h 0 min');
    expect(formatCount('9223372036854775807')).toBe('9,223,372,036,854,775,807');
    expect(formatCount(1234567)).toBe('1,234,567');
    expect(formatShort(1234567)).toBe('1.23 M');
    expect(formatPercent(0.1234)).toBe('12.3 %');
  });

  it('reads the times of the server', () => {
    const now = Date.parse('2026-01-01T00:00:10Z');
    expect(millisSince('2026-01-01 00:00:00+00', now)).toBe(10_000);
    expect(millisSince('2026-01-01 01:00:00.5+01', now)).toBe(9500);
    expect(millisSince(null, now)).toBeNull();
    expect(millisSince('infinity', now)).toBeNull();
  });
});
