/**
 * Long lists of constants as plain values: `x in (1, 2, 3 …)` and `x = 1 or x = 2 or …` with thousands of items.
 *
 * A node for each item is what makes such statements slow: to move from the parser's thread, to analyse, to fold. A packed list
 * stands in the place of an IN's list: `{ PackedList: … }`. Its items are of one class, in their order; the analyser gives them
 * the types that single constants would have. Constants of different classes, expressions and NULLs are left as they are.
 */
import type { ColumnRef, Node } from '@pgsql/types';

/** What stands in an A_Expr of kind AEXPR_IN in place of its list. */
export interface PackedList {
  /** `int4` values are numbers; `float` (int8 and numeric as written) and `string` ones texts. */
  readonly kind: 'int4' | 'float' | 'string';
  readonly values: readonly (number | string)[];
  /** Of the first item. */
  readonly location: number;
}

const ITEMS_MIN = 64;

type Fields = Record<string, unknown>;

interface Constant {
  readonly kind: PackedList['kind'];
  readonly value: number | string;
  readonly location: number;
}

function constantOf(node: unknown): Constant | null {
  const constant = (node as { A_Const?: Fields } | undefined)?.A_Const;
  if (constant === undefined) return null;
  const location = (constant.location as number | undefined) ?? 0;
  if (constant.ival !== undefined)
    return { kind: 'int4', value: (constant.ival as { ival?: number }).ival ?? 0, location };
  if (constant.fval !== undefined)
    return { kind: 'float', value: (constant.fval as { fval?: string }).fval ?? '', location };
  if (constant.sval !== undefined)
    return { kind: 'string', value: (constant.sval as { sval?: string }).sval ?? '', location };
  return null;
}

function packedList(constants: readonly Constant[]): { PackedList: PackedList } {
  const { kind, location } = constants[0]!;
  return { PackedList: { kind, values: constants.map(({ value }) => value), location } };
}

/** The list of an IN, packed; null when it is short or its items differ in kind. */
function packItems(items: readonly unknown[]): { PackedList: PackedList } | null {
  if (items.length < ITEMS_MIN) return null;
  const constants: Constant[] = [];
  for (const item of items) {
    const constant = constantOf(item);
    if (constant === null || (constants.length > 0 && constant.kind !== constants[0]!.kind)) return null;
    constants.push(constant);
  }
  return packedList(constants);
}

/** A column as written, or null. */
function columnKey(node: unknown): string | null {
  const column = (node as { ColumnRef?: ColumnRef } | undefined)?.ColumnRef;
  if (column === undefined) return null;
  const names: string[] = [];
  for (const field of column.fields ?? []) {
    const name = (field as { String?: { sval?: string } }).String?.sval;
    if (name === undefined) return null;
    names.push(name);
  }
  return names.join('\0');
}

/** `column = constant` as key of its column and kind, with the constant. */
function equality(node: unknown): { key: string; constant: Constant; expr: Fields } | null {
  const expr = (node as { A_Expr?: Fields } | undefined)?.A_Expr;
  if (expr === undefined || expr.kind !== 'AEXPR_OP') return null;
  const name = expr.name as readonly { String?: { sval?: string } }[] | undefined;
  if (name?.length !== 1 || name[0]!.String?.sval !== '=') return null;
  const column = columnKey(expr.lexpr);
  const constant = constantOf(expr.rexpr);
  return column === null || constant === null ? null : { key: `${constant.kind}\0${column}`, constant, expr };
}

/** `x = 1 or x = 2 or …` becomes an IN where there are many of one column and kind. */
function packAlternatives(args: readonly unknown[]): unknown[] | null {
  if (args.length < ITEMS_MIN) return null;
  const groups = new Map<string, { constants: Constant[]; expr: Fields; at: number }>();
  const rest: (unknown | null)[] = [];
  for (const arg of args) {
    const found = equality(arg);
    if (found === null) {
      rest.push(arg);
      continue;
    }
    const group = groups.get(found.key);
    if (group === undefined) {
      groups.set(found.key, { constants: [found.constant], expr: found.expr, at: rest.length });
      rest.push(null);
    } else group.constants.push(found.constant);
  }
  if (groups.size + rest.length > args.length / 2) return null;
  for (const { constants, expr, at } of groups.values()) {
    rest[at] = {
      A_Expr: constants.length === 1 ? expr : { ...expr, kind: 'AEXPR_IN', rexpr: packedList(constants) },
    };
  }
  return rest;
}

/** Packs the long lists of a tree in place. The tree may be deep: no recursion. */
export function packLists(root: Node): void {
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (Array.isArray(node)) {
      for (const item of node) pending.push(item);
      continue;
    }
    const fields = node as Fields;
    const expr = fields.A_Expr as Fields | undefined;
    if (expr?.kind === 'AEXPR_IN') {
      const items = (expr.rexpr as { List?: { items?: unknown[] } } | undefined)?.List?.items;
      const packed = items === undefined ? null : packItems(items);
      if (packed !== null) expr.rexpr = packed;
    }
    const bool = fields.BoolExpr as Fields | undefined;
    if (bool?.boolop === 'OR_EXPR') {
      const packed = packAlternatives(bool.args as unknown[]);
      if (packed !== null) bool.args = packed;
    }
    for (const key in fields) if (key !== 'PackedList') pending.push(fields[key]);
  }
}
