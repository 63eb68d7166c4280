/** Where a position in SQL text is: for markers and the caret. */
export interface TextPlace {
  /** From 1. */
  line: number;
  column: number;
}

/** Server positions count characters (code points) from 1; editors count UTF-16 units in lines. */
export function placeOfPosition(text: string, position: number): TextPlace {
  let offset = 0;
  for (let count = 1; count < position && offset < text.length; count++) {
    offset += (text.codePointAt(offset) as number) > 0xffff ? 2 : 1;
  }
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

/** End of the word at a place, for the length of a marker. */
export function wordEnd(text: string, place: TextPlace): number {
  const line = text.split('\n')[place.line - 1] ?? '';
  let end = place.column - 1;
  while (end < line.length && /[\p{L}\p{N}_$]/u.test(line[end])) end++;
  return Math.max(end + 1, place.column + 1);
}
