/** Statements that change many rows, beside PostgreSQL in one run. */
import { caseTable, measureCases } from '../measure/cases.ts';
import { keep, machine, machineLine } from '../measure/report.ts';
import { type Executor, startFastPostgres } from '../systems/fastpostgres.ts';
import { startPostgres } from '../systems/postgres.ts';
import type { NetworkSystem, SystemName } from '../systems/system.ts';
import { CHANGE_CASES } from './cases.ts';

export interface ChangesOptions {
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly executor: Executor;
  /** Part of the names of the cases to run. */
  readonly only: string;
}

const say = (text: string): void => void process.stdout.write(text);

/** Runs it; true when all answers agree. */
export async function benchmarkChanges(options: ChangesOptions): Promise<boolean> {
  const fingerprint = machine();
  say(`changes, ${options.rounds} rounds\n${machineLine(fingerprint)}\n`);
  const systems: NetworkSystem[] = [];
  const problems: string[] = [];
  try {
    for (const name of options.systems) {
      if (name === 'duckdb') continue;
      const system =
        name === 'fastpostgres' ? await startFastPostgres(options.executor) : await startPostgres();
      if (system === null) say(`${name}: not installed, left out\n`);
      else systems.push(system);
    }
    const cases = CHANGE_CASES.filter(({ name }) => name.includes(options.only));
    const times = await measureCases(cases, systems, options.rounds, problems, say);
    say(`\n${caseTable(systems, times)}\n\n`);
    for (const problem of problems) say(`${problem}\n`);
    const file = keep('changes', {
      benchmark: 'changes',
      date: new Date().toISOString(),
      machine: fingerprint,
      options,
      systems: Object.fromEntries(systems.map((system) => [system.name, system.description])),
      times,
      problems,
    });
    say(`kept in ${file}\n`);
    return problems.length === 0;
  } finally {
    for (const system of systems) await system.stop();
  }
}
