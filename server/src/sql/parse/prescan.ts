/**
 * Decides where a text is parsed: here on the main thread when it is short and shallow, else on a worker with a large stack.
 *
 * Depth is estimated from above: each open parenthesis, each operator or nesting keyword of an unfinished list item may be
 * one level of the syntax tree. Commas end an item. The main thread's stack takes about 1,000 levels.
 */
import { TOKEN_OPERATOR, TOKEN_SELF, TOKEN_TYPECAST, TOKEN_WORD, tokenise } from './lexer.ts';

/** Text up to this size costs at most about 0.5 ms to parse. */
export const MAIN_THREAD_SIZE_MAX = 32 * 1024;
export const MAIN_THREAD_DEPTH_MAX = 400;

export interface Prescan {
  /** Parse here. */
  isLight: boolean;
  /** Upper estimate of nesting, capped. */
  depth: number;
}

const NESTING_WORDS = new Set([
  'not',
  'case',
  'union',
  'except',
  'intersect',
  'join',
  'is',
  'like',
  'ilike',
  'in',
  'between',
  'at',
  'collate',
  'isnull',
  'notnull',
  'and',
  'or',
  'over',
  'select',
]);

export function prescan(text: string): Prescan {
  if (text.length > MAIN_THREAD_SIZE_MAX) return { isLight: false, depth: Number.POSITIVE_INFINITY };
  // A text of n characters cannot nest deeper than n levels.
  if (text.length <= MAIN_THREAD_DEPTH_MAX) return { isLight: true, depth: text.length };
  const tokens = tokenise(text);
  if (!tokens.ok) return { isLight: text.length <= 4 * MAIN_THREAD_DEPTH_MAX, depth: text.length };
  const stack: number[] = [];
  let level = 0;
  let outer = 0;
  let depth = 0;
  for (let index = 0; index < tokens.count; index++) {
    const kind = tokens.kinds[index];
    if (kind === TOKEN_SELF) {
      switch (text.charCodeAt(tokens.starts[index])) {
        case 40:
        case 91:
          stack.push(level);
          outer += level + 1;
          level = 0;
          break;
        case 41:
        case 93:
          if (stack.length > 0) {
            level = stack.pop()!;
            outer -= level + 1;
          }
          break;
        case 44:
        case 59:
          level = 0;
          break;
        default:
          level++;
      }
    } else if (kind === TOKEN_OPERATOR) level += tokens.ends[index] - tokens.starts[index];
    else if (kind === TOKEN_TYPECAST) level++;
    else if (kind === TOKEN_WORD) {
      const size = tokens.ends[index] - tokens.starts[index];
      if (size <= 9 && NESTING_WORDS.has(text.slice(tokens.starts[index], tokens.ends[index]).toLowerCase()))
        level++;
    }
    if (outer + level > depth) depth = outer + level;
  }
  return { isLight: depth <= MAIN_THREAD_DEPTH_MAX, depth };
}
