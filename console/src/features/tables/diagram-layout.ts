/**
 * Places of tables in the diagram: those that are referenced stand left of those that refer to them; within a column, near what
 * they are connected with. Tables without any connection fill rows below.
 */
export interface DiagramTable {
  readonly key: string;
  readonly height: number;
}

export interface DiagramEdge {
  readonly from: string;
  readonly to: string;
}

export interface DiagramPlace {
  readonly x: number;
  readonly y: number;
}

export const TABLE_WIDTH = 200;
const GAP_X = 110;
const GAP_Y = 26;

export interface DiagramLayout {
  readonly places: ReadonlyMap<string, DiagramPlace>;
  readonly width: number;
  readonly height: number;
}

export function layoutDiagram(tables: readonly DiagramTable[], edges: readonly DiagramEdge[]): DiagramLayout {
  const known = new Set(tables.map((table) => table.key));
  const real = edges.filter((edge) => edge.from !== edge.to && known.has(edge.from) && known.has(edge.to));
  const connected = new Set(real.flatMap((edge) => [edge.from, edge.to]));
  const targets = new Map<string, string[]>();
  const neighbours = new Map<string, string[]>();
  const push = (map: Map<string, string[]>, key: string, value: string): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [value]);
    else list.push(value);
  };
  for (const { from, to } of real) {
    push(targets, from, to);
    push(neighbours, from, to);
    push(neighbours, to, from);
  }
  // Longest path to a table that refers to none; a cycle is cut where it is met again.
  const levels = new Map<string, number>();
  const levelOf = (key: string, path: Set<string>): number => {
    const done = levels.get(key);
    if (done !== undefined) return done;
    if (path.has(key)) return 0;
    path.add(key);
    let level = 0;
    for (const target of targets.get(key) ?? [])
      if (!path.has(target)) level = Math.max(level, levelOf(target, path) + 1);
    path.delete(key);
    levels.set(key, level);
    return level;
  };
  const heights = new Map(tables.map((table) => [table.key, table.height]));
  const columns: string[][] = [];
  for (const table of tables) {
    if (!connected.has(table.key)) continue;
    const level = levelOf(table.key, new Set());
    while (columns.length <= level) columns.push([]);
    columns[level].push(table.key);
  }
  // Order by the middle of the neighbours, a few times to and fro.
  const rank = new Map<string, number>();
  for (const column of columns)
    column.forEach((key, at) => {
      rank.set(key, at);
    });
  for (let round = 0; round < 6; round++) {
    const order = round % 2 === 0 ? columns : [...columns].reverse();
    for (const column of order) {
      const middle = new Map(
        column.map((key) => {
          const list = neighbours.get(key) ?? [];
          return [key, list.reduce((sum, one) => sum + (rank.get(one) ?? 0), 0) / Math.max(1, list.length)];
        }),
      );
      column.sort((left, right) => (middle.get(left) ?? 0) - (middle.get(right) ?? 0));
      column.forEach((key, at) => {
        rank.set(key, at);
      });
    }
  }
  const places = new Map<string, DiagramPlace>();
  let width = 0;
  let height = 0;
  columns.forEach((column, level) => {
    let y = 0;
    for (const key of column) {
      places.set(key, { x: level * (TABLE_WIDTH + GAP_X), y });
      y += (heights.get(key) ?? 0) + GAP_Y;
    }
    width = Math.max(width, level * (TABLE_WIDTH + GAP_X) + TABLE_WIDTH);
    height = Math.max(height, y);
  });
  const alone = tables.filter((table) => !connected.has(table.key));
  const perRow = Math.max(4, Math.ceil(Math.sqrt(alone.length)));
  let x = 0;
  let rowTop = height;
  let rowHeight = 0;
  alone.forEach((table, at) => {
    if (at % perRow === 0 && at > 0) {
      x = 0;
      rowTop += rowHeight + GAP_Y;
      rowHeight = 0;
    }
    places.set(table.key, { x, y: rowTop });
    x += TABLE_WIDTH + 24;
    rowHeight = Math.max(rowHeight, table.height);
    width = Math.max(width, x);
  });
  return { places, width: Math.max(width, TABLE_WIDTH), height: Math.max(rowTop + rowHeight, height, 1) };
}
