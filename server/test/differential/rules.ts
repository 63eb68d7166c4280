/** Which differences are explained, by written rules. Everything else counts. */

export interface Answer {
  /** SQLSTATE, or 00000. */
  readonly state: string;
  readonly message: string;
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

const FLOAT_TYPES = new Set([700, 701]);
/** Types with values that are equal and written differently: interval, numeric, jsonb, char and floats. */
const EQUAL_TYPES = new Set([1186, 1700, 3802, 1042, 700, 701]);
/** Relative distance two roundings of the same sum may have. */
const FLOAT_TOLERANCE = 1e-12;
const FLOAT_TOLERANCE_SINGLE = 1e-5;

/**
 * Null when both answers are the same; otherwise what differs. `isExplained` differences are these:
 *
 * - `which error`: both fail for a value (class 22 or 21), but for another one: the order in which expressions and rows are
 *   computed is not promised.
 * - `error order`: one fails for a value where the other has rows, and the statement has rows, conditions or nulls: whether an
 *   expression is computed for a row that a condition drops, or beside a null argument, is not promised.
 * - `equal values`: which of equal values (1.0 and 1.00, 24 hours and 1 day) stands for them in DISTINCT or groups, and their order.
 * - `float rounding`: numbers of type real or double precision that differ in their last digits.
 */
export function compare(
  ours: Answer,
  theirs: Answer,
  options: { isOrdered: boolean; readsTables: boolean },
): { cause: string; isExplained: boolean } | null {
  if (ours.state !== theirs.state) {
    const isValue = (state: string): boolean => /^2[12]/.test(state);
    // Some of PostgreSQL's functions say 0A000 of a value; of ours it would be a gap.
    const isTheirs = (state: string): boolean => isValue(state) || state === '0A000';
    if (isValue(ours.state) && isTheirs(theirs.state)) return { cause: 'which error', isExplained: true };
    const isOneSided =
      (ours.state === '00000' && isTheirs(theirs.state)) || (theirs.state === '00000' && isValue(ours.state));
    if (isOneSided && options.readsTables) return { cause: 'error order', isExplained: true };
    return {
      cause: `error ${ours.state} ${ours.message} for ${theirs.state} ${theirs.message}`,
      isExplained: false,
    };
  }
  if (ours.state !== '00000') {
    if (ours.message === theirs.message) return null;
    if (/^2[12]/.test(ours.state) && options.readsTables) return { cause: 'which error', isExplained: true };
    return { cause: `message ${ours.message} for ${theirs.message}`, isExplained: false };
  }
  for (const [at, column] of theirs.columns.entries()) {
    const mine = ours.columns[at];
    if (mine?.name !== column.name)
      return { cause: `column name ${mine?.name} for ${column.name}`, isExplained: false };
    if (mine.type !== column.type)
      return { cause: `column type ${mine.type} for ${column.type}`, isExplained: false };
  }
  if (ours.columns.length !== theirs.columns.length) return { cause: 'column count', isExplained: false };
  if (ours.rows.length !== theirs.rows.length) return { cause: 'row count', isExplained: false };
  const [mine, other] = options.isOrdered
    ? [ours.rows, theirs.rows]
    : [sorted(ours.rows), sorted(theirs.rows)];
  const causes = new Set<string>();
  for (const [at, row] of other.entries()) {
    for (const [index, value] of row.entries()) {
      const found = mine[at]![index]!;
      if (found === value) continue;
      const type = theirs.columns[index]!.type;
      if (isEqualValue(found, value)) causes.add('equal values');
      else if (FLOAT_TYPES.has(type) && isClose(found, value, type)) causes.add('float rounding');
      else causes.add(`value of type ${type}`);
    }
  }
  if (causes.size === 0) return null;
  const wrong = [...causes].find((cause) => cause.startsWith('value'));
  if (wrong === undefined) return { cause: [...causes].sort().join(', '), isExplained: true };
  const areTies =
    options.isOrdered &&
    theirs.columns.some(({ type }) => EQUAL_TYPES.has(type)) &&
    JSON.stringify(sorted(ours.rows)) === JSON.stringify(sorted(theirs.rows));
  return areTies ? { cause: 'equal values', isExplained: true } : { cause: wrong, isExplained: false };
}

/** Whether they differ in the zeros after the decimal point, or in zero's sign, only. */
function isEqualValue(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return false;
  const plain = (value: string): string =>
    value.replace(/(?<![\w.])(-?\d+)(?:\.(\d*?)0*)?(?![\w.])/g, (_, whole: string, part?: string) => {
      const text = part === undefined || part === '' ? whole : `${whole}.${part}`;
      return text === '-0' ? '0' : text;
    });
  return one.length < 1000 && plain(one) === plain(other);
}

function isClose(first: string | null, second: string | null, type: number): boolean {
  const [one, two] = [Number(first ?? 'x'), Number(second ?? 'x')];
  const tolerance = type === 700 ? FLOAT_TOLERANCE_SINGLE : FLOAT_TOLERANCE;
  return Math.abs(one - two) <= tolerance * Math.max(Math.abs(one), Math.abs(two));
}

function sorted(rows: Answer['rows']): Answer['rows'] {
  const keyed = rows.map((row) => ({ row, key: JSON.stringify(row) }));
  keyed.sort((one, two) => (one.key < two.key ? -1 : one.key > two.key ? 1 : 0));
  return keyed.map(({ row }) => row);
}
