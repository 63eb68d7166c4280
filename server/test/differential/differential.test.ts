import { expect, it } from 'vitest';
import { differentialCampaign } from './run.ts';

/** A quick round; the campaign is `node server/test/differential/run.ts --statements 2000000`. */
const STATEMENTS = process.env.FASTPOSTGRES_TEST_FULL === '1' ? 20_000 : 300;

it(`answers ${STATEMENTS} random statements as PostgreSQL does`, async (context) => {
  const report = await differentialCampaign({ statements: STATEMENTS, seed: 20, reductionsMax: 3 });
  context.skip(report.skipped !== null, report.skipped ?? '');
  expect(report.internal).toEqual([]);
  expect(report.differences).toEqual([]);
  // Most statements must mean something.
  expect(report.succeeded).toBeGreaterThan(STATEMENTS / 2);
}, 2_000_000);
