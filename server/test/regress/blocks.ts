/**
 * Cuts a psql script into statement blocks, and an output of `psql -a` into what belongs to each block.
 *
 * psql echoes every non-empty line of the script, so both the expected and the actual output hold the script's lines in
 * order; what stands between two echoed blocks is the answer to the first of them.
 */

/** One statement (or psql command) with the comments before it; several when they share a line. */
export interface Block {
  /** Number of the first line, from 1. */
  readonly line: number;
  /** Non-empty lines as psql echoes them. */
  readonly echo: readonly string[];
  /** The lines without comments, for the rules. */
  readonly text: string;
}

type Quote = { readonly kind: 'none' | 'single' | 'escape' | 'double' | 'dollar'; readonly tag: string };
const NO_QUOTE: Quote = { kind: 'none', tag: '' };

/** State of the scanner between lines. */
class Scanner {
  quote: Quote = NO_QUOTE;
  commentDepth = 0;
  parentheses = 0;
  /** Nesting of BEGIN ATOMIC bodies. */
  bodies = 0;
  words: string[] = [];
  standardStrings = true;
  /** Text of the statement without comments. */
  text = '';
  /** Whether the statement has any token. */
  started = false;

  /** Reads one line; true when it ends a statement with nothing of another after it. */
  line(source: string): boolean {
    let at = 0;
    let ended = false;
    while (at < source.length) {
      const rest = source.slice(at);
      if (this.commentDepth > 0) {
        at += this.#comment(rest);
        continue;
      }
      if (this.quote.kind !== 'none') {
        const width = this.#quoted(rest);
        this.text += source.slice(at, at + width);
        at += width;
        continue;
      }
      if (rest.startsWith('--')) break;
      if (rest.startsWith('/*')) {
        this.commentDepth = 1;
        at += 2;
        continue;
      }
      const character = rest[0]!;
      if (character === '\\' && rest[1] !== ';' && rest[1] !== ':') {
        // A command of psql takes the rest of the line.
        this.text += rest;
        this.reset();
        return true;
      }
      if (character === ';' && this.parentheses === 0 && this.bodies === 0) {
        this.text += ';';
        this.#noteSetting();
        this.reset();
        ended = true;
        at++;
        continue;
      }
      const opening = this.#open(rest);
      if (opening > 0) {
        this.started = true;
        ended = false;
        this.text += rest.slice(0, opening);
        at += opening;
        continue;
      }
      if (!/\s/.test(character)) {
        this.started = true;
        ended = false;
      }
      if (character === '(') this.parentheses++;
      if (character === ')' && this.parentheses > 0) this.parentheses--;
      const word = /^[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*/.exec(rest)?.[0];
      if (word !== undefined) this.#word(word.toUpperCase());
      this.text += word ?? character;
      at += word?.length ?? 1;
    }
    this.text += '\n';
    return ended;
  }

  reset(): void {
    this.parentheses = 0;
    this.bodies = 0;
    this.words = [];
    this.started = false;
  }

  #comment(rest: string): number {
    const found = /\/\*|\*\//.exec(rest);
    if (found === null) return rest.length;
    this.commentDepth += found[0] === '/*' ? 1 : -1;
    return found.index + 2;
  }

  /** Width of the part that belongs to the open quote. */
  #quoted(rest: string): number {
    const { kind, tag } = this.quote;
    if (kind === 'dollar') {
      const end = rest.indexOf(tag);
      if (end < 0) return rest.length;
      this.quote = NO_QUOTE;
      return end + tag.length;
    }
    const mark = kind === 'double' ? '"' : "'";
    for (let at = 0; at < rest.length; at++) {
      if (kind === 'escape' && rest[at] === '\\') at++;
      else if (rest[at] === mark) {
        if (rest[at + 1] === mark) at++;
        else {
          this.quote = NO_QUOTE;
          return at + 1;
        }
      }
    }
    return rest.length;
  }

  /** Width of an opening quote here, 0 when there is none. */
  #open(rest: string): number {
    const opening = /^[eE]'/.exec(rest);
    if (opening !== null) {
      this.quote = { kind: 'escape', tag: '' };
      return 2;
    }
    if (rest[0] === "'") {
      this.quote = { kind: this.standardStrings ? 'single' : 'escape', tag: '' };
      return 1;
    }
    if (rest[0] === '"') {
      this.quote = { kind: 'double', tag: '' };
      return 1;
    }
    const dollar = /^\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/.exec(rest);
    if (dollar !== null) {
      this.quote = { kind: 'dollar', tag: dollar[0] };
      return dollar[0].length;
    }
    return 0;
  }

  #word(word: string): void {
    if (this.words.length < 4) this.words.push(word);
    const [first, second, third, fourth] = this.words;
    const routine = (text: string | undefined): boolean => text === 'FUNCTION' || text === 'PROCEDURE';
    const creates =
      first === 'CREATE' && (routine(second) || (second === 'OR' && third === 'REPLACE' && routine(fourth)));
    if (!creates || this.parentheses > 0) return;
    if (word === 'BEGIN') this.bodies++;
    else if (word === 'CASE' && this.bodies > 0) this.bodies++;
    else if (word === 'END' && this.bodies > 0) this.bodies--;
  }

  #noteSetting(): void {
    const found = /set\s+standard_conforming_strings\s*(?:=|to)\s*'?(\w+)/i.exec(this.text);
    if (found !== null) this.standardStrings = /^(?:on|true|1)$/i.test(found[1]!);
  }
}

export function splitBlocks(script: string): Block[] {
  const blocks: Block[] = [];
  const scanner = new Scanner();
  let echo: string[] = [];
  let first = 0;
  const lines = script.split('\n');
  const finish = (): void => {
    if (echo.length > 0) blocks.push({ line: first, echo, text: scanner.text });
    echo = [];
    scanner.text = '';
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!.replace(/\r$/, '');
    if (line !== '') {
      if (echo.length === 0) first = index + 1;
      echo.push(line);
    }
    if (!scanner.line(line)) continue;
    const reads = /^\s*copy\b[^;]*\bfrom\s+stdin\b/i.test(scanner.text);
    finish();
    // Rows that follow a COPY are read, not echoed.
    if (reads) while (index + 1 < lines.length && lines[++index] !== '\\.');
  }
  finish();
  return blocks;
}

/**
 * The answer to each block in an output; null from the block on that the output does not reach any more.
 * A block's lines stand together in the output, since psql prints nothing between the lines of one statement.
 */
export function splitOutput(blocks: readonly Block[], output: string): (readonly string[] | null)[] {
  const lines = output.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  const starts: number[] = [];
  const answers: (readonly string[] | null)[] = blocks.map(() => null);
  let from = 0;
  let block = 0;
  for (; block < blocks.length; block++) {
    const start = findEcho(lines, blocks[block]!.echo, from);
    if (start < 0) break;
    starts.push(start);
    from = start + blocks[block]!.echo.length;
  }
  for (let index = 0; index < block; index++) {
    const begin = starts[index]! + blocks[index]!.echo.length;
    answers[index] = lines.slice(begin, index + 1 < block ? starts[index + 1] : lines.length);
  }
  return answers;
}

function findEcho(lines: readonly string[], echo: readonly string[], from: number): number {
  for (let at = from; at + echo.length <= lines.length; at++) {
    let same = 0;
    while (same < echo.length && lines[at + same] === echo[same]) same++;
    if (same === echo.length) return at;
  }
  return -1;
}
