/**
 * From plan nodes to pipelines: an aggregate over projections, filters and one sequential scan.
 *
 * Done anew for every execution, when parameters and outer values are known: an expression without columns of the scan is evaluated by the
 * row executor and becomes a parameter. Whatever pipelines do not know raises NotCompilable, and the row executor runs the plan: the
 * translation is a filter, never a second definition of SQL.
 */
import type { AggregateNode, PlanExpr, PlanNode, SeqScanNode, SlotExpr } from '../../planner/physical.ts';
import type { TableSchema } from '../../table/contract.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { Numeric } from '../../types/numeric.ts';
import { changesSign } from '../../types/relabel.ts';
import { type AggregateKind, aggregateKind, builtin } from './functions.ts';
import { NotCompilable } from './interval.ts';
import { LIMITS } from './layout.ts';
import {
  type AccumulatorSpec,
  BOOL,
  type CompareOperator,
  decimal,
  FLOAT,
  INT,
  type Node,
  nodeKey,
  type ParamValue,
  type PipelineColumn,
  type PipelineSpec,
  type PipelineType,
  STRING,
  shownScale,
} from './spec.ts';

const BOOL_OID = 16;
const INT_OIDS = new Set([20, 21, 23, 1082, 1114, 1184]);
const NUMERIC_OID = 1700;
const FLOAT_OIDS = new Set([700, 701]);
const STRING_OIDS = new Set([25, 1042, 1043]);
const INT64_LOW = -(1n << 63n);
const INT64_HIGH = (1n << 63n) - 1n;
const MICROS_PER_DAY = 86_400_000_000n;

/** How one aggregate's result is computed from the accumulators of a group. */
export interface FinalSpec {
  readonly slot: number;
  readonly kind: AggregateKind;
  readonly accumulator: number;
  /** Accumulator that counts the values that are not NULL. */
  readonly count: number;
  readonly type: PipelineType;
  readonly typeOid: number;
  /** Sums: a constant that every value had beside; it counts as often as there are values. */
  readonly addend?: bigint;
}

export interface GroupOutput {
  readonly slot: number;
  readonly type: PipelineType;
  readonly typeOid: number;
}

/** A translated fragment. */
export interface Fragment {
  readonly scan: SeqScanNode;
  readonly spec: PipelineSpec;
  readonly params: readonly ParamValue[];
  readonly groups: readonly GroupOutput[];
  readonly finals: readonly FinalSpec[];
  /** By string test: what it asks of an entry of its column's dictionary. */
  readonly stringTests: readonly { readonly column: number; readonly test: (value: Datum) => Datum }[];
}

/** What the translation needs from the row executor. */
export interface TranslationServices {
  schema(relationOid: number): TableSchema;
  /** Value of an expression that has no column of the scan. */
  evaluate(expr: PlanExpr): Datum;
  /** An expression as a function of the value of one slot. */
  functionOf(expr: PlanExpr, slot: number): (value: Datum) => Datum;
}

/** The chain below an aggregate, if it is one that pipelines take; null = no. Cheap, without looking at expressions. */
export function scanBelow(node: AggregateNode): { scan: SeqScanNode; chain: PlanNode[] } | null {
  if (node.strategy === 'mixed' || node.sets !== null || node.grouping.length > 0) return null;
  const chain: PlanNode[] = [];
  let child: PlanNode = node.child;
  // A sort below a sorted aggregate only brings groups together.
  while (
    child.kind === 'filter' ||
    child.kind === 'project' ||
    (child.kind === 'sort' && child.bound === null)
  ) {
    chain.push(child);
    child = child.child;
  }
  return child.kind === 'seqScan' && child.rowIdSlot < 0 ? { scan: child, chain } : null;
}

/** Errors: NotCompilable; DbError of evaluating constants. */
export function translate(node: AggregateNode, services: TranslationServices): Fragment {
  const below = scanBelow(node);
  if (below === null) throw new NotCompilable('the plan below the aggregate is no plain scan');
  return new Translator(services, below.scan, below.chain).aggregate(node);
}

class Translator {
  private readonly services: TranslationServices;
  private readonly scan: SeqScanNode;
  private readonly schema: TableSchema;
  private readonly columns: PipelineColumn[] = [];
  private readonly columnOf = new Map<number, number>();
  private readonly params: ParamValue[] = [];
  private readonly checks: Node[] = [];
  private readonly filters: Node[] = [];
  private readonly tests: { column: number; test: (value: Datum) => Datum }[] = [];
  /** Slots computed by projections in between. */
  private readonly projected = new Map<number, PlanExpr>();
  private readonly scanSlots = new Map<number, number>();

  constructor(services: TranslationServices, scan: SeqScanNode, chain: readonly PlanNode[]) {
    this.services = services;
    this.scan = scan;
    this.schema = services.schema(scan.relationOid);
    for (const column of scan.columns) this.scanSlots.set(column.slot, column.column);
    for (const node of [...chain].reverse()) {
      if (node.kind === 'project') for (const { expr, slot } of node.exprs) this.projected.set(slot, expr);
      else if (node.kind === 'filter') this.filter(node.condition);
    }
    for (const predicate of scan.pushed) this.pushed(predicate);
    if (scan.filter !== null) this.filter(scan.filter);
  }

  aggregate(node: AggregateNode): Fragment {
    const groups = node.groups.map(({ expr, slot }) => {
      const translated = this.node(expr);
      if (translated.type.kind === 'float') throw new NotCompilable('grouping by a double');
      if (shownScale(translated, () => null) !== scaleOf(translated))
        throw new NotCompilable('decimals of changing scale');
      return { node: translated, slot, typeOid: expr.typeOid };
    });
    const accumulators: AccumulatorSpec[] = [{ op: 'count', arg: null, filter: null }];
    const finals = node.aggregates.map((aggregate): FinalSpec => {
      const kind = aggregateKind(aggregate.aggregateOid);
      if (
        kind === null ||
        aggregate.distinct ||
        aggregate.orderBy.length > 0 ||
        aggregate.directArgs.length > 0
      )
        throw new NotCompilable(`aggregate ${aggregate.aggregateOid}`);
      const filter = aggregate.filter === null ? null : this.condition(aggregate.filter);
      const rows = addAccumulator(accumulators, { op: 'count', arg: null, filter });
      const { slot, typeOid } = aggregate;
      if (kind === 'countRows' || aggregate.star)
        return { slot, typeOid, kind: 'countRows', accumulator: rows, count: rows, type: INT };
      const expr = aggregate.args[0];
      if (expr === undefined || aggregate.args.length > 1) throw new NotCompilable('aggregate arguments');
      if (kind === 'count') {
        const arg = this.nullness(expr);
        const count = addAccumulator(accumulators, { op: 'count', arg, filter });
        return { slot, typeOid, kind, accumulator: count, count, type: INT };
      }
      let arg = this.node(expr);
      if (arg.type.kind === 'string' || arg.type.kind === 'bool')
        throw new NotCompilable(`aggregate over ${arg.type.kind}`);
      if (expr.typeOid === 700 && kind !== 'avgFloat') throw new NotCompilable('aggregate over float4');
      if (kind === 'avgFloat' && arg.type.kind !== 'float')
        arg = { op: 'toFloat', arg, divisor: 1, type: FLOAT };
      // How many digits a sum shows depends on the rows that were added: whole queries know.
      if (shownScale(arg, () => null) !== scaleOf(arg)) throw new NotCompilable('decimals of changing scale');
      const op = kind === 'min' || kind === 'max' ? kind : 'sum';
      let addend = 0n;
      if (kind === 'sumInt8') {
        const split = this.withoutAddend(arg);
        if (split !== null) {
          this.checks.push(arg);
          arg = split.arg;
          addend = split.addend;
        }
      }
      const accumulator = addAccumulator(accumulators, { op, arg, filter });
      const count = addAccumulator(accumulators, { op: 'count', arg, filter });
      return { slot, typeOid, kind, accumulator, count, type: arg.type, addend };
    });
    const within =
      this.columns.length <= LIMITS.columns &&
      this.params.length <= LIMITS.params &&
      groups.length <= LIMITS.groups &&
      accumulators.length <= LIMITS.accumulators &&
      this.tests.length <= LIMITS.stringTests;
    if (!within) throw new NotCompilable('too many columns, constants, groups or aggregates');
    return {
      scan: this.scan,
      spec: {
        columns: this.columns,
        filters: this.filters,
        groups: groups.map((group) => group.node),
        accumulators,
        stringTests: this.tests.length,
        checks: this.checks,
      },
      params: this.params,
      groups: groups.map(({ node: { type }, slot, typeOid }) => ({ slot, type, typeOid })),
      finals,
      stringTests: this.tests,
    };
  }

  // ---------------------------------------------------------------------------------------------- conditions

  private filter(expr: PlanExpr): void {
    if (expr.kind === 'bool' && expr.op === 'and') {
      for (const arg of expr.args as PlanExpr[]) this.filter(arg);
      return;
    }
    this.filters.push(this.condition(expr));
  }

  private pushed(predicate: SeqScanNode['pushed'][number]): void {
    const { column, operator } = predicate;
    // What is merely implied by another filter speeds up zone maps; it is not needed here.
    if ((predicate as { derived?: boolean }).derived === true) return;
    const left = this.column(column);
    if (operator === 'is null' || operator === 'is not null') {
      this.filters.push({ op: 'isNull', arg: left, negate: operator === 'is not null', type: BOOL });
      return;
    }
    const value = this.services.evaluate(this.substitute(predicate.value) as PlanExpr);
    if (left.type.kind === 'string') {
      this.filters.push(this.stringPredicate(column, operator, value));
      return;
    }
    if (operator === 'in') {
      this.filters.push(this.listOf(left, value));
      return;
    }
    const { value: param, type } = paramOf(value, predicate.value!.typeOid);
    this.params.push(param);
    this.filters.push(this.compare(operator, left, { op: 'param', param: this.params.length - 1, type }));
  }

  /** A pushed predicate on a string column, as the table itself would decide it. */
  private stringPredicate(column: number, operator: CompareOperator | 'in', value: Datum): Node {
    const { support } = this.schema.columns[column]!;
    const node = this.column(column);
    if (value === null || node.op !== 'column' || support.compare === undefined)
      throw new NotCompilable('a comparison of strings');
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
    this.tests.push({ column: node.column, test: (entry) => others.some((other) => isOne(entry, other)) });
    return { op: 'stringTest', column: node.column, test: this.tests.length - 1, type: BOOL };
  }

  private condition(expr: PlanExpr): Node {
    const node = this.node(expr);
    if (node.type.kind !== 'bool') throw new NotCompilable('a condition that is no boolean');
    return node;
  }

  /** x + constant and x - constant: a sum of x gives theirs. */
  private withoutAddend(node: Node): { arg: Node; addend: bigint } | null {
    if ((node.op !== 'add' && node.op !== 'sub') || node.type.kind !== 'int') return null;
    const { right } = node;
    if (right.op !== 'param') return null;
    const value = this.params[right.param] as bigint;
    return { arg: node.left, addend: node.op === 'add' ? value : -value };
  }

  /** For count(x): anything whose NULLs are known, strings too. */
  private nullness(expr: PlanExpr): Node {
    return this.node(expr);
  }

  // --------------------------------------------------------------------------------------------- expressions

  private node(expr: PlanExpr): Node {
    const slots = this.slotsOf(expr);
    if (slots.size === 0) return this.parameter(expr);
    switch (expr.kind) {
      case 'slot': {
        const inner = this.projected.get(expr.slot);
        return inner === undefined ? this.column(this.scanSlots.get(expr.slot)!) : this.node(inner);
      }
      case 'operator':
      case 'function': {
        const stringTest = this.stringCondition(expr, slots);
        return stringTest ?? this.call(expr.functionOid, expr.args as PlanExpr[]);
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
        if (args[0]!.type.kind === 'string') throw new NotCompilable('coalesce of strings');
        return { op: 'coalesce', args, type: args[0]!.type };
      }
      case 'relabel':
        if (changesSign(expr.arg.typeOid, expr.typeOid)) throw new NotCompilable('a change of sign');
        return this.node(expr.arg as PlanExpr);
      case 'arrayOperator': {
        const stringTest = this.stringCondition(expr, slots);
        return stringTest ?? this.inList(expr);
      }
      default: {
        const stringTest = this.stringCondition(expr, slots);
        if (stringTest !== null) return stringTest;
        throw new NotCompilable(`expression ${expr.kind}`);
      }
    }
  }

  private kindOf(column: number): PipelineType {
    const definition = this.schema.columns[column];
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

  private column(column: number): Node {
    const type = this.kindOf(column);
    let index = this.columnOf.get(column);
    if (index === undefined) {
      index = this.columns.length;
      this.columns.push({ column, typeOid: this.schema.columns[column]!.typeOid, type });
      this.columnOf.set(column, index);
    }
    return { op: 'column', column: index, type };
  }

  /** A value known before the scan. */
  private parameter(expr: PlanExpr): Node {
    const value = this.services.evaluate(this.substitute(expr) as PlanExpr);
    const { value: param, type } = paramOf(value, expr.typeOid);
    this.params.push(param);
    return { op: 'param', param: this.params.length - 1, type };
  }

  private call(functionOid: number, argExprs: readonly PlanExpr[]): Node {
    const kind = builtin(functionOid);
    if (kind === null) throw new NotCompilable(`function ${functionOid}`);
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
        return {
          op: 'toFloat',
          arg: first,
          divisor: 10 ** (first.type.kind === 'decimal' ? scaleOf(first) : 0),
          type: FLOAT,
        };
      case 'dateToTimestamp':
        return dateToTimestamp(first);
    }
  }

  private compare(operator: CompareOperator, left: Node, right: Node): Node {
    const [first, second] = this.alike([left, right]) as [Node, Node];
    if (first.type.kind === 'string') throw new NotCompilable('a comparison of strings');
    return { op: 'compare', operator, left: first, right: second, type: BOOL };
  }

  /** Brings decimals (and integers among them) to one scale. */
  private alike(nodes: readonly Node[]): Node[] {
    const kinds = new Set(nodes.map((node) => node.type.kind));
    if (kinds.has('decimal')) {
      if (kinds.has('float') || kinds.has('bool') || kinds.has('string'))
        throw new NotCompilable('mixed types');
      const scale = Math.max(...nodes.map(scaleOf));
      return nodes.map((node) => {
        const by = scale - scaleOf(node);
        // A constant is brought to the scale once, not per row.
        if (node.op === 'param' && by > 0)
          return {
            ...this.scaledParam(node.param, 10n ** BigInt(by), decimal(scale)),
            digits: scaleOf(node),
          };
        return by === 0 && node.type.kind === 'decimal'
          ? node
          : { op: 'scale', arg: node, factor: 10n ** BigInt(by), type: decimal(scale) };
      });
    }
    if (kinds.size > 1) throw new NotCompilable('mixed types');
    return [...nodes];
  }

  private scaledParam(param: number, factor: bigint, type: PipelineType): Extract<Node, { op: 'param' }> {
    const value = (this.params[param] as bigint) * factor;
    if (value > 1n << 62n || value < -(1n << 62n)) throw new NotCompilable('a constant with many digits');
    this.params.push(value);
    return { op: 'param', param: this.params.length - 1, type };
  }

  private caseOf(expr: Extract<PlanExpr, { kind: 'case' }>): Node {
    if (expr.arg !== null) throw new NotCompilable('CASE with an argument');
    const otherwise = expr.defaultResult as PlanExpr | null;
    const isNull = otherwise === null || (otherwise.kind === 'const' && otherwise.value === null);
    const results = this.alike([
      ...expr.whens.map((branch) => this.node(branch.result)),
      ...(isNull ? [] : [this.node(otherwise)]),
    ]);
    if (results[0]!.type.kind === 'string') throw new NotCompilable('CASE of strings');
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

  /** column = ANY (constant array) of numbers. */
  private inList(expr: Extract<PlanExpr, { kind: 'arrayOperator' }>): Node {
    const kind = builtin(expr.functionOid);
    const [left, right] = expr.args as [PlanExpr, PlanExpr];
    if (kind?.kind !== 'compare' || kind.operator !== '=' || !expr.any || this.slotsOf(right).size > 0)
      throw new NotCompilable('an array operator');
    return this.listOf(this.node(left), this.services.evaluate(right));
  }

  /** value = one of the elements; NULL elements are left to the row executor. */
  private listOf(arg: Node, array: Datum): Node {
    if (!(array instanceof SqlArray)) throw new NotCompilable('an array operator');
    const { elements, elementType } = array;
    if (elements.length === 0 || elements.length > 32 || elements.includes(null))
      throw new NotCompilable('an array operator');
    const args = elements.map((element) => {
      const { value, type } = paramOf(element, elementType);
      this.params.push(value);
      return this.compare('=', arg, { op: 'param', param: this.params.length - 1, type });
    });
    return args.length === 1 ? args[0]! : { op: 'or', args, type: BOOL };
  }

  /** A condition whose only column is one string column: decided by the row executor for each entry of the dictionary. */
  private stringCondition(expr: PlanExpr, slots: ReadonlySet<number>): Node | null {
    if (expr.typeOid !== BOOL_OID || slots.size !== 1) return null;
    const [slot] = slots as Set<number>;
    const column = this.scanSlots.get(slot!);
    if (column === undefined || this.kindOf(column).kind !== 'string') return null;
    const node = this.column(column);
    if (node.op !== 'column') return null;
    const direct = this.substitute(expr) as PlanExpr;
    if (containsSubPlan(direct)) throw new NotCompilable('a subquery');
    const evaluate = this.services.functionOf(direct, slot!);
    this.tests.push({ column: node.column, test: evaluate });
    return { op: 'stringTest', column: node.column, test: this.tests.length - 1, type: BOOL };
  }

  /** A copy with the expressions of projections in place of their slots; the expression itself when there are none. */
  private substitute(value: unknown): unknown {
    if (this.projected.size === 0) return value;
    if (value === null || typeof value !== 'object' || value instanceof Numeric) return value;
    if (Array.isArray(value)) return value.map((item) => this.substitute(item));
    const node = value as { kind?: string };
    if (node.kind === 'const' || node.kind === 'subPlan') return value;
    if (node.kind === 'slot') {
      const inner = this.projected.get((node as SlotExpr).slot);
      return inner === undefined ? value : this.substitute(inner);
    }
    return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, this.substitute(part)]));
  }

  /** Slots of the scan (projections looked through) that an expression reads. */
  private slotsOf(expr: PlanExpr): Set<number> {
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
        // It reads outer slots by number; those of the scan would have to be known per row.
        if (
          (node as { parameters: number[] }).parameters.some(
            (slot) => this.scanSlots.has(slot) || this.projected.has(slot),
          )
        )
          throw new NotCompilable('a correlated subquery');
        return;
      }
      if (node.kind === 'slot') {
        const { slot } = node as SlotExpr;
        const inner = this.projected.get(slot);
        if (inner !== undefined) visit(inner);
        else if (this.scanSlots.has(slot)) found.add(slot);
        return;
      }
      for (const key of Object.keys(node)) visit((node as Record<string, unknown>)[key]);
    };
    visit(expr);
    return found;
  }
}

export function dateToTimestamp(arg: Node): Node {
  return { op: 'scale', arg, factor: MICROS_PER_DAY, type: INT };
}

export function containsSubPlan(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(containsSubPlan);
  const node = value as { kind?: string };
  if (node.kind === 'const') return false;
  return node.kind === 'subPlan' || Object.values(node).some(containsSubPlan);
}

function scaleOf(node: Node): number {
  return node.type.kind === 'decimal' ? node.type.scale : 0;
}

export function addAccumulator(list: AccumulatorSpec[], accumulator: AccumulatorSpec): number {
  const known = list.findIndex(
    (other) =>
      other.op === accumulator.op &&
      nodeKey(other.arg) === nodeKey(accumulator.arg) &&
      nodeKey(other.filter) === nodeKey(accumulator.filter),
  );
  if (known >= 0) return known;
  list.push(accumulator);
  return list.length - 1;
}

export function paramOf(value: Datum, typeOid: number): { value: ParamValue; type: PipelineType } {
  if (value === null) throw new NotCompilable('a NULL constant');
  if (typeof value === 'boolean') return { value: value ? 1n : 0n, type: BOOL };
  if (INT_OIDS.has(typeOid) && (typeof value === 'number' || typeof value === 'bigint')) {
    const integer = BigInt(value);
    // Infinite timestamps are no distance from anything.
    const isInfinite = typeOid !== 20 && (integer === INT64_LOW || integer === INT64_HIGH);
    if (isInfinite) throw new NotCompilable('an infinite timestamp');
    return { value: integer, type: INT };
  }
  if (FLOAT_OIDS.has(typeOid) && typeof value === 'number') return { value, type: FLOAT };
  if (value instanceof Numeric && value.kind === 'finite') {
    const coefficient = BigInt(value.coefficient);
    if (coefficient <= 1n << 62n && coefficient >= -(1n << 62n))
      return { value: coefficient, type: decimal(value.scale) };
  }
  throw new NotCompilable(`a constant of type ${typeOid}`);
}
