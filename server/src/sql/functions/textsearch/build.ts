/** Documents to vectors, and user's words to queries. */

import {
  checkedWord,
  joinNodes,
  type QueryNode,
  readQuery,
  TsQuery,
} from '../../../types/textsearch/query.ts';
import {
  LEXEME_BYTES_MAX,
  type Lexeme,
  makeVector,
  packPosition,
  type TsVector,
} from '../../../types/textsearch/vector.ts';
import type { FunctionContext } from '../contract.ts';
import type { Configuration, TextSearch } from './configuration.ts';
import { TOKEN, tokenize } from './parser.ts';

export interface PlacedWord {
  readonly word: string;
  readonly position: number;
}

/** Collects the words of one or more texts with running positions. */
export class DocumentReader {
  readonly words: PlacedWord[] = [];
  position = 0;
  private readonly search: TextSearch;
  private readonly configuration: Configuration;
  private readonly context: FunctionContext;

  constructor(search: TextSearch, configuration: Configuration, context: FunctionContext) {
    this.search = search;
    this.configuration = configuration;
    this.context = context;
  }

  read(text: string): void {
    let count = 0;
    for (const { type, text: token } of tokenize(text)) {
      if (++count % 1000 === 0) this.context.checkInterrupt?.();
      if (type === TOKEN.BLANK) continue;
      if (Buffer.byteLength(token) > LEXEME_BYTES_MAX) {
        this.context.session.notice('NOTICE', 'word is too long to be indexed');
        continue;
      }
      const lexemes = this.search.lexize(this.configuration, type, token);
      if (lexemes === null) continue;
      this.position++;
      for (const word of lexemes) this.words.push({ word, position: this.position });
    }
  }

  vector(): TsVector {
    return makeVector(
      this.words.map(({ word, position }): Lexeme => ({ word, positions: [packPosition(position, 0)] })),
    );
  }
}

export function documentVector(
  search: TextSearch,
  context: FunctionContext,
  configuration: number,
  texts: Iterable<string>,
  gap = 0,
): TsVector {
  const reader = new DocumentReader(search, search.configuration(configuration), context);
  for (const text of texts) {
    reader.read(text);
    reader.position += gap;
  }
  return reader.vector();
}

/** A query tree in the making: a null word stands where stop words were. */
type Draft =
  | QueryNode
  | { readonly kind: 'stop' }
  | { readonly kind: 'draft-not'; readonly operand: Draft }
  | {
      readonly kind: 'draft-join';
      readonly operator: 'and' | 'or' | 'phrase';
      readonly distance: number;
      readonly left: Draft;
      readonly right: Draft;
    };

const draftJoin = (
  operator: 'and' | 'or' | 'phrase',
  distance: number,
  left: Draft,
  right: Draft,
): Draft => ({ kind: 'draft-join', operator, distance, left, right });

interface Cleaned {
  readonly node: QueryNode | null;
  /** Distance to add on either side for words that were left out. */
  readonly before: number;
  readonly after: number;
}

/** Takes stop words out; phrase distances grow by what is gone. */
function clean(draft: Draft): Cleaned {
  switch (draft.kind) {
    case 'stop':
      return { node: null, before: 0, after: 0 };
    case 'draft-not': {
      const inner = clean(draft.operand);
      return inner.node === null ? inner : { ...inner, node: { kind: 'not', operand: inner.node } };
    }
    case 'draft-join': {
      const left = clean(draft.left);
      const right = clean(draft.right);
      const isPhrase = draft.operator === 'phrase';
      if (left.node === null && right.node === null) {
        const gone = isPhrase
          ? left.before + draft.distance + right.before
          : Math.max(left.before, right.before);
        return { node: null, before: gone, after: gone };
      }
      if (left.node === null) {
        return isPhrase
          ? { node: right.node, before: left.before + draft.distance + right.before, after: right.after }
          : right;
      }
      if (right.node === null) {
        return isPhrase
          ? { node: left.node, before: left.before, after: left.after + draft.distance + right.after }
          : left;
      }
      if (!isPhrase) {
        return { node: joinNodes(draft.operator, 0, left.node, right.node), before: 0, after: 0 };
      }
      const distance = draft.distance + left.after + right.before;
      return {
        node: joinNodes('phrase', distance, left.node, right.node),
        before: left.before,
        after: right.after,
      };
    }
    default:
      return { node: draft, before: 0, after: 0 };
  }
}

export type QueryStyle = 'standard' | 'plain' | 'phrase' | 'web';

export class QueryMaker {
  private readonly search: TextSearch;
  private readonly context: FunctionContext;
  private readonly configuration: Configuration;

  constructor(search: TextSearch, context: FunctionContext, configuration: number) {
    this.search = search;
    this.context = context;
    this.configuration = search.configuration(configuration);
  }

  make(text: string, style: QueryStyle): TsQuery {
    const draft = this.draft(text, style);
    if (draft === null) {
      this.context.session.notice('NOTICE', `text-search query doesn't contain lexemes: "${text}"`);
      return new TsQuery(null);
    }
    const { node } = clean(draft);
    if (node === null) {
      this.context.session.notice(
        'NOTICE',
        "text-search query contains only stop words or doesn't contain lexemes, ignored",
      );
    }
    return new TsQuery(node);
  }

  private draft(text: string, style: QueryStyle): Draft | null {
    if (style === 'plain') return text.trim() === '' ? null : this.words(text, 'and', 0, false);
    if (style === 'phrase') return text.trim() === '' ? null : this.words(text, 'phrase', 0, false);
    if (style === 'web') return this.web(text);
    return readQuery<Draft>(text, {
      word: (word, weights, isPrefix) => this.words(word, 'phrase', weights, isPrefix),
      join: draftJoin,
      not: (operand) => ({ kind: 'draft-not', operand }),
    });
  }

  /** The lexemes of a text: variants of one token are alternatives, tokens are joined by the operator. */
  private words(text: string, operator: 'and' | 'phrase', weights: number, isPrefix: boolean): Draft {
    const reader = new DocumentReader(this.search, this.configuration, this.context);
    reader.read(text);
    const { words } = reader;
    if (words.length === 0) return { kind: 'stop' };
    let result: Draft | null = null;
    const distance = operator === 'phrase' ? 1 : 0;
    const append = (next: Draft): void => {
      result = result === null ? next : draftJoin(operator, distance, result, next);
    };
    let position = 0;
    for (let index = 0; index < words.length; ) {
      const here = words[index]!.position;
      // Stop words keep their places.
      if (position > 0) for (let gone = position + 1; gone < here; gone++) append({ kind: 'stop' });
      position = here;
      let group: Draft | null = null;
      for (; index < words.length && words[index]!.position === here; index++) {
        const next = checkedWord(words[index]!.word, weights, isPrefix);
        group = group === null ? next : draftJoin('and', 0, group, next);
      }
      append(group!);
    }
    return result!;
  }

  /** The language of web search engines: quotes, `or`, a minus in front. Nothing in it is an error. */
  private web(text: string): Draft | null {
    let alternatives: Draft | null = null;
    let conjunction: Draft | null = null;
    let isNegated = false;
    let pendingOr = false;
    const add = (operand: Draft): void => {
      const signed: Draft = isNegated ? { kind: 'draft-not', operand } : operand;
      isNegated = false;
      if (pendingOr && conjunction !== null) {
        alternatives = alternatives === null ? conjunction : draftJoin('or', 0, alternatives, conjunction);
        conjunction = signed;
      } else conjunction = conjunction === null ? signed : draftJoin('and', 0, conjunction, signed);
      pendingOr = false;
    };
    let at = 0;
    while (at < text.length) {
      const character = text[at]!;
      if (character === '"') {
        const end = text.indexOf('"', at + 1);
        const inner = end < 0 ? text.slice(at + 1) : text.slice(at + 1, end);
        at = end < 0 ? text.length : end + 1;
        if (inner.trim() !== '') add(this.words(inner, 'phrase', 0, false));
        continue;
      }
      if (character === '-' && conjunctionStarts(text, at)) {
        isNegated = true;
        at++;
        continue;
      }
      if (/[\s!&|()<:]/.test(character)) {
        at++;
        continue;
      }
      const or = /^or(?=[\s"]|$|[^\p{L}\p{N}_-])/iu.exec(text.slice(at, at + 4));
      if (or !== null && conjunction !== null && !isNegated && /\S/.test(text.slice(at + 2))) {
        pendingOr = true;
        at += 2;
        continue;
      }
      let end = at;
      while (end < text.length && !/[\s"!&|()<]/.test(text[end]!)) end++;
      add(this.words(text.slice(at, end), 'phrase', 0, false));
      at = end;
    }
    if (conjunction === null) return null;
    return alternatives === null ? conjunction : draftJoin('or', 0, alternatives, conjunction);
  }
}

/** A minus negates where a word could begin. */
function conjunctionStarts(text: string, at: number): boolean {
  return at === 0 || /[\s"!&|()<:-]/.test(text[at - 1]!);
}
