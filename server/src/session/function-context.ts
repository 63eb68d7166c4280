/** The FunctionContext of one session: one long-lived object whose format and timestamps follow the running statement. */
import type { Oid } from '../base/brands.ts';
import type {
  BackendFunctionName,
  CatalogFunctionName,
  FunctionContext,
  HostFunctions,
  SessionInfo,
} from '../sql/functions/contract.ts';
import type { TextSearchCatalog } from '../sql/functions/textsearch/configuration.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import type { Engine } from './engine.ts';

/** Microseconds between the Unix epoch and 2000-01-01. */
export const POSTGRES_EPOCH_UNIX_MICROS = 946_684_800_000_000n;

export class SessionFunctionContext implements FunctionContext {
  format: FormatContext;
  transactionTimestamp = 0n;
  statementTimestamp = 0n;
  readonly session: SessionInfo;
  readonly catalog: HostFunctions<CatalogFunctionName>;
  readonly backend: HostFunctions<BackendFunctionName>;
  readonly textSearch: TextSearchCatalog;
  readonly checkInterrupt: () => void;
  private readonly engine: Engine;
  private readonly resolveType: (oid: Oid) => TypeSupport;
  private seedState: number | null = null;

  constructor(options: {
    engine: Engine;
    format: FormatContext;
    session: SessionInfo;
    backend: HostFunctions<BackendFunctionName>;
    textSearch: TextSearchCatalog;
    checkInterrupt: () => void;
    resolveType: (oid: Oid) => TypeSupport;
  }) {
    this.engine = options.engine;
    this.format = options.format;
    this.session = options.session;
    this.catalog = options.engine.catalogFunctions;
    this.textSearch = options.textSearch;
    this.backend = options.backend;
    this.checkInterrupt = options.checkInterrupt;
    this.resolveType = options.resolveType;
  }

  typeSupport(oid: Oid): TypeSupport {
    return this.resolveType(oid);
  }

  clockTimestamp(): bigint {
    return this.engine.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS;
  }

  /** random(): the environment's generator until setseed() starts a sequence of the session's own. */
  random(): number {
    if (this.seedState === null) return this.engine.random.next();
    // SplitMix-like step on 32 bits, two draws for 53 bits.
    return (this.draw() * 0x200000 + (this.draw() >>> 11)) / 0x20000000000000;
  }

  setSeed(seed: number): void {
    this.seedState = Math.trunc(seed * 0x7fffffff) | 0;
  }

  randomBytes(count: number): Uint8Array {
    return this.engine.random.bytes(count);
  }

  digest(algorithm: 'md5' | 'sha224' | 'sha256' | 'sha384' | 'sha512', bytes: Uint8Array): Uint8Array {
    return this.engine.digest(algorithm, bytes);
  }

  private draw(): number {
    this.seedState = ((this.seedState as number) + 0x9e3779b9) | 0;
    let mixed = this.seedState;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
