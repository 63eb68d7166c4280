/** Index keys of jsonb: bytes that sort as `compareJson` orders values. */
import type { SortKeyWriter, TypeSupport } from './contract.ts';
import { isJsonArray } from './json-text.ts';
import type { JsonValue } from './jsonb.ts';
import { Numeric } from './numeric.ts';

const EMPTY_ARRAY = 0;
const NULL = 1;
const STRING = 2;
const NUMBER = 3;
const BOOLEAN = 4;
const ARRAY = 5;
const OBJECT = 6;

/** An empty array at the top is less than all else; inside it is an array like others. */
export function writeJsonKey(value: JsonValue, writer: SortKeyWriter, numeric: TypeSupport): void {
  if (isJsonArray(value) && value.length === 0) writer.byte(EMPTY_ARRAY);
  else writeInner(value, writer, numeric);
}

function writeInner(value: JsonValue, writer: SortKeyWriter, numeric: TypeSupport): void {
  if (value === null) writer.byte(NULL);
  else if (typeof value === 'string') {
    writer.byte(STRING);
    writer.text(value);
  } else if (value instanceof Numeric) {
    writer.byte(NUMBER);
    writer.value(numeric, value);
  } else if (typeof value === 'boolean') {
    writer.byte(BOOLEAN);
    writer.byte(value ? 1 : 0);
  } else if (isJsonArray(value)) {
    writer.byte(ARRAY);
    writer.int32(value.length);
    for (const item of value) writeInner(item, writer, numeric);
  } else {
    const { entries } = value;
    writer.byte(OBJECT);
    writer.int32(entries.length);
    for (const [key, item] of entries) {
      writer.text(key);
      writeInner(item, writer, numeric);
    }
  }
}
