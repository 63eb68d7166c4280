/**
 * Console sessions: who is logged in, and their connections. Results of a session live in the result store.
 *
 * The cookie's token is 256 random bits; only its hash is kept here. A session ends by logout, after IDLE_MILLIS without
 * a request, and LIFE_MILLIS after login whatever happens. It keeps no password: further connections log in with what SCRAM made
 * of it, which is worthless once the password is changed.
 */
import type { Clock, Cryptography, Random } from '../env/contract.ts';
import type { ScramSecret } from './wire/scram-client.ts';
import { WireClient, type WireClientOptions } from './wire/wire-client.ts';

export const IDLE_MILLIS = 30 * 60_000;
export const LIFE_MILLIS = 12 * 3_600_000;
const SESSIONS_MAX = 200;
const CONNECTIONS_MAX = 12;
export const MAIN_CONNECTION = 'main';

export type ConnectOptions = Omit<
  WireClientOptions,
  'user' | 'database' | 'password' | 'applicationName' | 'settings'
>;

export class ConsoleSession {
  readonly id: string;
  readonly user: string;
  readonly database: string;
  readonly address: string;
  readonly csrfToken: string;
  readonly startedMillis: number;
  lastUsedMillis: number;
  isEnded = false;
  /** Live channels to close at the end. */
  readonly closers = new Set<() => void>();
  /** Schemas the role finds names in; known once the panels have a connection. */
  searchPath: readonly string[] = [];
  private readonly secret: ScramSecret | null;
  private readonly declareInternal: (processId: number) => Promise<void>;
  private readonly connectOptions: ConnectOptions;
  private readonly connections = new Map<string, Promise<WireClient>>();
  private readonly main: WireClient;
  private panel: Promise<WireClient> | null = null;

  constructor(options: {
    id: string;
    user: string;
    database: string;
    address: string;
    client: WireClient;
    csrfToken: string;
    nowMillis: number;
    connect: ConnectOptions;
    declareInternal: (processId: number) => Promise<void>;
  }) {
    this.declareInternal = options.declareInternal;
    this.id = options.id;
    this.user = options.user;
    this.database = options.database;
    this.address = options.address;
    this.main = options.client;
    this.secret = options.client.secret;
    this.csrfToken = options.csrfToken;
    this.startedMillis = options.nowMillis;
    this.lastUsedMillis = options.nowMillis;
    this.connectOptions = options.connect;
    this.connections.set(MAIN_CONNECTION, Promise.resolve(options.client));
  }

  get serverVersion(): string {
    return this.main.parameters.get('server_version') ?? '';
  }

  get isSuperuser(): boolean {
    return this.main.parameters.get('is_superuser') === 'on';
  }

  /** A connection for statements of the user; made when first used. The oldest idle one outside a transaction makes room. */
  async connection(name: string): Promise<WireClient> {
    const known = this.connections.get(name);
    if (known !== undefined) {
      const client = await known;
      if (!client.isClosed) return client;
      this.connections.delete(name);
    }
    if (this.connections.size >= CONNECTIONS_MAX) await this.makeRoom();
    const connecting = this.connect('FastPostgres console', {});
    this.connections.set(name, connecting);
    connecting.catch(() => this.connections.delete(name));
    return connecting;
  }

  private async makeRoom(): Promise<void> {
    for (const [name, pending] of this.connections) {
      const client = await pending.catch(() => null);
      if (client === null || (!client.isBusy && client.transactionStatus === 'I')) {
        client?.close();
        this.connections.delete(name);
        return;
      }
    }
  }

  /** The named connection if it is there. */
  async existing(name: string): Promise<WireClient | null> {
    return (await this.connections.get(name)?.catch(() => null)) ?? null;
  }

  async all(): Promise<readonly (readonly [string, WireClient])[]> {
    const found: [string, WireClient][] = [];
    for (const [name, pending] of this.connections) {
      const client = await pending.catch(() => null);
      if (client !== null && !client.isClosed) found.push([name, client]);
    }
    return found;
  }

  async closeConnection(name: string): Promise<void> {
    const client = await this.existing(name);
    this.connections.delete(name);
    if (client === null) return;
    if (client.isBusy) await client.cancel().catch(() => {});
    client.close();
  }

  /**
   * The connection of the console's own questions: never the user's transaction, never waits for a lock, never runs long.
   */
  async panels(): Promise<WireClient> {
    if (this.panel !== null) {
      const client = await this.panel.catch(() => null);
      if (client !== null && !client.isClosed) return client;
    }
    this.panel = this.connectPanels();
    return this.panel;
  }

  private async connectPanels(): Promise<WireClient> {
    const client = await this.connectInternal('FastPostgres console panels', {
      lock_timeout: '50',
      statement_timeout: '20000',
    });
    const [path] = await client.query('select pg_catalog.unnest(pg_catalog.current_schemas(false))');
    this.searchPath = path.rows.map(([name]) => name ?? '');
    await client.query('set search_path = pg_catalog');
    return client;
  }

  /** A connection for questions of the console itself, which are no part of the workload. */
  async connectInternal(
    applicationName: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<WireClient> {
    const client = await this.connect(applicationName, settings);
    await this.declareInternal(client.processId);
    return client;
  }

  /** A connection for one piece of work; the caller closes it. */
  connect(applicationName: string, settings: Readonly<Record<string, string>>): Promise<WireClient> {
    return WireClient.connect({
      ...this.connectOptions,
      user: this.user,
      database: this.database,
      password: this.secret ?? '',
      applicationName,
      settings,
    });
  }

  end(): void {
    this.isEnded = true;
    for (const close of this.closers) close();
    this.closers.clear();
    for (const pending of this.connections.values())
      void pending.then(
        (client) => client.close(),
        () => {},
      );
    this.connections.clear();
    void this.panel?.then(
      (client) => client.close(),
      () => {},
    );
  }
}

export class ConsoleSessions {
  /** Told about every session that ends. */
  onEnd: (session: ConsoleSession) => void = () => {};
  private readonly sessions = new Map<string, ConsoleSession>();
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly cryptography: Cryptography;
  private readonly declareInternal: (processId: number) => Promise<void>;

  constructor(options: {
    clock: Clock;
    random: Random;
    cryptography: Cryptography;
    declareInternal: (processId: number) => Promise<void>;
  }) {
    this.declareInternal = options.declareInternal;
    this.clock = options.clock;
    this.random = options.random;
    this.cryptography = options.cryptography;
  }

  nowMillis(): number {
    return this.clock.monotonicMicros() / 1000;
  }

  /** Registers a logged-in client; returns the token for the cookie. */
  open(options: {
    user: string;
    database: string;
    address: string;
    client: WireClient;
    connect: ConnectOptions;
  }): { token: string; session: ConsoleSession } {
    this.sweep();
    if (this.sessions.size >= SESSIONS_MAX) {
      const oldest = [...this.sessions].sort(
        (left, right) => left[1].lastUsedMillis - right[1].lastUsedMillis,
      )[0];
      this.end(oldest[0]);
    }
    const token = this.newToken();
    const session = new ConsoleSession({
      ...options,
      id: this.newToken().slice(0, 22),
      csrfToken: this.newToken(),
      nowMillis: this.nowMillis(),
      declareInternal: this.declareInternal,
    });
    this.sessions.set(this.hash(token), session);
    return { token, session };
  }

  find(token: string): ConsoleSession | null {
    const key = this.hash(token);
    const session = this.sessions.get(key);
    if (session === undefined) return null;
    if (this.isExpired(session)) {
      this.end(key);
      return null;
    }
    session.lastUsedMillis = this.nowMillis();
    return session;
  }

  private isExpired(session: ConsoleSession): boolean {
    const now = this.nowMillis();
    return now - session.lastUsedMillis > IDLE_MILLIS || now - session.startedMillis > LIFE_MILLIS;
  }

  of(user: string): ConsoleSession[] {
    return [...this.sessions.values()].filter((session) => session.user === user);
  }

  close(token: string): void {
    this.end(this.hash(token));
  }

  closeById(user: string, id: string): boolean {
    for (const [key, session] of this.sessions) {
      if (session.user !== user || session.id !== id) continue;
      this.end(key);
      return true;
    }
    return false;
  }

  closeAll(): void {
    for (const key of [...this.sessions.keys()]) this.end(key);
  }

  /** Ends what has expired. */
  sweep(): void {
    for (const [key, session] of this.sessions) if (this.isExpired(session)) this.end(key);
  }

  private end(key: string): void {
    const session = this.sessions.get(key);
    this.sessions.delete(key);
    if (session === undefined) return;
    session.end();
    this.onEnd(session);
  }

  newToken(): string {
    return Buffer.from(this.random.bytes(32)).toString('base64url');
  }

  private hash(token: string): string {
    return Buffer.from(this.cryptography.sha256(new TextEncoder().encode(token))).toString('base64');
  }
}
