/** One result: grid or chart, with copy, export, sort, filter and the whole of a value. */
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { addressOf, type ExportFormat, type StatementResult } from '../../api/client.ts';
import { formatCount } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { rowsText } from '../../lib/rows-text.ts';
import { COPY_FORMATS, type CopyFormat, formatRows, isNumberType } from '../../lib/rows.ts';
import { Button } from '../../ui/Button.tsx';
import { SelectField } from '../../ui/fields.tsx';
import { type CellPlace, Grid, rangeOf, type Selection } from '../../ui/grid/Grid.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { copyText, toast } from '../../ui/toast.tsx';
import { FilterDialog } from './FilterDialog.tsx';
import { type ResultFilter, type ResultSort, useHeldRows } from './heldRows.ts';
import { ValueDialog } from './ValueDialog.tsx';

const ChartView = lazy(async () => ({ default: (await import('./ChartView.tsx')).ChartView }));
const EXPORT_FORMATS: readonly ExportFormat[] = ['csv', 'tsv', 'json', 'ndjson', 'sql', 'markdown', 'parquet'];
const COPIED_CELLS_MAX = 2_000_000;
const NO_SORT: ResultSort = [];
const NO_FILTER: ResultFilter = [];

export function ResultView({ result }: { result: StatementResult }) {
  const [sort, setSort] = useState<ResultSort>(NO_SORT);
  const [filter, setFilter] = useState<ResultFilter>(NO_FILTER);
  const [mode, setMode] = useState<'grid' | 'chart'>('grid');
  const [selection, setSelection] = useState<Selection | null>(null);
  const [opened, setOpened] = useState<CellPlace | null>(null);
  const [filtered, setFiltered] = useState<number | null>(null);
  const rows = useHeldRows(result, sort, filter);
  const columns = useMemo(
    () =>
      result.columns.map((column, at) => {
        const key = sort.find((one) => one.column === at);
        return {
          name: column.name,
          typeName: column.typeName,
          isNumber: isNumberType(column.typeOid),
          sort: key === undefined ? null : key.descending ? ('descending' as const) : ('ascending' as const),
          isFiltered: filter.some((one) => one.column === at),
        };
      }),
    [result, sort, filter],
  );
  const onHeader = useCallback((column: number, options: { isAdded: boolean }): void => {
    setSort((old) => {
      const key = old.find((one) => one.column === column);
      const others = options.isAdded ? old.filter((one) => one.column !== column) : [];
      // Ascending, descending, as it came.
      if (key === undefined) return [...others, { column, descending: false }];
      return key.descending ? others : [...others, { column, descending: true }];
    });
  }, []);
  const copy = async (chosen: Selection | null, format: CopyFormat): Promise<void> => {
    const range =
      chosen === null ? { top: 0, bottom: rows.rowCount - 1, left: 0, right: columns.length - 1 } : rangeOf(chosen);
    const count = (range.bottom - range.top + 1) * (range.right - range.left + 1);
    if (count > COPIED_CELLS_MAX) {
      toast(t('{count} values are too many for the clipboard; export them instead.', { count: formatCount(count) }), {
        isError: true,
      });
      return;
    }
    try {
      const read = await rows.read(range.top, range.bottom + 1);
      const part = read.map((row) => row.slice(range.left, range.right + 1));
      const isWide = range.top !== range.bottom || range.left !== range.right;
      const text = formatRows(format, result.columns.slice(range.left, range.right + 1), part, {
        hasHeader: chosen === null && isWide,
      });
      await copyText(text, t('{count} values copied.', { count: formatCount(count) }));
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), { isError: true });
    }
  };
  const exportAs = (format: ExportFormat): void => {
    const link = document.createElement('a');
    link.href = addressOf('GET /results/:id/export', {
      params: { id: result.id },
      query: {
        format,
        ...(sort.length === 0 ? {} : { sort: JSON.stringify(sort) }),
        ...(filter.length === 0 ? {} : { filter: JSON.stringify(filter) }),
      },
    });
    link.download = '';
    link.click();
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div
        role="toolbar"
        aria-label={t('Result')}
        className="flex flex-wrap items-center gap-1.5 border-b border-(--line) bg-(--raised) px-2 py-1"
      >
        <span className="text-(--muted)">
          {filter.length > 0
            ? t('{count} of {total} rows', { count: formatCount(rows.rowCount), total: formatCount(result.rowCount) })
            : rowsText(result.rowCount)}
          {result.isTruncated && ` · ${t('only the first are kept')}`}
        </span>
        <span className="flex-1" />
        <Button icon="chart" aria-pressed={mode === 'chart'} onClick={() => setMode(mode === 'grid' ? 'chart' : 'grid')}>
          {mode === 'grid' ? t('Chart') : t('Grid')}
        </Button>
        <Button onClick={() => setFiltered(selection?.focus.column ?? 0)}>
          {filter.length === 0 ? t('Filter') : t('Filter ({count})', { count: filter.length })}
        </Button>
        {(sort.length > 0 || filter.length > 0) && (
          <Button
            onClick={() => {
              setSort(NO_SORT);
              setFilter(NO_FILTER);
            }}
          >
            {t('As it came')}
          </Button>
        )}
        <SelectField
          label={t('Copy as')}
          isLabelHidden
          value=""
          onChange={(event) => void copy(selection, event.target.value as CopyFormat)}
        >
          <option value="">{t('Copy as …')}</option>
          {COPY_FORMATS.map((format) => (
            <option key={format} value={format}>
              {format.toUpperCase()}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={t('Export as')}
          isLabelHidden
          value=""
          onChange={(event) => exportAs(event.target.value as ExportFormat)}
        >
          <option value="">{t('Export as …')}</option>
          {EXPORT_FORMATS.map((format) => (
            <option key={format} value={format}>
              {format.toUpperCase()}
            </option>
          ))}
        </SelectField>
      </div>
      {rows.error !== null && <Failure error={rows.error} />}
      <div className="min-h-0 flex-1">
        {mode === 'chart' ? (
          <Suspense fallback={<Loading />}>
            <ChartView result={result} read={rows.read} rowCount={rows.rowCount} />
          </Suspense>
        ) : (
          <Grid
            label={t('Result')}
            rowCount={rows.rowCount}
            columns={columns}
            cellAt={rows.cellAt}
            onView={rows.onView}
            onHeader={onHeader}
            onHeaderMenu={setFiltered}
            onSelect={setSelection}
            onCopy={(chosen) => void copy(chosen, 'tsv')}
            onOpen={setOpened}
          />
        )}
      </div>
      {opened !== null && (
        <ValueDialog
          column={result.columns[opened.column]}
          value={rows.cellAt(opened.row, opened.column) ?? null}
          onClose={() => setOpened(null)}
        />
      )}
      {filtered !== null && (
        <FilterDialog
          columns={result.columns}
          column={filtered}
          filter={filter}
          onChange={(next) => {
            setFilter(next);
            setFiltered(null);
          }}
          onClose={() => setFiltered(null)}
        />
      )}
    </div>
  );
}
