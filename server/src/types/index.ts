/** The types room's public face: support of every builtin type, and factories for user-defined ones. */
import { internalError } from '../base/error.ts';
import type { FormatContext, TypeSupport } from './contract.ts';
import { geometrySupports } from './geometry/index.ts';
import { jsonPathSupport } from './jsonpath/index.ts';
import { ARRAY_OF, BUILTIN_TYPES, ELEMENT_OF, OID } from './oid.ts';
import { snapshotSupports } from './snapshot.ts';
import { basicSupports, unimplementedType } from './support-basic.ts';
import { bitSupports } from './support-bits.ts';
import { anyArraySupport, arraySupport, recordSupport, vectorSupports } from './support-container.ts';
import { dateTimeSupports } from './support-datetime.ts';
import { networkSupports } from './support-network.ts';
import { builtinRangeSupports } from './support-range.ts';
import { textSearchSupports } from './textsearch/index.ts';

const supports = new Map<number, TypeSupport>();

function register(support: TypeSupport): void {
  supports.set(support.oid, support);
}

for (const support of [
  ...basicSupports(),
  ...dateTimeSupports(),
  ...geometrySupports(),
  ...bitSupports(),
  ...networkSupports(),
  ...snapshotSupports(),
  jsonPathSupport,
  ...textSearchSupports(),
])
  register(support);
for (const support of vectorSupports(supports.get(OID.INT2)!, supports.get(OID.OID)!)) register(support);
register(anyArraySupport((oid) => resolveUserType(oid)));
register(recordSupport((oid) => resolveUserType(oid)));
for (const support of builtinRangeSupports((oid) => supports.get(oid)!)) register(support);
for (const [oid, name, length] of BUILTIN_TYPES) {
  if (!supports.has(oid)) register(unimplementedType(oid, name, length));
}
for (const support of [...supports.values()]) {
  const arrayOid = ARRAY_OF.get(support.oid);
  if (arrayOid !== undefined) register(arraySupport(arrayOid, support, support.oid === OID.BOX ? ';' : ','));
}

/** How anonymous records find the support of user-defined field types; the catalog sets it at start. */
let userTypeResolver: ((oid: number) => TypeSupport | undefined) | null = null;
export function setUserTypeResolver(resolver: (oid: number) => TypeSupport | undefined): void {
  userTypeResolver = resolver;
}

function resolveUserType(oid: number): TypeSupport {
  const support = supports.get(oid) ?? userTypeResolver?.(oid);
  if (support === undefined) throw internalError(`no support for type ${oid}`);
  return support;
}

/** Support of a builtin type, undefined when the oid is not one. */
export function findTypeSupport(oid: number): TypeSupport | undefined {
  return supports.get(oid);
}

/** Support of a builtin type; XX000 when there is none. */
export function typeSupport(oid: number): TypeSupport {
  const support = supports.get(oid);
  if (support === undefined) throw internalError(`no support for type ${oid}`);
  return support;
}

/** Element type of a builtin array or vector type, 0 when it is none. */
export function elementTypeOf(oid: number): number {
  if (oid === OID.INT2VECTOR) return OID.INT2;
  if (oid === OID.OIDVECTOR) return OID.OID;
  return ELEMENT_OF.get(oid) ?? 0;
}

/** Array type over a builtin type, 0 when it has none. */
export function arrayTypeOf(oid: number): number {
  return ARRAY_OF.get(oid) ?? 0;
}

/** PostgreSQL's defaults: what tests and catalogs' own texts use. */
export const DEFAULT_FORMAT: FormatContext = {
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  timeZone: 'UTC',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 0n,
};

export { OID } from './oid.ts';
export {
  arraySupport,
  compositeSupport,
  domainSupport,
  enumSupport,
  recordSupport,
} from './support-container.ts';
export { multirangeSupport, rangeSupport } from './support-range.ts';
