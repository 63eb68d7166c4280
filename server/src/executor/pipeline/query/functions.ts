/**
 * Functions that pipelines of queries know beyond arithmetic: order and length of strings, parts of dates and timestamps, and any strict function of
 * strings and integers that needs nothing but its arguments (run by `calls.ts`).
 */
import type { PlanExpr } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import { NotCompilable } from '../interval.ts';
import { BOOL, type CompareOperator, decimal, FLOAT, INT, type Node, STRING } from '../spec.ts';
import { QUERY_LIMITS } from './layout.ts';

/** What the translation of a call needs of the branch it stands in. */
export interface FunctionScope {
  node(expr: PlanExpr): Node;
  /** Value of an expression without slots; undefined: it has some. */
  constant(expr: PlanExpr): Datum | undefined;
  /** A constant of ours. */
  number(value: bigint): Node;
  /** Name of the implementation of a strict, immutable function that needs only its arguments; null = it is none. */
  pureFunction(functionOid: number): string | null;
}

const SECOND = 1_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
/** Seconds from 1970-01-01 to 2000-01-01. */
const EPOCH_SECONDS = 946_684_800n;

/** text_lt …, bpcharlt … */
const ORDER: ReadonlyMap<number, readonly [CompareOperator, boolean]> = new Map([
  [740, ['<', false]],
  [741, ['<=', false]],
  [742, ['>', false]],
  [743, ['>=', false]],
  [1049, ['<', true]],
  [1050, ['<=', true]],
  [1051, ['>', true]],
  [1052, ['>=', true]],
]);
/** length, char_length, character_length; octet_length. */
const LENGTH = new Map<number, 'characters' | 'bytes'>([
  [1317, 'characters'],
  [1381, 'characters'],
  [1369, 'characters'],
  [1374, 'bytes'],
]);
/** extract and date_part of date and timestamp: whether the result is a double, whether the value is a date. */
const PART = new Map<number, readonly [isFloat: boolean, isDate: boolean]>([
  [6199, [false, true]],
  [1384, [true, true]],
  [6202, [false, false]],
  [2021, [true, false]],
]);
const TRUNCATE_TIMESTAMP = 2020;
/** text, varchar, int4, int8, boolean: what a call takes and gives. */
const CALL_TYPES: ReadonlySet<number> = new Set([25, 1043, 23, 20, 16]);
const TEXT_TYPES: ReadonlySet<number> = new Set([25, 1043]);

/** The node of a call; null = nothing is known of it. Errors: NotCompilable. */
export function functionNode(
  scope: FunctionScope,
  functionOid: number,
  args: readonly PlanExpr[],
  typeOid: number,
): Node | null {
  const order = ORDER.get(functionOid);
  if (order !== undefined) {
    const [left, right] = args.map((arg) => scope.node(arg)) as [Node, Node];
    return { op: 'stringCompare', operator: order[0], left, right, isTrimmed: order[1], type: BOOL };
  }
  const unit = LENGTH.get(functionOid);
  if (unit !== undefined) return { op: 'stringLength', unit, arg: scope.node(args[0]!), type: INT };
  const part = PART.get(functionOid);
  if (part !== undefined) {
    const name = scope.constant(args[0]!);
    if (typeof name !== 'string') throw new NotCompilable('a changing part of a date');
    return partNode(scope, name.toLowerCase(), scope.node(args[1]!), part[0], part[1]);
  }
  if (functionOid === TRUNCATE_TIMESTAMP) {
    const name = scope.constant(args[0]!);
    if (typeof name !== 'string') throw new NotCompilable('a changing part of a date');
    return truncated(scope, name.toLowerCase(), scope.node(args[1]!));
  }
  return callNode(scope, functionOid, args, typeOid);
}

function callNode(
  scope: FunctionScope,
  functionOid: number,
  args: readonly PlanExpr[],
  typeOid: number,
): Node | null {
  const typeOids = [...args.map((arg) => arg.typeOid), typeOid];
  if (!typeOids.every((oid) => CALL_TYPES.has(oid)) || args.length > QUERY_LIMITS.callArguments) return null;
  if (!typeOids.some((oid) => TEXT_TYPES.has(oid))) return null;
  const source = scope.pureFunction(functionOid);
  if (source === null) return null;
  const type = TEXT_TYPES.has(typeOid) ? STRING : typeOid === 16 ? BOOL : INT;
  return { op: 'call', source, args: args.map((arg) => scope.node(arg)), typeOids, type };
}

function floorMod(arg: Node, divisor: bigint): Node {
  return { op: 'floorMod', arg, divisor, type: INT };
}

function floorDiv(arg: Node, divisor: bigint): Node {
  return { op: 'floorDiv', arg, divisor, type: INT };
}

function plus(left: Node, right: Node): Node {
  return { op: 'add', left, right, type: INT, bounds: 'int8' };
}

function minus(left: Node, right: Node): Node {
  return { op: 'sub', left, right, type: INT, bounds: 'int8' };
}

function times(arg: Node, factor: bigint): Node {
  return { op: 'scale', arg, factor, type: INT };
}

function partOf(days: Node, part: 'year' | 'month' | 'day' | 'dayOfYear'): Node {
  return { op: 'datePart', part, arg: days, type: INT };
}

/** Micros of a day are read as such, so a part of a date is that of its midnight. */
function partNode(scope: FunctionScope, name: string, raw: Node, isFloat: boolean, isDate: boolean): Node {
  const value = finite(scope, raw, isDate);
  const days = isDate ? value : floorDiv(value, DAY);
  const { part, scale } = ((): { part: Node; scale: number } => {
    const whole = (node: Node): { part: Node; scale: number } => ({ part: node, scale: 0 });
    switch (name) {
      case 'year':
      case 'month':
      case 'day':
        return whole(partOf(days, name));
      case 'doy':
        return whole(partOf(days, 'dayOfYear'));
      case 'quarter':
        return whole(plus(floorDiv(minus(partOf(days, 'month'), scope.number(1n)), 3n), scope.number(1n)));
      // 2000-01-01 was a Saturday.
      case 'dow':
        return whole(floorMod(plus(days, scope.number(6n)), 7n));
      case 'isodow':
        return whole(plus(floorMod(plus(days, scope.number(5n)), 7n), scope.number(1n)));
      case 'epoch':
        if (isDate) return whole(plus(times(value, 86_400n), scope.number(EPOCH_SECONDS)));
        return { part: plus(value, scope.number(EPOCH_SECONDS * SECOND)), scale: 6 };
      default:
    }
    if (isDate) throw new NotCompilable(`part ${name}`);
    switch (name) {
      case 'hour':
        return whole(floorDiv(floorMod(value, DAY), HOUR));
      case 'minute':
        return whole(floorDiv(floorMod(value, HOUR), MINUTE));
      case 'second':
        return { part: floorMod(value, MINUTE), scale: 6 };
      case 'millisecond':
      case 'milliseconds':
        return { part: floorMod(value, MINUTE), scale: 3 };
      case 'microsecond':
      case 'microseconds':
        return whole(floorMod(value, MINUTE));
      default:
        throw new NotCompilable(`part ${name}`);
    }
  })();
  if (isFloat) return { op: 'toFloat', arg: part, divisor: 10 ** scale, type: FLOAT };
  return { op: 'scale', arg: part, factor: 1n, type: decimal(scale) };
}

/** The value, proved to be no infinity. */
function finite(scope: FunctionScope, value: Node, isDate: boolean): Node {
  const bounds = isDate ? 'date' : 'timestamp';
  return { op: 'add', left: value, right: scope.number(0n), type: INT, bounds };
}

/** date_trunc of a timestamp. */
function truncated(scope: FunctionScope, name: string, raw: Node): Node {
  const value = finite(scope, raw, false);
  const down = (node: Node, unit: bigint): Node => minus(node, floorMod(node, unit));
  const toMonth = (node: Node): Node => {
    const day = partOf(floorDiv(node, DAY), 'day');
    return minus(down(node, DAY), times(minus(day, scope.number(1n)), DAY));
  };
  switch (name) {
    case 'microseconds':
      return value;
    case 'milliseconds':
      return down(value, 1000n);
    case 'second':
      return down(value, SECOND);
    case 'minute':
      return down(value, MINUTE);
    case 'hour':
      return down(value, HOUR);
    case 'day':
      return down(value, DAY);
    case 'week': {
      // 2000-01-03 was a Monday.
      const since = minus(value, scope.number(2n * DAY));
      return minus(value, floorMod(since, 7n * DAY));
    }
    case 'month':
      return toMonth(value);
    case 'quarter': {
      const month = minus(partOf(floorDiv(value, DAY), 'month'), scope.number(1n));
      const place = floorMod(month, 3n);
      const first = toMonth(value);
      const second = toMonth(minus(first, scope.number(DAY)));
      const third = toMonth(minus(second, scope.number(DAY)));
      const is = (wanted: bigint): Node => ({
        op: 'compare',
        operator: '=',
        left: place,
        right: scope.number(wanted),
        type: BOOL,
      });
      return {
        op: 'case',
        branches: [
          { when: is(0n), result: first },
          { when: is(1n), result: second },
        ],
        otherwise: third,
        type: INT,
      };
    }
    case 'year': {
      const day = partOf(floorDiv(value, DAY), 'dayOfYear');
      return minus(down(value, DAY), times(minus(day, scope.number(1n)), DAY));
    }
    default:
      throw new NotCompilable(`date_trunc to ${name}`);
  }
}
