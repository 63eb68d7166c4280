/** What the editor completes from: tables with columns, functions, foreign keys; read in the background, one answer may be missing. */
import { useMemo } from 'react';
import { useApi } from '../../api/useApi.ts';
import type { CompletionCatalog } from '../../lib/sql/complete.ts';

const STALE_MILLIS = 60_000;

export function useCatalog(isEnabled: boolean): { catalog: CompletionCatalog; refresh: () => void } {
  const schema = useApi('GET /schema', {}, { isEnabled, staleMillis: STALE_MILLIS });
  const more = useApi('GET /catalog/completion', {}, { isEnabled, staleMillis: STALE_MILLIS * 5 });
  const catalog = useMemo(
    (): CompletionCatalog => ({
      tables: schema.data?.tables ?? [],
      functions: more.data?.functions ?? [],
      foreignKeys: more.data?.foreignKeys ?? [],
      types: more.data?.types ?? [
        'integer',
        'bigint',
        'text',
        'numeric',
        'boolean',
        'date',
        'timestamptz',
        'jsonb',
        'uuid',
      ],
      settings: more.data?.settings ?? [],
      searchPath: more.data?.searchPath ?? ['public'],
    }),
    [schema.data, more.data],
  );
  const refresh = (): void => {
    void schema.refetch();
    void more.refetch();
  };
  return { catalog, refresh };
}
