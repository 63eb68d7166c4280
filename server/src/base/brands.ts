/** Branded integers, so that two kinds of number cannot be swapped. All are JavaScript numbers proved below 2^53. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Position in the write-ahead log in bytes since its beginning (2^53 bytes are 9 PB). */
export type Lsn = Brand<number, 'Lsn'>;
/** Transaction id, counted from 3 (0 invalid, 1 bootstrap, 2 frozen), never reused; top-level and sub-transactions share it. */
export type Xid = Brand<number, 'Xid'>;
/** Commit sequence number: commits in WAL order, counted from 1. A snapshot sees every sequence at or below its own. */
export type CommitSequence = Brand<number, 'CommitSequence'>;
/** Address of a row within its table: segment number * 65536 + offset. Stable until compaction. */
export type RowId = Brand<number, 'RowId'>;
/** Catalog object id (unsigned 32 bit). */
export type Oid = number;

export const INVALID_XID = 0 as Xid;
export const BOOTSTRAP_XID = 1 as Xid;
export const FROZEN_XID = 2 as Xid;
export const FIRST_NORMAL_XID = 3 as Xid;
