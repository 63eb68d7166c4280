/** Single statements beside PostgreSQL: run in turns, answers compared, time on the wall and of the processors. */
import type { NetworkSystem } from '../systems/system.ts';
import { table } from './report.ts';
import { geometricMean, median } from './statistics.ts';

/** What is measured: set up once, then one statement that gives one row. */
export interface Case {
  readonly name: string;
  readonly setup: readonly string[];
  /** Before every run. */
  readonly before?: readonly string[];
  readonly statement: string;
  /** Asked afterwards where the statement itself gives no row. */
  readonly check?: string;
}

/** Milliseconds of one run. */
export interface CaseTime {
  readonly wall: number;
  readonly processor: number;
}

export type CaseTimes = Record<string, Record<string, CaseTime[]>>;

/** All cases on all systems, `rounds` times in turns after one run for warming up; differing answers become problems. */
export async function measureCases(
  cases: readonly Case[],
  systems: readonly NetworkSystem[],
  rounds: number,
  problems: string[],
  say: (text: string) => void,
): Promise<CaseTimes> {
  const times: CaseTimes = {};
  for (const item of cases) {
    try {
      const measured = await measure(item, systems, rounds, problems);
      times[item.name] = measured;
      // A run of many cases is long: each is told when it is done.
      const told = systems.map(({ name }) =>
        median(measured[name].map(({ processor }) => processor)).toFixed(1),
      );
      say(`${item.name}: cpu ${told.join(' against ')} ms\n`);
    } catch (error) {
      problems.push(`${item.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return times;
}

async function measure(
  item: Case,
  systems: readonly NetworkSystem[],
  rounds: number,
  problems: string[],
): Promise<Record<string, CaseTime[]>> {
  const times: Record<string, CaseTime[]> = {};
  const answers: string[] = [];
  for (const system of systems) {
    await system.run(item.setup);
    times[system.name] = [];
  }
  // One run more: the first compiles and plans.
  for (let round = 0; round <= rounds; round++) {
    for (const system of systems) {
      await system.run(item.before ?? []);
      const before = system.processorMillis();
      const from = performance.now();
      const result = await system.run([item.statement]);
      const wall = performance.now() - from;
      const processor = system.processorMillis() - before;
      if (round > 0) {
        times[system.name].push({ wall, processor });
        continue;
      }
      const checked = item.check === undefined ? result : await system.run([item.check]);
      answers.push(JSON.stringify(checked.rows));
    }
  }
  if (new Set(answers).size > 1) problems.push(`${item.name}: answers differ: ${answers.join(' and ')}`);
  return times;
}

/** Medians of every case; ratios above 1 say that the first system was faster. */
export function caseTable(systems: readonly NetworkSystem[], times: Readonly<CaseTimes>): string {
  const [first, ...others] = systems;
  const wallRatios: number[] = [];
  const processorRatios: number[] = [];
  const rows = Object.entries(times).map(([name, bySystem]) => {
    const walls = systems.map((system) => median(bySystem[system.name].map(({ wall }) => wall)));
    const processors = systems.map((system) =>
      median(bySystem[system.name].map(({ processor }) => processor)),
    );
    const ratios = others.flatMap((_, index) => [
      walls[index + 1] / walls[0],
      processors[index + 1] / processors[0],
    ]);
    if (others.length > 0) {
      wallRatios.push(ratios[0]);
      processorRatios.push(ratios[1]);
    }
    return [
      name,
      ...systems.flatMap((_, index) => [walls[index].toFixed(1), processors[index].toFixed(1)]),
      ...ratios.map((ratio) => ratio.toFixed(2)),
    ];
  });
  if (wallRatios.length > 0)
    rows.push([
      'geometric mean',
      ...systems.flatMap(() => ['', '']),
      geometricMean(wallRatios).toFixed(2),
      geometricMean(processorRatios).toFixed(2),
    ]);
  const header = [
    'ms',
    ...systems.flatMap(({ name }) => [name, 'cpu']),
    ...others.flatMap(({ name }) => [`${name}/${first.name}`, 'cpu']),
  ];
  return table(header, rows);
}
