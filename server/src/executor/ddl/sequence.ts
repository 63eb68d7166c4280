/** CREATE, ALTER SEQUENCE, and the sequences behind serial and identity columns. */

import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_DEPEND, PG_SEQUENCE } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { RELATION_KIND_NAMES } from '../../catalog/object-names.ts';
import { positionOf } from '../../sql/parse/ast.ts';
import type { AlterSeqStmt, CreateSeqStmt, DefElem } from '../../sql/parse/nodes.ts';
import type { SequenceState } from '../../table/contract.ts';
import { booleanOption, type Ddl, defElems, integerOption, namesOf, rangeVarOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { createRelation, duplicateRelation, makeRow } from './relation.ts';

const INT2 = 21;
const INT4 = 23;
const INT8 = 20;

const TYPE_RANGES: ReadonlyMap<Oid, readonly [minimum: bigint, maximum: bigint]> = new Map([
  [INT2, [-32768n, 32767n]],
  [INT4, [-2147483648n, 2147483647n]],
  [INT8, [-(2n ** 63n), 2n ** 63n - 1n]],
]);

export interface SequenceSettings {
  typeOid: Oid;
  state: SequenceState;
  /** OWNED BY: column, 'none', or not given. */
  ownedBy: { relation: RelationDescriptor; attnum: number } | 'none' | null;
  /** The counter was set by RESTART, START or new bounds. */
  isRestarted: boolean;
}

/** Reads sequence options over the defaults (CREATE) or the present settings (ALTER). */
export async function sequenceSettings(
  ddl: Ddl,
  options: readonly DefElem[],
  base: { typeOid: Oid; state: SequenceState } | null,
  forIdentity: boolean,
): Promise<SequenceSettings> {
  const byName = new Map<string, DefElem>();
  for (const option of options) {
    const name = option.defname ?? '';
    if (byName.has(name))
      throw new DbError('syntax_error', 'conflicting or redundant options').at(positionOf(option.location));
    byName.set(name, option);
  }
  let typeOid = base?.typeOid ?? INT8;
  const oldRange = base === null ? null : TYPE_RANGES.get(base.typeOid)!;
  let resetMaximum = false;
  let resetMinimum = false;
  const as = byName.get('as');
  if (as?.arg !== undefined && 'TypeName' in as.arg) {
    typeOid = ddl.context.sql.resolveTypeName(as.arg.TypeName).typeOid;
    if (!TYPE_RANGES.has(typeOid))
      throw new DbError(
        'invalid_parameter_value',
        forIdentity
          ? 'identity column type must be smallint, integer, or bigint'
          : 'sequence type must be smallint, integer, or bigint',
      ).at(forIdentity ? undefined : positionOf(as.location));
    if (base !== null && oldRange !== null && typeOid !== base.typeOid) {
      // Bounds that were the old type's follow the type.
      resetMaximum = base.state.maximum === oldRange[1] || base.state.maximum === -1n;
      resetMinimum = base.state.minimum === oldRange[0] || base.state.minimum === 1n;
    }
  }
  const [typeMinimum, typeMaximum] = TYPE_RANGES.get(typeOid)!;
  const typeName = typeOid === INT2 ? 'smallint' : typeOid === INT4 ? 'integer' : 'bigint';

  const increment = byName.has('increment')
    ? integerOption(byName.get('increment')!)
    : (base?.state.increment ?? 1n);
  if (increment === 0n) throw new DbError('invalid_parameter_value', 'INCREMENT must not be zero');
  const cycle = byName.has('cycle') ? booleanOption(byName.get('cycle')!) : (base?.state.cycle ?? false);

  const maximumOption = byName.get('maxvalue');
  let maximum: bigint;
  if (maximumOption?.arg !== undefined) maximum = integerOption(maximumOption);
  else if (base === null || maximumOption !== undefined || resetMaximum)
    maximum = increment > 0n ? typeMaximum : -1n;
  else maximum = base.state.maximum;
  if (maximum < typeMinimum || maximum > typeMaximum)
    throw new DbError(
      'invalid_parameter_value',
      `MAXVALUE (${maximum}) is out of range for sequence data type ${typeName}`,
    );

  const minimumOption = byName.get('minvalue');
  let minimum: bigint;
  if (minimumOption?.arg !== undefined) minimum = integerOption(minimumOption);
  else if (base === null || minimumOption !== undefined || resetMinimum)
    minimum = increment < 0n ? typeMinimum : 1n;
  else minimum = base.state.minimum;
  if (minimum < typeMinimum || minimum > typeMaximum)
    throw new DbError(
      'invalid_parameter_value',
      `MINVALUE (${minimum}) is out of range for sequence data type ${typeName}`,
    );
  if (minimum >= maximum)
    throw new DbError(
      'invalid_parameter_value',
      `MINVALUE (${minimum}) must be less than MAXVALUE (${maximum})`,
    );

  const startOption = byName.get('start');
  const start =
    startOption !== undefined
      ? integerOption(startOption)
      : (base?.state.start ?? (increment > 0n ? minimum : maximum));
  if (start < minimum)
    throw new DbError(
      'invalid_parameter_value',
      `START value (${start}) cannot be less than MINVALUE (${minimum})`,
    );
  if (start > maximum)
    throw new DbError(
      'invalid_parameter_value',
      `START value (${start}) cannot be greater than MAXVALUE (${maximum})`,
    );

  let lastValue = base?.state.lastValue ?? start;
  let isCalled = base?.state.isCalled ?? false;
  const restart = byName.get('restart');
  if (restart !== undefined) {
    lastValue = restart.arg === undefined ? start : integerOption(restart);
    isCalled = false;
  }
  if (lastValue < minimum)
    throw new DbError(
      'invalid_parameter_value',
      `RESTART value (${lastValue}) cannot be less than MINVALUE (${minimum})`,
    );
  if (lastValue > maximum)
    throw new DbError(
      'invalid_parameter_value',
      `RESTART value (${lastValue}) cannot be greater than MAXVALUE (${maximum})`,
    );

  const cacheOption = byName.get('cache');
  const cache = cacheOption !== undefined ? integerOption(cacheOption) : (base?.state.cache ?? 1n);
  if (cache <= 0n) throw new DbError('invalid_parameter_value', `CACHE (${cache}) must be greater than zero`);

  return {
    typeOid,
    state: { start, increment, minimum, maximum, cache, cycle, lastValue, isCalled },
    ownedBy: await ownedBy(ddl, byName.get('owned_by')),
    isRestarted: restart !== undefined,
  };
}

async function ownedBy(ddl: Ddl, option: DefElem | undefined): Promise<SequenceSettings['ownedBy']> {
  if (option === undefined) return null;
  const names = namesOf(option.arg);
  if (names.length === 1) {
    if (names[0] === 'none') return 'none';
    throw new DbError('syntax_error', 'invalid OWNED BY option', {
      hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
    });
  }
  const columnName = names.at(-1)!;
  const relation = await ddl.relation(rangeVarOf(names.slice(0, -1)), 'AccessShare');
  if (relation.kind !== 'r' && relation.kind !== 'v' && relation.kind !== 'f' && relation.kind !== 'p')
    throw new DbError('wrong_object_type', `sequence cannot be owned by relation "${relation.name}"`, {
      detail: `This operation is not supported for ${RELATION_KIND_NAMES[relation.kind]}s.`,
    });
  const column = relation.columns.find(({ name, dropped }) => name === columnName && !dropped);
  if (column === undefined)
    throw new DbError(
      'undefined_column',
      `column "${columnName}" of relation "${relation.name}" does not exist`,
    );
  return { relation, attnum: column.number };
}

/** The ownership link of a sequence: kind 'a' for serial and OWNED BY, 'i' for identity. */
export function sequenceOwner(
  ddl: Ddl,
  sequenceOid: Oid,
): { relationOid: Oid; attnum: number; kind: 'a' | 'i' } | null {
  for (const { values } of ddl.reader.view.find(
    'pg_depend',
    'dependent',
    pairKey(CLASS_OID.relation, sequenceOid),
  )) {
    if (values[PG_DEPEND.refclassid] !== CLASS_OID.relation || values[PG_DEPEND.refobjsubid] === 0) continue;
    return {
      relationOid: values[PG_DEPEND.refobjid] as number,
      attnum: values[PG_DEPEND.refobjsubid] as number,
      kind: values[PG_DEPEND.deptype] as 'a' | 'i',
    };
  }
  return null;
}

function setOwnedBy(
  ddl: Ddl,
  sequence: RelationDescriptor,
  target: NonNullable<SequenceSettings['ownedBy']>,
): void {
  if (target !== 'none') {
    if (target.relation.ownerOid !== sequence.ownerOid)
      throw new DbError(
        'object_not_in_prerequisite_state',
        'sequence must have same owner as table it is linked to',
      );
    if (target.relation.namespaceOid !== sequence.namespaceOid)
      throw new DbError(
        'object_not_in_prerequisite_state',
        'sequence must be in same schema as table it is linked to',
      );
  }
  const self = address(CLASS_OID.relation, sequence.oid);
  const owner = sequenceOwner(ddl, sequence.oid);
  if (owner?.kind === 'i')
    throw new DbError('feature_not_supported', 'cannot change ownership of identity sequence', {
      detail: `Sequence "${sequence.name}" is linked to table "${ddl.current(owner.relationOid).name}".`,
    });
  ddl.writer.removeDependenciesOf(
    self,
    (row) => row[PG_DEPEND.refclassid] === CLASS_OID.relation && row[PG_DEPEND.deptype] === 'a',
  );
  if (target !== 'none')
    ddl.writer.dependOn(self, address(CLASS_OID.relation, target.relation.oid, target.attnum), 'a');
}

/** Makes a sequence: rows and storage. */
export function makeSequence(
  ddl: Ddl,
  spec: {
    name: string;
    namespace: Oid;
    persistence: 'p' | 'u' | 't';
    owner: Oid;
    settings: Pick<SequenceSettings, 'typeOid' | 'state'>;
  },
): Oid {
  const column = (name: string, typeOid: Oid) => ({
    name,
    typeOid,
    typmod: -1,
    collation: 0,
    notNull: true,
    dimensions: 0,
    identity: '' as const,
    generated: '' as const,
  });
  const oid = createRelation(ddl, {
    name: spec.name,
    namespace: spec.namespace,
    kind: 'S',
    persistence: spec.persistence,
    owner: spec.owner,
    columns: [column('last_value', INT8), column('log_cnt', INT8), column('is_called', 16)],
  });
  const { typeOid, state } = spec.settings;
  ddl.writer.insert('pg_sequence', sequenceRow(oid, typeOid, state));
  ddl.context.tables.createSequence(ddl.context.transaction, oid, state);
  return oid;
}

function sequenceRow(oid: Oid, typeOid: Oid, state: SequenceState) {
  return makeRow(PG_SEQUENCE, {
    seqrelid: oid,
    seqtypid: typeOid,
    seqstart: state.start,
    seqincrement: state.increment,
    seqmax: state.maximum,
    seqmin: state.minimum,
    seqcache: state.cache,
    seqcycle: state.cycle,
  });
}

/** Settings of an existing sequence. */
export function presentSettings(ddl: Ddl, oid: Oid): { typeOid: Oid; state: SequenceState } {
  return {
    typeOid: ddl.writer.row('pg_sequence', oid)[PG_SEQUENCE.seqtypid] as number,
    state: ddl.context.tables.sequence(oid).state,
  };
}

/** Applies changed settings to rows and storage. */
export function changeSequence(
  ddl: Ddl,
  oid: Oid,
  settings: Pick<SequenceSettings, 'typeOid' | 'state'>,
): void {
  const row = sequenceRow(oid, settings.typeOid, settings.state);
  ddl.writer.update('pg_sequence', oid, Object.fromEntries(row.map((value, index) => [index, value])));
  ddl.context.tables.alterSequence(ddl.context.transaction, oid, settings.state);
}

export async function createSequence(ddl: Ddl, statement: CreateSeqStmt): Promise<UtilityResult> {
  const target = statement.sequence!;
  const position = positionOf(target.location);
  const isTemporary = target.relpersistence === 't';
  const namespace = ddl.creationNamespace(target.schemaname, { temporary: isTemporary, position });
  const name = target.relname!;
  await ddl.reserve(namespace, name);
  if (ddl.reader.relationOid(namespace, name) !== null) {
    if (statement.if_not_exists === true) {
      ddl.message('NOTICE', 'duplicate_table', `relation "${name}" already exists, skipping`);
      return { tag: 'CREATE SEQUENCE' };
    }
    throw duplicateRelation(name);
  }
  const settings = await sequenceSettings(ddl, defElems(statement.options), null, false);
  const oid = makeSequence(ddl, {
    name,
    namespace,
    persistence: isTemporary ? 't' : target.relpersistence === 'u' ? 'u' : 'p',
    owner: ddl.role,
    settings,
  });
  if (settings.ownedBy !== null) setOwnedBy(ddl, ddl.current(oid), settings.ownedBy);
  return { tag: 'CREATE SEQUENCE' };
}

export async function alterSequence(ddl: Ddl, statement: AlterSeqStmt): Promise<UtilityResult> {
  const target = statement.sequence!;
  const sequence = await ddl.relationIfExists(target, 'ShareRowExclusive');
  if (sequence === null) {
    if (statement.missing_ok === true) {
      ddl.message('NOTICE', 'successful_completion', `relation "${target.relname}" does not exist, skipping`);
      return { tag: 'ALTER SEQUENCE' };
    }
    throw ddl.undefinedRelation(target);
  }
  if (sequence.kind !== 'S') throw new DbError('wrong_object_type', `"${sequence.name}" is not a sequence`);
  ddl.requireRelationOwner(sequence);
  const settings = await sequenceSettings(
    ddl,
    defElems(statement.options),
    presentSettings(ddl, sequence.oid),
    statement.for_identity === true,
  );
  changeSequence(ddl, sequence.oid, settings);
  if (settings.ownedBy !== null) setOwnedBy(ddl, sequence, settings.ownedBy);
  return { tag: 'ALTER SEQUENCE' };
}
