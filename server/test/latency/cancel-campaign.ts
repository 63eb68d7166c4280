/**
 * Statements that would run for minutes are cancelled while another session asks point queries.
 *
 *     node server/test/latency/cancel-campaign.ts [seconds each runs before it is cancelled, default 3]
 *
 * Prints how long each cancel took and the latencies of the point queries; fails beyond 100 ms and 20 ms (99th
 * percentile). A real server process; the cancel is a real CancelRequest on a connection of its own.
 */
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { connect, startServerProcess } from '../process.ts';

export const CANCEL_MILLIS_MAX = 100;
export const POINT_MILLIS_MAX = 20;
const ROWS = 1000;
const WARM_UP_QUERIES = 500;

/** Statements without end in sight: 300 million rows joined, and a recursion that never stops. */
export const ENDLESS = {
  'cross join of 300 million rows':
    'select count(*), sum((a.g # b.g) % 7) from generate_series(1, 30000) a(g), generate_series(1, 10000) b(g)',
  'cross join of 300 million stored rows':
    'select count(*), sum((a.id * 7 + b.id + c.id) % 11) from points a, points b, points c where c.id <= 300',
  'endless recursion':
    'with recursive r(n) as (select 1::bigint union all select n + 1 from r) select count(*), max(n) from r',
} as const;

export interface CancelFigures {
  readonly statement: string;
  /** From sending the cancel request to the error at the client. */
  readonly cancelMillis: number;
  /** SQLSTATE and message of how the statement ended. */
  readonly ended: string;
  readonly pointQueries: number;
  readonly pointMillisMedian: number;
  readonly pointMillis99: number;
  readonly pointMillisMax: number;
}

/** What the driver knows of the session's key but does not declare. */
interface SessionKey {
  readonly processID: number;
  readonly secretKey: number;
}

const CANCEL_REQUEST = 80877102;

/** Sends a CancelRequest on a connection of its own; the server closes it without an answer. */
function requestCancel(port: number, { processID, secretKey }: SessionKey): void {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = connectSocket(port, '127.0.0.1', () => socket.end(message));
  socket.on('error', () => {});
}

/** Runs every statement for `seconds`, cancels it, and measures. */
export async function cancelCampaign(
  seconds: number,
  progress: (text: string) => void = () => {},
): Promise<CancelFigures[]> {
  const server = await startServerProcess();
  const figures: CancelFigures[] = [];
  try {
    const heavy = await connect(server.port);
    const point = await connect(server.port);
    await heavy.query('create table points(id int primary key, value text)');
    await heavy.query(`insert into points select g, 'value ' || g from generate_series(1, ${ROWS}) g`);
    for (let query = 0; query < WARM_UP_QUERIES; query++) await ask(point, query);
    for (const [statement, sql] of Object.entries(ENDLESS)) {
      const found = await measure(server.port, heavy, point, statement, sql, seconds);
      figures.push(found);
      progress(
        `${statement}: cancelled after ${found.cancelMillis.toFixed(1)} ms (${found.ended}); ${found.pointQueries} point queries, ` +
          `median ${found.pointMillisMedian.toFixed(2)} ms, 99 % ${found.pointMillis99.toFixed(2)} ms, slowest ${found.pointMillisMax.toFixed(2)} ms\n`,
      );
      // The session lives on.
      const { rows } = await heavy.query('select 1 as one');
      if (rows[0].one !== 1) throw new Error(`after ${statement} the session is broken`);
    }
    await point.end();
    await heavy.end();
  } finally {
    await server.stop();
  }
  return figures;
}

async function measure(
  port: number,
  heavy: pg.Client,
  point: pg.Client,
  statement: string,
  sql: string,
  seconds: number,
): Promise<CancelFigures> {
  let endedAt = 0;
  let isRunning = true;
  const ended = heavy
    .query(sql)
    .then(
      () => 'ran to its end',
      (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
    )
    .then((text) => {
      endedAt = performance.now();
      isRunning = false;
      return text;
    });
  const latencies: number[] = [];
  const asking = (async () => {
    while (isRunning) {
      const from = performance.now();
      await ask(point, latencies.length);
      latencies.push(performance.now() - from);
      await sleep(1);
    }
  })();
  await sleep(seconds * 1000);
  const cancelledAt = performance.now();
  requestCancel(port, heavy as unknown as SessionKey);
  const text = await Promise.race([
    ended,
    sleep(60_000, 'still running a minute after the cancel', { ref: false }),
  ]);
  isRunning = false;
  await asking;
  latencies.sort((left, right) => left - right);
  const at = (part: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
  return {
    statement,
    cancelMillis: (endedAt === 0 ? performance.now() : endedAt) - cancelledAt,
    ended: text,
    pointQueries: latencies.length,
    pointMillisMedian: at(0.5),
    pointMillis99: at(0.99),
    pointMillisMax: at(1),
  };
}

async function ask(client: pg.Client, number: number): Promise<void> {
  const id = (number % ROWS) + 1;
  const { rows } = await client.query({
    name: 'point',
    text: 'select value from points where id = $1',
    values: [id],
  });
  if (rows[0]?.value !== `value ${id}`) throw new Error(`point query ${id} answered ${JSON.stringify(rows)}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = await cancelCampaign(
    Number(process.argv[2] ?? 3),
    (text) => void process.stdout.write(text),
  );
  const late = figures.filter(
    ({ ended, cancelMillis, pointMillis99 }) =>
      !ended.startsWith('57014') || cancelMillis > CANCEL_MILLIS_MAX || pointMillis99 > POINT_MILLIS_MAX,
  );
  process.stdout.write(`${figures.length} statements, ${late.length} too late\n`);
  process.exitCode = late.length > 0 ? 1 : 0;
}
