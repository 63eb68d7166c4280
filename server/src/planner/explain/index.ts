/** EXPLAIN: a plan, and what a run of it measured, as rows of text. */
import type { CatalogReader } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { PhysicalPlan } from '../physical.ts';
import type { PlanInstrumentation, PlanTimes } from './instrumentation.ts';
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
  format: 'text' | 'json' | 'yaml' | 'xml';
}

export const DEFAULT_EXPLAIN_OPTIONS: ExplainOptions = {
  analyze: false,
  verbose: false,
  costs: true,
  timing: true,
  summary: false,
  buffers: false,
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
  },
): string[] {
  const tree = explainTree(plan, {
    catalog: context.catalog,
    format: context.format,
    verbose: options.verbose,
    instrumentation: options.analyze ? context.instrumentation : null,
  });
  switch (options.format) {
    case 'text':
      return explainText(tree, options, context.times);
    case 'json':
      return [explainJson(tree, options, context.times)];
    case 'yaml':
      return [explainYaml(tree, options, context.times)];
    case 'xml':
      return [explainXml(tree, options, context.times)];
  }
}

export type { NodeInstrumentation, PlanInstrumentation, PlanTimes } from './instrumentation.ts';
