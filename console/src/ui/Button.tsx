import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './Icon.tsx';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: 'plain' | 'primary' | 'danger' | 'quiet';
  icon?: IconName;
}

const TONES = {
  plain: 'border-(--line) bg-(--raised) text-(--text) hover:border-(--accent)',
  primary: 'border-transparent bg-(--accent) text-(--accent-text) hover:opacity-90',
  danger: 'border-(--danger) bg-(--danger-surface) text-(--danger) hover:opacity-90',
  quiet: 'border-transparent bg-transparent text-(--text) hover:bg-(--sunken)',
};

export function Button({ tone = 'plain', icon, className = '', children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex min-h-6 items-center gap-1.5 rounded border px-2 py-0.5 whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50 ${TONES[tone]} ${className}`}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<Props, 'aria-label' | 'children' | 'icon'> {
  label: string;
  icon: IconName;
}

/** A button that shows only an icon; its label is spoken and shown on hover. */
export function IconButton({ label, icon, tone = 'quiet', ...rest }: IconButtonProps) {
  return (
    <Button
      {...rest}
      tone={tone}
      aria-label={label}
      title={rest.title ?? label}
      className={`px-1 ${rest.className ?? ''}`}
    >
      <Icon name={icon} />
    </Button>
  );
}
