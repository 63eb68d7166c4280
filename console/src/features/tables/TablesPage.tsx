import { useState } from 'react';
import { RequestError } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { ErrorBox } from '../../ui/ErrorBox.tsx';

const KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  v: 'view',
  m: 'materialized view',
  p: 'partitioned table',
  f: 'foreign table',
};

export function TablesPage() {
  const [filter, setFilter] = useState('');
  const schema = useApi('GET /schema');
  if (schema.isPending) return <p className="p-3 text-(--muted)">Reading the catalog …</p>;
  if (schema.isError) {
    const error =
      schema.error instanceof RequestError
        ? schema.error.body
        : { code: 'console', message: String(schema.error) };
    return <ErrorBox error={error} />;
  }
  const wanted = filter.toLowerCase();
  const tables = schema.data.tables.filter((table) =>
    `${table.schema}.${table.name}`.toLowerCase().includes(wanted),
  );
  return (
    <div className="h-full overflow-auto p-3">
      <label className="mb-3 block max-w-sm">
        <span className="sr-only">Filter tables</span>
        <input
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          placeholder="Filter tables"
          className="w-full rounded border border-(--line) bg-(--surface) px-2 py-1"
        />
      </label>
      {tables.length === 0 && (
        <p className="text-(--muted)">
          {filter === '' ? 'This database has no tables yet.' : 'No table has that name.'}
        </p>
      )}
      {tables.map((table) => (
        <details key={`${table.schema}.${table.name}`} className="mb-1 rounded border border-(--line)">
          <summary className="cursor-pointer px-3 py-1">
            <span className="text-(--muted)">{table.schema}.</span>
            <strong>{table.name}</strong>{' '}
            <span className="text-(--muted)">{KINDS[table.kind] ?? table.kind}</span>
          </summary>
          <table className="mono w-full border-collapse text-left">
            <thead>
              <tr className="text-(--muted)">
                <th className="px-3 py-1 font-normal">Column</th>
                <th className="px-3 py-1 font-normal">Type</th>
                <th className="px-3 py-1 font-normal">Null</th>
              </tr>
            </thead>
            <tbody>
              {table.columns.map((column) => (
                <tr key={column.name} className="border-t border-(--line)">
                  <td className="px-3 py-1">{column.name}</td>
                  <td className="px-3 py-1">{column.type}</td>
                  <td className="px-3 py-1">{column.isNotNull ? 'not null' : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ))}
    </div>
  );
}
