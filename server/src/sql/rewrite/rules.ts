/**
 * Rules (CREATE RULE): one statement on a table or view with rules becomes several.
 *
 * An action is merged with the statement that fired it: the statement's FROM and WHERE feed the action, OLD is a row of the
 * statement's target, NEW the values the statement would store. As in PostgreSQL those are expressions, not values: a volatile
 * function in the statement runs again in the action.
 */
import { DbError } from '../../base/error.ts';
import type { CatalogReader, RelationDescriptor, RuleDescriptor } from '../../catalog/contract.ts';
import { makeAnd, makeVar } from '../analyse/make.ts';
import { RULE_NEW, RULE_OLD } from '../analyse/rule.ts';
import type { Expr, FromNode, Query, RangeTableEntry, RelationEntry, TargetEntry, VarExpr } from '../tree.ts';
import { parseExpr, parseQuery } from '../tree-json.ts';
import { mapExpr, mapQuery, shiftExprLevels, walkExpr, walkQuery } from '../walk.ts';
import { fillTargets } from './defaults.ts';
import { hasInsteadTrigger, redirectOnce, withViewDefaults } from './updatable-views.ts';
import { asOwner, isExpandableView } from './views.ts';

type Event = 'insert' | 'update' | 'delete';

/** What a statement became: its queries in order, and which of them counts (-1 = none does). */
export interface FiredRules {
  queries: Query[];
  main: number;
}

interface ParsedRule {
  condition: Expr | null;
  actions: Query[];
}

const parsed = new WeakMap<RuleDescriptor, ParsedRule>();

function bodyOf(rule: RuleDescriptor, catalog: CatalogReader): ParsedRule {
  let body = parsed.get(rule);
  if (body === undefined) {
    const lookup = (oid: number) => catalog.type(oid)!.support;
    body = {
      condition: rule.condition === null ? null : parseExpr(rule.condition, lookup),
      actions: (JSON.parse(rule.actions) as unknown[]).map((item) =>
        parseQuery(JSON.stringify(item), lookup),
      ),
    };
    parsed.set(rule, body);
  }
  return body;
}

function targetOf(query: Query, catalog: CatalogReader): RelationDescriptor | null {
  const entry = query.rangeTable[query.resultRelation - 1];
  return entry?.kind === 'relation' ? catalog.relation(entry.relationOid) : null;
}

function rulesFor(relation: RelationDescriptor, event: Event): readonly RuleDescriptor[] {
  return (relation.rules ?? []).filter(
    (rule) => rule.event === event && (rule.enabled === 'O' || rule.enabled === 'A'),
  );
}

/** Rules of the target, or of a table that an updatable view leads to. */
function mayFire(query: Query, catalog: CatalogReader): boolean {
  let relation = targetOf(query, catalog);
  for (let depth = 0; relation !== null && depth < 100; depth++) {
    if ((relation.rules?.length ?? 0) > 0) return true;
    if (!isExpandableView(relation) || relation.viewQuery === null) return false;
    const body: Query = parseQuery(relation.viewQuery, (oid) => catalog.type(oid)!.support);
    const next = body.rangeTable.find((entry) => entry.kind === 'relation');
    relation = next?.kind === 'relation' ? catalog.relation(next.relationOid) : null;
  }
  return false;
}

/** The statement with the rules of its target applied; null when there are none. */
export function fireRules(query: Query, catalog: CatalogReader): FiredRules | null {
  if (query.resultRelation === 0 || !mayFire(query, catalog)) return null;
  if (query.command === 'merge') {
    const relation = targetOf(query, catalog);
    if ((relation?.rules?.length ?? 0) === 0) return null;
    throw new DbError('feature_not_supported', `cannot execute MERGE on relation "${relation?.name}"`, {
      detail: 'MERGE is not supported for relations with rules.',
    });
  }
  const queries: Query[] = [];
  const main = fire(query, catalog, [], queries, true);
  return { queries, main: main === null ? -1 : queries.indexOf(main) };
}

/** Adds what becomes of `query` to `out`; answers the query that counts as the statement's result, if any. */
function fire(
  statement: Query,
  catalog: CatalogReader,
  running: readonly string[],
  out: Query[],
  counts: boolean,
): Query | null {
  const event = statement.command as Event;
  const relation = targetOf(statement, catalog);
  if (relation === null || statement.resultRelation === 0) {
    out.push(statement);
    return statement;
  }
  const rules = rulesFor(relation, event);
  const isView = isExpandableView(relation);
  const hasTrigger = isView && hasInsteadTrigger(relation, event);
  if (
    statement.onConflict !== null &&
    (rulesFor(relation, 'insert').length > 0 || rulesFor(relation, 'update').length > 0)
  )
    throw new DbError(
      'feature_not_supported',
      'INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules',
    );
  const query = rules.length === 0 ? statement : completed(statement, relation, catalog, isView);
  const products: { query: Query; isInstead: boolean }[] = [];
  let original: Query | null = query;
  let replaced = false;
  let hasConditionalInstead = false;
  let hasReturning = false;
  const key = `${relation.oid}.${event}`;
  if (rules.length > 0 && running.includes(key))
    throw new DbError(
      'invalid_object_definition',
      `infinite recursion detected in rules for relation "${relation.name}"`,
    );
  for (const rule of rules) {
    const body = bodyOf(rule, catalog);
    for (const action of body.actions) {
      const made = merge(query, relation, asOwner(action, relation.ownerOid), body.condition, event);
      if (action.returning.length > 0 && query.returning.length > 0 && rule.instead) hasReturning = true;
      products.push({ query: made, isInstead: rule.instead });
    }
    if (!rule.instead) continue;
    if (body.condition === null) {
      replaced = true;
      original = null;
    } else {
      hasConditionalInstead = true;
      if (original !== null) original = excluding(original, body.condition, relation, event);
    }
  }
  if (replaced && query.returning.length > 0 && !hasReturning) {
    const verb = event.toUpperCase();
    throw new DbError(
      'feature_not_supported',
      `cannot perform ${verb} RETURNING on relation "${relation.name}"`,
      {
        hint: `You need an unconditional ON ${verb} DO INSTEAD rule with a RETURNING clause.`,
      },
    );
  }
  if (original !== null && isView && !hasTrigger) {
    if (hasConditionalInstead) throw conditionalView(relation, event);
    original = redirectOnce(original, catalog);
  }
  let counted: Query | null = null;
  const runOriginal = (): void => {
    if (original === null) return;
    // A view led to its table: that may have rules of its own.
    const done =
      isView && !hasTrigger ? fire(original, catalog, running, out, counts) : (out.push(original), original);
    if (counts) counted = done;
  };
  if (event === 'insert') runOriginal();
  for (const product of products) {
    const isCounted = counts && original === null && product.isInstead && product.query.command === event;
    const inner =
      product.query.command === 'select'
        ? (out.push(product.query), product.query)
        : fire(product.query, catalog, [...running, key], out, isCounted);
    if (isCounted) counted = inner;
  }
  if (event !== 'insert') runOriginal();
  return counted;
}

function conditionalView(relation: RelationDescriptor, event: Event): DbError {
  const words = {
    insert: ['insert into', 'inserting into'],
    update: ['update', 'updating'],
    delete: ['delete from', 'deleting from'],
  } as const;
  const [verb, doing] = words[event];
  const name = event.toUpperCase();
  return new DbError('object_not_in_prerequisite_state', `cannot ${verb} view "${relation.name}"`, {
    detail: 'Views with conditional DO INSTEAD rules are not automatically updatable.',
    hint: `To enable ${doing} the view, provide an INSTEAD OF ${name} trigger or an unconditional ON ${name} DO INSTEAD rule.`,
  });
}

/** Defaults are filled in before rules look at NEW. */
function completed(
  query: Query,
  relation: RelationDescriptor,
  catalog: CatalogReader,
  isView: boolean,
): Query {
  if (query.command === 'delete') return query;
  if (!isView) return fillTargets(query, catalog);
  const targets = withViewDefaults(query, relation, catalog).map((target) =>
    target.expr.kind === 'default' ? { ...target, expr: nullOf(relation, target.targetColumn) } : target,
  );
  return { ...query, targets };
}

function nullOf(relation: RelationDescriptor, attribute: number): Expr {
  const { typeOid, typmod, collation } = relation.columns[attribute - 1]!;
  return { kind: 'const', value: null, typeOid, typmod, collation };
}

// ------------------------------------------------------------------------------------------------------------- merging

/** What OLD and NEW stand for in a query whose target is at `index`. */
function replaceRows(
  node: Expr,
  depth: number,
  level: number,
  around: { relation: RelationDescriptor; index: number; targets: readonly TargetEntry[]; event: Event },
): Expr | undefined {
  if (node.kind !== 'var' || node.levelsUp !== level) return undefined;
  if (node.relation !== RULE_OLD && node.relation !== RULE_NEW) return undefined;
  const old = (attribute: number, like: VarExpr): Expr => ({
    ...makeVar(around.index, attribute, like, depth),
  });
  if (node.relation === RULE_OLD || (node.attribute < 0 && around.event === 'update'))
    return old(node.attribute, node);
  const column = (attribute: number): Expr => {
    const target = around.targets.find((item) => !item.junk && item.targetColumn === attribute);
    if (target !== undefined) return shiftExprLevels(target.expr, depth);
    if (around.event === 'insert') return nullOf(around.relation, attribute);
    const { typeOid, typmod, collation } = around.relation.columns[attribute - 1]!;
    return makeVar(around.index, attribute, { typeOid, typmod, collation }, depth);
  };
  if (node.attribute > 0) return column(node.attribute);
  if (node.attribute < 0)
    return { kind: 'const', value: null, typeOid: node.typeOid, typmod: -1, collation: 0 };
  const visible = around.relation.columns.filter(({ dropped }) => !dropped);
  return {
    kind: 'row',
    args: visible.map(({ number }) => column(number)),
    fieldNames: visible.map(({ name }) => name),
    typeOid: around.relation.rowTypeOid,
    typmod: -1,
    collation: 0,
  };
}

function shiftFrom(node: FromNode, offset: number): FromNode {
  if (node.kind === 'relationRef') return { ...node, relation: node.relation + offset };
  return {
    ...node,
    relation: node.relation === 0 ? 0 : node.relation + offset,
    left: shiftFrom(node.left, offset),
    right: shiftFrom(node.right, offset),
  };
}

/** The statement with its range table moved up by `offset`. */
function shifted(query: Query, offset: number): Query {
  const moved = mapQuery(query, (node, depth) =>
    node.kind === 'var' && node.levelsUp === depth
      ? {
          ...node,
          relation: node.relation + offset,
          ...(node.displayRelation === undefined
            ? {}
            : { displayRelation: node.displayRelation === 0 ? 0 : node.displayRelation + offset }),
        }
      : undefined,
  );
  return {
    ...moved,
    from: moved.from.map((node) => shiftFrom(node, offset)),
    resultRelation: moved.resultRelation + offset,
  };
}

function usesRelation(expr: Expr | null, index: number): boolean {
  let found = false;
  if (expr !== null)
    walkExpr(expr, (node, depth) => {
      if (node.kind === 'var' && node.levelsUp === depth && node.relation === index) found = true;
    });
  return found;
}

function merge(
  statement: Query,
  relation: RelationDescriptor,
  action: Query,
  condition: Expr | null,
  event: Event,
): Query {
  const offset = action.rangeTable.length;
  const outer = shifted(statement, offset);
  const index = outer.resultRelation;
  const around = { relation, index, targets: outer.targets, event };
  let usesRows = false;
  walkQuery(action, (node, depth) => {
    if (node.kind === 'var' && node.levelsUp === depth + 1) usesRows = true;
  });
  const merged = mapQuery({ ...action, returning: action.returning }, (node, depth) =>
    replaceRows(node, depth, depth + 1, around),
  );
  const qual =
    condition === null ? null : mapExpr(condition, (node, depth) => replaceRows(node, depth, depth, around));
  const isKept = event !== 'insert' && (usesRows || condition !== null || usesRelation(outer.where, index));
  const entries = outer.rangeTable.map(
    (entry, at): RangeTableEntry =>
      at + offset + 1 === index ? { ...(entry as RelationEntry), inFrom: isKept } : entry,
  );
  const outerFrom = outer.from.filter(
    (node) => isKept || node.kind !== 'relationRef' || node.relation !== index,
  );
  const isModifying = action.command === 'update' || action.command === 'delete';
  const from = isModifying
    ? [merged.from[0]!, ...outerFrom, ...merged.from.slice(1)]
    : [...outerFrom, ...merged.from];
  // What the action reads may look at the rows of the statement beside it.
  const own = merged.rangeTable.map(
    (entry): RangeTableEntry =>
      usesRows && (entry.kind === 'subquery' || entry.kind === 'values' || entry.kind === 'function')
        ? { ...entry, lateral: true }
        : entry,
  );
  return {
    ...merged,
    rangeTable: [...own, ...entries],
    from,
    where: makeAnd([outer.where, qual, merged.where]),
    commonTables: [...outer.commonTables, ...merged.commonTables],
    recursive: outer.recursive || merged.recursive,
    hasSubLinks: outer.hasSubLinks || merged.hasSubLinks || condition !== null,
    returning: mergedReturning(outer, merged, index),
  };
}

/** The statement's RETURNING in terms of the action's: its columns stand for the relation's. */
function mergedReturning(outer: Query, action: Query, index: number): TargetEntry[] {
  if (outer.returning.length === 0 || action.returning.length === 0) return [];
  const given = action.returning.filter(({ junk }) => !junk);
  return outer.returning.map((target) => ({
    ...target,
    expr: mapExpr(target.expr, (node, depth) => {
      if (node.kind !== 'var' || node.levelsUp !== depth || node.relation !== index) return undefined;
      if (node.attribute > 0) return shiftExprLevels(given[node.attribute - 1]!.expr, depth);
      if (node.attribute < 0) return undefined;
      return {
        kind: 'row',
        args: given.map(({ expr }) => shiftExprLevels(expr, depth)),
        fieldNames: given.map(({ name }) => name),
        typeOid: node.typeOid,
        typmod: -1,
        collation: 0,
      };
    }),
  }));
}

/** Under a conditional DO INSTEAD the statement itself goes on for the other rows. */
function excluding(query: Query, condition: Expr, relation: RelationDescriptor, event: Event): Query {
  const around = { relation, index: query.resultRelation, targets: query.targets, event };
  const qual = mapExpr(condition, (node, depth) => replaceRows(node, depth, depth, around));
  const not: Expr = {
    kind: 'booleanTest',
    arg: qual,
    test: 'notTrue',
    typeOid: 16,
    typmod: -1,
    collation: 0,
  };
  return { ...query, where: makeAnd([query.where, not]), hasSubLinks: true };
}

/** A data-modifying WITH query under rules: only one unconditional DO INSTEAD action can take its place. */
export function fireInCommonTable(query: Query, catalog: CatalogReader): Query {
  const fired = fireRules(query, catalog);
  if (fired === null) return query;
  const refuse = (what: string): DbError =>
    new DbError('feature_not_supported', `${what} are not supported for data-modifying statements in WITH`);
  const relation = targetOf(query, catalog);
  const rules = relation === null ? [] : rulesFor(relation, query.command as Event);
  if (fired.queries.length === 0) throw refuse('DO INSTEAD NOTHING rules');
  if (rules.some(({ instead }) => !instead)) throw refuse('DO ALSO rules');
  if (rules.some(({ instead, condition }) => instead && condition !== null))
    throw refuse('conditional DO INSTEAD rules');
  if (fired.queries.length > 1) throw refuse('multi-statement DO INSTEAD rules');
  return fired.queries[0]!;
}
