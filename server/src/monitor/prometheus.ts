/** Prometheus' view of the metrics: counters as totals, latency as a histogram. Names: docs/monitoring.md. */
import { Counter, Gauge, Registry } from 'prom-client';
import { METRIC_DEFINITIONS, type MetricReader } from './metrics.ts';
import { BUCKETS, bucketEnd, type StatementStatistics } from './statement-statistics.ts';

const PREFIX = 'fastpostgres_';
/** Every second power of two of microseconds, in seconds. */
const BOUNDS = Array.from({ length: 13 }, (_, index) => 2 ** (index * 2 + 4) / 1e6);

export class PrometheusEndpoint {
  private readonly registry = new Registry();
  private readonly reader: MetricReader;
  private readonly statements: StatementStatistics;

  constructor(reader: MetricReader, statements: StatementStatistics, version: string) {
    this.reader = reader;
    this.statements = statements;
    const registers = [this.registry];
    new Gauge({
      name: `${PREFIX}build_info`,
      help: 'Version of the server',
      labelNames: ['version'],
      registers,
    }).set({ version }, 1);
    for (const [index, definition] of METRIC_DEFINITIONS.entries()) {
      const { totals } = reader;
      const name = PREFIX + definition.name;
      if (definition.kind === 'gauge') {
        if (definition.name.startsWith('statement_latency')) continue;
        new Gauge({
          name,
          help: definition.help,
          registers,
          collect() {
            if (Number.isNaN(totals[index])) this.reset();
            else this.set(totals[index]);
          },
        });
      } else {
        new Counter({
          name: `${name}_total`,
          help: definition.help,
          registers,
          collect() {
            this.reset();
            if (totals[index] >= 0) this.inc(totals[index]);
          },
        });
      }
    }
  }

  async text(): Promise<string> {
    return (await this.registry.metrics()) + this.latency();
  }

  /** The histogram is kept by the statements themselves; written out directly. */
  private latency(): string {
    const { histogram, calls, totalMicros } = this.statements;
    const name = `${PREFIX}statement_duration_seconds`;
    const lines = [`# HELP ${name} Latency of statements`, `# TYPE ${name} histogram`];
    let bucket = 0;
    let seen = 0;
    for (const bound of BOUNDS) {
      while (bucket < BUCKETS && bucketEnd(bucket) <= bound * 1e6) seen += histogram[bucket++];
      lines.push(`${name}_bucket{le="${bound}"} ${seen}`);
    }
    lines.push(
      `${name}_bucket{le="+Inf"} ${calls}`,
      `${name}_sum ${totalMicros / 1e6}`,
      `${name}_count ${calls}`,
    );
    return `\n${lines.join('\n')}\n`;
  }

  /** The reader whose totals are shown. */
  get source(): MetricReader {
    return this.reader;
  }
}
