/**
 * End-to-end tests in a real browser against a server of their own. Ends with `N passed, N failed`.
 * `--screenshots DIR` keeps a picture of the page after each step.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { STEPS } from './features/index.ts';
import { launchBrowser } from './utils/browser.ts';
import { startTestServer } from './utils/server.ts';

const STEP_MILLIS_MAX = 15_000;

const at = process.argv.indexOf('--screenshots');
const screenshots = at < 0 ? null : process.argv[at + 1];
if (screenshots !== null) mkdirSync(screenshots, { recursive: true });

let passed = 0;
let failed = 0;
const server = await startTestServer();
const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(STEP_MILLIS_MAX);
  const foreign: string[] = [];
  const faults: string[] = [];
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(server.consoleUrl).host) foreign.push(request.url());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  for (const [index, step] of STEPS.entries()) {
    const startedAt = performance.now();
    try {
      await step.run(page, server.consoleUrl, server);
      passed++;
      process.stdout.write(`ok   ${step.name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`);
    } catch (error) {
      failed++;
      process.stdout.write(
        `FAIL ${step.name}\n     ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
    if (screenshots !== null) await page.screenshot({ path: join(screenshots, `${index + 1}.png`) });
  }
  const check = (name: string, list: readonly string[]): void => {
    if (list.length === 0) passed++;
    else failed++;
    process.stdout.write(
      `${list.length === 0 ? 'ok  ' : 'FAIL'} ${name}${list.length === 0 ? '' : `: ${list.join('; ')}`}\n`,
    );
  };
  check('nothing is loaded from another host', foreign);
  check('no script of the page fails', faults);
} finally {
  await browser.close();
  await server.stop();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
