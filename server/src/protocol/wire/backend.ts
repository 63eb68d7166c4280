/** Encoders of backend messages other than DataRow (PostgreSQL manual 55.7). */
import type { DbError, ErrorFields, Notice } from '../../base/error.ts';
import type { ResultColumn } from '../../session/contract.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { formatOf } from './row-encoder.ts';

export function authenticationOk(output: OutputBuffer): void {
  output.begin(0x52);
  output.int32(0);
  output.end();
}

/** AuthenticationSASL with the mechanisms offered. */
export function authenticationSasl(output: OutputBuffer, mechanisms: readonly string[]): void {
  output.begin(0x52);
  output.int32(10);
  for (const mechanism of mechanisms) output.cString(mechanism);
  output.byte(0);
  output.end();
}

/** AuthenticationSASLContinue (11) and AuthenticationSASLFinal (12). */
export function authenticationSaslData(output: OutputBuffer, code: 11 | 12, data: Uint8Array): void {
  output.begin(0x52);
  output.int32(code);
  output.bytes(data);
  output.end();
}

export function parameterStatus(output: OutputBuffer, name: string, value: string): void {
  output.begin(0x53);
  output.cString(name);
  output.cString(value);
  output.end();
}

export function backendKeyData(output: OutputBuffer, processId: number, secretKey: number): void {
  output.begin(0x4b);
  output.int32(processId);
  output.int32(secretKey);
  output.end();
}

export function readyForQuery(output: OutputBuffer, status: 'I' | 'T' | 'E'): void {
  output.begin(0x5a);
  output.byte(status.charCodeAt(0));
  output.end();
}

export function negotiateProtocolVersion(
  output: OutputBuffer,
  minor: number,
  unknownOptions: readonly string[],
): void {
  output.begin(0x76);
  output.int32(minor);
  output.int32(unknownOptions.length);
  for (const option of unknownOptions) output.cString(option);
  output.end();
}

export function rowDescription(
  output: OutputBuffer,
  columns: readonly ResultColumn[],
  formats: readonly number[],
  typeLength: (typeOid: number) => number,
): void {
  output.begin(0x54);
  output.int16(columns.length);
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index];
    output.cString(column.name);
    output.int32(column.originTable);
    output.int16(column.originColumn);
    output.int32(column.typeOid);
    output.int16(typeLength(column.typeOid));
    output.int32(column.typmod);
    output.int16(formatOf(formats, index));
  }
  output.end();
}

export function parameterDescription(output: OutputBuffer, types: readonly number[]): void {
  output.begin(0x74);
  output.int16(types.length);
  for (const type of types) output.int32(type);
  output.end();
}

/** Messages without a body, by type byte. */
export const EMPTY_MESSAGE = {
  parseComplete: 0x31,
  bindComplete: 0x32,
  closeComplete: 0x33,
  noData: 0x6e,
  emptyQueryResponse: 0x49,
  portalSuspended: 0x73,
  copyDone: 0x63,
} as const;

export function emptyMessage(output: OutputBuffer, type: number): void {
  output.begin(type);
  output.end();
}

export function commandComplete(output: OutputBuffer, tag: string): void {
  output.begin(0x43);
  output.cString(tag);
  output.end();
}

/** CopyInResponse (G) or CopyOutResponse (H). */
export function copyResponse(
  output: OutputBuffer,
  direction: 'in' | 'out',
  format: number,
  columnFormats: readonly number[],
): void {
  output.begin(direction === 'in' ? 0x47 : 0x48);
  output.byte(format);
  output.int16(columnFormats.length);
  for (const columnFormat of columnFormats) output.int16(columnFormat);
  output.end();
}

export function copyData(output: OutputBuffer, bytes: Uint8Array): void {
  output.begin(0x64);
  output.bytes(bytes);
  output.end();
}

export function notification(
  output: OutputBuffer,
  processId: number,
  channel: string,
  payload: string,
): void {
  output.begin(0x41);
  output.int32(processId);
  output.cString(channel);
  output.cString(payload);
  output.end();
}

export function functionCallResponse(output: OutputBuffer, value: Uint8Array | null): void {
  output.begin(0x56);
  if (value === null) output.nullField();
  else output.bytesField(value);
  output.end();
}

export function errorResponse(output: OutputBuffer, error: DbError): void {
  writeReport(output, 0x45, error.severity, error.code, error.message, error.fields);
}

export function noticeResponse(output: OutputBuffer, notice: Notice): void {
  writeReport(output, 0x4e, notice.severity, notice.code, notice.message, notice.fields);
}

function writeReport(
  output: OutputBuffer,
  type: number,
  severity: string,
  code: string,
  message: string,
  fields: ErrorFields,
): void {
  output.begin(type);
  const field = (letter: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    output.byte(letter.charCodeAt(0));
    // A NUL cannot be sent inside a field.
    output.cString(String(value).replaceAll('\0', ''));
  };
  field('S', severity);
  field('V', severity);
  field('C', code);
  field('M', message);
  field('D', fields.detail);
  field('H', fields.hint);
  field('P', fields.position);
  field('p', fields.internalPosition);
  field('q', fields.internalQuery);
  field('W', fields.where);
  field('s', fields.schema);
  field('t', fields.table);
  field('c', fields.column);
  field('d', fields.dataType);
  field('n', fields.constraint);
  output.byte(0);
  output.end();
}
