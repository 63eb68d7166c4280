/** What functions may ask of the session they run in: names of users, search path, settings, notices. */
import { SQLSTATE } from '../base/sqlstate.ts';
import type { RoleDescriptor } from '../catalog/contract.ts';
import type { SessionOptions } from './contract.ts';
import type { SessionFunctionContext } from './function-context.ts';
import type { BackendSession } from './session.ts';
import { parseIdentifierList } from './settings/session-settings.ts';
import { assignSetting, isIdentitySetting, shownValue } from './utility/settings.ts';

export function createSessionInfo(
  session: BackendSession,
  role: RoleDescriptor,
  options: SessionOptions,
): SessionFunctionContext['session'] {
  return {
    get currentUser() {
      return session.catalog().role(session.roleOid())?.name ?? role.name;
    },
    get sessionUser() {
      return session.catalog().role(session.sessionUserOid)?.name ?? role.name;
    },
    database: options.database,
    searchPath: (implicit) => {
      const path = session.searchPath();
      const catalog = session.catalog();
      const names: string[] = [];
      const explicit = parseIdentifierList('search_path', session.settings.get('search_path'));
      for (const oid of path.namespaces) {
        const name = catalog.namespaceName(oid);
        if (name === null) continue;
        if (
          implicit ||
          oid === path.creationNamespace ||
          explicit.includes(name) ||
          (name === role.name && explicit.includes('$user'))
        )
          names.push(name);
      }
      return names;
    },
    backendPid: session.processId,
    version: session.engine.version,
    setting: (name) =>
      isIdentitySetting(name) || session.settings.find(name) !== null ? shownValue(session, name) : undefined,
    setSetting: (name, value, isLocal) => {
      assignSetting(session, name, value, isLocal);
      return shownValue(session, name);
    },
    notice: (severity, message) =>
      session.notice({
        severity,
        code: severity === 'WARNING' ? SQLSTATE.warning : SQLSTATE.successful_completion,
        message,
        fields: {},
      }),
  };
}
