/**
 * An aggregate that runs as a pipeline when it can, else as the row executor's operator.
 *
 * The choice is made at every execution: the setting `fastpostgres.executor`, the size of the table, and whether the plan, its constants and the
 * data admit it. Until the last moment the row operator can still take over, because nothing has been delivered. Sorting,
 * limits, conditions on groups and everything above read this operator's rows like any other's.
 */
import { DbError } from '../../base/error.ts';
import { WaitSignal } from '../../base/suspend.ts';
import type { AggregateNode, PlanExpr } from '../../planner/physical.ts';
import type { ScanPredicate } from '../../table/contract.ts';
import type { SqlArray } from '../../types/datum.ts';
import { ExpressionCompiler, type Test } from '../row/expression/compile.ts';
import type { Operator } from '../row/operators/operator.ts';
import { fitInteger } from '../row/operators/seq-scan.ts';
import { compareUnder, type KeyOrder, keyOrder } from '../row/sorter.ts';
import type { ExecutionState } from '../state.ts';
import { finalValue } from './finalize.ts';
import { NotCompilable } from './interval.ts';
import { type Group, type PipelineJob, type PipelineStatistics, totalStatistics } from './job.ts';
import { QueryOperator } from './query/operator.ts';
import type { PipelineService } from './service.ts';
import { type Fragment, scanBelow, translate } from './translate.ts';

/** Tables below this many rows are left to the row executor unless the setting says otherwise. */
const AUTO_ROWS_MIN = 20_000;

const SORTED_GROUPS_MAX = 10_000;

type Mode = 'undecided' | 'pipeline' | 'row';

/** What became of the last execution: read by EXPLAIN ANALYZE. */
export interface PipelineReport {
  readonly statistics: PipelineStatistics | null;
  /** Why the row executor did it; null when it did not. */
  readonly refusal: string | null;
}

/** See the module comment. */
export class PipelineAggregate implements Operator {
  report: PipelineReport = { statistics: null, refusal: null };
  private readonly state: ExecutionState;
  private readonly node: AggregateNode;
  private readonly service: PipelineService;
  private readonly makeRow: () => Operator;
  private readonly having: Test | null;
  private row: Operator | null = null;
  private mode: Mode = 'undecided';
  private job: PipelineJob | null = null;
  private fragment: Fragment | null = null;
  private running: Promise<void> | null = null;
  private groups: readonly Group[] | null = null;
  private failure: unknown = null;
  private position = 0;
  private order: { group: number; key: KeyOrder }[] | null = null;

  constructor(state: ExecutionState, node: AggregateNode, service: PipelineService, makeRow: () => Operator) {
    this.state = state;
    this.node = node;
    this.service = service;
    this.makeRow = makeRow;
    this.having = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.having);
  }

  open(): void {
    this.stop();
    this.mode = 'undecided';
  }

  rescan(): void {
    this.stop();
    if (this.mode === 'row') this.row!.rescan();
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
    return this.deliver();
  }

  /** For EXPLAIN ANALYZE: which executor ran, and what the pipeline did. */
  facts(): readonly (readonly [string, string | number])[] {
    const { statistics, refusal } = this.report;
    if (statistics === null) {
      if (this.row instanceof QueryOperator) return this.row.facts();
      return refusal === null ? [] : [['Executor', `row (${refusal})`]];
    }
    const total = totalStatistics(statistics);
    return [
      ['Executor', 'compiled'],
      ['Workers', statistics.workers.length],
      ['Kernels', statistics.instructionSet],
      [
        'Segments',
        `total=${statistics.segmentsTotal} skipped by zone map=${statistics.segmentsSkipped} skipped by bounds=${total.skippedMorsels}`,
      ],
      ['Rows', `read=${total.rowsRead} passed=${total.rowsPassed} from delta=${statistics.deltaRows}`],
      ['Columns Decoded', statistics.framesFilled],
      ['Modules', `compiled=${total.modulesCompiled} time=${(total.compileMicros / 1000).toFixed(3)} ms`],
      ['Worker Time', statistics.workers.map((one) => `${(one.busyMicros / 1000).toFixed(3)} ms`).join(', ')],
    ];
  }

  /** The nodes below did not run one by one: their records say what went through. */
  private recordBelow(statistics: PipelineStatistics): void {
    const { instrumentation } = this.state.environment;
    if (instrumentation === null) return;
    const { scan, chain } = scanBelow(this.node)!;
    const total = totalStatistics(statistics);
    for (const { id } of [...chain, scan]) {
      const record = instrumentation.nodes.get(id) ?? {
        loops: 0,
        rows: 0,
        startupMicros: 0,
        totalMicros: 0,
        removed: 0,
      };
      record.loops++;
      record.rows += total.rowsPassed;
      record.totalMicros += statistics.elapsedMicros;
      if (id === scan.id) record.removed += total.rowsRead - total.rowsPassed;
      instrumentation.nodes.set(id, record);
    }
  }

  private stop(): void {
    // The job goes on alone until its workers have confirmed.
    this.job?.cancel(new DbError('query_canceled', 'canceling statement due to user request'));
    this.job = null;
    this.running = null;
    this.groups = null;
    this.failure = null;
    this.position = 0;
  }

  private toRow(reason: string): void {
    this.report = { statistics: null, refusal: reason };
    if (this.row === null) this.row = this.makeRow();
    this.row.open();
    this.mode = 'row';
  }

  /** Starts the job; answers why not if it cannot. */
  private begin(): string | null {
    const { state, node } = this;
    const { services, snapshot } = state.environment;
    const wish = services.functionContext.session.setting('fastpostgres.executor') ?? 'auto';
    if (wish === 'row') return 'fastpostgres.executor is row';
    if (!state.plan.parallelSafe) return 'the plan is not parallel safe';
    // First of all, so that short statements pay nothing.
    const table = state.table(scanBelow(node)!.scan.relationOid);
    if (table.parallelScan === undefined) return 'the table has no parallel scan';
    if (wish === 'auto' && table.estimate().rows < AUTO_ROWS_MIN) return 'the table is small';
    try {
      const compiler = new ExpressionCompiler(state, state.environment.resolver);
      const fragment = translate(node, {
        schema: (relationOid) => state.table(relationOid).schema,
        evaluate: (expr) => compiler.compile(expr)(state.frame),
        functionOf: (expr, slot) => {
          const run = compiler.compile(expr);
          const frame = [...state.frame];
          return (value) => {
            frame[slot] = value;
            return run(frame);
          };
        },
      });
      const order = this.promisedOrder();
      const columns = fragment.spec.columns.map(({ column }) => column);
      const source = table.parallelScan({
        snapshot,
        columns,
        slots: columns.map((_, index) => index),
        predicates: this.predicates(fragment, compiler),
      });
      const job = this.service.job({
        fragment,
        schema: table.schema,
        source,
        checkInterrupt: () => state.checkInterrupt(),
        native: services.functionContext.session.setting('fastpostgres.native_kernels') !== 'off',
      });
      this.fragment = fragment;
      this.order = order;
      this.job = job;
      this.mode = 'pipeline';
      this.running = job.run().then(
        (groups) => this.finished(job, groups, null),
        (error: unknown) => this.finished(job, null, error),
      );
      return null;
    } catch (thrown) {
      if (thrown instanceof NotCompilable) return thrown.reason;
      throw thrown;
    }
  }

  private finished(job: PipelineJob, groups: readonly Group[] | null, error: unknown): void {
    if (this.job !== job) return;
    this.running = null;
    this.job = null;
    this.failure = error;
    if (groups !== null) {
      try {
        this.groups = this.ordered(groups);
        this.checkDoubles(groups);
      } catch (thrown) {
        this.failure = thrown;
      }
    }
    this.report = { statistics: job.statistics, refusal: null };
    if (this.failure === null) this.recordBelow(job.statistics);
  }

  /** Sums of doubles that the row executor has to decide show now, before a row is out. */
  private checkDoubles(groups: readonly Group[]): void {
    const sums = this.fragment!.finals.filter(({ kind }) => kind === 'sumFloat' || kind === 'avgFloat');
    if (sums.length === 0) return;
    for (const { values } of groups)
      for (const { accumulator } of sums)
        if (!Number.isFinite(values[accumulator]))
          throw new NotCompilable('a floating-point result is out of range');
  }

  /** Groups in the order that a sorted aggregate promises. */
  private ordered(groups: readonly Group[]): readonly Group[] {
    const { order } = this;
    if (order === null) return groups;
    // Sorted at once: more would hold the loop.
    if (groups.length > SORTED_GROUPS_MAX) throw new NotCompilable('many groups in a promised order');
    return [...groups].sort((left, right) => {
      for (const { group, key } of order) {
        const result = compareUnder(key, left.keys[group]!, right.keys[group]!);
        if (result !== 0) return result;
      }
      return 0;
    });
  }

  /** Keys of the sort below a sorted aggregate, by group; null when no order is promised. */
  private promisedOrder(): { group: number; key: KeyOrder }[] | null {
    const { node } = this;
    if (node.strategy !== 'sorted' || node.groups.length === 0) return null;
    const sort = scanBelow(node)!.chain.find((inner) => inner.kind === 'sort');
    if (sort === undefined) throw new NotCompilable('an order without a sort');
    return sort.keys.map((key) => {
      const text = withoutPositions(key.expr);
      const group = node.groups.findIndex(({ expr }) => withoutPositions(expr) === text);
      if (group < 0) throw new NotCompilable('an order by something that is not grouped by');
      return { group, key: keyOrder(key, this.state.environment.resolver) };
    });
  }

  /** The scan's pushed predicates with their values, for zone maps and the delta. */
  private predicates(fragment: Fragment, compiler: ExpressionCompiler): ScanPredicate[] {
    const { state } = this;
    const table = state.table(fragment.scan.relationOid);
    const predicates: ScanPredicate[] = [];
    for (const { column, operator, value: expr } of fragment.scan.pushed) {
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

  private deliver(): boolean {
    const { state, node, fragment } = this;
    const { frame } = state;
    const { groups: outputs, finals } = fragment!;
    // A plain aggregate has a row even of nothing.
    const groups = node.groups.length === 0 && this.groups!.length === 0 ? [this.emptyGroup()] : this.groups!;
    while (this.position < groups.length) {
      state.tick();
      const group = groups[this.position]!;
      outputs.forEach(({ slot }, index) => {
        frame[slot] = group.keys[index]!;
      });
      for (const final of finals) frame[final.slot] = finalValue(final, group.values);
      const passes = this.having === null || this.having(frame);
      this.position++;
      if (passes) return true;
    }
    return false;
  }

  private emptyGroup(): Group {
    const values = this.fragment!.spec.accumulators.map((accumulator) =>
      accumulator.op !== 'count' && accumulator.arg?.type.kind === 'float' ? 0 : 0n,
    );
    return { keys: [], values };
  }
}

function withoutPositions(expr: PlanExpr): string {
  return JSON.stringify(expr, (name, part: unknown) =>
    name === 'position' ? undefined : typeof part === 'bigint' ? `${part}n` : part,
  );
}
