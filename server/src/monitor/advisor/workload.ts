/** Statements as the advisor sees them: analysed once, planned under any set of indexes. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { PhysicalPlan, PlanNode } from '../../planner/physical.ts';
import { planChildren } from '../../planner/plan-walk.ts';
import type { CompileEnvironment } from '../../session/engine.ts';
import type { BackendSession } from '../../session/session.ts';
import { isPlannableNode } from '../../session/statements.ts';
import type { Query } from '../../sql/tree.ts';
import { catalogWith, type HypotheticalIndex } from './hypothetical.ts';

export interface WorkloadStatement {
  readonly text: string;
  readonly shownText: string;
  readonly queryId: bigint;
  readonly calls: number;
  /** Rows it changed, over all calls. */
  readonly rows: number;
  readonly query: Query;
  readonly parameterTypes: readonly Oid[];
  readonly plan: PhysicalPlan;
  /** What it writes to; null = it only reads. */
  readonly write: {
    readonly relationOid: Oid;
    readonly command: 'insert' | 'update' | 'delete';
    readonly columns: ReadonlySet<number>;
  } | null;
}

export interface RawStatement {
  readonly text: string;
  readonly shownText: string;
  readonly queryId: bigint;
  readonly calls: number;
  readonly rows: number;
}

/** Null for texts that are no plannable single statement (any more). */
export function prepareStatement(session: BackendSession, raw: RawStatement): WorkloadStatement | null {
  const { compiler } = session.engine;
  const environment = session.compileEnvironment();
  try {
    const parsed = compiler.parse(raw.text);
    if (parsed.length !== 1 || !isPlannableNode(parsed[0].node)) return null;
    const analysed = compiler.analyse(parsed[0], raw.text, [], environment);
    if (analysed.kind !== 'query') return null;
    const { query, parameterTypes } = analysed;
    const plan = compiler.plan(query, parameterTypes, null, environment);
    // Catalog queries of tools are nobody's workload.
    if (!plan.relations.some(({ relationOid }) => relationOid >= 16384)) return null;
    return { ...raw, query, parameterTypes, plan, write: writeOf(plan.root) };
  } catch (error) {
    // Tables that are gone, temporary ones of others, types the sample does not tell.
    if (error instanceof DbError) return null;
    throw error;
  }
}

function writeOf(root: PlanNode): WorkloadStatement['write'] {
  const open: PlanNode[] = [root];
  while (open.length > 0) {
    const node = open.pop() as PlanNode;
    if (node.kind === 'modify') {
      const columns = new Set(node.row.flatMap((expr, column) => (expr === null ? [] : [column])));
      return { relationOid: node.relationOid, command: node.command, columns };
    }
    open.push(...planChildren(node));
  }
  return null;
}

export function planWith(
  session: BackendSession,
  environment: CompileEnvironment,
  statement: Pick<WorkloadStatement, 'query' | 'parameterTypes'>,
  indexes: readonly HypotheticalIndex[],
): PhysicalPlan {
  return session.engine.compiler.plan(statement.query, statement.parameterTypes, null, {
    ...environment,
    catalog: catalogWith(environment.catalog, indexes),
  });
}

/** Names of indexes a plan uses. */
export function indexesUsed(plan: PhysicalPlan): { oid: Oid; name: string }[] {
  const used: { oid: Oid; name: string }[] = [];
  const open: PlanNode[] = [
    plan.root,
    ...plan.ctes.map((cte) => cte.root),
    ...plan.subplans.map((subplan) => subplan.root),
  ];
  while (open.length > 0) {
    const node = open.pop() as PlanNode;
    if (node.kind === 'indexScan') used.push({ oid: node.indexOid, name: node.indexName });
    open.push(...planChildren(node));
  }
  return used;
}
