/** Small stand-ins for the rooms around the catalog, for tests. */
import type { CatalogServices } from './services.ts';

/** Services of a catalog that stands alone. */
export function nominalServices(): CatalogServices {
  return {
    compileView: (sql) => JSON.stringify({ sql }),
    compileDefaults: (texts) => JSON.stringify(texts),
    compileRowExpression: () => () => null,
    analyzed: () => [],
    sequenceState: () => null,
  };
}
