/** Other programs: whether they are there, and running one to its end. */
import { spawn } from 'node:child_process';

export interface Program {
  readonly file: string;
  readonly arguments: readonly string[];
}

/** Null when the probe ends with 0, otherwise its words. */
export async function isThere(probe: Program): Promise<string | null> {
  const { code } = await runProgram(probe, process.env, 30_000);
  return code === 0 ? null : [probe.file, ...probe.arguments].join(' ');
}

/** Both outputs in the order they came; `code` is null when it was ended by a signal, the time limit's too. */
export function runProgram(
  program: Program,
  env: NodeJS.ProcessEnv,
  millisMax: number,
): Promise<{ output: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn(program.file, program.arguments, {
      cwd: import.meta.dirname,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (bytes: Buffer): void => {
      output += bytes.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      output += '\nFAIL the time limit\n';
      child.kill('SIGKILL');
    }, millisMax);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ output: `${output}${error.message}`, code: 127 });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ output, code });
    });
  });
}
