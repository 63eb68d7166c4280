/** What a view shows while it has nothing to show: loading, empty, failed. */
import type { ReactNode } from 'react';
import { type ApiError, RequestError } from '../api/client.ts';
import { t } from '../lib/messages.ts';
import { Button } from './Button.tsx';
import { ErrorBox } from './ErrorBox.tsx';

export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" aria-label={t('Loading')} className="flex flex-col gap-2 p-3">
      {Array.from({ length: rows }, (_, index) => (
        <div
          key={`row ${index.toString()}`}
          className="skeleton h-5 rounded"
          style={{ width: `${92 - ((index * 17) % 40)}%` }}
        />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="grid place-items-center p-6 text-center text-(--muted)">
      <div className="max-w-md">
        <p className="m-0 mb-1 text-sm font-semibold text-(--text)">{title}</p>
        {children}
      </div>
    </div>
  );
}

/** Any failure as the API's error. */
export function errorOf(failure: unknown): ApiError {
  if (failure instanceof RequestError) return failure.body;
  return { code: 'console', message: failure instanceof Error ? failure.message : String(failure) };
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div>
      <ErrorBox error={errorOf(error)} />
      {onRetry !== undefined && (
        <div className="px-2">
          <Button icon="refresh" onClick={onRetry}>
            {t('Try again')}
          </Button>
        </div>
      )}
    </div>
  );
}
