/**
 * A part of a plan (joins, aggregates, the first rows of an order) that runs as pipelines when it can, else as the row executor's operators.
 *
 * The choice is made at every execution, as in `../operator.ts`; until the first row is out the row operators can still take over. Where this
 * part cannot be compiled its parts still may be: the row operators are built with operators like this one inside.
 */
import type { RowId } from '../../../base/brands.ts';
import { assert, DbError } from '../../../base/error.ts';
import { WaitSignal } from '../../../base/suspend.ts';
import type { PlanExpr, PlanNode, SeqScanNode } from '../../../planner/physical.ts';
import { scalarFunction } from '../../../sql/functions/index.ts';
import type { ScanPredicate } from '../../../table/contract.ts';
import type { SqlArray } from '../../../types/datum.ts';
import { ExpressionCompiler } from '../../row/expression/compile.ts';
import type { Operator } from '../../row/operators/operator.ts';
import { fitInteger } from '../../row/operators/seq-scan.ts';
import { keyOrder } from '../../row/sorter.ts';
import type { ExecutionState } from '../../state.ts';
import { NotCompilable } from '../interval.ts';
import type { PipelineService } from '../service.ts';
import type { QueryJob, QueryResult, QueryScanSource, QueryStatistics } from './job.ts';
import { ResultRows } from './result.ts';
import { type TranslatedQuery, translateQuery } from './translate.ts';

/** Queries whose largest table has fewer rows are left to the row executor unless the setting says otherwise. */
const AUTO_ROWS_MIN = 20_000;
/** A filter is worth a pipeline of its own when at most one row in so many passes: the others cost their way out twice. */
const SCAN_SHARE_MIN = 8;
/** OIDs below are PostgreSQL's own. */
const FIRST_USER_OID = 16_384;

type Mode = 'undecided' | 'pipeline' | 'row';

/** See the module comment. */
export class QueryOperator implements Operator {
  private readonly state: ExecutionState;
  private readonly node: PlanNode;
  private readonly service: PipelineService;
  private readonly makeRow: () => Operator;
  private row: Operator | null = null;
  private mode: Mode = 'undecided';
  private job: QueryJob | null = null;
  private query: TranslatedQuery | null = null;
  private running: Promise<void> | null = null;
  private rows: ResultRows | null = null;
  private failure: unknown = null;
  private statistics: QueryStatistics | null = null;
  private refusal: string | null = null;

  constructor(state: ExecutionState, node: PlanNode, service: PipelineService, makeRow: () => Operator) {
    this.state = state;
    this.node = node;
    this.service = service;
    this.makeRow = makeRow;
  }

  open(): void {
    this.stop();
    this.mode = 'undecided';
  }

  rescan(): void {
    this.stop();
    if (this.mode === 'row') this.row!.rescan();
    // A scan that is run again and again, for one row each, waits longer for workers than it works.
    else if (this.mode === 'pipeline' && this.node.kind === 'seqScan') this.toRow('it is run again');
    else this.mode = 'undecided';
  }

  close(): void {
    this.stop();
    this.row?.close();
  }

  next(): boolean {
    if (this.mode === 'undecided') {
      const refusal = this.begin();
      if (refusal !== null) this.toRow(refusal);
    }
    if (this.mode === 'row') return this.row!.next();
    if (this.running !== null) throw new WaitSignal(this.running);
    if (this.failure !== null) {
      const { failure } = this;
      if (!(failure instanceof NotCompilable)) throw failure;
      this.toRow(failure.reason);
      return this.row!.next();
    }
    this.state.tick();
    return this.rows!.next(this.state.frame);
  }

  /** For EXPLAIN ANALYZE: which executor ran, and what the pipelines did. */
  facts(): readonly (readonly [string, string | number])[] {
    const { statistics, refusal } = this;
    if (statistics === null) return refusal === null ? [] : [['Executor', `row (${refusal})`]];
    const { loads } = statistics;
    const millis = (micros: number): string => `${(micros / 1000).toFixed(3)} ms`;
    return [
      ['Executor', 'compiled'],
      ['Kernels', statistics.instructionSet],
      ['Segments', `total=${loads.regions} skipped by zone map=${loads.skipped}`],
      ['Columns Decoded', loads.filled],
      ['Modules', `compiled=${statistics.modules} time=${millis(statistics.compileMicros)}`],
      ...statistics.pipelines.map((one): [string, string] => [
        `Pipeline ${one.pipeline}`,
        `morsels=${one.morsels} rows=${one.rows} time=${millis(one.elapsedMicros)} workers=${one.workerMicros.map(millis).join(', ')}`,
      ]),
      ['Pipelines Time', millis(statistics.elapsedMicros)],
    ];
  }

  private stop(): void {
    this.job?.cancel(new DbError('query_canceled', 'canceling statement due to user request'));
    this.job?.release();
    this.job = null;
    this.running = null;
    this.rows = null;
    this.failure = null;
  }

  private toRow(reason: string): void {
    this.refusal = reason;
    this.statistics = null;
    this.job?.release();
    this.job = null;
    if (this.row === null) this.row = this.makeRow();
    this.row.open();
    this.mode = 'row';
  }

  /** Starts the job; answers why not if it cannot. */
  private begin(): string | null {
    const { state, node } = this;
    const { services } = state.environment;
    const wish = services.functionContext.session.setting('fastpostgres.executor') ?? 'auto';
    if (wish === 'row') return 'fastpostgres.executor is row';
    if (!state.plan.parallelSafe) return 'the plan is not parallel safe';
    // First of all, so that short statements pay nothing.
    let rows = 0;
    for (const scan of scansOf(node)) {
      const table = state.table(scan.relationOid);
      if (table.parallelScan === undefined) return 'a table has no parallel scan';
      rows = Math.max(rows, table.estimate().rows);
    }
    if (wish === 'auto' && rows < AUTO_ROWS_MIN) return 'the tables are small';
    if (wish === 'auto' && node.kind === 'seqScan' && node.estimatedRows * SCAN_SHARE_MIN > rows)
      return 'most rows pass the filter';
    try {
      const compiler = new ExpressionCompiler(state, state.environment.resolver);
      const query = translateQuery(node, state.plan, {
        schema: (relationOid) => state.table(relationOid).schema,
        evaluate: (expr) => compiler.compile(expr)(state.frame),
        pureFunction: (functionOid) => {
          const found = state.environment.catalog.function(functionOid);
          if (found === null || !found.strict || found.volatility !== 'i') return null;
          return functionOid < FIRST_USER_OID && scalarFunction(found.source)?.pure !== undefined
            ? found.source
            : null;
        },
        functionOf: (expr, slot) => {
          const run = compiler.compile(expr);
          const frame = [...state.frame];
          return (value) => {
            frame[slot] = value;
            return run(frame);
          };
        },
      });
      const scans = query.scans.map((_, index) => this.scanSource(query, index, compiler));
      const job = this.service.query({
        query,
        scans,
        checkInterrupt: () => state.checkInterrupt(),
        budgetBytes: state.environment.pipelineBytes,
        native: services.functionContext.session.setting('fastpostgres.native_kernels') !== 'off',
      });
      this.query = query;
      this.job = job;
      this.mode = 'pipeline';
      this.running = job.run().then(
        (result) => this.finished(job, result, null),
        (error: unknown) => this.finished(job, null, error),
      );
      return null;
    } catch (thrown) {
      if (thrown instanceof NotCompilable) return thrown.reason;
      throw thrown;
    }
  }

  private finished(job: QueryJob, result: QueryResult | null, error: unknown): void {
    if (this.job !== job) return;
    this.running = null;
    this.failure = error;
    if (result !== null) {
      try {
        const { order, bound, columns } = this.query!;
        const rows = new ResultRows(result, columns);
        rows.fetch = this.fetcher();
        rows.checkDoubles();
        rows.sort(
          order.map(({ column, key }) => ({ column, key: keyOrder(key, this.state.environment.resolver) })),
          bound,
        );
        this.rows = rows;
      } catch (thrown) {
        this.failure = thrown;
      }
    }
    this.statistics = job.statistics;
    this.refusal = null;
  }

  /** Reads what the result left in the table. */
  private fetcher(): ResultRows['fetch'] {
    const { late, scans } = this.query!;
    if (late === null) return null;
    const { state } = this;
    const table = state.table(scans[late.scan]!.node.relationOid);
    const { snapshot } = state.environment;
    return {
      column: late.rowId,
      row: (rowId, frame) => {
        const isThere = table.fetch(rowId as RowId, snapshot, late.columns, late.slots, frame);
        assert(isThere, 'a row of the result is no longer there');
      },
    };
  }

  private scanSource(query: TranslatedQuery, index: number, compiler: ExpressionCompiler): QueryScanSource {
    const { state } = this;
    const { node } = query.scans[index]!;
    const table = state.table(node.relationOid);
    const pipeline = query.pipelines.find(({ source }) => source.kind === 'scan' && source.scan === index);
    const order =
      pipeline?.source.kind === 'scan'
        ? pipeline.source.columns.map(({ column }) => column).filter((column) => column >= 0)
        : [];
    const source = table.parallelScan!({
      snapshot: state.environment.snapshot,
      columns: order,
      slots: order.map((_, place) => place),
      predicates: this.predicates(node, compiler),
    });
    return { schema: table.schema, source, order };
  }

  /** The scan's pushed predicates with their values, for zone maps and the delta. */
  private predicates(scan: SeqScanNode, compiler: ExpressionCompiler): ScanPredicate[] {
    const { state } = this;
    const table = state.table(scan.relationOid);
    const predicates: ScanPredicate[] = [];
    for (const { column, operator, value: expr } of scan.pushed) {
      if (operator === 'is null' || operator === 'is not null') {
        predicates.push({ column, operator });
        continue;
      }
      const value = compiler.compile(expr as PlanExpr)(state.frame);
      if (value === null) throw new NotCompilable('a comparison with NULL');
      const like = table.schema.columns[column]!.typeOid;
      if (operator === 'in') {
        const values = (value as SqlArray).elements
          .filter((element) => element !== null)
          .map((element) => fitInteger(element, like));
        predicates.push({ column, operator, values });
      } else predicates.push({ column, operator, value: fitInteger(value, like) });
    }
    return predicates;
  }
}

function scansOf(node: PlanNode): SeqScanNode[] {
  if (node.kind === 'seqScan') return [node];
  if (node.kind === 'hashJoin') return [...scansOf(node.outer), ...scansOf(node.inner)];
  if (node.kind === 'append') return node.children.flatMap(scansOf);
  return 'child' in node && node.child !== null ? scansOf(node.child) : [];
}
