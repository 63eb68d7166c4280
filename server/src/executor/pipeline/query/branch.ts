/**
 * A pipeline under translation, and its expressions: from the plan's expressions over slots to nodes over columns and fields.
 *
 * What is not known here raises NotCompilable; the row executor then runs that part of the plan.
 */
import type { PlanExpr, SlotExpr } from '../../../planner/physical.ts';
import type { TableSchema } from '../../../table/contract.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { Numeric } from '../../../types/numeric.ts';
import { changesSign } from '../../../types/relabel.ts';
import { builtin } from '../functions.ts';
import { NotCompilable } from '../interval.ts';
import {
  BOOL,
  type CompareOperator,
  decimal,
  FLOAT,
  INT,
  type Node,
  type ParamValue,
  type PipelineColumn,
  type PipelineType,
  ROW_ID,
  STRING,
  walkNode,
} from '../spec.ts';
import { containsSubPlan, dateToTimestamp, paramOf } from '../translate.ts';
import { type FunctionScope, functionNode } from './functions.ts';
import type { QuerySource, QueryStep } from './ir.ts';

const BOOL_OID = 16;
const BPCHAR_OID = 1042;
const DATE_OID = 1082;
const INT_OIDS = new Set([20, 21, 23, DATE_OID, 1114, 1184]);
const NUMERIC_OID = 1700;
const FLOAT_OIDS = new Set([700, 701]);
export const STRING_OIDS: ReadonlySet<number> = new Set([25, BPCHAR_OID, 1043]);
const INTEGER_MICROS_OIDS = new Set([1114, 1184]);

/** texteq, textne, bpchareq, bpcharne; LIKE of text and bpchar and their negations. */
const STRING_EQUAL = new Map<number, boolean>([
  [67, false],
  [157, true],
  [1048, false],
  [1053, true],
]);
const STRING_LIKE = new Map<number, boolean>([
  [850, false],
  [851, true],
  [1631, false],
  [1632, true],
]);
const TEXT_OF_BPCHAR = 401;
/** substring and substr with start and length. */
const SUBSTRING = new Set([877, 936]);

/** A constant: a string still as bytes, because its place in memory is known later. */
export type QueryParam = ParamValue | Uint8Array;

export interface QueryServices {
  schema(relationOid: number): TableSchema;
  /** Value of an expression that has no slot of the query. */
  evaluate(expr: PlanExpr): Datum;
  /** Name of the implementation of a strict, immutable function that needs only its arguments; null = it is none. */
  pureFunction(functionOid: number): string | null;
  /** An expression as a function of the value of one slot. */
  functionOf(expr: PlanExpr, slot: number): (value: Datum) => Datum;
}

/** What a slot is in a branch. */
export type Binding =
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'column'; readonly column: number }
  | { readonly kind: 'expr'; readonly expr: PlanExpr }
  | { readonly kind: 'average'; readonly sum: Node; readonly count: Node; readonly isFloat: boolean };

export interface StringTest {
  readonly column: number;
  readonly test: (value: Datum) => Datum;
}

/** Constants of the whole query. */
export class QueryParams {
  readonly values: QueryParam[] = [];
  private readonly known = new Map<string, number>();

  add(value: QueryParam, type: PipelineType): Node {
    const key = `${type.kind}${'scale' in type ? type.scale : ''}:${typeof value}:${typeof value === 'object' ? Buffer.from(value).toString('latin1') : value}`;
    let index = this.known.get(key);
    if (index === undefined) {
      index = this.values.push(value) - 1;
      this.known.set(key, index);
    }
    return { op: 'param', param: index, type };
  }
}

/** See the module comment. */
export class Branch {
  readonly source: QuerySource;
  readonly schema: TableSchema | null;
  readonly steps: QueryStep[] = [];
  readonly columns: PipelineColumn[] = [];
  readonly filters: Node[] = [];
  readonly tests: StringTest[] = [];
  readonly bindings = new Map<number, Binding>();
  /** Stores whose tuple may be missing. */
  readonly optional = new Set<number>();
  private readonly columnOf = new Map<number, number>();
  private readonly scope: FunctionScope;
  private readonly services: QueryServices;
  private readonly params: QueryParams;
  private readonly isFieldNotNull: (store: number, field: number) => boolean;

  constructor(
    source: QuerySource,
    schema: TableSchema | null,
    services: QueryServices,
    params: QueryParams,
    isFieldNotNull: (store: number, field: number) => boolean,
  ) {
    this.source = source;
    this.schema = schema;
    this.services = services;
    this.params = params;
    this.isFieldNotNull = isFieldNotNull;
    this.scope = {
      node: (expr) => this.node(expr),
      constant: (expr) =>
        this.slotsOf(expr).size > 0 ? undefined : services.evaluate(this.substitute(expr) as PlanExpr),
      number: (value) => params.add(value, INT),
      pureFunction: (functionOid) => services.pureFunction(functionOid),
    };
  }

  /** A condition every row has to pass. */
  filter(expr: PlanExpr): void {
    if (expr.kind === 'bool' && expr.op === 'and') {
      for (const arg of expr.args as PlanExpr[]) this.filter(arg);
      return;
    }
    this.addFilter(this.condition(expr));
  }

  addFilter(condition: Node): void {
    if (this.source.kind === 'scan' && this.steps.length === 0) this.filters.push(condition);
    else this.steps.push({ kind: 'filter', condition });
  }

  condition(expr: PlanExpr): Node {
    const node = this.node(expr);
    if (node.type.kind !== 'bool') throw new NotCompilable('a condition that is no boolean');
    return node;
  }

  /** True when the node is never NULL, whatever the data. */
  isNotNull(node: Node): boolean {
    let result = true;
    walkNode(node, (part) => {
      if (part.op === 'column' || part.op === 'stringRef') {
        const { column } = this.columns[part.column]!;
        if (column !== ROW_ID && !this.schema!.columns[column]!.notNull) result = false;
      } else if (part.op === 'field') {
        if (this.optional.has(part.table) || !this.isFieldNotNull(part.table, part.field)) result = false;
      } else if (part.op === 'stringTest' || part.op === 'case') result = false;
    });
    return result;
  }

  // --------------------------------------------------------------------------------------------- expressions

  node(expr: PlanExpr): Node {
    const slots = this.slotsOf(expr);
    if (slots.size === 0) return this.parameter(expr);
    switch (expr.kind) {
      case 'slot':
        return this.slot(expr.slot);
      case 'operator':
      case 'function': {
        const test = this.stringTest(expr, slots);
        return test ?? this.call(expr.functionOid, expr.args as PlanExpr[], expr);
      }
      case 'bool': {
        const args = (expr.args as PlanExpr[]).map((arg) => this.condition(arg));
        if (expr.op === 'not') return { op: 'not', arg: args[0]!, type: BOOL };
        return { op: expr.op, args, type: BOOL };
      }
      case 'nullTest':
        if (expr.argIsRow) throw new NotCompilable('a test of a row');
        return { op: 'isNull', arg: this.node(expr.arg as PlanExpr), negate: !expr.isNull, type: BOOL };
      case 'case':
        return this.caseOf(expr);
      case 'coalesce': {
        const args = this.alike((expr.args as PlanExpr[]).map((arg) => this.node(arg)));
        return { op: 'coalesce', args, type: args[0]!.type };
      }
      case 'relabel':
        if (changesSign(expr.arg.typeOid, expr.typeOid)) throw new NotCompilable('a change of sign');
        return this.node(expr.arg as PlanExpr);
      case 'arrayOperator': {
        const test = this.stringTest(expr, slots);
        return test ?? this.inList(expr);
      }
      default: {
        const test = this.stringTest(expr, slots);
        if (test !== null) return test;
        throw new NotCompilable(`expression ${expr.kind}`);
      }
    }
  }

  /** The value of a slot. */
  slot(slot: number): Node {
    const binding = this.bindings.get(slot);
    switch (binding?.kind) {
      case 'node':
        return binding.node;
      case 'column':
        return this.column(binding.column);
      case 'expr': {
        const node = this.node(binding.expr);
        this.bindings.set(slot, { kind: 'node', node });
        return node;
      }
      default:
        throw new NotCompilable('an average within an expression');
    }
  }

  kindOf(column: number): PipelineType {
    const definition = this.schema!.columns[column];
    if (definition === undefined || definition.dropped) throw new NotCompilable('a system column');
    const { typeOid, typmod, support } = definition;
    if (typeOid === BOOL_OID) return BOOL;
    if (INT_OIDS.has(typeOid)) return INT;
    if (FLOAT_OIDS.has(typeOid)) return FLOAT;
    if (STRING_OIDS.has(typeOid)) return STRING;
    if (typeOid === NUMERIC_OID && support.physical(typmod) === 'decimal64') {
      const scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
      if (scale >= 0 && scale <= 18) return decimal(scale);
    }
    throw new NotCompilable(`type ${support.name}`);
  }

  columnIndex(column: number): number {
    const type = this.kindOf(column);
    let index = this.columnOf.get(column);
    if (index === undefined) {
      index = this.columns.length;
      this.columns.push({ column, typeOid: this.schema!.columns[column]!.typeOid, type });
      this.columnOf.set(column, index);
    }
    return index;
  }

  /** The id of the row in the table. */
  rowId(): Node {
    const column = this.columns.push({ column: ROW_ID, typeOid: 20, type: INT }) - 1;
    return { op: 'column', column, type: INT };
  }

  /** The table's column that a slot is, projections looked through; -1 = it is computed. */
  columnOfSlot(slot: number): number {
    let binding = this.bindings.get(slot);
    while (binding?.kind === 'expr' && binding.expr.kind === 'slot')
      binding = this.bindings.get(binding.expr.slot);
    return binding?.kind === 'column' ? binding.column : -1;
  }

  column(column: number): Node {
    const index = this.columnIndex(column);
    const { type } = this.columns[index]!;
    return { op: type.kind === 'string' ? 'stringRef' : 'column', column: index, type };
  }

  private parameter(expr: PlanExpr): Node {
    const value = this.services.evaluate(this.substitute(expr) as PlanExpr);
    if (STRING_OIDS.has(expr.typeOid)) return this.stringParameter(value);
    const { value: param, type } = paramOf(value, expr.typeOid);
    return this.params.add(param, type);
  }

  private stringParameter(value: Datum): Node {
    if (typeof value !== 'string') throw new NotCompilable('a NULL constant');
    return this.params.add(Buffer.from(value), STRING);
  }

  /** A value known before the query runs. */
  constant(value: Datum, typeOid: number): Node {
    if (STRING_OIDS.has(typeOid)) return this.stringParameter(value);
    const { value: param, type } = paramOf(value, typeOid);
    return this.params.add(param, type);
  }

  nullOf(type: PipelineType): Node {
    const value: QueryParam = type.kind === 'string' ? new Uint8Array(0) : type.kind === 'float' ? 0 : 0n;
    const result = this.params.add(value, type);
    return {
      op: 'case',
      branches: [{ when: this.params.add(0n, BOOL), result }],
      otherwise: null,
      type,
    };
  }

  private call(functionOid: number, argExprs: readonly PlanExpr[], expr: PlanExpr): Node {
    const ofStrings = this.stringCall(functionOid, argExprs, expr.typeOid);
    if (ofStrings !== null) return ofStrings;
    const kind = builtin(functionOid);
    if (kind === null) throw new NotCompilable(`function ${functionOid}`);
    if (kind.kind === 'compare') {
      const special =
        this.averageComparison(kind.operator, argExprs) ?? this.longComparison(kind.operator, argExprs);
      if (special !== null) return special;
    }
    const args = argExprs.map((arg) => this.node(arg));
    const [first, second] = args as [Node, Node];
    switch (kind.kind) {
      case 'compare':
        return this.compare(
          kind.operator,
          kind.dates === 'left' ? dateToTimestamp(first) : first,
          kind.dates === 'right' ? dateToTimestamp(second) : second,
        );
      case 'arithmetic':
        return { op: kind.op, left: first, right: second, type: INT, bounds: kind.bounds };
      case 'float':
        return { op: kind.op, left: first, right: second, type: FLOAT, bounds: null };
      case 'decimal': {
        if (kind.op === 'mul') {
          const type = decimal(scaleOf(first) + scaleOf(second));
          return { op: 'mul', left: first, right: second, type, bounds: null };
        }
        const [left, right] = this.alike([first, second]) as [Node, Node];
        return { op: kind.op, left, right, type: left.type, bounds: null };
      }
      case 'negate':
        return { op: 'neg', arg: first, type: first.type, bounds: kind.bounds };
      case 'widen':
        return first;
      case 'toDecimal':
        return { op: 'scale', arg: first, factor: 1n, type: decimal(0) };
      case 'toFloat':
        if (expr.typeOid === 700) throw new NotCompilable('float4');
        return { op: 'toFloat', arg: first, divisor: 10 ** scaleOf(first), type: FLOAT };
      case 'dateToTimestamp':
        return dateToTimestamp(first);
    }
  }

  compare(operator: CompareOperator, left: Node, right: Node): Node {
    const [first, second] = this.alike([left, right]) as [Node, Node];
    if (first.type.kind === 'string') throw new NotCompilable('an order of strings');
    return { op: 'compare', operator, left: first, right: second, type: BOOL };
  }

  /** value (operator) average, or constant * average, of a group. */
  private averageComparison(operator: CompareOperator, args: readonly PlanExpr[]): Node | null {
    const [left, right] = args.map((arg) => this.averageOf(arg));
    if (left === undefined || right === undefined || (left === null) === (right === null)) return null;
    const average = (left ?? right)!;
    const value = this.node(args[left === null ? 0 : 1]!);
    if (value.type.kind !== 'decimal' && value.type.kind !== 'int') return null;
    return {
      op: 'compareAverage',
      operator: left === null ? operator : MIRROR[operator],
      left: value,
      factor: average.factor,
      sum: average.sum,
      count: average.count,
      factorScale: scaleOf(average.factor),
      type: BOOL,
    };
  }

  /** A decimal against a constant with more digits than 64 bits hold: the constant is cut to the digits of the other side. */
  private longComparison(operator: CompareOperator, args: readonly PlanExpr[]): Node | null {
    const index = args.findIndex((arg) => arg.typeOid === NUMERIC_OID && this.slotsOf(arg).size === 0);
    if (index < 0) return null;
    const constant = this.services.evaluate(this.substitute(args[index]!) as PlanExpr);
    if (!isLong(constant)) return null;
    return this.compareLong(index === 1 ? operator : MIRROR[operator], this.node(args[1 - index]!), constant);
  }

  /** node (side) constant. */
  compareConstant(side: CompareOperator, node: Node, value: Datum, typeOid: number): Node {
    const long = isLong(value) ? this.compareLong(side, node, value) : null;
    return long ?? this.compare(side, node, this.constant(value, typeOid));
  }

  private compareLong(side: CompareOperator, node: Node, constant: Numeric): Node | null {
    const coefficient = BigInt(constant.coefficient);
    const scale = scaleOf(node);
    if (constant.scale <= scale) return null;
    const divisor = 10n ** BigInt(constant.scale - scale);
    const quotient = coefficient / divisor;
    const rest = coefficient - quotient * divisor;
    const floor = rest < 0n ? quotient - 1n : quotient;
    if (floor > 1n << 60n || floor < -(1n << 60n)) return null;
    const isExact = rest === 0n;
    // Between two neighbours: x < c is x <= floor, x >= c is x > floor.
    const compare = (relation: CompareOperator): Node =>
      this.compare(relation, node, this.params.add(floor, decimal(scale)));
    if (isExact) return compare(side);
    if (side === '<' || side === '<=') return compare('<=');
    if (side === '>' || side === '>=') return compare('>');
    return null;
  }

  private averageOf(expr: PlanExpr): { factor: Node; sum: Node; count: Node } | null {
    if (expr.kind === 'slot') {
      let binding = this.bindings.get(expr.slot);
      while (binding?.kind === 'expr' && binding.expr.kind === 'slot')
        binding = this.bindings.get(binding.expr.slot);
      if (binding?.kind === 'expr') return this.averageOf(binding.expr);
      if (binding?.kind !== 'average' || binding.isFloat) return null;
      return { factor: this.params.add(1n, decimal(0)), sum: binding.sum, count: binding.count };
    }
    if (expr.kind !== 'operator' && expr.kind !== 'function') return null;
    const kind = builtin(expr.functionOid);
    if (kind?.kind !== 'decimal' || kind.op !== 'mul') return null;
    const [first, second] = expr.args as [PlanExpr, PlanExpr];
    for (const [constant, other] of [
      [first, second],
      [second, first],
    ] as const) {
      if (this.slotsOf(constant).size > 0) continue;
      const inner = this.averageOf(other);
      const factor = this.parameter(constant);
      if (inner === null || inner.factor.op !== 'param' || this.params.values[inner.factor.param] !== 1n)
        return null;
      return { ...inner, factor };
    }
    return null;
  }

  /** Brings decimals (and integers among them) to one scale. */
  alike(nodes: readonly Node[]): Node[] {
    const kinds = new Set(nodes.map((node) => node.type.kind));
    if (kinds.has('decimal')) {
      if (kinds.has('float') || kinds.has('bool') || kinds.has('string'))
        throw new NotCompilable('mixed types');
      const scale = Math.max(...nodes.map(scaleOf));
      return nodes.map((node) => this.scaled(node, scale));
    }
    if (kinds.size > 1) throw new NotCompilable('mixed types');
    return [...nodes];
  }

  scaled(node: Node, scale: number): Node {
    const by = scale - scaleOf(node);
    if (node.op === 'param' && by > 0) {
      const value = (this.params.values[node.param] as bigint) * 10n ** BigInt(by);
      if (value > 1n << 62n || value < -(1n << 62n)) throw new NotCompilable('a constant with many digits');
      return { ...this.params.add(value, decimal(scale)), digits: scaleOf(node) } as Node;
    }
    if (by === 0 && node.type.kind === 'decimal') return node;
    return { op: 'scale', arg: node, factor: 10n ** BigInt(by), type: decimal(scale) };
  }

  private caseOf(expr: Extract<PlanExpr, { kind: 'case' }>): Node {
    if (expr.arg !== null) throw new NotCompilable('CASE with an argument');
    const otherwise = expr.defaultResult as PlanExpr | null;
    const isNull = otherwise === null || (otherwise.kind === 'const' && otherwise.value === null);
    const results = this.alike([
      ...expr.whens.map((branch) => this.node(branch.result)),
      ...(isNull ? [] : [this.node(otherwise)]),
    ]);
    return {
      op: 'case',
      branches: expr.whens.map((branch, index) => ({
        when: this.condition(branch.condition),
        result: results[index]!,
      })),
      otherwise: isNull ? null : results.at(-1)!,
      type: results[0]!.type,
    };
  }

  /** value = ANY (constant array). */
  private inList(expr: Extract<PlanExpr, { kind: 'arrayOperator' }>): Node {
    const [left, right] = expr.args as [PlanExpr, PlanExpr];
    if (!expr.any || this.slotsOf(right).size > 0) throw new NotCompilable('an array operator');
    const array = this.services.evaluate(right);
    if (!(array instanceof SqlArray)) throw new NotCompilable('an array operator');
    if (STRING_EQUAL.get(expr.functionOid) === false) {
      const args = elementsOf(array).map((element) => this.stringEqual(left, element, array.elementType));
      return args.length === 1 ? args[0]! : { op: 'or', args, type: BOOL };
    }
    const kind = builtin(expr.functionOid);
    if (kind?.kind !== 'compare' || kind.operator !== '=') throw new NotCompilable('an array operator');
    return this.listOf(this.node(left), array);
  }

  /** value = one of the elements; NULL elements are left to the row executor. */
  listOf(arg: Node, array: Datum): Node {
    if (!(array instanceof SqlArray)) throw new NotCompilable('an array operator');
    const args = elementsOf(array).map((element) =>
      this.compare('=', arg, this.constant(element, array.elementType)),
    );
    return args.length === 1 ? args[0]! : { op: 'or', args, type: BOOL };
  }

  // ------------------------------------------------------------------------------------------------- strings

  private stringEqual(left: PlanExpr, value: Datum, valueType: number): Node {
    const node = this.node(left);
    if (typeof value !== 'string') throw new NotCompilable('a NULL constant');
    const constant = this.constant(this.padded(value, valueType, left), valueType);
    return { op: 'stringEqual', left: node, right: constant, negate: false, type: BOOL };
  }

  /** A constant in the form in which values of the other side are stored: char(n) with all its blanks. */
  private padded(value: string, typeOid: number, other: PlanExpr): string {
    if (typeOid !== BPCHAR_OID && other.typeOid !== BPCHAR_OID) return value;
    const length = bpcharLength(other);
    if (length < 0) throw new NotCompilable('char of unknown length');
    return value.replace(/ +$/, '').padEnd(length, ' ');
  }

  private stringCall(functionOid: number, args: readonly PlanExpr[], typeOid: number): Node | null {
    const negateEqual = STRING_EQUAL.get(functionOid);
    if (negateEqual !== undefined) {
      const [first, second] = args as [PlanExpr, PlanExpr];
      const isBpchar = functionOid === 1048 || functionOid === 1053;
      const constant =
        this.slotsOf(second).size === 0 ? second : this.slotsOf(first).size === 0 ? first : null;
      let left: Node;
      let right: Node;
      if (constant !== null) {
        const other = constant === second ? first : second;
        const value = this.services.evaluate(this.substitute(constant) as PlanExpr);
        if (typeof value !== 'string') throw new NotCompilable('a NULL constant');
        left = this.node(other);
        right = this.stringParameter(isBpchar ? this.padded(value, BPCHAR_OID, other) : value);
      } else {
        if (isBpchar && (bpcharLength(first) < 0 || bpcharLength(first) !== bpcharLength(second)))
          throw new NotCompilable('char of different lengths');
        left = this.node(first);
        right = this.node(second);
      }
      return { op: 'stringEqual', left, right, negate: negateEqual, type: BOOL };
    }
    const negateLike = STRING_LIKE.get(functionOid);
    if (negateLike !== undefined) {
      const [first, second] = args as [PlanExpr, PlanExpr];
      const pattern =
        this.slotsOf(second).size > 0 ? null : this.services.evaluate(this.substitute(second) as PlanExpr);
      if (typeof pattern !== 'string' || /[_\\]/.test(pattern))
        return functionNode(this.scope, functionOid, args, typeOid);
      const arg = this.node(first);
      if (!pattern.includes('%')) {
        const right = this.stringParameter(pattern);
        return { op: 'stringEqual', left: arg, right, negate: negateLike, type: BOOL };
      }
      const pieces = pattern
        .split('%')
        .filter((piece) => piece !== '')
        .map((piece) => (this.stringParameter(piece) as Extract<Node, { op: 'param' }>).param);
      const atStart = !pattern.startsWith('%');
      const atEnd = !pattern.endsWith('%');
      return { op: 'like', arg, pieces, atStart, atEnd, negate: negateLike, type: BOOL };
    }
    if (functionOid === TEXT_OF_BPCHAR) return { op: 'trimEnd', arg: this.node(args[0]!), type: STRING };
    if (SUBSTRING.has(functionOid) && args.length === 3) {
      const [text, start, length] = args as [PlanExpr, PlanExpr, PlanExpr];
      if (this.slotsOf(start).size > 0 || this.slotsOf(length).size > 0)
        throw new NotCompilable('a substring of changing length');
      const first = this.parameter(start);
      const count = this.parameter(length);
      const value = this.params.values[(count as Extract<Node, { op: 'param' }>).param];
      if (typeof value !== 'bigint' || value < 0n) throw new NotCompilable('a negative length');
      return { op: 'substring', arg: this.node(text), start: first, length: count, type: STRING };
    }
    return functionNode(this.scope, functionOid, args, typeOid);
  }

  /** A condition whose only input is one string column: decided by the row executor for each entry of its dictionary. */
  private stringTest(expr: PlanExpr, slots: ReadonlySet<number>): Node | null {
    if (expr.typeOid !== BOOL_OID || slots.size !== 1) return null;
    const [slot] = slots as Set<number>;
    const binding = this.bindings.get(slot!);
    if (binding?.kind !== 'column' || this.kindOf(binding.column).kind !== 'string') return null;
    const direct = this.substitute(expr) as PlanExpr;
    if (containsSubPlan(direct)) throw new NotCompilable('a subquery');
    const index = this.columnIndex(binding.column);
    const test = this.tests.push({ column: index, test: this.services.functionOf(direct, slot!) }) - 1;
    let otherwise: Node | null = null;
    try {
      if (expr.kind === 'operator' || expr.kind === 'function')
        otherwise = this.stringCall(expr.functionOid, expr.args as PlanExpr[], expr.typeOid);
      else if (expr.kind === 'arrayOperator') otherwise = this.inList(expr);
    } catch (thrown) {
      if (!(thrown instanceof NotCompilable)) throw thrown;
    }
    const base = { op: 'stringTest', column: index, test, type: BOOL } as const;
    return otherwise === null ? base : { ...base, otherwise };
  }

  /** A pushed predicate on a string column, as the table itself would decide it. */
  stringPredicate(column: number, operator: CompareOperator | 'in', value: Datum): Node {
    const { support, typeOid, typmod } = this.schema!.columns[column]!;
    if (value === null || support.compare === undefined) throw new NotCompilable('a comparison of strings');
    const compare = support.compare.bind(support);
    const isOne = (entry: Datum, other: Datum): boolean => {
      const order = compare(entry, other);
      switch (operator) {
        case 'in':
        case '=':
          return order === 0;
        case '<>':
          return order !== 0;
        case '<':
          return order < 0;
        case '<=':
          return order <= 0;
        case '>':
          return order > 0;
        case '>=':
          return order >= 0;
      }
    };
    const others =
      operator === 'in' ? (value as SqlArray).elements.filter((element) => element !== null) : [value];
    const index = this.columnIndex(column);
    const test =
      this.tests.push({ column: index, test: (entry) => others.some((other) => isOne(entry, other)) }) - 1;
    const base = { op: 'stringTest', column: index, test, type: BOOL } as const;
    if (operator !== '=' && operator !== 'in' && operator !== '<>') {
      const right = this.stringParameter(value);
      const left = this.column(column);
      const isTrimmed = typeOid === BPCHAR_OID;
      return { ...base, otherwise: { op: 'stringCompare', operator, left, right, isTrimmed, type: BOOL } };
    }
    if (typeOid === BPCHAR_OID && typmod < 4) return base;
    const args = others.map((other): Node => {
      const text =
        typeOid === BPCHAR_OID ? (other as string).replace(/ +$/, '').padEnd(typmod - 4, ' ') : other;
      const right = this.stringParameter(text);
      return { op: 'stringEqual', left: this.column(column), right, negate: operator === '<>', type: BOOL };
    });
    if (args.length === 0 || args.length > 64) return base;
    return { ...base, otherwise: args.length === 1 ? args[0]! : { op: 'or', args, type: BOOL } };
  }

  // --------------------------------------------------------------------------------------------------- slots

  /** A copy with the expressions of projections in place of their slots. */
  private substitute(value: unknown): unknown {
    if (value === null || typeof value !== 'object' || value instanceof Numeric) return value;
    if (Array.isArray(value)) return value.map((item) => this.substitute(item));
    const node = value as { kind?: string };
    if (node.kind === 'const' || node.kind === 'subPlan') return value;
    if (node.kind === 'slot') {
      const binding = this.bindings.get((node as SlotExpr).slot);
      return binding?.kind === 'expr' ? this.substitute(binding.expr) : value;
    }
    return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, this.substitute(part)]));
  }

  /** Slots of this branch (projections looked through) that an expression reads. */
  slotsOf(expr: PlanExpr): Set<number> {
    const found = new Set<number>();
    const visit = (value: unknown): void => {
      if (value === null || typeof value !== 'object' || value instanceof Numeric) return;
      if (Array.isArray(value)) {
        for (const item of value) visit(item);
        return;
      }
      const node = value as { kind?: string };
      if (node.kind === 'const') return;
      if (node.kind === 'subPlan') {
        if ((node as { parameters: number[] }).parameters.some((slot) => this.bindings.has(slot)))
          throw new NotCompilable('a correlated subquery');
        visit((node as { left: unknown }).left);
        return;
      }
      if (node.kind === 'slot') {
        const { slot } = node as SlotExpr;
        const binding = this.bindings.get(slot);
        if (binding?.kind === 'expr') visit(binding.expr);
        else if (binding !== undefined) found.add(slot);
        return;
      }
      for (const key of Object.keys(node)) visit((node as Record<string, unknown>)[key]);
    };
    visit(expr);
    return found;
  }
}

const MIRROR: Readonly<Record<CompareOperator, CompareOperator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** A finite decimal of more digits than columns have. */
function isLong(value: Datum): value is Numeric {
  if (!(value instanceof Numeric) || value.kind !== 'finite') return false;
  const coefficient = BigInt(value.coefficient);
  return coefficient >= 1n << 60n || coefficient <= -(1n << 60n);
}

function elementsOf(array: SqlArray): readonly Datum[] {
  const { elements } = array;
  if (elements.length === 0 || elements.length > 64 || elements.includes(null))
    throw new NotCompilable('an array operator');
  return elements;
}

/** Characters of a char(n); -1 = not known. */
export function bpcharLength(expr: { readonly typeOid: number; readonly typmod: number }): number {
  return expr.typeOid === BPCHAR_OID && expr.typmod >= 4 ? expr.typmod - 4 : -1;
}

export function scaleOf(node: Node): number {
  return node.type.kind === 'decimal' ? node.type.scale : 0;
}

export function sameType(left: PipelineType, right: PipelineType): boolean {
  return (
    left.kind === right.kind &&
    (left.kind !== 'decimal' || left.scale === (right as { scale?: number }).scale)
  );
}

export function isMicros(typeOid: number): boolean {
  return INTEGER_MICROS_OIDS.has(typeOid);
}
