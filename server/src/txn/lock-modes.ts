/** PostgreSQL's table lock modes as bits, and who conflicts with whom (manual 13.3, table 13.2). */
import type { RowLockMode, TableLockMode } from './contract.ts';

/** Bit number of each mode. */
export const MODE_NUMBER: Record<TableLockMode, number> = {
  AccessShare: 0,
  RowShare: 1,
  RowExclusive: 2,
  ShareUpdateExclusive: 3,
  Share: 4,
  ShareRowExclusive: 5,
  Exclusive: 6,
  AccessExclusive: 7,
};

export const MODE_NAMES: readonly string[] = Object.keys(MODE_NUMBER).map((name) => `${name}Lock`);

const bits = (...modes: TableLockMode[]): number =>
  modes.reduce((mask, mode) => mask | (1 << MODE_NUMBER[mode]), 0);

/** Mask of modes that conflict with the mode of that number. */
export const MODE_CONFLICTS: readonly number[] = [
  bits('AccessExclusive'),
  bits('Exclusive', 'AccessExclusive'),
  bits('Share', 'ShareRowExclusive', 'Exclusive', 'AccessExclusive'),
  bits('ShareUpdateExclusive', 'Share', 'ShareRowExclusive', 'Exclusive', 'AccessExclusive'),
  bits('RowExclusive', 'ShareUpdateExclusive', 'ShareRowExclusive', 'Exclusive', 'AccessExclusive'),
  bits('RowExclusive', 'ShareUpdateExclusive', 'Share', 'ShareRowExclusive', 'Exclusive', 'AccessExclusive'),
  bits(
    'RowShare',
    'RowExclusive',
    'ShareUpdateExclusive',
    'Share',
    'ShareRowExclusive',
    'Exclusive',
    'AccessExclusive',
  ),
  255,
];

const ROW_NUMBER: Record<RowLockMode, number> = { KeyShare: 0, Share: 1, NoKeyUpdate: 2, Update: 3 };
/** Manual 13.3, table 13.3: mask of conflicting row modes. */
const ROW_CONFLICTS = [0b1000, 0b1100, 0b1110, 0b1111];

export function rowModesConflict(left: RowLockMode, right: RowLockMode): boolean {
  return ((ROW_CONFLICTS[ROW_NUMBER[left]] >> ROW_NUMBER[right]) & 1) === 1;
}

/** True if holding `held` makes asking for `wanted` superfluous. */
export function rowModeCovers(held: RowLockMode, wanted: RowLockMode): boolean {
  return ROW_NUMBER[held] >= ROW_NUMBER[wanted];
}
