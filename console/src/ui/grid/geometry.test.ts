import { describe, expect, it } from 'vitest';
import {
  columnsInView,
  geometryOf,
  HEIGHT_MAX,
  offsetOfScroll,
  ROW_PIXELS,
  rowsInView,
  scrollOfOffset,
} from './geometry.ts';

describe('geometry of the grid', () => {
  it('is the plain one for what fits', () => {
    const geometry = geometryOf(1000);
    expect(geometry.scrollHeight).toBe(1000 * ROW_PIXELS);
    expect(offsetOfScroll(geometry, 480, 500)).toBe(480);
    expect(rowsInView(geometry, 480, 240, 0)).toEqual({ first: 20, end: 30 });
  });

  it('reaches the last of ten million rows, and finds its way back', () => {
    const geometry = geometryOf(10_000_000);
    const view = 600;
    expect(geometry.scrollHeight).toBe(HEIGHT_MAX);
    const end = offsetOfScroll(geometry, HEIGHT_MAX - view, view);
    expect(rowsInView(geometry, end, view, 0).end).toBe(10_000_000);
    for (const offset of [0, 12_345_678, geometry.totalHeight - view]) {
      expect(offsetOfScroll(geometry, scrollOfOffset(geometry, offset, view), view)).toBeCloseTo(offset, 3);
    }
  });

  it('finds the columns in view', () => {
    const edges = [0, 100, 200, 300, 400];
    expect(columnsInView(edges, 0, 150)).toEqual({ first: 0, end: 2 });
    expect(columnsInView(edges, 150, 100)).toEqual({ first: 1, end: 3 });
    expect(columnsInView(edges, 390, 500)).toEqual({ first: 3, end: 4 });
  });
});
