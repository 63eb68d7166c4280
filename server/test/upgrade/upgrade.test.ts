/** Every kept data directory opens, and its contents are what they were. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { answers, startOn } from './kept.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(here)
  .filter((name) => name.endsWith('.files'))
  .map((name) => name.slice(0, -'.files'.length));

describe('data directories of earlier versions', () => {
  it.each(names)(
    '%s opens after a crash with its contents',
    async (name) => {
      const server = await startOn(readFileSync(join(here, `${name}.files`)));
      try {
        const expected: unknown = JSON.parse(readFileSync(join(here, `${name}.answers.json`), 'utf8'));
        expect(await answers(server.client)).toEqual(expected);
      } finally {
        await server.kill();
        server.remove();
      }
    },
    60_000,
  );
});
