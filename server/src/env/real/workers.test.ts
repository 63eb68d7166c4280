import { expect, test } from 'vitest';
import { createRealEnvironment } from './environment.ts';

const module = new URL('../testdata/echo-worker.ts', import.meta.url);

test('threads answer, share memory, stop and fail visibly', async () => {
  const { workers } = createRealEnvironment('/tmp');
  expect(workers.hardwareThreads).toBeGreaterThan(0);
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const worker = workers.spawn(module, { name: 'echo', data: { name: 'echo', counter } });
  const exit = new Promise<unknown>((resolve) => worker.onExit(resolve));
  const answers: unknown[] = [];
  const answered = new Promise<void>((resolve) => {
    worker.onMessage((message) => {
      answers.push(message);
      if (answers.length === 3) resolve();
    });
  });
  for (const value of [1, 2, 3]) worker.post(value);
  await answered;
  expect(answers).toEqual([2, 4, 6].map((result) => ({ name: 'echo', result })));
  expect(counter[0]).toBe(3);
  worker.post('stop');
  expect(await exit).toBeUndefined();

  const failing = workers.spawn(module, { name: 'failing', data: { name: 'f', counter } });
  const failure = new Promise<unknown>((resolve) => failing.onExit(resolve));
  failing.post('fail');
  expect(await failure).toMatchObject({
    code: 'EWORKER',
    message: expect.stringContaining('failing as asked'),
  });

  const endless = workers.spawn(module, { name: 'endless', data: { name: 'e', counter } });
  const ended = new Promise<unknown>((resolve) => endless.onExit(resolve));
  await endless.terminate();
  expect(await ended).toBeUndefined();
});
