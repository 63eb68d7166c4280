/** Dashboard, activity, statements, health, advisor, security. */
import { expect, open, type Step } from '../utils/console.ts';

export const MONITOR_STEPS: readonly Step[] = [
  {
    name: 'the dashboard shows what is now, charts, and a range that is kept in the address',
    run: async (page) => {
      await page.getByRole('link', { name: 'Dashboard' }).click();
      await page.getByRole('list', { name: 'Now' }).getByText('Connections').waitFor();
      await page.getByRole('region', { name: 'latency', exact: true }).getByRole('img').waitFor();
      await page.getByLabel('Time range', { exact: true }).selectOption('1h');
      expect(page.url().includes('range=1h'), 'the range is not in the address');
      const chart = page.getByRole('region', { name: 'latency', exact: true }).getByRole('img');
      const box = await chart.boundingBox();
      if (box === null) throw new Error('no chart');
      await page.mouse.move(box.x + box.width * 0.4, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 4 });
      await page.mouse.up();
      await page.getByRole('button', { name: 'Back to now' }).click();
      await page.getByText('live', { exact: true }).waitFor();
    },
  },
  {
    name: 'a session is listed, and ended from the console',
    run: async (page) => {
      await page.evaluate(() => {
        location.hash = '#/query';
      });
      await page.getByRole('link', { name: 'Activity' }).click();
      await page.getByRole('table').getByText('FastPostgres console').first().waitFor();
      await page.getByRole('tab', { name: 'Blocking' }).click();
      await page.getByText('Nobody waits for a lock.').waitFor();
      await page.getByRole('tab', { name: 'Locks', exact: true }).click();
      await page.getByText(/locks, \d+ waited for/).waitFor();
    },
  },
  {
    name: 'statements are listed by time, each with its histogram',
    run: async (page) => {
      await page.getByRole('link', { name: 'Statements' }).click();
      await page.getByLabel('Search statements').fill('generate_series');
      await page
        .getByRole('table')
        .getByRole('button', { name: /insert into/ })
        .first()
        .click();
      await page
        .getByRole('region', { name: 'How long calls took', exact: true })
        .getByRole('listitem')
        .first()
        .waitFor();
    },
  },
  {
    name: 'health is told in sentences with evidence; settings are found',
    run: async (page) => {
      await page.getByRole('link', { name: 'Health' }).click();
      await page
        .getByRole('list', { name: 'Findings' })
        .getByText(/connections are in use/)
        .waitFor();
      await open(page, '#/health?tab=settings&search=work_mem');
      await page.getByRole('cell', { name: 'work_mem', exact: true }).waitFor();
      await page.getByRole('tab', { name: 'Storage' }).click();
      await page.getByRole('button', { name: 'public.sale' }).waitFor();
      await page.getByRole('tab', { name: 'Alerts' }).click();
      await page.getByRole('region', { name: 'Alerts' }).or(page.getByText('No rule yet.')).waitFor();
    },
  },
  {
    name: 'who can do what on a table is explained',
    run: async (page) => {
      await open(page, '#/security?tab=access&relation=public.sale');
      await page.getByRole('cell', { name: 'postgres is a superuser' }).first().waitFor();
      await page.getByRole('tab', { name: 'Roles' }).click();
      await page.getByRole('button', { name: 'postgres' }).click();
      await page.getByText('It is a member of no other role.').waitFor();
      await page.getByRole('tab', { name: 'Checks' }).click();
      await page.getByRole('list', { name: 'Checks' }).getByRole('listitem').first().waitFor();
    },
  },
  {
    name: 'the palette finds pages and tables by a few letters',
    run: async (page) => {
      await page.keyboard.press('ControlOrMeta+k');
      await page.getByRole('combobox', { name: 'Search commands and tables' }).fill('sale');
      await page.getByRole('option', { name: 'Open public.sale' }).click();
      await page.getByRole('heading', { name: 'public.sale' }).waitFor();
      await page.keyboard.press('ControlOrMeta+k');
      await page.getByRole('combobox', { name: 'Search commands and tables' }).fill('go to secur');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Security' }).waitFor();
      await page.getByRole('heading', { name: 'Security' }).click();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('g');
      await page.keyboard.press('q');
      await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
    },
  },
];
