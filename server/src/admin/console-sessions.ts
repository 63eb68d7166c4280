/**
 * Console sessions: who is logged in, with which connection, and the results kept for paging.
 *
 * The cookie's token is 256 random bits; only its hash is kept here. A session ends by logout, after IDLE_MILLIS without
 * a request, and LIFE_MILLIS after login whatever happens.
 */
import type { Clock, Cryptography, Random } from '../env/contract.ts';
import type { Cell, ResultColumn } from './contract.ts';
import type { WireClient } from './wire-client.ts';

export const IDLE_MILLIS = 30 * 60_000;
export const LIFE_MILLIS = 12 * 3_600_000;
const SESSIONS_MAX = 200;
const RESULTS_MAX = 10;

export interface KeptResult {
  readonly id: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

export class ConsoleSession {
  readonly user: string;
  readonly database: string;
  readonly client: WireClient;
  readonly csrfToken: string;
  readonly startedMillis: number;
  lastUsedMillis: number;
  private readonly results = new Map<string, KeptResult>();
  private nextResult = 1;

  constructor(options: {
    user: string;
    database: string;
    client: WireClient;
    csrfToken: string;
    nowMillis: number;
  }) {
    this.user = options.user;
    this.database = options.database;
    this.client = options.client;
    this.csrfToken = options.csrfToken;
    this.startedMillis = options.nowMillis;
    this.lastUsedMillis = options.nowMillis;
  }

  keep(columns: readonly ResultColumn[], rows: readonly (readonly Cell[])[]): KeptResult {
    const result: KeptResult = { id: `r${this.nextResult++}`, columns, rows };
    this.results.set(result.id, result);
    if (this.results.size > RESULTS_MAX) {
      const oldest = this.results.keys().next();
      if (!oldest.done) this.results.delete(oldest.value);
    }
    return result;
  }

  result(id: string): KeptResult | undefined {
    return this.results.get(id);
  }
}

export class ConsoleSessions {
  private readonly sessions = new Map<string, ConsoleSession>();
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly cryptography: Cryptography;

  constructor(options: { clock: Clock; random: Random; cryptography: Cryptography }) {
    this.clock = options.clock;
    this.random = options.random;
    this.cryptography = options.cryptography;
  }

  nowMillis(): number {
    return this.clock.monotonicMicros() / 1000;
  }

  /** Registers a logged-in client; returns the token for the cookie. */
  open(user: string, database: string, client: WireClient): { token: string; session: ConsoleSession } {
    this.sweep();
    if (this.sessions.size >= SESSIONS_MAX) {
      const oldest = [...this.sessions].sort(
        (left, right) => left[1].lastUsedMillis - right[1].lastUsedMillis,
      )[0];
      this.end(oldest[0]);
    }
    const token = this.newToken();
    const session = new ConsoleSession({
      user,
      database,
      client,
      csrfToken: this.newToken(),
      nowMillis: this.nowMillis(),
    });
    this.sessions.set(this.hash(token), session);
    return { token, session };
  }

  find(token: string): ConsoleSession | null {
    const key = this.hash(token);
    const session = this.sessions.get(key);
    if (session === undefined) return null;
    const now = this.nowMillis();
    if (
      session.client.isClosed ||
      now - session.lastUsedMillis > IDLE_MILLIS ||
      now - session.startedMillis > LIFE_MILLIS
    ) {
      this.end(key);
      return null;
    }
    session.lastUsedMillis = now;
    return session;
  }

  close(token: string): void {
    this.end(this.hash(token));
  }

  closeAll(): void {
    for (const key of [...this.sessions.keys()]) this.end(key);
  }

  /** Ends what has expired. */
  sweep(): void {
    const now = this.nowMillis();
    for (const [key, session] of this.sessions) {
      if (
        now - session.lastUsedMillis > IDLE_MILLIS ||
        now - session.startedMillis > LIFE_MILLIS ||
        session.client.isClosed
      )
        this.end(key);
    }
  }

  private end(key: string): void {
    const session = this.sessions.get(key);
    this.sessions.delete(key);
    session?.client.close();
  }

  private newToken(): string {
    return Buffer.from(this.random.bytes(32)).toString('base64url');
  }

  private hash(token: string): string {
    return Buffer.from(this.cryptography.sha256(new TextEncoder().encode(token))).toString('base64');
  }
}

/** Slows down guessing: failures per address and per user, forgotten after a quarter of an hour. */
export class LoginThrottle {
  private readonly failures = new Map<string, { count: number; sinceMillis: number }>();
  private readonly nowMillis: () => number;

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis;
  }

  isBlocked(...keys: readonly string[]): boolean {
    return keys.some((key) => {
      const entry = this.failures.get(key);
      if (entry === undefined) return false;
      if (this.nowMillis() - entry.sinceMillis > 15 * 60_000) {
        this.failures.delete(key);
        return false;
      }
      return entry.count >= 10;
    });
  }

  failed(...keys: readonly string[]): void {
    if (this.failures.size > 10_000) this.failures.clear();
    for (const key of keys) {
      const entry = this.failures.get(key);
      if (entry === undefined) this.failures.set(key, { count: 1, sinceMillis: this.nowMillis() });
      else entry.count++;
    }
  }

  succeeded(...keys: readonly string[]): void {
    for (const key of keys) this.failures.delete(key);
  }
}
