/** Functions and operators over inet, cidr, macaddr and macaddr8. */
import { DbError } from '../../base/error.ts';
import { formatMac, lengthenMac, macBytes, shortenMac } from '../../types/mac-address.ts';
import {
  compareNetwork,
  comparePrefix,
  formatCidr,
  formatCidrShort,
  formatHost,
  formatInet,
  maskedBytes,
  NetworkAddress,
  networkInteger,
  shiftNetwork,
} from '../../types/network.ts';
import { comparisonSet } from './comparison-set.ts';
import { type FunctionTable, type Implementation, pureTable } from './registry.ts';

type Address = NetworkAddress;

/** Whether `inner` lies in the network of `outer`; `strict`: and is smaller. */
function isWithin(inner: Address, outer: Address, strict: boolean): boolean {
  if (inner.bytes.length !== outer.bytes.length) return false;
  if (strict ? inner.bits <= outer.bits : inner.bits < outer.bits) return false;
  return comparePrefix(inner.bytes, outer.bytes, outer.bits) === 0;
}

function overlap(left: Address, right: Address): boolean {
  if (left.bytes.length !== right.bytes.length) return false;
  return comparePrefix(left.bytes, right.bytes, Math.min(left.bits, right.bits)) === 0;
}

function maskLength(value: Address, bits: number): number {
  const wanted = bits === -1 ? value.maxBits : bits;
  if (wanted < 0 || wanted > value.maxBits)
    throw new DbError('invalid_parameter_value', `invalid mask length: ${bits}`);
  return wanted;
}

function network(value: Address, bits = value.bits): Address {
  return new NetworkAddress(maskedBytes(value.bytes, bits), bits);
}

function hostMask(value: Address): Uint8Array {
  return maskedBytes(new Uint8Array(value.bytes.length).fill(255), value.bits).map((byte) => ~byte & 255);
}

function combine(left: Address, right: Address, verb: 'AND' | 'OR'): Address {
  if (left.bytes.length !== right.bytes.length)
    throw new DbError('invalid_parameter_value', `cannot ${verb} inet values of different sizes`);
  return new NetworkAddress(
    left.bytes.map((byte, at) => (verb === 'AND' ? byte & right.bytes[at]! : byte | right.bytes[at]!)),
    Math.max(left.bits, right.bits),
  );
}

function merge(left: Address, right: Address): Address {
  if (left.bytes.length !== right.bytes.length)
    throw new DbError('invalid_parameter_value', 'cannot merge addresses from different families');
  let bits = Math.min(left.bits, right.bits);
  while (bits > 0 && comparePrefix(left.bytes, right.bytes, bits) !== 0) bits--;
  return network(left, bits);
}

function difference(left: Address, right: Address): bigint {
  if (left.bytes.length !== right.bytes.length)
    throw new DbError('invalid_parameter_value', 'cannot subtract inet values of different sizes');
  const result = networkInteger(left) - networkInteger(right);
  if (result > 9223372036854775807n || result < -9223372036854775808n)
    throw new DbError('numeric_value_out_of_range', 'result is out of range');
  return result;
}

function macFunctions(prefix: 'macaddr' | 'macaddr8', kept: number): Record<string, Implementation> {
  const combineMac =
    (pick: (left: number, right: number) => number) =>
    (left: string, right: string): string => {
      const other = macBytes(right);
      return formatMac(macBytes(left).map((byte, at) => pick(byte, other[at]!)));
    };
  const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return {
    ...comparisonSet<string>(
      [`${prefix}_eq`, `${prefix}_ne`, `${prefix}_lt`, `${prefix}_le`, `${prefix}_gt`, `${prefix}_ge`],
      order,
    ),
    [`${prefix}_cmp`]: order,
    [`${prefix}_not`]: (value: string) => formatMac(macBytes(value).map((byte) => ~byte & 255)),
    [`${prefix}_and`]: combineMac((left, right) => left & right),
    [`${prefix}_or`]: combineMac((left, right) => left | right),
    [`${prefix}_trunc`]: (value: string) =>
      formatMac(macBytes(value).map((byte, at) => (at < kept ? byte : 0))),
  };
}

export const networkFunctions: FunctionTable = pureTable({
  ...comparisonSet<Address>(
    ['network_eq', 'network_ne', 'network_lt', 'network_le', 'network_gt', 'network_ge'],
    compareNetwork,
  ),
  network_cmp: (left: Address, right: Address) => Math.sign(compareNetwork(left, right)),
  network_larger: (left: Address, right: Address) => (compareNetwork(left, right) > 0 ? left : right),
  network_smaller: (left: Address, right: Address) => (compareNetwork(left, right) < 0 ? left : right),
  network_sub: (left: Address, right: Address) => isWithin(left, right, true),
  network_subeq: (left: Address, right: Address) => isWithin(left, right, false),
  network_sup: (left: Address, right: Address) => isWithin(right, left, true),
  network_supeq: (left: Address, right: Address) => isWithin(right, left, false),
  network_overlap: overlap,
  inet_same_family: (left: Address, right: Address) => left.bytes.length === right.bytes.length,
  inet_merge: merge,
  inet_abbrev: formatInet,
  cidr_abbrev: formatCidrShort,
  network_show: formatCidr,
  network_host: (value: Address) => formatHost(value.bytes),
  network_family: (value: Address) => (value.bytes.length === 4 ? 4 : 6),
  network_masklen: (value: Address) => value.bits,
  network_network: (value: Address) => network(value),
  network_broadcast: (value: Address) => {
    const mask = hostMask(value);
    return new NetworkAddress(
      value.bytes.map((byte, at) => byte | mask[at]!),
      value.bits,
    );
  },
  network_netmask: (value: Address) =>
    new NetworkAddress(
      hostMask(value).map((byte) => ~byte & 255),
      value.maxBits,
    ),
  network_hostmask: (value: Address) => new NetworkAddress(hostMask(value), value.maxBits),
  inet_to_cidr: (value: Address) => network(value),
  inet_set_masklen: (value: Address, bits: number) =>
    new NetworkAddress(value.bytes, maskLength(value, bits)),
  cidr_set_masklen: (value: Address, bits: number) => network(value, maskLength(value, bits)),
  inetnot: (value: Address) =>
    new NetworkAddress(
      value.bytes.map((byte) => ~byte & 255),
      value.bits,
    ),
  inetand: (left: Address, right: Address) => combine(left, right, 'AND'),
  inetor: (left: Address, right: Address) => combine(left, right, 'OR'),
  inetpl: (value: Address, offset: bigint) => shiftNetwork(value, offset),
  '#2631': (offset: bigint, value: Address) => shiftNetwork(value, offset),
  // The negative of the smallest int8 is itself, as in PostgreSQL.
  inetmi_int8: (value: Address, offset: bigint) => shiftNetwork(value, BigInt.asIntN(64, -offset)),
  inetmi: difference,
  ...macFunctions('macaddr', 3),
  ...macFunctions('macaddr8', 3),
  macaddr8_set7bit: (value: string) => {
    const bytes = macBytes(value);
    bytes[0]! |= 2;
    return formatMac(bytes);
  },
  macaddrtomacaddr8: lengthenMac,
  macaddr8tomacaddr: shortenMac,
});
