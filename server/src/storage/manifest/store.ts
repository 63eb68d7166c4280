/**
 * The manifest: a copy-on-write tree of nodes in block files, rooted in the superblocks.
 *
 *   superblock -> root -> table pages (up to 256 tables) -> table directory -> segment chunks (up to 32 descriptors)
 *                      -> named sections (blobs)
 *
 * A commit writes only nodes that changed into one new block file. When the nodes of a manifest are spread over too many files, all are
 * written anew, so that old files go. Crash story: until the first superblock of the new generation is durable the old manifest is in
 * force and the new file is an orphan (swept at start); files are removed only after both superblocks name the new generation.
 */
import type { CommitSequence, Lsn, Xid } from '../../base/brands.ts';
import { assert } from '../../base/error.ts';
import type { Disk } from '../../env/contract.ts';
import type { BlockFileSet } from '../block/files.ts';
import { blockFileName } from '../block/names.ts';
import type {
  BlockFileWriter,
  BlockRef,
  BlockSource,
  ManifestEdit,
  ManifestHeader,
  ManifestStore,
  ManifestView,
  SegmentDescriptor,
  TableDirectory,
} from '../contract.ts';
import { locate } from '../corruption.ts';
import { translateDiskError } from '../disk-error.ts';
import { segmentBlocks } from '../segment/descriptor.ts';
import {
  decodeDirectory,
  decodeRoot,
  decodeSegmentChunk,
  decodeTablePage,
  encodeDirectory,
  encodeRoot,
  encodeSegmentChunk,
  encodeTablePage,
  type TableEntry,
} from './nodes.ts';
import { type Superblock, writeSuperblock } from './superblock.ts';

const TABLES_PER_PAGE = 256;
const SEGMENTS_PER_CHUNK = 32;
/** Nodes spread over more files than this are written anew. */
const NODE_FILES_MAX = 12;

/** A table directory with the places of its nodes. */
interface StoredTable {
  readonly directory: TableDirectory;
  readonly ref: BlockRef;
  readonly chunks: readonly { readonly segments: readonly SegmentDescriptor[]; readonly ref: BlockRef }[];
}

interface StoredSection {
  readonly bytes: Uint8Array;
  readonly ref: BlockRef;
}

interface StoredPage {
  readonly entries: readonly TableEntry[];
  readonly ref: BlockRef;
}

/** An immutable version with everything needed to write the next one. */
class Version implements ManifestView {
  readonly generation: number;
  readonly systemIdentifier: bigint;
  readonly header: ManifestHeader;
  readonly stored: ReadonlyMap<number, StoredTable>;
  readonly sections: ReadonlyMap<string, StoredSection>;
  readonly pages: readonly StoredPage[];
  readonly root: BlockRef | null;

  constructor(fields: {
    generation: number;
    systemIdentifier: bigint;
    header: ManifestHeader;
    stored: ReadonlyMap<number, StoredTable>;
    sections: ReadonlyMap<string, StoredSection>;
    pages: readonly StoredPage[];
    root: BlockRef | null;
  }) {
    this.generation = fields.generation;
    this.systemIdentifier = fields.systemIdentifier;
    this.header = fields.header;
    this.stored = fields.stored;
    this.sections = fields.sections;
    this.pages = fields.pages;
    this.root = fields.root;
  }

  tables(): number[] {
    return [...this.stored.keys()].sort((left, right) => left - right);
  }

  table(storageId: number): TableDirectory | null {
    return this.stored.get(storageId)?.directory ?? null;
  }

  section(name: string): Uint8Array | null {
    return this.sections.get(name)?.bytes ?? null;
  }

  sectionNames(): string[] {
    return [...this.sections.keys()].sort();
  }

  /** Files that hold nodes of the manifest itself. */
  nodeFiles(): Set<number> {
    const files = new Set<number>();
    if (this.root !== null) files.add(this.root.file);
    for (const page of this.pages) files.add(page.ref.file);
    for (const section of this.sections.values()) files.add(section.ref.file);
    for (const table of this.stored.values()) {
      files.add(table.ref.file);
      for (const chunk of table.chunks) files.add(chunk.ref.file);
    }
    return files;
  }

  /** Every file that must exist while this version may be read from disk. */
  namedFiles(): Set<number> {
    const files = this.nodeFiles();
    for (const { directory } of this.stored.values()) {
      for (const blob of directory.blobs) files.add(blob.ref.file);
      for (const segment of directory.segments) for (const ref of segmentBlocks(segment)) files.add(ref.file);
    }
    return files;
  }
}

const emptyHeader: ManifestHeader = {
  checkpointLsn: 0 as Lsn,
  durableLsn: 0 as Lsn,
  commitSequence: 0 as CommitSequence,
  nextXid: 3 as Xid,
  nextOid: 16384,
  inFlight: [],
};

export class Manifest implements ManifestStore {
  private readonly disk: Disk;
  private readonly files: BlockFileSet;
  private version: Version;
  private edit: Edit | null = null;

  private constructor(disk: Disk, files: BlockFileSet, version: Version) {
    this.disk = disk;
    this.files = files;
    this.version = version;
  }

  get current(): ManifestView {
    return this.version;
  }

  /** An empty manifest, not yet on disk: its first commit makes the database exist. */
  static create(disk: Disk, files: BlockFileSet, systemIdentifier: bigint): Manifest {
    const version = new Version({
      generation: 0,
      systemIdentifier,
      header: emptyHeader,
      stored: new Map(),
      sections: new Map(),
      pages: [],
      root: null,
    });
    return new Manifest(disk, files, version);
  }

  /** Reads the tree below a superblock. Throws XX001 naming the damaged file. */
  static async open(
    disk: Disk,
    files: BlockFileSet,
    blocks: BlockSource,
    superblock: Superblock,
  ): Promise<Manifest> {
    const read = async <T>(ref: BlockRef, decode: (bytes: Uint8Array) => T): Promise<T> => {
      const bytes = await blocks.readBlob(ref);
      try {
        return decode(bytes);
      } catch (error) {
        throw locate(error, blockFileName(ref.file), ref.offset);
      }
    };
    const root = await read(superblock.root, decodeRoot);
    const sections = new Map<string, StoredSection>();
    for (const { name, ref } of root.sections) sections.set(name, { bytes: await blocks.readBlob(ref), ref });
    const pages: StoredPage[] = [];
    const stored = new Map<number, StoredTable>();
    for (const pageRef of root.tablePages) {
      const entries = await read(pageRef, decodeTablePage);
      pages.push({ entries, ref: pageRef });
      for (const { storageId, ref } of entries) {
        const node = await read(ref, decodeDirectory);
        const chunks: { segments: SegmentDescriptor[]; ref: BlockRef }[] = [];
        for (const chunkRef of node.chunks)
          chunks.push({ segments: await read(chunkRef, decodeSegmentChunk), ref: chunkRef });
        const segments = chunks.flatMap((chunk) => chunk.segments);
        stored.set(storageId, { directory: { segments, blobs: node.blobs, extra: node.extra }, ref, chunks });
      }
    }
    const version = new Version({
      generation: superblock.generation,
      systemIdentifier: superblock.systemIdentifier,
      header: root.header,
      stored,
      sections,
      pages,
      root: superblock.root,
    });
    files.raiseNextNumber(root.nextFile);
    files.setNamed(version.namedFiles());
    return new Manifest(disk, files, version);
  }

  begin(): ManifestEdit {
    assert(this.edit === null, 'a manifest edit is open already');
    this.edit = new Edit(this, this.version);
    return this.edit;
  }

  /** Files of a version whose superblocks were not both written: held, because a crash may still find that version. */
  private readonly uncertainFiles: number[] = [];

  /** Called by the edit. */
  finishEdit(): void {
    this.edit = null;
  }

  /** Called by the edit: makes a draft durable. */
  async publish(draft: Draft): Promise<ManifestView> {
    const base = this.version;
    const writer = await this.files.create();
    let version: Version;
    try {
      const rewriteAll = base.nodeFiles().size >= NODE_FILES_MAX;
      version = writeNodes(writer, base, draft, rewriteAll, this.files.nextNumber);
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw translateDiskError(error);
    }
    const superblock: Superblock = {
      generation: version.generation,
      systemIdentifier: version.systemIdentifier,
      root: version.root!,
    };
    try {
      const first = version.generation & 1;
      await writeSuperblock(this.disk, superblock, first);
      if (base.root === null) await this.disk.syncDirectory('');
      await writeSuperblock(this.disk, superblock, 1 - first);
      if (base.root === null) await this.disk.syncDirectory('');
    } catch (error) {
      // The new superblock may or may not be on disk: keep the files of both versions until a later commit succeeds.
      for (const file of version.namedFiles()) {
        this.files.hold(file);
        this.uncertainFiles.push(file);
      }
      throw translateDiskError(error);
    }
    this.version = version;
    this.files.setNamed(version.namedFiles());
    this.files.release(writer.file);
    for (const file of this.uncertainFiles.splice(0)) this.files.release(file);
    return version;
  }
}

/** Changes against a version. */
export interface Draft {
  readonly header: ManifestHeader;
  /** null = dropped. */
  readonly tables: ReadonlyMap<number, TableDirectory | null>;
  readonly sections: ReadonlyMap<string, Uint8Array | null>;
}

class Edit implements ManifestEdit {
  private readonly owner: Manifest;
  private header: ManifestHeader;
  private readonly tables = new Map<number, TableDirectory | null>();
  private readonly sections = new Map<string, Uint8Array | null>();
  private isOpen = true;

  constructor(owner: Manifest, base: Version) {
    this.owner = owner;
    this.header = base.header;
  }

  setHeader(changes: Partial<ManifestHeader>): void {
    this.header = { ...this.header, ...changes };
  }

  setTable(storageId: number, directory: TableDirectory): void {
    this.tables.set(storageId, directory);
  }

  dropTable(storageId: number): void {
    this.tables.set(storageId, null);
  }

  setSection(name: string, bytes: Uint8Array | null): void {
    this.sections.set(name, bytes);
  }

  async commit(): Promise<ManifestView> {
    assert(this.isOpen, 'manifest edit used twice');
    this.isOpen = false;
    try {
      return await this.owner.publish({ header: this.header, tables: this.tables, sections: this.sections });
    } finally {
      this.owner.finishEdit();
    }
  }

  abandon(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.owner.finishEdit();
  }
}

/** Writes every node of the next version that the base does not have. */
function writeNodes(
  writer: BlockFileWriter,
  base: Version,
  draft: Draft,
  rewriteAll: boolean,
  nextFile: number,
): Version {
  const put = (bytes: Uint8Array): BlockRef => writer.append('manifest', bytes, 'auto');

  const stored = new Map<number, StoredTable>();
  for (const [storageId, table] of base.stored) {
    const change = draft.tables.get(storageId);
    if (change === null) continue;
    if (change === undefined && !rewriteAll) stored.set(storageId, table);
    else stored.set(storageId, writeTable(put, change ?? table.directory, rewriteAll ? null : table));
  }
  for (const [storageId, directory] of draft.tables)
    if (directory !== null && !base.stored.has(storageId))
      stored.set(storageId, writeTable(put, directory, null));

  const sections = new Map<string, StoredSection>();
  for (const [name, section] of base.sections)
    if (!draft.sections.has(name))
      sections.set(name, rewriteAll ? { bytes: section.bytes, ref: put(section.bytes) } : section);
  for (const [name, bytes] of draft.sections)
    if (bytes !== null) sections.set(name, { bytes: bytes.slice(), ref: put(bytes) });

  const pages = writePages(put, stored, rewriteAll ? [] : base.pages);
  const root = put(
    encodeRoot({
      header: draft.header,
      nextFile,
      sections: [...sections].map(([name, section]) => ({ name, ref: section.ref })),
      tablePages: pages.map((page) => page.ref),
    }),
  );
  return new Version({
    generation: base.generation + 1,
    systemIdentifier: base.systemIdentifier,
    header: draft.header,
    stored,
    sections,
    pages,
    root,
  });
}

function writeTable(
  put: (bytes: Uint8Array) => BlockRef,
  directory: TableDirectory,
  before: StoredTable | null,
): StoredTable {
  const chunks: { segments: readonly SegmentDescriptor[]; ref: BlockRef }[] = [];
  for (let from = 0; from < directory.segments.length; from += SEGMENTS_PER_CHUNK) {
    const segments = directory.segments.slice(from, from + SEGMENTS_PER_CHUNK);
    const old = before?.chunks[chunks.length];
    const isSame =
      old !== undefined &&
      old.segments.length === segments.length &&
      segments.every((segment, index) => segment === old.segments[index]);
    chunks.push(isSame ? old : { segments, ref: put(encodeSegmentChunk(segments)) });
  }
  const { blobs, extra } = directory;
  const ref = put(encodeDirectory({ extra, blobs, chunks: chunks.map((chunk) => chunk.ref) }));
  return {
    directory: { segments: directory.segments.slice(), blobs: blobs.slice(), extra: extra.slice() },
    ref,
    chunks,
  };
}

/** Table pages by ascending storage id; a page whose entries did not change keeps its block. */
function writePages(
  put: (bytes: Uint8Array) => BlockRef,
  stored: ReadonlyMap<number, StoredTable>,
  before: readonly StoredPage[],
): StoredPage[] {
  const ids = [...stored.keys()].sort((left, right) => left - right);
  const pages: StoredPage[] = [];
  for (let from = 0; from < ids.length; from += TABLES_PER_PAGE) {
    const entries = ids.slice(from, from + TABLES_PER_PAGE).map((storageId) => ({
      storageId,
      ref: stored.get(storageId)!.ref,
    }));
    const old = before[pages.length];
    const isSame =
      old !== undefined &&
      old.entries.length === entries.length &&
      entries.every((entry, index) => {
        const other = old.entries[index]!;
        return (
          entry.storageId === other.storageId &&
          entry.ref.file === other.ref.file &&
          entry.ref.offset === other.ref.offset
        );
      });
    pages.push(isSame ? old : { entries, ref: put(encodeTablePage(entries)) });
  }
  return pages;
}
