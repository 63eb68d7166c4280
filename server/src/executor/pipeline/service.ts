/** What the row executor holds of the pipelines: one pool for the engine, jobs on demand. */
import type { Clock, Workers } from '../../env/contract.ts';
import { chooseKernels, type KernelChoice } from '../../native/index.ts';
import type { ParallelScan, TableSchema } from '../../table/contract.ts';
import { PipelineJob } from './job.ts';
import type { Fragment } from './translate.ts';
import { WorkerPool } from './worker-pool.ts';

export interface PipelineServiceOptions {
  readonly workers: Workers;
  readonly clock: Clock;
  readonly kernels: KernelChoice;
  /** 0 = one per hardware thread. */
  readonly workerCount: number;
  /** Shared memory for decoded columns. Default 1 GiB of address space. */
  readonly memoryBytes?: number;
}

const MEMORY_BYTES = 1024 * 1024 * 1024;

/** See the module comment. Costs nothing until the first job. */
export class PipelineService {
  private readonly options: PipelineServiceOptions;
  private pool: WorkerPool | null = null;
  private readonly instructionSet: string;

  constructor(options: PipelineServiceOptions) {
    this.options = options;
    this.instructionSet = chooseKernels(options.kernels).kernels.instructionSet();
  }

  job(options: {
    fragment: Fragment;
    schema: TableSchema;
    source: ParallelScan;
    checkInterrupt: () => void;
    native: boolean;
  }): PipelineJob {
    const { workers, clock, kernels, workerCount } = this.options;
    this.pool ??= new WorkerPool({
      workers,
      kernels,
      workerCount: workerCount === 0 ? workers.hardwareThreads : workerCount,
      memoryBytes: this.options.memoryBytes ?? MEMORY_BYTES,
    });
    const hasAddon = options.native && this.instructionSet !== 'typescript';
    const instructionSet = hasAddon ? this.instructionSet : 'wasm-simd128';
    return new PipelineJob({ ...options, pool: this.pool, clock, instructionSet });
  }

  /** Ends a worker's thread as a fault would. */
  async killWorkerForTest(worker: number): Promise<void> {
    await this.pool?.killForTest(worker);
  }

  async close(): Promise<void> {
    const { pool } = this;
    this.pool = null;
    await pool?.close();
  }
}
