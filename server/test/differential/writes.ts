/** Random INSERT, UPDATE, DELETE and MERGE, with RETURNING. */
import type { Expressions, Scope } from './expressions.ts';
import { NO_SCOPE } from './expressions.ts';
import { type Column, TABLE_NAMES, TABLES } from './literals.ts';
import type { Random } from './random.ts';
import type { Relations } from './relations.ts';
import { clause, fixed, list, type Node } from './tree.ts';

/** Columns with a length or a domain refuse most values: they are set now and then only. */
const NARROW = ['v', 'c', 'm', 'po'];

export class Writes {
  private readonly random: Random;
  private readonly expressions: Expressions;
  private readonly relations: Relations;

  constructor(random: Random, expressions: Expressions, relations: Relations) {
    this.random = random;
    this.expressions = expressions;
    this.relations = relations;
  }

  statement(): Node {
    const { random } = this;
    const table = random.pick(TABLE_NAMES);
    const columns = TABLES[table]!;
    const settable = columns.slice(1).filter(({ name }) => !NARROW.includes(name) || random.chance(15));
    const scope: Scope = {
      columns: columns.map(({ name, type }) => ({ name: `${table}.${name}`, type })),
      keys: [`${table}.id`],
    };
    switch (random.below(7)) {
      case 0:
        return this.delete(table, scope);
      case 1:
      case 2:
        return this.update(table, settable, scope);
      case 3:
        return this.insertSelect(table, settable, scope);
      case 4:
        return this.merge(table, settable, scope);
      case 5:
        return this.inWith(table, settable, scope);
      default:
        return this.insertValues(table, settable, scope);
    }
  }

  private returning(scope: Scope): Node {
    return clause(
      ' returning ',
      list(', ', [
        fixed('id'),
        this.expressions.value(this.expressions.type(), scope, 1),
        this.expressions.value(this.expressions.type(), scope, 1),
      ]),
    );
  }

  private sets(settable: readonly Column[], scope: Scope, qualifier = ''): Node {
    const { random, expressions } = this;
    const changed = [...new Set(random.some(settable, 1 + random.below(2)))];
    if (changed.length === 2 && random.chance(20))
      return fixed(
        `(${changed.map(({ name }) => qualifier + name).join(', ')}) = (select `,
        expressions.value(changed[0]!.type, scope, 1),
        ', ',
        expressions.value(changed[1]!.type, scope, 1),
        ')',
      );
    return list(
      ', ',
      changed.map(({ name, type }) =>
        fixed(`${qualifier}${name} = `, random.chance(5) ? 'default' : expressions.value(type, scope, 2)),
      ),
    );
  }

  private delete(table: string, scope: Scope): Node {
    const where = (of: Scope): Node => clause(' where ', this.expressions.value('bool', of, 2));
    if (this.random.chance(25)) {
      const other = this.relations.relation(1);
      const both: Scope = { columns: [...scope.columns, ...other.scope.columns], keys: null };
      return fixed(
        `delete from ${table} using `,
        other.node,
        clause(' where ', this.expressions.value('bool', both, 2)),
        ` returning ${table}.id`,
      );
    }
    return fixed(`delete from ${table}`, where(scope), this.returning(scope));
  }

  private update(table: string, settable: readonly Column[], scope: Scope): Node {
    const { random, expressions } = this;
    if (random.chance(20)) {
      // Joined by the key, so that at most one row meets each.
      const other = random.pick(TABLE_NAMES);
      const joined: Scope = {
        columns: [...scope.columns, ...TABLES[other]!.map(({ name, type }) => ({ name: `o.${name}`, type }))],
        keys: null,
      };
      return fixed(
        `update ${table} set `,
        this.sets(settable, joined),
        ` from ${other} o where o.id = ${table}.id`,
        clause(' and ', expressions.value('bool', joined, 1)),
        ` returning ${table}.*`,
      );
    }
    return fixed(
      `update ${table} set `,
      this.sets(settable, scope),
      clause(' where ', expressions.value('bool', scope, 2)),
      this.returning(scope),
    );
  }

  private target(table: string, settable: readonly Column[]): { into: Column[]; text: string } {
    const { random } = this;
    const into = [...new Set(random.some(settable, 1 + random.below(3)))];
    return {
      into,
      text: `insert into ${table} (id, ${into.map(({ name }) => name).join(', ')})${random.chance(5) ? ' overriding user value' : ''} `,
    };
  }

  private insertSelect(table: string, settable: readonly Column[], scope: Scope): Node {
    const { random, expressions } = this;
    const { into, text } = this.target(table, settable);
    return fixed(
      text,
      `select id + ${random.below(2) * 100}`,
      ...into.map(({ type }) => fixed(', ', expressions.value(type, scope, 2))),
      ` from ${table}`,
      clause(' where ', expressions.value('bool', scope, 1)),
      clause(' on conflict (id) do nothing'),
      this.returning(scope),
    );
  }

  private insertValues(table: string, settable: readonly Column[], scope: Scope): Node {
    const { random, expressions } = this;
    const { into, text } = this.target(table, settable);
    const row = (id: number): Node =>
      fixed(
        `(${id}`,
        ...into.map((column) =>
          fixed(', ', random.chance(5) ? 'default' : expressions.value(column.type, NO_SCOPE, 2)),
        ),
        ')',
      );
    const { name, type } = into[0]!;
    const excluded: Scope = { columns: [...scope.columns, { name: `excluded.${name}`, type }], keys: null };
    const conflict = random.chance(70)
      ? clause(
          ` on conflict (id) do update set ${name} = `,
          expressions.value(type, excluded, 1),
          clause(' where ', expressions.value('bool', excluded, 1)),
        )
      : clause(random.pick([' on conflict do nothing', ' on conflict on constraint nowhere do nothing', '']));
    return fixed(
      text,
      'values ',
      list(', ', [row(random.below(2) * 200 + 1), row(random.pick([201, 202, 203]))]),
      conflict,
      this.returning(scope),
    );
  }

  private merge(table: string, settable: readonly Column[], scope: Scope): Node {
    const { random, expressions } = this;
    const other = random.pick(TABLE_NAMES);
    const source: Scope = {
      columns: TABLES[other]!.map(({ name, type }) => ({ name: `s.${name}`, type })),
      keys: null,
    };
    const both: Scope = { columns: [...scope.columns, ...source.columns], keys: null };
    const when = (of: Scope): Node => clause(' and ', expressions.value('bool', of, 1));
    const { into } = this.target(table, settable);
    return fixed(
      `with m as (select 1) merge into ${table} using ${other} s on s.id = ${table}.id`,
      clause(' and ', expressions.value('bool', both, 1)),
      clause(' when matched', when(both), ' then ', random.pick(['delete', 'do nothing'])),
      clause(' when matched', when(both), ' then update set ', this.sets(settable, both)),
      clause(
        ' when not matched',
        when(source),
        ` then insert (id, ${into.map(({ name }) => name).join(', ')}) values (s.id + 100`,
        ...into.map(({ type }) => fixed(', ', expressions.value(type, source, 1))),
        ')',
      ),
      ' when not matched then do nothing',
    );
  }

  /** Written rows read by the statement around. */
  private inWith(table: string, settable: readonly Column[], scope: Scope): Node {
    const inner = this.random.pick([
      () => this.update(table, settable, scope),
      () => this.delete(table, scope),
      () => this.insertValues(table, settable, scope),
    ])();
    return fixed(
      'with w as (',
      inner,
      `) select w.*, (select count(*) from ${table}) from w`,
      this.random.pick(['', ` left join ${table} on ${table}.id = w.id`]),
    );
  }
}
