/** Works out what a plan does not print: time and cost of a node alone, shares, estimate errors, segments, times on one clock. */
import type {
  Buffers,
  Plan,
  PlanNode,
  PropertyValue,
  RawNode,
  RawPlan,
  Segments,
  WorkerTime,
} from './model.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Properties = Readonly<Record<string, PropertyValue>>;

function number(properties: Properties, name: string): number | null {
  const value = properties[name];
  if (typeof value === 'number') return value;
  // "25kB", "12.5 ms", "1234"
  if (typeof value === 'string') {
    const match = /^\s*(-?\d+(?:\.\d+)?)\s*(?:kB|ms)?\s*$/.exec(value);
    if (match !== null) return Number(match[1]);
  }
  return null;
}

function text(properties: Properties, name: string): string | null {
  const value = properties[name];
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(String).join(', ');
  return null;
}

export function build(raw: RawPlan): Plan {
  const nodes: Mutable<PlanNode>[] = [];
  const visit = (node: RawNode, parent: number | null, depth: number, parallelism: number): number => {
    const id = nodes.length;
    const { properties } = node;
    const loops = number(properties, 'Actual Loops') ?? 1;
    const actualTotal = number(properties, 'Actual Total Time');
    const actualRows = number(properties, 'Actual Rows');
    const planRows = number(properties, 'Plan Rows') ?? 0;
    const isNeverExecuted = actualRows !== null && loops === 0;
    const memory = memoryOf(properties);
    const mine: Mutable<PlanNode> = {
      id,
      parent,
      depth,
      children: [],
      type: String(properties['Node Type'] ?? 'Unknown'),
      title: titleOf(properties),
      relation:
        text(properties, 'Relation Name') ??
        text(properties, 'CTE Name') ??
        text(properties, 'Function Name'),
      alias: text(properties, 'Alias'),
      index: text(properties, 'Index Name'),
      relationship: String(properties['Parent Relationship'] ?? ''),
      subplanName: text(properties, 'Subplan Name'),
      condition: conditionOf(properties),
      startupCost: number(properties, 'Startup Cost') ?? 0,
      totalCost: number(properties, 'Total Cost') ?? 0,
      planRows,
      planWidth: number(properties, 'Plan Width') ?? 0,
      actualStartup: number(properties, 'Actual Startup Time'),
      actualTotal,
      actualRows,
      loops,
      isNeverExecuted,
      parallelism,
      properties,
      inclusiveMillis:
        actualTotal === null ? null : (actualTotal * loops) / Math.max(1, Math.min(parallelism, loops)),
      exclusiveMillis: null,
      share: 0,
      exclusiveCost: 0,
      rows: actualRows === null ? planRows : actualRows * loops,
      rowsRemoved:
        ((number(properties, 'Rows Removed by Filter') ?? 0) +
          (number(properties, 'Rows Removed by Join Filter') ?? 0) +
          (number(properties, 'Rows Removed by Index Recheck') ?? 0)) *
        Math.max(1, loops),
      estimateFactor:
        actualRows === null || isNeverExecuted || planRows <= 0
          ? null
          : Math.max(actualRows, 1) / Math.max(planRows, 1),
      buffers: buffersOf(properties),
      memoryKilobytes: memory.memory,
      diskKilobytes: memory.disk,
      segments: segmentsOf(properties),
      start: 0,
      end: 0,
      workers: [],
    };
    nodes.push(mine);
    const launched = number(properties, 'Workers Launched');
    const below = /^Gather/.test(mine.type) && launched !== null ? launched + 1 : parallelism;
    mine.children = node.children.map((child) =>
      visit(
        child,
        id,
        depth + 1,
        /^(?:InitPlan|SubPlan)$/.test(String(child.properties['Parent Relationship'])) ? 1 : below,
      ),
    );
    return id;
  };
  visit(raw.root, null, 0, 1);
  const isAnalyzed = nodes.some((node) => node.actualRows !== null);
  subtractChildren(nodes);
  const root = nodes[0];
  const exclusive = nodes.reduce((sum, node) => sum + (node.exclusiveMillis ?? 0), 0);
  const totalMillis =
    root.inclusiveMillis === null ? null : Math.max(raw.executionMillis ?? 0, root.inclusiveMillis, 0);
  const whole = totalMillis !== null && totalMillis > 0 ? totalMillis : exclusive;
  const wholeCost = Math.max(
    root.totalCost,
    nodes.reduce((sum, node) => sum + node.exclusiveCost, 0),
    Number.MIN_VALUE,
  );
  for (const node of nodes) {
    node.share =
      node.exclusiveMillis !== null
        ? whole > 0
          ? Math.min(1, node.exclusiveMillis / whole)
          : 0
        : isAnalyzed
          ? 0
          : Math.min(1, node.exclusiveCost / wholeCost);
  }
  const hasTrueTimes = placeInTime(nodes);
  return {
    nodes,
    isAnalyzed,
    planningMillis: raw.planningMillis,
    executionMillis: raw.executionMillis,
    totalMillis,
    totalCost: root.totalCost,
    triggers: raw.triggers,
    jit: raw.jit,
    settings: raw.settings,
    queryText: raw.queryText,
    hasTrueTimes,
  };
}

/** Time and cost of each node without those of its children. A CTE's time is taken from the scans that pull it. */
function subtractChildren(nodes: Mutable<PlanNode>[]): void {
  const pulled = new Map<string, number>();
  for (const node of nodes) {
    const name = node.subplanName;
    if (name?.startsWith('CTE ') === true) pulled.set(name.slice(4), node.inclusiveMillis ?? 0);
  }
  const scans = new Map<string, Mutable<PlanNode>[]>();
  for (const node of nodes) {
    let time = node.inclusiveMillis;
    let cost = node.totalCost;
    for (const child of node.children) {
      const below = nodes[child];
      if (below.subplanName?.startsWith('CTE ') === true) continue;
      if (time !== null) time -= below.inclusiveMillis ?? 0;
      // A child run once for each row of its sibling is counted in the parent's cost as often.
      cost -= below.relationship === 'InitPlan' || below.relationship === 'SubPlan' ? 0 : below.totalCost;
    }
    node.exclusiveMillis = time === null ? null : Math.max(0, time);
    node.exclusiveCost = Math.max(0, cost);
    const cte = node.type === 'CTE Scan' ? text(node.properties, 'CTE Name') : null;
    if (cte !== null && pulled.has(cte)) scans.set(cte, [...(scans.get(cte) ?? []), node]);
  }
  for (const [name, list] of scans) {
    let left = pulled.get(name) ?? 0;
    for (const scan of list) {
      const part = Math.min(left, scan.exclusiveMillis ?? 0);
      if (scan.exclusiveMillis !== null) scan.exclusiveMillis -= part;
      left -= part;
    }
  }
}

/** Starts and ends: printed ones (nanoseconds or milliseconds), else worked out from durations. True when they were printed. */
function placeInTime(nodes: Mutable<PlanNode>[]): boolean {
  let isTrue = false;
  for (const node of nodes) {
    const { properties } = node;
    const parent = node.parent === null ? null : nodes[node.parent];
    const startNanos = number(properties, 'Start Ns');
    const endNanos = number(properties, 'End Ns');
    const duration = node.inclusiveMillis ?? 0;
    if (startNanos !== null && endNanos !== null) {
      isTrue = true;
      node.start = startNanos / 1e6;
      node.end = endNanos / 1e6;
    } else {
      // A node begins when its parent asks it; the second child of a join that does not build first begins after the first's first row.
      const before =
        parent === null
          ? 0
          : parent.type === 'Hash Join' && node.relationship === 'Outer'
            ? (hashEnd(nodes, parent) ?? parent.start)
            : /^(?:Append|MergeAppend)$/.test(parent.type)
              ? Math.max(
                  parent.start,
                  ...parent.children.filter((child) => child < node.id).map((child) => nodes[child].end),
                )
              : parent.start;
      node.start = before;
      node.end = before + duration;
    }
    node.workers = workersOf(node);
  }
  // A hash table is built before the outer side is read: place the outer side behind it.
  for (const node of nodes) {
    if (node.type !== 'Hash Join' || isTrue) continue;
    const inner = node.children.map((child) => nodes[child]).find((child) => child.relationship === 'Inner');
    const outer = node.children.map((child) => nodes[child]).find((child) => child.relationship === 'Outer');
    if (inner === undefined || outer === undefined) continue;
    const shift = node.start + (inner.inclusiveMillis ?? 0) - outer.start;
    if (shift > 0 && outer.end + shift <= node.end + 0.001) move(nodes, outer.id, shift);
  }
  return isTrue;
}

function hashEnd(nodes: readonly PlanNode[], join: PlanNode): number | null {
  const inner = join.children.map((child) => nodes[child]).find((child) => child?.relationship === 'Inner');
  return inner === undefined ? null : inner.end;
}

function move(nodes: Mutable<PlanNode>[], id: number, shift: number): void {
  nodes[id].start += shift;
  nodes[id].end += shift;
  for (const child of nodes[id].children) move(nodes, child, shift);
}

function workersOf(node: PlanNode): WorkerTime[] {
  const { Workers: list, 'Worker Time': times } = node.properties;
  if (Array.isArray(list)) {
    return list.flatMap((entry) => {
      if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
      const worker = entry as Properties;
      const total = number(worker, 'Actual Total Time');
      if (total === null) return [];
      const begin = number(worker, 'Start Ns');
      const loops = number(worker, 'Actual Loops') ?? 1;
      const start = begin === null ? node.start : begin / 1e6;
      return [
        {
          name: `Worker ${String(worker['Worker Number'] ?? '')}`,
          start,
          end: start + total * loops,
          rows: number(worker, 'Actual Rows'),
        },
      ];
    });
  }
  if (typeof times === 'string') {
    return times.split(',').flatMap((part, index) => {
      const millis = Number.parseFloat(part);
      return Number.isFinite(millis)
        ? [{ name: `Worker ${index}`, start: node.start, end: node.start + millis, rows: null }]
        : [];
    });
  }
  return [];
}

function titleOf(properties: Properties): string {
  const type = String(properties['Node Type'] ?? 'Unknown');
  let title = type;
  const join = text(properties, 'Join Type');
  if (join !== null && join !== 'Inner')
    title = type === 'Nested Loop' ? `Nested Loop ${join} Join` : type.replace(' Join', ` ${join} Join`);
  if (type === 'Aggregate') {
    const strategy = text(properties, 'Strategy');
    title =
      strategy === 'Hashed'
        ? 'HashAggregate'
        : strategy === 'Sorted'
          ? 'GroupAggregate'
          : strategy === 'Mixed'
            ? 'MixedAggregate'
            : 'Aggregate';
  }
  if (type === 'ModifyTable') title = text(properties, 'Operation') ?? type;
  const mode = text(properties, 'Partial Mode');
  if (mode !== null && mode !== 'Simple') title = `${mode} ${title}`;
  if (properties['Parallel Aware'] === true) title = `Parallel ${title}`;
  if (properties['Scan Direction'] === 'Backward') title += ' Backward';
  return title;
}

const CONDITIONS = [
  'Hash Cond',
  'Merge Cond',
  'Index Cond',
  'Recheck Cond',
  'TID Cond',
  'Join Filter',
  'Filter',
  'Sort Key',
  'Group Key',
  'One-Time Filter',
  'Cache Key',
];

function conditionOf(properties: Properties): string | null {
  for (const name of CONDITIONS) {
    const value = text(properties, name);
    if (value !== null) return value;
  }
  return null;
}

function memoryOf(properties: Properties): { memory: number | null; disk: number | null } {
  const method = text(properties, 'Sort Method');
  const inline = method === null ? null : /(Memory|Disk): (\d+)kB/.exec(method);
  const space = number(properties, 'Sort Space Used') ?? (inline === null ? null : Number(inline[2]));
  const isDisk = text(properties, 'Sort Space Type') === 'Disk' || inline?.[1] === 'Disk';
  const usage = number(properties, 'Peak Memory Usage') ?? number(properties, 'Memory Usage');
  const disk = number(properties, 'Disk Usage') ?? number(properties, 'Spilled');
  return {
    memory: usage ?? (space !== null && !isDisk ? space : null),
    disk: (disk ?? 0) > 0 ? disk : space !== null && isDisk ? space : null,
  };
}

function buffersOf(properties: Properties): Buffers | null {
  const sum = (what: string): number =>
    (number(properties, `Shared ${what} Blocks`) ?? 0) + (number(properties, `Local ${what} Blocks`) ?? 0);
  const buffers = {
    hit: sum('Hit'),
    read: sum('Read'),
    dirtied: sum('Dirtied'),
    written: sum('Written'),
    temporaryRead: number(properties, 'Temp Read Blocks') ?? 0,
    temporaryWritten: number(properties, 'Temp Written Blocks') ?? 0,
  };
  return Object.values(buffers).some((value) => value > 0) ? buffers : null;
}

function segmentsOf(properties: Properties): Segments | null {
  const value = properties.Segments;
  let found: Record<string, number> | null = null;
  if (typeof value === 'string') {
    found = {};
    for (const match of value.matchAll(/([a-z][a-z ]*?)=(\d+)/g)) found[match[1].trim()] = Number(match[2]);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    found = {};
    for (const [key, count] of Object.entries(value))
      if (typeof count === 'number') found[key.toLowerCase()] = count;
  }
  if (found === null) return null;
  const total = found.total ?? 0;
  const zone = found['skipped by zone map'] ?? found.zone ?? 0;
  const bloom = found['skipped by bloom'] ?? found['skipped by bloom filter'] ?? found.bloom ?? 0;
  const bounds = found['skipped by bounds'] ?? found.bounds ?? 0;
  return {
    total,
    skippedByZoneMap: zone,
    skippedByBloom: bloom,
    skippedByBounds: bounds,
    read: found.read ?? Math.max(0, total - zone - bloom - bounds),
  };
}
