/**
 * ALTER TABLE (and ALTER INDEX, VIEW, SEQUENCE where they share its syntax).
 *
 * Commands run in passes, as in PostgreSQL: drops first, then types, new columns, constraints' indexes, the rest, so that
 * one statement may drop a column and add another of its name.
 */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { ColumnDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import {
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_DEPEND,
  PG_INDEX,
} from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { describeColumns, strings } from '../../catalog/describe.ts';
import { address } from '../../catalog/mutations.ts';
import { RELATION_KIND_NAMES } from '../../catalog/object-names.ts';
import type { AlterTableCmd, AlterTableStmt, Constraint, Node, RangeVar } from '../../sql/parse/nodes.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { addColumn, addIdentity, alterDefault, alterIdentity, dropColumn } from './alter-column.ts';
import { alterColumnType } from './alter-type.ts';
import { type Ddl, defElems, integerOption, rangeVarName } from './common.ts';
import { validateCheck, validateForeignKey, validateNotNull } from './constraints.ts';
import type { UtilityResult } from './contract.ts';
import {
  applyConstraint,
  columnDefinition,
  columnMap,
  deferralOf,
  optionText,
  remap,
} from './create-table.ts';
import { enableTrigger, isTriggerAction } from './create-trigger.ts';
import {
  addInheritance,
  attributeKey,
  dropInheritance,
  isPartitionOf,
  lockedChildren,
  releaseColumn,
} from './inheritance.ts';
import { changeOwner } from './ownership.ts';
import { setRowSecurity } from './publication.ts';
import { enableRule, isRuleAction } from './rules.ts';
import { refuseTypedTable, refuseTypeInUse } from './typed-table.ts';

/** Order of passes; lower runs first. */
function passOf(command: AlterTableCmd): number {
  switch (command.subtype) {
    case 'AT_DropColumn':
    case 'AT_DropConstraint':
    case 'AT_DropNotNull':
    case 'AT_DropExpression':
    case 'AT_DropIdentity':
      return 0;
    case 'AT_AlterColumnType':
      return 1;
    case 'AT_AddColumn':
      return 3;
    case 'AT_ColumnDefault':
      return command.def === undefined ? 0 : 4;
    case 'AT_AddIdentity':
    case 'AT_SetIdentity':
    case 'AT_SetNotNull':
      return 4;
    case 'AT_AddConstraint': {
      const kind =
        command.def !== undefined && 'Constraint' in command.def ? command.def.Constraint.contype : undefined;
      return kind === 'CONSTR_FOREIGN' ? 7 : kind === 'CONSTR_PRIMARY' || kind === 'CONSTR_UNIQUE' ? 5 : 6;
    }
    default:
      return 8;
  }
}

const TAGS: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'ALTER TABLE',
  OBJECT_INDEX: 'ALTER INDEX',
  OBJECT_VIEW: 'ALTER VIEW',
  OBJECT_SEQUENCE: 'ALTER SEQUENCE',
  OBJECT_MATVIEW: 'ALTER MATERIALIZED VIEW',
  OBJECT_TYPE: 'ALTER TYPE',
  OBJECT_FOREIGN_TABLE: 'ALTER FOREIGN TABLE',
};

export async function alterTable(ddl: Ddl, statement: AlterTableStmt): Promise<UtilityResult> {
  const result = { tag: TAGS[statement.objtype ?? 'OBJECT_TABLE'] ?? 'ALTER TABLE' };
  const target = statement.relation!;
  const commands = (statement.cmds ?? []).flatMap((node) =>
    'AlterTableCmd' in node ? [node.AlterTableCmd] : [],
  );
  const onlyForeign = commands.every(
    (command) => passOf(command) === 7 || command.subtype === 'AT_ValidateConstraint',
  );
  const relation = await ddl.relationIfExists(target, onlyForeign ? 'ShareRowExclusive' : 'AccessExclusive');
  if (relation === null) {
    if (statement.missing_ok !== true) throw ddl.undefinedRelation(target);
    ddl.notice(`relation "${rangeVarName(target)}" does not exist, skipping`);
    return result;
  }
  ddl.requireRelationOwner(relation);
  const wanted = statement.objtype;
  const isOfKind =
    wanted === 'OBJECT_TABLE' ||
    (wanted === 'OBJECT_INDEX' && relation.kind === 'i') ||
    (wanted === 'OBJECT_VIEW' && relation.kind === 'v') ||
    (wanted === 'OBJECT_SEQUENCE' && relation.kind === 'S') ||
    (wanted === 'OBJECT_MATVIEW' && relation.kind === 'm') ||
    (wanted === 'OBJECT_TYPE' && relation.kind === 'c');
  if (!isOfKind)
    throw new DbError(
      'wrong_object_type',
      `"${relation.name}" is not ${wanted === 'OBJECT_INDEX' ? 'an index' : `a ${(wanted ?? '').replace('OBJECT_', '').replace('MATVIEW', 'materialized view').toLowerCase()}`}`,
    );
  const ordered = commands
    .map((command, index) => ({ command, index, pass: passOf(command) }))
    .sort((a, b) => a.pass - b.pass || a.index - b.index);
  for (const { command } of ordered) {
    refuseTypedTable(ddl, relation.oid, command.subtype ?? '');
    refuseTypeInUse(ddl, relation.oid, command.subtype ?? '', command.behavior === 'DROP_CASCADE');
  }
  // Type changes of one statement rewrite the table once.
  const typeChanges = ordered.filter(({ command }) => command.subtype === 'AT_AlterColumnType');
  let areTypesDone = false;
  for (const { command, pass } of ordered) {
    if (pass === 1) {
      if (!areTypesDone)
        await alterTypes(
          ddl,
          relation.oid,
          typeChanges.map((item) => item.command),
          target.inh === true,
        );
      areTypesDone = true;
    } else await runRecursively(ddl, relation.oid, command, target.inh === true);
  }
  return result;
}

/** Changes of types go down the whole tree; a column that only parents give is changed there. */
async function alterTypes(
  ddl: Ddl,
  oid: Oid,
  commands: readonly AlterTableCmd[],
  recurse: boolean,
  isChild = false,
): Promise<void> {
  const relation = ddl.current(oid);
  if (!isChild) {
    for (const command of commands) {
      const column = relation.columns.find(({ name, dropped }) => name === command.name && !dropped);
      if (column !== undefined && inheritCount(ddl, oid, column) > 0)
        throw new DbError('invalid_table_definition', `cannot alter inherited column "${column.name}"`);
    }
    if (!recurse && relation.children.length > 0)
      throw new DbError(
        'invalid_table_definition',
        `type of inherited column "${commands[0]!.name}" must be changed in child tables too`,
      );
  }
  await alterColumnType(ddl, oid, commands);
  if (recurse)
    for (const child of await lockedChildren(ddl, oid)) {
      for (const command of commands) {
        const column = child.columns.find(({ name, dropped }) => name === command.name && !dropped);
        if (column !== undefined && inheritCount(ddl, child.oid, column) > 1)
          throw new DbError('invalid_table_definition', `cannot alter inherited column "${column.name}"`);
      }
      await alterTypes(ddl, child.oid, commands, true, true);
    }
}

function inheritCount(ddl: Ddl, oid: Oid, column: ColumnDescriptor): number {
  return ddl.writer.row('pg_attribute', attributeKey(oid, column.number))[PG_ATTRIBUTE.attinhcount] as number;
}

/** Commands that simply repeat on every child. */
const REPEATED: ReadonlySet<string> = new Set([
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
  'AT_SetStatistics',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_DropExpression',
  'AT_SetOptions',
  'AT_ResetOptions',
]);

/** One command on a table and, where it concerns them, on its children. */
async function runRecursively(
  ddl: Ddl,
  oid: Oid,
  command: AlterTableCmd,
  recurse: boolean,
  isChild = false,
): Promise<void> {
  const relation = ddl.current(oid);
  const subtype = command.subtype ?? '';
  switch (subtype) {
    case 'AT_AddColumn':
      return addColumnRecursively(ddl, relation, command, recurse, isChild);
    case 'AT_DropColumn':
      return dropColumnRecursively(ddl, relation, command, recurse);
    case 'AT_AddConstraint': {
      const constraint = (command.def as { Constraint: Constraint }).Constraint;
      if (constraint.contype !== 'CONSTR_CHECK' || constraint.is_no_inherit === true) break;
      return addCheckRecursively(ddl, relation, command, recurse);
    }
    case 'AT_DropConstraint':
      return dropConstraintRecursively(ddl, relation, command, recurse);
    case 'AT_ValidateConstraint': {
      const constraint = relation.constraints.find(({ name }) => name === command.name);
      if (constraint?.kind !== 'c' || relation.children.length === 0) break;
      if (!recurse)
        throw new DbError('invalid_table_definition', 'constraint must be validated on child tables too');
      for (const child of await lockedChildren(ddl, oid))
        await runRecursively(ddl, child.oid, command, true, true);
      break;
    }
    case 'AT_AddInherit':
      return addInheritance(ddl, relation, (command.def as { RangeVar: RangeVar }).RangeVar);
    case 'AT_DropInherit':
      return dropInheritance(ddl, relation, (command.def as { RangeVar: RangeVar }).RangeVar);
    default:
      break;
  }
  await runCommand(ddl, oid, command);
  if (recurse && REPEATED.has(subtype))
    for (const child of await lockedChildren(ddl, oid))
      await runRecursively(ddl, child.oid, command, true, true);
}

async function addColumnRecursively(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
  recurse: boolean,
  isChild: boolean,
): Promise<void> {
  const { colname } = (command.def as { ColumnDef: { colname?: string } }).ColumnDef;
  const existing = relation.columns.find(({ name, dropped }) => name === colname && !dropped);
  if (!isChild && isPartitionOf(ddl, relation.oid))
    throw new DbError('wrong_object_type', 'cannot add column to a partition');
  if (isChild && existing !== undefined) {
    // The child has it already: one more parent gives it.
    const wanted = columnDefinition(
      ddl,
      (command.def as { ColumnDef: Parameters<typeof columnDefinition>[1] }).ColumnDef,
      relation.name,
    ).spec;
    if (existing.typeOid !== wanted.typeOid || existing.typmod !== wanted.typmod)
      throw new DbError(
        'datatype_mismatch',
        `child table "${relation.name}" has different type for column "${colname}"`,
      );
    if (existing.collation !== wanted.collation)
      throw new DbError(
        'collation_mismatch',
        `child table "${relation.name}" has different collation for column "${colname}"`,
      );
    ddl.writer.update('pg_attribute', attributeKey(relation.oid, existing.number), {
      [PG_ATTRIBUTE.attinhcount]: inheritCount(ddl, relation.oid, existing) + 1,
    });
    ddl.notice(`merging definition of column "${colname}" for child "${relation.name}"`);
    return;
  }
  const isSkipped = existing !== undefined && command.missing_ok === true;
  await runCommand(ddl, relation.oid, command);
  if (isSkipped) return;
  const added = ddl.current(relation.oid).columns.find(({ name, dropped }) => name === colname && !dropped);
  if (isChild && added !== undefined)
    ddl.writer.update('pg_attribute', attributeKey(relation.oid, added.number), {
      [PG_ATTRIBUTE.attinhcount]: 1,
      [PG_ATTRIBUTE.attislocal]: false,
    });
  if (ddl.current(relation.oid).children.length === 0) return;
  if (!recurse) throw new DbError('invalid_table_definition', 'column must be added to child tables too');
  for (const child of await lockedChildren(ddl, relation.oid))
    await addColumnRecursively(ddl, child, command, true, true);
}

async function dropColumnRecursively(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
  recurse: boolean,
  isChild = false,
): Promise<void> {
  const column = relation.columns.find(({ name, dropped }) => name === command.name && !dropped);
  if (column !== undefined && !isChild && inheritCount(ddl, relation.oid, column) > 0)
    throw new DbError('invalid_table_definition', `cannot drop inherited column "${column.name}"`);
  if (column !== undefined)
    for (const child of await lockedChildren(ddl, relation.oid)) {
      const own = child.columns.find(({ name, dropped }) => name === command.name && !dropped);
      if (own === undefined) continue;
      if (recurse) {
        if (releaseColumn(ddl, child.oid, own.number))
          await dropColumnRecursively(ddl, child, command, true, true);
      } else {
        // ONLY: the column becomes the child's own.
        const key = attributeKey(child.oid, own.number);
        ddl.writer.update('pg_attribute', key, {
          [PG_ATTRIBUTE.attinhcount]: inheritCount(ddl, child.oid, own) - 1,
          [PG_ATTRIBUTE.attislocal]: true,
        });
      }
    }
  await runCommand(ddl, relation.oid, command);
}

async function addCheckRecursively(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
  recurse: boolean,
): Promise<void> {
  const before = new Set(relation.constraints.map(({ oid }) => oid));
  await runCommand(ddl, relation.oid, command);
  const changed = ddl.current(relation.oid);
  const added = changed.constraints.find(({ oid }) => !before.has(oid));
  if (added === undefined || changed.children.length === 0) return;
  if (!recurse) throw new DbError('invalid_table_definition', 'constraint must be added to child tables too');
  const { Constraint: constraint } = command.def as { Constraint: Constraint };
  const named = { ...command, def: { Constraint: { ...constraint, conname: added.name } } };
  for (const child of await lockedChildren(ddl, relation.oid)) {
    const known = child.constraints.find(({ name }) => name === added.name);
    if (known === undefined) {
      await addCheckRecursively(ddl, child, named, true);
      const own = ddl.current(child.oid).constraints.find(({ name }) => name === added.name);
      if (own !== undefined)
        ddl.writer.update('pg_constraint', own.oid, {
          [PG_CONSTRAINT.conislocal]: false,
          [PG_CONSTRAINT.coninhcount]: 1,
        });
      continue;
    }
    if (
      known.kind !== 'c' ||
      known.expression !== serialiseExpr(remap(added.expression!, columnMap(changed, child)))
    )
      throw new DbError(
        'duplicate_object',
        `constraint "${added.name}" for relation "${child.name}" already exists`,
      );
    ddl.notice(`merging constraint "${added.name}" with inherited definition`);
    ddl.writer.update('pg_constraint', known.oid, {
      [PG_CONSTRAINT.coninhcount]:
        (ddl.writer.row('pg_constraint', known.oid)[PG_CONSTRAINT.coninhcount] as number) + 1,
    });
  }
}

async function dropConstraintRecursively(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
  recurse: boolean,
  isChild = false,
): Promise<void> {
  const constraint = relation.constraints.find(({ name }) => name === command.name);
  if (constraint !== undefined) {
    const row = ddl.writer.row('pg_constraint', constraint.oid);
    if (!isChild && (row[PG_CONSTRAINT.coninhcount] as number) > 0)
      throw new DbError(
        'invalid_table_definition',
        `cannot drop inherited constraint "${constraint.name}" of relation "${relation.name}"`,
      );
    if (constraint.kind === 'c' && row[PG_CONSTRAINT.connoinherit] !== true)
      for (const child of await lockedChildren(ddl, relation.oid)) {
        const own = child.constraints.find(({ name, kind }) => name === command.name && kind === 'c');
        if (own === undefined) continue;
        const ownRow = ddl.writer.row('pg_constraint', own.oid);
        const count = (ownRow[PG_CONSTRAINT.coninhcount] as number) - 1;
        if (recurse && count <= 0 && ownRow[PG_CONSTRAINT.conislocal] !== true)
          await dropConstraintRecursively(ddl, child, command, true, true);
        else
          ddl.writer.update('pg_constraint', own.oid, {
            [PG_CONSTRAINT.coninhcount]: Math.max(0, count),
            [PG_CONSTRAINT.conislocal]: recurse ? ownRow[PG_CONSTRAINT.conislocal]! : true,
          });
      }
  }
  await runCommand(ddl, relation.oid, command);
}

export function requireColumn(relation: RelationDescriptor, name: string): ColumnDescriptor {
  const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
  if (column !== undefined) return column;
  if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(name))
    throw new DbError('feature_not_supported', `cannot alter system column "${name}"`);
  throw new DbError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
}

export function requireTable(relation: RelationDescriptor, action: string): void {
  if (relation.kind === 'r') return;
  throw new DbError(
    'wrong_object_type',
    `ALTER action ${action} cannot be performed on relation "${relation.name}"`,
    {
      detail: `This operation is not supported for ${RELATION_KIND_NAMES[relation.kind]?.replace(/x$/, 'xe')}s.`,
    },
  );
}

/** Tells storage about changed columns. */
export function syncStorage(ddl: Ddl, relationOid: Oid): void {
  const { table } = ddl.current(relationOid);
  if (table !== null) ddl.context.tables.alterTable(ddl.context.transaction, table);
}

async function runCommand(ddl: Ddl, oid: Oid, command: AlterTableCmd): Promise<void> {
  const relation = ddl.current(oid);
  const { writer } = ddl;
  switch (command.subtype) {
    case 'AT_AddColumn':
      await addColumn(ddl, relation, command);
      return;
    case 'AT_DropColumn':
      await dropColumn(ddl, relation, command);
      return;
    case 'AT_ColumnDefault':
      await alterDefault(ddl, relation, command);
      return;
    case 'AT_SetNotNull': {
      requireTable(relation, 'ALTER COLUMN ... SET NOT NULL');
      const column = requireColumn(relation, command.name!);
      if (column.notNull) return;
      await validateNotNull(ddl, relation, column.number);
      writer.update('pg_attribute', oid * 4096 + column.number, { [PG_ATTRIBUTE.attnotnull]: true });
      syncStorage(ddl, oid);
      return;
    }
    case 'AT_DropNotNull': {
      requireTable(relation, 'ALTER COLUMN ... DROP NOT NULL');
      const column = requireColumn(relation, command.name!);
      if (column.identity !== '')
        throw new DbError(
          'syntax_error',
          `column "${column.name}" of relation "${relation.name}" is an identity column`,
        );
      if (relation.indexes.some((index) => index.primary && index.keyColumns.includes(column.number)))
        throw new DbError('invalid_table_definition', `column "${column.name}" is in a primary key`);
      if (!column.notNull) return;
      writer.update('pg_attribute', oid * 4096 + column.number, { [PG_ATTRIBUTE.attnotnull]: false });
      syncStorage(ddl, oid);
      return;
    }
    case 'AT_AddConstraint': {
      requireTable(relation, 'ADD CONSTRAINT');
      const constraint = (command.def as { Constraint: Constraint }).Constraint;
      const deferral = deferralOf(constraint);
      for (const phase of ['checks', 'keys', 'foreign'] as const)
        await applyConstraint(ddl, oid, constraint, deferral, { isNewTable: false, phase, columnName: null });
      return;
    }
    case 'AT_DropConstraint': {
      const constraint = relation.constraints.find(({ name }) => name === command.name);
      if (constraint === undefined) {
        if (command.missing_ok !== true)
          throw new DbError(
            'undefined_object',
            `constraint "${command.name}" of relation "${relation.name}" does not exist`,
          );
        ddl.notice(`constraint "${command.name}" of relation "${relation.name}" does not exist, skipping`);
        return;
      }
      if (constraint.foreign !== null) await ddl.lock(constraint.foreign.referencedOid, 'AccessExclusive');
      await ddl.drop([address(CLASS_OID.constraint, constraint.oid)], command.behavior === 'DROP_CASCADE');
      return;
    }
    case 'AT_ValidateConstraint':
      await validateConstraint(ddl, relation, command.name!);
      return;
    case 'AT_AlterConstraint': {
      const alter = (
        command.def as {
          ATAlterConstraint: { conname?: string; deferrable?: boolean; initdeferred?: boolean };
        }
      ).ATAlterConstraint;
      const constraint = relation.constraints.find(({ name }) => name === alter.conname);
      if (constraint === undefined)
        throw new DbError(
          'undefined_object',
          `constraint "${alter.conname}" of relation "${relation.name}" does not exist`,
        );
      if (constraint.kind !== 'f')
        throw new DbError(
          'wrong_object_type',
          `constraint "${alter.conname}" of relation "${relation.name}" is not a foreign key constraint`,
        );
      writer.update('pg_constraint', constraint.oid, {
        [PG_CONSTRAINT.condeferrable]: alter.deferrable === true,
        [PG_CONSTRAINT.condeferred]: alter.initdeferred === true,
      });
      return;
    }
    case 'AT_ChangeOwner':
      await changeOwner(ddl, oid, ddl.roleOid(command.newowner));
      return;
    case 'AT_AddIdentity':
      await addIdentity(ddl, relation, command);
      return;
    case 'AT_SetIdentity':
      await alterIdentity(ddl, relation, command);
      return;
    case 'AT_DropIdentity': {
      const column = requireColumn(relation, command.name!);
      if (column.identity === '') {
        const message = `column "${column.name}" of relation "${relation.name}" is not an identity column`;
        if (command.missing_ok !== true) throw new DbError('object_not_in_prerequisite_state', message);
        ddl.notice(`${message}, skipping`);
        return;
      }
      writer.update('pg_attribute', oid * 4096 + column.number, { [PG_ATTRIBUTE.attidentity]: '' });
      if (column.sequenceOid !== 0) {
        writer.removeDependenciesOf(
          address(CLASS_OID.relation, column.sequenceOid),
          (row) => row[PG_DEPEND.deptype] === 'i',
        );
        await ddl.dropRelation(column.sequenceOid, false);
      }
      return;
    }
    case 'AT_DropExpression': {
      const column = requireColumn(relation, command.name!);
      if (column.generated === '') {
        const message = `column "${column.name}" of relation "${relation.name}" is not a stored generated column`;
        if (command.missing_ok !== true) throw new DbError('object_not_in_prerequisite_state', message);
        ddl.notice(`${message}, skipping`);
        return;
      }
      const stored = attributeDefault(ddl, relation, column.number)!;
      writer.removeDependenciesOf(address(CLASS_OID.attributeDefault, stored));
      writer.remove('pg_attrdef', stored);
      writer.update('pg_attribute', oid * 4096 + column.number, {
        [PG_ATTRIBUTE.atthasdef]: false,
        [PG_ATTRIBUTE.attgenerated]: '',
      });
      return;
    }
    case 'AT_SetStatistics': {
      const value = integerOption({ defname: 'statistics', arg: command.def });
      const column =
        command.name === undefined ? null : requireColumnOrIndexColumn(ddl, relation, command.name);
      const attnum = column?.number ?? command.num ?? 0;
      writer.update('pg_attribute', oid * 4096 + attnum, { [PG_ATTRIBUTE.attstattarget]: Number(value) });
      return;
    }
    case 'AT_SetStorage': {
      const column = requireColumn(relation, command.name!);
      const kind =
        (command.def as { String?: { sval?: string } } | undefined)?.String?.sval?.toLowerCase() ?? '';
      const letter = { plain: 'p', external: 'e', extended: 'x', main: 'm' }[kind];
      if (letter === undefined)
        throw new DbError('invalid_parameter_value', `invalid storage type "${kind}"`);
      writer.update('pg_attribute', oid * 4096 + column.number, { [PG_ATTRIBUTE.attstorage]: letter });
      return;
    }
    case 'AT_SetCompression':
      // Our storage chooses its own compression; the name is remembered only by PostgreSQL.
      return;
    case 'AT_SetOptions':
    case 'AT_ResetOptions': {
      const column = requireColumn(relation, command.name!);
      const row = writer.row('pg_attribute', oid * 4096 + column.number);
      writer.update('pg_attribute', oid * 4096 + column.number, {
        [PG_ATTRIBUTE.attoptions]: mergeOptions(
          row[PG_ATTRIBUTE.attoptions]!,
          command.def,
          command.subtype === 'AT_ResetOptions',
        ),
      });
      return;
    }
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
    case 'AT_ReplaceRelOptions': {
      const row = writer.row('pg_class', oid);
      writer.update('pg_class', oid, {
        [PG_CLASS.reloptions]: mergeOptions(
          command.subtype === 'AT_ReplaceRelOptions' ? null : row[PG_CLASS.reloptions]!,
          command.def,
          command.subtype === 'AT_ResetRelOptions',
        ),
      });
      return;
    }
    case 'AT_ReplicaIdentity': {
      const identity = (
        command.def as { ReplicaIdentityStmt?: { identity_type?: string; name?: string } } | undefined
      )?.ReplicaIdentityStmt;
      let chosen = 0;
      if (identity?.identity_type === 'i') {
        chosen = requireIndexOf(ddl, relation, identity.name!);
        requireIdentityIndex(relation, chosen);
      }
      writer.update('pg_class', oid, { [PG_CLASS.relreplident]: identity?.identity_type ?? 'd' });
      markIndexes(ddl, relation, PG_INDEX.indisreplident, chosen);
      return;
    }
    case 'AT_ClusterOn': {
      const index = requireIndexOf(ddl, relation, command.name!);
      markIndexes(ddl, relation, PG_INDEX.indisclustered, index);
      return;
    }
    case 'AT_DropCluster':
      markIndexes(ddl, relation, PG_INDEX.indisclustered, 0);
      return;
    case 'AT_DropOids':
    case 'AT_SetTableSpace':
    case 'AT_SetAccessMethod':
      return;
    case 'AT_SetLogged':
    case 'AT_SetUnLogged': {
      const persistence = command.subtype === 'AT_SetLogged' ? 'p' : 'u';
      if (relation.persistence === 't')
        throw new DbError(
          'invalid_table_definition',
          `cannot change logged status of table "${relation.name}" because it is temporary`,
        );
      if (relation.persistence === persistence) return;
      writer.update('pg_class', oid, { [PG_CLASS.relpersistence]: persistence });
      for (const index of relation.indexes)
        writer.update('pg_class', index.oid, { [PG_CLASS.relpersistence]: persistence });
      syncStorage(ddl, oid);
      return;
    }
    case 'AT_EnableRowSecurity':
    case 'AT_DisableRowSecurity':
    case 'AT_ForceRowSecurity':
    case 'AT_NoForceRowSecurity':
      setRowSecurity(ddl, oid, command.subtype);
      return;
    default:
      if (isTriggerAction(command.subtype)) {
        enableTrigger(ddl, oid, command.subtype!, command.name);
        return;
      }
      if (isRuleAction(command.subtype)) {
        enableRule(ddl, oid, command.subtype!, command.name);
        return;
      }
      throw notSupported(`ALTER TABLE action ${(command.subtype ?? '').replace('AT_', '')}`);
  }
}

/** An index of the table by name; 42704 when it is none of its. */
function requireIndexOf(ddl: Ddl, relation: RelationDescriptor, name: string): Oid {
  const oid = ddl.reader.relationOid(relation.namespaceOid, name);
  if (oid === null)
    throw new DbError('undefined_object', `index "${name}" for table "${relation.name}" does not exist`);
  const row = ddl.reader.view.get('pg_index', oid)?.values;
  if (row === undefined || row[PG_INDEX.indrelid] !== relation.oid)
    throw new DbError('wrong_object_type', `"${name}" is not an index for table "${relation.name}"`);
  return oid;
}

/** Sets a flag of one of a table's indexes and takes it from the others. */
function markIndexes(ddl: Ddl, relation: RelationDescriptor, column: number, chosen: Oid): void {
  for (const { key, values } of ddl.reader.view.find('pg_index', 'table', relation.oid))
    if (values[column] !== (key === chosen)) ddl.writer.update('pg_index', key, { [column]: key === chosen });
}

/** A replica identity names rows: unique, immediate, whole, without NULLs. */
function requireIdentityIndex(relation: RelationDescriptor, oid: Oid): void {
  const index = relation.indexes.find((candidate) => candidate.oid === oid);
  const refusal = (message: string): DbError => new DbError('wrong_object_type', message);
  if (index === undefined || !index.unique)
    throw refusal(`cannot use non-unique index "${index?.name ?? oid}" as replica identity`);
  if (index.keyColumns.includes(0))
    throw refusal(`cannot use expression index "${index.name}" as replica identity`);
  if (index.predicate !== null) throw refusal(`cannot use partial index "${index.name}" as replica identity`);
  for (const attnum of index.keyColumns) {
    const column = relation.columns[attnum - 1]!;
    if (!column.notNull)
      throw refusal(
        `index "${index.name}" cannot be used as replica identity because column "${column.name}" is nullable`,
      );
  }
}

function requireColumnOrIndexColumn(ddl: Ddl, relation: RelationDescriptor, name: string): ColumnDescriptor {
  if (relation.kind !== 'i') return requireColumn(relation, name);
  const found = describeColumns(ddl.reader.view, relation.oid).find(({ column }) => column.name === name);
  if (found === undefined)
    throw new DbError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
  return found.column;
}

/** `name=value` options after SET or RESET. */
export function mergeOptions(old: Datum, definition: Node | undefined, isReset: boolean): Datum {
  const items = definition !== undefined && 'List' in definition ? defElems(definition.List.items) : [];
  const options = new Map((strings(old) ?? []).map((item) => [item.slice(0, item.indexOf('=')), item]));
  for (const item of items) {
    const name = item.defname ?? '';
    if (isReset) options.delete(name);
    else options.set(name, `${name}=${optionText(item.arg)}`);
  }
  return options.size === 0 ? null : new SqlArray(25, [...options.values()]);
}

/** Oid of a column's pg_attrdef row. */
export function attributeDefault(ddl: Ddl, relation: RelationDescriptor, attnum: number): Oid | null {
  const row = ddl.reader.view
    .find('pg_attrdef', 'relation', relation.oid)
    .find(({ values }) => values[PG_ATTRDEF.adnum] === attnum);
  return row === undefined ? null : (row.key as number);
}

// ---------------------------------------------------------------------------------------------------------- validate

async function validateConstraint(ddl: Ddl, relation: RelationDescriptor, name: string): Promise<void> {
  const constraint = relation.constraints.find((candidate) => candidate.name === name);
  if (constraint === undefined)
    throw new DbError(
      'undefined_object',
      `constraint "${name}" of relation "${relation.name}" does not exist`,
    );
  if (constraint.kind !== 'f' && constraint.kind !== 'c')
    throw new DbError(
      'wrong_object_type',
      `constraint "${name}" of relation "${relation.name}" is not a foreign key or check constraint`,
    );
  if (constraint.validated) return;
  if (constraint.foreign !== null) {
    await ddl.lock(constraint.foreign.referencedOid, 'RowShare');
    await validateForeignKey(ddl, relation, name, {
      referenced: ddl.current(constraint.foreign.referencedOid),
      referencedColumns: constraint.foreign.referencedColumns,
      columns: constraint.columns,
      match: constraint.foreign.match,
    });
  } else
    await validateCheck(
      ddl,
      relation,
      name,
      ddl.context.sql.parseExpression(
        ddl.context.sql.deparseExpression(constraint.expression!, relation, ddl.reader),
      ),
    );
  ddl.writer.update('pg_constraint', constraint.oid, { [PG_CONSTRAINT.convalidated]: true });
}

/** SET DEFAULT is analysed late in PostgreSQL, where the statement's text is no longer known. */
export function withoutPosition<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof DbError) delete error.fields.position;
    throw error;
  }
}
