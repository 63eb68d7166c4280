/**
 * Stands for `hysnappy`, which hyparquet-compressors takes: that one is WebAssembly, and the page's content security policy allows no code
 * that was not in the build's scripts. hyparquet brings the same in JavaScript.
 */
import { snappyUncompress as uncompressInto } from 'hyparquet';

export function snappyUncompress(input: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  uncompressInto(input, output);
  return output;
}

export function snappyUncompressor(): typeof snappyUncompress {
  return snappyUncompress;
}
