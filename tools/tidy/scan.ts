/** Reads TypeScript as text: masks what is not code, finds imports. */

/** An import, export-from, dynamic import or `new URL('./x.ts', import.meta.url)`. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
  /** Names between the braces, before `as`. */
  readonly names: readonly string[];
}

/** The source with comments and the insides of strings replaced by blanks; positions and line ends are kept. */
export function maskSource(source: string): string {
  const out = source.split('');
  const blank = (from: number, to: number) => {
    for (let index = from; index < to; index++) if (out[index] !== '\n') out[index] = ' ';
  };
  /** Nesting of template literals: each entry counts the open braces of its current `${`. */
  const templates: number[] = [];
  let index = 0;
  const skipTemplate = () => {
    const start = index;
    while (index < source.length) {
      const character = source[index];
      if (character === '\\') index += 2;
      else if (character === '`') {
        blank(start, index);
        index++;
        return;
      } else if (character === '$' && source[index + 1] === '{') {
        blank(start, index);
        index += 2;
        templates.push(0);
        return;
      } else index++;
    }
    blank(start, index);
  };
  while (index < source.length) {
    const character = source[index]!;
    const next = source[index + 1];
    if (character === '/' && next === '/') {
      let end = source.indexOf('\n', index);
      if (end < 0) end = source.length;
      blank(index, end);
      index = end;
    } else if (character === '/' && next === '*') {
      let end = source.indexOf('*/', index + 2);
      end = end < 0 ? source.length : end + 2;
      blank(index, end);
      index = end;
    } else if (character === "'" || character === '"') {
      let end = index + 1;
      while (end < source.length && source[end] !== character && source[end] !== '\n')
        end += source[end] === '\\' ? 2 : 1;
      blank(index + 1, end);
      index = end + 1;
    } else if (character === '`') {
      index++;
      skipTemplate();
    } else if (character === '/' && startsRegExp(out, index)) {
      const end = endOfRegExp(source, index);
      blank(index + 1, end);
      index = end + 1;
    } else {
      if (templates.length > 0) {
        const top = templates.length - 1;
        if (character === '{') templates[top]!++;
        else if (character === '}' && templates[top]-- === 0) {
          templates.pop();
          index++;
          skipTemplate();
          continue;
        }
      }
      index++;
    }
  }
  return out.join('');
}

/** A slash begins a regular expression where no value can have ended. */
function startsRegExp(masked: readonly string[], slash: number): boolean {
  let index = slash - 1;
  while (index >= 0 && /\s/.test(masked[index]!)) index--;
  if (index < 0) return true;
  const previous = masked[index]!;
  if (/[\w$]/.test(previous)) {
    let start = index;
    while (start > 0 && /[\w$]/.test(masked[start - 1]!)) start--;
    return /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof|yield|await)$/.test(
      masked.slice(start, index + 1).join(''),
    );
  }
  return !/[)\]}'"`]/.test(previous);
}

function endOfRegExp(source: string, slash: number): number {
  let isInClass = false;
  for (let index = slash + 1; index < source.length; index++) {
    const character = source[index];
    if (character === '\\') index++;
    else if (character === '\n') return index;
    else if (character === '[') isInClass = true;
    else if (character === ']') isInClass = false;
    else if (character === '/' && !isInClass) return index;
  }
  return source.length;
}

/** Imports of a source; `masked` is its `maskSource`. */
export function findImports(source: string, masked: string): Import[] {
  const result: Import[] = [];
  const pattern = /\bfrom\s*(['"])|\bimport\s*(['"])|\bimport\s*\(\s*(['"])|\bnew\s+URL\(\s*(['"])/g;
  for (let match = pattern.exec(masked); match; match = pattern.exec(masked)) {
    const start = match.index + match[0].length;
    const end = masked.indexOf(match[1] ?? match[2] ?? match[3] ?? match[4]!, start);
    if (end < 0) continue;
    const specifier = source.slice(start, end);
    if (match[4] && !/^\.{1,2}\/.*\.ts$/.test(specifier)) continue;
    const clause = match[1] ? clauseBefore(masked, match.index) : '';
    if (match[1] && clause === '') continue;
    const braces = /\{([^}]*)\}/.exec(clause);
    const names = (braces?.[1] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const isTypeOnly =
      /^(?:import|export)\s+type\b/.test(clause) ||
      (names.length > 0 &&
        /^(?:import|export)\s*\{/.test(clause) &&
        names.every((name) => /^type\s/.test(name)));
    result.push({
      specifier,
      line: lineOf(source, start),
      isTypeOnly,
      names: names.map((name) => name.replace(/^type\s+/, '').replace(/\s+as\s.*$/, '')),
    });
  }
  return result;
}

/** The text from the `import` or `export` keyword of this statement up to `from`. */
function clauseBefore(masked: string, from: number): string {
  const window = masked.slice(Math.max(0, from - 4000), from);
  const start = Math.max(
    window.lastIndexOf('import '),
    window.lastIndexOf('export '),
    window.lastIndexOf('import{'),
  );
  return start < 0 || window.includes(';', start) ? '' : window.slice(start);
}

/** Line number of a position, counted from 1. */
export function lineOf(source: string, position: number): number {
  let line = 1;
  for (
    let index = source.indexOf('\n');
    index >= 0 && index < position;
    index = source.indexOf('\n', index + 1)
  )
    line++;
  return line;
}
