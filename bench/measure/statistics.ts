/** Figures from repeated measurements. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What is reported of a query's times in milliseconds: below 20 ms the least, for noise only adds; else the median. */
export function typicalMillis(values: readonly number[]): number {
  const middle = median(values);
  return middle < 20 ? Math.min(...values) : middle;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
