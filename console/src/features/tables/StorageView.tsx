import type { ColumnStorage, TableDetails } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatBytes, formatCount, formatPercent, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { DataTable } from '../../ui/DataTable.tsx';
import { Failure, Loading } from '../../ui/states.tsx';

/** How each column is stored, how well zone maps can skip on it, and what is known of its values. */
export function StorageView({ table }: { table: TableDetails }) {
  const storage = useApi('GET /tables/:oid/storage', { params: { oid: table.oid } });
  if (storage.isPending) return <Loading />;
  if (storage.isError) return <Failure error={storage.error} onRetry={() => void storage.refetch()} />;
  const { data } = storage;
  const facts: [string, string][] = [
    [t('Rows'), formatCount(data.rows)],
    [t('in the row store'), formatCount(data.deltaRows)],
    [t('in column segments'), `${formatCount(data.sealedRows)} (${formatCount(data.segments)})`],
    [t('Compressed'), formatBytes(data.compressedBytes)],
    [t('Uncompressed'), formatBytes(data.plainBytes)],
    [
      t('Compression'),
      data.compressedBytes > 0 ? `${(data.plainBytes / data.compressedBytes).toFixed(1)} ×` : '–',
    ],
  ];
  const ratio = (column: ColumnStorage): number =>
    column.compressedBytes > 0 ? column.plainBytes / column.compressedBytes : 0;
  return (
    <div className="flex flex-col gap-2">
      <dl className="m-0 flex flex-wrap gap-x-6 gap-y-1 px-3 py-2">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-(--muted)">{name}</dt>
            <dd className="m-0 font-semibold">{value}</dd>
          </div>
        ))}
      </dl>
      {table.statistics !== null && (
        <p className="m-0 px-3 text-(--muted)">
          {t(
            '{sequential} sequential and {index} index scans; {inserted} inserted, {updated} updated, {deleted} deleted; {dead} dead rows',
            {
              sequential: formatCount(table.statistics.sequentialScans),
              index: formatCount(table.statistics.indexScans),
              inserted: formatCount(table.statistics.inserted),
              updated: formatCount(table.statistics.updated),
              deleted: formatCount(table.statistics.deleted),
              dead: formatCount(table.statistics.deadRows),
            },
          )}
        </p>
      )}
      <DataTable
        label={t('Columns')}
        rows={data.columns}
        keyOf={(column) => column.column}
        columns={[
          {
            id: 'name',
            title: t('Column'),
            isMono: true,
            cell: (column) => column.column,
            sort: (column) => column.column,
          },
          {
            id: 'size',
            title: t('Size'),
            isNumber: true,
            cell: (column) => formatBytes(column.compressedBytes),
            sort: (column) => column.compressedBytes,
          },
          {
            id: 'ratio',
            title: t('Compression'),
            isNumber: true,
            cell: (column) => (ratio(column) > 0 ? `${ratio(column).toFixed(1)} ×` : '–'),
            sort: ratio,
          },
          {
            id: 'encoding',
            title: t('Encoding'),
            cell: (column) =>
              column.encodings.map((one) => `${one.name} (${formatCount(one.segments)})`).join(', '),
          },
          {
            id: 'zone',
            title: t('Zone maps skip'),
            isNumber: true,
            cell: (column) =>
              column.zoneMapQuality === null ? '–' : formatPercent(column.zoneMapQuality, 0),
            sort: (column) => column.zoneMapQuality ?? -1,
          },
          {
            id: 'nulls',
            title: t('NULLs'),
            isNumber: true,
            cell: (column) => (column.nullFraction === null ? '–' : formatPercent(column.nullFraction)),
            sort: (column) => column.nullFraction ?? -1,
          },
          {
            id: 'distinct',
            title: t('Distinct'),
            isNumber: true,
            cell: (column) =>
              column.distinct === null
                ? '–'
                : formatShort(
                    column.distinct < 0 ? Math.round(-column.distinct * data.rows) : column.distinct,
                  ),
            sort: (column) => column.distinct ?? 0,
          },
          { id: 'values', title: t('Values'), cell: (column) => <Values column={column} /> },
        ]}
      />
      {data.columns.every((column) => column.distinct === null) && (
        <p className="m-0 px-3 text-(--muted)">{t('No statistics yet: run ANALYZE.')}</p>
      )}
    </div>
  );
}

/** Common values as bars; else the histogram's bounds. */
function Values({ column }: { column: ColumnStorage }) {
  const { commonValues, histogramBounds } = column;
  if (commonValues.length > 0) {
    const most = Math.max(...commonValues.map((one) => one.frequency));
    return (
      <details>
        <summary className="mono max-w-80 cursor-pointer truncate">
          {commonValues
            .slice(0, 3)
            .map((one) => one.value ?? 'NULL')
            .join(', ')}
        </summary>
        <table>
          <tbody>
            {commonValues.slice(0, 20).map((one) => (
              <tr key={one.value ?? 'NULL'}>
                <td className="mono max-w-64 truncate pr-2">{one.value ?? 'NULL'}</td>
                <td className="pr-2 text-right">{formatPercent(one.frequency)}</td>
                <td className="w-32">
                  <span
                    className="block h-2 bg-(--series-1)"
                    style={{ width: `${(one.frequency / most) * 100}%` }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    );
  }
  if (histogramBounds.length > 1)
    return (
      <span className="mono" title={histogramBounds.join(', ').slice(0, 2000)}>
        {histogramBounds[0]} … {histogramBounds[histogramBounds.length - 1]}
      </span>
    );
  return null;
}
