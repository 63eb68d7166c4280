/** SQL in tests: real analysis, planner, functions and in-memory tables under the row executor; no session, no DDL beyond TestDatabase's. */
import { DbError } from '../base/error.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { Clock } from '../env/contract.ts';
import { planQuery } from '../planner/index.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import { analyseQuery } from '../sql/analyse/index.ts';
import type { FunctionContext } from '../sql/functions/contract.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { rewriteQuery } from '../sql/rewrite/index.ts';
import { TestDatabase } from '../sql/testing.ts';
import { parseExpr } from '../sql/tree-json.ts';
import type { OpenedStore } from '../table/open.ts';
import { testStore } from '../table/testing.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { DEFAULT_FORMAT, findTypeSupport, typeSupport } from '../types/index.ts';
import type { ExecutorServices } from './contract.ts';
import { RowExecutor } from './driver.ts';
import { evaluateConstant } from './row/expression/constant.ts';

export class SqlBed {
  readonly database: TestDatabase;
  readonly opened: OpenedStore;
  readonly executor = new RowExecutor({ parseExpression: parseExpr });
  readonly services: ExecutorServices;
  sliceMicros = 4000;
  private readonly made = new Set<number>();

  private constructor(database: TestDatabase, clock: Clock) {
    this.database = database;
    this.opened = testStore(clock);
    const catalog = Object.create(database.reader) as CatalogReader;
    catalog.hasRelationPrivilege = () => true;
    const functionContext = {
      format: { ...DEFAULT_FORMAT, transactionTimestamp: 800_000_000_000_000n },
      typeSupport: (oid: number) => findTypeSupport(oid) ?? typeSupport(oid),
      transactionTimestamp: 800_000_000_000_000n,
      statementTimestamp: 800_000_000_000_000n,
      clockTimestamp: () => 800_000_000_000_000n,
      random: () => 0.5,
      session: {
        currentUser: 'postgres',
        sessionUser: 'postgres',
        database: 'postgres',
        searchPath: () => ['public'],
        backendPid: 1,
        version: 'test',
        setting: () => undefined,
        notice: () => {},
      },
      catalog: { bind: () => () => null },
      backend: { bind: () => () => null },
    } as unknown as FunctionContext;
    const bed = this;
    this.services = {
      tables: this.opened.store,
      locks: this.opened.transactions.locks,
      functionContext,
      monotonicMicros: () => clock.monotonicMicros(),
      get sliceMicros() {
        return bed.sliceMicros;
      },
      workMemoryBytes: () => 2 ** 31,
      lockTimeoutMicros: () => 0,
      currentRole: () => 10,
      catalog: () => catalog,
      searchPath: () => database.path,
      interrupt: () => null,
      deferConstraint: () => {},
      isConstraintDeferred: () => false,
    };
  }

  static async create(clock: Clock): Promise<SqlBed> {
    return new SqlBed(await TestDatabase.create(), clock);
  }

  begin(): Transaction {
    return this.opened.transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 1 });
  }

  async commit(transaction: Transaction): Promise<void> {
    await this.opened.transactions.commit(transaction, { synchronous: false });
  }

  /** CREATE TABLE texts. */
  async define(ddl: string, names: readonly string[]): Promise<void> {
    this.database.define(ddl);
    const transaction = this.begin();
    for (const name of names) {
      const relation = this.database.reader.relationByName(null, name, this.database.path)!;
      if (this.made.has(relation.oid)) continue;
      this.made.add(relation.oid);
      const schema = relation.table ?? {
        tableOid: relation.oid,
        name,
        persistence: 'permanent' as const,
        columns: relation.columns.map((column) => ({
          name: column.name,
          typeOid: column.typeOid,
          typmod: column.typmod,
          support: typeSupport(column.typeOid),
          notNull: column.notNull,
          dropped: false,
          missingValue: null,
        })),
      };
      this.opened.store.createTable(transaction, schema);
      for (const index of relation.indexes) {
        const keys = index.keyColumns.map((number) => ({
          column: number - 1,
          expression: null,
          support: schema.columns[number - 1]!.support,
          descending: false,
          nullsFirst: false,
        }));
        await this.opened.store.createIndex(transaction, relation.oid, {
          indexOid: index.oid,
          name: index.name,
          unique: index.unique,
          primary: index.primary,
          nullsNotDistinct: false,
          keys,
          included: [],
          predicate: null,
        });
      }
    }
    await this.commit(transaction);
  }

  plan(sql: string): PhysicalPlan {
    const [statement] = parseStatements(sql).statements;
    const query = rewriteQuery(analyseQuery(statement!.tree, this.database.options()), this.database.reader);
    const { store } = this.opened;
    return planQuery(query, {
      catalog: this.database.reader,
      statistics: {
        estimate: (oid) => {
          try {
            return store.table(oid).estimate();
          } catch {
            return null;
          }
        },
        column: (oid, column) => {
          try {
            return store.table(oid).statistics(column);
          } catch {
            return null;
          }
        },
      },
      evaluateConstant: (expr) => evaluateConstant(expr, this.executor.resolver(this.services)),
      parameterTypes: [],
    });
  }

  /** Runs one statement in a transaction of its own; rows as texts. */
  async query(sql: string, inside?: Transaction): Promise<(string | null)[][]> {
    const plan = this.plan(sql);
    const execution = this.executor.instantiate(plan, this.services);
    const transaction = inside ?? this.begin();
    const rows: (string | null)[][] = [];
    const supports = plan.columns.map((column) => typeSupport(column.typeOid));
    try {
      execution.start({
        transaction,
        snapshot: transaction.statementSnapshot(),
        parameters: [],
        instrumentation: null,
      });
      for (;;) {
        const result = execution.step(0, {
          row: (frame) => {
            rows.push(
              plan.columns.map((column, index) => {
                const value: Datum = frame[column.slot]!;
                return value === null
                  ? null
                  : supports[index]!.output(value, this.services.functionContext.format);
              }),
            );
          },
          isCongested: () => false,
        });
        if (result === 'done') break;
        if (typeof result === 'object') await result.promise;
      }
      execution.close();
      if (inside === undefined) await this.commit(transaction);
      else if (!plan.readOnly) transaction.advanceCommand();
    } catch (thrown) {
      execution.close();
      if (inside === undefined) this.opened.transactions.rollback(transaction);
      if (!(thrown instanceof DbError)) throw thrown;
      throw thrown;
    }
    return rows;
  }
}
