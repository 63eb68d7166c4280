/** Commands that the palette lists. Pages add theirs while they are shown. */
import { useEffect, useSyncExternalStore } from 'react';

export interface Command {
  readonly id: string;
  readonly title: string;
  /** Shown beside the title, as on the key caps. */
  readonly keys?: string;
  readonly run: () => void;
}

let groups: readonly (readonly Command[])[] = [];
let all: readonly Command[] = [];
const listeners = new Set<() => void>();

function set(next: readonly (readonly Command[])[]): void {
  groups = next;
  all = next.flat();
  for (const listener of listeners) listener();
}

/** Offers commands as long as the component is there. The list must be stable (useMemo). */
export function useCommands(commands: readonly Command[]): void {
  useEffect(() => {
    set([...groups, commands]);
    return () => set(groups.filter((group) => group !== commands));
  }, [commands]);
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => all,
  );
}
