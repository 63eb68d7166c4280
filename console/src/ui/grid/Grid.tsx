/**
 * The grid of values: rows and columns are drawn only where they are looked at, so that ten rows cost as much as ten million.
 * Keyboard: arrows move, with Shift select; Page, Home, End; Ctrl+A all; Ctrl+C copies; Enter opens a value.
 */
import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Cell } from '../../api/client.ts';
import { t } from '../../lib/messages.ts';
import { type BodyView, GridBody } from './body.ts';
import {
  columnsInView,
  geometryOf,
  offsetOfScroll,
  ROW_PIXELS,
  rowsInView,
  scrollOfOffset,
} from './geometry.ts';

export interface GridColumn {
  readonly name: string;
  readonly typeName: string;
  readonly isNumber: boolean;
  readonly sort?: 'ascending' | 'descending' | null;
  readonly isFiltered?: boolean;
}

export interface CellPlace {
  readonly row: number;
  readonly column: number;
}

export interface Selection {
  readonly anchor: CellPlace;
  readonly focus: CellPlace;
}

export interface GridHandle {
  readonly focus: () => void;
  readonly scrollToRow: (row: number) => void;
}

interface Props {
  label: string;
  rowCount: number;
  columns: readonly GridColumn[];
  /** undefined: not loaded yet. Must change identity when the data does. */
  cellAt: (row: number, column: number) => Cell | undefined;
  /** Class of a cell, for staged edits. */
  classOf?: (row: number, column: number) => string;
  /** Rows came into view (first, end). */
  onView?: (first: number, end: number) => void;
  onHeader?: (column: number, options: { isAdded: boolean }) => void;
  onHeaderMenu?: (column: number) => void;
  onSelect?: (selection: Selection) => void;
  onCopy?: (selection: Selection) => void;
  onOpen?: (place: CellPlace) => void;
  /** Makes cells editable: the text typed, null for NULL. */
  onEdit?: (place: CellPlace, value: string | null) => void;
  onDeleteRow?: (row: number) => void;
  handle?: React.Ref<GridHandle>;
  corner?: ReactNode;
}

const HEADER_PIXELS = 28;
const NUMBER_PIXELS = 56;
const EXTRA_ROWS = 6;
const WIDTH_MIN = 48;

/** Width of a column from its name and the first values. */
function naturalWidth(column: GridColumn, cellAt: Props['cellAt'], at: number, rowCount: number): number {
  let letters = column.name.length + Math.min(12, column.typeName.length) * 0.85 + 3;
  for (let row = 0; row < Math.min(rowCount, 40); row++)
    letters = Math.max(letters, Math.min(48, (cellAt(row, at) ?? 'NULL').length + 1));
  return Math.round(Math.min(360, Math.max(64, letters * 7.6 + 14)));
}

export function Grid(props: Props) {
  const { rowCount, columns, cellAt, onView, onSelect, onEdit, handle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const body = useRef<GridBody | null>(null);
  const [size, setSize] = useState({ width: 800, height: 400 });
  // Where one looks is no state: scrolling draws rows, not the component. Only the columns in view are.
  const looking = useRef({ offset: 0, left: 0 });
  const [inView, setInView] = useState({ first: 0, end: 0 });
  const [selection, setSelection] = useState<Selection | null>(null);
  const [editing, setEditing] = useState<{ place: CellPlace; text: string } | null>(null);
  const [resized, setResized] = useState<Readonly<Record<number, number>>>({});
  const lastScroll = useRef({ top: 0, offset: 0 });
  const lastRows = useRef({ first: -1, end: -1 });
  const geometry = useMemo(() => geometryOf(rowCount), [rowCount]);
  const columnKey = columns.map((column) => column.name).join('\u0000');
  const isLoaded = cellAt(0, 0) !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: widths are measured once for a result, not for each page that arrives
  const natural = useMemo(
    () => columns.map((column, at) => naturalWidth(column, cellAt, at, rowCount)),
    [columnKey, isLoaded],
  );
  const edges = useMemo(() => {
    const list = [NUMBER_PIXELS];
    for (let at = 0; at < columns.length; at++) list.push(list[at] + (resized[at] ?? natural[at] ?? 100));
    return list;
  }, [columns.length, natural, resized]);
  const width = edges[edges.length - 1];

  const range = useMemo(() => (selection === null ? null : rangeOf(selection)), [selection]);
  const isNumber = useMemo(() => columns.map((column) => column.isNumber), [columns]);
  const { classOf } = props;

  /** Puts what is in view on the screen. */
  const draw = useCallback((): void => {
    if (layer.current === null) return;
    body.current ??= new GridBody(layer.current, layer.current.firstElementChild as HTMLElement);
    const { offset, left } = looking.current;
    const rows = rowsInView(geometry, offset, size.height, EXTRA_ROWS);
    const across = columnsInView(edges, left, size.width + 200);
    const view: BodyView = {
      ...rows,
      capacity: Math.ceil(size.height / ROW_PIXELS) + 2 * EXTRA_ROWS + 2,
      firstColumn: across.first,
      endColumn: across.end,
      edges,
      isNumber,
      numberWidth: NUMBER_PIXELS,
      width: Math.max(width, size.width),
      cellAt,
      classOf,
      selected: range,
      focus: selection?.focus ?? null,
    };
    body.current.move(offset, left);
    body.current.draw(view);
    setInView((old) => (old.first === across.first && old.end === across.end ? old : across));
    if (rows.first !== lastRows.current.first || rows.end !== lastRows.current.end) {
      lastRows.current = rows;
      onView?.(rows.first, rows.end);
    }
  }, [geometry, size, edges, isNumber, width, cellAt, classOf, range, selection, onView]);
  useLayoutEffect(draw, [draw]);
  // Another reader of the view is told although the view is the same.
  useLayoutEffect(() => {
    onView?.(lastRows.current.first, lastRows.current.end);
  }, [onView]);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = (): void => {
      const next = {
        width: element.clientWidth,
        height: Math.max(ROW_PIXELS, element.clientHeight - HEADER_PIXELS),
      };
      setSize((old) => (old.width === next.width && old.height === next.height ? old : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Fewer rows than before: the browser has moved the scroll bar, and the rows go with it.
  useLayoutEffect(() => {
    const most = Math.max(0, geometry.totalHeight - size.height);
    if (looking.current.offset <= most) return;
    looking.current = { ...looking.current, offset: most };
    lastScroll.current = { top: scrollOfOffset(geometry, most, size.height), offset: most };
    draw();
  }, [geometry, size, draw]);

  const onScroll = useCallback((): void => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop, scrollLeft } = element;
    const { height } = size;
    const previous = lastScroll.current;
    let offset = offsetOfScroll(geometry, scrollTop, height);
    if (geometry.totalHeight > geometry.scrollHeight && Math.abs(scrollTop - previous.top) < height * 2) {
      // A wheel's step moves as far as it would in a small grid; the thumb may drift by less than a pixel.
      const atEnd = scrollTop <= 0 || scrollTop >= geometry.scrollHeight - height - 1;
      if (!atEnd)
        offset = Math.min(
          Math.max(0, geometry.totalHeight - height),
          Math.max(0, previous.offset + scrollTop - previous.top),
        );
    }
    lastScroll.current = { top: scrollTop, offset };
    looking.current = { offset, left: scrollLeft };
    draw();
  }, [geometry, size, draw]);

  const showRow = useCallback(
    (row: number): void => {
      const element = scroller.current;
      if (element === null) return;
      const { height } = size;
      const { offset } = lastScroll.current;
      const top = row * ROW_PIXELS;
      const next =
        top < offset ? top : top + ROW_PIXELS > offset + height ? top + ROW_PIXELS - height : offset;
      if (next === offset) return;
      const scrollTop = scrollOfOffset(geometry, next, height);
      lastScroll.current = { top: scrollTop, offset: next };
      looking.current = { ...looking.current, offset: next };
      element.scrollTop = scrollTop;
      draw();
    },
    [geometry, size, draw],
  );

  useImperativeHandle(handle, () => ({ focus: () => scroller.current?.focus(), scrollToRow: showRow }), [
    showRow,
  ]);

  const select = useCallback(
    (next: Selection): void => {
      setSelection(next);
      onSelect?.(next);
    },
    [onSelect],
  );
  const move = (row: number, column: number, isExtended: boolean): void => {
    const focus = {
      row: Math.min(rowCount - 1, Math.max(0, row)),
      column: Math.min(columns.length - 1, Math.max(0, column)),
    };
    select({ anchor: isExtended && selection !== null ? selection.anchor : focus, focus });
    showRow(focus.row);
    const element = scroller.current;
    if (element !== null) {
      if (edges[focus.column] - NUMBER_PIXELS < element.scrollLeft)
        element.scrollLeft = edges[focus.column] - NUMBER_PIXELS;
      else if (edges[focus.column + 1] > element.scrollLeft + element.clientWidth)
        element.scrollLeft = edges[focus.column + 1] - element.clientWidth;
    }
  };
  const beginEdit = (place: CellPlace, text?: string): void => {
    if (onEdit === undefined) return;
    setEditing({ place, text: text ?? cellAt(place.row, place.column) ?? '' });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (editing !== null || rowCount === 0) return;
    const focus = selection?.focus ?? { row: 0, column: 0 };
    const page = Math.max(1, Math.floor(size.height / ROW_PIXELS) - 1);
    const isCommand = event.ctrlKey || event.metaKey;
    const target: Record<string, [number, number]> = {
      ArrowUp: [focus.row - 1, focus.column],
      ArrowDown: [focus.row + 1, focus.column],
      ArrowLeft: [focus.row, focus.column - 1],
      ArrowRight: [focus.row, focus.column + 1],
      PageUp: [focus.row - page, focus.column],
      PageDown: [focus.row + page, focus.column],
      Home: isCommand ? [0, 0] : [focus.row, 0],
      End: isCommand ? [rowCount - 1, columns.length - 1] : [focus.row, columns.length - 1],
    };
    const goal = target[event.key];
    if (goal !== undefined && !event.altKey) move(goal[0], goal[1], event.shiftKey);
    else if (isCommand && event.key.toLowerCase() === 'a')
      select({ anchor: { row: 0, column: 0 }, focus: { row: rowCount - 1, column: columns.length - 1 } });
    else if (isCommand && event.key.toLowerCase() === 'c' && selection !== null) props.onCopy?.(selection);
    else if (event.key === 'F2') beginEdit(focus);
    else if (event.key === 'Enter') {
      if (onEdit === undefined) props.onOpen?.(focus);
      else beginEdit(focus);
    } else if (event.key === 'Delete' && isCommand) props.onDeleteRow?.(focus.row);
    else if (event.key.length === 1 && !isCommand && !event.altKey && onEdit !== undefined)
      beginEdit(focus, event.key);
    else return;
    event.preventDefault();
  };
  const placeAt = (event: { clientX: number; clientY: number }): CellPlace | null => {
    const element = scroller.current;
    if (element === null) return null;
    const box = element.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - HEADER_PIXELS + looking.current.offset) / ROW_PIXELS);
    const x = event.clientX - box.left + element.scrollLeft;
    const column = edges.findIndex((edge, at) => at < columns.length && x >= edge && x < edges[at + 1]);
    if (row < 0 || row >= rowCount || event.clientY < box.top + HEADER_PIXELS) return null;
    return { row, column };
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button !== 0 || (event.target as HTMLElement).closest('[data-header], input') !== null) return;
    const place = placeAt(event);
    if (place === null) return;
    if (place.column < 0) {
      select({
        anchor: { row: place.row, column: columns.length - 1 },
        focus: { row: place.row, column: 0 },
      });
      return;
    }
    select({ anchor: event.shiftKey && selection !== null ? selection.anchor : place, focus: place });
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.buttons !== 1 || selection === null || event.pointerType !== 'mouse' || editing !== null)
      return;
    const place = placeAt(event);
    if (
      place !== null &&
      place.column >= 0 &&
      (place.row !== selection.focus.row || place.column !== selection.focus.column)
    )
      select({ anchor: selection.anchor, focus: place });
  };
  const finishEdit = (value: string | null | undefined): void => {
    if (editing !== null && value !== undefined) onEdit?.(editing.place, value);
    setEditing(null);
    scroller.current?.focus();
  };

  const startResize = (event: PointerEvent<HTMLElement>, at: number): void => {
    event.preventDefault();
    event.stopPropagation();
    const target = event.currentTarget;
    const startX = event.clientX;
    const startWidth = edges[at + 1] - edges[at];
    target.setPointerCapture(event.pointerId);
    target.onpointermove = (moved) =>
      setResized((old) => ({ ...old, [at]: Math.max(WIDTH_MIN, startWidth + moved.clientX - startX) }));
    target.onpointerup = () => {
      target.onpointermove = null;
    };
  };
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={
        selection === null ? undefined : `cell-${selection.focus.row}-${selection.focus.column}`
      }
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onDoubleClick={(event) => {
        const place = placeAt(event);
        if (place === null || place.column < 0) return;
        if (onEdit === undefined) props.onOpen?.(place);
        else beginEdit(place);
      }}
      className="relative h-full overflow-auto outline-offset-[-2px]"
      style={{ contain: 'strict' }}
    >
      <div
        role="row"
        aria-rowindex={1}
        data-header=""
        className="sticky top-0 z-10 border-b border-(--line) bg-(--raised)"
        style={{ height: HEADER_PIXELS, width: Math.max(width, size.width) }}
      >
        <span className="absolute left-0 px-1 py-1" style={{ width: NUMBER_PIXELS }}>
          {props.corner}
        </span>
        {columns.slice(inView.first, inView.end).map((column, index) => {
          const at = inView.first + index;
          return (
            <div
              key={`${at} ${column.name}`}
              role="columnheader"
              aria-colindex={at + 1}
              aria-sort={column.sort ?? undefined}
              className="absolute top-0 flex h-full items-center border-r border-(--line)"
              style={{ left: edges[at], width: edges[at + 1] - edges[at] }}
            >
              <button
                type="button"
                tabIndex={-1}
                onClick={(event) => props.onHeader?.(at, { isAdded: event.shiftKey })}
                onContextMenu={(event) => {
                  event.preventDefault();
                  props.onHeaderMenu?.(at);
                }}
                title={`${column.name} ${column.typeName}`}
                className="h-full min-w-0 flex-1 truncate px-1.5 text-left font-semibold"
              >
                {column.name} <span className="font-normal text-(--muted)">{column.typeName}</span>
                {column.sort === 'ascending' ? ' ↑' : column.sort === 'descending' ? ' ↓' : ''}
                {column.isFiltered === true ? ' ⧩' : ''}
              </button>
              <span
                aria-hidden="true"
                onPointerDown={(event) => startResize(event, at)}
                className="absolute top-0 right-[-3px] z-1 h-full w-1.5 cursor-col-resize"
              />
            </div>
          );
        })}
      </div>
      <div style={{ height: geometry.scrollHeight, width: Math.max(width, 1), position: 'relative' }}>
        <div className="sticky left-0 overflow-visible" style={{ top: HEADER_PIXELS, height: 0, width: 0 }}>
          <div
            ref={layer}
            className="grid-layer mono absolute top-0 left-0"
            style={{ width: Math.max(width, size.width) }}
          >
            <div role="presentation" />
            {editing !== null && (
              <CellEditor
                key={`${editing.place.row} ${editing.place.column}`}
                label={columns[editing.place.column].name}
                initial={editing.text}
                style={{
                  left: edges[editing.place.column],
                  width: Math.max(140, edges[editing.place.column + 1] - edges[editing.place.column]),
                  top: (editing.place.row - (body.current?.anchor ?? 0)) * ROW_PIXELS,
                }}
                onFinish={finishEdit}
              />
            )}
          </div>
        </div>
      </div>
    </div>
  );
}

export function rangeOf(selection: Selection): { top: number; bottom: number; left: number; right: number } {
  const { anchor, focus } = selection;
  return {
    top: Math.min(anchor.row, focus.row),
    bottom: Math.max(anchor.row, focus.row),
    left: Math.min(anchor.column, focus.column),
    right: Math.max(anchor.column, focus.column),
  };
}

function CellEditor({
  label,
  initial,
  style,
  onFinish,
}: {
  label: string;
  initial: string;
  style: React.CSSProperties;
  onFinish: (value: string | null | undefined) => void;
}) {
  const [text, setText] = useState(initial);
  const isDone = useRef(false);
  const finish = (value: string | null | undefined): void => {
    if (isDone.current) return;
    isDone.current = true;
    onFinish(value);
  };
  return (
    <span className="absolute z-20 flex" style={{ ...style, height: ROW_PIXELS + 2 }}>
      <input
        // biome-ignore lint/a11y/noAutofocus: the cell was asked to be edited
        autoFocus
        aria-label={t('Value of {name}', { name: label })}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => finish(text === initial ? undefined : text)}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter' || event.key === 'Tab') {
            event.preventDefault();
            finish(text);
          } else if (event.key === 'Escape') finish(undefined);
          else if (event.key === '0' && event.ctrlKey) finish(null);
        }}
        className="mono min-w-0 flex-1 border border-(--accent) bg-(--surface) px-1"
      />
      <button
        type="button"
        tabIndex={-1}
        title={t('NULL (Ctrl 0)')}
        onPointerDown={(event) => {
          event.preventDefault();
          finish(null);
        }}
        className="border border-(--accent) bg-(--raised) px-1 text-[10px]"
      >
        NULL
      </button>
    </span>
  );
}
