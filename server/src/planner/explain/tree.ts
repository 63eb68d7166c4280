/**
 * The plan as EXPLAIN shows it: a tree of nodes with PostgreSQL's names and attributes, independent of the output format.
 *
 * Projections vanish into what is below them, filters become a line of the node below, and the built side of a hash join
 * gets a Hash node, as PostgreSQL's plans have one.
 */
import { quoteIdentifier } from '../../catalog/identifiers.ts';
import { makeAnd } from '../expression/make.ts';
import { type LExpr, someExpr } from '../expression/walk.ts';
import type { PhysicalJoinType, PhysicalPlan, PlanExpr, PlanNode, PlanSortKey } from '../physical.ts';
import { forEachPlanExpression, planChildren } from '../plan-walk.ts';
import { ExpressionPrinter, type PrinterOptions } from './expressions.ts';
import type { NodeInstrumentation, PlanInstrumentation } from './instrumentation.ts';

export type PropertyValue = string | number | boolean | string[];

export interface ExplainProperty {
  label: string;
  value: PropertyValue;
  /** Left out of the text format (it says the same in the node's title). */
  structuredOnly?: boolean;
}

export interface ExplainNode {
  /** Title in text: "Hash Left Join", "Index Scan using i on t x". */
  title: string;
  /** "Node Type" of the structured formats and the attributes that go with it. */
  nodeType: string;
  attributes: ExplainProperty[];
  planId: number;
  startupCost: number;
  totalCost: number;
  rows: number;
  width: number;
  measured: NodeInstrumentation | null;
  properties: ExplainProperty[];
  initPlans: { name: string; node: ExplainNode }[];
  children: { relationship: 'Outer' | 'Inner' | 'Member'; node: ExplainNode }[];
  subPlans: { name: string; node: ExplainNode }[];
}

export interface ExplainTreeOptions extends PrinterOptions {
  instrumentation: PlanInstrumentation | null;
}

export function explainTree(plan: PhysicalPlan, options: ExplainTreeOptions): ExplainNode {
  return new TreeBuilder(plan, options).build();
}

/** Nodes that show a condition on their own rows as a line of their own. */
const TAKES_FILTER = new Set<PlanNode['kind']>([
  'seqScan',
  'indexScan',
  'virtualScan',
  'valuesScan',
  'functionScan',
  'cteScan',
  'workTableScan',
  'nestedLoop',
  'hashJoin',
  'mergeJoin',
  'aggregate',
  'project',
  'result',
]);

const JOIN_NAMES: Record<PhysicalJoinType, string> = {
  inner: 'Inner',
  left: 'Left',
  right: 'Right',
  full: 'Full',
  semi: 'Semi',
  anti: 'Anti',
  rightSemi: 'Right Semi',
  rightAnti: 'Right Anti',
};

class TreeBuilder {
  private readonly plan: PhysicalPlan;
  private readonly options: ExplainTreeOptions;
  private readonly printer: ExpressionPrinter;
  private readonly shown = new Set<number>();

  constructor(plan: PhysicalPlan, options: ExplainTreeOptions) {
    this.plan = plan;
    this.options = options;
    this.printer = new ExpressionPrinter(plan, options);
  }

  build(): ExplainNode {
    const ctes = this.plan.ctes.map((cte) => ({
      name: `CTE ${quoteIdentifier(cte.name)}`,
      node: this.tree(cte.root),
    }));
    const root = this.tree(this.plan.root);
    root.initPlans.unshift(...ctes);
    if (this.options.verbose && this.plan.columns.length > 0) {
      const output = this.plan.columns.map((column) =>
        this.printer.slot(column.slot, outputNode(this.plan.root)),
      );
      root.properties = root.properties.filter((property) => property.label !== 'Output');
      root.properties.unshift({ label: 'Output', value: output });
    }
    return root;
  }

  /** A whole tree, with the init plans its nodes use attached to its root. */
  private tree(root: PlanNode): ExplainNode {
    const node = this.node(root);
    for (const index of this.initPlansOf(root)) {
      if (this.shown.has(index)) continue;
      this.shown.add(index);
      const number = this.printer.subplanNumber(index);
      node.initPlans.push({
        name: `InitPlan ${number} (returns ${this.printer.initPlanParameter(index)})`,
        node: this.tree(this.plan.subplans[index].root),
      });
    }
    return node;
  }

  private initPlansOf(root: PlanNode): number[] {
    const found: number[] = [];
    const visit = (node: PlanNode): void => {
      forEachPlanExpression(node, (expr) => {
        someExpr(expr, (e) => {
          if (
            e.kind === 'subPlan' &&
            this.plan.subplans[e.plan].once &&
            !isTest(e.type) &&
            !found.includes(e.plan)
          )
            found.push(e.plan);
          return false;
        });
      });
      for (const child of planChildren(node)) visit(child);
    };
    visit(root);
    return found.sort((a, b) => a - b);
  }

  private make(node: PlanNode, nodeType: string, title = nodeType): ExplainNode {
    return {
      title,
      nodeType,
      attributes: [],
      planId: node.id,
      startupCost: node.startupCost,
      totalCost: node.totalCost,
      rows: node.estimatedRows,
      width: node.width,
      measured: this.options.instrumentation?.nodes.get(node.id) ?? null,
      properties: [],
      initPlans: [],
      children: [],
      subPlans: [],
    };
  }

  private node(node: PlanNode): ExplainNode {
    const result = this.describe(node);
    this.attachSubPlans(result, node);
    return result;
  }

  private attachSubPlans(result: ExplainNode, node: PlanNode): void {
    forEachPlanExpression(node, (expr) => {
      someExpr(expr, (e) => {
        if (e.kind !== 'subPlan') return false;
        const { once } = this.plan.subplans[e.plan];
        if ((once && !isTest(e.type)) || this.shown.has(e.plan)) return false;
        this.shown.add(e.plan);
        result.subPlans.push({
          name: `SubPlan ${this.printer.subplanNumber(e.plan)}`,
          node: this.tree(this.plan.subplans[e.plan].root),
        });
        return false;
      });
    });
  }

  private text(expr: PlanExpr, node: PlanNode): string {
    return this.printer.print(expr, node);
  }

  private addCondition(
    result: ExplainNode,
    label: string,
    exprs: readonly (PlanExpr | null)[],
    node: PlanNode,
  ): void {
    const all = makeAnd(exprs.filter((expr): expr is PlanExpr => expr !== null).flatMap(flattenAnd));
    if (all !== null) result.properties.push({ label, value: this.text(all as PlanExpr, node) });
  }

  private addKeys(result: ExplainNode, label: string, keys: readonly PlanSortKey[], node: PlanNode): void {
    if (keys.length > 0)
      result.properties.push({ label, value: keys.map((key) => this.printer.sortKey(key, node)) });
  }

  private addRemoved(result: ExplainNode, label: string): void {
    const { measured } = result;
    if (measured !== null && measured.removed > 0 && measured.loops > 0)
      result.properties.push({
        label: `Rows Removed by ${label}`,
        value: Math.round(measured.removed / measured.loops),
      });
  }

  private addOutput(result: ExplainNode, node: PlanNode): void {
    if (this.options.verbose && node.outputs.length > 0)
      result.properties.push({
        label: 'Output',
        value: node.outputs.map((slot) => this.printer.slot(slot, node)),
      });
  }

  private relation(node: Extract<PlanNode, { relationOid: number; alias: string }>): {
    name: string;
    schema: string;
    title: string;
  } {
    const relation = this.options.catalog.relation(node.relationOid);
    const name = relation?.name ?? String(node.relationOid);
    const alias = this.printer.alias(node);
    const schema = relation?.namespaceName ?? '';
    const shown =
      this.options.verbose && schema !== ''
        ? `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
        : quoteIdentifier(name);
    return {
      name,
      schema,
      title: alias === name || alias === '' ? shown : `${shown} ${quoteIdentifier(alias)}`,
    };
  }

  private addRelation(result: ExplainNode, relation: { name: string; schema: string }, alias: string): void {
    result.attributes.push({ label: 'Relation Name', value: relation.name });
    if (this.options.verbose) result.attributes.push({ label: 'Schema', value: relation.schema });
    result.attributes.push({ label: 'Alias', value: alias });
  }

  private child(
    result: ExplainNode,
    node: PlanNode,
    relationship: 'Outer' | 'Inner' | 'Member' = 'Outer',
  ): void {
    result.children.push({ relationship, node: this.node(node) });
  }

  private addExtra(result: ExplainNode): void {
    for (const [label, value] of result.measured?.extra ?? []) result.properties.push({ label, value });
    const memory = result.measured?.memoryBytes;
    if (memory !== undefined && memory > 0)
      result.properties.push({ label: 'Memory Usage', value: `${Math.ceil(memory / 1024)}kB` });
  }

  private describe(node: PlanNode): ExplainNode {
    const result = this.describeNode(node);
    this.addExtra(result);
    return result;
  }

  private describeNode(node: PlanNode): ExplainNode {
    switch (node.kind) {
      case 'seqScan':
      case 'virtualScan': {
        const relation = this.relation(node);
        const result = this.make(node, 'Seq Scan', `Seq Scan on ${relation.title}`);
        this.addRelation(result, relation, node.alias);
        this.addOutput(result, node);
        const pushed =
          node.kind === 'seqScan'
            ? node.pushed.filter((item) => !item.derived).map((item) => item.source)
            : [];
        this.addCondition(result, 'Filter', [...pushed, node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'indexScan': {
        const relation = this.relation(node);
        const direction = node.backward ? ' Backward' : '';
        const result = this.make(
          node,
          'Index Scan',
          `Index Scan${direction} using ${quoteIdentifier(node.indexName)} on ${relation.title}`,
        );
        result.attributes.push({ label: 'Scan Direction', value: node.backward ? 'Backward' : 'Forward' });
        result.attributes.push({ label: 'Index Name', value: node.indexName });
        this.addRelation(result, relation, node.alias);
        this.addOutput(result, node);
        this.addCondition(result, 'Index Cond', node.conditions, node);
        this.addCondition(result, 'Filter', [node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'result': {
        const result = this.make(node, 'Result');
        if (node.condition !== null) this.addCondition(result, 'One-Time Filter', [node.condition], node);
        return result;
      }
      case 'valuesScan': {
        const result = this.make(
          node,
          'Values Scan',
          `Values Scan on ${quoteIdentifier(this.printer.alias(node))}`,
        );
        result.attributes.push({ label: 'Alias', value: node.alias });
        this.addOutput(result, node);
        this.addCondition(result, 'Filter', [node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'functionScan': {
        const alias = this.printer.alias(node);
        const call = node.functions[0]?.expr;
        const name =
          call?.kind === 'function' ? (this.options.catalog.function(call.functionOid)?.name ?? '?') : alias;
        const on = node.functions.length > 1 ? '' : `${quoteIdentifier(name)}${name === alias ? '' : ' '}`;
        const result = this.make(
          node,
          'Function Scan',
          `Function Scan on ${on}${name === alias && on !== '' ? '' : quoteIdentifier(alias)}`,
        );
        result.attributes.push(
          { label: 'Function Name', value: name },
          { label: 'Alias', value: node.alias },
        );
        this.addOutput(result, node);
        if (this.options.verbose)
          result.properties.push({
            label: 'Function Call',
            value: node.functions.map((item) => this.text(item.expr, node)).join(', '),
          });
        this.addCondition(result, 'Filter', [node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'cteScan': {
        const shownAlias = this.printer.alias(node);
        const alias = shownAlias === node.name ? '' : ` ${quoteIdentifier(shownAlias)}`;
        const result = this.make(node, 'CTE Scan', `CTE Scan on ${quoteIdentifier(node.name)}${alias}`);
        result.attributes.push(
          { label: 'CTE Name', value: node.name },
          { label: 'Alias', value: node.alias },
        );
        this.addOutput(result, node);
        this.addCondition(result, 'Filter', [node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'workTableScan': {
        const result = this.make(
          node,
          'WorkTable Scan',
          `WorkTable Scan on ${quoteIdentifier(node.alias)}${this.printer.alias(node) === node.alias ? '' : ` ${quoteIdentifier(this.printer.alias(node))}`}`,
        );
        result.attributes.push({ label: 'Alias', value: node.alias });
        this.addOutput(result, node);
        this.addCondition(result, 'Filter', [node.filter], node);
        this.addRemoved(result, 'Filter');
        return result;
      }
      case 'project': {
        // PostgreSQL computes targets inside the node below.
        const below = this.node(node.child);
        below.startupCost = node.startupCost;
        below.totalCost = node.totalCost;
        below.width = node.width;
        if (this.options.verbose && node.outputs.length > 0) {
          below.properties = below.properties.filter((property) => property.label !== 'Output');
          below.properties.unshift({
            label: 'Output',
            value: node.outputs.map((slot) => this.printer.slot(slot, node)),
          });
        }
        return below;
      }
      case 'filter': {
        if (node.oneTime) {
          const result = this.make(node, 'Result');
          this.addOutput(result, node);
          this.addCondition(result, 'One-Time Filter', [node.condition], node);
          this.child(result, node.child);
          return result;
        }
        if (!TAKES_FILTER.has(node.child.kind)) {
          const result = this.make(node, 'Subquery Scan', 'Subquery Scan on "*SELECT*"');
          this.addOutput(result, node);
          this.addCondition(result, 'Filter', [node.condition], node);
          this.addRemoved(result, 'Filter');
          this.child(result, node.child);
          return result;
        }
        const below = this.node(node.child);
        const measured = this.options.instrumentation?.nodes.get(node.id) ?? null;
        below.startupCost = node.startupCost;
        below.totalCost = node.totalCost;
        below.rows = node.estimatedRows;
        if (measured !== null) below.measured = measured;
        this.addCondition(below, 'Filter', [node.condition], node);
        this.addRemoved(below, 'Filter');
        return below;
      }
      case 'projectSet': {
        const result = this.make(node, 'ProjectSet');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'nestedLoop': {
        const suffix = node.type === 'inner' ? '' : ` ${JOIN_NAMES[node.type]} Join`;
        const result = this.make(node, 'Nested Loop', `Nested Loop${suffix}`);
        result.attributes.push({ label: 'Join Type', value: JOIN_NAMES[node.type] });
        this.addOutput(result, node);
        this.addCondition(result, 'Join Filter', [node.condition], node);
        this.addRemoved(result, 'Join Filter');
        this.child(result, node.outer);
        this.child(result, node.inner, 'Inner');
        return result;
      }
      case 'hashJoin': {
        const middle = node.type === 'inner' ? '' : `${JOIN_NAMES[node.type]} `;
        const result = this.make(node, 'Hash Join', `Hash ${middle}Join`);
        result.attributes.push({ label: 'Join Type', value: JOIN_NAMES[node.type] });
        this.addOutput(result, node);
        const keys = node.keys.map(
          (key) =>
            `(${this.text(key.outer, node)} ${this.options.catalog.operator(key.operatorOid)?.name ?? '='} ${this.text(key.inner, node)})`,
        );
        if (keys.length > 0)
          result.properties.push({
            label: 'Hash Cond',
            value: keys.length === 1 ? keys[0] : `(${keys.join(' AND ')})`,
          });
        this.addCondition(result, 'Join Filter', [node.condition], node);
        this.addRemoved(result, 'Join Filter');
        this.child(result, node.outer);
        const built = this.node(node.inner);
        const hash: ExplainNode = {
          ...this.make(node.inner, 'Hash'),
          startupCost: node.inner.totalCost,
          totalCost: node.inner.totalCost,
          measured:
            built.measured === null
              ? null
              : { ...built.measured, startupMicros: built.measured.totalMicros, extra: [] },
          children: [{ relationship: 'Outer', node: built }],
        };
        if (this.options.verbose && node.inner.outputs.length > 0) this.addOutput(hash, node.inner);
        result.children.push({ relationship: 'Inner', node: hash });
        return result;
      }
      case 'mergeJoin': {
        const middle = node.type === 'inner' ? '' : `${JOIN_NAMES[node.type]} `;
        const result = this.make(node, 'Merge Join', `Merge ${middle}Join`);
        result.attributes.push({ label: 'Join Type', value: JOIN_NAMES[node.type] });
        this.addOutput(result, node);
        const keys = node.keys.map(
          (key) => `(${this.text(key.outer, node)} = ${this.text(key.inner, node)})`,
        );
        result.properties.push({
          label: 'Merge Cond',
          value: keys.length === 1 ? keys[0] : `(${keys.join(' AND ')})`,
        });
        this.addCondition(result, 'Join Filter', [node.condition], node);
        this.child(result, node.outer);
        this.child(result, node.inner, 'Inner');
        return result;
      }
      case 'materialize': {
        const result = this.make(node, 'Materialize');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'sort': {
        const isPartial = node.presorted > 0;
        const result = this.make(node, isPartial ? 'Incremental Sort' : 'Sort');
        this.addOutput(result, node);
        this.addKeys(result, 'Sort Key', node.keys, node);
        if (isPartial) this.addKeys(result, 'Presorted Key', node.keys.slice(0, node.presorted), node);
        this.child(result, node.child);
        return result;
      }
      case 'limit': {
        const result = this.make(node, 'Limit');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'unique': {
        const result = this.make(node, 'Unique');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'aggregate':
        return this.describeAggregate(node);
      case 'window': {
        const result = this.make(node, 'WindowAgg');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'append': {
        const result = this.make(node, 'Append');
        for (const child of node.children) this.child(result, child, 'Member');
        return result;
      }
      case 'setOperation': {
        const command = node.op === 'intersect' ? 'Intersect' : 'Except';
        const all = node.all ? ' All' : '';
        const result = this.make(node, 'SetOp', `HashSetOp ${command}${all}`);
        result.attributes.push(
          { label: 'Strategy', value: 'Hashed' },
          { label: 'Command', value: `${command}${all}` },
        );
        this.child(result, node.left);
        this.child(result, node.right, 'Inner');
        return result;
      }
      case 'recursiveUnion': {
        const result = this.make(node, 'Recursive Union');
        this.child(result, node.base);
        this.child(result, node.recursive, 'Inner');
        return result;
      }
      case 'lockRows': {
        const result = this.make(node, 'LockRows');
        this.addOutput(result, node);
        this.child(result, node.child);
        return result;
      }
      case 'modify': {
        const relation = this.relation(node);
        const operation =
          node.mergeActions.length > 0
            ? 'Merge'
            : { insert: 'Insert', update: 'Update', delete: 'Delete' }[node.command];
        const result = this.make(node, 'ModifyTable', `${operation} on ${relation.title}`);
        result.attributes.push({ label: 'Operation', value: operation });
        this.addRelation(result, relation, node.alias);
        this.addOutput(result, node);
        if (node.onConflict !== null) {
          result.properties.push({
            label: 'Conflict Resolution',
            value: node.onConflict.action === 'update' ? 'UPDATE' : 'NOTHING',
          });
          if (node.onConflict.indexOids.length > 0) {
            const indexes = this.options.catalog.relation(node.relationOid)?.indexes ?? [];
            const names = node.onConflict.indexOids.map(
              (oid) => indexes.find((index) => index.oid === oid)?.name ?? String(oid),
            );
            result.properties.push({ label: 'Conflict Arbiter Indexes', value: names });
          }
          this.addCondition(result, 'Conflict Filter', [node.onConflict.where], node);
        }
        this.child(result, node.child);
        return result;
      }
    }
  }

  private describeAggregate(node: Extract<PlanNode, { kind: 'aggregate' }>): ExplainNode {
    const isGroupOnly = node.aggregates.length === 0 && node.strategy === 'sorted';
    const title = isGroupOnly
      ? 'Group'
      : { plain: 'Aggregate', sorted: 'GroupAggregate', hashed: 'HashAggregate', mixed: 'MixedAggregate' }[
          node.strategy
        ];
    const result = this.make(node, isGroupOnly ? 'Group' : 'Aggregate', title);
    if (!isGroupOnly) {
      const strategy = { plain: 'Plain', sorted: 'Sorted', hashed: 'Hashed', mixed: 'Mixed' }[node.strategy];
      result.attributes.push(
        { label: 'Strategy', value: strategy },
        { label: 'Partial Mode', value: 'Simple' },
      );
    }
    this.addOutput(result, node);
    const groupTexts = node.groups.map((group) => this.text(group.expr, node));
    if (node.sets !== null) {
      for (const set of node.sets)
        result.properties.push(
          set.length === 0
            ? { label: 'Group Key', value: '()' }
            : { label: 'Hash Key', value: set.map((i) => groupTexts[i]) },
        );
    } else if (groupTexts.length > 0) result.properties.push({ label: 'Group Key', value: groupTexts });
    this.addCondition(result, 'Filter', [node.having], node);
    this.addRemoved(result, 'Filter');
    this.child(result, node.child);
    return result;
  }
}

function isTest(type: string): boolean {
  return type === 'any' || type === 'all' || type === 'rowCompare';
}

function flattenAnd(expr: PlanExpr): LExpr[] {
  return expr.kind === 'bool' && expr.op === 'and' ? (expr.args as LExpr[]) : [expr as LExpr];
}

/** The node whose expressions the statement's columns are. */
function outputNode(root: PlanNode): PlanNode {
  return root;
}
