/** Constructors of the nodes analysis and rewriting make most. */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader } from '../../catalog/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { relabelled } from '../../types/relabel.ts';
import type { BoolExpr, ConstExpr, Expr, FunctionExpr, RelabelExpr, TargetEntry, VarExpr } from '../tree.ts';
import * as T from './oids.ts';

export function makeConst(
  catalog: CatalogReader,
  typeOid: Oid,
  value: Datum,
  options: { typmod?: number; position?: number } = {},
): ConstExpr {
  return {
    kind: 'const',
    value,
    typeOid,
    typmod: options.typmod ?? -1,
    collation: catalog.type(typeOid)?.collation ?? 0,
    ...(options.position === undefined ? {} : { position: options.position }),
  };
}

export function makeBool(value: boolean): ConstExpr {
  return { kind: 'const', value, typeOid: T.BOOL, typmod: -1, collation: 0 };
}

export function makeInt4(value: number): ConstExpr {
  return { kind: 'const', value, typeOid: T.INT4, typmod: -1, collation: 0 };
}

export function makeVar(
  relation: number,
  attribute: number,
  column: { typeOid: Oid; typmod: number; collation: Oid },
  levelsUp = 0,
): VarExpr {
  return {
    kind: 'var',
    relation,
    attribute,
    levelsUp,
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
  };
}

export function makeFunction(
  functionOid: Oid,
  args: Expr[],
  result: { typeOid: Oid; typmod?: number; collation?: Oid },
  form: FunctionExpr['form'] = 'call',
  position?: number,
): FunctionExpr {
  return {
    kind: 'function',
    functionOid,
    args,
    returnsSet: false,
    form,
    variadic: false,
    typeOid: result.typeOid,
    typmod: result.typmod ?? -1,
    collation: result.collation ?? 0,
    position,
  };
}

export function makeRelabel(
  arg: Expr,
  typeOid: Oid,
  typmod: number,
  collation: Oid,
  form: RelabelExpr['form'],
  position?: number,
): Expr {
  // A relabelled constant is just a constant of the new type; relabels of relabels fold.
  if (arg.kind === 'const') {
    const value = relabelled(arg.value, arg.typeOid, typeOid);
    return { ...arg, value, typeOid, typmod, collation };
  }
  if (arg.kind === 'relabel') arg = arg.arg;
  if (arg.typeOid === typeOid && arg.typmod === typmod) return arg;
  return { kind: 'relabel', arg, form, typeOid, typmod, collation, position };
}

/** Flattens nested ANDs (ORs) of the same kind; an empty list gives null. */
export function makeAnd(args: readonly (Expr | null)[], op: 'and' | 'or' = 'and'): Expr | null {
  const flat: Expr[] = [];
  for (const arg of args) {
    if (arg === null) continue;
    if (arg.kind === 'bool' && arg.op === op) flat.push(...arg.args);
    else flat.push(arg);
  }
  if (flat.length === 0) return null;
  if (flat.length === 1) return flat[0];
  return makeBoolExpr(op, flat);
}

export function makeBoolExpr(op: BoolExpr['op'], args: Expr[], position?: number): BoolExpr {
  return { kind: 'bool', op, args, typeOid: T.BOOL, typmod: -1, collation: 0, position };
}

export function makeTarget(expr: Expr, name: string, junk = false): TargetEntry {
  return { expr, name, junk, targetColumn: 0, originTable: 0, originColumn: 0 };
}
