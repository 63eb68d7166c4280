/** Rows of a transition table as one value: what the parameter behind its name holds. */
import { type Datum, OpaqueDatum } from '../../types/datum.ts';

const RECORD_ARRAY = 2287;

export class RowSet extends OpaqueDatum {
  readonly typeOid = RECORD_ARRAY;
  readonly rows: (readonly Datum[])[] = [];
}
