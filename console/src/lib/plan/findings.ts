/** What a plan says, in plain sentences, the worst first. Rules with thresholds; each names the node it is about. */
import { formatBytes, formatCount, formatMillis, formatPercent } from '../format.ts';
import { t } from '../messages.ts';
import type { Plan, PlanNode } from './model.ts';

export interface Finding {
  readonly severity: 'high' | 'medium' | 'low' | 'good';
  readonly node: number;
  readonly message: string;
  readonly advice?: string;
}

const ORDER = { high: 0, medium: 1, low: 2, good: 3 };

/** `Seq Scan on orders o` */
export function nameOf(node: PlanNode): string {
  const index = node.index === null ? '' : ` using ${node.index}`;
  if (node.relation === null) return `${node.title}${index}`;
  const alias = node.alias !== null && node.alias !== node.relation ? ` ${node.alias}` : '';
  return `${node.title}${index} on ${node.relation}${alias}`;
}

export function findingsOf(plan: Plan): Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], node: PlanNode, message: string, advice?: string): void => {
    findings.push({ severity, node: node.id, message, ...(advice === undefined ? {} : { advice }) });
  };
  const total = plan.totalMillis ?? 0;
  for (const node of plan.nodes) {
    const name = nameOf(node);
    const { properties } = node;
    const number = (key: string): number =>
      typeof properties[key] === 'number' ? (properties[key] as number) : 0;
    if (plan.isAnalyzed && node.share >= 0.3 && plan.nodes.length > 1 && (node.exclusiveMillis ?? 0) >= 1)
      add(
        node.share >= 0.6 ? 'high' : 'medium',
        node,
        t('{share} of the time is spent in {name} alone ({time}).', {
          share: formatPercent(node.share, 0),
          name,
          time: formatMillis(node.exclusiveMillis ?? 0),
        }),
      );
    const factor = node.estimateFactor;
    // Below a LIMIT a node is not asked for all its rows.
    const isCut = factor !== null && factor < 1 && hasLimitAbove(plan, node);
    if (
      factor !== null &&
      !isCut &&
      (factor >= 10 || factor <= 0.1) &&
      Math.max(node.rows, node.planRows) >= 100
    ) {
      const isMore = factor >= 10;
      const times = formatCount(Math.round(isMore ? factor : 1 / factor));
      const isBase = node.children.length === 0;
      add(
        Math.max(factor, 1 / factor) >= 100 ? 'high' : 'medium',
        node,
        isMore
          ? t('{name} gave {times} times more rows than expected ({actual}, not {expected}).', {
              name,
              times,
              actual: formatCount(node.actualRows ?? 0),
              expected: formatCount(node.planRows),
            })
          : t('{name} gave {times} times fewer rows than expected ({actual}, not {expected}).', {
              name,
              times,
              actual: formatCount(node.actualRows ?? 0),
              expected: formatCount(node.planRows),
            }),
        isBase && node.relation !== null
          ? t(
              'Run ANALYZE {relation}; if that does not help, its columns depend on each other: CREATE STATISTICS.',
              {
                relation: node.relation,
              },
            )
          : t('The error comes from below: look at the lowest node with it first.'),
      );
    }
    const read = node.rows + node.rowsRemoved;
    if (
      /Seq Scan$/.test(node.type) &&
      node.rowsRemoved >= 10_000 &&
      node.rowsRemoved / read >= 0.9 &&
      node.share >= 0.1
    )
      add(
        'high',
        node,
        t('{name} read {read} rows and threw away {share} of them.', {
          name,
          read: formatCount(read),
          share: formatPercent(node.rowsRemoved / read),
        }),
        t('An index on the columns of {condition} may help; the advisor can prove it.', {
          condition: node.condition ?? '',
        }),
      );
    else if (/Index Scan$/.test(node.type) && node.rowsRemoved >= 1000 && node.rowsRemoved / read >= 0.5)
      add(
        'medium',
        node,
        t('{name} found rows by the index and then threw away {share} of them.', {
          name,
          share: formatPercent(node.rowsRemoved / read),
        }),
        t('Put the filtered column into the index as well.'),
      );
    if (node.diskKilobytes !== null)
      add(
        'high',
        node,
        t('{name} did not fit into memory and wrote {size} to disk.', {
          name,
          size: formatBytes(node.diskKilobytes * 1024),
        }),
        t('work_mem of about {size} would keep it in memory.', {
          size: formatBytes(node.diskKilobytes * 1024 * 2),
        }),
      );
    const batches = number('Hash Batches');
    if (node.type === 'Hash' && batches > 1)
      add(
        'medium',
        node,
        t('The hash table was split into {count} batches.', { count: formatCount(batches) }),
        t('work_mem of about {size} would keep it whole.', {
          size: formatBytes((node.memoryKilobytes ?? 1024) * 1024 * batches),
        }),
      );
    if (node.type === 'Nested Loop') {
      const inner = plan.nodes[node.children[1]];
      if (inner !== undefined && inner.loops >= 10_000 && (inner.inclusiveMillis ?? 0) >= total * 0.3)
        add(
          'medium',
          node,
          t('The inner side of {name} ran {loops} times.', { name, loops: formatCount(inner.loops) }),
          t('With a better estimate the planner would have hashed it.'),
        );
    }
    if (node.isNeverExecuted && (node.parent === null || !plan.nodes[node.parent].isNeverExecuted))
      add('low', node, t('{name} was never executed.', { name }));
    if (properties['One-Time Filter'] === 'false')
      add('medium', node, t('Nothing was read below {name}: its condition is always false.', { name }));
    const removed = number('Rows Removed by Join Filter') * Math.max(1, node.loops);
    if (removed >= 100_000)
      add(
        'medium',
        node,
        t('{name} compared {count} pairs in vain.', { name, count: formatCount(removed) }),
        t('A condition with = would allow a hash join.'),
      );
    const fetches = number('Heap Fetches');
    if (fetches > 1000 && fetches > node.rows / 2)
      add(
        'low',
        node,
        t('{name} still had to look at {count} rows of the table.', { name, count: formatCount(fetches) }),
        t('VACUUM lets it read the index only.'),
      );
    const lossy = number('Lossy Heap Blocks');
    if (lossy > 0)
      add(
        'low',
        node,
        t('{count} pages of the bitmap lost their rows.', { count: formatCount(lossy) }),
        t('More work_mem keeps them exact.'),
      );
    const planned = number('Workers Planned');
    const launched = number('Workers Launched');
    if ('Workers Launched' in properties && launched < planned)
      add(
        'medium',
        node,
        t('Only {launched} of {planned} workers were free.', { launched, planned }),
        t('Raise max_parallel_workers, or run it when less is going on.'),
      );
    if (node.segments !== null && node.segments.total >= 4) {
      const { total: all, read: seen } = node.segments;
      const skipped = (all - seen) / all;
      if (skipped >= 0.5)
        add(
          'good',
          node,
          t('{skipped} of {total} segments were skipped.', {
            skipped: formatCount(all - seen),
            total: formatCount(all),
          }),
        );
      else if (node.rowsRemoved > read * 0.9 && read > 100_000)
        add(
          'medium',
          node,
          t('{read} of {total} segments were read for few rows.', {
            read: formatCount(seen),
            total: formatCount(all),
          }),
          t('A sort order by the filtered column would let zone maps skip the rest.'),
        );
    }
    if (node.buffers !== null && node.buffers.read > 1000 && node.buffers.read > node.buffers.hit * 4)
      add(
        'low',
        node,
        t('{name} read {size} from disk, little was in memory.', {
          name,
          size: formatBytes(node.buffers.read * 8192),
        }),
      );
  }
  const root = plan.nodes[0];
  if (
    plan.planningMillis !== null &&
    plan.executionMillis !== null &&
    plan.planningMillis > plan.executionMillis &&
    plan.planningMillis > 5
  )
    add(
      'low',
      root,
      t('Planning took longer ({planning}) than running ({execution}).', {
        planning: formatMillis(plan.planningMillis),
        execution: formatMillis(plan.executionMillis),
      }),
      t('A prepared statement plans once.'),
    );
  for (const trigger of plan.triggers) {
    if (trigger.millis > total * 0.2 && trigger.millis > 1)
      add(
        'medium',
        root,
        t('The trigger {name} took {time} in {calls} calls.', {
          name: trigger.name,
          time: formatMillis(trigger.millis),
          calls: formatCount(trigger.calls),
        }),
      );
  }
  return findings.sort(
    (left, right) => ORDER[left.severity] - ORDER[right.severity] || left.node - right.node,
  );
}

function hasLimitAbove(plan: Plan, node: PlanNode): boolean {
  for (let at = node.parent; at !== null; at = plan.nodes[at].parent)
    if (plan.nodes[at].type === 'Limit') return true;
  return false;
}
