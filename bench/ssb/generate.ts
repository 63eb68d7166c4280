/**
 * Data of the Star Schema Benchmark: `lineorder` and its four dimensions, after the paper's sizes and value ranges.
 *
 * Shape   chunks of about 1 MB of lines, fields separated by `|`, ASCII. Same scale and seed = same bytes.
 */
import { Stream } from '../tpch/random.ts';
import {
  COLORS,
  CONTAINER_SYLLABLES,
  MODES,
  NATIONS,
  PRIORITIES,
  REGIONS,
  SEGMENTS,
  TYPE_SYLLABLES,
} from '../tpch/words.ts';

export const TABLES = ['dates', 'customer', 'supplier', 'part', 'lineorder'] as const;
export type TableName = (typeof TABLES)[number];

const CHUNK_CHARACTERS = 1 << 20;
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(1992, 0, 1);
const DAYS = 2557;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const SEASONS = [
  'Winter',
  'Winter',
  'Spring',
  'Spring',
  'Summer',
  'Summer',
  'Summer',
  'Fall',
  'Fall',
  'Fall',
  'Christmas',
  'Christmas',
];
const LETTERS = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJ';

/** Rows of a table at a scale; lineorder's number is random, about 6,000,000 a unit. */
export function rowCount(table: TableName, scale: number): number {
  switch (table) {
    case 'dates':
      return DAYS;
    case 'customer':
      return Math.max(1, Math.round(30_000 * scale));
    case 'supplier':
      return Math.max(1, Math.round(2000 * scale));
    case 'part':
      return Math.max(1, Math.round(200_000 * (scale < 1 ? scale : 1 + Math.floor(Math.log2(scale)))));
    case 'lineorder':
      return Math.max(1, Math.round(6_000_000 * scale));
  }
}

function dateKey(day: number): number {
  const at = new Date(FIRST_DAY + day * DAY);
  return at.getUTCFullYear() * 10_000 + (at.getUTCMonth() + 1) * 100 + at.getUTCDate();
}

function dateLine(day: number): string {
  const at = new Date(FIRST_DAY + day * DAY);
  const year = at.getUTCFullYear();
  const month = at.getUTCMonth();
  const ofYear = Math.round((at.getTime() - Date.UTC(year, 0, 1)) / DAY) + 1;
  const isLast = new Date(at.getTime() + DAY).getUTCMonth() !== month;
  const weekday = at.getUTCDay();
  return [
    dateKey(day),
    `${MONTHS[month]} ${at.getUTCDate()}, ${year}`,
    WEEKDAYS[weekday],
    MONTHS[month],
    year,
    year * 100 + month + 1,
    `${MONTHS[month].slice(0, 3)}${year}`,
    weekday + 1,
    at.getUTCDate(),
    ofYear,
    month + 1,
    Math.floor((ofYear - 1) / 7) + 1,
    SEASONS[month],
    weekday === 6 ? 1 : 0,
    isLast ? 1 : 0,
    ofYear % 53 === 0 ? 1 : 0,
    weekday > 0 && weekday < 6 ? 1 : 0,
  ].join('|');
}

function word(draw: Stream, low: number, high: number): string {
  let out = '';
  for (let left = draw.between(low, high); left > 0; left--)
    out += LETTERS[draw.between(0, LETTERS.length - 1)];
  return out.trim() || 'x';
}

/** City, nation and region: ten cities a nation. */
function place(draw: Stream): string {
  const [nation, region] = NATIONS[draw.between(0, NATIONS.length - 1)];
  return `${nation.slice(0, 9).padEnd(9)}${draw.between(0, 9)}|${nation}|${REGIONS[region]}`;
}

function phone(draw: Stream): string {
  return `${draw.between(10, 34)}-${draw.between(100, 999)}-${draw.between(100, 999)}-${draw.between(1000, 9999)}`;
}

function of(draw: Stream, list: readonly string[]): string {
  return list[draw.between(0, list.length - 1)];
}

/** Price of a part in cents, as in TPC-H. */
function priceOf(part: number): number {
  return 90_000 + (Math.floor(part / 10) % 20_001) + 100 * (part % 1000);
}

function* lines(table: TableName, scale: number, seed: number): Generator<string> {
  const draw = new Stream(seed, `ssb ${table}`);
  const count = rowCount(table, scale);
  switch (table) {
    case 'dates':
      for (let day = 0; day < count; day++) yield dateLine(day);
      return;
    case 'customer':
      for (let key = 1; key <= count; key++)
        yield `${key}|Customer#${String(key).padStart(9, '0')}|${word(draw, 10, 25)}|${place(draw)}|${phone(draw)}|${of(draw, SEGMENTS)}`;
      return;
    case 'supplier':
      for (let key = 1; key <= count; key++)
        yield `${key}|Supplier#${String(key).padStart(9, '0')}|${word(draw, 10, 25)}|${place(draw)}|${phone(draw)}`;
      return;
    case 'part':
      for (let key = 1; key <= count; key++) {
        const maker = `MFGR#${draw.between(1, 5)}`;
        const category = `${maker}${draw.between(1, 5)}`;
        const color = of(draw, COLORS);
        yield `${key}|${color} ${of(draw, COLORS)}|${maker}|${category}|${category}${draw.between(1, 40)}|${color}|${TYPE_SYLLABLES.map((list) => of(draw, list)).join(' ')}|${draw.between(1, 50)}|${CONTAINER_SYLLABLES.map((list) => of(draw, list)).join(' ')}`;
      }
      return;
    case 'lineorder': {
      const customers = rowCount('customer', scale);
      const suppliers = rowCount('supplier', scale);
      const parts = rowCount('part', scale);
      const keys = Array.from({ length: DAYS }, (_, day) => dateKey(day));
      for (let row = 0, order = 1; row < count; order++) {
        const size = Math.min(draw.between(1, 7), count - row);
        const customer = draw.between(1, customers);
        const day = draw.between(0, DAYS - 152);
        const priority = of(draw, PRIORITIES);
        const items = Array.from({ length: size }, () => {
          const part = draw.between(1, parts);
          const quantity = draw.between(1, 50);
          const discount = draw.between(0, 10);
          const price = quantity * priceOf(part);
          return {
            part,
            quantity,
            discount,
            price,
            tax: draw.between(0, 8),
            revenue: Math.floor((price * (100 - discount)) / 100),
          };
        });
        const total = items.reduce(
          (sum, { revenue, tax }) => sum + Math.floor((revenue * (100 + tax)) / 100),
          0,
        );
        for (let line = 0; line < size; line++, row++) {
          const { part, quantity, discount, price, tax, revenue } = items[line];
          const cost = Math.floor((6 * priceOf(part)) / 10);
          yield `${order}|${line + 1}|${customer}|${part}|${draw.between(1, suppliers)}|${keys[day]}|${priority}|0|${quantity}|${price}|${total}|${discount}|${revenue}|${cost}|${tax}|${keys[day + draw.between(30, 90)]}|${of(draw, MODES)}`;
        }
      }
    }
  }
}

/** A table's text. */
export function* generateTable(table: TableName, scale: number, seed = 1): Generator<Buffer> {
  let text = '';
  for (const line of lines(table, scale, seed)) {
    text += `${line}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}
