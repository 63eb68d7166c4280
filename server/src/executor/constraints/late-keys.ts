/**
 * Keys that are checked after the row is stored: deferrable UNIQUE and PRIMARY KEY, and EXCLUDE.
 *
 * With a stored index (btree, all operators equality) the index tells who else holds the key, undecided rivals included, and the
 * check waits for those. Other exclusion constraints compare with every row of the table; a lock on the constraint, held to the
 * end of the transaction, lets only one transaction at a time add rows to such a table, so that no rival is overlooked.
 */
import { DbError } from '../../base/error.ts';
import { WaitSignal } from '../../base/suspend.ts';
import type { ConstraintDescriptor, IndexDescriptor } from '../../catalog/contract.ts';
import type { Datum } from '../../types/datum.ts';
import type { Evaluate } from '../row/expression/compile.ts';
import type { ExecutionEnvironment } from '../state.ts';
import type { TargetTable } from './target.ts';

const EQUAL = '=';

export class LateKey {
  readonly constraint: ConstraintDescriptor;
  private readonly target: TargetTable;
  private readonly environment: ExecutionEnvironment;
  private readonly index: IndexDescriptor;
  private readonly keys: readonly Evaluate[];
  private readonly predicate: Evaluate | null;
  private readonly isIndexed: boolean;
  private operators: readonly ((left: Datum, right: Datum) => Datum)[] | null = null;

  constructor(environment: ExecutionEnvironment, target: TargetTable, constraint: ConstraintDescriptor) {
    this.environment = environment;
    this.target = target;
    this.constraint = constraint;
    this.index = [...target.relation.indexes, ...(target.relation.exclusionIndexes ?? [])].find(
      ({ oid }) => oid === constraint.indexOid,
    )!;
    let next = 0;
    this.keys = this.index.keyColumns.map((attnum) =>
      attnum > 0
        ? (row: readonly Datum[]) => row[attnum - 1] ?? null
        : target.compileStored(this.index.expressions[next++]!),
    );
    this.predicate = this.index.predicate === null ? null : target.compileStored(this.index.predicate);
    const isEquality = (constraint.exclusion ?? []).every(
      (oid) => environment.catalog.operator(oid)?.name === EQUAL,
    );
    this.isIndexed =
      isEquality && target.table.indexes.some(({ indexOid }) => indexOid === constraint.indexOid);
  }

  private keyOf(row: readonly Datum[]): Datum[] | null {
    if (this.predicate !== null && this.predicate(row as Datum[]) !== true) return null;
    const key = this.keys.map((run) => run(row as Datum[]));
    return key.includes(null) ? null : key;
  }

  /** False when nothing can be wrong with the row; asked right after it was stored. */
  mayConflict(row: readonly Datum[]): boolean {
    if (this.keyOf(row) === null) return false;
    if (!this.isIndexed) return true;
    const { live, xid } = this.target.table.keyHolders(
      this.environment.transaction,
      row,
      this.constraint.indexOid,
    );
    return live > 1 || xid !== 0;
  }

  /** Did an update leave the key as it was? */
  isSame(oldRow: readonly Datum[], row: readonly Datum[]): boolean {
    const before = this.keyOf(oldRow);
    const after = this.keyOf(row);
    return before !== null && after !== null && this.areEqual(before, after);
  }

  private areEqual(left: readonly Datum[], right: readonly Datum[]): boolean {
    return left.every((value, position) => {
      const { support } = this.index.schema.keys[position]!;
      const other = right[position]!;
      return value === other || support.hashKey(value) === support.hashKey(other);
    });
  }

  /** Errors 23505, 23P01; leaves by a wait for a rival. */
  check(row: readonly Datum[]): void {
    if (this.isIndexed) this.checkIndexed(row);
    else this.checkAll(row);
  }

  private checkIndexed(row: readonly Datum[]): void {
    const { transaction, services } = this.environment;
    const { live, xid } = this.target.table.keyHolders(transaction, row, this.constraint.indexOid);
    if (live > 1) {
      if (this.constraint.kind !== 'x')
        throw this.target.uniqueViolation(
          { indexOid: this.constraint.indexOid, rowId: 0 as never, xid: 0 as never },
          row,
        );
      throw this.violation(this.keyOf(row)!, this.keyOf(row)!);
    }
    if (live === 0 || xid === 0) return;
    const pending = services.locks.waitForTransaction(transaction, xid, {
      policy: 'wait',
      timeoutMicros: services.lockTimeoutMicros(),
    });
    if (pending !== null) throw new WaitSignal(pending);
    this.checkIndexed(row);
  }

  /**
   * Does a row that is there exclude one that is not stored yet? Leaves by a wait for an undecided one. The row may be skipped
   * then (ON CONFLICT DO NOTHING).
   */
  excludesNew(row: readonly Datum[]): boolean {
    const key = this.keyOf(row);
    if (key === null) return false;
    const { transaction, services } = this.environment;
    if (!this.isIndexed) {
      // Rows that this very statement stored count as well.
      transaction.advanceCommand();
      return this.rivalOf(key, true) !== null;
    }
    for (;;) {
      const { live, xid } = this.target.table.keyHolders(transaction, row, this.constraint.indexOid);
      if (live > 0) return true;
      if (xid === 0) return false;
      const pending = services.locks.waitForTransaction(transaction, xid, {
        policy: 'wait',
        timeoutMicros: services.lockTimeoutMicros(),
      });
      if (pending !== null) throw new WaitSignal(pending);
    }
  }

  private checkAll(row: readonly Datum[]): void {
    const key = this.keyOf(row);
    const rival = key === null ? null : this.rivalOf(key, false);
    if (rival !== null) throw this.violation(key!, rival);
  }

  /** The key of a row that excludes `key`; one row with `key` itself is passed over unless the row `isNew`. */
  private rivalOf(key: readonly Datum[], isNew: boolean): Datum[] | null {
    const { transaction, services, resolver, catalog } = this.environment;
    const pending = services.locks.lockTable(transaction, this.constraint.indexOid, 'ShareUpdateExclusive', {
      policy: 'wait',
      timeoutMicros: services.lockTimeoutMicros(),
    });
    if (pending !== null) throw new WaitSignal(pending);
    this.operators ??= (this.constraint.exclusion ?? []).map((oid, position) => {
      const operator = catalog.operator(oid)!;
      // Operators over anyrange work on the type at hand.
      const typeOid = this.index.schema.keys[position]!.support.oid;
      const { call } = resolver.scalar(operator.functionOid, {
        argumentTypes: [typeOid, typeOid],
        resultType: operator.resultType,
        variadic: false,
        collation: 0,
      });
      return (left, right) => call(left, right);
    });
    const { operators } = this;
    const excludes = (other: readonly Datum[]): boolean =>
      operators.every((operator, position) => operator(other[position]!, key[position]!) === true);
    const { columnNumbers } = this.target;
    const found: Datum[] = columnNumbers.map(() => null);
    const cursor = this.target.table.scan({
      snapshot: transaction.latestSnapshot(),
      columns: columnNumbers,
      slots: columnNumbers,
      predicates: [],
    });
    let isThere = isNew;
    let rival: Datum[] | null = null;
    try {
      while (cursor.next(found)) {
        const other = this.keyOf(found);
        if (other === null) continue;
        // The row itself is among them, unless it was changed or deleted since.
        if (!isThere && this.areEqual(other, key)) {
          isThere = true;
          continue;
        }
        if (rival === null && excludes(other)) rival = other;
        if (isThere && rival !== null) break;
      }
    } finally {
      cursor.close();
    }
    return isThere ? rival : null;
  }

  private violation(key: readonly Datum[], rival: readonly Datum[]): DbError {
    const label = this.target.indexKeyText(this.index);
    const text = (values: readonly Datum[]): string =>
      values
        .map((value, position) =>
          this.index.schema.keys[position]!.support.output(value, this.environment.resolver.context.format),
        )
        .join(', ');
    return new DbError(
      'exclusion_violation',
      `conflicting key value violates exclusion constraint "${this.constraint.name}"`,
      {
        ...this.target.names,
        constraint: this.constraint.name,
        detail: `Key (${label})=(${text(key)}) conflicts with existing key (${label})=(${text(rival)}).`,
      },
    );
  }
}
