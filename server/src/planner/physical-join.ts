/**
 * Joins: orders and methods of one join region, found together.
 *
 * Every connected set of leaves keeps its cheapest path and, when the consumer wants an order, its cheapest path in that
 * order. Methods: hash join with either side built; nested loop with an index probe, a materialised or a re-run inner
 * side. Merge joins bring nothing where hashing is always possible, so none are made.
 */
import { notSupported } from '../base/error.ts';
import { hashJoinCost, materialCost, nestedLoopCost } from './cost/model.ts';
import { makeAnd } from './expression/make.ts';
import type { LExpr } from './expression/walk.ts';
import { joinSelectivity, type LeafKeys, semiSelectivity } from './join-order/cardinality.ts';
import { rulesHold } from './join-order/conflicts.ts';
import {
  bitCount,
  type EnumerationTarget,
  enumerateExhaustively,
  enumerateGreedily,
} from './join-order/enumerate.ts';
import { type JoinKey, joinKey } from './join-order/keys.ts';
import { collectRegion, type Region, type RegionEdge } from './join-order/region.ts';
import type { LJoin, LogicalNode } from './logical/algebra.ts';
import { providedSlots } from './logical/nodes.ts';
import type {
  FilterNode,
  HashJoinNode,
  MaterializeNode,
  NestedLoopNode,
  PhysicalJoinType,
  PlanExpr,
} from './physical.ts';
import {
  ANY,
  costOfRows,
  type NodePlanner,
  nodeBase,
  type Path,
  satisfiesOrder,
  type Wanted,
} from './physical-path.ts';
import { probePath, type ScanContext, scanContext, scanPaths } from './physical-scan.ts';
import { plainSlot } from './statistics/column.ts';

/** Pairs of sets looked at before the exhaustive search gives up. */
const PAIR_BUDGET = 6000;

interface Leaf extends LeafKeys {
  scan: ScanContext | null;
}

interface Entry {
  mask: number;
  rows: number;
  width: number;
  slots: Set<number>;
  /** Leaves outside the set that it reads (LATERAL). */
  needs: number;
  best: Path | null;
  ordered: Path | null;
}

export function planJoinRegion(planner: NodePlanner, root: LJoin, wanted: Wanted): Path {
  const region = collectRegion(planner.state, root, (expr) => planner.lower(expr));
  const search = new JoinSearch(planner, region, wanted);
  const path = search.run(root);
  if (region.constants.length === 0) return path;
  return oneTimeFilter(path, region.constants as PlanExpr[]);
}

/** Conditions without any column: checked once before the first row. */
export function oneTimeFilter(path: Path, conditions: PlanExpr[]): Path {
  const result: Path = {
    ...path,
    make() {
      const node: FilterNode = {
        ...nodeBase(result),
        kind: 'filter',
        child: path.make(),
        condition: makeAnd(conditions) as PlanExpr,
        oneTime: true,
      };
      return node;
    },
  };
  return result;
}

class JoinSearch implements EnumerationTarget {
  private readonly planner: NodePlanner;
  private readonly region: Region;
  private readonly wanted: Wanted;
  private readonly entries = new Map<number, Entry>();
  private readonly leaves: Leaf[] = [];
  private fixed = new Set<number>();

  constructor(planner: NodePlanner, region: Region, wanted: Wanted) {
    this.planner = planner;
    this.region = region;
    this.wanted = wanted;
  }

  run(root: LJoin): Path {
    const { region, planner } = this;
    for (let i = 0; i < region.leaves.length; i++) this.addLeaf(region.leaves[i], i);
    const count = region.leaves.length;
    const all = count === 32 ? -1 : 2 ** count - 1;
    const hyperEdges = region.edges.filter((edge) => edge.left !== 0 && edge.right !== 0);
    let done = false;
    if (count <= planner.state.settings.joinSearchLimit)
      done = enumerateExhaustively(count, hyperEdges, this, PAIR_BUDGET);
    if (!done || !this.has(all)) {
      for (const mask of [...this.entries.keys()]) if (bitCount(mask) > 1) this.entries.delete(mask);
      enumerateGreedily(
        region.leaves.map((_, i) => 1 << i),
        this,
      );
    }
    if (!this.has(all)) this.joinAsWritten(root);
    const entry = this.entries.get(all);
    if (!entry?.best) throw notSupported('this combination of joins');
    const { best, ordered } = entry;
    if (ordered !== null && ordered !== best) {
      const rows = Math.min(this.wanted.rows, entry.rows);
      // Without the order a sort of everything would follow.
      const sort =
        entry.rows * Math.log2(Math.max(2, entry.rows)) * 2 * planner.state.settings.cpuOperatorCost;
      if (costOfRows(ordered, rows) <= best.total + sort) return ordered;
    }
    return best;
  }

  private addLeaf(node: LogicalNode, index: number): void {
    const { planner, region } = this;
    const extra = region.leafPredicates[index];
    const inner = node.kind === 'filter' ? node.child : node;
    const slots = providedSlots(node);
    let scan: ScanContext | null = null;
    let paths: Path[];
    const uniqueKeys: Set<number>[] = [];
    let rawRows: number;
    if (inner.kind === 'scan') {
      scan = scanContext(planner, inner, [...(node.kind === 'filter' ? node.predicates : []), ...extra]);
      paths = scanPaths(scan, this.wanted);
      rawRows = scan.rows;
      for (const relationIndex of inner.relation.indexes) {
        if (!relationIndex.unique || !relationIndex.valid || relationIndex.predicate !== null) continue;
        const key = relationIndex.keyColumns.map((column) => inner.columns.get(column - 1) ?? -1);
        if (!key.includes(-1)) uniqueKeys.push(new Set(key));
        else this.addPartlyFixedKey(uniqueKeys, scan, relationIndex.keyColumns);
      }
      for (const slot of scan.fixed) this.fixed.add(slot);
    } else {
      const filtered: LogicalNode =
        extra.length === 0 ? node : { kind: 'filter', child: node, predicates: extra };
      const path = planner.plan(filtered, ANY);
      paths = [path];
      rawRows = path.rows;
      const source = inner.kind === 'project' ? inner.child : inner;
      if (source.kind === 'aggregate' && source.sets === null)
        uniqueKeys.push(new Set(source.groups.map((group) => group.slot)));
      if (source.kind === 'distinct' && !source.on)
        uniqueKeys.push(new Set(source.keys.map((key) => plainSlot(key.expr))));
    }
    const mask = 1 << index;
    this.leaves.push({ mask, slots, rawRows, uniqueKeys, fixed: scan?.fixed ?? new Set(), scan });
    const entry: Entry = {
      mask,
      rows: Math.max(1, paths[0].rows),
      width: paths[0].width,
      slots,
      needs: region.dependencies[index],
      best: null,
      ordered: null,
    };
    if (scan !== null) entry.rows = Math.max(1, scan.filteredRows);
    for (const path of paths) this.keep(entry, path);
    this.entries.set(mask, entry);
  }

  /** A unique key whose missing columns are not even read cannot be covered; nothing to add. */
  private addPartlyFixedKey(keys: Set<number>[], scan: ScanContext, columns: readonly number[]): void {
    const fixed = new Set(scan.columnPredicates.filter((p) => p.operator === '=').map((p) => p.column + 1));
    const rest = columns
      .filter((column) => !fixed.has(column))
      .map((column) => scan.scan.columns.get(column - 1) ?? -1);
    if (rest.length > 0 && !rest.includes(-1)) keys.push(new Set(rest));
  }

  private keep(entry: Entry, path: Path): void {
    if (entry.best === null || path.total < entry.best.total) entry.best = path;
    if (
      this.wanted.order.length > 0 &&
      path.order.length > 0 &&
      satisfiesOrder(path.order, this.wanted.order, this.fixed) &&
      (entry.ordered === null || path.total < entry.ordered.total)
    )
      entry.ordered = path;
  }

  has(mask: number): boolean {
    return this.entries.get(mask)?.best != null;
  }

  rows(mask: number): number {
    return this.entries.get(mask)?.rows ?? Number.POSITIVE_INFINITY;
  }

  joinedRows(left: number, right: number): number {
    const found = this.applicable(left, right);
    if (found === null) return Number.NaN;
    const a = this.entries.get(found.left) as Entry;
    const b = this.entries.get(found.right) as Entry;
    const rows = this.resultRows(a, b, found.edge, found.inner);
    // Cross products come last.
    return found.edge === null && found.inner.length === 0 && !this.isLateral(a, b) ? 1e30 + rows : rows;
  }

  private isLateral(a: Entry, b: Entry): boolean {
    return (a.needs & b.mask) !== 0 || (b.needs & a.mask) !== 0;
  }

  /** The edges that a join of two sets would apply; null when the join is not valid. */
  private applicable(
    s1: number,
    s2: number,
  ): { left: number; right: number; edge: RegionEdge | null; inner: RegionEdge[] } | null {
    const all = s1 | s2;
    let edge: RegionEdge | null = null;
    let swapped = false;
    const inner: RegionEdge[] = [];
    for (const candidate of this.region.edges) {
      const { tes } = candidate;
      if (tes === 0 || (tes & ~all) !== 0 || (tes & ~s1) === 0 || (tes & ~s2) === 0) continue;
      if (!rulesHold(candidate.rules, all)) return null;
      if (candidate.type === 'inner') {
        inner.push(candidate);
        continue;
      }
      if (edge !== null) return null;
      if ((candidate.left & ~s1) === 0 && (candidate.right & ~s2) === 0) swapped = false;
      else if ((candidate.left & ~s2) === 0 && (candidate.right & ~s1) === 0) swapped = true;
      else return null;
      edge = candidate;
    }
    if (edge !== null && inner.length > 0) return null;
    return swapped ? { left: s2, right: s1, edge, inner } : { left: s1, right: s2, edge, inner };
  }

  private resultRows(a: Entry, b: Entry, edge: RegionEdge | null, inner: readonly RegionEdge[]): number {
    const { state } = this.planner;
    const involved = this.leaves.filter((leaf) => ((a.mask | b.mask) & leaf.mask) !== 0);
    if (edge === null) return Math.max(1, a.rows * b.rows * joinSelectivity(state, inner, involved));
    const product = Math.max(
      1,
      a.rows *
        b.rows *
        joinSelectivity(
          state,
          edge.predicates.map(
            (predicate): RegionEdge => ({ ...edge, predicates: [predicate], equalClass: -1 }),
          ),
          involved,
        ),
    );
    switch (edge.type) {
      case 'left':
        return Math.max(a.rows, product);
      case 'full':
        return Math.max(a.rows, b.rows, product);
      default: {
        const share = semiSelectivity(state, edge.predicates, a.slots, a.rows, b.rows);
        return Math.max(1, a.rows * (edge.type === 'semi' ? share : 1 - share));
      }
    }
  }

  join(s1: number, s2: number): boolean {
    const found = this.applicable(s1, s2);
    if (found === null) return this.has(s1 | s2);
    const a = this.entries.get(found.left);
    const b = this.entries.get(found.right);
    if (!a?.best || !b?.best) return false;
    this.combine(a, b, found.edge, found.inner);
    return this.has(s1 | s2);
  }

  private combine(a: Entry, b: Entry, edge: RegionEdge | null, inner: readonly RegionEdge[]): void {
    const mask = a.mask | b.mask;
    let entry = this.entries.get(mask);
    const type = edge?.type ?? 'inner';
    if (entry === undefined) {
      const keepsRight = type !== 'semi' && type !== 'anti';
      entry = {
        mask,
        rows: this.resultRows(a, b, edge, inner),
        width: keepsRight ? a.width + b.width : a.width,
        slots: keepsRight ? new Set([...a.slots, ...b.slots]) : a.slots,
        needs: (a.needs | b.needs) & ~mask,
        best: null,
        ordered: null,
      };
      this.entries.set(mask, entry);
    }
    const predicates = edge !== null ? edge.predicates : onePerClass(inner);
    const nullAware = edge?.nullAware ?? false;
    this.hashJoins(entry, a, b, type, predicates, nullAware);
    this.nestedLoops(entry, a, b, type, predicates, nullAware);
    if (type === 'inner') this.nestedLoops(entry, b, a, 'inner', predicates, false);
  }

  private hashJoins(
    entry: Entry,
    a: Entry,
    b: Entry,
    type: 'inner' | 'left' | 'full' | 'semi' | 'anti',
    predicates: readonly LExpr[],
    nullAware: boolean,
  ): void {
    const { state } = this.planner;
    const keys: JoinKey[] = [];
    const residual: LExpr[] = [];
    for (const predicate of predicates) {
      const key = joinKey(state, predicate, a.slots, b.slots);
      if (key === null) residual.push(predicate);
      else keys.push(key);
    }
    // A full join without any equality still needs the hash table's marks, as does NOT IN over several values.
    const needsHash = type === 'full' || (nullAware && keys.length > 0);
    if (keys.length === 0 && !needsHash) return;
    const flipped = keys.map((key) => ({ outer: key.inner, inner: key.outer, operatorOid: key.operatorOid }));
    const forward: PhysicalJoinType = type;
    if ((b.needs & a.mask) === 0 && (a.needs & b.mask) === 0) {
      this.hashJoin(entry, a, b, forward, keys, residual, nullAware);
      if (nullAware) return;
      const reverse: PhysicalJoinType =
        type === 'inner'
          ? 'inner'
          : type === 'left'
            ? 'right'
            : type === 'full'
              ? 'full'
              : type === 'semi'
                ? 'rightSemi'
                : 'rightAnti';
      this.hashJoin(entry, b, a, reverse, flipped, residual, false);
    }
  }

  private hashJoin(
    entry: Entry,
    outer: Entry,
    inner: Entry,
    type: PhysicalJoinType,
    keys: JoinKey[],
    residual: readonly LExpr[],
    nullAware: boolean,
  ): void {
    const { planner } = this;
    const outerPath = outer.best as Path;
    const innerPath = inner.best as Path;
    const operators = planner.operators(residual);
    const candidates =
      operators === 0
        ? 0
        : Math.max(entry.rows, (outer.rows * inner.rows) / Math.max(outer.rows, inner.rows, 1));
    const cost = hashJoinCost(
      planner.state.settings,
      outerPath,
      outer.rows,
      innerPath,
      inner.rows,
      inner.width,
      keys.length,
      entry.rows,
      operators,
      candidates,
    );
    if (entry.best !== null && cost.total >= entry.best.total) return;
    const path: Path = {
      rows: entry.rows,
      width: entry.width,
      ...cost,
      order: [],
      make() {
        const node: HashJoinNode = {
          ...nodeBase(path),
          kind: 'hashJoin',
          type,
          outer: outerPath.make(),
          inner: innerPath.make(),
          keys,
          condition: makeAnd(residual) as PlanExpr | null,
          nullAware,
        };
        return node;
      },
    };
    this.keep(entry, path);
  }

  private nestedLoops(
    entry: Entry,
    outer: Entry,
    inner: Entry,
    type: 'inner' | 'left' | 'full' | 'semi' | 'anti',
    predicates: readonly LExpr[],
    nullAware: boolean,
  ): void {
    if (type === 'full' || (outer.needs & inner.mask) !== 0) return;
    const { planner } = this;
    const { settings } = planner.state;
    const innerPath = inner.best as Path;
    const outers =
      outer.ordered !== null && outer.ordered !== outer.best
        ? [outer.best as Path, outer.ordered]
        : [outer.best as Path];
    const leaf = bitCount(inner.mask) === 1 ? this.leaves[31 - Math.clz32(inner.mask)] : null;
    const dependent = (inner.needs & outer.mask) !== 0;

    if (leaf?.scan && !nullAware && predicates.length > 0) {
      const probe = probePath(leaf.scan, predicates);
      if (probe !== null) {
        const rest = predicates.filter((predicate) => !probe.usedSources.has(predicate));
        const perProbe =
          type === 'semi' || type === 'anti'
            ? Math.min(probe.total, probe.startup + (probe.total - probe.startup) / Math.max(1, probe.rows))
            : probe.total;
        const probeCost = { startup: probe.startup, total: perProbe };
        for (const outerPath of outers) {
          const cost = nestedLoopCost(
            settings,
            outerPath,
            outer.rows,
            probeCost,
            perProbe,
            outer.rows * probe.rows,
            planner.operators(rest),
            entry.rows,
          );
          this.considerLoop(entry, outerPath, probe, type, rest, cost, false);
        }
      }
    }
    const innerCost = { startup: innerPath.startup, total: innerPath.total };
    for (const outerPath of outers) {
      if (dependent) {
        const cost = nestedLoopCost(
          settings,
          outerPath,
          outer.rows,
          innerCost,
          innerPath.total,
          outer.rows * inner.rows,
          planner.operators(predicates),
          entry.rows,
        );
        this.considerLoop(entry, outerPath, innerPath, type, predicates, cost, false, nullAware);
        continue;
      }
      const material = materialCost(settings, innerPath, inner.rows);
      const cost = nestedLoopCost(
        settings,
        outerPath,
        outer.rows,
        outer.rows > 1 ? material : innerCost,
        material.rescan,
        outer.rows * inner.rows * (type === 'semi' || type === 'anti' ? 0.5 : 1),
        Math.max(1, planner.operators(predicates)),
        entry.rows,
      );
      this.considerLoop(entry, outerPath, innerPath, type, predicates, cost, outer.rows > 1, nullAware);
    }
  }

  private considerLoop(
    entry: Entry,
    outerPath: Path,
    innerPath: Path,
    type: 'inner' | 'left' | 'semi' | 'anti',
    predicates: readonly LExpr[],
    cost: { startup: number; total: number },
    materialize: boolean,
    nullAware = false,
  ): void {
    const isOrdered =
      this.wanted.order.length > 0 && satisfiesOrder(outerPath.order, this.wanted.order, this.fixed);
    if (
      entry.best !== null &&
      cost.total >= entry.best.total &&
      !(isOrdered && (entry.ordered === null || cost.total < entry.ordered.total))
    )
      return;
    const condition = nullAware ? this.nullAwareCondition(predicates) : predicates;
    const path: Path = {
      rows: entry.rows,
      width: entry.width,
      ...cost,
      order: outerPath.order,
      make() {
        let inner = innerPath.make();
        if (
          materialize &&
          inner.kind !== 'materialize' &&
          inner.kind !== 'result' &&
          inner.kind !== 'cteScan'
        ) {
          const material: MaterializeNode = { ...nodeBase(innerPath), kind: 'materialize', child: inner };
          inner = material;
        }
        const node: NestedLoopNode = {
          ...nodeBase(path),
          kind: 'nestedLoop',
          type,
          outer: outerPath.make(),
          inner,
          condition: makeAnd(condition) as PlanExpr | null,
        };
        return node;
      },
    };
    this.keep(entry, path);
  }

  /** NOT IN as a plain anti join: a comparison that is not false (true or NULL) counts as a match. */
  private nullAwareCondition(predicates: readonly LExpr[]): LExpr[] {
    const all = makeAnd(predicates);
    if (all === null) return [];
    return [
      {
        kind: 'booleanTest',
        arg: all as never,
        test: 'notFalse',
        typeOid: 16,
        typmod: -1,
        collation: 0,
      },
    ];
  }

  /** Last resort: the order of the statement, whatever the graph says. */
  private joinAsWritten(root: LJoin): void {
    let next = 0;
    const count = this.region.leaves.length;
    const walk = (node: LogicalNode): number => {
      if (node.kind !== 'join' || count === 1) return 1 << next++;
      const left = walk(node.left);
      const right = walk(node.right);
      const a = this.entries.get(left);
      const b = this.entries.get(right);
      if (!a?.best || !b?.best) throw notSupported('this combination of joins');
      if (!this.has(left | right)) {
        const predicates = node.predicates.map((predicate) => this.planner.lower(predicate) as LExpr);
        const edge: RegionEdge = {
          type: node.type,
          predicates,
          left,
          right,
          tes: left | right,
          rules: [],
          nullAware: node.nullAware,
          equalClass: -1,
        };
        if (node.type === 'inner')
          this.combine(
            a,
            b,
            null,
            predicates.map((predicate) => ({ ...edge, predicates: [predicate] })),
          );
        else this.combine(a, b, edge, []);
      }
      return left | right;
    };
    walk(root);
  }
}

/** All predicates of the edges, but only one of each equivalence class. */
function onePerClass(edges: readonly RegionEdge[]): LExpr[] {
  const seen = new Set<number>();
  const result: LExpr[] = [];
  for (const edge of edges) {
    if (edge.equalClass >= 0) {
      if (seen.has(edge.equalClass)) continue;
      seen.add(edge.equalClass);
    }
    result.push(...edge.predicates);
  }
  return result;
}
