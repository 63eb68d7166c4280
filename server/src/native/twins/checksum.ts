/** Twin of the CRC-32C kernel: eight tables, eight bytes a step. */

const tables: Uint32Array[] = [];

function build(): void {
  for (let k = 0; k < 8; k++) tables.push(new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
    tables[0]![byte] = crc;
  }
  for (let k = 1; k < 8; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[k - 1]![byte]!;
      tables[k]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
    }
  }
}

/** See {@link Kernels.crc32c}. */
export function crc32c(source: Uint8Array, previous: number): number {
  if (tables.length === 0) build();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~previous;
  let at = 0;
  for (; source.length - at >= 8; at += 8) {
    const low =
      crc ^ (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24));
    crc =
      t7[low & 255]! ^
      t6[(low >>> 8) & 255]! ^
      t5[(low >>> 16) & 255]! ^
      t4[low >>> 24]! ^
      t3[source[at + 4]!]! ^
      t2[source[at + 5]!]! ^
      t1[source[at + 6]!]! ^
      t0[source[at + 7]!]!;
  }
  for (; at < source.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ source[at]!) & 255]!;
  return ~crc >>> 0;
}
