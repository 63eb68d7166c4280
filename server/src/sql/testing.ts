/**
 * For tests of this room: the real catalog of builtin objects, plus tables made from CREATE TABLE texts without any storage.
 */
import { Catalog } from '../catalog/catalog.ts';
import type {
  CatalogReader,
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexDescriptor,
  RelationDescriptor,
  SearchPath,
  TypeDescriptor,
} from '../catalog/contract.ts';
import { CATALOGS } from '../catalog/definitions.ts';
import { STATIC_ROW_ID } from '../catalog/layers.ts';
import { staticRows } from '../catalog/static-rows.ts';
import { nominalServices } from '../catalog/testing.ts';
import type { FormatContext } from '../types/contract.ts';
import { DEFAULT_FORMAT, findTypeSupport } from '../types/index.ts';
import { type AnalyseOptions, analyseExpression, analyseQuery, resolveTypeName } from './analyse/index.ts';
import { ParameterTypes } from './analyse/parameters.ts';
import { as, type ColumnDef, type Node, type RangeVar, stringsOf } from './parse/ast.ts';
import { loadParser, parseStatements } from './parse/parser.ts';
import { serialiseExpr, serialiseExprs, serialiseQuery } from './tree-json.ts';

let nextOid = 20000;

export class TestDatabase {
  readonly reader: CatalogReader;
  readonly path: SearchPath;
  readonly format: FormatContext;
  readonly #relations = new Map<number, RelationDescriptor>();
  readonly #types = new Map<number, TypeDescriptor>();

  private constructor(base: CatalogReader) {
    const relations = this.#relations;
    const types = this.#types;
    const reader = Object.create(base) as CatalogReader;
    reader.relation = (oid) => relations.get(oid) ?? base.relation(oid);
    reader.relationByName = (schema, name, path) => {
      if (schema === null || schema === 'public')
        for (const relation of relations.values()) if (relation.name === name) return relation;
      return base.relationByName(schema, name, path);
    };
    reader.relationNames = function* (schema, path) {
      for (const relation of relations.values()) yield relation.name;
      yield* base.relationNames(schema, path);
    };
    reader.type = (oid) => types.get(oid) ?? base.type(oid);
    reader.typeByName = (schema, name, path) => {
      for (const type of types.values()) if (type.name === name) return type;
      return base.typeByName(schema, name, path);
    };
    this.reader = reader;
    this.path = base.resolveSearchPath(['$user', 'public'], 'postgres', 0);
    this.format = { ...DEFAULT_FORMAT, names: base.names(this.path) };
  }

  static async create(): Promise<TestDatabase> {
    await loadParser();
    // Defaults of builtin functions are compiled against the same catalog.
    const services = {
      ...nominalServices(),
      builtinType: (oid: number) => findTypeSupport(oid) ?? null,
      compileDefaults: (texts: readonly string[], declared: readonly number[], reader: CatalogReader) =>
        compileDefaults(texts, declared, reader),
      compileView: (sql: string, reader: CatalogReader) => compileView(sql, reader),
    };
    const catalog = new Catalog(services, 5);
    for (const definition of CATALOGS.values())
      if (definition.seeded)
        for (const values of staticRows(definition.name))
          catalog.load(definition.name, { key: definition.key(values), values, rowId: STATIC_ROW_ID });
    return new TestDatabase(catalog.committed);
  }

  options(parameterTypes?: readonly number[]): AnalyseOptions {
    return {
      catalog: this.reader,
      path: this.path,
      format: this.format,
      ...(parameterTypes ? { parameterTypes } : {}),
    };
  }

  /** Runs CREATE TABLE, CREATE VIEW and CREATE UNIQUE INDEX statements of a text. */
  define(ddl: string): void {
    for (const { tree } of parseStatements(ddl).statements) {
      const table = as(tree, 'CreateStmt');
      const view = as(tree, 'ViewStmt');
      const index = as(tree, 'IndexStmt');
      if (table) this.#createTable(table.relation as RangeVar, table.tableElts ?? []);
      else if (view) this.#createView(view.view as RangeVar, view.query!, stringsOf(view.aliases));
      else if (index)
        this.#addIndex(
          (index.relation as RangeVar).relname!,
          index.idxname ?? '',
          (index.indexParams ?? []).map((node) => as(node, 'IndexElem')?.name ?? ''),
          index.unique === true,
          false,
          index.whereClause,
        );
    }
  }

  #createView(name: RangeVar, select: Node, aliases: string[]): void {
    const query = analyseQuery(select, this.options());
    const oid = nextOid++;
    const columns = query.targets
      .filter((target) => !target.junk)
      .map((target, index) =>
        column(
          index + 1,
          aliases[index] ?? target.name,
          target.expr.typeOid,
          target.expr.typmod,
          target.expr.collation,
        ),
      );
    this.#register(oid, name.relname!, 'v', columns, serialiseQuery(query));
  }

  #createTable(name: RangeVar, elements: readonly Node[]): void {
    const context = {
      catalog: this.reader,
      path: this.path,
      format: this.format,
      parameters: new ParameterTypes([], false),
    };
    const columns: ColumnDescriptor[] = [];
    const oid = nextOid++;
    const keys: { name: string; columns: string[]; primary: boolean }[] = [];
    const later: (() => void)[] = [];
    for (const element of elements) {
      const definition = as(element, 'ColumnDef') as ColumnDef | undefined;
      const constraint = as(element, 'Constraint');
      if (constraint && (constraint.contype === 'CONSTR_PRIMARY' || constraint.contype === 'CONSTR_UNIQUE'))
        keys.push({
          name:
            constraint.conname ??
            `${name.relname}_${constraint.contype === 'CONSTR_PRIMARY' ? 'pkey' : 'key'}`,
          columns: stringsOf(constraint.keys),
          primary: constraint.contype === 'CONSTR_PRIMARY',
        });
      if (!definition) continue;
      const type = resolveTypeName(context, definition.typeName!);
      const item = column(
        columns.length + 1,
        definition.colname!,
        type.typeOid,
        type.typmod,
        this.reader.type(type.typeOid)?.collation ?? 0,
      ) as { -readonly [Key in keyof ColumnDescriptor]: ColumnDescriptor[Key] };
      for (const node of definition.constraints ?? []) {
        const own = as(node, 'Constraint')!;
        switch (own.contype) {
          case 'CONSTR_PRIMARY':
          case 'CONSTR_UNIQUE':
            keys.push({
              name: `${name.relname}_${own.contype === 'CONSTR_PRIMARY' ? 'pkey' : `${definition.colname}_key`}`,
              columns: [definition.colname!],
              primary: own.contype === 'CONSTR_PRIMARY',
            });
            break;
          case 'CONSTR_NOTNULL':
            item.notNull = true;
            break;
          case 'CONSTR_IDENTITY':
            item.identity = own.generated_when as 'a' | 'd';
            item.sequenceOid = nextOid++;
            break;
          case 'CONSTR_GENERATED':
            item.generated = 's';
            later.push(() => {
              item.defaultExpression = serialiseExpr(
                analyseExpression(own.raw_expr!, {
                  ...this.options(),
                  kind: 'generated',
                  relation: this.#relations.get(oid)!,
                }),
              );
            });
            break;
          case 'CONSTR_DEFAULT':
            item.defaultExpression = serialiseExpr(
              analyseExpression(own.raw_expr!, {
                ...this.options(),
                kind: 'columnDefault',
                target: { typeOid: type.typeOid, typmod: type.typmod, label: `column "${item.name}"` },
              }),
            );
            break;
          default:
            break;
        }
      }
      columns.push(item);
    }
    this.#register(oid, name.relname!, 'r', columns, null);
    for (const run of later) run();
    for (const key of keys) this.#addIndex(name.relname!, key.name, key.columns, true, key.primary);
  }

  #addIndex(
    table: string,
    name: string,
    keys: string[],
    unique: boolean,
    primary: boolean,
    predicate?: Node,
  ): void {
    const relation = this.reader.relationByName(null, table, this.path)!;
    const numbers = keys.map((key) => relation.columns.find((item) => item.name === key)!.number);
    const indexOid = nextOid++;
    const index: IndexDescriptor = {
      oid: indexOid,
      name,
      tableOid: relation.oid,
      accessMethod: 'btree',
      unique,
      primary,
      valid: true,
      keyColumns: numbers,
      includedColumns: [],
      expressions: [],
      predicate: predicate
        ? serialiseExpr(analyseExpression(predicate, { ...this.options(), kind: 'indexPredicate', relation }))
        : null,
      descending: numbers.map(() => false),
      nullsFirst: numbers.map(() => false),
      operatorClasses: numbers.map(() => 0),
      schema: {
        indexOid,
        name,
        unique,
        primary,
        nullsNotDistinct: false,
        keys: [],
        included: [],
        predicate: null,
      },
    };
    (relation.indexes as IndexDescriptor[]).push(index);
    if (unique)
      (relation.constraints as ConstraintDescriptor[]).push({
        oid: nextOid++,
        name,
        kind: primary ? 'p' : 'u',
        relationOid: relation.oid,
        columns: numbers,
        indexOid,
        expression: null,
        deferrable: false,
        deferred: false,
        validated: true,
        foreign: null,
      });
  }

  #register(
    oid: number,
    name: string,
    kind: 'r' | 'v',
    columns: ColumnDescriptor[],
    viewQuery: string | null,
  ): void {
    const rowTypeOid = nextOid++;
    const arrayOid = nextOid++;
    const type: TypeDescriptor = {
      oid: rowTypeOid,
      name,
      namespaceOid: 2200,
      length: -1,
      byValue: false,
      kind: 'c',
      category: 'C',
      preferred: false,
      elementOid: 0,
      arrayOid,
      relationOid: oid,
      baseTypeOid: 0,
      typmod: -1,
      collation: 0,
      isTrueArray: false,
      support: findTypeSupport(2249)!,
    };
    this.#types.set(rowTypeOid, type);
    this.#types.set(arrayOid, {
      ...type,
      oid: arrayOid,
      name: `_${name}`,
      kind: 'b',
      category: 'A',
      elementOid: rowTypeOid,
      arrayOid: 0,
      relationOid: 0,
      isTrueArray: true,
      support: findTypeSupport(2287)!,
    });
    this.#relations.set(oid, {
      oid,
      name,
      namespaceOid: 2200,
      namespaceName: 'public',
      kind,
      persistence: 'p',
      ownerOid: 10,
      rowTypeOid,
      columns,
      constraints: [],
      indexes: [],
      referencedBy: [],
      viewQuery,
      acl: null,
      table: null,
      rowSecurity: 'none',
      virtualRows: null,
      children: [],
      parents: [],
    });
  }
}

function column(
  number: number,
  name: string,
  typeOid: number,
  typmod: number,
  collation: number,
): ColumnDescriptor {
  return {
    number,
    name,
    typeOid,
    typmod,
    collation,
    notNull: false,
    dropped: false,
    defaultExpression: null,
    identity: '',
    generated: '',
    sequenceOid: 0,
  };
}

const BUILTIN_PATH: SearchPath = { namespaces: [11], creationNamespace: 0 };

function compileDefaults(
  texts: readonly string[],
  declared: readonly number[],
  reader: CatalogReader,
): string {
  return serialiseExprs(
    texts.map((text, index) => {
      const select = as(parseStatements(`SELECT ${text}`).statements[0].tree, 'SelectStmt');
      const node = as(select?.targetList?.[0], 'ResTarget')?.val as Node;
      return analyseExpression(node, {
        catalog: reader,
        path: BUILTIN_PATH,
        format: DEFAULT_FORMAT,
        kind: 'functionDefault',
        target: { typeOid: declared[index], typmod: -1, label: 'argument' },
      });
    }),
  );
}

function compileView(sql: string, reader: CatalogReader): string {
  return serialiseQuery(
    analyseQuery(parseStatements(sql).statements[0].tree, {
      catalog: reader,
      path: BUILTIN_PATH,
      format: { ...DEFAULT_FORMAT, names: reader.names(BUILTIN_PATH) },
    }),
  );
}
