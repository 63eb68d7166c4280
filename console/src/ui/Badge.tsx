import type { ReactNode } from 'react';

const TONES = {
  plain: 'border-(--line) text-(--muted)',
  good: 'border-(--good) bg-(--good-surface) text-(--good)',
  warn: 'border-(--warn) bg-(--warn-surface) text-(--warn)',
  danger: 'border-(--danger) bg-(--danger-surface) text-(--danger)',
  accent: 'border-(--accent) bg-(--accent-surface) text-(--accent)',
};
export type Tone = keyof typeof TONES;

export function Badge({
  tone = 'plain',
  children,
  title,
}: {
  tone?: Tone;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={`inline-block rounded border px-1.5 text-xs leading-5 whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}
