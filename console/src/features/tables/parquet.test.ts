import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { csvOf, dateText, decimalText, isParquet, openParquet, timestampText } from './parquet.ts';

describe('values of Parquet files as texts', () => {
  it('keep every digit', () => {
    expect(decimalText(-12345678901234567890n, 4)).toBe('-1234567890123456.7890');
    expect(decimalText(5n, 3)).toBe('0.005');
    expect(decimalText(7n, 0)).toBe('7');
  });

  it('know the calendar on both sides of the first year', () => {
    expect(dateText(0n)).toEqual({ date: '1970-01-01', era: '' });
    expect(dateText(-719_162n)).toEqual({ date: '0001-01-01', era: '' });
    expect(dateText(-719_163n)).toEqual({ date: '0001-12-31', era: ' BC' });
    expect(dateText(19_782n)).toEqual({ date: '2024-02-29', era: '' });
    expect(timestampText(-1n, '+00')).toBe('1969-12-31 23:59:59.999999+00');
  });

  it('are read from a file, row ranges too', async () => {
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'big', data: [9223372036854775807n, null, -1n], type: 'INT64', nullable: true },
        { name: 'words', data: ['\ufeffa "b"', '', 'line\nbreak'], type: 'STRING' },
        { name: 'ratio', data: [-0, 0.1, 5e-324], type: 'DOUBLE' },
        { name: 'even', data: [true, false, true], type: 'BOOLEAN' },
      ],
    });
    const file = new File([bytes], 'x.parquet');
    expect(await isParquet(file)).toBe(true);
    expect(await isParquet(new File(['a,b\n'], 'x.csv'))).toBe(false);
    const source = await openParquet(file);
    expect(source.columns).toEqual([
      { name: 'big', type: 'bigint' },
      { name: 'words', type: 'text' },
      { name: 'ratio', type: 'double precision' },
      { name: 'even', type: 'boolean' },
    ]);
    expect(source.rowCount).toBe(3);
    expect(await source.read(0, 3)).toEqual([
      ['9223372036854775807', '\ufeffa "b"', '-0', 'true'],
      [null, '', '0.1', 'false'],
      ['-1', 'line\nbreak', '5e-324', 'true'],
    ]);
    expect(csvOf(await source.read(1, 2))).toBe(',"","0.1","false"\n');
  });
});
