import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from 'react';

const BOX = 'rounded border border-(--line) bg-(--surface) px-1.5 py-0.5 min-h-6 text-(--text)';

interface InputProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  /** The label is only spoken. */
  isLabelHidden?: boolean;
}

export function TextField({ label, isLabelHidden = false, className = '', ...rest }: InputProps) {
  if (isLabelHidden) return <input {...rest} aria-label={label} className={`${BOX} ${className}`} />;
  return (
    <label className="flex flex-col gap-0.5">
      <span className="text-xs text-(--muted)">{label}</span>
      <input {...rest} className={`${BOX} ${className}`} />
    </label>
  );
}

interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
  label: string;
  isLabelHidden?: boolean;
  children: ReactNode;
}

export function SelectField({
  label,
  isLabelHidden = false,
  className = '',
  children,
  ...rest
}: SelectProps) {
  const select = (
    <select {...rest} aria-label={isLabelHidden ? label : undefined} className={`${BOX} ${className}`}>
      {children}
    </select>
  );
  if (isLabelHidden) return select;
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is inside
    <label className="flex flex-col gap-0.5">
      <span className="text-xs text-(--muted)">{label}</span>
      {select}
    </label>
  );
}

export function CheckField({
  label,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> & { label: ReactNode }) {
  return (
    <label className="inline-flex items-center gap-1.5">
      <input {...rest} type="checkbox" className="h-4 w-4 accent-(--accent)" />
      {label}
    </label>
  );
}
