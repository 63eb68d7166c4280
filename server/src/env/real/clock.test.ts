import { expect, test } from 'vitest';
import { RealClock } from './clock.ts';

test('clocks advance together, timers fire once, cleared ones never', async () => {
  const clock = new RealClock();
  const monotonic = clock.monotonicMicros();
  const wall = clock.wallMicros();
  expect(Math.abs(Number(wall / 1000n) - Date.now())).toBeLessThan(50);
  let fired = 0;
  const never = clock.setTimer(() => fired++, 5);
  clock.clearTimer(never);
  clock.clearTimer(undefined);
  clock.setTimer(() => fired++, 5, { background: true });
  await clock.sleep(30);
  await clock.yieldToLoop();
  await new Promise<void>((resolve) => clock.nextTurn(resolve));
  expect(fired).toBe(1);
  const elapsed = clock.monotonicMicros() - monotonic;
  expect(elapsed).toBeGreaterThan(28_000);
  expect(Math.abs(Number(clock.wallMicros() - wall) - elapsed)).toBeLessThan(4000);
});
