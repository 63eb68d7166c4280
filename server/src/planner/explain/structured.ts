/** EXPLAIN's JSON, YAML and XML formats: one document, three spellings. */
import type { PlanFacts } from './instrumentation.ts';
import type { TextOptions } from './text.ts';
import type { ExplainNode, PropertyValue } from './tree.ts';

type Value = PropertyValue | Value[] | Group;
interface Group {
  [key: string]: Value;
}

/** The document: a list with one query. */
function document(root: ExplainNode, options: TextOptions, facts: PlanFacts): Group[] {
  const { times, settings, wal } = facts;
  const plan = nodeGroup(root, options, null, null);
  const query: Group = { Plan: plan };
  if (wal !== null) {
    plan['WAL Records'] = wal.records;
    plan['WAL FPI'] = 0;
    plan['WAL Bytes'] = wal.bytes;
  }
  if (settings !== null && settings.length > 0) query.Settings = Object.fromEntries(settings);
  if (options.summary) {
    if (times.planning !== null) query['Planning Time'] = round(times.planning);
    if (options.analyze) {
      query.Triggers = [];
      if (times.execution !== null) query['Execution Time'] = round(times.execution);
    }
  }
  return [query];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function nodeGroup(
  node: ExplainNode,
  options: TextOptions,
  relationship: string | null,
  subplan: string | null,
): Group {
  const group: Group = { 'Node Type': node.nodeType };
  for (const { label, value } of node.attributes.filter(
    (a) => a.label === 'Operation' || a.label === 'Strategy' || a.label === 'Partial Mode',
  ))
    group[label] = value;
  if (relationship !== null) group['Parent Relationship'] = relationship;
  if (subplan !== null) group['Subplan Name'] = subplan;
  group['Parallel Aware'] = false;
  group['Async Capable'] = false;
  for (const { label, value } of node.attributes) group[label] = value;
  group['Node Id'] = node.planId;
  if (options.costs) {
    group['Startup Cost'] = Math.round(node.startupCost * 100) / 100;
    group['Total Cost'] = Math.round(node.totalCost * 100) / 100;
    group['Plan Rows'] = node.rows;
    group['Plan Width'] = node.width;
  }
  if (options.analyze) {
    const m = node.measured;
    const loops = m?.loops ?? 0;
    if (options.timing) {
      group['Actual Startup Time'] = loops === 0 ? 0 : round((m?.startupMicros ?? 0) / 1000 / loops);
      group['Actual Total Time'] = loops === 0 ? 0 : round((m?.totalMicros ?? 0) / 1000 / loops);
    }
    group['Actual Rows'] = loops === 0 ? 0 : Math.round((m?.rows ?? 0) / loops);
    group['Actual Loops'] = loops;
  }
  for (const { label, value } of node.properties)
    group[label] = KEPT_AS_LIST.has(label) && !Array.isArray(value) ? [String(value)] : value;
  const plans: Group[] = [
    ...node.initPlans.map((item) => nodeGroup(item.node, options, 'InitPlan', item.name)),
    ...node.children.map((item) => nodeGroup(item.node, options, item.relationship, null)),
    ...node.subPlans.map((item) => nodeGroup(item.node, options, 'SubPlan', item.name)),
  ];
  if (plans.length > 0) group.Plans = plans;
  return group;
}

const KEPT_AS_LIST = new Set(['Sort Key', 'Group Key', 'Output', 'Presorted Key']);

export function explainJson(root: ExplainNode, options: TextOptions, facts: PlanFacts): string {
  return JSON.stringify(document(root, options, facts), null, 2);
}

export function explainYaml(root: ExplainNode, options: TextOptions, facts: PlanFacts): string {
  const lines: string[] = [];
  const scalar = (value: Value): string =>
    typeof value === 'string' ? JSON.stringify(value) : String(value);
  const write = (group: Group, indent: string, first: string): void => {
    let lead = first;
    for (const [key, value] of Object.entries(group)) {
      if (Array.isArray(value)) {
        lines.push(`${lead}${key}: `);
        for (const item of value) {
          if (isGroup(item)) write(item, `${indent}    `, `${indent}  - `);
          else lines.push(`${indent}  - ${scalar(item)}`);
        }
      } else if (isGroup(value)) {
        lines.push(`${lead}${key}: `);
        write(value, `${indent}  `, `${indent}  `);
      } else lines.push(`${lead}${key}: ${scalar(value)}`);
      lead = indent;
    }
  };
  for (const query of document(root, options, facts)) write(query, '  ', '- ');
  return lines.join('\n');
}

function isGroup(value: Value): value is Group {
  return typeof value === 'object' && !Array.isArray(value);
}

export function explainXml(root: ExplainNode, options: TextOptions, facts: PlanFacts): string {
  const lines: string[] = ['<explain xmlns="http://www.postgresql.org/2009/explain">'];
  const escapeText = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const tag = (key: string): string => key.replace(/[^A-Za-z0-9_.-]/g, '-');
  const write = (key: string, value: Value, indent: string): void => {
    const name = tag(key);
    if (Array.isArray(value)) {
      lines.push(`${indent}<${name}>`);
      const item = key === 'Plans' ? 'Plan' : 'Item';
      for (const part of value) write(item, part, `${indent}  `);
      lines.push(`${indent}</${name}>`);
    } else if (isGroup(value)) {
      lines.push(`${indent}<${name}>`);
      for (const [k, v] of Object.entries(value)) write(k, v, `${indent}  `);
      lines.push(`${indent}</${name}>`);
    } else lines.push(`${indent}<${name}>${escapeText(String(value))}</${name}>`);
  };
  for (const query of document(root, options, facts)) write('Query', query, '  ');
  lines.push('</explain>');
  return lines.join('\n');
}
