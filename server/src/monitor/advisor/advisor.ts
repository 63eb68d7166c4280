/**
 * Index advice for the recorded workload: candidates from its plans, costed by the planner with indexes that do not exist, chosen as one set.
 *
 * Never advised: what exists or is a prefix of what exists, tables that are tiny, what the planner would not use, what writes pay more for
 * than reads gain. Advice is *estimated*; `verify.ts` proves it.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { CatalogReader, IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { DEFAULT_EXPLAIN_OPTIONS, explainPlan } from '../../planner/explain/index.ts';
import { asTree, type LExpr } from '../../planner/expression/walk.ts';
import type { PhysicalPlan } from '../../planner/physical.ts';
import type { BackendSession } from '../../session/session.ts';
import { deparseExpr } from '../../sql/deparse/index.ts';
import { TableImplementation } from '../../table/table.ts';
import type { ServerMonitor } from '../server-monitor.ts';
import { candidatesOf, type PrintExpression, sqlName } from './candidates.ts';
import { type HypotheticalIndex, hypotheticalIndex, PARTIAL_SHARE } from './hypothetical.ts';
import { slicer } from './jobs.ts';
import { select } from './selection.ts';
import {
  indexesUsed,
  planWith,
  prepareStatement,
  type RawStatement,
  type WorkloadStatement,
} from './workload.ts';

const READ_ALL_STATS = 3375;
const STATEMENTS_MAX = 500;
const TABLE_BYTES_MIN = 1 << 20;
const TABLE_ROWS_MIN = 500;
const INDEXES_MAX = 10;
const TIME_MICROS_MAX = 30_000_000;
/** Price of adding one entry, in the planner's unit: a descent and a little copying. */
const ENTRY_COST = 0.03;
const DESCENT_STEP_COST = 0.0025;
const ADVICE_STATEMENTS_MAX = 20;
const REJECTED_MAX = 50;

export interface AdvisorRequest {
  readonly budgetBytes?: number;
  readonly maxIndexes?: number;
  readonly statements?: readonly { readonly sql: string; readonly calls: number }[];
  readonly minTableBytes?: number;
  /** Answers with every candidate as `candidateList`, the most promising first. */
  readonly listCandidates?: boolean;
}

export interface AdviceStatement {
  queryId: string;
  query: string;
  calls: number;
  costBefore: number;
  costAfter: number;
  millisBefore: number | null;
  millisAfter: number | null;
}

interface Advice {
  id: string;
  kind: 'create' | 'drop' | 'merge';
  sentence: string;
  sql: string;
  undoSql: string;
  schema: string;
  table: string;
  columns: string[];
  include: string[];
  predicate: string | null;
  confidence: 'estimated' | 'sampled' | 'verified';
  sizeBytes: number;
  gain: number;
  writeCost: number;
  statements: AdviceStatement[];
}

export async function advise(
  monitor: ServerMonitor,
  session: BackendSession,
  request: AdvisorRequest,
): Promise<string> {
  const { clock, tables } = session.engine;
  const startMicros = clock.monotonicMicros();
  const pause = slicer(session);
  const catalog = session.catalog();
  const environment = session.compileEnvironment();
  const statements: WorkloadStatement[] = [];
  for (const raw of rawStatements(monitor, session, request)) {
    const prepared = prepareStatement(session, raw);
    if (prepared !== null) statements.push(prepared);
    await pause();
  }
  const mayRead = (relation: RelationDescriptor): boolean =>
    catalog.hasRelationPrivilege(session.roleOid(), relation, 'SELECT', null);
  const minBytes = request.minTableBytes ?? TABLE_BYTES_MIN;
  const rejected: { sql: string; reason: string }[] = [];
  const reject = (sql: string, reason: string): void => {
    if (rejected.length < REJECTED_MAX) rejected.push({ sql, reason });
  };

  const print: PrintExpression = (expr, slotName) =>
    deparseExpr(asTree(expr), {
      catalog,
      path: environment.path,
      format: environment.format,
      indent: false,
      planNode: (node) => {
        const at = node as LExpr;
        return at.kind === 'slot' ? slotName(at.slot) : undefined;
      },
    });

  // Candidates of every statement; those the planner takes when it may choose among all.
  const pool = new Map<
    string,
    { index: HypotheticalIndex; keys: readonly string[]; statements: Set<number> }
  >();
  let plannerCalls = 0;
  const costs: number[] = [];
  for (const [number, statement] of statements.entries()) {
    costs.push(statement.plan.root.totalCost);
    const found: HypotheticalIndex[] = [];
    for (const candidate of candidatesOf(
      statement.plan,
      catalog,
      tables,
      (value, typeOid) => literal(session, value, typeOid),
      print,
    )) {
      const { relation } = candidate;
      const { rows, bytes } = tables.table(relation.oid).estimate();
      if (bytes < minBytes || rows < TABLE_ROWS_MIN) {
        reject(candidate.sql, 'the table is too small for an index to matter');
        continue;
      }
      if (!mayRead(relation)) continue;
      const known = pool.get(candidate.sql);
      if (known !== undefined) {
        found.push(known.index);
        continue;
      }
      try {
        const index = hypotheticalIndex(candidate.sql, environment, tables);
        const covering = coveredBy(index.descriptor, relation.indexes);
        if (covering !== null) {
          reject(candidate.sql, `index ${covering} serves the same lookups`);
          continue;
        }
        pool.set(candidate.sql, { index, keys: candidate.keys, statements: new Set() });
        found.push(index);
      } catch (error) {
        if (!(error instanceof DbError)) throw error;
      }
    }
    for (const index of usefulOf(session, statement, found, () => plannerCalls++))
      pool.get(index.sql)?.statements.add(number);
    await pause();
  }
  const candidates = [...pool.values()].filter((entry) => {
    if (entry.statements.size > 0) return true;
    reject(entry.index.sql, 'the planner would not use it');
    return false;
  });
  // A wider candidate serves the statements of its prefixes too.
  for (const wide of candidates)
    for (const narrow of candidates)
      if (wide !== narrow && isPrefix(narrow.index.descriptor, wide.index.descriptor))
        for (const number of narrow.statements) wide.statements.add(number);

  const indexes = candidates.map(({ index }) => index);
  const writeCosts = indexes.map((index) => writeCostOf(index.descriptor, statements, tables));
  const planned = statements.map((): { all: readonly number[]; used: number[]; cost: number }[] => []);
  const selection = await select({
    candidates: candidates.map((entry, number) => ({
      size: entry.index.sizeBytes,
      writeCost: writeCosts[number],
      statements: [...entry.statements],
    })),
    weights: statements.map(({ calls }) => calls),
    cost: (number, chosen) => {
      if (chosen.length === 0) return costs[number];
      // A plan that uses only `used` of `all` is the plan of every set between the two.
      const same = planned[number].find(
        ({ all, used }) => used.every((at) => chosen.includes(at)) && chosen.every((at) => all.includes(at)),
      );
      if (same !== undefined) return same.cost;
      plannerCalls++;
      const plan = planWith(
        session,
        environment,
        statements[number],
        chosen.map((at) => indexes[at]),
      );
      const oids = new Set(indexesUsed(plan).map(({ oid }) => oid));
      const cost = plan.root.totalCost;
      planned[number].push({ all: chosen, used: chosen.filter((at) => oids.has(indexes[at].oid)), cost });
      return cost;
    },
    budgetBytes: request.budgetBytes ?? Number.POSITIVE_INFINITY,
    maximum: request.maxIndexes ?? INDEXES_MAX,
    isOver: () => clock.monotonicMicros() - startMicros > TIME_MICROS_MAX,
    pause,
  });

  const advice: Advice[] = [];
  for (const at of selection.chosen) {
    const others = selection.chosen.filter((other) => other !== at);
    const costs = (number: number) => ({
      costWithout: selection.costOf(number, others),
      costWith: selection.costOf(number, selection.chosen),
    });
    advice.push(
      createAdvice(session, statements, candidates[at], indexes[at], costs, {
        costBefore: selection.costBefore,
        writeCost: writeCosts[at],
      }),
    );
    await pause();
  }
  for (const [at, entry] of candidates.entries())
    if (!selection.chosen.includes(at))
      reject(entry.index.sql, 'others of the chosen set gain as much, or its writes cost more than it gains');
  advice.push(...dropAdvice(session, statements, mayRead));
  advice.sort((left, right) => right.gain - left.gain);
  return JSON.stringify({
    at: Number(clock.wallMicros() / 1000n),
    durationMillis: (clock.monotonicMicros() - startMicros) / 1000,
    statementsConsidered: statements.length,
    candidates: candidates.length,
    plannerCalls,
    costBefore: selection.costBefore,
    costAfter: selection.cost,
    advice,
    rejected,
    ...(request.listCandidates === true && {
      candidateList: indexes
        .map(({ sql, sizeBytes }, at) => ({
          sql,
          sizeBytes,
          writeCost: writeCosts[at],
          gainAlone: selection.alone[at] ?? 0,
          isChosen: selection.chosen.includes(at),
        }))
        .sort((left, right) => right.gainAlone - left.gainAlone),
    }),
  });
}

/** The statements to advise for: given ones, else the recorded ones this role may see, by total time. */
function rawStatements(
  monitor: ServerMonitor,
  session: BackendSession,
  request: AdvisorRequest,
): RawStatement[] {
  if (request.statements !== undefined)
    return request.statements.map(({ sql, calls }) => ({
      text: sql,
      shownText: sql,
      queryId: 0n,
      calls,
      rows: calls,
    }));
  const catalog = session.catalog();
  const isAll = catalog.hasPrivilegesOfRole(session.roleOid(), READ_ALL_STATS);
  return [...monitor.statements.all()]
    .filter(
      (account) =>
        account.calls > 0 &&
        account.databaseOid === catalog.databaseOid &&
        (isAll || catalog.hasPrivilegesOfRole(session.roleOid(), account.userOid)),
    )
    .sort((left, right) => right.totalMicros - left.totalMicros)
    .slice(0, STATEMENTS_MAX)
    .map(({ sample, text, queryId, calls, rows }) => ({
      text: sample,
      shownText: text,
      queryId,
      calls,
      rows,
    }));
}

/** Candidates that plans of the statement take: of all together, then again without the winners, then each alone. */
function usefulOf(
  session: BackendSession,
  statement: WorkloadStatement,
  found: readonly HypotheticalIndex[],
  count: () => void,
): HypotheticalIndex[] {
  const environment = session.compileEnvironment();
  const useful = new Set<HypotheticalIndex>();
  let rest = [...found];
  for (let round = 0; round < 3 && rest.length > 0; round++) {
    count();
    const used = new Set(indexesUsed(planWith(session, environment, statement, rest)).map(({ oid }) => oid));
    const winners = rest.filter((index) => used.has(index.oid));
    if (winners.length === 0) break;
    for (const index of winners) useful.add(index);
    rest = rest.filter((index) => !winners.includes(index));
  }
  return [...useful];
}

function writeCostOf(
  descriptor: IndexDescriptor,
  statements: readonly WorkloadStatement[],
  tables: BackendSession['engine']['tables'],
): number {
  const { rows } = tables.table(descriptor.tableOid).estimate();
  const perEntry = ENTRY_COST + DESCENT_STEP_COST * Math.log2(Math.max(2, rows));
  let changes = 0;
  for (const { write, rows: changed } of statements) {
    if (write === null || write.relationOid !== descriptor.tableOid) continue;
    if (write.command === 'insert') changes += changed;
    else if (
      write.command === 'update' &&
      descriptor.keyColumns.some((number) => number === 0 || write.columns.has(number - 1))
    )
      changes += changed;
  }
  return changes * perEntry * (descriptor.predicate === null ? 1 : PARTIAL_SHARE);
}

/** Name of an existing index that begins with the same keys, for the same rows. */
function coveredBy(descriptor: IndexDescriptor, existing: readonly IndexDescriptor[]): string | null {
  for (const index of existing)
    if (index.valid && index.accessMethod === 'btree' && isPrefix(descriptor, index)) return index.name;
  return null;
}

function isPrefix(short: IndexDescriptor, long: IndexDescriptor): boolean {
  return (
    short.tableOid === long.tableOid &&
    short.keyColumns.length <= long.keyColumns.length &&
    short.predicate === long.predicate &&
    short.expressions.every((text, at) => text === long.expressions[at]) &&
    short.keyColumns.every(
      (number, at) => number === long.keyColumns[at] && short.descending[at] === long.descending[at],
    )
  );
}

function createAdvice(
  session: BackendSession,
  statements: readonly WorkloadStatement[],
  { statements: relevant, keys }: { statements: ReadonlySet<number>; keys: readonly string[] },
  index: HypotheticalIndex,
  costs: (statement: number) => { costWithout: number; costWith: number },
  totals: { costBefore: number; writeCost: number },
): Advice {
  const { relation, descriptor } = index;
  const columns = descriptor.keyColumns.map((number, at) =>
    number === 0 ? keys[at] : relation.columns[number - 1].name,
  );
  let gained = 0;
  const winners: AdviceStatement[] = [];
  for (const number of relevant) {
    const statement = statements[number];
    const { costWithout, costWith } = costs(number);
    if (costWith >= costWithout) continue;
    gained += statement.calls * (costWithout - costWith);
    winners.push({
      queryId: String(statement.queryId),
      query: statement.shownText,
      calls: statement.calls,
      costBefore: costWithout,
      costAfter: costWith,
      millisBefore: null,
      millisAfter: null,
    });
  }
  winners.sort(
    (left, right) =>
      right.calls * (right.costBefore - right.costAfter) - left.calls * (left.costBefore - left.costAfter),
  );
  const share = totals.costBefore === 0 ? 0 : gained / totals.costBefore;
  const best = winners[0];
  const factor = best === undefined ? 1 : best.costBefore / Math.max(best.costAfter, 1e-9);
  const name = indexName(session.catalog(), relation, columns);
  const sql = index.sql.replace(/^CREATE INDEX ON/, `CREATE INDEX ${sqlName(name)} ON`);
  return {
    id: `create ${index.sql}`,
    kind: 'create',
    sentence:
      `An index on ${relation.name} (${columns.join(', ')}) would take ${percent(share)} of the estimated cost away; ` +
      `${winners.length} ${winners.length === 1 ? 'statement gains' : 'statements gain'}, the best becomes ${round(factor)} times cheaper.`,
    sql,
    undoSql: `DROP INDEX ${sqlName(relation.namespaceName)}.${sqlName(name)}`,
    schema: relation.namespaceName,
    table: relation.name,
    columns,
    include: [],
    predicate: /\bWHERE (.*)$/.exec(index.sql)?.[1] ?? null,
    confidence: 'estimated',
    sizeBytes: index.sizeBytes,
    gain: share,
    writeCost: totals.costBefore === 0 ? 0 : totals.writeCost / totals.costBefore,
    statements: winners.slice(0, ADVICE_STATEMENTS_MAX),
  };
}

/** Indexes nobody asked for since the start, and those another one replaces. */
function dropAdvice(
  session: BackendSession,
  statements: readonly WorkloadStatement[],
  mayRead: (relation: RelationDescriptor) => boolean,
): Advice[] {
  const catalog = session.catalog();
  const advice: Advice[] = [];
  const seen = new Set<Oid>();
  for (const { plan } of statements) {
    for (const { relationOid } of plan.relations) {
      if (seen.has(relationOid) || relationOid < 16384) continue;
      seen.add(relationOid);
      const relation = catalog.relation(relationOid);
      if (relation?.table == null || !mayRead(relation)) continue;
      const table = session.engine.tables.table(relationOid);
      if (!(table instanceof TableImplementation)) continue;
      const ofConstraints = new Set(relation.constraints.map(({ indexOid }) => indexOid));
      for (const index of relation.indexes) {
        if (index.expressions.length > 0 || index.unique || index.primary || ofConstraints.has(index.oid))
          continue;
        const wider = relation.indexes.find(
          (other) =>
            other.oid !== index.oid &&
            other.valid &&
            isPrefix(index, other) &&
            (other.keyColumns.length > index.keyColumns.length || other.oid < index.oid),
        );
        const activity = table.tableIndexes.find(({ schema }) => schema.indexOid === index.oid)?.activity;
        const sizeBytes = Math.round(table.estimate().rows * (12 + 8 * index.keyColumns.length));
        const columns = index.keyColumns.map((number) =>
          number === 0 ? '(expression)' : relation.columns[number - 1].name,
        );
        const base = {
          sql: `DROP INDEX ${sqlName(relation.namespaceName)}.${sqlName(index.name)}`,
          undoSql: `CREATE INDEX ${sqlName(index.name)} ON ${sqlName(relation.namespaceName)}.${sqlName(relation.name)} (${columns.map(sqlName).join(', ')})`,
          schema: relation.namespaceName,
          table: relation.name,
          columns,
          include: [],
          predicate: null,
          confidence: 'estimated' as const,
          sizeBytes,
          gain: 0,
          writeCost: 0,
          statements: [],
        };
        if (wider !== undefined)
          advice.push({
            ...base,
            id: `merge ${index.oid}`,
            kind: 'merge',
            sentence: `Index ${index.name} is the beginning of ${wider.name}, which serves the same lookups.`,
          });
        else if (activity !== undefined && activity.scans === 0)
          advice.push({
            ...base,
            id: `drop ${index.oid}`,
            kind: 'drop',
            sentence: `No statement has used index ${index.name} since the server started, yet every write keeps it.`,
          });
      }
    }
  }
  return advice;
}

function indexName(catalog: CatalogReader, relation: RelationDescriptor, columns: readonly string[]): string {
  const base =
    `${relation.name}_${columns.map((column) => column.replaceAll(/\W/g, '')).join('_')}_idx`.slice(0, 60);
  const path = { namespaces: [relation.namespaceOid], creationNamespace: relation.namespaceOid };
  for (let counter = 0; ; counter++) {
    const name = counter === 0 ? base : `${base}${counter}`;
    if (catalog.relationByName(relation.namespaceName, name, path) === null) return name;
  }
}

function literal(session: BackendSession, value: Parameters<TypeOutput>[0], typeOid: Oid): string | null {
  const support = session.typeSupport(typeOid);
  const text = support.output(value, session.functionContext.format);
  return `'${text.replaceAll("'", "''")}'`;
}
type TypeOutput = ReturnType<BackendSession['typeSupport']>['output'];

/** What one statement would cost with indexes that do not exist. */
export function whatIf(
  session: BackendSession,
  request: {
    readonly sql: string;
    readonly indexes: readonly string[];
    /** Without the plans' texts, which cost more than the planning. */
    readonly isCostOnly?: boolean;
  },
): string {
  const environment = session.compileEnvironment();
  const statement = prepareStatement(session, {
    text: request.sql,
    shownText: request.sql,
    queryId: 0n,
    calls: 1,
    rows: 0,
  });
  if (statement === null)
    throw new DbError(
      'invalid_parameter_value',
      'the statement cannot be planned, or reads no table of yours',
    );
  const catalog = session.catalog();
  for (const { relationOid } of statement.plan.relations) {
    const relation = catalog.relation(relationOid);
    if (relation !== null && !catalog.hasRelationPrivilege(session.roleOid(), relation, 'SELECT', null))
      throw new DbError('insufficient_privilege', `permission denied for table ${relation.name}`);
  }
  const indexes = request.indexes.map((sql) => hypotheticalIndex(sql, environment, session.engine.tables));
  const after = planWith(session, environment, statement, indexes);
  const names = new Set(indexes.map(({ oid }) => oid));
  const usedIndexes = indexesUsed(after)
    .filter(({ oid }) => names.has(oid))
    .map(({ oid }) => indexes.find((index) => index.oid === oid)?.sql ?? '');
  const costs = { costBefore: statement.plan.root.totalCost, costAfter: after.root.totalCost, usedIndexes };
  if (request.isCostOnly === true) return JSON.stringify(costs);
  const show = (plan: PhysicalPlan): string =>
    explainPlan(
      plan,
      { ...DEFAULT_EXPLAIN_OPTIONS, format: 'json' },
      {
        catalog,
        format: session.functionContext.format,
        instrumentation: null,
        times: { planning: null, execution: null } as never,
      },
    ).join('\n');
  return JSON.stringify({ ...costs, planBefore: show(statement.plan), planAfter: show(after) });
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function round(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}
