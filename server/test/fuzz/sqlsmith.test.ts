import { expect, it } from 'vitest';
import { smithCampaign } from './sqlsmith.ts';

/** Part of the full tests; more with `node server/test/fuzz/sqlsmith.ts 200000`. */
it.runIf(process.env.FASTPOSTGRES_TEST_FULL === '1')(
  "SQLsmith's statements end without a crash, a hang or XX000",
  async (context) => {
    const report = await smithCampaign(5000, 7);
    context.skip(report.skipped !== null, report.skipped ?? '');
    expect(report.problems).toEqual([]);
    expect(report.statements).toBe(5000);
  },
  4_000_000,
);
