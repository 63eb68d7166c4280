import { describe, expect, test } from 'vitest';
import { checkFiles } from './check.ts';
import { collectFiles } from './run.ts';
import { findImports, maskSource } from './scan.ts';

const readme = '# Room\n\nPromises.\n\nInvariants.\n';

/** Errors of one planted file, its folder otherwise in order. */
function errorsOf(file: string, source: string): string[] {
  const folder = file.slice(0, file.lastIndexOf('/'));
  const files = new Map([
    [file, source],
    [`${folder}/README.md`, readme],
  ]);
  return checkFiles(files)
    .filter(({ severity }) => severity !== 'report')
    .map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

test('the house is tidy', () => {
  const errors = checkFiles(collectFiles()).filter(({ severity }) => severity !== 'report');
  expect(errors.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual([]);
});

describe('planted violations ring', () => {
  test('an import against the layers', () => {
    const source =
      "import type { Lock } from '../txn/contract.ts';\nimport { x } from '../session/session.ts';\n";
    expect(errorsOf('server/src/executor/scan.ts', source)).toEqual([
      expect.stringContaining('server/src/executor/scan.ts:2: executor/ may not import session/'),
    ]);
    expect(errorsOf('server/src/storage/wal/log.ts', "import { f } from '../../txn/x.ts';\n")).toHaveLength(
      1,
    );
    expect(errorsOf('server/src/base/x.ts', "export { f } from '../types/x.ts';\n")).toHaveLength(1);
    expect(errorsOf('server/src/base/x.ts', "const f = await import('../types/x.ts');\n")).toHaveLength(1);
    expect(
      errorsOf('server/src/storage/x.ts', "new URL('../table/worker.ts', import.meta.url);\n"),
    ).toHaveLength(1);
    expect(errorsOf('server/src/cellar/x.ts', "import { f } from '../base/x.ts';\n")).toHaveLength(1);
  });

  test.each([
    ['Date.now()'],
    ['new Date()'],
    ['performance.now()'],
    ['Math.random()'],
    ['setTimeout(f, 1)'],
    ['setInterval(f, 1)'],
    ['setImmediate(f)'],
    ['process.nextTick(f)'],
    ['process.env'],
    ['crypto.getRandomValues(x)'],
    ["console.log('x')"],
    ["throw new Error('x')"],
    ["Promise.reject(new TypeError('x'))"],
    ['x as any'],
    ['let y: any'],
    ['const z: Array<any> = []'],
    ["import * as fs from 'node:fs'"],
    ["import { connect } from 'node:net'"],
    ["import { TLSSocket } from 'node:tls'"],
    ["import { Worker } from 'node:worker_threads'"],
    ["import { randomBytes } from 'node:crypto'"],
    ["import * as crypto from 'node:crypto'"],
    ["import left from 'left-pad'"],
    ["import { RealDisk } from '../env/real/disk.ts'"],
    ["import { SimulatedDisk } from '../env/simulated/disk.ts'"],
    ["import { helper } from '../base/x.test.ts'"],
    ['// TODO later'],
  ])('%s', (line) => {
    expect(errorsOf('server/src/session/x.ts', `// first\n${line};\n`)).toEqual([
      expect.stringMatching(/^server\/src\/session\/x\.ts:2: /),
    ]);
  });

  test('long files, missing READMEs, doubled decisions', () => {
    expect(errorsOf('server/src/session/x.ts', '\n'.repeat(900))[0]).toMatch(
      /x\.ts:801: 900 lines, 800 allowed/,
    );
    const files = new Map([
      ['server/src/txn/a.ts', ''],
      ['docs/decisions/0001-a.md', ''],
      ['docs/decisions/0001-b.md', ''],
      ['docs/decisions/third.md', ''],
    ]);
    const messages = checkFiles(files).map(({ file }) => file);
    expect(messages).toEqual([
      'docs/decisions/0001-b.md',
      'docs/decisions/third.md',
      'server/src/txn/README.md',
      'server/src/txn/a.ts',
    ]);
  });

  test('console and e2e stay outside the server', () => {
    expect(errorsOf('console/src/api/x.ts', "import '../../../server/src/sql/x.ts';\n")).toContainEqual(
      expect.stringContaining('console sees only'),
    );
    expect(errorsOf('e2e/x.spec.ts', "import '../server/src/main/server.ts';\n")).toHaveLength(1);
  });
});

describe('what is not a violation', () => {
  test('words in comments and strings, pure functions, types', () => {
    const source = `
      // Date.now() and setTimeout(x) are banned
      /* new Error('x') */
      import { createHmac, timingSafeEqual } from 'node:crypto';
      import { crc32 } from 'node:zlib';
      import { a, type B } from '../base/x.ts';
      const text = 'Date.now()' + "Math.random()" + \`setTimeout(\${a} process.exit())\`;
      const pattern = /new Error\\(['"\`]/;
      const ratio = a / text.length / 2; // '
      clock.setTimeout(1); schedule.process.run(); x.crypto.y();
      const date = new Date(5); const record = { any: 1 }; quantifier.any(x); f(any);
      export type T = Map<string, B>;
    `;
    expect(errorsOf('server/src/session/x.ts', source)).toEqual([]);
  });

  test('masking keeps positions and understands nested templates and regular expressions', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is source code to be masked
    const source = "a(`x ${b ? `y ${'}'} z` : {}} w`, /['`]/, c) // end\n'it''s'";
    const masked = maskSource(source);
    expect(masked.length).toBe(source.length);
    expect(masked).toContain('b ? `');
    expect(masked).toContain(', c)');
    expect(masked).not.toMatch(/[xyzw]/);
  });

  test('imports are found with names and kinds', () => {
    const source =
      "import {\n  type A,\n  b as c,\n} from './x.ts';\nimport type { D } from './y.ts';\nimport './z.ts';\n";
    expect(findImports(source, maskSource(source))).toEqual([
      { specifier: './x.ts', line: 4, isTypeOnly: false, names: ['A', 'b'] },
      { specifier: './y.ts', line: 5, isTypeOnly: true, names: ['D'] },
      { specifier: './z.ts', line: 6, isTypeOnly: false, names: [] },
    ]);
  });
});
