/**
 * Regular expressions in PostgreSQL's syntax on automata: the leftmost match, the longest or shortest by the expression's
 * preference, and sub-matches assigned from left to right by each part's own preference (PostgreSQL 15 manual 9.7.3.5).
 *
 * 1. Whether there is a match: one forward run, stopping at the first accepting position.
 * 2. Where the leftmost match starts: one backward run over the text marks all starts (kept for repeated searches).
 * 3. Where it ends: a forward run from the start collects the ends.
 * 4. Sub-matches: the tree is walked with the match's bounds; each part of a concatenation takes the longest (shortest) piece
 *    that lets the rest match, which two runs over the piece decide.
 *
 * All runs are linear. With back-references step 4 may fail and is retried with other bounds, under a budget of steps.
 */
import { DbError } from '../../../base/error.ts';
import { Automaton, beginWork, type LookAround, type LookOracle } from './automaton.ts';
import {
  DEFAULT_FLAGS,
  INFINITE,
  type Node,
  type ParsedRegex,
  parseRegex,
  preferenceOf,
  type RegexFlags,
} from './parse.ts';

import { Sequence } from './sequence.ts';

export { applyOption, DEFAULT_FLAGS, type RegexFlags, regexError } from './parse.ts';

/** Bounds of the match and its groups in UTF-16 units; -1 = the group took no part. Index 0 is the whole match. */
export interface RegexMatch {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const STEP_BUDGET = 5_000_000;
const MAX_CACHED = 200;

export class Regex {
  readonly groupCount: number;
  private readonly parsed: ParsedRegex;
  private readonly automata = new Map<Node, { forward?: Automaton; backward?: Automaton }>();
  private floating: Automaton | null = null;
  private starter: Automaton | null = null;
  private readonly groupBodies = new Map<number, Node>();
  private readonly lookAutomata = new Map<Node, Automaton>();
  /** Plain text when the expression is only that, with its anchors. */
  private readonly plain: { text: string; isStart: boolean; isEnd: boolean } | null;
  private readonly sequence: Sequence | null;
  private readonly looks = new Map<Node, Uint8Array>();
  private looksText: string | null = null;
  private startsText: string | null = null;
  private startFlags: Uint8Array = new Uint8Array(0);
  private steps = 0;
  private readonly remainders = new Map<Node, Map<string, Node>>();

  constructor(pattern: string, flags: RegexFlags = DEFAULT_FLAGS) {
    this.parsed = parseRegex(pattern, flags);
    this.groupCount = this.parsed.groupCount;
    collectGroups(this.parsed.root, this.groupBodies);
    this.plain = plainText(this.parsed.root);
    this.sequence = this.parsed.hasBackref ? null : Sequence.of(this.parsed.root, this.groupCount);
    // Building reports expressions that are too complex at once.
    if (this.plain === null) this.floating = new Automaton(this.parsed.root, false, true, this.groupBodies);
  }

  /** True when the expression matches somewhere in the text. */
  test(text: string): boolean {
    const { plain } = this;
    if (plain !== null) {
      if (plain.isStart && plain.isEnd) return text === plain.text;
      if (plain.isStart) return text.startsWith(plain.text);
      return plain.isEnd ? text.endsWith(plain.text) : text.includes(plain.text);
    }
    if (this.parsed.hasBackref || this.sequence !== null) return this.search(text, 0) !== null;
    let isFound = false;
    beginWork();
    this.floating!.run(
      text,
      0,
      text.length,
      () => {
        isFound = true;
        return true;
      },
      this.oracle(text),
    );
    return isFound;
  }

  /** The leftmost match that starts at `from` or later. */
  search(text: string, from: number): RegexMatch | null {
    if (this.plain !== null && this.groupCount === 0) return this.searchPlain(text, from);
    if (this.sequence !== null) {
      if (from > 0) return null;
      const match = this.sequence.match(text);
      if (match !== undefined) return match;
    }
    this.steps = 0;
    beginWork();
    this.markStarts(text);
    const { root } = this.parsed;
    const prefersShort = preferenceOf(root) === 'short';
    const forward = this.automaton(root, false);
    for (let start = from; start <= text.length; start++) {
      if (this.startFlags[start] !== 1) continue;
      const ends: number[] = [];
      forward.run(
        text,
        start,
        text.length,
        (position) => {
          ends.push(position);
          return prefersShort && !this.parsed.hasBackref;
        },
        this.oracle(text),
      );
      if (!prefersShort) ends.reverse();
      for (const end of ends) {
        const captures = new Captures(this.groupCount);
        if (this.groupCount === 0 || this.dissect(root, text, start, end, captures)) {
          captures.set(0, start, end);
          return captures;
        }
      }
    }
    return null;
  }

  private searchPlain(text: string, from: number): RegexMatch | null {
    const { text: wanted, isStart, isEnd } = this.plain!;
    let at: number;
    if (isStart) at = from === 0 && text.startsWith(wanted) ? 0 : -1;
    else if (isEnd) at = text.endsWith(wanted) ? text.length - wanted.length : -1;
    else at = text.indexOf(wanted, from);
    if (at < from || (isEnd && at + wanted.length !== text.length)) return null;
    return { starts: [at], ends: [at + wanted.length] };
  }

  private markStarts(text: string): void {
    if (this.startsText === text) return;
    this.starter ??= new Automaton(this.parsed.root, true, true, this.groupBodies);
    const flags = new Uint8Array(text.length + 1);
    this.starter.run(
      text,
      text.length,
      0,
      (position) => {
        flags[position] = 1;
        return false;
      },
      this.oracle(text),
    );
    this.startFlags = flags;
    this.startsText = text;
  }

  private automaton(node: Node, isReverse: boolean): Automaton {
    let pair = this.automata.get(node);
    if (pair === undefined) {
      pair = {};
      this.automata.set(node, pair);
    }
    if (isReverse) return (pair.backward ??= new Automaton(node, true, false, this.groupBodies));
    return (pair.forward ??= new Automaton(node, false, false, this.groupBodies));
  }

  private oracle(text: string): LookOracle | null {
    if (!this.parsed.hasLook) return null;
    return (look, position) => (this.lookFlags(look, text)[position] === 1) !== look.isNegative;
  }

  /** For each position whether the lookaround's body matches from there (ahead) or up to there (behind): one run over the text. */
  private lookFlags(look: LookAround, text: string): Uint8Array {
    if (this.looksText !== text) {
      this.looksText = text;
      this.looks.clear();
    }
    let flags = this.looks.get(look.child);
    if (flags !== undefined) return flags;
    let automaton = this.lookAutomata.get(look.child);
    if (automaton === undefined) {
      automaton = new Automaton(look.child, look.isAhead, true, this.groupBodies);
      this.lookAutomata.set(look.child, automaton);
    }
    const marks = new Uint8Array(text.length + 1);
    automaton.run(
      text,
      look.isAhead ? text.length : 0,
      look.isAhead ? 0 : text.length,
      (position) => {
        marks[position] = 1;
        return false;
      },
      this.oracle(text),
    );
    flags = marks;
    this.looks.set(look.child, flags);
    return flags;
  }

  private spend(): void {
    if (++this.steps > STEP_BUDGET) {
      throw new DbError('program_limit_exceeded', 'regular expression failed: too many steps', {
        hint: 'Back-references can need exponential time; simplify the expression.',
      });
    }
  }

  /** Positions in [start, end] where a forward run of `node` from `start` accepts, ascending. */
  private ends(node: Node, text: string, start: number, end: number): number[] {
    const result: number[] = [];
    this.automaton(node, false).run(
      text,
      start,
      end,
      (position) => {
        result.push(position);
        return false;
      },
      this.oracle(text),
    );
    return result;
  }

  /** Positions from which `node` matches up to exactly `end`. */
  private startsOf(node: Node, text: string, start: number, end: number): Set<number> {
    const result = new Set<number>();
    this.automaton(node, true).run(
      text,
      end,
      start,
      (position) => {
        result.add(position);
        return false;
      },
      this.oracle(text),
    );
    return result;
  }

  private matchesExactly(node: Node, text: string, start: number, end: number): boolean {
    let isFound = false;
    this.automaton(node, false).run(
      text,
      start,
      end,
      (position) => {
        isFound ||= position === end;
        return isFound;
      },
      this.oracle(text),
    );
    return isFound;
  }

  /** Assigns groups inside `node` over [start, end]; false when (because of back-references) it cannot match there. */
  private dissect(node: Node, text: string, start: number, end: number, captures: Captures): boolean {
    this.spend();
    if (!needsDissection(node)) return true;
    switch (node.type) {
      case 'group': {
        if (!this.dissect(node.child, text, start, end, captures)) return false;
        captures.set(node.index, start, end);
        return true;
      }
      case 'backref': {
        const from = captures.starts[node.index]!;
        if (from < 0) return false;
        const wanted = text.slice(from, captures.ends[node.index]!);
        const given = text.slice(start, end);
        return this.parsed.flags.ignoreCase ? wanted.toLowerCase() === given.toLowerCase() : wanted === given;
      }
      case 'alternate':
        for (const part of node.parts) {
          if (!this.matchesExactly(part, text, start, end)) continue;
          const saved = captures.copy();
          if (this.dissect(part, text, start, end, captures)) return true;
          captures.restore(saved);
        }
        return false;
      case 'concat':
        return this.dissectPair(node.parts[0]!, this.remainder(node), text, start, end, captures);
      case 'repeat':
        return this.dissectRepeat(node, text, start, end, captures);
      default:
        return true;
    }
  }

  /** The parts of a concatenation after the first, as a node of its own. */
  private remainder(node: Node & { type: 'concat' }): Node {
    return this.derived(node, 'rest', () => {
      const rest = node.parts.slice(1);
      return rest.length === 1 ? rest[0]! : { type: 'concat', parts: rest };
    });
  }

  private derived(node: Node, key: string, make: () => Node): Node {
    let byKey = this.remainders.get(node);
    if (byKey === undefined) {
      byKey = new Map();
      this.remainders.set(node, byKey);
    }
    let result = byKey.get(key);
    if (result === undefined) {
      result = make();
      byKey.set(key, result);
    }
    return result;
  }

  private dissectPair(
    first: Node,
    rest: Node,
    text: string,
    start: number,
    end: number,
    captures: Captures,
  ): boolean {
    const possible = this.ends(first, text, start, end);
    const allowed = this.startsOf(rest, text, start, end);
    if (preferenceOf(first) !== 'short') possible.reverse();
    for (const middle of possible) {
      if (!allowed.has(middle)) continue;
      const saved = captures.copy();
      if (
        this.dissect(first, text, start, middle, captures) &&
        this.dissect(rest, text, middle, end, captures)
      )
        return true;
      captures.restore(saved);
      this.spend();
    }
    return false;
  }

  private dissectRepeat(
    node: Node & { type: 'repeat' },
    text: string,
    start: number,
    end: number,
    captures: Captures,
  ): boolean {
    const { child, min, max } = node;
    if (max === 0) return start === end;
    if (start === end) {
      if (min === 0) return true;
      return this.dissect(child, text, start, end, captures);
    }
    // Without back-references one pass settles which positions let the rest be made of further iterations.
    if (max === INFINITE && min <= 1 && !this.parsed.hasBackref) {
      const star = this.derived(node, 'star', () => ({ ...node, min: 0 }));
      const allowed = this.startsOf(star, text, start, end);
      let at = start;
      while (at < end) {
        const possible = this.ends(child, text, at, end).filter(
          (position) => position > at && allowed.has(position),
        );
        if (possible.length === 0) return false;
        const middle = preferenceOf(child) === 'short' ? possible[0]! : possible.at(-1)!;
        // Each iteration starts afresh: groups of the last one are reported.
        captures.clear(child);
        if (!this.dissect(child, text, at, middle, captures)) return false;
        at = middle;
      }
      return true;
    }
    if (max === 1) return this.dissect(child, text, start, end, captures);
    const rest = this.derived(node, `${min}-${max}`, () => ({
      ...node,
      min: Math.max(0, min - 1),
      max: max === INFINITE ? INFINITE : max - 1,
    }));
    const possible = this.ends(child, text, start, end).filter((position) => position > start || min > 0);
    const allowed = this.startsOf(rest, text, start, end);
    if (preferenceOf(child) !== 'short') possible.reverse();
    for (const middle of possible) {
      if (!allowed.has(middle)) continue;
      const saved = captures.copy();
      captures.clear(child);
      if (this.dissect(child, text, start, middle, captures)) {
        if (middle === end && min <= 1) return true;
        if (middle > start && this.dissect(rest, text, middle, end, captures)) return true;
      }
      captures.restore(saved);
      this.spend();
    }
    return false;
  }
}

class Captures implements RegexMatch {
  starts: number[];
  ends: number[];
  constructor(groupCount: number) {
    this.starts = new Array<number>(groupCount + 1).fill(-1);
    this.ends = new Array<number>(groupCount + 1).fill(-1);
  }
  set(index: number, start: number, end: number): void {
    this.starts[index] = start;
    this.ends[index] = end;
  }
  copy(): { starts: number[]; ends: number[] } {
    return { starts: this.starts.slice(), ends: this.ends.slice() };
  }
  restore(saved: { starts: number[]; ends: number[] }): void {
    this.starts = saved.starts;
    this.ends = saved.ends;
  }
  clear(node: Node): void {
    const groups = new Map<number, Node>();
    collectGroups(node, groups);
    for (const index of groups.keys()) this.set(index, -1, -1);
  }
}

const dissectionMemo = new WeakMap<Node, boolean>();
/** Only parts with groups or back-references inside need their bounds. */
function needsDissection(node: Node): boolean {
  const known = dissectionMemo.get(node);
  if (known !== undefined) return known;
  let result: boolean;
  switch (node.type) {
    case 'group':
    case 'backref':
      result = true;
      break;
    case 'concat':
    case 'alternate':
      result = node.parts.some(needsDissection);
      break;
    case 'repeat':
      result = needsDissection(node.child);
      break;
    default:
      result = false;
  }
  dissectionMemo.set(node, result);
  return result;
}

function collectGroups(node: Node, groups: Map<number, Node>): void {
  switch (node.type) {
    case 'group':
      groups.set(node.index, node.child);
      collectGroups(node.child, groups);
      break;
    case 'concat':
    case 'alternate':
      for (const part of node.parts) collectGroups(part, groups);
      break;
    case 'repeat':
      collectGroups(node.child, groups);
      break;
  }
}

/** Recognises `^literal$` and its unanchored forms, groups around the whole included (for tests only, so groups do not matter). */
function plainText(root: Node): { text: string; isStart: boolean; isEnd: boolean } | null {
  let text = '';
  let isStart = false;
  let isEnd = false;
  const flat: Node[] = [];
  const flatten = (node: Node): void => {
    if (node.type === 'concat') node.parts.forEach(flatten);
    else if (node.type === 'group') flatten(node.child);
    else if (node.type !== 'empty') flat.push(node);
  };
  flatten(root);
  for (let index = 0; index < flat.length; index++) {
    const node = flat[index]!;
    if (node.type === 'assert' && node.assertion === 'text-start' && index === 0) isStart = true;
    else if (node.type === 'assert' && node.assertion === 'text-end' && index === flat.length - 1)
      isEnd = true;
    else if (node.type === 'set' && node.set.length === 1 && node.set[0]![0] === node.set[0]![1]) {
      text += String.fromCodePoint(node.set[0]![0]);
    } else return null;
  }
  return { text, isStart, isEnd };
}

const compiled = new Map<string, Regex>();

/** Compiles with a cache keyed by pattern and flags. */
export function compileRegex(pattern: string, flags: RegexFlags = DEFAULT_FLAGS): Regex {
  const key = `${flags.form[0]}${Number(flags.ignoreCase)}${Number(flags.dotExcludesNewline)}${Number(flags.lineAnchors)}${Number(flags.expanded)}${pattern}`;
  let regex = compiled.get(key);
  if (regex === undefined) {
    regex = new Regex(pattern, flags);
    if (compiled.size >= MAX_CACHED) compiled.delete(compiled.keys().next().value!);
    compiled.set(key, regex);
  }
  return regex;
}
