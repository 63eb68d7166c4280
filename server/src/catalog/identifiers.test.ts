import { describe, expect, it } from 'vitest';
import { quoteIdentifier, quoteLiteral, splitQualifiedName, truncateIdentifier } from './identifiers.ts';

describe('identifiers', () => {
  it('are quoted when they must be', () => {
    expect(['plain', 'a_1', 'Upper', 'select', 'name', 'a"b', '1a', 'a b'].map(quoteIdentifier)).toEqual([
      'plain',
      'a_1',
      '"Upper"',
      '"select"',
      'name',
      '"a""b"',
      '"1a"',
      '"a b"',
    ]);
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral('a\\b')).toBe("E'a\\\\b'");
  });

  it('are split at dots outside quotes and folded', () => {
    expect(splitQualifiedName('Public."My.Table"')).toEqual(['public', 'My.Table']);
    expect(splitQualifiedName(' a . b ')).toEqual(['a', 'b']);
    expect(() => splitQualifiedName('a.')).toThrow('invalid name syntax');
    expect(() => splitQualifiedName('"a')).toThrow('invalid name syntax');
  });

  it('are cut at 63 bytes, never inside a character', () => {
    expect(truncateIdentifier('x'.repeat(70))).toBe('x'.repeat(63));
    expect(truncateIdentifier('é'.repeat(40))).toBe('é'.repeat(31));
  });
});
