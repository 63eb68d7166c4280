/** Builds the transaction manager and the table store, on a data directory or in memory only. */
import type { CommitSequence, Xid } from '../base/brands.ts';
import type { Clock, Disk, Random, Workers } from '../env/contract.ts';
import { setElementTypes } from '../index/key-codec.ts';
import type { BlockCache } from '../storage/block/cache.ts';
import { MainBlockSource } from '../storage/block/source.ts';
import type { Storage } from '../storage/contract.ts';
import { createStorage, hasDatabase, openStorage } from '../storage/index.ts';
import { TransactionManagerImplementation } from '../txn/manager.ts';
import type { TurnClock } from '../txn/ports.ts';
import type { Checkpointer } from './checkpoint.ts';
import { DEFAULT_SETTINGS, type DurabilitySettings, DurableHalf } from './durability.ts';
import { Maintenance } from './maintenance.ts';
import { Recovery, type RecoveryReport } from './recovery.ts';
import type { TypeResolver } from './schema-codec.ts';
import { type StoreClock, TableStoreImplementation } from './store.ts';

/** The pair that catalog and executor work with. */
export interface OpenedStore {
  readonly transactions: TransactionManagerImplementation;
  readonly store: TableStoreImplementation;
  /** Null for a memory-only store. */
  readonly storage: Storage | null;
  /** True when the directory was empty: the catalog has to be made. */
  readonly isNew: boolean;
  readonly recovery: RecoveryReport | null;
  /** Block cache and checkpoints, for whoever watches; null in memory only. */
  readonly cache: BlockCache | null;
  readonly checkpointer: Checkpointer | null;
  /** Final checkpoint, log and files closed; the store is unusable afterwards. */
  shutdown(): Promise<void>;
}

export interface OpenOptions {
  readonly environment: { readonly disk: Disk; readonly clock: Clock; readonly random: Random };
  /** Support of a type by oid; must know every type a stored column can have. */
  readonly typeSupport: TypeResolver;
  readonly cacheBytes?: number;
  /** Threads that encode segments of bulk loads and checkpoints; without them the main thread does it in slices. */
  readonly encoders?: { readonly workers: Workers; readonly threads: number };
  /** Log segment size; tests use less than 16 MB. */
  readonly logSegmentBytes?: number;
  readonly settings?: Partial<DurabilitySettings>;
  /** The log cannot be written any more: the process must end at once. */
  readonly onFatal: (error: Error) => void;
  readonly onWarning?: (error: Error) => void;
}

/** A store without any disk: for tests and for tools that need tables for a moment. */
export function openMemoryStore(options: {
  clock: TurnClock & StoreClock;
  typeSupport: TypeResolver;
}): OpenedStore {
  setElementTypes(options.typeSupport);
  const transactions = new TransactionManagerImplementation({ clock: options.clock });
  const store = new TableStoreImplementation(transactions, options.clock);
  return {
    transactions,
    store,
    storage: null,
    isNew: true,
    recovery: null,
    cache: null,
    checkpointer: null,
    shutdown: async () => {},
  };
}

/** Opens (or makes) the database in the environment's disk; recovers it when it was not shut down. */
export async function openTableStore(options: OpenOptions): Promise<OpenedStore> {
  const { environment } = options;
  setElementTypes(options.typeSupport);
  const storageOptions = {
    cacheBytes: options.cacheBytes ?? 256 * 1024 * 1024,
    log: { onFatal: options.onFatal, segmentBytes: options.logSegmentBytes },
    encoders: options.encoders,
    onWarning: options.onWarning,
  };
  const isNew = !(await hasDatabase(environment.disk));
  const storage = isNew
    ? await createStorage(environment, storageOptions)
    : await openStorage(environment, storageOptions);
  const { header } = storage.manifest.current;
  const transactions = new TransactionManagerImplementation({
    clock: environment.clock,
    nextXid: Math.max(3, header.nextXid) as Xid,
    sequence: Math.max(1, header.commitSequence) as CommitSequence,
  });
  const store = new TableStoreImplementation(transactions, environment.clock);
  const half = new DurableHalf(storage, store, { ...DEFAULT_SETTINGS, ...options.settings });
  store.durability = half;
  const recovery = isNew ? null : await new Recovery(half, options.typeSupport).run();
  if (isNew) half.checkpointer.noteStart(header.checkpointLsn);
  transactions.attachLog(storage.log);
  if (recovery?.needsCheckpoint === true) await half.checkpoint();
  const maintenance = new Maintenance(half, environment.clock, options.onWarning ?? (() => {}));
  maintenance.start();
  return {
    transactions,
    store,
    storage,
    isNew,
    recovery,
    cache: storage.blocks instanceof MainBlockSource ? storage.blocks.cache : null,
    checkpointer: half.checkpointer,
    shutdown: async () => {
      maintenance.stop();
      await half.checkpointer.run(true);
      await storage.close();
    },
  };
}
