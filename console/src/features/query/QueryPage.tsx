import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, api, type QueryResponse, RequestError } from '../../api/client.ts';
import { keys } from '../../api/keys.ts';
import { Button } from '../../ui/Button.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { ResultGrid } from './ResultGrid.tsx';
import { SqlEditor } from './SqlEditor.tsx';

const TEXT_KEY = 'fastpostgres.query.text';

export function QueryPage() {
  const [text, setText] = useState(() => localStorage.getItem(TEXT_KEY) ?? 'select version();');
  const [response, setResponse] = useState<QueryResponse | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [isRunning, setRunning] = useState(false);
  const [isCancelling, setCancelling] = useState(false);
  const [shown, setShown] = useState(0);
  const current = useRef({ text, isRunning });
  current.current = { text, isRunning };
  const schema = useQuery({
    queryKey: keys.schema,
    queryFn: ({ signal }) => api.schema(signal),
    staleTime: 30_000,
  });

  useEffect(() => {
    const timer = setTimeout(() => localStorage.setItem(TEXT_KEY, text), 300);
    return () => clearTimeout(timer);
  }, [text]);

  const run = useCallback(async (sql: string): Promise<void> => {
    if (current.current.isRunning || sql.trim() === '') return;
    current.current.isRunning = true;
    setRunning(true);
    setFailure(null);
    try {
      const answer = await api.query(sql);
      setResponse(answer);
      setShown(Math.max(0, answer.results.length - 1));
    } catch (error) {
      setResponse(null);
      setFailure(error instanceof RequestError ? error.body : { code: 'console', message: String(error) });
    }
    setRunning(false);
    setCancelling(false);
  }, []);

  const cancel = useCallback((): void => {
    if (!current.current.isRunning) return;
    setCancelling(true);
    api.cancel().catch(() => setCancelling(false));
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') cancel();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [cancel]);

  const error = failure ?? response?.error ?? null;
  const result = response?.results[shown];
  return (
    <div className="grid h-full grid-rows-[minmax(8rem,2fr)_auto_3fr]">
      <div className="min-h-0 border-b border-(--line)">
        <SqlEditor
          text={text}
          onChange={setText}
          onRun={(sql) => void run(sql)}
          onCancel={cancel}
          error={error}
          tables={schema.data?.tables ?? []}
        />
      </div>
      <div
        role="toolbar"
        aria-label="Statement"
        className="flex flex-wrap items-center gap-2 border-b border-(--line) bg-(--raised) px-2 py-1"
      >
        <Button
          tone="primary"
          onClick={() => void run(current.current.text)}
          disabled={isRunning}
          title="Ctrl+Enter"
        >
          {isRunning ? 'Running …' : 'Run'}
        </Button>
        <Button tone="danger" onClick={cancel} disabled={!isRunning || isCancelling} title="Esc">
          Cancel
        </Button>
        {response !== null && !isRunning && <Summary response={response} />}
        {response !== null && response.results.length > 1 && (
          <div role="tablist" aria-label="Results" className="ml-auto flex gap-1">
            {response.results.map((one, index) => (
              <button
                key={one.id}
                type="button"
                role="tab"
                aria-selected={index === shown}
                onClick={() => setShown(index)}
                className={`rounded border px-2 py-0.5 ${index === shown ? 'border-(--accent)' : 'border-(--line)'}`}
              >
                {index + 1}: {one.tag}
              </button>
            ))}
          </div>
        )}
      </div>
      <section aria-label="Result" className="flex min-h-0 flex-col">
        {response?.notices.map((notice, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: notices have no identity
          <p key={index} className="m-0 border-b border-(--line) px-3 py-1 text-(--muted)">
            {notice.severity}: {notice.message}
          </p>
        ))}
        {error !== null && <ErrorBox error={error} />}
        {result !== undefined && result.columns.length > 0 ? (
          <div className="min-h-0 flex-1">
            <ResultGrid key={result.id} result={result} />
          </div>
        ) : (
          error === null && (
            <p className="p-3 text-(--muted)">
              {result === undefined ? 'Run a statement with Ctrl+Enter.' : result.tag}
            </p>
          )
        )}
      </section>
    </div>
  );
}

function Summary({ response }: { response: QueryResponse }) {
  const rows = response.results.reduce(
    (sum, result) => sum + (result.columns.length > 0 ? result.rowCount : 0),
    0,
  );
  const state =
    response.transactionStatus === 'T'
      ? ' · in a transaction'
      : response.transactionStatus === 'E'
        ? ' · transaction failed'
        : '';
  return (
    <span role="status" className="text-(--muted)">
      {rows.toLocaleString('en')} {rows === 1 ? 'row' : 'rows'} in {response.durationMillis.toFixed(1)} ms
      {state}
    </span>
  );
}
