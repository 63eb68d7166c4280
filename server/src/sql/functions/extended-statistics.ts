/** pg_mcv_list_items: most common combinations of extended statistics, row by row (`catalog/statistic-rows.ts` writes them). */
import type { CommonCombination } from '../../catalog/statistic-rows.ts';
import { SqlArray } from '../../types/datum.ts';
import { OID } from '../../types/oid.ts';
import type { SetFunction } from './contract.ts';
import { setFunction } from './registry.ts';

export const extendedStatisticsFunctions: Record<string, SetFunction> = {
  pg_stats_ext_mcvlist_items: setFunction(true, () => (list: string) => {
    const items = JSON.parse(list) as readonly CommonCombination[];
    return items.map(({ values, fraction, baseFraction }, index) => [
      index,
      new SqlArray(OID.TEXT, values),
      new SqlArray(
        OID.BOOL,
        values.map((value) => value === null),
      ),
      fraction,
      baseFraction,
    ]);
  }),
};
