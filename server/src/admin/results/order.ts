/** Order and equality of text forms by the type behind them, as the server's operators have them. */
import type { TextColumn } from './column-text.ts';

export type Comparator = (left: number, right: number) => number;

const INT_TYPES = new Set([20, 21, 23, 26]);
const FLOAT_TYPES = new Set([700, 701]);
const DATE_TYPES = new Set([1082, 1114, 1184]);
const NUMERIC = 1700;

/** Compares decimals in text form exactly; NaN is greatest, as in PostgreSQL. */
export function compareNumericText(left: string, right: string): number {
  const leftRank = specialRank(left);
  const rightRank = specialRank(right);
  if (leftRank !== 0 || rightRank !== 0) return leftRank - rightRank;
  const isLeftNegative = left.startsWith('-');
  const isRightNegative = right.startsWith('-');
  if (isLeftNegative !== isRightNegative) {
    if (/^-?0*\.?0*$/.test(left) && /^-?0*\.?0*$/.test(right)) return 0;
    return isLeftNegative ? -1 : 1;
  }
  const order = compareMagnitude(
    isLeftNegative ? left.slice(1) : left,
    isRightNegative ? right.slice(1) : right,
  );
  return isLeftNegative ? -order : order;
}

function specialRank(text: string): number {
  return text === 'NaN' ? 2 : text === 'Infinity' ? 1 : text === '-Infinity' ? -1 : 0;
}

function compareMagnitude(left: string, right: string): number {
  const [leftWhole, leftFraction = ''] = left.split('.');
  const [rightWhole, rightFraction = ''] = right.split('.');
  const leftDigits = leftWhole.replace(/^0+/, '');
  const rightDigits = rightWhole.replace(/^0+/, '');
  if (leftDigits.length !== rightDigits.length) return leftDigits.length - rightDigits.length;
  if (leftDigits !== rightDigits) return leftDigits < rightDigits ? -1 : 1;
  const length = Math.max(leftFraction.length, rightFraction.length);
  const leftTail = leftFraction.padEnd(length, '0');
  const rightTail = rightFraction.padEnd(length, '0');
  return leftTail < rightTail ? -1 : leftTail > rightTail ? 1 : 0;
}

/** A sortable form of ISO dates and timestamps: years before Christ, beyond 9999 and the infinities in their place. */
export function dateKey(text: string): string {
  if (text === '-infinity') return '!';
  if (text === 'infinity') return '~';
  const isBefore = text.endsWith(' BC');
  const dash = text.indexOf('-');
  if (dash < 1) return text;
  const year = Number(text.slice(0, dash));
  const rest = text.slice(dash, isBefore ? -3 : undefined);
  const key = isBefore ? 1_000_000 - year : 1_000_000 + year;
  return String(key).padStart(8, '0') + rest;
}

/** Rows in ascending order of one column; NULL last. */
export function comparatorOf(column: TextColumn, typeOid: number, rowCount: number): Comparator {
  if (INT_TYPES.has(typeOid)) {
    const keys = new BigInt64Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const text = column.get(row);
      if (text !== null) keys[row] = BigInt(text);
    }
    return withNulls(column, (left, right) => (keys[left] < keys[right] ? -1 : keys[left] > keys[right] ? 1 : 0));
  }
  if (FLOAT_TYPES.has(typeOid)) {
    const keys = new Float64Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const text = column.get(row);
      if (text !== null) keys[row] = Number(text);
    }
    return withNulls(column, (left, right) => {
      const difference = keys[left] - keys[right];
      if (!Number.isNaN(difference)) return difference;
      if (keys[left] === keys[right]) return 0;
      const leftNan = Number.isNaN(keys[left]) ? 1 : 0;
      const rightNan = Number.isNaN(keys[right]) ? 1 : 0;
      return leftNan - rightNan;
    });
  }
  if (typeOid === NUMERIC) {
    return withNulls(column, (left, right) =>
      compareNumericText(column.get(left) as string, column.get(right) as string),
    );
  }
  if (DATE_TYPES.has(typeOid)) {
    const keys = new Array<string>(rowCount);
    for (let row = 0; row < rowCount; row++) keys[row] = dateKey(column.get(row) ?? '');
    return withNulls(column, (left, right) => (keys[left] < keys[right] ? -1 : keys[left] > keys[right] ? 1 : 0));
  }
  return withNulls(column, (left, right) => column.compareBytes(left, right));
}

function withNulls(column: TextColumn, compare: Comparator): Comparator {
  return (left, right) => {
    const leftNull = column.isNull(left);
    const rightNull = column.isNull(right);
    if (leftNull || rightNull) return Number(leftNull) - Number(rightNull);
    return compare(left, right);
  };
}

/** Compares a cell's text with an operand by the type. */
export function compareValues(typeOid: number, left: string, right: string): number {
  if (INT_TYPES.has(typeOid) || typeOid === NUMERIC) return compareNumericText(left, right.trim());
  if (FLOAT_TYPES.has(typeOid)) {
    const a = Number(left);
    const b = Number(right);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (DATE_TYPES.has(typeOid)) {
    const a = dateKey(left);
    const b = dateKey(right.trim());
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
