/** A few hundred simulated power cuts; the campaign (server/test/sim/crash-campaign.ts) does many thousands. */
import { expect, test } from 'vitest';
import { runCrashes } from '../../test/sim/crash-harness.ts';

test.each(Array.from({ length: 60 }, (_, at) => at + 1))('five power cuts, seed %i', async (seed) => {
  const report = await runCrashes({ seed, crashes: 5 });
  expect(report.crashes).toBe(5);
});
