/** Plans as the monitor keeps them: a number for their shape, and EXPLAIN's words without constants. */
import { DEFAULT_EXPLAIN_OPTIONS, explainPlan } from '../planner/explain/index.ts';
import type { PhysicalPlan, PlanNode } from '../planner/physical.ts';
import { planChildren } from '../planner/plan-walk.ts';
import type { BackendSession } from '../session/session.ts';
import { normaliseStatement, statementHash } from './normalise.ts';

const known = new WeakMap<PhysicalPlan, bigint>();

/** Equal for plans of the same operators over the same tables and indexes. */
export function planNumber(plan: PhysicalPlan): bigint {
  let number = known.get(plan);
  if (number === undefined) {
    const parts: string[] = [];
    const visit = (node: PlanNode): void => {
      parts.push(node.kind);
      if (node.kind === 'seqScan' || node.kind === 'virtualScan') parts.push(String(node.relationOid));
      if (node.kind === 'indexScan') parts.push(String(node.indexOid));
      for (const child of planChildren(node)) visit(child);
      parts.push(')');
    };
    for (const { root } of [plan, ...plan.ctes, ...plan.subplans]) visit(root);
    number = statementHash(parts.join(' '));
    known.set(plan, number);
  }
  return number;
}

/** Parts of a plan that quote the statement. */
const QUOTES = /Cond|Filter|Condition|Output|Key|Call/;

function withoutConstants(value: unknown, key: string): unknown {
  if (typeof value === 'string') return QUOTES.test(key) ? normaliseStatement(value) : value;
  if (Array.isArray(value)) return value.map((item) => withoutConstants(item, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withoutConstants(item, name)]),
  );
}

/** EXPLAIN (FORMAT JSON) without constants; null when it cannot be printed any more. */
export function planText(plan: PhysicalPlan, session: BackendSession): string | null {
  try {
    const text = explainPlan(
      plan,
      { ...DEFAULT_EXPLAIN_OPTIONS, format: 'json' },
      {
        catalog: session.catalog(),
        format: session.functionContext.format,
        instrumentation: null,
        times: { planning: null, execution: null },
      },
    ).join('\n');
    return JSON.stringify(withoutConstants(JSON.parse(text), ''), null, 1);
  } catch {
    return null;
  }
}
