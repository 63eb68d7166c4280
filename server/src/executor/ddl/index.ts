/** Dispatch of utility commands by node name. */

import { DbError, notSupported } from '../../base/error.ts';
import type {
  AlterDatabaseSetStmt,
  AlterDatabaseStmt,
  AlterDefaultPrivilegesStmt,
  AlterDomainStmt,
  AlterEnumStmt,
  AlterExtensionContentsStmt,
  AlterExtensionStmt,
  AlterFunctionStmt,
  AlterObjectSchemaStmt,
  AlterOperatorStmt,
  AlterOpFamilyStmt,
  AlterOwnerStmt,
  AlterPolicyStmt,
  AlterPublicationStmt,
  AlterRoleSetStmt,
  AlterRoleStmt,
  AlterSeqStmt,
  AlterStatsStmt,
  AlterTableSpaceOptionsStmt,
  AlterTableStmt,
  AlterTSConfigurationStmt,
  AlterTSDictionaryStmt,
  ClusterStmt,
  CommentStmt,
  CompositeTypeStmt,
  CreateCastStmt,
  CreateConversionStmt,
  CreateDomainStmt,
  CreatedbStmt,
  CreateEnumStmt,
  CreateExtensionStmt,
  CreateFunctionStmt,
  CreateOpClassStmt,
  CreateOpFamilyStmt,
  CreatePLangStmt,
  CreatePolicyStmt,
  CreatePublicationStmt,
  CreateRangeStmt,
  CreateRoleStmt,
  CreateSchemaStmt,
  CreateSeqStmt,
  CreateStatsStmt,
  CreateStmt,
  CreateTableAsStmt,
  CreateTableSpaceStmt,
  CreateTrigStmt,
  DefineStmt,
  DropdbStmt,
  DropOwnedStmt,
  DropRoleStmt,
  DropStmt,
  DropTableSpaceStmt,
  GrantRoleStmt,
  GrantStmt,
  IndexStmt,
  LockStmt,
  Node,
  ReassignOwnedStmt,
  RefreshMatViewStmt,
  ReindexStmt,
  RenameStmt,
  RuleStmt,
  SelectStmt,
  TruncateStmt,
  VacuumStmt,
  ViewStmt,
} from '../../sql/parse/nodes.ts';
import { alterOperator } from './alter-operator.ts';
import { alterTable } from './alter-table.ts';
import { comment } from './comment.ts';
import { Ddl } from './common.ts';
import type { DdlContext, UtilityResult } from './contract.ts';
import { createConversion, createLanguage } from './conversion.ts';
import { alterFunction, createFunction } from './create-function.ts';
import { createIndex } from './create-index.ts';
import { createTable } from './create-table.ts';
import { createTrigger } from './create-trigger.ts';
import { alterDatabase, createDatabase, dropDatabase } from './database.ts';
import { alterDefaultPrivileges } from './default-privileges.ts';
import { createCast, defineObject } from './define-objects.ts';
import { dropObjects, truncate } from './drop.ts';
import { alterExtension, alterExtensionContents, createExtension } from './extension.ts';
import { grant } from './grant.ts';
import { checkpoint, cluster, lockTables, reindex, vacuum } from './maintenance.ts';
import { alterOperatorFamily, createOperatorClass, createOperatorFamily } from './operator-classes.ts';
import { alterOwner, alterSchema, rename } from './ownership.ts';
import {
  alterPolicy,
  alterPublication,
  alterStatistics,
  createPolicy,
  createPublication,
  createStatistics,
} from './publication.ts';
import { createRangeType } from './range-types.ts';
import { alterRole, createRole, dropOwned, dropRole, grantRole, reassignOwned } from './role.ts';
import { createRule } from './rules.ts';
import { createSchema } from './schema.ts';
import { alterSequence, createSequence } from './sequence.ts';
import { alterDatabaseSet, alterRoleSet } from './stored-settings.ts';
import { alterTablespace, createTablespace, dropTablespace } from './tablespace.ts';
import { alterConfiguration, alterDictionary } from './text-search.ts';
import { alterDomain, alterEnum, createComposite, createDomain, createEnum } from './types.ts';
import { createTableAs, createView, refreshMaterializedView, selectIntoStatement } from './view.ts';

type Handler = (ddl: Ddl, tree: never) => Promise<UtilityResult>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  CreateStmt: (ddl, tree: CreateStmt) => createTable(ddl, tree),
  CreateTableAsStmt: (ddl, tree: CreateTableAsStmt) => createTableAs(ddl, tree),
  SelectStmt: (ddl, tree: SelectStmt) => createTableAs(ddl, selectIntoStatement(tree)),
  AlterTableStmt: (ddl, tree: AlterTableStmt) => alterTable(ddl, tree),
  IndexStmt: (ddl, tree: IndexStmt) => createIndex(ddl, tree),
  CreateSeqStmt: (ddl, tree: CreateSeqStmt) => createSequence(ddl, tree),
  AlterSeqStmt: (ddl, tree: AlterSeqStmt) => alterSequence(ddl, tree),
  ViewStmt: (ddl, tree: ViewStmt) => createView(ddl, tree),
  RefreshMatViewStmt: (ddl, tree: RefreshMatViewStmt) => refreshMaterializedView(ddl, tree),
  DropStmt: (ddl, tree: DropStmt) => dropObjects(ddl, tree),
  TruncateStmt: (ddl, tree: TruncateStmt) => truncate(ddl, tree),
  RenameStmt: (ddl, tree: RenameStmt) => rename(ddl, tree),
  AlterOwnerStmt: (ddl, tree: AlterOwnerStmt) => alterOwner(ddl, tree),
  AlterObjectSchemaStmt: (ddl, tree: AlterObjectSchemaStmt) => alterSchema(ddl, tree),
  CommentStmt: (ddl, tree: CommentStmt) => comment(ddl, tree),
  CreateSchemaStmt: (ddl, tree: CreateSchemaStmt) =>
    createSchema(ddl, tree, async (node) => {
      await run(ddl, node);
    }),
  CreatedbStmt: (ddl, tree: CreatedbStmt) => createDatabase(ddl, tree),
  AlterDatabaseStmt: (ddl, tree: AlterDatabaseStmt) => alterDatabase(ddl, tree),
  AlterDatabaseRefreshCollStmt: async () => ({ tag: 'ALTER DATABASE' }),
  DropdbStmt: (ddl, tree: DropdbStmt) => dropDatabase(ddl, tree),
  CreateRoleStmt: (ddl, tree: CreateRoleStmt) => createRole(ddl, tree),
  AlterRoleStmt: (ddl, tree: AlterRoleStmt) => alterRole(ddl, tree),
  DropRoleStmt: (ddl, tree: DropRoleStmt) => dropRole(ddl, tree),
  GrantRoleStmt: (ddl, tree: GrantRoleStmt) => grantRole(ddl, tree),
  GrantStmt: (ddl, tree: GrantStmt) => grant(ddl, tree),
  ReassignOwnedStmt: (ddl, tree: ReassignOwnedStmt) => reassignOwned(ddl, tree),
  DropOwnedStmt: (ddl, tree: DropOwnedStmt) => dropOwned(ddl, tree),
  AlterDefaultPrivilegesStmt: (ddl, tree: AlterDefaultPrivilegesStmt) => alterDefaultPrivileges(ddl, tree),
  AlterRoleSetStmt: (ddl, tree: AlterRoleSetStmt) => alterRoleSet(ddl, tree),
  AlterDatabaseSetStmt: (ddl, tree: AlterDatabaseSetStmt) => alterDatabaseSet(ddl, tree),
  CreateTableSpaceStmt: (ddl, tree: CreateTableSpaceStmt) => createTablespace(ddl, tree),
  DropTableSpaceStmt: (ddl, tree: DropTableSpaceStmt) => dropTablespace(ddl, tree),
  AlterTableSpaceOptionsStmt: (ddl, tree: AlterTableSpaceOptionsStmt) => alterTablespace(ddl, tree),
  DefineStmt: (ddl, tree: DefineStmt) => defineObject(ddl, tree),
  CreateOpFamilyStmt: async (ddl, tree: CreateOpFamilyStmt) => createOperatorFamily(ddl, tree),
  CreateOpClassStmt: async (ddl, tree: CreateOpClassStmt) => createOperatorClass(ddl, tree),
  AlterOpFamilyStmt: async (ddl, tree: AlterOpFamilyStmt) => alterOperatorFamily(ddl, tree),
  AlterOperatorStmt: async (ddl, tree: AlterOperatorStmt) => alterOperator(ddl, tree),
  AlterTSDictionaryStmt: async (ddl, tree: AlterTSDictionaryStmt) => alterDictionary(ddl, tree),
  AlterTSConfigurationStmt: async (ddl, tree: AlterTSConfigurationStmt) => alterConfiguration(ddl, tree),
  CreateConversionStmt: async (ddl, tree: CreateConversionStmt) => createConversion(ddl, tree),
  CreatePLangStmt: async (ddl, tree: CreatePLangStmt) => createLanguage(ddl, tree),
  CreateCastStmt: (ddl, tree: CreateCastStmt) => createCast(ddl, tree),
  CreateExtensionStmt: (ddl, tree: CreateExtensionStmt) => createExtension(ddl, tree),
  AlterExtensionStmt: (ddl, tree: AlterExtensionStmt) => alterExtension(ddl, tree),
  AlterExtensionContentsStmt: (ddl, tree: AlterExtensionContentsStmt) => alterExtensionContents(ddl, tree),
  CreatePublicationStmt: (ddl, tree: CreatePublicationStmt) => createPublication(ddl, tree),
  AlterPublicationStmt: (ddl, tree: AlterPublicationStmt) => alterPublication(ddl, tree),
  CreatePolicyStmt: (ddl, tree: CreatePolicyStmt) => createPolicy(ddl, tree),
  AlterPolicyStmt: (ddl, tree: AlterPolicyStmt) => alterPolicy(ddl, tree),
  CreateStatsStmt: (ddl, tree: CreateStatsStmt) => createStatistics(ddl, tree),
  AlterStatsStmt: (ddl, tree: AlterStatsStmt) => alterStatistics(ddl, tree),
  CreateEnumStmt: (ddl, tree: CreateEnumStmt) => createEnum(ddl, tree),
  CreateRangeStmt: (ddl, tree: CreateRangeStmt) => createRangeType(ddl, tree),
  AlterEnumStmt: (ddl, tree: AlterEnumStmt) => alterEnum(ddl, tree),
  CompositeTypeStmt: (ddl, tree: CompositeTypeStmt) => createComposite(ddl, tree),
  CreateDomainStmt: (ddl, tree: CreateDomainStmt) => createDomain(ddl, tree),
  AlterDomainStmt: (ddl, tree: AlterDomainStmt) => alterDomain(ddl, tree),
  CreateFunctionStmt: (ddl, tree: CreateFunctionStmt) => createFunction(ddl, tree),
  AlterFunctionStmt: (ddl, tree: AlterFunctionStmt) => alterFunction(ddl, tree),
  RuleStmt: (ddl, tree: RuleStmt) => createRule(ddl, tree),
  CreateTrigStmt: (ddl, tree: CreateTrigStmt) => createTrigger(ddl, tree),
  VacuumStmt: (ddl, tree: VacuumStmt) => vacuum(ddl, tree),
  CheckPointStmt: (ddl) => checkpoint(ddl),
  ReindexStmt: (ddl, tree: ReindexStmt) => reindex(ddl, tree),
  ClusterStmt: (ddl, tree: ClusterStmt) => cluster(ddl, tree),
  LockStmt: (ddl, tree: LockStmt) => lockTables(ddl, tree),
};

/** Commands that a read-only transaction may run. */
const READ_ONLY_COMMANDS: ReadonlySet<string> = new Set(['LockStmt', 'CheckPointStmt']);

/** True when the node is one of the commands here. SelectStmt counts with an INTO clause only. */
export function isDdlCommand(node: string): boolean {
  return node in HANDLERS;
}

/**
 * Runs one command. `node` is the tag of the tree (`CreateStmt`), `tree` its content.
 * Errors    the command's DbError; the caller rolls the statement back.
 */
export async function executeUtility(
  context: DdlContext,
  node: string,
  tree: unknown,
): Promise<UtilityResult> {
  if (context.transaction.readOnly && !READ_ONLY_COMMANDS.has(node) && isDdlCommand(node))
    throw new DbError(
      'read_only_sql_transaction',
      `cannot execute ${commandName(node)} in a read-only transaction`,
    );
  return run(new Ddl(context), { [node]: tree } as unknown as Node);
}

async function run(ddl: Ddl, tree: Node): Promise<UtilityResult> {
  const [node, content] = Object.entries(tree)[0] as [string, never];
  const handler = HANDLERS[node];
  if (handler === undefined) throw notSupported(commandName(node));
  const result = await handler(ddl, content);
  ddl.advance();
  return result;
}

/** `CreateTrigStmt` → `CREATE TRIG`: for messages about commands unknown here. */
function commandName(node: string): string {
  return (
    COMMAND_NAMES[node] ??
    node
      .replace(/Stmt$/, '')
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toUpperCase()
  );
}

const COMMAND_NAMES: Readonly<Record<string, string>> = {
  CreateStmt: 'CREATE TABLE',
  CreateTableAsStmt: 'CREATE TABLE AS',
  SelectStmt: 'SELECT INTO',
  AlterTableStmt: 'ALTER TABLE',
  IndexStmt: 'CREATE INDEX',
  CreateSeqStmt: 'CREATE SEQUENCE',
  AlterSeqStmt: 'ALTER SEQUENCE',
  ViewStmt: 'CREATE VIEW',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',
  DropStmt: 'DROP TABLE',
  TruncateStmt: 'TRUNCATE TABLE',
  RenameStmt: 'ALTER TABLE',
  CommentStmt: 'COMMENT',
  CreateSchemaStmt: 'CREATE SCHEMA',
  CreateFunctionStmt: 'CREATE FUNCTION',
  CreateTrigStmt: 'CREATE TRIGGER',
  CreatePolicyStmt: 'CREATE POLICY',
  CreateExtensionStmt: 'CREATE EXTENSION',
  CreateCastStmt: 'CREATE CAST',
  CreateStatsStmt: 'CREATE STATISTICS',
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  RuleStmt: 'CREATE RULE',
  DoStmt: 'DO',
  CallStmt: 'CALL',
  DefineStmt: 'CREATE AGGREGATE, OPERATOR, TYPE or COLLATION of this form',
  AlterDefaultPrivilegesStmt: 'ALTER DEFAULT PRIVILEGES',
};

export type { DdlContext, QueryRunner, SqlServices, UtilityResult } from './contract.ts';
