/** The advisor's SQL functions, and HypoPG's: hypothetical indexes of a session, seen by its EXPLAIN without ANALYZE. */
import { DbError } from '../../base/error.ts';
import type { BackendSession } from '../../session/session.ts';
import type { DatumFunction } from '../../sql/functions/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { ServerMonitor } from '../server-monitor.ts';
import { advise, whatIf } from './advisor.ts';
import { catalogWith, type HypotheticalIndex, hypotheticalIndex } from './hypothetical.ts';
import { runAsJob } from './jobs.ts';
import { verify } from './verify.ts';

type Row = readonly Datum[];

const bySession = new WeakMap<BackendSession, HypotheticalIndex[]>();

function show(session: BackendSession): void {
  const indexes = bySession.get(session) ?? [];
  session.plannedCatalog = indexes.length === 0 ? null : (catalog) => catalogWith(catalog, indexes);
}

function requestOf<T>(text: Datum): T {
  try {
    const value: unknown = JSON.parse(text as string);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Falls through to the refusal.
  }
  throw new DbError('invalid_parameter_value', 'the request must be a JSON object');
}

export function advisorScalar(
  monitor: ServerMonitor,
  name: string,
  session: BackendSession,
): DatumFunction | null {
  switch (name) {
    case 'fastpostgres_advise':
      return (request) =>
        runAsJob(session, `advise ${request as string}`, () => advise(monitor, session, requestOf(request)));
    case 'fastpostgres_advice_verify':
      return (request) =>
        runAsJob(session, `verify ${request as string}`, () => verify(monitor, session, requestOf(request)));
    case 'fastpostgres_what_if':
      return (request) => whatIf(session, requestOf(request));
    case 'hypopg_drop_index':
      return (oid) => {
        const indexes = bySession.get(session) ?? [];
        const rest = indexes.filter((index) => index.oid !== oid);
        bySession.set(session, rest);
        show(session);
        return rest.length < indexes.length;
      };
    case 'hypopg_reset':
      return () => {
        bySession.delete(session);
        show(session);
        return '';
      };
    default:
      return null;
  }
}

export function advisorSet(
  name: string,
  session: BackendSession,
): ((...args: Datum[]) => Iterable<Datum | Row>) | null {
  switch (name) {
    case 'hypopg_create_index':
      return (sql) => {
        const index = hypotheticalIndex(sql as string, session.compileEnvironment(), session.engine.tables);
        bySession.set(session, [...(bySession.get(session) ?? []), index]);
        show(session);
        return [[index.oid, index.name]];
      };
    case 'hypopg_list_indexes':
      return () =>
        (bySession.get(session) ?? []).map(
          ({ oid, name: indexName, relation, sql, sizeBytes }): Row => [
            oid,
            indexName,
            relation.namespaceName,
            relation.name,
            sql,
            BigInt(sizeBytes),
          ],
        );
    default:
      return null;
  }
}
