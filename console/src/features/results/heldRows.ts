/** Rows of a result that the server holds: pages are fetched as they come into view, in the order and with the filter that is shown. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type BodyOf, type Cell, request, type StatementResult } from '../../api/client.ts';

export type ResultSort = NonNullable<BodyOf<'POST /rows'>['sort']>;
export type ResultFilter = NonNullable<BodyOf<'POST /rows'>['filter']>;

const PAGE_ROWS = 500;
/** Pages kept in the browser; the oldest go first. */
const PAGES_MAX = 200;
/** A thumb that is dragged passes many pages; only where it rests is fetched. */
const REST_MILLIS = 40;

export interface HeldRows {
  readonly rowCount: number;
  readonly cellAt: (row: number, column: number) => Cell | undefined;
  readonly onView: (first: number, end: number) => void;
  readonly error: unknown;
  /** Rows of a range, fetched where needed. */
  readonly read: (first: number, end: number) => Promise<readonly (readonly Cell[])[]>;
}

export function useHeldRows(result: StatementResult, sort: ResultSort, filter: ResultFilter): HeldRows {
  const isPlain = sort.length === 0 && filter.length === 0;
  const key = JSON.stringify([result.id, sort, filter]);
  const pages = useRef(new Map<number, readonly (readonly Cell[])[]>());
  const asked = useRef(new Set<number>());
  const timer = useRef(0);
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [total, setTotal] = useState<number | null>(null);
  const shownKey = useRef(key);
  const kept = result.isTruncated ? Math.max(result.rows.length, Math.min(result.rowCount, 1_000_000)) : result.rowCount;

  const fetchPage = useCallback(
    async (page: number): Promise<void> => {
      if (asked.current.has(page)) return;
      asked.current.add(page);
      try {
        const answer = await request('POST /rows', {
          body: { id: result.id, offset: page * PAGE_ROWS, limit: PAGE_ROWS, ...(isPlain ? {} : { sort, filter }) },
        });
        if (shownKey.current !== key) return;
        pages.current.set(page, answer.rows);
        if (pages.current.size > PAGES_MAX) {
          const oldest = pages.current.keys().next();
          if (!oldest.done) {
            pages.current.delete(oldest.value);
            asked.current.delete(oldest.value);
          }
        }
        if (!isPlain) setTotal(answer.total ?? null);
        setError(null);
        setVersion((old) => old + 1);
      } catch (failure) {
        asked.current.delete(page);
        if (shownKey.current === key) setError(failure);
      }
    },
    [key, result.id, isPlain, sort, filter],
  );

  useEffect(() => {
    shownKey.current = key;
    pages.current.clear();
    asked.current.clear();
    setTotal(null);
    setError(null);
    setVersion((old) => old + 1);
    if (!isPlain) void fetchPage(0);
  }, [key, isPlain, fetchPage]);

  const onView = useCallback(
    (first: number, end: number): void => {
      clearTimeout(timer.current);
      timer.current = window.setTimeout(() => {
        for (let page = Math.floor(first / PAGE_ROWS); page * PAGE_ROWS < end; page++) {
          const lastRow = Math.min(kept, (page + 1) * PAGE_ROWS);
          if (isPlain && lastRow <= result.rows.length) continue;
          void fetchPage(page);
        }
      }, REST_MILLIS);
    },
    [fetchPage, isPlain, kept, result.rows.length],
  );

  const cellAt = useMemo(() => {
    void version;
    return (row: number, column: number): Cell | undefined => {
      if (isPlain && row < result.rows.length) return result.rows[row][column];
      return pages.current.get(Math.floor(row / PAGE_ROWS))?.[row % PAGE_ROWS]?.[column];
    };
  }, [version, isPlain, result]);

  const read = useCallback(
    async (first: number, end: number): Promise<readonly (readonly Cell[])[]> => {
      if (isPlain && end <= result.rows.length) return result.rows.slice(first, end);
      const rows: (readonly Cell[])[] = [];
      for (let offset = first; offset < end; offset += 10_000) {
        const answer = await request('POST /rows', {
          body: { id: result.id, offset, limit: Math.min(10_000, end - offset), ...(isPlain ? {} : { sort, filter }) },
        });
        rows.push(...answer.rows);
        if (answer.rows.length === 0) break;
      }
      return rows;
    },
    [isPlain, result, sort, filter],
  );

  return { rowCount: isPlain ? kept : (total ?? 0), cellAt, onView, error, read };
}
