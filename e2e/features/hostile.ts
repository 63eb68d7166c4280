/** Values that lose nothing, names and texts that want to be scripts, and a network that is not there. */
import pg from 'pg';
import type { Page } from 'playwright-core';
import { fidelityCampaign } from '../fidelity.ts';
import { expect, open, runStatement, type Step } from '../utils/console.ts';
import { PAGES } from '../utils/pages.ts';
import { PASSWORD } from '../utils/server.ts';

const IS_FULL = process.env.FASTPOSTGRES_TEST_FULL === '1';
/** Types whose values tools lose most often; the whole list is the full run's. */
const COMMON_TYPES = [
  'bigint',
  'numeric',
  'double precision',
  'text',
  'bytea',
  'timestamp with time zone',
  'json',
  'text[]',
];

/** What runs where text is taken for markup, an address, a style or code; `X` is the proof. */
const PAYLOADS: readonly string[] = [
  '<script>X</script>',
  '<img src=x onerror=X>',
  '"><svg onload=X>',
  "'-X-'",
  '</textarea><script>X</script>',
  '</style><script>X</script>',
  '<iframe srcdoc="<script>parent.X</script>">',
  '<a href="javascript:X">a</a>',
  'javascript:X',
  '${X}',
  '{{X}}',
  '<style>@import "data:text/css,*{background:url(https://evil.example/x)}"</style>',
  '<base href="https://evil.example/">',
  '<meta http-equiv=refresh content="0;url=https://evil.example/">',
  '<form action=https://evil.example/><button autofocus onfocus=X>',
  '<math><mi xlink:href="data:x,X">',
  '__proto__',
  'constructor',
  '\u202egnp.X',
  '&lt;script&gt;X&lt;/script&gt;',
  '%3Cscript%3EX%3C/script%3E',
  '#/query?sql=X',
  '\u2028X',
];
const PROOF = 'window.hacked=1';

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const name = (text: string): string => `"${[...text].slice(0, 60).join('').replaceAll('"', '""')}"`;

async function isUnharmed(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(() => {
    const { hacked, violations } = globalThis as unknown as { hacked?: number; violations?: string[] };
    const strange = document.querySelectorAll(
      'iframe, base, meta[http-equiv], form[action], img[src="x"], [onerror], [onload]:not(body), a[href^="javascript:"], #root script, #root style',
    );
    return {
      hacked,
      violations: violations ?? [],
      strange: [...strange].map((one) => one.outerHTML.slice(0, 120)),
    };
  });
  expect(found.hacked === undefined, `${where}: a script ran`);
  expect(found.strange.length === 0, `${where}: ${found.strange.join('; ')}`);
  expect(found.violations.length === 0, `${where}: ${found.violations.join('; ')}`);
}

export const HOSTILE_STEPS: readonly Step[] = [
  {
    name: 'values are shown, copied, exported and edited byte for byte',
    run: async (page, _url, server) => {
      page.setDefaultTimeout(60_000);
      const { values, checks, faults } = await fidelityCampaign(page, server, {
        count: IS_FULL ? 100_000 : 800,
        seed: 7,
        typed: IS_FULL ? 4 : 0,
        types: IS_FULL ? undefined : COMMON_TYPES,
      });
      page.setDefaultTimeout(15_000);
      process.stdout.write(`     ${values} values, ${checks} comparisons\n`);
      expect(faults.length === 0, faults.slice(0, 10).join('\n       '));
    },
  },
  {
    name: 'names, comments, values, errors, settings and statements that want to be scripts stay texts',
    run: async (page, url, server) => {
      const context = await page
        .context()
        .browser()
        ?.newContext({ viewport: { width: 1280, height: 800 } });
      if (context === undefined) throw new Error('no browser');
      const other = await context.newPage();
      try {
        await other.addInitScript(() => {
          addEventListener('securitypolicyviolation', (event) => {
            const list = ((globalThis as unknown as { violations?: string[] }).violations ??= []);
            list.push(`${event.violatedDirective} ${event.blockedURI}`);
          });
        });
        other.on('dialog', (dialog) => void dialog.dismiss());
        await context.addCookies(await page.context().cookies());
        await other.goto(url);
        await other.getByTestId('sql-editor').waitFor();
        const texts = PAYLOADS.map((text) => text.replaceAll('X', PROOF));
        const statements = texts.flatMap((text, at) => [
          `create table ${name(`t${at}${text}`)} (${name(text)} text default ${literal(text)}, ${name(`k${text}`)} int primary key)`,
          `insert into ${name(`t${at}${text}`)} values (${literal(text)}, 1)`,
          `comment on table ${name(`t${at}${text}`)} is ${literal(text)}`,
          `comment on column ${name(`t${at}${text}`)}.${name(text)} is ${literal(text)}`,
          `create index ${name(`i${at}${text}`)} on ${name(`t${at}${text}`)} (${name(text)})`,
        ]);
        statements.push(
          ...texts
            .slice(0, 8)
            .flatMap((text, at) => [
              `create role ${name(`r${at}${text}`)}`,
              `grant select on ${name(`t${at}${text}`)} to ${name(`r${at}${text}`)}`,
            ]),
          'analyze',
        );
        const client = new pg.Client({
          host: '127.0.0.1',
          port: server.port,
          user: 'postgres',
          password: PASSWORD,
          database: 'postgres',
        });
        await client.connect();
        await client.query(statements.join(';\n'));
        await client.end();
        for (const text of texts.slice(0, 7)) {
          await runStatement(
            other,
            `set application_name = ${literal(text)}; select ${literal(text)} as ${name(text)}`,
          );
          await isUnharmed(other, `result of ${text}`);
          await runStatement(
            other,
            `do $hostile$ begin raise notice '%', ${literal(text)}; raise exception '%', ${literal(text)} using hint = ${literal(text)}, detail = ${literal(text)}; end $hostile$`,
          );
          await other.getByRole('region', { name: 'Results' }).getByRole('alert').waitFor();
          await isUnharmed(other, `error of ${text}`);
        }
        const first = encodeURIComponent([...`t0${texts[0]}`].slice(0, 60).join(''));
        const own = [
          '',
          '?tab=columns',
          '?tab=indexes',
          '?tab=privileges',
          '?tab=ddl',
          '?tab=dependencies',
          '?tab=storage',
        ];
        for (const address of [
          ...PAGES,
          ...own.map((tab) => `#/tables/public/${first}${tab}`),
          `#/security?tab=access&relation=${encodeURIComponent(`public.${name(`t1${texts[1]}`)}`)}`,
          ...texts.slice(0, 4).map((text) => `#/query?sql=${encodeURIComponent(text)}`),
          ...texts
            .slice(0, 6)
            .map((text) => `#/tables/${encodeURIComponent(text)}/${encodeURIComponent(text)}`),
          ...texts
            .slice(0, 6)
            .map(
              (text) =>
                `#/${encodeURIComponent(text)}?${encodeURIComponent(text)}=${encodeURIComponent(text)}`,
            ),
          `#/explain/${encodeURIComponent(texts[1])}`,
        ]) {
          await open(other, address);
          await other.waitForTimeout(30);
          await other.waitForFunction(() => document.querySelector('[aria-label=Loading]') === null);
          await isUnharmed(other, address);
        }
        await other.keyboard.press('Control+k');
        await other
          .getByRole('dialog')
          .getByRole('combobox')
          .or(other.getByRole('dialog').getByRole('textbox'))
          .or(other.getByRole('dialog').getByRole('searchbox'))
          .first()
          .fill('script');
        await other.waitForTimeout(300);
        await isUnharmed(other, 'palette');
      } finally {
        await context.close();
      }
    },
  },
];
