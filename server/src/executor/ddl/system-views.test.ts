/** Every system view analyses, and gives exactly the columns its pg_attribute rows promise. */
import { describe, expect, it } from 'vitest';
import { RealClock } from '../../env/real/clock.ts';
import { parseQuery } from '../../sql/tree-json.ts';
import { DdlTestDatabase } from './testing.ts';

describe('system views', () => {
  it('are complete', async () => {
    const database = await DdlTestDatabase.create(new RealClock());
    const { reader } = database;
    const wrong: string[] = [];
    let count = 0;
    for (const { key } of reader.view.all('pg_class')) {
      const relation = reader.relation(key as number)!;
      if (relation.kind !== 'v') continue;
      count++;
      const targets = parseQuery(relation.viewQuery!).targets.filter(({ junk }) => !junk);
      targets.forEach((target, index) => {
        const column = relation.columns[index]!;
        const isPseudo = reader.type(column.typeOid)?.kind === 'p';
        if (target.name !== column.name || (!isPseudo && target.expr.typeOid !== column.typeOid))
          wrong.push(`${relation.namespaceName}.${relation.name}.${column.name}`);
      });
      if (targets.length !== relation.columns.length)
        wrong.push(`${relation.namespaceName}.${relation.name}`);
    }
    expect(wrong).toEqual([]);
    expect(count).toBe(142);
  });

  it('show a table of one’s own', async () => {
    const database = await DdlTestDatabase.create(new RealClock());
    await database.run('create table t (a serial primary key, b varchar(5) default $$x$$)');
    const { rows } = await database.run(
      "select column_name, data_type, character_maximum_length from information_schema.columns where table_name = 't' order by ordinal_position",
    );
    expect(rows).toEqual([
      ['a', 'integer', null],
      ['b', 'character varying', '5'],
    ]);
    expect((await database.run("select indexdef from pg_indexes where tablename = 't'")).rows).toEqual([
      ['CREATE UNIQUE INDEX t_pkey ON public.t USING btree (a)'],
    ]);
  });
});
