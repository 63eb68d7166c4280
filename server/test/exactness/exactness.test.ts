import { expect, it } from 'vitest';
import { exactnessCampaign } from './campaign.ts';

const IS_FULL = process.env.FASTPOSTGRES_TEST_FULL === '1';
const VALUES = IS_FULL ? 1_000_000 : 4000;

it(
  'gives random values back as PostgreSQL does',
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const figures = await exactnessCampaign(VALUES, seed);
    if (figures === null) return;
    expect(figures.values).toBeGreaterThanOrEqual(VALUES);
    const shown = [...figures.byPath].map(
      ([path, { count, shown }]) => `${path}: ${count}\n${shown.join('\n')}`,
    );
    expect(shown.join('\n'), `seed ${seed}`).toBe('');
  },
  IS_FULL ? 3_600_000 : 120_000,
);
