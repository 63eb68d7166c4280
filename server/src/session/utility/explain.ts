/** EXPLAIN: options, the plan of the statement inside, and with ANALYZE a measured run whose rows are thrown away. */
import { DbError, notSupported } from '../../base/error.ts';
import type { RowSink } from '../../executor/contract.ts';
import type { Instrumentation } from '../../executor/instrument.ts';
import { checkPermissions } from '../../executor/permissions.ts';
import {
  DEFAULT_EXPLAIN_OPTIONS,
  type ExplainOptions,
  explainPlan,
  type WalUse,
} from '../../planner/explain/index.ts';
import type { ResultColumn } from '../contract.ts';
import type { ParsedStatement } from '../engine.ts';
import { parseBoolean } from '../settings/value.ts';
import { isPlannableNode } from '../statements.ts';
import type { SessionCommand } from './index.ts';
import { executeArguments } from './prepare.ts';
import { child, constantText, list, text, unwrap } from './tree.ts';

const TYPE_BY_FORMAT = { text: 25, json: 114, yaml: 25, xml: 142 } as const;

function column(format: ExplainOptions['format']): readonly ResultColumn[] {
  return [
    {
      name: 'QUERY PLAN',
      typeOid: TYPE_BY_FORMAT[format],
      typmod: -1,
      slot: 0,
      originTable: 0,
      originColumn: 0,
    },
  ];
}

export function describeExplain(statement: ParsedStatement): readonly ResultColumn[] {
  return column(explainOptions(statement).options.format);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function explainOptions(statement: ParsedStatement): { options: ExplainOptions; isGeneric: boolean } {
  const options: Mutable<ExplainOptions> = { ...DEFAULT_EXPLAIN_OPTIONS };
  let hasSummary = false;
  let hasTiming = false;
  let isGeneric = false;
  for (const item of list(statement.tree, 'options')) {
    const { tree } = unwrap(item);
    const name = text(tree, 'defname');
    const argument = child(tree, 'arg');
    const value = argument === null ? null : constantText(argument);
    const flag = (): boolean => {
      if (value === null) return true;
      const parsed = parseBoolean(value);
      if (parsed === null) throw new DbError('syntax_error', `${name} requires a Boolean value`);
      return parsed;
    };
    switch (name) {
      case 'analyze':
        options.analyze = flag();
        break;
      case 'verbose':
        options.verbose = flag();
        break;
      case 'costs':
        options.costs = flag();
        break;
      case 'buffers':
        options.buffers = flag();
        break;
      case 'timing':
        options.timing = flag();
        hasTiming = true;
        break;
      case 'summary':
        options.summary = flag();
        hasSummary = true;
        break;
      case 'settings':
        options.settings = flag();
        break;
      case 'wal':
        options.wal = flag();
        break;
      case 'generic_plan':
        isGeneric = flag();
        break;
      case 'format':
        if (value !== 'text' && value !== 'json' && value !== 'yaml' && value !== 'xml') {
          throw new DbError(
            'invalid_parameter_value',
            `unrecognized value for EXPLAIN option "format": "${value ?? ''}"`,
          );
        }
        options.format = value;
        break;
      default:
        throw new DbError('syntax_error', `unrecognized EXPLAIN option "${name}"`);
    }
  }
  if (hasTiming && options.timing && !options.analyze) {
    throw new DbError('invalid_parameter_value', 'EXPLAIN option TIMING requires ANALYZE');
  }
  if (options.wal && !options.analyze)
    throw new DbError('invalid_parameter_value', 'EXPLAIN option WAL requires ANALYZE');
  if (isGeneric && options.analyze)
    throw new DbError(
      'invalid_parameter_value',
      'EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together',
    );
  if (!hasSummary) options.summary = options.analyze;
  return { options, isGeneric };
}

/** The query whose plan is shown: that of a cursor, of CREATE TABLE AS, of SELECT INTO. */
function innerQuery(
  node: string,
  tree: Readonly<Record<string, unknown>>,
): { node: string; tree: Readonly<Record<string, unknown>> } {
  switch (node) {
    case 'CreateTableAsStmt':
    case 'DeclareCursorStmt': {
      const inner = unwrap(child(tree, 'query') ?? {});
      return innerQuery(inner.node, inner.tree);
    }
    case 'SelectStmt': {
      const { intoClause: _, ...rest } = tree;
      return { node, tree: rest };
    }
    default:
      return { node, tree };
  }
}

export async function explain(command: SessionCommand): Promise<string> {
  const { session, statement } = command;
  const { options, isGeneric } = explainOptions(statement);
  const query = child(statement.tree, 'query');
  const { node, tree } = query === null ? { node: '', tree: {} } : unwrap(query);
  const inner = innerQuery(node, tree);
  if (node === 'CreateTableAsStmt' && options.analyze)
    throw notSupported('EXPLAIN ANALYZE of CREATE TABLE AS');
  if (options.analyze && child(tree, 'intoClause') !== null)
    throw notSupported('EXPLAIN ANALYZE of SELECT INTO');
  const execute = inner.node === 'ExecuteStmt' ? inner.tree : null;
  if (execute === null && !isPlannableNode(inner.node)) throw notSupported(`EXPLAIN of ${inner.node}`);
  const transaction = session.block.forStatement();
  const clock = session.engine.clock;
  const planStart = clock.monotonicMicros();
  let { parameters } = command;
  const plan = await session.executions.lockedPlan(() => {
    if (execute !== null) {
      const compiled = session.compilation.revalidate(
        session.extended.requirePrepared(text(execute, 'name')),
      );
      parameters = executeArguments(session, execute, compiled.parameterTypes, command.text);
      if (compiled.plan === null) throw notSupported('EXPLAIN of this prepared statement');
      return session.compilation.choosePlan(compiled, compiled.plan, parameters);
    }
    const { plan: made, parameterTypes } = session.compilation.compile(
      { node: inner.node, tree: inner.tree, text: statement.text, start: statement.start },
      command.text,
      command.parameterTypes,
      options.analyze ? null : session.plannedCatalog,
    );
    if (made === null) throw notSupported(`EXPLAIN of ${inner.node}`);
    // A simple query has no parameters; only a generic plan leaves them open.
    if (command.isSimple && !isGeneric && parameterTypes.length > command.parameterTypes.length)
      throw new DbError('undefined_parameter', `there is no parameter $${parameterTypes.length}`);
    return made;
  });
  checkPermissions(plan, session.catalog(), session.roleOid());
  const planning = (clock.monotonicMicros() - planStart) / 1000;
  let instrumentation: Instrumentation | null = null;
  let execution: number | null = null;
  let wal: WalUse | null = null;
  if (options.analyze) {
    instrumentation = { nodes: new Map() };
    const before = transaction.logUse();
    const runStart = clock.monotonicMicros();
    // Its rows are thrown away.
    const sink: RowSink = { row: () => {}, isCongested: () => false };
    await session.executions.runInto(plan, command.parameters, sink, instrumentation);
    execution = (clock.monotonicMicros() - runStart) / 1000;
    const after = transaction.logUse();
    wal = { records: after.records - before.records, bytes: after.bytes - before.bytes };
    if (!plan.readOnly) transaction.advanceCommand();
  }
  const lines = explainPlan(plan, options, {
    catalog: session.catalog(),
    format: session.functionContext.format,
    instrumentation,
    settings: options.settings ? session.settings.plannerSettings() : [],
    wal,
    times: { planning: options.summary ? planning : null, execution: options.summary ? execution : null },
  });
  const columns = column(options.format);
  if (command.isSimple) session.sink.rowDescription(columns, []);
  session.sink.beginRows(columns, command.resultFormats, session.functionContext.format);
  for (const line of lines) session.sink.row([line]);
  return 'EXPLAIN';
}
