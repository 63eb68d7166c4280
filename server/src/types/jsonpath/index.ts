/** TypeSupport of jsonpath. Stored as its text. */
import { DbError } from '../../base/error.ts';
import { concatBytes, utf8Text } from '../binary.ts';
import type { TypeSupport } from '../contract.ts';
import { OID } from '../oid.ts';
import { parseJsonPath } from './parse.ts';
import { formatJsonPath } from './print.ts';
import type { JsonPath } from './tree.ts';

const VERSION = 1;

export const jsonPathSupport: TypeSupport = {
  oid: OID.JSONPATH,
  name: 'jsonpath',
  length: -1,
  input: (text) => parseJsonPath(text),
  output: (value) => formatJsonPath(value as JsonPath),
  receive: (bytes) => {
    if (bytes[0] !== VERSION) {
      throw new DbError('internal_error', `unsupported jsonpath version number: ${bytes[0] ?? 0}`);
    }
    return parseJsonPath(utf8Text(bytes.subarray(1)));
  },
  send: (value) => concatBytes([Uint8Array.of(VERSION), Buffer.from(formatJsonPath(value as JsonPath))]),
  hashKey: (value) => formatJsonPath(value as JsonPath),
  physical: () => 'varlen',
  encode: (value) => Buffer.from(formatJsonPath(value as JsonPath)),
  decode: (bytes) => parseJsonPath(Buffer.from(bytes).toString()),
};
