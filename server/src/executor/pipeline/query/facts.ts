/** What is proved about a pipeline before it runs: that nothing overflows, which sums need 128 bits, bounds of what it stores. */

import { type Interval, intervalOf, mayOverflowSum, NotCompilable } from '../interval.ts';
import type { FrameInfo } from '../layout.ts';
import { type Node, type ParamValue, walkNode } from '../spec.ts';
import { isNullable } from '../variant.ts';
import type { FieldFacts, QueryPipeline, StoreSpec, StoreState } from './ir.ts';

/** What a pipeline reads, all rows together. */
export class PipelineFacts {
  private readonly columns: readonly (Interval | null)[];
  private readonly nullable: readonly { nullable: boolean }[];
  private readonly ascii: readonly boolean[];
  private readonly stores: readonly (StoreState | null)[];
  private readonly params: readonly ParamValue[];
  private readonly optional = new Set<number>();
  private readonly pipeline: QueryPipeline;

  /** `frames`: by column, the frames of all runs. */
  constructor(
    pipeline: QueryPipeline,
    frames: readonly (readonly FrameInfo[])[],
    stores: readonly (StoreState | null)[],
    params: readonly ParamValue[],
  ) {
    this.pipeline = pipeline;
    this.stores = stores;
    this.params = params;
    this.columns = frames.map((infos) => {
      let hull: Interval | null = null;
      for (const { kind, low, high } of infos) {
        if (kind !== 'integer') return null;
        if (hull === null) hull = { low, high };
        else if (low < hull.low || high > hull.high)
          hull = { low: low < hull.low ? low : hull.low, high: high > hull.high ? high : hull.high };
      }
      return hull;
    });
    this.nullable = frames.map((infos) => ({ nullable: infos.some(({ validity }) => validity !== 0) }));
    this.ascii = frames.map((infos) => infos.every(({ isAscii }) => isAscii !== false));
    for (const step of pipeline.steps)
      if (step.kind === 'probe' && step.join === 'left') this.optional.add(step.store);
  }

  interval(node: Node): Interval {
    return intervalOf(node, {
      columns: this.columns,
      params: this.params,
      field: (store, field) => this.stores[store]!.fields[field]!.bounds,
      term: (store, field) => this.stores[store]!.fields[field]!.term,
    });
  }

  isNullable(node: Node): boolean {
    return isNullable(
      node,
      this.nullable,
      (store, field) => this.optional.has(store) || this.stores[store]!.fields[field]!.nullable,
    );
  }

  isAscii(node: Node): boolean {
    let result = true;
    walkNode(node, (part) => {
      if (part.op === 'stringRef' && !this.ascii[part.column]!) result = false;
      if (part.op === 'field' && !this.stores[part.table]!.fields[part.field]!.isAscii) result = false;
      if (part.op === 'call') result = false;
    });
    return result;
  }

  /** Errors: NotCompilable where an intermediate value may leave its range, or bytes are not characters. */
  check(store: StoreSpec | null): void {
    const { source, steps, sink } = this.pipeline;
    const nodes: Node[] = [];
    if (source.kind === 'scan') nodes.push(...source.filters);
    for (const step of steps) {
      if (step.kind === 'probe') nodes.push(...step.keys);
      if (step.condition !== null) nodes.push(step.condition);
    }
    if (sink.kind === 'tuples') nodes.push(...sink.values);
    if (sink.kind === 'groups') {
      nodes.push(...sink.keys);
      for (const { arg, filter } of store!.accumulators) {
        if (arg !== null) nodes.push(arg);
        if (filter !== null) nodes.push(filter);
      }
    }
    for (const node of nodes) {
      this.interval(node);
      walkNode(node, (part) => {
        if (part.op === 'substring' && !this.isAscii(part.arg))
          throw new NotCompilable('a substring of more than ASCII');
      });
    }
  }

  /** Facts of a value that is stored. */
  of(node: Node): FieldFacts {
    const isInteger = node.type.kind !== 'string' && node.type.kind !== 'float';
    return {
      bounds: isInteger ? this.interval(node) : null,
      term: node.op === 'field' ? this.stores[node.table]!.fields[node.field]!.term : null,
      nullable: this.isNullable(node),
      isAscii: node.type.kind !== 'string' || this.isAscii(node),
    };
  }

  /** By field of a group store: the sum of so many rows needs 128 bits. */
  wideSums(store: StoreSpec, rows: number): boolean[] {
    return store.fields.map(({ accumulator }) => {
      if (accumulator < 0) return false;
      const { op, arg } = store.accumulators[accumulator]!;
      if (op !== 'sum' || arg === null || arg.type.kind === 'float') return false;
      return mayOverflowSum(this.interval(arg), rows);
    });
  }

  /** Facts of accumulators after `rows` rows. */
  accumulated(store: StoreSpec, rows: number): FieldFacts[] {
    const count = BigInt(Math.ceil(rows));
    return store.fields.flatMap(({ accumulator, countedBy }): FieldFacts[] => {
      if (accumulator < 0) return [];
      const { op, arg } = store.accumulators[accumulator]!;
      const base = { nullable: countedBy >= 0, isAscii: true };
      if (op === 'count') return [{ ...base, bounds: { low: 0n, high: count }, term: null }];
      if (arg!.type.kind === 'string')
        return [{ ...base, isAscii: this.isAscii(arg!), bounds: null, term: null }];
      if (arg!.type.kind === 'float') return [{ ...base, bounds: null, term: null }];
      const term = this.interval(arg!);
      if (op !== 'sum') return [{ ...base, bounds: term, term }];
      const low = term.low < 0n ? term.low * count : 0n;
      const high = term.high > 0n ? term.high * count : 0n;
      return [{ ...base, bounds: { low, high }, term }];
    });
  }
}

function hull(left: Interval | null, right: Interval | null): Interval | null {
  if (left === null || right === null) return left ?? right;
  return {
    low: left.low < right.low ? left.low : right.low,
    high: left.high > right.high ? left.high : right.high,
  };
}

/** Facts that hold for both. */
export function mergeFacts(left: FieldFacts, right: FieldFacts): FieldFacts {
  return {
    bounds: hull(left.bounds, right.bounds),
    term: hull(left.term, right.term),
    nullable: left.nullable || right.nullable,
    isAscii: left.isAscii && right.isAscii,
  };
}
