/** Indents JSON text without reading its values, so that no number loses a digit. Text that is not JSON comes back as it is. */
export function indentJson(text: string): string {
  let out = '';
  let depth = 0;
  const newLine = (): string => `\n${'  '.repeat(depth)}`;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      out += text.slice(at, end + 1);
      at = end;
    } else if (character === '{' || character === '[') {
      const rest = /^\s*[}\]]/.exec(text.slice(at + 1, at + 200));
      if (rest !== null) {
        out += `${character}${rest[0].trim()}`;
        at += rest[0].length;
        continue;
      }
      depth++;
      out += character + newLine();
    } else if (character === '}' || character === ']') {
      depth = Math.max(0, depth - 1);
      out += newLine() + character;
    } else if (character === ',') out += `,${newLine()}`;
    else if (character === ':') out += ': ';
    else if (!/\s/.test(character)) out += character;
  }
  return out;
}
