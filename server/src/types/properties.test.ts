/** Laws that hold for all values: arithmetic against plain BigInt fractions, orders, keys, texts and storage bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  civilFromDate,
  dateFromCivil,
  timestampDays,
  timestampFromParts,
  timestampTime,
} from './calendar.ts';
import type { Datum } from './datum.ts';
import { DEFAULT_FORMAT, OID, typeSupport } from './index.ts';
import { Numeric } from './numeric.ts';
import { decodeNumeric, encodeNumeric, receiveNumeric, sendNumeric } from './numeric-codec.ts';
import {
  makeNumeric,
  numericAdd,
  numericCompare,
  numericDivide,
  numericHashKey,
  numericModulo,
  numericMultiply,
  numericRound,
  numericSubtract,
} from './numeric-core.ts';
import { NumericSum } from './numeric-sum.ts';
import { formatNumeric, parseNumeric } from './numeric-text.ts';
import { compareText } from './scalars.ts';
import { findZone, fromLocal, toLocal } from './zone.ts';

const numerics = fc
  .tuple(
    fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })),
    fc.nat(30),
  )
  .map(([coefficient, scale]) => makeNumeric(coefficient, scale));

/** The value as numerator over 10^60. */
function exact(value: Numeric): bigint {
  return BigInt(value.coefficient) * 10n ** BigInt(60 - value.scale);
}

describe('numeric', () => {
  it('adds, subtracts and multiplies exactly, whatever path is taken', () => {
    fc.assert(
      fc.property(numerics, numerics, (left, right) => {
        expect(exact(numericAdd(left, right))).toBe(exact(left) + exact(right));
        expect(exact(numericSubtract(left, right))).toBe(exact(left) - exact(right));
        const product = numericMultiply(left, right);
        expect(BigInt(product.coefficient)).toBe(BigInt(left.coefficient) * BigInt(right.coefficient));
        expect(product.scale).toBe(left.scale + right.scale);
      }),
    );
  });

  it('divides to the nearest value at its scale and leaves the remainder of truncation', () => {
    fc.assert(
      fc.property(numerics, numerics, (left, right) => {
        fc.pre(right.coefficient !== 0);
        const quotient = numericDivide(left, right);
        // |left - quotient * right| <= |right| / 2 units of the quotient's last digit
        const error =
          exact(left) * 10n ** BigInt(quotient.scale) - BigInt(quotient.coefficient) * exact(right);
        const size = exact(right) < 0n ? -exact(right) : exact(right);
        expect((error < 0n ? -error : error) * 2n <= size).toBe(true);
        expect(exact(numericModulo(left, right))).toBe(exact(left) % exact(right));
      }),
    );
  });

  it('keeps one coefficient form, and text, wire and storage bytes come back', () => {
    fc.assert(
      fc.property(numerics, (value) => {
        const isSafe =
          Number.isSafeInteger(Number(value.coefficient)) &&
          BigInt(Number(value.coefficient)) === BigInt(value.coefficient);
        expect(typeof value.coefficient).toBe(isSafe ? 'number' : 'bigint');
        for (const again of [
          parseNumeric(formatNumeric(value)),
          decodeNumeric(encodeNumeric(value)),
          receiveNumeric(sendNumeric(value)),
        ]) {
          expect(again).toEqual(value);
        }
      }),
    );
  });

  it('orders like fractions, and equal values share keys at every scale', () => {
    fc.assert(
      fc.property(numerics, numerics, fc.nat(10), (left, right, extra) => {
        const difference = exact(left) - exact(right);
        expect(Math.sign(numericCompare(left, right))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
        const wider = numericRound(left, left.scale + extra);
        expect(numericCompare(left, wider)).toBe(0);
        expect(numericHashKey(wider)).toBe(numericHashKey(left));
      }),
    );
  });

  it('sums in any order and split to the same total', () => {
    fc.assert(
      fc.property(fc.array(numerics, { maxLength: 20 }), fc.nat(20), (values, cut) => {
        const whole = new NumericSum();
        const first = new NumericSum();
        const second = new NumericSum();
        values.forEach((value, index) => {
          whole.add(value);
          (index < cut ? first : second).add(value);
        });
        first.merge(second);
        expect(first.total()).toEqual(whole.total());
        const expected = values.reduce((sum, value) => numericAdd(sum, value), new Numeric(0, 0));
        expect(numericCompare(whole.total(), expected)).toBe(0);
      }),
    );
  });
});

describe('moving sums', () => {
  it('taking the oldest value out equals summing the rest, or is refused', () => {
    fc.assert(
      fc.property(fc.array(numerics, { minLength: 1, maxLength: 8 }), (values) => {
        const sum = new NumericSum();
        for (const value of values) sum.add(value);
        if (!sum.subtract(values[0]!)) return;
        const rest = new NumericSum();
        for (const value of values.slice(1)) rest.add(value);
        expect(sum.total()).toEqual(rest.total());
        expect(sum.count).toBe(rest.count);
      }),
    );
  });
});

describe('texts', () => {
  it('sort as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
        expect(Math.sign(compareText(left, right))).toBe(
          Buffer.compare(Buffer.from(left), Buffer.from(right)),
        );
      }),
    );
  });
});

describe('dates and times', () => {
  it('days and civil dates are one to one over PostgreSQL’s whole range', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2451545, max: 2145031948 }), (date) => {
        const { year, month, day } = civilFromDate(date);
        expect(dateFromCivil(year, month, day)).toBe(date);
        expect(month >= 1 && month <= 12 && day >= 1 && day <= 31).toBe(true);
      }),
    );
  });

  it('timestamps split and join', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -211813488000000000n, max: 9223371331199999999n }), (timestamp) => {
        const time = timestampTime(timestamp);
        expect(time >= 0 && time < 86_400_000_000).toBe(true);
        expect(timestampFromParts(timestampDays(timestamp), time)).toBe(timestamp);
      }),
    );
  });

  it('an instant survives its local time unless the hour was repeated', () => {
    const zone = findZone('Europe/Berlin')!;
    fc.assert(
      fc.property(fc.bigInt({ min: -3_000_000_000_000_000n, max: 3_000_000_000_000_000n }), (timestamp) => {
        const back = fromLocal(zone, toLocal(zone, timestamp));
        const difference = back < timestamp ? timestamp - back : back - timestamp;
        expect(difference === 0n || toLocal(zone, back) === toLocal(zone, timestamp)).toBe(true);
      }),
    );
  });

  it('text input reads what output printed', () => {
    const cases: [number, fc.Arbitrary<Datum>][] = [
      [OID.TIMESTAMP, fc.bigInt({ min: -211813488000000000n, max: 9223371331199999999n })],
      [OID.DATE, fc.integer({ min: -2451545, max: 2145031948 })],
      [OID.FLOAT8, fc.double({ noNaN: true })],
      [OID.FLOAT4, fc.float({ noNaN: true })],
      [OID.INT8, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      [
        OID.TEXT_ARRAY,
        fc
          .array(fc.option(fc.string()))
          .map((items) =>
            typeSupport(OID.TEXT_ARRAY).input(
              `{${items.map((item) => (item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`)).join()}}`,
              -1,
              DEFAULT_FORMAT,
            ),
          ),
      ],
    ];
    for (const [oid, values] of cases) {
      const support = typeSupport(oid);
      fc.assert(
        fc.property(values, (value) => {
          const text = support.output(value, DEFAULT_FORMAT);
          expect(support.output(support.input(text, -1, DEFAULT_FORMAT), DEFAULT_FORMAT)).toBe(text);
          expect(support.compare!(support.input(text, -1, DEFAULT_FORMAT), value)).toBe(0);
        }),
      );
    }
  });
});
