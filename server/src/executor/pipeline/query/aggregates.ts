/** From the aggregates of a plan to the accumulators of a store of groups. */
import type { PlanAggregate } from '../../../planner/physical.ts';
import { type AggregateKind, aggregateKind } from '../functions.ts';
import { NotCompilable } from '../interval.ts';
import { type AccumulatorSpec, BOOL, FLOAT, INT, type Node, type PipelineType } from '../spec.ts';
import { addAccumulator } from '../translate.ts';
import { type Binding, type Branch, scaleOf } from './branch.ts';
import type { FieldSpec } from './ir.ts';

/** An aggregate over nodes. `sumOfCounts` and `averageOfParts` finish what groups of a finer kind have begun. */
export interface Demand {
  readonly slot: number;
  readonly kind: AggregateKind | 'sumOfCounts' | 'averageOfParts';
  /** Null for count(*). */
  readonly arg: Node | null;
  /** `averageOfParts`: how many values the sums in `arg` are of. */
  readonly count: Node | null;
  readonly isFloat: boolean;
  readonly filter: Node | null;
}

/** What a plan's aggregate demands of a branch; `value` stands for its argument where that has been computed before. */
export function demandOf(aggregate: PlanAggregate, branch: Branch, value: Node | null = null): Demand {
  const kind = aggregateKind(aggregate.aggregateOid);
  if (kind === null || aggregate.orderBy.length > 0 || aggregate.directArgs.length > 0)
    throw new NotCompilable(`aggregate ${aggregate.aggregateOid}`);
  const filter = aggregate.filter === null ? null : branch.condition(aggregate.filter);
  const { slot } = aggregate;
  const base = { slot, count: null, isFloat: kind === 'avgFloat', filter };
  if (kind === 'countRows' || aggregate.star) return { ...base, kind: 'countRows', arg: null };
  const expr = aggregate.args[0];
  if (expr === undefined || aggregate.args.length > 1) throw new NotCompilable('aggregate arguments');
  const arg = value ?? branch.node(expr);
  if (kind === 'count') return { ...base, kind, arg };
  const isExtreme = kind === 'min' || kind === 'max';
  if (arg.type.kind === 'bool' || (arg.type.kind === 'string' && (!isExtreme || expr.typeOid === 1042)))
    throw new NotCompilable(`aggregate over ${arg.type.kind}`);
  if (expr.typeOid === 700) throw new NotCompilable('aggregate over float4');
  const isConverted = kind === 'avgFloat' && arg.type.kind !== 'float';
  return { ...base, kind, arg: isConverted ? { op: 'toFloat', arg, divisor: 1, type: FLOAT } : arg };
}

/** The same aggregate over what it was for finer groups. */
export function mergedDemand(aggregate: PlanAggregate, finer: Binding): Demand {
  const kind = aggregateKind(aggregate.aggregateOid)!;
  const base = { slot: aggregate.slot, filter: null };
  if (finer.kind === 'average')
    return { ...base, kind: 'averageOfParts', arg: finer.sum, count: finer.count, isFloat: finer.isFloat };
  if (finer.kind !== 'node') throw new NotCompilable('an aggregate of unknown form');
  const isCount = kind === 'count' || kind === 'countRows' || aggregate.star;
  return { ...base, kind: isCount ? 'sumOfCounts' : kind, arg: finer.node, count: null, isFloat: false };
}

/** The accumulators of one store; equal ones are shared. */
export class AccumulatorList {
  readonly accumulators: AccumulatorSpec[] = [];
  private readonly branch: Branch;
  private readonly keyCount: number;
  private readonly shown: (node: Node) => number | Node;
  /** By accumulator: the one that counts its values, or -1. */
  private readonly countsOf = new Map<number, number>();
  private readonly shownOf = new Map<number, number>();
  private readonly made: { readonly slot: number; readonly bind: (store: number) => Binding }[] = [];

  constructor(branch: Branch, keyCount: number, shown: (node: Node) => number | Node) {
    this.branch = branch;
    this.keyCount = keyCount;
    this.shown = shown;
  }

  add({ slot, kind, arg, count: parts, isFloat, filter }: Demand): void {
    const { accumulators, branch } = this;
    const bind = (make: (store: number) => Binding): void => void this.made.push({ slot, bind: make });
    const asNode = (index: number, type: PipelineType): void =>
      bind((store) => ({ kind: 'node', node: this.field(store, index, type) }));
    const counted = (of: Node | null): number =>
      addAccumulator(accumulators, {
        op: 'count',
        arg: of === null || branch.isNotNull(of) ? null : of,
        filter,
      });
    if (arg === null || kind === 'countRows' || kind === 'count') {
      asNode(counted(arg), INT);
      return;
    }
    if (kind === 'sumOfCounts') {
      asNode(addAccumulator(accumulators, { op: 'sum', arg, filter }), INT);
      return;
    }
    const op = kind === 'min' || kind === 'max' ? kind : 'sum';
    const value = addAccumulator(accumulators, { op, arg, filter });
    const { type } = arg;
    const shown = this.shown(arg);
    if (typeof shown !== 'number') {
      if (op !== 'sum') throw new NotCompilable('decimals of changing scale');
      const digits: Node = {
        op: 'case',
        branches: [{ when: { op: 'isNull', arg, negate: true, type: BOOL }, result: shown }],
        otherwise: null,
        type: INT,
      };
      this.shownOf.set(value, addAccumulator(accumulators, { op: 'max', arg: digits, filter }));
    } else if (shown !== scaleOf(arg)) throw new NotCompilable('decimals of changing scale');
    const isAverage = kind === 'avgNumeric' || kind === 'avgFloat' || kind === 'averageOfParts';
    if (!isAverage && branch.isNotNull(arg) && filter === null && this.keyCount > 0) {
      asNode(value, type);
      return;
    }
    const count =
      parts === null ? counted(arg) : addAccumulator(accumulators, { op: 'sum', arg: parts, filter });
    this.countsOf.set(value, count);
    if (!isAverage) {
      asNode(value, type);
      return;
    }
    bind((store) => ({
      kind: 'average',
      sum: this.field(store, value, type),
      count: this.field(store, count, INT),
      isFloat,
    }));
  }

  fields(keyTypes: readonly PipelineType[]): FieldSpec[] {
    const { keyCount } = this;
    return [
      ...keyTypes.map((type) => ({ type, countedBy: -1, accumulator: -1, shownBy: -1 })),
      ...this.accumulators.map(({ op, arg }, index): FieldSpec => {
        const counted = this.countsOf.get(index);
        const shown = this.shownOf.get(index);
        return {
          type: op === 'count' ? INT : arg!.type,
          countedBy: counted === undefined ? -1 : keyCount + counted,
          accumulator: index,
          shownBy: shown === undefined ? -1 : keyCount + shown,
        };
      }),
    ];
  }

  bindings(store: number): Map<number, Binding> {
    return new Map(this.made.map(({ slot, bind }) => [slot, bind(store)]));
  }

  private field(store: number, index: number, type: PipelineType): Node {
    return { op: 'field', table: store, field: this.keyCount + index, type };
  }
}
