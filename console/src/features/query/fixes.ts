/** Repairs for an error, derived from the server's words: its HINT, its message, and the names there are. No guessing by a model. */
import type { ApiError } from '../../api/client.ts';
import { type CompletionCatalog, findTable } from '../../lib/sql/complete.ts';
import { significant, tokenize } from '../../lib/sql/lexer.ts';
import { quoteName } from '../../lib/sql/quote.ts';
import { columnsOfItem, scopeAt } from '../../lib/sql/scope.ts';

export interface Fix {
  readonly title: string;
  /** Replaces [start, end) of the text. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A problem marked in the text. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly error: ApiError;
  readonly fixes: readonly Fix[];
}

/** Names like `a` or `a.b` at an offset: the whole chain. */
function nameAt(text: string, offset: number): { start: number; end: number; parts: string[] } | null {
  const tokens = significant(tokenize(text));
  let at = tokens.findIndex((token) => token.start <= offset && offset < token.end);
  if (at < 0 || (tokens[at].kind !== 'word' && tokens[at].kind !== 'name')) return null;
  const isDot = (index: number): boolean => tokens[index]?.text === '.';
  while (at >= 2 && isDot(at - 1)) at -= 2;
  const parts = [tokens[at].text];
  let last = at;
  while (isDot(last + 1) && tokens[last + 2] !== undefined) {
    last += 2;
    parts.push(tokens[last].text);
  }
  return { start: tokens[at].start, end: tokens[last].end, parts };
}

/** Words that differ by few letters. */
export function editDistance(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      current.push(
        Math.min(
          previous[column] + 1,
          current[column - 1] + 1,
          previous[column - 1] + (left[row - 1] === right[column - 1] ? 0 : 1),
        ),
      );
    }
    previous = current;
  }
  return previous[right.length];
}

/** Fixes for an error at an offset of a statement; offsets of the fixes are the statement's. */
export function fixesFor(
  text: string,
  error: ApiError,
  offset: number | null,
  catalog: CompletionCatalog,
): Fix[] {
  const fixes: Fix[] = [];
  const add = (
    start: number,
    end: number,
    replacement: string,
    title = `Replace by ${replacement}`,
  ): void => {
    if (!fixes.some((fix) => fix.start === start && fix.text === replacement))
      fixes.push({ title, start, end, text: replacement });
  };
  const hint = error.hint ?? '';
  const columnsOf = (schema: string | null, name: string): readonly string[] =>
    findTable(catalog, schema, name)?.columns.map((column) => column.name) ?? [];
  const place = offset === null ? null : nameAt(text, offset);

  // HINT: Perhaps you meant to reference the column "o.total" [or the column "c.total"].
  for (const match of hint.matchAll(/(?:column|table alias|relation|mean) "((?:[^"]|"")+)"/g)) {
    if (place === null) break;
    const parts = match[1].split('.');
    // The name as qualified as it was written.
    const written = /table alias/.test(match[0])
      ? [...parts, ...place.parts.slice(1)]
      : place.parts.length < parts.length && place.parts.length === 1 && parts.length === 2
        ? parts
        : parts.slice(-Math.max(place.parts.length, 1));
    add(place.start, place.end, written.map(quoteName).join('.'));
  }
  if (offset === null) return fixes;

  if (error.code === '42703' && place !== null) {
    // No such column: the nearest name in scope.
    const wanted = place.parts[place.parts.length - 1];
    const scope = scopeAt(text, offset, columnsOf);
    const near: { name: string; distance: number }[] = [];
    for (const item of scope.items) {
      if (place.parts.length > 1 && item.alias !== place.parts[0]) continue;
      for (const column of columnsOfItem(item, columnsOf)) {
        const distance = editDistance(column.toLowerCase(), wanted.toLowerCase(), 3);
        if (distance <= Math.min(3, Math.ceil(wanted.length / 2)))
          near.push({
            name: [...(place.parts.length > 1 ? [item.alias] : []), column].map(quoteName).join('.'),
            distance,
          });
      }
    }
    for (const { name } of near.sort((left, right) => left.distance - right.distance).slice(0, 4))
      add(place.start, place.end, name);
  }
  if (error.code === '42P01' && place !== null) {
    // No such table: the same name elsewhere, or a near one.
    const wanted = place.parts[place.parts.length - 1].toLowerCase();
    const near = catalog.tables
      .map((table) => ({ table, distance: editDistance(table.name.toLowerCase(), wanted, 2) }))
      .filter((entry) => entry.distance <= 2)
      .sort((left, right) => left.distance - right.distance)
      .slice(0, 4);
    for (const { table } of near) {
      const isVisible = catalog.searchPath.includes(table.schema);
      add(
        place.start,
        place.end,
        isVisible ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`,
      );
    }
  }
  if (error.code === '42702' && place !== null) {
    // Ambiguous column: once for each table that has it.
    const wanted = place.parts[place.parts.length - 1];
    for (const item of scopeAt(text, offset, columnsOf).items) {
      if (item.level === 0 && columnsOfItem(item, columnsOf).includes(wanted))
        add(place.start, place.end, `${quoteName(item.alias)}.${quoteName(wanted)}`);
    }
  }
  if (error.code === '42803') {
    const match = /column "((?:[^"]|"")+)" must appear in the GROUP BY/.exec(error.message);
    if (match !== null)
      addToGroupBy(text, place === null ? match[1] : text.slice(place.start, place.end), offset, add);
  }
  if (error.code === '42883' && place !== null && /function/.test(error.message)) {
    const wanted = place.parts[place.parts.length - 1].toLowerCase();
    const names = new Set(catalog.functions.map((entry) => entry.name));
    const near = [...names]
      .map((name) => ({ name, distance: editDistance(name, wanted, 2) }))
      .filter((entry) => entry.distance > 0 && entry.distance <= 2)
      .sort((left, right) => left.distance - right.distance)
      .slice(0, 4);
    for (const { name } of near) add(place.start, place.end, quoteName(name));
  }
  const operator = /^operator does not exist: (\S.*?) (\S+) (\S.*)$/.exec(error.message);
  if (error.code === '42883' && operator !== null) {
    // HINT: … add explicit type casts: the right side to the type of the left.
    const tokens = significant(tokenize(text));
    const at = tokens.findIndex((token) => token.start >= offset && token.kind === 'operator');
    const right = tokens[at + 1];
    if (right !== undefined) {
      const chain = nameAt(text, right.start);
      const end = chain?.end ?? right.end;
      if (!/^unknown$/.test(operator[1]))
        add(end, end, `::${operator[1]}`, `Cast the right side to ${operator[1]}`);
    }
  }
  if (error.code === '42601' && /subquery in FROM must have an alias/.test(error.message)) {
    let depth = 0;
    for (const token of significant(tokenize(text))) {
      if (token.start < offset || token.kind !== 'punctuation') continue;
      if (token.text === '(') depth++;
      else if (token.text === ')' && --depth === 0) {
        add(token.end, token.end, ' as subquery', 'Give the subquery an alias');
        break;
      }
    }
  }
  return fixes;
}

type Add = (start: number, end: number, replacement: string, title?: string) => void;

/** Appends an expression to GROUP BY, or makes one where it belongs. */
function addToGroupBy(text: string, expression: string, offset: number, add: Add): void {
  const tokens = significant(tokenize(text));
  let depth = 0;
  let isFound = false;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token.kind === 'punctuation' && token.text === '(') depth++;
    else if (token.kind === 'punctuation' && token.text === ')') depth--;
    if (token.start < offset || token.kind !== 'word' || depth !== 0) continue;
    if (token.text === 'group' && tokens[at + 1]?.text === 'by') {
      add(tokens[at + 1].end, tokens[at + 1].end, ` ${expression},`, `Add ${expression} to GROUP BY`);
      return;
    }
    if (
      [
        'having',
        'window',
        'order',
        'limit',
        'offset',
        'fetch',
        'for',
        'union',
        'intersect',
        'except',
      ].includes(token.text)
    ) {
      add(token.start, token.start, `group by ${expression} `, `Group by ${expression}`);
      isFound = true;
      return;
    }
  }
  if (!isFound) {
    const end = tokens[tokens.length - 1]?.end ?? text.length;
    add(end, end, ` group by ${expression}`, `Group by ${expression}`);
  }
}
