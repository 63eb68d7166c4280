/** What the row executor holds of the pipelines: one pool for the engine, jobs on demand. */
import type { Clock, Workers } from '../../env/contract.ts';
import { chooseKernels, type KernelChoice } from '../../native/index.ts';
import type { ParallelScan, TableSchema } from '../../table/contract.ts';
import { PipelineJob } from './job.ts';
import { QueryJob, type QueryJobOptions } from './query/job.ts';
import type { Fragment } from './translate.ts';
import { WorkerPool } from './worker-pool.ts';

export interface PipelineServiceOptions {
  readonly workers: Workers;
  readonly clock: Clock;
  readonly kernels: KernelChoice;
  /** 0 = one per hardware thread. */
  readonly workerCount: number;
  /** Shared memory for decoded columns. Default 2 GiB of address space. */
  readonly memoryBytes?: number;
  /** Blocks of 64 KiB for hash tables of queries. */
  readonly workBlocks?: number;
}

const MEMORY_BYTES = 2048 * 1024 * 1024;
/** 1 GiB of blocks. */
const WORK_BLOCKS = 16_384;

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
    return new PipelineJob({ ...options, ...this.surroundings(options.native) });
  }

  query(options: Omit<QueryJobOptions, 'pool' | 'clock' | 'instructionSet'>): QueryJob {
    return new QueryJob({ ...options, ...this.surroundings(options.native) });
  }

  private surroundings(native: boolean): { pool: WorkerPool; clock: Clock; instructionSet: string } {
    const { workers, clock, kernels, workerCount } = this.options;
    this.pool ??= new WorkerPool({
      workers,
      kernels,
      workerCount: workerCount === 0 ? workers.hardwareThreads : workerCount,
      memoryBytes: this.options.memoryBytes ?? MEMORY_BYTES,
      workBlocks: this.options.workBlocks ?? WORK_BLOCKS,
    });
    const hasAddon = native && this.instructionSet !== 'typescript';
    return { pool: this.pool, clock, instructionSet: hasAddon ? this.instructionSet : 'wasm-simd128' };
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
