/**
 * Type coercion as in PostgreSQL's manual, chapter 10: which casts apply implicitly, on assignment or when written out, how a
 * set of expressions finds its common type, and how polymorphic arguments fit together.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type { CatalogReader, TypeDescriptor } from '../../catalog/contract.ts';
import { changesSign } from '../../types/relabel.ts';
import type { ConstExpr, Expr, FunctionExpr } from '../tree.ts';
import { exprPosition } from './location.ts';
import { makeBool, makeInt4, makeRelabel } from './make.ts';
import * as T from './oids.ts';
import { isGenericConsistent } from './polymorphic.ts';
import { type Scope, typeOf } from './scope.ts';
import { typeLabel } from './type-name.ts';

export type CoercionContext = 'implicit' | 'assignment' | 'explicit';
export type CastForm = 'implicitCast' | 'explicitCast';

const CONTEXT_RANK: Readonly<Record<string, number>> = {
  i: 0,
  a: 1,
  e: 2,
  implicit: 0,
  assignment: 1,
  explicit: 2,
};

/** Domain → its base type, with the domain's typmod. */
export function baseType(catalog: CatalogReader, oid: Oid, typmod = -1): { typeOid: Oid; typmod: number } {
  let type = catalog.type(oid);
  let current = oid;
  while (type && type.kind === 'd') {
    if (typmod < 0) typmod = type.typmod;
    current = type.baseTypeOid;
    type = catalog.type(current);
  }
  return { typeOid: current, typmod };
}

export function baseTypeOid(catalog: CatalogReader, oid: Oid): Oid {
  const type = catalog.type(oid);
  return type?.kind === 'd' ? baseType(catalog, oid).typeOid : oid;
}

/** Element type of a true array (through domains), 0 for anything else. */
export function elementTypeOf(catalog: CatalogReader, oid: Oid): Oid {
  const type = catalog.type(baseTypeOid(catalog, oid));
  return type?.isTrueArray ? type.elementOid : 0;
}

function isComplex(catalog: CatalogReader, oid: Oid): boolean {
  const type = catalog.type(baseTypeOid(catalog, oid));
  return type !== null && (type.kind === 'c' || type.relationOid !== 0);
}

function isComplexArray(catalog: CatalogReader, oid: Oid): boolean {
  const element = elementTypeOf(catalog, oid);
  return element !== 0 && isComplex(catalog, element);
}

type Pathway =
  | { kind: 'none' | 'relabel' | 'io' | 'array'; functionOid: 0 }
  | { kind: 'function'; functionOid: Oid };

const NONE: Pathway = { kind: 'none', functionOid: 0 };
const RELABEL: Pathway = { kind: 'relabel', functionOid: 0 };
const VIA_IO: Pathway = { kind: 'io', functionOid: 0 };
const VIA_ARRAY: Pathway = { kind: 'array', functionOid: 0 };

/** How `source` becomes `target` in a context. */
export function findPathway(
  catalog: CatalogReader,
  target: Oid,
  source: Oid,
  context: CoercionContext,
): Pathway {
  source = baseTypeOid(catalog, source);
  target = baseTypeOid(catalog, target);
  if (source === target) return RELABEL;
  const cast = catalog.cast(source, target);
  const rank = CONTEXT_RANK[context];
  if (cast) {
    if (rank < CONTEXT_RANK[cast.context]) return NONE;
    if (cast.method === 'f') return { kind: 'function', functionOid: cast.functionOid };
    return cast.method === 'i' ? VIA_IO : RELABEL;
  }
  if (target !== T.OIDVECTOR && target !== T.INT2VECTOR) {
    const targetElement = elementTypeOf(catalog, target);
    const sourceElement = targetElement ? elementTypeOf(catalog, source) : 0;
    if (targetElement && sourceElement) {
      const inner = findPathway(catalog, targetElement, sourceElement, context);
      if (inner.kind !== 'none') return inner.kind === 'io' ? VIA_IO : VIA_ARRAY;
    }
  }
  if (rank >= 1 && catalog.type(target)?.category === 'S') return VIA_IO;
  if (rank >= 2 && catalog.type(source)?.category === 'S') return VIA_IO;
  return NONE;
}

/** True if a value of `source` is one of `target` without any work. */
export function isBinaryCoercible(catalog: CatalogReader, source: Oid, target: Oid): boolean {
  if (source === target || target === T.ANY || target === T.ANYELEMENT || target === T.ANYCOMPATIBLE)
    return true;
  source = baseTypeOid(catalog, source);
  if (source === target) return true;
  if (target === T.ANYARRAY || target === T.ANYCOMPATIBLEARRAY) {
    if (elementTypeOf(catalog, source)) return true;
  }
  if (target === T.ANYNONARRAY || target === T.ANYCOMPATIBLENONARRAY) {
    if (!elementTypeOf(catalog, source)) return true;
  }
  const kind = catalog.type(source)?.kind;
  if (target === T.ANYENUM && kind === 'e') return true;
  if ((target === T.ANYRANGE || target === T.ANYCOMPATIBLERANGE) && kind === 'r') return true;
  if ((target === T.ANYMULTIRANGE || target === T.ANYCOMPATIBLEMULTIRANGE) && kind === 'm') return true;
  if (target === T.RECORD && isComplex(catalog, source)) return true;
  if (target === T.RECORDARRAY && isComplexArray(catalog, source)) return true;
  const cast = catalog.cast(source, target);
  return cast !== null && cast.method === 'b' && cast.context === 'i';
}

/** True if each input can become its target in the context (polymorphic targets checked together). */
export function canCoerce(
  scope: Scope,
  inputs: readonly Oid[],
  targets: readonly Oid[],
  context: CoercionContext,
): boolean {
  const { catalog } = scope;
  let hasGeneric = false;
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index];
    const target = targets[index];
    if (input === target || target === T.ANY) continue;
    if (T.isPolymorphic(target)) {
      hasGeneric = true;
      continue;
    }
    if (input === T.UNKNOWN) continue;
    if (findPathway(catalog, target, input, context).kind !== 'none') continue;
    if (input === T.RECORD && isComplex(catalog, target)) continue;
    if (target === T.RECORD && isComplex(catalog, input)) continue;
    if (target === T.RECORDARRAY && isComplexArray(catalog, input)) continue;
    return false;
  }
  return !hasGeneric || isGenericConsistent(scope, inputs, targets);
}

/** Coerces without checking the typmod of what is already of the type. The caller knows that it can be done. */
export function coerceType(
  scope: Scope,
  node: Expr,
  inputType: Oid,
  target: Oid,
  typmod: number,
  context: CoercionContext,
  form: CastForm,
  position?: number,
): Expr {
  const { catalog } = scope;
  if (target === inputType) return node;
  if (
    target === T.ANY ||
    target === T.ANYELEMENT ||
    target === T.ANYNONARRAY ||
    target === T.ANYCOMPATIBLE ||
    target === T.ANYCOMPATIBLENONARRAY
  )
    return node;
  if (T.isPolymorphic(target)) {
    if (inputType !== T.UNKNOWN) {
      const base = baseTypeOid(catalog, inputType);
      return base === inputType ? node : makeRelabel(node, base, -1, node.collation, form, position);
    }
  }
  if (node.kind === 'param' && node.typeOid === T.UNKNOWN) {
    const type = typeOf(catalog, target);
    const base = baseType(catalog, target);
    scope.context.parameters.decide(
      node,
      base.typeOid === target
        ? { typeOid: target, collation: type.collation }
        : { typeOid: base.typeOid, collation: type.collation },
      (oid) => typeLabel(scope.context, oid),
      position,
    );
    if (base.typeOid !== target) return coerceToDomain(scope, node, target, context, form, position);
    return node;
  }
  if (inputType === T.UNKNOWN && node.kind === 'const')
    return inputLiteral(scope, node, target, typmod, context, form, position);
  if (node.kind === 'collate') {
    const arg = coerceType(scope, node.arg, inputType, target, typmod, context, form, position);
    if (typeOf(catalog, target).collation === 0) return arg;
    return { ...node, arg, typeOid: arg.typeOid, typmod: arg.typmod };
  }
  const pathway = findPathway(catalog, target, inputType, context);
  if (pathway.kind !== 'none') {
    if (pathway.kind !== 'relabel') {
      const base = baseType(catalog, target, typmod);
      const result = buildCoercion(scope, node, pathway, base.typeOid, base.typmod, context, form, position);
      return base.typeOid === target
        ? result
        : coerceToDomain(scope, result, target, context, form, position);
    }
    const result = coerceToDomain(scope, node, target, context, form, position);
    if (result !== node) return result;
    return makeRelabel(node, target, -1, typeOf(catalog, target).collation, form, position);
  }
  if (inputType === T.RECORD && isComplex(catalog, target))
    return coerceRecord(scope, node, target, context, form, position);
  if (target === T.RECORD || target === T.RECORDARRAY) return node;
  throw new DbError(
    'cannot_coerce',
    `cannot cast type ${typeLabel(scope.context, inputType)} to ${typeLabel(scope.context, target)}`,
  ).at(position);
}

/** An untyped literal gets its type: the type's input function runs now, errors point at the literal. */
function inputLiteral(
  scope: Scope,
  node: ConstExpr,
  target: Oid,
  typmod: number,
  context: CoercionContext,
  form: CastForm,
  position: number | undefined,
): Expr {
  const { catalog, context: statement } = scope;
  const base = baseType(catalog, target, typmod);
  const type = typeOf(catalog, base.typeOid);
  const inputTypmod = base.typeOid === T.INTERVAL ? base.typmod : -1;
  const at = node.position ?? position;
  const result: ConstExpr = {
    kind: 'const',
    value: null,
    typeOid: base.typeOid,
    typmod: inputTypmod,
    collation: type.collation,
    position: at,
  };
  if (node.value !== null) {
    if (
      type.kind === 'p' &&
      base.typeOid !== T.CSTRING &&
      base.typeOid !== T.RECORD &&
      base.typeOid !== T.VOID
    )
      throw new DbError(
        'feature_not_supported',
        `cannot accept a value of type ${typeLabel(statement, base.typeOid)}`,
      ).at(at);
    // A great literal is read when the statement runs, where that may happen on another thread.
    if ((node.value as string).length > LITERAL_SIZE_MAX && readsSlowly(type)) {
      const cast: Expr = { ...result, kind: 'ioCast', form, arg: { ...node, typeOid: T.TEXT } };
      return target === base.typeOid ? cast : coerceToDomain(scope, cast, target, context, form, position);
    }
    try {
      result.value = type.support.input(node.value as string, inputTypmod, statement.format);
    } catch (error) {
      if (error instanceof DbError) throw error.at(at);
      throw error;
    }
  }
  if (target !== base.typeOid) return coerceToDomain(scope, result, target, context, form, position);
  return result;
}

const LITERAL_SIZE_MAX = 65_536;
const SLOW_TYPES = new Set(['json', 'jsonb', 'numeric', 'tsvector', 'tsquery', 'bytea']);

function readsSlowly(type: TypeDescriptor): boolean {
  return type.isTrueArray || SLOW_TYPES.has(type.name);
}

/** Wraps a value of the base type for a domain; the same node when `target` is no domain. */
export function coerceToDomain(
  scope: Scope,
  node: Expr,
  target: Oid,
  context: CoercionContext,
  form: CastForm,
  position?: number,
): Expr {
  const base = baseType(scope.catalog, target);
  if (base.typeOid === target) return node;
  const arg = coerceTypmod(scope, node, base.typeOid, base.typmod, context, form, position);
  const type = typeOf(scope.catalog, target);
  return {
    kind: 'domainCast',
    arg,
    form,
    typeOid: target,
    typmod: -1,
    collation: type.collation,
    position,
  };
}

function buildCoercion(
  scope: Scope,
  node: Expr,
  pathway: Pathway,
  target: Oid,
  typmod: number,
  context: CoercionContext,
  form: CastForm,
  position: number | undefined,
): Expr {
  const { catalog } = scope;
  const type = typeOf(catalog, target);
  if (pathway.kind === 'function') {
    const descriptor = catalog.function(pathway.functionOid);
    if (!descriptor) throw internalError(`cast function ${pathway.functionOid} does not exist`);
    const args: Expr[] = [node];
    const count = descriptor.argumentTypes.length;
    if (count >= 2) args.push(makeInt4(typmod));
    if (count >= 3) args.push(makeBool(context === 'explicit'));
    const call: FunctionExpr = {
      kind: 'function',
      functionOid: pathway.functionOid,
      args,
      returnsSet: false,
      form,
      variadic: false,
      typeOid: target,
      typmod: count >= 2 ? typmod : -1,
      collation: type.collation,
      position,
    };
    // int2 becomes an oid by way of int4.
    if (changesSign(descriptor.returnType, target))
      return makeRelabel({ ...call, typeOid: descriptor.returnType }, target, -1, 0, form, position);
    return call;
  }
  if (pathway.kind === 'io')
    return {
      kind: 'ioCast',
      arg: node,
      form,
      typeOid: target,
      typmod: -1,
      collation: type.collation,
      position,
    };
  // Array: the element's cast over a placeholder.
  const source = baseType(catalog, node.typeOid, node.typmod);
  const sourceElement = elementTypeOf(catalog, source.typeOid);
  const targetElement = elementTypeOf(catalog, target);
  const placeholder: Expr = {
    kind: 'caseTest',
    typeOid: sourceElement,
    typmod: source.typmod,
    collation: typeOf(catalog, sourceElement).collation,
  };
  const element = coerceToTarget(
    scope,
    placeholder,
    sourceElement,
    targetElement,
    typmod,
    context,
    form,
    position,
  );
  if (!element) throw internalError('failed to coerce array element type as expected');
  return {
    kind: 'arrayCast',
    arg: node,
    element,
    form,
    typeOid: target,
    typmod: element.typmod,
    collation: type.collation,
    position,
  };
}

/** The function that applies a length to a value already of the type. */
function typmodPathway(catalog: CatalogReader, target: Oid): Pathway {
  const element = elementTypeOf(catalog, target);
  const cast = catalog.cast(element || target, element || target);
  if (!cast || cast.functionOid === 0) return NONE;
  return element ? VIA_ARRAY : { kind: 'function', functionOid: cast.functionOid };
}

/** Makes the value's length fit `typmod` (truncation, rounding or error are the length function's matter). */
export function coerceTypmod(
  scope: Scope,
  node: Expr,
  target: Oid,
  typmod: number,
  context: CoercionContext,
  form: CastForm,
  position?: number,
): Expr {
  if (typmod === node.typmod) return node;
  const pathway = typmod < 0 ? NONE : typmodPathway(scope.catalog, target);
  if (pathway.kind === 'none') return makeRelabel(node, target, typmod, node.collation, form, position);
  return buildCoercion(scope, node, pathway, target, typmod, context, form, position);
}

/** Coerces to a type and its typmod; null when there is no way in this context. */
export function coerceToTarget(
  scope: Scope,
  expr: Expr,
  exprType: Oid,
  target: Oid,
  typmod: number,
  context: CoercionContext,
  form: CastForm,
  position?: number,
): Expr | null {
  if (exprType === target && typmod === expr.typmod) return expr;
  if (!canCoerce(scope, [exprType], [target], context)) {
    if (context !== 'assignment' || !scope.convertsThroughText || exprType === 0) return null;
    return { kind: 'ioCast', arg: expr, form: 'explicitCast', typeOid: target, typmod, collation: 0 };
  }
  let inner = expr;
  const collates: Extract<Expr, { kind: 'collate' }>[] = [];
  while (inner.kind === 'collate') {
    collates.push(inner);
    inner = inner.arg;
  }
  let result = coerceType(scope, inner, exprType, target, typmod, context, form, position);
  if (result.kind !== 'domainCast' || result === inner)
    result = coerceTypmod(scope, result, target, typmod, context, form, position);
  if (collates.length > 0 && typeOf(scope.catalog, target).collation !== 0)
    result = {
      ...collates[0],
      arg: result,
      typeOid: result.typeOid,
      typmod: result.typmod,
    };
  return result;
}

/** ROW(…) → a named composite type. */
function coerceRecord(
  scope: Scope,
  node: Expr,
  target: Oid,
  context: CoercionContext,
  form: CastForm,
  position: number | undefined,
): Expr {
  const { catalog } = scope;
  const base = baseTypeOid(catalog, target);
  const fail = (detail: string, at = position): DbError =>
    new DbError(
      'cannot_coerce',
      `cannot cast type ${typeLabel(scope.context, T.RECORD)} to ${typeLabel(scope.context, target)}`,
      { detail },
    ).at(at);
  if (node.kind !== 'row')
    throw new DbError(
      'cannot_coerce',
      `cannot cast type ${typeLabel(scope.context, T.RECORD)} to ${typeLabel(scope.context, target)}`,
    ).at(position);
  const relation = catalog.relation(typeOf(catalog, base).relationOid);
  if (!relation) throw internalError('composite type without a relation');
  const args: Expr[] = [];
  let used = 0;
  for (const column of relation.columns) {
    if (column.dropped) {
      args.push({ kind: 'const', value: null, typeOid: T.INT4, typmod: -1, collation: 0 });
      continue;
    }
    if (used >= node.args.length) throw fail('Input has too few columns.');
    const expr = node.args[used++];
    const cast = coerceToTarget(
      scope,
      expr,
      expr.typeOid,
      column.typeOid,
      column.typmod,
      context,
      'implicitCast',
    );
    if (!cast)
      throw fail(
        `Cannot cast type ${typeLabel(scope.context, expr.typeOid)} to ${typeLabel(scope.context, column.typeOid)} in column ${used}.`,
        exprPosition(expr),
      );
    args.push(cast);
  }
  if (used < node.args.length) throw fail('Input has too many columns.');
  const row: Expr = {
    ...node,
    args,
    fieldNames: relation.columns.map((column) => column.name),
    typeOid: base,
  };
  if (base === target) return row;
  return { kind: 'domainCast', arg: row, form, typeOid: target, typmod: -1, collation: 0, position };
}

/** For conditions: anything assignable to boolean. `construct` as in "argument of WHERE must be …". */
export function coerceToBoolean(scope: Scope, node: Expr, construct: string): Expr {
  const result = coerceToSpecific(scope, node, T.BOOL, construct, 'assignment');
  return result;
}

export function coerceToSpecific(
  scope: Scope,
  node: Expr,
  target: Oid,
  construct: string,
  context: CoercionContext = 'assignment',
): Expr {
  let result: Expr = node;
  if (node.typeOid !== target) {
    const coerced = coerceToTarget(scope, node, node.typeOid, target, -1, context, 'implicitCast');
    if (!coerced)
      throw new DbError(
        'datatype_mismatch',
        `argument of ${construct} must be type ${typeLabel(scope.context, target)}, not type ${typeLabel(scope.context, node.typeOid)}`,
      ).at(exprPosition(node));
    result = coerced;
  }
  if (returnsSet(result))
    throw new DbError('datatype_mismatch', `argument of ${construct} must not return a set`).at(
      node.position,
    );
  return result;
}

/** True if evaluating the expression may give several rows (subqueries not entered). */
export function returnsSet(expr: Expr): boolean {
  switch (expr.kind) {
    case 'const':
    case 'var':
    case 'param':
    case 'aggregate':
    case 'window':
    case 'subLink':
    case 'sqlValue':
      return false;
    case 'function':
    case 'operator':
      return expr.returnsSet || expr.args.some(returnsSet);
    case 'bool':
      return expr.args.some(returnsSet);
    case 'relabel':
    case 'ioCast':
    case 'collate':
      return returnsSet(expr.arg);
    default:
      return false;
  }
}

/**
 * The common type of UNION, CASE, VALUES and others (manual 10.5). `construct` null: 0 instead of an error.
 * Domains of one kind stay, else they count as their base types.
 */
export function selectCommonType(scope: Scope, exprs: readonly Expr[], construct: string | null): Oid {
  const { catalog } = scope;
  const first = exprs[0];
  let chosen = first.typeOid;
  if (chosen !== T.UNKNOWN && exprs.every((expr) => expr.typeOid === chosen)) return chosen;
  chosen = baseTypeOid(catalog, chosen);
  let chosenType: TypeDescriptor = typeOf(catalog, chosen);
  for (let index = 1; index < exprs.length; index++) {
    const next = baseTypeOid(catalog, exprs[index].typeOid);
    if (next === T.UNKNOWN || next === chosen) continue;
    const nextType = typeOf(catalog, next);
    if (chosen === T.UNKNOWN) {
      chosen = next;
      chosenType = nextType;
    } else if (nextType.category !== chosenType.category) {
      if (construct === null) return 0;
      throw new DbError(
        'datatype_mismatch',
        `${construct} types ${typeLabel(scope.context, chosen)} and ${typeLabel(scope.context, next)} cannot be matched`,
      ).at(exprPosition(exprs[index]));
    } else if (
      !chosenType.preferred &&
      canCoerce(scope, [chosen], [next], 'implicit') &&
      !canCoerce(scope, [next], [chosen], 'implicit')
    ) {
      chosen = next;
      chosenType = nextType;
    }
  }
  return chosen === T.UNKNOWN ? T.TEXT : chosen;
}

export function coerceToCommonType(scope: Scope, node: Expr, target: Oid, construct: string): Expr {
  if (node.typeOid === target) return node;
  if (canCoerce(scope, [node.typeOid], [target], 'implicit'))
    return coerceType(scope, node, node.typeOid, target, -1, 'implicit', 'implicitCast', exprPosition(node));
  throw new DbError(
    'cannot_coerce',
    `${construct} could not convert type ${typeLabel(scope.context, node.typeOid)} to ${typeLabel(scope.context, target)}`,
  ).at(exprPosition(node));
}

export function selectCommonTypmod(exprs: readonly Expr[], commonType: Oid): number {
  const typmod = exprs[0].typmod;
  for (const expr of exprs) if (expr.typeOid !== commonType || expr.typmod !== typmod) return -1;
  return typmod;
}
