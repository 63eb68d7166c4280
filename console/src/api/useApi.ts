/** Reading a route of the API in a component, with caching and refreshing by react-query. */
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { addressOf, type EndpointKey, type Input, type ResponseOf, request } from './client.ts';

export interface ReadOptions {
  /** Milliseconds between refreshes; false = none. Nothing is asked while the page is hidden. */
  readonly refresh?: number | false;
  readonly isEnabled?: boolean;
  /** How long an answer counts as fresh. */
  readonly staleMillis?: number;
}

export function useApi<K extends EndpointKey>(
  key: K,
  input: Omit<Input<K>, 'signal'> = {},
  options: ReadOptions = {},
): UseQueryResult<ResponseOf<K>> {
  return useQuery<ResponseOf<K>>({
    queryKey: [key, input],
    queryFn: ({ signal }) => request(key, { ...input, signal }),
    refetchInterval: options.refresh ?? false,
    refetchIntervalInBackground: false,
    enabled: options.isEnabled ?? true,
    staleTime: options.staleMillis ?? 0,
    placeholderData: (previous) => previous,
  });
}

/** Routes whose answers the server also sends by itself, and the names it sends them under. */
const TOPICS = {
  'GET /monitor/overview': 'overview',
  'GET /monitor/sessions': 'sessions',
  'GET /monitor/locks': 'locks',
  'GET /monitor/progress': 'progress',
  'GET /monitor/health': 'health',
} as const satisfies Partial<Record<EndpointKey, string>>;

/** How long a stream that was refused is not asked for again. */
const RETRY_MILLIS = 5000;

function useIsVisible(): boolean {
  const [isVisible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const onChange = (): void => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', onChange);
    return () => document.removeEventListener('visibilitychange', onChange);
  }, []);
  return isVisible;
}

/**
 * As useApi, kept up to date by the server: one stream instead of a request each time. Nothing is sent while the page is hidden.
 * `interval`: milliseconds between answers.
 */
export function useLive<K extends keyof typeof TOPICS>(
  key: K,
  interval: number,
): UseQueryResult<ResponseOf<K>> {
  const client = useQueryClient();
  const isVisible = useIsVisible();
  const answer = useApi(key);
  useEffect(() => {
    if (!isVisible) return;
    const topic = TOPICS[key];
    let source: EventSource | null = null;
    let timer = 0;
    const connect = (): void => {
      const opened = new EventSource(addressOf('GET /live', { query: { topics: topic, interval } }));
      source = opened;
      opened.addEventListener(topic, (event) => {
        client.setQueryData([key, {}], JSON.parse((event as MessageEvent<string>).data) as ResponseOf<K>);
      });
      opened.onerror = () => {
        if (opened.readyState !== EventSource.CLOSED) return;
        // Refused, not interrupted: a plain request tells why, and shows what is now.
        void client.invalidateQueries({ queryKey: [key] });
        timer = window.setTimeout(connect, Math.max(interval, RETRY_MILLIS));
      };
    };
    connect();
    return () => {
      clearTimeout(timer);
      source?.close();
    };
  }, [client, key, interval, isVisible]);
  return answer;
}
