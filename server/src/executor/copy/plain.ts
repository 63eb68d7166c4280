/**
 * COPY's fast lane: runs of plain lines (no escapes, no NULL mark, one newline each) go column by column through the kernels.
 *
 * Lines are cut a few thousand at a time; each column takes its field of all of them at once. Where a column meets a value that is not of its common
 * spelling, the run ends before that line for every column, and the caller takes the line the careful way, which also words the error.
 */
import { isUtf8 } from 'node:buffer';
import { isSuspension } from '../../base/suspend.ts';
import type { Kernels } from '../../native/index.ts';
import type { FieldAppender } from '../../types/bytes-input.ts';
import { OID } from '../../types/oid.ts';
import type { VectorBuilder } from '../../types/vector-io.ts';

/** Lines of one run: few enough that the fields stay in the processor's cache and the loop is not held. */
const LINES_MAX = 1024;
const NO_LIMIT = 0xffffffff;

/** Appends a field of the cut lines 0 to `rows` to its builder; returns the rows done. */
type ColumnReader = (rows: number) => number;

export interface PlainColumn {
  readonly builder: VectorBuilder;
  readonly append: FieldAppender;
}

export class PlainLines {
  private readonly kernels: Kernels;
  private readonly delimiter: number;
  private readonly fieldCount: number;
  private readonly builders: readonly VectorBuilder[];
  private readonly readers: readonly ColumnReader[];
  private readonly ends: Uint32Array;
  private readonly endBytes: Uint8Array;
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(kernels: Kernels, delimiter: number, columns: readonly PlainColumn[]) {
    this.kernels = kernels;
    this.delimiter = delimiter;
    this.fieldCount = columns.length;
    this.builders = columns.map((column) => column.builder);
    this.readers = columns.map((column, field) => this.reader(column, field));
    this.ends = new Uint32Array(LINES_MAX * columns.length + 1);
    this.endBytes = new Uint8Array(this.ends.buffer);
  }

  /** Appends plain lines from byte `start` on, at most `limit`; returns their number. `end` is then where the next line begins. */
  take(bytes: Uint8Array, start: number, limit: number): number {
    this.bytes = bytes;
    const { kernels, fieldCount, ends, builders, readers } = this;
    const wanted = Math.min(limit, LINES_MAX);
    let rows = kernels.cutLines(bytes, start, this.delimiter, fieldCount, wanted, this.endBytes);
    if (rows === 0) return 0;
    if (!isUtf8(bytes.subarray(start, ends[rows * fieldCount]!))) return 0;
    const before = builders[0]!.count;
    for (const read of readers) {
      rows = read(rows);
      if (rows === 0) break;
    }
    for (const builder of builders) builder.truncate(before + rows);
    return rows;
  }

  /** Where the line behind the first `rows` begins. */
  endOf(rows: number): number {
    return this.ends[rows * this.fieldCount]! + 1;
  }

  private reader({ builder, append }: PlainColumn, field: number): ColumnReader {
    const { support, typmod } = builder;
    switch (support.oid) {
      case OID.INT2:
        return this.decimals(builder, field, 0, false, 32768, 2);
      case OID.INT4:
        return this.decimals(builder, field, 0, false, 2147483648, 4);
      case OID.INT8:
        return this.decimals(builder, field, 0, false, 1e15, 8);
      case OID.NUMERIC:
        if (builder.physical !== 'decimal64') break;
        return this.decimals(builder, field, builder.scale, true, 10 ** Math.min(15, (typmod - 4) >> 16), 8);
      case OID.DATE:
        return (rows) => {
          builder.makeRoom(rows, 0);
          const target = builder.freeValues();
          const done = this.kernels.parseDates(
            this.bytes,
            this.endBytes,
            this.fieldCount,
            field,
            rows,
            target,
          );
          builder.commitRows(done);
          return done;
        };
      case OID.TEXT:
        return this.bytesReader(builder, field, 0, NO_LIMIT);
      case OID.VARCHAR:
        return this.bytesReader(builder, field, 0, typmod < 4 ? NO_LIMIT : typmod - 4);
      case OID.BPCHAR:
        if (typmod < 4) return this.bytesReader(builder, field, 0, NO_LIMIT);
        return this.bytesReader(builder, field, typmod - 4, typmod - 4);
      default:
    }
    return (rows) => {
      const { ends, fieldCount, bytes } = this;
      for (let row = 0; row < rows; row++) {
        const place = row * fieldCount + field;
        try {
          append(bytes, (ends[place]! + 1) >>> 0, ends[place + 1]!);
        } catch (thrown) {
          if (isSuspension(thrown)) throw thrown;
          return row;
        }
      }
      return rows;
    };
  }

  private decimals(
    builder: VectorBuilder,
    field: number,
    scale: number,
    hasPoint: boolean,
    limit: number,
    width: number,
  ): ColumnReader {
    return (rows) => {
      builder.makeRoom(rows, 0);
      const target = builder.freeValues();
      const { kernels, bytes, endBytes, fieldCount } = this;
      const done = kernels.parseDecimals(
        bytes,
        endBytes,
        fieldCount,
        field,
        rows,
        scale,
        hasPoint,
        limit,
        width,
        target,
      );
      builder.commitRows(done);
      return done;
    };
  }

  private bytesReader(builder: VectorBuilder, field: number, least: number, most: number): ColumnReader {
    return (rows) => {
      const { kernels, bytes, endBytes, fieldCount, ends } = this;
      // No field is longer than the lines together, and each may be filled up.
      const size = ends[rows * fieldCount]! - ((ends[0]! + 1) >>> 0) + rows * least;
      const target = builder.makeRoom(rows, size);
      const done = kernels.copyFields(
        bytes,
        endBytes,
        fieldCount,
        field,
        rows,
        least,
        most,
        target,
        builder.byteCount,
        builder.freeOffsets(),
      );
      builder.commitRows(done);
      return done;
    };
  }
}
