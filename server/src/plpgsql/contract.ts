/**
 * What the interpreters need of the session they run in. Implemented by `session/`.
 *
 * Everything is synchronous; what must wait gives a promise, and the interpreter leaves by a WaitSignal until it is settled.
 */
import type { Oid } from '../base/brands.ts';
import type { DbError, Notice } from '../base/error.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { Execution, ExecutorServices } from '../executor/contract.ts';
import type { FunctionResolver } from '../executor/functions.ts';
import type { Activity } from '../executor/routines.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { AnalyseOptions } from '../sql/analyse/index.ts';
import type { Query } from '../sql/tree.ts';
import type { Transaction } from '../txn/contract.ts';
import type { Datum } from '../types/datum.ts';

/** A parsed command as the session runs it. */
export interface CommandTree {
  /** libpg_query node name. */
  readonly node: string;
  readonly tree: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export type CursorDirection = 'forward' | 'backward' | 'absolute' | 'relative';

/** Cursors of the session by name: the same ones that DECLARE makes and FETCH reads. */
export interface CursorAccess {
  exists(name: string): boolean;
  /** Opens a cursor; null = a name of its own. Errors 42P03 when it exists. */
  open(
    name: string | null,
    plan: PhysicalPlan,
    parameters: readonly Datum[],
    options: { scroll: boolean | null; text: string },
  ): string;
  plan(name: string): PhysicalPlan;
  /** Moves one step and gives the row it then stands on, or null. May leave by a suspension; nothing has moved then. */
  fetch(name: string, direction: CursorDirection, count: number): readonly Datum[] | null;
  /** Moves by `count`; answers the rows passed. */
  move(name: string, direction: CursorDirection, count: number): number;
  close(name: string): void;
}

export interface RoutineSession {
  readonly services: ExecutorServices;
  readonly activity: Activity;
  readonly resolver: FunctionResolver;
  readonly cursors: CursorAccess;
  catalog(): CatalogReader;
  /** Catalog, search path and formats as they are now. */
  analysis(): AnalyseOptions;
  /** Two equal answers: what was analysed and planned between them is still right. */
  planKey(): number;
  transaction(): Transaction;
  rewrite(query: Query): Query;
  plan(query: Query, parameterTypes: readonly Oid[]): PhysicalPlan;
  acquire(plan: PhysicalPlan): Execution;
  release(plan: PhysicalPlan, execution: Execution): void;
  notice(notice: Notice): void;
  setting(name: string): string;
  /** Runs a command that is no plan: DDL, SET, COPY … Answers its tag. */
  runCommand(command: CommandTree, isAtomic: boolean): Promise<string>;
  /** Runs an EXPLAIN; its lines and their type (text, json, xml). */
  explainRows(command: CommandTree): Promise<{ typeOid: Oid; lines: readonly Datum[] }>;
  beginSubtransaction(): void;
  releaseSubtransaction(): void;
  rollbackSubtransaction(): void;
  /** Transaction control of procedures; a new transaction begins afterwards. */
  commit(chain: boolean): Promise<void> | null;
  rollback(chain: boolean): Promise<void> | null;
  currentRole(): Oid;
  /** The role whose rights count; 0 = the session's own again. */
  setEffectiveRole(role: Oid | null): Oid | null;
  /** Applies SET clauses; the answer takes them back. */
  applySettings(settings: readonly string[]): () => void;
  /** An exception that is no DbError: a defect, logged and reported as XX000. */
  internalError(thrown: unknown): DbError;
  /** True when COMMIT and ROLLBACK of a top-level CALL or DO may act. */
  triggerDepth: number;
}
