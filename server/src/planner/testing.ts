/**
 * For tests: statistics made by hand, and an evaluator of constants over the builtin functions.
 */

import { internalError } from '../base/error.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { FunctionContext } from '../sql/functions/contract.ts';
import { bindScalar, scalarFunction } from '../sql/functions/index.ts';
import type { Expr } from '../sql/tree.ts';
import type { ColumnStatistics } from '../table/contract.ts';
import type { Datum, SqlArray } from '../types/datum.ts';
import { DEFAULT_FORMAT, typeSupport } from '../types/index.ts';
import type { ConstantEvaluator, StatisticsProvider } from './contract.ts';

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
