import type { KeyboardEvent, ReactNode } from 'react';

export interface TabItem {
  readonly id: string;
  readonly label: ReactNode;
  readonly title?: string;
  readonly onClose?: () => void;
}

interface Props {
  label: string;
  items: readonly TabItem[];
  selected: string;
  onSelect: (id: string) => void;
  className?: string;
}

/** A row of tabs: arrow keys move, Home and End go to the ends, Delete closes one that can be closed. */
export function Tabs({ label, items, selected, onSelect, className = '' }: Props) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const at = items.findIndex((item) => item.id === selected);
    const wanted =
      event.key === 'ArrowRight'
        ? (at + 1) % items.length
        : event.key === 'ArrowLeft'
          ? (at - 1 + items.length) % items.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? items.length - 1
              : -1;
    if (event.key === 'Delete') items[at]?.onClose?.();
    if (wanted < 0) return;
    event.preventDefault();
    onSelect(items[wanted].id);
    (event.currentTarget.querySelectorAll('[role=tab]')[wanted] as HTMLElement | undefined)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label={label}
      onKeyDown={onKeyDown}
      className={`flex min-w-0 gap-0.5 overflow-x-auto ${className}`}
    >
      {items.map((item) => (
        <button
          key={item.id}
          type="button"
          role="tab"
          tabIndex={item.id === selected ? 0 : -1}
          aria-selected={item.id === selected}
          title={item.title}
          onClick={() => onSelect(item.id)}
          onAuxClick={(event) => {
            if (event.button === 1) item.onClose?.();
          }}
          className={`flex shrink-0 items-center gap-1 rounded-t border border-b-2 px-2 py-1 whitespace-nowrap ${item.id === selected ? 'border-(--line) border-b-(--accent) bg-(--surface) text-(--text)' : 'border-transparent text-(--muted) hover:text-(--text)'}`}
        >
          {item.label}
        </button>
      ))}
    </div>
  );
}
