/** EXPLAIN's text format, character by character as PostgreSQL writes it. */
import type { PlanFacts, WalUse } from './instrumentation.ts';
import type { ExplainNode, PropertyValue } from './tree.ts';

export interface TextOptions {
  costs: boolean;
  analyze: boolean;
  timing: boolean;
  summary: boolean;
}

/** One string a line. */
export function explainText(root: ExplainNode, options: TextOptions, facts: PlanFacts): string[] {
  const { times, settings, wal } = facts;
  const lines: string[] = [];
  writeNode(root, options, lines, '', '  ', wal);
  if (settings !== null && settings.length > 0)
    lines.push(`Settings: ${settings.map(([name, value]) => `${name} = '${value}'`).join(', ')}`);
  if (options.summary) {
    if (times.planning !== null) lines.push(`Planning Time: ${times.planning.toFixed(3)} ms`);
    if (options.analyze && times.execution !== null)
      lines.push(`Execution Time: ${times.execution.toFixed(3)} ms`);
  }
  return lines;
}

/** `first` precedes the node's own line, `details` those of its properties; children are indented from there. */
function writeNode(
  node: ExplainNode,
  options: TextOptions,
  lines: string[],
  first: string,
  details: string,
  wal: WalUse | null = null,
): void {
  lines.push(`${first}${node.title}${costs(node, options)}${measured(node, options)}`);
  for (const { label, value, structuredOnly } of node.properties)
    if (structuredOnly !== true) lines.push(`${details}${label}: ${propertyText(value)}`);
  if (wal !== null && wal.bytes > 0) lines.push(`${details}WAL: records=${wal.records} bytes=${wal.bytes}`);
  for (const { name, node: child } of node.initPlans) {
    lines.push(`${details}${name}`);
    writeNode(child, options, lines, `${details}  ->  `, `${details}        `);
  }
  for (const { node: child } of node.children)
    writeNode(child, options, lines, `${details}->  `, `${details}      `);
  for (const { name, node: child } of node.subPlans) {
    lines.push(`${details}${name}`);
    writeNode(child, options, lines, `${details}  ->  `, `${details}        `);
  }
}

function propertyText(value: PropertyValue): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function costs(node: ExplainNode, options: TextOptions): string {
  if (!options.costs) return '';
  return `  (cost=${node.startupCost.toFixed(2)}..${node.totalCost.toFixed(2)} rows=${node.rows.toFixed(0)} width=${node.width})`;
}

function measured(node: ExplainNode, options: TextOptions): string {
  if (!options.analyze) return '';
  const { measured } = node;
  if (measured === null || measured.loops === 0) return ' (never executed)';
  const rows = (measured.rows / measured.loops).toFixed(0);
  if (!options.timing) return ` (actual rows=${rows} loops=${measured.loops})`;
  const startup = (measured.startupMicros / 1000 / measured.loops).toFixed(3);
  const total = (measured.totalMicros / 1000 / measured.loops).toFixed(3);
  return ` (actual time=${startup}..${total} rows=${rows} loops=${measured.loops})`;
}
