/**
 * Work of the main thread for each frame, from a trace of the browser: the thread's processor time, so that the figures are the page's
 * and not those of what else the machine does.
 */
import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur?: number;
  /** Processor time of the thread in it, where the browser counts it. */
  readonly tdur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: { readonly name?: string };
}

export interface FrameCosts {
  /** Milliseconds of processor time between one frame and the next, ascending. */
  readonly frames: readonly number[];
  readonly longestTask: number;
}

const workOf = (task: TraceEvent): number => task.tdur ?? task.dur ?? 0;

/** Runs something in the page while the browser is traced. */
export async function traceFrames(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<FrameCosts> {
  await browser.startTracing(page, {
    categories: [
      'toplevel',
      'devtools.timeline',
      'disabled-by-default-devtools.timeline.frame',
      '__metadata',
    ],
  });
  await work();
  const buffer = await browser.stopTracing();
  const { traceEvents } = JSON.parse(buffer.toString()) as { traceEvents: TraceEvent[] };
  const tasks = traceEvents.filter(
    (event) => event.ph === 'X' && /RunTask$/.test(event.name) && event.dur !== undefined,
  );
  const mains = new Set(
    traceEvents
      .filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain')
      .map((event) => `${event.pid} ${event.tid}`),
  );
  // The page's own renderer is the busiest one.
  const sums = new Map<string, number>();
  for (const task of tasks) {
    const key = `${task.pid} ${task.tid}`;
    if (mains.has(key)) sums.set(key, (sums.get(key) ?? 0) + (task.dur ?? 0));
  }
  const main = [...sums].sort((left, right) => right[1] - left[1])[0]?.[0];
  const own = tasks
    .filter((task) => `${task.pid} ${task.tid}` === main)
    .sort((left, right) => left.ts - right.ts)
    // Tasks inside a task are counted with it.
    .filter(
      (task, at, list) =>
        at === 0 ||
        !list
          .slice(Math.max(0, at - 5), at)
          .some(
            (other) =>
              other !== task &&
              other.ts <= task.ts &&
              other.ts + (other.dur ?? 0) >= task.ts + (task.dur ?? 0),
          ),
    );
  const starts = traceEvents
    .filter((event) => event.name === 'BeginMainThreadFrame' && `${event.pid} ${event.tid}` === main)
    .map((event) => event.ts)
    .sort((left, right) => left - right);
  const frames: number[] = [];
  for (let at = 0; at + 1 < starts.length; at++) {
    const sum = own.reduce(
      (total, task) =>
        task.ts >= starts[at] - (task.dur ?? 0) && task.ts < starts[at + 1] - (task.dur ?? 0)
          ? total + workOf(task)
          : total,
      0,
    );
    frames.push(sum / 1000);
  }
  return {
    frames: frames.sort((left, right) => left - right),
    longestTask: own.reduce((most, task) => Math.max(most, workOf(task) / 1000), 0),
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
