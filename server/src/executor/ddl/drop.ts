/** DROP of relations, schemas, types, functions, constraints' owners; TRUNCATE. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_TRIGGER } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import { stringOf } from '../../sql/parse/ast.ts';
import type { DropStmt, Node, ObjectType, TruncateStmt } from '../../sql/parse/nodes.ts';
import { type Ddl, namesOf, rangeVarName, rangeVarOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { findTrigger } from './create-trigger.ts';
import { lockedChildren } from './inheritance.ts';
import { findCast, findNamed, findOnTable, NAMED_KINDS, requireNamedOwner } from './named-objects.ts';
import {
  checkKind,
  lookupRoutine,
  missingRoutine,
  type RoutineLookup,
  routineWord,
} from './routine-names.ts';
import { changeSequence, presentSettings } from './sequence.ts';

interface RelationDrop {
  kinds: readonly string[];
  word: string;
  notKind: string;
  tag: string;
}

const RELATION_DROPS: Partial<Record<ObjectType, RelationDrop>> = {
  OBJECT_TABLE: { kinds: ['r', 'p'], word: 'table', notKind: 'is not a table', tag: 'DROP TABLE' },
  OBJECT_VIEW: { kinds: ['v'], word: 'view', notKind: 'is not a view', tag: 'DROP VIEW' },
  OBJECT_MATVIEW: {
    kinds: ['m'],
    word: 'materialized view',
    notKind: 'is not a materialized view',
    tag: 'DROP MATERIALIZED VIEW',
  },
  OBJECT_SEQUENCE: { kinds: ['S'], word: 'sequence', notKind: 'is not a sequence', tag: 'DROP SEQUENCE' },
  OBJECT_INDEX: { kinds: ['i'], word: 'index', notKind: 'is not an index', tag: 'DROP INDEX' },
  OBJECT_FOREIGN_TABLE: {
    kinds: ['f'],
    word: 'foreign table',
    notKind: 'is not a foreign table',
    tag: 'DROP FOREIGN TABLE',
  },
};

const DROP_HINTS: Readonly<Record<string, string>> = {
  r: 'Use DROP TABLE to remove a table.',
  p: 'Use DROP TABLE to remove a table.',
  v: 'Use DROP VIEW to remove a view.',
  m: 'Use DROP MATERIALIZED VIEW to remove a materialized view.',
  S: 'Use DROP SEQUENCE to remove a sequence.',
  i: 'Use DROP INDEX to remove an index.',
  c: 'Use DROP TYPE to remove a type.',
  f: 'Use DROP FOREIGN TABLE to remove a foreign table.',
};

export async function dropObjects(ddl: Ddl, statement: DropStmt): Promise<UtilityResult> {
  const relationDrop = RELATION_DROPS[statement.removeType!];
  if (relationDrop !== undefined) return dropRelations(ddl, statement, relationDrop);
  const cascade = statement.behavior === 'DROP_CASCADE';
  const missingOk = statement.missing_ok === true;
  const skip = (message: string): void => ddl.notice(`${message} does not exist, skipping`);
  const objects: ObjectAddress[] = [];
  let tag: string;
  switch (statement.removeType) {
    case 'OBJECT_SCHEMA':
      tag = 'DROP SCHEMA';
      for (const node of statement.objects ?? []) {
        const name = namesOf(node).at(-1) ?? stringOf(node);
        const namespace = ddl.reader.namespaceByName(name);
        if (namespace === null) {
          if (!missingOk) throw new DbError('invalid_schema_name', `schema "${name}" does not exist`);
          skip(`schema "${name}"`);
          continue;
        }
        if (!ddl.isOwner(namespace.ownerOid))
          throw new DbError('insufficient_privilege', `must be owner of schema ${name}`);
        objects.push(address(CLASS_OID.namespace, namespace.oid));
      }
      break;
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const isDomain = statement.removeType === 'OBJECT_DOMAIN';
      tag = isDomain ? 'DROP DOMAIN' : 'DROP TYPE';
      for (const node of statement.objects ?? []) {
        const names = namesOf(node);
        const type = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path);
        if (type === null) {
          if (!missingOk) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
          skip(`type "${names.join('.')}"`);
          continue;
        }
        if (isDomain && type.kind !== 'd')
          throw new DbError('wrong_object_type', `"${names.join('.')}" is not a domain`);
        if (!ddl.isOwner(ddl.objectOwner('type', type.oid)))
          throw new DbError('insufficient_privilege', `must be owner of type ${names.join('.')}`);
        objects.push(address(CLASS_OID.type, type.oid));
      }
      break;
    }
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE':
    case 'OBJECT_AGGREGATE':
      tag = `DROP ${statement.removeType.slice('OBJECT_'.length)}`;
      for (const node of statement.objects ?? []) {
        const oid = findFunction(ddl, node, statement.removeType, missingOk);
        if (oid === null) continue;
        if (!ddl.isOwner(ddl.objectOwner('function', oid)))
          throw new DbError(
            'insufficient_privilege',
            `must be owner of ${routineWord(ddl.reader.function(oid)?.kind)} ${ddl.reader.function(oid)?.name}`,
          );
        objects.push(address(CLASS_OID.procedure, oid));
      }
      break;
    case 'OBJECT_CAST':
      tag = 'DROP CAST';
      for (const node of statement.objects ?? []) {
        const object = findCast(ddl, node, missingOk);
        if (object !== null) objects.push(object);
      }
      break;
    case 'OBJECT_TRIGGER':
      tag = 'DROP TRIGGER';
      for (const node of statement.objects ?? []) {
        const names = namesOf(node);
        const target = rangeVarOf(names.slice(0, -1));
        if (
          missingOk &&
          target.schemaname !== undefined &&
          ddl.reader.namespaceByName(target.schemaname) === null
        ) {
          ddl.notice(`schema "${target.schemaname}" does not exist, skipping`);
          continue;
        }
        const relation = await ddl.relationIfExists(target, 'AccessExclusive');
        if (relation === null) {
          if (!missingOk) throw ddl.undefinedRelation(target);
          ddl.notice(`relation "${rangeVarName(target)}" does not exist, skipping`);
          continue;
        }
        ddl.requireRelationOwner(relation);
        const oid = findTrigger(ddl, relation, names.at(-1)!);
        if (oid === null) {
          const message = `trigger "${names.at(-1)}" for ${missingOk ? 'relation' : 'table'} "${missingOk ? rangeVarName(target) : relation.name}" does not exist`;
          if (!missingOk) throw new DbError('undefined_object', message);
          ddl.notice(`${message}, skipping`);
          continue;
        }
        const constraint = ddl.writer.row('pg_trigger', oid)[PG_TRIGGER.tgconstraint] as Oid;
        // A constraint trigger goes with its constraint.
        objects.push(
          constraint === 0 ? address(CLASS_OID.trigger, oid) : address(CLASS_OID.constraint, constraint),
        );
      }
      break;
    case 'OBJECT_RULE':
    case 'OBJECT_POLICY':
      tag = statement.removeType === 'OBJECT_RULE' ? 'DROP RULE' : 'DROP POLICY';
      for (const node of statement.objects ?? []) {
        const object = await findOnTable(ddl, statement.removeType, node, missingOk);
        if (object !== null) objects.push(object);
      }
      break;
    default: {
      const named = NAMED_KINDS[statement.removeType!];
      if (named === undefined)
        throw notSupported(
          `DROP ${(statement.removeType ?? '').replace('OBJECT_', '').replaceAll('_', ' ')}`,
        );
      tag = `DROP ${named.tag}`;
      for (const node of statement.objects ?? []) {
        const object = findNamed(ddl, statement.removeType!, node, missingOk);
        if (object === null) continue;
        const schema = named.namespace === null ? null : (object.row[named.namespace] as Oid);
        if (schema === null || !ddl.isOwner(ddl.objectOwner('schema', schema)))
          requireNamedOwner(ddl, object);
        objects.push(address(named.classId, object.oid));
      }
    }
  }
  await ddl.drop(objects, cascade);
  return { tag };
}

/** A function named with or without its argument types; null when missing and allowed to be. */
export function findFunction(ddl: Ddl, node: Node, kind: ObjectType, missingOk: boolean): Oid | null {
  if (!('ObjectWithArgs' in node)) throw notSupported('this form of function name');
  const target = node.ObjectWithArgs;
  let lookup: RoutineLookup;
  try {
    lookup = lookupRoutine(ddl, target, kind);
  } catch (error) {
    // A schema or type that is not there cannot have the routine either.
    if (!missingOk || !(error instanceof DbError)) throw error;
    if (error.code !== '3F000' && error.code !== '42704') throw error;
    ddl.notice(`${error.message}, skipping`);
    return null;
  }
  const { word, signature, found } = lookup;
  if (found === null) {
    if (!missingOk) throw missingRoutine(target, word, signature);
    ddl.notice(
      `${missingRoutine({ ...target, args_unspecified: false }, word, signature).message}, skipping`,
    );
    return null;
  }
  checkKind(found, kind, signature);
  return found.oid;
}

async function dropRelations(ddl: Ddl, statement: DropStmt, wanted: RelationDrop): Promise<UtilityResult> {
  if (statement.concurrent === true) {
    if (ddl.context.isInTransactionBlock)
      throw new DbError(
        'active_sql_transaction',
        'DROP INDEX CONCURRENTLY cannot run inside a transaction block',
      );
    if ((statement.objects?.length ?? 0) !== 1)
      throw new DbError(
        'feature_not_supported',
        'DROP INDEX CONCURRENTLY does not support dropping multiple objects',
      );
    if (statement.behavior === 'DROP_CASCADE')
      throw new DbError('feature_not_supported', 'DROP INDEX CONCURRENTLY does not support CASCADE');
  }
  const objects: ObjectAddress[] = [];
  for (const node of statement.objects ?? []) {
    const target = rangeVarOf(namesOf(node));
    if (
      target.schemaname !== undefined &&
      ddl.reader.namespaceByName(target.schemaname) === null &&
      target.schemaname !== 'pg_temp'
    ) {
      if (statement.missing_ok !== true)
        throw new DbError('invalid_schema_name', `schema "${target.schemaname}" does not exist`);
      ddl.notice(`schema "${target.schemaname}" does not exist, skipping`);
      continue;
    }
    let relation = ddl.findRelation(target, true);
    // An index is locked through its table first, as every user of the index does.
    if (relation?.kind === 'i') {
      const index = ddl.reader.view.get('pg_index', relation.oid);
      if (index !== null) await ddl.lock(index.values[1] as number, 'AccessExclusive');
    }
    relation = await ddl.relationIfExists(target, 'AccessExclusive');
    if (relation === null) {
      if (statement.missing_ok !== true)
        throw new DbError(
          wanted.word === 'index' ? 'undefined_object' : 'undefined_table',
          `${wanted.word} "${rangeVarName(target)}" does not exist`,
        );
      ddl.notice(`${wanted.word} "${rangeVarName(target)}" does not exist, skipping`);
      continue;
    }
    if (!wanted.kinds.includes(relation.kind))
      throw new DbError('wrong_object_type', `"${relation.name}" ${wanted.notKind}`, {
        hint: DROP_HINTS[relation.kind],
      });
    if (!ddl.isOwner(relation.ownerOid) && !ddl.isOwner(ddl.objectOwner('schema', relation.namespaceOid)))
      throw new DbError('insufficient_privilege', `must be owner of ${wanted.word} ${relation.name}`);
    if (relation.oid < 16384)
      throw new DbError(
        'insufficient_privilege',
        `permission denied: "${relation.name}" is a system catalog`,
      );
    objects.push(address(CLASS_OID.relation, relation.oid));
  }
  await ddl.drop(objects, statement.behavior === 'DROP_CASCADE');
  return { tag: wanted.tag };
}

export async function truncate(ddl: Ddl, statement: TruncateStmt): Promise<UtilityResult> {
  const relations = new Map<Oid, RelationDescriptor>();
  const add = async (relation: RelationDescriptor): Promise<void> => {
    if (relations.has(relation.oid)) return;
    if (relation.kind !== 'r') throw new DbError('wrong_object_type', `"${relation.name}" is not a table`);
    ddl.requireRelationPrivilege(relation, 'TRUNCATE', null);
    if (relation.oid < 16384)
      throw new DbError(
        'insufficient_privilege',
        `permission denied: "${relation.name}" is a system catalog`,
      );
    relations.set(relation.oid, relation);
  };
  // Only the parent's privilege is asked for.
  const addChildren = async (relation: RelationDescriptor): Promise<void> => {
    for (const child of await lockedChildren(ddl, relation.oid)) {
      relations.set(child.oid, child);
      await addChildren(child);
    }
  };
  for (const node of statement.relations ?? [])
    if ('RangeVar' in node) {
      const relation = await ddl.relation(node.RangeVar, 'AccessExclusive');
      await add(relation);
      if (node.RangeVar.inh === true) await addChildren(relation);
    }
  if (statement.behavior === 'DROP_CASCADE') {
    for (const relation of relations.values())
      for (const constraint of relation.referencedBy) {
        if (relations.has(constraint.relationOid)) continue;
        await ddl.lock(constraint.relationOid, 'AccessExclusive');
        const referencing = ddl.current(constraint.relationOid);
        ddl.notice(`truncate cascades to table "${referencing.name}"`);
        await add(referencing);
      }
  } else
    for (const relation of relations.values())
      for (const constraint of relation.referencedBy) {
        if (relations.has(constraint.relationOid)) continue;
        throw new DbError(
          'feature_not_supported',
          'cannot truncate a table referenced in a foreign key constraint',
          {
            detail: `Table "${ddl.current(constraint.relationOid).name}" references "${relation.name}".`,
            hint: `Truncate table "${ddl.current(constraint.relationOid).name}" at the same time, or use TRUNCATE ... CASCADE.`,
          },
        );
      }
  if (statement.restart_seqs === true)
    for (const relation of relations.values())
      for (const { sequenceOid } of relation.columns) {
        if (sequenceOid === 0) continue;
        const sequence = ddl.current(sequenceOid);
        if (!ddl.isOwner(sequence.ownerOid))
          throw new DbError('insufficient_privilege', `must be owner of sequence ${sequence.name}`);
        await ddl.lock(sequenceOid, 'ShareRowExclusive');
        const { typeOid, state } = presentSettings(ddl, sequenceOid);
        changeSequence(ddl, sequenceOid, {
          typeOid,
          state: { ...state, lastValue: state.start, isCalled: false },
        });
      }
  for (const relation of relations.values()) await ddl.context.fireTruncate?.(relation, 'BEFORE');
  for (const relation of relations.values())
    ddl.context.tables.truncate(ddl.context.transaction, relation.oid);
  for (const relation of relations.values()) await ddl.context.fireTruncate?.(relation, 'AFTER');
  return { tag: 'TRUNCATE TABLE' };
}
