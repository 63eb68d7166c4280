/** TypeSupport of inet, cidr, macaddr, macaddr8 and money. */
import { int64Bytes, view } from './binary.ts';
import type { TypeSupport } from './contract.ts';
import { formatMac, macBytes, parseMac, parseMac8 } from './mac-address.ts';
import { formatMoney, parseMoney } from './money.ts';
import {
  compareNetwork,
  decodeNetwork,
  encodeNetwork,
  formatCidr,
  formatInet,
  type NetworkAddress,
  networkSortKey,
  parseNetwork,
  receiveNetwork,
  sendNetwork,
} from './network.ts';
import { OID } from './oid.ts';
import { textLike } from './support-basic.ts';

function networkSupport(oid: number, name: string): TypeSupport {
  const isCidr = oid === OID.CIDR;
  const format = isCidr ? formatCidr : formatInet;
  return {
    oid,
    name,
    length: -1,
    input: (text) => parseNetwork(text, isCidr),
    output: (value) => format(value as NetworkAddress),
    receive: (bytes) => receiveNetwork(bytes, isCidr),
    send: (value) => sendNetwork(value as NetworkAddress, isCidr),
    compare: (left, right) => compareNetwork(left as NetworkAddress, right as NetworkAddress),
    hashKey: (value) => formatCidr(value as NetworkAddress),
    physical: () => 'varlen',
    encode: (value) => encodeNetwork(value as NetworkAddress),
    decode: decodeNetwork,
    sortKey: (value, writer) => writer.raw(networkSortKey(value as NetworkAddress)),
  };
}

function macSupport(oid: number, name: string, size: 6 | 8, parse: (text: string) => string): TypeSupport {
  return textLike(oid, name, {
    length: size,
    input: (text) => parse(text),
    receive: (bytes) => {
      const data = view(bytes, bytes.length === 6 && size === 8 ? 6 : size);
      const values = Array.from({ length: data.byteLength }, (_, at) => data.getUint8(at));
      if (values.length < size) values.splice(3, 0, 0xff, 0xfe);
      return formatMac(values);
    },
    send: (value) => Uint8Array.from(macBytes(value as string)),
    encode: (value) => Uint8Array.from(macBytes(value as string)),
    decode: (bytes) => formatMac(bytes),
  });
}

const moneySupport: TypeSupport = {
  oid: OID.MONEY,
  name: 'money',
  length: 8,
  input: (text) => parseMoney(text),
  output: (value) => formatMoney(value as bigint),
  receive: (bytes) => view(bytes, 8).getBigInt64(0),
  send: (value) => int64Bytes(value as bigint),
  compare: (left, right) =>
    (left as bigint) < (right as bigint) ? -1 : (left as bigint) > (right as bigint) ? 1 : 0,
  hashKey: (value) => value as bigint,
  physical: () => 'int64',
};

export function networkSupports(): TypeSupport[] {
  return [
    networkSupport(OID.INET, 'inet'),
    networkSupport(OID.CIDR, 'cidr'),
    macSupport(OID.MACADDR, 'macaddr', 6, parseMac),
    macSupport(OID.MACADDR8, 'macaddr8', 8, parseMac8),
    moneySupport,
  ];
}
