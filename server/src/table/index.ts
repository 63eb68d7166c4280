/** What other rooms import from here. */
export type * from './contract.ts';
export { SYSTEM_COLUMN } from './contract.ts';
export { type OpenedStore, openMemoryStore } from './open.ts';
export { rowOfTid, tidOfRow } from './scan.ts';
