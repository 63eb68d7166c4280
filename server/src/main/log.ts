/** The server log: one line an event on standard error, with time and severity, as PostgreSQL's default line prefix. */
import type { Environment } from '../env/contract.ts';

export class ServerLog {
  private readonly environment: Environment;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  write(severity: 'LOG' | 'WARNING' | 'ERROR' | 'FATAL' | 'PANIC', message: string, detail?: string): void {
    const time = new Date(Number(this.environment.clock.wallMicros() / 1000n))
      .toISOString()
      .replace('T', ' ')
      .replace('Z', ' UTC');
    const { processId } = this.environment.host;
    this.environment.host.writeError(`${time} [${processId}] ${severity}:  ${message}\n`);
    if (detail !== undefined) this.environment.host.writeError(`${time} [${processId}] DETAIL:  ${detail}\n`);
  }
}
