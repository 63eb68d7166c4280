/**
 * Large objects: the functions lo_*, loread and lowrite, and the descriptors that a transaction has open.
 *
 * Storage   pg_largeobject, pages of 2,048 bytes by (object, number); a missing page is a hole of zeros, a short one ends early.
 *           pg_largeobject_metadata has owner and rights. Both change with the transaction, to the savepoint.
 * Descriptor a small number that lives until its transaction, or the savepoint it was opened after, ends.
 * Crash     nothing beyond the catalogs' own rows.
 */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { ConditionName } from '../base/sqlstate.ts';
import { WaitSignal } from '../base/suspend.ts';
import { privilegeBit } from '../catalog/acl.ts';
import { PG_LARGEOBJECT, PG_LARGEOBJECT_METADATA } from '../catalog/data/columns.ts';
import { CLASS_OID } from '../catalog/definitions.ts';
import { address, type CatalogWriter } from '../catalog/mutations.ts';
import type { CatalogReaderImplementation } from '../catalog/reader.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { BackendSession } from './session.ts';

const PAGE_BYTES = 2048;
const SIZE_MAX = PAGE_BYTES * (2 ** 31 - 1);
const MODE_WRITE = 0x20000;
const MODE_READ = 0x40000;
/** Bytes given back by one lo_get. */
const VALUE_BYTES_MAX = 2 ** 30 - 5;
const COPY_BYTES = 1 << 20;

interface Descriptor {
  readonly oid: Oid;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  position: number;
}

type LargeObjectFunction = (...values: Datum[]) => Datum;

function fail(condition: ConditionName, message: string): DbError {
  return new DbError(condition, message);
}

export class LargeObjects {
  private readonly session: BackendSession;
  private readonly open = new Map<number, Descriptor>();
  /** A file of the server being read or written for lo_import and lo_export, for re-entry after the wait. */
  private transfer: { readonly key: string; outcome: Uint8Array | DbError | null } | null = null;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** The function behind a name of pg_proc.prosrc. */
  bind(name: string): LargeObjectFunction {
    const implementation = this.functions[name];
    return (...values) => implementation!(...values);
  }

  private readonly functions: Readonly<Record<string, LargeObjectFunction>> = {
    be_lo_create: (oid) => this.create(oid as number),
    be_lo_creat: () => this.create(0),
    be_lo_open: (oid, mode) => this.openObject(oid as number, mode as number),
    be_lo_close: (handle) => {
      this.descriptor(handle);
      this.open.delete(handle as number);
      return 0;
    },
    be_loread: (handle, length) => this.readHere(handle, length as number),
    be_lowrite: (handle, bytes) => this.writeHere(handle, bytes as Uint8Array),
    be_lo_lseek: (handle, offset, whence) => {
      const position = this.seek(handle, BigInt(offset as number), whence as number);
      if (position > 0x7fffffff)
        throw fail(
          'numeric_value_out_of_range',
          `lo_lseek result out of range for large-object descriptor ${String(handle)}`,
        );
      return position;
    },
    be_lo_lseek64: (handle, offset, whence) => BigInt(this.seek(handle, offset as bigint, whence as number)),
    be_lo_tell: (handle) => {
      const { position } = this.descriptor(handle);
      if (position > 0x7fffffff)
        throw fail(
          'numeric_value_out_of_range',
          `lo_tell result out of range for large-object descriptor ${String(handle)}`,
        );
      return position;
    },
    be_lo_tell64: (handle) => BigInt(this.descriptor(handle).position),
    be_lo_truncate: (handle, length) => this.truncateHere(handle, BigInt(length as number)),
    be_lo_truncate64: (handle, length) => this.truncateHere(handle, length as bigint),
    be_lo_unlink: (oid) => this.unlink(oid as number),
    be_lo_from_bytea: (oid, bytes) => {
      const made = this.create(oid as number);
      this.write(made, 0, bytes as Uint8Array);
      return made;
    },
    be_lo_get: (oid) => {
      this.requireRight(oid as number, 'SELECT');
      return this.whole(oid as number);
    },
    be_lo_get_fragment: (oid, offset, length) => {
      if ((length as number) < 0)
        throw fail('invalid_parameter_value', 'requested length cannot be negative');
      this.requireRight(oid as number, 'SELECT');
      return this.read(oid as number, this.target(offset as bigint), length as number);
    },
    be_lo_put: (oid, offset, bytes) => {
      this.requireRight(oid as number, 'SELECT');
      this.requireRight(oid as number, 'UPDATE');
      this.write(oid as number, this.target(offset as bigint), bytes as Uint8Array);
      return '';
    },
    be_lo_import: (path) => this.importFile(path as string, 0),
    be_lo_import_with_oid: (path, oid) => this.importFile(path as string, oid as number),
    be_lo_export: (oid, path) => this.exportFile(oid as number, path as string),
  };

  // ------------------------------------------------------------------------------------------------ objects

  private get transaction(): Transaction {
    return this.session.block.forStatement();
  }

  private get writer(): CatalogWriter {
    return this.session.engine.utility.catalogWriter!(this.transaction);
  }

  private get reader(): CatalogReaderImplementation {
    return this.writer.reader;
  }

  private create(wanted: Oid): Oid {
    const { writer } = this;
    const { view } = writer.reader;
    let oid = wanted;
    if (oid === 0)
      do oid = writer.allocateOid();
      while (view.get('pg_largeobject_metadata', oid) !== null);
    else if (view.get('pg_largeobject_metadata', oid) !== null)
      throw new DbError(
        'unique_violation',
        'duplicate key value violates unique constraint "pg_largeobject_metadata_oid_index"',
        {
          detail: `Key (oid)=(${oid}) already exists.`,
          schema: 'pg_catalog',
          table: 'pg_largeobject_metadata',
          constraint: 'pg_largeobject_metadata_oid_index',
        },
      );
    const role = this.session.roleOid();
    writer.insert('pg_largeobject_metadata', [oid, role, null]);
    writer.recordOwner(address(CLASS_OID.largeObject, oid), role);
    return oid;
  }

  private unlink(oid: Oid): number {
    const { writer } = this;
    const { view, roles } = writer.reader;
    const row = view.get('pg_largeobject_metadata', oid);
    if (row === null) throw undefinedObject(oid);
    const owner = row.values[PG_LARGEOBJECT_METADATA.lomowner] as Oid;
    const role = this.session.roleOid();
    if (!roles.isSuperuser(role) && !roles.hasPrivilegesOf(role, owner))
      throw fail('insufficient_privilege', `must be owner of large object ${oid}`);
    for (const [handle, descriptor] of this.open) if (descriptor.oid === oid) this.open.delete(handle);
    const whole = address(CLASS_OID.largeObject, oid);
    // Newest first: lists of rows give up their end cheaply.
    writer.removeAll('pg_largeobject', [...view.find('pg_largeobject', 'object', oid)].reverse());
    writer.remove('pg_largeobject_metadata', oid);
    writer.removeComments(whole);
    writer.removeSharedDependencies(whole);
    return 1;
  }

  private requireRight(oid: Oid, privilege: 'SELECT' | 'UPDATE'): void {
    const { view, roles } = this.reader;
    const row = view.get('pg_largeobject_metadata', oid)?.values;
    if (row === undefined) throw undefinedObject(oid);
    if (this.session.settings.get('lo_compat_privileges') === 'on') return;
    const held = roles.privileges(
      this.session.roleOid(),
      'largeObject',
      row[PG_LARGEOBJECT_METADATA.lomowner] as Oid,
      row[PG_LARGEOBJECT_METADATA.lomacl]!,
    );
    if ((held & privilegeBit(privilege)) === 0)
      throw fail('insufficient_privilege', `permission denied for large object ${oid}`);
  }

  // ------------------------------------------------------------------------------------------------ descriptors

  private openObject(oid: Oid, mode: number): number {
    const canWrite = (mode & MODE_WRITE) !== 0;
    const canRead = canWrite || (mode & MODE_READ) !== 0;
    if (!canRead) throw fail('invalid_parameter_value', `invalid flags for opening a large object: ${mode}`);
    this.requireRight(oid, 'SELECT');
    if (canWrite) this.requireRight(oid, 'UPDATE');
    let handle = 0;
    while (this.open.has(handle)) handle++;
    const descriptor: Descriptor = { oid, canRead, canWrite, position: 0 };
    this.open.set(handle, descriptor);
    const close = (): void => {
      if (this.open.get(handle) === descriptor) this.open.delete(handle);
    };
    const { transaction } = this;
    transaction.onCommit(close);
    transaction.onRollback(close);
    return handle;
  }

  private descriptor(handle: Datum): Descriptor {
    const found = this.open.get(handle as number);
    if (found === undefined)
      throw fail('undefined_object', `invalid large-object descriptor: ${String(handle)}`);
    return found;
  }

  private readHere(handle: Datum, length: number): Uint8Array {
    const descriptor = this.descriptor(handle);
    const bytes = this.read(descriptor.oid, descriptor.position, Math.max(length, 0));
    descriptor.position += bytes.length;
    return bytes;
  }

  private writeHere(handle: Datum, bytes: Uint8Array): number {
    const descriptor = this.writable(handle);
    this.write(descriptor.oid, descriptor.position, bytes);
    descriptor.position += bytes.length;
    return bytes.length;
  }

  private writable(handle: Datum): Descriptor {
    const descriptor = this.descriptor(handle);
    if (!descriptor.canWrite)
      throw fail(
        'object_not_in_prerequisite_state',
        `large object descriptor ${String(handle)} was not opened for writing`,
      );
    return descriptor;
  }

  private seek(handle: Datum, offset: bigint, whence: number): number {
    const descriptor = this.descriptor(handle);
    let from: number;
    if (whence === 0) from = 0;
    else if (whence === 1) from = descriptor.position;
    else if (whence === 2) from = this.size(descriptor.oid);
    else throw fail('invalid_parameter_value', `invalid whence setting: ${whence}`);
    descriptor.position = this.target(BigInt(from) + offset);
    return descriptor.position;
  }

  private target(position: bigint): number {
    if (position < 0n || position > BigInt(SIZE_MAX))
      throw fail('invalid_parameter_value', `invalid large object seek target: ${position}`);
    return Number(position);
  }

  private truncateHere(handle: Datum, length: bigint): number {
    const descriptor = this.writable(handle);
    if (length < 0n || length > BigInt(SIZE_MAX))
      throw fail('invalid_parameter_value', `invalid large object truncation target: ${length}`);
    this.truncate(descriptor.oid, Number(length));
    return 0;
  }

  // ------------------------------------------------------------------------------------------------ bytes

  /** First byte that was never written. */
  private size(oid: Oid): number {
    let last = -1;
    let size = 0;
    for (const { values } of this.reader.view.find('pg_largeobject', 'object', oid)) {
      const page = values[PG_LARGEOBJECT.pageno] as number;
      if (page < last) continue;
      last = page;
      size = page * PAGE_BYTES + (values[PG_LARGEOBJECT.data] as Uint8Array).length;
    }
    return size;
  }

  private page(reader: CatalogReaderImplementation, oid: Oid, number: number): Uint8Array | null {
    const row = reader.view.get('pg_largeobject', `${oid}.${number}`);
    return row === null ? null : (row.values[PG_LARGEOBJECT.data] as Uint8Array);
  }

  private whole(oid: Oid): Uint8Array {
    const size = this.size(oid);
    if (size > VALUE_BYTES_MAX)
      throw fail('program_limit_exceeded', 'large object read request is too large');
    return this.read(oid, 0, size);
  }

  private read(oid: Oid, position: number, length: number): Uint8Array {
    const { reader } = this;
    let end = position + length;
    // Only where something is missing, or much is asked for, must the size be known.
    let isSizeKnown = length > COPY_BYTES;
    if (isSizeKnown) end = Math.min(end, this.size(oid));
    const result = new Uint8Array(Math.max(end - position, 0));
    let at = position;
    while (at < end) {
      const number = Math.floor(at / PAGE_BYTES);
      const start = at - number * PAGE_BYTES;
      const bytes = this.page(reader, oid, number);
      if (!isSizeKnown && (bytes === null || bytes.length < Math.min(PAGE_BYTES, start + end - at))) {
        isSizeKnown = true;
        end = Math.min(end, this.size(oid));
        continue;
      }
      const count = Math.min(PAGE_BYTES - start, end - at);
      if (bytes !== null && bytes.length > start)
        result.set(bytes.subarray(start, start + count), at - position);
      at += count;
    }
    return result.subarray(0, Math.max(end - position, 0));
  }

  private write(oid: Oid, position: number, bytes: Uint8Array): void {
    if (position + bytes.length > SIZE_MAX)
      throw fail('invalid_parameter_value', `invalid large object write request size: ${bytes.length}`);
    const { writer } = this;
    for (let at = 0; at < bytes.length; ) {
      this.session.checkInterrupt();
      const number = Math.floor((position + at) / PAGE_BYTES);
      const start = position + at - number * PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - start, bytes.length - at);
      const old = this.page(writer.reader, oid, number);
      const page = new Uint8Array(Math.max(start + count, old?.length ?? 0));
      if (old !== null) page.set(old);
      page.set(bytes.subarray(at, at + count), start);
      this.putPage(writer, oid, number, page, old !== null);
      at += count;
    }
  }

  private truncate(oid: Oid, length: number): void {
    const { writer } = this;
    const last = Math.floor(length / PAGE_BYTES);
    const rest = length - last * PAGE_BYTES;
    const rows = writer.reader.view.find('pg_largeobject', 'object', oid);
    const beyond = [...rows].filter(({ values }) => (values[PG_LARGEOBJECT.pageno] as number) > last);
    writer.removeAll('pg_largeobject', beyond.reverse());
    const old = this.page(writer.reader, oid, last);
    if (rest === 0) {
      if (old !== null) writer.remove('pg_largeobject', `${oid}.${last}`);
      // Growing: the end must be a page, even an empty one, if nothing is written there.
      if (last > 0 && this.size(oid) < length) this.fillTo(writer, oid, last - 1, PAGE_BYTES);
    } else this.fillTo(writer, oid, last, rest);
  }

  /** Makes a page end at `length`, cut or filled with zeros. */
  private fillTo(writer: CatalogWriter, oid: Oid, number: number, length: number): void {
    const old = this.page(writer.reader, oid, number);
    const page = new Uint8Array(length);
    if (old !== null) page.set(old.subarray(0, length));
    this.putPage(writer, oid, number, page, old !== null);
  }

  private putPage(writer: CatalogWriter, oid: Oid, number: number, page: Uint8Array, exists: boolean): void {
    if (exists) writer.update('pg_largeobject', `${oid}.${number}`, { [PG_LARGEOBJECT.data]: page });
    else writer.insert('pg_largeobject', [oid, number, page]);
  }

  // ------------------------------------------------------------------------------------------------ files of the server

  private importFile(path: string, oid: Oid): Oid {
    const bytes = this.waitFor(`import ${path}`, async () => {
      const { disk, name } = this.session.engine.serverFile(path);
      const file = await disk.open(name, 'read').catch((error: unknown) => {
        throw fileError('open', path, error);
      });
      try {
        const parts: Uint8Array[] = [];
        for (let offset = 0; ; ) {
          const part = new Uint8Array(COPY_BYTES);
          const count = await file.read(offset, part);
          if (count === 0) break;
          parts.push(part.subarray(0, count));
          offset += count;
        }
        return new Uint8Array(Buffer.concat(parts));
      } finally {
        await file.close();
      }
    });
    const made = this.create(oid);
    this.write(made, 0, bytes);
    return made;
  }

  private exportFile(oid: Oid, path: string): number {
    this.requireRight(oid, 'SELECT');
    this.waitFor(`export ${oid} ${path}`, async () => {
      const bytes = this.whole(oid);
      const { disk, name } = this.session.engine.serverFile(path);
      const file = await disk.open(name, 'create').catch((error: unknown) => {
        throw fileError('create', path, error);
      });
      try {
        await file.truncate(0);
        await file.writeAll(0, [bytes]);
      } finally {
        await file.close();
      }
      return bytes;
    });
    return 1;
  }

  /** Runs `work` while the statement waits, then gives its outcome to the call that comes again. */
  private waitFor(key: string, work: () => Promise<Uint8Array>): Uint8Array {
    const known = this.transfer;
    if (known !== null && known.key === key && known.outcome !== null) {
      this.transfer = null;
      if (known.outcome instanceof DbError) throw known.outcome;
      return known.outcome;
    }
    const transfer: { key: string; outcome: Uint8Array | DbError | null } = { key, outcome: null };
    this.transfer = transfer;
    throw new WaitSignal(
      work().then(
        (bytes) => {
          transfer.outcome = bytes;
        },
        (error: unknown) => {
          transfer.outcome =
            error instanceof DbError ? error : this.session.engine.reportInternalError(error);
        },
      ),
    );
  }
}

function undefinedObject(oid: Oid): DbError {
  return fail('undefined_object', `large object ${oid} does not exist`);
}

function fileError(verb: 'open' | 'create', path: string, error: unknown): DbError {
  const { code } = error as { code?: string };
  const reason =
    code === 'ENOENT' ? 'No such file or directory' : code === 'EACCES' ? 'Permission denied' : String(code);
  return new DbError(
    code === 'ENOENT' ? 'undefined_file' : code === 'EACCES' ? 'insufficient_privilege' : 'io_error',
    `could not ${verb} server file "${path}": ${reason}`,
  );
}
