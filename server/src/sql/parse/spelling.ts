/** Closeness of names, for "Perhaps you meant" and "Did you mean". */

/**
 * Edit distance with transposition of neighbours as one edit (optimal string alignment). Gives up with limit + 1 once the
 * distance must exceed `limit`.
 */
export function editDistance(left: string, right: string, limit: number): number {
  const columns = right.length + 1;
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let beforePrevious = new Int32Array(columns);
  let previous = new Int32Array(columns);
  let current = new Int32Array(columns);
  for (let j = 0; j < columns; j++) previous[j] = j;
  for (let i = 1; i <= left.length; i++) {
    current[0] = i;
    let rowMin = i;
    for (let j = 1; j < columns; j++) {
      const cost = left.charCodeAt(i - 1) === right.charCodeAt(j - 1) ? 0 : 1;
      let value = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost);
      if (
        i > 1 &&
        j > 1 &&
        left.charCodeAt(i - 1) === right.charCodeAt(j - 2) &&
        left.charCodeAt(i - 2) === right.charCodeAt(j - 1)
      )
        value = Math.min(value, beforePrevious[j - 2] + 1);
      current[j] = value;
      if (value < rowMin) rowMin = value;
    }
    if (rowMin > limit) return limit + 1;
    const spare = beforePrevious;
    beforePrevious = previous;
    previous = current;
    current = spare;
  }
  return previous[columns - 1];
}

/** The names closest to `wanted`, best first: at most a third of its letters (and three) may differ. */
export function closestNames(wanted: string, names: Iterable<string>, count = 1): string[] {
  const limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  const lower = wanted.toLowerCase();
  const found: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (name === wanted) continue;
    const distance = editDistance(lower, name.toLowerCase(), limit);
    if (distance <= limit) found.push({ name, distance });
  }
  found.sort((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1));
  return [...new Set(found.map((item) => item.name))].slice(0, count);
}
