/** Held results as files, made chunk by chunk while the browser takes them. */
import type { FastifyReply } from 'fastify';
import type { ExportFormat, ExportQuery } from '../contract.ts';
import { internalError } from '../../base/error.ts';
import { quoteLiteral, showName } from '../sql/quote.ts';
import type { HeldResult } from './held-result.ts';

const ROWS_PER_CHUNK = 2000;

interface Writer {
  readonly mediaType: string;
  readonly extension: string;
  head(): string;
  row(cells: readonly (string | null)[], isFirst: boolean): string;
  foot(): string;
}

/** Types whose text is a JSON value of its own. Numbers go unquoted with all their digits. */
const JSON_NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);
const JSON_DOCUMENTS = new Set([114, 3802]);
const SQL_PLAIN = new Set([20, 21, 23, 26, 700, 701, 1700]);

export function jsonCell(text: string | null, typeOid: number): string {
  if (text === null) return 'null';
  if (JSON_NUMBERS.has(typeOid) && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text;
  if (typeOid === 16) return text === 't' ? 'true' : 'false';
  if (JSON_DOCUMENTS.has(typeOid)) return text;
  return JSON.stringify(text);
}

function delimited(result: HeldResult, delimiter: string): Writer {
  const needsQuotes = delimiter === ',' ? /[",\r\n]/ : /["\t\r\n]/;
  const field = (text: string | null): string =>
    text === null
      ? ''
      : // A line of \. alone would end the data for COPY.
        text === '' || text === '\\.' || needsQuotes.test(text)
        ? `"${text.replaceAll('"', '""')}"`
        : text;
  const line = (cells: readonly (string | null)[]): string => `${cells.map(field).join(delimiter)}\r\n`;
  return {
    mediaType: delimiter === ',' ? 'text/csv; charset=utf-8' : 'text/tab-separated-values; charset=utf-8',
    extension: delimiter === ',' ? 'csv' : 'tsv',
    head: () => line(result.columns.map(({ name }) => name)),
    row: line,
    foot: () => '',
  };
}

function json(result: HeldResult, isLines: boolean): Writer {
  // Columns of one name would overwrite each other: the second becomes name_2.
  const seen = new Map<string, number>();
  const keys = result.columns.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return JSON.stringify(count === 1 ? name : `${name}_${count}`);
  });
  const value = (text: string | null, typeOid: number): string => {
    const made = jsonCell(text, typeOid);
    // Line breaks inside a document are only white space, but a line is a record here.
    return isLines && JSON_DOCUMENTS.has(typeOid) ? made.replaceAll(/[\r\n]+/g, ' ') : made;
  };
  const object = (cells: readonly (string | null)[]): string =>
    `{${cells.map((text, index) => `${keys[index]}:${value(text, result.columns[index].typeOid)}`).join(',')}}`;
  if (isLines) {
    return {
      mediaType: 'application/x-ndjson; charset=utf-8',
      extension: 'ndjson',
      head: () => '',
      row: (cells) => `${object(cells)}\n`,
      foot: () => '',
    };
  }
  return {
    mediaType: 'application/json; charset=utf-8',
    extension: 'json',
    head: () => '[',
    row: (cells, isFirst) => `${isFirst ? '\n' : ',\n'}${object(cells)}`,
    foot: () => '\n]\n',
  };
}

function sql(result: HeldResult, table: string): Writer {
  const target = table.split('.').map(showName).join('.');
  const columns = result.columns.map(({ name }) => showName(name)).join(', ');
  const value = (text: string | null, index: number): string => {
    if (text === null) return 'NULL';
    const { typeOid } = result.columns[index];
    // As a number, minus zero would be zero.
    if (SQL_PLAIN.has(typeOid) && text !== '-0' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text;
    if (typeOid === 16) return text === 't' ? 'true' : 'false';
    return quoteLiteral(text);
  };
  return {
    mediaType: 'application/sql; charset=utf-8',
    extension: 'sql',
    head: () => '',
    row: (cells) => `INSERT INTO ${target} (${columns}) VALUES (${cells.map(value).join(', ')});\n`,
    foot: () => '',
  };
}

function markdown(result: HeldResult): Writer {
  const cell = (text: string | null): string =>
    text === null ? '' : text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\r?\n/g, '<br>');
  const line = (cells: readonly (string | null)[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
  return {
    mediaType: 'text/markdown; charset=utf-8',
    extension: 'md',
    head: () =>
      line(result.columns.map(({ name }) => name)) + `|${result.columns.map(() => ' --- ').join('|')}|\n`,
    row: line,
    foot: () => '',
  };
}

function writerOf(result: HeldResult, format: ExportFormat, table: string): Writer {
  switch (format) {
    case 'csv':
      return delimited(result, ',');
    case 'tsv':
      return delimited(result, '\t');
    case 'json':
      return json(result, false);
    case 'ndjson':
      return json(result, true);
    case 'sql':
      return sql(result, table);
    case 'markdown':
      return markdown(result);
    case 'parquet':
      throw internalError('Parquet is no text');
  }
}

/** The file as chunks of text. */
export function* exportChunks(
  result: HeldResult,
  view: Uint32Array | null,
  format: ExportFormat,
  table: string,
): Generator<string> {
  const writer = writerOf(result, format, table);
  const total = view === null ? result.keptRows : view.length;
  let chunk = writer.head();
  for (let at = 0; at < total; at++) {
    chunk += writer.row(result.row(view === null ? at : view[at]), at === 0);
    if (at % ROWS_PER_CHUNK === ROWS_PER_CHUNK - 1) {
      yield chunk;
      chunk = '';
    }
  }
  chunk += writer.foot();
  if (chunk !== '') yield chunk;
}

/** A file name without anything a header or a file system could stumble over. */
export function exportName(wanted: string | undefined): string {
  return (wanted ?? 'result').replaceAll(/[^\w.-]/g, '_').slice(0, 100);
}

export function exportOf(
  result: HeldResult,
  view: Uint32Array | null,
  query: ExportQuery,
  reply: FastifyReply,
): FastifyReply {
  const table = query.table ?? 'result';
  const writer = writerOf(result, query.format, table);
  const chunks = exportChunks(result, view, query.format, table);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
  });
  reply
    .header('content-type', writer.mediaType)
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="${exportName(query.fileName)}.${writer.extension}"`);
  // The reader is told when the server did not keep every row.
  if (result.isTruncated) reply.header('x-fastpostgres-truncated', String(result.rowCount));
  return reply.send(stream);
}
