import type { ReactNode } from 'react';

/** The frame of a page: a heading with its actions, and a body that scrolls. */
export function Page({
  title,
  actions,
  children,
  isPadded = true,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  isPadded?: boolean;
}) {
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-2 border-b border-(--line) px-3 py-1.5">
        <h1 className="m-0 text-sm font-semibold">{title}</h1>
        <div className="flex min-w-0 flex-1 flex-wrap items-center justify-end gap-2">{actions}</div>
      </header>
      <div className={`min-h-0 flex-1 overflow-auto ${isPadded ? 'p-3' : ''}`}>{children}</div>
    </div>
  );
}

export function Panel({
  title,
  actions,
  children,
  className = '',
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section
      className={`min-w-0 rounded border border-(--line) bg-(--surface) ${className}`}
      aria-label={title}
    >
      <header className="flex flex-wrap items-center gap-2 border-b border-(--line) bg-(--raised) px-2 py-1">
        <h2 className="m-0 flex-1 text-xs font-semibold">{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}
