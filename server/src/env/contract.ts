/**
 * The outside world as the engine sees it: disk, clock, network, randomness, workers, host, cryptography.
 *
 * Every source of chance is behind these interfaces, so that one seed replays a whole run. Each interface has two
 * implementations: `real/` (the only code of the server that imports Node's file, socket, timer and thread modules)
 * and `simulated/` (in memory, seeded, with crashes and faults). Rooms receive the parts they need from `main/` and
 * never construct them.
 */

/** What went wrong outside; the codes are the operating system's names where it has one. */
export type EnvironmentErrorCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EBADF'
  | 'ECANCELED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EEXIST'
  | 'EINVAL'
  | 'EIO'
  | 'EISDIR'
  | 'ELOCKED'
  | 'EMFILE'
  | 'ENOENT'
  | 'ENOSPC'
  | 'ENOTDIR'
  | 'ENOTEMPTY'
  | 'EPIPE'
  | 'EROFS'
  | 'ETIMEDOUT'
  | 'ETLS'
  | 'EWORKER'
  | 'EOTHER';

/**
 * Failure of the environment. Layers above translate it (58030 for I/O, 53100 for ENOSPC, 08006 for sockets).
 * `code` is always set; `subject` is the path, address or module concerned.
 */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly code: EnvironmentErrorCode;
  readonly subject: string;
  constructor(code: EnvironmentErrorCode, subject: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.subject = subject;
  }
}

// ---------------------------------------------------------------------------------------------------------- disk

/**
 * How a file is opened.
 *
 * read         must exist; writing is refused
 * write        must exist; reading and writing
 * write-durable   as write; every completed write is durable as if `dataSync` had followed, in one trip to the device
 * create       reading and writing; made empty if it does not exist, otherwise left as it is
 * create-new   reading and writing; EEXIST if it exists
 */
export type OpenMode = 'read' | 'write' | 'write-durable' | 'create' | 'create-new';

/** What `Disk.stat` tells. `modifiedMicros` is wall time since the Unix epoch. */
export interface FileStatus {
  readonly sizeBytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMicros: number;
}

/** Exclusive ownership of a data directory, until `release` or the death of the process. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * One directory tree. All paths are relative to its root, use `/`, and may not leave it (`..` and absolute paths are
 * EINVAL). The root itself is `''`.
 *
 * Crash     a created, renamed or removed name is certain only after `syncDirectory` of its parent; the contents of
 *           a file only after its own `dataSync`. Neither implies the other.
 */
export interface Disk {
  /** Absolute path of the root, for messages; never to be joined by hand. */
  readonly root: string;
  open(path: string, mode: OpenMode): Promise<File>;
  /** As `open`, blocking: for threads that own their loop and for start-up. */
  openSync(path: string, mode: OpenMode): File;
  /** Atomic; replaces an existing file of the new name. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes the directory and its missing parents; no error if it exists. */
  mkdir(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDirectory(path: string): Promise<void>;
  /** Names (not paths) in a directory, files and directories, sorted by code unit. ENOENT if it does not exist. */
  list(path: string): Promise<string[]>;
  /** Undefined if the name does not exist. */
  stat(path: string): Promise<FileStatus | undefined>;
  /** Makes all earlier creates, renames and unlinks in this directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes still free on the device for this process. */
  free(): Promise<number>;
  /**
   * Takes the directory for this process, recording it in the file `name`.
   * Errors    ELOCKED with the holder in the message while another living process (or this one) holds it.
   * Why       two servers on one directory would destroy it; the lock of a dead process is taken over.
   */
  lock(name: string): Promise<DirectoryLock>;
}

/**
 * An open file. Offsets and sizes are bytes as JavaScript numbers (files stay below 2^53 bytes).
 * Every promise rejects with EnvironmentError. Buffers are borrowed until the promise settles and may be views of
 * shared memory.
 */
export interface File {
  /** As given to `open`. */
  readonly path: string;
  /** Reads up to `target.length` bytes; fewer only at the end of the file, 0 at or past it. */
  read(offset: number, target: Uint8Array): Promise<number>;
  /** As `read`, blocking the calling thread. */
  readSync(offset: number, target: Uint8Array): number;
  /** Writes a prefix of `source` and tells its length; it may be short (see `writeFully`). */
  write(offset: number, source: Uint8Array): Promise<number>;
  writeSync(offset: number, source: Uint8Array): number;
  /** Writes all parts one after the other from `offset`, completely, in as few system calls as possible. */
  writeAll(offset: number, parts: readonly Uint8Array[]): Promise<void>;
  writeAllSync(offset: number, parts: readonly Uint8Array[]): void;
  /**
   * Makes every write that had *completed* before this call durable, with the size needed to read it.
   * After an error nothing is known about those writes and a retry proves nothing: treat it as fatal.
   */
  dataSync(): Promise<void>;
  dataSyncSync(): void;
  size(): Promise<number>;
  sizeSync(): number;
  /** Cuts or extends (with zeros) to `sizeBytes`. */
  truncate(sizeBytes: number): Promise<void>;
  /**
   * Makes sure that `sizeBytes` bytes are allocated, new ones reading as zero, so that later writes below change no
   * metadata (then `dataSync` is one device write). Never shrinks. ENOSPC leaves the file usable.
   */
  preallocate(sizeBytes: number): Promise<void>;
  preallocateSync(sizeBytes: number): void;
  close(): Promise<void>;
  closeSync(): void;
}

// --------------------------------------------------------------------------------------------------------- clock

/** A pending timer; opaque to the holder. */
export interface Timer {
  readonly timerBrand: 'timer';
}

/** Options of `Clock.setTimer`. */
export interface TimerOptions {
  /** A background timer does not keep the process alive. */
  readonly background?: boolean;
}

/** Time and turns of the event loop. */
export interface Clock {
  /** Microseconds since an arbitrary start, with fraction; never goes back. For durations and deadlines. */
  monotonicMicros(): number;
  /** Microseconds since 1970-01-01 00:00:00 UTC. For display and SQL's now(); may jump. */
  wallMicros(): bigint;
  /** Calls back once after at least `delayMillis`, in a later turn of the loop. */
  setTimer(callback: () => void, delayMillis: number, options?: TimerOptions): Timer;
  /** No effect on a timer that fired or was cleared; undefined is allowed. */
  clearTimer(timer: Timer | undefined): void;
  sleep(delayMillis: number): Promise<void>;
  /** Resolves in the next turn of the event loop, after waiting sockets and timers had theirs. */
  yieldToLoop(): Promise<void>;
  /** As `yieldToLoop`, without a promise: for hot paths. */
  nextTurn(callback: () => void): void;
}

// ------------------------------------------------------------------------------------------------------- network

/** Where a listener listens or a connection goes. Port 0 asks for any free port. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Callbacks of a connection; called from the event loop, never inside a call of the connection's own methods. */
export interface ConnectionHandler {
  /** The bytes are the callee's to keep; no one writes to them later. */
  data(bytes: Uint8Array): void;
  /** The peer sent all it had (half-close). Writing may still succeed. */
  end(): void;
  /** Buffered output fell below the high-water mark after `write` had returned false. */
  drain(): void;
  /** Last callback, exactly once, after `end` or `destroy` of either side; with the error if one ended it. */
  close(error: EnvironmentError | undefined): void;
}

/** What is known of a TLS session. */
export interface TlsSession {
  /** For example `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's cipher name, for example `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  readonly bits: number;
  /** Peer's certificate in DER if it presented one. */
  readonly peerCertificate: Uint8Array | undefined;
  /** The peer's certificate was verified against the configured authorities. */
  readonly isPeerVerified: boolean;
}

/** Input of `Network.createTlsContext`, all PEM texts. */
export interface TlsContextOptions {
  readonly certificate?: string;
  readonly key?: string;
  readonly keyPassphrase?: string;
  /** Certificates of trusted authorities; without them the system's are used on dialling. */
  readonly authorities?: string;
  readonly revocationList?: string;
  readonly minimumVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maximumVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
}

/** Keys and rules of TLS, checked once and shared by connections; opaque to the holder. */
export interface TlsContext {
  readonly tlsContextBrand: 'tls-context';
}

/** Options of `Connection.startTls`. */
export type TlsStart =
  | {
      readonly role: 'server';
      readonly context: TlsContext;
      readonly requestClientCertificate?: boolean;
      readonly applicationProtocols?: readonly string[];
    }
  | {
      readonly role: 'client';
      readonly context: TlsContext;
      readonly serverName?: string;
      /** Refuse a certificate that does not verify (and, with a server name, does not match it). */
      readonly verify: boolean;
      readonly applicationProtocols?: readonly string[];
    };

/**
 * A byte stream with back-pressure.
 *
 * Order     call `start` in the same turn in which the connection was handed over; no byte arrives before.
 * Owner     `write` borrows the bytes until they reach the kernel: when `bufferedBytes` is 0 afterwards they did and
 *           the buffer may be reused at once; otherwise only after `flushed`.
 */
export interface Connection {
  readonly remote: Address;
  readonly local: Address;
  /** Set by a successful `startTls`. */
  readonly tls: TlsSession | undefined;
  /** Bytes accepted by `write` and not yet with the kernel. */
  readonly bufferedBytes: number;
  /** Sets the callbacks and begins reading; may be called again to hand the connection to another owner. */
  start(handler: ConnectionHandler): void;
  /** False asks the caller to stop until `drain`; the bytes were taken nevertheless. No effect after a close. */
  write(bytes: Uint8Array, flushed?: () => void): boolean;
  /** Holds writes back so that they leave together at `uncork`. Calls nest. */
  cork(): void;
  uncork(): void;
  /** Stops and restarts reading. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes the sending side. */
  end(): void;
  /** Closes at once; unsent bytes are lost. */
  destroy(): void;
  /** Enables TCP keep-alive; no effect on a Unix socket. */
  keepAlive(idleMillis: number): void;
  /**
   * Speaks TLS from the next byte on. Data that arrived in clear before is the caller's business (it must refuse it).
   * Errors    ETLS; the connection is then destroyed.
   */
  startTls(options: TlsStart): Promise<void>;
}

/** Options of `Network.listen`. */
export interface ListenOptions {
  readonly backlog?: number;
  /** Permission bits of a Unix socket, for example 0o777. */
  readonly socketMode?: number;
}

/** An open door. */
export interface Listener {
  /** With the real port when 0 was asked for. */
  readonly address: Address;
  /** Stops accepting; existing connections live on. */
  close(): Promise<void>;
}

/** Byte streams over TCP and Unix sockets. */
export interface Network {
  listen(
    address: Address,
    accept: (connection: Connection) => void,
    options?: ListenOptions,
  ): Promise<Listener>;
  /** Errors: ECONNREFUSED, ENOENT, ETIMEDOUT … */
  dial(address: Address, options?: { readonly timeoutMillis?: number }): Promise<Connection>;
  /** Errors: ETLS if certificate and key are unreadable or do not belong together. */
  createTlsContext(options: TlsContextOptions): TlsContext;
}

// ----------------------------------------------------------------------------------------------------- randomness

/** Randomness. The real one is cryptographically strong throughout. */
export interface Random {
  /** `count` fresh random bytes. */
  bytes(count: number): Uint8Array;
  /** Uniform in [0, 1) with 53 bits. */
  next(): number;
  /** Uniform integer in [0, limit); limit between 1 and 2^32. */
  int(limit: number): number;
  /** A 32-bit seed for a generator of the caller's own. */
  seed(): number;
}

// -------------------------------------------------------------------------------------------------------- workers

/** Objects that move to the other thread instead of being copied. */
export type Transfer = readonly (ArrayBuffer | TransferablePort)[];

/** Direct line between two workers (node's MessagePort in the real environment); transferable, opaque. */
export interface TransferablePort {
  postMessage(message: unknown, transfer?: Transfer): void;
  /** Messages flow from the first handler on; earlier ones wait. */
  on(event: 'message', handler: (message: unknown) => void): unknown;
  close(): void;
}

/** Options of `Workers.spawn`. */
export interface WorkerOptions {
  /** Shown in thread lists and error messages. */
  readonly name: string;
  /** Structured-clonable start data; SharedArrayBuffer and shared WebAssembly.Memory are shared. */
  readonly data?: unknown;
  readonly transfer?: Transfer;
  /** Stack of the thread in MiB (default 4); large for recursive parsers. */
  readonly stackMegabytes?: number;
  /** Bound of the thread's JavaScript heap in MiB. */
  readonly heapMegabytes?: number;
}

/** The owner's end of a worker. */
export interface WorkerHandle {
  readonly name: string;
  post(message: unknown, transfer?: Transfer): void;
  /** One handler for messages; set it in the turn of `spawn`. */
  onMessage(handler: (message: unknown) => void): void;
  /** Called once when the thread ended, with the error if it did not end on request. */
  onExit(handler: (error: EnvironmentError | undefined) => void): void;
  /** A background worker does not keep the process alive. */
  background(): void;
  terminate(): Promise<void>;
}

/** The worker's own end, given to the `start` function its module exports. */
export interface WorkerScope {
  readonly data: unknown;
  readonly environment: Environment;
  post(message: unknown, transfer?: Transfer): void;
  onMessage(handler: (message: unknown) => void): void;
  /** Ends this worker after the current turn. */
  exit(): void;
}

/** Shape of a module that can be spawned: `export function start(scope: WorkerScope)`. */
export interface WorkerModule {
  start(scope: WorkerScope): void | Promise<void>;
}

/** Threads. */
export interface Workers {
  /** Number of hardware threads usable by this process. */
  readonly hardwareThreads: number;
  /**
   * Starts a thread on a module (pass `new URL('./x.ts', import.meta.url)`) that exports `start`.
   * Messages posted before the module is ready are delivered in order once it is.
   * Simulated: runs inline; delivery order between workers is chosen by the seed, order on one line is kept.
   */
  spawn(module: URL, options: WorkerOptions): WorkerHandle;
  /** Two ends of a direct line, to be given to two workers by `data` or `post` with `transfer`. */
  channel(): readonly [TransferablePort, TransferablePort];
}

// --------------------------------------------------------------------------------------------- host, cryptography

/** Signals the server reacts to. */
export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP';

/** The process and the machine around it. */
export interface Host {
  readonly processId: number;
  /** As Node spells it: `linux`, `x64`, `v24.21.0`. */
  readonly platform: string;
  readonly architecture: string;
  readonly runtimeVersion: string;
  readonly hostName: string;
  readonly totalMemoryBytes: number;
  readonly userName: string;
  readonly arguments: readonly string[];
  variable(name: string): string | undefined;
  /** Resident set and JavaScript heap in bytes. */
  memoryUsage(): {
    readonly residentBytes: number;
    readonly heapUsedBytes: number;
    readonly externalBytes: number;
  };
  /** Processor time of the process, microseconds. Absent where unknown. */
  processorMicros?(): number;
  /** Size and free bytes of the file system that holds `path`; null where unknown. */
  diskSpace?(path: string): { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** POST of a JSON text, without following redirects; false = refused or unreachable. Absent where there is no network. */
  postJson?(url: string, body: string, timeoutMillis: number): Promise<boolean>;
  writeOut(text: string): void;
  writeError(text: string): void;
  onSignal(signal: Signal, handler: () => void): void;
  /** Called for an exception or rejection nobody caught; the process must end soon after. */
  onFatal(handler: (error: unknown) => void): void;
  /** Ends the process; does not return in the real environment. */
  exit(code: number): never;
}

/** Deterministic cryptography; all inputs and outputs are bytes. */
export interface Cryptography {
  sha256(source: Uint8Array): Uint8Array;
  md5(source: Uint8Array): Uint8Array;
  digest(algorithm: 'md5' | 'sha224' | 'sha256' | 'sha384' | 'sha512', source: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, source: Uint8Array): Uint8Array;
  /** Off the main thread in the real environment. 32 bytes. */
  pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array>;
  /** Constant time for equal lengths. */
  equal(left: Uint8Array, right: Uint8Array): boolean;
}

/** All of it. */
export interface Environment {
  /** The data directory. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
  readonly workers: Workers;
  readonly host: Host;
  readonly cryptography: Cryptography;
  /** Another directory tree: tablespaces, server-side COPY files, certificates. `root` is absolute. */
  diskAt(root: string): Disk;
}
