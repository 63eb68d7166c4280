/** The dashboard: tiles of now, charts of the metrics there are by group, waits, top statements. */
import { useMemo } from 'react';
import type { MetricInfo } from '../../api/client.ts';
import { useApi, useLive } from '../../api/useApi.ts';
import { formatBytes, formatCount, formatMillis, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { Page, Panel } from '../../ui/Page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { TimeChart } from '../../ui/TimeChart.tsx';
import { RangeBar } from './RangeBar.tsx';
import { setRange, useRange } from './range.ts';
import { formatMetric } from './units.ts';

const REFRESH_MILLIS = 2000;
const POINTS = 400;

export function DashboardPage() {
  const range = useRange();
  const refresh = range.isLive ? REFRESH_MILLIS : false;
  const overview = useLive('GET /monitor/overview', REFRESH_MILLIS);
  const catalog = useApi('GET /monitor/metrics/catalog', {}, { staleMillis: 600_000 });
  const metrics = useApi(
    'GET /monitor/metrics',
    { query: { from: range.from, to: range.to, points: POINTS } },
    { refresh: false, staleMillis: REFRESH_MILLIS },
  );
  const groups = useMemo(() => groupMetrics(catalog.data?.metrics ?? []), [catalog.data]);
  const byName = useMemo(
    () => new Map((metrics.data?.series ?? []).map((series) => [series.name, series.values])),
    [metrics.data],
  );
  return (
    <Page title={t('Dashboard')} actions={<RangeBar range={range} earliest={Date.now() - 30 * 86_400_000} />}>
      <div className="flex flex-col gap-3">
        {overview.isError ? (
          <Failure error={overview.error} onRetry={() => void overview.refetch()} />
        ) : overview.data === undefined ? (
          <Loading rows={2} />
        ) : (
          <Tiles overview={overview.data} />
        )}
        {catalog.isError ? (
          <Failure error={catalog.error} onRetry={() => void catalog.refetch()} />
        ) : catalog.data === undefined ? (
          <Loading />
        ) : groups.length === 0 ? (
          <Empty title={t('No metric is kept.')} />
        ) : (
          <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,22rem),1fr))] gap-3">
            {groups.map((group) => (
              <Panel key={group.title} title={group.title}>
                <TimeChart
                  label={group.title}
                  times={metrics.data?.times ?? []}
                  series={group.metrics.map((metric) => ({
                    name: metric.label,
                    values: byName.get(metric.info.name) ?? [],
                  }))}
                  format={formatMetric(group.unit)}
                  from={range.from}
                  to={range.to}
                  onRange={setRange}
                />
              </Panel>
            ))}
          </div>
        )}
        {metrics.isError && <Failure error={metrics.error} onRetry={() => void metrics.refetch()} />}
        <div className="grid gap-3 lg:grid-cols-2">
          <Waits refresh={refresh} />
          <TopStatements refresh={refresh} />
        </div>
      </div>
    </Page>
  );
}

interface MetricGroup {
  readonly title: string;
  readonly unit: string;
  readonly metrics: readonly { readonly info: MetricInfo; readonly label: string }[];
}

/** One chart for each group and unit, at most six lines in each. */
function groupMetrics(metrics: readonly MetricInfo[]): MetricGroup[] {
  const groups = new Map<
    string,
    { title: string; unit: string; metrics: { info: MetricInfo; label: string }[] }
  >();
  for (const info of metrics) {
    const unit = info.kind === 'rate' && !info.unit.endsWith('/s') ? `${info.unit}/s` : info.unit;
    let part = 1;
    let key = `${info.group} ${unit}`;
    while ((groups.get(key)?.metrics.length ?? 0) >= 6) key = `${info.group} ${unit} ${++part}`;
    let group = groups.get(key);
    if (group === undefined) {
      const title = part > 1 ? `${info.group} (${part})` : info.group;
      group = {
        title: [...groups.values()].some((one) => one.title === title) ? `${title} · ${unit}` : title,
        unit,
        metrics: [],
      };
      groups.set(key, group);
    }
    group.metrics.push({ info, label: info.name.replace(/^fastpostgres_/, '').replaceAll('_', ' ') });
  }
  return [...groups.values()];
}

type Overview = NonNullable<ReturnType<typeof useApi<'GET /monitor/overview'>>['data']>;

function Tiles({ overview }: { overview: Overview }) {
  const tiles: { name: string; value: string; note?: string; href: string; isBad?: boolean }[] = [
    {
      name: t('Connections'),
      value: `${formatCount(overview.connections)} / ${formatCount(overview.connectionsMax)}`,
      href: '#/activity',
      isBad: overview.connections > overview.connectionsMax * 0.9,
    },
    { name: t('Active'), value: formatCount(overview.activeSessions), href: '#/activity' },
    {
      name: t('Waiting'),
      value: formatCount(overview.waitingSessions),
      href: '#/activity?tab=locks',
      isBad: overview.waitingSessions > 0,
    },
    {
      name: t('Idle in transaction'),
      value: formatCount(overview.idleInTransaction),
      href: '#/activity',
      isBad: overview.idleInTransaction > 10,
    },
    {
      name: t('Database'),
      value: formatBytes(Number(overview.databaseBytes)),
      note: overview.database,
      href: '#/health?tab=storage',
    },
    {
      name: t('Up for'),
      value: formatMillis(overview.now - overview.startedAt),
      note: overview.serverVersion,
      href: '#/health?tab=settings',
    },
  ];
  return (
    <ul className="m-0 grid grid-cols-[repeat(auto-fill,minmax(8.5rem,1fr))] gap-2 p-0" aria-label={t('Now')}>
      {tiles.map((tile) => (
        <li key={tile.name} className="list-none">
          <a
            href={tile.href}
            className={`block h-full rounded border px-3 py-2 no-underline hover:border-(--accent) ${tile.isBad === true ? 'border-(--warn) bg-(--warn-surface) text-(--warn)' : 'border-(--line) bg-(--raised) text-(--text)'}`}
          >
            <span className="block text-xs text-(--muted)">{tile.name}</span>
            <span className="block text-lg leading-6 font-semibold">{tile.value}</span>
            {tile.note !== undefined && (
              <span className="block truncate text-xs text-(--muted)">{tile.note}</span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Waits({ refresh }: { refresh: number | false }) {
  const waits = useApi('GET /monitor/waits', { query: { minutes: 15 } }, { refresh });
  return (
    <Panel title={t('What sessions waited for (15 minutes)')}>
      {waits.isError ? (
        <Failure error={waits.error} />
      ) : waits.data === undefined ? (
        <Loading rows={3} />
      ) : waits.data.events.length === 0 ? (
        <p className="m-0 p-3 text-(--muted)">{t('Nobody waited.')}</p>
      ) : (
        <ul className="m-0 p-2">
          {waits.data.events.slice(0, 12).map((event) => {
            const most = Math.max(...(waits.data?.events ?? []).map((one) => one.averageSessions));
            return (
              <li
                key={`${event.type} ${event.event}`}
                className="grid list-none grid-cols-[minmax(8rem,1fr)_2fr_4rem] items-center gap-2 py-0.5"
              >
                <span className="truncate" title={`${event.type}: ${event.event}`}>
                  <span className="text-(--muted)">{event.type}</span> {event.event}
                </span>
                <span
                  className="block h-3 bg-(--series-1)"
                  style={{ width: `${(event.averageSessions / most) * 100}%` }}
                />
                <span className="text-right" title={t('sessions on average')}>
                  {event.averageSessions.toFixed(2)}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}

function TopStatements({ refresh }: { refresh: number | false }) {
  const top = useApi('GET /monitor/statements', { query: { order: 'total_time', limit: 8 } }, { refresh });
  return (
    <Panel
      title={t('Top statements by time')}
      actions={
        <a href="#/statements" className="text-xs">
          {t('all')}
        </a>
      }
    >
      {top.isError ? (
        <Failure error={top.error} />
      ) : top.data === undefined ? (
        <Loading rows={3} />
      ) : top.data.statements.length === 0 ? (
        <p className="m-0 p-3 text-(--muted)">{t('No statement yet.')}</p>
      ) : (
        <ul className="m-0 p-0">
          {top.data.statements.map((one) => (
            <li key={`${one.queryId} ${one.user}`} className="list-none border-b border-(--line)">
              <a
                href={`#/statements/${one.queryId}`}
                className="grid grid-cols-[3rem_1fr_auto] items-center gap-2 px-2 py-1 text-(--text) no-underline hover:bg-(--raised)"
              >
                <span className="text-right font-semibold">{formatPercent(one.share, 0)}</span>
                <span className="mono truncate">{(one.query ?? '').replace(/\s+/g, ' ')}</span>
                <span className="text-(--muted)">
                  {formatCount(one.calls)} × {formatMillis(one.meanMillis)}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
