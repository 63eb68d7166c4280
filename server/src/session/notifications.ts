/**
 * What a session has to say and to hear by LISTEN and NOTIFY.
 *
 * Both take effect at commit: until then they are kept here, and a rollback forgets them. What other sessions send while
 * this one runs a statement or is inside a transaction block waits until it is idle, as clients expect.
 */
import type { SessionEntry, SessionRegistry } from './registry.ts';

interface Notification {
  readonly channel: string;
  readonly payload: string;
}

interface ReceivedNotification extends Notification {
  readonly processId: number;
}

export class SessionNotifications {
  private readonly sessions: Pick<SessionRegistry, 'notify'>;
  private pending: Notification[] = [];
  private received: ReceivedNotification[] = [];
  private listenActions: (() => void)[] = [];

  constructor(sessions: Pick<SessionRegistry, 'notify'>) {
    this.sessions = sessions;
  }

  /** NOTIFY: equal ones of a transaction are sent once. */
  defer(channel: string, payload: string): void {
    if (!this.pending.some((other) => other.channel === channel && other.payload === payload)) {
      this.pending.push({ channel, payload });
    }
  }

  /** LISTEN and UNLISTEN. */
  deferListen(action: () => void): void {
    this.listenActions.push(action);
  }

  transactionEnded(committed: boolean, sender: SessionEntry): void {
    const { listenActions, pending } = this;
    if (listenActions.length === 0 && pending.length === 0) return;
    this.listenActions = [];
    this.pending = [];
    if (!committed) return;
    for (const action of listenActions) action();
    for (const { channel, payload } of pending) this.sessions.notify(sender, channel, payload);
  }

  /** From another session, at a moment when the client must not see it yet. */
  hold(processId: number, channel: string, payload: string): void {
    this.received.push({ processId, channel, payload });
  }

  /** Hands over what waited. */
  flush(show: (processId: number, channel: string, payload: string) => void): void {
    if (this.received.length === 0) return;
    const waiting = this.received;
    this.received = [];
    for (const { processId, channel, payload } of waiting) show(processId, channel, payload);
  }
}
