/**
 * Sequences: not transactional. The log runs 32 values ahead, so that most calls write nothing and a crash skips at most
 * 32 values and never repeats one.
 */
import { DbError } from '../base/error.ts';
import type { SequenceHandle, SequenceState } from './contract.ts';

/** Values logged ahead of the last one given out, as in PostgreSQL. */
export const SEQUENCE_LOG_AHEAD = 32n;

/** See the module comment. `log` writes the state that recovery shall find. */
export class Sequence implements SequenceHandle {
  state: SequenceState;
  readonly name: string;
  private readonly log: (oid: number, state: SequenceState) => void;
  readonly oid: number;
  /** Values that may be given out before the log must be written again. */
  private logged = 0n;
  /** False until the creating transaction committed: its commit writes the final state. */
  isPublished = false;

  constructor(
    oid: number,
    name: string,
    state: SequenceState,
    log: (oid: number, state: SequenceState) => void,
  ) {
    this.oid = oid;
    this.name = name;
    this.state = { ...state };
    this.log = log;
  }

  nextValue(): bigint {
    const { state } = this;
    if (!state.isCalled) {
      state.isCalled = true;
      this.note(true);
      return state.lastValue;
    }
    const next = state.lastValue + state.increment;
    if (state.increment > 0n ? next > state.maximum : next < state.minimum) {
      if (!state.cycle) {
        const kind = state.increment > 0n ? 'maximum' : 'minimum';
        const bound = state.increment > 0n ? state.maximum : state.minimum;
        throw new DbError(
          'sequence_generator_limit_exceeded',
          `nextval: reached ${kind} value of sequence "${this.name}" (${bound})`,
        );
      }
      state.lastValue = state.increment > 0n ? state.minimum : state.maximum;
      this.logged = 0n;
    } else {
      state.lastValue = next;
    }
    this.note(true);
    return state.lastValue;
  }

  setValue(value: bigint, isCalled: boolean): void {
    const { state } = this;
    if (value < state.minimum || value > state.maximum) {
      throw new DbError(
        'numeric_value_out_of_range',
        `setval: value ${value} is out of bounds for sequence "${this.name}" (${state.minimum}..${state.maximum})`,
      );
    }
    state.lastValue = value;
    state.isCalled = isCalled;
    this.logged = 0n;
    this.note(false);
  }

  /** New definition; the log gets it with the transaction or by `note`. */
  replace(state: SequenceState): void {
    this.state = { ...state };
    this.logged = 0n;
  }

  /** The state a checkpoint writes: what the log was told, ahead of what was given out. */
  durableState(): SequenceState {
    const { state } = this;
    if (this.logged <= 0n) return { ...state };
    return { ...state, lastValue: this.ahead(this.logged) };
  }

  private ahead(count: bigint): bigint {
    const { state } = this;
    const value = state.lastValue + state.increment * count;
    if (state.increment > 0n) return value > state.maximum ? state.maximum : value;
    return value < state.minimum ? state.minimum : value;
  }

  private note(isNext: boolean): void {
    if (isNext && this.logged > 0n) {
      this.logged--;
      return;
    }
    this.logged = isNext ? SEQUENCE_LOG_AHEAD : 0n;
    if (this.isPublished) this.log(this.oid, { ...this.durableState() });
  }
}
