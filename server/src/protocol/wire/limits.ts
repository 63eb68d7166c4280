/**
 * How long a frontend message may be, by type (PostgreSQL's PQ_SMALL/LARGE_MESSAGE_LIMIT and its startup limit).
 * A length is checked before a byte of the body is waited for, so a declared length never costs memory.
 */

/** Startup packet, SSLRequest, GSSENCRequest, CancelRequest: the whole packet. */
export const STARTUP_PACKET_BYTES_MAX = 10_000;
/** SASL messages before the client is known. */
export const AUTHENTICATION_MESSAGE_BYTES_MAX = 65_535;
/** Messages that carry names and numbers only. */
export const SMALL_MESSAGE_BYTES_MAX = 10_000;
/** Messages that carry statements or data: PostgreSQL's limit is 0x3fffffff - 1; ours is settable below it. */
export const LARGE_MESSAGE_BYTES_MAX = 0x3ffffffe;
export const LARGE_MESSAGE_BYTES_DEFAULT = 256 << 20;
