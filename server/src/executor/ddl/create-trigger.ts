/** CREATE [OR REPLACE] [CONSTRAINT] TRIGGER; ENABLE and DISABLE; renaming. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_CLASS, PG_CONSTRAINT, PG_TRIGGER } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { truncateIdentifier } from '../../catalog/identifiers.ts';
import { address } from '../../catalog/mutations.ts';
import { stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type { CreateTrigStmt, Node } from '../../sql/parse/nodes.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import {
  TRIGGER_BEFORE,
  TRIGGER_DELETE,
  TRIGGER_INSERT,
  TRIGGER_INSTEAD,
  TRIGGER_ROW,
  TRIGGER_TRUNCATE,
  TRIGGER_UPDATE,
} from '../triggers/table-triggers.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { DependencyCollector } from './expression-dependencies.ts';
import { makeRow } from './relation.ts';

const TRIGGER_TYPE = 2279;
const INT2 = 21;

const encoder = new TextEncoder();

export async function createTrigger(ddl: Ddl, statement: CreateTrigStmt): Promise<UtilityResult> {
  const relation = await ddl.relation(statement.relation!, 'ShareRowExclusive');
  const timing = statement.timing ?? 0;
  const events = statement.events ?? 0;
  const isRow = statement.row === true;
  const isConstraint = statement.isconstraint === true;
  const type = (isRow ? TRIGGER_ROW : 0) | timing | events;
  const named = `"${relation.name}"`;
  const refuse = (detail: string, message = `${named} is a table`): DbError =>
    new DbError('wrong_object_type', message, { detail });
  switch (relation.kind) {
    case 'r':
      if (timing !== 0 && timing !== TRIGGER_BEFORE) throw refuse('Tables cannot have INSTEAD OF triggers.');
      break;
    case 'v':
      if (timing !== TRIGGER_INSTEAD && isRow)
        throw refuse('Views cannot have row-level BEFORE or AFTER triggers.', `${named} is a view`);
      if ((events & TRIGGER_TRUNCATE) !== 0)
        throw refuse('Views cannot have TRUNCATE triggers.', `${named} is a view`);
      break;
    default:
      throw new DbError('wrong_object_type', `relation ${named} cannot have triggers`, {
        detail:
          relation.kind === 'm'
            ? 'This operation is not supported for materialized views.'
            : relation.kind === 'i'
              ? 'This operation is not supported for indexes.'
              : 'This operation is not supported for this kind of relation.',
      });
  }
  if (relation.oid < 16384)
    throw new DbError('insufficient_privilege', `permission denied: ${named} is a system catalog`);
  ddl.requireRelationPrivilege(relation, 'TRIGGER', null);
  if ((events & TRIGGER_TRUNCATE) !== 0 && isRow)
    throw new DbError('feature_not_supported', 'TRUNCATE FOR EACH ROW triggers are not supported');
  if (timing === TRIGGER_INSTEAD) {
    if (!isRow) throw new DbError('feature_not_supported', 'INSTEAD OF triggers must be FOR EACH ROW');
    if (statement.whenClause !== undefined)
      throw new DbError('feature_not_supported', 'INSTEAD OF triggers cannot have WHEN conditions');
    if ((statement.columns ?? []).length > 0)
      throw new DbError('feature_not_supported', 'INSTEAD OF triggers cannot have column lists');
  }
  const { oldTable, newTable } = transitionNames(statement, relation, {
    timing,
    events,
    isRow,
    isConstraint,
  });
  const condition = whenCondition(ddl, statement, relation, { events, isRow, timing });
  const columns = updateColumns(statement, relation);
  const functionOid = triggerFunction(ddl, statement);
  const name = truncateIdentifier(statement.trigname ?? '');
  const existing = ddl.reader.view
    .find('pg_trigger', 'relation', relation.oid)
    .find(({ values }) => values[PG_TRIGGER.tgname] === name);
  if (existing !== undefined) {
    if (statement.replace !== true)
      throw new DbError('duplicate_object', `trigger "${name}" for relation ${named} already exists`);
    if (existing.values[PG_TRIGGER.tgconstraint] !== 0)
      throw new DbError(
        'duplicate_object',
        `trigger "${name}" for relation ${named} is a constraint trigger`,
      );
  }
  const oid = existing === undefined ? ddl.writer.allocateOid() : (existing.key as number);
  const constraintOid = isConstraint ? createConstraint(ddl, relation, name, statement, oid) : 0;
  const args = (statement.args ?? []).map(stringOf);
  const attributes =
    columns.length === 0
      ? new SqlArray(INT2, [], [], [])
      : new SqlArray(INT2, columns, [columns.length], [0]);
  const referenced =
    statement.constrrel === undefined ? null : await ddl.relation(statement.constrrel, 'AccessShare');
  const values = {
    oid,
    tgrelid: relation.oid,
    tgparentid: 0,
    tgname: name,
    tgfoid: functionOid,
    tgtype: type,
    tgenabled: existing === undefined ? 'O' : (existing.values[PG_TRIGGER.tgenabled] as string),
    tgisinternal: false,
    tgconstrrelid: referenced?.oid ?? 0,
    tgconstrindid: 0,
    tgconstraint: constraintOid,
    tgdeferrable: statement.deferrable === true,
    tginitdeferred: statement.initdeferred === true,
    tgnargs: args.length,
    tgattr: attributes,
    tgargs: encoder.encode(args.map((argument) => `${argument}\0`).join('')),
    tgqual: condition?.serialised ?? null,
    tgoldtable: oldTable,
    tgnewtable: newTable,
  } satisfies Partial<Record<keyof typeof PG_TRIGGER, Datum>>;
  const self = address(CLASS_OID.trigger, oid);
  if (existing === undefined) ddl.writer.insert('pg_trigger', makeRow(PG_TRIGGER, values));
  else {
    const changes: Record<number, Datum> = {};
    for (const key of Object.keys(values) as (keyof typeof values)[])
      if (key !== 'oid') changes[PG_TRIGGER[key]] = values[key] as Datum;
    ddl.writer.removeDependenciesOf(self);
    ddl.writer.update('pg_trigger', oid, changes);
  }
  if (ddl.writer.row('pg_class', relation.oid)[PG_CLASS.relhastriggers] !== true)
    ddl.writer.update('pg_class', relation.oid, { [PG_CLASS.relhastriggers]: true });
  ddl.writer.dependOn(self, address(CLASS_OID.procedure, functionOid), 'n');
  if (isConstraint) {
    ddl.writer.dependOn(self, address(CLASS_OID.constraint, constraintOid), 'i');
  } else ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid), 'a');
  if (referenced !== null) ddl.writer.dependOn(self, address(CLASS_OID.relation, referenced.oid), 'a');
  for (const column of columns)
    ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid, column), 'n');
  if (condition !== null) {
    for (const item of condition.addresses) ddl.writer.dependOn(self, item, 'n');
  }
  return { tag: 'CREATE TRIGGER' };
}

function transitionNames(
  statement: CreateTrigStmt,
  relation: RelationDescriptor,
  what: { timing: number; events: number; isRow: boolean; isConstraint: boolean },
): { oldTable: string | null; newTable: string | null } {
  let oldTable: string | null = null;
  let newTable: string | null = null;
  const { timing, events } = what;
  for (const node of statement.transitionRels ?? []) {
    const transition = (node as { TriggerTransition: { name?: string; isNew?: boolean; isTable?: boolean } })
      .TriggerTransition;
    const invalid = (message: string): DbError => new DbError('invalid_object_definition', message);
    if (transition.isTable !== true)
      throw new DbError(
        'feature_not_supported',
        'ROW variable naming in the REFERENCING clause is not supported',
        {
          hint: 'Use OLD TABLE or NEW TABLE for naming transition tables.',
        },
      );
    if (relation.kind === 'v')
      throw new DbError('wrong_object_type', `"${relation.name}" is a view`, {
        detail: 'Triggers on views cannot have transition tables.',
      });
    if (timing !== 0) throw invalid('transition table name can only be specified for an AFTER trigger');
    if ((events & TRIGGER_TRUNCATE) !== 0)
      throw invalid('TRUNCATE triggers with transition tables are not supported');
    const count = [TRIGGER_INSERT, TRIGGER_UPDATE, TRIGGER_DELETE].filter(
      (bit) => (events & bit) !== 0,
    ).length;
    if (count !== 1)
      throw new DbError(
        'feature_not_supported',
        'transition tables cannot be specified for triggers with more than one event',
      );
    if ((statement.columns ?? []).length > 0)
      throw new DbError(
        'feature_not_supported',
        'transition tables cannot be specified for triggers with column lists',
      );
    if (what.isConstraint)
      throw new DbError('feature_not_supported', 'constraint triggers cannot have transition tables');
    if (transition.isNew === true) {
      if ((events & (TRIGGER_INSERT | TRIGGER_UPDATE)) === 0)
        throw invalid('NEW TABLE can only be specified for an INSERT or UPDATE trigger');
      if (newTable !== null) throw invalid('NEW TABLE cannot be specified multiple times');
      newTable = transition.name ?? '';
    } else {
      if ((events & (TRIGGER_DELETE | TRIGGER_UPDATE)) === 0)
        throw invalid('OLD TABLE can only be specified for a DELETE or UPDATE trigger');
      if (oldTable !== null) throw invalid('OLD TABLE cannot be specified multiple times');
      oldTable = transition.name ?? '';
    }
  }
  if (oldTable !== null && oldTable === newTable)
    throw new DbError('invalid_object_definition', 'OLD TABLE name and NEW TABLE name cannot be the same');
  return { oldTable, newTable };
}

function whenCondition(
  ddl: Ddl,
  statement: CreateTrigStmt,
  relation: RelationDescriptor,
  what: { events: number; isRow: boolean; timing: number },
): { serialised: string; addresses: DependencyCollector['addresses'] } | null {
  if (statement.whenClause === undefined) return null;
  const expr = ddl.context.sql.triggerCondition(statement.whenClause, relation, {
    isRow: what.isRow,
    hasInsert: (what.events & TRIGGER_INSERT) !== 0,
    hasDelete: (what.events & TRIGGER_DELETE) !== 0,
    isBefore: what.timing === TRIGGER_BEFORE,
  });
  const collector = new DependencyCollector();
  collector.expression(expr, relation.oid);
  collector.triggerExpression(expr, relation.oid);
  return { serialised: serialiseExpr(expr), addresses: collector.addresses };
}

function updateColumns(statement: CreateTrigStmt, relation: RelationDescriptor): number[] {
  const columns: number[] = [];
  for (const node of statement.columns ?? []) {
    const name = stringOf(node);
    const column = relation.columns.find((item) => item.name === name && !item.dropped);
    if (column === undefined)
      throw new DbError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
    if (columns.includes(column.number))
      throw new DbError('duplicate_column', `column "${name}" specified more than once`);
    columns.push(column.number);
  }
  return columns;
}

function triggerFunction(ddl: Ddl, statement: CreateTrigStmt): Oid {
  const names = stringsOf(statement.funcname);
  const schema = names.length > 1 ? names.at(-2)! : null;
  if (schema !== null && ddl.reader.namespaceByName(schema) === null)
    throw new DbError('invalid_schema_name', `schema "${schema}" does not exist`);
  const found = ddl.reader
    .functionsByName(schema, names.at(-1)!, ddl.path)
    .find(({ argumentTypes }) => argumentTypes.length === 0);
  if (found === undefined)
    throw new DbError('undefined_function', `function ${names.join('.')}() does not exist`);
  if (!ddl.reader.hasObjectPrivilege(ddl.role, 'function', found.oid, 'EXECUTE'))
    throw new DbError('insufficient_privilege', `permission denied for function ${found.name}`);
  if (found.returnType !== TRIGGER_TYPE)
    throw new DbError(
      'invalid_object_definition',
      `function ${names.join('.')} must return type ${formatType(ddl.reader, TRIGGER_TYPE, { path: ddl.path })}`,
    );
  return found.oid;
}

/** The pg_constraint row of a constraint trigger. */
function createConstraint(
  ddl: Ddl,
  relation: RelationDescriptor,
  name: string,
  statement: CreateTrigStmt,
  triggerOid: Oid,
): Oid {
  void triggerOid;
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_constraint',
    makeRow(PG_CONSTRAINT, {
      oid,
      conname: name,
      connamespace: relation.namespaceOid,
      contype: 't',
      condeferrable: statement.deferrable === true,
      condeferred: statement.initdeferred === true,
      convalidated: true,
      conrelid: relation.oid,
      contypid: 0,
      conindid: 0,
      conparentid: 0,
      confrelid: 0,
      confupdtype: ' ',
      confdeltype: ' ',
      confmatchtype: ' ',
      conislocal: true,
      coninhcount: 0,
      connoinherit: true,
    }),
  );
  ddl.writer.dependOn(address(CLASS_OID.constraint, oid), address(CLASS_OID.relation, relation.oid), 'a');
  return oid;
}

const ENABLED: Readonly<Record<string, 'O' | 'D' | 'R' | 'A'>> = {
  AT_EnableTrig: 'O',
  AT_EnableTrigAll: 'O',
  AT_EnableTrigUser: 'O',
  AT_EnableAlwaysTrig: 'A',
  AT_EnableReplicaTrig: 'R',
  AT_DisableTrig: 'D',
  AT_DisableTrigAll: 'D',
  AT_DisableTrigUser: 'D',
};

export function isTriggerAction(subtype: string | undefined): boolean {
  return subtype !== undefined && subtype in ENABLED;
}

/** ALTER TABLE … ENABLE | DISABLE TRIGGER. */
export function enableTrigger(ddl: Ddl, relationOid: Oid, subtype: string, name: string | undefined): void {
  const enabled = ENABLED[subtype]!;
  const isAll = subtype.endsWith('All') || subtype.endsWith('User');
  let found = false;
  for (const { key, values } of [...ddl.reader.view.find('pg_trigger', 'relation', relationOid)]) {
    if (!isAll && values[PG_TRIGGER.tgname] !== name) continue;
    found = true;
    if (values[PG_TRIGGER.tgenabled] !== enabled)
      ddl.writer.update('pg_trigger', key, { [PG_TRIGGER.tgenabled]: enabled });
  }
  if (!found && !isAll)
    throw new DbError(
      'undefined_object',
      `trigger "${name}" for table "${ddl.current(relationOid).name}" does not exist`,
    );
}

/** DROP TRIGGER and friends: the trigger of a table by name. */
export function findTrigger(ddl: Ddl, relation: RelationDescriptor, name: string): Oid | null {
  const row = ddl.reader.view
    .find('pg_trigger', 'relation', relation.oid)
    .find(({ values }) => values[PG_TRIGGER.tgname] === name);
  return row === undefined ? null : (row.key as number);
}

export async function renameTrigger(
  ddl: Ddl,
  relation: RelationDescriptor,
  oldName: string,
  newName: string,
): Promise<void> {
  ddl.requireRelationOwner(relation);
  const oid = findTrigger(ddl, relation, oldName);
  if (oid === null)
    throw new DbError('undefined_object', `trigger "${oldName}" for table "${relation.name}" does not exist`);
  if (oldName !== newName && findTrigger(ddl, relation, newName) !== null)
    throw new DbError(
      'duplicate_object',
      `trigger "${newName}" for relation "${relation.name}" already exists`,
    );
  ddl.writer.update('pg_trigger', oid, { [PG_TRIGGER.tgname]: newName });
}

export type { Node };
export { notSupported };
