/** The table browser: tree, search, columns, filter, staged edits with their SQL, import, diagram. */
import { readFileSync } from 'node:fs';
import { expect, expectCells, open, runStatement, type Step } from '../utils/console.ts';

export const TABLE_STEPS: readonly Step[] = [
  {
    name: 'the tree lists tables; a search finds one; its columns, keys and DDL are told',
    run: async (page) => {
      await open(page, '#/query');
      await runStatement(
        page,
        `create table shop (id int primary key, name text not null unique);
         create table sale (id bigint primary key, shop int references shop, amount numeric(20,4), note text);
         insert into shop values (1, 'north'), (2, 'south');
         insert into sale select g, 1 + g % 2, g * 1.0001, case when g % 3 = 0 then null else 'note ' || g end from generate_series(1, 1200) g;`,
      );
      await page.getByRole('link', { name: 'Tables' }).click();
      await page.getByRole('searchbox', { name: 'Search tables' }).fill('sal');
      await page.getByRole('treeitem', { name: /public\.sale/ }).click();
      await page.getByRole('tab', { name: 'Columns (4)' }).click();
      await page.getByRole('cell', { name: 'numeric(20,4)' }).waitFor();
      await page.getByRole('tab', { name: /Constraints/ }).click();
      await page
        .getByRole('cell', { name: /FOREIGN KEY \(shop\) REFERENCES (public\.)?shop\(id\)/ })
        .waitFor();
      await page.getByRole('tab', { name: 'DDL' }).click();
      await page.getByText(/CREATE TABLE public\.sale/i).waitFor();
    },
  },
  {
    name: 'rows are filtered and sorted, and the address keeps it',
    run: async (page) => {
      await open(
        page,
        `#/tables/public/sale?filter=${encodeURIComponent('[{"column":"note","operator":"contains","value":"99"}]')}`,
      );
      await page.getByRole('gridcell', { name: 'note 199', exact: true }).waitFor();
      await page.getByRole('columnheader', { name: 'amount' }).getByRole('button').click();
      await page.getByRole('columnheader', { name: 'amount' }).getByRole('button').click();
      await page.getByRole('gridcell', { name: 'note 1199', exact: true }).waitFor();
      await page.reload();
      await page.getByRole('gridcell', { name: 'note 1199', exact: true }).waitFor();
    },
  },
  {
    name: 'edits are staged, shown as SQL and committed together; values stay exact',
    run: async (page) => {
      await open(page, '#/tables/public/shop');
      await page.getByRole('gridcell', { name: 'north' }).dblclick();
      await page
        .getByRole('textbox', { name: 'Value of name' })
        .fill("it's 0.1000000000000000055511151231257827");
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Row', exact: true }).click();
      const grid = page.getByRole('grid');
      await grid.getByRole('row').last().getByRole('gridcell').first().dblclick();
      await page.getByRole('textbox', { name: 'Value of id' }).fill('3');
      await page.keyboard.press('Enter');
      await grid.getByRole('row').last().getByRole('gridcell').nth(1).dblclick();
      await page.getByRole('textbox', { name: 'Value of name' }).fill('new');
      await page.keyboard.press('Enter');
      await page.getByText('2 changes').waitFor();
      await page.getByRole('button', { name: 'Preview SQL' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/UPDATE/i).waitFor();
      await dialog.getByRole('button', { name: 'Commit' }).click();
      await page.getByText('2 changes committed.').waitFor();
      await page
        .getByRole('gridcell', { name: "it's 0.1000000000000000055511151231257827", exact: true })
        .waitFor();
      await page.getByRole('gridcell', { name: 'new', exact: true }).waitFor();
    },
  },
  {
    name: 'a CSV file is previewed and imported',
    run: async (page) => {
      await page.getByRole('button', { name: 'Import' }).click();
      await page.getByLabel('CSV or Parquet file').setInputFiles({
        name: 'shops.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from('name,id\n"quoted, ""too""",10\nplain,11\n'),
      });
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('cell', { name: 'quoted, "too"' }).waitFor();
      await dialog.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByText('2 rows imported.').waitFor();
      await page.getByRole('gridcell', { name: 'quoted, "too"', exact: true }).waitFor();
    },
  },
  {
    name: 'a result goes out as a Parquet file and comes back into a table, exactly',
    run: async (page) => {
      await open(page, '#/query');
      await runStatement(
        page,
        `create table carried (id bigint primary key, exact numeric, words text, made timestamptz);
         select 9007199254740993 + g as id, 0.1000000000000000055511151231257827 * g as exact, case when g = 2 then null else 'a "b",' || g end as words, timestamptz '0044-03-15 12:00:00.000001+00 BC' as made from generate_series(1, 300) g`,
      );
      const download = page.waitForEvent('download');
      await page.getByLabel('Export as').selectOption('parquet');
      const path = await (await download).path();
      await open(page, '#/tables/public/carried');
      await page.getByRole('button', { name: 'Import' }).click();
      await page
        .getByLabel('CSV or Parquet file')
        .setInputFiles({ name: 'carried.parquet', mimeType: '', buffer: readFileSync(path) });
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('cell', { name: 'a "b",1', exact: true }).waitFor();
      await dialog.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByText('300 rows imported.').waitFor();
      await open(page, '#/query');
      await runStatement(page, `select count(*), sum(exact), min(id), count(words), min(made) from carried`);
      await expectCells(page, [
        '300',
        '4515.0000000000002506328478091290889050',
        '9007199254740994',
        '299',
        '0044-03-15 12:00:00.000001+00 BC',
      ]);
    },
  },
  {
    name: 'the diagram shows tables with their foreign keys; a table in it opens',
    run: async (page) => {
      await open(page, '#/tables/public');
      await page.getByRole('link', { name: 'Open public.sale' }).click();
      await page.getByRole('heading', { name: 'public.sale' }).waitFor();
      expect(page.url().includes('#/tables/public/sale'), 'the table is not in the address');
    },
  },
];
