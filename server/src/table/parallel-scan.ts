/**
 * A scan cut in two for workers: regions whose rows are visible as they stand, and the rest row by row.
 *
 * Taken in one turn, so both halves belong to the same state: for each region a bitmap of the rows whose newest version is the region's own, and the
 * row ids of everything else (unsealed rows, rows with newer versions). What changes afterwards changes neither: regions are
 * immutable, and a row updated later is still its region's row for this snapshot. The rest is resolved by row id, which stays
 * valid while the statement holds its table lock.
 */
import type { RowId } from '../base/brands.ts';
import { implementationOf, type TransactionImplementation } from '../txn/transaction.ts';
import type { Datum } from '../types/datum.ts';
import type { ColumnVector } from '../types/vector.ts';
import type { ParallelScan, RegionDictionary, RegionView, RowCursor, ScanOptions } from './contract.ts';
import { type CompiledPredicate, compilePredicates } from './predicates.ts';
import { type BasePredicate, type BaseRegion, LINK_BASE, REGION_ROWS } from './region.ts';
import { FOUND_NONE, type RowStore } from './row-store.ts';
import { readColumns } from './scan.ts';

/** Rows looked at between two calls of `tick`. */
const TICK_ROWS = 256;

class BaseView implements RegionView {
  readonly key: object;
  readonly rowCount: number;
  readonly firstRow: RowId;
  readonly columnCount: number;
  readonly mask: Uint8Array | null;
  private readonly region: BaseRegion;
  private readonly predicates: readonly BasePredicate[];

  constructor(region: BaseRegion, mask: Uint8Array | null, predicates: readonly BasePredicate[]) {
    this.region = region;
    this.key = region;
    this.rowCount = region.rowCount;
    this.firstRow = (region.segment * REGION_ROWS) as RowId;
    this.columnCount = region.columnCount;
    this.mask = mask;
    this.predicates = predicates;
  }

  canSkip(): boolean {
    const { columnCount } = this;
    const known = this.predicates.filter((predicate) => predicate.column < columnCount);
    return known.length > 0 && this.region.reader.canSkip(known);
  }

  readColumn(column: number, target: ColumnVector): void {
    this.region.reader.readColumn(column, 0, this.rowCount, target);
  }

  readDictionary(column: number): RegionDictionary | null {
    const { reader } = this.region;
    const form = reader.codeForm?.(column) ?? null;
    if (form === null || form.values === null || form.codeBytes === 4) return null;
    const entries: Uint8Array[] = [];
    for (const value of form.values) {
      if (typeof value !== 'object') return null;
      entries.push(value);
    }
    const { rowCount } = this;
    const codes = form.codeBytes === 1 ? new Uint8Array(rowCount) : new Uint16Array(rowCount);
    reader.readCodes?.(column, 0, rowCount, codes);
    const bits = form.hasNulls ? new Uint8Array((rowCount + 7) >> 3) : null;
    const validity = bits !== null && reader.readValidity?.(column, 0, rowCount, bits) === true ? bits : null;
    return { codes: new Uint8Array(codes.buffer), width: form.codeBytes, entries, validity };
  }
}

/** Row ids [from, to), or those listed. */
type Candidates = { readonly from: number; readonly to: number } | { readonly rows: readonly number[] };

class RestCursor implements RowCursor {
  rowId: RowId = 0 as RowId;
  private readonly rows: RowStore;
  private readonly options: ScanOptions;
  private readonly transaction: TransactionImplementation;
  private readonly predicates: readonly CompiledPredicate[];
  private readonly candidates: readonly Candidates[];
  private at = 0;
  private offset = 0;
  private examined = 0;

  constructor(rows: RowStore, options: ScanOptions, candidates: readonly Candidates[]) {
    this.rows = rows;
    this.options = options;
    this.transaction = implementationOf(options.snapshot.transaction);
    this.predicates = compilePredicates(rows, options.predicates);
    this.candidates = candidates;
  }

  next(frame: Datum[]): boolean {
    const { rows, options, transaction } = this;
    const { snapshot } = options;
    for (; this.at < this.candidates.length; this.at++, this.offset = 0) {
      const candidates = this.candidates[this.at];
      const end = 'rows' in candidates ? candidates.rows.length : candidates.to - candidates.from;
      while (this.offset < end) {
        if (++this.examined % TICK_ROWS === 0) options.tick?.();
        const rowId = (
          'rows' in candidates ? candidates.rows[this.offset] : candidates.from + this.offset
        ) as RowId;
        const found = rows.resolve(rowId, snapshot.sequence | 0, transaction, snapshot.commandId);
        if (found !== FOUND_NONE && this.predicates.every(({ column, test }) => test(rows.load(column)))) {
          readColumns(rows, rowId, options.columns, options.slots, frame);
          this.rowId = rowId;
          // The position moves last: a wait for a block starts the row anew.
          this.offset++;
          return true;
        }
        this.offset++;
      }
    }
    return false;
  }

  close(): void {
    this.at = this.candidates.length;
  }
}

/** See the module comment. Predicates only skip regions (`canSkip`) and filter the rest. */
export function parallelScan(rows: RowStore, options: ScanOptions): ParallelScan {
  const transaction = implementationOf(options.snapshot.transaction);
  const { snapshot } = options;
  const pushed = compilePredicates(rows, options.predicates).flatMap((predicate) =>
    predicate.pushed === null ? [] : [predicate.pushed],
  );
  const regions: RegionView[] = [];
  const candidates: Candidates[] = [];
  for (const region of rows.regions) {
    if (region === undefined) continue;
    const first = region.segment * REGION_ROWS;
    if (region.kind === 'slots') {
      if (region.rows > 0) candidates.push({ from: first, to: first + region.used });
      continue;
    }
    if (region.isDropped || region.rowCount === 0) continue;
    const isVisible = rows.isBaseVisible(region, snapshot.sequence | 0, transaction, snapshot.commandId);
    let mask: Uint8Array | null = null;
    if (region.heads !== null && region.headCount > 0) {
      const { heads } = region;
      mask = new Uint8Array((region.rowCount + 7) >> 3);
      const changed: number[] = [];
      for (let offset = 0; offset < region.rowCount; offset++) {
        if (~heads[offset] === LINK_BASE) mask[offset >> 3] |= 1 << (offset & 7);
        else changed.push(first + offset);
      }
      if (changed.length > 0) candidates.push({ rows: changed });
    }
    if (isVisible) regions.push(new BaseView(region, mask, pushed));
  }
  return { regions, rest: new RestCursor(rows, options, candidates) };
}
