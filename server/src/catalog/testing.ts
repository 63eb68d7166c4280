/** Small stand-ins for the rooms around the catalog, for tests. */
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { CatalogServices } from './services.ts';

/** A TypeSupport that is only a name. */
export function nominalType(oid: number): TypeSupport {
  return {
    oid,
    name: `type ${oid}`,
    length: -1,
    input: (text) => text,
    output: (value) => String(value),
    receive: (bytes) => new TextDecoder().decode(bytes),
    send: (value) => new TextEncoder().encode(String(value)),
    compare: (left, right) => (left === right ? 0 : String(left) < String(right) ? -1 : 1),
    hashKey: (value) => String(value),
    physical: () => 'varlen',
    encode: (value: Datum) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Datum,
  };
}

/** Services of a catalog that stands alone. */
export function nominalServices(): CatalogServices {
  return {
    builtinType: (oid) => (oid < 16384 ? nominalType(oid) : null),
    userType: (type) => nominalType(type.oid),
    compileView: (sql) => JSON.stringify({ sql }),
    compileDefaults: (texts) => JSON.stringify(texts),
    compileRowExpression: () => () => null,
    sequenceState: () => null,
  };
}
