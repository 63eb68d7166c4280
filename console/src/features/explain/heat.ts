/** Steps of the heat by share of the whole; few and sparing, so that the one hot node stands out. */
export const HEAT_STEPS: readonly number[] = [0, 0.05, 0.15, 0.35, 0.6];

export function heatOf(share: number): number {
  let step = 0;
  while (step + 1 < HEAT_STEPS.length && share >= HEAT_STEPS[step + 1]) step++;
  return step;
}

export function heatStyle(share: number): { background: string; color: string } {
  const step = heatOf(share);
  return {
    background: `var(--heat-${step})`,
    color: step >= 3 ? 'var(--heat-text-hot)' : 'var(--heat-text)',
  };
}
