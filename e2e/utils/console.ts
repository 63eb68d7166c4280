/** Steps of a person at the console: log in, type SQL, run it, read cells. */
import type { Page } from 'playwright-core';
import { PASSWORD, type TestServer } from './server.ts';

export interface Step {
  readonly name: string;
  run(page: Page, url: string, server: TestServer): Promise<void>;
}

export async function login(page: Page, password = PASSWORD, role = 'postgres'): Promise<void> {
  await page.getByLabel('Role').fill(role);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Replaces the text of the shown tab. */
export async function type(page: Page, sql: string): Promise<void> {
  const editor = page.getByTestId('sql-editor');
  await editor.waitFor();
  await editor.click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(sql);
}

/** Runs all of a text and waits for the last answer. */
export async function runStatement(page: Page, sql: string, timeout = 15_000): Promise<void> {
  await type(page, sql);
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/query'), {
    timeout,
  });
  await page.keyboard.press('ControlOrMeta+Shift+Enter');
  await answered;
  await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
}

export async function cellsOf(page: Page): Promise<string[]> {
  await page.getByRole('gridcell').first().waitFor();
  return page.getByRole('gridcell').allInnerTexts();
}

export async function expectCells(page: Page, expected: readonly string[]): Promise<void> {
  const cells = await cellsOf(page);
  if (JSON.stringify(cells) !== JSON.stringify(expected)) {
    throw new Error(`cells are ${JSON.stringify(cells)}, expected ${JSON.stringify(expected)}`);
  }
}

export function expect(isTrue: boolean, message: string): void {
  if (!isTrue) throw new Error(message);
}

/** Opens a page of the console by its address. */
export async function open(page: Page, hash: string): Promise<void> {
  await page.evaluate((address) => {
    location.hash = address;
  }, hash);
}
