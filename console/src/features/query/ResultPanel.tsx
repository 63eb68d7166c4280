/** Results of a run: a tab for each statement, its messages, and where an error is. */
import { formatMillis } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { verbOf } from '../../lib/sql/statements.ts';
import { Button } from '../../ui/Button.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { ResultView } from '../results/ResultView.tsx';
import type { Mark } from './fixes.ts';
import { type RunState, showOutcome } from './runner.ts';

interface Props {
  tab: string;
  run: RunState;
  marks: readonly Mark[];
  onReveal: (offset: number) => void;
  onFix: (mark: Mark, index: number) => void;
}

export function ResultPanel({ tab, run, marks, onReveal, onFix }: Props) {
  const { outcomes } = run;
  const shown = outcomes.find((outcome) => outcome.key === run.shown) ?? outcomes[outcomes.length - 1];
  if (shown === undefined) {
    return (
      <p className="m-0 p-3 text-(--muted)">
        {run.isRunning ? t('Running …') : t('Run the statement at the caret with Ctrl+Enter.')}
      </p>
    );
  }
  const mark = marks.find((one) => one.error === shown.error);
  return (
    <section
      aria-label={t('Results')}
      className={`flex h-full min-h-0 flex-col ${run.isRunning ? 'opacity-90' : ''}`}
    >
      {outcomes.length > 1 && (
        <Tabs
          label={t('Results')}
          className="shrink-0 border-b border-(--line) bg-(--raised) px-1 pt-1"
          selected={shown.key}
          onSelect={(key) => showOutcome(tab, key)}
          items={outcomes.map((outcome, index) => ({
            id: outcome.key,
            title: outcome.statement.text.slice(0, 500),
            label: (
              <span className={outcome.error === null ? '' : 'text-(--danger)'}>
                {index + 1}:{' '}
                {outcome.result?.tag ??
                  (outcome.error === null ? verbOf(outcome.statement.text) : t('Error'))}
              </span>
            ),
          }))}
        />
      )}
      <div className="flex shrink-0 flex-wrap items-center gap-2 px-2 py-0.5 text-(--muted)">
        <span role="status">
          {shown.error === null
            ? `${shown.result?.tag ?? t('Done')} · ${formatMillis(shown.durationMillis)}`
            : t('Failed after {time}', { time: formatMillis(shown.durationMillis) })}
        </span>
        {outcomes.length > 1 && (
          <button
            type="button"
            className="mono min-h-6 max-w-full truncate text-left hover:text-(--text)"
            title={t('Show in the editor')}
            onClick={() => onReveal(shown.statement.start)}
          >
            {shown.statement.text.replace(/\s+/g, ' ').slice(0, 120)}
          </button>
        )}
      </div>
      {shown.notices.length > 0 && (
        <div className="max-h-32 shrink-0 overflow-auto border-b border-(--line)">
          {shown.notices.map((notice, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: notices have no identity
            <p key={index} className="m-0 px-3 py-0.5 text-(--muted)">
              {notice.severity}: {notice.message}
              {notice.hint !== undefined && ` (${notice.hint})`}
            </p>
          ))}
        </div>
      )}
      {shown.error !== null && (
        <div className="shrink-0 overflow-auto">
          <ErrorBox error={shown.error} />
          <div className="flex flex-wrap gap-2 px-2 pb-2">
            {shown.errorOffset !== null && (
              <Button onClick={() => onReveal(shown.errorOffset ?? 0)}>{t('Show the place')}</Button>
            )}
            {mark?.fixes.map((fix, index) => (
              <Button key={`${fix.start} ${fix.text}`} icon="check" onClick={() => onFix(mark, index)}>
                {fix.title}
              </Button>
            ))}
          </div>
        </div>
      )}
      {shown.result !== null && shown.result.columns.length > 0 && (
        <div className="min-h-0 flex-1 border-t border-(--line)">
          <ResultView key={shown.result.id} result={shown.result} />
        </div>
      )}
    </section>
  );
}
