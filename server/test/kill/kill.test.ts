import { expect, it } from 'vitest';
import { killCampaign } from './kill-campaign.ts';

/** The full campaign is 300 rounds: `node server/test/kill/kill-campaign.ts 300`. */
const ROUNDS = process.env.FASTPOSTGRES_TEST_FULL === '1' ? 300 : 3;

it(
  `keeps every acknowledged commit through ${ROUNDS} kills`,
  async () => {
    const report = await killCampaign(ROUNDS, 7);
    expect(report.failures).toEqual([]);
    expect(report.rounds).toBe(ROUNDS);
    expect(report.acknowledged).toBeGreaterThan(0);
  },
  ROUNDS * 20_000,
);
