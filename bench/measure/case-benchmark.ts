/** A benchmark made of cases: FastPostgres and PostgreSQL started, measured in one run, compared, the record kept. */
import { type Executor, startFastPostgres } from '../systems/fastpostgres.ts';
import { startPostgres } from '../systems/postgres.ts';
import type { NetworkSystem, SystemName } from '../systems/system.ts';
import { type Case, caseTable, measureCases } from './cases.ts';
import { keep, machine, machineLine } from './report.ts';

export interface CaseBenchmarkOptions {
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly executor: Executor;
  /** Part of the names of the cases to run. */
  readonly only: string;
}

export type Say = (text: string) => void;

/**
 * Runs it; true when all answers agree and `further` found no problem.
 * `further` measures more of the running systems; what it returns is kept with the record.
 */
export async function runCaseBenchmark(
  name: string,
  allCases: readonly Case[],
  options: CaseBenchmarkOptions,
  further: (
    systems: readonly NetworkSystem[],
    problems: string[],
    say: Say,
  ) => Promise<object> = async () => ({}),
): Promise<boolean> {
  const say: Say = (text) => void process.stdout.write(text);
  const fingerprint = machine();
  say(`${name}, ${options.rounds} rounds\n${machineLine(fingerprint)}\n`);
  const systems: NetworkSystem[] = [];
  const problems: string[] = [];
  try {
    for (const wanted of options.systems) {
      if (wanted === 'duckdb') continue;
      const system =
        wanted === 'fastpostgres' ? await startFastPostgres(options.executor) : await startPostgres();
      if (system === null) say(`${wanted}: not installed, left out\n`);
      else systems.push(system);
    }
    const cases = allCases.filter((one) => one.name.includes(options.only));
    const times = await measureCases(cases, systems, options.rounds, problems, say);
    say(`\n${caseTable(systems, times)}\n\n`);
    const more = await further(systems, problems, say);
    for (const problem of problems) say(`${problem}\n`);
    const file = keep(name, {
      benchmark: name,
      date: new Date().toISOString(),
      machine: fingerprint,
      options,
      systems: Object.fromEntries(systems.map((system) => [system.name, system.description])),
      times,
      ...more,
      problems,
    });
    say(`kept in ${file}\n`);
    return problems.length === 0;
  } finally {
    for (const system of systems) await system.stop();
  }
}
