/**
 * Every kernel of every instruction set against its TypeScript twin: all counts from 0 to four vectors and one, all offsets within a cache
 * line (in steps of the width), all buffers ending at an inaccessible page, with extreme values.
 */
import { describe, expect, it } from 'vitest';
import { loadAddon } from './addon.ts';
import type { NativeKernels } from './contract.ts';
import { typescriptKernels as twin } from './twins/index.ts';

const { kernels: addon } = loadAddon(process.platform, process.arch);

/** Deterministic numbers; a failing case names its seed in the loop variables. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Guarded buffers in turn: far more than any test holds at once, and few mappings. */
const buffers: ArrayBuffer[] = [];
let turn = 0;

/** Bytes ending at an inaccessible page. */
function guarded(native: NativeKernels, size: number, random: () => number): Uint8Array {
  if (buffers.length === 0)
    for (let slot = 0; slot < 32; slot++) buffers.push(native.guardedBuffer(65536 * 4));
  const buffer = buffers[turn++ % buffers.length]!;
  const bytes = new Uint8Array(buffer, buffer.byteLength - size, size);
  for (let index = 0; index < size; index++) bytes[index] = random() & 255;
  return bytes;
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

const COUNTS = Array.from({ length: 4 * 32 + 2 }, (_, count) => count);

describe.skipIf(addon === null)('native kernels', () => {
  const native = addon as NativeKernels;
  for (const isa of native?.instructionSets() ?? []) {
    describe(isa, () => {
      const start = () => expect(native.useInstructionSet(isa)).toBe(true);

      for (const width of [1, 2, 4, 8]) {
        it(`filters ranges of ${width} bytes`, () => {
          start();
          const random = generator(width);
          for (const count of COUNTS) {
            // The size decides where the view starts, since it ends at the page: offsets run through the cache line with the counts.
            const values = guarded(native, count * width, random);
            if (count > 2) values.fill(255, 0, width).fill(0, width, 2 * width);
            const pick = () => {
              let value = 0n;
              for (let k = 0; k < width; k++) value = (value << 8n) | BigInt(random() & 255);
              return random() % 4 === 0 ? (1n << BigInt(8 * width - 1)) - 1n : value;
            };
            for (const negate of [false, true]) {
              for (const intersect of [false, true]) {
                const low = pick();
                const high = random() % 3 === 0 ? low : low + pick();
                const target = guarded(native, (count + 7) >>> 3, random);
                const expected = copyOf(target);
                native.filterRange(values, width, count, low, high, negate, target, intersect);
                twin.filterRange(values, width, count, low, high, negate, expected, intersect);
                expect(target, `count ${count} low ${low} high ${high}`).toEqual(expected);
              }
            }
          }
        });

        it(`gathers and hashes ${width} bytes`, () => {
          start();
          const random = generator(100 + width);
          for (const count of COUNTS) {
            const sourceCount = 1 + (random() % 300);
            const source = guarded(native, sourceCount * width, random);
            for (const positionWidth of [2, 4]) {
              const positions = guarded(native, count * positionWidth, random);
              const view =
                positionWidth === 2
                  ? new Uint16Array(positions.buffer, positions.byteOffset, count)
                  : new Uint32Array(positions.buffer, positions.byteOffset, count);
              for (let index = 0; index < count; index++) view[index] = random() % sourceCount;
              const target = guarded(native, count * width, random);
              const expected = copyOf(target);
              native.gather(source, width, sourceCount, positions, positionWidth, target, count);
              twin.gather(source, width, sourceCount, positions, positionWidth, expected, count);
              expect(target).toEqual(expected);
              if (count > 0) {
                view[count - 1] = sourceCount;
                expect(() =>
                  native.gather(source, width, sourceCount, positions, positionWidth, target, count),
                ).toThrow();
              }
            }
            const hashes = guarded(native, sourceCount * 4, random);
            const expected = copyOf(hashes);
            native.hashFixed(source, width, sourceCount, 42, hashes);
            twin.hashFixed(source, width, sourceCount, 42, expected);
            expect(hashes).toEqual(expected);
          }
        });

        it(`narrows from and expands runs of ${width} bytes`, () => {
          start();
          const random = generator(200 + width);
          for (const count of COUNTS) {
            const source = guarded(native, count * width, random);
            for (const targetWidth of [1, 2, 4, 8]) {
              const base = BigInt.asIntN(64, (BigInt(random()) << 32n) | BigInt(random()));
              const target = guarded(native, count * targetWidth, random);
              const expected = copyOf(target);
              native.narrow(source, width, base, target, targetWidth, count);
              twin.narrow(source, width, base, expected, targetWidth, count);
              expect(target).toEqual(expected);
            }
            const ends = guarded(native, count * 4, random);
            const view = new Uint32Array(ends.buffer, ends.byteOffset, count);
            let row = 0;
            for (let run = 0; run < count; run++) view[run] = row += random() % 5;
            const target = guarded(native, row * width, random);
            const expected = copyOf(target);
            native.expandRuns(source, width, ends, count, target, row);
            twin.expandRuns(source, width, ends, count, expected, row);
            expect(target).toEqual(expected);
          }
        });
      }

      it('filters doubles', () => {
        start();
        const random = generator(7);
        const special = [NaN, Infinity, -Infinity, -0, 0, 1.5, -1.5, Number.MAX_VALUE, Number.MIN_VALUE];
        for (const count of COUNTS) {
          const values = guarded(native, count * 8, random);
          const view = new Float64Array(values.buffer, values.byteOffset, count);
          for (let index = 0; index < count; index++) view[index] = special[random() % special.length]!;
          for (let variant = 0; variant < 8; variant++) {
            const low = special[1 + (random() % 8)]!;
            const high = special[1 + (random() % 8)]!;
            const target = guarded(native, (count + 7) >>> 3, random);
            const expected = copyOf(target);
            const flags = [(variant & 1) !== 0, (variant & 2) !== 0, (variant & 4) !== 0] as const;
            native.filterRangeF64(values, count, low, high, flags[0], flags[1], target, flags[2]);
            twin.filterRangeF64(values, count, low, high, flags[0], flags[1], expected, flags[2]);
            expect(target).toEqual(expected);
          }
        }
      });

      it('filters codes', () => {
        start();
        const random = generator(8);
        for (const count of COUNTS) {
          for (const width of [1, 2]) {
            for (const size of [0, 1, 3, 16, 17, 200, 256, 300]) {
              const codes = guarded(native, count * width, random);
              if (random() % 2 === 0) for (let index = 0; index < codes.length; index++) codes[index]! %= 20;
              const table = guarded(native, size, random);
              for (let index = 0; index < size; index++) table[index]! &= 1;
              const target = guarded(native, (count + 7) >>> 3, random);
              const expected = copyOf(target);
              native.filterCodes(codes, width, count, table, target, size % 2 === 0);
              twin.filterCodes(codes, width, count, table, expected, size % 2 === 0);
              expect(target, `count ${count} size ${size} width ${width}`).toEqual(expected);
            }
          }
        }
      });

      it('unpacks all widths', () => {
        start();
        const random = generator(9);
        for (let bits = 1; bits <= 57; bits++) {
          for (const count of [0, 1, 7, 8, 9, 31, 32, 33, 65, 129]) {
            for (const first of [0, 1, 8, 13]) {
              const source = guarded(native, Math.ceil(((first + count) * bits) / 8), random);
              for (const width of [1, 2, 4, 8]) {
                const base = BigInt(random());
                const target = guarded(native, count * width, random);
                const expected = copyOf(target);
                native.unpackBits(source, bits, first, base, target, width, count);
                twin.unpackBits(source, bits, first, base, expected, width, count);
                expect(target, `bits ${bits} count ${count} from ${first} width ${width}`).toEqual(expected);
              }
            }
          }
        }
      });

      it('checks sums and hashes of strings', () => {
        start();
        const random = generator(10);
        for (const count of COUNTS) {
          const source = guarded(native, count * 3, random);
          expect(native.crc32c(source, 0)).toBe(twin.crc32c(source, 0));
          const cut = count;
          expect(native.crc32c(source.subarray(cut), native.crc32c(source.subarray(0, cut), 0))).toBe(
            native.crc32c(source, 0),
          );
          const offsets = guarded(native, (count + 1) * 4, random);
          const view = new Uint32Array(offsets.buffer, offsets.byteOffset, count + 1);
          view[0] = 0;
          for (let index = 0; index < count; index++)
            view[index + 1] = Math.min(source.length, view[index]! + (random() % 7));
          const target = guarded(native, count * 4, random);
          const expected = copyOf(target);
          native.hashBytes(source, offsets, count, 3, target);
          twin.hashBytes(source, offsets, count, 3, expected);
          expect(target).toEqual(expected);
        }
        expect(native.crc32c(new TextEncoder().encode('123456789'), 0)).toBe(0xe3069283);
      });

      it('cuts lines and parses fields', () => {
        start();
        const random = generator(21);
        const odd = [
          '',
          '-',
          '.',
          '1.',
          '.5',
          '1e5',
          '00',
          '-0',
          '99999.99',
          '123456789012345678',
          ' 1',
          '2000-02-29',
          '1999-13-01',
          '2001-2-3',
        ];
        const pick = (): string => {
          switch (random() % 12) {
            case 0:
              return odd[random() % odd.length]!;
            case 1:
            case 2:
              return `${String(1 + (random() % 9999)).padStart(4, '0')}-${String(1 + (random() % 12)).padStart(2, '0')}-${String(1 + (random() % 28)).padStart(2, '0')}`;
            case 3:
            case 4:
              return `${random() % 2 === 0 ? '-' : ''}${random() % 100000}.${String(random() % 100).padStart(2, '0')}`;
            case 5:
              return 'é'.repeat(random() % 5);
            case 6:
              return 'text '.repeat(random() % 10);
            default:
              return `${(random() | 0) % 1000000}`;
          }
        };
        const bits = new Uint8Array(1);
        const dirt = ['\\N', 'a\rb', '\0', 'x|y', ''];
        for (let round = 0; round < 150; round++) {
          const fields = 1 + (random() % 5);
          const count = random() % 40;
          const rows = Array.from({ length: count }, () => Array.from({ length: fields }, pick));
          if (count > 0 && random() % 4 === 0) rows[random() % count]![0] = dirt[random() % dirt.length]!;
          const text = rows.map((row) => `${row.join('|')}\n`).join('') + (random() % 2 === 0 ? 'rest' : '');
          const encoded = new TextEncoder().encode(text);
          const begin = random() % 3;
          // Of their own: the buffers in turn come round within one text.
          const source = new Uint8Array(native.guardedBuffer(begin + encoded.length));
          source.set(encoded, begin);
          const limit = random() % 3 === 0 ? count + 1 : Math.max(1, random() % (count + 2));
          const ends = new Uint8Array(native.guardedBuffer((limit * fields + 1) * 4));
          const expectedEnds = copyOf(ends);
          const lines = native.cutLines(source, begin, 124, fields, limit, ends);
          expect(twin.cutLines(source, begin, 124, fields, limit, expectedEnds)).toBe(lines);
          const used = (lines * fields + 1) * 4;
          expect(ends.subarray(0, used)).toEqual(expectedEnds.subarray(0, used));
          for (let field = 0; field < fields; field++) {
            for (const width of [2, 4, 8]) {
              for (const [scale, hasPoint, limitOf] of [
                [0, false, width === 2 ? 32768 : 2147483648],
                [2, true, 1e6],
                [4, true, 1e15],
              ] as const) {
                const target = guarded(native, lines * width, random);
                const expected = copyOf(target);
                const done = native.parseDecimals(
                  source,
                  ends,
                  fields,
                  field,
                  lines,
                  scale,
                  hasPoint,
                  limitOf,
                  width,
                  target,
                );
                expect(
                  twin.parseDecimals(
                    source,
                    ends,
                    fields,
                    field,
                    lines,
                    scale,
                    hasPoint,
                    limitOf,
                    width,
                    expected,
                  ),
                ).toBe(done);
                expect(target.subarray(0, done * width)).toEqual(expected.subarray(0, done * width));
              }
            }
            const dates = guarded(native, lines * 4, random);
            const expectedDates = copyOf(dates);
            const done = native.parseDates(source, ends, fields, field, lines, dates);
            expect(twin.parseDates(source, ends, fields, field, lines, expectedDates)).toBe(done);
            expect(dates.subarray(0, done * 4)).toEqual(expectedDates.subarray(0, done * 4));
            for (const [least, most] of [
              [0, 4294967295],
              [10, 10],
              [0, 6],
            ] as const) {
              const target = guarded(native, random() % 600, random);
              const expected = copyOf(target);
              const offsets = guarded(native, (lines + 1) * 4, random);
              const at = Math.min(target.length, 3);
              new Uint32Array(offsets.buffer, offsets.byteOffset, 1)[0] = at;
              const expectedOffsets = copyOf(offsets);
              const copied = native.copyFields(
                source,
                ends,
                fields,
                field,
                lines,
                least,
                most,
                target,
                at,
                offsets,
              );
              expect(
                twin.copyFields(
                  source,
                  ends,
                  fields,
                  field,
                  lines,
                  least,
                  most,
                  expected,
                  at,
                  expectedOffsets,
                ),
              ).toBe(copied);
              expect(offsets.subarray(0, (copied + 1) * 4)).toEqual(
                expectedOffsets.subarray(0, (copied + 1) * 4),
              );
              expect(target).toEqual(expected);
            }
          }
        }
        expect(() => native.cutLines(bits, 0, 124, 2, 1, new Uint8Array(8))).toThrow(TypeError);
      });

      it('selects and counts bits', () => {
        start();
        const random = generator(11);
        for (const count of [...COUNTS, 1000, 65536]) {
          const bitmap = guarded(native, (count + 7) >>> 3, random);
          if (random() % 3 === 0) bitmap.fill(random() % 2 === 0 ? 0 : 255);
          const found = twin.countBits(bitmap, count);
          expect(native.countBits(bitmap, count)).toBe(found);
          for (const width of [2, 4]) {
            const target = guarded(native, found * width, random);
            const expected = copyOf(target);
            expect(native.select(bitmap, count, target, width)).toBe(found);
            expect(twin.select(bitmap, count, expected, width)).toBe(found);
            expect(target).toEqual(expected);
          }
        }
      });
    });
  }

  it('refuses views that are too short or misaligned', () => {
    const bytes = new Uint8Array(64);
    expect(() => native.filterRange(bytes, 8, 9, 0n, 0n, false, bytes, false)).toThrow(TypeError);
    expect(() => native.filterRange(bytes, 3, 1, 0n, 0n, false, bytes, false)).toThrow(TypeError);
    expect(() => native.filterRange(bytes, 1, 64, 0n, 0n, false, bytes.subarray(0, 7), false)).toThrow(
      TypeError,
    );
    expect(() => native.narrow(bytes.subarray(1), 8, 0n, bytes, 1, 1)).toThrow(TypeError);
    expect(() => native.unpackBits(bytes, 58, 0, 0n, bytes, 8, 1)).toThrow(TypeError);
    expect(() => native.unpackBits(bytes, 57, 0, 0n, bytes, 1, 9)).toThrow(TypeError);
    expect(() => native.crc32c(new Uint16Array(4) as unknown as Uint8Array, 0)).toThrow(TypeError);
    expect(() => native.select(bytes, 1, bytes, 1)).toThrow(TypeError);
    native.useInstructionSet(native.instructionSets()[0]!);
  });

  it('gives pages back', () => {
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
    const bytes = new Uint8Array(memory.buffer);
    bytes.fill(7);
    expect(native.decommit(bytes)).toBe(4 * 65536);
    expect(bytes[100]).toBe(0);
  });
});
