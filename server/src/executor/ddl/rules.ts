/** CREATE RULE, and rules as pg_rewrite keeps them. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { PG_CLASS, PG_REWRITE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import type { RuleEvent } from '../../sql/analyse/rule.ts';
import type { Node, RuleStmt } from '../../sql/parse/nodes.ts';
import type { Query } from '../../sql/tree.ts';
import { parseQuery, serialiseExpr, serialiseQuery } from '../../sql/tree-json.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { DependencyCollector } from './expression-dependencies.ts';
import { makeRow } from './relation.ts';

const EVENTS: Readonly<Record<string, readonly [RuleEvent, string]>> = {
  CMD_SELECT: ['select', '1'],
  CMD_UPDATE: ['update', '2'],
  CMD_INSERT: ['insert', '3'],
  CMD_DELETE: ['delete', '4'],
};

/** The rule by which a view is its query. */
export const VIEW_RULE = '_RETURN';

/** Queries of a rule: a view's one query, or the list of actions. */
export function storedQueries(action: string): Query[] {
  if (!action.startsWith('[')) return [parseQuery(action)];
  return (JSON.parse(action) as unknown[]).map((item) => parseQuery(JSON.stringify(item)));
}

export function storedActions(queries: readonly Query[]): string {
  return `[${queries.map((query) => serialiseQuery(query)).join(',')}]`;
}

export async function createRule(ddl: Ddl, statement: RuleStmt): Promise<UtilityResult> {
  const tag = { tag: 'CREATE RULE' };
  const name = statement.rulename!;
  const relation = await ddl.relation(statement.relation!, 'AccessExclusive');
  const [event, letter] = EVENTS[statement.event!]!;
  if (relation.kind === 'm')
    throw new DbError('feature_not_supported', 'rules on materialized views are not supported');
  if (relation.kind !== 'r' && relation.kind !== 'v' && relation.kind !== 'p')
    throw new DbError('wrong_object_type', `relation "${relation.name}" cannot have rules`, {
      detail: `This operation is not supported for ${relation.kind === 'S' ? 'sequences' : relation.kind === 'i' ? 'indexes' : relation.kind === 'f' ? 'foreign tables' : 'composite types'}.`,
    });
  if (relation.oid < 16384)
    throw new DbError('insufficient_privilege', `permission denied: "${relation.name}" is a system catalog`);
  ddl.requireRelationOwner(relation);
  const nodes = (statement.actions ?? []) as readonly Node[];
  const rule = ddl.context.sql.rule({ event, condition: statement.whereClause, actions: nodes }, relation);
  const isInstead = statement.instead === true;
  if (event === 'select') {
    checkSelectRule(relation, name, isInstead, rule.actions, rule.condition !== null);
    throw notSupported('CREATE RULE … ON SELECT (CREATE VIEW makes a view)');
  }
  checkReturning(ddl, relation, rule.actions, isInstead, rule.condition !== null);
  if (name === VIEW_RULE)
    throw new DbError(
      'invalid_object_definition',
      `non-view rule for "${relation.name}" must not be named "${VIEW_RULE}"`,
    );
  const { writer } = ddl;
  const known = ddl.reader.view
    .find('pg_rewrite', 'relation', relation.oid)
    .find(({ values }) => values[PG_REWRITE.rulename] === name);
  if (known !== undefined && statement.replace !== true)
    throw new DbError('duplicate_object', `rule "${name}" for relation "${relation.name}" already exists`);
  const oid = known === undefined ? writer.allocateOid() : (known.key as Oid);
  const values = {
    oid,
    rulename: name,
    ev_class: relation.oid,
    ev_type: letter,
    ev_enabled: 'O',
    is_instead: isInstead,
    ev_qual: rule.condition === null ? '<>' : serialiseExpr(rule.condition),
    ev_action: storedActions(rule.actions),
  };
  const self = address(CLASS_OID.rewrite, oid);
  if (known === undefined) writer.insert('pg_rewrite', makeRow(PG_REWRITE, values));
  else {
    writer.update('pg_rewrite', oid, {
      [PG_REWRITE.ev_type]: values.ev_type,
      [PG_REWRITE.is_instead]: values.is_instead,
      [PG_REWRITE.ev_qual]: values.ev_qual,
      [PG_REWRITE.ev_action]: values.ev_action,
    });
    writer.removeDependenciesOf(self);
  }
  writer.dependOn(self, address(CLASS_OID.relation, relation.oid), 'a');
  const collector = new DependencyCollector();
  if (rule.condition !== null) collector.triggerExpression(rule.condition, relation.oid);
  for (const action of rule.actions) collector.ruleAction(action, relation.oid);
  for (const referenced of collector.addresses) writer.dependOn(self, referenced, 'n');
  if (writer.row('pg_class', relation.oid)[PG_CLASS.relhasrules] !== true)
    writer.update('pg_class', relation.oid, { [PG_CLASS.relhasrules]: true });
  else writer.update('pg_class', relation.oid, {});
  return tag;
}

function checkSelectRule(
  relation: RelationDescriptor,
  name: string,
  isInstead: boolean,
  actions: readonly Query[],
  hasCondition: boolean,
): void {
  if (actions.length === 0)
    throw new DbError('feature_not_supported', 'INSTEAD NOTHING rules on SELECT are not implemented', {
      hint: 'Use views instead.',
    });
  if (actions.length > 1)
    throw new DbError('feature_not_supported', 'multiple actions for rules on SELECT are not implemented');
  if (!isInstead || actions[0]!.command !== 'select')
    throw new DbError('feature_not_supported', 'rules on SELECT must have action INSTEAD SELECT');
  if (hasCondition)
    throw new DbError(
      'feature_not_supported',
      'event qualifications are not implemented for rules on SELECT',
    );
  if (relation.kind === 'v' && name === VIEW_RULE)
    throw new DbError('object_not_in_prerequisite_state', `"${relation.name}" is already a view`);
}

function checkReturning(
  ddl: Ddl,
  relation: RelationDescriptor,
  actions: readonly Query[],
  isInstead: boolean,
  hasCondition: boolean,
): void {
  const returning = actions.filter((action) => action.returning.length > 0);
  if (returning.length === 0) return;
  if (returning.length > 1)
    throw new DbError('feature_not_supported', 'cannot have multiple RETURNING lists in a rule');
  if (hasCondition)
    throw new DbError('feature_not_supported', 'RETURNING lists are not supported in conditional rules');
  if (!isInstead)
    throw new DbError('feature_not_supported', 'RETURNING lists are not supported in non-INSTEAD rules');
  const wrong = (message: string, detail?: string): DbError =>
    new DbError('invalid_object_definition', message, detail === undefined ? {} : { detail });
  const columns = relation.columns;
  const targets = returning[0]!.returning.filter(({ junk }) => !junk);
  targets.forEach((target, index) => {
    const column = columns[index];
    if (column === undefined) throw wrong('RETURNING list has too many entries');
    if (column.dropped)
      throw new DbError(
        'feature_not_supported',
        'cannot convert relation containing dropped columns to view',
      );
    const text = (typeOid: Oid, typmod: number): string =>
      formatType(ddl.reader, typeOid, { path: ddl.path, typmod });
    if (target.expr.typeOid !== column.typeOid)
      throw wrong(
        `RETURNING list's entry ${index + 1} has different type from column "${column.name}"`,
        `RETURNING list entry has type ${text(target.expr.typeOid, -1)}, but column has type ${text(column.typeOid, -1)}.`,
      );
    if (target.expr.typmod !== column.typmod && target.expr.typmod !== -1)
      throw wrong(
        `RETURNING list's entry ${index + 1} has different size from column "${column.name}"`,
        `RETURNING list entry has type ${text(target.expr.typeOid, target.expr.typmod)}, but column has type ${text(column.typeOid, column.typmod)}.`,
      );
  });
  if (targets.length < columns.length) throw wrong('RETURNING list has too few entries');
}

const ENABLED: Readonly<Record<string, 'O' | 'D' | 'R' | 'A'>> = {
  AT_EnableRule: 'O',
  AT_EnableAlwaysRule: 'A',
  AT_EnableReplicaRule: 'R',
  AT_DisableRule: 'D',
};

export function isRuleAction(subtype: string | undefined): boolean {
  return subtype !== undefined && subtype in ENABLED;
}

/** ALTER TABLE … ENABLE | DISABLE RULE. */
export function enableRule(ddl: Ddl, relationOid: Oid, subtype: string, name: string | undefined): void {
  const relation = ddl.current(relationOid);
  const row = ddl.reader.view
    .find('pg_rewrite', 'relation', relationOid)
    .find(({ values }) => values[PG_REWRITE.rulename] === name);
  if (row === undefined)
    throw new DbError('undefined_object', `rule "${name}" for relation "${relation.name}" does not exist`);
  ddl.writer.update('pg_rewrite', row.key, { [PG_REWRITE.ev_enabled]: ENABLED[subtype]! });
}
