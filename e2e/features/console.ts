/** The first journey: log in, run, see exact values, see where an error is, cancel. */
import { cellsOf, expect, expectCells, login, runStatement, type Step, type } from '../utils/console.ts';
import { PASSWORD } from '../utils/server.ts';

export const CONSOLE_STEPS: readonly Step[] = [
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
      expect((await page.evaluate(() => document.cookie)) === '', 'a script can read the cookie');
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
    name: 'Ctrl+Enter runs the statement at the caret, and only that',
    run: async (page) => {
      await type(page, 'select 1 as first;\n\nselect 2 as second;\n\nselect 3 as third');
      for (let up = 0; up < 2; up++) await page.keyboard.press('ArrowUp');
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByRole('columnheader', { name: 'second' }).waitFor();
      expect((await cellsOf(page)).join() === '2', 'another statement ran');
    },
  },
  {
    name: 'a running statement is cancelled on the server',
    run: async (page) => {
      await type(page, 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b');
      await page.keyboard.press('ControlOrMeta+Enter');
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
      expect(status === 403, `status ${status}, expected 403`);
      await runStatement(page, 'select count(*) from journey');
      await expectCells(page, ['5000']);
    },
  },
];

export const LOGOUT_STEPS: readonly Step[] = [
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
