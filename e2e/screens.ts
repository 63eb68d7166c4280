/**
 * Pictures of every page for a person to look at, light and dark, wide and narrow, and what axe-core finds on each, in every theme.
 *
 *     node e2e/screens.ts DIR
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { accessibilityFindings } from './utils/accessibility.ts';
import { launchBrowser } from './utils/browser.ts';
import { login, open, runStatement } from './utils/console.ts';
import { PAGES } from './utils/pages.ts';
import { PASSWORD, startTestServer } from './utils/server.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: screens.ts DIR');
mkdirSync(folder, { recursive: true });

const SEED = `
create table shop (id int primary key, name text not null unique);
create table sale (id bigint primary key, shop int references shop, amount numeric(20,4) check (amount >= 0), sold_at timestamptz default now(), note text);
create index sale_shop on sale (shop, sold_at);
create table refund (id serial primary key, sale bigint not null references sale on delete cascade, reason text);
create view shop_total as select shop.name, sum(amount) as total from shop join sale on sale.shop = shop.id group by 1;
comment on table sale is 'What was sold, where and for how much';
create function touched() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger sale_touched before update on sale for each row execute function touched();
create role reader; create role analyst login in role reader; grant select on shop, sale to reader; grant update (note) on sale to analyst;
alter default privileges in schema public grant select on tables to reader;
insert into shop select g, 'shop ' || g from generate_series(1, 40) g;
insert into sale select g, 1 + g % 40, (g * 7919 % 100000) / 100.0, timestamptz '2026-01-01' + g * interval '7 minutes', case when g % 3 = 0 then null else 'note ' || g end from generate_series(1, 60000) g;
insert into refund (sale, reason) select g * 100, 'reason ' || g from generate_series(1, 300) g;
analyze;`;

/** Pages that need something done before there is a thing to see. */
const EXTRA: readonly { readonly name: string; readonly prepare: (page: Page) => Promise<void> }[] = [
  {
    name: 'query-result',
    prepare: async (page) => {
      await open(page, '#/query');
      await runStatement(page, 'select * from sale order by id limit 2000');
    },
  },
  {
    name: 'query-chart',
    prepare: async (page) => {
      await open(page, '#/query');
      await runStatement(page, 'select name, total from shop_total order by total desc limit 12');
      await page.getByRole('button', { name: 'Chart' }).click();
      await page.locator('.recharts-bar-rectangle').first().waitFor();
    },
  },
  {
    name: 'query-error',
    prepare: async (page) => {
      await open(page, '#/query');
      await runStatement(page, 'select nam, count(*) from shop group by name');
      await page.getByRole('alert').first().waitFor();
    },
  },
  {
    name: 'explain-plan',
    prepare: async (page) => {
      await open(page, '#/query');
      await runStatement(page, 'select 1');
      await page.getByTestId('sql-editor').click();
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.insertText(
        "select shop.name, count(*), sum(amount) from sale join shop on shop.id = sale.shop where sold_at > timestamptz '2026-03-01' group by 1 order by 3 desc limit 10",
      );
      await page.keyboard.press('ControlOrMeta+e');
      await page.getByTestId('plan-tree').waitFor();
    },
  },
  ...['Table', 'Flame', 'Time line'].map((view) => ({
    name: `explain-${view.toLowerCase().replace(' ', '-')}`,
    prepare: async (page: Page) => {
      await page.getByRole('tab', { name: view }).click();
    },
  })),
  {
    name: 'advisor-advice',
    prepare: async (page) => {
      await open(page, '#/advisor');
      await page.getByRole('button', { name: 'Advise' }).click();
      await page
        .getByRole('status')
        .getByText(/statements, \d+ candidates/)
        .waitFor();
    },
  },
  {
    name: 'palette',
    prepare: async (page) => {
      await open(page, '#/dashboard');
      await page.keyboard.press('ControlOrMeta+k');
      await page.getByRole('dialog').waitFor();
    },
  },
];

const server = await startTestServer(['log_min_duration_statement=5']);
const browser = await launchBrowser();
let serious = 0;
let looked = 0;
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(20_000);
  await page.goto(server.consoleUrl);
  await page.screenshot({ path: join(folder, 'login.png') });
  const check = async (name: string): Promise<void> => {
    looked++;
    const findings = await accessibilityFindings(page);
    serious += findings.serious.length;
    for (const one of findings.serious) process.stdout.write(`SERIOUS ${name}: ${one}\n`);
    for (const one of findings.minor) process.stdout.write(`minor ${name}: ${one}\n`);
  };
  await check('login');
  await login(page, PASSWORD);
  await page.getByTestId('sql-editor').waitFor();
  await runStatement(page, SEED, 60_000);
  for (let turn = 0; turn < 4; turn++)
    await runStatement(
      page,
      `select note from sale where amount = ${turn}; select count(*) from sale where note like 'note 9%'; select * from shop_total`,
    );
  const settled = async (): Promise<void> => {
    await page.waitForTimeout(250);
    await page.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null);
  };
  const shoot = async (name: string): Promise<void> => {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
      for (const theme of ['light', 'dark', 'contrast']) {
        await page.getByLabel('Theme', { exact: true }).selectOption(theme, { force: true });
        await page.waitForTimeout(60);
        if (theme !== 'contrast')
          await page.screenshot({ path: join(folder, `${name}-${width}-${theme}.png`) });
        await check(`${name} ${width} ${theme}`);
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  for (const address of PAGES) {
    await open(page, address);
    await settled();
    await shoot(address.replace('#/', '').replaceAll(/[^a-z]+/g, '-'));
  }
  for (const { name, prepare } of EXTRA) {
    await prepare(page);
    await settled();
    await shoot(name);
  }
} finally {
  await browser.close();
  await server.stop();
}
process.stdout.write(`${looked} pages looked at, ${serious} serious findings\n`);
process.exitCode = serious > 0 ? 1 : 0;
