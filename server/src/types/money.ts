/** money: an int64 of cents, shown as the C and en_US locales do. */
import { DbError } from '../base/error.ts';
import { isSpace } from './numeric-text.ts';
import { invalidSyntax, outOfRange } from './scalars.ts';

const MAX = 9223372036854775807n;
const MIN = -9223372036854775808n;
/** Digits behind the point. */
export const MONEY_DIGITS = 2;

export function parseMoney(text: string): bigint {
  let at = 0;
  const skipSpace = (): void => {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  };
  const skipSymbol = (): void => {
    skipSpace();
    if (text[at] === '$') at++;
    skipSpace();
  };
  const isDigitAt = (index: number): boolean => {
    const code = text.charCodeAt(index);
    return code >= 48 && code <= 57;
  };
  skipSymbol();
  let isNegative = false;
  if (text[at] === '-' || text[at] === '(') {
    isNegative = true;
    at++;
  } else if (text[at] === '+') at++;
  skipSymbol();
  let value = 0n;
  let hasPoint = false;
  let decimals = 0;
  for (; at < text.length; at++) {
    if (isDigitAt(at) && (!hasPoint || decimals < MONEY_DIGITS)) {
      value = value * 10n - BigInt(text.charCodeAt(at) - 48);
      if (value < MIN) throw outOfRange('money', text);
      if (hasPoint) decimals++;
    } else if (text[at] === '.' && !hasPoint) hasPoint = true;
    else if (text[at] !== ',') break;
  }
  // Collected as a negative number, which reaches one further than a positive one.
  if (isDigitAt(at) && text.charCodeAt(at) >= 53) value -= 1n;
  for (; decimals < MONEY_DIGITS; decimals++) value *= 10n;
  if (value < MIN) throw outOfRange('money', text);
  while (isDigitAt(at)) at++;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (isSpace(text.charCodeAt(at)) || character === ')' || character === '+' || character === '$') continue;
    if (character !== '-') throw invalidSyntax('money', text);
    isNegative = true;
  }
  if (isNegative) return value;
  if (value === MIN) throw outOfRange('money', text);
  return -value;
}

export function formatMoney(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(MONEY_DIGITS + 1, '0');
  let whole = digits.slice(0, -MONEY_DIGITS);
  let grouped = '';
  while (whole.length > 3) {
    grouped = `,${whole.slice(-3)}${grouped}`;
    whole = whole.slice(0, -3);
  }
  return `${value < 0n ? '-' : ''}$${whole}${grouped}.${digits.slice(-MONEY_DIGITS)}`;
}

function moneyOutOfRange(): DbError {
  return new DbError('numeric_value_out_of_range', 'money out of range');
}

/** The result of exact arithmetic; 22003 beyond 64 bits. */
export function checkMoney(value: bigint): bigint {
  if (value > MAX || value < MIN) throw moneyOutOfRange();
  return value;
}

/** A product or quotient with a float, rounded half to even. */
export function moneyFromFloat(value: number): bigint {
  const floor = Math.floor(value);
  const rest = value - floor;
  const rounded = rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  if (!Number.isFinite(rounded) || rounded >= Number(MAX) || rounded < Number(MIN)) throw moneyOutOfRange();
  return BigInt(rounded);
}

const SMALL = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
] as const;
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const;

/** Words for 0 … 999, with the small oddities of the original ("one hundred", "one hundred and one"). */
function smallWords(value: number): string {
  if (value < 20) return SMALL[value]!;
  const rest = value % 100;
  const hundreds = Math.floor(value / 100);
  if (rest === 0) return `${SMALL[hundreds]} hundred`;
  const tens = TENS[Math.floor(rest / 10) - 2] ?? '';
  if (value > 99) {
    if (value % 10 === 0 && rest > 10) return `${SMALL[hundreds]} hundred ${tens}`;
    if (rest < 20) return `${SMALL[hundreds]} hundred and ${SMALL[rest]}`;
    return `${SMALL[hundreds]} hundred ${tens} ${SMALL[rest % 10]}`;
  }
  if (value % 10 === 0 && rest > 10) return tens;
  return `${tens} ${SMALL[rest % 10]}`;
}

const GROUPS: readonly (readonly [bigint, string])[] = [
  [10n ** 17n, ' quadrillion '],
  [10n ** 14n, ' trillion '],
  [10n ** 11n, ' billion '],
  [10n ** 8n, ' million '],
  [10n ** 5n, ' thousand '],
];

/** cash_words: the amount in English. */
export function moneyWords(value: bigint): string {
  const amount = value < 0n ? -value : value;
  let words = value < 0n ? 'minus ' : '';
  for (const [unit, name] of GROUPS) {
    const count = Number((amount / unit) % 1000n);
    if (count !== 0) words += smallWords(count) + name;
  }
  const hundreds = Number((amount / 100n) % 1000n);
  if (hundreds !== 0) words += smallWords(hundreds);
  const dollars = amount / 100n;
  if (dollars === 0n) words += 'zero';
  const cents = Number(amount % 100n);
  words += dollars === 1n ? ' dollar and ' : ' dollars and ';
  words += smallWords(cents) + (cents === 1 ? ' cent' : ' cents');
  return words[0]!.toUpperCase() + words.slice(1);
}

export function moneyDivisionByZero(): DbError {
  return new DbError('division_by_zero', 'division by zero');
}
