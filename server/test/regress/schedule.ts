/** Order and prerequisites of PostgreSQL's regression files. */

/** What a file needs beside test_setup, as the comments of the schedule say. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  multirangetypes: ['rangetypes'],
  geometry: ['point', 'lseg', 'line', 'box', 'path', 'polygon', 'circle'],
  horology: ['date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval'],
  aggregates: ['create_aggregate'],
  join: ['create_misc'],
  psql: ['create_am'],
  amutils: ['geometry', 'create_index_spgist', 'hash_index', 'brin'],
  select_parallel: ['create_misc'],
  select_views: ['create_view'],
  with: ['create_misc'],
  create_index: ['create_misc'],
  inherit: ['create_misc'],
  triggers: ['create_function_c'],
  alter_table: ['create_misc', 'create_view'],
  brin_multi: ['brin'],
  tsearch: [],
  rules: ['create_view'],
};

/** Files of the schedule in its order (one connection: a group's files run one after the other). */
export function readSchedule(schedule: string): string[] {
  const files: string[] = [];
  for (const line of schedule.split('\n')) {
    const names = /^test:\s*(.*)$/.exec(line)?.[1];
    if (names !== undefined) files.push(...names.trim().split(/\s+/));
  }
  return files;
}

/** The files asked for with all they need, in schedule order. */
export function withPrerequisites(
  asked: readonly string[],
  schedule: readonly string[],
  useIndexes: boolean,
): string[] {
  const wanted = new Set<string>(['test_setup']);
  const visit = (name: string): void => {
    if (wanted.has(name)) return;
    for (const need of NEEDS[name] ?? []) visit(need);
    wanted.add(name);
  };
  const start = schedule.indexOf('create_index');
  for (const name of asked) {
    visit(name);
    if (useIndexes && schedule.indexOf(name) > start) visit('create_index');
  }
  const outside = [...wanted].filter((name) => !schedule.includes(name));
  return [...schedule.filter((name) => wanted.has(name)), ...outside];
}
