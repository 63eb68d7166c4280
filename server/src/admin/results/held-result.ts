/**
 * Results held for the grid, charts and exports: one copy serves them all, the statement never runs again.
 *
 * A result takes rows as they arrive until a budget is used up; what follows is counted and dropped (isTruncated). Sorted and filtered
 * views are row numbers; the last few are kept.
 */
import type { Cell, ColumnProfile, ResultColumn } from '../contract.ts';
import { TextColumn } from './column-text.ts';
import { comparatorOf, compareValues } from './order.ts';

export interface ViewSort {
  readonly column: number;
  readonly descending: boolean;
}

export interface ViewFilter {
  readonly column: number;
  readonly operator: string;
  readonly value?: string;
}

const VIEWS_MAX = 3;
const PROFILE_TOP = 10;
const PROFILE_DISTINCT_MAX = 100_000;

export class HeldResult {
  readonly id: string;
  columns: ResultColumn[];
  /** Rows the server sent. */
  rowCount = 0;
  /** Rows kept. */
  keptRows = 0;
  isTruncated = false;
  tag = '';
  private readonly data: TextColumn[];
  private readonly views = new Map<string, Uint32Array>();

  constructor(id: string, columns: readonly ResultColumn[]) {
    this.id = id;
    this.columns = [...columns];
    this.data = columns.map(() => new TextColumn());
  }

  /** Bytes held, views included. */
  get byteLength(): number {
    let bytes = 0;
    for (const column of this.data) bytes += column.byteLength;
    for (const view of this.views.values()) bytes += view.byteLength;
    return bytes;
  }

  /** `isKept` false: the budget is used up. */
  append(fields: readonly Cell[], isKept: boolean): void {
    this.rowCount++;
    if (!isKept || this.isTruncated) {
      this.isTruncated = true;
      return;
    }
    for (let column = 0; column < this.data.length; column++) this.data[column].append(fields[column]);
    this.keptRows++;
  }

  row(row: number): Cell[] {
    return this.data.map((column) => column.get(row));
  }

  cell(row: number, column: number): Cell {
    return this.data[column].get(row);
  }

  /** Row numbers of a view; null = all rows in the order they came. */
  view(sort: readonly ViewSort[], filter: readonly ViewFilter[]): Uint32Array | null {
    const usable = sort.filter(({ column }) => column < this.data.length);
    const conditions = filter.filter(({ column }) => column < this.data.length);
    if (usable.length === 0 && conditions.length === 0) return null;
    const key = `${this.keptRows} ${JSON.stringify([usable, conditions])}`;
    const known = this.views.get(key);
    if (known !== undefined) {
      this.views.delete(key);
      this.views.set(key, known);
      return known;
    }
    const rows = this.filtered(conditions);
    if (usable.length > 0) {
      const comparators = usable.map(({ column, descending }) => {
        const compare = comparatorOf(this.data[column], this.columns[column].typeOid, this.keptRows);
        return descending ? (left: number, right: number) => compare(right, left) : compare;
      });
      rows.sort((left, right) => {
        for (const compare of comparators) {
          const order = compare(left, right);
          if (order !== 0) return order;
        }
        return left - right;
      });
    }
    this.views.set(key, rows);
    if (this.views.size > VIEWS_MAX) {
      const oldest = this.views.keys().next();
      if (!oldest.done) this.views.delete(oldest.value);
    }
    return rows;
  }

  private filtered(conditions: readonly ViewFilter[]): Uint32Array {
    const rows = new Uint32Array(this.keptRows);
    let count = 0;
    const tests = conditions.map((condition) => this.test(condition));
    for (let row = 0; row < this.keptRows; row++) {
      if (tests.every((test) => test(row))) rows[count++] = row;
    }
    return rows.slice(0, count);
  }

  private test({ column, operator, value = '' }: ViewFilter): (row: number) => boolean {
    const data = this.data[column];
    const { typeOid } = this.columns[column];
    const onText = (test: (text: string) => boolean) => (row: number) => {
      const text = data.get(row);
      return text !== null && test(text);
    };
    const lower = value.toLowerCase();
    switch (operator) {
      case 'is null':
        return (row) => data.isNull(row);
      case 'is not null':
        return (row) => !data.isNull(row);
      case 'contains':
        return onText((text) => text.toLowerCase().includes(lower));
      case 'starts with':
        return onText((text) => text.toLowerCase().startsWith(lower));
      case 'in': {
        const values = value.split('\n');
        return onText((text) => values.some((each) => compareValues(typeOid, text, each) === 0));
      }
      case '=':
        return onText((text) => compareValues(typeOid, text, value) === 0);
      case '<>':
        return onText((text) => compareValues(typeOid, text, value) !== 0);
      case '<':
        return onText((text) => compareValues(typeOid, text, value) < 0);
      case '<=':
        return onText((text) => compareValues(typeOid, text, value) <= 0);
      case '>':
        return onText((text) => compareValues(typeOid, text, value) > 0);
      default:
        return onText((text) => compareValues(typeOid, text, value) >= 0);
    }
  }

  profile(column: number): ColumnProfile {
    const data = this.data[column];
    const { typeOid } = this.columns[column];
    const counts = new Map<string, number>();
    let nulls = 0;
    let minimum: string | null = null;
    let maximum: string | null = null;
    for (let row = 0; row < this.keptRows; row++) {
      const text = data.get(row);
      if (text === null) {
        nulls++;
        continue;
      }
      if (minimum === null || compareValues(typeOid, text, minimum) < 0) minimum = text;
      if (maximum === null || compareValues(typeOid, text, maximum) > 0) maximum = text;
      const known = counts.get(text);
      if (known !== undefined) counts.set(text, known + 1);
      else if (counts.size < PROFILE_DISTINCT_MAX) counts.set(text, 1);
    }
    const top = [...counts]
      .sort((left, right) => right[1] - left[1])
      .slice(0, PROFILE_TOP)
      .map(([value, count]) => ({ value, count }));
    return { nulls, distinct: counts.size, minimum, maximum, top };
  }
}
