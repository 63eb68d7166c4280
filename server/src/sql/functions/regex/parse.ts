/**
 * PostgreSQL's regular expression syntax to a tree. Source: PostgreSQL 15 manual 9.7.3 (advanced regular expressions, with the
 * extended, basic and literal forms selected by flags or directors).
 */
import { DbError } from '../../../base/error.ts';
import { ANY, type CharSet, caseVariants, complement, foldCase, namedClass, normalize } from './charset.ts';

export type Assertion =
  | 'text-start'
  | 'text-end'
  | 'line-start'
  | 'line-end'
  | 'word-start'
  | 'word-end'
  | 'word-edge'
  | 'no-word-edge';
/** Greediness: undefined = the atom has none. */
export type Preference = 'long' | 'short' | undefined;

export type Node =
  | { readonly type: 'empty' }
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'concat'; readonly parts: readonly Node[] }
  | { readonly type: 'alternate'; readonly parts: readonly Node[] }
  | {
      readonly type: 'repeat';
      readonly child: Node;
      readonly min: number;
      readonly max: number;
      readonly preference: Preference;
    }
  | { readonly type: 'group'; readonly child: Node; readonly index: number }
  | { readonly type: 'backref'; readonly index: number }
  | { readonly type: 'assert'; readonly assertion: Assertion }
  | { readonly type: 'look'; readonly child: Node; readonly isAhead: boolean; readonly isNegative: boolean };

export interface RegexFlags {
  ignoreCase: boolean;
  /** . and negated brackets do not match a newline. */
  dotExcludesNewline: boolean;
  /** ^ and $ match at line boundaries. */
  lineAnchors: boolean;
  expanded: boolean;
  form: 'advanced' | 'extended' | 'basic' | 'literal';
}

export interface ParsedRegex {
  readonly root: Node;
  readonly groupCount: number;
  readonly hasBackref: boolean;
  readonly hasLook: boolean;
  readonly flags: RegexFlags;
}

export function regexError(message: string): DbError {
  return new DbError('invalid_regular_expression', `invalid regular expression: ${message}`);
}

const REPEAT_MAX = 255;
export const INFINITE = Number.POSITIVE_INFINITY;
const MAX_DEPTH = 1000;
const NEWLINE: CharSet = [[10, 10]];

export const DEFAULT_FLAGS: RegexFlags = {
  ignoreCase: false,
  dotExcludesNewline: false,
  lineAnchors: false,
  expanded: false,
  form: 'advanced',
};

/** Applies one option letter; false when it is not one. */
export function applyOption(flags: RegexFlags, letter: string): boolean {
  switch (letter) {
    case 'b':
      flags.form = 'basic';
      return true;
    case 'c':
      flags.ignoreCase = false;
      return true;
    case 'e':
      flags.form = 'extended';
      return true;
    case 'i':
      flags.ignoreCase = true;
      return true;
    case 'm':
    case 'n':
      flags.dotExcludesNewline = true;
      flags.lineAnchors = true;
      return true;
    case 'p':
      flags.dotExcludesNewline = true;
      flags.lineAnchors = false;
      return true;
    case 'q':
      flags.form = 'literal';
      return true;
    case 's':
      flags.dotExcludesNewline = false;
      flags.lineAnchors = false;
      return true;
    case 't':
      flags.expanded = false;
      return true;
    case 'w':
      flags.dotExcludesNewline = false;
      flags.lineAnchors = true;
      return true;
    case 'x':
      flags.expanded = true;
      return true;
    default:
      return false;
  }
}

export function parseRegex(pattern: string, initial: RegexFlags): ParsedRegex {
  return new Parser(pattern, { ...initial }).run();
}

class Parser {
  private readonly source: string[];
  private readonly flags: RegexFlags;
  private at = 0;
  private groupCount = 0;
  private readonly closedGroups = new Set<number>();
  private hasBackref = false;
  private hasLook = false;
  private depth = 0;

  constructor(pattern: string, flags: RegexFlags) {
    this.source = [...pattern];
    this.flags = flags;
  }

  run(): ParsedRegex {
    this.directors();
    let root: Node;
    if (this.flags.form === 'literal') {
      root = concat(this.source.slice(this.at).map((character) => this.literal(character)));
      this.at = this.source.length;
    } else root = this.flags.form === 'basic' ? this.basic(false) : this.alternatives(null);
    if (this.at < this.source.length) throw regexError('parentheses () not balanced');
    return {
      root,
      groupCount: this.groupCount,
      hasBackref: this.hasBackref,
      hasLook: this.hasLook,
      flags: this.flags,
    };
  }

  private rest(length: number): string {
    return this.source.slice(this.at, this.at + length).join('');
  }

  /** `***:`, `***=` and embedded options `(?i)`. */
  private directors(): void {
    if (this.flags.form === 'literal') return;
    if (this.rest(3) === '***') {
      const kind = this.source[this.at + 3];
      if (kind === '=') this.flags.form = 'literal';
      else if (kind === ':') this.flags.form = 'advanced';
      else throw regexError('quantifier operand invalid');
      this.at += 4;
      if (this.flags.form === 'literal') return;
    }
    if (
      this.flags.form === 'advanced' &&
      this.rest(2) === '(?' &&
      /[a-z]/.test(this.source[this.at + 2] ?? '')
    ) {
      let at = this.at + 2;
      for (; at < this.source.length && this.source[at] !== ')'; at++) {
        if (!applyOption(this.flags, this.source[at]!)) throw regexError('invalid embedded option');
      }
      if (at >= this.source.length) throw regexError('invalid embedded option');
      this.at = at + 1;
    }
  }

  private literal(character: string): Node {
    const code = character.codePointAt(0)!;
    const set: CharSet = this.flags.ignoreCase
      ? normalize(caseVariants(code).map((variant) => [variant, variant] as const))
      : [[code, code]];
    return { type: 'set', set };
  }

  private skipExpanded(): void {
    if (!this.flags.expanded) {
      // (?#comments) are allowed everywhere.
      while (this.flags.form === 'advanced' && this.rest(3) === '(?#') this.skipComment();
      return;
    }
    for (;;) {
      const character = this.source[this.at];
      if (character !== undefined && /\s/.test(character)) this.at++;
      else if (character === '#') {
        while (this.at < this.source.length && this.source[this.at] !== '\n') this.at++;
      } else if (this.rest(3) === '(?#') this.skipComment();
      else return;
    }
  }

  private skipComment(): void {
    while (this.at < this.source.length && this.source[this.at] !== ')') this.at++;
    this.at++;
  }

  private alternatives(closer: string | null): Node {
    if (++this.depth > MAX_DEPTH)
      throw new DbError('statement_too_complex', 'regular expression is too complex');
    const branches: Node[] = [this.branch(closer)];
    while (this.source[this.at] === '|') {
      this.at++;
      branches.push(this.branch(closer));
    }
    this.depth--;
    return branches.length === 1 ? branches[0]! : { type: 'alternate', parts: branches };
  }

  private branch(closer: string | null): Node {
    const parts: Node[] = [];
    for (;;) {
      this.skipExpanded();
      const character = this.source[this.at];
      if (character === undefined || character === '|') break;
      if (character === ')') {
        if (closer === ')') break;
        // An unmatched ) is a literal in the extended form only.
        if (this.flags.form !== 'extended') throw regexError('parentheses () not balanced');
      }
      parts.push(this.quantified());
    }
    return concat(parts);
  }

  private quantified(): Node {
    const atom = this.atom();
    this.skipExpanded();
    return this.quantifier(atom);
  }

  private quantifier(atom: Node): Node {
    let result = atom;
    let count = 0;
    for (;;) {
      const character = this.source[this.at];
      let min: number;
      let max: number;
      if (character === '*') [min, max] = [0, INFINITE];
      else if (character === '+') [min, max] = [1, INFINITE];
      else if (character === '?') [min, max] = [0, 1];
      else if (character === '{' && this.isBound()) {
        if (atom.type === 'assert' || atom.type === 'look') throw regexError('quantifier operand invalid');
        [min, max] = this.bound();
        this.at--;
      } else return result;
      if (atom.type === 'assert' || atom.type === 'look') throw regexError('quantifier operand invalid');
      if (count++ > 0) throw regexError('quantifier operand invalid');
      this.at++;
      let preference: Preference = min === max ? undefined : 'long';
      if (this.flags.form === 'advanced' && this.source[this.at] === '?') {
        this.at++;
        if (min !== max) preference = 'short';
      }
      result = { type: 'repeat', child: result, min, max, preference };
      this.skipExpanded();
    }
  }

  /** In the advanced form a brace without a digit after it is a literal. */
  private isBound(): boolean {
    const next = this.source[this.at + 1] ?? '';
    return /\d/.test(next) || this.flags.form !== 'advanced';
  }

  private bound(): [number, number] {
    this.at++;
    const number = (): number | null => {
      let digits = '';
      while (/^\d$/.test(this.source[this.at] ?? '')) digits += this.source[this.at++];
      return digits === '' ? null : Number(digits);
    };
    const min = number();
    if (min === null) throw regexError('invalid repetition count(s)');
    let max: number = min;
    if (this.source[this.at] === ',') {
      this.at++;
      max = number() ?? INFINITE;
    }
    const closer = this.flags.form === 'basic' ? '\\}' : '}';
    if (this.rest(closer.length) !== closer) {
      throw regexError(
        this.at >= this.source.length ? 'braces {} not balanced' : 'invalid repetition count(s)',
      );
    }
    this.at += closer.length;
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== INFINITE) || max < min)
      throw regexError('invalid repetition count(s)');
    return [min, max];
  }

  private atom(): Node {
    const character = this.source[this.at]!;
    switch (character) {
      case '(':
        return this.parenthesis();
      case '[':
        return this.bracket();
      case '.':
        this.at++;
        return { type: 'set', set: this.flags.dotExcludesNewline ? complement(NEWLINE) : ANY };
      case '^':
        this.at++;
        return { type: 'assert', assertion: this.flags.lineAnchors ? 'line-start' : 'text-start' };
      case '$':
        this.at++;
        return { type: 'assert', assertion: this.flags.lineAnchors ? 'line-end' : 'text-end' };
      case '\\':
        return this.escaped();
      case '*':
      case '+':
      case '?':
        throw regexError('quantifier operand invalid');
      case '{':
        if (this.isBound()) throw regexError('quantifier operand invalid');
        this.at++;
        return this.literal('{');
      default:
        this.at++;
        return this.literal(character);
    }
  }

  private parenthesis(): Node {
    this.at++;
    if (this.flags.form === 'advanced' && this.source[this.at] === '?') {
      const kind = this.source[this.at + 1] ?? '';
      const second = this.source[this.at + 2] ?? '';
      if (kind === ':') {
        this.at += 2;
        const child = this.alternatives(')');
        this.close();
        return child;
      }
      const isBehind = kind === '<';
      const operator = isBehind ? second : kind;
      if (operator !== '=' && operator !== '!') throw regexError('quantifier operand invalid');
      this.at += isBehind ? 3 : 2;
      this.hasLook = true;
      const groupsBefore = this.groupCount;
      const child = this.alternatives(')');
      // Parentheses inside lookaround do not capture.
      const stripped = withoutGroups(child);
      this.groupCount = groupsBefore;
      this.close();
      return { type: 'look', child: stripped, isAhead: !isBehind, isNegative: operator === '!' };
    }
    const index = ++this.groupCount;
    const child = this.alternatives(')');
    this.close();
    this.closedGroups.add(index);
    return { type: 'group', child, index };
  }

  private close(): void {
    if (this.source[this.at] !== ')') throw regexError('parentheses () not balanced');
    this.at++;
  }

  private escaped(): Node {
    this.at++;
    const character = this.source[this.at];
    if (character === undefined) throw regexError('invalid escape \\ sequence');
    this.at++;
    if (this.flags.form !== 'advanced' || !/[A-Za-z0-9]/.test(character)) return this.literal(character);
    const shorthand = this.classShorthand(character);
    if (shorthand !== null) return { type: 'set', set: shorthand };
    switch (character) {
      case 'A':
        return { type: 'assert', assertion: 'text-start' };
      case 'Z':
        return { type: 'assert', assertion: 'text-end' };
      case 'm':
        return { type: 'assert', assertion: 'word-start' };
      case 'M':
        return { type: 'assert', assertion: 'word-end' };
      case 'y':
        return { type: 'assert', assertion: 'word-edge' };
      case 'Y':
        return { type: 'assert', assertion: 'no-word-edge' };
    }
    if (/[1-9]/.test(character)) {
      let digits = character;
      while (/^\d$/.test(this.source[this.at] ?? '')) digits += this.source[this.at++];
      // A multi-digit number that is no group so far is an octal escape.
      if (digits.length === 1 || Number(digits) <= this.groupCount) {
        const index = Number(digits);
        if (!this.closedGroups.has(index)) throw regexError('invalid backreference number');
        this.hasBackref = true;
        return { type: 'backref', index };
      }
      this.at -= digits.length;
      return this.literal(String.fromCodePoint(this.octal()));
    }
    this.at--;
    return this.literal(String.fromCodePoint(this.characterEscape()));
  }

  private classShorthand(letter: string): CharSet | null {
    switch (letter) {
      case 'd':
        return namedClass('digit');
      case 'D':
        return this.negated(namedClass('digit')!);
      case 's':
        return namedClass('space');
      case 'S':
        return this.negated(namedClass('space')!);
      case 'w':
        return namedClass('word');
      case 'W':
        return this.negated(namedClass('word')!);
      default:
        return null;
    }
  }

  private negated(set: CharSet): CharSet {
    return complement(this.flags.dotExcludesNewline ? normalize([...set, [10, 10]]) : set);
  }

  private octal(): number {
    let digits = '';
    while (digits.length < 3 && /^[0-7]$/.test(this.source[this.at] ?? '')) digits += this.source[this.at++];
    if (digits === '') throw regexError('invalid escape \\ sequence');
    return Number.parseInt(digits, 8);
  }

  private hexadecimal(least: number, most: number): number {
    let digits = '';
    while (digits.length < most && /^[0-9a-fA-F]$/.test(this.source[this.at] ?? ''))
      digits += this.source[this.at++];
    if (digits.length < least) throw regexError('invalid escape \\ sequence');
    const code = Number.parseInt(digits, 16);
    if (code > 0x10ffff) throw regexError('invalid escape \\ sequence');
    return code;
  }

  /** Escapes for one character; the position is on the letter. */
  private characterEscape(): number {
    const letter = this.source[this.at++]!;
    switch (letter) {
      case 'a':
        return 7;
      case 'b':
        return 8;
      case 'B':
        return 92;
      case 'c': {
        const next = this.source[this.at++];
        if (next === undefined) throw regexError('invalid escape \\ sequence');
        return next.codePointAt(0)! & 31;
      }
      case 'e':
        return 27;
      case 'f':
        return 12;
      case 'n':
        return 10;
      case 'r':
        return 13;
      case 't':
        return 9;
      case 'u':
        return this.hexadecimal(4, 4);
      case 'U':
        return this.hexadecimal(8, 8);
      case 'v':
        return 11;
      case 'x':
        return this.hexadecimal(1, 255);
      case '0':
        if (!/^[0-7]$/.test(this.source[this.at] ?? '')) return 0;
        return this.octal();
      default:
        throw regexError('invalid escape \\ sequence');
    }
  }

  private bracket(): Node {
    if (this.rest(7) === '[[:<:]]') {
      this.at += 7;
      return { type: 'assert', assertion: 'word-start' };
    }
    if (this.rest(7) === '[[:>:]]') {
      this.at += 7;
      return { type: 'assert', assertion: 'word-end' };
    }
    this.at++;
    let isNegative = false;
    if (this.source[this.at] === '^') {
      isNegative = true;
      this.at++;
    }
    const ranges: (readonly [number, number])[] = [];
    let isFirst = true;
    for (;;) {
      const character = this.source[this.at];
      if (character === undefined) throw regexError('brackets [] not balanced');
      if (character === ']' && !isFirst) {
        this.at++;
        break;
      }
      isFirst = false;
      const item = this.bracketItem();
      if (typeof item !== 'number') {
        ranges.push(...item);
        if (
          this.source[this.at] === '-' &&
          this.source[this.at + 1] !== ']' &&
          this.source[this.at + 1] !== undefined
        ) {
          throw regexError('invalid character range');
        }
        continue;
      }
      if (
        this.source[this.at] === '-' &&
        this.source[this.at + 1] !== ']' &&
        this.source[this.at + 1] !== undefined
      ) {
        this.at++;
        const end = this.bracketItem();
        if (typeof end !== 'number' || end < item) throw regexError('invalid character range');
        ranges.push([item, end]);
      } else ranges.push([item, item]);
    }
    let set = normalize(ranges);
    if (this.flags.ignoreCase) set = foldCase(set);
    return { type: 'set', set: isNegative ? this.negated(set) : set };
  }

  /** A single code point, or a set. */
  private bracketItem(): number | CharSet {
    const character = this.source[this.at]!;
    if (character === '[') {
      const kind = this.source[this.at + 1];
      if (kind === ':' || kind === '=' || kind === '.') {
        let at = this.at + 2;
        let name = '';
        while (at < this.source.length && !(this.source[at] === kind && this.source[at + 1] === ']'))
          name += this.source[at++];
        if (at >= this.source.length) throw regexError('brackets [] not balanced');
        this.at = at + 2;
        if (kind === ':') {
          const named = namedClass(name);
          if (named === null || name === 'word') {
            if (name === 'word') return named!;
            throw regexError('invalid character class');
          }
          return named;
        }
        const characters = [...name];
        if (characters.length === 1) {
          const code = characters[0]!.codePointAt(0)!;
          return kind === '.' ? code : [[code, code]];
        }
        const known = COLLATING_NAMES[name];
        if (known === undefined) throw regexError('invalid collating element');
        return known;
      }
    }
    if (character === '\\' && this.flags.form === 'advanced') {
      this.at++;
      const letter = this.source[this.at];
      if (letter === undefined) throw regexError('invalid escape \\ sequence');
      if (!/[A-Za-z0-9]/.test(letter)) {
        this.at++;
        return letter.codePointAt(0)!;
      }
      const shorthand = /[dsw]/.test(letter)
        ? this.classShorthand(letter)
        : /[DSW]/.test(letter)
          ? this.classShorthand(letter)
          : null;
      if (shorthand !== null) {
        this.at++;
        return shorthand;
      }
      if (/[1-9]/.test(letter)) return this.octal();
      return this.characterEscape();
    }
    this.at++;
    return character.codePointAt(0)!;
  }

  /** Basic expressions: \( \) \{ \} group and count, * is the only other quantifier. */
  private basic(isInner: boolean): Node {
    const parts: Node[] = [];
    let isStart = true;
    for (;;) {
      const two = this.rest(2);
      const character = this.source[this.at];
      if (character === undefined || two === '\\)') break;
      let atom: Node;
      if (two === '\\(') {
        this.at += 2;
        const index = ++this.groupCount;
        const child = this.basic(true);
        if (this.rest(2) !== '\\)') throw regexError('parentheses () not balanced');
        this.at += 2;
        this.closedGroups.add(index);
        atom = { type: 'group', child, index };
      } else if (character === '*' && isStart) {
        this.at++;
        atom = this.literal('*');
      } else if (character === '^' && isStart) {
        this.at++;
        parts.push({ type: 'assert', assertion: this.flags.lineAnchors ? 'line-start' : 'text-start' });
        continue;
      } else if (
        character === '$' &&
        (this.at === this.source.length - 1 || this.source.slice(this.at + 1, this.at + 3).join('') === '\\)')
      ) {
        this.at++;
        parts.push({ type: 'assert', assertion: this.flags.lineAnchors ? 'line-end' : 'text-end' });
        continue;
      } else if (character === '[') atom = this.bracket();
      else if (character === '.') {
        this.at++;
        atom = { type: 'set', set: this.flags.dotExcludesNewline ? complement(NEWLINE) : ANY };
      } else if (character === '\\') {
        const next = this.source[this.at + 1];
        if (next === undefined) throw regexError('invalid escape \\ sequence');
        this.at += 2;
        if (/[1-9]/.test(next)) {
          if (!this.closedGroups.has(Number(next))) throw regexError('invalid backreference number');
          this.hasBackref = true;
          atom = { type: 'backref', index: Number(next) };
        } else atom = this.literal(next);
      } else {
        this.at++;
        atom = this.literal(character);
      }
      isStart = false;
      if (this.source[this.at] === '*') {
        this.at++;
        atom = { type: 'repeat', child: atom, min: 0, max: INFINITE, preference: 'long' };
      } else if (this.rest(2) === '\\{') {
        this.at++;
        const [min, max] = this.bound();
        atom = { type: 'repeat', child: atom, min, max, preference: min === max ? undefined : 'long' };
      }
      parts.push(atom);
    }
    if (!isInner && this.at < this.source.length) throw regexError('parentheses () not balanced');
    return concat(parts);
  }
}

const COLLATING_NAMES: Readonly<Record<string, number>> = {
  NUL: 0,
  tab: 9,
  newline: 10,
  space: 32,
  hyphen: 45,
  'hyphen-minus': 45,
  period: 46,
  'full-stop': 46,
  slash: 47,
  solidus: 47,
  comma: 44,
  colon: 58,
  semicolon: 59,
  underscore: 95,
  backslash: 92,
  'left-square-bracket': 91,
  'right-square-bracket': 93,
  circumflex: 94,
};

export function concat(parts: readonly Node[]): Node {
  if (parts.length === 0) return { type: 'empty' };
  return parts.length === 1 ? parts[0]! : { type: 'concat', parts };
}

function withoutGroups(node: Node): Node {
  switch (node.type) {
    case 'group':
      return withoutGroups(node.child);
    case 'repeat':
      return { ...node, child: withoutGroups(node.child) };
    case 'concat':
    case 'alternate':
      return { ...node, parts: node.parts.map(withoutGroups) };
    default:
      return node;
  }
}

/** Which match the node prefers: that of its first part with a preference; alternations prefer the longest. */
export function preferenceOf(node: Node): Preference {
  switch (node.type) {
    case 'alternate':
      return 'long';
    case 'concat':
      for (const part of node.parts) {
        const preference = preferenceOf(part);
        if (preference !== undefined) return preference;
      }
      return undefined;
    case 'group':
      return preferenceOf(node.child);
    case 'repeat':
      return node.preference ?? preferenceOf(node.child);
    default:
      return undefined;
  }
}
