/**
 * A running server: every room made and handed what it needs, in the order in which a start can fail.
 *
 * 1. take the data directory  2. open storage and recover  3. open the catalog (first start: make it)
 * 4. build the engine  5. open the doors  6. say ready
 * A failure before 5 leaves nothing behind but the directory lock, which dies with the process.
 */

import { PasswordAuthenticator } from '../auth/authenticator.ts';
import { makeScramVerifier } from '../auth/scram.ts';
import { DbError } from '../base/error.ts';
import { attachIndexes, openCatalogs, POSTGRES_DATABASE } from '../catalog/index.ts';
import type { Disk, Environment, WorkerHandle } from '../env/contract.ts';
import { createCatalogServices } from '../executor/ddl/catalog-services.ts';
import { createCatalogFunctions } from '../executor/ddl/functions/index.ts';
import { createSqlServices } from '../executor/ddl/sql-services.ts';
import { RowExecutor } from '../executor/driver.ts';
import type { FunctionLibrary } from '../executor/functions.ts';
import { OffloadService } from '../executor/offload/service.ts';
import { PipelineService } from '../executor/pipeline/service.ts';
import { DiskSpillStore } from '../executor/spill/stores.ts';
import { chooseKernels, type KernelChoice } from '../native/index.ts';
import { ProtocolServer } from '../protocol/server.ts';
import { PlanCache } from '../session/compiled-statement.ts';
import type { Engine } from '../session/engine.ts';
import { POSTGRES_EPOCH_UNIX_MICROS } from '../session/function-context.ts';
import { EngineSessionHost } from '../session/host.ts';
import { SessionRegistry } from '../session/registry.ts';
import { ServerConfiguration } from '../session/settings/configuration.ts';
import {
  checkClientEncoding,
  checkDateStyle,
  checkTimeZone,
  ServerSettings,
  type SettingCheck,
} from '../session/settings/session-settings.ts';
import { terminatedByAdministrator } from '../session/statements.ts';
import { DdlUtility } from '../session/utility/ddl.ts';
import {
  aggregateFunction,
  scalarFunction,
  setReturningFunction,
  windowFunction,
} from '../sql/functions/index.ts';
import { loadParser } from '../sql/parse/parser.ts';
import { parseExpr } from '../sql/tree-json.ts';
import { findTypeSupport, typeSupport } from '../types/index.ts';
import { openAdmin, spawnAdmin } from './admin.ts';
import { CatalogFunctionsPort } from './catalog-functions.ts';
import type { StartOptions } from './command-line.ts';
import { constantEvaluator, EngineCompiler } from './compiler.ts';
import { initialPassword, takeDataDirectory } from './data-directory.ts';
import { DatabaseEngines } from './database-engines.ts';
import { ServerLog } from './log.ts';
import { createMonitor, type PlanCounters } from './monitor.ts';
import { serverFunctionContext } from './server-functions.ts';
import { EXIT_RESTART, hasCatalog, openStore } from './store.ts';
import { loadCertificate } from './tls.ts';
import { versionText } from './version.ts';

export const SUPERUSER_NAME = 'postgres';

const PLANS_MAX = 5000;
/** Address space for decoded columns of compiled pipelines; pages are taken as they are used. */
const PIPELINE_MEMORY_MAX = 3 * 1024 * 1024 * 1024;

export interface RunningServer {
  readonly engine: Engine;
  readonly port: number;
  readonly httpPort: number;
  readonly socketPath: string;
  /** One line beginning with `ready` and both addresses. */
  readonly readyLine: string;
  /** Ends sessions, checkpoints, releases the directory. */
  stop(): Promise<void>;
}

export const FUNCTION_LIBRARY: FunctionLibrary = {
  scalarFunction,
  setFunction: setReturningFunction,
  aggregateFunction,
  windowFunction,
};

export async function startServer(
  environment: Environment,
  options: StartOptions,
  adminWorker: WorkerHandle = spawnAdmin(environment),
): Promise<RunningServer> {
  const log = new ServerLog(environment);
  const settings = serverSettings(environment, options);
  const lock = await takeDataDirectory(environment);
  await loadParser();
  const configuration = new ServerConfiguration({
    disk: environment.disk,
    settings,
    log: (message) => log.write('LOG', message),
  });
  await configuration.load(true);
  const opened = await openStore(environment, settings, log);
  const { store, transactions } = opened;
  const isNew = opened.isNew || !hasCatalog(store);

  let superuserPassword: string | null = null;
  if (isNew) {
    const { password, isGenerated } = await initialPassword(environment, options.passwordFile);
    superuserPassword = await makeScramVerifier(password, environment.cryptography, environment.random);
    if (isGenerated) {
      environment.host.writeOut(`Password of the superuser "${SUPERUSER_NAME}" (shown once): ${password}\n`);
    }
  }

  const version = versionText(environment.host);
  const catalogServices = createCatalogServices({
    library: FUNCTION_LIBRARY,
    functionContext: () => serverContext,
    tables: () => store,
  });
  const family = await openCatalogs({
    tables: store,
    transactions,
    services: catalogServices,
    isNew,
    superuserName: SUPERUSER_NAME,
    superuserPassword,
  });
  const catalogFunctions = new CatalogFunctionsPort();
  const catalog = family.catalog(POSTGRES_DATABASE)!;
  catalogFunctions.connect(createCatalogFunctions(() => ({ catalog: () => catalog, tables: () => store })));
  const serverContext = serverFunctionContext({
    environment,
    version,
    typeSupport: (oid) => catalog.committed.type(oid)?.support ?? typeSupport(oid),
    catalogFunctions,
  });

  const kernelChoice: KernelChoice = {
    platform: environment.host.platform,
    architecture: environment.host.architecture,
    native: settings.get('fastpostgres.native_kernels') === 'on',
  };
  const { kernels, message } = chooseKernels(kernelChoice);
  if (message !== null) log.write('LOG', message);
  const pipelines = new PipelineService({
    workers: environment.workers,
    clock: environment.clock,
    kernels: kernelChoice,
    workerCount: settings.number('fastpostgres.workers'),
    memoryBytes: Math.min(PIPELINE_MEMORY_MAX, Math.floor(environment.host.totalMemoryBytes / 8)),
  });
  for (const member of family.catalogs) await attachIndexes(member, store);

  const offload = new OffloadService({ workers: environment.workers, clock: environment.clock });
  const executor = new RowExecutor({
    library: FUNCTION_LIBRARY,
    parseExpression: (text) => parseExpr(text),
    pipelines,
    offload,
    spill: await DiskSpillStore.open(environment.disk),
  });
  const passwordVerifier = (password: string): Promise<string> =>
    password.startsWith('SCRAM-SHA-256$') || password.startsWith('md5')
      ? Promise.resolve(password)
      : makeScramVerifier(password, environment.cryptography, environment.random);
  const sessions = new SessionRegistry(environment.random);
  let planCounters: () => PlanCounters = () => ({ size: 0, hits: 0, misses: 0 });
  const monitor = createMonitor({
    environment,
    opened,
    sessions,
    settings,
    version: versionText(environment.host),
    log,
    plans: () => planCounters(),
  });
  const reloadConfiguration = async (): Promise<void> => {
    log.write('LOG', 'received SIGHUP, reloading configuration files');
    try {
      await configuration.load(false);
    } catch (error) {
      log.write('LOG', `could not read the configuration files: ${String(error)}`);
    }
    for (const entry of sessions.all()) entry.reloaded?.();
  };
  environment.host.onSignal('SIGHUP', () => void reloadConfiguration());
  const shared = {
    clock: environment.clock,
    random: environment.random,
    host: environment.host,
    serverSettings: settings,
    configuration,
    reloadConfiguration,
    transactions,
    executor,
    kernels,
    serverFile: (path: string) => serverFile(environment, path),
    sessions,
    monitor,
    version,
    startTimestamp: environment.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS,
    digest: (algorithm: Parameters<Engine['digest']>[0], bytes: Uint8Array) =>
      environment.cryptography.digest(algorithm, bytes),
    reportInternalError: (error: unknown) => {
      log.write('ERROR', error instanceof Error ? (error.stack ?? error.message) : String(error));
      return new DbError('internal_error', error instanceof Error ? error.message : String(error));
    },
  };
  const engines = new DatabaseEngines(family, store, (member, tables) => ({
    ...shared,
    tables,
    compiler: new EngineCompiler({ tables, library: FUNCTION_LIBRARY, executor, offload }),
    utility: new DdlUtility({
      catalog: member,
      tables,
      baseTables: store,
      transactions,
      sessions,
      sqlServices: (context) =>
        createSqlServices({
          catalog: () => context.catalog(),
          path: () => context.session.searchPath(),
          format: () => context.session.functionContext.format,
          evaluate: (expr) =>
            constantEvaluator(context.catalog(), FUNCTION_LIBRARY, context.session.functionContext)(expr),
        }),
      passwordVerifier,
    }),
    catalogFunctions: createCatalogFunctions(() => ({ catalog: () => member, tables: () => tables })),
    plans: new PlanCache(PLANS_MAX),
    typeSupport: (oid) => member.committed.type(oid)?.support ?? findTypeSupport(oid) ?? typeSupport(25),
    catalogFor: (transaction) => member.reader(transaction),
  }));
  const engine = engines.of(POSTGRES_DATABASE)!;
  planCounters = () => engine.plans;
  await monitor.start();

  const host = new EngineSessionHost(engine, (database) => engines.of(database));
  const certificate = await loadCertificate(environment, settings);
  const server = new ProtocolServer(environment.network, {
    clock: environment.clock,
    host,
    authenticator: new PasswordAuthenticator({
      logins: host.logins,
      cryptography: environment.cryptography,
      random: environment.random,
      wallTimestamp: () => environment.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS,
    }),
    tlsContext: () => certificate?.context ?? null,
    channelBinding: () => certificate?.endPointHash ?? null,
    typeSupport: engine.typeSupport,
    authenticationTimeoutMillis: () => settings.number('authentication_timeout') * 1000,
    reportInternalError: engine.reportInternalError,
  });
  const address = await server.listen({ kind: 'tcp', host: options.host, port: options.port });
  const port = address.kind === 'tcp' ? address.port : options.port;
  settings.force('port', String(port));
  const socketPath = `${environment.disk.root}/.s.PGSQL.${port}`;
  await environment.disk.unlink(`.s.PGSQL.${port}`).catch(() => {});
  await server.listen({ kind: 'unix', path: socketPath }, 0o700);

  const admin = await openAdmin(environment, adminWorker, {
    host: options.host,
    httpPort: options.httpPort,
    enginePort: port,
    settings,
    audit: ({ user, ...record }) => monitor.audit(user, record),
    metrics: () => monitor.metricsText(),
    declareInternal: (processId) => {
      const entry = sessions.get(processId);
      if (entry !== undefined) entry.isInternal = true;
    },
  });

  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      await server.stopListening();
      await admin.close();
      server.closeAll(terminatedByAdministrator());
      await host.shutdown(terminatedByAdministrator());
      await pipelines.close();
      await offload.close();
      await monitor.stop();
      await opened.shutdown();
      await environment.disk.unlink(`.s.PGSQL.${port}`).catch(() => {});
      await lock.release();
    })();
    return stopping;
  };
  const stopOn = (signal: 'SIGTERM' | 'SIGINT'): void =>
    environment.host.onSignal(signal, () => {
      log.write('LOG', `received ${signal}, shutting down`);
      stop().then(
        () => environment.host.exit(0),
        (error: unknown) => {
          log.write('FATAL', `could not shut down cleanly: ${String(error)}`);
          environment.host.exit(1);
        },
      );
    });
  stopOn('SIGTERM');
  stopOn('SIGINT');
  environment.host.onFatal((error) => {
    log.write('PANIC', error instanceof Error ? (error.stack ?? error.message) : String(error));
    environment.host.exit(EXIT_RESTART);
  });
  const shownHost = options.host === '0.0.0.0' ? '127.0.0.1' : options.host;
  return {
    engine,
    port,
    httpPort: admin.port,
    socketPath,
    readyLine: `ready: postgresql://${SUPERUSER_NAME}@${shownHost}:${port}/postgres and http://${shownHost}:${admin.port}/`,
    stop,
  };
}

function serverSettings(environment: Environment, options: StartOptions): ServerSettings {
  const checks = new Map<string, SettingCheck>([
    ['DateStyle', checkDateStyle],
    ['TimeZone', checkTimeZone],
    ['client_encoding', checkClientEncoding],
  ]);
  const settings = new ServerSettings(checks);
  for (const [name, value] of options.settings) settings.set(name, value, 'command line');
  settings.force('data_directory', environment.disk.root);
  settings.force('unix_socket_directories', environment.disk.root);
  settings.force('listen_addresses', options.host);
  settings.force('port', String(options.port));
  settings.force('fastpostgres.http_port', String(options.httpPort));
  return settings;
}

/** Absolute paths only, as PostgreSQL demands; no `..`, no NUL. */
function serverFile(environment: Environment, path: string): { disk: Disk; name: string } {
  if (!path.startsWith('/'))
    throw new DbError('invalid_name', 'relative path not allowed for COPY to or from a file');
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '..' || part === '.')) {
    throw new DbError('invalid_name', `path "${path}" is not allowed`);
  }
  const name = parts.pop() ?? '';
  if (name === '') throw new DbError('wrong_object_type', `"${path}" is a directory`);
  return { disk: environment.diskAt(parts.join('/') || '/'), name };
}
