/**
 * Schemas and their relations. Only the rows in view are drawn and only the pages reached are read, so that 100,000 tables open
 * as quickly as ten. Arrow keys move, Enter opens, typing in the field above searches on the server.
 */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { request, type SchemaEntry, type TreeEntry } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatCount, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate } from '../../lib/router.ts';
import { useStored } from '../../lib/storage.ts';
import { CheckField, TextField } from '../../ui/fields.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { KIND_MARKS, kindName } from './kinds.ts';

const ROW_PIXELS = 24;
const PAGE = 1000;

type TreeRow =
  | { readonly type: 'schema'; readonly schema: SchemaEntry; readonly isOpen: boolean }
  | { readonly type: 'relation'; readonly relation: TreeEntry }
  | { readonly type: 'more'; readonly schema: string };

function useRelations(schema: string | null, search: string, isEnabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['tree', schema, search],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      request('GET /catalog/tree', {
        query: {
          limit: PAGE,
          ...(schema === null ? {} : { schema }),
          ...(search === '' ? {} : { search }),
          ...(pageParam === '' ? {} : { after: pageParam }),
        },
        signal,
      }),
    getNextPageParam: (page) => page.next ?? undefined,
    enabled: isEnabled,
    staleTime: 30_000,
  });
}

export function SchemaTree({ selected }: { selected: { schema: string; name: string } | null }) {
  const [search, setSearch] = useState('');
  const [hasSystem, setHasSystem] = useStored('tree.system', false);
  const [open, setOpen] = useStored<string | null>('tree.open', 'public');
  const [active, setActive] = useState(0);
  const wanted = useDeferredValue(search.trim());
  const schemas = useApi('GET /catalog/schemas', {}, { staleMillis: 30_000 });
  const relations = useRelations(wanted === '' ? open : null, wanted, wanted !== '' || open !== null);
  const scroll = useRef<HTMLDivElement>(null);

  const rows = useMemo((): TreeRow[] => {
    const loaded = relations.data?.pages.flatMap((page) => page.relations) ?? [];
    const list: TreeRow[] = loaded.map((relation) => ({ type: 'relation', relation }));
    if (relations.hasNextPage) list.push({ type: 'more', schema: open ?? '' });
    if (wanted !== '') return list;
    return (schemas.data?.schemas ?? [])
      .filter((schema) => hasSystem || !schema.isSystem)
      .flatMap((schema): TreeRow[] => [
        { type: 'schema', schema, isOpen: schema.name === open },
        ...(schema.name === open ? list : []),
      ]);
  }, [schemas.data, relations.data, relations.hasNextPage, open, wanted, hasSystem]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 10,
  });
  const items = virtual.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = relations;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && rows.slice(0, last + 30).some((row) => row.type === 'more'))
      void fetchNextPage();
  }, [rows, last, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const activate = (row: TreeRow | undefined): void => {
    if (row?.type === 'schema') {
      setOpen(row.isOpen ? null : row.schema.name);
      if (!row.isOpen) navigate(['tables', row.schema.name]);
    } else if (row?.type === 'relation') navigate(['tables', row.relation.schema, row.relation.name]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[active];
    const goal =
      event.key === 'ArrowDown'
        ? active + 1
        : event.key === 'ArrowUp'
          ? active - 1
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? rows.length - 1
              : null;
    if (goal !== null) {
      const next = Math.max(0, Math.min(rows.length - 1, goal));
      setActive(next);
      virtual.scrollToIndex(next);
    } else if (event.key === 'Enter' || event.key === ' ') activate(row);
    else if (event.key === 'ArrowRight' && row?.type === 'schema' && !row.isOpen) activate(row);
    else if (event.key === 'ArrowLeft' && row?.type === 'schema' && row.isOpen) setOpen(null);
    else return;
    event.preventDefault();
  };
  return (
    <div className="flex h-full min-h-0 flex-col border-r border-(--line)">
      <div className="flex flex-col gap-1 border-b border-(--line) p-2">
        <TextField
          label={t('Search tables')}
          isLabelHidden
          type="search"
          placeholder={t('Search tables')}
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') activate(rows.find((row) => row.type === 'relation'));
            else if (event.key === 'ArrowDown') scroll.current?.focus();
          }}
        />
        <CheckField
          label={t('System schemas')}
          checked={hasSystem}
          onChange={(event) => setHasSystem(event.target.checked)}
        />
      </div>
      {schemas.isPending ? (
        <Loading />
      ) : schemas.isError ? (
        <Failure error={schemas.error} onRetry={() => void schemas.refetch()} />
      ) : (
        <div
          ref={scroll}
          role="tree"
          aria-label={t('Schemas and tables')}
          aria-activedescendant={rows[active] === undefined ? undefined : `tree-${active}`}
          tabIndex={0}
          onKeyDown={onKeyDown}
          className="min-h-0 flex-1 overflow-auto outline-offset-[-2px]"
        >
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
            {items.map((item) => {
              const row = rows[item.index];
              const isSelected =
                row.type === 'relation' &&
                row.relation.name === selected?.name &&
                row.relation.schema === selected.schema;
              return (
                <div
                  key={item.key}
                  id={`tree-${item.index}`}
                  role="treeitem"
                  aria-level={row.type === 'schema' || wanted !== '' ? 1 : 2}
                  aria-expanded={row.type === 'schema' ? row.isOpen : undefined}
                  aria-selected={isSelected}
                  onClick={() => {
                    setActive(item.index);
                    activate(row);
                  }}
                  className={`absolute left-0 flex w-full cursor-pointer items-center gap-1.5 px-2 ${isSelected ? 'bg-(--accent-surface)' : 'hover:bg-(--raised)'} ${item.index === active ? 'shadow-[inset_2px_0_0_var(--accent)]' : ''}`}
                  style={{ height: ROW_PIXELS, transform: `translateY(${item.start}px)` }}
                >
                  {row.type === 'schema' ? (
                    <>
                      <span aria-hidden="true">{row.isOpen ? '▾' : '▸'}</span>
                      <span className="min-w-0 flex-1 truncate font-semibold">{row.schema.name}</span>
                      <span className="text-xs text-(--muted)">{formatCount(row.schema.relations)}</span>
                    </>
                  ) : row.type === 'relation' ? (
                    <>
                      <span
                        aria-hidden="true"
                        className={`text-(--muted) ${wanted === '' ? 'ml-4' : ''}`}
                        title={kindName(row.relation.kind)}
                      >
                        {KIND_MARKS[row.relation.kind] ?? '·'}
                      </span>
                      <span className="min-w-0 flex-1 truncate">
                        {wanted !== '' && <span className="text-(--muted)">{row.relation.schema}.</span>}
                        {row.relation.name}
                      </span>
                      {row.relation.estimatedRows > 0 && (
                        <span className="text-xs text-(--muted)">
                          {formatShort(row.relation.estimatedRows)}
                        </span>
                      )}
                    </>
                  ) : (
                    <span className="ml-4 text-(--muted)">{t('more …')}</span>
                  )}
                </div>
              );
            })}
          </div>
          {relations.isError && <Failure error={relations.error} onRetry={() => void relations.refetch()} />}
          {wanted !== '' && rows.length === 0 && !relations.isPending && (
            <p className="m-0 p-2 text-(--muted)">{t('Nothing has that name.')}</p>
          )}
        </div>
      )}
    </div>
  );
}
