/** SQL of the system views, our own, over the catalogs; analysed when a view is first used. */
import { CATALOG_VIEWS } from './catalog-views.ts';
import { INFORMATION_SCHEMA } from './information-schema.ts';
import { OBJECT_VIEWS } from './object-views.ts';
import { USAGE_VIEWS } from './usage-views.ts';
import { type ViewColumn, viewStatement } from './view.ts';

/** Text of a system view's query. `columns` are those of its pg_attribute rows. */
export function systemViewSql(schema: string, name: string, columns: readonly ViewColumn[]): string {
  const specification =
    schema === 'information_schema'
      ? (INFORMATION_SCHEMA[name] ?? USAGE_VIEWS[name])
      : (CATALOG_VIEWS[name] ?? OBJECT_VIEWS[name]);
  return viewStatement(specification ?? null, columns);
}
