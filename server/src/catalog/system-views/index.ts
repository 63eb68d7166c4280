/** SQL of the system views, our own, over the catalogs; analysed when a view is first used. */

const VIEWS: ReadonlyMap<string, string> = new Map();

/** Text of the view's query, null when `schema.name` is no system view. */
export function systemViewSql(schema: string, name: string): string | null {
  return VIEWS.get(`${schema}.${name}`) ?? null;
}
