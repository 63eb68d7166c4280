/** Tabs of the query page: kept in this browser a moment after each change, so that a crash loses nothing typed. */
import { useSyncExternalStore } from 'react';
import type { ParameterValue } from '../../lib/sql/parameters.ts';
import { loadValue, storeValue } from '../../lib/storage.ts';

export interface QueryTab {
  /** Names the tab's own connection to the server. */
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly isManualCommit: boolean;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** The saved query it was opened from. */
  readonly savedId?: string;
}

interface State {
  readonly tabs: readonly QueryTab[];
  readonly active: string;
}

const NAME = 'query.tabs';
const STORE_MILLIS = 200;
const listeners = new Set<() => void>();
let timer = 0;

function newId(): string {
  return `tab-${Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(36)).join('')}`;
}

function blank(number: number, text = ''): QueryTab {
  return { id: newId(), title: `Query ${number}`, text, isManualCommit: false, parameters: {} };
}

function load(): State {
  const stored = loadValue<State | null>(NAME, null);
  if (stored !== null && Array.isArray(stored.tabs) && stored.tabs.length > 0) {
    const active = stored.tabs.some((tab) => tab.id === stored.active) ? stored.active : stored.tabs[0].id;
    return { tabs: stored.tabs, active };
  }
  const tab = blank(1, 'select version();');
  return { tabs: [tab], active: tab.id };
}

let state = load();

function store(): void {
  clearTimeout(timer);
  storeValue(NAME, state);
}
addEventListener('pagehide', store);

function set(next: State): void {
  state = next;
  clearTimeout(timer);
  timer = window.setTimeout(store, STORE_MILLIS);
  for (const listener of listeners) listener();
}

export function useTabs(): State {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

export function activeTab(): QueryTab {
  return state.tabs.find((tab) => tab.id === state.active) ?? state.tabs[0];
}

export function selectTab(id: string): void {
  if (state.tabs.some((tab) => tab.id === id)) set({ ...state, active: id });
}

export function openTab(text = '', part: Partial<QueryTab> = {}): QueryTab {
  const used = new Set(state.tabs.map((tab) => tab.title));
  let number = state.tabs.length + 1;
  while (used.has(`Query ${number}`)) number++;
  const tab = { ...blank(number, text), ...part };
  set({ tabs: [...state.tabs, tab], active: tab.id });
  return tab;
}

export function changeTab(id: string, part: Partial<QueryTab>): void {
  set({ ...state, tabs: state.tabs.map((tab) => (tab.id === id ? { ...tab, ...part } : tab)) });
}

export function closeTab(id: string): void {
  const at = state.tabs.findIndex((tab) => tab.id === id);
  const tabs = state.tabs.filter((tab) => tab.id !== id);
  if (tabs.length === 0) tabs.push(blank(1));
  const active = state.active === id ? tabs[Math.min(Math.max(0, at), tabs.length - 1)].id : state.active;
  set({ tabs, active });
}
