/**
 * From logical nodes to paths: one method a node kind; joins and scans have files of their own.
 *
 * Limits look through projections at what is below and pass their row count down, so that a sort keeps only the top rows
 * and an ordered index may win over scan and sort.
 */
import { assertNever } from '../base/error.ts';
import type { SortKey } from '../sql/tree.ts';
import { sortCost } from './cost/model.ts';
import { BOOL, INT8, makeAnd, makeConst, makeOperator } from './expression/make.ts';
import { isVolatile, operatorCount } from './expression/properties.ts';
import { type LExpr, mapChildren, someExpr } from './expression/walk.ts';
import type { LFilter, LLimit, LModify, LogicalNode, LScan, LWindow } from './logical/algebra.ts';
import { outerSlots, providedSlots, usedSlots } from './logical/nodes.ts';
import type {
  FilterNode,
  LimitNode,
  LockRowsNode,
  PhysicalPlan,
  PlanExpr,
  PlanNode,
  PlanSortKey,
  ScanColumn,
  SortNode,
  SubPlanExpr,
} from './physical.ts';
import { planAggregate, planDistinct, planSetOperation, type SortingPlanner } from './physical-grouping.ts';
import { oneTimeFilter, planJoinRegion } from './physical-join.ts';
import { conditionsOn, planModify } from './physical-modify.ts';
import {
  ANY,
  commonOrder,
  costOfRows,
  finite,
  keySlot,
  nodeBase,
  type Path,
  satisfiesOrder,
  type Wanted,
} from './physical-path.ts';
import { scanContext, scanPaths } from './physical-scan.ts';
import type { PlannerState } from './state.ts';
import { conjunctionSelectivity } from './statistics/selectivity.ts';
import { rowWidth } from './statistics/width.ts';

/** Rounds a recursive query is assumed to take. */
const RECURSION_ROUNDS = 10;
const FUNCTION_ROWS = 1000;
const SET_ROWS = 1000;

export class PhysicalPlanner implements SortingPlanner {
  readonly state: PlannerState;
  private readonly subplanOf = new Map<object, SubPlanExpr>();
  private readonly subplanCost: number[] = [];
  readonly subplans: PhysicalPlan['subplans'] = [];
  private readonly cteNodes: readonly LogicalNode[];
  private readonly ctePaths: Path[] = [];

  constructor(state: PlannerState, cteNodes: readonly LogicalNode[]) {
    this.state = state;
    this.cteNodes = cteNodes;
  }

  // ---- expressions -------------------------------------------------------------------------------------------------

  lower(expr: LExpr): PlanExpr {
    if (expr.kind === 'const' || !someExpr(expr, (e) => e.kind === 'subquery')) return expr as PlanExpr;
    const deep = (e: LExpr): LExpr => {
      if (e.kind !== 'subquery') return mapChildren(e, deep);
      const known = this.subplanOf.get(e);
      if (known !== undefined) return known;
      const parameters = [...outerSlots(e.plan)];
      const produced = providedSlots(e.plan);
      for (const item of e.right)
        for (const slot of usedSlots(item))
          if (!produced.has(slot) && !parameters.includes(slot)) parameters.push(slot);
      const limit =
        e.type === 'exists'
          ? 1
          : e.type === 'any' || e.type === 'all'
            ? Number.POSITIVE_INFINITY
            : Number.POSITIVE_INFINITY;
      const path = this.plan(e.plan, { order: [], rows: limit });
      const once = parameters.length === 0;
      const isTest = e.type === 'any' || e.type === 'all' || e.type === 'rowCompare';
      const hashable =
        once &&
        e.type === 'any' &&
        e.left.length > 0 &&
        e.operatorOids.every((oid, i) => {
          const operator = this.state.catalog.operator(oid);
          return (
            operator?.canHash === true && operator.name === '=' && e.left[i].typeOid === e.right[i].typeOid
          );
        });
      let root = path.make();
      // An uncorrelated list that cannot be hashed is walked once per outer row: keep it.
      if (once && isTest && !hashable && root.kind !== 'materialize')
        root = { ...nodeBase(path), kind: 'materialize', child: root };
      const right = e.right.map((item) => this.lower(item));
      const outputs = [...new Set(right.flatMap((item) => [...usedSlots(item)]))].filter((slot) =>
        produced.has(slot),
      );
      const number = this.subplans.length;
      this.subplans.push({ root, outputs, once });
      this.subplanCost[number] = once
        ? 0
        : e.type === 'exists'
          ? costOfRows(path, 1)
          : e.type === 'any' || e.type === 'all'
            ? costOfRows(path, path.rows / 2)
            : path.total;
      const subPlan: SubPlanExpr = {
        kind: 'subPlan',
        type: e.type,
        plan: number,
        parameters,
        left: e.left.map((item) => this.lower(deep(item))),
        operatorOids: e.operatorOids,
        right,
        hashable,
        typeOid: e.typeOid,
        typmod: e.typmod,
        collation: e.collation,
      };
      this.subplanOf.set(e, subPlan);
      return subPlan;
    };
    return deep(expr) as PlanExpr;
  }

  lowerAll(exprs: readonly LExpr[]): PlanExpr[] {
    return exprs.map((expr) => this.lower(expr));
  }

  lowerKeys(keys: readonly SortKey[]): PlanSortKey[] {
    return keys.map((key) => ({ ...key, expr: this.lower(key.expr) }));
  }

  operators(exprs: readonly LExpr[]): number {
    let count = 0;
    for (const expr of exprs) {
      count += operatorCount(expr);
      count += this.subplanUnits(expr);
    }
    return count;
  }

  /** The conditions with those that run a subplan for every row last. */
  cheapFirst(exprs: readonly LExpr[]): LExpr[] {
    const cheap = exprs.filter((expr) => this.subplanUnits(expr) === 0);
    return cheap.length === exprs.length
      ? [...exprs]
      : [...cheap, ...exprs.filter((expr) => !cheap.includes(expr))];
  }

  private subplanUnits(expr: LExpr): number {
    let cost = 0;
    someExpr(expr, (e) => {
      if (e.kind === 'subPlan')
        cost += (this.subplanCost[e.plan] ?? 0) / this.state.settings.cpuOperatorCost + 1;
      return false;
    });
    return cost;
  }

  expressionCost(exprs: readonly LExpr[]): number {
    return this.operators(exprs) * this.state.settings.cpuOperatorCost;
  }

  // ---- nodes -------------------------------------------------------------------------------------------------------

  plan(node: LogicalNode, wanted: Wanted): Path {
    switch (node.kind) {
      case 'scan':
        return this.planScan(node, [], wanted);
      case 'filter':
        return this.planFilter(node, wanted);
      case 'join':
        return planJoinRegion(this, node, wanted);
      case 'result':
        return this.leaf(1, 0, this.state.settings.cpuTupleCost, (path) => ({
          ...nodeBase(path),
          kind: 'result',
          condition: null,
        }));
      case 'empty':
        return this.leaf(0, 0, 0, (path) => ({
          ...nodeBase(path),
          outputs: [...node.slots],
          kind: 'result',
          condition: makeConst(BOOL, false),
        }));
      case 'values': {
        const rows = node.rows.map((row) => this.lowerAll(row));
        return this.leaf(
          rows.length,
          rowWidth(this.state, node.slots),
          rows.length * this.state.settings.cpuOperatorCost * 5,
          (path) => ({
            ...nodeBase(path),
            kind: 'valuesScan',
            alias: node.alias,
            rows,
            slots: node.slots,
            names: node.names,
            filter: null,
          }),
        );
      }
      case 'functionScan': {
        const functions = node.functions.map((item) => ({ ...item, expr: this.lower(item.expr) }));
        const rows = Math.max(...node.functions.map((item) => this.functionRows(item.expr)));
        return this.leaf(
          rows,
          rowWidth(this.state, providedSlots(node)),
          rows * this.state.settings.cpuTupleCost,
          (path) => ({
            ...nodeBase(path),
            kind: 'functionScan',
            alias: node.alias,
            functions,
            ordinalitySlot: node.ordinalitySlot,
            names: node.names,
            filter: null,
          }),
        );
      }
      case 'cteScan': {
        this.planCte(node.cte);
        const cte = this.ctePaths[node.cte];
        return this.leaf(
          cte.rows,
          rowWidth(this.state, node.slots),
          cte.rows * this.state.settings.cpuTupleCost * 2,
          (path) => ({
            ...nodeBase(path),
            kind: 'cteScan',
            cte: node.cte,
            name: node.name,
            alias: node.alias,
            slots: node.slots,
            names: node.names,
            filter: null,
          }),
        );
      }
      case 'workTableScan': {
        const rows = this.state.workTableRows[node.workTable] ?? SET_ROWS;
        return this.leaf(
          rows,
          rowWidth(this.state, node.slots),
          rows * this.state.settings.cpuTupleCost,
          (path) => ({
            ...nodeBase(path),
            kind: 'workTableScan',
            workTable: node.workTable,
            alias: node.alias,
            slots: node.slots,
            names: node.names,
            filter: null,
          }),
        );
      }
      case 'project':
      case 'projectSet':
        return this.planProject(node, wanted);
      case 'aggregate':
        return planAggregate(this, node, [], wanted);
      case 'window':
        return this.planWindow(node);
      case 'distinct':
        return planDistinct(this, node, wanted);
      case 'setOperation':
        return planSetOperation(this, node, wanted);
      case 'recursiveUnion': {
        const base = this.plan(node.base, ANY);
        this.state.workTableRows[node.workTable] = base.rows;
        const recursive = this.plan(node.recursive, ANY);
        const rows = base.rows + recursive.rows * RECURSION_ROUNDS;
        const keys = this.lowerKeys(node.keys);
        const path: Path = {
          rows,
          width: rowWidth(this.state, node.slots),
          startup: base.startup,
          total: base.total + recursive.total * RECURSION_ROUNDS + rows * this.state.settings.cpuTupleCost,
          order: [],
          make: () => ({
            ...nodeBase(path),
            kind: 'recursiveUnion',
            base: base.make(),
            recursive: recursive.make(),
            baseSlots: node.baseSlots,
            recursiveSlots: node.recursiveSlots,
            slots: node.slots,
            distinct: node.distinct,
            workTable: node.workTable,
            keys,
          }),
        };
        return path;
      }
      case 'sort':
        return this.planSort(node.child, node.keys, wanted.rows, null);
      case 'limit':
        return this.planLimit(node);
      case 'lockRows': {
        this.state.readOnly = false;
        const child = this.plan(node.child, wanted);
        const path: Path = {
          ...child,
          total: child.total + child.rows * this.state.settings.cpuTupleCost,
          make: () => {
            const result: LockRowsNode = {
              ...nodeBase(path),
              kind: 'lockRows',
              child: child.make(),
              marks: node.marks.map(({ mark, scan }) => ({
                mark,
                relationOid: scan.relation.oid,
                rowIdSlot: scan.rowIdSlot,
                columns: this.scanColumns(scan),
              })),
              recheck: makeAnd(
                this.lowerAll(
                  conditionsOn(
                    node.child,
                    new Set(node.marks.flatMap(({ scan }) => [...providedSlots(scan)])),
                  ),
                ),
              ) as PlanExpr | null,
            };
            return result;
          },
        };
        return path;
      }
      case 'modify':
        return this.planModifyNode(node);
      default:
        return assertNever(node, 'PhysicalPlanner.plan');
    }
  }

  private leaf(rows: number, width: number, total: number, make: (path: Path) => PlanNode): Path {
    const path: Path = { rows, width, startup: 0, total, order: [], make: () => make(path) };
    return path;
  }

  scanColumns(scan: LScan): ScanColumn[] {
    return [...scan.columns].map(([column, slot]) => {
      const info = this.state.slots[slot];
      return { column, slot, typeOid: info.typeOid, typmod: info.typmod };
    });
  }

  private functionRows(expr: LExpr): number {
    if (expr.kind !== 'function' || !expr.returnsSet) return 1;
    const name = this.state.catalog.function(expr.functionOid)?.name;
    if (name === 'generate_series' && expr.args.length >= 2) {
      const [from, to, step] = expr.args.map((arg) =>
        arg.kind === 'const' ? Number(arg.value) : Number.NaN,
      );
      const rows = Math.floor((to - from) / (Number.isNaN(step ?? Number.NaN) ? 1 : step)) + 1;
      if (Number.isFinite(rows)) return Math.max(1, rows);
    }
    return FUNCTION_ROWS;
  }

  planCte(index: number): void {
    this.ctePaths[index] ??= this.plan(this.cteNodes[index], ANY);
  }

  /** The nodes of a common table's plan. */
  cteRoot(index: number): PlanNode {
    return this.ctePaths[index].make();
  }

  private planScan(scan: LScan, predicates: readonly LExpr[], wanted: Wanted): Path {
    const context = scanContext(this, scan, predicates);
    const paths = scanPaths(context, wanted);
    let best = paths[0];
    let bestCost = Number.POSITIVE_INFINITY;
    for (const path of paths) {
      let cost: number;
      if (wanted.order.length > 0) {
        if (satisfiesOrder(path.order, wanted.order, context.fixed))
          cost = costOfRows(path, Math.min(wanted.rows, path.rows));
        else
          cost = sortCost(
            this.state.settings,
            path,
            path.rows,
            Number.isFinite(wanted.rows) ? wanted.rows : 0,
            path.width,
          ).total;
      } else cost = costOfRows(path, wanted.rows);
      if (cost < bestCost) {
        best = path;
        bestCost = cost;
      }
    }
    if (wanted.order.length > 0 && satisfiesOrder(best.order, wanted.order, context.fixed))
      return { ...best, order: [...wanted.order], make: () => best.make() };
    return best;
  }

  private planFilter(node: LFilter, wanted: Wanted): Path {
    // Conditions that read no column at all are tested once; volatile ones for every row.
    const once: LExpr[] = [];
    const predicates: LExpr[] = [];
    const provided = providedSlots(node.child);
    for (const predicate of node.predicates) {
      const slots = usedSlots(predicate);
      let reads = false;
      for (const slot of slots) reads ||= provided.has(slot);
      if (reads || isVolatile(this.state.catalog, predicate)) predicates.push(predicate);
      else once.push(predicate);
    }
    const path = this.planFiltered(node.child, predicates, wanted);
    return once.length === 0 ? path : oneTimeFilter(path, this.lowerAll(once));
  }

  private planFiltered(child: LogicalNode, predicates: readonly LExpr[], wanted: Wanted): Path {
    if (predicates.length === 0) return this.plan(child, wanted);
    if (child.kind === 'scan') return this.planScan(child, predicates, wanted);
    if (child.kind === 'aggregate') return planAggregate(this, child, predicates, wanted);
    if (child.kind === 'filter')
      return this.planFilter({ ...child, predicates: [...child.predicates, ...predicates] }, wanted);
    const input = this.plan(child, wanted);
    const lowered = this.cheapFirst(this.lowerAll(predicates) as LExpr[]) as PlanExpr[];
    const share = conjunctionSelectivity(this.state, predicates);
    const path: Path = {
      rows: Math.max(1, input.rows * share),
      width: input.width,
      startup: input.startup,
      total: input.total + input.rows * this.expressionCost(lowered as LExpr[]),
      order: input.order,
      make: () => {
        const below = input.make();
        const condition = makeAnd(lowered) as PlanExpr;
        if (
          (below.kind === 'valuesScan' ||
            below.kind === 'functionScan' ||
            below.kind === 'cteScan' ||
            below.kind === 'workTableScan') &&
          below.filter === null
        ) {
          below.filter = condition;
          below.estimatedRows = nodeBase(path).estimatedRows;
          below.totalCost = path.total;
          return below;
        }
        const result: FilterNode = { ...nodeBase(path), kind: 'filter', child: below, condition };
        return result;
      },
    };
    return path;
  }

  private planProject(node: Extract<LogicalNode, { kind: 'project' | 'projectSet' }>, wanted: Wanted): Path {
    const isSet = node.kind === 'projectSet';
    const computed = new Set(node.exprs.map((item) => item.slot));
    const below = wanted.order.some((key) => computed.has(keySlot(key))) ? [] : wanted.order;
    const child = this.plan(node.child, {
      order: isSet ? [] : below,
      rows: wanted.rows,
    });
    const exprs = node.exprs.map((item) => ({ expr: this.lower(item.expr), slot: item.slot }));
    const rows = isSet
      ? child.rows *
        Math.max(1, ...node.exprs.map((item) => Math.min(SET_ROWS, this.functionRows(item.expr))))
      : child.rows;
    const perRow = this.expressionCost(exprs.map((item) => item.expr as LExpr));
    const path: Path = {
      rows,
      width: child.width + rowWidth(this.state, computed),
      startup: child.startup,
      total: child.total + rows * perRow + (isSet ? rows * this.state.settings.cpuTupleCost : 0),
      order: child.order,
      make: () => {
        const below = child.make();
        // A projection of a projection is one projection when it does not read the lower one's results.
        if (!isSet && below.kind === 'project') {
          const lower = new Set(below.exprs.map((item) => item.slot));
          const reads = exprs.some((item) =>
            [...usedSlots(item.expr as LExpr)].some((slot) => lower.has(slot)),
          );
          if (!reads) return { ...below, ...nodeBase(path), exprs: [...below.exprs, ...exprs] };
        }
        return { ...nodeBase(path), kind: node.kind, child: below, exprs };
      },
    };
    return path;
  }

  /** The node's rows in the given order: by itself, or through a sort. */
  planSorted(node: LogicalNode, keys: readonly SortKey[], rows: number, unordered?: Path): Path {
    const direct = this.plan(node, { order: keys, rows });
    if (satisfiesOrder(direct.order, keys)) {
      if (unordered === undefined) return direct;
      const sorted = this.sortPath(unordered, keys, rows, null);
      return sorted.total < costOfRows(direct, rows) ? sorted : direct;
    }
    return this.sortPath(unordered ?? direct, keys, rows, null);
  }

  private sortPath(input: Path, keys: readonly SortKey[], rows: number, bound: PlanExpr | null): Path {
    const presorted = commonOrder(input.order, keys);
    const cost = sortCost(this.state.settings, input, input.rows, finite(rows), input.width);
    const lowered = this.lowerKeys(keys);
    const path: Path = {
      rows: input.rows,
      width: input.width,
      ...cost,
      order: keys,
      make: () => {
        const result: SortNode = {
          ...nodeBase(path),
          kind: 'sort',
          child: input.make(),
          keys: lowered,
          presorted,
          bound,
        };
        return result;
      },
    };
    return path;
  }

  private planSort(child: LogicalNode, keys: readonly SortKey[], rows: number, bound: PlanExpr | null): Path {
    const direct = this.plan(child, { order: keys, rows });
    if (satisfiesOrder(direct.order, keys)) return direct;
    return this.sortPath(direct, keys, rows, bound);
  }

  private planLimit(node: LLimit): Path {
    const { settings } = this.state;
    const constant = (expr: LExpr | null): number | null =>
      expr !== null && expr.kind === 'const' ? (expr.value === null ? null : Number(expr.value)) : null;
    const limitRows = node.limit === null ? Number.POSITIVE_INFINITY : constant(node.limit);
    const offsetRows = node.offset === null ? 0 : (constant(node.offset) ?? 0);
    const needed = limitRows === null ? Number.POSITIVE_INFINITY : limitRows + Math.max(0, offsetRows);
    const limit = node.limit === null ? null : this.lower(node.limit);
    const offset = node.offset === null ? null : this.lower(node.offset);
    const bound = node.tiesKeys === null ? this.sortBound(node) : null;
    const child = this.planBounded(node.child, needed, bound);
    const guess = Number.isFinite(needed)
      ? needed
      : limit === null
        ? child.rows
        : Math.max(1, child.rows * 0.1);
    const rows = Math.max(0, Math.min(child.rows, guess) - offsetRows);
    const path: Path = {
      rows: Math.max(1, rows),
      width: child.width,
      startup: child.startup + (offsetRows > 0 ? costOfRows(child, offsetRows) - child.startup : 0),
      total: costOfRows(child, Math.min(guess, child.rows)) + settings.cpuOperatorCost * 0,
      order: child.order,
      make: () => {
        const result: LimitNode = {
          ...nodeBase(path),
          kind: 'limit',
          child: child.make(),
          limit,
          offset,
          tiesKeys: node.tiesKeys === null ? null : this.lowerKeys(node.tiesKeys),
        };
        return result;
      },
    };
    return path;
  }

  /** Rows a sort below has to keep: LIMIT + OFFSET, or null when that is unknown before execution. */
  private sortBound(node: LLimit): PlanExpr | null {
    const { limit, offset } = node;
    if (limit === null || (limit.kind === 'const' && limit.value === null)) return null;
    if (offset === null) return this.lower(limit);
    if (limit.kind === 'const' && offset.kind === 'const')
      return makeConst(
        INT8,
        BigInt(limit.value as bigint) + (offset.value === null ? 0n : BigInt(offset.value as bigint)),
      );
    // int8 + int8
    return this.lower(makeOperator(this.state.catalog, 684, limit, offset));
  }

  private planBounded(node: LogicalNode, rows: number, bound: PlanExpr | null): Path {
    if (node.kind === 'sort') return this.planSort(node.child, node.keys, rows, bound);
    if (node.kind === 'project') {
      const child = this.planBounded(node.child, rows, bound);
      return this.projectOver(node, child);
    }
    return this.plan(node, { order: [], rows });
  }

  private projectOver(node: Extract<LogicalNode, { kind: 'project' }>, child: Path): Path {
    const exprs = node.exprs.map((item) => ({ expr: this.lower(item.expr), slot: item.slot }));
    const path: Path = {
      rows: child.rows,
      width:
        child.width +
        rowWidth(
          this.state,
          exprs.map((item) => item.slot),
        ),
      startup: child.startup,
      total: child.total + child.rows * this.expressionCost(exprs.map((item) => item.expr as LExpr)),
      order: child.order,
      make: () => ({ ...nodeBase(path), kind: 'project', child: child.make(), exprs }),
    };
    return path;
  }

  private planWindow(node: LWindow): Path {
    const keys = [...node.partitionBy, ...node.orderBy];
    const child =
      keys.length === 0
        ? this.plan(node.child, ANY)
        : this.planSorted(
            node.child,
            dedupeSlots(keys),
            Number.POSITIVE_INFINITY,
            this.plan(node.child, ANY),
          );
    const functions = node.functions.map(({ slot, call }) => ({
      slot,
      functionOid: call.functionOid,
      isAggregate: call.isAggregate,
      args: this.lowerAll(call.args),
      filter: call.filter === null ? null : this.lower(call.filter),
      star: call.star,
      typeOid: call.typeOid,
      source: call,
    }));
    const bound = (b: { kind: string; offset: LExpr | null }) => ({
      kind: b.kind,
      offset: b.offset === null ? null : this.lower(b.offset),
    });
    const path: Path = {
      rows: child.rows,
      width:
        child.width +
        rowWidth(
          this.state,
          functions.map((item) => item.slot),
        ),
      startup: child.startup,
      total:
        child.total +
        child.rows *
          (this.state.settings.cpuTupleCost +
            this.state.settings.cpuOperatorCost * (functions.length + keys.length)),
      order: child.order,
      make: () => ({
        ...nodeBase(path),
        kind: 'window',
        child: child.make(),
        partitionBy: this.lowerKeys(node.partitionBy),
        orderBy: this.lowerKeys(node.orderBy),
        frame: { ...node.frame, start: bound(node.frame.start), end: bound(node.frame.end) },
        functions,
      }),
    };
    return path;
  }

  private planModifyNode(node: LModify): Path {
    return planModify(
      this,
      node,
      (scan) => this.scanColumns(scan),
      (child) => this.plan(child, ANY),
    );
  }
}

function dedupeSlots(keys: readonly SortKey[]): SortKey[] {
  const seen = new Set<number>();
  return keys.filter((key) => {
    const slot = keySlot(key);
    if (slot >= 0 && seen.has(slot)) return false;
    seen.add(slot);
    return true;
  });
}
