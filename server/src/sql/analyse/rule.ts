/** CREATE RULE: its condition and actions over the rows OLD and NEW. */
import { DbError } from '../../base/error.ts';
import type { RelationDescriptor } from '../../catalog/contract.ts';
import { type Node, tagOf } from '../parse/ast.ts';
import type { Expr, Query } from '../tree.ts';
import { walkExpr, walkQuery } from '../walk.ts';
import { coerceToBoolean } from './coerce.ts';
import { assignCollations } from './collations.ts';
import { transformExpr } from './expressions.ts';
import { ParameterTypes } from './parameters.ts';
import { makeItem, relationEntry } from './range-table.ts';
import { Scope } from './scope.ts';
import type { AnalyseOptions } from './statement.ts';
import { analyseQueryNode, isQueryTag } from './statement-kinds.ts';

/** Range table indexes of the two rows in conditions and actions. */
export const RULE_OLD = 1;
export const RULE_NEW = 2;

export type RuleEvent = 'select' | 'insert' | 'update' | 'delete';

export interface AnalysedRule {
  /** Vars of relation 1 are OLD's columns, of relation 2 NEW's. */
  condition: Expr | null;
  /** The two rows stand one query level outside each action: their Vars have levelsUp 1 there. */
  actions: Query[];
}

function rowsScope(relation: RelationDescriptor, options: AnalyseOptions, areColumnsVisible: boolean): Scope {
  const { catalog, path, format } = options;
  const scope = new Scope({ catalog, path, format, parameters: new ParameterTypes([], false) }, null);
  for (const aliasname of ['old', 'new']) {
    const entry = relationEntry(scope, relation, {
      alias: { aliasname },
      lockMode: 'AccessShare',
      inFrom: true,
    });
    const item = makeItem(entry, scope.rangeTable.length);
    item.areColumnsVisible = areColumnsVisible;
    scope.namespace.push(item);
  }
  return scope;
}

export function analyseRule(
  rule: { event: RuleEvent; condition: Node | undefined; actions: readonly Node[] },
  relation: RelationDescriptor,
  options: AnalyseOptions,
): AnalysedRule {
  let condition: Expr | null = null;
  const used = { old: false, new: false };
  const note = (index: number): void => {
    if (index === RULE_OLD) used.old = true;
    else if (index === RULE_NEW) used.new = true;
  };
  if (rule.condition !== undefined) {
    const scope = rowsScope(relation, options, true);
    // Unqualified names would fit both rows: only one of them is there for these events.
    if (rule.event === 'insert') scope.namespace[0]!.areColumnsVisible = false;
    if (rule.event === 'delete') scope.namespace[1]!.areColumnsVisible = false;
    scope.kind = 'where';
    condition = coerceToBoolean(scope, transformExpr(scope, rule.condition), 'WHERE');
    assignCollations(scope, condition);
    if (scope.rangeTable.length > 2)
      throw new DbError(
        'invalid_object_definition',
        'rule WHERE condition cannot contain references to other relations',
      );
    walkExpr(condition, (expr, depth) => {
      if (expr.kind === 'var' && expr.levelsUp === depth) note(expr.relation);
    });
  }
  const actions = rule.actions.map((node) => {
    const tag = tagOf(node);
    if (!isQueryTag(tag)) {
      if (rule.condition !== undefined)
        throw new DbError(
          'invalid_object_definition',
          'rules with WHERE conditions can only have SELECT, INSERT, UPDATE, or DELETE actions',
        );
      throw new DbError(
        'feature_not_supported',
        `a rule with ${tag.replace('Stmt', '').toUpperCase()} is not supported`,
      );
    }
    const scope = rowsScope(relation, options, false);
    const query = analyseQueryNode(scope.child(), node);
    let usesRows = false;
    walkQuery(query, (expr, depth) => {
      if (expr.kind !== 'var' || expr.levelsUp !== depth + 1) return;
      usesRows = true;
      note(expr.relation);
    });
    if (usesRows && query.setOperation !== null)
      throw new DbError(
        'feature_not_supported',
        'conditional UNION/INTERSECT/EXCEPT statements are not implemented',
      );
    return query;
  });
  const refuse = (row: 'OLD' | 'NEW'): DbError =>
    new DbError('invalid_object_definition', `ON ${rule.event.toUpperCase()} rule cannot use ${row}`);
  if (used.old && (rule.event === 'select' || rule.event === 'insert')) throw refuse('OLD');
  if (used.new && (rule.event === 'select' || rule.event === 'delete')) throw refuse('NEW');
  return { condition, actions };
}
