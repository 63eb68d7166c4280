/** The quick way for anchored expressions finds what the automata find: same match, same groups. */
import { describe, expect, it } from 'vitest';
import { Regex } from './index.ts';
import { parseRegex } from './parse.ts';
import { Sequence } from './sequence.ts';

const PATTERNS = [
  '^(a+)(b?)([ab]*)$',
  '^(ab)?(a*)(.*)$',
  '^a{1,3}(a?)(a*)$',
  '^(?:ab)?([^b]+)b.*$',
  '^([a-c]*)(c?)$',
  '^(x)?(.)?(.*)b$',
  '^(?:ab)?ab[^x]*(x?)(.*)$',
  '^(ab)?abc?(.+)$',
  '^(a)?(b(c))?[^a]*$',
];
const ALPHABET = ['a', 'b', 'c', 'x', '😀', 'ü'];

describe('sequences', () => {
  it.each(PATTERNS)('%s', (pattern) => {
    const { root, groupCount } = parseRegex(pattern, {
      ignoreCase: false,
      dotExcludesNewline: false,
      lineAnchors: false,
      expanded: false,
      form: 'advanced',
    });
    const sequence = Sequence.of(root, groupCount)!;
    expect(sequence).not.toBeNull();
    const automata = new Regex(pattern);
    Object.assign(automata, { sequence: null });
    let state = 7;
    const next = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 4294967296) * limit);
    };
    let decided = 0;
    for (let round = 0; round < 600; round++) {
      const text = Array.from({ length: next(9) }, () => ALPHABET[next(ALPHABET.length)]).join('');
      const found = sequence.match(text);
      if (found === undefined) continue;
      decided++;
      const expected = automata.search(text, 0);
      expect([found?.starts, found?.ends], text).toEqual([expected?.starts, expected?.ends]);
    }
    expect(decided).toBeGreaterThan(200);
  });

  it('leaves other expressions alone', () => {
    for (const pattern of ['a+b', '^a+', '(a|b)+$', '^(a|b)$', '^a*?b$', '^(ab)*$', '^(a*)?$']) {
      const regex = new Regex(pattern);
      expect((regex as unknown as { sequence: unknown }).sequence, pattern).toBeNull();
    }
  });

  it('gives up on texts that would take too long', () => {
    const regex = new Regex('^a*a*a*a*a*a*b$');
    const start = performance.now();
    expect(regex.search('a'.repeat(2000), 0)).toBeNull();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
