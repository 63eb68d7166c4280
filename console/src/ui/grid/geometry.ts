/**
 * Where rows are in a grid that may be taller than a browser allows an element to be (about 16.7 million pixels). Up to the cap
 * the scroll bar is true; above it the thumb stands for a share of the rows, and small movements are followed pixel by pixel.
 */
export const ROW_PIXELS = 24;
/** Height of the scrolled element at most. */
export const HEIGHT_MAX = 8_000_000;

export interface Geometry {
  readonly rowCount: number;
  /** Height the rows would have. */
  readonly totalHeight: number;
  /** Height of the scrolled element. */
  readonly scrollHeight: number;
}

export function geometryOf(rowCount: number): Geometry {
  const totalHeight = rowCount * ROW_PIXELS;
  return { rowCount, totalHeight, scrollHeight: Math.min(totalHeight, HEIGHT_MAX) };
}

/** Offset into the rows for a position of the scroll bar. */
export function offsetOfScroll(geometry: Geometry, scrollTop: number, viewHeight: number): number {
  const { totalHeight, scrollHeight } = geometry;
  if (totalHeight <= HEIGHT_MAX) return scrollTop;
  const range = Math.max(1, scrollHeight - viewHeight);
  return (Math.min(scrollTop, range) / range) * Math.max(0, totalHeight - viewHeight);
}

/** Position of the scroll bar for an offset into the rows. */
export function scrollOfOffset(geometry: Geometry, offset: number, viewHeight: number): number {
  const { totalHeight, scrollHeight } = geometry;
  if (totalHeight <= HEIGHT_MAX) return offset;
  const range = Math.max(1, totalHeight - viewHeight);
  return (Math.min(offset, range) / range) * Math.max(0, scrollHeight - viewHeight);
}

/** Rows in view, with some above and below. */
export function rowsInView(
  geometry: Geometry,
  offset: number,
  viewHeight: number,
  extra: number,
): { first: number; end: number } {
  const first = Math.max(0, Math.floor(offset / ROW_PIXELS) - extra);
  const end = Math.min(geometry.rowCount, Math.ceil((offset + viewHeight) / ROW_PIXELS) + extra);
  return { first, end: Math.max(first, end) };
}

/** Columns in view: the first and the one behind the last, by their left edges (one more edge than columns). */
export function columnsInView(
  edges: readonly number[],
  left: number,
  width: number,
): { first: number; end: number } {
  const count = edges.length - 1;
  let first = 0;
  while (first < count - 1 && edges[first + 1] <= left) first++;
  let end = first;
  while (end < count && edges[end] < left + width) end++;
  return { first, end };
}
