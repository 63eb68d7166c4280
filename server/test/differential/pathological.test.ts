import { expect, it } from 'vitest';
import { PATHOLOGICAL, pathologicalCampaign } from './pathological.ts';

/** Those that take long, or hold the loop; `node server/test/differential/pathological.ts` runs them too. */
const SLOW = new Set([
  '100,000 conditions',
  '50,000 items',
  '50,000 items not in',
  'jsonb of 200 MB',
  'jsonb of 200 MB of items',
  'deep jsonb',
  'great repeat',
  'great padding',
  'great array',
  'great concatenation',
  'great split',
  'great replace',
  'great translation',
  'great reversal',
  'great format',
  'great digest',
  'great upper case',
  'great hexadecimal',
  'great sorted array',
  'text search of 10 MB',
  'jsonb of 20 MB shown',
  'jsonb of 20 MB kept',
  'jsonb of 20 MB as a literal',
  'jsonpath over 1,000,000 items',
]);
/** On a machine with other work; alone it is a few milliseconds (decision 0015). Held loops took seconds. */
const SLOWEST_MILLIS = 1500;

it('ends statements made to explode in rows or an error', async () => {
  const names = Object.keys(PATHOLOGICAL).filter((name) => name !== 'nothing' && !SLOW.has(name));
  const figures = await pathologicalCampaign(names, '3s');
  expect(figures.map(({ name }) => name)).toEqual(['nothing', ...names]);
  for (const { name, ended, slowestMillis } of figures) {
    expect(slowestMillis, name).toBeLessThan(SLOWEST_MILLIS);
    expect(`${name}: ${ended}`).toMatch(/: (rows$|(2201B|22003|42601|53200|54\w{3}|57014) )/);
  }
}, 200_000);
