/** What catalog functions need, and how a call finds the catalog of its session. */
import type { Oid } from '../../../base/brands.ts';
import type { Catalog } from '../../../catalog/catalog.ts';
import type { RelationDescriptor, SearchPath } from '../../../catalog/contract.ts';
import { CatalogNames } from '../../../catalog/names.ts';
import type { CatalogReaderImplementation } from '../../../catalog/reader.ts';
import { deparseExpr } from '../../../sql/deparse/index.ts';
import { STORED_DEPARSER } from '../../../sql/deparse/stored.ts';
import type { FunctionContext } from '../../../sql/functions/contract.ts';
import type { Expr } from '../../../sql/tree.ts';
import { parseExpr } from '../../../sql/tree-json.ts';
import type { TableStore } from '../../../table/contract.ts';
import { DEFAULT_FORMAT } from '../../../types/index.ts';

export interface CatalogFunctionHost {
  catalog(): Catalog;
  tables(): TableStore;
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
    return STORED_DEPARSER.expression(serialised, relation, { reader: this.reader, path: this.path, pretty });
  }

  /** A domain's check: the value under test is printed VALUE. */
  deparseDomainCheck(serialised: string, pretty: boolean): string {
    return deparseExpr(valueAsVariable(parseExpr(serialised)), {
      catalog: this.reader,
      path: this.path,
      format: { ...DEFAULT_FORMAT, names: this.names },
      pretty,
      variable: () => 'VALUE',
    });
  }
}

/** The tree with the value under test as a column; the arguments of CASE inside keep their own stand-in. */
function valueAsVariable(expr: Expr): Expr {
  const visit = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(visit);
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    const node = value as Record<string, unknown>;
    if (node.kind === 'caseTest') return { ...node, kind: 'var', relation: 1, attribute: 1, levelsUp: 0 };
    const isOwnScope = (node.kind === 'case' && node.arg !== null) || node.kind === 'arrayCast';
    return Object.fromEntries(
      Object.entries(node).map(([key, item]) => [
        key,
        isOwnScope && (key === 'whens' || key === 'element') ? item : visit(item),
      ]),
    );
  };
  return visit(expr) as Expr;
}
