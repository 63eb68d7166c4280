/** pg_snapshot and txid_snapshot: "xmin:xmax:xip,xip", kept as canonical text. */
import { DbError } from '../base/error.ts';
import { concatBytes, int32Bytes, int64Bytes, WireReader } from './binary.ts';
import type { TypeSupport } from './contract.ts';
import { OID } from './oid.ts';
import { invalidSyntax } from './scalars.ts';
import { textLike } from './support-basic.ts';

/** Largest transaction id PostgreSQL accepts here. */
const MAX_ID = 9223372036854775807n;

export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  /** Running transactions, ascending. */
  readonly running: readonly bigint[];
}

/** null when the parts do not form a snapshot. Repeated ids count once. */
function checked(xmin: bigint, xmax: bigint, ids: readonly bigint[]): Snapshot | null {
  if (xmin <= 0n || xmax <= 0n || xmax < xmin || xmax > MAX_ID) return null;
  const running: bigint[] = [];
  let last = xmin;
  for (const id of ids) {
    if (id < xmin || id >= xmax || id < last) return null;
    if (running.at(-1) !== id) running.push(id);
    last = id;
  }
  return { xmin, xmax, running };
}

function parts(text: string): Snapshot | null {
  const match = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)$/.exec(text);
  if (match === null) return null;
  const ids = match[3] === '' ? [] : match[3]!.split(',').map(BigInt);
  return checked(BigInt(match[1]!), BigInt(match[2]!), ids);
}

export function formatSnapshot({ xmin, xmax, running }: Snapshot): string {
  return `${xmin}:${xmax}:${running.join(',')}`;
}

export function parseSnapshot(text: string): Snapshot {
  const snapshot = parts(text);
  if (snapshot === null) throw invalidSyntax('pg_snapshot', text);
  return snapshot;
}

function snapshotSupport(oid: number, name: string): TypeSupport {
  return textLike(oid, name, {
    input: (text) => formatSnapshot(parseSnapshot(text)),
    receive: (bytes) => {
      const reader = new WireReader(bytes);
      const read = (): bigint => {
        const eight = reader.take(8);
        return new DataView(eight.buffer, eight.byteOffset, 8).getBigInt64(0);
      };
      const invalid = (): DbError =>
        new DbError('invalid_binary_representation', 'invalid external pg_snapshot data');
      const count = reader.int32();
      if (count < 0 || count > reader.left / 8) throw invalid();
      const xmin = read();
      const xmax = read();
      const ids: bigint[] = [];
      for (let index = 0; index < count; index++) ids.push(read());
      const snapshot = checked(xmin, xmax, ids);
      if (snapshot === null) throw invalid();
      return formatSnapshot(snapshot);
    },
    send: (value) => {
      const { xmin, xmax, running } = parseSnapshot(value as string);
      return concatBytes([
        int32Bytes(running.length),
        int64Bytes(xmin),
        int64Bytes(xmax),
        ...running.map(int64Bytes),
      ]);
    },
    compare: undefined,
  });
}

export function snapshotSupports(): TypeSupport[] {
  return [
    snapshotSupport(OID.PG_SNAPSHOT, 'pg_snapshot'),
    snapshotSupport(OID.TXID_SNAPSHOT, 'txid_snapshot'),
  ];
}
