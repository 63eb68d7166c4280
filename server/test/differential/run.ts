/**
 * The same random statements to our server and to PostgreSQL 15; what differs is reduced and told.
 *
 *     node server/test/differential/run.ts [--statements 10000] [--seed 1] [--reductions 20] [--configuration auto]
 *       [--without-catalog] [--log FILE]
 *
 * Compared are rows (as a set, or in order when the statement orders them), the rows of a table after it was written, column names
 * and types, command tags, SQLSTATE, message, position, DETAIL and HINT. Statements travel in batches, one round trip each.
 */
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readTemplates } from './catalog.ts';
import { Generator, type Statement } from './generator.ts';
import { CONFIGURATIONS, Comparison } from './session.ts';
import { type Node, reduce, render } from './tree.ts';

const BATCH_STATEMENTS = 40;
const PROGRESS_STATEMENTS = 5000;

export interface Difference {
  readonly cause: string;
  count: number;
  /** Reduced, of the first. */
  sql: string;
}

export interface DifferentialReport {
  /** Why nothing was compared; null when it was. */
  skipped: string | null;
  oracle: string;
  statements: number;
  /** Of these, how many ended in rows in PostgreSQL. */
  succeeded: number;
  /** Explained differences by rule. */
  explained: Record<string, number>;
  differences: Difference[];
  /** Statements that ended in XX000, or with the server. */
  internal: string[];
}

export interface CampaignOptions {
  readonly statements: number;
  readonly seed: number;
  /** How many differences are reduced. */
  readonly reductionsMax: number;
  /** A key of `CONFIGURATIONS`. */
  readonly configuration?: string;
  /** Whether functions and operators come from the catalog too. */
  readonly usesCatalog?: boolean;
  readonly progress?: (text: string) => void;
}

export async function differentialCampaign(options: CampaignOptions): Promise<DifferentialReport> {
  const report: DifferentialReport = {
    skipped: null,
    oracle: '',
    statements: 0,
    succeeded: 0,
    explained: {},
    differences: [],
    internal: [],
  };
  const configuration = CONFIGURATIONS[options.configuration ?? 'auto'];
  if (configuration === undefined)
    throw new Error(`configurations are ${Object.keys(CONFIGURATIONS).join(', ')}`);
  const comparison = await Comparison.start(configuration);
  if (comparison === null) {
    report.skipped = 'no PostgreSQL 15 on this machine';
    return report;
  }
  report.oracle = comparison.oracle.version;
  const progress = options.progress ?? ((): void => {});
  try {
    const templates = options.usesCatalog === false ? null : await readTemplates(comparison.theirs);
    const generator = new Generator(options.seed, templates);
    const known = new Map<string, Difference>();
    while (report.statements < options.statements && comparison.server.isAlive()) {
      const count = Math.min(BATCH_STATEMENTS, options.statements - report.statements);
      const batch = Array.from({ length: count }, () => generator.statement());
      const sql = batch.map(({ tree }) => render(tree));
      const pairs = await comparison.ask(batch, sql);
      for (const [at, statement] of batch.entries()) {
        report.statements++;
        if (pairs[at]!.theirs[0]!.state === '00000') report.succeeded++;
        if (report.statements % PROGRESS_STATEMENTS === 0)
          progress(`${report.statements} statements, ${known.size} kinds of differences\n`);
        const verdict = await comparison.judge(statement, sql[at]!, pairs[at]!);
        if (verdict === null) continue;
        if (verdict.isExplained) {
          report.explained[verdict.cause] = (report.explained[verdict.cause] ?? 0) + 1;
          continue;
        }
        if (verdict.cause.startsWith('internal')) report.internal.push(`${verdict.cause}: ${sql[at]!}`);
        await note(comparison, known, verdict.cause, statement, options.reductionsMax, progress);
      }
    }
    if (!comparison.server.isAlive()) report.internal.push(comparison.server.output());
    report.differences = [...known.values()].sort((one, two) => two.count - one.count);
  } finally {
    await comparison.stop();
  }
  return report;
}

/** Counts a difference, reduced if its cause is new. Wrong rows have no cause that could be read off them: each is looked at. */
async function note(
  comparison: Comparison,
  known: Map<string, Difference>,
  cause: string,
  statement: Statement,
  reductionsMax: number,
  progress: (text: string) => void,
): Promise<void> {
  const before = known.get(cause);
  const isRows = /^(?:written )?(?:value|row)/.test(cause);
  if (before !== undefined && (!isRows || known.size >= reductionsMax)) {
    before.count++;
    return;
  }
  let { tree } = statement;
  if (known.size < reductionsMax && comparison.server.isAlive())
    tree = await reduce(tree, async (candidate: Node) => {
      const verdict = await comparison.verdict({ ...statement, tree: candidate });
      return verdict !== null && !verdict.isExplained && verdict.cause === cause;
    });
  const sql = render(tree);
  known.set(before === undefined ? cause : `${cause}: ${sql}`, { cause, count: 1, sql });
  progress(`-- ${cause}\n${sql};\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      statements: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      reductions: { type: 'string', default: '20' },
      configuration: { type: 'string', default: 'auto' },
      'without-catalog': { type: 'boolean', default: false },
      log: { type: 'string' },
    },
  });
  const report = await differentialCampaign({
    statements: Number(values.statements),
    seed: Number(values.seed),
    reductionsMax: Number(values.reductions),
    configuration: values.configuration,
    usesCatalog: !values['without-catalog'],
    progress: (text) => {
      process.stdout.write(text);
      if (values.log !== undefined) appendFileSync(values.log, text);
    },
  });
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.differences.length + report.internal.length > 0 ? 1 : 0;
}
