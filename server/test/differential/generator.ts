/** Random statements over `schema.sql`, the same for the same seed. Every result they ask for is determined (as a set of rows). */
import { AGGREGATE_FUNCTIONS, FUNCTIONS, LITERALS, TYPES } from './functions.ts';
import { clause, expression, fixed, list, type Node } from './tree.ts';

export interface Statement {
  readonly tree: Node;
  /** Its rows come in a determined order. */
  readonly isOrdered: boolean;
  /** Whether it writes: it must be rolled back. */
  readonly writes: boolean;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** What an expression may refer to. */
interface Scope {
  readonly columns: readonly Column[];
  /** Together they determine a row, or null when nothing does. */
  readonly keys: readonly string[] | null;
}

const TABLES: Readonly<Record<string, readonly Column[]>> = {
  numbers: columnsOf(
    'id int4, i2 int2, i4 int4, i8 int8, n numeric, m numeric, f4 float4, f8 float8, b bool',
  ),
  words: columnsOf('id int4, t text, v text, c text, y bytea, u uuid, j jsonb, ta text[], ia int4[]'),
  times: columnsOf('id int4, d date, h time, ts timestamp, tz timestamptz, iv interval, r int4range'),
};
const TABLE_NAMES = Object.keys(TABLES);
const NO_SCOPE: Scope = { columns: [], keys: null };

function columnsOf(text: string): Column[] {
  return text.split(', ').map((pair) => {
    const [name, type] = pair.split(' ') as [string, string];
    return { name, type };
  });
}

export class Generator {
  private state: number;
  private aliases = 0;

  constructor(seed: number) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  }

  statement(): Statement {
    this.aliases = 0;
    const kind = this.below(20);
    if (kind < 4) return { tree: this.valuesOnly(), isOrdered: true, writes: false };
    if (kind < 6) return this.setOperation();
    if (kind < 8) return { tree: this.write(), isOrdered: false, writes: true };
    const types = this.some(TYPES, 1 + this.below(3));
    const isOrdered = this.chance(40);
    return { tree: this.query(types, 2, NO_SCOPE, isOrdered), isOrdered, writes: false };
  }

  /** Expressions without a table. */
  private valuesOnly(): Node {
    const items = this.some(TYPES, 1 + this.below(3)).map((type) => this.item(type, NO_SCOPE, 3));
    return fixed('select ', list(', ', items));
  }

  private item(type: string, scope: Scope, depth: number): Node {
    return this.chance(80)
      ? this.value(type, scope, depth)
      : fixed(this.value(type, scope, depth), ` as "N${this.below(3)}"`);
  }

  /** A SELECT of columns of these types; `c0`, `c1` … name them when it is nested. */
  private query(
    types: readonly string[],
    depth: number,
    outer: Scope,
    isOrdered: boolean,
    named = false,
  ): Node {
    const from = this.from(depth);
    const scope: Scope = { columns: [...from.scope.columns, ...outer.columns], keys: from.scope.keys };
    const where = this.chance(60) ? clause(' where ', this.value('bool', scope, 2)) : clause();
    const order = isOrdered
      ? fixed(
          ' order by ',
          types
            .map((_, at) => `${at + 1}${this.pick(['', ' desc', ' nulls first', ' desc nulls last'])}`)
            .join(', '),
        )
      : clause();
    const limit =
      isOrdered && this.chance(50)
        ? clause(` limit ${this.below(8)}`, clause(this.chance(40) ? ' offset 1' : ''))
        : clause();
    const name = (node: Node, at: number): Node => (named ? fixed(node, ` as c${at}`) : node);
    const many = (items: Node[]): Node => (named || isOrdered ? fixed(...commas(items)) : list(', ', items));
    if (this.chance(30)) return this.grouped(types, from.node, where, scope, order, limit, name, many);
    const distinct = this.chance(15) ? clause('distinct ') : clause();
    const items = types.map((type, at) =>
      name(
        this.chance(12) && scope.keys !== null
          ? this.window(type, { ...scope, columns: from.scope.columns })
          : named
            ? this.value(type, scope, 2)
            : this.item(type, scope, 2),
        at,
      ),
    );
    return fixed('select ', distinct, many(items), ' from ', from.node, where, order, limit);
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
    const keys = this.some(scope.columns, this.below(3));
    const inKeys: Scope = { columns: keys, keys: null };
    const items = types.map((type, at) =>
      name(this.chance(60) ? this.aggregate(type, scope) : this.value(type, inKeys, 1), at),
    );
    const style = this.below(10);
    const names = keys.map((key) => key.name).join(', ');
    const by =
      keys.length === 0
        ? clause()
        : fixed(' group by ', style === 0 ? `rollup (${names})` : style === 1 ? `cube (${names})` : names);
    const having = this.chance(20)
      ? clause(' having ', expression('bool', [this.aggregate('int8', scope), ' > 1']))
      : clause();
    return fixed('select ', many(items), ' from ', from, where, by, having, order, limit);
  }

  private aggregate(type: string, scope: Scope): Node {
    const templates = AGGREGATE_FUNCTIONS.get(type);
    if (templates === undefined) {
      const other = this.pick(['int8', 'text', 'numeric', 'int4', 'date', 'bool']);
      return expression(type, ['(', this.conversion(this.aggregate(other, scope), type), ')']);
    }
    return this.fill(type, this.pick(templates), scope, 1);
  }

  /** A literal of the type, chosen by whether the node is null. */
  private conversion(node: Node, to: string): Node {
    const [one, other] = [this.pick(LITERALS[to]!), this.pick(LITERALS[to]!)];
    return fixed('case when ', node, ` is null then ${one} else ${other} end`);
  }

  private window(type: string, scope: Scope): Node {
    const unique = scope.keys!.join(', ');
    const partition =
      this.chance(50) && scope.columns.length > 0
        ? clause(` partition by ${this.pick(scope.columns).name}`)
        : clause();
    const order = ` order by ${this.chance(50) ? `${this.pick(scope.columns).name}${this.pick(['', ' desc'])}, ` : ''}${unique}`;
    const frame = this.chance(40)
      ? clause(
          this.pick([
            ' rows between 1 preceding and 1 following',
            ' rows between unbounded preceding and 1 preceding',
            ' groups between current row and unbounded following',
            ' rows between 2 preceding and current row exclude current row',
            ' range between unbounded preceding and unbounded following exclude ties',
          ]),
        )
      : clause();
    const over = fixed(' over (', partition, order, frame, ')');
    const call =
      type === 'int8'
        ? this.pick(['row_number()', 'rank()', 'dense_rank()', 'count(*)'])
        : type === 'int4'
          ? this.pick(['ntile(3)'])
          : type === 'float8'
            ? this.pick(['percent_rank()', 'cume_dist()'])
            : null;
    if (call !== null && this.chance(60)) return expression(type, [call, over]);
    const argument = this.value(type, scope, 1);
    const name = this.pick(['lag', 'lead', 'first_value', 'last_value', 'nth_value']);
    return expression(type, [`${name}(`, argument, name === 'nth_value' ? ', 2)' : ')', over]);
  }

  /** Tables joined, or a nested query. */
  private from(depth: number): { node: Node; scope: Scope } {
    let { node, scope } = this.relation(depth);
    const joins = this.pick([0, 0, 0, 1, 1, 2]);
    for (let at = 0; at < joins; at++) {
      const right = this.relation(depth - 1);
      const both: Scope = {
        columns: [...scope.columns, ...right.scope.columns],
        keys: scope.keys === null || right.scope.keys === null ? null : [...scope.keys, ...right.scope.keys],
      };
      const kind = this.pick(['join', 'left join', 'right join', 'full join', 'cross join']);
      const left = scope.columns.find((column) => column.type === 'int4');
      const other = right.scope.columns.find((column) => column.type === 'int4');
      const on =
        kind === 'cross join'
          ? fixed('')
          : left !== undefined && other !== undefined
            ? fixed(
                ` on ${left.name} = ${other.name}`,
                kind !== 'full join' && this.chance(40)
                  ? clause(' and ', this.value('bool', both, 1))
                  : clause(),
              )
            : fixed(
                kind === 'full join' ? ' on true' : ' on ',
                kind === 'full join' ? '' : this.value('bool', both, 1),
              );
      node = fixed(node, clause(` ${kind} `, right.node, on));
      scope = both;
    }
    return { node, scope };
  }

  private relation(depth: number): { node: Node; scope: Scope } {
    const alias = `r${this.aliases++}`;
    const dice = this.below(10);
    if (depth > 0 && dice === 0) {
      const types = this.some(TYPES, 1 + this.below(3));
      const isLimited = this.chance(30);
      const inner = this.query(types, depth - 1, NO_SCOPE, isLimited, true);
      return {
        node: fixed('(', inner, `) as ${alias}`),
        scope: { columns: types.map((type, at) => ({ name: `${alias}.c${at}`, type })), keys: null },
      };
    }
    if (dice === 1) {
      return {
        node: fixed(`generate_series(1, ${1 + this.below(5)}) as ${alias}(g)`),
        scope: { columns: [{ name: `${alias}.g`, type: 'int4' }], keys: [`${alias}.g`] },
      };
    }
    if (dice === 2) {
      const types = this.some(TYPES, 2);
      const row = (): Node => fixed('(', ...commas(types.map((type) => this.value(type, NO_SCOPE, 0))), ')');
      return {
        node: fixed(
          '(values ',
          list(', ', [row(), row(), row()]),
          `) as ${alias}(${types.map((_, at) => `c${at}`).join(', ')})`,
        ),
        scope: { columns: types.map((type, at) => ({ name: `${alias}.c${at}`, type })), keys: null },
      };
    }
    const table = this.pick(TABLE_NAMES);
    return {
      node: fixed(`${table} as ${alias}`),
      scope: {
        columns: TABLES[table]!.map((column) => ({ name: `${alias}.${column.name}`, type: column.type })),
        keys: [`${alias}.id`],
      },
    };
  }

  private setOperation(): Statement {
    const types = this.some(TYPES, 1 + this.below(2));
    const part = (): Node =>
      expression(types.join(','), ['(', this.query(types, 1, NO_SCOPE, false, true), ')']);
    const kinds = ['union', 'union all', 'intersect', 'except', 'except all', 'intersect all'];
    let tree = fixed(part(), ` ${this.pick(kinds)} `, part());
    if (this.chance(30)) tree = fixed(tree, ` ${this.pick(kinds)} `, part());
    const isOrdered = this.chance(50);
    if (isOrdered) tree = fixed(tree, ` order by ${types.map((_, at) => at + 1).join(', ')}`);
    if (this.chance(30))
      tree = fixed(
        'with w as ',
        this.pick(['', 'materialized ', 'not materialized ']),
        '(',
        tree,
        ') select * from w',
        isOrdered ? ` order by ${types.map((_, at) => at + 1).join(', ')}` : '',
      );
    return { tree, isOrdered, writes: false };
  }

  /** A statement that writes, with RETURNING. */
  private write(): Node {
    const table = this.pick(TABLE_NAMES);
    const columns = TABLES[table]!;
    const scope: Scope = {
      columns: columns.map(({ name, type }) => ({ name: `${table}.${name}`, type })),
      keys: [`${table}.id`],
    };
    const returning = clause(
      ' returning ',
      list(', ', [fixed('id'), ...this.some(TYPES, 2).map((type) => this.value(type, scope, 1))]),
    );
    const settable = columns.slice(1).filter(({ name }) => !['v', 'c', 'm'].includes(name));
    const dice = this.below(4);
    if (dice === 0)
      return fixed(`delete from ${table}`, clause(' where ', this.value('bool', scope, 2)), returning);
    if (dice === 1) {
      const changed = this.some(settable, 1 + this.below(2));
      const sets = [...new Set(changed)].map(({ name, type }) =>
        fixed(`${name} = `, this.value(type, scope, 2)),
      );
      return fixed(
        `update ${table} set `,
        list(', ', sets),
        clause(' where ', this.value('bool', scope, 2)),
        returning,
      );
    }
    const [first, second] = [settable[this.below(settable.length)]!, settable[this.below(settable.length)]!];
    const into = first === second ? [first] : [first, second];
    const target = `insert into ${table} (id, ${into.map(({ name }) => name).join(', ')}) `;
    if (dice === 2)
      return fixed(
        target,
        `select id + ${this.below(2) * 100}, `,
        ...commas(into.map(({ type }) => this.value(type, scope, 2))),
        ` from ${table}`,
        clause(' where ', this.value('bool', scope, 1)),
        clause(' on conflict (id) do nothing'),
        returning,
      );
    const { name, type } = into[0]!;
    return fixed(
      target,
      `values (${this.below(2) * 200 + 1}, `,
      ...commas(into.map((column) => this.value(column.type, NO_SCOPE, 1))),
      ')',
      clause(
        ` on conflict (id) do update set ${name} = `,
        this.value(type, { columns: [...scope.columns, { name: `excluded.${name}`, type }], keys: null }, 1),
      ),
      returning,
    );
  }

  /** An expression of the type, of at most `depth` levels of functions. */
  private value(type: string, scope: Scope, depth: number): Node {
    const fitting = scope.columns.filter((column) => column.type === type);
    if (depth <= 0 || this.chance(20)) {
      if (fitting.length > 0 && this.chance(75)) return expression(type, [this.pick(fitting).name]);
      return expression(type, [this.pick(LITERALS[type]!)]);
    }
    const dice = this.below(40);
    if (dice === 0)
      return expression(type, [
        '(case when ',
        this.value('bool', scope, depth - 1),
        ' then ',
        this.value(type, scope, depth - 1),
        clause(' else ', this.value(type, scope, depth - 1)),
        ' end)',
      ]);
    if (dice === 1)
      return expression(type, [
        'coalesce(',
        this.value(type, scope, depth - 1),
        ', ',
        this.value(type, scope, depth - 1),
        ')',
      ]);
    if (dice === 2 && this.aliases < 8) {
      const alias = `r${this.aliases++}`;
      const table = this.pick(TABLE_NAMES);
      const inner: Scope = {
        columns: [
          ...TABLES[table]!.map((column) => ({ name: `${alias}.${column.name}`, type: column.type })),
          ...scope.columns,
        ],
        keys: null,
      };
      const condition = (): Node => clause(' where ', this.value('bool', inner, 1));
      if (type === 'bool')
        return this.chance(50)
          ? expression(type, [`(exists (select from ${table} ${alias}`, condition(), '))'])
          : this.membership(table, alias, inner, scope);
      const templates = AGGREGATE_FUNCTIONS.get(type);
      if (templates !== undefined) {
        const local: Scope = { columns: inner.columns.slice(0, TABLES[table]!.length), keys: null };
        return expression(type, [
          '(select ',
          this.fill(type, this.pick(templates), local, 0),
          ` from ${table} ${alias}`,
          condition(),
          ')',
        ]);
      }
    }
    const templates = FUNCTIONS.get(type);
    if (templates === undefined) return expression(type, [this.pick(LITERALS[type]!)]);
    return this.fill(type, this.pick(templates), scope, depth - 1);
  }

  private membership(table: string, alias: string, inner: Scope, scope: Scope): Node {
    const column = this.pick(inner.columns.slice(0, TABLES[table]!.length));
    return expression('bool', [
      '(',
      this.value(column.type, scope, 0),
      this.pick([' in ', ' not in ']),
      `(select ${column.name} from ${table} ${alias}`,
      clause(' where ', this.value('bool', inner, 1)),
      '))',
    ]);
  }

  /** A template with its places filled; `{=}` repeats the argument before it. */
  private fill(type: string, template: string, scope: Scope, depth: number): Node {
    const parts: (string | Node)[] = ['('];
    const repeats = template.includes('{=}');
    let last = '';
    for (const piece of template.split(/(\{[a-z0-9[\]=]+\})/)) {
      if (piece === '{=}') parts.push(last);
      else if (/^\{[a-z0-9[\]]+\}$/.test(piece)) {
        const wanted = piece.slice(1, -1);
        if (repeats) {
          const fitting = scope.columns.filter((column) => column.type === wanted);
          last = fitting.length > 0 ? this.pick(fitting).name : this.pick(LITERALS[wanted]!);
          parts.push(last);
        } else if (wanted in LITERALS) parts.push(this.value(wanted, scope, depth));
        else parts.push(piece);
      } else parts.push(piece);
    }
    parts.push(')');
    return expression(type, parts);
  }

  private below(count: number): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % count;
  }

  private chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  private some<T>(from: readonly T[], count: number): T[] {
    return Array.from({ length: count }, () => this.pick(from));
  }
}

function commas(nodes: readonly Node[]): (string | Node)[] {
  return nodes.flatMap((node, at) => (at === 0 ? [node] : [', ', node]));
}
