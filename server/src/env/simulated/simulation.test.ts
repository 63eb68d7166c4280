import { describe, expect, test } from 'vitest';
import type { Connection, ConnectionHandler } from '../contract.ts';
import { createSimulation, type SimulatedWorld } from './environment.ts';

const workerModule = new URL('../testdata/echo-worker.ts', import.meta.url);

function collect(connection: Connection): {
  bytes: number[];
  ended: Promise<void>;
  closed: Promise<unknown>;
} {
  const bytes: number[] = [];
  let end!: () => void;
  let close!: (error: unknown) => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const closed = new Promise<unknown>((resolve) => (close = resolve));
  const handler: ConnectionHandler = {
    data: (piece) => bytes.push(...piece),
    end,
    drain: () => {},
    close,
  };
  connection.start(handler);
  return { bytes, ended, closed };
}

/** Uses every part of the environment at once. */
async function scenario({ environment, disk }: SimulatedWorld): Promise<string> {
  const { clock, network, random, workers } = environment;
  const address = { kind: 'tcp', host: 'db', port: 5432 } as const;
  const listener = await network.listen(address, (connection) => {
    connection.start({
      data: (piece) => connection.write(piece.map((byte) => byte ^ 255)),
      end: () => connection.end(),
      drain: () => {},
      close: () => {},
    });
  });
  const client = await network.dial(address);
  const received = collect(client);
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const order: string[] = [];
  const handles = ['one', 'two'].map((name) =>
    workers.spawn(workerModule, { name, data: { name, counter } }),
  );
  const done = new Promise<void>((resolve) => {
    for (const handle of handles) {
      handle.onMessage((message) => {
        order.push((message as { name: string }).name);
        if (order.length === 20) resolve();
      });
    }
  });
  const file = await disk.open('wal', 'create');
  for (let index = 0; index < 10; index++) {
    for (const handle of handles) handle.post(index);
    client.write(random.bytes(100));
    await Promise.all([file.write(index * 100, random.bytes(100)), file.dataSync()]);
    await clock.sleep(random.next());
  }
  client.end();
  await Promise.all([received.ended, done]);
  await listener.close();
  expect(received.bytes.length).toBe(1000);
  expect(counter[0]).toBe(20);
  return order.join();
}

describe('replay', () => {
  test('equal seeds give equal event hashes and orders, other seeds others', async () => {
    const runs: { hash: string; order: string }[] = [];
    for (const seed of [42, 42, 43]) {
      const world = createSimulation(seed);
      const order = await world.simulation.run(() => scenario(world));
      runs.push({ hash: world.simulation.hash, order });
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]!.hash).not.toBe(runs[2]!.hash);
    expect(runs[0]!.order).not.toBe(runs[2]!.order);
  });
});

describe('clock', () => {
  test('time jumps, timers fire in order, cleared ones do not', async () => {
    const { simulation, clock } = createSimulation(1);
    const fired: string[] = [];
    await simulation.run(async () => {
      clock.setTimer(() => fired.push('late'), 60_000);
      clock.setTimer(() => fired.push('early'), 10);
      clock.clearTimer(clock.setTimer(() => fired.push('never'), 20));
      const wall = clock.wallMicros();
      await clock.sleep(3_600_000);
      expect(clock.monotonicMicros()).toBe(3_600_000_000);
      expect(clock.wallMicros() - wall).toBe(3_600_000_000n);
    });
    expect(fired).toEqual(['early', 'late']);
  });

  test('a run that waits for nothing is reported', async () => {
    const { simulation } = createSimulation(77);
    await expect(simulation.run(() => new Promise(() => {}))).rejects.toThrow(/seed 77.*nothing is left/);
  });
});

describe('network', () => {
  test('bytes arrive in order, cut in pieces; back-pressure drains', async () => {
    const { simulation, network } = createSimulation(5, { network: { splitRate: 1 } });
    await simulation.run(async () => {
      const address = { kind: 'unix', path: '/s' } as const;
      let pieces = 0;
      const got: number[] = [];
      await network.listen(address, (connection) =>
        connection.start({
          data: (piece) => {
            pieces++;
            for (const byte of piece) got.push(byte);
          },
          end: () => connection.end(),
          drain: () => {},
          close: () => {},
        }),
      );
      const client = await network.dial(address);
      let drains = 0;
      let closed!: () => void;
      const whenClosed = new Promise<void>((resolve) => (closed = resolve));
      client.start({ data: () => {}, end: () => {}, drain: () => drains++, close: closed });
      let mustWait = false;
      const sent: number[] = [];
      for (let index = 0; index < 40; index++) {
        const block = new Uint8Array(1000).fill(index);
        sent.push(...block);
        if (!client.write(block)) mustWait = true;
      }
      client.end();
      await whenClosed;
      expect(got).toEqual(sent);
      expect(pieces).toBeGreaterThan(60);
      expect(mustWait).toBe(true);
      expect(drains).toBe(1);
    });
  });

  test('destroy resets the other side; dialling nobody is refused', async () => {
    const { simulation, network } = createSimulation(6);
    await simulation.run(async () => {
      const address = { kind: 'tcp', host: 'h', port: 0 } as const;
      const accepted: Connection[] = [];
      const listener = await network.listen(address, (connection) => accepted.push(connection));
      const client = await network.dial(listener.address);
      const { closed } = collect(client);
      accepted[0]!.start({ data: () => {}, end: () => {}, drain: () => {}, close: () => {} });
      accepted[0]!.destroy();
      expect(await closed).toMatchObject({ code: 'ECONNRESET' });
      await listener.close();
      await expect(network.dial(listener.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    });
  });

  test('TLS starts when both sides ask', async () => {
    const { simulation, network } = createSimulation(8);
    await simulation.run(async () => {
      const context = network.createTlsContext();
      const listener = await network.listen({ kind: 'tcp', host: 'h', port: 0 }, (connection) => {
        connection.start({ data: () => {}, end: () => {}, drain: () => {}, close: () => {} });
        void connection.startTls({ role: 'server', context });
      });
      const client = await network.dial(listener.address);
      await client.startTls({ role: 'client', context, verify: false });
      expect(client.tls?.protocol).toBe('TLSv1.3');
    });
  });
});

describe('workers', () => {
  test('a failing worker reports, a stopped one ends without error', async () => {
    const { simulation, environment } = createSimulation(2);
    await simulation.run(async () => {
      const counter = new Int32Array(new SharedArrayBuffer(4));
      const missing = environment.workers.spawn(new URL('./no-such-module.ts', import.meta.url), {
        name: 'gone',
      });
      expect(await new Promise((resolve) => missing.onExit(resolve))).toMatchObject({ code: 'EWORKER' });
      const stopped = environment.workers.spawn(workerModule, { name: 's', data: { name: 's', counter } });
      const exit = new Promise((resolve) => stopped.onExit(resolve));
      stopped.post('stop');
      expect(await exit).toBeUndefined();
    });
  });
});
