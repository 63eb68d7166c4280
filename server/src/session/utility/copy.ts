/** COPY between tables or queries and the client or a file. */
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { BINARY_TRAILER, binaryHeader } from '../../executor/copy/binary.ts';
import { CopyLoader, type CopySource } from '../../executor/copy/load.ts';
import { type CopyOptions, copyOptionItems, parseCopyOptions } from '../../executor/copy/options.ts';
import { CopyWriter } from '../../executor/copy/write.ts';
import { refuseRowSecurity } from '../../executor/permissions.ts';
import type { PhysicalPlan } from '../../planner/physical.ts';
import type { ParsedStatement } from '../engine.ts';
import type { BackendSession } from '../session.ts';
import { isPlannableNode } from '../statements.ts';
import type { SessionCommand } from './index.ts';
import { child, flag, list, text, unwrap } from './tree.ts';

/** Bytes read from a server-side file at a time. */
const FILE_CHUNK_BYTES = 1 << 20;

export async function copy(command: SessionCommand): Promise<string> {
  const { tree } = command.statement;
  const isFrom = flag(tree, 'is_from');
  if (flag(tree, 'is_program')) throw notSupported('COPY to or from an external program');
  const options = parseCopyOptions(copyOptionItems(tree.options), isFrom);
  const fileName = text(tree, 'filename');
  if (fileName !== '') checkFileAccess(command.session, isFrom);
  return isFrom ? copyFrom(command, options, fileName) : copyTo(command, options, fileName);
}

/** Server-side files belong to superusers and the two predefined roles. */
function checkFileAccess(session: BackendSession, isFrom: boolean): void {
  const catalog = session.catalog();
  const wanted = catalog.roleByName(isFrom ? 'pg_read_server_files' : 'pg_write_server_files');
  if (catalog.role(session.roleOid())?.superuser === true) return;
  if (wanted !== null && catalog.hasPrivilegesOfRole(session.roleOid(), wanted.oid)) return;
  throw new DbError(
    'insufficient_privilege',
    isFrom
      ? 'must be superuser or have privileges of the pg_read_server_files role to COPY from a file'
      : 'must be superuser or have privileges of the pg_write_server_files role to COPY to a file',
    { hint: "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone." },
  );
}

async function copyFrom(command: SessionCommand, options: CopyOptions, fileName: string): Promise<string> {
  const { session, statement } = command;
  const { tree } = statement;
  session.compilation.refreshStatementContext();
  const relation = await lockTarget(session, child(tree, 'relation') ?? {});
  const transaction = session.block.forStatement();
  const condition = child(tree, 'whereClause');
  const where =
    condition === null
      ? null
      : session.engine.compiler.analyseCopyCondition(condition, relation, session.compileEnvironment());
  const columns = copyColumns(relation, tree.attlist);
  const attributes = columns.map((column) => column + 1);
  if (!session.catalog().hasRelationPrivilege(session.roleOid(), relation, 'INSERT', attributes)) {
    throw new DbError(
      'insufficient_privilege',
      `permission denied for ${relation.kind === 'v' ? 'view' : 'table'} ${relation.name}`,
    );
  }
  refuseRowSecurity(session.catalog(), relation, session.roleOid());
  if (transaction.readOnly && relation.persistence !== 't')
    throw new DbError('read_only_sql_transaction', 'cannot execute COPY FROM in a read-only transaction');
  checkForced(relation, columns, options.forceNotNull, 'FORCE_NOT_NULL');
  checkForced(relation, columns, options.forceNull, 'FORCE_NULL');
  checkCopyTarget(relation);
  const environment = session.engine.executor.environment(session.services, {
    transaction,
    snapshot: transaction.statementSnapshot(),
    parameters: [],
    instrumentation: null,
  });
  const loader = new CopyLoader({
    environment,
    relationOid: relation.oid,
    columns,
    options,
    where,
    kernels: session.engine.kernels,
    yieldToLoop: () => session.engine.clock.yieldToLoop(),
  });
  const format = options.format === 'binary' ? 1 : 0;
  const source: CopySource =
    fileName === ''
      ? session.beginCopyIn(
          format,
          columns.map(() => format),
        )
      : await fileSource(session, fileName);
  const rows = await loader.run(source);
  transaction.advanceCommand();
  return `COPY ${rows}`;
}

function checkForcedQuotes(
  command: SessionCommand,
  columns: readonly { name: string }[],
  names: readonly string[],
): void {
  for (const name of names) {
    if (columns.some((column) => column.name === name)) continue;
    const range = child(command.statement.tree, 'relation');
    if (range === null) throw new DbError('undefined_column', `column "${name}" does not exist`);
    copyColumns(requireRelation(command.session, range), [{ String: { sval: name } }]);
    throw new DbError('invalid_column_reference', `FORCE_QUOTE column "${name}" not referenced by COPY`);
  }
}

/** Opens and locks what COPY fills: whoever held the lock may have changed or replaced it. */
async function lockTarget(
  session: BackendSession,
  range: Readonly<Record<string, unknown>>,
): Promise<RelationDescriptor> {
  const transaction = session.block.forStatement();
  let relation = requireRelation(session, range);
  for (;;) {
    const locked = session.engine.transactions.locks.lockTable(transaction, relation.oid, 'RowExclusive', {
      policy: 'wait',
      timeoutMicros: session.services.lockTimeoutMicros(),
    });
    if (locked === null) return relation;
    await locked;
    session.checkInterrupt();
    const { oid } = relation;
    relation = requireRelation(session, range);
    if (relation.oid === oid) return relation;
  }
}

/** Tables, and views whose rows triggers take. */
function checkCopyTarget(relation: RelationDescriptor): void {
  if (relation.kind === 'r' && relation.table !== null && relation.virtualRows === null) return;
  // ROW, INSTEAD and INSERT of pg_trigger.tgtype
  const takesRows = (relation.triggers ?? []).some(({ type }) => (type & 69) === 69);
  if (relation.kind === 'v' && takesRows) return;
  throw new DbError(
    'wrong_object_type',
    `cannot copy to ${kindName(relation)} "${relation.name}"`,
    relation.kind === 'v'
      ? { hint: 'To enable copying to a view, provide an INSTEAD OF INSERT trigger.' }
      : {},
  );
}

/** The columns of a FORCE option must be among those copied. */
function checkForced(
  relation: RelationDescriptor,
  columns: readonly number[],
  names: readonly string[],
  option: string,
): void {
  if (names.length === 0) return;
  const forced = copyColumns(
    relation,
    names.map((sval) => ({ String: { sval } })),
  );
  for (const column of forced) {
    if (!columns.includes(column))
      throw new DbError(
        'invalid_column_reference',
        `${option} column "${relation.columns[column].name}" not referenced by COPY`,
      );
  }
}

async function copyTo(command: SessionCommand, options: CopyOptions, fileName: string): Promise<string> {
  const { session } = command;
  const transaction = session.block.forStatement();
  const plan = await session.executions.lockedPlan(() => copyPlan(command));
  const columns = plan.columns.map((column) => ({
    name: column.name,
    slot: column.slot,
    support: session.typeSupport(column.typeOid),
  }));
  if (options.forceQuote !== '*') checkForcedQuotes(command, columns, options.forceQuote);
  const writer = new CopyWriter(columns, options, session.functionContext.format);
  const target = fileName === '' ? clientTarget(session) : await fileTarget(session, fileName);
  const format = options.format === 'binary' ? 1 : 0;
  target.begin(format, columns.length);
  // The header leaves with the first row, or with the trailer: clients read the signature off the row behind it.
  let prefix = options.format === 'binary' ? binaryHeader() : null;
  const write = (bytes: Uint8Array): void => {
    target.write(prefix === null ? bytes : Buffer.concat([prefix, bytes]));
    prefix = null;
  };
  const header = writer.header();
  if (header !== null) target.write(header);
  const rows = await session.executions.runInto(plan, command.parameters, {
    row: (frame) => write(writer.row(frame)),
    isCongested: () => target.isCongested(),
  });
  if (options.format === 'binary') write(BINARY_TRAILER);
  await target.end();
  if (!plan.readOnly) transaction.advanceCommand();
  return `COPY ${rows}`;
}

interface CopyTarget {
  begin(format: number, columnCount: number): void;
  write(bytes: Uint8Array): void;
  isCongested(): boolean;
  end(): Promise<void>;
}

function clientTarget(session: BackendSession): CopyTarget {
  const { sink } = session;
  return {
    begin: (format, columnCount) => sink.copyOutResponse(format, new Array<number>(columnCount).fill(format)),
    write: (bytes) => sink.copyData(bytes),
    isCongested: () => sink.isCongested(),
    end: () => {
      sink.copyDone();
      return Promise.resolve();
    },
  };
}

/** Writes to a file of the server; complete and synced before the command ends. */
async function fileTarget(session: BackendSession, path: string): Promise<CopyTarget> {
  const { disk, name } = session.engine.serverFile(path);
  const file = await disk.open(name, 'create').catch((error: unknown) => {
    throw fileError(`could not open file "${path}" for writing`, error);
  });
  await file.truncate(0);
  let offset = 0;
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  const drain = (): void => {
    file.writeAllSync(offset, buffered);
    offset += bufferedBytes;
    buffered = [];
    bufferedBytes = 0;
  };
  return {
    begin: () => {},
    write: (bytes) => {
      buffered.push(new Uint8Array(bytes));
      bufferedBytes += bytes.length;
      if (bufferedBytes >= FILE_CHUNK_BYTES) drain();
    },
    isCongested: () => false,
    end: async () => {
      if (bufferedBytes > 0) drain();
      await file.dataSync();
      await file.close();
    },
  };
}

async function fileSource(session: BackendSession, path: string): Promise<CopySource> {
  const { disk, name } = session.engine.serverFile(path);
  const file = await disk.open(name, 'read').catch((error: unknown) => {
    throw fileError(`could not open file "${path}" for reading`, error);
  });
  let offset = 0;
  return {
    read: async () => {
      const chunk = new Uint8Array(FILE_CHUNK_BYTES);
      const count = await file.read(offset, chunk);
      offset += count;
      if (count > 0) return chunk.subarray(0, count);
      await file.close();
      return null;
    },
  };
}

function fileError(message: string, error: unknown): DbError {
  return new DbError(
    'undefined_file',
    `${message}: ${error instanceof Error ? error.message : String(error)}`,
  );
}

function requireRelation(
  session: BackendSession,
  range: Readonly<Record<string, unknown>>,
): RelationDescriptor {
  const schema = text(range, 'schemaname');
  const name = text(range, 'relname');
  const relation = session
    .catalog()
    .relationByName(schema === '' ? null : schema, name, session.searchPath());
  if (relation === null) {
    const position = typeof range.location === 'number' ? range.location + 1 : undefined;
    throw new DbError(
      'undefined_table',
      `relation "${schema === '' ? '' : `${schema}.`}${name}" does not exist`,
    ).at(position);
  }
  return relation;
}

/** Columns by number from 0; all but generated ones when none are named. */
function copyColumns(relation: RelationDescriptor, names: unknown): number[] {
  if (!Array.isArray(names)) {
    return relation.columns.flatMap((column, index) =>
      column.dropped || column.generated !== '' ? [] : [index],
    );
  }
  const seen = new Set<number>();
  return (names as Readonly<Record<string, unknown>>[]).map((node) => {
    const name = text(unwrap(node).tree, 'sval');
    const index = relation.columns.findIndex((column) => !column.dropped && column.name === name);
    if (index < 0)
      throw new DbError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
    if (relation.columns[index].generated !== '') {
      throw new DbError('invalid_column_reference', `column "${name}" is a generated column`, {
        detail: 'Generated columns cannot be used in COPY.',
      });
    }
    if (seen.has(index)) throw new DbError('duplicate_column', `column "${name}" specified more than once`);
    seen.add(index);
    return index;
  });
}

/** Plan of what COPY TO sends: the given query, or the table's columns. */
function copyPlan(command: SessionCommand): PhysicalPlan {
  const { session, statement } = command;
  const query = child(statement.tree, 'query');
  let inner: ParsedStatement;
  if (query !== null) {
    const { node, tree } = unwrap(query);
    if (!isPlannableNode(node)) throw notSupported(`COPY of ${node}`);
    if (selectsInto(tree)) throw notSupported('COPY (SELECT INTO)');
    inner = { node, tree, text: statement.text, start: statement.start };
  } else inner = tableQuery(session, statement);
  const { plan } = session.compilation.compile(inner, command.text, command.parameterTypes);
  if (plan === null) throw notSupported('COPY of this query');
  if (plan.command !== 'select' && plan.columns.length === 0)
    throw new DbError('feature_not_supported', 'COPY query must have a RETURNING clause');
  return plan;
}

/** SELECT … INTO, in the first branch of set operations, where it is allowed. */
function selectsInto(tree: Readonly<Record<string, unknown>>): boolean {
  if (child(tree, 'intoClause') !== null) return true;
  const first = child(tree, 'larg');
  return first !== null && selectsInto(first);
}

function tableQuery(session: BackendSession, statement: ParsedStatement): ParsedStatement {
  const range = child(statement.tree, 'relation') ?? {};
  const relation = requireRelation(session, range);
  if (relation.kind === 'v' || relation.kind === 'm') {
    throw new DbError('wrong_object_type', `cannot copy from ${kindName(relation)} "${relation.name}"`, {
      hint: 'Try the COPY (SELECT ...) TO variant.',
    });
  }
  if (relation.kind !== 'r' && relation.kind !== 'p') {
    throw new DbError('wrong_object_type', `cannot copy from ${kindName(relation)} "${relation.name}"`);
  }
  const targetList = copyColumns(
    relation,
    list(statement.tree, 'attlist').length > 0 ? statement.tree.attlist : undefined,
  ).map((column) => ({
    ResTarget: {
      val: { ColumnRef: { fields: [{ String: { sval: relation.columns[column].name } }], location: -1 } },
      location: -1,
    },
  }));
  return {
    node: 'SelectStmt',
    tree: {
      targetList,
      fromClause: [{ RangeVar: { ...range, inh: false } }],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
    text: statement.text,
    start: statement.start,
  };
}

function kindName(relation: RelationDescriptor): string {
  switch (relation.kind) {
    case 'v':
      return 'view';
    case 'm':
      return 'materialized view';
    case 'S':
      return 'sequence';
    case 'f':
      return 'foreign table';
    default:
      return 'non-table relation';
  }
}
