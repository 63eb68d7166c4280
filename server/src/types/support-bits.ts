/** TypeSupport of bit and bit varying. */
import {
  type BitString,
  coerceBit,
  coerceVarbit,
  compareBits,
  decodeBits,
  encodeBits,
  formatBits,
  parseBits,
  receiveBits,
  sendBits,
} from './bits.ts';
import type { TypeSupport } from './contract.ts';
import { OID } from './oid.ts';

function bitSupport(
  oid: number,
  name: string,
  coerce: (value: BitString, typmod: number) => BitString,
): TypeSupport {
  return {
    oid,
    name,
    length: -1,
    input: (text, typmod) => coerce(parseBits(text), typmod),
    output: (value) => formatBits(value as BitString),
    receive: (bytes, typmod) => coerce(receiveBits(bytes), typmod),
    send: (value) => sendBits(value as BitString),
    compare: (left, right) => compareBits(left as BitString, right as BitString),
    hashKey: (value) => formatBits(value as BitString),
    physical: () => 'varlen',
    encode: (value) => encodeBits(value as BitString),
    decode: decodeBits,
    sortKey: (value, writer) => {
      writer.escaped((value as BitString).bytes);
      writer.int32((value as BitString).length);
    },
  };
}

export function bitSupports(): TypeSupport[] {
  return [bitSupport(OID.BIT, 'bit', coerceBit), bitSupport(OID.VARBIT, 'varbit', coerceVarbit)];
}
