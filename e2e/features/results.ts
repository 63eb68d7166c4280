/** Work with a result: sort and filter on the server, chart, copy, export; history and saved queries. */
import { cellsOf, expect, expectCells, open, runStatement, type Step } from '../utils/console.ts';

export const RESULT_STEPS: readonly Step[] = [
  {
    name: 'a held result is sorted by its type and filtered, without running again',
    run: async (page) => {
      await open(page, '#/query');
      await runStatement(
        page,
        "select (g * 99991 % 1000)::numeric as n, 'name ' || g as name from generate_series(1, 1000) g",
      );
      let runs = 0;
      const count = (request: { url(): string }): void => {
        if (request.url().endsWith('/api/v1/query')) runs++;
      };
      page.on('request', count);
      await page
        .getByRole('columnheader', { name: /^n numeric/ })
        .getByRole('button')
        .click();
      await page
        .getByRole('columnheader', { name: /^n numeric/ })
        .getByRole('button')
        .click();
      await page.getByRole('row').nth(1).getByRole('gridcell', { name: '999', exact: true }).waitFor();
      await page.getByRole('button', { name: 'Filter', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Column').selectOption({ label: 'name' });
      await dialog.getByLabel('Operator').selectOption('contains');
      await dialog.getByLabel('Value').fill('name 77');
      await dialog.getByRole('button', { name: 'Apply' }).click();
      await page.getByText('11 of 1,000 rows').waitFor();
      page.off('request', count);
      expect(runs === 0, 'the statement ran again');
      await page.getByRole('button', { name: 'As it came' }).click();
      await page.getByText('1,000 rows').waitFor();
    },
  },
  {
    name: 'a selection is copied exactly',
    run: async (page) => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await runStatement(
        page,
        "select 9007199254740993::int8 as a, 'x\ty' as b, null as c union all select 1, '', 'z' order by 1 desc",
      );
      await cellsOf(page);
      await page.getByRole('grid').click({ position: { x: 90, y: 40 } });
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.press('ControlOrMeta+c');
      await page.getByText('6 values copied.').waitFor();
      const text = await page.evaluate(() => navigator.clipboard.readText());
      expect(text === '9007199254740993\t"x\ty"\t\n1\t\tz', `copied ${JSON.stringify(text)}`);
    },
  },
  {
    name: 'a result is exported as a file, with every digit',
    run: async (page) => {
      const download = page.waitForEvent('download');
      await page.getByLabel('Export as').selectOption('json');
      const stream = await (await download).createReadStream();
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      expect(text.includes('9007199254740993') && text.includes('null'), `exported ${text.slice(0, 200)}`);
    },
  },
  {
    name: 'a result is drawn as a chart',
    run: async (page) => {
      await runStatement(page, "select 'day ' || g as day, g * g as amount from generate_series(1, 12) g");
      await page.getByRole('button', { name: 'Chart' }).click();
      await page
        .getByRole('img', { name: 'Chart of 12 rows' })
        .locator('.recharts-bar-rectangle')
        .first()
        .waitFor();
      await page.getByLabel('Kind of chart').selectOption('line');
      await page.locator('.recharts-line').first().waitFor();
      await page.getByRole('button', { name: 'Grid' }).click();
    },
  },
  {
    name: 'a query is saved in a folder, found again, and the history knows what ran',
    run: async (page) => {
      await open(page, '#/query');
      await runStatement(page, 'select 42 as kept_in_the_database');
      await page.getByTestId('sql-editor').click();
      await page.keyboard.press('ControlOrMeta+s');
      await page.getByLabel('Name').fill('The answer');
      await page.getByLabel('Folder').fill('reports');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('tab', { name: 'The answer' }).waitFor();
      await page.getByRole('button', { name: 'Saved queries' }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /reports \/ The answer/ })
        .click();
      await page.getByRole('button', { name: 'Close tab' }).click();
      await page.getByRole('button', { name: 'History' }).click();
      await page.getByRole('dialog').getByLabel('Search the history').fill('kept_in_the');
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /select 42 as kept_in_the_database/ })
        .first()
        .waitFor();
      await page.keyboard.press('Escape');
    },
  },
  {
    name: 'each tab has its own transaction; who blocks whom is shown, and mended',
    run: async (page) => {
      await runStatement(page, 'begin; update shop set name = name where id = 2');
      await page.getByRole('button', { name: 'New tab' }).click();
      const editor = page.getByTestId('sql-editor');
      await editor.click();
      await page.keyboard.insertText('update shop set name = name where id = 2');
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByRole('button', { name: 'Cancel' }).waitFor();
      await open(page, '#/activity?tab=locks');
      await page
        .getByRole('list', { name: 'Blocking forest' })
        .getByText(/waits for/)
        .waitFor();
      await page.getByRole('button', { name: 'End' }).first().click();
      await page.getByText(/Session \d+ was ended\./).waitFor();
      await page.getByText('Nobody waits for a lock.').waitFor();
      await open(page, '#/query');
      await page
        .getByRole('status')
        .getByText(/UPDATE 1/)
        .waitFor();
      await page.getByRole('button', { name: 'Close tab' }).click();
      // The other tab's session is the one that was ended: its next statement is told so, the one after finds a new session.
      await runStatement(page, 'select 1');
      await page.getByRole('region', { name: 'Results' }).getByRole('alert').waitFor();
      await runStatement(page, 'select 1');
      await expectCells(page, ['1']);
    },
  },
  {
    name: 'the advisor answers, and what-if compares two plans',
    run: async (page) => {
      await open(page, '#/advisor');
      await page.getByRole('button', { name: 'Advise' }).click();
      await page
        .getByRole('status')
        .getByText(/statements, \d+ candidates/)
        .waitFor();
      await page
        .getByRole('textbox', { name: 'Statement', exact: true })
        .fill('select * from sale where amount = 5');
      await page.getByLabel('Indexes, one a line').fill('create index on sale (amount)');
      await page.getByRole('button', { name: 'Ask the planner' }).click();
      await page.getByText(/^cost /).waitFor();
      await page.getByRole('button', { name: 'Compare the plans' }).click();
      await page
        .getByRole('status')
        .getByText(/× cheaper by estimate|About the same/)
        .waitFor();
    },
  },
  {
    name: 'a role without privileges sees what it may, and no more',
    run: async (page, url) => {
      await open(page, '#/query');
      await runStatement(page, "create role visitor login password 'let me in'");
      const context = await page.context().browser()?.newContext();
      if (context === undefined) throw new Error('no browser');
      try {
        const other = await context.newPage();
        await other.goto(url);
        await other.getByLabel('Role').fill('visitor');
        await other.getByLabel('Password').fill('let me in');
        await other.getByRole('button', { name: 'Log in' }).click();
        await other.getByTestId('sql-editor').waitFor();
        await open(other, '#/tables/public/shop');
        await other
          .getByRole('alert')
          .getByText(/permission denied/)
          .waitFor();
        await open(other, '#/query');
        await runStatement(other, 'select * from shop');
        await other.getByRole('alert').getByText('permission denied for table shop').waitFor();
      } finally {
        await context.close();
      }
    },
  },
];
