/** Rows of one result, drawn only where they are looked at; pages beyond the first come from the server as they are reached. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { api, type Cell, type StatementResult } from '../../api/client.ts';

const ROW_PIXELS = 28;
const PAGE_ROWS = 500;
const NUMBER_TYPES = new Set([20, 21, 23, 26, 700, 701, 1700]);

export function ResultGrid({ result }: { result: StatementResult }) {
  const scroll = useRef<HTMLDivElement>(null);
  const [pages, setPages] = useState<ReadonlyMap<number, readonly (readonly Cell[])[]>>(() => new Map());
  const asked = useRef(new Set<number>());
  const kept = result.isTruncated ? Math.min(result.rowCount, 1_000_000) : result.rowCount;
  const rows = useVirtualizer({
    count: kept,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
  });
  const visible = rows.getVirtualItems();
  const first = visible[0]?.index ?? 0;
  const last = visible[visible.length - 1]?.index ?? 0;

  useEffect(() => {
    for (let page = Math.floor(first / PAGE_ROWS); page <= Math.floor(last / PAGE_ROWS); page++) {
      if ((page + 1) * PAGE_ROWS <= result.rows.length || asked.current.has(page) || page * PAGE_ROWS >= kept)
        continue;
      if (page === 0 && result.rows.length >= Math.min(PAGE_ROWS, kept)) continue;
      asked.current.add(page);
      api.rows(result.id, page * PAGE_ROWS, PAGE_ROWS).then(
        (answer) => setPages((old) => new Map(old).set(page, answer.rows)),
        () => asked.current.delete(page),
      );
    }
  }, [first, last, result, kept]);

  const rowAt = (index: number): readonly Cell[] | undefined =>
    result.rows[index] ?? pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  const template = `4rem repeat(${result.columns.length}, minmax(8rem, 1fr))`;
  const width = `max(100%, ${4 + result.columns.length * 10}rem)`;

  return (
    <div
      ref={scroll}
      role="grid"
      aria-rowcount={kept + 1}
      aria-colcount={result.columns.length}
      className="h-full overflow-auto"
    >
      <div
        role="row"
        aria-rowindex={1}
        className="sticky top-0 z-10 grid border-b border-(--line) bg-(--raised)"
        style={{ gridTemplateColumns: template, width }}
      >
        <span className="px-2 py-1 text-right text-(--muted)">#</span>
        {result.columns.map((column, index) => (
          <span
            role="columnheader"
            key={index}
            className="truncate px-2 py-1 font-semibold"
            title={column.typeName}
          >
            {column.name} <span className="font-normal text-(--muted)">{column.typeName}</span>
          </span>
        ))}
      </div>
      <div style={{ height: rows.getTotalSize(), width, position: 'relative' }}>
        {visible.map((item) => (
          <Row
            key={item.key}
            index={item.index}
            top={item.start}
            template={template}
            cells={rowAt(item.index)}
            result={result}
          />
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  index: number;
  top: number;
  template: string;
  cells: readonly Cell[] | undefined;
  result: StatementResult;
}

function Row({ index, top, template, cells, result }: RowProps) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="mono absolute left-0 grid w-full border-b border-(--line)"
      style={{ gridTemplateColumns: template, height: ROW_PIXELS, transform: `translateY(${top}px)` }}
    >
      <span className="px-2 py-1 text-right text-(--muted)">{index + 1}</span>
      {result.columns.map((column, at) => {
        const value = cells?.[at];
        const alignment = NUMBER_TYPES.has(column.typeOid) ? 'text-right' : '';
        return (
          <span
            role="gridcell"
            key={at}
            className={`truncate px-2 py-1 ${alignment}`}
            title={value ?? undefined}
          >
            {value === undefined ? '…' : value === null ? <em className="text-(--null)">NULL</em> : value}
          </span>
        );
      })}
    </div>
  );
}
