/** Short notes that tell that something was done; they leave by themselves and are spoken. */
import { useSyncExternalStore } from 'react';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const SHOWN_MILLIS = 5000;
let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, options: { isError?: boolean } = {}): void {
  const id = nextId++;
  set([...toasts.slice(-3), { id, text, isError: options.isError ?? false }]);
  setTimeout(() => set(toasts.filter((one) => one.id !== id)), SHOWN_MILLIS);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div aria-live="polite" className="pointer-events-none fixed right-3 bottom-12 z-50 flex flex-col gap-2">
      {shown.map((one) => (
        <p
          key={one.id}
          className={`m-0 rounded border px-3 py-2 shadow-lg ${one.isError ? 'border-(--danger) bg-(--danger-surface) text-(--danger)' : 'border-(--line) bg-(--raised)'}`}
        >
          {one.text}
        </p>
      ))}
    </div>
  );
}

/** Puts text on the clipboard and says so. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the permission (plain HTTP from another host): the way of old.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(what);
}
