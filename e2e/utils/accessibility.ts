/** What axe-core, the rules of WCAG 2.2 AA that a program can decide, finds on the page that is shown. The inside of Monaco is not ours to judge. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SERIOUS = new Set(['serious', 'critical']);

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

export interface AccessibilityFindings {
  /** What keeps somebody out. */
  readonly serious: readonly string[];
  readonly minor: readonly string[];
}

/** `rules`: only these; absent = all. */
export async function accessibilityFindings(
  page: Page,
  rules?: readonly string[],
): Promise<AccessibilityFindings> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(`${SOURCE};undefined`);
  const results = (await page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as {
      axe: { run: (context: object, options: object) => Promise<unknown> };
    };
    const answer = (await axe.run(
      { exclude: ['.monaco-editor', '.monaco-aria-container'] },
      {
        resultTypes: ['violations'],
        ...(only === undefined ? {} : { runOnly: { type: 'rule', values: only } }),
      },
    )) as { violations: unknown };
    return { violations: answer.violations };
  }, rules)) as AxeResults;
  const serious: string[] = [];
  const minor: string[] = [];
  for (const { id, impact, help, nodes } of results.violations) {
    const text = `${id} (${impact}): ${help}; ${nodes.length} times, first ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary?.replace(/\s+/g, ' ').slice(0, 260) ?? ''}`;
    (SERIOUS.has(impact ?? '') ? serious : minor).push(text);
  }
  return { serious, minor };
}
