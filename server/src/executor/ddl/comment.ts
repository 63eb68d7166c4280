/** COMMENT ON. */

import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import {
  PG_CONSTRAINT,
  PG_LARGEOBJECT_METADATA,
  PG_REWRITE,
  PG_TRIGGER,
} from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address, type ObjectAddress } from '../../catalog/mutations.ts';
import { RELATION_KIND_NAMES } from '../../catalog/object-names.ts';
import { stringOf } from '../../sql/parse/ast.ts';
import type { CommentStmt, Node, ObjectType } from '../../sql/parse/nodes.ts';
import { type Ddl, namesOf, rangeVarOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { findFunction } from './drop.ts';
import { findCast, findNamed, findOnTable, NAMED_KINDS, requireNamedOwner } from './named-objects.ts';
import { routineWord } from './routine-names.ts';

const RELATION_KINDS: Partial<Record<ObjectType, string>> = {
  OBJECT_TABLE: 'r',
  OBJECT_INDEX: 'i',
  OBJECT_SEQUENCE: 'S',
  OBJECT_VIEW: 'v',
  OBJECT_MATVIEW: 'm',
};

/** A large object is named by its oid, large ones arrive as text. */
export function largeObjectOid(node: Node | undefined): Oid {
  if (node !== undefined && 'Integer' in node) return node.Integer.ival ?? 0;
  if (node !== undefined && 'Float' in node) return Number(node.Float.fval);
  return Number(stringOf(node));
}

async function find(ddl: Ddl, type: ObjectType, object: Node | undefined): Promise<ObjectAddress> {
  const names = namesOf(object);
  const name = names.at(-1) ?? stringOf(object);
  const relationKind = RELATION_KINDS[type];
  if (relationKind !== undefined) {
    const relation = await ddl.relation(rangeVarOf(names), 'ShareUpdateExclusive');
    if (relation.kind !== relationKind) {
      const word = RELATION_KIND_NAMES[relationKind]!;
      throw new DbError(
        'wrong_object_type',
        `"${relation.name}" is not ${word === 'index' ? 'an' : 'a'} ${word}`,
      );
    }
    ddl.requireRelationOwner(relation);
    return address(CLASS_OID.relation, relation.oid);
  }
  const onRelation = async () => {
    const relation = await ddl.relation(rangeVarOf(names.slice(0, -1)), 'ShareUpdateExclusive');
    ddl.requireRelationOwner(relation);
    return relation;
  };
  switch (type) {
    case 'OBJECT_COLUMN': {
      const relation = await onRelation();
      const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
      if (column === undefined)
        throw new DbError(
          'undefined_column',
          `column "${name}" of relation "${relation.name}" does not exist`,
        );
      return address(CLASS_OID.relation, relation.oid, column.number);
    }
    case 'OBJECT_TABCONSTRAINT': {
      const relation = await onRelation();
      const constraint = relation.constraints.find((candidate) => candidate.name === name);
      if (constraint === undefined)
        throw new DbError(
          'undefined_object',
          `constraint "${name}" for table "${relation.name}" does not exist`,
        );
      return address(CLASS_OID.constraint, constraint.oid);
    }
    case 'OBJECT_RULE': {
      const relation = await onRelation();
      const rule = ddl.reader.view
        .find('pg_rewrite', 'relation', relation.oid)
        .find(({ values }) => values[PG_REWRITE.rulename] === name);
      if (rule === undefined)
        throw new DbError(
          'undefined_object',
          `rule "${name}" for relation "${relation.name}" does not exist`,
        );
      return address(CLASS_OID.rewrite, rule.key as number);
    }
    case 'OBJECT_TRIGGER': {
      const relation = await onRelation();
      const trigger = ddl.reader.view
        .find('pg_trigger', 'relation', relation.oid)
        .find(({ values }) => values[PG_TRIGGER.tgname] === name);
      if (trigger === undefined)
        throw new DbError(
          'undefined_object',
          `trigger "${name}" for table "${relation.name}" does not exist`,
        );
      return address(CLASS_OID.trigger, trigger.key as number);
    }
    case 'OBJECT_SCHEMA': {
      const oid = ddl.namespace(name);
      if (!ddl.isOwner(ddl.objectOwner('schema', oid)))
        throw new DbError('insufficient_privilege', `must be owner of schema ${name}`);
      return address(CLASS_OID.namespace, oid);
    }
    case 'OBJECT_DATABASE': {
      const row = ddl.reader.view.findOne('pg_database', 'name', name);
      if (row === null) throw new DbError('undefined_database', `database "${name}" does not exist`);
      if (!ddl.isOwner(row.values[2] as number))
        throw new DbError('insufficient_privilege', `must be owner of database ${name}`);
      return address(CLASS_OID.database, row.key as number);
    }
    case 'OBJECT_ROLE': {
      const role = ddl.roleByName(name);
      const me = ddl.reader.role(ddl.role)!;
      if (role.superuser ? !me.superuser : !me.superuser && !me.createRole)
        throw new DbError(
          'insufficient_privilege',
          role.superuser ? 'must be superuser' : 'must have CREATEROLE privilege',
        );
      return address(CLASS_OID.role, role.oid);
    }
    case 'OBJECT_TYPE':
    case 'OBJECT_DOMAIN': {
      const found = ddl.reader.typeByName(names.length > 1 ? names.at(-2)! : null, name, ddl.path);
      if (found === null) throw new DbError('undefined_object', `type "${names.join('.')}" does not exist`);
      if (!ddl.isOwner(ddl.objectOwner('type', found.oid)))
        throw new DbError('insufficient_privilege', `must be owner of type ${found.name}`);
      return address(CLASS_OID.type, found.oid);
    }
    case 'OBJECT_DOMCONSTRAINT': {
      const typeNames = names.slice(0, -1);
      const found = ddl.reader.typeByName(
        typeNames.length > 1 ? typeNames.at(-2)! : null,
        typeNames.at(-1)!,
        ddl.path,
      );
      const row =
        found === null
          ? undefined
          : ddl.reader.view
              .find('pg_constraint', 'type', found.oid)
              .find(({ values }) => values[PG_CONSTRAINT.conname] === name);
      if (row === undefined)
        throw new DbError(
          'undefined_object',
          `constraint "${name}" for domain ${typeNames.join('.')} does not exist`,
        );
      return address(CLASS_OID.constraint, row.key as number);
    }
    case 'OBJECT_FUNCTION':
    case 'OBJECT_PROCEDURE':
    case 'OBJECT_ROUTINE':
    case 'OBJECT_AGGREGATE': {
      const oid = findFunction(ddl, object!, type, false)!;
      if (!ddl.isOwner(ddl.objectOwner('function', oid)))
        throw new DbError(
          'insufficient_privilege',
          `must be owner of ${routineWord(ddl.reader.function(oid)?.kind)} ${ddl.reader.function(oid)?.name}`,
        );
      return address(CLASS_OID.procedure, oid);
    }
    case 'OBJECT_CAST':
      return findCast(ddl, object!, false)!;
    case 'OBJECT_POLICY':
      return (await findOnTable(ddl, type, object!, false))!;
    case 'OBJECT_LARGEOBJECT': {
      const oid = largeObjectOid(object);
      const row = ddl.reader.view.get('pg_largeobject_metadata', oid);
      if (row === null) throw new DbError('undefined_object', `large object ${oid} does not exist`);
      if (!ddl.isOwner(row.values[PG_LARGEOBJECT_METADATA.lomowner] as number))
        throw new DbError('insufficient_privilege', `must be owner of large object ${oid}`);
      return address(CLASS_OID.largeObject, oid);
    }
    default: {
      if (NAMED_KINDS[type] === undefined)
        throw notSupported(`COMMENT ON ${type.replace('OBJECT_', '').replaceAll('_', ' ')}`);
      const named = findNamed(ddl, type, object!)!;
      requireNamedOwner(ddl, named);
      return address(named.kind.classId, named.oid);
    }
  }
}

export async function comment(ddl: Ddl, statement: CommentStmt): Promise<UtilityResult> {
  const object = await find(ddl, statement.objtype!, statement.object);
  ddl.writer.setComment(object, statement.comment ?? null);
  return { tag: 'COMMENT' };
}
