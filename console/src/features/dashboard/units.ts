import { formatBytes, formatMillis, formatPercent, formatShort } from '../../lib/format.ts';

/** Writes a value in the unit of its metric. */
export function formatMetric(unit: string): (value: number) => string {
  switch (unit) {
    case 'bytes':
      return formatBytes;
    case 'bytes/s':
      return (value) => `${formatBytes(value)}/s`;
    case 'ms':
    case 'milliseconds':
      return formatMillis;
    case 's':
    case 'seconds':
      return (value) => formatMillis(value * 1000);
    case 'ratio':
    case 'share':
      return (value) => formatPercent(value);
    case '1/s':
    case 'per second':
      return (value) => `${formatShort(value)}/s`;
    default:
      return formatShort;
  }
}
