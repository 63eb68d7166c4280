import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { request, type SavedQuery } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { t } from '../../lib/messages.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { toast } from '../../ui/toast.tsx';

interface Props {
  /** Text to save; null to only look. */
  sql: string | null;
  title: string;
  savedId: string | undefined;
  onSaved: (query: { id: string; name: string }) => void;
  onOpen: (query: SavedQuery) => void;
  onClose: () => void;
}

/** Saved queries in folders, kept in the database; saving the tab's text. */
export function SavedDialog({ sql, title, savedId, onSaved, onOpen, onClose }: Props) {
  const client = useQueryClient();
  const [search, setSearch] = useState('');
  const [name, setName] = useState(title);
  const [folder, setFolder] = useState('');
  const [error, setError] = useState<unknown>(null);
  const saved = useApi('GET /saved-queries');
  const changed = (): Promise<void> => client.invalidateQueries({ queryKey: ['GET /saved-queries'] });
  const save = async (): Promise<void> => {
    if (sql === null) return;
    try {
      const isSame = savedId !== undefined && name === title;
      const { id } = await request('POST /saved-queries', {
        body: { ...(isSame ? { id: savedId } : {}), name, folder, sql },
      });
      await changed();
      toast(t('Saved as {name}.', { name }));
      onSaved({ id, name });
    } catch (failure) {
      setError(failure);
    }
  };
  const star = async (query: SavedQuery): Promise<void> => {
    const { id, folder: place, sql: text } = query;
    await request('POST /saved-queries', {
      body: { id, name: query.name, folder: place, sql: text, isFavourite: !query.isFavourite },
    }).catch(setError);
    await changed();
  };
  const remove = async (query: SavedQuery): Promise<void> => {
    await request('POST /saved-queries/delete', { body: { id: query.id } }).catch(setError);
    await changed();
  };
  const wanted = search.toLowerCase();
  const shown = (saved.data?.queries ?? [])
    .filter((query) => `${query.folder}/${query.name}\n${query.sql}`.toLowerCase().includes(wanted))
    .sort(
      (left, right) =>
        Number(right.isFavourite) - Number(left.isFavourite) ||
        left.folder.localeCompare(right.folder) ||
        left.name.localeCompare(right.name),
    );
  return (
    <Dialog
      title={sql === null ? t('Saved queries') : t('Save the query')}
      onClose={onClose}
      className="w-[52rem]"
    >
      {sql !== null && (
        <form
          className="mb-3 flex flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <TextField
            label={t('Name')}
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            label={t('Folder')}
            placeholder={t('none')}
            value={folder}
            onChange={(event) => setFolder(event.target.value)}
          />
          <Button tone="primary" type="submit">
            {t('Save')}
          </Button>
        </form>
      )}
      {error !== null && <Failure error={error} />}
      <TextField
        label={t('Search saved queries')}
        isLabelHidden
        type="search"
        placeholder={t('Search saved queries')}
        className="mb-2 w-full"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {saved.isPending ? (
        <Loading rows={3} />
      ) : saved.isError ? (
        <Failure error={saved.error} onRetry={() => void saved.refetch()} />
      ) : shown.length === 0 ? (
        <Empty title={t('No saved query.')}>{t('Ctrl S saves the text of a tab here.')}</Empty>
      ) : (
        <ul className="m-0 flex flex-col gap-1 p-0">
          {shown.map((query) => (
            <li key={query.id} className="flex list-none items-start gap-1">
              <IconButton
                label={query.isFavourite ? t('No favourite any more') : t('Favourite')}
                aria-pressed={query.isFavourite}
                icon="star"
                className={query.isFavourite ? 'text-(--warn)' : 'text-(--muted)'}
                onClick={() => void star(query)}
              />
              <button
                type="button"
                onClick={() => onOpen(query)}
                className="min-w-0 flex-1 rounded border border-(--line) px-2 py-1 text-left hover:border-(--accent)"
              >
                <span className="font-semibold">
                  {query.folder !== '' && <span className="text-(--muted)">{query.folder} / </span>}
                  {query.name}
                </span>
                <span className="mono line-clamp-2 break-all whitespace-pre-wrap text-(--muted)">
                  {query.sql}
                </span>
              </button>
              <IconButton
                label={t('Delete {name}', { name: query.name })}
                icon="close"
                onClick={() => void remove(query)}
              />
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
