/** The window functions that are not aggregates. */
import { DbError } from '../../base/error.ts';
import type { Datum } from '../../types/datum.ts';
import type { BoundWindowFunction, WindowFunction, WindowPartition } from './contract.ts';

/** A window function from a factory of its per-row function; the state lives in the closure. */
function windowFunction(
  usesFrame: boolean,
  begin: (partition: WindowPartition) => (row: number) => Datum,
): WindowFunction {
  return {
    usesFrame,
    make: (): BoundWindowFunction => {
      let value: (row: number) => Datum = () => null;
      return {
        start: (partition) => {
          value = begin(partition);
        },
        value: (_partition, row) => value(row),
      };
    },
  };
}

/** Calls `change` at each first row of a peer group. */
function onPeerGroups(partition: WindowPartition, change: (row: number) => void): (row: number) => void {
  return (row) => {
    if (row === 0 || !partition.arePeers(row - 1, row)) change(row);
  };
}

const rank = (result: (rank: number, rowCount: number) => Datum): WindowFunction =>
  windowFunction(false, (partition) => {
    let current = 1;
    const advance = onPeerGroups(partition, (row) => {
      current = row + 1;
    });
    return (row) => {
      advance(row);
      return result(current, partition.rowCount);
    };
  });

/** lag (direction -1) and lead (1): offset is argument 1, default argument 2, when the call has them. */
function shifted(direction: -1 | 1, hasOffset: boolean, hasDefault: boolean): WindowFunction {
  return windowFunction(false, (partition) => (row) => {
    let offset = 1;
    if (hasOffset) {
      const given = partition.argument(1, row);
      if (given === null) return null;
      offset = given as number;
    }
    const target = row + direction * offset;
    if (target >= 0 && target < partition.rowCount) return partition.argument(0, target);
    return hasDefault ? partition.argument(2, row) : null;
  });
}

/** The n-th row of the frame (from 0), skipping excluded rows; -1 when there is none. */
function frameRow(partition: WindowPartition, row: number, n: number, isFromEnd: boolean): number {
  const start = partition.frameStart(row);
  const end = partition.frameEnd(row);
  if (isFromEnd) {
    for (let candidate = end - 1; candidate >= start; candidate--) {
      if (!partition.isExcluded(row, candidate) && n-- === 0) return candidate;
    }
  } else {
    for (let candidate = start; candidate < end; candidate++) {
      if (!partition.isExcluded(row, candidate) && n-- === 0) return candidate;
    }
  }
  return -1;
}

const ofFrame = (isFromEnd: boolean): WindowFunction =>
  windowFunction(true, (partition) => (row) => {
    const found = frameRow(partition, row, 0, isFromEnd);
    return found < 0 ? null : partition.argument(0, found);
  });

export const windowFunctions: Record<string, WindowFunction> = {
  window_row_number: windowFunction(false, () => (row) => BigInt(row + 1)),
  window_rank: rank((current) => BigInt(current)),
  window_dense_rank: windowFunction(false, (partition) => {
    let current = 0;
    const advance = onPeerGroups(partition, () => {
      current++;
    });
    return (row) => {
      advance(row);
      return BigInt(current);
    };
  }),
  window_percent_rank: rank((current, rowCount) => (rowCount <= 1 ? 0 : (current - 1) / (rowCount - 1))),
  window_cume_dist: windowFunction(false, (partition) => {
    let through = 0;
    return (row) => {
      if (row >= through) {
        through = row + 1;
        while (through < partition.rowCount && partition.arePeers(row, through)) through++;
      }
      return through / partition.rowCount;
    };
  }),
  window_ntile: windowFunction(false, (partition) => {
    let buckets: number | null = null;
    return (row) => {
      if (row === 0) {
        buckets = partition.argument(0, 0) as number | null;
        if (buckets !== null && buckets <= 0) {
          throw new DbError(
            'invalid_argument_for_ntile_function',
            'argument of ntile must be greater than zero',
          );
        }
      }
      if (buckets === null) return null;
      const size = Math.floor(partition.rowCount / buckets);
      const larger = partition.rowCount % buckets;
      const inLarger = larger * (size + 1);
      return row < inLarger
        ? Math.floor(row / (size + 1)) + 1
        : larger + Math.floor((row - inLarger) / size) + 1;
    };
  }),
  window_lag: shifted(-1, false, false),
  window_lag_with_offset: shifted(-1, true, false),
  window_lag_with_offset_and_default: shifted(-1, true, true),
  window_lead: shifted(1, false, false),
  window_lead_with_offset: shifted(1, true, false),
  window_lead_with_offset_and_default: shifted(1, true, true),
  window_first_value: ofFrame(false),
  window_last_value: ofFrame(true),
  window_nth_value: windowFunction(true, (partition) => (row) => {
    const n = partition.argument(1, row) as number | null;
    if (n === null) return null;
    if (n <= 0)
      throw new DbError(
        'invalid_argument_for_nth_value_function',
        'argument of nth_value must be greater than zero',
      );
    const found = frameRow(partition, row, n - 1, false);
    return found < 0 ? null : partition.argument(0, found);
  }),
};
