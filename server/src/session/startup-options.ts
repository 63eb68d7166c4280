/** The `options` startup parameter. */
import { DbError } from '../base/error.ts';

/** The `options` startup parameter: `-c name=value`, `--name=value`, backslash quotes blanks. */
export function parseCommandLineOptions(text: string): [string, string][] {
  const words: string[] = [];
  let word = '';
  let isOpen = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '\\' && index + 1 < text.length) {
      word += text[++index];
      isOpen = true;
    } else if (character === ' ' || character === '\t' || character === '\n') {
      if (isOpen) words.push(word);
      word = '';
      isOpen = false;
    } else {
      word += character;
      isOpen = true;
    }
  }
  if (isOpen) words.push(word);
  const result: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    let assignment: string;
    if (words[index] === '-c') assignment = words[++index] ?? '';
    else if (words[index].startsWith('-c')) assignment = words[index].slice(2);
    else if (words[index].startsWith('--')) assignment = words[index].slice(2);
    else
      throw new DbError(
        'syntax_error',
        `invalid command-line argument for server process: ${words[index]}`,
      ).fatal();
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw new DbError('syntax_error', `-c ${assignment} requires a value`).fatal();
    result.push([assignment.slice(0, equals).replaceAll('-', '_'), assignment.slice(equals + 1)]);
  }
  return result;
}
