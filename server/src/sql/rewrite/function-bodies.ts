/**
 * Bodies of SQL functions as queries, for inlining.
 *
 * A body counts only when it is exactly one SELECT. What is analysed depends on catalog and search path, so only the parsed text is
 * kept. A body that does not analyse is left to the call, which reports it as PostgreSQL's executor does.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { CatalogReader, FunctionDescriptor, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { analyseStatement } from '../analyse/index.ts';
import { isPolymorphic } from '../analyse/oids.ts';
import { ParameterTypes } from '../analyse/parameters.ts';
import { Scope } from '../analyse/scope.ts';
import { type RawStatement, tagOf } from '../parse/ast.ts';
import { parseStatements } from '../parse/parser.ts';
import type { Expr, FunctionExpr, ParamExpr, Query } from '../tree.ts';
import { parseQuery } from '../tree-json.ts';
import { mapExpr, mapQuery, someExpr, walkQuery } from '../walk.ts';
import { argumentHook } from './function-names.ts';

/** What inlining needs beside the query. */
export interface InlineContext {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  readonly roleOid: Oid;
  readonly format: FormatContext;
}

/** $n of a body: its arguments, whose types are all known. */
class BodyParameters extends ParameterTypes {
  private readonly catalog: CatalogReader;

  constructor(types: readonly Oid[], catalog: CatalogReader) {
    super(types, false);
    this.catalog = catalog;
  }

  override reference(number: number, position: number | undefined): ParamExpr {
    const node = super.reference(number, position);
    return { ...node, collation: this.catalog.type(node.typeOid)?.collation ?? 0 };
  }

  override finish(): Oid[] {
    return this.types;
  }
}

const parsedBodies = new WeakMap<FunctionDescriptor, RawStatement | null>();

function parsedBody(descriptor: FunctionDescriptor): RawStatement | null {
  let parsed = parsedBodies.get(descriptor);
  if (parsed === undefined) {
    const { statements } = parseStatements(descriptor.source);
    parsed = statements.length === 1 && tagOf(statements[0].tree) === 'SelectStmt' ? statements[0] : null;
    parsedBodies.set(descriptor, parsed);
  }
  return parsed;
}

/** May this function be inlined at all, for this caller? Volatility and strictness are judged by what is made of it. */
export function isInlinable(descriptor: FunctionDescriptor, context: InlineContext): boolean {
  return (
    descriptor.language === 'sql' &&
    descriptor.kind === 'f' &&
    !descriptor.securityDefiner &&
    descriptor.settings === null &&
    context.catalog.hasFunctionPrivilege?.(context.roleOid, descriptor.oid) !== false
  );
}

/** The types of the call's arguments; null when they are not those the function declares. */
export function callTypes(descriptor: FunctionDescriptor, call: FunctionExpr): Oid[] | null {
  if (call.args.length !== descriptor.argumentTypes.length) return null;
  const types: Oid[] = [];
  for (let index = 0; index < call.args.length; index++) {
    const declared = descriptor.argumentTypes[index];
    const { typeOid } = call.args[index];
    if (!isPolymorphic(declared) && declared !== typeOid) return null;
    types.push(typeOid);
  }
  return types;
}

/** The one query of the body over parameters, without positions; null when there is no such query. */
export function bodyQuery(
  descriptor: FunctionDescriptor,
  types: readonly Oid[],
  context: InlineContext,
): Query | null {
  const { catalog } = context;
  if (descriptor.sqlBody !== null) {
    const stored = JSON.parse(descriptor.sqlBody) as object[];
    if (stored.length !== 1) return null;
    const query = parseQuery(JSON.stringify(stored[0]), (oid) => catalog.type(oid)!.support);
    return query.command === 'select' ? query : null;
  }
  try {
    const raw = parsedBody(descriptor);
    if (raw === null) return null;
    const analysed = analyseStatement(raw, {
      catalog,
      path: context.path,
      format: context.format,
      parameters: new BodyParameters(types, catalog),
      names: argumentHook(descriptor, types),
    });
    if (analysed.kind !== 'query' || analysed.query.command !== 'select') return null;
    return withoutPositions(analysed.query);
  } catch (error) {
    if (error instanceof DbError) return null;
    throw error;
  }
}

/** Positions of a body mean nothing in the statement it is put into. */
function withoutPositions(query: Query): Query {
  walkQuery(query, (expr) => {
    // The tree was made a moment ago and is nobody else's.
    if (expr.position !== undefined) delete expr.position;
    return undefined;
  });
  return query;
}

/** A scope for coercions outside a statement. */
export function coercionScope({ catalog, path, format }: InlineContext): Scope {
  return new Scope({ catalog, path, format, parameters: new ParameterTypes([], false) }, null);
}

/** Puts `args` in the place of the parameters, moved in by the levels of queries they come to stand under. */
export function substituteInExpr(expr: Expr, args: readonly Expr[]): Expr {
  return mapExpr(expr, (node) => (node.kind === 'param' ? args[node.number - 1] : undefined));
}

/** As {@link substituteInExpr}, for a body that becomes a subquery; `shifted(depth)` gives the arguments at that depth. */
export function substituteInQuery(query: Query, shifted: (depth: number) => readonly Expr[]): Query {
  return mapQuery(query, (node, depth) =>
    node.kind === 'param' ? shifted(depth + 1)[node.number - 1] : undefined,
  );
}

/** CASE and array casts give their operand a node of its own, which an expression put between would take for another's. */
export function dependsOnContext(expr: Expr): boolean {
  return someExpr(expr, (node) => node.kind === 'caseTest');
}
