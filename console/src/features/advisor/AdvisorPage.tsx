/** Index advice for the recorded workload: what to create, drop or merge, what it gains, and proof by an invisible index. */
import { useState } from 'react';
import { type Advice, type ResponseOf, request } from '../../api/client.ts';
import { formatBytes, formatCount, formatMillis, formatPercent, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate } from '../../lib/router.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { TextField } from '../../ui/fields.tsx';
import { Page, Panel } from '../../ui/Page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { copyText, toast } from '../../ui/toast.tsx';
import { keepPlan } from '../explain/planStore.ts';
import { openTab } from '../query/tabs.ts';

type Run = ResponseOf<'POST /advisor/run'>;
type Verdict = ResponseOf<'POST /advisor/verify'>;
const CONFIDENCE: Readonly<Record<Advice['confidence'], Tone>> = {
  estimated: 'plain',
  sampled: 'accent',
  verified: 'good',
};
/** Kept while other pages are looked at. */
let lastRun: Run | null = null;

export function AdvisorPage() {
  const [run, setRun] = useState<Run | null>(lastRun);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [budget, setBudget] = useState('');
  const [minimum, setMinimum] = useState('');
  const [isRejectedShown, setRejectedShown] = useState(false);
  const start = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const mebibytes = (text: string): number => Math.round(Number(text) * 1024 * 1024);
      const answer = await request('POST /advisor/run', {
        body: {
          ...(budget === '' ? {} : { budgetBytes: mebibytes(budget) }),
          ...(minimum === '' ? {} : { minTableBytes: mebibytes(minimum) }),
        },
      });
      lastRun = answer;
      setRun(answer);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <Page
      title={t('Advisor')}
      actions={
        <Button tone="primary" icon="advisor" disabled={isBusy} onClick={() => void start()}>
          {isBusy ? t('Thinking …') : t('Advise')}
        </Button>
      }
    >
      <div className="mx-auto flex max-w-5xl flex-col gap-3">
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <TextField
            label={t('At most (MiB) for all new indexes')}
            type="number"
            min={0}
            step="any"
            placeholder={t('no limit')}
            value={budget}
            onChange={(event) => setBudget(event.target.value)}
          />
          <TextField
            label={t('Only tables from (MiB)')}
            type="number"
            min={0}
            step="any"
            placeholder="1"
            value={minimum}
            onChange={(event) => setMinimum(event.target.value)}
          />
        </form>
        {error !== null && <Failure error={error} />}
        {isBusy && run === null && <Loading />}
        {run === null && !isBusy && error === null && (
          <Empty title={t('Indexes for what this server is really asked.')}>
            <p className="m-0">
              {t(
                'Advice comes from the recorded statements, costed by the planner with indexes that do not exist, and can be proved before it is believed.',
              )}
            </p>
          </Empty>
        )}
        {run !== null && (
          <>
            <p role="status" className="m-0 text-(--muted)">
              {t(
                '{statements} statements, {candidates} candidates, {calls} plans in {time}. Cost of the workload: {before} → {after} ({gain} less).',
                {
                  statements: formatCount(run.statementsConsidered),
                  candidates: formatCount(run.candidates),
                  calls: formatCount(run.plannerCalls),
                  time: formatMillis(run.durationMillis),
                  before: formatShort(run.costBefore),
                  after: formatShort(run.costAfter),
                  gain: formatPercent(run.costBefore > 0 ? 1 - run.costAfter / run.costBefore : 0),
                },
              )}
            </p>
            {run.advice.length === 0 && (
              <Empty title={t('No index would help.')}>
                {t('See below what was considered and why not.')}
              </Empty>
            )}
            {run.advice.map((advice) => (
              <AdviceCard key={advice.id} advice={advice} />
            ))}
            {run.rejected.length > 0 && (
              <Panel
                title={t('Considered and not advised ({count})', { count: run.rejected.length })}
                actions={
                  <Button aria-expanded={isRejectedShown} onClick={() => setRejectedShown(!isRejectedShown)}>
                    {isRejectedShown ? t('Hide') : t('Show')}
                  </Button>
                }
              >
                {isRejectedShown && (
                  <DataTable
                    label={t('Considered and not advised')}
                    rows={run.rejected}
                    keyOf={(one) => one.sql}
                    columns={[
                      { id: 'sql', title: t('Index'), isMono: true, cell: (one) => one.sql },
                      { id: 'reason', title: t('Why not'), cell: (one) => one.reason },
                    ]}
                  />
                )}
              </Panel>
            )}
          </>
        )}
        <WhatIf />
      </div>
    </Page>
  );
}

function AdviceCard({ advice }: { advice: Advice }) {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const verify = async (isPublished: boolean): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const answer = await request('POST /advisor/verify', { body: { sql: advice.sql, isPublished } });
      setVerdict(answer);
      if (answer.isPublished) toast(t('The index is in use.'));
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const statements = verdict?.statements ?? advice.statements;
  return (
    <article className="rounded border border-(--line) p-3">
      <header className="flex flex-wrap items-center gap-2">
        <Badge tone={advice.kind === 'drop' ? 'warn' : 'accent'}>
          {{ create: t('create'), drop: t('drop'), merge: t('merge') }[advice.kind]}
        </Badge>
        <strong className="min-w-60 flex-1">{advice.sentence}</strong>
        <Badge tone={verdict === null ? CONFIDENCE[advice.confidence] : 'good'}>
          {verdict === null ? advice.confidence : t('verified')}
        </Badge>
      </header>
      <pre className="mono my-2 rounded border border-(--line) bg-(--raised) p-2 break-words whitespace-pre-wrap">
        {advice.sql}
      </pre>
      <p className="m-0 text-(--muted)">
        {t('gain {gain} · writes +{writes} · about {size}', {
          gain: formatPercent(advice.gain),
          writes: formatPercent(advice.writeCost),
          size: formatBytes(advice.sizeBytes),
        })}
      </p>
      {verdict !== null && (
        <p
          role="status"
          className={`m-0 mt-1 font-semibold ${verdict.verdict === 'better' ? 'text-(--good)' : 'text-(--warn)'}`}
        >
          {verdict.sentence}
        </p>
      )}
      {error !== null && <Failure error={error} />}
      {statements.length > 0 && (
        <details className="mt-2">
          <summary className="cursor-pointer">
            {t('{count} statements', { count: statements.length })}
          </summary>
          <DataTable
            label={t('Statements')}
            rows={statements}
            keyOf={(one) => one.queryId + one.query}
            columns={[
              {
                id: 'query',
                title: t('Statement'),
                isMono: true,
                className: 'max-w-lg',
                cell: (one) => <span className="line-clamp-2 break-all">{one.query}</span>,
              },
              {
                id: 'calls',
                title: t('Calls'),
                isNumber: true,
                cell: (one) => formatCount(one.calls),
                sort: (one) => one.calls,
              },
              {
                id: 'before',
                title: t('Cost before'),
                isNumber: true,
                cell: (one) => formatShort(one.costBefore),
                sort: (one) => one.costBefore,
              },
              {
                id: 'after',
                title: t('Cost after'),
                isNumber: true,
                cell: (one) => formatShort(one.costAfter),
                sort: (one) => one.costAfter,
              },
              {
                id: 'millisBefore',
                title: t('Measured before'),
                isNumber: true,
                cell: (one) => (one.millisBefore === null ? '–' : formatMillis(one.millisBefore)),
              },
              {
                id: 'millisAfter',
                title: t('Measured after'),
                isNumber: true,
                cell: (one) => (one.millisAfter === null ? '–' : formatMillis(one.millisAfter)),
              },
            ]}
          />
        </details>
      )}
      <footer className="mt-2 flex flex-wrap gap-2">
        {advice.kind === 'create' && (
          <>
            <Button disabled={isBusy} onClick={() => void verify(false)}>
              {isBusy ? t('Building and replaying …') : t('Prove it')}
            </Button>
            <Button tone="primary" disabled={isBusy} onClick={() => void verify(true)}>
              {t('Create if it is better')}
            </Button>
          </>
        )}
        <Button
          onClick={() => {
            openTab(advice.sql);
            navigate(['query']);
          }}
        >
          {t('Open in the editor')}
        </Button>
        <Button icon="copy" onClick={() => void copyText(advice.undoSql, t('SQL copied.'))}>
          {t('Copy the way back')}
        </Button>
      </footer>
    </article>
  );
}

/** Cost of one statement with indexes that do not exist. */
function WhatIf() {
  const [sql, setSql] = useState('');
  const [indexes, setIndexes] = useState('');
  const [answer, setAnswer] = useState<ResponseOf<'POST /advisor/what-if'> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const ask = async (): Promise<void> => {
    setError(null);
    try {
      const list = indexes
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
      setAnswer(
        await request('POST /advisor/what-if', { body: { sql: sql.replace(/;\s*$/, ''), indexes: list } }),
      );
    } catch (failure) {
      setError(failure);
      setAnswer(null);
    }
  };
  return (
    <Panel title={t('What if there were an index?')}>
      <form
        className="grid gap-2 p-2 md:grid-cols-2"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <textarea
          aria-label={t('Statement')}
          placeholder={t('Statement')}
          className="mono h-24 rounded border border-(--line) p-2"
          value={sql}
          onChange={(event) => setSql(event.target.value)}
        />
        <textarea
          aria-label={t('Indexes, one a line')}
          placeholder={t('create index on orders (customer), one a line')}
          className="mono h-24 rounded border border-(--line) p-2"
          value={indexes}
          onChange={(event) => setIndexes(event.target.value)}
        />
        <div className="flex flex-wrap items-center gap-2 md:col-span-2">
          <Button type="submit" disabled={sql.trim() === '' || indexes.trim() === ''}>
            {t('Ask the planner')}
          </Button>
          {answer !== null && (
            <>
              <span role="status">
                {t('cost {before} → {after}', {
                  before: formatShort(answer.costBefore),
                  after: formatShort(answer.costAfter),
                })}
                {answer.usedIndexes.length === 0
                  ? ` · ${t('the planner would not use it')}`
                  : ` · ${answer.usedIndexes.join(', ')}`}
              </span>
              <Button
                onClick={() => {
                  const before = keepPlan(answer.planBefore, sql, t('without'));
                  const after = keepPlan(answer.planAfter, sql, t('with the index'));
                  navigate(['explain', after.id], { with: before.id });
                }}
              >
                {t('Compare the plans')}
              </Button>
            </>
          )}
        </div>
        {error !== null && <Failure error={error} />}
      </form>
    </Panel>
  );
}
