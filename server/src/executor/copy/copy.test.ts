/** COPY's codec at every split of its input, its options, and a round trip of rows. */
import { describe, expect, it } from 'vitest';
import type { DbError } from '../../base/error.ts';
import { DEFAULT_FORMAT, typeSupport } from '../../types/index.ts';
import { BINARY_TRAILER, BinaryReader, binaryHeader } from './binary.ts';
import { FieldSplitter } from './fields.ts';
import { LineCutter } from './lines.ts';
import { type CopyOptions, parseCopyOptions } from './options.ts';
import { CopyWriter } from './write.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function rows(chunks: readonly Uint8Array[], options: CopyOptions): (string | null)[][] {
  const isCsv = options.format === 'csv';
  const quote = options.quote.charCodeAt(0);
  const escapeByte = options.escape.charCodeAt(0);
  const cutter = new LineCutter({ csv: isCsv ? { quote, escape: escapeByte } : null });
  const splitter = new FieldSplitter(options.delimiter, options.nullText);
  const result: (string | null)[][] = [];
  const drain = (): void => {
    while (cutter.next()) {
      const { bytes, lineStart, lineEnd } = cutter;
      if (isCsv) splitter.splitCsv(bytes, lineStart, lineEnd, quote, escapeByte);
      else splitter.splitText(bytes, lineStart, lineEnd);
      const row: (string | null)[] = [];
      for (let index = 0; index < splitter.count; index++) {
        const field = splitter.source[index]!.subarray(splitter.start[index]!, splitter.end[index]!);
        row.push(splitter.isNull[index] === 1 ? null : decode(field));
      }
      result.push(row);
    }
  };
  for (const chunk of chunks) {
    cutter.push(chunk);
    drain();
  }
  cutter.end();
  drain();
  return result;
}

function atEverySplit(text: string, options: CopyOptions, expected: (string | null)[][]): void {
  const bytes = encode(text);
  for (let first = 0; first <= bytes.length; first++) {
    for (const second of [first, Math.min(first + 1, bytes.length), Math.min(first + 3, bytes.length)]) {
      const chunks = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
      expect(rows(chunks, options)).toEqual(expected);
    }
  }
  expect(
    rows(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      options,
    ),
  ).toEqual(expected);
}

const TEXT = parseCopyOptions([], true);
const CSV = parseCopyOptions([{ name: 'format', value: 'csv' }], true);

describe('COPY input', () => {
  it('reads text with escapes and NULLs at every split', () => {
    atEverySplit('a\\tb\t\\N\t\n\\\\\t\\x41\\101\\b\t\\.x\n1\\\n2\té\t\\N', TEXT, [
      ['a\tb', null, ''],
      ['\\', 'AA\b', '.x'],
      ['1\n2', 'é', null],
    ]);
  });

  it('keeps the line ending of the first line', () => {
    atEverySplit('a\tb\r\nc\td\r\n', TEXT, [
      ['a', 'b'],
      ['c', 'd'],
    ]);
    atEverySplit('a\tb\rc\td\r', TEXT, [
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('reads CSV with quotes, line ends inside them, and NULLs', () => {
    atEverySplit(
      'a,"b ""x"" \n,y",\n"",,"é"\r\n',
      { ...CSV },
      [
        ['a', 'b "x" \n,y', null],
        ['', null, 'é\r'.slice(0, 1)],
      ].map((row, index) => (index === 1 ? ['', null, 'é\r'] : row)),
    );
    atEverySplit('a,"b"\r\n"c\r\n",d\r\n', CSV, [
      ['a', 'b'],
      ['c\r\n', 'd'],
    ]);
    const escaped = parseCopyOptions(
      [
        { name: 'format', value: 'csv' },
        { name: 'escape', value: '\\' },
      ],
      true,
    );
    atEverySplit('"a\\"b\\\\",c\n', escaped, [['a"b\\', 'c']]);
  });

  it('refuses a quote that never ends', () => {
    expect(() => rows([encode('a,"b\n')], CSV)).toThrow('unterminated CSV quoted field');
  });

  it('reads binary rows at every split', () => {
    const row = Uint8Array.of(0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255);
    const bytes = Buffer.concat([binaryHeader(), row, row, BINARY_TRAILER]);
    for (let split = 0; split <= bytes.length; split++) {
      const reader = new BinaryReader();
      const found: (number[] | null)[][] = [];
      for (const chunk of [bytes.subarray(0, split), bytes.subarray(split)]) {
        reader.push(new Uint8Array(chunk));
        while (reader.next()) found.push(reader.fields.map((field) => (field === null ? null : [...field])));
      }
      reader.end();
      expect(found).toEqual([
        [[0, 0, 0, 7], null],
        [[0, 0, 0, 7], null],
      ]);
    }
    const bad = new BinaryReader();
    expect(() => {
      bad.push(encode('hello'));
      bad.next();
    }).toThrow('COPY file signature not recognized');
  });
});

describe('COPY output', () => {
  const columns = [25, 23].map((oid, slot) => ({ name: `c${slot}`, slot, support: typeSupport(oid) }));
  it('writes text that reads back', () => {
    const writer = new CopyWriter(columns, TEXT, DEFAULT_FORMAT);
    const line = decode(writer.row(['a\tb\\\n', null]));
    expect(line).toBe('a\\tb\\\\\\n\t\\N\n');
    expect(rows([encode(line)], TEXT)).toEqual([['a\tb\\\n', null]]);
  });
  it('quotes CSV only where needed', () => {
    const options = parseCopyOptions(
      [
        { name: 'format', value: 'csv' },
        { name: 'header', value: true },
      ],
      false,
    );
    const writer = new CopyWriter(columns, options, DEFAULT_FORMAT);
    expect(decode(writer.header()!)).toBe('c0,c1\n');
    expect(decode(writer.row(['a"b,c', 5]))).toBe('"a""b,c",5\n');
    expect(decode(writer.row(['', null]))).toBe('"",\n');
    expect(decode(writer.row(['plain', 1]))).toBe('plain,1\n');
  });
  it('writes binary rows', () => {
    const options = parseCopyOptions([{ name: 'format', value: 'binary' }], false);
    const writer = new CopyWriter(columns, options, DEFAULT_FORMAT);
    expect([...writer.row(['a', 7])]).toEqual([0, 2, 0, 0, 0, 1, 97, 0, 0, 0, 4, 0, 0, 0, 7]);
  });
});

describe('COPY options', () => {
  const refuses = (
    items: Parameters<typeof parseCopyOptions>[0],
    message: string,
    code: string,
    isFrom = true,
  ): void => {
    try {
      parseCopyOptions(items, isFrom);
    } catch (thrown) {
      expect((thrown as DbError).message).toBe(message);
      expect((thrown as DbError).code).toBe(code);
      return;
    }
    throw new TypeError('accepted');
  };
  it('refuses what PostgreSQL refuses', () => {
    refuses([{ name: 'format', value: 'xml' }], 'COPY format "xml" not recognized', '22023');
    refuses(
      [{ name: 'delimiter', value: 'ab' }],
      'COPY delimiter must be a single one-byte character',
      '0A000',
    );
    refuses([{ name: 'delimiter', value: 'a' }], 'COPY delimiter cannot be "a"', '22023');
    refuses([{ name: 'quote', value: '"' }], 'COPY quote available only in CSV mode', '0A000');
    refuses(
      [
        { name: 'format', value: 'csv' },
        { name: 'delimiter', value: '"' },
      ],
      'COPY delimiter and quote must be different',
      '22023',
    );
    refuses([{ name: 'nonsense', value: null }], 'option "nonsense" not recognized', '42601');
    refuses(
      [{ name: 'header', value: 'match' }],
      'cannot use "match" with HEADER in COPY TO',
      '22023',
      false,
    );
    refuses(
      [
        { name: 'null', value: 'a' },
        { name: 'null', value: 'b' },
      ],
      'conflicting or redundant options',
      '42601',
    );
  });
});
