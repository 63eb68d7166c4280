/** Index advice: from the recorded workload, costed by the server's planner, proved before it is believed. */
import Type, { type Static } from 'typebox';
import { BigText, Millis, nullable } from './shapes.ts';

export const AdviceStatement = Type.Object({
  queryId: BigText,
  query: Type.String(),
  calls: Type.Number(),
  costBefore: Type.Number(),
  costAfter: Type.Number(),
  /** Only for verified advice. */
  millisBefore: nullable(Type.Number()),
  millisAfter: nullable(Type.Number()),
});
export type AdviceStatement = Static<typeof AdviceStatement>;

export const Advice = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('create'), Type.Literal('drop'), Type.Literal('merge')]),
  /** Plain sentence. */
  sentence: Type.String(),
  /** What to run. */
  sql: Type.String(),
  /** What undoes it. */
  undoSql: Type.String(),
  schema: Type.String(),
  table: Type.String(),
  columns: Type.Array(Type.String()),
  include: Type.Array(Type.String()),
  predicate: nullable(Type.String()),
  /** estimated: by the planner; sampled: tried on a sample; verified: built invisibly and statements replayed. */
  confidence: Type.Union([Type.Literal('estimated'), Type.Literal('sampled'), Type.Literal('verified')]),
  sizeBytes: Type.Number(),
  /** Share of the workload's cost that goes, 0–1. */
  gain: Type.Number(),
  /** Cost added to writes, in the same unit as the gain of reads, as a share of the workload's cost. */
  writeCost: Type.Number(),
  statements: Type.Array(AdviceStatement),
});
export type Advice = Static<typeof Advice>;

export const AdvisorRequest = Type.Object({
  /** Bound for the size of all new indexes together. */
  budgetBytes: Type.Optional(Type.Number({ minimum: 0 })),
  maxIndexes: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  /** Statements to advise for instead of the recorded ones. */
  statements: Type.Optional(
    Type.Array(
      Type.Object({ sql: Type.String({ maxLength: 100_000 }), calls: Type.Number({ minimum: 0 }) }),
      { maxItems: 500 },
    ),
  ),
  /** Tables smaller than this get no advice. Default 1 MiB. */
  minTableBytes: Type.Optional(Type.Number({ minimum: 0 })),
});
export type AdvisorRequest = Static<typeof AdvisorRequest>;
export const AdvisorResponse = Type.Object({
  at: Millis,
  durationMillis: Type.Number(),
  statementsConsidered: Type.Integer(),
  candidates: Type.Integer(),
  plannerCalls: Type.Integer(),
  costBefore: Type.Number(),
  costAfter: Type.Number(),
  advice: Type.Array(Advice),
  /** Candidates that were not advised, and why not. */
  rejected: Type.Array(Type.Object({ sql: Type.String(), reason: Type.String() })),
});
export type AdvisorResponse = Static<typeof AdvisorResponse>;

/** Builds the index invisible, replays the statements that gain (read-only, within the time), and drops or keeps it. */
export const VerifyRequest = Type.Object({
  sql: Type.String({ maxLength: 100_000 }),
  /** Statements to replay; absent = those of the recorded workload that the planner would give the index. */
  statements: Type.Optional(Type.Array(Type.String({ maxLength: 100_000 }), { maxItems: 100 })),
  budgetMillis: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
  /** Publish when it is at least 10 % faster and nothing is more than 5 % slower; else it is always dropped. */
  isPublished: Type.Optional(Type.Boolean()),
});
export type VerifyRequest = Static<typeof VerifyRequest>;
export const VerifyResponse = Type.Object({
  verdict: Type.Union([Type.Literal('better'), Type.Literal('no gain'), Type.Literal('worse')]),
  sentence: Type.String(),
  buildMillis: Type.Number(),
  sizeBytes: Type.Number(),
  isPublished: Type.Boolean(),
  statements: Type.Array(AdviceStatement),
});
export type VerifyResponse = Static<typeof VerifyResponse>;

/** What a statement would cost with indexes that do not exist. */
export const WhatIfRequest = Type.Object({
  sql: Type.String({ maxLength: 100_000 }),
  indexes: Type.Array(Type.String({ maxLength: 10_000 }), { minItems: 1, maxItems: 20 }),
});
export type WhatIfRequest = Static<typeof WhatIfRequest>;
export const WhatIfResponse = Type.Object({
  costBefore: Type.Number(),
  costAfter: Type.Number(),
  planBefore: Type.String(),
  planAfter: Type.String(),
  usedIndexes: Type.Array(Type.String()),
});
export type WhatIfResponse = Static<typeof WhatIfResponse>;
