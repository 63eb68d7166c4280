/** Printing of what the catalogs store: the shape the catalog's functions and DDL ask for. */
import type { CatalogReader, RelationDescriptor, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { DEFAULT_FORMAT } from '../../types/index.ts';
import { parseExpr, parseQuery } from '../tree-json.ts';
import { deparseExpr, deparseQuery } from './index.ts';

interface StoredOptions {
  reader: CatalogReader;
  path: SearchPath;
  pretty: boolean;
}

/** Dates and intervals in stored text are printed in the formats that read back anywhere. */
function formatOf(options: StoredOptions): FormatContext {
  return { ...DEFAULT_FORMAT, names: options.reader.names(options.path) };
}

export const STORED_DEPARSER = {
  /** A serialised expression over a relation's columns (pg_get_expr). */
  expression(serialised: string, relation: RelationDescriptor | null, options: StoredOptions): string {
    const { reader, path, pretty } = options;
    const expr = parseExpr(serialised, (oid) => reader.type(oid)!.support);
    return deparseExpr(expr, { catalog: reader, path, format: formatOf(options), pretty, relation });
  },
  /** A serialised query (pg_get_viewdef without the semicolon). */
  query(serialised: string, options: StoredOptions & { columnNames?: readonly string[] }): string {
    const { reader, path, pretty, columnNames } = options;
    const query = parseQuery(serialised, (oid) => reader.type(oid)!.support);
    return deparseQuery(query, {
      catalog: reader,
      path,
      format: formatOf(options),
      pretty,
      ...(columnNames ? { columnNames } : {}),
    });
  },
};
