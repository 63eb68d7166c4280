/**
 * Proof of an advice: the index is built in a transaction of its own, where nobody else sees it, and recorded statements are run before and
 * after. Then the transaction is rolled back, or committed if it is asked for and the index is better.
 *
 * Only statements that read are replayed. Writers of the table wait while the index is built and tried, as for any CREATE INDEX; the
 * time is bounded.
 */
import { DbError } from '../../base/error.ts';
import { CollectingSink } from '../../session/embedded.ts';
import { BackendSession } from '../../session/session.ts';
import type { ServerMonitor } from '../server-monitor.ts';
import type { AdviceStatement } from './advisor.ts';
import { hypotheticalIndex } from './hypothetical.ts';
import { slicer } from './jobs.ts';
import { indexesUsed, planWith, prepareStatement, type WorkloadStatement } from './workload.ts';

const BUDGET_MILLIS = 20_000;
const RUNS = 5;
const STATEMENTS_MAX = 20;
const GAIN_MIN = 0.1;
const LOSS_MAX = 0.05;
const READ_ALL_STATS = 3375;

export interface VerifyRequest {
  readonly sql: string;
  readonly statements?: readonly string[];
  readonly budgetMillis?: number;
  readonly isPublished?: boolean;
}

/** Rows are counted, not kept. */
class DiscardingSink extends CollectingSink {
  override row(): void {}
}

export async function verify(
  monitor: ServerMonitor,
  session: BackendSession,
  request: VerifyRequest,
): Promise<string> {
  const { clock } = session.engine;
  const nowMillis = (): number => clock.monotonicMicros() / 1000;
  const deadline = nowMillis() + (request.budgetMillis ?? BUDGET_MILLIS);
  const environment = session.compileEnvironment();
  const index = hypotheticalIndex(request.sql, environment, session.engine.tables);
  const statements = await statementsOf(monitor, session, request, index.sql);
  const role = session.catalog().role(session.roleOid());
  if (role === null) throw new DbError('undefined_object', 'the role is gone');
  const sink = new DiscardingSink();
  const worker = new BackendSession(
    session.engine,
    {
      user: role.name,
      database: session.databaseName,
      parameters: new Map([['application_name', 'FastPostgres index advisor']]),
      clientAddress: '',
      clientPort: -1,
      backendType: 'index advisor',
      sink,
    },
    role,
  );
  const run = async (text: string): Promise<number> => {
    session.checkInterrupt();
    if (nowMillis() > deadline)
      throw new DbError('query_canceled', 'the time for verifying the index is used up');
    sink.clear();
    const start = nowMillis();
    await worker.simpleQuery(text);
    return nowMillis() - start;
  };
  /** Best of some runs: noise only adds. */
  const measure = async (text: string): Promise<number> => {
    let best = Number.POSITIVE_INFINITY;
    for (let count = 0; count < RUNS; count++) {
      best = Math.min(best, await run(text));
      if (best > 1000) break;
    }
    return best;
  };
  try {
    await run(`set search_path = ${session.settings.get('search_path') || 'pg_catalog'}`);
    await run('begin');
    await run('set local lock_timeout = 2000');
    const before: number[] = [];
    for (const statement of statements) before.push(await measure(statement.text));
    const buildMillis = await run(request.sql);
    const results: AdviceStatement[] = [];
    for (const [at, statement] of statements.entries()) {
      const after = await measure(statement.text);
      results.push({
        queryId: String(statement.queryId),
        query: statement.shownText,
        calls: statement.calls,
        costBefore: statement.plan.root.totalCost,
        costAfter: planWith(session, environment, statement, [index]).root.totalCost,
        millisBefore: before[at],
        millisAfter: after,
      });
    }
    const total = (pick: (statement: AdviceStatement) => number): number =>
      results.reduce((sum, statement) => sum + statement.calls * pick(statement), 0);
    const timeBefore = total(({ millisBefore }) => millisBefore ?? 0);
    const timeAfter = total(({ millisAfter }) => millisAfter ?? 0);
    const gain = timeBefore === 0 ? 0 : 1 - timeAfter / timeBefore;
    // A slower statement counts from a twentieth of a millisecond on: below that it is noise.
    const isHarmful = results.some(
      ({ millisBefore, millisAfter }) => (millisAfter ?? 0) > (millisBefore ?? 0) * (1 + LOSS_MAX) + 0.05,
    );
    const verdict =
      results.length === 0 || gain < -LOSS_MAX
        ? results.length === 0
          ? 'no gain'
          : 'worse'
        : isHarmful && gain < GAIN_MIN
          ? 'worse'
          : gain >= GAIN_MIN
            ? 'better'
            : 'no gain';
    const isPublished = request.isPublished === true && verdict === 'better' && !isHarmful;
    await worker.simpleQuery(isPublished ? 'commit' : 'rollback');
    return JSON.stringify({
      verdict,
      sentence: sentenceOf(verdict, results, gain, isPublished),
      buildMillis,
      sizeBytes: index.sizeBytes,
      isPublished,
      statements: results,
    });
  } finally {
    await worker.close();
  }
}

function sentenceOf(
  verdict: string,
  results: readonly AdviceStatement[],
  gain: number,
  isPublished: boolean,
): string {
  if (results.length === 0)
    return 'No recorded statement that only reads would use the index; nothing was measured.';
  const share = `${Math.abs(Math.round(gain * 1000) / 10)} %`;
  const end = isPublished ? 'It was kept.' : 'It was removed again.';
  if (verdict === 'better')
    return `With the index the ${results.length} replayed statements took ${share} less time. ${end}`;
  if (verdict === 'worse') return `With the index statements became slower. ${end}`;
  return `The index made no difference worth its upkeep (${share}). ${end}`;
}

/** Statements to replay: given ones, else recorded ones whose plan would take the index. */
async function statementsOf(
  monitor: ServerMonitor,
  session: BackendSession,
  request: VerifyRequest,
  indexSql: string,
): Promise<WorkloadStatement[]> {
  const pause = slicer(session);
  const catalog = session.catalog();
  const environment = session.compileEnvironment();
  const isAll = catalog.hasPrivilegesOfRole(session.roleOid(), READ_ALL_STATS);
  const raw =
    request.statements?.map((text) => ({ text, shownText: text, queryId: 0n, calls: 1, rows: 0 })) ??
    [...monitor.statements.all()]
      .filter(
        (account) =>
          account.calls > 0 &&
          account.databaseOid === catalog.databaseOid &&
          (isAll || catalog.hasPrivilegesOfRole(session.roleOid(), account.userOid)),
      )
      .map(({ sample, text, queryId, calls, rows }) => ({
        text: sample,
        shownText: text,
        queryId,
        calls,
        rows,
      }));
  const index = hypotheticalIndex(indexSql, environment, session.engine.tables);
  const found: WorkloadStatement[] = [];
  for (const candidate of raw) {
    await pause();
    // Without values for its parameters a text cannot be run again.
    if (/\$\d/.test(candidate.text)) continue;
    const statement = prepareStatement(session, candidate);
    if (statement === null || !statement.plan.readOnly) continue;
    const plan = planWith(session, environment, statement, [index]);
    if (request.statements === undefined && !indexesUsed(plan).some(({ oid }) => oid === index.oid)) continue;
    found.push(statement);
  }
  return found
    .sort((left, right) => right.calls * right.plan.root.totalCost - left.calls * left.plan.root.totalCost)
    .slice(0, STATEMENTS_MAX);
}
