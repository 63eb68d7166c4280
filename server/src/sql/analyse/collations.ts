/**
 * Collation derivation: every node learns the collation of its result and, where it compares or folds text, the one it works
 * under (`inputCollation`). Explicit COLLATE wins over implicit, two different explicit ones are an error, two different
 * implicit ones leave it undecided (0), which is an error only where the function needs one.
 *
 * Nodes are completed in place: analysis has just made them and nobody else holds them.
 */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { Expr, Query, SortKey } from '../tree.ts';
import { forEachChild, forEachQueryExpr } from '../walk.ts';
import * as T from './oids.ts';
import type { Scope } from './scope.ts';

const NONE = 0;
const IMPLICIT = 1;
const CONFLICT = 2;
const EXPLICIT = 3;

interface State {
  collation: Oid;
  strength: number;
  position: number | undefined;
  /** The second collation of a conflict. */
  other: Oid;
}

function fresh(): State {
  return { collation: 0, strength: NONE, position: undefined, other: 0 };
}

/** Completes one expression tree. */
export function assignCollations(scope: Scope, expr: Expr): void {
  assign(scope, expr, fresh());
}

/** Completes all expressions the query owns (child queries are complete already). */
export function assignQueryCollations(scope: Scope, query: Query): void {
  const seen = new Set<Expr>();
  forEachQueryExpr(query, (expr) => {
    if (seen.has(expr)) return;
    seen.add(expr);
    assignCollations(scope, expr);
  });
  for (const key of [...query.orderBy, ...query.windows.flatMap(({ orderBy }) => orderBy)])
    refuseLocaleOrder(scope, key.expr.collation, key.expr.position);
  // VALUES columns are one list each: their common collation is the column's.
  for (const entry of query.rangeTable) {
    if (entry.kind !== 'values') continue;
    entry.columnTypes.forEach((column, index) => {
      const state = fresh();
      for (const row of entry.rows) if (row[index]) assign(scope, row[index], state);
      column.collation = collationOf(scope, column.typeOid, state);
    });
  }
}

function collationName(scope: Scope, oid: Oid): string {
  return scope.catalog.collationName(oid)?.name ?? String(oid);
}

function merge(
  scope: Scope,
  state: State,
  collation: Oid,
  strength: number,
  position: number | undefined,
  other: Oid,
): void {
  if (strength > state.strength) {
    state.collation = collation;
    state.strength = strength;
    state.position = position;
    state.other = other;
    return;
  }
  if (strength < state.strength || strength === NONE) return;
  if (strength === IMPLICIT && collation !== state.collation) {
    // A non-default implicit collation beats the database's default.
    if (state.collation === T.DEFAULT_COLLATION) {
      state.collation = collation;
      state.position = position;
    } else if (collation !== T.DEFAULT_COLLATION) {
      state.other = collation;
      state.strength = CONFLICT;
      state.position = position;
    }
  } else if (strength === EXPLICIT && collation !== state.collation) {
    throw new DbError(
      'collation_mismatch',
      `collation mismatch between explicit collations "${collationName(scope, state.collation)}" and "${collationName(scope, collation)}"`,
    ).at(position);
  }
}

function collationOf(scope: Scope, typeOid: Oid, state: State): Oid {
  const typeCollation = scope.catalog.type(typeOid)?.collation ?? 0;
  if (typeCollation === 0) return 0;
  if (state.strength === NONE) return typeCollation;
  return state.strength === CONFLICT ? 0 : state.collation;
}

function setInput(expr: Expr, collation: Oid): void {
  if (collation !== 0) expr.inputCollation = collation;
}

function assignKeys(scope: Scope, keys: readonly SortKey[]): void {
  for (const key of keys) {
    assignCollations(scope, key.expr);
    refuseLocaleOrder(scope, key.expr.collation, key.expr.position);
  }
}

/** Text is ordered by bytes everywhere: where a locale's order would be another answer, it is refused. Equality is the same. */
function refuseLocaleOrder(scope: Scope, collation: Oid, position: number | undefined): void {
  if (scope.catalog.collationLocale?.(collation) == null) return;
  throw notSupported(`ordering by collation "${collationName(scope, collation)}"`).at(position);
}

const ORDER_OPERATORS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);

function isOrderOperator(scope: Scope, operatorOid: Oid): boolean {
  return ORDER_OPERATORS.has(scope.catalog.operator(operatorOid)?.name ?? '');
}

/** Completes `expr` and merges its collation into `outer`. */
function assign(scope: Scope, expr: Expr, outer: State): void {
  const position = expr.position;
  switch (expr.kind) {
    case 'var':
    case 'const':
    case 'param':
    case 'caseTest':
    case 'sqlValue':
    case 'currentOf':
    case 'default':
      merge(scope, outer, expr.collation, expr.collation ? IMPLICIT : NONE, position, 0);
      return;
    case 'collate': {
      assign(scope, expr.arg, fresh());
      merge(scope, outer, expr.collation, EXPLICIT, position, 0);
      return;
    }
    case 'fieldSelect': {
      assign(scope, expr.arg, fresh());
      merge(scope, outer, expr.collation, expr.collation ? IMPLICIT : NONE, position, 0);
      return;
    }
    case 'row': {
      for (const arg of expr.args) assignCollations(scope, arg);
      return;
    }
    case 'rowCompare': {
      expr.left.forEach((left, index) => {
        const state = fresh();
        assign(scope, left, state);
        assign(scope, expr.right[index], state);
        refuseLocaleOrder(scope, state.collation, position);
      });
      return;
    }
    case 'subLink': {
      for (const left of expr.left) assignCollations(scope, left);
      for (const cast of expr.rightCasts) if (cast) assignCollations(scope, cast);
      if (expr.operatorOids.some((oid) => isOrderOperator(scope, oid))) {
        for (const { collation } of [
          ...expr.left,
          ...expr.subquery.targets.flatMap(({ junk, expr: item }) => (junk ? [] : [item])),
        ])
          refuseLocaleOrder(scope, collation, position);
      }
      if (expr.type === 'scalar' || expr.type === 'array') {
        const target = expr.subquery.targets.find((item) => !item.junk);
        expr.collation = target?.expr.collation ?? 0;
        if (expr.type === 'array')
          expr.collation = (scope.catalog.type(expr.typeOid)?.collation ?? 0) && expr.collation;
        merge(scope, outer, expr.collation, expr.collation ? IMPLICIT : NONE, position, 0);
      }
      return;
    }
    case 'case': {
      const test = fresh();
      if (expr.arg) assign(scope, expr.arg, test);
      const state = fresh();
      for (const when of expr.whens) {
        assignCollations(scope, when.condition);
        assign(scope, when.result, state);
      }
      if (expr.defaultResult) assign(scope, expr.defaultResult, state);
      expr.collation = collationOf(scope, expr.typeOid, state);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'subscript': {
      const state = fresh();
      assign(scope, expr.arg, state);
      for (const item of expr.upper) if (item) assignCollations(scope, item);
      if (expr.lower) for (const item of expr.lower) if (item) assignCollations(scope, item);
      if (expr.assignment) assignCollations(scope, expr.assignment);
      expr.collation = collationOf(scope, expr.typeOid, state);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'arrayCast': {
      const state = fresh();
      assign(scope, expr.arg, state);
      assignCollations(scope, expr.element);
      expr.collation = collationOf(scope, expr.typeOid, state);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'aggregate': {
      const state = fresh();
      for (const arg of expr.directArgs) assign(scope, arg, state);
      for (const arg of expr.args) assign(scope, arg, expr.directArgs.length > 0 ? fresh() : state);
      assignKeys(scope, expr.orderBy);
      if (expr.filter) assignCollations(scope, expr.filter);
      expr.collation = collationOf(scope, expr.typeOid, state);
      setInput(expr, state.strength === CONFLICT ? 0 : state.collation);
      if (isExtremum(scope, expr.aggregateOid)) refuseLocaleOrder(scope, state.collation, position);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'window': {
      const state = fresh();
      for (const arg of expr.args) assign(scope, arg, state);
      if (expr.filter) assignCollations(scope, expr.filter);
      expr.collation = collationOf(scope, expr.typeOid, state);
      setInput(expr, state.strength === CONFLICT ? 0 : state.collation);
      if (isExtremum(scope, expr.functionOid)) refuseLocaleOrder(scope, state.collation, position);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'operator':
    case 'function':
    case 'distinct':
    case 'nullif':
    case 'arrayOperator': {
      const state = fresh();
      for (const arg of expr.args) assign(scope, arg, state);
      if (state.strength === CONFLICT && needsCollation(expr))
        throw new DbError(
          'indeterminate_collation',
          'could not determine which collation to use for string comparison',
          { hint: 'Use the COLLATE clause to set the collation explicitly.' },
        ).at(position);
      expr.collation = collationOf(scope, expr.typeOid, state);
      setInput(expr, state.strength === CONFLICT ? 0 : state.collation);
      if (
        expr.kind === 'function'
          ? isOrderFunction(scope, expr.functionOid)
          : isOrderOperator(scope, expr.operatorOid)
      )
        refuseLocaleOrder(scope, state.collation, position);
      propagate(scope, expr, state, outer);
      return;
    }
    case 'bool':
    case 'nullTest':
    case 'booleanTest': {
      forEachChild(expr, (child) => assignCollations(scope, child));
      return;
    }
    default: {
      const state = fresh();
      forEachChild(expr, (child) => assign(scope, child, state));
      expr.collation = collationOf(scope, expr.typeOid, state);
      if (expr.kind === 'minmax') {
        setInput(expr, state.strength === CONFLICT ? 0 : state.collation);
        refuseLocaleOrder(scope, state.collation, position);
      }
      propagate(scope, expr, state, outer);
    }
  }
}

function isExtremum(scope: Scope, oid: Oid): boolean {
  const name = scope.catalog.function(oid)?.name;
  return name === 'min' || name === 'max';
}

const ORDER_FUNCTIONS =
  /^((text|bpchar|btarray|array|record|btrecord)_?(lt|le|gt|ge|cmp|larger|smaller)|bttextcmp|bpcharcmp|btarraycmp|width_bucket)$/;

function isOrderFunction(scope: Scope, oid: Oid): boolean {
  return ORDER_FUNCTIONS.test(scope.catalog.function(oid)?.name ?? '');
}

/** What compares text under a collation; concatenation and the like do not care. */
function needsCollation(expr: Expr): boolean {
  return expr.typeOid === T.BOOL && expr.kind !== 'function';
}

function propagate(scope: Scope, expr: Expr, state: State, outer: State): void {
  if ((scope.catalog.type(expr.typeOid)?.collation ?? 0) === 0) return;
  const strength = state.strength === NONE ? (expr.collation ? IMPLICIT : NONE) : state.strength;
  merge(
    scope,
    outer,
    state.strength === CONFLICT ? state.collation : expr.collation,
    strength,
    state.position ?? expr.position,
    state.other,
  );
}
