/** Tables on the terminal, and the record of a run as JSON in bench/results/. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));

/** What must be equal for two runs to be comparable. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** Widest vector instructions the processor names. */
  readonly vectors: string;
  /** Load of the last minute when the run began: above 0.5 the figures are suspect. */
  readonly load: number;
  readonly commit: string;
}

export function machine(): Machine {
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const vectors = ['avx512f', 'avx2', 'sse4_2', 'asimd'].find((flag) => flags.includes(flag)) ?? 'unknown';
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    // Not a checkout.
  }
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    vectors,
    load: loadavg()[0],
    commit,
  };
}

export function machineLine({
  processor,
  cores,
  memoryBytes,
  vectors,
  kernel,
  node,
  load,
  commit,
}: Machine): string {
  const memory = (memoryBytes / 2 ** 30).toFixed(0);
  return `${cores} x ${processor}, ${vectors}, ${memory} GB, Linux ${kernel}, Node ${node}, load ${load.toFixed(1)}, ${commit}`;
}

/** Columns under each other: the first to the left, the others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    header
      .map((_, column) =>
        column === 0
          ? (row[column] ?? '').padEnd(widths[column])
          : (row[column] ?? '').padStart(widths[column]),
      )
      .join('  ')
      .trimEnd();
  return `${[line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')}\n`;
}

/** Keeps a run; returns the file. */
export function keep(name: string, record: object): string {
  mkdirSync(RESULTS, { recursive: true });
  const stamp = new Date().toISOString().replaceAll(':', '').slice(0, 17);
  const file = join(RESULTS, `${name}-${stamp}.json`);
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  return file;
}
