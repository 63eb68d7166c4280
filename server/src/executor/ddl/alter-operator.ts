/** ALTER OPERATOR … SET: the selectivity estimators of an operator. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_OPERATOR } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import type { AlterOperatorStmt } from '../../sql/parse/nodes.ts';
import { type Ddl, defElems, namesOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { functionByTypes } from './define-objects.ts';
import { findNamed, requireNamedOwner } from './named-objects.ts';

const FLOAT8 = 701;

/** internal, oid, internal, integer */
const RESTRICTION_ARGUMENTS: readonly Oid[] = [2281, 26, 2281, 23];
/** internal, oid, internal, smallint, internal; the older form lacks the last. */
const JOIN_ARGUMENTS: readonly Oid[] = [2281, 26, 2281, 21, 2281];

/** A RESTRICT or JOIN function by name: it must estimate, and the current role may use it. */
export function estimatorFunction(ddl: Ddl, kind: 'restriction' | 'join', names: readonly string[]): Oid {
  const oid = functionByTypes(ddl, names, kind === 'restriction' ? RESTRICTION_ARGUMENTS : JOIN_ARGUMENTS);
  const name = names.join('.');
  if (ddl.reader.function(oid)!.returnType !== FLOAT8)
    throw new DbError(
      'invalid_object_definition',
      `${kind} estimator function ${name} must return type ${formatType(ddl.reader, FLOAT8)}`,
    );
  if (!ddl.reader.hasObjectPrivilege(ddl.role, 'function', oid, 'EXECUTE'))
    throw new DbError('insufficient_privilege', `permission denied for function ${name}`);
  return oid;
}

/** Replaces what an operator is recorded to depend on: its functions and types. */
export function recordOperatorDependencies(ddl: Ddl, oid: Oid): void {
  const self = address(CLASS_OID.operator, oid);
  const row = ddl.writer.row('pg_operator', oid);
  ddl.writer.removeDependenciesOf(self, (values) => values[3] !== CLASS_OID.namespace);
  for (const column of [PG_OPERATOR.oprcode, PG_OPERATOR.oprrest, PG_OPERATOR.oprjoin])
    if (row[column] !== 0) ddl.writer.dependOn(self, address(CLASS_OID.procedure, row[column] as Oid), 'n');
  for (const column of [PG_OPERATOR.oprleft, PG_OPERATOR.oprright, PG_OPERATOR.oprresult])
    if (row[column] !== 0) ddl.writer.dependOn(self, address(CLASS_OID.type, row[column] as Oid), 'n');
}

export function alterOperator(ddl: Ddl, statement: AlterOperatorStmt): UtilityResult {
  const found = findNamed(ddl, 'OBJECT_OPERATOR', { ObjectWithArgs: statement.opername! })!;
  const changes: Record<number, Oid> = {};
  for (const element of defElems(statement.options)) {
    // NONE arrives without an argument.
    const names = element.arg === undefined ? null : namesOf(element.arg);
    switch (element.defname) {
      case 'restrict':
        changes[PG_OPERATOR.oprrest] = names === null ? 0 : estimatorFunction(ddl, 'restriction', names);
        break;
      case 'join':
        changes[PG_OPERATOR.oprjoin] = names === null ? 0 : estimatorFunction(ddl, 'join', names);
        break;
      case 'leftarg':
      case 'rightarg':
      case 'function':
      case 'procedure':
      case 'commutator':
      case 'negator':
      case 'hashes':
      case 'merges':
        throw new DbError('syntax_error', `operator attribute "${element.defname}" cannot be changed`);
      default:
        throw new DbError('syntax_error', `operator attribute "${element.defname}" not recognized`);
    }
  }
  requireNamedOwner(ddl, found);
  if ((found.row[PG_OPERATOR.oprleft] as Oid) === 0 && (changes[PG_OPERATOR.oprjoin] ?? 0) !== 0)
    throw new DbError('invalid_function_definition', 'only binary operators can have join selectivity');
  if (found.row[PG_OPERATOR.oprresult] !== 16) {
    if ((changes[PG_OPERATOR.oprrest] ?? 0) !== 0)
      throw new DbError(
        'invalid_function_definition',
        'only boolean operators can have restriction selectivity',
      );
    if ((changes[PG_OPERATOR.oprjoin] ?? 0) !== 0)
      throw new DbError('invalid_function_definition', 'only boolean operators can have join selectivity');
  }
  ddl.writer.update('pg_operator', found.oid, changes);
  recordOperatorDependencies(ddl, found.oid);
  return { tag: 'ALTER OPERATOR' };
}
