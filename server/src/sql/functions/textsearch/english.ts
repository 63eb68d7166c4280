/** The English stemmer "Porter2" by its published definition (Snowball), and the English stop words. */

const STOP_WORDS = new Set(
  `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself
  they them their theirs themselves what which who whom this that these those am is are was were be been being have has had having
  do does did doing a an the and but if or because as until while of at by for with about against between into through during
  before after above below to from up down in out on off over under again further then once here there when where why how all any
  both each few more most other some such no nor not only own same so than too very s t can will just don should now`.split(
    /\s+/,
  ),
);

export function isEnglishStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}

const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
  ...['sky', 'news', 'howe', 'atlas', 'cosmos', 'bias', 'andes'].map((word) => [word, word] as const),
]);
const LEFT_AFTER_PLURAL = new Set([
  'inning',
  'outing',
  'canning',
  'herring',
  'earring',
  'proceed',
  'exceed',
  'succeed',
]);

const STEP_TWO: readonly (readonly [string, string])[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['abli', 'able'],
  ['entli', 'ent'],
  ['izer', 'ize'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['alli', 'al'],
  ['fulness', 'ful'],
  ['ousli', 'ous'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['bli', 'ble'],
  ['ogi', 'og'],
  ['fulli', 'ful'],
  ['lessli', 'less'],
  ['li', ''],
];
const STEP_THREE: readonly (readonly [string, string])[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
  ['ative', ''],
];
const STEP_FOUR: readonly string[] = [
  'al',
  'ance',
  'ence',
  'er',
  'ic',
  'able',
  'ible',
  'ant',
  'ement',
  'ment',
  'ent',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
  'ion',
];
const byLength = (left: readonly [string, string], right: readonly [string, string]): number =>
  right[0].length - left[0].length;
const STEP_TWO_SORTED = [...STEP_TWO].sort(byLength);
const STEP_THREE_SORTED = [...STEP_THREE].sort(byLength);
const STEP_FOUR_SORTED = [...STEP_FOUR].sort((left, right) => right.length - left.length);

const isVowel = (letter: string | undefined): boolean => letter !== undefined && 'aeiouy'.includes(letter);

/** Index behind the first non-vowel that follows a vowel, at or after `from`. */
function region(word: string, from: number): number {
  for (let at = from + 1; at < word.length; at++) {
    if (!isVowel(word[at]) && isVowel(word[at - 1])) return at + 1;
  }
  return word.length;
}

function hasVowel(text: string): boolean {
  for (const letter of text) if (isVowel(letter)) return true;
  return false;
}

/** Whether the word ends in a short syllable. */
function endsShort(word: string): boolean {
  const last = word.at(-1);
  if (word.length === 2) return isVowel(word[0]) && !isVowel(last);
  return (
    word.length > 2 &&
    !isVowel(last) &&
    !'wxY'.includes(last!) &&
    isVowel(word.at(-2)) &&
    !isVowel(word.at(-3))
  );
}

/** The stem of a word in lower case. */
export function stemEnglish(input: string): string {
  let word = input;
  if (word.length <= 2) return word;
  const exception = EXCEPTIONS.get(word);
  if (exception !== undefined) return exception;
  if (word[0] === "'") word = word.slice(1);
  // A y that is a consonant is written Y meanwhile.
  let marked = '';
  for (let at = 0; at < word.length; at++) {
    marked += word[at] === 'y' && (at === 0 || isVowel(marked[at - 1])) ? 'Y' : word[at];
  }
  word = marked;

  const special = /^(?:gener|commun|arsen)/.exec(word)?.[0].length;
  const first = special ?? region(word, 0);
  const second = region(word, first);
  const inFirst = (suffix: string): boolean => word.length - suffix.length >= first;
  const inSecond = (suffix: string): boolean => word.length - suffix.length >= second;
  const cut = (count: number): string => word.slice(0, word.length - count);

  const genitive = /'s'$|'s$|'$/.exec(word)?.[0];
  if (genitive !== undefined) word = cut(genitive.length);

  if (word.endsWith('sses')) word = cut(2);
  else if (word.endsWith('ied') || word.endsWith('ies')) word = word.length > 4 ? cut(2) : cut(1);
  else if (word.endsWith('s') && !word.endsWith('us') && !word.endsWith('ss')) {
    if (hasVowel(word.slice(0, -2))) word = cut(1);
  }
  if (LEFT_AFTER_PLURAL.has(word)) return word;

  const past = /(?:eedly|ingly|edly|eed|ing|ed)$/.exec(word)?.[0];
  if (past === 'eed' || past === 'eedly') {
    if (inFirst(past)) word = `${cut(past.length)}ee`;
  } else if (past !== undefined && hasVowel(cut(past.length))) {
    word = cut(past.length);
    if (/(?:at|bl|iz)$/.test(word)) word += 'e';
    else if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(word)) word = cut(1);
    else if (word.length <= first && endsShort(word)) word += 'e';
  }

  if (/[yY]$/.test(word) && word.length > 2 && !isVowel(word.at(-2))) word = `${cut(1)}i`;

  const two = STEP_TWO_SORTED.find(([suffix]) => word.endsWith(suffix));
  if (two !== undefined && inFirst(two[0])) {
    const before = word.at(-two[0].length - 1) ?? '';
    if (two[0] === 'li') {
      if ('cdeghkmnrt'.includes(before) && before !== '') word = cut(2);
    } else if (two[0] !== 'ogi' || before === 'l') word = cut(two[0].length) + two[1];
  }

  const three = STEP_THREE_SORTED.find(([suffix]) => word.endsWith(suffix));
  if (three !== undefined && inFirst(three[0]) && (three[0] !== 'ative' || inSecond(three[0]))) {
    word = cut(three[0].length) + three[1];
  }

  const four = STEP_FOUR_SORTED.find((suffix) => word.endsWith(suffix));
  if (four !== undefined && inSecond(four)) {
    const before = word.at(-four.length - 1);
    if (four !== 'ion' || before === 's' || before === 't') word = cut(four.length);
  }

  if (word.endsWith('e')) {
    if (inSecond('e') || (inFirst('e') && !endsShort(cut(1)))) word = cut(1);
  } else if (word.endsWith('l') && inSecond('l') && word.at(-2) === 'l') word = cut(1);
  return word.replaceAll('Y', 'y');
}
