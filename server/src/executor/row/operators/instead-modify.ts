/**
 * INSERT, UPDATE and DELETE on a view with INSTEAD OF triggers: the rows go to the triggers, nothing is written here. UPDATE of a
 * catalog works alike; its rows go to the catalog once all are read, since the scan reads the catalog as it is.
 *
 * A row counts, and RETURNING shows what the trigger returned, unless it returned NULL.
 */
import { internalError } from '../../../base/error.ts';
import type { ModifyNode } from '../../../planner/physical.ts';
import type { Datum } from '../../../types/datum.ts';
import { AfterQueue } from '../../constraints/queue.ts';
import type { TriggerOperation } from '../../routines.ts';
import type { ExecutionState } from '../../state.ts';
import {
  RowTriggerRun,
  StatementTriggerRun,
  TableTriggers,
  TRIGGER_BEFORE,
  TRIGGER_INSTEAD,
} from '../../triggers/table-triggers.ts';
import { type Evaluate, ExpressionCompiler } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

const OPERATIONS = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const;

export class InsteadModify implements Operator {
  private readonly state: ExecutionState;
  private readonly node: ModifyNode;
  private readonly child: Operator;
  private readonly operation: TriggerOperation;
  private readonly oldRow: Evaluate[];
  private readonly newRow: (Evaluate | null)[];
  private readonly returning: { run: Evaluate; slot: number }[];
  private readonly counts: boolean;
  private triggers: TableTriggers | null = null;
  private before: StatementTriggerRun | null = null;
  private phase: 'begin' | 'fetch' | 'values' | 'fire' | 'returning' | 'end' = 'begin';
  private oldValues: Datum[] | null = null;
  private newValues: Datum[] | null = null;
  private run: RowTriggerRun | null = null;
  private returningProgress = 0;
  private isCatalog = false;
  private catalogChanges: { oldRow: readonly Datum[]; newRow: readonly Datum[] }[] = [];

  constructor(state: ExecutionState, node: ModifyNode, child: Operator) {
    const compiler = new ExpressionCompiler(state, state.environment.resolver);
    this.state = state;
    this.node = node;
    this.child = child;
    this.operation = OPERATIONS[node.command];
    this.oldRow = compiler.compileAll(node.oldRow ?? []);
    this.newRow = node.row.map((expr) => (expr === null ? null : compiler.compile(expr)));
    this.returning = node.returning.map(({ expr, slot }) => ({ run: compiler.compile(expr), slot }));
    this.counts = state.plan.root === node;
  }

  open(): void {
    this.child.open();
    this.phase = 'begin';
    this.before = null;
    this.run = null;
    this.catalogChanges = [];
  }

  rescan(): void {
    throw internalError('a modification cannot run twice');
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    const { state } = this;
    const { frame } = state;
    for (;;) {
      switch (this.phase) {
        case 'begin': {
          const { environment } = state;
          const relation = environment.catalog.relation(this.node.relationOid);
          this.triggers = relation === null ? null : TableTriggers.of(environment, relation);
          this.isCatalog = relation?.virtualRows != null;
          if (this.triggers !== null) {
            this.before ??= new StatementTriggerRun(this.triggers, TRIGGER_BEFORE, [this.operation], null);
            this.before.run();
          }
          this.phase = 'fetch';
          break;
        }
        case 'fetch':
          if (!this.child.next()) {
            if (this.triggers?.has(0, false, this.operation) === true)
              AfterQueue.of(state).statementTriggers(this.triggers, this.operation, null);
            this.changeCatalog();
            this.phase = 'end';
            return false;
          }
          this.phase = 'values';
          break;
        case 'values':
          this.computeValues(frame);
          this.phase = 'fire';
          break;
        case 'fire': {
          const result = this.fire();
          if (result === null) {
            this.phase = 'fetch';
            break;
          }
          if (this.counts) state.processed++;
          for (const { column, slot } of this.node.targetColumns)
            if (column >= 0) frame[slot] = result[column] ?? null;
            else if (column === -6) frame[slot] = this.node.relationOid;
          this.returningProgress = 0;
          this.phase = 'returning';
          break;
        }
        case 'returning':
          for (; this.returningProgress < this.returning.length; this.returningProgress++) {
            const { run, slot } = this.returning[this.returningProgress]!;
            frame[slot] = run(frame);
          }
          this.phase = 'fetch';
          if (this.returning.length > 0) return true;
          break;
        default:
          return false;
      }
    }
  }

  private computeValues(frame: Datum[]): void {
    const oldValues = this.operation === 'INSERT' ? null : this.oldRow.map((run) => run(frame));
    this.oldValues = oldValues;
    this.newValues =
      this.operation === 'DELETE'
        ? null
        : this.newRow.map((run, column) => (run === null ? (oldValues?.[column] ?? null) : run(frame)));
  }

  private changeCatalog(): void {
    const { services } = this.state.environment;
    for (const { oldRow, newRow } of this.catalogChanges)
      services.changeCatalogRow?.(this.node.relationOid, oldRow, newRow);
    this.catalogChanges = [];
  }

  /** The row after all triggers, null when one of them refuses it. */
  private fire(): readonly Datum[] | null {
    const { triggers } = this;
    if (this.isCatalog) {
      this.catalogChanges.push({ oldRow: this.oldValues!, newRow: this.newValues! });
      return this.newValues;
    }
    if (triggers === null) return null;
    this.run ??= new RowTriggerRun(
      triggers,
      TRIGGER_INSTEAD,
      this.operation,
      { oldRow: this.oldValues, newRow: this.newValues },
      null,
    );
    const result = this.run.run();
    this.run = null;
    return result;
  }
}
