/**
 * The front door: sets up what is missing, then starts, tests, measures or checks. Plain JavaScript for Node 20.
 *
 *     node scripts/run.mjs setup  only sets up
 *     npm start [-- options]      the server (npm start -- --help tells the options)
 *     npm test [-- paths]         every fast test, or the unit tests below the paths
 *     npm run test:full           the long ones too
 *     npm run bench [-- options]  measurements
 *     npm run check               format, lint, types, house rules
 *     npm run format              rewrites formatting
 */

import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { engineEnvironment, engineMain, engineNode, root, run, supervise } from './engine.mjs';
import { ensureAll, ensurePackages } from './setup.mjs';
import { checks, runTests } from './test.mjs';

const [command, ...rest] = process.argv.slice(2);
const script = (file) => path.join(root, 'node_modules', file);

const commands = {
  async setup() {
    await ensureAll();
    return 0;
  },

  async start() {
    await ensureAll();
    const main = engineMain();
    if (!main) {
      process.stderr.write('fastpostgres: server/src/main/main.ts is missing\n');
      return 1;
    }
    const node = engineNode();
    const commandArguments = [main, 'start', ...rest];
    // Asking for help or the version is no service.
    if (rest.some((argument) => ['--help', '-h', '-?', '--version', '-V'].includes(argument))) {
      return run(node, commandArguments, { env: engineEnvironment(node), cwd: process.cwd() });
    }
    return supervise(node, commandArguments);
  },

  async test() {
    await ensureAll();
    return runTests(rest, { isFull: false });
  },

  async 'test-full'() {
    await ensureAll();
    return runTests(rest, { isFull: true });
  },

  async bench() {
    await ensureAll();
    const program = path.join(root, 'bench', 'run.ts');
    if (!existsSync(program)) {
      process.stderr.write('fastpostgres: bench/run.ts is missing\n');
      return 1;
    }
    const node = engineNode();
    return run(node, [program, ...rest], { env: engineEnvironment(node) });
  },

  async check() {
    await ensurePackages();
    const node = engineNode();
    const env = engineEnvironment(node);
    let failed = 0;
    const tidy = {
      name: 'house rules',
      file: path.join(root, 'tools/tidy/run.ts'),
      commandArguments: ['--strict'],
    };
    for (const { name, file, commandArguments } of [...checks(script), tidy]) {
      const code = await run(node, [file, ...commandArguments], { env });
      if (code === 0) continue;
      failed++;
      process.stdout.write(`failed: ${name}\n`);
    }
    return failed > 0 ? 1 : 0;
  },

  async format() {
    await ensurePackages();
    const node = engineNode();
    return run(node, [script('@biomejs/biome/bin/biome'), 'check', '--write'], {
      env: engineEnvironment(node),
    });
  },
};

if (command === undefined || !Object.hasOwn(commands, command)) {
  process.stderr.write(`usage: node scripts/run.mjs ${Object.keys(commands).join('|')} [arguments]\n`);
  process.exit(2);
}
process.exitCode = await commands[command]();
// The signal handlers of the supervisor would keep the process alive.
process.exit();
