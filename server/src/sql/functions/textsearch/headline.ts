/** ts_headline: the part of a document that shows a query best, its words marked. */
import { DbError } from '../../../base/error.ts';
import { type QueryWord, queryWords, type TsQuery } from '../../../types/textsearch/query.ts';
import type { FunctionContext } from '../contract.ts';
import { parseDictionaryOptions, type TextSearch } from './configuration.ts';
import { evaluateQuery, type WordTest } from './match.ts';
import { TOKEN, tokenize } from './parser.ts';

interface Word {
  readonly text: string;
  readonly type: number;
  /** Words of the query that this one is. */
  readonly items: QueryWord[];
  readonly position: number;
  isIn: boolean;
}

export interface HeadlineOptions {
  minWords: number;
  maxWords: number;
  shortWord: number;
  maxFragments: number;
  highlightAll: boolean;
  startMark: string;
  stopMark: string;
  delimiter: string;
}

const NOT_SHOWN = new Set<number>([TOKEN.URL, TOKEN.COMPOUND_NUMBER, TOKEN.COMPOUND_ASCII, TOKEN.COMPOUND]);
const NUMBERS = new Set<number>([
  TOKEN.SCIENTIFIC,
  TOKEN.VERSION,
  TOKEN.DECIMAL,
  TOKEN.SIGNED,
  TOKEN.UNSIGNED,
]);
const isNoWord = (type: number): boolean => type === TOKEN.BLANK || type === TOKEN.TAG || NOT_SHOWN.has(type);

const MARK_BYTES_MAX = 32767;

export function parseHeadlineOptions(text: string | null): HeadlineOptions {
  const options: HeadlineOptions = {
    minWords: 15,
    maxWords: 35,
    shortWord: 3,
    maxFragments: 0,
    highlightAll: false,
    startMark: '<b>',
    stopMark: '</b>',
    delimiter: ' ... ',
  };
  const integer = (value: string): number => {
    if (!/^\s*[+-]?\d+\s*$/.test(value)) {
      throw new DbError('invalid_text_representation', `invalid input syntax for type integer: "${value}"`);
    }
    return Number(value);
  };
  for (const [name, value] of parseDictionaryOptions(text)) {
    if (name === 'maxwords') options.maxWords = integer(value);
    else if (name === 'minwords') options.minWords = integer(value);
    else if (name === 'shortword') options.shortWord = integer(value);
    else if (name === 'maxfragments') options.maxFragments = integer(value);
    else if (name === 'startsel') options.startMark = value;
    else if (name === 'stopsel') options.stopMark = value;
    else if (name === 'fragmentdelimiter') options.delimiter = value;
    else if (name === 'highlightall') options.highlightAll = /^(?:1|on|true|t|y|yes)$/i.test(value);
    else {
      throw new DbError('invalid_parameter_value', `unrecognized headline parameter: "${name}"`);
    }
  }
  for (const [name, mark] of [
    ['StartSel', options.startMark],
    ['StopSel', options.stopMark],
    ['FragmentDelimiter', options.delimiter],
  ] as const) {
    if (Buffer.byteLength(mark) > MARK_BYTES_MAX) {
      throw new DbError('invalid_parameter_value', `value for "${name}" is too long`);
    }
  }
  if (!options.highlightAll) {
    const refuse = (message: string): never => {
      throw new DbError('invalid_parameter_value', message);
    };
    if (options.minWords >= options.maxWords) refuse('MinWords should be less than MaxWords');
    if (options.minWords <= 0) refuse('MinWords should be positive');
    if (options.shortWord < 0) refuse('ShortWord should be >= 0');
    if (options.maxFragments < 0) refuse('MaxFragments should be >= 0');
  }
  return options;
}

class Headline {
  private readonly words: Word[] = [];
  private readonly options: HeadlineOptions;
  private readonly query: TsQuery;
  private readonly coverMax: number;

  constructor(
    search: TextSearch,
    configuration: number,
    text: string,
    query: TsQuery,
    options: HeadlineOptions,
    context: FunctionContext,
  ) {
    this.options = options;
    this.query = query;
    const cover = Math.max(options.maxWords * 10, 100);
    this.coverMax = options.maxFragments > 0 ? cover * options.maxFragments : cover;
    const wanted = queryWords(query.root);
    const resolved = search.configuration(configuration);
    let position = 0;
    for (const { type, text: token } of tokenize(text)) {
      if (this.words.length % 1000 === 999) context.checkInterrupt?.();
      const lexemes = type === TOKEN.BLANK ? null : search.lexize(resolved, type, token);
      if (lexemes !== null) position++;
      const items = wanted.filter(({ word, isPrefix }) =>
        lexemes?.some((lexeme) => (isPrefix ? lexeme.startsWith(word) : lexeme === word)),
      );
      this.words.push({ text: token, type, items, position, isIn: false });
    }
  }

  text(): string {
    const { options, words } = this;
    if (options.highlightAll) this.mark(0, words.length - 1);
    else if (options.maxFragments === 0) this.markBest();
    else this.markFragments();
    let result = '';
    let isInside = false;
    let fragments = 0;
    for (const word of words) {
      if (!word.isIn) {
        isInside = false;
        continue;
      }
      if (!isInside) {
        isInside = true;
        if (++fragments > 1) result += options.delimiter;
      }
      if (!options.highlightAll && word.type === TOKEN.TAG) result += ' ';
      else if (!NOT_SHOWN.has(word.type)) {
        result += word.items.length > 0 ? options.startMark + word.text + options.stopMark : word.text;
      }
    }
    return result;
  }

  private mark(start: number, end: number): void {
    for (let at = start; at <= end; at++) this.words[at]!.isIn = true;
  }

  private counts(at: number): number {
    return isNoWord(this.words[at]!.type) ? 0 : 1;
  }
  private isItem(at: number): boolean {
    return this.words[at]!.items.length > 0;
  }
  /** A place where a headline should not end: no word, a number or a short word, unless the query has it. */
  private isBadEnd(at: number): boolean {
    const { type, text } = this.words[at]!;
    const isWeak = isNoWord(type) || NUMBERS.has(type) || Buffer.byteLength(text) <= this.options.shortWord;
    return isWeak && !this.isItem(at);
  }
  private nextItem(from: number): number {
    for (let at = from; at < this.words.length; at++) if (this.isItem(at)) return at;
    return -1;
  }

  private covers(start: number, end: number): boolean {
    const { root } = this.query;
    if (root === null) return false;
    const test: WordTest = (wanted, places) => {
      const found: number[] = [];
      for (let at = start; at <= end; at++) {
        const { items, position } = this.words[at]!;
        if (!items.includes(wanted)) continue;
        if (places === null) return 'yes';
        if (found.at(-1) !== position) found.push(position);
      }
      if (found.length === 0) return 'no';
      if (places !== null) places.positions = found;
      return 'yes';
    };
    return evaluateQuery(root, test) !== 'no';
  }

  /** The first part from `from` on that satisfies the query. */
  private cover(from: number): { start: number; end: number } | null {
    let start = this.nextItem(from);
    while (start >= 0) {
      let end = start;
      let nextStart = -1;
      do {
        if (this.covers(start, end)) return { start, end };
        const nextEnd = this.nextItem(end + 1);
        if (end === start) nextStart = nextEnd;
        end = nextEnd;
      } while (end >= 0 && end - start < this.coverMax);
      start = nextStart;
    }
    return null;
  }

  private markBest(): void {
    const { minWords, maxWords } = this.options;
    const { words } = this;
    let best = { start: -1, end: -1, items: -1, hasCover: false };
    for (let found = this.cover(0); found !== null; found = this.cover(found.start + 1)) {
      const { start, end } = found;
      let length = 0;
      let items = 0;
      let first = start;
      let last = start;
      let at = start;
      for (; at <= end && length < maxWords; at++) {
        length += this.counts(at);
        if (this.isItem(at)) items++;
        last = at;
      }
      if (length < maxWords) {
        for (at -= 1; at < words.length && length < maxWords; at++) {
          if (at > end) {
            length += this.counts(at);
            if (this.isItem(at)) items++;
          }
          last = at;
          if (this.isBadEnd(at)) continue;
          if (length >= minWords) break;
        }
        if (length < minWords) {
          for (at = start - 1; at >= 0; at--) {
            length += this.counts(at);
            if (this.isItem(at)) items++;
            if (length >= maxWords) break;
            if (this.isBadEnd(at)) continue;
            if (length >= minWords) break;
          }
          first = Math.max(at, 0);
        }
      } else {
        if (at > end) at = end;
        for (; length > minWords; at--) {
          if (!this.isBadEnd(at)) break;
          length -= this.counts(at);
          if (this.isItem(at)) items--;
          last = at - 1;
        }
      }
      const hasCover = first <= start && last >= end;
      const isBetter =
        (hasCover && !best.hasCover) ||
        (hasCover === best.hasCover &&
          (items > best.items ||
            (items === best.items && best.end >= 0 && !this.isBadEnd(last) && this.isBadEnd(best.end))));
      if (isBetter) best = { start: first, end: last, items, hasCover };
    }
    if (best.items < 0) this.markBeginning();
    else this.mark(best.start, best.end);
  }

  private markBeginning(): void {
    let length = 0;
    let end = -1;
    for (let at = 0; at < this.words.length && length < this.options.minWords; at++) {
      length += this.counts(at);
      end = at;
    }
    this.mark(0, end);
  }

  private markFragments(): void {
    const { maxWords, maxFragments } = this.options;
    const { words } = this;
    interface Cover {
      start: number;
      end: number;
      length: number;
      items: number;
      isOut: boolean;
    }
    const covers: Cover[] = [];
    for (let found = this.cover(0); found !== null; found = this.cover(found.start + 1)) {
      for (let start = found.start; start <= found.end; ) {
        const fragment = this.fragment(start, found.end);
        covers.push({ ...fragment, isOut: false });
        start = fragment.end + 1;
      }
    }
    let chosenCount = 0;
    for (; chosenCount < maxFragments; chosenCount++) {
      let chosen: Cover | null = null;
      for (const cover of covers) {
        if (cover.isOut || cover.items === 0) continue;
        if (
          chosen === null ||
          cover.items > chosen.items ||
          (cover.items === chosen.items && cover.length < chosen.length)
        ) {
          chosen = cover;
        }
      }
      if (chosen === null) break;
      chosen.isOut = true;
      let { start, end, length } = chosen;
      if (length < maxWords) {
        const stretchMax = Math.floor((maxWords - length) / 2);
        let stretch = 0;
        let marker = start;
        for (let at = start - 1; at >= 0 && stretch < stretchMax && !words[at]!.isIn; at--) {
          length += this.counts(at);
          stretch += this.counts(at);
          marker = at;
        }
        let at = marker;
        for (; at < start && this.isBadEnd(at); at++) length -= this.counts(at);
        start = at;
        marker = end;
        for (at = end + 1; at < words.length && length < maxWords && !words[at]!.isIn; at++) {
          length += this.counts(at);
          marker = at;
        }
        at = marker;
        for (; at > end && this.isBadEnd(at); at--) length -= this.counts(at);
        end = at;
      }
      this.mark(start, end);
      for (const cover of covers) {
        if (cover !== chosen && cover.start <= end && cover.end >= start) cover.isOut = true;
      }
    }
    if (chosenCount === 0) this.markBeginning();
  }

  /** At most maxWords words from `from` on, with words of the query at both ends. */
  private fragment(from: number, to: number): { start: number; end: number; length: number; items: number } {
    let start = from;
    for (let at = from; at <= to; at++) {
      start = at;
      if (this.isItem(at)) break;
    }
    let [length, items, end] = [0, 0, to];
    let at = start;
    for (; at <= end && length < this.options.maxWords; at++) {
      length += this.counts(at);
      if (this.isItem(at)) items++;
    }
    if (end > at) {
      end = at;
      for (; at >= start; at--) {
        end = at;
        if (this.isItem(at)) break;
        length -= this.counts(at);
      }
    }
    return { start, end, length, items };
  }
}

export function headline(
  search: TextSearch,
  configuration: number,
  text: string,
  query: TsQuery,
  options: HeadlineOptions,
  context: FunctionContext,
): string {
  return new Headline(search, configuration, text, query, options, context).text();
}
