/** Builds the transaction manager and the table store. */
import { setElementTypes } from '../index/key-codec.ts';
import { TransactionManagerImplementation } from '../txn/manager.ts';
import type { TurnClock } from '../txn/ports.ts';
import type { TypeSupport } from '../types/contract.ts';
import { type StoreClock, TableStoreImplementation } from './store.ts';

/** The pair that catalog and executor work with. */
export interface OpenedStore {
  readonly transactions: TransactionManagerImplementation;
  readonly store: TableStoreImplementation;
  /** Final checkpoint; the store is unusable afterwards. */
  shutdown(): Promise<void>;
}

/** A store without any disk: for tests and for tools that need tables for a moment. */
export function openMemoryStore(options: {
  clock: TurnClock & StoreClock;
  typeSupport: (oid: number) => TypeSupport;
}): OpenedStore {
  setElementTypes(options.typeSupport);
  const transactions = new TransactionManagerImplementation({ clock: options.clock });
  const store = new TableStoreImplementation(transactions, options.clock);
  return { transactions, store, shutdown: async () => {} };
}
