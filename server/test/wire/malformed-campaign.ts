/**
 * Malformed protocol messages against a real server over sockets: many in a session, and broken beginnings.
 *
 *     node server/test/wire/malformed-campaign.ts [messages, default 1000000] [seed]
 *
 * Promised   the server lives, a session whose frames are right answers after every batch (or was closed with a FATAL
 *            error), a new session answers `select 1`, and memory stays where it was.
 * Sessions after login use the Unix socket, whose owner needs no password; broken logins come over TCP.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type ServerProcess, startServerProcess } from '../process.ts';
import { frame, MessageSource, STARTUP } from './messages.ts';

const SESSIONS = 4;
const BATCH_MESSAGES = 10;
const BATCHES_PER_SESSION = 100;
/** Broken beginnings after each session. */
const STARTUPS = 2;
const ANSWER_MILLIS_MAX = 30_000;
/** Part of the campaign after which memory counts as warmed up. */
const WARM_PART = 0.1;
/** A leak of 150 bytes a message would show in a million. */
const GROWTH_BYTES_MAX = 150e6;

export interface MalformedReport {
  /** Messages the server has surely read: those of answered batches, and the one that ended a session. */
  messages: number;
  /** Of these, messages it could not read: they ended a session or a login. */
  unreadable: number;
  sessions: number;
  /** Sessions the server ended before we did. */
  closed: number;
  /** Why, with how often. */
  reasons: Record<string, number>;
  problems: string[];
  residentBefore: number;
  residentAfter: number;
  residentPeak: number;
}

export async function malformedCampaign(
  messages: number,
  seed: number,
  progress: (text: string) => void = () => {},
): Promise<MalformedReport> {
  const server = await startServerProcess();
  const report: MalformedReport = {
    messages: 0,
    unreadable: 0,
    sessions: 0,
    closed: 0,
    reasons: {},
    problems: [],
    residentBefore: 0,
    residentAfter: 0,
    residentPeak: 0,
  };
  try {
    const setup = await connect(server.port);
    await setup.query('create table junk(id int, value text)');
    await setup.end();
    let nextProgress = 0;
    const watch = async (): Promise<void> => {
      const bytes = server.residentBytes();
      report.residentPeak = Math.max(report.residentPeak, bytes);
      if (report.residentBefore === 0 && report.messages >= messages * WARM_PART)
        report.residentBefore = bytes;
      if (report.messages < nextProgress) return;
      nextProgress += messages / 10;
      progress(`${report.messages} messages, ${report.sessions} sessions, ${megabytes(bytes)} resident\n`);
      // What some messages store is no leak.
      const client = await connect(server.port);
      await client.query('truncate junk');
      await client.end();
    };
    const worker = async (number: number): Promise<void> => {
      const source = new MessageSource(seed * 1000 + number + 1);
      while (report.messages < messages && report.problems.length < 20 && server.isAlive()) {
        await abuseSession(server, source, report);
        for (let count = 0; count < STARTUPS; count++) await abuseStartup(server, source, report);
        await watch();
      }
    };
    await Promise.all(Array.from({ length: SESSIONS }, (_, number) => worker(number)));
    if (!server.isAlive()) report.problems.push(`the server ended: ${server.output().slice(-2000)}`);
    else {
      const client = await connect(server.port);
      const { rows } = await client.query('select 1 as one');
      if (rows[0]?.one !== 1) report.problems.push(`select 1 answers ${JSON.stringify(rows)}`);
      // Whatever ended a session, nothing of it is left.
      const left =
        'select pid, state, query from pg_stat_activity where pid <> pg_backend_pid() and state is not null';
      let sessions = (await client.query(left)).rows;
      for (let tries = 0; sessions.length > 0 && tries < 50; tries++) {
        await sleep(100);
        sessions = (await client.query(left)).rows;
      }
      if (sessions.length > 0)
        report.problems.push(
          `${sessions.length} sessions are left, the first: ${JSON.stringify(sessions[0])}`,
        );
      await client.end();
      report.residentAfter = server.residentBytes();
    }
  } finally {
    await server.stop();
  }
  if (report.residentAfter - report.residentBefore > GROWTH_BYTES_MAX)
    report.problems.push(
      `memory grew from ${megabytes(report.residentBefore)} to ${megabytes(report.residentAfter)}`,
    );
  return report;
}

/** What the server said last on a socket, and whether it hung up. */
class Listener {
  readonly socket: Socket;
  isClosed = false;
  private tail = '';
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.tail = (this.tail + bytes.toString('latin1')).slice(-4000);
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** Code and message of the FATAL error it sent, if any. */
  lastError(): string {
    const found = /SFATAL\0VFATAL\0C(.{5})\0M([^\0]*)/.exec(this.tail);
    return found === null ? 'without a word' : `${found[1]} ${found[2].replace(/\d+|"[^"]*"/g, '…')}`;
  }

  /** True when the text came, false when the server hung up, null when neither happened in time. */
  async waitFor(text: string): Promise<boolean | null> {
    const end = performance.now() + ANSWER_MILLIS_MAX;
    while (!this.tail.includes(text)) {
      if (this.isClosed) return false;
      const rest = end - performance.now();
      if (rest <= 0) return null;
      const timer = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (this.wake = resolve)),
        sleep(rest, undefined, { signal: timer.signal }).catch(() => {}),
      ]);
      timer.abort();
    }
    return true;
  }

  /** Waits until the server hangs up; hangs up itself after a while. */
  async closed(millis: number): Promise<void> {
    this.socket.end();
    const end = performance.now() + millis;
    while (!this.isClosed && performance.now() < end) await sleep(1);
    this.socket.destroy();
  }
}

/** A session: batches of messages in right frames, each followed by a question, then one broken frame. */
async function abuseSession(
  server: ServerProcess,
  source: MessageSource,
  report: MalformedReport,
): Promise<void> {
  const listener = new Listener(connectSocket(server.socketPath));
  listener.socket.write(STARTUP);
  report.sessions++;
  // ReadyForQuery, idle.
  if ((await listener.waitFor('Z\0\0\0\x05I')) !== true) {
    if (server.isAlive()) report.problems.push('a session could not be opened');
    listener.socket.destroy();
    return;
  }
  for (let batch = 0; batch < BATCHES_PER_SESSION; batch++) {
    const messages = Array.from({ length: BATCH_MESSAGES }, () => source.framed());
    // Out of COPY, out of the failed extended query, out of the transaction; then a question only an answer can spell.
    const question = `rollback; select 'answer ' || ${batch} || ' of this'`;
    listener.socket.write(
      Buffer.concat([
        ...messages,
        frame('f', Buffer.from('enough\0')),
        frame('S', Buffer.alloc(0)),
        frame('Q', Buffer.from(`${question}\0`)),
      ]),
    );
    const answer = await listener.waitFor(`answer ${batch} of this`);
    if (answer === true) {
      report.messages += messages.length;
      continue;
    }
    if (answer === false) {
      report.closed++;
      report.messages++;
      report.unreadable++;
      const reason = listener.lastError();
      report.reasons[reason] = (report.reasons[reason] ?? 0) + 1;
    }
    if (answer === null) report.problems.push('a session does not answer any more');
    listener.socket.destroy();
    return;
  }
  report.messages++;
  report.unreadable++;
  listener.socket.write(source.broken());
  await listener.closed(2000);
}

async function abuseStartup(
  server: ServerProcess,
  source: MessageSource,
  report: MalformedReport,
): Promise<void> {
  const listener = new Listener(connectSocket(server.port, '127.0.0.1'));
  report.messages++;
  report.unreadable++;
  listener.socket.write(source.startup());
  await listener.closed(2000);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = Number(process.argv[2] ?? 1_000_000);
  const from = performance.now();
  const report = await malformedCampaign(
    wanted,
    Number(process.argv[3] ?? 1),
    (text) => void process.stdout.write(text),
  );
  for (const problem of report.problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    `${report.messages} messages, ${report.unreadable} of them unreadable, in ${report.sessions} sessions (${report.closed} closed by the server), ${((performance.now() - from) / 1000).toFixed(0)} s; ` +
      `memory before ${megabytes(report.residentBefore)}, after ${megabytes(report.residentAfter)}, peak ${megabytes(report.residentPeak)}\n`,
  );
  for (const [reason, count] of Object.entries(report.reasons))
    process.stdout.write(`closed ${count}: ${reason}\n`);
  process.stdout.write(`${report.problems.length} problems\n`);
  process.exitCode = report.problems.length > 0 ? 1 : 0;
}
