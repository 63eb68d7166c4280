import { expect, test } from 'vitest';
import { RealRandom } from '../real/random.ts';
import { SimulatedRandom } from './random.ts';

test('draws stay in range and spread, seeded or real', () => {
  for (const random of [new SimulatedRandom(1), new RealRandom()]) {
    const counts = new Array<number>(7).fill(0);
    for (let index = 0; index < 70_000; index++) counts[random.int(7)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600);
    let sum = 0;
    for (let index = 0; index < 10_000; index++) {
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.03);
    expect(random.bytes(5000).length).toBe(5000);
    expect(random.int(1)).toBe(0);
    expect(random.int(2 ** 32)).toBeLessThan(2 ** 32);
  }
});

test('a seed fixes the stream, forks are independent of later draws', () => {
  const first = new SimulatedRandom(2 ** 40 + 5);
  const second = new SimulatedRandom(2 ** 40 + 5);
  const forkOfFirst = first.fork();
  const forkOfSecond = second.fork();
  first.bytes(10);
  expect(forkOfFirst.bytes(16)).toEqual(forkOfSecond.bytes(16));
  expect(new SimulatedRandom(5).bytes(16)).not.toEqual(new SimulatedRandom(2 ** 40 + 5).bytes(16));
});
