/** Hands utility commands of other rooms (DDL, roles, maintenance) what they need of the session. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { SQLSTATE } from '../../base/sqlstate.ts';
import { MAX_IDENTIFIER_BYTES, quoteIdentifier, truncateIdentifier } from '../../catalog/identifiers.ts';
import { type Catalog, dropTemporarySchema } from '../../catalog/index.ts';
import { CatalogWriter } from '../../catalog/mutations.ts';
import { changeCatalogRow } from '../../executor/ddl/catalog-update.ts';
import type {
  DdlContext,
  QueryRunner,
  SqlServices,
  StoredSettingChange,
} from '../../executor/ddl/contract.ts';
import { executeUtility } from '../../executor/ddl/index.ts';
import type { PhysicalPlan } from '../../planner/physical.ts';
import { TOKEN_QUOTED_NAME, TOKEN_WORD, tokenise } from '../../sql/parse/lexer.ts';
import type { VariableSetStmt } from '../../sql/parse/nodes.ts';
import { parseQuery } from '../../sql/tree-json.ts';
import type { TableStore } from '../../table/contract.ts';
import type { Transaction, TransactionManager } from '../../txn/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { ParsedStatement, UtilityContext, UtilityExecutor } from '../engine.ts';
import type { SessionRegistry } from '../registry.ts';
import type { SessionSettings } from '../settings/session-settings.ts';
import { argumentText } from './settings.ts';

/** Role whose rights commands use for their own queries (validation of constraints, index builds). */
const BOOTSTRAP_SUPERUSER: Oid = 10;

export interface DdlServices {
  readonly catalog: Catalog;
  readonly tables: TableStore;
  /** The store of all databases. */
  readonly baseTables: TableStore;
  readonly transactions: TransactionManager;
  readonly sessions: SessionRegistry;
  /** Analysis and deparsing for one command. */
  sqlServices(context: UtilityContext): SqlServices;
  passwordVerifier(password: string): Promise<string>;
}

export class DdlUtility implements UtilityExecutor {
  private readonly services: DdlServices;

  constructor(services: DdlServices) {
    this.services = services;
  }

  dropTemporary(namespaceOid: Oid, transaction: Transaction | null): Promise<void> {
    const { catalog, tables, transactions } = this.services;
    return dropTemporarySchema(catalog, tables, transactions, namespaceOid, transaction);
  }

  catalogWriter(transaction: Transaction): CatalogWriter {
    const { catalog, tables } = this.services;
    return new CatalogWriter(catalog, tables, transaction);
  }

  changeCatalogRow(
    transaction: Transaction,
    relationOid: Oid,
    oldRow: readonly Datum[],
    newRow: readonly Datum[],
  ): void {
    const { catalog, tables } = this.services;
    changeCatalogRow(new CatalogWriter(catalog, tables, transaction), relationOid, oldRow, newRow);
  }

  describe(): null {
    return null;
  }

  async execute(context: UtilityContext): Promise<string> {
    const { session, statement } = context;
    const ddl: DdlContext = {
      catalog: this.services.catalog,
      tables: session.services.tables,
      locks: session.services.locks,
      transaction: context.transaction,
      queries: new UtilityQueries(context),
      sql: this.services.sqlServices(context),
      sessionId: session.functionContext.session.backendPid,
      isInTransactionBlock: session.isInTransactionBlock,
      currentRole: () => session.roleOid(),
      sessionRole: () => session.sessionUserOid,
      searchPath: () => session.searchPath(),
      temporaryNamespace: () => {
        session.noteTemporaryChange();
        return session.temporaryNamespace();
      },
      setTemporaryNamespace: (oid) => session.setTemporaryNamespace(oid),
      withSearchPath: async (schema, work) => {
        // A path of nothing but spaces is an empty list.
        const outer = session.settings.get('search_path').trim();
        const path = outer === '' ? quoteIdentifier(schema) : `${quoteIdentifier(schema)}, ${outer}`;
        const restore = session.settings.pushLocal([['search_path', path]]);
        try {
          return await work();
        } finally {
          restore();
        }
      },
      lockOptions: () => ({ policy: 'wait', timeoutMicros: session.services.lockTimeoutMicros() }),
      notice: (notice) => session.notice(notice),
      passwordVerifier: (password) => this.services.passwordVerifier(password),
      format: session.functionContext.format,
      setting: (name) => session.settings.get(name),
      storedSetting: (clause) => storedSetting(session.settings, clause),
      mayResetStored: (name) => session.settings.mayStore(name),
      baseTables: this.services.baseTables,
      otherSessions: (databaseOid) =>
        [...this.services.sessions.all()].filter(
          (entry) =>
            entry.databaseOid === databaseOid &&
            entry.processId !== session.functionContext.session.backendPid,
        ),
      onCommitTemporary: (oid, action) => session.onCommitTemporary(oid, action),
      validateFunction: async (oid) => session.routines?.validate(oid, context.text),
      ...(session.routines === undefined ? {} : { sqlBody: session.routines.sqlBody.bind(session.routines) }),
      fireTruncate: async (relation, when) => session.routines?.fireTruncate(relation, when),
      settingName: (name) => session.settings.nameOf(name),
      checkSetting: (name, value) => session.settings.check(name, value),
    };
    for (const name of truncatedNames(statement.text))
      session.notice({
        severity: 'NOTICE',
        code: SQLSTATE.name_too_long,
        message: `identifier "${name}" will be truncated to "${truncateIdentifier(name)}"`,
        fields: {},
      });
    const result = await executeUtility(ddl, statement.node, statement.tree);
    return result.tag;
  }
}

/** Reads a SET clause that is kept for later sessions. */
function storedSetting(settings: SessionSettings, clause: VariableSetStmt): StoredSettingChange {
  const name = clause.name ?? '';
  switch (clause.kind) {
    case 'VAR_RESET_ALL':
      return { kind: 'resetAll' };
    case 'VAR_RESET':
    case 'VAR_SET_DEFAULT':
      return { kind: 'reset', name: settings.checkStored(name, null).name };
    case 'VAR_SET_CURRENT':
      return { kind: 'set', ...settings.checkStored(name, settings.show(name)) };
    default:
      return {
        kind: 'set',
        ...settings.checkStored(
          name,
          argumentText(name, (clause.args ?? []) as unknown as readonly Readonly<Record<string, unknown>>[]),
        ),
      };
  }
}

/** Identifiers of more than 63 bytes, which the parser has cut. */
function truncatedNames(text: string): string[] {
  // Shorter statements cannot hold one.
  if (text.length <= MAX_IDENTIFIER_BYTES) return [];
  const tokens = tokenise(text);
  const found: string[] = [];
  for (let index = 0; index < tokens.count; index++) {
    const isQuoted = tokens.kinds[index] === TOKEN_QUOTED_NAME;
    if (!isQuoted && tokens.kinds[index] !== TOKEN_WORD) continue;
    const written = text.slice(tokens.starts[index], tokens.ends[index]);
    const name = isQuoted ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase();
    if (truncateIdentifier(name) !== name) found.push(name);
  }
  return found;
}

/** Queries of a command, inside its transaction, with the rights of the bootstrap superuser. */
class UtilityQueries implements QueryRunner {
  private readonly context: UtilityContext;

  constructor(context: UtilityContext) {
    this.context = context;
  }

  async query(sql: string): Promise<readonly (readonly Datum[])[]> {
    const statements = this.context.session.compiler.parse(sql);
    return this.run(statements[0], sql);
  }

  queryTree(tree: object): Promise<readonly (readonly Datum[])[]> {
    return this.run(parsed(tree), this.context.text);
  }

  async modifyTree(tree: object): Promise<number> {
    const plan = this.plan(parsed(tree), this.context.text);
    return this.context.session.runPlan(plan, this.context.parameters, null);
  }

  queryStored(serialised: string): Promise<readonly (readonly Datum[])[]> {
    const { session } = this.context;
    const environment = session.compileEnvironment();
    const query = session.compiler.rewrite(parseQuery(serialised), environment);
    return this.rows(asSuperuser(session.compiler.plan(query, [], null, environment)));
  }

  private run(statement: ParsedStatement, text: string): Promise<readonly (readonly Datum[])[]> {
    return this.rows(this.plan(statement, text));
  }

  private async rows(plan: PhysicalPlan): Promise<readonly (readonly Datum[])[]> {
    const slots = plan.columns.map((column) => column.slot);
    const rows: Datum[][] = [];
    await this.context.session.runPlan(plan, this.context.parameters, (frame) =>
      rows.push(slots.map((slot) => frame[slot])),
    );
    return rows;
  }

  private plan(statement: ParsedStatement, text: string): PhysicalPlan {
    const { session } = this.context;
    const environment = session.compileEnvironment();
    const analysed = session.compiler.analyse(statement, text, [], environment);
    if (analysed.kind !== 'query')
      throw new DbError('syntax_error', `a command's own query cannot be ${statement.node}`);
    const plan = session.compiler.plan(analysed.query, analysed.parameterTypes, null, environment);
    return asSuperuser(plan);
  }
}

function parsed(tree: object): ParsedStatement {
  const [node, content] = Object.entries(tree)[0] as [string, Readonly<Record<string, unknown>>];
  return { node, tree: content, text: '', start: 0 };
}

function asSuperuser(plan: PhysicalPlan): PhysicalPlan {
  return {
    ...plan,
    relations: plan.relations.map((relation) => ({ ...relation, asRole: BOOTSTRAP_SUPERUSER })),
  };
}
