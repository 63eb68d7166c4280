import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, RequestError } from '../api/client.ts';
import { keys } from '../api/keys.ts';
import { ActivityPage } from '../features/activity/ActivityPage.tsx';
import { LoginPage } from '../features/login/LoginPage.tsx';
import { QueryPage } from '../features/query/QueryPage.tsx';
import { TablesPage } from '../features/tables/TablesPage.tsx';
import { applyTheme, loadTheme, type Theme } from '../lib/theme.ts';
import { Button } from '../ui/Button.tsx';

const PAGES = [
  { id: 'query', label: 'Query' },
  { id: 'tables', label: 'Tables' },
  { id: 'activity', label: 'Activity' },
] as const;
type PageId = (typeof PAGES)[number]['id'];

/** The page is in the address, so that links and the back button work. */
function pageOfAddress(): PageId {
  const wanted = location.hash.slice(2);
  return PAGES.find((page) => page.id === wanted)?.id ?? 'query';
}

export function App() {
  const client = useQueryClient();
  const [page, setPage] = useState<PageId>(pageOfAddress);
  const [theme, setTheme] = useState<Theme>(loadTheme);
  const session = useQuery({
    queryKey: keys.session,
    queryFn: () => api.session(),
    staleTime: Number.POSITIVE_INFINITY,
  });

  useEffect(() => {
    const follow = (): void => setPage(pageOfAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => applyTheme(theme), [theme]);

  if (session.isPending) return <p className="p-6 text-(--muted)">Connecting …</p>;
  if (session.isError) {
    const reason =
      session.error instanceof RequestError && session.error.status !== 401 ? session.error.body : null;
    return <LoginPage reason={reason} onLogin={(info) => client.setQueryData(keys.session, info)} />;
  }
  const info = session.data;
  const logout = async (): Promise<void> => {
    await api.logout().catch(() => {});
    // Nothing of the session stays in memory.
    location.reload();
  };
  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-(--line) bg-(--raised) px-3 py-2">
        <strong>FastPostgres</strong>
        <nav aria-label="Pages" className="flex gap-1">
          {PAGES.map(({ id, label }) => (
            <a
              key={id}
              href={`#/${id}`}
              aria-current={page === id ? 'page' : undefined}
              className={`rounded px-3 py-1 no-underline ${page === id ? 'bg-(--accent) text-(--accent-text)' : 'text-(--text) hover:underline'}`}
            >
              {label}
            </a>
          ))}
        </nav>
        <span className="ml-auto text-(--muted)" title={`Server version ${info.serverVersion}`}>
          {info.user}@{info.database}
        </span>
        <label className="text-(--muted)">
          <span className="sr-only">Theme</span>
          <select
            value={theme}
            onChange={(event) => setTheme(event.target.value as Theme)}
            className="rounded border border-(--line) bg-(--surface) px-1 py-1 text-(--text)"
          >
            <option value="system">System theme</option>
            <option value="light">Light</option>
            <option value="dark">Dark</option>
          </select>
        </label>
        <Button onClick={() => void logout()}>Log out</Button>
      </header>
      <main className="min-h-0 flex-1">
        {/* The query page stays alive behind the others: its text, result and running statement are not lost. */}
        <div className={page === 'query' ? 'h-full' : 'hidden'}>
          <QueryPage />
        </div>
        {page === 'tables' && <TablesPage />}
        {page === 'activity' && <ActivityPage />}
      </main>
    </div>
  );
}
