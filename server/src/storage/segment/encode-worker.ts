/** The thread behind {@link SegmentEncoders}: encodes and compresses whole segments. */
import type { WorkerScope } from '../../env/contract.ts';
import { compress } from '../compression.ts';
import type { EncodedSegment } from '../contract.ts';
import type { EncodeReply, EncodeRequest } from './encoders.ts';
import { encodeSegment } from './writer.ts';

export function start(scope: WorkerScope): void {
  scope.onMessage((message) => {
    const { id, input } = message as EncodeRequest;
    const transfer: ArrayBuffer[] = [];
    let reply: EncodeReply;
    try {
      reply = { id, segment: compressAll(encodeSegment(input), transfer), failure: null };
    } catch (error) {
      reply = { id, segment: null, failure: error instanceof Error ? error.message : String(error) };
      transfer.length = 0;
    }
    scope.post(reply, transfer);
  });
}

function compressAll(segment: EncodedSegment, transfer: ArrayBuffer[]): EncodedSegment {
  const columns = segment.columns.map((column) => {
    if (column.payload === null) return column;
    const { code, bytes } = compress(column.payload, column.codec);
    // Exact copies: the results may lie in larger pooled buffers.
    const payload = new Uint8Array(bytes);
    transfer.push(payload.buffer);
    return { ...column, payload, compressed: { code, rawLength: column.payload.length } };
  });
  return { ...segment, columns };
}
