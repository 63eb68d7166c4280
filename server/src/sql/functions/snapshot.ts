/** Parts of transaction snapshots, distances of log positions, and ranges of enum labels. */
import { DbError } from '../../base/error.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { numericFromInteger } from '../../types/numeric-text.ts';
import { lsnValue } from '../../types/scalars.ts';
import { parseSnapshot } from '../../types/snapshot.ts';
import type { CallSite, FunctionContext, SetFunction } from './contract.ts';
import { boundTable, type FunctionTable, pureTable, setFunction } from './registry.ts';

function isVisible(written: bigint, text: string): boolean {
  const id = BigInt.asUintN(64, written);
  const { xmin, xmax, running } = parseSnapshot(text);
  if (id < xmin) return true;
  return id < xmax && !running.includes(id);
}

/** Labels from `low` to `high` (null: the first, the last). */
function enumRange(context: FunctionContext, site: CallSite, low: Datum, high: Datum): SqlArray {
  const type = site.argumentTypes[0]!;
  const labels = context.typeSupport(type).enumLabels?.();
  if (labels === undefined)
    throw new DbError('feature_not_supported', 'could not determine actual enum type');
  const from = low === null ? 0 : labels.indexOf(low as string);
  const to = high === null ? labels.length : labels.indexOf(high as string) + 1;
  return new SqlArray(type, labels.slice(from, to));
}

export const snapshotFunctions: FunctionTable = {
  ...pureTable({
    pg_snapshot_xmin: (text: string) => parseSnapshot(text).xmin,
    pg_snapshot_xmax: (text: string) => parseSnapshot(text).xmax,
    pg_visible_in_snapshot: isVisible,
    pg_wal_lsn_diff: (left: string, right: string) => numericFromInteger(lsnValue(left) - lsnValue(right)),
  }),
  ...boundTable({
    enum_range_all: (context, site) => () => enumRange(context, site, null, null),
    enum_range_bounds: (context, site) => (low: Datum, high: Datum) => enumRange(context, site, low, high),
  }),
};

export const snapshotSetFunctions: Readonly<Record<string, SetFunction>> = {
  pg_snapshot_xip: setFunction(false, () => (text: string) => parseSnapshot(text).running),
};
