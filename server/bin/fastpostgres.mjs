#!/usr/bin/env node
/**
 * The command `fastpostgres`: runs the server's main module under the right Node, as a supervised child for `start`.
 * Plain JavaScript for Node 20; packages must be installed (`npm start` in the repository does that too).
 */

import { engineEnvironment, engineMain, engineNode, run, supervise } from '../../scripts/engine.mjs';

const main = engineMain();
if (!main) {
  process.stderr.write('fastpostgres: the server is not complete: src/main/main.ts is missing\n');
  process.exit(1);
}
const node = engineNode();
const commandArguments = process.argv.slice(2);
const isService =
  commandArguments[0] === 'start' && !commandArguments.some((text) => text === '--help' || text === '-h');
process.exitCode = isService
  ? await supervise(node, [main, ...commandArguments])
  : await run(node, [main, ...commandArguments], { env: engineEnvironment(node), cwd: process.cwd() });
process.exit();
