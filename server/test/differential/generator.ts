/** Random statements over `schema.sql`, the same for the same seed. Every result they ask for is determined (as a set of rows). */
import type { Templates } from './catalog.ts';
import { Expressions, NO_SCOPE, type Scope } from './expressions.ts';
import { type Column, ORDERED_TYPES, TABLE_NAMES, TABLES, TYPES } from './literals.ts';
import { Random } from './random.ts';
import { Relations } from './relations.ts';
import { clause, expression, fixed, list, type Node } from './tree.ts';
import { Writes } from './writes.ts';

export interface Statement {
  readonly tree: Node;
  /** Its rows come in a determined order. */
  readonly isOrdered: boolean;
  /** Whether it writes: it must be rolled back. */
  readonly writes: boolean;
}

export class Generator {
  private readonly random: Random;
  private readonly expressions: Expressions;
  private readonly relations: Relations;
  private readonly writes: Writes;
  /** How deep the query being written is nested. */
  private level = 0;

  /** @param catalog what else can be called; null for the templates of `functions.ts` alone */
  constructor(seed: number, catalog: Templates | null = null) {
    this.random = new Random(seed);
    this.expressions = new Expressions(this.random, catalog, (types, outer) => this.nested(types, outer));
    this.relations = new Relations(this.random, this.expressions, catalog, (types, outer) =>
      this.nested(types, outer),
    );
    this.writes = new Writes(this.random, this.expressions, this.relations);
  }

  statement(): Statement {
    this.expressions.aliases = 0;
    this.level = 0;
    const { random } = this;
    const kind = random.below(40);
    if (kind < 9) return { tree: this.valuesOnly(), isOrdered: true, writes: false };
    if (kind < 12) return this.setOperation();
    if (kind < 14) return this.withClause();
    if (kind < 16) return { tree: this.setReturning(), isOrdered: false, writes: false };
    if (kind < 21) return { tree: this.writes.statement(), isOrdered: false, writes: true };
    const isOrdered = random.chance(40);
    const types = this.types(1 + random.below(3), isOrdered);
    return { tree: this.query(types, NO_SCOPE, isOrdered), isOrdered, writes: false };
  }

  private types(count: number, mustBeOrdered: boolean): string[] {
    return Array.from({ length: count }, () =>
      mustBeOrdered ? this.expressions.orderedType() : this.expressions.type(),
    );
  }

  /** Expressions without a table. */
  private valuesOnly(): Node {
    const items = this.types(1 + this.random.below(3), false).map((type) => this.item(type, NO_SCOPE, 3));
    return fixed('select ', list(', ', items));
  }

  private item(type: string, scope: Scope, depth: number): Node {
    const value = this.expressions.value(type, scope, depth);
    return this.random.chance(85) ? value : fixed(value, ` as "N${this.random.below(3)}"`);
  }

  private nested(types: readonly string[], outer: Scope): Node {
    if (this.level >= 2) return this.small(types, outer);
    this.level++;
    const isOrdered = types.every((type) => ORDERED_TYPES.includes(type)) && this.random.chance(20);
    const query = this.query(types, outer, isOrdered, true);
    this.level--;
    return query;
  }

  private small(types: readonly string[], outer: Scope): Node {
    const table = this.random.pick(TABLE_NAMES);
    const alias = this.expressions.alias();
    const columns = TABLES[table]!.map(({ name, type }) => ({ name: `${alias}.${name}`, type }));
    const scope: Scope = { columns: [...columns, ...outer.columns], keys: null };
    const items = types.map((type, at) => fixed(this.expressions.value(type, scope, 0), ` as c${at}`));
    return fixed(
      'select ',
      ...commas(items),
      ` from ${table} ${alias}`,
      clause(' where ', this.expressions.value('bool', scope, 1)),
    );
  }

  /** A SELECT of columns of these types; `c0`, `c1` … name them when it is nested. */
  private query(types: readonly string[], outer: Scope, isOrdered: boolean, named = false): Node {
    const { random, expressions } = this;
    const from = this.relations.from(2 - this.level, outer);
    const scope: Scope = { columns: [...from.scope.columns, ...outer.columns], keys: from.scope.keys };
    const where = random.chance(60) ? clause(' where ', expressions.value('bool', scope, 2)) : clause();
    const order = isOrdered ? this.orderBy(types) : clause();
    const limit = isOrdered && random.chance(50) ? this.limit() : clause();
    const name = (node: Node, at: number): Node => (named ? fixed(node, ` as c${at}`) : node);
    const many = (items: Node[]): Node => (named || isOrdered ? fixed(...commas(items)) : list(', ', items));
    if (random.chance(30)) return this.grouped(types, from.node, where, scope, order, limit, name, many);
    const isDistinct = types.every((type) => ORDERED_TYPES.includes(type)) && random.chance(15);
    const distinct = isDistinct ? clause('distinct ') : clause();
    const keys = from.scope.keys;
    const windowScope: Scope = { ...scope, columns: from.scope.columns };
    const isNamed = keys !== null && random.chance(10);
    const items = types.map((type, at) =>
      name(
        keys !== null && (isNamed || random.chance(12))
          ? expressions.window(type, windowScope, keys, isNamed ? 'w' : null)
          : named
            ? expressions.value(type, scope, 2)
            : this.item(type, scope, 2),
        at,
      ),
    );
    const windowClause = isNamed
      ? fixed(' window w as (', expressions.windowBody(windowScope, keys!), ')')
      : clause();
    return fixed('select ', distinct, many(items), ' from ', from.node, where, windowClause, order, limit);
  }

  private orderBy(types: readonly string[]): Node {
    return fixed(
      ' order by ',
      types
        .map(
          (_, at) =>
            `${at + 1}${this.random.pick(['', '', ' desc', ' nulls first', ' desc nulls last', ' using <'])}`,
        )
        .join(', '),
    );
  }

  private limit(): Node {
    const { random } = this;
    if (random.chance(20)) return clause(` fetch first ${1 + random.below(4)} rows with ties`);
    return clause(
      ` limit ${random.chance(90) ? random.below(8) : random.pick(['all', 'null', '-1', '2.5', "'3'"])}`,
      clause(random.chance(40) ? ` offset ${random.below(3)}` : ''),
    );
  }

  private grouped(
    types: readonly string[],
    from: Node,
    where: Node,
    scope: Scope,
    order: Node,
    limit: Node,
    name: (node: Node, at: number) => Node,
    many: (items: Node[]) => Node,
  ): Node {
    const { random, expressions } = this;
    const groupable = scope.columns.filter(({ type }) => ORDERED_TYPES.includes(type));
    const keys: Column[] = random.some(groupable, groupable.length === 0 ? 0 : random.below(4));
    const names = keys.map((key) => key.name);
    const style = random.below(14);
    const isGrouping = style < 4 && keys.length > 0;
    const computed =
      !isGrouping && random.chance(25)
        ? [expressions.value(this.expressions.orderedType(), { ...scope, keys: null }, 1)]
        : [];
    const inKeys: Scope = { columns: keys, keys: null };
    const items = types.map((type, at) => {
      if (isGrouping && type === 'int4' && random.chance(50))
        return name(expression(type, [`grouping(${names.join(', ')})`]), at);
      return name(
        random.chance(60) ? expressions.aggregate(type, scope) : expressions.value(type, inKeys, 1),
        at,
      );
    });
    const by = ((): Node => {
      if (keys.length === 0) return computed.length === 0 ? clause() : fixed(' group by ', computed[0]!);
      const text = names.join(', ');
      if (style === 0) return fixed(` group by rollup (${text})`);
      if (style === 1) return fixed(` group by cube (${text})`);
      if (style === 2) return fixed(` group by grouping sets ((${text}), (${names[0]}), ())`);
      if (style === 3) return fixed(` group by distinct ${names[0]}, rollup (${text})`);
      return fixed(` group by ${text}`, ...computed.map((node) => fixed(', ', node)));
    })();
    const having = random.chance(20)
      ? clause(
          ' having ',
          random.chance(60)
            ? expression('bool', [expressions.aggregate('int8', scope), ' > 1'])
            : expressions.aggregate('bool', scope),
        )
      : clause();
    return fixed('select ', many(items), ' from ', from, where, by, having, order, limit);
  }

  private setOperation(): Statement {
    const { random } = this;
    const types = this.types(1 + random.below(2), true);
    // Sometimes the parts are of different types, which must be made one.
    const other = random.chance(15) ? types.map((type) => MIXED[type] ?? type) : types;
    const part = (of: readonly string[]): Node =>
      expression(types.join(','), ['(', this.query(of, NO_SCOPE, false, true), ')']);
    const kinds = ['union', 'union all', 'intersect', 'except', 'except all', 'intersect all'];
    this.level = 1;
    let tree = fixed(part(types), ` ${random.pick(kinds)} `, part(other));
    if (random.chance(30)) tree = fixed(tree, ` ${random.pick(kinds)} `, part(types));
    const isOrdered = random.chance(50);
    const order = ` order by ${types.map((_, at) => at + 1).join(', ')}`;
    if (isOrdered) tree = fixed(tree, order, random.chance(30) ? this.limit() : '');
    if (random.chance(30))
      tree = fixed(
        'with w as ',
        random.pick(['', 'materialized ', 'not materialized ']),
        '(',
        tree,
        ') select * from w',
        isOrdered ? order : '',
      );
    return { tree, isOrdered, writes: false };
  }

  /** A common table expression used twice, or a recursive one. */
  private withClause(): Statement {
    const { random, expressions } = this;
    this.level = 1;
    if (random.chance(40)) {
      const type = random.pick(['int4', 'int8', 'numeric', 'text', 'date', 'timestamp', 'int4[]']);
      const scope: Scope = {
        columns: [
          { name: 'w.n', type: 'int4' },
          { name: 'w.x', type },
        ],
        keys: null,
      };
      const tree = fixed(
        `with recursive w(n, x) as (select 1, `,
        expressions.value(type, NO_SCOPE, 1),
        random.pick([' union all ', ' union ']),
        'select n + 1, ',
        expressions.value(type, scope, 1),
        ` from w where n < ${1 + random.below(5)}`,
        clause(' and ', expressions.value('bool', scope, 1)),
        ')',
        random.chance(20)
          ? ' search breadth first by n set o'
          : random.chance(20)
            ? ' cycle n set y using p'
            : '',
        ' select * from w',
      );
      return { tree, isOrdered: false, writes: false };
    }
    const types = this.types(2, true);
    const columns = (alias: string): Column[] => types.map((type, at) => ({ name: `${alias}.c${at}`, type }));
    const scope: Scope = { columns: [...columns('a'), ...columns('b')], keys: null };
    const tree = fixed(
      'with w as ',
      random.pick(['', 'materialized ', 'not materialized ']),
      '(',
      this.query(types, NO_SCOPE, false, true),
      ') select ',
      list(
        ', ',
        this.types(2, false).map((type) => expressions.value(type, scope, 1)),
      ),
      ` from w a ${random.pick(['join', 'left join', 'full join'])} w b `,
      random.pick(['on a.c0 = b.c0', 'using (c0)', 'on a.c1 = b.c1 and a.c0 = b.c0']),
      clause(' where ', expressions.value('bool', scope, 1)),
    );
    return { tree, isOrdered: false, writes: false };
  }

  /** Functions that return sets in the select list. */
  private setReturning(): Node {
    const { random, expressions } = this;
    const scope: Scope = random.chance(50)
      ? NO_SCOPE
      : { columns: TABLES.words!.map(({ name, type }) => ({ name: `s.${name}`, type })), keys: null };
    const call = (): Node => {
      const { type, template } = this.relations.setCall();
      return expressions.fill(type, template, scope, 1, false);
    };
    const items = [call(), expressions.value(random.pick(TYPES), scope, 1)];
    if (random.chance(30)) items.push(call());
    return fixed('select ', list(', ', items), scope === NO_SCOPE ? '' : ' from words s');
  }
}

/** A type that meets another in a set operation. */
const MIXED: Readonly<Record<string, string>> = {
  int4: 'numeric',
  int8: 'float8',
  numeric: 'int2',
  float8: 'int4',
  text: 'varchar',
  date: 'timestamp',
  timestamp: 'timestamptz',
  varchar: 'bpchar',
  bpchar: 'text',
  jsonb: 'text',
  name: 'text',
};

export function commas(nodes: readonly Node[]): (string | Node)[] {
  return nodes.flatMap((node, at) => (at === 0 ? [node] : [', ', node]));
}
