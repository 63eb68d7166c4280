/** All sessions of the server: process ids, CancelRequest, pg_stat_activity, LISTEN/NOTIFY. */
import type { Oid } from '../base/brands.ts';
import type { DbError } from '../base/error.ts';
import type { Random } from '../env/contract.ts';

/** What encrypts a connection, as pg_stat_ssl tells it. */
export interface ConnectionTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly bits: number;
}

/** A session as others see it. Times are microseconds since 2000-01-01. */
export interface SessionEntry {
  readonly processId: number;
  readonly secretKey: number;
  readonly userOid: Oid;
  readonly userName: string;
  readonly databaseOid: Oid;
  readonly databaseName: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly tls: ConnectionTls | null;
  readonly backendType: string;
  readonly backendStart: bigint;
  applicationName: string;
  state: 'active' | 'idle' | 'idle in transaction' | 'idle in transaction (aborted)';
  stateChange: bigint;
  query: string;
  queryStart: bigint | null;
  readonly transactionStart: bigint | null;
  waitEventType: string | null;
  waitEvent: string | null;
  readonly xid: number;
  /** Hash of the statement's normalised text; 0 = none yet. */
  queryId: bigint;
  /** A session of the server's own console for its panels: its statements are no part of the workload. */
  isInternal?: boolean;
  cancel(): void;
  /** The configuration files were read again. */
  reloaded?(): void;
  terminate(error?: DbError): void;
  deliver(senderProcessId: number, channel: string, payload: string): void;
}

export class SessionRegistry {
  private readonly byProcessId = new Map<number, SessionEntry>();
  private readonly listeners = new Map<string, Set<SessionEntry>>();
  private nextProcessId = 1;
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  allocate(): { processId: number; secretKey: number } {
    let processId = this.nextProcessId;
    while (this.byProcessId.has(processId)) processId = processId >= 0x7fffffff ? 1 : processId + 1;
    this.nextProcessId = processId >= 0x7fffffff ? 1 : processId + 1;
    const bytes = this.random.bytes(4);
    const secretKey = new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0);
    return { processId, secretKey };
  }

  add(entry: SessionEntry): void {
    this.byProcessId.set(entry.processId, entry);
  }

  remove(entry: SessionEntry): void {
    this.byProcessId.delete(entry.processId);
    this.unlistenAll(entry);
  }

  get(processId: number): SessionEntry | undefined {
    return this.byProcessId.get(processId);
  }

  get size(): number {
    return this.byProcessId.size;
  }

  all(): Iterable<SessionEntry> {
    return this.byProcessId.values();
  }

  countOf(userOid: Oid): number {
    let count = 0;
    for (const entry of this.byProcessId.values()) if (entry.userOid === userOid) count++;
    return count;
  }

  countInDatabase(databaseOid: Oid): number {
    let count = 0;
    for (const entry of this.byProcessId.values()) if (entry.databaseOid === databaseOid) count++;
    return count;
  }

  /** Does nothing unless both numbers match a session. */
  cancel(processId: number, secretKey: number): void {
    const entry = this.byProcessId.get(processId);
    if (entry !== undefined && ((entry.secretKey ^ secretKey) | 0) === 0) entry.cancel();
  }

  listen(entry: SessionEntry, channel: string): void {
    let set = this.listeners.get(channel);
    if (set === undefined) this.listeners.set(channel, (set = new Set()));
    set.add(entry);
  }

  unlisten(entry: SessionEntry, channel: string): void {
    const set = this.listeners.get(channel);
    if (set?.delete(entry) && set.size === 0) this.listeners.delete(channel);
  }

  unlistenAll(entry: SessionEntry): void {
    for (const channel of this.channelsOf(entry)) this.unlisten(entry, channel);
  }

  channelsOf(entry: SessionEntry): string[] {
    const channels: string[] = [];
    for (const [channel, set] of this.listeners) if (set.has(entry)) channels.push(channel);
    return channels;
  }

  /** Reaches the listeners of the sender's database. */
  notify(sender: SessionEntry, channel: string, payload: string): void {
    const set = this.listeners.get(channel);
    if (set === undefined) return;
    for (const entry of set)
      if (entry.databaseOid === sender.databaseOid) entry.deliver(sender.processId, channel, payload);
  }
}
