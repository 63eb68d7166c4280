/** Operators and casts between types that do not know each other. */
import { TYPES, VALUES } from './parts.ts';

export function operators(): string[] {
  const names = Object.keys(VALUES);
  const result: string[] = [];
  for (const left of names)
    for (const right of names) {
      result.push(`select ${VALUES[left]} + ${VALUES[right]}`);
      result.push(`select ${VALUES[left]} = ${VALUES[right]}`);
    }
  for (const name of names) {
    result.push(
      `select - ${VALUES[name]}`,
      `select not ${VALUES[name]}`,
      `select ${VALUES[name]} || 1`,
      `select ${VALUES[name]} like 'x'`,
    );
    result.push(
      `select ${VALUES[name]} is true`,
      `select 1 where ${VALUES[name]}`,
      `select ${VALUES[name]} and true`,
      `select @#@ ${VALUES[name]}`,
    );
    result.push(
      `select case when ${VALUES[name]} then 1 end`,
      `select ${VALUES[name]} in (1, 2)`,
      `select ${VALUES[name]} between 1 and 2`,
    );
    result.push(
      `select (${VALUES[name]})[1]`,
      `select (${VALUES[name]}).z`,
      `select ${VALUES[name]} = any (1)`,
      `select ${VALUES[name]} = any ('{1}'::int[])`,
    );
    result.push(
      `select 1 union select ${VALUES[name]}`,
      `select coalesce(1, ${VALUES[name]})`,
      `select array[1, ${VALUES[name]}]`,
      `values (1), (${VALUES[name]})`,
    );
    result.push(
      `select case when true then 1 else ${VALUES[name]} end`,
      `select greatest(true, ${VALUES[name]})`,
      `select 1 limit ${VALUES[name]}`,
    );
    result.push(
      `select ${VALUES[name]} at time zone 'UTC'`,
      `select ${VALUES[name]} collate "C"`,
      `select 1 where (1, 2) = (1, ${VALUES[name]})`,
    );
    for (const column of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'p'])
      result.push(`update t set ${column} = ${VALUES[name]}`);
  }
  return result;
}

export function casts(): string[] {
  const result: string[] = [];
  for (const [name, value] of Object.entries(VALUES))
    for (const type of TYPES) if (name !== 'text') result.push(`select (${value})::${type}`);
  return result;
}
