/**
 * The drawn rows of a grid, without React: elements are made once and given other rows as one scrolls, so that a step of the wheel costs
 * one transform and the texts of the rows that came into view.
 *
 * A row lies at (row − anchor) × ROW_PIXELS in the layer, the layer at anchor × ROW_PIXELS − offset: the rows of a million and those of
 * ten look the same to the browser, and no coordinate grows beyond what it draws exactly.
 */
import type { Cell } from '../../api/client.ts';
import { ROW_PIXELS } from './geometry.ts';

export interface BodyView {
  /** Rows drawn: first, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Rows that may be in view at once. */
  readonly capacity: number;
  readonly firstColumn: number;
  readonly endColumn: number;
  /** Left edges of the columns, and the right one of the last. */
  readonly edges: readonly number[];
  /** Columns whose values stand to the right. */
  readonly isNumber: readonly boolean[];
  readonly numberWidth: number;
  readonly width: number;
  /** undefined: not loaded yet. Another function means other values. */
  readonly cellAt: (row: number, column: number) => Cell | undefined;
  readonly classOf: ((row: number, column: number) => string) | undefined;
  readonly selected: {
    readonly top: number;
    readonly bottom: number;
    readonly left: number;
    readonly right: number;
  } | null;
  readonly focus: { readonly row: number; readonly column: number } | null;
}

/** Longer values are cut in the cell; Enter shows them whole. */
const SHOWN_CHARACTERS = 300;
/** Rows between an anchor and what is drawn at most. */
const ANCHOR_ROWS = 20_000;
/** Width of a letter at most, and of what surrounds a text. */
const LETTER_PIXELS = 8;
const PADDING_PIXELS = 14;
const SHORT = /^[ -~]*$/;
const CELL = 'grid-cell absolute top-0 h-full border-r border-(--line) px-1.5 leading-[23px] whitespace-pre';

interface DrawnCell {
  readonly element: HTMLElement;
  readonly text: Text;
  shown: string;
  className: string;
  isSelected: boolean;
  hasId: boolean;
}

interface DrawnRow {
  readonly element: HTMLElement;
  readonly number: Text;
  cells: DrawnCell[];
  row: number;
  anchor: number;
}

function textOf(value: Cell | undefined): string {
  if (value === undefined) return '…';
  if (value === null) return 'NULL';
  return value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value;
}

export class GridBody {
  private readonly layer: HTMLElement;
  private readonly list: HTMLElement;
  /** Row r is drawn by element r modulo their number. */
  private readonly slots: DrawnRow[] = [];
  private capacity = 0;
  private drawn: BodyView | null = null;
  private anchorRow = 0;

  /** `layer` is moved; the rows are children of `list`, which lies in it. */
  constructor(layer: HTMLElement, list: HTMLElement) {
    this.layer = layer;
    this.list = list;
  }

  /** The row the layer's zero stands for. */
  get anchor(): number {
    return this.anchorRow;
  }

  /** Moves the layer to an offset into the rows. */
  move(offset: number, left: number): void {
    const row = Math.floor(offset / ROW_PIXELS);
    if (Math.abs(row - this.anchorRow) > ANCHOR_ROWS) this.anchorRow = row;
    this.layer.style.transform = `translate(${-left}px,${this.anchorRow * ROW_PIXELS - offset}px)`;
  }

  /** Draws a view; what is drawn already stays as it is. */
  draw(view: BodyView): void {
    const before = this.drawn;
    const isSameShape =
      before !== null &&
      before.edges === view.edges &&
      before.isNumber === view.isNumber &&
      before.firstColumn === view.firstColumn &&
      before.endColumn === view.endColumn &&
      before.width === view.width;
    const isSameContent =
      isSameShape &&
      before.cellAt === view.cellAt &&
      before.classOf === view.classOf &&
      before.selected === view.selected &&
      before.focus === view.focus;
    this.drawn = view;
    if (this.capacity !== view.capacity) {
      this.capacity = view.capacity;
      for (const slot of this.slots.splice(0)) slot?.element.remove();
    }
    for (const slot of this.slots) {
      if (slot === undefined) continue;
      if (!isSameShape) this.shape(slot, view);
      // What has just left the view stays where it is until it is needed again, unless it shows what is true no more.
      if (!isSameContent && (slot.row < view.first || slot.row >= view.end)) {
        slot.row = -1;
        slot.element.hidden = true;
      }
    }
    for (let row = view.first; row < view.end; row++) {
      this.slots[row % this.capacity] ??= this.makeRow(view);
      const slot = this.slots[row % this.capacity];
      const isMoved = slot.row !== row;
      if (slot.element.hidden) slot.element.hidden = false;
      if (isMoved || slot.anchor !== this.anchorRow) {
        slot.element.style.top = `${(row - this.anchorRow) * ROW_PIXELS}px`;
        slot.anchor = this.anchorRow;
      }
      if (isMoved) {
        slot.row = row;
        slot.number.data = String(row + 1);
        slot.element.setAttribute('aria-rowindex', String(row + 2));
      }
      if (isMoved || !isSameContent) this.fill(slot, view);
    }
  }

  private makeRow(view: BodyView): DrawnRow {
    const element = document.createElement('div');
    element.setAttribute('role', 'row');
    element.className = 'grid-row absolute left-0 border-b border-(--line)';
    element.style.height = `${ROW_PIXELS}px`;
    const header = document.createElement('span');
    header.setAttribute('role', 'rowheader');
    header.className =
      'absolute top-0 left-0 h-full border-r border-(--line) bg-(--raised) px-1.5 text-right leading-[23px] text-(--muted)';
    const number = document.createTextNode('');
    header.append(number);
    element.append(header);
    this.list.append(element);
    const row: DrawnRow = { element, number, cells: [], row: -1, anchor: -1 };
    this.shape(row, view);
    return row;
  }

  /** Elements for the columns in view, at their places. */
  private shape(row: DrawnRow, view: BodyView): void {
    const count = view.endColumn - view.firstColumn;
    row.element.style.width = `${view.width}px`;
    (row.element.firstElementChild as HTMLElement).style.width = `${view.numberWidth}px`;
    while (row.cells.length > count) row.cells.pop()?.element.remove();
    while (row.cells.length < count) {
      const element = document.createElement('span');
      element.setAttribute('role', 'gridcell');
      const text = document.createTextNode('');
      element.append(text);
      row.element.append(element);
      row.cells.push({ element, text, shown: '', className: '', isSelected: false, hasId: false });
    }
    for (let index = 0; index < count; index++) {
      const at = view.firstColumn + index;
      const { element } = row.cells[index];
      element.setAttribute('aria-colindex', String(at + 1));
      element.style.left = `${view.edges[at]}px`;
      element.style.width = `${view.edges[at + 1] - view.edges[at]}px`;
    }
  }

  private fill(slot: DrawnRow, view: BodyView): void {
    const { row } = slot;
    const { selected, focus } = view;
    const isRowSelected = selected !== null && row >= selected.top && row <= selected.bottom;
    for (let index = 0; index < slot.cells.length; index++) {
      const at = view.firstColumn + index;
      const cell = slot.cells[index];
      const value = view.cellAt(row, at);
      const shown = textOf(value);
      if (cell.shown !== shown) {
        cell.shown = shown;
        cell.text.data = shown;
      }
      const isSelected = isRowSelected && at >= selected.left && at <= selected.right;
      const isFocused = focus !== null && focus.row === row && focus.column === at;
      // Each clipped cell costs the browser more than its text: only what may be too long is clipped.
      const fits =
        shown.length * LETTER_PIXELS + PADDING_PIXELS <= view.edges[at + 1] - view.edges[at] &&
        SHORT.test(shown);
      let className = view.isNumber[at] ? `${CELL} text-right` : CELL;
      if (!fits) className += ' truncate';
      if (value === undefined) className += ' text-(--muted)';
      else if (value === null) className += ' italic text-(--null)';
      if (isSelected) className += ' bg-(--selection)';
      if (isFocused) className += ' outline-2 outline-offset-[-2px] outline-(--accent)';
      const own = view.classOf?.(row, at) ?? '';
      if (own !== '') className += ` ${own}`;
      if (cell.className !== className) {
        cell.className = className;
        cell.element.className = className;
      }
      if (cell.isSelected !== isSelected) {
        cell.isSelected = isSelected;
        if (isSelected) cell.element.setAttribute('aria-selected', 'true');
        else cell.element.removeAttribute('aria-selected');
      }
      if (isFocused) cell.element.id = `cell-${row}-${at}`;
      else if (cell.hasId) cell.element.removeAttribute('id');
      cell.hasId = isFocused;
    }
  }
}
