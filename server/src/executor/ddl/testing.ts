/** A one-session database in memory over the real rooms: what tests of commands and catalogs run SQL on. */
import { DbError, type Notice } from '../../base/error.ts';
import { openCatalog } from '../../catalog/bootstrap.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { SearchPath } from '../../catalog/contract.ts';
import { type PlanOptions, planQuery } from '../../planner/index.ts';
import { analyseStatement } from '../../sql/analyse/index.ts';
import type { FunctionContext } from '../../sql/functions/contract.ts';
import {
  aggregateFunction,
  scalarFunction,
  setReturningFunction,
  windowFunction,
} from '../../sql/functions/index.ts';
import { tagOf } from '../../sql/parse/ast.ts';
import type { Node } from '../../sql/parse/nodes.ts';
import { loadParser, parseStatements } from '../../sql/parse/parser.ts';
import { rewriteQuery } from '../../sql/rewrite/index.ts';
import type { Expr, Query } from '../../sql/tree.ts';
import { parseExpr, parseQuery } from '../../sql/tree-json.ts';
import { type OpenedStore, openMemoryStore } from '../../table/index.ts';
import type { Transaction } from '../../txn/contract.ts';
import type { TurnClock } from '../../txn/ports.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { DEFAULT_FORMAT, findTypeSupport, typeSupport } from '../../types/index.ts';
import type { ExecutorServices } from '../contract.ts';
import { RowExecutor } from '../driver.ts';
import { CatalogFunctionResolver, type FunctionLibrary } from '../functions.ts';
import { ExpressionCompiler } from '../row/expression/compile.ts';
import { createCatalogServices } from './catalog-services.ts';
import type { DdlContext } from './contract.ts';
import { type CatalogFunctionHost, createCatalogFunctions } from './functions/index.ts';
import { executeUtility, isDdlCommand } from './index.ts';
import { createSqlServices } from './sql-services.ts';

const library: FunctionLibrary = {
  scalarFunction,
  setFunction: setReturningFunction,
  aggregateFunction,
  windowFunction,
};

/** Result of one statement. */
export interface TestResult {
  tag: string;
  columns: string[];
  /** Values as text, NULL as null. */
  rows: (string | null)[][];
}

type StoreClock = Parameters<typeof openMemoryStore>[0]['clock'];

export class DdlTestDatabase {
  readonly store: OpenedStore;
  readonly catalog: Catalog;
  readonly notices: Notice[] = [];
  role = 10;
  searchPath = ['$user', 'public'];
  private readonly executor: RowExecutor;
  private temporaryNamespaceOid = 0;
  private block: Transaction | null = null;
  private isFailed = false;
  private readonly functionContext: FunctionContext;

  private constructor(
    store: OpenedStore,
    catalog: Catalog,
    functionContext: (database: () => DdlTestDatabase) => FunctionContext,
  ) {
    this.store = store;
    this.catalog = catalog;
    this.functionContext = functionContext(() => this);
    this.executor = new RowExecutor({ library, parseExpression: (text) => parseExpr(text) });
  }

  static async create(clock: TurnClock & StoreClock): Promise<DdlTestDatabase> {
    await loadParser();
    const store = openMemoryStore({ clock, typeSupport: (oid) => findTypeSupport(oid) ?? typeSupport(oid) });
    let database: DdlTestDatabase | null = null;
    const makeContext = (late: () => DdlTestDatabase): FunctionContext => {
      const host: CatalogFunctionHost = {
        catalog: () => late().catalog,
        tables: () => late().store.store,
      };
      return {
        format: DEFAULT_FORMAT,
        typeSupport: (oid: number) => late().reader.typeSupport(oid),
        transactionTimestamp: 0n,
        statementTimestamp: 0n,
        clockTimestamp: () => 0n,
        random: () => 0.5,
        session: {
          currentUser: 'postgres',
          sessionUser: 'postgres',
          database: 'postgres',
          searchPath: (implicit: boolean) =>
            late()
              .path()
              .namespaces.filter((oid) => implicit || oid !== 11)
              .map((oid) => late().reader.namespaceName(oid) ?? ''),
          backendPid: 1,
          version: 'test',
          setting: () => undefined,
        },
        catalog: createCatalogFunctions(() => host),
        backend: {
          bind: (name: string) => () => {
            throw new DbError('feature_not_supported', `${name} has no backend here`);
          },
          bindSet: () => () => [],
        },
      } as unknown as FunctionContext;
    };
    const services = createCatalogServices({
      library,
      functionContext: () => database!.functionContext,
      tables: () => store.store,
    });
    const catalog = await openCatalog({
      tables: store.store,
      transactions: store.transactions,
      services,
      isNew: true,
      superuserName: 'postgres',
      superuserPassword: null,
    });
    database = new DdlTestDatabase(store, catalog, makeContext);
    return database;
  }

  get reader() {
    return this.catalog.reader(this.block ?? this.running);
  }
  private running: Transaction | null = null;

  path(): SearchPath {
    return this.reader.resolveSearchPath(
      this.searchPath,
      this.reader.role(this.role)?.name ?? '',
      this.temporaryNamespaceOid,
    );
  }

  private format(): FormatContext {
    return { ...DEFAULT_FORMAT, names: this.reader.names(this.path()) };
  }

  private services(): ExecutorServices {
    return {
      tables: this.store.store,
      locks: this.store.transactions.locks,
      functionContext: Object.assign(Object.create(this.functionContext) as FunctionContext, {
        format: this.format(),
      }),
      monotonicMicros: () => 0,
      sliceMicros: 1_000_000,
      workMemoryBytes: () => 2 ** 28,
      lockTimeoutMicros: () => 0,
      currentRole: () => this.role,
      catalog: () => this.reader,
      searchPath: () => this.path(),
      interrupt: () => null,
      deferConstraint: (check) => check(),
      isConstraintDeferred: () => false,
    };
  }

  private evaluate(expr: Expr): Datum {
    const context = Object.assign(Object.create(this.functionContext) as FunctionContext, {
      format: this.format(),
    });
    const resolver = new CatalogFunctionResolver(() => this.reader, library, context);
    return new ExpressionCompiler(null, resolver).compile(expr)([]);
  }

  private async runQuery(
    query: Query,
    transaction: Transaction,
  ): Promise<{ result: TestResult; rows: Datum[][]; count: number }> {
    const options: PlanOptions = {
      catalog: this.reader,
      statistics: { estimate: () => null, column: () => null },
      evaluateConstant: (expr) => this.evaluate(expr),
      parameterTypes: [],
    };
    const plan = planQuery(rewriteQuery(query, this.reader), options);
    const execution = this.executor.instantiate(plan, this.services());
    const rows: Datum[][] = [];
    execution.start({
      transaction,
      snapshot: transaction.statementSnapshot(),
      parameters: [],
      instrumentation: null,
    });
    for (;;) {
      const step = execution.step(0, {
        row: (frame) => {
          rows.push(plan.columns.map(({ slot }) => frame[slot]!));
        },
        isCongested: () => false,
      });
      if (step === 'done') break;
      if (typeof step === 'object') await step.promise;
    }
    const count = execution.rowCount;
    execution.close();
    if (!plan.readOnly) transaction.advanceCommand();
    const format = this.format();
    return {
      rows,
      count,
      result: {
        tag: plan.readOnly ? `SELECT ${count}` : String(count),
        columns: plan.columns.map(({ name }) => name),
        rows: rows.map((row) =>
          row.map((value, index) =>
            value === null
              ? null
              : this.reader.typeSupport(plan.columns[index]!.typeOid).output(value, format),
          ),
        ),
      },
    };
  }

  private analyse(tree: Node): Query {
    const analysed = analyseStatement(tree, {
      catalog: this.reader,
      path: this.path(),
      format: this.format(),
    });
    if (analysed.kind !== 'query') throw new DbError('feature_not_supported', `${analysed.node} here`);
    return analysed.query;
  }

  private context(transaction: Transaction): DdlContext {
    return {
      catalog: this.catalog,
      tables: this.store.store,
      locks: this.store.transactions.locks,
      transaction,
      queries: {
        query: async (sql) =>
          (await this.runQuery(this.analyse(parseStatements(sql).statements[0]!.tree), transaction)).rows,
        queryTree: async (tree) => (await this.runQuery(this.analyse(tree), transaction)).rows,
        queryStored: async (text) => (await this.runQuery(parseQuery(text), transaction)).rows,
        modifyTree: async (tree) => (await this.runQuery(this.analyse(tree), transaction)).count,
      },
      sql: createSqlServices({
        catalog: () => this.reader,
        path: () => this.path(),
        format: () => this.format(),
        evaluate: (expr) => this.evaluate(expr),
      }),
      sessionId: 1,
      isInTransactionBlock: this.block !== null,
      currentRole: () => this.role,
      sessionRole: () => 10,
      searchPath: () => this.path(),
      temporaryNamespace: () => this.temporaryNamespaceOid,
      setTemporaryNamespace: (oid) => {
        this.temporaryNamespaceOid = oid;
      },
      lockOptions: () => ({ policy: 'wait', timeoutMicros: 0 }),
      notice: (notice) => this.notices.push(notice),
      passwordVerifier: async (password) => `SCRAM-SHA-256$${password}`,
      format: this.format(),
      setting: () => '',
      baseTables: this.store.store,
      otherSessions: () => [],
      storedSetting: () => ({ kind: 'resetAll' }),
      mayResetStored: () => true,
      onCommitTemporary: () => {},
    };
  }

  lastResult: TestResult = { tag: '', columns: [], rows: [] };

  /** Runs every statement of a text; the last one's result. */
  async run(text: string): Promise<TestResult> {
    this.lastResult = { tag: '', columns: [], rows: [] };
    for (const { tree } of parseStatements(text).statements) this.lastResult = await this.statement(tree);
    return this.lastResult;
  }

  /** The error's message, SQLSTATE and fields, or null. */
  async failure(
    text: string,
  ): Promise<{ code: string; message: string; detail?: string; hint?: string; position?: number } | null> {
    try {
      await this.run(text);
      return null;
    } catch (error) {
      if (!(error instanceof DbError)) throw error;
      const { detail, hint, position } = error.fields;
      return {
        code: error.code,
        message: error.message,
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
        ...(position === undefined ? {} : { position }),
      };
    }
  }

  private async statement(tree: Node): Promise<TestResult> {
    const node = tagOf(tree);
    const plain = (tag: string): TestResult => ({ tag, columns: [], rows: [] });
    const manager = this.store.transactions;
    if (node === 'TransactionStmt') {
      const { kind, savepoint_name: name } = (
        tree as { TransactionStmt: { kind?: string; savepoint_name?: string } }
      ).TransactionStmt;
      if (kind === 'TRANS_STMT_BEGIN') {
        this.block = manager.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
        this.isFailed = false;
      } else if (this.block !== null) {
        const block = this.block;
        if (kind === 'TRANS_STMT_COMMIT' && !this.isFailed) {
          this.block = null;
          const done = manager.commit(block, { synchronous: true });
          if (done !== null) await done;
        } else if (kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_ROLLBACK') {
          this.block = null;
          manager.rollback(block);
        } else if (kind === 'TRANS_STMT_SAVEPOINT') block.beginSubtransaction(name!);
        else if (kind === 'TRANS_STMT_RELEASE') block.releaseSubtransaction(name!);
        else if (kind === 'TRANS_STMT_ROLLBACK_TO') {
          block.rollbackToSubtransaction(name!);
          this.isFailed = false;
        }
      }
      return plain(kind ?? '');
    }
    const transaction =
      this.block ?? manager.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
    this.running = transaction;
    const mark = transaction.beginStatement();
    try {
      let result: TestResult;
      const into = node === 'SelectStmt' && 'intoClause' in (tree as { SelectStmt: object }).SelectStmt;
      if (isDdlCommand(node) && (node !== 'SelectStmt' || into)) {
        const content = (tree as unknown as Record<string, unknown>)[node];
        result = plain((await executeUtility(this.context(transaction), node, content)).tag);
      } else ({ result } = await this.runQuery(this.analyse(tree), transaction));
      transaction.advanceCommand();
      if (this.block === null) {
        const done = manager.commit(transaction, { synchronous: true });
        if (done !== null) await done;
      }
      return result;
    } catch (error) {
      if (this.block === null) manager.rollback(transaction);
      else {
        transaction.rollbackStatement(mark);
        this.isFailed = true;
      }
      throw error;
    } finally {
      this.running = null;
    }
  }
}
