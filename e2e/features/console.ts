/** The console's first journey: log in, run, see exact values, see where an error is, cancel, look around, log out. */
import type { Page } from 'playwright-core';
import { PASSWORD } from '../utils/server.ts';

export interface Step {
  readonly name: string;
  run(page: Page, url: string): Promise<void>;
}

async function type(page: Page, sql: string): Promise<void> {
  const editor = page.getByTestId('sql-editor');
  await editor.waitFor();
  await editor.click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
}

async function runStatement(page: Page, sql: string): Promise<void> {
  await type(page, sql);
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/query'));
  await page.keyboard.press('ControlOrMeta+Enter');
  await answered;
  await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
}

async function expectCells(page: Page, expected: readonly string[]): Promise<void> {
  await page.getByRole('gridcell').first().waitFor();
  const cells = await page.getByRole('gridcell').allInnerTexts();
  if (JSON.stringify(cells) !== JSON.stringify(expected)) {
    throw new Error(`cells are ${JSON.stringify(cells)}, expected ${JSON.stringify(expected)}`);
  }
}

async function login(page: Page, password: string): Promise<void> {
  await page.getByLabel('Role').fill('postgres');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

export const STEPS: readonly Step[] = [
  {
    name: "a wrong password is refused with the server's words",
    run: async (page, url) => {
      await page.goto(url);
      await login(page, 'wrong');
      await page.getByRole('alert').getByText('password authentication failed for user "postgres"').waitFor();
    },
  },
  {
    name: 'the right password opens the editor; the cookie is out of reach of scripts',
    run: async (page) => {
      await login(page, PASSWORD);
      await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
      if ((await page.evaluate(() => document.cookie)) !== '')
        throw new Error('a script can read the cookie');
    },
  },
  {
    name: 'int8 and numeric are shown exactly, NULL as NULL',
    run: async (page) => {
      await runStatement(
        page,
        "select 9223372036854775807::int8 as a, 0.1000000000000000055511151231257827::numeric as b, null as c, 'grüße' as d",
      );
      await expectCells(page, [
        '9223372036854775807',
        '0.1000000000000000055511151231257827',
        'NULL',
        'grüße',
      ]);
    },
  },
  {
    name: 'an error is squiggled at its position and told in full',
    run: async (page) => {
      await runStatement(page, 'select 1,\n  nothing_there');
      await page.getByRole('alert').getByText('column "nothing_there" does not exist').waitFor();
      await page.locator('.squiggly-error').waitFor({ state: 'attached' });
    },
  },
  {
    name: 'several statements give a tab each; a large result is paged as one scrolls',
    run: async (page) => {
      await runStatement(
        page,
        "create table journey(n int primary key, t text); insert into journey select g, 'row ' || g from generate_series(1, 5000) g; select * from journey order by n;",
      );
      await page.getByRole('tab', { name: '3: SELECT 5000' }).waitFor();
      await page.getByRole('grid').evaluate((grid) => grid.scrollTo(0, grid.scrollHeight));
      await page.getByRole('gridcell', { name: 'row 5000', exact: true }).waitFor();
    },
  },
  {
    name: 'a running statement is cancelled on the server',
    run: async (page) => {
      await type(page, 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b');
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByRole('button', { name: 'Running …' }).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('alert').getByText('canceling statement due to user request').waitFor();
    },
  },
  {
    name: "a request without the console's token has no effect",
    run: async (page) => {
      const status = await page.evaluate(async () => {
        const response = await fetch('/api/v1/query', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"sql":"drop table journey"}',
        });
        return response.status;
      });
      if (status !== 403) throw new Error(`status ${status}, expected 403`);
      await runStatement(page, 'select count(*) from journey');
      await expectCells(page, ['5000']);
    },
  },
  {
    name: 'tables and their columns are listed',
    run: async (page) => {
      await page.getByRole('link', { name: 'Tables' }).click();
      await page.getByRole('group').getByText('journey', { exact: true }).click();
      await page.getByRole('cell', { name: 'integer' }).waitFor();
    },
  },
  {
    name: 'logging out ends the session',
    run: async (page) => {
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Password').waitFor();
      await page.reload();
      await page.getByLabel('Password').waitFor();
    },
  },
];
