/** nextval, currval, setval, lastval. What a session has seen of sequences lives and dies with its SessionInfo. */
import type { Oid } from '../../../base/brands.ts';
import { DbError } from '../../../base/error.ts';
import type { RelationDescriptor } from '../../../catalog/contract.ts';
import { PG_SEQUENCE } from '../../../catalog/data/columns.ts';
import type { SessionInfo } from '../../../sql/functions/contract.ts';
import type { Surroundings } from './host.ts';

interface SessionSequences {
  values: Map<Oid, bigint>;
  last: Oid;
}

const sessions = new WeakMap<SessionInfo, SessionSequences>();

function stateOf(around: Surroundings): SessionSequences {
  let state = sessions.get(around.context.session);
  if (state === undefined) {
    state = { values: new Map(), last: 0 };
    sessions.set(around.context.session, state);
  }
  return state;
}

/** DISCARD SEQUENCES: currval and lastval are undefined again. */
export function forgetSequences(session: SessionInfo): void {
  sessions.delete(session);
}

function sequenceOf(
  around: Surroundings,
  oid: Oid,
  privileges: readonly ('USAGE' | 'UPDATE' | 'SELECT')[],
): RelationDescriptor {
  const relation = around.reader.relation(oid);
  if (relation === null) throw new DbError('undefined_table', `relation with OID ${oid} does not exist`);
  if (relation.kind !== 'S') throw new DbError('wrong_object_type', `"${relation.name}" is not a sequence`);
  if (
    !privileges.some((privilege) =>
      around.reader.hasRelationPrivilege(around.role, relation, privilege, null),
    )
  )
    throw new DbError('insufficient_privilege', `permission denied for sequence ${relation.name}`);
  return relation;
}

export function nextValue(around: Surroundings, oid: Oid): bigint {
  sequenceOf(around, oid, ['USAGE', 'UPDATE']);
  const value = around.host.tables().sequence(oid).nextValue();
  const state = stateOf(around);
  state.values.set(oid, value);
  state.last = oid;
  return value;
}

export function currentValue(around: Surroundings, oid: Oid): bigint {
  const relation = sequenceOf(around, oid, ['USAGE', 'SELECT']);
  const value = stateOf(around).values.get(oid);
  if (value === undefined)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `currval of sequence "${relation.name}" is not yet defined in this session`,
    );
  return value;
}

export function lastValue(around: Surroundings): bigint {
  const state = stateOf(around);
  // The sequence may have been dropped meanwhile.
  if (state.last === 0 || around.reader.relation(state.last) === null)
    throw new DbError('object_not_in_prerequisite_state', 'lastval is not yet defined in this session');
  return currentValue(around, state.last);
}

export function setValue(around: Surroundings, oid: Oid, value: bigint, isCalled: boolean): bigint {
  const relation = sequenceOf(around, oid, ['UPDATE']);
  const row = around.reader.view.get('pg_sequence', oid)!.values;
  const minimum = row[PG_SEQUENCE.seqmin] as bigint;
  const maximum = row[PG_SEQUENCE.seqmax] as bigint;
  if (value < minimum || value > maximum)
    throw new DbError(
      'numeric_value_out_of_range',
      `setval: value ${value} is out of bounds for sequence "${relation.name}" (${minimum}..${maximum})`,
    );
  around.host.tables().sequence(oid).setValue(value, isCalled);
  if (isCalled) stateOf(around).values.set(oid, value);
  return value;
}

/** last_value when nextval was called, NULL before. */
export function sequenceLastValue(around: Surroundings, oid: Oid): bigint | null {
  if (around.reader.relation(oid)?.kind !== 'S') return null;
  const { state } = around.host.tables().sequence(oid);
  return state.isCalled ? state.lastValue : null;
}
