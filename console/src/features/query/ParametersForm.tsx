import { t } from '../../lib/messages.ts';
import { isTypeName, type ParameterValue } from '../../lib/sql/parameters.ts';
import { CheckField, TextField } from '../../ui/fields.tsx';

const TYPES = [
  'text',
  'integer',
  'bigint',
  'numeric',
  'boolean',
  'date',
  'timestamptz',
  'uuid',
  'jsonb',
  'text[]',
  'integer[]',
];
const EMPTY: ParameterValue = { value: '', type: '' };

interface Props {
  names: readonly string[];
  values: Readonly<Record<string, ParameterValue>>;
  onChange: (values: Readonly<Record<string, ParameterValue>>) => void;
}

/** Values of `$1` and `:name` of the statement at the caret; remembered with the tab. */
export function ParametersForm({ names, values, onChange }: Props) {
  const change = (name: string, part: Partial<ParameterValue>): void =>
    onChange({ ...values, [name]: { ...(values[name] ?? EMPTY), ...part } });
  return (
    <form
      aria-label={t('Parameters')}
      className="flex max-h-40 flex-wrap gap-x-4 gap-y-1 overflow-auto border-b border-(--line) bg-(--raised) px-2 py-1"
      onSubmit={(event) => event.preventDefault()}
    >
      {names.map((name) => {
        const current = values[name] ?? EMPTY;
        return (
          <fieldset key={name} className="m-0 flex items-center gap-1.5 border-0 p-0">
            <legend className="sr-only">{name}</legend>
            <span className="mono text-(--muted)">{name}</span>
            <TextField
              label={t('Value of {name}', { name })}
              isLabelHidden
              className="mono w-40"
              disabled={current.value === null}
              value={current.value ?? ''}
              onChange={(event) => change(name, { value: event.target.value })}
            />
            <TextField
              label={t('Type of {name}', { name })}
              isLabelHidden
              className="mono w-28"
              list="parameter-types"
              placeholder={t('type')}
              aria-invalid={current.type !== '' && !isTypeName(current.type)}
              value={current.type}
              onChange={(event) => change(name, { type: event.target.value })}
            />
            <CheckField
              label="NULL"
              checked={current.value === null}
              onChange={(event) => change(name, { value: event.target.checked ? null : '' })}
            />
          </fieldset>
        );
      })}
      <datalist id="parameter-types">
        {TYPES.map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
    </form>
  );
}
