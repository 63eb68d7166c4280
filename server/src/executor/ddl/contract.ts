/**
 * Utility commands over catalogs and storage: what the session calls, and what is needed from it.
 *
 * {@link executeUtility} (index.ts) runs one command inside the caller's transaction. Everything it does is undone with that
 * transaction or savepoint. It takes its locks itself and waits by promises.
 */

import type { Oid } from '../../base/brands.ts';
import type { Notice } from '../../base/error.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { CatalogReader, RelationDescriptor, SearchPath } from '../../catalog/contract.ts';
import type { AnalysedRule, RuleEvent } from '../../sql/analyse/rule.ts';
import type { Node, TypeName, VariableSetStmt } from '../../sql/parse/nodes.ts';
import type { Expr, Query } from '../../sql/tree.ts';
import type { TableStore } from '../../table/contract.ts';
import type { LockManager, LockWaitOptions, Transaction } from '../../txn/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { Datum } from '../../types/datum.ts';

/** What a command uses of the session, transaction and rooms around it. */
export interface DdlContext {
  readonly catalog: Catalog;
  readonly tables: TableStore;
  readonly locks: LockManager;
  readonly transaction: Transaction;
  readonly queries: QueryRunner;
  readonly sql: SqlServices;
  readonly sessionId: number;
  /** True inside BEGIN … COMMIT or a text of several statements: for commands that refuse it (25001). */
  readonly isInTransactionBlock: boolean;
  /** SET ROLE is honoured. */
  currentRole(): Oid;
  sessionRole(): Oid;
  /** The search path resolved against the catalog as the transaction sees it now. */
  searchPath(): SearchPath;
  /** Runs `work` with a schema before all others; absent where there is no session. */
  withSearchPath?(schema: string, work: () => Promise<void>): Promise<void>;
  /** Oid of the session's temporary schema, 0 if it has none yet. */
  temporaryNamespace(): Oid;
  /** Called when a command had to create that schema. */
  setTemporaryNamespace(oid: Oid): void;
  lockOptions(): LockWaitOptions;
  notice(notice: Notice): void;
  /** SCRAM verifier of a password as pg_authid keeps it; a text that is a verifier already comes back as it is. */
  passwordVerifier(password: string): Promise<string>;
  readonly format: FormatContext;
  setting(name: string): string;
  /** The store of all databases, for what CREATE and DROP DATABASE do to another one. */
  readonly baseTables: TableStore;
  /** Sessions of a database other than this one; `terminate` ends one. */
  otherSessions(databaseOid: Oid): readonly { terminate(): void }[];
  /** What a SET or RESET clause stored with a role, database or function asks for; checks name, value and the right to set it. */
  storedSetting(statement: VariableSetStmt): StoredSettingChange;
  /** May the current role take a stored setting away (RESET ALL keeps the others)? */
  mayResetStored(name: string): boolean;
  /** Tells the session to empty a temporary table at the end of each of its transactions (ON COMMIT DELETE ROWS). */
  onCommitTemporary(relationOid: Oid, action: 'delete'): void;
  /** Asks a function's language whether its body is right (unless check_function_bodies is off). */
  validateFunction?(oid: Oid): Promise<void>;
  /** Analyses the body of a SQL function in standard form (BEGIN ATOMIC, RETURN). */
  sqlBody?(oid: Oid, body: Node): { serialised: string; queries: readonly Query[] };
  /** Fires a table's TRUNCATE triggers. */
  fireTruncate?(relation: RelationDescriptor, when: 'BEFORE' | 'AFTER'): Promise<void>;
  /** Default privileges of new objects; null = the built-in ones. */
  defaultAcl?(kind: 'function', namespace: Oid): Datum;
  /** A setting's name as it is registered; 42704 for an unknown one. */
  settingName?(name: string): string;
  /** Throws when the setting cannot take the value. */
  checkSetting?(name: string, value: string): void;
}

export type StoredSettingChange =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'reset'; readonly name: string }
  | { readonly kind: 'resetAll' };

/** Runs queries inside the command's transaction, seeing its changes so far, with the rights of the bootstrap superuser. */
export interface QueryRunner {
  /** Rows of a query given as text; names in it must be qualified. */
  query(sql: string): Promise<readonly (readonly Datum[])[]>;
  /** Rows of a query given as raw tree (`{ SelectStmt: … }`), by the session's search path. */
  queryTree(tree: Node): Promise<readonly (readonly Datum[])[]>;
  /** Rows of a stored query (sql/tree-json). */
  queryStored(serialised: string): Promise<readonly (readonly Datum[])[]>;
  /** Runs a DML tree (`{ InsertStmt: … }`) and answers the number of rows. */
  modifyTree(tree: Node): Promise<number>;
}

export type ExpressionKind =
  | 'default'
  | 'function default'
  | 'check'
  | 'index'
  | 'index predicate'
  | 'using'
  | 'generated'
  | 'domain check';

/** What DDL needs of the sql room. Implemented by sql-services.ts over sql/analyse and sql/deparse. */
export interface SqlServices {
  /** Type and modifier of a TypeName node. Throws 42704 with position. */
  resolveTypeName(name: TypeName): { typeOid: Oid; typmod: number };
  /**
   * Analyses an expression over the columns of `relation` (Var relation 1; null = no columns). With `target` it is coerced by
   * assignment; checks and predicates are coerced to boolean. `domainType`: what VALUE stands for.
   */
  expression(
    node: Node,
    options: {
      kind: ExpressionKind;
      relation: RelationDescriptor | null;
      target?: { typeOid: Oid; typmod: number; columnName: string };
      domainType?: { typeOid: Oid; typmod: number; collation: Oid };
    },
  ): Expr;
  /** Analyses WHEN of a trigger: OLD is relation 1, NEW relation 2. */
  triggerCondition(
    node: Node,
    relation: RelationDescriptor,
    what: { isRow: boolean; hasInsert: boolean; hasDelete: boolean; isBefore: boolean },
  ): Expr;
  /** Analyses the condition and actions of a rule. */
  rule(
    rule: { event: RuleEvent; condition: Node | undefined; actions: readonly Node[] },
    relation: RelationDescriptor,
  ): AnalysedRule;
  /** Coerces an analysed expression by assignment; null when there is no such cast. */
  coerce(expr: Expr, typeOid: Oid, typmod: number): Expr | null;
  /** Analyses a SELECT (or VALUES, TABLE …). */
  query(node: Node): Query;
  /** Evaluates an expression without columns. */
  evaluate(expr: Expr): Datum;
  /** Raw tree of an expression given as SQL text. */
  parseExpression(text: string): Node;
  /** Raw tree of one statement. */
  parseStatement(text: string): Node;
  /** SQL text of a serialised expression over a relation's columns. */
  deparseExpression(serialised: string, relation: RelationDescriptor | null, reader: CatalogReader): string;
}

export interface UtilityResult {
  /** Command tag: `CREATE TABLE`, `SELECT 5`. */
  readonly tag: string;
}
