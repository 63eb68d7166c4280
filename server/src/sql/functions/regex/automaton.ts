/**
 * Nondeterministic automata from syntax trees, and their lazily built deterministic form.
 *
 * A deterministic state is a set of NFA states before following empty moves, plus the kind of the character just passed. Empty
 * moves are followed only when the next character's kind is known, so that anchors and word edges can be decided; acceptance is
 * likewise asked with the kind of the character to come. Each automaton runs forwards or (built from the mirrored tree) backwards.
 *
 * Lookaround is decided by asking the caller at each position; such automata are simulated without caching.
 */
import { DbError } from '../../../base/error.ts';
import { spend as charge } from '../../../base/work.ts';
import { type CharSet, includes, MAX_CODE_POINT, namedClass } from './charset.ts';
import { type Assertion, INFINITE, type Node } from './parse.ts';

/** Kinds of neighbours: outside of the text, newline, word character, anything else. */
const OUTSIDE = 0;
const NEWLINE = 1;
const WORD = 2;
const OTHER = 3;

const MAX_NFA_STATES = 60_000;
const MAX_DFA_STATES = 2_000;

/** States visited and characters passed that one search may cost: a second or two, whatever the expression. */
const WORK_MAX = 100_000_000;
let work = 0;

/** Begins the account of a search. */
export function beginWork(): void {
  work = 0;
}

/** Units of base/work.ts for a state visited. */
const STATE_UNITS = 3;
/** Characters between two charges, a power of two, and what each costs. */
const CHARACTER_BLOCK = 256;
const CHARACTER_UNITS = 2;

function spend(amount: number): void {
  charge(amount * STATE_UNITS);
  work += amount;
  if (work <= WORK_MAX) return;
  throw new DbError('program_limit_exceeded', 'regular expression failed: too many steps', {
    hint: 'The expression is too complex for a text of this length; simplify it.',
  });
}

interface NfaState {
  /** Index of a character set, -1 for none. */
  set: number;
  target: number;
  readonly empty: number[];
  assertion: Assertion | null;
  /** Index of a lookaround, -1 for none. */
  look: number;
}

export interface LookAround {
  readonly child: Node;
  readonly isAhead: boolean;
  readonly isNegative: boolean;
}

interface DfaState {
  readonly kernel: Int32Array;
  readonly before: number;
  /** Next state by character class; undefined = not computed, null = dead. */
  readonly next: (DfaState | null | undefined)[];
  /** Acceptance by kind of the next character: bit k set = known, bit k + 4 set = accepts. */
  accepts: number;
}

function holds(assertion: Assertion, before: number, after: number): boolean {
  switch (assertion) {
    case 'text-start':
      return before === OUTSIDE;
    case 'text-end':
      return after === OUTSIDE;
    case 'line-start':
      return before === OUTSIDE || before === NEWLINE;
    case 'line-end':
      return after === OUTSIDE || after === NEWLINE;
    case 'word-start':
      return before !== WORD && after === WORD;
    case 'word-end':
      return before === WORD && after !== WORD;
    case 'word-edge':
      return (before === WORD) !== (after === WORD);
    case 'no-word-edge':
      return (before === WORD) === (after === WORD);
  }
}

/** Character classes: code points that no set of the expression tells apart. */
class Alphabet {
  readonly kinds: number[] = [];
  readonly representatives: number[] = [];
  private readonly low = new Int16Array(256).fill(-1);
  private readonly starts: number[] = [];
  private readonly classes: number[] = [];

  constructor(sets: readonly CharSet[]) {
    const cuts = new Set<number>([0, 10, 11]);
    const word = namedClass('word')!;
    for (const set of [...sets, word]) {
      for (const [from, to] of set) {
        cuts.add(from);
        cuts.add(to + 1);
      }
    }
    const sorted = [...cuts].filter((cut) => cut <= MAX_CODE_POINT).sort((left, right) => left - right);
    const bySignature = new Map<string, number>();
    for (const start of sorted) {
      let signature = start === 10 ? 'n' : includes(word, start) ? 'w' : 'o';
      for (const set of sets) signature += includes(set, start) ? '1' : '0';
      let id = bySignature.get(signature);
      if (id === undefined) {
        id = this.kinds.length;
        bySignature.set(signature, id);
        this.kinds.push(start === 10 ? NEWLINE : signature[0] === 'w' ? WORD : OTHER);
        this.representatives.push(start);
      }
      this.starts.push(start);
      this.classes.push(id);
    }
    for (let code = 0; code < 256; code++) this.low[code] = this.search(code);
  }

  classOf(code: number): number {
    return code < 256 ? this.low[code]! : this.search(code);
  }

  private search(code: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= code) low = middle + 1;
      else high = middle;
    }
    return this.classes[low - 1]!;
  }
}

/** Answers whether a lookaround holds at a position of the current text. */
export type LookOracle = (look: LookAround, position: number) => boolean;

export class Automaton {
  private readonly states: NfaState[] = [];
  private readonly sets: CharSet[] = [];
  private readonly setIndex = new Map<CharSet, number>();
  private readonly looks: LookAround[] = [];
  private readonly alphabet: Alphabet;
  private readonly start: number;
  private readonly accept: number;
  private readonly isReverse: boolean;
  /** True: matches may begin anywhere (an implicit .*? in front). */
  private readonly isFloating: boolean;
  private readonly cache = new Map<string, DfaState>();
  private readonly memberships: Uint8Array[] = [];
  private readonly groupBodies: ReadonlyMap<number, Node>;
  private mark: Int32Array;
  private generation = 0;

  /** `groupBodies` approximates a back-reference by what its group can match. */
  constructor(root: Node, isReverse: boolean, isFloating: boolean, groupBodies: ReadonlyMap<number, Node>) {
    this.isReverse = isReverse;
    this.isFloating = isFloating;
    this.groupBodies = groupBodies;
    this.accept = this.add();
    this.start = this.build(root, this.accept);
    this.alphabet = new Alphabet(this.sets);
    for (const set of this.sets) {
      this.memberships.push(
        Uint8Array.from(this.alphabet.representatives, (code) => (includes(set, code) ? 1 : 0)),
      );
    }
    this.mark = new Int32Array(this.states.length);
  }

  get hasLook(): boolean {
    return this.looks.length > 0;
  }

  private add(): number {
    if (this.states.length >= MAX_NFA_STATES) {
      throw new DbError(
        'invalid_regular_expression',
        'invalid regular expression: regular expression is too complex',
      );
    }
    if ((this.states.length & (CHARACTER_BLOCK - 1)) === 0) charge(CHARACTER_BLOCK * 20);
    this.states.push({ set: -1, target: -1, empty: [], assertion: null, look: -1 });
    return this.states.length - 1;
  }

  /** Builds `node` in front of state `next`; returns its entry. */
  private build(node: Node, next: number): number {
    switch (node.type) {
      case 'empty':
        return next;
      case 'set': {
        const state = this.add();
        let index = this.setIndex.get(node.set);
        if (index === undefined) {
          index = this.sets.length;
          this.sets.push(node.set);
          this.setIndex.set(node.set, index);
        }
        this.states[state]!.set = index;
        this.states[state]!.target = next;
        return state;
      }
      case 'concat': {
        let entry = next;
        const parts = this.isReverse ? node.parts : [...node.parts].reverse();
        for (const part of parts) entry = this.build(part, entry);
        return entry;
      }
      case 'alternate': {
        const state = this.add();
        for (const part of node.parts) this.states[state]!.empty.push(this.build(part, next));
        return state;
      }
      case 'group':
        return this.build(node.child, next);
      case 'backref': {
        const body = this.groupBodies.get(node.index);
        return body === undefined ? next : this.build(withoutBackrefs(body), next);
      }
      case 'repeat':
        return this.buildRepeat(node.child, node.min, node.max, next);
      case 'assert': {
        const state = this.add();
        this.states[state]!.assertion = node.assertion;
        this.states[state]!.empty.push(next);
        return state;
      }
      case 'look': {
        const state = this.add();
        this.looks.push(node);
        this.states[state]!.look = this.looks.length - 1;
        this.states[state]!.empty.push(next);
        return state;
      }
    }
  }

  private buildRepeat(child: Node, min: number, max: number, next: number): number {
    let entry = next;
    if (max === INFINITE) {
      const loop = this.add();
      this.states[loop]!.empty.push(this.build(child, loop), next);
      entry = loop;
    } else {
      for (let optional = max - min; optional > 0; optional--) {
        const state = this.add();
        this.states[state]!.empty.push(this.build(child, entry), next);
        entry = state;
      }
    }
    for (let required = min; required > 0; required--) entry = this.build(child, entry);
    return entry;
  }

  /** Follows empty moves from `kernel` between characters of the given kinds (in text order). */
  private closure(
    kernel: Int32Array,
    before: number,
    after: number,
    look: ((index: number) => boolean) | null,
  ): number[] {
    const generation = ++this.generation;
    const { mark, states } = this;
    const stack: number[] = [];
    const result: number[] = [];
    for (const state of kernel) {
      if (mark[state] !== generation) {
        mark[state] = generation;
        stack.push(state);
      }
    }
    while (stack.length > 0) {
      const index = stack.pop()!;
      const state = states[index]!;
      result.push(index);
      if (state.assertion !== null && !holds(state.assertion, before, after)) continue;
      if (state.look >= 0 && (look === null || !look(state.look))) continue;
      for (const target of state.empty) {
        if (mark[target] !== generation) {
          mark[target] = generation;
          stack.push(target);
        }
      }
    }
    spend(result.length);
    return result;
  }

  private stateFor(kernel: Int32Array, before: number): DfaState {
    const key = `${before}:${kernel.join()}`;
    let state = this.cache.get(key);
    if (state === undefined) {
      if (this.cache.size >= MAX_DFA_STATES) this.cache.clear();
      state = { kernel, before, next: [], accepts: 0 };
      this.cache.set(key, state);
    }
    return state;
  }

  /** In a backward run the passed character stands after the position, the coming one before it. */
  private closureAt(
    kernel: Int32Array,
    passed: number,
    coming: number,
    look: ((index: number) => boolean) | null,
  ): number[] {
    return this.isReverse
      ? this.closure(kernel, coming, passed, look)
      : this.closure(kernel, passed, coming, look);
  }

  private move(closed: readonly number[], characterClass: number): Int32Array {
    const targets = new Set<number>();
    for (const index of closed) {
      const { set, target } = this.states[index]!;
      if (set >= 0 && this.memberships[set]![characterClass] === 1) targets.add(target);
    }
    if (this.isFloating) targets.add(this.start);
    return Int32Array.from(targets).sort();
  }

  private isAccepting(state: DfaState, coming: number): boolean {
    const known = 1 << coming;
    if ((state.accepts & known) === 0) {
      const closed = this.closureAt(state.kernel, state.before, coming, null);
      state.accepts |= known | (closed.includes(this.accept) ? known << 4 : 0);
    }
    return (state.accepts & (known << 4)) !== 0;
  }

  private kindAt(text: string, position: number): number {
    if (position < 0 || position >= text.length) return OUTSIDE;
    return this.alphabet.kinds[this.alphabet.classOf(codeAt(text, position))]!;
  }

  /** Kind of the character that ends just before `position`. */
  private kindBefore(text: string, position: number): number {
    if (position <= 0) return OUTSIDE;
    return this.kindAt(text, previousIndex(text, position));
  }

  /**
   * Runs over the text from `from` towards `to` (larger for a forward automaton, smaller for a backward one) and calls `found` at
   * every position where the automaton accepts; `found` returns true to stop. Characters outside of [0, length) do not exist;
   * text beyond `to` is still looked at by anchors.
   */
  run(
    text: string,
    from: number,
    to: number,
    found: (position: number) => boolean,
    oracle: LookOracle | null,
  ): void {
    if (this.looks.length > 0) this.simulate(text, from, to, found, oracle);
    else if (this.isReverse) this.runBackward(text, from, to, found);
    else this.runForward(text, from, to, found);
  }

  private runForward(text: string, from: number, to: number, found: (position: number) => boolean): void {
    const { alphabet } = this;
    let state = this.stateFor(Int32Array.of(this.start), this.kindBefore(text, from));
    let position = from;
    let passed = 0;
    for (;;) {
      if ((++passed & (CHARACTER_BLOCK - 1)) === 0) charge(CHARACTER_BLOCK * CHARACTER_UNITS);
      let code = -1;
      let characterClass = -1;
      let coming = OUTSIDE;
      if (position < text.length) {
        code = codeAt(text, position);
        characterClass = alphabet.classOf(code);
        coming = alphabet.kinds[characterClass]!;
      }
      if (this.isAccepting(state, coming) && found(position)) return;
      if (position >= to || characterClass < 0) return;
      let next = state.next[characterClass];
      if (next === undefined) next = this.step(state, characterClass, coming);
      if (next === null) return;
      state = next;
      position += code > 0xffff ? 2 : 1;
    }
  }

  private runBackward(text: string, from: number, to: number, found: (position: number) => boolean): void {
    const { alphabet } = this;
    let state = this.stateFor(Int32Array.of(this.start), this.kindAt(text, from));
    let position = from;
    let passed = 0;
    for (;;) {
      if ((++passed & (CHARACTER_BLOCK - 1)) === 0) charge(CHARACTER_BLOCK * CHARACTER_UNITS);
      let characterClass = -1;
      let coming = OUTSIDE;
      let previous = position;
      if (position > 0) {
        previous = previousIndex(text, position);
        characterClass = alphabet.classOf(codeAt(text, previous));
        coming = alphabet.kinds[characterClass]!;
      }
      if (this.isAccepting(state, coming) && found(position)) return;
      if (position <= to || characterClass < 0) return;
      let next = state.next[characterClass];
      if (next === undefined) next = this.step(state, characterClass, coming);
      if (next === null) return;
      state = next;
      position = previous;
    }
  }

  private step(state: DfaState, characterClass: number, coming: number): DfaState | null {
    const closed = this.closureAt(state.kernel, state.before, coming, null);
    const kernel = this.move(closed, characterClass);
    const next = kernel.length === 0 ? null : this.stateFor(kernel, coming);
    state.next[characterClass] = next;
    return next;
  }

  /** Set simulation without caching, for automata whose moves depend on lookaround. */
  private simulate(
    text: string,
    from: number,
    to: number,
    found: (position: number) => boolean,
    oracle: LookOracle | null,
  ): void {
    const { alphabet, isReverse } = this;
    let kernel: Int32Array = Int32Array.of(this.start);
    let position = from;
    let passed = isReverse ? this.kindAt(text, from) : this.kindBefore(text, from);
    for (;;) {
      const at = isReverse
        ? position > 0
          ? previousIndex(text, position)
          : -1
        : position < text.length
          ? position
          : -1;
      const code = at < 0 ? -1 : codeAt(text, at);
      const characterClass = at < 0 ? -1 : alphabet.classOf(code);
      const coming = at < 0 ? OUTSIDE : alphabet.kinds[characterClass]!;
      const here = position;
      const closed = this.closureAt(
        kernel,
        passed,
        coming,
        (index) => oracle?.(this.looks[index]!, here) ?? false,
      );
      if (closed.includes(this.accept) && found(position)) return;
      if (at < 0 || (isReverse ? position <= to : position >= to)) return;
      kernel = this.move(closed, characterClass);
      if (kernel.length === 0) return;
      passed = coming;
      position = isReverse ? at : position + (code > 0xffff ? 2 : 1);
    }
  }
}

function withoutBackrefs(node: Node): Node {
  switch (node.type) {
    case 'backref':
      return { type: 'empty' };
    case 'group':
      return withoutBackrefs(node.child);
    case 'repeat':
      return { ...node, child: withoutBackrefs(node.child) };
    case 'concat':
    case 'alternate':
      return { ...node, parts: node.parts.map(withoutBackrefs) };
    default:
      return node;
  }
}

export function codeAt(text: string, position: number): number {
  const unit = text.charCodeAt(position);
  if (unit < 0xd800 || unit > 0xdbff || position + 1 >= text.length) return unit;
  const low = text.charCodeAt(position + 1);
  return low >= 0xdc00 && low <= 0xdfff ? (unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000 : unit;
}

export function previousIndex(text: string, position: number): number {
  const unit = text.charCodeAt(position - 1);
  if (unit < 0xdc00 || unit > 0xdfff || position < 2) return position - 1;
  const high = text.charCodeAt(position - 2);
  return high >= 0xd800 && high <= 0xdbff ? position - 2 : position - 1;
}
