import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseStatements } from '../parse/parser.ts';
import { TestDatabase } from '../testing.ts';
import { analyseStatement, formatType } from './index.ts';

const FOLDER = new URL('../../../test/sql/tpch/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.create();
  database.define(read('schema.sql'));
});

/** Result columns as PostgreSQL 15 describes them. */
const COLUMNS: Readonly<Record<number, string>> = {
  1: 'l_returnflag character(1), l_linestatus character(1), sum_qty numeric, sum_base_price numeric, sum_disc_price numeric, sum_charge numeric, avg_qty numeric, avg_price numeric, avg_disc numeric, count_order bigint',
  2: 's_acctbal numeric(15,2), s_name character(25), n_name character(25), p_partkey integer, p_mfgr character(25), s_address character varying(40), s_phone character(15), s_comment character varying(101)',
  3: 'l_orderkey integer, revenue numeric, o_orderdate date, o_shippriority integer',
  4: 'o_orderpriority character(15), order_count bigint',
  5: 'n_name character(25), revenue numeric',
  6: 'revenue numeric',
  7: 'supp_nation character(25), cust_nation character(25), l_year numeric, revenue numeric',
  8: 'o_year numeric, mkt_share numeric',
  9: 'nation character(25), o_year numeric, sum_profit numeric',
  10: 'c_custkey integer, c_name character varying(25), revenue numeric, c_acctbal numeric(15,2), n_name character(25), c_address character varying(40), c_phone character(15), c_comment character varying(117)',
  11: 'ps_partkey integer, value numeric',
  12: 'l_shipmode character(10), high_line_count bigint, low_line_count bigint',
  13: 'c_count bigint, custdist bigint',
  14: 'promo_revenue numeric',
  15: 's_suppkey integer, s_name character(25), s_address character varying(40), s_phone character(15), total_revenue numeric',
  16: 'p_brand character(10), p_type character varying(25), p_size integer, supplier_cnt bigint',
  17: 'avg_yearly numeric',
  18: 'c_name character varying(25), c_custkey integer, o_orderkey integer, o_orderdate date, o_totalprice numeric(15,2), sum numeric',
  19: 'revenue numeric',
  20: 's_name character(25), s_address character varying(40)',
  21: 's_name character(25), numwait bigint',
  22: 'cntrycode text, numcust bigint, totacctbal numeric',
};

describe('TPC-H', () => {
  for (let number = 1; number <= 22; number++) {
    it(`analyses query ${number}`, () => {
      const text = read(`q${String(number).padStart(2, '0')}.sql`);
      for (const statement of parseStatements(text).statements) {
        if ('ViewStmt' in statement.tree) {
          database.define(text.slice(statement.start, statement.start + statement.length));
          continue;
        }
        const analysed = analyseStatement(statement, database.options());
        if (analysed.kind !== 'query') continue;
        const columns = analysed.query.targets
          .filter((target) => !target.junk)
          .map(
            ({ name, expr }) =>
              `${name} ${formatType(database.reader, database.path, expr.typeOid, expr.typmod)}`,
          );
        expect(columns.join(', ')).toBe(COLUMNS[number]);
      }
    });
  }
});
