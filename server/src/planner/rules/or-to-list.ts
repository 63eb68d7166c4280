/**
 * Rule: `a = 1 OR a = 2 OR a IN (3, 4)` is `a IN (1, 2, 3, 4)`, which indexes, zone maps and hash tables understand.
 *
 * Only constants and arms with the same operator on the same expression are merged; other arms stay.
 */
import type { BoolExpr } from '../../sql/tree.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { expressionKey } from '../expression/key.ts';
import { BOOL, makeBool, makeConst } from '../expression/make.ts';
import { isVolatile } from '../expression/properties.ts';
import { asTree, type LExpr } from '../expression/walk.ts';
import type { PlannerState } from '../state.ts';

interface List {
  first: LExpr;
  left: LExpr;
  operatorOid: number;
  functionOid: number;
  elementType: number;
  collation: number;
  values: Datum[];
  arms: number;
}

export function orToList(state: PlannerState, expr: BoolExpr): LExpr {
  const lists = new Map<string, List>();
  const result: (LExpr | List)[] = [];
  for (const arg of expr.args as LExpr[]) {
    const item = readArm(state, arg);
    if (item === null) {
      result.push(arg);
      continue;
    }
    const key = `${item.operatorOid}:${item.elementType}:${expressionKey(item.left)}`;
    const known = lists.get(key);
    if (known === undefined) {
      lists.set(key, item);
      result.push(item);
    } else {
      known.values.push(...item.values);
      known.arms++;
    }
  }
  if (![...lists.values()].some((list) => list.arms > 1)) return expr;
  const args = result.map((item) =>
    'kind' in item ? item : item.arms === 1 ? item.first : listExpression(state, item),
  );
  return args.length === 1 ? args[0] : makeBool('or', args);
}

/** `expression = constant`, or `expression = ANY (constant array)`. */
function readArm(state: PlannerState, arg: LExpr): List | null {
  if (arg.kind !== 'operator' && !(arg.kind === 'arrayOperator' && arg.any)) return null;
  if (arg.args.length !== 2) return null;
  const operator = state.catalog.operator(arg.operatorOid);
  if (operator?.btreeStrategy !== 3) return null;
  const [left, right] = arg.args as [LExpr, LExpr];
  if (
    left.kind === 'const' ||
    right.kind !== 'const' ||
    right.value === null ||
    isVolatile(state.catalog, left)
  )
    return null;
  const isList = arg.kind === 'arrayOperator';
  if (isList && !(right.value instanceof SqlArray && right.value.dimensions.length === 1)) return null;
  const elementType = isList ? (state.catalog.type(right.typeOid)?.elementOid ?? 0) : right.typeOid;
  if ((state.catalog.type(elementType)?.arrayOid ?? 0) === 0) return null;
  return {
    first: arg,
    left,
    operatorOid: arg.operatorOid,
    functionOid: arg.functionOid,
    elementType,
    collation: arg.collation,
    values: isList ? [...(right.value as SqlArray).elements] : [right.value],
    arms: 1,
  };
}

function listExpression(state: PlannerState, list: List): LExpr {
  const arrayOid = state.catalog.type(list.elementType)?.arrayOid ?? 0;
  return {
    kind: 'arrayOperator',
    operatorOid: list.operatorOid,
    functionOid: list.functionOid,
    any: true,
    args: [asTree(list.left), makeConst(arrayOid, new SqlArray(list.elementType, list.values))],
    typeOid: BOOL,
    typmod: -1,
    collation: list.collation,
  };
}
