/** A function context outside any session: for index expressions, which may call immutable functions only. */

import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { Environment } from '../env/contract.ts';
import { POSTGRES_EPOCH_UNIX_MICROS } from '../session/function-context.ts';
import type {
  BackendFunctionName,
  CatalogFunctionName,
  FunctionContext,
  HostFunctions,
} from '../sql/functions/contract.ts';
import type { TypeSupport } from '../types/contract.ts';
import { DEFAULT_FORMAT } from '../types/index.ts';

export function serverFunctionContext(options: {
  environment: Environment;
  version: string;
  typeSupport: (oid: Oid) => TypeSupport;
  catalogFunctions: HostFunctions<CatalogFunctionName>;
}): FunctionContext {
  const { environment } = options;
  const now = (): bigint => environment.clock.wallMicros() - POSTGRES_EPOCH_UNIX_MICROS;
  const noSession = (): never => {
    throw new DbError('object_not_in_prerequisite_state', 'this function needs a session');
  };
  const backend: HostFunctions<BackendFunctionName> = { bind: () => noSession };
  return {
    format: DEFAULT_FORMAT,
    typeSupport: options.typeSupport,
    transactionTimestamp: 0n,
    statementTimestamp: 0n,
    clockTimestamp: now,
    random: () => environment.random.next(),
    setSeed: noSession,
    randomBytes: (count) => environment.random.bytes(count),
    digest: (algorithm, bytes) => environment.cryptography.digest(algorithm, bytes),
    session: {
      currentUser: '',
      sessionUser: '',
      database: '',
      searchPath: () => ['pg_catalog'],
      backendPid: 0,
      version: options.version,
      setting: () => undefined,
      setSetting: noSession,
      notice: () => {},
    },
    catalog: options.catalogFunctions,
    backend,
  };
}
