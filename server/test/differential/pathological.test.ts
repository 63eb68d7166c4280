import { expect, it } from 'vitest';
import { PATHOLOGICAL, pathologicalCampaign } from './pathological.ts';

/** Those that take long, or hold the loop; `node server/test/differential/pathological.ts` runs them too. */
const SLOW = new Set([
  'numeric of 1 MB',
  'replace everywhere',
  '100,000 conditions',
  '50,000 items',
  '50,000 items not in',
  'jsonb of 200 MB',
  'jsonb of 200 MB of items',
  'deep jsonb',
  'great repeat',
  'great padding',
  'great array',
]);

it('ends statements made to explode in rows or an error', async () => {
  const names = Object.keys(PATHOLOGICAL).filter((name) => !SLOW.has(name));
  const figures = await pathologicalCampaign(names, '3s');
  expect(figures.map(({ name }) => name)).toEqual(names);
  for (const { name, ended } of figures)
    expect(`${name}: ${ended}`).toMatch(/: (rows$|(2201B|22003|42601|53200|54\w{3}|57014) )/);
}, 200_000);
