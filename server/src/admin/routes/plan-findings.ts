/** What stands out in a plan, in plain words. Reads PostgreSQL's EXPLAIN (FORMAT JSON). */
import type { ExplainResponse } from '../contract.ts';

type Finding = ExplainResponse['findings'][number];

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Plan Rows'?: number;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Actual Total Time'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Sort Space Type'?: string;
  readonly 'Sort Space Used'?: number;
  readonly 'Hash Batches'?: number;
  readonly 'Workers Planned'?: number;
  readonly 'Workers Launched'?: number;
  readonly 'Heap Fetches'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Worst first; at most 20. Plans that cannot be read have none. */
export function planFindings(plan: string): Finding[] {
  let root: PlanNode | undefined;
  try {
    root = (JSON.parse(plan) as { Plan?: PlanNode }[])[0]?.Plan;
  } catch {
    return [];
  }
  if (root === undefined) return [];
  const findings: Finding[] = [];
  const totalMillis = timeOf(root);
  let number = 0;
  const visit = (node: PlanNode): void => {
    const index = number++;
    const add = (severity: Finding['severity'], message: string): void => {
      findings.push({ severity, node: index, message });
    };
    const name = nameOf(node);
    const loops = node['Actual Loops'] ?? 0;
    const share = totalMillis > 0 ? ownTime(node) / totalMillis : 0;
    if (node['Actual Loops'] === 0) add('low', `${name} was never executed.`);
    if (loops > 0) {
      estimate(node, name, add);
      const removed = (node['Rows Removed by Filter'] ?? 0) * loops;
      const kept = (node['Actual Rows'] ?? 0) * loops;
      if (node['Node Type'] === 'Seq Scan' && removed > 10_000 && removed > 9 * kept)
        add(
          share > 0.3 ? 'high' : 'medium',
          `${name} read ${count(removed + kept)} rows to keep ${count(kept)}: an index on its filter could skip the rest.`,
        );
      if (node['Node Type'] === 'Index Scan' && removed > 1000 && removed > 9 * kept)
        add('medium', `${name} fetched ${count(removed)} rows that its filter then threw away.`);
      const joinRemoved = (node['Rows Removed by Join Filter'] ?? 0) * loops;
      if (joinRemoved > 100_000)
        add('high', `${name} compared ${count(joinRemoved)} pairs of rows that do not belong together.`);
      if (loops > 10_000 && share > 0.2)
        add('medium', `${name} ran ${count(loops)} times, ${percent(share)} of the time in all.`);
    }
    if (node['Sort Space Type'] === 'Disk')
      add(
        'medium',
        `${name} wrote ${count(node['Sort Space Used'] ?? 0)} kB to temporary files: work_mem is too small for it.`,
      );
    if ((node['Hash Batches'] ?? 1) > 1)
      add(
        'medium',
        `${name} needed ${node['Hash Batches']} batches: its hash table does not fit into work_mem.`,
      );
    if ((node['Workers Launched'] ?? 0) < (node['Workers Planned'] ?? 0))
      add('low', `${name} got ${node['Workers Launched']} of ${node['Workers Planned']} planned workers.`);
    if (share > 0.6 && number > 1) add('low', `${name} alone takes ${percent(share)} of the time.`);
    for (const child of node.Plans ?? []) visit(child);
  };
  visit(root);
  const rank = { high: 0, medium: 1, low: 2 };
  return findings.sort((left, right) => rank[left.severity] - rank[right.severity]).slice(0, 20);
}

function estimate(
  node: PlanNode,
  name: string,
  add: (severity: Finding['severity'], message: string) => void,
): void {
  const planned = Math.max(1, node['Plan Rows'] ?? 1);
  const actual = Math.max(1, node['Actual Rows'] ?? 1);
  const factor = Math.max(planned / actual, actual / planned);
  if (factor < 10 || Math.max(planned, actual) < 100) return;
  const direction = planned > actual ? 'fewer' : 'more';
  add(
    factor >= 1000 ? 'high' : factor >= 100 ? 'medium' : 'low',
    `${name} returned ${count(factor)} times ${direction} rows than estimated (${count(node['Actual Rows'] ?? 0)} instead of ${count(node['Plan Rows'] ?? 0)}).`,
  );
}

function timeOf(node: PlanNode): number {
  return (node['Actual Total Time'] ?? 0) * Math.max(1, node['Actual Loops'] ?? 1);
}

function ownTime(node: PlanNode): number {
  let children = 0;
  for (const child of node.Plans ?? []) children += timeOf(child);
  return Math.max(0, timeOf(node) - children);
}

function nameOf(node: PlanNode): string {
  const relation = node['Relation Name'];
  return relation === undefined ? node['Node Type'] : `${node['Node Type']} on ${relation}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
