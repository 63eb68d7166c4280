/** SELECT … FOR UPDATE / SHARE: locks the rows that pass, and re-checks the newest version after a wait. */

import type { RowId } from '../../../base/brands.ts';
import { DbError } from '../../../base/error.ts';
import type { LockRowsNode } from '../../../planner/physical.ts';
import { concurrentUpdate } from '../../constraints/queue.ts';
import type { ExecutionState } from '../../state.ts';
import { ExpressionCompiler, type Test } from '../expression/compile.ts';
import type { Operator } from './operator.ts';

export class LockRows implements Operator {
  private readonly state: ExecutionState;
  private readonly node: LockRowsNode;
  private readonly child: Operator;
  private readonly recheck: Test | null;
  private pending = false;
  private mark = 0;
  private rowId: RowId | null = null;
  /** The newest version is in the frame and its condition not yet decided. */
  private rechecking = false;
  private newer = false;

  constructor(state: ExecutionState, node: LockRowsNode, child: Operator) {
    this.state = state;
    this.node = node;
    this.child = child;
    this.recheck = new ExpressionCompiler(state, state.environment.resolver).testOrNull(node.recheck);
  }

  open(): void {
    this.pending = false;
    this.child.open();
  }

  rescan(): void {
    this.pending = false;
    this.child.rescan();
  }

  close(): void {
    this.child.close();
  }

  next(): boolean {
    for (;;) {
      if (!this.pending) {
        if (!this.child.next()) return false;
        this.pending = true;
        this.mark = 0;
        this.rowId = null;
        this.rechecking = false;
        this.newer = false;
      }
      const locked = this.lockAll();
      this.pending = false;
      if (locked) return true;
    }
  }

  /** False when the row is to be left out. */
  private lockAll(): boolean {
    const { state, node } = this;
    const { frame } = state;
    for (; this.mark < node.marks.length; this.mark++, this.rowId = null, this.newer = false) {
      const { rowIdSlot } = node.marks[this.mark]!;
      this.rowId ??= frame[rowIdSlot] as RowId | null;
      // The nullable side of an outer join has no row here.
      if (this.rowId === null) continue;
      if (!this.lockOne()) return false;
    }
    return true;
  }

  private lockOne(): boolean {
    const { state, node } = this;
    const { frame } = state;
    const { transaction, snapshot, catalog } = state.environment;
    const { mark, relationOid, columns, rowIdSlot } = node.marks[this.mark]!;
    const table = state.table(relationOid);
    for (;;) {
      if (this.rechecking) {
        const passes = this.recheck === null || this.recheck(frame);
        this.rechecking = false;
        if (!passes) return false;
      }
      const view = this.newer ? transaction.latestSnapshot() : snapshot;
      const outcome = table.lock(transaction, view, this.rowId!, mark.strength);
      switch (outcome.kind) {
        case 'ok':
        case 'self':
          return true;
        case 'wait':
          if (mark.waitPolicy === 'skip') return false;
          if (mark.waitPolicy === 'nowait') {
            const name = catalog.relation(relationOid)?.name ?? table.schema.name;
            throw new DbError('lock_not_available', `could not obtain lock on row in relation "${name}"`);
          }
          state.waitForTransaction(outcome.xid);
          break;
        case 'deleted':
          if (transaction.isolation !== 'read committed') throw concurrentUpdate('deleted');
          return false;
        case 'updated': {
          if (transaction.isolation !== 'read committed') throw concurrentUpdate('updated');
          this.rowId = outcome.rowId;
          this.newer = true;
          const wanted = columns.map((column) => column.column);
          const slots = columns.map((column) => column.slot);
          if (!table.fetch(outcome.rowId, transaction.latestSnapshot(), wanted, slots, frame)) return false;
          frame[rowIdSlot] = outcome.rowId;
          this.rechecking = true;
        }
      }
    }
  }
}
