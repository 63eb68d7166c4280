import { type ReactNode, useEffect, useId, useRef } from 'react';
import { t } from '../lib/messages.ts';
import { IconButton } from './Button.tsx';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at the foot. */
  actions?: ReactNode;
  className?: string;
}

/** A modal dialog of the browser's own: it keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, children, actions, className = 'w-[40rem]' }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element !== null && !element.open) element.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // In a search field the browser would only empty the field.
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
      className={`max-w-[96vw] ${className}`}
    >
      <div className="flex max-h-[92vh] flex-col">
        <header className="flex items-center gap-2 border-b border-(--line) px-3 py-2">
          <h2 id={titleId} className="m-0 flex-1 text-sm font-semibold">
            {title}
          </h2>
          <IconButton label={t('Close')} icon="close" onClick={onClose} />
        </header>
        <div className="min-h-0 overflow-auto p-3">{children}</div>
        {actions !== undefined && (
          <footer className="flex flex-wrap justify-end gap-2 border-t border-(--line) px-3 py-2">
            {actions}
          </footer>
        )}
      </div>
    </dialog>
  );
}
