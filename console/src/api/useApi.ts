/** Reading a route of the API in a component, with caching and refreshing by react-query. */
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { type EndpointKey, type Input, type ResponseOf, request } from './client.ts';

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
