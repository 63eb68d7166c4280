/** One aggregate of an aggregate node: its arguments, its DISTINCT and ORDER BY, and its states by group number. */
import type { PlanAggregate } from '../../../planner/physical.ts';
import type { AggregateState, BoundAggregate } from '../../../sql/functions/contract.ts';
import type { Datum } from '../../../types/datum.ts';
import type { ExecutionState } from '../../state.ts';
import { type Evaluate, ExpressionCompiler, type Test } from '../expression/compile.ts';
import { type KeyOf, keyOf, type MapKey } from '../keys.ts';
import { type KeyOrder, keyOrder, rowOrder, Sorter, valueOrder } from '../sorter.ts';
import { datumBytes } from '../store.ts';

/** Builtin aggregates whose result does not depend on the order of their input (avg, sum, max, min, count). */
const FIRST_ORDERLESS_OID = 2100;
const LAST_ORDERLESS_OID = 2147;

/** Arguments that wait for their group to end: columns of values, sort keys last. */
interface Collected {
  columns: Datum[][];
  count: number;
}

/** A group's collected rows on their way into the aggregate, kept over suspensions. */
interface Feeding {
  sorter: Sorter;
  order: Uint32Array | null;
  position: number;
  state: AggregateState;
  group: number;
}

export class Accumulator {
  readonly slot: number;
  private readonly state: ExecutionState;
  private readonly bound: BoundAggregate;
  private readonly filter: Test | null;
  private readonly args: Evaluate[];
  private readonly direct: Evaluate[];
  private readonly sortRuns: Evaluate[];
  private readonly sortOrders: KeyOrder[];
  private readonly distinctKeys: KeyOf[] | null;
  /** Rows are kept until the group ends: ORDER BY, or a DISTINCT whose order shows. */
  private readonly collects: boolean;
  private states: AggregateState[] = [];
  private seen: Set<MapKey>[] = [];
  private collected: Collected[] = [];
  private feeding: Feeding | null = null;
  /** Bytes charged to the statement for the states. */
  chargedBytes = 0;
  private steps = 0;

  constructor(state: ExecutionState, plan: PlanAggregate) {
    const { resolver } = state.environment;
    const compiler = new ExpressionCompiler(state, resolver);
    this.state = state;
    this.slot = plan.slot;
    this.bound = resolver.aggregate(plan.aggregateOid, {
      argumentTypes: [...plan.directArgs, ...plan.args].map((arg) => arg.typeOid),
      resultType: plan.typeOid,
      variadic: false,
      collation: 0,
      ...(plan.orderBy.length > 0 ? { sortKeys: plan.orderBy } : {}),
    });
    this.filter = compiler.testOrNull(plan.filter);
    this.args = compiler.compileAll(plan.args);
    this.direct = compiler.compileAll(plan.directArgs);
    this.sortRuns = plan.orderBy.map(({ expr }) => compiler.compile(expr));
    this.sortOrders = plan.orderBy.map((key) => keyOrder(key, resolver));
    this.distinctKeys = plan.distinct
      ? plan.args.map(({ typeOid }) => keyOf(typeOid, () => resolver.typeSupport(typeOid)))
      : null;
    const isOrderless = plan.aggregateOid >= FIRST_ORDERLESS_OID && plan.aggregateOid <= LAST_ORDERLESS_OID;
    this.collects = (plan.orderBy.length > 0 || plan.distinct) && !isOrderless;
    if (plan.distinct && this.collects && plan.orderBy.length === 0) {
      // DISTINCT delivers sorted values, as PostgreSQL's sort does.
      this.sortRuns.push(...this.args);
      for (const { typeOid } of plan.args) {
        this.sortOrders.push({
          compare: valueOrder(typeOid, resolver),
          descending: false,
          nullsFirst: false,
        });
      }
    }
  }

  clear(): void {
    this.states = [];
    this.seen = [];
    this.collected = [];
    this.feeding = null;
    this.state.memory.release(this.chargedBytes);
    this.chargedBytes = 0;
  }

  /** Makes the state of group `group` (the next number). */
  addGroup(group: number): void {
    this.states[group] = this.bound.createState();
    if (this.distinctKeys !== null) this.seen[group] = new Set();
    if (this.collects) {
      this.collected[group] = {
        columns: [...this.args, ...this.sortRuns].map(() => []),
        count: 0,
      };
    }
    this.charge(96);
  }

  private charge(bytes: number): void {
    this.state.memory.reserve(bytes);
    this.chargedBytes += bytes;
  }

  /** Adds the frame's row to a group. */
  step(group: number, frame: Datum[]): void {
    if (this.filter !== null && !this.filter(frame)) return;
    const { args, bound } = this;
    if (this.distinctKeys !== null || this.collects) {
      this.stepSlowly(group, frame);
      return;
    }
    const aggregateState = this.states[group]!;
    switch (args.length) {
      case 0:
        bound.step(aggregateState);
        return;
      case 1: {
        const value = args[0]!(frame);
        if (value === null && bound.strict) return;
        bound.step(aggregateState, value);
        return;
      }
      case 2: {
        const first = args[0]!(frame);
        const second = args[1]!(frame);
        if (bound.strict && (first === null || second === null)) return;
        bound.step(aggregateState, first, second);
        return;
      }
      default: {
        const values = args.map((arg) => arg(frame));
        if (bound.strict && values.includes(null)) return;
        bound.step(aggregateState, ...values);
      }
    }
    // States that grow with their input (array_agg, string_agg) are charged by what goes in.
    if ((++this.steps & 1023) === 0 && bound.strict === false) this.charge(1024 * 8);
  }

  private stepSlowly(group: number, frame: Datum[]): void {
    const { args, bound } = this;
    const values = args.map((arg) => arg(frame));
    if (bound.strict && values.includes(null)) return;
    if (this.distinctKeys !== null && !this.isFirst(group, values)) return;
    if (!this.collects) {
      bound.step(this.states[group]!, ...values);
      return;
    }
    const sortValues = this.sortRuns.map((run) => run(frame));
    const collected = this.collected[group]!;
    let bytes = 0;
    for (let index = 0; index < values.length; index++) {
      collected.columns[index]!.push(values[index]!);
      bytes += 8 + datumBytes(values[index]!);
    }
    for (let index = 0; index < sortValues.length; index++) {
      collected.columns[values.length + index]!.push(sortValues[index]!);
      bytes += 8;
    }
    collected.count++;
    this.charge(bytes);
  }

  private isFirst(group: number, values: readonly Datum[]): boolean {
    const keys = this.distinctKeys!;
    const seen = this.seen[group]!;
    let key: MapKey;
    if (values.length === 1) key = values[0] === null ? '\0null' : keys[0]!(values[0]!);
    else {
      key = '';
      for (let index = 0; index < values.length; index++) {
        const value = values[index]!;
        const part = value === null ? '' : `${typeof value}${String(keys[index]!(value))}`;
        key += `${part.length}:${part}`;
      }
    }
    if (seen.has(key)) return false;
    seen.add(key);
    this.charge(48 + (typeof key === 'string' ? key.length : 0));
    return true;
  }

  /** The group's result; feeds collected rows first. May suspend and is then called again for the same group. */
  final(group: number, frame: Datum[]): Datum {
    if (this.collects) this.feed(group);
    if (this.direct.length === 0) return this.bound.final(this.states[group]!);
    return this.bound.final(this.states[group]!, ...this.direct.map((run) => run(frame)));
  }

  private feed(group: number): void {
    const collected = this.collected[group];
    if (collected === undefined) return;
    const width = this.args.length;
    if (this.feeding === null || this.feeding.group !== group) {
      const order = rowOrder(this.sortOrders, collected.columns.slice(width));
      const sorter = new Sorter(this.state, collected.count, order);
      this.feeding = { sorter, order: null, position: 0, state: this.states[group]!, group };
    }
    const { feeding } = this;
    feeding.order ??= feeding.sorter.run();
    while (feeding.position < feeding.order.length) {
      this.state.tick();
      const row = feeding.order[feeding.position++]!;
      if (width === 1) this.bound.step(feeding.state, collected.columns[0]![row]!);
      else {
        const values: Datum[] = [];
        for (let index = 0; index < width; index++) values.push(collected.columns[index]![row]!);
        this.bound.step(feeding.state, ...values);
      }
    }
    this.feeding = null;
    // Fed: a second call of final for the group must not feed again.
    delete this.collected[group];
  }
}
