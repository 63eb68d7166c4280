/** Wrong statements, made systematically: a class of mistake times the places where it can be made. */
import { functionCalls } from './classes/calls.ts';
import { definitions } from './classes/definitions.ts';
import { undefinedNames } from './classes/names.ts';
import { casts, operators } from './classes/operators.ts';
import { grouping } from './classes/queries.ts';
import { brokenSyntax } from './classes/syntax.ts';
import { literals, values } from './classes/values.ts';

/** Objects the statements talk about. */
export const SETUP: readonly string[] = [
  "create type mood as enum ('sad', 'ok', 'happy')",
  'create domain posint as int check (value > 0)',
  'create type pair as (x int, y text)',
  'create table t (a int primary key, b text not null, c numeric(5,2), d date, e boolean, f int[], g jsonb, h mood, p posint, check (a < 1000))',
  'create table u (a int references t, x text unique, y timestamptz)',
  'create view v as select a, b from t where a > 1',
  'create sequence s maxvalue 2',
  "insert into t (a, b, c) values (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', null)",
  "insert into u values (1, 'x1'), (2, 'x2')",
];

export interface WrongStatement {
  readonly kind: string;
  readonly sql: string;
}
/** All of them, without repetitions. Which of them are wrong PostgreSQL decides when the answers are recorded. */
export function wrongStatements(): WrongStatement[] {
  const classes: Record<string, () => string[]> = {
    name: undefinedNames,
    call: functionCalls,
    operator: operators,
    cast: casts,
    literal: literals,
    value: values,
    query: grouping,
    definition: definitions,
    syntax: brokenSyntax,
  };
  const seen = new Set<string>();
  const result: WrongStatement[] = [];
  for (const [kind, make] of Object.entries(classes))
    for (const sql of make()) {
      if (seen.has(sql)) continue;
      seen.add(sql);
      result.push({ kind, sql });
    }
  return result;
}
