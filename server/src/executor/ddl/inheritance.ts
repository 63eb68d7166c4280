/**
 * INHERITS: columns, defaults and checks a child takes over; ALTER TABLE … INHERIT and NO INHERIT; which commands go on to children.
 *
 * A column counts how many parents give it (attinhcount) and whether the child's own definition names it (attislocal); a check
 * constraint does the same (coninhcount, conislocal). What only parents give goes when the last of them goes.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { ColumnDescriptor, ConstraintDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { PG_ATTRIBUTE, PG_CLASS, PG_CONSTRAINT, PG_INHERITS } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import type { Node, RangeVar } from '../../sql/parse/nodes.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import type { Ddl } from './common.ts';
import { addCheck } from './constraints.ts';
import { type ColumnDefinition, columnMap, remap } from './create-table.ts';
import { makeRow, setColumnDefault } from './relation.ts';

export function attributeKey(relation: Oid, attnum: number): number {
  return relation * 4096 + attnum;
}

function typeText(ddl: Ddl, column: { typeOid: Oid; typmod: number }): string {
  return formatType(ddl.reader, column.typeOid, { path: ddl.path, typmod: column.typmod });
}

/** Locks the tables a new one inherits from, and checks that they may be inherited from. */
export async function lockParents(
  ddl: Ddl,
  targets: readonly Node[],
  persistence: 'p' | 'u' | 't',
  isPartition: boolean,
): Promise<RelationDescriptor[]> {
  const parents: RelationDescriptor[] = [];
  for (const node of targets) {
    const target = (node as { RangeVar: RangeVar }).RangeVar;
    const parent = await ddl.relationIfExists(
      target,
      isPartition ? 'AccessExclusive' : 'ShareUpdateExclusive',
    );
    if (parent === null) throw ddl.undefinedRelation(target);
    if (parents.some(({ oid }) => oid === parent.oid))
      throw new DbError(
        'duplicate_table',
        `relation "${parent.name}" would be inherited from more than once`,
      );
    if (!isPartition && parent.kind === 'p')
      throw new DbError('wrong_object_type', `cannot inherit from partitioned table "${parent.name}"`);
    if (!isPartition && parent.parents.length > 0 && isPartitionOf(ddl, parent.oid))
      throw new DbError('wrong_object_type', `cannot inherit from partition "${parent.name}"`);
    if (parent.kind !== 'r' && parent.kind !== 'p' && parent.kind !== 'f')
      throw new DbError(
        'wrong_object_type',
        `inherited relation "${parent.name}" is not a table or foreign table`,
      );
    if (persistence !== 't' && parent.persistence === 't')
      throw new DbError(
        'wrong_object_type',
        isPartition
          ? `cannot create a permanent relation as partition of temporary relation "${parent.name}"`
          : `cannot inherit from temporary relation "${parent.name}"`,
      );
    ddl.requireRelationOwner(parent);
    parents.push(parent);
  }
  return parents;
}

export function isPartitionOf(ddl: Ddl, oid: Oid): boolean {
  return ddl.writer.row('pg_class', oid)[PG_CLASS.relispartition] === true;
}

/** The columns of a new table: those of its parents first, merged with its own. */
export function mergeColumns(
  ddl: Ddl,
  parents: readonly RelationDescriptor[],
  own: readonly ColumnDefinition[],
  isPartition: boolean,
): ColumnDefinition[] {
  const merged: ColumnDefinition[] = [];
  const conflicts = new Set<string>();
  for (const parent of parents)
    for (const column of parent.columns) {
      if (column.dropped) continue;
      const known = merged.find(({ spec }) => spec.name === column.name);
      if (known === undefined) {
        merged.push(inheritedColumn(column));
        continue;
      }
      ddl.notice(`merging multiple inherited definitions of column "${column.name}"`);
      requireSameType(ddl, known.spec, column, `inherited column "${column.name}"`);
      known.spec.inheritCount = (known.spec.inheritCount ?? 0) + 1;
      known.spec.notNull ||= column.notNull;
      if ((known.spec.generated !== '') !== (column.generated !== ''))
        throw new DbError('datatype_mismatch', `inherited column "${column.name}" has a generation conflict`);
      if (
        known.inheritedDefault !== (column.defaultExpression ?? undefined) &&
        column.defaultExpression !== null
      ) {
        if (known.inheritedDefault === undefined) known.inheritedDefault = column.defaultExpression;
        else conflicts.add(column.name);
      }
    }
  for (const definition of own) {
    const { name } = definition.spec;
    const known = merged.find(({ spec }) => spec.name === name);
    if (known === undefined) {
      if (isPartition) throw new DbError('undefined_column', `column "${name}" does not exist`);
      merged.push(definition);
      continue;
    }
    if (!isPartition) {
      ddl.notice(`merging column "${name}" with inherited definition`);
      requireSameType(ddl, known.spec, definition.spec, `column "${name}"`);
    }
    conflicts.delete(name);
    known.spec.isLocal = true;
    known.spec.notNull ||= definition.spec.notNull;
    known.position = definition.position;
    known.constraints = definition.constraints;
    if (known.spec.generated !== '') {
      if (definition.rawDefault !== null)
        throw new DbError(
          'invalid_object_definition',
          `column "${name}" inherits from generated column but specifies default`,
        );
      if (definition.spec.identity !== '')
        throw new DbError(
          'invalid_object_definition',
          `column "${name}" inherits from generated column but specifies identity`,
        );
      if (definition.spec.generated !== '')
        throw new DbError(
          'invalid_object_definition',
          `child column "${name}" specifies generation expression`,
          {
            hint: 'Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table.',
          },
        );
    } else if (definition.spec.generated !== '')
      throw new DbError(
        'invalid_object_definition',
        `child column "${name}" specifies generation expression`,
        { hint: 'A child table column cannot be generated unless its parent column is.' },
      );
    if (definition.rawDefault !== null || definition.sequence !== null) {
      known.rawDefault = definition.rawDefault;
      known.sequence = definition.sequence;
      known.spec.identity = definition.spec.identity;
      known.inheritedDefault = undefined;
    }
  }
  for (const name of conflicts)
    throw new DbError('invalid_column_definition', `column "${name}" inherits conflicting default values`, {
      hint: 'To resolve the conflict, specify a default explicitly.',
    });
  return merged;
}

function inheritedColumn(column: ColumnDescriptor): ColumnDefinition {
  return {
    spec: {
      name: column.name,
      typeOid: column.typeOid,
      typmod: column.typmod,
      collation: column.collation,
      notNull: column.notNull,
      dimensions: 0,
      identity: '',
      generated: column.generated,
      inheritCount: 1,
      isLocal: false,
    },
    position: undefined,
    rawDefault: null,
    rawGenerated: null,
    sequence: null,
    constraints: [],
    copiedDefault: null,
    inheritedDefault: column.defaultExpression ?? undefined,
  };
}

function requireSameType(
  ddl: Ddl,
  left: { typeOid: Oid; typmod: number; collation: Oid },
  right: { typeOid: Oid; typmod: number; collation: Oid },
  what: string,
): void {
  if (left.typeOid !== right.typeOid || left.typmod !== right.typmod)
    throw new DbError('datatype_mismatch', `${what} has a type conflict`, {
      detail: `${typeText(ddl, left)} versus ${typeText(ddl, right)}`,
    });
  if (left.collation !== right.collation) {
    const name = (oid: Oid): string => `"${ddl.reader.collationName(oid)?.name ?? ''}"`;
    throw new DbError('collation_mismatch', `${what} has a collation conflict`, {
      detail: `${name(left.collation)} versus ${name(right.collation)}`,
    });
  }
}

/** Records that `child` inherits from `parent`. */
export function recordInheritance(
  ddl: Ddl,
  child: Oid,
  parent: Oid,
  sequence: number,
  isPartition: boolean,
): void {
  ddl.writer.insert(
    'pg_inherits',
    makeRow(PG_INHERITS, { inhrelid: child, inhparent: parent, inhseqno: sequence, inhdetachpending: false }),
  );
  ddl.writer.dependOn(
    address(CLASS_OID.relation, child),
    address(CLASS_OID.relation, parent),
    isPartition ? 'a' : 'n',
  );
  if (ddl.writer.row('pg_class', parent)[PG_CLASS.relhassubclass] !== true)
    ddl.writer.update('pg_class', parent, { [PG_CLASS.relhassubclass]: true });
}

/** Defaults and generation expressions that parents give. */
export function applyInheritedDefaults(
  ddl: Ddl,
  oid: Oid,
  definitions: readonly ColumnDefinition[],
  parents: readonly RelationDescriptor[],
): void {
  definitions.forEach(({ spec, inheritedDefault }, index) => {
    if (inheritedDefault === undefined) return;
    const parent = parents.find(({ columns }) =>
      columns.some((column) => column.name === spec.name && column.defaultExpression === inheritedDefault),
    );
    if (parent === undefined) return;
    setColumnDefault(ddl, oid, index + 1, remap(inheritedDefault, columnMap(parent, ddl.current(oid))), {
      isGenerated: spec.generated === 's',
    });
  });
}

/** Check constraints that go on to children: all but those marked NO INHERIT. */
function inheritableChecks(ddl: Ddl, parent: RelationDescriptor): ConstraintDescriptor[] {
  return parent.constraints.filter(
    ({ kind, expression, oid }) =>
      kind === 'c' &&
      expression !== null &&
      ddl.writer.row('pg_constraint', oid)[PG_CONSTRAINT.connoinherit] !== true,
  );
}

const TRUE_NODE = { A_Const: { boolval: { boolval: true } } } as Node;

/** Gives a new table its parents' checks; one of the same name and meaning is merged. */
export async function inheritChecks(
  ddl: Ddl,
  oid: Oid,
  parents: readonly RelationDescriptor[],
): Promise<void> {
  for (const parent of parents)
    for (const check of inheritableChecks(ddl, parent)) await inheritCheck(ddl, oid, parent, check);
}

async function inheritCheck(
  ddl: Ddl,
  oid: Oid,
  parent: RelationDescriptor,
  check: ConstraintDescriptor,
): Promise<void> {
  const child = ddl.current(oid);
  const expr = remap(check.expression!, columnMap(parent, child));
  const known = child.constraints.find(({ name }) => name === check.name);
  if (known === undefined) {
    const constraint = await addCheck(
      ddl,
      oid,
      { name: check.name, expr, raw: TRUE_NODE, skipValidation: !check.validated, noInherit: false },
      false,
    );
    ddl.writer.update('pg_constraint', constraint, {
      [PG_CONSTRAINT.conislocal]: false,
      [PG_CONSTRAINT.coninhcount]: 1,
    });
    return;
  }
  if (known.kind !== 'c' || known.expression !== serialiseExpr(expr))
    throw new DbError(
      'duplicate_object',
      `constraint "${check.name}" for relation "${child.name}" already exists`,
    );
  const row = ddl.writer.row('pg_constraint', known.oid);
  if (row[PG_CONSTRAINT.coninhcount] === 0 && row[PG_CONSTRAINT.conislocal] === true)
    ddl.notice(`merging constraint "${check.name}" with inherited definition`);
  ddl.writer.update('pg_constraint', known.oid, {
    [PG_CONSTRAINT.coninhcount]: (row[PG_CONSTRAINT.coninhcount] as number) + 1,
  });
}

/** Children of a table, locked, when a command on it goes on to them. */
export async function lockedChildren(ddl: Ddl, oid: Oid): Promise<RelationDescriptor[]> {
  const children: RelationDescriptor[] = [];
  for (const child of ddl.current(oid).children) {
    await ddl.lock(child, 'AccessExclusive');
    const relation = ddl.reader.relation(child);
    if (relation !== null) children.push(relation);
  }
  return children;
}

/** Takes one of a column's inheritances away; true when the column has to go with it. */
export function releaseColumn(ddl: Ddl, child: Oid, attnum: number): boolean {
  const key = attributeKey(child, attnum);
  const row = ddl.writer.row('pg_attribute', key);
  const count = (row[PG_ATTRIBUTE.attinhcount] as number) - 1;
  if (count <= 0 && row[PG_ATTRIBUTE.attislocal] !== true) return true;
  ddl.writer.update('pg_attribute', key, { [PG_ATTRIBUTE.attinhcount]: Math.max(0, count) });
  return false;
}

// ---------------------------------------------------------------------------------------------- INHERIT, NO INHERIT

/** ALTER TABLE child INHERIT parent. */
export async function addInheritance(ddl: Ddl, child: RelationDescriptor, target: RangeVar): Promise<void> {
  const [parent] = await lockParents(ddl, [{ RangeVar: target }], child.persistence, false);
  await inheritFrom(ddl, child, parent!, false);
}

/** Makes an existing table a child: its columns and checks must match. */
export async function inheritFrom(
  ddl: Ddl,
  child: RelationDescriptor,
  parent: RelationDescriptor,
  isPartition: boolean,
): Promise<void> {
  if (isPartitionOf(ddl, child.oid))
    throw new DbError(
      'wrong_object_type',
      isPartition ? `"${child.name}" is already a partition` : 'cannot change inheritance of a partition',
    );
  if (!isPartition && child.kind === 'p')
    throw new DbError('wrong_object_type', 'cannot change inheritance of partitioned table');
  if (parent.persistence === 't' && child.persistence !== 't')
    throw new DbError('wrong_object_type', `cannot inherit from temporary relation "${parent.name}"`);
  if (descends(ddl, parent.oid, child.oid))
    throw new DbError('duplicate_table', 'circular inheritance not allowed', {
      detail: `"${parent.name}" is already a child of "${child.name}".`,
    });
  if (child.parents.includes(parent.oid))
    throw new DbError('duplicate_table', `relation "${parent.name}" would be inherited from more than once`);
  for (const column of parent.columns) {
    if (column.dropped) continue;
    const own = child.columns.find(({ name, dropped }) => name === column.name && !dropped);
    if (own === undefined)
      throw new DbError('datatype_mismatch', `child table is missing column "${column.name}"`);
    if (own.typeOid !== column.typeOid || own.typmod !== column.typmod)
      throw new DbError(
        'datatype_mismatch',
        `child table "${child.name}" has different type for column "${column.name}"`,
      );
    if (own.collation !== column.collation)
      throw new DbError(
        'collation_mismatch',
        `child table "${child.name}" has different collation for column "${column.name}"`,
      );
    if (column.notNull && !own.notNull)
      throw new DbError(
        'datatype_mismatch',
        `column "${column.name}" in child table must be marked NOT NULL`,
      );
    if (column.generated !== '' && own.generated === '')
      throw new DbError(
        'datatype_mismatch',
        `column "${column.name}" in child table must be a generated column`,
      );
    const key = attributeKey(child.oid, own.number);
    const row = ddl.writer.row('pg_attribute', key);
    ddl.writer.update('pg_attribute', key, {
      [PG_ATTRIBUTE.attinhcount]: (row[PG_ATTRIBUTE.attinhcount] as number) + 1,
      // A partition's columns are all its parent's.
      [PG_ATTRIBUTE.attislocal]: isPartition ? false : row[PG_ATTRIBUTE.attislocal]!,
    });
  }
  for (const check of inheritableChecks(ddl, parent)) {
    const own = child.constraints.find(({ name, kind }) => name === check.name && kind === 'c');
    if (own === undefined)
      throw new DbError('datatype_mismatch', `child table is missing constraint "${check.name}"`);
    const expected = serialiseExpr(remap(check.expression!, columnMap(parent, child)));
    if (own.expression !== expected)
      throw new DbError(
        'datatype_mismatch',
        `child table "${child.name}" has different definition for check constraint "${check.name}"`,
      );
    const row = ddl.writer.row('pg_constraint', own.oid);
    if (row[PG_CONSTRAINT.connoinherit] === true)
      throw new DbError(
        'invalid_object_definition',
        `constraint "${check.name}" conflicts with non-inherited constraint on child table "${child.name}"`,
      );
    if (check.validated && !own.validated)
      throw new DbError(
        'invalid_object_definition',
        `constraint "${check.name}" conflicts with NOT VALID constraint on child table "${child.name}"`,
      );
    ddl.writer.update('pg_constraint', own.oid, {
      [PG_CONSTRAINT.coninhcount]: (row[PG_CONSTRAINT.coninhcount] as number) + 1,
      [PG_CONSTRAINT.conislocal]: isPartition ? false : row[PG_CONSTRAINT.conislocal]!,
    });
  }
  const sequence = ddl.reader.view
    .find('pg_inherits', 'child', child.oid)
    .reduce((highest, { values }) => Math.max(highest, values[PG_INHERITS.inhseqno] as number), 0);
  recordInheritance(ddl, child.oid, parent.oid, sequence + 1, isPartition);
}

function descends(ddl: Ddl, candidate: Oid, ancestor: Oid): boolean {
  if (candidate === ancestor) return true;
  return (ddl.reader.relation(candidate)?.parents ?? []).some((parent) => descends(ddl, parent, ancestor));
}

/** ALTER TABLE child NO INHERIT parent. */
export async function dropInheritance(ddl: Ddl, child: RelationDescriptor, target: RangeVar): Promise<void> {
  const parent = await ddl.relation(target, 'ShareUpdateExclusive');
  if (isPartitionOf(ddl, child.oid))
    throw new DbError('wrong_object_type', 'cannot change inheritance of a partition');
  if (!child.parents.includes(parent.oid))
    throw new DbError(
      'undefined_table',
      `relation "${parent.name}" is not a parent of relation "${child.name}"`,
    );
  removeInheritance(ddl, child, parent);
}

/** Cuts the tie; columns and checks stay, as the child's own. */
export function removeInheritance(ddl: Ddl, child: RelationDescriptor, parent: RelationDescriptor): void {
  const { writer } = ddl;
  for (const row of ddl.reader.view.find('pg_inherits', 'child', child.oid))
    if (row.values[PG_INHERITS.inhparent] === parent.oid) writer.remove('pg_inherits', row.key);
  writer.removeDependenciesOf(
    address(CLASS_OID.relation, child.oid),
    (row) => row[3] === CLASS_OID.relation && row[4] === parent.oid && row[2] === 0,
  );
  for (const column of parent.columns) {
    if (column.dropped) continue;
    const own = child.columns.find(({ name, dropped }) => name === column.name && !dropped);
    if (own === undefined) continue;
    const key = attributeKey(child.oid, own.number);
    const row = writer.row('pg_attribute', key);
    const count = (row[PG_ATTRIBUTE.attinhcount] as number) - 1;
    writer.update('pg_attribute', key, {
      [PG_ATTRIBUTE.attinhcount]: Math.max(0, count),
      [PG_ATTRIBUTE.attislocal]: count <= 0 ? true : row[PG_ATTRIBUTE.attislocal]!,
    });
  }
  for (const check of inheritableChecks(ddl, parent)) {
    const own = child.constraints.find(({ name, kind }) => name === check.name && kind === 'c');
    if (own === undefined) continue;
    const row = writer.row('pg_constraint', own.oid);
    const count = (row[PG_CONSTRAINT.coninhcount] as number) - 1;
    writer.update('pg_constraint', own.oid, {
      [PG_CONSTRAINT.coninhcount]: Math.max(0, count),
      [PG_CONSTRAINT.conislocal]: count <= 0 ? true : row[PG_CONSTRAINT.conislocal]!,
    });
  }
  if (ddl.current(parent.oid).children.length === 0)
    writer.update('pg_class', parent.oid, { [PG_CLASS.relhassubclass]: false });
}
