/** Joins parser, analysis, planner and executor into what sessions call a compiler. */
import type { Oid } from '../base/brands.ts';
import type { DbError } from '../base/error.ts';
import { limitWork, restoreWork } from '../base/work.ts';
import type { CatalogReader, RelationDescriptor } from '../catalog/contract.ts';
import type { Execution, ExecutorServices } from '../executor/contract.ts';
import type { RowExecutor } from '../executor/driver.ts';
import { CatalogFunctionResolver, type FunctionLibrary } from '../executor/functions.ts';
import type { OffloadService } from '../executor/offload/service.ts';
import { ExpressionCompiler } from '../executor/row/expression/compile.ts';
import { type PlannerSettings, planQuery, type StatisticsProvider } from '../planner/index.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type {
  CompileEnvironment,
  LiftedText,
  ParsedStatement,
  StatementCompiler,
} from '../session/engine.ts';
import { analyseExpression, analyseStatement, resolveTypeName } from '../sql/analyse/index.ts';
import { ParameterTypes } from '../sql/analyse/parameters.ts';
import { emptyQuery } from '../sql/analyse/scope.ts';
import type { FunctionContext } from '../sql/functions/contract.ts';
import { type Node, type RawStatement, tagOf } from '../sql/parse/ast.ts';
import { LITERAL_TYPE_OID, liftLiterals } from '../sql/parse/literals.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { prescan } from '../sql/parse/prescan.ts';
import { unpackStatements } from '../sql/parse/worker-parse.ts';
import { rewriteQuery } from '../sql/rewrite/index.ts';
import { inlineFunctions } from '../sql/rewrite/inline-functions.ts';
import type { AnalysedStatement, Expr, Query } from '../sql/tree.ts';
import type { TableStore } from '../table/contract.ts';
import type { Datum } from '../types/datum.ts';

/** For the price of a scan: a catalog's rows are in memory. */
const CATALOG_ROW_BYTES = 64;

/** Statistics of the table store as the planner asks for them. */
export function statisticsOf(tables: TableStore, catalog: CatalogReader): StatisticsProvider {
  const isStored = (tableOid: Oid): boolean => {
    const relation = catalog.relation(tableOid);
    return relation !== null && relation.table !== null && relation.virtualRows === null;
  };
  return {
    estimate: (tableOid) => {
      if (!isStored(tableOid)) {
        const rows = catalog.catalogRowCount?.(tableOid) ?? null;
        return rows === null ? null : { rows, bytes: rows * CATALOG_ROW_BYTES };
      }
      const { rows, bytes } = tables.table(tableOid).estimate();
      return { rows, bytes };
    },
    column: (tableOid, column) => (isStored(tableOid) ? tables.table(tableOid).statistics(column) : null),
    groups: (tableOid) => {
      const asked = catalog.columnGroups(tableOid);
      if (asked.length === 0 || !isStored(tableOid)) return [];
      // Those whose statistics object was dropped since are forgotten at once.
      const known = tables.table(tableOid).groupStatistics();
      return known.filter(({ oid }) => asked.some((group) => group.oid === oid));
    },
  };
}

/** Evaluates expressions without columns: immutable ones for the planner, EXECUTE's arguments. */
export function constantEvaluator(
  catalog: CatalogReader,
  library: FunctionLibrary,
  context: FunctionContext,
): (expression: Expr) => Datum {
  const resolver = new CatalogFunctionResolver(() => catalog, library, context);
  return (expression) => new ExpressionCompiler(null, resolver).compile(expression)([]);
}

/** As {@link constantEvaluator}, but heavy expressions are left to the execution, where they may move to another thread. */
function boundedEvaluator(
  catalog: CatalogReader,
  library: FunctionLibrary,
  context: FunctionContext,
): (expression: Expr) => Datum {
  const evaluate = constantEvaluator(catalog, library, context);
  return (expression) => {
    const outer = limitWork(FOLDING_WORK);
    try {
      return evaluate(expression);
    } finally {
      restoreWork(outer);
    }
  };
}

/** Units of base/work.ts: a fold of the planner takes at most a fraction of a millisecond. */
const FOLDING_WORK = 50_000;

/** By executor: from this cost on a plan may be made for pipelines. A unit is some 40 µs of the row executor. */
const PIPELINE_COST_MIN: Readonly<Record<string, number>> = { auto: 1000, compiled: 0 };

function plannerSettings(setting: (name: string) => string): PlannerSettings {
  const isOn = (name: string): boolean => setting(name) === 'on';
  const number = (name: string): number => Number(setting(name));
  return {
    seqPageCost: number('seq_page_cost'),
    randomPageCost: number('random_page_cost'),
    cpuTupleCost: number('cpu_tuple_cost'),
    cpuIndexTupleCost: number('cpu_index_tuple_cost'),
    cpuOperatorCost: number('cpu_operator_cost'),
    enableSeqScan: isOn('enable_seqscan'),
    enableIndexScan: isOn('enable_indexscan'),
    enableHashJoin: isOn('enable_hashjoin'),
    enableNestedLoop: isOn('enable_nestloop'),
    enableMergeJoin: isOn('enable_mergejoin'),
    enableHashAgg: isOn('enable_hashagg'),
    enableSort: isOn('enable_sort'),
    enableMaterial: isOn('enable_material'),
    cursorTupleFraction: 1,
    joinSearchLimit: 12,
    workMemBytes: number('work_mem') * 1024,
    pipelineCostMin: PIPELINE_COST_MIN[setting('fastpostgres.executor')] ?? Number.POSITIVE_INFINITY,
  };
}

/** What is shown of a statement that a rule turned into nothing. */
const NOTHING: Query = emptyQuery('select');

export class EngineCompiler implements StatementCompiler {
  private readonly tables: TableStore;
  private readonly library: FunctionLibrary;
  private readonly executor: RowExecutor;

  private readonly offload: OffloadService | null;

  constructor(options: {
    tables: TableStore;
    library: FunctionLibrary;
    executor: RowExecutor;
    offload?: OffloadService;
  }) {
    this.offload = options.offload ?? null;
    this.tables = options.tables;
    this.library = options.library;
    this.executor = options.executor;
  }

  parse(text: string): readonly ParsedStatement[] {
    return parseStatements(text).statements.map((raw) => parsedStatement(raw, text));
  }

  parseElsewhere(text: string, interrupt: () => DbError | null): Promise<readonly ParsedStatement[]> | null {
    const { offload } = this;
    if (offload === null || prescan(text).isLight) return null;
    return offload
      .parse(text, interrupt)
      .then((json) => unpackStatements(json).map((raw) => parsedStatement(raw, text)));
  }

  analyse(
    statement: ParsedStatement,
    _text: string,
    parameterTypes: readonly Oid[],
    environment: CompileEnvironment,
  ): AnalysedStatement {
    const { catalog, path, format } = environment;
    const analysed = analyseStatement(rawNode(statement), { catalog, path, format, parameterTypes });
    if (analysed.kind === 'query') return { ...analysed, query: this.rewrite(analysed.query, environment) };
    if (analysed.inner?.kind === 'query') {
      return {
        ...analysed,
        inner: { ...analysed.inner, query: this.rewrite(analysed.inner.query, environment) },
      };
    }
    return analysed;
  }

  rewrite(query: Query, environment: CompileEnvironment): Query {
    const { catalog } = environment;
    const inlined = (item: Query): Query =>
      inlineFunctions(item, environment, (body) => rewriteQuery(body, catalog));
    const rewritten = rewriteQuery(query, catalog);
    if (rewritten.ruleQueries === undefined) return inlined(rewritten);
    const { queries, main } = rewritten.ruleQueries;
    return { ...rewritten, ruleQueries: { queries: queries.map(inlined), main } };
  }

  plan(
    query: Query,
    parameterTypes: readonly Oid[],
    parameterValues: readonly Datum[] | null,
    environment: CompileEnvironment,
  ): PhysicalPlan {
    if (query.ruleQueries !== undefined) {
      const { queries, main } = query.ruleQueries;
      const plans = queries.map((item) => this.plan(item, parameterTypes, parameterValues, environment));
      const shown = plans[main] ?? this.plan(NOTHING, parameterTypes, parameterValues, environment);
      return {
        ...shown,
        command: query.command,
        columns: main >= 0 ? shown.columns : [],
        relations: plans.flatMap(({ relations }) => relations),
        readOnly: plans.every(({ readOnly }) => readOnly),
        parallelSafe: false,
        sequence: { plans, main },
      };
    }
    const { catalog } = environment;
    return planQuery(query, {
      catalog,
      statistics: statisticsOf(this.tables, catalog),
      settings: plannerSettings(environment.setting),
      evaluateConstant: boundedEvaluator(catalog, this.library, environment.functionContext),
      parameterTypes,
      parameterValues: parameterValues ?? undefined,
    });
  }

  instantiate(plan: PhysicalPlan, services: ExecutorServices): Execution {
    return this.executor.instantiate(plan, services);
  }

  resolveTypeName(typeName: Readonly<Record<string, unknown>>, environment: CompileEnvironment): Oid {
    const { catalog, path, format } = environment;
    const context = { catalog, path, format, parameters: new ParameterTypes([], false) };
    return resolveTypeName(context, typeName).typeOid;
  }

  evaluateExpression(
    expression: Readonly<Record<string, unknown>>,
    typeOid: Oid,
    _text: string,
    environment: CompileEnvironment,
    parameterNumber?: number,
  ): Datum {
    const { catalog, path, format } = environment;
    const expr = analyseExpression(expression as unknown as Node, {
      catalog,
      path,
      format,
      kind: 'executeParameter',
      target: { typeOid, typmod: -1, label: 'parameter', parameter: parameterNumber },
    });
    return constantEvaluator(catalog, this.library, environment.functionContext)(expr);
  }

  analyseCopyCondition(
    expression: Readonly<Record<string, unknown>>,
    relation: RelationDescriptor,
    environment: CompileEnvironment,
  ): Expr {
    const { catalog, path, format } = environment;
    return analyseExpression(expression as unknown as Node, {
      catalog,
      path,
      format,
      kind: 'copyWhere',
      relation,
      condition: 'WHERE',
    });
  }

  liftLiterals(text: string): LiftedText | null {
    const lifted = liftLiterals(text);
    if (lifted === null) return null;
    return {
      key: lifted.key,
      text: lifted.text,
      parameterTypes: lifted.literals.map((literal) => LITERAL_TYPE_OID[literal.class]),
      texts: lifted.literals.map((literal) => literal.text),
    };
  }
}

function parsedStatement(raw: RawStatement, text: string): ParsedStatement {
  const node = tagOf(raw.tree);
  return {
    node,
    tree: (raw.tree as unknown as Record<string, Readonly<Record<string, unknown>>>)[node],
    text: text.slice(raw.start, raw.start + raw.length),
    start: raw.start,
  };
}

function rawNode(statement: ParsedStatement): Node {
  return { [statement.node]: statement.tree } as unknown as Node;
}
