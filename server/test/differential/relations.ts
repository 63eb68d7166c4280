/** Random FROM clauses: tables, joins of every kind, subqueries (lateral too), VALUES, functions that return rows. */
import type { Templates } from './catalog.ts';
import { type Expressions, NO_SCOPE, type Scope, type Subquery } from './expressions.ts';
import { type Column, TABLE_NAMES, TABLES } from './literals.ts';
import type { Random } from './random.ts';
import { clause, fixed, list, type Node } from './tree.ts';

export interface Relation {
  readonly node: Node;
  readonly scope: Scope;
}

/** Functions that return sets, by the type of their column. */
const SET_CALLS: readonly { readonly type: string; readonly template: string }[] = [
  { type: 'int4', template: 'generate_series(1, 3)' },
  { type: 'int4', template: 'generate_series({int2}, 5, 2)' },
  { type: 'numeric', template: 'generate_series(0.5, 2.5, 0.5)' },
  { type: 'timestamp', template: "generate_series(timestamp '2024-01-30', '2024-03-02', interval '1 week')" },
  {
    type: 'timestamptz',
    template: "generate_series(timestamptz '2024-03-30', '2024-04-01', interval '12 hours')",
  },
  { type: 'int4', template: 'generate_subscripts({int4[]}, 1)' },
  { type: 'int4', template: 'unnest({int4[]})' },
  { type: 'text', template: 'unnest({text[]})' },
  { type: 'text', template: "regexp_split_to_table({text}, '[ab]')" },
  { type: 'text[]', template: "regexp_matches({text}, '(.)(.)', 'g')" },
  { type: 'text', template: "string_to_table({text}, ',', '')" },
  { type: 'text', template: 'jsonb_object_keys({jsonb})' },
  { type: 'jsonb', template: 'jsonb_array_elements({jsonb})' },
  { type: 'text', template: 'jsonb_array_elements_text({jsonb})' },
  { type: 'jsonb', template: "jsonb_path_query({jsonb}, '$.*')" },
];

const JOINS = ['join', 'left join', 'right join', 'full join', 'cross join'] as const;
/** Relations in one statement. */
const ALIASES_MAX = 9;

export class Relations {
  private readonly random: Random;
  private readonly expressions: Expressions;
  private readonly subquery: Subquery;
  private readonly setCalls: readonly { readonly type: string; readonly template: string }[];

  constructor(random: Random, expressions: Expressions, catalog: Templates | null, subquery: Subquery) {
    this.random = random;
    this.expressions = expressions;
    this.subquery = subquery;
    this.setCalls = [...SET_CALLS, ...(catalog?.sets ?? [])];
  }

  setCall(): { readonly type: string; readonly template: string } {
    return this.random.pick(this.random.chance(60) ? SET_CALLS : this.setCalls);
  }

  /** Tables joined, or nested queries. */
  from(depth: number, outer: Scope): Relation {
    const { random } = this;
    let { node, scope } = this.relation(depth);
    const joins = this.expressions.aliases > ALIASES_MAX ? 0 : random.pick([0, 0, 0, 1, 1, 2]);
    for (let at = 0; at < joins; at++) {
      if (random.chance(12) && depth > 0) {
        const lateral = this.lateral(scope, outer);
        const kind = random.pick([' cross join lateral ', ' left join lateral ', ', lateral ']);
        node = fixed(node, clause(kind, lateral.node, kind.startsWith(' left') ? ' on true' : ''));
        scope = { columns: [...scope.columns, ...lateral.scope.columns], keys: null };
        continue;
      }
      const right = this.relation(depth - 1);
      const both: Scope = {
        columns: [...scope.columns, ...right.scope.columns],
        keys: scope.keys === null || right.scope.keys === null ? null : [...scope.keys, ...right.scope.keys],
      };
      const kind = random.pick(JOINS);
      node = fixed(node, clause(` ${kind} `, right.node, this.condition(kind, scope, right.scope, both)));
      scope = both;
    }
    return { node, scope };
  }

  private condition(kind: (typeof JOINS)[number], left: Scope, right: Scope, both: Scope): Node {
    const { random, expressions } = this;
    if (kind === 'cross join') return fixed('');
    const types = new Map<string, Column[]>();
    for (const column of left.columns)
      if (column.type !== 'json' && column.type !== 'point')
        types.set(column.type, [...(types.get(column.type) ?? []), column]);
    const pairs = right.columns.filter(({ type }) => types.has(type));
    const [mine, other] = ((): [Column | undefined, Column | undefined] => {
      const integers = pairs.filter(({ type }) => type === 'int4');
      const chosen = random.chance(60) && integers.length > 0 ? integers : pairs;
      if (chosen.length === 0) return [undefined, undefined];
      const column = random.pick(chosen);
      return [random.pick(types.get(column.type)!), column];
    })();
    if (mine === undefined || other === undefined)
      return kind === 'full join' ? fixed(' on true') : fixed(' on ', expressions.value('bool', both, 1));
    return fixed(
      ` on ${mine.name} = ${other.name}`,
      kind !== 'full join' && random.chance(40)
        ? clause(' and ', expressions.value('bool', both, 1))
        : clause(),
    );
  }

  private lateral(scope: Scope, outer: Scope): Relation {
    const alias = this.expressions.alias();
    const seen: Scope = { columns: [...scope.columns, ...outer.columns], keys: null };
    if (this.random.chance(40)) {
      const { type, template } = this.setCall();
      return {
        node: fixed(this.expressions.fill(type, template, seen, 1, false), ` as ${alias}(c0)`),
        scope: { columns: [{ name: `${alias}.c0`, type }], keys: null },
      };
    }
    const types = [this.expressions.type(), this.expressions.type()];
    return {
      node: fixed('(', this.subquery(types, seen), `) as ${alias}`),
      scope: { columns: types.map((type, at) => ({ name: `${alias}.c${at}`, type })), keys: null },
    };
  }

  relation(depth: number): Relation {
    const { random, expressions } = this;
    const dice = expressions.aliases > ALIASES_MAX ? 20 : random.below(24);
    const alias = expressions.alias();
    const named = (types: readonly string[], first = 'c'): Scope => ({
      columns: types.map((type, at) => ({ name: `${alias}.${first}${at}`, type })),
      keys: null,
    });
    if (depth > 0 && dice < 3) {
      const types = Array.from({ length: 1 + random.below(3) }, () => expressions.type());
      return { node: fixed('(', this.subquery(types, NO_SCOPE), `) as ${alias}`), scope: named(types) };
    }
    if (dice === 3)
      return {
        node: fixed(`generate_series(1, ${1 + random.below(5)}) as ${alias}(g)`),
        scope: { columns: [{ name: `${alias}.g`, type: 'int4' }], keys: [`${alias}.g`] },
      };
    if (dice === 4) {
      const types = [expressions.type(), expressions.type()];
      const row = (): Node =>
        fixed(
          '(',
          expressions.value(types[0]!, NO_SCOPE, 0),
          ', ',
          expressions.value(types[1]!, NO_SCOPE, 0),
          ')',
        );
      return {
        node: fixed('(values ', list(', ', [row(), row(), row()]), `) as ${alias}(c0, c1)`),
        scope: named(types),
      };
    }
    if (dice === 5) {
      const { type, template } = this.setCall();
      const call = expressions.fill(type, template, NO_SCOPE, 1, false);
      if (random.chance(50))
        return {
          node: fixed(call, ` with ordinality as ${alias}(c0, o)`),
          scope: {
            columns: [
              { name: `${alias}.c0`, type },
              { name: `${alias}.o`, type: 'int8' },
            ],
            keys: [`${alias}.o`],
          },
        };
      return { node: fixed(call, ` as ${alias}(c0)`), scope: named([type]) };
    }
    if (dice === 6) {
      const calls = [this.setCall(), this.setCall()];
      return {
        node: fixed(
          'rows from (',
          expressions.fill(calls[0]!.type, calls[0]!.template, NO_SCOPE, 0, false),
          ', ',
          expressions.fill(calls[1]!.type, calls[1]!.template, NO_SCOPE, 0, false),
          `) as ${alias}(c0, c1)`,
        ),
        scope: named(calls.map(({ type }) => type)),
      };
    }
    if (dice === 7)
      return {
        node: fixed('jsonb_each(', expressions.value('jsonb', NO_SCOPE, 1), `) as ${alias}(k0, k1)`),
        scope: named(['text', 'jsonb'], 'k'),
      };
    const table = random.pick(TABLE_NAMES);
    return {
      node: fixed(`${table} as ${alias}`),
      scope: {
        columns: TABLES[table]!.map((column) => ({ name: `${alias}.${column.name}`, type: column.type })),
        keys: [`${alias}.id`],
      },
    };
  }
}
