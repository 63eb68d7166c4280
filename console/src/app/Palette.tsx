/** Command palette: pages, commands and tables, found by a few letters; Enter runs, arrows move. */
import { type KeyboardEvent, useMemo, useState } from 'react';
import { useApi } from '../api/useApi.ts';
import { t } from '../lib/messages.ts';
import { href, navigate } from '../lib/router.ts';
import { Dialog } from '../ui/Dialog.tsx';
import { type Command, useAllCommands } from './commands.ts';
import { PAGES } from './pages.ts';

const SHOWN_MAX = 40;

/** Letters in order, with a better mark for letters side by side and at the beginnings of words; null when not all are there. */
export function matchScore(text: string, wanted: string): number | null {
  const lower = text.toLowerCase();
  let score = 0;
  let at = -1;
  for (const letter of wanted.toLowerCase()) {
    if (letter === ' ') continue;
    const found = lower.indexOf(letter, at + 1);
    if (found < 0) return null;
    score += found === at + 1 ? 3 : found === 0 || /[\s._-]/.test(lower[found - 1]) ? 2 : 0;
    at = found;
  }
  return score - lower.length / 100;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [wanted, setWanted] = useState('');
  const [active, setActive] = useState(0);
  const commands = useAllCommands();
  const search = wanted.trim();
  const relations = useApi(
    'GET /catalog/tree',
    { query: { search, limit: 20 } },
    { isEnabled: search.length >= 2, staleMillis: 10_000 },
  );
  const found = useMemo(() => {
    const list: Command[] = [
      ...PAGES.map((page) => ({
        id: `page ${page.id}`,
        title: t('Go to {page}', { page: page.label() }),
        keys: `G ${page.key.toUpperCase()}`,
        run: () => navigate([page.id]),
      })),
      ...commands,
    ];
    const scored = list
      .map((command) => ({ command, score: search === '' ? 0 : matchScore(command.title, search) }))
      .filter((entry): entry is { command: Command; score: number } => entry.score !== null)
      .sort((left, right) => right.score - left.score)
      .map((entry) => entry.command);
    const tables: Command[] = (search.length >= 2 ? (relations.data?.relations ?? []) : []).map(
      (relation) => ({
        id: `table ${relation.oid}`,
        title: t('Open {name}', { name: `${relation.schema}.${relation.name}` }),
        run: () => {
          location.hash = href(['tables', relation.schema, relation.name]);
        },
      }),
    );
    return [...scored, ...tables].slice(0, SHOWN_MAX);
  }, [commands, relations.data, search]);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    // After the dialog has given the focus back.
    setTimeout(command.run, 0);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((old) => (old + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[active]);
    }
  };
  return (
    <Dialog title={t('Commands')} onClose={onClose}>
      <input
        // biome-ignore lint/a11y/noAutofocus: a palette is opened to type
        autoFocus
        role="combobox"
        aria-label={t('Search commands and tables')}
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[active] === undefined ? undefined : `palette-${active}`}
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        placeholder={t('Search commands and tables')}
        className="mb-2 w-full rounded border border-(--line) px-2 py-1.5"
      />
      <div id="palette-list" role="listbox" aria-label={t('Commands')} className="max-h-[50vh] overflow-auto">
        {found.map((command, index) => (
          <button
            key={command.id}
            id={`palette-${index}`}
            type="button"
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onClick={() => run(command)}
            onPointerMove={() => setActive(index)}
            className={`flex w-full items-center justify-between gap-4 rounded px-2 py-1 text-left ${index === active ? 'bg-(--accent) text-(--accent-text)' : ''}`}
          >
            <span className="truncate">{command.title}</span>
            {command.keys !== undefined && <kbd className="mono text-xs">{command.keys}</kbd>}
          </button>
        ))}
        {found.length === 0 && <p className="m-0 p-2 text-(--muted)">{t('Nothing has that name.')}</p>}
      </div>
    </Dialog>
  );
}
