import { describe, expect, it } from 'vitest';
import { chooseKernels } from '../../native/index.ts';
import { fieldAppender } from '../../types/bytes-input.ts';
import type { FormatContext } from '../../types/contract.ts';
import { typeSupport } from '../../types/index.ts';
import { OID } from '../../types/oid.ts';
import { VectorBuilder } from '../../types/vector-io.ts';
import { PlainLines } from './plain.ts';

const FORMAT = {
  dateStyle: 'iso',
  dateOrder: 'mdy',
  intervalStyle: 'postgres',
  timeZone: 'UTC',
} as unknown as FormatContext;
const TYPES: readonly [number, number][] = [
  [OID.INT4, -1],
  [OID.INT8, -1],
  [OID.NUMERIC, (10 << 16) + 2 + 4],
  [OID.DATE, -1],
  [OID.BPCHAR, 4 + 5],
  [OID.VARCHAR, 4 + 8],
  [OID.TEXT, -1],
  [OID.FLOAT8, -1],
];

function columns() {
  return TYPES.map(([oid, typmod]) => {
    const support = typeSupport(oid);
    const builder = new VectorBuilder(support.physical(typmod), support, typmod, 8);
    return { builder, append: fieldAppender(builder, FORMAT) };
  });
}

const GOOD = '7|-8|12.3|1996-02-28|ab|varchar|some text|1.5';

function take(lines: readonly string[], native: boolean) {
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
  const target = columns();
  const { kernels } = chooseKernels({ platform: process.platform, architecture: process.arch, native });
  const plain = new PlainLines(kernels, 124, target);
  const rows = plain.take(bytes, 0, 1000);
  const end = rows === 0 ? 0 : plain.endOf(rows);
  return { rows, end, vectors: target.map(({ builder }) => builder.finish()) };
}

describe.each([true, false])('runs of plain lines (native %s)', (native) => {
  it('gives what field by field gives', () => {
    const lines = Array.from(
      { length: 500 },
      (_, row) =>
        `${row * 7 - 900}|${row}00000000|${row - 250}.${row % 100 < 10 ? `0${row % 10}` : row % 100}|19${10 + (row % 80)}-0${1 + (row % 9)}-${10 + (row % 19)}|${'x'.repeat(row % 6)}|é${row}|${'t'.repeat(row % 50)}|${row / 8}`,
    );
    const { rows, end, vectors } = take(lines, native);
    expect(rows).toBe(500);
    expect(end).toBe(Buffer.byteLength(`${lines.join('\n')}\n`));
    const expected = columns();
    for (const line of lines) {
      for (const [field, text] of line.split('|').entries()) {
        const bytes = new TextEncoder().encode(text);
        expected[field]!.append(bytes, 0, bytes.length);
      }
    }
    expect(vectors).toEqual(expected.map(({ builder }) => builder.finish()));
  });

  it.each([
    ['a NULL', '\\N|1|1|1996-02-28|a|b|c|1'],
    ['a number too large', '99999999999|1|1|1996-02-28|a|b|c|1'],
    ['too many decimals', '1|1|1.234|1996-02-28|a|b|c|1'],
    ['the last day of February', '1|1|1|1996-02-29|a|b|c|1'],
    ['a word in place of a float', '1|1|1|1996-02-28|a|b|c|one'],
    ['characters beyond ASCII to be filled up', '1|1|1|1996-02-28|é|b|c|1'],
    ['a text too long', '1|1|1|1996-02-28|a|123456789|c|1'],
    ['a field too few', '1|1|1|1996-02-28|a|b|c'],
    ['a field too many', `${GOOD}|1`],
  ])('ends before %s, in every column', (_, odd) => {
    const { rows, end, vectors } = take([GOOD, GOOD, odd, GOOD], native);
    expect(rows).toBe(2);
    expect(end).toBe(2 * (GOOD.length + 1));
    for (const vector of vectors) expect(vector.count).toBe(2);
    expect(vectors[6]!.bytes).toHaveLength(2 * 'some text'.length);
  });

  it('takes nothing that is not UTF-8', () => {
    const bytes = Buffer.from(`${GOOD}\n`);
    bytes[bytes.indexOf('some')] = 0xff;
    const target = columns();
    const { kernels } = chooseKernels({ platform: process.platform, architecture: process.arch, native });
    expect(new PlainLines(kernels, 124, target).take(bytes, 0, 10)).toBe(0);
  });
});
