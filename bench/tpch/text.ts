/** Pseudo text after clause 4.2.2.14: a pool of grammatical nonsense from which comments are cut. */
import { Stream } from './random.ts';
import {
  ADJECTIVES,
  ADVERBS,
  AUXILIARIES,
  GRAMMAR,
  NOUN_PHRASES,
  NOUNS,
  PREPOSITIONS,
  TERMINATORS,
  VERB_PHRASES,
  VERBS,
  type Weighted,
} from './words.ts';

/** The specification cuts from 300 MB; what matters to storage and LIKE is reached with far less. */
const POOL_BYTES = 16 << 20;

/** Draws by weight through a table of cumulative weights. */
function picker(words: Weighted): (stream: Stream) => string {
  const expanded = words.flatMap(([word, weight]) => new Array<string>(weight).fill(word));
  return (stream) => expanded[stream.between(0, expanded.length - 1)];
}

const noun = picker(NOUNS);
const verb = picker(VERBS);
const adjective = picker(ADJECTIVES);
const adverb = picker(ADVERBS);
const preposition = picker(PREPOSITIONS);
const auxiliary = picker(AUXILIARIES);
const terminator = picker(TERMINATORS);
const grammar = picker(GRAMMAR);
const nounPhrase = picker(NOUN_PHRASES);
const verbPhrase = picker(VERB_PHRASES);

function nouns(stream: Stream): string {
  switch (nounPhrase(stream)) {
    case 'N':
      return noun(stream);
    case 'J N':
      return `${adjective(stream)} ${noun(stream)}`;
    case 'J; J N':
      return `${adjective(stream)}, ${adjective(stream)} ${noun(stream)}`;
    default:
      return `${adverb(stream)} ${adjective(stream)} ${noun(stream)}`;
  }
}

function verbs(stream: Stream): string {
  switch (verbPhrase(stream)) {
    case 'V':
      return verb(stream);
    case 'X V':
      return `${auxiliary(stream)} ${verb(stream)}`;
    case 'V D':
      return `${verb(stream)} ${adverb(stream)}`;
    default:
      return `${auxiliary(stream)} ${verb(stream)} ${adverb(stream)}`;
  }
}

function sentence(stream: Stream): string {
  let text = '';
  for (const part of grammar(stream).split(' ')) {
    switch (part) {
      case 'N':
        text += `${text === '' ? '' : ' '}${nouns(stream)}`;
        break;
      case 'V':
        text += ` ${verbs(stream)}`;
        break;
      case 'P':
        text += ` ${preposition(stream)} the ${nouns(stream)}`;
        break;
      default:
        text += terminator(stream);
    }
  }
  return text;
}

let pool: Buffer | null = null;

/** The pool: the same bytes in every process. */
export function textPool(): Buffer {
  if (pool !== null) return pool;
  const stream = new Stream(19920101, 'text pool');
  const bytes = Buffer.alloc(POOL_BYTES);
  let length = 0;
  while (length < POOL_BYTES) length += bytes.write(`${sentence(stream)} `, length, 'latin1');
  pool = bytes;
  return bytes;
}

/** Copies a comment of random length in [low, high] to `target` at `offset`; returns the end. */
export function writeText(stream: Stream, low: number, high: number, target: Buffer, offset: number): number {
  const source = textPool();
  const length = stream.between(low, high);
  const start = stream.between(0, source.length - length - 1);
  return offset + source.copy(target, offset, start, start + length);
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, ';

/** Random v-string of clause 4.2.2.7. */
export function writeVString(
  stream: Stream,
  low: number,
  high: number,
  target: Buffer,
  offset: number,
): number {
  const length = stream.between(low, high);
  for (let index = 0; index < length; index++)
    target[offset + index] = ALPHABET.charCodeAt(stream.between(0, 63));
  return offset + length;
}
