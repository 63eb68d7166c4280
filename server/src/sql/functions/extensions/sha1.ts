/** SHA-1 (FIPS 180-4), for name-based UUIDs and pgcrypto; the other digests come from the runtime. */

export function sha1(message: Uint8Array): Uint8Array {
  const length = message.length;
  const padded = new Uint8Array(((length + 8) >> 6) * 64 + 64);
  padded.set(message);
  padded[length] = 0x80;
  const data = new DataView(padded.buffer);
  data.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
  data.setUint32(padded.length - 4, (length << 3) >>> 0);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0].map((word) => word | 0);
  const words = new Int32Array(80);
  const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
  for (let block = 0; block < padded.length; block += 64) {
    for (let index = 0; index < 16; index++) words[index] = data.getInt32(block + index * 4);
    for (let index = 16; index < 80; index++) {
      const mixed = words[index - 3]! ^ words[index - 8]! ^ words[index - 14]! ^ words[index - 16]!;
      words[index] = rotate(mixed, 1);
    }
    let [a, b, c, d, e] = state as [number, number, number, number, number];
    for (let index = 0; index < 80; index++) {
      let mix: number;
      let constant: number;
      if (index < 20) [mix, constant] = [(b & c) | (~b & d), 0x5a827999];
      else if (index < 40) [mix, constant] = [b ^ c ^ d, 0x6ed9eba1];
      else if (index < 60) [mix, constant] = [(b & c) | (b & d) | (c & d), 0x8f1bbcdc];
      else [mix, constant] = [b ^ c ^ d, 0xca62c1d6];
      const next = (rotate(a, 5) + mix + e + constant + words[index]!) | 0;
      [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
    }
    [a, b, c, d, e].forEach((word, index) => {
      state[index] = (state[index]! + word) | 0;
    });
  }
  const result = new DataView(new ArrayBuffer(20));
  state.forEach((word, index) => {
    result.setInt32(index * 4, word);
  });
  return new Uint8Array(result.buffer);
}
