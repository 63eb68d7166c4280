/** ALTER TABLE's work on one column: ADD and DROP COLUMN, defaults, identity. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_ATTRIBUTE, PG_CLASS } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { missingValueText } from '../../catalog/describe.ts';
import { address } from '../../catalog/mutations.ts';
import type { AlterTableCmd, Constraint, Node } from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { SqlArray } from '../../types/datum.ts';
import {
  attributeDefault,
  requireColumn,
  requireTable,
  syncStorage,
  withoutPosition,
} from './alter-table.ts';
import { type Ddl, defElems, integerOption } from './common.ts';
import { validateNotNull } from './constraints.ts';
import {
  applyColumnConstraints,
  applyColumnExpression,
  columnDefinition,
  makeColumnSequence,
} from './create-table.ts';
import { insertColumn, setColumnDefault } from './relation.ts';
import { changeSequence, presentSettings, sequenceSettings } from './sequence.ts';

// -------------------------------------------------------------------------------------------------------- ADD COLUMN

export async function addColumn(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
): Promise<void> {
  if (relation.kind !== 'c') requireTable(relation, 'ADD COLUMN');
  const { oid } = relation;
  const definition = columnDefinition(
    ddl,
    (command.def as { ColumnDef: Parameters<typeof columnDefinition>[1] }).ColumnDef,
    relation.name,
  );
  const { name } = definition.spec;
  if (relation.columns.some((column) => column.name === name && !column.dropped)) {
    const message = `column "${name}" of relation "${relation.name}" already exists`;
    if (command.missing_ok !== true) throw new DbError('duplicate_column', message);
    ddl.message('NOTICE', 'duplicate_column', `${message}, skipping`);
    return;
  }
  const attnum = relation.columns.length + 1;
  // NOT NULL is set after the rows there are have their value.
  const { notNull } = definition.spec;
  insertColumn(ddl, oid, attnum, { ...definition.spec, notNull: false, generated: '' });
  ddl.writer.update('pg_class', oid, { [PG_CLASS.relnatts]: attnum });
  if (relation.kind === 'c') return;
  if (definition.sequence !== null)
    await makeColumnSequence(ddl, ddl.current(oid), attnum, definition.sequence);
  const expr = applyColumnExpression(ddl, oid, attnum, definition);
  const type = ddl.reader.type(definition.spec.typeOid)!;
  const isConstant = expr !== null && definition.rawGenerated === null && isStable(ddl, expr);
  if (isConstant) {
    // Rows there are get the value without being touched.
    const value = ddl.context.sql.evaluate(expr);
    if (value !== null)
      ddl.writer.update('pg_attribute', oid * 4096 + attnum, {
        [PG_ATTRIBUTE.atthasmissing]: true,
        [PG_ATTRIBUTE.attmissingval]: new SqlArray(25, [missingValueText(value, type.support)]),
      });
  }
  syncStorage(ddl, oid);
  ddl.advance();
  if (!isConstant && (expr !== null || definition.sequence !== null)) await fillColumn(ddl, oid, attnum);
  if (notNull) {
    if (expr === null && definition.sequence === null) await validateNotNull(ddl, ddl.current(oid), attnum);
    ddl.writer.update('pg_attribute', oid * 4096 + attnum, { [PG_ATTRIBUTE.attnotnull]: true });
    syncStorage(ddl, oid);
  }
  for (const phase of ['checks', 'keys', 'foreign'] as const)
    await applyColumnConstraints(ddl, oid, name, definition.constraints, { isNewTable: false, phase });
}

/** Writes the default of a new column into every row: UPDATE t SET c = DEFAULT. */
export async function fillColumn(ddl: Ddl, oid: Oid, attnum: number): Promise<void> {
  const relation = ddl.current(oid);
  const column = relation.columns[attnum - 1]!;
  ddl.advance();
  await ddl.context.queries.modifyTree({
    UpdateStmt: {
      relation: {
        schemaname: relation.namespaceName,
        relname: relation.name,
        inh: false,
        relpersistence: 'p',
        location: -1,
      },
      targetList: [
        { ResTarget: { name: column.name, val: { SetToDefault: { location: -1 } }, location: -1 } },
      ],
    },
  } as Node);
  ddl.advance();
}

/** No volatile function in it: one evaluation serves all rows. */
export function isStable(ddl: Ddl, expr: Expr): boolean {
  const visit = (value: unknown): boolean => {
    if (value === null || typeof value !== 'object') return true;
    if (Array.isArray(value)) return value.every(visit);
    const { functionOid } = value as { functionOid?: Oid };
    if (
      typeof functionOid === 'number' &&
      functionOid !== 0 &&
      ddl.reader.function(functionOid)?.volatility === 'v'
    )
      return false;
    return Object.values(value).every(visit);
  };
  return visit(expr);
}

export async function dropColumn(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
): Promise<void> {
  if (relation.kind !== 'c') requireTable(relation, 'DROP COLUMN');
  const name = command.name!;
  const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
  if (column === undefined) {
    if (command.missing_ok !== true) requireColumn(relation, name);
    ddl.notice(`column "${name}" of relation "${relation.name}" does not exist, skipping`);
    return;
  }
  await ddl.drop(
    [address(CLASS_OID.relation, relation.oid, column.number)],
    command.behavior === 'DROP_CASCADE',
  );
}

export async function alterDefault(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
): Promise<void> {
  const column = requireColumn(relation, command.name!);
  if (column.identity !== '')
    throw new DbError(
      'syntax_error',
      `column "${column.name}" of relation "${relation.name}" is an identity column`,
      command.def === undefined
        ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.' }
        : {},
    );
  if (column.generated !== '')
    throw new DbError(
      'syntax_error',
      `column "${column.name}" of relation "${relation.name}" is a generated column`,
      command.def === undefined
        ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.' }
        : {},
    );
  let expr: Expr | null = null;
  if (command.def !== undefined) {
    expr = withoutPosition(() =>
      ddl.context.sql.expression(command.def!, {
        kind: 'default',
        relation: null,
        target: { typeOid: column.typeOid, typmod: column.typmod, columnName: column.name },
      }),
    );
  }
  removeDefault(ddl, relation, column.number);
  if (expr !== null) setColumnDefault(ddl, relation.oid, column.number, expr);
}

/** Takes a column's default away, whatever depends on it being the column itself. */
export function removeDefault(ddl: Ddl, relation: RelationDescriptor, attnum: number): void {
  const old = attributeDefault(ddl, relation, attnum);
  if (old === null) return;
  ddl.writer.removeDependenciesOf(address(CLASS_OID.attributeDefault, old));
  ddl.writer.remove('pg_attrdef', old);
  ddl.writer.update('pg_attribute', relation.oid * 4096 + attnum, { [PG_ATTRIBUTE.atthasdef]: false });
}

// ---------------------------------------------------------------------------------------------------------- identity

export async function addIdentity(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
): Promise<void> {
  requireTable(relation, 'ALTER COLUMN ... ADD IDENTITY');
  const column = requireColumn(relation, command.name!);
  const constraint = (command.def as { Constraint: Constraint }).Constraint;
  if (!column.notNull)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `column "${column.name}" of relation "${relation.name}" must be declared NOT NULL before identity can be added`,
    );
  if (column.identity !== '')
    throw new DbError(
      'object_not_in_prerequisite_state',
      `column "${column.name}" of relation "${relation.name}" is already an identity column`,
    );
  if (attributeDefault(ddl, relation, column.number) !== null)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `column "${column.name}" of relation "${relation.name}" already has a default value`,
    );
  if (![20, 21, 23].includes(column.typeOid))
    throw new DbError('invalid_parameter_value', 'identity column type must be smallint, integer, or bigint');
  ddl.writer.update('pg_attribute', relation.oid * 4096 + column.number, {
    [PG_ATTRIBUTE.attidentity]: constraint.generated_when ?? 'a',
  });
  await makeColumnSequence(ddl, ddl.current(relation.oid), column.number, {
    kind: 'identity',
    options: constraint.options ?? [],
  });
}

export async function alterIdentity(
  ddl: Ddl,
  relation: RelationDescriptor,
  command: AlterTableCmd,
): Promise<void> {
  const column = requireColumn(relation, command.name!);
  if (column.identity === '')
    throw new DbError(
      'object_not_in_prerequisite_state',
      `column "${column.name}" of relation "${relation.name}" is not an identity column`,
    );
  const definition = command.def;
  const options = definition !== undefined && 'List' in definition ? defElems(definition.List.items) : [];
  for (const option of options) {
    if (option.defname !== 'generated') continue;
    // The letter arrives as its character code.
    const letter = String.fromCharCode(Number(integerOption(option)));
    ddl.writer.update('pg_attribute', relation.oid * 4096 + column.number, {
      [PG_ATTRIBUTE.attidentity]: letter,
    });
  }
  const rest = options.filter(({ defname }) => defname !== 'generated');
  if (rest.length === 0) return;
  const settings = await sequenceSettings(ddl, rest, presentSettings(ddl, column.sequenceOid), true);
  changeSequence(ddl, column.sequenceOid, settings);
}
