/** What the catalog needs from the rooms around it; handed over in main/. */
import type { Oid } from '../base/brands.ts';
import type { SequenceState } from '../table/contract.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { CatalogReader, RelationDescriptor } from './contract.ts';

/** What a TypeSupport of a user-defined type (or an array of one) is made from. Look-ups are late: types may refer to each other. */
export type UserType =
  | {
      readonly kind: 'enum';
      readonly oid: Oid;
      readonly name: string;
      labels(): readonly { oid: Oid; label: string }[];
    }
  | {
      readonly kind: 'composite';
      readonly oid: Oid;
      readonly name: string;
      /** Live columns; `support` of each is looked up when first used. */
      fields(): readonly { name: string; typeOid: Oid; typmod: number; support: TypeSupport }[];
    }
  | {
      readonly kind: 'domain';
      readonly oid: Oid;
      readonly name: string;
      base(): TypeSupport;
      readonly typmod: number;
    }
  | {
      readonly kind: 'array';
      readonly oid: Oid;
      readonly name: string;
      element(): TypeSupport;
      readonly elementOid: Oid;
    };

export interface CatalogServices {
  /** Support of a builtin type, null when the types room has none. */
  builtinType(oid: Oid): TypeSupport | null;
  userType(type: UserType): TypeSupport;
  /** Analyses the SQL of a system view and serialises it (sql/tree-json). */
  compileView(sql: string, reader: CatalogReader): string;
  /** Analyses the texts of a builtin function's argument defaults and serialises the expressions. */
  compileDefaults(texts: readonly string[], types: readonly Oid[], reader: CatalogReader): string;
  /** Turns serialised expressions over a row into functions, for expression and partial indexes. */
  compileRowExpression(
    serialised: string,
    relation: RelationDescriptor,
    reader: CatalogReader,
  ): (row: readonly Datum[]) => Datum;
  /** Current values of a sequence, null when it has no storage. */
  sequenceState(oid: Oid): SequenceState | null;
}
