/**
 * For tests: statistics made by hand, and an evaluator of constants over the builtin functions.
 */

import { internalError } from '../base/error.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import { analyseStatement } from '../sql/analyse/index.ts';
import type { FunctionContext } from '../sql/functions/contract.ts';
import { bindScalar, scalarFunction } from '../sql/functions/index.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { rewriteQuery } from '../sql/rewrite/index.ts';
import { TestDatabase } from '../sql/testing.ts';
import type { Expr, Query } from '../sql/tree.ts';
import type { ColumnStatistics, GroupStatistics } from '../table/contract.ts';
import type { Datum, SqlArray } from '../types/datum.ts';
import { DEFAULT_FORMAT, typeSupport } from '../types/index.ts';
import type { ConstantEvaluator, PlannerSettings, StatisticsProvider } from './contract.ts';
import {
  DEFAULT_EXPLAIN_OPTIONS,
  type ExplainOptions,
  explainPlan,
  type PlanInstrumentation,
} from './explain/index.ts';
import type { PhysicalPlan } from './physical.ts';
import { planQuery } from './plan-query.ts';

/** Evaluates calls of plain builtin functions over constants. */
export function constantEvaluator(catalog: CatalogReader): ConstantEvaluator {
  const context = {
    format: DEFAULT_FORMAT,
    typeSupport,
    transactionTimestamp: 0n,
    statementTimestamp: 0n,
  } as unknown as FunctionContext;
  const evaluate = (expr: Expr): Datum => {
    switch (expr.kind) {
      case 'const':
        return expr.value;
      case 'relabel':
        return evaluate(expr.arg);
      case 'ioCast':
        return typeSupport(expr.typeOid).input(
          typeSupport(expr.arg.typeOid).output(evaluate(expr.arg), DEFAULT_FORMAT),
          expr.typmod,
          DEFAULT_FORMAT,
        );
      case 'arrayOperator': {
        const left = evaluate(expr.args[0]);
        const list = evaluate(expr.args[1]) as SqlArray;
        const source = catalog.function(expr.functionOid)?.source ?? '';
        const run = scalarFunction(source)?.pure;
        if (run === undefined) throw internalError(`no function ${source}`);
        return expr.any
          ? list.elements.some((item) => run(left, item) === true)
          : list.elements.every((item) => run(left, item) === true);
      }
      case 'function':
      case 'operator': {
        const descriptor = catalog.function(expr.functionOid);
        const implementation = scalarFunction(descriptor?.source ?? '');
        if (implementation === undefined) throw internalError(`no function ${descriptor?.source}`);
        const args = expr.args.map(evaluate);
        if (descriptor?.strict && args.includes(null)) return null;
        const site = {
          argumentTypes: expr.args.map((arg) => arg.typeOid),
          resultType: expr.typeOid,
          variadic: false,
          collation: 0,
        };
        return bindScalar(implementation, context, site)(...args);
      }
      default:
        throw internalError(`cannot evaluate ${expr.kind}`);
    }
  };
  return evaluate;
}

export interface FakeTable {
  groups?: readonly GroupStatistics[];
  rows: number;
  bytes?: number;
  columns?: Record<string, Partial<ColumnStatistics>>;
}

/** Statistics by table and column name. Tables that are not listed have 1000 rows. */
export class FakeStatistics implements StatisticsProvider {
  private readonly catalog: CatalogReader;
  private readonly tables: Readonly<Record<string, FakeTable>>;

  constructor(catalog: CatalogReader, tables: Readonly<Record<string, FakeTable>>) {
    this.catalog = catalog;
    this.tables = tables;
  }

  estimate(tableOid: number): { rows: number; bytes: number } | null {
    const table = this.tables[this.catalog.relation(tableOid)?.name ?? ''];
    return table === undefined ? null : { rows: table.rows, bytes: table.bytes ?? table.rows * 40 };
  }

  groups(tableOid: number): readonly GroupStatistics[] {
    return this.tables[this.catalog.relation(tableOid)?.name ?? '']?.groups ?? [];
  }

  column(tableOid: number, column: number): ColumnStatistics | null {
    const relation = this.catalog.relation(tableOid);
    const known = this.tables[relation?.name ?? '']?.columns?.[relation?.columns[column]?.name ?? ''];
    if (known === undefined) return null;
    return {
      nullFraction: 0,
      distinctCount: 0,
      averageWidth: 8,
      minimum: null,
      maximum: null,
      mostCommon: [],
      histogram: [],
      correlation: 0,
      ...known,
    };
  }
}

const day = (text: string): number => typeSupport(1082).input(text, -1, DEFAULT_FORMAT) as number;

/** TPC-H at a scale factor: row counts, distinct counts and ranges as the specification gives them. */
export function tpchStatistics(catalog: CatalogReader, scale = 1): FakeStatistics {
  const dates = (from: string, to: string): Partial<ColumnStatistics> => ({
    distinctCount: 2500,
    minimum: day(from),
    maximum: day(to),
    histogram: Array.from({ length: 101 }, (_, i) =>
      Math.round(day(from) + ((day(to) - day(from)) * i) / 100),
    ),
  });
  const numeric = (text: string): Datum => typeSupport(1700).input(text, -1, DEFAULT_FORMAT);
  const common = (values: string[]): Partial<ColumnStatistics> => ({
    distinctCount: values.length,
    mostCommon: values.map((value) => ({ value, fraction: 1 / values.length })),
  });
  return new FakeStatistics(catalog, {
    t: {
      rows: 10_000,
      columns: {
        a: { distinctCount: 100, minimum: 0, maximum: 99, nullFraction: 0.1 },
        b: { distinctCount: 10, minimum: 0, maximum: 9 },
        c: { distinctCount: 5000 },
      },
    },
    words: { rows: 100_000, columns: { word: { distinctCount: -1 } } },
    u: { rows: 1000, columns: { a: { distinctCount: 100 }, b: { distinctCount: 10 } } },
    region: { rows: 5, columns: { r_name: { distinctCount: 5 } } },
    nation: { rows: 25, columns: { n_name: { distinctCount: 25 }, n_regionkey: { distinctCount: 5 } } },
    supplier: {
      rows: 10_000 * scale,
      columns: { s_nationkey: { distinctCount: 25 }, s_comment: { distinctCount: 9900 * scale } },
    },
    customer: {
      rows: 150_000 * scale,
      columns: {
        c_nationkey: { distinctCount: 25 },
        c_mktsegment: common(['AUTOMOBILE', 'BUILDING  ', 'FURNITURE ', 'HOUSEHOLD ', 'MACHINERY ']),
        c_acctbal: {
          distinctCount: 140_000 * scale,
          minimum: numeric('-999.99'),
          maximum: numeric('9999.99'),
        },
      },
    },
    part: {
      rows: 200_000 * scale,
      columns: {
        p_brand: { distinctCount: 25 },
        p_container: { distinctCount: 40 },
        p_size: { distinctCount: 50, minimum: 1, maximum: 50 },
        p_type: { distinctCount: 150 },
        p_name: { distinctCount: 199_000 * scale },
      },
    },
    partsupp: {
      rows: 800_000 * scale,
      columns: {
        ps_partkey: { distinctCount: 200_000 * scale },
        ps_suppkey: { distinctCount: 10_000 * scale },
        ps_supplycost: { distinctCount: 99_000 },
      },
    },
    orders: {
      rows: 1_500_000 * scale,
      columns: {
        o_custkey: { distinctCount: 100_000 * scale },
        o_orderdate: dates('1992-01-01', '1998-08-02'),
        o_orderstatus: common(['F', 'O', 'P']),
        o_orderpriority: { distinctCount: 5 },
      },
    },
    lineitem: {
      rows: 6_001_215 * scale,
      columns: {
        l_orderkey: { distinctCount: 1_500_000 * scale },
        l_partkey: { distinctCount: 200_000 * scale },
        l_suppkey: { distinctCount: 10_000 * scale },
        l_quantity: { distinctCount: 50, minimum: numeric('1'), maximum: numeric('50') },
        l_discount: { distinctCount: 11, minimum: numeric('0'), maximum: numeric('0.10') },
        l_shipdate: dates('1992-01-02', '1998-12-01'),
        l_commitdate: dates('1992-01-31', '1998-10-31'),
        l_receiptdate: dates('1992-01-03', '1998-12-31'),
        l_returnflag: { distinctCount: 3 },
        l_linestatus: { distinctCount: 2 },
        l_shipmode: { distinctCount: 7 },
        l_shipinstruct: { distinctCount: 4 },
      },
    },
  });
}

const TPCH = `
create table region (r_regionkey integer not null primary key, r_name char(25) not null, r_comment varchar(152));
create table nation (n_nationkey integer not null primary key, n_name char(25) not null, n_regionkey integer not null,
  n_comment varchar(152));
create table part (p_partkey integer not null primary key, p_name varchar(55) not null, p_mfgr char(25) not null,
  p_brand char(10) not null, p_type varchar(25) not null, p_size integer not null, p_container char(10) not null,
  p_retailprice decimal(15,2) not null, p_comment varchar(23) not null);
create table supplier (s_suppkey integer not null primary key, s_name char(25) not null, s_address varchar(40) not null,
  s_nationkey integer not null, s_phone char(15) not null, s_acctbal decimal(15,2) not null,
  s_comment varchar(101) not null);
create table partsupp (ps_partkey integer not null, ps_suppkey integer not null, ps_availqty integer not null,
  ps_supplycost decimal(15,2) not null, ps_comment varchar(199) not null, primary key (ps_partkey, ps_suppkey));
create table customer (c_custkey integer not null primary key, c_name varchar(25) not null, c_address varchar(40) not null,
  c_nationkey integer not null, c_phone char(15) not null, c_acctbal decimal(15,2) not null, c_mktsegment char(10) not null,
  c_comment varchar(117) not null);
create table orders (o_orderkey integer not null primary key, o_custkey integer not null, o_orderstatus char(1) not null,
  o_totalprice decimal(15,2) not null, o_orderdate date not null, o_orderpriority char(15) not null,
  o_clerk char(15) not null, o_shippriority integer not null, o_comment varchar(79) not null);
create table lineitem (l_orderkey integer not null, l_partkey integer not null, l_suppkey integer not null,
  l_linenumber integer not null, l_quantity decimal(15,2) not null, l_extendedprice decimal(15,2) not null,
  l_discount decimal(15,2) not null, l_tax decimal(15,2) not null, l_returnflag char(1) not null,
  l_linestatus char(1) not null, l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
  l_shipinstruct char(25) not null, l_shipmode char(10) not null, l_comment varchar(44) not null,
  primary key (l_orderkey, l_linenumber));
create table t (id integer not null primary key, a integer, b integer, c text, big bigint, d date, flag boolean);
create table u (id integer not null primary key, a integer, b integer not null, c text);
`;

/** A database with TPC-H's tables and two small general ones (`t`: 10,000 rows, `u`: 1,000), and statistics to plan by. */
export class PlannerFixture {
  readonly database: TestDatabase;
  readonly evaluateConstant: ConstantEvaluator;
  statistics: StatisticsProvider;

  private constructor(database: TestDatabase) {
    this.database = database;
    this.evaluateConstant = constantEvaluator(database.reader);
    this.statistics = tpchStatistics(database.reader);
  }

  static async create(): Promise<PlannerFixture> {
    const database = await TestDatabase.create();
    database.define(TPCH);
    return new PlannerFixture(database);
  }

  query(
    sql: string,
    parameterTypes: readonly number[] = [],
  ): { query: Query; parameterTypes: readonly number[] } {
    const statement = analyseStatement(
      parseStatements(sql).statements[0],
      this.database.options(parameterTypes),
    );
    if (statement.kind !== 'query') throw internalError('not a query');
    return {
      query: rewriteQuery(statement.query, this.database.reader),
      parameterTypes: statement.parameterTypes,
    };
  }

  plan(sql: string, settings: Partial<PlannerSettings> = {}): PhysicalPlan {
    const { query, parameterTypes } = this.query(sql);
    return planQuery(query, {
      catalog: this.database.reader,
      statistics: this.statistics,
      settings,
      evaluateConstant: this.evaluateConstant,
      parameterTypes,
    });
  }

  /** EXPLAIN (COSTS OFF) unless told otherwise. */
  explain(
    sql: string,
    options: Partial<ExplainOptions> = {},
    settings: Partial<PlannerSettings> = {},
    instrumentation: PlanInstrumentation | null = null,
  ): string {
    return explainPlan(
      this.plan(sql, settings),
      { ...DEFAULT_EXPLAIN_OPTIONS, costs: false, ...options },
      {
        catalog: this.database.reader,
        format: this.database.format,
        instrumentation,
        times: { planning: 0.125, execution: 1.5 },
        settings: [
          ['enable_sort', 'off'],
          ['work_mem', '32MB'],
        ],
        wal: { records: 3, bytes: 210 },
      },
    ).join('\n');
  }
}
