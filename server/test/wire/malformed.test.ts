import { expect, it } from 'vitest';
import { malformedCampaign } from './malformed-campaign.ts';

/** The full campaign is a million: `node server/test/wire/malformed-campaign.ts`. */
const MESSAGES = process.env.FASTPOSTGRES_TEST_FULL === '1' ? 1_000_000 : 4000;

it(`survives ${MESSAGES} malformed messages`, async () => {
  const report = await malformedCampaign(MESSAGES, 3);
  expect(report.problems).toEqual([]);
  expect(report.messages).toBeGreaterThanOrEqual(MESSAGES);
}, 4_000_000);
