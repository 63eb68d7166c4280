/** to_char of numbers and to_number. Source: PostgreSQL 15 manual 9.8, table 9.29; checked against the server. */
import { DbError } from '../../base/error.ts';
import { Numeric } from '../../types/numeric.ts';
import { numericRound } from '../../types/numeric-core.ts';
import {
  formatNumeric,
  numericFromFloat8,
  numericFromInteger,
  parseNumeric,
} from '../../types/numeric-text.ts';
import { shortestFloat4 } from '../../types/scalars.ts';
import { type FunctionTable, pureTable } from './registry.ts';

type Token =
  | { readonly kind: 'digit'; readonly isZero: boolean }
  | { readonly kind: 'point' | 'group' | 'currency' | 'sign' | 'minus' | 'plus' | 'plusminus' | 'angle' }
  | { readonly kind: 'ordinal'; readonly isUpper: boolean }
  | { readonly kind: 'literal'; readonly text: string };

interface Template {
  readonly tokens: readonly Token[];
  readonly isFill: boolean;
  readonly isRoman: boolean;
  readonly isRomanLower: boolean;
  readonly isScientific: boolean;
  /** Digit positions before and after the point (those after V count as a power of ten). */
  readonly before: number;
  readonly after: number;
  readonly multiplier: number;
  /** Position (among the digits before the point) of the first 0, -1 when there is none. */
  readonly firstZero: number;
  /** Position of the last 0 among all digits, -1. */
  readonly lastZero: number;
  readonly hasPoint: boolean;
}

const cache = new Map<string, Template>();

function syntax(message: string): DbError {
  return new DbError('syntax_error', message);
}

function parse(template: string): Template {
  const known = cache.get(template);
  if (known !== undefined) return known;
  const tokens: Token[] = [];
  let isFill = false;
  let isRoman = false;
  let isRomanLower = false;
  let isScientific = false;
  let before = 0;
  let after = 0;
  let multiplier = 0;
  let firstZero = -1;
  let lastZero = -1;
  let hasPoint = false;
  let hasMultiplier = false;
  for (let at = 0; at < template.length; ) {
    const two = template.slice(at, at + 2).toUpperCase();
    const one = template[at]!.toUpperCase();
    if (template.slice(at, at + 4).toUpperCase() === 'EEEE') {
      if (isScientific) throw syntax('cannot use "EEEE" twice');
      isScientific = true;
      at += 4;
    } else if (two === 'FM') {
      isFill = true;
      at += 2;
    } else if (two === 'MI') {
      tokens.push({ kind: 'minus' });
      at += 2;
    } else if (two === 'PL') {
      tokens.push({ kind: 'plus' });
      at += 2;
    } else if (two === 'SG') {
      tokens.push({ kind: 'plusminus' });
      at += 2;
    } else if (two === 'PR') {
      tokens.push({ kind: 'angle' });
      at += 2;
    } else if (two === 'RN') {
      isRoman = true;
      isRomanLower = template[at] === 'r';
      at += 2;
    } else if (two === 'TH') {
      tokens.push({ kind: 'ordinal', isUpper: template[at] === 'T' });
      at += 2;
    } else if (one === '9' || one === '0') {
      if (isScientific) throw syntax(one === '9' ? '"9" must be ahead of "PR"' : '"0" must be ahead of "PR"');
      const isZero = one === '0';
      const position = before + after + multiplier;
      if (isZero) {
        if (firstZero < 0 && !hasPoint && !hasMultiplier) firstZero = before;
        lastZero = position;
      }
      if (hasMultiplier) multiplier++;
      else if (hasPoint) after++;
      else before++;
      tokens.push({ kind: 'digit', isZero });
      at++;
    } else if (one === '.' || one === 'D') {
      if (hasPoint) throw syntax('multiple decimal points');
      if (hasMultiplier) throw syntax('cannot use "V" and decimal point together');
      hasPoint = true;
      tokens.push({ kind: 'point' });
      at++;
    } else if (one === ',' || one === 'G') {
      tokens.push({ kind: 'group' });
      at++;
    } else if (one === 'V') {
      if (hasPoint) throw syntax('cannot use "V" and decimal point together');
      hasMultiplier = true;
      at++;
    } else if (one === 'S') {
      tokens.push({ kind: 'sign' });
      at++;
    } else if (one === 'L') {
      tokens.push({ kind: 'currency' });
      at++;
    } else if (one === 'B' || one === 'C') at++;
    else if (template[at] === '"') {
      let text = '';
      at++;
      while (at < template.length && template[at] !== '"') {
        if (template[at] === '\\' && at + 1 < template.length) at++;
        text += template[at++];
      }
      at++;
      tokens.push({ kind: 'literal', text });
    } else {
      if (template[at] === '\\' && template[at + 1] === '"') at++;
      tokens.push({ kind: 'literal', text: template[at]! });
      at++;
    }
  }
  const result: Template = {
    tokens,
    isFill,
    isRoman,
    isRomanLower,
    isScientific,
    before,
    after,
    multiplier,
    firstZero,
    lastZero,
    hasPoint,
  };
  if (cache.size > 500) cache.clear();
  cache.set(template, result);
  return result;
}

const ROMAN: readonly (readonly [number, string])[] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

function roman(value: Numeric, template: Template): string {
  const rounded = value.kind === 'finite' ? Number(numericRound(value, 0).coefficient) : 0;
  let text = '';
  if (!(rounded >= 1 && rounded <= 3999)) text = '###############';
  else {
    let rest = rounded;
    for (const [amount, letters] of ROMAN) {
      while (rest >= amount) {
        text += letters;
        rest -= amount;
      }
    }
  }
  if (template.isRomanLower) text = text.toLowerCase();
  return template.isFill ? text : text.padStart(15);
}

function scientific(value: Numeric, digits: number): string {
  if (value.kind !== 'finite') return value.kind;
  if (value.coefficient === 0) return `${digits > 0 ? `0.${'0'.repeat(digits)}` : '0'}e+00`;
  const negative = value.coefficient < 0;
  const magnitude = (negative ? -BigInt(value.coefficient) : BigInt(value.coefficient)).toString();
  let exponent = magnitude.length - 1 - value.scale;
  const rounded = numericRound(new Numeric(BigInt(magnitude), magnitude.length - 1), digits);
  let text = formatNumeric(rounded);
  if (text.indexOf('.') >= 2 || (digits === 0 && text.length > 1)) {
    exponent++;
    text = digits > 0 ? `1.${'0'.repeat(digits)}` : '1';
  }
  return `${negative ? '-' : ''}${text}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
}

/** Prints a number by a template; one that does not fit (any number, when there is no digit before the point) prints as #. */
export function numberToChar(value: Numeric, text: string): string {
  const template = parse(text);
  if (text === '') return '';
  if (template.isRoman) return roman(value, template);
  if (template.isScientific) {
    const shown = scientific(value, template.after);
    if (value.kind === 'finite') return shown[0] === '-' ? shown : ` ${shown}`;
    return ` ${'#'.repeat(template.before + template.after + 5)}`;
  }
  let number = value;
  if (template.multiplier > 0 && number.kind === 'finite') {
    number = numericRound(
      new Numeric(BigInt(number.coefficient) * 10n ** BigInt(template.multiplier), number.scale),
      template.after,
    );
  }
  const isNegative = number.kind === '-Infinity' || (number.kind === 'finite' && number.coefficient < 0);
  const integerWidth = template.before + template.multiplier;
  if (number.kind === 'NaN' && integerWidth >= 3) return layout(template, 'NaN', '', false, 'NaN');
  let integer = '#'.repeat(integerWidth);
  let fraction = '#'.repeat(template.after);
  let state: 'fits' | 'overflow' = 'overflow';
  if (number.kind === 'finite' && integerWidth > 0) {
    const shown = formatNumeric(numericRound(number, template.after)).replace('-', '');
    const point = shown.indexOf('.');
    const whole = point < 0 ? shown : shown.slice(0, point);
    const digits = whole === '0' ? '' : whole;
    if (digits.length <= integerWidth) {
      integer = digits;
      fraction = point < 0 ? '' : shown.slice(point + 1);
      state = 'fits';
    }
  }
  // A value that rounds to zero has lost its sign.
  const isShownNegative = isNegative && (state === 'overflow' || /[1-9]/.test(integer + fraction));
  return layout(template, integer, fraction, isShownNegative, state);
}

function layout(
  template: Template,
  integer: string,
  fraction: string,
  isNegative: boolean,
  state: 'fits' | 'overflow' | 'NaN',
): string {
  const { tokens, isFill } = template;
  const integerWidth = template.before + template.multiplier;
  const zeroFrom = template.firstZero >= 0 ? template.firstZero : integerWidth;
  const hasSign = tokens.some((token) => token.kind === 'sign');
  const hasOtherSign = tokens.some((token) => ['minus', 'plusminus', 'angle'].includes(token.kind));
  const hasAngle = tokens.some((token) => token.kind === 'angle');
  // Digits of the fraction that FM keeps: up to the last non-zero one or the last 0 of the template.
  let fractionKept = fraction.length;
  if (isFill && state === 'fits') {
    const lastZeroAfter = template.lastZero - integerWidth;
    while (fractionKept > 0 && fraction[fractionKept - 1] === '0' && fractionKept - 1 > lastZeroAfter)
      fractionKept--;
  }
  // FM keeps one digit when nothing else would be left.
  if (isFill && state === 'fits' && integer === '' && fractionKept === 0 && integerWidth > 0) integer = '0';
  const missing = integerWidth - integer.length;
  const body: string[] = [];
  let numberAt = -1;
  let position = 0;
  let fractionPosition = 0;
  let isStarted = false;
  let isAfterPoint = false;
  let signAt = -1;
  const startSign = (): void => {
    if (signAt < 0) signAt = body.length;
  };
  const firstDigit = Math.min(missing, zeroFrom);
  const numberEndsBlank = integer === '' && template.after === 0;
  for (const token of tokens) {
    switch (token.kind) {
      case 'digit':
        if (numberAt < 0) numberAt = body.length;
        if (!isAfterPoint) {
          const isLast = position === integerWidth - 1;
          if (position < firstDigit && !(isLast && numberEndsBlank && zeroFrom >= integerWidth)) {
            if (!isFill) body.push(' ');
          } else {
            if (!isStarted) startSign();
            isStarted = true;
            body.push(position < missing ? '0' : integer[position - missing]!);
          }
          position++;
        } else {
          if (fractionPosition < fractionKept) body.push(fraction[fractionPosition]!);
          fractionPosition++;
        }
        break;
      case 'point':
        isAfterPoint = true;
        if (numberAt < 0) numberAt = body.length;
        if (state === 'NaN') break;
        if (!isStarted) startSign();
        isStarted = true;
        body.push('.');
        break;
      case 'group':
        if (isStarted) body.push(',');
        else if (!isFill) body.push(' ');
        break;
      case 'currency':
        body.push(isFill ? '' : ' ');
        break;
      case 'minus':
        body.push(isNegative ? '-' : isFill ? '' : ' ');
        break;
      case 'plus':
        body.push(isNegative ? (isFill ? '' : ' ') : '+');
        break;
      case 'plusminus':
        body.push(isNegative ? '-' : '+');
        break;
      case 'ordinal':
        if (!isNegative && !template.hasPoint && state === 'fits') {
          const digits = integer === '' ? '0' : integer;
          const last = Number(digits.at(-1));
          const suffix =
            digits.at(-2) === '1' ? 'th' : last === 1 ? 'st' : last === 2 ? 'nd' : last === 3 ? 'rd' : 'th';
          body.push(token.isUpper ? suffix.toUpperCase() : suffix);
        }
        break;
      case 'literal':
        body.push(token.text);
        break;
      default:
        break;
    }
  }
  // The sign stands at the first digit: a template without one has no place for it.
  if (numberAt < 0) return body.join('');
  if (signAt < 0) signAt = body.length;
  if (hasAngle) {
    if (isNegative) {
      body.splice(signAt, 0, '<');
      body.push('>');
    } else if (!isFill) {
      body.splice(Math.max(numberAt, 0), 0, ' ');
      body.push(' ');
    }
    return body.join('');
  }
  if (hasSign) {
    const signIndex = tokens.findIndex((token) => token.kind === 'sign');
    const isFront = !tokens
      .slice(0, signIndex)
      .some((token) => token.kind === 'digit' || token.kind === 'point');
    const sign = isNegative ? '-' : '+';
    if (isFront) body.splice(signAt, 0, sign);
    else body.push(sign);
    return body.join('');
  }
  if (hasOtherSign) return body.join('');
  if (isNegative) body.splice(signAt, 0, '-');
  else if (!isFill) body.splice(Math.max(numberAt, 0), 0, ' ');
  return body.join('');
}

/** C's %.*f: exact ties go to the even digit. */
function fixedDecimals(value: number, decimals: number, shortest: string): string {
  if (Math.abs(value) >= 1e21 || decimals > 100) return shortest;
  const scaled = value * 10 ** decimals;
  const isTie =
    decimals < 15 && Math.abs(scaled % 1) === 0.5 && Number.isInteger(value * 2 ** (decimals + 1));
  if (!isTie) return value.toFixed(decimals);
  const down = Math.floor(scaled);
  return ((down % 2 === 0 ? down : down + 1) / 10 ** decimals).toFixed(decimals);
}

/** Floats print with the digits their type can hold. */
function floatToChar(value: number, text: string, isSingle: boolean): string {
  const template = parse(text);
  if (template.isRoman) return roman(numericFromFloat8(value), template);
  if (template.isScientific && Number.isFinite(value)) {
    const shown = value.toExponential(template.after).replace(/e([+-])(\d)$/, 'e$10$2');
    return shown[0] === '-' ? shown : ` ${shown}`;
  }
  if (!Number.isFinite(value)) return numberToChar(numericFromFloat8(value), text);
  const shortest = isSingle ? shortestFloat4(value) : String(value);
  return numberToChar(
    parseNumeric(template.multiplier === 0 ? fixedDecimals(value, template.after, shortest) : shortest),
    text,
  );
}

/** Reads a number by a template: digits, sign, point; everything else is skipped. */
export function toNumber(text: string, templateText: string): Numeric | null {
  if (templateText === '') return null;
  const template = parse(templateText);
  if (template.isScientific) throw new DbError('feature_not_supported', '"EEEE" not supported for input');
  if (template.isRoman) throw new DbError('feature_not_supported', '"RN" not supported for input');
  let digits = '';
  let fraction = '';
  let isNegative = false;
  let isAfterPoint = false;
  let at = 0;
  const sign = (): void => {
    if (text[at] === '-' || text[at] === '<') {
      isNegative = true;
      at++;
    } else if (text[at] === '+') at++;
  };
  while (text[at] === ' ') at++;
  for (const token of template.tokens) {
    if (at >= text.length) break;
    switch (token.kind) {
      case 'digit': {
        while (text[at] === ' ') at++;
        if (digits === '' && fraction === '') sign();
        if (!isAfterPoint && text[at] === '.' && template.hasPoint === false) break;
        // Each digit of the template passes over one character, whatever it is.
        const isPoint = text[at] === '.' && !isAfterPoint;
        if (isPoint) {
          isAfterPoint = true;
          at++;
        }
        if (/\d/.test(text[at] ?? '')) {
          if (isAfterPoint) fraction += text[at];
          else digits += text[at];
          at++;
        } else if (text[at] !== undefined && !isPoint) at++;
        break;
      }
      case 'point':
        isAfterPoint = true;
        if (text[at] === '.') at++;
        break;
      case 'group':
        if (text[at] === ',') at++;
        break;
      case 'sign':
      case 'minus':
      case 'plus':
      case 'plusminus':
      case 'angle':
        sign();
        break;
      case 'currency':
        if (!/[\d.,+-]/.test(text[at] ?? '')) at++;
        break;
      case 'literal':
        at += token.text.length;
        break;
      default:
        break;
    }
  }
  if (text.trimEnd().endsWith('-')) isNegative = true;
  if (digits === '' && fraction === '')
    throw new DbError(
      'invalid_text_representation',
      `invalid input syntax for type numeric: "${isNegative ? '-' : ' '}"`,
    );
  const number = parseNumeric(
    `${isNegative ? '-' : ''}${digits === '' ? '0' : digits}${fraction === '' ? '' : `.${fraction}`}`,
  );
  if (template.multiplier === 0) return number;
  return numericRound(
    new Numeric(BigInt(number.coefficient), number.scale + template.multiplier),
    number.scale + template.multiplier,
  );
}

export const numberFormatFunctions: FunctionTable = pureTable({
  int4_to_char: (value: number, template: string) => numberToChar(numericFromInteger(value), template),
  int8_to_char: (value: bigint, template: string) => numberToChar(numericFromInteger(value), template),
  numeric_to_char: numberToChar,
  float4_to_char: (value: number, template: string) => floatToChar(value, template, true),
  float8_to_char: (value: number, template: string) => floatToChar(value, template, false),
  numeric_to_number: toNumber,
});
