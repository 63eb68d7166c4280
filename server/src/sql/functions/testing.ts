/** A context for tests of functions: no catalog, no session, time stands still. */
import { internalError } from '../../base/error.ts';
import { DEFAULT_FORMAT, typeSupport } from '../../types/index.ts';
import type { FunctionContext } from './contract.ts';

const absent = {
  bind: (name: string): never => {
    throw internalError(`${name} is not at hand in tests`);
  },
};

export const TEST_CONTEXT: FunctionContext = {
  format: { ...DEFAULT_FORMAT, timeZone: 'America/New_York' },
  typeSupport,
  transactionTimestamp: 0n,
  statementTimestamp: 0n,
  clockTimestamp: () => 0n,
  random: () => 0.5,
  setSeed: () => {},
  randomBytes: (count) => new Uint8Array(count),
  digest: () => {
    throw internalError('digests are not at hand in tests');
  },
  session: {
    currentUser: 'tester',
    sessionUser: 'tester',
    database: 'test',
    searchPath: () => ['public'],
    backendPid: 1,
    version: 'test',
    setting: () => undefined,
    setSetting: (_name, value) => value,
    notice: () => {},
  },
  catalog: absent,
  backend: absent,
};
