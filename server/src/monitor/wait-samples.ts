/** What sessions wait for, looked at ten times a second: an hour of it, minute by minute. */
import type { SessionRegistry } from '../session/registry.ts';

const MINUTES = 60;

export interface WaitCount {
  readonly type: string;
  readonly event: string;
  readonly samples: number;
}

export class WaitSamples {
  private readonly sessions: SessionRegistry;
  /** One map a minute, newest last: "type\0event" → sessions seen so. */
  private readonly minutes: { samples: number; counts: Map<string, number> }[] = [];
  private minute = -1;

  constructor(sessions: SessionRegistry) {
    this.sessions = sessions;
  }

  /** Looks once. `nowMillis` is monotonic. */
  sample(nowMillis: number): void {
    const minute = Math.floor(nowMillis / 60_000);
    if (minute !== this.minute) {
      this.minute = minute;
      this.minutes.push({ samples: 0, counts: new Map() });
      if (this.minutes.length > MINUTES) this.minutes.shift();
    }
    const current = this.minutes[this.minutes.length - 1];
    current.samples++;
    for (const entry of this.sessions.all()) {
      if (entry.state !== 'active') continue;
      // An active session that waits for nothing computes, or waits for its turn of the loop.
      const key =
        entry.waitEventType === null ? 'CPU\0Running' : `${entry.waitEventType}\0${entry.waitEvent}`;
      current.counts.set(key, (current.counts.get(key) ?? 0) + 1);
    }
  }

  over(minutes: number): { samples: number; waits: WaitCount[] } {
    const totals = new Map<string, number>();
    let samples = 0;
    for (const minute of this.minutes.slice(-Math.max(1, minutes))) {
      samples += minute.samples;
      for (const [key, count] of minute.counts) totals.set(key, (totals.get(key) ?? 0) + count);
    }
    const waits = [...totals].map(([key, count]) => {
      const [type, event] = key.split('\0');
      return { type, event, samples: count };
    });
    return { samples, waits };
  }
}
