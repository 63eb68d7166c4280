/**
 * What names mean at a place of a statement: tables of the FROM clauses around it with their aliases, CTEs and subqueries with
 * the columns they give. Works on tokens, so that it also works on statements that are not finished.
 */
import { significant, type Token, tokenize } from './lexer.ts';

export interface ScopeItem {
  /** Name by which columns are qualified. */
  readonly alias: string;
  /** A table of the catalog; null for a CTE, a subquery or a function. */
  readonly relation: { readonly schema: string | null; readonly name: string } | null;
  /** Columns of a CTE or subquery; empty when unknown. */
  readonly columns: readonly string[];
  /** 0 for the innermost query. */
  readonly level: number;
}

export interface Scope {
  readonly items: readonly ScopeItem[];
  readonly commonTables: ReadonlyMap<string, readonly string[]>;
  /** Tokens before the caret, the word under it left out. */
  readonly before: readonly Token[];
  /** The word being typed, and where it begins. */
  readonly word: string;
  readonly wordStart: number;
}

/** Columns of a table, empty when it is not known. */
export type ColumnsOf = (schema: string | null, name: string) => readonly string[];

const CLAUSE_ENDS = new Set(
  'where group order having limit offset fetch for union intersect except window returning set values select'.split(
    ' ',
  ),
);
const NOT_ALIASES = new Set([
  ...CLAUSE_ENDS,
  ...'on using join left right full inner cross natural as lateral tablesample from into when matched do nothing default update'.split(
    ' ',
  ),
]);

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'name';
const isMark = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'punctuation' && token.text === text;
const isWord = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'word' && token.text === text;

/** Index behind the parenthesis that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isMark(tokens[at], '(')) depth++;
    else if (isMark(tokens[at], ')') && --depth === 0) return at;
  }
  return tokens.length;
}

/** Reads the scope at an offset of a statement. */
export function scopeAt(text: string, offset: number, columnsOf: ColumnsOf): Scope {
  const tokens = significant(tokenize(text));
  let word = '';
  let wordStart = offset;
  const before: Token[] = [];
  for (const token of tokens) {
    if (token.end < offset || (token.end === offset && !isName(token))) before.push(token);
    else if (token.start < offset && isName(token)) {
      word = text.slice(token.start, offset);
      wordStart = token.start;
    }
  }
  const commonTables = new Map<string, readonly string[]>();
  readCommonTables(tokens, 0, tokens.length, commonTables, columnsOf);
  // Blocks around the caret, outermost first.
  const blocks: { start: number; end: number }[] = [{ start: 0, end: tokens.length }];
  for (let at = 0; at < tokens.length; at++) {
    if (!isMark(tokens[at], '(') || tokens[at].start >= offset) continue;
    const end = closing(tokens, at);
    if (end < tokens.length && tokens[end].start < offset) {
      at = end;
      continue;
    }
    if (['select', 'with', 'update', 'insert', 'delete'].some((verb) => isWord(tokens[at + 1], verb)))
      blocks.push({ start: at + 1, end });
  }
  const items: ScopeItem[] = [];
  for (let level = 0; level < blocks.length; level++) {
    const { start, end } = blocks[blocks.length - 1 - level];
    const part = currentBranch(tokens, start, end, offset);
    items.push(...itemsOf(tokens, part.start, part.end, level, commonTables, columnsOf));
  }
  return { items, commonTables, before, word, wordStart };
}

/** Of `a UNION b`, the side the caret is in. */
function currentBranch(
  tokens: readonly Token[],
  start: number,
  end: number,
  offset: number,
): { start: number; end: number } {
  let from = start;
  let depth = 0;
  for (let at = start; at < end; at++) {
    if (isMark(tokens[at], '(')) depth++;
    else if (isMark(tokens[at], ')')) depth--;
    else if (
      depth === 0 &&
      tokens[at].kind === 'word' &&
      /^(?:union|intersect|except)$/.test(tokens[at].text)
    ) {
      if (tokens[at].start >= offset) return { start: from, end: at };
      from = at + 1;
    }
  }
  return { start: from, end };
}

function readCommonTables(
  tokens: readonly Token[],
  start: number,
  end: number,
  into: Map<string, readonly string[]>,
  columnsOf: ColumnsOf,
): number {
  for (let at = start; at < end; at++) {
    if (!isWord(tokens[at], 'with') || isWord(tokens[at + 1], 'ordinality') || isWord(tokens[at + 1], 'time'))
      continue;
    let next = at + 1;
    if (isWord(tokens[next], 'recursive')) next++;
    while (next < end && isName(tokens[next])) {
      const name = tokens[next].text;
      next++;
      let columns: string[] | null = null;
      if (isMark(tokens[next], '(')) {
        const close = closing(tokens, next);
        columns = tokens
          .slice(next + 1, close)
          .filter(isName)
          .map((token) => token.text);
        next = close + 1;
      }
      if (!isWord(tokens[next], 'as')) break;
      next++;
      while (isWord(tokens[next], 'not') || isWord(tokens[next], 'materialized')) next++;
      if (!isMark(tokens[next], '(')) break;
      const close = closing(tokens, next);
      into.set(name, columns ?? outputColumns(tokens, next + 1, close, into, columnsOf));
      next = close + 1;
      if (!isMark(tokens[next], ',')) break;
      next++;
    }
  }
  return end;
}

/** Names of the columns a query gives. */
function outputColumns(
  tokens: readonly Token[],
  start: number,
  end: number,
  commonTables: ReadonlyMap<string, readonly string[]>,
  columnsOf: ColumnsOf,
): string[] {
  let depth = 0;
  let list = -1;
  let listEnd = end;
  for (let at = start; at < end; at++) {
    if (isMark(tokens[at], '(')) depth++;
    else if (isMark(tokens[at], ')')) depth--;
    else if (depth === 0 && list < 0 && (isWord(tokens[at], 'select') || isWord(tokens[at], 'returning')))
      list = at + 1;
    else if (
      depth === 0 &&
      list >= 0 &&
      tokens[at].kind === 'word' &&
      /^(?:from|where|group|order|union|intersect|except|limit|having|window)$/.test(tokens[at].text)
    ) {
      listEnd = at;
      break;
    }
  }
  if (list < 0) return [];
  if (isWord(tokens[list], 'distinct') || isWord(tokens[list], 'all')) list++;
  const columns: string[] = [];
  let from = list;
  depth = 0;
  for (let at = list; at <= listEnd; at++) {
    if (at < listEnd) {
      if (isMark(tokens[at], '(')) depth++;
      else if (isMark(tokens[at], ')')) depth--;
      if (!isMark(tokens[at], ',') || depth > 0) continue;
    }
    const part = tokens.slice(from, at);
    from = at + 1;
    const last = part[part.length - 1];
    if (last === undefined) continue;
    if (last.text === '*' && (part.length === 1 || isMark(part[part.length - 2], '.'))) {
      const items = itemsOf(tokens, start, end, 0, commonTables, columnsOf);
      const qualifier = part.length >= 3 ? part[part.length - 3].text : null;
      for (const item of items) {
        if (qualifier === null || item.alias === qualifier) columns.push(...columnsOfItem(item, columnsOf));
      }
    } else if (isName(last)) columns.push(last.text);
    else if (isMark(last, ')')) {
      const call = part.findIndex((token) => isMark(token, '('));
      if (call > 0 && isName(part[call - 1])) columns.push(part[call - 1].text);
    }
  }
  return columns;
}

/** Columns of a table, CTE or subquery of the scope. */
export function columnsOfItem(item: ScopeItem, columnsOf: ColumnsOf): readonly string[] {
  return item.relation === null ? item.columns : columnsOf(item.relation.schema, item.relation.name);
}

function itemsOf(
  tokens: readonly Token[],
  start: number,
  end: number,
  level: number,
  commonTables: ReadonlyMap<string, readonly string[]>,
  columnsOf: ColumnsOf,
): ScopeItem[] {
  const items: ScopeItem[] = [];
  let isInFrom = false;
  for (let at = start; at < end; at++) {
    const token = tokens[at];
    if (isMark(token, '(')) {
      at = closing(tokens, at);
      continue;
    }
    const opens =
      isWord(token, 'from') ||
      isWord(token, 'join') ||
      (isWord(token, 'using') && isWord(tokens[start], 'delete')) ||
      (isWord(token, 'into') && at > start) ||
      (isWord(token, 'update') && (at === start || isMark(tokens[at - 1], '('))) ||
      (isInFrom && isMark(token, ','));
    if (token.kind === 'word' && CLAUSE_ENDS.has(token.text)) isInFrom = false;
    if (!opens) continue;
    if (isWord(token, 'from')) isInFrom = true;
    let next = at + 1;
    while (isWord(tokens[next], 'only') || isWord(tokens[next], 'lateral')) next++;
    let relation: ScopeItem['relation'] = null;
    let columns: readonly string[] = [];
    let name = '';
    if (isMark(tokens[next], '(')) {
      const close = closing(tokens, next);
      columns = outputColumns(tokens, next + 1, close, commonTables, columnsOf);
      next = close + 1;
    } else if (
      isName(tokens[next]) &&
      !(tokens[next].kind === 'word' && NOT_ALIASES.has(tokens[next].text))
    ) {
      const parts = [tokens[next].text];
      next++;
      while (isMark(tokens[next], '.') && isName(tokens[next + 1])) {
        parts.push(tokens[next + 1].text);
        next += 2;
      }
      name = parts[parts.length - 1];
      if (isMark(tokens[next], '(') && !isWord(token, 'into')) next = closing(tokens, next) + 1;
      else if (parts.length === 1 && commonTables.has(name)) columns = commonTables.get(name) ?? [];
      else relation = { schema: parts.length > 1 ? parts[parts.length - 2] : null, name };
    } else continue;
    let alias = name;
    if (isWord(tokens[next], 'as')) next++;
    if (
      next < end &&
      isName(tokens[next]) &&
      !(tokens[next].kind === 'word' && NOT_ALIASES.has(tokens[next].text))
    ) {
      alias = tokens[next].text;
      next++;
      if (isMark(tokens[next], '(')) {
        const close = closing(tokens, next);
        const named = tokens.slice(next + 1, close).filter(isName);
        if (named.length > 0 && relation === null) columns = named.map((one) => one.text);
        next = close + 1;
      }
    }
    if (alias !== '') items.push({ alias, relation, columns, level });
    at = next - 1;
  }
  return items;
}
