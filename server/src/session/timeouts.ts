/** The timers of a session: statement_timeout, and the two for idle sessions. */
import { DbError } from '../base/error.ts';
import type { Timer } from '../env/contract.ts';
import type { BackendSession } from './session.ts';

export class SessionTimeouts {
  private readonly session: BackendSession;
  private statementTimer: Timer | undefined;
  private idleTimer: Timer | undefined;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** A statement begins. */
  enter(): void {
    const { clock } = this.session.engine;
    clock.clearTimer(this.idleTimer);
    this.idleTimer = undefined;
    const timeoutMillis = this.session.settings.number('statement_timeout');
    if (timeoutMillis === 0) return;
    clock.clearTimer(this.statementTimer);
    this.statementTimer = clock.setTimer(
      () =>
        this.session.interrupt(new DbError('query_canceled', 'canceling statement due to statement timeout')),
      timeoutMillis,
      { background: true },
    );
  }

  /** It ended; the session is idle. */
  leave(): void {
    if (this.statementTimer !== undefined) {
      this.session.engine.clock.clearTimer(this.statementTimer);
      this.statementTimer = undefined;
    }
    this.startIdle();
  }

  startIdle(): void {
    const { session } = this;
    const { clock } = session.engine;
    const { isInBlock } = session.block;
    const timeoutMillis = session.settings.number(
      isInBlock ? 'idle_in_transaction_session_timeout' : 'idle_session_timeout',
    );
    if (timeoutMillis === 0) return;
    clock.clearTimer(this.idleTimer);
    this.idleTimer = clock.setTimer(
      () => {
        const error = isInBlock
          ? new DbError(
              'idle_in_transaction_session_timeout',
              'terminating connection due to idle-in-transaction timeout',
            )
          : new DbError('idle_session_timeout', 'terminating connection due to idle-session timeout');
        session.onTerminate?.(error.fatal());
        void session.close(error);
      },
      timeoutMillis,
      { background: true },
    );
  }

  /** The session ends. */
  clear(): void {
    const { clock } = this.session.engine;
    clock.clearTimer(this.statementTimer);
    clock.clearTimer(this.idleTimer);
  }
}
