/**
 * DROP: what goes with an object, what stands in the way, and the order of removal.
 *
 * The walk is PostgreSQL's: depth first from the objects to drop, dependents newest first, an object is listed after all that
 * depend on it. Removal goes through the list as it is; reports read it backwards. An object that belongs to another
 * (internal dependency: a view's rule, a primary key's index) is never dropped alone: reached from elsewhere it
 * stands for its owner; named directly it is refused.
 */
import { DbError, type Notice } from '../base/error.ts';
import { SQLSTATE } from '../base/sqlstate.ts';
import type { SearchPath } from './contract.ts';
import { PG_DEPEND } from './data/columns.ts';
import { pairKey } from './definitions.ts';
import { address, isPinned, type ObjectAddress } from './mutations.ts';
import { describeObject } from './object-names.ts';
import type { CatalogReaderImplementation } from './reader.ts';

/** How an object came onto the list. */
const HOW = { original: 1, normal: 2, auto: 4, internal: 8, subObject: 16 } as const;

interface Target {
  object: ObjectAddress;
  how: number;
  /** The object it was reached from. */
  dependsOn: ObjectAddress | null;
}

export interface DeletionPlan {
  /** In order of removal: dependents first. */
  readonly objects: readonly ObjectAddress[];
  /** What CASCADE must tell, if anything. */
  readonly notice: Notice | null;
}

/** Most lines of a DETAIL that go to the client. */
const REPORTED_MAX = 100;

function keyOf(object: ObjectAddress): string {
  return `${object.classId}.${object.objectId}.${object.subId}`;
}

/**
 * Plans the removal of objects. Throws 2BP01 when something not of the list depends on them and `cascade` is false, or when one
 * is required by another object or by the server.
 */
export function planDeletion(
  reader: CatalogReaderImplementation,
  originals: readonly ObjectAddress[],
  options: { cascade: boolean; path: SearchPath },
): DeletionPlan {
  const { view } = reader;
  const describe = (object: ObjectAddress): string =>
    describeObject(reader, object, options.path) ?? keyOf(object);
  const originalKeys = new Set(originals.map(keyOf));
  const targets: Target[] = [];
  const byKey = new Map<string, Target>();
  const onStack = new Map<string, Target>();

  const coveredBy = (map: ReadonlyMap<string, Target>, object: ObjectAddress): Target | undefined =>
    map.get(keyOf(object)) ??
    (object.subId !== 0 ? map.get(keyOf(address(object.classId, object.objectId))) : undefined);

  const visit = (object: ObjectAddress, how: number, from: ObjectAddress | null): void => {
    const known = coveredBy(byKey, object) ?? coveredBy(onStack, object);
    if (known !== undefined) {
      known.how |= how;
      return;
    }
    if (isPinned(object))
      throw new DbError(
        'dependent_objects_still_exist',
        `cannot drop ${describe(object)} because it is required by the database system`,
      );
    // Owned by another object?
    for (const { values } of view.find('pg_depend', 'dependent', pairKey(object.classId, object.objectId))) {
      const type = values[PG_DEPEND.deptype];
      if (type !== 'i' && type !== 'e') continue;
      if (object.subId !== 0 && values[PG_DEPEND.objsubid] !== object.subId) continue;
      const owner = address(
        values[PG_DEPEND.refclassid] as number,
        values[PG_DEPEND.refobjid] as number,
        values[PG_DEPEND.refobjsubid] as number,
      );
      if (coveredBy(onStack, owner) !== undefined || coveredBy(byKey, owner) !== undefined) continue;
      if (how & HOW.original) {
        if (originalKeys.has(keyOf(owner)) || originalKeys.has(keyOf(address(owner.classId, owner.objectId))))
          return;
        throw new DbError(
          'dependent_objects_still_exist',
          `cannot drop ${describe(object)} because ${describe(owner)} requires it`,
          { hint: `You can drop ${describe(owner)} instead.` },
        );
      }
      visit(owner, how & HOW.internal ? HOW.normal : how, from);
      return;
    }
    const target: Target = { object, how, dependsOn: from };
    const key = keyOf(object);
    onStack.set(key, target);
    const dependents = view
      .find('pg_depend', 'referenced', pairKey(object.classId, object.objectId))
      .map(({ values }) => values)
      .filter((values) => object.subId === 0 || values[PG_DEPEND.refobjsubid] === object.subId)
      .sort(
        (a, b) =>
          (b[PG_DEPEND.objid] as number) - (a[PG_DEPEND.objid] as number) ||
          (a[PG_DEPEND.classid] as number) - (b[PG_DEPEND.classid] as number) ||
          (a[PG_DEPEND.objsubid] as number) - (b[PG_DEPEND.objsubid] as number),
      );
    for (const values of dependents) {
      const dependent = address(
        values[PG_DEPEND.classid] as number,
        values[PG_DEPEND.objid] as number,
        values[PG_DEPEND.objsubid] as number,
      );
      // Parts of one object that depend on each other (a generated column on its sibling) go with it.
      if (dependent.classId === object.classId && dependent.objectId === object.objectId) {
        if (object.subId === 0) continue;
      }
      const type = values[PG_DEPEND.deptype];
      visit(dependent, type === 'n' ? HOW.normal : type === 'i' ? HOW.internal : HOW.auto, object);
    }
    onStack.delete(key);
    byKey.set(key, target);
    targets.push(target);
  };
  for (const object of originals) visit(object, HOW.original, null);

  // A column's whole table may have been reached after the column: drop the part then.
  const kept = targets.filter(
    ({ object }) =>
      object.subId === 0 || byKey.get(keyOf(address(object.classId, object.objectId))) === undefined,
  );

  const lines: string[] = [];
  let reportedCount = 0;
  for (let index = kept.length - 1; index >= 0; index--) {
    const target = kept[index]!;
    if (target.how & HOW.original) continue;
    if (target.how & (HOW.auto | HOW.internal)) continue;
    reportedCount++;
    if (lines.length >= REPORTED_MAX) continue;
    lines.push(
      options.cascade
        ? `drop cascades to ${describe(target.object)}`
        : `${describe(target.object)} depends on ${describe(target.dependsOn!)}`,
    );
  }
  const omitted = reportedCount - lines.length;
  const detail =
    omitted > 0
      ? `${lines.join('\n')}\nand ${omitted} other ${omitted === 1 ? 'object' : 'objects'} (see server log for list)`
      : lines.join('\n');
  if (reportedCount > 0 && !options.cascade) {
    throw new DbError(
      'dependent_objects_still_exist',
      originals.length === 1
        ? `cannot drop ${describe(originals[0]!)} because other objects depend on it`
        : 'cannot drop desired object(s) because other objects depend on them',
      { detail, hint: 'Use DROP ... CASCADE to drop the dependent objects too.' },
    );
  }
  const notice: Notice | null =
    reportedCount === 0
      ? null
      : {
          severity: 'NOTICE',
          code: SQLSTATE.successful_completion,
          message: reportedCount === 1 ? lines[0]! : `drop cascades to ${reportedCount} other objects`,
          fields: reportedCount === 1 ? {} : { detail },
        };
  return { objects: kept.map(({ object }) => object), notice };
}
