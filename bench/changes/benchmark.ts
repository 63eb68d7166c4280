/** Statements that change many rows, beside PostgreSQL in one run. */
import { type CaseBenchmarkOptions, runCaseBenchmark } from '../measure/case-benchmark.ts';
import { CHANGE_CASES } from './cases.ts';

/** Runs it; true when all answers agree. */
export function benchmarkChanges(options: CaseBenchmarkOptions): Promise<boolean> {
  return runCaseBenchmark('changes', CHANGE_CASES, options);
}
