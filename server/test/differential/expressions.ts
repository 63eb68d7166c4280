/** Random expressions: literals, columns, the templates of `functions.ts` and of the catalog, conditionals, subqueries. */
import type { Templates } from './catalog.ts';
import { AGGREGATE_FUNCTIONS, FUNCTIONS } from './functions.ts';
import {
  COMMON_TYPES,
  type Column,
  LITERALS,
  ORDERED_TYPES,
  TABLE_NAMES,
  TABLES,
  TYPES,
  UNTYPED,
} from './literals.ts';
import type { Random } from './random.ts';
import { clause, expression, fixed, list, type Node } from './tree.ts';

/** What an expression may refer to. */
export interface Scope {
  readonly columns: readonly Column[];
  /** Together they determine a row, or null when nothing does. */
  readonly keys: readonly string[] | null;
}

export const NO_SCOPE: Scope = { columns: [], keys: null };

/** A nested query of these columns, named `c0`, `c1` …, which may refer to `outer`. */
export type Subquery = (types: readonly string[], outer: Scope) => Node;

/** Percent of places that get an expression of another type, or a name that is none: the mistakes are compared too. */
const MISTAKES = 1;
/** Percent of literals without their type. */
const UNTYPED_SHARE = 12;

export class Expressions {
  /** Relations named so far in the statement. */
  aliases = 0;

  private readonly random: Random;
  private readonly catalog: Templates | null;
  private readonly subquery: Subquery;

  constructor(random: Random, catalog: Templates | null, subquery: Subquery) {
    this.random = random;
    this.catalog = catalog;
    this.subquery = subquery;
  }

  alias(): string {
    return `r${this.aliases++}`;
  }

  /** A type: one of the frequent ones mostly. */
  type(): string {
    return this.random.chance(65) ? this.random.pick(COMMON_TYPES) : this.random.pick(TYPES);
  }

  orderedType(): string {
    return this.random.chance(65)
      ? this.random.pick(COMMON_TYPES.filter((type) => ORDERED_TYPES.includes(type)))
      : this.random.pick(ORDERED_TYPES);
  }

  /** An expression of the type, of at most `depth` levels of functions. */
  value(type: string, scope: Scope, depth: number): Node {
    const { random } = this;
    if (random.below(100 * 4) < MISTAKES) return this.mistake(type, scope, depth);
    const fitting = scope.columns.filter((column) => column.type === type);
    if (depth <= 0 || random.chance(20)) {
      if (fitting.length > 0 && random.chance(80)) return expression(type, [random.pick(fitting).name]);
      const untyped = UNTYPED[type];
      if (untyped !== undefined && random.chance(UNTYPED_SHARE))
        return expression(type, [random.pick(untyped)]);
      return expression(type, [random.pick(LITERALS[type]!)]);
    }
    const dice = random.below(60);
    if (dice < 8) return this.construct(dice, type, scope, depth);
    const written = FUNCTIONS.get(type);
    const found = this.catalog?.scalars.get(type);
    const templates = found === undefined || (written !== undefined && random.chance(50)) ? written : found;
    if (templates === undefined) return expression(type, [random.pick(LITERALS[type]!)]);
    return this.fill(type, random.pick(templates), scope, depth - 1);
  }

  /** What holds for every type: conditionals, subqueries, subscripts, casts. */
  private construct(kind: number, type: string, scope: Scope, depth: number): Node {
    const { random } = this;
    const inner = (): Node => this.value(type, scope, depth - 1);
    switch (kind) {
      case 0:
        return expression(type, [
          '(case when ',
          this.value('bool', scope, depth - 1),
          ' then ',
          inner(),
          clause(' when ', this.value('bool', scope, depth - 1), ' then ', inner()),
          clause(' else ', inner()),
          ' end)',
        ]);
      case 1: {
        const over = this.orderedType();
        return expression(type, [
          '(case ',
          this.value(over, scope, depth - 1),
          ' when ',
          this.value(over, scope, 0),
          ' then ',
          inner(),
          clause(' else ', inner()),
          ' end)',
        ]);
      }
      case 2:
        return expression(type, ['coalesce(', inner(), ', ', inner(), ')']);
      case 3:
        return ORDERED_TYPES.includes(type)
          ? expression(type, [random.pick(['nullif(', 'greatest(', 'least(']), inner(), ', ', inner(), ')'])
          : inner();
      case 4: {
        // A cast between any two types; most pairs are refused.
        const from = random.chance(70) ? 'text' : random.pick(TYPES);
        const source = random.chance(60)
          ? fixed('(', inner(), ')::text')
          : this.value(from, scope, depth - 1);
        return expression(type, [
          random.chance(50) ? fixed('cast(', source, ` as ${type})`) : fixed('(', source, `)::${type}`),
        ]);
      }
      case 5:
        if (type.endsWith('[]')) return this.array(type, scope, depth);
        if (`${type}[]` in LITERALS)
          return expression(type, ['(', this.value(`${type}[]`, scope, depth - 1), `)[${random.below(4)}]`]);
        return inner();
      default:
        if (this.aliases >= 8) return inner();
        return type === 'bool' && random.chance(60)
          ? this.predicate(scope, depth)
          : this.scalarSubquery(type, scope);
    }
  }

  private array(type: string, scope: Scope, depth: number): Node {
    const { random } = this;
    const element = type.slice(0, -2);
    if (random.chance(50) && this.aliases < 8)
      return expression(type, ['array(', this.ordered(this.subquery([element], scope), 1), ')']);
    return expression(type, [
      'array[',
      list(', ', [this.value(element, scope, depth - 1), this.value(element, scope, depth - 1)]),
      ']',
    ]);
  }

  private ordered(query: Node, columns: number): Node {
    return fixed(
      'select * from (',
      query,
      `) o order by ${Array.from({ length: columns }, (_, at) => at + 1).join(', ')}`,
    );
  }

  /** EXISTS, IN, ANY, ALL. */
  private predicate(scope: Scope, depth: number): Node {
    const { random } = this;
    if (random.chance(35)) return expression('bool', ['exists (', this.subquery([this.type()], scope), ')']);
    const type = this.orderedType();
    const left = this.value(type, scope, depth - 1);
    if (random.chance(25)) {
      const second = this.orderedType();
      const query = this.subquery([type, second], scope);
      return expression('bool', [
        '((',
        left,
        ', ',
        this.value(second, scope, 0),
        random.pick([') in (', ') not in (', ') = any (']),
        query,
        '))',
      ]);
    }
    const query = this.subquery([type], scope);
    return expression('bool', [
      '(',
      left,
      random.pick([' in (', ' not in (', ' = any (', ' <> all (', ' < any (', ' >= all (']),
      query,
      '))',
    ]);
  }

  private scalarSubquery(type: string, scope: Scope): Node {
    const { random } = this;
    const table = random.pick(TABLE_NAMES);
    const alias = this.alias();
    const columns = TABLES[table]!.map((column) => ({ name: `${alias}.${column.name}`, type: column.type }));
    const inner: Scope = { columns: [...columns, ...scope.columns], keys: null };
    const condition = (): Node => clause(' where ', this.value('bool', inner, 1));
    if (random.chance(60) && this.hasAggregate(type))
      return expression(type, [
        '(select ',
        this.aggregate(type, { columns, keys: null }),
        ` from ${table} ${alias}`,
        condition(),
        ')',
      ]);
    return expression(type, [
      '(select ',
      this.value(type, inner, 1),
      ` from ${table} ${alias} where ${alias}.id = `,
      this.value('int4', scope, 0),
      ')',
    ]);
  }

  hasAggregate(type: string): boolean {
    return AGGREGATE_FUNCTIONS.has(type) || (this.catalog?.aggregates.has(type) ?? false);
  }

  /** An aggregate call, with FILTER now and then. */
  aggregate(type: string, scope: Scope): Node {
    const { random } = this;
    const written = AGGREGATE_FUNCTIONS.get(type);
    const found = this.catalog?.aggregates.get(type);
    const templates = found === undefined || (written !== undefined && random.chance(50)) ? written : found;
    if (templates === undefined) {
      const other = random.pick(['int8', 'text', 'numeric', 'int4', 'date', 'bool']);
      const [one, two] = [random.pick(LITERALS[type]!), random.pick(LITERALS[type]!)];
      return expression(type, [
        '(case when ',
        this.aggregate(other, scope),
        ` is null then ${one} else ${two} end)`,
      ]);
    }
    const template = random.pick(templates);
    if (template.includes('filter') || random.chance(85)) return this.fill(type, template, scope, 1);
    return expression(type, [
      '(',
      this.fill(type, template, scope, 1, false),
      clause(' filter (where ', this.value('bool', scope, 1), ')'),
      ')',
    ]);
  }

  /** A template with its places filled; `{=}` repeats the argument before it. */
  fill(type: string, template: string, scope: Scope, depth: number, isWrapped = true): Node {
    const { random } = this;
    const parts: (string | Node)[] = [];
    const repeats = template.includes('{=}');
    let last = '';
    for (const piece of template.split(/(\{[a-z0-9_"[\]=]+\})/)) {
      const wanted = piece.slice(1, -1);
      if (piece === '{=}') parts.push(last);
      else if (piece.startsWith('{') && wanted in LITERALS) {
        if (repeats) {
          const fitting = scope.columns.filter((column) => column.type === wanted);
          last = fitting.length > 0 ? random.pick(fitting).name : random.pick(LITERALS[wanted]!);
          parts.push(last);
        } else parts.push(this.value(wanted, scope, depth));
      } else parts.push(piece);
    }
    return isWrapped ? expression(type, ['(', ...parts, ')']) : fixed(...parts);
  }

  /** A call over a window; `unique` orders the rows wholly. */
  window(type: string, scope: Scope, unique: readonly string[], named: string | null): Node {
    const { random } = this;
    const over =
      named === null ? fixed(' over (', this.windowBody(scope, unique), ')') : fixed(` over ${named}`);
    const byDistance = this.distanceFrame(scope);
    const ranking: Readonly<Record<string, readonly string[]>> = {
      int8: ['row_number()', 'rank()', 'dense_rank()', 'count(*)'],
      int4: ['ntile(3)', 'ntile(2)'],
      float8: ['percent_rank()', 'cume_dist()'],
    };
    if (type in ranking && random.chance(60)) return expression(type, [random.pick(ranking[type]!), over]);
    if (this.hasAggregate(type) && random.chance(50)) {
      const templates = [
        ...(AGGREGATE_FUNCTIONS.get(type) ?? []),
        ...(this.catalog?.aggregates.get(type) ?? []),
      ].filter((template) => !/distinct|within group|order by|filter/.test(template));
      if (templates.length > 0)
        return expression(type, [
          this.fill(type, random.pick(templates), scope, 1, false),
          random.chance(20) ? clause(' filter (where ', this.value('bool', scope, 1), ')') : clause(),
          byDistance !== null && random.chance(30) ? byDistance : over,
        ]);
    }
    const argument = this.value(type, scope, 1);
    const name = random.pick(['lag', 'lead', 'first_value', 'last_value', 'nth_value']);
    const more =
      name === 'nth_value'
        ? ', 2'
        : /^l(?:ag|ead)$/.test(name)
          ? random.pick(['', ', 2', ', 0', ', -1'])
          : '';
    return expression(type, [`${name}(`, argument, `${more})`, over]);
  }

  windowBody(scope: Scope, unique: readonly string[]): Node {
    const { random } = this;
    const orderable = scope.columns.filter((column) => ORDERED_TYPES.includes(column.type));
    const partition =
      random.chance(50) && orderable.length > 0
        ? clause(`partition by ${random.pick(orderable).name}`)
        : clause();
    const lead =
      random.chance(50) && orderable.length > 0
        ? `${random.pick(orderable).name}${random.pick(['', ' desc', ' nulls first'])}, `
        : '';
    const frame = random.chance(45)
      ? clause(
          ` ${random.pick(['rows', 'rows', 'groups'])} between ${random.pick(['unbounded preceding', '2 preceding', '1 preceding', 'current row'])} and ${random.pick(['current row', '1 following', 'unbounded following'])}`,
          clause(
            random.pick([
              '',
              ' exclude current row',
              ' exclude ties',
              ' exclude group',
              ' exclude no others',
            ]),
          ),
        )
      : clause();
    return fixed(partition, ` order by ${lead}${unique.join(', ')}`, frame);
  }

  /** A frame by distance. Rows of equal keys are in it together, so that only aggregates over it are determined. */
  private distanceFrame(scope: Scope): Node | null {
    const { random } = this;
    const ranged = scope.columns.filter(({ type }) => type in RANGE_OFFSETS);
    if (ranged.length === 0) return null;
    const column = random.pick(ranged);
    const offset = RANGE_OFFSETS[column.type]!;
    return fixed(
      ` over (order by ${column.name}${random.pick(['', ' desc', ' nulls first'])}`,
      ` range between ${random.pick([`${offset} preceding`, 'unbounded preceding', 'current row'])}`,
      ` and ${random.pick([`${offset} following`, 'current row', 'unbounded following'])})`,
    );
  }

  /** An argument of another type, a column that does not exist, a call with one argument too many. */
  private mistake(type: string, scope: Scope, depth: number): Node {
    const { random } = this;
    switch (random.below(4)) {
      case 0:
        return expression(type, [
          scope.columns.length > 0 ? `${random.pick(scope.columns).name}x` : 'nowhere.x',
        ]);
      case 1:
        return expression(type, [`no_such_function(`, this.value(this.type(), scope, 0), ')']);
      case 2:
        return expression(type, [this.aggregate('int8', scope)]);
      default:
        return expression(type, [this.value(random.pick(TYPES), scope, depth - 1)]);
    }
  }
}

const RANGE_OFFSETS: Readonly<Record<string, string>> = {
  int2: '1::int2',
  int4: '1',
  int8: '10',
  numeric: '1.5',
  float8: '2.5',
  date: "interval '1 month'",
  timestamp: "interval '1 year'",
  timestamptz: "interval '30 days'",
  time: "interval '2 hours'",
  interval: "interval '1 day'",
};
