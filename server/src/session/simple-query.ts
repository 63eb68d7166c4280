/** The simple query protocol: texts of one or many statements, each run to its end. */
import { DbError } from '../base/error.ts';
import type { Execution } from '../executor/contract.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';
import { CACHED_TEXT_MAX, type CompiledStatement } from './compiled-statement.ts';
import type { Pending } from './contract.ts';
import type { LiftedText, ParsedStatement } from './engine.ts';
import type { BackendSession } from './session.ts';
import { commandTag, isAllowedInFailedBlock, isPlannableNode, NO_FORMATS } from './statements.ts';
import { abortedBlock } from './transaction-block.ts';

const NO_PARAMETERS: readonly Datum[] = [];

export class SimpleQuery {
  private readonly session: BackendSession;

  constructor(session: BackendSession) {
    this.session = session;
  }

  /** A single cached statement: undefined = not this way; null = done; promise = going on. */
  trySimpleFast(text: string): Pending | undefined {
    if (this.session.block.state === 'failed' || text.length > CACHED_TEXT_MAX) return undefined;
    const lifted = this.session.engine.compiler.liftLiterals(text);
    const key = lifted === null ? `s\0${text}` : `l\0${lifted.key}`;
    const catalog = this.session.catalog();
    let compiled = this.session.engine.plans.get(
      key,
      catalog.version,
      this.session.compilation.environmentKey(catalog),
    );
    if (compiled === null) {
      if (lifted === null) return undefined;
      try {
        const parsed = this.session.engine.compiler.parse(lifted.text);
        if (parsed.length !== 1 || !isPlannableNode(parsed[0].node)) return undefined;
        compiled = this.session.compilation.compile(parsed[0], lifted.text, lifted.parameterTypes);
      } catch (error) {
        // The lifted form is ours: let the text as written speak for itself, with its own positions.
        if (error instanceof DbError) return undefined;
        throw error;
      }
      if (compiled.plan === null) return undefined;
      this.session.compilation.cache(key, compiled);
    }
    const plan = compiled.plan;
    if (plan === null) return undefined;
    const parameters = lifted === null ? NO_PARAMETERS : this.literalValues(lifted, compiled);
    if (parameters === null) return undefined;
    this.session.measurement.measure(compiled, text);
    const chosen = this.session.compilation.choosePlan(compiled, plan, parameters);
    return this.runSimplePlan(chosen, parameters, true, () => {
      const fast = this.trySimpleFast(text);
      return fast === undefined ? this.simpleQueryGeneral(text) : fast;
    });
  }

  /** Values of lifted literals; null when one is malformed (the text as written then tells where). */
  private literalValues(lifted: LiftedText, compiled: CompiledStatement): readonly Datum[] | null {
    const context = this.session.compilation.currentFormat();
    try {
      return lifted.texts.map((text, index) =>
        this.session.typeSupport(compiled.parameterTypes[index]).input(text, -1, context),
      );
    } catch (error) {
      if (error instanceof DbError) return null;
      throw error;
    }
  }

  async simpleQueryGeneral(text: string): Promise<void> {
    const statements = await this.session.compilation.parse(text);
    if (statements.length === 0) {
      this.session.sink.emptyQueryResponse();
      return;
    }
    for (let index = 0; index < statements.length; index++) {
      const isLast = index === statements.length - 1;
      await this.runSimpleStatement(statements[index], text, isLast, statements.length > 1);
    }
  }

  private async runSimpleStatement(
    statement: ParsedStatement,
    text: string,
    isLast: boolean,
    isMulti: boolean,
  ): Promise<void> {
    if (this.session.block.state === 'failed' && !isAllowedInFailedBlock(statement)) throw abortedBlock();
    if (isPlannableNode(statement.node)) {
      const key = text.length > CACHED_TEXT_MAX ? '' : `s\0${text}`;
      const catalog = this.session.catalog();
      const isCached = !isMulti && text.length <= CACHED_TEXT_MAX;
      let compiled = !isCached
        ? null
        : this.session.engine.plans.get(
            key,
            catalog.version,
            this.session.compilation.environmentKey(catalog),
          );
      if (compiled === null) {
        this.session.block.forStatement();
        compiled = this.session.compilation.compile(statement, text, []);
        if (isCached) this.session.compilation.cache(key, compiled);
      }
      if (compiled.plan !== null) {
        this.session.measurement.measure(isMulti ? { ...compiled, text: statement.text } : compiled);
        const pending = this.runSimplePlan(compiled.plan, NO_PARAMETERS, isLast, () =>
          this.runSimpleStatement(statement, text, isLast, isMulti),
        );
        if (pending !== null) await pending;
        return;
      }
    }
    const tag = await this.session.runUtility(
      statement,
      text,
      NO_PARAMETERS,
      NO_FORMATS,
      NO_FORMATS,
      isMulti,
      true,
    );
    if (isLast) await this.session.endImplicit();
    this.session.sink.commandComplete(tag);
  }

  /** `again` runs the statement from its text on, after a wait for a table's lock. */
  private runSimplePlan(
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    endsTransaction: boolean,
    again: () => Pending,
  ): Pending {
    const transaction = this.session.block.forStatement();
    const waiting = this.session.executions.lockRelations(plan, transaction);
    if (waiting !== null) return waiting.then(() => again() ?? undefined);
    this.session.compilation.refreshStatementContext();
    const execution = this.session.executions.acquireExecution(plan);
    if (plan.columns.length > 0 || plan.command === 'select') {
      this.session.sink.rowDescription(plan.columns, NO_FORMATS);
      this.session.sink.beginRows(plan.columns, NO_FORMATS, this.session.functionContext.format);
    }
    const outcome = this.session.executions.runToEnd(execution, transaction, parameters);
    if (outcome !== null)
      return outcome.then(
        () => this.completeSimple(plan, execution, transaction, endsTransaction) ?? undefined,
      );
    return this.completeSimple(plan, execution, transaction, endsTransaction);
  }

  private completeSimple(
    plan: PhysicalPlan,
    execution: Execution,
    transaction: Transaction,
    endsTransaction: boolean,
  ): Pending {
    const tag = commandTag(plan, execution.rowCount);
    this.session.measurement.rows = execution.rowCount;
    this.session.measurement.plan = plan;
    this.session.executions.releaseExecution(plan, execution);
    if (!plan.readOnly) transaction.advanceCommand();
    const pending = endsTransaction ? this.session.endImplicit() : null;
    if (pending === null) {
      this.session.sink.commandComplete(tag);
      return null;
    }
    return pending.then(() => this.session.sink.commandComplete(tag));
  }
}
