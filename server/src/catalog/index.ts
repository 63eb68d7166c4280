/** The catalog room's public names. */

export { attachIndexes, type OpenCatalogOptions, openCatalog, openCatalogs } from './bootstrap.ts';
export { Catalog, CatalogFamily } from './catalog.ts';
export { databaseTables, POSTGRES_DATABASE } from './databases.ts';
export { formatType } from './format-type.ts';
export {
  qualifiedName,
  quoteIdentifier,
  quoteLiteral,
  splitQualifiedName,
  truncateIdentifier,
} from './identifiers.ts';
export { CatalogReaderImplementation } from './reader.ts';
export type { CatalogServices } from './services.ts';
export { dropTemporarySchema } from './temporary.ts';
export { registerVirtualRelation } from './virtual.ts';
