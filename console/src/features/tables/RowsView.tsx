/** Rows of a relation: pages, filter, sort, and edits that are staged, shown as SQL and committed together. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import {
  type Cell,
  type FilterCondition,
  request,
  type SortKey,
  type TableDetails,
} from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatCount } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { patchParams, useRoute } from '../../lib/router.ts';
import { formatRows, isNumberType } from '../../lib/rows.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { SelectField, TextField } from '../../ui/fields.tsx';
import { type CellPlace, Grid, rangeOf, type Selection } from '../../ui/grid/Grid.tsx';
import { errorOf, Failure, Loading } from '../../ui/states.tsx';
import { copyText, toast } from '../../ui/toast.tsx';
import { OPERATORS } from '../results/FilterDialog.tsx';
import { ValueDialog } from '../results/ValueDialog.tsx';
import { countEdits, NO_EDITS, type StagedEdits, toRowEdits, withDeleted, withValue } from './edits.ts';

const PAGE = 500;

function readJson<T>(text: string | null, otherwise: T): T {
  try {
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function RowsView({ table }: { table: TableDetails }) {
  const { params } = useRoute();
  const filterText = params.get('filter');
  const sortText = params.get('sort');
  const where = params.get('where') ?? '';
  const filter = useMemo(() => readJson<FilterCondition[]>(filterText, []), [filterText]);
  const sort = useMemo(() => readJson<SortKey[]>(sortText, []), [sortText]);
  const offset = Math.max(0, Number(params.get('offset') ?? 0) || 0);
  const [isCounted, setCounted] = useState(false);
  const [edits, setEdits] = useState<StagedEdits>(NO_EDITS);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [opened, setOpened] = useState<CellPlace | null>(null);
  const [preview, setPreview] = useState<readonly string[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const body = { offset, limit: PAGE, filter, sort, isCounted, ...(where === '' ? {} : { where }) };
  const data = useApi('POST /tables/:oid/rows', { params: { oid: table.oid }, body });
  const answer = data.data;
  const rows = answer?.rows ?? [];
  const names = useMemo(() => answer?.columns.map((column) => column.name) ?? [], [answer]);
  const isEditable = (answer?.keyColumns.length ?? 0) > 0;
  const count = countEdits(edits);
  // biome-ignore lint/correctness/useExhaustiveDependencies: edits belong to the rows that were read
  useEffect(() => setEdits(NO_EDITS), [answer?.rows]);

  const columns = useMemo(
    () =>
      (answer?.columns ?? []).map((column) => {
        const key = sort.find((one) => one.column === column.name);
        return {
          name: column.name,
          typeName: column.typeName,
          isNumber: isNumberType(column.typeOid),
          sort: key === undefined ? null : key.descending ? ('descending' as const) : ('ascending' as const),
          isFiltered: filter.some((one) => one.column === column.name),
        };
      }),
    [answer, sort, filter],
  );
  const cellAt = useCallback(
    (row: number, column: number): Cell | undefined => {
      if (row >= rows.length) {
        const inserted = edits.inserted[row - rows.length];
        return inserted?.has(column) === true ? inserted.get(column) : '';
      }
      const changed = edits.updated.get(row);
      return changed?.has(column) === true ? changed.get(column) : rows[row]?.[column];
    },
    [rows, edits],
  );
  const classOf = useCallback(
    (row: number, column: number): string => {
      if (row >= rows.length) return 'bg-(--good-surface)';
      if (edits.deleted.has(row)) return 'bg-(--danger-surface) line-through';
      return edits.updated.get(row)?.has(column) === true ? 'bg-(--warn-surface)' : '';
    },
    [rows.length, edits],
  );
  const setSort = (column: number, options: { isAdded: boolean }): void => {
    const name = names[column];
    const key = sort.find((one) => one.column === name);
    const others = options.isAdded ? sort.filter((one) => one.column !== name) : [];
    const next =
      key === undefined
        ? [...others, { column: name, descending: false }]
        : key.descending
          ? others
          : [...others, { column: name, descending: true }];
    patchParams({ sort: next.length === 0 ? null : JSON.stringify(next), offset: null }, {});
  };
  const staged = (): ReturnType<typeof toRowEdits> =>
    toRowEdits(edits, names, answer?.keyColumns ?? [], rows);
  const showPreview = async (): Promise<void> => {
    setError(null);
    try {
      const { statements } = await request('POST /tables/:oid/edits/preview', {
        params: { oid: table.oid },
        body: { edits: staged() },
      });
      setPreview(statements);
    } catch (failure) {
      setError(failure);
    }
  };
  const commit = async (): Promise<void> => {
    setError(null);
    try {
      const done = await request('POST /tables/:oid/edits/apply', {
        params: { oid: table.oid },
        body: { edits: staged() },
      });
      if (!done.isApplied) {
        setError(done.error === null ? new Error(t('The edits were not applied.')) : done.error);
        return;
      }
      toast(t('{count} changes committed.', { count }));
      setEdits(NO_EDITS);
      setPreview(null);
      await data.refetch();
    } catch (failure) {
      setError(failure);
    }
  };
  const failure = error !== null ? (isApiError(error) ? error : errorOf(error)) : null;
  const copy = (chosen: Selection): void => {
    const range = rangeOf(chosen);
    const part = Array.from({ length: range.bottom - range.top + 1 }, (_, row) =>
      Array.from(
        { length: range.right - range.left + 1 },
        (__, column) => cellAt(range.top + row, range.left + column) ?? null,
      ),
    );
    void copyText(
      formatRows('tsv', (answer?.columns ?? []).slice(range.left, range.right + 1), part),
      t('{count} values copied.', { count: formatCount(part.length * (part[0]?.length ?? 0)) }),
    );
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <FilterBar table={table} filter={filter} where={where} />
      <div
        role="toolbar"
        aria-label={t('Rows')}
        className="flex flex-wrap items-center gap-1.5 border-b border-(--line) bg-(--raised) px-2 py-1"
      >
        <Button
          disabled={offset === 0}
          onClick={() => patchParams({ offset: offset > PAGE ? String(offset - PAGE) : null }, {})}
        >
          {t('Previous')}
        </Button>
        <span className="text-(--muted)">
          {rows.length === 0
            ? t('no rows')
            : t('rows {first} to {last}', {
                first: formatCount(offset + 1),
                last: formatCount(offset + rows.length),
              })}
          {answer?.count != null && ` ${t('of {count}', { count: formatCount(answer.count) })}`}
        </span>
        <Button
          disabled={answer?.hasMore !== true}
          onClick={() => patchParams({ offset: String(offset + PAGE) }, {})}
        >
          {t('Next')}
        </Button>
        <Button onClick={() => setCounted(true)} disabled={isCounted}>
          {t('Count')}
        </Button>
        <IconButton label={t('Read again')} icon="refresh" onClick={() => void data.refetch()} />
        <span className="flex-1" />
        {isEditable ? (
          <>
            <Button
              icon="plus"
              onClick={() => setEdits((old) => ({ ...old, inserted: [...old.inserted, new Map()] }))}
            >
              {t('Row')}
            </Button>
            <Button
              disabled={selection === null}
              onClick={() => {
                if (selection === null) return;
                const range = rangeOf(selection);
                let next = edits;
                for (let row = range.bottom; row >= range.top; row--)
                  next = withDeleted(next, rows.length, row);
                setEdits(next);
              }}
            >
              {t('Delete row')}
            </Button>
          </>
        ) : (
          answer !== undefined && (
            <span className="text-(--muted)">{t('not editable: no key names a row')}</span>
          )
        )}
      </div>
      {data.isError ? (
        <Failure error={data.error} onRetry={() => void data.refetch()} />
      ) : data.isPending ? (
        <Loading />
      ) : (
        <div className={`min-h-0 flex-1 ${data.isFetching ? 'opacity-90' : ''}`}>
          <Grid
            label={t('Rows of {name}', { name: table.name })}
            rowCount={rows.length + edits.inserted.length}
            columns={columns}
            cellAt={cellAt}
            classOf={classOf}
            onHeader={setSort}
            onSelect={setSelection}
            onCopy={copy}
            onOpen={setOpened}
            onEdit={
              isEditable
                ? (place, value) =>
                    setEdits((old) =>
                      withValue(old, rows.length, place, value, rows[place.row]?.[place.column]),
                    )
                : undefined
            }
            onDeleteRow={
              isEditable ? (row) => setEdits((old) => withDeleted(old, rows.length, row)) : undefined
            }
          />
        </div>
      )}
      {failure !== null && preview === null && <ErrorBox error={failure} />}
      {count > 0 && (
        <div
          role="status"
          className="flex flex-wrap items-center gap-2 border-t border-(--warn) bg-(--warn-surface) px-3 py-1.5 text-(--warn)"
        >
          <strong>{count === 1 ? t('1 change') : t('{count} changes', { count })}</strong>
          <span className="flex-1" />
          <Button onClick={() => void showPreview()}>{t('Preview SQL')}</Button>
          <Button onClick={() => setEdits(NO_EDITS)}>{t('Discard')}</Button>
          <Button tone="primary" onClick={() => void commit()}>
            {t('Commit')}
          </Button>
        </div>
      )}
      {preview !== null && (
        <Dialog
          title={t('SQL of the changes')}
          className="w-[56rem]"
          onClose={() => setPreview(null)}
          actions={
            <>
              <Button icon="copy" onClick={() => void copyText(preview.join(';\n'), t('SQL copied.'))}>
                {t('Copy')}
              </Button>
              <Button tone="primary" onClick={() => void commit()}>
                {t('Commit')}
              </Button>
            </>
          }
        >
          {failure !== null && <ErrorBox error={failure} />}
          <pre className="mono m-0 break-words whitespace-pre-wrap">
            {preview.map((one) => (one.endsWith(';') ? one : `${one};`)).join('\n')}
          </pre>
        </Dialog>
      )}
      {opened !== null && answer !== undefined && (
        <ValueDialog
          column={answer.columns[opened.column]}
          value={cellAt(opened.row, opened.column) ?? null}
          onClose={() => setOpened(null)}
        />
      )}
    </div>
  );
}

function isApiError(value: unknown): value is ReturnType<typeof errorOf> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    'message' in value &&
    !(value instanceof Error)
  );
}

/** Conditions joined by AND, in the address; and an SQL condition for what they cannot say. */
function FilterBar({
  table,
  filter,
  where,
}: {
  table: TableDetails;
  filter: readonly FilterCondition[];
  where: string;
}) {
  const [draft, setDraft] = useState(where);
  useEffect(() => setDraft(where), [where]);
  const set = (next: readonly FilterCondition[]): void =>
    patchParams({ filter: next.length === 0 ? null : JSON.stringify(next), offset: null });
  const change = (at: number, part: Partial<FilterCondition>): void =>
    set(filter.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <form
      aria-label={t('Filter')}
      className="flex flex-wrap items-center gap-1.5 border-b border-(--line) px-2 py-1"
      onSubmit={(event) => {
        event.preventDefault();
        patchParams({ where: draft === '' ? null : draft, offset: null });
      }}
    >
      {filter.map((condition, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity
        <span key={at} className="flex items-center gap-1 rounded border border-(--line) p-0.5">
          <SelectField
            label={t('Column')}
            isLabelHidden
            value={condition.column}
            onChange={(event) => change(at, { column: event.target.value })}
          >
            {table.columns.map((column) => (
              <option key={column.name}>{column.name}</option>
            ))}
          </SelectField>
          <SelectField
            label={t('Operator')}
            isLabelHidden
            value={condition.operator}
            onChange={(event) => change(at, { operator: event.target.value as FilterCondition['operator'] })}
          >
            {OPERATORS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </SelectField>
          {!condition.operator.startsWith('is ') && (
            <TextField
              label={t('Value')}
              isLabelHidden
              className="mono w-32"
              defaultValue={condition.value ?? ''}
              onBlur={(event) => {
                if (event.target.value !== condition.value) change(at, { value: event.target.value });
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter') change(at, { value: event.currentTarget.value });
              }}
            />
          )}
          <IconButton
            label={t('Remove')}
            icon="close"
            onClick={() => set(filter.filter((_, index) => index !== at))}
          />
        </span>
      ))}
      <Button
        icon="plus"
        onClick={() => set([...filter, { column: table.columns[0]?.name ?? '', operator: 'is not null' }])}
      >
        {t('Filter')}
      </Button>
      <TextField
        label={t('SQL condition')}
        isLabelHidden
        placeholder={t('SQL condition, Enter to apply')}
        className="mono min-w-40 flex-1"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
    </form>
  );
}
