/**
 * Calls of simple SQL functions become the expression or the subquery they stand for, by PostgreSQL's rules.
 *
 * A scalar function: one SELECT of one expression without FROM or anything else; the expression is no more volatile and, for a
 * STRICT function, no less strict than the function says; an argument used more than once is cheap and not volatile.
 * A set in FROM: not STRICT, not VOLATILE; its SELECT becomes a subquery.
 * Neither is done for functions with rights or settings of their own, or that the role may not execute.
 */
import type { Oid } from '../../base/brands.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { coerceToTarget } from '../analyse/coerce.ts';
import { assignCollations } from '../analyse/collations.ts';
import { makeRelabel } from '../analyse/make.ts';
import { isSimpleQuery } from '../simple-query.ts';
import type { Expr, FunctionEntry, FunctionExpr, Query, RangeTableEntry, SubqueryEntry } from '../tree.ts';
import {
  forEachChild,
  mapChildQueries,
  mapExpr,
  mapQueryExprs,
  shiftExprLevels,
  someExpr,
  walkQuery,
} from '../walk.ts';
import {
  bodyQuery,
  callTypes,
  coercionScope,
  dependsOnContext,
  type InlineContext,
  isInlinable,
  substituteInExpr,
  substituteInQuery,
} from './function-bodies.ts';
import { isNonStrict, isVolatileExpr, operatorCost, volatilityOf } from './function-properties.ts';

const VOID = 2278;
const RECORD = 2249;
const DEFAULT_COLLATION = 100;
/** An argument dearer than this many operators is not computed twice. */
const REPEATED_COST_MAX = 10;

/** Inlines everywhere in the query and the queries inside it. `rewrite` prepares what comes out of bodies. */
export function inlineFunctions(
  query: Query,
  context: InlineContext,
  rewrite: (query: Query) => Query,
): Query {
  return hasCandidate(query, context) ? new Inliner(context, rewrite).query(query) : query;
}

function hasCandidate(query: Query, { catalog }: InlineContext): boolean {
  let found = false;
  walkQuery(query, (expr) => {
    if (!found && expr.kind === 'function' && catalog.function(expr.functionOid)?.language === 'sql')
      found = true;
    return !found;
  });
  return found;
}

class Inliner {
  private readonly context: InlineContext;
  private readonly rewrite: (query: Query) => Query;
  /** Functions being put in: their own calls inside stay calls. */
  private readonly active: Oid[] = [];

  constructor(context: InlineContext, rewrite: (query: Query) => Query) {
    this.context = context;
    this.rewrite = rewrite;
  }

  query(query: Query): Query {
    const withSets = this.sets(query);
    const inside = mapChildQueries(withSets, (child) => (this.done.has(child) ? child : this.query(child)));
    const result = mapQueryExprs(inside, (expr) => this.expression(expr));
    if (result.variants === undefined) return result;
    const [, ...others] = result.variants;
    return {
      ...result,
      variants: [{ ...result, variants: undefined }, ...others.map((item) => this.query(item))],
    };
  }

  private readonly done = new WeakSet<Query>();

  private expression(expr: Expr): Expr {
    return mapExpr(expr, (node) => {
      if (node.kind === 'subLink') {
        const left = node.left.map((item) => this.expression(item));
        return { ...node, left, subquery: this.query(node.subquery) };
      }
      if (node.kind !== 'function') return undefined;
      const args = node.args.map((arg) => this.expression(arg));
      const call: FunctionExpr = args.every((arg, index) => arg === node.args[index])
        ? node
        : { ...node, args };
      return this.scalar(call) ?? call;
    });
  }

  // --------------------------------------------------------------------------------------------------------- scalars

  private scalar(call: FunctionExpr): Expr | null {
    const { context } = this;
    if (call.returnsSet || call.variadic) return null;
    const descriptor = context.catalog.function(call.functionOid);
    if (descriptor === null || descriptor.returnsSet || descriptor.returnType === RECORD) return null;
    if (!isInlinable(descriptor, context) || this.active.includes(descriptor.oid)) return null;
    if (hasOwnCollation(call)) return null;
    const types = callTypes(descriptor, call);
    if (types === null || call.args.some(dependsOnContext)) return null;
    const query = bodyQuery(descriptor, types, context);
    if (query === null || !isSimpleQuery(query)) return null;
    let [{ expr }] = query.targets;
    if (expr.typeOid !== call.typeOid) {
      const scope = coercionScope(context);
      const coerced = coerceToTarget(
        scope,
        expr,
        expr.typeOid,
        call.typeOid,
        -1,
        'assignment',
        'implicitCast',
      );
      if (coerced === null || coerced.typeOid !== call.typeOid) return null;
      assignCollations(scope, coerced);
      expr = coerced;
    }
    if (!this.keepsPromises(descriptor, expr, call.args)) return null;
    let result = substituteInExpr(expr, call.args);
    this.active.push(descriptor.oid);
    try {
      result = this.expression(result);
    } finally {
      this.active.pop();
    }
    return result.typmod === call.typmod && result.collation === call.collation
      ? result
      : makeRelabel(result, call.typeOid, call.typmod, call.collation, 'implicitCast');
  }

  private keepsPromises(descriptor: FunctionDescriptor, expr: Expr, args: readonly Expr[]): boolean {
    const { catalog } = this.context;
    const volatility = volatilityOf(catalog, expr);
    if (descriptor.volatility === 'i' && volatility !== 'i') return false;
    if (descriptor.volatility === 's' && volatility === 'v') return false;
    if (descriptor.strict && isNonStrict(catalog, expr)) return false;
    const uses = args.map(() => 0);
    const count = (node: Expr): void => {
      if (node.kind === 'param') uses[node.number - 1]++;
      forEachChild(node, count);
    };
    count(expr);
    return args.every((arg, index) => {
      if (uses[index] === 0) return !descriptor.strict;
      if (uses[index] === 1) return true;
      return (
        !someExpr(arg, (node) => node.kind === 'subLink') &&
        operatorCost(catalog, arg) <= REPEATED_COST_MAX &&
        !isVolatileExpr(catalog, arg)
      );
    });
  }

  // ------------------------------------------------------------------------------------------------------------ sets

  /** Calls in FROM that stand alone. */
  private sets(query: Query): Query {
    let rangeTable: RangeTableEntry[] | null = null;
    query.rangeTable.forEach((entry, index) => {
      if (entry.kind !== 'function' || !entry.inFrom || entry.ordinality || entry.functions.length !== 1)
        return;
      const subquery = this.set(entry, query, index + 1);
      if (subquery === null) return;
      rangeTable ??= [...query.rangeTable];
      rangeTable[index] = subquery;
    });
    return rangeTable === null ? query : { ...query, rangeTable };
  }

  private set(entry: FunctionEntry, query: Query, number: number): SubqueryEntry | null {
    const { context } = this;
    const { catalog } = context;
    const call = entry.functions[0].expr;
    if (call.kind !== 'function' || !call.returnsSet || call.variadic) return null;
    const descriptor = catalog.function(call.functionOid);
    if (descriptor === null || !descriptor.returnsSet || descriptor.strict || descriptor.volatility === 'v')
      return null;
    if (descriptor.returnType === VOID || !isInlinable(descriptor, context)) return null;
    if (this.active.includes(descriptor.oid) || hasOwnCollation(call)) return null;
    if (
      call.args.some(
        (arg) => someExpr(arg, (node) => node.kind === 'subLink') || isVolatileExpr(catalog, arg),
      )
    )
      return null;
    const types = callTypes(descriptor, call);
    if (types === null || isReadWhole(query, number)) return null;
    const body = bodyQuery(descriptor, types, context);
    if (body === null || body.rowMarks.length > 0 || body.hasModifyingCte) return null;
    const fitted = this.fitted(body, entry);
    if (fitted === null) return null;
    const args = call.args.map((arg) => this.expression(arg));
    const shifted = (depth: number): readonly Expr[] => args.map((arg) => shiftExprLevels(arg, depth));
    let inner = substituteInQuery(this.rewrite(fitted), shifted);
    this.active.push(descriptor.oid);
    try {
      inner = this.query(inner);
    } finally {
      this.active.pop();
    }
    this.done.add(inner);
    const { alias, columnNames, columnTypes, inFrom } = entry;
    const readsSiblings = args.some((arg) =>
      someExpr(arg, (node, depth) => node.kind === 'var' && node.levelsUp === depth),
    );
    return {
      kind: 'subquery',
      query: inner,
      viewOid: 0,
      securityBarrier: false,
      alias,
      columnNames,
      columnTypes,
      lateral: entry.lateral || readsSiblings,
      inFrom,
    };
  }

  /** The body with exactly the columns of the call, cast where that is simple; null otherwise. */
  private fitted(body: Query, entry: FunctionEntry): Query | null {
    const visible = body.targets.filter(({ junk }) => !junk);
    const { columnTypes, columnNames } = entry;
    if (visible.length !== columnTypes.length || columnNames.includes('')) return null;
    const isPlain =
      body.setOperation === null &&
      !body.hasTargetSets &&
      body.distinct === 'none' &&
      body.groupBy.length === 0 &&
      body.orderBy.length === 0;
    const scope = coercionScope(this.context);
    const targets = [...body.targets];
    for (let index = 0; index < visible.length; index++) {
      const { expr } = visible[index];
      const { typeOid, typmod } = columnTypes[index];
      if (expr.typeOid === typeOid && (typmod < 0 || typmod === expr.typmod)) continue;
      const coerced = isPlain
        ? coerceToTarget(scope, expr, expr.typeOid, typeOid, typmod, 'assignment', 'implicitCast')
        : null;
      if (coerced === null || coerced.typeOid !== typeOid) return null;
      assignCollations(scope, coerced);
      targets[body.targets.indexOf(visible[index])] = { ...visible[index], expr: coerced };
    }
    return { ...body, targets };
  }
}

/** A collation of the call that is not its types' own: the body was analysed under theirs. */
function hasOwnCollation(call: FunctionExpr): boolean {
  const { inputCollation } = call;
  return inputCollation !== undefined && inputCollation !== 0 && inputCollation !== DEFAULT_COLLATION;
}

/** The row of the range table entry is used as one value. */
function isReadWhole(query: Query, number: number): boolean {
  let found = false;
  walkQuery(query, (node, depth) => {
    if (node.kind === 'var' && node.relation === number && node.levelsUp === depth && node.attribute <= 0)
      found = true;
    return !found;
  });
  return found;
}
