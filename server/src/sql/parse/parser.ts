/**
 * SQL text → raw syntax trees: PostgreSQL's own grammar (libpg_query compiled to WebAssembly) behind a wrapper that makes it
 * fit for a server.
 *
 * 1. Text goes in as UTF-8, the tree comes out as JSON. Byte offsets in the tree become character offsets.
 * 2. Errors get their SQLSTATE and hints, which the library does not give.
 * 3. Deep nesting overflows the stack inside WebAssembly. That ends the statement with 54001, and the instance, whose own
 *    stack pointer and memory contexts are then in doubt, is replaced by a fresh one. Instances are made asynchronously, so
 *    until the new one is there the old one goes on serving; it survives some thirty such accidents.
 *
 * Depth is meant to be caught before (prescan.ts): deep text is parsed on a worker with a large stack.
 */
import type { Node } from '@pgsql/types';
import factory, { type PgQueryModule } from 'libpg-query/wasm/libpg-query.js';
import { DbError, internalError } from '../../base/error.ts';
import type { RawStatement } from './ast.ts';
import { grammarError } from './errors.ts';

const encoder = new TextEncoder();

/** Accidents after which an instance refuses to serve even if its replacement is late (it was seen to break at about 30). */
const ACCIDENT_COUNT_MAX = 20;

interface ParseOutcome {
  stmts?: { stmt?: Node; stmt_location?: number; stmt_len?: number }[];
}

/** 54001 as PostgreSQL words it. */
export function stackDepthError(): DbError {
  return new DbError('statement_too_complex', 'stack depth limit exceeded', {
    hint: 'Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring the platform\'s stack depth limit is adequate.',
  });
}

/** A parser instance that heals itself. One a thread is enough. */
export class SqlParser {
  #module: PgQueryModule;
  #accidents = 0;
  #replacement: Promise<void> | null = null;

  private constructor(module: PgQueryModule) {
    this.#module = module;
  }

  /** Loads and compiles the library (about 15 ms). */
  static async create(): Promise<SqlParser> {
    return new SqlParser(await factory());
  }

  /**
   * Parses a text of any number of statements; an empty one gives an empty list.
   *
   * Errors    42601 and other codes of the grammar with position; 22021 for a NUL; 54001 for nesting too deep.
   */
  parse(text: string): RawStatement[] {
    if (text.includes('\0'))
      throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
    const json = this.#parseToJson(text, (message, position) => grammarError(this, text, message, position));
    const outcome = JSON.parse(json) as ParseOutcome;
    const parsed = outcome.stmts ?? [];
    if (parsed.length === 0) return [];
    const map = isAscii(text) ? null : new OffsetMap(text);
    const statements: RawStatement[] = [];
    for (const item of parsed) {
      if (!item.stmt) continue;
      if (map) convertLocations(item.stmt, map);
      const start = map ? map.unitAt(item.stmt_location ?? 0) : (item.stmt_location ?? 0);
      const end = item.stmt_len
        ? map
          ? map.unitAt((item.stmt_location ?? 0) + item.stmt_len)
          : start + item.stmt_len
        : text.length;
      let first = start;
      while (first < end && isSpace(text.charCodeAt(first))) first++;
      let last = end;
      while (last > first && isSpace(text.charCodeAt(last - 1))) last--;
      statements.push({ tree: item.stmt, start: first, length: last - first });
    }
    return statements;
  }

  /** Where parsing fails: character offset from 1, or 0 when the text is right. For hints that try a correction. */
  failurePosition(text: string): number {
    let failure = 0;
    try {
      this.#parseToJson(text, (_message, position) => {
        failure = position;
        return internalError('probe');
      });
    } catch (error) {
      if (failure === 0) throw error;
    }
    return failure;
  }

  /** Resolves when no replacement is under way. */
  async settled(): Promise<void> {
    await this.#replacement;
  }

  #parseToJson(text: string, makeError: (message: string, position: number) => DbError): string {
    if (this.#accidents >= ACCIDENT_COUNT_MAX) throw stackDepthError();
    const module = this.#module;
    let message = '';
    let position = 0;
    let json = '';
    try {
      const sizeMax = text.length * 3 + 1;
      const source = module._malloc(sizeMax);
      if (source === 0) throw new DbError('out_of_memory', 'out of memory');
      let result = 0;
      try {
        const { written } = encoder.encodeInto(text, module.HEAPU8.subarray(source, source + sizeMax - 1));
        module.HEAPU8[source + written] = 0;
        result = module._wasm_parse_query_raw(source);
        if (result === 0) throw new DbError('out_of_memory', 'out of memory');
        const fields = module.HEAPU32.subarray(result >> 2, (result >> 2) + 3);
        const errorAddress = fields[2];
        if (errorAddress !== 0) {
          message = module.UTF8ToString(module.HEAPU32[errorAddress >> 2]) || 'syntax error';
          position = module.HEAPU32[(errorAddress >> 2) + 4];
        } else {
          json = module.UTF8ToString(fields[0]);
        }
      } finally {
        if (result !== 0) module._wasm_free_parse_result(result);
        module._free(source);
      }
    } catch (error) {
      if (error instanceof RangeError || (error instanceof Error && error.name === 'RuntimeError')) {
        this.#replace();
        throw stackDepthError();
      }
      throw error;
    }
    if (message !== '') throw makeError(message, position);
    return json;
  }

  #replace(): void {
    this.#accidents++;
    this.#replacement ??= factory().then(
      (module) => {
        this.#module = module;
        this.#accidents = 0;
        this.#replacement = null;
      },
      () => {
        this.#replacement = null;
      },
    );
  }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}

/** UTF-8 byte offset → characters (code points) and UTF-16 units. */
class OffsetMap {
  readonly #characters: Int32Array;
  readonly #units: Int32Array;

  constructor(text: string) {
    const size = Buffer.byteLength(text) + 1;
    this.#characters = new Int32Array(size);
    this.#units = new Int32Array(size);
    let byte = 0;
    let character = 0;
    let unit = 0;
    for (const symbol of text) {
      const code = symbol.codePointAt(0)!;
      const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      for (let index = 0; index < width; index++) {
        this.#characters[byte] = character;
        this.#units[byte] = unit;
        byte++;
      }
      character++;
      unit += symbol.length;
    }
    this.#characters[byte] = character;
    this.#units[byte] = unit;
  }

  characterAt(byte: number): number {
    return this.#characters[Math.min(byte, this.#characters.length - 1)];
  }

  unitAt(byte: number): number {
    return this.#units[Math.min(byte, this.#units.length - 1)];
  }
}

const LOCATION_FIELDS = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end']);

function convertLocations(root: unknown, map: OffsetMap): void {
  // An explicit stack: the tree may be deeper than what recursion bears.
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const node = stack.pop();
    if (Array.isArray(node)) {
      for (const item of node) if (typeof item === 'object') stack.push(item);
      continue;
    }
    const record = node as Record<string, unknown>;
    for (const key in record) {
      const value = record[key];
      if (typeof value === 'object' && value !== null) stack.push(value);
      else if (typeof value === 'number' && value > 0 && LOCATION_FIELDS.has(key))
        record[key] = map.characterAt(value);
    }
  }
}

let shared: SqlParser | null = null;
let loading: Promise<SqlParser> | null = null;

/** Loads this thread's parser; must have resolved once before {@link parseStatements}. */
export async function loadParser(): Promise<SqlParser> {
  loading ??= SqlParser.create().then((parser) => (shared = parser));
  return loading;
}

/** Parses with this thread's parser. See {@link SqlParser.parse}. */
export function parseStatements(text: string): { statements: RawStatement[] } {
  if (!shared) throw internalError('the SQL parser is not loaded');
  return { statements: shared.parse(text) };
}
