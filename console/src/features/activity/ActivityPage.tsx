/** Who is connected, what they do, who blocks whom; statements can be cancelled and sessions ended. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type LockNode, type LocksResponse, request, type SessionEntry } from '../../api/client.ts';
import { useLive } from '../../api/useApi.ts';
import { formatCount, formatMillis, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { patchParams, useRoute } from '../../lib/router.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { CheckField, TextField } from '../../ui/fields.tsx';
import { Page } from '../../ui/Page.tsx';
import { errorOf, Failure, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { toast } from '../../ui/toast.tsx';

const REFRESH_MILLIS = 2000;

export function ActivityPage() {
  const { params } = useRoute();
  const tab = params.get('tab') ?? 'sessions';
  return (
    <Page title={t('Activity')} isPadded={false}>
      <Tabs
        label={t('Activity')}
        className="border-b border-(--line) bg-(--raised) px-1 pt-1"
        selected={tab}
        onSelect={(id) => patchParams({ tab: id }, {})}
        items={[
          { id: 'sessions', label: t('Sessions') },
          { id: 'locks', label: t('Blocking') },
          { id: 'groups', label: t('Locks') },
          { id: 'progress', label: t('Progress') },
        ]}
      />
      {tab === 'sessions' ? (
        <Sessions />
      ) : tab === 'progress' ? (
        <Progress />
      ) : (
        <Locks isGrouped={tab === 'groups'} />
      )}
    </Page>
  );
}

const STATES: Readonly<Record<string, Tone>> = {
  active: 'good',
  'idle in transaction': 'warn',
  'idle in transaction (aborted)': 'danger',
};

function useSignal(): (processId: number, action: 'cancel' | 'terminate') => Promise<void> {
  const client = useQueryClient();
  return async (processId, action) => {
    try {
      const { isSent } = await request('POST /monitor/sessions/signal', { body: { processId, action } });
      toast(
        isSent
          ? action === 'cancel'
            ? t('Session {pid} was told to cancel.', { pid: processId })
            : t('Session {pid} was ended.', { pid: processId })
          : t('There is no session {pid} any more.', { pid: processId }),
        { isError: !isSent },
      );
    } catch (error) {
      toast(errorOf(error).message, { isError: true });
    }
    await client.invalidateQueries({ queryKey: ['GET /monitor/sessions'] });
    await client.invalidateQueries({ queryKey: ['GET /monitor/locks'] });
  };
}

function Sessions() {
  const { params } = useRoute();
  const sessions = useLive('GET /monitor/sessions', REFRESH_MILLIS);
  const [ending, setEnding] = useState<SessionEntry | null>(null);
  const [hasIdle, setIdle] = useState(true);
  const signal = useSignal();
  const search = params.get('search') ?? '';
  if (sessions.isError) return <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />;
  if (sessions.data === undefined) return <Loading />;
  const { now } = sessions.data;
  const age = (since: number | null): string =>
    since === null ? '' : formatMillis(Math.max(0, now - since));
  const shown = sessions.data.sessions.filter(
    (session) =>
      (hasIdle || session.state !== 'idle') &&
      `${session.processId} ${session.user} ${session.database} ${session.applicationName} ${session.query}`
        .toLowerCase()
        .includes(search.toLowerCase()),
  );
  return (
    <div className="flex flex-col">
      <div className="flex flex-wrap items-center gap-3 px-2 py-1">
        <TextField
          label={t('Search sessions')}
          isLabelHidden
          type="search"
          placeholder={t('Search sessions')}
          value={search}
          onChange={(event) => patchParams({ search: event.target.value })}
        />
        <CheckField
          label={t('Idle sessions')}
          checked={hasIdle}
          onChange={(event) => setIdle(event.target.checked)}
        />
        <span className="text-(--muted)">{t('{count} sessions', { count: formatCount(shown.length) })}</span>
      </div>
      <DataTable
        label={t('Sessions')}
        rows={shown}
        keyOf={(session) => String(session.processId)}
        empty={t('No other session is connected.')}
        columns={[
          {
            id: 'pid',
            title: t('PID'),
            isNumber: true,
            cell: (session) => session.processId,
            sort: (session) => session.processId,
          },
          {
            id: 'user',
            title: t('Role'),
            cell: (session) => session.user,
            sort: (session) => session.user ?? '',
          },
          {
            id: 'database',
            title: t('Database'),
            cell: (session) => session.database,
            sort: (session) => session.database ?? '',
          },
          {
            id: 'state',
            title: t('State'),
            cell: (session) => (
              <Badge tone={STATES[session.state ?? ''] ?? 'plain'}>
                {session.state ?? session.backendType ?? '–'}
              </Badge>
            ),
            sort: (session) => session.state ?? '',
          },
          {
            id: 'wait',
            title: t('Waits for'),
            cell: (session) => (
              <>
                {session.waitEventType !== null && `${session.waitEventType}: ${session.waitEvent ?? ''}`}
                {session.blockedBy.length > 0 && (
                  <Badge tone="danger">
                    {t('blocked by {pids}', { pids: session.blockedBy.join(', ') })}
                  </Badge>
                )}
              </>
            ),
            sort: (session) => session.waitEventType ?? '',
          },
          {
            id: 'transaction',
            title: t('Transaction'),
            isNumber: true,
            cell: (session) => age(session.transactionStartedAt),
            sort: (session) =>
              session.transactionStartedAt === null ? 0 : now - session.transactionStartedAt,
          },
          {
            id: 'statement',
            title: t('Statement for'),
            isNumber: true,
            cell: (session) => (session.state === 'active' ? age(session.queryStartedAt) : ''),
            sort: (session) =>
              session.state === 'active' && session.queryStartedAt !== null
                ? now - session.queryStartedAt
                : 0,
          },
          {
            id: 'application',
            title: t('Application'),
            cell: (session) => session.applicationName,
            sort: (session) => session.applicationName ?? '',
          },
          { id: 'address', title: t('From'), cell: (session) => session.clientAddress ?? t('local') },
          {
            id: 'query',
            title: t('Statement'),
            isMono: true,
            className: 'max-w-md',
            cell: (session) => (
              <span className="line-clamp-2 break-all" title={session.query ?? undefined}>
                {session.query}
              </span>
            ),
          },
          {
            id: 'actions',
            title: '',
            cell: (session) => (
              <span className="flex gap-1">
                {session.state === 'active' && (
                  <Button onClick={() => void signal(session.processId, 'cancel')}>{t('Cancel')}</Button>
                )}
                <Button tone="danger" onClick={() => setEnding(session)}>
                  {t('End')}
                </Button>
              </span>
            ),
          },
        ]}
      />
      {ending !== null && (
        <Dialog
          title={t('End session {pid}?', { pid: ending.processId })}
          onClose={() => setEnding(null)}
          actions={
            <>
              <Button onClick={() => setEnding(null)}>{t('Keep it')}</Button>
              <Button
                tone="danger"
                onClick={() => {
                  void signal(ending.processId, 'terminate');
                  setEnding(null);
                }}
              >
                {t('End the session')}
              </Button>
            </>
          }
        >
          <p className="m-0">
            {t('Its transaction is rolled back and {user} is disconnected.', { user: ending.user ?? '' })}
          </p>
          <pre className="mono mt-2 mb-0 whitespace-pre-wrap">{ending.query}</pre>
        </Dialog>
      )}
    </div>
  );
}

function Locks({ isGrouped }: { isGrouped: boolean }) {
  const locks = useLive('GET /monitor/locks', REFRESH_MILLIS);
  if (locks.isError) return <Failure error={locks.error} onRetry={() => void locks.refetch()} />;
  if (locks.data === undefined) return <Loading />;
  const { data } = locks;
  if (isGrouped)
    return (
      <>
        <p className="m-0 px-3 py-1 text-(--muted)">
          {t('{total} locks, {waiting} waited for', {
            total: formatCount(data.totalLocks),
            waiting: formatCount(data.waitingLocks),
          })}
        </p>
        <DataTable
          label={t('Locks')}
          rows={data.groups}
          keyOf={(group) => `${group.lockType} ${group.object} ${group.mode}`}
          empty={t('No lock is held.')}
          initialSort={{ column: 'waiting', isDescending: true }}
          columns={[
            {
              id: 'object',
              title: t('Object'),
              isMono: true,
              cell: (group) => group.object,
              sort: (group) => group.object,
            },
            {
              id: 'type',
              title: t('Kind'),
              cell: (group) => group.lockType,
              sort: (group) => group.lockType,
            },
            { id: 'mode', title: t('Mode'), cell: (group) => group.mode, sort: (group) => group.mode },
            {
              id: 'granted',
              title: t('Held'),
              isNumber: true,
              cell: (group) => formatCount(group.granted),
              sort: (group) => group.granted,
            },
            {
              id: 'waiting',
              title: t('Waiting'),
              isNumber: true,
              cell: (group) => formatCount(group.waiting),
              sort: (group) => group.waiting,
            },
          ]}
        />
      </>
    );
  if (data.roots.length === 0)
    return <p className="m-0 p-3 text-(--muted)">{t('Nobody waits for a lock.')}</p>;
  return (
    <div className="flex flex-col gap-3 p-3">
      {data.sentences.map((sentence) => (
        <p
          key={sentence.processId}
          className="m-0 rounded border border-(--warn) bg-(--warn-surface) px-3 py-1 text-(--warn)"
        >
          {sentence.text}
        </p>
      ))}
      <ul className="m-0 p-0" aria-label={t('Blocking forest')}>
        {data.roots.map((root) => (
          <Blocker key={root} node={data.nodes[root]} locks={data} depth={0} />
        ))}
      </ul>
    </div>
  );
}

function Blocker({ node, locks, depth }: { node: LockNode; locks: LocksResponse; depth: number }) {
  const [isOpen, setOpen] = useState(depth < 3);
  const signal = useSignal();
  const since = node.transactionStartedAt;
  return (
    <li className="list-none border-l-2 border-(--line) pl-3">
      <div className="flex flex-wrap items-center gap-2 py-1">
        {node.children.length > 0 && (
          <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? '▾' : '▸'} {t('blocks {count}', { count: formatCount(node.blockedCount) })}
          </Button>
        )}
        <strong>{node.processId}</strong>
        <span>{node.user}</span>
        <Badge tone={STATES[node.state ?? ''] ?? 'plain'}>{node.state ?? '–'}</Badge>
        {since !== null && (
          <span className="text-(--muted)">
            {t('transaction for {age}', { age: formatMillis(locks.now - since) })}
          </span>
        )}
        {node.waitsFor !== null && (
          <Badge tone="danger">
            {t('waits for {mode} on {object}', { mode: node.waitsFor.mode, object: node.waitsFor.object })}
          </Badge>
        )}
        <span className="flex-1" />
        <Button onClick={() => void signal(node.processId, 'cancel')}>{t('Cancel')}</Button>
        <Button tone="danger" onClick={() => void signal(node.processId, 'terminate')}>
          {t('End')}
        </Button>
      </div>
      <p className="mono m-0 line-clamp-2 break-all">{node.query}</p>
      {node.holds.length > 0 && (
        <p className="m-0 text-xs text-(--muted)">
          {t('holds {list}', {
            list: node.holds
              .map(
                (hold) =>
                  `${hold.mode} on ${hold.object}${hold.count > 1 ? ` × ${formatCount(hold.count)}` : ''}`,
              )
              .join(', '),
          })}
        </p>
      )}
      {isOpen && node.children.length > 0 && (
        <ul className="m-0 pl-3">
          {node.children.slice(0, 200).map((child) => (
            <Blocker key={child} node={locks.nodes[child]} locks={locks} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Progress() {
  const progress = useLive('GET /monitor/progress', 500);
  if (progress.isError) return <Failure error={progress.error} onRetry={() => void progress.refetch()} />;
  if (progress.data === undefined) return <Loading />;
  return (
    <DataTable
      label={t('Progress')}
      rows={progress.data.running}
      keyOf={(one) => `${one.processId} ${one.command}`}
      empty={t('No long command is under way.')}
      columns={[
        { id: 'pid', title: t('PID'), isNumber: true, cell: (one) => one.processId },
        { id: 'command', title: t('Command'), cell: (one) => one.command },
        { id: 'relation', title: t('Table'), isMono: true, cell: (one) => one.relation ?? '' },
        { id: 'phase', title: t('Phase'), cell: (one) => one.phase },
        {
          id: 'done',
          title: t('Done'),
          cell: (one) =>
            one.total === null || one.total === 0 ? (
              formatCount(one.done)
            ) : (
              <span className="flex items-center gap-2">
                <progress aria-label={t('Done')} max={one.total} value={one.done} />
                {formatPercent(one.done / one.total, 0)}
              </span>
            ),
        },
      ]}
    />
  );
}
