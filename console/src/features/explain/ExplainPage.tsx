/** Visual EXPLAIN: plans of our server and pasted ones, in four views that share the selected node; findings; comparison. */
import { useEffect, useMemo, useState } from 'react';
import { request } from '../../api/client.ts';
import { useCommands } from '../../app/commands.ts';
import { formatCount, formatMillis } from '../../lib/format.ts';
import { useIsWide } from '../../lib/media.ts';
import { t } from '../../lib/messages.ts';
import { findingsOf } from '../../lib/plan/findings.ts';
import type { Plan } from '../../lib/plan/model.ts';
import { parsePlan } from '../../lib/plan/parse.ts';
import { navigate, patchParams, useRoute } from '../../lib/router.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { CheckField, SelectField } from '../../ui/fields.tsx';
import { Page, Panel } from '../../ui/Page.tsx';
import { Split } from '../../ui/Split.tsx';
import { Empty, errorOf, Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { copyText } from '../../ui/toast.tsx';
import { openTab } from '../query/tabs.ts';
import { NodeDetails } from './NodeDetails.tsx';
import { PlanCompare } from './PlanCompare.tsx';
import { PlanFlame, PlanTimeline } from './PlanFlame.tsx';
import { PlanTable } from './PlanTable.tsx';
import { PlanTree } from './PlanTree.tsx';
import {
  findPlan,
  forgetPlan,
  keepPlan,
  listPlans,
  packPlan,
  type StoredPlan,
  unpackPlan,
} from './planStore.ts';

const VIEWS = ['tree', 'table', 'flame', 'time', 'text'] as const;
type View = (typeof VIEWS)[number];

export function ExplainPage() {
  const route = useRoute();
  const packed = route.params.get('p');
  const [linkError, setLinkError] = useState<unknown>(null);
  useEffect(() => {
    if (packed === null) return;
    unpackPlan(packed).then(
      ({ plan, sql }) => navigate(['explain', keepPlan(plan, sql).id], {}, { replace: true }),
      () => setLinkError(new Error(t('The link is not whole: the plan in it cannot be read.'))),
    );
  }, [packed]);
  if (packed !== null) return linkError === null ? <Loading /> : <Failure error={linkError} />;
  const id = route.path[1];
  if (id === undefined) return <NewPlan />;
  const stored = findPlan(id);
  if (stored === null)
    return (
      <Empty title={t('This plan is not in this browser.')}>
        <p className="m-0 mb-2">{t('Ask for a link to it: links carry the whole plan.')}</p>
        <Button onClick={() => navigate(['explain'])}>{t('Open another plan')}</Button>
      </Empty>
    );
  return <OpenPlan key={id} stored={stored} />;
}

function NewPlan() {
  const [text, setText] = useState('');
  const [isAnalyzed, setAnalyzed] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [, setVersion] = useState(0);
  const looksPlan = /"Plan"\s*:|"Node Type"|->|\(cost=|\(actual /.test(text);
  const open = async (): Promise<void> => {
    setError(null);
    try {
      if (looksPlan) {
        parsePlan(text);
        navigate(['explain', keepPlan(text, '').id]);
        return;
      }
      setBusy(true);
      const sql = text.replace(/;\s*$/, '');
      const answer = await request('POST /explain', { body: { sql, analyze: isAnalyzed } });
      navigate(['explain', keepPlan(answer.plan, sql).id]);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const plans = listPlans();
  return (
    <Page title={t('Explain')}>
      <div className="mx-auto grid max-w-6xl gap-3 lg:grid-cols-[2fr_1fr]">
        <Panel title={t('A statement or a plan')}>
          <form
            className="flex flex-col gap-2 p-2"
            onSubmit={(event) => {
              event.preventDefault();
              void open();
            }}
          >
            <textarea
              aria-label={t('Statement or plan')}
              value={text}
              spellCheck={false}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void open();
              }}
              placeholder={t(
                'A statement to explain, or the output of EXPLAIN (TEXT or JSON, of this server or PostgreSQL)',
              )}
              className="mono h-72 w-full resize-y rounded border border-(--line) p-2"
            />
            <div className="flex flex-wrap items-center gap-3">
              <Button tone="primary" type="submit" disabled={text.trim() === '' || isBusy}>
                {isBusy
                  ? t('Running …')
                  : looksPlan || text.trim() === ''
                    ? t('Show the plan')
                    : t('Explain')}
              </Button>
              {!looksPlan && (
                <CheckField
                  label={t('Run it (ANALYZE); what it writes is rolled back')}
                  checked={isAnalyzed}
                  onChange={(event) => setAnalyzed(event.target.checked)}
                />
              )}
            </div>
            {error !== null && <ErrorBox error={errorOf(error)} />}
          </form>
        </Panel>
        <Panel title={t('Lately')}>
          {plans.length === 0 ? (
            <Empty title={t('No plan yet.')}>{t('Ctrl E in the query editor explains a statement.')}</Empty>
          ) : (
            <ul className="m-0 p-0">
              {plans.map((plan) => (
                <li key={plan.id} className="flex list-none items-center border-b border-(--line)">
                  <a
                    href={`#/explain/${plan.id}`}
                    className="mono min-w-0 flex-1 truncate px-2 py-1 no-underline hover:underline"
                  >
                    {plan.title}
                  </a>
                  <time className="px-1 text-xs text-(--muted)">
                    {new Date(plan.at).toLocaleTimeString('en-GB')}
                  </time>
                  <IconButton
                    label={t('Forget {name}', { name: plan.title })}
                    icon="close"
                    onClick={() => {
                      forgetPlan(plan.id);
                      setVersion((old) => old + 1);
                    }}
                  />
                </li>
              ))}
            </ul>
          )}
        </Panel>
      </div>
    </Page>
  );
}

const TONES: Readonly<Record<'high' | 'medium' | 'low' | 'good', Tone>> = {
  high: 'danger',
  medium: 'warn',
  low: 'plain',
  good: 'good',
};

function OpenPlan({ stored }: { stored: StoredPlan }) {
  const route = useRoute();
  const isWide = useIsWide();
  const parsed = useMemo((): Plan | Error => {
    try {
      return parsePlan(stored.plan);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }, [stored]);
  const otherId = route.params.get('with');
  const other = useMemo((): Plan | null => {
    const found = otherId === null ? null : findPlan(otherId);
    try {
      return found === null ? null : parsePlan(found.plan);
    } catch {
      return null;
    }
  }, [otherId]);
  const wanted = route.params.get('view') as View | null;
  const view: View = wanted !== null && VIEWS.includes(wanted) ? wanted : 'tree';
  const nodeText = route.params.get('node');
  const count = parsed instanceof Error ? 0 : parsed.nodes.length;
  const selected =
    nodeText !== null && /^\d+$/.test(nodeText) && Number(nodeText) < count ? Number(nodeText) : null;
  const select = (id: number): void => patchParams({ node: String(id) });
  const findings = useMemo(() => (parsed instanceof Error ? [] : findingsOf(parsed)), [parsed]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement | null;
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target?.closest('input, textarea, select') != null
      )
        return;
      const next = VIEWS[Number(event.key) - 1];
      if (next !== undefined) patchParams({ view: next });
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const commands = useMemo(
    () =>
      VIEWS.map((one, index) => ({
        id: `plan ${one}`,
        title: t('Plan as {view}', { view: one }),
        keys: String(index + 1),
        run: () => patchParams({ view: one }),
      })),
    [],
  );
  useCommands(commands);
  if (parsed instanceof Error) return <Failure error={parsed} />;
  const plan = parsed;
  const share = async (): Promise<void> => {
    const address = new URL(location.href);
    address.hash = `#/explain?p=${await packPlan(stored.plan, stored.sql)}`;
    await copyText(address.href, t('Link copied; it carries the whole plan.'));
  };
  const others = listPlans().filter((one) => one.id !== stored.id);
  const shown = selected === null ? null : plan.nodes[selected];
  const names: Readonly<Record<View, string>> = {
    tree: t('Tree'),
    table: t('Table'),
    flame: t('Flame'),
    time: t('Time line'),
    text: t('Text'),
  };
  const picture =
    other !== null ? (
      <PlanCompare before={other} after={plan} selected={selected} onSelect={select} />
    ) : view === 'tree' ? (
      <PlanTree plan={plan} selected={selected} onSelect={select} />
    ) : view === 'table' ? (
      <PlanTable plan={plan} selected={selected} onSelect={select} />
    ) : view === 'flame' ? (
      <PlanFlame plan={plan} selected={selected} onSelect={select} />
    ) : view === 'time' ? (
      <PlanTimeline plan={plan} selected={selected} onSelect={select} />
    ) : (
      <pre className="mono m-0 h-full overflow-auto p-2">{stored.plan}</pre>
    );
  const side = (
    <aside aria-label={t('Findings and node')} className="h-full overflow-auto border-l border-(--line)">
      {findings.length > 0 ? (
        <ul className="m-0 flex flex-col gap-1 border-b border-(--line) p-2" aria-label={t('Findings')}>
          {findings.slice(0, 30).map((finding) => (
            <li key={`${finding.node} ${finding.message}`} className="list-none">
              <button
                type="button"
                onClick={() => select(finding.node)}
                className={`block w-full rounded border px-2 py-1 text-left hover:border-(--accent) ${finding.node === selected ? 'border-(--accent)' : 'border-(--line)'}`}
              >
                <Badge tone={TONES[finding.severity]}>
                  {
                    { high: t('high'), medium: t('medium'), low: t('note'), good: t('good') }[
                      finding.severity
                    ]
                  }
                </Badge>{' '}
                {finding.message}
                {finding.advice !== undefined && (
                  <span className="block text-(--muted)">{finding.advice}</span>
                )}
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <p className="m-0 border-b border-(--line) p-2 text-(--muted)">
          {t('Nothing stands out in this plan.')}
        </p>
      )}
      {shown === null ? (
        <p className="m-0 p-2 text-(--muted)">{t('Select a node to see all about it.')}</p>
      ) : (
        <NodeDetails plan={plan} node={shown} />
      )}
      {stored.sql !== '' && (
        <div className="border-t border-(--line) p-2">
          <pre className="mono m-0 max-h-64 overflow-auto break-words whitespace-pre-wrap">{stored.sql}</pre>
          <Button
            className="mt-2"
            onClick={() => {
              openTab(stored.sql);
              navigate(['query']);
            }}
          >
            {t('Open in the editor')}
          </Button>
        </div>
      )}
    </aside>
  );
  return (
    <Page
      title={t('Explain')}
      isPadded={false}
      actions={
        <>
          <span className="min-w-0 truncate text-(--muted)">
            {plan.totalMillis !== null && `${t('ran {time}', { time: formatMillis(plan.totalMillis) })} · `}
            {plan.planningMillis !== null &&
              `${t('planned {time}', { time: formatMillis(plan.planningMillis) })} · `}
            {t('{count} nodes', { count: formatCount(plan.nodes.length) })}
          </span>
          <SelectField
            label={t('Compare with')}
            isLabelHidden
            className="max-w-44"
            value={otherId ?? ''}
            onChange={(event) => patchParams({ with: event.target.value }, {})}
          >
            <option value="">{t('Compare with …')}</option>
            {others.map((one) => (
              <option key={one.id} value={one.id}>
                {new Date(one.at).toLocaleTimeString('en-GB')} {one.title}
              </option>
            ))}
          </SelectField>
          <Button icon="link" onClick={() => void share()}>
            {t('Copy link')}
          </Button>
          <Button onClick={() => navigate(['explain'])}>{t('Another plan')}</Button>
        </>
      }
    >
      <div className="flex h-full min-h-0 flex-col">
        {other === null && (
          <Tabs
            label={t('View')}
            className="shrink-0 border-b border-(--line) bg-(--raised) px-1 pt-1"
            selected={view}
            onSelect={(id) => patchParams({ view: id })}
            items={VIEWS.map((one) => ({ id: one, label: names[one] }))}
          />
        )}
        <div className="min-h-0 flex-1">
          <Split
            key={String(isWide)}
            name={isWide ? 'explain' : 'explain-narrow'}
            direction={isWide ? 'row' : 'column'}
            initial={isWide ? 70 : 60}
            first={picture}
            second={side}
          />
        </div>
      </div>
    </Page>
  );
}
