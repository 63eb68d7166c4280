import { describe, expect, it } from 'vitest';
import { readShortAscii, SHORT_READ_BYTES, SHORT_WRITE_LENGTH, writeShortAscii } from './short-text.ts';

describe('short texts', () => {
  it('come back for every length, from any place', () => {
    const bytes = new Uint8Array(64);
    for (let length = 0; length <= SHORT_READ_BYTES; length++) {
      const text = 'a~ 0Z-\u0000\u007fhgfedcba'.slice(0, length).padEnd(length, 'x');
      expect(writeShortAscii(text, bytes, 5)).toBe(true);
      expect(readShortAscii(bytes, 5, length)).toBe(text);
    }
  });

  it('with another character are told, wherever it stands', () => {
    const bytes = new Uint8Array(64);
    for (let length = 1; length <= SHORT_READ_BYTES; length++)
      for (let place = 0; place < length; place++) {
        bytes.fill(97);
        bytes[place] = 200;
        expect(readShortAscii(bytes, 0, length)).toBe(null);
      }
    expect(writeShortAscii('ä', bytes, 0)).toBe(false);
    expect(writeShortAscii(`${'a'.repeat(SHORT_WRITE_LENGTH - 1)}€`, bytes, 0)).toBe(false);
  });
});
