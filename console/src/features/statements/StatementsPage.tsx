/** Statements by what they cost: time, calls, rows, blocks, log; each with its histogram and the plans it had; slow ones. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type QueryOf, request, type StatementDetails } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatBytes, formatCount, formatMillis, formatPercent, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate, patchParams, useRoute } from '../../lib/router.ts';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { SelectField, TextField } from '../../ui/fields.tsx';
import { Page, Panel } from '../../ui/Page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { keepPlan } from '../explain/planStore.ts';
import { openTab } from '../query/tabs.ts';

type Order = NonNullable<QueryOf<'GET /monitor/statements'>['order']>;
const ORDERS: readonly Order[] = [
  'total_time',
  'mean_time',
  'max_time',
  'calls',
  'rows',
  'blocks',
  'wal_bytes',
];

export function StatementsPage() {
  const { path, params } = useRoute();
  const id = path[1];
  const tab = params.get('tab') ?? 'top';
  if (id !== undefined) return <Statement queryId={id} />;
  return (
    <Page title={t('Statements')} isPadded={false}>
      <Tabs
        label={t('Statements')}
        className="border-b border-(--line) bg-(--raised) px-1 pt-1"
        selected={tab}
        onSelect={(next) => patchParams({ tab: next }, {})}
        items={[
          { id: 'top', label: t('Top') },
          { id: 'slow', label: t('Slow') },
        ]}
      />
      {tab === 'slow' ? <Slow /> : <Top />}
    </Page>
  );
}

function Top() {
  const client = useQueryClient();
  const { params } = useRoute();
  const order = (params.get('order') ?? 'total_time') as Order;
  const search = params.get('search') ?? '';
  const [isAsking, setAsking] = useState(false);
  const top = useApi(
    'GET /monitor/statements',
    { query: { order, limit: 200, ...(search === '' ? {} : { search }) } },
    { refresh: 5000 },
  );
  const reset = async (): Promise<void> => {
    setAsking(false);
    await request('POST /monitor/statements/reset').catch((error) => toast(String(error), { isError: true }));
    await client.invalidateQueries({ queryKey: ['GET /monitor/statements'] });
  };
  const names: Readonly<Record<Order, string>> = {
    total_time: t('total time'),
    mean_time: t('mean time'),
    max_time: t('longest time'),
    calls: t('calls'),
    rows: t('rows'),
    blocks: t('blocks'),
    wal_bytes: t('log written'),
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-2 py-1">
        <SelectField
          label={t('Order')}
          isLabelHidden
          value={order}
          onChange={(event) => patchParams({ order: event.target.value })}
        >
          {ORDERS.map((one) => (
            <option key={one} value={one}>
              {t('by {what}', { what: names[one] })}
            </option>
          ))}
        </SelectField>
        <TextField
          label={t('Search statements')}
          isLabelHidden
          type="search"
          placeholder={t('Search statements')}
          value={search}
          onChange={(event) => patchParams({ search: event.target.value })}
        />
        <span className="flex-1 text-(--muted)">
          {top.data?.since != null &&
            t('since {time}', { time: new Date(top.data.since).toLocaleString('en-GB') })}
        </span>
        <Button onClick={() => setAsking(true)}>{t('Forget all')}</Button>
      </div>
      {top.isError ? (
        <Failure error={top.error} onRetry={() => void top.refetch()} />
      ) : top.data === undefined ? (
        <Loading />
      ) : (
        <DataTable
          label={t('Statements')}
          rows={top.data.statements}
          keyOf={(one) => `${one.queryId} ${one.user}`}
          empty={t('No statement yet.')}
          onOpen={(one) => navigate(['statements', one.queryId])}
          columns={[
            {
              id: 'query',
              title: t('Statement'),
              isMono: true,
              className: 'max-w-xl min-w-60',
              cell: (one) => (
                <span className="line-clamp-2 break-all">{(one.query ?? '').replace(/\s+/g, ' ')}</span>
              ),
            },
            {
              id: 'share',
              title: t('Share'),
              isNumber: true,
              cell: (one) => (
                <span className="flex items-center justify-end gap-2">
                  <span
                    className="block h-2 bg-(--series-2)"
                    style={{ width: `${Math.round(one.share * 60)}px` }}
                  />
                  {formatPercent(one.share)}
                </span>
              ),
              sort: (one) => one.share,
            },
            {
              id: 'total',
              title: t('Total'),
              isNumber: true,
              cell: (one) => formatMillis(one.totalMillis),
              sort: (one) => one.totalMillis,
            },
            {
              id: 'calls',
              title: t('Calls'),
              isNumber: true,
              cell: (one) => formatCount(one.calls),
              sort: (one) => Number(one.calls),
            },
            {
              id: 'mean',
              title: t('Mean'),
              isNumber: true,
              cell: (one) => formatMillis(one.meanMillis),
              sort: (one) => one.meanMillis,
            },
            {
              id: 'p95',
              title: 'p95',
              isNumber: true,
              cell: (one) => formatMillis(one.p95Millis),
              sort: (one) => one.p95Millis,
            },
            {
              id: 'p99',
              title: 'p99',
              isNumber: true,
              cell: (one) => formatMillis(one.p99Millis),
              sort: (one) => one.p99Millis,
            },
            {
              id: 'max',
              title: t('Longest'),
              isNumber: true,
              cell: (one) => formatMillis(one.maxMillis),
              sort: (one) => one.maxMillis,
            },
            {
              id: 'rows',
              title: t('Rows'),
              isNumber: true,
              cell: (one) => formatCount(one.rows),
              sort: (one) => Number(one.rows),
            },
            {
              id: 'hit',
              title: t('In memory'),
              isNumber: true,
              cell: (one) => {
                const all = Number(one.blocksHit) + Number(one.blocksRead);
                return all === 0 ? '–' : formatPercent(Number(one.blocksHit) / all, 0);
              },
            },
            {
              id: 'wal',
              title: t('Log'),
              isNumber: true,
              cell: (one) => formatBytes(Number(one.walBytes)),
              sort: (one) => Number(one.walBytes),
            },
            { id: 'user', title: t('Role'), cell: (one) => one.user, sort: (one) => one.user ?? '' },
          ]}
        />
      )}
      {isAsking && (
        <Dialog
          title={t('Forget all statement statistics?')}
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button onClick={() => setAsking(false)}>{t('Keep them')}</Button>
              <Button tone="danger" onClick={() => void reset()}>
                {t('Forget all')}
              </Button>
            </>
          }
        >
          {t('Counting starts anew for every role.')}
        </Dialog>
      )}
    </>
  );
}

function Slow() {
  const slow = useApi('GET /monitor/slow', {}, { refresh: 5000 });
  if (slow.isError) return <Failure error={slow.error} onRetry={() => void slow.refetch()} />;
  if (slow.data === undefined) return <Loading />;
  return (
    <DataTable
      label={t('Slow statements')}
      rows={slow.data.statements}
      keyOf={(one) => `${one.at} ${one.processId} ${one.queryId}`}
      empty={t('No statement took as long as log_min_duration_statement.')}
      columns={[
        {
          id: 'at',
          title: t('At'),
          cell: (one) => new Date(one.at).toLocaleString('en-GB'),
          sort: (one) => one.at,
        },
        {
          id: 'time',
          title: t('Time'),
          isNumber: true,
          cell: (one) => formatMillis(one.durationMillis),
          sort: (one) => one.durationMillis,
        },
        {
          id: 'rows',
          title: t('Rows'),
          isNumber: true,
          cell: (one) => formatCount(one.rows),
          sort: (one) => one.rows,
        },
        { id: 'user', title: t('Role'), cell: (one) => one.user, sort: (one) => one.user },
        {
          id: 'query',
          title: t('Statement'),
          isMono: true,
          className: 'max-w-2xl',
          cell: (one) => <span className="line-clamp-3 break-all">{one.query}</span>,
        },
        {
          id: 'plan',
          title: '',
          cell: (one) =>
            one.plan !== null && (
              <Button onClick={() => openPlan(one.plan ?? '', one.query)}>{t('Plan')}</Button>
            ),
        },
      ]}
    />
  );
}

function openPlan(plan: string, sql: string): void {
  navigate(['explain', keepPlan(plan, sql).id]);
}

function Statement({ queryId }: { queryId: string }) {
  const details = useApi('GET /monitor/statements/:queryId', { params: { queryId } });
  if (details.isError) return <Failure error={details.error} onRetry={() => void details.refetch()} />;
  if (details.data === undefined) return <Loading />;
  const { statement, plans } = details.data;
  const facts: [string, string][] = [
    [t('Calls'), formatCount(statement.calls)],
    [t('Total'), `${formatMillis(statement.totalMillis)} (${formatPercent(statement.share)})`],
    [t('Mean'), `${formatMillis(statement.meanMillis)} ± ${formatMillis(statement.stddevMillis)}`],
    [t('Shortest'), formatMillis(statement.minMillis)],
    ['p50', formatMillis(statement.p50Millis)],
    ['p95', formatMillis(statement.p95Millis)],
    ['p99', formatMillis(statement.p99Millis)],
    [t('Longest'), formatMillis(statement.maxMillis)],
    [t('Rows'), formatCount(statement.rows)],
    [t('Log written'), formatBytes(Number(statement.walBytes))],
    [t('Role'), statement.user ?? '–'],
  ];
  return (
    <Page
      title={t('Statement')}
      actions={
        <>
          <Button
            onClick={() => {
              openTab(statement.query ?? '');
              navigate(['query']);
            }}
          >
            {t('Open in the editor')}
          </Button>
          <Button onClick={() => navigate(['statements'])}>{t('All statements')}</Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <pre className="mono m-0 max-h-64 overflow-auto rounded border border-(--line) bg-(--raised) p-2 break-words whitespace-pre-wrap">
          {statement.query}
        </pre>
        <dl className="m-0 flex flex-wrap gap-x-6 gap-y-2">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt className="text-xs text-(--muted)">{name}</dt>
              <dd className="m-0 font-semibold">{value}</dd>
            </div>
          ))}
        </dl>
        <Panel title={t('How long calls took')}>
          <Histogram histogram={details.data.histogram} />
        </Panel>
        <Panel title={t('Plans it had')}>
          <DataTable
            label={t('Plans it had')}
            rows={plans}
            keyOf={(plan) => plan.planId}
            empty={t('No plan was kept.')}
            columns={[
              { id: 'id', title: t('Plan'), isMono: true, cell: (plan) => plan.planId },
              {
                id: 'first',
                title: t('First seen'),
                cell: (plan) => new Date(plan.firstSeenAt).toLocaleString('en-GB'),
                sort: (plan) => plan.firstSeenAt,
              },
              {
                id: 'last',
                title: t('Last seen'),
                cell: (plan) => new Date(plan.lastSeenAt).toLocaleString('en-GB'),
                sort: (plan) => plan.lastSeenAt,
              },
              {
                id: 'calls',
                title: t('Calls'),
                isNumber: true,
                cell: (plan) => formatCount(plan.calls),
                sort: (plan) => plan.calls,
              },
              {
                id: 'mean',
                title: t('Mean'),
                isNumber: true,
                cell: (plan) => formatMillis(plan.meanMillis),
                sort: (plan) => plan.meanMillis,
              },
              {
                id: 'open',
                title: '',
                cell: (plan) =>
                  plan.plan !== null && (
                    <Button onClick={() => openPlan(plan.plan ?? '', statement.query ?? '')}>
                      {t('Show')}
                    </Button>
                  ),
              },
            ]}
          />
        </Panel>
      </div>
    </Page>
  );
}

function Histogram({ histogram }: { histogram: StatementDetails['histogram'] }) {
  const first = histogram.findIndex((bar) => bar.calls > 0);
  if (first < 0) return <p className="m-0 p-3 text-(--muted)">{t('No call yet.')}</p>;
  const last = histogram.findLastIndex((bar) => bar.calls > 0);
  const bars = histogram.slice(Math.max(0, first - 1), last + 2);
  const most = Math.max(...bars.map((bar) => bar.calls));
  return (
    <ol className="m-0 flex h-40 items-end gap-1 overflow-x-auto p-3">
      {bars.map((bar) => (
        <li
          key={String(bar.upToMillis)}
          className="flex h-full min-w-12 flex-1 list-none flex-col justify-end text-center text-xs"
          title={t('{count} calls up to {time}', {
            count: formatCount(bar.calls),
            time: bar.upToMillis === null ? '∞' : formatMillis(bar.upToMillis),
          })}
        >
          <span className="text-(--muted)">{bar.calls > 0 ? formatShort(bar.calls) : ''}</span>
          <span className="block bg-(--series-1)" style={{ height: `${(bar.calls / most) * 70}%` }} />
          <span className="truncate">≤ {bar.upToMillis === null ? '∞' : formatMillis(bar.upToMillis)}</span>
        </li>
      ))}
    </ol>
  );
}
