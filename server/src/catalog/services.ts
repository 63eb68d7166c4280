/** What the catalog needs from the rooms around it; handed over in main/. */
import type { Oid } from '../base/brands.ts';
import type { AnalyzedTable, SequenceState } from '../table/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { CatalogReader, RelationDescriptor } from './contract.ts';

export interface CatalogServices {
  /** Analyses the SQL of a system view and serialises it (sql/tree-json). */
  compileView(sql: string, reader: CatalogReader): string;
  /** Analyses the texts of a builtin function's argument defaults, coerced to `types`, and serialises them (serialiseExprs). */
  compileDefaults(texts: readonly string[], types: readonly Oid[], reader: CatalogReader): string;
  /** Turns serialised expressions over a row into functions, for expression and partial indexes. */
  compileRowExpression(
    serialised: string,
    relation: RelationDescriptor,
    reader: CatalogReader,
  ): (row: readonly Datum[]) => Datum;
  /** What ANALYZE learned of this database's tables. */
  analyzed(): Iterable<AnalyzedTable>;
  /** Current values of a sequence, null when it has no storage. */
  sequenceState(oid: Oid): SequenceState | null;
}
