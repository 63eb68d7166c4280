/**
 * Expressions that are one line of pieces from the start of the text to its end: characters, repeated sets, groups of them, optional runs of characters.
 *
 * Both ends being fixed, PostgreSQL's rule (each piece from left to right takes the longest part that lets the rest match) is what greedy matching with
 * backtracking finds first. It is many times faster than automata, but not linear: a budget of steps proportional to the text ends it, and
 * the automata answer instead. They also do where a text has characters beyond the basic plane.
 */
import { type CharSet, includes } from './charset.ts';
import { INFINITE, type Node } from './parse.ts';

type Piece =
  /** So many characters of a set, as many as possible. */
  | { readonly kind: 'repeat'; readonly has: Membership; readonly min: number; readonly max: number }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'open' | 'close'; readonly group: number }
  /** The pieces up to `end` may be left out. */
  | { readonly kind: 'optional'; readonly end: number };

const SMALL = 256;
const LAST = 0x10ffff;
const STEPS_PER_CHARACTER = 20;

class Membership {
  /** The only character that is not in the set; '' = it is another kind of set. */
  readonly except: string;
  readonly isAny: boolean;
  private readonly small = new Uint8Array(SMALL);
  private readonly set: CharSet;

  constructor(set: CharSet) {
    this.set = set;
    this.isAny = set.length === 1 && set[0]![0] === 0 && set[0]![1] === LAST;
    const [low, high] = set;
    const isHole =
      set.length === 2 &&
      low![0] === 0 &&
      high![1] === LAST &&
      high![0] === low![1] + 2 &&
      high![0] <= 0xd800;
    this.except = isHole ? String.fromCharCode(low![1] + 1) : '';
    for (let code = 0; code < SMALL; code++) if (includes(set, code)) this.small[code] = 1;
  }

  has(code: number): boolean {
    return code < SMALL ? this.small[code] === 1 : includes(this.set, code);
  }
}

/** Bounds of groups, index 0 the whole match; null = no match. */
export interface SequenceMatch {
  readonly starts: number[];
  readonly ends: number[];
}

/** See the module comment. */
export class Sequence {
  private readonly pieces: readonly Piece[];
  private readonly groupCount: number;
  private text = '';
  private steps = 0;
  private starts: number[] = [];
  private ends: number[] = [];

  private constructor(pieces: readonly Piece[], groupCount: number) {
    this.pieces = pieces;
    this.groupCount = groupCount;
  }

  /** The expression as a sequence; null when it is none. */
  static of(root: Node, groupCount: number): Sequence | null {
    const parts = root.type === 'concat' ? root.parts : [root];
    const isAnchor = (node: Node | undefined, assertion: string): boolean =>
      node?.type === 'assert' && node.assertion === assertion;
    if (parts.length < 2 || !isAnchor(parts[0], 'text-start') || !isAnchor(parts.at(-1), 'text-end'))
      return null;
    const pieces: Piece[] = [];
    for (const part of parts.slice(1, -1)) if (!addPiece(part, pieces)) return null;
    return new Sequence(pieces, groupCount);
  }

  /** The match of the whole text; null = there is none; undefined = not decided here. */
  match(text: string): SequenceMatch | null | undefined {
    this.text = text;
    this.steps = (text.length + 8) * STEPS_PER_CHARACTER;
    this.starts = [0];
    this.ends = [text.length];
    for (let group = 1; group <= this.groupCount; group++) {
      this.starts.push(-1);
      this.ends.push(-1);
    }
    const found = this.from(0, 0);
    if (this.steps < 0) return undefined;
    if (!found) return null;
    return { starts: this.starts, ends: this.ends };
  }

  /** Groups among the pieces [from, to) take no part. */
  private leaveOut(from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const piece = this.pieces[index]!;
      if (piece.kind !== 'open') continue;
      this.starts[piece.group] = -1;
      this.ends[piece.group] = -1;
    }
  }

  /** Matches the pieces from `index` on at a position. */
  private from(index: number, position: number): boolean {
    const { pieces, text } = this;
    let at = position;
    for (let next = index; next < pieces.length; next++) {
      const piece = pieces[next]!;
      switch (piece.kind) {
        // What another way has written is written again on the way that succeeds.
        case 'open':
          this.starts[piece.group] = at;
          break;
        case 'literal':
          if (!text.startsWith(piece.text, at)) return false;
          at += piece.text.length;
          break;
        case 'close':
          this.ends[piece.group] = at;
          break;
        case 'optional':
          if (this.from(next + 1, at)) return true;
          if (this.steps < 0) return false;
          this.leaveOut(next, piece.end);
          next = piece.end - 1;
          break;
        case 'repeat': {
          const { has, min, max } = piece;
          let end = at;
          if (max === INFINITE && min <= 1 && has.isAny) {
            end = text.length;
            // Nothing follows: it takes the rest.
            if (next === pieces.length - 1) return end - at >= min;
          } else if (max === INFINITE && min <= 1 && has.except !== '') {
            end = text.indexOf(has.except, at);
            if (end < 0) end = text.length;
          } else {
            const limit = max === INFINITE ? text.length : Math.min(text.length, at + max);
            while (end < limit) {
              const code = text.charCodeAt(end);
              if (code >= 0xd800 && code <= 0xdfff) this.steps = -1;
              if (!has.has(code)) break;
              end++;
            }
          }
          this.steps -= 1 + ((end - at) >> 3);
          if (this.steps < 0 || end - at < min) return false;
          if (min === max) {
            at = end;
            break;
          }
          const follower = pieces[next + 1];
          const first = follower?.kind === 'literal' ? follower.text.charCodeAt(0) : -1;
          for (; end >= at + min; end--) {
            if (first >= 0 && text.charCodeAt(end) !== first) {
              this.steps--;
              continue;
            }
            // Not between the halves of a character.
            if ((text.charCodeAt(end) & 0xfc00) === 0xdc00) continue;
            if (this.from(next + 1, end)) return true;
            if (this.steps < 0) return false;
          }
          return false;
        }
      }
    }
    this.steps--;
    return at === text.length;
  }
}

function addPiece(node: Node, pieces: Piece[]): boolean {
  switch (node.type) {
    case 'empty':
      return true;
    case 'set':
      addCharacter(node.set, pieces);
      return true;
    case 'concat':
      return node.parts.every((part) => addPiece(part, pieces));
    case 'group':
      pieces.push({ kind: 'open', group: node.index });
      if (!addPiece(node.child, pieces)) return false;
      pieces.push({ kind: 'close', group: node.index });
      return true;
    case 'repeat': {
      const { child, min, max, preference } = node;
      if (preference === 'short') return false;
      if (child.type === 'set') {
        pieces.push({ kind: 'repeat', has: new Membership(child.set), min, max });
        return true;
      }
      // Only runs of a fixed length: taking them is longer than leaving them out.
      if (min !== 0 || max !== 1 || !isFixed(child)) return false;
      const place = pieces.length;
      pieces.push({ kind: 'optional', end: place });
      if (!addPiece(child, pieces)) return false;
      pieces[place] = { kind: 'optional', end: pieces.length };
      return true;
    }
    default:
      return false;
  }
}

/** One character: characters that stand for themselves become one text. */
function addCharacter(set: CharSet, pieces: Piece[]): void {
  const [only] = set;
  if (set.length !== 1 || only![0] !== only![1]) {
    pieces.push({ kind: 'repeat', has: new Membership(set), min: 1, max: 1 });
    return;
  }
  const character = String.fromCodePoint(only![0]);
  const last = pieces.at(-1);
  // What is optional ends before a piece, so the text behind it is another.
  const isOpen = pieces.some((piece) => piece.kind === 'optional' && piece.end === pieces.length);
  if (last?.kind === 'literal' && !isOpen)
    pieces[pieces.length - 1] = { kind: 'literal', text: last.text + character };
  else pieces.push({ kind: 'literal', text: character });
}

function isFixed(node: Node): boolean {
  if (node.type === 'set') return true;
  if (node.type === 'concat') return node.parts.length > 0 && node.parts.every(isFixed);
  return node.type === 'group' && isFixed(node.child);
}
