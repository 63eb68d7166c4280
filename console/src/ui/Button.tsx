import type { ButtonHTMLAttributes } from 'react';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: 'plain' | 'primary' | 'danger';
}

const TONES = {
  plain: 'border-(--line) bg-(--raised) text-(--text) hover:border-(--accent)',
  primary: 'border-transparent bg-(--accent) text-(--accent-text) hover:opacity-90',
  danger: 'border-(--danger) bg-(--danger-surface) text-(--danger) hover:opacity-90',
};

export function Button({ tone = 'plain', className = '', ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex items-center gap-1 rounded border px-3 py-1 text-sm disabled:cursor-not-allowed disabled:opacity-50 ${TONES[tone]} ${className}`}
    />
  );
}
