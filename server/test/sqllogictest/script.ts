/**
 * The format of sqllogictest scripts (SQLite's, with the additions of its descendants), and what counts as the expected answer.
 *
 * A record is a head line, the statement, and for queries `----` and the values: one a line, or one row a line with tabs between
 * (DuckDB's and RisingLight's way), or their number and MD5. `skipif` and `onlyif` name a dialect.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly line: number;
  readonly kind: 'statement' | 'query';
  readonly isError: boolean;
  readonly types: string;
  readonly sort: 'nosort' | 'rowsort' | 'valuesort';
  readonly sql: string;
  readonly expected: readonly string[];
}

/** Records for PostgreSQL, in order. What a script asks of its own runner (loops, requirements) ends it: null for such a script. */
export function parseScript(text: string): Script[] | null {
  const records: Script[] = [];
  const lines = text.split(/\r?\n/);
  let skip = false;
  for (let at = 0; at < lines.length; at++) {
    const words = lines[at]!.trim().split(/\s+/);
    const [word] = words;
    if (word === 'skipif') skip ||= isPostgres(words[1]);
    else if (word === 'onlyif') skip ||= !isPostgres(words[1]);
    else if (word === 'halt') {
      if (!skip) break;
      skip = false;
    } else if (
      word === 'loop' ||
      word === 'foreach' ||
      word === 'require' ||
      word === 'load' ||
      word === 'include'
    )
      return null;
    else if (word === 'statement' || word === 'query') {
      const line = at + 1;
      const sql: string[] = [];
      const expected: string[] = [];
      for (at++; at < lines.length && lines[at]!.trim() !== '' && lines[at] !== '----'; at++)
        sql.push(lines[at]!);
      if (lines[at] === '----')
        for (at++; at < lines.length && lines[at]!.trim() !== ''; at++) expected.push(lines[at]!);
      const isError = words[1] === 'error';
      if (!skip && words[1] !== 'maybe')
        records.push({
          line,
          kind: isError ? 'statement' : word,
          isError,
          types: word === 'query' && !isError ? (words[1] ?? '') : '',
          sort: words[2] === 'rowsort' || words[2] === 'valuesort' ? words[2] : 'nosort',
          sql: sql.join('\n'),
          expected,
        });
      skip = false;
    }
  }
  return records;
}

function isPostgres(dialect: string | undefined): boolean {
  return dialect === 'postgresql' || dialect === 'postgres';
}

/** A value as sqllogictest prints it for a column of type I, R or T. */
export function show(value: string | null, type: string): string {
  if (value === null) return 'NULL';
  if (type === 'I') {
    if (/^[tf]$/.test(value)) return value === 't' ? '1' : '0';
    return /^-?\d+$/.test(value) ? value : String(Math.trunc(Number(value)));
  }
  if (type === 'R') return Number(value).toFixed(3);
  return value === '' ? '(empty)' : value.replace(/[^\x20-\x7e]/g, '@');
}

/** True when the rows are what the record expects, written out or as a hash. */
export function matches(record: Script, rows: readonly (readonly (string | null)[])[]): boolean {
  const shown = rows.map((row) => row.map((value, column) => show(value, record.types[column] ?? 'T')));
  if (record.sort === 'rowsort') shown.sort((a, b) => compare(a.join('\n'), b.join('\n')));
  let values = shown.flat();
  if (record.sort === 'valuesort') values = [...values].sort(compare);
  const hashed = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(record.expected[0] ?? '');
  if (hashed !== null) {
    const digest = createHash('md5')
      .update(values.map((value) => `${value}\n`).join(''))
      .digest('hex');
    return Number(hashed[1]) === values.length && digest === hashed[2];
  }
  if (values.length === record.expected.length)
    return values.every((value, index) => value === record.expected[index]);
  // One row a line.
  const lines = shown.map((row) => row.join('\t'));
  const wanted = record.sort === 'rowsort' ? [...record.expected].sort(compare) : record.expected;
  return lines.length === wanted.length && lines.every((line, index) => line === wanted[index]);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
