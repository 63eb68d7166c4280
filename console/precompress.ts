/** Compresses what was built with Brotli, so that the server only has to send it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Plugin } from 'vite';

const compress = promisify(brotliCompress);
const KINDS = /\.(?:js|css|html|svg|ttf)$/;
const BYTES_MIN = 1024;
/** The highest quality takes seconds for what is large: the editor, which is loaded after the page. */
const LARGE_BYTES = 1 << 20;

export function precompress(): Plugin {
  let folder = '';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        KINDS.test(file),
      );
      await Promise.all(
        files.map(async (file) => {
          const bytes = readFileSync(join(folder, file));
          if (bytes.length < BYTES_MIN) return;
          const quality = bytes.length > LARGE_BYTES ? 9 : 11;
          const params = {
            [constants.BROTLI_PARAM_QUALITY]: quality,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
          };
          writeFileSync(join(folder, `${file}.br`), await compress(bytes, { params }));
        }),
      );
    },
  };
}
