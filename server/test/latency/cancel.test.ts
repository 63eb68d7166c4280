import { expect, it } from 'vitest';
import { cancelCampaign, ENDLESS } from './cancel-campaign.ts';

/** Times are the campaign's matter: `node server/test/latency/cancel-campaign.ts`. */
it('cancels statements without end while another session is served', async () => {
  const figures = await cancelCampaign(0.5);
  expect(figures.map(({ ended }) => ended)).toEqual(
    Object.keys(ENDLESS).map(() => '57014: canceling statement due to user request'),
  );
  for (const { pointQueries } of figures) expect(pointQueries).toBeGreaterThan(0);
}, 120_000);
