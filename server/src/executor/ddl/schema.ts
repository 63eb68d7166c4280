/** CREATE SCHEMA. */

import { DbError } from '../../base/error.ts';
import { PG_NAMESPACE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import type { CreateSchemaStmt, Node } from '../../sql/parse/nodes.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { newObjectAcl, recordNewAcl } from './default-privileges.ts';
import { makeRow } from './relation.ts';

export async function createSchema(
  ddl: Ddl,
  statement: CreateSchemaStmt,
  runElement: (node: Node) => Promise<void>,
): Promise<UtilityResult> {
  const owner = statement.authrole === undefined ? ddl.role : ddl.roleOid(statement.authrole);
  const name = statement.schemaname ?? ddl.reader.role(owner)?.name ?? '';
  ddl.requireDatabasePrivilege('CREATE');
  ddl.requireMember(owner);
  if (name.startsWith('pg_'))
    throw new DbError('reserved_name', `unacceptable schema name "${name}"`, {
      detail: 'The prefix "pg_" is reserved for system schemas.',
    });
  await ddl.reserve(0, name);
  if (ddl.reader.namespaceByName(name) !== null) {
    if (statement.if_not_exists === true) {
      ddl.message('NOTICE', 'duplicate_schema', `schema "${name}" already exists, skipping`);
      return { tag: 'CREATE SCHEMA' };
    }
    throw new DbError('duplicate_schema', `schema "${name}" already exists`);
  }
  const oid = ddl.writer.allocateOid();
  const acl = newObjectAcl(ddl, 'schema', owner, 0);
  ddl.writer.insert(
    'pg_namespace',
    makeRow(PG_NAMESPACE, { oid, nspname: name, nspowner: owner, nspacl: acl }),
  );
  ddl.writer.recordOwner(address(CLASS_OID.namespace, oid), owner);
  recordNewAcl(ddl, address(CLASS_OID.namespace, oid), owner, acl);
  const elements = inOrder(statement.schemaElts ?? []).map((element) => inSchema(element, name));
  const run = (): Promise<void> => runAll(ddl, elements, runElement);
  if (elements.length > 0) await (ddl.context.withSearchPath?.(name, run) ?? run());
  return { tag: 'CREATE SCHEMA' };
}

async function runAll(
  ddl: Ddl,
  elements: readonly Node[],
  runElement: (node: Node) => Promise<void>,
): Promise<void> {
  for (const element of elements) {
    ddl.advance();
    await runElement(element);
  }
}

const ELEMENT_ORDER = ['CreateSeqStmt', 'CreateStmt', 'ViewStmt', 'IndexStmt', 'CreateTrigStmt', 'GrantStmt'];

/** What others are built on comes first, in whatever order it was written. */
function inOrder(elements: readonly Node[]): Node[] {
  const rank = (element: Node): number => ELEMENT_ORDER.indexOf(Object.keys(element)[0]!);
  return [...elements].sort((left, right) => rank(left) - rank(right));
}

/** Elements of CREATE SCHEMA are made in that schema unless they name another. */
function inSchema(element: Node, schema: string): Node {
  const [tag, content] = Object.entries(element)[0] as [string, Record<string, unknown>];
  const field = {
    CreateStmt: 'relation',
    ViewStmt: 'view',
    CreateSeqStmt: 'sequence',
    IndexStmt: 'relation',
    CreateTrigStmt: 'relation',
  }[tag];
  if (field === undefined) return element;
  const target = content[field] as { schemaname?: string };
  if (target.schemaname !== undefined && target.schemaname !== schema)
    throw new DbError(
      'invalid_schema_definition',
      `CREATE specifies a schema (${target.schemaname}) different from the one being created (${schema})`,
    );
  return { [tag]: { ...content, [field]: { ...target, schemaname: schema } } } as unknown as Node;
}
