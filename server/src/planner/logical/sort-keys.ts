/** Lists of sort keys. */
import type { SortKey } from '../../sql/tree.ts';
import { expressionKey } from '../expression/key.ts';

/** Later keys equal to an earlier one change nothing. */
export function dedupe(keys: SortKey[]): SortKey[] {
  const seen = new Set<string>();
  return keys.filter((key) => {
    const text = expressionKey(key.expr);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
