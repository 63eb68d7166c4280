/** Opens sessions for those who passed authentication (the checks of PostgreSQL's InitPostgres). */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { LoginDirectory, Session, SessionHost, SessionOptions } from './contract.ts';
import type { Engine } from './engine.ts';
import { BackendSession } from './session.ts';

export class EngineSessionHost implements SessionHost {
  readonly logins: LoginDirectory;
  private readonly engine: Engine;
  private readonly engineOf: (database: Oid) => Engine | undefined;
  private isShuttingDown = false;

  constructor(engine: Engine, engineOf: (database: Oid) => Engine | undefined) {
    this.engine = engine;
    this.engineOf = engineOf;
    this.logins = {
      lookup: (user) => {
        const role = engine.catalogFor(null).roleByName(user);
        if (role === null) return null;
        const { oid, canLogin, password, validUntil, connectionLimit } = role;
        return { oid, canLogin, password, validUntil, connectionLimit };
      },
      databaseExists: (name) => engine.catalogFor(null).databaseByName(name) !== null,
    };
  }

  openSession(options: SessionOptions): Session {
    const { engine } = this;
    if (this.isShuttingDown)
      throw new DbError('cannot_connect_now', 'the database system is shutting down').fatal();
    const role = engine.catalogFor(null).roleByName(options.user);
    if (role === null)
      throw new DbError(
        'invalid_authorization_specification',
        `role "${options.user}" does not exist`,
      ).fatal();
    if (!role.canLogin) {
      throw new DbError(
        'invalid_authorization_specification',
        `role "${options.user}" is not permitted to log in`,
      ).fatal();
    }
    const database = engine.catalogFor(null).databaseByName(options.database);
    if (database === null)
      throw new DbError('undefined_database', `database "${options.database}" does not exist`).fatal();
    if (!database.allowsConnections) {
      throw new DbError(
        'object_not_in_prerequisite_state',
        `database "${options.database}" is not currently accepting connections`,
      ).fatal();
    }
    const connectionsMax = engine.serverSettings.number('max_connections');
    const reserved = role.superuser ? 0 : engine.serverSettings.number('superuser_reserved_connections');
    if (engine.sessions.size >= connectionsMax - reserved) {
      throw new DbError('too_many_connections', 'sorry, too many clients already').fatal();
    }
    if (
      role.connectionLimit >= 0 &&
      !role.superuser &&
      engine.sessions.countOf(role.oid) >= role.connectionLimit
    ) {
      throw new DbError('too_many_connections', `too many connections for role "${options.user}"`).fatal();
    }
    if (!role.superuser && database.connectionLimit >= 0) {
      const present = engine.sessions.countInDatabase(database.oid);
      if (present >= database.connectionLimit)
        throw new DbError(
          'too_many_connections',
          `too many connections for database "${options.database}"`,
        ).fatal();
    }
    const own = this.engineOf(database.oid);
    if (own === undefined)
      throw new DbError('undefined_database', `database "${options.database}" does not exist`).fatal();
    if (!own.catalogFor(null).hasDatabasePrivilege(role.oid, 'CONNECT'))
      throw new DbError('insufficient_privilege', `permission denied for database "${options.database}"`, {
        detail: 'User does not have CONNECT privilege.',
      }).fatal();
    return new BackendSession(own, options, role);
  }

  cancel(processId: number, secretKey: number): void {
    this.engine.sessions.cancel(processId, secretKey);
  }

  /** Refuses new sessions and ends the open ones; running statements are cancelled. */
  async shutdown(error: DbError): Promise<void> {
    this.isShuttingDown = true;
    for (const entry of [...this.engine.sessions.all()]) entry.terminate(error);
    for (let waited = 0; this.engine.sessions.size > 0 && waited < 5000; waited += 5)
      await this.engine.clock.sleep(5);
  }
}
