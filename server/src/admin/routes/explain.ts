/** EXPLAIN for the console: a measured statement leaves nothing behind. */
import type { ExplainResponse } from '../contract.ts';
import { ApiFailure, apiError } from '../http/failure.ts';
import type { Receiver, WireClient, WireParameter } from '../wire/wire-client.ts';
import { planFindings } from './plan-findings.ts';

const SAVEPOINT = 'fastpostgres_console_explain';

/** The plan of one statement. With `analyze` it runs inside a (sub)transaction that is rolled back. */
export async function explainStatement(
  client: WireClient,
  sql: string,
  parameters: readonly WireParameter[],
  analyze: boolean,
): Promise<Omit<ExplainResponse, 'durationMillis'>> {
  const isInBlock = client.transactionStatus === 'T';
  if (analyze) await client.query(isInBlock ? `savepoint ${SAVEPOINT}` : 'begin');
  const rows: string[] = [];
  const receiver: Receiver = {
    columns: () => {},
    row: (fields) => rows.push(fields[0] ?? ''),
    complete: () => {},
    notice: () => {},
  };
  const head = `explain (format json, verbose${analyze ? ', analyze, buffers' : ''}) `;
  try {
    const error =
      parameters.length === 0
        ? await client.run(head + sql, receiver)
        : await client.runWithParameters(head + sql, parameters, receiver);
    if (error !== null) {
      const shown = apiError(error);
      // Positions are those of the user's own text.
      if (shown.position !== undefined) shown.position = Math.max(1, shown.position - head.length);
      throw new ApiFailure(422, shown);
    }
  } finally {
    if (analyze && !client.isClosed) {
      await client
        .query(isInBlock ? `rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}` : 'rollback')
        .catch(() => {});
    }
  }
  const plan = rows.join('\n');
  return { plan, findings: planFindings(plan) };
}
