/**
 * What a pipeline computes: plain data, sent to workers, the key of the module cache. Constants are parameters, never part of it.
 *
 * A pipeline reads columns of one table, drops rows that do not pass every filter, and feeds accumulators by group. Values are 64-bit integers
 * (int2/4/8, date, timestamp), decimals (64-bit integers with a scale), doubles, booleans, or codes of a dictionary (strings).
 */

export type PipelineType =
  | { readonly kind: 'int' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'float' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' };

/** `mod` is for integers only. */
export type ArithmeticOperator = 'add' | 'sub' | 'mul' | 'div' | 'mod';

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** An expression. `int` bounds of a result are checked against the SQL type in `bounds` by interval analysis before anything runs. */
export type Node =
  | { readonly op: 'column'; readonly column: number; readonly type: PipelineType }
  /** Never NULL: a NULL constant makes the row executor run the plan. */
  | { readonly op: 'param'; readonly param: number; readonly type: PipelineType }
  | {
      readonly op: ArithmeticOperator;
      readonly left: Node;
      readonly right: Node;
      readonly type: PipelineType;
      readonly bounds: IntegerBounds | null;
    }
  | {
      readonly op: 'neg';
      readonly arg: Node;
      readonly type: PipelineType;
      readonly bounds: IntegerBounds | null;
    }
  /** Multiplies an integer by a constant of ours: 10^k to reach a scale, microseconds per day for dates. */
  | { readonly op: 'scale'; readonly arg: Node; readonly factor: bigint; readonly type: PipelineType }
  /** Integer or decimal to double; exact divisor 10^scale. */
  | { readonly op: 'toFloat'; readonly arg: Node; readonly divisor: number; readonly type: PipelineType }
  | {
      readonly op: 'compare';
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly right: Node;
      readonly type: PipelineType;
    }
  | { readonly op: 'and' | 'or'; readonly args: readonly Node[]; readonly type: PipelineType }
  | { readonly op: 'not'; readonly arg: Node; readonly type: PipelineType }
  | { readonly op: 'isNull'; readonly arg: Node; readonly negate: boolean; readonly type: PipelineType }
  | {
      readonly op: 'case';
      readonly branches: readonly { readonly when: Node; readonly result: Node }[];
      /** Null = NULL. */
      readonly otherwise: Node | null;
      readonly type: PipelineType;
    }
  | { readonly op: 'coalesce'; readonly args: readonly Node[]; readonly type: PipelineType }
  /** A condition over one string column, decided once per dictionary entry by the row executor: table of 0 false, 1 true, 2 NULL. */
  | {
      readonly op: 'stringTest';
      readonly column: number;
      readonly test: number;
      readonly type: PipelineType;
      /** The same condition computed from the bytes, for columns without a dictionary. */
      readonly otherwise?: Node;
    }
  | QueryNode;

/** Expressions that only pipelines of whole queries use (`query/`). */
export type QueryNode =
  /** A value of the tuple of `table` that the row has found, or reads. */
  | { readonly op: 'field'; readonly table: number; readonly field: number; readonly type: PipelineType }
  /** A string column as reference: length and address (`query/layout.ts`). */
  | { readonly op: 'stringRef'; readonly column: number; readonly type: PipelineType }
  | {
      readonly op: 'stringEqual';
      readonly left: Node;
      readonly right: Node;
      readonly negate: boolean;
      readonly type: PipelineType;
    }
  /** LIKE with % only: the pieces between them are parameters. */
  | {
      readonly op: 'like';
      readonly arg: Node;
      readonly pieces: readonly number[];
      readonly atStart: boolean;
      readonly atEnd: boolean;
      readonly negate: boolean;
      readonly type: PipelineType;
    }
  /** Bytes from `start` (1 = first), as many as `length`; only where every character is one byte. */
  | {
      readonly op: 'substring';
      readonly arg: Node;
      readonly start: Node;
      readonly length: Node;
      readonly type: PipelineType;
    }
  /** Without the blanks at the end. */
  | { readonly op: 'trimEnd'; readonly arg: Node; readonly type: PipelineType }
  /** Part of a date (days since 2000-01-01). */
  | {
      readonly op: 'datePart';
      readonly part: 'year' | 'month' | 'day';
      readonly arg: Node;
      readonly type: PipelineType;
    }
  /** left (operator) factor * sum / count, where sum and count are fields of one group: compared without dividing. */
  | {
      readonly op: 'compareAverage';
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly factor: Node;
      readonly sum: Node;
      readonly count: Node;
      /** Digits after the point of the factor. */
      readonly factorScale: number;
      readonly type: PipelineType;
    };

export type IntegerBounds = 'int2' | 'int4' | 'int8' | 'date' | 'timestamp';

export interface PipelineColumn {
  /** 0-based column of the table. */
  readonly column: number;
  readonly typeOid: number;
  readonly type: PipelineType;
}

export interface AccumulatorSpec {
  readonly op: 'count' | 'sum' | 'min' | 'max';
  /** Null for count(*). */
  readonly arg: Node | null;
  readonly filter: Node | null;
}

export interface PipelineSpec {
  readonly columns: readonly PipelineColumn[];
  readonly filters: readonly Node[];
  readonly groups: readonly Node[];
  /** The first is always count(*) without a filter. */
  readonly accumulators: readonly AccumulatorSpec[];
  readonly stringTests: number;
}

/** Value of a parameter: integers and decimals as bigint, doubles as number, booleans as bigint. */
export type ParamValue = bigint | number;

export const INT: PipelineType = { kind: 'int' };
export const FLOAT: PipelineType = { kind: 'float' };
export const BOOL: PipelineType = { kind: 'bool' };
export const STRING: PipelineType = { kind: 'string' };
export function decimal(scale: number): PipelineType {
  return { kind: 'decimal', scale };
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}

/** JSON text of a spec: bigints written as strings with a mark. */
export function specKey(spec: PipelineSpec): string {
  return jsonText(spec);
}

/** The same of a node: equal text, equal value for every row. */
export function nodeKey(node: Node | null): string {
  return jsonText(node);
}

/** Calls `visit` for a node and everything below it. */
export function walkNode(node: Node, visit: (node: Node) => void): void {
  visit(node);
  switch (node.op) {
    case 'column':
    case 'param':
    case 'field':
    case 'stringRef':
      return;
    case 'stringTest':
      if (node.otherwise !== undefined) walkNode(node.otherwise, visit);
      return;
    case 'stringEqual':
      walkNode(node.left, visit);
      walkNode(node.right, visit);
      return;
    case 'substring':
      walkNode(node.arg, visit);
      walkNode(node.start, visit);
      walkNode(node.length, visit);
      return;
    case 'compareAverage':
      for (const part of [node.left, node.factor, node.sum, node.count]) walkNode(part, visit);
      return;
    case 'like':
    case 'trimEnd':
    case 'datePart':
      walkNode(node.arg, visit);
      return;
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
    case 'compare':
      walkNode(node.left, visit);
      walkNode(node.right, visit);
      return;
    case 'neg':
    case 'scale':
    case 'toFloat':
    case 'not':
    case 'isNull':
      walkNode(node.arg, visit);
      return;
    case 'and':
    case 'or':
    case 'coalesce':
      for (const arg of node.args) walkNode(arg, visit);
      return;
    case 'case':
      for (const branch of node.branches) {
        walkNode(branch.when, visit);
        walkNode(branch.result, visit);
      }
      if (node.otherwise !== null) walkNode(node.otherwise, visit);
      return;
  }
}
