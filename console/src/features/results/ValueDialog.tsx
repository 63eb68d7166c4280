import { useMemo, useState } from 'react';
import type { Cell, ResultColumn } from '../../api/client.ts';
import { formatBytes, formatCount } from '../../lib/format.ts';
import { indentJson } from '../../lib/json.ts';
import { t } from '../../lib/messages.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { CheckField } from '../../ui/fields.tsx';
import { copyText } from '../../ui/toast.tsx';

/** The whole of a value; JSON can be shown indented, its digits untouched. */
export function ValueDialog({ column, value, onClose }: { column: ResultColumn; value: Cell; onClose: () => void }) {
  const isJson = column.typeOid === 114 || column.typeOid === 3802;
  const [isIndented, setIndented] = useState(isJson);
  const shown = useMemo(() => (value !== null && isIndented ? indentJson(value) : value), [value, isIndented]);
  return (
    <Dialog
      title={`${column.name} · ${column.typeName}`}
      onClose={onClose}
      className="w-[56rem]"
      actions={
        <>
          {isJson && (
            <CheckField label={t('Indented')} checked={isIndented} onChange={(event) => setIndented(event.target.checked)} />
          )}
          <Button icon="copy" onClick={() => void copyText(value ?? '', t('Value copied.'))}>
            {t('Copy')}
          </Button>
        </>
      }
    >
      {value === null ? (
        <em className="text-(--null)">NULL</em>
      ) : (
        <>
          <p className="m-0 mb-2 text-(--muted)">
            {t('{count} characters', { count: formatCount([...value].length) })} ·{' '}
            {formatBytes(new TextEncoder().encode(value).length)}
          </p>
          <pre className="mono m-0 max-h-[60vh] overflow-auto rounded border border-(--line) bg-(--raised) p-2 break-all whitespace-pre-wrap">
            {shown}
          </pre>
        </>
      )}
    </Dialog>
  );
}
