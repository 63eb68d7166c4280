/** LIKE with a constant pattern, compiled to string searches. No pattern ever becomes a RegExp. */

type Matcher = (text: string) => boolean;

const LIKE_SOURCES = new Map<string, boolean>([
  ['textlike', false],
  ['textnlike', true],
  ['namelike', false],
  ['namenlike', true],
]);

/** Matcher of the function `source` with `pattern`, or null when it is not LIKE or the pattern needs the general function. */
export function likeMatcher(source: string, pattern: string): Matcher | null {
  const negated = LIKE_SOURCES.get(source);
  if (negated === undefined) return null;
  const match = compileLike(pattern);
  if (match === null) return null;
  return negated ? (text) => !match(text) : match;
}

/** Null for patterns with `_` (one character may be two UTF-16 units) or a trailing backslash: those go to the general function. */
export function compileLike(pattern: string): Matcher | null {
  const pieces: string[] = [];
  let piece = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    if (character === '_') return null;
    if (character === '\\') {
      index++;
      if (index >= pattern.length) return null;
      piece += pattern[index]!;
    } else if (character === '%') {
      pieces.push(piece);
      piece = '';
    } else piece += character;
  }
  pieces.push(piece);
  if (pieces.length === 1) {
    const whole = pieces[0]!;
    return (text) => text === whole;
  }
  const first = pieces[0]!;
  const last = pieces[pieces.length - 1]!;
  const middle = pieces.slice(1, -1).filter((text) => text !== '');
  if (middle.length === 0) {
    if (last === '') return first === '' ? () => true : (text) => text.startsWith(first);
    if (first === '') return (text) => text.endsWith(last);
    const shortest = first.length + last.length;
    return (text) => text.length >= shortest && text.startsWith(first) && text.endsWith(last);
  }
  if (middle.length === 1 && first === '' && last === '') {
    const infix = middle[0]!;
    return (text) => text.includes(infix);
  }
  return (text) => {
    if (!text.startsWith(first)) return false;
    let position = first.length;
    for (const infix of middle) {
      const found = text.indexOf(infix, position);
      if (found < 0) return false;
      position = found + infix.length;
    }
    return text.length - last.length >= position && text.endsWith(last);
  };
}
