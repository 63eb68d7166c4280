/** pg_get_ruledef */
import type { Oid } from '../../../base/brands.ts';
import type { RelationDescriptor } from '../../../catalog/contract.ts';
import { PG_REWRITE } from '../../../catalog/data/columns.ts';
import { FIRST_USER_OID } from '../../../catalog/mutations.ts';
import { emptyQuery } from '../../../sql/analyse/scope.ts';
import { deparseRule } from '../../../sql/deparse/index.ts';
import { quoteQualified } from '../../../sql/parse/keywords.ts';
import type { Query, RelationEntry } from '../../../sql/tree.ts';
import { parseExpr, parseQuery } from '../../../sql/tree-json.ts';
import { DEFAULT_FORMAT } from '../../../types/index.ts';
import type { Surroundings } from './host.ts';

const EVENTS: Readonly<Record<string, string>> = { 1: 'SELECT', 2: 'UPDATE', 3: 'INSERT', 4: 'DELETE' };

/** A query level that holds OLD and NEW, so that their columns print by those names. */
function rowsOf(relation: RelationDescriptor): Query {
  const row = (alias: string): RelationEntry => ({
    kind: 'relation',
    relationOid: relation.oid,
    only: false,
    lockMode: 'AccessShare',
    privileges: [],
    asRole: 0,
    sample: null,
    alias,
    columnNames: relation.columns.map((column) => (column.dropped ? '' : column.name)),
    columnTypes: relation.columns.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
    lateral: false,
    inFrom: true,
  });
  return { ...emptyQuery('select'), rangeTable: [row('old'), row('new')] };
}

export function ruleDefinition(around: Surroundings, oid: Oid, pretty: boolean): string | null {
  const { reader, path, names } = around;
  const row = reader.view.get('pg_rewrite', oid)?.values;
  if (row === undefined) return null;
  const relation = reader.relation(row[PG_REWRITE.ev_class] as Oid);
  if (relation === null) return null;
  const lookup = (type: Oid) => reader.type(type)!.support;
  const action = row[PG_REWRITE.ev_action] as string;
  // Rules of the server's own views are kept as PostgreSQL's facts, not as queries of ours.
  if (oid < FIRST_USER_OID) return null;
  const actions = action.startsWith('[')
    ? (JSON.parse(action) as unknown[]).map((item) => parseQuery(JSON.stringify(item), lookup))
    : [parseQuery(action, lookup)];
  const qual = row[PG_REWRITE.ev_qual] as string;
  return deparseRule(
    {
      name: row[PG_REWRITE.rulename] as string,
      event: EVENTS[row[PG_REWRITE.ev_type] as string] ?? '',
      relation: pretty
        ? (names.print('class', relation.oid) ?? relation.name)
        : quoteQualified(relation.namespaceName, relation.name),
      instead: row[PG_REWRITE.is_instead] === true,
      condition: qual === '<>' ? null : parseExpr(qual, lookup),
      actions,
      rows: rowsOf(relation),
    },
    { catalog: reader, path, format: { ...DEFAULT_FORMAT, names }, pretty },
  );
}
