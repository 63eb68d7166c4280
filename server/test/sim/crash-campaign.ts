/**
 * Crash campaign: many seeds of the crash simulation. Usage: node crash-campaign.ts [crashes] [first seed] [crashes per seed]
 * Prints progress and totals; ends with status 1 at the first mismatch, whose seed it names.
 */
import { runCrashes } from './crash-harness.ts';

const [total = 20_000, firstSeed = 1, perSeed = 8] = process.argv.slice(2).map(Number);
const sum = { crashes: 0, commits: 0, checkpoints: 0, recoveredCommits: 0, duringRecovery: 0 };
const start = Date.now();
for (let seed = firstSeed; sum.crashes < total; seed++) {
  try {
    const report = await runCrashes({ seed, crashes: perSeed });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += report[key];
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  if (seed % 250 === 0) {
    console.log(`seed ${seed}: ${JSON.stringify(sum)} after ${Math.round((Date.now() - start) / 1000)} s`);
  }
}
console.log(`done: ${JSON.stringify(sum)} in ${Math.round((Date.now() - start) / 1000)} s`);
