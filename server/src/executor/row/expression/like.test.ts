/** The compiled LIKE against the general function, on random patterns over a small alphabet. */
import { expect, it } from 'vitest';
import type { FunctionContext } from '../../../sql/functions/contract.ts';
import { bindScalar, scalarFunction } from '../../../sql/functions/index.ts';
import { compileLike, likeMatcher } from './like.ts';

function* texts(alphabet: string, count: number, seed: number): Generator<string> {
  let state = seed;
  const next = (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let index = 0; index < count; index++) {
    let text = '';
    for (let length = next(7); length > 0; length--) text += alphabet[next(alphabet.length)];
    yield text;
  }
}

it('agrees with the general function', () => {
  const site = { argumentTypes: [25, 25], resultType: 16, variadic: false, collation: 0 };
  const general = bindScalar(scalarFunction('textlike')!, {} as FunctionContext, site);
  let compiled = 0;
  for (const pattern of texts('ab%\\_', 400, 7)) {
    const match = compileLike(pattern);
    if (match === null) continue;
    compiled++;
    for (const text of texts('ab%\\', 60, 11))
      expect([pattern, text, match(text)]).toEqual([pattern, text, general(text, pattern)]);
  }
  expect(compiled).toBeGreaterThan(50);
});

it('knows which functions it may replace', () => {
  expect(likeMatcher('textnlike', 'a%')!('abc')).toBe(false);
  expect(likeMatcher('texticlike', 'a%')).toBeNull();
  expect(likeMatcher('textlike', 'a_')).toBeNull();
});
