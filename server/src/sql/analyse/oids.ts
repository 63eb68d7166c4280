/** OIDs of the builtin types analysis reasons about by name (pg_type). */
export const BOOL = 16;
export const BYTEA = 17;
export const CHAR_TYPE = 18;
export const NAME = 19;
export const INT8 = 20;
export const INT2 = 21;
export const INT2VECTOR = 22;
export const INT4 = 23;
export const REGPROC = 24;
export const TEXT = 25;
export const OID = 26;
export const TID = 27;
export const XID = 28;
export const CID = 29;
export const OIDVECTOR = 30;
export const FLOAT4 = 700;
export const FLOAT8 = 701;
export const UNKNOWN = 705;
export const BPCHAR = 1042;
export const VARCHAR = 1043;
export const DATE = 1082;
export const TIME = 1083;
export const TIMESTAMP = 1114;
export const TIMESTAMPTZ = 1184;
export const INTERVAL = 1186;
export const TIMETZ = 1266;
export const BIT = 1560;
export const VARBIT = 1562;
export const NUMERIC = 1700;
export const REFCURSOR = 1790;
export const REGCLASS = 2205;
export const RECORD = 2249;
export const CSTRING = 2275;
export const ANY = 2276;
export const ANYARRAY = 2277;
export const VOID = 2278;
export const ANYELEMENT = 2283;
export const RECORDARRAY = 2287;
export const ANYNONARRAY = 2776;
export const ANYENUM = 3500;
export const ANYRANGE = 3831;
export const ANYMULTIRANGE = 4537;
export const ANYCOMPATIBLEMULTIRANGE = 4538;
export const ANYCOMPATIBLE = 5077;
export const ANYCOMPATIBLEARRAY = 5078;
export const ANYCOMPATIBLENONARRAY = 5079;
export const ANYCOMPATIBLERANGE = 5080;

export const DEFAULT_COLLATION = 100;

export function isPolymorphicFamily1(oid: number): boolean {
  return (
    oid === ANYELEMENT ||
    oid === ANYARRAY ||
    oid === ANYNONARRAY ||
    oid === ANYENUM ||
    oid === ANYRANGE ||
    oid === ANYMULTIRANGE
  );
}

export function isPolymorphicFamily2(oid: number): boolean {
  return (
    oid === ANYCOMPATIBLE ||
    oid === ANYCOMPATIBLEARRAY ||
    oid === ANYCOMPATIBLENONARRAY ||
    oid === ANYCOMPATIBLERANGE ||
    oid === ANYCOMPATIBLEMULTIRANGE
  );
}

export function isPolymorphic(oid: number): boolean {
  return isPolymorphicFamily1(oid) || isPolymorphicFamily2(oid);
}

export function isRangeLike(oid: number): boolean {
  return (
    oid === ANYRANGE || oid === ANYMULTIRANGE || oid === ANYCOMPATIBLERANGE || oid === ANYCOMPATIBLEMULTIRANGE
  );
}
