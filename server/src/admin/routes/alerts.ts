/** Alert rules, silence, webhook, and the audit log. Rules are kept by the server, which also watches them. */
import type { AlertRule, AuditEntry } from '../contract.ts';
import { ApiFailure } from '../http/failure.ts';
import { type AdminContext, ask, auditOf, DONE, millis } from './context.ts';

const AUDIT_PAGE = 200;
const LIST = `select id::text, extract(epoch from at)::text, value, owner from pg_catalog.fastpostgres_library_list($1, '', $2::int8, $3::int4)`;
const PUT = 'select pg_catalog.fastpostgres_library_put($1, $2::int8, $3)::text';
const DELETE = 'select pg_catalog.fastpostgres_library_delete($1, $2::int8)::text';

type StoredRule = Omit<AlertRule, 'id' | 'state' | 'since' | 'value'>;

export function alertRoutes(context: AdminContext): void {
  const { router } = context;

  router.on('GET /alerts', async ({ session }) => {
    const rules = await ask(session, LIST, ['alert', null, '1000']);
    const states = new Map(
      (
        await ask(
          session,
          'select id::text, state, extract(epoch from since)::text, value::text from fastpostgres_alert_states()',
        )
      ).map((row) => [row[0], row]),
    );
    const webhook = session.isSuperuser ? await ask(session, LIST, ['webhook', null, '1']) : [];
    return {
      rules: rules.map(([id, , value]): AlertRule => {
        const rule = JSON.parse(value ?? '{}') as StoredRule;
        const [, state, since, now] = states.get(id) ?? [];
        return {
          ...rule,
          id: id ?? '',
          state: state === 'firing' || state === 'pending' ? state : 'ok',
          since: millis(since ?? null),
          value: now == null ? null : Number(now),
        };
      }),
      webhook: webhook[0]?.[2] ?? null,
      isEditable: session.isSuperuser,
    };
  });

  router.on('POST /alerts', async ({ session, body }) => {
    const { id, ...rule } = body;
    // Editing a rule that is silenced leaves it silenced.
    const before =
      id == null
        ? undefined
        : (await ask(session, LIST, ['alert', null, '1000'])).find((row) => row[0] === id);
    const { silencedUntil = null } = JSON.parse(before?.[2] ?? '{}') as Partial<StoredRule>;
    const stored: StoredRule = { ...rule, silencedUntil };
    const [row] = await ask(session, PUT, ['alert', id ?? null, JSON.stringify(stored)]);
    context.audit(auditOf(session, 'alert rule', rule.name));
    return { id: row?.[0] ?? '' };
  });

  router.on('POST /alerts/delete', async ({ session, body }) => {
    await ask(session, DELETE, ['alert', body.id]);
    context.audit(auditOf(session, 'alert rule removed', body.id));
    return DONE;
  });

  router.on('POST /alerts/silence', async ({ session, body }) => {
    const rules = await ask(session, LIST, ['alert', null, '1000']);
    const found = rules.find(([id]) => id === body.id);
    if (found === undefined)
      throw new ApiFailure(404, { code: 'not_found', message: 'there is no such rule' });
    const rule = { ...(JSON.parse(found[2] ?? '{}') as StoredRule), silencedUntil: body.until };
    await ask(session, PUT, ['alert', body.id, JSON.stringify(rule)]);
    context.audit(auditOf(session, 'alert silenced', rule.name));
    return DONE;
  });

  router.on('POST /alerts/webhook', async ({ session, body }) => {
    if (body.url !== null) checkWebhook(body.url);
    await ask(session, DELETE, ['webhook', null]);
    if (body.url !== null) await ask(session, PUT, ['webhook', null, body.url]);
    context.audit(auditOf(session, 'alert webhook', body.url === null ? 'removed' : new URL(body.url).host));
    return DONE;
  });

  router.on('GET /audit', async ({ session, query }) => {
    const limit = query.limit ?? AUDIT_PAGE;
    const rows = await ask(session, LIST, ['audit', query.before ?? null, String(limit)]);
    const entries = rows.map(([id, at, value, owner]): AuditEntry => {
      const record = JSON.parse(value ?? '{}') as Omit<AuditEntry, 'id' | 'at' | 'user'>;
      return { ...record, id: id ?? '', at: millis(at) ?? 0, user: owner ?? '' };
    });
    return { entries, next: entries.length === limit ? (entries.at(-1)?.id ?? null) : null };
  });
}

/** http and https only, no names and passwords in the address. */
function checkWebhook(text: string): void {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ApiFailure(400, { code: 'bad_address', message: 'the webhook needs a whole address' });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ApiFailure(400, { code: 'bad_address', message: 'the webhook must be http or https' });
  if (url.username !== '' || url.password !== '')
    throw new ApiFailure(400, {
      code: 'bad_address',
      message: 'the webhook may not hold a name or password',
    });
}
