/**
 * A budget for work that cannot be left in the middle: matching a regular expression, parsing a great document.
 *
 * Code whose cost grows with its input calls {@link spend}. Where the budget is limited (the event loop's thread, around an
 * expression that can be computed elsewhere) and used up, {@link TooMuchWork} is thrown: the caller starts the work anew on
 * another thread. Nothing is limited by default. A unit is about 10 ns; a character that is only copied costs a quarter.
 */
export class TooMuchWork {
  static readonly instance = new TooMuchWork();
  private constructor() {}
}

/** In a typed array: a number in a variable of the module would be boxed anew at each step. */
const left = new Float64Array([Number.POSITIVE_INFINITY]);

export function spend(units: number): void {
  left[0]! -= units;
  if (left[0]! < 0) throw TooMuchWork.instance;
}

/** Limits the work until {@link restoreWork} is called with the answer. */
export function limitWork(units: number): number {
  const outer = left[0]!;
  if (units < outer) left[0] = units;
  return outer;
}

export function restoreWork(outer: number): void {
  left[0] = outer;
}

/** True where a budget is in force. */
export function isWorkLimited(): boolean {
  return left[0] !== Number.POSITIVE_INFINITY;
}
