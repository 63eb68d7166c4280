/** Light, dark, high contrast or the system's choice, remembered in this browser. */
import { loadValue, storeValue } from './storage.ts';

export type Theme = 'system' | 'light' | 'dark' | 'contrast';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark', 'contrast'];

const KEY = 'theme';
const listeners = new Set<() => void>();

export function loadTheme(): Theme {
  const stored = loadValue<Theme>(KEY, 'system');
  return THEMES.includes(stored) ? stored : 'system';
}

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  storeValue(KEY, theme);
  for (const listener of listeners) listener();
}

/** Calls back when the drawn theme changes, by choice or by the system. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener('change', listener);
  };
}

/** `contrast` is a dark theme. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  if (theme === undefined) return matchMedia('(prefers-color-scheme: dark)').matches;
  return theme !== 'light';
}

/** Value of a colour of the stylesheet in the theme that is drawn; the stylesheet has most as `light-dark(…, …)`. */
export function themeColour(name: string): string {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const both = /^light-dark\(\s*([^,]+),\s*([^)]+)\)$/.exec(text);
  return both === null ? text : both[isDark() ? 2 : 1].trim();
}

export function isContrast(): boolean {
  return (
    document.documentElement.dataset.theme === 'contrast' ||
    (document.documentElement.dataset.theme === undefined && matchMedia('(prefers-contrast: more)').matches)
  );
}
