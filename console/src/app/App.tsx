import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, useEffect, useMemo, useState } from 'react';
import {
  currentSession,
  RequestError,
  request,
  type SessionInfo,
  setLoggedOutHandler,
} from '../api/client.ts';
import { LoginPage } from '../features/login/LoginPage.tsx';
import { QueryPage } from '../features/query/QueryPage.tsx';
import { t } from '../lib/messages.ts';
import { navigate, useRoute } from '../lib/router.ts';
import { applyTheme, loadTheme, THEMES, type Theme } from '../lib/theme.ts';
import { IconButton } from '../ui/Button.tsx';
import { Icon } from '../ui/Icon.tsx';
import { Loading } from '../ui/states.tsx';
import { Toasts } from '../ui/toast.tsx';
import { useCommands } from './commands.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Palette } from './Palette.tsx';
import { PAGES } from './pages.ts';
import { Shortcuts } from './Shortcuts.tsx';

const SESSION_KEY = ['session'] as const;

export function App() {
  const client = useQueryClient();
  const session = useQuery({
    queryKey: SESSION_KEY,
    queryFn: currentSession,
    staleTime: Number.POSITIVE_INFINITY,
  });
  useEffect(() => {
    applyTheme(loadTheme());
    // What was typed is kept in this browser: a session that ends loses none of it.
    setLoggedOutHandler(() => void client.resetQueries({ queryKey: SESSION_KEY }));
  }, [client]);
  if (session.isPending) return <Waiting />;
  if (session.isError) {
    const reason =
      session.error instanceof RequestError && session.error.status !== 401 ? session.error.body : null;
    return <LoginPage reason={reason} onLogin={(info) => client.setQueryData(SESSION_KEY, info)} />;
  }
  return <Shell info={session.data} />;
}

/** The frame before anybody is known; index.html shows the same until the scripts are there. */
function Waiting() {
  return (
    <div className="flex h-full flex-col md:flex-row">
      <div className="order-last h-14 shrink-0 border-t border-(--line) bg-(--raised) md:order-first md:h-auto md:w-20 md:border-t-0 md:border-r" />
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-9 items-center border-b border-(--line) bg-(--raised) px-3">
          <strong className="text-sm">FastPostgres</strong>
        </div>
        <p className="p-6 text-(--muted)">{t('Connecting …')}</p>
      </div>
    </div>
  );
}

const THEME_NAMES: Readonly<Record<Theme, () => string>> = {
  system: () => t('System theme'),
  light: () => t('Light'),
  dark: () => t('Dark'),
  contrast: () => t('High contrast'),
};

/** True while typing: single keys are text then, not shortcuts. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  return target?.closest('input, textarea, select, [contenteditable], .monaco-editor, [role=grid]') != null;
}

function Shell({ info }: { info: SessionInfo }) {
  const route = useRoute();
  const [theme, setTheme] = useState<Theme>(loadTheme);
  const [open, setOpen] = useState<'palette' | 'shortcuts' | null>(null);
  const page = PAGES.find((entry) => entry.id === route.path[0]) ?? PAGES[0];
  useEffect(() => {
    document.title = `${page.label()} · ${info.database} · FastPostgres`;
    // On a narrow screen the pages are a row that scrolls.
    document
      .querySelector('nav [aria-current=page]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [page, info.database]);
  useEffect(() => {
    let isGoing = false;
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setOpen('palette');
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (isGoing) {
        isGoing = false;
        const wanted = PAGES.find((entry) => entry.key === event.key.toLowerCase());
        if (wanted !== undefined) {
          event.preventDefault();
          navigate([wanted.id]);
        }
      } else if (event.key === '?') setOpen('shortcuts');
      else if (event.key === 'g') isGoing = true;
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const changeTheme = (next: Theme): void => {
    setTheme(next);
    applyTheme(next);
  };
  const logout = async (): Promise<void> => {
    await request('POST /logout').catch(() => {});
    // Nothing of the session stays in memory.
    location.reload();
  };
  const commands = useMemo(
    () => [
      ...THEMES.map((one) => ({
        id: `theme ${one}`,
        title: t('Theme: {name}', { name: THEME_NAMES[one]() }),
        run: () => {
          setTheme(one);
          applyTheme(one);
        },
      })),
      { id: 'shortcuts', title: t('Keyboard shortcuts'), keys: '?', run: () => setOpen('shortcuts') },
    ],
    [],
  );
  useCommands(commands);
  const Component = page.component;
  return (
    <div className="flex h-full flex-col md:flex-row">
      <button
        type="button"
        onClick={() => document.getElementById('main')?.focus()}
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-(--surface) focus:p-2"
      >
        {t('Skip to content')}
      </button>
      <nav
        aria-label={t('Pages')}
        className="order-last flex shrink-0 overflow-x-auto border-t border-(--line) bg-(--raised) md:order-first md:w-20 md:flex-col md:overflow-x-hidden md:overflow-y-auto md:border-t-0 md:border-r"
      >
        {PAGES.map((entry) => (
          <a
            key={entry.id}
            href={`#/${entry.id}`}
            aria-current={entry === page ? 'page' : undefined}
            title={`G ${entry.key.toUpperCase()}`}
            className={`flex min-w-16 shrink-0 flex-col items-center gap-0.5 px-1 py-1.5 text-[11px] no-underline md:py-2 ${entry === page ? 'bg-(--accent-surface) font-semibold text-(--accent)' : 'text-(--muted) hover:text-(--text)'}`}
          >
            <Icon name={entry.icon} size={18} />
            {entry.label()}
          </a>
        ))}
      </nav>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <header className="flex shrink-0 items-center gap-2 border-b border-(--line) bg-(--raised) px-3 py-1">
          <strong className="hidden text-sm sm:block">FastPostgres</strong>
          <span
            className="min-w-0 truncate text-(--muted)"
            title={t('Server version {version}', { version: info.serverVersion })}
          >
            {info.user}@{info.database}
          </span>
          <span className="flex-1" />
          <button
            type="button"
            onClick={() => setOpen('palette')}
            className="hidden min-h-6 items-center gap-2 rounded border border-(--line) bg-(--surface) px-2 text-(--muted) sm:flex"
          >
            <Icon name="palette" />
            {t('Search')} <kbd className="mono text-xs">Ctrl K</kbd>
          </button>
          <span className="sm:hidden">
            <IconButton label={t('Search')} icon="palette" onClick={() => setOpen('palette')} />
          </span>
          <IconButton label={t('Keyboard shortcuts')} icon="keyboard" onClick={() => setOpen('shortcuts')} />
          <select
            aria-label={t('Theme')}
            value={theme}
            onChange={(event) => changeTheme(event.target.value as Theme)}
            className="min-h-6 w-20 rounded border sm:w-28 border-(--line) bg-(--surface) px-1"
          >
            {THEMES.map((one) => (
              <option key={one} value={one}>
                {THEME_NAMES[one]()}
              </option>
            ))}
          </select>
          <IconButton label={t('Log out')} icon="logout" onClick={() => void logout()} />
        </header>
        <main id="main" tabIndex={-1} className="min-h-0 flex-1 outline-none">
          {/* The query page stays alive behind the others: its text, results and running statement are not lost. */}
          <div className={page.id === 'query' ? 'h-full' : 'hidden'}>
            <ErrorBoundary resetKey="query">
              <QueryPage isShown={page.id === 'query'} />
            </ErrorBoundary>
          </div>
          {Component !== null && (
            <ErrorBoundary resetKey={page.id}>
              <Suspense fallback={<Loading />}>
                <Component />
              </Suspense>
            </ErrorBoundary>
          )}
        </main>
      </div>
      {open === 'palette' && <Palette onClose={() => setOpen(null)} />}
      {open === 'shortcuts' && <Shortcuts onClose={() => setOpen(null)} />}
      <Toasts />
    </div>
  );
}
