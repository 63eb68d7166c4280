/**
 * Structural keys: two expressions with equal keys compute the same value (positions and printing forms are ignored).
 * Keys are cached per object, expressions being immutable.
 */
import { type Datum, SqlArray } from '../../types/datum.ts';
import { forEachChild, type LExpr } from './walk.ts';

const cache = new WeakMap<object, string>();
let subqueryCount = 0;

export function expressionKey(expr: LExpr): string {
  const known = cache.get(expr);
  if (known !== undefined) return known;
  const key = makeKey(expr);
  cache.set(expr, key);
  return key;
}

export function sameExpression(left: LExpr, right: LExpr): boolean {
  return left === right || (left.kind === right.kind && expressionKey(left) === expressionKey(right));
}

/** Text that is equal for identical values of one type (used for keys only, never shown). */
export function datumKey(value: Datum): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'boolean':
      return value ? 't' : 'f';
    default:
      if (value === null) return 'null';
      if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
      if (value instanceof SqlArray)
        return `{${value.dimensions.join('x')}:${value.elements.map(datumKey).join(',')}}`;
      return JSON.stringify(value, (_name, part: unknown) =>
        typeof part === 'bigint' ? `${part}n` : part,
      ) as string;
  }
}

function makeKey(expr: LExpr): string {
  let own: string;
  switch (expr.kind) {
    case 'slot':
      return `s${expr.slot}`;
    case 'const':
      return `c${expr.typeOid}:${datumKey(expr.value)}`;
    case 'var':
      return `v${expr.levelsUp}.${expr.relation}.${expr.attribute}`;
    case 'param':
      return `p${expr.number}`;
    case 'function':
      own = `f${expr.functionOid}${expr.variadic ? 'v' : ''}`;
      break;
    case 'operator':
    case 'distinct':
    case 'nullif':
      own = `${expr.kind}${expr.operatorOid}`;
      break;
    case 'arrayOperator':
      own = `ao${expr.operatorOid}${expr.any ? 'any' : 'all'}`;
      break;
    case 'bool':
      own = expr.op;
      break;
    case 'nullTest':
      own = expr.isNull ? 'isnull' : 'notnull';
      break;
    case 'booleanTest':
      own = `is${expr.test}`;
      break;
    case 'minmax':
      own = expr.op;
      break;
    case 'rowCompare':
      own = `rc${expr.op}${expr.operatorOids.join('.')}/${expr.left.length}`;
      break;
    case 'collate':
      own = `collate ${expr.collationName}`;
      break;
    case 'fieldSelect':
      own = `field${expr.field}`;
      break;
    case 'fieldStore':
      own = `store${expr.fields.join('.')}`;
      break;
    case 'subscript':
      own = `sub${expr.upper.map((x) => (x === null ? '-' : 'x')).join('')}${expr.lower === null ? '' : `/${expr.lower.map((x) => (x === null ? '-' : 'x')).join('')}`}${expr.assignment === null ? '' : '='}`;
      break;
    case 'currentOf':
      return `current of ${expr.relationOid} ${expr.cursorName}`;
    case 'sqlValue':
      return `sql ${expr.op}${expr.typmod}`;
    case 'aggregate':
      own = `agg${expr.aggregateOid}.${expr.levelsUp}${expr.distinct ? 'd' : ''}${expr.star ? '*' : ''}${expr.filter === null ? '' : 'f'}/${expr.directArgs.length}/${expr.args.length}/${expr.orderBy.map((k) => `${k.operatorOid}${k.nullsFirst ? 'f' : ''}`).join('.')}`;
      break;
    case 'window':
      own = `win${expr.functionOid}.${expr.window}${expr.star ? '*' : ''}${expr.filter === null ? '' : 'f'}`;
      break;
    case 'grouping':
      own = `grouping${expr.levelsUp}`;
      break;
    case 'case':
      own = `case${expr.arg === null ? '' : 'a'}${expr.whens.length}${expr.defaultResult === null ? '' : 'd'}`;
      break;
    // Two subqueries are never taken for the same, even with equal text.
    case 'subLink':
    case 'subquery':
      return `q${++subqueryCount}`;
    case 'subPlan':
      own = `subplan${expr.plan}`;
      break;
    default:
      own = expr.kind;
  }
  const parts: string[] = [];
  forEachChild(expr, (child) => parts.push(expressionKey(child)));
  return `${own}:${expr.typeOid}(${parts.join(',')})`;
}
