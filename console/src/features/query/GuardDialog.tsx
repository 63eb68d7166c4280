import { t } from '../../lib/messages.ts';
import type { Danger } from '../../lib/sql/statements.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';

function sentence(danger: Danger): string {
  const { target } = danger;
  switch (danger.kind) {
    case 'update':
      return t('UPDATE without WHERE changes every row of {target}.', { target });
    case 'delete':
      return t('DELETE without WHERE removes every row of {target}.', { target });
    case 'drop':
      return t('DROP removes for good: {target}.', { target });
    case 'truncate':
      return t('TRUNCATE empties: {target}.', { target });
    case 'lockout':
      return t('This may take away your own access: {target}.', { target });
  }
}

/** Asked before statements that lose data without a way back. */
export function GuardDialog({
  dangers,
  onConfirm,
  onClose,
}: {
  dangers: readonly Danger[];
  onConfirm: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog
      title={t('Run this?')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose} autoFocus>
            {t('Do not run')}
          </Button>
          <Button tone="danger" onClick={onConfirm}>
            {t('Run it')}
          </Button>
        </>
      }
    >
      <ul className="m-0 flex flex-col gap-3 p-0">
        {dangers.map((danger, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: dangers have no identity
          <li key={index} className="list-none">
            <p className="m-0 font-semibold text-(--danger)">{sentence(danger)}</p>
            <pre className="mono m-0 mt-1 max-h-32 overflow-auto rounded border border-(--line) bg-(--raised) p-2 whitespace-pre-wrap">
              {danger.statement}
            </pre>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
