/** A view in FROM becomes its query, run with the rights of the view's owner. */

import type { Oid } from '../../base/brands.ts';
import { internalError } from '../../base/error.ts';
import type { CatalogReader, RelationDescriptor } from '../../catalog/contract.ts';
import type { Query, RangeTableEntry, SubqueryEntry } from '../tree.ts';
import { parseQuery } from '../tree-json.ts';
import { mapChildQueries, mapExpr, mapQueryExprs } from '../walk.ts';
import { markExpanded } from './index.ts';

/** Parsed view bodies by descriptor: descriptors are immutable, a changed view has a new one. */
const parsedViews = new WeakMap<RelationDescriptor, Query>();

/** The view's query. Its tables are used with the rights of the view's owner, or of whoever uses a security_invoker view. */
export function viewQueryOf(relation: RelationDescriptor, catalog: CatalogReader, user: Oid = 0): Query {
  let query = parsedViews.get(relation);
  if (!query) {
    if (relation.viewQuery === null) throw internalError(`view "${relation.name}" has no query`);
    query = parseQuery(relation.viewQuery, (oid) => catalog.type(oid)!.support);
    if (!isInvokerView(relation)) query = asOwner(query, relation.ownerOid);
    parsedViews.set(relation, query);
  }
  return user !== 0 && isInvokerView(relation) ? asOwner(query, user) : query;
}

/** Value of a view's WITH (…) option, undefined without it. */
export function viewOption(relation: RelationDescriptor, name: string): string | undefined {
  return relation.options?.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

export function isInvokerView(relation: RelationDescriptor): boolean {
  const value = viewOption(relation, 'security_invoker');
  return value !== undefined && ['true', 'on', 'yes', '1'].includes(value.toLowerCase());
}

/** Gives every table reference of the query (and inside it) the owner's rights. */
export function asOwner(query: Query, owner: Oid): Query {
  const rangeTable = query.rangeTable.map(
    (entry): RangeTableEntry =>
      entry.kind === 'relation' && entry.asRole === 0 ? { ...entry, asRole: owner } : entry,
  );
  const result = mapChildQueries({ ...query, rangeTable }, (child) => asOwner(child, owner));
  if (!result.hasSubLinks) return result;
  return mapQueryExprs(result, (expr) =>
    mapExpr(expr, (node) => {
      if (node.kind !== 'subLink') return undefined;
      return {
        ...node,
        left: node.left.map((item) =>
          mapExpr(item, (inner) =>
            inner.kind === 'subLink' ? { ...inner, subquery: asOwner(inner.subquery, owner) } : undefined,
          ),
        ),
        subquery: asOwner(node.subquery, owner),
      };
    }),
  );
}

export function isExpandableView(relation: RelationDescriptor | null): relation is RelationDescriptor {
  return relation !== null && relation.kind === 'v' && relation.virtualRows === null;
}

/** Replaces the views of this level; `rewrite` finishes each view's own query. */
export function expandViews(query: Query, catalog: CatalogReader, rewrite: (view: Query) => Query): Query {
  let rangeTable: RangeTableEntry[] | null = null;
  let { rowMarks } = query;
  query.rangeTable.forEach((entry, index) => {
    if (entry.kind !== 'relation' || index + 1 === query.resultRelation) return;
    const relation = catalog.relation(entry.relationOid);
    if (!isExpandableView(relation) || !entry.inFrom) return;
    let body = viewQueryOf(relation, catalog, entry.asRole);
    const mark = rowMarks.find((item) => item.relation === index + 1);
    if (mark) {
      // Locking a view locks the rows of its tables.
      rowMarks = rowMarks.filter((item) => item !== mark);
      body = {
        ...body,
        rowMarks: [
          ...body.rowMarks,
          ...body.rangeTable.flatMap((inner, number) =>
            inner.kind === 'relation' && inner.inFrom ? [{ ...mark, relation: number + 1 }] : [],
          ),
        ],
      };
    }
    const subquery: SubqueryEntry = {
      kind: 'subquery',
      query: markExpanded(rewrite(body)),
      viewOid: relation.oid,
      securityBarrier: false,
      privileges: entry.privileges,
      asRole: entry.asRole,
      alias: entry.alias,
      columnNames: entry.columnNames,
      columnTypes: entry.columnTypes,
      lateral: entry.lateral,
      inFrom: entry.inFrom,
    };
    rangeTable ??= [...query.rangeTable];
    rangeTable[index] = subquery;
  });
  return rangeTable ? { ...query, rangeTable, rowMarks } : query;
}
