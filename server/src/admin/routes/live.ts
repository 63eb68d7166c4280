/** Server-sent events for panels that are looked at. Nothing is asked for topics nobody watches. */
import type { ConsoleSession } from '../console-sessions.ts';
import { ApiFailure, failureOf } from '../http/failure.ts';
import type { AdminContext } from './context.ts';
import { health } from './health.ts';
import { lockForest } from './locks.ts';
import { overviewAnswer, progressAnswer, sessionsAnswer, statementsAnswer } from './monitor.ts';

const INTERVAL_MILLIS = 1000;
const STREAMS_MAX = 8;

type Source = (context: AdminContext, session: ConsoleSession) => Promise<unknown>;

const SOURCES: Readonly<Record<string, Source>> = {
  overview: overviewAnswer,
  sessions: sessionsAnswer,
  locks: lockForest,
  progress: (_, session) => progressAnswer(session),
  statements: (_, session) => statementsAnswer(session, { limit: 50 }),
  health,
};

export function liveRoutes(context: AdminContext): void {
  const { clock } = context.environment;
  const open = new WeakMap<ConsoleSession, number>();

  context.router.raw('GET /live', async ({ session, query, reply }) => {
    const topics = query.topics.split(',').filter((topic) => topic !== '');
    for (const topic of topics)
      if (!Object.hasOwn(SOURCES, topic))
        throw new ApiFailure(400, { code: 'no_such_topic', message: `there is no topic "${topic}"` });
    if ((open.get(session) ?? 0) >= STREAMS_MAX)
      throw new ApiFailure(429, { code: 'too_many_streams', message: 'too many live streams are open' });
    open.set(session, (open.get(session) ?? 0) + 1);
    const interval = query.interval ?? INTERVAL_MILLIS;
    const encoder = new TextEncoder();
    let isOpen = true;
    let close = (): void => {};
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        close = () => {
          if (!isOpen) return;
          isOpen = false;
          session.closers.delete(close);
          open.set(session, Math.max(0, (open.get(session) ?? 1) - 1));
          try {
            controller.close();
          } catch {
            // The reader was faster.
          }
        };
        session.closers.add(close);
        const send = (event: string, data: unknown): void => {
          if (isOpen)
            controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
        };
        const run = async (): Promise<void> => {
          while (isOpen) {
            const started = clock.monotonicMicros() / 1000;
            for (const topic of topics) {
              if (!isOpen) return;
              try {
                send(topic, await SOURCES[topic](context, session));
              } catch (error) {
                send('error', { topic, ...failureOf(error).body });
              }
            }
            // A reader that does not keep up gets fewer events, not a longer queue.
            const spent = clock.monotonicMicros() / 1000 - started;
            await clock.sleep(Math.max(50, interval - spent));
            while (isOpen && (controller.desiredSize ?? 0) < -64) await clock.sleep(interval);
          }
        };
        void run();
      },
      cancel() {
        close();
      },
    });
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(stream);
  });
}
