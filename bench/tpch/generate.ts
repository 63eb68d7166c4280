/**
 * TPC-H data after clause 4.2.3 of the specification: eight tables as text, fields separated by `|`, ready for
 * COPY … WITH (DELIMITER '|').
 *
 * Shape   chunks of up to about 1 MB, whole lines, UTF-8 (ASCII). Same scale and seed = same bytes.
 * Orders and line items come from one pass (a line's dates and the order's status and total depend on each other):
 * both generators run it and print their half.
 */
import { Stream } from './random.ts';
import { writeText, writeVString } from './text.ts';
import {
  COLORS,
  CONTAINER_SYLLABLES,
  INSTRUCTIONS,
  MODES,
  NATIONS,
  PRIORITIES,
  REGIONS,
  SEGMENTS,
  TYPE_SYLLABLES,
} from './words.ts';

export const TABLES = [
  'region',
  'nation',
  'supplier',
  'part',
  'partsupp',
  'customer',
  'orders',
  'lineitem',
] as const;
export type TableName = (typeof TABLES)[number];

const CHUNK_BYTES = 1 << 20;
const LINE_BYTES_MAX = 1024;
const BAR = 0x7c;
const NEWLINE = 0x0a;

/** Days since 1970-01-01 of the dates that matter. */
const START_DATE = Date.UTC(1992, 0, 1) / 86400000;
const END_DATE = Date.UTC(1998, 11, 31) / 86400000;
const CURRENT_DATE = Date.UTC(1995, 5, 17) / 86400000;

/** Rows of a table at a scale factor; lineitem's number is random, about 6,000,000 a unit. */
export function rowCount(table: TableName, scale: number): number {
  switch (table) {
    case 'region':
      return 5;
    case 'nation':
      return 25;
    case 'supplier':
      return Math.max(1, Math.round(10_000 * scale));
    case 'part':
      return Math.max(1, Math.round(200_000 * scale));
    case 'partsupp':
      return rowCount('part', scale) * 4;
    case 'customer':
      return Math.max(3, Math.round(150_000 * scale));
    case 'orders':
      return Math.max(1, Math.round(1_500_000 * scale));
    case 'lineitem':
      return Math.round(6_000_000 * scale);
  }
}

/** Writes fields into a chunk. */
class LineWriter {
  buffer: Buffer = Buffer.allocUnsafe(CHUNK_BYTES + LINE_BYTES_MAX);
  length = 0;

  get isFull(): boolean {
    return this.length >= CHUNK_BYTES;
  }

  take(): Buffer {
    const chunk = this.buffer.subarray(0, this.length);
    this.buffer = Buffer.allocUnsafe(CHUNK_BYTES + LINE_BYTES_MAX);
    this.length = 0;
    return chunk;
  }

  bar(): void {
    this.buffer[this.length++] = BAR;
  }

  endLine(): void {
    this.buffer[this.length++] = NEWLINE;
  }

  text(text: string): void {
    const { buffer } = this;
    let at = this.length;
    for (let index = 0; index < text.length; index++) buffer[at++] = text.charCodeAt(index);
    this.length = at;
  }

  integer(value: number): void {
    let rest = value;
    if (rest < 0) {
      this.buffer[this.length++] = 0x2d;
      rest = -rest;
    }
    let digits = 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits++;
    this.padded(rest, digits);
  }

  /** Decimal digits with leading zeros. */
  padded(value: number, digits: number): void {
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10);
      this.buffer[at] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.length += digits;
  }

  /** An amount in cents with two decimals. */
  cents(value: number): void {
    const positive = Math.abs(value);
    if (value < 0) this.buffer[this.length++] = 0x2d;
    this.integer(Math.floor(positive / 100));
    this.buffer[this.length++] = 0x2e;
    this.padded(positive % 100, 2);
  }

  date(day: number): void {
    this.text(dateText(day));
  }

  comment(stream: Stream, low: number, high: number): void {
    this.length = writeText(stream, low, high, this.buffer, this.length);
  }

  vString(stream: Stream, low: number, high: number): void {
    this.length = writeVString(stream, low, high, this.buffer, this.length);
  }

  /** Country code is nation + 10, then three groups (clause 4.2.2.9). */
  phone(stream: Stream, nation: number): void {
    this.integer(nation + 10);
    for (const [low, high] of [
      [100, 999],
      [100, 999],
      [1000, 9999],
    ] as const) {
      this.buffer[this.length++] = 0x2d;
      this.integer(stream.between(low, high));
    }
  }
}

const dateTexts: string[] = [];
function dateText(day: number): string {
  const index = day - START_DATE;
  return (dateTexts[index] ??= new Date(day * 86400000).toISOString().slice(0, 10));
}

/** P_RETAILPRICE in cents. */
export function retailPriceCents(part: number): number {
  return 90000 + (Math.floor(part / 10) % 20001) + 100 * (part % 1000);
}

/** The supplier of a part, `which` from 0 to 3 (clause 4.2.3, PS_SUPPKEY). */
export function supplierOfPart(part: number, which: number, suppliers: number): number {
  return ((part + which * (Math.floor(suppliers / 4) + Math.floor((part - 1) / suppliers))) % suppliers) + 1;
}

/** Sparse order keys: the first eight of every 32. */
export function orderKey(index: number): number {
  return Math.floor(index / 8) * 32 + (index % 8) + 1;
}

export function* generateTable(table: TableName, scale: number, seed = 1): Generator<Buffer> {
  switch (table) {
    case 'region':
    case 'nation':
      yield* generateNames(table, seed);
      return;
    case 'supplier':
      yield* generateSuppliers(scale, seed);
      return;
    case 'part':
      yield* generateParts(scale, seed);
      return;
    case 'partsupp':
      yield* generatePartSuppliers(scale, seed);
      return;
    case 'customer':
      yield* generateCustomers(scale, seed);
      return;
    case 'orders':
    case 'lineitem':
      yield* generateOrders(table, scale, seed);
  }
}

function* generateNames(table: 'region' | 'nation', seed: number): Generator<Buffer> {
  const line = new LineWriter();
  const stream = new Stream(seed, table);
  const names: readonly (readonly [string, number])[] =
    table === 'region' ? REGIONS.map((name) => [name, -1] as const) : NATIONS;
  for (const [key, [name, region]] of names.entries()) {
    line.integer(key);
    line.bar();
    line.text(name);
    line.bar();
    if (region >= 0) {
      line.integer(region);
      line.bar();
    }
    line.comment(stream, 31, 114);
    line.endLine();
  }
  yield line.take();
}

function* generateSuppliers(scale: number, seed: number): Generator<Buffer> {
  const count = rowCount('supplier', scale);
  const line = new LineWriter();
  const stream = new Stream(seed, 'supplier');
  // 5 per 10,000 complain, 5 recommend, at random rows that do not overlap.
  const marked = new Map<number, string>();
  const marks = new Stream(seed, 'supplier marks');
  const markCount = Math.round(5 * scale);
  for (const word of ['Complaints', 'Recommends']) {
    for (let made = 0; made < markCount; ) {
      const row = marks.between(1, count);
      if (marked.has(row)) continue;
      marked.set(row, word);
      made++;
    }
  }
  for (let key = 1; key <= count; key++) {
    const nation = stream.between(0, 24);
    line.integer(key);
    line.text('|Supplier#');
    line.padded(key, 9);
    line.bar();
    line.vString(stream, 10, 40);
    line.bar();
    line.integer(nation);
    line.bar();
    line.phone(stream, nation);
    line.bar();
    line.cents(stream.between(-99999, 999999));
    line.bar();
    const start = line.length;
    line.comment(stream, 25, 100);
    const mark = marked.get(key);
    if (mark !== undefined) markComment(line, start, mark, marks);
    line.endLine();
    if (line.isFull) yield line.take();
  }
  yield line.take();
}

/** Overwrites part of a comment by `Customer … Complaints` (clause 4.2.3, S_COMMENT). */
function markComment(line: LineWriter, start: number, word: string, stream: Stream): void {
  const length = line.length - start;
  const needed = 8 + word.length;
  const gap = stream.between(0, length - needed);
  const offset = stream.between(0, length - needed - gap);
  line.buffer.write('Customer', start + offset, 'latin1');
  line.buffer.write(word, start + offset + 8 + gap, 'latin1');
}

function* generateParts(scale: number, seed: number): Generator<Buffer> {
  const count = rowCount('part', scale);
  const line = new LineWriter();
  const stream = new Stream(seed, 'part');
  const pick = (words: readonly string[]): string => words[stream.between(0, words.length - 1)];
  for (let key = 1; key <= count; key++) {
    line.integer(key);
    line.bar();
    const chosen: number[] = [];
    while (chosen.length < 5) {
      const color = stream.between(0, COLORS.length - 1);
      if (!chosen.includes(color)) chosen.push(color);
    }
    line.text(chosen.map((color) => COLORS[color]).join(' '));
    const maker = stream.between(1, 5);
    line.text(`|Manufacturer#${maker}|Brand#${maker}${stream.between(1, 5)}|`);
    line.text(TYPE_SYLLABLES.map(pick).join(' '));
    line.bar();
    line.integer(stream.between(1, 50));
    line.bar();
    line.text(CONTAINER_SYLLABLES.map(pick).join(' '));
    line.bar();
    line.cents(retailPriceCents(key));
    line.bar();
    line.comment(stream, 5, 22);
    line.endLine();
    if (line.isFull) yield line.take();
  }
  yield line.take();
}

function* generatePartSuppliers(scale: number, seed: number): Generator<Buffer> {
  const parts = rowCount('part', scale);
  const suppliers = rowCount('supplier', scale);
  const line = new LineWriter();
  const stream = new Stream(seed, 'partsupp');
  for (let part = 1; part <= parts; part++) {
    for (let which = 0; which < 4; which++) {
      line.integer(part);
      line.bar();
      line.integer(supplierOfPart(part, which, suppliers));
      line.bar();
      line.integer(stream.between(1, 9999));
      line.bar();
      line.cents(stream.between(100, 100000));
      line.bar();
      line.comment(stream, 49, 198);
      line.endLine();
      if (line.isFull) yield line.take();
    }
  }
  yield line.take();
}

function* generateCustomers(scale: number, seed: number): Generator<Buffer> {
  const count = rowCount('customer', scale);
  const line = new LineWriter();
  const stream = new Stream(seed, 'customer');
  for (let key = 1; key <= count; key++) {
    const nation = stream.between(0, 24);
    line.integer(key);
    line.text('|Customer#');
    line.padded(key, 9);
    line.bar();
    line.vString(stream, 10, 40);
    line.bar();
    line.integer(nation);
    line.bar();
    line.phone(stream, nation);
    line.bar();
    line.cents(stream.between(-99999, 999999));
    line.bar();
    line.text(SEGMENTS[stream.between(0, 4)]);
    line.bar();
    line.comment(stream, 29, 116);
    line.endLine();
    if (line.isFull) yield line.take();
  }
  yield line.take();
}

/** One line item as drawn; reused for every line of every order. */
interface Line {
  part: number;
  supplier: number;
  quantity: number;
  extendedCents: number;
  discount: number;
  tax: number;
  ship: number;
  commit: number;
  receipt: number;
}

function* generateOrders(table: 'orders' | 'lineitem', scale: number, seed: number): Generator<Buffer> {
  const count = rowCount('orders', scale);
  const customers = rowCount('customer', scale);
  const parts = rowCount('part', scale);
  const suppliers = rowCount('supplier', scale);
  const clerks = Math.max(1, Math.round(1000 * scale));
  const line = new LineWriter();
  const facts = new Stream(seed, 'orders');
  const words = new Stream(seed, `${table} words`);
  const lines: Line[] = Array.from({ length: 7 }, () => ({
    part: 0,
    supplier: 0,
    quantity: 0,
    extendedCents: 0,
    discount: 0,
    tax: 0,
    ship: 0,
    commit: 0,
    receipt: 0,
  }));
  for (let index = 0; index < count; index++) {
    const key = orderKey(index);
    // A third of the customers never order: keys divisible by three are left out.
    let customer: number;
    do customer = facts.between(1, customers);
    while (customer % 3 === 0);
    const orderDate = facts.between(START_DATE, END_DATE - 151);
    const lineCount = facts.between(1, 7);
    let shipped = 0;
    let totalCents = 0;
    for (let number = 0; number < lineCount; number++) {
      const item = lines[number];
      item.part = facts.between(1, parts);
      item.supplier = supplierOfPart(item.part, facts.between(0, 3), suppliers);
      item.quantity = facts.between(1, 50);
      item.extendedCents = item.quantity * retailPriceCents(item.part);
      item.discount = facts.between(0, 10);
      item.tax = facts.between(0, 8);
      item.ship = orderDate + facts.between(1, 121);
      item.commit = orderDate + facts.between(30, 90);
      item.receipt = item.ship + facts.between(1, 30);
      if (item.ship <= CURRENT_DATE) shipped++;
      totalCents += Math.floor(
        (Math.floor((item.extendedCents * (100 - item.discount)) / 100) * (100 + item.tax)) / 100,
      );
    }
    if (table === 'orders') {
      line.integer(key);
      line.bar();
      line.integer(customer);
      line.text(shipped === lineCount ? '|F|' : shipped === 0 ? '|O|' : '|P|');
      line.cents(totalCents);
      line.bar();
      line.date(orderDate);
      line.bar();
      line.text(PRIORITIES[words.between(0, 4)]);
      line.text('|Clerk#');
      line.padded(words.between(1, clerks), 9);
      line.text('|0|');
      line.comment(words, 19, 78);
      line.endLine();
      if (line.isFull) yield line.take();
      continue;
    }
    for (let number = 0; number < lineCount; number++) {
      const item = lines[number];
      line.integer(key);
      line.bar();
      line.integer(item.part);
      line.bar();
      line.integer(item.supplier);
      line.bar();
      line.integer(number + 1);
      line.bar();
      line.integer(item.quantity);
      line.text('.00|');
      line.cents(item.extendedCents);
      line.text('|0.');
      line.padded(item.discount, 2);
      line.text('|0.');
      line.padded(item.tax, 2);
      line.text(item.receipt <= CURRENT_DATE ? (words.between(0, 1) === 0 ? '|R|' : '|A|') : '|N|');
      line.text(item.ship > CURRENT_DATE ? 'O|' : 'F|');
      line.date(item.ship);
      line.bar();
      line.date(item.commit);
      line.bar();
      line.date(item.receipt);
      line.bar();
      line.text(INSTRUCTIONS[words.between(0, 3)]);
      line.bar();
      line.text(MODES[words.between(0, 6)]);
      line.bar();
      line.comment(words, 10, 43);
      line.endLine();
      if (line.isFull) yield line.take();
    }
  }
  yield line.take();
}
