/**
 * A held result as a Parquet file. int2, int4, int8, float4, float8, bool have their own types there; everything else is text,
 * because numeric, dates and times would lose digits or range.
 */
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { HeldResult } from './held-result.ts';

type ColumnType = 'BOOLEAN' | 'INT32' | 'INT64' | 'FLOAT' | 'DOUBLE' | 'STRING';

const TYPES: Readonly<Record<number, ColumnType>> = {
  16: 'BOOLEAN',
  20: 'INT64',
  21: 'INT32',
  23: 'INT32',
  26: 'INT64',
  700: 'FLOAT',
  701: 'DOUBLE',
};
const GROUP_ROWS = 50_000;

function valueOf(text: string | null, type: ColumnType): boolean | bigint | number | string | null {
  if (text === null) return null;
  switch (type) {
    case 'BOOLEAN':
      return text === 't';
    case 'INT32':
    case 'FLOAT':
    case 'DOUBLE':
      return Number(text);
    case 'INT64':
      return BigInt(text);
    default:
      return text;
  }
}

/** The whole file. `pause` lets others run between groups of rows. */
export async function parquetFile(
  result: HeldResult,
  view: Uint32Array | null,
  pause: () => Promise<void>,
): Promise<Uint8Array> {
  const seen = new Map<string, number>();
  const columns = result.columns.map(({ name, typeOid }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count === 1 ? name : `${name}_${count}`, type: TYPES[typeOid] ?? ('STRING' as const) };
  });
  const total = view === null ? result.keptRows : view.length;
  const slice = (from: number, to: number) =>
    columns.map(({ name, type }, column) => {
      const data: (boolean | bigint | number | string | null)[] = [];
      for (let at = from; at < to; at++)
        data.push(valueOf(result.cell(view === null ? at : view[at], column), type));
      return { name, type, data, nullable: true };
    });
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: slice(0, 0) }) });
  for (let from = 0; from < total; from += GROUP_ROWS) {
    const to = Math.min(total, from + GROUP_ROWS);
    await file.write({ columnData: slice(from, to), rowGroupSize: GROUP_ROWS });
    await pause();
  }
  await file.finish();
  return new Uint8Array(writer.getBuffer());
}
