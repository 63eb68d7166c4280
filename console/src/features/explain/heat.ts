/** Steps of the heat by share of the whole; few and sparing, so that the one hot node stands out. */
export const HEAT_STEPS: readonly number[] = [0, 0.05, 0.15, 0.35, 0.6];

export function heatOf(share: number): number {
  let step = 0;
  while (step + 1 < HEAT_STEPS.length && share >= HEAT_STEPS[step + 1]) step++;
  return step;
}

/** Name of the colour of a text on a step. */
export function heatTextOf(step: number): string {
  return step >= 4 ? '--heat-text-hot' : step === 3 ? '--heat-text-warm' : '--heat-text';
}

export function heatStyle(share: number): { background: string; color: string } {
  const step = heatOf(share);
  return {
    background: `var(--heat-${step})`,
    color: `var(${heatTextOf(step)})`,
  };
}
