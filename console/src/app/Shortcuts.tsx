import { t } from '../lib/messages.ts';
import { Dialog } from '../ui/Dialog.tsx';
import { PAGES } from './pages.ts';

/** The sheet of shortcuts: `?` opens it. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  const groups: { title: string; keys: [string, string][] }[] = [
    {
      title: t('Everywhere'),
      keys: [
        ['Ctrl K', t('Command palette')],
        ['?', t('This sheet')],
        ...PAGES.map((page): [string, string] => [
          `G ${page.key.toUpperCase()}`,
          t('Go to {page}', { page: page.label() }),
        ]),
      ],
    },
    {
      title: t('Query editor'),
      keys: [
        ['Ctrl Enter', t('Run the selection, else the statement at the caret')],
        ['Ctrl Shift Enter', t('Run everything')],
        ['Ctrl E', t('Explain the statement at the caret')],
        ['Esc', t('Cancel the running statement')],
        ['Ctrl Space', t('Complete')],
        ['Ctrl .', t('Fix the marked error')],
        ['Alt T', t('New tab')],
        ['Alt 1 … 9', t('Go to a tab')],
        ['Ctrl S', t('Save the query')],
      ],
    },
    {
      title: t('Result grid'),
      keys: [
        ['← ↑ → ↓', t('Move; with Shift select')],
        ['Ctrl A', t('Select everything')],
        ['Ctrl C', t('Copy the selection')],
        ['Ctrl Home / End', t('First / last row')],
        ['Enter', t('Show the whole value')],
      ],
    },
    {
      title: t('Plan'),
      keys: [
        ['↑ ↓', t('Previous / next node')],
        ['← →', t('Parent / first child')],
        ['1 2 3 4', t('Tree, table, flame, time line')],
      ],
    },
  ];
  return (
    <Dialog title={t('Keyboard shortcuts')} onClose={onClose}>
      <div className="grid gap-4 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="m-0 mb-1 text-xs font-semibold text-(--muted)">{group.title}</h3>
            <dl className="m-0 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1">
              {group.keys.map(([keys, meaning]) => (
                <div key={keys} className="contents">
                  <dt>
                    <kbd className="mono rounded border border-(--line) bg-(--raised) px-1">{keys}</kbd>
                  </dt>
                  <dd className="m-0">{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
