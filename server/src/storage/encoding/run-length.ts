/** Run length: the end position of every run and its value, as two child nodes. */

import { check } from '../corruption.ts';
import type { IntegerTarget } from './bitpack.ts';
import {
  type Candidates,
  ENCODING,
  FAMILY,
  IntegerNode,
  type IntegerTest,
  NODE_HEADER_BYTES,
  type NodePlan,
  type PreparedFilter,
} from './node.ts';

export class RunLengthNode extends IntegerNode {
  readonly encoding = 'run-length';
  readonly isSafe: boolean;
  private readonly ends: Uint32Array;
  private readonly values: IntegerNode;
  private readonly valueWords: Int32Array;

  constructor(count: number, ends: IntegerNode, values: IntegerNode) {
    super(count);
    check(ends.count === values.count, `${ends.count} run ends for ${values.count} runs`);
    this.values = values;
    this.isSafe = values.isSafe;
    // Runs are few by choice: holding them decoded makes every access a binary search.
    this.ends = new Uint32Array(ends.count);
    ends.decode32(0, ends.count, this.ends, 0);
    let previous = 0;
    for (let run = 0; run < this.ends.length; run++) {
      const end = this.ends[run]!;
      // The message is built only when it is needed: columns are opened often.
      if (end <= previous) check(false, `run end ${end} after ${previous}`);
      previous = end;
    }
    check(previous === count, `runs end at ${previous} of ${count}`);
    this.valueWords = new Int32Array(values.count * 2);
    values.decode64(0, values.count, this.valueWords, 0);
  }

  private runOf(index: number): number {
    let low = 0;
    let high = this.ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle]! > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  decode32(start: number, end: number, target: IntegerTarget, to: number): void {
    for (let run = this.runOf(start), index = start; index < end; run++) {
      const until = Math.min(end, this.ends[run]!);
      target.fill(this.valueWords[2 * run]!, to, to + until - index);
      to += until - index;
      index = until;
    }
  }

  decode64(start: number, end: number, target: Int32Array, to: number): void {
    for (let run = this.runOf(start), index = start; index < end; run++) {
      const until = Math.min(end, this.ends[run]!);
      const low = this.valueWords[2 * run]!;
      const high = this.valueWords[2 * run + 1]!;
      for (; index < until; index++, to++) {
        target[2 * to] = low;
        target[2 * to + 1] = high;
      }
    }
  }

  decodeNumbers(start: number, end: number, target: Float64Array, to: number): void {
    for (let run = this.runOf(start), index = start; index < end; run++) {
      const until = Math.min(end, this.ends[run]!);
      target.fill(this.values.numberAt(run), to, to + until - index);
      to += until - index;
      index = until;
    }
  }

  numberAt(index: number): number {
    return this.values.numberAt(this.runOf(index));
  }

  bigintAt(index: number): bigint {
    return this.values.bigintAt(this.runOf(index));
  }

  prepare(test: IntegerTest): PreparedFilter {
    // One test per run, then whole runs pass or fail.
    const passes = this.passingRuns(test);
    return (candidates, selection) => this.keepRuns(passes, candidates, selection);
  }

  private passingRuns(test: IntegerTest): Uint8Array {
    const runs = new Uint16Array(this.ends.length);
    const passing = this.values.prepare(test)({ start: 0, end: this.ends.length, count: -1 }, runs);
    const passes = new Uint8Array(this.ends.length);
    for (let index = 0; index < passing; index++) passes[runs[index]!] = 1;
    return passes;
  }

  private keepRuns(passes: Uint8Array, candidates: Candidates, selection: Uint16Array): number {
    let found = 0;
    if (candidates.count < 0) {
      if (candidates.start >= candidates.end) return 0;
      for (let run = this.runOf(candidates.start), row = candidates.start; row < candidates.end; run++) {
        const until = Math.min(candidates.end, this.ends[run]!);
        if (passes[run] === 1) for (; row < until; row++) selection[found++] = row;
        row = until;
      }
      return found;
    }
    for (let index = 0; index < candidates.count; index++) {
      const row = selection[index]!;
      selection[found] = row;
      found += passes[this.runOf(row)]!;
    }
    return found;
  }

  validate(): void {
    this.values.validate();
  }
}

export function planRunLength(count: number, ends: NodePlan, values: NodePlan, runs: number): NodePlan {
  return {
    encoding: 'run-length',
    size: NODE_HEADER_BYTES + ends.size + values.size,
    write: (out) => {
      const node = out.beginNode(ENCODING.runLength, FAMILY.integer, count, { aux: runs });
      ends.write(out);
      values.write(out);
      out.endNode(node);
    },
  };
}
