/** Sealing: columns of rows become the payloads of a segment, then blocks of a file. */
import { INVALID_XID } from '../../base/brands.ts';
import { assert } from '../../base/error.ts';
import type { ColumnVector } from '../../types/vector.ts';
import {
  type BlockFileWriter,
  type ColumnDescriptor,
  type EncodedSegment,
  type EncodedSegmentColumn,
  SEGMENT_MAX_ROWS,
  type SegmentDescriptor,
  type SegmentInput,
} from '../contract.ts';
import { encodeColumn } from './column-encode.ts';

/** Checks the input; everything of the result but the columns. */
export function beginSegment(input: SegmentInput): Omit<EncodedSegment, 'columns'> {
  const { rowCount } = input;
  assert(rowCount > 0 && rowCount <= SEGMENT_MAX_ROWS, `segment of ${rowCount} rows`);
  for (const column of input.columns)
    assert(column.count === rowCount, `column of ${column.count} rows in a segment of ${rowCount}`);
  return { segment: input.segment, rowCount, owner: input.owner ?? INVALID_XID };
}

/** Encodes all columns; pure, for any thread. The result shares no memory with the input. */
export function encodeSegment(input: SegmentInput): EncodedSegment {
  return {
    ...beginSegment(input),
    columns: [
      ...input.columns.map(encodeColumn),
      encodeColumn(sequenceVector(input.sequences, input.rowCount)),
    ],
  };
}

/** The commit sequences as a column. */
export function sequenceVector(sequences: Float64Array | number, rowCount: number): ColumnVector {
  const values = new BigInt64Array(rowCount);
  if (typeof sequences === 'number') values.fill(BigInt(sequences));
  else for (let row = 0; row < rowCount; row++) values[row] = BigInt(sequences[row]!);
  return { physical: 'int64', count: rowCount, values, offsets: null, bytes: null, validity: null };
}

/** Appends the blocks of an encoded segment to an open file. */
export function writeSegment(writer: BlockFileWriter, segment: EncodedSegment): SegmentDescriptor {
  const columns = segment.columns.map((column) => writeColumn(writer, column));
  const sequence = columns.pop()!;
  return { segment: segment.segment, rowCount: segment.rowCount, columns, sequence, owner: segment.owner };
}

function writeColumn(writer: BlockFileWriter, column: EncodedSegmentColumn): ColumnDescriptor {
  const { payload, compressed, codec } = column;
  const block =
    payload === null
      ? null
      : compressed === undefined
        ? writer.append('column', payload, codec)
        : writer.appendCompressed('column', payload, compressed.code, compressed.rawLength);
  return { physical: column.physical, zone: column.zone, encoding: column.encoding, block };
}
