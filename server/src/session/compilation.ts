/** From texts to compiled statements in one session: environment, shared cache, revalidation, choice of plan. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { CatalogReader, SearchPath } from '../catalog/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { FormatContext } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import { CACHED_TEXT_MAX, type CompiledStatement } from './compiled-statement.ts';
import type { CompileEnvironment, ParsedStatement } from './engine.ts';
import type { PreparedStatement } from './portal.ts';
import type { BackendSession } from './session.ts';
import { formatContextOf, parseIdentifierList } from './settings/session-settings.ts';
import { isAllowedInFailedBlock, isPlannableNode, sameColumns } from './statements.ts';
import { abortedBlock } from './transaction-block.ts';

/** Plans dearer than this are planned anew for their parameter values (plan_cache_mode auto). */
const CUSTOM_PLAN_COST_MIN = 5000;

/** Settings that change plans. */
const PLANNER_SETTINGS = [
  'enable_seqscan',
  'enable_indexscan',
  'enable_hashjoin',
  'enable_mergejoin',
  'enable_nestloop',
  'enable_hashagg',
  'enable_sort',
  'enable_material',
  'random_page_cost',
  'seq_page_cost',
  'cpu_tuple_cost',
  'cpu_index_tuple_cost',
  'cpu_operator_cost',
  'effective_cache_size',
  'work_mem',
  'from_collapse_limit',
  'join_collapse_limit',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'transform_null_equals',
  'fastpostgres.executor',
  'fastpostgres.native_kernels',
] as const;

export class Compilation {
  private cachedPath: SearchPath | null = null;
  private environmentKeyVersion = 0;
  private environmentKeyCatalog = -1;
  private cachedEnvironmentKey = '';
  private cachedFormatVersion = 0;
  private formatCatalogVersion = -1;
  private readonly session: BackendSession;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** Compiles one statement of the text, through the shared cache where it is the whole text. */
  compileText(text: string, parameterTypes: readonly Oid[]): CompiledStatement | Promise<CompiledStatement> {
    const catalog = this.session.catalog();
    const key = text.length > CACHED_TEXT_MAX ? null : `p\0${parameterTypes.join(',')}\0${text}`;
    const cached =
      key === null ? null : this.session.engine.plans.get(key, catalog.version, this.environmentKey(catalog));
    if (cached !== null) return cached;
    const { compiler } = this.session.engine;
    const elsewhere = compiler.parseElsewhere(text, () => this.session.interruptError);
    if (elsewhere === null) return this.compileSingle(compiler.parse(text), text, parameterTypes, key);
    return elsewhere.then((statements) => this.compileSingle(statements, text, parameterTypes, key));
  }

  /** The statements of a text, parsed here or on another thread. */
  async parse(text: string): Promise<readonly ParsedStatement[]> {
    const { compiler } = this.session.engine;
    const elsewhere = compiler.parseElsewhere(text, () => this.session.interruptError);
    if (elsewhere === null) return compiler.parse(text);
    const statements = await elsewhere;
    this.session.checkInterrupt();
    return statements;
  }

  private compileSingle(
    statements: readonly ParsedStatement[],
    text: string,
    parameterTypes: readonly Oid[],
    key: string | null,
  ): CompiledStatement {
    const catalog = this.session.catalog();
    if (statements.length > 1) {
      throw new DbError('syntax_error', 'cannot insert multiple commands into a prepared statement');
    }
    if (statements.length === 0) {
      return {
        text,
        statement: null,
        analysed: null,
        plan: null,
        parameterTypes,
        catalogVersion: catalog.version,
        environmentKey: this.environmentKey(catalog),
      };
    }
    const statement = statements[0];
    if (this.session.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
    const compiled = this.compile(statement, text, parameterTypes);
    if (key !== null) this.cache(key, compiled);
    return compiled;
  }

  compile(
    statement: ParsedStatement,
    text: string,
    parameterTypes: readonly Oid[],
    seen: ((catalog: CatalogReader) => CatalogReader) | null = null,
  ): CompiledStatement {
    const catalog = this.session.catalog();
    const environmentKey = this.environmentKey(catalog);
    const base = { text, statement, catalogVersion: catalog.version, environmentKey };
    if (!isPlannableNode(statement.node)) return { ...base, analysed: null, plan: null, parameterTypes };
    this.refreshStatementContext();
    const environment = this.compileEnvironment();
    const analysed = this.session.engine.compiler.analyse(statement, text, parameterTypes, environment);
    if (analysed.kind === 'utility')
      return { ...base, analysed, plan: null, parameterTypes: analysed.parameterTypes };
    const plan = this.session.engine.compiler.plan(
      analysed.query,
      analysed.parameterTypes,
      null,
      seen === null ? environment : { ...environment, catalog: seen(environment.catalog) },
    );
    return { ...base, analysed, plan, parameterTypes: analysed.parameterTypes };
  }

  cache(key: string, compiled: CompiledStatement): void {
    const transaction = this.session.block.transaction;
    if (transaction !== null && this.session.engine.catalogFor(null).version !== compiled.catalogVersion)
      return;
    this.session.engine.plans.set(key, compiled);
  }

  /** The plan for these values: generic, or planned anew where that may pay. */
  choosePlan(compiled: CompiledStatement, generic: PhysicalPlan, parameters: readonly Datum[]): PhysicalPlan {
    if (parameters.length === 0 || compiled.analysed?.kind !== 'query') return generic;
    const mode = this.session.settings.get('plan_cache_mode');
    if (mode === 'force_generic_plan') return generic;
    if (mode === 'auto' && generic.root.totalCost < CUSTOM_PLAN_COST_MIN) return generic;
    this.refreshStatementContext();
    return this.session.engine.compiler.plan(
      compiled.analysed.query,
      compiled.parameterTypes,
      parameters,
      this.compileEnvironment(),
    );
  }

  /** The compiled form that is valid now: analysed again after DDL or a change of search_path. */
  revalidate(statement: PreparedStatement): CompiledStatement {
    const { compiled } = statement;
    const catalog = this.session.catalog();
    if (
      compiled.catalogVersion === catalog.version &&
      compiled.environmentKey === this.environmentKey(catalog)
    )
      return compiled;
    if (compiled.statement === null || compiled.plan === null) return compiled;
    if (this.session.block.state === 'failed') return compiled;
    const again = this.compile(compiled.statement, compiled.text, statement.declaredTypes);
    if (again.plan !== null && !sameColumns(compiled.plan.columns, again.plan.columns)) {
      throw new DbError('feature_not_supported', 'cached plan must not change result type');
    }
    statement.compiled = again;
    return again;
  }

  /** Text formats and timestamps of the statement about to run. */
  refreshStatementContext(): void {
    this.session.functionContext.transactionTimestamp =
      this.session.block.state === 'none'
        ? this.session.functionContext.statementTimestamp
        : this.session.block.startTimestamp;
    this.currentFormat();
  }

  currentFormat(): FormatContext {
    const context = this.session.functionContext;
    if (this.cachedFormatVersion !== this.session.settings.version) {
      this.cachedFormatVersion = this.session.settings.version;
      context.format = {
        ...formatContextOf(this.session.settings, context.transactionTimestamp),
        names: undefined,
      };
      this.formatCatalogVersion = -1;
    }
    const catalog = this.session.catalog();
    if (
      this.formatCatalogVersion !== catalog.version ||
      context.format.transactionTimestamp !== context.transactionTimestamp
    ) {
      this.formatCatalogVersion = catalog.version;
      this.environmentKey(catalog);
      context.format = {
        ...context.format,
        transactionTimestamp: context.transactionTimestamp,
        names: catalog.names(this.cachedPath as SearchPath),
      };
    }
    return context.format;
  }

  /** Everything beside text and catalog that a plan depends on, as one string. */
  environmentKey(catalog: CatalogReader): string {
    if (
      this.environmentKeyVersion !== this.session.settings.version ||
      this.environmentKeyCatalog !== catalog.version ||
      this.cachedPath === null
    ) {
      this.environmentKeyVersion = this.session.settings.version;
      this.environmentKeyCatalog = catalog.version;
      const names = parseIdentifierList('search_path', this.session.settings.get('search_path'));
      const roleName = catalog.role(this.session.roleOid())?.name ?? '';
      this.cachedPath = catalog.resolveSearchPath(names, roleName, this.session.temporaryNamespace());
      const planner = PLANNER_SETTINGS.map((name) => this.session.settings.get(name)).join(',');
      this.cachedEnvironmentKey = `${this.session.roleOid()}|${this.cachedPath.namespaces.join(',')}|${planner}`;
    }
    return this.cachedEnvironmentKey;
  }

  compileEnvironment(): CompileEnvironment {
    const catalog = this.session.catalog();
    this.environmentKey(catalog);
    return {
      catalog,
      path: this.cachedPath as SearchPath,
      roleOid: this.session.roleOid(),
      format: this.session.functionContext.format,
      setting: (name) => this.session.settings.get(name),
      functionContext: this.session.functionContext,
    };
  }

  searchPath(): SearchPath {
    this.environmentKey(this.session.catalog());
    return this.cachedPath as SearchPath;
  }
}
