import { describe, expect, test } from 'vitest';
import { EnvironmentError } from '../contract.ts';
import { replaceFile, writeFully } from '../file-helpers.ts';
import { SimulatedCrash, SimulatedDisk } from './disk.ts';
import type { CrashProfile } from './inode.ts';
import { SimulatedRandom } from './random.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (source: Uint8Array | undefined) => (source ? new TextDecoder().decode(source) : undefined);

async function withFile(seed: number, contents: string): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed });
  const file = await disk.open('a', 'create');
  await writeFully(file, 0, bytes(contents));
  await file.dataSync();
  await disk.syncDirectory('');
  return disk;
}

describe('what a crash may do', () => {
  test('synced bytes and names survive every profile', async () => {
    for (const profile of ['ordered', 'adversarial', 'lost', 'kept'] satisfies CrashProfile[]) {
      const disk = await withFile(1, 'safe');
      disk.crash(profile);
      disk.restart();
      expect(text(disk.currentBytes('a'))).toBe('safe');
    }
  });

  test('a name without syncDirectory may be lost although its bytes were synced', async () => {
    const disk = new SimulatedDisk({ seed: 3 });
    const file = await disk.open('a', 'create');
    await writeFully(file, 0, bytes('x'));
    await file.dataSync();
    disk.crash('lost');
    disk.restart();
    expect(await disk.stat('a')).toBeUndefined();
  });

  test('unsynced bytes are invisible in durableBytes and gone after a crash that loses all', async () => {
    const disk = await withFile(1, 'old');
    const file = await disk.open('a', 'write');
    await writeFully(file, 0, bytes('new'));
    expect(text(disk.currentBytes('a'))).toBe('new');
    expect(text(disk.durableBytes('a'))).toBe('old');
    disk.crash('lost');
    disk.restart();
    expect(text(disk.currentBytes('a'))).toBe('old');
  });

  test('adversarial crashes keep, drop, tear at both sizes, and reorder', async () => {
    const sizeBytes = 16384;
    const seen = { none: 0, all: 0, torn512: 0, torn4096: 0, secondOnly: 0 };
    for (let seed = 0; seed < 400; seed++) {
      const disk = await withFile(seed, '');
      const file = await disk.open('a', 'write');
      await file.truncate(2 * sizeBytes);
      await file.dataSync();
      await file.write(0, new Uint8Array(sizeBytes).fill(1));
      await file.write(sizeBytes, new Uint8Array(sizeBytes).fill(2));
      disk.crash();
      disk.restart();
      const found = disk.currentBytes('a');
      const first = found.subarray(0, sizeBytes);
      const second = found.subarray(sizeBytes);
      const kept = first.reduce((sum, byte) => sum + byte, 0);
      const keptSecond = second.reduce((sum, byte) => sum + byte, 0) / 2;
      if (kept === 0 && keptSecond === 0) seen.none++;
      else if (kept === sizeBytes && keptSecond === sizeBytes) seen.all++;
      if (kept === 0 && keptSecond === sizeBytes) seen.secondOnly++;
      if (kept > 0 && kept < sizeBytes) {
        expect(kept % 512).toBe(0);
        if (kept % 4096 === 0) seen.torn4096++;
        else seen.torn512++;
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(3);
  });

  test('ordered crashes keep a prefix, the next write possibly torn', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const disk = await withFile(seed, '');
      disk.profile = 'ordered';
      const file = await disk.open('a', 'write');
      for (let index = 0; index < 8; index++)
        await file.write(index * 512, new Uint8Array(512).fill(index + 1));
      disk.crash();
      disk.restart();
      const found = disk.currentBytes('a');
      for (let index = 0; index * 512 < found.length; index++) expect(found[index * 512]).toBe(index + 1);
    }
  });

  test('an older overlapping write may survive a newer one', async () => {
    const outcomes = new Set<string | undefined>();
    for (let seed = 0; seed < 300; seed++) {
      const disk = await withFile(seed, '0');
      const file = await disk.open('a', 'write');
      await file.write(0, bytes('1'));
      await file.write(0, bytes('2'));
      disk.crash();
      disk.restart();
      outcomes.add(text(disk.currentBytes('a')));
    }
    expect([...outcomes].sort()).toEqual(['0', '1', '2']);
  });

  test('a sync covers what had completed before, not what came after', async () => {
    const disk = await withFile(1, '');
    const file = await disk.open('a', 'write');
    await file.write(0, bytes('first'));
    await file.dataSync();
    await file.write(5, bytes('second'));
    disk.crash('lost');
    disk.restart();
    expect(text(disk.currentBytes('a'))).toBe('first');
  });

  test('a rename is atomic: one of the two files, under one of the two names, never neither', async () => {
    const seen = new Set<string | undefined>();
    for (let seed = 0; seed < 300; seed++) {
      const disk = await withFile(seed, 'old');
      disk.crashAtOperation(1 + (seed % 6));
      await replaceFile(disk, 'a', bytes('new')).catch((error: unknown) => {
        expect(error).toBeInstanceOf(SimulatedCrash);
      });
      if (!disk.isCrashed) disk.crash();
      disk.restart();
      const found = text(disk.currentBytes('a'));
      expect(['old', 'new']).toContain(found);
      seen.add(found);
    }
    expect(seen.size).toBe(2);
  });

  test('files of a directory that was never made durable are gone', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    await disk.mkdir('d');
    const file = await disk.open('d/f', 'create');
    await file.dataSync();
    await disk.syncDirectory('d');
    disk.crash('lost');
    disk.restart();
    expect(await disk.stat('d/f')).toBeUndefined();
    expect(await disk.list('')).toEqual([]);
  });
});

describe('driving', () => {
  test('crashAtOperation: the n-th operation never completes, and everything after it fails', async () => {
    const disk = await withFile(5, '');
    const file = await disk.open('a', 'write');
    disk.crashAtOperation(2);
    await file.write(0, bytes('1'));
    await expect(file.write(1, bytes('2'))).rejects.toBeInstanceOf(SimulatedCrash);
    await expect(file.dataSync()).rejects.toBeInstanceOf(SimulatedCrash);
    await expect(disk.open('a', 'read')).rejects.toBeInstanceOf(SimulatedCrash);
    disk.restart();
    await expect(file.read(0, new Uint8Array(1))).rejects.toBeInstanceOf(SimulatedCrash);
    const again = await disk.open('a', 'read');
    expect(await again.read(0, new Uint8Array(9))).toBeLessThanOrEqual(2);
  });

  test('forks share nothing that is written later', async () => {
    const disk = await withFile(5, 'base');
    const file = await disk.open('a', 'write');
    await file.write(0, bytes('B'));
    const fork = disk.fork(1);
    await file.write(1, bytes('X'));
    expect(text(fork.currentBytes('a'))).toBe('Base');
    fork.crash('lost');
    fork.restart();
    expect(text(fork.currentBytes('a'))).toBe('base');
    expect(text(disk.currentBytes('a'))).toBe('BXse');
  });

  test('equal seeds, equal outcomes', async () => {
    const outcome = async (seed: number) => {
      const disk = await withFile(seed, 'x'.repeat(5000));
      const file = await disk.open('a', 'write');
      const random = new SimulatedRandom(9);
      for (let index = 0; index < 20; index++)
        await file.write(random.int(20_000), random.bytes(random.int(3000)));
      disk.crash();
      disk.restart();
      return Buffer.from(disk.currentBytes('a')).toString('base64');
    };
    expect(await outcome(7)).toBe(await outcome(7));
    expect(await outcome(7)).not.toBe(await outcome(8));
  });

  test('20,000 crashes take seconds', async () => {
    const base = await withFile(1, 'x'.repeat(100_000));
    for (let seed = 0; seed < 20_000; seed++) {
      const disk = base.fork(seed);
      const file = disk.openSync('a', 'write');
      file.writeSync(seed, new Uint8Array(600));
      file.dataSyncSync();
      file.writeSync(seed * 3, new Uint8Array(5000));
      disk.crash();
      disk.restart();
    }
  });
});

describe('faults', () => {
  test('hit the n-th matching operation and only that', async () => {
    const disk = await withFile(1, 'abc');
    disk.fail({ operation: 'read', effect: 'EIO', at: 2, path: 'a' });
    const file = await disk.open('a', 'read');
    const target = new Uint8Array(3);
    expect(await file.read(0, target)).toBe(3);
    await expect(file.read(0, target)).rejects.toMatchObject({ code: 'EIO' });
    expect(await file.read(0, target)).toBe(3);
  });

  test('short writes, flipped bits in reads, lasting bit rot', async () => {
    const disk = await withFile(1, 'abcdef');
    const file = await disk.open('a', 'write');
    disk.fail({ operation: 'write', effect: 'short', at: 1 });
    expect(await file.write(0, bytes('uvwxyz'))).toBeLessThan(6);
    disk.fail({ operation: 'write', effect: 'short', at: 1 });
    await writeFully(file, 0, bytes('uvwxyz'));
    expect(text(disk.currentBytes('a'))).toBe('uvwxyz');
    disk.fail({ operation: 'read', effect: 'flip', at: 1 });
    const target = new Uint8Array(6);
    await file.read(0, target);
    expect(text(target)).not.toBe('uvwxyz');
    await file.read(0, target);
    expect(text(target)).toBe('uvwxyz');
    disk.flipBit('a', 2, 0);
    await file.read(0, target);
    expect(text(target)).toBe('uvvxyz');
  });

  test('a full disk takes what fits, then ENOSPC; removing gives room', async () => {
    const disk = new SimulatedDisk({ seed: 1, capacityBytes: 10 });
    const file = await disk.open('a', 'create');
    expect(await file.write(0, new Uint8Array(8))).toBe(8);
    expect(await file.write(8, new Uint8Array(8))).toBe(2);
    await expect(file.write(10, new Uint8Array(1))).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(file.preallocate(11)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await disk.free()).toBe(0);
    await disk.unlink('a');
    expect(await disk.free()).toBe(10);
  });

  test('after a failed sync a later success proves nothing', async () => {
    let lost = 0;
    for (let seed = 0; seed < 40; seed++) {
      const disk = await withFile(seed, 'old');
      const file = await disk.open('a', 'write');
      await file.write(0, bytes('new'));
      disk.fail({ operation: 'sync', effect: 'EIO', at: 1 });
      await expect(file.dataSync()).rejects.toMatchObject({ code: 'EIO' });
      await file.dataSync();
      disk.crash('lost');
      disk.restart();
      if (text(disk.currentBytes('a')) === 'old') lost++;
    }
    expect(lost).toBeGreaterThan(5);
    expect(lost).toBeLessThan(35);
  });
});

describe('the contract', () => {
  test('modes, errors, listing', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    await expect(disk.open('x', 'read')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.open('no/x', 'create')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(disk.open('../x', 'create')).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(disk.open('/x', 'create')).rejects.toMatchObject({ code: 'EINVAL' });
    await disk.mkdir('d/e');
    await (await disk.open('d/f', 'create-new')).close();
    await expect(disk.open('d/f', 'create-new')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await disk.list('d')).toEqual(['e', 'f']);
    await expect(disk.removeDirectory('d')).rejects.toMatchObject({ code: 'ENOTEMPTY' });
    const file = await disk.open('d/f', 'read');
    await expect(file.write(0, new Uint8Array(1))).rejects.toMatchObject({ code: 'EBADF' });
    await file.close();
    await expect(file.read(0, new Uint8Array(1))).rejects.toBeInstanceOf(EnvironmentError);
  });

  test('a shrunken and extended file reads zeros', async () => {
    const disk = await withFile(1, 'abcdef');
    const file = await disk.open('a', 'write');
    await file.truncate(2);
    await file.truncate(4);
    expect([...disk.currentBytes('a')]).toEqual([97, 98, 0, 0]);
    await file.preallocate(3);
    expect(await file.size()).toBe(4);
    expect(await file.read(4, new Uint8Array(1))).toBe(0);
  });

  test('one lock at a time; a crash frees it', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const lock = await disk.lock('lock');
    await expect(disk.lock('lock')).rejects.toMatchObject({ code: 'ELOCKED' });
    await lock.release();
    await disk.lock('lock');
    disk.crash();
    disk.restart();
    await disk.lock('lock');
  });
});
