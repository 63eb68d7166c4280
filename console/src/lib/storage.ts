/** What this browser remembers: small JSON values by name. A full or forbidden store loses comfort, nothing else. */
import { useCallback, useState } from 'react';

const PREFIX = 'fastpostgres.';

export function loadValue<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function storeValue(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // The store is full or not allowed.
  }
}

/** State that survives a reload. */
export function useStored<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => loadValue(name, otherwise));
  const set = useCallback(
    (next: T): void => {
      setValue(next);
      storeValue(name, next);
    },
    [name],
  );
  return [value, set];
}
