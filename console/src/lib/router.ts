/**
 * The address is the state: `#/page/part/part?name=value`. Every view reads what it shows from here, so that a link, the
 * back button and a reload show the same thing.
 */
import { useMemo, useSyncExternalStore } from 'react';

export interface Route {
  readonly path: readonly string[];
  readonly params: URLSearchParams;
}

export type Params = Readonly<Record<string, string | null | undefined>>;

const listeners = new Set<() => void>();
const notify = (): void => {
  for (const listener of listeners) listener();
};
addEventListener('hashchange', notify);
addEventListener('popstate', notify);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decode),
    params: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view; null and undefined parameters are left out. */
export function href(path: readonly string[], params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, value);
  }
  const query = search.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`;
}

/** Goes to a view. `replace` for changes the back button need not undo one by one (typing in a filter). */
export function navigate(
  path: readonly string[],
  params: Params = {},
  options: { replace?: boolean } = {},
): void {
  const address = href(path, params);
  if (address === location.hash) return;
  if (options.replace === true) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  notify();
}

/** Changes some parameters of the view that is shown. */
export function patchParams(changes: Params, options: { replace?: boolean } = { replace: true }): void {
  const { path, params } = parseRoute(location.hash);
  const next: Record<string, string | null | undefined> = Object.fromEntries(params);
  for (const [name, value] of Object.entries(changes)) next[name] = value;
  navigate(path, next, options);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}
