/** Function calls: choosing the function (manual 10.3), named and default and variadic arguments, aggregates and window calls. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { as, type FuncCall, stringsOf } from '../parse/ast.ts';
import { closestNames } from '../parse/spelling.ts';
import type { Expr, FunctionExpr } from '../tree.ts';
import { parseExprs } from '../tree-json.ts';
import { finishAggregate, finishWindowCall } from './aggregates.ts';
import { type Candidate, matchCandidates, selectCandidate } from './candidates.ts';
import { coerceToCommonType, coerceType, findPathway, selectCommonType } from './coerce.ts';
import { selectField } from './columns.ts';
import { exprPosition } from './location.ts';
import * as T from './oids.ts';
import { coerceArgument } from './operators.ts';
import { resolveGenericTypes } from './polymorphic.ts';
import { KIND_NAME, type Scope } from './scope.ts';
import { typeLabel } from './type-name.ts';

interface FunctionCandidate extends Candidate {
  descriptor: FunctionDescriptor;
  /** Position of each actual argument in the declaration (named notation), null = in order. */
  argumentNumbers: number[] | null;
  /** Actual arguments swallowed by VARIADIC, 0 = none. */
  variadicCount: number;
  /** Declared arguments filled by defaults. */
  defaultedCount: number;
}

function expandCandidates(
  functions: readonly FunctionDescriptor[],
  count: number,
  argumentNames: readonly (string | null)[],
  expandVariadic: boolean,
  withOutputs = false,
): FunctionCandidate[] {
  const namedCount = argumentNames.filter((name) => name !== null).length;
  const result: FunctionCandidate[] = [];
  for (const descriptor of functions) {
    // CALL names the output arguments of a procedure too.
    const declared =
      withOutputs && descriptor.kind === 'p'
        ? (descriptor.allArgumentTypes ?? descriptor.argumentTypes)
        : descriptor.argumentTypes;
    let candidate: FunctionCandidate;
    if (namedCount > 0) {
      // Variadic functions take named notation only with VARIADIC written out.
      if (descriptor.variadicType && expandVariadic) continue;
      const numbers = matchNames(descriptor, count, argumentNames, declared.length);
      if (!numbers) continue;
      candidate = {
        oid: descriptor.oid,
        args: numbers.map((number) => declared[number]),
        descriptor,
        argumentNumbers: numbers,
        variadicCount: 0,
        defaultedCount: declared.length - count,
      };
    } else {
      const isVariadic = descriptor.variadicType !== 0 && expandVariadic && declared.length <= count;
      const missing = declared.length - count;
      if (missing > 0) {
        if (missing > descriptor.defaultCount) continue;
      } else if (missing < 0 && !isVariadic) continue;
      let args: Oid[];
      let variadicCount = 0;
      if (isVariadic) {
        const fixed = declared.length - 1;
        variadicCount = count - fixed;
        args = declared.slice(0, fixed);
        for (let index = 0; index < variadicCount; index++) args.push(descriptor.variadicType);
      } else args = declared.slice(0, count);
      candidate = {
        oid: descriptor.oid,
        args,
        descriptor,
        argumentNumbers: null,
        variadicCount,
        defaultedCount: Math.max(0, missing),
      };
    }
    const same = result.findIndex((other) => sameArgs(other.args, candidate.args));
    if (same >= 0) {
      // Of two with equal arguments the plain one beats the variadic, fewer defaults win, then the earlier schema.
      const other = result[same];
      const isBetter =
        (other.variadicCount > 0 && candidate.variadicCount === 0) ||
        (other.variadicCount === candidate.variadicCount && other.defaultedCount > candidate.defaultedCount);
      if (isBetter) result[same] = candidate;
      else if (
        other.defaultedCount > 0 &&
        other.defaultedCount === candidate.defaultedCount &&
        other.variadicCount === candidate.variadicCount
      )
        result.push(candidate);
      continue;
    }
    result.push(candidate);
  }
  return result;
}

function sameArgs(left: readonly Oid[], right: readonly Oid[]): boolean {
  return left.length === right.length && left.every((oid, index) => oid === right[index]);
}

function matchNames(
  descriptor: FunctionDescriptor,
  count: number,
  argumentNames: readonly (string | null)[],
  declaredCount: number,
): number[] | null {
  const withOutputs = declaredCount > descriptor.argumentTypes.length;
  if (count > declaredCount || !descriptor.argumentNames) return null;
  // Input arguments only, in order.
  const inputNames: string[] = [];
  if (descriptor.argumentModes)
    descriptor.argumentModes.forEach((mode, index) => {
      if (mode === 'i' || mode === 'b' || mode === 'v' || withOutputs)
        inputNames.push(descriptor.argumentNames![index] ?? '');
    });
  else inputNames.push(...descriptor.argumentNames);
  const numbers: number[] = [];
  const given = new Array<boolean>(declaredCount).fill(false);
  for (let index = 0; index < count; index++) {
    const name = argumentNames[index];
    const number = name === null ? index : inputNames.indexOf(name);
    if (number < 0 || given[number]) return null;
    given[number] = true;
    numbers.push(number);
  }
  const firstDefault = declaredCount - descriptor.defaultCount;
  for (let number = 0; number < declaredCount; number++)
    if (!given[number] && number < firstDefault) return null;
  return numbers;
}

export type FunctionChoice =
  | { kind: 'found'; candidate: FunctionCandidate }
  | { kind: 'cast'; target: Oid }
  | { kind: 'none' | 'ambiguous' };

function chooseFunction(
  scope: Scope,
  schema: string | null,
  name: string,
  args: readonly Expr[],
  argumentNames: readonly (string | null)[],
  expandVariadic: boolean,
  isProcedure = false,
): FunctionChoice {
  const { catalog, context } = scope;
  const functions = catalog.functionsByName(schema, name, context.path);
  const inputs = args.map((arg) => arg.typeOid);
  const candidates = expandCandidates(functions, args.length, argumentNames, expandVariadic, isProcedure);
  for (const candidate of candidates)
    if (candidate.defaultedCount === 0 && sameArgs(candidate.args, inputs))
      return { kind: 'found', candidate };
  for (const candidate of candidates)
    if (sameArgs(candidate.args, inputs)) return { kind: 'found', candidate };

  // A type's name used as a function is a cast.
  if (args.length === 1 && argumentNames[0] === null && expandVariadic) {
    const type = catalog.typeByName(schema, name, context.path);
    if (type && type.kind !== 'p' && type.relationOid === 0) {
      const source = inputs[0];
      if (source === T.UNKNOWN) return { kind: 'cast', target: type.oid };
      const pathway = findPathway(catalog, type.oid, source, 'explicit');
      if (pathway.kind === 'relabel') return { kind: 'cast', target: type.oid };
      if (pathway.kind === 'io') {
        const isRow = source === T.RECORD || catalog.type(source)?.kind === 'c';
        if (!(isRow && type.category === 'S')) return { kind: 'cast', target: type.oid };
      }
    }
  }
  const matching = matchCandidates(scope, inputs, candidates);
  if (matching.length === 0) return { kind: 'none' };
  if (matching.length === 1) return { kind: 'found', candidate: matching[0] };
  const chosen = selectCandidate(scope, inputs, matching);
  return chosen ? { kind: 'found', candidate: chosen } : { kind: 'ambiguous' };
}

/** `name(integer, text)` for messages. */
export function callSignature(
  scope: Scope,
  name: string,
  args: readonly Expr[],
  argumentNames: readonly (string | null)[] = [],
): string {
  const list = args.map((arg, index) => {
    const type = typeLabel(scope.context, arg.typeOid);
    const label = argumentNames[index];
    return label ? `${label} => ${type}` : type;
  });
  return `${name}(${list.join(', ')})`;
}

function isPlainCall(call: FuncCall): boolean {
  return !(
    call.agg_star ||
    call.agg_distinct ||
    call.agg_within_group ||
    call.agg_order?.length ||
    call.agg_filter ||
    call.over ||
    call.func_variadic
  );
}

/** What the call's own clauses became: analysed by the caller, in the order PostgreSQL does it. */
export interface CallParts {
  args: Expr[];
  argumentNames: (string | null)[];
  filter: Expr | null;
  /** Count of trailing args that come from WITHIN GROUP (ORDER BY …). */
  orderedCount: number;
  /** A set-returning call was seen in the arguments. */
  lastSetReturningBefore: Expr | null;
}

/**
 * Builds the node for a call: function, cast, aggregate, window function, or field of a row in function notation.
 *
 * Errors    42883 / 42725 when no or several functions fit; 42809 when clauses do not suit the kind of function.
 */
export function makeCall(
  scope: Scope,
  call: FuncCall,
  parts: CallParts,
  position: number | undefined,
  isProcedure = false,
): Expr {
  const names = stringsOf(call.funcname);
  const name = names[names.length - 1];
  const schema = names.length > 1 ? names[names.length - 2] : null;
  const fullName = names.join('.');
  const { catalog } = scope;
  // A parameter declared void stands for an OUT parameter of JDBC's call syntax: it is no argument.
  const isArgument = parts.args.map(({ kind, typeOid }) => kind !== 'param' || typeOid !== T.VOID);
  if (isArgument.includes(false))
    parts = {
      ...parts,
      args: parts.args.filter((_, index) => isArgument[index]),
      argumentNames: parts.argumentNames.filter((_, index) => isArgument[index]),
    };
  const { args, argumentNames } = parts;
  if (args.length > 100)
    throw new DbError('too_many_arguments', 'cannot pass more than 100 arguments to a function').at(position);
  if (names.length > 3)
    throw new DbError('syntax_error', `improper qualified name (too many dotted names): ${fullName}`).at(
      position,
    );
  if (names.length === 3 && names[0] !== catalog.databaseName)
    throw new DbError(
      'feature_not_supported',
      `cross-database references are not implemented: ${fullName}`,
    ).at(position);
  if (schema !== null && !catalog.namespaceByName(schema))
    throw new DbError('undefined_schema', `schema "${schema}" does not exist`).at(position);
  checkNameOrder(argumentNames, args);

  const isPlain = isPlainCall(call);
  if (
    isPlain &&
    !isProcedure &&
    args.length === 1 &&
    names.length === 1 &&
    argumentNames[0] === null &&
    isRowType(scope, args[0])
  ) {
    // A column of that name wins over a function unless the function matches the row type exactly.
    const choice = chooseFunction(scope, schema, name, args, argumentNames, true);
    if (choice.kind !== 'found') {
      const field = selectField(scope, args[0], name, position);
      if (field) return field;
    }
  }
  const choice = chooseFunction(scope, schema, name, args, argumentNames, !call.func_variadic, isProcedure);
  if (choice.kind === 'cast' && isPlain)
    return coerceType(
      scope,
      args[0],
      args[0].typeOid,
      choice.target,
      -1,
      'explicit',
      'explicitCast',
      position,
    );
  if (choice.kind === 'cast')
    checkKind(scope, call, { kind: 'f' } as FunctionDescriptor, fullName, parts, isProcedure, position);
  if (choice.kind !== 'found')
    throw callError(scope, call, choice, fullName, name, schema, parts, isProcedure).at(position);

  const { candidate } = choice;
  const { descriptor } = candidate;
  checkKind(scope, call, descriptor, fullName, parts, isProcedure, position);

  const allDeclared =
    isProcedure && descriptor.kind === 'p'
      ? (descriptor.allArgumentTypes ?? descriptor.argumentTypes)
      : descriptor.argumentTypes;
  let declared: Oid[];
  let actual: Expr[];
  if (candidate.argumentNumbers) {
    declared = [...allDeclared];
    const defaults = defaultsOf(scope, descriptor);
    const first = declared.length - descriptor.defaultCount;
    actual = declared.map((_, number) => {
      const index = candidate.argumentNumbers!.indexOf(number);
      return index >= 0 ? args[index] : defaults[number - first];
    });
  } else {
    declared = [...candidate.args];
    actual = [...args];
    if (candidate.defaultedCount > 0) {
      const defaults = defaultsOf(scope, descriptor);
      for (let number = args.length; number < allDeclared.length; number++) {
        declared.push(allDeclared[number]);
        actual.push(defaults[number - (allDeclared.length - descriptor.defaultCount)]);
      }
    }
  }
  if (descriptor.aggregate?.kind === 'h' && parts.orderedCount > 0)
    unifyHypothetical(scope, actual, declared, parts.orderedCount);
  const returnType = resolveGenericTypes(
    scope,
    actual.map((arg) => arg.typeOid),
    declared,
    descriptor.returnType,
  );
  actual = actual.map((arg, index) => coerceArgument(scope, arg, declared[index]));

  let isVariadic = call.func_variadic === true;
  if (candidate.variadicCount > 0 && descriptor.variadicType !== T.ANY) {
    const count = candidate.variadicCount;
    const elements = actual.splice(actual.length - count, count);
    const elementType = elements[0].typeOid;
    const arrayType = catalog.type(elementType)?.arrayOid ?? 0;
    if (!arrayType)
      throw new DbError(
        'undefined_object',
        `could not find array type for data type ${typeLabel(scope.context, elementType)}`,
      ).at(elements[0].position);
    actual.push({
      kind: 'array',
      elementType,
      elements,
      multidimensional: false,
      typeOid: arrayType,
      typmod: -1,
      collation: catalog.type(arrayType)?.collation ?? 0,
      position: elements[0].position,
    });
    isVariadic = true;
  }
  if (call.func_variadic && descriptor.variadicType === T.ANY) {
    const last = actual[actual.length - 1];
    if (last && !catalog.type(last.typeOid)?.isTrueArray)
      throw new DbError('datatype_mismatch', 'VARIADIC argument must be an array').at(exprPosition(last));
  }
  if (descriptor.returnsSet) checkSetReturning(scope, parts.lastSetReturningBefore, position);

  if (call.over) return finishWindowCall(scope, call, descriptor, actual, returnType, parts, position);
  if (descriptor.kind === 'a')
    return finishAggregate(scope, call, descriptor, actual, returnType, parts, isVariadic, position);
  const node: FunctionExpr = {
    kind: 'function',
    functionOid: descriptor.oid,
    args: actual,
    returnsSet: descriptor.returnsSet,
    form: call.funcformat === 'COERCE_SQL_SYNTAX' ? 'sqlSyntax' : 'call',
    variadic: isVariadic,
    typeOid: returnType,
    typmod: -1,
    collation: 0,
    position,
  };
  if (node.returnsSet) scope.lastSetReturning = node;
  return node;
}

function defaultsOf(scope: Scope, descriptor: FunctionDescriptor): Expr[] {
  return descriptor.defaults ? parseExprs(descriptor.defaults, (oid) => scope.typeOf(oid).support) : [];
}

function checkNameOrder(names: readonly (string | null)[], args: readonly Expr[]): void {
  let sawName = false;
  const seen = new Set<string>();
  names.forEach((name, index) => {
    if (name === null) {
      if (sawName)
        throw new DbError('syntax_error', 'positional argument cannot follow named argument').at(
          exprPosition(args[index]),
        );
      return;
    }
    sawName = true;
    if (seen.has(name))
      throw new DbError('syntax_error', `argument name "${name}" used more than once`).at(
        exprPosition(args[index]),
      );
    seen.add(name);
  });
}

function isRowType(scope: Scope, expr: Expr): boolean {
  return expr.typeOid === T.RECORD || scope.catalog.type(expr.typeOid)?.kind === 'c';
}

/** Direct arguments of a hypothetical-set aggregate take the common type with the sort columns they stand for. */
function unifyHypothetical(scope: Scope, args: Expr[], declared: Oid[], orderedCount: number): void {
  const directCount = args.length - orderedCount;
  const offset = directCount - orderedCount;
  if (offset < 0) return;
  for (let index = 0; index < orderedCount; index++) {
    const direct = offset + index;
    const ordered = directCount + index;
    if (declared[direct] !== T.ANY) continue;
    const common = selectCommonType(scope, [args[ordered], args[direct]], 'WITHIN GROUP');
    args[direct] = coerceToCommonType(scope, args[direct], common, 'WITHIN GROUP');
    args[ordered] = coerceToCommonType(scope, args[ordered], common, 'WITHIN GROUP');
  }
}

function callError(
  scope: Scope,
  call: FuncCall,
  choice: FunctionChoice,
  fullName: string,
  name: string,
  schema: string | null,
  parts: CallParts,
  isProcedure: boolean,
): DbError {
  const signature = callSignature(scope, fullName, parts.args, parts.argumentNames);
  const kind = isProcedure ? 'procedure' : 'function';
  if (choice.kind === 'ambiguous')
    return new DbError('ambiguous_function', `${kind} ${signature} is not unique`, {
      hint: `Could not choose a best candidate ${kind}. You might need to add explicit type casts.`,
    });
  if (call.agg_order && call.agg_order.length > 1 && !call.agg_within_group)
    return new DbError('undefined_function', `function ${signature} does not exist`, {
      hint: 'No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.',
    });
  let hint = `No ${kind} matches the given name and argument types. You might need to add explicit type casts.`;
  const { catalog, context } = scope;
  const same = catalog.functionsByName(schema, name, context.path);
  if (same.length > 0) {
    const shown = same
      .slice(0, 4)
      .map((item) => `${item.name}(${item.argumentTypes.map((oid) => typeLabel(context, oid)).join(', ')})`);
    hint += ` Candidates: ${shown.join(', ')}${same.length > shown.length ? ', …' : ''}.`;
  } else {
    const close = closestNames(name, catalog.functionNames(context.path));
    if (close.length > 0) hint += ` Did you mean "${close[0]}"?`;
  }
  return new DbError('undefined_function', `${kind} ${signature} does not exist`, { hint });
}

/** The clauses written must suit what was found. */
function checkKind(
  scope: Scope,
  call: FuncCall,
  descriptor: FunctionDescriptor,
  name: string,
  parts: CallParts,
  isProcedure: boolean,
  position: number | undefined,
): void {
  const wrong = (message: string, hint?: string): DbError =>
    new DbError('wrong_object_type', message, hint ? { hint } : {}).at(position);
  const signature = (): string => callSignature(scope, name, parts.args, parts.argumentNames);
  if (isProcedure !== (descriptor.kind === 'p')) {
    if (isProcedure) throw wrong(`${signature()} is not a procedure`, 'To call a function, use SELECT.');
    throw wrong(`${signature()} is a procedure`, 'To call a procedure, use CALL.');
  }
  if (descriptor.kind === 'f' || descriptor.kind === 'p') {
    if (call.agg_star) throw wrong(`${name}(*) specified, but ${name} is not an aggregate function`);
    if (call.agg_distinct) throw wrong(`DISTINCT specified, but ${name} is not an aggregate function`);
    if (call.agg_within_group)
      throw wrong(`WITHIN GROUP specified, but ${name} is not an aggregate function`);
    if (call.agg_order?.length) throw wrong(`ORDER BY specified, but ${name} is not an aggregate function`);
    if (call.agg_filter) throw wrong(`FILTER specified, but ${name} is not an aggregate function`);
    if (call.over)
      throw wrong(`OVER specified, but ${name} is not a window function nor an aggregate function`);
    return;
  }
  if (descriptor.kind === 'a') {
    const kind = descriptor.aggregate?.kind ?? 'n';
    if (kind === 'n') {
      if (call.agg_within_group)
        throw wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`);
      if (parts.args.length === 0 && !call.agg_star)
        throw wrong(`${name}(*) must be used to call a parameterless aggregate function`);
      return;
    }
    if (kind === 'h' && call.agg_within_group && descriptor.variadicType === T.ANY) {
      const directCount = parts.args.length - parts.orderedCount;
      if (directCount !== parts.orderedCount)
        throw new DbError('undefined_function', `function ${signature()} does not exist`, {
          hint: `To use the hypothetical-set aggregate ${name}, the number of hypothetical direct arguments (here ${directCount}) must match the number of ordering columns (here ${parts.orderedCount}).`,
        }).at(position);
    }
    if (!call.agg_within_group) throw wrong(`WITHIN GROUP is required for ordered-set aggregate ${name}`);
    if (call.over)
      throw new DbError(
        'feature_not_supported',
        `OVER is not supported for ordered-set aggregate ${name}`,
      ).at(position);
    if (call.agg_distinct)
      throw new DbError('feature_not_supported', 'cannot use DISTINCT with WITHIN GROUP').at(position);
    if (call.func_variadic)
      throw new DbError('feature_not_supported', 'cannot use VARIADIC with WITHIN GROUP').at(position);
    return;
  }
  // Window function.
  if (!call.over)
    throw new DbError('wrong_object_type', `window function ${name} requires an OVER clause`).at(position);
  if (call.agg_within_group) throw wrong(`window function ${name} cannot have WITHIN GROUP`);
}

/** Set-returning calls are allowed in few places. */
export function checkSetReturning(scope: Scope, lastBefore: Expr | null, position: number | undefined): void {
  const fail = (message: string): DbError => new DbError('feature_not_supported', message).at(position);
  switch (scope.kind) {
    case 'selectTarget':
    case 'insertTarget':
    case 'other':
    case 'orderBy':
    case 'groupBy':
    case 'distinctOn':
    case 'valuesSingle':
    // Keys of windows are a kind of grouping and sorting.
    case 'windowPartition':
    case 'windowOrder':
      return;
    case 'fromFunction':
      if (scope.lastSetReturning !== lastBefore)
        throw fail('set-returning functions must appear at top level of FROM');
      return;
    case 'joinOn':
    case 'joinUsing':
      throw fail('set-returning functions are not allowed in JOIN conditions');
    case 'windowRange':
    case 'windowRows':
    case 'windowGroups':
      throw fail('set-returning functions are not allowed in window definitions');
    case 'mergeWhen':
      throw fail('set-returning functions are not allowed in MERGE WHEN conditions');
    case 'check':
      throw fail('set-returning functions are not allowed in check constraints');
    case 'columnDefault':
    case 'functionDefault':
      throw fail('set-returning functions are not allowed in DEFAULT expressions');
    case 'indexExpression':
      throw fail('set-returning functions are not allowed in index expressions');
    case 'indexPredicate':
      throw fail('set-returning functions are not allowed in index predicates');
    case 'alterTransform':
      throw fail('set-returning functions are not allowed in transform expressions');
    case 'executeParameter':
      throw fail('set-returning functions are not allowed in EXECUTE parameters');
    case 'generated':
      throw fail('set-returning functions are not allowed in column generation expressions');
    case 'call':
      throw fail('set-returning functions are not allowed in CALL arguments');
    case 'copyWhere':
      throw fail('set-returning functions are not allowed in COPY FROM WHERE conditions');
    default:
      throw fail(`set-returning functions are not allowed in ${KIND_NAME[scope.kind]}`);
  }
}

/** Names of NamedArgExpr arguments. */
export function namedArgument(node: unknown): { name: string; arg: unknown } | null {
  const named = as(node as never, 'NamedArgExpr') as { name?: string; arg?: unknown } | undefined;
  return named ? { name: named.name ?? '', arg: named.arg } : null;
}
