/** Input and output of types against answers recorded from PostgreSQL 15. */
import { describe, expect, it } from 'vitest';
import type { FormatContext } from './contract.ts';
import { DEFAULT_FORMAT, OID, typeSupport } from './index.ts';
import { packNumericTypmod } from './numeric-text.ts';
import dates from './testdata/datetime-input.json' with { type: 'json' };
import scalars from './testdata/scalar-input.json' with { type: 'json' };

const NAMES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(OID).map(([name, oid]) => [name.toLowerCase(), oid]),
);

function read(type: string | number, text: string, format: FormatContext): string {
  try {
    const isLimited = type === 'numeric(4,2)';
    const support = typeSupport(typeof type === 'number' ? type : isLimited ? OID.NUMERIC : NAMES[type]!);
    return support.output(support.input(text, isLimited ? packNumericTypmod(4, 2) : -1, format), format);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === undefined) throw error;
    return `ERR ${code} ${message}`;
  }
}

describe('type input and output as PostgreSQL', () => {
  for (const [name, rows, format] of [
    ['scalar-input', scalars, DEFAULT_FORMAT],
    ['datetime-input', dates, { ...DEFAULT_FORMAT, timeZone: 'America/New_York' }],
  ] as const) {
    it(`${rows.length} texts of ${name}.json`, () => {
      const wrong = (rows as [string | number, string, string][])
        .map(([type, text, expected]) => ({ type, text, expected, got: read(type, text, format) }))
        .filter(({ expected, got }) => expected !== got);
      expect(wrong).toEqual([]);
    });
  }
});
