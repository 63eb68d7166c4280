/**
 * Calls of SQL functions from compiled code: strict functions that need nothing but their arguments, run in JavaScript on the worker's own thread.
 *
 * Arguments lie in the worker's parameter page, strings as references. A string that comes out is written into blocks of the statement, once per
 * distinct text, so that it can be a group's key like any other. An error sends the statement to the row executor, which raises it properly.
 */
import { assert } from '../../../base/error.ts';
import type { DatumFunction } from '../../../sql/functions/contract.ts';
import { scalarFunction } from '../../../sql/functions/index.ts';
import type { Datum } from '../../../types/datum.ts';
import { NotCompilable } from '../interval.ts';
import type { QueryNode } from '../spec.ts';
import { QUERY_PARAM } from './layout.ts';

const TEXT_OIDS: ReadonlySet<number> = new Set([25, 1043]);
const INT4_OID = 23;
const INT8_OID = 20;
const BOOL_OID = 16;
const LENGTH_MASK = 0x3fffffff;
/** Bytes behind a string that may be read with it. */
const PADDING = 16;
const ARENA_BYTES = 1 << 18;
/** Texts known by their content; beyond it equal ones may be written twice. */
const KNOWN_MAX = 200_000;

type CallNode = Extract<QueryNode, { op: 'call' }>;

/** A method of Buffer that its types leave out. */
interface TextBuffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

interface Site {
  readonly run: DatumFunction;
  readonly typeOids: readonly number[];
  /** Constants come again and again: the last reference of each argument and its text. */
  readonly lastLow: number[];
  readonly lastHigh: number[];
  readonly lastText: Datum[];
}

/** Strings that calls have made for one statement. */
interface Texts {
  readonly known: Map<string, { readonly at: number; readonly length: number }>;
  at: number;
  end: number;
}

/** See the module comment. */
export class CallSites {
  private readonly sites: Site[] = [];
  private readonly indexes = new Map<string, number>();
  private readonly texts = new Map<number, Texts>();
  private readonly view: DataView;
  private readonly buffer: Buffer;
  private readonly area: number;
  private readonly allocate: (bytes: number) => number;

  constructor(memory: WebAssembly.Memory, area: number, allocate: (bytes: number) => number) {
    this.view = new DataView(memory.buffer);
    this.buffer = Buffer.from(memory.buffer as unknown as ArrayBuffer);
    this.area = area;
    this.allocate = allocate;
  }

  /** Number of a call, the same as long as the thread lives. */
  index(node: CallNode): number {
    const key = JSON.stringify([node.source, node.typeOids]);
    let index = this.indexes.get(key);
    if (index === undefined) {
      const run = scalarFunction(node.source)?.pure;
      assert(run !== undefined, `${node.source} is no function for compiled code`);
      const { typeOids } = node;
      index = this.sites.push({ run, typeOids, lastLow: [], lastHigh: [], lastText: [] }) - 1;
      this.indexes.set(key, index);
    }
    return index;
  }

  /** Before a task: what addresses meant before is void. */
  begin(): void {
    for (const site of this.sites) site.lastLow.length = 0;
  }

  forget(statement: number): void {
    this.texts.delete(statement);
  }

  /** Errors: NotCompilable for whatever the function says. */
  call(index: number, statement: number): void {
    const site = this.sites[index]!;
    const { typeOids } = site;
    const last = typeOids.length - 1;
    let result: Datum;
    try {
      if (last === 1) result = site.run(this.argument(site, 0));
      else if (last === 3)
        result = site.run(this.argument(site, 0), this.argument(site, 1), this.argument(site, 2));
      else {
        const args: Datum[] = [];
        for (let at = 0; at < last; at++) args.push(this.argument(site, at));
        result = site.run(...args);
      }
    } catch {
      throw new NotCompilable('a function that failed');
    }
    this.answer(result, typeOids[last]!, statement);
  }

  private argument(site: Site, index: number): Datum {
    const { view } = this;
    const at = this.area + QUERY_PARAM.callArgument(index);
    const typeOid = site.typeOids[index]!;
    if (TEXT_OIDS.has(typeOid)) {
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      if (site.lastLow[index] === low && site.lastHigh[index] === high) return site.lastText[index]!;
      const text = (this.buffer as unknown as TextBuffer).utf8Slice(low, low + (high & LENGTH_MASK));
      site.lastLow[index] = low;
      site.lastHigh[index] = high;
      site.lastText[index] = text;
      return text;
    }
    if (typeOid === INT8_OID) return view.getBigInt64(at, true);
    if (typeOid === BOOL_OID) return view.getInt32(at, true) !== 0;
    return Number(view.getBigInt64(at, true));
  }

  private answer(result: Datum, typeOid: number, statement: number): void {
    const { view } = this;
    const at = this.area + QUERY_PARAM.callResult;
    if (TEXT_OIDS.has(typeOid) && typeof result === 'string') this.writeText(result, statement, at);
    else if (typeOid === BOOL_OID && typeof result === 'boolean')
      view.setBigInt64(at, result ? 1n : 0n, true);
    else if (typeOid === INT4_OID && typeof result === 'number') view.setBigInt64(at, BigInt(result), true);
    else if (typeOid === INT8_OID && typeof result === 'bigint') view.setBigInt64(at, result, true);
    else throw new NotCompilable('a function whose value has no place');
  }

  private writeText(text: string, statement: number, place: number): void {
    const { at, length } = this.text(text, statement);
    this.view.setUint32(place, at, true);
    this.view.setUint32(place + 4, length, true);
  }

  private text(text: string, statement: number): { readonly at: number; readonly length: number } {
    let texts = this.texts.get(statement);
    if (texts === undefined) {
      texts = { known: new Map(), at: 0, end: 0 };
      this.texts.set(statement, texts);
    }
    const known = texts.known.get(text);
    if (known !== undefined) return known;
    const room = text.length * 3 + PADDING;
    if (texts.at + room > texts.end) {
      const bytes = Math.max(ARENA_BYTES, room);
      texts.at = this.allocate(bytes);
      texts.end = texts.at + bytes;
    }
    const length = this.buffer.write(text, texts.at, 'utf8');
    const reference = { at: texts.at, length };
    texts.at += (length + 7) & ~7;
    if (texts.known.size < KNOWN_MAX) texts.known.set(text, reference);
    return reference;
  }
}
