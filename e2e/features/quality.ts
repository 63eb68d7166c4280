/**
 * What is measured and looked for on every page: accessibility in three themes, narrow screens, the size of the first load, the
 * way from a key press to the result, scrolling a million rows. Limits are wide enough for a busy machine; the figures are printed.
 */
import { brotliCompressSync } from 'node:zlib';
import { accessibilityFindings } from '../utils/accessibility.ts';
import { expect, open, runStatement, type Step, type } from '../utils/console.ts';
import { percentile, traceFrames } from '../utils/frames.ts';
import { PAGES } from '../utils/pages.ts';

const SCRIPT_BYTES_MAX = 200 * 1024;
const BUSY = 4;

const print = (text: string): boolean => process.stdout.write(`     ${text}\n`);

export const QUALITY_STEPS: readonly Step[] = [
  {
    name: 'no page keeps anybody out, in light, dark and high contrast',
    run: async (page) => {
      const faults: string[] = [];
      for (const theme of ['light', 'dark', 'contrast']) {
        await page.getByLabel('Theme', { exact: true }).selectOption(theme);
        // What is where does not depend on the theme; what can be read does.
        const rules = theme === 'light' ? undefined : ['color-contrast'];
        for (const address of PAGES) {
          await open(page, address);
          await page.waitForTimeout(50);
          await page.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null);
          for (const fault of (await accessibilityFindings(page, rules)).serious)
            faults.push(`${theme} ${address}: ${fault}`);
        }
      }
      await page.getByLabel('Theme', { exact: true }).selectOption('system');
      expect(
        faults.length === 0,
        `${faults.length} faults:\n       ${faults.slice(0, 25).join('\n       ')}`,
      );
    },
  },
  {
    name: 'nothing sticks out sideways at 320 and 2,560 pixels',
    run: async (page) => {
      const wide: string[] = [];
      for (const width of [320, 2560]) {
        await page.setViewportSize({ width, height: 800 });
        for (const address of PAGES) {
          await open(page, address);
          await page.waitForTimeout(60);
          const over = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          if (over > 1) wide.push(`${width} ${address}: ${over} px`);
        }
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      expect(wide.length === 0, wide.join('; '));
    },
  },
  {
    name: 'the first route loads at most 200 KiB of JavaScript (brotli)',
    run: async (page, url) => {
      const html = await (await page.request.get(url)).text();
      const scripts = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1]);
      expect(scripts.length > 0, 'no script in the page');
      let size = 0;
      for (const script of scripts) {
        const body = await (await page.request.get(new URL(script, url).href)).body();
        size += brotliCompressSync(body).length;
      }
      print(`${(size / 1024).toFixed(1)} KiB in ${scripts.length} files`);
      expect(size <= SCRIPT_BYTES_MAX, `${size} bytes`);
    },
  },
  {
    name: 'the page paints and takes SQL at once',
    run: async (page) => {
      await open(page, '#/query');
      await page.reload();
      await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
      const paint = await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      );
      print(`first paint ${paint.toFixed(0)} ms`);
      expect(paint < 150 * BUSY * 2, `first paint after ${paint} ms`);
      await page.getByTestId('sql-editor').waitFor();
    },
  },
  {
    name: 'from the key press to the result of SELECT 1 on the screen',
    run: async (page) => {
      await page.evaluate(() => {
        const times: number[] = [];
        Object.assign(globalThis, { latencies: times });
        let start = 0;
        addEventListener(
          'keydown',
          (event) => {
            if (event.key === 'Enter' && event.ctrlKey) start = performance.now();
          },
          true,
        );
        new MutationObserver(() => {
          const cell = document.querySelector('[role=gridcell]')?.textContent;
          const wanted = document.querySelector('.view-lines')?.textContent?.replace(/\D+/g, '');
          if (start === 0 || cell !== wanted) return;
          const from = start;
          start = 0;
          requestAnimationFrame(() => times.push(performance.now() - from));
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
      });
      for (let turn = 0; turn < 20; turn++) {
        await type(page, `select ${1000 + turn}`);
        await page.keyboard.press('Control+Enter');
        await page.waitForFunction(
          (count) => (globalThis as unknown as { latencies: number[] }).latencies.length > count,
          turn,
        );
      }
      const times = await page.evaluate(() => (globalThis as unknown as { latencies: number[] }).latencies);
      times.sort((left, right) => left - right);
      print(`p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`);
      expect(percentile(times, 0.5) < 30 * BUSY, `p50 ${percentile(times, 0.5)} ms`);
    },
  },
  {
    name: 'a million rows scroll, and the last one is reached',
    run: async (page) => {
      await runStatement(
        page,
        'select g as a, g + 1 as b, g % 7 as c, g % 11 as d, g % 13 as e, g % 17 as f, g % 19 as h, g % 23 as i, g % 29 as j, g % 31 as k from generate_series(1, 1000000) g',
        60_000,
      );
      const grid = page.getByRole('grid');
      await page.getByRole('gridcell', { name: '1', exact: true }).first().waitFor();
      const browser = page.context().browser();
      if (browser === null) throw new Error('no browser');
      const costs = await traceFrames(browser, page, async () => {
        await grid.evaluate(async (element) => {
          for (let frame = 0; frame < 90; frame++) {
            element.scrollTop += 72;
            await new Promise(requestAnimationFrame);
          }
        });
      });
      print(
        `${costs.frames.length} frames: p50 ${percentile(costs.frames, 0.5).toFixed(1)} ms, p95 ${percentile(costs.frames, 0.95).toFixed(1)} ms of work; longest task ${costs.longestTask.toFixed(0)} ms`,
      );
      // The median: on a busy machine the slowest frames tell of the others' work.
      expect(percentile(costs.frames, 0.5) < 8 * BUSY, `p50 ${percentile(costs.frames, 0.5)} ms a frame`);
      await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await page.getByRole('gridcell', { name: '1000001', exact: true }).waitFor();
    },
  },
];
