/**
 * Joins the server's modules into a few files that load at once: hundreds of small modules cost most of a warm start.
 * Run under the engine's Node; the sources stay the truth, `npm start` makes the bundle anew when one of them changed.
 *
 *     node scripts/bundle.mjs
 *
 * Every worker's entry module becomes an entry of the bundle, and references to it are pointed there. All other uses of
 * `import.meta.url` keep meaning the source file. Packages with machine code or WebAssembly of their own stay outside.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { bundleFolder, root } from './engine.mjs';

const sources = path.join(root, 'server', 'src');
const mainModule = path.join(sources, 'main', 'main.ts');
const externalPackages = /^(?:libpg-query|lz4-napi)(?:\/|$)/;
const moduleReference = /new URL\(\s*'(\.[^']+\.ts)',\s*import\.meta\.url,?\s*\)/g;

/** Entry name of a source module: its path below `server/src` with dashes. */
function entryName(file) {
  return path.relative(sources, file).replace(/\.ts$/, '').replaceAll(path.sep, '-');
}

/** Source files that some module names by `new URL('./x.ts', import.meta.url)`: the workers. */
function workerModules(folder, found = new Set()) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) workerModules(file, found);
    else if (/(?<!\.test)\.ts$/.test(entry.name)) {
      for (const match of readFileSync(file, 'utf8')
        .replace(/^\s*\*.*$/gm, '')
        .matchAll(moduleReference))
        found.add(path.resolve(folder, match[1]));
    }
  }
  return found;
}

/** Writes the bundle beside the old one and then takes its place, so that a start never sees half of it. */
async function bundle() {
  const workers = workerModules(sources);
  const input = Object.fromEntries([mainModule, ...workers].map((file) => [entryName(file), file]));
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => externalPackages.test(id),
    logLevel: 'warn',
    plugins: [
      {
        name: 'module-urls',
        transform(code, id) {
          if (!id.startsWith(sources) || !code.includes('import.meta.url')) return null;
          return code
            .replace(moduleReference, (whole, reference) => {
              const file = path.resolve(path.dirname(id), reference);
              return workers.has(file) ? `new URL('./${entryName(file)}.mjs', import.meta.URL)` : whole;
            })
            .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
            .replaceAll('import.meta.URL', 'import.meta.url');
        },
      },
    ],
  });
  const fresh = `${bundleFolder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  await build.write({
    dir: fresh,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunk-[name]-[hash].mjs',
  });
  await build.close();
  rmSync(bundleFolder, { recursive: true, force: true });
  renameSync(fresh, bundleFolder);
}

await bundle();
