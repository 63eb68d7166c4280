import { t } from '../../lib/messages.ts';

/** What pg_class.relkind means, in a word. */
export function kindName(kind: string): string {
  switch (kind) {
    case 'r':
      return t('table');
    case 'v':
      return t('view');
    case 'm':
      return t('materialized view');
    case 'p':
      return t('partitioned table');
    case 'f':
      return t('foreign table');
    case 'S':
      return t('sequence');
    case 'i':
    case 'I':
      return t('index');
    default:
      return kind;
  }
}

export const KIND_MARKS: Readonly<Record<string, string>> = {
  r: '▦',
  v: '◇',
  m: '◈',
  p: '▤',
  f: '▧',
  S: '№',
};
