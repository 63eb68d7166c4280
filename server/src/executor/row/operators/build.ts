/** Instantiates a plan node and everything below it. */
import { internalError } from '../../../base/error.ts';
import type { PlanNode } from '../../../planner/physical.ts';
import { InstrumentedOperator } from '../../instrument.ts';
import { PipelineAggregate } from '../../pipeline/operator.ts';
import { QueryOperator } from '../../pipeline/query/operator.ts';
import { isQueryShape, PLAIN_GROUPS_MAX } from '../../pipeline/query/translate.ts';
import { scanBelow } from '../../pipeline/translate.ts';
import type { ExecutionState } from '../../state.ts';
import { asHashJoin } from './adaptive-join.ts';
import { Aggregate } from './aggregate.ts';
import { Append, SetOperation } from './append.ts';
import { CteScan } from './cte-scan.ts';
import { HashJoin } from './hash-join.ts';
import { IndexScan } from './index-scan.ts';
import { InsteadModify } from './instead-modify.ts';
import { Limit, Unique } from './limit.ts';
import { LockRows } from './lock-rows.ts';
import { Materialize } from './materialize.ts';
import { MergeJoin } from './merge-join.ts';
import { Modify } from './modify.ts';
import { NestedLoop } from './nested-loop.ts';
import type { Operator } from './operator.ts';
import { Filter, Project } from './project.ts';
import { RecursiveUnion, WorkTableScan } from './recursive-union.ts';
import { SeqScan } from './seq-scan.ts';
import { FunctionScan, ProjectSet } from './set-functions.ts';
import { Result, ValuesScan, VirtualScan } from './simple-scans.ts';
import { Sort } from './sort.ts';
import { Window } from './window.ts';

/** Estimated rows from which on a scan below a LIMIT is left when there are enough. */
const STREAMED_ROWS_MIN = 1000;

/** The node as pipelines where its shape admits it; whether they run is decided when it is opened. */
function asQuery(
  node: PlanNode,
  state: ExecutionState,
  makeRow: () => Operator,
  isRefused = false,
): Operator {
  const { pipelines } = state.environment;
  return pipelines !== null && isQueryShape(node, isRefused)
    ? new QueryOperator(state, node, pipelines, makeRow)
    : makeRow();
}

/** A child that a node does not have: VALUES-less projections stand on one empty row. */
function childOrOneRow(child: PlanNode | null, state: ExecutionState): Operator {
  if (child !== null) return buildOperator(child, state);
  return new OneRow();
}

class OneRow implements Operator {
  private isDone = false;
  open(): void {
    this.isDone = false;
  }
  rescan(): void {
    this.isDone = false;
  }
  close(): void {}
  next(): boolean {
    if (this.isDone) return false;
    this.isDone = true;
    return true;
  }
}

export function buildOperator(node: PlanNode, state: ExecutionState): Operator {
  const operator = build(node, state);
  const { instrumentation, services } = state.environment;
  if (instrumentation === null) return operator;
  return new InstrumentedOperator(operator, node, instrumentation, () => services.monotonicMicros());
}

function build(node: PlanNode, state: ExecutionState): Operator {
  switch (node.kind) {
    case 'seqScan':
      return asQuery(node, state, () => new SeqScan(state, node));
    case 'indexScan':
      return new IndexScan(state, node);
    case 'virtualScan':
      return new VirtualScan(state, node);
    case 'result':
      return new Result(state, node);
    case 'valuesScan':
      return new ValuesScan(state, node);
    case 'functionScan':
      return new FunctionScan(state, node);
    case 'project':
      return new Project(state, node, childOrOneRow(node.child, state));
    case 'projectSet':
      return new ProjectSet(state, node, childOrOneRow(node.child, state));
    case 'filter':
      return new Filter(state, node, buildOperator(node.child, state));
    case 'nestedLoop': {
      const hashed = asHashJoin(node, state);
      if (hashed !== null) return build(hashed, state);
      return new NestedLoop(state, node, buildOperator(node.outer, state), buildOperator(node.inner, state));
    }
    case 'hashJoin': {
      const makeRow = (): Operator =>
        new HashJoin(state, node, buildOperator(node.outer, state), buildOperator(node.inner, state));
      return asQuery(node, state, makeRow);
    }
    case 'mergeJoin':
      return new MergeJoin(state, node, buildOperator(node.outer, state), buildOperator(node.inner, state));
    case 'materialize':
      return new Materialize(state, node, buildOperator(node.child, state));
    case 'sort':
      return asQuery(node, state, () => new Sort(state, node, buildOperator(node.child, state)));
    case 'limit': {
      // The first of many rows come at once.
      const { child } = node;
      const isStreamed = child.kind === 'seqScan' && child.estimatedRows > STREAMED_ROWS_MIN;
      return new Limit(state, node, isStreamed ? new SeqScan(state, child) : buildOperator(child, state));
    }
    case 'unique':
      return new Unique(state, node, buildOperator(node.child, state));
    case 'aggregate': {
      const { pipelines } = state.environment;
      const makeRow = (): Operator => new Aggregate(state, node, buildOperator(node.child, state));
      const makeQuery = (): Operator => asQuery(node, state, makeRow, true);
      // Few groups of one table have pipelines of their own.
      return pipelines === null || scanBelow(node) === null || node.estimatedRows > PLAIN_GROUPS_MAX
        ? makeQuery()
        : new PipelineAggregate(state, node, pipelines, makeQuery);
    }
    case 'window':
      return new Window(state, node, buildOperator(node.child, state));
    case 'append':
      return new Append(
        state,
        node,
        node.children.map((child) => buildOperator(child, state)),
      );
    case 'setOperation':
      return new SetOperation(state, node, buildOperator(node.left, state), buildOperator(node.right, state));
    case 'recursiveUnion':
      return new RecursiveUnion(state, node, buildOperator(node.base, state), () =>
        buildOperator(node.recursive, state),
      );
    case 'workTableScan':
      return new WorkTableScan(state, node);
    case 'cteScan':
      return new CteScan(state, node);
    case 'lockRows':
      return new LockRows(state, node, buildOperator(node.child, state));
    case 'modify':
      if (state.environment.catalog.relation(node.relationOid)?.table === null)
        return new InsteadModify(state, node, buildOperator(node.child, state));
      return new Modify(state, node, buildOperator(node.child, state));
    default: {
      const never: never = node;
      throw internalError(`unexpected plan node ${JSON.stringify(never)}`);
    }
  }
}
