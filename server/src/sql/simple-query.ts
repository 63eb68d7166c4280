/** Which queries are an expression in disguise: function bodies of that shape are inlined, PL/pgSQL evaluates them directly. */
import type { Query } from './tree.ts';

/** SELECT of one expression that needs nothing but its parameters. */
export function isSimpleQuery(query: Query): boolean {
  return (
    query.command === 'select' &&
    query.targets.length === 1 &&
    query.rangeTable.length === 0 &&
    query.from.length === 0 &&
    query.where === null &&
    query.having === null &&
    query.groupBy.length === 0 &&
    query.groupingSets === null &&
    query.orderBy.length === 0 &&
    query.distinct === 'none' &&
    query.limit === null &&
    query.offset === null &&
    query.setOperation === null &&
    query.commonTables.length === 0 &&
    query.windows.length === 0 &&
    query.rowMarks.length === 0 &&
    !query.hasAggregates &&
    !query.hasWindowFunctions &&
    !query.hasSubLinks &&
    !query.hasTargetSets
  );
}
