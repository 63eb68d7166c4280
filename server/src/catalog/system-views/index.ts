/** SQL of the system views, our own, over the catalogs; analysed when a view is first used. */
import { CATALOG_VIEWS } from './catalog-views.ts';
import { INFORMATION_SCHEMA } from './information-schema.ts';
import { type ViewColumn, viewStatement } from './view.ts';

/** Text of a system view's query. `columns` are those of its pg_attribute rows. */
export function systemViewSql(schema: string, name: string, columns: readonly ViewColumn[]): string {
  const views = schema === 'information_schema' ? INFORMATION_SCHEMA : CATALOG_VIEWS;
  return viewStatement(views[name] ?? null, columns);
}
