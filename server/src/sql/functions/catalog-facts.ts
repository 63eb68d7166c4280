/** Set-returning functions over facts that are the same in every database. */
import keywords from '../../catalog/data/keyword-list.json' with { type: 'json' };
import type { Datum, SqlArray } from '../../types/datum.ts';
import type { SetFunction } from './contract.ts';

const CATEGORY: Readonly<Record<string, string>> = {
  U: 'unreserved',
  C: 'unreserved (cannot be function or type name)',
  T: 'reserved (can be function or type name)',
  R: 'reserved',
};

/** information_schema._pg_expandarray has no C source, so it is found by its oid. */
const EXPAND_ARRAY = '#13208';

export const catalogFactFunctions: Readonly<Record<string, SetFunction>> = {
  pg_get_keywords: {
    columns: true,
    make: () => () =>
      (keywords as string[]).map((line): readonly Datum[] => {
        const [word, category, bare] = line.split(' ') as [string, string, string];
        const isBare = bare === 't';
        return [word, category, isBare, CATEGORY[category]!, isBare ? 'can be bare label' : 'requires AS'];
      }),
  },
  [EXPAND_ARRAY]: {
    columns: true,
    make: () => (array) =>
      array === null || array === undefined
        ? []
        : (array as SqlArray).elements.map((element, index): readonly Datum[] => [element, index + 1]),
  },
};
