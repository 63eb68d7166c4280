/** Index advice. The advisor runs in the engine; here are its answers. */

import { internalError } from '../../base/error.ts';
import type { AdvisorResponse, VerifyResponse, WhatIfResponse } from '../contract.ts';
import { type AdminContext, auditOf } from './context.ts';

/** Advice takes longer than the panels' statements may. */
const TIMEOUT = { lock_timeout: '1000', statement_timeout: '900000' };

export function advisorRoutes(context: AdminContext): void {
  const { router } = context;

  const run = async <T>(
    session: Parameters<typeof auditOf>[0],
    sql: string,
    request: unknown,
  ): Promise<T> => {
    const client = await session.connectInternal('FastPostgres console advisor', TIMEOUT);
    try {
      const [result] = await client.query(sql, [JSON.stringify(request)]);
      const text = result?.rows[0]?.[0];
      if (text == null) throw internalError('the advisor gave no answer');
      return JSON.parse(text) as T;
    } finally {
      client.close();
    }
  };

  router.on('POST /advisor/run', ({ session, body }) =>
    run<AdvisorResponse>(session, 'select fastpostgres_advise($1)', body ?? {}),
  );

  router.on('POST /advisor/verify', async ({ session, body }) => {
    context.audit(auditOf(session, 'verify index', body.sql.slice(0, 500)));
    return run<VerifyResponse>(session, 'select fastpostgres_advice_verify($1)', body);
  });

  router.on('POST /advisor/what-if', ({ session, body }) =>
    run<WhatIfResponse>(session, 'select fastpostgres_what_if($1)', body),
  );
}
