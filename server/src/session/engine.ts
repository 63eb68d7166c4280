/** The engine as its sessions see it: one object of all shared services, put together in `main/`. */

import type { Oid } from '../base/brands.ts';
import type { DbError, Notice } from '../base/error.ts';
import type { CatalogReader, RelationDescriptor, SearchPath } from '../catalog/contract.ts';
import type { CatalogWriter } from '../catalog/mutations.ts';
import type { Clock, Disk, Host, Random } from '../env/contract.ts';
import type { Execution, ExecutorServices } from '../executor/contract.ts';
import type { RowExecutor } from '../executor/driver.ts';
import type { RoutineHost } from '../executor/routines.ts';
import type { Kernels } from '../native/index.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { CatalogFunctionName, FunctionContext, HostFunctions } from '../sql/functions/contract.ts';
import type { Node } from '../sql/parse/ast.ts';
import type { AnalysedStatement, Expr, Query } from '../sql/tree.ts';
import type { TableStore } from '../table/contract.ts';
import type { Transaction, TransactionManager } from '../txn/contract.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { PlanCache } from './compiled-statement.ts';
import type { ResultColumn, ResultSink } from './contract.ts';
import type { SessionMonitor } from './monitor-port.ts';
import type { SessionRegistry } from './registry.ts';
import type { ServerConfiguration } from './settings/configuration.ts';
import type { ServerSettings, SessionSettings } from './settings/session-settings.ts';

/** One statement as the parser cut it out of a text. */
export interface ParsedStatement {
  /** libpg_query node name of the statement: 'SelectStmt', 'CreateStmt' … */
  readonly node: string;
  /** The node's content. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** Its own text, without the separating semicolon. */
  readonly text: string;
  /** Character offset of `text` in the whole text. */
  readonly start: number;
}

/** What analysis and planning depend on beside the text. */
export interface CompileEnvironment {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  readonly roleOid: Oid;
  readonly format: FormatContext;
  setting(name: string): string;
  readonly functionContext: FunctionContext;
}

/** From text to something executable. Error positions are relative to the whole text. */
export interface StatementCompiler {
  parse(text: string): readonly ParsedStatement[];
  /** Long or deep texts are parsed on another thread; null = `parse` is quick enough. `interrupt`: the error of a cancelled statement. */
  parseElsewhere(text: string, interrupt: () => DbError | null): Promise<readonly ParsedStatement[]> | null;
  /** `parameterTypes`: declared types, 0 = infer. */
  analyse(
    statement: ParsedStatement,
    text: string,
    parameterTypes: readonly Oid[],
    environment: CompileEnvironment,
  ): AnalysedStatement;
  /** Expands views and defaults of an analysed query (stored ones: `analyse` has done it). */
  rewrite(query: Query, environment: CompileEnvironment): Query;
  plan(
    query: Query,
    parameterTypes: readonly Oid[],
    parameterValues: readonly Datum[] | null,
    environment: CompileEnvironment,
  ): PhysicalPlan;
  instantiate(plan: PhysicalPlan, services: ExecutorServices): Execution;
  /** Oid of a TypeName node (PREPARE's argument types). */
  resolveTypeName(typeName: Readonly<Record<string, unknown>>, environment: CompileEnvironment): Oid;
  /** Value of an expression node without columns, coerced to `typeOid` by assignment (EXECUTE's arguments). */
  evaluateExpression(
    expression: Readonly<Record<string, unknown>>,
    typeOid: Oid,
    text: string,
    environment: CompileEnvironment,
    /** Number of the parameter the value is for, for the error's words. */
    parameterNumber?: number,
  ): Datum;
  /** Condition of COPY … FROM … WHERE over the relation's columns. */
  analyseCopyCondition(
    expression: Readonly<Record<string, unknown>>,
    relation: RelationDescriptor,
    environment: CompileEnvironment,
  ): Expr;
  /** Lifts literals of a simple-protocol text into parameters; null = this text is not lifted. */
  liftLiterals(text: string): LiftedText | null;
}

export interface LiftedText {
  /** Key of the plan: the text with $n in place of the literals, and their classes. */
  readonly key: string;
  readonly text: string;
  readonly parameterTypes: readonly Oid[];
  /** Text of each literal, read by the input function of the type that analysis gave its parameter. */
  readonly texts: readonly string[];
}

/** What a utility command may use of the session it runs in. */
export interface UtilityContext {
  readonly statement: ParsedStatement;
  /** The whole text the statement stands in, for positions. */
  readonly text: string;
  readonly parameters: readonly Datum[];
  readonly transaction: Transaction;
  /** As the transaction sees it now; call again after each change. */
  catalog(): CatalogReader;
  readonly session: UtilitySession;
  readonly sink: ResultSink;
  readonly resultFormats: readonly number[];
}

/** The session as utility commands of other rooms see it. */
export interface UtilitySession {
  readonly sessionUserOid: Oid;
  roleOid(): Oid;
  searchPath(): SearchPath;
  readonly settings: SessionSettings;
  readonly services: ExecutorServices;
  readonly functionContext: FunctionContext;
  /** True inside BEGIN … COMMIT or a multi-statement text: for commands that refuse it (25001). */
  readonly isInTransactionBlock: boolean;
  compileEnvironment(): CompileEnvironment;
  notice(notice: Notice): void;
  /** Oid of the session's temporary schema, 0 if it has none yet. */
  temporaryNamespace(): Oid;
  setTemporaryNamespace(oid: Oid): void;
  /** A command works in the temporary schema. */
  noteTemporaryChange(): void;
  /** What a temporary table wants done at every commit. */
  onCommitTemporary(relationOid: Oid, action: 'delete'): void;
  readonly compiler: StatementCompiler;
  /** Runs a plan inside the current transaction to its end; rows go to `row`. Returns the number of rows. */
  runPlan(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    row: ((frame: readonly Datum[]) => void) | null,
  ): Promise<number>;
  /** The error the statement must end with, if it was cancelled. */
  checkInterrupt(): void;
  /** Functions of users; absent where commands run without a whole session. */
  readonly routines?: {
    validate(oid: Oid, text: string): void;
    sqlBody(oid: Oid, body: Node): { serialised: string; queries: readonly Query[] };
    readonly manager: RoutineHost;
    fireTruncate(relation: RelationDescriptor, when: 'BEFORE' | 'AFTER'): Promise<void>;
  };
}

/** Utility commands outside the session's own (DDL, GRANT, VACUUM, COPY, EXPLAIN …). */
export interface UtilityExecutor {
  /** Columns of the rows it will return; null for none. */
  describe(
    statement: ParsedStatement,
    text: string,
    parameterTypes: readonly Oid[],
    environment: CompileEnvironment,
  ): readonly ResultColumn[] | null;
  /** Returns the command tag. Waits and slices inside. */
  execute(context: UtilityContext): Promise<string>;
  /** For large objects: their rows are the catalogs' own. */
  catalogWriter?(transaction: Transaction): CatalogWriter;
  /** Changes a row of a catalog as UPDATE asks; 0A000 for columns that follow from the objects. */
  changeCatalogRow?(
    transaction: Transaction,
    relationOid: Oid,
    oldRow: readonly Datum[],
    newRow: readonly Datum[],
  ): void;
  /** What is in a session's temporary schema goes: as part of a transaction, or with null at once. */
  dropTemporary?(namespaceOid: Oid, transaction: Transaction | null): Promise<void>;
}

export interface Engine {
  readonly clock: Clock;
  readonly random: Random;
  readonly host: Host;
  readonly serverSettings: ServerSettings;
  readonly configuration: ServerConfiguration;
  /** Reads the configuration files again; sessions notice at their next statement. */
  reloadConfiguration(): Promise<void>;
  readonly tables: TableStore;
  readonly transactions: TransactionManager;
  readonly compiler: StatementCompiler;
  readonly executor: RowExecutor;
  readonly kernels: Kernels;
  readonly utility: UtilityExecutor;
  /** Directory and name of a file of the server that a command names; 42501 or 42602 for paths that are refused. */
  serverFile(path: string): { disk: Disk; name: string };
  readonly catalogFunctions: HostFunctions<CatalogFunctionName>;
  readonly plans: PlanCache;
  readonly sessions: SessionRegistry;
  /** Null where nobody watches (tests, tools). */
  readonly monitor: SessionMonitor | null;
  readonly version: string;
  /** Wall clock when the server accepted connections, microseconds since 2000-01-01. */
  readonly startTimestamp: bigint;
  typeSupport(oid: Oid): TypeSupport;
  /** The catalog as this transaction sees it; null = committed state. */
  catalogFor(transaction: Transaction | null): CatalogReader;
  digest(algorithm: 'md5' | 'sha224' | 'sha256' | 'sha384' | 'sha512', bytes: Uint8Array): Uint8Array;
  /** Wraps unexpected exceptions (our bugs) into XX000 and logs them with their stack. */
  reportInternalError(error: unknown): DbError;
}
