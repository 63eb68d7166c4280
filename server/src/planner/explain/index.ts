/** EXPLAIN: a plan, and what a run of it measured, as rows of text. */
import type { CatalogReader } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { PhysicalPlan } from '../physical.ts';
import type { PlanFacts, PlanInstrumentation, PlanTimes, WalUse } from './instrumentation.ts';
import { explainJson, explainXml, explainYaml } from './structured.ts';
import { explainText } from './text.ts';
import { explainTree } from './tree.ts';

export interface ExplainOptions {
  analyze: boolean;
  verbose: boolean;
  costs: boolean;
  timing: boolean;
  summary: boolean;
  /** Facts about blocks arrive in the instrumentation's `extra`; nothing more is printed for it here. */
  buffers: boolean;
  /** Log bytes of writes. */
  wal: boolean;
  /** Settings that guide the planner and differ from their defaults. */
  settings: boolean;
  format: 'text' | 'json' | 'yaml' | 'xml';
}

export const DEFAULT_EXPLAIN_OPTIONS: ExplainOptions = {
  analyze: false,
  verbose: false,
  costs: true,
  timing: true,
  summary: false,
  buffers: false,
  wal: false,
  settings: false,
  format: 'text',
};

/**
 * The rows of the "QUERY PLAN" column: one a line for text, a single document for the other formats.
 *
 * `instrumentation` is null without ANALYZE; `format` prints constants.
 */
export function explainPlan(
  plan: PhysicalPlan,
  options: ExplainOptions,
  context: {
    catalog: CatalogReader;
    format: FormatContext;
    instrumentation: PlanInstrumentation | null;
    times: PlanTimes;
    /** Name and value as SHOW prints it; with SETTINGS. */
    settings?: readonly (readonly [name: string, value: string])[];
    /** What the run appended to the log; with WAL. */
    wal?: WalUse | null;
  },
): string[] {
  const tree = explainTree(plan, {
    catalog: context.catalog,
    format: context.format,
    verbose: options.verbose,
    instrumentation: options.analyze ? context.instrumentation : null,
  });
  const facts: PlanFacts = {
    times: context.times,
    settings: options.settings ? (context.settings ?? []) : null,
    wal: options.wal ? (context.wal ?? null) : null,
  };
  switch (options.format) {
    case 'text':
      return explainText(tree, options, facts);
    case 'json':
      return [explainJson(tree, options, facts)];
    case 'yaml':
      return [explainYaml(tree, options, facts)];
    case 'xml':
      return [explainXml(tree, options, facts)];
  }
}

export type { NodeInstrumentation, PlanInstrumentation, PlanTimes, WalUse } from './instrumentation.ts';
