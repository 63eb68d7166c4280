/** Measures operators for EXPLAIN ANALYZE. Only asked-for executions are wrapped; others pay nothing. */
import { isSuspension } from '../base/suspend.ts';
import type { PlanNode } from '../planner/physical.ts';
import type { Operator } from './row/operators/operator.ts';

/** What one node did; the planner's EXPLAIN prints it. Times in microseconds, summed over all loops. */
export interface NodeRecord {
  loops: number;
  rows: number;
  startupMicros: number;
  totalMicros: number;
  /** Rows a filter or join condition refused. */
  removed: number;
  /** Further facts in the order to print. */
  extra?: readonly (readonly [label: string, value: string | number])[];
}

export interface Instrumentation {
  /** By PlanNode.id. */
  readonly nodes: Map<number, NodeRecord>;
}

/** What an operator may tell about its execution. */
interface Facts {
  removed?: number;
  /** Lines for EXPLAIN ANALYZE; asked after every call. */
  facts?(): readonly (readonly [string, string | number])[];
}

export class InstrumentedOperator implements Operator {
  private readonly inner: Operator & Facts;
  private readonly record: NodeRecord;
  private readonly now: () => number;
  private loopStart = 0;
  /** The last call was left by a suspension: the time until the next one counts too, it waited for this node. */
  private isWaiting = false;
  private hasRow = false;
  private running = false;

  constructor(
    inner: InstrumentedOperator['inner'],
    node: PlanNode,
    instrumentation: Instrumentation,
    now: () => number,
  ) {
    this.inner = inner;
    this.now = now;
    const known = instrumentation.nodes.get(node.id);
    this.record = known ?? { loops: 0, rows: 0, startupMicros: 0, totalMicros: 0, removed: 0 };
    instrumentation.nodes.set(node.id, this.record);
  }

  open(): void {
    this.begin();
    this.inner.open();
  }

  rescan(): void {
    this.begin();
    this.inner.rescan();
  }

  private begin(): void {
    this.running = false;
    this.isWaiting = false;
    this.hasRow = false;
  }

  next(): boolean {
    if (!this.running) {
      this.running = true;
      this.record.loops++;
    }
    if (!this.isWaiting) this.loopStart = this.now();
    this.isWaiting = false;
    try {
      const found = this.inner.next();
      if (found) this.record.rows++;
      return found;
    } catch (thrown) {
      this.isWaiting = isSuspension(thrown);
      throw thrown;
    } finally {
      if (!this.isWaiting) this.measure();
    }
  }

  private measure(): void {
    const spent = this.now() - this.loopStart;
    this.record.totalMicros += spent;
    if (!this.hasRow) {
      this.record.startupMicros += spent;
      this.hasRow = true;
    }
    this.record.removed = this.inner.removed ?? 0;
    const facts = this.inner.facts?.();
    if (facts !== undefined) this.record.extra = facts;
  }

  close(): void {
    this.inner.close();
  }
}
