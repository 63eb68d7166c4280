/**
 * Are two results the same? Times of a wrong answer are worth nothing.
 *
 * Rows    as a bag; the columns ORDER BY names must also come in the same sequence.
 * Values  exact, but for: a relative difference of 1e-9 where either system computed in floating point, trailing
 *         zeros of decimals, trailing blanks of char(n).
 */
import type { QueryResult } from '../systems/system.ts';

const RELATIVE_ERROR_MAX = 1e-9;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** What differs first, or null. */
export function difference(
  left: QueryResult,
  right: QueryResult,
  orderColumns: readonly string[],
): string | null {
  if (left.columns.length !== right.columns.length)
    return `${left.columns.length} columns against ${right.columns.length}`;
  if (left.rows.length !== right.rows.length) return `${left.rows.length} rows against ${right.rows.length}`;
  const isFloat = left.columns.map((_, column) => left.isFloat[column] || right.isFloat[column]);
  for (const name of orderColumns) {
    const column = left.columns.indexOf(name);
    if (column < 0) continue;
    for (let row = 0; row < left.rows.length; row++) {
      if (!isSame(left.rows[row][column], right.rows[row][column], isFloat[column]))
        return `order: row ${row + 1} has ${name} ${left.rows[row][column]} against ${right.rows[row][column]}`;
    }
  }
  const leftRows = sorted(left, isFloat);
  const rightRows = sorted(right, isFloat);
  for (let row = 0; row < leftRows.length; row++) {
    for (let column = 0; column < isFloat.length; column++) {
      if (!isSame(leftRows[row][column], rightRows[row][column], isFloat[column]))
        return `row ${row + 1} (sorted), ${left.columns[column]}: ${leftRows[row][column]} against ${rightRows[row][column]}`;
    }
  }
  return null;
}

/** Output columns of the outermost ORDER BY of a query, as far as they are named there. */
export function orderColumnsOf(query: string): string[] {
  let outer = '';
  let depth = 0;
  for (const character of query) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (depth === 0) outer += character;
  }
  const list = /\border\s+by\s+([^;]*?)(?:\blimit\b|;|$)/i.exec(outer)?.[1];
  return list === undefined ? [] : list.split(',').map((item) => item.trim().split(/\s+/)[0]);
}

/** One spelling for equal values. */
export function normalised(value: string | null): string | null {
  if (value === null) return null;
  if (!DECIMAL.test(value)) return value.trimEnd();
  const plain = value.includes('.') ? value.replace(/0+$/, '').replace(/\.$/, '') : value;
  return plain === '-0' ? '0' : plain;
}

function isSame(left: string | null, right: string | null, isFloat: boolean): boolean {
  if (left === null || right === null) return left === right;
  if (normalised(left) === normalised(right)) return true;
  if (!isFloat) return false;
  const leftNumber = Number(left);
  const rightNumber = Number(right);
  return (
    Math.abs(leftNumber - rightNumber) <=
    RELATIVE_ERROR_MAX * Math.max(Math.abs(leftNumber), Math.abs(rightNumber))
  );
}

/** Rows by their exact columns first, so that rounding does not decide which row meets which. */
function sorted(result: QueryResult, isFloat: readonly boolean[]): (readonly (string | null)[])[] {
  const columns = isFloat.map((_, column) => column);
  const order = [
    ...columns.filter((column) => !isFloat[column]),
    ...columns.filter((column) => isFloat[column]),
  ];
  const keyed = result.rows.map((row) => ({
    row,
    key: order.map((column) =>
      isFloat[column] && row[column] !== null ? Number(row[column]) : (normalised(row[column]) ?? '\0null'),
    ),
  }));
  keyed.sort((left, right) => {
    for (let index = 0; index < left.key.length; index++) {
      if (left.key[index] < right.key[index]) return -1;
      if (left.key[index] > right.key[index]) return 1;
    }
    return 0;
  });
  return keyed.map(({ row }) => row);
}
