import { describe, expect, it } from 'vitest';
import { normaliseStatement, statementHash } from './normalise.ts';

describe('normalised statements', () => {
  it.each([
    ["select * from t where a = 5 and b = 'x'", 'select * from t where a = $1 and b = $2'],
    ['select  1\n -- note\n, 2', 'select $1 , $2'],
    ["select E'a\\'b', $$x$$, $tag$y$tag$, U&'z', B'01'", 'select $1, $2, $3, $4, $5'],
    ['select $2, 7, $1', 'select $2, $3, $1'],
    ['select "a""b 1" from t1', 'select "a""b 1" from t1'],
    ['select /* a /* b */ c */ 1.5e3 + .5', 'select $1 + $2'],
    ["create role r password 'secret'", 'create role r password $1'],
    ['select 1;', 'select $1'],
    ["select 'it''s'", 'select $1'],
    ['select x1, e1 from s2.t3 where y>=-4', 'select x1, e1 from s2.t3 where y>=-$1'],
  ])('%s', (text, expected) => {
    expect(normaliseStatement(text)).toBe(expected);
  });

  it('ends with unfinished quotes and comments', () => {
    expect(normaliseStatement("select 'open")).toBe('select $1');
    expect(normaliseStatement('select 1 /* open')).toBe('select $1');
    expect(normaliseStatement('select $x$ open')).toBe('select $1');
  });

  it('has 64-bit numbers that do not repeat over many texts', () => {
    const seen = new Set<bigint>();
    for (let at = 0; at < 20_000; at++) seen.add(statementHash(`select c${at} from t`));
    expect(seen.size).toBe(20_000);
    // FNV-1a of "a": the published value of the 64-bit function.
    expect(BigInt.asUintN(64, statementHash('a'))).toBe(0xaf63dc4c8601ec8cn);
  });
});
