/** The query editor: guard, fixes, parameters, transactions, completion, tabs. */
import { expect, expectCells, runStatement, type Step, type } from '../utils/console.ts';

export const EDITOR_STEPS: readonly Step[] = [
  {
    name: 'DELETE without WHERE asks first; refusing runs nothing',
    run: async (page) => {
      await type(page, 'delete from journey');
      await page.keyboard.press('ControlOrMeta+Enter');
      await page
        .getByRole('dialog')
        .getByText('DELETE without WHERE removes every row of journey.')
        .waitFor();
      await page.getByRole('button', { name: 'Do not run' }).click();
      await runStatement(page, 'select count(*) from journey');
      await expectCells(page, ['5000']);
    },
  },
  {
    name: 'an error is mended by the fix it carries',
    run: async (page) => {
      await runStatement(page, 'select tt from journey where n = 7');
      await page.getByRole('button', { name: 'Replace by t', exact: true }).click();
      await page.getByTestId('sql-editor').click();
      await page.keyboard.press('ControlOrMeta+Enter');
      await page.getByRole('gridcell', { name: 'row 7', exact: true }).waitFor();
    },
  },
  {
    name: 'parameters are asked for and sent with their types',
    run: async (page) => {
      await type(page, 'select t from journey where n = $1 and t <> :other');
      await page.getByRole('textbox', { name: 'Value of $1' }).fill('42');
      await page.getByLabel('Type of $1').fill('integer');
      await page.getByRole('textbox', { name: 'Value of :other' }).fill("it's");
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByRole('gridcell', { name: 'row 42', exact: true }).waitFor();
    },
  },
  {
    name: 'an open transaction is shown with its age and can be rolled back',
    run: async (page) => {
      await runStatement(
        page,
        'begin; update journey set t = null where n = 1; select t from journey where n = 1',
      );
      await expectCells(page, ['NULL']);
      await page.getByText(/in a transaction · /).waitFor();
      await page.getByRole('button', { name: 'Rollback' }).click();
      await page.getByText(/in a transaction · /).waitFor({ state: 'detached' });
      await runStatement(page, 'select t from journey where n = 1');
      await expectCells(page, ['row 1']);
    },
  },
  {
    name: 'completion knows the columns of an alias',
    run: async (page) => {
      const known = page.waitForResponse((response) => response.url().includes('/api/v1/schema'));
      await page.reload();
      await known;
      await type(page, 'select j. from journey j');
      await page.keyboard.press('ControlOrMeta+Home');
      for (let right = 0; right < 9; right++) await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ControlOrMeta+Space');
      await page.locator('.suggest-widget').getByText('integer not null · j').waitFor();
      await page.keyboard.press('Escape');
    },
  },
  {
    name: 'tabs and their text are there again after a reload',
    run: async (page) => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await type(page, 'select 1 as kept_text');
      await page.waitForTimeout(400);
      await page.reload();
      await page.getByTestId('sql-editor').getByText('kept_text').waitFor();
      expect(
        (await page.getByRole('tablist', { name: 'Query tabs' }).getByRole('tab').count()) === 2,
        'a tab is lost',
      );
      await page.getByRole('button', { name: 'Close tab' }).click();
    },
  },
];
