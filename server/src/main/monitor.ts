/** Hands the monitor what the engine's rooms count. */
import type { Environment } from '../env/contract.ts';
import { type ServerCounters, ServerMonitor } from '../monitor/index.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';
import type { OpenedStore } from '../table/index.ts';
import type { ServerLog } from './log.ts';

const CACHE_PAGE_BYTES = 16_384;
/** Sums over all tables are made anew after this time: there may be very many. */
const SUMS_MILLIS = 900;
const MANY_TABLES = 2000;
const MANY_TABLES_SUMS_MILLIS = 15_000;
const DISK_LOOK_MILLIS = 10_000;

export interface PlanCounters {
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
}

export function createMonitor(options: {
  environment: Environment;
  opened: OpenedStore;
  sessions: SessionRegistry;
  settings: ServerSettings;
  version: string;
  log: ServerLog;
  plans: () => PlanCounters;
}): ServerMonitor {
  const { environment, opened, log } = options;
  return new ServerMonitor({
    clock: environment.clock,
    host: environment.host,
    settings: options.settings,
    sessions: options.sessions,
    tables: opened.store,
    transactions: opened.transactions,
    counters: countersOf(environment, opened, options.plans),
    version: options.version,
    log: (severity, line) => log.write(severity, line),
  });
}

function countersOf(
  environment: Environment,
  opened: OpenedStore,
  plans: () => PlanCounters,
): ServerCounters {
  const { store, transactions, storage } = opened;
  const { host, clock } = environment;
  const nowMillis = (): number => clock.monotonicMicros() / 1000;
  const checkpointer = opened.checkpointer ?? null;
  let sums: ReturnType<ServerCounters['tables']> | null = null;
  let sumsUntil = 0;
  let disk: ReturnType<ServerCounters['diskSpace']> = null;
  let diskUntil = 0;
  return {
    commits: () => transactions.activity.commits,
    rollbacks: () => transactions.activity.rollbacks,
    deadlocks: () => transactions.locks.deadlocks,
    blocks: opened.cache ?? { hits: 0, misses: 0 },
    cacheUsedBytes: () => (opened.cache?.counters().usedPages ?? 0) * CACHE_PAGE_BYTES,
    cacheBytes: () => (opened.cache?.counters().pages ?? 0) * CACHE_PAGE_BYTES,
    logPosition: () => storage?.log.insertLsn ?? 0,
    unflushedLogBytes: () => storage?.log.unflushedBytes ?? 0,
    checkpoints: () =>
      checkpointer?.activity ?? { count: 0, lastMillis: 0, durationMillis: 0, isRunning: false },
    logBytesSinceCheckpoint: () => checkpointer?.logBytes ?? 0,
    deltaBytes: () => store.arena.usedBytes,
    tables: () => {
      if (sums !== null && nowMillis() < sumsUntil) return sums;
      const total = {
        bytes: 0,
        inserted: 0,
        updated: 0,
        deleted: 0,
        sequentialRows: 0,
        indexRows: 0,
        vacuums: 0,
        analyses: 0,
      };
      for (const table of store.tables.values()) {
        const { activity } = table;
        total.bytes += table.estimate().bytes;
        total.inserted += activity.inserted;
        total.updated += activity.updated;
        total.deleted += activity.deleted;
        total.sequentialRows += activity.sequentialRows;
        total.indexRows += activity.indexRows;
        total.vacuums += activity.vacuums;
        total.analyses += activity.analyses;
      }
      sums = total;
      sumsUntil = nowMillis() + (store.tables.size > MANY_TABLES ? MANY_TABLES_SUMS_MILLIS : SUMS_MILLIS);
      return total;
    },
    resetTables: () => {
      for (const table of store.tables.values()) table.activity.reset();
      sums = null;
    },
    plans,
    waitingLocks: () => transactions.locks.waitingCount,
    diskSpace: () => {
      if (nowMillis() >= diskUntil) {
        disk = host.diskSpace?.(environment.disk.root) ?? null;
        diskUntil = nowMillis() + DISK_LOOK_MILLIS;
      }
      return disk;
    },
    processorMicros: () => host.processorMicros?.() ?? null,
  };
}
