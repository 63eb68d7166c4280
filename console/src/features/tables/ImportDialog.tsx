/** A file, CSV or Parquet, into a table: it is looked at first, columns are matched, and all of it goes in in one transaction. */
import { useEffect, useRef, useState } from 'react';
import {
  type CsvOptions,
  type ImportState,
  type ResponseOf,
  request,
  sendBytes,
  type TableDetails,
} from '../../api/client.ts';
import { formatBytes, formatCount, formatMillis, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { rowsText } from '../../lib/rows-text.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { CheckField, SelectField, TextField } from '../../ui/fields.tsx';
import { errorOf, Loading } from '../../ui/states.tsx';
import { toast } from '../../ui/toast.tsx';
import type { ParquetSource } from './parquet.ts';

const SAMPLE_BYTES = 200_000;
const CHUNK_BYTES = 1 << 20;
const PREVIEW_ROWS = 8;
/** Rows of a Parquet file that travel together. */
const PARQUET_ROWS = 5000;
/** How Parquet files are sent on. */
const PARQUET_OPTIONS: CsvOptions = { delimiter: ',', quote: '"', hasHeader: false, nullText: '' };

interface Props {
  table: TableDetails;
  onClose: () => void;
  onDone: () => void;
}

type Preview = ResponseOf<'POST /imports/preview'>;

/** The file as the import takes it: bytes of a CSV file as they are, rows of a Parquet file as CSV. */
async function* piecesOf(file: File, parquet: ParquetSource | null): AsyncGenerator<Blob> {
  if (parquet === null) {
    for (let at = 0; at < file.size; at += CHUNK_BYTES) yield file.slice(at, at + CHUNK_BYTES);
    return;
  }
  const { csvOf } = await import('./parquet.ts');
  for (let first = 0; first < parquet.rowCount; first += PARQUET_ROWS) {
    const rows = await parquet.read(first, Math.min(parquet.rowCount, first + PARQUET_ROWS));
    const whole = new Blob([csvOf(rows)]);
    // Wide rows make more than a piece may hold.
    for (let at = 0; at < whole.size; at += CHUNK_BYTES) yield whole.slice(at, at + CHUNK_BYTES);
  }
}

export function ImportDialog({ table, onClose, onDone }: Props) {
  const [file, setFile] = useState<File | null>(null);
  const [options, setOptions] = useState<CsvOptions>({});
  const [parquet, setParquet] = useState<ParquetSource | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [targets, setTargets] = useState<readonly (string | null)[]>([]);
  const [state, setState] = useState<ImportState | null>(null);
  const [error, setError] = useState<unknown>(null);
  const isStopped = useRef(false);
  const isRunning = state?.state === 'open';

  useEffect(() => {
    if (file === null) return;
    let isGone = false;
    const look = async (): Promise<void> => {
      const reader = await import('./parquet.ts');
      if (await reader.isParquet(file)) {
        const source = await reader.openParquet(file);
        const rows = await source.read(0, Math.min(source.rowCount, PREVIEW_ROWS));
        if (isGone) return;
        setParquet(source);
        setPreview({ options: PARQUET_OPTIONS, columns: [...source.columns], rows });
        setError(null);
        setTargets(
          source.columns.map(
            (column) =>
              table.columns.find((one) => one.name.toLowerCase() === column.name.toLowerCase())?.name ?? null,
          ),
        );
        return;
      }
      const text = await file.slice(0, SAMPLE_BYTES).text();
      // A sample ends where a line ends.
      const sample = file.size > SAMPLE_BYTES ? text.slice(0, text.lastIndexOf('\n') + 1) : text;
      const answer = await request('POST /imports/preview', { body: { sample, options } });
      if (isGone) return;
      setPreview(answer);
      setError(null);
      setTargets(
        answer.columns.map((column, at) => {
          const same = table.columns.find((one) => one.name.toLowerCase() === column.name.toLowerCase());
          if (same !== undefined) return same.name;
          return answer.options.hasHeader === true ? null : (table.columns[at]?.name ?? null);
        }),
      );
    };
    look().catch((failure) => {
      if (!isGone) setError(failure);
    });
    return () => {
      isGone = true;
    };
  }, [file, options, table]);

  const run = async (): Promise<void> => {
    if (file === null || preview === null) return;
    setError(null);
    isStopped.current = false;
    let id: string | null = null;
    try {
      let current = await request('POST /imports', {
        body: {
          schema: table.schema,
          table: table.name,
          columns: [...targets],
          options: preview.options,
          ...(parquet === null ? { totalBytes: file.size } : {}),
        },
      });
      id = current.id;
      setState(current);
      for await (const piece of piecesOf(file, parquet)) {
        if (isStopped.current) {
          setState(await request('POST /imports/:id/abort', { params: { id } }));
          return;
        }
        current = await sendBytes('POST /imports/:id/chunk', { params: { id } }, piece);
        setState(current);
        if (current.state === 'failed') break;
      }
      if (current.state !== 'failed') current = await request('POST /imports/:id/finish', { params: { id } });
      setState(current);
      if (current.state === 'done') {
        toast(t('{count} rows imported.', { count: formatCount(current.rows) }));
        onDone();
        onClose();
      }
    } catch (failure) {
      setError(failure);
      setState(null);
      if (id !== null) await request('POST /imports/:id/abort', { params: { id } }).catch(() => {});
    }
  };
  const used = targets.filter((one) => one !== null);
  const isTwice = new Set(used).size !== used.length;
  const share =
    state === null
      ? 0
      : parquet === null
        ? state.bytes / Math.max(1, file?.size ?? 1)
        : state.rows / Math.max(1, parquet.rowCount);
  const elapsed = state === null ? 0 : Date.now() - state.startedAt;
  return (
    <Dialog
      title={t('Import into {name}', { name: `${table.schema}.${table.name}` })}
      className="w-[56rem]"
      onClose={() => {
        isStopped.current = true;
        onClose();
      }}
      actions={
        isRunning ? (
          <Button
            tone="danger"
            onClick={() => {
              isStopped.current = true;
            }}
          >
            {t('Stop; nothing stays')}
          </Button>
        ) : (
          <Button
            tone="primary"
            disabled={preview === null || used.length === 0 || isTwice}
            onClick={() => void run()}
          >
            {t('Import')}
          </Button>
        )
      }
    >
      <div className="flex flex-col gap-3">
        <label className="flex flex-col gap-1">
          <span className="text-xs text-(--muted)">{t('CSV or Parquet file')}</span>
          <input
            type="file"
            accept=".csv,.tsv,.txt,.parquet,text/csv"
            disabled={isRunning}
            onChange={(event) => {
              setPreview(null);
              setParquet(null);
              setState(null);
              setOptions({});
              setFile(event.target.files?.[0] ?? null);
            }}
          />
        </label>
        {error !== null && <ErrorBox error={errorOf(error)} />}
        {state?.error != null && <ErrorBox error={state.error} />}
        {file !== null && preview === null && error === null && <Loading rows={3} />}
        {state !== null && (
          <div role="status">
            <progress className="w-full" max={1} value={share} />
            <p className="m-0 text-(--muted)">
              {formatBytes(state.bytes)} ({formatPercent(share, 0)}) · {rowsText(state.rows)} ·{' '}
              {formatMillis(elapsed)}
            </p>
          </div>
        )}
        {preview !== null && (
          <>
            {parquet !== null && <p className="m-0 text-(--muted)">{rowsText(parquet.rowCount)}</p>}
            <div className={parquet === null ? 'flex flex-wrap items-end gap-3' : 'hidden'}>
              <SelectField
                label={t('Delimiter')}
                value={preview.options.delimiter ?? ','}
                onChange={(event) => setOptions({ ...options, delimiter: event.target.value })}
              >
                {[
                  [',', t('comma')],
                  [';', t('semicolon')],
                  ['\t', t('tab')],
                  ['|', t('bar')],
                ].map(([value, name]) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </SelectField>
              <TextField
                label={t('Text for NULL')}
                className="w-24"
                placeholder={t('empty')}
                value={preview.options.nullText ?? ''}
                onChange={(event) => setOptions({ ...options, nullText: event.target.value })}
              />
              <CheckField
                label={t('First line has names')}
                checked={preview.options.hasHeader ?? false}
                onChange={(event) => setOptions({ ...options, hasHeader: event.target.checked })}
              />
            </div>
            {isTwice && <p className="m-0 text-(--danger)">{t('A column is filled twice.')}</p>}
            <section className="overflow-auto" aria-label={t('Preview')}>
              <table className="border-collapse text-left">
                <thead>
                  <tr>
                    {preview.columns.map((column, at) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat
                      <th
                        key={at}
                        scope="col"
                        className="border border-(--line) p-1 align-bottom font-normal"
                      >
                        <span className="block font-semibold">{column.name}</span>
                        <span className="block text-xs text-(--muted)">{column.type}</span>
                        <SelectField
                          label={t('Column for {name}', { name: column.name })}
                          isLabelHidden
                          value={targets[at] ?? ''}
                          onChange={(event) =>
                            setTargets(
                              targets.map((one, index) => (index === at ? event.target.value || null : one)),
                            )
                          }
                        >
                          <option value="">{t('skip')}</option>
                          {table.columns.map((one) => (
                            <option key={one.name} value={one.name}>
                              {one.name}
                            </option>
                          ))}
                        </SelectField>
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody className="mono">
                  {preview.rows.slice(0, PREVIEW_ROWS).map((row, index) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: rows have no identity
                    <tr key={index}>
                      {row.map((cell, at) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: cells have no identity
                        <td key={at} className="max-w-48 truncate border border-(--line) px-1">
                          {cell ?? <em className="text-(--null)">NULL</em>}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          </>
        )}
      </div>
    </Dialog>
  );
}
