/** A dense table of a list: sortable columns, a row that can be opened, its own scroll in both directions. */
import { type ReactNode, useMemo, useState } from 'react';
import { t } from '../lib/messages.ts';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** What the column sorts by; without it the column does not sort. */
  readonly sort?: (row: Row) => number | string;
  readonly isNumber?: boolean;
  readonly isMono?: boolean;
  readonly className?: string;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  onOpen?: (row: Row) => void;
  selected?: string | null;
  /** Column and direction at first. */
  initialSort?: { readonly column: string; readonly isDescending: boolean };
  empty?: ReactNode;
}

export function DataTable<Row>({
  label,
  rows,
  columns,
  keyOf,
  onOpen,
  selected,
  initialSort,
  empty,
}: Props<Row>) {
  const [sort, setSort] = useState(initialSort ?? null);
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.id === sort?.column)?.sort;
    if (sort === null || by === undefined) return rows;
    const sign = sort.isDescending ? -1 : 1;
    return [...rows].sort((left, right) => {
      const a = by(left);
      const b = by(right);
      return (
        sign * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b)))
      );
    });
  }, [rows, columns, sort]);
  if (rows.length === 0) return <div className="p-3 text-(--muted)">{empty ?? t('Nothing here.')}</div>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className="overflow-auto" aria-label={label} tabIndex={0}>
      <table className="w-full border-collapse text-left">
        <thead className="sticky top-0 z-1 bg-(--raised)">
          <tr>
            {columns.map((column) => {
              const isSorted = sort?.column === column.id;
              return (
                <th
                  key={column.id}
                  scope="col"
                  aria-sort={isSorted ? (sort.isDescending ? 'descending' : 'ascending') : undefined}
                  className={`border-b border-(--line) px-2 py-1 font-normal whitespace-nowrap text-(--muted) ${column.isNumber === true ? 'text-right' : ''}`}
                >
                  {column.sort === undefined ? (
                    column.title === '' ? (
                      <span className="sr-only">{t('More')}</span>
                    ) : (
                      column.title
                    )
                  ) : (
                    <button
                      type="button"
                      className="min-h-6 hover:text-(--text)"
                      onClick={() =>
                        setSort({
                          column: column.id,
                          isDescending: isSorted ? !sort.isDescending : column.isNumber === true,
                        })
                      }
                    >
                      {column.title}
                      {isSorted ? (sort.isDescending ? ' ↓' : ' ↑') : ''}
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => {
            const key = keyOf(row);
            return (
              <tr
                key={key}
                aria-selected={selected === undefined ? undefined : selected === key}
                className={`border-b border-(--line) align-top hover:bg-(--raised) ${selected === key ? 'bg-(--accent-surface)' : ''}`}
              >
                {columns.map((column, at) => (
                  <td
                    key={column.id}
                    className={`px-2 py-1 ${column.isNumber === true ? 'text-right whitespace-nowrap' : ''} ${column.isMono === true ? 'mono' : ''} ${column.className ?? ''}`}
                  >
                    {at === 0 && onOpen !== undefined ? (
                      <button
                        type="button"
                        onClick={() => onOpen(row)}
                        className="max-w-full min-h-6 text-left text-(--accent) hover:underline"
                      >
                        {column.cell(row)}
                      </button>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
