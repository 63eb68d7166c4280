import { describe, expect, it } from 'vitest';
import { Catalog } from './catalog.ts';
import type { SearchPath } from './contract.ts';
import { CATALOGS } from './definitions.ts';
import { formatType } from './format-type.ts';
import { STATIC_ROW_ID } from './layers.ts';
import { OWN_VIEWS } from './own-functions.ts';
import { staticRows } from './static-rows.ts';
import { nominalServices } from './testing.ts';

function freshCatalog(): Catalog {
  const catalog = new Catalog(nominalServices(), 5);
  for (const definition of CATALOGS.values())
    if (definition.seeded)
      for (const values of staticRows(definition.name))
        catalog.load(definition.name, { key: definition.key(values), values, rowId: STATIC_ROW_ID });
  return catalog;
}

describe('catalog reader over PostgreSQL’s own rows', () => {
  const reader = freshCatalog().committed;
  const path: SearchPath = reader.resolveSearchPath(['$user', 'public'], 'postgres', 0);

  it('resolves the default search path', () => {
    expect(path).toEqual({ namespaces: [11, 2200], creationNamespace: 2200 });
  });

  it('finds functions, operators, casts and types', () => {
    expect(reader.functionsByName(null, 'lower', path).map(({ source }) => source)).toContain('lower');
    expect(reader.functionsByName(null, 'sum', path)).toHaveLength(8);
    const plus = reader.operatorsByName(null, '+', path).find((o) => o.leftType === 23 && o.rightType === 23);
    expect(plus).toMatchObject({ oid: 551, resultType: 23, functionOid: 177 });
    expect(reader.operator(96)).toMatchObject({ name: '=', btreeStrategy: 3, canHash: true });
    expect(reader.operator(2314)?.btreeStrategy ?? 0).toBe(0);
    expect(reader.cast(23, 20)).toMatchObject({ context: 'i', method: 'f', functionOid: 481 });
    expect(reader.typeByName(null, 'int4', path)?.oid).toBe(23);
    expect(reader.type(1007)).toMatchObject({ isTrueArray: true, elementOid: 23 });
    expect(reader.function(2108)).toMatchObject({ kind: 'a', aggregate: { kind: 'n', transitionType: 20 } });
  });

  it('knows the ordering of types served by another class', () => {
    expect(reader.orderingOperators(23)).toEqual({ equal: 96, less: 97, greater: 521 });
    expect(reader.orderingOperators(1043)).toEqual({ equal: 98, less: 664, greater: 666 });
    expect(reader.orderingOperators(2205)).toEqual({ equal: 607, less: 609, greater: 610 });
    expect(reader.orderingOperators(1007)).toEqual({ equal: 1070, less: 1072, greater: 1073 });
    expect(reader.orderingOperators(114)).toEqual({ equal: 0, less: 0, greater: 0 });
  });

  it('prints and resolves names', () => {
    const names = reader.names(path);
    expect(names.print('class', 1259)).toBe('pg_class');
    expect(names.resolve('class', 'pg_catalog.pg_class')).toBe(1259);
    expect(names.print('procedure', 1598)).toBe('random()');
    expect(names.resolve('procedure', 'substr(text,int,integer)')).toBe(877);
    expect(names.resolve('type', 'timestamp(3) with time zone')).toBe(1184);
    expect(names.resolve('type', 'character varying(10)[]')).toBe(1015);
    expect(() => names.resolve('class', 'nope')).toThrow('relation "nope" does not exist');
    expect(formatType(reader, 1700, { typmod: ((12 << 16) | 2) + 4 })).toBe('numeric(12,2)');
    expect(formatType(reader, 1042, { typmod: 5 })).toBe('character(1)');
    expect(formatType(reader, 1015, { typmod: 14 })).toBe('character varying(10)[]');
    expect(formatType(reader, 1184, { typmod: 3 })).toBe('timestamp(3) with time zone');
  });

  it('describes the catalogs themselves, with rows computed from memory', () => {
    const pgClass = reader.relationByName(null, 'pg_class', path)!;
    expect(pgClass.columns.map(({ name }) => name).slice(0, 3)).toEqual(['oid', 'relname', 'relnamespace']);
    expect(pgClass.columns).toHaveLength(33);
    expect(pgClass.table).toBeNull();
    const rows = [...pgClass.virtualRows!({ catalog: reader, sessionId: 1 })];
    expect(rows).toHaveLength(410 + OWN_VIEWS.length);
    expect(reader.relationByName('information_schema', 'tables', path)?.kind).toBe('v');
    const attributes = [...reader.relation(1249)!.virtualRows!({ catalog: reader, sessionId: 1 })];
    expect(attributes.filter((row) => row[0] === 1259)).toHaveLength(39);
  });

  it('prints access lists with names', () => {
    const pgClass = reader.relation(1259)!;
    const row = [...pgClass.virtualRows!({ catalog: reader, sessionId: 1 })].find(
      (values) => values[0] === 1260,
    )!;
    expect(row[30]).toMatchObject({ elements: ['postgres=arwdDxt/postgres'] });
  });

  it('checks privileges and membership', () => {
    expect(reader.hasPrivilegesOfRole(10, 3373)).toBe(true);
    expect(reader.hasPrivilegesOfRole(3373, 3374)).toBe(true);
    expect(reader.hasPrivilegesOfRole(3373, 10)).toBe(false);
    expect(reader.hasRelationPrivilege(3373, reader.relation(1259)!, 'SELECT', null)).toBe(true);
    expect(reader.hasRelationPrivilege(3373, reader.relation(1260)!, 'SELECT', null)).toBe(false);
  });
});
