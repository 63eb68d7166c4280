/**
 * Cuts the byte stream of COPY FROM into lines. Pure: chunks go in, line boundaries come out, whatever the split points.
 *
 * The line ending (\n, \r\n or \r) is what the first line has, as in PostgreSQL. In text format a line end after an odd number of
 * backslashes is data; in CSV one inside quotes is.
 */
import { DbError } from '../../base/error.ts';

const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 92;

export interface LineRules {
  /** CSV quote and escape bytes, or null for text format. */
  readonly csv: { quote: number; escape: number } | null;
}

export class LineCutter {
  private readonly rules: LineRules;
  private ending: 'unknown' | 'lf' | 'crlf' | 'cr' = 'unknown';
  /** Bytes received and not yet given out as lines. */
  private pending: Uint8Array = new Uint8Array(0);
  private position = 0;
  /** Memory for a rest and the chunk behind it. */
  private joined: Uint8Array = new Uint8Array(0);
  /** Where the search for the end of the current line goes on, and whether that place is inside quotes. */
  private searched = 0;
  private quoted = false;
  private ended = false;
  /** The current line: bytes [lineStart, lineEnd) of `bytes`. */
  bytes: Uint8Array = this.pending;
  lineStart = 0;
  lineEnd = 0;

  constructor(rules: LineRules) {
    this.rules = rules;
  }

  /** Takes a chunk; call `next` until it is false before the next one. The chunk is kept until then. */
  push(chunk: Uint8Array): void {
    const rest = this.pending.length - this.position;
    if (rest === 0) this.pending = chunk;
    else {
      const needed = rest + chunk.length;
      const left = this.pending.subarray(this.position);
      // The rest may lie in the same memory: `set` copies as if through a buffer of its own.
      if (needed > this.joined.length) {
        const larger = new Uint8Array(Math.max(needed, 2 * this.joined.length));
        larger.set(left);
        this.joined = larger;
      } else this.joined.set(left);
      this.joined.set(chunk, rest);
      this.pending = this.joined.subarray(0, needed);
    }
    this.searched -= this.position;
    this.position = 0;
  }

  /** No more chunks: what is left is the last line. */
  end(): void {
    this.ended = true;
  }

  /** What is left of the bytes, when lines may be taken from it by their newlines alone; see {@link taken}. */
  plainBytes(): Uint8Array | null {
    const isPlain = this.rules.csv === null && (this.ending === 'lf' || this.ending === 'unknown');
    return isPlain && this.position < this.pending.length ? this.pending : null;
  }

  /** Where the next line begins in {@link plainBytes}. */
  get lineBegin(): number {
    return this.position;
  }

  /** Whole lines ending in newlines were taken elsewhere; the next one begins at `position`. */
  taken(position: number): void {
    this.ending = 'lf';
    this.position = position;
    this.searched = position;
  }

  /** Moves to the next complete line. */
  next(): boolean {
    const { pending } = this;
    if (this.position >= pending.length) return false;
    const end = this.rules.csv === null ? this.findTextEnd() : this.findCsvEnd();
    if (end >= 0) {
      this.give(end, end + (this.ending === 'crlf' ? 2 : 1));
      return true;
    }
    if (!this.ended) return false;
    if (this.quoted) throw new DbError('bad_copy_file_format', 'unterminated CSV quoted field');
    this.give(pending.length, pending.length);
    return true;
  }

  /** The last line lacks its end; in CSV it may end inside quotes. */
  private give(end: number, next: number): void {
    this.bytes = this.pending;
    this.lineStart = this.position;
    this.lineEnd = end;
    this.position = next;
    this.searched = next;
    this.quoted = false;
  }

  /** First line end at or after `from` that is not the middle of an undecided pair; -1 when there is none yet. */
  private candidate(from: number): number {
    const { pending } = this;
    switch (this.ending) {
      case 'lf':
        return pending.indexOf(NEWLINE, from);
      case 'cr':
        return pending.indexOf(RETURN, from);
      case 'crlf': {
        let at = from;
        for (;;) {
          at = pending.indexOf(RETURN, at);
          if (at < 0 || at + 1 >= pending.length) return -1;
          if (pending[at + 1] === NEWLINE) return at;
          at++;
        }
      }
      case 'unknown': {
        const newline = pending.indexOf(NEWLINE, from);
        const carriage = pending.indexOf(RETURN, from);
        if (newline >= 0 && (carriage < 0 || newline < carriage)) return newline;
        if (carriage < 0) return -1;
        // A return at the end of what is there may be half of a pair.
        if (carriage + 1 >= pending.length && !this.ended) return -1;
        return carriage;
      }
    }
  }

  private decide(at: number): void {
    if (this.ending !== 'unknown') return;
    if (this.pending[at] === NEWLINE) this.ending = 'lf';
    else this.ending = this.pending[at + 1] === NEWLINE ? 'crlf' : 'cr';
  }

  private findTextEnd(): number {
    const { pending } = this;
    let from = Math.max(this.searched, this.position);
    for (;;) {
      const at = this.candidate(from);
      if (at < 0) {
        // A return that may be half of a pair is looked at again.
        this.searched = Math.max(this.position, pending.length - 1);
        return -1;
      }
      let backslashes = 0;
      while (at - 1 - backslashes >= this.position && pending[at - 1 - backslashes] === BACKSLASH)
        backslashes++;
      if (backslashes % 2 === 0) {
        this.decide(at);
        return at;
      }
      from = at + 1;
    }
  }

  private findCsvEnd(): number {
    const { pending } = this;
    const { quote, escape: escapeByte } = this.rules.csv!;
    let at = Math.max(this.searched, this.position);
    let { quoted } = this;
    for (; at < pending.length; at++) {
      const byte = pending[at]!;
      if (quoted && byte === escapeByte && escapeByte !== quote) {
        if (at + 1 >= pending.length) break;
        if (pending[at + 1] === quote || pending[at + 1] === escapeByte) at++;
      } else if (byte === quote) quoted = !quoted;
      else if (!quoted && (byte === NEWLINE || byte === RETURN)) {
        if (byte === RETURN && (this.ending === 'unknown' || this.ending === 'crlf')) {
          if (at + 1 >= pending.length && !this.ended) break;
          if (this.ending === 'crlf' && pending[at + 1] !== NEWLINE) continue;
        } else if (byte === RETURN ? this.ending !== 'cr' : this.ending === 'cr' || this.ending === 'crlf')
          continue;
        this.quoted = false;
        this.decide(at);
        return at;
      }
    }
    this.searched = at;
    this.quoted = quoted;
    return -1;
  }
}
