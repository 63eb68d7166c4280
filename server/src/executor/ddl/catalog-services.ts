/** CatalogServices over sql and executor: what the catalog has analysed and compiled on demand. */
import type { CatalogReader, SearchPath } from '../../catalog/contract.ts';
import type { CatalogServices } from '../../catalog/services.ts';
import { analyseExpression, analyseQuery } from '../../sql/analyse/index.ts';
import type { FunctionContext } from '../../sql/functions/contract.ts';
import type { Expr } from '../../sql/tree.ts';
import { parseExpr, serialiseExprs, serialiseQuery } from '../../sql/tree-json.ts';
import type { SequenceState, TableStore } from '../../table/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { DEFAULT_FORMAT } from '../../types/index.ts';
import { CatalogFunctionResolver, type FunctionLibrary } from '../functions.ts';
import { ExpressionCompiler } from '../row/expression/compile.ts';
import { parseExpression, parseStatement } from './sql-services.ts';

/** Texts of the server's own are analysed by this path alone. */
const SYSTEM_PATH: SearchPath = { namespaces: [11], creationNamespace: 0 };

export interface CatalogServiceOptions {
  readonly library: FunctionLibrary;
  /** A context outside any session, for index expressions (immutable functions only). Late: it may need the catalog. */
  functionContext(): FunctionContext;
  tables(): TableStore;
}

export function createCatalogServices(options: CatalogServiceOptions): CatalogServices {
  const analysis = (reader: CatalogReader) => ({
    catalog: reader,
    path: SYSTEM_PATH,
    format: { ...DEFAULT_FORMAT, names: reader.names(SYSTEM_PATH) },
  });
  return {
    compileView: (sql, reader) => serialiseQuery(analyseQuery(parseStatement(sql), analysis(reader))),
    compileDefaults: (texts, types, reader) =>
      serialiseExprs(
        texts.map(
          (text, index): Expr =>
            analyseExpression(parseExpression(text), {
              ...analysis(reader),
              kind: 'functionDefault',
              target: { typeOid: types[index]!, typmod: -1, label: 'argument' },
            }),
        ),
      ),
    compileRowExpression(serialised, _relation, reader) {
      const resolver = new CatalogFunctionResolver(() => reader, options.library, options.functionContext());
      const compiler = new ExpressionCompiler(null, resolver, {
        variable: (variable) => (row) => row[variable.attribute - 1]!,
      });
      const run = compiler.compile(parseExpr(serialised));
      return (row) => run(row as Datum[]);
    },
    analyzed: () => options.tables().analyzed(),
    sequenceState(oid): SequenceState | null {
      return options.tables().sequence(oid).state;
    },
  };
}
