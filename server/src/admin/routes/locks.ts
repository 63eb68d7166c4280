/** The blocking forest, grouped on the server: a hundred thousand locks are as quick to show as ten. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { LockNode, LocksResponse } from '../contract.ts';
import { type AdminContext, ask, millis } from './context.ts';

const OBJECT = `case when l.relation is not null then coalesce(l.relation::regclass::text, l.relation::text)
  when l.locktype = 'transactionid' then 'transaction ' || l.transactionid::text
  when l.locktype = 'advisory' then 'advisory ' || l.classid::text || '/' || l.objid::text else l.locktype end`;

const GROUPS = `
select l.locktype, ${OBJECT}, l.mode, count(*) filter (where l.granted), count(*) filter (where not l.granted)
from pg_locks l group by 1, 2, 3 order by 5 desc, 4 desc, 2 limit 200`;

const TOTALS = 'select count(*), count(*) filter (where not granted) from pg_locks';

const WAITERS = `
select l.pid, l.locktype, l.mode, ${OBJECT}, array_to_string(pg_blocking_pids(l.pid), ',')
from pg_locks l where not l.granted limit 5000`;

const GROUPS_PER_NODE = 20;

export async function lockForest(context: AdminContext, session: ConsoleSession): Promise<LocksResponse> {
  const [totals] = await ask(session, TOTALS);
  const groups = await ask(session, GROUPS);
  const waiters = await ask(session, WAITERS);
  const blockers = new Map<number, readonly number[]>();
  const waits = new Map<number, NonNullable<LockNode['waitsFor']>>();
  for (const [pid, lockType, mode, object, blocking] of waiters) {
    const processId = Number(pid);
    waits.set(processId, { lockType: lockType ?? '', mode: mode ?? '', object: object ?? '' });
    const by = (blocking ?? '')
      .split(',')
      .filter((text) => text !== '')
      .map(Number);
    blockers.set(processId, [...new Set([...(blockers.get(processId) ?? []), ...by])]);
  }
  const involved = new Set<number>([...blockers.keys(), ...[...blockers.values()].flat()]);
  const now = context.now();
  const nodes: LockNode[] = [];
  const indexes = new Map<number, number>();
  if (involved.size > 0) {
    const list = `{${[...involved].join(',')}}`;
    const facts = await ask(
      session,
      `select pid, usename, state, query, extract(epoch from xact_start)::text from pg_stat_activity where pid = any ($1::int4[])`,
      [list],
    );
    const held = await ask(
      session,
      `select l.pid, l.locktype, l.mode, ${OBJECT}, count(*) from pg_locks l where l.granted and l.pid = any ($1::int4[])
       group by 1, 2, 3, 4 order by 1, 5 desc`,
      [list],
    );
    const known = new Map(facts.map((row) => [Number(row[0]), row]));
    for (const processId of involved) {
      const fact = known.get(processId);
      indexes.set(processId, nodes.length);
      nodes.push({
        processId,
        user: fact?.[1] ?? null,
        state: fact?.[2] ?? null,
        query: fact?.[3] ?? null,
        transactionStartedAt: millis(fact?.[4] ?? null),
        waitsFor: waits.get(processId) ?? null,
        holds: [],
        blockedCount: 0,
        children: [],
      });
    }
    for (const [pid, lockType, mode, object, count] of held) {
      const node = nodes[indexes.get(Number(pid)) ?? -1];
      if (node !== undefined && node.holds.length < GROUPS_PER_NODE)
        node.holds.push({
          lockType: lockType ?? '',
          mode: mode ?? '',
          object: object ?? '',
          count: Number(count),
        });
    }
    for (const [waiter, by] of blockers)
      for (const blocker of by) nodes[indexes.get(blocker)!].children.push(indexes.get(waiter)!);
  }
  for (const [index, node] of nodes.entries()) node.blockedCount = countBelow(nodes, index);
  const roots = [...nodes.keys()]
    .filter((index) => nodes[index].waitsFor === null && nodes[index].children.length > 0)
    .sort((left, right) => nodes[right].blockedCount - nodes[left].blockedCount);
  return {
    now,
    totalLocks: Number(totals?.[0] ?? 0),
    waitingLocks: Number(totals?.[1] ?? 0),
    nodes,
    roots,
    sentences: roots.map((index) => ({
      processId: nodes[index].processId,
      text: sentence(nodes[index], nodes, now),
    })),
    groups: groups.map((row) => ({
      lockType: row[0] ?? '',
      object: row[1] ?? '',
      mode: row[2] ?? '',
      granted: Number(row[3]),
      waiting: Number(row[4]),
    })),
  };
}

/** Sessions that wait below a node; a deadlock's ring is counted once. */
function countBelow(nodes: readonly LockNode[], start: number): number {
  const seen = new Set<number>([start]);
  const open = [start];
  while (open.length > 0) {
    for (const child of nodes[open.pop()!].children) {
      if (seen.has(child)) continue;
      seen.add(child);
      open.push(child);
    }
  }
  return seen.size - 1;
}

function sentence(root: LockNode, nodes: readonly LockNode[], now: number): string {
  const firstWait = nodes[root.children[0]]?.waitsFor;
  const own = root.holds.find((lock) => lock.object === firstWait?.object) ?? root.holds[0];
  const age = root.transactionStartedAt === null ? '' : ` for ${ageText(now - root.transactionStartedAt)}`;
  const holds = own === undefined ? '' : ` holds ${own.mode} on ${own.object} and`;
  const count = root.blockedCount === 1 ? '1 session' : `${root.blockedCount} sessions`;
  return `pid ${root.processId} (${root.user ?? 'unknown'}) ${root.state ?? 'working'}${age}${holds} blocks ${count}`;
}

export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
