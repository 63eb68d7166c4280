/** What catalog functions need, and how a call finds the catalog of its session. */
import type { Oid } from '../../../base/brands.ts';
import { DbError } from '../../../base/error.ts';
import type { Catalog } from '../../../catalog/catalog.ts';
import type { CatalogReader, RelationDescriptor, SearchPath } from '../../../catalog/contract.ts';
import { CatalogNames } from '../../../catalog/names.ts';
import type { CatalogReaderImplementation } from '../../../catalog/reader.ts';
import type { FunctionContext } from '../../../sql/functions/contract.ts';
import type { TableStore } from '../../../table/contract.ts';

/** Typed trees back to SQL; implemented over sql/deparse. */
export interface Deparser {
  /** A serialised expression over a relation's columns. `pretty` leaves out parentheses that precedence makes needless. */
  expression(
    serialised: string,
    relation: RelationDescriptor | null,
    options: { reader: CatalogReader; path: SearchPath; pretty: boolean },
  ): string;
  /** A serialised query, as pg_get_viewdef prints it (without the semicolon). */
  query(
    serialised: string,
    options: {
      reader: CatalogReader;
      path: SearchPath;
      pretty: boolean;
      wrapColumn: number;
      /** The view's own column names, where they may differ from the query's. */
      columnNames?: readonly string[];
    },
  ): string;
}

export interface CatalogFunctionHost {
  catalog(): Catalog;
  tables(): TableStore;
  readonly deparser: Deparser | null;
}

/** A call's session: its catalog as the statement sees it, path and role. */
export class Surroundings {
  readonly host: CatalogFunctionHost;
  readonly context: FunctionContext;

  constructor(host: CatalogFunctionHost, context: FunctionContext) {
    this.host = host;
    this.context = context;
  }

  /** The names service of the statement's format belongs to the reader the statement was given. */
  get names(): CatalogNames {
    const { names } = this.context.format;
    if (names instanceof CatalogNames) return names;
    const reader = this.host.catalog().committed;
    return new CatalogNames(
      reader,
      reader.resolveSearchPath(this.context.session.searchPath(false), this.context.session.currentUser, 0),
    );
  }

  get reader(): CatalogReaderImplementation {
    return this.names.reader;
  }

  get path(): SearchPath {
    return this.names.path;
  }

  get role(): Oid {
    return this.reader.roleByName(this.context.session.currentUser)?.oid ?? 0;
  }

  deparse(serialised: string, relation: RelationDescriptor | null, pretty: boolean): string {
    const { deparser } = this.host;
    if (deparser === null)
      throw new DbError('feature_not_supported', 'printing expressions is not supported');
    return deparser.expression(serialised, relation, { reader: this.reader, path: this.path, pretty });
  }
}
