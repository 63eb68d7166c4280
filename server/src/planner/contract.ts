/**
 * What the planner needs from the rooms around it, and the settings it listens to.
 *
 * Everything is handed in per call: the planner keeps no state between statements and reads no clock, so the same input
 * always gives the same plan.
 */
import type { Oid } from '../base/brands.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { Expr } from '../sql/tree.ts';
import type { ColumnStatistics, GroupStatistics } from '../table/contract.ts';
import type { Datum } from '../types/datum.ts';

/** Sizes and column statistics of tables. `TableStore` fits through a thin adapter in main/. */
export interface StatisticsProvider {
  /** Live rows and stored bytes, or null when the relation has no storage (virtual relations). */
  estimate(tableOid: Oid): { rows: number; bytes: number } | null;
  /** Column counted from 0; null when nothing is known. */
  column(tableOid: Oid, column: number): ColumnStatistics | null;
  /** Extended statistics of column groups; absent = none. */
  groups?(tableOid: Oid): readonly GroupStatistics[];
}

/** PostgreSQL's planner settings, in its units. Missing ones take the defaults of {@link DEFAULT_PLANNER_SETTINGS}. */
export interface PlannerSettings {
  readonly seqPageCost: number;
  readonly randomPageCost: number;
  readonly cpuTupleCost: number;
  readonly cpuIndexTupleCost: number;
  readonly cpuOperatorCost: number;
  readonly enableSeqScan: boolean;
  readonly enableIndexScan: boolean;
  readonly enableHashJoin: boolean;
  readonly enableNestedLoop: boolean;
  readonly enableMergeJoin: boolean;
  readonly enableHashAgg: boolean;
  readonly enableSort: boolean;
  readonly enableMaterial: boolean;
  /** Share of a cursor's rows that is expected to be fetched (1 = all). */
  readonly cursorTupleFraction: number;
  /** Relations in one join region up to which the order is searched exhaustively. */
  readonly joinSearchLimit: number;
  /** Bytes a statement's operators may hold; hash aggregation over it costs extra. */
  readonly workMemBytes: number;
  /** Plans that cost more than this are made for pipelines (scans and hash joins only) where that may be faster; infinite = never. */
  readonly pipelineCostMin: number;
}

export const DEFAULT_PLANNER_SETTINGS: PlannerSettings = {
  seqPageCost: 1,
  randomPageCost: 4,
  cpuTupleCost: 0.01,
  cpuIndexTupleCost: 0.005,
  cpuOperatorCost: 0.0025,
  enableSeqScan: true,
  enableIndexScan: true,
  enableHashJoin: true,
  enableNestedLoop: true,
  enableMergeJoin: true,
  enableHashAgg: true,
  enableSort: true,
  enableMaterial: true,
  cursorTupleFraction: 1,
  joinSearchLimit: 12,
  workMemBytes: 64 * 1024 * 1024,
  pipelineCostMin: Number.POSITIVE_INFINITY,
};

/**
 * Evaluates an expression that has only constants at its leaves and only immutable functions. May throw whatever the
 * function throws; the planner then leaves the expression for run time.
 */
export type ConstantEvaluator = (expression: Expr) => Datum;

export interface PlanOptions {
  readonly catalog: CatalogReader;
  readonly statistics: StatisticsProvider;
  readonly settings?: Partial<PlannerSettings>;
  readonly evaluateConstant: ConstantEvaluator;
  readonly parameterTypes: readonly Oid[];
  /** Values for a custom plan: parameters are then replaced by constants. Absent = generic plan. */
  readonly parameterValues?: readonly Datum[];
  /** For tests: plan point statements the long way. */
  readonly isPointPlanningOff?: boolean;
}
