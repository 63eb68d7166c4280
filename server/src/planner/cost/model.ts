/**
 * The cost model of the row executor, in PostgreSQL's units: reading a page in sequence costs 1.
 *
 * PostgreSQL's parameters keep their names and defaults. Two facts of this engine are added: tables are compressed columns,
 * so `pages` comes from the stored bytes; and fetching a row by its id reads memory, not a page from disk, so a random
 * fetch is charged {@link FETCH_SHARE} of `random_page_cost`. With the defaults one fetch weighs as much as scanning
 * about 13 rows, which is what the row executor shows.
 */
import type { PlannerSettings } from '../contract.ts';

const PAGE_BYTES = 8192;
/** Share of `random_page_cost` charged for fetching one row through an index. */
export const FETCH_SHARE = 0.1;
/** Share of a fetch saved when neighbouring index entries point to neighbouring rows (their blocks are decoded already). */
const CORRELATION_GAIN = 0.25;
/** Added to what a setting disables, as PostgreSQL does. */
export const DISABLE_COST = 1e10;
/** Bytes a hash table or sort keeps per row beside the values. */
const ROW_OVERHEAD_BYTES = 48;

export interface Cost {
  startup: number;
  total: number;
}

export function pagesOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / PAGE_BYTES));
}

export function scanCost(settings: PlannerSettings, pages: number, rows: number, operators: number): Cost {
  const total =
    pages * settings.seqPageCost + rows * (settings.cpuTupleCost + operators * settings.cpuOperatorCost);
  return { startup: 0, total: settings.enableSeqScan ? total : total + DISABLE_COST };
}

/** One index scan: `probes` descents, `matched` entries found in all, `operators` further conditions on each row. */
export function indexScanCost(
  settings: PlannerSettings,
  tableRows: number,
  probes: number,
  matched: number,
  operators: number,
  correlation = 0,
): Cost {
  const descent =
    Math.ceil(Math.log2(Math.max(2, tableRows))) * settings.cpuOperatorCost +
    (Math.floor(Math.log(Math.max(2, tableRows)) / Math.log(100)) + 1) * 50 * settings.cpuOperatorCost;
  const fetch = settings.randomPageCost * FETCH_SHARE * (1 - CORRELATION_GAIN * correlation * correlation);
  const startup = descent;
  const total =
    descent * probes +
    matched *
      (settings.cpuIndexTupleCost + fetch + settings.cpuTupleCost + operators * settings.cpuOperatorCost);
  const penalty = settings.enableIndexScan ? 0 : DISABLE_COST;
  return { startup: startup + penalty, total: total + penalty };
}

export function sortCost(
  settings: PlannerSettings,
  input: Cost,
  rows: number,
  bound: number,
  width: number,
): Cost {
  const kept = bound > 0 && bound < rows ? bound : rows;
  const comparisons = rows * Math.log2(Math.max(2, kept));
  let startup = input.total + 2 * settings.cpuOperatorCost * comparisons;
  if (kept * (width + ROW_OVERHEAD_BYTES) > settings.workMemBytes)
    startup += 2 * pagesOf(kept * width) * settings.seqPageCost;
  if (!settings.enableSort) startup += DISABLE_COST;
  return { startup, total: startup + kept * settings.cpuOperatorCost };
}

export function hashJoinCost(
  settings: PlannerSettings,
  outer: Cost,
  outerRows: number,
  inner: Cost,
  innerRows: number,
  innerWidth: number,
  keys: number,
  resultRows: number,
  residualOperators: number,
  candidateRows: number,
): Cost {
  const build = innerRows * (settings.cpuOperatorCost * Math.max(1, keys) + settings.cpuTupleCost);
  let startup = outer.startup + inner.total + build;
  let run = outer.total - outer.startup + outerRows * settings.cpuOperatorCost * Math.max(1, keys);
  run += candidateRows * residualOperators * settings.cpuOperatorCost;
  run += resultRows * settings.cpuTupleCost;
  const bytes = innerRows * (innerWidth + ROW_OVERHEAD_BYTES);
  if (bytes > settings.workMemBytes) {
    startup += pagesOf(bytes) * settings.seqPageCost;
    run += pagesOf(bytes) * settings.seqPageCost;
  }
  if (!settings.enableHashJoin) startup += DISABLE_COST;
  return { startup, total: startup + run };
}

/** `innerRescan` is the cost of each repetition of the inner side after the first. */
export function nestedLoopCost(
  settings: PlannerSettings,
  outer: Cost,
  outerRows: number,
  inner: Cost,
  innerRescan: number,
  pairs: number,
  operators: number,
  resultRows: number,
): Cost {
  let startup = outer.startup + inner.startup;
  if (!settings.enableNestedLoop) startup += DISABLE_COST;
  const run =
    outer.total -
    outer.startup +
    (inner.total - inner.startup) +
    Math.max(0, outerRows - 1) * innerRescan +
    pairs * operators * settings.cpuOperatorCost +
    resultRows * settings.cpuTupleCost;
  return { startup, total: startup + run };
}

export function materialCost(
  settings: PlannerSettings,
  input: Cost,
  rows: number,
): Cost & { rescan: number } {
  const rescan = rows * settings.cpuOperatorCost;
  return { startup: input.startup, total: input.total + 2 * rows * settings.cpuOperatorCost, rescan };
}

export function hashAggregateCost(
  settings: PlannerSettings,
  input: Cost,
  rows: number,
  groups: number,
  keys: number,
  calls: number,
  width: number,
): Cost {
  let startup = input.total + rows * settings.cpuOperatorCost * (keys + calls);
  const bytes = groups * (width + ROW_OVERHEAD_BYTES);
  if (bytes > settings.workMemBytes) startup += 2 * pagesOf(bytes) * settings.seqPageCost;
  if (!settings.enableHashAgg) startup += DISABLE_COST;
  return { startup, total: startup + groups * settings.cpuTupleCost };
}

export function sortedAggregateCost(
  settings: PlannerSettings,
  input: Cost,
  rows: number,
  groups: number,
  keys: number,
  calls: number,
): Cost {
  return {
    startup: input.startup,
    total: input.total + rows * settings.cpuOperatorCost * (keys + calls) + groups * settings.cpuTupleCost,
  };
}
