import { formatCount } from './format.ts';
import { t } from './messages.ts';

/** `1 row`, `1,234 rows`. */
export function rowsText(count: number | string): string {
  return String(count) === '1' ? t('1 row') : t('{count} rows', { count: formatCount(count) });
}
