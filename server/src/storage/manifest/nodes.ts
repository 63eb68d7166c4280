/** Bytes of manifest nodes (docs/format/manifest.md): root, table page, table directory, segment chunk. */
import type { CommitSequence, Lsn, Xid } from '../../base/brands.ts';
import { ByteReader, ByteWriter } from '../byte-io.ts';
import type { BlockRef, ManifestHeader, NamedBlob, SegmentDescriptor } from '../contract.ts';
import { check } from '../corruption.ts';
import { readRef, readSegmentDescriptor, writeRef, writeSegmentDescriptor } from '../segment/descriptor.ts';

/** First byte of each node: a ref to the wrong node is damage. */
const NODE = { root: 1, tablePage: 2, directory: 3, segmentChunk: 4 } as const;
const VERSION = 1;
const REF_BYTES = 16;

export interface RootNode {
  readonly header: ManifestHeader;
  readonly nextFile: number;
  readonly sections: readonly { readonly name: string; readonly ref: BlockRef }[];
  readonly tablePages: readonly BlockRef[];
}

export interface TableEntry {
  readonly storageId: number;
  readonly ref: BlockRef;
}

export interface DirectoryNode {
  readonly extra: Uint8Array;
  readonly blobs: readonly NamedBlob[];
  readonly chunks: readonly BlockRef[];
}

function begin(kind: number): ByteWriter {
  return new ByteWriter(1024).u8(kind).u8(VERSION).u16(0);
}

function enter(bytes: Uint8Array, kind: number): ByteReader {
  const input = new ByteReader(bytes);
  check(input.u8() === kind, `manifest node of kind ${bytes[0]}, not ${kind}`);
  check(input.u8() === VERSION, `manifest node of version ${bytes[1]}`);
  input.u16();
  return input;
}

export function encodeRoot(root: RootNode): Uint8Array {
  const { header } = root;
  const out = begin(NODE.root)
    .u53(header.checkpointLsn)
    .u53(header.durableLsn)
    .u53(header.commitSequence)
    .u53(header.nextXid)
    .u32(header.nextOid)
    .u32(root.nextFile)
    .u32(header.inFlight.length);
  for (const xid of header.inFlight) out.u53(xid);
  out.u32(root.sections.length);
  for (const section of root.sections) {
    out.text(section.name);
    writeRef(out, section.ref);
  }
  out.u32(root.tablePages.length);
  for (const ref of root.tablePages) writeRef(out, ref);
  return out.finish();
}

export function decodeRoot(bytes: Uint8Array): RootNode {
  const input = enter(bytes, NODE.root);
  const checkpointLsn = input.u53() as Lsn;
  const durableLsn = input.u53() as Lsn;
  const commitSequence = input.u53() as CommitSequence;
  const nextXid = input.u53() as Xid;
  const nextOid = input.u32();
  const nextFile = input.u32();
  const inFlight: Xid[] = [];
  for (let left = input.count(8); left > 0; left--) inFlight.push(input.u53() as Xid);
  const sections: { name: string; ref: BlockRef }[] = [];
  for (let left = input.count(4 + REF_BYTES); left > 0; left--)
    sections.push({ name: input.text(), ref: readRef(input) });
  const tablePages: BlockRef[] = [];
  for (let left = input.count(REF_BYTES); left > 0; left--) tablePages.push(readRef(input));
  return {
    header: { checkpointLsn, durableLsn, commitSequence, nextXid, nextOid, inFlight },
    nextFile,
    sections,
    tablePages,
  };
}

export function encodeTablePage(entries: readonly TableEntry[]): Uint8Array {
  const out = begin(NODE.tablePage).u32(entries.length);
  for (const entry of entries) {
    out.u32(entry.storageId);
    writeRef(out, entry.ref);
  }
  return out.finish();
}

export function decodeTablePage(bytes: Uint8Array): TableEntry[] {
  const input = enter(bytes, NODE.tablePage);
  const entries: TableEntry[] = [];
  for (let left = input.count(4 + REF_BYTES); left > 0; left--)
    entries.push({ storageId: input.u32(), ref: readRef(input) });
  return entries;
}

export function encodeDirectory(directory: DirectoryNode): Uint8Array {
  const out = begin(NODE.directory).sized(directory.extra).u32(directory.blobs.length);
  for (const blob of directory.blobs) {
    out.u32(blob.kind).u53(blob.key);
    writeRef(out, blob.ref);
  }
  out.u32(directory.chunks.length);
  for (const ref of directory.chunks) writeRef(out, ref);
  return out.finish();
}

export function decodeDirectory(bytes: Uint8Array): DirectoryNode {
  const input = enter(bytes, NODE.directory);
  const extra = input.sized();
  const blobs: NamedBlob[] = [];
  for (let left = input.count(12 + REF_BYTES); left > 0; left--)
    blobs.push({ kind: input.u32(), key: input.u53(), ref: readRef(input) });
  const chunks: BlockRef[] = [];
  for (let left = input.count(REF_BYTES); left > 0; left--) chunks.push(readRef(input));
  return { extra, blobs, chunks };
}

export function encodeSegmentChunk(segments: readonly SegmentDescriptor[]): Uint8Array {
  const out = begin(NODE.segmentChunk).u32(segments.length);
  for (const segment of segments) writeSegmentDescriptor(out, segment);
  return out.finish();
}

export function decodeSegmentChunk(bytes: Uint8Array): SegmentDescriptor[] {
  const input = enter(bytes, NODE.segmentChunk);
  const segments: SegmentDescriptor[] = [];
  for (let left = input.count(20); left > 0; left--) segments.push(readSegmentDescriptor(input));
  return segments;
}
