/** What other rooms import from here. */
export type * from './contract.ts';
export { SYSTEM_COLUMN } from './contract.ts';
export { type OpenedStore, type OpenOptions, openMemoryStore, openTableStore } from './open.ts';
export type { RecoveryReport } from './recovery.ts';
export { rowOfTid, tidOfRow } from './scan.ts';
