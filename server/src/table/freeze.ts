/**
 * Freezing: rows that everybody sees lose their xid, so that the commit table can forget it.
 *
 * Base       the window's new base is the oldest xid that may still be named: that of any undecided transaction or unfinished
 *            rollback, or of any version that is not yet visible to all.
 */
import { FROZEN_XID, type Xid } from '../base/brands.ts';
import type { TableStoreImplementation } from './store.ts';

const ROWS_PER_SLICE = 16384;

/** Walks all delta rows in slices and advances the base of the commit table. */
export async function freezeTables(store: TableStoreImplementation): Promise<void> {
  const { commits, transactions } = store;
  const horizonLow = store.horizon() | 0;
  let oldest: number = transactions.oldestUndecidedXid();
  const note = (low: number): void => {
    oldest = Math.min(oldest, commits.fullXid(low));
  };
  let seen = 0;
  for (const table of store.allRowStores()) {
    for (const region of [...table.slotRegions]) {
      if (region === undefined) continue;
      for (let offset = 0; offset < region.used; offset++) {
        const chunk = region.chunk(offset);
        if (chunk === undefined) break;
        const index = offset - chunk.start;
        const xmin = chunk.xmin[index];
        if (xmin !== 0 && xmin !== FROZEN_XID) {
          if (commits.isCommittedAt(xmin, horizonLow)) chunk.xmin[index] = FROZEN_XID;
          else note(xmin);
        }
        const xmax = chunk.xmax[index];
        if (xmin !== 0 && xmax !== 0) {
          if (commits.isAborted(xmax)) chunk.xmax[index] = 0;
          else note(xmax);
        }
        if (++seen % ROWS_PER_SLICE === 0) await store.yieldToLoop();
      }
    }
    for (const region of table.regions) {
      if (region === undefined || region.kind !== 'base' || region.owner === 0) continue;
      if (commits.isCommittedAt(region.owner | 0, horizonLow)) region.owner = 0 as Xid;
      else if (!region.isDropped) oldest = Math.min(oldest, region.owner);
    }
  }
  // Transactions that began meanwhile have newer xids than any seen here.
  if (oldest > commits.baseXid) commits.advanceBase(oldest as Xid);
}
