/** Helper to describe aggregates with typed states. */
import type { Datum } from '../../types/datum.ts';
import type {
  AggregateFunction,
  AggregateState,
  BoundAggregate,
  CallSite,
  FunctionContext,
} from './contract.ts';

/** Typed description of an aggregate; the state type stays inside. */
interface Parts<State extends AggregateState> {
  strict?: boolean;
  createState(): State;
  step(state: State, ...args: never[]): void;
  merge?(target: State, source: State): void;
  final(state: State, ...direct: never[]): Datum;
  inverse?(state: State, ...args: never[]): boolean;
}

/** Makes a plain aggregate from its typed parts. */
export function plainAggregate<State extends AggregateState>(
  make: (context: FunctionContext, site: CallSite) => Parts<State>,
  kind: 'n' | 'o' | 'h' = 'n',
): AggregateFunction {
  return {
    kind,
    make: (context, site) => {
      const parts = make(context, site);
      return { strict: true, ...parts } as unknown as BoundAggregate;
    },
  };
}
