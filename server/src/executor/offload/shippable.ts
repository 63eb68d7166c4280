/**
 * Which parts of an expression can be evaluated on another thread: builtin functions that are not volatile over builtin types.
 *
 * The largest such part becomes a {@link Candidate}. What it cannot take along (subplans, volatile calls, functions of users) is
 * evaluated here first and goes as an input, but only where it is evaluated in any case: not inside CASE, COALESCE, AND, OR.
 */
import type { Oid } from '../../base/brands.ts';
import type { PlanExpr } from '../../planner/physical.ts';
import { BACKEND_FUNCTIONS, CATALOG_FUNCTIONS } from '../../sql/functions/contract.ts';
import { findTypeSupport, OID } from '../../types/index.ts';
import type { FunctionResolver } from '../functions.ts';
import { expressionChildren } from '../row/walk.ts';
import type { Shipment, ShippedFunction } from './messages.ts';

/** What the resolver tells of a function that a worker may call; null = it may not. */
export type ShippedFunctionLookup = (functionOid: Oid) => ShippedFunction | null;

export interface Candidate {
  readonly shipment: Shipment;
  /** Where the inputs come from, in the order of the shipment's slots. */
  readonly inputs: readonly PlanExpr[];
  /** Those of the inputs that are computed beforehand. */
  readonly computed: ReadonlySet<PlanExpr>;
}

const LEAVES = new Set(['slot', 'const', 'param']);
/** All operands are evaluated whenever the node is. */
const STRICT_KINDS = new Set([
  'function',
  'operator',
  'distinct',
  'nullif',
  'ioCast',
  'relabel',
  'collate',
  'arrayOperator',
  'array',
  'nullTest',
  'booleanTest',
  'minmax',
  'subscript',
]);
const CONDITIONAL_KINDS = new Set(['bool', 'case', 'coalesce', 'arrayCast']);
const SUBJECT_KINDS = new Set(['case', 'arrayCast']);

/** Types whose texts are names of the catalog: their values travel, casts to and from text do not. */
const NAMED_TYPES = new Set<Oid>([
  OID.REGPROC,
  OID.REGPROCEDURE,
  OID.REGOPER,
  OID.REGOPERATOR,
  OID.REGCLASS,
  OID.REGTYPE,
  OID.REGCONFIG,
  OID.REGDICTIONARY,
  OID.REGNAMESPACE,
  OID.REGROLE,
  OID.REGCOLLATION,
]);

/** Values of bounded size: functions over them alone are never heavy. */
const SMALL_TYPES = new Set<Oid>([
  OID.BOOL,
  OID.QCHAR,
  OID.INT2,
  OID.INT4,
  OID.INT8,
  OID.OID,
  OID.FLOAT4,
  OID.FLOAT8,
  OID.DATE,
  OID.TIME,
  OID.TIMETZ,
  OID.TIMESTAMP,
  OID.TIMESTAMPTZ,
  OID.INTERVAL,
  OID.UUID,
  OID.NAME,
  OID.TID,
  OID.XID,
]);

/** Cheap whatever their operands: no reason to prepare a journey. */
const LIGHT = new Set([
  'textcat',
  'texteq',
  'textne',
  'text_lt',
  'text_le',
  'text_gt',
  'text_ge',
  'bttextcmp',
  'bpchareq',
  'bpcharne',
  'numeric_eq',
  'numeric_ne',
  'numeric_lt',
  'numeric_le',
  'numeric_gt',
  'numeric_ge',
  'numeric_add',
  'numeric_sub',
  'numeric_uminus',
  'numeric_abs',
  'int4_numeric',
  'int8_numeric',
  'int2_numeric',
  'float8_numeric',
  'numeric_float8',
  'numeric_int4',
  'numeric_int8',
  'array_length',
  'array_lower',
  'array_upper',
  'array_ndims',
  'array_dims',
  'array_cardinality',
]);

const DELEGATED: ReadonlySet<string> = new Set<string>([...CATALOG_FUNCTIONS, ...BACKEND_FUNCTIONS]);

/** True for a function of the library that needs no session around it. */
export function isShippableSource(source: string): boolean {
  return !DELEGATED.has(source);
}

function travels(typeOid: Oid): boolean {
  return typeOid !== OID.RECORD && typeOid !== OID.RECORD_ARRAY && findTypeSupport(typeOid) !== undefined;
}

class Selection {
  readonly functions = new Map<Oid, ShippedFunction>();
  readonly inputs: PlanExpr[] = [];
  readonly computed = new Set<PlanExpr>();
  isHeavy = false;
  private readonly lookup: ShippedFunctionLookup;

  constructor(lookup: ShippedFunctionLookup) {
    this.lookup = lookup;
  }

  /** The expression with its leaves replaced, or null when it cannot go. */
  take(expr: PlanExpr, isConditional: boolean, hasSubject: boolean): PlanExpr | null {
    if (!travels(expr.typeOid)) return null;
    if (LEAVES.has(expr.kind)) return this.input(expr);
    if (expr.kind === 'caseTest') return hasSubject ? expr : null;
    const isStrict = STRICT_KINDS.has(expr.kind);
    if ((!isStrict && !CONDITIONAL_KINDS.has(expr.kind)) || !this.takesFunction(expr))
      return isConditional ? null : this.compute(expr);
    if (expr.kind === 'subscript' && expr.assignment !== null)
      return isConditional ? null : this.compute(expr);
    const children = new Map<PlanExpr, PlanExpr>();
    const isInside = isConditional || !isStrict;
    for (const child of expressionChildren(expr)) {
      const taken = this.take(child, isInside, hasSubject || SUBJECT_KINDS.has(expr.kind));
      if (taken === null) return null;
      children.set(child, taken);
    }
    return replaceChildren(expr, children) as PlanExpr;
  }

  private input(expr: PlanExpr): PlanExpr {
    this.inputs.push(expr);
    const { typeOid, typmod, collation } = expr;
    return { kind: 'slot', slot: this.inputs.length - 1, typeOid, typmod, collation };
  }

  private compute(expr: PlanExpr): PlanExpr | null {
    if ('returnsSet' in expr && expr.returnsSet) return null;
    this.computed.add(expr);
    return this.input(expr);
  }

  private takesFunction(expr: PlanExpr): boolean {
    if (expr.kind === 'ioCast') {
      if (NAMED_TYPES.has(expr.typeOid) || NAMED_TYPES.has(expr.arg.typeOid)) return false;
      this.isHeavy ||= !SMALL_TYPES.has(expr.typeOid) || !SMALL_TYPES.has(expr.arg.typeOid);
      return true;
    }
    if (!('functionOid' in expr)) return true;
    if ('returnsSet' in expr && expr.returnsSet) return false;
    if (expr.kind === 'function' && expr.columns !== undefined) return false;
    let known = this.functions.get(expr.functionOid);
    if (known === undefined) {
      const found = this.lookup(expr.functionOid);
      if (found === null) return false;
      known = found;
      this.functions.set(expr.functionOid, known);
    }
    if (!LIGHT.has(known.source))
      this.isHeavy ||=
        !SMALL_TYPES.has(expr.typeOid) || expr.args.some((arg) => !SMALL_TYPES.has(arg.typeOid));
    return true;
  }
}

function replaceChildren(value: unknown, children: ReadonlyMap<PlanExpr, PlanExpr>): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceChildren(item, children));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const replacement = children.get(value as PlanExpr);
  if (replacement !== undefined) return replacement;
  const copy: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value))
    copy[name] = name === 'value' ? child : replaceChildren(child, children);
  return copy;
}

/** The expression as something a worker can evaluate; null when it cannot, or when nothing in it is ever heavy. */
export function candidateOf(expr: PlanExpr, resolver: FunctionResolver): Candidate | null {
  if (resolver.shipped === undefined) return null;
  if (!STRICT_KINDS.has(expr.kind) && !CONDITIONAL_KINDS.has(expr.kind)) return null;
  const selection = new Selection((oid) => resolver.shipped!(oid));
  const taken = selection.take(expr, false, false);
  if (taken === null || !selection.isHeavy || selection.computed.has(expr)) return null;
  return {
    shipment: {
      expr: taken,
      functions: [...selection.functions.values()],
      inputTypes: selection.inputs.map((input) => input.typeOid),
    },
    inputs: selection.inputs,
    computed: selection.computed,
  };
}
