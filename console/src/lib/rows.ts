/** Rows as text in other formats. Values are PostgreSQL's text forms and are written as they are: nothing is rounded. */
import type { Cell, ResultColumn } from '../api/client.ts';
import { quoteName, quoteValue } from './sql/quote.ts';

export type CopyFormat = 'tsv' | 'csv' | 'json' | 'sql' | 'markdown';
export const COPY_FORMATS: readonly CopyFormat[] = ['tsv', 'csv', 'json', 'sql', 'markdown'];

const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);
const JSON_TYPES = new Set([114, 3802]);
const BOOLEAN = 16;

export function isNumberType(typeOid: number): boolean {
  return NUMBERS.has(typeOid);
}

/** Rows as text, with a line of names where the format has one. */
export function formatRows(
  format: CopyFormat,
  columns: readonly ResultColumn[],
  rows: readonly (readonly Cell[])[],
  options: { table?: string; hasHeader?: boolean } = {},
): string {
  const names = columns.map((column) => column.name);
  switch (format) {
    case 'tsv': {
      const lines = rows.map((row) => row.map((cell) => tsv(cell ?? '')).join('\t'));
      return (options.hasHeader === true ? [names.map(tsv).join('\t'), ...lines] : lines).join('\n');
    }
    case 'csv':
      return `${[names.map((name) => csv(name)), ...rows.map((row) => row.map(csv))].map((line) => line.join(',')).join('\r\n')}\r\n`;
    case 'json':
      return `[${rows.map((row) => `\n  ${jsonRow(columns, row)}`).join(',')}\n]\n`;
    case 'sql': {
      const list = names.map(quoteName).join(', ');
      const table = options.table ?? 'result';
      return rows
        .map((row) => `INSERT INTO ${table} (${list}) VALUES (${row.map(quoteValue).join(', ')});\n`)
        .join('');
    }
    case 'markdown': {
      const marks = columns.map((column) => (isNumberType(column.typeOid) ? '--:' : '---'));
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
      return (
        line(names.map(markdown)) +
        line(marks) +
        rows.map((row) => line(row.map((cell) => markdown(cell ?? 'NULL')))).join('')
      );
    }
  }
}

function tsv(cell: string): string {
  return /[\t\n\r"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** NULL is an empty field, the empty string a quoted one, as COPY has it. */
function csv(cell: Cell): string {
  if (cell === null) return '';
  return cell === '' || /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function markdown(cell: string): string {
  return cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replace(/\r?\n/g, '<br>');
}

/** One row as a JSON object. Numbers keep all their digits: the text is built, not a JavaScript number. */
function jsonRow(columns: readonly ResultColumn[], row: readonly Cell[]): string {
  const fields = columns.map(
    (column, at) => `${JSON.stringify(column.name)}: ${jsonValue(column.typeOid, row[at])}`,
  );
  return `{${fields.join(', ')}}`;
}

export function jsonValue(typeOid: number, cell: Cell): string {
  if (cell === null) return 'null';
  if (isNumberType(typeOid) && /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(cell)) return cell;
  if (typeOid === BOOLEAN) return cell === 't' || cell === 'true' ? 'true' : 'false';
  if (JSON_TYPES.has(typeOid)) return cell;
  return JSON.stringify(cell);
}
