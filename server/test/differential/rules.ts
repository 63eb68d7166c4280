/**
 * Which differences are explained, by written rules. Everything else counts.
 *
 * By looking at the two answers (`compare`):
 * - `equal values`: which of equal values (1.0 and 1.00, 24 hours and 1 day) stands for them, and the order among them. Only in
 *   statements that group, sort or choose (`CHOOSES`).
 * - `float rounding`: columns of real or double precision whose last digits differ. Only in statements with an aggregate
 *   over floats, whose rows may be added in any order (`SUMS`).
 *
 * - `planned modifier`: PostgreSQL describes the columns of its plan, where a conditional over constants has become one of them, with
 *   that one's length; ours describes the statement, where it has none. Only in statements with conditionals.
 *
 * By asking again (`run.ts`), for what remains:
 * - `planning`: PostgreSQL refuses a value while it plans (EXPLAIN ends alike), because it computes every constant subexpression, also
 *   those that no row needs; ours has rows, or an error of class 21 or 22 that another expression raises first.
 * - `plan`: PostgreSQL itself gives our answer under another plan (`PLANS`): which error comes first, or whether an expression is
 *   computed for a row at all, follows from the plan.
 * - `row order`: both end in an error about a value, and PostgreSQL gives ours when its tables' rows come in another order, or when
 *   there is one row in each: which row fails first is not promised.
 * - `column order`: both end in an error of class 21 or 22 (a value that cannot be), and our row executor gives PostgreSQL's:
 *   compiled pipelines compute a column for many rows before the next column. A statement without tables has no such excuse, and
 *   neither has an error where PostgreSQL has rows.
 */
import { TABLE_NAMES } from './literals.ts';
import { type Answer, rowsOf } from './wire.ts';

export interface Verdict {
  readonly cause: string;
  readonly isExplained: boolean;
}

const FLOAT_TYPES = new Set([700, 701]);
/** Types with values that are equal and written differently: interval, numeric, jsonb, char, floats, timetz, and what holds them. */
const EQUAL_TYPES = new Set([1186, 1700, 3802, 1042, 700, 701, 1266, 1231, 3906, 4532]);
/** Relative distance two roundings of the same sum may have. */
const FLOAT_TOLERANCE = 1e-12;
const FLOAT_TOLERANCE_SINGLE = 1e-5;
const CHOOSES =
  /\b(?:distinct|group by|union|intersect|except|order by|min|max|mode|greatest|least|rollup|cube|percentile_disc)\b/i;
const SUMS = /\b(?:sum|avg|stddev\w*|variance|var_\w+|regr_\w+|corr|covar_\w+)\b/i;

/** Settings that make PostgreSQL choose another plan. */
export const PLANS: readonly string[] = [
  'set enable_hashjoin = off; set enable_mergejoin = off',
  'set enable_nestloop = off; set enable_mergejoin = off',
  'set enable_nestloop = off; set enable_hashjoin = off',
  'set enable_hashagg = off; set enable_memoize = off; set enable_material = off',
  'set enable_sort = off; set enable_incremental_sort = off',
  'set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off',
  'set enable_seqscan = off',
  'set join_collapse_limit = 1; set from_collapse_limit = 1',
];

/** True of an error that the value of an expression raised, not its text. */
function isOfValue({ state, message }: Answer): boolean {
  if (/^2[123]/.test(state)) return true;
  // Some functions say of a value that it is not supported, or is no syntax of its own.
  return (
    (state === '0A000' && !/^function \S+ is not supported$/.test(message)) ||
    (state === '42601' && /jsonpath|range bound flags|parameter list|tsquery/.test(message)) ||
    (state === '42704' && /encoding/.test(message))
  );
}

/** True when both answers end in errors about values, which is what an order of evaluation can exchange. */
export function areValueErrors(ours: Answer, theirs: Answer): boolean {
  return isOfValue(ours) && isOfValue(theirs);
}

/** Makes the tables' rows come in another order, or leaves one row in each; in a transaction that is rolled back. */
export const ROW_ORDERS: readonly (readonly string[])[] = [
  'order by id desc',
  'order by md5(id::text)',
  "order by md5(id || 'x')",
  ...Array.from({ length: 10 }, (_, at) => `where id = ${at + 1}`),
].map((clause) =>
  TABLE_NAMES.flatMap((table) => [
    `create temp table ${table} (like public.${table} including all)`,
    `insert into pg_temp.${table} select * from public.${table} ${clause}`,
  ]),
);

/** True when PostgreSQL may have found a constant that ours never computed, or computed later. */
export function mayBePlanning(ours: Answer, theirs: Answer): boolean {
  return (
    /^(?:2[12]|0A000|42601|42704|XX)/.test(theirs.state) &&
    (/^(?:00000|2[12])/.test(ours.state) || isOfValue(ours))
  );
}

/** Null when both answers are the same; otherwise what differs. */
export function compare(
  ours: Answer,
  theirs: Answer,
  options: { isOrdered: boolean; sql: string; typeNames?: ReadonlyMap<number, number> },
): Verdict | null {
  const counts = (cause: string): Verdict => ({ cause, isExplained: false });
  if (ours.state !== theirs.state)
    return counts(
      `error ${ours.state} ${masked(ours.message)} for ${theirs.state} ${masked(theirs.message)}`,
    );
  if (ours.state !== '00000') {
    if (ours.message !== theirs.message)
      return counts(`message ${masked(ours.message)} for ${masked(theirs.message)}`);
    if (ours.position !== theirs.position)
      return counts(`position ${theirs.state} ${masked(theirs.message)}`);
    if (ours.detail !== theirs.detail)
      return counts(`detail ${masked(ours.detail)} for ${masked(theirs.detail)}`);
    if (theirs.hint !== '' && !ours.hint.startsWith(theirs.hint))
      return counts(`hint ${masked(ours.hint)} for ${masked(theirs.hint)}`);
    return null;
  }
  if (ours.columns.length !== theirs.columns.length) return counts('column count');
  for (const [at, column] of theirs.columns.entries()) {
    const mine = ours.columns[at]!;
    if (mine.name !== column.name) return counts(`column name ${mine.name} for ${column.name}`);
    const type = options.typeNames?.get(mine.type) ?? mine.type;
    if (type !== column.type) return counts(`column type ${mine.type} for ${column.type}`);
    if (
      mine.modifier !== column.modifier &&
      mine.modifier === -1 &&
      /\b(?:coalesce|case|nullif|greatest|least)\b/i.test(options.sql)
    )
      return { cause: 'planned modifier', isExplained: true };
    if (mine.modifier !== column.modifier)
      return counts(`type modifier ${mine.modifier} for ${column.modifier} of type ${column.type}`);
  }
  if (ours.tag !== theirs.tag && ours.rowBytes.length === theirs.rowBytes.length)
    return counts(`command tag ${ours.tag} for ${theirs.tag}`);
  if (ours.rowBytes.length !== theirs.rowBytes.length) return counts('row count');
  if (ours.rowBytes.every((row, at) => row.equals(theirs.rowBytes[at]!))) return null;
  return compareRows(rowsOf(ours), rowsOf(theirs), theirs, options);
}

type Rows = readonly (readonly (string | null)[])[];

function compareRows(
  ours: Rows,
  theirs: Rows,
  answer: Answer,
  { isOrdered, sql }: { isOrdered: boolean; sql: string },
): Verdict | null {
  const [mine, other] = isOrdered ? [ours, theirs] : [sorted(ours), sorted(theirs)];
  const causes = new Set<string>();
  const chooses = CHOOSES.test(sql);
  for (const [at, row] of other.entries()) {
    for (const [index, value] of row.entries()) {
      const found = mine[at]![index]!;
      if (found === value) continue;
      const { type } = answer.columns[index]!;
      if (chooses && isEqualValue(found, value)) causes.add('equal values');
      else if (FLOAT_TYPES.has(type) && SUMS.test(sql) && isClose(found, value, type))
        causes.add('float rounding');
      else causes.add(`value of type ${type}`);
    }
  }
  if (causes.size === 0) return null;
  const wrong = [...causes].find((cause) => cause.startsWith('value'));
  if (wrong === undefined) return { cause: [...causes].sort().join(', '), isExplained: true };
  const areTies =
    isOrdered &&
    answer.columns.some(({ type }) => EQUAL_TYPES.has(type)) &&
    JSON.stringify(sorted(ours)) === JSON.stringify(sorted(theirs));
  return areTies ? { cause: 'equal values', isExplained: true } : { cause: wrong, isExplained: false };
}

/** A message without its names and numbers, so that one cause is counted once. */
export function masked(message: string): string {
  return message
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g, 'N')
    .slice(0, 160);
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

function sorted(rows: Rows): Rows {
  const keyed = rows.map((row) => ({ row, key: JSON.stringify(row) }));
  keyed.sort((one, two) => (one.key < two.key ? -1 : one.key > two.key ? 1 : 0));
  return keyed.map(({ row }) => row);
}
