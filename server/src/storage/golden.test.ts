/**
 * The formats as bytes. The golden files under testdata/ are rewritten by `vitest --update`; a difference is a change of format, which
 * needs a step in docs/format/versions.md.
 */
import { describe, expect, it } from 'vitest';
import type { CommitSequence, Lsn, Xid } from '../base/brands.ts';
import { SimulatedDisk } from '../env/simulated/disk.ts';
import { SimulatedRandom } from '../env/simulated/random.ts';
import type { PhysicalType } from '../types/contract.ts';
import { createStorage, encodeSegment } from './index.ts';
import { encodeColumn } from './segment/column-encode.ts';
import { Annotator, annotateNode } from './testing/annotate.ts';
import { TestClock } from './testing/clock.ts';
import { type Value, vectorOf } from './testing/columns.ts';
import { Log } from './wal/log.ts';

async function bytesOf(disk: SimulatedDisk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read');
  const bytes = new Uint8Array(await file.size());
  await file.read(0, bytes);
  await file.close();
  return bytes;
}

function annotateBlock(out: Annotator): void {
  const start = out.at;
  out.heading(`block at ${start}`);
  out.field(4, 'magic');
  out.field(1, 'version');
  out.field(1, 'kind');
  out.field(1, 'codec');
  out.zeros(1, '');
  const stored = Number(out.field(4, 'stored length'));
  out.field(4, 'raw length');
  out.field(4, 'checksum');
  out.field(4, 'key id');
  out.zeros(12, 'nonce');
  out.zeros(16, 'tag');
  out.zeros(12, 'reserved');
  out.field(stored, 'payload');
  out.zeros((64 - (out.at % 64)) % 64, 'padding');
}

describe('golden bytes', () => {
  it('of the log', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const environment = { disk, clock: new TestClock(), random: new SimulatedRandom(7) };
    const log = new Log(environment, 0x1122334455667788n, 0 as Lsn, {
      segmentBytes: 4096,
      onFatal: () => {},
    });
    await log.create();
    log.append(16, 5 as Xid, Uint8Array.of(1, 2, 3));
    await log.waitFlushed(log.append(200, (2 ** 33 + 1) as Xid, new Uint8Array(16).fill(0xab)));
    await log.close();
    const out = new Annotator(await bytesOf(disk, 'wal/000000010000000000000001'));
    out.heading('segment header');
    out.field(4, 'magic');
    out.field(4, 'version');
    out.field(8, 'system identifier');
    out.field(8, 'position');
    out.field(4, 'timeline');
    out.field(4, 'segment size');
    out.zeros(28, 'reserved');
    out.field(4, 'checksum');
    for (let record = 0; record < 6; record++) {
      out.heading(`record ${record}`);
      out.field(4, 'checksum');
      const length = Number(out.field(4, 'length'));
      out.field(4, 'checksum of the record before');
      out.field(1, 'type');
      out.zeros(3, '');
      out.field(8, 'xid');
      out.field(8, 'position');
      out.field(length - 32, 'payload');
      out.zeros((8 - (out.at % 8)) % 8, 'padding');
    }
    out.zeros(4096 - out.at, 'free');
    await expect(out.text()).toMatchFileSnapshot('testdata/wal.golden');
  });

  it('of every encoding', async () => {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const columns: Record<string, [PhysicalType, Value[]]> = {
      'frame with factor and NULL': ['decimal64', [1000n, null, 1500n, 900n, 1200n, 100000n, 700n]],
      'two planes': ['int64', [0n, 2n ** 40n + 1n, 3n]],
      delta: ['int32', Array.from({ length: 200 }, (_, row) => 1_000_000 + row * 1000 + (row % 3))],
      'run length': ['int32', Array.from({ length: 64 }, (_, row) => (row < 40 ? -7 : 123456))],
      'dictionary of strings': [
        'varlen',
        Array.from({ length: 40 }, (_, row) => text(['RAIL', 'AIR'][((row * row) % 3) & 1]!)),
      ],
      strings: ['varlen', [text('alpha'), text(''), text('gamma ray')]],
      'decimal float with exception': [
        'float64',
        [1.25, 2.5, 0.75, 100.01, 7, 8, 9, 10, 11, 12, 13, 14, Math.PI],
      ],
      'raw doubles': ['float64', [Math.E, Math.PI]],
      'raw integers': ['int64', [-(2n ** 63n), 2n ** 63n - 1n]],
    };
    let all = '';
    for (const [name, [physical, values]] of Object.entries(columns)) {
      const encoded = encodeColumn(vectorOf(physical, values));
      const out = new Annotator(encoded.payload!);
      out.heading(`== ${name}: ${physical}, ${values.length} rows, ${encoded.encoding}`);
      out.field(4, 'magic');
      out.field(4, 'rows');
      out.field(4, 'NULLs');
      const bitmap = Number(out.field(4, 'null bitmap'));
      const root = Number(out.field(4, 'root'));
      out.field(1, 'physical type');
      out.zeros(11, 'reserved');
      if (bitmap !== 0) out.field(root - bitmap, 'presence bits');
      annotateNode(out, 'root');
      expect(out.at).toBe(encoded.payload!.length);
      all += `${out.text()}\n`;
    }
    await expect(all).toMatchFileSnapshot('testdata/encodings.golden');
  });

  it('of block files and superblocks', async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const environment = { disk, clock: new TestClock(), random: new SimulatedRandom(7) };
    const storage = await createStorage(environment, {
      cacheBytes: 1 << 20,
      log: { segmentBytes: 4096, onFatal: () => {} },
    });
    const writer = await storage.files.create();
    const segment = storage.writeSegment(
      writer,
      encodeSegment({
        segment: 3,
        rowCount: 4,
        columns: [vectorOf('int32', [1, 5, null, 9]), vectorOf('bool', [1, 1, 1, 1])],
        sequences: 0,
      }),
    );
    const blob = writer.append('blob', Uint8Array.of(1, 2, 3));
    await writer.finish();
    const edit = storage.manifest.begin();
    edit.setTable(9, {
      segments: [segment],
      blobs: [{ kind: 1, key: 2, ref: blob }],
      extra: Uint8Array.of(0xee),
    });
    edit.setHeader({ commitSequence: 4 as CommitSequence, inFlight: [12 as Xid] });
    edit.setSection('x', Uint8Array.of(7));
    await edit.commit();
    await storage.close();
    let all = '';
    for (const name of await disk.list('data')) {
      const bytes = await bytesOf(disk, `data/${name}`);
      const out = new Annotator(bytes);
      out.heading(`== ${name}`);
      while (out.at < bytes.length) annotateBlock(out);
      all += `${out.text()}\n`;
    }
    const out = new Annotator(await bytesOf(disk, 'superblock.0'));
    out.heading('== superblock.0');
    out.field(8, 'magic');
    out.field(4, 'version');
    out.field(4, 'slot');
    out.field(8, 'system identifier');
    out.field(8, 'generation');
    out.field(4, 'root: file');
    out.field(8, 'root: offset');
    out.field(4, 'root: length');
    out.zeros(4044, 'reserved');
    out.field(4, 'checksum');
    await expect(all + out.text()).toMatchFileSnapshot('testdata/files.golden');
  });
});
