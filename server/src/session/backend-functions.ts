/** Functions whose answer needs the session, its transaction, locks or other sessions (BACKEND_FUNCTIONS of sql/functions). */

import type { Oid, Xid } from '../base/brands.ts';
import { DbError, notSupported } from '../base/error.ts';
import { WaitSignal } from '../base/suspend.ts';
import { hasStorage } from '../catalog/definitions.ts';
import type {
  BackendFunctionName,
  CallSite,
  DatumFunction,
  FunctionContext,
  HostFunctions,
} from '../sql/functions/contract.ts';
import type { LockWaitOptions, Transaction } from '../txn/contract.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import { formatSnapshot } from '../types/snapshot.ts';
import type { BackendSession } from './session.ts';
import { displaySettingValue } from './settings/value.ts';
import { currentRowOf } from './utility/cursor.ts';

type Row = readonly Datum[];

export class BackendFunctions implements HostFunctions<BackendFunctionName> {
  private readonly session: BackendSession;
  /** pg_sleep in progress: when it ends, for re-entry after the wait. */
  private sleepUntilMicros: number | null = null;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** pg_xact_status. The two special ids count as committed. */
  private transactionStatus(xid: bigint): string | null {
    const { transactions } = this.session.engine;
    if (xid >= BigInt(transactions.nextXidForDisplay()))
      throw new DbError('invalid_parameter_value', `transaction ID ${xid} is in the future`);
    if (xid <= 0n) return null;
    if (xid <= 2n) return 'committed';
    return transactions.statusForDisplay(Number(xid) as Xid);
  }

  bind(name: BackendFunctionName, _context: FunctionContext, _site: CallSite): DatumFunction {
    const { session } = this;
    const { engine } = session;
    if (name.startsWith('pg_advisory_') || name.startsWith('pg_try_advisory_')) return this.advisory(name);
    if (name.startsWith('be_lo')) return session.largeObjects.bind(name);
    const watched = engine.monitor?.scalar(name, session) ?? null;
    if (watched !== null) return watched;
    if (name.startsWith('pg_stat_get_')) return this.statistics(name);
    switch (name) {
      case 'current_of':
        return (cursor, relation) => currentRowOf(session, cursor as string, relation as number);
      case 'pg_sleep':
        return (seconds) => this.sleep(seconds as number);
      case 'pg_cancel_backend':
        return (processId) => this.signal(processId as number, 'cancel');
      case 'pg_reload_conf':
        return () => {
          void engine.reloadConfiguration();
          return true;
        };
      case 'pg_terminate_backend':
        return (processId) => this.signal(processId as number, 'terminate');
      case 'pg_is_in_recovery':
      case 'pg_is_wal_replay_paused':
      case 'pg_jit_available':
        return () => name === 'pg_jit_available';
      case 'pg_postmaster_start_time':
      case 'pg_conf_load_time':
        return () => engine.startTimestamp;
      case 'pg_current_xact_id':
        return () => BigInt(this.transaction().writeXid());
      case 'pg_current_xact_id_if_assigned':
        return () => {
          const { xid } = this.transaction();
          return xid === 0 ? null : BigInt(xid);
        };
      case 'pg_current_snapshot':
        return () => {
          const { xmax, running } = engine.transactions.snapshotForDisplay();
          return formatSnapshot({
            xmin: BigInt(running[0] ?? xmax),
            xmax: BigInt(xmax),
            running: running.map(BigInt),
          });
        };
      case 'pg_xact_status':
        return (xid) => this.transactionStatus(xid as bigint);
      case 'pg_notify':
        return (channel, payload) => {
          notifyChecked(session, (channel as string | null) ?? '', (payload as string | null) ?? '');
          return '';
        };
      case 'inet_client_addr':
        return () => null;
      case 'inet_client_port':
        return () => (session.entry.clientPort === 0 ? null : session.entry.clientPort);
      case 'inet_server_addr':
      case 'inet_server_port':
        return () => null;
      case 'pg_trigger_depth':
        return () => this.session.routines.triggerDepth;
      case 'pg_notification_queue_usage':
        return () => 0;
      case 'xid_age':
      case 'mxid_age':
        return (xid) => Math.max(0, Number(engine.transactions.nextXidForDisplay()) - (xid as number)) | 0;
      case 'pg_blocking_pids':
        return (pid) => new SqlArray(23, engine.transactions.locks.blockersOf(pid as number));
      default:
        return () => {
          throw notSupported(`function ${name}`);
        };
    }
  }

  bindSet(name: BackendFunctionName): (...args: Datum[]) => Iterable<Datum | Row> {
    const { session } = this;
    const watched = session.engine.monitor?.set(name, session) ?? null;
    if (watched !== null) return watched;
    switch (name) {
      case 'pg_listening_channels':
        return () => session.engine.sessions.channelsOf(session.entry);
      case 'show_all_file_settings':
        return () =>
          session.engine.configuration.fileEntries.map(
            (entry, index): Row => [
              `${session.engine.serverSettings.get('data_directory')}/${entry.file}`,
              entry.line,
              index + 1,
              entry.name === '' ? null : entry.name,
              entry.name === '' ? null : entry.value,
              entry.error === null,
              entry.error,
            ],
          );
      case 'show_all_settings':
        return () => settingsRows(session);
      case 'pg_prepared_statement':
        return () =>
          [...session.prepared.values()]
            .filter((statement) => statement.name !== '')
            .map(
              (statement): Row => [
                statement.name,
                statement.compiled.text,
                statement.preparedAt,
                new SqlArray(2206, [...statement.compiled.parameterTypes]),
                statement.fromSql,
                0n,
                0n,
              ],
            );
      case 'pg_cursor':
        return () => cursorRows(session);
      case 'pg_stat_get_activity':
        return (pid) => activityRows(session, pid as number | null);
      case 'pg_lock_status':
        return () => lockRows(session);
      case 'pg_prepared_xact':
      case 'pg_stat_get_wal_senders':
      case 'pg_stat_get_progress_info':
      case 'pg_get_replication_slots':
      case 'pg_hba_file_rules':
      case 'pg_config':
        return () => [];
      default:
        return () => {
          throw notSupported(`function ${name}`);
        };
    }
  }

  private transaction(): Transaction {
    return this.session.block.forStatement();
  }

  /** Waits without holding the loop: re-entered after the wait, it sees that the time has come. */
  private sleep(seconds: number): Datum {
    const { clock } = this.session.engine;
    this.session.checkInterrupt();
    const now = clock.monotonicMicros();
    if (this.sleepUntilMicros === null) {
      if (!(seconds > 0)) return '';
      this.sleepUntilMicros = now + seconds * 1e6;
    }
    if (now >= this.sleepUntilMicros) {
      this.sleepUntilMicros = null;
      return '';
    }
    const remainingMillis = Math.min((this.sleepUntilMicros - now) / 1000, 0x7fffffff);
    const { session } = this;
    throw new WaitSignal(
      new Promise((resolve, reject) => {
        const finish = (): void => {
          clock.clearTimer(timer);
          session.wakeSleeper = null;
          try {
            session.checkInterrupt();
            resolve();
          } catch (error) {
            this.sleepUntilMicros = null;
            reject(error);
          }
        };
        const timer = clock.setTimer(finish, remainingMillis);
        session.wakeSleeper = finish;
      }),
    );
  }

  private signal(processId: number, action: 'cancel' | 'terminate'): boolean {
    const { session } = this;
    const target = session.engine.sessions.get(processId);
    if (target === undefined) {
      session.notice({
        severity: 'WARNING',
        code: '01000',
        message: `PID ${processId} is not a PostgreSQL server process`,
        fields: {},
      });
      return false;
    }
    const catalog = session.catalog();
    const isSuperuser = catalog.role(session.roleOid())?.superuser === true;
    if (
      !isSuperuser &&
      (catalog.role(target.userOid)?.superuser === true ||
        !catalog.hasPrivilegesOfRole(session.roleOid(), target.userOid))
    ) {
      throw new DbError(
        'insufficient_privilege',
        action === 'cancel'
          ? 'must be a member of the role whose query is being canceled or member of pg_signal_backend'
          : 'must be a member of the role whose process is being terminated or member of pg_signal_backend',
      );
    }
    if (action === 'cancel') target.cancel();
    else target.terminate();
    return true;
  }

  private advisory(name: string): DatumFunction {
    const { session } = this;
    const { locks } = session.engine.transactions;
    const isTry = name.startsWith('pg_try_');
    const isShared = name.includes('_shared_');
    const isTransactional = name.includes('_xact_');
    const database = BigInt(session.entry.databaseOid) << 65n;
    // Every database has locks of its own; two int4 keys live in a space of their own, as in PostgreSQL.
    const keyOf = (first: Datum, second: Datum): bigint =>
      database |
      (name.endsWith('_int8')
        ? BigInt.asUintN(64, first as bigint)
        : (1n << 64n) |
          (BigInt.asUintN(32, BigInt(first as number)) << 32n) |
          BigInt.asUintN(32, BigInt(second as number)));
    if (name === 'pg_advisory_unlock_all') {
      return () => {
        locks.unlockAllAdvisory(session);
        return '';
      };
    }
    if (name.includes('_unlock_')) {
      return (first, second) => {
        const released = locks.unlockAdvisory(session, keyOf(first, second), isShared);
        if (!released) {
          session.notice({
            severity: 'WARNING',
            code: '01000',
            message: `you don't own a lock of type ${isShared ? 'ShareLock' : 'ExclusiveLock'}`,
            fields: {},
          });
        }
        return released;
      };
    }
    const options: LockWaitOptions = { policy: isTry ? 'nowait' : 'wait', timeoutMicros: 0 };
    return (first, second) => {
      const key = keyOf(first, second);
      const owner = isTransactional ? this.transaction() : session;
      if (isTry) return locks.tryLockAdvisory(owner, key, isShared);
      const pending = locks.lockAdvisory(owner, key, isShared, {
        ...options,
        timeoutMicros: session.settings.number('lock_timeout') * 1000,
      });
      if (pending !== null) throw new WaitSignal(pending);
      return '';
    };
  }

  private statistics(name: string): DatumFunction {
    const { session } = this;
    switch (name) {
      case 'pg_stat_get_live_tuples':
        return (oid) => BigInt(Math.max(0, Math.round(this.rowEstimate(oid as number))));
      case 'pg_stat_get_backend_pid':
        return (id) => id;
      default:
        return () => {
          session.checkInterrupt();
          return 0n;
        };
    }
  }

  private rowEstimate(oid: number): number {
    const relation = this.session.catalog().relation(oid);
    return relation === null || !hasStorage(relation)
      ? 0
      : this.session.engine.tables.table(oid).estimate().rows;
  }
}

/** NOTIFY: checks of PostgreSQL's async.c, delivery at commit. */
export function notifyChecked(session: BackendSession, channel: string, payload: string): void {
  if (channel === '') throw new DbError('invalid_parameter_value', 'channel name cannot be empty');
  if (channel.length >= 64) throw new DbError('invalid_parameter_value', 'channel name too long');
  if (payload.length >= 8000) throw new DbError('invalid_parameter_value', 'payload string too long');
  session.notifications.defer(channel, payload);
}

function* settingsRows(session: BackendSession): Iterable<Row> {
  const { serverSettings } = session.engine;
  const mayReadFiles = session.catalog().hasPrivilegesOfRole(session.roleOid(), READ_ALL_SETTINGS);
  for (const { definition, value, bootValue, resetValue, source } of session.settings.all()) {
    const place = source === 'configuration file' ? serverSettings.placeOf(definition.name) : null;
    yield [
      definition.name,
      value,
      definition.unit ?? null,
      definition.category,
      settingDescription(definition.name, displaySettingValue(definition, bootValue)),
      null,
      definition.context,
      { boolean: 'bool', integer: 'integer', real: 'real', string: 'string', enum: 'enum' }[definition.type],
      source,
      definition.minimum === undefined ? null : String(definition.minimum),
      definition.maximum === undefined ? null : String(definition.maximum),
      definition.type === 'enum' && definition.values !== undefined
        ? new SqlArray(25, [...definition.values])
        : null,
      bootValue,
      resetValue,
      mayReadFiles && place !== null ? `${serverSettings.get('data_directory')}/${place.file}` : null,
      mayReadFiles && place !== null ? place.line : null,
      serverSettings.isPendingRestart(definition.name),
    ];
  }
}

function settingDescription(name: string, bootValue: string): string {
  return `Setting ${name}; built-in value ${bootValue === '' ? '(empty)' : bootValue}.`;
}

const INET = 869;
/** pg_read_all_settings. */
const READ_ALL_SETTINGS = 3374;
/** pg_read_all_stats: may see what other roles run. */
const READ_ALL_STATS = 3375;

/** Rows of pg_stat_get_activity, in the order of its OUT parameters. */
function* activityRows(session: BackendSession, only: number | null): Generator<Row> {
  const catalog = session.catalog();
  const mayRead = (owner: Oid): boolean =>
    catalog.hasPrivilegesOfRole(session.roleOid(), owner) ||
    catalog.hasPrivilegesOfRole(session.roleOid(), READ_ALL_STATS);
  for (const entry of session.engine.sessions.all()) {
    if (only !== null && entry.processId !== only) continue;
    const isVisible = mayRead(entry.userOid);
    const isRemote = /^[0-9a-fA-F.:]+$/.test(entry.clientAddress) && entry.clientAddress !== '';
    yield [
      entry.databaseOid,
      entry.processId,
      entry.userOid,
      entry.applicationName,
      isVisible ? entry.state : null,
      isVisible ? entry.query : '<insufficient privilege>',
      isVisible ? entry.waitEventType : null,
      isVisible ? entry.waitEvent : null,
      isVisible ? entry.transactionStart : null,
      isVisible ? entry.queryStart : null,
      isVisible ? entry.backendStart : null,
      isVisible ? entry.stateChange : null,
      isVisible && isRemote
        ? session.typeSupport(INET).input(entry.clientAddress, -1, session.functionContext.format)
        : null,
      null,
      isVisible ? (isRemote ? entry.clientPort : -1) : null,
      isVisible && entry.xid !== 0 ? entry.xid : null,
      null,
      entry.backendType,
      isVisible ? entry.tls !== null : null,
      isVisible && entry.tls !== null ? entry.tls.protocol : null,
      isVisible && entry.tls !== null ? entry.tls.cipher : null,
      isVisible && entry.tls !== null ? entry.tls.bits : null,
      null,
      null,
      null,
      false,
      null,
      false,
      null,
      isVisible && entry.queryId !== 0n ? entry.queryId : null,
    ];
  }
}

/** Rows of pg_lock_status, in the order of its OUT parameters. */
function* lockRows(session: BackendSession): Generator<Row> {
  const { databaseOid } = session.catalog();
  for (const lock of session.engine.transactions.locks.snapshotLocks()) {
    const isAdvisory = lock.kind === 'advisory';
    const key = lock.key ?? 0n;
    yield [
      lock.kind,
      isAdvisory ? Number(key >> 65n) : lock.relation !== null ? databaseOid : null,
      lock.relation,
      lock.kind === 'tuple' && lock.key !== null ? Number(lock.key >> 16n) : null,
      lock.kind === 'tuple' && lock.key !== null ? Number(lock.key & 0x7fffn) : null,
      null,
      lock.xid,
      isAdvisory ? Number(BigInt.asUintN(32, key >> 32n)) : null,
      isAdvisory ? Number(BigInt.asUintN(32, key)) : null,
      isAdvisory ? (((key >> 64n) & 1n) === 0n ? 1 : 2) : null,
      `${lock.sessionId}/${lock.holderXid}`,
      lock.sessionId,
      lock.mode.endsWith('Lock') ? lock.mode : `${lock.mode}Lock`,
      lock.granted,
      false,
      null,
    ];
  }
}

/** Rows of pg_cursor: cursors of DECLARE, then portals of the protocol. */
function cursorRows(session: BackendSession): Row[] {
  const rows: Row[] = [];
  for (const cursor of session.cursors.values()) {
    const { name, text, isHoldable, isBinary, isScrollable, createdAt } = cursor;
    rows.push([name, text, isHoldable, isBinary, isScrollable, createdAt]);
  }
  for (const portal of session.portals.values()) {
    if (portal.name === '') continue;
    const { statementTimestamp } = session.functionContext;
    rows.push([portal.name, portal.compiled.text, false, false, false, statementTimestamp]);
  }
  return rows;
}
