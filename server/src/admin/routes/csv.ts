/** Reading CSV: the head of a file for its preview, and a whole file as it arrives. */
import type { CsvOptions } from '../contract.ts';

/** A field and whether it stood in quotes (then it is never NULL). */
export interface CsvField {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Cuts text into records as it comes; a record may span lines inside quotes. */
export class CsvReader {
  private readonly delimiter: string;
  private readonly quote: string;
  private fields: CsvField[] = [];
  private text = '';
  private isQuoted = false;
  private isInQuotes = false;
  /** The last character was a quote inside quotes: it ends them, or is doubled. */
  private isQuotePending = false;
  private isReturnPending = false;

  constructor(options: CsvOptions) {
    this.delimiter = options.delimiter ?? ',';
    this.quote = options.quote ?? '"';
  }

  /** True when nothing of an unfinished record is held. */
  get isAtRecordStart(): boolean {
    return this.fields.length === 0 && this.text === '' && !this.isQuoted;
  }

  get isInsideQuotes(): boolean {
    return this.isInQuotes && !this.isQuotePending;
  }

  push(chunk: string, record: (fields: CsvField[]) => void): void {
    const { delimiter, quote } = this;
    let start = 0;
    const take = (end: number): void => {
      if (end > start) this.text += chunk.slice(start, end);
    };
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at];
      if (this.isReturnPending) {
        this.isReturnPending = false;
        if (character === '\n') {
          start = at + 1;
          continue;
        }
      }
      if (this.isInQuotes) {
        if (this.isQuotePending) {
          this.isQuotePending = false;
          if (character === quote) {
            // Doubled: one of them is text.
            start = at;
            continue;
          }
          this.isInQuotes = false;
          start = at;
        } else if (character === quote) {
          take(at);
          this.isQuotePending = true;
          start = at + 1;
          continue;
        } else continue;
      }
      if (character === quote && this.text === '' && start === at && !this.isQuoted) {
        this.isInQuotes = true;
        this.isQuoted = true;
        start = at + 1;
      } else if (character === delimiter) {
        take(at);
        this.endField();
        start = at + 1;
      } else if (character === '\n' || character === '\r') {
        take(at);
        this.endRecord(record);
        this.isReturnPending = character === '\r';
        start = at + 1;
      }
    }
    if (!(this.isInQuotes && this.isQuotePending)) take(chunk.length);
  }

  end(record: (fields: CsvField[]) => void): void {
    this.isInQuotes = false;
    this.isQuotePending = false;
    if (!this.isAtRecordStart) this.endRecord(record);
  }

  private endField(): void {
    this.fields.push({ text: this.text, isQuoted: this.isQuoted });
    this.text = '';
    this.isQuoted = false;
  }

  private endRecord(record: (fields: CsvField[]) => void): void {
    this.endField();
    const fields = this.fields;
    this.fields = [];
    // An empty line is no record.
    if (fields.length === 1 && fields[0].text === '' && !fields[0].isQuoted) return;
    record(fields);
  }
}

/** Guesses the delimiter: the one that cuts the first lines into the same number of fields, most of them. */
export function guessDelimiter(sample: string, quote: string): string {
  let best = ',';
  let bestScore = 0;
  for (const delimiter of [',', ';', '\t', '|']) {
    const counts: number[] = [];
    const reader = new CsvReader({ delimiter, quote });
    reader.push(sample.slice(0, 65_536), (fields) => counts.push(fields.length));
    const width = counts[0] ?? 1;
    const score =
      width === 1 ? 0 : (width * counts.filter((count) => count === width).length) / counts.length;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

const PATTERNS: readonly (readonly [string, RegExp])[] = [
  ['integer', /^[+-]?\d{1,9}$/],
  ['bigint', /^[+-]?\d{1,18}$/],
  ['numeric', /^[+-]?(\d+\.?\d*|\.\d+)$/],
  ['double precision', /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/],
  ['boolean', /^(t|f|true|false|yes|no)$/i],
  ['date', /^\d{4}-\d\d-\d\d$/],
  ['timestamp', /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/],
  ['timestamptz', /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/],
  ['uuid', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i],
];

/** The narrowest type that all values fit; numbers with leading zeros stay text (they are codes). */
export function guessType(values: readonly string[]): string {
  if (values.length === 0) return 'text';
  for (const [type, pattern] of PATTERNS) {
    const isNumber =
      type === 'integer' || type === 'bigint' || type === 'numeric' || type === 'double precision';
    if (values.every((value) => pattern.test(value) && !(isNumber && /^[+-]?0\d/.test(value)))) return type;
  }
  return 'text';
}
