import { useState } from 'react';
import { useApi } from '../../api/useApi.ts';
import { formatMillis } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { rowsText } from '../../lib/rows-text.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';

const PAGE = 100;

/** Statements of this role, newest first, kept in the database. */
export function HistoryDialog({ onOpen, onClose }: { onOpen: (sql: string) => void; onClose: () => void }) {
  const [search, setSearch] = useState('');
  const [limit, setLimit] = useState(PAGE);
  const history = useApi('GET /history', { query: { limit, ...(search === '' ? {} : { search }) } });
  return (
    <Dialog title={t('History')} onClose={onClose} className="w-[60rem]">
      <TextField
        label={t('Search the history')}
        isLabelHidden
        type="search"
        placeholder={t('Search the history')}
        className="mb-2 w-full"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {history.isPending ? (
        <Loading />
      ) : history.isError ? (
        <Failure error={history.error} onRetry={() => void history.refetch()} />
      ) : history.data.entries.length === 0 ? (
        <Empty title={t('No statement yet.')}>{t('What you run is listed here.')}</Empty>
      ) : (
        <ul className="m-0 flex flex-col gap-1 p-0">
          {history.data.entries.map((entry) => (
            <li key={entry.id} className="list-none">
              <button
                type="button"
                onClick={() => onOpen(entry.sql)}
                className="block w-full rounded border border-(--line) px-2 py-1 text-left hover:border-(--accent)"
              >
                <span className="flex flex-wrap gap-2 text-xs text-(--muted)">
                  <time>{new Date(entry.at).toLocaleString('en-GB')}</time>
                  <span>{formatMillis(entry.durationMillis)}</span>
                  {entry.rowCount !== null && <span>{rowsText(entry.rowCount)}</span>}
                  <span>{entry.database}</span>
                  {entry.errorCode !== null && <Badge tone="danger">{entry.errorCode}</Badge>}
                </span>
                <span className="mono line-clamp-3 break-all whitespace-pre-wrap">{entry.sql}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {history.data?.next != null && limit < 1000 && (
        <Button className="mt-2" onClick={() => setLimit(Math.min(1000, limit + PAGE))}>
          {t('More')}
        </Button>
      )}
    </Dialog>
  );
}
