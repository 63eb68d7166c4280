import { readFileSync, existsSync } from 'node:fs';
import * as duckdb from '@duckdb/node-api';
import pg from 'pg';
import { difference, orderColumnsOf } from './measure/compare.ts';
import { statementsOf } from './tpch/benchmark.ts';
const D = '/work/wt/analytics/server/test/sql/tpch/';
const db = '/tmp/analytics/tpch.duckdb';
const fresh = !existsSync(db);
const instance = await duckdb.DuckDBInstance.create(db, { threads: '2' });
const con = await instance.connect();
async function duck(sts: string[]) { let last: any; for (const s of sts) { const r = await con.runAndReadAll(s); const types = r.columnTypes(); const rows = r.getRows(); if (/^\s*(select|with)/i.test(s)) last = { columns: r.columnNames(), isFloat: types.map((t: any) => t.typeId === duckdb.DuckDBTypeId.DOUBLE), rows: rows.map((row: any) => row.map((v: any) => v === null ? null : String(v))) }; } return last; }
if (fresh) {
  for (const s of statementsOf(readFileSync('/work/wt/analytics/bench/tpch/schema.sql', 'utf8'))) await con.run(s);
  for (const t of ['region','nation','supplier','part','partsupp','customer','orders','lineitem']) {
    const cols = (await con.runAndReadAll(`select column_name, data_type from duckdb_columns() where table_name='${t}' order by column_index`)).getRows();
    await con.run(`insert into ${t} select * from read_csv('/tmp/analytics/tbl/${t}.tbl', delim='|', header=false, quote='', escape='', columns={${cols.map(([n, ty]: any) => `'${n}': '${ty}'`).join(', ')}})`);
  }
  await con.run('checkpoint');
}
const client = new pg.Client({ host: '127.0.0.1', port: 6543, user: 'postgres', password: 'x', database: 'postgres', types: { getTypeParser: () => (v: any) => v } as any });
await client.connect();
await client.query("set statement_timeout='100s'");
if (process.env.FPSET) await client.query(process.env.FPSET);
async function fp(sts: string[]) { let last: any; for (const s of sts) { const r: any = await client.query({ text: s, rowMode: 'array' }); if (r.fields.length) last = { columns: r.fields.map((f: any) => f.name), isFloat: r.fields.map((f: any) => f.dataTypeID === 701), rows: r.rows }; } return last; }
const qs = process.argv[2] ? process.argv[2].split(',') : Array.from({ length: 22 }, (_, i) => String(i + 1));
const rounds = Number(process.argv[3] ?? 5);
let lf = 0, ld = 0, n = 0, sf = 0, sd = 0;
for (const q of qs) {
  const text = readFileSync(`${D}q${q.padStart(2, '0')}.sql`, 'utf8');
  const sts = statementsOf(text);
  const main = sts.find((s) => /^(?:select|with)\b/i.test(s)) ?? text;
  const f: number[] = [], d: number[] = [];
  let err = '';
  try {
    const a = await fp(sts); await fp(sts); const b = await duck(sts);
    err = difference(a, b, orderColumnsOf(main)) ?? '';
    for (let i = 0; i < rounds; i++) { let t = performance.now(); await fp(sts); f.push(performance.now() - t); t = performance.now(); await duck(sts); d.push(performance.now() - t); }
  } catch (e: any) { err = e.message; await client.query('drop view if exists revenue0').catch(() => {}); await con.run('drop view if exists revenue0').catch(() => {}); }
  const mf = Math.min(...f), md = Math.min(...d);
  if (f.length) { lf += Math.log(mf); ld += Math.log(md); n++; sf += mf; sd += md; }
  console.log(`Q${q}`.padEnd(4), mf.toFixed(1).padStart(8), md.toFixed(1).padStart(8), (mf / md).toFixed(2).padStart(7), err);
}
console.log('geo', Math.exp(lf / n).toFixed(1), Math.exp(ld / n).toFixed(1), Math.exp((lf - ld) / n).toFixed(3), 'sum', sf.toFixed(0), sd.toFixed(0));
process.exit();
