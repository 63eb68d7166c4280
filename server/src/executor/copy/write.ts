/** Rows as COPY TO sends them: text, CSV or binary. Pure; the bytes are valid until the next row. */
import type { FormatContext, TypeSupport } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { CopyOptions } from './options.ts';

export interface CopyColumn {
  readonly name: string;
  readonly slot: number;
  readonly support: TypeSupport;
}

export class CopyWriter {
  private readonly columns: readonly CopyColumn[];
  private readonly options: CopyOptions;
  private readonly context: FormatContext;
  private readonly forced: readonly boolean[];
  private buffer = Buffer.allocUnsafeSlow(4096);

  constructor(columns: readonly CopyColumn[], options: CopyOptions, context: FormatContext) {
    this.columns = columns;
    this.options = options;
    this.context = context;
    const { forceQuote } = options;
    this.forced = columns.map((column) => forceQuote === '*' || forceQuote.includes(column.name));
  }

  /** Header line of text or CSV, or null. */
  header(): Uint8Array | null {
    const { options } = this;
    if (options.header === 'none' || options.format === 'binary') return null;
    const names = this.columns.map(({ name }) =>
      options.format === 'csv' ? this.csv(name, false) : this.escaped(name),
    );
    return this.bytes(`${names.join(options.delimiter)}\n`);
  }

  row(frame: readonly Datum[]): Uint8Array {
    const { options, columns, context } = this;
    if (options.format === 'binary') return this.binaryRow(frame);
    const isCsv = options.format === 'csv';
    let line = '';
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index]!;
      if (index > 0) line += options.delimiter;
      const value = frame[column.slot]!;
      if (value === null) line += options.nullText;
      else {
        const text = column.support.output(value, context);
        line += isCsv ? this.csv(text, this.forced[index]!) : this.escaped(text);
      }
    }
    return this.bytes(`${line}\n`);
  }

  private bytes(text: string): Uint8Array {
    const needed = text.length * 3;
    if (needed > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(needed * 2);
    return this.buffer.subarray(0, this.buffer.write(text, 0, 'utf8'));
  }

  private escaped(text: string): string {
    const delimiter = this.options.delimiter.charCodeAt(0);
    let result = '';
    let from = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      let replacement: string;
      switch (code) {
        case 8:
          replacement = '\\b';
          break;
        case 9:
          replacement = '\\t';
          break;
        case 10:
          replacement = '\\n';
          break;
        case 11:
          replacement = '\\v';
          break;
        case 12:
          replacement = '\\f';
          break;
        case 13:
          replacement = '\\r';
          break;
        case 92:
          replacement = '\\\\';
          break;
        default:
          if (code !== delimiter) continue;
          replacement = `\\${text[index]!}`;
      }
      result += text.slice(from, index) + replacement;
      from = index + 1;
    }
    return from === 0 ? text : result + text.slice(from);
  }

  private csv(text: string, forced: boolean): string {
    const { delimiter, quote, escape: escapeCharacter, nullText } = this.options;
    let needsQuotes = forced || text === nullText || (text === '\\.' && this.columns.length === 1);
    if (!needsQuotes) {
      for (let index = 0; index < text.length; index++) {
        const character = text[index]!;
        if (character === delimiter || character === quote || character === '\n' || character === '\r') {
          needsQuotes = true;
          break;
        }
      }
    }
    if (!needsQuotes) return text;
    let result = quote;
    for (const character of text) {
      if (character === quote || character === escapeCharacter) result += escapeCharacter;
      result += character;
    }
    return result + quote;
  }

  private binaryRow(frame: readonly Datum[]): Uint8Array {
    const { columns, context } = this;
    const parts = columns.map(({ slot, support }) => {
      const value = frame[slot]!;
      return value === null ? null : support.send(value, context);
    });
    let size = 2 + 4 * parts.length;
    for (const part of parts) size += part?.length ?? 0;
    if (size > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(size * 2);
    const { buffer } = this;
    buffer.writeInt16BE(parts.length, 0);
    let at = 2;
    for (const part of parts) {
      buffer.writeInt32BE(part === null ? -1 : part.length, at);
      at += 4;
      if (part === null) continue;
      buffer.set(part, at);
      at += part.length;
    }
    return buffer.subarray(0, at);
  }
}
