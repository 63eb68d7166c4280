import { describe, expect, it } from 'vitest';
import { liftLiterals } from './literals.ts';

function lifted(text: string): string | null {
  const result = liftLiterals(text);
  if (result === null) return null;
  return `${result.text.replaceAll(/\s+/g, ' ')} | ${result.literals.map((l) => `${l.class}:${l.text}`).join(' ')}`;
}

describe('liftLiterals', () => {
  it.each([
    [
      "select * from t where a = 42 and b = 'x''y'",
      "select * from t where a = $1 and b = $2 | int4:42 string:x'y",
    ],
    ['select * from t where a=42', 'select * from t where a= $1 | int4:42'],
    [
      'insert into t (a,b) values (1, 3000000000), (2.5, 99999999999999999999);',
      'insert into t (a,b) values ( $1, $2), ( $3, $4); | int4:1 int8:3000000000 numeric:2.5 numeric:99999999999999999999',
    ],
    ['update t set a = a + 5 where b = 6', 'update t set a = a + $1 where b = $2 | int4:5 int4:6'],
    ['update t set a = a + -5 where b = 6', 'update t set a = a + $1 where b = $2 | int4:-5 int4:6'],
    [
      'select a-1, (a) - 2, b[1] - 3 from t',
      'select a- $1, (a) - $2, b[1] - $3 from t | int4:1 int4:2 int4:3',
    ],
    [
      'select a from t where a > -2147483648 and b < - 2147483649 and c = -9223372036854775808 and d = -1.5',
      'select a from t where a > $1 and b < $2 and c = $3 and d = $4 | int4:-2147483648 int8:-2147483649 int8:-9223372036854775808 numeric:-1.5',
    ],
    [
      'select a from t where a > - -5 and b = + 6 and c @- 7 and d = -(8) and e = -9::int8 and f = (8)',
      'select a from t where a > - -5 and b = + 6 and c @- 7 and d = -(8) and e = -9::int8 and f = ( $1) | int4:8',
    ],
    [
      'select a::numeric(10,2), cast(b as varchar(3)), c::"t"(4), round(d, 3) from t where e > interval \'1 day\'',
      'select a::numeric(10,2), cast(b as varchar(3)), c::"t"(4), round(d, $1) from t where e > interval \'1 day\' | int4:3',
    ],
    [
      'select a from t where b = 1 order by 1 limit 5',
      'select a from t where b = $1 order by 1 limit 5 | int4:1',
    ],
    [
      "select 'a'::text, b from t where c in (1, -2, 3)",
      "select 'a'::text, b from t where c in ( $1, $2, $3) | int4:1 int4:-2 int4:3",
    ],
  ])('%s', (text, expected) => {
    expect(lifted(text)).toBe(expected);
  });
  it.each([
    'select 1',
    'select -1',
    'select a from t limit -1',
    'select a + 1 from t group by a + 1',
    'select distinct a from t where b = 1',
    "select 'a' 'b'",
    "select * from t where a = 'x\\y'",
    'select * from t where a = $1 and b = 2',
    'select * from t where a = 1; drop table t',
    'select * from t where a = 1 -- note',
    'create table t (a int default 5)',
    "select * from t where a = 'unterminated",
    'select * from t where a = 1e',
    'select 1 union select 2',
    'select a[1] from t',
    'select current_timestamp(3), x::timestamp(3) with time zone from t',
  ])('leaves alone: %s', (text) => {
    expect(lifted(text)).toBe(null);
  });
  it('keeps classes apart in the key', () => {
    const key = (text: string) => liftLiterals(text)?.key;
    expect(key('select * from t where a = 1')).toBe(key('select * from t where a = 77'));
    expect(key('select * from t where a = 1')).not.toBe(key('select * from t where a = 1.0'));
    expect(key('select * from t where a = 1')).not.toBe(key("select * from t where a = '1'"));
    expect(key('select * from t where a = 1')).not.toBe(key('select * from t where a = 3000000000'));
  });
});
