/**
 * Expressions as text, in the spelling PostgreSQL's EXPLAIN uses.
 *
 * Slots are named after the stored column behind them, or spelled out as the expression that computes them (in parentheses
 * where a node below did). Implicit casts show as arguments of operators and functions only.
 */
import type { Oid } from '../../base/brands.ts';
import type { CatalogReader, SearchPath } from '../../catalog/contract.ts';
import { quoteIdentifier, quoteLiteral } from '../../catalog/identifiers.ts';
import type { AggregateExpr, ConstExpr, WindowFunctionExpr } from '../../sql/tree.ts';
import type { FormatContext } from '../../types/contract.ts';
import type { LExpr } from '../expression/walk.ts';
import type { PhysicalPlan, PlanAggregate, PlanExpr, PlanNode, PlanSortKey } from '../physical.ts';
import { forEachPlanNode } from '../plan-walk.ts';

export interface PrinterOptions {
  catalog: CatalogReader;
  format: FormatContext;
  verbose: boolean;
}

type SlotName =
  | { kind: 'column'; alias: string; column: string }
  | { kind: 'expression'; expr: PlanExpr; node: PlanNode }
  | { kind: 'aggregate'; call: PlanAggregate; node: PlanNode }
  | { kind: 'window'; call: WindowFunctionExpr; args: PlanExpr[]; filter: PlanExpr | null; node: PlanNode }
  | { kind: 'same'; slot: number };

const NO_PATH: SearchPath = { namespaces: [11], creationNamespace: 0 };

export class ExpressionPrinter {
  private readonly plan: PhysicalPlan;
  private readonly options: PrinterOptions;
  private readonly names = new Map<number, SlotName>();
  private readonly aliases = new Map<PlanNode, string>();
  private readonly usedAliases = new Map<string, number>();
  private readonly qualified: boolean;
  private readonly initPlanNumbers = new Map<number, number>();

  constructor(plan: PhysicalPlan, options: PrinterOptions) {
    this.plan = plan;
    this.options = options;
    let relations = 0;
    const visit = (node: PlanNode): void => {
      if ('alias' in node && node.kind !== 'modify') {
        relations++;
        this.aliases.set(node, this.uniqueAlias(node.alias));
      }
      this.nameSlots(node);
    };
    forEachPlanNode(plan.root, visit);
    for (const subplan of plan.subplans) forEachPlanNode(subplan.root, visit);
    for (const cte of plan.ctes) forEachPlanNode(cte.root, visit);
    this.qualified = options.verbose || relations > 1;
    let next = 0;
    plan.subplans.forEach((subplan, i) => {
      if (subplan.once) this.initPlanNumbers.set(i, next++);
    });
  }

  /** The second `t` of a plan is called `t_1`, as in PostgreSQL. */
  private uniqueAlias(alias: string): string {
    const count = this.usedAliases.get(alias);
    if (count === undefined) {
      this.usedAliases.set(alias, 0);
      return alias;
    }
    for (let next = count + 1; ; next++) {
      const name = `${alias}_${next}`;
      if (this.usedAliases.has(name)) continue;
      this.usedAliases.set(alias, next);
      this.usedAliases.set(name, 0);
      return name;
    }
  }

  /** Alias of a scan as shown. */
  alias(node: PlanNode & { alias: string }): string {
    return this.aliases.get(node) ?? node.alias;
  }

  /** Number shown for a subplan: CTEs come first. */
  subplanNumber(index: number): number {
    return this.plan.ctes.length + index + 1;
  }

  /** `$n` under which an init plan's result is known. */
  initPlanParameter(index: number): string {
    return `$${this.initPlanNumbers.get(index) ?? index}`;
  }

  private columnName(relationOid: Oid, column: number): string {
    if (column < 0) return ['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'][-column - 1] ?? '?';
    return this.options.catalog.relation(relationOid)?.columns[column]?.name ?? `column${column + 1}`;
  }

  private nameSlots(node: PlanNode): void {
    const set = (slot: number, name: SlotName): void => {
      if (!this.names.has(slot)) this.names.set(slot, name);
    };
    switch (node.kind) {
      case 'seqScan':
      case 'indexScan':
      case 'virtualScan':
        for (const { column, slot } of node.kind === 'virtualScan'
          ? node.columns
          : [...node.columns, ...(node.pruned ?? [])])
          set(slot, {
            kind: 'column',
            alias: this.alias(node),
            column: this.columnName(node.relationOid, column),
          });
        return;
      case 'modify':
        for (const { column, slot } of node.targetColumns)
          set(slot, { kind: 'column', alias: node.alias, column: this.columnName(node.relationOid, column) });
        for (const { column, slot } of node.onConflict?.excludedColumns ?? [])
          set(slot, { kind: 'column', alias: 'excluded', column: this.columnName(node.relationOid, column) });
        for (const { expr, slot } of node.returning) set(slot, { kind: 'expression', expr, node });
        return;
      case 'valuesScan':
        node.slots.forEach((slot, i) => {
          set(slot, { kind: 'column', alias: this.alias(node), column: node.names?.[i] ?? `column${i + 1}` });
        });
        return;
      case 'functionScan': {
        const slots = node.functions.flatMap((item) => item.slots);
        if (node.ordinalitySlot >= 0) slots.push(node.ordinalitySlot);
        slots.forEach((slot, i) => {
          set(slot, { kind: 'column', alias: this.alias(node), column: node.names?.[i] ?? node.alias });
        });
        return;
      }
      case 'cteScan':
      case 'workTableScan':
        node.slots.forEach((slot, i) => {
          set(slot, { kind: 'column', alias: this.alias(node), column: node.names?.[i] ?? `column${i + 1}` });
        });
        return;
      case 'project':
      case 'projectSet':
        for (const { expr, slot } of node.exprs) set(slot, { kind: 'expression', expr, node });
        return;
      case 'aggregate':
        for (const { expr, slot } of node.groups)
          if (!(expr.kind === 'slot' && expr.slot === slot)) set(slot, { kind: 'expression', expr, node });
        for (const call of node.aggregates) set(call.slot, { kind: 'aggregate', call, node });
        return;
      case 'window':
        for (const item of node.functions)
          if (item.source.kind === 'window')
            set(item.slot, { kind: 'window', call: item.source, args: item.args, filter: item.filter, node });
        return;
      case 'append':
        node.slots.forEach((slot, i) => {
          set(slot, { kind: 'same', slot: node.maps[0][i] });
        });
        return;
      case 'setOperation':
        node.slots.forEach((slot, i) => {
          set(slot, { kind: 'same', slot: node.leftSlots[i] });
        });
        return;
      case 'recursiveUnion':
        node.slots.forEach((slot, i) => {
          set(slot, { kind: 'same', slot: node.baseSlots[i] });
        });
        return;
      default:
    }
  }

  typeName(typeOid: Oid, typmod = -1): string {
    const { catalog } = this.options;
    const name =
      catalog.names(NO_PATH).print('type', typeOid) ?? catalog.type(typeOid)?.name ?? String(typeOid);
    // Without a length it is the internal name: `character` would mean one character.
    if (typmod < 0) return typeOid === 1042 ? 'bpchar' : name;
    if (typeOid === 1700) return `${name}(${(typmod - 4) >> 16},${(typmod - 4) & 0xffff})`;
    if (typeOid === 1042 || typeOid === 1043) return `${name}(${typmod - 4})`;
    return name;
  }

  /** A condition or output expression of `node`. */
  print(expr: PlanExpr, node: PlanNode): string {
    return this.expression(expr as LExpr, node, false);
  }

  sortKey(key: PlanSortKey, node: PlanNode): string {
    let text = this.print(key.expr, node);
    if (key.descending) text += key.nullsFirst ? ' DESC' : ' DESC NULLS LAST';
    else if (key.nullsFirst) text += ' NULLS FIRST';
    return text;
  }

  slot(slot: number, node: PlanNode): string {
    const name = this.names.get(slot);
    if (name === undefined) return `$${slot}`;
    switch (name.kind) {
      case 'column':
        return this.qualified
          ? `${quoteIdentifier(name.alias)}.${quoteIdentifier(name.column)}`
          : quoteIdentifier(name.column);
      case 'same':
        return this.slot(name.slot, node);
      case 'expression': {
        const text = this.expression(name.expr as LExpr, name.node, false);
        const isSimple = name.expr.kind === 'slot' || name.expr.kind === 'const';
        return name.node === node || isSimple || isWrapped(text) ? text : `(${text})`;
      }
      case 'aggregate': {
        const text = this.aggregate(name.call, name.node);
        return name.node === node ? text : `(${text})`;
      }
      case 'window': {
        const call = this.options.catalog.function(name.call.functionOid)?.name ?? '?';
        const args = name.call.star ? '*' : this.list(name.args as LExpr[], name.node);
        const filter = name.filter === null ? '' : ` FILTER (WHERE ${this.print(name.filter, name.node)})`;
        const text = `${quoteIdentifier(call)}(${args})${filter} OVER (?)`;
        return name.node === node ? text : `(${text})`;
      }
    }
  }

  private aggregate(call: PlanAggregate, node: PlanNode): string {
    const source = call.source as AggregateExpr;
    const name = quoteIdentifier(this.options.catalog.function(call.aggregateOid)?.name ?? '?');
    const filter = call.filter === null ? '' : ` FILTER (WHERE ${this.print(call.filter, node)})`;
    const order = call.orderBy.map((key) => this.sortKey(key, node)).join(', ');
    if (source.directArgs.length > 0 || this.isOrderedSet(call.aggregateOid))
      return `${name}(${this.list(call.directArgs as LExpr[], node)}) WITHIN GROUP (ORDER BY ${order})${filter}`;
    const args = call.star ? '*' : this.list(call.args as LExpr[], node);
    return `${name}(${call.distinct ? 'DISTINCT ' : ''}${args}${order === '' ? '' : ` ORDER BY ${order}`})${filter}`;
  }

  private isOrderedSet(oid: Oid): boolean {
    const kind = this.options.catalog.function(oid)?.aggregate?.kind;
    return kind !== undefined && kind !== 'n';
  }

  private list(exprs: readonly LExpr[], node: PlanNode): string {
    return exprs.map((expr) => this.expression(expr, node, true)).join(', ');
  }

  /** `implicit`: show implicit casts. */
  private expression(expr: LExpr, node: PlanNode, implicit: boolean): string {
    const sub = (e: LExpr): string => this.expression(e, node, false);
    const arg = (e: LExpr): string => this.argument(e, node);
    switch (expr.kind) {
      case 'slot':
        return this.slot(expr.slot, node);
      case 'const':
        return this.constant(expr);
      case 'param':
        return `$${expr.number}`;
      case 'function':
        return this.functionCall(expr, node, implicit);
      case 'operator': {
        const name = this.operatorName(expr.operatorOid);
        if (expr.args.length === 1) return `(${name} ${arg(expr.args[0])})`;
        return `(${arg(expr.args[0])} ${name} ${arg(expr.args[1])})`;
      }
      case 'distinct':
        return `(${arg(expr.args[0])} IS DISTINCT FROM ${arg(expr.args[1])})`;
      case 'nullif':
        return `NULLIF(${arg(expr.args[0])}, ${arg(expr.args[1])})`;
      case 'arrayOperator':
        return `(${arg(expr.args[0])} ${this.operatorName(expr.operatorOid)} ${expr.any ? 'ANY' : 'ALL'} (${arg(expr.args[1])}))`;
      case 'bool':
        if (expr.op === 'not') return `(NOT ${sub(expr.args[0])})`;
        return `(${expr.args.map(sub).join(expr.op === 'and' ? ' AND ' : ' OR ')})`;
      case 'nullTest':
        return `(${arg(expr.arg)} IS ${expr.isNull ? '' : 'NOT '}NULL)`;
      case 'booleanTest': {
        const text = {
          true: 'IS TRUE',
          notTrue: 'IS NOT TRUE',
          false: 'IS FALSE',
          notFalse: 'IS NOT FALSE',
          unknown: 'IS UNKNOWN',
          notUnknown: 'IS NOT UNKNOWN',
        }[expr.test];
        return `(${arg(expr.arg)} ${text})`;
      }
      case 'case': {
        const whens = expr.whens.map((when) => {
          // "CASE x WHEN y" is kept as a comparison with the test value.
          let condition: LExpr = when.condition;
          if (expr.arg !== null && condition.kind === 'operator' && condition.args[0].kind === 'caseTest')
            condition = condition.args[1];
          return ` WHEN ${sub(condition)} THEN ${sub(when.result)}`;
        });
        const head = expr.arg === null ? '' : ` ${sub(expr.arg)}`;
        const tail = expr.defaultResult === null ? ' ELSE NULL' : ` ELSE ${sub(expr.defaultResult)}`;
        return `CASE${head}${whens.join('')}${tail} END`;
      }
      case 'caseTest':
        return 'CASE_TEST_EXPR';
      case 'coalesce':
        return `COALESCE(${this.list(expr.args, node)})`;
      case 'minmax':
        return `${expr.op.toUpperCase()}(${this.list(expr.args, node)})`;
      case 'array':
        return `ARRAY[${this.list(expr.elements, node)}]`;
      case 'row':
        return `ROW(${this.list(expr.args, node)})`;
      case 'rowCompare':
        return `(ROW(${this.list(expr.left, node)}) ${expr.op} ROW(${this.list(expr.right, node)}))`;
      case 'relabel':
      case 'ioCast':
      case 'arrayCast':
      case 'domainCast':
        if (expr.form === 'implicitCast' && !implicit) return sub(expr.arg);
        return `${parenthesise(this.expression(expr.arg, node, false))}::${this.typeName(expr.typeOid, expr.typmod)}`;
      case 'collate':
        return `${parenthesise(sub(expr.arg))} COLLATE ${quoteIdentifier(expr.collationName)}`;
      case 'subscript': {
        const indexes = expr.upper.map((upper, i) => {
          const lower = expr.lower === null ? null : expr.lower[i];
          const text = upper === null ? '' : sub(upper);
          return expr.lower === null ? `[${text}]` : `[${lower === null ? '' : sub(lower)}:${text}]`;
        });
        return `${parenthesise(sub(expr.arg))}${indexes.join('')}`;
      }
      case 'fieldSelect':
        return `(${sub(expr.arg)}).${quoteIdentifier(expr.fieldName)}`;
      case 'fieldStore':
        return sub(expr.arg);
      case 'sqlValue':
        return expr.op.toUpperCase();
      case 'currentOf':
        return `CURRENT OF ${quoteIdentifier(expr.cursorName)}`;
      case 'aggregate':
      case 'window':
        return (
          this.options.catalog.function(expr.kind === 'aggregate' ? expr.aggregateOid : expr.functionOid)
            ?.name ?? '?'
        );
      case 'grouping':
        return `GROUPING(${this.list(expr.args, node)})`;
      case 'subPlan': {
        const isOnce = this.plan.subplans[expr.plan]?.once ?? false;
        const hasTest = expr.type === 'any' || expr.type === 'all' || expr.type === 'rowCompare';
        if (isOnce && !hasTest) return this.initPlanParameter(expr.plan);
        return `(${expr.hashable ? 'hashed ' : ''}SubPlan ${this.subplanNumber(expr.plan)})`;
      }
      default:
        return `<${expr.kind}>`;
    }
  }

  /** An operand: implicit casts show, and what is not a simple name or call stands in parentheses. */
  private argument(expr: LExpr, node: PlanNode): string {
    const text = this.expression(expr, node, true);
    return expr.kind === 'case' ? `\n${text}\n`.trim() : text;
  }

  private operatorName(oid: Oid): string {
    return this.options.catalog.operator(oid)?.name ?? '?';
  }

  private functionCall(
    expr: Extract<LExpr, { kind: 'function' }>,
    node: PlanNode,
    implicit: boolean,
  ): string {
    const { catalog } = this.options;
    if (expr.form === 'implicitCast' && !implicit) return this.expression(expr.args[0], node, false);
    if (expr.form === 'implicitCast' || expr.form === 'explicitCast') {
      let argument: LExpr = expr.args[0];
      // varchar(3) is a cast to varchar and one to its length: shown as one.
      const isLengthOnly = argument.typeOid === expr.typeOid;
      if (isLengthOnly && (argument.kind === 'relabel' || argument.kind === 'ioCast'))
        argument = argument.arg;
      const text = this.expression(argument, node, false);
      return `${parenthesise(text)}::${this.typeName(expr.typeOid, expr.typmod)}`;
    }
    const name = catalog.function(expr.functionOid)?.name ?? '?';
    if (expr.form === 'sqlSyntax') {
      if (name === 'extract' && expr.args[0].kind === 'const')
        return `EXTRACT(${String(expr.args[0].value)} FROM ${this.expression(expr.args[1], node, false)})`;
      if (name === 'substring' && expr.args.length >= 2) {
        const [text, from, count] = expr.args.map((arg) => this.expression(arg, node, false));
        return `SUBSTRING(${text} FROM ${from}${count === undefined ? '' : ` FOR ${count}`})`;
      }
      if (name === 'timezone') {
        const [zone, value] = expr.args.map((arg) => this.expression(arg, node, false));
        return `(${value} AT TIME ZONE ${zone})`;
      }
      if (name === 'position') {
        const [text, part] = expr.args.map((arg) => this.expression(arg, node, false));
        return `POSITION((${part}) IN (${text}))`;
      }
    }
    const args = expr.args.map((arg, i) => {
      const text = this.expression(arg, node, true);
      return expr.variadic && i === expr.args.length - 1 ? `VARIADIC ${text}` : text;
    });
    return `${functionName(name)}(${args.join(', ')})`;
  }

  private constant(expr: ConstExpr): string {
    const type = this.typeName(
      expr.typeOid,
      expr.typeOid === 1042 || expr.typeOid === 1700 ? -1 : expr.typmod,
    );
    if (expr.value === null) return `NULL::${type}`;
    if (typeof expr.value === 'boolean') return expr.value ? 'true' : 'false';
    const support = this.options.catalog.type(expr.typeOid)?.support;
    let text: string;
    try {
      text = support === undefined ? String(expr.value) : support.output(expr.value, this.options.format);
    } catch {
      text = String(expr.value);
    }
    // int4 and decimal literals read back as what they are; all others need a cast.
    if (expr.typeOid === 23 && !text.startsWith('-')) return text;
    if (expr.typeOid === 1700 && /^[0-9]+\.[0-9]+$/.test(text)) return text;
    if (expr.typeOid === 705) return quoteLiteral(text);
    return `${quoteLiteral(text)}::${type}`;
  }
}

/** Keywords that the grammar does not take as function names without quotes. */
const QUOTED_FUNCTIONS = new Set([
  'left',
  'right',
  'substring',
  'position',
  'overlay',
  'trim',
  'coalesce',
  'like',
]);

function functionName(name: string): string {
  return QUOTED_FUNCTIONS.has(name) && name !== 'left' && name !== 'right'
    ? `"${name}"`
    : quoteIdentifier(name);
}

/** One pair of parentheses around everything. */
function isWrapped(text: string): boolean {
  if (!text.startsWith('(') || !text.endsWith(')')) return false;
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === "'" || c === '"') quote = c;
    else if (c === '(') depth++;
    else if (c === ')' && --depth === 0 && i < text.length - 1) return false;
  }
  return true;
}

function parenthesise(text: string): string {
  return isWrapped(text) ? text : `(${text})`;
}
