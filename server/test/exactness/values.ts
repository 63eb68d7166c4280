/** Random values as texts, as a client could spell them. Edges come far more often than chance would have them. */

export class Dice {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }
  /** Uniform 32 bits (splitmix). */
  bits(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
  /** 0 … limit - 1. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(part: number): boolean {
    return this.bits() / 2 ** 32 < part;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  bits64(): bigint {
    return (BigInt(this.bits()) << 32n) | BigInt(this.bits());
  }
  digits(count: number): string {
    let text = '';
    for (let index = 0; index < count; index++) text += this.below(10);
    return text;
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

const INT8_EDGES = [
  '0', '1', '-1', '9223372036854775807', '-9223372036854775808', '9223372036854775806', '-9223372036854775807',
  '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '4294967296', '2147483648',
  '-2147483649', '1000000000000000000',
]; // biome-ignore format: a table

export function int8Text(dice: Dice): string {
  if (dice.chance(0.1)) return dice.pick(INT8_EDGES);
  const value = BigInt.asIntN(64, dice.bits64()) >> BigInt(dice.below(64));
  const text = String(value);
  if (dice.chance(0.03)) return `  ${text} `;
  return dice.chance(0.03) && value >= 0n ? `+00${text}` : text;
}

export function numericText(dice: Dice): string {
  if (dice.chance(0.04))
    return dice.pick([
      '0',
      '0.0',
      '-0.00',
      'NaN',
      'Infinity',
      '-Infinity',
      '1',
      '-1',
      '0.1',
      '99999999999999999999',
      '1e-16383',
      '.5',
      '5.',
    ]);
  const sign = dice.chance(0.5) ? '-' : dice.chance(0.05) ? '+' : '';
  const isLong = dice.chance(0.01);
  const whole = dice.digits(dice.below(isLong ? 400 : dice.pick([2, 5, 10, 20, 40])));
  const fraction = dice.digits(dice.below(isLong ? 300 : dice.pick([1, 3, 8, 20, 40])));
  const mantissa = fraction === '' ? whole || '0' : `${whole}.${fraction}`;
  const exponent = dice.chance(0.15)
    ? `${dice.pick(['e', 'E'])}${dice.pick(['', '+', '-'])}${dice.below(40)}`
    : '';
  return sign + mantissa + exponent;
}

const FLOAT_SCRATCH = new DataView(new ArrayBuffer(8));
const FLOAT_EDGES = [
  '0',
  '-0',
  'NaN',
  'Infinity',
  '-Infinity',
  '1',
  '-1',
  '0.1',
  '0.3',
  '1e22',
  '1e23',
  '9007199254740993',
  '123456789012345680000',
];

function decimalText(dice: Dice, exponentMax: number): string {
  const digits = dice.digits(dice.between(1, dice.pick([3, 9, 17, 25, 40])));
  const point = dice.below(digits.length + 1);
  const body = `${digits.slice(0, point)}.${digits.slice(point)}`;
  const exponent = dice.between(-exponentMax, exponentMax);
  return `${dice.chance(0.5) ? '-' : ''}${body === '.' ? '0' : body}${dice.chance(0.6) ? `e${exponent}` : ''}`;
}

/** Values that the type cannot hold are errors: one would spoil its whole batch. */
function within(text: string, most: number, least: number): string {
  const size = Math.abs(Number(text));
  return size > most || (size < least && /[1-9]/.test(text.replace(/e.*/, ''))) ? '1' : text;
}

export function float8Text(dice: Dice): string {
  if (dice.chance(0.05))
    return dice.pick([
      ...FLOAT_EDGES,
      '5e-324',
      '2.2250738585072014e-308',
      '2.225073858507201e-308',
      '1.7976931348623157e308',
    ]);
  if (dice.chance(0.4)) return within(decimalText(dice, 260), Number.MAX_VALUE, Number.MIN_VALUE);
  FLOAT_SCRATCH.setBigUint64(0, dice.bits64());
  const value = FLOAT_SCRATCH.getFloat64(0);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return dice.chance(0.5) ? String(value) : value.toExponential(dice.between(15, 25));
}

export function float4Text(dice: Dice): string {
  if (dice.chance(0.05))
    return dice.pick([
      ...FLOAT_EDGES,
      '1e-45',
      '1.1754944e-38',
      '1.1754942e-38',
      '3.4028235e38',
      '16777217',
      '8388608.5',
    ]);
  if (dice.chance(0.4)) return within(decimalText(dice, 12), 3.4e38, 1.5e-45);
  FLOAT_SCRATCH.setUint32(0, dice.bits());
  const value = FLOAT_SCRATCH.getFloat32(0);
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  // Halves between two neighbours show double rounding.
  return dice.chance(0.5) ? String(value) : value.toPrecision(dice.between(8, 30));
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Day {
  /** As written: 1 BC is 1 with `bc`. */
  year: number;
  month: number;
  day: number;
  bc: boolean;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function day(dice: Dice, yearMax: number): Day {
  const bc = dice.chance(0.1);
  let year = bc
    ? dice.between(1, 4712)
    : dice.chance(0.6)
      ? dice.between(1890, 2040)
      : dice.chance(0.8)
        ? dice.between(1, 9999)
        : dice.between(10_000, yearMax);
  if (dice.chance(0.1)) {
    const leap = bc ? -year + 1 : year;
    year = bc ? year : isLeap(leap) ? year : 2000 + 4 * dice.below(20);
    if (!bc) return { year, month: 2, day: isLeap(year) ? 29 : 28, bc };
  }
  const month = dice.between(1, 12);
  const length = month === 2 && isLeap(bc ? 1 - year : year) ? 29 : MONTH_DAYS[month - 1]!;
  return { year, month, day: dice.chance(0.1) ? length : dice.between(1, length), bc };
}

function dayText(dice: Dice, { year, month, day: ofMonth }: Day): string {
  const plain = `${String(year).padStart(4, '0')}-${two(month)}-${two(ofMonth)}`;
  if (dice.chance(0.05) && year > 999 && year < 10_000) return `${MONTHS[month - 1]} ${ofMonth}, ${year}`;
  if (dice.chance(0.03) && year > 999 && year < 10_000) return `${year}${two(month)}${two(ofMonth)}`;
  return plain;
}

export function dateText(dice: Dice): string {
  if (dice.chance(0.02))
    return dice.pick([
      'infinity',
      '-infinity',
      'epoch',
      '4714-11-24 BC',
      '5874897-12-31',
      '1970-01-01',
      '2000-01-01',
      '1582-10-15',
    ]);
  const found = day(dice, 294_000);
  return dayText(dice, found) + (found.bc ? ' BC' : '');
}

function clockText(dice: Dice): string {
  if (dice.chance(0.02)) return dice.pick(['00:00:00', '23:59:59.999999', '12:00', '23:59:59.9999994']);
  const fraction = dice.chance(0.6) ? `.${dice.digits(dice.between(1, 6))}` : '';
  return `${two(dice.below(24))}:${two(dice.below(60))}:${two(dice.below(60))}${fraction}`;
}

export function timeText(dice: Dice): string {
  return dice.chance(0.02) ? dice.pick(['24:00:00', 'allballs', '04:05 PM', '040506']) : clockText(dice);
}

function offsetText(dice: Dice): string {
  const sign = dice.pick(['+', '-']);
  const hours = two(dice.below(15));
  return dice.chance(0.2)
    ? `${sign}${hours}:${two(dice.below(60))}:${two(dice.below(60))}`
    : dice.chance(0.4)
      ? `${sign}${hours}:${dice.pick(['00', '30', '45'])}`
      : `${sign}${hours}`;
}

export function timetzText(dice: Dice): string {
  return clockText(dice) + offsetText(dice);
}

export function timestampText(dice: Dice): string {
  if (dice.chance(0.02))
    return dice.pick([
      'infinity',
      '-infinity',
      'epoch',
      '4714-11-24 00:00:00 BC',
      '294276-12-31 23:59:59.999999',
      '0001-01-01 00:00:00',
      '0001-12-31 23:59:59.999999 BC',
      '1999-12-31 23:59:59.999999',
      '2000-01-01 00:00:00',
    ]);
  const found = day(dice, 294_000);
  return `${dayText(dice, found)}${dice.pick([' ', ' ', ' ', 'T'])}${clockText(dice)}${found.bc ? ' BC' : ''}`;
}

/** Zones whose rules the copies of the IANA data agree on: Morocco's, for one, change from year to year. */
export const ZONES = [
  'UTC', 'America/New_York', 'Europe/London', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/Sao_Paulo',
  'Asia/Tokyo', 'Pacific/Apia', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Chatham', 'Europe/Dublin',
]; // biome-ignore format: a table

/** In the session's zone, at an offset, or in a zone by name; hours around changes of the clock among them. */
export function timestamptzText(dice: Dice): string {
  if (dice.chance(0.15)) {
    const year = dice.between(1970, 2037);
    const hour = two(dice.below(4));
    const sunday = dice.between(1, 31);
    const month = dice.pick(['03', '10', '04', '11']);
    const ofMonth = two(Math.min(sunday, 30));
    return `${year}-${month}-${ofMonth} ${hour}:${two(dice.below(60))}:${two(dice.below(60))}`;
  }
  const found = day(dice, 290_000);
  const base = `${dayText(dice, found)} ${clockText(dice)}`;
  const zone = dice.chance(0.4) ? '' : dice.chance(0.8) ? offsetText(dice) : ` ${dice.pick(ZONES)}`;
  return `${base}${zone}${found.bc ? ' BC' : ''}`;
}

export function intervalText(dice: Dice): string {
  const part = (unit: string, most: number): string =>
    dice.chance(0.5) ? '' : `${dice.chance(0.3) ? '-' : ''}${dice.below(most)} ${unit} `;
  if (dice.chance(0.03))
    return dice.pick([
      '0',
      '1 century',
      '-178000000 years',
      '178000000 years',
      '2147483647 days',
      '1.5 months',
      'P1Y2M3DT4H5M6.7S',
      'P-1Y',
      'PT0.000001S',
      '1-2',
      '3 4:05:06',
      '@ 1 day ago',
      '2 decades 3 weeks',
      '1.25 days',
      '0.5 weeks',
    ]);
  const text =
    part('years', 200) +
    part('mons', 30) +
    part('days', 1000) +
    (dice.chance(0.3)
      ? ''
      : `${dice.chance(0.3) ? '-' : ''}${dice.below(200)}:${two(dice.below(60))}:${two(dice.below(60))}${dice.chance(0.5) ? `.${dice.digits(dice.between(1, 6))}` : ''}`);
  return text.trim() === '' ? '1 day' : text.trim();
}
