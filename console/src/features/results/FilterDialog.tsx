import { useState } from 'react';
import type { FilterCondition, ResultColumn } from '../../api/client.ts';
import { t } from '../../lib/messages.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { SelectField, TextField } from '../../ui/fields.tsx';
import type { ResultFilter } from './heldRows.ts';

export const OPERATORS: readonly FilterCondition['operator'][] = [
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'contains',
  'starts with',
  'is null',
  'is not null',
  'in',
];

interface Props {
  columns: readonly ResultColumn[];
  column: number;
  filter: ResultFilter;
  onChange: (filter: ResultFilter) => void;
  onClose: () => void;
}

/** Conditions on a result, all of which must hold; the server filters the rows it holds. */
export function FilterDialog({ columns, column, filter, onChange, onClose }: Props) {
  const [conditions, setConditions] = useState<ResultFilter>(() =>
    filter.length > 0 ? filter : [{ column, operator: '=', value: '' }],
  );
  const change = (at: number, part: Partial<ResultFilter[number]>): void =>
    setConditions((old) => old.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <Dialog
      title={t('Filter')}
      onClose={onClose}
      actions={
        <>
          <Button onClick={() => onChange([])}>{t('Clear')}</Button>
          <Button tone="primary" onClick={() => onChange(conditions)}>
            {t('Apply')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-2">
        {conditions.map((condition, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity
          <div key={at} className="flex flex-wrap items-center gap-2">
            <SelectField
              label={t('Column')}
              isLabelHidden
              value={condition.column}
              onChange={(event) => change(at, { column: Number(event.target.value) })}
            >
              {columns.map((one, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat
                <option key={index} value={index}>
                  {one.name}
                </option>
              ))}
            </SelectField>
            <SelectField
              label={t('Operator')}
              isLabelHidden
              value={condition.operator}
              onChange={(event) => change(at, { operator: event.target.value as FilterCondition['operator'] })}
            >
              {OPERATORS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </SelectField>
            {!condition.operator.startsWith('is ') && (
              <TextField
                label={t('Value')}
                isLabelHidden
                className="min-w-0 flex-1"
                value={condition.value ?? ''}
                onChange={(event) => change(at, { value: event.target.value })}
                onKeyDown={(event) => {
                  if (event.key === 'Enter') onChange(conditions);
                }}
              />
            )}
            <IconButton
              label={t('Remove')}
              icon="close"
              onClick={() => setConditions((old) => old.filter((_, index) => index !== at))}
            />
          </div>
        ))}
        <div>
          <Button icon="plus" onClick={() => setConditions((old) => [...old, { column, operator: '=', value: '' }])}>
            {t('Condition')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
