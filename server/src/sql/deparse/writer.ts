/** Output buffer with ruleutils' indentation: keywords start new lines, how far in depends on the nesting. */

export const INDENT_STANDARD = 8;
export const INDENT_JOIN = 4;
export const INDENT_VARIABLE = 4;
/** Beyond this the indentation grows slower and wraps. */
const INDENT_LIMIT = 40;

export class Writer {
  text = '';
  indentLevel: number;
  /** Parentheses only where needed (pretty = true). */
  readonly prettyParens: boolean;
  /** Line breaks and indentation. */
  readonly prettyIndent: boolean;

  constructor(options: { prettyParens: boolean; prettyIndent: boolean; indentLevel?: number }) {
    this.prettyParens = options.prettyParens;
    this.prettyIndent = options.prettyIndent;
    this.indentLevel = options.indentLevel ?? 0;
  }

  write(text: string): void {
    this.text += text;
  }

  /** Starts a line with `keyword` (or just writes it when lines are off). */
  keyword(keyword: string, indentBefore: number, indentAfter: number, indentPlus: number): void {
    if (!this.prettyIndent) {
      this.text += keyword;
      return;
    }
    this.indentLevel += indentBefore;
    this.trimSpaces();
    let amount: number;
    if (this.indentLevel < INDENT_LIMIT) amount = Math.max(this.indentLevel, 0) + indentPlus;
    else {
      amount = INDENT_LIMIT + Math.trunc((this.indentLevel - INDENT_LIMIT) / (INDENT_STANDARD / 2));
      amount = (amount % INDENT_LIMIT) + indentPlus;
    }
    this.text += `\n${' '.repeat(Math.max(amount, 0))}${keyword}`;
    this.indentLevel = Math.max(this.indentLevel + indentAfter, 0);
  }

  trimSpaces(): void {
    let end = this.text.length;
    while (end > 0 && this.text.charCodeAt(end - 1) === 32) end--;
    this.text = this.text.slice(0, end);
  }

  /** Runs `body` and returns what it wrote instead of keeping it. */
  capture(body: () => void): string {
    const before = this.text;
    this.text = '';
    body();
    const captured = this.text;
    this.text = before;
    return captured;
  }
}
