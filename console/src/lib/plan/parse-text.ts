/** Reads EXPLAIN (FORMAT TEXT): nodes by their indentation, and the lines below each as its properties. */
import type { PropertyValue, RawNode, RawPlan } from './model.ts';

const COST = /\(cost=([\d.]+)\.\.([\d.]+) rows=(\d+) width=(\d+)\)/;
const ACTUAL = /\(actual (?:time=([\d.]+)\.\.([\d.]+) )?rows=([\d.]+) loops=(\d+)\)/;
const HEADER = /^(?:(InitPlan|SubPlan)\s+(\S+(?:\s+\(returns [^)]*\))?)|CTE\s+(.+))$/;

interface Frame {
  readonly indent: number;
  readonly node: RawNode;
}

/** null when the text is no plan. */
export function parseTextPlan(text: string): RawPlan | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  let root: RawNode | null = null;
  const frames: Frame[] = [];
  let subplan: { name: string; kind: string; indent: number } | null = null;
  const plan: { -readonly [K in keyof RawPlan]: RawPlan[K] } = {
    root: { properties: {}, children: [] },
    planningMillis: null,
    executionMillis: null,
    triggers: [],
    jit: null,
    settings: null,
    queryText: null,
  };
  let section: 'jit' | 'planning' | null = null;
  for (const line of lines) {
    const indent = line.length - line.trimStart().length;
    const content = line.trim();
    const end = /^(Planning [Tt]ime|Execution [Tt]ime|Total [Rr]untime):\s*([\d.]+)\s*ms/.exec(content);
    if (end !== null) {
      section = null;
      if (end[1].toLowerCase() === 'planning time') plan.planningMillis = Number(end[2]);
      else plan.executionMillis = Number(end[2]);
      continue;
    }
    if (content === 'JIT:') {
      section = 'jit';
      plan.jit = {};
      continue;
    }
    if (content === 'Planning:' && root !== null) {
      section = 'planning';
      continue;
    }
    if (section === 'jit' && plan.jit !== null) {
      const pair = /^([^:]+):\s*(.*)$/.exec(content);
      if (pair !== null) plan.jit[pair[1]] = pair[2];
      continue;
    }
    if (section === 'planning') continue;
    const trigger = /^Trigger (.+?)(?: on \S+)?: time=([\d.]+) calls=(\d+)/.exec(content);
    if (trigger !== null) {
      plan.triggers.push({ name: trigger[1], millis: Number(trigger[2]), calls: Number(trigger[3]) });
      continue;
    }
    const settings = /^Settings: (.*)$/.exec(content);
    if (settings !== null && indent <= 1) {
      plan.settings = Object.fromEntries(
        settings[1].split(', ').map((pair) => pair.split(' = ', 2) as [string, string]),
      );
      continue;
    }
    const queryText = /^Query Text: (.*)$/.exec(content);
    if (queryText !== null) {
      plan.queryText = queryText[1];
      continue;
    }
    const header = HEADER.exec(content);
    if (header !== null && root !== null && !content.includes('(cost=')) {
      subplan = {
        name: header[3] === undefined ? `${header[1]} ${header[2]}` : `CTE ${header[3]}`,
        kind: header[1] === 'SubPlan' ? 'SubPlan' : 'InitPlan',
        indent,
      };
      continue;
    }
    const isArrow = content.startsWith('->');
    const isNode =
      isArrow || root === null || COST.test(content) || /\((?:actual |never executed)/.test(content);
    if (isNode) {
      const node = readHead(isArrow ? content.slice(2).trim() : content);
      if (node === null) {
        if (root === null) return null;
        continue;
      }
      if (root === null) {
        root = node;
        frames.push({ indent, node });
        continue;
      }
      // A subplan belongs to the node its header stands below.
      const edge = subplan !== null && indent > subplan.indent ? subplan.indent : indent;
      while (frames.length > 1 && frames[frames.length - 1].indent >= edge) frames.pop();
      const parent = frames[frames.length - 1].node;
      if (subplan !== null && indent > subplan.indent) {
        node.properties['Parent Relationship'] = subplan.kind;
        node.properties['Subplan Name'] = subplan.name;
        subplan = null;
      } else {
        const plain = parent.children.filter(
          (child) => child.properties['Subplan Name'] === undefined,
        ).length;
        node.properties['Parent Relationship'] = plain === 0 ? 'Outer' : plain === 1 ? 'Inner' : 'Member';
      }
      parent.children.push(node);
      frames.push({ indent, node });
      continue;
    }
    // A property belongs to the innermost node that stands further left.
    while (frames.length > 1 && frames[frames.length - 1].indent >= indent) frames.pop();
    if (frames.length > 0) readProperty(content, frames[frames.length - 1].node.properties);
  }
  if (root === null) return null;
  const isPlan = (node: RawNode): boolean =>
    node.properties['Total Cost'] !== undefined ||
    node.properties['Actual Rows'] !== undefined ||
    node.children.length > 0 ||
    KNOWN.test(String(node.properties['Node Type']));
  return isPlan(root) ? { ...plan, root } : null;
}

const KNOWN =
  /(?:Scan|Join|Loop|Aggregate|Sort|Result|Limit|Hash|Append|Gather|Update|Insert|Delete|ModifyTable|Unique|Materialize|WindowAgg|LockRows|ProjectSet|SetOp|Group|Memoize|Union)\b/;

/** `Hash Left Join  (cost=…) (actual …)` → a node with PostgreSQL's JSON names. */
function readHead(content: string): RawNode | null {
  const at = content.search(/\s*\((?:cost=|actual |never executed)/);
  const title = (at < 0 ? content : content.slice(0, at)).trim();
  if (title === '') return null;
  const properties: Record<string, PropertyValue> = {};
  let name = title;
  const scan =
    /^(.*?)(?: using (\S+|"[^"]+"))? on ((?:"[^"]+"|[^\s".]+)(?:\.(?:"[^"]+"|[^\s".]+))?)(?: ("[^"]+"|\S+))?$/.exec(
      title,
    );
  if (scan !== null) {
    name = scan[1];
    if (scan[2] !== undefined) properties['Index Name'] = unquote(scan[2]);
    if (/^Bitmap Index/.test(name)) properties['Index Name'] = unquote(scan[3]);
    else {
      const parts = /^("[^"]+"|[^".]+)\.("[^"]+"|[^".]+)$/.exec(scan[3]);
      if (parts !== null) properties.Schema = unquote(parts[1]);
      const relation = unquote(parts?.[2] ?? scan[3]);
      if (/^(?:Function|Table Function)/.test(name)) properties['Function Name'] = relation;
      else if (/^CTE/.test(name)) properties['CTE Name'] = relation;
      else if (!/^(?:Subquery|Values|WorkTable|Named)/.test(name)) properties['Relation Name'] = relation;
      properties.Alias = unquote(scan[4] ?? relation);
    }
  }
  if (name.startsWith('Parallel ')) {
    properties['Parallel Aware'] = true;
    name = name.slice(9);
  }
  if (name.endsWith(' Backward')) {
    properties['Scan Direction'] = 'Backward';
    name = name.slice(0, -9);
  }
  const partial = /^(Partial|Finalize) (.*)$/.exec(name);
  if (partial !== null) {
    properties['Partial Mode'] = partial[1];
    name = partial[2];
  }
  const join =
    /^(Hash|Merge|Nested Loop)(?: (Left|Right|Full|Semi|Anti|Right Semi|Right Anti))?(?: Join)?$/.exec(name);
  if (join !== null && (name.endsWith('Join') || name.startsWith('Nested Loop'))) {
    properties['Join Type'] = join[2] ?? 'Inner';
    name = join[1] === 'Nested Loop' ? 'Nested Loop' : `${join[1]} Join`;
  } else if (name === 'HashAggregate' || name === 'GroupAggregate' || name === 'MixedAggregate') {
    properties.Strategy =
      name === 'HashAggregate' ? 'Hashed' : name === 'MixedAggregate' ? 'Mixed' : 'Sorted';
    name = 'Aggregate';
  } else if (/^(?:Insert|Update|Delete|Merge)$/.test(name)) {
    properties.Operation = name;
    name = 'ModifyTable';
  } else if (name === 'HashSetOp' || name.startsWith('HashSetOp ')) name = 'SetOp';
  properties['Node Type'] = name;
  const cost = COST.exec(content);
  if (cost !== null) {
    properties['Startup Cost'] = Number(cost[1]);
    properties['Total Cost'] = Number(cost[2]);
    properties['Plan Rows'] = Number(cost[3]);
    properties['Plan Width'] = Number(cost[4]);
  }
  const actual = ACTUAL.exec(content);
  if (actual !== null) {
    if (actual[1] !== undefined) {
      properties['Actual Startup Time'] = Number(actual[1]);
      properties['Actual Total Time'] = Number(actual[2]);
    }
    properties['Actual Rows'] = Number(actual[3]);
    properties['Actual Loops'] = Number(actual[4]);
  } else if (content.includes('(never executed)')) {
    properties['Actual Rows'] = 0;
    properties['Actual Loops'] = 0;
  }
  return { properties, children: [] };
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function readProperty(content: string, into: Record<string, PropertyValue>): void {
  const sort = /^Sort Method: (.+?)\s+(Memory|Disk): (\d+)kB/.exec(content);
  if (sort !== null) {
    into['Sort Method'] = sort[1];
    into['Sort Space Type'] = sort[2];
    into['Sort Space Used'] = Number(sort[3]);
    return;
  }
  const worker = /^Worker (\d+):\s+(.*)$/.exec(content);
  if (worker !== null) {
    const actual = /actual time=([\d.]+)\.\.([\d.]+) rows=([\d.]+) loops=(\d+)/.exec(worker[2]);
    const list = Array.isArray(into.Workers) ? [...into.Workers] : [];
    if (actual !== null) {
      list.push({
        'Worker Number': Number(worker[1]),
        'Actual Startup Time': Number(actual[1]),
        'Actual Total Time': Number(actual[2]),
        'Actual Rows': Number(actual[3]),
        'Actual Loops': Number(actual[4]),
      });
      into.Workers = list;
    }
    return;
  }
  const buffers = /^Buffers: (.*)$/.exec(content);
  if (buffers !== null) {
    let scope = '';
    for (const part of buffers[1].split(/[\s,]+/)) {
      const pair = /^(\w+)=(\d+)$/.exec(part);
      if (pair === null) scope = part;
      else {
        const area = scope === 'shared' ? 'Shared' : scope === 'local' ? 'Local' : 'Temp';
        const what = { hit: 'Hit', read: 'Read', dirtied: 'Dirtied', written: 'Written' }[pair[1]];
        if (what !== undefined) into[`${area} ${what} Blocks`] = Number(pair[2]);
      }
    }
    return;
  }
  // Several `Name: number` on one line: `Buckets: 1024  Batches: 1  Memory Usage: 48kB`.
  const pairs = content.split(/\s{2,}/);
  if (pairs.length > 1 && pairs.every((pair) => /^[A-Z][\w ()-]*: \S+(?: \(originally \d+\))?$/.test(pair))) {
    for (const pair of pairs) readProperty(pair, into);
    return;
  }
  const pair = /^([A-Z][^:]*?):\s*(.*)$/.exec(content);
  if (pair === null) return;
  const [, name, value] = pair;
  const buckets = /^(\d+) \(originally (\d+)\)$/.exec(value);
  if (buckets !== null) into[name] = Number(buckets[1]);
  else if (/^-?\d+(?:\.\d+)?$/.test(value)) into[name] = Number(value);
  else if (/^\d+kB$/.test(value)) into[name] = Number(value.slice(0, -2));
  else into[name] = value;
  if (name === 'Buckets' && buckets !== null) into['Original Hash Buckets'] = Number(buckets[2]);
  if (name === 'Batches' && into['Hash Batches'] === undefined) into['Hash Batches'] = into[name];
  if (name === 'Memory Usage' && into['Peak Memory Usage'] === undefined)
    into['Peak Memory Usage'] = into[name];
}
